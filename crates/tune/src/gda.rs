//! Gaussian discriminant analysis with one shrunken covariance, and its exact leave-one-out (methods 1.2).
//!
//! `A = S_w + ridge * I`, `score_k(x) = x A^-1 m_k - m_k A^-1 m_k / 2`, times `n - k` so that it is in units of the plug-in
//! covariance. In the eigenbasis of the within-class scatter `S_w` every ridge costs one division, so a whole grid of them
//! shares one decomposition. The leave-one-out scores come from a rank-one downdate; the ridge keeps its full-data value.

use linalg::decompose::eigh;
use linalg::{Matrix, MatrixView, matmul, matmul_nt, matmul_tn};
use rayon::prelude::*;

/// A data set turned into the eigenbasis of its within-class scatter.
#[derive(Debug, Clone)]
pub struct Gda {
    /// Eigenvectors, `[r, r]`, one per row.
    vectors: Matrix<f64>,
    /// Eigenvalues, `[r]`.
    values: Vec<f64>,
    /// The examples, `[n, r]`, and the class means, `[k, r]`, in that basis.
    rows: Matrix<f64>,
    means: Matrix<f64>,
    counts: Vec<usize>,
    labels: Vec<u32>,
}

/// Linear scores in the coordinates the data came in: `score = weight x + bias`.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `[k, r]`.
    pub weight: Matrix<f64>,
    /// `[k]`.
    pub bias: Vec<f64>,
}

impl Gda {
    /// Decomposes. `z` is `[n, r]`; every class below `k` has at least one row in `labels`, `[n]`.
    pub fn new(z: MatrixView<'_, f64>, labels: &[u32], k: usize) -> Self {
        let (n, r) = (z.rows(), z.cols());
        let (means, counts) = class_means(z, labels, k);
        let mut within = z.to_owned();
        for (row, label) in labels.iter().enumerate() {
            within
                .row_mut(row)
                .iter_mut()
                .zip(means.row(*label as usize))
                .for_each(|(value, mean)| *value -= mean);
        }
        let (values, vectors) = eigh(matmul_tn(within.view(), within.view()).view());
        debug_assert_eq!((n, r), (labels.len(), vectors.rows()));
        let values = values.into_iter().map(|value| value.max(0.0)).collect();
        let rows = matmul_nt(z, vectors.view());
        let means = matmul_nt(means.view(), vectors.view());
        Self { vectors, values, rows, means, counts, labels: labels.to_vec() }
    }

    /// Trace of the within-class scatter.
    pub fn trace(&self) -> f64 {
        self.values.iter().sum()
    }

    /// `n - k`, at least one: turns inverse scatter into inverse covariance.
    pub(crate) fn degrees(&self) -> f64 {
        (self.labels.len().saturating_sub(self.counts.len())).max(1) as f64
    }

    /// Scores of every row by the model fitted without it, `[n, k]`; `None` where its class has no other row.
    pub fn leave_one_out(&self, ridge: f64) -> Vec<Option<Vec<f64>>> {
        let (rows, means, _) = self.whitened(ridge);
        (0..rows.rows()).into_par_iter().map(|row| self.without(row, &rows, &means)).collect()
    }

    /// The coordinates in which `(S_w + ridge I)` is the identity: rows, `[n, r]`, means, `[k, r]`, and the map, `[r, r]`, that
    /// leads there from the coordinates the data came in.
    pub(crate) fn whitened(&self, ridge: f64) -> (Matrix<f64>, Matrix<f64>, Matrix<f64>) {
        let scale: Vec<f64> = self.values.iter().map(|value| 1.0 / (value + ridge).sqrt()).collect();
        let (mut rows, mut means, mut map) = (self.rows.clone(), self.means.clone(), self.vectors.clone());
        for white in [&mut rows, &mut means] {
            for row in 0..white.rows() {
                white.row_mut(row).iter_mut().zip(&scale).for_each(|(value, scale)| *value *= scale);
            }
        }
        for (row, scale) in scale.iter().enumerate() {
            map.row_mut(row).iter_mut().for_each(|value| *value *= scale);
        }
        (rows, means, map)
    }

    fn without(&self, row: usize, rows: &Matrix<f64>, means: &Matrix<f64>) -> Option<Vec<f64>> {
        let own = self.labels[row] as usize;
        let n = self.counts[own] as f64;
        if self.counts[own] < 2 {
            return None;
        }
        let x = rows.row(row);
        let w: Vec<f64> = x.iter().zip(means.row(own)).map(|(x, mean)| x - mean).collect();
        let a = n / (n - 1.0);
        let beta = a / (1.0 - a * dot(&w, &w)).max(1e-12);
        let score = |class: usize| {
            let mean = means.row(class);
            let (mut distance, mut along) = (0.0, 0.0);
            for j in 0..x.len() {
                let mean = if class == own { (n * mean[j] - x[j]) / (n - 1.0) } else { mean[j] };
                let off = x[j] - mean;
                distance += off * off;
                along += off * w[j];
            }
            -0.5 * (distance + beta * along * along) * (self.degrees() - 1.0).max(1.0)
        };
        Some((0..self.counts.len()).map(score).collect())
    }

    /// The model fitted on all rows.
    pub fn linear(&self, ridge: f64) -> Linear {
        let mut scaled = self.means.clone();
        for class in 0..scaled.rows() {
            let row = scaled.row_mut(class);
            row.iter_mut()
                .zip(&self.values)
                .for_each(|(value, eigenvalue)| *value *= self.degrees() / (eigenvalue + ridge));
        }
        let bias =
            (0..scaled.rows()).map(|class| -0.5 * dot(scaled.row(class), self.means.row(class))).collect();
        Linear { weight: matmul(scaled.view(), self.vectors.view()), bias }
    }
}

/// Mean and size of every class, `[k, r]` and `[k]`; a class without rows has a mean of zeros.
pub fn class_means(z: MatrixView<'_, f64>, labels: &[u32], k: usize) -> (Matrix<f64>, Vec<usize>) {
    let mut means = Matrix::zeros(k, z.cols());
    let mut counts = vec![0; k];
    for (row, label) in z.iter_rows().zip(labels) {
        counts[*label as usize] += 1;
        means.row_mut(*label as usize).iter_mut().zip(row).for_each(|(mean, value)| *mean += value);
    }
    for (class, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        means.row_mut(class).iter_mut().for_each(|mean| *mean /= *count as f64);
    }
    (means, counts)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use linalg::logits::log_softmax;
    use linalg::{Seed, random};

    use super::*;

    fn data(n: usize, r: usize, k: usize) -> (Matrix<f64>, Vec<u32>) {
        let mut rng = Seed(6).rng();
        let labels: Vec<u32> = (0..n).map(|row| (row % k) as u32).collect();
        let z = Matrix::from_vec(
            n,
            r,
            (0..n * r).map(|at| random::normal(&mut rng) + f64::from(labels[at / r])).collect(),
        );
        (z, labels)
    }

    #[test]
    fn leave_one_out_equals_fitting_without_each_row() {
        for (n, r, k) in [(12, 4, 3), (7, 9, 2)] {
            let (z, labels) = data(n, r, k);
            let gda = Gda::new(z.view(), &labels, k);
            let ridge = 0.3 * gda.trace() / r as f64;
            for (row, fast) in gda.leave_one_out(ridge).into_iter().enumerate() {
                let others: Vec<usize> = (0..n).filter(|other| *other != row).collect();
                let labels: Vec<u32> = others.iter().map(|other| labels[*other]).collect();
                let slow = Gda::new(z.select_rows(&others).view(), &labels, k).linear(ridge);
                let slow: Vec<f64> =
                    (0..k).map(|class| dot(slow.weight.row(class), z.row(row)) + slow.bias[class]).collect();
                for (fast, slow) in log_softmax(&fast.unwrap()).iter().zip(log_softmax(&slow)) {
                    assert!((fast - slow).abs() < 1e-8, "row {row}: {fast} {slow}");
                }
            }
        }
    }

    #[test]
    fn a_lonely_row_cannot_be_left_out() {
        let z = Matrix::from_rows(&[[0.0], [0.1], [1.0]]);
        let gda = Gda::new(z.view(), &[0, 0, 1], 2);
        let left_out = gda.leave_one_out(0.1);
        assert!(left_out[0].is_some() && left_out[2].is_none());
    }

    #[test]
    fn equal_rows_give_equal_finite_scores() {
        let z = Matrix::from_vec(4, 2, vec![1.0; 8]);
        let gda = Gda::new(z.view(), &[0, 1, 0, 1], 2);
        for scores in gda.leave_one_out(1e-3).into_iter().flatten() {
            assert!(scores[0].is_finite() && (scores[0] - scores[1]).abs() < 1e-9);
        }
    }
}
