//! A heat map over a photo: colour says how suspicious a place is, and nothing else.

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Luma, Rgb, RgbImage};

/// Suspicion by cell of a grid over a photo, row by row from the top.
#[derive(Debug, Clone, Copy)]
pub struct HeatMap<'a> {
    rows: usize,
    cols: usize,
    values: &'a [f32],
}

/// From dark to light, each step as visible as the others: matplotlib's "inferno" (van der Walt and Smith 2015) at 2/8 to 8/8.
const COLOURS: [[f32; 3]; 7] = [
    [87.0, 16.0, 110.0],
    [136.0, 34.0, 106.0],
    [187.0, 55.0, 84.0],
    [227.0, 89.0, 51.0],
    [249.0, 140.0, 10.0],
    [249.0, 201.0, 50.0],
    [252.0, 255.0, 164.0],
];
/// How much of the photo the strongest colour hides.
const STRONGEST: f32 = 0.82;
/// Black becomes this grey, so that the darkest colours can be seen on a dark defect.
const LIFT: f32 = 44.0;
/// From this share of the range on, colours are at their strongest.
const STRONG_FROM: f32 = 0.55;

impl<'a> HeatMap<'a> {
    /// `values` is `[rows * cols]`; `None` when it is not, or when there is no cell.
    pub fn new(rows: usize, cols: usize, values: &'a [f32]) -> Option<Self> {
        let fits = !values.is_empty() && rows.checked_mul(cols) == Some(values.len());
        (fits && rows.max(cols) <= u32::MAX as usize).then_some(Self { rows, cols, values })
    }

    /// The middle of the hottest cell, as shares of width and height.
    pub(super) fn hottest(&self) -> (f64, f64) {
        let at = (0..self.values.len())
            .max_by(|a, b| heat(self.values[*a]).total_cmp(&heat(self.values[*b])).then(b.cmp(a)))
            .expect("a heat map has at least one cell");
        let middle = |index: usize, of: usize| (index as f64 + 0.5) / of as f64;
        (middle(at % self.cols, self.cols), middle(at / self.cols, self.rows))
    }

    /// Shares of the range on another grid, by bilinear interpolation between the middles of cells.
    fn shares(&self, (low, high): (f32, f32), width: u32, height: u32) -> ImageBuffer<Luma<f32>, Vec<f32>> {
        let values: Vec<f32> = self.values.iter().map(|value| share(heat(*value), low, high)).collect();
        let cells = ImageBuffer::<Luma<f32>, _>::from_raw(self.cols as u32, self.rows as u32, values)
            .expect("the number of values was checked when the map was made");
        imageops::resize(&cells, width, height, FilterType::Triangle)
    }
}

/// The photo in grey with the map in colour over it. Below `range.0` nothing is drawn; from `range.1` on the colour is the lightest.
///
/// Use one range for all photos of a page, so that equal colours mean equal suspicion. A cell that is not a number is drawn as
/// the most suspicious, as a score that is not a number alarms.
pub fn heat_overlay(photo: &RgbImage, map: HeatMap<'_>, range: (f32, f32)) -> RgbImage {
    let (width, height) = photo.dimensions();
    if width == 0 || height == 0 {
        return photo.clone();
    }
    let shares = map.shares(range, width, height);
    let mut overlay = RgbImage::new(width, height);
    for ((to, from), share) in overlay.pixels_mut().zip(photo.pixels()).zip(shares.pixels()) {
        *to = blend(*from, share.0[0]);
    }
    overlay
}

fn heat(value: f32) -> f32 {
    if value.is_nan() { f32::INFINITY } else { value }
}

fn share(value: f32, low: f32, high: f32) -> f32 {
    if high > low && value.is_finite() {
        ((value - low) / (high - low)).clamp(0.0, 1.0)
    } else {
        // A range without width can only say "above" or "not above".
        f32::from(u8::from(value > low))
    }
}

fn blend(photo: Rgb<u8>, share: f32) -> Rgb<u8> {
    let [r, g, b] = photo.0.map(f32::from);
    let grey = LIFT + (1.0 - LIFT / 255.0) * (0.299 * r + 0.587 * g + 0.114 * b);
    let opacity = STRONGEST * (share / STRONG_FROM).min(1.0);
    let colour = colour(share);
    Rgb([0, 1, 2].map(|channel| (grey + opacity * (colour[channel] - grey)).round().clamp(0.0, 255.0) as u8))
}

/// The colour of a share of the range, between the two nearest of the table.
fn colour(share: f32) -> [f32; 3] {
    let place = share.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f32;
    let below = (place as usize).min(COLOURS.len() - 2);
    let along = place - below as f32;
    [0, 1, 2].map(|channel| {
        COLOURS[below][channel] + along * (COLOURS[below + 1][channel] - COLOURS[below][channel])
    })
}

/// The colours from low to high as a CSS gradient, for the legend.
pub(super) fn gradient() -> String {
    let stops: Vec<String> = COLOURS.iter().map(|[r, g, b]| format!("rgb({r:.0} {g:.0} {b:.0})")).collect();
    format!("linear-gradient(90deg,transparent,{})", stops.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32) -> RgbImage {
        RgbImage::from_pixel(width, height, Rgb([100, 100, 100]))
    }

    #[test]
    fn cold_places_show_the_photo_and_hot_ones_the_lightest_colour() {
        let values = [0.0, 0.0, 0.0, 9.0];
        let overlay = heat_overlay(&grey(40, 40), HeatMap::new(2, 2, &values).unwrap(), (1.0, 5.0));
        let cold = overlay.get_pixel(0, 0).0;
        assert!(cold == [cold[0]; 3] && cold[0] > 100, "{cold:?}");
        let hot = overlay.get_pixel(39, 39).0;
        assert!(hot[0] > 220 && hot[1] > 220 && hot[2] > 140, "{hot:?}");
        // Between the middles of two cells the colour is between theirs.
        let between = overlay.get_pixel(20, 39).0;
        assert!(between != hot && between != cold, "{between:?}");
    }

    #[test]
    fn lightness_grows_with_suspicion() {
        let lightness = |step: u8| {
            let [r, g, b] = colour(f32::from(step) / 50.0);
            0.299 * r + 0.587 * g + 0.114 * b
        };
        assert!((1..=50).all(|step| lightness(step) > lightness(step - 1)));
    }

    #[test]
    fn a_photo_in_colour_becomes_grey_where_nothing_is_suspicious() {
        let photo = RgbImage::from_pixel(8, 8, Rgb([200, 20, 20]));
        let overlay = heat_overlay(&photo, HeatMap::new(1, 1, &[0.0]).unwrap(), (1.0, 2.0));
        let [r, g, b] = overlay.get_pixel(3, 3).0;
        assert!(r == g && g == b);
    }

    #[test]
    fn broken_values_are_hot_and_broken_ranges_break_nothing() {
        for (value, range) in [
            (f32::NAN, (0.0, 1.0)),
            (f32::INFINITY, (0.0, 1.0)),
            (2.0, (1.0, 1.0)),
            (f32::NAN, (f32::NAN, 1.0)),
        ] {
            let overlay = heat_overlay(&grey(4, 4), HeatMap::new(1, 1, &[value]).unwrap(), range);
            let [r, g, b] = overlay.get_pixel(2, 2).0;
            let hot = r != g || g != b;
            assert_eq!(hot, !range.0.is_nan(), "{value} {range:?}");
        }
        assert!(HeatMap::new(2, 2, &[0.0; 3]).is_none() && HeatMap::new(0, 0, &[]).is_none());
        assert_eq!(heat_overlay(&grey(0, 0), HeatMap::new(1, 1, &[1.0]).unwrap(), (0.0, 1.0)).len(), 0);
    }

    #[test]
    fn the_hottest_cell_is_the_first_of_the_highest() {
        let hottest = HeatMap::new(2, 2, &[0.0, 3.0, 3.0, 1.0]).unwrap().hottest();
        assert_eq!(hottest, (0.75, 0.25));
    }
}
