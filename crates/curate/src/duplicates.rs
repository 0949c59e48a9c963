//! The same example more than once, exactly or nearly (methods 4.1).
//!
//! `j` is a near duplicate of `i` when their distance is below 0.13 times the median distance to the nearest neighbour (the
//! rule of cleanlab 2.9). Exact copies do not count in that median: on a set with many of them it would collapse to zero and
//! near ones would be missed.

use linalg::{Matrix, MatrixView, Metric, Neighbours, knn};
use rayon::prelude::*;

use crate::fingerprint::{Fingerprint, PROFILE};
use crate::joined::Joined;
use crate::looks::{Look, VALUES};
use crate::{CurateError, nearest};

/// Share of the median nearest distance below which two examples are the same.
const NEAR: f32 = 0.13;
/// Distances up to this are rounding: the vectors are equal.
const EXACT: f32 = 1e-6;
/// Neighbours looked at.
const NEIGHBOURS: usize = 10;

/// Neighbours by features, and as many by content, whose pixels or loudness are compared.
const LOOKED_AT: usize = 5;
/// Share of the usual difference of contents below which two are the same.
const NEAR_CONTENT: f32 = 0.13;
/// The usual difference is at most this: pictures that have nothing to do with each other do not say what is the same.
const UNLIKE: f32 = 0.2;
/// The same of sounds.
const UNLIKE_SOUNDS: f32 = 0.35;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Duplicates {
    /// Rows that are the same or nearly so, each set ascending, sets in order of their first row.
    pub components: Vec<Vec<usize>>,
    /// `[n]`: 0 for a row with an exact copy, toward 1 for a row that is like no other.
    pub scores: Vec<f32>,
}

/// Finds duplicates among the rows of `x`, `[n, d]`.
pub fn duplicates(x: MatrixView<'_>) -> Result<Duplicates, CurateError> {
    Ok(duplicates_among(&nearest(x)?, x.rows()))
}

/// Finds duplicates among `n` rows whose neighbours are known.
pub fn duplicates_among(near: &Neighbours, n: usize) -> Duplicates {
    if near.k == 0 {
        return Duplicates { components: Vec::new(), scores: vec![1.0; n] };
    }
    let median = median_nearest(near, n);
    let score = |row: usize| {
        let distance = near.distances[row * near.k];
        if median > 0.0 { 1.0 - (-distance / median).exp() } else { 0.0 }
    };
    let scores = (0..n).map(score).collect();
    let limit = (NEAR * median).max(EXACT);
    let mut joined = Joined::new(n);
    for row in 0..n {
        for (other, distance) in near.of(row).take(NEIGHBOURS) {
            if distance <= limit {
                joined.join(row, other);
            }
        }
    }
    Duplicates { components: joined.sets(), scores }
}

/// As [`duplicates_among`], of pictures: a neighbour is the same as well when it *looks* the same, by [`Look::difference`]. `looks`
/// is `[n]`, absent where there is no picture. What counts as the same follows from the set, as it does by features: parts of one
/// kind in one light all look alike.
pub fn duplicates_of_pictures(near: &Neighbours, looks: &[Option<Look>]) -> Duplicates {
    let how = Compared { length: VALUES, row: Look::whole, difference: Look::difference, unlike: UNLIKE };
    how.duplicates(near, looks)
}

/// As [`duplicates_of_pictures`], of sounds: what *goes* the same, by [`Fingerprint::difference`], begun later or ended earlier.
pub fn duplicates_of_sounds(near: &Neighbours, fingerprints: &[Option<Fingerprint>]) -> Duplicates {
    let how = Compared {
        length: PROFILE,
        row: Fingerprint::profile,
        difference: Fingerprint::difference,
        unlike: UNLIKE_SOUNDS,
    };
    how.duplicates(near, fingerprints)
}

/// How the contents of two examples are compared.
struct Compared<T> {
    /// Numbers of a row.
    length: usize,
    /// The numbers by which some are chosen to be compared.
    row: fn(&T) -> Vec<f32>,
    difference: fn(&T, &T) -> f32,
    /// The usual difference is at most this.
    unlike: f32,
}

impl<T: Sync> Compared<T> {
    fn duplicates(&self, near: &Neighbours, contents: &[Option<T>]) -> Duplicates {
        let n = contents.len();
        let mut found = duplicates_among(near, n);
        if near.k == 0 {
            return found;
        }
        let pairs = self.alike(near, contents);
        let limit = NEAR * median_nearest(near, n);
        let mut least: Vec<f32> = vec![f32::INFINITY; n];
        for (row, other, difference) in &pairs {
            let known = near.distances[row * near.k] <= limit;
            for row in [*row, *other].into_iter().filter(|_| !known) {
                least[row] = least[row].min(*difference);
            }
        }
        let mut apart: Vec<f32> = least.into_iter().filter(|least| least.is_finite()).collect();
        apart.sort_by(f32::total_cmp);
        let usual = apart.get(apart.len() / 2).copied().unwrap_or(0.0).min(self.unlike);
        let mut joined = Joined::new(n);
        for pair in found.components.iter().flat_map(|set| set.windows(2)) {
            joined.join(pair[0], pair[1]);
        }
        for (row, other, difference) in pairs {
            if difference < NEAR_CONTENT * usual {
                joined.join(row, other);
                let score = 1.0 - (-difference / usual).exp();
                [row, other].into_iter().for_each(|row| found.scores[row] = found.scores[row].min(score));
            }
        }
        Duplicates { components: joined.sets(), scores: found.scores }
    }

    /// How different the nearest are, by features and by contents: compression moves the features of plain pictures far. Each pair
    /// once.
    fn alike(&self, near: &Neighbours, contents: &[Option<T>]) -> Vec<(usize, usize, f32)> {
        let none = || vec![0.0; self.length];
        let rows: Vec<f32> = contents
            .par_iter()
            .flat_map_iter(|content| content.as_ref().map_or_else(none, self.row))
            .collect();
        let rows = Matrix::from_vec(contents.len(), self.length, rows);
        let by_content = knn(rows.view(), LOOKED_AT, Metric::Euclidean);
        let of = |row: usize| {
            let mut others: Vec<usize> = near.of(row).take(LOOKED_AT).map(|(other, _)| other).collect();
            others.extend(by_content.of(row).map(|(other, _)| other));
            others.into_iter().map(move |other| (row.min(other), row.max(other)))
        };
        let mut pairs: Vec<(usize, usize)> = (0..contents.len()).flat_map(of).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let compared = |(row, other): (usize, usize)| {
            let (a, b) = contents[row].as_ref().zip(contents[other].as_ref())?;
            Some((row, other, (self.difference)(a, b)))
        };
        pairs.into_par_iter().filter_map(compared).collect()
    }
}

/// The median distance to the nearest row that is not equal; 0 when all are equal.
fn median_nearest(near: &Neighbours, n: usize) -> f32 {
    let nearest = (0..n).map(|row| near.distances[row * near.k]);
    let mut apart: Vec<f32> = nearest.filter(|distance| *distance > EXACT).collect();
    apart.sort_by(f32::total_cmp);
    apart.get(apart.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use linalg::{Matrix, Seed, random};

    use super::*;

    fn cloud(n: usize) -> Matrix {
        let mut rng = Seed(2).rng();
        Matrix::from_vec(n, 20, (0..n * 20).map(|_| random::normal(&mut rng) as f32).collect())
    }

    #[test]
    fn copies_and_near_copies_are_found_and_nothing_else() {
        let mut x = cloud(40);
        let copy = x.row(3).to_vec();
        x.row_mut(17).copy_from_slice(&copy);
        x.row_mut(30).iter_mut().zip(&copy).for_each(|(to, from)| *to = from + 0.01);
        let found = duplicates(x.view()).unwrap();
        assert_eq!(found.components, [vec![3, 17, 30]]);
        assert!(found.scores[3] < 1e-3 && found.scores[0] > 0.4);
    }

    #[test]
    fn many_exact_copies_do_not_hide_the_near_ones() {
        let x = cloud(20);
        let mut rows: Vec<usize> = (0..20).chain(0..15).collect();
        rows.push(19);
        let mut x = x.select_rows(&rows);
        x.row_mut(35).iter_mut().for_each(|value| *value += 0.01);
        let found = duplicates(x.view()).unwrap();
        assert!(found.components.contains(&vec![19, 35]), "{:?}", found.components);
        assert_eq!(found.components.len(), 16);
    }

    #[test]
    fn few_and_equal_rows_are_defined() {
        assert!(duplicates(cloud(1).view()).unwrap().components.is_empty());
        let alone = nearest(cloud(1).view()).unwrap();
        assert!(duplicates_of_pictures(&alone, &[None]).components.is_empty());
        assert_eq!(duplicates_of_sounds(&alone, &[None]).scores, [1.0]);
        let equal = Matrix::from_vec(5, 4, vec![1.0; 20]);
        assert_eq!(duplicates(equal.view()).unwrap().components, [vec![0, 1, 2, 3, 4]]);
        let bad = Matrix::from_vec(2, 1, vec![0.0, f32::NAN]);
        assert_eq!(duplicates(bad.view()), Err(CurateError::NotFinite { row: 1 }));
    }
}
