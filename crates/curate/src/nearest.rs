//! The nearest neighbours that every check looks at, found once.

use linalg::{Matrix, MatrixView, Metric, Neighbours, dot, knn};

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
    check_finite(x)?;
    Ok(knn(x, FOUND, if x.cols() > COSINE_ABOVE { Metric::Cosine } else { Metric::Euclidean }))
}

/// Refuses values that are no numbers.
pub(crate) fn check_finite(x: MatrixView<'_>) -> Result<(), CurateError> {
    let bad = x.iter_rows().position(|row| row.iter().any(|value| !value.is_finite()));
    bad.map_or(Ok(()), |row| Err(CurateError::NotFinite { row }))
}

/// The rows at length 1, so that Euclidean distances order as those of [`nearest`] do; unchanged with three columns or fewer.
pub(crate) fn unit_rows(x: MatrixView<'_>) -> Matrix {
    let mut unit = x.to_owned();
    for row in (0..x.rows()).filter(|_| x.cols() > COSINE_ABOVE) {
        let length = dot(x.row(row), x.row(row)).sqrt();
        if length > 0.0 {
            unit.row_mut(row).iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        }
    }
    unit
}
