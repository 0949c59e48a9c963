//! Masks are told from pictures, and each is given to the picture that it belongs to.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::Picture;
use super::names::{is_mask_folder, may_hold_masks, without_mask_end};
use crate::{InspectionExample, Part, Problem, ProblemKind, Verdict};

/// Splits pictures from masks: what lies in a folder of masks, or beside the picture whose name it has with `_mask` behind.
pub(super) fn split(pictures: Vec<Picture>) -> (Vec<Picture>, Vec<Picture>) {
    let stems: HashSet<(Vec<String>, String)> =
        pictures.iter().map(|picture| (picture.folders.clone(), stem(&picture.path))).collect();
    pictures.into_iter().partition(|picture| {
        let stem = stem(&picture.path);
        let beside = without_mask_end(&stem).map(|of| (picture.folders.clone(), of.to_owned()));
        !picture.folders.iter().any(|name| is_mask_folder(name))
            && !beside.is_some_and(|of| stems.contains(&of))
    })
}

/// Gives each mask to its picture.
///
/// The picture is called like the mask (`000.png` of `000_mask.png` or `000.png`) or like the mask's folder (`000/0.png`, as in
/// MVTec LOCO), and lies in the folders of the mask, perhaps among others: `ground_truth/scratch` has the masks of
/// `test/scratch`. Of several pictures one in a folder called like the mask's own goes first (a kind of defect may be called `test`), then a
/// defect, then the fewest other folders, then the test part.
///
/// `folders` are those between the root and each example.
pub(super) fn pair(
    examples: &mut [InspectionExample],
    folders: &[Vec<String>],
    masks: Vec<Picture>,
) -> Vec<Problem> {
    let mut by_stem: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, example) in examples.iter().enumerate() {
        by_stem.entry(stem(&example.path)).or_default().push(at);
    }
    let mut problems = Vec::new();
    let mut found: Vec<Vec<PathBuf>> = vec![Vec::new(); examples.len()];
    for mask in masks {
        match owner(&mask, examples, folders, &by_stem) {
            Some(at) => found[at].push(mask.path),
            None => problems.push(Problem::in_file(ProblemKind::MaskWithoutPicture, mask.path)),
        }
    }
    for (example, mut masks) in examples.iter_mut().zip(found) {
        if masks.len() > 1 {
            let kind = ProblemKind::SeveralMasks { count: masks.len() };
            problems.push(Problem::in_file(kind, &example.path));
        } else {
            example.mask = masks.pop();
        }
    }
    problems
}

/// A kind of defect that may as well be masks of the others: it is called so, each of its pictures has the name of one of another kind, and
/// nothing else is a mask.
pub(super) fn doubtful(examples: &[InspectionExample]) -> Option<&str> {
    let kinds = || examples.iter().filter_map(|example| Some((example.verdict.kind()?, stem(&example.path))));
    let doubtful = kinds().map(|(kind, _)| kind).find(|kind| may_hold_masks(kind))?;
    let others: HashSet<String> =
        kinds().filter(|(kind, _)| *kind != doubtful).map(|(_, stem)| stem).collect();
    let is_of_another = |stem: &str| others.contains(without_mask_end(stem).unwrap_or(stem));
    let has_masks = examples.iter().any(|example| example.mask.is_some());
    let all = kinds().filter(|(kind, _)| *kind == doubtful).all(|(_, stem)| is_of_another(&stem));
    (all && !has_masks).then_some(doubtful)
}

/// Tells once that defects have no mask, where others have.
pub(super) fn missing(examples: &[InspectionExample]) -> Option<Problem> {
    let defects = || examples.iter().filter(|example| example.verdict != Verdict::Good);
    let without: Vec<&InspectionExample> = defects().filter(|example| example.mask.is_none()).collect();
    let first = without.first().filter(|_| defects().any(|example| example.mask.is_some()))?;
    Some(Problem::in_file(ProblemKind::DefectWithoutMask { count: without.len() }, &first.path))
}

fn owner(
    mask: &Picture,
    examples: &[InspectionExample],
    folders: &[Vec<String>],
    by_stem: &HashMap<String, Vec<usize>>,
) -> Option<usize> {
    let above: Vec<&String> = mask.folders.iter().filter(|name| !is_mask_folder(name)).collect();
    let stem = stem(&mask.path);
    let by_folder = above.split_last().map(|(last, above)| (above, last.as_str()));
    let names =
        [without_mask_end(&stem).map(|of| (&above[..], of)), Some((&above[..], &stem[..])), by_folder];
    names.into_iter().flatten().find_map(|(above, stem)| {
        let lies_there = |at: &&usize| is_within(above, &folders[**at]);
        let rank = |at: &usize| {
            let example = &examples[*at];
            let is_of = |own: &&String| {
                [folders[*at].last().map(String::as_str), example.verdict.kind()]
                    .into_iter()
                    .flatten()
                    .any(|folder| is_called(folder, own))
            };
            let is_elsewhere = !above.last().is_none_or(is_of);
            let of_good = example.verdict == Verdict::Good;
            (is_elsewhere, of_good, folders[*at].len(), example.part != Some(Part::Test))
        };
        let candidates: Vec<usize> = by_stem.get(stem)?.iter().filter(lies_there).copied().collect();
        let best = candidates.iter().copied().min_by_key(rank)?;
        let is_only = candidates.iter().filter(|at| rank(at) == rank(&best)).count() == 1;
        is_only.then_some(best)
    })
}

/// Whether all these folders occur among the others, in order.
fn is_within(few: &[&String], many: &[String]) -> bool {
    let mut many = many.iter();
    few.iter().all(|name| many.any(|other| is_called(other, name)))
}

fn is_called(folder: &str, name: &str) -> bool {
    folder.to_lowercase() == name.to_lowercase()
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
