//! Tables: one row an example.
//!
//! | column | what |
//! |---|---|
//! | `file`, or `id` and `text` | the path of a file relative to the table, or the name of a text and the text |
//! | of several senses `id`, and one called as each | the path of a file or a text; nothing where the sense is missing |
//! | of pieces of sounds `file`, `start`, `end` and `id` | the whole sound, times in seconds and the name of the piece; with the files in the archive `file` is the piece, and `piece` says as JSON where it was cut out |
//! | `label` | the class |
//! | `labels` | several classes: a list; in CSV joined with `\|`, or a JSON list where that would be mistaken |
//! | `number` | the value |
//! | `group`, `part` | what stays together; `train`, `validation` or `test` |
//! | `marks` | the marks as JSON, see [`Mark`]; in JSONL the list itself |
//!
//! Columns that nothing is in are left out.

mod lines;
mod parquet;
mod read;
mod separated;
mod write;

use std::collections::BTreeMap;

use dataset::{Part, join_labels};
use serde::{Deserialize, Serialize};

use crate::known::Known;
use crate::{Answer, Content, Item, Mark, Piece};

pub(crate) use read::{find, has_marks, kind_of, read};
pub(crate) use write::write;

/// The name of the table in an archive, without its ending.
const NAME: &str = "examples";

/// One row, as it stands in JSONL.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Row {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Where a piece of the file starts and ends, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<f64>,
    #[serde(flatten)]
    known: Known,
    /// Where the file was cut out, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    piece: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    marks: Vec<Mark>,
    /// A text or the path of a file of each sense, by its name. In JSONL they stand beside the others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    senses: BTreeMap<String, String>,
}

impl Row {
    /// `name` is that of its file in the archive, where there is one, and `senses` are those of the item as they are written.
    fn of(item: Item, name: String, senses: BTreeMap<String, String>, with_files: bool) -> Self {
        let known = Known::of(&item);
        let row = Self { known, marks: item.marks, senses, ..Self::default() };
        match (item.content, item.piece) {
            (Content::File(_), Some(piece)) if with_files => {
                let told = serde_json::to_string(&piece).expect("a piece is plain");
                Self { file: Some(name), id: Some(item.name), piece: Some(told), ..row }
            }
            (Content::File(_), Some(Piece { file, start, end })) => {
                Self { file: Some(file), id: Some(item.name), start: Some(start), end, ..row }
            }
            (Content::File(_), None) => Self { file: Some(name), ..row },
            (Content::Text(text), _) => Self { id: Some(name), text: Some(text), ..row },
            (Content::Senses(_), _) => Self { id: Some(name), ..row },
        }
    }
}

/// One column of a table that must name its columns before its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    File,
    Id,
    Text,
    Start,
    End,
    Label,
    Labels,
    Number,
    Group,
    Part,
    Piece,
    Marks,
}

impl Column {
    const ALL: [Self; 12] = [
        Self::File,
        Self::Id,
        Self::Text,
        Self::Start,
        Self::End,
        Self::Label,
        Self::Labels,
        Self::Number,
        Self::Group,
        Self::Part,
        Self::Piece,
        Self::Marks,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Id => "id",
            Self::Text => "text",
            Self::Start => "start",
            Self::End => "end",
            Self::Label => "label",
            Self::Labels => "labels",
            Self::Number => "number",
            Self::Group => "group",
            Self::Part => "part",
            Self::Piece => "piece",
            Self::Marks => "marks",
        }
    }

    /// That is read here; who cuts pieces out by their times reads such tables otherwise.
    fn from_name(name: &str) -> Option<Self> {
        let mut read = Self::ALL.into_iter().filter(|column| !matches!(column, Self::Start | Self::End));
        read.find(|column| column.name() == name)
    }

    /// The number in it, of a column of numbers.
    fn number(self, row: &Row) -> Option<f64> {
        match self {
            Self::Number => row.known.number,
            Self::Start => row.start,
            Self::End => row.end,
            _ => None,
        }
    }

    /// The cell as a text; `None` when there is nothing in it.
    fn cell(self, row: &Row) -> Option<String> {
        match self {
            Self::File => row.file.clone(),
            Self::Id => row.id.clone(),
            Self::Text => row.text.clone(),
            Self::Label => row.known.label.clone(),
            Self::Labels => row.known.labels.as_deref().map(join_labels),
            Self::Start | Self::End | Self::Number => self.number(row).map(|number| number.to_string()),
            Self::Group => row.known.group.clone(),
            Self::Part => row.known.part.map(|part| part_name(part).to_owned()),
            Self::Piece => row.piece.clone(),
            Self::Marks => (!row.marks.is_empty())
                .then(|| serde_json::to_string(&row.marks).expect("marks have no keys but texts")),
        }
    }

    /// Whether there is something in the cell.
    fn is_filled(self, row: &Row) -> bool {
        match self {
            Self::File => row.file.is_some(),
            Self::Id => row.id.is_some(),
            Self::Text => row.text.is_some(),
            Self::Label => row.known.label.is_some(),
            Self::Labels => row.known.labels.is_some(),
            Self::Start | Self::End | Self::Number => self.number(row).is_some(),
            Self::Group => row.known.group.is_some(),
            Self::Part => row.known.part.is_some(),
            Self::Piece => row.piece.is_some(),
            Self::Marks => !row.marks.is_empty(),
        }
    }
}

pub(crate) fn part_name(part: Part) -> &'static str {
    match part {
        Part::Train => "train",
        Part::Validation => "validation",
        Part::Test => "test",
    }
}

/// The classes that a row names.
fn classes(answer: &Answer) -> &[String] {
    match answer {
        Answer::Class(class) => std::slice::from_ref(class),
        Answer::Classes(classes) => classes,
        Answer::None | Answer::Number(_) => &[],
    }
}
