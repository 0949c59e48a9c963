//! A content-addressed cache of vectors, in half precision.
//!
//! The folder holds *segments*: immutable files, each written aside and renamed into place, so two processes can add at
//! the same time and a killed one leaves nothing half-written. A segment is
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `DJVEC1\0\0` |
//! | 4 + 4 | dimension and number of rows, little-endian |
//! | 32 each | the keys, ascending |
//! | 2 x dim each | the vectors, IEEE half precision, in the order of the keys |
//! | 32 | BLAKE3 of everything before |
//!
//! A segment whose checksum does not fit is set aside and reported, never trusted: its vectors are computed again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use half::f16;

use crate::{Hash, StoreError, write_atomic};

const MAGIC: &[u8; 8] = b"DJVEC1\0\0";
const HEADER: usize = 16;
/// More segments than this are merged into one when the store is opened.
const MERGE_ABOVE: usize = 64;

/// Vectors of one dimension, found by the hash of what they were computed from.
#[derive(Debug)]
pub struct VectorStore {
    dir: PathBuf,
    dim: usize,
    vectors: Mutex<BTreeMap<Hash, Box<[f16]>>>,
    set_aside: Vec<SetAside>,
}

/// A damaged segment that was moved out of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// What was wrong with it.
    pub reason: String,
}

impl VectorStore {
    /// Opens the store in this folder, making it if needed, and checks every segment.
    pub fn open(dir: &Path, dim: usize) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(|source| StoreError::write(dir, source))?;
        let mut store =
            Self { dir: dir.to_owned(), dim, vectors: Mutex::new(BTreeMap::new()), set_aside: Vec::new() };
        let segments = store.segments()?;
        for segment in &segments {
            store.load(segment)?;
        }
        if segments.len() > MERGE_ABOVE {
            store.merge(&segments)?;
        }
        Ok(store)
    }

    /// The dimension of every vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many vectors are known.
    pub fn len(&self) -> usize {
        self.known().len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this vector is known.
    pub fn contains(&self, key: &Hash) -> bool {
        self.known().contains_key(key)
    }

    /// The vector of this content: exactly what [`VectorStore::append`] was given, rounded to half precision.
    pub fn get(&self, key: &Hash) -> Option<Vec<f32>> {
        self.known().get(key).map(|vector| vector.iter().map(|value| value.to_f32()).collect())
    }

    /// Segments that were damaged when the store was opened.
    pub fn set_aside(&self) -> &[SetAside] {
        &self.set_aside
    }

    /// Keeps vectors, in one new segment on the disk. Keys that are already known are skipped.
    ///
    /// # Errors
    /// [`StoreError::Dimension`] for a vector of another length; disk errors leave the store as it was.
    pub fn append(&self, rows: &[(Hash, Vec<f32>)]) -> Result<(), StoreError> {
        let mut fresh = BTreeMap::new();
        for (key, vector) in rows {
            if vector.len() != self.dim {
                return Err(StoreError::Dimension { expected: self.dim, got: vector.len() });
            }
            if !self.contains(key) {
                fresh.insert(*key, vector.iter().map(|value| f16::from_f32(*value)).collect());
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        self.write_segment(&fresh)?;
        self.known().extend(fresh);
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<Hash, Box<[f16]>>> {
        self.vectors.lock().expect("no thread panics while it holds the map")
    }

    fn segments(&self) -> Result<Vec<PathBuf>, StoreError> {
        let failed = |source| StoreError::read(&self.dir, source);
        let mut segments = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "vec") {
                segments.push(path);
            }
        }
        segments.sort();
        Ok(segments)
    }

    fn load(&mut self, path: &Path) -> Result<(), StoreError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            // Another process merged it away between listing and reading; its vectors are in the merged segment.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(StoreError::read(path, error)),
        };
        match parse(&bytes, self.dim) {
            Ok(rows) => self.known().extend(rows),
            Err(reason) => {
                let aside = path.with_extension("damaged");
                fs::rename(path, &aside).map_err(|source| StoreError::write(path, source))?;
                tracing::warn!(path = %aside.display(), reason, "a damaged segment was set aside");
                self.set_aside.push(SetAside { path: aside, reason: reason.to_owned() });
            }
        }
        Ok(())
    }

    fn write_segment(&self, rows: &BTreeMap<Hash, Box<[f16]>>) -> Result<PathBuf, StoreError> {
        let mut bytes = Vec::with_capacity(HEADER + rows.len() * (32 + 2 * self.dim) + 32);
        bytes.extend(MAGIC);
        bytes.extend(u32::try_from(self.dim).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(u32::try_from(rows.len()).unwrap_or(u32::MAX).to_le_bytes());
        for key in rows.keys() {
            bytes.extend(key.as_bytes());
        }
        for vector in rows.values() {
            for value in vector {
                bytes.extend(value.to_le_bytes());
            }
        }
        let check = Hash::of(&bytes);
        bytes.extend(check.as_bytes());
        // Named by content: the same rows written twice are one file.
        let path = self.dir.join(format!("{check}.vec"));
        write_atomic(&path, |out| out.write_all(&bytes))?;
        Ok(path)
    }

    /// One segment instead of many. The old ones go only after the new one is safe.
    fn merge(&self, segments: &[PathBuf]) -> Result<(), StoreError> {
        let merged = self.write_segment(&self.known())?;
        for segment in segments.iter().filter(|segment| **segment != merged) {
            // Another process may have removed it first.
            let _ = fs::remove_file(segment);
        }
        Ok(())
    }
}

/// A key with its vector.
type Row = (Hash, Box<[f16]>);

/// Reads a segment, believing nothing that the checksum does not cover.
fn parse(bytes: &[u8], dim: usize) -> Result<Vec<Row>, &'static str> {
    let (body, check) = bytes.split_last_chunk::<32>().ok_or("it is too short")?;
    if Hash::of(body).as_bytes() != check {
        return Err("its checksum does not fit");
    }
    if body.len() < HEADER || &body[..8] != MAGIC {
        return Err("it is not a segment");
    }
    let number =
        |at: usize| u32::from_le_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]) as usize;
    let (own_dim, n_rows) = (number(8), number(12));
    if own_dim != dim {
        return Err("its vectors have another dimension");
    }
    let rows = &body[HEADER..];
    if rows.len() != n_rows * (32 + 2 * dim) {
        return Err("its length does not fit its header");
    }
    let (keys, values) = rows.split_at(32 * n_rows);
    let vectors = (0..n_rows).map(|row| {
        let values = &values[row * 2 * dim..(row + 1) * 2 * dim];
        values.as_chunks::<2>().0.iter().map(|pair| f16::from_le_bytes(*pair)).collect()
    });
    Ok(keys.as_chunks::<32>().0.iter().map(|key| Hash::from_bytes(*key)).zip(vectors).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> Hash {
        Hash::of(&number.to_le_bytes())
    }

    fn rows(range: std::ops::Range<u32>) -> Vec<(Hash, Vec<f32>)> {
        range.map(|number| (key(number), vec![number as f32, -0.5, 1.0e-3])).collect()
    }

    #[test]
    fn vectors_survive_reopening_bit_for_bit() {
        let dir = tempfile::tempdir().unwrap();
        let store = VectorStore::open(dir.path(), 3).unwrap();
        store.append(&rows(0..5)).unwrap();
        let reopened = VectorStore::open(dir.path(), 3).unwrap();
        assert_eq!(reopened.len(), 5);
        for number in 0..5 {
            assert_eq!(store.get(&key(number)), reopened.get(&key(number)));
        }
        assert_eq!(reopened.get(&key(9)), None);
    }

    #[test]
    fn a_flipped_byte_is_noticed_and_only_that_segment_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let store = VectorStore::open(dir.path(), 3).unwrap();
        store.append(&rows(0..3)).unwrap();
        store.append(&rows(3..6)).unwrap();
        let victim = &store.segments().unwrap()[0];
        let mut bytes = fs::read(victim).unwrap();
        bytes[70] ^= 1;
        fs::write(victim, bytes).unwrap();
        let reopened = VectorStore::open(dir.path(), 3).unwrap();
        assert_eq!((reopened.len(), reopened.set_aside().len()), (3, 1));
        assert_eq!(reopened.set_aside()[0].reason, "its checksum does not fit");
        reopened.append(&rows(0..6)).unwrap();
        assert_eq!(VectorStore::open(dir.path(), 3).unwrap().len(), 6);
    }

    #[test]
    fn every_truncation_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let store = VectorStore::open(dir.path(), 3).unwrap();
        store.append(&rows(0..2)).unwrap();
        let bytes = fs::read(&store.segments().unwrap()[0]).unwrap();
        for length in 0..bytes.len() {
            assert!(parse(&bytes[..length], 3).is_err(), "{length}");
        }
        assert_eq!(parse(&bytes, 3).unwrap().len(), 2);
        assert!(parse(&bytes, 4).is_err());
    }

    #[test]
    fn many_threads_append_at_once() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let dir = dir.path();
                scope.spawn(move || {
                    let store = VectorStore::open(dir, 3).unwrap();
                    for step in 0..12 {
                        store.append(&rows(thread * 20 + step..thread * 20 + step + 4)).unwrap();
                    }
                });
            }
        });
        let store = VectorStore::open(dir.path(), 3).unwrap();
        assert_eq!((store.len(), store.set_aside().len()), (8 * 15, 0));
        assert_eq!(store.segments().unwrap().len(), 1, "many segments are merged into one");
    }

    #[test]
    fn a_vector_of_another_length_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = VectorStore::open(dir.path(), 3).unwrap();
        let error = store.append(&[(key(0), vec![1.0])]);
        assert!(matches!(error, Err(StoreError::Dimension { expected: 3, got: 1 })));
    }
}
