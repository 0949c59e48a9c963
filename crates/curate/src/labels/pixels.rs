//! Labels of pixels (methods 3.7).
//!
//! As in cleanlab 2.9: a pixel is judged like an example of its own, a picture by its worst pixels.

use linalg::MatrixView;

use super::confident::{SLACK, confident_thresholds};
use super::filter::lowest;
use super::score::self_confidence;
use super::{Judged, softmin};
use crate::CurateError;

/// How sharply a picture's score looks at its worst pixels.
const TEMPERATURE: f64 = 0.1;

/// Pictures of one size with a class for each pixel, checked once.
#[derive(Debug, Clone, Copy)]
pub struct JudgedPixels<'a> {
    judged: Judged<'a>,
    pixels: usize,
}

impl<'a> JudgedPixels<'a> {
    /// `labels` is `[images * pixels]` and `probs` `[images * pixels, k]`, picture after picture.
    ///
    /// # Errors
    /// As [`Judged::new`], or when the number of rows is not a multiple of `pixels`.
    pub fn new(labels: &'a [u32], probs: MatrixView<'a, f64>, pixels: usize) -> Result<Self, CurateError> {
        let judged = Judged::new(labels, probs)?;
        if pixels == 0 || !judged.n().is_multiple_of(pixels) {
            let (got, expected) = (judged.n(), judged.n().next_multiple_of(pixels.max(1)));
            return Err(CurateError::Shape { what: "pixels of all pictures", got, expected });
        }
        Ok(Self { judged, pixels })
    }
}

/// `[images * pixels]`: the probability of each pixel's given class.
pub fn pixel_scores(judged: JudgedPixels<'_>) -> Vec<f64> {
    self_confidence(judged.judged)
}

/// `[images]`: the mean of a picture's pixels, weighted toward the smallest.
pub fn image_scores(judged: JudgedPixels<'_>) -> Vec<f64> {
    pixel_scores(judged).chunks_exact(judged.pixels).map(|pixels| softmin(pixels, TEMPERATURE)).collect()
}

/// `[images * pixels]`: which pixels are probably wrong: as many as are confidently of another class, lowest score first,
/// but none whose given class is the predicted one.
pub fn flagged_pixels(judged: JudgedPixels<'_>) -> Vec<bool> {
    let judged = judged.judged;
    let thresholds = confident_thresholds(judged);
    // Of pixels, unlike of examples, a class that is never given is reached by any prediction.
    let unused: Vec<bool> = judged.class_counts().iter().map(|count| *count == 0).collect();
    let contradicted = |row: &usize| {
        let class = judged.predicted(*row) as usize;
        let reached = unused[class] || judged.probs().row(*row)[class] >= thresholds[class] - SLACK;
        reached && class != judged.labels()[*row] as usize
    };
    let count = (0..judged.n()).filter(contradicted).count();
    let mut mask = lowest(&self_confidence(judged), count);
    for (row, flag) in mask.iter_mut().enumerate() {
        *flag = *flag && judged.predicted(row) != judged.labels()[row];
    }
    mask
}

/// `[images]`: the share of a picture's pixels that [`flagged_pixels`] leaves alone.
pub fn unflagged_shares(judged: JudgedPixels<'_>) -> Vec<f64> {
    let share =
        |pixels: &[bool]| 1.0 - pixels.iter().filter(|flag| **flag).count() as f64 / pixels.len() as f64;
    flagged_pixels(judged).chunks_exact(judged.pixels).map(share).collect()
}

#[cfg(test)]
mod tests {
    use linalg::Matrix;

    use super::*;

    #[test]
    fn pictures_have_whole_numbers_of_pixels() {
        let probs = Matrix::from_rows(&[[1.0, 0.0]; 5]);
        let wrong = JudgedPixels::new(&[0; 5], probs.view(), 2).unwrap_err();
        assert_eq!(wrong, CurateError::Shape { what: "pixels of all pictures", got: 5, expected: 6 });
        assert!(JudgedPixels::new(&[0; 5], probs.view(), 0).is_err());
    }

    #[test]
    fn the_wrong_pixel_is_flagged_alone() {
        let rows: Vec<[f64; 2]> =
            (0..16).map(|pixel| if pixel < 8 { [0.9, 0.1] } else { [0.1, 0.9] }).collect();
        let probs = Matrix::from_rows(&rows);
        let labels: Vec<u32> = (0..16).map(|pixel| u32::from(pixel >= 8 || pixel == 3)).collect();
        let judged = JudgedPixels::new(&labels, probs.view(), 8).unwrap();
        let flags = flagged_pixels(judged);
        assert_eq!(flags.iter().position(|flag| *flag), Some(3));
        assert_eq!(unflagged_shares(judged), [0.875, 1.0]);
        assert!(image_scores(judged)[0] < 0.2 && image_scores(judged)[1] > 0.8);
    }
}
