//! Grey TIFF files of 10, 12 or 14 bits whose values stand one after the other without gaps and are not compressed, as many cameras of
//! machines save them.

use std::io::Cursor;

use image::error::{DecodingError, ImageFormatHint};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageResult};
use tiff::decoder::Decoder;
use tiff::tags::Tag;

/// A file of this sort that was opened. Its values come as those of 16 bits, the largest as white.
pub(super) struct Packed<'b> {
    decoder: Decoder<Cursor<&'b [u8]>>,
    size: (u32, u32),
    bits: u8,
    /// The rows, strip by strip; they are not compressed.
    strips: Vec<&'b [u8]>,
}

impl<'b> Packed<'b> {
    /// `None` for every other file. The decoder knows the tags of these, but not their values.
    pub(super) fn open(bytes: &'b [u8]) -> Option<Self> {
        let mut decoder = Decoder::new(Cursor::new(bytes)).ok()?;
        let tiff::ColorType::Gray(bits @ (10 | 12 | 14)) = decoder.colortype().ok()? else { return None };
        let usual = [Tag::Compression, Tag::PhotometricInterpretation, Tag::SampleFormat, Tag::FillOrder];
        for tag in usual {
            if decoder.find_tag_unsigned::<u16>(tag).ok()?.is_some_and(|value| value != 1) {
                return None;
            }
        }
        let mut places = |tag| decoder.find_tag_unsigned_vec::<u64>(tag).ok().flatten();
        let (offsets, counts) = (places(Tag::StripOffsets)?, places(Tag::StripByteCounts)?);
        let strip = |(offset, count): (u64, u64)| {
            // A strip that the file is too short for is damaged, which is told when it is read.
            let start = usize::try_from(offset).ok()?.min(bytes.len());
            let end = start.saturating_add(usize::try_from(count).ok()?).min(bytes.len());
            Some(&bytes[start..end])
        };
        let strips = offsets.into_iter().zip(counts).map(strip).collect::<Option<_>>()?;
        let size = decoder.dimensions().ok()?;
        Some(Self { decoder, size, bits, strips })
    }
}

impl ImageDecoder for Packed<'_> {
    fn dimensions(&self) -> (u32, u32) {
        self.size
    }

    fn color_type(&self) -> ColorType {
        ColorType::L16
    }

    fn orientation(&mut self) -> ImageResult<Orientation> {
        let tag = self.decoder.find_tag_unsigned::<u8>(Tag::Orientation).map_err(broken)?;
        Ok(tag.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms))
    }

    fn read_image(self, values: &mut [u8]) -> ImageResult<()> {
        let (width, bits) = (self.size.0 as usize, usize::from(self.bits));
        let stride = (width * bits).div_ceil(8);
        let packed = self.strips.concat();
        if packed.len() < stride * self.size.1 as usize {
            return Err(broken("it ends too early"));
        }
        let white = u32::from(u16::MAX) >> (16 - bits);
        for (line, row) in values.chunks_exact_mut(2 * width).zip(packed.chunks_exact(stride)) {
            for (at, to) in line.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                let value = (at * bits..(at + 1) * bits)
                    .fold(0, |value, bit| value << 1 | u32::from(row[bit / 8] >> (7 - bit % 8) & 1));
                let wide = (value * u32::from(u16::MAX) + white / 2) / white;
                *to = (wide as u16).to_ne_bytes();
            }
        }
        Ok(())
    }

    fn read_image_boxed(self: Box<Self>, values: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(values)
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ImageError {
    ImageError::Decoding(DecodingError::new(ImageFormatHint::Exact(ImageFormat::Tiff), error))
}

#[cfg(test)]
mod tests {
    use super::super::{Depth, decode, decode_deep, largest_value, size};

    /// A TIFF of one strip with these grey values of 12 bits, in either order of bytes.
    fn tiff(width: usize, values: &[u16], big: bool) -> Vec<u8> {
        let mut bits: Vec<u8> = Vec::new();
        for row in values.chunks(width) {
            let mut of_row: Vec<u8> =
                row.iter().flat_map(|value| (0..12).rev().map(move |bit| (value >> bit & 1) as u8)).collect();
            of_row.resize(of_row.len().next_multiple_of(8), 0);
            bits.extend(of_row);
        }
        let strip: Vec<u8> =
            bits.chunks(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | bit)).collect();
        let height = values.len() / width;
        // Tag, whether its number has four bytes, and the number.
        let tags = [
            (256_u16, true, width),
            (257, true, height),
            (258, false, 12),
            (259, false, 1),
            (262, false, 1),
            (273, true, 8 + 2 + 9 * 12 + 4),
            (277, false, 1),
            (278, true, height),
            (279, true, strip.len()),
        ];
        let two = |value: u16| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let four = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut file = if big { b"MM".to_vec() } else { b"II".to_vec() };
        file.extend(two(42));
        file.extend(four(8));
        file.extend(two(tags.len() as u16));
        for (tag, is_long, value) in tags {
            file.extend(two(tag));
            file.extend(two(if is_long { 4 } else { 3 }));
            file.extend(four(1));
            let short = || [two(value as u16), [0, 0]].concat();
            file.extend(if is_long { four(value as u32).to_vec() } else { short() });
        }
        file.extend(four(0));
        file.extend(strip);
        file
    }

    #[test]
    fn twelve_bits_without_gaps_are_read_in_either_order_of_bytes() {
        let values = [0, 4095, 2048, 1, 1000, 3000];
        for big in [false, true] {
            let file = tiff(3, &values, big);
            assert_eq!(size(&file).unwrap(), (3, 2), "{big}");
            assert_eq!(largest_value(&file).unwrap(), Some(u16::MAX), "{big}");
            let expect = values.map(|value| (f64::from(value) / 4095.0 * 255.0).round() as u8);
            for picture in [decode(&file).unwrap(), decode_deep(&file, Depth::FULL).unwrap().0] {
                let seen: Vec<u8> = picture.pixels().map(|pixel| pixel.0[0]).collect();
                assert!(
                    seen.iter().zip(expect).all(|(got, wanted)| got.abs_diff(wanted) <= 1),
                    "{big}: {seen:?} {expect:?}"
                );
            }
            assert!(decode(&file[..file.len() - 4]).is_err(), "{big}");
        }
    }
}
