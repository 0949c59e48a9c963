//! Does the interval that the product shows hold? Draws a small training set many times, and counts how often the interval of the
//! estimate contains the accuracy on everything else.

use std::path::Path;

use evaluate::{OodDetector, bbc_accuracy};
use linalg::Seed;
use sha2::{Digest, Sha256};

use crate::run::tables;
use crate::table::Table;
use crate::task::Task;

/// Random splits.
const SPLITS: usize = 50;
/// The share that must be covered.
const NEEDED: f64 = 0.9;

/// p-value below which the product calls an example unfamiliar.
const UNFAMILIAR_BELOW: f64 = 0.01;

/// What one task's intervals held.
pub(crate) struct Coverage {
    pub(crate) n_train: usize,
    pub(crate) covered: usize,
    pub(crate) splits: usize,
    /// Mean of estimate minus test accuracy: positive flatters.
    pub(crate) bias: f64,
    /// Mean width of the interval.
    pub(crate) width: f64,
    /// Share of the other examples that are called unlike anything seen; 1 % is promised.
    pub(crate) alarms: f64,
}

impl Coverage {
    pub(crate) fn holds(&self) -> bool {
        self.covered as f64 >= NEEDED * self.splits as f64
    }
}

/// Splits train and test of a task together, anew each time: `n_train` examples to tune on, the rest to judge.
pub(crate) fn coverage(task: &Task, data: &Path, n_train: usize) -> anyhow::Result<Coverage> {
    let (train, test) = tables(task, data)?;
    let all = train.and(&test);
    let mut result = Coverage { n_train, covered: 0, splits: SPLITS, bias: 0.0, width: 0.0, alarms: 0.0 };
    for split in 0..SPLITS {
        let mut order: Vec<usize> = (0..all.n()).collect();
        order.sort_by_cached_key(|row| Sha256::digest(format!("coverage {split} {row}")));
        let (known, unknown) = order.split_at(n_train);
        let (known, unknown) = (all.select(known), all.select(unknown));
        let (truth, estimate) = judge(&known, &unknown, split)?;
        result.alarms += alarms(&known, &unknown, split) / SPLITS as f64;
        result.covered += usize::from(estimate.low <= truth && truth <= estimate.high);
        result.bias += (estimate.value - truth) / SPLITS as f64;
        result.width += (estimate.high - estimate.low) / SPLITS as f64;
    }
    Ok(result)
}

fn judge(known: &Table, unknown: &Table, split: usize) -> anyhow::Result<(f64, evaluate::Estimate)> {
    let tuned = known.tune(split as u64)?;
    let groups: Vec<u32> = tuned.validated.iter().map(|row| *row as u32).collect();
    let estimate = bbc_accuracy(tuned.losses.view(), tuned.scores.view(), &groups, Seed(split as u64))?;
    Ok((unknown.accuracy(&tuned.head), estimate))
}

/// Share of examples of the same kind that the detector of unfamiliar ones stops, at the level that the product uses.
fn alarms(known: &Table, unknown: &Table, split: usize) -> f64 {
    let groups: Vec<u32> = (0..known.n() as u32).collect();
    let folds = OodDetector::folds(&groups, Seed(split as u64));
    let Some(detector) = OodDetector::fit(known.sets[0].x.view(), &known.labels, &folds) else { return 0.0 };
    let stopped = unknown.sets[0].x.iter_rows().filter(|row| detector.p_value(row) < UNFAMILIAR_BELOW);
    stopped.count() as f64 / unknown.n() as f64
}
