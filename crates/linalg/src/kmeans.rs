//! k-means: greedy k-means++ seeding (Arthur and Vassilvitskii 2007, section 7) and Lloyd's rounds, on blocked products.

use rand::Rng;
use rayon::prelude::*;

use crate::{Matrix, MatrixView, Seed, dot, matmul_nt, random, squared_distance};

/// Lloyd's rounds at most; most data need a third of them.
const ROUNDS: usize = 60;
/// Starts of which the best counts, as long as they take no time together.
const STARTS: usize = 4;
/// Products that take no time.
const INSTANT: usize = 1 << 27;
/// Rows whose distances to all centroids are held at a time.
const BLOCK: usize = 1024;

/// Rows divided among centroids.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// `[k, d]`: the mean of the rows of each cluster, by their weights.
    pub centroids: Matrix,
    /// `[n]`: the cluster of each row, that of the nearest centroid; of equally near ones the first.
    pub of: Vec<u32>,
    /// Sum of squared distances of the rows to their centroids, by their weights.
    pub inertia: f64,
}

impl Clusters {
    /// The rows of each cluster, ascending.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.centroids.rows()];
        for (row, cluster) in self.of.iter().enumerate() {
            members[*cluster as usize].push(row);
        }
        members
    }
}

/// Divides the rows of `x`, `[n, d]`, into at most `k` clusters: fewer where there are fewer different rows. No cluster is
/// empty. Values must be finite.
///
/// # Panics
/// When `k` is zero and there are rows.
pub fn kmeans(x: MatrixView<'_>, k: usize, seed: Seed) -> Clusters {
    kmeans_weighted(x, &vec![1.0; x.rows()], k, seed)
}

/// The same from one start, in a fraction of the time: where any fair division will do.
///
/// # Panics
/// As [`kmeans`].
pub fn kmeans_once(x: MatrixView<'_>, k: usize, seed: Seed) -> Clusters {
    let weights = vec![1.0; x.rows()];
    without_empty(one_start(x, &weights, &squares(x), k, seed.derive("k-means")))
}

/// The same for rows that count more or less: `weights`, `[n]`, are positive.
///
/// # Panics
/// As [`kmeans`], and when there is not one weight a row.
pub fn kmeans_weighted(x: MatrixView<'_>, weights: &[f64], k: usize, seed: Seed) -> Clusters {
    assert_eq!(weights.len(), x.rows(), "there is one weight a row");
    let squares = squares(x);
    let starts = if x.rows() * x.cols() * k < INSTANT { STARTS } else { 1 };
    let best = (0..starts)
        .map(|start| one_start(x, weights, &squares, k, seed.derive("k-means").nth(start)))
        .min_by(|a, b| a.inertia.total_cmp(&b.inertia));
    without_empty(best.expect("there is at least one start"))
}

fn squares(x: MatrixView<'_>) -> Vec<f64> {
    x.iter_rows().map(|row| dot(row, row)).collect()
}

fn one_start(x: MatrixView<'_>, weights: &[f64], squares: &[f64], k: usize, seed: Seed) -> Clusters {
    let mut centroids = x.to_owned().select_rows(&spread(x, weights, squares, k, &mut seed.rng()));
    let mut of: Vec<u32> = Vec::new();
    for _ in 0..ROUNDS {
        let (next, _) = assign(x, squares, &centroids);
        if next == of {
            break;
        }
        of = next;
        centroids = means(x, weights, &of, &centroids);
    }
    let (of, distances) = assign(x, squares, &centroids);
    let inertia = distances.iter().zip(weights).map(|(distance, weight)| distance * weight).sum();
    Clusters { centroids, of, inertia }
}

/// Rows to begin with. Each is the best of a few that are drawn with a chance that grows with the squared distance to those before:
/// the one that leaves the least squared distance.
fn spread(x: MatrixView<'_>, weights: &[f64], squares: &[f64], k: usize, rng: &mut impl Rng) -> Vec<usize> {
    let n = x.rows();
    if n == 0 {
        return Vec::new();
    }
    assert!(k > 0, "rows cannot be divided among no clusters");
    let trials = 2 + (k as f64).ln() as usize;
    let mut picks = vec![random::below(rng, n)];
    let mut left: Vec<f32> = x.iter_rows().map(|row| squared_distance(row, x.row(picks[0]))).collect();
    while picks.len() < k {
        let Some(drawn) = draw(&left, weights, trials, rng) else { break };
        let rows: Vec<&[f32]> = drawn.iter().map(|row| x.row(*row)).collect();
        let products = matmul_nt(x, Matrix::from_rows(&rows).view());
        let lowered = |place: usize| -> Vec<f32> {
            let square = squares[drawn[place]];
            let to = |row: usize| squares[row] + square - 2.0 * f64::from(products.row(row)[place]);
            (0..n).map(|row| left[row].min(to(row).max(0.0) as f32)).collect()
        };
        let tried: Vec<Vec<f32>> = (0..drawn.len()).into_par_iter().map(lowered).collect();
        let totals: Vec<f64> = tried.iter().map(|left| total(left, weights)).collect();
        let best = (0..totals.len()).fold(0, |best, at| if totals[at] < totals[best] { at } else { best });
        picks.push(drawn[best]);
        left = tried.into_iter().nth(best).expect("one of those tried is the best");
        // Rounding must not let a row be drawn twice.
        left[drawn[best]] = 0.0;
    }
    picks
}

fn total(values: &[f32], weights: &[f64]) -> f64 {
    values.iter().zip(weights).map(|(value, weight)| f64::from(*value) * weight).sum()
}

/// Rows drawn in proportion to what is left of each; none when nothing is left but rounding.
fn draw(left: &[f32], weights: &[f64], count: usize, rng: &mut impl Rng) -> Option<Vec<usize>> {
    let mut sum = 0.0;
    let sums: Vec<f64> = left
        .iter()
        .zip(weights)
        .map(|(value, weight)| {
            sum += f64::from(*value) * weight;
            sum
        })
        .collect();
    let last = left.iter().rposition(|value| *value > 0.0)?;
    let one = |_| {
        let at = random::uniform(rng) * sum;
        sums.partition_point(|below| *below <= at).min(last)
    };
    Some((0..count).map(one).collect())
}

/// The nearest centroid of each row, and the squared distance to it.
fn assign(x: MatrixView<'_>, squares: &[f64], centroids: &Matrix) -> (Vec<u32>, Vec<f64>) {
    let lengths: Vec<f32> = centroids.iter_rows().map(|row| dot(row, row) as f32).collect();
    let (mut of, mut distances) = (Vec::with_capacity(x.rows()), Vec::with_capacity(x.rows()));
    for (block, values) in x.data().chunks((BLOCK * x.cols()).max(1)).enumerate() {
        let rows = MatrixView::new(values.len() / x.cols(), x.cols(), values);
        let products = matmul_nt(rows, centroids.view());
        let nearest: Vec<(u32, f32)> =
            (0..rows.rows()).into_par_iter().map(|row| least(products.row(row), &lengths)).collect();
        for (row, (cluster, key)) in nearest.into_iter().enumerate() {
            of.push(cluster);
            distances.push((squares[block * BLOCK + row] + f64::from(key)).max(0.0));
        }
    }
    (of, distances)
}

/// The first of the least `|c|^2 - 2 x.c`.
fn least(products: &[f32], lengths: &[f32]) -> (u32, f32) {
    let mut best = (0, f32::INFINITY);
    for (cluster, (product, length)) in products.iter().zip(lengths).enumerate() {
        let key = length - 2.0 * product;
        if key < best.1 {
            best = (cluster as u32, key);
        }
    }
    best
}

/// The mean of each cluster; one without rows stays where it was.
fn means(x: MatrixView<'_>, weights: &[f64], of: &[u32], before: &Matrix) -> Matrix {
    let mut members = vec![Vec::new(); before.rows()];
    of.iter().enumerate().for_each(|(row, cluster)| members[*cluster as usize].push(row));
    let mean = |(cluster, rows): (usize, &Vec<usize>)| -> Vec<f32> {
        if rows.is_empty() {
            return before.row(cluster).to_vec();
        }
        let mut sums = vec![0.0_f64; x.cols()];
        for row in rows {
            let weighed = |(sum, value): (&mut f64, &f32)| *sum += weights[*row] * f64::from(*value);
            sums.iter_mut().zip(x.row(*row)).for_each(weighed);
        }
        let weight: f64 = rows.iter().map(|row| weights[*row]).sum();
        sums.into_iter().map(|sum| (sum / weight) as f32).collect()
    };
    let rows: Vec<Vec<f32>> = members.par_iter().enumerate().map(mean).collect();
    Matrix::from_vec(before.rows(), x.cols(), rows.concat())
}

/// Leaves out clusters that no row is nearest to, and numbers the others anew.
fn without_empty(clusters: Clusters) -> Clusters {
    let kept: Vec<usize> = clusters
        .members()
        .iter()
        .enumerate()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(at, _)| at)
        .collect();
    if kept.len() == clusters.centroids.rows() {
        return clusters;
    }
    let number = |cluster: &u32| kept.binary_search(&(*cluster as usize)).expect("it has a row") as u32;
    Clusters {
        centroids: clusters.centroids.select_rows(&kept),
        of: clusters.of.iter().map(number).collect(),
        inertia: clusters.inertia,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `n` rows around `k` centres far apart.
    fn clouds(n: usize, d: usize, k: usize) -> Matrix {
        let mut rng = Seed(5).rng();
        let centres: Vec<f64> = (0..k * d).map(|_| 20.0 * random::normal(&mut rng)).collect();
        let values =
            (0..n * d).map(|at| (centres[at / d % k * d + at % d] + random::normal(&mut rng)) as f32);
        Matrix::from_vec(n, d, values.collect())
    }

    #[test]
    fn clusters_far_apart_are_found_and_centroids_are_their_means() {
        let x = clouds(90, 6, 3);
        assert_eq!(kmeans_once(x.view(), 3, Seed(1)).members().len(), 3);
        let found = kmeans(x.view(), 3, Seed(1));
        for (cluster, rows) in found.members().iter().enumerate() {
            assert_eq!(rows.len(), 30);
            assert!(rows.windows(2).all(|pair| (pair[1] - pair[0]) % 3 == 0), "{rows:?}");
            for col in 0..6 {
                let mean = rows.iter().map(|row| f64::from(x.row(*row)[col])).sum::<f64>() / 30.0;
                assert!((mean - f64::from(found.centroids.row(cluster)[col])).abs() < 1e-4);
            }
        }
        let inertia: f64 = (0..90)
            .map(|row| f64::from(squared_distance(x.row(row), found.centroids.row(found.of[row] as usize))))
            .sum();
        assert!((found.inertia - inertia).abs() < 1e-3 * inertia, "{} {inertia}", found.inertia);
    }

    #[test]
    fn every_row_is_with_its_nearest_centroid_on_any_number_of_threads() {
        let x = clouds(2500, 5, 40);
        let expected = kmeans(x.view(), 60, Seed(2));
        for row in 0..2500 {
            let own = squared_distance(x.row(row), expected.centroids.row(expected.of[row] as usize));
            let least = expected
                .centroids
                .iter_rows()
                .map(|centroid| squared_distance(x.row(row), centroid))
                .fold(f32::INFINITY, f32::min);
            assert!(own <= least + 1e-2, "row {row}: {own} {least}");
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| kmeans(x.view(), 60, Seed(2))), expected);
        }
    }

    #[test]
    fn a_row_of_weight_three_counts_as_three_rows() {
        let x = clouds(60, 4, 3);
        // Weights differ within each cloud, which has every third row.
        let weight = |row: usize| 1 + row / 3 % 3;
        let weights: Vec<f64> = (0..60).map(|row| weight(row) as f64).collect();
        let copies: Vec<usize> = (0..60).flat_map(|row| vec![row; weight(row)]).collect();
        let weighed = kmeans_weighted(x.view(), &weights, 3, Seed(1));
        let copied = kmeans(x.select_rows(&copies).view(), 3, Seed(1));
        assert!((weighed.inertia - copied.inertia).abs() < 1e-3 * copied.inertia);
        let unweighed = kmeans(x.view(), 3, Seed(1));
        assert_ne!(weighed.centroids, unweighed.centroids);
    }

    #[test]
    fn few_equal_and_no_rows_are_defined() {
        let same = Matrix::from_vec(6, 2, vec![0.5; 12]);
        let found = kmeans(same.view(), 4, Seed(0));
        assert_eq!((found.centroids.rows(), found.of), (1, vec![0; 6]));
        assert_eq!(kmeans(clouds(3, 2, 3).view(), 9, Seed(0)).centroids.rows(), 3);
        assert!(kmeans(Matrix::zeros(0, 4).view(), 3, Seed(0)).of.is_empty());
    }
}
