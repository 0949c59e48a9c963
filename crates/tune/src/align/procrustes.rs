//! Orthogonal Procrustes: both sides cut to their first principal axes, one turned onto the other (Schonemann 1966).
//!
//! `R = U V^T` of the cross products of the two sides. It needs fewer pairs than correlations do and reaches less far.

use linalg::decompose::eigh;
use linalg::{Matrix, matmul, matmul_nt, matmul_tn};

use super::space::Space;
use super::{Alignment, Side, cca};

/// The alignment in as many axes as both sides have, at most a fifth of the pairs.
pub(crate) fn fit(left: &Space, right: &Space) -> Alignment {
    let n = left.rows.rows();
    let r = cca::most(n).min(left.variances.len()).min(right.variances.len());
    let first = |space: &Space| columns(&space.rows, r);
    let cross = matmul_tn(first(left).view(), first(right).view());
    let turn = nearest_rotation(&cross);
    // Rows of the left weight are the axes of the right side, written in those of the left.
    let left = Side::new(left, &widened(&turn.transpose(), left.variances.len()));
    let right = Side::new(right, &widened(&identity(r), right.variances.len()));
    Alignment { left, right }
}

/// `U V^T` of a square matrix `U S V^T`, by `(A A^T)^-1/2 A`; directions without any length are left out.
fn nearest_rotation(a: &Matrix<f64>) -> Matrix<f64> {
    let (values, vectors) = eigh(matmul_nt(a.view(), a.view()).view());
    let largest = values.last().copied().unwrap_or(0.0);
    let mut scaled = vectors.clone();
    for (row, value) in values.iter().enumerate() {
        let inverse = if *value > 1e-12 * largest && *value > 0.0 { 1.0 / value.sqrt() } else { 0.0 };
        scaled.row_mut(row).iter_mut().for_each(|entry| *entry *= inverse);
    }
    matmul(matmul_tn(vectors.view(), scaled.view()).view(), a.view())
}

fn columns(matrix: &Matrix<f64>, count: usize) -> Matrix<f64> {
    Matrix::from_rows(&matrix.iter_rows().map(|row| &row[..count]).collect::<Vec<_>>())
}

/// With columns of zeros up to `cols`.
fn widened(matrix: &Matrix<f64>, cols: usize) -> Matrix<f64> {
    let mut wide = Matrix::zeros(matrix.rows(), cols);
    (0..matrix.rows()).for_each(|row| wide.row_mut(row)[..matrix.cols()].copy_from_slice(matrix.row(row)));
    wide
}

fn identity(size: usize) -> Matrix<f64> {
    let mut identity = Matrix::zeros(size, size);
    (0..size).for_each(|at| identity.row_mut(at)[at] = 1.0);
    identity
}
