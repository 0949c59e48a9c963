//! Pictures: decoded with limits, turned upright, flattened onto white, cut, scaled and normalised.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};

use super::packed::Packed;
use super::{Filter, Fit, ImagePreprocess, PrepError, jpeg};

/// Most pixels that are decoded: 128 megapixels, more than any camera of today but small enough for a laptop.
pub const MAX_PIXELS: u64 = 128_000_000;
/// Most memory that a decoder may ask for, and that the decoded values may take, in bytes: `MAX_PIXELS` in 8-bit RGB with
/// room to spare, 67 megapixels in 16-bit RGBA. Several pictures are decoded at once.
pub const MAX_DECODED_BYTES: u64 = 512 << 20;

/// Decodes a picture of any supported format to upright 8-bit RGB.
///
/// The format is recognised by content, not by name. Of an animation the first frame is taken; 16-bit values are scaled (where
/// fewer of the bits are used, see [`decode_deep`](super::decode_deep));
/// grey TIFF of 10, 12 or 14 bits without gaps count as such;
/// transparent parts are shown on white, as a page or a screen would; colour profiles are not applied. The size is checked
/// before anything is decoded. A JPEG that ends early is damaged: its decoder would fill the rest with grey.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, PrepError> {
    decode_as(bytes, on_white)
}

/// The upright picture with all its channels and bits, turned into what is wanted of it by `convert`.
pub(super) fn decode_as<T>(bytes: &[u8], convert: impl FnOnce(DynamicImage) -> T) -> Result<T, PrepError> {
    if bytes.is_empty() {
        return Err(PrepError::Empty);
    }
    // The decoders are other people's code on foreign bytes: a panic in one of them is a damaged picture, not the end.
    catch_unwind(AssertUnwindSafe(|| decode_trusting(bytes).map(convert)))
        .unwrap_or_else(|_| Err(PrepError::Broken { detail: "its decoder gave up".to_owned() }))
}

/// Width and height of the upright picture, from its header alone.
pub fn size(bytes: &[u8]) -> Result<(u32, u32), PrepError> {
    let header = || {
        let mut decoder = opened(bytes)?;
        let (width, height) = decoder.dimensions();
        let turned = matches!(
            decoder.orientation().map_err(broken)?,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        );
        Ok(if turned { (height, width) } else { (width, height) })
    };
    catch_unwind(AssertUnwindSafe(header))
        .unwrap_or_else(|_| Err(PrepError::Broken { detail: "its decoder gave up".to_owned() }))
}

/// A decoder for a picture of a known format and a size within the limits.
pub(super) fn opened(bytes: &[u8]) -> Result<Box<dyn ImageDecoder + '_>, PrepError> {
    let not_an_image = |detail: String| PrepError::NotAnImage { detail };
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| not_an_image(error.to_string()))?;
    match reader.format() {
        None => return Err(not_an_image(describe(bytes))),
        Some(ImageFormat::Jpeg) if !jpeg::is_complete(bytes) => {
            return Err(PrepError::Broken { detail: "it ends too early".to_owned() });
        }
        Some(_) => {}
    }
    let packed = if reader.format() == Some(ImageFormat::Tiff) { Packed::open(bytes) } else { None };
    let decoder: Box<dyn ImageDecoder + '_> = match packed {
        Some(packed) => Box::new(packed),
        None => {
            let mut limits = image::Limits::default();
            limits.max_alloc = Some(MAX_DECODED_BYTES);
            reader.limits(limits);
            Box::new(reader.into_decoder().map_err(broken)?)
        }
    };
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(PrepError::TooLarge { width, height, limit: MAX_PIXELS });
    }
    if width == 0 || height == 0 {
        return Err(PrepError::Broken { detail: "it has no pixels".to_owned() });
    }
    Ok(decoder)
}

fn decode_trusting(bytes: &[u8]) -> Result<DynamicImage, PrepError> {
    let mut decoder = opened(bytes)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn broken(error: ImageError) -> PrepError {
    match error {
        ImageError::Unsupported(error) => PrepError::NotAnImage { detail: error.to_string() },
        error => PrepError::Broken { detail: error.to_string() },
    }
}

/// What a file that is no picture looks like.
fn describe(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(64)];
    // A character cut in two by the end is still text.
    let is_text = str::from_utf8(start).map_or_else(|error| error.error_len().is_none(), |_| true);
    let looks_like = if is_text { "it holds text" } else { "its first bytes belong to no known format" };
    looks_like.to_owned()
}

pub(super) fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let rgba = picture.into_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let alpha = u32::from(from[3]);
        for channel in 0..3 {
            to[channel] = ((u32::from(from[channel]) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        }
    }
    rgb
}

/// The network's input, `[3, size, size]`: cut, scaled, normalised.
///
/// Scaling equals Pillow's `resize(size, filter, box)` to within a step of 255; the tests hold values from Pillow.
pub fn image_input(picture: &RgbImage, preprocess: &ImagePreprocess) -> Vec<f32> {
    let size = preprocess.size;
    let side = u32::try_from(size).expect("a network's input is small");
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let (left, top, crop_width, crop_height) = match preprocess.fit {
        Fit::Squeeze => (0.0, 0.0, width, height),
        Fit::CentreCrop { share } => {
            let crop = share * width.min(height);
            ((width - crop) / 2.0, (height - crop) / 2.0, crop, crop)
        }
    };
    let scaled = resized(picture, (left, top, crop_width, crop_height), (side, side), preprocess.filter);
    normalise(scaled.as_raw(), preprocess)
}

/// The whole picture at another size.
///
/// # Panics
/// When a side is 0.
pub fn scale(picture: &RgbImage, width: usize, height: usize, filter: Filter) -> RgbImage {
    let side = |side: usize| u32::try_from(side).expect("pictures are smaller than 2^32 pixels");
    let whole = (0.0, 0.0, f64::from(picture.width()), f64::from(picture.height()));
    resized(picture, whole, (side(width), side(height)), filter)
}

/// A part of the picture, `(left, top, width, height)`, at another size.
fn resized(
    picture: &RgbImage,
    (left, top, width, height): (f64, f64, f64, f64),
    size: (u32, u32),
    filter: Filter,
) -> RgbImage {
    let filter = match filter {
        Filter::Bilinear => FilterType::Bilinear,
        Filter::Bicubic => FilterType::CatmullRom,
    };
    let source = ImageRef::new(picture.width(), picture.height(), picture.as_raw(), PixelType::U8x3);
    let source = source.expect("an RGB picture has three bytes per pixel");
    let mut scaled = Image::new(size.0, size.1, PixelType::U8x3);
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).crop(left, top, width, height);
    Resizer::new()
        .resize(&source, &mut scaled, &options)
        .expect("the crop lies inside the picture and both have the same kind of pixel");
    RgbImage::from_raw(size.0, size.1, scaled.into_vec()).expect("both have three bytes per pixel")
}

/// `[3, pixels]`, normalised, from RGB pixels one after the other.
pub fn normalise(pixels: &[u8], preprocess: &ImagePreprocess) -> Vec<f32> {
    let (pixels, _) = pixels.as_chunks::<3>();
    let mut input = vec![0.0; 3 * pixels.len()];
    for (channel, plane) in input.chunks_exact_mut(pixels.len().max(1)).enumerate() {
        let (mean, std) = (preprocess.mean[channel], preprocess.std[channel]);
        plane.iter_mut().zip(pixels).for_each(|(to, pixel)| *to = (f32::from(pixel[channel]) - mean) / std);
    }
    input
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgba, RgbaImage};
    use proptest::prelude::*;

    use super::*;

    fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn gradient(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 5) as u8, (y * 7) as u8, 90]))
    }

    #[test]
    fn every_format_gives_the_same_pixels() {
        let picture = gradient(20, 12);
        for format in
            [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Gif]
        {
            let decoded = decode(&encode(&picture.clone().into(), format)).unwrap();
            assert_eq!(decoded.dimensions(), (20, 12), "{format:?}");
            if format != ImageFormat::Gif {
                assert_eq!(decoded, picture, "{format:?}");
            }
        }
        let jpeg = decode(&encode(&picture.into(), ImageFormat::Jpeg)).unwrap();
        assert_eq!(jpeg.dimensions(), (20, 12));
    }

    #[test]
    fn sixteen_bits_grey_and_alpha_become_rgb() {
        let deep = DynamicImage::ImageLuma16(image::ImageBuffer::from_pixel(3, 3, image::Luma([0x8080])));
        assert_eq!(decode(&encode(&deep, ImageFormat::Png)).unwrap().get_pixel(1, 1).0, [128; 3]);
        let glass = DynamicImage::ImageRgba8(RgbaImage::from_pixel(2, 2, Rgba([0, 0, 0, 0])));
        assert_eq!(decode(&encode(&glass, ImageFormat::Png)).unwrap().get_pixel(0, 0).0, [255; 3]);
        let half = DynamicImage::ImageRgba8(RgbaImage::from_pixel(2, 2, Rgba([0, 0, 0, 128])));
        assert_eq!(decode(&encode(&half, ImageFormat::Png)).unwrap().get_pixel(0, 0).0, [127; 3]);
    }

    /// A JPEG with an EXIF block that says how the camera was held.
    fn held(orientation: u8) -> Vec<u8> {
        let jpeg = encode(&gradient(16, 8).into(), ImageFormat::Jpeg);
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn pictures_stand_upright_however_the_camera_was_held() {
        let upright = decode(&held(1)).unwrap();
        for orientation in 1..=8 {
            let picture = decode(&held(orientation)).unwrap();
            let turned = orientation >= 5;
            assert_eq!(picture.dimensions(), if turned { (8, 16) } else { (16, 8) }, "{orientation}");
            assert_eq!(picture == upright, orientation == 1, "{orientation}");
        }
        let upside_down = image::imageops::rotate180(&upright);
        assert_eq!(decode(&held(3)).unwrap(), upside_down);
    }

    #[test]
    fn what_is_no_picture_is_told() {
        assert_eq!(decode(b""), Err(PrepError::Empty));
        assert_eq!(
            decode(b"hello, I am text"),
            Err(PrepError::NotAnImage { detail: "it holds text".into() })
        );
        let jpeg = encode(&gradient(64, 64).into(), ImageFormat::Jpeg);
        assert!(matches!(decode(&jpeg[..40]), Err(PrepError::Broken { .. } | PrepError::NotAnImage { .. })));
    }

    #[test]
    fn a_forged_size_is_refused_before_decoding() {
        let mut png = encode(&gradient(4, 4).into(), ImageFormat::Png);
        png[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        png[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        // The header's checksum has to fit for the header to be believed at all.
        let checksum = crc(&png[12..29]).to_be_bytes();
        png[29..33].copy_from_slice(&checksum);
        assert_eq!(
            decode(&png),
            Err(PrepError::TooLarge { width: 60_000, height: 60_000, limit: MAX_PIXELS })
        );
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
            })
        })
    }

    #[test]
    fn the_middle_is_cut_out_and_normalised() {
        // The edges black, the middle white: the crop of the shorter side, and what its smoothing reaches, is white.
        let picture =
            RgbImage::from_fn(30, 10, |x, _| image::Rgb([if (6..24).contains(&x) { 255 } else { 0 }; 3]));
        let preprocess = ImagePreprocess {
            size: 4,
            fit: Fit::CentreCrop { share: 1.0 },
            filter: Filter::Bilinear,
            mean: [127.0; 3],
            std: [128.0; 3],
        };
        assert!(image_input(&picture, &preprocess).iter().all(|value| *value == 1.0));
        let squeezed = image_input(&picture, &ImagePreprocess { fit: Fit::Squeeze, ..preprocess.clone() });
        assert!(squeezed[0] < 0.0);
        assert_eq!(image_input(&RgbImage::new(1, 1), &preprocess).len(), 48);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0_usize..5) {
            let magic: [&[u8]; 5] = [b"\x89PNG\r\n\x1a\n", b"\xFF\xD8\xFF", b"GIF89a", b"BM", b"II*\0"];
            bytes.splice(0..0, magic[kind].iter().copied());
            let _ = decode(&bytes);
        }
    }
}
