//! The pass of the exact search for several neighbours: products of rows tell which pairs are surely too far apart, and only the
//! others are compared.
//!
//! Products of short forms (see `screen`) are tried first: they cost a fraction. Where they leave too many pairs, those of whole
//! vectors take over. Either way the answer is the same.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::lanes::{self, Kernel, LANES};
use crate::screen::{SHORT, Screen, Shorts, Slack};
use crate::{Matrix, MatrixView, matmul_nt};

/// Queries in one task: a block of a product.
const TASK: usize = 64;
/// Rows of the bank that are multiplied at a time, so that their products stay near the processor.
const PIECE: usize = 1024;
/// Short forms must leave out all but one pair in so many, or whole vectors take over.
const LEFT: usize = 8;
/// Fewer pairs are not worth finding short forms for.
const MANY: usize = 1 << 22;

/// The rows that were nearest so far.
#[derive(Debug, Clone)]
pub(crate) struct Nearest {
    k: usize,
    /// Squared distance and row, ascending.
    pub(crate) of: Vec<(f32, usize)>,
}

impl Nearest {
    /// Beyond this nothing is among them any more.
    fn limit(&self) -> f32 {
        if self.of.len() == self.k { self.of[self.k - 1].0 } else { f32::INFINITY }
    }

    fn insert(&mut self, found: (f32, usize)) {
        if self.of.len() == self.k && found >= self.of[self.k - 1] {
            return;
        }
        let place = self.of.partition_point(|other| *other < found);
        // The seed of a piece is met again when all of it is looked through.
        if self.of.get(place) != Some(&found) {
            self.of.truncate(self.k - 1);
            self.of.insert(place, found);
        }
    }
}

/// Vectors as their products are computed.
#[derive(Debug)]
struct Side {
    rows: Matrix,
    /// Squared lengths.
    squares: Vec<f32>,
    longest: f64,
}

impl Side {
    fn new(rows: Matrix, longest: f64) -> Self {
        let squares = rows.iter_rows().map(|row| crate::dot(row, row) as f32).collect();
        Self { rows, squares, longest }
    }

    fn short(shorts: Shorts) -> Self {
        let values: Vec<f32> = shorts.of.iter().flatten().flatten().copied().collect();
        Self::new(Matrix::from_vec(shorts.of.len(), SHORT, values), shorts.longest)
    }

    /// Measured from `mean`: the shorter the vectors, the smaller the rounding of their products.
    fn whole(x: MatrixView<'_>, mean: &[f64]) -> Self {
        let mut rows = x.to_owned();
        let mut longest = 0.0_f64;
        for row in 0..rows.rows() {
            let row = rows.row_mut(row);
            for (value, mean) in row.iter_mut().zip(mean) {
                *value = (f64::from(*value) - mean) as f32;
            }
            longest = longest.max(crate::dot(row, row).sqrt());
        }
        Self::new(rows, longest)
    }
}

/// Both sides in one form.
#[derive(Debug)]
struct Form {
    queries: Arc<Side>,
    bank: Arc<Side>,
    slack: Slack,
    /// Bound on the rounding of a squared distance that is computed by a product.
    error: f32,
}

impl Form {
    fn new(queries: Arc<Side>, bank: Arc<Side>) -> Self {
        let both = queries.longest + bank.longest;
        // A sum of so many products, each rounded; with room for the rounding of the squares and of the vectors.
        let error = (bank.rows.cols() + 8) as f64 * f64::from(f32::EPSILON) * both * both;
        Self { slack: Slack::between(queries.longest, bank.longest), error: error as f32, queries, bank }
    }
}

/// A search for the `k` nearest rows of a bank.
#[derive(Debug)]
pub(crate) struct Sieve<'a> {
    queries: MatrixView<'a>,
    bank: MatrixView<'a>,
    k: usize,
    /// Whether the queries are the bank, and none is its own neighbour.
    same: bool,
    mean: Vec<f64>,
    short: Option<Form>,
    whole: OnceLock<Form>,
}

impl<'a> Sieve<'a> {
    /// `queries` `[m, d]`, `bank` `[b, d]`, k at most b, or b - 1 where both are the same.
    pub(crate) fn new(queries: MatrixView<'a>, bank: MatrixView<'a>, k: usize, same: bool) -> Self {
        let is_worth_it = queries.rows() * bank.rows() >= MANY && bank.cols() > 2 * SHORT;
        let screen = is_worth_it.then(|| Screen::new(bank));
        let short = screen.as_ref().map(|screen| {
            let side = |x| Arc::new(Side::short(screen.shorten(x)));
            let of_bank = side(bank);
            Form::new(if same { of_bank.clone() } else { side(queries) }, of_bank)
        });
        let mean = screen.map_or_else(|| mean(bank), Screen::into_mean);
        Self { queries, bank, k, same, mean, short, whole: OnceLock::new() }
    }

    /// The nearest rows of every query, by [`crate::squared_distance`], ties to the smaller row.
    pub(crate) fn all(&self) -> Vec<Nearest> {
        let rows: Vec<usize> = (0..self.queries.rows()).step_by(TASK).collect();
        let found: Vec<Vec<Nearest>> = rows
            .into_par_iter()
            .map(|first| self.task(first..(first + TASK).min(self.queries.rows())))
            .collect();
        found.into_iter().flatten().collect()
    }

    fn whole(&self) -> &Form {
        self.whole.get_or_init(|| {
            let bank = Arc::new(Side::whole(self.bank, &self.mean));
            let queries =
                if self.same { bank.clone() } else { Arc::new(Side::whole(self.queries, &self.mean)) };
            Form::new(queries, bank)
        })
    }

    fn task(&self, queries: Range<usize>) -> Vec<Nearest> {
        let mut found = vec![Nearest { k: self.k, of: Vec::with_capacity(self.k + 1) }; queries.len()];
        let pieces = self.bank.rows().div_ceil(PIECE);
        // What lies nearby in a list is often alike: with a near limit from the start most pairs are told apart.
        let home = if self.same { queries.start / PIECE } else { 0 };
        let mut room = Vec::new();
        let mut short = self.short.as_ref();
        for turn in 0..pieces {
            let first = (home + turn) % pieces * PIECE;
            let piece = first..(first + PIECE).min(self.bank.rows());
            if let Some(form) = short
                && self.look(form, &queries, &piece, &mut found, &mut room, piece.len() / LEFT)
            {
                continue;
            }
            short = None;
            self.look(self.whole(), &queries, &piece, &mut found, &mut room, usize::MAX);
        }
        found
    }

    /// Looks through a piece of the bank; `false` when it gave up because products left more than `most` rows to compare with a query.
    fn look(
        &self,
        form: &Form,
        queries: &Range<usize>,
        piece: &Range<usize>,
        found: &mut [Nearest],
        room: &mut Vec<(f32, usize)>,
        most: usize,
    ) -> bool {
        let rows = form.queries.rows.view().rows_in(queries.clone());
        let products = matmul_nt(rows, form.bank.rows.view().rows_in(piece.clone()));
        let mut n_compared = 0;
        for (place, (query, found)) in queries.clone().zip(found).enumerate() {
            n_compared += lanes::run(Look {
                query: self.queries.row(query),
                skip: self.same.then_some(query),
                bank: self.bank,
                first: piece.start,
                products: products.row(place),
                squares: &form.bank.squares[piece.clone()],
                square: form.queries.squares[query],
                slack: form.slack,
                error: form.error,
                found,
                room,
            });
            // Some queries lie apart from everything; a few of them say nothing about the others.
            if n_compared > most.saturating_mul(place + 4) {
                return false;
            }
        }
        true
    }
}

/// One query against one piece of the bank.
struct Look<'a> {
    query: &'a [f32],
    /// The row that may not answer.
    skip: Option<usize>,
    bank: MatrixView<'a>,
    /// The piece's first row.
    first: usize,
    products: &'a [f32],
    /// Of the rows of the piece.
    squares: &'a [f32],
    /// Of the query.
    square: f32,
    slack: Slack,
    error: f32,
    found: &'a mut Nearest,
    room: &'a mut Vec<(f32, usize)>,
}

impl Kernel for Look<'_> {
    /// How many rows products could not leave out.
    type Output = usize;

    #[inline(always)]
    fn run<const FUSED: bool>(mut self) -> usize {
        if self.found.of.len() < self.found.k {
            self.seed::<FUSED>();
        }
        let mut n_compared = 0;
        let (products, products_rest) = self.products.as_chunks::<LANES>();
        let (squares, squares_rest) = self.squares.as_chunks::<LANES>();
        let mut bound = self.bound();
        for (block, (products, squares)) in products.iter().zip(squares).enumerate() {
            let mut any = false;
            for lane in 0..LANES {
                any |= is_near(squares[lane], products[lane], bound);
            }
            if any {
                for lane in 0..LANES {
                    if is_near(squares[lane], products[lane], bound) {
                        n_compared += 1;
                        self.compare::<FUSED>(self.first + block * LANES + lane);
                        bound = self.bound();
                    }
                }
            }
        }
        let rest = products.len() * LANES;
        for (place, (product, square)) in products_rest.iter().zip(squares_rest).enumerate() {
            if is_near(*square, *product, bound) {
                n_compared += 1;
                self.compare::<FUSED>(self.first + rest + place);
                bound = self.bound();
            }
        }
        n_compared
    }
}

impl Look<'_> {
    /// Compares the rows that look nearest, so that there is a limit for the others.
    #[inline(always)]
    fn seed<const FUSED: bool>(&mut self) {
        let mut keys = std::mem::take(self.room);
        keys.clear();
        let key = |(place, (square, product)): (usize, (&f32, &f32))| (square - 2.0 * product, place);
        keys.extend(self.squares.iter().zip(self.products).enumerate().map(key));
        let n = (self.found.k + 1).min(keys.len());
        if n < keys.len() {
            keys.select_nth_unstable_by(n, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        }
        for (_, place) in &keys[..n] {
            self.compare::<FUSED>(self.first + place);
        }
        *self.room = keys;
    }

    /// What `square - 2 product` of a row exceeds that is surely too far away.
    #[inline(always)]
    fn bound(&self) -> f32 {
        self.slack.above(self.found.limit()) + self.error - self.square
    }

    #[inline(always)]
    fn compare<const FUSED: bool>(&mut self, row: usize) {
        if Some(row) != self.skip {
            self.found.insert((lanes::squared::<FUSED>(self.query, self.bank.row(row)), row));
        }
    }
}

/// Anything that is not surely beyond the bound, so also what overflowed.
#[inline(always)]
#[allow(clippy::neg_cmp_op_on_partial_ord, reason = "not a number is not surely beyond it")]
fn is_near(square: f32, product: f32, bound: f32) -> bool {
    !(square - 2.0 * product > bound)
}

fn mean(x: MatrixView<'_>) -> Vec<f64> {
    let mut mean = vec![0.0; x.cols()];
    for row in 0..x.rows() {
        mean.iter_mut().zip(x.row(row)).for_each(|(mean, value)| *mean += f64::from(*value));
    }
    mean.iter_mut().for_each(|mean| *mean /= x.rows().max(1) as f64);
    mean
}
