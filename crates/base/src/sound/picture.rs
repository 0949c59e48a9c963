//! A sound as a picture, for networks that were trained on photos.

use image::{Rgb, RgbImage};
use linalg::Matrix;

/// How far below the loudest value of a window black lies, in powers of ten: 80 dB.
const DEPTH: f32 = 8.0;

/// A log-mel of at least one frame, `[t, 80]`, as a grey picture `t` pixels wide and 80 high: time to the right, low bands at the bottom.
///
/// White is the window's loudest value, black 80 dB below it and less; all black when nothing differs. `None` without a frame.
/// [`image_input`](crate::prep::image_input) scales it to a network's square; [`Fit::Squeeze`](crate::prep::Fit::Squeeze) keeps all of it.
pub fn picture(log_mel: &Matrix) -> Option<RgbImage> {
    if log_mel.rows() == 0 {
        return None;
    }
    let extreme = |pick: fn(f32, f32) -> f32| log_mel.data().iter().copied().reduce(pick).unwrap_or(0.0);
    let (loudest, is_even) = (extreme(f32::max), extreme(f32::max) == extreme(f32::min));
    let (width, height) = (log_mel.rows() as u32, log_mel.cols() as u32);
    Some(RgbImage::from_fn(width, height, |x, y| {
        let value = log_mel.row(x as usize)[(height - 1 - y) as usize];
        let share = if is_even { 0.0 } else { ((value - loudest) / DEPTH + 1.0).max(0.0) };
        Rgb([(share * 255.0).round() as u8; 3])
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_is_white_low_is_at_the_bottom_and_late_to_the_right() {
        let mut frames = Matrix::zeros(3, 80);
        frames.row_mut(0).fill(-9.0);
        frames.row_mut(1).fill(-4.0);
        frames.row_mut(2).fill(-8.0);
        frames.row_mut(2)[0] = 0.0;
        let picture = picture(&frames).unwrap();
        assert_eq!(picture.dimensions(), (3, 80));
        let at = |x, y| picture.get_pixel(x, y).0;
        assert_eq!((at(0, 0), at(1, 0), at(2, 0), at(2, 79)), ([0; 3], [128; 3], [0; 3], [255; 3]));
    }

    #[test]
    fn silence_is_black_and_nothing_is_no_picture() {
        let mut silence = Matrix::zeros(2, 80);
        silence.row_mut(0).fill(-10.0);
        silence.row_mut(1).fill(-10.0);
        assert!(picture(&silence).unwrap().pixels().all(|pixel| pixel.0 == [0; 3]));
        assert!(picture(&Matrix::zeros(0, 80)).is_none());
    }
}
