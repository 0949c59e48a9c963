//! A dense matrix, rows one after the other.

/// An owned row-major matrix of shape `[rows, cols]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix<T = f32> {
    rows: usize,
    cols: usize,
    data: Vec<T>,
}

/// A borrowed row-major matrix of shape `[rows, cols]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatrixView<'a, T = f32> {
    rows: usize,
    cols: usize,
    data: &'a [T],
}

impl<T: Copy + Default> Matrix<T> {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, data: vec![T::default(); rows * cols] }
    }

    /// From its values, row by row.
    ///
    /// # Panics
    /// When there are not `rows * cols` values.
    pub fn from_vec(rows: usize, cols: usize, data: Vec<T>) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows} x {cols} matrix has {} values", rows * cols);
        Self { rows, cols, data }
    }

    /// From rows of equal length.
    ///
    /// # Panics
    /// When the rows differ in length.
    pub fn from_rows<R: AsRef<[T]>>(rows: &[R]) -> Self {
        let cols = rows.first().map_or(0, |row| row.as_ref().len());
        let mut data = Vec::with_capacity(rows.len() * cols);
        for row in rows {
            assert_eq!(row.as_ref().len(), cols, "all rows have the same length");
            data.extend_from_slice(row.as_ref());
        }
        Self { rows: rows.len(), cols, data }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[T] {
        &self.data[row * self.cols..(row + 1) * self.cols]
    }

    /// One row, to write to.
    pub fn row_mut(&mut self, row: usize) -> &mut [T] {
        &mut self.data[row * self.cols..(row + 1) * self.cols]
    }

    /// All rows in order; none when there are no columns.
    pub fn iter_rows(&self) -> impl ExactSizeIterator<Item = &[T]> {
        (0..self.rows).map(|row| self.row(row))
    }

    /// All values, row by row.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// All values, to write to.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// All values, row by row, without copying.
    pub fn into_vec(self) -> Vec<T> {
        self.data
    }

    /// Borrows the whole matrix.
    pub fn view(&self) -> MatrixView<'_, T> {
        MatrixView { rows: self.rows, cols: self.cols, data: &self.data }
    }

    /// The rows named, in the order given; a row may be named twice.
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        let mut data = Vec::with_capacity(rows.len() * self.cols);
        for row in rows {
            data.extend_from_slice(self.row(*row));
        }
        Self { rows: rows.len(), cols: self.cols, data }
    }

    /// Rows become columns.
    pub fn transpose(&self) -> Self {
        let mut flipped = Self::zeros(self.cols, self.rows);
        for row in 0..self.rows {
            for col in 0..self.cols {
                flipped.data[col * self.rows + row] = self.data[row * self.cols + col];
            }
        }
        flipped
    }

    /// Applies a function to every value.
    pub fn map<U: Copy + Default>(&self, function: impl Fn(T) -> U) -> Matrix<U> {
        Matrix {
            rows: self.rows,
            cols: self.cols,
            data: self.data.iter().map(|value| function(*value)).collect(),
        }
    }

    /// The columns of several matrices side by side.
    ///
    /// # Panics
    /// When they differ in their number of rows.
    pub fn hstack(parts: &[&Self]) -> Self {
        let rows = parts.first().map_or(0, |part| part.rows);
        let cols = parts.iter().map(|part| part.cols).sum();
        let mut data = Vec::with_capacity(rows * cols);
        for row in 0..rows {
            for part in parts {
                assert_eq!(part.rows, rows, "all parts have the same number of rows");
                data.extend_from_slice(part.row(row));
            }
        }
        Self { rows, cols, data }
    }
}

impl<'a, T: Copy + Default> MatrixView<'a, T> {
    /// A view of values that lie row by row.
    ///
    /// # Panics
    /// When there are not `rows * cols` values.
    pub fn new(rows: usize, cols: usize, data: &'a [T]) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows} x {cols} matrix has {} values", rows * cols);
        Self { rows, cols, data }
    }

    /// Number of rows.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(self) -> usize {
        self.cols
    }

    /// One row.
    pub fn row(self, row: usize) -> &'a [T] {
        &self.data[row * self.cols..(row + 1) * self.cols]
    }

    /// All rows in order.
    pub fn iter_rows(self) -> impl ExactSizeIterator<Item = &'a [T]> {
        (0..self.rows).map(move |row| self.row(row))
    }

    /// Rows one after the other, without copying.
    pub fn rows_in(self, rows: std::ops::Range<usize>) -> Self {
        let data = &self.data[rows.start * self.cols..rows.end * self.cols];
        Self { rows: rows.len(), cols: self.cols, data }
    }

    /// All values, row by row.
    pub fn data(self) -> &'a [T] {
        self.data
    }

    /// A copy that owns its values.
    pub fn to_owned(self) -> Matrix<T> {
        Matrix { rows: self.rows, cols: self.cols, data: self.data.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_in_the_order_given() {
        let matrix = Matrix::from_rows(&[[1, 2], [3, 4], [5, 6]]);
        assert_eq!(matrix.select_rows(&[2, 0, 2]).data(), [5, 6, 1, 2, 5, 6]);
    }

    #[test]
    fn some_rows_are_a_view() {
        let matrix = Matrix::from_rows(&[[1, 2], [3, 4], [5, 6]]);
        assert_eq!(matrix.view().rows_in(1..3).data(), [3, 4, 5, 6]);
        assert_eq!(matrix.view().rows_in(1..1).rows(), 0);
    }

    #[test]
    fn transposing_twice_changes_nothing() {
        let matrix = Matrix::from_rows(&[[1, 2, 3], [4, 5, 6]]);
        assert_eq!(matrix.transpose().data(), [1, 4, 2, 5, 3, 6]);
        assert_eq!(matrix.transpose().transpose(), matrix);
    }

    #[test]
    fn stacking_puts_columns_side_by_side() {
        let (a, b) = (Matrix::from_rows(&[[1], [2]]), Matrix::from_rows(&[[3, 4], [5, 6]]));
        assert_eq!(Matrix::hstack(&[&a, &b]).data(), [1, 3, 4, 2, 5, 6]);
    }
}
