//! The curves of drawn images, read at common thresholds: what makes a thousand draws of maps as cheap as a matrix product.
//!
//! Of each image the background, the defect pixels and the shares of regions above every threshold are counted once. A draw is a
//! weight for each image, and the counts of all draws are the weights times the counts of the images. Between two thresholds the
//! curve is taken as straight; thresholds lie about 1/1000 of the regions' shares, or of the background, apart, so an area is off
//! by about 1/2000 at most. The undrawn data are read in the same way, and intervals are moved by the difference.

use linalg::{Matrix, Seed, matmul, random};
use rayon::prelude::*;

use super::aupro::{Area, Defects};
use super::plane::ScoredImage;
use super::resample::{DRAWS, Strata};

/// Thresholds at equal steps of the regions' shares, and as many at equal steps of the background.
const STEPS: usize = 1000;
/// Background pixels that are looked at, over all images, to place the steps of the background.
const LOOKED_AT: usize = 200_000;

/// Common thresholds.
pub(super) struct Grid {
    /// Keys, descending and distinct.
    keys: Vec<u32>,
}

impl Grid {
    /// Chooses the thresholds from all defect pixels and a sample of the background.
    pub(super) fn choose(images: &[ScoredImage<'_>], defects: &Defects, seed: Seed) -> Self {
        let mut keys = Vec::with_capacity(2 * STEPS + 2);
        let (mut pro, mut next) = (0.0, 0.0);
        for (key, gain) in defects.keys.iter().zip(&defects.gains).rev() {
            pro += gain;
            if pro >= next {
                keys.push(*key);
                next = pro + 1.0 / STEPS as f64;
            }
        }
        let mut looked_at = look(images, seed);
        looked_at.sort_unstable();
        let steps = STEPS.min(looked_at.len());
        keys.extend((0..steps).map(|step| looked_at[step * looked_at.len() / steps]));
        keys.sort_unstable_by(|a, b| b.cmp(a));
        keys.dedup();
        Self { keys }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Counts an image at every threshold, from the ascending keys of its background.
    pub(super) fn sample(&self, background: &[u32], defects: &Defects, image: usize) -> SampledImage {
        let pixels = &defects.by_image[image];
        let mut counts = SampledImage {
            background: Vec::with_capacity(self.len()),
            pixels: Vec::with_capacity(self.len()),
            shares: Vec::with_capacity(self.len()),
            totals: [background.len(), pixels.len(), defects.regions_by_image[image]].map(|n| n as f64),
        };
        let (mut above, mut passed, mut share) = (background.len(), 0, 0.0);
        for key in &self.keys {
            above = background[..above].partition_point(|other| other < key);
            counts.background.push((background.len() - above) as f64);
            while let Some((_, gain)) = pixels.get(passed).filter(|(other, _)| other >= key) {
                share += gain;
                passed += 1;
            }
            counts.pixels.push(passed as f64);
            counts.shares.push(share);
        }
        counts
    }
}

/// Keys of some background pixels, about as many from each image.
fn look(images: &[ScoredImage<'_>], seed: Seed) -> Vec<u32> {
    let from_each = LOOKED_AT.div_ceil(images.len().max(1));
    let of_image = |(index, image): (usize, &ScoredImage<'_>)| {
        let mut rng = seed.derive("grid").nth(index).rng();
        let n = image.n_pixels();
        let count = from_each.min(n);
        (0..count).filter_map(|_| image.background_key(random::below(&mut rng, n))).collect::<Vec<_>>()
    };
    images.iter().enumerate().flat_map(of_image).collect()
}

/// One image above each threshold.
pub(super) struct SampledImage {
    /// Number of background pixels.
    background: Vec<f64>,
    /// Number of defect pixels.
    pixels: Vec<f64>,
    /// Sum over regions of the share that is found.
    shares: Vec<f64>,
    /// Numbers of background pixels, defect pixels and regions.
    totals: [f64; 3],
}

/// All images above each threshold: background pixels, defect pixels and regions' shares, each `[n, thresholds]`.
pub(super) struct Sampled {
    counts: [Matrix<f64>; 3],
    /// `[n, 3]`.
    totals: Matrix<f64>,
}

impl Sampled {
    pub(super) fn of(images: Vec<SampledImage>, n_thresholds: usize) -> Self {
        let n = images.len();
        let stack = |of: fn(&SampledImage) -> &[f64]| {
            Matrix::from_vec(n, n_thresholds, images.iter().flat_map(|image| of(image).to_vec()).collect())
        };
        let totals = Matrix::from_vec(n, 3, images.iter().flat_map(|image| image.totals).collect());
        Self { counts: [stack(|i| &i.background), stack(|i| &i.pixels), stack(|i| &i.shares)], totals }
    }

    /// AUROC and AUPRO of each draw; not a number where a draw lacks background or defects.
    pub(super) fn draws(&self, strata: &Strata, limit: f64, seed: Seed) -> Vec<(f64, f64)> {
        let weights = (0..DRAWS).flat_map(|index| strata.draw(seed, index)).map(f64::from).collect();
        self.areas(&Matrix::from_vec(DRAWS, self.totals.rows(), weights), limit)
    }

    /// The areas of the data as they are.
    pub(super) fn undrawn(&self, limit: f64) -> (f64, f64) {
        let n = self.totals.rows();
        self.areas(&Matrix::from_vec(1, n, vec![1.0; n]), limit)[0]
    }

    /// `weights` is `[draws, n]`.
    fn areas(&self, weights: &Matrix<f64>, limit: f64) -> Vec<(f64, f64)> {
        let [background, pixels, shares] = self.counts.each_ref().map(|c| matmul(weights.view(), c.view()));
        let totals = matmul(weights.view(), self.totals.view());
        let of_draw = |draw: usize| {
            let [n_background, n_pixels, n_regions] = [0, 1, 2].map(|kind| totals.row(draw)[kind]);
            if n_background == 0.0 || n_regions == 0.0 {
                return (f64::NAN, f64::NAN);
            }
            let (mut roc, mut pro) = (Area::up_to(1.0), Area::up_to(limit));
            let curves = background.row(draw).iter().zip(pixels.row(draw).iter().zip(shares.row(draw)));
            for (background, (pixels, shares)) in curves {
                let fpr = background / n_background;
                roc.to(fpr, pixels / n_pixels);
                pro.to(fpr, shares / n_regions);
            }
            roc.to(1.0, 1.0);
            pro.to(1.0, 1.0);
            (roc.share(), pro.share())
        };
        (0..weights.rows()).into_par_iter().map(of_draw).collect()
    }
}
