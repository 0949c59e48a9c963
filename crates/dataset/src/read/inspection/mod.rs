//! Data sets for defect inspection: good parts to learn from, defects to find, masks that say where.
//!
//! Start at [`read_inspection`]. Pictures and masks are paired here by their names; both are decoded by `base`.

mod layout;
mod masks;
mod names;
mod table;
mod verdicts;

use std::path::{Path, PathBuf};

use super::contents::lists_files_of;
use super::folders::{folders_between, is_series_name, modality_of_name, sources};
use super::layout::{PartFile, list, tables_in};
use super::rows::name_of;
use super::{ids, is_folder, single_table};
use crate::{
    ExampleId, InspectionExample, InspectionSet, Modality, Part, Problem, ProblemKind, ReadError, Role,
    Verdict,
};
use layout::Layout;

/// The kind of a defect that only its mask makes known.
const UNNAMED_DEFECT: &str = "defect";

/// Whether a class of this name means that nothing is wrong, in English or Chinese.
pub fn names_good_parts(class: &str) -> bool {
    names::is_good(class)
}

/// What a set is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// To learn from; only its test part is for measuring alone. It takes a good part to learn from.
    #[default]
    Learn,
    /// Only to measure on: nothing need be good, and there may be no part but `test`.
    Measure,
}

/// What the person said about a set for defect inspection; whatever is absent is detected.
#[derive(Debug, Clone, Default)]
pub struct InspectionOptions {
    /// What it is read for.
    pub purpose: Purpose,
    /// Column with the path of the picture.
    pub image: Option<String>,
    /// Column with the verdict: good, or the kind of defect.
    pub label: Option<String>,
    /// Column with the path of the mask.
    pub mask: Option<String>,
    /// Column whose equal values stay together in every split.
    pub group: Option<String>,
    /// Column with train, validation or test.
    pub part: Option<String>,
    /// Whether the folders between a class folder and a picture name its group (`good/lot 7/1.png`). Default: no, since most
    /// such folders are only for order, and few large groups leave little to validate with. Without class folders it also says
    /// that folders are groups of good parts, whatever their names, unless these tell of a flaw.
    pub group_by_folder: bool,
    /// Ids of examples that are left out, because a person looked at them and found them wrong.
    pub leave_out: Vec<String>,
}

/// A picture file with the names of the folders between the root and it.
struct Picture {
    path: PathBuf,
    folders: Vec<String>,
}

/// Reads a set for defect inspection from a folder or a table.
///
/// Recognised are the layout of MVTec AD (Bergmann et al. 2019: `train/good`, `test/good`, `test/<defect>` and
/// `ground_truth/<defect>`), class folders one of which is called good, a folder of nothing but good parts, perhaps in folders
/// whose names plainly are lots, cameras or dates, each also some folders below the given one, and tables of paths with labels, masks, groups and parts. [`InspectionSet::why`] says what
/// was made of it. Masks lie in a folder `ground_truth` or `masks`, or beside their pictures as `<name>_mask`.
///
/// Returns the good part and the problems.
///
/// # Errors
/// When nothing can be done, such as [`ReadError::NoGood`] without a good part where one is to be learned from, or
/// [`ReadError::NoGoodFolder`] where folders may be kinds of defect as well as groups, or [`ReadError::MasksOrDefects`] where one may hold masks;
/// [`ReadError::hint`] says what to try.
pub fn read_inspection(
    path: &Path,
    options: &InspectionOptions,
) -> Result<(InspectionSet, Vec<Problem>), ReadError> {
    let (mut set, mut problems) = if !is_folder(path)? {
        let (source, format, problems) = single_table(path)?;
        table::read(path, &[source], format.name(), options, problems)?
    } else if let Some(tables) =
        tables_in(path)?.filter(|tables| lists_files(tables) || !holds_only_series(path))
    {
        let (sources, layout, problems) = sources(&tables)?;
        table::read(path, &sources, layout, options, problems)?
    } else {
        read_folders(path, options)?
    };
    leave_out(&mut set, &options.leave_out, path)?;
    problems.extend(masks::missing(&set.examples));
    let may_be_good = |example: &InspectionExample| example.verdict == Verdict::Good || example.by_mask;
    if options.purpose == Purpose::Learn && !set.with_role(Role::Learn).any(may_be_good) {
        let n_measured = set.with_role(Role::Measure).count();
        let n_defects = set.examples.len() - n_measured;
        return Err(ReadError::NoGood { path: path.to_owned(), n_defects, n_measured });
    }
    Ok((set, problems))
}

fn leave_out(set: &mut InspectionSet, ids: &[String], path: &Path) -> Result<(), ReadError> {
    let is_there = |id: &&String| set.examples.iter().any(|example| example.id.0 == **id);
    if let Some(id) = ids.iter().find(|id| !is_there(id)) {
        return Err(ReadError::NoExample { path: path.to_owned(), id: id.clone() });
    }
    set.examples.retain(|example| !ids.contains(&example.id.0));
    Ok(())
}

/// Whether one of the tables names files in a column.
fn lists_files(tables: &[PartFile]) -> bool {
    let modalities = [Modality::Image, Modality::Sound, Modality::Video, Modality::Series];
    tables
        .iter()
        .filter_map(|(path, _)| single_table(path).ok())
        .any(|(source, ..)| modalities.into_iter().any(|modality| lists_files_of(&source.table, modality)))
}

/// Whether a folder holds tables and nothing that they could list: then each is a series of its own.
fn holds_only_series(root: &Path) -> bool {
    let files = list(root).map_or_else(|_| Vec::new(), |(files, _)| files);
    let of = |modality| files.iter().any(|file| modality_of_name(file) == Some(modality));
    let others = [Modality::Image, Modality::Sound, Modality::Video];
    files.iter().any(|file| is_series_name(file)) && !others.into_iter().any(of)
}

fn read_folders(
    root: &Path,
    options: &InspectionOptions,
) -> Result<(InspectionSet, Vec<Problem>), ReadError> {
    let (files, mut problems) = list(root)?;
    let n_files = files.len();
    let there = |modality: &Modality| files.iter().any(|file| modality_of_name(file) == Some(*modality));
    let modality = [Modality::Image, Modality::Sound, Modality::Video].into_iter().find(there);
    let modality = modality.unwrap_or(Modality::Series);
    let pictures: Vec<Picture> = files
        .into_iter()
        .filter(|path| match modality {
            Modality::Series => is_series_name(path),
            modality => modality_of_name(path) == Some(modality),
        })
        .map(|path| Picture { folders: folders_between(root, &path), path })
        .collect();
    let (pictures, masks) = masks::split(pictures);
    if pictures.is_empty() {
        return Err(ReadError::NoPhotos { path: root.to_owned() });
    }
    let layout = layout::recognise(root, &pictures, options.group_by_folder)?;
    let mut examples = Vec::with_capacity(pictures.len());
    let mut folders = Vec::with_capacity(pictures.len());
    for picture in pictures {
        if let Some(example) = example(root, &picture, &layout, options) {
            examples.push(example);
            folders.push(picture.folders);
        }
    }
    let n_masks = masks.len();
    let unpaired = masks::pair(&mut examples, &folders, masks);
    if let Some(folder) = masks::doubtful(&examples).filter(|_| modality == Modality::Image) {
        return Err(ReadError::MasksOrDefects { path: root.to_owned(), folder: folder.to_owned() });
    }
    by_mask(&mut examples);
    let count = n_files - examples.len() - n_masks;
    if count > 0 {
        problems.push(Problem::in_file(ProblemKind::Ignored { count }, root));
    }
    problems.extend(unpaired);
    let (layout, why) = layout.described(options.purpose);
    let set = InspectionSet {
        name: name_of(root),
        root: root.to_owned(),
        layout: layout.to_owned(),
        modality,
        why,
        examples,
    };
    Ok((set, problems))
}

/// Takes what has a mask but no word about it for a defect; what is to be measured on needs one of both.
fn by_mask(examples: &mut Vec<InspectionExample>) {
    let is_known = |example: &InspectionExample| !example.by_mask || example.mask.is_some();
    examples.retain(|example| is_known(example) || example.part != Some(Part::Test));
    for example in examples.iter_mut().filter(|example| example.by_mask) {
        example.by_mask = example.mask.is_some();
        if example.by_mask {
            example.verdict = Verdict::Defect { kind: UNNAMED_DEFECT.to_owned() };
        }
    }
}

/// `None` for a picture that is not part of the layout.
fn example(
    root: &Path,
    picture: &Picture,
    layout: &Layout,
    options: &InspectionOptions,
) -> Option<InspectionExample> {
    let place = layout.place(&picture.folders)?;
    let group = (options.group_by_folder && !place.below.is_empty()).then(|| place.below.join("/"));
    Some(InspectionExample {
        id: ExampleId(ids::place_of(root, &picture.path)),
        path: picture.path.clone(),
        verdict: place.verdict,
        mask: None,
        by_mask: !place.named,
        group,
        part: place.part,
    })
}
