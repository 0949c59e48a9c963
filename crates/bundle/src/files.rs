//! The files of a bundle and what is common to all: the manifest with the hash of each, JSON and tensors.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tune::detect::Bank;

use crate::archive::{self, Files};
use crate::{BundleError, FORMAT, Form, Manifest, PIECE_SECONDS, TaskReference};

/// By name: shape and values, in single precision.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;
/// By name: what is remembered, in half precision, beside the tensors of a file.
pub(crate) type Banks = BTreeMap<String, Bank>;

/// Writes files with their manifest, whole or not at all; returns the identity, the hash of the manifest.
pub(crate) fn write(
    manifest: &mut Manifest,
    mut files: Files,
    path: &Path,
    form: Form,
    created: &str,
) -> Result<store::Hash, BundleError> {
    manifest.files =
        files.iter().map(|(name, bytes)| (name.clone(), store::Hash::of(bytes).to_string())).collect();
    let text = manifest.to_toml();
    let identity = store::Hash::of(text.as_bytes());
    files.insert("manifest.toml".into(), text.into());
    let stamp = Stamp { created: created.to_owned(), manifest: identity.to_string() };
    let stamp = toml::to_string(&stamp).expect("a stamp has only strings");
    files.insert("created.toml".into(), stamp.into());
    archive::write(path, &files, form)?;
    Ok(identity)
}

/// Checks every byte of a bundle of any kind against its manifest, and gives that.
pub fn check(path: &Path) -> Result<Manifest, BundleError> {
    checked_manifest(path, &archive::read(path)?)
}

/// What a bundle does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleKind {
    /// It answers about examples of one sense: [`crate::Bundle`].
    OneSense,
    /// It answers about examples of several senses: [`crate::SensesBundle`].
    Senses,
    /// It ranks what goes together across two senses: [`crate::JointBundle`].
    Joint,
    /// It inspects parts: [`crate::inspection::InspectionBundle`].
    Inspector,
}

/// What the bundle at this path does, as its manifest says.
pub fn kind(path: &Path) -> Result<BundleKind, BundleError> {
    Ok(kind_of(&read_manifest(path, &archive::read(path)?)?))
}

fn kind_of(manifest: &Manifest) -> BundleKind {
    match &manifest.task {
        TaskReference::Inspection { .. } => BundleKind::Inspector,
        TaskReference::Pairs => BundleKind::Joint,
        _ if manifest.senses.is_empty() => BundleKind::OneSense,
        _ => BundleKind::Senses,
    }
}

/// Refuses a bundle of another kind.
pub(crate) fn expect(path: &Path, manifest: &Manifest, kind: BundleKind) -> Result<(), BundleError> {
    let got = match kind_of(manifest) {
        got if got == kind => return Ok(()),
        BundleKind::OneSense => "takes one sense",
        BundleKind::Senses => "takes several senses",
        BundleKind::Joint => "ranks what goes together",
        BundleKind::Inspector => "inspects parts",
    };
    Err(BundleError::OtherKind { path: path.to_owned(), got })
}

/// Whether a file or folder is a bundle of any kind and holds nothing else.
pub fn is_bundle(path: &Path) -> bool {
    let Ok(files) = archive::read(path) else { return false };
    let Ok(manifest) = read_manifest(path, &files) else { return false };
    let is_known =
        |name: &str| manifest.files.contains_key(name) || matches!(name, "manifest.toml" | "created.toml");
    let listed = match std::fs::read_dir(path) {
        Ok(entries) => entries
            .filter_map(Result::ok)
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect(),
        Err(_) => files.keys().cloned().collect::<Vec<String>>(),
    };
    listed.iter().all(|name| is_known(name))
}

/// The manifest, after every byte was checked against it.
pub(crate) fn checked_manifest(path: &Path, files: &Files) -> Result<Manifest, BundleError> {
    let manifest = read_manifest(path, files)?;
    check_manifest(path, files)?;
    check_hashes(path, files, &manifest)?;
    Ok(manifest)
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
        Ok(1..) => {
            let manifest: Manifest =
                toml::from_str(text).map_err(|error| malformed(error.message().to_owned()))?;
            // A sound is cut by it.
            match manifest.piece_seconds.filter(|seconds| !PIECE_SECONDS.contains(seconds)) {
                Some(seconds) => Err(malformed(format!("its pieces last for {seconds} s"))),
                None => Ok(manifest),
            }
        }
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

pub(crate) fn json(value: &impl Serialize) -> Bytes {
    let mut bytes =
        serde_json::to_vec_pretty(value).expect("bundle structures have string keys and finite numbers");
    bytes.push(b'\n');
    bytes.into()
}

pub(crate) fn promised<'a>(path: &Path, files: &'a Files, name: &str) -> Result<&'a Bytes, BundleError> {
    files.get(name).ok_or_else(|| BundleError::Truncated {
        path: path.to_owned(),
        detail: format!("`{name}` is missing"),
    })
}

pub(crate) fn parse<T: DeserializeOwned>(path: &Path, files: &Files, name: &str) -> Result<T, BundleError> {
    serde_json::from_slice(promised(path, files, name)?).map_err(|error| BundleError::Malformed {
        path: path.to_owned(),
        file: name.into(),
        detail: error.to_string(),
    })
}

/// Adds the tensors of a part under its name, and gives its structure.
pub(crate) fn keep(
    all: &mut Tensors,
    name: &str,
    (structure, tensors): (serde_json::Value, Tensors),
) -> serde_json::Value {
    all.extend(tensors.into_iter().map(|(key, tensor)| (format!("{name}.{key}"), tensor)));
    structure
}

/// The tensors of the part of this name, as [`keep`] got them.
pub(crate) fn kept(all: &Tensors, name: &str) -> Tensors {
    let start = format!("{name}.");
    let named = all.iter().filter_map(|(key, tensor)| Some((key.strip_prefix(&start)?, tensor)));
    named.map(|(key, tensor)| (key.to_owned(), tensor.clone())).collect()
}

pub(crate) fn tensor_bytes(tensors: &Tensors) -> Bytes {
    bytes_with_banks(tensors, &Banks::new())
}

/// As [`tensor_bytes`], with banks beside the tensors.
pub(crate) fn bytes_with_banks(tensors: &Tensors, banks: &Banks) -> Bytes {
    let single = |values: &[f32]| Bytes::from_iter(values.iter().flat_map(|value| value.to_le_bytes()));
    let tensors = tensors
        .iter()
        .map(|(name, (shape, values))| (name.as_str(), Dtype::F32, shape.clone(), single(values)));
    let banks = banks.iter().map(|(name, bank)| {
        (name.as_str(), Dtype::F16, vec![bank.rows(), bank.cols()], bank.bytes().clone())
    });
    let all: Vec<(&str, Dtype, Vec<usize>, Bytes)> = tensors.chain(banks).collect();
    let views = all.iter().map(|(name, dtype, shape, bytes)| {
        (*name, TensorView::new(*dtype, shape.clone(), bytes).expect("a tensor's shape fits its values"))
    });
    safetensors::serialize(views, None).expect("tensor names are distinct").into()
}

/// The tensors of a file, but for its banks.
pub(crate) fn tensors(path: &Path, files: &Files, name: &str) -> Result<Tensors, BundleError> {
    let single = |key: &str, view: TensorView<'_>| match view.dtype() {
        Dtype::F32 => {
            let values =
                view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            Ok(Some((view.shape().to_vec(), values)))
        }
        Dtype::F16 => Ok(None),
        other => Err(format!("tensor `{key}` is {other:?}, expected F32 or F16")),
    };
    named(path, files, name, single)
}

/// The banks of a file, which lie where they are.
pub(crate) fn banks(path: &Path, files: &Files, name: &str) -> Result<Banks, BundleError> {
    let whole = promised(path, files, name)?;
    named(path, files, name, |key, view| {
        let bank = || Bank::from_bytes(view.shape(), whole.slice_ref(view.data()));
        let bank = (view.dtype() == Dtype::F16).then(bank).transpose();
        bank.map_err(|error| format!("tensor `{key}`: {error}"))
    })
}

/// Something of the tensors in a file, by name.
fn named<T>(
    path: &Path,
    files: &Files,
    name: &str,
    of: impl Fn(&str, TensorView<'_>) -> Result<Option<T>, String>,
) -> Result<BTreeMap<String, T>, BundleError> {
    let malformed = |detail: String| malformed(path, name, detail);
    let parsed = SafeTensors::deserialize(promised(path, files, name)?)
        .map_err(|error| malformed(error.to_string()))?;
    let some = parsed
        .iter()
        .filter_map(|(key, view)| Some(of(key, view).transpose()?.map(|found| (key.to_owned(), found))));
    some.collect::<Result<_, String>>().map_err(malformed)
}

/// The error that a file of a bundle does not hold what it should.
pub(crate) fn malformed(path: &Path, file: &str, detail: String) -> BundleError {
    BundleError::Malformed { path: path.to_owned(), file: file.into(), detail }
}
