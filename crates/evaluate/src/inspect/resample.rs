//! Bootstrap draws of parts: good parts and parts with defects are drawn apart, groups are drawn whole.

use linalg::{Seed, random};

use crate::bbc::members_of;
use crate::estimate::quantile;
use crate::{Estimate, clopper_pearson};

/// Draws of an interval.
pub(super) const DRAWS: usize = 1000;

/// The parts of a test set, dealt into what is drawn together and what is drawn apart.
pub(super) struct Strata {
    /// Stratum, group, rows. A group with any defect is in the stratum of defects.
    strata: Vec<Vec<Vec<usize>>>,
    n_rows: usize,
}

impl Strata {
    /// `defect` and `groups` are `[n]`.
    pub(super) fn new(defect: &[bool], groups: &[u32]) -> Self {
        let has_defect = |rows: &Vec<usize>| rows.iter().any(|row| defect[*row]);
        let (with, without): (Vec<_>, Vec<_>) = members_of(groups).into_iter().partition(has_defect);
        let strata = [with, without].into_iter().filter(|stratum| !stratum.is_empty()).collect();
        Self { strata, n_rows: defect.len() }
    }

    /// How often each row is drawn: `[n]`.
    pub(super) fn draw(&self, seed: Seed, index: usize) -> Vec<u32> {
        let mut rng = seed.derive("inspect").nth(index).rng();
        let mut weights = vec![0; self.n_rows];
        for stratum in &self.strata {
            for _ in 0..stratum.len() {
                let drawn = &stratum[random::below(&mut rng, stratum.len())];
                drawn.iter().for_each(|row| weights[*row] += 1);
            }
        }
        weights
    }

    /// The 95 % interval of a value in [0, 1] from its draws; those that are not a number say nothing.
    ///
    /// A record without mistakes has no spread to draw from. No interval reaches further up than that of Clopper and Pearson for
    /// as many successes as the rarer kind has groups, nor less far down: with m groups of defects, a kind of defect that is
    /// always missed can hide with a share of `1 - 0.025^(1/m)`.
    pub(super) fn interval(&self, value: f64, draws: Vec<f64>) -> Estimate {
        let mut draws: Vec<f64> = draws.into_iter().filter(|draw| !draw.is_nan()).collect();
        if value.is_nan() || draws.is_empty() {
            return Estimate { value, low: 0.0, high: 1.0, n: self.n_rows };
        }
        draws.sort_by(f64::total_cmp);
        let rarer = self.strata.iter().map(Vec::len).min().unwrap_or(0);
        let perfect = clopper_pearson(rarer, rarer, 0.95).low;
        let (low, high) = (quantile(&draws, 0.025), quantile(&draws, 0.975));
        Estimate {
            value,
            low: low.min(perfect).min(value),
            high: high.max(1.0 - perfect).max(value),
            n: self.n_rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_keep_their_numbers_and_groups_stay_whole() {
        let defect = [true, false, false, true, false, false];
        let strata = Strata::new(&defect, &[0, 1, 1, 2, 3, 3]);
        for index in 0..50 {
            let weights = strata.draw(Seed(1), index);
            assert_eq!(weights[0] + weights[3], 2);
            assert_eq!(weights[1] + weights[4], 2);
            assert!(weights[1] == weights[2] && weights[4] == weights[5]);
        }
        assert_ne!(strata.draw(Seed(1), 0), strata.draw(Seed(2), 0));
    }

    #[test]
    fn a_perfect_record_still_leaves_something_open() {
        let strata = Strata::new(&[true, true, false, false, false], &[0, 1, 2, 3, 4]);
        let estimate = strata.interval(1.0, vec![1.0; 100]);
        assert!((estimate.low - 0.025_f64.sqrt()).abs() < 1e-9 && estimate.high == 1.0, "{estimate:?}");
        let nothing = strata.interval(f64::NAN, Vec::new());
        assert!(nothing.value.is_nan() && nothing.low == 0.0 && nothing.high == 1.0);
    }
}
