//! Maps and masks as they are handed in: borrowed values with their height and width.

use super::regions::{Regions, find_regions};
use crate::EvaluateError;

/// A value for each pixel, row by row from the top.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a, T> {
    height: usize,
    width: usize,
    values: &'a [T],
}

impl<'a, T> Plane<'a, T> {
    /// `values` is `[height, width]`, fewer than 2^32 of them.
    pub fn new(height: usize, width: usize, values: &'a [T]) -> Result<Self, EvaluateError> {
        let expected = height.saturating_mul(width);
        if values.len() != expected || expected > u32::MAX as usize {
            return Err(EvaluateError::Shape { what: "values of a plane", got: values.len(), expected });
        }
        Ok(Self { height, width, values })
    }

    /// Number of rows.
    pub fn height(self) -> usize {
        self.height
    }

    /// Number of columns.
    pub fn width(self) -> usize {
        self.width
    }

    /// The values, row by row.
    pub fn values(self) -> &'a [T] {
        self.values
    }
}

/// The map of a part with the mask of its defects.
#[derive(Debug, Clone, Copy)]
pub struct ScoredImage<'a> {
    scores: Plane<'a, f32>,
    defects: Option<Plane<'a, bool>>,
}

impl<'a> ScoredImage<'a> {
    /// A good part: all pixels are background.
    pub fn good(scores: Plane<'a, f32>) -> Self {
        Self { scores, defects: None }
    }

    /// A part with the mask of its defects, of the same height and width as the map. An empty mask is that of a good part.
    pub fn with_defects(scores: Plane<'a, f32>, mask: Plane<'a, bool>) -> Result<Self, EvaluateError> {
        for (what, got, expected) in
            [("height of a mask", mask.height, scores.height), ("width of a mask", mask.width, scores.width)]
        {
            if got != expected {
                return Err(EvaluateError::Shape { what, got, expected });
            }
        }
        Ok(Self { scores, defects: mask.values.contains(&true).then_some(mask) })
    }

    /// Whether any pixel is marked.
    pub fn has_defect(&self) -> bool {
        self.defects.is_some()
    }

    /// Number of pixels.
    pub(super) fn n_pixels(&self) -> usize {
        self.scores.values.len()
    }

    /// The key of a pixel; `None` in a defect.
    pub(super) fn background_key(&self, at: usize) -> Option<u32> {
        let background = self.defects.is_none_or(|mask| !mask.values[at]);
        background.then(|| key(self.scores.values[at]))
    }

    /// Keys of all pixels of a good part, of the background pixels of another one. Not sorted.
    pub(super) fn background(&self) -> Vec<u32> {
        let scores = self.scores.values.iter();
        match self.defects {
            None => scores.map(|score| key(*score)).collect(),
            Some(mask) => {
                let background = scores.zip(mask.values).filter(|(_, defect)| !**defect);
                background.map(|(score, _)| key(*score)).collect()
            }
        }
    }

    /// The regions of the mask, and the keys of their pixels with the label of their region (from 1). Not sorted.
    pub(super) fn defects(&self) -> Option<(Regions, Vec<(u32, u32)>)> {
        let regions = find_regions(self.defects?);
        let labelled = self.scores.values.iter().zip(regions.labels());
        let pixels =
            labelled.filter(|(_, label)| **label > 0).map(|(score, label)| (key(*score), *label)).collect();
        Some((regions, pixels))
    }
}

/// Checks that there is a group for each image and that no score is broken.
pub(super) fn check(images: &[ScoredImage<'_>], groups: &[u32]) -> Result<(), EvaluateError> {
    if groups.len() != images.len() {
        return Err(EvaluateError::Shape { what: "groups", got: groups.len(), expected: images.len() });
    }
    let broken = |image: &ScoredImage<'_>| image.scores.values.iter().any(|score| !score.is_finite());
    match images.iter().position(broken) {
        Some(row) => Err(EvaluateError::NotFinite { what: "the maps", row }),
        None => Ok(()),
    }
}

/// A whole number that orders as the finite scores do, and is equal exactly where they are.
pub(super) fn key(score: f32) -> u32 {
    // Adding zero makes one zero of the two.
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_as_scores_do() {
        let scores = [f32::MIN, -1.5, -1e-40, 0.0, 1e-40, 1.0, 1.5, f32::MAX];
        assert!(scores.is_sorted_by(|a, b| key(*a) < key(*b)));
        assert_eq!(key(-0.0), key(0.0));
    }

    #[test]
    fn shapes_must_fit() {
        assert!(Plane::new(2, 3, &[0.0; 5]).is_err() && Plane::new(usize::MAX, 2, &[0.0]).is_err());
        let scores = Plane::new(2, 3, &[0.0_f32; 6]).unwrap();
        assert!(ScoredImage::with_defects(scores, Plane::new(3, 2, &[true; 6]).unwrap()).is_err());
        let empty = ScoredImage::with_defects(scores, Plane::new(2, 3, &[false; 6]).unwrap()).unwrap();
        assert!(!empty.has_defect() && empty.background().len() == 6);
    }
}
