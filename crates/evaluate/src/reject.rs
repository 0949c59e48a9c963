//! "I don't know": a confidence below which no answer is given, so that the answers given keep a promise (methods 6.3).

use serde::{Deserialize, Serialize};
use statrs::function::beta::beta_reg;

use crate::clopper_pearson;

/// A threshold with its promise: with the stated confidence, at most `target_error` of the answers given are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectRule {
    /// Answers with at least this confidence are given. In [0, 1].
    pub threshold: f64,
    /// The promised largest share of wrong answers among those given.
    pub target_error: f64,
    /// How sure the promise is.
    pub confidence: f64,
    /// How many of the examples the rule was made on are answered.
    pub accepted: usize,
    /// How many examples the rule was made on.
    pub n: usize,
}

/// The examples do not support any threshold with this promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotProvable {
    /// Fewest correctly answered examples with which the promise could be proved at all.
    pub need: usize,
}

/// Out-of-fold rows are not quite independent: the error level is used up to this share (methods 6.3).
const SAFETY: f64 = 0.8;
/// Thresholds that are tried.
const STEPS: usize = 60;
/// Thresholds of a trade-off.
const POINTS: usize = 100;
/// A two-sided interval whose upper end alone is wrong once in twenty times.
const ONE_SIDED: f64 = 0.9;

/// Finds the loosest threshold that can be proved, by fixed-sequence testing from strict to loose with exact binomial tests.
///
/// `confidences` and `correct` are `[n]`, out of fold; `target_error` and `delta` (the chance that the promise is broken) are in
/// (0, 1).
pub fn fit_reject(
    confidences: &[f64],
    correct: &[bool],
    target_error: f64,
    delta: f64,
) -> Result<RejectRule, NotProvable> {
    let n = confidences.len();
    let level = SAFETY * delta;
    // With no error at all, this many answers are needed; the sequence of tests starts there, whatever the data.
    let first = (level.ln() / (1.0 - target_error).ln()).ceil() as usize;
    // An output without a confidence is never answered.
    let mut order: Vec<usize> = (0..n).filter(|row| !confidences[*row].is_nan()).collect();
    order.sort_by(|a, b| confidences[*b].total_cmp(&confidences[*a]));
    let answerable = order.len();
    let errors: Vec<usize> = order
        .iter()
        .scan(0, |errors, row| {
            *errors += usize::from(!correct[*row]);
            Some(*errors)
        })
        .collect();
    // A threshold answers all rows of the same confidence or none: each test counts the whole tie.
    let with_ties = |size: usize| {
        let last = confidences[order[size - 1]];
        order.partition_point(|row| confidences[*row] >= last)
    };
    let step = (answerable.saturating_sub(first) / STEPS).max(1);
    let sizes =
        (first..answerable).step_by(step).chain([answerable]).filter(|size| *size >= first).map(with_ties);
    let mut accepted = None;
    for size in sizes {
        if binomial_cdf(errors[size - 1], size, target_error) > level {
            break;
        }
        accepted = Some(size);
    }
    let accepted = accepted.ok_or(NotProvable { need: first })?;
    // Everything is answered: any confidence will do.
    let threshold = if accepted == answerable { 0.0 } else { confidences[order[accepted - 1]] };
    Ok(RejectRule { threshold, target_error, confidence: 1.0 - delta, accepted, n })
}

/// What a threshold costs and brings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradeOff {
    /// Answers with at least this confidence are given. In [0, 1].
    pub threshold: f64,
    /// Share of the examples that are answered.
    pub answered: f64,
    /// Share of those answers that are wrong.
    pub errors: f64,
    /// Upper end of the 95 % bound of [`TradeOff::errors`], for this threshold alone: who picks among many pays with
    /// [`fit_reject`].
    pub errors_high: f64,
}

/// The trade-off at every distinct threshold of at most a hundred, from all answered to nearly none. Both lists are `[n]`, out of fold.
pub fn trade_off(confidences: &[f64], correct: &[bool]) -> Vec<TradeOff> {
    let mut order: Vec<usize> = (0..confidences.len()).filter(|row| !confidences[*row].is_nan()).collect();
    order.sort_by(|a, b| confidences[*b].total_cmp(&confidences[*a]));
    let step = (order.len() / POINTS).max(1);
    let mut points: Vec<TradeOff> = Vec::new();
    let (mut counted, mut errors) = (0, 0);
    for size in (step..order.len()).step_by(step).chain((!order.is_empty()).then_some(order.len())) {
        let threshold = confidences[order[size - 1]];
        // A threshold answers all rows of the same confidence or none.
        let size = order.partition_point(|row| confidences[*row] >= threshold);
        errors += order[counted..size].iter().filter(|row| !correct[**row]).count();
        if size == counted {
            continue;
        }
        counted = size;
        let bound = clopper_pearson(errors, size, ONE_SIDED);
        points.push(TradeOff {
            threshold: if size == order.len() { 0.0 } else { threshold },
            answered: size as f64 / confidences.len() as f64,
            errors: bound.value,
            errors_high: bound.high,
        });
    }
    points.reverse();
    points
}

/// `P(Bin(n, p) <= k)`.
fn binomial_cdf(k: usize, n: usize, p: f64) -> f64 {
    if k >= n { 1.0 } else { beta_reg((n - k) as f64, (k + 1) as f64, 1.0 - p) }
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    #[test]
    fn trading_answers_for_errors() {
        let confidences: Vec<f64> = (0..200).map(|row| f64::from(row / 2) / 100.0).collect();
        // Every second answer below one half is wrong.
        let correct: Vec<bool> = (0..200).map(|row| row >= 100 || row % 2 == 0).collect();
        let points = trade_off(&confidences, &correct);
        assert_eq!((points[0].threshold, points[0].answered, points[0].errors), (0.0, 1.0, 0.25));
        let sure = points.iter().find(|point| point.threshold >= 0.5).expect("a point");
        assert_eq!((sure.answered, sure.errors), (0.5, 0.0));
        assert!(sure.errors_high > 0.0 && sure.errors_high < 0.04, "{sure:?}");
        assert!(points.is_sorted_by(|a, b| a.threshold < b.threshold && a.answered > b.answered));
        assert_eq!(trade_off(&[], &[]), []);
        assert_eq!(trade_off(&[0.7; 5], &[true; 5]).len(), 1, "one confidence is one threshold");
    }

    #[test]
    fn binomial_tails_are_exact() {
        assert!((binomial_cdf(0, 10, 0.1) - 0.9_f64.powi(10)).abs() < 1e-12);
        assert!((binomial_cdf(1, 3, 0.5) - 0.5).abs() < 1e-12);
        assert_eq!(binomial_cdf(4, 4, 0.5), 1.0);
    }

    #[test]
    fn the_promise_is_kept_in_simulation() {
        // An answer with confidence c is right with probability c: the error among answers above t is known exactly.
        let (runs, target, delta) = (500, 0.05, 0.1);
        let mut broken = 0;
        for run in 0..runs {
            let mut rng = Seed(run).rng();
            let confidences: Vec<f64> = (0..300).map(|_| 0.5 + 0.5 * random::uniform(&mut rng)).collect();
            let correct: Vec<bool> = confidences.iter().map(|c| random::uniform(&mut rng) < *c).collect();
            if let Ok(rule) = fit_reject(&confidences, &correct, target, delta) {
                let true_error = (1.0 - rule.threshold.max(0.5)) / 2.0;
                broken += usize::from(true_error > target);
            }
        }
        assert!(broken as f64 <= delta * runs as f64, "{broken} of {runs}");
    }

    #[test]
    fn rows_of_equal_confidence_are_answered_together_or_not_at_all() {
        // The right answers come first only by the order of the rows.
        let correct: Vec<bool> = (0..100).map(|row| row < 63).collect();
        assert!(fit_reject(&[0.99; 100], &correct, 0.05, 0.05).is_err());
        let confidences: Vec<f64> = (0..100).map(|row| if row < 70 { 0.99 } else { 0.5 }).collect();
        let correct: Vec<bool> = (0..100).map(|row| row < 70).collect();
        let rule = fit_reject(&confidences, &correct, 0.05, 0.05).unwrap();
        assert_eq!((rule.threshold, rule.accepted), (0.99, 70));
    }

    #[test]
    fn an_output_without_a_confidence_is_never_answered() {
        let confidences: Vec<f64> = (0..90).map(|row| if row < 20 { f64::NAN } else { 0.9 }).collect();
        let rule = fit_reject(&confidences, &[true; 90], 0.05, 0.05).unwrap();
        assert_eq!((rule.accepted, rule.n), (70, 90));
        assert!(fit_reject(&[f64::NAN; 90], &[true; 90], 0.05, 0.05).is_err());
    }

    #[test]
    fn too_few_examples_prove_nothing_and_say_how_many_would() {
        let rule = fit_reject(&[0.99; 20], &[true; 20], 0.05, 0.05);
        assert_eq!(rule, Err(NotProvable { need: 63 }));
        assert!(fit_reject(&[0.99; 63], &[true; 63], 0.05, 0.05).is_ok());
        assert!(fit_reject(&[], &[], 0.05, 0.05).is_err());
    }
}
