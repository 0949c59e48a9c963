//! Two models on the same examples: whether one is better, or nothing can be told yet.
//!
//! Where an answer is right or wrong ([`paired`]), only examples on which one is right and the other is wrong say anything. The test is
//! McNemar's, exact; the interval is the adjusted one of Bonett and Price (J. Educ. Behav. Stat. 37, 2012, eq. 4), which keeps what it
//! promises with few examples.
//!
//! Where an answer is more or less right ([`paired_scores`]), the interval is Student's of the mean of the differences, and the test is
//! Fisher's of pairs (The Design of Experiments, 1935, section 21): were the models equal, each difference might as well have the other sign.

use linalg::{Seed, random};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, StudentsT};
use statrs::function::beta::beta_reg;

use crate::Estimate;
use crate::estimate::Z95;

/// A difference is told where chance alone would show it less often than this.
const LEVEL: f64 = 0.05;
/// Of at most so many differences all signs are tried, of more as many are drawn.
const ALL_SIGNS: usize = 11;

/// How two models compare on the same examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paired {
    /// Mean score of the second less that of the first, with its 95 % interval; of right and wrong answers it is in [-1, 1].
    pub difference: Estimate,
    /// Examples on which the first did better.
    pub n_lost: usize,
    /// Examples on which the second did better.
    pub n_won: usize,
    /// How often chance alone would part two equal models at least as far, in (0, 1].
    pub p_value: f64,
}

impl Paired {
    /// Whether the two can be told apart: by the test, and by the interval.
    pub fn told_apart(&self) -> bool {
        let Estimate { low, high, .. } = self.difference;
        self.p_value < LEVEL && (low > 0.0 || high < 0.0)
    }
}

/// Compares which of `n` examples the first and the second have right, in the same order; `None` without examples.
pub fn paired(right: impl Iterator<Item = (bool, bool)>) -> Option<Paired> {
    let (mut n, mut n_lost, mut n_won) = (0_usize, 0_usize, 0_usize);
    for (first, second) in right {
        n += 1;
        n_lost += usize::from(first && !second);
        n_won += usize::from(second && !first);
    }
    if n == 0 {
        return None;
    }
    let (lost, won, size) = ((n_lost + 1) as f64, (n_won + 1) as f64, (n + 2) as f64);
    let centre = (won - lost) / size;
    let half = Z95 * (((won + lost) / size - centre * centre) / size).sqrt();
    let value = (n_won as f64 - n_lost as f64) / n as f64;
    let difference = Estimate { value, low: (centre - half).max(-1.0), high: (centre + half).min(1.0), n };
    Some(Paired { difference, n_lost, n_won, p_value: p_value(n_lost, n_won) })
}

/// Compares how well the first and the second did on each of `n` examples, more being better; `None` with fewer than two.
pub fn paired_scores(scores: impl Iterator<Item = (f64, f64)>, seed: Seed) -> Option<Paired> {
    let differences: Vec<f64> = scores.map(|(first, second)| second - first).collect();
    let n = differences.len();
    let student = StudentsT::new(0.0, 1.0, n.checked_sub(1)? as f64).ok()?;
    let value = differences.iter().sum::<f64>() / n as f64;
    let squares: f64 = differences.iter().map(|difference| (difference - value).powi(2)).sum();
    let error = (squares / ((n - 1) as f64 * n as f64)).sqrt();
    let half = student.inverse_cdf(f64::midpoint(1.0, 1.0 - LEVEL)) * error;
    let difference = Estimate { value, low: value - half, high: value + half, n };
    let n_lost = differences.iter().filter(|difference| **difference < 0.0).count();
    let n_won = differences.iter().filter(|difference| **difference > 0.0).count();
    Some(Paired { difference, n_lost, n_won, p_value: p_value_of_signs(&differences, seed) })
}

/// The share of choices of signs whose sum is at least as far from zero.
fn p_value_of_signs(differences: &[f64], seed: Seed) -> f64 {
    let sizes: Vec<f64> =
        differences.iter().map(|difference| difference.abs()).filter(|size| *size > 0.0).collect();
    let rounding = 1e-9 * sizes.iter().sum::<f64>();
    let observed = differences.iter().sum::<f64>().abs() - rounding;
    if sizes.len() <= ALL_SIGNS {
        let all = 1_usize << sizes.len();
        let n_far = (0..all).filter(|signs| is_far(&sizes, observed, |i| signs >> i & 1 == 1)).count();
        return n_far as f64 / all as f64;
    }
    let (drawn, mut rng) = ((1 << ALL_SIGNS) - 1, seed.derive("signs").rng());
    let n_far = (0..drawn).filter(|_| is_far(&sizes, observed, |_| random::below(&mut rng, 2) == 1)).count();
    // The signs that were observed are one choice of them.
    (n_far + 1) as f64 / (drawn + 1) as f64
}

/// Whether sizes with these signs add up to at least so much, in either direction.
fn is_far(sizes: &[f64], observed: f64, mut is_negative: impl FnMut(usize) -> bool) -> bool {
    let signed = sizes.iter().enumerate().map(|(i, size)| if is_negative(i) { -size } else { *size });
    signed.sum::<f64>().abs() >= observed
}

/// Two-sided: twice the chance of a split of fair coins at least as uneven.
fn p_value(n_lost: usize, n_won: usize) -> f64 {
    let (fewer, n) = (n_lost.min(n_won), n_lost + n_won);
    if n == 0 || 2 * fewer >= n {
        return 1.0;
    }
    // The chance of at most `fewer` heads in `n` throws.
    (2.0 * beta_reg((n - fewer) as f64, (fewer + 1) as f64, 0.5)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of the reference values.
    const TOLERANCE: f64 = 5e-5;

    #[track_caller]
    fn check(n: usize, n_lost: usize, n_won: usize, [p_value, low, high]: [f64; 3], apart: bool) {
        let of = |place: usize| (place < n_lost, (n_lost..n_lost + n_won).contains(&place));
        let told = paired((0..n).map(of)).expect("examples");
        let near = |got: f64, expected: f64| (got - expected).abs() < TOLERANCE;
        assert!(near(told.p_value, p_value), "{told:?}");
        assert!(near(told.difference.low, low) && near(told.difference.high, high), "{told:?}");
        assert_eq!((told.n_lost, told.n_won, told.told_apart()), (n_lost, n_won, apart));
    }

    /// `p_value` by `scipy.stats.binomtest(k, n).pvalue` of SciPy 1.14, the interval by hand from the formula.
    #[test]
    fn agrees_with_reference_values() {
        check(100, 1, 9, [0.021484, 0.013631, 0.143232], true);
        check(100, 5, 5, [1.0, -0.066564, 0.066564], false);
        check(40, 0, 5, [0.062500, 0.000948, 0.237148], false);
        check(1000, 20, 60, [0.000009, 0.022381, 0.057460], true);
    }

    #[test]
    fn equal_models_cannot_be_told_apart() {
        let told = paired((0..20).map(|_| (true, true))).expect("examples");
        assert_eq!((told.difference.value, told.p_value, told.told_apart()), (0.0, 1.0, false));
        assert!(paired(std::iter::empty()).is_none());
    }

    /// Exact p-values by counting all signs, the intervals by hand with Student's quantiles 2.262157 and 2.776445.
    #[test]
    fn scores_agree_with_reference_values() {
        let told = |differences: &[f64]| {
            paired_scores(differences.iter().map(|difference| (1.0, 1.0 + difference)), Seed(1)).expect("two")
        };
        let near = |got: [f64; 3], expected: [f64; 3]| {
            assert!(
                got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < TOLERANCE),
                "{got:?}"
            );
        };
        let Paired { difference, n_lost, n_won, p_value } =
            told(&[0.5, 0.0, 0.0, 0.25, -0.1, 0.3, 0.2, 0.0, 0.4, 0.1]);
        near([p_value, difference.low, difference.high], [0.046875, 0.023879, 0.306121]);
        assert_eq!((n_lost, n_won), (1, 6));
        let even = told(&[1.0, -1.0, 0.5, -0.5, 0.2]);
        near([even.p_value, even.difference.low, even.difference.high], [1.0, -0.947884, 1.027884]);
        assert!(!even.told_apart());
        // More than can be tried: drawn, and the same each time.
        let many: Vec<f64> = (0..40).map(|i| if i % 4 == 0 { -0.2 } else { 0.2 }).collect();
        assert!(told(&many).told_apart() && told(&many) == told(&many));
        assert!(paired_scores([(0.0, 1.0)].into_iter(), Seed(1)).is_none(), "one tells nothing");
    }

    /// Of models that are equal no more are told apart than was promised.
    #[test]
    fn equal_models_are_seldom_told_apart() {
        let mut rng = Seed(7).rng();
        let apart = (0..400)
            .filter(|draw| {
                let scores =
                    (0..25).map(|_| (random::uniform(&mut rng).powi(3), random::uniform(&mut rng).powi(3)));
                paired_scores(scores, Seed(*draw)).expect("examples").told_apart()
            })
            .count();
        // 5 % of 400, and three standard errors.
        assert!(apart <= 33, "{apart}");
    }

    #[test]
    fn the_other_way_round_is_the_opposite() {
        let right = [(true, false), (true, true), (true, false), (false, true), (true, false)];
        let one = paired(right.iter().copied()).expect("examples");
        let other = paired(right.iter().map(|(first, second)| (*second, *first))).expect("examples");
        assert!((one.difference.low + other.difference.high).abs() < 1e-12);
        assert!((one.p_value - other.p_value).abs() < 1e-12);
    }
}
