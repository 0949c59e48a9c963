//! How well inspectors name kinds of defects, and whether they notice one that they were never shown.

use std::path::Path;

use anyhow::Context;
use dataset::{InspectionOptions, Part, read_inspection};

use super::runs::{Given, Row, run_without};

/// Good parts to learn from: enough for whole photos to be compared, and few enough for a run for every kind.
const GOOD: usize = 60;
/// Defects of each kind that are shown, but at most half of what there is.
const SHOWN: usize = 10;

/// One line of the table.
pub(crate) struct Line {
    /// The kind that was not shown; `None` when all were.
    pub(crate) hidden: Option<String>,
    /// `kind-accuracy`, `known-called-new`, `new-found`.
    pub(crate) row: Row,
}

/// Shows all kinds first, then all but one.
pub(crate) fn lines(set: &Path, masks: bool, draw: u64) -> anyhow::Result<Vec<Line>> {
    let (all, _) = read_inspection(set, &InspectionOptions::default())?;
    let count = |kind: &str| {
        let of_kind = all.examples.iter().filter(|example| example.verdict.kind() == Some(kind));
        of_kind.filter(|example| example.part == Some(Part::Test)).count()
    };
    let kinds = all.kinds();
    let fewest = kinds.iter().map(|kind| count(kind)).min().context("the set has no defects")?;
    let given = Given { good: Some(GOOD), defects: SHOWN.min(fewest / 2), masks };
    let hidden = std::iter::once(None).chain(kinds.into_iter().map(Some));
    hidden
        .map(|hidden| {
            let row = run_without(set, given, hidden, draw)?;
            Ok(Line { hidden: hidden.map(|kind| kind.to_string()), row })
        })
        .collect()
}
