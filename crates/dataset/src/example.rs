//! What a data set is made of.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Examples with one question about them.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Short name: that of the folder or file.
    pub name: String,
    /// The folder or file it was read from.
    pub root: PathBuf,
    /// What is to be predicted.
    pub task: Task,
    /// What was decided about the task, why, and how to decide otherwise.
    pub decision: Decision,
    /// Which sense the examples speak to.
    pub modality: Modality,
    /// The senses of examples that speak to several, in the order of their columns; empty for one.
    pub senses: Vec<Sense>,
    /// The examples, in reading order.
    pub examples: Vec<Example>,
}

impl Dataset {
    /// The targets, in order.
    pub fn targets(&self) -> Vec<Target> {
        self.examples.iter().map(|example| example.target.clone()).collect()
    }

    /// Names of the classes; empty for regression.
    pub fn classes(&self) -> &[String] {
        match &self.task {
            Task::SingleLabel { classes } | Task::MultiLabel { classes } => classes,
            Task::Regression { .. } => &[],
        }
    }

    /// What one sense alone knows: the examples that have it, and their places in this data set.
    pub fn of_sense(&self, sense: &Sense) -> (Self, Vec<usize>) {
        let has_it = |(place, example): (usize, &Example)| {
            let Content::Senses(senses) = &example.content else { return None };
            let content = senses.get(&sense.name)?.clone();
            Some((place, Example { content, ..example.clone() }))
        };
        let (places, examples) = self.examples.iter().enumerate().filter_map(has_it).unzip();
        let alone = Self {
            name: self.name.clone(),
            root: self.root.clone(),
            task: self.task.clone(),
            decision: self.decision.clone(),
            modality: sense.modality,
            senses: Vec::new(),
            examples,
        };
        (alone, places)
    }
}

/// One of several senses: a column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sense {
    /// The column's name.
    pub name: String,
    /// What it holds.
    pub modality: Modality,
}

/// One thing with its label.
#[derive(Debug, Clone)]
pub struct Example {
    /// Its stable name: the path relative to the root, or file and row.
    pub id: ExampleId,
    /// What it looks or reads like.
    pub content: Content,
    /// The label in force.
    pub target: Target,
    /// Who said what, when several people labelled it.
    pub votes: Vec<Vote>,
    /// Examples of one group (part, lot, camera, author) stay together in every split.
    pub group: Option<String>,
    /// The part the data set itself put it in.
    pub part: Option<Part>,
    /// What else its table says of it, by the name of the column: camera, date, size. Empty cells are left out.
    pub details: BTreeMap<String, String>,
    /// Where it came from, for messages.
    pub origin: Origin,
}

/// The stable name of an example.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExampleId(pub String);

impl fmt::Display for ExampleId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The thing itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// A picture in a file.
    Image(PathBuf),
    /// A text.
    Text(String),
    /// A sound in a file.
    Sound(PathBuf),
    /// A piece of a sound in a file.
    Piece(PathBuf, Span),
    /// A video in a file.
    Video(PathBuf),
    /// Values of sensors over time, in a table of their own.
    Series(PathBuf),
    /// What several senses know of it, by their names; a sense that is missing is not there.
    Senses(BTreeMap<String, Content>),
}

impl Content {
    /// The sense it speaks to.
    pub fn modality(&self) -> Modality {
        match self {
            Self::Image(_) => Modality::Image,
            Self::Text(_) => Modality::Text,
            Self::Sound(_) | Self::Piece(..) => Modality::Sound,
            Self::Video(_) => Modality::Video,
            Self::Series(_) => Modality::Series,
            Self::Senses(_) => Modality::Senses,
        }
    }

    /// The file it lies in; a text lies in none of its own, and several senses not in one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Image(path)
            | Self::Sound(path)
            | Self::Piece(path, _)
            | Self::Video(path)
            | Self::Series(path) => Some(path),
            Self::Text(_) | Self::Senses(_) => None,
        }
    }

    /// What lies in a file, by the sense it speaks to.
    ///
    /// # Panics
    /// For texts and for several senses, which lie in no file of their own.
    pub(crate) fn in_file(modality: Modality, path: PathBuf) -> Self {
        match modality {
            Modality::Image => Self::Image(path),
            Modality::Sound => Self::Sound(path),
            Modality::Video => Self::Video(path),
            Modality::Series => Self::Series(path),
            Modality::Text | Modality::Senses => unreachable!("{modality} lies in no file of its own"),
        }
    }
}

/// From when to when a piece of a sound goes, counted from the beginning of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    start: Duration,
    end: Option<Duration>,
}

impl Span {
    /// From `start` to `end` seconds, or to the end of the file; `None` unless the end comes after the start.
    pub fn seconds(start: f64, end: Option<f64>) -> Option<Self> {
        let start = Duration::try_from_secs_f64(start).ok()?;
        let end = end.map(|end| Duration::try_from_secs_f64(end).ok().filter(|end| *end > start));
        match end {
            Some(None) => None,
            end => Some(Self { start, end: end.flatten() }),
        }
    }

    /// Where it starts.
    pub fn start(self) -> Duration {
        self.start
    }

    /// Where it ends; `None` at the end of the file.
    pub fn end(self) -> Option<Duration> {
        self.end
    }
}

/// The sense an example speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Pictures.
    Image,
    /// Text.
    Text,
    /// Sounds.
    Sound,
    /// Videos.
    Video,
    /// Series of sensors.
    Series,
    /// Several of the others.
    Senses,
}

impl Modality {
    /// Whether each example lies in a file of its own.
    pub fn is_in_files(self) -> bool {
        !matches!(self, Self::Text | Self::Senses)
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Image => "image",
            Self::Text => "text",
            Self::Sound => "sound",
            Self::Video => "video",
            Self::Series => "series",
            Self::Senses => "senses",
        })
    }
}

/// Where an example was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub path: PathBuf,
    /// The row in it, counted from 1 with the header as row 1; absent when the file is the example.
    pub row: Option<u64>,
}

/// A class by its place in the sorted list of class names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClassIdx(pub u32);

/// The label in force.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// None was given.
    Unlabelled,
    /// One class.
    Class(ClassIdx),
    /// Any number of classes, ascending.
    Classes(Vec<ClassIdx>),
    /// A number.
    Number(f64),
}

/// What one annotator said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Who.
    pub annotator: String,
    /// What, as a class name.
    pub label: String,
}

/// The question a data set asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// One class of several; two classes make it binary. Names are sorted.
    SingleLabel {
        /// Sorted class names.
        classes: Vec<String>,
    },
    /// Any number of labels per example. Names are sorted.
    MultiLabel {
        /// Sorted class names.
        classes: Vec<String>,
    },
    /// A number.
    Regression {
        /// Name of the column.
        name: String,
    },
}

/// What was decided about a data set, so that a person can disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The layout that was recognised, such as `class folders` or `CSV`.
    pub layout: String,
    /// The column or folder level the content came from.
    pub content: String,
    /// The column or folder level the label came from; absent when there is none.
    pub label: Option<String>,
    /// The kind of task: `single-label`, `binary`, `multi-label` or `regression`.
    pub task: String,
    /// Why this kind.
    pub why: String,
}

/// A part that the data set itself declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// To learn from.
    Train,
    /// To choose by.
    Validation,
    /// To measure on, at the very end.
    Test,
}

impl Part {
    /// From the usual spellings, English and Chinese.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_lowercase().as_str() {
            "train" | "training" | "训练" | "训练集" => Some(Self::Train),
            "val" | "valid" | "validation" | "dev" | "验证" | "验证集" => Some(Self::Validation),
            "test" | "testing" | "test_public" | "test_private" | "测试" | "测试集" => Some(Self::Test),
            _ => None,
        }
    }
}
