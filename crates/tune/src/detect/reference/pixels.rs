//! Pixels that differ from the good parts' by more than good parts differ from each other.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::filter::{gauss, wide_blur};
use super::grey::{Grey, Size};
use super::median::{median, over_photos};
use crate::TuneError;
use crate::detect::stored::{self, Tensors, damaged};

/// The long side, in pixels, at which photos are compared: the blurs below are told for it.
pub const PIXEL_SIDE: usize = 450;
/// Blur against the noise of single pixels.
const NOISE_SIGMA: f64 = 0.7;
/// Brightness that the light is divided out to.
const MIDDLE_GREY: f32 = 128.0;
/// Blur of the spread between good photos: few photos tell it poorly for a single pixel.
const SPREAD_SIGMA: f64 = 1.0;
/// Variance that every pixel is granted: three grey levels, squared.
const LEAST_VARIANCE: f32 = 9.0;
/// Blur of the map: an edge that lies half a pixel off is thin, a defect is not.
const MAP_SIGMA: f64 = 1.5;
/// A photo's number is the mean of one in so many of its pixels.
const TOP_SHARE: usize = 1000;

/// A registered photo with the light evened out, ready to be compared.
///
/// Making this takes most of the time, and it depends on nothing but the photo: whoever fits again and again, to hold photos
/// out, makes it once.
#[derive(Debug, Clone, PartialEq)]
pub struct Evened {
    plane: Grey,
    /// Pixels where the photo does not reach.
    unknown: Vec<bool>,
}

impl Evened {
    /// Divides out how the light falls: `g = gauss(photo, 0.7)`, then `128 g / (gauss(g, 40) + 1)`, in pixels, the wide one as
    /// three running means.
    ///
    /// NaN marks pixels that the photo does not reach; they go along with their nearest neighbours and never score.
    ///
    /// Errors: no pixels, another number of values than pixels, an infinite value, nothing but NaN.
    pub fn new(registered: &Grey) -> Result<Self, TuneError> {
        Self::numbered(registered, 0)
    }

    fn numbered(registered: &Grey, photo: usize) -> Result<Self, TuneError> {
        registered.check_shape(photo)?;
        let unknown: Vec<bool> = registered.values.iter().map(|value| value.is_nan()).collect();
        let mut plane = registered.clone();
        repeat_edges(&mut plane, &unknown);
        // With nothing to repeat there is still NaN.
        plane.check(photo)?;
        let mut plane = gauss(&plane, NOISE_SIGMA);
        let light = wide_blur(&plane);
        let values = plane.values.iter_mut().zip(&light.values);
        values.for_each(|(value, light)| *value *= MIDDLE_GREY / (light.max(0.0) + 1.0));
        Ok(Self { plane, unknown })
    }
}

/// Gives unknown pixels the value of the nearest known one in their row, and rows without any those of the nearest row.
fn repeat_edges(plane: &mut Grey, unknown: &[bool]) {
    if !unknown.contains(&true) {
        return;
    }
    let width = plane.width;
    let mut known_rows = Vec::new();
    for (y, (row, unknown)) in plane.values.chunks_mut(width).zip(unknown.chunks(width)).enumerate() {
        let known: Vec<usize> = (0..width).filter(|x| !unknown[*x]).collect();
        for x in (0..width).filter(|x| unknown[*x]) {
            if let Some(from) = nearest(&known, x) {
                row[x] = row[from];
            }
        }
        if !known.is_empty() {
            known_rows.push(y);
        }
    }
    for y in 0..plane.height {
        match nearest(&known_rows, y) {
            Some(from) if from != y => {
                plane.values.copy_within(from * width..(from + 1) * width, y * width);
            }
            _ => {}
        }
    }
}

/// The one of ascending numbers that is nearest; the smaller of two.
fn nearest(ascending: &[usize], to: usize) -> Option<usize> {
    let after = ascending.partition_point(|at| *at < to);
    let around = &ascending[after.saturating_sub(1)..(after + 1).min(ascending.len())];
    around.iter().copied().min_by_key(|at| at.abs_diff(to))
}

/// What good parts look like, pixel by pixel, and how much they vary there.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelReference {
    /// The median of the good photos.
    median: Grey,
    /// Their standard deviation, never below three grey levels.
    deviation: Grey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    height: usize,
    width: usize,
}

impl PixelReference {
    /// Learns from good photos that are registered and of one size, about [`PIXEL_SIDE`] pixels long.
    ///
    /// Errors: no photos, sizes that differ, and those of [`Evened::new`].
    pub fn fit(registered: &[Grey]) -> Result<Self, TuneError> {
        let evened: Result<Vec<Evened>, TuneError> =
            registered.par_iter().enumerate().map(|(at, photo)| Evened::numbered(photo, at)).collect();
        Self::fit_evened(&evened?.iter().collect::<Vec<_>>())
    }

    /// As [`PixelReference::fit`], from photos that are evened already: a small part of the time.
    ///
    /// Errors: no photos, sizes that differ.
    pub fn fit_evened(photos: &[&Evened]) -> Result<Self, TuneError> {
        let size = photos.first().ok_or(TuneError::Empty)?.plane.size();
        let planes: Vec<&Grey> = photos.iter().map(|photo| &photo.plane).collect();
        planes.iter().enumerate().try_for_each(|(at, plane)| check_size(plane.size(), size, at))?;
        let pixels = over_photos(&planes, |seen| {
            // The median changes the order of the photos, so that the sums come first.
            let variance = variance(seen);
            (median(seen).expect("evened photos know all pixels"), variance)
        });
        let (median, variance): (Vec<f32>, Vec<f32>) = pixels.into_iter().unzip();
        let mut deviation = gauss(&Grey::of(size, variance), SPREAD_SIGMA);
        deviation.values.iter_mut().for_each(|value| *value = (*value + LEAST_VARIANCE).sqrt());
        Ok(Self { median: Grey::of(size, median), deviation })
    }

    /// How far each pixel is from the good parts, in their standard deviations, blurred by 1.5 pixels: 0 and more, and 0 where
    /// the photo does not reach.
    ///
    /// Errors: another size than the good photos', and those of [`Evened::new`].
    pub fn map(&self, registered: &Grey) -> Result<Grey, TuneError> {
        self.map_evened(&Evened::new(registered)?)
    }

    /// As [`PixelReference::map`], of a photo that is evened already.
    ///
    /// Errors: another size than the good photos'.
    pub fn map_evened(&self, photo: &Evened) -> Result<Grey, TuneError> {
        check_size(photo.plane.size(), self.median.size(), 0)?;
        let good = self.median.values.iter().zip(&self.deviation.values);
        let seen = photo.plane.values.iter().zip(&photo.unknown);
        // What only repeats an edge must not spread to its neighbours either.
        let apart = |((value, unknown), (median, deviation)): ((&f32, &bool), (&f32, &f32))| {
            if *unknown { 0.0 } else { (value - median).abs() / deviation }
        };
        let mut map = gauss(&Grey::of(self.median.size(), seen.zip(good).map(apart).collect()), MAP_SIGMA);
        let marked = map.values.iter_mut().zip(&photo.unknown).filter(|(_, unknown)| **unknown);
        marked.for_each(|(value, _)| *value = 0.0);
        Ok(map)
    }

    /// The size that photos must have.
    pub fn size(&self) -> Size {
        self.median.size()
    }

    /// Structure and tensors, for storing.
    pub fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let Size { height, width } = self.size();
        let tensor = |plane: &Grey| (vec![height, width], plane.values.clone());
        let tensors = Tensors::from([
            ("median".to_owned(), tensor(&self.median)),
            ("deviation".to_owned(), tensor(&self.deviation)),
        ]);
        (serde_json::to_value(Stored { height, width }).expect("sizes are whole numbers"), tensors)
    }

    /// The reverse of [`PixelReference::to_tensors`]; everything that came from a file is checked.
    pub fn from_tensors(structure: &serde_json::Value, tensors: &Tensors) -> Result<Self, TuneError> {
        let Stored { height, width } = stored::structure(structure)?;
        let plane = |name: &str| {
            let matrix = stored::matrix(tensors, name)?;
            if height == 0 || width == 0 || (matrix.rows(), matrix.cols()) != (height, width) {
                return Err(damaged(format!("tensor `{name}` has another size than the photos")));
            }
            Ok(Grey { height, width, values: matrix.data().to_vec() })
        };
        let (median, deviation) = (plane("median")?, plane("deviation")?);
        if deviation.values.iter().any(|value| *value <= 0.0) {
            return Err(damaged("a deviation is not above 0"));
        }
        Ok(Self { median, deviation })
    }
}

/// A photo's number: the mean of the thousandth of its map's pixels that are largest, at least one. A map without pixels has 0.
pub fn photo_score(map: &Grey) -> f32 {
    let count = (map.values.len() / TOP_SHARE).max(1);
    let mut values = map.values.clone();
    if values.is_empty() {
        return 0.0;
    }
    values.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
    let top = &mut values[..count];
    top.sort_unstable_by(f32::total_cmp);
    (top.iter().map(|value| f64::from(*value)).sum::<f64>() / count as f64) as f32
}

/// The mean squared distance from the mean.
fn variance(values: &[f32]) -> f32 {
    let n = values.len() as f64;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / n;
    (values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / n) as f32
}

fn check_size(got: Size, expected: Size, photo: usize) -> Result<(), TuneError> {
    if got == expected { Ok(()) } else { Err(TuneError::PhotoSize { photo, got, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: f32 = f32::NAN;

    #[test]
    fn unknown_pixels_repeat_the_nearest_known_ones() {
        let mut plane =
            Grey { height: 3, width: 4, values: vec![N, N, N, N, N, 1.0, 2.0, N, 3.0, N, N, 6.0] };
        let unknown: Vec<bool> = plane.values.iter().map(|value| value.is_nan()).collect();
        repeat_edges(&mut plane, &unknown);
        assert_eq!(plane.values, [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 6.0, 6.0]);
    }

    #[test]
    fn a_photo_that_is_nowhere_is_an_error() {
        let nothing = Grey { height: 2, width: 2, values: vec![N; 4] };
        assert!(matches!(Evened::new(&nothing), Err(TuneError::NotFinite { .. })));
    }

    #[test]
    fn the_score_is_the_mean_of_the_largest_thousandth() {
        let values = (0..3000).map(|at| (at * 7 % 3000) as f32).collect();
        assert_eq!(photo_score(&Grey { height: 30, width: 100, values }), 2998.0);
        assert_eq!(photo_score(&Grey { height: 1, width: 3, values: vec![1.0, 5.0, 2.0] }), 5.0);
        assert_eq!(photo_score(&Grey { height: 0, width: 0, values: vec![] }), 0.0);
    }
}
