//! Arrays that NumPy saved: `.npz`, a zip file whose entries are `.npy` files.
//!
//! An entry is a magic, a version, a header in the form of a Python dictionary (`descr`, `fortran_order`, `shape`) and the numbers
//! (NumPy enhancement proposal 1). The header is read by a parser that knows only that form. Arrays of objects hold a pickle
//! and are refused, as are structured, big-endian and column-major arrays.

use std::io::{Cursor, Read};

use half::f16;

use super::reader::{Reader, utf8};
use super::{ContainerError, Fault, Limits};
use crate::weights::{Tensor, Weights};

const CONTAINER: &str = "npz file";
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// A header of three short values needs some hundred bytes; NumPy pads it to a multiple of 64.
const MAX_HEADER: usize = 1 << 16;
/// Deflate cannot make more than 1032 bytes out of one; an entry that claims more is forged.
const MAX_RATIO: u64 = 1100;
/// Room for an entry that is almost nothing but its header.
const SMALL_ENTRY: u64 = 1 << 16;

/// An opened file; arrays are unpacked one at a time, when they are asked for.
#[derive(Debug)]
pub struct Npz<'a> {
    archive: zip::ZipArchive<Cursor<&'a [u8]>>,
    /// Numbers that may still be read.
    left: usize,
    limit: usize,
}

/// Reads all arrays, as `f32`, under their names.
pub fn read(file: &[u8], limits: &Limits) -> Result<Weights, ContainerError> {
    let mut npz = Npz::open(file, limits)?;
    npz.names().into_iter().map(|name| Ok((name.clone(), npz.tensor(&name)?))).collect()
}

impl<'a> Npz<'a> {
    /// Reads the directory of the file.
    pub fn open(file: &'a [u8], limits: &Limits) -> Result<Self, ContainerError> {
        if !file.starts_with(b"PK") {
            return Err(Fault::Format { what: "an npz file" }.at(CONTAINER, 0));
        }
        let archive = zip::ZipArchive::new(Cursor::new(file))
            .map_err(|error| Fault::malformed(format!("not a sound zip file: {error}")).at(CONTAINER, 0))?;
        if archive.len() > limits.tensors {
            return Err(Fault::Limit { what: "arrays", limit: limits.tensors as u64 }.at(CONTAINER, 0));
        }
        Ok(Self { archive, left: limits.values, limit: limits.values })
    }

    /// The names of the arrays, sorted, without the `.npy` that the entries' names end in.
    pub fn names(&self) -> Vec<String> {
        let entries = self.archive.file_names().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|name| Some(name.strip_suffix(".npy")?.to_owned())).collect();
        names.sort_unstable();
        names
    }

    /// Unpacks one array and turns its numbers into `f32` (whole numbers beyond 2^24 are rounded).
    pub fn tensor(&mut self, name: &str) -> Result<Tensor, ContainerError> {
        let bytes = self.unpack(name).map_err(|fault| fault.at(CONTAINER, 0))?;
        let mut reader = Reader::new(&bytes);
        let tensor = self.array(&mut reader);
        tensor.map_err(|fault| in_entry(fault, name).at("entry of an npz file", reader.position()))
    }

    /// The bytes of an entry: as many as the directory says, which is no more than packed bytes can give.
    fn unpack(&mut self, name: &str) -> Result<Vec<u8>, Fault> {
        let unsound = |why: String| Fault::malformed(format!("array `{name}`: {why}"));
        let entry =
            self.archive.by_name(&format!("{name}.npy")).map_err(|error| unsound(error.to_string()))?;
        let (size, packed) = (entry.size(), entry.compressed_size());
        if size > packed.saturating_mul(MAX_RATIO).saturating_add(SMALL_ENTRY) {
            return Err(unsound(format!("{packed} bytes cannot hold the {size} that it claims")));
        }
        if size > (self.left as u64).saturating_mul(8).saturating_add(SMALL_ENTRY) {
            return Err(Fault::Limit { what: "numbers in all arrays", limit: self.limit as u64 });
        }
        let mut bytes = Vec::new();
        entry.take(size + 1).read_to_end(&mut bytes).map_err(|error| unsound(error.to_string()))?;
        if bytes.len() as u64 != size {
            return Err(unsound(format!("it has other than the {size} bytes that it claims")));
        }
        Ok(bytes)
    }

    fn array(&mut self, reader: &mut Reader<'_>) -> Result<Tensor, Fault> {
        let header = header(reader)?;
        let count = header.shape.iter().try_fold(1_usize, |count, len| count.checked_mul(*len));
        let count = count.filter(|count| *count <= self.left);
        let count = count.ok_or(Fault::Limit { what: "numbers in all arrays", limit: self.limit as u64 })?;
        let bytes = reader.take_many(count, header.kind.width(), "the numbers")?;
        if !reader.is_empty() {
            return Err(Fault::malformed("bytes after the numbers"));
        }
        self.left -= count;
        Ok(Tensor::new(header.shape, header.kind.decode(bytes)))
    }
}

/// Names the array in faults that have room for it.
fn in_entry(fault: Fault, name: &str) -> Fault {
    match fault {
        Fault::Malformed { what } => Fault::malformed(format!("array `{name}`: {what}")),
        other => other,
    }
}

/// What the numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    I32,
    I64,
    F16,
    F32,
    F64,
}

impl Kind {
    fn read(descr: &str) -> Result<Self, Fault> {
        Ok(match descr {
            "|u1" => Self::U8,
            "|i1" => Self::I8,
            "<i4" => Self::I32,
            "<i8" => Self::I64,
            "<f2" => Self::F16,
            "<f4" => Self::F32,
            "<f8" => Self::F64,
            "|O" => {
                return Err(Fault::Forbidden { name: "an array of objects, which is a pickle".to_owned() });
            }
            other => return Err(Fault::malformed(format!("numbers of type `{other}`"))),
        })
    }

    fn width(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::F16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::U8 => bytes.iter().map(|byte| f32::from(*byte)).collect(),
            Self::I8 => bytes.iter().map(|byte| f32::from(byte.cast_signed())).collect(),
            Self::I32 => numbers(bytes, |b| i32::from_le_bytes(b) as f32),
            Self::I64 => numbers(bytes, |b| i64::from_le_bytes(b) as f32),
            Self::F16 => numbers(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Self::F32 => numbers(bytes, f32::from_le_bytes),
            Self::F64 => numbers(bytes, |b| f64::from_le_bytes(b) as f32),
        }
    }
}

fn numbers<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}

#[derive(Debug)]
struct Header {
    kind: Kind,
    shape: Vec<usize>,
}

fn header(reader: &mut Reader<'_>) -> Result<Header, Fault> {
    const WHAT: &str = "the header of an array";
    if reader.take(MAGIC.len(), WHAT)? != MAGIC {
        return Err(Fault::malformed("it is not in NumPy's format"));
    }
    let (major, _minor) = (reader.u8(WHAT)?, reader.u8(WHAT)?);
    let len = match major {
        1 => usize::from(reader.u16(WHAT)?),
        2 => reader.u32(WHAT)? as usize,
        _ => return Err(Fault::malformed(format!("version {major} of the format, known are 1 and 2"))),
    };
    if len > MAX_HEADER {
        return Err(Fault::Limit { what: "bytes in the header of an array", limit: MAX_HEADER as u64 });
    }
    dictionary(utf8(reader.take(len, WHAT)?)?)
}

/// Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`; keys may come in any order, each once.
fn dictionary(text: &str) -> Result<Header, Fault> {
    let wrong = || Fault::malformed(format!("the header is `{}`", text.chars().take(80).collect::<String>()));
    let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or_else(wrong)?;
    let (mut kind, mut order, mut shape) = (None, None, None);
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let (key, after) = quoted(rest).ok_or_else(wrong)?;
        let value = after.trim_start().strip_prefix(':').ok_or_else(wrong)?.trim_start();
        rest = match key {
            "descr" if kind.is_none() => {
                let (descr, after) = quoted(value).ok_or_else(wrong)?;
                kind = Some(Kind::read(descr)?);
                after
            }
            "fortran_order" if order.is_none() => {
                if value.starts_with("True") {
                    return Err(Fault::malformed("the numbers are column-major"));
                }
                order = Some(());
                value.strip_prefix("False").ok_or_else(wrong)?
            }
            "shape" if shape.is_none() => {
                let (axes, after) =
                    value.strip_prefix('(').and_then(|text| text.split_once(')')).ok_or_else(wrong)?;
                shape = Some(lengths(axes).ok_or_else(wrong)?);
                after
            }
            _ => return Err(wrong()),
        };
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => {}
            None => return Err(wrong()),
        }
    }
    match (kind, order, shape) {
        (Some(kind), Some(()), Some(shape)) => Ok(Header { kind, shape }),
        _ => Err(wrong()),
    }
}

/// The text between quotes that `text` starts with, and what follows; there are no escapes in what NumPy writes.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// `2, 3` or `2,` or nothing.
fn lengths(axes: &str) -> Option<Vec<usize>> {
    let axes = axes.trim();
    let axes = axes.strip_suffix(',').unwrap_or(axes);
    if axes.is_empty() {
        return Some(Vec::new());
    }
    axes.split(',').map(|axis| axis.trim().parse().ok()).collect()
}
