//! What an inspector looks at: a photo as it is, of a sound the picture of its spectrum over time, of a series its curves and spectra, of
//! a video its frames and what moves when.

mod film;
mod trace;

use std::io::Cursor;
use std::path::Path;

use dataset::{Modality, ProblemKind};
use image::imageops::{FilterType, resize};
use image::{GrayImage, ImageBuffer, ImageFormat, Luma, PixelWithColorType};
use linalg::Matrix;
use serde::{Deserialize, Serialize};

use crate::prep::PrepError;
use crate::sound::{BANDS, Cut, Decoder, LogMel, Windows};

pub use film::Film;
pub use trace::{TracePlace, Traces};

/// Longest sound that is looked at whole; of longer ones the rest is told as missing.
pub const LONGEST: f64 = 60.0;
/// Pixels of a frame (10 ms) and of a mel band.
const PIXELS: (u32, u32) = (2, 3);
/// Powers of ten that are black and white: the level itself is looked at, so that too loud and too quiet show.
const BLACK: f32 = -7.0;
const WHITE: f32 = 2.0;

/// The scale on which series or videos are drawn, known from those that were learned from. Photos and sounds need none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Canvas {
    /// Files are series.
    Series(Traces),
    /// Files are videos.
    Videos(Film),
}

impl Canvas {
    /// Whether the parts fit together, of what came from a file.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Series(traces) => traces.is_sound(),
            Self::Videos(film) => film.is_sound(),
        }
    }

    /// Whether files were drawn otherwise when it was made: then nothing that was learned fits what is drawn now.
    pub fn is_older(&self) -> bool {
        match self {
            Self::Series(traces) => traces.is_older(),
            Self::Videos(_) => false,
        }
    }
}

/// What a file is looked at by.
#[derive(Debug, Clone)]
pub struct Depicted {
    /// Of a picture.
    pub bytes: Vec<u8>,
    /// What of the file was lost or set right before it was drawn; the rest is there.
    pub damage: Option<ProblemKind>,
}

/// The bytes of a picture: those of the file itself, or for a sound those of its spectrum, 2 pixels a frame of 10 ms and 3 a mel band,
/// low ones at the bottom; black at 1e-7 of full power and white at a hundred times it. With a canvas files are what that is for.
///
/// # Errors
/// [`PrepError`] when the file cannot be read or decoded, or a sound is longer than [`LONGEST`].
pub fn depict(path: &Path, canvas: Option<&Canvas>) -> Result<Depicted, PrepError> {
    let (modality, bytes, damage) = match canvas {
        Some(Canvas::Series(traces)) => {
            let (picture, damage) = traces.draw(path)?;
            (Modality::Series, as_file(&picture), damage)
        }
        Some(Canvas::Videos(film)) => {
            let (picture, damage) = film.draw(path)?;
            (Modality::Video, as_file(&picture), damage)
        }
        None if dataset::read::modality_of_file(path) == Some(Modality::Sound) => {
            let (picture, damage) = spectrum(Decoder::open(path)?)?;
            (Modality::Sound, as_file(&picture), damage)
        }
        None => {
            let unreadable = |error: std::io::Error| PrepError::Unreadable { detail: error.to_string() };
            (Modality::Image, std::fs::read(path).map_err(unreadable)?, None)
        }
    };
    Ok(Depicted { bytes, damage: damage.map(|detail| ProblemKind::damaged(modality, detail)) })
}

/// When in a sound these columns of its picture are: start and end in seconds.
pub fn seconds_of_sound(left: u32, right: u32) -> [f64; 2] {
    let a_second = 100.0 * f64::from(PIXELS.0);
    [left, right].map(|column| f64::from(column) / a_second)
}

fn spectrum(decoder: Decoder<'_>) -> Result<(GrayImage, Option<String>), PrepError> {
    let mut windows = Windows::new(decoder, Cut::seconds(LONGEST, LONGEST));
    let window = windows.next().ok_or(PrepError::NoSamples)??;
    if windows.next().is_some() {
        return Err(PrepError::TooLong { limit_seconds: LONGEST as u64 });
    }
    let log_mel = LogMel::default().log_mel(&window.samples);
    if log_mel.rows() == 0 {
        return Err(PrepError::NoSamples);
    }
    Ok((drawn(&log_mel), windows.damage().detail()))
}

fn as_file<P>(picture: &ImageBuffer<P, Vec<u8>>) -> Vec<u8>
where
    P: PixelWithColorType<Subpixel = u8>,
{
    let mut bmp = Cursor::new(Vec::new());
    picture.write_to(&mut bmp, ImageFormat::Bmp).expect("a picture of limited size fits into memory");
    bmp.into_inner()
}

fn drawn(log_mel: &Matrix) -> GrayImage {
    let (width, height) = (log_mel.rows() as u32, BANDS as u32);
    let plain = GrayImage::from_fn(width, height, |x, y| {
        let value = log_mel.row(x as usize)[(height - 1 - y) as usize];
        let share = ((value - BLACK) / (WHITE - BLACK)).clamp(0.0, 1.0);
        Luma([(255.0 * share).round() as u8])
    });
    resize(&plain, PIXELS.0 * width, PIXELS.1 * height, FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn louder_is_brighter_and_time_goes_right() {
        let mut frames = Matrix::zeros(10, BANDS);
        (0..10).for_each(|frame| frames.row_mut(frame).fill(-7.0));
        (5..10).for_each(|frame| frames.row_mut(frame)[..40].fill(-1.0));
        let picture = drawn(&frames);
        assert_eq!(picture.dimensions(), (20, 240));
        let at = |x, y| picture.get_pixel(x, y).0[0];
        assert_eq!((at(2, 200), at(17, 200), at(17, 20)), (0, 170, 0));
    }
}
