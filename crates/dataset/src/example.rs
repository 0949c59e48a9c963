//! What a data set is made of.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

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
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A picture in a file.
    Image(PathBuf),
    /// A text.
    Text(String),
    /// A sound in a file.
    Sound(PathBuf),
    /// A video in a file.
    Video(PathBuf),
}

impl Content {
    /// The sense it speaks to.
    pub fn modality(&self) -> Modality {
        match self {
            Self::Image(_) => Modality::Image,
            Self::Text(_) => Modality::Text,
            Self::Sound(_) => Modality::Sound,
            Self::Video(_) => Modality::Video,
        }
    }

    /// The file it lies in; a text lies in none of its own.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Image(path) | Self::Sound(path) | Self::Video(path) => Some(path),
            Self::Text(_) => None,
        }
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
}

impl Modality {
    /// Whether each example lies in a file of its own.
    pub fn is_in_files(self) -> bool {
        self != Self::Text
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Image => "image",
            Self::Text => "text",
            Self::Sound => "sound",
            Self::Video => "video",
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
            "test" | "testing" | "测试" | "测试集" => Some(Self::Test),
            _ => None,
        }
    }
}
