//! Which of several senses of an example belongs to another one: a note beside the wrong photo, a sound of another machine.
//!
//! Start at [`pairing`]. Three things can be so of an example: all is right; its label is wrong; or one of its senses belongs to another
//! example. Each makes what was given and heard more or less probable, and how often each happens follows from the data (`mixture`).
//! So a sense that contradicts the others is told from a label that all senses contradict, and where nothing contradicts nothing is told.

mod evidence;
mod mixture;

use linalg::Matrix;

use crate::CurateError;
use evidence::{Evidence, Reading};
use mixture::Mixture;

/// Probability from which on a sense is told to be of another example.
const PROBABLE: f64 = 0.5;
/// So many examples, evenly spread, tell how often senses and labels are wrong and how sure a sense is.
const TELLING: usize = 10_000;

/// What the senses of labelled examples say, each by itself and out of fold.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// `[n]`: the given labels, each below `k`.
    pub labels: &'a [u32],
    /// `k`, how many classes there are.
    pub n_classes: usize,
    /// What each sense says.
    pub senses: &'a [HeardSense],
}

/// What one sense says of the same examples.
#[derive(Debug, Clone)]
pub struct HeardSense {
    /// `[n, k]`: probabilities by this sense alone; whatever stands in rows without it is not read.
    pub probs: Matrix<f64>,
    /// `[n]`: whether the example has it.
    pub present: Vec<bool>,
}

/// How probable it is that senses belong where they stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairing {
    /// `[n]`: the probability that no sense belongs to another example; `None` where there are fewer than two.
    pub scores: Vec<Option<f64>>,
    /// `[n]`: the sense that most probably does, by its place.
    pub suspects: Vec<Option<usize>>,
    /// Examples of which one probably does, the most probable first.
    pub flagged: Vec<usize>,
    /// The share of examples of which each sense is wrong, as estimated.
    pub shares: Vec<f64>,
    /// The share of labels that are wrong, as estimated.
    pub wrong_labels: f64,
}

/// Finds senses that belong to other examples.
///
/// # Errors
/// No rows, lists or tables that differ in length, a label without a column.
pub fn pairing(heard: &Heard<'_>) -> Result<Pairing, CurateError> {
    check(heard)?;
    let n = heard.labels.len();
    let some = (0..n).step_by(n.div_ceil(TELLING)).collect();
    let Mixture { shares, readings } = mixture::fit(&Evidence::new(heard, some));
    let all = Evidence::new(heard, (0..n).collect());
    let read = |(sense, reading): (usize, &Reading)| all.log_ratios(sense, *reading);
    let likely = all.likely(&readings.iter().enumerate().map(read).collect::<Vec<_>>());
    let mut found = Pairing {
        scores: Vec::with_capacity(likely.len()),
        suspects: Vec::with_capacity(likely.len()),
        flagged: Vec::new(),
        wrong_labels: shares.label,
        shares: shares.senses.clone(),
    };
    for (row, likely) in likely.iter().enumerate() {
        let there = |sense: &usize| heard.senses[*sense].present[row];
        let there: Vec<usize> = (0..heard.senses.len()).filter(there).collect();
        if there.len() < 2 {
            found.scores.push(None);
            found.suspects.push(None);
            continue;
        }
        let of = shares.posterior(likely);
        // That a sense which is not there belongs elsewhere means nothing: then all is right.
        let foreign: f64 = there.iter().map(|sense| of.senses[*sense]).sum();
        let most = |a: &&usize, b: &&usize| of.senses[**a].total_cmp(&of.senses[**b]).then(b.cmp(a));
        found.scores.push(Some((1.0 - foreign).clamp(0.0, 1.0)));
        found.suspects.push(there.iter().max_by(most).copied());
    }
    let score = |row: usize| found.scores[row].unwrap_or(1.0);
    let mut flagged: Vec<usize> = (0..likely.len()).filter(|row| score(*row) < PROBABLE).collect();
    flagged.sort_by(|a, b| score(*a).total_cmp(&score(*b)).then(a.cmp(b)));
    found.flagged = flagged;
    Ok(found)
}

fn check(heard: &Heard<'_>) -> Result<(), CurateError> {
    let (n, k) = (heard.labels.len(), heard.n_classes);
    if n == 0 {
        return Err(CurateError::Empty { what: "examples" });
    }
    for sense in heard.senses {
        let shape = |what, got, expected| Err(CurateError::Shape { what, got, expected });
        if sense.probs.rows() != n {
            return shape("rows of the probabilities", sense.probs.rows(), n);
        }
        if sense.probs.cols() != k {
            return shape("columns of the probabilities", sense.probs.cols(), k);
        }
        if sense.present.len() != n {
            return shape("rows of a sense", sense.present.len(), n);
        }
    }
    match heard.labels.iter().position(|label| *label as usize >= k) {
        Some(row) => Err(CurateError::LabelOutOfRange { row, label: heard.labels[row], n_classes: k }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
