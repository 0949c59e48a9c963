//! The folders of MVTec AD are read; `dataset` finds out which mask belongs to which picture.

use std::collections::BTreeSet;
use std::path::Path;

use dataset::{
    InspectionExample, InspectionOptions, Modality, Problem, ProblemKind, Purpose, Verdict, names_good_parts,
};
use image::ImageReader;

use super::{GOOD, MASKS};
use crate::files::Files;
use crate::read::Found;
use crate::{Answer, Content, ExchangeError, Header, Item, Kind, MOST_PIXELS, Mark, Shape, picture, runs};

/// A pixel of a mask is marked when it is brighter than this; where none is, when it is not black.
const HALF: u8 = 127;

/// Whether this is such a set: only good parts in `train`, and folders in `test`; or masks beside a `test`.
pub(crate) fn is_there(files: &Files) -> bool {
    let below = |part: &str| -> BTreeSet<&str> {
        let inner = files.paths().iter().filter_map(|path| path.strip_prefix(part)?.split_once('/'));
        inner.map(|(folder, _)| folder).collect()
    };
    let (train, test) = (below("train/"), below("test/"));
    let only_good = train.len() == 1 && train.iter().all(|folder| names_good_parts(folder));
    let has_defects = test.iter().any(|folder| !names_good_parts(folder));
    has_defects && (only_good || files.has_folder(MASKS))
}

pub(crate) fn read(files: &Files, name: String) -> Result<Found, ExchangeError> {
    let options = InspectionOptions { purpose: Purpose::Measure, ..InspectionOptions::default() };
    let (set, mut problems) = dataset::read_inspection(files.root(), &options)?;
    let kind = if set.modality == Modality::Sound { Kind::Sound } else { Kind::Image };
    let mut classes = vec![GOOD.to_owned()];
    classes.extend(set.kinds().into_iter().map(str::to_owned));
    let mut items = Vec::with_capacity(set.examples.len());
    for example in set.examples {
        match item(example) {
            Ok((item, problem)) => {
                items.push(item);
                problems.extend(problem);
            }
            Err(problem) => problems.push(problem),
        }
    }
    Ok((Header { name, kind, classes }, items, problems))
}

/// The item, without a mark where its mask cannot be used.
fn item(example: InspectionExample) -> Result<(Item, Option<Problem>), Problem> {
    let class = example.verdict.kind().unwrap_or(GOOD).to_owned();
    let size = picture::size(&example.path);
    let found =
        example.mask.as_ref().map(|mask| shape(mask, size).map_err(|kind| Problem::in_file(kind, mask)));
    let (shape, problem) = match found {
        None => (None, None),
        Some(Ok(_)) if example.verdict == Verdict::Good => {
            return Err(Problem::in_file(ProblemKind::MarkedGood, example.path));
        }
        Some(Ok(shape)) => (Some(shape), None),
        // The empty mask of a good part says what is known.
        Some(Err(problem)) if example.verdict == Verdict::Good && problem.kind == ProblemKind::EmptyMask => {
            (None, None)
        }
        Some(Err(problem)) => (None, Some(problem)),
    };
    let item = Item {
        name: example.id.0,
        content: Content::File(example.path),
        size,
        marks: shape.map(|shape| Mark { class: Some(class.clone()), shape }).into_iter().collect(),
        answer: Answer::Class(class),
        group: example.group,
        part: example.part,
        piece: None,
    };
    Ok((item, problem))
}

/// What a mask marks, as one brush.
fn shape(mask: &Path, size: Option<(u32, u32)>) -> Result<Shape, ProblemKind> {
    let unreadable = |detail: String| ProblemKind::Unreadable { detail };
    let open = || ImageReader::open(mask).and_then(ImageReader::with_guessed_format);
    let reader = open().map_err(|error| unreadable(error.to_string()))?;
    let (width, height) = reader.into_dimensions().map_err(|error| unreadable(error.to_string()))?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(ProblemKind::TooLarge { detail: format!("{width} x {height} pixels") });
    }
    if let Some(expected) = size.filter(|size| *size != (width, height)) {
        return Err(ProblemKind::MaskSize { got: (width, height), expected });
    }
    let reader = open().map_err(|error| unreadable(error.to_string()))?;
    let picture = reader.decode().map_err(|error| unreadable(error.to_string()))?.into_luma8();
    let least = if picture.pixels().any(|pixel| pixel.0[0] > HALF) { HALF } else { 0 };
    let runs = runs::of_pixels(picture.pixels().map(|pixel| pixel.0[0] > least));
    let shape = Shape::Brush { width, height, runs };
    match (Mark { class: None, shape: shape.clone() }).check(Kind::Image) {
        Ok(()) => Ok(shape),
        Err(crate::MarkError::NoSize { .. }) => Err(ProblemKind::EmptyMask),
        Err(error) => Err(unreadable(error.to_string())),
    }
}
