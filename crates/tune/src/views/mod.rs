//! What heads of two kinds say about examples that they were not fitted on: the evidence for finding wrong labels
//! (methods 3.3). [`sets`] and [`numbers`] do the same where labels are sets or numbers.
//!
//! Each view chooses its own penalty by log-loss at its best certainty; with labels that are to be doubted nothing finer is
//! worth it.

mod numbers;
mod sets;

pub use numbers::numbers;
pub use sets::sets;

use std::sync::atomic::{AtomicBool, Ordering};

use linalg::Matrix;
use linalg::logits::{fit_scale, log_softmax, softmax};

use crate::TuneError;
use crate::gda::{Gda, Linear};
use crate::logistic::{Design, Loss, Weights, fit};

/// Penalties of the logistic view, on features of mean squared length 1; the largest first.
const PENALTIES: [f64; 5] = [1.0, 0.3, 0.1, 0.03, 0.01];
/// Ridges of the GDA view, in units of the within-class scatter's trace over `n - 1`.
const RIDGES: [f64; 4] = [0.3, 1.0, 3.0, 10.0];
/// The least probability that a logarithm is taken of.
const SMALLEST: f64 = 1e-12;

/// Out-of-fold probabilities of two heads, each `[n, k]`.
#[derive(Debug, Clone)]
pub struct Views {
    /// Of logistic regression.
    pub logistic: Matrix<f64>,
    /// Of Gaussian discriminant analysis.
    pub gda: Matrix<f64>,
}

/// Asks both heads about every row of `x`, `[n, d]`; `labels`, `groups` and `folds` are `[n]`, and each class below `k` occurs.
///
/// No row was seen by the head that is asked about it. Rows of one group belong into one fold; where some share a group, GDA
/// leaves out folds too, instead of single rows.
///
/// # Errors
/// [`TuneError::Cancelled`] soon after `cancel` became true; rows that differ in number, a label that is not below `k`, one
/// class only, or a feature that is not finite.
pub fn views(
    x: &Matrix,
    labels: &[u32],
    k: usize,
    groups: &[u32],
    folds: &[u8],
    cancel: &AtomicBool,
) -> Result<Views, TuneError> {
    check(x, labels, k, groups, folds)?;
    let scaled = centred_and_scaled(x);
    let logistic = logistic(&scaled, labels, k, folds, cancel)?;
    Ok(Views { logistic, gda: discriminant(&scaled, labels, k, groups, folds, cancel)? })
}

/// Asks discriminant analysis alone, `[n, k]`, as [`views`] does: with very many classes logistic regression takes minutes.
///
/// # Errors
/// As [`views`].
pub fn gda(
    x: &Matrix,
    labels: &[u32],
    k: usize,
    groups: &[u32],
    folds: &[u8],
    cancel: &AtomicBool,
) -> Result<Matrix<f64>, TuneError> {
    check(x, labels, k, groups, folds)?;
    discriminant(&centred_and_scaled(x), labels, k, groups, folds, cancel)
}

fn stop_if(cancel: &AtomicBool) -> Result<(), TuneError> {
    if cancel.load(Ordering::Relaxed) { Err(TuneError::Cancelled) } else { Ok(()) }
}

/// Out-of-fold probabilities of logistic regression, `[n, k]`, by the best penalty. Rows that no fold holds out apart from others
/// stay even.
fn logistic(
    x: &Matrix,
    labels: &[u32],
    k: usize,
    folds: &[u8],
    cancel: &AtomicBool,
) -> Result<Matrix<f64>, TuneError> {
    let mut starts: Vec<Option<Weights>> = vec![None; usize::from(n_folds(folds))];
    let mut best = Best::new(labels);
    // The largest first is quickest, and where the next begins.
    for penalty in PENALTIES {
        let mut view = Matrix::from_vec(labels.len(), k, vec![1.0 / k as f64; labels.len() * k]);
        for (fold, start) in (0..).zip(&mut starts) {
            stop_if(cancel)?;
            logistic_fold(x, labels, folds, fold, penalty, start, &mut view);
        }
        best.hear(view);
    }
    Ok(best.view())
}

/// The same of discriminant analysis, leaving out single rows where none share a group.
fn discriminant(
    scaled: &Matrix,
    labels: &[u32],
    k: usize,
    groups: &[u32],
    folds: &[u8],
    cancel: &AtomicBool,
) -> Result<Matrix<f64>, TuneError> {
    stop_if(cancel)?;
    let teachers = if grouped(groups) {
        Teachers::by_folds(scaled, labels, folds, cancel)?
    } else {
        Teachers::All(Gda::new(scaled.map(f64::from).view(), labels, k))
    };
    let mut best = Best::new(labels);
    for ridge in 0..RIDGES.len() {
        stop_if(cancel)?;
        best.hear(probabilities(teachers.scores(scaled, k, ridge), labels));
    }
    Ok(best.view())
}

/// The view with the least log-loss at its best certainty; of many only one is kept, for they are large.
struct Best<'a> {
    labels: &'a [u32],
    kept: Option<(f64, Matrix<f64>)>,
}

impl<'a> Best<'a> {
    fn new(labels: &'a [u32]) -> Self {
        Self { labels, kept: None }
    }

    fn hear(&mut self, view: Matrix<f64>) {
        let loss = loss(&view, self.labels);
        if self.kept.as_ref().is_none_or(|(least, _)| loss < *least) {
            self.kept = Some((loss, view));
        }
    }

    fn view(self) -> Matrix<f64> {
        self.kept.expect("there is at least one view").1
    }
}

/// Refuses features that are not finite, and lists that are not as long as there are rows.
fn check_rows(x: &Matrix, lists: &[(&str, usize)], expected: usize) -> Result<(), TuneError> {
    if let Some((what, got)) = lists.iter().find(|(_, got)| *got != expected) {
        return Err(TuneError::Rows { what: (*what).to_owned(), got: *got, expected });
    }
    match x.iter_rows().position(|row| row.iter().any(|value| !value.is_finite())) {
        Some(row) => Err(TuneError::NotFinite { set: "pooled".to_owned(), row }),
        None => Ok(()),
    }
}

pub(crate) fn n_folds(folds: &[u8]) -> u8 {
    folds.iter().max().map_or(0, |last| last.saturating_add(1))
}

fn check(x: &Matrix, labels: &[u32], k: usize, groups: &[u32], folds: &[u8]) -> Result<(), TuneError> {
    let lists = [("the features", x.rows()), ("the groups", groups.len()), ("the folds", folds.len())];
    check_rows(x, &lists, labels.len())?;
    if let Some(row) = labels.iter().position(|label| *label as usize >= k) {
        return Err(TuneError::ClassIndex { row, class: labels[row], n_classes: k });
    }
    if labels.iter().all(|label| *label == labels[0]) {
        return Err(TuneError::OneClass { n: labels.len() });
    }
    Ok(())
}

fn grouped(groups: &[u32]) -> bool {
    let mut sorted = groups.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

/// Columns centred, then one scale for all: mean squared length 1.
pub(crate) fn centred_and_scaled(x: &Matrix) -> Matrix {
    let n = x.rows() as f64;
    let mut mean = vec![0.0; x.cols()];
    for row in x.iter_rows() {
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value) / n);
    }
    let mut centred = x.clone();
    for row in 0..x.rows() {
        centred.row_mut(row).iter_mut().zip(&mean).for_each(|(value, mean)| *value -= *mean as f32);
    }
    let square = centred.data().iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / n;
    // Examples that are all the same tell nothing apart, at any scale.
    let scale = if square > 0.0 { (1.0 / square.sqrt()) as f32 } else { 1.0 };
    centred.data_mut().iter_mut().for_each(|value| *value *= scale);
    centred
}

/// Fits on the other folds, from where the fit before ended, and fills in the rows of this one.
fn logistic_fold(
    x: &Matrix,
    labels: &[u32],
    folds: &[u8],
    fold: u8,
    penalty: f64,
    start: &mut Option<Weights>,
    view: &mut Matrix<f64>,
) {
    let (held, rest) = divided(folds, fold);
    if held.is_empty() || rest.is_empty() {
        return;
    }
    let k = view.cols();
    let mut targets = Matrix::zeros(rest.len(), k);
    for (place, row) in rest.iter().enumerate() {
        targets.row_mut(place)[labels[*row] as usize] = 1.0;
    }
    let (train, test) = (Design::new(x.select_rows(&rest), None), Design::new(x.select_rows(&held), None));
    let weights = fit(&train, &targets, Loss::Softmax, penalty, start.as_ref());
    for (place, scores) in test.scores(&weights).iter_rows().enumerate() {
        let scores: Vec<f64> = scores.iter().map(|score| f64::from(*score)).collect();
        view.row_mut(held[place]).copy_from_slice(&softmax(&scores));
    }
    *start = Some(weights);
}

pub(crate) fn divided(folds: &[u8], fold: u8) -> (Vec<usize>, Vec<usize>) {
    (0..folds.len()).partition(|row| folds[*row] == fold)
}

/// Who tells the class of each row.
enum Teachers {
    /// All rows, but the one that is asked about.
    All(Gda),
    /// Those of other folds.
    OtherFolds(Vec<Taught>),
}

/// What the other folds teach about the rows of one.
struct Taught {
    held: Vec<usize>,
    /// Those that the other folds have, ascending.
    classes: Vec<u32>,
    /// With each ridge.
    linear: [Linear; RIDGES.len()],
}

impl Teachers {
    fn by_folds(x: &Matrix, labels: &[u32], folds: &[u8], cancel: &AtomicBool) -> Result<Self, TuneError> {
        let mut taught = Vec::new();
        for fold in 0..n_folds(folds) {
            stop_if(cancel)?;
            let (held, rest) = divided(folds, fold);
            if held.is_empty() || rest.is_empty() {
                continue;
            }
            // Classes are numbered anew: each has a row.
            let mut classes: Vec<u32> = rest.iter().map(|row| labels[*row]).collect();
            classes.sort_unstable();
            classes.dedup();
            let number = |row: &usize| {
                classes.binary_search(&labels[*row]).expect("every class of the rows is listed")
            };
            let numbers: Vec<u32> = rest.iter().map(|row| number(row) as u32).collect();
            let gda = Gda::new(x.select_rows(&rest).map(f64::from).view(), &numbers, classes.len());
            let usual = usual_ridge(&gda, rest.len());
            taught.push(Taught { held, classes, linear: RIDGES.map(|ridge| gda.linear(ridge * usual)) });
        }
        Ok(Self::OtherFolds(taught))
    }

    /// `[n, k]`, with the ridge at this place: even where nobody could tell, such as of a class with one row; what the other folds
    /// do not have is even with the least probable.
    fn scores(&self, x: &Matrix, k: usize, ridge: usize) -> Matrix<f64> {
        let mut scores = Matrix::zeros(x.rows(), k);
        match self {
            Self::All(gda) => {
                let told = gda.leave_one_out(RIDGES[ridge] * usual_ridge(gda, x.rows()));
                for (row, told) in told.into_iter().enumerate() {
                    told.into_iter().for_each(|told| scores.row_mut(row).copy_from_slice(&told));
                }
            }
            Self::OtherFolds(folds) => folds.iter().for_each(|taught| taught.fill(x, ridge, &mut scores)),
        }
        scores
    }
}

impl Taught {
    fn fill(&self, x: &Matrix, ridge: usize, scores: &mut Matrix<f64>) {
        let linear = &self.linear[ridge];
        for row in &self.held {
            let of = |(weight, bias): (&[f64], &f64)| {
                bias + weight.iter().zip(x.row(*row)).map(|(w, x)| w * f64::from(*x)).sum::<f64>()
            };
            let known: Vec<f64> = linear.weight.iter_rows().zip(&linear.bias).map(of).collect();
            let least = known.iter().copied().fold(f64::INFINITY, f64::min);
            let to = scores.row_mut(*row);
            to.fill(least);
            self.classes.iter().zip(&known).for_each(|(class, score)| to[*class as usize] = *score);
        }
    }
}

pub(crate) fn usual_ridge(gda: &Gda, n: usize) -> f64 {
    (gda.trace() / n.saturating_sub(1).max(1) as f64).max(SMALLEST)
}

/// Scores at their best certainty.
fn probabilities(mut scores: Matrix<f64>, labels: &[u32]) -> Matrix<f64> {
    let scale = fit_scale(scores.view(), labels, false);
    for row in 0..scores.rows() {
        let scaled: Vec<f64> = scores.row(row).iter().map(|value| scale * value).collect();
        scores.row_mut(row).copy_from_slice(&softmax(&scaled));
    }
    scores
}

/// Log-loss at the best certainty.
fn loss(view: &Matrix<f64>, labels: &[u32]) -> f64 {
    let z = view.map(|p: f64| p.max(SMALLEST).ln());
    let scale = fit_scale(z.view(), labels, false);
    let of = |(row, label): (&[f64], &u32)| {
        -log_softmax(&row.iter().map(|value| scale * value).collect::<Vec<_>>())[*label as usize]
    };
    z.iter_rows().zip(labels).map(of).sum()
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    /// Two clouds; the first row has the other's label.
    fn clouds(n: usize) -> (Matrix, Vec<u32>) {
        let mut rng = Seed(3).rng();
        let mut labels: Vec<u32> = (0..n).map(|row| (row % 2) as u32).collect();
        let values = (0..n * 8).map(|at| {
            let centre = if at / 8 % 2 == 0 { -1.0 } else { 1.0 };
            (centre + 0.6 * random::normal(&mut rng)) as f32
        });
        let x = Matrix::from_vec(n, 8, values.collect());
        labels[0] = 1;
        (x, labels)
    }

    /// Five folds, pair by pair.
    fn folds(n: usize) -> Vec<u8> {
        (0..n).map(|row| (row / 2 % 5) as u8).collect()
    }

    #[test]
    fn both_views_contradict_a_wrong_label_whether_or_not_rows_are_grouped() {
        let (x, labels) = clouds(60);
        let groups: [Vec<u32>; 2] = [(0..60).collect(), (0..60).map(|row| row / 2).collect()];
        for groups in groups {
            let found = views(&x, &labels, 2, &groups, &folds(60), &AtomicBool::new(false)).unwrap();
            let alone = gda(&x, &labels, 2, &groups, &folds(60), &AtomicBool::new(false)).unwrap();
            assert_eq!(alone, found.gda);
            for view in [&found.logistic, &found.gda] {
                assert!(view.row(0)[1] < 0.3, "{:?}", view.row(0));
                assert!(view.iter_rows().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-9));
                let right = (1..60).filter(|row| view.row(*row)[labels[*row] as usize] > 0.5).count();
                assert!(right >= 57, "{right}");
            }
        }
    }

    #[test]
    fn classes_with_one_row_and_equal_rows_are_defined_and_bad_input_is_refused() {
        let never = AtomicBool::new(false);
        let (x, mut labels) = clouds(20);
        labels[5] = 2;
        let groups: Vec<u32> = (0..20).map(|row| row / 2).collect();
        let found = views(&x, &labels, 3, &groups, &folds(20), &never).unwrap();
        assert!(found.gda.data().iter().chain(found.logistic.data()).all(|p| p.is_finite()));
        let same = Matrix::from_vec(4, 2, vec![1.0; 8]);
        let found = views(&same, &[0, 1, 0, 1], 2, &[0, 1, 2, 3], &folds(4), &never).unwrap();
        assert!(found.gda.data().iter().chain(found.logistic.data()).all(|p| p.is_finite()));
        assert!(matches!(
            views(&same, &[0; 4], 1, &[0; 4], &folds(4), &never),
            Err(TuneError::OneClass { n: 4 })
        ));
        assert!(matches!(views(&same, &[0, 1], 2, &[0; 4], &folds(4), &never), Err(TuneError::Rows { .. })));
        assert!(matches!(
            views(&same, &[0, 1, 0, 1], 2, &[0; 4], &folds(4), &AtomicBool::new(true)),
            Err(TuneError::Cancelled)
        ));
    }
}
