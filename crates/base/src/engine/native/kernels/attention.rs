//! Attention of one text's tokens to each other (Vaswani et al. 2017, section 3.2).
//!
//! Two matrix products with a softmax between them, head by head. In planes a head is a few whole blocks of channels,
//! and its values *are* the panels that the second product wants; only the keys are turned.

use super::super::simd::{Cpu, Isa, Kernel, LANES, Lanes, blocks};
use super::gemm::{Finish, Gemm, Panels, Planes, Start};
use super::{Grid, math, norm::first_lanes};
use crate::graph::Sight;
use std::ops::Range;

/// Query rows that are handled together, so that their scores stay near.
const QUERIES: usize = 64;

/// Attention of the rows `tokens` to each other.
pub(crate) struct Attention<'a> {
    pub(crate) q: Planes<'a>,
    pub(crate) k: Planes<'a>,
    pub(crate) v: Planes<'a>,
    pub(crate) tokens: Range<usize>,
    pub(crate) heads: usize,
    /// Channels of a head, a multiple of [`LANES`].
    pub(crate) head_dim: usize,
    pub(crate) sight: Sight,
    pub(crate) out: &'a mut [Lanes],
    pub(crate) out_plane: usize,
    /// At least [`scratch_len`] vectors.
    pub(crate) scratch: &'a mut [Lanes],
}

/// How many vectors of scratch the attention of `tokens` tokens wants.
pub(crate) fn scratch_len(tokens: usize, head_dim: usize) -> usize {
    blocks(tokens) * (head_dim + QUERIES.min(tokens))
}

/// Computes `softmax(q kᵀ / sqrt(head_dim)) v` for every head.
pub(crate) fn attend(cpu: Cpu, attention: Attention<'_>) {
    let Attention { q, k, v, tokens, heads, head_dim, sight, out, out_plane, scratch } = attention;
    let (n, head_blocks) = (tokens.len(), head_dim / LANES);
    let (turned, scores) = scratch.split_at_mut(blocks(n) * head_dim);
    for head in 0..heads {
        let start = |planes: Planes<'_>| head * head_blocks * planes.plane + tokens.start;
        turn(&k.data[start(k)..], k.plane, n, head_dim, turned);
        let v = Panels { data: &v.data[start(v)..], panel: v.plane };
        for first in (0..n).step_by(QUERIES) {
            let rows = QUERIES.min(n - first);
            cpu.run(Gemm {
                rows,
                depth: head_dim,
                panels: blocks(n),
                a: Planes { data: &q.data[start(q) + first..], plane: q.plane },
                weights: Panels { data: turned, panel: head_dim },
                start: Start::Zero,
                finish: Finish::Keep,
                out: scores,
                out_plane: rows,
                grid: Grid::FLAT,
            });
            if sight == Sight::Back {
                hide_behind(scores, rows, first, n);
            }
            cpu.run(Softmax { x: scores, rows, dim: n, scale: 1.0 / (head_dim as f32).sqrt() });
            cpu.run(Gemm {
                rows,
                depth: n,
                panels: head_blocks,
                a: Planes { data: scores, plane: rows },
                weights: v,
                start: Start::Zero,
                finish: Finish::Keep,
                out: &mut out[head * head_blocks * out_plane + tokens.start + first..],
                out_plane,
                grid: Grid::FLAT,
            });
        }
    }
}

/// Turns keys in planes into panels of sixteen keys: `[blocks of keys][head_dim]`, zeros beyond the last key.
fn turn(keys: &[Lanes], plane: usize, n: usize, head_dim: usize, panels: &mut [Lanes]) {
    for (first, panel) in (0..n).step_by(LANES).zip(panels.chunks_exact_mut(head_dim)) {
        let count = LANES.min(n - first);
        for (block, panel) in panel.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let keys = &keys[block * plane + first..][..count];
            for (d, turned) in panel.iter_mut().enumerate() {
                for (turned, key) in turned.iter_mut().zip(keys) {
                    *turned = key[d];
                }
                turned[count..].fill(0.0);
            }
        }
    }
}

/// Hides from each query, the first of which is `first`, the keys behind it. Scores lie in planes of `rows` rows each.
fn hide_behind(scores: &mut [Lanes], rows: usize, first: usize, n: usize) {
    for row in 0..rows {
        for key in first + row + 1..n {
            scores[key / LANES * rows + row][key % LANES] = f32::NEG_INFINITY;
        }
    }
}

/// Turns each row `x` into `exp(scale · x)`, divided by its sum. Rows lie in planes of `rows` rows each.
struct Softmax<'a> {
    x: &'a mut [Lanes],
    rows: usize,
    dim: usize,
    /// Positive.
    scale: f32,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let n = blocks(self.dim);
        let keep = first_lanes(self.dim - (n - 1) * LANES);
        let hide = isa.load(&keep.map(|keep| if keep == 0.0 { f32::NEG_INFINITY } else { 0.0 }));
        let keep = isa.load(&keep);
        for row in 0..self.rows {
            let last = (n - 1) * self.rows + row;
            let mut largest = isa.add(isa.load(&self.x[last]), hide);
            for block in 0..n - 1 {
                largest = isa.max(largest, isa.load(&self.x[block * self.rows + row]));
            }
            let shift = isa.splat(-self.scale * isa.largest(largest));
            let mut sum = isa.splat(0.0);
            for block in 0..n {
                let x = &mut self.x[block * self.rows + row];
                let mut y = math::exp(isa, isa.mul_add(isa.load(x), isa.splat(self.scale), shift));
                if block + 1 == n {
                    y = isa.mul(y, keep);
                }
                sum = isa.add(sum, y);
                isa.store(y, x);
            }
            let share = isa.splat(1.0 / isa.sum(sum));
            for block in 0..n {
                let x = &mut self.x[block * self.rows + row];
                isa.store(isa.mul(isa.load(x), share), x);
            }
        }
    }
}
