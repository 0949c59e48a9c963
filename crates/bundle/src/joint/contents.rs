//! The bundle of two senses in one space, and its way to disk and back.
//!
//! Besides what every bundle has, it holds `alignment.json` and `alignment.safetensors` (two linear maps) and `golden.json`, the
//! self-test of both.

use std::path::Path;

use tune::align::Alignment;

use crate::archive::{self, Files};
use crate::files::{self, BundleKind, json, malformed, parse, tensor_bytes, tensors};
use crate::{BundleError, Evaluation, Form, Golden, Manifest};

/// Two maps into one space with everything they need except their bases.
#[derive(Debug, Clone)]
pub struct JointBundle {
    /// The front page, with the two senses, left and right. Its `files` are filled in by [`JointBundle::write`].
    pub manifest: Manifest,
    /// From features of either base to the common space.
    pub alignment: Alignment,
    /// What was measured.
    pub evaluation: Evaluation,
    /// The self-tests, left and right.
    pub golden: [Golden; 2],
}

impl JointBundle {
    /// Writes the bundle whole or not at all and returns its identity. `created` is an RFC 3339 time outside the identity.
    pub fn write(&mut self, path: &Path, form: Form, created: &str) -> Result<store::Hash, BundleError> {
        let (structure, tensors) = self.alignment.to_tensors();
        let files = Files::from([
            ("alignment.json".to_owned(), json(&structure)),
            ("alignment.safetensors".to_owned(), tensor_bytes(&tensors)),
            ("evaluation.json".to_owned(), json(&self.evaluation)),
            ("golden.json".to_owned(), json(&self.golden)),
        ]);
        files::write(&mut self.manifest, files, path, form, created)
    }

    /// Opens a bundle and checks every byte against the manifest. Running it needs a [`super::JointPredictor`].
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let files = archive::read(path)?;
        let manifest = files::checked_manifest(path, &files)?;
        files::expect(path, &manifest, BundleKind::Joint)?;
        if manifest.senses.len() != 2 {
            return Err(malformed(path, "manifest.toml", "two senses are wanted".to_owned()));
        }
        let tensors = tensors(path, &files, "alignment.safetensors")?;
        let alignment = Alignment::from_tensors(&parse(path, &files, "alignment.json")?, &tensors)
            .map_err(|error| malformed(path, "alignment.json", error.to_string()))?;
        Ok(Self {
            alignment,
            evaluation: parse(path, &files, "evaluation.json")?,
            golden: parse(path, &files, "golden.json")?,
            manifest,
        })
    }
}
