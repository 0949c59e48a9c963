//! Convolution of an image of few channels: a network's first layer, or the cutting of an image into patches.
//!
//! The image keeps its channels apart, with the zeros of the padding around each. A tile is that of a matrix product
//! (see [`gemm`](super::gemm)) whose rows are neighbouring outputs of one line; their inputs overlap in memory.

use super::super::simd::{Isa, Kernel, Lanes};
use super::{Grid, deal, math};
use std::ops::Range;

/// Convolution of some output lines, all output channels.
pub(crate) struct Conv<'a> {
    /// `[channels][height][pitch]`, padding included.
    pub(crate) image: &'a [f32],
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) pitch: usize,

    /// `[panels][channels · size · size]`.
    pub(crate) weights: &'a [Lanes],
    /// One vector per panel.
    pub(crate) bias: &'a [Lanes],
    /// Width and height of the filter.
    pub(crate) size: usize,
    pub(crate) stride: usize,
    pub(crate) relu6: bool,

    /// The output lines to compute.
    pub(crate) lines: Range<usize>,
    /// Length of an output line.
    pub(crate) width: usize,
    pub(crate) panels: usize,
    pub(crate) out: &'a mut [Lanes],
    pub(crate) out_plane: usize,
    /// Where an output goes in its plane, counted from the first of `lines`.
    pub(crate) grid: Grid,
}

impl Kernel for Conv<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        for panels in deal(self.panels, I::TILE_PANELS) {
            match panels.len() {
                1 => self.columns::<I, 1>(isa, panels.start),
                2 if I::TILE_PANELS >= 2 => self.columns::<I, 2>(isa, panels.start),
                3 if I::TILE_PANELS >= 3 => self.columns::<I, 3>(isa, panels.start),
                _ => unreachable!("`deal` gives at most `TILE_PANELS`"),
            }
        }
    }
}

impl Conv<'_> {
    #[inline(always)]
    fn columns<I: Isa, const P: usize>(&mut self, isa: I, panel: usize) {
        for line in self.lines.clone() {
            let start = self.grid.place((line - self.lines.start) * self.width).at;
            for xs in deal(self.width, I::TILE_ROWS) {
                let at = start + xs.start;
                match xs.len() {
                    1 => self.tile::<I, 1, P>(isa, line, xs.start, at, panel),
                    2 => self.tile::<I, 2, P>(isa, line, xs.start, at, panel),
                    3 => self.tile::<I, 3, P>(isa, line, xs.start, at, panel),
                    4 => self.tile::<I, 4, P>(isa, line, xs.start, at, panel),
                    5 if I::TILE_ROWS >= 5 => self.tile::<I, 5, P>(isa, line, xs.start, at, panel),
                    6 if I::TILE_ROWS >= 6 => self.tile::<I, 6, P>(isa, line, xs.start, at, panel),
                    7 if I::TILE_ROWS >= 7 => self.tile::<I, 7, P>(isa, line, xs.start, at, panel),
                    8 if I::TILE_ROWS >= 8 => self.tile::<I, 8, P>(isa, line, xs.start, at, panel),
                    _ => unreachable!("`deal` gives at most `TILE_ROWS`"),
                }
            }
        }
    }

    /// Computes `R` neighbouring outputs from `x` on, which go to each plane's index `at`.
    #[inline(always)]
    fn tile<I: Isa, const R: usize, const P: usize>(
        &mut self,
        isa: I,
        line: usize,
        x: usize,
        at: usize,
        panel: usize,
    ) {
        let depth = self.channels * self.size * self.size;
        let mut sums = [[isa.splat(0.0); P]; R];
        for p in 0..P {
            let bias = isa.load(&self.bias[panel + p]);
            for sum in &mut sums {
                sum[p] = bias;
            }
        }
        for channel in 0..self.channels {
            for dy in 0..self.size {
                let input = (channel * self.height + line * self.stride + dy) * self.pitch + x * self.stride;
                let mut taps: [&[f32]; R] = [&[]; R];
                for (r, taps) in taps.iter_mut().enumerate() {
                    *taps = &self.image[input + r * self.stride..][..self.size];
                }
                let mut weights: [&[Lanes]; P] = [&[]; P];
                for (p, weights) in weights.iter_mut().enumerate() {
                    let first = (panel + p) * depth + (channel * self.size + dy) * self.size;
                    *weights = &self.weights[first..][..self.size];
                }
                for dx in 0..self.size {
                    for r in 0..R {
                        let x = isa.splat(taps[r][dx]);
                        for p in 0..P {
                            sums[r][p] = isa.mul_add(x, isa.load(&weights[p][dx]), sums[r][p]);
                        }
                    }
                }
            }
        }
        for (r, sum) in sums.iter().enumerate() {
            for p in 0..P {
                let y = if self.relu6 { math::relu6(isa, sum[p]) } else { sum[p] };
                isa.store(y, &mut self.out[(panel + p) * self.out_plane + at + r]);
            }
        }
    }
}

/// Copies an image `[channels][height][width]` to the middle of one with zeros around it, `[channels][.., pitch]`.
pub(crate) fn pad_image(image: &[f32], width: usize, height: usize, to: &mut [f32], around: Around) {
    let padded = height + around.top + around.bottom;
    for (from, to) in image.chunks_exact(width * height).zip(to.chunks_exact_mut(padded * around.pitch)) {
        let (above, rest) = to.split_at_mut(around.top * around.pitch);
        let (middle, below) = rest.split_at_mut(height * around.pitch);
        above.fill(0.0);
        below.fill(0.0);
        for (from, to) in from.chunks_exact(width).zip(middle.chunks_exact_mut(around.pitch)) {
            to[..around.left].fill(0.0);
            to[around.left..around.left + width].copy_from_slice(from);
            to[around.left + width..].fill(0.0);
        }
    }
}

/// The zeros around an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around {
    pub(crate) top: usize,
    pub(crate) bottom: usize,
    pub(crate) left: usize,
    /// Length of a line with the zeros on both sides.
    pub(crate) pitch: usize,
}
