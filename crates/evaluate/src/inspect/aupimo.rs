//! How much of each defect is found while next to nothing is marked on good parts (methods 2.7).
//!
//! Source: Bertoldo et al. 2024, "AUPIMO: Redefining visual anomaly detection benchmarks with high speed and low tolerance". The
//! false-positive rate is the mean over good images of the share of their pixels that is marked; recall is that of one image's
//! defect pixels; the area is under recall against the logarithm of the rate, between two low rates.

use linalg::{Matrix, Seed, matmul};
use rayon::prelude::*;

use super::alarm::share;
use super::plane::{ScoredImage, check};
use super::resample::{DRAWS, Strata};
use crate::{Estimate, EvaluateError};

/// The published range of the false-positive rate.
pub const AUPIMO_BOUNDS: (f64, f64) = (1e-5, 1e-4);

/// Pixels of good images are followed to this multiple of the upper bound, so that draws with few false positives still reach it.
const REACH: f64 = 4.0;
/// Thresholds at which draws are read, at most.
const READ_AT: usize = 1000;

/// The metric of each image with a defect, and their mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Aupimo {
    /// Mean over images with a defect; `n` is the number of all images.
    pub mean: Estimate,
    /// For each image, in [0, 1]; `None` for good ones.
    pub per_image: Vec<Option<f64>>,
}

/// Measures maps at low false-positive rates, with a 95 % bootstrap interval over images for the mean.
///
/// `images` and `groups` are `[n]`; `fpr_bounds` ascend in (0, 1), usually [`AUPIMO_BOUNDS`]. At each rate the loosest threshold
/// counts whose own rate is not above it, so the value is exact; implementations that space thresholds evenly come near it. The
/// good images need one pixel within the lower rate, 100,000 for the usual bounds. Without any defect the mean is not a number.
/// The interval draws good images too, and reads the curves at a thousand thresholds.
pub fn aupimo(
    images: &[ScoredImage<'_>],
    groups: &[u32],
    fpr_bounds: (f64, f64),
    seed: Seed,
) -> Result<Aupimo, EvaluateError> {
    check(images, groups)?;
    let bounds = (share("fpr_bounds.0", fpr_bounds.0)?, share("fpr_bounds.1", fpr_bounds.1)?);
    if bounds.0 >= bounds.1 {
        let expected = "a number above the lower bound";
        return Err(EvaluateError::OutOfRange { what: "fpr_bounds.1", got: bounds.1, expected });
    }
    let good = FalsePositives::of(images, bounds)?;
    let found: Vec<Option<Vec<u32>>> = images.par_iter().map(defect_keys).collect();
    let curve = good.curve();
    let per_image: Vec<Option<f64>> =
        found.par_iter().map(|keys| keys.as_ref().map(|keys| area(&curve, keys, bounds))).collect();
    let values: Vec<f64> = per_image.iter().flatten().copied().collect();
    let has_defect: Vec<bool> = per_image.iter().map(Option::is_some).collect();
    let strata = Strata::new(&has_defect, groups);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let draws = if values.is_empty() { Vec::new() } else { draws(&good, &found, &strata, bounds, seed) };
    let offset = mean - draws.first().copied().unwrap_or(0.0);
    let moved = draws.iter().skip(1).map(|draw| (draw + offset).clamp(0.0, 1.0)).collect();
    Ok(Aupimo { mean: strata.interval(mean, moved), per_image })
}

/// The keys of an image's defect pixels, ascending; `None` for a good one.
fn defect_keys(image: &ScoredImage<'_>) -> Option<Vec<u32>> {
    let (_, pixels) = image.defects()?;
    let mut keys: Vec<u32> = pixels.into_iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    Some(keys)
}

/// The highest pixels of the good images.
struct FalsePositives {
    /// Key and image, the highest key first. All pixels of the good images down to the last key.
    pixels: Vec<(u32, u32)>,
    /// What one pixel of each image is of that image; 0 for those with defects.
    shares: Vec<f64>,
    n_good: usize,
}

impl FalsePositives {
    fn of(images: &[ScoredImage<'_>], bounds: (f64, f64)) -> Result<Self, EvaluateError> {
        let good = || images.iter().enumerate().filter(|(_, image)| !image.has_defect());
        let n_good = good().count();
        // In terms of the largest image, whose pixels count least.
        let n_pixels = n_good * good().map(|(_, image)| image.n_pixels()).max().unwrap_or(0);
        let need = (1.0 / bounds.0).ceil() as usize;
        if n_pixels < need {
            return Err(EvaluateError::TooFew { what: "pixels of good images", got: n_pixels, need });
        }
        let kept = (REACH * bounds.1 * n_pixels as f64).ceil() as usize + 1;
        let highest = |(index, image): (usize, &ScoredImage<'_>)| {
            let mut pixels: Vec<(u32, u32)> =
                image.background().into_iter().map(|key| (key, index as u32)).collect();
            keep_highest(&mut pixels, kept);
            pixels
        };
        let mut pixels: Vec<(u32, u32)> = images
            .par_iter()
            .enumerate()
            .filter(|(_, image)| !image.has_defect())
            .flat_map_iter(highest)
            .collect();
        keep_highest(&mut pixels, kept);
        pixels.par_sort_unstable_by(|a, b| b.cmp(a));
        // The last tie may have been cut; without it every key that is left is whole.
        let all: usize = good().map(|(_, image)| image.n_pixels()).sum();
        if pixels.len() < all {
            let last = pixels.last().map_or(0, |(key, _)| *key);
            pixels.truncate(pixels.partition_point(|(key, _)| *key > last));
        }
        let share = |image: &ScoredImage<'_>| {
            if image.has_defect() { 0.0 } else { 1.0 / image.n_pixels() as f64 }
        };
        Ok(Self { pixels, shares: images.iter().map(share).collect(), n_good })
    }

    /// For each distinct key, descending, the mean share of good images at or above it.
    fn curve(&self) -> Vec<(u32, f64)> {
        let mut sum = 0.0;
        let of_tie = |tie: &[(u32, u32)]| {
            sum += tie.iter().map(|(_, image)| self.shares[*image as usize]).sum::<f64>();
            (tie[0].0, sum / self.n_good as f64)
        };
        self.pixels.chunk_by(|a, b| a.0 == b.0).map(of_tie).collect()
    }
}

/// Leaves the `kept` largest, in any order.
fn keep_highest(pixels: &mut Vec<(u32, u32)>, kept: usize) {
    if pixels.len() > kept {
        pixels.select_nth_unstable_by(kept - 1, |a, b| b.cmp(a));
        pixels.truncate(kept);
    }
}

/// Share of the ascending `keys` that lies above `key`.
fn recall_above(keys: &[u32], key: u32) -> f64 {
    (keys.len() - keys.partition_point(|other| *other <= key)) as f64 / keys.len() as f64
}

/// The mean over the logarithm of the rate of one image's recall, whose defect keys ascend.
fn area(curve: &[(u32, f64)], keys: &[u32], bounds: (f64, f64)) -> f64 {
    let steps = curve.iter().map(|(key, rate)| (*rate, *key));
    Steps::new(bounds).area(steps, |key| recall_above(keys, key))
}

/// The area under a staircase over the logarithm of the rate.
struct Steps {
    lower: f64,
    upper: f64,
}

impl Steps {
    fn new(bounds: (f64, f64)) -> Self {
        Self { lower: bounds.0, upper: bounds.1 }
    }

    /// `steps` are rates, ascending, with a place on the curve. Below its rate a threshold is just above its key, so the recall
    /// there is that of the pixels above the key. From the last rate on, the last recall counts.
    fn area<P: Copy>(&self, steps: impl Iterator<Item = (f64, P)>, recall: impl Fn(P) -> f64) -> f64 {
        let (mut from, mut sum, mut last) = (self.lower, 0.0, None);
        for (rate, place) in steps {
            last = Some(place);
            if rate > from {
                let to = rate.min(self.upper);
                sum += (to / from).ln() * recall(place);
                from = to;
            }
            if from >= self.upper {
                break;
            }
        }
        if let Some(place) = last.filter(|_| from < self.upper) {
            sum += (self.upper / from).ln() * recall(place);
        }
        (sum / (self.upper / self.lower).ln()).clamp(0.0, 1.0)
    }
}

/// The mean area of the data as they are, then of each draw, read at common thresholds.
fn draws(
    good: &FalsePositives,
    found: &[Option<Vec<u32>>],
    strata: &Strata,
    bounds: (f64, f64),
    seed: Seed,
) -> Vec<f64> {
    let keys = read_at(&good.curve(), bounds);
    let (n, width) = (found.len(), keys.len());
    let mut rates = Matrix::zeros(n, width);
    for (key, image) in &good.pixels {
        // The first threshold that the pixel reaches; the sums below pass it on to the lower ones.
        let first = keys.partition_point(|threshold| threshold > key);
        if first < width {
            rates.row_mut(*image as usize)[first] += good.shares[*image as usize];
        }
    }
    let mut recalls = Matrix::zeros(n, width);
    for (image, keys_found) in found.iter().enumerate() {
        let row = rates.row_mut(image);
        (1..width).for_each(|at| row[at] += row[at - 1]);
        if let Some(found) = keys_found {
            recalls.row_mut(image).iter_mut().zip(&keys).for_each(|(r, key)| *r = recall_above(found, *key));
        }
    }
    let mut weights = vec![1.0; n];
    weights.extend((0..DRAWS).flat_map(|index| strata.draw(seed, index)).map(f64::from));
    let weights = Matrix::from_vec(DRAWS + 1, n, weights);
    let kinds = Matrix::from_vec(
        n,
        2,
        found.iter().flat_map(|keys| [f64::from(keys.is_none()), f64::from(keys.is_some())]).collect(),
    );
    let totals = matmul(weights.view(), kinds.view());
    let (rates, recalls) = (matmul(weights.view(), rates.view()), matmul(weights.view(), recalls.view()));
    let of_draw = |draw: usize| {
        let (n_good, n_defects) = (totals.row(draw)[0], totals.row(draw)[1]);
        if n_good == 0.0 || n_defects == 0.0 {
            return f64::NAN;
        }
        let steps = rates.row(draw).iter().enumerate().map(|(at, rate)| (rate / n_good, at));
        Steps::new(bounds).area(steps, |at| recalls.row(draw)[at] / n_defects)
    };
    (0..=DRAWS).into_par_iter().map(of_draw).collect()
}

/// Keys of the curve, descending, at most [`READ_AT`], spread over the logarithm of the rate from far below the bounds.
fn read_at(curve: &[(u32, f64)], bounds: (f64, f64)) -> Vec<u32> {
    let step = (REACH * REACH * bounds.1 / bounds.0).ln() / READ_AT as f64;
    let mut next = bounds.0 / REACH;
    let mut keys = Vec::new();
    for (key, rate) in curve {
        if *rate >= next {
            keys.push(*key);
            next = rate * step.exp();
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use linalg::random;

    use super::super::plane::Plane;
    use super::*;

    /// A good image of 1000 pixels with scores 0.001 to 1, and one with ten defect pixels.
    fn example(defects: [f32; 10]) -> (Vec<f32>, Vec<f32>, Vec<bool>) {
        let good = (1..=1000).map(|score| score as f32 / 1000.0).collect();
        let mut scores = vec![0.0; 1000];
        scores[..10].copy_from_slice(&defects);
        (good, scores, (0..1000).map(|at| at < 10).collect())
    }

    #[track_caller]
    fn check_area(defects: [f32; 10], expected: f64) {
        let (good, scores, mask) = example(defects);
        let plane = |scores| Plane::new(20, 50, scores).unwrap();
        let images = [
            ScoredImage::good(plane(&good)),
            ScoredImage::with_defects(plane(&scores), Plane::new(20, 50, &mask).unwrap()).unwrap(),
        ];
        let result = aupimo(&images, &[0, 1], (0.01, 0.1), Seed(0)).unwrap();
        assert_eq!(result.per_image[0], None);
        let value = result.per_image[1].unwrap();
        assert!((value - expected).abs() < 1e-9 && (result.mean.value - expected).abs() < 1e-9, "{value}");
        assert!(result.mean.low <= value && value <= result.mean.high);
    }

    #[test]
    fn areas_agree_with_a_hand_count() {
        check_area([2.0; 10], 1.0);
        check_area([0.5; 10], 0.0);
        // Half of the defect lies above all good pixels, the other half appears between 3 % and 3.1 %: the rate is 3 % when the
        // threshold falls to 0.9705.
        let mut defects = [2.0; 10];
        defects[5..].fill(0.9705);
        check_area(defects, 0.5 + 0.5 * (10.0_f64 / 3.0).ln() / 10.0_f64.ln());
        // Equal to a good pixel: both appear together, at 3.1 %.
        defects[5..].fill(0.970);
        check_area(defects, 0.5 + 0.5 * (10.0_f64 / 3.1).ln() / 10.0_f64.ln());
    }

    #[test]
    fn too_few_good_pixels_and_impossible_bounds_are_refused() {
        let (good, ..) = example([0.0; 10]);
        let image = ScoredImage::good(Plane::new(20, 50, &good).unwrap());
        let of = |bounds| aupimo(&[image], &[0], bounds, Seed(0));
        assert!(matches!(of(AUPIMO_BOUNDS), Err(EvaluateError::TooFew { got: 1000, need: 100_000, .. })));
        assert!(of((0.1, 0.1)).is_err() && of((0.0, 0.1)).is_err());
        let nothing = of((0.01, 0.1)).unwrap();
        assert!(nothing.mean.value.is_nan() && nothing.mean.low == 0.0 && nothing.mean.high == 1.0);
        assert!(matches!(
            aupimo(&[], &[], AUPIMO_BOUNDS, Seed(0)),
            Err(EvaluateError::TooFew { got: 0, .. })
        ));
    }

    #[test]
    fn the_interval_covers_the_mean_of_new_images() {
        let draw = |seed: Seed, n: usize| {
            let mut rng = seed.rng();
            let mut maps: Vec<(Vec<f32>, Vec<bool>)> = Vec::new();
            for index in 0..n {
                let (marked, shift) = (index % 2 == 1, 2.0 + 1.5 * random::normal(&mut rng));
                let mask: Vec<bool> = (0..400).map(|at| marked && at < 40).collect();
                let score = |defect: &bool| (f64::from(*defect) * shift + random::normal(&mut rng)) as f32;
                maps.push((mask.iter().map(score).collect(), mask));
            }
            let images: Vec<_> = maps
                .iter()
                .map(|(scores, mask)| {
                    let scores = Plane::new(20, 20, scores).unwrap();
                    ScoredImage::with_defects(scores, Plane::new(20, 20, mask).unwrap()).unwrap()
                })
                .collect();
            let groups: Vec<u32> = (0..n as u32).collect();
            aupimo(&images, &groups, (1e-3, 1e-2), Seed(1)).unwrap().mean
        };
        let truth = draw(Seed(999), 4000).value;
        let covered = (0..60)
            .map(|run| draw(Seed(run), 60))
            .filter(|estimate| estimate.low <= truth && truth <= estimate.high)
            .count();
        assert!(covered >= 52, "{covered} of 60");
    }
}
