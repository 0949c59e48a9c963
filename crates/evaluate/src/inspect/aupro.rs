//! How well maps find defects, pixel by pixel and region by region (methods 2.7).
//!
//! Both metrics are exact over all pixels. Only defect pixels can change the curves' height, and there are few of them: they
//! alone are sorted over the data set, and each image's background is sorted by itself and counted between them. So only a few
//! images per thread are held in sorted form.

use linalg::Seed;
use rayon::prelude::*;

use super::alarm::share;
use super::grid::{Grid, Sampled};
use super::plane::{ScoredImage, check};
use super::resample::Strata;
use crate::{Estimate, EvaluateError};

/// The usual upper limit of the false-positive rate in AUPRO.
pub const AUPRO_LIMIT: f64 = 0.3;

/// Images that are counted together. Counts are whole numbers, so this is not part of the result.
const CHUNK: usize = 16;

/// The two metrics of a set of maps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelMetrics {
    /// The chance that a defect pixel scores above a background pixel, ties counting half, over all pixels of all images.
    pub auroc: Estimate,
    /// Area under the mean share of each region that is found, against the share of background that is marked, up to the limit
    /// and divided by it.
    pub aupro: Estimate,
    /// Number of defect regions.
    pub n_regions: usize,
    /// Number of defect pixels.
    pub n_defect_pixels: u64,
    /// Number of background pixels, those of good images included.
    pub n_background_pixels: u64,
}

/// Measures maps against masks at full resolution, with 95 % bootstrap intervals over images.
///
/// `images` and `groups` are `[n]`; `fpr_limit` is in (0, 1), usually [`AUPRO_LIMIT`]. Values are exact, as in anomalib 2:
/// regions are 8-connected and each counts alike, all pixels of equal score are passed in one step, and the curve runs straight
/// between steps. Not a number when there is no defect pixel or no background pixel. The intervals come from draws of images
/// (groups whole, those with and without defects apart) whose curves are read at some 2,000 common thresholds, moved by what that
/// does to the undrawn data.
pub fn pixel_metrics(
    images: &[ScoredImage<'_>],
    groups: &[u32],
    fpr_limit: f64,
    seed: Seed,
) -> Result<PixelMetrics, EvaluateError> {
    check(images, groups)?;
    let limit = share("fpr_limit", fpr_limit)?;
    let defects = Defects::of(images);
    let grid = Grid::choose(images, &defects, seed);
    let (background, sampled) = background(images, &defects, &grid);
    let (auroc, aupro) = defects.areas(&background, limit);
    let has_defect: Vec<bool> = images.iter().map(ScoredImage::has_defect).collect();
    let strata = Strata::new(&has_defect, groups);
    let draws = if auroc.is_nan() { Vec::new() } else { sampled.draws(&strata, limit, seed) };
    let on_grid = sampled.undrawn(limit);
    let moved = |exact: f64, of: fn(&(f64, f64)) -> f64| {
        let offset = exact - of(&on_grid);
        strata.interval(exact, draws.iter().map(|draw| (of(draw) + offset).clamp(0.0, 1.0)).collect())
    };
    Ok(PixelMetrics {
        auroc: moved(auroc, |areas| areas.0),
        aupro: moved(aupro, |areas| areas.1),
        n_regions: defects.n_regions,
        n_defect_pixels: defects.pixels.iter().sum(),
        n_background_pixels: background.iter().sum(),
    })
}

/// The defect pixels of the data set, sorted, those of equal score together.
pub(super) struct Defects {
    /// Distinct keys, ascending.
    pub(super) keys: Vec<u32>,
    /// Number of defect pixels with each key.
    pixels: Vec<u64>,
    /// What each key adds to the mean share of a region that is found.
    pub(super) gains: Vec<f64>,
    pub(super) n_regions: usize,
    /// For each image its pixels, highest key first, with what they add to the sum of its regions' shares.
    pub(super) by_image: Vec<Vec<(u32, f64)>>,
    /// Number of regions of each image.
    pub(super) regions_by_image: Vec<usize>,
}

impl Defects {
    fn of(images: &[ScoredImage<'_>]) -> Self {
        let of_image = |image: &ScoredImage<'_>| {
            let Some((regions, mut pixels)) = image.defects() else { return (Vec::new(), 0) };
            // Labels order pixels of equal score, so that sums have one order.
            pixels.sort_unstable_by(|a, b| b.cmp(a));
            let share = |label: u32| 1.0 / regions.list()[label as usize - 1].area as f64;
            (pixels.into_iter().map(|(key, label)| (key, share(label))).collect(), regions.list().len())
        };
        let (by_image, regions_by_image): (Vec<Vec<(u32, f64)>>, Vec<usize>) =
            images.par_iter().map(of_image).unzip();
        let n_regions: usize = regions_by_image.iter().sum();
        let mut all: Vec<(u32, f64)> = by_image.iter().flatten().copied().collect();
        all.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (mut keys, mut pixels, mut gains) = (Vec::new(), Vec::new(), Vec::new());
        for tie in all.chunk_by(|a, b| a.0 == b.0) {
            keys.push(tie[0].0);
            pixels.push(tie.len() as u64);
            gains.push(tie.iter().map(|(_, share)| share).sum::<f64>() / n_regions as f64);
        }
        Self { keys, pixels, gains, n_regions, by_image, regions_by_image }
    }

    /// AUROC and AUPRO from the background pixels counted in and between the keys, as [`background`] counts them.
    fn areas(&self, background: &[u64], limit: f64) -> (f64, f64) {
        let n_background = background.iter().sum::<u64>() as f64;
        let n_pixels = self.pixels.iter().sum::<u64>() as f64;
        if n_background == 0.0 || n_pixels == 0.0 {
            return (f64::NAN, f64::NAN);
        }
        let (mut above, mut pro, mut wins) = (background[2 * self.keys.len()], 0.0, 0.0);
        let mut area = Area::up_to(limit);
        area.to(above as f64 / n_background, pro);
        for index in (0..self.keys.len()).rev() {
            let (equal, between) = (background[2 * index + 1], background[2 * index]);
            wins += self.pixels[index] as f64 * (n_background - above as f64 - equal as f64 / 2.0);
            pro += self.gains[index];
            area.to((above + equal) as f64 / n_background, pro);
            above += equal + between;
            area.to(above as f64 / n_background, pro);
        }
        (wins / (n_background * n_pixels), area.share())
    }
}

/// Counts background pixels between and in the defect keys, and samples each image at the grid.
///
/// Of K keys, place `2k` counts the pixels below key k and above the one before it, place `2k + 1` those equal to it, and place
/// `2K` those above all: `[2K + 1]`.
fn background(images: &[ScoredImage<'_>], defects: &Defects, grid: &Grid) -> (Vec<u64>, Sampled) {
    let places = 2 * defects.keys.len() + 1;
    let of_chunk = |(chunk, images): (usize, &[ScoredImage<'_>])| {
        let mut counts = vec![0_u64; places];
        let sorted = |image: &ScoredImage<'_>| {
            let mut keys = image.background();
            keys.sort_unstable();
            keys
        };
        let keys: Vec<Vec<u32>> = images.iter().map(sorted).collect();
        count_between(&keys, &defects.keys, &mut counts);
        let sample = |(offset, keys): (usize, &Vec<u32>)| grid.sample(keys, defects, chunk * CHUNK + offset);
        let sampled: Vec<_> = keys.iter().enumerate().map(sample).collect();
        (counts, sampled)
    };
    let add = |(mut counts, mut sampled): (Vec<u64>, Vec<_>), (more, next): (Vec<u64>, Vec<_>)| {
        counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        sampled.extend(next);
        (counts, sampled)
    };
    let chunks = images.par_chunks(CHUNK).enumerate().map(of_chunk);
    let (counts, sampled) = chunks.reduce_with(add).unwrap_or_else(|| (vec![0; places], Vec::new()));
    (counts, Sampled::of(sampled, grid.len()))
}

/// Adds each key of some images, each ascending, to its place among the ascending `bounds`.
fn count_between(images: &[Vec<u32>], bounds: &[u32], counts: &mut [u64]) {
    /// Bounds that are gone through for all images before the next ones, so that their counts stay in the cache.
    const BLOCK: usize = 8192;
    let mut rest: Vec<&[u32]> = images.iter().map(Vec::as_slice).collect();
    for (block, bounds) in bounds.chunks(BLOCK).enumerate() {
        let counts = &mut counts[2 * block * BLOCK..];
        let last = bounds[bounds.len() - 1];
        for keys in &mut rest {
            let (here, later) = keys.split_at(keys.partition_point(|key| *key <= last));
            let mut at = 0;
            for key in here {
                at += n_below(&bounds[at..], *key);
                counts[2 * at + usize::from(bounds[at] == *key)] += 1;
            }
            *keys = later;
        }
    }
    counts[2 * bounds.len()] += rest.iter().map(|keys| keys.len() as u64).sum::<u64>();
}

/// How many of the ascending bounds are below the key, which is mostly few.
fn n_below(bounds: &[u32], key: u32) -> usize {
    /// Bounds that are compared all at once, which costs as much as one comparison whose outcome is open.
    const NEAR: usize = 16;
    let near = bounds.first_chunk::<NEAR>().map(|near| near.iter().map(|b| u32::from(*b < key)).sum::<u32>());
    match near {
        Some(count) if (count as usize) < NEAR => count as usize,
        // Steps that double find the stretch, halving finds the place in it.
        _ => {
            let mut step = 1;
            while step < bounds.len() && bounds[step] < key {
                step *= 2;
            }
            bounds[..(step + 1).min(bounds.len())].partition_point(|bound| *bound < key)
        }
    }
}

/// The area under a line through points of ascending x, from (0, 0) up to a limit.
pub(super) struct Area {
    limit: f64,
    last: (f64, f64),
    area: f64,
}

impl Area {
    pub(super) fn up_to(limit: f64) -> Self {
        Self { limit, last: (0.0, 0.0), area: 0.0 }
    }

    /// Draws the line on to the next point; beyond the limit nothing counts.
    pub(super) fn to(&mut self, x: f64, y: f64) {
        let (from_x, from_y) = self.last;
        if from_x < self.limit && x > from_x {
            let end = x.min(self.limit);
            let height = from_y + (y - from_y) * (end - from_x) / (x - from_x);
            self.area += (end - from_x) * (from_y + height) / 2.0;
        }
        self.last = (x, y);
    }

    /// The area over that of a line at height 1.
    pub(super) fn share(&self) -> f64 {
        self.area / self.limit
    }
}

#[cfg(test)]
mod tests {
    use linalg::random;

    use super::super::plane::Plane;
    use super::super::regions::pictures;
    use super::*;

    /// Scores with ties, and masks on half of the images.
    fn made(n: usize, height: usize, width: usize, seed: u64) -> Vec<(Vec<f32>, Vec<bool>)> {
        let image = |index: usize| {
            let mut rng = Seed(seed).nth(index).rng();
            let shift = 1.0 + random::normal(&mut rng);
            let (top, left) = (random::below(&mut rng, height / 2), random::below(&mut rng, width / 2));
            let marked = |at: usize| {
                let inside = (top..top + height / 4).contains(&(at / width));
                index.is_multiple_of(2) && inside && (left..left + width / 3).contains(&(at % width))
                    || index.is_multiple_of(6) && at < 3
            };
            let mask: Vec<bool> = (0..height * width).map(marked).collect();
            let score = |defect: &bool| {
                let score = f64::from(*defect) * shift + random::normal(&mut rng);
                ((score * 16.0).round() / 16.0) as f32
            };
            (mask.iter().map(score).collect(), mask)
        };
        (0..n).map(image).collect()
    }

    fn scored(maps: &[(Vec<f32>, Vec<bool>)], height: usize, width: usize) -> Vec<ScoredImage<'_>> {
        maps.iter()
            .map(|map| {
                let (scores, mask) = map;
                let (scores, mask) = (Plane::new(height, width, scores), Plane::new(height, width, mask));
                ScoredImage::with_defects(scores.unwrap(), mask.unwrap()).unwrap()
            })
            .collect()
    }

    fn own_groups(n: usize) -> Vec<u32> {
        (0..n as u32).collect()
    }

    #[test]
    fn three_regions_agree_with_a_hand_count() {
        // Regions of 4, 1 and 2 pixels in two images.
        let picture = ["##.#", "##..", "...."];
        let (height, width, mask) = pictures::mask(&picture);
        let first = [9.0, 9.0, 1.0, 6.0, 8.0, 2.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0];
        let second = [7.0, 3.0];
        let images = [
            ScoredImage::with_defects(
                Plane::new(height, width, &first).unwrap(),
                Plane::new(height, width, &mask).unwrap(),
            )
            .unwrap(),
            ScoredImage::with_defects(
                Plane::new(1, 2, &second).unwrap(),
                Plane::new(1, 2, &[true, true]).unwrap(),
            )
            .unwrap(),
            ScoredImage::good(Plane::new(1, 3, &[4.0, 3.0, 0.0]).unwrap()),
        ];
        // Background, descending: 5, 4, 3 (with a defect pixel), then 1 six times, 0: ten pixels. Defects: 9, 9, 8, 7, 6, 3, 2.
        // At rate 0 the curve stands at (3/4 + 1/2 + 1)/3 = 0.75, at 0.1 and 0.2 too, and runs to (0.3, 0.75 + 1/6) over the tie.
        let expected = (0.2 * 0.75 + 0.1 * (0.75 + 0.75 + 1.0 / 6.0) / 2.0) / 0.3;
        let metrics = pixel_metrics(&images, &own_groups(3), AUPRO_LIMIT, Seed(0)).unwrap();
        assert_eq!((metrics.n_regions, metrics.n_defect_pixels, metrics.n_background_pixels), (3, 7, 10));
        assert!((metrics.aupro.value - expected).abs() < 1e-12, "{metrics:?}");
        // Interpolated inside the tie, and a limit in the flat part.
        let at = |limit| pixel_metrics(&images, &own_groups(3), limit, Seed(0)).unwrap().aupro.value;
        let inside = (0.2 * 0.75 + 0.05 * (0.75 + 0.75 + 1.0 / 12.0) / 2.0) / 0.25;
        assert!((at(0.25) - inside).abs() < 1e-12 && (at(0.15) - 0.75).abs() < 1e-12);
        // Pairs: 9, 9, 8, 7 and 6 win all ten, 3 wins seven and ties one, 2 wins seven.
        assert!((metrics.auroc.value - 64.5 / 70.0).abs() < 1e-12, "{metrics:?}");
    }

    #[test]
    fn values_agree_with_sorting_all_pixels_and_the_grid_comes_near() {
        let (n, height, width) = (40, 24, 20);
        let maps = made(n, height, width, 3);
        let images = scored(&maps, height, width);
        let mut all: Vec<(f32, f64)> = Vec::new();
        let mut n_regions = 0.0;
        for ((scores, mask), image) in maps.iter().zip(&images) {
            let Some((regions, _)) = image.defects() else {
                all.extend(scores.iter().map(|score| (*score, 0.0)));
                continue;
            };
            n_regions += regions.list().len() as f64;
            let share = |label: &u32| match label {
                0 => 0.0,
                _ => 1.0 / regions.list()[*label as usize - 1].area as f64,
            };
            assert_eq!(mask.len(), scores.len());
            all.extend(scores.iter().copied().zip(regions.labels().iter().map(share)));
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let n_background = all.iter().filter(|(_, share)| *share == 0.0).count() as f64;
        let (mut pro_area, mut roc_area) = (Area::up_to(0.3), Area::up_to(1.0));
        let (mut fpr, mut pro, mut tpr) = (0.0, 0.0, 0.0);
        for tie in all.chunk_by(|a, b| a.0 == b.0) {
            for (_, share) in tie {
                fpr += f64::from(*share == 0.0) / n_background;
                tpr += f64::from(*share > 0.0) / (all.len() as f64 - n_background);
                pro += share / n_regions;
            }
            pro_area.to(fpr, pro);
            roc_area.to(fpr, tpr);
        }
        let metrics = pixel_metrics(&images, &own_groups(n), 0.3, Seed(0)).unwrap();
        assert!((metrics.aupro.value - pro_area.share()).abs() < 1e-9, "{metrics:?}");
        assert!((metrics.auroc.value - roc_area.share()).abs() < 1e-9, "{metrics:?}");
        let defects = Defects::of(&images);
        let grid = Grid::choose(&images, &defects, Seed(0));
        let (auroc, aupro) = background(&images, &defects, &grid).1.undrawn(0.3);
        // The grid's own promise.
        assert!((auroc - metrics.auroc.value).abs() < 5e-4 && (aupro - metrics.aupro.value).abs() < 5e-4);
    }

    #[test]
    fn neither_order_nor_threads_nor_masked_good_images_change_a_value() {
        let (n, height, width) = (35, 20, 18);
        let maps = made(n, height, width, 5);
        let images = scored(&maps, height, width);
        let groups = own_groups(n);
        let metrics = pixel_metrics(&images, &groups, 0.3, Seed(2)).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(pool.install(|| pixel_metrics(&images, &groups, 0.3, Seed(2)).unwrap()), metrics);
        let mut reversed = images.clone();
        reversed.reverse();
        let other = pixel_metrics(&reversed, &groups, 0.3, Seed(2)).unwrap();
        assert!((other.aupro.value - metrics.aupro.value).abs() < 1e-12);
        assert_eq!(other.auroc.value, metrics.auroc.value);
        let squared: Vec<_> = maps
            .iter()
            .map(|(scores, mask)| (scores.iter().map(|s| s.exp()).collect(), mask.clone()))
            .collect();
        let other = pixel_metrics(&scored(&squared, height, width), &groups, 0.3, Seed(2)).unwrap();
        assert_eq!(other.aupro.value, metrics.aupro.value);
    }

    #[test]
    fn intervals_cover_the_value_of_many_images() {
        let (height, width) = (16, 16);
        let measure = |n: usize, seed: u64| {
            let maps = made(n, height, width, seed);
            pixel_metrics(&scored(&maps, height, width), &own_groups(n), 0.3, Seed(1)).unwrap()
        };
        let truth = measure(3000, 999);
        let (runs, mut covered) = (60, [0; 2]);
        for run in 0..runs {
            let metrics = measure(60, run);
            let holds = |got: Estimate, truth: f64| usize::from(got.low <= truth && truth <= got.high);
            covered[0] += holds(metrics.auroc, truth.auroc.value);
            covered[1] += holds(metrics.aupro, truth.aupro.value);
        }
        assert!(covered.iter().all(|covered| *covered >= 52), "{covered:?} of {runs}");
    }

    #[test]
    fn nothing_to_measure_is_not_a_number_and_broken_maps_are_refused() {
        let scores = [0.5_f32; 4];
        let plane = Plane::new(2, 2, &scores).unwrap();
        let marked = ScoredImage::with_defects(plane, Plane::new(2, 2, &[true; 4]).unwrap()).unwrap();
        for images in [vec![], vec![ScoredImage::good(plane)], vec![marked]] {
            let metrics = pixel_metrics(&images, &own_groups(images.len()), 0.3, Seed(0)).unwrap();
            for estimate in [metrics.auroc, metrics.aupro] {
                assert!(estimate.value.is_nan() && estimate.low == 0.0 && estimate.high == 1.0);
            }
        }
        // One value everywhere: the curve is the diagonal.
        let metrics = pixel_metrics(&[marked, ScoredImage::good(plane)], &[0, 1], 0.3, Seed(0)).unwrap();
        assert!((metrics.auroc.value - 0.5).abs() < 1e-12 && (metrics.aupro.value - 0.15).abs() < 1e-12);
        let broken = [0.5, f32::NAN, 0.5, 0.5];
        let images = [marked, ScoredImage::good(Plane::new(2, 2, &broken).unwrap())];
        let result = pixel_metrics(&images, &[0, 1], 0.3, Seed(0));
        assert!(matches!(result, Err(EvaluateError::NotFinite { row: 1, .. })));
        assert!(pixel_metrics(&images[..1], &[0], 1.5, Seed(0)).is_err());
        assert!(pixel_metrics(&images[..1], &[], 0.3, Seed(0)).is_err());
    }
}
