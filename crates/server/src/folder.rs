//! What a server's folder remembers: its name among servers, and the database whose files lie in it.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use walkdir::WalkDir;

use crate::ServerError;
use crate::db::Db;
use crate::ids::new_id;
use crate::sweeping::is_in;

/// The file that names the server.
const NAME: &str = "name";
/// The file that names the database.
const DATABASE: &str = "database";
/// Where files lie that rows name.
const KEPT: [&str; 2] = ["blobs", "models"];

/// The name that a server keeps in its folder; made at the first start.
pub(crate) fn name_in(dir: &Path) -> io::Result<String> {
    let path = dir.join(NAME);
    if let Some(name) = read(&path)? {
        return Ok(name);
    }
    let name = new_id();
    write(&path, &name)?;
    Ok(name)
}

/// Marks a folder with its database, or compares them: another one names none of its files, and would sweep them away. A folder without
/// files is anybody's; one that an earlier version left without a mark belongs to the database that names some of its files.
///
/// # Errors
/// [`ServerError::Foreign`] when the files are another database's, [`ServerError::Folder`] when they cannot be read.
pub(crate) async fn claim(dir: &Path, db: &Db, identity: &str) -> Result<(), ServerError> {
    let failed = |source| ServerError::Folder { dir: dir.to_owned(), source };
    let path = dir.join(DATABASE);
    let known = read(&path).map_err(failed)?;
    if known.as_deref() == Some(identity) {
        return Ok(());
    }
    if files(dir).next().is_some() {
        let named = db.named_files().await.map_err(ServerError::Database)?;
        if known.is_some() || !files(dir).any(|file| names(&named, &file)) {
            return Err(ServerError::Foreign { dir: dir.to_owned() });
        }
    }
    write(&path, identity).map_err(failed)
}

/// The files of a folder that rows may name.
fn files(dir: &Path) -> impl Iterator<Item = walkdir::DirEntry> {
    let all = KEPT.map(|folder| WalkDir::new(dir.join(folder)));
    all.into_iter().flatten().filter_map(Result::ok).filter(|entry| entry.file_type().is_file())
}

fn names(named: &HashSet<String>, file: &walkdir::DirEntry) -> bool {
    file.file_name().to_str().is_some_and(|name| is_in(named, name))
}

/// What a file says; `None` where there is none, or one that was not written to its end.
fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    store::write_atomic(path, |out| out.write_all(text.as_bytes())).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_folder_with_files_belongs_to_one_database() {
        let (dir, elsewhere) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
        let dir = dir.path();
        let db = Db::open(elsewhere.path(), None).await.expect("a database");
        let open = async |identity: &str| claim(dir, &db, identity).await.is_ok();
        assert!(open("one").await && open("two").await, "nothing is in it");
        std::fs::create_dir(dir.join("models")).expect("made");
        std::fs::write(dir.join("models/x.djm"), "a model").expect("written");
        assert!(open("two").await && !open("one").await);
        // Without a mark it is that of whoever names something: this one names nothing.
        std::fs::write(dir.join(DATABASE), "").expect("half written");
        assert!(!open("two").await);
        std::fs::remove_file(dir.join("models/x.djm")).expect("removed");
        assert!(open("one").await);
    }

    #[test]
    fn a_folder_keeps_its_name() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join(NAME), "").expect("half written");
        let name = name_in(dir.path()).expect("made");
        assert!(!name.is_empty() && name_in(dir.path()).expect("read") == name);
    }
}
