//! An estimate of the threshold where the good parts are too few to prove one: the tail of their scores is continued by a
//! generalised Pareto distribution (methods 2.6).
//!
//! It is an estimate and says so in its type: nothing is promised.

use serde::{Deserialize, Serialize};

use super::alarm::{GoodScores, share};
use crate::EvaluateError;

/// Share of the good scores that the tail is fitted on.
const TAIL_SHARE: f64 = 0.2;
/// Fewest scores in the tail for a fit.
const FEWEST: usize = 10;
/// Smallest shape that is believed. A lighter tail than the exponential one would set an end to scores, and a few dozen scores
/// do not show where scores end.
const LIGHTEST: f64 = 0.0;
/// Largest shape that is believed: from here on the variance of scores is infinite.
const HEAVIEST: f64 = 0.5;

/// A threshold that about `false_alarm_rate` of good parts may exceed. **No guarantee.**
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstimatedThreshold {
    /// A part with a score above this alarms.
    pub threshold: f64,
    /// The rate of false alarms that was aimed at; not promised.
    pub false_alarm_rate: f64,
    /// Number of good scores: parts, or groups of parts.
    pub n: usize,
    /// What the estimate rests on.
    pub tail: Tail,
}

/// What an [`EstimatedThreshold`] rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tail {
    /// A generalised Pareto tail: `P(score > start + x | score > start) = (1 + shape x / scale)^(-1 / shape)`.
    Fitted {
        /// Score where the tail starts.
        start: f64,
        /// How many good scores lie in it.
        exceedances: usize,
        /// Shape, in [0, 0.5]; 0 is the exponential tail.
        shape: f64,
        /// Scale, above 0, in units of the score.
        scale: f64,
    },
    /// No tail was fitted, since there are too few scores in it, or they are all equal, or the rate lies inside the sample: the
    /// threshold is one of the scores.
    OrderStatistic {
        /// Which one, counted from the smallest, which is 1.
        rank: usize,
        /// Its false-alarm rate on average over samples: `(n + 1 - rank) / (n + 1)`. May be far above what was aimed at.
        expected_rate: f64,
    },
}

/// Estimates the threshold that `false_alarm_rate`, in (0, 1), of good parts exceed. **No guarantee.**
///
/// The upper fifth of the scores gives shape and scale by probability-weighted moments (Hosking and Wallis 1987), and
/// the tail is followed to the rate. When fewer than one in `n + 1` may alarm, the threshold is never below the largest score.
pub fn estimated_threshold(
    good: &GoodScores,
    false_alarm_rate: f64,
) -> Result<EstimatedThreshold, EvaluateError> {
    share("false_alarm_rate", false_alarm_rate).map(|rate| fit_tail(good, rate))
}

/// [`estimated_threshold`] for a rate that is known to be in (0, 1).
pub(super) fn fit_tail(good: &GoodScores, false_alarm_rate: f64) -> EstimatedThreshold {
    let n = good.n();
    let exceedances = (TAIL_SHARE * n as f64).floor() as usize;
    // On average over samples, this share of good parts lies above the score where the tail starts.
    let share = (exceedances + 1) as f64 / (n + 1) as f64;
    let fitted = || {
        let start = good.nth(n - exceedances);
        let excess: Vec<f64> = good.sorted()[n - exceedances..].iter().map(|score| score - start).collect();
        let (shape, scale) = weighted_moments(&excess)?;
        Some((start, shape, scale))
    };
    let inside = exceedances < FEWEST || false_alarm_rate >= share;
    let Some((start, shape, scale)) = (if inside { None } else { fitted() }) else {
        return order_statistic(good, false_alarm_rate);
    };
    let ratio = share / false_alarm_rate;
    let length = if shape == 0.0 { ratio.ln() } else { (ratio.powf(shape) - 1.0) / shape };
    let reach = start + scale * length;
    let largest = good.nth(n);
    let threshold = if false_alarm_rate * ((n + 1) as f64) < 1.0 { reach.max(largest) } else { reach };
    let tail = Tail::Fitted { start, exceedances, shape, scale };
    EstimatedThreshold { threshold, false_alarm_rate, n, tail }
}

/// The `ceil((n + 1)(1 - rate))`-th smallest score, at most the largest.
fn order_statistic(good: &GoodScores, false_alarm_rate: f64) -> EstimatedThreshold {
    let n = good.n();
    let rank = (((n + 1) as f64 * (1.0 - false_alarm_rate)).ceil() as usize).clamp(1, n);
    let expected_rate = (n + 1 - rank) as f64 / (n + 1) as f64;
    let tail = Tail::OrderStatistic { rank, expected_rate };
    EstimatedThreshold { threshold: good.nth(rank), false_alarm_rate, n, tail }
}

/// Shape and scale from ascending excesses over the tail's start; `None` when they are all equal.
fn weighted_moments(excess: &[f64]) -> Option<(f64, f64)> {
    let n = excess.len() as f64;
    let mean = excess.iter().sum::<f64>() / n;
    if excess.first() == excess.last() || mean <= 0.0 {
        return None;
    }
    // The expectation of x (1 - F(x)), with the plotting position (i - 0.35) / n of the paper.
    let weighted =
        excess.iter().enumerate().map(|(index, x)| x * (1.0 - (index as f64 + 0.65) / n)).sum::<f64>() / n;
    let shape = (2.0 - mean / (mean - 2.0 * weighted)).clamp(LIGHTEST, HEAVIEST);
    // For a given shape the mean alone fixes the scale.
    Some((shape, mean * (1.0 - shape)))
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    fn good(scores: &[f64]) -> GoodScores {
        GoodScores::of_parts(scores).unwrap()
    }

    #[track_caller]
    fn check_quantiles(shape: f64) {
        // The mean true rate over redraws of a Pareto tail with this shape.
        let (n, aim, runs) = (200, 0.002, 500);
        let mut rate = 0.0;
        for run in 0..runs {
            let mut rng = Seed(run).rng();
            let mut draw = || {
                let u: f64 = 1.0 - random::uniform(&mut rng);
                if shape == 0.0 { -u.ln() } else { (u.powf(-shape) - 1.0) / shape }
            };
            let scores: Vec<f64> = (0..n).map(|_| draw()).collect();
            let estimate = estimated_threshold(&good(&scores), aim).unwrap();
            assert!(matches!(estimate.tail, Tail::Fitted { exceedances: 40, .. }));
            let t = estimate.threshold;
            rate += if shape == 0.0 { (-t).exp() } else { (1.0 + shape * t).powf(-1.0 / shape) };
        }
        let mean = rate / runs as f64;
        assert!((0.4 * aim..2.0 * aim).contains(&mean), "shape {shape}: {mean} for {aim}");
    }

    #[test]
    fn the_mean_rate_is_near_the_aim_for_light_and_heavy_tails() {
        check_quantiles(0.0);
        check_quantiles(0.2);
        check_quantiles(0.4);
    }

    #[test]
    fn scores_with_an_end_are_on_the_safe_side() {
        let scores: Vec<f64> = (1..=100).map(|score| f64::from(score) / 100.0).collect();
        let estimate = estimated_threshold(&good(&scores), 0.005).unwrap();
        assert!(estimate.threshold >= 1.0, "{estimate:?}");
        assert!(matches!(estimate.tail, Tail::Fitted { shape: 0.0, .. }));
    }

    #[test]
    fn moments_of_exact_quantiles_give_the_shape_back() {
        for shape in [0.1, 0.3, 0.45] {
            let quantile = |row: usize| (1.0 - (row as f64 + 0.65) / 2e4_f64).powf(-shape) - 1.0;
            let excess: Vec<f64> = (0..20_000).map(|row| 2.0 / shape * quantile(row)).collect();
            let (fitted, scale) = weighted_moments(&excess).unwrap();
            assert!((fitted - shape).abs() < 0.02 && (scale - 2.0).abs() < 0.06, "{fitted} {scale}");
        }
    }

    #[test]
    fn without_a_tail_the_result_says_what_it_is() {
        let scores: Vec<f64> = (1..=49).map(f64::from).collect();
        let few = estimated_threshold(&good(&scores), 0.001).unwrap();
        assert_eq!(few.tail, Tail::OrderStatistic { rank: 49, expected_rate: 0.02 });
        let one = estimated_threshold(&good(&[7.0]), 0.01).unwrap();
        assert_eq!((one.threshold, one.tail), (7.0, Tail::OrderStatistic { rank: 1, expected_rate: 0.5 }));
        let equal = estimated_threshold(&good(&[2.0; 100]), 0.001).unwrap();
        assert_eq!(equal.threshold, 2.0);
        assert!(matches!(equal.tail, Tail::OrderStatistic { .. }));
        // A rate inside the sample needs no tail.
        let scores: Vec<f64> = (1..=99).map(f64::from).collect();
        let inside = estimated_threshold(&good(&scores), 0.3).unwrap();
        assert_eq!(
            (inside.threshold, inside.tail),
            (70.0, Tail::OrderStatistic { rank: 70, expected_rate: 0.3 })
        );
        assert!(estimated_threshold(&good(&scores), 1.0).is_err());
    }
}
