//! What a bundle says about itself.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use base::Base;
use base::series::Sensors;
use serde::{Deserialize, Serialize};

use crate::BundleError;

/// The newest bundle format this program reads and the one it writes.
pub const FORMAT: u32 = 4;
/// Length of the usual piece of a sound, in seconds.
pub const PIECE_SECONDS: RangeInclusive<f64> = 0.2..=60.0;

/// The readable front page of a bundle. Its own BLAKE3 is the bundle's identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format number; a reader refuses a larger one than its own [`FORMAT`].
    pub format: u32,
    /// Short name, from the data set.
    pub name: String,
    /// Version of the program that wrote the bundle.
    pub dianjing: String,
    /// Seed of everything random.
    pub seed: u64,
    /// What is predicted.
    pub task: TaskReference,
    /// What it was tuned on.
    pub data: DataReference,
    /// The base the head sits on; of several senses, that of the first.
    pub base: BaseReference,
    /// The senses, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub senses: Vec<SenseReference>,
    /// Length of the usual piece, within [`PIECE_SECONDS`], of a bundle that was tuned on pieces of sounds: longer sounds are looked through in
    /// such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece_seconds: Option<f64>,
    /// BLAKE3 of every other file, by name.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// Of a bundle over one sense that is about to be written by this program.
    pub fn new(name: &str, seed: u64, task: TaskReference, data: DataReference, base: BaseReference) -> Self {
        Self {
            format: FORMAT,
            name: name.to_owned(),
            dianjing: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            task,
            data,
            base,
            senses: Vec::new(),
            piece_seconds: None,
            files: BTreeMap::new(),
        }
    }

    /// As it is written.
    pub(crate) fn to_toml(&self) -> String {
        toml::to_string(self).expect("a manifest has only strings, numbers and tables")
    }

    /// The bundle's identity: BLAKE3 of the manifest as it is written.
    pub fn identity(&self) -> store::Hash {
        store::Hash::of(self.to_toml().as_bytes())
    }
}

/// The question a bundle answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs, reason = "each variant names its fields")]
pub enum TaskReference {
    /// One class of several.
    SingleLabel { classes: Vec<String> },
    /// Any number of labels.
    MultiLabel { classes: Vec<String> },
    /// A number.
    Regression { name: String },
    /// What goes together across two senses.
    Pairs,
    /// Whether a part has a defect; the kinds are those that were measured.
    Inspection { kinds: Vec<String> },
}

impl TaskReference {
    /// The names behind the outputs, in order; a single one for regression.
    pub fn outputs(&self) -> &[String] {
        match self {
            Self::SingleLabel { classes } | Self::MultiLabel { classes } => classes,
            Self::Regression { name } => std::slice::from_ref(name),
            Self::Pairs => &[],
            Self::Inspection { kinds } => kinds,
        }
    }
}

impl From<&dataset::Task> for TaskReference {
    fn from(task: &dataset::Task) -> Self {
        match task {
            dataset::Task::SingleLabel { classes } => Self::SingleLabel { classes: classes.clone() },
            dataset::Task::MultiLabel { classes } => Self::MultiLabel { classes: classes.clone() },
            dataset::Task::Regression { name } => Self::Regression { name: name.clone() },
        }
    }
}

/// The data a bundle was tuned on, by fingerprint: never the data itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataReference {
    /// Fingerprint of the revision.
    pub fingerprint: String,
    /// How many examples the head was fitted on.
    pub n_examples: usize,
}

/// One of several senses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenseReference {
    /// The column's name.
    pub name: String,
    /// The base that takes it.
    pub base: BaseReference,
}

/// The base a head belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseReference {
    /// Catalogue id.
    pub id: String,
    /// Identity of weights and pre-processing; a base with another hash is refused.
    pub hash: String,
    /// The kind of input: `image`, `text`, `sound`, `video` or `series`.
    pub modality: String,
    /// Licence of the weights, as their source states it.
    pub licence: String,
    /// The sensors, of a base over series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensors: Option<Sensors>,
}

impl BaseReference {
    /// Refuses another base.
    ///
    /// # Errors
    /// [`BundleError::WrongBase`] names both hashes.
    pub(crate) fn expect(&self, base: &Base) -> Result<(), BundleError> {
        let (expected, got) = (self.hash.clone(), base.hash().to_string());
        if got == expected {
            Ok(())
        } else {
            Err(BundleError::WrongBase { id: self.id.clone(), expected, got })
        }
    }

    /// What is to be written about a base.
    pub fn of(base: &Base) -> Self {
        Self {
            id: base.id().to_owned(),
            hash: base.hash().to_string(),
            modality: base.modality().to_string(),
            licence: base.card().licence.clone(),
            sensors: base.sensors().cloned(),
        }
    }
}
