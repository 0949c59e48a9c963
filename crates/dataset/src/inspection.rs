//! What a data set for defect inspection is made of: good parts to learn from, and defects to find.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{ExampleId, Modality, Part};

/// Names that are told of many.
const SOME: usize = 3;

/// Pictures, sounds, videos or series of one kind of part, each good or with a defect.
#[derive(Debug, Clone)]
pub struct InspectionSet {
    /// Short name: that of the folder or file.
    pub name: String,
    /// The folder or file it was read from.
    pub root: PathBuf,
    /// The layout that was recognised, such as `class folders`.
    pub layout: String,
    /// Whether its examples are pictures, or sounds, videos or series that are looked at as pictures of them.
    pub modality: Modality,
    /// What was made of that layout and why, for the person to disagree with.
    pub why: Why,
    /// The examples, in reading order; at least one to learn from is good, or is if its mask marks nothing.
    pub examples: Vec<InspectionExample>,
}

/// By what good parts were told from defects, and what is measured on. [`fmt::Display`] says it in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// By what good parts were told from defects.
    pub by: VerdictsBy,
    /// What is measured on; `None` for a set that is only measured on.
    pub measured: Option<MeasuredOn>,
}

/// By what good parts were told from defects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerdictsBy {
    /// No folder is called good: all are good but for what a folder's name or a mask says.
    NoFolder {
        /// Folders taken for groups of good parts by their names, sorted.
        groups: Vec<String>,
        /// Folders whose names tell of a flaw, sorted.
        flaws: Vec<String>,
    },
    /// Class folders, one of them called good.
    ClassFolders,
    /// Class folders in parts.
    PartFolders,
    /// A column of a table.
    Column {
        /// Its name.
        name: String,
        /// Where it holds one of two words such as 0 and 1: that for good, and that for a defect.
        either: Option<[&'static str; 2]>,
        /// Whether an empty cell says good.
        blank_is_good: bool,
    },
    /// No column of a table says it.
    NoColumn,
    /// A person in the studio.
    Studio,
}

/// What an inspector is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasuredOn {
    /// What it learns from, each held out in turn.
    OutOfFold,
    /// The folder `test`.
    TestFolder,
    /// The rows of the test part.
    TestRows,
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            VerdictsBy::NoFolder { groups, flaws } => {
                out.write_str("no folder is called good, so every picture is taken for a good part")?;
                match &flaws[..] {
                    [] => out.write_str(", except where a mask marks a defect")?,
                    flaws => write!(out, ", except in {} and where a mask marks a defect", some(flaws))?,
                }
                if !groups.is_empty() {
                    write!(out, "; by their names {} are groups, not kinds of defect", some(groups))?;
                }
            }
            VerdictsBy::ClassFolders => {
                out.write_str(
                    "the folder called good holds good parts and every other folder a kind of defect",
                )?;
            }
            VerdictsBy::PartFolders => {
                out.write_str(
                    "folders called good hold good parts and every other class folder a kind of defect",
                )?;
            }
            VerdictsBy::Column { name, blank_is_good: true, .. } => {
                write!(out, "column `{name}` is empty for good parts and filled in for defects")?;
            }
            VerdictsBy::Column { name, either: Some([good, defect]), .. } => {
                write!(out, "{good} in column `{name}` means good and {defect} a defect")?;
            }
            VerdictsBy::Column { name, either: None, .. } => {
                write!(out, "column `{name}` says what is good and names the defects")?;
            }
            VerdictsBy::NoColumn => {
                out.write_str(
                    "no column says what is good, so every picture without a mask is taken for a good part",
                )?;
            }
            VerdictsBy::Studio => out.write_str("labelled in the studio")?,
        }
        match self.measured {
            None => Ok(()),
            Some(MeasuredOn::OutOfFold) => out.write_str(
                "; nothing says what to measure on, so all are learned from and measured out of fold",
            ),
            Some(MeasuredOn::TestFolder) => out.write_str("; `test` is for measuring only"),
            Some(MeasuredOn::TestRows) => out.write_str("; rows of the test part are for measuring only"),
        }
    }
}

/// The first few names.
fn some(names: &[String]) -> String {
    let told: Vec<String> = names.iter().take(SOME).map(|name| format!("`{name}`")).collect();
    told.join(", ") + if names.len() > SOME { ", ..." } else { "" }
}

impl InspectionSet {
    /// The examples with this role, in order.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &InspectionExample> {
        self.examples.iter().filter(move |example| example.role() == role)
    }

    /// The kinds of defect, sorted.
    pub fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> =
            self.examples.iter().filter_map(|example| example.verdict.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// One picture with what a person said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectionExample {
    /// Its stable name: the path relative to the root, or file and row.
    pub id: ExampleId,
    /// The picture.
    pub path: PathBuf,
    /// What a person said.
    pub verdict: Verdict,
    /// A picture of the same size that marks the defect. Not decoded yet; that of a good part should hold nothing.
    pub mask: Option<PathBuf>,
    /// Whether no word says that it has a defect, only that there is a mask: it has one if that marks anything.
    pub by_mask: bool,
    /// Examples of one group (lot, camera, burst of shots) stay together in every split.
    pub group: Option<String>,
    /// The part the data set itself put it in.
    pub part: Option<Part>,
}

impl InspectionExample {
    /// What it is for. Only what the data set itself declares as its test part is kept for measuring alone.
    pub fn role(&self) -> Role {
        if self.part == Some(Part::Test) { Role::Measure } else { Role::Learn }
    }
}

/// What a person said about a part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing is wrong with it.
    Good,
    /// Something is.
    Defect {
        /// The name of the defect: that of its folder, or its label.
        kind: String,
    },
}

impl Verdict {
    /// The kind of defect; `None` when good.
    pub fn kind(&self) -> Option<&str> {
        match self {
            Self::Good => None,
            Self::Defect { kind } => Some(kind),
        }
    }
}

/// What an example is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// To learn from; what is measured on it is measured out of fold.
    Learn,
    /// To measure on, and for nothing else.
    Measure,
}
