//! What browsers are shown of files that people gave.

use std::io::Cursor;
use std::path::Path;

use dataset::Modality;
use dataset::read::modality_of_file;
use image::codecs::jpeg::JpegEncoder;
use pipeline::report;

/// Longer side of a thumbnail, in pixels.
const LONG_SIDE: u32 = 256;
/// Of a picture that stands for one which browsers cannot draw.
const LARGE_SIDE: u32 = 2048;

/// The kind of a file by its first bytes, of those that a browser only shows or plays. Others, such as SVG and HTML, could run
/// what is in them. In some containers lie sounds or videos: there its name decides.
pub(crate) fn kind_of(bytes: &[u8], name: &Path) -> Option<&'static str> {
    let kind = kind_of_bytes(bytes)?;
    let is_video = modality_of_file(name) == Some(Modality::Video);
    Some(match kind {
        "audio/mp4" if is_video => "video/mp4",
        "audio/webm" if is_video => "video/webm",
        "audio/ogg" if is_video => "video/ogg",
        kind => kind,
    })
}

fn kind_of_bytes(bytes: &[u8]) -> Option<&'static str> {
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

/// The ending of a picture or a sound that came without a name, by its first bytes; no ending of a video, so that it is taken for none.
pub(crate) fn ending_of(bytes: &[u8]) -> &'static str {
    match kind_of_bytes(bytes) {
        Some("audio/mpeg") => "mp3",
        Some("audio/mp4") => "m4a",
        Some("audio/webm") => "mka",
        Some(kind) => kind.rsplit('/').next().unwrap_or("bin"),
        None => "bin",
    }
}

/// A small JPEG of a picture, of a sound's spectrum, of the middle of a video, of the course of a series; `None` where none can be
/// made.
pub(crate) fn thumbnail(path: &Path) -> Option<Vec<u8>> {
    let picture = match modality_of_file(path) {
        Some(Modality::Video) => report::video_poster(path)?,
        Some(Modality::Series) => report::series_picture(path)?,
        _ => {
            let bytes = std::fs::read(path).ok()?;
            let sound = kind_of_bytes(&bytes).is_some_and(|kind| kind.starts_with("audio/"));
            if sound { report::sound_picture(path)? } else { base::prep::decode(&bytes).ok()? }
        }
    };
    jpeg(image::DynamicImage::ImageRgb8(picture).thumbnail(LONG_SIDE, LONG_SIDE))
}

/// A large JPEG of a picture, never larger than it is; `None` for what is no picture that can be read.
pub(crate) fn large(path: &Path) -> Option<Vec<u8>> {
    let picture = image::DynamicImage::ImageRgb8(base::prep::decode(&std::fs::read(path).ok()?).ok()?);
    let fits = picture.width().max(picture.height()) <= LARGE_SIDE;
    jpeg(if fits { picture } else { picture.thumbnail(LARGE_SIDE, LARGE_SIDE) })
}

/// Frames of a video side by side, as a JPEG; `None` for what cannot be watched.
pub(crate) fn strip(path: &Path) -> Option<Vec<u8>> {
    jpeg(image::DynamicImage::ImageRgb8(report::video_strip(path)?))
}

fn jpeg(picture: image::DynamicImage) -> Option<Vec<u8>> {
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, 82).encode_image(&picture.to_rgb8()).ok()?;
    Some(jpeg.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_shown_or_played_has_a_kind() {
        let kind = |bytes: &[u8], name: &str| kind_of(bytes, Path::new(name));
        assert_eq!(kind(b"\xff\xd8\xff\xe0 ...", "a.jpg"), Some("image/jpeg"));
        assert_eq!(kind(b"RIFF....WAVEfmt ", "a.wav"), Some("audio/wav"));
        assert_eq!(kind(b"....ftypM4A ", "a.m4a"), Some("audio/mp4"));
        assert_eq!(kind(b"....ftypisom", "a.mp4"), Some("video/mp4"));
        assert_eq!(kind(b"\x1aE\xdf\xa3", "a.mkv"), Some("video/webm"));
        // Browsers play none of these; what is called a video and is a page is none either.
        assert_eq!(kind(b"RIFF....AVI LIST", "a.avi"), None);
        assert_eq!(kind(b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "a.mp4"), None);
        assert_eq!(kind(b"<!doctype html>", "a.webm"), None);
        assert_eq!(kind(b"time,<script>", "a.csv"), None);
        assert_eq!(kind(b"", ""), None);
    }

    #[test]
    fn a_sound_without_a_name_never_becomes_a_video() {
        for bytes in [&b"ID3...."[..], b"....ftypisom", b"\x1aE\xdf\xa3", b"OggS", b"RIFF....WAVE"] {
            let name = format!("x.{}", ending_of(bytes));
            assert_eq!(modality_of_file(Path::new(&name)), Some(Modality::Sound), "{name}");
        }
    }
}
