//! Masks: pictures that mark where a defect is.

use dataset::ProblemKind;
use image::DynamicImage;

use super::PrepError;
use super::image::decode_as;

/// The area that a mask marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// `[height * width]`, row by row: whether the pixel belongs to the defect.
    pub inside: Vec<bool>,
}

impl Mask {
    /// Checks that it marks something and has the size of its picture: width and height of the decoded picture, in pixels.
    ///
    /// # Errors
    /// [`ProblemKind::MaskSize`] or [`ProblemKind::EmptyMask`], to be told beside the mask's path.
    pub fn check(&self, picture: (u32, u32)) -> Result<(), ProblemKind> {
        let size = (self.width, self.height);
        if size != picture {
            return Err(ProblemKind::MaskSize { got: size, expected: picture });
        }
        if self.inside.contains(&true) { Ok(()) } else { Err(ProblemKind::EmptyMask) }
    }
}

/// Decodes a mask of any picture format, with the limits of [`decode`](super::decode).
///
/// White marks the defect on black, and so does any bright colour; what is transparent is black. A pixel is inside above half
/// of the range of values, which cuts soft edges in the middle. A mask without any such pixel holds numbers of labels, as
/// annotation tools write them: there everything above 0 is inside.
pub fn decode_mask(bytes: &[u8]) -> Result<Mask, PrepError> {
    decode_as(bytes, marked)
}

fn marked(picture: DynamicImage) -> Mask {
    let (width, height) = (picture.width(), picture.height());
    let inside = match picture {
        // Converting needs four times the memory, so the commonest kind goes without.
        DynamicImage::ImageLuma8(grey) => above_half(grey.as_raw(), 1, u8::MAX),
        deep if deep.color().bytes_per_pixel() > deep.color().channel_count() => {
            above_half(&deep.into_rgba16().into_raw(), 4, u16::MAX)
        }
        other => above_half(&other.into_rgba8().into_raw(), 4, u8::MAX),
    };
    Mask { width, height, inside }
}

/// `values` are those of all channels, pixel by pixel, the fourth being how opaque the pixel is; `most` is full white.
fn above_half<V: Copy + Into<u32>>(values: &[V], n_channels: usize, most: V) -> Vec<bool> {
    let most: u32 = most.into();
    let light = |pixel: &[V]| -> u32 {
        let brightest = pixel.iter().take(3).map(|value| (*value).into()).max().unwrap_or(0);
        // Below 2^16 each, so the product fits.
        pixel.get(3).map_or(brightest, |opaque| brightest * (*opaque).into() / most)
    };
    let pixels = || values.chunks_exact(n_channels).map(light);
    let inside: Vec<bool> = pixels().map(|light| 2 * light > most).collect();
    if inside.contains(&true) { inside } else { pixels().map(|light| light > 0).collect() }
}
