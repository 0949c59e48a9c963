//! Deep pictures: cameras of 10, 12 or 14 bits save their values in files of 16, where they look all but black.

use image::{DynamicImage, ImageDecoder, RgbImage};
use serde::{Deserialize, Serialize};

use super::PrepError;
use super::image::{decode_as, on_white, opened};

/// How many of the 16 bits of deep pictures are used: 8, 10, 12, 14 or 16. Pictures of 8 bits are not concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Depth(u8);

impl Depth {
    /// All 16.
    pub const FULL: Self = Self(16);

    /// The fewest that hold this value.
    pub fn holding(largest: u16) -> Self {
        let bits = [8, 10, 12, 14].into_iter().find(|bits| largest < 1 << bits);
        bits.map_or(Self::FULL, Self)
    }

    /// The number of bits.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The value of white.
    pub fn white(self) -> u16 {
        u16::MAX >> (16 - self.0)
    }
}

impl TryFrom<u8> for Depth {
    type Error = String;

    fn try_from(bits: u8) -> Result<Self, String> {
        let is_known = matches!(bits, 8 | 10 | 12 | 14 | 16);
        if is_known { Ok(Self(bits)) } else { Err(format!("no picture has {bits} bits")) }
    }
}

impl From<Depth> for u8 {
    fn from(depth: Depth) -> Self {
        depth.0
    }
}

/// The largest value of any colour in a picture of 16 bits; `None` for other pictures, which are not decoded.
pub fn largest_value(bytes: &[u8]) -> Result<Option<u16>, PrepError> {
    let largest = |mut picture: DynamicImage| colours(&mut picture).map(|value| *value).max();
    let is_deep = |bytes: &[u8]| {
        let colour = opened(bytes)?.color_type();
        Ok(colour.bytes_per_pixel() == 2 * colour.channel_count())
    };
    if is_deep(bytes)? { decode_as(bytes, largest) } else { Ok(None) }
}

/// As [`decode`](super::decode), deep pictures from black to the white of `depth`. Says whether some of the picture was brighter
/// than that: there it is white.
pub fn decode_deep(bytes: &[u8], depth: Depth) -> Result<(RgbImage, bool), PrepError> {
    decode_as(bytes, |mut picture| {
        let white = depth.white();
        let mut is_brighter = false;
        for value in colours(&mut picture) {
            is_brighter |= *value > white;
            let scaled = u32::from((*value).min(white)) * u32::from(u16::MAX) + u32::from(white / 2);
            *value = (scaled / u32::from(white)) as u16;
        }
        (on_white(picture), is_brighter)
    })
}

/// Every colour of every pixel of a picture of 16 bits, but not how opaque it is; nothing of other pictures.
fn colours(picture: &mut DynamicImage) -> impl Iterator<Item = &mut u16> {
    let (values, channels): (&mut [u16], usize) = match picture {
        DynamicImage::ImageLuma16(picture) => (picture, 1),
        DynamicImage::ImageLumaA16(picture) => (picture, 2),
        DynamicImage::ImageRgb16(picture) => (picture, 3),
        DynamicImage::ImageRgba16(picture) => (picture, 4),
        _ => (&mut [], 1),
    };
    let colours = channels - usize::from(channels % 2 == 0);
    values.chunks_exact_mut(channels).flat_map(move |pixel| &mut pixel[..colours])
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageBuffer, ImageFormat, Luma, Rgba};

    use super::*;

    fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn the_fewest_bits_that_hold_a_value() {
        let bits = [0, 255, 256, 1023, 1024, 4095, 4096, 16_383, 16_384, u16::MAX].map(|value| {
            let depth = Depth::holding(value);
            assert!(depth.white() >= value);
            depth.bits()
        });
        assert_eq!(bits, [8, 8, 10, 10, 12, 12, 14, 14, 16, 16]);
        assert_eq!(serde_json::from_str::<Depth>("12").unwrap(), Depth::holding(4095));
        assert!(serde_json::from_str::<Depth>("0").is_err() && serde_json::from_str::<Depth>("17").is_err());
    }

    #[test]
    fn twelve_bits_are_seen_with_full_contrast() {
        let grey = ImageBuffer::from_fn(4, 1, |x, _| Luma([[0_u16, 1000, 2048, 4095][x as usize]]));
        let bytes = png(grey);
        assert_eq!(largest_value(&bytes).unwrap(), Some(4095));
        let seen = |depth| {
            let (picture, brighter) = decode_deep(&bytes, depth).unwrap();
            (picture.pixels().map(|pixel| pixel.0[0]).collect::<Vec<u8>>(), brighter)
        };
        assert_eq!(seen(Depth::holding(4095)), (vec![0, 62, 128, 255], false));
        assert_eq!(seen(Depth::holding(1023)), (vec![0, 249, 255, 255], true));
        let all = super::super::decode(&bytes).unwrap();
        assert_eq!(seen(Depth::FULL), (all.pixels().map(|pixel| pixel.0[0]).collect(), false));
        assert!(all.pixels().all(|pixel| pixel.0[0] < 17));
    }

    #[test]
    fn how_opaque_a_pixel_is_is_no_colour_and_pictures_of_eight_bits_stay() {
        let glass = ImageBuffer::from_pixel(2, 2, Rgba([1023_u16, 0, 0, u16::MAX]));
        assert_eq!(largest_value(&png(glass.clone())).unwrap(), Some(1023));
        let (picture, brighter) = decode_deep(&png(glass), Depth::holding(1023)).unwrap();
        assert_eq!((picture.get_pixel(0, 0).0, brighter), ([255, 0, 0], false));
        let plain = RgbImage::from_pixel(2, 2, image::Rgb([9, 200, 255]));
        assert_eq!(largest_value(&png(plain.clone())).unwrap(), None);
        assert_eq!(decode_deep(&png(plain.clone()), Depth::holding(1023)).unwrap(), (plain, false));
        assert!(largest_value(b"no picture").is_err());
    }
}
