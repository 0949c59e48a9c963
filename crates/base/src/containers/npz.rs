//! Arrays that NumPy saved: `.npz`, a zip file whose entries are `.npy` files.
//!
//! What is in an entry, and what is refused, is said in [`super::npy`]; column-major arrays are refused as well.

use std::io::{Cursor, Read};

use super::npy::{Order, header};
use super::reader::Reader;
use super::{ContainerError, Fault, Limits};
use crate::weights::{Tensor, Weights};

const CONTAINER: &str = "npz file";
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
        if header.order == Order::Columns {
            return Err(Fault::malformed("the numbers are column-major"));
        }
        let count = header.shape.iter().try_fold(1_usize, |count, len| count.checked_mul(*len));
        let count = count.filter(|count| *count <= self.left);
        let count = count.ok_or(Fault::Limit { what: "numbers in all arrays", limit: self.limit as u64 })?;
        let bytes = reader.take_many(count, header.kind.width(), "the numbers")?;
        if !reader.is_empty() {
            return Err(Fault::malformed("bytes after the numbers"));
        }
        self.left -= count;
        Ok(Tensor::new(header.shape, header.kind.decode(bytes, |value| value as f32)))
    }
}

/// Names the array in faults that have room for it.
fn in_entry(fault: Fault, name: &str) -> Fault {
    match fault {
        Fault::Malformed { what } => Fault::malformed(format!("array `{name}`: {what}")),
        other => other,
    }
}
