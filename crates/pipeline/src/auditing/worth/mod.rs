//! What each thing to do is worth: points of accuracy for minutes of work, predicted before anybody does it (methods 5.9).
//!
//! A head is taught by the labels as they are and as they would be, and both are asked about examples that did not teach them.
//! Right is what the audit believes: the given labels with its own suggestions. What a change does to the answers is measured;
//! examples that are changed themselves count as examples on which nothing changes, for there the belief would judge itself.

mod collecting;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use curate::faults::Fault;
use linalg::Seed;
use serde::{Deserialize, Serialize};
use tune::what_if::WhatIf;

use self::collecting::collect;
use super::checks;
use super::material::{Material, Nearness};
use super::media::Media;
use super::worklist::{Action, AuditFinding};
use crate::features::Table;
use crate::report::Sentence;
use crate::{Lang, PipelineError};

/// Standard normal quantile of the interval.
const NORMAL: f64 = 1.96;
/// Minutes that a person takes to look at one label, to keep one of several copies, to take out an example; and to decide on a rule.
const MINUTES: [f64; 4] = [0.1, 0.05, 0.1, 2.0];

/// One thing to do, with what it is worth.
#[derive(Debug, Clone, Serialize)]
pub struct Advice {
    /// What to do.
    pub action: Action,
    /// With how many examples.
    pub n: usize,
    /// Of which class; where it is about one.
    pub class: Option<String>,
    /// About which finding; where it is about one.
    pub finding: Option<usize>,
    /// Points of accuracy, in [-1, 1], with a 95 % interval.
    pub gain: Gain,
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
        let (told, minutes) = (self.told.in_lang(lang), self.minutes.ceil());
        lang.pick(
            format!("{told}: expect {points} ± {error} points of accuracy, {minutes} min"),
            format!("{told}：预计准确率 {points} ± {error} 个百分点，约 {minutes} 分钟"),
        )
    }
}

/// A predicted change of accuracy.
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
    labels: Vec<Option<u32>>,
    /// `[n]`: the labels that are taken for right.
    right: Vec<Option<u32>>,
    classes: Vec<String>,
    seed: Seed,
}

/// What the findings are worth, the most a minute first.
pub(super) fn worth(asked: &Asked, findings: &[AuditFinding]) -> Vec<Advice> {
    let now = asked.what_if.answers(&asked.labels);
    let mut advice = Vec::new();
    advice.extend(relabel(asked, &now));
    for (fault, action) in [(Fault::Duplicate, Action::KeepOne), (Fault::Outlier, Action::CheckMembership)] {
        advice.extend(leave_out(asked, &now, findings, fault, action));
    }
    let of_rules = findings.iter().filter(|finding| finding.fault == Fault::Conflict);
    advice.extend(of_rules.map(|finding| decide(asked, &now, finding)));
    advice.extend(collect(asked, &now, findings));
    let rate = |advice: &Advice| advice.gain.value / advice.minutes;
    advice.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
    advice
}

impl Asked {
    /// What an audit has found out: right is what it suggests, and the given label where it does not. `None` without features
    /// or without labels that can be judged.
    pub(super) fn audited(
        material: &Material,
        nearness: Option<&Nearness>,
        suggested: &[Option<String>],
    ) -> Option<Self> {
        let mut asked = Self::new(material, nearness)?;
        for (right, suggested) in asked.right.iter_mut().zip(suggested) {
            if let Some(suggested) = suggested {
                *right = Some(number_of(&mut asked.classes, suggested));
            }
        }
        Some(asked)
    }

    /// About a data set with its features.
    pub(crate) fn table(table: &Table) -> Result<Option<Self>, PipelineError> {
        let none = Media::none(table.data.examples.len());
        let material = Material::of_table(table, none, &[], Seed(0));
        Ok(Self::new(&material, checks::nearness(&material)?.as_ref()))
    }

    fn new(material: &Material, nearness: Option<&Nearness>) -> Option<Self> {
        let (x, nearness) = material.x.as_ref().zip(nearness).filter(|_| material.has_classes())?;
        Some(Self {
            what_if: WhatIf::new(x, &material.folds(nearness), material.seed),
            ids: material.ids.clone(),
            labels: material.labels.clone(),
            right: material.labels.clone(),
            classes: material.classes.clone(),
            seed: material.seed,
        })
    }

    /// What changed labels bring, which are right: by id, `None` where an example was taken out.
    pub(crate) fn gain_of(mut self, changes: &BTreeMap<&str, Done<'_>>) -> Gain {
        let now = self.what_if.answers(&self.labels);
        let mut then = self.labels.clone();
        let mut changed = vec![false; then.len()];
        for (row, id) in self.ids.iter().enumerate() {
            let Some(Done { label, is_decided }) = changes.get(id.as_str()) else { continue };
            then[row] = label.map(|label| number_of(&mut self.classes, label));
            // As it is predicted: where a rule is decided the region itself counts.
            changed[row] = !is_decided || label.is_none();
        }
        // What was taken out counts as unchanged, and so among all.
        self.right = then.iter().zip(&self.labels).map(|(then, label)| then.or(*label)).collect();
        self.gain(&now, &self.what_if.answers(&then), &changed)
    }

    /// The change of accuracy; of rows that are changed themselves none is assumed.
    fn gain(&self, now: &[Option<u32>], then: &[Option<u32>], changed: &[bool]) -> Gain {
        self.gain_by(&self.right, now, then, changed)
    }

    /// The same with other labels taken for right.
    fn gain_by(
        &self,
        right: &[Option<u32>],
        now: &[Option<u32>],
        then: &[Option<u32>],
        changed: &[bool],
    ) -> Gain {
        let is_right = |answer: Option<u32>, row: usize| f64::from(u8::from(answer == right[row]));
        let change = |row: usize| {
            if changed[row] { 0.0 } else { is_right(then[row], row) - is_right(now[row], row) }
        };
        let changes: Vec<f64> = (0..now.len()).filter(|row| right[*row].is_some()).map(change).collect();
        let n = changes.len().max(1) as f64;
        let value = changes.iter().sum::<f64>() / n;
        let squares: f64 = changes.iter().map(|change| (change - value).powi(2)).sum();
        // One answer more or less is never excluded.
        let error = (squares.max(1.0) / n / n).sqrt();
        Gain { value, low: (value - NORMAL * error).max(-1.0), high: (value + NORMAL * error).min(1.0) }
    }
}

/// The number of a class; a new one is added.
fn number_of(classes: &mut Vec<String>, name: &str) -> u32 {
    let place = classes.iter().position(|class| class == name).unwrap_or_else(|| {
        classes.push(name.to_owned());
        classes.len() - 1
    });
    place as u32
}

fn relabel(asked: &Asked, now: &[Option<u32>]) -> Option<Advice> {
    let changed: Vec<bool> =
        asked.right.iter().zip(&asked.labels).map(|(right, label)| right != label).collect();
    let n = changed.iter().filter(|changed| **changed).count();
    if n == 0 {
        return None;
    }
    let gain = asked.gain(now, &asked.what_if.answers(&asked.right), &changed);
    let told = Sentence {
        en: if n == 1 { "Relabel this one".to_owned() } else { format!("Relabel these {n}") },
        zh: format!("改正这 {n} 个标注"),
    };
    Some(Advice {
        action: Action::Relabel,
        n,
        class: None,
        finding: None,
        gain,
        minutes: MINUTES[0] * n as f64,
        told,
    })
}

/// Keeps one of each set of copies, or takes out what does not belong.
fn leave_out(
    asked: &Asked,
    now: &[Option<u32>],
    findings: &[AuditFinding],
    fault: Fault,
    action: Action,
) -> Option<Advice> {
    let mut changed = vec![false; asked.labels.len()];
    let keeps_one = usize::from(action == Action::KeepOne);
    // A photo that stands beside two notes is no copy of the example.
    let of_fault =
        findings.iter().filter(|finding| finding.fault == fault && finding.action != Action::CheckPairing);
    let rows = of_fault.flat_map(|finding| finding.rows.iter().skip(keeps_one));
    rows.filter(|row| asked.labels[**row].is_some()).for_each(|row| changed[*row] = true);
    let n = changed.iter().filter(|changed| **changed).count();
    if n == 0 {
        return None;
    }
    let labels: Vec<Option<u32>> =
        asked.labels.iter().zip(&changed).map(|(label, changed)| label.filter(|_| !changed)).collect();
    let gain = asked.gain(now, &asked.what_if.answers(&labels), &changed);
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
        class: None,
        finding: None,
        gain,
        minutes: minutes * n as f64,
        told: Sentence { en, zh },
    })
}

/// All examples of a region get one label, which may turn out to be either of the two that most of them have: the gain is the mean of
/// both decisions, and lies between the ends of both intervals.
fn decide(asked: &Asked, now: &[Option<u32>], finding: &AuditFinding) -> Advice {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    finding
        .rows
        .iter()
        .filter_map(|row| asked.labels[*row])
        .for_each(|label| *counts.entry(label).or_default() += 1);
    let mut common: Vec<(u32, usize)> = counts.iter().map(|(label, count)| (*label, *count)).collect();
    common.sort_by_key(|(label, count)| (std::cmp::Reverse(*count), *label));
    let decided = common.iter().take(2).map(|(label, _)| {
        let (mut labels, mut right) = (asked.labels.clone(), asked.right.clone());
        for row in &finding.rows {
            (labels[*row], right[*row]) = (Some(*label), Some(*label));
        }
        // The region itself is what is decided about: it counts, judged by the decision.
        let then = asked.what_if.answers(&labels);
        asked.gain_by(&right, now, &then, &vec![false; labels.len()])
    });
    let gain = either(&decided.collect::<Vec<_>>());
    let n = finding.rows.len();
    let (number, names) =
        (finding.number, counts.keys().map(|class| format!("`{}`", asked.classes[*class as usize])));
    let names = names.collect::<Vec<_>>().join(" / ");
    let told = Sentence {
        en: format!("Decide finding {number}, {names}: {n} examples hang on it"),
        zh: format!("裁定第 {number} 个发现（{names}）：涉及 {n} 个样本"),
    };
    Advice {
        action: Action::DecideRule,
        n,
        class: None,
        finding: Some(number),
        gain,
        minutes: MINUTES[3],
        told,
    }
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
