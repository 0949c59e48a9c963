//! Several independent looks at the same labels, and how they become one (methods 3.3).
//!
//! A linear head and the neighbours are wrong about different examples. Each view is first brought to the certainty that
//! fits the given labels best, then they are averaged: what is left is doubted by most of them.

use linalg::logits::{fit_scale, softmax};
use linalg::{Matrix, MatrixView, Neighbours};

use super::Judged;
use super::votes::Votes;
use crate::{CurateError, nearest};

/// Neighbours that vote.
pub(crate) const NEIGHBOURS: usize = 10;
/// Votes, spread over all classes, that stand for what the neighbours do not know.
pub(super) const PRIOR_VOTES: f64 = 0.5;
/// Below this many examples the certainty of a view is held near what it says itself.
const FEW: usize = 100;
/// The least probability that a logarithm is taken of.
const SMALLEST: f64 = 1e-12;

/// What the neighbours say: `[n, k]` shares of the votes of the ten nearest examples of other groups, nearer ones counting
/// more (`exp(-distance / median)`), with half a vote spread over all classes.
///
/// `labels` is `[n]`, each below `n_classes`; `x` is `[n, d]`; examples of one group, such as near-duplicates, do not vouch
/// for each other; `groups` is `[n]`.
///
/// # Errors
/// When rows differ in number, a label is not below `n_classes`, or a feature is not finite.
pub fn neighbour_votes(
    labels: &[u32],
    n_classes: usize,
    x: MatrixView<'_>,
    groups: &[u32],
) -> Result<(Matrix<f64>, Neighbours), CurateError> {
    if x.rows() != labels.len() {
        let (got, expected) = (x.rows(), labels.len());
        return Err(CurateError::Shape { what: "rows of the features", got, expected });
    }
    let near = nearest(x)?;
    Ok((votes_of_neighbours(labels, n_classes, &near, groups)?, near))
}

/// As [`neighbour_votes`], where the neighbours are known.
///
/// # Errors
/// When rows differ in number, or a label is not below `n_classes`.
pub fn votes_of_neighbours(
    labels: &[u32],
    n_classes: usize,
    near: &Neighbours,
    groups: &[u32],
) -> Result<Matrix<f64>, CurateError> {
    Ok(Votes::of_neighbours(labels, n_classes, near, groups)?.table())
}

/// `[n, k]`: the mean of the views, each brought to the certainty that fits the labels best. One view is taken as it is.
///
/// Each view is `[n, k]`, out of fold or leave-one-out, as [`Judged::new`] asks.
///
/// # Errors
/// As [`Judged::new`], for the first view that does not fit; or when there is none.
pub fn fused(labels: &[u32], views: &[MatrixView<'_, f64>]) -> Result<Matrix<f64>, CurateError> {
    let [first, rest @ ..] = views else { return Err(CurateError::Empty { what: "views" }) };
    let judged: Vec<Judged<'_>> =
        views.iter().map(|view| Judged::new(labels, *view)).collect::<Result<_, _>>()?;
    if let Some(other) = rest.iter().find(|view| view.cols() != first.cols()) {
        return Err(CurateError::Shape {
            what: "columns of a view",
            got: other.cols(),
            expected: first.cols(),
        });
    }
    if rest.is_empty() {
        return Ok((*first).to_owned());
    }
    let mut mean = Matrix::zeros(first.rows(), first.cols());
    for view in judged {
        let scaled = at_best_certainty(view);
        mean.data_mut().iter_mut().zip(scaled.data()).for_each(|(sum, p)| *sum += p / views.len() as f64);
    }
    Ok(mean)
}

/// Probabilities whose logarithms were multiplied by the factor with the least log-loss on the given labels.
fn at_best_certainty(judged: Judged<'_>) -> Matrix<f64> {
    let mut z = judged.probs().to_owned();
    z.data_mut().iter_mut().for_each(|p| *p = p.max(SMALLEST).ln());
    let scale = fit_scale(z.view(), judged.labels(), judged.n() < FEW);
    for row in 0..z.rows() {
        let scaled: Vec<f64> = z.row(row).iter().map(|value| scale * value).collect();
        z.row_mut(row).copy_from_slice(&softmax(&scaled));
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_does_not_vouch_for_itself() {
        let x = Matrix::from_rows(&[[0.0_f32], [0.0], [0.1], [0.2], [5.0]]);
        let labels = [1, 1, 0, 0, 0];
        let alone = neighbour_votes(&labels, 2, x.view(), &[0, 1, 2, 3, 4]).unwrap().0;
        let grouped = neighbour_votes(&labels, 2, x.view(), &[0, 0, 2, 3, 4]).unwrap().0;
        assert!(alone.row(0)[1] > 0.3);
        assert!(grouped.row(0)[1] < 0.2, "{:?}", grouped.row(0));
    }

    #[test]
    fn few_rows_and_equal_rows_are_defined() {
        let one = neighbour_votes(&[0], 2, Matrix::from_rows(&[[1.0_f32]]).view(), &[0]).unwrap().0;
        assert_eq!(one.row(0), [0.5, 0.5]);
        let equal = Matrix::from_vec(4, 5, vec![1.0; 20]);
        let votes = neighbour_votes(&[0, 0, 0, 1], 2, equal.view(), &[0, 1, 2, 3]).unwrap().0;
        assert!(votes.row(3)[0] > 0.8);
    }

    #[test]
    fn fusing_needs_views_that_fit() {
        let (two, three) = (Matrix::from_rows(&[[0.5, 0.5]]), Matrix::from_rows(&[[0.5, 0.25, 0.25]]));
        assert_eq!(fused(&[0], &[]).unwrap_err(), CurateError::Empty { what: "views" });
        let wrong = fused(&[0], &[two.view(), three.view()]).unwrap_err();
        assert_eq!(wrong, CurateError::Shape { what: "columns of a view", got: 3, expected: 2 });
        assert_eq!(fused(&[0], &[two.view()]).unwrap(), two);
    }

    #[test]
    fn a_doubt_that_only_one_view_has_weighs_less() {
        let n = 200;
        let labels: Vec<u32> = (0..n).map(|row| row % 2).collect();
        let sure =
            |row: u32, right: bool| if row.is_multiple_of(2) == right { [0.9, 0.1] } else { [0.1, 0.9] };
        let view = |wrong: &dyn Fn(u32) -> bool| {
            Matrix::from_rows(&(0..n).map(|row| sure(row, !wrong(row))).collect::<Vec<_>>())
        };
        let (a, b) = (view(&|row| row % 10 == 0), view(&|row| row % 15 == 0));
        let both = fused(&labels, &[a.view(), b.view()]).unwrap();
        assert!(both.row(0)[0] < 0.2 && (0.4..0.6).contains(&both.row(10)[0]), "{:?}", both.row(10));
    }
}
