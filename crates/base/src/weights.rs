//! Named tensors.
//!
//! [`Weights`] is what every container gives and every network takes. On disk they are safetensors of `f32`, sorted by
//! name, so the same weights are always the same bytes. A file is memory-mapped: of a big embedding table only the rows
//! that are looked up are ever read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensorError, SafeTensors, View};

use crate::graph::WeightShapes;

/// The tensors of one network by name, in name order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    tensors: BTreeMap<String, Tensor>,
}

/// One tensor: row-major values and the length of each axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Length of each axis, outermost first; empty for a single number.
    pub shape: Vec<usize>,
    /// The values, as many as the product of `shape`.
    pub data: Values,
}

/// Values of a tensor: owned, or a window of a memory-mapped file. Reads as `&[f32]`.
#[derive(Clone)]
pub struct Values(Storage);

#[derive(Clone)]
enum Storage {
    Owned(Vec<f32>),
    /// `start` is a byte offset, a multiple of four; `len` counts values.
    Mapped {
        map: Arc<Mmap>,
        start: usize,
        len: usize,
    },
}

/// Why weights could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum WeightsError {
    /// The file could not be opened or mapped.
    #[error("cannot read weights from `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file is not sound safetensors.
    #[error("`{}` is not a sound safetensors file", path.display())]
    Container {
        path: PathBuf,
        #[source]
        source: SafeTensorError,
    },
    /// The file could not be written.
    #[error("cannot write weights to `{}`", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: SafeTensorError,
    },
}

impl WeightsError {
    /// The same, said of another file: that of which the one at hand is a copy.
    pub(crate) fn of(self, path: PathBuf) -> Self {
        match self {
            Self::Read { source, .. } => Self::Read { path, source },
            Self::Container { source, .. } => Self::Container { path, source },
            Self::Write { source, .. } => Self::Write { path, source },
        }
    }
}

impl Weights {
    /// Starts with no tensor.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the tensor of that name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// Adds a tensor; one of the same name that was there before is returned.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) -> Option<Tensor> {
        self.tensors.insert(name.into(), tensor)
    }

    /// Takes a tensor out.
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        self.tensors.remove(name)
    }

    /// The tensors in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// True when there is no tensor.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// How many numbers all tensors hold together.
    pub fn n_values(&self) -> usize {
        self.tensors.values().map(|tensor| tensor.data.len()).sum()
    }

    /// Maps a safetensors file. Half-precision and double tensors become `f32`; tensors of integers or booleans
    /// (position ids, batch counters) are left out, no network here uses them.
    pub fn load(path: &Path) -> Result<Self, WeightsError> {
        let read = |source| WeightsError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        // SAFETY: files in the cache are published by rename and never changed in place, which is what a map needs.
        let map = Arc::new(unsafe { Mmap::map(&file) }.map_err(read)?);
        Self::read(&map, |bytes| mapped(&map, bytes))
            .map_err(|source| WeightsError::Container { path: path.to_owned(), source })
    }

    /// Reads safetensors from memory, as [`Weights::load`] does from a file.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, SafeTensorError> {
        Self::read(bytes, |values| decode(values, 4, |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
    }

    fn read(file: &[u8], f32_values: impl Fn(&[u8]) -> Values) -> Result<Self, SafeTensorError> {
        let mut weights = Self::new();
        for (name, view) in SafeTensors::deserialize(file)?.iter() {
            let bytes = view.data();
            let data = match view.dtype() {
                Dtype::F32 => f32_values(bytes),
                Dtype::F16 => decode(bytes, 2, |b| f16::from_le_bytes([b[0], b[1]]).to_f32()),
                Dtype::BF16 => decode(bytes, 2, |b| bf16::from_le_bytes([b[0], b[1]]).to_f32()),
                Dtype::F64 => {
                    decode(bytes, 8, |b| f64::from_le_bytes(b.try_into().expect("chunks of eight")) as f32)
                }
                _ => continue,
            };
            weights.insert(name, Tensor { shape: view.shape().to_vec(), data });
        }
        Ok(weights)
    }

    /// Writes canonical safetensors: `f32`, sorted by name, no metadata. Not atomic: write into a staged folder.
    pub fn save(&self, path: &Path) -> Result<(), WeightsError> {
        safetensors::serialize_to_file(self.iter(), None, path)
            .map_err(|source| WeightsError::Write { path: path.to_owned(), source })
    }

    /// The bytes that [`Weights::save`] writes.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, SafeTensorError> {
        safetensors::serialize(self.iter(), None)
    }
}

impl WeightShapes for Weights {
    fn shape_of(&self, name: &str) -> Option<&[usize]> {
        self.get(name).map(|tensor| tensor.shape.as_slice())
    }
}

impl FromIterator<(String, Tensor)> for Weights {
    fn from_iter<I: IntoIterator<Item = (String, Tensor)>>(tensors: I) -> Self {
        Self { tensors: tensors.into_iter().collect() }
    }
}

impl Tensor {
    /// Makes a tensor that owns its values.
    ///
    /// # Panics
    /// When `data` has another length than `shape` says: that is a mistake in the caller.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "shape {shape:?} and values disagree");
        Self { shape, data: data.into() }
    }
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Self {
        Self(Storage::Owned(values))
    }
}

impl Deref for Values {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.0 {
            Storage::Owned(values) => values,
            Storage::Mapped { map, start, len } => {
                let bytes = &map[*start..*start + 4 * len];
                // SAFETY: every bit pattern is a valid `f32`; `align_to` leaves out what is not aligned, and `mapped`
                // made sure that there is none.
                let (before, values, after) = unsafe { bytes.align_to::<f32>() };
                debug_assert!(before.is_empty() && after.is_empty());
                values
            }
        }
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self[..self.len().min(4)];
        write!(out, "{} values, first {shown:?}", self.len())
    }
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        if cfg!(target_endian = "big") {
            return Cow::Owned(self.data.iter().flat_map(|value| value.to_le_bytes()).collect());
        }
        let values: &[f32] = &self.data;
        // SAFETY: any `f32` is four initialised bytes, and a byte needs no alignment.
        Cow::Borrowed(unsafe { values.align_to::<u8>() }.1)
    }

    fn data_len(&self) -> usize {
        4 * self.data.len()
    }
}

/// A window into the map where the machine can read it as it is; a decoded copy otherwise.
fn mapped(map: &Arc<Mmap>, bytes: &[u8]) -> Values {
    if cfg!(target_endian = "big") || bytes.as_ptr().align_offset(align_of::<f32>()) != 0 {
        return decode(bytes, 4, |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    }
    let start = bytes.as_ptr() as usize - map.as_ptr() as usize;
    Values(Storage::Mapped { map: Arc::clone(map), start, len: bytes.len() / 4 })
}

fn decode(bytes: &[u8], width: usize, value: impl Fn(&[u8]) -> f32) -> Values {
    bytes.chunks_exact(width).map(value).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Weights {
        let mut weights = Weights::new();
        weights.insert("b.weight", Tensor::new(vec![2, 2], vec![1.0, -2.5, 3.0, f32::MIN_POSITIVE]));
        weights.insert("a.bias", Tensor::new(vec![], vec![7.0]));
        weights
    }

    #[test]
    fn saved_weights_come_back_whole_and_mapped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        two().save(&path).unwrap();
        let loaded = Weights::load(&path).unwrap();
        assert_eq!(loaded, two());
        assert_eq!(std::fs::read(&path).unwrap(), two().to_safetensors().unwrap());
        assert!(matches!(loaded.get("b.weight").unwrap().data.0, Storage::Mapped { .. }));
        assert_eq!(Weights::from_safetensors(&std::fs::read(&path).unwrap()).unwrap(), two());
    }

    #[test]
    fn the_order_of_insertion_does_not_reach_the_bytes() {
        let reversed: Weights = two().tensors.into_iter().rev().collect::<Vec<_>>().into_iter().collect();
        assert_eq!(reversed.to_safetensors().unwrap(), two().to_safetensors().unwrap());
    }

    #[test]
    fn half_and_double_widen_and_integers_are_left_out() {
        let header = br#"{"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"h":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},"i":{"dtype":"I64","shape":[1],"data_offsets":[12,20]}}"#;
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(header);
        file.extend_from_slice(&0.5_f64.to_le_bytes());
        file.extend(f16::from_f32(1.5).to_le_bytes());
        file.extend(f16::from_f32(-2.0).to_le_bytes());
        file.extend_from_slice(&9_i64.to_le_bytes());
        let weights = Weights::from_safetensors(&file).unwrap();
        assert_eq!(weights.names().collect::<Vec<_>>(), ["d", "h"]);
        assert_eq!(*weights.get("h").unwrap().data, [1.5, -2.0]);
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let whole = two().to_safetensors().unwrap();
        for end in 0..whole.len() {
            assert!(Weights::from_safetensors(&whole[..end]).is_err(), "cut at {end}");
        }
    }
}
