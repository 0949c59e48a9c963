//! L2-penalised logistic regression, one of several classes or any number of labels (methods 1.1).
//!
//! `J(W, b) = sum_i loss_i + (lambda / 2) |W|^2`, the bias free. The penalty is on the *summed* loss.

use linalg::logits::exp_f32;
use linalg::{CsrMatrix, Matrix, matmul, matmul_tn};
use rayon::prelude::*;

use crate::lbfgs::{self, Stop};

/// Rows of scores turned into losses by one task.
const BLOCK: usize = 64;

/// What multiplies the weights: dense columns, sparse columns, or both side by side.
#[derive(Debug, Clone)]
pub struct Design {
    /// `[n, d1]`; may have no columns.
    dense: Matrix<f32>,
    sparse: Option<Counts>,
}

/// Sparse columns, `[n, d2]`, with their transpose: every step of a fit multiplies with both.
#[derive(Debug, Clone)]
struct Counts {
    rows: CsrMatrix,
    columns: CsrMatrix,
}

/// How scores become a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// One class of several: cross-entropy of the softmax.
    Softmax,
    /// Any number of labels: a logistic loss for each.
    Sigmoid,
}

/// A fitted model: `scores = x * weight + bias`.
#[derive(Debug, Clone)]
pub struct Weights {
    /// `[d1 + d2, k]`.
    pub weight: Matrix<f32>,
    /// `[k]`.
    pub bias: Vec<f32>,
}

impl Design {
    /// Dense columns, `[n, d1]` (there may be none), and sparse ones, `[n, d2]`, beside them.
    pub fn new(dense: Matrix<f32>, sparse: Option<CsrMatrix>) -> Self {
        let sparse = sparse.map(|rows| Counts { columns: rows.transposed(), rows });
        Self { dense, sparse }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.dense.rows()
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.dense.cols() + self.sparse.as_ref().map_or(0, |sparse| sparse.rows.cols())
    }

    /// The rows named, in the order given.
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        Self::new(
            self.dense.select_rows(rows),
            self.sparse.as_ref().map(|sparse| sparse.rows.select_rows(rows)),
        )
    }

    /// `x * weight + bias`, `[n, k]`.
    pub fn scores(&self, model: &Weights) -> Matrix<f32> {
        self.raw_scores(model.weight.data(), &model.bias)
    }

    fn raw_scores(&self, weight: &[f32], bias: &[f32]) -> Matrix<f32> {
        let k = bias.len();
        let (dense, sparse) = weight.split_at(self.dense.cols() * k);
        let dense = linalg::MatrixView::new(self.dense.cols(), k, dense);
        let mut scores = matmul(self.dense.view(), dense);
        if let Some(Counts { rows: columns, .. }) = &self.sparse {
            let more = columns.times(&Matrix::from_vec(columns.cols(), k, sparse.to_vec()));
            scores.data_mut().iter_mut().zip(more.data()).for_each(|(to, from)| *to += from);
        }
        for row in 0..scores.rows() {
            scores.row_mut(row).iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
        }
        scores
    }

    /// `transpose(x) * g`, `[d, k]`.
    fn transpose_times(&self, g: &Matrix<f32>) -> Vec<f32> {
        let mut result = matmul_tn(self.dense.view(), g.view()).into_vec();
        if let Some(sparse) = &self.sparse {
            result.extend(sparse.columns.times(g).into_vec());
        }
        result
    }

    /// Sum of squares of every column.
    fn column_squares(&self) -> Vec<f32> {
        let mut squares = vec![0.0_f32; self.cols()];
        for row in 0..self.rows() {
            for (square, value) in squares.iter_mut().zip(self.dense.row(row)) {
                *square += value * value;
            }
            if let Some(sparse) = &self.sparse {
                for (col, value) in sparse.rows.row(row) {
                    squares[self.dense.cols() + col] += value * value;
                }
            }
        }
        squares
    }
}

/// Fits one model, starting from `start` or from zero. `targets` is `[n, k]` of zeros and ones.
pub fn fit(
    design: &Design,
    targets: &Matrix<f32>,
    loss: Loss,
    penalty: f64,
    start: Option<&Weights>,
) -> Weights {
    let (d, k) = (design.cols(), targets.cols());
    let mut x = match start {
        Some(start) => [start.weight.data(), &start.bias].concat(),
        None => vec![0.0; (d + 1) * k],
    };
    // Half of the largest possible curvature of the loss, class by class: p (1 - p) with p the share of the class.
    let n = design.rows() as f32;
    let bends: Vec<f32> =
        column_means(targets).iter().map(|share| (share * (1.0 - share)).max(0.5 / n)).collect();
    let mut curvature = Vec::with_capacity(x.len());
    for square in design.column_squares() {
        curvature.extend(bends.iter().map(|bend| bend * square + penalty as f32));
    }
    curvature.extend(bends.iter().map(|bend| bend * n));
    let stop = Stop { iterations: 100, decrease: 1e-5 };
    lbfgs::minimise(&mut x, &curvature, stop, |x, gradient| {
        objective(design, targets, loss, penalty, x, gradient)
    });
    let bias = x.split_off(d * k);
    Weights { weight: Matrix::from_vec(d, k, x), bias }
}

fn column_means(targets: &Matrix<f32>) -> Vec<f32> {
    let mut means = vec![0.0_f64; targets.cols()];
    for row in targets.iter_rows() {
        means.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value));
    }
    means.iter().map(|mean| (mean / targets.rows().max(1) as f64) as f32).collect()
}

/// The penalised loss; writes its gradient.
fn objective(
    design: &Design,
    targets: &Matrix<f32>,
    loss: Loss,
    penalty: f64,
    x: &[f32],
    gradient: &mut [f32],
) -> f64 {
    let k = targets.cols();
    let (weight, bias) = x.split_at(x.len() - k);
    let mut scores = design.raw_scores(weight, bias);
    let total = residuals(&mut scores, targets, loss);
    let (for_weight, for_bias) = gradient.split_at_mut(x.len() - k);
    for_weight.copy_from_slice(&design.transpose_times(&scores));
    for_weight.iter_mut().zip(weight).for_each(|(gradient, weight)| *gradient += penalty as f32 * weight);
    let mut sums = vec![0.0_f64; k];
    for row in scores.iter_rows() {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    for_bias.iter_mut().zip(sums).for_each(|(gradient, sum)| *gradient = sum as f32);
    let square: f64 = weight.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
    total + 0.5 * penalty * square
}

/// Turns scores into `p - target` in place and returns the summed loss.
fn residuals(scores: &mut Matrix<f32>, targets: &Matrix<f32>, loss: Loss) -> f64 {
    let k = targets.cols();
    let blocks = scores.data_mut().par_chunks_mut(BLOCK * k).zip(targets.data().par_chunks(BLOCK * k));
    let parts: Vec<f64> = blocks
        .map(|(scores, targets)| {
            scores
                .chunks_exact_mut(k)
                .zip(targets.chunks_exact(k))
                .map(|(scores, targets)| match loss {
                    Loss::Softmax => softmax_residual(scores, targets),
                    Loss::Sigmoid => sigmoid_residual(scores, targets),
                })
                .sum()
        })
        .collect();
    parts.iter().sum()
}

fn softmax_residual(scores: &mut [f32], targets: &[f32]) -> f64 {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let given: f32 = scores.iter().zip(targets).map(|(score, target)| (score - largest) * target).sum();
    scores.iter_mut().for_each(|score| *score = exp_f32(*score - largest));
    let total: f32 = scores.iter().sum();
    scores.iter_mut().zip(targets).for_each(|(score, target)| *score = *score / total - target);
    f64::from(total).ln() - f64::from(given)
}

fn sigmoid_residual(scores: &mut [f32], targets: &[f32]) -> f64 {
    let mut loss = 0.0;
    for (score, target) in scores.iter_mut().zip(targets) {
        let small = exp_f32(-score.abs());
        loss += f64::from(score.max(0.0) - *score * target) + f64::from(small).ln_1p();
        let p = if *score >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
        *score = p - target;
    }
    loss
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    fn problem(n: usize, d: usize, k: usize) -> (Design, Matrix<f32>) {
        let mut rng = Seed(4).rng();
        let dense = Matrix::from_vec(n, d, (0..n * d).map(|_| random::normal(&mut rng) as f32).collect());
        let rows: Vec<Vec<(u32, f32)>> =
            (0..n).map(|_| vec![(random::below(&mut rng, 3) as u32, 1.0)]).collect();
        let mut targets = Matrix::zeros(n, k);
        for row in 0..n {
            targets.row_mut(row)[random::below(&mut rng, k)] = 1.0;
        }
        (Design::new(dense, Some(CsrMatrix::from_rows(3, &rows))), targets)
    }

    #[test]
    fn the_gradient_agrees_with_differences() {
        let (design, targets) = problem(70, 4, 3);
        for loss in [Loss::Softmax, Loss::Sigmoid] {
            let mut rng = Seed(9).rng();
            let x: Vec<f32> = (0..(4 + 3 + 1) * 3).map(|_| random::normal(&mut rng) as f32).collect();
            let mut gradient = vec![0.0; x.len()];
            let mut scratch = gradient.clone();
            objective(&design, &targets, loss, 0.7, &x, &mut gradient);
            for j in 0..x.len() {
                let mut at = |by: f32| {
                    let mut moved = x.clone();
                    moved[j] += by;
                    objective(&design, &targets, loss, 0.7, &moved, &mut scratch)
                };
                let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!(
                    (slope - f64::from(gradient[j])).abs() < 0.02 * (1.0 + slope.abs()),
                    "{loss:?} {j}: {slope} {}",
                    gradient[j]
                );
            }
        }
    }

    #[test]
    fn the_minimum_has_no_slope_left() {
        let (design, targets) = problem(60, 5, 4);
        let model = fit(&design, &targets, Loss::Softmax, 1.0, None);
        let x = [model.weight.data(), &model.bias].concat();
        let mut gradient = vec![0.0; x.len()];
        objective(&design, &targets, Loss::Softmax, 1.0, &x, &mut gradient);
        let largest = gradient.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        assert!(largest < 0.15, "{largest}");
    }

    #[test]
    fn separable_classes_stay_finite() {
        let design = Design::new(Matrix::from_rows(&[[1.0], [-1.0]]), None);
        let targets = Matrix::from_rows(&[[1.0, 0.0], [0.0, 1.0]]);
        let model = fit(&design, &targets, Loss::Softmax, 1e-4, None);
        assert!(model.weight.data().iter().all(|value| value.is_finite()));
        assert!(model.weight.row(0)[0] > 1.0);
    }
}
