//! What linear models of the examples with an answer say of all examples, and how the best of a few penalties is judged.

use evaluate::Estimate;
use linalg::{Matrix, MatrixView, Seed};
use rayon::prelude::*;

use super::lesson::Lesson;
use super::{LEAST_LABELS, Quick};

/// Penalties, on features of mean squared length 1, in units of the number of labels: those that an audit tries
/// ([`tune::views`]).
const SHARES: [f64; 5] = [0.003, 0.01, 0.03, 0.1, 0.3];

/// Models that the examples with an answer taught, one for each penalty.
pub(super) struct Linear<'a> {
    quick: &'a Quick,
    /// The examples with an answer, ascending.
    rows: Vec<usize>,
    lesson: Lesson,
    penalties: Vec<f64>,
    /// Of each penalty, `[rows, t]`: what the rows are told by models that their group did not teach.
    left_out: Vec<Matrix<f64>>,
}

impl<'a> Linear<'a> {
    /// Of the examples in `rows`, ascending, whose targets are `[rows, t]`; `None` where they are all of one group.
    pub(super) fn taught(quick: &'a Quick, rows: Vec<usize>, targets: Matrix<f64>) -> Option<Self> {
        let groups: Vec<u32> = rows.iter().map(|row| quick.groups[*row]).collect();
        if groups.iter().all(|group| *group == groups[0]) {
            return None;
        }
        let lesson = Lesson::new(quick.columns().select_rows(&rows).view(), targets, &groups);
        let penalties: Vec<f64> = SHARES.iter().map(|share| share * rows.len() as f64).collect();
        let left_out = penalties.par_iter().map(|penalty| lesson.left_out(*penalty)).collect();
        Some(Self { quick, rows, lesson, penalties, left_out })
    }

    pub(super) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Of each penalty, `[rows, t]`.
    pub(super) fn left_out(&self) -> &[Matrix<f64>] {
        &self.left_out
    }

    /// What each example is told by models that it did not teach, `[n, t]`.
    pub(super) fn tells(&self, which: usize) -> Matrix<f64> {
        let all = self.quick.columns();
        let mut told = self.lesson.ask(all.view(), self.penalties[which]);
        for (row, left_out) in self.rows.iter().zip(self.left_out[which].iter_rows()) {
            told.row_mut(*row).copy_from_slice(left_out);
        }
        told
    }

    /// How little is known of each example, `[n]`.
    pub(super) fn variance(&self, which: usize) -> Vec<f64> {
        let mut variance = self.lesson.variance(self.quick.columns().view(), self.penalties[which]);
        let left_out = self.lesson.variance_left_out(self.penalties[which]);
        self.rows.iter().zip(left_out).for_each(|(row, left_out)| variance[*row] = left_out);
        variance
    }

    /// The places among the rows that chance picked.
    pub(super) fn drawn(&self, drawn: &[bool]) -> Vec<usize> {
        (0..self.rows.len()).filter(|place| drawn[self.rows[*place]]).collect()
    }

    /// Judges the choice among penalties on some places, as tuning judges that among recipes: `judge` gets the losses and scores
    /// there, `[places, penalties]`, the group of each place and a seed. `None` where they are too few, or of one group.
    pub(super) fn judged(
        &self,
        losses: &Matrix<f64>,
        scores: &Matrix<f64>,
        places: &[usize],
        judge: impl FnOnce(
            MatrixView<'_, f64>,
            MatrixView<'_, f64>,
            &[u32],
            Seed,
        ) -> Result<Estimate, evaluate::EvaluateError>,
    ) -> Option<Estimate> {
        let groups: Vec<u32> = places.iter().map(|place| self.quick.groups[self.rows[*place]]).collect();
        if places.len() < LEAST_LABELS || groups.iter().all(|group| *group == groups[0]) {
            return None;
        }
        let (losses, scores) = (losses.select_rows(places), scores.select_rows(places));
        let estimate = judge(losses.view(), scores.view(), &groups, self.quick.seed.derive("accuracy"));
        Some(estimate.expect("losses and scores are finite, one for each place and penalty"))
    }
}

/// The penalty of least mean loss; `losses` is `[rows, penalties]`.
pub(super) fn best(losses: &Matrix<f64>) -> usize {
    let sum = |which: usize| losses.iter_rows().map(|row| row[which]).sum::<f64>();
    let sums: Vec<f64> = (0..losses.cols()).map(sum).collect();
    (0..sums.len()).fold(0, |best, which| if sums[which] < sums[best] { which } else { best })
}
