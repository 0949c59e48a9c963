//! Class folders: `[<part>/]<class>/<file>`; what has no class lies in `unlabelled`.

use std::io::Write;

use dataset::Part;
use dataset::read::MAX_CELL_BYTES;

use crate::archive::Archive;
use crate::classes::Classes;
use crate::files::{self, Files};
use crate::names::{Apart, Names, safe_name};
use crate::read::Found;
use crate::tables::{kind_of, part_name};
use crate::write::Items;
use crate::{Answer, Content, ExchangeError, Format, Header, Item, Kind, picture};

/// The folder of examples without a class.
const UNLABELLED: &str = "unlabelled";

pub(crate) fn write(items: Items<'_>, out: &mut dyn Write) -> Result<(), ExchangeError> {
    let mut archive = Archive::new(out);
    let mut names = Names::new(Apart::Whole);
    for item in items {
        let item = item?;
        let class = match &item.answer {
            Answer::Class(class) => safe_name(class),
            _ => UNLABELLED.to_owned(),
        };
        let part = item.part.map_or_else(String::new, |part| format!("{}/", part_name(part)));
        let mut name = safe_name(files::name(&item.file_name()));
        if matches!(item.content, Content::Text(_)) && files::ending(&name) != ".txt" {
            name.push_str(".txt");
        }
        archive.content(&names.give(format!("{part}{class}/{name}")), &item)?;
    }
    archive.finish()
}

pub(crate) fn read(files: &Files, name: String) -> Result<Found, ExchangeError> {
    let mut classes = Classes::default();
    let mut items = Vec::new();
    for path in files.paths() {
        let mut folders = path.split('/').rev().skip(1);
        let class = folders.next().filter(|class| *class != UNLABELLED);
        let answer = class.map_or(Answer::None, |class| Answer::Class(class.to_owned()));
        if let Some(class) = class {
            classes.number(class);
        }
        let full = files.full(path);
        let text =
            || files::read(&full, MAX_CELL_BYTES as u64).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let content = match (files::ending(path) == ".txt").then(text).flatten() {
            Some(text) => Content::Text(text),
            None => Content::File(full.clone()),
        };
        let size = if kind_of(&content) == Kind::Image { picture::size(&full) } else { None };
        let part = folders.find_map(Part::from_name);
        items.push(Item {
            name: path.clone(),
            content,
            size,
            answer,
            marks: Vec::new(),
            group: None,
            part,
            piece: None,
        });
    }
    let Some(first) = items.first() else {
        return Err(ExchangeError::NotThere { path: files.root().to_owned(), format: Format::Folders });
    };
    let kind = kind_of(&first.content);
    Ok((Header { name, kind, classes: classes.into_names() }, items, Vec::new()))
}
