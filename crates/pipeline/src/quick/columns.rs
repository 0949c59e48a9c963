//! The features as the quick models see them: few, centred, of mean squared length 1.
//!
//! Of more than 256 columns the 256 directions in which the examples differ most are looked at, whatever their labels. As many random sums
//! would do for distances, and cost a model of few labels two to four right answers of a hundred.

use linalg::decompose::row_space;
use linalg::{Matrix, MatrixView, Seed, matmul_nt, matmul_tn, random};

/// Columns that are looked at.
const COLUMNS: usize = 256;
/// Examples that say which: more change hardly anything.
const ROWS: usize = 2048;
/// How often the directions are turned towards those of the largest variance. Each turn squares how far these stand out.
const TURNS: usize = 2;

/// The columns, `[n, d]`.
pub(super) fn columns(x: &Matrix, seed: Seed) -> Matrix<f64> {
    let few = (x.cols() > COLUMNS).then(|| matmul_nt(x.view(), directions(x, seed).view()));
    let x = few.as_ref().unwrap_or(x).map(f64::from);
    let mut x = less(x.view(), &means(x.view()));
    let square = x.data().iter().map(|value| value * value).sum::<f64>() / x.rows().max(1) as f64;
    // Examples that are all the same tell nothing apart, at any scale.
    let scale = if square > 0.0 { 1.0 / square.sqrt() } else { 1.0 };
    x.data_mut().iter_mut().for_each(|value| *value *= scale);
    x
}

/// Orthonormal directions, `[256 or fewer, d]`, that span nearly what the principal axes do: subspace iteration (Halko, Martinsson and
/// Tropp 2011, algorithm 4.4) that starts from some of the examples, so that it is exact where there are no more.
fn directions(x: &Matrix, seed: Seed) -> Matrix {
    let mut rng = seed.derive("directions").rng();
    let rows = random::sample_without_replacement(x.rows(), x.rows().min(ROWS), &mut rng);
    let rows = x.select_rows(&rows).map(f64::from);
    let rows = less(rows.view(), &means(rows.view()));
    let first: Vec<usize> = (0..rows.rows().min(COLUMNS)).collect();
    let mut basis = row_space(rows.select_rows(&first).view()).basis;
    for _ in 0..TURNS {
        if basis.rows() == 0 {
            // The first examples are all the same: one direction, which tells nothing.
            return Matrix::zeros(1, x.cols());
        }
        let along = matmul_nt(rows.view(), basis.view());
        basis = row_space(matmul_tn(along.view(), rows.view()).view()).basis;
    }
    basis.map(|value| value as f32)
}

/// The mean of each column.
pub(super) fn means(x: MatrixView<'_, f64>) -> Vec<f64> {
    let mut means = vec![0.0; x.cols()];
    for row in x.iter_rows() {
        means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / x.rows() as f64);
    }
    means
}

/// Every row less one.
pub(super) fn less(x: MatrixView<'_, f64>, one: &[f64]) -> Matrix<f64> {
    let mut rest = x.to_owned();
    for row in 0..rest.rows() {
        rest.row_mut(row).iter_mut().zip(one).for_each(|(value, one)| *value -= one);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `n` rows of 400 columns, of which ten vary much, in directions of their own.
    fn rows(n: usize) -> Matrix {
        let mut rng = Seed(4).rng();
        let normal = |_| random::normal(&mut rng) as f32;
        let axes = Matrix::from_vec(10, 400, (0..4000).map(normal).collect::<Vec<f32>>());
        let inside = Matrix::from_vec(n, 10, (0..10 * n).map(|_| random::normal(&mut rng) as f32).collect());
        let mut x = linalg::matmul(inside.view(), axes.view());
        x.data_mut().iter_mut().for_each(|value| *value += 0.1 * random::normal(&mut rng) as f32 + 3.0);
        x
    }

    fn square(x: &Matrix<f64>) -> f64 {
        x.data().iter().map(|value| value * value).sum()
    }

    #[test]
    fn what_varies_most_is_kept() {
        for n in [40, 300, 3000] {
            let x = rows(n);
            let wide = x.map(f64::from);
            let wide = less(wide.view(), &means(wide.view()));
            let along = matmul_nt(wide.view(), directions(&x, Seed(1)).map(f64::from).view());
            let kept = square(&along) / square(&wide);
            assert!(kept > 0.998, "{n}: {kept} of the variance is kept");
            let columns = columns(&x, Seed(1));
            assert!(columns.cols() <= COLUMNS && (square(&columns) / n as f64 - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn rows_that_are_all_the_same_have_no_direction() {
        let same = columns(&Matrix::from_vec(5, 300, vec![2.0; 1500]), Seed(1));
        assert!(same.rows() == 5 && same.data().iter().all(|value| *value == 0.0));
    }
}
