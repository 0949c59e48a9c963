//! A few rows that are near every row: k-centre greedy, lazily (methods 2.3 and 5.2).
//!
//! The greedy algorithm adds, again and again, the row that is farthest from all rows picked so far; what it leaves uncovered
//! is at most twice the optimum (Gonzalez 1985). Done plainly each pick costs a distance to every row. Here a row's distance
//! to the picks is brought up to date only when its last known value, which can only be too large, is among the largest.

use rayon::prelude::*;

use crate::lanes::{self, Kernel, LANES};
use crate::screen::{Screen, Shorts, Slack, Tiles};
use crate::search::{Best, Room, Search};
use crate::{Matrix, MatrixView};

/// Rows that are kept up to date with every pick. More of them need fewer rounds, but each pick then costs more.
const POOL: usize = 512;

/// Rows that cover all others.
#[derive(Debug, Clone, PartialEq)]
pub struct Coreset {
    /// Row numbers in the order in which they were picked.
    pub picks: Vec<usize>,
    /// The largest distance of any row to its nearest pick.
    pub radius: f32,
}

/// Picks `count` rows of `x`, `[n, d]`, starting with row `first`: each next one is the farthest from those picked, of equally
/// far ones the first. `count` is at least 1.
///
/// The picks are exactly those of the plain algorithm with distances by [`crate::squared_distance`]. There are fewer than
/// `count` when all other rows are copies of picked ones, or when n is smaller. Values must be finite.
///
/// # Panics
/// When `first` is not a row.
pub fn k_centre(x: MatrixView<'_>, count: usize, first: usize) -> Coreset {
    let Coreset { picks, radius } = k_centre_from(x, &[first], count.saturating_sub(1));
    Coreset { picks: [vec![first], picks].concat(), radius }
}

/// Picks at most `count` rows beside those in `known`, of which there is at least one: each next one is the farthest from all
/// that are known or picked. What is said of [`k_centre`] holds here too; `picks` are the new ones only.
///
/// # Panics
/// When nothing is known, or what is known is not a row.
pub fn k_centre_from(x: MatrixView<'_>, known: &[usize], count: usize) -> Coreset {
    assert!(!known.is_empty(), "something has to be known to be far from");
    let mut greedy = Greedy::new(x);
    for row in known {
        assert!(*row < x.rows(), "row {row} of {} is not there to start with", x.rows());
        greedy.add(*row);
    }
    loop {
        let mut pool = greedy.pool();
        loop {
            let (row, squared) = pool.farthest();
            if squared < pool.least {
                // A row outside the pool may now be the farthest.
                break;
            }
            if squared == 0.0 || greedy.picks.len() >= known.len() + count {
                return Coreset { picks: greedy.picks.split_off(known.len()), radius: squared.sqrt() };
            }
            greedy.add(row);
            pool.lower(x.row(row));
        }
        greedy.take_back(&pool);
    }
}

/// The state of the algorithm.
struct Greedy<'a> {
    x: MatrixView<'a>,
    shorts: Shorts,
    slack: Slack,
    picks: Vec<usize>,
    /// The picked rows themselves, one after the other, and their short forms.
    picked: Vec<f32>,
    tiles: Tiles,
    /// Squared distance of each row to the picks it has been compared with, `[n]`.
    bounds: Vec<f32>,
    /// How many picks each row has been compared with, `[n]`.
    seen: Vec<usize>,
}

/// The rows that can be farthest, all compared with every pick.
struct Pool {
    /// Ascending.
    rows: Vec<usize>,
    /// Their values, `[p, d]`.
    x: Matrix,
    /// Their squared distances to the picks.
    squared: Vec<f32>,
    /// No row outside is farther than this, or as far.
    least: f32,
}

impl<'a> Greedy<'a> {
    fn new(x: MatrixView<'a>) -> Self {
        let shorts = Screen::new(x).shorten(x);
        Self {
            x,
            slack: Slack::between(shorts.longest, shorts.longest),
            shorts,
            picks: Vec::new(),
            picked: Vec::new(),
            tiles: Tiles::default(),
            bounds: vec![f32::INFINITY; x.rows()],
            seen: vec![0; x.rows()],
        }
    }

    fn add(&mut self, row: usize) {
        self.picks.push(row);
        self.picked.extend_from_slice(self.x.row(row));
        self.tiles.push(&self.shorts.of[row]);
    }

    /// Brings rows up to date, those with the largest bounds first, until the largest are all up to date.
    fn pool(&mut self) -> Pool {
        let least = loop {
            let least = largest(&self.bounds, POOL);
            let stale: Vec<usize> = (0..self.bounds.len())
                .filter(|row| {
                    let bound = self.bounds[*row];
                    bound >= least && bound > 0.0 && self.seen[*row] < self.picks.len()
                })
                .collect();
            if stale.is_empty() {
                break least;
            }
            self.refresh(&stale);
        };
        let rows: Vec<usize> = (0..self.bounds.len()).filter(|row| self.bounds[*row] >= least).collect();
        let mut x = Matrix::zeros(rows.len(), self.x.cols());
        for (place, row) in rows.iter().enumerate() {
            x.row_mut(place).copy_from_slice(self.x.row(*row));
        }
        let squared = rows.iter().map(|row| self.bounds[*row]).collect();
        Pool { rows, x, squared, least }
    }

    /// Compares rows with the picks that they have not been compared with.
    fn refresh(&mut self, stale: &[usize]) {
        let bank = MatrixView::new(self.picks.len(), self.x.cols(), &self.picked);
        let search = |room: &mut Room, row: &usize| {
            let search = Search {
                bank,
                tiles: &self.tiles,
                blocks: self.seen[*row] / LANES..self.tiles.blocks(),
                slack: self.slack,
                allowed: |_, _| true,
                queries: [(self.x.row(*row), &self.shorts.of[*row])],
                start: [Best { squared: self.bounds[*row], row: usize::MAX }],
                room,
            };
            lanes::run(search)[0].squared
        };
        let fresh: Vec<f32> = stale.par_iter().map_init(Room::default, search).collect();
        for (row, squared) in stale.iter().zip(fresh) {
            self.bounds[*row] = squared;
            self.seen[*row] = self.picks.len();
        }
    }

    /// Keeps what the pool has learned.
    fn take_back(&mut self, pool: &Pool) {
        for (row, squared) in pool.rows.iter().zip(&pool.squared) {
            self.bounds[*row] = *squared;
            self.seen[*row] = self.picks.len();
        }
    }
}

impl Pool {
    /// The first of the farthest rows, and its squared distance.
    fn farthest(&self) -> (usize, f32) {
        let mut best = 0;
        for place in 1..self.rows.len() {
            if self.squared[place] > self.squared[best] {
                best = place;
            }
        }
        (self.rows[best], self.squared[best])
    }

    /// Compares all rows with one more pick.
    fn lower(&mut self, pick: &[f32]) {
        lanes::run(Lower { x: self.x.view(), pick, squared: &mut self.squared });
    }
}

/// Lowers squared distances to those from one more row.
struct Lower<'a> {
    x: MatrixView<'a>,
    pick: &'a [f32],
    squared: &'a mut [f32],
}

impl Kernel for Lower<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (row, squared) in self.squared.iter_mut().enumerate() {
            let from_pick = lanes::squared::<FUSED>(self.x.row(row), self.pick);
            *squared = squared.min(from_pick);
        }
    }
}

/// The `count`-th largest of some numbers that are not negative, or the smallest where there are fewer.
fn largest(values: &[f32], count: usize) -> f32 {
    // The bits of such numbers order as the numbers do, and whole numbers are faster to select from.
    let mut bits: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
    let place = bits.len().saturating_sub(count);
    f32::from_bits(*bits.select_nth_unstable(place).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, random, squared_distance};

    /// The plain algorithm; what is known comes first.
    fn naive(x: &Matrix, known: &[usize], count: usize) -> Vec<usize> {
        let mut picks = known.to_vec();
        let distance = |row: usize, picks: &[usize]| {
            let to = |pick: &usize| squared_distance(x.row(row), x.row(*pick));
            picks.iter().map(to).fold(f32::INFINITY, f32::min)
        };
        let mut squared: Vec<f32> = (0..x.rows()).map(|row| distance(row, known)).collect();
        while picks.len() < known.len() + count {
            let best =
                (1..x.rows()).fold(0, |best, row| if squared[row] > squared[best] { row } else { best });
            if squared[best] == 0.0 {
                break;
            }
            picks.push(best);
            squared
                .iter_mut()
                .enumerate()
                .for_each(|(row, squared)| *squared = squared.min(distance(row, &[best])));
        }
        picks
    }

    #[track_caller]
    fn check(x: &Matrix, count: usize, first: usize) {
        let coreset = k_centre(x.view(), count, first);
        assert_eq!(coreset.picks, naive(x, &[first], count.saturating_sub(1)));
        check_radius(x, &coreset.picks, coreset.radius);
    }

    #[track_caller]
    fn check_from(x: &Matrix, known: &[usize], count: usize) {
        let coreset = k_centre_from(x.view(), known, count);
        let all = [known, &coreset.picks].concat();
        assert_eq!(all, naive(x, known, count));
        check_radius(x, &all, coreset.radius);
    }

    #[track_caller]
    fn check_radius(x: &Matrix, picks: &[usize], expected: f32) {
        let nearest = |row: usize| {
            let to = |pick: &usize| squared_distance(x.row(row), x.row(*pick));
            picks.iter().map(to).fold(f32::INFINITY, f32::min)
        };
        let radius = (0..x.rows()).map(nearest).fold(0.0, f32::max).sqrt();
        assert_eq!(radius, expected);
    }

    /// `k` clusters whose directions are unequally strong, on a coarse grid of values where `coarse`, so that there are ties.
    fn cloud(n: usize, d: usize, k: usize, coarse: bool) -> Matrix {
        let mut rng = Seed(3).rng();
        let centres: Vec<f64> = (0..k * d).map(|_| 2.0 * random::normal(&mut rng)).collect();
        let mut x = Matrix::zeros(n, d);
        for row in 0..n {
            let cluster = random::below(&mut rng, k);
            for col in 0..d {
                let value = centres[cluster * d + col] + random::normal(&mut rng) / (1.0 + 0.2 * col as f64);
                x.row_mut(row)[col] = if coarse { value.round() as f32 } else { value as f32 };
            }
        }
        x
    }

    #[test]
    fn picks_are_those_of_the_plain_algorithm() {
        check(&cloud(1500, 24, 5, false), 200, 7);
        check(&cloud(1500, 3, 5, false), 900, 0);
        check(&cloud(700, 130, 3, false), 80, 699);
        check(&cloud(40, 5, 2, false), 60, 1);
        check(&cloud(1, 5, 1, false), 3, 0);
    }

    #[test]
    fn known_rows_are_kept_away_from() {
        let x = cloud(1500, 24, 5, false);
        check_from(&x, &(0..1500).step_by(11).collect::<Vec<_>>(), 150);
        check_from(&x, &[700, 3, 3, 9], 40);
        check_from(&x, &[5], 0);
        let all: Vec<usize> = (0..1500).collect();
        assert_eq!(k_centre_from(x.view(), &all, 5), Coreset { picks: Vec::new(), radius: 0.0 });
    }

    #[test]
    fn ties_go_to_the_first_row() {
        check(&cloud(1500, 4, 3, true), 150, 11);
        check(&cloud(900, 2, 3, true), 800, 11);
    }

    #[test]
    fn copies_are_not_picked() {
        let x = cloud(30, 6, 2, false);
        let doubled = Matrix::from_rows(&[x.data(), x.data()].concat().chunks(6).collect::<Vec<_>>());
        check(&doubled, 60, 0);
        assert_eq!(k_centre(doubled.view(), 60, 0).picks.len(), 30);
        let same = Matrix::from_vec(2000, 3, vec![0.5; 6000]);
        assert_eq!(k_centre(same.view(), 10, 1999), Coreset { picks: vec![1999], radius: 0.0 });
    }

    #[test]
    fn picks_do_not_depend_on_threads() {
        let x = cloud(2000, 40, 4, false);
        let expected = k_centre(x.view(), 150, 0);
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| k_centre(x.view(), 150, 0)), expected);
        }
    }
}
