//! Sets are written, unpacked and read again, and files of others and of nobody are read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod foreign;
mod hostile;
mod round;
mod stream;

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use dataset::{Part, Problem};
use exchange::{Answer, Content, ExchangeError, Format, Header, Item, Kind, Mark, Shape};
use image::{GrayImage, ImageFormat};

/// A folder that goes away with the test.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, with the folders above it.
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a picture of this size.
    fn picture(&self, name: &str, width: u32, height: u32) -> PathBuf {
        self.write(name, png(&GrayImage::from_fn(width, height, |x, y| image::Luma([(x * 7 + y) as u8]))))
    }

    #[track_caller]
    fn read(&self, format: Format) -> (Header, Vec<Item>, Vec<Problem>) {
        exchange::read(self.root(), format).unwrap()
    }

    #[track_caller]
    fn error(&self, format: Format) -> ExchangeError {
        exchange::read(self.root(), format).map(|(_, items, problems)| (items.len(), problems)).unwrap_err()
    }

    /// The problems, with places below this folder.
    fn told(&self, problems: &[Problem]) -> Vec<String> {
        let root = format!("{}/", self.root().display());
        problems.iter().map(|problem| problem.to_string().replace(&root, "")).collect()
    }
}

fn png(picture: &GrayImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn header(kind: Kind, classes: &[&str]) -> Header {
    Header { name: "set".into(), kind, classes: classes.iter().map(|class| (*class).to_owned()).collect() }
}

fn file(name: &str, path: PathBuf, size: Option<(u32, u32)>) -> Item {
    let (answer, marks) = (Answer::None, Vec::new());
    Item {
        name: name.into(),
        content: Content::File(path),
        size,
        answer,
        marks,
        group: None,
        part: None,
        piece: None,
    }
}

fn text(name: &str, text: &str) -> Item {
    let (answer, marks) = (Answer::None, Vec::new());
    Item {
        name: name.into(),
        content: Content::Text(text.into()),
        size: None,
        answer,
        marks,
        group: None,
        part: None,
        piece: None,
    }
}

fn mark(class: &str, shape: Shape) -> Mark {
    Mark { class: (!class.is_empty()).then(|| class.to_owned()), shape }
}

fn a_box(x: f64, y: f64, width: f64, height: f64) -> Shape {
    Shape::Box { x, y, width, height }
}

#[track_caller]
fn written(format: Format, header: &Header, items: &[Item], files: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    exchange::write(format, header, items.iter().cloned().map(Ok), files, &mut bytes).unwrap();
    bytes
}

/// Writes with the files, unpacks into a new folder and gives it.
#[track_caller]
fn unpacked(format: Format, header: &Header, items: &[Item]) -> Place {
    let place = Place::new();
    unzip(&written(format, header, items, true), place.root());
    place
}

fn unzip(bytes: &[u8], root: &Path) {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).unwrap();
        let name = member.name().unwrap().into_owned();
        assert!(member.enclosed_name().is_some(), "{name} leaves the archive");
        let path = root.join(&name);
        assert!(!path.exists(), "{name} is there twice");
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// The names of an archive.
fn members(bytes: &[u8]) -> Vec<String> {
    let archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort();
    names
}

/// What of an item does not depend on where its file lies.
#[derive(Debug, PartialEq)]
struct Known {
    name: String,
    bytes: Vec<u8>,
    size: Option<(u32, u32)>,
    answer: Answer,
    marks: Vec<Mark>,
    group: Option<String>,
    part: Option<Part>,
}

fn known(items: &[Item]) -> Vec<Known> {
    let mut known: Vec<Known> = items
        .iter()
        .map(|item| Known {
            name: item.name.clone(),
            bytes: match &item.content {
                Content::File(path) => std::fs::read(path).unwrap(),
                Content::Text(text) => text.clone().into_bytes(),
                Content::Senses(_) => unreachable!("these tests make none"),
            },
            size: item.size,
            answer: item.answer.clone(),
            marks: item.marks.clone(),
            group: item.group.clone(),
            part: item.part,
        })
        .collect();
    known.sort_by(|a, b| a.name.cmp(&b.name));
    known
}

/// Writes, unpacks and reads; the items must come back as `expect`, in any order, without a problem.
#[track_caller]
fn comes_back(format: Format, header: &Header, items: &[Item], expect: &[Item]) -> Header {
    let place = unpacked(format, header, items);
    let (found, got, problems) = place.read(format);
    assert_eq!(place.told(&problems), [""; 0], "{format:?}");
    assert_eq!(found.kind, header.kind, "{format:?}");
    for (got, expect) in known(&got).into_iter().zip(known(expect)) {
        assert_eq!(got, expect, "{format:?}");
    }
    assert_eq!(got.len(), expect.len(), "{format:?}");
    found
}
