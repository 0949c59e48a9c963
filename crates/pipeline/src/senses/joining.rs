//! What the senses say out of fold, example by example, as fusion takes it.

use linalg::Matrix;
use tune::fuse::{FuseInput, Sense};

use super::each::{OneSense, Taught};
use crate::journey::Lesson;

/// What one sense says of each row of a lesson: the row of its own table, and out-of-fold log-probabilities.
type OfRows = Vec<Option<(usize, Vec<f64>)>>;

/// What every sense says of the rows of a lesson.
pub(super) struct Joined {
    /// The rows of the lesson of which some sense was asked out of fold.
    pub(super) rows: Vec<usize>,
    labels: Vec<u32>,
    groups: Vec<u32>,
    n_classes: usize,
    senses: Vec<Said>,
}

/// What one sense says of these rows.
struct Said {
    name: String,
    log_probs: Matrix<f64>,
    features: Matrix<f32>,
    present: Vec<bool>,
}

impl Joined {
    /// Lays what each sense learned over the rows of the whole lesson.
    pub(super) fn new(lesson: &Lesson, n_examples: usize, senses: &[OneSense], taught: &[Taught]) -> Self {
        let k = lesson.classes.len();
        let said: Vec<OfRows> = senses
            .iter()
            .zip(taught)
            .map(|(sense, taught)| {
                let mut of_example = vec![None; n_examples];
                for (row, log_probs) in taught.said() {
                    of_example[sense.places[row]] = Some((row, log_probs));
                }
                lesson.rows.iter().map(|example| of_example[*example].take()).collect()
            })
            .collect();
        let rows: Vec<usize> =
            (0..lesson.rows.len()).filter(|row| said.iter().any(|said| said[*row].is_some())).collect();
        let laid = senses.iter().zip(taught).zip(&said).map(|((sense, taught), said)| {
            let present: Vec<bool> = rows.iter().map(|row| said[*row].is_some()).collect();
            let mut log_probs = Matrix::zeros(rows.len(), k);
            let dim = taught.tuned.head.features(&sense.sets(0)).len();
            let mut features = Matrix::zeros(rows.len(), dim);
            for (to, row) in rows.iter().enumerate() {
                let Some((table_row, said)) = &said[*row] else { continue };
                log_probs.row_mut(to).copy_from_slice(said);
                features.row_mut(to).copy_from_slice(&taught.tuned.head.features(&sense.sets(*table_row)));
            }
            Said { name: sense.sense.name.clone(), log_probs, features, present }
        });
        Self {
            senses: laid.collect(),
            labels: rows.iter().map(|row| lesson.single_labels()[*row]).collect(),
            groups: rows.iter().map(|row| lesson.groups[*row]).collect(),
            n_classes: k,
            rows,
        }
    }

    /// The senses as fusion takes them.
    pub(super) fn senses(&self) -> Vec<Sense<'_>> {
        self.senses.iter().map(Said::sense).collect()
    }

    /// All that fusion takes.
    pub(super) fn input<'a>(&'a self, senses: &'a [Sense<'a>]) -> FuseInput<'a> {
        FuseInput { senses, labels: &self.labels, n_classes: self.n_classes, groups: &self.groups }
    }

    /// Whether there are examples of two classes to compare ways of joining on.
    pub(super) fn can_compare(&self) -> bool {
        self.labels.iter().any(|label| *label != self.labels[0])
    }
}

impl Said {
    fn sense(&self) -> Sense<'_> {
        Sense {
            name: &self.name,
            log_probs: &self.log_probs,
            features: Some(&self.features),
            present: &self.present,
        }
    }
}
