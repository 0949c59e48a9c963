//! One array that NumPy saved: `.npy`.
//!
//! A magic, a version, a header in the form of a Python dictionary (`descr`, `fortran_order`, `shape`) and the numbers (NumPy
//! enhancement proposal 1). The header is read by a parser that knows only that form. Arrays of objects hold a pickle and are
//! refused, as are texts, structured and big-endian arrays.

use half::f16;

use super::reader::{Reader, utf8};
use super::{ContainerError, Fault, Limits};

const CONTAINER: &str = "npy file";
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// A header of three short values needs some hundred bytes; NumPy pads it to a multiple of 64.
const MAX_HEADER: usize = 1 << 16;

/// Axes that an array has at most.
const MAX_AXES: usize = 4;

/// Numbers in one to four dimensions, the last one running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Lengths of the axes, one to four.
    pub shape: Vec<usize>,
    /// As many as the product of the lengths.
    pub values: Vec<f64>,
}

/// Reads an array of one to four dimensions, in either order, of any kind of number.
///
/// # Errors
/// [`ContainerError`] says where the file stops being such an array; nothing larger than the file is allocated.
pub fn read(file: &[u8], limits: &Limits) -> Result<Array, ContainerError> {
    let mut reader = Reader::new(file);
    let array = array(&mut reader, limits);
    array.map_err(|fault| fault.at(CONTAINER, reader.position()))
}

fn array(reader: &mut Reader<'_>, limits: &Limits) -> Result<Array, Fault> {
    let Header { kind, order, shape } = header(reader)?;
    if shape.is_empty() || shape.len() > MAX_AXES {
        return Err(Fault::malformed(format!(
            "{} dimensions, where 1 to {MAX_AXES} are needed",
            shape.len()
        )));
    }
    let count = shape.iter().try_fold(1_usize, |count, length| count.checked_mul(*length));
    let count = count.filter(|count| *count <= limits.values);
    let count = count.ok_or(Fault::Limit { what: "numbers in an array", limit: limits.values as u64 })?;
    let bytes = reader.take_many(count, kind.width(), "the numbers")?;
    if !reader.is_empty() {
        return Err(Fault::malformed("bytes after the numbers"));
    }
    let values = kind.decode(bytes, |value| value);
    Ok(Array { values: if order == Order::Columns { by_rows(&values, &shape) } else { values }, shape })
}

/// Numbers whose first axis runs fastest, brought into the order in which the last one does.
fn by_rows(values: &[f64], shape: &[usize]) -> Vec<f64> {
    let place = |mut rest: usize| {
        let mut steps = [0; MAX_AXES];
        for (step, length) in steps.iter_mut().zip(shape).rev() {
            (*step, rest) = (rest % length, rest / length);
        }
        shape.iter().zip(steps).rev().fold(0, |place, (length, step)| place * length + step)
    };
    (0..values.len()).map(|target| values[place(target)]).collect()
}

/// What the numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    F32,
    F64,
}

impl Kind {
    fn read(descr: &str) -> Result<Self, Fault> {
        Ok(match descr {
            "|b1" => Self::Bool,
            "|u1" => Self::U8,
            "<u2" => Self::U16,
            "<u4" => Self::U32,
            "<u8" => Self::U64,
            "|i1" => Self::I8,
            "<i2" => Self::I16,
            "<i4" => Self::I32,
            "<i8" => Self::I64,
            "<f2" => Self::F16,
            "<f4" => Self::F32,
            "<f8" => Self::F64,
            "|O" => {
                return Err(Fault::Forbidden { name: "an array of objects, which is a pickle".to_owned() });
            }
            other if other.contains(['U', 'S']) => {
                return Err(Fault::malformed(format!("texts of type `{other}`, where numbers are needed")));
            }
            other => return Err(Fault::malformed(format!("numbers of type `{other}`"))),
        })
    }

    pub(super) fn width(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// The numbers, each given to `of`; whole ones beyond 2^53 are rounded.
    pub(super) fn decode<T>(self, bytes: &[u8], of: impl Fn(f64) -> T) -> Vec<T> {
        match self {
            Self::Bool | Self::U8 => bytes.iter().map(|byte| of(f64::from(*byte))).collect(),
            Self::I8 => bytes.iter().map(|byte| of(f64::from(byte.cast_signed()))).collect(),
            Self::U16 => numbers(bytes, |b| of(f64::from(u16::from_le_bytes(b)))),
            Self::I16 => numbers(bytes, |b| of(f64::from(i16::from_le_bytes(b)))),
            Self::F16 => numbers(bytes, |b| of(f64::from(f16::from_le_bytes(b).to_f32()))),
            Self::U32 => numbers(bytes, |b| of(f64::from(u32::from_le_bytes(b)))),
            Self::I32 => numbers(bytes, |b| of(f64::from(i32::from_le_bytes(b)))),
            Self::F32 => numbers(bytes, |b| of(f64::from(f32::from_le_bytes(b)))),
            Self::U64 => numbers(bytes, |b| of(u64::from_le_bytes(b) as f64)),
            Self::I64 => numbers(bytes, |b| of(i64::from_le_bytes(b) as f64)),
            Self::F64 => numbers(bytes, |b| of(f64::from_le_bytes(b))),
        }
    }
}

fn numbers<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}

/// Which of two neighbouring numbers of a table come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Those of a row.
    Rows,
    /// Those of a column.
    Columns,
}

#[derive(Debug)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) order: Order,
    pub(super) shape: Vec<usize>,
}

pub(super) fn header(reader: &mut Reader<'_>) -> Result<Header, Fault> {
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
                let columns = value.strip_prefix("True");
                order = Some(if columns.is_some() { Order::Columns } else { Order::Rows });
                columns.or_else(|| value.strip_prefix("False")).ok_or_else(wrong)?
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
        (Some(kind), Some(order), Some(shape)) => Ok(Header { kind, order, shape }),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, numbers: &[u8]) -> Vec<u8> {
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(numbers);
        file
    }

    fn array_of(descr: &str, order: &str, shape: &str, numbers: &[u8]) -> Result<Array, ContainerError> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
        read(&file(&header, numbers), &Limits::default())
    }

    #[test]
    fn both_orders_and_every_width_are_read() {
        let by_column = array_of("|u1", "True", "(2, 3)", &[1, 4, 2, 5, 3, 6]).unwrap();
        assert_eq!(by_column.values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(array_of("<i2", "False", "(2,)", &[1, 0, 255, 255]).unwrap().values, [1.0, -1.0]);
        let exact = array_of("<f8", "False", "(1, 1)", &0.1_f64.to_le_bytes()).unwrap();
        assert_eq!((exact.shape, exact.values), (vec![1, 1], vec![0.1]));
        let cube = array_of("|u1", "True", "(2, 1, 3)", &[0, 10, 1, 11, 2, 12]).unwrap();
        assert_eq!((cube.shape, cube.values), (vec![2, 1, 3], vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0]));
        assert_eq!(array_of("|b1", "True", "(0, 3)", &[]).unwrap().values, [0.0; 0]);
    }

    #[test]
    fn what_is_no_table_of_numbers_is_refused() {
        let told = |read: Result<Array, ContainerError>| read.unwrap_err().to_string();
        assert!(told(array_of("|O", "False", "(1,)", &[1])).contains("pickle"));
        assert!(told(array_of("<U3", "False", "(1,)", &[0; 12])).contains("texts"));
        assert!(told(array_of("|u1", "False", "(1, 1, 1, 1, 1)", &[1])).contains("5 dimensions"));
        assert!(told(array_of("|u1", "False", "()", &[1])).contains("0 dimensions"));
        assert!(told(array_of("|u1", "False", "(9,)", &[1])).contains("ends in the middle"));
        assert!(told(array_of("|u1", "False", "(1,)", &[1, 2])).contains("bytes after"));
        assert!(told(array_of("<f8", "False", "(4294967296, 4294967296)", &[])).contains("more than"));
        assert!(told(read(b"PK\x03\x04 hello", &Limits::default())).contains("NumPy"));
    }
}
