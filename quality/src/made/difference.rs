//! The mask of a defect: where the picture with it differs from the one without.

use image::{GrayImage, Luma};

use super::canvas::Canvas;

/// Least and most share of the picture that a defect takes.
const AREA: (f64, f64) = (0.0002, 0.03);
/// A channel differs from this on, of 1: two steps of 255.
const DIFFERS: f32 = 2.0 / 255.0;
/// The tenth of the marked pixels that differ most do so by at least this, of 1; below, nobody could see it.
const SEEN: f32 = 0.06;

/// Where two pictures differ; `None` when that is too little, too faint or too much.
pub(super) fn mask(good: &Canvas, bad: &Canvas) -> Option<GrayImage> {
    let difference = |(a, b): (&[f32; 3], &[f32; 3])| {
        a.iter().zip(b).map(|(a, b)| (a.clamp(0.0, 1.0) - b.clamp(0.0, 1.0)).abs()).fold(0.0, f32::max)
    };
    let differences: Vec<f32> = good.pixels.iter().zip(&bad.pixels).map(difference).collect();
    let mut marked: Vec<f32> = differences.iter().copied().filter(|value| *value >= DIFFERS).collect();
    let share = marked.len() as f64 / differences.len() as f64;
    if share < AREA.0 || share > AREA.1 {
        return None;
    }
    let tenth = marked.len() - 1 - marked.len() / 10;
    if *marked.select_nth_unstable_by(tenth, f32::total_cmp).1 < SEEN {
        return None;
    }
    let (width, height) = (good.width as u32, good.height as u32);
    let inside: Vec<bool> = differences.iter().map(|value| *value >= DIFFERS).collect();
    let closed = closed(&inside, good.width);
    Some(GrayImage::from_fn(width, height, |x, y| Luma([u8::from(closed[(y * width + x) as usize]) * 255])))
}

/// Closes gaps of up to two pixels: grown by one pixel all round, then shrunk by as much.
fn closed(inside: &[bool], width: usize) -> Vec<bool> {
    let around = |from: &[bool], wanted: bool| -> Vec<bool> {
        let height = from.len() / width;
        let near = |at: usize| {
            let (x, y) = (at % width, at / width);
            (y.saturating_sub(1)..(y + 2).min(height))
                .any(|y| (x.saturating_sub(1)..(x + 2).min(width)).any(|x| from[y * width + x] == wanted))
        };
        (0..from.len()).map(|at| if near(at) { wanted } else { !wanted }).collect()
    };
    around(&around(inside, true), false)
}
