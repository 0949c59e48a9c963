//! What a server's folder remembers: its name among servers, and the database whose files lie in it.

use std::io;
use std::path::{Path, PathBuf};

use crate::ServerError;
use crate::db::FILE;
use crate::ids::new_id;

/// The name that a server keeps in its folder; made at the first start.
pub(crate) fn name_in(dir: &Path) -> io::Result<String> {
    let path = dir.join("name");
    match read(&path)? {
        Some(name) => Ok(name),
        None => {
            let name = new_id();
            std::fs::write(&path, &name)?;
            Ok(name)
        }
    }
}

/// The database that a folder is marked with. Another one names none of its files, and would sweep them away.
#[derive(Debug)]
pub(crate) struct Mark {
    path: PathBuf,
    known: Option<String>,
}

impl Mark {
    /// Reads it before a database is opened: the file in the folder, or one elsewhere. Files in a folder that an earlier version left
    /// unmarked belong to the file where there is one.
    ///
    /// # Errors
    /// [`ServerError::Foreign`] when the files are another database's, [`ServerError::Folder`] when it cannot be read.
    pub(crate) fn read(dir: &Path, elsewhere: bool) -> Result<Self, ServerError> {
        let path = dir.join("database");
        let known = read(&path).map_err(|source| ServerError::Folder { dir: dir.to_owned(), source })?;
        let has_file = dir.join(FILE).exists();
        if known.is_none() && dir.join("blobs").exists() && has_file == elsewhere {
            return Err(ServerError::Foreign { dir: dir.to_owned() });
        }
        Ok(Self { path, known })
    }

    /// Marks the folder with the database that was opened, or compares them.
    ///
    /// # Errors
    /// As [`Mark::read`].
    pub(crate) fn claim(self, dir: &Path, database: &str) -> Result<(), ServerError> {
        match self.known {
            Some(known) if known == database => Ok(()),
            Some(_) => Err(ServerError::Foreign { dir: dir.to_owned() }),
            None => std::fs::write(&self.path, database)
                .map_err(|source| ServerError::Folder { dir: dir.to_owned(), source }),
        }
    }
}

/// What a file says; `None` where there is none.
fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens a folder as with the file in it, or with a database elsewhere.
    fn open(dir: &Path, database: &str, elsewhere: bool) -> bool {
        Mark::read(dir, elsewhere).and_then(|mark| mark.claim(dir, database)).is_ok()
    }

    #[test]
    fn a_folder_belongs_to_one_database() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(open(dir.path(), "one", false) && open(dir.path(), "one", false));
        assert!(!open(dir.path(), "two", true));
    }

    #[test]
    fn files_without_a_mark_belong_to_the_file_beside_them() {
        for (has_file, elsewhere, fits) in
            [(true, false, true), (true, true, false), (false, true, true), (false, false, false)]
        {
            let dir = tempfile::tempdir().expect("a folder");
            std::fs::create_dir(dir.path().join("blobs")).expect("made");
            if has_file {
                std::fs::write(dir.path().join(FILE), "").expect("written");
            }
            assert_eq!(open(dir.path(), "one", elsewhere), fits, "{has_file} {elsewhere}");
        }
    }

    #[test]
    fn a_folder_keeps_its_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let name = name_in(dir.path()).expect("made");
        assert!(!name.is_empty() && name_in(dir.path()).expect("read") == name);
    }
}
