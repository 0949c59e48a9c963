//! Labels that are probably wrong, with their neighbours as evidence (methods 3.2, 3.3).
//!
//! Two independent witnesses are heard: out-of-fold probabilities and the labels of the nearest neighbours.

use linalg::{MatrixView, Neighbours};

use super::errors::label_errors_by_views;
use super::views::{fused, neighbour_votes};
use super::{Judged, Note};
use crate::CurateError;

/// How every label looks.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelQuality {
    /// `[n]`: 0 = surely wrong, 1 = surely right.
    pub scores: Vec<f64>,
    /// Probably wrong labels, most suspicious first.
    pub issues: Vec<LabelIssue>,
    /// The nearest neighbours, as evidence.
    pub neighbours: Neighbours,
    /// What about the input or the result asks for caution.
    pub notes: Vec<Note>,
}

/// A label that is probably wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelIssue {
    /// Which row.
    pub row: usize,
    /// The label it has.
    pub given: u32,
    /// The label it probably should have.
    pub suggested: u32,
    /// As in [`LabelQuality::scores`].
    pub score: f64,
}

/// Looks at every label.
///
/// `probs` is `[n, k]`, **out of fold** (a model asked about its own training data finds nothing); `labels` is `[n]`, each below
/// k; `x` is `[n, d]`, the features neighbours are found by.
///
/// # Errors
/// As [`Judged::new`] and [`neighbour_votes`].
pub fn label_quality(
    labels: &[u32],
    probs: MatrixView<'_, f64>,
    x: MatrixView<'_>,
) -> Result<LabelQuality, CurateError> {
    label_quality_by_views(labels, &[probs], x, &(0..labels.len() as u32).collect::<Vec<_>>())
}

/// Looks at every label with several views: heads of different kinds, each `[n, k]` and out of fold or leave-one-out. The
/// neighbours' votes are added; examples of one group (`groups`, `[n]`) do not vote for each other.
///
/// # Errors
/// As [`Judged::new`] and [`neighbour_votes`].
pub fn label_quality_by_views(
    labels: &[u32],
    views: &[MatrixView<'_, f64>],
    x: MatrixView<'_>,
    groups: &[u32],
) -> Result<LabelQuality, CurateError> {
    let n_classes = views.first().map_or(0, |view| view.cols());
    for view in views {
        Judged::new(labels, *view)?;
    }
    let (votes, neighbours) = neighbour_votes(labels, n_classes, x, groups)?;
    let all: Vec<MatrixView<'_, f64>> = views.iter().copied().chain([votes.view()]).collect();
    let probs = fused(labels, &all)?;
    let found = label_errors_by_views(Judged::new(labels, probs.view())?);
    let issue = |row: usize| LabelIssue {
        row,
        given: labels[row],
        suggested: found.suggested[row],
        score: found.scores[row],
    };
    let issues = found.flagged.iter().map(|row| issue(*row)).collect();
    Ok(LabelQuality { issues, scores: found.scores, neighbours, notes: found.notes })
}

#[cfg(test)]
mod tests {
    use linalg::{Matrix, Seed, random};

    use super::*;

    /// Two clusters; the first `wrong` rows have the other label. Probabilities are those of an honest model.
    fn noisy(n: usize, wrong: usize) -> (Vec<u32>, Matrix<f64>, Matrix<f32>) {
        let mut rng = Seed(5).rng();
        let truth: Vec<u32> = (0..n).map(|row| (row % 2) as u32).collect();
        let labels = truth
            .iter()
            .enumerate()
            .map(|(row, label)| if row < wrong { 1 - label } else { *label })
            .collect();
        let sign = |row: usize| if truth[row] == 1 { 1.0 } else { -1.0 };
        let x = (0..n * 6).map(|at| (sign(at / 6) + 0.5 * random::normal(&mut rng)) as f32).collect();
        let probs =
            (0..n).flat_map(|row| if truth[row] == 1 { [0.08, 0.92] } else { [0.92, 0.08] }).collect();
        (labels, Matrix::from_vec(n, 2, probs), Matrix::from_vec(n, 6, x))
    }

    #[test]
    fn planted_errors_are_found_first_and_alone() {
        let (labels, probs, x) = noisy(100, 8);
        let found = label_quality(&labels, probs.view(), x.view()).unwrap();
        let mut rows: Vec<usize> = found.issues.iter().map(|issue| issue.row).collect();
        rows.sort_unstable();
        assert_eq!(rows, (0..8).collect::<Vec<_>>());
        assert!(found.issues.iter().all(|issue| issue.suggested == 1 - issue.given && issue.score < 0.2));
    }

    #[test]
    fn clean_labels_are_left_alone() {
        let (labels, probs, x) = noisy(100, 0);
        assert!(label_quality(&labels, probs.view(), x.view()).unwrap().issues.is_empty());
    }

    #[test]
    fn a_single_row_is_defined_and_shapes_are_checked() {
        let (labels, probs, x) = noisy(1, 0);
        assert_eq!(label_quality(&labels, probs.view(), x.view()).unwrap().issues, []);
        assert!(matches!(label_quality(&[0, 1], probs.view(), x.view()), Err(CurateError::Shape { .. })));
        assert!(matches!(
            label_quality(&[2], probs.view(), x.view()),
            Err(CurateError::LabelOutOfRange { row: 0, label: 2, n_classes: 2 })
        ));
        let broken = probs.map(|_| f64::NAN);
        assert_eq!(label_quality(&labels, broken.view(), x.view()), Err(CurateError::NotFinite { row: 0 }));
    }
}
