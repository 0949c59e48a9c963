//! Factorisations of symmetric matrices in double precision, over `faer`, single-threaded and so repeatable.

use faer::{Mat, Side};

use crate::{Matrix, MatrixView, matmul_nt, matmul_tn};

/// The matrix is not positive definite, so it has no Cholesky factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the matrix is not positive definite")]
pub struct NotPositiveDefinite;

/// The lower triangular L with `a = L L^T`; `a` is `[n, n]`, symmetric, only its lower triangle is read.
pub fn cholesky(a: MatrixView<'_, f64>) -> Result<Matrix<f64>, NotPositiveDefinite> {
    let n = a.rows();
    let factor = to_faer(a).llt(Side::Lower).map_err(|_| NotPositiveDefinite)?;
    let lower = factor.L();
    let mut result = Matrix::zeros(n, n);
    for row in 0..n {
        for col in 0..=row {
            result.row_mut(row)[col] = lower[(row, col)];
        }
    }
    Ok(result)
}

/// Eigenvalues, ascending, and eigenvectors of a symmetric matrix: row j of the result belongs to value j.
///
/// Each vector's largest component is made positive, so that the sign is defined.
///
/// # Panics
/// When `a` holds a value that is not finite.
pub fn eigh(a: MatrixView<'_, f64>) -> (Vec<f64>, Matrix<f64>) {
    let n = a.rows();
    if n == 0 {
        return (Vec::new(), Matrix::zeros(0, 0));
    }
    let eigen =
        to_faer(a).self_adjoint_eigen(Side::Lower).expect("the iteration converges for finite values");
    let values = (0..n).map(|index| eigen.S().column_vector()[index]).collect();
    let mut vectors = Matrix::zeros(n, n);
    for index in 0..n {
        let row = vectors.row_mut(index);
        for (place, value) in row.iter_mut().enumerate() {
            *value = eigen.U()[(place, index)];
        }
        let largest = row
            .iter()
            .copied()
            .fold(0.0_f64, |best, value| if value.abs() > best.abs() { value } else { best });
        if largest < 0.0 {
            row.iter_mut().for_each(|value| *value = -*value);
        }
    }
    (values, vectors)
}

/// An orthonormal basis of the space the rows of a matrix span, with their coordinates in it.
#[derive(Debug, Clone)]
pub struct RowSpace {
    /// The basis, `[r, d]`, one vector per row, strongest direction first.
    pub basis: Matrix<f64>,
    /// Coordinates of the rows, `[n, r]`: `x = coordinates * basis` up to rounding.
    pub coordinates: Matrix<f64>,
}

/// Finds the space spanned by the rows of `x`, `[n, d]`, through the smaller of the two Gram matrices.
///
/// Directions whose variance is below 1e-12 of the strongest are left out. With n < d this makes every later fit cost n
/// instead of d, and changes no L2-penalised linear model (methods 0.3).
pub fn row_space(x: MatrixView<'_, f64>) -> RowSpace {
    let (n, d) = (x.rows(), x.cols());
    let (values, vectors) = if n < d { eigh(matmul_nt(x, x).view()) } else { eigh(matmul_tn(x, x).view()) };
    let largest = values.last().copied().unwrap_or(0.0).max(0.0);
    let kept: Vec<usize> = (0..values.len())
        .rev()
        .filter(|index| values[*index] > largest * 1e-12 && values[*index] > 0.0)
        .collect();
    let kept_vectors = vectors.select_rows(&kept);
    if n < d {
        let mut basis = crate::matmul(kept_vectors.view(), x);
        for (row, index) in kept.iter().enumerate() {
            let length = values[*index].sqrt();
            basis.row_mut(row).iter_mut().for_each(|value| *value /= length);
        }
        let coordinates = matmul_nt(x, basis.view());
        RowSpace { basis, coordinates }
    } else {
        let coordinates = matmul_nt(x, kept_vectors.view());
        RowSpace { basis: kept_vectors, coordinates }
    }
}

/// Solves `L x = b` in place for a lower triangular L.
pub fn solve_lower(lower: MatrixView<'_, f64>, b: &mut [f64]) {
    for row in 0..lower.rows() {
        let known: f64 = lower.row(row)[..row].iter().zip(&b[..row]).map(|(a, x)| a * x).sum();
        b[row] = (b[row] - known) / lower.row(row)[row];
    }
}

/// Solves `L^T x = b` in place for a lower triangular L.
pub fn solve_lower_transposed(lower: MatrixView<'_, f64>, b: &mut [f64]) {
    for row in (0..lower.rows()).rev() {
        b[row] /= lower.row(row)[row];
        let known = b[row];
        b[..row].iter_mut().zip(lower.row(row)).for_each(|(value, a)| *value -= a * known);
    }
}

fn to_faer(a: MatrixView<'_, f64>) -> Mat<f64> {
    assert_eq!(a.rows(), a.cols(), "only square matrices have eigenvalues");
    Mat::from_fn(a.rows(), a.cols(), |row, col| a.row(row)[col])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, matmul, random};

    fn random_matrix(rows: usize, cols: usize) -> Matrix<f64> {
        let mut rng = Seed(11).rng();
        Matrix::from_vec(rows, cols, (0..rows * cols).map(|_| random::normal(&mut rng)).collect())
    }

    fn assert_close(a: &Matrix<f64>, b: &Matrix<f64>) {
        assert_eq!((a.rows(), a.cols()), (b.rows(), b.cols()));
        for (a, b) in a.data().iter().zip(b.data()) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }

    #[test]
    fn cholesky_multiplies_back() {
        let x = random_matrix(9, 5);
        let a = matmul_tn(x.view(), x.view());
        let lower = cholesky(a.view()).unwrap();
        assert_close(&matmul_nt(lower.view(), lower.view()), &a);
        assert_eq!(cholesky(Matrix::from_rows(&[[-1.0]]).view()), Err(NotPositiveDefinite));
    }

    #[test]
    fn both_halves_of_a_factor_solve_the_system() {
        let x = random_matrix(9, 5);
        let a = matmul_tn(x.view(), x.view());
        let lower = cholesky(a.view()).unwrap();
        let truth = [1.0, -2.0, 0.5, 3.0, 0.0];
        let mut b: Vec<f64> =
            a.iter_rows().map(|row| row.iter().zip(truth).map(|(a, x)| a * x).sum()).collect();
        solve_lower(lower.view(), &mut b);
        solve_lower_transposed(lower.view(), &mut b);
        assert!(b.iter().zip(truth).all(|(x, truth)| (x - truth).abs() < 1e-9), "{b:?}");
    }

    #[test]
    fn nothing_has_no_eigenvalues() {
        let (values, vectors) = eigh(Matrix::zeros(0, 0).view());
        assert!(values.is_empty() && vectors.rows() == 0);
    }

    #[test]
    fn eigenvectors_multiply_back() {
        let x = random_matrix(9, 6);
        let a = matmul_tn(x.view(), x.view());
        let (values, vectors) = eigh(a.view());
        assert!(values.is_sorted());
        let mut scaled = vectors.clone();
        for (row, value) in values.iter().enumerate() {
            scaled.row_mut(row).iter_mut().for_each(|entry| *entry *= value);
        }
        assert_close(&matmul_tn(vectors.view(), scaled.view()), &a);
    }

    #[test]
    fn the_row_space_holds_the_rows() {
        for (n, d) in [(4, 9), (9, 4), (1, 3)] {
            let x = random_matrix(n, d);
            let space = row_space(x.view());
            assert_eq!(space.basis.rows(), n.min(d));
            assert_close(&matmul(space.coordinates.view(), space.basis.view()), &x);
        }
        assert_eq!(row_space(Matrix::zeros(3, 4).view()).basis.rows(), 0);
    }

    #[test]
    fn triangular_systems_are_solved() {
        let lower = Matrix::from_rows(&[[2.0, 0.0], [1.0, 4.0]]);
        let mut b = [6.0, 11.0];
        solve_lower(lower.view(), &mut b);
        assert_eq!(b, [3.0, 2.0]);
    }
}
