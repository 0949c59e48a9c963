//! Photos that were learned from are told apart from those that were not, by their bytes.

use std::collections::HashSet;

use bundle::inspection::Learned;
use dataset::{Content, InspectionExample, InspectionSet, Problem, ProblemKind, Role};
use rayon::prelude::*;
use store::Hash;

/// Leaves out of the part to measure on what is also there to learn from, and tells it; what is learned from is known from now
/// on. Files that cannot be read are told of later.
pub(super) fn part(set: &mut InspectionSet) -> (Learned, Vec<Problem>) {
    let hashes = hashes(&set.examples.iter().collect::<Vec<_>>());
    let roles = set.examples.iter().map(InspectionExample::role);
    let learned: HashSet<Hash> =
        roles.zip(&hashes).filter(|(role, _)| *role == Role::Learn).filter_map(|(_, hash)| *hash).collect();
    let mut problems = Vec::new();
    let mut kept = Vec::with_capacity(hashes.len());
    for (example, hash) in std::mem::take(&mut set.examples).into_iter().zip(hashes) {
        if example.role() == Role::Measure && hash.is_some_and(|hash| learned.contains(&hash)) {
            problems.push(Problem::in_file(ProblemKind::CopyOfLearned, &example.path));
        } else {
            kept.push(example);
        }
    }
    set.examples = kept;
    (learned.into_iter().collect(), problems)
}

/// The examples that were not learned from.
pub(super) fn unknown<'e>(
    learned: &Learned,
    examples: Vec<&'e InspectionExample>,
) -> Vec<&'e InspectionExample> {
    let hashes = hashes(&examples);
    let is_new = |hash: &Option<Hash>| hash.is_none_or(|hash| !learned.contains(&hash));
    examples.into_iter().zip(hashes).filter(|(_, hash)| is_new(hash)).map(|(example, _)| example).collect()
}

/// Of each example's photo; absent where it cannot be read.
fn hashes(examples: &[&InspectionExample]) -> Vec<Option<Hash>> {
    let hash =
        |example: &&InspectionExample| dataset::content_hash(&Content::Image(example.path.clone())).ok();
    examples.par_iter().map(hash).collect()
}
