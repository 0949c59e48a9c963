//! A value with its interval, and the two intervals of a proportion.

use serde::{Deserialize, Serialize};
use statrs::function::beta::inv_beta_reg;

/// A measured value, the interval that holds the truth with the stated confidence, and how much it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Number of examples.
    pub n: usize,
}

/// Normal quantile of a two-sided 95 % interval.
pub(crate) const Z95: f64 = 1.959_963_984_540_054;

/// `k` successes of `n` with Wilson's 95 % interval, for display. Nothing observed: value 0, interval [0, 1].
pub fn wilson(k: usize, n: usize) -> Estimate {
    if n == 0 {
        return Estimate { value: 0.0, low: 0.0, high: 1.0, n };
    }
    let (trials, share) = (n as f64, k as f64 / n as f64);
    let square = Z95 * Z95 / trials;
    let centre = (share + square / 2.0) / (1.0 + square);
    let half = Z95 / (1.0 + square) * (share * (1.0 - share) / trials + square / (4.0 * trials)).sqrt();
    Estimate { value: share, low: (centre - half).max(0.0), high: (centre + half).min(1.0), n }
}

/// `k` successes of `n` with the exact interval of Clopper and Pearson, for promises. `confidence` is in (0, 1).
pub fn clopper_pearson(k: usize, n: usize, confidence: f64) -> Estimate {
    if n == 0 {
        return Estimate { value: 0.0, low: 0.0, high: 1.0, n };
    }
    let tail = (1.0 - confidence) / 2.0;
    let (successes, failures) = (k as f64, (n - k) as f64);
    let low = if k == 0 { 0.0 } else { inv_beta_reg(successes, failures + 1.0, tail) };
    let high = if k == n { 1.0 } else { inv_beta_reg(successes + 1.0, failures, 1.0 - tail) };
    Estimate { value: successes / n as f64, low, high, n }
}

/// The value at a share of sorted values, by linear interpolation.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    sorted[below] + (at - at.floor()) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(estimate: Estimate, low: f64, high: f64) {
        assert!((estimate.low - low).abs() < 5e-4 && (estimate.high - high).abs() < 5e-4, "{estimate:?}");
    }

    #[test]
    fn clopper_pearson_agrees_with_published_values() {
        check(clopper_pearson(18, 20, 0.95), 0.6830, 0.9877);
        check(clopper_pearson(0, 50, 0.95), 0.0, 0.0711);
        check(clopper_pearson(450, 500, 0.95), 0.8703, 0.9249);
        check(clopper_pearson(7, 7, 0.95), 0.5904, 1.0);
    }

    #[test]
    fn wilson_agrees_with_published_values() {
        check(wilson(18, 20), 0.6990, 0.9721);
        check(wilson(0, 10), 0.0, 0.2775);
        check(wilson(0, 0), 0.0, 1.0);
    }
}
