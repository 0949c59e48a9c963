//! Rows divided into neighbourhoods: k-means, started by k-means++ (Arthur and Vassilvitskii 2007).

use linalg::{Matrix, MatrixView, Seed, dot, matmul_nt, random, squared_distance};
use rayon::prelude::*;

/// Rounds after which the clusters are taken as they are.
const ROUNDS: usize = 25;

/// The cluster of every row of `x`, `[n, d]`, each below `k`; a cluster may end up empty. Values must be finite. With `k >= n`
/// every row that differs from those before it starts a cluster.
pub(crate) fn kmeans(x: MatrixView<'_>, k: usize, seed: Seed) -> Vec<usize> {
    if x.rows() == 0 {
        return Vec::new();
    }
    let mut centres = start(x, k.max(1), seed);
    let mut cluster_of = vec![usize::MAX; x.rows()];
    for _ in 0..ROUNDS {
        let nearest = assign(x, &centres);
        if nearest == cluster_of {
            break;
        }
        cluster_of = nearest;
        move_centres(x, &cluster_of, &mut centres);
    }
    cluster_of
}

/// Rows far from each other: each next one with a probability that grows with the squared distance to those before it.
fn start(x: MatrixView<'_>, k: usize, seed: Seed) -> Matrix {
    let mut rng = seed.derive("kmeans").rng();
    let mut picks = vec![random::below(&mut rng, x.rows())];
    let mut squared = vec![f32::INFINITY; x.rows()];
    while picks.len() < k {
        let last = x.row(picks[picks.len() - 1]);
        squared.par_iter_mut().enumerate().for_each(|(row, squared)| {
            *squared = squared.min(squared_distance(x.row(row), last));
        });
        let total: f64 = squared.iter().map(|squared| f64::from(*squared)).sum();
        if total <= 0.0 {
            break;
        }
        let mut left = random::uniform(&mut rng) * total;
        let drawn = squared.iter().position(|squared| {
            left -= f64::from(*squared);
            left < 0.0
        });
        // Rounding can leave a rest after the last row.
        let far = |row: &usize| squared[*row] > 0.0;
        picks.extend(drawn.or_else(|| (0..x.rows()).rev().find(far)));
    }
    let mut centres = Matrix::zeros(picks.len(), x.cols());
    picks.iter().enumerate().for_each(|(place, row)| centres.row_mut(place).copy_from_slice(x.row(*row)));
    centres
}

/// The nearest centre of each row; of equally near ones the first.
fn assign(x: MatrixView<'_>, centres: &Matrix) -> Vec<usize> {
    let products = matmul_nt(x, centres.view());
    let halves: Vec<f32> = centres.iter_rows().map(|centre| (0.5 * dot(centre, centre)) as f32).collect();
    let nearest = |row: usize| {
        let key = |place: usize| halves[place] - products.row(row)[place];
        (0..halves.len()).min_by(|a, b| key(*a).total_cmp(&key(*b))).unwrap_or(0)
    };
    (0..x.rows()).into_par_iter().map(nearest).collect()
}

/// Each centre becomes the mean of its rows; one without rows stays where it is.
fn move_centres(x: MatrixView<'_>, cluster_of: &[usize], centres: &mut Matrix) {
    let mut sums: Matrix<f64> = Matrix::zeros(centres.rows(), x.cols());
    let mut counts = vec![0_usize; centres.rows()];
    for (row, cluster) in x.iter_rows().zip(cluster_of) {
        counts[*cluster] += 1;
        sums.row_mut(*cluster).iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    for (cluster, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let mean = sums.row(cluster).iter().map(|sum| (sum / *count as f64) as f32);
        centres.row_mut(cluster).iter_mut().zip(mean).for_each(|(centre, mean)| *centre = mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_become_clusters() {
        let mut rng = Seed(5).rng();
        let mut x = Matrix::zeros(90, 3);
        for row in 0..90 {
            for (place, value) in x.row_mut(row).iter_mut().enumerate() {
                let centre = if place == row % 3 { 6.0 } else { 0.0 };
                *value = (centre + random::normal(&mut rng)) as f32;
            }
        }
        let found = kmeans(x.view(), 3, Seed(1));
        for row in 0..90 {
            assert_eq!(found[row], found[row % 3], "row {row}");
        }
        let mut names = found[..3].to_vec();
        names.sort_unstable();
        assert_eq!(names, [0, 1, 2]);
    }

    #[test]
    fn equal_few_and_no_rows_are_defined() {
        assert_eq!(kmeans(Matrix::from_vec(4, 2, vec![1.0; 8]).view(), 3, Seed(1)), [0; 4]);
        let mut two = kmeans(Matrix::from_rows(&[[0.0], [5.0]]).view(), 9, Seed(1));
        two.sort_unstable();
        assert_eq!(two, [0, 1]);
        assert!(kmeans(Matrix::zeros(0, 3).view(), 2, Seed(1)).is_empty());
    }
}
