//! Of labels that are sets: a logistic regression for each of them.

use std::sync::atomic::AtomicBool;

use linalg::Matrix;

use super::{PENALTIES, SMALLEST, centred_and_scaled, check_rows, divided, n_folds, stop_if};
use crate::TuneError;
use crate::logistic::{Design, Loss, Weights, fit};

/// The probability that each row of `x`, `[n, d]`, has each label, `[n, k]`, by heads that have not seen the row.
///
/// `has` is `[n, k]` of 0 and 1, `folds` is `[n]`; rows that belong together are in one fold. One penalty for all labels, that of
/// least log-loss.
///
/// # Errors
/// [`TuneError::Cancelled`] soon after `cancel` became true; rows that differ in number, or a feature that is not finite.
pub fn sets(x: &Matrix, has: &Matrix, folds: &[u8], cancel: &AtomicBool) -> Result<Matrix<f64>, TuneError> {
    check_rows(x, &[("the features", x.rows()), ("the folds", folds.len())], has.rows())?;
    let scaled = centred_and_scaled(x);
    let mut starts: Vec<Option<Weights>> = vec![None; usize::from(n_folds(folds))];
    let mut best: Option<(f64, Matrix<f64>)> = None;
    for penalty in PENALTIES {
        let mut view = Matrix::from_vec(has.rows(), has.cols(), vec![0.5; has.data().len()]);
        for (fold, start) in (0..).zip(&mut starts) {
            stop_if(cancel)?;
            let (held, rest) = divided(folds, fold);
            if held.is_empty() || rest.is_empty() {
                continue;
            }
            let train = Design::new(scaled.select_rows(&rest), None);
            let test = Design::new(scaled.select_rows(&held), None);
            let weights = fit(&train, &has.select_rows(&rest), Loss::Sigmoid, penalty, start.as_ref());
            for (row, scores) in held.iter().zip(test.scores(&weights).iter_rows()) {
                let probs = scores.iter().map(|score| 1.0 / (1.0 + (-f64::from(*score)).exp()));
                view.row_mut(*row).iter_mut().zip(probs).for_each(|(to, p)| *to = p);
            }
            *start = Some(weights);
        }
        let loss = loss(&view, has);
        if best.as_ref().is_none_or(|(least, _)| loss < *least) {
            best = Some((loss, view));
        }
    }
    Ok(best.expect("there is more than one penalty").1)
}

fn loss(view: &Matrix<f64>, has: &Matrix) -> f64 {
    let of = |(p, has): (&f64, &f32)| -(if *has > 0.5 { *p } else { 1.0 - p }).max(SMALLEST).ln();
    view.data().iter().zip(has.data()).map(of).sum()
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    #[test]
    fn each_label_is_judged_by_itself_and_a_wrong_one_is_contradicted() {
        let mut rng = Seed(4).rng();
        let mut has = Matrix::zeros(80, 2);
        let mut x = Matrix::zeros(80, 6);
        for row in 0..80 {
            for label in 0..2 {
                let on = (row >> label) % 2 == 1;
                has.row_mut(row)[label] = f32::from(u8::from(on));
                x.row_mut(row)[label] = if on { 2.0 } else { -2.0 };
            }
            x.row_mut(row).iter_mut().for_each(|value| *value += 0.4 * random::normal(&mut rng) as f32);
        }
        has.row_mut(7)[1] = 1.0 - has.row(7)[1];
        let folds: Vec<u8> = (0..80).map(|row| (row / 4 % 5) as u8).collect();
        let probs = sets(&x, &has, &folds, &AtomicBool::new(false)).unwrap();
        let right = |row: usize, label: usize| (probs.row(row)[label] > 0.5) == (has.row(row)[label] > 0.5);
        assert!(!right(7, 1) && right(7, 0));
        assert!((0..80).filter(|row| *row != 7).all(|row| right(row, 0) && right(row, 1)));
        assert!(matches!(sets(&x, &has, &folds[1..], &AtomicBool::new(false)), Err(TuneError::Rows { .. })));
    }
}
