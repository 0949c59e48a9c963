//! What goes together across senses within classes, and leave-one-out scores of the joint model.
//!
//! Leaving out row `i` of class `c` takes `U C U^T` from `I + gamma R`, with `U = [w_1 .. w_M]` what the row is off its class
//! mean, sense by sense, and `C_mm = a_m`, `C_ml = gamma sqrt(a_m a_l)`, `a = n_c / (n_c - 1)`: a downdate of rank `M`, so one small
//! inverse for each row (Woodbury). It is exact when every row has every sense. Ridges and scales keep their full-data values.

use linalg::decompose::{cholesky, solve_lower, solve_lower_transposed};
use linalg::{Matrix, matmul_tn};
use rayon::prelude::*;

use super::Subset;
use super::block::{Block, dot, offs, scaled_loss, through};

/// The blocks with what couples them.
pub(crate) struct Coupling<'a> {
    blocks: &'a [Block],
    labels: &'a [u32],
    rows: &'a [usize],
    /// `R` between two senses, the smaller number first, `[r_a, r_b]`, with what makes up for rows that lack one.
    pairs: Vec<Pair>,
}

struct Pair {
    senses: (usize, usize),
    matrix: Matrix<f64>,
    share: f64,
}

impl<'a> Coupling<'a> {
    pub(crate) fn new(blocks: &'a [Block], labels: &'a [u32], rows: &'a [usize]) -> Self {
        let m = blocks.len();
        let pairs = (0..m).flat_map(|a| (a + 1..m).map(move |b| (a, b)));
        let pairs = pairs.map(|(a, b)| Pair::new(blocks, rows, a, b)).collect();
        Self { blocks, labels, rows, pairs }
    }

    /// Whether `I + gamma R` is positive, and so every part of it; only rows that lack senses can bring about that it is not.
    pub(crate) fn is_possible(&self, gamma: f64) -> bool {
        gamma == 0.0 || cholesky(self.matrix(Subset::all(self.blocks.len()), gamma).view()).is_ok()
    }

    /// The possible `gamma` with the least leave-one-out log-loss on rows that have every sense; the first of equals.
    pub(crate) fn best_gamma(&self, gammas: &[f64]) -> f64 {
        let all = Subset::all(self.blocks.len());
        let mut best = (0.0, f64::INFINITY);
        for gamma in gammas.iter().copied().filter(|gamma| self.is_possible(*gamma)) {
            let (scores, labels) = self.left_out(all, gamma);
            let (_, loss) = scaled_loss(&scores, &labels);
            if loss < best.1 {
                best = (gamma, loss);
            }
        }
        best.0
    }

    /// What makes the scores of a subset as sure as they may be, by leave-one-out.
    pub(crate) fn scale(&self, subset: Subset, gamma: f64) -> f64 {
        let (scores, labels) = self.left_out(subset, gamma);
        scaled_loss(&scores, &labels).0
    }

    /// `I + gamma R` of a subset.
    pub(crate) fn matrix(&self, subset: Subset, gamma: f64) -> Matrix<f64> {
        let starts = self.starts(subset);
        let size: usize = subset.senses().map(|sense| self.blocks[sense].dims()).sum();
        let mut matrix = Matrix::zeros(size, size);
        (0..size).for_each(|at| matrix.row_mut(at)[at] = 1.0);
        for Pair { senses: (a, b), matrix: coupled, .. } in &self.pairs {
            if !subset.contains(*a) || !subset.contains(*b) {
                continue;
            }
            for (i, row) in coupled.iter_rows().enumerate() {
                for (j, value) in row.iter().enumerate() {
                    matrix.row_mut(starts[*a] + i)[starts[*b] + j] = gamma * value;
                    matrix.row_mut(starts[*b] + j)[starts[*a] + i] = gamma * value;
                }
            }
        }
        matrix
    }

    /// Where the coordinates of each sense begin.
    fn starts(&self, subset: Subset) -> Vec<usize> {
        let mut starts = vec![0; self.blocks.len()];
        let mut next = 0;
        for sense in subset.senses() {
            starts[sense] = next;
            next += self.blocks[sense].dims();
        }
        starts
    }

    /// Scores, `[rows, k]`, of rows with all senses of a subset by the model fitted without them, and their labels.
    ///
    /// Left aside are rows that are the only one of their class, and those without which no positive matrix is left.
    pub(crate) fn left_out(&self, subset: Subset, gamma: f64) -> (Matrix<f64>, Vec<u32>) {
        let has_all = |row: &usize| subset.senses().all(|sense| self.blocks[sense].place(*row).is_some());
        let rows: Vec<usize> = self.rows.iter().copied().filter(has_all).collect();
        let white = White::new(self, subset, gamma, &rows);
        let k = self.blocks[0].means.rows();
        let scores: Vec<Option<Vec<f64>>> = (0..rows.len())
            .into_par_iter()
            .map(|place| self.without(&white, place, self.labels[rows[place]] as usize, gamma))
            .collect();
        let mut labels = Vec::new();
        let mut kept = Vec::new();
        for (row, scores) in rows.iter().zip(scores) {
            if let Some(scores) = scores {
                labels.push(self.labels[*row]);
                kept.extend(scores);
            }
        }
        (Matrix::from_vec(labels.len(), k, kept), labels)
    }

    fn without(&self, white: &White, place: usize, own: usize, gamma: f64) -> Option<Vec<f64>> {
        let senses = &white.senses;
        if senses.iter().any(|sense| self.blocks[*sense].counts[own] < 2) {
            return None;
        }
        let shares: Vec<f64> = senses
            .iter()
            .map(|sense| {
                let n = self.blocks[*sense].counts[own] as f64;
                n / (n - 1.0)
            })
            .collect();
        let u: Vec<&[f64]> = white.off.iter().map(|off| off.row(place)).collect();
        let inverse = self.downdate(senses, &shares, &u, gamma)?;
        let size = white.means.cols();
        let (mut at, mut left) = (vec![0.0; size], vec![0.0; size]);
        for ((u, certainty), share) in u.iter().zip(&white.certainty).zip(&shares) {
            for (j, value) in u.iter().enumerate() {
                at[j] += certainty * value;
                left[j] += share * certainty * value;
            }
        }
        let score = |class: usize| {
            let y: Vec<f64> = if class == own {
                left.clone()
            } else {
                let means = white.means.row(own).iter().zip(white.means.row(class));
                at.iter().zip(means).map(|(at, (own, other))| at + own - other).collect()
            };
            let along: Vec<f64> = u.iter().map(|u| dot(u, &y)).collect();
            let bent: f64 =
                inverse.iter_rows().zip(&along).map(|(row, value)| value * dot(row, &along)).sum();
            -0.5 * (dot(&y, &y) + bent)
        };
        Some((0..white.means.rows()).map(score).collect())
    }

    /// `(C^-1 - U^T B^-1 U)^-1`, `[M, M]`; `None` when it is not positive.
    fn downdate(&self, senses: &[usize], shares: &[f64], u: &[&[f64]], gamma: f64) -> Option<Matrix<f64>> {
        let m = senses.len();
        let mut taken = Matrix::zeros(m, m);
        for i in 0..m {
            for j in 0..m {
                let share = if i == j { 1.0 } else { gamma * self.share(senses[i], senses[j]) };
                taken.row_mut(i)[j] = share * (shares[i] * shares[j]).sqrt();
            }
        }
        let mut rest = inverse(&taken)?;
        for i in 0..m {
            for j in 0..m {
                rest.row_mut(i)[j] -= dot(u[i], u[j]);
            }
        }
        inverse(&rest)
    }

    fn share(&self, a: usize, b: usize) -> f64 {
        let senses = (a.min(b), a.max(b));
        self.pairs.iter().find(|pair| pair.senses == senses).map_or(0.0, |pair| pair.share)
    }
}

impl Pair {
    /// Too few rows with both senses couple nothing.
    fn new(blocks: &[Block], rows: &[usize], a: usize, b: usize) -> Self {
        let both: Vec<usize> = rows
            .iter()
            .copied()
            .filter(|row| blocks[a].place(*row).is_some() && blocks[b].place(*row).is_some())
            .collect();
        let k = blocks[a].counts.len();
        let degrees = both.len().saturating_sub(k) as f64;
        let share =
            if degrees > 1.0 { (blocks[a].degrees * blocks[b].degrees).sqrt() / degrees } else { 0.0 };
        let matrix = matmul_tn(offs(&blocks[a], &both).view(), offs(&blocks[b], &both).view());
        Self { senses: (a, b), matrix: matrix.map(|value| share * value), share }
    }
}

/// Rows and means through the inverse factor of `I + gamma R`, so that its inverse is the plain inner product.
struct White {
    senses: Vec<usize>,
    /// What rows are off their class mean in each sense alone, `[rows, D]` each.
    off: Vec<Matrix<f64>>,
    /// Class means, `[k, D]`, every sense times the root of its degrees of freedom.
    means: Matrix<f64>,
    certainty: Vec<f64>,
}

impl White {
    fn new(coupling: &Coupling<'_>, subset: Subset, gamma: f64, rows: &[usize]) -> Self {
        let senses: Vec<usize> = subset.senses().collect();
        let (blocks, starts) = (coupling.blocks, coupling.starts(subset));
        let columns = inverse_factor(&coupling.matrix(subset, gamma), gamma);
        let certainty: Vec<f64> =
            senses.iter().map(|sense| (blocks[*sense].degrees - 1.0).max(1.0).sqrt()).collect();
        let mut means = Matrix::zeros(blocks[0].means.rows(), columns.rows());
        let mut off = Vec::new();
        for (sense, certainty) in senses.iter().zip(&certainty) {
            let block = &blocks[*sense];
            let own: Vec<usize> = (starts[*sense]..starts[*sense] + block.dims()).collect();
            // Columns of the inverse factor are rows of its transpose.
            let own = columns.select_rows(&own).transpose();
            off.push(through(&offs(block, rows), &own));
            let part = through(&block.means, &own);
            means.data_mut().iter_mut().zip(part.data()).for_each(|(sum, value)| *sum += certainty * value);
        }
        Self { senses, off, means, certainty }
    }
}

/// `L^-1` of `B = L L^T`, transposed: row `j` holds its column `j`.
fn inverse_factor(matrix: &Matrix<f64>, gamma: f64) -> Matrix<f64> {
    if gamma == 0.0 {
        return matrix.clone();
    }
    let factor = cholesky(matrix.view()).expect("gamma was found to be possible");
    let size = matrix.rows();
    let column = |at: usize| {
        let mut column = vec![0.0; size];
        column[at] = 1.0;
        solve_lower(factor.view(), &mut column);
        column
    };
    Matrix::from_rows(&(0..size).into_par_iter().map(column).collect::<Vec<_>>())
}

/// The inverse of a small symmetric matrix; `None` when it is not positive.
fn inverse(matrix: &Matrix<f64>) -> Option<Matrix<f64>> {
    let factor = cholesky(matrix.view()).ok()?;
    let column = |at: usize| {
        let mut column = vec![0.0; matrix.rows()];
        column[at] = 1.0;
        solve_lower(factor.view(), &mut column);
        solve_lower_transposed(factor.view(), &mut column);
        column
    };
    Some(Matrix::from_rows(&(0..matrix.rows()).map(column).collect::<Vec<_>>()))
}
