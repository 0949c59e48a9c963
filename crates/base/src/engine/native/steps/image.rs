//! The first layer of an image network.

use super::super::kernels::Grid;
use super::super::kernels::conv::{Around, Conv, pad_image};
use super::super::layout::panels;
use super::super::memory::{Packed, Shelf};
use super::super::simd::{Cpu, LANES, Lanes, blocks};
use super::{Run, Step};
use crate::graph::Padding;
use std::io;
use std::ops::Range;

/// Convolution of the network's input image.
#[derive(Debug)]
pub(crate) struct ImageConv {
    weights: Packed,
    bias: Packed,
    sizes: ImageSizes,
    relu6: bool,
}

/// The sizes of a convolution of an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ImageSizes {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Width and height of the filter.
    pub(crate) size: usize,
    pub(crate) stride: usize,
    pub(crate) padding: Padding,
    pub(crate) out_height: usize,
    pub(crate) out_width: usize,
}

impl ImageSizes {
    fn padded_height(&self) -> usize {
        self.padding.top + self.height + self.padding.bottom
    }

    fn pitch(&self) -> usize {
        self.padding.left + self.width + self.padding.right
    }
}

impl ImageConv {
    /// `weight` is `[outputs][channels][size][size]`, `bias` `[outputs]`.
    pub(crate) fn new(
        shelf: &mut Shelf,
        weight: &[f32],
        bias: &[f32],
        sizes: ImageSizes,
        relu6: bool,
    ) -> io::Result<Self> {
        let inputs = sizes.channels * sizes.size * sizes.size;
        Ok(Self {
            bias: shelf.put(&panels(bias, bias.len(), 1))?,
            weights: shelf.put(&panels(weight, bias.len(), inputs))?,
            sizes,
            relu6,
        })
    }

    /// Vectors that the padded image takes.
    pub(crate) fn padded_len(&self) -> usize {
        blocks(self.sizes.channels * self.sizes.padded_height() * self.sizes.pitch())
    }

    /// Copies the image to where it has zeros around it.
    pub(crate) fn pad(&self, image: &[f32], padded: &mut [Lanes]) {
        let Padding { top, bottom, left, .. } = self.sizes.padding;
        let around = Around { top, bottom, left, pitch: self.sizes.pitch() };
        pad_image(image, self.sizes.width, self.sizes.height, padded.as_flattened_mut(), around);
    }

    /// Computes some output lines of some panels from the padded image.
    pub(crate) fn lines(
        &self,
        cpu: Cpu,
        padded: &[Lanes],
        lines: Range<usize>,
        panels: Range<usize>,
        (out, out_plane, grid): (&mut [Lanes], usize, Grid),
    ) {
        let inputs = self.sizes.channels * self.sizes.size * self.sizes.size;
        cpu.run(Conv {
            image: padded.as_flattened(),
            channels: self.sizes.channels,
            height: self.sizes.padded_height(),
            pitch: self.sizes.pitch(),
            weights: &self.weights[panels.start * inputs..],
            bias: &self.bias[panels.start..],
            size: self.sizes.size,
            stride: self.sizes.stride,
            relu6: self.relu6,
            lines,
            width: self.sizes.out_width,
            panels: panels.len(),
            out,
            out_plane,
            grid,
        });
    }
}

impl Step for ImageConv {
    fn scratch(&self, _: &super::Inputs<'_>) -> usize {
        self.padded_len()
    }

    fn run(&self, run: Run<'_>) {
        self.pad(run.batch.values, run.scratch);
        let out = (run.out, run.rows, Grid::FLAT);
        self.lines(run.cpu, run.scratch, 0..self.sizes.out_height, 0..self.bias.len(), out);
    }
}

const _: () = assert!(size_of::<Lanes>() == LANES * size_of::<f32>(), "a padded image is a slice of vectors");
