//! The pass over short forms (see `screen`) of the exact search for several neighbours: they tell which pairs are surely too far
//! apart, part by part, and only the others are compared.

use std::ops::Range;

use rayon::prelude::*;

use crate::lanes::{self, Kernel, LANES, Lanes};
use crate::nearby::Nearby;
use crate::screen::{PARTS, Screen, Short, Shorts, Slack, Tiles};
use crate::sieve::{Asked, Nearest};

/// Queries that look at a block together; with eight, compilers put queries side by side where rows should be.
const TOGETHER: usize = 4;
/// Queries in one task.
const TASK: usize = 64;
/// Blocks of the bank that all queries of a task look at before the next, so that they stay near the processor.
const PIECE: usize = 64;
/// Queries by which it is found out whether short forms tell enough.
const TRIED: usize = 32;
/// They do when they leave out all but one pair in so many.
const LEFT: usize = 8;

/// Both sides in short forms.
#[derive(Debug)]
pub(crate) struct Sift<'a> {
    asked: Asked<'a>,
    nearby: Nearby,
    /// The bank, in that order.
    tiles: Tiles,
    /// `[m]`
    queries: Vec<Short>,
    slack: Slack,
}

impl<'a> Sift<'a> {
    pub(crate) fn new(asked: Asked<'a>, screen: &Screen) -> Self {
        let Shorts { of, longest } = screen.shorten(asked.bank);
        let nearby = Nearby::new(&of);
        let mut tiles = Tiles::default();
        nearby.order.iter().for_each(|row| tiles.push(&of[*row]));
        let queries = if asked.same { Shorts { of, longest } } else { screen.shorten(asked.queries) };
        let slack = Slack::between(queries.longest, longest);
        Self { asked, nearby, tiles, queries: queries.of, slack }
    }

    /// Whether short forms leave out most pairs, by a few queries.
    pub(crate) fn tells_enough(&self) -> bool {
        let step = self.asked.queries.rows().div_ceil(TRIED);
        let rows: Vec<usize> = (0..self.asked.queries.rows()).step_by(step).collect();
        let compared = rows.par_chunks(TOGETHER).map(|rows| self.task(rows).1).sum::<usize>();
        compared * LEFT <= rows.len() * self.asked.bank.rows()
    }

    /// The nearest rows of every query.
    pub(crate) fn all(&self) -> Vec<Nearest> {
        let mut rows: Vec<(usize, usize)> =
            self.queries.par_iter().enumerate().map(|(row, short)| (self.nearby.home(short), row)).collect();
        // Those that lie together look at the same blocks.
        rows.par_sort_unstable();
        let rows: Vec<usize> = rows.into_iter().map(|(_, row)| row).collect();
        let task = |rows: &[usize]| rows.iter().copied().zip(self.task(rows).0).collect::<Vec<_>>();
        let mut found: Vec<(usize, Nearest)> = rows.par_chunks(TASK).flat_map_iter(task).collect();
        found.sort_unstable_by_key(|(row, _)| *row);
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// The nearest rows of some queries, and how many rows were compared with them in all.
    fn task(&self, rows: &[usize]) -> (Vec<Nearest>, usize) {
        let mut found = vec![Nearest::new(self.asked.k); rows.len()];
        let mut n_compared = 0;
        let blocks = self.nearby.blocks();
        let homes: Vec<usize> = rows.iter().map(|row| self.nearby.home(&self.queries[*row])).collect();
        // With a near limit from the start most pairs are told apart.
        let around = self.asked.k / LANES + 2;
        for ((row, home), found) in rows.iter().zip(&homes).zip(&mut found) {
            let first = home.saturating_sub(around / 2);
            let seeds = first..(first + around).min(blocks);
            n_compared += self.look([*row], std::slice::from_mut(found), seeds);
        }
        let pieces = blocks.div_ceil(PIECE);
        for turn in 0..pieces {
            let first = (homes[0] / PIECE + turn) % pieces * PIECE;
            let piece = first..(first + PIECE).min(blocks);
            let (together, alone) = rows.as_chunks::<TOGETHER>();
            let (of_together, of_alone) = found.split_at_mut(together.len() * TOGETHER);
            for (rows, found) in together.iter().zip(of_together.chunks_exact_mut(TOGETHER)) {
                n_compared += self.look(*rows, found, piece.clone());
            }
            for (row, found) in alone.iter().zip(of_alone) {
                n_compared += self.look([*row], std::slice::from_mut(found), piece.clone());
            }
        }
        (found, n_compared)
    }

    fn look<const Q: usize>(&self, rows: [usize; Q], found: &mut [Nearest], blocks: Range<usize>) -> usize {
        lanes::run(Look { sift: self, shorts: rows.map(|row| &self.queries[row]), rows, found, blocks })
    }
}

/// Some queries against some blocks of the bank.
struct Look<'a, 'b, const Q: usize> {
    sift: &'b Sift<'a>,
    rows: [usize; Q],
    shorts: [&'b Short; Q],
    /// `[Q]`
    found: &'b mut [Nearest],
    blocks: Range<usize>,
}

impl<const Q: usize> Kernel for Look<'_, '_, Q> {
    /// How many rows short forms could not leave out.
    type Output = usize;

    #[inline(always)]
    fn run<const FUSED: bool>(mut self) -> usize {
        let mut limits: [f32; Q] = std::array::from_fn(|query| self.limit(query));
        let mut n_compared = 0;
        for block in self.blocks.clone() {
            let mut sums = [[0.0; LANES]; Q];
            for (coordinate, lanes) in self.sift.tiles.tile(0, block).iter().enumerate() {
                for (sums, short) in sums.iter_mut().zip(&self.shorts) {
                    lanes::add_squares::<FUSED>(sums, &[short[0][coordinate]; LANES], lanes);
                }
            }
            for query in 0..Q {
                if is_any_near(&sums[query], limits[query]) {
                    n_compared += self.other_parts::<FUSED>(query, block, sums[query]);
                    limits[query] = self.limit(query);
                }
            }
        }
        n_compared
    }
}

impl<const Q: usize> Look<'_, '_, Q> {
    /// What the distance of short forms exceeds, squared, for a row to be surely too far away.
    #[inline(always)]
    fn limit(&self, query: usize) -> f32 {
        self.sift.slack.above(self.found[query].rough_limit())
    }

    /// Looks at the other parts of a block that the first leaves possible, then at whole vectors.
    #[inline(always)]
    fn other_parts<const FUSED: bool>(&mut self, query: usize, block: usize, mut sums: Lanes) -> usize {
        let mut limit = self.limit(query);
        for part in 1..PARTS {
            let tile = self.sift.tiles.tile(part, block);
            for (lanes, value) in tile.iter().zip(&self.shorts[query][part]) {
                lanes::add_squares::<FUSED>(&mut sums, &[*value; LANES], lanes);
            }
            if !is_any_near(&sums, limit) {
                return 0;
            }
        }
        let mut n_compared = 0;
        for (lane, row) in self.sift.nearby.order[block * LANES..].iter().take(LANES).enumerate() {
            if is_near(sums[lane], limit) {
                n_compared += 1;
                self.sift.asked.compare::<FUSED>(self.rows[query], *row, &mut self.found[query]);
                limit = self.limit(query);
            }
        }
        n_compared
    }
}

#[inline(always)]
fn is_any_near(sums: &Lanes, limit: f32) -> bool {
    let mut any = false;
    for sum in sums {
        any |= is_near(*sum, limit);
    }
    any
}

/// Anything that is not surely beyond the limit.
#[inline(always)]
#[allow(clippy::neg_cmp_op_on_partial_ord, reason = "not a number is not surely beyond it")]
fn is_near(sum: f32, limit: f32) -> bool {
    !(sum > limit)
}
