//! What each thing to do is worth: points of accuracy for minutes of work, predicted before anybody does it (methods 5.9).
//!
//! A head is taught by the labels as they are and as they would be, and both are asked about examples that did not teach them.
//! Right is what the audit believes: the given labels with its own suggestions. What a change does to the answers is measured;
//! examples that are changed themselves count as examples on which nothing changes, for there the belief would judge itself.

mod collecting;
mod label;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use curate::faults::Fault;
use linalg::Seed;
use serde::{Deserialize, Serialize};
use tune::what_if::WhatIf;

use self::collecting::collect;
use self::label::Label;
pub use self::label::Metric;
use super::checks;
use super::labels::Labels;
use super::material::{Material, Nearness};
use super::media::Media;
use super::worklist::{Action, AuditFinding};
use crate::features::Table;
use crate::report::Sentence;
use crate::{Lang, PipelineError};

/// Standard normal quantile of the interval.
const NORMAL: f64 = 1.96;
/// Times that it is drawn which suggestions are right.
const DRAWS: usize = 8;
/// Minutes that a person takes to look at one label, to keep one of several copies, to take out an example; and to decide on a rule.
const MINUTES: [f64; 4] = [0.1, 0.05, 0.1, 2.0];

/// One thing to do, with what it is worth.
#[derive(Debug, Clone, Serialize)]
pub struct Advice {
    /// What to do.
    pub action: Action,
    /// With how many examples.
    pub n: usize,
    /// How many of them are probably as the audit takes them to be.
    pub likely: f64,
    /// Of which class; where it is about one.
    pub class: Option<String>,
    /// About which finding; where it is about one.
    pub finding: Option<usize>,
    /// What it is expected to bring, as a share of 1, with a 95 % interval.
    pub gain: Gain,
    /// Of what.
    pub metric: Metric,
    /// Minutes of a person's work.
    pub minutes: f64,
    /// In words.
    pub told: Sentence,
}

impl Advice {
    /// What to do, what to expect of it, and how long it takes.
    pub fn sentence(&self, lang: Lang) -> String {
        let Gain { value, low, high } = self.gain;
        let (points, error) = (format!("{:+.1}", 100.0 * value), format!("{:.1}", 50.0 * (high - low)));
        let (told, minutes, what) = (self.told.in_lang(lang), self.minutes.ceil(), self.metric.words(lang));
        lang.pick(
            format!("{told}: expect {points} ± {error} {what}, {minutes} min"),
            format!("{told}：预计{what} {points} ± {error} 个百分点，约 {minutes} 分钟"),
        )
    }
}

/// A predicted change of what answers are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gain {
    /// Expected change.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

/// What was done to an example.
pub(crate) struct Done<'a> {
    /// Its label now; none where it was taken out.
    pub(crate) label: Option<&'a str>,
    /// Whether a rule decided it.
    pub(crate) is_decided: bool,
}

/// What is asked about.
pub(crate) struct Asked {
    what_if: WhatIf,
    ids: Vec<String>,
    /// `[n]`: the labels as they are.
    labels: Vec<Option<Label>>,
    /// `[n]`: the labels that are taken for right.
    right: Vec<Option<Label>>,
    /// `[n]`: how probable they are, beside the labels as they are.
    sure: Vec<f64>,
    /// Of labels that have names.
    names: Vec<String>,
    metric: Metric,
    seed: Seed,
}

/// What to do, the most a minute first, and what is to be said against it.
#[derive(Debug, Default)]
pub(super) struct Worth {
    pub(super) advice: Vec<Advice>,
    pub(super) caution: Option<Sentence>,
}

/// What the findings are worth.
pub(super) fn worth(asked: &Asked, findings: &[AuditFinding]) -> Worth {
    let now = asked.answers(&asked.labels);
    let is_told = asked.is_told(&now);
    let mut advice = Vec::new();
    if is_told {
        advice.extend(relabel(asked, &now));
    }
    for (fault, action) in [(Fault::Duplicate, Action::KeepOne), (Fault::Outlier, Action::CheckMembership)] {
        advice.extend(leave_out(asked, &now, findings, fault, action));
    }
    let of_rules = findings.iter().filter(|finding| finding.fault == Fault::Conflict);
    advice.extend(of_rules.map(|finding| decide(asked, &now, finding)));
    advice.extend(collect(asked, &now, findings));
    let rate = |advice: &Advice| advice.gain.value / advice.minutes;
    advice.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
    Worth { advice, caution: (!is_told).then(blind) }
}

/// What is to be said where heads do not clearly tell labels apart.
fn blind() -> Sentence {
    Sentence {
        en: "It is not shown that models can tell these labels: what looks wrong may be a guess, and what relabelling brings is not said. More labels show it.".to_owned(),
        zh: "尚不能表明模型能分辨这些标注：标出的问题可能只是猜测，因此不预计改正标注的收益。更多的标注才能说明。".to_owned(),
    }
}

impl Asked {
    /// Whether heads clearly tell the labels. Of numbers few that are far off lead a head astray: it learns what is taken for right, and is
    /// asked about the others.
    fn is_told(&self, now: &[Option<Label>]) -> bool {
        if self.metric != Metric::R2 {
            return label::is_told(now, &self.labels);
        }
        let others = self.labels.iter().zip(&self.right);
        let others: Vec<Option<Label>> =
            others.map(|(label, right)| label.clone().filter(|_| label == right)).collect();
        label::is_told(&self.answers(&self.right), &others)
    }

    /// What an audit has found out: right is what it suggests, and the given label where it does not. `None` without features
    /// or without labels that can be judged.
    pub(super) fn audited(
        material: &Material,
        nearness: Option<&Nearness>,
        labels: Option<&Labels>,
    ) -> Option<Self> {
        let mut asked = Self::new(material, nearness)?;
        let Some(Labels { suggested, sure, .. }) = labels else { return Some(asked) };
        for (right, suggested) in asked.right.iter_mut().zip(suggested) {
            if let Some(suggested) = suggested {
                *right = label::read(suggested, &mut asked.names, asked.metric);
            }
        }
        asked.sure.clone_from(sure);
        Some(asked)
    }

    /// About a data set with its features.
    pub(crate) fn table(table: &Table) -> Result<Option<Self>, PipelineError> {
        let none = Media::none(table.data.examples.len());
        let material = Material::of_table(table, none, &[], Seed(0));
        Ok(Self::new(&material, checks::nearness(&material)?.as_ref()))
    }

    fn new(material: &Material, nearness: Option<&Nearness>) -> Option<Self> {
        let (x, nearness) = material.x.as_ref().zip(nearness)?;
        let (labels, names, metric) = label::of(material)?;
        let what_if = WhatIf::new(x, &material.folds(nearness), material.seed);
        let (ids, right, seed) = (material.ids.clone(), labels.clone(), material.seed);
        let sure = vec![1.0; labels.len()];
        Some(Self { what_if, ids, labels, right, sure, names, metric, seed })
    }

    /// By what answers are judged.
    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    /// `[n]`: what heads say that were taught by these labels in other folds.
    fn answers(&self, labels: &[Option<Label>]) -> Vec<Option<Label>> {
        label::answers(&self.what_if, labels, self.metric)
    }

    /// What changed labels bring, which are right: by id, `None` where an example was taken out.
    pub(crate) fn gain_of(mut self, changes: &BTreeMap<&str, Done<'_>>) -> Gain {
        let now = self.answers(&self.labels);
        let mut then = self.labels.clone();
        let mut changed = vec![false; then.len()];
        for (row, id) in self.ids.iter().enumerate() {
            let Some(Done { label, is_decided }) = changes.get(id.as_str()) else { continue };
            then[row] = label.and_then(|label| label::read(label, &mut self.names, self.metric));
            // As it is predicted: where a rule is decided the region itself counts.
            changed[row] = !is_decided || label.is_none();
        }
        // What was taken out counts as unchanged, and so among all.
        self.right = then
            .iter()
            .zip(&self.labels)
            .map(|(then, label)| then.as_ref().or(label.as_ref()).cloned())
            .collect();
        self.gain(&now, &self.answers(&then), &changed)
    }

    /// How much more is right; of rows that are changed themselves nothing is assumed.
    fn gain(&self, now: &[Option<Label>], then: &[Option<Label>], changed: &[bool]) -> Gain {
        self.gain_by(&self.right, now, then, changed)
    }

    /// The same with other labels taken for right.
    fn gain_by(
        &self,
        right: &[Option<Label>],
        now: &[Option<Label>],
        then: &[Option<Label>],
        changed: &[bool],
    ) -> Gain {
        let [now, then] = [now, then].map(|answers| self.metric.marks(answers, right));
        let change = |row: usize| Some(if changed[row] { 0.0 } else { then[row]? - now[row]? });
        let changes: Vec<f64> = (0..now.len()).filter_map(change).collect();
        let n = changes.len().max(1) as f64;
        let value = changes.iter().sum::<f64>() / n;
        let squares: f64 = changes.iter().map(|change| (change - value).powi(2)).sum();
        // One answer more or less is never excluded.
        let error = (squares.max(1.0) / n / n).sqrt();
        let half = NORMAL * error;
        // Of numbers a change may be larger than all there is to explain.
        let most = if self.metric == Metric::R2 { f64::INFINITY } else { 1.0 };
        Gain { value, low: (value - half).max(-most), high: (value + half).min(most) }
    }
}

/// A person looks at what is suggested, and some of it is not so: what is right is drawn several times, as probable as it is.
fn relabel(asked: &Asked, now: &[Option<Label>]) -> Option<Advice> {
    let differs: Vec<bool> =
        asked.right.iter().zip(&asked.labels).map(|(right, label)| right != label).collect();
    let n = differs.iter().filter(|differs| **differs).count();
    if n == 0 {
        return None;
    }
    let drawn = |draw: usize| {
        let mut rng = asked.seed.derive("right").nth(draw).rng();
        let is_so: Vec<bool> =
            asked.sure.iter().map(|sure| linalg::random::uniform(&mut rng) < *sure).collect();
        let rows = asked.right.iter().zip(&asked.labels).zip(&is_so);
        let right: Vec<Option<Label>> =
            rows.map(|((right, label), is_so)| if *is_so { right } else { label }.clone()).collect();
        let changed: Vec<bool> =
            differs.iter().zip(is_so).map(|(differs, is_so)| *differs && is_so).collect();
        asked.gain_by(&right, now, &asked.answers(&right), &changed)
    };
    let is_sure = differs.iter().zip(&asked.sure).all(|(differs, sure)| !differs || *sure >= 1.0);
    let gain = mean(&(0..if is_sure { 1 } else { DRAWS }).map(drawn).collect::<Vec<_>>());
    let told = Sentence {
        en: if n == 1 { "Relabel this one".to_owned() } else { format!("Relabel these {n}") },
        zh: format!("改正这 {n} 个标注"),
    };
    let likely = differs.iter().zip(&asked.sure).filter(|(differs, _)| **differs).map(|(_, sure)| sure).sum();
    Some(Advice {
        action: Action::Relabel,
        n,
        likely,
        class: None,
        finding: None,
        gain,
        metric: asked.metric,
        minutes: MINUTES[0] * n as f64,
        told,
    })
}

/// Keeps one of each set of copies, or takes out what does not belong.
fn leave_out(
    asked: &Asked,
    now: &[Option<Label>],
    findings: &[AuditFinding],
    fault: Fault,
    action: Action,
) -> Option<Advice> {
    let mut changed = vec![false; asked.labels.len()];
    let keeps_one = usize::from(action == Action::KeepOne);
    // A photo that stands beside two notes is no copy of the example.
    // Nor are copies that want one label taken out.
    let of_fault = findings.iter().filter(|finding| finding.fault == fault && finding.action == action);
    let rows = of_fault.flat_map(|finding| finding.rows.iter().skip(keeps_one));
    rows.filter(|row| asked.labels[**row].is_some()).for_each(|row| changed[*row] = true);
    let n = changed.iter().filter(|changed| **changed).count();
    if n == 0 {
        return None;
    }
    let labels: Vec<Option<Label>> = asked
        .labels
        .iter()
        .zip(&changed)
        .map(|(label, changed)| label.clone().filter(|_| !changed))
        .collect();
    let gain = asked.gain(now, &asked.answers(&labels), &changed);
    let these =
        |one: &str, many: &str| if n == 1 { format!("this {one}") } else { format!("these {n} {many}") };
    let (minutes, en, zh) = if keeps_one == 1 {
        (MINUTES[1], format!("Take out {}", these("copy", "copies")), format!("去掉这 {n} 个重复样本"))
    } else {
        (MINUTES[2], format!("Take out {}", these("outlier", "outliers")), format!("去掉这 {n} 个离群样本"))
    };
    Some(Advice {
        action,
        n,
        likely: n as f64,
        class: None,
        finding: None,
        gain,
        metric: asked.metric,
        minutes: minutes * n as f64,
        told: Sentence { en, zh },
    })
}

/// All examples of a region get one label, which may turn out to be either of the two that most of them have: the gain is the mean of
/// both decisions, and lies between the ends of both intervals.
fn decide(asked: &Asked, now: &[Option<Label>], finding: &AuditFinding) -> Advice {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for row in &finding.rows {
        // Rules part classes.
        if let Some(Label::Class(class)) = asked.labels[*row] {
            *counts.entry(class).or_default() += 1;
        }
    }
    let mut common: Vec<(u32, usize)> = counts.iter().map(|(label, count)| (*label, *count)).collect();
    common.sort_by_key(|(label, count)| (std::cmp::Reverse(*count), *label));
    let decided = common.iter().take(2).map(|(label, _)| {
        let (mut labels, mut right) = (asked.labels.clone(), asked.right.clone());
        for row in &finding.rows {
            labels[*row] = Some(Label::Class(*label));
            right[*row].clone_from(&labels[*row]);
        }
        // The region itself is what is decided about: it counts, judged by the decision.
        let then = asked.answers(&labels);
        asked.gain_by(&right, now, &then, &vec![false; labels.len()])
    });
    let gain = either(&decided.collect::<Vec<_>>());
    let n = finding.rows.len();
    let (number, names) =
        (finding.number, counts.keys().map(|class| format!("`{}`", asked.names[*class as usize])));
    let names = names.collect::<Vec<_>>().join(" / ");
    let told = Sentence {
        en: format!("Decide finding {number}, {names}: {n} examples hang on it"),
        zh: format!("裁定第 {number} 个发现（{names}）：涉及 {n} 个样本"),
    };
    Advice {
        action: Action::DecideRule,
        n,
        likely: n as f64,
        class: None,
        finding: Some(number),
        gain,
        metric: asked.metric,
        minutes: MINUTES[3],
        told,
    }
}

/// The mean of gains in worlds that are as likely; how they differ widens its interval.
fn mean(gains: &[Gain]) -> Gain {
    let over = |of: &dyn Fn(&Gain) -> f64| gains.iter().map(of).sum::<f64>() / gains.len() as f64;
    let value = over(&|gain| gain.value);
    let within = over(&|gain| ((gain.high - gain.low) / 2.0).powi(2));
    let between = over(&|gain| (gain.value - value).powi(2));
    let half = (within + NORMAL.powi(2) * between).sqrt();
    Gain { value, low: value - half, high: value + half }
}

/// What one of these gains brings, all as likely.
fn either(gains: &[Gain]) -> Gain {
    let value = gains.iter().map(|gain| gain.value).sum::<f64>() / gains.len().max(1) as f64;
    Gain {
        value,
        low: gains.iter().map(|gain| gain.low).fold(value, f64::min),
        high: gains.iter().map(|gain| gain.high).fold(value, f64::max),
    }
}
