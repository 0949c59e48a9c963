//! Pictures that show little, by their pixels alone. The questions are those of CleanVision; the limits are our own.

use super::{Checked, Fault, middle_and_spread};

/// A picture whose hundredth brightest pixel in ten thousand is darker than this is dark.
const DARK: f64 = 0.32;
/// A picture whose darkest twentieth is no darker than 1 minus this is bright.
const BRIGHT: f64 = 0.05;
/// Score of sharpness below which a picture may be blurred.
const BLURRED: f64 = 0.5;
/// Variance of the Laplacian, in grey levels squared, at which the score of sharpness is `1 - 1/e`.
const SHARP: f64 = 100.0;
/// And this many robust standard deviations of its logarithm below the other pictures.
const BLURRED_BY: f64 = 3.5;
/// The least spread of that logarithm.
const LEAST_SPREAD: f64 = 0.1;
/// Side, as a share of the median side or the other way round, below which a size is odd.
const ODD_SIZE: f64 = 0.25;
/// Shorter over longer side below which a shape is odd.
const ODD_ASPECT: f64 = 0.35;
/// Entropy of the grey levels, over 8 bits, below which there is hardly anything to see.
const LITTLE: f64 = 0.0625;
/// Colour channels that differ by no more than this are grey.
const GREY_LEVELS: u8 = 4;
/// Share of grey pictures from which on grey is nothing odd.
const GREY_SHARE: f64 = 0.1;

/// What is measured of one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picture {
    /// In pixels, at least 1.
    pub width: u32,
    /// In pixels, at least 1.
    pub height: u32,
    /// The 99th percentile of the brightness, in [0, 1].
    pub brightest: f64,
    /// The 5th percentile of the brightness, in [0, 1].
    pub darkest: f64,
    /// Entropy of the brightness in bits, in [0, 8].
    pub entropy: f64,
    /// Variance of the Laplacian of the brightness, in grey levels squared; 0 where a side is below 3 pixels.
    pub sharpness: f64,
    /// Whether all pixels but one in a thousand are grey.
    pub grey: bool,
}

impl Picture {
    /// Measures `width * height` pixels of three bytes, row by row.
    ///
    /// # Panics
    /// When there are no pixels, or not three bytes for each.
    pub fn measure(width: u32, height: u32, rgb: &[u8]) -> Self {
        let (pixels, rest) = rgb.as_chunks::<3>();
        assert!(rest.is_empty() && pixels.len() == width as usize * height as usize && !pixels.is_empty());
        // Rec. 601.
        let light: Vec<u8> = pixels
            .iter()
            .map(|[r, g, b]| ((299 * u32::from(*r) + 587 * u32::from(*g) + 114 * u32::from(*b)) / 1000) as u8)
            .collect();
        let mut levels = [0_usize; 256];
        light.iter().for_each(|level| levels[usize::from(*level)] += 1);
        let coloured = pixels.iter().filter(|pixel| {
            let (low, high) = (pixel.iter().min().unwrap_or(&0), pixel.iter().max().unwrap_or(&0));
            high - low > GREY_LEVELS
        });
        Self {
            width,
            height,
            brightest: percentile(&levels, light.len(), 0.99),
            darkest: percentile(&levels, light.len(), 0.05),
            entropy: entropy(&levels, light.len()),
            sharpness: laplacian_variance(&light, width as usize, height as usize),
            grey: coloured.count() * 1000 <= pixels.len(),
        }
    }
}

fn percentile(levels: &[usize; 256], n: usize, share: f64) -> f64 {
    let wanted = share * n as f64;
    let mut seen = 0;
    let level = levels.iter().position(|count| {
        seen += count;
        seen as f64 >= wanted
    });
    level.unwrap_or(255) as f64 / 255.0
}

fn entropy(levels: &[usize; 256], n: usize) -> f64 {
    let shares = levels.iter().filter(|count| **count > 0).map(|count| *count as f64 / n as f64);
    // The sum of a single level is minus zero.
    shares.map(|p| -p * p.log2()).sum::<f64>().max(0.0)
}

fn laplacian_variance(light: &[u8], width: usize, height: usize) -> f64 {
    if width < 3 || height < 3 {
        return 0.0;
    }
    let (mut sum, mut squares) = (0.0_f64, 0.0_f64);
    for y in 1..height - 1 {
        for x in 1..width - 1 {
            let at = |place: usize| i32::from(light[place]);
            let place = y * width + x;
            let bend = at(place - 1) + at(place + 1) + at(place - width) + at(place + width) - 4 * at(place);
            sum += f64::from(bend);
            squares += f64::from(bend).powi(2);
        }
    }
    let n = ((width - 2) * (height - 2)) as f64;
    (squares / n - (sum / n).powi(2)).max(0.0)
}

/// Every check of pictures, in the order of [`Fault::ALL`].
pub fn pictures(measured: &[Picture]) -> Vec<Checked> {
    let by = |fault, limit, score: &dyn Fn(&Picture) -> f64| {
        Checked::below(fault, measured.iter().map(score).collect(), limit)
    };
    vec![
        by(Fault::Dark, DARK, &|picture| picture.brightest),
        by(Fault::Bright, BRIGHT, &|picture| 1.0 - picture.darkest),
        blurry(measured),
        odd_size(measured),
        by(Fault::OddAspectRatio, ODD_ASPECT, &|picture| {
            let (width, height) = (f64::from(picture.width), f64::from(picture.height));
            (width / height).min(height / width)
        }),
        by(Fault::LowInformation, LITTLE, &|picture| picture.entropy / 8.0),
        grey(measured),
    ]
}

/// Blurred by itself and beside the others: drawings and plain parts have few edges, all of them.
fn blurry(measured: &[Picture]) -> Checked {
    let logs: Vec<f64> = measured.iter().map(|picture| picture.sharpness.max(1e-3).ln()).collect();
    let (middle, spread) = middle_and_spread(&logs).unwrap_or_default();
    let limit = middle - BLURRED_BY * spread.max(LEAST_SPREAD);
    let scores: Vec<f64> = measured.iter().map(|picture| 1.0 - (-picture.sharpness / SHARP).exp()).collect();
    let flagged = (0..scores.len()).filter(|row| scores[*row] < BLURRED && logs[*row] < limit).collect();
    Checked::with(Fault::Blurry, scores, flagged)
}

fn odd_size(measured: &[Picture]) -> Checked {
    let sides: Vec<f64> = measured
        .iter()
        .map(|picture| (f64::from(picture.width) * f64::from(picture.height)).sqrt())
        .collect();
    let middle = super::median(&sides).unwrap_or(1.0);
    let scores = sides.iter().map(|side| (side / middle).min(middle / side)).collect();
    Checked::below(Fault::OddSize, scores, ODD_SIZE)
}

fn grey(measured: &[Picture]) -> Checked {
    let share = measured.iter().filter(|picture| picture.grey).count() as f64 / measured.len().max(1) as f64;
    let odd = share < GREY_SHARE;
    let scores = measured.iter().map(|picture| if odd && picture.grey { 0.0 } else { 1.0 }).collect();
    Checked::below(Fault::Grey, scores, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A coloured chessboard of 40 x 40 pixels, changed by `of`.
    fn board(of: impl Fn(u8) -> u8) -> Picture {
        let pixels: Vec<u8> = (0..1600_usize)
            .flat_map(|place| {
                let on = (place % 40 / 4 + place / 160) % 2 == 0;
                if on { [of(220), of(120), of(place as u8)] } else { [of(20), of(60), of(90)] }
            })
            .collect();
        Picture::measure(40, 40, &pixels)
    }

    #[track_caller]
    fn check(odd: Picture, faults: &[Fault]) {
        let mut all = vec![board(|value| value); 20];
        all.push(odd);
        for checked in pictures(&all) {
            let expected: &[usize] = if faults.contains(&checked.fault) { &[20] } else { &[] };
            assert_eq!(checked.flagged, expected, "{:?}", checked.fault);
            assert!(checked.scores.iter().flatten().all(|score| (0.0..=1.0).contains(score)));
        }
    }

    #[test]
    fn each_fault_is_flagged_and_no_other() {
        check(board(|value| value), &[]);
        check(board(|value| value / 4), &[Fault::Dark]);
        check(board(|value| 250 + value / 64), &[Fault::Bright, Fault::Blurry, Fault::Grey]);
        check(Picture { width: 4, height: 5, ..board(|value| value) }, &[Fault::OddSize]);
        check(Picture { width: 120, height: 30, ..board(|value| value) }, &[Fault::OddAspectRatio]);
        check(Picture { sharpness: 2.0, ..board(|value| value) }, &[Fault::Blurry]);
        check(Picture { grey: true, ..board(|value| value) }, &[Fault::Grey]);
        let plain = Picture::measure(40, 40, &[128; 4800]);
        assert!(plain.grey && plain.entropy == 0.0 && plain.sharpness == 0.0);
        check(plain, &[Fault::LowInformation, Fault::Blurry, Fault::Grey]);
    }

    #[test]
    fn one_pixel_and_no_picture_are_defined() {
        let one = Picture::measure(1, 1, &[255, 0, 0]);
        assert_eq!((one.entropy, one.sharpness, one.grey), (0.0, 0.0, false));
        assert_eq!(pictures(&[]).len(), 7);
    }
}
