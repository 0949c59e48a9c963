//! How much each label is to be trusted, by the probabilities alone; 0 is bad, 1 is good.
//!
//! As in cleanlab 2.9; `tests/reference/labels.py` makes the values that the tests compare with.

use linalg::Matrix;

use super::confident::confident_thresholds;
use super::judged::Judged;

/// Below this, a self-confidence counts as this where it divides.
const SMALLEST: f64 = 1e-6;

/// `[n]`: the probability of the given label.
pub fn self_confidence(judged: Judged<'_>) -> Vec<f64> {
    (0..judged.n()).map(|row| judged.self_confidence_of(row)).collect()
}

/// `[n]`: `(p_given - max_other p + 1) / 2`; with one class there is no other, and the score is that of the given label.
pub fn normalized_margin(judged: Judged<'_>) -> Vec<f64> {
    let margin = |row: usize| {
        let given = judged.labels()[row] as usize;
        let others = judged.probs().row(row).iter().enumerate().filter(|(class, _)| *class != given);
        let best = others.map(|(_, p)| *p).fold(f64::NEG_INFINITY, f64::max);
        let best = if best.is_finite() { best } else { 0.0 };
        f64::midpoint(judged.self_confidence_of(row) - best, 1.0)
    };
    (0..judged.n()).map(margin).collect()
}

/// `[n]`: `log(1 + r) / r` with `r = (H(p) / log k) / p_given`. With one class nothing speaks against a label: 1.
pub fn confidence_weighted_entropy(judged: Judged<'_>) -> Vec<f64> {
    if judged.n_classes() == 1 {
        return vec![1.0; judged.n()];
    }
    let normaliser = (judged.n_classes() as f64).ln();
    let score = |row: usize| {
        let entropy: f64 = judged.probs().row(row).iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
        let ratio = entropy / normaliser / judged.self_confidence_of(row).max(SMALLEST);
        (ratio + 1.0).ln() / ratio.max(SMALLEST)
    };
    (0..judged.n()).map(score).collect()
}

/// `[n, k]`: probabilities that favour no class because it is frequent: `p - t + max t`, normalised, with the classes' mean
/// self-confidences `t`. Judge by these where the largest class has more than ten times the examples of the smallest; the
/// entropy score is not meant for them.
pub fn adjusted_probs(judged: Judged<'_>) -> Matrix<f64> {
    let thresholds = confident_thresholds(judged);
    let largest = thresholds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut adjusted = judged.probs().to_owned();
    for row in 0..adjusted.rows() {
        let values = adjusted.row_mut(row);
        values.iter_mut().zip(&thresholds).for_each(|(p, threshold)| *p = *p - threshold + largest);
        let sum: f64 = values.iter().sum();
        values.iter_mut().for_each(|p| *p /= sum);
    }
    adjusted
}
