//! Inverted bottlenecks: widen, depthwise convolution, narrow (Sandler et al. 2018), without ever storing the wide map.
//!
//! The wide map is several times larger than what flows between blocks, too large for the second-level cache in the
//! early layers. So the three run together over a part of the map, and what lies between them stays near:
//! - where images are large, over a strip of lines: of the wide map only the lines that the filter still reaches are kept;
//! - where they are small, over a group of channels of the whole map, and the narrowing adds up group by group.
//!
//! Either way every sum has the order it would have had alone, so the tiling never shows in the result.

use super::super::kernels::Grid;
use super::super::kernels::depthwise::{Depthwise, Filter};
use super::super::kernels::gemm::Planes;
use super::super::layout::panels;
use super::super::memory::{Packed, Shelf};
use super::super::simd::{Cpu, LANES, Lanes, blocks};
use super::super::values::Inputs;
use super::image::ImageConv;
use super::product::{Part, Product};
use super::{Run, Step};
use crate::graph::Padding;
use std::io;
use std::ops::Range;

/// What a tile's maps may take, in vectors: most of a second-level cache of one megabyte. With half of it, or all of it,
/// EfficientNet-Lite2 takes 1 % longer (measured on Zen 4).
const NEAR: usize = (768 << 10) / size_of::<Lanes>();

/// Panels that a group of channels is a multiple of: those of the widest tile of a product.
const GROUP: usize = 3;

/// Where the depthwise convolution's input comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The step's first input as it is.
    Input,
    /// The step's first input, widened.
    Widened(Product),
    /// The network's input image, convolved.
    Image(ImageConv),
}

/// A depthwise convolution with whatever comes right before and after.
#[derive(Debug)]
pub(crate) struct Bottleneck {
    source: Source,
    filter: DepthwiseFilter,
    sizes: Sizes,
    /// The result when there is none is that of the depthwise convolution.
    narrowing: Option<Product>,
    /// The step's last input is added to the result.
    residual: bool,
    tiling: Tiling,
}

/// The weights of a depthwise convolution.
#[derive(Debug)]
pub(crate) struct DepthwiseFilter {
    weights: Packed,
    bias: Packed,
    size: usize,
    stride: usize,
    relu6: bool,
}

impl DepthwiseFilter {
    /// `weight` is `[channels][size][size]`, `bias` `[channels]`.
    pub(crate) fn new(
        shelf: &mut Shelf,
        weight: &[f32],
        bias: &[f32],
        (size, stride): (usize, usize),
        relu6: bool,
    ) -> io::Result<Self> {
        let weights = shelf.put(&panels(weight, bias.len(), size * size))?;
        Ok(Self { weights, bias: shelf.put(&panels(bias, bias.len(), 1))?, size, stride, relu6 })
    }
}

/// The sizes of a depthwise convolution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) padding: Padding,
    pub(crate) out_height: usize,
    pub(crate) out_width: usize,
}

impl Sizes {
    /// Length of an input line with its padding.
    fn pitch(&self) -> usize {
        self.padding.left + self.width + self.padding.right
    }
}

/// How the work is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tiling {
    /// Output lines of a strip: all, or all panels are in one group.
    lines: usize,
    /// Panels of a group.
    panels: usize,
    /// Input lines that are kept.
    slots: usize,
}

impl Tiling {
    /// Cuts so that a tile's maps fit into [`NEAR`]; `around` is what a position takes in the maps before and after.
    fn choose(sizes: &Sizes, size: usize, stride: usize, around: usize) -> Self {
        let all = blocks(sizes.channels);
        let slots = |lines: usize| ((lines - 1) * stride + size).min(sizes.height);
        let footprint = |lines: usize, panels: usize| {
            let positions = lines * sizes.out_width;
            panels * (slots(lines) * sizes.pitch() + positions) + around * positions * stride * stride
        };
        let whole = sizes.out_height;
        let groups = (1..=all.div_ceil(GROUP)).map(|n| (GROUP * n).min(all));
        if let Some(panels) = groups.rev().find(|&panels| footprint(whole, panels) <= NEAR) {
            return Self { lines: whole, panels, slots: slots(whole) };
        }
        let lines = (1..=whole).rev().find(|&lines| footprint(lines, all) <= NEAR).unwrap_or(1);
        Self { lines, panels: all, slots: slots(lines) }
    }
}

/// The parts of the scratch.
struct Scratch<'a> {
    /// The wide map: `[panels of a group][slots][pitch]`.
    wide: &'a mut [Lanes],
    /// The depthwise convolution's result: `[panels of a group][lines of a strip][width]`.
    filtered: &'a mut [Lanes],
    zeros: &'a mut [Lanes],
    /// The network's input with zeros around it.
    image: &'a mut [Lanes],
}

impl Bottleneck {
    pub(crate) fn new(
        source: Source,
        filter: DepthwiseFilter,
        sizes: Sizes,
        narrowing: Option<Product>,
        residual: bool,
    ) -> Self {
        let before = if let Source::Widened(product) = &source { product.blocks() } else { 0 };
        let after = narrowing.as_ref().map_or(0, Product::panels);
        let tiling = Tiling::choose(&sizes, filter.size, filter.stride, before + after);
        Self { source, filter, sizes, narrowing, residual, tiling }
    }

    /// Lengths of the parts of the scratch.
    fn scratch_lens(&self) -> [usize; 4] {
        let Tiling { lines, panels, slots } = self.tiling;
        let pitch = self.sizes.pitch();
        let filtered = if self.narrowing.is_some() { panels * lines * self.sizes.out_width } else { 0 };
        let image = if let Source::Image(conv) = &self.source { conv.padded_len() } else { 0 };
        [panels * slots * pitch, filtered, pitch, image]
    }

    fn split_scratch<'a>(&self, scratch: &'a mut [Lanes]) -> Scratch<'a> {
        let [wide, filtered, zeros, _] = self.scratch_lens();
        let (wide, rest) = scratch.split_at_mut(wide);
        let (filtered, rest) = rest.split_at_mut(filtered);
        let (zeros, image) = rest.split_at_mut(zeros);
        Scratch { wide, filtered, zeros, image }
    }

    /// Distance from one panel of the wide map to the next.
    fn wide_plane(&self) -> usize {
        self.tiling.slots * self.sizes.pitch()
    }

    /// Computes input lines of the wide map, each to its slot.
    fn widen(&self, run: &Run<'_>, panels: Range<usize>, lines: Range<usize>, scratch: &mut Scratch<'_>) {
        let Sizes { width, padding, .. } = self.sizes;
        let (pitch, slots, plane) = (self.sizes.pitch(), self.tiling.slots, self.wide_plane());
        let grid = Grid { width, pitch, left: padding.left, line: lines.start, slots };
        match &self.source {
            Source::Input => {
                let x = run.inputs.planes(0);
                for (panel, wide) in panels.zip(scratch.wide.chunks_exact_mut(plane)) {
                    for line in lines.clone() {
                        let from = &x.data[panel * x.plane + line * width..][..width];
                        wide[line % slots * pitch + padding.left..][..width].copy_from_slice(from);
                    }
                }
            }
            Source::Widened(product) => {
                let x = run.inputs.planes(0);
                product.part(
                    run.cpu,
                    Part {
                        rows: lines.len() * width,
                        panels,
                        blocks: 0..product.blocks(),
                        x: x.skip_rows(lines.start * width),
                        other: None,
                        out: scratch.wide,
                        out_plane: plane,
                        grid,
                    },
                );
            }
            Source::Image(conv) => {
                conv.lines(run.cpu, scratch.image, lines, panels, (scratch.wide, plane, grid))
            }
        }
    }

    /// Filters what was widened: `lines` of the output, to the start of `output`.
    fn filter(
        &self,
        cpu: Cpu,
        panels: Range<usize>,
        lines: Range<usize>,
        (wide, zeros): (&[Lanes], &[Lanes]),
        (output, output_plane): (&mut [Lanes], usize),
    ) {
        let DepthwiseFilter { weights, bias, size, stride, relu6 } = &self.filter;
        cpu.run(Depthwise {
            input: wide,
            slots: self.tiling.slots,
            pitch: self.sizes.pitch(),
            input_plane: self.wide_plane(),
            height: self.sizes.height,
            zeros,
            filter: Filter {
                weights: &weights[panels.start * size * size..],
                bias: &bias[panels.start..],
                size: *size,
                stride: *stride,
                top: self.sizes.padding.top,
            },
            relu6: *relu6,
            lines,
            width: self.sizes.out_width,
            panels: panels.len(),
            output,
            output_plane,
        });
    }

    /// Adds a group of channels to the result.
    fn narrow(
        &self,
        product: &Product,
        run: &mut Run<'_>,
        panels: Range<usize>,
        lines: Range<usize>,
        filtered: &[Lanes],
    ) {
        let width = self.sizes.out_width;
        let first = lines.start * width;
        let other = self.residual.then(|| run.inputs.planes(run.inputs.len() - 1).skip_rows(first));
        product.part(
            run.cpu,
            Part {
                rows: lines.len() * width,
                panels: 0..product.panels(),
                blocks: panels,
                x: Planes { data: filtered, plane: self.tiling.lines * width },
                other,
                out: &mut run.out[first..],
                out_plane: run.rows,
                grid: Grid::FLAT,
            },
        );
    }
}

impl Step for Bottleneck {
    fn scratch(&self, _: &Inputs<'_>) -> usize {
        self.scratch_lens().iter().sum()
    }

    fn run(&self, mut run: Run<'_>) {
        let Sizes { height, width, padding, out_height, out_width, .. } = self.sizes;
        let pitch = self.sizes.pitch();
        let mut scratch = self.split_scratch(std::mem::take(&mut run.scratch));
        scratch.zeros.fill([0.0; LANES]);
        for line in scratch.wide.chunks_exact_mut(pitch) {
            line[..padding.left].fill([0.0; LANES]);
            line[padding.left + width..].fill([0.0; LANES]);
        }
        if let Source::Image(conv) = &self.source {
            conv.pad(run.batch.values, scratch.image);
        }
        let all = blocks(self.sizes.channels);
        let mut made = 0;
        for start in (0..out_height).step_by(self.tiling.lines) {
            let lines = start..(start + self.tiling.lines).min(out_height);
            let reach = (lines.end - 1) * self.filter.stride + self.filter.size;
            let needed = reach.saturating_sub(padding.top).min(height);
            for first in (0..all).step_by(self.tiling.panels) {
                let panels = first..(first + self.tiling.panels).min(all);
                self.widen(&run, panels.clone(), made..needed, &mut scratch);
                let wide = (&*scratch.wide, &*scratch.zeros);
                if let Some(product) = &self.narrowing {
                    let to = (&mut *scratch.filtered, self.tiling.lines * out_width);
                    self.filter(run.cpu, panels.clone(), lines.clone(), wide, to);
                    self.narrow(product, &mut run, panels, lines.clone(), scratch.filtered);
                } else {
                    let to = (&mut run.out[first * run.rows + start * out_width..], run.rows);
                    self.filter(run.cpu, panels, lines.clone(), wide, to);
                }
            }
            made = needed;
        }
    }
}
