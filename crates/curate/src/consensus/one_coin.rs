//! Every annotator is right with a probability of their own, and says any other class equally often when wrong: one number
//! each, so it can be learned from few votes, with any number of classes.

use linalg::Matrix;

use super::dawid_skene::class_shares;
use super::em::{self, STILL};
use super::{Votes, vote_shares};
use crate::CurateError;

/// Most rounds of EM.
const ROUNDS: usize = 100;
/// Votes that the accuracy of all annotators counts as in each one's.
const PULL: f64 = 5.0;
/// Nobody is sure to be right or wrong.
const EDGE: f64 = 1e-6;

/// What EM found.
#[derive(Debug, Clone, PartialEq)]
pub struct OneCoin {
    /// `[examples, k]`: how probable each class is.
    pub posterior: Matrix<f64>,
    /// `[annotators]`: how often each is right.
    pub accuracy: Vec<f64>,
}

/// Learns labels and accuracies together.
///
/// # Errors
/// When the beliefs would be too large.
pub fn one_coin(votes: &Votes) -> Result<OneCoin, CurateError> {
    let mut posterior = vote_shares(votes)?;
    let mut accuracy = accuracies(votes, &posterior);
    for _ in 0..ROUNDS {
        let moved = update(votes, &mut posterior, &accuracy);
        accuracy = accuracies(votes, &posterior);
        if moved < STILL {
            break;
        }
    }
    Ok(OneCoin { posterior, accuracy })
}

fn accuracies(votes: &Votes, posterior: &Matrix<f64>) -> Vec<f64> {
    let (mut right, mut all) = (vec![0.0; votes.n_annotators()], vec![0.0; votes.n_annotators()]);
    for vote in votes.all() {
        right[vote.annotator as usize] += posterior.row(vote.example as usize)[vote.class as usize];
        all[vote.annotator as usize] += 1.0;
    }
    let common = right.iter().sum::<f64>() / all.iter().sum::<f64>();
    let one = |(right, all): (&f64, &f64)| ((right + PULL * common) / (all + PULL)).clamp(EDGE, 1.0 - EDGE);
    right.iter().zip(&all).map(one).collect()
}

fn update(votes: &Votes, posterior: &mut Matrix<f64>, accuracy: &[f64]) -> f64 {
    let others = (votes.n_classes().max(2) - 1) as f64;
    let weight: Vec<f64> = accuracy.iter().map(|right| (right / (1.0 - right) * others).ln()).collect();
    let prior: Vec<f64> = class_shares(votes, posterior).into_iter().map(f64::ln).collect();
    em::update(votes, posterior, |example, z| {
        z.copy_from_slice(&prior);
        votes.of(example).iter().for_each(|vote| z[vote.class as usize] += weight[vote.annotator as usize]);
    })
}
