//! Any number of labels: each is a question of its own, asked of the same models.

use evaluate::{Calibration, bbc_accuracy};
use linalg::Matrix;
use rayon::prelude::*;

use super::classes::counts;
use super::linear::{Linear, best};
use super::{FOLDS, Judged, LEAST_OF_KIND, Quick, Says};
use crate::assess::{multi_label_measures, predicted_labels};
use crate::report::Measure;

/// From this probability on a label is suggested, as [`predicted_labels`] has it.
const EVEN: f64 = 0.5;

/// What the sets of labels, `[n]`, teach.
pub(super) fn judge(quick: &Quick, sets: &[Option<Vec<u32>>], drawn: &[bool]) -> Judged {
    let rows: Vec<usize> = (0..sets.len()).filter(|row| sets[*row].is_some()).collect();
    let counts = counts(sets.iter().flatten().flatten());
    let n = rows.len();
    // Of a label that nobody gave it is no merit to say that it is not there.
    let occurring: Vec<usize> = (0..counts.len()).filter(|class| counts[*class] > 0).collect();
    let untaught = Judged { chance: chance(sets, drawn, &occurring), ..Judged::default() };
    if !counts.iter().any(|count| (*count).min(n - count) >= LEAST_OF_KIND) {
        return untaught;
    }
    let has = indicators(sets, &rows, counts.len());
    let targets = has.map(|has| if has { 1.0 } else { -1.0 });
    let Some(linear) = Linear::taught(quick, rows, targets) else { return untaught };
    let folds: Vec<u8> = linear.rows().iter().map(|row| quick.folds[*row]).collect();
    let probs: Vec<Matrix<f64>> =
        linear.left_out().par_iter().map(|scores| out_of_fold(scores, &has, &folds)).collect();
    let losses = by_row(&probs, &has, &occurring, |p, has| (f64::from(u8::from(has)) - p).powi(2));
    let scores = by_row(&probs, &has, &occurring, |p, has| f64::from(u8::from((p >= EVEN) == has)));
    let which = best(&losses);
    let places = linear.drawn(drawn);
    let headline = linear.judged(&losses, &scores, &places, bbc_accuracy);
    let mut measures = Vec::new();
    if let Some(estimate) = headline {
        measures.push(Measure { metric: "label-accuracy".to_owned(), estimate });
        let given: Vec<Vec<u32>> =
            places.iter().filter_map(|place| sets[linear.rows()[*place]].clone()).collect();
        let predicted: Vec<Vec<u32>> =
            places.iter().map(|place| predicted_labels(probs[which].row(*place))).collect();
        let seed = quick.seed.derive("accuracy");
        let all = multi_label_measures(&given, &predicted, counts.len(), seed);
        measures.extend(all.into_iter().filter(|measure| measure.metric != "macro-f1"));
    }
    let says = everywhere(&linear, which, &has, &probs[which]);
    let margins = says.iter_rows().map(margin).collect();
    Judged { measures, margins, says: Says::Sets(says), ..untaught }
}

/// The share of labels right, of those that occur, of who always says of each what is more often so on what was drawn.
fn chance(sets: &[Option<Vec<u32>>], drawn: &[bool], occurring: &[usize]) -> f64 {
    let drawn: Vec<&Vec<u32>> =
        sets.iter().zip(drawn).filter(|(_, drawn)| **drawn).filter_map(|(set, _)| set.as_ref()).collect();
    let n = drawn.len();
    let common = |class: &usize| {
        let count = drawn.iter().filter(|set| set.contains(&(*class as u32))).count();
        count.max(n - count) as f64 / n.max(1) as f64
    };
    occurring.iter().map(common).sum::<f64>() / occurring.len().max(1) as f64
}

/// `[rows, k]`: whether a row has a label.
fn indicators(sets: &[Option<Vec<u32>>], rows: &[usize], k: usize) -> Matrix<bool> {
    let mut has = Matrix::zeros(rows.len(), k);
    for (place, row) in rows.iter().enumerate() {
        for label in sets[*row].iter().flatten() {
            has.row_mut(place)[*label as usize] = true;
        }
    }
    has
}

/// What scores mean, by maps that were fitted on the other folds.
fn out_of_fold(scores: &Matrix<f64>, has: &Matrix<bool>, folds: &[u8]) -> Matrix<f64> {
    let (n, k) = (scores.rows(), scores.cols());
    let mut probs = Matrix::zeros(n, k);
    for fold in 0..FOLDS as u8 {
        let (held, others): (Vec<usize>, Vec<usize>) = (0..n).partition(|place| folds[*place] == fold);
        if held.is_empty() {
            continue;
        }
        for class in 0..k {
            let map = certainty(scores, has, &others, class);
            held.iter()
                .for_each(|place| probs.row_mut(*place)[class] = map.probability(scores.row(*place)[class]));
        }
    }
    probs
}

/// The map from a label's scores to its probability, fitted on some rows. Where the scores tell nothing, each row has the label as
/// often as all have it. A slope that does not rise tells nothing either: what a model says of noise is shifted against the label it
/// was not taught, and a map that turns it round would read that label out of the score.
pub(super) fn certainty(
    scores: &Matrix<f64>,
    has: &Matrix<bool>,
    rows: &[usize],
    class: usize,
) -> Calibration {
    let z: Vec<f64> = rows.iter().map(|row| scores.row(*row)[class]).collect();
    let positive: Vec<bool> = rows.iter().map(|row| has.row(*row)[class]).collect();
    match Calibration::platt(&z, &positive) {
        map @ Calibration::Platt { slope, .. } if slope > 0.0 => map,
        _ => {
            let n_positive = positive.iter().filter(|has| **has).count();
            let odds = (n_positive + 1) as f64 / (rows.len() - n_positive + 1) as f64;
            Calibration::Platt { slope: 0.0, offset: odds.ln() }
        }
    }
}

/// `[rows, penalties]`: the mean over the labels that occur.
fn by_row(
    probs: &[Matrix<f64>],
    has: &Matrix<bool>,
    occurring: &[usize],
    of: impl Fn(f64, bool) -> f64,
) -> Matrix<f64> {
    let mean = |row: usize, probs: &Matrix<f64>| {
        let (probs, has) = (probs.row(row), has.row(row));
        occurring.iter().map(|class| of(probs[*class], has[*class])).sum::<f64>() / occurring.len() as f64
    };
    let n = has.rows();
    let values = (0..n).flat_map(|row| probs.iter().map(move |probs| (row, probs)));
    Matrix::from_vec(n, probs.len(), values.map(|(row, probs)| mean(row, probs)).collect())
}

/// `[n, k]`: the probability of every label on every example, by models and maps that it did not teach.
fn everywhere(linear: &Linear<'_>, which: usize, has: &Matrix<bool>, left_out: &Matrix<f64>) -> Matrix<f64> {
    let mut probs = linear.tells(which);
    let scores = &linear.left_out()[which];
    let all: Vec<usize> = (0..has.rows()).collect();
    let maps: Vec<Calibration> = (0..has.cols()).map(|class| certainty(scores, has, &all, class)).collect();
    for row in 0..probs.rows() {
        probs.row_mut(row).iter_mut().zip(&maps).for_each(|(z, map)| *z = map.probability(*z));
    }
    for (row, left_out) in linear.rows().iter().zip(left_out.iter_rows()) {
        probs.row_mut(*row).copy_from_slice(left_out);
    }
    probs
}

/// How sure it is of a whole set, in [0, 1]: 0 where every label is as likely as not.
fn margin(probs: &[f64]) -> f64 {
    let wrong = probs.iter().map(|p| p.min(1.0 - p)).sum::<f64>();
    (1.0 - 2.0 * wrong / probs.len().max(1) as f64).clamp(0.0, 1.0)
}
