//! How well partners find each other, and which pairs look wrong.

use linalg::{Matrix, matmul_nt};

/// Partners among so many best count as found.
const FOUND: f64 = 10.0;
/// Bars of the histogram of scores that tells wrong pairs.
const BARS: usize = 20;

/// How one pair did among those held out with it, mean of both directions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    /// One over the rank of the true partner.
    pub(crate) reciprocal: f64,
    /// Whether it is among the ten best.
    pub(crate) found: f64,
    /// The share of strangers that are less alike, 0 to 1.
    pub(crate) percentile: f64,
}

/// Places of all pairs, from rows of length 1, `[m, r]` each. Ties count half.
pub(crate) fn places(left: &Matrix, right: &Matrix) -> Vec<Place> {
    let m = left.rows();
    let alike = matmul_nt(left.view(), right.view());
    let other_way = alike.transpose();
    let one_way = |alike: &Matrix, pair: usize| {
        let (row, own) = (alike.row(pair), alike.row(pair)[pair]);
        let better = row.iter().filter(|value| **value > own).count() as f64;
        let ties = row.iter().filter(|value| **value == own).count() as f64 - 1.0;
        let rank = 1.0 + better + 0.5 * ties;
        let strangers = (m.max(2) - 1) as f64;
        Place {
            reciprocal: 1.0 / rank,
            found: f64::from(u8::from(rank <= FOUND)),
            percentile: 1.0 - (rank - 1.0) / strangers,
        }
    };
    let both = |pair: usize| {
        let (a, b) = (one_way(&alike, pair), one_way(&other_way, pair));
        Place {
            reciprocal: 0.5 * (a.reciprocal + b.reciprocal),
            found: 0.5 * (a.found + b.found),
            percentile: 0.5 * (a.percentile + b.percentile),
        }
    };
    (0..m).map(both).collect()
}

/// What `m` pairs held out together would do by chance: the mean reciprocal rank and the share among the ten best.
pub(crate) fn by_chance(m: usize) -> (f64, f64) {
    let harmonic: f64 = (1..=m).map(|rank| 1.0 / rank as f64).sum();
    (harmonic / m.max(1) as f64, (FOUND / m.max(1) as f64).min(1.0))
}

/// How right each pair looks.
#[derive(Debug, Clone, PartialEq)]
pub struct WrongPairs {
    /// The held-out share of strangers that are less alike than the partner, `[n]`: 0 = surely wrong, 1 = surely right.
    pub scores: Vec<f64>,
    /// Pairs that are more likely wrong than right, the worst first.
    pub suspicious: Vec<usize>,
    /// The estimated share of wrong pairs.
    pub share: f64,
}

/// Tells wrong pairs from held-out scores.
///
/// The score of a wrong pair lies around one half as often below as above, that of a right pair seldom below: so twice the
/// share below is the share that is wrong. Pairs are suspicious up to the highest score of which at least half are expected to be
/// wrong.
pub(crate) fn wrong_pairs(scores: Vec<f64>) -> WrongPairs {
    let n = scores.len() as f64;
    let share = (2.0 * scores.iter().filter(|score| **score < 0.5).count() as f64 / n).min(1.0);
    let bar = |score: f64| ((score * BARS as f64) as usize).min(BARS - 1);
    let mut counts = [0.0; BARS];
    scores.iter().for_each(|score| counts[bar(*score)] += 1.0);
    // The mean of two even draws is triangular: what is expected of wrong pairs in each bar.
    let below = |x: f64| if x < 0.5 { 2.0 * x * x } else { 1.0 - 2.0 * (1.0 - x).powi(2) };
    let edge = |bar: usize| bar as f64 / BARS as f64;
    let expected = |bar: usize| share * n * (below(edge(bar + 1)) - below(edge(bar)));
    let last = (0..BARS).rev().find(|bar| 2.0 * expected(*bar) >= counts[*bar]).map_or(0, |bar| bar + 1);
    // With no score below one half there is nothing to expect.
    let is_suspicious = |pair: &usize| share > 0.0 && bar(scores[*pair]) < last;
    let mut suspicious: Vec<usize> = (0..scores.len()).filter(is_suspicious).collect();
    suspicious.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b)));
    WrongPairs { scores, suspicious, share }
}
