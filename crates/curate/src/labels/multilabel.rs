//! Examples with any number of labels: every class is a yes-or-no question of its own (methods 3.4).
//!
//! As in cleanlab 2.9. An example's score is a moving average over its classes, from the best to the worst, that ends near
//! the worst.

use linalg::{Matrix, MatrixView};

use super::errors::label_errors;
use super::filter::{Filter, flagged, ranked};
use super::{Judged, check_probabilities};
use crate::CurateError;

/// How much each worse class counts against all better ones.
const FORGETTING: f64 = 0.8;
/// Why a question about one class can be judged.
const CHECKED: &str = "a probability and its complement are checked";

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

    /// The yes-or-no question of one class: `[n]` answers, and `[n, 2]` probabilities.
    fn asked(&self, class: usize) -> (Vec<u32>, Matrix<f64>) {
        let labels = self.given.iter_rows().map(|row| u32::from(row[class])).collect();
        let pairs = self.probs.iter_rows().flat_map(|row| [1.0 - row[class], row[class]]).collect();
        (labels, Matrix::from_vec(self.probs.rows(), 2, pairs))
    }

    /// `[n, k]`: where the rule says that a class is wrongly given or wrongly missing.
    pub fn flagged_classes(&self, filter: Filter) -> Matrix<bool> {
        let (n, k) = (self.probs.rows(), self.probs.cols());
        let mut flags = Matrix::zeros(n, k);
        for class in 0..k {
            let (labels, probs) = self.asked(class);
            let judged = Judged::new(&labels, probs.view()).expect(CHECKED);
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

/// Sets that are probably wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct SetErrors {
    /// `[n]`: 0 = surely wrong, 1 = surely right.
    pub scores: Vec<f64>,
    /// Examples with a label that is probably wrongly given or wrongly missing, most suspicious first.
    pub flagged: Vec<usize>,
    /// `[n]`: the labels that they should probably have, ascending; those given where nothing is flagged.
    pub suggested: Vec<Vec<u32>>,
}

impl JudgedSets<'_> {
    /// Finds them: each label is a question of its own with the limit that its examples set, as in [`label_errors`].
    pub fn errors(&self) -> SetErrors {
        let (n, k) = (self.probs.rows(), self.probs.cols());
        let mut right = self.given.clone();
        let mut wrong = vec![false; n];
        for class in 0..k {
            let (labels, probs) = self.asked(class);
            let judged = Judged::new(&labels, probs.view()).expect(CHECKED);
            for row in label_errors(judged).flagged {
                wrong[row] = true;
                right.row_mut(row)[class] = !self.given.row(row)[class];
            }
        }
        let classes =
            |row: &[bool]| (0..).zip(row).filter(|(_, has)| **has).map(|(class, _)| class).collect();
        let scores = self.scores();
        SetErrors {
            flagged: ranked(&wrong, &scores),
            scores,
            suggested: right.iter_rows().map(classes).collect(),
        }
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
    fn a_label_too_many_and_one_too_few_are_flagged_with_the_right_set() {
        let sets: Vec<Vec<u32>> =
            (0..60).map(|row| [vec![0], vec![0, 1], vec![2]][row % 3].clone()).collect();
        let rows: Vec<[f64; 3]> = (0..60)
            .map(|row| [[0.95, 0.06, 0.04], [0.93, 0.94, 0.05], [0.06, 0.05, 0.95]][row % 3])
            .collect();
        let probs = Matrix::from_rows(&rows);
        let clean = JudgedSets::new(&sets, probs.view()).unwrap().errors();
        assert!(clean.flagged.is_empty() && clean.suggested == sets);
        let mut broken = sets.clone();
        (broken[3], broken[7]) = (vec![0, 2], vec![0]);
        let found = JudgedSets::new(&broken, probs.view()).unwrap().errors();
        let mut flagged = found.flagged.clone();
        flagged.sort_unstable();
        assert_eq!(flagged, [3, 7]);
        assert_eq!(found.suggested, sets);
    }

    #[test]
    fn an_example_with_a_class_missing_scores_lowest() {
        let probs = Matrix::from_rows(&[[0.9, 0.9, 0.1], [0.9, 0.1, 0.1], [0.1, 0.9, 0.1]]);
        let sets = JudgedSets::new(&[vec![0], vec![0], vec![1]], probs.view()).unwrap();
        let scores = sets.scores();
        assert!(scores[0] < 0.3 && scores[1] > 0.8 && scores[2] > 0.8, "{scores:?}");
    }
}
