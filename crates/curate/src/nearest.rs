//! The nearest neighbours that every check looks at, found once.

use linalg::{MatrixView, Metric, Neighbours, knn};

use crate::CurateError;

/// Neighbours found: twice as many as are asked for, because some may be of the same group.
const FOUND: usize = 20;
/// Above this many dimensions the cosine is used, below the Euclidean distance (cleanlab's rule).
const COSINE_ABOVE: usize = 3;

/// The twenty nearest rows of each row of `x`, `[n, d]`, by cosine distance; by Euclidean distance with three columns or fewer.
///
/// # Errors
/// [`CurateError::NotFinite`].
pub fn nearest(x: MatrixView<'_>) -> Result<Neighbours, CurateError> {
    if let Some(row) = x.iter_rows().position(|row| row.iter().any(|value| !value.is_finite())) {
        return Err(CurateError::NotFinite { row });
    }
    Ok(knn(x, FOUND, if x.cols() > COSINE_ABOVE { Metric::Cosine } else { Metric::Euclidean }))
}
