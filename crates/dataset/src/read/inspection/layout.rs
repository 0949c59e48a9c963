//! Which folders hold good parts, which hold defects, and what each is for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::names::{is_good, names_flaw, names_group};
use super::{Picture, Purpose};
use crate::{MeasuredOn, Part, ReadError, Verdict, VerdictsBy, Why};

/// What the folders of a set mean.
pub(super) enum Layout {
    /// No folder says what is good.
    Plain {
        /// Folders taken for groups of good parts, in order.
        groups: Vec<String>,
        /// Folders taken for kinds of defect.
        flaws: Vec<String>,
    },
    /// Some folders do.
    Set(SetFolders),
}

/// The folders of a set, from the one that holds them.
pub(super) struct SetFolders {
    /// The folders above the set, from the root.
    above: Vec<String>,
    /// First folders that are parts. Others of such a name are kinds of defect.
    parts: BTreeMap<String, PartFolder>,
    /// Whether the first folders are classes too, one of them good.
    has_classes: bool,
}

struct PartFolder {
    part: Part,
    has_classes: bool,
}

/// What its folders say about a picture.
pub(super) struct Place<'f> {
    pub(super) verdict: Verdict,
    /// Whether one of them names the verdict.
    pub(super) named: bool,
    pub(super) part: Option<Part>,
    /// The folders below the one that gave the verdict.
    pub(super) below: &'f [String],
}

/// Recognises:
///
/// - parts with class folders in them: `train/good`, `train/scratch`, `test/good`, `test/scratch` (MVTec AD, Bergmann et al.
///   2019), also `validation`, also all of `train` without class folders,
/// - class folders, one of which is called good,
/// - both (`good` beside `test/good` and `test/scratch`),
/// - any of them some folders below,
/// - a test part with class folders alone, of which there is nothing to learn,
/// - anything else as pictures of good parts, except in folders whose names tell of a flaw. Folders beside each other, or beside pictures, must
///   then plainly be groups (lots, cameras, dates), unless the person says so (`all_groups`): they may as well be kinds of defect.
///
/// # Errors
/// [`ReadError::SeveralSets`] when several folders could each be the set, [`ReadError::NoGoodFolder`] when folders may be classes and
/// none is called good.
pub(super) fn recognise(root: &Path, pictures: &[Picture], all_groups: bool) -> Result<Layout, ReadError> {
    let mut sets: BTreeSet<Vec<String>> = pictures.iter().filter_map(above_good).collect();
    if sets.is_empty() {
        sets = above_parts(pictures);
    }
    if sets.len() > 1 {
        let name = |above: &Vec<String>| if above.is_empty() { ".".to_owned() } else { above.join("/") };
        return Err(ReadError::SeveralSets { path: root.to_owned(), sets: sets.iter().map(name).collect() });
    }
    match sets.pop_first() {
        Some(above) => Ok(Layout::Set(set_folders(above, pictures))),
        None => plain(root, pictures, all_groups),
    }
}

/// What folders mean of which none is called good.
fn plain(root: &Path, pictures: &[Picture], all_groups: bool) -> Result<Layout, ReadError> {
    // What each folder holds: other folders, and `None` for pictures of its own.
    let mut holds: BTreeMap<&[String], BTreeSet<Option<&String>>> = BTreeMap::new();
    for folders in pictures.iter().map(|picture| &picture.folders) {
        for depth in 0..=folders.len() {
            holds.entry(&folders[..depth]).or_default().insert(folders.get(depth));
        }
    }
    let beside = holds.values().filter(|held| held.len() > 1);
    let (mut groups, mut flaws, mut unclear) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    flaws.extend(
        pictures.iter().flat_map(|picture| &picture.folders).filter(|name| names_flaw(name)).cloned(),
    );
    for name in beside.flatten().filter_map(|name| *name).filter(|name| !flaws.contains(*name)) {
        let to = if all_groups || names_group(name) { &mut groups } else { &mut unclear };
        to.insert(name.clone());
    }
    if !unclear.is_empty() {
        return Err(ReadError::NoGoodFolder {
            path: root.to_owned(),
            folders: unclear.into_iter().collect(),
        });
    }
    Ok(Layout::Plain { groups: groups.into_iter().collect(), flaws: flaws.into_iter().collect() })
}

/// The folders above the set, by its folder of good parts.
fn above_good(picture: &Picture) -> Option<Vec<String>> {
    let folders = &picture.folders[..picture.folders.iter().position(|name| is_good(name))?];
    let folders = match folders.split_last() {
        Some((last, above)) if Part::from_name(last).is_some() => above,
        _ => folders,
    };
    Some(folders.to_vec())
}

/// The folders above sets that call nothing good but have a part to learn from beside another, or a test part with class
/// folders.
fn above_parts(pictures: &[Picture]) -> BTreeSet<Vec<String>> {
    let mut parts: BTreeMap<&[String], BTreeSet<Part>> = BTreeMap::new();
    let mut tests: BTreeSet<&[String]> = BTreeSet::new();
    for picture in pictures {
        let first = picture.folders.iter().enumerate();
        let first = first.filter_map(|(at, name)| Some((at, Part::from_name(name)?))).next();
        if let Some((at, part)) = first {
            parts.entry(&picture.folders[..at]).or_default().insert(part);
            if part == Part::Test && picture.folders.len() > at + 1 {
                tests.insert(&picture.folders[..at]);
            }
        }
    }
    let has_both = |parts: &BTreeSet<Part>| parts.contains(&Part::Train) && parts.len() > 1;
    let is_set = |above: &[String], parts: &BTreeSet<Part>| has_both(parts) || tests.contains(above);
    parts.into_iter().filter(|(above, parts)| is_set(above, parts)).map(|(above, _)| above.to_vec()).collect()
}

fn set_folders(above: Vec<String>, pictures: &[Picture]) -> SetFolders {
    let inner = || pictures.iter().filter_map(|picture| picture.folders.strip_prefix(&above[..]));
    let has_classes = inner().any(|folders| folders.first().is_some_and(|name| is_good(name)));
    let mut parts = BTreeMap::new();
    for name in inner().filter_map(<[String]>::first) {
        let classes =
            || inner().filter(|folders| folders.first() == Some(name)).filter_map(|folders| folders.get(1));
        let Some(part) = Part::from_name(name).filter(|_| !parts.contains_key(name)) else { continue };
        // Beside class folders `test` may be a kind of defect: then nothing in it is called good.
        if !has_classes || classes().any(|class| is_good(class)) {
            parts.insert(name.clone(), PartFolder { part, has_classes: classes().next().is_some() });
        }
    }
    SetFolders { above, parts, has_classes }
}

impl Layout {
    /// The layout's name, and what was made of it and why.
    pub(super) fn described(&self, purpose: Purpose) -> (&'static str, Why) {
        let (name, by, measured) = match self {
            Self::Plain { groups, flaws } => (
                "folder of pictures",
                VerdictsBy::NoFolder { groups: groups.clone(), flaws: flaws.clone() },
                MeasuredOn::OutOfFold,
            ),
            Self::Set(set) if set.parts.is_empty() => {
                ("class folders", VerdictsBy::ClassFolders, MeasuredOn::OutOfFold)
            }
            Self::Set(_) => ("inspection set with parts", VerdictsBy::PartFolders, MeasuredOn::TestFolder),
        };
        (name, Why { by, measured: (purpose == Purpose::Learn).then_some(measured) })
    }

    /// What the folders above a picture say; `None` when it does not belong.
    pub(super) fn place<'f>(&self, folders: &'f [String]) -> Option<Place<'f>> {
        match self {
            Self::Plain { flaws, .. } => {
                let kind = folders.iter().find(|name| flaws.contains(name)).cloned();
                let named = kind.is_some();
                let verdict = kind.map_or(Verdict::Good, |kind| Verdict::Defect { kind });
                Some(Place { verdict, named, part: None, below: folders })
            }
            Self::Set(set) => set.place(folders),
        }
    }
}

impl SetFolders {
    fn place<'f>(&self, folders: &'f [String]) -> Option<Place<'f>> {
        let (first, rest) = folders.strip_prefix(&self.above[..])?.split_first()?;
        let Some(PartFolder { part, has_classes }) = self.parts.get(first) else {
            return self.has_classes.then(|| Place {
                verdict: verdict(first),
                named: true,
                part: None,
                below: rest,
            });
        };
        let part = Some(*part);
        match rest.split_first() {
            Some((class, below)) => Some(Place { verdict: verdict(class), named: true, part, below }),
            // Without a word about it a picture is good, unless a mask speaks against it.
            None if !has_classes => Some(Place { verdict: Verdict::Good, named: false, part, below: rest }),
            None => None,
        }
    }
}

fn verdict(class: &str) -> Verdict {
    if is_good(class) { Verdict::Good } else { Verdict::Defect { kind: class.to_owned() } }
}
