//! Which model over the senses is shipped: decided on rows that it was not fitted on.

use std::sync::atomic::AtomicBool;

use dataset::split::{folds, plan};
use linalg::logits::fit_scale;
use linalg::{Matrix, Seed};
use rayon::prelude::*;

use super::gated::can_be_gated;
use super::joint::small_enough;
use super::pool::log_prior;
use super::{FuseInput, Fused, GatedPool, JointGda, LatePool, Seen, Single, Subset};
use crate::TuneError;
use crate::evidence::{mean, mean_with_error};
use crate::tuning::classes_with_one_group;

/// Below this many rows a scale has a prior (methods 6.1).
const PRIOR_BELOW: usize = 100;
/// Standard errors to each side of a 95 % interval.
const WIDTH: f64 = 1.96;
/// Rows that are never held out.
const NEVER: u8 = u8::MAX;

/// Kinds of models over senses, the simplest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The best single sense that is there.
    Single,
    /// [`LatePool`].
    Late,
    /// [`JointGda`].
    Joint,
    /// [`GatedPool`].
    Gated,
}

/// A mean of paired differences with its 95 % interval, corrected for overlapping training sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Below 0 where the first is better.
    pub mean: f64,
    /// Standard error.
    pub error: f64,
    /// The interval.
    pub interval: (f64, f64),
}

/// A kind of model with its record.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// Which kind.
    pub kind: Kind,
    /// Mean out-of-fold log-loss.
    pub loss: f64,
    /// Share of held-out rows that are right.
    pub accuracy: f64,
    /// Its loss less that of the best single sense.
    pub over_single: Difference,
    /// Loss of each row, `[n]`, mean over repeats; NaN where no fold held it out.
    pub losses: Vec<f64>,
    /// Whether each row is right, `[n]`, mean over repeats; NaN where no fold held it out.
    pub scores: Vec<f64>,
}

/// The model that is shipped, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Fitted on all rows.
    pub fused: Fused,
    /// Its kind.
    pub kind: Kind,
    /// What was compared, the simplest first.
    pub tried: Vec<Tried>,
    /// Why there is no joint model among them, if there is none.
    pub without_joint: Option<TuneError>,
    /// Rows that some fold held out, ascending.
    pub validated: Vec<usize>,
    /// Out-of-fold log-probabilities of the chosen kind, `[n, k]`, mean over repeats; zeros where a row was never held out.
    pub log_probs: Matrix<f64>,
}

/// Chooses by nested out-of-fold log-loss, and fits the winner on all rows.
///
/// A more complex kind replaces a simpler one only if it is better by more than one standard error of the paired difference.
/// Weights, scales, shrinkage and which single sense is best are found anew on the other folds each time; the log-probabilities of
/// the senses' heads are as given.
///
/// # Errors
/// [`TuneError`] names the row or the sense at fault; [`TuneError::Cancelled`] soon after `cancel` became true.
pub fn choose(input: &FuseInput<'_>, seed: Seed, cancel: &AtomicBool) -> Result<Choice, TuneError> {
    input.check()?;
    let deals = Deals::new(input, seed);
    let validated = deals.validated(input.n());
    let rows: Vec<usize> = (0..input.n()).collect();
    let mut records = Vec::new();
    let mut without_joint = None;
    for kind in [Kind::Single, Kind::Late] {
        records.push((kind, record(input, kind, &deals, cancel)?));
    }
    match small_enough(input).and_then(|()| record(input, Kind::Joint, &deals, cancel)) {
        Ok(record) => records.push((Kind::Joint, record)),
        Err(TuneError::Cancelled) => return Err(TuneError::Cancelled),
        Err(error) => without_joint = Some(error),
    }
    if can_be_gated(input) {
        records.push((Kind::Gated, record(input, Kind::Gated, &deals, cancel)?));
    }
    let single = records[0].1.losses.clone();
    let difference = |a: &[f64], b: &[f64]| {
        let differences: Vec<f64> = validated.iter().map(|row| a[*row] - b[*row]).collect();
        Difference::of(&differences, deals.folds, deals.repeats.len())
    };
    let mut chosen = 0;
    for place in 1..records.len() {
        let over = difference(&records[place].1.losses, &records[chosen].1.losses);
        if over.mean + over.error < 0.0 {
            chosen = place;
        }
    }
    let (kind, log_probs) = (records[chosen].0, records[chosen].1.log_probs.clone());
    let tried = records
        .into_iter()
        .map(|(kind, Record { losses, scores, .. })| Tried {
            kind,
            loss: mean(&losses, &validated),
            accuracy: mean(&scores, &validated),
            over_single: difference(&losses, &single),
            losses,
            scores,
        })
        .collect();
    let subsets: Vec<Subset> = Subset::every(input.senses.len()).collect();
    let fused = fit(input, kind, &rows, &subsets)?;
    Ok(Choice { fused, kind, tried, without_joint, validated, log_probs })
}

impl Choice {
    /// For examples of which none can be held out: the first sense that is there answers, and nothing was compared.
    pub fn untested(n_senses: usize, log_prior: Vec<f64>) -> Self {
        let log_probs = Matrix::zeros(0, log_prior.len());
        let single = Single { order: (0..n_senses).collect(), scales: vec![1.0; n_senses], log_prior };
        Self {
            fused: Fused::Single(single),
            kind: Kind::Single,
            tried: Vec::new(),
            without_joint: None,
            validated: Vec::new(),
            log_probs,
        }
    }
}

impl Difference {
    /// Of paired differences, `folds` folds dealt `repeats` times.
    pub(crate) fn of(differences: &[f64], folds: usize, repeats: usize) -> Self {
        let (mean, error) = mean_with_error(differences, folds, repeats);
        Self { mean, error, interval: (mean - WIDTH * error, mean + WIDTH * error) }
    }
}

/// Fits one kind on some rows, for some subsets of the senses.
pub(crate) fn fit(
    input: &FuseInput<'_>,
    kind: Kind,
    rows: &[usize],
    subsets: &[Subset],
) -> Result<Fused, TuneError> {
    match kind {
        Kind::Single => Ok(Fused::Single(best_single(input, rows))),
        Kind::Late => Ok(Fused::Late(LatePool::fit_rows(input, rows, subsets))),
        Kind::Joint => JointGda::fit_rows(input, rows, None, subsets).map(Fused::Joint),
        Kind::Gated => GatedPool::fit_rows(input, rows, subsets).map(Fused::Gated),
    }
}

/// The senses by the log-loss of their heads alone over all rows, the prior answering where one is missing.
fn best_single(input: &FuseInput<'_>, rows: &[usize]) -> Single {
    let log_prior = log_prior(input, rows);
    let scale_and_loss = |sense: usize| {
        let there: Vec<usize> =
            rows.iter().copied().filter(|row| input.senses[sense].present[*row]).collect();
        let labels: Vec<u32> = there.iter().map(|row| input.labels[*row]).collect();
        let said = input.senses[sense].log_probs.select_rows(&there);
        let scale =
            if there.is_empty() { 1.0 } else { fit_scale(said.view(), &labels, there.len() < PRIOR_BELOW) };
        let alone = Single { order: vec![0], scales: vec![scale], log_prior: log_prior.clone() };
        let loss = |row: &usize| {
            let said = input.senses[sense].present[*row].then(|| input.senses[sense].log_probs.row(*row));
            -alone.log_probs(&[said])[input.labels[*row] as usize]
        };
        (scale, rows.iter().map(loss).sum::<f64>())
    };
    let (scales, losses): (Vec<f64>, Vec<f64>) = (0..input.senses.len()).map(scale_and_loss).unzip();
    let mut order: Vec<usize> = (0..scales.len()).collect();
    order.sort_by(|a, b| losses[*a].total_cmp(&losses[*b]).then(a.cmp(b)));
    Single { order, scales, log_prior }
}

/// Log-probabilities of a row, by the senses of a subset that it has.
pub(crate) fn ask(fused: &Fused, input: &FuseInput<'_>, row: usize, subset: Subset) -> Vec<f64> {
    let said = input.said(row, subset);
    match fused {
        Fused::Single(single) => single.log_probs(&said),
        Fused::Late(pool) => pool.log_probs(&said, &vec![1.0; said.len()]),
        Fused::Joint(joint) => {
            let features = input.senses.iter().enumerate().map(|(place, sense)| {
                sense.features.filter(|_| subset.contains(place)).map(|features| features.row(row))
            });
            joint.log_probs(&features.collect::<Vec<_>>())
        }
        Fused::Gated(gated) => {
            let seen = input.senses.iter().zip(&said).map(|(sense, said)| {
                let features = sense.features.map_or(&[][..], |features| features.row(row));
                said.map(|log_probs| Seen { log_probs, features, familiarity: None })
            });
            let gates = match subset.len() {
                1 => vec![1.0; said.len()],
                _ => gated.gates(&seen.collect::<Vec<_>>()),
            };
            gated.pool().log_probs(&said, &gates)
        }
    }
}

/// What one kind said of each row out of fold.
struct Record {
    losses: Vec<f64>,
    scores: Vec<f64>,
    log_probs: Matrix<f64>,
}

/// Out-of-fold answers, their losses, and whether they are right; mean over repeats, NaN where never held out.
fn record(
    input: &FuseInput<'_>,
    kind: Kind,
    deals: &Deals,
    cancel: &AtomicBool,
) -> Result<Record, TuneError> {
    let n = input.n();
    let (mut losses, mut scores) = (vec![f64::NAN; n], vec![f64::NAN; n]);
    let mut all = Matrix::zeros(n, input.n_classes);
    let share = 1.0 / deals.repeats.len() as f64;
    for row in deals.validated(n) {
        (losses[row], scores[row]) = (0.0, 0.0);
    }
    let found: Vec<_> = deals
        .splits()
        .into_par_iter()
        .map(|(train, held_out)| {
            TuneError::if_stopped(cancel)?;
            let mut subsets: Vec<Subset> = held_out.iter().map(|row| input.subset(*row)).collect();
            subsets.sort_unstable();
            subsets.dedup();
            let fused = fit(input, kind, &train, &subsets)?;
            let asked = held_out.into_iter().map(|row| (row, ask(&fused, input, row, input.subset(row))));
            Ok(asked.collect::<Vec<_>>())
        })
        .collect::<Result<_, TuneError>>()?;
    for (row, log_probs) in found.into_iter().flatten() {
        let label = input.labels[row] as usize;
        let best = (0..log_probs.len())
            .fold(0, |best, class| if log_probs[class] > log_probs[best] { class } else { best });
        losses[row] -= share * log_probs[label];
        scores[row] += share * f64::from(u8::from(best == label));
        all.row_mut(row).iter_mut().zip(&log_probs).for_each(|(sum, value)| *sum += share * value);
    }
    Ok(Record { losses, scores, log_probs: all })
}

/// Folds that keep groups together, dealt several times for few rows.
pub(crate) struct Deals {
    pub(crate) folds: usize,
    /// The fold of each row, for each repeat.
    pub(crate) repeats: Vec<Vec<u8>>,
}

impl Deals {
    pub(crate) fn new(input: &FuseInput<'_>, seed: Seed) -> Self {
        let plan = plan(input.labels, input.groups);
        let lonely = classes_with_one_group(input.labels, input.groups);
        let deal = |repeat: usize| {
            let seed = seed.derive("fuse").nth(repeat);
            let mut deal = folds(input.labels, input.groups, plan.folds, seed);
            for (fold, label) in deal.iter_mut().zip(input.labels) {
                if lonely.binary_search(label).is_ok() {
                    *fold = NEVER;
                }
            }
            deal
        };
        Self { folds: plan.folds, repeats: (0..plan.repeats).map(deal).collect() }
    }

    /// Rows that some fold holds out, ascending; a class with one group is never held out.
    pub(crate) fn validated(&self, n: usize) -> Vec<usize> {
        (0..n).filter(|row| self.repeats[0][*row] != NEVER).collect()
    }

    /// Rows to fit on and rows held out, for each fold of each repeat.
    pub(crate) fn splits(&self) -> Vec<(Vec<usize>, Vec<usize>)> {
        let split =
            |deal: &Vec<u8>, fold: usize| (0..deal.len()).partition(|row| usize::from(deal[*row]) != fold);
        let splits: Vec<(Vec<usize>, Vec<usize>)> =
            self.repeats.iter().flat_map(|deal| (0..self.folds).map(move |fold| split(deal, fold))).collect();
        splits.into_iter().filter(|(_, held_out)| !held_out.is_empty()).collect()
    }
}
