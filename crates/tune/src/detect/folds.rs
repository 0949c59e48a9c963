//! Which photos are held out together.

use crate::TuneError;
use crate::detect::Patches;

/// Up to this many photos each is held out alone.
const ALONE: usize = 16;
/// Parts that more photos are dealt into.
const PARTS: usize = 10;

/// The part of every patch, `[n]`, numbered from 0, and the number of parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parts {
    pub(crate) of: Vec<usize>,
    pub(crate) count: usize,
}

impl Parts {
    /// Every photo is a part of its own up to 16 photos; more are dealt in the order of their numbers into 10 parts.
    ///
    /// Errors: one photo only.
    pub(crate) fn deal(patches: &Patches<'_>) -> Result<Self, TuneError> {
        let photos = patches.distinct_photos();
        if photos.len() < 2 {
            return Err(TuneError::OnePhoto);
        }
        let count = if photos.len() <= ALONE { photos.len() } else { PARTS };
        let place = |photo: &u32| photos.partition_point(|other| other < photo);
        Ok(Self { of: patches.photos.iter().map(|photo| place(photo) % count).collect(), count })
    }

    /// Rows of one part, ascending.
    pub(crate) fn rows(&self, part: usize) -> Vec<usize> {
        (0..self.of.len()).filter(|row| self.of[*row] == part).collect()
    }

    /// Rows of all other parts, ascending.
    pub(crate) fn others(&self, part: usize) -> Vec<usize> {
        (0..self.of.len()).filter(|row| self.of[*row] != part).collect()
    }
}

#[cfg(test)]
mod tests {
    use linalg::{Cell, Matrix};

    use super::*;

    #[track_caller]
    fn check(photos: &[u32], expected: Result<Vec<usize>, TuneError>) {
        let (x, cells) = (Matrix::zeros(photos.len(), 1), vec![Cell::default(); photos.len()]);
        let parts = Parts::deal(&Patches { x: x.view(), photos, cells: &cells });
        assert_eq!(parts.map(|parts| parts.of), expected);
    }

    #[test]
    fn few_photos_are_held_out_alone_and_many_in_parts() {
        check(&[7, 3, 7, 9], Ok(vec![1, 0, 1, 2]));
        check(&[4, 4], Err(TuneError::OnePhoto));
        check(&(0..17).collect::<Vec<_>>(), Ok((0..17).map(|photo| photo % 10).collect()));
    }
}
