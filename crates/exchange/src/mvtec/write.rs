//! The folders of MVTec AD are written.

use std::collections::HashMap;
use std::io::{Cursor, Write};

use dataset::{Part, names_good_parts};
use image::ImageFormat;

use super::{GOOD, MASKS};
use crate::archive::Archive;
use crate::files::stem;
use crate::mask::mask;
use crate::names::{Apart, Names, safe_name};
use crate::write::Items;
use crate::{Answer, ExchangeError, Item, MOST_PIXELS};

pub(crate) fn write(items: Items<'_>, out: &mut dyn Write) -> Result<(), ExchangeError> {
    let mut archive = Archive::new(out);
    let mut names = Names::new(Apart::Stem);
    let mut kinds = Kinds::new();
    for item in items {
        let item = item?;
        let Answer::Class(class) = &item.answer else { continue };
        let name = safe_name(&item.name);
        if names_good_parts(class) {
            let part = match item.part {
                None | Some(Part::Train) => "train",
                Some(Part::Validation) => "validation",
                Some(Part::Test) => "test",
            };
            archive.content(&names.give(format!("{part}/{GOOD}/{name}")), &item)?;
            continue;
        }
        let kind = kinds.folder(class);
        let path = names.give(format!("{kind}/{name}"));
        archive.content(&format!("test/{path}"), &item)?;
        if let Some(mask) = mask_of(&item)? {
            archive.stored(&format!("{MASKS}/{}_mask.png", stem(&path)), &mask)?;
        }
    }
    archive.finish()
}

/// A picture of what is marked; `None` when nothing is, or the picture's size is not known.
fn mask_of(item: &Item) -> Result<Option<Vec<u8>>, ExchangeError> {
    let size = item.picture_size().filter(|size| u64::from(size.0) * u64::from(size.1) <= MOST_PIXELS);
    let (Some(size), false) = (size, item.marks.is_empty()) else { return Ok(None) };
    let mut bytes = Cursor::new(Vec::new());
    let failed = |error| ExchangeError::Write(std::io::Error::other(error));
    mask(&item.marks, size).write_to(&mut bytes, ImageFormat::Png).map_err(failed)?;
    Ok(Some(bytes.into_inner()))
}

/// The folders of kinds of defect; two kinds never share one.
struct Kinds {
    folders: HashMap<String, String>,
    names: Names,
}

impl Kinds {
    fn new() -> Self {
        let mut names = Names::new(Apart::Whole);
        names.give(GOOD.to_owned());
        Self { folders: HashMap::new(), names }
    }

    fn folder(&mut self, class: &str) -> String {
        if let Some(folder) = self.folders.get(class) {
            return folder.clone();
        }
        let folder = self.names.give(safe_name(class));
        self.folders.insert(class.to_owned(), folder.clone());
        folder
    }
}
