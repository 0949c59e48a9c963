//! Bootstrap bias-corrected cross-validation: what the best of many recipes is really worth.
//!
//! Source: Tsamardinos, Greasidou and Borboudakis, Machine Learning 107 (2018). The rows of the out-of-fold record are drawn
//! again and again; the recipe is chosen on the drawn rows and judged on those that were not drawn, so the choice itself is
//! paid for. Nothing is trained again.

use std::num::NonZeroUsize;

use linalg::{MatrixView, Seed, random};
use rayon::prelude::*;

use crate::estimate::{clopper_pearson, quantile};
use crate::{Estimate, EvaluateError};

/// Draws.
const DRAWS: usize = 1000;

/// Estimates the score of choosing the recipe with the least mean loss.
///
/// `losses` and `scores` are `[n, recipes]`, out of fold; `groups` is `[n]`: rows of one group are drawn together. Returns the
/// mean over draws with the 2.5 and 97.5 percentiles.
pub fn bbc_cv(
    losses: MatrixView<'_, f64>,
    scores: MatrixView<'_, f64>,
    groups: &[u32],
    seed: Seed,
) -> Result<Estimate, EvaluateError> {
    let n = losses.rows();
    check_shapes(losses, scores, groups)?;
    let members = members_of(groups);
    let draw = |index: usize| {
        let mut rng = seed.derive("bbc").nth(index).rng();
        let mut weight = vec![0_u32; members.len()];
        (0..members.len()).for_each(|_| weight[random::below(&mut rng, members.len())] += 1);
        judge(losses, scores, &members, &weight)
    };
    let mut values: Vec<f64> = (0..DRAWS).into_par_iter().filter_map(draw).collect();
    if values.is_empty() {
        // A single group cannot be both drawn and left out.
        return Ok(Estimate { value: f64::NAN, low: f64::NAN, high: f64::NAN, n });
    }
    let value = values.iter().sum::<f64>() / values.len() as f64;
    values.sort_by(f64::total_cmp);
    Ok(Estimate { value, low: quantile(&values, 0.025), high: quantile(&values, 0.975), n })
}

/// [`bbc_cv`] for shares of right answers, with an interval that never claims more than the rows can show.
///
/// A record without mistakes has no spread to draw from; the exact interval of Clopper and Pearson for as many examples as there
/// are groups says what it still leaves open. The wider end of the two is taken on each side.
pub fn bbc_accuracy(
    losses: MatrixView<'_, f64>,
    scores: MatrixView<'_, f64>,
    groups: &[u32],
    seed: Seed,
) -> Result<Estimate, EvaluateError> {
    let Estimate { value, low, high, n } = bbc_cv(losses, scores, groups, seed)?;
    if value.is_nan() {
        return Ok(Estimate { value, low: 0.0, high: 1.0, n });
    }
    let n_groups = members_of(groups).len();
    let right = (value * n_groups as f64).round() as usize;
    let exact = clopper_pearson(right, n_groups, 0.95);
    Ok(Estimate { value, low: low.min(exact.low), high: high.max(exact.high), n })
}

/// Widens the interval of [`bbc_cv`] so that it holds the score on an independent test set of `n_test` examples.
///
/// A draw is judged on the share `1/e` of the rows it left out, so its spread is `sqrt(e - 1)` times that of a mean over all n:
/// enough for test sets from `n / (e - 2)` upward, whose interval is returned as it is. Ends are not clamped to a metric's range.
pub fn for_test_of(estimate: Estimate, n_test: NonZeroUsize) -> Estimate {
    let (held, needed) = (std::f64::consts::E - 1.0, 1.0 + estimate.n as f64 / n_test.get() as f64);
    let factor = (needed / held).sqrt().max(1.0);
    let Estimate { value, low, high, n } = estimate;
    Estimate { value, low: value - factor * (value - low), high: value + factor * (high - value), n }
}

fn check_shapes(
    losses: MatrixView<'_, f64>,
    scores: MatrixView<'_, f64>,
    groups: &[u32],
) -> Result<(), EvaluateError> {
    let same = |what, got, expected| {
        if got == expected { Ok(()) } else { Err(EvaluateError::Shape { what, got, expected }) }
    };
    same("rows of the scores", scores.rows(), losses.rows())?;
    same("recipes of the scores", scores.cols(), losses.cols())?;
    same("groups", groups.len(), losses.rows())?;
    match losses
        .iter_rows()
        .zip(scores.iter_rows())
        .position(|(a, b)| a.iter().chain(b).any(|value| !value.is_finite()))
    {
        Some(row) => Err(EvaluateError::NotFinite { what: "the out-of-fold record", row }),
        None => Ok(()),
    }
}

/// The rows of each group, ascending; groups in the order of their numbers.
pub(crate) fn members_of(groups: &[u32]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|row| (groups[*row], *row));
    order.chunk_by(|a, b| groups[*a] == groups[*b]).map(<[_]>::to_vec).collect()
}

/// Chooses on the drawn groups, scores on the others; `None` when there are no others.
fn judge(
    losses: MatrixView<'_, f64>,
    scores: MatrixView<'_, f64>,
    members: &[Vec<usize>],
    weight: &[u32],
) -> Option<f64> {
    let mut sums = vec![0.0; losses.cols()];
    let (mut left_out, mut n_left_out) = (vec![0.0; losses.cols()], 0_usize);
    for (rows, weight) in members.iter().zip(weight) {
        for row in rows {
            if *weight == 0 {
                left_out.iter_mut().zip(scores.row(*row)).for_each(|(sum, score)| *sum += score);
                n_left_out += 1;
            } else {
                sums.iter_mut()
                    .zip(losses.row(*row))
                    .for_each(|(sum, loss)| *sum += f64::from(*weight) * loss);
            }
        }
    }
    let best = (0..sums.len()).min_by(|a, b| sums[*a].total_cmp(&sums[*b]))?;
    (n_left_out > 0).then(|| left_out[best] / n_left_out as f64)
}

#[cfg(test)]
mod tests {
    use linalg::Matrix;

    use super::*;

    /// `recipes` equally good recipes whose rows are right with probability `p`.
    fn record(n: usize, recipes: usize, p: f64, seed: u64) -> Matrix<f64> {
        let mut rng = Seed(seed).rng();
        Matrix::from_vec(
            n,
            recipes,
            (0..n * recipes).map(|_| f64::from(random::uniform(&mut rng) < p)).collect(),
        )
    }

    #[test]
    fn a_record_without_mistakes_still_leaves_something_open() {
        let (losses, scores) = (Matrix::zeros(48, 2), Matrix::from_vec(48, 2, vec![1.0; 96]));
        let groups: Vec<u32> = (0..48).collect();
        let estimate = bbc_accuracy(losses.view(), scores.view(), &groups, Seed(0)).unwrap();
        assert!(estimate.value == 1.0 && estimate.high == 1.0, "{estimate:?}");
        assert!((estimate.low - 0.9260).abs() < 1e-3, "{estimate:?}");
        // Twelve groups of four copies show as much as twelve examples.
        let copies: Vec<u32> = (0..48).map(|row| row / 4).collect();
        let estimate = bbc_accuracy(losses.view(), scores.view(), &copies, Seed(0)).unwrap();
        assert!((estimate.low - 0.7354).abs() < 1e-3, "{estimate:?}");
    }

    #[test]
    fn the_naive_maximum_flatters_and_this_does_not() {
        let (mut naive_excess, mut excess, mut covered) = (0.0, 0.0, 0);
        let runs = 60;
        for run in 0..runs {
            let scores = record(60, 40, 0.8, run);
            let losses = scores.map(|score| 1.0 - score);
            let groups: Vec<u32> = (0..60).collect();
            let estimate = bbc_cv(losses.view(), scores.view(), &groups, Seed(1)).unwrap();
            let best = (0..40)
                .map(|recipe| (0..60).map(|row| scores.row(row)[recipe]).sum::<f64>() / 60.0)
                .fold(0.0, f64::max);
            naive_excess += (best - 0.8) / runs as f64;
            excess += (estimate.value - 0.8) / runs as f64;
            covered += usize::from(estimate.low <= 0.8 && 0.8 <= estimate.high);
        }
        assert!(naive_excess > 0.08, "{naive_excess}");
        assert!(excess.abs() < 0.02, "{excess}");
        assert!(covered as f64 >= 0.9 * runs as f64, "{covered} of {runs}");
    }

    #[test]
    fn the_widened_interval_holds_the_score_on_a_small_test_set() {
        let (n, n_test, runs) = (80, 30, 150);
        let (mut covered, mut covered_plain) = (0, 0);
        for run in 0..runs {
            let scores = record(n, 5, 0.8, run);
            let losses = scores.map(|score| 1.0 - score);
            let groups: Vec<u32> = (0..n as u32).collect();
            let plain = bbc_cv(losses.view(), scores.view(), &groups, Seed(1)).unwrap();
            let wide = for_test_of(plain, NonZeroUsize::new(n_test).unwrap());
            let test = record(n_test, 1, 0.8, 10_000 + run).data().iter().sum::<f64>() / n_test as f64;
            let holds = |estimate: Estimate| usize::from(estimate.low <= test && test <= estimate.high);
            covered += holds(wide);
            covered_plain += holds(plain);
        }
        assert!(covered as f64 >= 0.9 * runs as f64, "{covered} of {runs}");
        assert!(covered_plain < covered, "{covered_plain} and {covered} of {runs}");
        let plain = Estimate { value: 0.8, low: 0.7, high: 0.9, n };
        assert_eq!(for_test_of(plain, NonZeroUsize::new(10 * n).unwrap()), plain);
    }

    #[test]
    fn groups_are_drawn_whole() {
        // Ten copies of the same six rows carry the information of six rows, and the interval says so.
        let scores = record(6, 1, 0.5, 3);
        let copies: Vec<usize> = (0..60).map(|row| row % 6).collect();
        let scores = scores.select_rows(&copies);
        let losses = scores.map(|score| 1.0 - score);
        let together: Vec<u32> = copies.iter().map(|row| *row as u32).collect();
        let apart: Vec<u32> = (0..60).collect();
        let width = |groups: &[u32]| {
            let estimate = bbc_cv(losses.view(), scores.view(), groups, Seed(1)).unwrap();
            estimate.high - estimate.low
        };
        assert!(width(&together) > 1.8 * width(&apart));
    }

    #[test]
    fn degenerate_records_are_defined() {
        let one = Matrix::from_vec(1, 2, vec![0.0, 1.0]);
        assert!(bbc_cv(one.view(), one.view(), &[0], Seed(0)).unwrap().value.is_nan());
        let bad = Matrix::from_vec(1, 1, vec![f64::NAN]);
        assert!(matches!(
            bbc_cv(bad.view(), bad.view(), &[0], Seed(0)),
            Err(EvaluateError::NotFinite { row: 0, .. })
        ));
    }
}
