//! Exact nearest neighbours (methods 0.4): chosen and ordered by distances in double precision.

use crate::sieve::Asked;
use crate::{Matrix, MatrixView};

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

fn search(queries: MatrixView<'_>, bank: MatrixView<'_>, k: usize, metric: Metric, same: bool) -> Neighbours {
    if k == 0 {
        return Neighbours { k, indices: Vec::new(), distances: Vec::new() };
    }
    match metric {
        Metric::Euclidean => sifted(queries, bank, k, same, f64::sqrt),
        Metric::Cosine => {
            let is_zero = |x: MatrixView<'_>| x.iter_rows().any(|row| row.iter().all(|value| *value == 0.0));
            let has_zeros = is_zero(bank) || is_zero(queries);
            let of_bank = unit(bank, has_zeros);
            let of_queries = (!same).then(|| unit(queries, has_zeros));
            let of_queries = of_queries.as_ref().unwrap_or(&of_bank).view();
            // Of unit vectors: |a - b|^2 = 2 - 2 cos.
            let mut found = sifted(of_queries, of_bank.view(), k, same, |square| 0.5 * square);
            if has_zeros {
                of_nowhere(&mut found, queries, same);
            }
            found
        }
    }
}

fn sifted(
    queries: MatrixView<'_>,
    bank: MatrixView<'_>,
    k: usize,
    same: bool,
    distance: impl Fn(f64) -> f64,
) -> Neighbours {
    let n = queries.rows();
    let mut found = Neighbours { k, indices: vec![0; n * k], distances: vec![0.0; n * k] };
    let nearest = Asked { queries, bank, k, same }.all();
    let rows = found.indices.chunks_mut(k).zip(found.distances.chunks_mut(k));
    for ((indices, distances), nearest) in rows.zip(nearest) {
        for (place, (square, row)) in nearest.of.into_iter().enumerate() {
            indices[place] = u32::try_from(row).expect("fewer than 2^32 rows fit in memory");
            distances[place] = distance(square) as f32;
        }
    }
    found
}

/// Answers zero vectors: everything is at distance 1 from them.
fn of_nowhere(found: &mut Neighbours, queries: MatrixView<'_>, same: bool) {
    let k = found.k;
    for (query, row) in queries.iter_rows().enumerate() {
        if row.iter().all(|value| *value == 0.0) {
            let others = (0_u32..).filter(|other| !same || *other as usize != query);
            found.indices[query * k..(query + 1) * k].iter_mut().zip(others).for_each(|(to, row)| *to = row);
            found.distances[query * k..(query + 1) * k].fill(1.0);
        }
    }
}

/// Vectors of length 1. With `room` there is one more column, along which zero vectors lie: at a right angle to all others, as
/// their distance says.
fn unit(x: MatrixView<'_>, room: bool) -> Matrix {
    let cols = x.cols() + usize::from(room);
    let mut unit = Matrix::zeros(x.rows(), cols);
    for (row, from) in x.iter_rows().enumerate() {
        let to = unit.row_mut(row);
        let length = crate::dot(from, from).sqrt();
        if length > 0.0 {
            to.iter_mut().zip(from).for_each(|(to, value)| *to = (f64::from(*value) / length) as f32);
        } else if room {
            to[cols - 1] = 1.0;
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

    /// Few directions matter, so that short forms tell most pairs apart; or none does, so that they tell nothing.
    fn spread(n: usize, d: usize, decay: f32) -> Matrix {
        let mut x = cloud(n, d);
        for row in 0..n {
            let at = row as f32;
            for (col, value) in x.row_mut(row).iter_mut().enumerate() {
                *value =
                    *value / (1.0 + decay * col as f32) + if col == row % 7 { 3.0 } else { 0.0 } + at * 1e-4;
            }
        }
        x
    }

    #[test]
    fn many_rows_are_sifted_and_the_answer_is_the_same() {
        for (decay, metric) in [(1.0, Metric::Cosine), (1.0, Metric::Euclidean), (0.0, Metric::Euclidean)] {
            let x = spread(2500, 150, decay);
            let found = knn(x.view(), 6, metric);
            for row in [0, 63, 64, 1023, 1024, 2047, 2499] {
                let got: Vec<usize> = found.of(row).map(|(index, _)| index).collect();
                assert_eq!(got, naive(&x, row, 6, metric), "{metric:?} {decay} {row}");
            }
            let between = knn_between(x.view(), x.view(), 7, metric);
            for row in [5, 1500] {
                let got: Vec<usize> = between.of(row).map(|(index, _)| index).collect();
                assert_eq!(got[0], row);
                assert_eq!(got[1..], naive(&x, row, 6, metric), "{metric:?} {decay} {row}");
            }
        }
    }

    #[test]
    fn far_from_the_origin_neighbours_are_found_as_well() {
        let mut x = cloud(300, 9);
        x.data_mut().iter_mut().for_each(|value| *value = 1000.0 + 1e-2 * *value);
        let found = knn(x.view(), 5, Metric::Euclidean);
        for row in [0, 150, 299] {
            let got: Vec<usize> = found.of(row).map(|(index, _)| index).collect();
            assert_eq!(got, naive(&x, row, 5, Metric::Euclidean), "{row}");
        }
    }

    #[test]
    fn answers_do_not_depend_on_threads() {
        let x = spread(2300, 140, 1.0);
        let expected = knn(x.view(), 5, Metric::Cosine);
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            assert_eq!(pool.install(|| knn(x.view(), 5, Metric::Cosine)), expected);
        }
    }

    #[test]
    fn more_neighbours_than_a_piece_has_rows() {
        let x = cloud(1100, 3);
        let found = knn(x.view(), 1099, Metric::Euclidean);
        let mut all: Vec<usize> = found.of(17).map(|(index, _)| index).collect();
        assert_eq!(all[..50], naive(&x, 17, 50, Metric::Euclidean));
        all.sort_unstable();
        assert!(all.into_iter().eq((0..1100).filter(|row| *row != 17)));
    }

    #[test]
    fn what_single_precision_cannot_tell_apart_is_chosen_by_double() {
        // The further down the list, the nearer to the first row, by parts of 10^-10.
        let n = 2100;
        let mut x = spread(n, 140, 1.0);
        x.row_mut(0).fill(0.0);
        for row in n - 40..n {
            x.row_mut(row).fill(0.0);
            (x.row_mut(row)[0], x.row_mut(row)[1]) = (0.1, (n - row) as f32 * 1e-6);
        }
        let expected: Vec<usize> = (n - 5..n).rev().collect();
        let got = |found: Neighbours| found.of(0).map(|(index, _)| index).collect::<Vec<_>>();
        assert_eq!(got(knn(x.view(), 5, Metric::Euclidean)), expected);
        for n_queries in [1, 20] {
            let queries = x.select_rows(&[0].repeat(n_queries));
            let bank = x.select_rows(&(1..n).collect::<Vec<_>>());
            let found = knn_between(queries.view(), bank.view(), 5, Metric::Euclidean);
            assert_eq!(got(found), expected.iter().map(|row| row - 1).collect::<Vec<_>>(), "{n_queries}");
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
