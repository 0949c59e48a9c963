//! The space in which entries and examples are compared: the same as for neighbours.

use linalg::{MatrixView, squared_distance};

use crate::nearest::unit_rows;

/// A vector, of length 1 where the cosine is what neighbours are found by. Between such vectors the squared Euclidean distance
/// is twice the cosine distance.
pub(super) fn placed(features: &[f32]) -> Vec<f32> {
    unit_rows(MatrixView::new(1, features.len(), features)).into_vec()
}

/// The Euclidean distance of two vectors in that space.
pub(super) fn distance(a: &[f32], b: &[f32]) -> f32 {
    squared_distance(a, b).sqrt()
}
