//! What the report says about several senses of one thing.

use dataset::Modality;
use evaluate::Estimate;
use serde::{Deserialize, Serialize};
use tune::fuse::{UNFAMILIAR, trust};

use super::{Card, Sentence, percent};
use crate::Lang;

/// What each sense is worth, alone and with others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SensesTable {
    /// The senses, in the order of their columns.
    pub senses: Vec<SenseSummary>,
    /// Single senses, pairs, all but one, all; empty where no held-out example has every sense.
    pub rows: Vec<SenseRow>,
    /// What a blank sense does.
    pub broken: Vec<BrokenSense>,
    /// Examples whose senses contradict each other, the worst first.
    pub conflicts: Vec<Conflict>,
}

/// One sense.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SenseSummary {
    /// The column's name.
    pub name: String,
    /// What it holds.
    pub modality: Modality,
    /// The base that takes it.
    pub base: String,
    /// Examples to learn from that have it.
    pub n_examples: usize,
    /// How its own head is made.
    pub recipe: Sentence,
}

/// What is answered when only some senses are let speak, out of fold, on the examples that have all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SenseRow {
    /// Which senses speak, in the order of the columns.
    pub present: Vec<bool>,
    /// Share that is right.
    pub accuracy: Estimate,
    /// Log-loss.
    pub loss: f64,
    /// How much more is lost than with all senses.
    pub more_loss: Estimate,
}

/// What is answered when a sense gives a blank: a black picture, silence, a flat line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BrokenSense {
    /// Its name.
    pub sense: String,
    /// P-value of the blank being like what was learned from; absent when unknown.
    pub familiarity: Option<f64>,
    /// Whether the model listens the less to a sense the stranger it is, as pools do.
    #[serde(default)]
    pub weighed: bool,
    /// Share that is right; absent where it was not measured.
    pub accuracy: Option<Estimate>,
}

/// An example whose senses contradict each other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Conflict {
    /// The example.
    pub card: Card,
    /// Sense, the class it speaks for, and how sure it is.
    pub says: Vec<(String, String, f64)>,
}

impl SenseSummary {
    /// What it holds, in the reader's language.
    pub fn kind(&self, lang: Lang) -> &'static str {
        match self.modality {
            Modality::Image => lang.pick("picture", "图片"),
            Modality::Text => lang.pick("text", "文本"),
            Modality::Sound => lang.pick("sound", "声音"),
            Modality::Video => lang.pick("video", "视频"),
            Modality::Series => lang.pick("series", "传感器序列"),
            Modality::Senses => lang.pick("several", "多种"),
        }
    }
}

impl SensesTable {
    /// `photo + note`, for a row.
    pub fn name(&self, row: &SenseRow) -> String {
        let there = self.senses.iter().zip(&row.present).filter(|(_, present)| **present);
        there.map(|(sense, _)| sense.name.as_str()).collect::<Vec<_>>().join(" + ")
    }

    /// The row in which all senses speak.
    pub fn all(&self) -> Option<&SenseRow> {
        self.rows.iter().find(|row| row.present.iter().all(|present| *present))
    }
}

impl BrokenSense {
    /// What happens, in the reader's language.
    pub fn told(&self, lang: Lang) -> String {
        match self.familiarity {
            None => lang.pick("too few examples to notice it".to_owned(), "样本太少，无法察觉".to_owned()),
            Some(p) if p < UNFAMILIAR => lang.pick(
                format!("noticed (p = {p:.3}), counts as missing"),
                format!("能察觉（p = {p:.3}），按缺失处理"),
            ),
            Some(p) if trust(p) < 1.0 && self.weighed => {
                let weight = percent(trust(p));
                lang.pick(
                    format!("found strange (p = {p:.3}), listened to with {weight} of its weight"),
                    format!("觉得异常（p = {p:.3}），权重降为原来的 {weight}"),
                )
            }
            Some(p) if trust(p) < 1.0 => lang.pick(
                format!("found strange (p = {p:.3}), listened to all the same"),
                format!("觉得异常（p = {p:.3}），但仍照常采用"),
            ),
            Some(p) => lang.pick(format!("not noticed (p = {p:.3})"), format!("未察觉（p = {p:.3}）")),
        }
    }

    /// The share that is right, with its interval.
    pub fn accuracy(&self) -> String {
        self.accuracy.map_or_else(
            || "–".to_owned(),
            |Estimate { value, low, high, .. }| {
                format!("{} ({} – {})", percent(value), percent(low), percent(high))
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_broken_sense_is_what_the_model_does() {
        let told = |p: Option<f64>, weighed: bool| {
            let broken = BrokenSense { sense: "photo".to_owned(), familiarity: p, weighed, accuracy: None };
            broken.told(Lang::En)
        };
        for weighed in [false, true] {
            assert_eq!(told(Some(0.004), weighed), "noticed (p = 0.004), counts as missing");
            assert_eq!(told(Some(0.3), weighed), "not noticed (p = 0.300)");
        }
        assert!(told(Some(0.02), true).ends_with("listened to with 40.0 % of its weight"));
        assert!(told(Some(0.02), false).ends_with("listened to all the same"));
        assert_eq!(told(None, true), "too few examples to notice it");
    }
}
