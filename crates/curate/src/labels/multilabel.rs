//! Examples with any number of labels: every class is a yes-or-no question of its own (methods 3.4).
//!
//! As in cleanlab 2.9. An example's score is a moving average over its classes, from the best to the worst, that ends near
//! the worst.

use linalg::{Matrix, MatrixView};

use super::filter::{Filter, flagged};
use super::{Judged, check_probabilities};
use crate::CurateError;

/// How much each worse class counts against all better ones.
const FORGETTING: f64 = 0.8;

/// Sets of given labels with out-of-fold probabilities.
///
/// `probs` is `[n, k]`, each value in [0, 1] on its own: rows need not sum to 1.
#[derive(Debug, Clone)]
pub struct JudgedSets<'a> {
    given: Matrix<bool>,
    probs: MatrixView<'a, f64>,
}

impl<'a> JudgedSets<'a> {
    /// Checks that labels and probabilities fit together; `labels[i]` are the classes of example i, in any order.
    ///
    /// # Errors
    /// No rows, numbers of rows that differ, a label without a column, a value outside [0, 1].
    pub fn new(labels: &[Vec<u32>], probs: MatrixView<'a, f64>) -> Result<Self, CurateError> {
        if labels.is_empty() {
            return Err(CurateError::Empty { what: "examples" });
        }
        if probs.rows() != labels.len() {
            let (got, expected) = (probs.rows(), labels.len());
            return Err(CurateError::Shape { what: "rows of the probabilities", got, expected });
        }
        let n_classes = probs.cols();
        let mut given = Matrix::zeros(labels.len(), n_classes);
        for (row, classes) in labels.iter().enumerate() {
            check_probabilities(row, probs.row(row))?;
            for label in classes {
                match given.row_mut(row).get_mut(*label as usize) {
                    Some(place) => *place = true,
                    None => return Err(CurateError::LabelOutOfRange { row, label: *label, n_classes }),
                }
            }
        }
        Ok(Self { given, probs })
    }

    /// `[n, k]`: the probability of what is said about each class, there or not there.
    pub fn class_scores(&self) -> Matrix<f64> {
        let mut scores = self.probs.to_owned();
        for (score, given) in scores.data_mut().iter_mut().zip(self.given.data()) {
            *score = if *given { *score } else { 1.0 - *score };
        }
        scores
    }

    /// `[n]`: how much the whole set of labels is to be trusted.
    pub fn scores(&self) -> Vec<f64> {
        self.class_scores().iter_rows().map(towards_the_worst).collect()
    }

    /// `[n, k]`: where the rule says that a class is wrongly given or wrongly missing.
    pub fn flagged_classes(&self, filter: Filter) -> Matrix<bool> {
        let (n, k) = (self.probs.rows(), self.probs.cols());
        let mut flags = Matrix::zeros(n, k);
        for class in 0..k {
            let labels: Vec<u32> = (0..n).map(|row| u32::from(self.given.row(row)[class])).collect();
            let column = self.probs.iter_rows().map(|row| row[class]);
            let probs = Matrix::from_vec(n, 2, column.flat_map(|p| [1.0 - p, p]).collect());
            let judged =
                Judged::new(&labels, probs.view()).expect("a probability and its complement are checked");
            for (row, flag) in flagged(judged, filter).into_iter().enumerate() {
                flags.row_mut(row)[class] = flag;
            }
        }
        flags
    }

    /// `[n]`: which examples have something wrong. By the two rules of lowest scores, as many examples as confident learning
    /// flags, by [`JudgedSets::scores`]; by the others, those with any class flagged.
    pub fn flagged(&self, filter: Filter) -> Vec<bool> {
        let any = |filter| -> Vec<bool> {
            self.flagged_classes(filter).iter_rows().map(|row| row.iter().any(|flag| *flag)).collect()
        };
        if !matches!(filter, Filter::LowNormalizedMargin | Filter::LowSelfConfidence) {
            return any(filter);
        }
        let count = any(Filter::ConfidentLearning).into_iter().filter(|flag| *flag).count();
        super::filter::lowest(&self.scores(), count)
    }
}

fn towards_the_worst(scores: &[f64]) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let average = |average: f64, score: &f64| FORGETTING * score + (1.0 - FORGETTING) * average;
    sorted.split_first().map_or(1.0, |(best, rest)| rest.iter().fold(*best, average))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_input_is_named() {
        let probs = Matrix::from_rows(&[[0.9, 0.9]]);
        let wrong = JudgedSets::new(&[vec![0, 2]], probs.view()).unwrap_err();
        assert_eq!(wrong, CurateError::LabelOutOfRange { row: 0, label: 2, n_classes: 2 });
        let wrong = JudgedSets::new(&[vec![], vec![]], probs.view()).unwrap_err();
        assert_eq!(wrong, CurateError::Shape { what: "rows of the probabilities", got: 1, expected: 2 });
    }

    #[test]
    fn an_example_with_a_class_missing_scores_lowest() {
        let probs = Matrix::from_rows(&[[0.9, 0.9, 0.1], [0.9, 0.1, 0.1], [0.1, 0.9, 0.1]]);
        let sets = JudgedSets::new(&[vec![0], vec![0], vec![1]], probs.view()).unwrap();
        let scores = sets.scores();
        assert!(scores[0] < 0.3 && scores[1] > 0.8 && scores[2] > 0.8, "{scores:?}");
    }
}
