//! Pascal VOC is read.

use std::collections::{BTreeSet, HashMap};

use dataset::{Part, Problem, ProblemKind};

use super::xml::{self, Node};
use super::{ANNOTATIONS, PICTURES};
use crate::files::{self, Files};
use crate::read::Found;
use crate::{Answer, Content, ExchangeError, Header, Item, Kind, Mark, Shape, picture};

/// Largest document of one picture.
const MOST_BYTES: u64 = 16 << 20;
/// Folders in which the pictures of a document may lie.
const FOLDERS: &[&str] = &[PICTURES, "images"];
/// Endings of pictures, for documents that do not name theirs.
const PICTURE_ENDINGS: &[&str] = &[".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"];

/// Whether a file is such a document: `annotation` with the name of a file, a size or an object in it.
pub(crate) fn is_document(files: &Files, path: &str) -> bool {
    document(files, path)
        .is_ok_and(|root| ["filename", "size", "object"].iter().any(|name| root.child(name).is_some()))
}

fn document(files: &Files, path: &str) -> Result<Node, ExchangeError> {
    let full = files.full(path);
    let malformed = |detail: String| ExchangeError::malformed(&full, detail);
    let text = String::from_utf8(files::read(&full, MOST_BYTES)?)
        .map_err(|_| malformed("it is not UTF-8".to_owned()))?;
    let root = xml::parse(text.trim_start_matches('\u{feff}')).map_err(malformed)?;
    if root.name == "annotation" { Ok(root) } else { Err(malformed(format!("it is of `{}`", root.name))) }
}

/// `None` when there is no document of this format.
pub(crate) fn read(files: &Files, name: String) -> Result<Option<Found>, ExchangeError> {
    let mut items: Vec<Item> = Vec::new();
    let mut problems = Vec::new();
    let mut classes = BTreeSet::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let parts = parts(files);
    for path in files.ending(&[".xml"]) {
        let root = match document(files, path) {
            Ok(root) => root,
            Err(error) => {
                problems.push(files::problem(error, &files.full(path)));
                continue;
            }
        };
        let file = match file_of(files, path, &root) {
            Ok(file) => file,
            Err(kind) => {
                problems.push(Problem::in_file(kind, files.full(path)));
                continue;
            }
        };
        let marks = marks(&root, |row, detail| {
            let problem = Problem::in_row(ProblemKind::BadRow { detail }, files.full(path), row);
            problems.push(problem.column("object"));
        });
        classes.extend(marks.iter().filter_map(|mark| mark.class.clone()));
        match places.get(file) {
            Some(place) => items[*place].marks.extend(marks),
            None => {
                places.insert(file, items.len());
                items.push(item(files, file, &root, marks, part_of(path, &parts)));
            }
        }
    }
    if items.is_empty() && problems.is_empty() {
        return Ok(None);
    }
    let classes = classes.into_iter().collect();
    Ok(Some((Header { name, kind: Kind::Image, classes }, items, problems)))
}

fn item(files: &Files, file: &str, root: &Node, marks: Vec<Mark>, part: Option<Part>) -> Item {
    let start = format!("{PICTURES}/");
    let path = files.full(file);
    let side = |name: &str| root.child("size")?.text_of(name)?.parse().ok().filter(|side: &u32| *side > 0);
    Item {
        name: file.strip_prefix(&start).unwrap_or(file).to_owned(),
        size: side("width").zip(side("height")).or_else(|| picture::size(&path)),
        content: Content::File(path),
        answer: Answer::None,
        marks,
        group: None,
        part,
        piece: None,
    }
}

/// The picture that a document names, or the one that is called like it.
fn file_of<'f>(files: &'f Files, path: &str, root: &Node) -> Result<&'f str, ProblemKind> {
    let below = files::stem(path).strip_prefix(&format!("{ANNOTATIONS}/")).unwrap_or(files::stem(path));
    let Some(name) = root.text_of("filename") else {
        let called = PICTURE_ENDINGS
            .iter()
            .find_map(|ending| files.meant(&format!("{below}{ending}"), path, FOLDERS).ok());
        return called.ok_or_else(|| ProblemKind::MissingFile { name: format!("{below}.jpg") });
    };
    // `folder` of other tools is any folder on the disk of who marked; it is asked first only where the file is there.
    let folder = root.text_of("folder").and_then(files::plain);
    let within = folder.map(|folder| format!("{folder}/{name}"));
    match within.and_then(|path| files::plain(&path)).filter(|path| files.has(path)) {
        Some(within) => files.meant(&within, "", &[]),
        None => files.meant(name, path, FOLDERS),
    }
}

fn marks(root: &Node, mut tell: impl FnMut(u64, String)) -> Vec<Mark> {
    let objects = root.children.iter().filter(|child| child.name == "object");
    let mut marks = Vec::new();
    for (row, object) in (1..).zip(objects) {
        match mark(object) {
            Ok(mark) => marks.push(mark),
            Err(detail) => tell(row, detail),
        }
    }
    marks
}

fn mark(object: &Node) -> Result<Mark, String> {
    let corners = object.child("bndbox").ok_or("it has no `bndbox`")?;
    let number = |name: &str| {
        let text = corners.text_of(name).ok_or_else(|| format!("its box has no `{name}`"))?;
        text.parse::<f64>()
            .map_err(|_| format!("`{}` is not a number", text.chars().take(40).collect::<String>()))
    };
    let [left, upper, right, lower] = [number("xmin")?, number("ymin")?, number("xmax")?, number("ymax")?];
    let shape =
        Shape::Box { x: left - 1.0, y: upper - 1.0, width: right - left + 1.0, height: lower - upper + 1.0 };
    let mark = Mark { class: object.text_of("name").map(str::to_owned), shape };
    mark.check(Kind::Image).map_err(|error| error.to_string())?;
    Ok(mark)
}

/// The names in `ImageSets/Main`, by part. Lists for single classes, such as `cat_train.txt`, are passed over.
fn parts(files: &Files) -> HashMap<String, Part> {
    let mut parts = HashMap::new();
    let lists = files.ending(&[".txt"]).filter(|path| path.contains("ImageSets/"));
    for path in lists {
        let Some(part) = Part::from_name(files::name(files::stem(path))) else { continue };
        let Ok(bytes) = files.read(path) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        parts.extend(text.lines().map(|line| (line.trim().to_owned(), part)));
    }
    parts
}

fn part_of(path: &str, parts: &HashMap<String, Part>) -> Option<Part> {
    let below = files::stem(path).strip_prefix(&format!("{ANNOTATIONS}/")).unwrap_or(files::stem(path));
    let listed = parts.get(below).or_else(|| parts.get(files::name(below)));
    listed.copied().or_else(|| path.split('/').rev().skip(1).find_map(Part::from_name))
}
