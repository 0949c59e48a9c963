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

    /// Columns become rows. Make it once where many products with it follow: each is then a product of rows, in parallel and
    /// with the same rounding on any number of threads.
    pub fn transposed(&self) -> Self {
        let mut starts = vec![0; self.cols + 1];
        self.indices.iter().for_each(|col| starts[*col as usize + 1] += 1);
        (0..self.cols).for_each(|col| starts[col + 1] += starts[col]);
        let mut next = starts.clone();
        let (mut indices, mut values) = (vec![0; self.indices.len()], vec![0.0; self.values.len()]);
        for row in 0..self.rows() {
            for (col, value) in self.row(row) {
                indices[next[col]] = row as u32;
                values[next[col]] = value;
                next[col] += 1;
            }
        }
        Self { cols: self.rows(), starts, indices, values }
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
        assert_eq!(sparse.transposed().times(&g).data(), [1.0, -2.0, 2.0]);
        assert_eq!(sparse.transposed().transposed(), sparse);
        assert_eq!(sparse.select_rows(&[2]).times(&w).data(), [-3.0, -4.0]);
    }
}
