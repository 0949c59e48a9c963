//! Is this like anything seen before? Mahalanobis distance with shrinkage, as a p-value (methods 6.6).
//!
//! Features are brought to length 1 (Mahalanobis++, Mueller and Hein 2025) and measured from the nearest class mean, in the
//! strongest within-class directions and, with one common variance, in all others together: at n < d the part outside the
//! training span says the most. P-values compare with distances of examples that were held out, group by group; of one of several
//! senses the tail is continued beyond the largest, so that few examples do not keep a black picture from being noticed.

use std::collections::BTreeMap;

use linalg::decompose::row_space;
use linalg::{Matrix, MatrixView, Seed};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::EvaluateError;

/// Directions kept with a variance of their own: 48 x 1,280 values are 240 KB in a bundle.
const DIRECTIONS: usize = 48;
/// Fewest examples for which a p-value means anything, and a tail is long enough to be continued.
const FEWEST: usize = 20;
/// Largest distances that the tail is continued from; half of all where there are less than twice as many.
const TAIL: usize = 20;
/// Distances below this share of the largest count as that: the logarithm of none is no number.
const LEAST: f64 = 1e-6;
/// Shrinkage of the variances toward their mean.
const SHRINKAGE: f64 = 0.1;

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Knows what familiar examples look like.
#[derive(Debug, Clone, PartialEq)]
pub struct OodDetector {
    model: Model,
    /// Distances of held-out familiar examples, ascending.
    distances: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq)]
struct Model {
    /// `[k, d]`.
    means: Matrix<f32>,
    /// `[r, d]`, orthonormal.
    directions: Matrix<f32>,
    /// `[r]`, and the one of everything else.
    variances: Vec<f64>,
    rest: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    variances: Vec<f64>,
    rest: f64,
    distances: Vec<f64>,
}

impl OodDetector {
    /// Learns from `x`, `[n, d]`, with `strata`, `[n]`: classes, or one for all. `None` with fewer than 20 examples, or where they are one fold.
    ///
    /// `folds` is `[n]`: the fold each row is held out in when its distance is measured.
    pub fn fit(x: MatrixView<'_>, strata: &[u32], folds: &[u8]) -> Option<Self> {
        if x.rows() < FEWEST {
            return None;
        }
        let unit = unit_rows(x);
        let n_folds = folds.iter().max().map_or(0, |fold| *fold as usize + 1);
        // Of one group nothing is left to compare with what is held out.
        if folds.iter().all(|fold| *fold == folds[0]) {
            return None;
        }
        let held_out: Vec<Vec<f64>> = (0..n_folds)
            .into_par_iter()
            .map(|fold| {
                let (outside, inside): (Vec<usize>, Vec<usize>) =
                    (0..unit.rows()).partition(|row| usize::from(folds[*row]) != fold);
                let labels: Vec<u32> = outside.iter().map(|row| strata[*row]).collect();
                let model = Model::fit(&unit.select_rows(&outside), &labels);
                inside.iter().map(|row| model.distance(unit.row(*row))).collect()
            })
            .collect();
        let mut distances = held_out.concat();
        distances.sort_by(f64::total_cmp);
        Some(Self { model: Model::fit(&unit, strata), distances })
    }

    /// The share of familiar examples that look at least as strange, in (0, 1]. Small means unfamiliar.
    ///
    /// That is a conformal p-value: it promises what it says, and is never below `1 / (n + 1)`.
    pub fn p_value(&self, x: &[f32]) -> f64 {
        self.counted(self.model.distance(&unit_row(x)))
    }

    /// The same, and beyond the largest held-out distance a part of the smallest such (`beyond`): for who has other senses to rely on
    /// and must not trust a broken one. What is lost by a wrong suspicion is one sense, not the answer.
    pub fn p_value_with_tail(&self, x: &[f32]) -> f64 {
        let distance = self.model.distance(&unit_row(x));
        let largest = self.distances.last().copied().unwrap_or(f64::INFINITY);
        let counted = self.counted(distance);
        if distance <= largest { counted } else { counted * beyond(&self.distances, distance) }
    }

    fn counted(&self, distance: f64) -> f64 {
        let n = self.distances.len();
        let nearer = self.distances.partition_point(|other| *other < distance);
        (1 + n - nearer) as f64 / (n + 1) as f64
    }

    /// Number of features it looks at.
    pub fn dim(&self) -> usize {
        self.model.means.cols()
    }

    /// Structure and tensors, for storing.
    pub fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let stored = Stored {
            variances: self.model.variances.clone(),
            rest: self.model.rest,
            distances: self.distances.clone(),
        };
        let tensor = |matrix: &Matrix<f32>| (vec![matrix.rows(), matrix.cols()], matrix.data().to_vec());
        let tensors = Tensors::from([
            ("means".to_owned(), tensor(&self.model.means)),
            ("directions".to_owned(), tensor(&self.model.directions)),
        ]);
        (serde_json::to_value(stored).expect("a detector has finite numbers"), tensors)
    }

    /// The reverse of [`OodDetector::to_tensors`]; everything that came from a file is checked.
    pub fn from_tensors(structure: &serde_json::Value, tensors: &Tensors) -> Result<Self, EvaluateError> {
        let damaged = |detail: String| EvaluateError::Stored { detail };
        let stored = Stored::deserialize(structure).map_err(|error| damaged(error.to_string()))?;
        let matrix = |name: &str| match tensors.get(name) {
            Some((shape, values))
                if shape.len() == 2 && shape[0].checked_mul(shape[1]) == Some(values.len()) =>
            {
                Ok(Matrix::from_vec(shape[0], shape[1], values.clone()))
            }
            _ => Err(damaged(format!("tensor `{name}` is missing or has another shape"))),
        };
        let (means, directions) = (matrix("means")?, matrix("directions")?);
        if means.cols() != directions.cols()
            || directions.rows() != stored.variances.len()
            || means.rows() == 0
            || stored.distances.is_empty()
            || !stored.distances.is_sorted()
        {
            return Err(damaged("its tensors do not fit together".to_owned()));
        }
        let model = Model { means, directions, variances: stored.variances, rest: stored.rest };
        Ok(Self { model, distances: stored.distances })
    }

    /// Deals rows into the folds that [`OodDetector::fit`] wants, whole groups together.
    pub fn folds(groups: &[u32], seed: Seed) -> Vec<u8> {
        dataset::split::folds(&vec![0; groups.len()], groups, 5, seed.derive("familiar"))
    }
}

impl Model {
    fn fit(unit: &Matrix<f32>, strata: &[u32]) -> Self {
        let (n, d) = (unit.rows(), unit.cols());
        let mut present = strata.to_vec();
        present.sort_unstable();
        present.dedup();
        let mut sums = Matrix::<f64>::zeros(present.len(), d);
        let mut counts = vec![0_usize; present.len()];
        let place = |label: u32| present.binary_search(&label).expect("the list was made of these labels");
        for (row, label) in unit.iter_rows().zip(strata) {
            counts[place(*label)] += 1;
            sums.row_mut(place(*label))
                .iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += f64::from(*value));
        }
        for (class, count) in counts.iter().enumerate() {
            sums.row_mut(class).iter_mut().for_each(|sum| *sum /= *count as f64);
        }
        let mut within = unit.map(f64::from);
        for (row, label) in strata.iter().enumerate() {
            within
                .row_mut(row)
                .iter_mut()
                .zip(sums.row(place(*label)))
                .for_each(|(value, mean)| *value -= mean);
        }
        let degrees = n.saturating_sub(present.len()).max(1) as f64;
        let total = within.data().iter().map(|value| value * value).sum::<f64>() / degrees;
        let space = row_space(within.view());
        let r = space.basis.rows().min(DIRECTIONS).min((n / 4).max(1));
        let variance = |direction: usize| {
            space.coordinates.iter_rows().map(|row| row[direction] * row[direction]).sum::<f64>() / degrees
        };
        let own: Vec<f64> = (0..r).map(variance).collect();
        // What is left is spread over the directions the data spans and, by the shrinkage, over all.
        let mean = (total / d as f64).max(1e-12);
        let rest = ((total - own.iter().sum::<f64>()).max(0.0)
            / (space.basis.rows().saturating_sub(r)).max(1) as f64)
            .min(mean);
        let shrink = |value: f64| (1.0 - SHRINKAGE) * value + SHRINKAGE * mean;
        Self {
            means: sums.map(|value| value as f32),
            directions: space.basis.select_rows(&(0..r).collect::<Vec<_>>()).map(|value| value as f32),
            variances: own.into_iter().map(shrink).collect(),
            rest: shrink(rest),
        }
    }

    /// Distance to the nearest class mean.
    fn distance(&self, x: &[f32]) -> f64 {
        self.means.iter_rows().map(|mean| self.distance_from(x, mean)).fold(f64::INFINITY, f64::min)
    }

    fn distance_from(&self, x: &[f32], mean: &[f32]) -> f64 {
        let off: Vec<f32> = x.iter().zip(mean).map(|(x, mean)| x - mean).collect();
        let mut outside = linalg::dot(&off, &off);
        let mut distance = 0.0;
        for (direction, variance) in self.directions.iter_rows().zip(&self.variances) {
            let along = linalg::dot(&off, direction);
            outside -= along * along;
            distance += along * along / variance;
        }
        distance + outside.max(0.0) / self.rest
    }
}

/// How often an example that is further than all of `distances`, ascending, is as far as `distance`.
///
/// Where the tail falls by a power of the distance, the gaps between the logarithms of the largest distances, each times how many are as
/// far, are exponential with one mean (Renyi 1953), and so is the gap of one example more beyond the largest. Its share of their
/// sum `T` over `k` gaps then is above `r` with probability `(1 + r)^-k`, exactly and without knowing the mean. Tails that fall faster, as
/// those of distances do, give smaller gaps at the end: there the true share is lower still.
fn beyond(distances: &[f64], distance: f64) -> f64 {
    let n = distances.len();
    let (k, largest) = (TAIL.min(n / 2), distances[n - 1]);
    let log = |distance: f64| distance.max(LEAST * largest).ln();
    let gap = |rank: usize| log(distances[n - rank]) - log(distances[n - rank - 1]);
    let total: f64 = (1..=k).map(|rank| (rank + 1) as f64 * gap(rank)).sum();
    // Where all are as far, nothing is known of how the tail falls.
    if total > 0.0 { (1.0 + (log(distance) - log(largest)) / total).powi(-(k as i32)) } else { 1.0 }
}

fn unit_rows(x: MatrixView<'_>) -> Matrix<f32> {
    let rows: Vec<Vec<f32>> = x.iter_rows().map(unit_row).collect();
    Matrix::from_rows(&rows)
}

fn unit_row(x: &[f32]) -> Vec<f32> {
    let length = linalg::dot(x, x).sqrt();
    let inverse = if length > 0.0 { 1.0 / length } else { 0.0 };
    x.iter().map(|value| (f64::from(*value) * inverse) as f32).collect()
}

#[cfg(test)]
mod tests {
    use linalg::random;

    use super::*;

    fn cloud(n: usize, d: usize, offset: f64, seed: u64) -> Matrix<f32> {
        let mut rng = Seed(seed).rng();
        let value = |at: usize, noise: f64| {
            ((at % d < 3) as u8 as f64 * (2.0 + offset) + noise * if at % d < 6 { 1.0 } else { 0.3 }) as f32
        };
        Matrix::from_vec(n, d, (0..n * d).map(|at| value(at, random::normal(&mut rng))).collect())
    }

    fn detector(n: usize) -> OodDetector {
        let groups: Vec<u32> = (0..n as u32).collect();
        OodDetector::fit(cloud(n, 40, 0.0, 1).view(), &vec![0; n], &OodDetector::folds(&groups, Seed(1)))
            .unwrap()
    }

    #[test]
    fn fresh_familiar_examples_have_even_p_values() {
        let detector = detector(100);
        let fresh = cloud(600, 40, 0.0, 2);
        let small = fresh.iter_rows().filter(|row| detector.p_value(row) < 0.1).count();
        assert!((20..110).contains(&small), "{small} of 600 below 0.1");
    }

    #[test]
    fn strangers_have_small_p_values() {
        let detector = detector(100);
        let strangers = cloud(100, 40, -6.0, 3);
        let small = strangers.iter_rows().filter(|row| detector.p_value(row) < 0.05).count();
        assert!(small > 95, "{small}");
    }

    #[test]
    fn few_examples_do_not_hide_a_stranger() {
        for n in [20, 30, 52] {
            let detector = detector(n);
            let strangers = cloud(50, 40, -6.0, 3);
            let missed = strangers.iter_rows().filter(|row| detector.p_value_with_tail(row) >= 0.01).count();
            assert!(missed <= 2, "{missed} of 50 strangers beside {n} examples");
        }
    }

    #[test]
    fn beyond_the_largest_distance_no_more_are_called_strange_than_promised() {
        let (draws, mut rng) = (6000, Seed(5).rng());
        // Heavy tails are the worst that is promised for, light ones are what distances have.
        let mut draw = |heavy: bool| match heavy {
            true => random::uniform(&mut rng).max(1e-12).recip(),
            false => (0..8).map(|_| random::normal(&mut rng).powi(2)).sum::<f64>(),
        };
        for (n, heavy) in [10, 19, 30, 52].into_iter().flat_map(|n| [(n, true), (n, false)]) {
            let strange = (0..draws).filter(|_| {
                let mut known: Vec<f64> = (0..n).map(|_| draw(heavy)).collect();
                known.sort_by(f64::total_cmp);
                let fresh = draw(heavy);
                fresh > known[n - 1] && beyond(&known, fresh) / (n + 1) as f64 <= 0.01
            });
            // Of one in a hundred three standard errors to each side.
            let share = strange.count() as f64 / f64::from(draws);
            assert!(share < 0.014 && (!heavy || share > 0.006), "{n}, heavy {heavy}: {share}");
        }
    }

    #[test]
    fn a_tail_of_equal_distances_is_not_continued() {
        assert_eq!(beyond(&[2.0; 12], 5.0), 1.0);
        assert_eq!(beyond(&[0.0; 12], 5.0), 1.0);
        assert_eq!(beyond(&[2.0], 5.0), 1.0);
    }

    #[test]
    fn storing_changes_nothing() {
        let detector = detector(50);
        let (structure, tensors) = detector.to_tensors();
        let text = serde_json::to_string(&structure).unwrap();
        let back = OodDetector::from_tensors(&serde_json::from_str(&text).unwrap(), &tensors).unwrap();
        assert_eq!(back.model.means, detector.model.means);
        let x = cloud(1, 40, 1.0, 9);
        assert_eq!(back.p_value(x.row(0)), detector.p_value(x.row(0)));
        assert!(OodDetector::from_tensors(&structure, &Tensors::new()).is_err());
    }

    #[test]
    fn a_single_group_says_nothing_of_what_is_familiar() {
        let folds = OodDetector::folds(&[0; 30], Seed(1));
        assert_eq!(OodDetector::fit(cloud(30, 40, 0.0, 1).view(), &[0; 30], &folds), None);
    }

    #[test]
    fn few_or_equal_examples_are_defined() {
        assert!(OodDetector::fit(cloud(5, 4, 0.0, 1).view(), &[0; 5], &[0, 1, 2, 3, 4]).is_none());
        let equal = Matrix::from_vec(20, 3, vec![1.0; 60]);
        let groups: Vec<u32> = (0..20).collect();
        let detector =
            OodDetector::fit(equal.view(), &[0; 20], &OodDetector::folds(&groups, Seed(1))).unwrap();
        assert_eq!(detector.p_value(&[1.0, 1.0, 1.0]), 1.0);
    }
}
