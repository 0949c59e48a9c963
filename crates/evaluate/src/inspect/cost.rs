//! The cheapest threshold once there are scores of defects, never below the one that keeps the promise (methods 2.6).

use super::alarm::{GoodScores, ProvenThreshold, alarms, finite, share};
use crate::{Estimate, EvaluateError, clopper_pearson};

/// Fewest defects whose scores are worth choosing by.
const FEWEST: usize = 5;

/// What mistakes cost, in any one unit, and how common defects are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    false_alarm: f64,
    miss: f64,
    prevalence: f64,
}

impl Costs {
    /// Checks that the costs of a false alarm and of a missed defect are above 0 and the share of defects is in (0, 1).
    pub fn new(false_alarm: f64, miss: f64, prevalence: f64) -> Result<Self, EvaluateError> {
        for (what, got) in [("false_alarm", false_alarm), ("miss", miss)] {
            if !got.is_finite() || got <= 0.0 {
                return Err(EvaluateError::OutOfRange { what, got, expected: "a number above 0" });
            }
        }
        Ok(Self { false_alarm, miss, prevalence: share("prevalence", prevalence)? })
    }

    /// Expected cost of one part.
    fn expected(self, false_alarm_rate: f64, miss_rate: f64) -> f64 {
        self.false_alarm * false_alarm_rate * (1.0 - self.prevalence)
            + self.miss * miss_rate * self.prevalence
    }
}

/// The threshold with the least expected cost among those that keep the promise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheapestThreshold {
    /// The promise with the threshold that was chosen: at or above the proven one, so the promise holds. `rank` is still that
    /// of the score that carries it.
    pub alarm: ProvenThreshold,
    /// Expected cost of one part, on the scores that the choice was made on.
    pub expected_cost: f64,
    /// Share of the good parts (or groups) that alarm, with the exact 95 % interval for a threshold that is not chosen.
    pub false_alarms: Estimate,
    /// Share of the defects that do not alarm, with the exact 95 % interval for a threshold that is not chosen.
    pub missed: Estimate,
}

/// Minimises the expected cost over the proven threshold and every score above it; the lowest threshold wins a tie.
///
/// `defects` is `[n]`, at least five, scored by a detector that was not fitted on them; a score that is not finite is refused.
pub fn cheapest_threshold(
    good: &GoodScores,
    defects: &[f64],
    costs: Costs,
    proven: &ProvenThreshold,
) -> Result<CheapestThreshold, EvaluateError> {
    if defects.len() < FEWEST {
        return Err(EvaluateError::TooFew { what: "scores of defects", got: defects.len(), need: FEWEST });
    }
    finite("scores of defects", defects)?;
    let mut sorted = defects.to_vec();
    sorted.sort_by(f64::total_cmp);
    // The cost changes only where a score of either kind is passed.
    let candidates = good.sorted().iter().chain(&sorted).filter(|score| **score > proven.threshold);
    let mut thresholds: Vec<f64> = std::iter::once(proven.threshold).chain(candidates.copied()).collect();
    thresholds.sort_by(f64::total_cmp);
    let at_most = |scores: &[f64], threshold: f64| scores.partition_point(|score| *score <= threshold);
    let cost = |threshold: f64| {
        let false_alarms = (good.n() - at_most(good.sorted(), threshold)) as f64 / good.n() as f64;
        costs.expected(false_alarms, at_most(&sorted, threshold) as f64 / sorted.len() as f64)
    };
    // `min_by` keeps the first of equal ones, and the thresholds ascend.
    let cheapest = thresholds.iter().map(|threshold| (cost(*threshold), *threshold));
    let (expected_cost, threshold) =
        cheapest.min_by(|a, b| a.0.total_cmp(&b.0)).expect("the proven threshold is a candidate");
    let count = |scores: &[f64]| scores.iter().filter(|score| alarms(**score, threshold)).count();
    Ok(CheapestThreshold {
        alarm: ProvenThreshold { threshold, ..*proven },
        expected_cost,
        false_alarms: clopper_pearson(count(good.sorted()), good.n(), 0.95),
        missed: clopper_pearson(sorted.len() - count(&sorted), sorted.len(), 0.95),
    })
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::super::alarm::{Promise, proven_threshold};
    use super::*;

    fn good() -> (GoodScores, ProvenThreshold) {
        let good = GoodScores::of_parts(&(1..=100).map(f64::from).collect::<Vec<_>>()).unwrap();
        let proven = proven_threshold(&good, Promise::new(0.1, 0.95).unwrap()).unwrap();
        assert_eq!(proven.threshold, 96.0);
        (good, proven)
    }

    #[track_caller]
    fn check(costs: (f64, f64, f64), defects: &[f64], threshold: f64) -> CheapestThreshold {
        let (good, proven) = good();
        let costs = Costs::new(costs.0, costs.1, costs.2).unwrap();
        let cheapest = cheapest_threshold(&good, defects, costs, &proven).unwrap();
        assert_eq!(cheapest.alarm.threshold, threshold, "{cheapest:?}");
        cheapest
    }

    #[test]
    fn dear_misses_pull_the_threshold_down_to_the_promise_and_no_further() {
        let defects = [50.0, 96.5, 98.5, 120.0, 130.0];
        let cheapest = check((1.0, 1000.0, 0.5), &defects, 96.0);
        assert_eq!((cheapest.missed.value, cheapest.false_alarms.value), (0.2, 0.04));
        assert!((cheapest.expected_cost - (0.5 * 0.04 + 500.0 * 0.2)).abs() < 1e-12);
        // The promise still stands on the same score.
        assert_eq!((cheapest.alarm.rank, cheapest.alarm.false_alarm_rate), (96, 0.1));
    }

    #[test]
    fn dear_false_alarms_push_the_threshold_up() {
        check((1000.0, 1.0, 0.01), &[50.0, 97.5, 98.5, 120.0, 130.0], 100.0);
        // Up to 97.5 nothing is missed: one false alarm is bought back, the next would cost a defect.
        check((1.0, 5.0, 0.5), &[97.5, 98.5, 120.0, 130.0, 140.0], 97.0);
    }

    #[test]
    fn the_promise_is_kept_whatever_misses_cost() {
        let promise = Promise::new(0.1, 0.95).unwrap();
        for miss in [0.1, 10.0, 1000.0] {
            let costs = Costs::new(1.0, miss, 0.1).unwrap();
            let broken = (0..500).filter(|run| {
                let mut rng = Seed(*run).rng();
                let mut draw = |n: usize| (0..n).map(|_| random::uniform(&mut rng)).collect::<Vec<_>>();
                let good = GoodScores::of_parts(&draw(60)).unwrap();
                let defects: Vec<f64> = draw(10).iter().map(|score| 0.3 + score).collect();
                let proven = proven_threshold(&good, promise).unwrap();
                // A good part scores above it as often as it is below 1.
                1.0 - cheapest_threshold(&good, &defects, costs, &proven).unwrap().alarm.threshold > 0.1
            });
            // 5 % of 500, and three standard errors.
            assert!(broken.count() <= 25 + 15, "{miss}");
        }
    }

    #[test]
    fn too_few_or_broken_scores_are_refused() {
        let (good, proven) = good();
        let costs = Costs::new(1.0, 1.0, 0.1).unwrap();
        let of = |defects: &[f64]| cheapest_threshold(&good, defects, costs, &proven);
        assert!(matches!(of(&[1.0; 4]), Err(EvaluateError::TooFew { got: 4, need: 5, .. })));
        assert!(matches!(of(&[1.0, 2.0, f64::NAN, 3.0, 4.0]), Err(EvaluateError::NotFinite { row: 2, .. })));
        assert!(Costs::new(0.0, 1.0, 0.1).is_err() && Costs::new(1.0, 1.0, 1.0).is_err());
    }
}
