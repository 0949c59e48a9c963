//! What a data set for defect inspection is made of: good parts to learn from, and defects to find.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{ExampleId, Modality, Part};

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
    pub why: String,
    /// The examples, in reading order; at least one to learn from is good, or is if its mask marks nothing.
    pub examples: Vec<InspectionExample>,
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
