//! Labels of every kind, as what a head is taught and what it answers; and how right an answer is.

use std::collections::{BTreeMap, BTreeSet};

use dataset::split_labels;
use serde::{Deserialize, Serialize};
use tune::what_if::WhatIf;

use super::super::material::{Material, Question};
use super::NORMAL;
use crate::Lang;

/// What a person says of an example, or a head.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Label {
    Class(u32),
    /// Ascending.
    Set(Vec<u32>),
    Number(f64),
}

impl Label {
    fn number(&self) -> Option<f64> {
        if let Self::Number(value) = self { Some(*value) } else { None }
    }

    /// The labels of a set; none of what is no set.
    fn sets(&self) -> &[u32] {
        if let Self::Set(set) = self { set } else { &[] }
    }

    /// Whether it names this class.
    pub(super) fn names(&self, class: u32) -> bool {
        match self {
            Self::Class(own) => *own == class,
            Self::Set(set) => set.contains(&class),
            Self::Number(_) => false,
        }
    }
}

/// By what answers are judged, one point of it being a hundredth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The share of examples whose class is right.
    #[default]
    Accuracy,
    /// The mean over examples of the labels that are both right and given, of those that are either (Jaccard 1901).
    Jaccard,
    /// The share of the variance of the right numbers that is explained.
    R2,
}

impl Metric {
    /// As it follows a number of points; in Chinese as it stands before one.
    pub fn words(self, lang: Lang) -> &'static str {
        match self {
            Self::Accuracy => lang.pick("points of accuracy", "准确率"),
            Self::Jaccard => {
                lang.pick("points of overlap with the right labels (Jaccard)", "标签重合度（Jaccard）")
            }
            Self::R2 => lang.pick("points of explained variance (R²)", "可解释方差（R²）"),
        }
    }

    /// `[n]`: how right each answer is, at most 1; 0 where there is none, absent where nobody knows what is right.
    pub(super) fn marks(self, answers: &[Option<Label>], right: &[Option<Label>]) -> Vec<Option<f64>> {
        let spread = spread(right);
        let mark = |(answer, right): (&Option<Label>, &Option<Label>)| {
            let right = right.as_ref()?;
            Some(match (answer, right) {
                (Some(Label::Set(answer)), Label::Set(right)) => overlap(answer, right),
                (Some(Label::Number(answer)), Label::Number(right)) => {
                    1.0 - (answer - right).powi(2) / spread
                }
                (answer, right) => f64::from(u8::from(answer.as_ref() == Some(right))),
            })
        };
        answers.iter().zip(right).map(mark).collect()
    }
}

/// Labels that both have, of those that either has; all of them where neither has any.
fn overlap(a: &[u32], b: &[u32]) -> f64 {
    let either: BTreeSet<u32> = a.iter().chain(b).copied().collect();
    let both = a.len() + b.len() - either.len();
    if either.is_empty() { 1.0 } else { both as f64 / either.len() as f64 }
}

/// Whether answers clearly go with the labels (95 %): each class, or having and lacking each label, counts alike, so that many of one
/// kind show nothing; numbers by their ranks, which one that is far off does not move.
pub(super) fn is_told(answers: &[Option<Label>], labels: &[Option<Label>]) -> bool {
    let pairs =
        || answers.iter().zip(labels).filter_map(|(answer, label)| Some((answer.as_ref()?, label.as_ref()?)));
    let numbers: Vec<(f64, f64)> =
        pairs().filter_map(|(answer, label)| Some((answer.number()?, label.number()?))).collect();
    if !numbers.is_empty() {
        let (answers, labels): (Vec<f64>, Vec<f64>) = numbers.into_iter().unzip();
        return correlation(&ranks(&answers), &ranks(&labels)) * ((answers.len() - 1) as f64).sqrt() > NORMAL;
    }
    // By class, and of sets by having it or not: how many there are and how many are answered so.
    let mut kinds: BTreeMap<(u32, bool), (f64, f64)> = BTreeMap::new();
    let mut count = |kind: (u32, bool), is_right: bool| {
        let (n, right) = kinds.entry(kind).or_default();
        (*n, *right) = (*n + 1.0, *right + f64::from(u8::from(is_right)));
    };
    let known: BTreeSet<u32> = labels.iter().flatten().flat_map(|label| label.sets().to_vec()).collect();
    for (answer, label) in pairs() {
        match label {
            Label::Class(class) => count((*class, true), answer == label),
            Label::Set(set) => known.iter().for_each(|class| {
                let has = set.contains(class);
                count((*class, has), answer.names(*class) == has);
            }),
            Label::Number(_) => {}
        }
    }
    let k = kinds.len() as f64;
    let chance = if known.is_empty() { 1.0 / k.max(1.0) } else { 0.5 };
    let mean = kinds.values().map(|(n, right)| right / n).sum::<f64>() / k;
    // Half an answer more of each kind: a few that are all right are not beyond doubt.
    let variance = |(n, right): &(f64, f64)| {
        let p = (right + 0.5) / (n + 1.0);
        p * (1.0 - p) / n
    };
    let error = kinds.values().map(variance).sum::<f64>().sqrt() / k;
    kinds.len() > 1 && mean - NORMAL * error > chance
}

/// Of equal values each has the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for same in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = first as f64 + (same.len() - 1) as f64 / 2.0;
        same.iter().for_each(|at| ranks[*at] = rank);
        first += same.len();
    }
    ranks
}

/// Pearson's correlation; 0 where one does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (of_a, of_b) = (mean(a), mean(b));
    let sum =
        |of: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| of(a - of_a, b - of_b)).sum::<f64>();
    let spread = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
    if spread > 0.0 { sum(&|a, b| a * b) / spread } else { 0.0 }
}

/// Variance of numbers; 1 where they do not differ, so that any error counts as one.
fn spread(right: &[Option<Label>]) -> f64 {
    let numbers: Vec<f64> = right.iter().flatten().filter_map(Label::number).collect();
    let n = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let spread = numbers.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    if spread > 0.0 { spread } else { 1.0 }
}

/// The labels of all examples, `[n]`, with the names that they use and the measure that judges them; `None` where they are not judged.
pub(super) fn of(material: &Material) -> Option<(Vec<Option<Label>>, Vec<String>, Metric)> {
    Some(match &material.question {
        Question::Classes => {
            let labels = material.labels.iter().map(|label| label.map(Label::Class));
            (labels.collect(), material.classes.clone(), Metric::Accuracy)
        }
        Question::Sets(sets) => {
            let labels = sets.of.iter().map(|set| set.clone().map(Label::Set));
            (labels.collect(), sets.classes.clone(), Metric::Jaccard)
        }
        Question::Numbers(numbers) => {
            let labels = numbers.iter().map(|number| number.map(Label::Number));
            (labels.collect(), Vec::new(), Metric::R2)
        }
        Question::Nothing(_) => return None,
    })
}

/// A label as a table has it; new names are added. `None` where it is no number and should be one.
pub(super) fn read(text: &str, names: &mut Vec<String>, metric: Metric) -> Option<Label> {
    match metric {
        Metric::Accuracy => Some(Label::Class(number_of(names, text))),
        Metric::Jaccard => {
            let set: BTreeSet<u32> = split_labels(text).iter().map(|name| number_of(names, name)).collect();
            Some(Label::Set(set.into_iter().collect()))
        }
        Metric::R2 => text.trim().parse().ok().filter(|value: &f64| value.is_finite()).map(Label::Number),
    }
}

/// The number of a class; a new one is added.
fn number_of(names: &mut Vec<String>, name: &str) -> u32 {
    let place = names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    place as u32
}

/// `[n]`: what heads say that were taught by these labels in other folds.
pub(super) fn answers(what_if: &WhatIf, labels: &[Option<Label>], metric: Metric) -> Vec<Option<Label>> {
    match metric {
        Metric::Accuracy => {
            let class = |label: &Label| if let Label::Class(class) = label { Some(*class) } else { None };
            let classes: Vec<Option<u32>> =
                labels.iter().map(|label| label.as_ref().and_then(class)).collect();
            what_if.answers(&classes).into_iter().map(|answer| answer.map(Label::Class)).collect()
        }
        Metric::Jaccard => {
            let set = |label: &Label| if let Label::Set(set) = label { Some(set.clone()) } else { None };
            let sets: Vec<Option<Vec<u32>>> =
                labels.iter().map(|label| label.as_ref().and_then(set)).collect();
            let k = sets.iter().flatten().flatten().max().map_or(0, |class| *class as usize + 1);
            what_if.sets(&sets, k).into_iter().map(|answer| answer.map(Label::Set)).collect()
        }
        Metric::R2 => {
            let numbers: Vec<Option<f64>> =
                labels.iter().map(|label| label.as_ref().and_then(Label::number)).collect();
            what_if.numbers(&numbers).into_iter().map(|answer| answer.map(Label::Number)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(metric: Metric, answers: &[Option<Label>], right: &[Option<Label>], marks: &[Option<f64>]) {
        assert_eq!(metric.marks(answers, right), marks);
    }

    #[test]
    fn an_answer_is_as_right_as_it_is_near() {
        let class = |class| Some(Label::Class(class));
        check(
            Metric::Accuracy,
            &[class(1), class(1), None, class(0)],
            &[class(1), class(0), class(0), None],
            &[Some(1.0), Some(0.0), Some(0.0), None],
        );
        let set = |set: &[u32]| Some(Label::Set(set.to_vec()));
        check(
            Metric::Jaccard,
            &[set(&[0, 1]), set(&[]), set(&[2]), None],
            &[set(&[1, 2, 3]), set(&[]), set(&[1]), set(&[1])],
            &[Some(0.25), Some(1.0), Some(0.0), Some(0.0)],
        );
        let number = |value| Some(Label::Number(value));
        check(
            Metric::R2,
            &[number(1.0), number(3.0), None],
            &[number(1.0), number(5.0), number(3.0)],
            &[Some(1.0), Some(1.0 - 4.0 / (8.0 / 3.0)), Some(0.0)],
        );
    }

    #[test]
    fn answers_are_told_from_guesses_whatever_is_rare_or_far_off() {
        let class = |class: u32| Some(Label::Class(class));
        // 950 of one class and 50 of another, 96 of 100 right in each; the same answer for all is right as often.
        let labels: Vec<_> = (0..1000).map(|row| class(u32::from(row < 50))).collect();
        let answers: Vec<_> = (0..1000).map(|row| class(u32::from((row < 50) != (row % 25 == 0)))).collect();
        assert!(is_told(&answers, &labels));
        assert!(!is_told(&vec![class(0); 1000], &labels));
        let number = |value: f64| Some(Label::Number(value));
        let prices: Vec<_> =
            (0..100).map(|row| number(if row == 7 { 7000.0 } else { f64::from(row) })).collect();
        let answers: Vec<_> = (0..100).map(|row| number(f64::from(row + row % 3))).collect();
        assert!(is_told(&answers, &prices));
        let by_chance: Vec<_> = (0..100).map(|row| number(f64::from(row * 37 % 101))).collect();
        assert!(!is_told(&by_chance, &prices));
        let set = |set: &[u32]| Some(Label::Set(set.to_vec()));
        let rare: Vec<_> = (0..200).map(|row| if row % 20 == 0 { set(&[0]) } else { set(&[]) }).collect();
        assert!(is_told(&rare, &rare) && !is_told(&vec![set(&[]); 200], &rare));
        assert!(!is_told(&[], &[]));
        assert_eq!(ranks(&[3.0, 1.0, 3.0]), [1.5, 0.0, 1.5]);
    }

    #[test]
    fn labels_are_read_as_tables_have_them() {
        let mut names = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(read("b|new| a", &mut names, Metric::Jaccard), Some(Label::Set(vec![0, 1, 2])));
        assert_eq!(read("[\"a\"]", &mut names, Metric::Jaccard), Some(Label::Set(vec![0])));
        assert_eq!(read("new", &mut names, Metric::Accuracy), Some(Label::Class(2)));
        assert_eq!(read(" 2.5", &mut names, Metric::R2), Some(Label::Number(2.5)));
        assert_eq!(read("wide", &mut names, Metric::R2), None);
        assert_eq!(names.len(), 3);
    }
}
