//! Few coordinates of many vectors that tell which pairs are surely too far apart.
//!
//! The first coordinate is the length of what the others leave out, the others are the strongest directions of a sample. The
//! distance of two such short vectors is never above the distance of the long ones (by Pythagoras and the triangle
//! inequality), so most pairs need no more than these: the answer stays exact and costs a fraction.

use rayon::prelude::*;

use crate::decompose::row_space;
use crate::lanes::{LANES, Lanes};
use crate::{Matrix, MatrixView, matmul_nt};

/// Coordinates are compared in parts of sixteen, each one more chance to see that a pair is too far apart.
pub(crate) const PARTS: usize = 4;
/// Coordinates of a short form.
pub(crate) const SHORT: usize = PARTS * LANES;
/// Rows that the directions are found from: an eigenproblem of this size takes milliseconds.
const SAMPLE: usize = 256;
/// Coordinates beyond this are cut, so that squares stay finite; cutting never lengthens a distance.
const LARGEST: f64 = 1e18;
/// Bound on the error of a coordinate vector relative to the length of the longest vector. They are computed in double
/// precision and rounded once (6e-8), so this is generous.
const COORDINATE_ERROR: f64 = 1e-6;
/// Bound on the relative rounding of a squared distance in single precision, up to tens of thousands of columns.
const DISTANCE_ERROR: f32 = 1e-4;
/// Squares below the smallest float vanish; so many columns of them stay below this.
pub(crate) const UNDERFLOW: f32 = 1e-30;

/// The short form of one vector.
pub(crate) type Short = [Lanes; PARTS];

/// Directions shared by all vectors that are compared.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    /// `[d]`.
    mean: Vec<f64>,
    /// `[r, d]`, orthonormal, strongest first, r below [`SHORT`].
    basis: Matrix<f64>,
}

/// The short forms of several vectors.
#[derive(Debug, Clone)]
pub(crate) struct Shorts {
    pub(crate) of: Vec<Short>,
    /// Length of the longest vector, measured from the mean.
    pub(crate) longest: f64,
}

/// From distances to what the short forms must exceed for a pair to be surely farther.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slack(f32);

impl Screen {
    /// Finds the directions from evenly spaced rows of `x`, `[n, d]`.
    pub(crate) fn new(x: MatrixView<'_>) -> Self {
        let n = x.rows();
        if n == 0 {
            return Self { mean: vec![0.0; x.cols()], basis: Matrix::zeros(0, x.cols()) };
        }
        let step = n.div_ceil(SAMPLE);
        let rows: Vec<&[f32]> = (0..n).step_by(step).map(|row| x.row(row)).collect();
        let mut mean = vec![0.0; x.cols()];
        for row in &rows {
            mean.iter_mut().zip(*row).for_each(|(mean, value)| *mean += f64::from(*value));
        }
        mean.iter_mut().for_each(|mean| *mean /= rows.len() as f64);
        let mut sample = Matrix::zeros(rows.len(), x.cols());
        for (place, row) in rows.iter().enumerate() {
            subtract(sample.row_mut(place), row, &mean);
        }
        // Sharp directions only: the weak ones that rounding tilts would no longer be orthogonal.
        let space = row_space(sample.view());
        let strength = |j: usize| space.coordinates.iter_rows().map(|row| row[j] * row[j]).sum::<f64>();
        let strongest = if space.basis.rows() > 0 { strength(0) } else { 0.0 };
        let kept: Vec<usize> = (0..space.basis.rows().min(SHORT - 1))
            .filter(|direction| strength(*direction) > 1e-6 * strongest)
            .collect();
        Self { mean, basis: space.basis.select_rows(&kept) }
    }

    /// The short forms of the rows of `x`, `[n, d]`, each by itself.
    pub(crate) fn shorten(&self, x: MatrixView<'_>) -> Shorts {
        let rows: Vec<usize> = (0..x.rows()).collect();
        let parts: Vec<Vec<(Short, f64)>> = rows
            .par_chunks(64)
            .map(|rows| {
                let mut centred = Matrix::zeros(rows.len(), x.cols());
                for (place, row) in rows.iter().enumerate() {
                    subtract(centred.row_mut(place), x.row(*row), &self.mean);
                }
                let along = matmul_nt(centred.view(), self.basis.view());
                centred.iter_rows().zip(along.iter_rows()).map(|(row, along)| short(row, along)).collect()
            })
            .collect();
        let longest = parts.iter().flatten().fold(0.0_f64, |longest, (_, length)| longest.max(*length));
        Shorts { of: parts.into_iter().flatten().map(|(short, _)| short).collect(), longest }
    }
}

fn subtract(to: &mut [f64], row: &[f32], mean: &[f64]) {
    for (to, (value, mean)) in to.iter_mut().zip(row.iter().zip(mean)) {
        *to = f64::from(*value) - mean;
    }
}

/// The short form of a centred row with its coordinates `along` the directions, and the row's length.
fn short(row: &[f64], along: &[f64]) -> (Short, f64) {
    let square: f64 = row.iter().map(|value| value * value).sum();
    let kept: f64 = along.iter().map(|value| value * value).sum();
    let mut short = [[0.0; LANES]; PARTS];
    let rest = (square - kept).max(0.0).sqrt();
    for (at, value) in std::iter::once(&rest).chain(along).enumerate() {
        short[at / LANES][at % LANES] = value.clamp(-LARGEST, LARGEST) as f32;
    }
    (short, square.sqrt())
}

impl Slack {
    /// For pairs of one vector from each side, whose longest are this long.
    pub(crate) fn between(a: f64, b: f64) -> Self {
        Self((COORDINATE_ERROR * (a + b)) as f32)
    }

    /// A pair whose short forms are farther apart than this, squared, has a squared distance above `squared`, as
    /// [`crate::lanes::squared_distance`] would compute it.
    #[inline(always)]
    pub(crate) fn above(self, squared: f32) -> f32 {
        let length = squared.sqrt() + self.0;
        length * length * (1.0 + 4.0 * DISTANCE_ERROR) + UNDERFLOW
    }
}

/// Short forms in blocks of sixteen vectors, a coordinate of all sixteen side by side.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tiles {
    /// For each part, for each block: `[coordinate][vector]`.
    parts: [Vec<[Lanes; LANES]>; PARTS],
    len: usize,
}

impl Tiles {
    /// All of `shorts`, in order.
    pub(crate) fn new(shorts: &[Short]) -> Self {
        let mut tiles = Self::default();
        shorts.iter().for_each(|short| tiles.push(short));
        tiles
    }

    /// Appends one vector.
    pub(crate) fn push(&mut self, short: &Short) {
        let (block, lane) = (self.len / LANES, self.len % LANES);
        for (part, tiles) in self.parts.iter_mut().enumerate() {
            if lane == 0 {
                // Places without a vector are too far from everything, though not so far that squares overflow.
                let mut empty = [[0.0; LANES]; LANES];
                empty[0] = [10.0 * LARGEST as f32; LANES];
                tiles.push(empty);
            }
            for (coordinate, value) in short[part].iter().enumerate() {
                tiles[block][coordinate][lane] = *value;
            }
        }
        self.len += 1;
    }

    /// Number of vectors.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Number of blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.len.div_ceil(LANES)
    }

    /// One part of one block.
    #[inline(always)]
    pub(crate) fn tile(&self, part: usize, block: usize) -> &[Lanes; LANES] {
        &self.parts[part][block]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::squared_distance;
    use crate::{Seed, random};

    #[track_caller]
    fn check(x: &Matrix) {
        let screen = Screen::new(x.view());
        let shorts = screen.shorten(x.view());
        let slack = Slack::between(shorts.longest, shorts.longest);
        for a in 0..x.rows() {
            for b in 0..x.rows() {
                let square = |(x, y): (&f32, &f32)| (x - y) * (x - y);
                let far: f32 =
                    shorts.of[a].iter().flatten().zip(shorts.of[b].iter().flatten()).map(square).sum();
                assert!(far <= slack.above(squared_distance(x.row(a), x.row(b))), "{a} {b}: {far}");
            }
        }
    }

    fn cloud(n: usize, d: usize, scale: f64, centre: f64) -> Matrix {
        let mut rng = Seed(8).rng();
        let value = |at: usize, normal: f64| (centre + scale * normal / (1 + at % d) as f64) as f32;
        Matrix::from_vec(n, d, (0..n * d).map(|at| value(at, random::normal(&mut rng))).collect())
    }

    #[test]
    fn short_forms_are_never_farther_apart_than_the_vectors() {
        for (n, d) in [(1, 3), (2, 200), (60, 5), (60, 200)] {
            for (scale, centre) in [(1.0, 0.0), (1e-3, 100.0), (1e-25, 0.0), (1e15, -3.0)] {
                check(&cloud(n, d, scale, centre));
            }
        }
        check(&Matrix::from_vec(3, 2, vec![1.0; 6]));
        check(&Matrix::from_rows(&[[3e38, 3e38], [-3e38, 3e38], [0.0, 0.0]]));
    }
}
