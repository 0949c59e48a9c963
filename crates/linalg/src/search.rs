//! The kernel of exact nearest-neighbour search: short forms first, whole vectors only where they cannot decide.

use std::ops::Range;

use crate::MatrixView;
use crate::lanes::{self, Kernel, LANES, Lanes};
use crate::screen::{PARTS, Short, Slack, Tiles};

/// The nearest row found so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Best {
    /// Squared distance in single precision.
    pub(crate) squared: f32,
    /// Row of the bank; `usize::MAX` for none.
    pub(crate) row: usize,
}

impl Best {
    pub(crate) const NONE: Self = Self { squared: f32::INFINITY, row: usize::MAX };
}

/// Some queries against some blocks of a bank. The answer is the same whatever `start` is, as long as it is true: the row
/// with the least squared distance, of equal ones the first.
pub(crate) struct Search<'a, const Q: usize, A> {
    /// `[b, d]`.
    pub(crate) bank: MatrixView<'a>,
    pub(crate) tiles: &'a Tiles,
    /// Blocks of sixteen rows to look at.
    pub(crate) blocks: Range<usize>,
    pub(crate) slack: Slack,
    /// Whether query number q may be answered with this row.
    pub(crate) allowed: A,
    pub(crate) queries: [(&'a [f32], &'a Short); Q],
    pub(crate) start: [Best; Q],
    /// Room for intermediate results, used again by the next search.
    pub(crate) room: &'a mut Room,
}

/// Squared distances by the first part of the short forms, for each block and query, and the least of each sixteen.
#[derive(Debug, Default)]
pub(crate) struct Room {
    sums: Vec<Lanes>,
    least: Vec<f32>,
}

impl<const Q: usize, A: Fn(usize, usize) -> bool> Kernel for Search<'_, Q, A> {
    type Output = [Best; Q];

    #[inline(always)]
    fn run<const FUSED: bool>(mut self) -> [Best; Q] {
        let nearest = self.first_parts::<FUSED>();
        let mut best = self.start;
        for query in 0..Q {
            // The row that looks nearest goes first: the better the first guess, the fewer whole vectors are looked at.
            if nearest[query] != usize::MAX {
                self.compare::<FUSED>(query, nearest[query], &mut best[query]);
            }
            self.other_parts::<FUSED>(query, &mut best[query]);
        }
        best
    }
}

impl<const Q: usize, A: Fn(usize, usize) -> bool> Search<'_, Q, A> {
    /// Compares the first parts of all short forms; returns the allowed row that looks nearest to each query.
    #[inline(always)]
    fn first_parts<const FUSED: bool>(&mut self) -> [usize; Q] {
        self.room.sums.clear();
        self.room.least.clear();
        let mut nearest = [usize::MAX; Q];
        let mut least = [f32::INFINITY; Q];
        for block in self.blocks.clone() {
            let tile = self.tiles.tile(0, block);
            let mut sums = [[0.0; LANES]; Q];
            for (coordinate, lanes) in tile.iter().enumerate() {
                for (sums, (_, short)) in sums.iter_mut().zip(&self.queries) {
                    lanes::add_squares::<FUSED>(sums, &[short[0][coordinate]; LANES], lanes);
                }
            }
            for query in 0..Q {
                let smallest = smallest(sums[query]);
                self.room.sums.push(sums[query]);
                self.room.least.push(smallest);
                if smallest < least[query] {
                    for (lane, sum) in sums[query].iter().enumerate() {
                        let row = block * LANES + lane;
                        if *sum < least[query] && row < self.tiles.len() && (self.allowed)(query, row) {
                            (least[query], nearest[query]) = (*sum, row);
                        }
                    }
                }
            }
        }
        nearest
    }

    /// Looks at the blocks that the first parts leave possible: at the other parts, then at whole vectors.
    #[inline(always)]
    fn other_parts<const FUSED: bool>(&self, query: usize, best: &mut Best) {
        let mut limit = self.slack.above(best.squared);
        'blocks: for (place, block) in self.blocks.clone().enumerate() {
            if self.room.least[place * Q + query] > limit {
                continue;
            }
            let mut sums = self.room.sums[place * Q + query];
            for part in 1..PARTS {
                let tile = self.tiles.tile(part, block);
                for (lanes, value) in tile.iter().zip(&self.queries[query].1[part]) {
                    lanes::add_squares::<FUSED>(&mut sums, &[*value; LANES], lanes);
                }
                if smallest(sums) > limit {
                    continue 'blocks;
                }
            }
            for (lane, sum) in sums.iter().enumerate() {
                let row = block * LANES + lane;
                if *sum <= limit && row < self.tiles.len() && (self.allowed)(query, row) {
                    self.compare::<FUSED>(query, row, best);
                    limit = self.slack.above(best.squared);
                }
            }
        }
    }

    #[inline(always)]
    fn compare<const FUSED: bool>(&self, query: usize, row: usize, best: &mut Best) {
        let squared = lanes::squared::<FUSED>(self.queries[query].0, self.bank.row(row));
        if squared < best.squared || (squared == best.squared && row < best.row) {
            *best = Best { squared, row };
        }
    }
}

/// The least of sixteen; there is no NaN among them.
#[inline(always)]
fn smallest(sums: Lanes) -> f32 {
    lanes::fold(sums, |a, b| if a < b { a } else { b })
}
