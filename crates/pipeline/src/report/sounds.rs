//! A sound as the report shows it: the course of its loudness above its spectrum over time.

use std::path::Path;

use base::sound::{Cut, Decoder, LogMel, RATE, Windows, picture, piece};
use base64::Engine;
use dataset::Span;
use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};

use super::cards::{CardContent, jpeg};

/// Size of the drawing in pixels.
const WIDTH: u32 = 176;
const WAVE_HEIGHT: u32 = 40;
const SPECTRUM_HEIGHT: u32 = 88;
/// What is drawn of a longer sound: its first half minute.
const SHOWN: Cut = Cut::seconds(30.0, 30.0);
/// Bytes of the clip that can be listened to: two seconds, of longer sounds four at half the rate. A page holds hundreds of cards.
const CLIP_BYTES: usize = 32_000;
/// Weights of the samples 1, 3, 5 and 7 away: a half-band filter under a Hann window.
const HALF_BAND: [f32; 4] = [0.305_3, -0.073_1, 0.019_6, -0.001_7];
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

/// Draws a sound file, and gives its beginning to listen to; missing where it cannot be read again.
pub(crate) fn sound_card(path: &Path) -> CardContent {
    beginning(path).and_then(|samples| card(&samples)).unwrap_or(CardContent::Missing)
}

/// The same of a piece of a sound file.
pub(crate) fn piece_card(path: &Path, span: Span) -> CardContent {
    let samples = || beginning_of(Decoder::new(&piece(path, span).ok()?.bytes).ok()?);
    samples().and_then(|samples| card(&samples)).unwrap_or(CardContent::Missing)
}

fn card(samples: &[f32]) -> Option<CardContent> {
    Some(CardContent::Sound { drawing: jpeg(&draw(samples)?)?, clip: clip(samples) })
}

/// The beginning of a sound as a picture: its loudness above its spectrum. `None` for what cannot be heard.
pub fn sound_picture(path: &Path) -> Option<RgbImage> {
    draw(&beginning(path)?)
}

/// The first half minute, at 16 kHz.
fn beginning(path: &Path) -> Option<Vec<f32>> {
    beginning_of(Decoder::open(path).ok()?)
}

fn beginning_of(decoder: Decoder<'_>) -> Option<Vec<f32>> {
    Some(Windows::new(decoder, SHOWN).next()?.ok()?.samples)
}

/// The first seconds as a `data:` address: a WAV file of at most [`CLIP_BYTES`] of mu-law, of longer sounds at half the rate.
fn clip(samples: &[f32]) -> String {
    let (samples, rate) = if samples.len() <= CLIP_BYTES {
        (samples.to_vec(), RATE)
    } else {
        (halved(&samples[..samples.len().min(2 * CLIP_BYTES)]), RATE / 2)
    };
    let n = samples.len() as u32;
    let mut wav = Vec::with_capacity(samples.len() + 58);
    wav.extend(b"RIFF");
    wav.extend((50 + n).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(18_u32.to_le_bytes());
    // Mu-law, one channel, one byte a sample, no extension.
    wav.extend([7_u16, 1].map(u16::to_le_bytes).concat());
    wav.extend([rate, rate].map(u32::to_le_bytes).concat());
    wav.extend([1_u16, 8, 0].map(u16::to_le_bytes).concat());
    wav.extend(b"fact");
    wav.extend([4, n].map(u32::to_le_bytes).concat());
    wav.extend(b"data");
    wav.extend(n.to_le_bytes());
    wav.extend(samples.iter().map(|sample| mu_law(*sample)));
    let packed = base64::engine::general_purpose::STANDARD.encode(wav);
    format!("data:audio/wav;base64,{packed}")
}

/// Every second sample of what lies below a quarter of the rate.
fn halved(samples: &[f32]) -> Vec<f32> {
    let at = |place: isize| samples.get(place.unsigned_abs()).copied().unwrap_or(0.0);
    let filtered = |place: usize| {
        let centre = 2 * place as isize;
        let sides: f32 = HALF_BAND
            .iter()
            .zip((1..).step_by(2))
            .map(|(weight, off): (&f32, isize)| weight * (at(centre - off) + at(centre + off)))
            .sum();
        0.5 * at(centre) + sides
    };
    (0..samples.len() / 2).map(filtered).collect()
}

/// One sample of ITU-T G.711.
fn mu_law(sample: f32) -> u8 {
    let value = (sample.clamp(-1.0, 1.0) * 32_635.0) as i32;
    let (sign, size) = (if value < 0 { 0x80 } else { 0 }, value.abs() + 132);
    let exponent = (size >> 7).ilog2().min(7);
    let mantissa = (size >> (exponent + 3)) & 0x0f;
    !(sign | (exponent << 4) as u8 | mantissa as u8)
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

    /// The clip of a sound, decoded again.
    fn played(samples: &[f32]) -> base::sound::Recording {
        let clip = clip(samples);
        let packed = clip.strip_prefix("data:audio/wav;base64,").unwrap();
        assert!(packed.len() < 45_000);
        let bytes = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
        base::sound::decode_whole(&bytes, 60).unwrap()
    }

    #[test]
    fn the_clip_sounds_as_the_sound_does() {
        let tone = |n: usize| (0..n).map(|at| 0.6 * (at as f32 * 0.2).sin()).collect::<Vec<f32>>();
        for (n, rate, step) in [(16_000, RATE, 1), (200_000, RATE / 2, 2)] {
            let (samples, played) = (tone(n), played(&tone(n)));
            assert_eq!((played.rate, played.channels.len()), (rate, 1));
            assert_eq!(played.channels[0].len(), (n / step).min(CLIP_BYTES));
            let off = (100..4000).map(|at| (played.channels[0][at] - samples[step * at]).abs());
            assert!(off.fold(0.0, f32::max) < 0.03, "at {rate}");
        }
    }
}
