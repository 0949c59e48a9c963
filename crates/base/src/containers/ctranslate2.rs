//! The binary container of CTranslate2, version 6: variables with names, of which whole or half-precision numbers are read.
//!
//! Layout, little-endian: version (u32), name of the network (text), revision (u32), number of variables (u32); of each variable its
//! name (text), rank (u8), the length of each axis (u32), the type (u8), bytes (u32), values; then aliases, which nothing here needs.
//! A text is its length with a closing zero (u16) and its bytes.

use half::f16;

use super::reader::{Reader, utf8};
use super::{ContainerError, Fault, Limits};
use crate::weights::{Tensor, Weights};

const CONTAINER: &str = "CTranslate2";
/// The only version that is read.
const VERSION: u32 = 6;
/// Axes of a variable.
const MAX_RANK: u8 = 8;

/// What the numbers of a variable are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Single,
    Half,
    /// Settings and quantised weights: passed over, no network here uses them.
    Other {
        width: usize,
    },
}

impl Type {
    fn read(code: u8) -> Result<Self, Fault> {
        Ok(match code {
            0 => Self::Single,
            4 => Self::Half,
            1 => Self::Other { width: 1 },
            2 | 5 => Self::Other { width: 2 },
            3 => Self::Other { width: 4 },
            other => return Err(Fault::malformed(format!("numbers of the unknown type {other}"))),
        })
    }

    fn width(self) -> usize {
        match self {
            Self::Single => 4,
            Self::Half => 2,
            Self::Other { width } => width,
        }
    }
}

/// Reads the variables whose names begin with `prefix`; the prefix is taken off.
pub fn read(file: &[u8], prefix: &str, limits: &Limits) -> Result<Weights, ContainerError> {
    let mut reader = Reader::new(file);
    variables(&mut reader, prefix, limits).map_err(|fault| fault.at(CONTAINER, reader.position()))
}

fn variables(reader: &mut Reader<'_>, prefix: &str, limits: &Limits) -> Result<Weights, Fault> {
    if reader.u32("the version")? != VERSION {
        return Err(Fault::Format { what: "a CTranslate2 file of version 6" });
    }
    text(reader, "the network's name")?;
    reader.u32("the revision")?;
    let count = reader.u32("the number of variables")? as usize;
    if count > limits.tensors {
        return Err(Fault::Limit { what: "variables", limit: limits.tensors as u64 });
    }
    let mut weights = Weights::new();
    let mut total = 0;
    for _ in 0..count {
        let name = text(reader, "a variable's name")?;
        let (shape, kind) = shape(reader)?;
        let len = shape
            .iter()
            .try_fold(1_usize, |len, axis| len.checked_mul(*axis))
            .filter(|len| *len <= limits.values)
            .ok_or(Fault::Limit { what: "numbers in a variable", limit: limits.values as u64 })?;
        let bytes = reader.u32("a variable's length")? as usize;
        if bytes != len * kind.width() {
            return Err(Fault::malformed(format!("variable `{name}` is {shape:?} in {bytes} bytes")));
        }
        let values = reader.take(bytes, "a variable")?;
        let Some(short) = name.strip_prefix(prefix) else { continue };
        let data: Vec<f32> = match kind {
            Type::Single => chunks(values).map(f32::from_le_bytes).collect(),
            Type::Half => chunks(values).map(|half| f16::from_le_bytes(half).to_f32()).collect(),
            Type::Other { .. } => continue,
        };
        total += data.len();
        if total > limits.values {
            return Err(Fault::Limit { what: "numbers", limit: limits.values as u64 });
        }
        weights.insert(short, Tensor::new(shape, data));
    }
    Ok(weights)
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.chunks_exact(N).map(|chunk| chunk.try_into().expect("chunks have the length asked for"))
}

fn shape(reader: &mut Reader<'_>) -> Result<(Vec<usize>, Type), Fault> {
    let rank = reader.u8("a variable's rank")?;
    if rank > MAX_RANK {
        return Err(Fault::Limit { what: "axes", limit: u64::from(MAX_RANK) });
    }
    let axes =
        (0..rank).map(|_| Ok(reader.u32("a variable's shape")? as usize)).collect::<Result<_, Fault>>()?;
    Ok((axes, Type::read(reader.u8("a variable's type")?)?))
}

fn text<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<&'a str, Fault> {
    let len = usize::from(reader.u16(what)?);
    let bytes = reader.take(len, what)?;
    utf8(bytes.strip_suffix(&[0]).unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(out: &mut Vec<u8>, text: &str) {
        out.extend((text.len() as u16 + 1).to_le_bytes());
        out.extend(text.as_bytes());
        out.push(0);
    }

    fn variable(out: &mut Vec<u8>, name: &str, shape: &[u32], kind: u8, bytes: &[u8]) {
        text(out, name);
        out.push(shape.len() as u8);
        shape.iter().for_each(|axis| out.extend(axis.to_le_bytes()));
        out.push(kind);
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(bytes);
    }

    fn file() -> Vec<u8> {
        let mut out = 6_u32.to_le_bytes().to_vec();
        text(&mut out, "WhisperSpec");
        out.extend(3_u32.to_le_bytes());
        out.extend(4_u32.to_le_bytes());
        let halves: Vec<u8> = [1.0, -2.5].iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect();
        variable(&mut out, "encoder/a", &[2], 4, &halves);
        variable(&mut out, "encoder/b", &[1, 1], 0, &0.25_f32.to_le_bytes());
        variable(&mut out, "encoder/num_heads", &[], 2, &8_i16.to_le_bytes());
        variable(&mut out, "decoder/a", &[1], 0, &1.0_f32.to_le_bytes());
        out.extend(0_u32.to_le_bytes());
        out
    }

    #[test]
    fn the_variables_of_one_part_are_read() {
        let weights = read(&file(), "encoder/", &Limits::default()).unwrap();
        assert_eq!(weights.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(&*weights.get("a").unwrap().data, &[1.0, -2.5]);
        assert_eq!(weights.get("b").unwrap().shape, [1, 1]);
    }

    #[test]
    fn no_cut_and_no_changed_byte_is_a_panic() {
        let whole = file();
        // The aliases at the end are not read.
        for end in 0..whole.len() - 4 {
            assert!(read(&whole[..end], "encoder/", &Limits::default()).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            let _ = read(&changed, "encoder/", &Limits { values: 1 << 16, ..Limits::default() });
        }
    }

    #[test]
    fn what_claims_too_much_is_refused() {
        let few = Limits { tensors: 3, ..Limits::default() };
        assert_eq!(read(&file(), "", &few).unwrap_err().fault, Fault::Limit { what: "variables", limit: 3 });
    }
}
