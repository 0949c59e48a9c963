//! Examples that are far from all others, measured by how far examples of this set usually are.

use std::collections::HashMap;

use linalg::Neighbours;

use super::{Checked, Evidence, Fault, middle_and_spread};

/// The neighbour whose distance counts: a clump of a dozen that lies far away cannot vouch for itself (Ramaswamy, Rastogi and Shim 2000,
/// SIGMOD).
const NEIGHBOUR: usize = 20;
/// The least that counts of a class with fewer examples, whose own are all the neighbours that it can have.
const NEAREST: usize = 5;
/// One example of so many is the furthest that counts.
const OF_ALL: usize = 6;
/// Fewer examples than this say nothing about what is usual.
const FEWEST: usize = 20;
/// Standard deviations of the logarithm above the middle from which an example is flagged.
const FAR: f64 = 3.0;
/// The least spread of the logarithm: distances that hardly differ do not make one of them an outlier.
const LEAST_SPREAD: f64 = 0.05;

/// Flags rows whose distance to the twentieth neighbour has a logarithm three robust standard deviations above the median; of a class with
/// fewer examples it is the last of their number, and never beyond a sixth of all. `labels` is `[n]`. The score is `2^(-z / 3)`, 1 up to the median and below one half where
/// flagged.
pub fn outliers(near: &Neighbours, labels: &[Option<u32>]) -> Checked {
    let n = labels.len();
    if n < FEWEST {
        return Checked::below(Fault::Outlier, vec![1.0; n], 0.0);
    }
    let mut counts: HashMap<u32, usize> = HashMap::new();
    labels.iter().flatten().for_each(|label| *counts.entry(*label).or_default() += 1);
    let log = |row: usize| {
        let others = labels[row].map_or(n, |label| counts[&label]) - 1;
        let counted = others.min(n / OF_ALL).clamp(NEAREST, NEIGHBOUR);
        let last = near.of(row).take(counted).last();
        last.map_or(0.0, |(_, distance)| f64::from(distance)).max(1e-12).ln()
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
        assert_eq!(outliers(&nearest(x.view()).unwrap(), &[None; 60]).flagged, [7]);
    }

    /// Two hundred rows in one cloud, and ten that lie together elsewhere.
    fn clump() -> Matrix {
        let mut rng = Seed(6).rng();
        let mut x = Matrix::zeros(210, 8);
        for row in 0..210 {
            for (place, value) in x.row_mut(row).iter_mut().enumerate() {
                let (centre, spread) =
                    if row < 200 { (f64::from(u8::from(place < 4)), 0.3) } else { (-1.0, 0.02) };
                *value = (centre + spread * random::normal(&mut rng)) as f32;
            }
        }
        x
    }

    #[test]
    fn a_clump_does_not_vouch_for_itself_unless_it_is_a_class() {
        let near = nearest(clump().view()).unwrap();
        let flagged = |labels: &[Option<u32>]| {
            let mut flagged = outliers(&near, labels).flagged;
            flagged.sort_unstable();
            flagged
        };
        let found = flagged(&[None; 210]);
        assert_eq!(found, (200..210).collect::<Vec<_>>());
        // Called by the names of others they are as far away.
        let mixed: Vec<Option<u32>> = (0..210).map(|row| Some(row % 2)).collect();
        assert_eq!(flagged(&mixed), found);
        let own: Vec<Option<u32>> = (0..210).map(|row| Some(u32::from(row >= 200))).collect();
        assert!(flagged(&own).iter().all(|row| *row < 200), "its own class");
    }

    #[test]
    fn few_and_equal_rows_have_none() {
        for n in [0, 1, 5, 30] {
            let x = Matrix::from_vec(n, 4, vec![1.0; 4 * n]);
            let found = outliers(&nearest(x.view()).unwrap(), &vec![None; n]);
            assert!(found.flagged.is_empty() && found.scores == vec![Some(1.0); n]);
        }
    }
}
