//! Matrix product with everything that follows it: bias, activation, residual.
//!
//! The left operand is a matrix of activations in planes (see [`Planes`]), the right one weights in panels: sixteen
//! columns, all of their rows in a row. A tile of rows x panels is kept in registers while the kernel walks down the
//! inner dimension: per step it loads the weights once, broadcasts one activation per row, and multiplies and adds.
//!
//! Each output is one chain of multiply-adds in the order of the inner dimension, whatever the tile it lands in. So a
//! row's result depends neither on how many rows there are nor on how the inner dimension is cut into calls
//! ([`Start::Out`]).

use super::super::simd::{Isa, Kernel, LANES, Lanes, blocks};
use super::math;
use super::{Grid, deal};
use std::ops::Range;

/// Rows of activations: `[blocks of channels][plane][LANES]`, of which each plane's first rows count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planes<'a> {
    pub(crate) data: &'a [Lanes],
    /// Distance from one block of channels to the next, in [`Lanes`].
    pub(crate) plane: usize,
}

impl Planes<'_> {
    /// The same without the first rows.
    pub(crate) fn skip_rows(self, rows: usize) -> Self {
        Self { data: &self.data[rows..], plane: self.plane }
    }
}

/// Weights: `[panels][rows][LANES]`, or some of the rows of every panel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panels<'a> {
    pub(crate) data: &'a [Lanes],
    /// Distance from one panel to the next, in [`Lanes`].
    pub(crate) panel: usize,
}

/// What the sum starts from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start<'a> {
    Zero,
    /// One vector per panel.
    Bias(&'a [Lanes]),
    /// What the output holds: an earlier call did the inner dimension's earlier part.
    Out,
}

/// What happens to a finished sum.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Finish<'a> {
    Keep,
    Relu,
    Relu6,
    Gelu,
    QuickGelu,
    Tanh,
    /// Adds a matrix of the output's shape, in planes, rows without gaps.
    Add(Planes<'a>),
}

/// With few rows, weights that come from memory are used too briefly for the processor to fetch ahead by itself.
const FEW_ROWS: usize = 48;

/// `out = finish(start + a · weights)` for `rows` rows and `panels` panels of columns.
pub(crate) struct Gemm<'a> {
    pub(crate) rows: usize,
    /// Inner dimension.
    pub(crate) depth: usize,
    pub(crate) panels: usize,
    pub(crate) a: Planes<'a>,
    pub(crate) weights: Panels<'a>,
    pub(crate) start: Start<'a>,
    pub(crate) finish: Finish<'a>,
    pub(crate) out: &'a mut [Lanes],
    /// Distance from one panel of outputs to the next, in [`Lanes`].
    pub(crate) out_plane: usize,
    /// Where an output row goes in its plane.
    pub(crate) grid: Grid,
}

impl Kernel for Gemm<'_> {
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

impl Gemm<'_> {
    /// Computes all rows of `P` panels: their weights stay near while the rows pass by.
    #[inline(always)]
    fn columns<I: Isa, const P: usize>(&mut self, isa: I, panel: usize) {
        for rows in deal(self.rows, I::TILE_ROWS) {
            match rows.len() {
                1 => self.tile::<I, 1, P>(isa, rows.start, panel),
                2 => self.tile::<I, 2, P>(isa, rows.start, panel),
                3 => self.tile::<I, 3, P>(isa, rows.start, panel),
                4 => self.tile::<I, 4, P>(isa, rows.start, panel),
                5 if I::TILE_ROWS >= 5 => self.tile::<I, 5, P>(isa, rows.start, panel),
                6 if I::TILE_ROWS >= 6 => self.tile::<I, 6, P>(isa, rows.start, panel),
                7 if I::TILE_ROWS >= 7 => self.tile::<I, 7, P>(isa, rows.start, panel),
                8 if I::TILE_ROWS >= 8 => self.tile::<I, 8, P>(isa, rows.start, panel),
                _ => unreachable!("`deal` gives at most `TILE_ROWS`"),
            }
        }
        match self.finish {
            Finish::Gelu => self.each(panel..panel + P, |x| isa.store(math::gelu(isa, isa.load(x)), x)),
            Finish::QuickGelu => {
                self.each(panel..panel + P, |x| isa.store(math::quick_gelu(isa, isa.load(x)), x));
            }
            // One number at a time: only the last layer of a network has it.
            Finish::Tanh => self.each(panel..panel + P, |x| *x = x.map(f32::tanh)),
            _ => {}
        }
    }

    #[inline(always)]
    fn tile<I: Isa, const R: usize, const P: usize>(&mut self, isa: I, row: usize, panel: usize) {
        let mut sums = [[isa.splat(0.0); P]; R];
        match self.start {
            Start::Zero => {}
            Start::Bias(bias) => {
                for p in 0..P {
                    let bias = isa.load(&bias[panel + p]);
                    for sum in &mut sums {
                        sum[p] = bias;
                    }
                }
            }
            Start::Out => {
                let mut place = self.grid.place(row);
                for sum in &mut sums {
                    for p in 0..P {
                        sum[p] = isa.load(&self.out[(panel + p) * self.out_plane + place.at]);
                    }
                    place.step();
                }
            }
        }
        self.accumulate(isa, row, panel, &mut sums);
        match self.finish {
            Finish::Keep | Finish::Gelu | Finish::QuickGelu | Finish::Tanh => {}
            Finish::Relu => {
                for sum in sums.as_flattened_mut() {
                    *sum = isa.max(*sum, isa.splat(0.0));
                }
            }
            Finish::Relu6 => {
                for sum in sums.as_flattened_mut() {
                    *sum = math::relu6(isa, *sum);
                }
            }
            Finish::Add(other) => {
                for r in 0..R {
                    for p in 0..P {
                        let other = isa.load(&other.data[(panel + p) * other.plane + row + r]);
                        sums[r][p] = isa.add(sums[r][p], other);
                    }
                }
            }
        }
        let mut place = self.grid.place(row);
        for sum in &sums {
            for p in 0..P {
                isa.store(sum[p], &mut self.out[(panel + p) * self.out_plane + place.at]);
            }
            place.step();
        }
    }

    /// Adds `a · weights` to a tile of sums: the loop where the time goes.
    #[inline(always)]
    fn accumulate<I: Isa, const R: usize, const P: usize>(
        &self,
        isa: I,
        row: usize,
        panel: usize,
        sums: &mut [[I::V; P]; R],
    ) {
        let mut weights: [&[Lanes]; P] = [&[]; P];
        for p in 0..P {
            weights[p] = &self.weights.data[(panel + p) * self.weights.panel..][..self.depth];
        }
        let mut tile = *sums;
        for block in 0..blocks(self.depth) {
            let a: &[Lanes; R] = self.a.data[block * self.a.plane + row..]
                .first_chunk()
                .expect("`a` has all rows of each plane");
            let first = block * LANES;
            if self.rows <= FEW_ROWS {
                self.fetch_ahead(isa, panel + P..panel + 2 * P, first);
            }
            for k in 0..LANES.min(self.depth - first) {
                for r in 0..R {
                    let x = isa.splat(a[r][k]);
                    for p in 0..P {
                        tile[r][p] = isa.mul_add(x, isa.load(&weights[p][first + k]), tile[r][p]);
                    }
                }
            }
        }
        *sums = tile;
    }

    /// Asks for a block of the next panels' weights while these are worked on.
    #[inline(always)]
    fn fetch_ahead<I: Isa>(&self, isa: I, panels: Range<usize>, first: usize) {
        for panel in panels {
            let block = self.weights.data.get(panel * self.weights.panel + first..).unwrap_or_default();
            block.iter().take(LANES).for_each(|weights| isa.prefetch(weights));
        }
    }

    /// Applies the activation to finished panels, which are still in the cache.
    #[inline(always)]
    fn each(&mut self, panels: Range<usize>, change: impl Fn(&mut Lanes)) {
        for panel in panels {
            let mut place = self.grid.place(0);
            for _ in 0..self.rows {
                change(&mut self.out[panel * self.out_plane + place.at]);
                place.step();
            }
        }
    }
}
