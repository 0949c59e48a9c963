//! The bundle of several senses, and its way to disk and back.
//!
//! Besides what every bundle has, it holds `senses.json` and `senses.safetensors` (a head for each sense, what is familiar to it, its
//! self-test) and `fused.json` and `fused.safetensors` (what makes one answer of them).

use std::path::Path;

use evaluate::OodDetector;
use serde::{Deserialize, Serialize};
use tune::Head;
use tune::fuse::Fused;

use crate::archive::{self, Files};
use crate::files::{self, BundleKind, Tensors, json, malformed, parse, tensor_bytes, tensors};
use crate::{BundleError, Decision, Evaluation, Form, Golden, Manifest};

/// What is known of one sense.
#[derive(Debug, Clone)]
pub struct SensePart {
    /// From its base's features to logits.
    pub head: Head,
    /// Knows what is familiar to it; absent when there was too little to tell.
    pub familiar: Option<OodDetector>,
    /// The self-test.
    pub golden: Golden,
}

/// A small model over several senses with everything it needs except their bases.
#[derive(Debug, Clone)]
pub struct SensesBundle {
    /// The front page, with the names and bases of the senses. Its `files` are filled in by [`SensesBundle::write`].
    pub manifest: Manifest,
    /// One for each sense, in the order of the manifest.
    pub parts: Vec<SensePart>,
    /// From what the senses say to log-probabilities.
    pub fused: Fused,
    /// From these to an answer.
    pub decision: Decision,
    /// What was measured.
    pub evaluation: Evaluation,
}

/// One sense without its tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    head: serde_json::Value,
    familiar: Option<serde_json::Value>,
    golden: Golden,
}

impl SensesBundle {
    /// Writes the bundle whole or not at all and returns its identity. `created` is an RFC 3339 time outside the identity.
    pub fn write(&mut self, path: &Path, form: Form, created: &str) -> Result<store::Hash, BundleError> {
        let mut all = Tensors::new();
        let mut stored = Vec::with_capacity(self.parts.len());
        for (place, part) in self.parts.iter().enumerate() {
            let mut keep = |name: &str, part| files::keep(&mut all, &format!("{place}.{name}"), part);
            stored.push(Stored {
                head: keep("head", part.head.to_tensors()),
                familiar: part.familiar.as_ref().map(|familiar| keep("familiar", familiar.to_tensors())),
                golden: part.golden.clone(),
            });
        }
        let (fused, fused_tensors) = self.fused.to_tensors();
        let files = Files::from([
            ("senses.json".to_owned(), json(&stored)),
            ("senses.safetensors".to_owned(), tensor_bytes(&all)),
            ("fused.json".to_owned(), json(&fused)),
            ("fused.safetensors".to_owned(), tensor_bytes(&fused_tensors)),
            ("decision.json".to_owned(), json(&self.decision)),
            ("evaluation.json".to_owned(), json(&self.evaluation)),
        ]);
        files::write(&mut self.manifest, files, path, form, created)
    }

    /// Opens a bundle and checks every byte against the manifest. Running it needs a [`super::SensesPredictor`].
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let files = archive::read(path)?;
        let manifest = files::checked_manifest(path, &files)?;
        files::expect(path, &manifest, BundleKind::Senses)?;
        let stored: Vec<Stored> = parse(path, &files, "senses.json")?;
        let all = tensors(path, &files, "senses.safetensors")?;
        let parts = stored
            .into_iter()
            .enumerate()
            .map(|(place, stored)| part(stored, place, &all))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|detail| malformed(path, "senses.json", detail))?;
        let fused = Fused::from_tensors(
            &parse(path, &files, "fused.json")?,
            &tensors(path, &files, "fused.safetensors")?,
        )
        .map_err(|error| malformed(path, "fused.json", error.to_string()))?;
        let classes = manifest.task.outputs().len();
        let fits = parts.len() == manifest.senses.len()
            && fused.n_senses() == parts.len()
            && fused.n_classes() == classes
            && parts.iter().all(|part| part.head.outputs() == classes);
        if !fits {
            return Err(malformed(path, "senses.json", "its senses do not fit together".to_owned()));
        }
        let decision: Decision = parse(path, &files, "decision.json")?;
        if decision.calibration.is_empty() {
            return Err(malformed(path, "decision.json", "it has no calibration".to_owned()));
        }
        Ok(Self { parts, fused, decision, evaluation: parse(path, &files, "evaluation.json")?, manifest })
    }
}

fn part(stored: Stored, place: usize, all: &Tensors) -> Result<SensePart, String> {
    let of = |name: &str| files::kept(all, &format!("{place}.{name}"));
    let head = Head::from_tensors(&stored.head, &of("head")).map_err(|error| error.to_string())?;
    let familiar = stored
        .familiar
        .map(|structure| OodDetector::from_tensors(&structure, &of("familiar")))
        .transpose()
        .map_err(|error| error.to_string())?;
    Ok(SensePart { head, familiar, golden: stored.golden })
}
