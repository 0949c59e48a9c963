//! How well the scores of parts tell defects from good parts.

use linalg::Seed;
use rayon::prelude::*;

use super::alarm::{alarms, finite};
use super::resample::{DRAWS, Strata};
use crate::bbc::members_of;
use crate::{Estimate, EvaluateError, clopper_pearson};

/// The chance that a part with a defect scores above a good one, ties counting half, with a 95 % bootstrap interval.
///
/// `scores`, `defect` and `groups` are `[n]`; parts of one group are drawn together, defects and good parts apart. From average
/// ranks (methods 2.7). Not a number when one of the two kinds is missing.
pub fn auroc(scores: &[f64], defect: &[bool], groups: &[u32], seed: Seed) -> Result<Estimate, EvaluateError> {
    bootstrapped(scores, defect, groups, seed, |ranking, weights| ranking.auroc(weights))
}

/// The mean over defects of the share of defects among parts that score at least as high, with a 95 % bootstrap interval.
///
/// Parts of equal score come in one step, as in scikit-learn. Arguments and undefined values are those of [`auroc`].
pub fn average_precision(
    scores: &[f64],
    defect: &[bool],
    groups: &[u32],
    seed: Seed,
) -> Result<Estimate, EvaluateError> {
    bootstrapped(scores, defect, groups, seed, |ranking, weights| ranking.average_precision(weights))
}

/// How much more often one detector ranks a defect above a good part than another does on the same parts, and the standard
/// error of that difference (DeLong et al. 1988).
///
/// `one`, `other`, `defect` and `groups` are `[n]`; a tie counts half. Parts of one group count as one in the error (Obuchowski
/// 1997, without what the defects and the good parts of one group share). Not a number with fewer than two groups of defects or
/// of good parts.
pub fn auroc_difference(
    one: &[f64],
    other: &[f64],
    defect: &[bool],
    groups: &[u32],
) -> Result<(f64, f64), EvaluateError> {
    check(one, defect, groups.len())?;
    check(other, defect, groups.len())?;
    let (one, other) = (Placements::new(one, defect), Placements::new(other, defect));
    let apart =
        |one: &[f64], other: &[f64]| -> Vec<f64> { one.iter().zip(other).map(|(a, b)| a - b).collect() };
    let groups_of = |kind: bool| -> Vec<u32> {
        let of_kind = groups.iter().zip(defect).filter(|(_, defect)| **defect == kind);
        of_kind.map(|(group, _)| *group).collect()
    };
    let (difference, of_defects) = mean_and_error(&apart(&one.defects, &other.defects), &groups_of(true));
    let (_, of_good) = mean_and_error(&apart(&one.good, &other.good), &groups_of(false));
    Ok((difference, of_defects.hypot(of_good)))
}

/// For every defect the share of good parts that score below it, for every good part the share of defects above it.
struct Placements {
    defects: Vec<f64>,
    good: Vec<f64>,
}

impl Placements {
    fn new(scores: &[f64], defect: &[bool]) -> Self {
        let of_kind = |kind: bool| -> Vec<f64> {
            let found = scores.iter().zip(defect).filter(|(_, defect)| **defect == kind);
            found.map(|(score, _)| *score).collect()
        };
        let (defects, good) = (of_kind(true), of_kind(false));
        Self {
            good: good.iter().map(|score| 1.0 - share_below(&defects, *score)).collect(),
            defects: defects.iter().map(|score| share_below(&good, *score)).collect(),
        }
    }
}

/// Share of the scores that are lower, those that are equal counting half.
fn share_below(scores: &[f64], score: f64) -> f64 {
    let below = scores.iter().filter(|other| **other < score).count() as f64;
    let equal = scores.iter().filter(|other| **other == score).count() as f64;
    (below + 0.5 * equal) / scores.len() as f64
}

/// The mean and its standard error, whole groups being what is drawn.
fn mean_and_error(values: &[f64], groups: &[u32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let members = members_of(groups);
    let apart = |rows: &Vec<usize>| rows.iter().map(|row| values[*row] - mean).sum::<f64>().powi(2);
    let (squares, k) = (members.iter().map(apart).sum::<f64>(), members.len() as f64);
    (mean, (squares * k / (k - 1.0)).sqrt() / n)
}

/// Share of the defects that alarm at a threshold, with the exact 95 % interval. A score that is not a number alarms.
///
/// `scores`, `defect` and `groups` are `[n]`. At worst the defects of one group are all found or all missed, so the interval is
/// that of as many defects as there are groups of them, and that number is its n.
pub fn recall_at(scores: &[f64], defect: &[bool], groups: &[u32], threshold: f64) -> Estimate {
    let rows: Vec<usize> = (0..scores.len()).filter(|row| defect[*row]).collect();
    let found = rows.iter().filter(|row| alarms(scores[**row], threshold)).count();
    let n = members_of(&rows.iter().map(|row| groups[*row]).collect::<Vec<_>>()).len();
    let all = rows.len().max(1);
    Estimate {
        value: found as f64 / all as f64,
        low: clopper_pearson(found * n / all, n, 0.95).low,
        high: clopper_pearson((found * n).div_ceil(all), n, 0.95).high,
        n,
    }
}

/// Share of the good parts that alarm at a threshold, with the exact 95 % interval. A score that is not a number alarms.
///
/// `scores` and `defect` are `[n]`. The interval takes the parts as independent; give one row for each group otherwise.
pub fn false_alarms_at(scores: &[f64], defect: &[bool], threshold: f64) -> Estimate {
    let good = || scores.iter().zip(defect).filter(|(_, defect)| !**defect);
    let alarmed = good().filter(|(score, _)| alarms(**score, threshold)).count();
    clopper_pearson(alarmed, good().count(), 0.95)
}

/// What one threshold does to the parts that were measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TradeOff {
    /// A part with a score above this alarms.
    pub threshold: f64,
    /// Share of the good parts that alarm; 0 when there are none.
    pub false_alarms: f64,
    /// Share of the defects that do not alarm; 0 when there are none.
    pub missed: f64,
}

/// Missed defects against false alarms at every threshold that makes a difference, from "nothing alarms" to "everything does".
///
/// `scores` and `defect` are `[n]`. The thresholds are the scores themselves, descending, and one just below the smallest.
pub fn trade_off(scores: &[f64], defect: &[bool]) -> Result<Vec<TradeOff>, EvaluateError> {
    check(scores, defect, defect.len())?;
    let ranking = Ranking::new(scores, defect);
    let weights = vec![1; scores.len()];
    let [n_good, n_defects] = ranking.totals(&weights).map(|total| total.max(1.0));
    let n_found = |found: f64| (n_defects - found) / n_defects;
    let (mut good, mut found) = (0.0, 0.0);
    let mut curve = Vec::with_capacity(ranking.ties.len() + 1);
    let any_defect = defect.contains(&true);
    let mut at = |threshold, good: f64, found| {
        let missed = if any_defect { n_found(found) } else { 0.0 };
        curve.push(TradeOff { threshold, false_alarms: good / n_good, missed });
    };
    for tie in &ranking.ties {
        at(scores[tie[0]], good, found);
        let [tied_good, tied_defects] = ranking.count(tie, &weights);
        good += tied_good;
        found += tied_defects;
    }
    if let Some(last) = ranking.ties.last() {
        at(scores[last[0]].next_down(), good, found);
    }
    Ok(curve)
}

fn check(scores: &[f64], defect: &[bool], n_groups: usize) -> Result<(), EvaluateError> {
    for (what, got) in [("defect", defect.len()), ("groups", n_groups)] {
        if got != scores.len() {
            return Err(EvaluateError::Shape { what, got, expected: scores.len() });
        }
    }
    finite("scores", scores)
}

fn bootstrapped(
    scores: &[f64],
    defect: &[bool],
    groups: &[u32],
    seed: Seed,
    metric: impl Fn(&Ranking<'_>, &[u32]) -> f64 + Sync,
) -> Result<Estimate, EvaluateError> {
    check(scores, defect, groups.len())?;
    let (ranking, strata) = (Ranking::new(scores, defect), Strata::new(defect, groups));
    let value = metric(&ranking, &vec![1; scores.len()]);
    let draws = (0..DRAWS).into_par_iter().map(|index| metric(&ranking, &strata.draw(seed, index))).collect();
    Ok(strata.interval(value, draws))
}

/// Rows of equal score together, the highest first. Sorted once; every draw is only other weights.
struct Ranking<'a> {
    ties: Vec<Vec<usize>>,
    defect: &'a [bool],
}

impl<'a> Ranking<'a> {
    fn new(scores: &[f64], defect: &'a [bool]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        // Compared with `==` below, so that the two zeros are one score.
        order.sort_by(|a, b| (scores[*b] + 0.0).total_cmp(&(scores[*a] + 0.0)).then(a.cmp(b)));
        let ties = order.chunk_by(|a, b| scores[*a] == scores[*b]).map(<[_]>::to_vec).collect();
        Self { ties, defect }
    }

    /// Weights of the good and of the defective rows.
    fn count(&self, rows: &[usize], weights: &[u32]) -> [f64; 2] {
        let mut counts = [0; 2];
        rows.iter().for_each(|row| counts[usize::from(self.defect[*row])] += u64::from(weights[*row]));
        counts.map(|count| count as f64)
    }

    fn totals(&self, weights: &[u32]) -> [f64; 2] {
        self.ties.iter().map(|tie| self.count(tie, weights)).fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]])
    }

    fn auroc(&self, weights: &[u32]) -> f64 {
        let [n_good, n_defects] = self.totals(weights);
        let (mut below, mut wins) = (n_good, 0.0);
        for tie in &self.ties {
            let [good, defects] = self.count(tie, weights);
            below -= good;
            wins += defects * (below + good / 2.0);
        }
        wins / (n_good * n_defects)
    }

    fn average_precision(&self, weights: &[u32]) -> f64 {
        let [n_good, n_defects] = self.totals(weights);
        if n_good == 0.0 {
            return f64::NAN;
        }
        let (mut found, mut seen, mut sum) = (0.0, 0.0, 0.0);
        for tie in &self.ties {
            let [good, defects] = self.count(tie, weights);
            found += defects;
            seen += good + defects;
            if defects > 0.0 {
                sum += defects * found / seen;
            }
        }
        sum / n_defects
    }
}

#[cfg(test)]
mod tests {
    use linalg::random;
    use statrs::distribution::{ContinuousCDF, Normal};

    use super::*;

    fn own_groups(n: usize) -> Vec<u32> {
        (0..n as u32).collect()
    }

    #[track_caller]
    fn check_values(scores: &[f64], defect: &[bool], expected_auroc: f64, expected_precision: f64) {
        let groups = own_groups(scores.len());
        let close =
            |got: f64, expected: f64| (got - expected).abs() < 1e-12 || got.is_nan() && expected.is_nan();
        let got = auroc(scores, defect, &groups, Seed(0)).unwrap();
        assert!(close(got.value, expected_auroc), "{got:?}");
        let got = average_precision(scores, defect, &groups, Seed(0)).unwrap();
        assert!(close(got.value, expected_precision), "{got:?}");
    }

    #[test]
    fn values_agree_with_a_hand_count() {
        check_values(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true], 0.75, 5.0 / 6.0);
        // All tied: nothing is known, and precision is the share of defects.
        check_values(&[1.0; 4], &[true, false, false, false], 0.5, 0.25);
        check_values(&[0.0, -0.0], &[true, false], 0.5, 0.5);
        check_values(&[1.0, 2.0], &[true, true], f64::NAN, f64::NAN);
        check_values(&[1.0, 2.0], &[false, false], f64::NAN, f64::NAN);
        check_values(&[], &[], f64::NAN, f64::NAN);
    }

    #[test]
    fn the_error_of_a_difference_is_that_of_redraws() {
        // Two noisy views of the same parts, the second a little better.
        let draw = |seed: usize| {
            let mut rng = Seed(9).nth(seed).rng();
            let defect: Vec<bool> = (0..80).map(|row| row < 30).collect();
            let (mut one, mut other) = (Vec::new(), Vec::new());
            for defect in &defect {
                let truth = f64::from(u8::from(*defect)) + random::normal(&mut rng);
                one.push(truth + 0.8 * random::normal(&mut rng));
                other.push(truth + 0.5 * random::normal(&mut rng));
            }
            auroc_difference(&other, &one, &defect, &own_groups(80)).unwrap()
        };
        let drawn: Vec<(f64, f64)> = (0..400).map(draw).collect();
        let differences: Vec<f64> = drawn.iter().map(|(difference, _)| *difference).collect();
        let (mean, of_mean) = mean_and_error(&differences, &own_groups(400));
        let (spread, told) = (of_mean * 20.0, drawn.iter().map(|(_, error)| error).sum::<f64>() / 400.0);
        assert!(mean > 0.01, "{mean}");
        assert!((told / spread - 1.0).abs() < 0.1, "told {told}, was {spread}");
        let (scores, defect) = ([1.0, 2.0, 3.0, 4.0], [false, true, false, true]);
        assert_eq!(auroc_difference(&scores, &scores, &defect, &own_groups(4)).unwrap(), (0.0, 0.0));
    }

    #[test]
    fn copies_in_one_group_say_no_more_than_one_part() {
        let mut rng = Seed(4).rng();
        let defect: Vec<bool> = (0..40).map(|row| row < 15).collect();
        let mut draw = || -> Vec<f64> {
            defect.iter().map(|defect| f64::from(u8::from(*defect)) + random::normal(&mut rng)).collect()
        };
        let (one, other) = (draw(), draw());
        let five = |values: &[f64]| -> Vec<f64> { values.iter().flat_map(|value| [*value; 5]).collect() };
        let copied: Vec<bool> = defect.iter().flat_map(|defect| [*defect; 5]).collect();
        let groups: Vec<u32> = (0..40).flat_map(|group| [group; 5]).collect();
        let close = |got: (f64, f64), expected: (f64, f64)| {
            assert!(
                (got.0 - expected.0).abs() < 1e-12 && (got.1 - expected.1).abs() < 1e-12,
                "{got:?} {expected:?}"
            );
        };
        let parts = auroc_difference(&one, &other, &defect, &own_groups(40)).unwrap();
        close(auroc_difference(&five(&one), &five(&other), &copied, &groups).unwrap(), parts);
        let recall = recall_at(&five(&one), &copied, &groups, 0.5);
        assert_eq!(recall, recall_at(&one, &defect, &own_groups(40), 0.5));
        // Half of a group: the interval holds those of no defect found and of one.
        let half = recall_at(&[0.0, 1.0], &[true; 2], &[7; 2], 0.5);
        assert_eq!((half.value, half.low, half.high, half.n), (0.5, 0.0, 1.0, 1));
    }

    #[test]
    fn order_and_copies_do_not_matter() {
        let mut rng = Seed(5).rng();
        let defect: Vec<bool> = (0..60).map(|row| row % 3 == 0).collect();
        let scores: Vec<f64> =
            defect.iter().map(|d| (f64::from(*d) + random::normal(&mut rng)).round()).collect();
        let value = |rows: &[usize]| {
            let scores: Vec<f64> = rows.iter().map(|row| scores[*row]).collect();
            let defect: Vec<bool> = rows.iter().map(|row| defect[*row]).collect();
            let groups = own_groups(rows.len());
            let auroc = auroc(&scores, &defect, &groups, Seed(1)).unwrap().value;
            (auroc, average_precision(&scores, &defect, &groups, Seed(1)).unwrap().value)
        };
        let plain: Vec<usize> = (0..60).collect();
        let (a, p) = value(&plain);
        let mut shuffled = plain.clone();
        random::shuffle(&mut shuffled, &mut rng);
        let twice: Vec<usize> = plain.iter().chain(&plain).copied().collect();
        for (other_a, other_p) in [value(&shuffled), value(&twice)] {
            assert!((a - other_a).abs() < 1e-12 && (p - other_p).abs() < 1e-12);
        }
    }

    #[test]
    fn the_interval_covers_and_groups_widen_it() {
        // Normal scores a distance of 1 apart: the truth is Phi(1 / sqrt 2).
        let truth = Normal::standard().cdf(0.5_f64.sqrt());
        let (runs, mut covered) = (100, 0);
        for run in 0..runs {
            let mut rng = Seed(run).rng();
            let defect: Vec<bool> = (0..90).map(|row| row < 30).collect();
            let scores: Vec<f64> = defect.iter().map(|d| f64::from(*d) + random::normal(&mut rng)).collect();
            let estimate = auroc(&scores, &defect, &own_groups(90), Seed(9)).unwrap();
            covered += usize::from(estimate.low <= truth && truth <= estimate.high);
        }
        assert!(covered >= 88, "{covered} of {runs}");
        // Ten copies of each part are worth one.
        let mut rng = Seed(3).rng();
        let defect: Vec<bool> = (0..300).map(|row| row / 10 < 10).collect();
        let parts: Vec<f64> = (0..30).map(|row| f64::from(row < 10) + random::normal(&mut rng)).collect();
        let scores: Vec<f64> = (0..300).map(|row| parts[row / 10]).collect();
        let groups: Vec<u32> = (0..300).map(|row| row / 10).collect();
        let width = |groups: &[u32]| {
            let estimate = auroc(&scores, &defect, groups, Seed(1)).unwrap();
            estimate.high - estimate.low
        };
        assert!(width(&groups) > 2.0 * width(&own_groups(300)));
    }

    #[test]
    fn the_curve_runs_from_silence_to_constant_alarm() {
        let curve = trade_off(&[3.0, 1.0, 2.0, 1.0], &[true, false, false, true]).unwrap();
        let points: Vec<_> = curve.iter().map(|point| (point.false_alarms, point.missed)).collect();
        assert_eq!(points, [(0.0, 1.0), (0.0, 0.5), (0.5, 0.5), (1.0, 0.0)]);
        assert!(curve.is_sorted_by(|a, b| a.threshold > b.threshold));
        for point in &curve {
            let (scores, defect) = ([3.0, 1.0, 2.0, 1.0], [true, false, false, true]);
            let recall = recall_at(&scores, &defect, &own_groups(4), point.threshold);
            assert_eq!(recall.value, 1.0 - point.missed);
        }
        assert!(trade_off(&[], &[]).unwrap().is_empty());
        assert!(trade_off(&[1.0], &[false]).unwrap().iter().all(|point| point.missed == 0.0));
    }

    #[test]
    fn recall_has_the_exact_interval_and_broken_scores_alarm() {
        let scores: Vec<f64> = (0..20).map(f64::from).collect();
        let recall = recall_at(&scores, &[true; 20], &own_groups(20), 1.0);
        assert!((recall.value - 0.9).abs() < 1e-12 && (recall.low - 0.6830).abs() < 5e-4, "{recall:?}");
        assert_eq!(recall_at(&[f64::NAN], &[true], &[0], 1.0).value, 1.0);
        assert_eq!(false_alarms_at(&[f64::NAN, 0.0], &[false, false], 1.0).value, 0.5);
        assert_eq!(false_alarms_at(&[], &[], 1.0).n, 0);
        let broken = auroc(&[0.0, f64::NAN], &[true, false], &[0, 1], Seed(0));
        assert!(matches!(broken, Err(EvaluateError::NotFinite { row: 1, .. })));
        assert!(auroc(&[0.0], &[true], &[], Seed(0)).is_err());
    }
}
