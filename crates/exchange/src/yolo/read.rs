//! YOLO is read.

use dataset::{Part, Problem, ProblemKind};

use super::yaml::{self, Data};
use super::{IMAGES, LABELS, UNASSIGNED};
use crate::files::{self, Files};
use crate::read::Found;
use crate::{Answer, Content, ExchangeError, Header, Item, Kind, Mark, Shape, picture};

/// Largest document, and largest list of rows of one picture.
const MOST_BYTES: u64 = 64 << 20;
const PICTURE_ENDINGS: &[&str] = &[".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"];
/// Lists of classes, as labelling tools write them.
const LISTS: &[&str] = &["classes.txt", "obj.names"];
/// How far a number may lie outside of 0 to 1: rounding.
const SLACK: f64 = 1e-6;

/// Whether this is such a set: rows of numbers in a folder `labels` beside `images`.
pub(crate) fn is_there(files: &Files) -> bool {
    let is_labels =
        |path: &&str| folders(path).any(|folder| folder == LABELS) && !LISTS.contains(&files::name(path));
    let mut labels = files.ending(&[".txt"]).filter(is_labels);
    let has_images =
        || files.ending(PICTURE_ENDINGS).any(|path| folders(path).any(|folder| folder == IMAGES));
    let is_rows = |path: &str| {
        let text =
            files::read(&files.full(path), MOST_BYTES).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.filter(|text| !text.trim().is_empty()).map(|text| {
            text.lines().filter(|line| !line.trim().is_empty()).take(3).all(|line| {
                let numbers: Option<Vec<f64>> =
                    line.split_whitespace().map(|word| word.parse().ok()).collect();
                numbers.is_some_and(|numbers| numbers.len() >= 5)
            })
        })
    };
    // Pictures without a mark have empty files, which say nothing.
    let first = labels.by_ref().take(256).find_map(is_rows);
    has_images() && first.unwrap_or_else(|| document(files).is_some())
}

fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').rev().skip(1)
}

fn document(files: &Files) -> Option<Data> {
    let documents = files.ending(&[".yaml", ".yml"]).filter(|path| path.split('/').count() <= 2);
    documents.take(16).find_map(|path| {
        let bytes = files::read(&files.full(path), MOST_BYTES).ok()?;
        let data = yaml::parse(&String::from_utf8_lossy(&bytes));
        (!data.names.is_empty() || data.n_classes.is_some()).then_some(data)
    })
}

/// `None` when there is no picture in a folder `images`.
pub(crate) fn read(files: &Files, name: String) -> Result<Option<Found>, ExchangeError> {
    let data = document(files).unwrap_or_else(|| from_list(files));
    let mut classes: Vec<String> = names(&data);
    let known = if data.names.is_empty() { data.n_classes } else { Some(classes.len()) };
    let mut items = Vec::new();
    let mut problems = Vec::new();
    for path in files.ending(PICTURE_ENDINGS) {
        let Some((start, inner)) = around_images(path) else { continue };
        let labels = format!("{start}{LABELS}/{}.txt", files::stem(inner));
        let full = files.full(path);
        let Some(size) = picture::size(&full) else {
            let kind = ProblemKind::BrokenImage { detail: "its size cannot be read".to_owned() };
            problems.push(Problem::in_file(kind, full));
            continue;
        };
        let mut marks = Vec::new();
        if files.has(&labels) {
            match files::read(&files.full(&labels), MOST_BYTES) {
                Ok(bytes) => {
                    let rows = Rows { size, n_classes: known, has_points: data.has_points };
                    marks = rows.read(&String::from_utf8_lossy(&bytes), &mut classes, |row, detail| {
                        problems.push(Problem::in_row(
                            ProblemKind::BadRow { detail },
                            files.full(&labels),
                            row,
                        ));
                    });
                }
                Err(error) => problems.push(files::problem(error, &files.full(&labels))),
            }
        }
        let part = part_of(path, &data);
        let name = item_name(start, inner);
        let content = Content::File(full);
        items.push(Item {
            name,
            content,
            size: Some(size),
            answer: Answer::None,
            marks,
            group: None,
            part,
            piece: None,
        });
    }
    if items.is_empty() && problems.is_empty() {
        return Ok(None);
    }
    Ok(Some((Header { name, kind: Kind::Image, classes }, items, problems)))
}

/// The path before and behind the last folder `images`.
fn around_images(path: &str) -> Option<(&str, &str)> {
    let inner =
        path.rfind("/images/").map(|at| at + 1).or_else(|| path.starts_with("images/").then_some(0))?;
    Some((&path[..inner], &path[inner + IMAGES.len() + 1..]))
}

/// The name without the folders that only say the part: `images/train/a.png` and `train/images/a.png` are `a.png`.
fn item_name(start: &str, inner: &str) -> String {
    let is_part = |folder: &str| folder == UNASSIGNED || Part::from_name(folder).is_some();
    let before = start.trim_end_matches('/');
    let before = if is_part(before) || before.is_empty() { String::new() } else { format!("{before}/") };
    let inner = inner.split_once('/').filter(|(first, _)| is_part(first)).map_or(inner, |(_, rest)| rest);
    format!("{before}{inner}")
}

/// The part that a folder's name says, else the one whose path the document names.
fn part_of(path: &str, data: &Data) -> Option<Part> {
    if folders(path).any(|folder| folder == UNASSIGNED) {
        return None;
    }
    let is_in = |paths: &Vec<String>| {
        paths.iter().any(|start| {
            let start = start.trim_start_matches(['.', '/']).trim_end_matches('/');
            !start.is_empty() && path.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    let named = || match [&data.train, &data.val, &data.test].map(is_in) {
        [true, false, false] => Some(Part::Train),
        [false, true, false] => Some(Part::Validation),
        [false, false, true] => Some(Part::Test),
        _ => None,
    };
    folders(path).find_map(Part::from_name).or_else(named)
}

/// Names from a list of classes.
fn from_list(files: &Files) -> Data {
    let list = files.ending(&[".txt", ".names"]).find(|path| LISTS.contains(&files::name(path)));
    let bytes = list.and_then(|path| files::read(&files.full(path), MOST_BYTES).ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| Some(line.to_owned()));
    Data { names: names.collect(), ..Data::default() }
}

/// A class without a name is called by its number.
fn names(data: &Data) -> Vec<String> {
    let named = |(number, name): (usize, &Option<String>)| name.clone().unwrap_or_else(|| number.to_string());
    data.names.iter().enumerate().map(named).collect()
}

/// What is needed to read the rows of one picture.
struct Rows {
    size: (u32, u32),
    /// Where it is known, no class may have a higher number.
    n_classes: Option<usize>,
    has_points: bool,
}

/// Most classes where nothing says how many there are.
const MOST_CLASSES: usize = 10_000;

impl Rows {
    fn read(&self, text: &str, classes: &mut Vec<String>, mut tell: impl FnMut(u64, String)) -> Vec<Mark> {
        let mut marks = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            match self.row(line) {
                Ok((class, shape)) => {
                    for number in classes.len()..=class {
                        classes.push(number.to_string());
                    }
                    let mark = Mark { class: Some(classes[class].clone()), shape };
                    match mark.check(Kind::Image) {
                        Ok(()) => marks.push(mark),
                        Err(error) => tell(number, error.to_string()),
                    }
                }
                Err(detail) => tell(number, detail),
            }
        }
        marks
    }

    fn row(&self, line: &str) -> Result<(usize, Shape), String> {
        let mut numbers = Vec::new();
        for word in line.split_whitespace().take(2 * crate::MOST_POINTS + 2) {
            let number = word.parse::<f64>().ok().filter(|number| number.is_finite());
            numbers.push(
                number.ok_or_else(|| {
                    format!("`{}` is not a number", word.chars().take(40).collect::<String>())
                })?,
            );
        }
        let (class, mut numbers) = numbers.split_first().ok_or("it is empty")?;
        let most = self.n_classes.unwrap_or(MOST_CLASSES);
        if class.fract() != 0.0 || *class < 0.0 || *class >= most as f64 {
            return Err(format!("the class is {class}, there are {most} classes, from 0"));
        }
        if self.has_points && numbers.len() > 4 {
            numbers = &numbers[..4];
        }
        if let Some(number) = numbers.iter().find(|number| **number < -SLACK || **number > 1.0 + SLACK) {
            return Err(format!("{number} is outside of 0 to 1"));
        }
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        let round = picture::rounded;
        let shape = match numbers {
            [x, y, w, h] => Shape::Box {
                x: round((x - w / 2.0) * width),
                y: round((y - h / 2.0) * height),
                width: round(w * width),
                height: round(h * height),
            },
            numbers if numbers.len() >= 6 && numbers.len().is_multiple_of(2) => {
                let points = numbers.as_chunks::<2>().0;
                Shape::Polygon {
                    points: points.iter().map(|[x, y]| [round(x * width), round(y * height)]).collect(),
                }
            }
            numbers => {
                return Err(format!(
                    "{} numbers behind the class are neither a box nor a polygon",
                    numbers.len()
                ));
            }
        };
        Ok((*class as usize, shape))
    }
}
