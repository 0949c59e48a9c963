//! How often planted conflicts are found and explained, and what is found where there are none.

use linalg::Seed;

use super::planted::{Made, Plan, Rule, planted};
use super::{Case, Kind, Labelled, consistency};
use crate::{CurateError, duplicates_among, nearest};

/// Cases among which the planted one must be.
const FIRST: usize = 10;
/// The least share of the region that its case covers, and of the case that lies in the region.
const COVERED: f64 = 0.25;
const INSIDE: f64 = 0.5;

/// What several data sets of one plan gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Study {
    /// Data sets.
    pub trials: usize,
    /// Those in which the region is among the first ten cases.
    pub found: usize,
    /// Those in which, besides, the attribute that parts the labels is what explains it best.
    pub explained: usize,
    /// Cases in all data sets together, the planted ones included.
    pub cases: usize,
    /// Those of them that are called rules.
    pub rules: usize,
}

/// Makes `trials` data sets, changes each by `change`, and looks for conflicts.
///
/// # Errors
/// As [`consistency`](fn@consistency).
pub fn study(
    plan: Plan,
    trials: usize,
    change: impl Fn(&mut Made),
    seed: Seed,
) -> Result<Study, CurateError> {
    let mut study = Study { trials, ..Study::default() };
    for trial in 0..trials {
        let mut made = planted(plan, seed.nth(trial));
        change(&mut made);
        let near = nearest(made.x.view())?;
        let duplicates = duplicates_among(&near, plan.n);
        let groups: Vec<u32> = (0..plan.n as u32).collect();
        let examples = Labelled::new(made.x.view(), &near, &made.labels, plan.n_classes, &groups)?;
        let cases = consistency(&examples, &near, &duplicates, &made.attributes, seed)?.cases;
        study.cases += cases.len();
        study.rules += cases.iter().filter(|case| case.kind == Kind::Rule).count();
        let region: Vec<&Case> =
            cases.iter().take(FIRST).filter(|case| is_region(case, made.region.len())).collect();
        study.found += usize::from(!region.is_empty());
        study.explained += usize::from(region.iter().any(|case| named(case, &made, plan)));
    }
    Ok(study)
}

/// Whether a case is the planted one; its rows are the first `n` of the data.
fn is_region(case: &Case, n: usize) -> bool {
    let inside = case.rows().iter().filter(|row| **row < n).count() as f64;
    n > 0 && case.classes == (0, 1) && inside >= INSIDE * case.n() as f64 && inside >= COVERED * n as f64
}

fn named(case: &Case, made: &Made, plan: Plan) -> bool {
    let name = match plan.region {
        Some((_, Rule::Annotator)) => "annotator",
        Some((_, Rule::Size)) => "size",
        Some((_, Rule::Coin | Rule::Place)) | None => return false,
    };
    let best = case.explanations.first().filter(|explanation| explanation.explains);
    best.is_some_and(|explanation| made.attributes[explanation.attribute].name == name)
}
