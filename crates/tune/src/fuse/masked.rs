//! What each sense is worth: the loss with it alone, with each pair, with all, and with each one taken away.

use std::sync::atomic::AtomicBool;

use linalg::Seed;
use rayon::prelude::*;

use super::choice::{Deals, ask, fit};
use super::{Difference, FuseInput, Kind, Subset};
use crate::TuneError;

/// What is lost when only some senses are let speak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskedLoss {
    /// The senses that speak.
    pub subset: Subset,
    /// Mean out-of-fold log-loss.
    pub loss: f64,
    /// Share of the rows that are right.
    pub accuracy: f64,
    /// Its loss less that of all senses.
    pub over_all: Difference,
    /// Held-out rows that have every sense: all subsets are judged on these.
    pub n: usize,
}

/// Losses of one kind of model on rows that have every sense, some of them masked; empty when no held-out row has all.
///
/// Subsets come in the order of their size: single senses, pairs, all but one, all.
///
/// # Errors
/// [`TuneError`] names the row or the sense at fault.
pub fn masked_losses(
    input: &FuseInput<'_>,
    kind: Kind,
    seed: Seed,
    cancel: &AtomicBool,
) -> Result<Vec<MaskedLoss>, TuneError> {
    input.check()?;
    let (deals, all) = (Deals::new(input, seed), Subset::all(input.senses.len()));
    let told = |subset: &Subset| subset.len() <= 2 || subset.len() + 1 >= all.len();
    let mut subsets: Vec<Subset> = Subset::every(all.len()).filter(told).collect();
    subsets.sort_by_key(|subset| (subset.len(), *subset));
    let found: Vec<Vec<(usize, Vec<[f64; 2]>)>> = deals
        .splits()
        .into_par_iter()
        .map(|(train, held_out)| {
            TuneError::if_stopped(cancel)?;
            let fused = fit(input, kind, &train, &subsets)?;
            let complete = held_out.into_iter().filter(|row| input.subset(*row) == all);
            let losses = |row: usize| {
                let label = input.labels[row] as usize;
                let judged = |subset: &Subset| {
                    let said = ask(&fused, input, row, *subset);
                    let is_right =
                        said.iter().enumerate().all(|(class, value)| class == label || *value < said[label]);
                    [-said[label], f64::from(u8::from(is_right))]
                };
                (row, subsets.iter().map(judged).collect())
            };
            Ok(complete.map(losses).collect())
        })
        .collect::<Result<_, TuneError>>()?;
    let mut of_rows = vec![vec![[0.0; 2]; subsets.len()]; input.n()];
    for (row, judged) in found.into_iter().flatten() {
        for ([loss, right], [more, also]) in of_rows[row].iter_mut().zip(judged) {
            *loss += more / deals.repeats.len() as f64;
            *right += also / deals.repeats.len() as f64;
        }
    }
    let judged: Vec<usize> =
        deals.validated(input.n()).into_iter().filter(|row| input.subset(*row) == all).collect();
    if judged.is_empty() {
        return Ok(Vec::new());
    }
    let last = subsets.len() - 1;
    let masked = |(place, subset): (usize, &Subset)| {
        let over: Vec<f64> =
            judged.iter().map(|row| of_rows[*row][place][0] - of_rows[*row][last][0]).collect();
        let mean = |what: usize| {
            judged.iter().map(|row| of_rows[*row][place][what]).sum::<f64>() / judged.len() as f64
        };
        MaskedLoss {
            subset: *subset,
            loss: mean(0),
            accuracy: mean(1),
            over_all: Difference::of(&over, deals.folds, deals.repeats.len()),
            n: judged.len(),
        }
    };
    Ok(subsets.iter().enumerate().map(masked).collect())
}
