//! One side of the pairs, centred and turned to its principal axes.

use linalg::Matrix;
use linalg::decompose::row_space;

/// Centred rows in their principal axes, strongest first.
#[derive(Debug, Clone)]
pub(crate) struct Space {
    /// `[n, r]`; columns are orthogonal.
    pub(crate) rows: Matrix<f64>,
    /// Mean square of each column, `[r]`.
    pub(crate) variances: Vec<f64>,
    /// Orthonormal axes, `[r, d]`, and the mean, `[d]`.
    pub(crate) axes: Matrix<f64>,
    pub(crate) mean: Vec<f64>,
}

impl Space {
    /// Of `x`, `[n, d]`.
    pub(crate) fn new(x: &Matrix<f64>) -> Self {
        let n = x.rows() as f64;
        let mut mean = vec![0.0; x.cols()];
        for row in x.iter_rows() {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / n);
        }
        let mut centred = x.clone();
        for row in 0..x.rows() {
            centred.row_mut(row).iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
        }
        let space = row_space(centred.view());
        let mut variances = vec![0.0; space.coordinates.cols()];
        for row in space.coordinates.iter_rows() {
            variances.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value / n);
        }
        Self { rows: space.coordinates, variances, axes: space.basis, mean }
    }

    /// The mean variance of a column of the features, dead ones included.
    pub(crate) fn mean_variance(&self) -> f64 {
        self.variances.iter().sum::<f64>() / self.mean.len().max(1) as f64
    }
}

/// Columns of a matrix times a factor each.
pub(crate) fn scaled_columns(matrix: &Matrix<f64>, factors: &[f64]) -> Matrix<f64> {
    let mut scaled = matrix.clone();
    for row in 0..scaled.rows() {
        scaled.row_mut(row).iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
    }
    scaled
}
