//! Thresholds above which a part alarms, with a promise about false alarms where the good parts suffice for one (methods 2.6).
//!
//! Start at [`alarm_threshold`]. The promise is *training-conditional*: it speaks of the one threshold that was made, not of
//! the average over all that could have been. The r-th smallest of n good scores has a true false-alarm rate that follows
//! Beta(n + 1 - r, r) for continuous scores, and one that is never larger where scores tie, because only a score *above* the
//! threshold alarms.

use serde::{Deserialize, Serialize};
use statrs::function::beta::beta_reg;

use super::tail::{EstimatedThreshold, fit_tail};
use crate::EvaluateError;
use crate::bbc::members_of;

/// What is promised: with probability `confidence`, at most `false_alarm_rate` of good parts alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promise {
    false_alarm_rate: f64,
    confidence: f64,
}

impl Promise {
    /// Checks that both are in (0, 1).
    pub fn new(false_alarm_rate: f64, confidence: f64) -> Result<Self, EvaluateError> {
        let false_alarm_rate = share("false_alarm_rate", false_alarm_rate)?;
        Ok(Self { false_alarm_rate, confidence: share("confidence", confidence)? })
    }

    /// Largest share of good parts that may alarm, in (0, 1).
    pub fn false_alarm_rate(self) -> f64 {
        self.false_alarm_rate
    }

    /// How sure the promise is, in (0, 1).
    pub fn confidence(self) -> f64 {
        self.confidence
    }
}

/// `value` when it lies strictly between 0 and 1.
pub(super) fn share(what: &'static str, value: f64) -> Result<f64, EvaluateError> {
    let inside = value > 0.0 && value < 1.0;
    if inside {
        Ok(value)
    } else {
        Err(EvaluateError::OutOfRange { what, got: value, expected: "a number above 0 and below 1" })
    }
}

/// Scores of good parts that the detector was not fitted on: at least one, finite, ascending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct GoodScores(Vec<f64>);

impl GoodScores {
    /// Takes every score as that of an independent part. `scores` is `[n]`.
    pub fn of_parts(scores: &[f64]) -> Result<Self, EvaluateError> {
        Self::try_from(scores.to_vec())
    }

    /// Takes one score for each group: its largest. `scores` and `groups` are `[n]`.
    ///
    /// Parts of one lot, camera or hour resemble each other, so what counts is the number of groups. With the largest score of
    /// each, a promise holds for new *groups*: at most the stated share of them has any false alarm, and so at most this share
    /// of the parts alarms when groups are equally large. That is on the safe side.
    pub fn of_groups(scores: &[f64], groups: &[u32]) -> Result<Self, EvaluateError> {
        if scores.len() != groups.len() {
            return Err(EvaluateError::Shape { what: "groups", got: groups.len(), expected: scores.len() });
        }
        finite("scores of good parts", scores)?;
        let largest = |rows: Vec<usize>| rows.iter().map(|row| scores[*row]).max_by(f64::total_cmp);
        Self::try_from(members_of(groups).into_iter().filter_map(largest).collect::<Vec<_>>())
    }

    /// Number of scores: parts, or groups of parts.
    pub fn n(&self) -> usize {
        self.0.len()
    }

    /// The scores, ascending.
    pub fn sorted(&self) -> &[f64] {
        &self.0
    }

    /// The `rank`-th smallest score, counted from 1.
    pub(super) fn nth(&self, rank: usize) -> f64 {
        self.0[rank - 1]
    }
}

impl TryFrom<Vec<f64>> for GoodScores {
    type Error = EvaluateError;

    fn try_from(mut scores: Vec<f64>) -> Result<Self, EvaluateError> {
        if scores.is_empty() {
            return Err(EvaluateError::TooFew { what: "scores of good parts", got: 0, need: 1 });
        }
        finite("scores of good parts", &scores)?;
        scores.sort_by(f64::total_cmp);
        Ok(Self(scores))
    }
}

impl From<GoodScores> for Vec<f64> {
    fn from(scores: GoodScores) -> Self {
        scores.0
    }
}

/// Names the first row that is not finite.
pub(super) fn finite(what: &'static str, scores: &[f64]) -> Result<(), EvaluateError> {
    match scores.iter().position(|score| !score.is_finite()) {
        Some(row) => Err(EvaluateError::NotFinite { what, row }),
        None => Ok(()),
    }
}

/// A threshold, and whether it is proven or only estimated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AlarmThreshold {
    /// The promise holds.
    Proven(ProvenThreshold),
    /// Nothing is promised.
    Estimated(EstimatedThreshold),
}

impl AlarmThreshold {
    /// The score above which a part alarms.
    pub fn threshold(&self) -> f64 {
        match self {
            Self::Proven(proven) => proven.threshold,
            Self::Estimated(estimated) => estimated.threshold,
        }
    }

    /// Whether a part with this score alarms. A score that is not a number does: it must not pass for a good part.
    pub fn alarms(&self, score: f64) -> bool {
        alarms(score, self.threshold())
    }
}

/// Whether `score` is above `threshold`, or not a number.
pub(super) fn alarms(score: f64, threshold: f64) -> bool {
    score.is_nan() || score > threshold
}

/// A threshold with its promise: with the stated confidence, at most `false_alarm_rate` of good parts score above it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenThreshold {
    /// A part with a score above this alarms.
    pub threshold: f64,
    /// The promised largest share of false alarms.
    pub false_alarm_rate: f64,
    /// How sure the promise is.
    pub confidence: f64,
    /// Which of the good scores carries the promise, counted from the smallest, which is 1.
    pub rank: usize,
    /// Number of good scores: parts, or groups of parts.
    pub n: usize,
}

/// The good parts do not suffice for the promise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unproven {
    /// Fewest good parts (or groups) with which it can be proved.
    pub need: usize,
    /// How many there are.
    pub n: usize,
    /// The smallest false-alarm rate that can be proved with those, at the same confidence.
    pub best_rate: f64,
}

/// The proven threshold where there is one, else the estimate of [`super::estimated_threshold`] for the same rate.
pub fn alarm_threshold(good: &GoodScores, promise: Promise) -> AlarmThreshold {
    match proven_threshold(good, promise) {
        Ok(proven) => AlarmThreshold::Proven(proven),
        Err(_) => AlarmThreshold::Estimated(fit_tail(good, promise.false_alarm_rate)),
    }
}

/// Finds the lowest order statistic of the good scores that keeps the promise.
///
/// It is the smallest rank r with `P(Beta(n + 1 - r, r) <= false_alarm_rate) >= confidence` (Vovk 2012, Conditional validity of
/// inductive conformal predictors; the tolerance limits of Wilks 1941).
pub fn proven_threshold(good: &GoodScores, promise: Promise) -> Result<ProvenThreshold, Unproven> {
    let n = good.n();
    let Promise { false_alarm_rate, confidence } = promise;
    // A higher rank makes a lower rate, so the ranks that keep the promise are the last ones.
    let keeps = |rank: usize| beta_reg((n + 1 - rank) as f64, rank as f64, false_alarm_rate) >= confidence;
    let (mut fails, mut rank) = (0, n);
    if !keeps(n) {
        let need = needed(promise).max(n + 1);
        return Err(Unproven { need, n, best_rate: best_provable_rate(n, confidence) });
    }
    while rank - fails > 1 {
        let middle = fails + (rank - fails) / 2;
        if keeps(middle) { rank = middle } else { fails = middle }
    }
    Ok(ProvenThreshold { threshold: good.nth(rank), false_alarm_rate, confidence, rank, n })
}

/// The smallest false-alarm rate that `n` good parts (or groups) can prove: `1 - (1 - confidence)^(1/n)`, 1 when there are none.
///
/// It is the rate promised by the largest score as the threshold. `confidence` is in (0, 1).
pub fn best_provable_rate(n: usize, confidence: f64) -> f64 {
    if n == 0 { 1.0 } else { -((1.0 - confidence).ln() / n as f64).exp_m1() }
}

/// Fewest good parts (or groups) that can keep the promise: the first n with `(1 - false_alarm_rate)^n <= 1 - confidence`.
pub fn parts_needed(false_alarm_rate: f64, confidence: f64) -> Result<usize, EvaluateError> {
    Promise::new(false_alarm_rate, confidence).map(needed)
}

fn needed(promise: Promise) -> usize {
    ((1.0 - promise.confidence).ln() / (-promise.false_alarm_rate).ln_1p()).ceil() as usize
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    fn promise(rate: f64, confidence: f64) -> Promise {
        Promise::new(rate, confidence).unwrap()
    }

    fn counted(n: usize) -> GoodScores {
        GoodScores::of_parts(&(1..=n).map(|score| score as f64).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_parts_needed_agree_with_the_table_of_methods() {
        let table = [(0.1, 29), (0.05, 59), (0.02, 149), (0.01, 299), (0.005, 598), (0.001, 2995)];
        for (rate, need) in table {
            assert_eq!(parts_needed(rate, 0.95).unwrap(), need, "{rate}");
            assert!(best_provable_rate(need, 0.95) <= rate && best_provable_rate(need - 1, 0.95) > rate);
            assert_eq!(proven_threshold(&counted(need), promise(rate, 0.95)).unwrap().rank, need);
            let unproven = proven_threshold(&counted(need - 1), promise(rate, 0.95)).unwrap_err();
            assert_eq!((unproven.need, unproven.n), (need, need - 1));
        }
        for (rate, n, rank) in [(0.05, 100, 99), (0.05, 200, 196), (0.01, 1000, 996)] {
            let proven = proven_threshold(&counted(n), promise(rate, 0.95)).unwrap();
            assert_eq!((proven.rank, proven.threshold), (rank, rank as f64));
        }
    }

    /// Share of 500 redraws of n uniform scores, rounded down to `1 / levels`, whose true false-alarm rate breaks the promise.
    fn broken(n: usize, promise: Promise, levels: Option<f64>) -> f64 {
        let runs = 500;
        let mut broken = 0;
        for run in 0..runs {
            let mut rng = Seed(run).rng();
            let draw = |_| {
                let score = random::uniform(&mut rng);
                levels.map_or(score, |levels| (score * levels).floor() / levels)
            };
            let good = GoodScores::of_parts(&(0..n).map(draw).collect::<Vec<_>>()).unwrap();
            let threshold = proven_threshold(&good, promise).unwrap().threshold;
            // P(score > threshold), exactly: with levels, those above are the levels from the next one on.
            let rate = 1.0 - threshold - levels.map_or(0.0, |levels| 1.0 / levels);
            broken += usize::from(rate > promise.false_alarm_rate() + 1e-12);
        }
        broken as f64 / runs as f64
    }

    #[test]
    fn the_promise_is_broken_no_more_often_than_stated() {
        // Three standard errors of a share measured on 500 redraws.
        let room = |delta: f64| 3.0 * (delta * (1.0 - delta) / 500.0).sqrt();
        for (n, rate, confidence) in [(60, 0.05, 0.95), (200, 0.05, 0.9), (100, 0.1, 0.8), (300, 0.01, 0.95)]
        {
            let promise = promise(rate, confidence);
            let (delta, share) = (1.0 - confidence, broken(n, promise, None));
            assert!(share <= delta + room(delta), "{n} {rate} {confidence}: {share}");
            // Ties may only make it safer.
            let tied = broken(n, promise, Some(20.0));
            assert!(tied <= delta + room(delta), "{n} {rate} {confidence}: {tied} with ties");
        }
        // And it is not wastefully safe: 59 parts are the fewest for 5 %.
        assert!(broken(59, promise(0.05, 0.95), None) > 0.02);
    }

    #[test]
    fn marks_on_good_photos_are_as_rare_as_promised() {
        // Maps of 64 cells that have more in common the nearer they are; a photo has a mark where its highest cell is above the limit.
        let promise = promise(0.1, 0.95);
        let peak = |rng: &mut _| {
            let shared = random::normal(rng);
            (0..64).map(|_| shared + random::normal(rng)).fold(f64::NEG_INFINITY, f64::max)
        };
        let broken = (0..500).filter(|run| {
            let mut rng = Seed(*run).rng();
            let good = GoodScores::of_parts(&(0..60).map(|_| peak(&mut rng)).collect::<Vec<_>>()).unwrap();
            let limit = proven_threshold(&good, promise).unwrap().threshold;
            let marked = (0..2000).filter(|_| peak(&mut rng) > limit).count();
            marked as f64 > 0.1 * 2000.0
        });
        // 5 % of 500, and three standard errors.
        assert!(broken.count() <= 25 + 15);
    }

    #[test]
    fn groups_count_once_and_keep_the_promise_where_parts_would_not() {
        // Ten parts of a lot share most of their score, so thirty lots of ten know little more than thirty parts.
        let (lots, size, promise) = (30, 10, promise(0.1, 0.95));
        let (mut broken, mut broken_by_parts) = (0, 0);
        for run in 0..500 {
            let mut rng = Seed(run).rng();
            let mut lot = || -> Vec<f64> {
                let shared = 3.0 * random::normal(&mut rng);
                (0..size).map(|_| shared + random::normal(&mut rng)).collect()
            };
            let scores: Vec<f64> = (0..lots).flat_map(|_| lot()).collect();
            let groups: Vec<u32> = (0..lots * size).map(|row| (row / size) as u32).collect();
            let fresh: Vec<f64> = (0..100).flat_map(|_| lot()).collect();
            let breaks = |good: GoodScores| {
                let threshold = proven_threshold(&good, promise).unwrap().threshold;
                let alarms = fresh.iter().filter(|score| **score > threshold).count();
                usize::from(alarms as f64 > 0.1 * fresh.len() as f64)
            };
            let by_group = GoodScores::of_groups(&scores, &groups).unwrap();
            assert_eq!(by_group.n(), lots);
            broken += breaks(by_group);
            broken_by_parts += breaks(GoodScores::of_parts(&scores).unwrap());
        }
        assert!(broken <= 25, "{broken} of 500");
        assert!(broken_by_parts > 100, "{broken_by_parts} of 500");
    }

    #[test]
    fn a_score_that_is_not_a_number_alarms_and_is_no_good_score() {
        let threshold = alarm_threshold(&counted(100), promise(0.05, 0.95));
        assert!(matches!(threshold, AlarmThreshold::Proven(_)));
        assert!(threshold.alarms(f64::NAN) && threshold.alarms(100.0));
        // A score equal to the threshold is that of a good part.
        assert!(!threshold.alarms(99.0) && !threshold.alarms(f64::NEG_INFINITY));
        let bad = GoodScores::of_parts(&[1.0, f64::NAN]);
        assert!(matches!(bad, Err(EvaluateError::NotFinite { row: 1, .. })));
        assert!(matches!(GoodScores::of_parts(&[]), Err(EvaluateError::TooFew { .. })));
        assert!(matches!(GoodScores::of_groups(&[1.0], &[]), Err(EvaluateError::Shape { .. })));
        assert!(Promise::new(0.0, 0.95).is_err() && Promise::new(0.1, f64::NAN).is_err());
        assert_eq!(best_provable_rate(0, 0.95), 1.0);
    }

    #[test]
    fn storing_changes_nothing_and_unknown_fields_are_refused() {
        let rules = [
            alarm_threshold(&counted(100), promise(0.05, 0.95)),
            alarm_threshold(&counted(100), promise(0.01, 0.95)),
            alarm_threshold(&counted(8), promise(0.01, 0.95)),
        ];
        for rule in rules {
            let text = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<AlarmThreshold>(&text).unwrap(), rule, "{text}");
            let extended = text.replacen("\"n\":", "\"m\":1,\"n\":", 1);
            assert!(serde_json::from_str::<AlarmThreshold>(&extended).is_err(), "{extended}");
        }
        let good: GoodScores = serde_json::from_str("[2.5, 1.0]").unwrap();
        assert_eq!(good.sorted(), [1.0, 2.5]);
        assert!(serde_json::from_str::<GoodScores>("[]").is_err());
    }
}
