//! What detectors are made from.

use linalg::{Cell, MatrixView};

use crate::TuneError;

/// Patches of photos, all in the same row order.
#[derive(Debug, Clone, Copy)]
pub struct Patches<'a> {
    /// Features, `[n, d]`.
    pub x: MatrixView<'a>,
    /// The number of the photo that each patch is from, `[n]`. Any numbers; equal ones are held out together.
    pub photos: &'a [u32],
    /// The place of each patch in the grid of its photo, `[n]`.
    pub cells: &'a [Cell],
}

impl Patches<'_> {
    /// Number of patches.
    pub fn len(&self) -> usize {
        self.x.rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of the photos, ascending, each once.
    pub fn distinct_photos(&self) -> Vec<u32> {
        let mut photos = self.photos.to_vec();
        photos.sort_unstable();
        photos.dedup();
        photos
    }

    /// Errors: no patches or no columns, sizes that do not fit together, a value that is not finite.
    pub(crate) fn check(&self) -> Result<(), TuneError> {
        let expected = self.len();
        for (what, got) in [("the photo numbers", self.photos.len()), ("the cells", self.cells.len())] {
            if got != expected {
                return Err(TuneError::Patches { what, got, expected });
            }
        }
        if expected == 0 || self.x.cols() == 0 {
            return Err(TuneError::Empty);
        }
        check_finite(self.x)
    }
}

/// Errors: a value that is not finite.
pub(crate) fn check_finite(x: MatrixView<'_>) -> Result<(), TuneError> {
    match x.iter_rows().position(|row| row.iter().any(|value| !value.is_finite())) {
        Some(row) => Err(TuneError::NotFinite { set: "patches".to_owned(), row }),
        None => Ok(()),
    }
}

/// Errors: patches that a detector is asked about have another number of columns than those it was made from, or a value
/// that is not finite.
pub(crate) fn check_asked(x: MatrixView<'_>, dim: usize) -> Result<(), TuneError> {
    if x.cols() != dim {
        return Err(TuneError::PatchColumns { got: x.cols(), expected: dim });
    }
    check_finite(x)
}
