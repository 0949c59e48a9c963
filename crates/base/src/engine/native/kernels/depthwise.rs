//! Depthwise convolution: each channel with its own small filter.
//!
//! The input is kept as image lines with the zeros of the padding beside them (see [`Grid`](super::Grid)), and lines
//! above and below the image are one shared line of zeros. So the inner loop has no edges: a tile of neighbouring
//! outputs of one line, sixteen channels, all in registers.

use super::super::simd::{Isa, Kernel, Lanes};
use super::{deal, math};
use std::ops::Range;

/// Outputs of one line that a tile computes together: more share more of what they load.
const TILE: usize = 6;

/// Depthwise convolution of some output lines.
pub(crate) struct Depthwise<'a> {
    /// `[panels][slots][pitch]`: the last `slots` lines of each panel, each in the slot of its number.
    pub(crate) input: &'a [Lanes],
    pub(crate) slots: usize,
    /// Length of an input line with its padding.
    pub(crate) pitch: usize,
    /// Distance from one panel of the input to the next.
    pub(crate) input_plane: usize,
    /// Lines of the whole input image.
    pub(crate) height: usize,
    /// A line of zeros, at least `pitch` long.
    pub(crate) zeros: &'a [Lanes],

    pub(crate) filter: Filter<'a>,
    pub(crate) relu6: bool,

    /// The output lines to compute; the first goes to the start of `output`.
    pub(crate) lines: Range<usize>,
    /// Length of an output line.
    pub(crate) width: usize,
    pub(crate) panels: usize,
    pub(crate) output: &'a mut [Lanes],
    /// Distance from one panel of the output to the next.
    pub(crate) output_plane: usize,
}

/// The weights and how they move over the image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter<'a> {
    /// `[panels][size · size]`.
    pub(crate) weights: &'a [Lanes],
    /// One vector per panel.
    pub(crate) bias: &'a [Lanes],
    /// Width and height: 3 or 5.
    pub(crate) size: usize,
    /// 1 or 2.
    pub(crate) stride: usize,
    /// Lines of zeros above the image.
    pub(crate) top: usize,
}

impl Filter<'_> {
    /// Whether the kernel has this size and stride.
    pub(crate) fn supported(size: usize, stride: usize) -> bool {
        matches!(size, 3 | 5) && matches!(stride, 1 | 2)
    }
}

impl Kernel for Depthwise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        match (self.filter.size, self.filter.stride) {
            (3, 1) => self.image::<I, 3, 1>(isa),
            (3, 2) => self.image::<I, 3, 2>(isa),
            (5, 1) => self.image::<I, 5, 1>(isa),
            (5, 2) => self.image::<I, 5, 2>(isa),
            _ => unreachable!("the plan only holds filters that are `supported`"),
        }
    }
}

impl Depthwise<'_> {
    #[inline(always)]
    fn image<I: Isa, const K: usize, const S: usize>(&mut self, isa: I) {
        for panel in 0..self.panels {
            for line in self.lines.clone() {
                let mut input: [&[Lanes]; K] = [self.zeros; K];
                for (dy, input) in input.iter_mut().enumerate() {
                    let y = (line * S + dy).wrapping_sub(self.filter.top);
                    if y < self.height {
                        *input = &self.input[panel * self.input_plane + y % self.slots * self.pitch..]
                            [..self.pitch];
                    }
                }
                let start = panel * self.output_plane + (line - self.lines.start) * self.width;
                for x in deal(self.width, TILE) {
                    match x.len() {
                        1 => self.tile::<I, K, S, 1>(isa, panel, input, x.start, start),
                        2 => self.tile::<I, K, S, 2>(isa, panel, input, x.start, start),
                        3 => self.tile::<I, K, S, 3>(isa, panel, input, x.start, start),
                        4 => self.tile::<I, K, S, 4>(isa, panel, input, x.start, start),
                        5 => self.tile::<I, K, S, 5>(isa, panel, input, x.start, start),
                        TILE => self.tile::<I, K, S, TILE>(isa, panel, input, x.start, start),
                        _ => unreachable!("`deal` gives at most `TILE`"),
                    }
                }
            }
        }
    }

    /// Computes `T` neighbouring outputs of one panel; the output line begins at `start`.
    #[inline(always)]
    fn tile<I: Isa, const K: usize, const S: usize, const T: usize>(
        &mut self,
        isa: I,
        panel: usize,
        input: [&[Lanes]; K],
        x: usize,
        start: usize,
    ) {
        let weights: &[[Lanes; K]] = self.filter.weights[panel * K * K..][..K * K].as_chunks().0;
        let mut sums = [isa.load(&self.filter.bias[panel]); T];
        for dy in 0..K {
            let taps = &input[dy][x * S..][..(T - 1) * S + K];
            for dx in 0..K {
                let weight = isa.load(&weights[dy][dx]);
                for t in 0..T {
                    sums[t] = isa.mul_add(isa.load(&taps[t * S + dx]), weight, sums[t]);
                }
            }
        }
        let output: &mut [Lanes; T] =
            self.output[start + x..].first_chunk_mut().expect("`output` has room for all its lines");
        for t in 0..T {
            let y = if self.relu6 { math::relu6(isa, sums[t]) } else { sums[t] };
            isa.store(y, &mut output[t]);
        }
    }
}
