//! A bundle in memory, and its way to disk and back.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use evaluate::{Calibration, Estimate, OodDetector, RejectRule};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tune::Head;

use crate::archive::{self, Files};
use crate::{BundleError, FORMAT, Form, Golden, Manifest};

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

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

impl Bundle {
    /// Writes the bundle whole or not at all and returns its identity (BLAKE3 of the manifest).
    ///
    /// `created` is an RFC 3339 time; it stays outside the identity.
    pub fn write(&mut self, path: &Path, form: Form, created: &str) -> Result<store::Hash, BundleError> {
        let mut files = self.to_files()?;
        self.manifest.files =
            files.iter().map(|(name, bytes)| (name.clone(), store::Hash::of(bytes).to_string())).collect();
        let manifest =
            toml::to_string(&self.manifest).expect("a manifest has only strings, numbers and tables");
        let identity = store::Hash::of(manifest.as_bytes());
        files.insert("manifest.toml".into(), manifest.into_bytes());
        let stamp = Stamp { created: created.to_owned(), manifest: identity.to_string() };
        let stamp = toml::to_string(&stamp).expect("a stamp has only strings");
        files.insert("created.toml".into(), stamp.into_bytes());
        archive::write(path, &files, form)?;
        Ok(identity)
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
        Self::from_files(name, &archive::read_zip(name, Cursor::new(bytes))?)
    }

    fn from_files(path: &Path, files: &Files) -> Result<Self, BundleError> {
        let manifest = read_manifest(path, files)?;
        check_manifest(path, files)?;
        check_hashes(path, files, &manifest)?;
        let malformed = |file: &str, detail: String| BundleError::Malformed {
            path: path.to_owned(),
            file: file.into(),
            detail,
        };
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
        let manifest =
            toml::to_string(&self.manifest).expect("a manifest has only strings, numbers and tables");
        store::Hash::of(manifest.as_bytes())
    }
}

fn read_manifest(path: &Path, files: &Files) -> Result<Manifest, BundleError> {
    let Some(bytes) = files.get("manifest.toml") else {
        let detail = "there is no `manifest.toml` in it".to_owned();
        return Err(BundleError::NotABundle { path: path.to_owned(), detail });
    };
    let malformed = |detail: String| BundleError::Malformed {
        path: path.to_owned(),
        file: "manifest.toml".into(),
        detail,
    };
    let text = str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    // The format number is read on its own first: a newer manifest may have fields this program has never heard of.
    let front: toml::Table =
        text.parse().map_err(|error: toml::de::Error| malformed(error.message().to_owned()))?;
    let format = front.get("format").and_then(toml::Value::as_integer).unwrap_or(0);
    match u32::try_from(format) {
        Ok(got) if got > FORMAT => {
            Err(BundleError::NewerFormat { path: path.to_owned(), got, supported: FORMAT })
        }
        Ok(1..) => toml::from_str(text).map_err(|error| malformed(error.message().to_owned())),
        _ => Err(malformed("it has no format number".into())),
    }
}

/// When a bundle was made, and the hash of its manifest, which holds those of all other files.
#[derive(Serialize, Deserialize)]
struct Stamp {
    created: String,
    manifest: String,
}

fn check_manifest(path: &Path, files: &Files) -> Result<(), BundleError> {
    let malformed = |detail: String| BundleError::Malformed {
        path: path.to_owned(),
        file: "created.toml".into(),
        detail,
    };
    let text = str::from_utf8(promised(path, files, "created.toml")?)
        .map_err(|error| malformed(error.to_string()))?;
    let stamp: Stamp = toml::from_str(text).map_err(|error| malformed(error.message().to_owned()))?;
    let got = store::Hash::of(promised(path, files, "manifest.toml")?).to_string();
    if got == stamp.manifest {
        return Ok(());
    }
    let file = "manifest.toml".to_owned();
    Err(BundleError::Changed { path: path.to_owned(), file, expected: stamp.manifest, got })
}

fn check_hashes(path: &Path, files: &Files, manifest: &Manifest) -> Result<(), BundleError> {
    for (file, expected) in &manifest.files {
        let Some(bytes) = files.get(file) else {
            return Err(BundleError::Truncated {
                path: path.to_owned(),
                detail: format!("`{file}` is missing"),
            });
        };
        let got = store::Hash::of(bytes).to_string();
        if got != *expected {
            let (file, expected) = (file.clone(), expected.clone());
            return Err(BundleError::Changed { path: path.to_owned(), file, expected, got });
        }
    }
    Ok(())
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes =
        serde_json::to_vec_pretty(value).expect("bundle structures have string keys and finite numbers");
    bytes.push(b'\n');
    bytes
}

fn promised<'a>(path: &Path, files: &'a Files, name: &str) -> Result<&'a [u8], BundleError> {
    files.get(name).map(Vec::as_slice).ok_or_else(|| BundleError::Truncated {
        path: path.to_owned(),
        detail: format!("`{name}` is missing"),
    })
}

fn parse<T: DeserializeOwned>(path: &Path, files: &Files, name: &str) -> Result<T, BundleError> {
    serde_json::from_slice(promised(path, files, name)?).map_err(|error| BundleError::Malformed {
        path: path.to_owned(),
        file: name.into(),
        detail: error.to_string(),
    })
}

fn tensor_bytes(tensors: &Tensors) -> Vec<u8> {
    let bytes: BTreeMap<&str, (&[usize], Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, values))| {
            (name.as_str(), (shape.as_slice(), values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        })
        .collect();
    let views = bytes.iter().map(|(name, (shape, bytes))| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.to_vec(), bytes);
        (*name, view.expect("a tensor's shape fits its values"))
    });
    safetensors::serialize(views, None).expect("tensor names are distinct")
}

fn tensors(path: &Path, files: &Files, name: &str) -> Result<Tensors, BundleError> {
    let malformed =
        |detail: String| BundleError::Malformed { path: path.to_owned(), file: name.into(), detail };
    let parsed = safetensors::SafeTensors::deserialize(promised(path, files, name)?)
        .map_err(|error| malformed(error.to_string()))?;
    parsed
        .iter()
        .map(|(key, view)| {
            if view.dtype() != safetensors::Dtype::F32 {
                return Err(malformed(format!("tensor `{key}` is {:?}, expected F32", view.dtype())));
            }
            let values =
                view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            Ok((key.to_owned(), (view.shape().to_vec(), values)))
        })
        .collect()
}
