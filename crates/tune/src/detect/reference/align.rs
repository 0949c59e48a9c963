//! Whether parts lie alike, and how a photo lies against the median good part.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::grey::{Grey, Size};
use super::median::{median, over_photos};
use super::newton::Template;
use super::warp::{Fill, Rigid};
use crate::TuneError;
use crate::detect::stored::{self, Tensors, damaged};

/// The long side at which photos are registered.
const SIDE: usize = 256;
/// From as many good photos on it is asked whether they lie alike.
const LEAST_PHOTOS: usize = 4;
/// Parts lie alike when half of the photos correlate this well with the reference. Printed labels reach 0.99; parts that only
/// resemble each other stay below 0.8.
const LEAST_CORRELATION: f32 = 0.9;
/// Photos are of one size when no side differs by a larger share from the median.
const MOST_STRETCH: f64 = 0.1;
/// Each round registers all photos to the reference and takes their median for the next one.
const ROUNDS: usize = 2;
/// A photo whose brightness has no larger standard deviation, of 255, is all one grey: the rest is rounding.
const LEAST_CONTRAST: f64 = 1e-3;

/// The median good part, and what it takes to register photos to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligner {
    /// The median size of the good photos.
    size: Size,
    template: Template,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    height: usize,
    width: usize,
}

impl Aligner {
    /// Learns the median good part from good photos, all at their own size or all at one long side; and the median of the
    /// photos' correlation with it, in -1..1, which is what decided.
    ///
    /// `None` when the parts do not lie alike: the correlation is below 0.9. Also, with a correlation of 0 since none was
    /// measured, when there are fewer than four photos or more than one in ten differs by more than a tenth from the median height or
    /// width; fewer are left aside.
    ///
    /// The first photo is the first reference; should that fail, the one in the middle is tried.
    ///
    /// Errors: a photo without pixels, with another number of values than pixels, or with a value that is not finite.
    pub fn fit(photos: &[Grey]) -> Result<(Option<Self>, f32), TuneError> {
        photos.iter().enumerate().try_for_each(|(at, photo)| photo.check(at))?;
        let Some((size, alike)) = common_size(photos) else { return Ok((None, 0.0)) };
        let frame = size.with_long_side(SIDE);
        let photos: Vec<Grey> =
            alike.par_iter().map(|photo| standardised(&photo.resized_to(frame))).collect();
        let mut best = f32::NEG_INFINITY;
        for start in [0, photos.len() / 2] {
            let (template, correlation) = reference(&photos, &photos[start]);
            best = best.max(correlation);
            if correlation >= LEAST_CORRELATION {
                return Ok((Some(Self { size, template }), correlation));
            }
        }
        Ok((None, best))
    }

    /// Whether a photo of this size has the shape of the good photos: none of its sides differs by more than a tenth once the long ones are as long.
    pub fn has_shape(&self, photo: Size) -> bool {
        let long_side = self.size.long_side();
        is_near(photo.with_long_side(long_side), self.size)
    }

    /// How a photo lies against the reference, and its correlation with it where they overlap, in -1..1.
    ///
    /// The photo may have any resolution; it is stretched to the reference's shape. One that is all one grey, or is no photo
    /// (no pixels, values that are missing or not finite), has no motion and a correlation of 0.
    pub fn register(&self, photo: &Grey) -> (Rigid, f32) {
        if photo.check(0).is_err() {
            return (Rigid::default(), 0.0);
        }
        self.template.register(&standardised(&photo.resized_to(self.template.plane().size())))
    }

    /// The size of the reference with this long side in pixels, at least 1: what photos are resized to before they are
    /// warped.
    pub fn size_at(&self, long_side: usize) -> Size {
        self.size.with_long_side(long_side)
    }

    /// Structure and tensors, for storing.
    pub fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let plane = self.template.plane();
        let shape = vec![plane.height, plane.width];
        let tensors = Tensors::from([("reference".to_owned(), (shape, plane.values.clone()))]);
        let stored = Stored { height: self.size.height, width: self.size.width };
        (serde_json::to_value(stored).expect("sizes are whole numbers"), tensors)
    }

    /// The reverse of [`Aligner::to_tensors`]; everything that came from a file is checked.
    pub fn from_tensors(structure: &serde_json::Value, tensors: &Tensors) -> Result<Self, TuneError> {
        let Stored { height, width } = stored::structure(structure)?;
        let size = Size { height, width };
        let plane = stored::matrix(tensors, "reference")?;
        let frame = Size { height: plane.rows(), width: plane.cols() };
        if height == 0 || width == 0 || frame != size.with_long_side(SIDE) {
            return Err(damaged("the reference does not have the shape of the photos"));
        }
        Ok(Self { size, template: Template::new(Grey::of(frame, plane.data().to_vec())) })
    }
}

/// The median size, and the photos that have it; `None` for too few photos, or when too many are of another size.
fn common_size(photos: &[Grey]) -> Option<(Size, Vec<&Grey>)> {
    if photos.len() < LEAST_PHOTOS {
        return None;
    }
    let middle = |side: fn(&Grey) -> usize| {
        let mut sides: Vec<usize> = photos.iter().map(side).collect();
        sides.sort_unstable();
        sides[sides.len() / 2]
    };
    let size = Size { height: middle(|photo| photo.height), width: middle(|photo| photo.width) };
    let alike: Vec<&Grey> = photos.iter().filter(|photo| is_near(photo.size(), size)).collect();
    (alike.len() >= LEAST_PHOTOS && 10 * alike.len() >= 9 * photos.len()).then_some((size, alike))
}

/// Whether no side differs by more than a tenth of the usual one.
fn is_near(photo: Size, usual: Size) -> bool {
    let near = |side: usize, usual: usize| side.abs_diff(usual) as f64 <= MOST_STRETCH * usual as f64;
    near(photo.height, usual.height) && near(photo.width, usual.width)
}

/// The median of the photos after [`ROUNDS`] of registering, and the median of their correlation with it.
fn reference(photos: &[Grey], start: &Grey) -> (Template, f32) {
    let mut template = Template::new(start.clone());
    let mut correlations = Vec::new();
    for _ in 0..ROUNDS {
        let warped: Vec<Grey> =
            photos.par_iter().map(|photo| template.register(photo).0.warp(photo, Fill::Unknown)).collect();
        let warped: Vec<&Grey> = warped.iter().collect();
        // A pixel that no photo reaches is as bright as the mean, which is 0.
        let values = over_photos(&warped, |seen| median(seen).unwrap_or(0.0));
        template = Template::new(standardised(&Grey::of(start.size(), values)));
        correlations = warped.par_iter().map(|photo| template.correlation(photo)).collect();
    }
    (template, median(&mut correlations).unwrap_or(0.0))
}

/// The plane with mean 0 and variance 1; all 0 when it is all one grey.
fn standardised(plane: &Grey) -> Grey {
    let n = plane.values.len() as f64;
    let mean = plane.values.iter().map(|value| f64::from(*value)).sum::<f64>() / n;
    let square = |value: &f32| (f64::from(*value) - mean).powi(2);
    let deviation = (plane.values.iter().map(square).sum::<f64>() / n).sqrt();
    let scale = if deviation > LEAST_CONTRAST { 1.0 / deviation } else { 0.0 };
    let values = plane.values.iter().map(|value| ((f64::from(*value) - mean) * scale) as f32).collect();
    Grey::of(plane.size(), values)
}
