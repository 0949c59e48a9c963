//! The files of a bundle, as a folder or as one stored zip, read with limits.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::BundleError;

/// Named files in memory. Bundles are small: heads are kilobytes, vocabularies a few megabytes.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Most files a bundle may hold; it has about eight.
const MAX_FILES: usize = 64;
/// Most bytes a bundle may hold, 1 GiB: 10^5 classes on 1,280 dimensions take half of that.
const MAX_BYTES: u64 = 1 << 30;

/// How a bundle lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A folder of plain files.
    Folder,
    /// One `.djm` file: a zip whose members are stored, not compressed.
    File,
}

impl Form {
    /// By the name: one file when it ends in `.djm`.
    pub fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|extension| extension == "djm") { Self::File } else { Self::Folder }
    }
}

/// Writes all files or none. The same files give the same bytes.
pub(crate) fn write(path: &Path, files: &Files, form: Form) -> Result<(), BundleError> {
    match form {
        Form::Folder => {
            let staged = store::StagedDir::new_beside(path)?;
            for (name, bytes) in files {
                store::write_atomic(&staged.path().join(name), |out| out.write_all(bytes))?;
            }
            Ok(staged.publish()?)
        }
        Form::File => {
            let bytes = zip_bytes(files).expect("writing a zip into memory only fails for more than 4 GiB");
            Ok(store::write_atomic(path, |out| out.write_all(&bytes))?)
        }
    }
}

/// The manifest goes first so that `head -c` on a bundle shows what it is.
pub(crate) fn zip_bytes(files: &Files) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    let manifest_first = |name: &&String| (name.as_str() != "manifest.toml", name.as_str().to_owned());
    let mut names: Vec<&String> = files.keys().collect();
    names.sort_by_key(manifest_first);
    for name in names {
        zip.start_file(name.as_str(), options)?;
        zip.write_all(&files[name])?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Reads every file of a bundle, folder or zip.
pub(crate) fn read(path: &Path) -> Result<Files, BundleError> {
    let failed = |source| BundleError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.is_dir() {
        read_folder(path)
    } else {
        read_zip(path, File::open(path).map_err(failed)?)
    }
}

fn read_folder(path: &Path) -> Result<Files, BundleError> {
    let failed = |source| BundleError::Read { path: path.to_owned(), source };
    let mut files = Files::new();
    let mut budget = MAX_BYTES;
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_type().map_err(failed)?.is_file() || files.len() == MAX_FILES {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let file = File::open(entry.path()).map_err(failed)?;
        files.insert(name, read_within(file, &mut budget).map_err(failed)?);
    }
    Ok(files)
}

/// Reads a zip from any seekable source. Foreign bytes: every size is checked before it is believed.
pub(crate) fn read_zip(path: &Path, source: impl Read + Seek) -> Result<Files, BundleError> {
    let mut zip = ZipArchive::new(source).map_err(|error| not_a_zip(path, &error))?;
    if zip.len() > MAX_FILES {
        let detail = format!("it has {} members, a bundle has at most {MAX_FILES}", zip.len());
        return Err(BundleError::NotABundle { path: path.to_owned(), detail });
    }
    let mut files = Files::new();
    let mut budget = MAX_BYTES;
    for index in 0..zip.len() {
        let broken = |detail: String| BundleError::Truncated { path: path.to_owned(), detail };
        let member = zip.by_index(index).map_err(|error| broken(error.to_string()))?;
        let name = member.name().map_err(|error| broken(error.to_string()))?.into_owned();
        if name.contains(['/', '\\']) || name.starts_with('.') {
            let detail = format!("member `{name}` is not a plain file name");
            return Err(BundleError::NotABundle { path: path.to_owned(), detail });
        }
        let bytes = read_within(member, &mut budget).map_err(|error| match error.kind() {
            // The checksum of the zip itself: all bytes are there, and not as they were written.
            io::ErrorKind::InvalidData => BundleError::Damaged { path: path.to_owned(), file: name.clone() },
            _ => broken(format!("`{name}`: {error}")),
        })?;
        files.insert(name, bytes);
    }
    Ok(files)
}

fn not_a_zip(path: &Path, error: &zip::result::ZipError) -> BundleError {
    // A zip's directory is at its end: when the start looks right but the end is missing, the file was cut off.
    let starts_like_a_zip = File::open(path).is_ok_and(|mut file| {
        let mut magic = [0; 4];
        file.read_exact(&mut magic).is_ok() && &magic == b"PK\x03\x04"
    });
    if starts_like_a_zip {
        let detail = "the file ends before its directory; copy it again".to_owned();
        BundleError::Truncated { path: path.to_owned(), detail }
    } else {
        let is_empty = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0);
        let detail = if is_empty { "the file is empty".to_owned() } else { error.to_string() };
        BundleError::NotABundle { path: path.to_owned(), detail }
    }
}

fn read_within(source: impl Read, budget: &mut u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(*budget + 1).read_to_end(&mut bytes)?;
    *budget = budget.checked_sub(bytes.len() as u64).ok_or_else(|| {
        io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_BYTES} bytes in one bundle"))
    })?;
    Ok(bytes)
}
