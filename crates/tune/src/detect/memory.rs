//! A memory of good patches: how far is the nearest? (methods 2.2 and 2.3, after PatchCore and AnomalyDINO)
//!
//! The bank holds a few patches that are near all patches of good photos. Its values are half-precision numbers; distances are
//! computed in single precision.

use linalg::{
    Cell, Limits, Matrix, MatrixView, NearestIndex, Seed, Sides, k_centre, random, random_projection,
};
use serde::{Deserialize, Serialize};

use crate::TuneError;
use crate::detect::bank::Bank;
use crate::detect::folds::Parts;
use crate::detect::patches::{check_asked, check_finite};
use crate::detect::scaling::Scale;
use crate::detect::stored::{self, Tensors, damaged};
use crate::detect::{Patches, Scored};

/// How features are made comparable before distances are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// As they are.
    None,
    /// Each patch to length 1; a zero vector stays. Squared distances are then `2 - 2 cos`.
    Unit,
    /// Each column to mean 0 and variance 1 over the good patches; a constant column is only centred.
    Columns,
}

/// What may be set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MemoryConfig {
    /// How features are made comparable. Default: to unit length, as in AnomalyDINO.
    pub scaling: Scaling,
    /// Share of the patches that the bank keeps, in (0, 1]. Default 0.1: PatchCore found as little lost at 0.01, but with few
    /// photos there are few patches to begin with.
    pub share: f64,
    /// Most patches that the bank keeps, at least 1. Default 10,000: a photo of 1,024 patches is then compared in tens of
    /// milliseconds.
    pub most: usize,
    /// Dimensions in which patches are chosen, by a random projection; 0 chooses by the distances themselves. Default 0: the
    /// choice is fast enough without.
    pub projection: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { scaling: Scaling::Unit, share: 0.1, most: 10_000, projection: 0 }
    }
}

/// Good patches to compare with.
#[derive(Debug, Clone)]
pub struct PatchMemory {
    scale: Scale,
    bank: Bank,
    index: NearestIndex,
    /// The photo and the place that each row of the bank is from, `[b]`.
    photos: Vec<u32>,
    cells: Vec<Cell>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    scaling: Scaling,
    photos: Vec<u32>,
    /// Row and column.
    cells: Vec<[u16; 2]>,
}

impl PatchMemory {
    /// Makes a memory of the patches of good photos. The seed decides with which patch the choice starts, and the projection.
    ///
    /// Errors: no patches, sizes that do not fit together, values that are not finite or too large for half precision
    /// (65,504), settings out of range.
    pub fn fit(patches: &Patches<'_>, config: &MemoryConfig, seed: Seed) -> Result<Self, TuneError> {
        Ok(Self::choose(patches, config, seed)?.0)
    }

    /// As [`PatchMemory::fit`], with the distance of every patch to the nearest row of the bank **from another photo**.
    ///
    /// Without a choice (`share` 1) and with a scaling that learns nothing these are exactly the distances by a memory made
    /// from the other photos. [`Scaling::Columns`] is learned anew without the photo up to 16 photos, beyond that without its
    /// part of ten. The choice itself has seen all photos: where a patch of the photo left out had covered patches of others,
    /// the bank has a hole, so that distances are, if anything, too large.
    ///
    /// Errors: as `fit`; one photo only; a bank with rows of one photo only.
    pub fn fit_scored(
        patches: &Patches<'_>,
        config: &MemoryConfig,
        seed: Seed,
    ) -> Result<Scored<Self>, TuneError> {
        let (memory, picks) = Self::choose(patches, config, seed)?;
        let parts = Parts::deal(patches)?;
        let held_out = if config.scaling == Scaling::Columns {
            let mut held_out = vec![0.0; patches.len()];
            for part in 0..parts.count {
                let rows = parts.rows(part);
                let others = parts.others(part);
                let scale = Scale::learn(Scaling::Columns, patches.x, &others);
                let bank = Bank::rounded(&scale.apply(patches.x, &picks))?;
                let apart = Self::new(scale, bank, memory.photos.clone(), memory.cells.clone());
                for (row, distance) in rows.iter().zip(apart.to_other_photos(patches, &rows)?) {
                    held_out[*row] = distance;
                }
            }
            held_out
        } else {
            memory.to_other_photos(patches, &(0..patches.len()).collect::<Vec<_>>())?
        };
        Ok(Scored { detector: memory, held_out })
    }

    /// The memory and the rows that its bank was made from.
    fn choose(
        patches: &Patches<'_>,
        config: &MemoryConfig,
        seed: Seed,
    ) -> Result<(Self, Vec<usize>), TuneError> {
        config.check()?;
        patches.check()?;
        let n = patches.len();
        let all: Vec<usize> = (0..n).collect();
        let scale = Scale::learn(config.scaling, patches.x, &all);
        let scaled = scale.apply(patches.x, &all);
        check_finite(scaled.view())?;
        let count = ((config.share * n as f64).ceil() as usize).clamp(1, config.most);
        let mut picks = if count >= n {
            all
        } else {
            let first = random::below(&mut seed.derive("first patch").rng(), n);
            let shorter = (config.projection > 0 && config.projection < scaled.cols())
                .then(|| random_projection(scaled.view(), config.projection, seed.derive("projection")));
            k_centre(shorter.as_ref().unwrap_or(&scaled).view(), count, first).picks
        };
        // In the order of the patches, which is the order of places within a photo.
        picks.sort_unstable();
        let bank = Bank::rounded(&scaled.select_rows(&picks))?;
        let photos = picks.iter().map(|row| patches.photos[*row]).collect();
        let cells = picks.iter().map(|row| patches.cells[*row]).collect();
        Ok((Self::new(scale, bank, photos, cells), picks))
    }

    fn new(scale: Scale, bank: Bank, photos: Vec<u32>, cells: Vec<Cell>) -> Self {
        let index = NearestIndex::new(bank.widened().view());
        Self { scale, bank, index, photos, cells }
    }

    fn to_other_photos(&self, patches: &Patches<'_>, rows: &[usize]) -> Result<Vec<f32>, TuneError> {
        let queries = self.scale.apply(patches.x, rows);
        let photos: Vec<u32> = rows.iter().map(|row| patches.photos[*row]).collect();
        let others = Some(Sides { queries: &photos, bank: &self.photos });
        let hits =
            self.index.nearest(self.bank.widened().view(), queries.view(), Limits { others, near: None });
        hits.iter().map(|hit| hit.map(|hit| hit.distance).ok_or(TuneError::OnePhoto)).collect()
    }

    /// Distance of each patch, `[n, d]`, to the nearest row of the bank.
    ///
    /// Errors: another number of columns, values that are not finite.
    pub fn distances(&self, x: MatrixView<'_>) -> Result<Vec<f32>, TuneError> {
        let queries = self.asked(x)?;
        let hits = self.index.nearest(self.bank.widened().view(), queries.view(), Limits::default());
        Ok(hits.iter().map(|hit| hit.expect("a bank has at least one row").distance).collect())
    }

    /// As [`PatchMemory::distances`], but only to rows of the bank from at most `reach` cells away, up or down and left or
    /// right: for parts that always lie the same way. Where the bank has no such row, the nearest of all counts.
    ///
    /// `cells` is `[n]`.
    pub fn distances_near(
        &self,
        x: MatrixView<'_>,
        cells: &[Cell],
        reach: u16,
    ) -> Result<Vec<f32>, TuneError> {
        let queries = self.asked(x)?;
        if cells.len() != x.rows() {
            return Err(TuneError::Patches { what: "the cells", got: cells.len(), expected: x.rows() });
        }
        let near = Some((Sides { queries: cells, bank: &self.cells }, reach));
        let bank = self.bank.widened();
        let hits = self.index.nearest(bank.view(), queries.view(), Limits { others: None, near });
        let lost: Vec<usize> = (0..hits.len()).filter(|row| hits[*row].is_none()).collect();
        let anywhere = self.index.nearest(bank.view(), queries.select_rows(&lost).view(), Limits::default());
        let mut anywhere = anywhere.into_iter();
        let distance = |hit: Option<linalg::Hit>| {
            hit.or_else(|| anywhere.next().flatten()).expect("a bank has at least one row").distance
        };
        Ok(hits.into_iter().map(distance).collect())
    }

    fn asked(&self, x: MatrixView<'_>) -> Result<Matrix, TuneError> {
        check_asked(x, self.dim())?;
        let queries = self.scale.apply(x, &(0..x.rows()).collect::<Vec<_>>());
        check_finite(queries.view())?;
        Ok(queries)
    }

    /// Number of columns of the features.
    pub fn dim(&self) -> usize {
        self.bank.cols()
    }

    /// What is kept, `[b, d]`.
    pub fn bank(&self) -> &Bank {
        &self.bank
    }

    /// Number of patches that are kept.
    pub fn len(&self) -> usize {
        self.bank.rows()
    }

    /// Whether none is kept; never so.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Structure and tensors, for storing beside the bank.
    pub fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let stored = Stored {
            scaling: self.scale.kind,
            photos: self.photos.clone(),
            cells: self.cells.iter().map(|cell| [cell.row, cell.col]).collect(),
        };
        let mut tensors = Tensors::new();
        self.scale.put(&mut tensors);
        (serde_json::to_value(stored).expect("a memory has whole numbers"), tensors)
    }

    /// The reverse of [`PatchMemory::to_tensors`]; everything that came from a file is checked.
    pub fn from_tensors(
        structure: &serde_json::Value,
        tensors: &Tensors,
        bank: Bank,
    ) -> Result<Self, TuneError> {
        let stored: Stored = stored::structure(structure)?;
        if stored.photos.len() != bank.rows() || stored.cells.len() != bank.rows() {
            return Err(damaged("the bank, its photos and its places do not fit together"));
        }
        let scale = Scale::get(stored.scaling, tensors, bank.cols())?;
        let cells = stored.cells.iter().map(|[row, col]| Cell { row: *row, col: *col }).collect();
        Ok(Self::new(scale, bank, stored.photos, cells))
    }
}

impl MemoryConfig {
    fn check(&self) -> Result<(), TuneError> {
        if !(self.share > 0.0 && self.share <= 1.0) {
            return Err(TuneError::Setting { setting: "share", expected: "above 0 and at most 1" });
        }
        if self.most == 0 {
            return Err(TuneError::Setting { setting: "most", expected: "at least 1" });
        }
        Ok(())
    }
}
