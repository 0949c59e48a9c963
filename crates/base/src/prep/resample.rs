//! The scaling of pictures as matrices, so that it can be written down as products.

use linalg::Matrix;

use super::Filter;

/// Bits that a weight has at most: products of weights and bytes, summed, stay whole numbers below 2^24, which single precision
/// holds exactly.
const MOST_BITS: i32 = 22;
/// A weight is a signed whole number of 16 bits.
const LARGEST: f64 = 32_768.0;

/// `[to, from]`: what [`scale`](super::scale) multiplies a row or column of pixels by, weights rounded as it rounds them.
///
/// It scales columns of pixels first, then rows, and rounds to bytes after each, halves up; a side whose length stays is left alone.
/// The tests hold both to the same bytes.
pub fn resampling(from: usize, to: usize, filter: Filter) -> Matrix {
    let (kernel, support): (fn(f64) -> f64, f64) = match filter {
        Filter::Bilinear => (triangle, 1.0),
        Filter::Bicubic => (catmull_rom, 2.0),
    };
    let scale = from as f64 / to as f64;
    let widen = scale.max(1.0);
    let mut weights = Matrix::<f64>::zeros(to, from);
    for place in 0..to {
        let centre = (place as f64 + 0.5) * scale;
        let first = (centre - support * widen).floor().max(0.0) as usize;
        let end = ((centre + support * widen).ceil() as usize).min(from);
        let row = weights.row_mut(place);
        for (tap, weight) in row.iter_mut().enumerate().take(end).skip(first) {
            *weight = kernel((tap as f64 - (centre - 0.5)) * (1.0 / widen));
        }
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|weight| *weight /= total);
    }
    let largest = weights.data().iter().copied().fold(0.0, f64::max);
    let fits = |bits: i32| (largest * f64::from(1 << bits)).round() < LARGEST;
    let bits = (1..MOST_BITS).take_while(|bits| fits(*bits)).last().unwrap_or(0);
    let unit = f64::from(1 << bits);
    weights.map(|weight| ((weight * unit).round() / unit) as f32)
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

fn catmull_rom(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;
    use crate::prep::scale;

    /// The picture scaled by matrices, in the order and with the rounding of [`scale`].
    fn by_matrices(picture: &RgbImage, width: usize, height: usize, filter: Filter) -> Vec<u8> {
        let (from_width, from_height) = (picture.width() as usize, picture.height() as usize);
        let whole = |value: f32| (value + 0.5).floor().clamp(0.0, 255.0);
        let mut values: Vec<f32> = picture.as_raw().iter().map(|value| f32::from(*value)).collect();
        if height != from_height {
            let down = resampling(from_height, height, filter);
            let at = |row: usize, x: usize| {
                down.row(row).iter().enumerate().map(|(y, w)| w * values[y * 3 * from_width + x]).sum::<f32>()
            };
            values = (0..height * 3 * from_width)
                .map(|place| whole(at(place / (3 * from_width), place % (3 * from_width))))
                .collect();
        }
        if width != from_width {
            let across = resampling(from_width, width, filter);
            let at = |row: usize, col: usize, channel: usize| {
                let line = &values[row * 3 * from_width..];
                across.row(col).iter().enumerate().map(|(x, w)| w * line[3 * x + channel]).sum::<f32>()
            };
            values = (0..height * width * 3)
                .map(|place| whole(at(place / (3 * width), place / 3 % width, place % 3)))
                .collect();
        }
        values.into_iter().map(|value| value as u8).collect()
    }

    #[test]
    fn matrices_give_the_very_bytes_that_scaling_gives() {
        let picture = RgbImage::from_fn(83, 61, |x, y| {
            let mixed = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761);
            image::Rgb([
                (mixed >> 24) as u8,
                (mixed >> 16) as u8,
                if (x / 9 + y / 7) % 2 == 0 { 255 } else { 0 },
            ])
        });
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            for (width, height) in [(42, 31), (83, 20), (60, 61), (17, 44), (120, 90), (1, 1)] {
                let expected = scale(&picture, width, height, filter);
                assert!(
                    by_matrices(&picture, width, height, filter) == *expected.as_raw(),
                    "{filter:?} {width} x {height}"
                );
            }
        }
    }
}
