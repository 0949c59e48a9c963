//! The exact search for several neighbours: what is surely too far apart is left out, and only the other pairs are compared.
//!
//! Short forms (see `sift`) cost a fraction. Where they leave too many pairs, products of whole vectors take over; a few queries are
//! compared with everything. The answer is the same each way.

use std::ops::Range;

use rayon::prelude::*;

use crate::lanes::{self, Kernel, LANES};
use crate::screen::{SHORT, Screen, Slack, UNDERFLOW};
use crate::sift::Sift;
use crate::{Matrix, MatrixView, matmul_nt};

/// Queries in one task: a block of a product.
const TASK: usize = 64;
/// Rows of the bank that are multiplied at a time, so that their products stay near the processor.
const PIECE: usize = 1024;
/// Fewer pairs are not worth finding short forms for.
const MANY: usize = 1 << 22;
/// So many queries are compared with all rows: to prepare the bank for products would take as long.
const FEW: usize = 4;
/// Bound on the relative rounding of two squared distances in single precision.
const ROUNDING: f32 = 2e-4;

/// The rows that were nearest so far.
#[derive(Debug, Clone)]
pub(crate) struct Nearest {
    k: usize,
    /// Squared distance and row, ascending.
    pub(crate) of: Vec<(f64, usize)>,
    /// Squared distances in single precision above this are surely not among them.
    rough_limit: f32,
}

impl Nearest {
    pub(crate) fn new(k: usize) -> Self {
        Self { k, of: Vec::with_capacity(k + 1), rough_limit: f32::INFINITY }
    }

    #[inline(always)]
    pub(crate) fn rough_limit(&self) -> f32 {
        self.rough_limit
    }

    fn insert(&mut self, found: (f64, usize)) {
        if self.of.len() == self.k && found >= self.of[self.k - 1] {
            return;
        }
        let place = self.of.partition_point(|other| *other < found);
        // What was compared at the start is met again when all is looked through.
        if self.of.get(place) != Some(&found) {
            self.of.truncate(self.k - 1);
            self.of.insert(place, found);
        }
        if self.of.len() == self.k {
            self.rough_limit = self.of[self.k - 1].0 as f32 * (1.0 + ROUNDING) + UNDERFLOW;
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// `[m, d]`
    pub(crate) queries: MatrixView<'a>,
    /// `[b, d]`
    pub(crate) bank: MatrixView<'a>,
    /// At least 1 and at most b, or b - 1 where both are the same.
    pub(crate) k: usize,
    /// Whether the queries are the bank, and none is its own neighbour.
    pub(crate) same: bool,
}

impl Asked<'_> {
    /// The `k` nearest rows of every query by their distances in double precision, ties to the smaller row.
    pub(crate) fn all(self) -> Vec<Nearest> {
        if self.queries.rows() <= FEW {
            return self.one_by_one();
        }
        if self.queries.rows() * self.bank.rows() >= MANY && self.bank.cols() > 2 * SHORT {
            let sift = Sift::new(self, &Screen::new(self.bank));
            if sift.tells_enough() {
                return sift.all();
            }
        }
        Products::new(self).all()
    }

    fn one_by_one(self) -> Vec<Nearest> {
        let rows: Vec<usize> = (0..self.queries.rows()).collect();
        rows.into_par_iter().map(|query| lanes::run(Everything { asked: self, query })).collect()
    }

    /// Takes a row among the nearest of a query if it is.
    #[inline(always)]
    #[allow(clippy::neg_cmp_op_on_partial_ord, reason = "not a number is not surely beyond it")]
    pub(crate) fn compare<const FUSED: bool>(&self, query: usize, row: usize, found: &mut Nearest) {
        if self.same && row == query {
            return;
        }
        let (a, b) = (self.queries.row(query), self.bank.row(row));
        // Single precision cannot order what is nearly as near.
        if !(lanes::squared::<FUSED>(a, b) > found.rough_limit) {
            found.insert((squared(a, b), row));
        }
    }
}

/// The squared distance in double precision, in eight running sums.
#[inline(always)]
fn squared(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (a, b) in a8.iter().zip(b8) {
        for lane in 0..8 {
            let off = f64::from(a[lane]) - f64::from(b[lane]);
            sums[lane] += off * off;
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

/// One query against all rows.
struct Everything<'a> {
    asked: Asked<'a>,
    query: usize,
}

impl Kernel for Everything<'_> {
    type Output = Nearest;

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> Nearest {
        let mut found = Nearest::new(self.asked.k);
        (0..self.asked.bank.rows()).for_each(|row| self.asked.compare::<FUSED>(self.query, row, &mut found));
        found
    }
}

/// Vectors as their products are computed: measured from the mean, since the shorter they are, the smaller is the rounding.
#[derive(Debug)]
struct Side {
    rows: Matrix,
    /// Squared lengths.
    squares: Vec<f32>,
    longest: f64,
}

impl Side {
    fn new(x: MatrixView<'_>, mean: &[f64]) -> Self {
        let mut rows = x.to_owned();
        for row in 0..rows.rows() {
            for (value, mean) in rows.row_mut(row).iter_mut().zip(mean) {
                *value = (f64::from(*value) - mean) as f32;
            }
        }
        let squares: Vec<f64> = rows.iter_rows().map(|row| crate::dot(row, row)).collect();
        let longest = squares.iter().fold(0.0_f64, |longest, square| longest.max(*square)).sqrt();
        Self { rows, squares: squares.into_iter().map(|square| square as f32).collect(), longest }
    }
}

/// Products of whole vectors.
#[derive(Debug)]
struct Products<'a> {
    asked: Asked<'a>,
    bank: Side,
    /// Absent where they are the bank.
    queries: Option<Side>,
    slack: Slack,
    /// Bound on the rounding of a squared distance that is computed by a product.
    error: f32,
}

impl<'a> Products<'a> {
    fn new(asked: Asked<'a>) -> Self {
        let mean = mean(asked.bank);
        let bank = Side::new(asked.bank, &mean);
        let queries = (!asked.same).then(|| Side::new(asked.queries, &mean));
        let longest = queries.as_ref().unwrap_or(&bank).longest;
        let both = longest + bank.longest;
        // A sum of so many products, each rounded; with room for the rounding of the squares and of the vectors.
        let error = (bank.rows.cols() + 8) as f64 * f64::from(f32::EPSILON) * both * both;
        Self { slack: Slack::between(longest, bank.longest), error: error as f32, asked, bank, queries }
    }

    fn queries(&self) -> &Side {
        self.queries.as_ref().unwrap_or(&self.bank)
    }

    fn all(&self) -> Vec<Nearest> {
        let n = self.asked.queries.rows();
        let rows: Vec<usize> = (0..n).step_by(TASK).collect();
        rows.into_par_iter().flat_map_iter(|first| self.task(first..(first + TASK).min(n))).collect()
    }

    fn task(&self, queries: Range<usize>) -> Vec<Nearest> {
        let mut found = vec![Nearest::new(self.asked.k); queries.len()];
        let n = self.bank.rows.rows();
        let pieces = n.div_ceil(PIECE);
        // What lies nearby in a list is often alike: with a near limit from the start most pairs are told apart.
        let home = if self.asked.same { queries.start / PIECE } else { 0 };
        let rows = self.queries().rows.view().rows_in(queries.clone());
        let mut room = Vec::new();
        for turn in 0..pieces {
            let first = (home + turn) % pieces * PIECE;
            let piece = first..(first + PIECE).min(n);
            let products = matmul_nt(rows, self.bank.rows.view().rows_in(piece.clone()));
            for (place, (query, found)) in queries.clone().zip(&mut found).enumerate() {
                lanes::run(Look {
                    asked: self.asked,
                    query,
                    first: piece.start,
                    products: products.row(place),
                    squares: &self.bank.squares[piece.clone()],
                    square: self.queries().squares[query],
                    slack: self.slack,
                    error: self.error,
                    found,
                    room: &mut room,
                });
            }
        }
        found
    }
}

/// One query against one piece of the bank.
struct Look<'a> {
    asked: Asked<'a>,
    query: usize,
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
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(mut self) {
        if self.found.of.len() < self.found.k {
            self.seed::<FUSED>();
        }
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
                        self.compare::<FUSED>(block * LANES + lane);
                        bound = self.bound();
                    }
                }
            }
        }
        let rest = products.len() * LANES;
        for (place, (product, square)) in products_rest.iter().zip(squares_rest).enumerate() {
            if is_near(*square, *product, bound) {
                self.compare::<FUSED>(rest + place);
                bound = self.bound();
            }
        }
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
            self.compare::<FUSED>(*place);
        }
        *self.room = keys;
    }

    /// What `square - 2 product` of a row exceeds that is surely too far away.
    #[inline(always)]
    fn bound(&self) -> f32 {
        self.slack.above(self.found.rough_limit) + self.error - self.square
    }

    #[inline(always)]
    fn compare<const FUSED: bool>(&mut self, place: usize) {
        self.asked.compare::<FUSED>(self.query, self.first + place, self.found);
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
