//! Grids over a photo in a model that is being written: cells with a vector each, and what a detector does with them.
//!
//! One number for each photo is a grid of one cell.

use std::ops::Range;

use linalg::Matrix;

use super::{
    EmitError, OnnxModel, check,
    planes::Planes,
    writer::{Dim, Name, int, ints},
};
use crate::onnx::data_type;

/// A value of shape `[n, rows * cols, dim]`, row by row, in the model that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells {
    pub(super) name: Name,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) dim: usize,
}

/// Vectors to compare with. All matrices hold one vector a row.
#[derive(Debug, Clone, Copy)]
pub struct Bank<'a> {
    /// Subtracted from each vector, `[dim]`.
    pub mean: &'a [f32],
    /// Applied to what is left, `[m, dim]`.
    pub map: &'a Matrix,
    /// The bank, `[b, m]`, numbers of half precision.
    pub rows: &'a Matrix,
    /// Squared distances to each row are multiplied by this, `[b]`.
    pub weight: &'a [f32],
}

impl Cells {
    /// Cells from top to bottom.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Cells from left to right.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Numbers in each cell.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of cells.
    pub fn count(&self) -> usize {
        self.rows * self.cols
    }
}

impl OnnxModel {
    /// From `parts` pictures of each photo, one batch after the other as [`OnnxModel::network`] takes them, to one grid: its
    /// cells are those at `places`, counted through all parts.
    pub fn assemble(
        &mut self,
        x: &Cells,
        parts: usize,
        places: &[usize],
        (rows, cols): (usize, usize),
    ) -> Result<Cells, EmitError> {
        check("places of cells", places.len(), rows * cols)?;
        let mut name = x.name.clone();
        if parts > 1 {
            let (count, dim) = (x.count() as i64, x.dim as i64);
            let apart = self.writer.integers(&[parts as i64, -1, count, dim]);
            name = self.writer.node("Reshape", &[&name, &apart], vec![]);
            name = self.writer.node("Transpose", &[&name], vec![ints("perm", &[1, 0, 2, 3])]);
            let joined = self.writer.integers(&[0, parts as i64 * count, dim]);
            name = self.writer.node("Reshape", &[&name, &joined], vec![]);
        }
        let places = self.places(places);
        name = self.writer.node("Gather", &[&name, &places], vec![int("axis", 1)]);
        Ok(Cells { name, rows, cols, dim: x.dim })
    }

    /// The same on another grid: by bilinear interpolation between the middles of cells, or where the grid is a whole number of
    /// times coarser by the mean of blocks.
    pub fn regrid(&mut self, x: &Cells, rows: usize, cols: usize) -> Result<Cells, EmitError> {
        if (x.rows, x.cols) == (rows, cols) {
            return Ok(x.clone());
        }
        let columns = self.writer.node("Transpose", &[&x.name], vec![ints("perm", &[0, 2, 1])]);
        let shape = self.writer.integers(&[0, 0, x.rows as i64, x.cols as i64]);
        let name = self.writer.node("Reshape", &[&columns, &shape], vec![]);
        let mut planes = Planes { name, channels: x.dim, rows: x.rows, cols: x.cols };
        if rows != x.rows {
            planes = self.resample_down(&planes, &regridding(x.rows, rows))?;
        }
        if cols != x.cols {
            planes = self.resample_across(&planes, &regridding(x.cols, cols))?;
        }
        let flat = self.writer.integers(&[0, 0, -1]);
        let flat = self.writer.node("Reshape", &[&planes.name, &flat], vec![]);
        let name = self.writer.node("Transpose", &[&flat], vec![ints("perm", &[0, 2, 1])]);
        Ok(Cells { name, rows, cols, dim: x.dim })
    }

    /// Rounded to half precision.
    pub fn as_halves(&mut self, x: &Cells) -> Cells {
        let [half, single] = [data_type::FLOAT16, data_type::FLOAT].map(|to| vec![int("to", i64::from(to))]);
        let rounded = self.writer.node("Cast", &[&x.name], half);
        Cells { name: self.writer.node("Cast", &[&rounded], single), ..x.clone() }
    }

    /// Some numbers of each cell.
    pub fn columns(&mut self, x: &Cells, columns: &Range<usize>) -> Cells {
        if *columns == (0..x.dim) {
            return x.clone();
        }
        let [start, end, axis] =
            [columns.start as i64, columns.end as i64, -1].map(|value| self.writer.integers(&[value]));
        let name = self.writer.node("Slice", &[&x.name, &start, &end, &axis], vec![]);
        Cells { name, dim: columns.len(), ..x.clone() }
    }

    /// Vectors of the same cells end to end.
    pub fn join(&mut self, parts: &[Cells]) -> Result<Cells, EmitError> {
        let [first, ..] = parts else {
            return Err(EmitError::Empty { what: "join" });
        };
        let names: Vec<&Name> = parts.iter().map(|part| &part.name).collect();
        let name = self.writer.node("Concat", &names, vec![int("axis", -1)]);
        Ok(Cells { name, dim: parts.iter().map(|part| part.dim).sum(), ..first.clone() })
    }

    /// `[n, cells, 1]`: weight times each vector, plus the bias.
    pub fn weigh_columns(&mut self, x: &Cells, weight: &[f32], bias: f32) -> Result<Cells, EmitError> {
        check("weight", weight.len(), x.dim)?;
        let weight = self.matrix(&Matrix::from_vec(x.dim, 1, weight.to_vec()));
        let product = self.writer.node("MatMul", &[&x.name, &weight], vec![]);
        Ok(self.affine_cells(&Cells { name: product, dim: 1, ..x.clone() }, 1.0, bias))
    }

    /// `factor x + offset`, elementwise.
    pub fn affine_cells(&mut self, x: &Cells, factor: f32, offset: f32) -> Cells {
        let (factor, offset) = (self.writer.number(factor), self.writer.number(offset));
        let scaled = self.writer.node("Mul", &[&x.name, &factor], vec![]);
        Cells { name: self.writer.node("Add", &[&scaled, &offset], vec![]), ..x.clone() }
    }

    /// The sum of values over the same cells.
    pub fn sum_cells(&mut self, parts: &[Cells]) -> Result<Cells, EmitError> {
        self.fold("Add", parts)
    }

    /// The largest of values over the same cells.
    pub fn max_cells(&mut self, parts: &[Cells]) -> Result<Cells, EmitError> {
        self.fold("Max", parts)
    }

    fn fold(&mut self, op_type: &'static str, parts: &[Cells]) -> Result<Cells, EmitError> {
        let [first, rest @ ..] = parts else {
            return Err(EmitError::Empty { what: op_type });
        };
        let mut all = first.clone();
        for part in rest {
            check("a grid", part.count() * part.dim, first.count() * first.dim)?;
            all.name = self.writer.node(op_type, &[&all.name, &part.name], vec![]);
        }
        Ok(all)
    }

    /// One number a cell less that of each cell, `[cells]`, and then less its mean over all cells, of which at least and at most so much
    /// is taken away.
    ///
    /// # Errors
    /// Another number of columns or of cells.
    pub fn less_level(
        &mut self,
        x: &Cells,
        cells: &[f32],
        [least, most]: [f32; 2],
    ) -> Result<Cells, EmitError> {
        check("a cell", x.dim, 1)?;
        check("what is taken from each cell", cells.len(), x.count())?;
        let cells = self.matrix(&Matrix::from_vec(cells.len(), 1, cells.to_vec()));
        let left = self.writer.node("Sub", &[&x.name, &cells], vec![]);
        let mean = self.writer.node("ReduceMean", &[&left], vec![ints("axes", &[1]), int("keepdims", 1)]);
        let [least, most] = [least, most].map(|end| self.writer.number(end));
        let mean = self.writer.node("Clip", &[&mean, &least, &most], vec![]);
        Ok(Cells { name: self.writer.node("Sub", &[&left, &mean], vec![]), ..x.clone() })
    }

    /// `[n, 1, 2 dim]`: the mean of each column over all cells, and the logarithm of its standard deviation plus `least`.
    pub fn mean_and_log_spread(&mut self, x: &Cells, least: f32) -> Cells {
        let over_cells = || vec![ints("axes", &[1]), int("keepdims", 1)];
        let mean = self.writer.node("ReduceMean", &[&x.name], over_cells());
        let apart = self.writer.node("Sub", &[&x.name, &mean], vec![]);
        let square = self.writer.node("Mul", &[&apart, &apart], vec![]);
        let variance = self.writer.node("ReduceMean", &[&square], over_cells());
        let spread = self.writer.node("Sqrt", &[&variance], vec![]);
        let least = self.writer.number(least);
        let spread = self.writer.node("Add", &[&spread, &least], vec![]);
        let spread = self.writer.node("Log", &[&spread], vec![]);
        let name = self.writer.node("Concat", &[&mean, &spread], vec![int("axis", -1)]);
        Cells { name, rows: 1, cols: 1, dim: 2 * x.dim }
    }

    /// `[n, 1, 1]`: the mean of the `count` largest numbers of a grid with one in each cell.
    ///
    /// # Errors
    /// Another number of columns, a count of 0 or above that of the cells.
    pub fn top_mean(&mut self, x: &Cells, count: usize) -> Result<Cells, EmitError> {
        check("a cell", x.dim, 1)?;
        check("the largest cells", count, count.clamp(1, x.count()))?;
        let count = self.writer.integers(&[count as i64]);
        let top = self.writer.first_of_two("TopK", &[&x.name, &count], vec![int("axis", 1)]);
        let name = self.writer.node("ReduceMean", &[&top], vec![ints("axes", &[1]), int("keepdims", 1)]);
        Ok(Cells { name, rows: 1, cols: 1, dim: 1 })
    }

    /// `[n, cells, 1]`: the root of the smallest weighted squared distance to a row of the bank.
    ///
    /// One matrix product finds the row; its distance is then computed anew, because a difference of large squares has lost its digits.
    pub fn nearest(&mut self, x: &Cells, bank: &Bank<'_>) -> Result<Cells, EmitError> {
        check("mean", bank.mean.len(), x.dim)?;
        check("columns of a map", bank.map.cols(), x.dim)?;
        check("columns of a bank", bank.rows.cols(), bank.map.rows())?;
        check("weight", bank.weight.len(), bank.rows.rows())?;
        let mean = self.matrix(&Matrix::from_vec(1, x.dim, bank.mean.to_vec()));
        let map = self.matrix(&bank.map.transpose());
        let rows = self.writer.halves(&[bank.rows.rows(), bank.rows.cols()], bank.rows.data());
        let weight = self.matrix(&Matrix::from_vec(bank.rows.rows(), 1, bank.weight.to_vec()));
        let centred = self.writer.node("Sub", &[&x.name, &mean], vec![]);
        let z = self.writer.node("MatMul", &[&centred, &map], vec![]);
        let (probe, offset) = self.distance_product(&rows, &weight);
        let length = self.squared_length(&z);
        let asked = self.writer.node("Concat", &[&z, &length], vec![int("axis", -1)]);
        let product = self.writer.node("MatMul", &[&asked, &probe], vec![]);
        let apart = self.writer.node("Add", &[&product, &offset], vec![]);
        let best = self.writer.node("ArgMin", &[&apart], vec![int("axis", -1), int("keepdims", 0)]);
        let found = self.writer.node("Gather", &[&rows, &best], vec![int("axis", 0)]);
        let found_weight = self.writer.node("Gather", &[&weight, &best], vec![int("axis", 0)]);
        let apart = self.writer.node("Sub", &[&z, &found], vec![]);
        let square = self.squared_length(&apart);
        let weighted = self.writer.node("Mul", &[&square, &found_weight], vec![]);
        Ok(Cells { name: self.writer.node("Sqrt", &[&weighted], vec![]), dim: 1, ..x.clone() })
    }

    /// `[m + 1, b]` and `[1, b]`: with the first `[z, |z|^2]` is multiplied, to which the second is added, to give
    /// `w |z - row|^2` for every row. An engine computes both once, from the bank and its weights `[b, 1]`.
    fn distance_product(&mut self, rows: &Name, weight: &Name) -> (Name, Name) {
        let minus_two = self.writer.number(-2.0);
        let turned = |model: &mut Self, name: &Name| {
            model.writer.node("Transpose", &[name], vec![ints("perm", &[1, 0])])
        };
        let weights = turned(self, weight);
        let factor = self.writer.node("Mul", &[&weights, &minus_two], vec![]);
        let columns = turned(self, rows);
        let product = self.writer.node("Mul", &[&columns, &factor], vec![]);
        let probe = self.writer.node("Concat", &[&product, &weights], vec![int("axis", 0)]);
        let squares = self.squared_length(rows);
        let offset = self.writer.node("Mul", &[&squares, weight], vec![]);
        (probe, turned(self, &offset))
    }

    /// The sum of squares along the last axis, which stays with length 1.
    fn squared_length(&mut self, x: &Name) -> Name {
        let square = self.writer.node("Mul", &[x, x], vec![]);
        let axes = self.writer.integers(&[-1]);
        self.writer.node("ReduceSum", &[&square, &axes], vec![int("keepdims", 1)])
    }

    /// Makes a grid of one number a cell an output of the model, `[n, rows, cols]`.
    pub fn output_map(&mut self, name: &str, x: &Cells) -> Result<(), EmitError> {
        check("a cell", x.dim, 1)?;
        let shape = self.writer.integers(&[0, x.rows as i64, x.cols as i64]);
        let map = self.writer.node("Reshape", &[&x.name, &shape], vec![]);
        self.declare(name, &map, &[Dim::Dynamic("n"), Dim::Fixed(x.rows), Dim::Fixed(x.cols)])
    }

    /// Makes one number a photo an output of the model, `[n]`.
    pub fn output_number(&mut self, name: &str, x: &Cells) -> Result<(), EmitError> {
        let number = self.flat(x)?;
        self.declare(name, &number, &[Dim::Dynamic("n")])
    }

    /// Makes an output of the model, `[n]`, of whether a number is above a threshold, or not a number.
    pub fn output_above(&mut self, name: &str, x: &Cells, threshold: f32) -> Result<(), EmitError> {
        let (number, threshold) = (self.flat(x)?, self.writer.number(threshold));
        let below = self.writer.node("LessOrEqual", &[&number, &threshold], vec![]);
        let above = self.writer.node("Not", &[&below], vec![]);
        self.declare_as(name, &above, data_type::BOOL, &[Dim::Dynamic("n")])
    }

    fn flat(&mut self, x: &Cells) -> Result<Name, EmitError> {
        check("one number a photo", x.count() * x.dim, 1)?;
        let shape = self.writer.integers(&[-1]);
        Ok(self.writer.node("Reshape", &[&x.name, &shape], vec![]))
    }
}

/// `[to, from]`: one side of a grid brought to another number of cells, as [`OnnxModel::regrid`] does it.
fn regridding(from: usize, to: usize) -> Matrix {
    let mut matrix = Matrix::zeros(to, from);
    for cell in 0..to {
        let row = matrix.row_mut(cell);
        if from.is_multiple_of(to) {
            let block = from / to;
            row[cell * block..(cell + 1) * block].fill(1.0 / block as f32);
        } else {
            // Pixel centres are half a pixel in: the usual convention without aligned corners.
            let place = ((cell as f32 + 0.5) * from as f32 / to as f32 - 0.5).clamp(0.0, (from - 1) as f32);
            let before = place.floor() as usize;
            let share = place - place.floor();
            row[before] += 1.0 - share;
            row[(before + 1).min(from - 1)] += share;
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_grow_between_the_middles_of_cells_and_shrink_by_blocks() {
        assert_eq!(regridding(4, 2).data(), [0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5]);
        assert_eq!(regridding(2, 4).data(), [1.0, 0.0, 0.75, 0.25, 0.25, 0.75, 0.0, 1.0]);
        assert_eq!(regridding(1, 3).data(), [1.0; 3]);
        for (from, to) in [(7, 13), (13, 7), (23, 46), (5, 9)] {
            let matrix = regridding(from, to);
            assert!(matrix.iter_rows().all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
        }
    }
}
