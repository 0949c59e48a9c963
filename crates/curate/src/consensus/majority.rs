//! The shares of the votes.

use linalg::Matrix;

use super::Votes;
use crate::CurateError;

/// The class with most votes, and its share of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Majority {
    /// The first of equals.
    pub class: u32,
    /// In (0, 1].
    pub share: f64,
    /// Whether another class has as many votes.
    pub tied: bool,
}

/// `[examples]`: the majority of each, `None` without votes. Works with any number of classes.
pub fn majority(votes: &Votes) -> Vec<Option<Majority>> {
    (0..votes.n_examples()).map(|example| majority_of(votes, example)).collect()
}

fn majority_of(votes: &Votes, example: usize) -> Option<Majority> {
    let mut classes: Vec<u32> = votes.of(example).iter().map(|vote| vote.class).collect();
    classes.sort_unstable();
    let runs: Vec<(u32, usize)> = classes.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
    let most = runs.iter().map(|(_, count)| *count).max()?;
    let mut winners = runs.iter().filter(|(_, count)| *count == most);
    let class = winners.next()?.0;
    Some(Majority { class, share: most as f64 / classes.len() as f64, tied: winners.next().is_some() })
}

/// `[examples, k]`: the share of each class in the votes; even shares where there are none.
///
/// # Errors
/// When the table would be too large.
pub fn vote_shares(votes: &Votes) -> Result<Matrix<f64>, CurateError> {
    votes.check_size("beliefs", votes.n_examples(), false)?;
    let k = votes.n_classes();
    let mut shares = Matrix::zeros(votes.n_examples(), k);
    for example in 0..votes.n_examples() {
        let said = votes.of(example);
        let row = shares.row_mut(example);
        match said.len() {
            0 => row.fill(1.0 / k as f64),
            count => said.iter().for_each(|vote| row[vote.class as usize] += 1.0 / count as f64),
        }
    }
    Ok(shares)
}
