//! Two models on the same examples: whether one is better, or nothing can be told yet.
//!
//! Only examples on which one is right and the other is wrong say anything. The test is McNemar's, exact; the interval is the adjusted one
//! of Bonett and Price (J. Educ. Behav. Stat. 37, 2012, eq. 4), which keeps what it promises with few examples.

use serde::{Deserialize, Serialize};
use statrs::function::beta::beta_reg;

use crate::Estimate;
use crate::estimate::Z95;

/// A difference is told where chance alone would show it less often than this.
const LEVEL: f64 = 0.05;

/// How two models compare on the same examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paired {
    /// Accuracy of the second less that of the first, in [-1, 1], with its 95 % interval.
    pub difference: Estimate,
    /// Examples that only the first has right.
    pub n_lost: usize,
    /// Examples that only the second has right.
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

    #[test]
    fn the_other_way_round_is_the_opposite() {
        let right = [(true, false), (true, true), (true, false), (false, true), (true, false)];
        let one = paired(right.iter().copied()).expect("examples");
        let other = paired(right.iter().map(|(first, second)| (*second, *first))).expect("examples");
        assert!((one.difference.low + other.difference.high).abs() < 1e-12);
        assert!((one.p_value - other.p_value).abs() < 1e-12);
    }
}
