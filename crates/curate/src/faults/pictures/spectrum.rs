//! Whether a picture has as many details as pixels.

use crate::spectrum;

/// Lines looked at in each direction.
const LINES: usize = 64;
/// The longest piece of a line that is looked at, and the shortest.
const PIECE: (usize, usize) = (32, 1024);
/// Power that coarser details must have in a line, in grey levels squared: rounding to whole levels makes noise of its own.
const LEAST_POWER: f64 = 2.0;

/// Power of the finest quarter of all frequencies over that of the second coarsest, along rows and columns; `None` where a side is below
/// 32 pixels, or there is hardly anything but one tone.
///
/// Photographs have about a tenth as much there. Made larger by two, they have next to nothing: what was the finest detail has moved
/// to the middle, and the quarter above it holds what the interpolation lets through.
pub(super) fn detail(light: &[u8], width: usize, height: usize) -> Option<f64> {
    let (mut fine, mut coarse) = (0.0, 0.0);
    let mut add = |line: Vec<f64>| {
        let n = line.len();
        let power = spectrum::power(&line);
        fine += power[3 * n / 8..].iter().sum::<f64>() / n as f64;
        coarse += power[n / 8..n / 4].iter().sum::<f64>() / n as f64;
    };
    let piece = |side: usize| if side < PIECE.0 { 0 } else { (1 << side.ilog2()).min(PIECE.1) };
    let (across, down) = (piece(width), piece(height));
    if across == 0 || down == 0 {
        return None;
    }
    let (left, top) = ((width - across) / 2, (height - down) / 2);
    for y in lines(height) {
        add((0..across).map(|x| f64::from(light[y * width + left + x])).collect());
    }
    for x in lines(width) {
        add((0..down).map(|y| f64::from(light[(top + y) * width + x])).collect());
    }
    let n_lines = lines(height).count() + lines(width).count();
    (coarse / n_lines as f64 >= LEAST_POWER).then(|| fine / coarse)
}

/// Evenly spread lines.
fn lines(side: usize) -> impl Iterator<Item = usize> {
    let count = side.min(LINES);
    (0..count).map(move |line| (2 * line + 1) * side / (2 * count))
}
