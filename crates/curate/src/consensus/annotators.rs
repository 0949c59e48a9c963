//! How good each annotator is, what they confuse, and whether they changed over time.

use std::collections::BTreeMap;

use linalg::{Matrix, Seed, random};
use rayon::prelude::*;

use super::Votes;
use crate::CurateError;
use crate::significance::{discoveries, permutation_p};

/// Blocks of equal numbers of votes that are compared.
const BLOCKS: usize = 4;
/// Fewer votes than this for each block say nothing about a change.
const LEAST_PER_BLOCK: usize = 5;
/// Random orders that the real one is compared with, at least and at most; between them, twenty for each annotator, so that one who changed can
/// stand out among some two hundred.
const ORDERS: (usize, usize) = (199, 1999);
/// Share of the changes told that may be chance.
const FALSE_SHARE: f64 = 0.1;
/// Confusions that are listed for each annotator.
const SHOWN: usize = 3;
/// Two-sided 95 % of a normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// What is known about one annotator.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotator {
    /// Votes on examples that have a label.
    pub n_votes: usize,
    /// Expected share of right votes, by the beliefs given; 0 without votes.
    pub accuracy: f64,
    /// The accuracy is at least this with 97.5 % (Wilson); 0 without votes.
    pub low: f64,
    /// And at most this; 1 without votes.
    pub high: f64,
    /// What is confused most: truth, what was said instead, expected number of times; largest first, none below one half.
    pub confusions: Vec<(u32, u32, f64)>,
}

/// Describes every annotator by beliefs `[examples, k]` about the truth.
///
/// # Errors
/// When the beliefs have another shape than the votes.
pub fn annotators(votes: &Votes, beliefs: &Matrix<f64>) -> Result<Vec<Annotator>, CurateError> {
    check_shape(votes, beliefs)?;
    let mut by_annotator: Vec<Vec<usize>> = vec![Vec::new(); votes.n_annotators()];
    for (place, vote) in votes.all().iter().enumerate() {
        by_annotator[vote.annotator as usize].push(place);
    }
    Ok(by_annotator.iter().map(|places| describe(votes, beliefs, places)).collect())
}

fn check_shape(votes: &Votes, beliefs: &Matrix<f64>) -> Result<(), CurateError> {
    let shapes = [
        ("rows of the beliefs", beliefs.rows(), votes.n_examples()),
        ("columns of the beliefs", beliefs.cols(), votes.n_classes()),
    ];
    match shapes.into_iter().find(|(_, got, expected)| got != expected) {
        Some((what, got, expected)) => Err(CurateError::Shape { what, got, expected }),
        None => Ok(()),
    }
}

fn describe(votes: &Votes, beliefs: &Matrix<f64>, places: &[usize]) -> Annotator {
    let mut confused: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    let mut right = 0.0;
    for place in places {
        let vote = votes.all()[*place];
        for (truth, p) in beliefs.row(vote.example as usize).iter().enumerate() {
            if truth as u32 == vote.class {
                right += p;
            } else if *p > 0.0 {
                *confused.entry((truth as u32, vote.class)).or_default() += p;
            }
        }
    }
    let mut confusions: Vec<(u32, u32, f64)> = confused
        .into_iter()
        .filter(|(_, count)| *count >= 0.5)
        .map(|((truth, said), count)| (truth, said, count))
        .collect();
    confusions.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    confusions.truncate(SHOWN);
    let n = places.len();
    let accuracy = if n == 0 { 0.0 } else { right / n as f64 };
    let (low, high) = wilson(accuracy, n);
    Annotator { n_votes: n, accuracy, low, high, confusions }
}

fn wilson(share: f64, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let n = n as f64;
    let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// Whether an annotator's votes became better or worse.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// Who.
    pub annotator: u32,
    /// Expected share of right votes in each quarter of their votes, by time.
    pub accuracy: [f64; BLOCKS],
    /// How often a random order of the votes differs as much between quarters: small when there was a change.
    pub p_value: f64,
    /// Whether it is told: of such changes at most a tenth are chance (Benjamini and Hochberg 1995).
    pub is_change: bool,
}

/// Compares the quarters of every annotator's votes, by `times`, one for each of [`Votes::all`], in any unit; votes without one are left
/// out, and annotators with fewer than twenty that have one, or fewer times than
/// quarters. Sorted by p-value.
///
/// # Errors
/// When shapes do not fit or a time is not finite.
pub fn drift(
    votes: &Votes,
    beliefs: &Matrix<f64>,
    times: &[Option<f64>],
    seed: Seed,
) -> Result<Vec<Drift>, CurateError> {
    check_shape(votes, beliefs)?;
    if times.len() != votes.all().len() {
        return Err(CurateError::Shape { what: "times", got: times.len(), expected: votes.all().len() });
    }
    if let Some(row) = times.iter().position(|time| time.is_some_and(|time| !time.is_finite())) {
        return Err(CurateError::NotFinite { row });
    }
    let mut by_annotator: Vec<Vec<(f64, usize)>> = vec![Vec::new(); votes.n_annotators()];
    for (place, (vote, time)) in votes.all().iter().zip(times).enumerate() {
        by_annotator[vote.annotator as usize].extend(time.map(|time| (time, place)));
    }
    let orders = (20 * votes.n_annotators()).clamp(ORDERS.0, ORDERS.1);
    let judged = |(annotator, places): (usize, Vec<(f64, usize)>)| {
        let mut rng = seed.derive("drift").nth(annotator).rng();
        let belief = |place: &usize| beliefs.row(votes.all()[*place].example as usize);
        let right = |place: &usize| belief(place)[votes.all()[*place].class as usize];
        // Where somebody else errs, beliefs are less sure for all: what counts is by how much the most probable answer was missed.
        let missed = |place: &usize| right(place) - belief(place).iter().copied().fold(0.0, f64::max);
        let places = in_order(places, seed.derive("ties").nth(annotator))?;
        let accuracy = block_means(&places.iter().map(right).collect::<Vec<f64>>());
        let mut series: Vec<f64> = places.iter().map(missed).collect();
        let seen = spread(&series);
        let as_much = (0..orders).filter(|_| {
            random::shuffle(&mut series, &mut rng);
            spread(&series) >= seen - 1e-12
        });
        let p_value = permutation_p(as_much.count(), orders);
        Some(Drift { annotator: annotator as u32, accuracy, p_value, is_change: false })
    };
    let mut found: Vec<Drift> = by_annotator.into_par_iter().enumerate().filter_map(judged).collect();
    let p_values: Vec<f64> = found.iter().map(|drift| drift.p_value).collect();
    let changes = discoveries(&p_values, FALSE_SHARE);
    found.iter_mut().zip(changes).for_each(|(drift, is_change)| drift.is_change = is_change);
    found.sort_by(|a, b| a.p_value.total_cmp(&b.p_value).then(a.annotator.cmp(&b.annotator)));
    Ok(found)
}

/// Votes by time, those of one time in random order: the order of examples says nothing. `None` for too few votes, or fewer times than
/// quarters.
fn in_order(mut places: Vec<(f64, usize)>, seed: Seed) -> Option<Vec<usize>> {
    random::shuffle(&mut places, &mut seed.rng());
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n_times = places.chunk_by(|a, b| a.0 == b.0).count();
    let is_enough = places.len() >= BLOCKS * LEAST_PER_BLOCK && n_times >= BLOCKS;
    is_enough.then(|| places.into_iter().map(|(_, place)| place).collect())
}

fn blocks(series: &[f64]) -> impl Iterator<Item = &[f64]> {
    let n = series.len();
    (0..BLOCKS).map(move |block| &series[block * n / BLOCKS..(block + 1) * n / BLOCKS])
}

fn block_means(series: &[f64]) -> [f64; BLOCKS] {
    let mut means = [0.0; BLOCKS];
    for (mean, block) in means.iter_mut().zip(blocks(series)) {
        *mean = block.iter().sum::<f64>() / block.len() as f64;
    }
    means
}

/// Sum over blocks of size times squared difference from the mean: the chi-square statistic up to a factor.
fn spread(series: &[f64]) -> f64 {
    let mean = series.iter().sum::<f64>() / series.len() as f64;
    blocks(series)
        .map(|block| block.len() as f64 * (block.iter().sum::<f64>() / block.len() as f64 - mean).powi(2))
        .sum()
}
