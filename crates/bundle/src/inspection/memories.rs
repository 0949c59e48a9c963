//! The detectors of an inspector that know good parts only: what each says of a photo, before it is weighed.

use linalg::{MatrixView, Seed};
use tune::TuneError;
use tune::detect::{Evened, LocalConfig, LocalMemory, PixelReference, Rigid, photo_score};

use super::map::ScoreMap;
use super::sight::{Seen, Sight, columns, pooled};

/// Patches that each view remembers.
const BANK: usize = 5_000;
/// Share of a photo's patches whose mean is what a view says of the photo.
pub(super) const TOP: f64 = 0.003;
/// Fewest good photos from which photos are compared as a whole.
const POOLED_FROM: usize = 16;

/// One memory for each view at each scale, and one of whole photos at each scale where there are enough.
#[derive(Debug, Clone, PartialEq)]
pub struct Memories {
    /// View by view, scale by scale.
    pub views: Vec<LocalMemory>,
    /// By scale; empty with few photos.
    pub pooled: Vec<LocalMemory>,
    /// The median good part pixel by pixel; absent where parts do not lie alike.
    pub pixels: Option<PixelReference>,
}

/// What the memories say of one photo, in units of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw {
    /// The map of each view, on the grid of its scale.
    pub maps: Vec<ScoreMap>,
    /// The mean of the most suspicious patches of each view.
    pub tops: Vec<f64>,
    /// How unlike the good photos the whole is, by scale.
    pub pooled: Vec<f64>,
    /// Where parts lie alike, the map of pixels that differ and what it says of the photo.
    pub pixels: Option<(ScoreMap, f64)>,
    /// How the photo lies and its size, to lay maps back over it.
    pub laid: Option<(Rigid, (u32, u32))>,
}

impl Memories {
    /// Learns from good photos, at least one.
    pub fn fit(sight: &Sight, photos: &[&Seen], seed: Seed) -> Result<Self, TuneError> {
        let evened = photos.iter().map(|seen| Some(&seen.laid.as_ref()?.evened));
        let evened: Option<Vec<&Evened>> = evened.collect();
        let pixels = evened.map(|evened| PixelReference::fit_evened(&evened)).transpose()?;
        let mut memories = Self { views: Vec::new(), pooled: Vec::new(), pixels };
        let patches = LocalConfig { bank: BANK, whiten: true, power: 0.5 };
        let wholes = LocalConfig { bank: photos.len().max(1), whiten: false, power: 1.0 };
        for (scale, look) in sight.looks.iter().enumerate() {
            let grids: Vec<MatrixView<'_>> = photos.iter().map(|seen| seen.grids[scale].x.view()).collect();
            for view in &look.views {
                memories.views.push(LocalMemory::fit(&grids, view.clone(), &patches, seed)?);
            }
            if photos.len() >= POOLED_FROM {
                let whole: Vec<_> =
                    photos.iter().map(|seen| pooled(&seen.grids[scale], &look.pooled)).collect();
                let rows: Vec<MatrixView<'_>> = whole.iter().map(linalg::Matrix::view).collect();
                memories.pooled.push(LocalMemory::fit(&rows, 0..2 * look.pooled.len(), &wholes, seed)?);
            }
        }
        Ok(memories)
    }

    /// What they say of a photo.
    ///
    /// # Errors
    /// Photos seen otherwise than those that were learned from.
    pub fn say(&self, sight: &Sight, seen: &Seen) -> Result<Raw, TuneError> {
        let laid = seen.laid.as_ref();
        let pixels = self.pixels.as_ref().zip(laid).map(|(reference, laid)| {
            let map = reference.map_evened(&laid.evened)?;
            let score = f64::from(photo_score(&map));
            Ok::<_, TuneError>((ScoreMap { rows: map.height, cols: map.width, values: map.values }, score))
        });
        let mut raw = Raw {
            maps: Vec::new(),
            tops: Vec::new(),
            pooled: Vec::new(),
            pixels: pixels.transpose()?,
            laid: laid.map(|laid| (laid.rigid, seen.size)),
        };
        let mut memories = self.views.iter();
        for (look, grid) in sight.looks.iter().zip(&seen.grids) {
            for (view, memory) in look.views.iter().zip(&mut memories) {
                let values = memory.scores(columns(grid, view).view())?;
                let map = ScoreMap { rows: grid.rows, cols: grid.cols, values };
                raw.tops.push(map.top_mean(TOP));
                raw.maps.push(map);
            }
        }
        for ((look, grid), memory) in sight.looks.iter().zip(&seen.grids).zip(&self.pooled) {
            raw.pooled.push(f64::from(memory.scores(pooled(grid, &look.pooled).view())?[0]));
        }
        Ok(raw)
    }
}
