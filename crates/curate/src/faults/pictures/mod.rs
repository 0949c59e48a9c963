//! Pictures that show little, by themselves and beside the others: the rules of CleanVision for what is dark, bright, long, plain and of an
//! odd size, with more of our own. `docs/audit.md` says where they part. What a quarter of the pictures break is how the set is: X-rays are
//! dark, goods stand on white.

mod border;
mod exif;
mod jpeg;
mod measure;
mod spectrum;

pub use exif::exif_orientation;
pub use jpeg::jpeg_quality;
pub use measure::Picture;

use super::{Checked, Evidence, Fault, median, middle_and_spread};

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
/// Distances between the quartiles, beyond them, from which a size is odd as well.
const FENCE: f64 = 3.0;
/// The least distance between the quartiles, over the median: a photo of less than twice the usual size is never odd.
const LEAST_SIZE_SPREAD: f64 = 1.0 / 3.0;
/// Shorter over longer side below which a shape is odd.
const ODD_ASPECT: f64 = 0.35;
/// Entropy, over [`RICH`], below which there is hardly anything to see.
const LITTLE: f64 = 0.3;
/// The same where that is how the set is, as of drawings: half a bit besides the three channels.
const PLAIN: f64 = 0.208;
/// Entropy, in bits, of a picture with much to see.
const RICH: f64 = 10.0;
/// Share of grey pictures from which on grey is nothing odd.
const GREY_SHARE: f64 = 0.1;
/// Robust standard deviations of the mean brightness from the median from which it is odd.
const ODD_BRIGHTNESS: f64 = 5.0;
/// The least spread of the mean brightness.
const LEAST_BRIGHTNESS_SPREAD: f64 = 0.04;
/// Fewer pictures say nothing about what is usual.
const FEWEST: usize = 10;
/// Share of fine details below which a picture may have been made larger.
const UPSCALED: f64 = 0.02;
/// And this many robust standard deviations of its logarithm below the other pictures.
const UPSCALED_BY: f64 = 2.5;
/// Quality, over 100, below which compression shows.
const LOW_QUALITY: f64 = 0.3;
/// Share of the area from which a border is large.
const BORDER: f64 = 0.2;

/// Every check of pictures, in the order of [`Fault::ALL`].
pub fn pictures(measured: &[Picture]) -> Vec<Checked> {
    let by = |fault, limit, score: &dyn Fn(&Picture) -> f64| {
        Checked::below(fault, measured.iter().map(score).collect(), limit)
    };
    let usual = |fault, limit, score: &dyn Fn(&Picture) -> f64| {
        Checked::below_unless_usual(
            fault,
            measured.iter().map(|picture| Some(score(picture))).collect(),
            limit,
        )
    };
    let because = |value: fn(&Picture) -> f64, limit| {
        move |row: usize| Evidence::Limit { value: value(&measured[row]), limit }
    };
    vec![
        usual(Fault::Dark, DARK, &|picture| picture.brightest)
            .because(because(|picture| picture.brightest, DARK)),
        usual(Fault::Bright, BRIGHT, &|picture| 1.0 - picture.darkest)
            .because(because(|picture| picture.darkest, 1.0 - BRIGHT)),
        odd_brightness(measured),
        blurry(measured),
        upscaled(measured),
        low_quality(measured),
        usual(Fault::Border, 1.0 - BORDER, &|picture| 1.0 - picture.border)
            .because(because(|picture| picture.border, BORDER)),
        turned(measured),
        odd_size(measured),
        by(Fault::OddAspectRatio, ODD_ASPECT, &aspect).because(because(aspect, ODD_ASPECT)),
        low_information(measured),
        grey(measured),
    ]
}

/// The shorter side over the longer one.
fn aspect(picture: &Picture) -> f64 {
    let (width, height) = (f64::from(picture.width), f64::from(picture.height));
    (width / height).min(height / width)
}

/// Blurred by itself and beside the others: drawings and plain parts have few edges, all of them.
fn blurry(measured: &[Picture]) -> Checked {
    let logs: Vec<f64> = measured.iter().map(|picture| picture.sharpness.max(1e-3).ln()).collect();
    let (middle, spread) = middle_and_spread(&logs).unwrap_or_default();
    let limit = middle - BLURRED_BY * spread.max(LEAST_SPREAD);
    let scores: Vec<f64> = measured.iter().map(|picture| 1.0 - (-picture.sharpness / SHARP).exp()).collect();
    let flagged = (0..scores.len()).filter(|row| scores[*row] < BLURRED && logs[*row] < limit).collect();
    // Both limits as one of sharpness.
    let limit = limit.exp().min(-SHARP * (1.0 - BLURRED).ln());
    Checked::with(Fault::Blurry, scores, flagged)
        .because(|row| Evidence::Limit { value: measured[row].sharpness, limit })
}

/// Far from the middle of the set, darker or brighter, whatever the set is like.
fn odd_brightness(measured: &[Picture]) -> Checked {
    let means: Vec<f64> = measured.iter().map(|picture| picture.mean).collect();
    let (middle, spread) = middle_and_spread(&means).unwrap_or_default();
    let spread = spread.max(LEAST_BRIGHTNESS_SPREAD);
    let z = |mean: &f64| (mean - middle).abs() / spread;
    let scores = means.iter().map(|mean| 0.5_f64.powf(z(mean) / ODD_BRIGHTNESS)).collect();
    let checked =
        Checked::below(Fault::OddBrightness, scores, if measured.len() < FEWEST { 0.0 } else { 0.5 });
    checked.because(|row| Evidence::Usual {
        value: means[row],
        usual: middle,
        limit: middle + (ODD_BRIGHTNESS * spread).copysign(means[row] - middle),
    })
}

/// Without fine details by itself and beside the others, as with [`blurry`].
fn upscaled(measured: &[Picture]) -> Checked {
    let logs: Vec<f64> = measured.iter().filter_map(|picture| Some(picture.detail?.max(1e-6).ln())).collect();
    let (middle, spread) = middle_and_spread(&logs).unwrap_or_default();
    let limit = (middle - UPSCALED_BY * spread.max(LEAST_SPREAD)).exp().min(UPSCALED);
    let score = |picture: &Picture| picture.detail.map(|detail| (detail / (2.0 * limit)).min(1.0));
    let checked = Checked::known_below(Fault::Upscaled, measured.iter().map(score).collect(), 0.5);
    checked.because(|row| Evidence::Limit { value: measured[row].detail.unwrap_or_default(), limit })
}

/// Compressed until it shows; there is no score for pictures that are no JPEG.
fn low_quality(measured: &[Picture]) -> Checked {
    let score = |picture: &Picture| picture.jpeg_quality.map(|quality| f64::from(quality) / 100.0);
    let checked =
        Checked::known_below(Fault::LowJpegQuality, measured.iter().map(score).collect(), LOW_QUALITY);
    checked.because(|row| Evidence::Limit {
        value: f64::from(measured[row].jpeg_quality.unwrap_or_default()),
        limit: 100.0 * LOW_QUALITY,
    })
}

/// Hardly anything but one tone. Among drawings, which have few tones, it is hardly anything at all.
fn low_information(measured: &[Picture]) -> Checked {
    let scores = || measured.iter().map(|picture| Some((picture.entropy / RICH).min(1.0))).collect();
    let below = |limit: f64| {
        Checked::below_unless_usual(Fault::LowInformation, scores(), limit)
            .because(|row| Evidence::Limit { value: measured[row].entropy, limit: RICH * limit })
    };
    let found = below(LITTLE);
    if found.flagged.is_empty() { below(PLAIN) } else { found }
}

/// Lying or mirrored in its file, unless that is how the set is; there is no score for pictures that note no orientation.
fn turned(measured: &[Picture]) -> Checked {
    let score = |picture: &Picture| picture.orientation.map(|noted| if noted == 1 { 1.0 } else { 0.0 });
    let checked = Checked::below_unless_usual(Fault::ExifTurned, measured.iter().map(score).collect(), 0.5);
    checked.because(|row| Evidence::Orientation(measured[row].orientation.unwrap_or_default()))
}

/// Beyond the fence around the quartiles, or a few times larger or smaller than the median. Where the quartiles are one size there is no
/// fence: any other size would be beyond it.
fn odd_size(measured: &[Picture]) -> Checked {
    let sides: Vec<f64> = measured
        .iter()
        .map(|picture| (f64::from(picture.width) * f64::from(picture.height)).sqrt())
        .collect();
    let middle = median(&sides).unwrap_or(1.0);
    let (mut low, mut high) = (ODD_SIZE * middle, middle / ODD_SIZE);
    let (q1, q3) = (quantile(&sides, 0.25), quantile(&sides, 0.75));
    if q3 > q1 {
        let apart = (q3 - q1).max(LEAST_SIZE_SPREAD * middle);
        low = low.max(q1 - FENCE * apart);
        high = high.min(q3 + FENCE * apart);
    }
    // One half at the limit on either side.
    let score = |side: &f64| {
        let off =
            if *side < middle { (middle - side) / (middle - low) } else { (side - middle) / (high - middle) };
        if off.is_finite() { 0.5_f64.powf(off) } else { 1.0 }
    };
    let scores = sides.iter().map(score).collect();
    Checked::below(Fault::OddSize, scores, 0.5).because(|row| Evidence::Usual {
        value: sides[row],
        usual: middle,
        limit: if sides[row] < middle { low } else { high },
    })
}

/// Between two values on a straight line; 0 without values.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share * last as f64;
    let (low, high) = (sorted[place as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

fn grey(measured: &[Picture]) -> Checked {
    let share = measured.iter().filter(|picture| picture.grey).count() as f64 / measured.len().max(1) as f64;
    let odd = share < GREY_SHARE;
    let scores = measured.iter().map(|picture| if odd && picture.grey { 0.0 } else { 1.0 }).collect();
    Checked::below(Fault::Grey, scores, 0.5).because(|_| Evidence::Limit { value: share, limit: GREY_SHARE })
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
            assert!(checked.evidence.keys().eq(expected), "{:?}", checked.fault);
            assert!(checked.scores.iter().flatten().all(|score| (0.0..=1.0).contains(score)));
        }
    }

    #[test]
    fn each_fault_is_flagged_and_no_other() {
        check(board(|value| value), &[]);
        check(board(|value| value / 4), &[Fault::Dark, Fault::OddBrightness]);
        check(
            board(|value| 250 + value / 64),
            &[Fault::Bright, Fault::OddBrightness, Fault::Blurry, Fault::LowInformation, Fault::Grey],
        );
        check(Picture { width: 4, height: 5, ..board(|value| value) }, &[Fault::OddSize]);
        check(Picture { width: 120, height: 30, ..board(|value| value) }, &[Fault::OddAspectRatio]);
        check(Picture { sharpness: 2.0, ..board(|value| value) }, &[Fault::Blurry]);
        check(Picture { grey: true, ..board(|value| value) }, &[Fault::Grey]);
        check(Picture { detail: Some(0.001), ..board(|value| value) }, &[Fault::Upscaled]);
        check(Picture { border: 0.3, ..board(|value| value) }, &[Fault::Border]);
        check(Picture { jpeg_quality: Some(20), ..board(|value| value) }, &[Fault::LowJpegQuality]);
        check(Picture { jpeg_quality: Some(80), ..board(|value| value) }, &[]);
        check(Picture { orientation: Some(6), ..board(|value| value) }, &[Fault::ExifTurned]);
        check(Picture { orientation: Some(1), ..board(|value| value) }, &[]);
        let plain = Picture::measure(40, 40, &[128; 4800]);
        assert!(plain.grey && plain.entropy < 1.6 && plain.sharpness == 0.0);
        check(plain, &[Fault::LowInformation, Fault::Blurry, Fault::Grey]);
    }

    #[test]
    fn one_pixel_and_no_picture_are_defined() {
        let one = Picture::measure(1, 1, &[255, 0, 0]);
        assert!((one.entropy - 3_f64.log2()).abs() < 1e-12);
        assert_eq!((one.sharpness, one.grey), (0.0, false));
        assert_eq!(one.detail, None);
        let faults: Vec<Fault> = pictures(&[]).into_iter().map(|checked| checked.fault).collect();
        assert!(faults.len() == 12 && faults.is_sorted());
    }

    #[test]
    fn a_set_of_dark_pictures_has_no_dark_ones_but_an_odd_one() {
        let mut all = vec![board(|value| value / 4); 20];
        all.push(board(|value| value / 2 + 120));
        let found =
            |fault| pictures(&all).into_iter().find(|checked| checked.fault == fault).unwrap().flagged;
        assert_eq!((found(Fault::Dark), found(Fault::OddBrightness)), (vec![], vec![20]));
    }

    #[test]
    fn among_drawings_only_what_shows_nothing_has_little_information() {
        let drawing = Picture { entropy: 2.5, ..board(|value| value) };
        let mut all = vec![drawing; 20];
        all.push(Picture { entropy: 1.6, ..drawing });
        let found =
            pictures(&all).into_iter().find(|checked| checked.fault == Fault::LowInformation).unwrap();
        assert_eq!(found.flagged, [20]);
        assert_eq!(found.evidence[&20], Evidence::Limit { value: 1.6, limit: RICH * PLAIN });
    }

    /// A photograph of sorts: smooth noise whose power falls with the square of the frequency, of 128 x 128 pixels.
    fn scene(seed: u64) -> Vec<f64> {
        let mut rng = linalg::Seed(seed).rng();
        let mut light = vec![128.0; 128 * 128];
        for octave in 0..7 {
            let cell = 1_usize << octave;
            let side = 128 / cell + 2;
            let grid: Vec<f64> = (0..side * side).map(|_| linalg::random::normal(&mut rng)).collect();
            for (place, value) in light.iter_mut().enumerate() {
                let (x, y) = (place % 128, place / 128);
                let (fx, fy) = ((x % cell) as f64 / cell as f64, (y % cell) as f64 / cell as f64);
                let at = |dx: usize, dy: usize| grid[(y / cell + dy) * side + x / cell + dx];
                let top = at(0, 0) * (1.0 - fx) + at(1, 0) * fx;
                let bottom = at(0, 1) * (1.0 - fx) + at(1, 1) * fx;
                *value += 4.0 * (cell as f64).sqrt() * (top * (1.0 - fy) + bottom * fy);
            }
        }
        light
    }

    /// The middle of a scene made larger by two, with cubic curves (Catmull and Rom).
    fn enlarged(light: &[f64]) -> Vec<f64> {
        let cubic = |values: [f64; 4]| (-values[0] + 9.0 * values[1] + 9.0 * values[2] - values[3]) / 16.0;
        let line = |at: &dyn Fn(usize) -> f64, place: usize| match place % 2 {
            0 => at(place / 2),
            _ => cubic([0, 1, 2, 3].map(|step| at((place / 2 + step).saturating_sub(1).min(127)))),
        };
        let wide: Vec<f64> =
            (0..128 * 128).map(|place| line(&|x| light[place / 128 * 128 + x], place % 128)).collect();
        (0..128 * 128).map(|place| line(&|y| wide[y * 128 + place % 128], place / 128)).collect()
    }

    fn measured(light: &[f64]) -> Picture {
        let rgb: Vec<u8> =
            light.iter().flat_map(|level| [level.round().clamp(0.0, 255.0) as u8; 3]).collect();
        Picture::measure(128, 128, &rgb)
    }

    #[test]
    fn pictures_made_larger_have_no_fine_details() {
        let mut all: Vec<Picture> = (0..12).map(|seed| measured(&scene(seed))).collect();
        all.extend((20..23).map(|seed| measured(&enlarged(&scene(seed)))));
        let upscaled = pictures(&all).into_iter().find(|checked| checked.fault == Fault::Upscaled).unwrap();
        let mut flagged = upscaled.flagged.clone();
        flagged.sort_unstable();
        assert_eq!(
            flagged,
            [12, 13, 14],
            "{:?}",
            all.iter().map(|picture| picture.detail).collect::<Vec<_>>()
        );
    }
}
