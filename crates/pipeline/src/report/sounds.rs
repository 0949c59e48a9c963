//! A sound as the report shows it: the course of its loudness above its spectrum over time.

use std::path::Path;

use base::sound::{Cut, Decoder, LogMel, Windows, picture};
use image::imageops::{FilterType, resize};
use image::{DynamicImage, Rgb, RgbImage};

use super::cards::{CardContent, thumbnail};

/// Size of the drawing in pixels.
const WIDTH: u32 = 176;
const WAVE_HEIGHT: u32 = 40;
const SPECTRUM_HEIGHT: u32 = 88;
/// What is drawn of a longer sound: its first half minute.
const SHOWN: Cut = Cut::seconds(30.0, 30.0);
/// Colours from quiet to loud, dark to light so that they can be told apart in grey as well.
const SCALE: [[f32; 3]; 5] = [
    [12.0, 15.0, 40.0],
    [60.0, 40.0, 120.0],
    [170.0, 60.0, 110.0],
    [240.0, 130.0, 60.0],
    [255.0, 240.0, 180.0],
];
const PAPER: Rgb<u8> = Rgb([246, 246, 244]);
const INK: Rgb<u8> = Rgb([70, 90, 130]);

/// Draws a sound file; missing where it cannot be read again.
pub(crate) fn sound_card(path: &Path) -> CardContent {
    sound_picture(path).map_or(CardContent::Missing, |drawing| thumbnail(&DynamicImage::ImageRgb8(drawing)))
}

/// The beginning of a sound as a picture: its loudness above its spectrum. `None` for what cannot be heard.
pub fn sound_picture(path: &Path) -> Option<RgbImage> {
    let first = Windows::new(Decoder::open(path).ok()?, SHOWN).next()?.ok()?;
    draw(&first.samples)
}

/// The loudness of samples at 16 kHz above their spectrum; `None` without a sample.
fn draw(samples: &[f32]) -> Option<RgbImage> {
    let grey = picture(&LogMel::default().log_mel(samples))?;
    let spectrum = resize(&grey, WIDTH, SPECTRUM_HEIGHT, FilterType::Triangle);
    let mut drawing = RgbImage::from_pixel(WIDTH, WAVE_HEIGHT + SPECTRUM_HEIGHT, PAPER);
    for (x, y, pixel) in spectrum.enumerate_pixels() {
        drawing.put_pixel(x, WAVE_HEIGHT + y, colour(f32::from(pixel.0[0]) / 255.0));
    }
    let per_column = samples.len().div_ceil(WIDTH as usize);
    for (x, piece) in (0..WIDTH).zip(samples.chunks(per_column)) {
        let loudest = piece.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs())).min(1.0);
        let half = ((WAVE_HEIGHT / 2 - 1) as f32 * loudest).round() as u32;
        for y in WAVE_HEIGHT / 2 - half..=WAVE_HEIGHT / 2 + half {
            drawing.put_pixel(x, y, INK);
        }
    }
    Some(drawing)
}

/// `share` is in [0, 1].
fn colour(share: f32) -> Rgb<u8> {
    let place = share * (SCALE.len() - 1) as f32;
    let low = (place as usize).min(SCALE.len() - 2);
    let part = place - low as f32;
    let mixed = |channel: usize| SCALE[low][channel] * (1.0 - part) + SCALE[low + 1][channel] * part;
    Rgb([mixed(0) as u8, mixed(1) as u8, mixed(2) as u8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_a_bright_line_and_silence_a_flat_one() {
        let tone: Vec<f32> = (0..16_000).map(|i| (i as f32 * 0.4).sin() * 0.8).collect();
        let drawing = draw(&tone).unwrap();
        let brightness = |y: u32| u32::from(drawing.get_pixel(WIDTH / 2, y).0[0]);
        let bright = (WAVE_HEIGHT..WAVE_HEIGHT + SPECTRUM_HEIGHT).max_by_key(|y| brightness(*y)).unwrap();
        // About 1 kHz lies below the middle of the mel scale.
        assert!(bright > WAVE_HEIGHT + SPECTRUM_HEIGHT / 2, "{bright}");
        let inked =
            |drawing: &RgbImage| (0..WAVE_HEIGHT).filter(|y| *drawing.get_pixel(9, *y) == INK).count();
        assert!(inked(&drawing) > 25);
        assert_eq!(inked(&draw(&vec![0.0; 1600]).unwrap()), 1);
        assert!(draw(&[]).is_none());
    }
}
