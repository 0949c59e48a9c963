//! Exact nearest neighbours by blocked products (methods 0.4).

use rayon::prelude::*;

use crate::{Matrix, MatrixView, matmul_nt};

/// Rows of queries whose distances are held at a time.
const BLOCK: usize = 256;

/// How far apart two vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// `1 - cos`, in [0, 2]; a zero vector is at distance 1 from everything.
    Cosine,
    /// The Euclidean distance.
    Euclidean,
}

/// The k nearest rows of every query, nearest first; ties go to the smaller index.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// How many neighbours each query has.
    pub k: usize,
    /// `[n, k]` row numbers.
    pub indices: Vec<u32>,
    /// `[n, k]` distances, ascending in each row.
    pub distances: Vec<f32>,
}

impl Neighbours {
    /// The neighbours of one query, nearest first.
    pub fn of(&self, row: usize) -> impl ExactSizeIterator<Item = (usize, f32)> + '_ {
        let range = row * self.k..(row + 1) * self.k;
        self.indices[range.clone()]
            .iter()
            .map(|index| *index as usize)
            .zip(self.distances[range].iter().copied())
    }
}

/// The `k` nearest other rows of each row of `x`, `[n, d]`. `k` is cut to n - 1.
pub fn knn(x: MatrixView<'_>, k: usize, metric: Metric) -> Neighbours {
    search(x, x, k.min(x.rows().saturating_sub(1)), metric, true)
}

/// The `k` rows of `bank` nearest to each row of `queries`. `k` is cut to the size of the bank.
pub fn knn_between(queries: MatrixView<'_>, bank: MatrixView<'_>, k: usize, metric: Metric) -> Neighbours {
    search(queries, bank, k.min(bank.rows()), metric, false)
}

fn search(
    queries: MatrixView<'_>,
    bank: MatrixView<'_>,
    k: usize,
    metric: Metric,
    skip_self: bool,
) -> Neighbours {
    let n = queries.rows();
    let mut found = Neighbours { k, indices: vec![0; n * k], distances: vec![0.0; n * k] };
    if k == 0 {
        return found;
    }
    let (queries, bank) = match metric {
        Metric::Cosine => (normalised(queries), normalised(bank)),
        Metric::Euclidean => (queries.to_owned(), bank.to_owned()),
    };
    // The squared lengths; for the cosine every bank vector counts as a unit vector, so that a zero one is at distance 1.
    let squares: Vec<f32> = match metric {
        Metric::Cosine => vec![1.0; bank.rows()],
        Metric::Euclidean => bank.iter_rows().map(|row| crate::dot(row, row) as f32).collect(),
    };
    for first in (0..n).step_by(BLOCK) {
        let rows: Vec<usize> = (first..(first + BLOCK).min(n)).collect();
        let block = queries.select_rows(&rows);
        let products = matmul_nt(block.view(), bank.view());
        let indices = found.indices[first * k..].par_chunks_mut(k);
        let distances = found.distances[first * k..].par_chunks_mut(k);
        indices.zip(distances).take(rows.len()).enumerate().for_each(|(row, (indices, distances))| {
            let skip = skip_self.then_some(first + row);
            let nearest = nearest(products.row(row), &squares, k, skip);
            exact(block.row(row), &bank, nearest, metric, indices, distances);
        });
    }
    found
}

/// The `k` smallest `|b|^2 - 2 a.b`, which orders like the distance.
fn nearest(products: &[f32], squares: &[f32], k: usize, skip: Option<usize>) -> Vec<usize> {
    let mut best: Vec<(f32, usize)> = Vec::with_capacity(k + 1);
    for (index, (product, square)) in products.iter().zip(squares).enumerate() {
        let key = square - 2.0 * product;
        let full = best.len() == k;
        if Some(index) == skip || (full && key >= best[k - 1].0) {
            continue;
        }
        let place = best.partition_point(|(other, _)| *other <= key);
        best.insert(place, (key, index));
        best.truncate(k);
    }
    best.into_iter().map(|(_, index)| index).collect()
}

/// Recomputes the survivors in double precision: in `f32` the cancellation makes equal vectors look 1e-3 apart.
fn exact(
    query: &[f32],
    bank: &Matrix,
    nearest: Vec<usize>,
    metric: Metric,
    indices: &mut [u32],
    distances: &mut [f32],
) {
    let mut found: Vec<(f64, usize)> = nearest
        .into_iter()
        .map(|index| {
            let square: f64 =
                query.iter().zip(bank.row(index)).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            let distance = match metric {
                Metric::Cosine if is_zero(query) || is_zero(bank.row(index)) => 1.0,
                // Of unit vectors: |a - b|^2 = 2 - 2 cos.
                Metric::Cosine => 0.5 * square,
                Metric::Euclidean => square.sqrt(),
            };
            (distance, index)
        })
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (place, (distance, index)) in found.into_iter().enumerate() {
        indices[place] = u32::try_from(index).expect("fewer than 2^32 rows fit in memory");
        distances[place] = distance as f32;
    }
}

fn is_zero(vector: &[f32]) -> bool {
    vector.iter().all(|value| *value == 0.0)
}

fn normalised(x: MatrixView<'_>) -> Matrix {
    let mut unit = x.to_owned();
    for row in 0..unit.rows() {
        let row = unit.row_mut(row);
        let length = crate::dot(row, row).sqrt();
        if length > 0.0 {
            row.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        }
    }
    unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, random};

    fn cloud(n: usize, d: usize) -> Matrix {
        let mut rng = Seed(2).rng();
        Matrix::from_vec(n, d, (0..n * d).map(|_| random::normal(&mut rng) as f32).collect())
    }

    fn naive(x: &Matrix, row: usize, k: usize, metric: Metric) -> Vec<usize> {
        let distance = |a: &[f32], b: &[f32]| match metric {
            Metric::Euclidean => a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>(),
            Metric::Cosine => 1.0 - crate::dot(a, b) / (crate::dot(a, a) * crate::dot(b, b)).sqrt(),
        };
        let mut order: Vec<usize> = (0..x.rows()).filter(|other| *other != row).collect();
        order.sort_by(|a, b| distance(x.row(row), x.row(*a)).total_cmp(&distance(x.row(row), x.row(*b))));
        order.truncate(k);
        order
    }

    #[test]
    fn neighbours_agree_with_the_naive_search() {
        let x = cloud(300, 9);
        for metric in [Metric::Cosine, Metric::Euclidean] {
            let found = knn(x.view(), 5, metric);
            for row in [0, 255, 256, 299] {
                let got: Vec<usize> = found.of(row).map(|(index, _)| index).collect();
                assert_eq!(got, naive(&x, row, 5, metric), "{metric:?} {row}");
            }
        }
    }

    #[test]
    fn equal_rows_are_at_distance_zero() {
        let mut x = cloud(4, 384);
        let copy = x.row(1).to_vec();
        x.row_mut(3).copy_from_slice(&copy);
        let found = knn(x.view(), 1, Metric::Cosine);
        assert_eq!(found.of(1).next(), Some((3, 0.0)));
    }

    #[test]
    fn a_zero_vector_is_at_cosine_distance_one() {
        let x = Matrix::from_rows(&[[0.0, 0.0], [1.0, 0.0], [1.0, 0.2], [0.0, 0.0], [0.0, 3.0]]);
        let found = knn(x.view(), 4, Metric::Cosine);
        assert!(found.of(0).all(|(_, distance)| distance == 1.0));
        assert_eq!(found.of(1).map(|(index, _)| index).collect::<Vec<_>>(), [2, 0, 3, 4]);
    }

    #[test]
    fn few_rows_give_few_neighbours() {
        assert_eq!(knn(cloud(3, 2).view(), 10, Metric::Euclidean).k, 2);
        assert_eq!(knn(cloud(1, 2).view(), 10, Metric::Euclidean).k, 0);
    }
}
