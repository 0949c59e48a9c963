//! Metrics with their intervals.

use linalg::{Seed, random};

use crate::estimate::quantile;
use crate::{Estimate, clopper_pearson, wilson};

/// Share of right answers with the exact 95 % interval.
pub fn accuracy(correct: &[bool]) -> Estimate {
    clopper_pearson(correct.iter().filter(|right| **right).count(), correct.len(), 0.95)
}

/// Counts `[given][predicted]`.
pub fn confusion(given: &[u32], predicted: &[u32], n_classes: usize) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; n_classes]; n_classes];
    for (given, predicted) in given.iter().zip(predicted) {
        counts[*given as usize][*predicted as usize] += 1;
    }
    counts
}

/// Recall of each class with Wilson's interval, from a confusion matrix.
pub fn recall(confusion: &[Vec<u64>]) -> Vec<Estimate> {
    let of = |(class, row): (usize, &Vec<u64>)| wilson(row[class] as usize, row.iter().sum::<u64>() as usize);
    confusion.iter().enumerate().map(of).collect()
}

/// Mean of the rows' values with a 95 % bootstrap interval: log-loss, Brier score, macro recall (over classes), absolute error.
pub fn mean(values: &[f64], seed: Seed) -> Estimate {
    let n = values.len();
    if n == 0 {
        return Estimate { value: f64::NAN, low: f64::NAN, high: f64::NAN, n };
    }
    let mean = |rows: &mut dyn Iterator<Item = usize>| rows.map(|row| values[row]).sum::<f64>() / n as f64;
    let value = mean(&mut (0..n));
    let mut rng = seed.derive("mean").rng();
    let mut draws: Vec<f64> =
        (0..1000).map(|_| mean(&mut (0..n).map(|_| random::below(&mut rng, n)))).collect();
    draws.sort_by(f64::total_cmp);
    Estimate { value, low: quantile(&draws, 0.025), high: quantile(&draws, 0.975), n }
}

/// `-ln p` of the given class of each row, never above 50.
pub fn log_loss_rows(probs: &[Vec<f64>], labels: &[u32]) -> Vec<f64> {
    probs.iter().zip(labels).map(|(probs, label)| (-probs[*label as usize].ln()).min(50.0)).collect()
}

/// Sum of squared differences between probabilities and the truth of each row, in [0, 2].
pub fn brier_rows(probs: &[Vec<f64>], labels: &[u32]) -> Vec<f64> {
    let row = |(probs, label): (&Vec<f64>, &u32)| {
        probs.iter().enumerate().map(|(class, p)| (p - f64::from(class == *label as usize)).powi(2)).sum()
    };
    probs.iter().zip(labels).map(row).collect()
}

/// Equal-mass bins of a reliability diagram: mean confidence and the share that was right (methods 6.1).
///
/// There are `n / 50` bins, at least 5 and at most 15, fewer when there are not 5 rows for each.
pub fn reliability(confidences: &[f64], correct: &[bool]) -> Vec<(f64, Estimate)> {
    let n = confidences.len();
    let bins = (n / 50).clamp(5, 15).min(n / 5);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| confidences[*a].total_cmp(&confidences[*b]));
    (0..bins)
        .map(|bin| {
            let rows = &order[bin * n / bins..(bin + 1) * n / bins];
            let confidence = rows.iter().map(|row| confidences[*row]).sum::<f64>() / rows.len() as f64;
            (confidence, wilson(rows.iter().filter(|row| correct[**row]).count(), rows.len()))
        })
        .collect()
}

/// Micro-averaged F1, macro-averaged F1 and the share of rows with every label right.
///
/// Labels are `[n]` ascending sets. A class that is neither given nor predicted does not count in the macro average.
pub fn multi_label(given: &[Vec<u32>], predicted: &[Vec<u32>], n_classes: usize) -> (f64, f64, Estimate) {
    let mut hits = vec![[0_usize; 3]; n_classes];
    for (given, predicted) in given.iter().zip(predicted) {
        given.iter().for_each(|label| hits[*label as usize][0] += 1);
        predicted.iter().for_each(|label| hits[*label as usize][1] += 1);
        predicted
            .iter()
            .filter(|label| given.contains(label))
            .for_each(|label| hits[*label as usize][2] += 1);
    }
    let f1 = |[given, predicted, both]: [usize; 3]| 2.0 * both as f64 / ((given + predicted) as f64).max(1.0);
    let total = hits.iter().fold([0; 3], |sum, hits| [sum[0] + hits[0], sum[1] + hits[1], sum[2] + hits[2]]);
    let seen: Vec<f64> = hits.iter().filter(|hits| hits[0] + hits[1] > 0).map(|hits| f1(*hits)).collect();
    let whole: Vec<bool> = given.iter().zip(predicted).map(|(given, predicted)| given == predicted).collect();
    (f1(total), seen.iter().sum::<f64>() / seen.len().max(1) as f64, accuracy(&whole))
}

/// Share of the variance that is explained; 0 when the target does not vary.
pub fn r2(given: &[f64], predicted: &[f64]) -> f64 {
    let mean = given.iter().sum::<f64>() / given.len().max(1) as f64;
    let spread: f64 = given.iter().map(|value| (value - mean).powi(2)).sum();
    let rest: f64 = given.iter().zip(predicted).map(|(a, b)| (a - b).powi(2)).sum();
    if spread > 0.0 { 1.0 - rest / spread } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_is_read_from_the_rows_of_the_confusion_matrix() {
        let counts = confusion(&[0, 0, 0, 1], &[0, 0, 1, 1], 3);
        assert_eq!(counts, [vec![2, 1, 0], vec![0, 1, 0], vec![0, 0, 0]]);
        let recall = recall(&counts);
        assert!((recall[0].value - 2.0 / 3.0).abs() < 1e-12 && recall[2].n == 0);
    }

    #[test]
    fn reliability_bins_hold_equal_numbers() {
        let confidences: Vec<f64> = (0..100).map(|row| f64::from(row) / 100.0).collect();
        let bins = reliability(&confidences, &[true; 100]);
        assert_eq!(bins.iter().map(|(_, share)| share.n).collect::<Vec<_>>(), [20; 5]);
        assert!(bins.is_sorted_by(|a, b| a.0 < b.0));
        assert!(reliability(&[0.5; 3], &[true; 3]).is_empty());
    }

    #[test]
    fn multi_label_averages_agree_with_a_hand_count() {
        let (micro, macro_average, whole) = multi_label(&[vec![0, 1], vec![1]], &[vec![0], vec![1, 2]], 4);
        assert!((micro - 2.0 / 3.0).abs() < 1e-12);
        // F1 per class: 1, 2/3, 0; the fourth class never occurs.
        assert!((macro_average - (1.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
        assert_eq!((whole.value, whole.n), (0.0, 2));
    }

    #[test]
    fn explained_variance_of_a_perfect_and_a_constant_answer() {
        assert_eq!(r2(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), 1.0);
        assert_eq!(r2(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0]), 0.0);
        assert_eq!(r2(&[1.0, 1.0], &[0.0, 0.0]), 0.0);
    }

    #[test]
    fn losses_follow_their_formulas() {
        let probs = [vec![0.25, 0.75], vec![0.0, 1.0]];
        assert!((log_loss_rows(&probs, &[1, 0])[0] + 0.75_f64.ln()).abs() < 1e-12);
        assert_eq!(log_loss_rows(&probs, &[1, 0])[1], 50.0);
        assert_eq!(brier_rows(&probs, &[1, 0]), [0.125, 2.0]);
        assert!(mean(&[], Seed(0)).value.is_nan());
    }
}
