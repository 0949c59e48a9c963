//! What is learned from the first defects: where they are, from marks or without, and what photos with defects look like.

use std::ops::Range;

use base::patches::PatchGrid;
use linalg::{Cell, Matrix, Seed, random};
use serde::{Deserialize, Serialize};
use tune::TuneError;
use tune::detect::{MilInput, PatchLogit, Patches, balanced_weights, fit_patches, fit_without_masks};

use super::map::{Between, ScoreMap, between};
use super::sight::{Look, Seen, Sight, pooled};
use super::weighing::Usual;

/// Patches that teach from each photo without defects, and far from a defect on each photo with one.
const QUIET: usize = 150;
/// A patch is part of a defect from this covered share on, if any is, and from this share of the most covered patch on.
const COVERED: (f32, f32) = (0.05, 0.3);
/// Weight of patches far from the defect, beside those of the defect itself.
const FAR: f32 = 0.5;
/// Penalty on patches, for features of variance 1 and weights that sum to 1.
const PATCH_PENALTY: f64 = 0.01;
/// Penalty on whole photos, likewise.
const PHOTO_PENALTY: f64 = 0.3;
/// Penalty where defects are not marked: with so little to go by a stronger one.
const UNMARKED_PENALTY: f64 = 1.0;
/// Photos with defects that are not marked, and good ones beside them, that are learned from: every patch of theirs is.
const UNMARKED: (usize, usize) = (200, 40);
/// Share of a photo's patches whose mean logit is what the marks say of the photo.
pub(super) const TOP: f64 = 0.01;

/// A photo to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Taught<'a> {
    /// What was seen of it.
    pub seen: &'a Seen,
    /// Whether it has a defect.
    pub defect: bool,
    /// The covered share of every patch of the finest grid; absent where the defect is not marked, and on good photos.
    pub covered: Option<&'a ScoreMap>,
    /// How suspicious the patches of the finest grid are to detectors that had not seen it; used without marks.
    pub suspicion: &'a ScoreMap,
}

/// The two heads that were taught by defects.
#[derive(Debug, Clone, PartialEq)]
pub struct Marks {
    /// Defect or not, patch by patch.
    pub patch: PatchLogit,
    /// Defect or not, photo by photo.
    pub photo: PatchLogit,
    /// Whether defects were marked. Without, patches are sorted well enough to judge a photo but not to draw a map.
    pub marked: bool,
}

/// What the heads say of a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Marked {
    /// Logit of every patch of the finest grid; absent where defects were not marked.
    pub map: Option<ScoreMap>,
    /// Mean of the largest patch logits.
    pub top: f64,
    /// Logit of the photo.
    pub photo: f64,
}

/// The units of what the heads say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkUnits {
    /// Of patch logits.
    pub patches: Usual,
    /// Of the mean of the largest.
    pub top: Usual,
    /// Of photo logits.
    pub photo: Usual,
}

impl Marks {
    /// Learns from photos with and without defects. Only marked defects teach where there are some.
    ///
    /// # Errors
    /// Without defects or without good photos.
    pub fn fit(sight: &Sight, photos: &[Taught<'_>], seed: Seed) -> Result<Self, TuneError> {
        let marked = photos.iter().any(|taught| taught.covered.is_some());
        let patch =
            if marked { fit_marked(sight, photos, seed)? } else { fit_unmarked(sight, &few(photos, seed))? };
        Ok(Self { patch, photo: fit_photos(sight, photos)?, marked })
    }

    /// What they say of a photo.
    pub fn say(&self, sight: &Sight, seen: &Seen) -> Result<Marked, TuneError> {
        let values = self.patch.logits(patches(sight, seen).view())?;
        let map = ScoreMap { rows: seen.grids[0].rows, cols: seen.grids[0].cols, values };
        let photo = f64::from(self.photo.logits(whole(sight, seen).view())?[0]);
        Ok(Marked { top: map.top_mean(TOP), map: self.marked.then_some(map), photo })
    }
}

impl MarkUnits {
    /// From what the heads said of good photos that they had not seen.
    pub fn learn(held_out: &[&Marked]) -> Self {
        let maps = held_out.iter().filter_map(|marked| marked.map.as_ref());
        let patches = maps.flat_map(|map| map.values.iter().map(|value| f64::from(*value)));
        Self {
            patches: Usual::of(patches),
            top: Usual::of(held_out.iter().map(|marked| marked.top)),
            photo: Usual::of(held_out.iter().map(|marked| marked.photo)),
        }
    }

    /// What both say of a photo together.
    pub fn weigh(&self, marked: &Marked) -> f64 {
        self.top.units(marked.top) + self.photo.units(marked.photo)
    }
}

/// Features of all patches of the finest grid.
fn patches(sight: &Sight, seen: &Seen) -> Matrix {
    let all: Vec<usize> = (0..seen.grids[0].rows * seen.grids[0].cols).collect();
    patches_at(sight, seen, &all)
}

/// Features of some patches of the finest grid, `[cells, d]`: all that is seen there, and the surroundings as the coarser
/// scales see them.
pub(super) fn patches_at(sight: &Sight, seen: &Seen, cells: &[usize]) -> Matrix {
    let fine = &seen.grids[0];
    let coarser: Vec<(&PatchGrid, &Range<usize>)> =
        wide(sight, seen).skip(1).map(|(look, grid)| (grid, &look.pooled)).collect();
    let dim = fine.x.cols() + coarser.iter().map(|(_, columns)| columns.len()).sum::<usize>();
    let mut x = Matrix::zeros(cells.len(), dim);
    for (row, cell) in cells.iter().enumerate() {
        let (own, mut rest) = x.row_mut(row).split_at_mut(fine.x.cols());
        own.copy_from_slice(fine.x.row(*cell));
        for (grid, columns) in &coarser {
            let (to, after) = rest.split_at_mut(columns.len());
            rest = after;
            let down = between(cell / fine.cols, fine.rows, grid.rows);
            let across = between(cell % fine.cols, fine.cols, grid.cols);
            interpolate(grid, columns, down, across, to);
        }
    }
    x
}

/// What lies between four cells of a grid, by bilinear interpolation.
fn interpolate(grid: &PatchGrid, columns: &Range<usize>, down: Between, across: Between, to: &mut [f32]) {
    let at = |row: usize, col: usize| &grid.x.row(row * grid.cols + col)[columns.clone()];
    let ((above, below, share), (left, right, along)) = (down, across);
    let upper = at(above, left).iter().zip(at(above, right));
    let lower = at(below, left).iter().zip(at(below, right));
    for (to, ((a, b), (c, d))) in to.iter_mut().zip(upper.zip(lower)) {
        let (upper, lower) = (a + along * (b - a), c + along * (d - c));
        *to = upper + share * (lower - upper);
    }
}

/// The looks that judge photos, with what they see; the finest first.
fn wide<'a>(sight: &'a Sight, seen: &'a Seen) -> impl Iterator<Item = (&'a Look, &'a PatchGrid)> {
    sight.looks.iter().zip(&seen.grids).filter(|(look, _)| !look.is_detail())
}

/// Features of a photo as a whole: mean and spread of all columns at the finest scale and of the pooled ones at the others.
pub(super) fn whole(sight: &Sight, seen: &Seen) -> Matrix {
    let part = |(scale, (look, grid)): (usize, (&Look, &PatchGrid))| {
        pooled(grid, &if scale == 0 { 0..grid.x.cols() } else { look.pooled.clone() })
    };
    let parts: Vec<Matrix> = wide(sight, seen).enumerate().map(part).collect();
    Matrix::hstack(&parts.iter().collect::<Vec<_>>())
}

fn fit_marked(sight: &Sight, photos: &[Taught<'_>], seed: Seed) -> Result<PatchLogit, TuneError> {
    let defects = photos.iter().filter(|taught| taught.covered.is_some()).count() as f32;
    let good = photos.iter().filter(|taught| !taught.defect).count() as f32;
    let mut lesson = Lesson::default();
    for (index, taught) in photos.iter().enumerate() {
        let mut rng = seed.derive("quiet patches").nth(index).rng();
        match taught.covered {
            None if taught.defect => {}
            None => {
                let cells = taught.seen.grids[0].x.rows();
                let quiet = random::sample_without_replacement(cells, QUIET.min(cells), &mut rng);
                lesson.add(&patches_at(sight, taught.seen, &quiet), 0.0, |_| 1.0, 0.5 / good);
            }
            Some(covered) => {
                let least = COVERED.0.min(covered.max()).max(COVERED.1 * covered.max());
                let inside: Vec<usize> =
                    (0..covered.values.len()).filter(|cell| covered.values[*cell] >= least).collect();
                let share = |row: usize| covered.values[inside[row]];
                lesson.add(&patches_at(sight, taught.seen, &inside), 1.0, share, 0.5 / defects);
                let far = far_from(covered);
                let places = random::sample_without_replacement(far.len(), QUIET.min(far.len()), &mut rng);
                let far: Vec<usize> = places.into_iter().map(|place| far[place]).collect();
                lesson.add(&patches_at(sight, taught.seen, &far), 0.0, |_| 1.0, FAR * 0.5 / defects);
            }
        }
    }
    lesson.fit(PATCH_PENALTY)
}

/// Cells that neither lie in a defect nor touch one.
fn far_from(covered: &ScoreMap) -> Vec<usize> {
    let (rows, cols) = (covered.rows, covered.cols);
    let near = |cell: usize| {
        let (row, col) = (cell / cols, cell % cols);
        (row.saturating_sub(1)..=(row + 1).min(rows - 1)).any(|row| {
            (col.saturating_sub(1)..=(col + 1).min(cols - 1))
                .any(|col| covered.values[row * cols + col] > 0.0)
        })
    };
    (0..rows * cols).filter(|cell| !near(*cell)).collect()
}

/// Some photos with defects and fewer without: every patch of each counts, and good ones are all alike.
fn few<'a>(photos: &[Taught<'a>], seed: Seed) -> Vec<Taught<'a>> {
    let (defects, good): (Vec<Taught<'a>>, Vec<Taught<'a>>) = photos.iter().partition(|taught| taught.defect);
    let some = |of: Vec<Taught<'a>>, count: usize, name: &str| -> Vec<Taught<'a>> {
        if of.len() <= count {
            return of;
        }
        let picks = random::sample_without_replacement(of.len(), count, &mut seed.derive(name).rng());
        picks.into_iter().map(|pick| of[pick]).collect()
    };
    let mut both = some(defects, UNMARKED.0, "few defects");
    both.extend(some(good, UNMARKED.1, "few good"));
    both
}

/// Without marks: the largest patch logits of each photo are fitted to what is known of the photo.
fn fit_unmarked(sight: &Sight, photos: &[Taught<'_>]) -> Result<PatchLogit, TuneError> {
    let all: Vec<Matrix> = photos.iter().map(|taught| patches(sight, taught.seen)).collect();
    let n: usize = all.iter().map(Matrix::rows).sum();
    let d = all.first().map_or(0, Matrix::cols);
    let mut x = Vec::with_capacity(n * d);
    let (mut numbers, mut suspicion) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for (number, (patches, taught)) in (0..).zip(all.iter().zip(photos)) {
        x.extend_from_slice(patches.data());
        numbers.extend(std::iter::repeat_n(number, patches.rows()));
        suspicion.extend_from_slice(&taught.suspicion.values);
    }
    let x = Matrix::from_vec(n, d, x);
    let cells = vec![Cell::default(); n];
    let defects: Vec<u32> =
        (0..).zip(photos).filter(|(_, taught)| taught.defect).map(|(number, _)| number).collect();
    let patches = Patches { x: x.view(), photos: &numbers, cells: &cells };
    fit_without_masks(&MilInput { patches, defects: &defects, suspicion: &suspicion }, UNMARKED_PENALTY)
}

fn fit_photos(sight: &Sight, photos: &[Taught<'_>]) -> Result<PatchLogit, TuneError> {
    let targets: Vec<f32> = photos.iter().map(|taught| if taught.defect { 1.0 } else { 0.0 }).collect();
    let numbers: Vec<u32> = (0..).take(photos.len()).collect();
    let weights = balanced_weights(&targets, &numbers);
    let total: f32 = weights.iter().sum();
    let mut lesson = Lesson::default();
    for ((taught, target), weight) in photos.iter().zip(&targets).zip(&weights) {
        lesson.add(&whole(sight, taught.seen), *target, |_| 1.0, weight / total);
    }
    lesson.fit(PHOTO_PENALTY)
}

/// Rows with targets and weights.
#[derive(Default)]
struct Lesson {
    rows: Vec<Vec<f32>>,
    targets: Vec<f32>,
    weights: Vec<f32>,
}

impl Lesson {
    /// Adds rows that weigh `total` together, each in proportion to its share.
    fn add(&mut self, x: &Matrix, target: f32, share: impl Fn(usize) -> f32, total: f32) {
        let sum: f32 = (0..x.rows()).map(&share).sum();
        for (row, features) in x.iter_rows().enumerate() {
            self.rows.push(features.to_vec());
            self.targets.push(target);
            self.weights.push(total * share(row) / sum);
        }
    }

    /// Fits on columns of variance 1, and gives the logit for columns as they are.
    fn fit(self, penalty: f64) -> Result<PatchLogit, TuneError> {
        let (n, d) = (self.rows.len() as f64, self.rows.first().map_or(0, Vec::len));
        if d == 0 {
            return Err(TuneError::Empty);
        }
        let mut x = Matrix::from_rows(&self.rows);
        let (mut means, mut scales) = (vec![0.0_f64; d], vec![0.0_f64; d]);
        x.iter_rows().for_each(|row| {
            row.iter().zip(&mut means).for_each(|(value, mean)| *mean += f64::from(*value) / n)
        });
        for row in x.iter_rows() {
            for (column, value) in row.iter().enumerate() {
                scales[column] += (f64::from(*value) - means[column]).powi(2) / n;
            }
        }
        scales.iter_mut().for_each(|scale| *scale = 1.0 / (scale.sqrt() + 1e-6));
        for row in 0..x.rows() {
            for (column, value) in x.row_mut(row).iter_mut().enumerate() {
                *value = ((f64::from(*value) - means[column]) * scales[column]) as f32;
            }
        }
        // The penalty is for features whose mean squared length is 1; these have length `sqrt(d)`.
        let fitted = fit_patches(x.view(), &self.targets, &self.weights, penalty / d as f64)?;
        let weight: Vec<f32> = fitted
            .weight
            .iter()
            .zip(&scales)
            .map(|(weight, scale)| (f64::from(*weight) * scale) as f32)
            .collect();
        let shift: f64 = weight.iter().zip(&means).map(|(weight, mean)| f64::from(*weight) * mean).sum();
        Ok(PatchLogit { bias: (f64::from(fitted.bias) - shift) as f32, weight })
    }
}
