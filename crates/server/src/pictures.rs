//! What browsers are shown of files that people gave.

use std::io::Cursor;
use std::path::Path;

use dataset::Modality;
use image::codecs::jpeg::JpegEncoder;

/// Longer side of a thumbnail, in pixels.
const LONG_SIDE: u32 = 256;

/// The kind of a file by its first bytes, of those that a browser only shows or plays. Others, such as SVG and HTML, could run
/// what is in them.
pub(crate) fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let is = |at: usize, mark: &[u8]| bytes.get(at..at + mark.len()) == Some(mark);
    let kinds: [(bool, &'static str); 11] = [
        (is(0, b"\xff\xd8\xff"), "image/jpeg"),
        (is(0, b"\x89PNG\r\n\x1a\n"), "image/png"),
        (is(0, b"GIF8"), "image/gif"),
        (is(0, b"RIFF") && is(8, b"WEBP"), "image/webp"),
        (is(0, b"BM"), "image/bmp"),
        (is(0, b"RIFF") && is(8, b"WAVE"), "audio/wav"),
        (is(0, b"fLaC"), "audio/flac"),
        (is(0, b"OggS"), "audio/ogg"),
        (is(0, b"ID3") || is(0, b"\xff\xfb") || is(0, b"\xff\xf3"), "audio/mpeg"),
        (is(4, b"ftyp"), "audio/mp4"),
        (is(0, b"\x1aE\xdf\xa3"), "audio/webm"),
    ];
    kinds.iter().find(|(fits, _)| *fits).map(|(_, kind)| *kind)
}

/// Width and height of a picture as it is shown, in pixels; `None` for what is no picture that can be read.
pub(crate) fn size(path: &Path, modality: Modality) -> Option<(u32, u32)> {
    if modality != Modality::Image {
        return None;
    }
    base::prep::size(&std::fs::read(path).ok()?).ok()
}

/// A small JPEG of a picture, or of a sound's spectrum; `None` where neither can be made.
pub(crate) fn thumbnail(path: &Path) -> Option<Vec<u8>> {
    let bytes = std::fs::read(path).ok()?;
    let sound = kind_of(&bytes).is_some_and(|kind| kind.starts_with("audio/"));
    let picture =
        if sound { pipeline::report::sound_picture(path)? } else { base::prep::decode(&bytes).ok()? };
    let small = image::DynamicImage::ImageRgb8(picture).thumbnail(LONG_SIDE, LONG_SIDE).to_rgb8();
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, 82).encode_image(&small).ok()?;
    Some(jpeg.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_shown_or_played_has_a_kind() {
        assert_eq!(kind_of(b"\xff\xd8\xff\xe0 ..."), Some("image/jpeg"));
        assert_eq!(kind_of(b"RIFF....WAVEfmt "), Some("audio/wav"));
        assert_eq!(kind_of(b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"), None);
        assert_eq!(kind_of(b"<!doctype html>"), None);
        assert_eq!(kind_of(b""), None);
    }
}
