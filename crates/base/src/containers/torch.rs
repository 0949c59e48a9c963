//! Weights saved by PyTorch: the zip format of today and the older stream of pickles.
//!
//! Both hold a pickle of the state dictionary, in which each tensor points into a *storage*, a run of numbers outside the
//! pickle. See `torch/serialization.py` (PyTorch 2.4): `_load` for zip files, `_legacy_load` for the older ones.

use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map::Entry};
use std::io::{Cursor, Read};

use half::{bf16, f16};

use super::pickle::{self, Global, Node, NodeId, Pickle, StorageType};
use super::reader::Reader;
use super::{ContainerError, Fault, Limits};
use crate::weights::{Tensor, Weights};

/// First object of an old file.
const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
/// Second object of an old file.
const PROTOCOL: i128 = 1001;

/// The numbers behind tensors, by key.
type Storages<'a> = BTreeMap<String, Cow<'a, [u8]>>;

/// Reads a file that `torch.save` wrote, of either format.
///
/// Tensors of floating-point numbers become `f32`; others (batch counters) are left out. A state dictionary inside a
/// checkpoint, under `state_dict` or `model`, is found too.
pub fn read(file: &[u8], limits: &Limits) -> Result<Weights, ContainerError> {
    if file.starts_with(b"PK\x03\x04") { read_zip(file, limits) } else { read_legacy(file, limits) }
}

fn read_legacy(file: &[u8], limits: &Limits) -> Result<Weights, ContainerError> {
    let mut reader = Reader::new(file);
    let weights = legacy(&mut reader, limits);
    weights.map_err(|fault| fault.at("torch file", reader.position()))
}

fn legacy(reader: &mut Reader<'_>, limits: &Limits) -> Result<Weights, Fault> {
    for expected in [MAGIC, PROTOCOL] {
        let header = pickle::parse(reader, limits)?;
        if *header.top() != Node::Int(expected) {
            return Err(Fault::Format { what: "a file that torch saved" });
        }
    }
    let system = pickle::parse(reader, limits)?;
    if system.entry(system.top(), "little_endian") != Some(&Node::Bool(true)) {
        return Err(Fault::malformed("written on a big-endian machine"));
    }
    let state = pickle::parse(reader, limits)?;
    let keys = pickle::parse(reader, limits)?;
    let storages = legacy_storages(reader, &state, &keys)?;
    weights(&state, &storages, limits)
}

/// The storages follow the pickles in the order of the list of keys, each as a count and that many numbers. How wide
/// the numbers are is said only where a tensor refers to them.
fn legacy_storages<'a>(
    reader: &mut Reader<'a>,
    state: &Pickle,
    keys: &Pickle,
) -> Result<Storages<'a>, Fault> {
    let mut types = BTreeMap::new();
    for (_, tensor) in tensors(state)? {
        let storage = storage_of(state, tensor)?;
        types.insert(storage.key, storage.kind);
    }
    let Node::List(list) = keys.top() else {
        return Err(Fault::malformed("the keys of the storages should be a list"));
    };
    let mut storages = Storages::new();
    for &id in list {
        let key = keys.text(id, "the key of a storage")?;
        let kind: &StorageType =
            types.get(key).ok_or_else(|| Fault::malformed(format!("no tensor uses storage `{key}`")))?;
        let count =
            usize::try_from(reader.u64("a storage")?).map_err(|_| Fault::Truncated { what: "a storage" })?;
        let bytes = reader.take_many(count, kind.width(), "a storage")?;
        storages.insert(key.to_owned(), Cow::Borrowed(bytes));
    }
    Ok(storages)
}

fn read_zip(file: &[u8], limits: &Limits) -> Result<Weights, ContainerError> {
    let at_start = |fault: Fault| fault.at("torch zip file", 0);
    let mut archive = zip::ZipArchive::new(Cursor::new(file))
        .map_err(|error| at_start(Fault::malformed(format!("not a sound zip file: {error}"))))?;
    let names: Vec<String> = archive.file_names().flatten().map(|name| name.into_owned()).collect();
    let pickle_name = names
        .iter()
        .find(|name| name.ends_with("/data.pkl"))
        .ok_or_else(|| at_start(Fault::Format { what: "a file that torch saved" }))?;
    let root = pickle_name.trim_end_matches("data.pkl").to_owned();
    let mut left = limits.values.saturating_mul(4);
    let mut entry = |name: &str| zip_entry(&mut archive, name, &mut left).map_err(at_start);

    if names.contains(&format!("{root}byteorder")) && entry(&format!("{root}byteorder"))? != b"little" {
        return Err(at_start(Fault::malformed("written on a big-endian machine")));
    }
    let bytes = entry(pickle_name)?;
    let mut reader = Reader::new(&bytes);
    let parsed = pickle::parse(&mut reader, limits);
    let state = parsed.map_err(|fault| fault.at("data.pkl of a torch zip file", reader.position()))?;
    let mut storages = Storages::new();
    for (_, tensor) in tensors(&state).map_err(at_start)? {
        let key = storage_of(&state, tensor).map_err(at_start)?.key;
        if let Entry::Vacant(vacant) = storages.entry(key) {
            let bytes = entry(&format!("{root}data/{}", vacant.key()))?;
            vacant.insert(Cow::Owned(bytes));
        }
    }
    weights(&state, &storages, limits).map_err(at_start)
}

/// Unpacks one entry; all entries together may not be larger than `left`.
fn zip_entry(
    archive: &mut zip::ZipArchive<Cursor<&[u8]>>,
    name: &str,
    left: &mut usize,
) -> Result<Vec<u8>, Fault> {
    let entry = archive.by_name(name).map_err(|_| Fault::malformed(format!("no sound entry `{name}`")))?;
    let mut bytes = Vec::new();
    entry
        .take(*left as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Fault::malformed(format!("entry `{name}` cannot be unpacked: {error}")))?;
    *left =
        left.checked_sub(bytes.len()).ok_or(Fault::Limit { what: "unpacked bytes", limit: *left as u64 })?;
    Ok(bytes)
}

/// The named tensors of the state dictionary, each with the node of its arguments.
fn tensors(state: &Pickle) -> Result<Vec<(&str, NodeId)>, Fault> {
    let top = state.top();
    let inner = ["state_dict", "model"].into_iter().find_map(|key| state.entry(top, key));
    let Node::Dict(entries) = inner.filter(|node| matches!(node, Node::Dict(_))).unwrap_or(top) else {
        return Err(Fault::malformed("the file holds no dictionary of tensors"));
    };
    let named = entries.iter().filter_map(|(key, value)| match (state.get(*key), state.get(*value)) {
        (Node::Text(name), Node::Tensor { args }) => Some((name.as_str(), *args)),
        _ => None,
    });
    Ok(named.collect())
}

/// Where a tensor's numbers lie.
struct StorageRef {
    key: String,
    kind: StorageType,
}

fn storage_of(state: &Pickle, tensor: NodeId) -> Result<StorageRef, Fault> {
    let wrong = || Fault::malformed("a tensor without a storage");
    let args = state.items(tensor, "the arguments of a tensor")?;
    let Node::Persistent { id } = state.get(*args.first().ok_or_else(wrong)?) else { return Err(wrong()) };
    let parts = state.items(*id, "a storage")?;
    let [tag, kind, key, _device, _count, view @ ..] = parts else { return Err(wrong()) };
    if state.text(*tag, "the tag of a storage")? != "storage" {
        return Err(wrong());
    }
    if view.iter().any(|&view| *state.get(view) != Node::None) {
        return Err(Fault::malformed(
            "a storage that is a view of another one: save the file again with a newer torch",
        ));
    }
    let Node::Global(Global::Storage(kind)) = state.get(*kind) else { return Err(wrong()) };
    Ok(StorageRef { key: state.text(*key, "the key of a storage")?.to_owned(), kind: *kind })
}

fn weights(state: &Pickle, storages: &Storages<'_>, limits: &Limits) -> Result<Weights, Fault> {
    let tensors = tensors(state)?;
    if tensors.len() > limits.tensors {
        return Err(Fault::Limit { what: "tensors", limit: limits.tensors as u64 });
    }
    let mut weights = Weights::new();
    let mut left = limits.values;
    for (name, args) in tensors {
        let tensor = tensor(state, args, storages, &mut left).map_err(|fault| match fault {
            Fault::Malformed { what } => Fault::malformed(format!("tensor `{name}`: {what}")),
            other => other,
        })?;
        if let Some(tensor) = tensor {
            weights.insert(name, tensor);
        }
    }
    Ok(weights)
}

/// Reads `(storage, offset, size, stride, ..)`; a tensor of whole numbers is `None`.
fn tensor(
    state: &Pickle,
    args: NodeId,
    storages: &Storages<'_>,
    left: &mut usize,
) -> Result<Option<Tensor>, Fault> {
    let storage = storage_of(state, args)?;
    let [_, offset, size, stride, ..] = state.items(args, "the arguments of a tensor")? else {
        return Err(Fault::malformed("too few arguments"));
    };
    if matches!(storage.kind, StorageType::Whole(_)) {
        return Ok(None);
    }
    let offset = state.size(*offset, "the offset")?;
    let shape = sizes(state, *size, "the shape")?;
    let strides = sizes(state, *stride, "the strides")?;
    let bytes = storages.get(&storage.key).ok_or_else(|| Fault::malformed("its storage is missing"))?;
    let window = Window { bytes, kind: storage.kind, offset, shape: &shape, strides: &strides };
    let data = window.read(left)?;
    Ok(Some(Tensor::new(shape, data)))
}

fn sizes(state: &Pickle, id: NodeId, what: &'static str) -> Result<Vec<usize>, Fault> {
    state.items(id, what)?.iter().map(|&item| state.size(item, what)).collect()
}

/// A strided view of a storage.
struct Window<'a> {
    bytes: &'a [u8],
    kind: StorageType,
    offset: usize,
    shape: &'a [usize],
    strides: &'a [usize],
}

impl Window<'_> {
    /// Copies the values in row-major order. A view may not be larger than its storage: weights are never broadcast,
    /// and a few bytes must not become gigabytes.
    fn read(&self, left: &mut usize) -> Result<Vec<f32>, Fault> {
        let outside = || Fault::malformed("it reaches outside its storage");
        if self.shape.len() != self.strides.len() {
            return Err(Fault::malformed("shape and strides differ in length"));
        }
        let held = self.bytes.len() / self.kind.width();
        let count =
            self.shape.iter().try_fold(1_usize, |all, &len| all.checked_mul(len)).ok_or_else(outside)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let axes = || self.shape.iter().zip(self.strides);
        let last = axes()
            .try_fold(self.offset, |at, (&len, &stride)| at.checked_add((len - 1).checked_mul(stride)?))
            .ok_or_else(outside)?;
        if last >= held || count > held {
            return Err(outside());
        }
        *left = left
            .checked_sub(count)
            .ok_or(Fault::Limit { what: "numbers left to read", limit: *left as u64 })?;
        let mut values = Vec::with_capacity(count);
        self.gather(0, self.offset, &mut values);
        Ok(values)
    }

    /// Copies the values of one index of all axes before `axis`. Recurses once an axis; a shape of more axes than a
    /// pickle of this size can hold does not get here, because each needs a length above one to count.
    fn gather(&self, axis: usize, at: usize, values: &mut Vec<f32>) {
        let Some(next) = (axis..self.shape.len()).find(|&axis| self.shape[axis] != 1) else {
            values.push(self.value(at));
            return;
        };
        for index in 0..self.shape[next] {
            self.gather(next + 1, at + index * self.strides[next], values);
        }
    }

    fn value(&self, at: usize) -> f32 {
        let width = self.kind.width();
        let bytes = &self.bytes[at * width..(at + 1) * width];
        let two = || [bytes[0], bytes[1]];
        match self.kind {
            StorageType::F32 => f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            StorageType::F64 => f64::from_le_bytes(bytes.try_into().expect("eight bytes wide")) as f32,
            StorageType::F16 => f16::from_le_bytes(two()).to_f32(),
            StorageType::Bf16 => bf16::from_le_bytes(two()).to_f32(),
            StorageType::Whole(_) => unreachable!("tensors of whole numbers are left out"),
        }
    }
}
