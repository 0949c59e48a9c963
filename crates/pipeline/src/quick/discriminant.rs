//! Discriminant analysis with one shrunken covariance, and its exact answer about every group that did not teach it.
//!
//! With `A` the scatter within the classes and a ridge on its diagonal, a class of mean `m` has the score
//! `-(x - m)' A^-1 (x - m) / 2`, in units of the covariance (methods 1.2; [`tune::gda`] leaves out single rows). In coordinates where
//! `A` is the identity, a group that is taken out leaves `I - U'U`, with a row of `U` for each of its examples and one for how far it
//! moves each mean. The ridge keeps its value.

use std::collections::BTreeMap;

use linalg::decompose::{cholesky, solve_lower};
use linalg::{Matrix, matmul_nt, matmul_tn};
use rayon::prelude::*;

use super::lesson::length;

/// The least ridge, as a share of the trace: below it rounding decides.
const LEAST: f64 = 1e-9;

/// What labels teach, in coordinates where the scatter with its ridge is the identity.
struct Taught {
    /// Leads to these coordinates: `[d, d]`, lower triangular.
    factor: Matrix<f64>,
    /// `[k, d]`
    means: Matrix<f64>,
    /// `[k]`
    counts: Vec<usize>,
    n: usize,
}

/// A model without the examples of a group.
struct Without {
    /// Classes that are left, and their means.
    means: Vec<(usize, Vec<f64>)>,
    /// `[u, d]`
    lost: Matrix<f64>,
    /// The factor of `I - UU'` or of `I - U'U`, whichever is smaller.
    factor: Matrix<f64>,
    degrees: f64,
}

/// Scores of every row of `x`, `[n, d]`, and class, `[n, k]`, by a model that its group did not teach: up to a number that is the same for
/// all classes of a row, logarithms of what a model too sure of itself says. `groups` and `labels` are `[n]`; some label is given. Minus
/// infinity for a class that nobody else taught, and for all of them where fewer than two are left.
pub(super) fn scores(x: &Matrix<f64>, groups: &[u32], labels: &[Option<u32>]) -> Matrix<f64> {
    let taught = Taught::new(x, labels);
    let mut scores = taught.ask(x);
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let labelled = |row: &usize| labels[*row].is_some();
    (0..x.rows()).filter(labelled).for_each(|row| _ = members.insert(groups[row], Vec::new()));
    for (row, group) in groups.iter().enumerate() {
        members.entry(*group).and_modify(|rows| rows.push(row));
    }
    let members: Vec<Vec<usize>> = members.into_values().collect();
    let found: Vec<Matrix<f64>> = members.par_iter().map(|rows| taught.left_out(x, rows, labels)).collect();
    for (rows, found) in members.iter().zip(found) {
        rows.iter()
            .zip(found.iter_rows())
            .for_each(|(row, found)| scores.row_mut(*row).copy_from_slice(found));
    }
    scores
}

impl Taught {
    fn new(x: &Matrix<f64>, labels: &[Option<u32>]) -> Self {
        let rows: Vec<usize> = (0..x.rows()).filter(|row| labels[*row].is_some()).collect();
        let given: Vec<u32> = labels.iter().flatten().copied().collect();
        let k = given.iter().max().map_or(0, |class| *class as usize + 1);
        let mut within = x.select_rows(&rows);
        let (mut means, counts) = tune::gda::class_means(within.view(), &given, k);
        for (row, class) in given.iter().enumerate() {
            let mean = means.row(*class as usize);
            within.row_mut(row).iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
        }
        let mut scatter = matmul_tn(within.view(), within.view());
        let least = LEAST * rows.iter().map(|row| length(x.row(*row))).sum::<f64>();
        let trace = (0..scatter.rows()).map(|at| scatter.row(at)[at]).sum::<f64>();
        let ridge = (trace / rows.len().saturating_sub(1).max(1) as f64).max(least);
        // Examples that are all the same tell nothing apart, at any scale.
        let ridge = if ridge > 0.0 { ridge } else { 1.0 };
        (0..scatter.rows()).for_each(|at| scatter.row_mut(at)[at] += ridge);
        let factor = cholesky(scatter.view()).expect("a scatter with a ridge above rounding is positive");
        (0..k).for_each(|class| solve_lower(factor.view(), means.row_mut(class)));
        Self { factor, means, counts, n: rows.len() }
    }

    /// Scores of all rows by the model that everything taught.
    fn ask(&self, x: &Matrix<f64>) -> Matrix<f64> {
        let (k, classes) = (self.counts.len(), left(&self.counts));
        let mut scores = Matrix::from_vec(x.rows(), k, vec![f64::NEG_INFINITY; x.rows() * k]);
        if classes.len() < 2 {
            return scores;
        }
        let degrees = degrees(self.n, classes.len());
        let mut weight = self.means.clone();
        for class in 0..k {
            linalg::decompose::solve_lower_transposed(self.factor.view(), weight.row_mut(class));
        }
        let products = matmul_nt(x.view(), weight.view());
        for (row, products) in products.iter_rows().enumerate() {
            for class in &classes {
                let half = 0.5 * length(self.means.row(*class));
                scores.row_mut(row)[*class] = degrees * (products[*class] - half);
            }
        }
        scores
    }

    /// Scores, `[rows, k]`, of the examples of a group, by the model that none of them taught.
    fn left_out(&self, x: &Matrix<f64>, rows: &[usize], labels: &[Option<u32>]) -> Matrix<f64> {
        let k = self.counts.len();
        let mut inside = x.select_rows(rows);
        (0..rows.len()).for_each(|row| solve_lower(self.factor.view(), inside.row_mut(row)));
        let given: Vec<Option<u32>> = rows.iter().map(|row| labels[*row]).collect();
        let mut scores = Matrix::from_vec(rows.len(), k, vec![f64::NEG_INFINITY; rows.len() * k]);
        let without = self.without(&inside, &given);
        if without.means.len() < 2 {
            return scores;
        }
        for (row, x) in inside.iter_rows().enumerate() {
            for (class, mean) in &without.means {
                scores.row_mut(row)[*class] = without.score(x, mean);
            }
        }
        scores
    }

    /// The model without some examples, whose rows are in its own coordinates.
    fn without(&self, rows: &Matrix<f64>, labels: &[Option<u32>]) -> Without {
        let mut of_class: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (row, label) in labels.iter().enumerate() {
            label.iter().for_each(|class| of_class.entry(*class as usize).or_default().push(row));
        }
        let (d, mut counts) = (self.means.cols(), self.counts.clone());
        let (mut means, mut lost) = (self.means.clone(), Vec::new());
        for (class, gone) in of_class {
            let (count, n_gone) = (self.counts[class], gone.len());
            let mut moved = vec![0.0; d];
            for row in gone {
                let off = rows.row(row).iter().zip(self.means.row(class)).map(|(value, mean)| value - mean);
                let off: Vec<f64> = off.collect();
                moved.iter_mut().zip(&off).for_each(|(sum, off)| *sum += off);
                lost.extend(off);
            }
            counts[class] = count - n_gone;
            if counts[class] > 0 {
                let rest = counts[class] as f64;
                means.row_mut(class).iter_mut().zip(&moved).for_each(|(mean, moved)| *mean -= moved / rest);
                lost.extend(moved.iter().map(|moved| moved / rest.sqrt()));
            }
        }
        let lost = Matrix::from_vec(lost.len() / d, d, lost);
        let product = if lost.rows() <= d {
            matmul_nt(lost.view(), lost.view())
        } else {
            matmul_tn(lost.view(), lost.view())
        };
        let mut rest = product.map(|value| -value);
        (0..rest.rows()).for_each(|at| rest.row_mut(at)[at] += 1.0);
        let factor = cholesky(rest.view()).expect("the ridge stays when examples go");
        let classes = left(&counts);
        let degrees = degrees(counts.iter().sum(), classes.len());
        let means = classes.into_iter().map(|class| (class, means.row(class).to_vec())).collect();
        Without { means, lost, factor, degrees }
    }
}

impl Without {
    fn score(&self, x: &[f64], mean: &[f64]) -> f64 {
        let mut off: Vec<f64> = x.iter().zip(mean).map(|(value, mean)| value - mean).collect();
        let distance = if self.lost.rows() <= off.len() {
            // (I - U'U)^-1 = I + U' (I - UU')^-1 U.
            let along = self.lost.iter_rows().map(|lost| lost.iter().zip(&off).map(|(u, x)| u * x).sum());
            let mut along: Vec<f64> = along.collect();
            solve_lower(self.factor.view(), &mut along);
            length(&off) + length(&along)
        } else {
            solve_lower(self.factor.view(), &mut off);
            length(&off)
        };
        -0.5 * self.degrees * distance
    }
}

/// The classes of which there is an example.
fn left(counts: &[usize]) -> Vec<usize> {
    (0..counts.len()).filter(|class| counts[*class] > 0).collect()
}

/// Turns inverse scatter into inverse covariance.
fn degrees(n: usize, k: usize) -> f64 {
    n.saturating_sub(k).max(1) as f64
}

#[cfg(test)]
mod tests {
    use linalg::logits::log_softmax;
    use linalg::{Seed, random};

    use super::*;

    /// Three classes in `d` columns, in groups of these sizes in turn; every fourth row has no label.
    fn made(d: usize, sizes: &[usize]) -> (Matrix<f64>, Vec<u32>, Vec<Option<u32>>) {
        let groups: Vec<u32> = (0..).zip(sizes).flat_map(|(group, size)| vec![group; *size]).collect();
        let (n, mut rng) = (groups.len(), Seed(8).rng());
        let class = |row: usize| (row * 7 / 3 % 3) as u32;
        let value = |at: usize| random::normal(&mut rng) + f64::from(class(at / d)) * (at % d % 2) as f64;
        let x = Matrix::from_vec(n, d, (0..n * d).map(value).collect());
        let labels = (0..n).map(|row| (row % 4 != 3).then(|| class(row))).collect();
        (x, groups, labels)
    }

    /// Leaving a group out is fitting without it, with the ridge of all.
    #[track_caller]
    fn check(d: usize, sizes: &[usize]) {
        let (x, groups, labels) = made(d, sizes);
        let fast = scores(&x, &groups, &labels);
        let ridge = {
            let rows: Vec<usize> = (0..x.rows()).filter(|row| labels[*row].is_some()).collect();
            let given: Vec<u32> = labels.iter().flatten().copied().collect();
            tune::gda::Gda::new(x.select_rows(&rows).view(), &given, 3).trace() / (rows.len() - 1) as f64
        };
        for row in 0..x.rows() {
            let rest = (0..x.rows()).filter(|other| groups[*other] != groups[row]);
            let rest: Vec<usize> = rest.filter(|other| labels[*other].is_some()).collect();
            let given: Vec<u32> = rest.iter().filter_map(|other| labels[*other]).collect();
            let linear = tune::gda::Gda::new(x.select_rows(&rest).view(), &given, 3).linear(ridge);
            let slow = matmul_nt(x.select_rows(&[row]).view(), linear.weight.view());
            let slow: Vec<f64> = slow.row(0).iter().zip(&linear.bias).map(|(a, b)| a + b).collect();
            for (fast, slow) in log_softmax(fast.row(row)).iter().zip(log_softmax(&slow)) {
                assert!((fast - slow).abs() < 1e-7, "row {row}: {fast} {slow}");
            }
        }
    }

    #[test]
    fn leaving_out_equals_fitting_without() {
        check(4, &[1; 24]);
        check(4, &[1, 3, 1, 2, 1, 1, 5, 1, 4, 1]);
        // A group with more rows than there are columns, and more columns than rows.
        check(3, &[12, 1, 4, 1, 6, 3]);
        check(40, &[2, 1, 6, 1, 1, 2, 2, 1]);
    }

    #[test]
    fn a_class_that_only_one_group_has_is_not_said_of_it() {
        let (x, _, _) = made(4, &[1; 6]);
        let labels = [Some(0), Some(0), Some(1), Some(1), Some(2), None];
        let scores = scores(&x, &[0, 1, 2, 3, 4, 5], &labels);
        assert_eq!(scores.row(4)[2], f64::NEG_INFINITY);
        assert!(scores.row(5).iter().all(|score| score.is_finite()));
        let two = super::scores(&x, &[0, 1, 2, 2, 4, 5], &[Some(0), Some(0), Some(1), Some(1), None, None]);
        assert_eq!(two.row(2), [f64::NEG_INFINITY; 2], "one class alone is nothing to tell apart");
    }

    #[test]
    fn rows_that_are_all_the_same_are_defined() {
        let labels: Vec<Option<u32>> = (0..6).map(|row| Some(row % 2)).collect();
        let told = scores(&Matrix::from_vec(6, 2, vec![1.0; 12]), &[0, 1, 2, 3, 4, 5], &labels);
        assert!(told.iter_rows().all(|row| row[0].is_finite() && (row[0] - row[1]).abs() < 1e-9));
    }
}
