//! Detectors on disk: named tensors beside a small structure.

use std::collections::BTreeMap;

use linalg::Matrix;
use serde::de::DeserializeOwned;

use crate::TuneError;

/// Tensors by name: shape and values.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// A matrix as a tensor.
pub(crate) fn tensor(matrix: &Matrix<f32>) -> (Vec<usize>, Vec<f32>) {
    (vec![matrix.rows(), matrix.cols()], matrix.data().to_vec())
}

/// Something that does not fit together.
pub(crate) fn damaged(detail: impl Into<String>) -> TuneError {
    TuneError::Detector { detail: detail.into() }
}

/// The structure, checked against its type.
pub(crate) fn structure<T: DeserializeOwned>(structure: &serde_json::Value) -> Result<T, TuneError> {
    T::deserialize(structure).map_err(|error| damaged(error.to_string()))
}

/// The matrix with this name, `[rows, cols]`, of finite values.
pub(crate) fn matrix(tensors: &Tensors, name: &str) -> Result<Matrix<f32>, TuneError> {
    match tensors.get(name) {
        Some((shape, values))
            if shape.len() == 2
                && shape[0].checked_mul(shape[1]) == Some(values.len())
                && values.iter().all(|value| value.is_finite()) =>
        {
            Ok(Matrix::from_vec(shape[0], shape[1], values.clone()))
        }
        _ => Err(damaged(format!("tensor `{name}` is missing, has another shape or holds no numbers"))),
    }
}

/// The vector with this name and length, of finite values.
pub(crate) fn vector(tensors: &Tensors, name: &str, len: usize) -> Result<Vec<f32>, TuneError> {
    match tensors.get(name) {
        Some((shape, values))
            if *shape == [len] && values.len() == len && values.iter().all(|value| value.is_finite()) =>
        {
            Ok(values.clone())
        }
        _ => Err(damaged(format!("tensor `{name}` is missing, has another shape or holds no numbers"))),
    }
}
