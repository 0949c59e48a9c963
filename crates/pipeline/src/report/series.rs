//! A series as the report shows it: the course of its first sensors, one above the other.

use std::path::Path;

use base::series::{Channel, even, read};
use image::{DynamicImage, Rgb, RgbImage};

use super::cards::{CardContent, thumbnail};

/// Size of the drawing in pixels.
const WIDTH: u32 = 176;
const HEIGHT: u32 = 132;
/// Sensors that are drawn.
const SHOWN: usize = 4;
const PAPER: Rgb<u8> = Rgb([246, 246, 244]);
/// One for each sensor.
const INKS: [Rgb<u8>; SHOWN] =
    [Rgb([47, 95, 168]), Rgb([200, 69, 47]), Rgb([31, 122, 92]), Rgb([150, 105, 10])];

/// Draws a series; missing where it cannot be read again.
pub(crate) fn series_card(path: &Path) -> CardContent {
    series_picture(path).map_or(CardContent::Missing, |drawing| thumbnail(&DynamicImage::ImageRgb8(drawing)))
}

/// The course of the first sensors of a series. `None` for what cannot be read.
pub fn series_picture(path: &Path) -> Option<RgbImage> {
    read(path).ok().map(|(series, _)| draw(&even(series).0.channels))
}

/// Each sensor in a band of its own, from its least to its greatest value.
fn draw(channels: &[Channel]) -> RgbImage {
    let mut drawing = RgbImage::from_pixel(WIDTH, HEIGHT, PAPER);
    let shown = &channels[..channels.len().min(SHOWN)];
    let band = HEIGHT / u32::try_from(shown.len().max(1)).expect("four at most");
    for ((channel, ink), top) in shown.iter().zip(INKS).zip((0..).step_by(band as usize)) {
        course(&mut drawing, &channel.values, ink, top + 2, band - 4);
    }
    drawing
}

/// In each column a stroke from the least to the greatest of its values, joined to the column before.
fn course(drawing: &mut RgbImage, values: &[f32], ink: Rgb<u8>, top: u32, height: u32) {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (Some(low), Some(high)) = (finite().reduce(f32::min), finite().reduce(f32::max)) else { return };
    let place = |value: f32| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        top + ((1.0 - share) * (height - 1) as f32).round() as u32
    };
    let n = values.len();
    for x in 0..WIDTH as usize {
        let (from, to) = (x * n / WIDTH as usize, ((x + 1) * n).div_ceil(WIDTH as usize).min(n));
        let piece = values[from.saturating_sub(1)..to].iter().copied().filter(|value| value.is_finite());
        let places: Vec<u32> = piece.map(place).collect();
        let (Some(first), Some(last)) = (places.iter().min(), places.iter().max()) else { continue };
        for y in *first..=*last {
            drawing.put_pixel(x as u32, y, ink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sensor_is_drawn_in_its_band() {
        let channel = |values: Vec<f32>| Channel { name: "a".into(), values };
        let wave = (0..1000).map(|step| (step as f32 * 0.02).sin()).collect();
        let drawing = draw(&[channel(wave), channel(vec![3.0; 7]), channel(vec![f32::NAN; 5])]);
        let inked = |ink| drawing.pixels().filter(|pixel| **pixel == ink).count();
        assert!(inked(INKS[0]) > WIDTH as usize && inked(INKS[1]) == WIDTH as usize);
        assert_eq!(inked(INKS[2]), 0);
        let rows = drawing.enumerate_pixels().filter(|(.., pixel)| **pixel == INKS[0]).map(|(_, y, _)| y);
        assert!(rows.max().unwrap() < HEIGHT / 3);
    }
}
