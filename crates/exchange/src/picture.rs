//! The size of a picture as it is shown.

use std::io::{BufRead, Seek};
use std::path::Path;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageReader};

/// Width and height in pixels after the turn that the camera noted; nothing is decoded. `None` when it is no picture.
pub(crate) fn size(path: &Path) -> Option<(u32, u32)> {
    size_of(ImageReader::open(path).ok()?.with_guessed_format().ok()?)
}

fn size_of<R: BufRead + Seek>(reader: ImageReader<R>) -> Option<(u32, u32)> {
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let is_turned = matches!(
        decoder.orientation(),
        Ok(Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH)
    );
    match (width, height) {
        (0, _) | (_, 0) => None,
        (width, height) if is_turned => Some((height, width)),
        size => Some(size),
    }
}

/// Fractions of a pixel that are kept where coordinates are computed from shares of a size.
const GRAIN: f64 = 1e6;

/// A coordinate to a millionth of a pixel, so that what was a plain number before it became a share is one again.
pub(crate) fn rounded(pixels: f64) -> f64 {
    (pixels * GRAIN).round() / GRAIN
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{ExtendedColorType, ImageEncoder};

    use super::*;

    #[test]
    fn a_turned_photo_has_the_size_that_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        for (orientation, expect) in [(1, (30, 20)), (3, (30, 20)), (6, (20, 30)), (8, (20, 30))] {
            // One entry: orientation, a short.
            let exif = [
                b'I',
                b'I',
                42,
                0,
                8,
                0,
                0,
                0,
                1,
                0,
                0x12,
                0x01,
                3,
                0,
                1,
                0,
                0,
                0,
                orientation,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
            ];
            let mut bytes = Vec::new();
            let mut encoder = JpegEncoder::new(&mut bytes);
            encoder.set_exif_metadata(exif.to_vec()).unwrap();
            encoder.write_image(&[7; 600], 30, 20, ExtendedColorType::L8).unwrap();
            let path = dir.path().join("a.jpg");
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(size(&path), Some(expect), "{orientation}");
        }
        std::fs::write(dir.path().join("b.png"), "no picture").unwrap();
        assert_eq!(size(&dir.path().join("b.png")), None);
    }
}
