//! Labels beside the probabilities that judge them, checked once.

use std::collections::BTreeMap;

use linalg::MatrixView;

use super::seen;
use crate::CurateError;

/// How far from 1 a row of probabilities may sum: half precision, rounded class by class.
pub(crate) const SUM_TOLERANCE: f64 = 2e-3;

/// Fewest examples among which a label can be judged: of fewer nothing is typical.
pub const FEWEST: usize = 10;
/// Fewest examples of a class whose labels can be judged: one needs two others, for of two that differ either may be wrong.
pub const FEWEST_OF_CLASS: usize = 3;

/// Given labels with out-of-fold probabilities.
///
/// `labels` is `[n]`, each below k; `probs` is `[n, k]`, each row in [0, 1] and summing to 1. There may be more columns than
/// classes that occur.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    labels: &'a [u32],
    probs: MatrixView<'a, f64>,
}

/// Something about the input that makes findings less certain; the work was done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Note {
    /// No example has this class, though it has a column.
    UnusedClass {
        /// Its column.
        class: u32,
    },
    /// Fewer than [`FEWEST_OF_CLASS`] examples have this class: none of its labels is flagged.
    SmallClass {
        /// Its column.
        class: u32,
    },
    /// Much of the class is flagged: either it was labelled by another rule, or the model does not know it.
    DoubtedClass {
        /// Its column.
        class: u32,
        /// Share of its examples that are flagged.
        share: f64,
    },
    /// The model agrees with nearly every label and is almost sure of each: it has probably been fitted on them, and then it cannot
    /// find what is wrong with them.
    FitsTooWell {
        /// Mean probability of the labels it agrees with.
        mean_self_confidence: f64,
        /// How many labels it does not agree with.
        contradicted: usize,
    },
    /// Half of the numbers are predicted nearly exactly: the model has probably been fitted on them.
    PredictsTooWell {
        /// The median residual, over the median distance of the numbers from their middle.
        relative_residual: f64,
    },
}

impl<'a> Judged<'a> {
    /// Checks that labels and probabilities fit together.
    ///
    /// # Errors
    /// No rows, numbers of rows that differ, a label without a column, a value outside [0, 1], a row that does not sum to 1.
    pub fn new(labels: &'a [u32], probs: MatrixView<'a, f64>) -> Result<Self, CurateError> {
        if labels.is_empty() {
            return Err(CurateError::Empty { what: "examples" });
        }
        if probs.rows() != labels.len() {
            let (got, expected) = (probs.rows(), labels.len());
            return Err(CurateError::Shape { what: "rows of the probabilities", got, expected });
        }
        let n_classes = probs.cols();
        for (row, (values, label)) in probs.iter_rows().zip(labels).enumerate() {
            if *label as usize >= n_classes {
                return Err(CurateError::LabelOutOfRange { row, label: *label, n_classes });
            }
            check_probabilities(row, values)?;
            let sum: f64 = values.iter().sum();
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                return Err(CurateError::NotNormalised { row, sum });
            }
        }
        Ok(Self { labels, probs })
    }

    /// `[n]`, each below [`Judged::n_classes`].
    pub fn labels(self) -> &'a [u32] {
        self.labels
    }

    /// `[n, k]`.
    pub fn probs(self) -> MatrixView<'a, f64> {
        self.probs
    }

    /// Number of examples, at least 1.
    pub fn n(self) -> usize {
        self.labels.len()
    }

    /// Number of columns, whether or not all classes occur.
    pub fn n_classes(self) -> usize {
        self.probs.cols()
    }

    /// The probability of the given label.
    pub fn self_confidence_of(self, row: usize) -> f64 {
        self.probs.row(row)[self.labels[row] as usize]
    }

    /// The most probable class; the first of equals.
    pub fn predicted(self, row: usize) -> u32 {
        argmax(self.probs.row(row)) as u32
    }

    /// `[k]`: how many examples have each class.
    pub fn class_counts(self) -> Vec<usize> {
        class_counts(self.labels, self.n_classes())
    }

    /// What about the input makes the findings less certain.
    pub fn notes(self) -> Vec<Note> {
        let agreed = (0..self.n()).filter(|row| self.predicted(*row) == self.labels[*row]);
        let agreed: Vec<f64> = agreed.map(|row| self.self_confidence_of(row)).collect();
        let mean = agreed.iter().sum::<f64>() / agreed.len().max(1) as f64;
        let seen = seen::of_labels(self.n(), self.n() - agreed.len(), mean).filter(|_| self.n_classes() > 1);
        notes_of_sizes(self.labels, self.n_classes()).into_iter().chain(seen).collect()
    }

    /// The rows of each class that occurs, ascending.
    pub(crate) fn rows_by_class(self) -> BTreeMap<u32, Vec<usize>> {
        let mut rows: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (row, label) in self.labels.iter().enumerate() {
            rows.entry(*label).or_default().push(row);
        }
        rows
    }
}

/// What is to be noted about how many examples each class has.
pub(super) fn notes_of_sizes(labels: &[u32], n_classes: usize) -> Vec<Note> {
    let note = |(class, count): (usize, usize)| match count {
        0 => Some(Note::UnusedClass { class: class as u32 }),
        1..FEWEST_OF_CLASS => Some(Note::SmallClass { class: class as u32 }),
        _ => None,
    };
    class_counts(labels, n_classes).into_iter().enumerate().filter_map(note).collect()
}

/// `[k]`: how many examples have each class.
pub(super) fn class_counts(labels: &[u32], n_classes: usize) -> Vec<usize> {
    let mut counts = vec![0; n_classes];
    labels.iter().for_each(|label| counts[*label as usize] += 1);
    counts
}

/// Refuses what is not finite or outside [0, 1].
pub(crate) fn check_probabilities(row: usize, values: &[f64]) -> Result<(), CurateError> {
    match values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
        Some(value) if !value.is_finite() => Err(CurateError::NotFinite { row }),
        Some(value) => Err(CurateError::NotAProbability { row, value: *value }),
        None => Ok(()),
    }
}

/// The place of the largest value, the first of equals; 0 when there is none.
pub(crate) fn argmax(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, place| if values[place] > values[best] { place } else { best })
}

#[cfg(test)]
mod tests {
    use linalg::Matrix;

    use super::*;

    #[track_caller]
    fn refuses(labels: &[u32], probs: &[[f64; 2]], expected: CurateError) {
        assert_eq!(Judged::new(labels, Matrix::from_rows(probs).view()).unwrap_err(), expected);
    }

    #[test]
    fn broken_input_is_named() {
        refuses(
            &[0, 1],
            &[[0.5, 0.5]],
            CurateError::Shape { what: "rows of the probabilities", got: 1, expected: 2 },
        );
        refuses(&[0, 2], &[[0.5, 0.5]; 2], CurateError::LabelOutOfRange { row: 1, label: 2, n_classes: 2 });
        refuses(&[0, 1], &[[0.5, 0.5], [f64::NAN, 0.5]], CurateError::NotFinite { row: 1 });
        refuses(&[0], &[[1.5, -0.5]], CurateError::NotAProbability { row: 0, value: 1.5 });
        refuses(&[0], &[[0.5, 0.25]], CurateError::NotNormalised { row: 0, sum: 0.75 });
        refuses(&[], &[], CurateError::Empty { what: "examples" });
    }

    #[test]
    fn more_columns_than_classes_is_noted() {
        let probs = Matrix::from_rows(&[[0.5, 0.25, 0.25]; 5]);
        let notes = Judged::new(&[0, 0, 0, 2, 2], probs.view()).unwrap().notes();
        assert_eq!(notes, [Note::UnusedClass { class: 1 }, Note::SmallClass { class: 2 }]);
    }
}
