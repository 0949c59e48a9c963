//! Dawid and Skene (1979): every annotator has a habit of confusing classes, learned with the labels by EM; in logarithms.
//!
//! The habits are smoothed toward those of all annotators together, so that one who labelled little is taken for an ordinary
//! one (methods 3.9). crowd-kit only keeps probabilities off zero, and is overconfident about such annotators.

use linalg::Matrix;

use super::em::{self, STILL};
use super::{Votes, vote_shares};
use crate::CurateError;

/// Most rounds of EM.
const ROUNDS: usize = 100;
/// Keeps the habits of all off zero, and a class that nobody ever saw on its own diagonal.
const COMMON: f64 = 0.01;

/// What EM found.
#[derive(Debug, Clone, PartialEq)]
pub struct DawidSkene {
    /// `[examples, k]`: how probable each class is.
    pub posterior: Matrix<f64>,
    /// `[annotators * k, k]`: in row `a * k + t`, how probably annotator a says each class when the truth is t.
    pub confusion: Matrix<f64>,
    /// `[k]`: how common each class is.
    pub prior: Vec<f64>,
}

/// Learns labels and habits together. `smoothing` is how many votes the common habit counts as, in each row of a confusion;
/// above 0, such as 1.
///
/// # Errors
/// When the confusions of all annotators would be too large: with many classes, use [`super::one_coin`].
pub fn dawid_skene(votes: &Votes, smoothing: f64) -> Result<DawidSkene, CurateError> {
    votes.check_size("confusions of all annotators", votes.n_annotators(), true)?;
    let mut found =
        DawidSkene { posterior: vote_shares(votes)?, confusion: Matrix::zeros(0, 0), prior: Vec::new() };
    for _ in 0..ROUNDS {
        found.confusion = habits(votes, &found.posterior, smoothing);
        found.prior = class_shares(votes, &found.posterior);
        let moved = update(votes, &mut found);
        if moved < STILL {
            break;
        }
    }
    Ok(found)
}

/// `[k]`: the mean belief in each class over the examples with votes, and one more for each class.
pub(super) fn class_shares(votes: &Votes, posterior: &Matrix<f64>) -> Vec<f64> {
    let mut sums = vec![1.0; votes.n_classes()];
    for example in (0..votes.n_examples()).filter(|example| !votes.of(*example).is_empty()) {
        sums.iter_mut().zip(posterior.row(example)).for_each(|(sum, p)| *sum += p);
    }
    let all: f64 = sums.iter().sum();
    sums.into_iter().map(|sum| sum / all).collect()
}

fn habits(votes: &Votes, posterior: &Matrix<f64>, smoothing: f64) -> Matrix<f64> {
    let k = votes.n_classes();
    let mut counts = Matrix::zeros(votes.n_annotators() * k, k);
    for vote in votes.all() {
        for (truth, p) in posterior.row(vote.example as usize).iter().enumerate() {
            counts.row_mut(vote.annotator as usize * k + truth)[vote.class as usize] += p;
        }
    }
    let mut common = Matrix::zeros(k, k);
    for (row, counts) in counts.iter_rows().enumerate() {
        common.row_mut(row % k).iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    for truth in 0..k {
        let row = common.row_mut(truth);
        row.iter_mut().for_each(|value| *value += COMMON);
        row[truth] += COMMON;
        normalise(row);
    }
    for row in 0..counts.rows() {
        let habit = common.row(row % k);
        let counts = counts.row_mut(row);
        counts.iter_mut().zip(habit).for_each(|(count, habit)| *count += smoothing * habit);
        normalise(counts);
    }
    counts
}

fn normalise(row: &mut [f64]) {
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|value| *value /= sum);
}

/// Brings the beliefs up to date; by how much they moved.
fn update(votes: &Votes, found: &mut DawidSkene) -> f64 {
    let k = votes.n_classes();
    // By annotator, said class, truth, so that the loop over truths is one of neighbours.
    let mut logs = vec![0.0; found.confusion.data().len()];
    for (row, habit) in found.confusion.iter_rows().enumerate() {
        let (annotator, truth) = (row / k, row % k);
        habit.iter().enumerate().for_each(|(said, p)| logs[(annotator * k + said) * k + truth] = p.ln());
    }
    let prior: Vec<f64> = found.prior.iter().map(|p| p.ln()).collect();
    em::update(votes, &mut found.posterior, |example, z| {
        z.copy_from_slice(&prior);
        for vote in votes.of(example) {
            let start = (vote.annotator as usize * k + vote.class as usize) * k;
            z.iter_mut().zip(&logs[start..start + k]).for_each(|(sum, log)| *sum += log);
        }
    })
}
