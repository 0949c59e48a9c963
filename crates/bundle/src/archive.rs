//! The files of a bundle, as a folder or as one stored zip, mapped with limits.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use bytes::Bytes;
use memmap2::Mmap;
use zip::read::ZipFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::BundleError;

/// Named files: made in memory, or windows of what is mapped from disk. Whoever keeps a part of one keeps the map.
pub(crate) type Files = BTreeMap<String, Bytes>;

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

/// The files of a bundle, folder or zip. Only what a zip has compressed is copied.
pub(crate) fn read(path: &Path) -> Result<Files, BundleError> {
    let failed = |source| BundleError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.is_dir() {
        read_folder(path)
    } else {
        read_zip(path, &File::open(path).and_then(|file| map(&file)).map_err(failed)?)
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
        let bytes = File::open(entry.path()).and_then(|file| map(&file)).map_err(failed)?;
        spend(&mut budget, bytes.len() as u64).map_err(failed)?;
        files.insert(name, bytes);
    }
    Ok(files)
}

fn map(file: &File) -> io::Result<Bytes> {
    // SAFETY: a map needs a file that nobody changes. Bundles appear by rename and are never written to again, and `open` tells
    // whoever replaces one to do it likewise.
    Ok(Bytes::from_owner(unsafe { Mmap::map(file) }?))
}

/// Reads a zip. Foreign bytes: every size is checked before it is believed.
pub(crate) fn read_zip(path: &Path, whole: &Bytes) -> Result<Files, BundleError> {
    let mut zip =
        ZipArchive::new(Cursor::new(whole.clone())).map_err(|error| not_a_zip(path, whole, &error))?;
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
        let bytes = contents(member, whole, &mut budget).map_err(|error| match error.kind() {
            // The checksum of the zip itself: all bytes are there, and not as they were written.
            io::ErrorKind::InvalidData => BundleError::Damaged { path: path.to_owned(), file: name.clone() },
            _ => broken(format!("`{name}`: {error}")),
        })?;
        files.insert(name, bytes);
    }
    Ok(files)
}

fn not_a_zip(path: &Path, bytes: &[u8], error: &zip::result::ZipError) -> BundleError {
    // A zip's directory is at its end: when the start looks right but the end is missing, the file was cut off.
    if bytes.starts_with(b"PK\x03\x04") {
        let detail = "the file ends before its directory; copy it again".to_owned();
        BundleError::Truncated { path: path.to_owned(), detail }
    } else {
        let detail = if bytes.is_empty() { "the file is empty".to_owned() } else { error.to_string() };
        BundleError::NotABundle { path: path.to_owned(), detail }
    }
}

/// What a member of a zip holds: a window of the whole where it is stored as it is. Reading it to its end compares its checksum.
fn contents(member: ZipFile<'_, Cursor<Bytes>>, whole: &Bytes, budget: &mut u64) -> io::Result<Bytes> {
    let stored = (member.compression() == CompressionMethod::Stored).then(|| member.data_start()).flatten();
    let mut member = member.take(*budget + 1);
    if let Some(start) = stored {
        let size = io::copy(&mut member, &mut io::sink())?;
        spend(budget, size)?;
        return Ok(whole.slice(start as usize..(start + size) as usize));
    }
    let mut bytes = Vec::new();
    member.read_to_end(&mut bytes)?;
    spend(budget, bytes.len() as u64)?;
    Ok(bytes.into())
}

fn spend(budget: &mut u64, size: u64) -> io::Result<()> {
    *budget = budget.checked_sub(size).ok_or_else(|| {
        io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_BYTES} bytes in one bundle"))
    })?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Whether bytes are a window of this file, as the system knows it, and not a copy.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_mapped(bytes: &[u8], path: &Path) -> bool {
        let path = path.canonicalize().unwrap();
        let at = bytes.as_ptr() as usize;
        std::fs::read_to_string("/proc/self/maps").unwrap().lines().any(|line| {
            let (range, rest) = line.split_once(' ').unwrap();
            let (start, end) = range.split_once('-').unwrap();
            let address = |text: &str| usize::from_str_radix(text, 16).unwrap();
            rest.ends_with(path.to_str().unwrap()) && (address(start)..address(end)).contains(&at)
        })
    }

    fn some() -> Files {
        let file =
            |name: &str, size: usize| (name.to_owned(), (0..size).map(|at| (at % 251) as u8).collect());
        Files::from([file("manifest.toml", 40), file("empty", 0), file("odd", 7), file("large", 9000)])
    }

    #[test]
    fn files_come_back_without_being_copied() {
        let dir = tempfile::tempdir().unwrap();
        for (name, form) in [("bundle", Form::Folder), ("bundle.djm", Form::File)] {
            let path = dir.path().join(name);
            write(&path, &some(), form).unwrap();
            let files = read(&path).unwrap();
            assert_eq!(files, some());
            #[cfg(target_os = "linux")]
            for (file, bytes) in files.iter().filter(|(_, bytes)| !bytes.is_empty()) {
                let at = if form == Form::Folder { path.join(file) } else { path.clone() };
                let copy = bytes.to_vec();
                assert!(is_mapped(bytes, &at) && !is_mapped(&copy, &at), "{name} {file}");
            }
        }
    }

    #[test]
    fn what_a_zip_compressed_is_read_all_the_same() {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in some() {
            let method = CompressionMethod::Deflated;
            zip.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
            zip.write_all(&bytes).unwrap();
        }
        let whole = zip.finish().unwrap().into_inner().into();
        assert_eq!(read_zip(Path::new("a.djm"), &whole).unwrap(), some());
    }

    #[test]
    fn a_file_that_is_cut_or_damaged_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let (path, whole) = (dir.path().join("a.djm"), zip_bytes(&some()).unwrap());
        for end in (4..whole.len()).step_by(97).chain([whole.len() - 1]) {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert!(matches!(read(&path), Err(BundleError::Truncated { .. })), "cut at {end}");
        }
        std::fs::write(&path, "").unwrap();
        let empty = read(&path).unwrap_err().to_string();
        assert!(empty.ends_with("is not a bundle: the file is empty"), "{empty}");
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(matches!(read(&path), Err(BundleError::Damaged { file, .. }) if file == "large"));
    }
}
