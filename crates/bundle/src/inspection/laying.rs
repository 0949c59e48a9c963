//! Parts of one pattern that lie alike: a photo is laid over the median good part before anything looks at it.

use base::open::BaseError;
use image::RgbImage;
use tune::TuneError;
use tune::detect::{Aligner, Evened, Fill, Grey, PIXEL_SIDE, Rigid, Size};

use super::map::ScoreMap;

/// How much longer than in the reference's shape the long side of a photo is that has quite another one.
const OTHER_SHAPE: f64 = 1.5;

/// Long side at which it is found out how much of a photo lies outside the reference.
const COARSE: usize = 64;

/// How a photo lies, and what it looks like pixel by pixel once it is laid over the median good part.
#[derive(Debug, Clone, PartialEq)]
pub struct Laid {
    /// From the photo to the reference.
    pub rigid: Rigid,
    /// The registered photo with the light evened out.
    pub evened: Evened,
}

/// A photo could not be laid over the reference or looked at.
#[derive(Debug, thiserror::Error)]
pub enum SightError {
    /// The base failed.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The comparison failed.
    #[error(transparent)]
    Tune(#[from] TuneError),
}

/// The brightness of a photo at the size at which photos are compared pixel by pixel.
pub fn brightness(photo: &RgbImage) -> Grey {
    let values = photo
        .pixels()
        .map(|pixel| {
            let [red, green, blue] = pixel.0.map(f32::from);
            0.299 * red + 0.587 * green + 0.114 * blue
        })
        .collect();
    Grey { height: photo.height() as usize, width: photo.width() as usize, values }.resized(PIXEL_SIDE)
}

/// Lays a photo over the reference; gives the registered photo at its own resolution as well.
pub(crate) fn lay(aligner: &Aligner, photo: &RgbImage) -> Result<(Laid, RgbImage), TuneError> {
    let grey = brightness(photo).resized_to(aligner.size_at(PIXEL_SIDE));
    let (rigid, _) = aligner.register(&grey);
    let evened = Evened::new(&rigid.warp(&grey, Fill::Unknown))?;
    let size = size_of(photo.dimensions());
    let to = registered_size(aligner.size_at(PIXEL_SIDE), size);
    let planes: Vec<Vec<f32>> = (0..3)
        .map(|channel| {
            let plane: Vec<f32> = photo.pixels().map(|pixel| f32::from(pixel.0[channel])).collect();
            rigid.warp_plane(&plane, size, to, Fill::Edge)
        })
        .collect();
    let mut registered = RgbImage::new(to.width as u32, to.height as u32);
    for (at, pixel) in registered.pixels_mut().enumerate() {
        pixel.0 = [0, 1, 2].map(|channel: usize| planes[channel][at].round().clamp(0.0, 255.0) as u8);
    }
    Ok((Laid { rigid, evened }, registered))
}

/// A map over the registered photo, laid back over the photo of this width and height, at the map's resolution.
pub(crate) fn lay_back(rigid: &Rigid, map: &ScoreMap, size: (u32, u32)) -> ScoreMap {
    let to = size_of(size).with_long_side(map.rows.max(map.cols));
    let back = rigid.unwarp(&Grey { height: map.rows, width: map.cols, values: map.values.clone() }, to);
    ScoreMap { rows: back.height, cols: back.width, values: back.values }
}

/// Whether a photo of this width and height has the shape of the good parts.
pub fn has_shape(aligner: &Aligner, size: (u32, u32)) -> bool {
    aligner.has_shape(size_of(size))
}

/// The share of a photo of this width and height that lies outside the reference once it is laid over it: there nothing is compared.
pub(crate) fn outside(aligner: &Aligner, rigid: &Rigid, size: (u32, u32)) -> f64 {
    let shape = aligner.size_at(COARSE);
    let all = Grey { height: shape.height, width: shape.width, values: vec![1.0; shape.area()] };
    let back = rigid.unwarp(&all, size_of(size).with_long_side(COARSE)).values;
    back.iter().filter(|value| **value < 0.5).count() as f64 / back.len() as f64
}

/// What is marked on a photo, `[height * width]`, as it lies once the photo is laid over the reference: 0 to 1 at its resolution.
pub fn lay_mask(aligner: &Aligner, rigid: &Rigid, inside: &[bool], size: (u32, u32)) -> ScoreMap {
    let size = size_of(size);
    let to = registered_size(aligner.size_at(PIXEL_SIDE), size);
    let plane: Vec<f32> = inside.iter().map(|inside| f32::from(u8::from(*inside))).collect();
    ScoreMap { rows: to.height, cols: to.width, values: rigid.warp_plane(&plane, size, to, Fill::Edge) }
}

/// The size at which a photo of this size is laid over a reference of this shape: its own long side. One of quite another shape keeps
/// its number of pixels instead: a strip that is laid over a square would be stretched to gigabytes.
fn registered_size(shape: Size, photo: Size) -> Size {
    let ratio = shape.long_side() as f64 / (shape.area() as f64 / shape.long_side() as f64).max(1.0);
    let by_pixels = (photo.area() as f64 * ratio).sqrt();
    let long_side = photo.long_side();
    shape.with_long_side(if OTHER_SHAPE * by_pixels < long_side as f64 {
        by_pixels.ceil() as usize
    } else {
        long_side
    })
}

fn size_of((width, height): (u32, u32)) -> Size {
    Size { height: height as usize, width: width as usize }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_keeps_its_long_side_and_a_strip_over_a_square_its_pixels() {
        let size = |width, height| Size { height, width };
        let square = size(256, 220);
        assert_eq!(registered_size(square, size(1000, 859)), size(1000, 859));
        assert_eq!(registered_size(square, size(1000, 1000)).width, 1000);
        let laid = registered_size(square, size(20_000, 64));
        assert!(laid.area().abs_diff(20_000 * 64) < 4000, "{laid:?}");
    }
}
