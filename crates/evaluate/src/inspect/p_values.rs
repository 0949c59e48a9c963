//! How surprising a score is among those of good parts, and which parts of a batch are defects (methods 2.6).

use super::alarm::GoodScores;

/// The share `(1 + #{good >= score}) / (n + 1)` of scores that are at least as high, the part itself included.
///
/// For a good part that is exchangeable with the others, `P(p <= alpha) <= alpha` on average over samples of good parts, ties
/// or not (Vovk et al. 2005). The smallest possible value is `1 / (n + 1)`; a score that is not a number gets that one.
pub fn conformal_p_value(good: &GoodScores, score: f64) -> f64 {
    let below = good.sorted().partition_point(|other| *other < score);
    let at_least = if score.is_nan() { 0 } else { good.n() - below };
    (1 + at_least) as f64 / (good.n() + 1) as f64
}

/// Which of a batch are called defects, so that on average at most `rate` of those called are good parts.
///
/// The procedure of Benjamini and Hochberg 1995: with m p-values, all up to the largest `p_(k) <= k rate / m`. It holds for
/// conformal p-values of one batch, which depend on each other through the good scores (Bates et al. 2023). A value
/// that is not a number is never called.
pub fn benjamini_hochberg(p_values: &[f64], rate: f64) -> Vec<bool> {
    let mut sorted: Vec<f64> = p_values.iter().copied().filter(|p| !p.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let m = p_values.len() as f64;
    let last = (0..sorted.len()).rev().find(|index| sorted[*index] <= (index + 1) as f64 * rate / m);
    let cut = last.map_or(f64::NEG_INFINITY, |index| sorted[index]);
    p_values.iter().map(|p| *p <= cut).collect()
}

/// The fewest of `m` parts that [`benjamini_hochberg`] can call with `n_good` good scores: `k` are called only when
/// `1 / (n_good + 1) <= k rate / m`, because no conformal p-value is smaller. `None` when even all of them cannot be.
pub fn fewest_called(n_good: usize, m: usize, rate: f64) -> Option<usize> {
    (1..=m).find(|called| can_be_called(*called, n_good, m, rate))
}

/// How many good scores it takes for `called` of `m` parts to be called; for rates that no number of parts reaches, the largest
/// number. `called` is from 1 to `m`.
pub fn good_needed_to_call(called: usize, m: usize, rate: f64) -> usize {
    let about = (m as f64 / (called as f64 * rate)).floor() as usize;
    // The quotient may be rounded over the edge; the comparison that decides is the procedure's own.
    let (least, most) = (about.saturating_sub(2), about.saturating_add(2));
    (least..=most).find(|n_good| can_be_called(called, *n_good, m, rate)).unwrap_or(about)
}

fn can_be_called(called: usize, n_good: usize, m: usize, rate: f64) -> bool {
    1.0 / (n_good as f64 + 1.0) <= called as f64 * rate / m as f64
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    /// Normal scores around `shift`, rounded to halves when `tied`.
    fn normals(n: usize, shift: f64, tied: bool, seed: Seed) -> Vec<f64> {
        let mut rng = seed.rng();
        let round = |score: f64| if tied { (2.0 * score).round() / 2.0 } else { score };
        (0..n).map(|_| round(shift + random::normal(&mut rng))).collect()
    }

    #[test]
    fn the_marginal_level_holds_with_and_without_ties() {
        for tied in [false, true] {
            for alpha in [0.05, 0.1, 0.2] {
                let (runs, fresh) = (500, 40);
                let mut alarms = 0;
                for run in 0..runs {
                    let seed = Seed(run);
                    let good = GoodScores::of_parts(&normals(50, 0.0, tied, seed.derive("good"))).unwrap();
                    let new = normals(fresh, 0.0, tied, seed.derive("new"));
                    alarms += new.iter().filter(|score| conformal_p_value(&good, **score) <= alpha).count();
                }
                let level = alarms as f64 / (runs as usize * fresh) as f64;
                // Fifty scores allow multiples of 1/51 only; the spread of the mean level over 500 samples is below 0.003.
                assert!(level <= alpha + 0.008, "{tied} {alpha}: {level}");
                assert!(tied || level >= alpha - 1.0 / 51.0 - 0.008, "{tied} {alpha}: {level}");
            }
        }
    }

    #[test]
    fn p_values_follow_the_formula() {
        let good = GoodScores::of_parts(&[1.0, 2.0, 2.0, 3.0]).unwrap();
        let p = |score| conformal_p_value(&good, score);
        assert_eq!([p(0.0), p(2.0), p(2.5), p(3.0), p(9.0)], [1.0, 0.8, 0.4, 0.4, 0.2]);
        assert_eq!([p(f64::NAN), p(f64::INFINITY), p(f64::NEG_INFINITY)], [0.2, 0.2, 1.0]);
    }

    /// Mean share of good parts among those called, over 500 batches of 60 good parts and 20 with defects.
    fn false_discoveries(p_values: impl Fn(&[f64], Seed) -> Vec<f64>, rate: f64) -> (f64, f64) {
        let (runs, n_good, n_defects) = (500, 60, 20);
        let (mut false_share, mut found) = (0.0, 0.0);
        for run in 0..runs {
            let seed = Seed(run);
            let mut batch = normals(n_good, 0.0, false, seed.derive("batch"));
            batch.extend(normals(n_defects, 3.5, false, seed.derive("defects")));
            let called = benjamini_hochberg(&p_values(&batch, seed), rate);
            let wrong = called[..n_good].iter().filter(|called| **called).count();
            let right = called[n_good..].iter().filter(|called| **called).count();
            false_share += wrong as f64 / (wrong + right).max(1) as f64 / runs as f64;
            found += right as f64 / n_defects as f64 / runs as f64;
        }
        (false_share, found)
    }

    #[test]
    fn the_share_of_false_discoveries_is_kept_in_a_mixed_batch() {
        for rate in [0.1, 0.2] {
            let conformal = |batch: &[f64], seed: Seed| {
                let good = GoodScores::of_parts(&normals(400, 0.0, false, seed.derive("good"))).unwrap();
                batch.iter().map(|score| conformal_p_value(&good, *score)).collect()
            };
            let (share, found) = false_discoveries(conformal, rate);
            // The exact value is at most the rate times the share of good parts, 3/4; the room is three standard errors.
            assert!(share <= 0.75 * rate + 0.02, "{share} at {rate}");
            assert!(found > 0.6, "{found}");
        }
    }

    #[test]
    fn independent_p_values_without_any_defect_are_called_as_rarely_as_stated() {
        let (runs, mut any) = (500, 0);
        for run in 0..runs {
            let mut rng = Seed(run).rng();
            let p_values: Vec<f64> = (0..50).map(|_| random::uniform(&mut rng)).collect();
            any += usize::from(benjamini_hochberg(&p_values, 0.1).contains(&true));
        }
        assert!(any as f64 <= 0.1 * runs as f64 + 3.0 * (0.09 * runs as f64).sqrt(), "{any} of {runs}");
    }

    #[test]
    fn what_can_be_called_at_all_follows_from_the_number_of_good_parts() {
        // Nine good scores give p-values from 0.1 on: at 10 % all of a batch or none, at 5 % none.
        assert_eq!(fewest_called(9, 20, 0.1), Some(20));
        assert_eq!(fewest_called(9, 20, 0.05), None);
        assert_eq!(fewest_called(199, 20, 0.1), Some(1));
        assert_eq!(fewest_called(9, 0, 0.1), None);
        for (called, m, rate) in [(1, 20, 0.1), (20, 20, 0.1), (3, 7, 0.07), (1, 1000, 0.01), (2, 3, 0.9)] {
            let needed = good_needed_to_call(called, m, rate);
            let p_values = |n_good: usize| {
                let smallest = 1.0 / (n_good + 1) as f64;
                (0..m).map(|part| if part < called { smallest } else { 1.0 }).collect::<Vec<f64>>()
            };
            let calls = |n_good: usize| benjamini_hochberg(&p_values(n_good), rate).contains(&true);
            assert!(calls(needed), "{called} of {m} at {rate}: {needed}");
            assert!(needed == 0 || !calls(needed - 1), "{called} of {m} at {rate}: {needed}");
        }
        // Rates beyond what can be counted.
        assert_eq!(good_needed_to_call(1, 8, 1e-20), usize::MAX);
        assert_eq!(good_needed_to_call(8, 8, 1e-300), usize::MAX);
        assert_eq!(fewest_called(20, 8, 1e-20), None);
    }

    #[test]
    fn ties_are_called_together_and_degenerate_batches_are_defined() {
        assert_eq!(benjamini_hochberg(&[0.02, 0.5, 0.02, 0.9], 0.05), [true, false, true, false]);
        // Neither passes alone at k = 1, both do at k = 2.
        assert_eq!(benjamini_hochberg(&[0.05, 0.04], 0.05), [true, true]);
        assert_eq!(benjamini_hochberg(&[f64::NAN, 0.01], 0.05), [false, true]);
        assert!(benjamini_hochberg(&[], 0.05).is_empty());
        assert_eq!(benjamini_hochberg(&[1.0; 3], 0.05), [false; 3]);
    }
}
