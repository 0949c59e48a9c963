//! Plain NumPy arrays: version 1, little-endian.

use std::path::Path;

use anyhow::{Context, bail};
use linalg::Matrix;

/// What a file holds: floats, whole numbers or booleans, as numbers.
struct Array {
    shape: Vec<usize>,
    values: Vec<f64>,
    /// Whether the values lie column by column.
    by_column: bool,
}

fn read(path: &Path) -> anyhow::Result<Array> {
    let bytes = std::fs::read(path).with_context(|| format!("the data is missing: `{}`", path.display()))?;
    if bytes.len() < 10 || &bytes[..8] != b"\x93NUMPY\x01\0" {
        bail!("`{}` is not a NumPy array of version 1", path.display());
    }
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(bytes.get(10..end).context("the header is cut off")?)?;
    let after = |key: &str| header.split_once(key).map(|(_, rest)| rest).context("a key is missing");
    let kind: String = after("'descr': '")?.chars().take_while(|c| *c != '\'').collect();
    let by_column = after("'fortran_order': ")?.starts_with("True");
    let (shape, _) = after("'shape': (")?.split_once(')').context("the shape has no end")?;
    let shape: Vec<usize> = shape
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let data = &bytes[end..];
    let values: Vec<f64> = match kind.as_str() {
        "<f8" => data.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        "<f4" => data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect(),
        "<i8" => data.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes) as f64).collect(),
        "<i4" => data.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes).into()).collect(),
        "<u2" => data.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes).into()).collect(),
        "|b1" | "|i1" | "|u1" => data.iter().map(|byte| f64::from(*byte)).collect(),
        other => bail!("`{}` holds `{other}`", path.display()),
    };
    if values.len() != shape.iter().product::<usize>() {
        bail!("`{}` has {} values for the shape {shape:?}", path.display(), values.len());
    }
    Ok(Array { shape, values, by_column })
}

/// An array of one dimension, as class numbers or truth values.
pub(crate) fn labels(path: &Path) -> anyhow::Result<Vec<u32>> {
    Ok(read(path)?.values.into_iter().map(|value| value as u32).collect())
}

/// An array of two dimensions.
pub(crate) fn matrix(path: &Path) -> anyhow::Result<Matrix<f64>> {
    let Array { shape, values, by_column } = read(path)?;
    match shape[..] {
        [rows, cols] if by_column => Ok(Matrix::from_vec(cols, rows, values).transpose()),
        [rows, cols] => Ok(Matrix::from_vec(rows, cols, values)),
        _ => bail!("`{}` has the shape {shape:?}", path.display()),
    }
}

/// Writes rows of equal length.
pub(crate) fn write(path: &Path, rows: &[Vec<f32>]) -> anyhow::Result<()> {
    let shape = format!("({}, {})", rows.len(), rows.first().map_or(0, Vec::len));
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version and length take ten bytes, the end of the line one; all together a multiple of 64.
    let width = (header.len() + 11).next_multiple_of(64) - 11;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(((width + 1) as u16).to_le_bytes());
    bytes.extend(format!("{header:width$}\n").bytes());
    rows.iter().flatten().for_each(|value| bytes.extend(value.to_le_bytes()));
    Ok(std::fs::write(path, bytes)?)
}
