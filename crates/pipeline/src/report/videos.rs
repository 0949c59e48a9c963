//! A video as the report shows it: a strip of four frames, the first on the left.

use std::path::Path;

use base::video::{Ffmpeg, frames};
use image::imageops::{FilterType, replace, resize};
use image::{DynamicImage, Rgb, RgbImage};

use super::cards::{CardContent, thumbnail};

/// Frames on a strip.
const SHOWN: usize = 4;
/// Height of a strip before it is shrunk to a card, in pixels.
const HEIGHT: u32 = 132;
/// Between two frames, in pixels.
const GAP: u32 = 4;
const PAPER: Rgb<u8> = Rgb([246, 246, 244]);

/// Draws a video file; missing where it cannot be read again.
pub(crate) fn video_card(path: &Path) -> CardContent {
    video_strip(path).map_or(CardContent::Missing, |strip| thumbnail(&DynamicImage::ImageRgb8(strip)))
}

/// Four frames of a video side by side. `None` for what cannot be watched.
pub fn video_strip(path: &Path) -> Option<RgbImage> {
    frames(&Ffmpeg::default(), path).ok().and_then(|watched| strip(&watched.frames))
}

/// The frame in the middle of a video. `None` for what cannot be watched.
pub fn video_poster(path: &Path) -> Option<RgbImage> {
    let mut frames = frames(&Ffmpeg::default(), path).ok()?.frames;
    Some(frames.swap_remove(frames.len() / 2))
}

/// Frames from the whole length side by side, each once; `None` without a frame.
fn strip(frames: &[RgbImage]) -> Option<RgbImage> {
    let first = frames.first()?;
    let width = (first.width() * HEIGHT / first.height()).clamp(1, 3 * HEIGHT);
    let n_shown = frames.len().min(SHOWN);
    let columns = u32::try_from(n_shown).expect("four at most");
    let mut strip = RgbImage::from_pixel(columns * (width + GAP) - GAP, HEIGHT, PAPER);
    for (column, place) in (0..columns).zip(0..n_shown) {
        let frame = &frames[place * (frames.len() - 1) / (n_shown - 1).max(1)];
        let left = i64::from(column * (width + GAP));
        replace(&mut strip, &resize(frame, width, HEIGHT, FilterType::Triangle), left, 0);
    }
    Some(strip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_goes_from_the_first_frame_to_the_last() {
        let frames: Vec<RgbImage> = (0..9).map(|n| RgbImage::from_pixel(80, 60, Rgb([n * 20; 3]))).collect();
        let drawn = strip(&frames).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (4 * 176 + 3 * GAP, HEIGHT));
        let brightness = |column: u32| drawn.get_pixel(column * 180 + 88, 66).0[0];
        assert_eq!([0, 1, 2, 3].map(brightness), [0, 40, 100, 160]);
        assert_eq!(strip(&frames[..1]).unwrap().width(), 176);
        assert!(strip(&[]).is_none());
    }
}
