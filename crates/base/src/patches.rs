//! Patches: the inner maps of a vision base over a whole photo, as one grid of feature vectors.
//!
//! A photo is scaled, cut into overlapping square tiles, and every tile goes through the part of the network that makes the
//! maps. Each cell of the grid takes its features from the tile in whose middle it lies most, so seams lie where the tiles
//! saw the same surroundings. Maps of another stride than the grid's are brought to it: coarser ones by bilinear
//! interpolation, finer ones by the mean of their cells.

mod onnx;
mod tiling;

use std::path::Path;

use half::f16;
use image::RgbImage;
use linalg::Matrix;
use serde::{Deserialize, Serialize};

pub use onnx::emit_patches;

pub use crate::arch::DetectionMaps;
use crate::engine::{Engine, NetInput, NetOutput};
use crate::open::{self, BaseError, EngineChoice};
use crate::prep::{self, ImagePreprocess, PrepError, Preprocess};
use tiling::Tile;

/// Cells by which a photo goes on mirrored on every side, so that no border of zeros is near its edge.
const PAD: usize = 2;
/// Most cells of one grid: a photo of a hundred megapixels at stride 16 has half as many.
pub const MAX_CELLS: usize = 1 << 20;

/// How photos are looked at. Part of what a detector is: another plan gives other features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchPlan {
    /// Pixels of the scaled photo for each pixel of the photo. Above 0.
    pub scale: f64,
    /// Sides of tiles in scaled pixels, ascending; multiples of `cell`, and of 32 for EfficientNet. A photo goes into the
    /// smallest that holds it, or is cut into several of the largest.
    pub tiles: Vec<usize>,
    /// How far tiles reach into each other at least, in scaled pixels from either edge; a multiple of `cell`.
    pub margin: usize,
    /// Side of a cell of the grid in scaled pixels.
    pub cell: usize,
    /// Names of the inner maps, whose features stand one after the other.
    pub maps: Vec<String>,
}

/// The patches of one photo.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchGrid {
    /// Cells from top to bottom.
    pub rows: usize,
    /// Cells from left to right.
    pub cols: usize,
    /// `[rows * cols, dim]`, row by row, rounded to half precision.
    pub x: Matrix,
}

/// A vision base that gives patches.
pub struct PatchBase {
    plan: PatchPlan,
    preprocess: ImagePreprocess,
    hash: store::Hash,
    /// One for each size of tile.
    engines: Vec<Box<dyn Engine>>,
}

impl std::fmt::Debug for PatchBase {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PatchBase").field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// Which inner maps of the base in a folder show defects.
///
/// # Errors
/// [`BaseError::Arch`] when it is no vision network whose inner maps can be had.
pub fn detection_maps(dir: &Path) -> Result<DetectionMaps, BaseError> {
    open::detection_maps(dir)
}

impl PatchBase {
    /// Opens the base in a folder of the cache for this plan.
    ///
    /// # Errors
    /// [`BaseError::Setting`] when the plan does not fit itself or the network.
    pub fn open(dir: &Path, choice: &EngineChoice, plan: PatchPlan) -> Result<Self, BaseError> {
        let maps: Vec<&str> = plan.maps.iter().map(String::as_str).collect();
        let opened = open::maps(dir, choice, &plan.tiles, &maps)?;
        let wrong = |detail: &str| {
            Err(BaseError::Setting { id: opened.id.clone(), table: "patch plan", detail: detail.to_owned() })
        };
        if !(plan.scale > 0.0 && plan.scale.is_finite()) {
            return wrong("the scale is not above 0");
        }
        if plan.cell == 0 || plan.tiles.iter().any(|tile| *tile == 0 || !tile.is_multiple_of(plan.cell)) {
            return wrong("a tile is no multiple of the cell");
        }
        let Some(largest) = plan.tiles.last().filter(|_| plan.tiles.is_sorted()) else {
            return wrong("there are no tiles, or they do not ascend");
        };
        if !plan.margin.is_multiple_of(plan.cell) || 2 * plan.margin >= *largest {
            return wrong("the margin is a multiple of the cell and less than half a tile");
        }
        let Preprocess::Image(preprocess) = opened.preprocess else {
            return Err(PrepError::OtherKind { expected: "text" }.into());
        };
        Ok(Self { plan, preprocess, hash: opened.hash, engines: opened.engines })
    }

    /// How it looks at photos.
    pub fn plan(&self) -> &PatchPlan {
        &self.plan
    }

    /// Identity of the base, as [`crate::Base::hash`] gives it.
    pub fn hash(&self) -> store::Hash {
        self.hash
    }

    /// Name of the engine, with what decides its arithmetic.
    pub fn engine_name(&self) -> String {
        self.engines[0].name().to_owned()
    }

    /// Columns of a patch's vector that hold each map, in the order of the plan.
    pub fn columns(&self) -> Vec<std::ops::Range<usize>> {
        let mut end = 0;
        let column = |output: &crate::engine::OutputSpec| {
            end += output.dim;
            end - output.dim..end
        };
        self.engines[0].outputs().iter().map(column).collect()
    }

    /// Numbers in a patch's vector.
    pub fn dim(&self) -> usize {
        self.engines[0].outputs().iter().map(|output| output.dim).sum()
    }

    /// The grid's size for a photo of `width` by `height` pixels: rows and columns.
    pub fn grid_size(&self, width: u32, height: u32) -> (usize, usize) {
        self.plan.grid_size(width, height)
    }

    /// Whether a photo of `width` by `height` pixels can be looked at, which is known before it is decoded.
    ///
    /// # Errors
    /// [`PrepError::TooFine`] for one that has more than a million cells at this scale, [`PrepError::TooLarge`] for one that is scaled to
    /// more pixels than are decoded.
    pub fn check(&self, width: u32, height: u32) -> Result<(), PrepError> {
        let (rows, cols) = self.grid_size(width, height);
        if rows.checked_mul(cols).is_none_or(|cells| cells > MAX_CELLS) {
            let side = self.plan.cell as f64 / self.plan.scale;
            return Err(PrepError::TooFine { width, height, limit: (MAX_CELLS as f64 * side * side) as u64 });
        }
        self.plan.tiling(width, height).map(drop)
    }

    /// The patches of a photo.
    ///
    /// # Errors
    /// Those of [`PatchBase::check`].
    pub fn grid(&self, photo: &RgbImage) -> Result<PatchGrid, BaseError> {
        self.check(photo.width(), photo.height())?;
        let tiling = self.plan.tiling(photo.width(), photo.height())?;
        let scaled = prep::scale(photo, tiling.scaled.0, tiling.scaled.1, self.preprocess.filter);
        let mut x = Matrix::zeros(tiling.rows * tiling.cols, self.dim());
        for tile in tiling.tiles() {
            let features = self.features(tiling.size, &self.tile(&scaled, tiling.size, &tile))?;
            for (place, from) in tile.gives {
                x.row_mut(place).copy_from_slice(features.row(from));
            }
        }
        Ok(PatchGrid { rows: tiling.rows, cols: tiling.cols, x })
    }

    /// The network's input for a tile of the size with this number.
    fn tile(&self, photo: &RgbImage, size: usize, tile: &Tile) -> Vec<f32> {
        let side = self.plan.tiles[size];
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let columns = self.plan.shown(tile.left, side, width);
        let mut pixels = Vec::with_capacity(3 * side * side);
        for y in self.plan.shown(tile.top, side, height) {
            let row = &photo.as_raw()[3 * width * y..][..3 * width];
            columns.iter().for_each(|x| pixels.extend_from_slice(&row[3 * x..3 * x + 3]));
        }
        prep::normalise(&pixels, &self.preprocess)
    }

    /// `[cells * cells, dim]` of one tile of the size with this number.
    fn features(&self, size: usize, tile: &[f32]) -> Result<Matrix, BaseError> {
        let outputs = self.engines[size].run(NetInput::Image(tile))?;
        let cells = self.plan.tiles[size] / self.plan.cell;
        let mut features = Matrix::zeros(cells * cells, self.dim());
        let mut start = 0;
        for output in &outputs {
            let dim = output.dim();
            let fitted = fit(output, cells);
            for (row, from) in fitted.chunks_exact(dim).enumerate() {
                let to = &mut features.row_mut(row)[start..start + dim];
                to.iter_mut().zip(from).for_each(|(to, from)| *to = f16::from_f32(*from).to_f32());
            }
            start += dim;
        }
        Ok(features)
    }
}

/// A map `[side * side, dim]` brought to `[cells * cells, dim]`.
fn fit(map: &NetOutput, cells: usize) -> Vec<f32> {
    let side = map.rows.isqrt();
    if side == cells {
        return map.data.clone();
    }
    if side > cells {
        return pooled(&map.data, side, cells);
    }
    interpolated(&map.data, side, cells)
}

fn pooled(data: &[f32], side: usize, cells: usize) -> Vec<f32> {
    let (dim, block) = (data.len() / (side * side), side / cells);
    let mut pooled = vec![0.0; cells * cells * dim];
    for (cell, to) in pooled.chunks_exact_mut(dim).enumerate() {
        for row in 0..block {
            let first = (cell / cells * block + row) * side + cell % cells * block;
            for from in data[first * dim..(first + block) * dim].chunks_exact(dim) {
                to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
        }
        to.iter_mut().for_each(|value| *value /= (block * block) as f32);
    }
    pooled
}

fn interpolated(data: &[f32], side: usize, cells: usize) -> Vec<f32> {
    let dim = data.len() / (side * side);
    // Pixel centres are half a pixel in: the usual convention without aligned corners.
    let source = |cell: usize| {
        let at = ((cell as f32 + 0.5) * side as f32 / cells as f32 - 0.5).clamp(0.0, (side - 1) as f32);
        let before = at.floor() as usize;
        (before, (before + 1).min(side - 1), at - at.floor())
    };
    let mut wide = vec![0.0; cells * cells * dim];
    for (cell, to) in wide.chunks_exact_mut(dim).enumerate() {
        let ((top, bottom, down), (left, right, across)) = (source(cell / cells), source(cell % cells));
        let corner = |row: usize, col: usize| &data[(row * side + col) * dim..][..dim];
        let corners = [corner(top, left), corner(top, right), corner(bottom, left), corner(bottom, right)];
        for (channel, to) in to.iter_mut().enumerate() {
            let above = corners[0][channel] + across * (corners[1][channel] - corners[0][channel]);
            let below = corners[2][channel] + across * (corners[3][channel] - corners[2][channel]);
            *to = above + down * (below - above);
        }
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_of_other_strides_are_brought_to_the_grid() {
        let map = |side: usize, data: Vec<f32>| NetOutput { name: String::new(), rows: side * side, data };
        let four: Vec<f32> = (0..16).map(|value| value as f32).collect();
        assert_eq!(fit(&map(4, four.clone()), 4), four);
        assert_eq!(fit(&map(4, four), 2), [2.5, 4.5, 10.5, 12.5]);
        let wide = fit(&map(2, vec![0.0, 4.0, 8.0, 12.0]), 4);
        assert_eq!(wide[..4], [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(wide[4..8], [2.0, 3.0, 5.0, 6.0]);
    }
}
