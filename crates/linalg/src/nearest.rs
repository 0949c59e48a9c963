//! The nearest row of a bank, exactly, with rows that may not answer: for patches of photos.
//!
//! Short forms of all vectors decide most pairs (see `screen`), so that a search costs a fraction of the full product of
//! queries and bank, and holds nothing of that size.

use rayon::prelude::*;

use crate::MatrixView;
use crate::lanes;
use crate::screen::{Screen, Shorts, Slack, Tiles};
use crate::search::{Best, Room, Search};

/// Queries that one pass over the bank answers.
const TOGETHER: usize = 4;
/// Queries in one task.
const TASK: usize = 64;

/// A place in the grid of patches of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cell {
    /// From the top.
    pub row: u16,
    /// From the left.
    pub col: u16,
}

/// The nearest row of a bank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Its number.
    pub row: usize,
    /// Its Euclidean distance.
    pub distance: f32,
}

/// Which rows of a bank may answer which query. By default all may.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits<'a> {
    /// Groups: a query is never answered by a row of its own group.
    pub others: Option<Sides<'a, u32>>,
    /// Places: a query is answered only by rows at most this many cells away, up or down and left or right.
    pub near: Option<(Sides<'a, Cell>, u16)>,
}

/// One property of the rows of both sides.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a, T> {
    /// Of each query, `[m]`.
    pub queries: &'a [T],
    /// Of each row of the bank, `[b]`.
    pub bank: &'a [T],
}

/// What makes searching a bank fast. The bank itself is not in it, but given to every search: so its owner may keep it as it likes.
#[derive(Debug, Clone)]
pub struct NearestIndex {
    cols: usize,
    screen: Screen,
    /// Length of the bank's longest row, measured from the mean.
    longest: f64,
    tiles: Tiles,
}

impl NearestIndex {
    /// Prepares a bank, `[b, d]`, of finite values.
    pub fn new(bank: MatrixView<'_>) -> Self {
        let screen = Screen::new(bank);
        let shorts = screen.shorten(bank);
        Self { cols: bank.cols(), screen, longest: shorts.longest, tiles: Tiles::new(&shorts.of) }
    }

    /// The nearest row that may answer each query, `[m, d]`, of equally near ones the first; `None` where no row may. `bank` has
    /// the very values that the index was made from.
    ///
    /// Nearest by [`crate::squared_distance`]; the distance told is computed in double precision.
    ///
    /// # Panics
    /// When the sizes do not fit together.
    pub fn nearest(
        &self,
        bank: MatrixView<'_>,
        queries: MatrixView<'_>,
        limits: Limits<'_>,
    ) -> Vec<Option<Hit>> {
        assert_eq!((bank.rows(), bank.cols()), (self.tiles.len(), self.cols), "the bank is the index's own");
        assert_eq!(queries.cols(), self.cols, "queries and bank have the same columns");
        limits.check(queries.rows(), bank.rows());
        let shorts = self.screen.shorten(queries);
        let slack = Slack::between(shorts.longest, self.longest);
        let asked = Asked { bank, tiles: &self.tiles, queries, shorts: &shorts, slack, limits };
        let rows: Vec<usize> = (0..queries.rows()).collect();
        let best: Vec<Vec<Best>> = rows.par_chunks(TASK).map(|rows| asked.answer(rows)).collect();
        let hit = |(query, best): (usize, Best)| {
            let distance = || exact_distance(queries.row(query), bank.row(best.row));
            (best.row != usize::MAX).then(|| Hit { row: best.row, distance: distance() })
        };
        best.into_iter().flatten().enumerate().map(hit).collect()
    }
}

/// What all searches of one call share.
struct Asked<'a> {
    bank: MatrixView<'a>,
    tiles: &'a Tiles,
    queries: MatrixView<'a>,
    shorts: &'a Shorts,
    slack: Slack,
    limits: Limits<'a>,
}

impl Asked<'_> {
    fn answer(&self, rows: &[usize]) -> Vec<Best> {
        let mut room = Room::default();
        let (fours, rest) = rows.as_chunks::<TOGETHER>();
        let mut best: Vec<Best> = Vec::with_capacity(rows.len());
        for rows in fours {
            best.extend(self.search(*rows, &mut room));
        }
        for row in rest {
            best.extend(self.search([*row], &mut room));
        }
        best
    }

    fn search<const Q: usize>(&self, rows: [usize; Q], room: &mut Room) -> [Best; Q] {
        lanes::run(Search {
            bank: self.bank,
            tiles: self.tiles,
            blocks: 0..self.tiles.blocks(),
            slack: self.slack,
            allowed: |query: usize, row: usize| self.limits.allow(rows[query], row),
            queries: rows.map(|row| (self.queries.row(row), &self.shorts.of[row])),
            start: [Best::NONE; Q],
            room,
        })
    }
}

impl Limits<'_> {
    fn check(&self, m: usize, b: usize) {
        let groups = self.others.map(|sides| (sides.queries.len(), sides.bank.len()));
        let places = self.near.map(|(sides, _)| (sides.queries.len(), sides.bank.len()));
        for sizes in [groups, places].into_iter().flatten() {
            assert_eq!(sizes, (m, b), "every query and every row of the bank has its group and its place");
        }
    }

    #[inline(always)]
    fn allow(&self, query: usize, row: usize) -> bool {
        self.others.is_none_or(|sides| sides.queries[query] != sides.bank[row])
            && self.near.is_none_or(|(sides, reach)| {
                let (a, b) = (sides.queries[query], sides.bank[row]);
                a.row.abs_diff(b.row) <= reach && a.col.abs_diff(b.col) <= reach
            })
    }
}

fn exact_distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Matrix, Seed, random, squared_distance};

    fn cloud(n: usize, d: usize, seed: u64) -> Matrix {
        let mut rng = Seed(seed).rng();
        let value = |at: usize, normal: f64| (normal / (1.0 + 0.1 * (at % d) as f64)) as f32;
        Matrix::from_vec(n, d, (0..n * d).map(|at| value(at, random::normal(&mut rng))).collect())
    }

    fn naive(bank: &Matrix, query: &[f32], allowed: impl Fn(usize) -> bool) -> Option<usize> {
        (0..bank.rows()).filter(|row| allowed(*row)).min_by(|a, b| {
            squared_distance(query, bank.row(*a)).total_cmp(&squared_distance(query, bank.row(*b)))
        })
    }

    #[track_caller]
    fn check(queries: &Matrix, bank: &Matrix, limits: Limits<'_>) {
        let found = NearestIndex::new(bank.view()).nearest(bank.view(), queries.view(), limits);
        assert_eq!(found.len(), queries.rows());
        for (query, hit) in found.iter().enumerate() {
            let row = naive(bank, queries.row(query), |row| limits.allow(query, row));
            assert_eq!(hit.map(|hit| hit.row), row, "query {query}");
            if let Some(hit) = hit {
                let distance = squared_distance(queries.row(query), bank.row(hit.row)).sqrt();
                assert!((hit.distance - distance).abs() <= 1e-6 * distance);
            }
        }
    }

    #[test]
    fn the_nearest_row_is_found() {
        for (m, b, d) in [(70, 300, 100), (5, 1, 3), (130, 47, 1), (9, 1000, 20)] {
            check(&cloud(m, d, 1), &cloud(b, d, 2), Limits::default());
        }
        check(&cloud(3, 4, 1), &Matrix::zeros(0, 4), Limits::default());
        check(&Matrix::zeros(0, 4), &cloud(3, 4, 1), Limits::default());
    }

    #[test]
    fn of_equal_rows_the_first_is_told() {
        let bank = cloud(50, 8, 1);
        let doubled = Matrix::from_rows(&[bank.data(), bank.data()].concat().chunks(8).collect::<Vec<_>>());
        check(&bank, &doubled, Limits::default());
        check(&Matrix::zeros(3, 8), &Matrix::zeros(40, 8), Limits::default());
        let hit =
            NearestIndex::new(doubled.view()).nearest(doubled.view(), bank.view(), Limits::default())[7];
        assert_eq!(hit, Some(Hit { row: 7, distance: 0.0 }));
    }

    #[test]
    fn limits_are_kept() {
        let x = cloud(240, 12, 5);
        let groups: Vec<u32> = (0..240).map(|row| row / 40).collect();
        let cells: Vec<Cell> = (0..240).map(|row| Cell { row: row % 40 / 8, col: row % 8 }).collect();
        let others = Some(Sides { queries: &groups[..], bank: &groups });
        let near = Some((Sides { queries: &cells[..], bank: &cells }, 1));
        check(&x, &x, Limits { others, near: None });
        check(&x, &x, Limits { others: None, near });
        check(&x, &x, Limits { others, near });
        let alone = vec![3; 240];
        let others = Some(Sides { queries: &alone[..], bank: &alone });
        check(&x, &x, Limits { others, near: None });
    }

    #[test]
    fn answers_do_not_depend_on_threads_or_company() {
        let (queries, bank) = (cloud(150, 40, 1), cloud(333, 40, 2));
        let index = NearestIndex::new(bank.view());
        let expected = index.nearest(bank.view(), queries.view(), Limits::default());
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(
                pool.install(|| index.nearest(bank.view(), queries.view(), Limits::default())),
                expected
            );
        }
        for row in [0, 63, 149] {
            let alone = index.nearest(bank.view(), queries.select_rows(&[row]).view(), Limits::default());
            assert_eq!(alone[0], expected[row]);
        }
    }
}
