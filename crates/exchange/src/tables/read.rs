//! Tables are read.

use std::path::Path;

use dataset::read::{MAX_CELL_BYTES, MAX_EXAMPLES, modality_of_file};
use dataset::{Modality, Problem, ProblemKind};

use super::{Column, NAME, Row, classes, lines, parquet, separated};
use crate::classes::Classes;
use crate::files::{self, Files};
use crate::lenient::Lenient;
use crate::read::Found;
use crate::{Content, ExchangeError, Format, Header, Item, Kind, Mark, Piece, picture};

/// A row as it was found, with its number, or why it is none.
pub(super) type Numbered = (u64, Result<FoundRow, (ProblemKind, Option<&'static str>)>);

/// A row of which a mark may be damaged.
#[derive(Debug, Default)]
pub(super) struct FoundRow {
    pub(super) row: Row,
    pub(super) marks: Vec<Lenient<Mark>>,
}

/// The table of a folder: the one that is called `examples`, or the only one.
pub(crate) fn find(files: &Files, format: Format) -> Option<&str> {
    let ending = format!(".{}", format.name());
    let own = format!("{NAME}{ending}");
    let endings = [ending.as_str()];
    let tables: Vec<&str> = files.ending(&endings).filter(|path| !path.contains('/')).collect();
    match tables[..] {
        [only] => Some(only),
        _ => tables.into_iter().find(|path| *path == own),
    }
}

/// Whether a table was written here with marks in it: it has columns of ours alone, and `marks` among them.
pub(crate) fn has_marks(path: &Path, format: Format) -> bool {
    let columns = match format {
        Format::Csv => separated::columns(path),
        Format::Parquet => parquet::columns(path),
        _ => lines::columns(path),
    };
    let known: Option<Vec<Column>> =
        columns.unwrap_or_default().iter().map(|name| Column::from_name(name)).collect();
    known.is_some_and(|known| known.contains(&Column::Marks))
}

pub(crate) fn read(files: &Files, name: String, table: &str, format: Format) -> Result<Found, ExchangeError> {
    let path = files.full(table);
    let mut set = Set { files, table, items: Vec::new(), problems: Vec::new(), classes: Classes::default() };
    let take = |row| set.add(row);
    match format {
        Format::Csv => separated::read(&path, take)?,
        Format::Parquet => parquet::read(&path, take)?,
        _ => lines::read(&path, take)?,
    }
    let kind = set.items.first().map_or(Kind::Text, |item| kind_of(&item.content));
    Ok((Header { name, kind, classes: set.classes.into_names() }, set.items, set.problems))
}

struct Set<'f> {
    files: &'f Files,
    table: &'f str,
    items: Vec<Item>,
    problems: Vec<Problem>,
    classes: Classes,
}

impl Set<'_> {
    fn add(&mut self, (number, row): Numbered) -> Result<(), ExchangeError> {
        if self.items.len() == MAX_EXAMPLES {
            let path = self.files.full(self.table);
            return Err(ExchangeError::TooMuch { path, what: "rows", limit: MAX_EXAMPLES as u64 });
        }
        match row.and_then(|row| self.item(number, row)) {
            Ok(item) => {
                let marked = item.marks.iter().filter_map(|mark| mark.class.as_ref());
                for class in classes(&item.answer).iter().chain(marked) {
                    self.classes.number(class);
                }
                self.items.push(item);
            }
            Err((kind, column)) => self.tell(number, column, kind),
        }
        Ok(())
    }

    fn tell(&mut self, number: u64, column: Option<&'static str>, kind: ProblemKind) {
        let problem = Problem::in_row(kind, self.files.full(self.table), number);
        self.problems.push(match column {
            Some(column) => problem.column(column),
            None => problem,
        });
    }

    fn item(&mut self, number: u64, found: FoundRow) -> Result<Item, (ProblemKind, Option<&'static str>)> {
        let row = found.row;
        let (name, content) = match (row.file, row.text) {
            (Some(file), _) => {
                let path = self.files.meant(&file, self.table, &[]).map_err(|kind| (kind, Some("file")))?;
                let own = row.id.filter(|_| row.piece.is_some());
                (own.unwrap_or_else(|| path.to_owned()), Content::File(self.files.full(path)))
            }
            (None, Some(text)) if text.len() > MAX_CELL_BYTES => {
                let detail = format!("a text has {} bytes, at most {MAX_CELL_BYTES} are read", text.len());
                return Err((ProblemKind::BadRow { detail }, Some("text")));
            }
            (None, Some(text)) => {
                let id = row.id.unwrap_or_else(|| format!("{}:{number}", files::name(self.table)));
                (id, Content::Text(text))
            }
            (None, None) => return Err((ProblemKind::EmptyCell, None)),
        };
        let piece = row.piece.as_deref().map(serde_json::from_str).transpose();
        let piece: Option<Piece> =
            piece.map_err(|error| (ProblemKind::BadRow { detail: error.to_string() }, Some("piece")))?;
        let kind = kind_of(&content);
        let mut marks = Vec::new();
        for mark in found.marks {
            let checked = mark.0.and_then(|mark| match mark.check(kind) {
                Ok(()) => Ok(mark),
                Err(error) => Err(error.to_string()),
            });
            match checked.and_then(|mark| within(mark, &content)) {
                Ok(mark) => marks.push(mark),
                Err(detail) => self.tell(number, Some("marks"), ProblemKind::BadRow { detail }),
            }
        }
        let size = match &content {
            Content::File(path) if kind == Kind::Image => picture::size(path),
            _ => None,
        };
        let (answer, group, part) = (row.known.answer(), row.known.group, row.known.part);
        Ok(Item { name, content, size, answer, marks, group, part, piece })
    }
}

/// Whether a span ends within its text.
fn within(mark: Mark, content: &Content) -> Result<Mark, String> {
    match (&mark.shape, content) {
        (crate::Shape::Span { end, .. }, Content::Text(text)) if *end > text.chars().count() => {
            Err(format!("a span ends at {end}, the text at {}", text.chars().count()))
        }
        _ => Ok(mark),
    }
}

/// The kind of an example; a file whose name tells nothing is taken for a picture.
pub(crate) fn kind_of(content: &Content) -> Kind {
    let of_file = |path: &Path| match modality_of_file(path) {
        Some(Modality::Text) => Kind::Text,
        Some(Modality::Sound) => Kind::Sound,
        Some(Modality::Video) => Kind::Video,
        Some(Modality::Series) => Kind::Series,
        _ => Kind::Image,
    };
    match content {
        Content::Text(_) => Kind::Text,
        Content::Senses(_) => Kind::Senses,
        Content::File(path) => of_file(path),
    }
}
