//! Labels that are probably wrong (methods 3.2, 3.3).
//!
//! Two independent witnesses are heard: out-of-fold probabilities, by confident learning (Northcutt et al. 2021), and the
//! labels of the nearest neighbours. Confident learning alone flags whatever the model finds hard; together they are right
//! far more often.

use linalg::{MatrixView, Metric, Neighbours, knn};

use crate::CurateError;

/// Neighbours that vote.
const NEIGHBOURS: usize = 10;
/// Below this normalised margin, and without support among the neighbours, a label is flagged too.
const THIN_MARGIN: f64 = 0.2;
/// Most of one class that may be flagged: a class flagged wholesale is a class the model does not know.
const MOST_OF_CLASS: f64 = 0.3;

/// How every label looks.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelQuality {
    /// `[n]`: 0 = surely wrong, 1 = surely right: the mean of self-confidence and the neighbours' vote.
    pub scores: Vec<f64>,
    /// Probably wrong labels, most suspicious first.
    pub issues: Vec<LabelIssue>,
    /// The nearest neighbours, as evidence.
    pub neighbours: Neighbours,
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
pub fn label_quality(
    labels: &[u32],
    probs: MatrixView<'_, f64>,
    x: MatrixView<'_>,
) -> Result<LabelQuality, CurateError> {
    let n = labels.len();
    for (what, got) in [("rows of the probabilities", probs.rows()), ("rows of the features", x.rows())] {
        if got != n {
            return Err(CurateError::Shape { what, got, expected: n });
        }
    }
    if let Some(label) = labels.iter().find(|label| **label as usize >= probs.cols()) {
        return Err(CurateError::Shape {
            what: "classes of the probabilities",
            got: probs.cols(),
            expected: *label as usize + 1,
        });
    }
    let not_finite = |row: &usize| {
        !x.row(*row).iter().all(|value| value.is_finite()) || !probs.row(*row).iter().all(|p| p.is_finite())
    };
    if let Some(row) = (0..n).find(not_finite) {
        return Err(CurateError::NotFinite { row });
    }
    let neighbours = knn(x, NEIGHBOURS, Metric::Cosine);
    let votes: Vec<f64> = (0..n).map(|row| vote(&neighbours, labels, row)).collect();
    let given = |row: usize| probs.row(row)[labels[row] as usize];
    let scores: Vec<f64> = (0..n).map(|row| 0.5 * (given(row) + votes[row])).collect();
    let thresholds = class_thresholds(labels, probs);
    let flagged = |row: &usize| {
        let (best, best_other) = best_and_best_other(probs.row(*row), labels[*row]);
        let confident =
            confident_guess(probs.row(*row), &thresholds).is_some_and(|guess| guess != labels[*row]);
        let margin = (given(*row) - best_other + 1.0) / 2.0;
        let unsupported = votes[*row] <= 1.0 / NEIGHBOURS as f64;
        best != labels[*row] && ((confident && votes[*row] < 0.5) || (margin < THIN_MARGIN && unsupported))
    };
    let mut rows: Vec<usize> = (0..n).filter(flagged).collect();
    rows.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b)));
    let issue = |row: usize| {
        let suggested = best_and_best_other(probs.row(row), labels[row]).0;
        LabelIssue { row, given: labels[row], suggested, score: scores[row] }
    };
    let issues = capped(rows, labels, probs.cols()).into_iter().map(issue).collect();
    Ok(LabelQuality { scores, issues, neighbours })
}

/// The share of the neighbours' weight that has this row's label; one half when there are none.
fn vote(neighbours: &Neighbours, labels: &[u32], row: usize) -> f64 {
    let (mut with, mut all) = (0.0, 0.0);
    for (other, distance) in neighbours.of(row) {
        let weight = (-f64::from(distance)).exp();
        all += weight;
        with += if labels[other] == labels[row] { weight } else { 0.0 };
    }
    if all > 0.0 { with / all } else { 0.5 }
}

/// Mean probability of each class over the rows that have it, pulled to the global mean for small classes (methods 3.2).
fn class_thresholds(labels: &[u32], probs: MatrixView<'_, f64>) -> Vec<f64> {
    let (mut sums, mut counts) = (vec![0.0; probs.cols()], vec![0.0; probs.cols()]);
    for (row, label) in probs.iter_rows().zip(labels) {
        sums[*label as usize] += row[*label as usize];
        counts[*label as usize] += 1.0;
    }
    let global = sums.iter().sum::<f64>() / (labels.len().max(1) as f64);
    let pull = |sum: f64, count: f64| match count {
        0.0 => 2.0,
        count if count < 10.0 => (sum + 5.0 * global) / (count + 5.0),
        count => sum / count,
    };
    sums.iter().zip(&counts).map(|(sum, count)| pull(*sum, *count)).collect()
}

/// The most probable of the classes that reach their threshold.
fn confident_guess(probs: &[f64], thresholds: &[f64]) -> Option<u32> {
    let reaches = (0..probs.len()).filter(|class| probs[*class] >= thresholds[*class] - 1e-6);
    reaches.max_by(|a, b| probs[*a].total_cmp(&probs[*b]).then(b.cmp(a))).map(|class| class as u32)
}

/// The most probable class, and the largest probability of any class but `given`.
fn best_and_best_other(probs: &[f64], given: u32) -> (u32, f64) {
    let mut best = 0;
    let mut other = 0.0;
    for (class, p) in probs.iter().enumerate() {
        if *p > probs[best] {
            best = class;
        }
        if class != given as usize && *p > other {
            other = *p;
        }
    }
    (best as u32, other)
}

/// The first of each class, up to the cap; at least one.
fn capped(rows: Vec<usize>, labels: &[u32], k: usize) -> Vec<usize> {
    let mut sizes = vec![0_usize; k];
    labels.iter().for_each(|label| sizes[*label as usize] += 1);
    let mut flagged = vec![0_usize; k];
    rows.into_iter()
        .filter(|row| {
            let class = labels[*row] as usize;
            flagged[class] += 1;
            flagged[class] <= ((MOST_OF_CLASS * sizes[class] as f64) as usize).max(1)
        })
        .collect()
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
            Err(CurateError::Shape { got: 2, expected: 3, .. })
        ));
        let broken = probs.map(|_| f64::NAN);
        assert_eq!(label_quality(&labels, broken.view(), x.view()), Err(CurateError::NotFinite { row: 0 }));
    }
}
