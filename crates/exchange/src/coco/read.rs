//! COCO's JSON is read.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use dataset::{Part, Problem, ProblemKind};
use serde::Deserialize;

use super::{Annotation, Counts, IMAGES, Picture, Segmentation, counts_from_text};
use crate::classes::Classes;
use crate::files::{self, Files};
use crate::lenient::Lenient;
use crate::read::Found;
use crate::{
    Content, ExchangeError, Header, Item, Kind, MOST_PIXELS, MOST_RUNS, Mark, Shape, UNNAMED, picture, runs,
};

/// Folders in which tools look for the pictures of a document.
const FOLDERS: &[&str] =
    &[IMAGES, "data", "train2017", "val2017", "test2017", "train", "val", "valid", "test"];
/// Documents of the COCO sets that say something else about pictures that `instances` lists too.
const OTHERS: &[&str] = &["captions", "person_keypoints", "image_info", "panoptic", "stuff"];

#[derive(Debug, Deserialize)]
struct Document {
    #[serde(default)]
    images: Vec<Lenient<Picture>>,
    #[serde(default)]
    annotations: Vec<Lenient<Annotation>>,
    #[serde(default)]
    categories: Vec<Lenient<Category>>,
}

#[derive(Debug, Deserialize)]
struct Category {
    id: u64,
    name: String,
}

/// What the documents read so far gave.
#[derive(Default)]
struct Set {
    items: Vec<Item>,
    /// The paths of files, with the places of their items.
    places: HashMap<String, usize>,
    classes: Classes,
    /// Classes of marks, without those that only stand for no class.
    used: HashSet<String>,
    has_unnamed: bool,
    problems: Vec<Problem>,
}

pub(crate) fn read(files: &Files, name: String, documents: &[String]) -> Result<Found, ExchangeError> {
    let is_other = |path: &&String| OTHERS.iter().any(|start| files::name(path).starts_with(start));
    let main: Vec<&String> = documents.iter().filter(|path| !is_other(path)).collect();
    let chosen = if main.is_empty() { documents.iter().collect() } else { main };
    let mut set = Set::default();
    for path in &chosen {
        match files.read(path).and_then(|bytes| parse(&files.full(path), &bytes)) {
            Ok(document) => set.add(files, path, document),
            Err(error) if chosen.len() == 1 => return Err(error),
            Err(error) => set.problems.push(files::problem(error, &files.full(path))),
        }
    }
    let mut classes = set.classes.into_names();
    if set.has_unnamed && !set.used.contains(UNNAMED) {
        classes.retain(|class| class != UNNAMED);
    }
    Ok((Header { name, kind: Kind::Image, classes }, set.items, set.problems))
}

fn parse(path: &std::path::Path, bytes: &[u8]) -> Result<Document, ExchangeError> {
    serde_json::from_slice(bytes).map_err(|error| ExchangeError::malformed(path, error))
}

impl Set {
    fn add(&mut self, files: &Files, path: &str, document: Document) {
        let full = files.full(path);
        let mut categories = HashMap::new();
        for (row, category) in (1..).zip(document.categories) {
            match category.0 {
                Ok(category) => {
                    self.classes.number(&category.name);
                    categories.insert(category.id, category.name);
                }
                Err(detail) => self.tell(&full, row, "categories", ProblemKind::BadRow { detail }),
            }
        }
        let part = part_of(path);
        let mut places = HashMap::new();
        for (row, picture) in (1..).zip(document.images) {
            let added = picture.0.map_err(|detail| ProblemKind::BadRow { detail }).and_then(|picture| {
                let file = files.meant(&picture.file_name, path, FOLDERS)?.to_owned();
                Ok((picture.id, self.item(files, file, picture, part)))
            });
            match added {
                Ok((id, place)) => {
                    places.insert(id, place);
                }
                Err(kind) => {
                    self.tell(&full, row, "images", kind);
                }
            }
        }
        for (row, annotation) in (1..).zip(document.annotations) {
            let marked = annotation.0.and_then(|annotation| self.mark(annotation, &places, &categories));
            if let Err(detail) = marked {
                self.tell(&full, row, "annotations", ProblemKind::BadRow { detail });
            }
        }
    }

    fn tell(&mut self, path: &std::path::Path, row: u64, list: &str, kind: ProblemKind) {
        self.problems.push(Problem::in_row(kind, path, row).column(list));
    }

    /// The place of a picture's item, a new one for a new file.
    fn item(&mut self, files: &Files, file: String, picture: Picture, part: Option<Part>) -> usize {
        if let Some(place) = self.places.get(&file) {
            return *place;
        }
        let path: PathBuf = files.full(&file);
        let given = picture.width.zip(picture.height);
        let start = format!("{IMAGES}/");
        self.items.push(Item {
            name: file.strip_prefix(&start).unwrap_or(&file).to_owned(),
            size: given.or_else(|| picture::size(&path)),
            content: Content::File(path),
            answer: picture.known.answer(),
            marks: Vec::new(),
            group: picture.known.group,
            part: picture.known.part.or(part),
            piece: None,
        });
        self.places.insert(file, self.items.len() - 1);
        self.items.len() - 1
    }

    fn mark(
        &mut self,
        annotation: Annotation,
        places: &HashMap<u64, usize>,
        categories: &HashMap<u64, String>,
    ) -> Result<(), String> {
        let Some(place) = places.get(&annotation.image_id) else {
            return Err(format!("no picture has the id {}", annotation.image_id));
        };
        let is_unnamed = annotation.own.as_ref().is_some_and(|own| own.unnamed);
        let class = match categories.get(&annotation.category_id) {
            _ if is_unnamed => None,
            Some(class) => Some(class.clone()),
            None => return Err(format!("no category has the id {}", annotation.category_id)),
        };
        let size = self.items[*place].size;
        let mut marks = Vec::new();
        for shape in shapes(annotation, size)? {
            let mark = Mark { class: class.clone(), shape };
            mark.check(Kind::Image).map_err(|error| error.to_string())?;
            marks.push(mark);
        }
        self.has_unnamed |= is_unnamed;
        self.used.extend(class);
        self.items[*place].marks.extend(marks);
        Ok(())
    }
}

/// The shapes of one annotation: its polygons, each for itself, its runs, or else its box.
fn shapes(annotation: Annotation, size: Option<(u32, u32)>) -> Result<Vec<Shape>, String> {
    let polygons = match annotation.segmentation {
        Some(Segmentation::Runs { size: own, counts }) => return Ok(vec![brush(own, counts, size)?]),
        Some(Segmentation::Polygons(polygons)) => polygons,
        Some(Segmentation::Flat(polygon)) => vec![polygon],
        None => Vec::new(),
    };
    let polygons: Vec<Vec<f64>> = polygons.into_iter().filter(|numbers| !numbers.is_empty()).collect();
    if polygons.is_empty() {
        let Some(&[x, y, width, height]) = annotation.bbox.as_deref() else {
            return Err("neither a segmentation nor a box of four numbers".to_owned());
        };
        return Ok(vec![Shape::Box { x, y, width, height }]);
    }
    let polygon = |numbers: Vec<f64>| match numbers.as_chunks::<2>() {
        (points, []) => Ok(Shape::Polygon { points: points.to_vec() }),
        _ => Err("a polygon has an odd number of coordinates".to_owned()),
    };
    polygons.into_iter().map(polygon).collect()
}

fn brush([height, width]: [u32; 2], counts: Counts, size: Option<(u32, u32)>) -> Result<Shape, String> {
    if let Some(size) = size.filter(|size| *size != (width, height)) {
        let (expected_width, expected_height) = size;
        return Err(format!(
            "its runs are for {width} x {height} pixels, the picture has {expected_width} x {expected_height}"
        ));
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!("{width} x {height} pixels, at most {MOST_PIXELS} are kept"));
    }
    let counts = match counts {
        Counts::Plain(counts) => counts,
        Counts::Packed(text) => {
            counts_from_text(text.as_bytes()).ok_or("its counts are damaged or too many")?
        }
    };
    let runs = runs::transposed(&counts, height, width, MOST_RUNS);
    let runs = runs.ok_or("its counts do not cover the picture, or are too many")?;
    Ok(Shape::Brush { width, height, runs })
}

/// The part that a document's name or folder says: `instances_val2017.json`, `train/_annotations.coco.json`.
fn part_of(path: &str) -> Option<Part> {
    let mut folders = path.rsplit('/');
    let words = files::stem(folders.next()?).split(|char: char| !char.is_alphabetic());
    words.chain(folders).find_map(Part::from_name)
}

/// Whether the bytes are a document of this format: an object with `images` and `annotations`, which are lists.
pub(crate) fn is_document(reader: impl std::io::Read) -> bool {
    #[derive(Deserialize)]
    struct Keys {
        images: Vec<Entry>,
        annotations: Vec<serde::de::IgnoredAny>,
    }
    #[derive(Deserialize)]
    struct Entry {
        #[serde(default)]
        file_name: Option<serde::de::IgnoredAny>,
    }
    let keys: Result<Keys, _> = serde_json::from_reader(std::io::BufReader::with_capacity(1 << 16, reader));
    keys.is_ok_and(|keys| {
        keys.images.first().is_some_and(|entry| entry.file_name.is_some()) || {
            keys.images.is_empty() && !keys.annotations.is_empty()
        }
    })
}
