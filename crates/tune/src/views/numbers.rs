//! Of labels that are numbers: ridge regression.

use linalg::Matrix;
use linalg::decompose::row_space;

use super::{centred_and_scaled, check_rows, divided, grouped, n_folds};
use crate::TuneError;
use crate::ridge::Ridge;

/// Penalties, on features of mean squared length 1, in units of the number of rows.
const SHARES: [f64; 5] = [0.003, 0.01, 0.03, 0.1, 0.3];

/// Median absolute deviations from the median residual from which a number does not teach in the second round.
const FAR: f64 = 6.0;

/// What each row of `x`, `[n, d]`, is predicted to be by a model that has not seen it.
///
/// `y`, `groups` and `folds` are `[n]`; `y` is finite. Leaving out single rows where none share a group, folds otherwise. The
/// penalty of least mean absolute error. In a second round what was far from its prediction teaches nobody: with squares, one
/// wrong number would make its neighbours look wrong.
///
/// # Errors
/// Rows that differ in number, or a feature that is not finite.
pub fn numbers(x: &Matrix, y: &[f64], groups: &[u32], folds: &[u8]) -> Result<Vec<f64>, TuneError> {
    let lists = [("the features", x.rows()), ("the groups", groups.len()), ("the folds", folds.len())];
    check_rows(x, &lists, y.len())?;
    let z = row_space(centred_and_scaled(x).map(f64::from).view()).coordinates;
    let folds = grouped(groups).then_some(folds);
    let first = predicted(&z, y, folds, &vec![true; y.len()]);
    let residuals: Vec<f64> = first.iter().zip(y).map(|(p, y)| p - y).collect();
    let centre = median(residuals.clone());
    let away: Vec<f64> = residuals.iter().map(|residual| (residual - centre).abs()).collect();
    let limit = FAR * median(away.clone());
    let teaches: Vec<bool> = away.iter().map(|away| *away <= limit).collect();
    if teaches.iter().all(|teaches| *teaches) {
        return Ok(first);
    }
    Ok(predicted(&z, y, folds, &teaches))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// By the best penalty.
fn predicted(z: &Matrix<f64>, y: &[f64], folds: Option<&[u8]>, teaches: &[bool]) -> Vec<f64> {
    let predicted = match folds {
        Some(folds) => by_folds(z, y, folds, teaches),
        None => leaving_one_out(z, y, teaches),
    };
    let error = |predicted: &[f64]| {
        let of = |(row, p): (usize, &f64)| if teaches[row] { (p - y[row]).abs() } else { 0.0 };
        predicted.iter().enumerate().map(of).sum::<f64>()
    };
    let best = predicted.into_iter().min_by(|a, b| error(a).total_cmp(&error(b)));
    best.expect("there is more than one penalty")
}

/// For each penalty.
fn leaving_one_out(z: &Matrix<f64>, y: &[f64], teaches: &[bool]) -> Vec<Vec<f64>> {
    let (taught, others): (Vec<usize>, Vec<usize>) = (0..y.len()).partition(|row| teaches[*row]);
    let of: Vec<f64> = taught.iter().map(|row| y[*row]).collect();
    let ridge = Ridge::new(z.select_rows(&taught).view(), &of);
    let with = |share: &f64| {
        let penalty = share * taught.len() as f64;
        let mut predicted = vec![0.0; y.len()];
        taught.iter().zip(ridge.leave_one_out(penalty)).for_each(|(row, p)| predicted[*row] = p);
        ask(&ridge, penalty, z, &others, &mut predicted);
        predicted
    };
    SHARES.iter().map(with).collect()
}

/// For each penalty; rows that no fold holds out apart from others get the mean.
fn by_folds(z: &Matrix<f64>, y: &[f64], folds: &[u8], teaches: &[bool]) -> Vec<Vec<f64>> {
    let mean = y.iter().sum::<f64>() / y.len().max(1) as f64;
    let mut predicted = vec![vec![mean; y.len()]; SHARES.len()];
    for fold in 0..n_folds(folds) {
        let (held, rest) = divided(folds, fold);
        let rest: Vec<usize> = rest.into_iter().filter(|row| teaches[*row]).collect();
        if held.is_empty() || rest.is_empty() {
            continue;
        }
        let taught: Vec<f64> = rest.iter().map(|row| y[*row]).collect();
        let ridge = Ridge::new(z.select_rows(&rest).view(), &taught);
        for (predicted, share) in predicted.iter_mut().zip(SHARES) {
            ask(&ridge, share * rest.len() as f64, z, &held, predicted);
        }
    }
    predicted
}

/// Fills in the rows named.
fn ask(ridge: &Ridge, penalty: f64, z: &Matrix<f64>, rows: &[usize], predicted: &mut [f64]) {
    let (weight, offset) = ridge.linear(penalty);
    for row in rows {
        predicted[*row] = offset + z.row(*row).iter().zip(&weight).map(|(z, w)| z * w).sum::<f64>();
    }
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    #[test]
    fn a_wrong_number_is_predicted_from_the_others_whether_or_not_rows_are_grouped() {
        let mut rng = Seed(4).rng();
        let x = Matrix::from_vec(60, 5, (0..300).map(|_| random::normal(&mut rng) as f32).collect());
        let truth: Vec<f64> = x.iter_rows().map(|row| f64::from(3.0 * row[0] - row[1])).collect();
        let mut y = truth.clone();
        y[9] += 8.0;
        let folds: Vec<u8> = (0..60).map(|row| (row / 2 % 5) as u8).collect();
        for groups in [(0..60).collect::<Vec<u32>>(), (0..60).map(|row| row / 2).collect()] {
            let predicted = numbers(&x, &y, &groups, &folds).unwrap();
            for row in 0..60 {
                assert!(
                    (predicted[row] - truth[row]).abs() < 1.5,
                    "{row}: {} {}",
                    predicted[row],
                    truth[row]
                );
            }
        }
    }

    #[test]
    fn equal_rows_and_numbers_are_defined() {
        let same = Matrix::from_vec(4, 2, vec![1.0; 8]);
        assert_eq!(numbers(&same, &[2.0; 4], &[0, 1, 2, 3], &[0, 1, 0, 1]).unwrap(), [2.0; 4]);
        let broken = Matrix::from_vec(1, 1, vec![f32::NAN]);
        assert!(matches!(numbers(&broken, &[1.0], &[0], &[0]), Err(TuneError::NotFinite { .. })));
    }
}
