//! Which way of aligning is shipped: decided by held-out retrieval.

use std::sync::atomic::AtomicBool;

use dataset::split::folds;
use linalg::{Matrix, Seed};
use rayon::prelude::*;

use super::retrieval::{Place, by_chance, places, wrong_pairs};
use super::space::Space;
use super::{Alignment, FEWEST_PAIRS, WrongPairs, cca, procrustes};
use crate::TuneError;
use crate::fuse::Difference;

/// Folds of pairs.
const FOLDS: usize = 5;

/// Ways of aligning, the simplest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Principal axes, turned onto each other.
    Procrustes,
    /// Ridge canonical correlations as weights of a cosine.
    Cca,
}

/// A way of aligning with its record on held-out pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// Which way.
    pub method: Method,
    /// Mean of one over the rank of the true partner among the pairs of its fold, both directions.
    pub reciprocal_rank: f64,
    /// Share of partners among the ten best of the fold (R@10), both directions.
    pub found: f64,
    /// Its reciprocal rank less that of the simplest way: above 0 where it is better.
    pub over_simplest: Difference,
    /// Reciprocal rank of each pair, `[n]`.
    pub reciprocal_ranks: Vec<f64>,
    /// Whether the partner of each pair is among the ten best, `[n]`, mean of both directions.
    pub found_each: Vec<f64>,
}

/// What came of aligning.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligned {
    /// Fitted on all pairs; `None` where nothing is shared: no correlation is above those of shuffled pairs.
    pub alignment: Option<Alignment>,
    /// The way that was chosen.
    pub method: Method,
    /// What was compared, the simplest first.
    pub tried: Vec<Tried>,
    /// The reciprocal rank and the share among the ten best that chance gives.
    pub chance: (f64, f64),
    /// How right each pair looks; `None` where nothing is shared.
    pub wrong_pairs: Option<WrongPairs>,
}

/// Aligns from pairs: row i of `left`, `[n, d]`, belongs to row i of `right`, `[n, e]`; `groups` is `[n]`.
///
/// The more complex way is taken only if its held-out reciprocal rank is better by more than one standard error.
///
/// # Errors
/// [`TuneError::FewPairs`] below 50 groups of pairs; rows that differ in number, or a value that is not finite.
pub fn align(
    left: &Matrix,
    right: &Matrix,
    groups: &[u32],
    seed: Seed,
    cancel: &AtomicBool,
) -> Result<Aligned, TuneError> {
    check(left, right, groups)?;
    let n = left.rows();
    let fold_of = folds(&vec![0; n], groups, FOLDS, seed.derive("align"));
    let methods = [Method::Procrustes, Method::Cca];
    let records = methods.iter().map(|method| held_out(left, right, &fold_of, *method, seed, cancel));
    let records: Vec<Vec<Place>> = records.collect::<Result<_, _>>()?;
    let reciprocal = |record: &[Place]| record.iter().map(|place| place.reciprocal).collect::<Vec<f64>>();
    let difference = |a: &[Place], b: &[Place]| {
        let differences: Vec<f64> =
            reciprocal(a).into_iter().zip(reciprocal(b)).map(|(a, b)| a - b).collect();
        Difference::of(&differences, FOLDS, 1)
    };
    let over = difference(&records[1], &records[0]);
    let chosen = usize::from(over.mean - over.error > 0.0);
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / n as f64;
    let tried = methods.iter().zip(&records).map(|(method, record)| Tried {
        method: *method,
        reciprocal_rank: mean(reciprocal(record)),
        found: mean(record.iter().map(|place| place.found).collect()),
        over_simplest: difference(record, &records[0]),
        reciprocal_ranks: reciprocal(record),
        found_each: record.iter().map(|place| place.found).collect(),
    });
    let tried = tried.collect();
    let (x, y) = (Space::new(&left.map(f64::from)), Space::new(&right.map(f64::from)));
    let alignment = cca::fit(&x, &y, cca::RIDGE, seed)
        .map(|cca| if methods[chosen] == Method::Cca { cca } else { procrustes::fit(&x, &y) });
    let scores = || records[chosen].iter().map(|place| place.percentile).collect();
    let wrong_pairs = alignment.as_ref().map(|_| wrong_pairs(scores()));
    Ok(Aligned { alignment, method: methods[chosen], tried, chance: chance(&fold_of), wrong_pairs })
}

/// Places of all pairs, each by an alignment of the other folds. One that found nothing shared knows no partner.
fn held_out(
    left: &Matrix,
    right: &Matrix,
    fold_of: &[u8],
    method: Method,
    seed: Seed,
    cancel: &AtomicBool,
) -> Result<Vec<Place>, TuneError> {
    let found: Vec<(Vec<usize>, Vec<Place>)> = (0..FOLDS)
        .into_par_iter()
        .map(|fold| {
            TuneError::if_stopped(cancel)?;
            let (train, held): (Vec<usize>, Vec<usize>) =
                (0..fold_of.len()).partition(|pair| usize::from(fold_of[*pair]) != fold);
            let of = |side: &Matrix| Space::new(&side.select_rows(&train).map(f64::from));
            let (x, y) = (of(left), of(right));
            let alignment = match method {
                Method::Procrustes => Some(procrustes::fit(&x, &y)),
                Method::Cca => cca::fit(&x, &y, cca::RIDGE, seed.nth(fold)),
            };
            let (x, y) = (left.select_rows(&held), right.select_rows(&held));
            let places = match alignment {
                Some(alignment) => places(&alignment.left.turned_rows(&x), &alignment.right.turned_rows(&y)),
                None => places(&Matrix::zeros(held.len(), 1), &Matrix::zeros(held.len(), 1)),
            };
            Ok((held, places))
        })
        .collect::<Result<_, TuneError>>()?;
    let mut all = vec![Place::default(); fold_of.len()];
    for (held, places) in found {
        held.into_iter().zip(places).for_each(|(pair, place)| all[pair] = place);
    }
    Ok(all)
}

/// Chance for folds of these sizes.
fn chance(fold_of: &[u8]) -> (f64, f64) {
    let (mut reciprocal, mut found) = (0.0, 0.0);
    for fold in 0..FOLDS {
        let size = fold_of.iter().filter(|of| usize::from(**of) == fold).count();
        let (one, other) = by_chance(size);
        let share = size as f64 / fold_of.len() as f64;
        reciprocal += share * one;
        found += share * other;
    }
    (reciprocal, found)
}

fn check(left: &Matrix, right: &Matrix, groups: &[u32]) -> Result<(), TuneError> {
    let n = left.rows();
    for (what, got) in [("the right side", right.rows()), ("the list of groups", groups.len())] {
        if got != n {
            return Err(TuneError::Rows { what: what.to_owned(), got, expected: n });
        }
    }
    let mut independent = groups.to_vec();
    independent.sort_unstable();
    independent.dedup();
    if independent.len() < FEWEST_PAIRS {
        return Err(TuneError::FewPairs { n: independent.len(), fewest: FEWEST_PAIRS });
    }
    for (set, side) in [("left", left), ("right", right)] {
        if let Some(row) = (0..n).find(|row| !side.row(*row).iter().all(|value| value.is_finite())) {
            return Err(TuneError::NotFinite { set: set.to_owned(), row });
        }
    }
    Ok(())
}
