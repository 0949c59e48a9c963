//! How an inspector looks at a photo: at two scales and once for fine detail, through the inner maps of a vision base.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use base::depict::{Canvas, Depicted, depict};
use base::open::{BaseError, EngineChoice};
use base::patches::{DetectionMaps, PatchBase, PatchGrid, PatchPlan, detection_maps};
use base::prep::{self, Depth, PrepError, decode_deep};
use base::video::Ffmpeg;
use image::RgbImage;
use linalg::Matrix;
use serde::{Deserialize, Serialize};
use tune::detect::Aligner;

use super::background::without_background;
use super::laying::{Laid, SightError, lay};
use super::odd::side;
use super::scale::{Scale, Shown};

/// Added to a standard deviation before its logarithm is taken: what hardly varies is all alike.
pub(super) const LEAST_SPREAD: f64 = 0.02;
/// Scaled pixels by which tiles reach into each other, where a photo needs several.
const MARGIN: usize = 96;
/// Sides of a tile in scaled pixels: small photos are mirrored to fill the smaller, large ones are cut.
const TILES: (usize, usize) = (160, 736);
/// No tile of any base is larger: they are rounded up to what the network takes.
const MOST_TILE: usize = 1024;
/// No base has smaller cells.
const LEAST_CELL: usize = 4;
/// No base is looked at through more inner maps.
const MOST_MAPS: usize = 32;

/// Fewer pixels are no photo of a part: less than a square of 32.
const LEAST_PIXELS: u64 = 32 * 32;

/// Each tile holds this share of the photos.
const SHARES: [f64; 3] = [0.33, 0.67, 0.95];

/// One scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// How photos become a grid of patches.
    pub plan: PatchPlan,
    /// Columns of a patch that each detector compares with good parts.
    pub views: Vec<Range<usize>>,
    /// Columns whose mean and spread over the whole photo are compared as well; empty where only places are.
    pub pooled: Range<usize>,
}

/// The scales, the finer first, and then the look for detail where the base has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sight {
    /// Each scale.
    pub looks: Vec<Look>,
    /// Whether the background is painted over first.
    pub without_background: bool,
    /// How many of the bits of deep photos are used.
    pub depth: Depth,
    /// How series or videos are drawn; absent for photos and sounds.
    #[serde(default, alias = "traces", skip_serializing_if = "Option::is_none")]
    pub canvas: Option<Canvas>,
    /// Sides in pixels of squares as large as the smallest and the largest photo that was learned from; absent in older bundles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sides: Option<[f64; 2]>,
}

/// What was seen of one photo: a grid of patches at each scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Width and height of the photo in pixels.
    pub size: (u32, u32),
    /// In the order of the looks; of the registered photo where parts lie alike.
    pub grids: Vec<PatchGrid>,
    /// How it lies; absent where parts do not lie alike.
    pub laid: Option<Laid>,
}

impl Seen {
    /// Mean and spread over all patches of what the first look shows of the whole photo.
    pub(super) fn whole(&self, sight: &Sight) -> Vec<f32> {
        pooled(&self.grids[0], &sight.looks[0].pooled).row(0).to_vec()
    }
}

/// A base opened for an inspector.
#[derive(Debug)]
pub struct Eye {
    looks: Vec<PatchBase>,
    without_background: bool,
    depth: Depth,
    canvas: Option<Canvas>,
}

/// How photos are to be looked at.
#[derive(Debug)]
pub struct Chosen {
    /// Scales and tiles.
    pub sight: Sight,
    /// The base opened for it.
    pub eye: Eye,
    /// With about how many photos to learn from they would be looked at as closely as wanted; `None` where they are.
    pub room_for: Option<usize>,
}

impl Sight {
    /// Chooses scales and tiles.
    ///
    /// The finer scale brings the median photo to the area of a square of 512 pixels, or as much larger as the smallest defect
    /// takes to cover two cells of the look for detail, within limits of time and memory; it never enlarges. The coarser has
    /// half of that, and sees what is wrong with a whole region. An early map of the finer scale, in smaller cells, shows where
    /// exactly something is.
    ///
    /// # Errors
    /// Those of [`detection_maps`], and when the plan does not fit the network.
    pub fn choose(dir: &Path, engine: &EngineChoice, shown: &Shown<'_>) -> Result<Chosen, BaseError> {
        let maps = detection_maps(dir)?;
        let Scale { fine, sizes, room_for } =
            shown.scale(maps.detail.as_ref().map_or(maps.cell, |(_, cell)| *cell));
        let sizes = &sizes[..];
        let mut plans = vec![plan(&maps, fine, sizes, shown.defects), plan(&maps, fine / 2.0, sizes, false)];
        if let Some((map, cell)) = &maps.detail {
            plans.push(laid_out(vec![map.clone()], *cell, maps.step, fine, sizes));
        }
        let mut looks = Vec::new();
        let mut bases = Vec::new();
        for plan in plans {
            let base = PatchBase::open(dir, engine, plan.clone())?;
            looks.push(Look::new(plan, &maps, &base.columns()));
            bases.push(base);
        }
        let Shown { without_background, depth, canvas, .. } = *shown;
        let canvas = canvas.cloned();
        let eye = Eye { looks: bases, without_background, depth, canvas: canvas.clone() };
        let sides = sides_of(sizes);
        let sight = Self { looks, without_background, depth, canvas, sides };
        Ok(Chosen { sight, eye, room_for })
    }

    /// Side in pixels of the smallest defect that covers two cells of the finest look: what is smaller is hardly seen.
    pub fn smallest_seen(&self) -> f64 {
        let sides = self.looks.iter().map(|look| 2.0 * look.plan.cell as f64 / look.plan.scale);
        sides.fold(f64::INFINITY, f64::min)
    }

    /// Opens the base in a folder for this sight.
    ///
    /// # Errors
    /// Those of the base; [`BaseError::Ffmpeg`] where it looks at videos and none can be decoded.
    pub fn open(&self, dir: &Path, engine: &EngineChoice) -> Result<Eye, BaseError> {
        let open = |look: &Look| PatchBase::open(dir, engine, look.plan.clone());
        let looks = self.looks.iter().map(open).collect::<Result<_, _>>()?;
        let canvas = self.canvas.clone();
        if let Some(Canvas::Videos(_)) = canvas {
            Ffmpeg::default().version()?;
        }
        Ok(Eye { looks, without_background: self.without_background, depth: self.depth, canvas })
    }
}

/// Sides of squares as large as the smallest and the largest photo that can be looked at.
fn sides_of(sizes: &[(u32, u32)]) -> Option<[f64; 2]> {
    let looked_at = sizes.iter().map(|size| side(*size)).filter(|side| side * side >= LEAST_PIXELS as f64);
    let [least, most] =
        looked_at.fold([f64::INFINITY, 0.0], |[least, most], side| [least.min(side), most.max(side)]);
    (least <= most).then_some([least, most])
}

impl Look {
    fn new(plan: PatchPlan, maps: &DetectionMaps, columns: &[Range<usize>]) -> Self {
        let of = |names: &[String]| {
            let place = |name: &String| plan.maps.iter().position(|map| map == name);
            let mut found = names.iter().filter_map(place).map(|at| columns[at].clone());
            let first = found.next().unwrap_or(0..0);
            found.fold(first, |all, next| all.start.min(next.start)..all.end.max(next.end))
        };
        let mut views: Vec<Range<usize>> = maps.views.iter().map(|view| of(view)).collect();
        views.retain(|view| !view.is_empty());
        if views.is_empty() {
            views = columns.to_vec();
        }
        Self { views, pooled: of(&maps.pooled), plan }
    }

    /// Whether it looks at anything, and at no more than one that was chosen: such a look takes little memory.
    pub(super) fn is_sound(&self) -> bool {
        let PatchPlan { scale, tiles, cell, maps, .. } = &self.plan;
        let looks = !self.views.is_empty() && self.views.iter().all(|view| view.start < view.end);
        let enlarges = !(*scale > 0.0 && *scale <= 1.0);
        let is_large = tiles.len() > SHARES.len() || tiles.iter().any(|tile| *tile > MOST_TILE);
        looks && !enlarges && !is_large && *cell >= LEAST_CELL && maps.len() <= MOST_MAPS
    }

    /// Whether it is there for detail only: such a look says where something is, not whether.
    pub(crate) fn is_detail(&self) -> bool {
        self.pooled.is_empty()
    }
}

fn plan(maps: &DetectionMaps, scale: f64, sizes: &[(u32, u32)], more: bool) -> PatchPlan {
    let more = if more { &maps.more[..] } else { &[] };
    let names = maps.views.iter().flatten().chain(more).cloned().collect();
    laid_out(names, maps.cell, maps.step, scale, sizes)
}

/// Photos go through whole, each in the smallest of a few tiles that holds it; what is much larger is cut.
fn laid_out(maps: Vec<String>, cell: usize, step: usize, scale: f64, sizes: &[(u32, u32)]) -> PatchPlan {
    let mut sides: Vec<u32> = sizes.iter().map(|(width, height)| *width.max(height)).collect();
    sides.sort_unstable();
    let holding = |share: f64| {
        let side = f64::from(sides[((sides.len() - 1) as f64 * share) as usize]) * scale;
        (side.round() as usize + 4 * cell).clamp(TILES.0, TILES.1).next_multiple_of(step)
    };
    let mut tiles: Vec<usize> = SHARES.map(holding).to_vec();
    tiles.dedup();
    let largest = SHARES.map(holding)[SHARES.len() - 1];
    let margin = (MARGIN / cell * cell).min(largest / 4 / cell * cell);
    PatchPlan { scale, tiles, margin, cell, maps }
}

impl Eye {
    /// The picture that a file is looked at by, and what of the file was damaged: see [`depict`].
    ///
    /// # Errors
    /// [`PrepError`] when the file cannot be read or drawn.
    pub fn depict(&self, path: &Path) -> Result<Depicted, PrepError> {
        depict(path, self.canvas.as_ref())
    }

    /// The bytes of that picture.
    ///
    /// # Errors
    /// As [`Eye::depict`].
    pub fn picture(&self, path: &Path) -> Result<Vec<u8>, PrepError> {
        Ok(self.depict(path)?.bytes)
    }

    /// Decodes a photo, and says whether some of it is brighter than the bits that are used can hold: there it is white.
    ///
    /// # Errors
    /// [`PrepError`] for what cannot be decoded; before that [`PrepError::TooFine`] and [`PrepError::TooSmall`] for a photo of a size that
    /// cannot be looked at.
    pub fn decode(&self, bytes: &[u8]) -> Result<(RgbImage, bool), PrepError> {
        let (width, height) = prep::size(bytes)?;
        if u64::from(width) * u64::from(height) < LEAST_PIXELS {
            return Err(PrepError::TooSmall { width, height, least: LEAST_PIXELS });
        }
        // The look for detail, which has the smallest cells and takes the fewest pixels, comes last.
        self.looks.iter().rev().try_for_each(|look| look.check(width, height))?;
        decode_deep(bytes, self.depth)
    }

    /// Looks at a photo at every scale, after painting over its background where that is wanted and laying it over the
    /// reference where there is one.
    pub fn see(&self, photo: &RgbImage, aligner: Option<&Aligner>) -> Result<Seen, SightError> {
        let photo = &*self.prepared(photo);
        let laid = aligner.map(|aligner| lay(aligner, photo)).transpose()?;
        let (laid, registered) = laid.unzip();
        let shown = registered.as_ref().unwrap_or(photo);
        let grids = self.looks.iter().map(|look| look.grid(shown)).collect::<Result<_, _>>()?;
        Ok(Seen { size: photo.dimensions(), grids, laid })
    }

    /// Whether the base shows every column that the looks name.
    pub(super) fn shows(&self, sight: &Sight) -> bool {
        let shows = |(base, look): (&PatchBase, &Look)| {
            let columns = base.columns().iter().map(|columns| columns.end).max().unwrap_or(0);
            look.pooled.end <= columns && look.views.iter().all(|view| view.end <= columns)
        };
        self.looks.iter().zip(&sight.looks).all(shows)
    }

    /// The photo as it is looked at.
    pub fn prepared<'p>(&self, photo: &'p RgbImage) -> Cow<'p, RgbImage> {
        if self.without_background { Cow::Owned(without_background(photo)) } else { Cow::Borrowed(photo) }
    }

    /// How many of the bits of deep photos are used.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// Name of the engine, with what decides its arithmetic.
    pub fn engine_name(&self) -> String {
        self.looks[0].engine_name()
    }

    /// Identity of the base.
    pub fn hash(&self) -> store::Hash {
        self.looks[0].hash()
    }
}

/// Mean and logarithm of the standard deviation of some columns over all patches, `[1, 2 c]`.
pub(crate) fn pooled(grid: &PatchGrid, columns: &Range<usize>) -> Matrix {
    let n = grid.x.rows() as f64;
    let mut sums = vec![0.0_f64; columns.len()];
    let mut squares = vec![0.0_f64; columns.len()];
    for row in grid.x.iter_rows() {
        for (place, value) in row[columns.clone()].iter().enumerate() {
            let value = f64::from(*value);
            sums[place] += value;
            squares[place] += value * value;
        }
    }
    let spread = |place: usize| (squares[place] / n - (sums[place] / n).powi(2)).max(0.0).sqrt();
    let means = sums.iter().map(|sum| (sum / n) as f32);
    let spreads = (0..columns.len()).map(|place| (spread(place) + LEAST_SPREAD).ln() as f32);
    Matrix::from_vec(1, 2 * columns.len(), means.chain(spreads).collect())
}

/// Some columns of a grid, `[rows * cols, c]`.
pub(crate) fn columns(grid: &PatchGrid, columns: &Range<usize>) -> Matrix {
    let data = grid.x.iter_rows().flat_map(|row| row[columns.clone()].iter().copied()).collect();
    Matrix::from_vec(grid.x.rows(), columns.len(), data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_nobody_chooses_is_not_sound() {
        let sound = Look {
            plan: laid_out(vec!["a".to_owned()], 8, 32, 1.0, &[(4000, 3000)]),
            views: vec![0..4, 4..6],
            pooled: 0..4,
        };
        assert!(sound.is_sound());
        let with = |change: fn(&mut Look)| {
            let mut look = sound.clone();
            change(&mut look);
            look.is_sound()
        };
        assert!(!with(|look| look.plan.scale = 2000.0) && !with(|look| look.plan.scale = f64::NAN));
        assert!(!with(|look| look.plan.tiles = vec![8192]) && !with(|look| look.plan.tiles = vec![512; 90]));
        assert!(!with(|look| look.plan.cell = 1) && !with(|look| look.plan.maps = vec!["a".to_owned(); 900]));
        assert!(!with(|look| look.views.clear()));
    }

    #[test]
    fn photos_of_hardly_any_pixels_are_no_measure_of_size() {
        assert_eq!(sides_of(&[(100, 400), (20, 12), (50, 50)]), Some([50.0, 200.0]));
        assert_eq!(sides_of(&[(1, 1)]), None);
    }
}
