//! Linear maps and 1x1 convolutions.

use super::super::kernels::gemm::{Finish, Gemm, Panels, Planes, Start};
use super::super::kernels::{Grid, deal};
use super::super::layout::panels;
use super::super::memory::{Packed, Shelf};
use super::super::simd::{Cpu, LANES, Lanes, blocks};
use super::{Run, Step};
use crate::graph::Activation;
use std::io;
use std::ops::Range;

/// Activations that are worked on together, in bytes: about half of a core's second-level cache.
const NEAR_BYTES: usize = 256 << 10;

/// `activation(x · weightᵀ + bias)`, or `x · weightᵀ + bias + other` when the step has a second input.
#[derive(Debug)]
pub(crate) struct Product {
    weights: Packed,
    bias: Packed,
    inputs: usize,
    outputs: usize,
    activation: Activation,
}

/// A part of a product: some rows, some outputs, some of the inner dimension.
pub(crate) struct Part<'a> {
    pub(crate) rows: usize,
    /// Panels of outputs.
    pub(crate) panels: Range<usize>,
    /// Blocks of inputs; those before were already added to `out`.
    pub(crate) blocks: Range<usize>,
    /// From the first of `rows` and of `blocks` on.
    pub(crate) x: Planes<'a>,
    /// Added to the finished sums.
    pub(crate) other: Option<Planes<'a>>,
    /// From the first of `panels` on.
    pub(crate) out: &'a mut [Lanes],
    pub(crate) out_plane: usize,
    pub(crate) grid: Grid,
}

impl Product {
    /// `weight` is `[outputs][inputs]`, `bias` `[outputs]`.
    pub(crate) fn new(
        shelf: &mut Shelf,
        weight: &[f32],
        bias: &[f32],
        activation: Activation,
    ) -> io::Result<Self> {
        let (outputs, inputs) = (bias.len(), weight.len() / bias.len());
        Ok(Self {
            bias: shelf.put(&panels(bias, outputs, 1))?,
            weights: shelf.put(&panels(weight, outputs, inputs))?,
            inputs,
            outputs,
            activation,
        })
    }

    /// Panels of outputs.
    pub(crate) fn panels(&self) -> usize {
        blocks(self.outputs)
    }

    /// Blocks of inputs.
    pub(crate) fn blocks(&self) -> usize {
        blocks(self.inputs)
    }

    /// Computes a part. The sums are in order, so that all parts of the inner dimension give what one would.
    pub(crate) fn part(&self, cpu: Cpu, part: Part<'_>) {
        let whole = part.blocks.end == self.blocks();
        let first = part.blocks.start * LANES;
        let end = if whole { self.inputs } else { part.blocks.end * LANES };
        let finish = match (whole, part.other, self.activation) {
            (false, ..) | (true, None, Activation::None) => Finish::Keep,
            (true, Some(other), _) => Finish::Add(other),
            (true, None, Activation::Relu) => Finish::Relu,
            (true, None, Activation::Tanh) => Finish::Tanh,
            (true, None, Activation::Relu6) => Finish::Relu6,
            (true, None, Activation::Gelu) => Finish::Gelu,
            (true, None, Activation::QuickGelu) => Finish::QuickGelu,
        };
        cpu.run(Gemm {
            rows: part.rows,
            depth: end - first,
            panels: part.panels.len(),
            a: part.x,
            weights: Panels {
                data: &self.weights[part.panels.start * self.inputs + first..],
                panel: self.inputs,
            },
            start: if first == 0 { Start::Bias(&self.bias[part.panels.clone()]) } else { Start::Out },
            finish,
            out: part.out,
            out_plane: part.out_plane,
            grid: part.grid,
        });
    }
}

impl Step for Product {
    fn run(&self, run: Run<'_>) {
        let x = run.inputs.planes(0);
        let other = (run.inputs.len() > 1).then(|| run.inputs.planes(1));
        let most = (NEAR_BYTES / size_of::<f32>() / self.inputs).max(16);
        for rows in deal(run.rows, most) {
            self.part(
                run.cpu,
                Part {
                    rows: rows.len(),
                    panels: 0..self.panels(),
                    blocks: 0..self.blocks(),
                    x: x.skip_rows(rows.start),
                    other: other.map(|other| other.skip_rows(rows.start)),
                    out: &mut run.out[rows.start..],
                    out_plane: run.rows,
                    grid: Grid::FLAT,
                },
            );
        }
    }
}
