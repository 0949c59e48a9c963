//! What is measured of one picture, by its pixels alone.

use super::border::border;
use super::spectrum::detail;

/// Colour channels that differ by no more than this are grey.
const GREY_LEVELS: u8 = 4;
/// Weights of red, green and blue, of 1000, under the root of CleanVision's brightness.
const PERCEIVED: [u32; 3] = [241, 691, 68];
/// The largest sum of squares under that root.
const WHITE: usize = 255 * 255;

/// What is measured of one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picture {
    /// In pixels, at least 1.
    pub width: u32,
    /// In pixels, at least 1.
    pub height: u32,
    /// The 99th percentile of the perceived brightness, the root of the weighted mean of squared channels, in [0, 1].
    pub brightest: f64,
    /// The 5th percentile of the same.
    pub darkest: f64,
    /// Entropy of all values of the three channels, told apart by channel, in bits: from 1.58 for a plain picture to 9.58.
    pub entropy: f64,
    /// Variance of the Laplacian of the brightness, in grey levels squared; 0 where a side is below 3 pixels.
    pub sharpness: f64,
    /// Whether all pixels but one in a thousand are grey.
    pub grey: bool,
    /// Mean brightness, in [0, 1].
    pub mean: f64,
    /// Share of the area taken by a border of one colour, in [0, 1).
    pub border: f64,
    /// Power of the finest details over that of coarser ones; `None` where too small or too plain to say.
    pub detail: Option<f64>,
    /// The quality, 1 to 100, at which a JPEG was compressed, by [`jpeg_quality`](super::jpeg_quality); pixels do not say.
    pub jpeg_quality: Option<u8>,
    /// Which way up EXIF says it is, 1 to 8, by [`exif_orientation`](super::exif_orientation); pixels do not say.
    pub orientation: Option<u8>,
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
        let perceived = perceived(pixels);
        let coloured = pixels.iter().filter(|pixel| {
            let (low, high) = (pixel.iter().min().unwrap_or(&0), pixel.iter().max().unwrap_or(&0));
            high - low > GREY_LEVELS
        });
        Self {
            width,
            height,
            brightest: percentile(&perceived, light.len(), 0.99),
            darkest: percentile(&perceived, light.len(), 0.05),
            entropy: entropy(pixels),
            sharpness: laplacian_variance(&light, width as usize, height as usize),
            grey: coloured.count() * 1000 <= pixels.len(),
            mean: light.iter().map(|level| f64::from(*level)).sum::<f64>() / (255.0 * light.len() as f64),
            border: border(pixels, width as usize, height as usize),
            detail: detail(&light, width as usize, height as usize),
            jpeg_quality: None,
            orientation: None,
        }
    }
}

/// How many pixels have each weighted sum of squared channels, in whole steps: exact to 0.00003 of brightness at either limit.
fn perceived(pixels: &[[u8; 3]]) -> Vec<u32> {
    let mut counts = vec![0; WHITE + 1];
    for pixel in pixels {
        let sum: u32 =
            pixel.iter().zip(PERCEIVED).map(|(value, weight)| weight * u32::from(*value).pow(2)).sum();
        counts[(sum / 1000) as usize] += 1;
    }
    counts
}

/// The brightness below which a share of `n` pixels lies; between two pixels on a straight line.
fn percentile(counts: &[u32], n: usize, share: f64) -> f64 {
    let place = share * (n - 1) as f64;
    let at = |rank: usize| {
        let mut seen = 0;
        let sum = counts.iter().position(|count| {
            seen += *count as usize;
            seen > rank
        });
        (sum.unwrap_or(WHITE) as f64 / WHITE as f64).sqrt()
    };
    let (low, high) = (at(place as usize), at(place.ceil() as usize));
    low + (high - low) * place.fract()
}

fn entropy(pixels: &[[u8; 3]]) -> f64 {
    let mut levels = [[0_u32; 256]; 3];
    for pixel in pixels {
        levels.iter_mut().zip(pixel).for_each(|(levels, value)| levels[usize::from(*value)] += 1);
    }
    let n = 3.0 * pixels.len() as f64;
    let shares = levels.iter().flatten().filter(|count| **count > 0).map(|count| f64::from(*count) / n);
    shares.map(|p| -p * p.log2()).sum::<f64>()
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
