//! A photo with its suspicion over it, to look at.

use bundle::inspection::ScoreMap;
use image::{Rgb, RgbImage};

/// Suspicion at which the colours begin, and how far above the mark they end, in units of good patches.
const SPAN: (f32, f32) = (1.0, 1.5);
/// Colours from the first hint to certainty, rising in lightness so that they are told apart without hue.
const COLOURS: [[f32; 3]; 4] =
    [[68.0, 1.0, 84.0], [180.0, 30.0, 100.0], [240.0, 110.0, 40.0], [252.0, 240.0, 150.0]];
/// The most that a colour covers of the photo.
const COVER: f32 = 0.7;

/// The photo with colours where it is suspicious: none at what good parts show, full at one and a half times the mark.
pub fn heat_picture(photo: &RgbImage, map: &ScoreMap, mark: f32) -> RgbImage {
    let full = map.resized(photo.height() as usize, photo.width() as usize);
    let top = (mark * SPAN.1).max(SPAN.0 + 1.0);
    let mut heat = photo.clone();
    for (pixel, value) in heat.pixels_mut().zip(&full.values) {
        let share = ((value - SPAN.0) / (top - SPAN.0)).clamp(0.0, 1.0);
        if share > 0.0 {
            let (colour, cover) = (colour(share), COVER * share.sqrt());
            *pixel = Rgb([0, 1, 2].map(|channel| {
                (f32::from(pixel[channel]) * (1.0 - cover) + colour[channel] * cover).round() as u8
            }));
        }
    }
    heat
}

fn colour(share: f32) -> [f32; 3] {
    let at = share * (COLOURS.len() - 1) as f32;
    let before = (at.floor() as usize).min(COLOURS.len() - 2);
    let along = at - before as f32;
    [0, 1, 2].map(|channel| {
        COLOURS[before][channel] + along * (COLOURS[before + 1][channel] - COLOURS[before][channel])
    })
}
