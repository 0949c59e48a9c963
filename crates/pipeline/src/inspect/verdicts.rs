//! Masks decide what no word does, and contradict words: both are settled before anything is learned.

use base::prep;
use dataset::{InspectionExample, InspectionSet, Problem, ProblemKind, Purpose, ReadError, Role, Verdict};
use rayon::prelude::*;

/// What the mask of a photo says about what was said of the photo.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    /// The same, or it cannot be read.
    Nothing,
    /// Nothing is marked, so the photo is good.
    Good,
    /// Something is marked on a photo that a word calls good.
    Otherwise,
}

/// Looks into the masks of photos that are called good, or of which only the mask says anything. What is contradicted is left
/// out and told.
///
/// # Errors
/// [`ReadError::NoGood`] when no good photo is left where one is to be learned from.
pub(super) fn settle(set: &mut InspectionSet, purpose: Purpose) -> Result<Vec<Problem>, ReadError> {
    let says: Vec<Says> = set.examples.par_iter().map(of_mask).collect();
    let mut problems = Vec::new();
    let mut settled = Vec::with_capacity(says.len());
    for (mut example, says) in std::mem::take(&mut set.examples).into_iter().zip(says) {
        match says {
            Says::Nothing => {}
            Says::Good => (example.verdict, example.mask) = (Verdict::Good, None),
            Says::Otherwise => {
                problems.push(Problem::in_file(ProblemKind::MarkedGood, &example.path));
                continue;
            }
        }
        settled.push(example);
    }
    set.examples = settled;
    if purpose == Purpose::Measure
        || set.with_role(Role::Learn).any(|example| example.verdict == Verdict::Good)
    {
        return Ok(problems);
    }
    let n_measured = set.with_role(Role::Measure).count();
    let n_defects = set.examples.len() - n_measured;
    Err(ReadError::NoGood { path: set.root.clone(), n_defects, n_measured })
}

fn of_mask(example: &InspectionExample) -> Says {
    let is_good = example.verdict == Verdict::Good;
    if !is_good && !example.by_mask {
        return Says::Nothing;
    }
    let bytes = example.mask.as_ref().and_then(|path| std::fs::read(path).ok());
    let Some(mask) = bytes.and_then(|bytes| prep::decode_mask(&bytes).ok()) else { return Says::Nothing };
    match (mask.inside.contains(&true), is_good) {
        (false, _) => Says::Good,
        (true, true) => Says::Otherwise,
        (true, false) => Says::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use dataset::{InspectionOptions, read_inspection};
    use image::{GrayImage, Luma};

    use super::*;

    /// A set whose masks are black or have a white corner.
    fn settled(masks: &[(&str, bool)], photos: &[&str]) -> (Vec<String>, Vec<Problem>) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("d");
        let draw = |name: &str, white: bool| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut picture = GrayImage::new(8, 8);
            picture.put_pixel(0, 0, Luma([if white { 255 } else { 0 }]));
            picture.save(path).unwrap();
        };
        masks.iter().for_each(|(name, white)| draw(name, *white));
        photos.iter().for_each(|name| draw(name, false));
        let (mut set, _) = read_inspection(&root, &InspectionOptions::default()).unwrap();
        let problems = settle(&mut set, Purpose::Learn).unwrap();
        let line = |example: &InspectionExample| {
            format!("{} {}", example.id, example.verdict.kind().unwrap_or("GOOD"))
        };
        (set.examples.iter().map(line).collect(), problems)
    }

    #[test]
    fn where_only_masks_speak_what_they_mark_decides() {
        let masks = [("train/1_mask.png", false), ("train/2_mask.png", true), ("test/3_mask.png", false)];
        let (lines, problems) = settled(&masks, &["train/1.png", "train/2.png", "test/3.png"]);
        assert_eq!(lines, ["test/3.png GOOD", "train/1.png GOOD", "train/2.png defect"]);
        assert!(problems.is_empty());
    }

    #[test]
    fn a_marked_photo_that_is_called_good_is_left_out_and_told() {
        let masks = [("ground_truth/good/1.png", true), ("ground_truth/good/2.png", false)];
        let (lines, problems) = settled(&masks, &["train/good/1.png", "train/good/2.png"]);
        assert_eq!(lines, ["train/good/2.png GOOD"]);
        assert_eq!(problems[0].kind, ProblemKind::MarkedGood);
    }

    #[test]
    fn a_defect_by_its_word_stays_one() {
        let (lines, _) = settled(&[("masks/dent/1.png", false)], &["good/1.png", "dent/1.png"]);
        assert_eq!(lines, ["dent/1.png dent", "good/1.png GOOD"]);
    }
}
