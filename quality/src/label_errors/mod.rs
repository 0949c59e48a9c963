//! How well wrong labels are found, beside cleanlab.
//!
//! On given probabilities its default rule and score are computed by `curate`, whose own tests hold them to cleanlab's answers exactly; where labels
//! are made wrong, cleanlab itself runs on probabilities of its own.

mod given;
mod injected;

use std::path::Path;

use curate::labels::Judged;
use curate::labels::errors::{LabelErrors, label_errors, label_errors_by_views};
use curate::labels::filter::{Filter, flagged};
use curate::labels::score::self_confidence;
use evaluate::inspect::{auroc, average_precision};
use linalg::Seed;

/// What one finder got on one set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) flagged: usize,
    pub(crate) f1: f64,
    pub(crate) auroc: f64,
    pub(crate) average_precision: f64,
}

impl Found {
    /// Judges flags and scores (low is suspicious) by which labels are really wrong.
    fn new(flags: &[bool], scores: &[f64], wrong: &[bool]) -> anyhow::Result<Self> {
        let both = flags.iter().zip(wrong).filter(|(flag, wrong)| **flag && **wrong).count() as f64;
        let count = |mask: &[bool]| mask.iter().filter(|value| **value).count();
        let (n_flagged, n_wrong) = (count(flags), count(wrong));
        let suspicion: Vec<f64> = scores.iter().map(|score| -score).collect();
        let groups: Vec<u32> = (0..wrong.len() as u32).collect();
        Ok(Self {
            flagged: n_flagged,
            f1: 2.0 * both / ((n_flagged + n_wrong).max(1)) as f64,
            auroc: auroc(&suspicion, wrong, &groups, Seed(0))?.value,
            average_precision: average_precision(&suspicion, wrong, &groups, Seed(0))?.value,
        })
    }

    /// By our limit, where one model was asked.
    fn ours(judged: Judged<'_>, wrong: &[bool]) -> anyhow::Result<Self> {
        Self::of(&label_errors(judged), wrong)
    }

    /// By our limit for several views.
    fn by_views(judged: Judged<'_>, wrong: &[bool]) -> anyhow::Result<Self> {
        Self::of(&label_errors_by_views(judged), wrong)
    }

    fn of(found: &LabelErrors, wrong: &[bool]) -> anyhow::Result<Self> {
        let mut flags = vec![false; wrong.len()];
        found.flagged.iter().for_each(|row| flags[*row] = true);
        Self::new(&flags, &found.scores, wrong)
    }

    /// By the peer's default rule, ranked by its default score.
    fn peer(judged: Judged<'_>, wrong: &[bool]) -> anyhow::Result<Self> {
        Self::new(&flagged(judged, Filter::PruneByNoiseRate), &self_confidence(judged), wrong)
    }
}

/// One line: ours, then the peer's.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn print_line(name: &str, wrong: usize, n: usize, ours: Found, peer: Found) {
    println!(
        "{name:<46} {wrong:>6}/{n:<6} {:>7} {:>6.3} {:>7.4} {:>7.4}   {:>7} {:>6.3} {:>7.4} {:>7.4}",
        ours.flagged,
        ours.f1,
        ours.auroc,
        ours.average_precision,
        peer.flagged,
        peer.f1,
        peer.auroc,
        peer.average_precision
    );
}

/// Prints everything; whether all floors are reached.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    println!(
        "{:<46} {:>13} {:>7} {:>6} {:>7} {:>7}   {:>7} {:>6} {:>7} {:>7}",
        "set", "wrong", "flagged", "F1", "AUROC", "AP", "peer's", "F1", "AUROC", "AP"
    );
    let benchmarks = given::benchmarks(data)?;
    let checked = given::human_checked(data)?;
    let noisy = injected::print(data)?;
    Ok(benchmarks && checked && noisy)
}
