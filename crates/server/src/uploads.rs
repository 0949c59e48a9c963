//! Files on their way in: aside, under the upload's own folder, until they are complete.
//!
//! A name is kept as it was given, but never trusted: `..`, roots and links cannot leave the folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;

use crate::error::{ApiError, is_full};
use crate::member_names::MemberNames;

/// Most files of one upload, and most members of one archive.
pub(crate) const MOST_FILES: usize = 200_000;
/// Most bytes that an archive may unpack to, for each byte of it. A picture hardly shrinks; a table may by twenty.
const MOST_RATIO: u64 = 200;
/// Deepest path.
const MOST_DEPTH: usize = 16;
/// Longest name of a folder or file, in bytes: what file systems take.
const LONGEST_PART: usize = 255;
/// Longest path, in bytes.
const MOST_LENGTH: usize = 1024;
/// Signs of a refused path that are shown.
const MOST_SHOWN: usize = 80;

/// The folder of all uploads.
#[derive(Debug, Clone)]
pub(crate) struct Uploads {
    dir: PathBuf,
    /// Most bytes of one upload, unpacked.
    most: u64,
    /// Pieces are added one after the other, so that one that is sent twice is seen.
    adding: Arc<Mutex<()>>,
}

impl Uploads {
    pub(crate) fn new(dir: PathBuf, most: u64) -> Self {
        Self { dir, most, adding: Arc::default() }
    }

    /// Most bytes of one upload.
    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// The folder of one upload. Ids are ours, so they are plain.
    pub(crate) fn folder(&self, id: &str) -> PathBuf {
        self.dir.join(id)
    }

    /// What has arrived: paths as they were given, with their sizes.
    pub(crate) fn files(&self, id: &str) -> io::Result<Vec<(String, u64)>> {
        let root = self.folder(id);
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
            let Ok(entry) = entry else { continue };
            let Ok(path) = entry.path().strip_prefix(&root) else { continue };
            if entry.file_type().is_file() {
                files.push((path.to_string_lossy().replace('\\', "/"), entry.metadata()?.len()));
            }
        }
        Ok(files)
    }

    /// Adds bytes to the end of a file. `offset` must be where it ends: a client that lost its way is told where that is.
    pub(crate) fn append(&self, id: &str, name: &str, offset: u64, bytes: &[u8]) -> Result<u64, ApiError> {
        let path = self.folder(id).join(safe(name)?);
        let clash = || ApiError::invalid("a file and a folder have the same name", "文件与文件夹同名");
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => clash(),
                _ => error.into(),
            })?;
        }
        if path.is_dir() {
            return Err(clash());
        }
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        let size = file.metadata()?.len();
        if size != offset {
            let (en, zh) =
                (format!("{size} bytes of this file are here"), format!("该文件已收到 {size} 字节"));
            let error = ApiError::new(StatusCode::CONFLICT, "wrong_offset", en, zh);
            return Err(ApiError { size: Some(size), ..error }.hint("go on from there", "请从该位置继续"));
        }
        if size + bytes.len() as u64 > self.most {
            return Err(self.too_large());
        }
        if let Err(error) = file.write_all(bytes) {
            // What of it found room goes again, so that the file ends where its sender was last told it does.
            if size == 0 {
                fs::remove_file(&path)?
            } else {
                file.set_len(size)?
            }
            return Err(error.into());
        }
        Ok(size + bytes.len() as u64)
    }

    /// Where an archive of an upload is unpacked.
    fn unpacked(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.unpacked"))
    }

    /// Where pieces are put that are cut out of an upload, empty: what an earlier try left is gone.
    pub(crate) fn pieces(&self, id: &str) -> io::Result<PathBuf> {
        let place = self.dir.join(format!("{id}.pieces"));
        remove_all(&place)?;
        Ok(place)
    }

    /// A path in an upload as its sender knows it; `.` for all of it.
    pub(crate) fn as_sent<'p>(&self, id: &str, path: &'p str) -> &'p str {
        let below = |folder: PathBuf| path.strip_prefix(&*folder.to_string_lossy());
        match below(self.unpacked(id)).or_else(|| below(self.folder(id))) {
            Some("") => ".",
            Some(rest) => rest.trim_start_matches('/'),
            None => path,
        }
    }

    /// Removes what arrived, and what was unpacked of it and cut out of it.
    pub(crate) fn forget(&self, id: &str) -> io::Result<()> {
        [self.folder(id), self.unpacked(id)].iter().try_for_each(|folder| remove_all(folder))?;
        self.pieces(id).map(drop)
    }

    /// What is to be read: an only archive is unpacked first; an only folder or an only table stands for itself.
    pub(crate) fn root(&self, id: &str) -> Result<PathBuf, ApiError> {
        let folder = self.folder(id);
        let files = self.files(id)?;
        if files.is_empty() {
            let nothing = ApiError::invalid("nothing was uploaded", "没有上传任何文件");
            return Err(nothing.hint("send files before the upload is finished", "请先上传文件，再结束上传"));
        }
        if files.len() > MOST_FILES {
            return Err(ApiError::too_large(
                "an upload has at most 200,000 files",
                "一次上传最多 20 万个文件",
            ));
        }
        if files.iter().map(|(_, size)| size).sum::<u64>() > self.most {
            return Err(self.too_large());
        }
        if let [(only, size)] = files.as_slice()
            && only.to_lowercase().ends_with(".zip")
        {
            let inside = self.unpacked(id);
            // What an earlier try left.
            remove_all(&inside)?;
            self.unpack(&folder.join(only), *size, &inside)?;
            return only_entry(inside);
        }
        only_entry(folder)
    }

    /// Unpacks an archive, with a limit on everything a hostile one could make large.
    fn unpack(&self, archive: &Path, size: u64, to: &Path) -> Result<(), ApiError> {
        let broken = |error: &dyn std::fmt::Display| {
            ApiError::invalid(
                format!("the archive cannot be read: {error}"),
                format!("无法读取压缩包：{error}"),
            )
            .hint("pack it again", "请重新打包")
        };
        let mut zip = zip::ZipArchive::new(File::open(archive)?).map_err(|error| broken(&error))?;
        if zip.len() > MOST_FILES {
            return Err(ApiError::too_large(
                "an archive has at most 200,000 files",
                "压缩包最多 20 万个文件",
            ));
        }
        let names = (0..zip.len()).map(|place| Ok(zip.by_index_raw(place)?.name_raw().to_vec()));
        let names: Vec<Vec<u8>> =
            names.collect::<zip::result::ZipResult<_>>().map_err(|error| broken(&error))?;
        let written = MemberNames::of(names.iter().map(Vec::as_slice));
        let mut left = self.most.min(size.saturating_mul(MOST_RATIO).max(1 << 20));
        let mut is_empty = true;
        for place in 0..zip.len() {
            let mut member = zip.by_index(place).map_err(|error| broken(&error))?;
            let dos = member.name().map_err(|error| broken(&error))?;
            let name = written.read(member.name_raw(), dos).into_owned();
            // What other systems add for themselves; and links, which could point anywhere.
            let ours = !name.starts_with("__MACOSX/") && !name.ends_with(".DS_Store");
            if member.is_dir() || member.is_symlink() || !ours {
                continue;
            }
            let mut out = create(&to.join(safe(&name)?)).map_err(|error| unwritable(error, &name))?;
            is_empty = false;
            let copied = io::copy(&mut (&mut member).take(left + 1), &mut out)
                .map_err(|error| if is_full(&error) { error.into() } else { broken(&error) })?;
            left = left.checked_sub(copied).ok_or_else(|| self.too_large())?;
        }
        if is_empty {
            let nothing = ApiError::invalid("there is no file in the archive", "压缩包中没有文件");
            return Err(
                nothing.hint("pack the files themselves, not links to them", "请打包文件本身，而不是链接")
            );
        }
        Ok(())
    }

    pub(crate) fn too_large(&self) -> ApiError {
        let gib = self.most >> 30;
        let (en, zh) = (format!("an upload has at most {gib} GiB"), format!("一次上传最多 {gib} GiB"));
        ApiError::too_large(en, zh)
    }
}

/// Removes a folder, if it is there.
fn remove_all(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file of an archive, with the folders above it.
fn create(path: &Path) -> io::Result<File> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    File::create(path)
}

/// Why a file of an archive could not be made: mostly that it holds a file and a folder of one name.
fn unwritable(error: io::Error, name: &str) -> ApiError {
    use io::ErrorKind::{AlreadyExists, IsADirectory, NotADirectory};
    if !matches!(error.kind(), AlreadyExists | IsADirectory | NotADirectory) {
        return error.into();
    }
    let (en, zh) = (
        format!("the archive holds a file and a folder of one name, at `{name}`"),
        format!("压缩包中有同名的文件和文件夹：“{name}”"),
    );
    ApiError::invalid(en, zh).hint("give one of them another name", "请将其中一个改名")
}

/// A relative path without surprises.
fn safe(name: &str) -> Result<PathBuf, ApiError> {
    let refused = || {
        let mut signs = name.chars().filter(|sign| !sign.is_control());
        let mut shown: String = signs.by_ref().take(MOST_SHOWN).collect();
        if signs.next().is_some() {
            shown.push('…');
        }
        let en = format!("the path of the file `{shown}` is not a plain one");
        ApiError::invalid(en, format!("文件“{shown}”的路径不是普通的相对路径"))
            .hint("send paths like `good/001.jpg`", "请发送类似 good/001.jpg 的路径")
    };
    let name = name.replace('\\', "/");
    if name.is_empty() || name.len() > MOST_LENGTH || name.chars().any(char::is_control) {
        return Err(refused());
    }
    let path = PathBuf::from(&name);
    let plain =
        path.components().all(|part| matches!(part, Component::Normal(name) if name.len() <= LONGEST_PART));
    // A letter and a colon is a disk on some systems.
    let disk = name.as_bytes().get(1) == Some(&b':');
    if plain && !disk && path.components().count() <= MOST_DEPTH { Ok(path) } else { Err(refused()) }
}

/// The one folder that was dropped, and the one table in it. Folders below are classes, even an only one.
fn only_entry(root: PathBuf) -> Result<PathBuf, ApiError> {
    let only = |at: &Path| -> Result<Option<PathBuf>, ApiError> {
        let entries: Vec<PathBuf> =
            fs::read_dir(at)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        Ok(<[PathBuf; 1]>::try_from(entries).ok().map(|[only]| only))
    };
    let root = only(&root)?.filter(|only| only.is_dir()).unwrap_or(root);
    Ok(only(&root)?.filter(|only| is_table(only)).unwrap_or(root))
}

fn is_table(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    ["csv", "tsv", "json", "jsonl", "ndjson", "parquet"].contains(&ending.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uploads() -> (tempfile::TempDir, Uploads) {
        let dir = tempfile::tempdir().expect("a folder");
        let uploads = Uploads::new(dir.path().join("uploads"), 1 << 20);
        (dir, uploads)
    }

    fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in members {
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(*name, options).expect("a member");
            zip.write_all(bytes).expect("written");
        }
        zip.finish().expect("a zip").into_inner()
    }

    #[test]
    fn files_grow_where_they_end() {
        let (_dir, uploads) = uploads();
        assert_eq!(uploads.append("u", "a/b.jpg", 0, b"12").expect("first"), 2);
        assert_eq!(uploads.append("u", "a/b.jpg", 2, b"345").expect("second"), 5);
        let lost = uploads.append("u", "a/b.jpg", 2, b"345").expect_err("not there");
        assert_eq!((lost.code, lost.size), ("wrong_offset", Some(5)));
        assert_eq!(uploads.files("u").expect("listed"), [("a/b.jpg".to_owned(), 5)]);
    }

    #[test]
    fn senders_see_their_own_names() {
        let (dir, uploads) = uploads();
        let at = |below: &str| dir.path().join("uploads").join(below).display().to_string();
        assert_eq!(uploads.as_sent("u", &at("u/parts/1.jpg")), "parts/1.jpg");
        assert_eq!(uploads.as_sent("u", &at("u.unpacked/t.csv:3")), "t.csv:3");
        assert_eq!(uploads.as_sent("u", &at("u")), ".");
        assert_eq!(uploads.as_sent("u", "t.csv:3"), "t.csv:3");
    }

    #[test]
    fn paths_stay_inside() {
        for name in ["../x", "/etc/passwd", "a/../../x", "C:/x", "..\\x", "", "a\nb", "./../x"] {
            assert!(safe(name).is_err(), "{name}");
        }
        assert_eq!(safe("部件/a b.jpg").expect("plain"), PathBuf::from("部件/a b.jpg"));
    }

    #[test]
    fn archives_are_unpacked_within_limits() {
        let (dir, uploads) = uploads();
        let zip = zip_of(&[("set/good/1.txt", b"x"), ("__MACOSX/set/._1", b"y")]);
        uploads.append("u", "set.zip", 0, &zip).expect("sent");
        let root = uploads.root("u").expect("unpacked");
        assert_eq!(root, dir.path().join("uploads/u.unpacked/set"));

        let bomb = zip_of(&[("zeros.csv", &vec![0; 8 << 20])]);
        uploads.append("bomb", "bomb.zip", 0, &bomb).expect("sent");
        assert_eq!(uploads.root("bomb").expect_err("too large").code, "too_large");

        let refused = |id: &str, members: &[(&str, &[u8])]| {
            uploads.append(id, "sent.zip", 0, &zip_of(members)).expect("sent");
            let error = uploads.root(id).expect_err("refused");
            assert_eq!(error.code, "invalid");
            error.en
        };
        assert!(refused("sly", &[("../out.txt", b"x")]).contains("`../out.txt`"));
        assert_eq!(refused("empty", &[]), "there is no file in the archive");
        assert_eq!(refused("others", &[("__MACOSX/a.txt", b"x")]), "there is no file in the archive");
        for members in [[("a", &b"x"[..]), ("a/b", b"y")], [("a/b", b"y"), ("a", b"x")]] {
            let told = refused(if members[0].0 == "a" { "one" } else { "other" }, &members);
            assert!(told.contains("a file and a folder of one name"), "{told}");
        }
        assert!(!dir.path().join("uploads/out.txt").exists());
    }

    #[test]
    fn names_in_gbk_are_read() {
        let (_dir, uploads) = uploads();
        // A letter for each byte, so that sizes and offsets stay: what packs here writes UTF-8 only.
        let mut zip = zip_of(&[("set/abcd/1.txt", b"x"), ("set/good/2.txt", b"y")]);
        let places: Vec<usize> = (0..zip.len()).filter(|at| zip[*at..].starts_with(b"abcd")).collect();
        assert_eq!(places.len(), 2, "before the file and in the directory");
        places.iter().for_each(|at| zip[*at..at + 4].copy_from_slice(b"\xbb\xae\xba\xdb"));
        uploads.append("gbk", "set.zip", 0, &zip).expect("sent");
        let root = uploads.root("gbk").expect("unpacked");
        assert!(root.join("划痕/1.txt").is_file() && root.join("good/2.txt").is_file());
    }

    #[test]
    fn what_stands_alone_is_the_root() {
        let (dir, uploads) = uploads();
        uploads.append("t", "texts.csv", 0, b"text,label\n").expect("sent");
        assert_eq!(uploads.root("t").expect("a table"), dir.path().join("uploads/t/texts.csv"));
        uploads.append("f", "parts/good/1.jpg", 0, b"x").expect("sent");
        uploads.append("f", "parts/bad/2.jpg", 0, b"x").expect("sent");
        assert_eq!(uploads.root("f").expect("a folder"), dir.path().join("uploads/f/parts"));
    }
}
