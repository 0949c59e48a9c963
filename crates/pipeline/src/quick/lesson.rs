//! Ridge regression of several targets at once, with its exact answer about every group that did not teach it.
//!
//! With `H` the matrix that makes what is fitted of the targets, a group `g` would be told `y_g - (I - H_gg)^-1 (y_g - (H y)_g)` by
//! the model without it: [`tune::ridge`] does this for single rows (methods 3.1b). One decomposition serves all targets,
//! penalties and groups. The intercept is free.

use std::collections::BTreeMap;

use linalg::decompose::{cholesky, row_space, solve_lower, solve_lower_transposed};
use linalg::{Matrix, MatrixView, matmul, matmul_nt, matmul_tn};

use super::columns::{less, means};

/// What rows with an answer teach, in the eigenbasis of their features.
#[derive(Debug)]
pub(super) struct Lesson {
    /// `[r, d]`
    basis: Matrix<f64>,
    /// `[r]`: eigenvalues of the centred features' products.
    values: Vec<f64>,
    /// Centred rows in that basis, `[n, r]`.
    rows: Matrix<f64>,
    /// Their inner products with the centred targets, `[t, r]`.
    products: Matrix<f64>,
    /// `[n, t]`
    targets: Matrix<f64>,
    mean_x: Vec<f64>,
    mean_y: Vec<f64>,
    /// The places of each group.
    groups: Vec<Vec<usize>>,
}

impl Lesson {
    /// Decomposes. `x` is `[n, d]`, `targets` is `[n, t]`, `groups` is `[n]` and names at least two.
    pub(super) fn new(x: MatrixView<'_, f64>, targets: Matrix<f64>, groups: &[u32]) -> Self {
        let (mean_x, mean_y) = (means(x), means(targets.view()));
        let space = row_space(less(x, &mean_x).view());
        let mut values = vec![0.0; space.coordinates.cols()];
        for row in space.coordinates.iter_rows() {
            values.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
        }
        let products = matmul_tn(less(targets.view(), &mean_y).view(), space.coordinates.view());
        let mut places: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        groups.iter().enumerate().for_each(|(place, group)| places.entry(*group).or_default().push(place));
        let groups = places.into_values().collect();
        Self {
            basis: space.basis,
            values,
            rows: space.coordinates,
            products,
            targets,
            mean_x,
            mean_y,
            groups,
        }
    }

    /// What each row is told by the model that its group did not teach, `[n, t]`.
    pub(super) fn left_out(&self, penalty: f64) -> Matrix<f64> {
        let scaled = self.scaled(&self.products, penalty);
        let mut told = matmul_nt(self.rows.view(), scaled.view());
        for group in &self.groups {
            let mut errors = self.targets.select_rows(group);
            for (error, place) in group.iter().enumerate() {
                let fitted = told.row(*place).iter().zip(&self.mean_y).map(|(fitted, mean)| fitted + mean);
                errors.row_mut(error).iter_mut().zip(fitted).for_each(|(error, fitted)| *error -= fitted);
            }
            let errors = without(&self.half(group, penalty), errors);
            for (error, place) in group.iter().enumerate() {
                let truth =
                    self.targets.row(*place).iter().zip(errors.row(error)).map(|(y, error)| y - error);
                told.row_mut(*place).iter_mut().zip(truth).for_each(|(told, truth)| *told = truth);
            }
        }
        told
    }

    /// What other rows, `[m, d]`, are told by the model that all rows taught, `[m, t]`.
    pub(super) fn ask(&self, x: MatrixView<'_, f64>, penalty: f64) -> Matrix<f64> {
        let weight = matmul(self.scaled(&self.products, penalty).view(), self.basis.view());
        let mut told = matmul_nt(less(x, &self.mean_x).view(), weight.view());
        for row in 0..told.rows() {
            told.row_mut(row).iter_mut().zip(&self.mean_y).for_each(|(told, mean)| *told += mean);
        }
        told
    }

    /// How little is known of other rows, `[m, d]`: the variance of what they are told, in units of the noise.
    pub(super) fn variance(&self, x: MatrixView<'_, f64>, penalty: f64) -> Vec<f64> {
        let centred = less(x, &self.mean_x);
        let inside = matmul_nt(centred.view(), self.basis.view());
        let of = |(row, inside): (&[f64], &[f64])| {
            // What lies beside everything that was taught is as unknown as before.
            let beside = (length(row) - length(inside)).max(0.0) / penalty;
            beside + self.leverage(inside, penalty)
        };
        centred.iter_rows().zip(inside.iter_rows()).map(of).collect()
    }

    /// As [`Lesson::variance`], of each row that taught, by the model without it.
    pub(super) fn variance_left_out(&self, penalty: f64) -> Vec<f64> {
        let of = |row: &[f64]| {
            let leverage = self.leverage(row, penalty);
            leverage / (1.0 - leverage).max(f64::EPSILON)
        };
        self.rows.iter_rows().map(of).collect()
    }

    fn leverage(&self, row: &[f64], penalty: f64) -> f64 {
        let shares =
            row.iter().zip(&self.values).map(|(value, eigenvalue)| value * value / (eigenvalue + penalty));
        shares.sum::<f64>() + 1.0 / self.rows.rows() as f64
    }

    /// A matrix, `[m, r]`, with each column over its eigenvalue and the penalty.
    fn scaled(&self, of: &Matrix<f64>, penalty: f64) -> Matrix<f64> {
        let mut scaled = of.clone();
        for row in 0..scaled.rows() {
            let values = scaled.row_mut(row).iter_mut().zip(&self.values);
            values.for_each(|(value, eigenvalue)| *value /= eigenvalue + penalty);
        }
        scaled
    }

    /// `L` with `H_gg = L L^T`, `[m, r + 1]`; the intercept is the last column.
    fn half(&self, group: &[usize], penalty: f64) -> Matrix<f64> {
        let intercept = (1.0 / self.rows.rows() as f64).sqrt();
        let of = |place: &usize| {
            let scaled = self.rows.row(*place).iter().zip(&self.values);
            scaled.map(|(value, eigenvalue)| value / (eigenvalue + penalty).sqrt()).chain([intercept])
        };
        Matrix::from_vec(group.len(), self.values.len() + 1, group.iter().flat_map(of).collect())
    }
}

/// `(I - L L^T)^-1` times the errors, `[m, t]`, through the smaller of the two products of `L`, `[m, r]`.
fn without(half: &Matrix<f64>, mut errors: Matrix<f64>) -> Matrix<f64> {
    if half.rows() == 1 {
        let rest = 1.0 - length(half.row(0));
        errors.data_mut().iter_mut().for_each(|error| *error /= rest);
        return errors;
    }
    if half.rows() <= half.cols() {
        return solve(&matmul_nt(half.view(), half.view()), &errors);
    }
    // Woodbury: (I - L L^T)^-1 = I + L (I - L^T L)^-1 L^T.
    let inner = solve(&matmul_tn(half.view(), half.view()), &matmul_tn(half.view(), errors.view()));
    let more = matmul(half.view(), inner.view());
    errors.data_mut().iter_mut().zip(more.data()).for_each(|(error, more)| *error += more);
    errors
}

/// `(I - a)^-1 b`.
fn solve(a: &Matrix<f64>, b: &Matrix<f64>) -> Matrix<f64> {
    let mut rest = a.map(|value| -value);
    (0..rest.rows()).for_each(|at| rest.row_mut(at)[at] += 1.0);
    let factor = cholesky(rest.view()).expect("where others teach, no group decides everything");
    let mut columns = b.transpose();
    for column in 0..columns.rows() {
        solve_lower(factor.view(), columns.row_mut(column));
        solve_lower_transposed(factor.view(), columns.row_mut(column));
    }
    columns.transpose()
}

/// The squared length.
pub(super) fn length(row: &[f64]) -> f64 {
    row.iter().map(|value| value * value).sum()
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    /// Two targets of `n` rows with `d` columns, in groups of these sizes, in turn.
    fn taught(d: usize, sizes: &[usize]) -> (Matrix<f64>, Matrix<f64>, Vec<u32>) {
        let groups: Vec<u32> = (0..).zip(sizes).flat_map(|(group, size)| vec![group; *size]).collect();
        let (n, mut rng) = (groups.len(), Seed(8).rng());
        let x = Matrix::from_vec(n, d, (0..n * d).map(|_| random::normal(&mut rng)).collect());
        let y = x.iter_rows().flat_map(|row| [row[0] - 3.0, row[1] * row[0]]).collect();
        (x, Matrix::from_vec(n, 2, y), groups)
    }

    /// Leaving out equals fitting without the group.
    #[track_caller]
    fn check(d: usize, sizes: &[usize]) {
        let (x, y, groups) = taught(d, sizes);
        let fast = Lesson::new(x.view(), y.clone(), &groups).left_out(0.7);
        for group in (0..).take(sizes.len()) {
            let (held, rest): (Vec<usize>, Vec<usize>) =
                (0..groups.len()).partition(|row| groups[*row] == group);
            let numbers: Vec<u32> = (0..).take(rest.len()).collect();
            let slow = Lesson::new(x.select_rows(&rest).view(), y.select_rows(&rest), &numbers);
            let slow = slow.ask(x.select_rows(&held).view(), 0.7);
            for (place, row) in held.iter().enumerate() {
                let mut pairs = fast.row(*row).iter().zip(slow.row(place));
                assert!(pairs.all(|(fast, slow)| (fast - slow).abs() < 1e-9), "group {group}, row {row}");
            }
        }
    }

    #[test]
    fn leaving_out_equals_fitting_without() {
        check(4, &[1; 15]);
        check(4, &[1, 3, 1, 2, 1, 1, 5, 1]);
        // A group with more rows than there are columns, and more columns than rows.
        check(3, &[12, 1, 4, 1]);
        check(40, &[2, 1, 6, 1, 1]);
    }

    #[test]
    fn single_rows_agree_with_the_ridge_that_tuning_uses() {
        let (x, y, groups) = taught(5, &[1; 20]);
        let ours = Lesson::new(x.view(), y.clone(), &groups).left_out(2.0);
        for target in 0..2 {
            let one: Vec<f64> = y.iter_rows().map(|row| row[target]).collect();
            let theirs = tune::ridge::Ridge::new(x.view(), &one).leave_one_out(2.0);
            let mut pairs = ours.iter_rows().zip(theirs);
            assert!(pairs.all(|(ours, theirs)| (ours[target] - theirs).abs() < 1e-9));
        }
    }

    #[test]
    fn the_variance_is_that_of_the_answers() {
        let (x, _, _) = taught(3, &[1; 12]);
        let far = Matrix::from_rows(&[[4.0, -1.0, 2.0], [0.1, 0.0, 0.1]]);
        // Targets drawn anew from the prior and the noise: what is told misses the truth by the variance.
        let (mut rng, mut sums) = (Seed(2).rng(), [0.0; 2]);
        let numbers: Vec<u32> = (0..12).collect();
        let draws = 4000;
        for _ in 0..draws {
            let weight: Vec<f64> = (0..3).map(|_| random::normal(&mut rng) / 2.0_f64.sqrt()).collect();
            let of = |row: &[f64]| row.iter().zip(&weight).map(|(x, w)| x * w).sum::<f64>();
            let y: Vec<f64> = x.iter_rows().map(|row| of(row) + random::normal(&mut rng)).collect();
            let told = Lesson::new(x.view(), Matrix::from_vec(12, 1, y), &numbers).ask(far.view(), 2.0);
            (0..2).for_each(|row| {
                sums[row] += (told.row(row)[0] - of(far.row(row))).powi(2) / f64::from(draws)
            });
        }
        let lesson = Lesson::new(x.view(), Matrix::zeros(12, 1), &numbers);
        let variance = lesson.variance(far.view(), 2.0);
        for row in 0..2 {
            assert!((sums[row] / variance[row] - 1.0).abs() < 0.12, "{sums:?} {variance:?}");
        }
        assert!(variance[0] > 2.0 * variance[1]);
    }

    #[test]
    fn rows_that_are_all_the_same_are_defined() {
        let same = Matrix::from_vec(4, 2, vec![1.0; 8]);
        let y = Matrix::from_vec(4, 1, vec![1.0, 2.0, 3.0, 6.0]);
        let lesson = Lesson::new(same.view(), y, &[0, 1, 2, 2]);
        let told = lesson.left_out(1.0);
        let expected = [11.0 / 3.0, 10.0 / 3.0, 1.5, 1.5];
        assert!(told.data().iter().zip(expected).all(|(told, mean)| (told - mean).abs() < 1e-12), "{told:?}");
        assert_eq!(lesson.ask(same.view(), 1.0).row(0), [3.0]);
    }
}
