//! Carries bases to machines without a network.
//!
//! [`export`] writes a base as one tar file, the same base always as the same bytes. [`import`] takes such a file, a
//! folder with a `base.toml`, or a joint base as a hub lays it out, and checks every file before it is published.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use dataset::Modality;
use store::{StagedDir, StoreError, write_atomic};

use crate::cache::{CARD, Cache, CacheError, Card, MODEL, MODEL_ONNX, PICTURE_MODEL, TOKENIZER};
use crate::catalogue::is_id;
use crate::checkpoint::{self, CONFIG, CheckpointError, Described, PREPROCESSOR};
use crate::pull::stamps;
use crate::weights::{Weights, WeightsError};

/// Bytes of a tar record.
const RECORD: usize = 512;
/// Longest `base.toml`.
const MAX_CARD: u64 = 1 << 20;
/// Largest file that is taken in.
const MAX_FILE: u64 = 64 << 30;
/// All that a base is made of.
const NAMES: [&str; 5] = [CARD, MODEL, PICTURE_MODEL, MODEL_ONNX, TOKENIZER];

/// Why a base could not be carried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum TransferError {
    /// The file or folder could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The archive is not one that `base export` wrote.
    #[error("`{}` is not an exported base: {what}", path.display())]
    Archive { path: PathBuf, what: String },
    /// The folder or archive has no sound identity.
    #[error("`{}` names its base `{id}`: lower-case letters, digits, `-`, `_` and `.` are allowed", path.display())]
    Id { path: PathBuf, id: String },
    /// Neither weights nor an ONNX file is there.
    #[error("`{}` holds no `{MODEL}` and no `{MODEL_ONNX}`", path.display())]
    NoModel { path: PathBuf },
    /// A folder as a hub lays it out holds no base that is known.
    #[error("`{}` is no joint base as a hub lays it out: {what}", path.display())]
    Checkpoint { path: PathBuf, what: CheckpointError },
    /// Its weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A file is missing, damaged or another one.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The cache could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes a base of the cache as one tar file, whole or not at all.
pub fn export(cache: &Cache, id: &str, to: &Path) -> Result<(), TransferError> {
    let base = cache.find(id)?;
    base.card.verify(&base.dir)?;
    write_atomic(to, |out| {
        let card = base.card.to_toml();
        append(out, CARD, card.len() as u64, &mut card.as_bytes())?;
        for (name, stamp) in &base.card.files {
            append(out, name, stamp.size, &mut File::open(base.dir.join(name))?)?;
        }
        out.write_all(&[0; 2 * RECORD])
    })?;
    Ok(())
}

/// Takes a base into the cache from an exported file or a folder, replacing one of the same id. Returns its folder.
///
/// In a folder of your own, `base.toml` may leave `files` out: what lies beside it is then taken as it is. A folder without one
/// but with a `config.json` is read as a hub lays it out, and goes by its own name.
pub fn import(cache: &Cache, from: &Path) -> Result<PathBuf, TransferError> {
    let unpacked = StagedDir::new_beside(&cache.path_of("import"))?;
    if from.is_dir() && !from.join(CARD).exists() && from.join(CONFIG).is_file() {
        take_checkpoint(from, unpacked.path())?
    } else if from.is_dir() {
        copy_folder(from, unpacked.path())?
    } else {
        unpack(from, unpacked.path())?
    }
    let mut card = Card::read_only(unpacked.path())?;
    if !is_id(&card.id) {
        return Err(TransferError::Id { path: from.to_owned(), id: card.id });
    }
    if card.files.is_empty() {
        card.files = stamps(unpacked.path())?;
    }
    if !card.files.contains_key(MODEL) && !card.files.contains_key(MODEL_ONNX) {
        return Err(TransferError::NoModel { path: from.to_owned() });
    }
    card.verify(unpacked.path())?;
    publish(cache, &card, unpacked.path())
}

/// Moves the files a card lists under the base's own name.
fn publish(cache: &Cache, card: &Card, from: &Path) -> Result<PathBuf, TransferError> {
    let _lock = cache.lock(&card.id)?;
    let dir = cache.path_of(&card.id);
    let staged = StagedDir::new_beside(&dir)?;
    for name in card.files.keys() {
        let path = staged.path().join(name);
        fs::rename(from.join(name), &path).map_err(|source| StoreError::Write { path, source })?;
    }
    let path = staged.path().join(CARD);
    fs::write(&path, card.to_toml()).map_err(|source| StoreError::Write { path, source })?;
    staged.publish()?;
    Ok(dir)
}

/// Writes the canonical files of a folder as a hub lays it out, with a card.
fn take_checkpoint(from: &Path, to: &Path) -> Result<(), TransferError> {
    let wrong = |what| TransferError::Checkpoint { path: from.to_owned(), what };
    let Described { network, preprocess } = checkpoint::describe(
        &small_file(&from.join(CONFIG))?,
        from.join(PREPROCESSOR)
            .is_file()
            .then(|| small_file(&from.join(PREPROCESSOR)))
            .transpose()?
            .as_deref(),
    )
    .map_err(wrong)?;
    for name in [MODEL, TOKENIZER] {
        if !from.join(name).is_file() {
            return Err(wrong(CheckpointError::NoFile { name }));
        }
    }
    let folder =
        fs::canonicalize(from).map_err(|source| TransferError::Read { path: from.to_owned(), source })?;
    let title = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let plain =
        |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let card = Card {
        id: title.to_ascii_lowercase().chars().map(plain).collect(),
        title,
        modality: Modality::Image,
        // The files say nothing of it.
        licence: "NOASSERTION".to_owned(),
        source: "a folder".to_owned(),
        network,
        preprocess,
        files: BTreeMap::new(),
    };
    // A file of one's own may change while it is mapped; a copy does not.
    let (path, copy) = (from.join(MODEL), to.join("as-it-came"));
    fs::copy(&path, &copy).map_err(|source| TransferError::Read { path, source })?;
    let weights = Weights::load(&copy).map_err(|error| error.of(from.join(MODEL)))?;
    weights.save(&to.join(MODEL))?;
    fs::remove_file(&copy).map_err(|source| StoreError::Write { path: copy, source })?;
    let path = from.join(TOKENIZER);
    fs::copy(&path, to.join(TOKENIZER)).map_err(|source| TransferError::Read { path, source })?;
    let path = to.join(CARD);
    fs::write(&path, card.to_toml()).map_err(|source| StoreError::Write { path, source }.into())
}

/// The bytes of a file that is never long.
fn small_file(path: &Path) -> Result<Vec<u8>, TransferError> {
    let read = |source| TransferError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(read)?;
    let mut bytes = Vec::new();
    file.take(MAX_CARD + 1).read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() as u64 > MAX_CARD {
        let what = CheckpointError::TooLong { limit: MAX_CARD };
        return Err(TransferError::Checkpoint { path: path.to_owned(), what });
    }
    Ok(bytes)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), TransferError> {
    for name in NAMES {
        let path = from.join(name);
        if path.is_file() || name == CARD {
            fs::copy(&path, to.join(name)).map_err(|source| TransferError::Read { path, source })?;
        }
    }
    Ok(())
}

/// Writes one regular file of a tar archive (ustar), without owner and time.
fn append(out: &mut dyn Write, name: &str, size: u64, data: &mut dyn Read) -> io::Result<()> {
    let mut header = [0_u8; RECORD];
    let mut field =
        |start: usize, text: &str| header[start..start + text.len()].copy_from_slice(text.as_bytes());
    field(0, name);
    field(100, "0000644\0");
    field(108, "0000000\0");
    field(116, "0000000\0");
    field(136, "00000000000\0");
    field(148, "        ");
    field(156, "0");
    field(257, "ustar\x0000");
    if size < 1 << 33 {
        field(124, &format!("{size:011o}\0"));
    } else {
        header[124] = 0x80;
        header[128..136].copy_from_slice(&size.to_be_bytes());
    }
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.write_all(&header)?;
    if io::copy(&mut data.take(size), out)? != size {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{name} became shorter")));
    }
    out.write_all(&[0; RECORD][..padding(size)])
}

/// Bytes after a file of that size up to the next record.
fn padding(size: u64) -> usize {
    (RECORD - (size % RECORD as u64) as usize) % RECORD
}

/// Unpacks an exported base. Only the names a base is made of are taken, so that no name becomes a path.
fn unpack(from: &Path, to: &Path) -> Result<(), TransferError> {
    let read = |source| TransferError::Read { path: from.to_owned(), source };
    let mut file = File::open(from).map_err(read)?;
    let mut left = file.metadata().map_err(read)?.len();
    let wrong = |what: String| TransferError::Archive { path: from.to_owned(), what };
    loop {
        let mut header = [0_u8; RECORD];
        file.read_exact(&mut header).map_err(|_| wrong("it ends too early".to_owned()))?;
        if header == [0; RECORD] {
            return Ok(());
        }
        left = left.saturating_sub(RECORD as u64);
        let (name, size) = entry(&header).map_err(wrong)?;
        let limit = if name == CARD { MAX_CARD } else { MAX_FILE };
        if size > limit || size > left {
            return Err(wrong(format!("`{name}` is {size} bytes long")));
        }
        let path = to.join(name);
        let written = File::create_new(&path).and_then(|mut out| io::copy(&mut (&file).take(size), &mut out));
        if written.map_err(|source| StoreError::Write { path, source })? != size {
            return Err(wrong(format!("it ends in the middle of `{name}`")));
        }
        file.seek(SeekFrom::Current(padding(size) as i64)).map_err(read)?;
        left -= size;
    }
}

/// Name and size that a tar header gives, if it is a regular file of a base.
fn entry(header: &[u8; RECORD]) -> Result<(&'static str, u64), String> {
    let text = |start: usize, len: usize| {
        let field = &header[start..start + len];
        let end = field.iter().position(|&byte| byte == 0).unwrap_or(len);
        String::from_utf8_lossy(&field[..end]).trim().to_owned()
    };
    let blanked = header
        .iter()
        .enumerate()
        .map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u32::from(byte) });
    if u32::from_str_radix(&text(148, 8), 8) != Ok(blanked.sum()) {
        return Err("a header has the wrong checksum".to_owned());
    }
    let name = text(0, 100);
    let name = name.strip_prefix("./").unwrap_or(&name);
    let known = NAMES.into_iter().find(|known| *known == name && matches!(header[156], b'0' | 0));
    let known = known.ok_or_else(|| format!("it holds `{name}`"))?;
    let size = match header[124] {
        0x80 => u64::from_be_bytes(header[128..136].try_into().expect("eight bytes")),
        _ => u64::from_str_radix(&text(124, 12), 8).map_err(|_| format!("`{name}` has no size"))?,
    };
    Ok((known, size))
}
