//! YOLO is written.

use std::fmt::Write as _;
use std::io::Write;

use dataset::Part;
use serde::{Deserialize, Serialize};

use super::{DOCUMENT, IMAGES, LABELS, UNASSIGNED};
use crate::archive::Archive;
use crate::classes::Classes;
use crate::files::stem;
use crate::names::{Apart, Names, safe_path};
use crate::outline::outlines;
use crate::spool::Spool;
use crate::write::Items;
use crate::{ExchangeError, Header, Item, MOST_POINTS, Mark, Shape, UNNAMED};

/// The rows of one picture wait until it is known whether all are boxes.
#[derive(Serialize, Deserialize)]
struct Waiting {
    path: String,
    size: (u32, u32),
    marks: Vec<Mark>,
}

pub(crate) fn write(
    header: &Header,
    items: Items<'_>,
    files: bool,
    out: &mut dyn Write,
) -> Result<(), ExchangeError> {
    let mut archive = Archive::new(out);
    let mut names = Names::new(Apart::Stem);
    let mut classes = Classes::new(&header.classes);
    let mut waiting = Spool::new()?;
    let mut folders: Vec<&str> = Vec::new();
    let mut has_polygons = false;
    for item in items {
        let mut item = item?;
        let folder = folder(item.part);
        if !folders.contains(&folder) {
            folders.push(folder);
        }
        let path = names.give(format!("{folder}/{}", inner(&item)));
        if files {
            archive.content(&format!("{IMAGES}/{path}"), &item)?;
        }
        let size = match item.picture_size() {
            Some(size) => size,
            None if item.marks.is_empty() => (1, 1),
            None => return Err(ExchangeError::NoSize { name: item.name }),
        };
        for mark in &mut item.marks {
            has_polygons |= matches!(mark.shape, Shape::Polygon { .. } | Shape::Brush { .. });
            classes.number(mark.class.get_or_insert_with(|| UNNAMED.to_owned()));
        }
        waiting.push(&Waiting { path: stem(&path).to_owned(), size, marks: item.marks })?;
    }
    waiting.each(|picture| {
        let mut rows = String::new();
        for mark in picture.marks {
            let class = classes.number(mark.class.as_deref().unwrap_or(UNNAMED));
            for shape in pieces(mark.shape) {
                rows.extend(row(class, &shape, picture.size, has_polygons));
            }
        }
        archive.text(&format!("{LABELS}/{}.txt", picture.path), &rows)
    })?;
    archive.text(DOCUMENT, &document(&classes, &folders))?;
    archive.finish()
}

fn folder(part: Option<Part>) -> &'static str {
    match part {
        Some(Part::Train) => "train",
        Some(Part::Validation) => "val",
        Some(Part::Test) => "test",
        None => UNASSIGNED,
    }
}

/// The path below the part. Readers find the labels by the last folder called `images`, so no other may be called so.
fn inner(item: &Item) -> String {
    let path = safe_path(&item.name);
    let parts = path
        .split('/')
        .map(|part| if part == IMAGES || part == LABELS { format!("{part}_") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("/")
}

/// A brush in the polygons around it; one with too many corners to be read again is its rectangle. Other shapes as they are.
fn pieces(shape: Shape) -> Vec<Shape> {
    let Shape::Brush { width, runs, .. } = &shape else { return vec![shape] };
    let piece = |points: Vec<[f64; 2]>| {
        let polygon = Shape::Polygon { points };
        match (&polygon, polygon.edges()) {
            (Shape::Polygon { points }, Some([left, upper, right, lower])) if points.len() > MOST_POINTS => {
                Shape::Box { x: left, y: upper, width: right - left, height: lower - upper }
            }
            _ => polygon,
        }
    };
    outlines(*width, runs).into_iter().map(piece).collect()
}

/// `None` for what lies beside the picture, and for shapes that are on no picture.
fn row(class: usize, shape: &Shape, size: (u32, u32), has_polygons: bool) -> Option<String> {
    let (width, height) = (f64::from(size.0), f64::from(size.1));
    let [left, upper, right, lower] = shape.edges()?;
    let [left, right] = [left, right].map(|x| x.clamp(0.0, width));
    let [upper, lower] = [upper, lower].map(|y| y.clamp(0.0, height));
    if left >= right || upper >= lower {
        return None;
    }
    let mut numbers = Vec::new();
    if let Shape::Polygon { points } = shape {
        numbers.extend(
            points.iter().flat_map(|[x, y]| [x.clamp(0.0, width) / width, y.clamp(0.0, height) / height]),
        );
    } else if has_polygons {
        for [x, y] in [[left, upper], [right, upper], [right, lower], [left, lower]] {
            numbers.extend([x / width, y / height]);
        }
    } else {
        let centre = [(left + right) / 2.0 / width, (upper + lower) / 2.0 / height];
        numbers.extend(centre.into_iter().chain([(right - left) / width, (lower - upper) / height]));
    }
    let mut row = class.to_string();
    // Writing to a text cannot fail.
    numbers.iter().for_each(|number| _ = write!(row, " {number}"));
    row.push('\n');
    Some(row)
}

fn document(classes: &Classes, folders: &[&str]) -> String {
    let mut text = String::from("# Written by Dianjing. Paths are relative to this file.\n");
    let list = |wanted: &[&str]| {
        let there = wanted.iter().filter(|folder| folders.contains(folder));
        there.map(|folder| format!("{IMAGES}/{folder}")).collect::<Vec<_>>()
    };
    let mut train = list(&["train", UNASSIGNED]);
    if train.is_empty() {
        train = folders.iter().map(|folder| format!("{IMAGES}/{folder}")).take(1).collect();
    }
    let value = |paths: &[String]| match paths {
        [only] => only.clone(),
        paths => format!("[{}]", paths.join(", ")),
    };
    // Writing to a text cannot fail.
    _ = writeln!(text, "train: {}", value(&train));
    match &list(&["val"])[..] {
        [] => {
            _ = writeln!(
                text,
                "# No example is marked for validation, and this key must be there.\nval: {}",
                value(&train)
            );
        }
        val => _ = writeln!(text, "val: {}", value(val)),
    }
    if let test @ [_, ..] = &list(&["test"])[..] {
        _ = writeln!(text, "test: {}", value(test));
    }
    _ = writeln!(text, "nc: {}\nnames:", classes.names().len());
    for (number, name) in classes.names().iter().enumerate() {
        // Texts of JSON are texts of YAML.
        _ = writeln!(text, "  {number}: {}", serde_json::Value::from(name.as_str()));
    }
    text
}
