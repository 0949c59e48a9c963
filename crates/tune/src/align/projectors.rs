//! Linear projectors, learned: each partner is to be told among all others, and each side is to keep its own neighbourhoods.
//!
//! Symmetric InfoNCE (Oord et al. 2018; Radford et al. 2021) over cosines, with a temperature that is learned from 0.07, and the STRUCTURE
//! term (arXiv 2506.16895): similarities within a side stay what they were. It starts from the canonical correlations, so that few steps
//! are needed; Adam, in `f64` throughout, with batches in an order that the seed gives.

use linalg::{Matrix, Seed, matmul, matmul_nt, matmul_tn, random};

use super::cca::{self, Correlations};
use super::space::{Space, scaled_columns};
use super::{Alignment, Side};

/// From so many pairs on it is tried: with fewer there are nearly as many numbers to learn in a row as rows.
pub(crate) const FEWEST_PAIRS: usize = 200;
/// Principal axes of either side that are looked at.
const AXES: usize = 256;
/// Dimensions of the common space, at most; and no more than half the pairs. More than correlations can bear: what keeps neighbourhoods
/// keeps them in check.
const DIMS: usize = 128;
/// Ridge in units of the mean variance of a column: more than correlations want, for what is learned bends further.
const RIDGE: f64 = 1.0;
/// Pairs that are told apart at once.
const BATCH: usize = 1024;
/// Steps of Adam; twice as many find less.
const STEPS: usize = 60;
/// Its first step size; it falls to zero along half a cosine.
const RATE: f64 = 3e-3;
/// What the mean square change of a similarity within a side costs. From 30 to 300 it makes little difference; without it the
/// projectors find less than the correlations that they start from.
const STRUCTURE: f64 = 100.0;
/// Where the temperature starts.
const TEMPERATURE: f64 = 0.07;

/// One side in scaled principal axes, what it learns, and what it was like.
struct Learner {
    /// `[n, k]`.
    rows: Matrix<f64>,
    /// Rows at length 1, `[n, k]`: what similarities within the side are taken of.
    own: Matrix<f64>,
    /// `[r, k]`.
    weight: Adam,
    /// What each axis was multiplied by, `[k]`.
    scale: Vec<f64>,
}

/// Numbers that are learned, with the moments of their gradients.
struct Adam {
    value: Matrix<f64>,
    first: Matrix<f64>,
    second: Matrix<f64>,
}

/// The projected rows of a batch at length 1, `[m, r]`, and what their lengths were.
struct Projected {
    unit: Matrix<f64>,
    lengths: Vec<f64>,
}

/// The alignment after a fixed number of steps.
pub(crate) fn fit(left: &Space, right: &Space, seed: Seed) -> Alignment {
    let [a, b] = learn(left, right, seed);
    Alignment { left: a.finish(left), right: b.finish(right) }
}

/// Both sides after these steps.
fn learn(left: &Space, right: &Space, seed: Seed) -> [Learner; 2] {
    let n = left.rows.rows();
    let mut sides = start(left, right);
    let mut heat = Adam::new(Matrix::from_vec(1, 1, vec![TEMPERATURE.ln()]));
    let mut batches = Batches::new(n, seed.derive("projectors"));
    for step in 0..STEPS {
        let batch = batches.next();
        let rows = [0, 1].map(|side: usize| sides[side].rows.select_rows(&batch));
        let seen = [0, 1].map(|side: usize| Projected::new(&rows[side], &sides[side].weight.value));
        let (mut slopes, cooling) = contrast(&seen, heat.value.row(0)[0].exp());
        for (side, slope) in slopes.iter_mut().enumerate() {
            keep_structure(&sides[side].own.select_rows(&batch), &seen[side].unit, slope);
        }
        let rate = RATE * 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / STEPS as f64).cos());
        for ((side, slope), (seen, rows)) in sides.iter_mut().zip(slopes).zip(seen.iter().zip(&rows)) {
            let before = seen.before_length(slope);
            side.weight.step(&matmul_tn(before.view(), rows.view()), rate, step);
        }
        heat.step(&Matrix::from_vec(1, 1, vec![cooling]), rate, step);
    }
    sides
}

/// Both sides at the canonical correlations.
fn start(left: &Space, right: &Space) -> [Learner; 2] {
    let n = left.rows.rows();
    let axes = |space: &Space| space.variances.len().min(AXES);
    let scaled = |space: &Space| {
        let least = cca::least(space, RIDGE);
        let scale = space.variances.iter().take(AXES).map(|variance| 1.0 / (variance + least).sqrt());
        let scale: Vec<f64> = scale.collect();
        let first =
            Matrix::from_rows(&space.rows.iter_rows().map(|row| &row[..axes(space)]).collect::<Vec<_>>());
        (scaled_columns(&first, &scale), first, scale)
    };
    let ((x, own_x, scale_x), (y, own_y, scale_y)) = (scaled(left), scaled(right));
    let found = Correlations::new(&x, &y);
    let dims = (n / 2).clamp(1, DIMS).min(found.values.len());
    let kept: Vec<usize> = (0..dims).collect();
    let weight = |vectors: &Matrix<f64>| {
        let mut weight = vectors.select_rows(&kept);
        for (row, correlation) in found.values[..dims].iter().enumerate() {
            weight.row_mut(row).iter_mut().for_each(|value| *value *= correlation.sqrt());
        }
        Adam::new(weight)
    };
    let unit = |rows: Matrix<f64>| Projected::of(rows).unit;
    [
        Learner { rows: x, own: unit(own_x), weight: weight(&found.left), scale: scale_x },
        Learner { rows: y, own: unit(own_y), weight: weight(&found.right), scale: scale_y },
    ]
}

/// The slopes of the contrast in the unit vectors of both sides, `[m, r]`, and in the logarithm of the temperature.
///
/// `L = -1/2m sum_i (log softmax_j(s_ij) + log softmax_j(s_ji))_{j = i}` with `s = a b^T / t`.
fn contrast(seen: &[Projected; 2], temperature: f64) -> ([Matrix<f64>; 2], f64) {
    let m = seen[0].unit.rows();
    let alike = matmul_nt(seen[0].unit.view(), seen[1].unit.view()).map(|value| value / temperature);
    let (mut slope, across) = (softmax_rows(&alike), softmax_rows(&alike.transpose()));
    let share = 0.5 / m as f64;
    let mut cooling = 0.0;
    for row in 0..m {
        let (scores, values) = (alike.row(row), slope.row_mut(row));
        for (column, value) in values.iter_mut().enumerate() {
            let is_partner = f64::from(u8::from(row == column));
            *value = share * (*value + across.row(column)[row] - 2.0 * is_partner);
            cooling -= *value * scores[column];
        }
    }
    let slope = slope.map(|value| value / temperature);
    let left = matmul(slope.view(), seen[1].unit.view());
    let right = matmul_tn(slope.view(), seen[0].unit.view());
    ([left, right], cooling)
}

/// Adds the slope of the mean square change of the similarities within a side.
fn keep_structure(own: &Matrix<f64>, unit: &Matrix<f64>, slope: &mut Matrix<f64>) {
    let m = unit.rows();
    let (mut change, before) = (matmul_nt(unit.view(), unit.view()), matmul_nt(own.view(), own.view()));
    let weight = STRUCTURE * 4.0 / (m * m) as f64;
    for row in 0..m {
        let changes = change.row_mut(row).iter_mut().zip(before.row(row));
        changes.for_each(|(now, before)| *now = weight * (*now - before));
    }
    let more = matmul(change.view(), unit.view());
    for row in 0..m {
        slope.row_mut(row).iter_mut().zip(more.row(row)).for_each(|(slope, more)| *slope += more);
    }
}

fn softmax_rows(scores: &Matrix<f64>) -> Matrix<f64> {
    let mut shares = scores.clone();
    for row in 0..shares.rows() {
        let values = shares.row_mut(row);
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        values.iter_mut().for_each(|value| *value = (*value - largest).exp());
        let total: f64 = values.iter().sum();
        values.iter_mut().for_each(|value| *value /= total);
    }
    shares
}

impl Projected {
    fn new(rows: &Matrix<f64>, weight: &Matrix<f64>) -> Self {
        Self::of(matmul_nt(rows.view(), weight.view()))
    }

    fn of(mut unit: Matrix<f64>) -> Self {
        let length = |row: &[f64]| row.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-12);
        let lengths: Vec<f64> = unit.iter_rows().map(length).collect();
        for (row, length) in lengths.iter().enumerate() {
            unit.row_mut(row).iter_mut().for_each(|value| *value /= length);
        }
        Self { unit, lengths }
    }

    /// From slopes in the unit vectors to those in what they were before they got length 1.
    fn before_length(&self, mut slope: Matrix<f64>) -> Matrix<f64> {
        for (row, length) in self.lengths.iter().enumerate() {
            let unit = self.unit.row(row);
            let along: f64 = slope.row(row).iter().zip(unit).map(|(slope, unit)| slope * unit).sum();
            let values = slope.row_mut(row).iter_mut().zip(unit);
            values.for_each(|(slope, unit)| *slope = (*slope - along * unit) / length);
        }
        slope
    }
}

impl Learner {
    /// The same map in all principal axes.
    fn finish(self, space: &Space) -> Side {
        let learned = scaled_columns(&self.weight.value, &self.scale);
        let mut weight = Matrix::zeros(learned.rows(), space.variances.len());
        for row in 0..learned.rows() {
            weight.row_mut(row)[..learned.cols()].copy_from_slice(learned.row(row));
        }
        Side::new(space, &weight)
    }
}

impl Adam {
    fn new(value: Matrix<f64>) -> Self {
        let zeros = || Matrix::zeros(value.rows(), value.cols());
        Self { first: zeros(), second: zeros(), value }
    }

    /// Kingma & Ba 2015, with their constants; `step` counts from 0.
    fn step(&mut self, slope: &Matrix<f64>, rate: f64, step: usize) {
        let power = (step + 1).try_into().unwrap_or(i32::MAX);
        let [first_bias, second_bias] = [0.9_f64, 0.999].map(|keep| 1.0 - keep.powi(power));
        for row in 0..slope.rows() {
            let moments = self.first.row_mut(row).iter_mut().zip(self.second.row_mut(row));
            let values = self.value.row_mut(row).iter_mut().zip(slope.row(row)).zip(moments);
            for ((value, slope), (first, second)) in values {
                *first = 0.9 * *first + 0.1 * slope;
                *second = 0.999 * *second + 0.001 * slope * slope;
                *value -= rate * (*first / first_bias) / ((*second / second_bias).sqrt() + 1e-8);
            }
        }
    }
}

/// Rows in an order by lot, so many at a time; all of them where they are few.
struct Batches {
    order: Vec<usize>,
    at: usize,
    round: usize,
    seed: Seed,
}

impl Batches {
    fn new(n: usize, seed: Seed) -> Self {
        Self { order: (0..n).collect(), at: n, round: 0, seed }
    }

    fn next(&mut self) -> Vec<usize> {
        let (n, size) = (self.order.len(), self.order.len().min(BATCH));
        if n > size && self.at + size > n {
            random::shuffle(&mut self.order, &mut self.seed.nth(self.round).rng());
            (self.at, self.round) = (0, self.round + 1);
        }
        let at = if n > size { self.at } else { 0 };
        self.at = at + size;
        self.order[at..at + size].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is minimised, written plainly, of unnormalised projections.
    fn loss(rows: &[Matrix<f64>; 2], weights: &[Matrix<f64>; 2], own: &[Matrix<f64>; 2], heat: f64) -> f64 {
        let seen = [0, 1].map(|side: usize| Projected::new(&rows[side], &weights[side]).unit);
        let m = seen[0].rows();
        let alike = |a: &Matrix<f64>, b: &Matrix<f64>, i: usize, j: usize| -> f64 {
            a.row(i).iter().zip(b.row(j)).map(|(a, b)| a * b).sum()
        };
        let mut total = 0.0;
        for i in 0..m {
            let score = |i: usize, j: usize| alike(&seen[0], &seen[1], i, j) / heat.exp();
            let log_sum = |scores: Vec<f64>| scores.iter().map(|score| score.exp()).sum::<f64>().ln();
            total += log_sum((0..m).map(|j| score(i, j)).collect()) - score(i, i);
            total += log_sum((0..m).map(|j| score(j, i)).collect()) - score(i, i);
        }
        total *= 0.5 / m as f64;
        for side in 0..2 {
            for (i, j) in (0..m).flat_map(|i| (0..m).map(move |j| (i, j))) {
                let change = alike(&seen[side], &seen[side], i, j) - alike(&own[side], &own[side], i, j);
                total += STRUCTURE * change * change / (m * m) as f64;
            }
        }
        total
    }

    fn drawn(rows: usize, cols: usize, seed: u64) -> Matrix<f64> {
        let mut rng = Seed(seed).rng();
        Matrix::from_vec(rows, cols, (0..rows * cols).map(|_| random::normal(&mut rng)).collect())
    }

    #[test]
    fn slopes_are_those_of_the_loss() {
        let rows = [drawn(7, 5, 1), drawn(7, 4, 2)];
        let own = [0, 1].map(|side: usize| Projected::of(rows[side].clone()).unit);
        let (weights, heat) = ([drawn(3, 5, 3), drawn(3, 4, 4)], 0.3_f64.ln());
        let seen = [0, 1].map(|side: usize| Projected::new(&rows[side], &weights[side]));
        let (mut slopes, cooling) = contrast(&seen, heat.exp());
        let near = |got: f64, ahead: f64, behind: f64| {
            let expected = (ahead - behind) / 2e-6;
            assert!((got - expected).abs() < 1e-5 * expected.abs().max(1.0), "{got}, expected {expected}");
        };
        near(cooling, loss(&rows, &weights, &own, heat + 1e-6), loss(&rows, &weights, &own, heat - 1e-6));
        for side in 0..2 {
            keep_structure(&own[side], &seen[side].unit, &mut slopes[side]);
            let slope = matmul_tn(seen[side].before_length(slopes[side].clone()).view(), rows[side].view());
            for (row, column) in [(0, 0), (1, 3), (2, 2)] {
                let moved = |by: f64| {
                    let mut weights = weights.clone();
                    weights[side].row_mut(row)[column] += by;
                    loss(&rows, &weights, &own, heat)
                };
                near(slope.row(row)[column], moved(1e-6), moved(-1e-6));
            }
        }
    }

    #[test]
    fn what_is_learned_loses_less_than_what_it_starts_from() {
        let hidden = drawn(200, 6, 5);
        let side = |d: usize, seed: u64| {
            let shown = matmul_nt(hidden.view(), drawn(d, 6, seed).view());
            let noise = drawn(200, d, seed + 1);
            let values = shown.data().iter().zip(noise.data()).map(|(shown, noise)| shown + 1.5 * noise);
            Space::new(&Matrix::from_vec(200, d, values.collect()))
        };
        let spaces = [side(30, 6), side(40, 8)];
        let [x, y] = start(&spaces[0], &spaces[1]);
        let (rows, own) = ([x.rows, y.rows], [x.own, y.own]);
        let before = loss(&rows, &[x.weight.value, y.weight.value], &own, TEMPERATURE.ln());
        let [x, y] = learn(&spaces[0], &spaces[1], Seed(1));
        let after = loss(&rows, &[x.weight.value, y.weight.value], &own, TEMPERATURE.ln());
        assert!(after < before, "{after}, at the start {before}");
    }

    #[test]
    fn batches_pass_by_every_row_before_one_comes_again() {
        let mut batches = Batches::new(2 * BATCH + 5, Seed(3));
        let mut seen: Vec<usize> = [batches.next(), batches.next()].concat();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 2 * BATCH);
        assert_eq!(batches.next().len(), BATCH);
        assert_eq!(Batches::new(7, Seed(3)).next(), (0..7).collect::<Vec<_>>());
    }
}
