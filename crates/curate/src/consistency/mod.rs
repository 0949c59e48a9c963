//! Where labels contradict each other because two rules are in use, and the one question that settles it (methods 3.8).
//!
//! Start at [`consistency`](fn@consistency). [`conflicts`](fn@conflicts) are pairs; [`class_pairs`] tells contradictions that
//! stand together from labels that are wrong at random; [`cases`](fn@cases) are regions with what explains them;
//! [`question`](fn@question) is what to ask about one. Answers go into a [label book](crate::book).
//! [`study`](fn@study) measures it on [`planted`] conflicts. Thresholds are in
//! `docs/consistency.md`.

mod cases;
mod conflicts;
mod contrast;
mod dissent;
mod explain;
mod impact;
mod labelled;
pub mod planted;
mod question;
mod study;
mod stump;

use linalg::{Neighbours, Seed};

use crate::attributes::Attribute;
use crate::{CurateError, Duplicates};

pub use cases::{Case, Kind, cases};
pub use conflicts::{Conflict, conflicts};
pub use contrast::Contrast;
pub use dissent::{ClassPair, Zone, class_pairs};
pub use explain::Explanation;
pub use labelled::Labelled;
pub use question::{Choice, Question, question};
pub use study::{Study, study};
pub use stump::{Side, Split, Stump};

/// All that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Consistency {
    /// Pairs that contradict each other, duplicates first.
    pub conflicts: Vec<Conflict>,
    /// How the classes get along.
    pub class_pairs: Vec<ClassPair>,
    /// Regions that need a decision, the one to ask about first at the top.
    pub cases: Vec<Case>,
    /// One for each case, in the same order.
    pub questions: Vec<Question>,
}

/// Looks for contradictions, explains them and makes the questions.
///
/// `near` and `duplicates` are of the same examples; `attributes` may be none; numbers that are not finite are not known.
///
/// # Errors
/// As [`cases`](fn@cases).
pub fn consistency(
    examples: &Labelled<'_>,
    near: &Neighbours,
    duplicates: &Duplicates,
    attributes: &[Attribute],
    seed: Seed,
) -> Result<Consistency, CurateError> {
    let class_pairs = class_pairs(examples, seed);
    let cases = cases(examples, &class_pairs, attributes, seed)?;
    let conflicts = conflicts(examples, near, duplicates);
    let questions = cases.iter().map(|case| question(examples, case, near, &conflicts)).collect();
    Ok(Consistency { conflicts, class_pairs, cases, questions })
}
