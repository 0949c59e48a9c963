//! Confident learning: which labels are contradicted by a model that is, for that class, sure (Northcutt et al. 2021,
//! jair.org 12125; methods 3.2). The counts are those of cleanlab 2.9.
//!
//! The joint is kept sparse: with 100,000 classes it has at most one cell for each example and one for each class.

use std::collections::BTreeMap;

use super::judged::{Judged, argmax};

/// Slack of every comparison of a probability with a threshold.
pub(crate) const SLACK: f64 = 1e-6;
/// The lowest threshold.
const LOWEST_THRESHOLD: f64 = 2.0 * SLACK;
/// The threshold of a class that no example has: no probability reaches it.
const NEVER: f64 = 2.0;

/// `[k]`: the mean probability of each class over the examples that have it; 2, which nothing reaches, for a class without any.
pub fn confident_thresholds(judged: Judged<'_>) -> Vec<f64> {
    let mut thresholds = vec![NEVER; judged.n_classes()];
    for (class, rows) in judged.rows_by_class() {
        let sum: f64 = rows.iter().map(|row| judged.self_confidence_of(*row)).sum();
        thresholds[class as usize] = (sum / rows.len() as f64).max(LOWEST_THRESHOLD);
    }
    thresholds
}

/// How many examples of each given class are confidently of each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfidentJoint {
    /// Cells that are not zero, by given and by true class. Of a class without examples the diagonal is 1 before calibration.
    pub counts: BTreeMap<(u32, u32), usize>,
    /// Rows that were counted off the diagonal, ascending.
    pub contradicted: Vec<usize>,
}

/// Counts every example for which some class reaches its threshold, and brings the counts to those of the given labels.
pub fn confident_joint(judged: Judged<'_>) -> ConfidentJoint {
    let (counts, contradicted) = counted(judged);
    ConfidentJoint { counts: calibrated(&counts, judged), contradicted }
}

impl ConfidentJoint {
    /// Share of the examples whose label is estimated to be wrong, in [0, 1].
    pub fn noise_rate(&self) -> f64 {
        let all: usize = self.counts.values().sum();
        let right: usize =
            self.counts.iter().filter(|((given, truth), _)| given == truth).map(|(_, c)| c).sum();
        if all == 0 { 0.0 } else { 1.0 - right as f64 / all as f64 }
    }

    /// Examples with the given class `given` that are estimated to be of class `truth`.
    pub fn count(&self, given: u32, truth: u32) -> usize {
        self.counts.get(&(given, truth)).copied().unwrap_or(0)
    }

    /// The pairs that are confused most, as given class, true class, count; at most `limit`, largest first.
    pub fn top_confusions(&self, limit: usize) -> Vec<(u32, u32, usize)> {
        let off = self.counts.iter().filter(|((given, truth), count)| given != truth && **count > 0);
        let mut pairs: Vec<_> = off.map(|((given, truth), count)| (*given, *truth, *count)).collect();
        pairs.sort_by_key(|(given, truth, count)| (std::cmp::Reverse(*count), *given, *truth));
        pairs.truncate(limit);
        pairs
    }
}

/// The class an example is confidently of: the only one that reaches its threshold, or the most probable when several do.
pub(crate) fn confident_class(probs: &[f64], thresholds: &[f64]) -> Option<usize> {
    let mut reaching = (0..probs.len()).filter(|class| probs[*class] >= thresholds[*class] - SLACK);
    let first = reaching.next()?;
    Some(if reaching.next().is_some() { argmax(probs) } else { first })
}

fn counted(judged: Judged<'_>) -> (BTreeMap<(u32, u32), usize>, Vec<usize>) {
    let thresholds = confident_thresholds(judged);
    let mut counts: BTreeMap<(u32, u32), usize> =
        (0..judged.n_classes() as u32).map(|class| ((class, class), 0)).collect();
    let mut contradicted = Vec::new();
    for (row, given) in judged.labels().iter().enumerate() {
        if let Some(class) = confident_class(judged.probs().row(row), &thresholds) {
            *counts.entry((*given, class as u32)).or_default() += 1;
            if class as u32 != *given {
                contradicted.push(row);
            }
        }
    }
    for class in 0..judged.n_classes() as u32 {
        let diagonal = counts.entry((class, class)).or_default();
        *diagonal = (*diagonal).max(1);
    }
    (counts, contradicted)
}

/// Every row brought to the number of examples that have its class, in whole numbers.
fn calibrated(counts: &BTreeMap<(u32, u32), usize>, judged: Judged<'_>) -> BTreeMap<(u32, u32), usize> {
    let sizes = judged.class_counts();
    let mut totals = vec![0_usize; sizes.len()];
    counts.iter().for_each(|((given, _), count)| totals[*given as usize] += count);
    let scaled: BTreeMap<(u32, u32), f64> = counts
        .iter()
        .map(|((given, truth), count)| {
            let (total, size) = (totals[*given as usize] as f64, sizes[*given as usize] as f64);
            ((*given, *truth), *count as f64 / total * size)
        })
        .collect();
    let sum: f64 = scaled.values().sum();
    let mut rows: BTreeMap<u32, Vec<(u32, f64)>> = BTreeMap::new();
    for ((given, truth), value) in scaled {
        rows.entry(given).or_default().push((truth, value / sum * judged.n() as f64));
    }
    let whole = rows.into_iter().flat_map(|(given, cells)| {
        let values: Vec<f64> = cells.iter().map(|(_, value)| *value).collect();
        let truths = cells.into_iter().map(move |(truth, _)| (given, truth));
        truths.zip(rounded_to_their_sum(&values)).collect::<Vec<_>>()
    });
    whole.collect()
}

/// Whole numbers whose sum is that of the values, rounded: the values most wrongly rounded give way.
fn rounded_to_their_sum(values: &[f64]) -> Vec<usize> {
    let mut whole: Vec<f64> = values.iter().map(|value| value.round_ties_even()).collect();
    let wanted = values.iter().sum::<f64>().round_ties_even();
    let missing = wanted - whole.iter().sum::<f64>();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| (values[*a] - whole[*a]).total_cmp(&(values[*b] - whole[*b])));
    if missing > 0.0 {
        order.reverse();
    }
    for place in order.into_iter().take(missing.abs() as usize) {
        whole[place] += missing.signum();
    }
    whole.into_iter().map(|value| value.max(0.0) as usize).collect()
}

#[cfg(test)]
mod tests {
    use linalg::Matrix;

    use super::*;

    #[test]
    fn rounding_keeps_the_sum() {
        assert_eq!(rounded_to_their_sum(&[1.4, 1.4, 1.2]), [1, 2, 1]);
        assert_eq!(rounded_to_their_sum(&[2.6, 2.7, 2.7]), [2, 3, 3]);
        assert_eq!(rounded_to_their_sum(&[0.0, 3.0]), [0, 3]);
    }

    #[test]
    fn a_hundred_thousand_classes_stay_sparse() {
        let k = 100_000;
        let mut probs = Matrix::zeros(3, k);
        for (row, class) in [(0, 7), (1, 7), (2, k - 1)] {
            probs.row_mut(row)[class] = 1.0;
        }
        let labels = [7, 5, k as u32 - 1];
        let judged = Judged::new(&labels, probs.view()).unwrap();
        let joint = confident_joint(judged);
        assert_eq!(joint.count(7, 7), 1);
        assert!(joint.counts.len() <= k + 3);
    }
}
