//! Masks are told from pictures, and each is given to the picture that it belongs to.

use std::collections::{BTreeSet, HashMap, HashSet};
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

/// A kind of defect that may as well be masks of the others: it is called so, each of its pictures has the name of another one, of which
/// some are defects, and they look like masks: by the ends of their names, another kind of file, or a quarter of the bytes. Nothing else is a mask.
pub(super) fn doubtful(examples: &[InspectionExample]) -> Option<&str> {
    if examples.iter().any(|example| example.mask.is_some()) {
        return None;
    }
    let kinds: BTreeSet<&str> = examples.iter().filter_map(|example| example.verdict.kind()).collect();
    kinds.into_iter().filter(|kind| may_hold_masks(kind)).find(|kind| {
        let (of_kind, others): (Vec<&InspectionExample>, Vec<&InspectionExample>) =
            examples.iter().partition(|example| example.verdict.kind() == Some(kind));
        let mut by_stem: HashMap<String, &InspectionExample> = HashMap::new();
        // Defects last: of a good part and a defect of one name the mask is the defect's.
        let is_good = |example: &&&InspectionExample| example.verdict == Verdict::Good;
        let (good, defects) = (others.iter().filter(is_good), others.iter().filter(|other| !is_good(other)));
        by_stem.extend(good.chain(defects).map(|other| (stem(&other.path), *other)));
        let pairs: Option<Vec<(&InspectionExample, &InspectionExample)>> =
            of_kind.iter().map(|mask| Some((*mask, *by_stem.get(name_of(&stem(&mask.path)))?))).collect();
        pairs.is_some_and(|pairs| {
            pairs.iter().any(|(_, other)| other.verdict != Verdict::Good) && look_like_masks(&pairs)
        })
    })
}

/// The picture's name that a mask of this name would have.
fn name_of(stem: &str) -> &str {
    without_mask_end(stem).unwrap_or(stem)
}

/// Whether each is called a mask, is another kind of file, or all together have a quarter of the bytes of those of their names.
fn look_like_masks(pairs: &[(&InspectionExample, &InspectionExample)]) -> bool {
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    let is_called = |mask: &InspectionExample| without_mask_end(&stem(&mask.path)).is_some();
    let is_other = |mask: &InspectionExample, other: &InspectionExample| {
        mask.path.extension().map(|end| end.to_ascii_lowercase())
            != other.path.extension().map(|end| end.to_ascii_lowercase())
    };
    let (masks, others) = pairs.iter().fold((0, 0), |(masks, others), (mask, other)| {
        (masks + bytes(&mask.path), others + bytes(&other.path))
    });
    pairs.iter().all(|(mask, other)| is_called(mask) || is_other(mask, other)) || 4 * masks <= others
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
