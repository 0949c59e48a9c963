//! What is odd about a photo that could be looked at all the same.

use image::RgbImage;

use super::sight::Sight;

/// A photo is of another size from this factor on, in either direction: half and double are told, a cut edge is not.
const OTHER_SIZE: f64 = 1.5;
/// Brightness varies by less, as a standard deviation of 255, where nothing is to be seen: noise of a covered lens.
const BLANK: f64 = 2.0;
/// Share of a photo outside what good parts show that is told; where parts lie alike they still move by some pixels.
const OUTSIDE: f64 = 0.05;

/// What is odd about a photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Odd {
    /// It is of one colour: nothing is to be seen on it.
    Blank,
    /// It is much smaller or larger than those learned from: the nearest of them has as many pixels as a square of this side.
    OtherSize {
        /// In pixels.
        side: u32,
    },
    /// It is of another shape than the good parts that lie alike, and was stretched over them.
    OtherShape,
    /// Once it is laid over the good parts, so much of it lies where these show nothing: there nothing was compared.
    Outside {
        /// Percent of the photo.
        percent: u32,
    },
    /// Some of it is brighter than the bits that are used can hold: there it is white.
    Brighter,
}

impl Odd {
    /// That of a photo of another size than those learned from.
    pub(super) fn of_size(sight: &Sight, (width, height): (u32, u32)) -> Option<Self> {
        let side = side((width, height));
        let [least, most] = sight.sides?;
        let nearest = side.clamp(least, most);
        let is_other = side * OTHER_SIZE <= nearest || side >= nearest * OTHER_SIZE;
        is_other.then_some(Self::OtherSize { side: nearest.round() as u32 })
    }

    /// That of a photo of which so large a share was compared with nothing.
    pub(super) fn of_outside(share: f64) -> Option<Self> {
        (share >= OUTSIDE).then_some(Self::Outside { percent: (100.0 * share).round() as u32 })
    }
}

/// Side in pixels of a square as large as a photo.
pub(super) fn side((width, height): (u32, u32)) -> f64 {
    (f64::from(width) * f64::from(height)).sqrt()
}

/// Whether nothing is to be seen on a photo: it is of one colour, up to the noise of a camera.
pub(super) fn is_blank(photo: &RgbImage) -> bool {
    let n = f64::from(photo.width()) * f64::from(photo.height());
    (0..3).all(|channel| {
        let values = || photo.pixels().map(move |pixel| u64::from(pixel.0[channel]));
        let mean = values().sum::<u64>() as f64 / n;
        let square = values().map(|value| value * value).sum::<u64>() as f64 / n;
        (square - mean * mean).max(0.0).sqrt() < BLANK
    })
}

#[cfg(test)]
mod tests {
    use base::prep::Depth;
    use image::Rgb;

    use super::*;

    #[test]
    fn half_and_double_the_size_are_told_and_a_cut_edge_is_not() {
        let sides = Some([400.0, 500.0]);
        let mut sight =
            Sight { looks: Vec::new(), without_background: false, depth: Depth::FULL, canvas: None, sides };
        let told = [(400, 400), (500, 380), (200, 200), (1000, 1000), (700, 700), (760, 760)]
            .map(|size| Odd::of_size(&sight, size));
        let other = |side| Some(Odd::OtherSize { side });
        assert_eq!(told, [None, None, other(400), other(500), None, other(500)]);
        sight.sides = None;
        assert_eq!(Odd::of_size(&sight, (9, 9)), None);
    }

    #[test]
    fn a_covered_lens_shows_nothing_and_a_faint_mark_shows_something() {
        let noise = |x: u32, y: u32| (x * 7 + y * 13) as u8 % 3;
        assert!(is_blank(&RgbImage::from_fn(64, 64, |x, y| Rgb([noise(x, y); 3]))));
        assert!(is_blank(&RgbImage::from_pixel(8, 8, Rgb([200, 10, 3]))));
        let marked = RgbImage::from_fn(64, 64, |x, _| Rgb([128, if x < 8 { 118 } else { 128 }, 128]));
        assert!(!is_blank(&marked));
    }
}
