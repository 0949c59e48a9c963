//! Which way of aligning is shipped: decided by held-out retrieval.

use std::cell::LazyCell;
use std::sync::atomic::AtomicBool;

use dataset::split::folds;
use linalg::{Matrix, Seed};
use rayon::prelude::*;

use super::retrieval::{Place, by_chance, places, wrong_pairs};
use super::space::Space;
use super::{Alignment, FEWEST_PAIRS, WrongPairs, cca, procrustes, projectors};
use crate::TuneError;
use crate::fuse::Difference;

/// Folds of pairs.
const FOLDS: usize = 5;
/// By so many standard errors pairs of one space are found better than by chance, if they share anything.
const ABOVE_CHANCE: f64 = 1.645;
/// Pairs of one space that are judged: of sets of two pairs that share nothing, one in six looks as if they did.
const FEWEST_JUDGED: usize = 10;

/// Ways of aligning, the simplest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Nothing is learned: both sides lie in one space already.
    AsItIs,
    /// Principal axes, turned onto each other.
    Procrustes,
    /// Ridge canonical correlations as weights of a cosine.
    Cca,
    /// Linear maps that tell each partner among all others.
    Projectors,
}

/// Whether the features of both sides lie in one space before anything is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spaces {
    /// Each base has its own.
    Two,
    /// Both bases are towers of one.
    One,
}

/// What belongs together: row i of `left` to row i of `right`.
#[derive(Debug, Clone, Copy)]
pub struct Pairs<'a> {
    /// `[n, d]`.
    pub left: &'a Matrix,
    /// `[n, e]`; of one space, `e = d`.
    pub right: &'a Matrix,
    /// Pairs of a group stay together in every split, `[n]`.
    pub groups: &'a [u32],
    /// Where the two sides lie.
    pub spaces: Spaces,
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
    /// Fitted on all pairs; `None` where nothing is shared: no correlation is above those of shuffled pairs, or pairs of one space are
    /// found as seldom as by chance.
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

/// Aligns from pairs.
///
/// Of the ways that learn, the one with the best held-out reciprocal rank is taken; two sides in one space are left as they are unless it is
/// better by more than one standard error. Of two sides in one space as few as ten pairs are judged; what is learned needs 50 there too.
///
/// # Errors
/// [`TuneError::FewPairs`] below 50 groups of pairs, in one space below 10; rows that differ in number, or a value that is not finite.
pub fn align(pairs: Pairs<'_>, seed: Seed, cancel: &AtomicBool) -> Result<Aligned, TuneError> {
    let independent = check(pairs)?;
    let n = pairs.left.rows();
    let methods = methods(pairs.spaces, independent);
    // Where nothing is learned there is nothing to hold out.
    let fold_of = if methods == [Method::AsItIs] {
        vec![0; n]
    } else {
        folds(&vec![0; n], pairs.groups, FOLDS, seed.derive("align"))
    };
    let records = held_out(pairs, &fold_of, &methods, seed, cancel)?;
    let chance = chance(&fold_of);
    let chosen = chosen(&methods, &records);
    TuneError::if_stopped(cancel)?;
    let spaces = LazyCell::new(|| [pairs.left, pairs.right].map(|side| Space::new(&side.map(f64::from))));
    let alignment = match methods[chosen] {
        Method::AsItIs => {
            let over: Vec<f64> = records[chosen].reciprocal().map(|rank| rank - chance.0).collect();
            let over = Difference::of(&over, FOLDS, 1);
            let is_shared = over.mean > ABOVE_CHANCE * over.error;
            is_shared.then(|| Alignment::as_it_is(pairs.left.cols()))
        }
        // It asks by itself whether anything is shared.
        Method::Cca => fit(Method::Cca, &spaces, seed),
        // The others turn whatever they are given; whether anything is shared is asked of the correlations.
        learned => fit(Method::Cca, &spaces, seed).and_then(|_| fit(learned, &spaces, seed)),
    };
    let scores = || records[chosen].0.iter().map(|place| place.percentile).collect();
    let wrong_pairs = alignment.as_ref().map(|_| wrong_pairs(scores()));
    let tried = methods.iter().zip(&records).map(|(method, record)| record.told(*method, &records[0]));
    Ok(Aligned { alignment, method: methods[chosen], tried: tried.collect(), chance, wrong_pairs })
}

/// The way that is taken, by its place.
fn chosen(methods: &[Method], records: &[Record]) -> usize {
    let learned = (0..methods.len()).filter(|one| methods[*one] != Method::AsItIs);
    // Of equal ones the first, which is the simplest.
    let best = learned.rev().max_by(|one, other| records[*one].mean().total_cmp(&records[*other].mean()));
    let best = best.unwrap_or(0);
    let over = records[best].over(&records[0]);
    if methods[0] == Method::AsItIs && over.mean <= over.error { 0 } else { best }
}

/// What is compared, the simplest first.
fn methods(spaces: Spaces, independent: usize) -> Vec<Method> {
    let as_it_is = (spaces == Spaces::One).then_some(Method::AsItIs);
    let learned = [Method::Procrustes, Method::Cca].into_iter().filter(|_| independent >= FEWEST_PAIRS);
    let projectors = (independent >= projectors::FEWEST_PAIRS).then_some(Method::Projectors);
    as_it_is.into_iter().chain(learned).chain(projectors).collect()
}

/// One way that learns, fitted; `None` where nothing is shared.
fn fit<F: FnOnce() -> [Space; 2]>(
    method: Method,
    spaces: &LazyCell<[Space; 2], F>,
    seed: Seed,
) -> Option<Alignment> {
    let [x, y] = &**spaces;
    match method {
        Method::AsItIs => unreachable!("it learns nothing"),
        Method::Procrustes => Some(procrustes::fit(x, y)),
        Method::Cca => cca::fit(x, y, cca::RIDGE, seed),
        Method::Projectors => Some(projectors::fit(x, y, seed)),
    }
}

/// How each pair did by one way, `[n]`.
struct Record(Vec<Place>);

impl Record {
    fn reciprocal(&self) -> impl Iterator<Item = f64> + '_ {
        self.0.iter().map(|place| place.reciprocal)
    }

    fn mean(&self) -> f64 {
        self.reciprocal().sum::<f64>() / self.0.len() as f64
    }

    fn over(&self, other: &Self) -> Difference {
        let differences: Vec<f64> = self.reciprocal().zip(other.reciprocal()).map(|(a, b)| a - b).collect();
        Difference::of(&differences, FOLDS, 1)
    }

    fn told(&self, method: Method, simplest: &Self) -> Tried {
        let n = self.0.len() as f64;
        let found_each: Vec<f64> = self.0.iter().map(|place| place.found).collect();
        Tried {
            method,
            reciprocal_rank: self.mean(),
            found: found_each.iter().sum::<f64>() / n,
            over_simplest: self.over(simplest),
            reciprocal_ranks: self.reciprocal().collect(),
            found_each,
        }
    }
}

/// Places of all pairs by each way, fitted on the other folds. One that found nothing shared knows no partner.
fn held_out(
    pairs: Pairs<'_>,
    fold_of: &[u8],
    methods: &[Method],
    seed: Seed,
    cancel: &AtomicBool,
) -> Result<Vec<Record>, TuneError> {
    let n_folds = fold_of.iter().max().map_or(0, |last| usize::from(*last) + 1);
    let found: Vec<(Vec<usize>, Vec<Vec<Place>>)> = (0..n_folds)
        .into_par_iter()
        .map(|fold| {
            let (held, train): (Vec<usize>, Vec<usize>) =
                (0..fold_of.len()).partition(|pair| usize::from(fold_of[*pair]) == fold);
            let space = |side: &Matrix| Space::new(&side.select_rows(&train).map(f64::from));
            let spaces = LazyCell::new(|| [pairs.left, pairs.right].map(space));
            let (left, right) = (pairs.left.select_rows(&held), pairs.right.select_rows(&held));
            let places = methods.iter().map(|method| {
                TuneError::if_stopped(cancel)?;
                let fitted = match method {
                    Method::AsItIs => Some(Alignment::as_it_is(pairs.left.cols())),
                    learned => fit(*learned, &spaces, seed.nth(fold)),
                };
                Ok(match fitted {
                    Some(Alignment { left: a, right: b }) => {
                        places(&a.turned_rows(&left), &b.turned_rows(&right))
                    }
                    None => places(&Matrix::zeros(held.len(), 1), &Matrix::zeros(held.len(), 1)),
                })
            });
            let places = places.collect::<Result<_, TuneError>>()?;
            Ok((held, places))
        })
        .collect::<Result<_, TuneError>>()?;
    let record = |method: usize| {
        let mut all = vec![Place::default(); fold_of.len()];
        for (held, places) in &found {
            held.iter().zip(&places[method]).for_each(|(pair, place)| all[*pair] = *place);
        }
        Record(all)
    };
    Ok((0..methods.len()).map(record).collect())
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

/// Refuses what cannot be aligned; gives how many groups there are.
fn check(pairs: Pairs<'_>) -> Result<usize, TuneError> {
    let Pairs { left, right, groups, spaces } = pairs;
    let n = left.rows();
    for (what, got) in [("the right side", right.rows()), ("the list of groups", groups.len())] {
        if got != n {
            return Err(TuneError::Rows { what: what.to_owned(), got, expected: n });
        }
    }
    if spaces == Spaces::One && left.cols() != right.cols() {
        let what = "the right side".to_owned();
        return Err(TuneError::Columns { what, got: right.cols(), expected: left.cols() });
    }
    let mut independent = groups.to_vec();
    independent.sort_unstable();
    independent.dedup();
    let fewest = if spaces == Spaces::One { FEWEST_JUDGED } else { FEWEST_PAIRS };
    if independent.len() < fewest {
        return Err(TuneError::FewPairs { n: independent.len(), fewest });
    }
    for (set, side) in [("left", left), ("right", right)] {
        if let Some(row) = (0..n).find(|row| !side.row(*row).iter().all(|value| value.is_finite())) {
            return Err(TuneError::NotFinite { set: set.to_owned(), row });
        }
    }
    Ok(independent.len())
}
