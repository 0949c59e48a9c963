//! How well something that should say nothing about labels says them all the same.

use dataset::split;
use linalg::{Seed, random};
use rayon::prelude::*;

use crate::significance::permutation_p;

/// Folds for predictions out of fold.
const FOLDS: usize = 5;
/// A class with fewer rows is left out: each fold needs one.
const FEWEST: usize = 5;
/// Random orders, at least and at most; between them, ten for each question.
const ORDERS: (usize, usize) = (199, 1999);

/// The labelled rows of classes that are large enough, dealt into folds.
pub(super) struct Asked {
    /// Places in the data, `[m]`.
    pub(super) rows: Vec<usize>,
    /// `[m]`: classes, numbered anew from 0 without gaps.
    pub(super) labels: Vec<u32>,
    /// The number each class had before.
    pub(super) classes: Vec<u32>,
    /// `[m]`.
    pub(super) folds: Vec<u8>,
}

/// The answer to one question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Answer {
    /// Mean share of rightly predicted rows over the classes.
    pub(super) accuracy: f64,
    /// How often predictions in random order do as well.
    pub(super) p_value: f64,
}

impl Asked {
    /// `labels` is `[n]`; rows with the same number in `groups`, `[n]`, stay in one fold. `None` with fewer than two classes of five
    /// rows.
    pub(super) fn new(labels: &[Option<u32>], groups: &[u32], seed: Seed) -> Option<Self> {
        let n_classes = labels.iter().flatten().max().map_or(0, |class| *class as usize + 1);
        let mut counts = vec![0_usize; n_classes];
        labels.iter().flatten().for_each(|class| counts[*class as usize] += 1);
        let classes: Vec<u32> =
            (0..n_classes as u32).filter(|class| counts[*class as usize] >= FEWEST).collect();
        if classes.len() < 2 {
            return None;
        }
        let of_row = |row: usize| Some((row, classes.binary_search(&labels[row]?).ok()? as u32));
        let (rows, labels): (Vec<usize>, Vec<u32>) = (0..labels.len()).filter_map(of_row).unzip();
        let groups: Vec<u32> = rows.iter().map(|row| groups[*row]).collect();
        let folds = split::folds(&labels, &groups, FOLDS, seed.derive("telling"));
        Some(Self { rows, labels, classes, folds })
    }

    pub(super) fn n_classes(&self) -> usize {
        self.classes.len()
    }

    /// How well chance does.
    pub(super) fn baseline(&self) -> f64 {
        1.0 / self.n_classes() as f64
    }

    /// 0 when labels are told without fail, 1 when no better than by chance (methods 4.6, with balanced accuracy).
    pub(super) fn score(&self, accuracy: f64) -> f64 {
        ((1.0 - accuracy) / (1.0 - self.baseline())).min(1.0)
    }

    /// Judges predictions out of fold, `[m]` each. Without a prediction, a row is right by chance.
    pub(super) fn judge(&self, predictions: &[Vec<Option<u32>>], seed: Seed) -> Vec<Answer> {
        let mut counts = vec![0_usize; self.n_classes()];
        self.labels.iter().for_each(|label| counts[*label as usize] += 1);
        let accuracy = |predicted: &[Option<u32>], labels: &[u32]| {
            let mut right = vec![0_usize; counts.len()];
            let mut unsaid = vec![0_usize; counts.len()];
            for (predicted, label) in predicted.iter().zip(labels) {
                right[*label as usize] += usize::from(*predicted == Some(*label));
                unsaid[*label as usize] += usize::from(predicted.is_none());
            }
            let of = |class: usize| {
                (right[class] as f64 + unsaid[class] as f64 * self.baseline()) / counts[class] as f64
            };
            (0..counts.len()).map(of).sum::<f64>() / counts.len() as f64
        };
        let seen: Vec<f64> = predictions.iter().map(|predicted| accuracy(predicted, &self.labels)).collect();
        let orders = (10 * predictions.len()).clamp(ORDERS.0, ORDERS.1);
        let as_good = (0..orders)
            .into_par_iter()
            .map(|order| {
                let mut labels = self.labels.clone();
                random::shuffle(&mut labels, &mut seed.derive("judge").nth(order).rng());
                let compare =
                    |(predicted, seen): (&Vec<_>, &f64)| usize::from(accuracy(predicted, &labels) >= *seen);
                predictions.iter().zip(&seen).map(compare).collect()
            })
            .reduce(
                || vec![0_usize; predictions.len()],
                |a: Vec<usize>, b: Vec<usize>| a.iter().zip(&b).map(|(a, b)| a + b).collect(),
            );
        let answer = |(accuracy, as_good)| Answer { accuracy, p_value: permutation_p(as_good, orders) };
        seen.into_iter().zip(as_good).map(answer).collect()
    }

    /// The rows, by their places in the data, whose label is predicted rightly.
    pub(super) fn right(&self, predicted: &[Option<u32>]) -> Vec<usize> {
        let is_right = |place: &usize| predicted[*place] == Some(self.labels[*place]);
        (0..self.rows.len()).filter(is_right).map(|place| self.rows[place]).collect()
    }

    /// Predicts each fold with what `fit` learns from the rows of the others, given by their places.
    pub(super) fn out_of_fold<F>(&self, fit: impl Fn(&[usize]) -> F) -> Vec<Option<u32>>
    where
        F: Fn(usize) -> Option<u32>,
    {
        let mut predicted = vec![None; self.rows.len()];
        for fold in 0..FOLDS as u8 {
            let (held, learned): (Vec<usize>, Vec<usize>) =
                (0..self.rows.len()).partition(|place| self.folds[*place] == fold);
            let predict = fit(&learned);
            held.iter().for_each(|place| predicted[*place] = predict(*place));
        }
        predicted
    }
}

/// The class with the largest value, of equal ones the first.
pub(super) fn largest(values: &[f64]) -> Option<u32> {
    let best = (0..values.len()).rev().max_by(|a, b| values[*a].total_cmp(&values[*b]))?;
    Some(best as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(n: usize) -> Asked {
        let labels: Vec<Option<u32>> = (0..n).map(|row| Some(3 * (row as u32 % 2))).collect();
        let groups: Vec<u32> = (0..n as u32).collect();
        Asked::new(&labels, &groups, Seed(1)).unwrap()
    }

    #[test]
    fn perfect_random_and_silent_predictions_are_told_apart() {
        let asked = asked(60);
        let right = asked.labels.iter().map(|label| Some(*label)).collect();
        let random = (0..60).map(|row| Some(row as u32 / 2 % 2)).collect();
        let [right, random, silent] = asked.judge(&[right, random, vec![None; 60]], Seed(1))[..] else {
            panic!()
        };
        assert_eq!((right.accuracy, right.p_value), (1.0, 1.0 / 200.0));
        assert!(random.accuracy < 0.6 && random.p_value > 0.2, "{random:?}");
        assert_eq!((silent.accuracy, silent.p_value), (0.5, 1.0));
        assert_eq!((asked.score(1.0), asked.score(0.5), asked.score(0.4)), (0.0, 1.0, 1.0));
    }

    #[test]
    fn small_classes_and_unlabelled_rows_are_left_out() {
        let labels = [Some(4), None, Some(7), Some(4), Some(7), Some(9)];
        assert!(Asked::new(&labels, &[0, 1, 2, 3, 4, 5], Seed(1)).is_none());
        assert_eq!(asked(60).classes, [0, 3]);
    }

    #[test]
    fn of_equal_values_the_first_is_largest() {
        assert_eq!((largest(&[1.0, 3.0, 3.0]), largest(&[])), (Some(1), None));
    }
}
