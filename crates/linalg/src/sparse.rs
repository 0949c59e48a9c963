//! Sparse rows, for counts of words.

use rayon::prelude::*;

use crate::Matrix;

/// A sparse matrix by rows. Columns within a row ascend.
#[derive(Debug, Clone, PartialEq)]
pub struct CsrMatrix {
    cols: usize,
    starts: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

/// Rows that one task adds up; part of the definition of the rounding of [`CsrMatrix::transpose_times`].
const BLOCK: usize = 2048;

impl CsrMatrix {
    /// From rows of (column, value) pairs with ascending columns.
    ///
    /// # Panics
    /// When a column is not below `cols` or does not ascend.
    pub fn from_rows(cols: usize, rows: &[Vec<(u32, f32)>]) -> Self {
        let mut matrix = Self { cols, starts: vec![0], indices: Vec::new(), values: Vec::new() };
        for row in rows {
            assert!(row.is_sorted_by(|a, b| a.0 < b.0), "columns ascend");
            assert!(row.last().is_none_or(|(col, _)| (*col as usize) < cols), "columns are below {cols}");
            matrix.indices.extend(row.iter().map(|(col, _)| col));
            matrix.values.extend(row.iter().map(|(_, value)| value));
            matrix.starts.push(matrix.indices.len());
        }
        matrix
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// One row as (column, value) pairs.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let range = self.starts[row]..self.starts[row + 1];
        self.indices[range.clone()].iter().map(|col| *col as usize).zip(self.values[range].iter().copied())
    }

    /// The rows named, in the order given.
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        let rows: Vec<Vec<(u32, f32)>> =
            rows.iter().map(|row| self.row(*row).map(|(col, value)| (col as u32, value)).collect()).collect();
        Self::from_rows(self.cols, &rows)
    }

    /// `self * w`: `[n, d]` times `[d, k]`.
    pub fn times(&self, w: &Matrix) -> Matrix {
        assert_eq!(self.cols, w.rows(), "the inner sizes of a product agree");
        let k = w.cols();
        let mut result = Matrix::zeros(self.rows(), k);
        result.data_mut().par_chunks_mut(k.max(1)).enumerate().for_each(|(row, out)| {
            for (col, value) in self.row(row) {
                for (to, from) in out.iter_mut().zip(w.row(col)) {
                    *to += value * from;
                }
            }
        });
        result
    }

    /// `transpose(self) * g`: `[n, d]` and `[n, k]` give `[d, k]`, added up in blocks of fixed size.
    pub fn transpose_times(&self, g: &Matrix) -> Matrix {
        assert_eq!(self.rows(), g.rows(), "the inner sizes of a product agree");
        let k = g.cols();
        let blocks: Vec<usize> = (0..self.rows()).step_by(BLOCK).collect();
        let partial: Vec<Matrix> = blocks
            .par_iter()
            .map(|first| {
                let mut sum = Matrix::zeros(self.cols, k);
                for row in *first..(first + BLOCK).min(self.rows()) {
                    let from = g.row(row);
                    for (col, value) in self.row(row) {
                        for (to, from) in sum.row_mut(col).iter_mut().zip(from) {
                            *to += value * from;
                        }
                    }
                }
                sum
            })
            .collect();
        let mut total = Matrix::zeros(self.cols, k);
        for part in partial {
            for (to, from) in total.data_mut().iter_mut().zip(part.data()) {
                *to += from;
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_agree_with_dense_ones() {
        let sparse = CsrMatrix::from_rows(3, &[vec![(0, 1.0), (2, 2.0)], vec![], vec![(1, -1.0)]]);
        let w = Matrix::from_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        assert_eq!(sparse.times(&w).data(), [11.0, 14.0, 0.0, 0.0, -3.0, -4.0]);
        let g = Matrix::from_rows(&[[1.0], [1.0], [2.0]]);
        assert_eq!(sparse.transpose_times(&g).data(), [1.0, -2.0, 2.0]);
        assert_eq!(sparse.select_rows(&[2]).times(&w).data(), [-3.0, -4.0]);
    }
}
