//! The detectors of an inspector that know good parts only: what each says of a photo, before it is weighed.

use std::borrow::Cow;

use linalg::{Cell, Matrix, MatrixView, Seed};
use tune::TuneError;
use tune::detect::{
    Evened, LocalConfig, LocalMemory, MemoryConfig, PatchMemory, Patches, PixelReference, Rigid, Scaling,
    Subspace, SubspaceKind, photo_score,
};

use super::map::ScoreMap;
use super::sight::{Look, Seen, Sight, columns, pooled};
use super::votes::{self, Detector};

/// Patches that each view remembers.
const BANK: usize = 5_000;
/// Share of a photo's patches whose mean is what a view says of the photo.
pub(super) const TOP: f64 = 0.003;
/// Fewest good photos, those that are held out included, from which photos are compared as a whole.
pub const WHOLE_FROM: usize = 16;
/// Good patches from which their directions are learned; more change nothing.
const DIRECTIONS_FROM: usize = 20_000;
/// A place is this many cells wide, up and down and to both sides.
const REACH: u16 = 2;

/// What is remembered of good parts.
#[derive(Debug, Clone)]
pub struct Memories {
    /// View by view, scale by scale; those that nobody listens to are left out.
    pub views: Vec<Option<LocalMemory>>,
    /// How surfaces vary, by scale; empty where nobody listens.
    pub residuals: Vec<Subspace>,
    /// Surfaces by place, at the finest scale.
    pub place: Option<PatchMemory>,
    /// Whole photos, by scale; empty where nobody listens.
    pub pooled: Vec<LocalMemory>,
    /// The median good part pixel by pixel; absent where parts do not lie alike.
    pub pixels: Option<PixelReference>,
}

/// A good photo to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Good<'a> {
    /// What was seen of it.
    pub seen: &'a Seen,
    /// What was seen of it turned around, where parts may lie any way; it counts as the same photo.
    pub turned: &'a [Seen],
}

impl<'a> Good<'a> {
    /// All its patches at one scale, `[n, d]`.
    fn patches(&self, scale: usize) -> Cow<'a, Matrix> {
        let own = &self.seen.grids[scale].x;
        if self.turned.is_empty() {
            return Cow::Borrowed(own);
        }
        let grids = std::iter::once(own).chain(self.turned.iter().map(|seen| &seen.grids[scale].x));
        let data: Vec<f32> = grids.flat_map(|x| x.data().iter().copied()).collect();
        Cow::Owned(Matrix::from_vec(data.len() / own.cols(), own.cols(), data))
    }

    /// What it looks like as a whole at one scale, upright and turned, `[1 + turned, d]`.
    fn wholes(&self, scale: usize, look: &Look) -> Matrix {
        let all = std::iter::once(self.seen).chain(self.turned);
        let data: Vec<f32> =
            all.flat_map(|seen| pooled(&seen.grids[scale], &look.pooled).data().to_vec()).collect();
        Matrix::from_vec(1 + self.turned.len(), 2 * look.pooled.len(), data)
    }
}

/// What one detector says at one scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Voice {
    /// Which detector speaks.
    pub of: Detector,
    /// Suspicion by cell of its grid.
    pub map: ScoreMap,
    /// The mean of the most suspicious cells.
    pub top: f64,
}

/// What the memories say of one photo, in units of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw {
    /// Of patches: detectors and scales, always in the same order.
    pub voices: Vec<Voice>,
    /// How unlike the good photos the whole is, by scale.
    pub pooled: Vec<f64>,
    /// Where parts lie alike, the map of pixels that differ and what it says of the photo.
    pub pixels: Option<(ScoreMap, f64)>,
    /// How the photo lies and its size, to lay maps back over it.
    pub laid: Option<(Rigid, (u32, u32))>,
    /// Rows and columns of the finest scale's grid.
    pub grid: (usize, usize),
}

impl Raw {
    /// Without what detectors say that nobody listens to.
    pub fn keep(&mut self, detectors: &[Detector]) {
        self.voices.retain(|voice| detectors.contains(&voice.of));
        if !detectors.contains(&Detector::Whole) {
            self.pooled.clear();
        }
    }
}

impl Memories {
    /// Learns from good photos, at least one, what these detectors need; [`Detector::draws`] says which are needed anyway.
    pub fn fit(
        sight: &Sight,
        photos: &[Good<'_>],
        detectors: &[Detector],
        seed: Seed,
    ) -> Result<Self, TuneError> {
        let heard = |detector: Detector| detector.draws() || detectors.contains(&detector);
        let evened = photos.iter().map(|good| Some(&good.seen.laid.as_ref()?.evened));
        let evened: Option<Vec<&Evened>> = evened.collect();
        let place = heard(Detector::Place) && evened.is_some();
        let mut memories = Self {
            views: fit_views(sight, photos, heard, seed)?,
            residuals: if heard(Detector::Residual) { fit_residuals(sight, photos)? } else { Vec::new() },
            place: place.then(|| fit_place(&sight.looks[0], photos, seed)).transpose()?,
            pooled: Vec::new(),
            pixels: evened.map(|evened| PixelReference::fit_evened(&evened)).transpose()?,
        };
        let n_wholes: usize = photos.iter().map(|good| 1 + good.turned.len()).sum();
        let wholes = LocalConfig { bank: n_wholes.max(1), whiten: false, power: 1.0 };
        if heard(Detector::Whole) {
            for (scale, look) in sight.looks.iter().enumerate().filter(|(_, look)| !look.is_detail()) {
                let whole: Vec<Matrix> = photos.iter().map(|good| good.wholes(scale, look)).collect();
                let rows: Vec<MatrixView<'_>> = whole.iter().map(Matrix::view).collect();
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
            voices: self.voices(sight, seen)?,
            pooled: Vec::new(),
            pixels: pixels.transpose()?,
            laid: laid.map(|laid| (laid.rigid, seen.size)),
            grid: (seen.grids[0].rows, seen.grids[0].cols),
        };
        let looks = sight.looks.iter().zip(&seen.grids).filter(|(look, _)| !look.is_detail());
        for ((look, grid), memory) in looks.zip(&self.pooled) {
            raw.pooled.push(f64::from(memory.scores(pooled(grid, &look.pooled).view())?[0]));
        }
        Ok(raw)
    }

    /// The detectors behind the voices of [`Memories::say`], in their order.
    pub(crate) fn voices_of(&self, sight: &Sight) -> Vec<Detector> {
        let views = self.views.iter().zip(votes::of_views(sight));
        let heard = views.filter_map(|(memory, of)| memory.as_ref().map(|_| of));
        let residuals = self.residuals.iter().map(|_| Detector::Residual);
        heard.chain(residuals).chain(self.place.iter().map(|_| Detector::Place)).collect()
    }

    fn voices(&self, sight: &Sight, seen: &Seen) -> Result<Vec<Voice>, TuneError> {
        let mut voices = Vec::new();
        let mut speak = |of: Detector, scale: usize, values: Vec<f32>| {
            let map = ScoreMap { rows: seen.grids[scale].rows, cols: seen.grids[scale].cols, values };
            voices.push(Voice { of, top: map.top_mean(TOP), map });
        };
        let detectors = votes::of_views(sight);
        for ((memory, of), (scale, view)) in self.views.iter().zip(detectors).zip(views(sight)) {
            if let Some(memory) = memory {
                speak(of, scale, memory.scores(columns(&seen.grids[scale], view).view())?);
            }
        }
        for (scale, residual) in self.residuals.iter().enumerate() {
            let x = columns(&seen.grids[scale], &sight.looks[scale].views[0]);
            let lengths = residual.scores(x.view())?.into_iter().map(f32::sqrt).collect();
            speak(Detector::Residual, scale, lengths);
        }
        if let Some(place) = &self.place {
            let x = columns(&seen.grids[0], &sight.looks[0].views[0]);
            speak(Detector::Place, 0, place.distances_near(x.view(), &cells(&seen.grids[0]), REACH)?);
        }
        Ok(voices)
    }
}

/// Every view with the scale that it belongs to.
fn views(sight: &Sight) -> impl Iterator<Item = (usize, &std::ops::Range<usize>)> {
    let looks = sight.looks.iter().enumerate();
    looks.flat_map(|(scale, look)| look.views.iter().map(move |view| (scale, view)))
}

fn fit_views(
    sight: &Sight,
    photos: &[Good<'_>],
    heard: impl Fn(Detector) -> bool,
    seed: Seed,
) -> Result<Vec<Option<LocalMemory>>, TuneError> {
    let config = LocalConfig { bank: BANK, whiten: true, power: 0.5 };
    let fit = |(scale, view): (usize, &std::ops::Range<usize>)| {
        let patches: Vec<Cow<'_, Matrix>> = photos.iter().map(|good| good.patches(scale)).collect();
        let grids: Vec<MatrixView<'_>> = patches.iter().map(|patches| patches.view()).collect();
        LocalMemory::fit(&grids, view.clone(), &config, seed)
    };
    let detectors = votes::of_views(sight);
    views(sight).zip(detectors).map(|(view, of)| heard(of).then(|| fit(view)).transpose()).collect()
}

fn fit_residuals(sight: &Sight, photos: &[Good<'_>]) -> Result<Vec<Subspace>, TuneError> {
    let looks = sight.looks.iter().enumerate().filter(|(_, look)| !look.is_detail());
    let fit = |(scale, look): (usize, &Look)| {
        let all: usize = photos.iter().map(|good| good.seen.grids[scale].x.rows()).sum();
        let patches = Gathered::new(photos, scale, &look.views[0], all.div_ceil(DIRECTIONS_FROM));
        Subspace::fit(&patches.view(), SubspaceKind::Mahalanobis { shrinkage: 0.01 })
    };
    looks.map(fit).collect()
}

fn fit_place(look: &Look, photos: &[Good<'_>], seed: Seed) -> Result<PatchMemory, TuneError> {
    let config =
        MemoryConfig { scaling: Scaling::Columns, share: 1.0, most: 4 * BANK, ..MemoryConfig::default() };
    PatchMemory::fit(&Gathered::new(photos, 0, &look.views[0], 1).view(), &config, seed)
}

/// Patches of several photos in one matrix.
struct Gathered {
    x: Matrix,
    photos: Vec<u32>,
    cells: Vec<Cell>,
}

impl Gathered {
    /// Every `step`th patch of each photo, from the middle of the first `step` on.
    fn new(photos: &[Good<'_>], scale: usize, view: &std::ops::Range<usize>, step: usize) -> Self {
        let (mut data, mut numbers, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (number, good) in (0..).zip(photos) {
            let grid = &good.seen.grids[scale];
            let cells = cells(grid);
            for row in (step / 2..grid.x.rows()).step_by(step) {
                data.extend_from_slice(&grid.x.row(row)[view.clone()]);
                numbers.push(number);
                places.push(cells[row]);
            }
        }
        Self { x: Matrix::from_vec(numbers.len(), view.len(), data), photos: numbers, cells: places }
    }

    fn view(&self) -> Patches<'_> {
        Patches { x: self.x.view(), photos: &self.photos, cells: &self.cells }
    }
}

fn cells(grid: &base::patches::PatchGrid) -> Vec<Cell> {
    let cell = |at: usize| Cell { row: (at / grid.cols) as u16, col: (at % grid.cols) as u16 };
    (0..grid.rows * grid.cols).map(cell).collect()
}
