//! Reading arrays, and checking that they are what they are taken for.

use std::path::Path;

use base::containers::Limits;
use base::containers::npy::{self, Array};
use linalg::Matrix;

use super::ArrayError;

/// Largest file that is read, in bytes.
pub(super) const MAX_BYTES: u64 = 8 << 30;

/// The bytes of a file that is not too large.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, ArrayError> {
    let open = |source| ArrayError::Open { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(open)?.len() > MAX_BYTES {
        return Err(ArrayError::TooLarge { path: path.to_owned(), limit: MAX_BYTES });
    }
    std::fs::read(path).map_err(open)
}

pub(super) fn array(path: &Path) -> Result<Array, ArrayError> {
    let array = npy::read(&bytes(path)?, &Limits::default())
        .map_err(|source| ArrayError::Malformed { path: path.to_owned(), source })?;
    // The other axes of an array without rows may have any length.
    if array.values.is_empty() {
        return Err(ArrayError::Empty { path: path.to_owned() });
    }
    check_size(path, &array, f64::MAX)?;
    Ok(array)
}

/// Refuses what is not finite, or larger than `limit`.
pub(super) fn check_size(path: &Path, array: &Array, limit: f64) -> Result<(), ArrayError> {
    match array.values.iter().position(|value| value.is_nan() || value.abs() > limit) {
        Some(at) => {
            let row = at / (array.values.len() / array.shape.first().copied().unwrap_or(1));
            Err(ArrayError::Value { path: path.to_owned(), row, value: array.values[at], limit })
        }
        None => Ok(()),
    }
}

/// `[n, k]` with one column or more.
pub(super) fn table(path: &Path, array: Array, n: usize) -> Result<Matrix<f64>, ArrayError> {
    match array.shape[..] {
        [rows, cols] if rows == n && cols > 0 => Ok(Matrix::from_vec(n, cols, array.values)),
        _ => Err(shape(path, &array, format!("({n}, k)"))),
    }
}

pub(super) fn class_numbers(path: &Path, values: &[f64]) -> Result<Vec<u32>, ArrayError> {
    let label = |(row, value): (usize, &f64)| {
        let whole = value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value);
        if whole {
            Ok(*value as u32)
        } else {
            Err(ArrayError::Label { path: path.to_owned(), row, value: *value })
        }
    };
    values.iter().enumerate().map(label).collect()
}

/// `sentence:token` of every token.
pub(super) fn token_ids(path: &Path, tokens: usize) -> Result<Vec<String>, ArrayError> {
    let lengths = array(path)?;
    if lengths.shape.len() != 1 {
        return Err(shape(path, &lengths, "(sentences,)".to_owned()));
    }
    let sum: f64 = lengths.values.iter().sum();
    let whole = lengths.values.iter().all(|length| *length >= 0.0 && length.fract() == 0.0);
    if !whole || sum != tokens as f64 {
        return Err(ArrayError::Lengths { path: path.to_owned(), got: sum, expected: tokens });
    }
    let of = |(sentence, length): (usize, &f64)| {
        (0..*length as usize).map(move |token| format!("{sentence}:{token}"))
    };
    Ok(lengths.values.iter().enumerate().flat_map(of).collect())
}

pub(super) fn shape(path: &Path, array: &Array, expected: String) -> ArrayError {
    let got = match &array.shape[..] {
        [only] => format!("({only},)"),
        lengths => format!("({})", lengths.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    };
    ArrayError::Shape { path: path.to_owned(), got, expected }
}
