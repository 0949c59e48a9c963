//! A bundle in memory, and its way to disk and back.

use std::path::Path;

use bytes::Bytes;
use evaluate::{Calibration, Estimate, OodDetector, RejectRule};
use serde::{Deserialize, Serialize};
use tune::Head;

use crate::archive::{self, Files};
use crate::files::{self, BundleKind, json, parse, tensor_bytes, tensors};
use crate::{BundleError, Form, Golden, Manifest};

/// How raw outputs become a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Turns logits into probabilities: one map for all classes, or one per label for multi-label.
    pub calibration: Vec<Calibration>,
    /// Below this confidence the answer is "I don't know"; absent when no bound could be proved.
    pub reject: Option<RejectRule>,
    /// For regression: half width of the 90 % conformal interval, in units of the target.
    pub half_width: Option<f64>,
    /// An example whose p-value of being familiar is below this is called unfamiliar. In [0, 1].
    pub unfamiliar_below: f64,
}

/// One measured number and what it was measured on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The metric's standard name, such as `accuracy`.
    pub metric: String,
    /// `out-of-fold` or `test`.
    pub on: String,
    /// Value, 95 % interval and n.
    pub estimate: Estimate,
}

/// Everything measured when the bundle was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The headline first.
    pub measured: Vec<Measured>,
    /// Recall of each class, in class order; empty for regression.
    pub recall: Vec<Estimate>,
    /// Name of the recipe that was chosen.
    pub recipe: String,
    /// Why that one.
    pub why: String,
}

/// A small model with everything it needs except its base.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The front page. Its `files` are filled in by [`Bundle::write`].
    pub manifest: Manifest,
    /// From features to logits.
    pub head: Head,
    /// From logits to an answer.
    pub decision: Decision,
    /// Knows what familiar examples look like; absent when there were too few to tell.
    pub familiar: Option<OodDetector>,
    /// What was measured.
    pub evaluation: Evaluation,
    /// The self-test.
    pub golden: Golden,
}

impl Bundle {
    /// Writes the bundle whole or not at all and returns its identity (BLAKE3 of the manifest).
    ///
    /// `created` is an RFC 3339 time; it stays outside the identity.
    pub fn write(&mut self, path: &Path, form: Form, created: &str) -> Result<store::Hash, BundleError> {
        let files = self.to_files()?;
        files::write(&mut self.manifest, files, path, form, created)
    }

    fn to_files(&self) -> Result<Files, BundleError> {
        let mut files = Files::new();
        let (head, tensors) = self.head.to_tensors();
        files.insert("head.json".into(), json(&head));
        files.insert("head.safetensors".into(), tensor_bytes(&tensors));
        files.insert("decision.json".into(), json(&self.decision));
        if let Some(familiar) = &self.familiar {
            let (structure, tensors) = familiar.to_tensors();
            files.insert("familiar.json".into(), json(&structure));
            files.insert("familiar.safetensors".into(), tensor_bytes(&tensors));
        }
        files.insert("evaluation.json".into(), json(&self.evaluation));
        files.insert("golden.json".into(), json(&self.golden));
        Ok(files)
    }

    /// Opens a bundle and checks every byte against the manifest. Running it needs a [`crate::Predictor`].
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        Self::from_files(path, &archive::read(path)?)
    }

    /// Opens the bytes of a `.djm` file; `name` only appears in messages.
    pub fn from_bytes(name: &Path, bytes: &[u8]) -> Result<Self, BundleError> {
        Self::from_files(name, &archive::read_zip(name, &Bytes::copy_from_slice(bytes))?)
    }

    fn from_files(path: &Path, files: &Files) -> Result<Self, BundleError> {
        let manifest = files::checked_manifest(path, files)?;
        files::expect(path, &manifest, BundleKind::OneSense)?;
        let malformed = |file: &str, detail: String| files::malformed(path, file, detail);
        let head =
            Head::from_tensors(&parse(path, files, "head.json")?, &tensors(path, files, "head.safetensors")?)
                .map_err(|error| malformed("head.json", error.to_string()))?;
        let familiar = if files.contains_key("familiar.json") {
            let structure = parse(path, files, "familiar.json")?;
            let tensors = tensors(path, files, "familiar.safetensors")?;
            let detector = OodDetector::from_tensors(&structure, &tensors);
            Some(detector.map_err(|error| malformed("familiar.json", error.to_string()))?)
        } else {
            None
        };
        Ok(Self {
            decision: parse(path, files, "decision.json")?,
            evaluation: parse(path, files, "evaluation.json")?,
            golden: parse(path, files, "golden.json")?,
            manifest,
            head,
            familiar,
        })
    }

    /// The bundle's identity: BLAKE3 of its manifest.
    pub fn identity(&self) -> store::Hash {
        self.manifest.identity()
    }
}
