//! Photos in a model that is being written: planes of pixels, from bytes to a network's input.

use linalg::Matrix;

use super::{
    EmitError, OnnxModel, PHOTO_INPUT, Pixels,
    cells::Cells,
    normalise, write_network,
    writer::{Dim, Name, Writer, int, ints},
};
use crate::{
    graph::{Graph, Shape},
    onnx::data_type,
    weights::Weights,
};

/// A value of shape `[n, channels, rows, cols]` in the model that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planes {
    pub(super) name: Name,
    pub(super) channels: usize,
    pub(super) rows: usize,
    pub(super) cols: usize,
}

impl Planes {
    /// Pixels from top to bottom.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Pixels from left to right.
    pub fn cols(&self) -> usize {
        self.cols
    }
}

impl OnnxModel {
    /// A model that takes photos of one size as bytes, `[n, height, width, 3]`, red first; and their pixels, 0 to 255.
    pub fn of_photos(width: usize, height: usize) -> (Self, Planes) {
        let mut writer = Writer::new("photo");
        let shape = [Dim::Dynamic("n"), Dim::Fixed(height), Dim::Fixed(width), Dim::Fixed(3)];
        let bytes = writer.input(PHOTO_INPUT, data_type::UINT8, &shape);
        let pixels = writer.node("Cast", &[&bytes], vec![int("to", i64::from(data_type::FLOAT))]);
        let name = writer.node("Transpose", &[&pixels], vec![ints("perm", &[0, 3, 1, 2])]);
        let model = Self { writer, network_outputs: Vec::new(), metadata: Vec::new() };
        (model, Planes { name, channels: 3, rows: height, cols: width })
    }

    /// Every column of pixels brought to another length: `down` is `[new, rows]`.
    pub fn resample_down(&mut self, x: &Planes, down: &Matrix) -> Result<Planes, EmitError> {
        super::check("columns of a resampling", down.cols(), x.rows)?;
        let matrix = self.matrix(down);
        let name = self.writer.node("MatMul", &[&matrix, &x.name], vec![]);
        Ok(Planes { name, rows: down.rows(), ..x.clone() })
    }

    /// Every row of pixels brought to another length: `across` is `[new, cols]`.
    pub fn resample_across(&mut self, x: &Planes, across: &Matrix) -> Result<Planes, EmitError> {
        super::check("columns of a resampling", across.cols(), x.cols)?;
        let matrix = self.matrix(&across.transpose());
        let name = self.writer.node("MatMul", &[&x.name, &matrix], vec![]);
        Ok(Planes { name, cols: across.rows(), ..x.clone() })
    }

    /// Rounded to whole numbers from 0 to 255, halves up.
    pub fn as_bytes(&mut self, x: &Planes) -> Planes {
        let [half, least, most] = [0.5, 0.0, 255.0].map(|value| self.writer.number(value));
        let up = self.writer.node("Add", &[&x.name, &half], vec![]);
        let whole = self.writer.node("Floor", &[&up], vec![]);
        Planes { name: self.writer.node("Clip", &[&whole, &least, &most], vec![]), ..x.clone() }
    }

    /// The pixels of these rows and columns, which may come several times.
    pub fn pick(&mut self, x: &Planes, rows: &[usize], cols: &[usize]) -> Planes {
        let mut name = x.name.clone();
        for (axis, places) in [(2, rows), (3, cols)] {
            let places = self.places(places);
            name = self.writer.node("Gather", &[&name, &places], vec![int("axis", axis)]);
        }
        Planes { name, rows: rows.len(), cols: cols.len(), ..x.clone() }
    }

    /// Runs a network over pictures of its size, one batch after the other; gives its outputs in its own order, each of shape
    /// `[parts * n, cells, dim]`.
    pub fn network(
        &mut self,
        graph: &Graph,
        weights: &Weights,
        pictures: &[Planes],
        pixels: &Pixels,
    ) -> Result<Vec<Cells>, EmitError> {
        let [first, ..] = pictures else {
            return Err(EmitError::Empty { what: "a network" });
        };
        "pictures".clone_into(&mut self.writer.scope);
        let names: Vec<&Name> = pictures.iter().map(|picture| &picture.name).collect();
        let stacked = match names[..] {
            [only] => only.clone(),
            _ => self.writer.node("Concat", &names, vec![int("axis", 0)]),
        };
        let input = normalise(&mut self.writer, stacked, first.channels, pixels)?;
        let outputs = write_network(&mut self.writer, graph, weights, input, None)?;
        outputs
            .into_iter()
            .map(|(output, name, shape)| match shape.square() {
                Some((side, dim)) => Ok(Cells { name, rows: side, cols: side, dim }),
                None => Err(EmitError::NoGrid { name: output }),
            })
            .collect()
    }

    /// A constant matrix under a fresh name.
    pub(super) fn matrix(&mut self, matrix: &Matrix) -> Name {
        let name = self.writer.fresh("matrix");
        self.writer.tensor(name, &[matrix.rows(), matrix.cols()], || matrix.data().into())
    }

    /// Whole numbers that say where.
    pub(super) fn places(&mut self, places: &[usize]) -> Name {
        self.writer.long_integers(places)
    }
}

impl Shape {
    /// Side and width of rows that are the cells of a square.
    fn square(&self) -> Option<(usize, usize)> {
        let Shape::Rows { rows: crate::graph::RowCount::Fixed(rows), dim } = self else { return None };
        let side = rows.isqrt();
        (side * side == *rows).then_some((side, *dim))
    }
}
