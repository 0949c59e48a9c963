//! Ridge canonical correlation analysis with a similarity weighted by the correlations (CSA; Li et al. 2024, arXiv 2410.07610).
//!
//! `C_x = X^T X / n + e tr/d I`, likewise `C_y`, `M = C_x^-1/2 C_xy C_y^-1/2 = U S V^T`. In principal axes `C_x` and `C_y` are
//! diagonal, so one decomposition is left. Components are kept from the first on while their correlation is above what 95 % of
//! shuffled pairs give at that place (Horn's parallel analysis).

use linalg::decompose::eigh;
use linalg::{Matrix, Seed, matmul, matmul_nt, matmul_tn, random};
use rayon::prelude::*;

use super::space::{Space, scaled_columns};
use super::{Alignment, Side};

/// `e`: ridge in units of the mean variance of a column.
pub(crate) const RIDGE: f64 = 0.1;
/// Shuffled sets of pairs; the second largest of 20 is their 95th percentile.
const SHUFFLES: usize = 20;
/// Most components.
pub(crate) const MOST: usize = 200;

/// What is added to each variance: never nothing.
pub(crate) fn least(side: &Space, ridge: f64) -> f64 {
    (ridge * side.mean_variance()).max(1e-12 * side.variances.first().unwrap_or(&1.0))
}

/// Components at most for so many pairs.
pub(crate) fn most(n: usize) -> usize {
    (n / 5).clamp(1, MOST)
}

/// The alignment; `None` where no component is better than shuffled pairs.
pub(crate) fn fit(left: &Space, right: &Space, ridge: f64, seed: Seed) -> Option<Alignment> {
    let n = left.rows.rows();
    let roots = [left, right].map(|side| {
        let least = least(side, ridge);
        side.variances.iter().map(|variance| 1.0 / (variance + least).sqrt()).collect::<Vec<f64>>()
    });
    let white = [scaled_columns(&left.rows, &roots[0]), scaled_columns(&right.rows, &roots[1])];
    let found = Correlations::new(&white[0], &white[1]);
    let most = most(n).min(found.values.len());
    let chance = shuffled(&white, most, seed);
    let kept = (0..most).take_while(|place| found.values[*place] > chance[*place]).count();
    if kept == 0 {
        return None;
    }
    let correlations = found.values[..kept].to_vec();
    let weights = |vectors: &Matrix<f64>, root: &[f64], space: &Space| {
        let mut weight = scaled_columns(&vectors.select_rows(&(0..kept).collect::<Vec<_>>()), root);
        for (row, correlation) in correlations.iter().enumerate() {
            weight.row_mut(row).iter_mut().for_each(|value| *value *= correlation.sqrt());
        }
        Side::new(space, &weight)
    };
    let left = weights(&found.left, &roots[0], left);
    let right = weights(&found.right, &roots[1], right);
    Some(Alignment { left, right })
}

/// Singular values, largest first, with their vectors, `[r, r_x]` and `[r, r_y]`.
pub(crate) struct Correlations {
    pub(crate) values: Vec<f64>,
    pub(crate) left: Matrix<f64>,
    pub(crate) right: Matrix<f64>,
}

impl Correlations {
    pub(crate) fn new(x: &Matrix<f64>, y: &Matrix<f64>) -> Self {
        let cross = matmul_tn(x.view(), y.view()).map(|value| value / x.rows().max(1) as f64);
        let wide = cross.rows() <= cross.cols();
        let small = if wide { cross.clone() } else { cross.transpose() };
        let (squares, vectors) = eigh(matmul_nt(small.view(), small.view()).view());
        let order: Vec<usize> = (0..squares.len()).rev().collect();
        let values: Vec<f64> = order.iter().map(|place| squares[*place].max(0.0).sqrt()).collect();
        let own = vectors.select_rows(&order);
        let mut other = matmul(own.view(), small.view());
        for (row, value) in values.iter().enumerate() {
            let inverse = if *value > 1e-9 { 1.0 / value } else { 0.0 };
            other.row_mut(row).iter_mut().for_each(|entry| *entry *= inverse);
        }
        let (left, right) = if wide { (own, other) } else { (other, own) };
        Self { values, left, right }
    }
}

/// The 95th percentile of each correlation when partners are drawn by lot.
fn shuffled(white: &[Matrix<f64>; 2], most: usize, seed: Seed) -> Vec<f64> {
    let draws: Vec<Vec<f64>> = (0..SHUFFLES)
        .into_par_iter()
        .map(|draw| {
            let mut order: Vec<usize> = (0..white[1].rows()).collect();
            random::shuffle(&mut order, &mut seed.derive("shuffle").nth(draw).rng());
            Correlations::new(&white[0], &white[1].select_rows(&order)).values
        })
        .collect();
    let percentile = |place: usize| {
        let mut values: Vec<f64> = draws.iter().map(|values| values[place]).collect();
        values.sort_by(f64::total_cmp);
        values[SHUFFLES - 2]
    };
    (0..most).map(percentile).collect()
}
