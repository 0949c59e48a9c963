//! Which labels are flagged as probably wrong: the rules of cleanlab 2.9, exactly.
//!
//! Where its order of equal scores is left to the sort, here the earlier row goes first.

use super::confident::{ConfidentJoint, SLACK, confident_joint};
use super::judged::{Judged, argmax};
use super::score::{normalized_margin, self_confidence};

/// Examples of a class that are never flagged, so that none is emptied.
const KEPT_PER_CLASS: usize = 1;

/// A rule for flagging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// For each pair of classes, as many as the joint says, by largest difference of the two probabilities.
    PruneByNoiseRate,
    /// For each class, as many as the joint says, by smallest self-confidence.
    PruneByClass,
    /// What both of the above flag.
    Both,
    /// Whatever was counted off the diagonal of the confident joint.
    ConfidentLearning,
    /// Whatever the model would label otherwise.
    PredictedNeqGiven,
    /// As many as `ConfidentLearning` flags, by smallest normalised margin.
    LowNormalizedMargin,
    /// As many as `ConfidentLearning` flags, by smallest self-confidence.
    LowSelfConfidence,
}

impl Filter {
    /// All rules.
    pub const ALL: [Self; 7] = [
        Self::PruneByNoiseRate,
        Self::PruneByClass,
        Self::Both,
        Self::ConfidentLearning,
        Self::PredictedNeqGiven,
        Self::LowNormalizedMargin,
        Self::LowSelfConfidence,
    ];

    /// The name that cleanlab gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PruneByNoiseRate => "prune_by_noise_rate",
            Self::PruneByClass => "prune_by_class",
            Self::Both => "both",
            Self::ConfidentLearning => "confident_learning",
            Self::PredictedNeqGiven => "predicted_neq_given",
            Self::LowNormalizedMargin => "low_normalized_margin",
            Self::LowSelfConfidence => "low_self_confidence",
        }
    }
}

/// `[n]`: which labels the rule flags.
pub fn flagged(judged: Judged<'_>, filter: Filter) -> Vec<bool> {
    let contradicted = || {
        let mut mask = vec![false; judged.n()];
        confident_joint(judged).contradicted.into_iter().for_each(|row| mask[row] = true);
        unless_predicted(judged, mask)
    };
    match filter {
        Filter::PruneByNoiseRate => unless_predicted(judged, by_noise_rate(judged, &prune_counts(judged))),
        Filter::PruneByClass => unless_predicted(judged, by_class(judged, &prune_counts(judged))),
        Filter::Both => {
            let counts = prune_counts(judged);
            let (a, b) = (by_noise_rate(judged, &counts), by_class(judged, &counts));
            unless_predicted(judged, a.into_iter().zip(b).map(|(a, b)| a && b).collect())
        }
        Filter::ConfidentLearning => contradicted(),
        Filter::PredictedNeqGiven => unless_predicted(judged, vec![true; judged.n()]),
        Filter::LowNormalizedMargin => lowest(&normalized_margin(judged), count(&contradicted())),
        Filter::LowSelfConfidence => lowest(&self_confidence(judged), count(&contradicted())),
    }
}

/// The rows flagged, lowest score first.
pub fn ranked(flags: &[bool], scores: &[f64]) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..flags.len()).filter(|row| flags[*row]).collect();
    rows.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    rows
}

fn count(mask: &[bool]) -> usize {
    mask.iter().filter(|flag| **flag).count()
}

pub(crate) fn lowest(scores: &[f64], count: usize) -> Vec<bool> {
    let mut mask = vec![false; scores.len()];
    let order = ranked(&vec![true; scores.len()], scores);
    order.into_iter().take(count).for_each(|row| mask[row] = true);
    mask
}

/// Takes back the flag where the given label is the predicted one, or as probable up to rounding.
fn unless_predicted(judged: Judged<'_>, mut mask: Vec<bool>) -> Vec<bool> {
    for (row, flag) in mask.iter_mut().enumerate().filter(|(_, flag)| **flag) {
        let given = judged.labels()[row] as usize;
        let mut probs = judged.probs().row(row).to_vec();
        probs[given] += SLACK;
        *flag = argmax(&probs) != given;
    }
    mask
}

/// The calibrated joint with at least [`KEPT_PER_CLASS`] on the diagonal, taken evenly from the rest of that given class.
fn prune_counts(judged: Judged<'_>) -> ConfidentJoint {
    let mut joint = confident_joint(judged);
    for class in 0..judged.n_classes() as u32 {
        let kept = joint.count(class, class);
        if kept >= KEPT_PER_CLASS {
            continue;
        }
        // The peer counts the cells that are not zero, less one for the diagonal, whether or not that is zero itself.
        let cells =
            joint.counts.range((class, 0)..=(class, u32::MAX)).filter(|(_, count)| **count > 0).count();
        let each = (KEPT_PER_CLASS - kept) as f64 / cells.saturating_sub(1).max(1) as f64;
        for (_, count) in joint.counts.range_mut((class, 0)..=(class, u32::MAX)) {
            *count = (*count as f64 - each).max(0.0) as usize;
        }
        joint.counts.insert((class, class), KEPT_PER_CLASS);
    }
    joint
}

fn by_class(judged: Judged<'_>, joint: &ConfidentJoint) -> Vec<bool> {
    let mut mask = vec![false; judged.n()];
    for (class, mut rows) in judged.rows_by_class() {
        if rows.len() <= KEPT_PER_CLASS {
            continue;
        }
        let wrong = rows.len().saturating_sub(joint.count(class, class));
        rows.sort_by(|a, b| judged.self_confidence_of(*a).total_cmp(&judged.self_confidence_of(*b)));
        rows.into_iter().take(wrong).for_each(|row| mask[row] = true);
    }
    mask
}

fn by_noise_rate(judged: Judged<'_>, joint: &ConfidentJoint) -> Vec<bool> {
    let mut mask = vec![false; judged.n()];
    let by_class = judged.rows_by_class();
    for ((given, truth), count) in &joint.counts {
        let Some(rows) = by_class.get(given).filter(|rows| rows.len() > KEPT_PER_CLASS) else { continue };
        if given == truth || *count == 0 {
            continue;
        }
        let margin = |row: usize| judged.probs().row(row)[*truth as usize] - judged.self_confidence_of(row);
        let mut order = rows.clone();
        order.sort_by(|a, b| margin(*b).total_cmp(&margin(*a)));
        order.into_iter().take(*count).for_each(|row| mask[row] = true);
    }
    mask
}
