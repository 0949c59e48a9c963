//! Examples that are far from all others, measured by how far examples of this set usually are.

use linalg::Neighbours;

use super::{Checked, Evidence, Fault, middle_and_spread};

/// Neighbours whose distances are averaged: a clump of a dozen far away is found as well.
const NEIGHBOURS: usize = 20;
/// Fewer examples than this say nothing about what is usual.
const FEWEST: usize = 20;
/// Standard deviations of the logarithm above the middle from which an example is flagged.
const FAR: f64 = 3.0;
/// The least spread of the logarithm: distances that hardly differ do not make one of them an outlier.
const LEAST_SPREAD: f64 = 0.05;

/// Flags those of `n` rows whose mean distance to twenty neighbours has a logarithm three robust standard deviations above the
/// median. The score is `2^(-z / 3)`, 1 up to the median and below one half where flagged.
pub fn outliers(near: &Neighbours, n: usize) -> Checked {
    if n < FEWEST {
        return Checked::below(Fault::Outlier, vec![1.0; n], 0.0);
    }
    let log = |row: usize| {
        let distances: Vec<f64> =
            near.of(row).take(NEIGHBOURS).map(|(_, distance)| f64::from(distance)).collect();
        (distances.iter().sum::<f64>() / distances.len() as f64).max(1e-12).ln()
    };
    let logs: Vec<f64> = (0..n).map(log).collect();
    let (middle, spread) = middle_and_spread(&logs).unwrap_or_default();
    let spread = spread.max(LEAST_SPREAD);
    let score = |log: &f64| 0.5_f64.powf(((log - middle) / spread).max(0.0) / FAR);
    let checked = Checked::below(Fault::Outlier, logs.iter().map(score).collect(), 0.5);
    checked.because(|row| Evidence::Limit { value: (logs[row] - middle).exp(), limit: (FAR * spread).exp() })
}

#[cfg(test)]
mod tests {
    use linalg::{Matrix, Seed, random};

    use super::*;
    use crate::nearest;

    #[test]
    fn what_is_far_from_all_is_flagged_and_nothing_else() {
        let mut rng = Seed(4).rng();
        let mut x = Matrix::zeros(60, 6);
        for row in 0..60 {
            for (place, value) in x.row_mut(row).iter_mut().enumerate() {
                let centre = if place == usize::from(row == 7) { 3.0 } else { 0.0 };
                *value = (centre + 0.3 * random::normal(&mut rng)) as f32;
            }
        }
        assert_eq!(outliers(&nearest(x.view()).unwrap(), 60).flagged, [7]);
    }

    #[test]
    fn few_and_equal_rows_have_none() {
        for n in [0, 1, 5, 30] {
            let x = Matrix::from_vec(n, 4, vec![1.0; 4 * n]);
            let found = outliers(&nearest(x.view()).unwrap(), n);
            assert!(found.flagged.is_empty() && found.scores == vec![Some(1.0); n]);
        }
    }
}
