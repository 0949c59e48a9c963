//! Findings about a set, or a part of it, rather than about single examples.

use curate::attributes::{Attribute, AttributeValues};
use curate::book::Draft;
use curate::faults::{self, Checked, Fault, Slice, SliceOf, SlicesInput};
use curate::moment;

use super::labels::Labels;
use super::material::{Material, Nearness};
use super::worklist::{Action, Answer, Offered, Pair};
use crate::report::Sentence;
use crate::{PipelineError, percent};

/// One such finding.
pub(super) struct Told {
    pub(super) fault: Fault,
    /// The examples that show it, the most telling first; none when it is about all.
    pub(super) rows: Vec<usize>,
    pub(super) score: f64,
    pub(super) about: Sentence,
    pub(super) action: Action,
    /// The label the first example should have, where that is known.
    pub(super) suggested: Option<String>,
    pub(super) besides: Besides,
}

/// What else a finding carries.
pub(super) enum Besides {
    Nothing,
    /// What makes the part of the data that it is about.
    Part(Sentence),
    /// A case that wants a rule.
    Wants(Box<Wanted>),
    /// The number of a rule that is broken.
    Broken(usize),
}

/// What is known of a case that wants a rule.
pub(super) struct Wanted {
    /// What its entry of the label book will hold.
    pub(super) draft: Draft,
    /// A rule that would settle it.
    pub(super) offered: Option<Offered>,
    /// Pairs with different labels that are closest together.
    pub(super) pairs: Vec<Pair>,
    /// What may be answered.
    pub(super) answers: Vec<Answer>,
}

/// What such checks found, and what they say of every example.
#[derive(Default)]
pub(super) struct Whole {
    pub(super) told: Vec<Told>,
    pub(super) checks: Vec<Checked>,
    pub(super) of_set: Vec<OfSet>,
}

/// A check of the set as a whole: no example has a score of its own.
#[derive(Debug)]
pub(super) struct OfSet {
    pub(super) fault: Fault,
    /// 0 is bad, 1 is good.
    pub(super) score: f64,
}

/// Makes the checks that look at the set as a whole.
pub(super) fn whole(
    material: &Material,
    nearness: Option<&Nearness>,
    labels: Option<&Labels>,
) -> Result<Whole, PipelineError> {
    let mut whole = Whole::default();
    order(material, nearness, &mut whole);
    columns(material, &mut whole);
    let alone: Vec<u32> = (0..).take(material.n()).collect();
    let groups = nearness.map_or(&alone, |nearness| &nearness.groups);
    if material.wants(Fault::SpuriousCorrelation) {
        let found = faults::spurious(&material.attributes, &material.labels, groups, material.seed)?;
        whole.told.extend(found.iter().filter(|found| found.is_finding).map(spurious));
        let worst = found.iter().map(|found| found.score).reduce(f64::min);
        whole.of_set.extend(worst.map(|score| OfSet { fault: Fault::SpuriousCorrelation, score }));
    }
    if material.wants(Fault::LabelInName) && !material.names.is_empty() {
        in_names(material, groups, &mut whole);
    }
    if let (Some(labels), Some(x), true) = (labels, &material.x, material.wants(Fault::WeakSlice)) {
        let found = faults::slices(
            &SlicesInput {
                features: x.view(),
                losses: &labels.losses,
                classes: &material.labels,
                attributes: &material.attributes,
            },
            material.seed,
        )?;
        whole.checks.push(faults::weak_slices(&found, material.n()));
        whole.told.extend(found.iter().map(|slice| weak(material, slice)));
    }
    Ok(whole)
}

fn order(material: &Material, nearness: Option<&Nearness>, whole: &mut Whole) {
    let Some(nearness) = nearness.filter(|_| material.wants(Fault::NonIid)) else { return };
    // Rows without a label are a class of their own.
    let labels: Vec<u32> = material.labels.iter().map(|label| label.map_or(0, |label| label + 1)).collect();
    let Some(order) = faults::order(&nearness.near, &labels, material.seed) else { return };
    let score = order.p_value;
    whole.of_set.push(OfSet { fault: Fault::NonIid, score });
    if order.is_finding() {
        whole.told.push(Told {
            fault: Fault::NonIid,
            rows: Vec::new(),
            score,
            about: sentence(
                "examples that follow each other are more alike than others of their class".to_owned(),
                "相邻的样本比同类中的其他样本更相似".to_owned(),
            ),
            action: Action::NameGroups,
            suggested: None,
            besides: Besides::Nothing,
        });
    }
}

/// Fields that are missing, and columns that only number.
fn columns(material: &Material, whole: &mut Whole) {
    if material.columns.is_empty() {
        return;
    }
    if material.wants(Fault::MissingValue) {
        whole.checks.push(faults::missing_values(&material.columns, material.n()));
    }
    if material.wants(Fault::IdentifierColumn) {
        let mut worst = 1.0_f64;
        for found in faults::identifiers(&material.columns) {
            let (column, score) = (&found.column, 1.0 - found.distinct);
            worst = worst.min(score);
            whole.told.push(Told {
                fault: Fault::IdentifierColumn,
                rows: Vec::new(),
                score,
                about: sentence(
                    format!("column `{column}` only numbers or names the examples"),
                    format!("“{column}”一列只是样本的编号或名称"),
                ),
                action: Action::LeaveOut,
                suggested: None,
                besides: Besides::Nothing,
            });
        }
        whole.of_set.push(OfSet { fault: Fault::IdentifierColumn, score: worst });
    }
}

fn spurious(found: &faults::Spurious) -> Told {
    let faults::Spurious { attribute, accuracy, baseline, .. } = found;
    let (accuracy, baseline) = (percent(*accuracy), percent(*baseline));
    Told {
        fault: Fault::SpuriousCorrelation,
        rows: Vec::new(),
        score: found.score,
        about: sentence(
            format!("`{attribute}` alone tells {accuracy} of the labels (chance: {baseline})"),
            format!("仅凭“{attribute}”就能猜对 {accuracy} 的标注（随机为 {baseline}）"),
        ),
        action: Action::CollectOthers,
        suggested: None,
        besides: Besides::Nothing,
    }
}

fn in_names(material: &Material, groups: &[u32], whole: &mut Whole) {
    let names: Vec<&str> = material.names.iter().map(String::as_str).collect();
    let Some(found) = faults::label_in_name(&names, &material.labels, groups, material.seed) else { return };
    if !found.checked.flagged.is_empty() {
        let (accuracy, baseline) = (percent(found.accuracy), percent(found.baseline));
        let shown: Vec<&str> = found.tokens.iter().take(3).map(|(token, _)| token.as_str()).collect();
        let shown = shown.join(", ");
        whole.told.push(Told {
            fault: Fault::LabelInName,
            rows: found.checked.flagged.clone(),
            score: 1.0 - found.accuracy,
            about: sentence(
                format!("file names tell {accuracy} of the labels (chance: {baseline}): {shown}"),
                format!("仅凭文件名就能猜对 {accuracy} 的标注（随机为 {baseline}）：{shown}"),
            ),
            action: Action::HideName,
            suggested: None,
            besides: Besides::Nothing,
        });
    }
    whole.checks.push(found.checked);
}

fn weak(material: &Material, slice: &Slice) -> Told {
    let mut rows = slice.typical.clone();
    rows.extend(slice.rows.iter().filter(|row| !slice.typical.contains(row)));
    let Sentence { mut en, mut zh } = part(material, &slice.of);
    let ratio = slice.ratio;
    if let Some((of, share, _)) = &slice.described {
        let (mostly, share) = (part(material, of), percent(*share));
        en.push_str(&format!(", {share} of it {}", mostly.en));
        zh.push_str(&format!("，其中 {share} 为{}", mostly.zh));
    }
    Told {
        fault: Fault::WeakSlice,
        score: 1.0 / ratio,
        about: sentence(
            format!("{} examples, {en}: {ratio:.1} times the usual loss", rows.len()),
            format!("{} 个样本，{zh}：损失是平均的 {ratio:.1} 倍", rows.len()),
        ),
        rows,
        action: Action::CollectSimilar,
        suggested: None,
        // Of a class it is told anyway what more examples would bring.
        besides: if matches!(slice.of, SliceOf::Class(_)) {
            Besides::Nothing
        } else {
            Besides::Part(sentence(en, zh))
        },
    }
}

/// What makes a part of the data.
fn part(material: &Material, of: &SliceOf) -> Sentence {
    match of {
        SliceOf::Neighbourhood { .. } => sentence("alike".to_owned(), "彼此相似".to_owned()),
        SliceOf::Class(class) => {
            let name = &material.classes[*class as usize];
            sentence(format!("class `{name}`"), format!("类别“{name}”"))
        }
        SliceOf::Name { attribute, value } => {
            sentence(format!("`{attribute}` is `{value}`"), format!("“{attribute}”为“{value}”"))
        }
        SliceOf::Range { attribute, from, to } => {
            let known = material.attributes.iter().find(|known| known.name == *attribute);
            let told = |value: f64| known.map_or_else(String::new, |known| value_of(known, value));
            let (from, to) = (told(*from), told(*to));
            sentence(
                format!("`{attribute}` from {from} to {to}"),
                format!("“{attribute}”在 {from} 到 {to} 之间"),
            )
        }
    }
}

/// A value of an attribute that is a number or a date, as it is told.
pub(super) fn value_of(attribute: &Attribute, value: f64) -> String {
    match attribute.values {
        AttributeValues::Times(_) => moment::told(value),
        AttributeValues::Numbers(_) | AttributeValues::Names(_) => format!("{value:.4}"),
    }
}

fn sentence(en: String, zh: String) -> Sentence {
    Sentence { en, zh }
}
