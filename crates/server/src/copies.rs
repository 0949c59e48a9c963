//! Copies of what an object store keeps: how many bytes of them may lie in a server's folder, and which are in use.
//!
//! What was not used for longest goes first; what somebody uses stays, and so does what the store does not have.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use walkdir::DirEntry;

/// What was used a moment ago stays: whoever asked where it lies may not have opened it yet.
const MOMENT: Duration = Duration::from_secs(60);
/// Once there are too many, room is made for some more.
const DOWN_TO: f64 = 0.9;
/// It is looked again when so much of what may lie here came since.
const SHARE_THAT_CAME: u64 = 20;
/// It rests so long after nothing could go; what was used a moment ago may go soon.
const REST: Duration = Duration::from_secs(20);

/// More than came: it is time to look.
const ALL: u64 = u64::MAX / 4;

/// The copies in a folder.
#[derive(Debug)]
pub(crate) struct Copies {
    /// Most bytes.
    most: u64,
    /// How many use each file.
    used: Mutex<HashMap<PathBuf, usize>>,
    /// Bytes that came since it was last looked.
    came: AtomicU64,
    /// When it is looked again, however little came: there are too many, and none could go.
    again: Mutex<Option<Instant>>,
}

/// Files that lie here until this is dropped.
#[derive(Debug, Default)]
#[must_use = "files may be removed once nobody holds this"]
pub(crate) struct InUse {
    copies: Option<Arc<Copies>>,
    paths: Vec<PathBuf>,
}

impl Copies {
    pub(crate) fn new(most: u64) -> Self {
        // What lies here already is looked at first.
        Self { most, used: Mutex::default(), came: AtomicU64::new(ALL), again: Mutex::default() }
    }

    /// Keeps files from being removed, whether they are here already or about to come.
    pub(crate) fn hold(self: &Arc<Self>, paths: Vec<PathBuf>) -> InUse {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        paths.iter().for_each(|path| *used.entry(path.clone()).or_default() += 1);
        drop(used);
        // They are held already: nobody waits for the disk.
        paths.iter().for_each(|path| freshen(path));
        InUse { copies: Some(self.clone()), paths }
    }

    /// Notes that a file came.
    pub(crate) fn came(&self, bytes: u64) {
        self.came.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether so much came that it is time to look, or it was rested long enough.
    pub(crate) fn is_time(&self) -> bool {
        let rested = || self.again().is_some_and(|again| again <= Instant::now());
        self.came.load(Ordering::Relaxed) > self.most / SHARE_THAT_CAME || rested()
    }

    fn again(&self) -> MutexGuard<'_, Option<Instant>> {
        self.again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes those of the files of which `may_go` says so, the ones that were not used for longest first, until there is room. Returns how
    /// many went.
    pub(crate) fn make_room<E>(
        &self,
        copies: impl Iterator<Item = DirEntry>,
        may_go: impl Fn(&Path) -> Result<bool, E>,
    ) -> Result<usize, E> {
        self.came.store(0, Ordering::Relaxed);
        *self.again() = None;
        let (mut files, mut bytes) = (Vec::new(), 0);
        for entry in copies {
            let Some(about) = entry.metadata().ok().filter(|about| about.is_file()) else { continue };
            bytes += about.len();
            let Ok(used_at) = about.modified() else { continue };
            files.push((used_at, about.len(), entry.into_path()));
        }
        if bytes <= self.most {
            return Ok(0);
        }
        files.sort();
        let (room, mut n_gone) = ((DOWN_TO * self.most as f64) as u64, 0);
        for (used_at, length, path) in files {
            if bytes <= room || used_at.elapsed().is_ok_and(|ago| ago < MOMENT) {
                break;
            }
            // The store is asked last: it is far.
            if self.is_used(&path) {
                continue;
            }
            // One that fails leaves too many here.
            let goes = may_go(&path).inspect_err(|_| self.came(ALL))?;
            if goes && self.remove(&path, used_at) {
                (bytes, n_gone) = (bytes - length, n_gone + 1);
            }
        }
        if bytes > self.most && n_gone > 0 {
            // What is used now may go soon.
            self.came(ALL);
        } else if bytes > self.most {
            *self.again() = Some(Instant::now() + REST);
        }
        Ok(n_gone)
    }

    fn is_used(&self, path: &Path) -> bool {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).contains_key(path)
    }

    /// Removes a file, unless somebody uses it now or did since it was looked at.
    fn remove(&self, path: &Path, used_at: SystemTime) -> bool {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let since =
            || std::fs::metadata(path).and_then(|about| about.modified()).is_ok_and(|at| at > used_at);
        !used.contains_key(path) && !since() && std::fs::remove_file(path).is_ok()
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let Some(copies) = &self.copies else { return };
        let mut used = copies.used.lock().unwrap_or_else(PoisonError::into_inner);
        for path in &self.paths {
            if let Some(users) = used.get_mut(path) {
                *users -= 1;
                if *users == 0 {
                    used.remove(path);
                }
            }
        }
    }
}

/// Notes in a file itself when it was last used, to half a moment: what is not there yet is new when it comes.
fn freshen(path: &Path) {
    let is_fresh = |at: SystemTime| at.elapsed().is_ok_and(|ago| ago < MOMENT / 2);
    let freshened = || -> io::Result<()> {
        if is_fresh(std::fs::metadata(path)?.modified()?) {
            return Ok(());
        }
        std::fs::OpenOptions::new().append(true).open(path)?.set_modified(SystemTime::now())
    };
    // One that cannot be made young is as old as it was: at worst it is fetched again.
    let _ = freshened();
}

#[cfg(test)]
mod tests {
    use walkdir::WalkDir;

    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_and_what_is_used_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = |name: &str, age: u64| {
            let path = dir.path().join(name);
            std::fs::write(&path, [0; 100]).expect("a file");
            let file = std::fs::OpenOptions::new().append(true).open(&path).expect("a file");
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).expect("aged");
            path
        };
        let copies = Arc::new(Copies::new(250));
        assert!(copies.is_time(), "at the start");
        let [oldest, held, old, only, young] =
            [("a", 900), ("b", 800), ("c", 700), ("d", 600), ("e", 5)].map(|(name, age)| file(name, age));
        let used = copies.hold(vec![held.clone(), held.clone(), dir.path().join("to come")]);
        let room = || {
            let files = WalkDir::new(dir.path()).into_iter().flatten();
            copies.make_room(files, |path| Ok::<_, io::Error>(path != only)).expect("looked")
        };
        assert_eq!(room(), 2);
        assert!(!oldest.exists() && !old.exists());
        assert!(held.exists() && only.exists() && young.exists(), "in use, nowhere else, used just now");
        assert!(copies.is_time(), "as long as there are too many");
        // One of two users is gone, then the other.
        drop(copies.hold(vec![held.clone()]));
        file("f", 300);
        file("b", 2000);
        assert_eq!(room(), 1, "the one that nobody uses");
        assert!(held.exists() && !dir.path().join("f").exists());
        assert_eq!(room(), 0);
        assert!(!copies.is_time(), "none could go: it rests");
        drop(used);
        file("g", 1000);
        assert_eq!(room(), 2);
        assert!(!held.exists() && !copies.is_time());
        copies.came(12);
        assert!(!copies.is_time());
        copies.came(1);
        assert!(copies.is_time());
    }
}
