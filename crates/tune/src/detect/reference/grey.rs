//! A grey photo, or a map over one, and the one way in which it changes size: for tuning and for serving alike.

use rayon::prelude::*;

use crate::TuneError;

/// How many pixels there are, down and across.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
}

impl Size {
    /// The larger of the two.
    pub fn long_side(self) -> usize {
        self.height.max(self.width)
    }

    /// Number of pixels.
    pub fn area(self) -> usize {
        self.height * self.width
    }

    /// The same shape with this long side, the other to the nearest pixel; neither is less than 1.
    pub fn with_long_side(self, long_side: usize) -> Self {
        let factor = long_side as f64 / self.long_side().max(1) as f64;
        let side = |side: usize| ((side as f64 * factor).round() as usize).max(1);
        Self { height: side(self.height), width: side(self.width) }
    }
}

/// One plane of numbers over a photo, row by row: its brightness, one of its colours, or a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Grey {
    /// Rows of pixels, at least 1.
    pub height: usize,
    /// Pixels in a row, at least 1.
    pub width: usize,
    /// `[height * width]`. Brightness is in 0..255. Only a registered photo may hold NaN: where the photo does not reach.
    pub values: Vec<f32>,
}

impl Grey {
    /// A plane of this size.
    ///
    /// # Panics
    /// When there is not one value for each pixel.
    pub(super) fn of(size: Size, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), size.area(), "one value for each pixel");
        Self { height: size.height, width: size.width, values }
    }

    /// How many pixels it has, down and across.
    pub fn size(&self) -> Size {
        Size { height: self.height, width: self.width }
    }

    /// The plane with this long side in pixels, at least 1, its shape kept to the nearest pixel; see [`Grey::resized_to`].
    ///
    /// # Panics
    /// When there is not one value for each pixel, or no pixel.
    pub fn resized(&self, long_side: usize) -> Self {
        self.resized_to(self.size().with_long_side(long_side))
    }

    /// The plane stretched to a size, each side at least 1.
    ///
    /// Each new pixel is a mean of old ones, weighted by a triangle of two new pixels' width: area averaging when it
    /// shrinks. When it grows the triangle is two old pixels wide: bilinear. The same size gives the same values.
    ///
    /// # Panics
    /// When there is not one value for each pixel, or no pixel.
    pub fn resized_to(&self, size: Size) -> Self {
        assert_eq!(self.values.len(), self.size().area(), "one value for each pixel");
        if size == self.size() {
            return self.clone();
        }
        let (down, across) = (taps(self.height, size.height), taps(self.width, size.width));
        let mut values = vec![0.0; size.area()];
        // Down first: whole rows are added at a time, and few rows are left for the slower way across.
        let rows = values.par_chunks_mut(size.width).zip(down.par_iter());
        rows.for_each_init(
            || vec![0.0_f32; self.width],
            |sum, (row, (first, weights))| {
                sum.fill(0.0);
                for (from, weight) in self.values[first * self.width..].chunks(self.width).zip(weights) {
                    sum.iter_mut().zip(from).for_each(|(sum, value)| *sum += weight * value);
                }
                for (to, (first, weights)) in row.iter_mut().zip(&across) {
                    *to = weights.iter().zip(&sum[*first..]).map(|(weight, value)| weight * value).sum();
                }
            },
        );
        Self::of(size, values)
    }

    /// Errors: no pixels, not one value for each, a value that is not finite. `photo` is its number in the message.
    pub(super) fn check(&self, photo: usize) -> Result<(), TuneError> {
        self.check_shape(photo)?;
        match self.values.iter().all(|value| value.is_finite()) {
            true => Ok(()),
            false => Err(TuneError::NotFinite { set: "photos".to_owned(), row: photo }),
        }
    }

    /// Errors: no pixels, not one value for each.
    pub(super) fn check_shape(&self, photo: usize) -> Result<(), TuneError> {
        if self.height.checked_mul(self.width) != Some(self.values.len()) || self.values.is_empty() {
            let (got, height, width) = (self.values.len(), self.height, self.width);
            return Err(TuneError::PhotoPixels { photo, got, height, width });
        }
        Ok(())
    }
}

/// For each new pixel the first old one that it is made of, and the weights of it and those after it, which sum to 1.
fn taps(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    assert!(from > 0 && to > 0, "a photo has pixels");
    let step = from as f64 / to as f64;
    let reach = step.max(1.0);
    let tap = |at: usize| {
        let centre = (at as f64 + 0.5) * step - 0.5;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor() as usize).min(from - 1);
        let weights = (first..=last).map(|old| (1.0 - (old as f64 - centre).abs() / reach).max(0.0));
        let weights: Vec<f64> = weights.collect();
        let sum: f64 = weights.iter().sum();
        (first, weights.iter().map(|weight| (weight / sum) as f32).collect())
    };
    (0..to).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(height: usize, width: usize) -> Grey {
        let value = |at: usize| (at / width) as f32 * 3.0 + (at % width) as f32;
        Grey { height, width, values: (0..height * width).map(value).collect() }
    }

    #[test]
    fn a_slope_stays_the_same_slope() {
        let shrunk = ramp(80, 120).resized(30);
        assert_eq!(shrunk.size(), Size { height: 20, width: 30 });
        // Pixel (10, 15) is centred on the old place (41.5, 61.5).
        assert!((shrunk.values[10 * 30 + 15] - (41.5 * 3.0 + 61.5)).abs() < 1e-3);
        let grown = ramp(4, 6).resized_to(Size { height: 4, width: 12 });
        assert!((grown.values[12 + 5] - (3.0 + 2.25)).abs() < 1e-5);
        assert_eq!(ramp(4, 6).resized(6), ramp(4, 6));
    }

    #[test]
    fn one_pixel_is_a_photo_too() {
        let one = Grey { height: 1, width: 1, values: vec![7.0] };
        assert_eq!(one.resized(3).values, [7.0; 9]);
        assert_eq!(ramp(1, 90).resized(3).size(), Size { height: 1, width: 3 });
        let level = ramp(5, 7).resized_to(Size { height: 1, width: 1 });
        assert!((level.values[0] - 9.0).abs() < 1e-5, "{level:?}");
    }

    #[test]
    fn what_is_no_photo_is_named() {
        let short = Grey { height: 2, width: 2, values: vec![0.0; 3] };
        assert!(matches!(short.check(5), Err(TuneError::PhotoPixels { photo: 5, got: 3, .. })));
        let none = Grey { height: 0, width: 2, values: vec![] };
        assert!(none.check(0).is_err());
        let broken = Grey { height: 1, width: 1, values: vec![f32::NAN] };
        assert!(broken.check(0).is_err() && broken.check_shape(0).is_ok());
    }
}
