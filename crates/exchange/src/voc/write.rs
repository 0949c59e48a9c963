//! Pascal VOC is written.

use std::fmt::Write as _;
use std::io::Write;

use dataset::Part;

use super::xml::escaped;
use super::{ANNOTATIONS, PICTURES, SETS};
use crate::archive::Archive;
use crate::files::{name, stem};
use crate::names::{Apart, Names, safe_path};
use crate::spool::Spool;
use crate::write::Items;
use crate::{ExchangeError, Header, Item, UNNAMED};

pub(crate) fn write(
    header: &Header,
    items: Items<'_>,
    files: bool,
    out: &mut dyn Write,
) -> Result<(), ExchangeError> {
    let mut archive = Archive::new(out);
    let mut names = Names::new(Apart::Stem);
    let mut parts: Vec<(Part, Spool<String>)> = Vec::new();
    for part in [Part::Train, Part::Validation, Part::Test] {
        parts.push((part, Spool::new()?));
    }
    for item in items {
        let item = item?;
        let path = names.give(safe_path(&item.name));
        if files {
            archive.content(&format!("{PICTURES}/{path}"), &item)?;
        }
        archive.text(&format!("{ANNOTATIONS}/{}.xml", stem(&path)), &document(header, &item, &path))?;
        for (_, names) in parts.iter_mut().filter(|(part, _)| item.part == Some(*part)) {
            names.push(&stem(&path).to_owned())?;
        }
    }
    for (part, names) in parts {
        if names.len() > 0 {
            archive.lines(&format!("{SETS}/{}.txt", set_name(part)), names)?;
        }
    }
    archive.finish()
}

fn set_name(part: Part) -> &'static str {
    match part {
        Part::Train => "train",
        Part::Validation => "val",
        Part::Test => "test",
    }
}

fn document(header: &Header, item: &Item, path: &str) -> String {
    let mut text = String::from("<annotation>\n");
    // Writing to a text cannot fail.
    let mut line = |line: std::fmt::Arguments<'_>| _ = writeln!(text, "{line}");
    let folder = path.strip_suffix(name(path)).unwrap_or_default().trim_end_matches('/');
    let slash = if folder.is_empty() { "" } else { "/" };
    line(format_args!("\t<folder>{PICTURES}{slash}{}</folder>", escaped(folder)));
    line(format_args!("\t<filename>{}</filename>", escaped(name(path))));
    line(format_args!("\t<source>\n\t\t<database>{}</database>\n\t</source>", escaped(&header.name)));
    if let Some((width, height)) = item.picture_size() {
        line(format_args!(
            "\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n\t\t<depth>3</depth>\n\t</size>"
        ));
    }
    line(format_args!("\t<segmented>0</segmented>"));
    for mark in &item.marks {
        let Some(edges) = mark.shape.edges() else { continue };
        // The first and the last pixel, counted from 1; a box within one pixel has that one.
        let [left, upper] = [edges[0], edges[1]].map(|edge| edge.floor() + 1.0);
        let (right, lower) = (edges[2].ceil().max(left), edges[3].ceil().max(upper));
        line(format_args!(
            "\t<object>\n\t\t<name>{}</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n\t\t<difficult>0</difficult>\n\t\t\
             <bndbox>\n\t\t\t<xmin>{left}</xmin>\n\t\t\t<ymin>{upper}</ymin>\n\t\t\t<xmax>{right}</xmax>\n\t\t\t<ymax>{lower}</ymax>\n\
             \t\t</bndbox>\n\t</object>",
            escaped(mark.class.as_deref().unwrap_or(UNNAMED)),
        ));
    }
    text.push_str("</annotation>\n");
    text
}
