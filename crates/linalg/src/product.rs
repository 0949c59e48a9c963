//! Matrix products, split over blocks of rows of fixed size.
//!
//! The kernels are the `gemm` crate's, called with one thread per block. The block size is a constant, so the same
//! instructions run on the same numbers whatever the number of threads.

use rayon::prelude::*;

use crate::{Matrix, MatrixView};

/// Rows of the result that one task computes.
const BLOCK: usize = 64;

/// `f32` or `f64`.
pub trait Number: Copy + Default + Send + Sync + 'static {
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
}

impl Number for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl Number for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

/// A matrix as gemm sees it: values with the step from row to row and from column to column.
#[derive(Clone, Copy)]
struct Strided<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_step: usize,
    col_step: usize,
}

impl<'a, T: Number> Strided<'a, T> {
    fn plain(view: MatrixView<'a, T>) -> Self {
        Self { data: view.data(), rows: view.rows(), cols: view.cols(), row_step: view.cols(), col_step: 1 }
    }

    fn transposed(view: MatrixView<'a, T>) -> Self {
        Self { data: view.data(), rows: view.cols(), cols: view.rows(), row_step: 1, col_step: view.cols() }
    }
}

/// `a * b`: `[m, k]` times `[k, n]`.
///
/// # Panics
/// When the inner sizes differ.
pub fn matmul<T: Number>(a: MatrixView<'_, T>, b: MatrixView<'_, T>) -> Matrix<T> {
    product(Strided::plain(a), Strided::plain(b))
}

/// `a * transpose(b)`: `[m, k]` times `[n, k]`.
///
/// # Panics
/// When the inner sizes differ.
pub fn matmul_nt<T: Number>(a: MatrixView<'_, T>, b: MatrixView<'_, T>) -> Matrix<T> {
    product(Strided::plain(a), Strided::transposed(b))
}

/// `transpose(a) * b`: `[k, m]` times `[k, n]`.
///
/// # Panics
/// When the inner sizes differ.
pub fn matmul_tn<T: Number>(a: MatrixView<'_, T>, b: MatrixView<'_, T>) -> Matrix<T> {
    product(Strided::transposed(a), Strided::plain(b))
}

fn product<T: Number>(a: Strided<'_, T>, b: Strided<'_, T>) -> Matrix<T> {
    assert_eq!(a.cols, b.rows, "the inner sizes of a product agree");
    let (m, n) = (a.rows, b.cols);
    let mut result = Matrix::zeros(m, n);
    if m == 0 || n == 0 || a.cols == 0 {
        return result;
    }
    result.data_mut().par_chunks_mut(BLOCK * n).enumerate().for_each(|(block, out)| {
        let first = block * BLOCK;
        let rows = out.len() / n;
        if rows == BLOCK {
            block_product(a, b, first, BLOCK, out);
        } else {
            // The last block is computed at full height as well, so that the kernel's choice of tile, and with it every
            // bit of a row, never depends on how many rows there happen to be.
            let mut padded = vec![T::ZERO; BLOCK * n];
            let mut copy = vec![T::ZERO; BLOCK * a.cols];
            for row in 0..rows {
                for col in 0..a.cols {
                    copy[row * a.cols + col] = a.data[(first + row) * a.row_step + col * a.col_step];
                }
            }
            let a = Strided { data: &copy, rows: BLOCK, cols: a.cols, row_step: a.cols, col_step: 1 };
            block_product(a, b, 0, BLOCK, &mut padded);
            out.copy_from_slice(&padded[..rows * n]);
        }
    });
    result
}

/// Rows `first .. first + rows` of the product, written to `out`.
fn block_product<T: Number>(a: Strided<'_, T>, b: Strided<'_, T>, first: usize, rows: usize, out: &mut [T]) {
    let n = b.cols;
    assert!(out.len() >= rows * n && first + rows <= a.rows);
    let step = |step: usize| isize::try_from(step).expect("a matrix in memory has steps that fit");
    // SAFETY: `out` holds `rows * n` values written with row step n; `a` and `b` are only read at indices inside their
    // slices, because `rows`, `cols` and the steps were derived from views whose length was checked on construction.
    unsafe {
        gemm::gemm(
            rows,
            n,
            a.cols,
            out.as_mut_ptr(),
            1,
            step(n),
            false,
            a.data.as_ptr().add(first * a.row_step),
            step(a.col_step),
            step(a.row_step),
            b.data.as_ptr(),
            step(b.col_step),
            step(b.row_step),
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn random(rows: usize, cols: usize, seed: u64) -> Matrix<f32> {
        let mut rng = Seed(seed).rng();
        Matrix::from_vec(
            rows,
            cols,
            (0..rows * cols).map(|_| crate::random::normal(&mut rng) as f32).collect(),
        )
    }

    fn naive(a: &Matrix<f32>, b: &Matrix<f32>) -> Matrix<f64> {
        let mut result = Matrix::zeros(a.rows(), b.cols());
        for row in 0..a.rows() {
            for col in 0..b.cols() {
                result.row_mut(row)[col] =
                    (0..a.cols()).map(|k| f64::from(a.row(row)[k]) * f64::from(b.row(k)[col])).sum();
            }
        }
        result
    }

    #[test]
    fn all_three_products_agree_with_the_naive_one() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 2), (65, 33, 17), (130, 64, 70)] {
            let (a, b) = (random(m, k, 1), random(k, n, 2));
            let expected = naive(&a, &b);
            let results = [
                matmul(a.view(), b.view()),
                matmul_nt(a.view(), b.transpose().view()),
                matmul_tn(a.transpose().view(), b.view()),
            ];
            for result in results {
                for (got, expected) in result.data().iter().zip(expected.data()) {
                    assert!((f64::from(*got) - expected).abs() < 1e-4, "{m} {k} {n}");
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours_or_the_threads() {
        let (a, b) = (random(150, 40, 3), random(40, 30, 4));
        let whole = matmul(a.view(), b.view());
        for row in [0, 63, 64, 149] {
            let alone = matmul(a.select_rows(&[row]).view(), b.view());
            assert_eq!(alone.row(0), whole.row(row), "row {row}");
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| matmul(a.view(), b.view())), whole);
        }
    }

    #[test]
    fn empty_products_are_zeros() {
        let (a, b) = (Matrix::<f32>::zeros(2, 0), Matrix::<f32>::zeros(0, 3));
        assert_eq!(matmul(a.view(), b.view()).data(), [0.0; 6]);
    }
}
