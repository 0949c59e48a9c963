//! The first layers of networks over texts and sounds, and attention.

use super::super::kernels::attention::{Attention, attend, scratch_len};
use super::super::kernels::norm::LayerNorm;
use super::super::layout::{panels, row_to_planes};
use super::super::simd::{LANES, Lanes};
use super::super::values::Inputs;
use super::{Run, Step};
use crate::graph::Sight;
use crate::weights::Values;

/// Looks up the row of each token in a table.
#[derive(Debug)]
pub(crate) struct Embed {
    /// `[vocabulary, dim]`; a window of the weights' file, which may be far larger than all else.
    pub(crate) table: Values,
    pub(crate) dim: usize,
}

impl Step for Embed {
    fn run(&self, run: Run<'_>) {
        let tokens = run.batch.texts.iter().flat_map(|text| text.iter());
        for (row, &token) in tokens.enumerate() {
            let from = &self.table[token as usize * self.dim..][..self.dim];
            row_to_planes(from, run.out, run.rows, row);
        }
    }
}

/// Lays out the frames of a sound.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(crate) dim: usize,
}

impl Step for Frames {
    fn run(&self, run: Run<'_>) {
        for (row, frame) in run.batch.values.chunks_exact(self.dim).enumerate() {
            row_to_planes(frame, run.out, run.rows, row);
        }
    }
}

/// Adds to each row what a table holds for its place in its example.
#[derive(Debug)]
pub(crate) struct AddPositions {
    /// `[positions, dim]`.
    pub(crate) table: Values,
    pub(crate) dim: usize,
    /// The position of an example's first row.
    pub(crate) first: usize,
}

impl Step for AddPositions {
    fn run(&self, run: Run<'_>) {
        let x = run.inputs.planes(0);
        for example in 0..run.batch.examples() {
            for (row, position) in
                run.inputs.rows_of(0, example).zip(self.table.chunks_exact(self.dim).skip(self.first))
            {
                for (block, position) in position.chunks(LANES).enumerate() {
                    let at = block * x.plane + row;
                    run.out[at] = x.data[at];
                    run.out[at].iter_mut().zip(position).for_each(|(x, position)| *x += position);
                }
            }
        }
    }
}

/// Attention of each example's rows to each other.
#[derive(Debug)]
pub(crate) struct Attend {
    pub(crate) heads: usize,
    /// A multiple of [`LANES`].
    pub(crate) head_dim: usize,
    pub(crate) sight: Sight,
}

impl Step for Attend {
    fn scratch(&self, inputs: &Inputs<'_>) -> usize {
        let rows = (0..inputs.batch.examples()).map(|example| inputs.rows_of(0, example).len());
        rows.map(|rows| scratch_len(rows, self.head_dim)).max().unwrap_or(0)
    }

    fn run(&self, run: Run<'_>) {
        let Self { heads, head_dim, sight } = *self;
        let [q, k, v] = [0, 1, 2].map(|input| run.inputs.planes(input));
        for example in 0..run.batch.examples() {
            let tokens = run.inputs.rows_of(0, example);
            let (out, scratch) = (&mut *run.out, &mut *run.scratch);
            attend(
                run.cpu,
                Attention { q, k, v, tokens, heads, head_dim, sight, out, out_plane: run.rows, scratch },
            );
        }
    }
}

/// Normalises each row.
#[derive(Debug)]
pub(crate) struct Normalise {
    gamma: Vec<Lanes>,
    beta: Vec<Lanes>,
    dim: usize,
    eps: f32,
}

impl Normalise {
    pub(crate) fn new(gamma: &[f32], beta: &[f32], eps: f32) -> Self {
        let dim = gamma.len();
        Self { gamma: panels(gamma, dim, 1), beta: panels(beta, dim, 1), dim, eps }
    }
}

impl Step for Normalise {
    fn run(&self, run: Run<'_>) {
        let x = run.inputs.planes(0);
        run.cpu.run(LayerNorm {
            x: x.data,
            plane: x.plane,
            rows: run.rows,
            dim: self.dim,
            gamma: &self.gamma,
            beta: &self.beta,
            eps: self.eps,
            out: run.out,
        });
    }
}
