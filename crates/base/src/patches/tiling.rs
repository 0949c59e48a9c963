//! How a photo of one size is scaled and cut into tiles.

use super::{MAX_CELLS, PAD, PatchPlan};
use crate::prep::{MAX_PIXELS, PrepError};

/// A photo in tiles of one size.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tiling {
    /// Width and height of the scaled photo.
    pub(super) scaled: (usize, usize),
    /// Cells from top to bottom.
    pub(super) rows: usize,
    /// Cells from left to right.
    pub(super) cols: usize,
    /// Which of the plan's sizes the tiles have.
    pub(super) size: usize,
    /// Side of a tile in cells.
    pub(super) cells: usize,
    down: Axis,
    across: Axis,
}

/// One tile.
pub(super) struct Tile {
    /// Its first cell from the top, of the padded photo.
    pub(super) top: usize,
    /// Likewise from the left.
    pub(super) left: usize,
    /// The photo's cells that it gives: place in the photo's grid and place in the tile's.
    pub(super) gives: Vec<(usize, usize)>,
}

impl PatchPlan {
    /// Cells along a side of a photo: the photo is scaled to whole cells, so that the grid lies over it exactly. A grid that reached
    /// beyond it would be taken for the photo by everything that lays maps over photos, or masks over grids.
    fn cells(&self, pixels: u32) -> usize {
        ((f64::from(pixels) * self.scale / self.cell as f64).round() as usize).max(1)
    }

    /// Rows and columns of the grid over a photo of this size.
    pub(super) fn grid_size(&self, width: u32, height: u32) -> (usize, usize) {
        (self.cells(height), self.cells(width))
    }

    /// The tiles of a photo of this size.
    pub(super) fn tiling(&self, width: u32, height: u32) -> Result<Tiling, PrepError> {
        let (rows, cols) = self.grid_size(width, height);
        let scaled = (cols.saturating_mul(self.cell), rows.saturating_mul(self.cell));
        let within = |(a, b): (usize, usize), limit: u64| {
            let is_within = a.checked_mul(b).is_some_and(|product| product as u64 <= limit);
            if is_within { Ok(()) } else { Err(PrepError::TooLarge { width, height, limit }) }
        };
        within((rows, cols), MAX_CELLS as u64)?;
        within(scaled, MAX_PIXELS)?;
        let holds = |tile: &usize| tile / self.cell >= rows.max(cols) + 2 * PAD;
        let size = self.tiles.iter().position(holds).unwrap_or(self.tiles.len() - 1);
        let (cells, margin) = (self.tiles[size] / self.cell, self.margin / self.cell);
        Ok(Tiling {
            scaled,
            rows,
            cols,
            size,
            cells,
            down: Axis::cut(rows + 2 * PAD, cells, margin),
            across: Axis::cut(cols + 2 * PAD, cells, margin),
        })
    }

    /// Which pixels of a side of the scaled photo, `length` long, a tile of this many pixels shows that begins at this cell.
    pub(super) fn shown(&self, first: usize, side: usize, length: usize) -> Vec<usize> {
        let (first, pad) = (first * self.cell, PAD * self.cell);
        (first..first + side).map(|at| mirrored(at.abs_diff(pad), length)).collect()
    }
}

impl Tiling {
    /// Every tile, row by row; together they give every cell once.
    pub(super) fn tiles(&self) -> impl Iterator<Item = Tile> {
        self.down.pieces().flat_map(move |(top, rows)| {
            self.across.pieces().map(move |(left, cols)| {
                let inside = |cell: usize, of: usize| cell.checked_sub(PAD).filter(|cell| *cell < of);
                let mut gives = Vec::new();
                for (row, place) in rows.clone().filter_map(|row| Some((row, inside(row, self.rows)?))) {
                    for (col, along) in cols.clone().filter_map(|col| Some((col, inside(col, self.cols)?))) {
                        let from = (row - top) * self.cells + (col - left);
                        gives.push((place * self.cols + along, from));
                    }
                }
                Tile { top, left, gives }
            })
        })
    }
}

/// Where a picture that is mirrored at its edges, over and over, shows pixel `at`.
fn mirrored(at: usize, length: usize) -> usize {
    if length == 1 {
        return 0;
    }
    let period = 2 * (length - 1);
    let at = at % period;
    at.min(period - at)
}

/// One side of a photo cut into tiles, in cells.
#[derive(Debug, PartialEq, Eq)]
struct Axis {
    /// Where each tile begins.
    starts: Vec<usize>,
    /// Where the cells begin that each tile gives, and the end.
    bounds: Vec<usize>,
}

impl Axis {
    /// Tiles of `tile` cells that reach `margin` into each other from either side, spread evenly over `length`.
    fn cut(length: usize, tile: usize, margin: usize) -> Self {
        if length <= tile {
            return Self { starts: vec![0], bounds: vec![0, length] };
        }
        let count = (length - 2 * margin).div_ceil(tile - 2 * margin).max(2);
        let starts: Vec<usize> = (0..count).map(|index| index * (length - tile) / (count - 1)).collect();
        let middle = |pair: &[usize]| (pair[0] + tile + pair[1]) / 2;
        let bounds = [0].into_iter().chain(starts.windows(2).map(middle)).chain([length]).collect();
        Self { starts, bounds }
    }

    /// Each tile's first cell and the cells that it gives.
    fn pieces(&self) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
        self.starts.iter().zip(self.bounds.windows(2)).map(|(start, bound)| (*start, bound[0]..bound[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_every_cell_well_inside() {
        for (length, tile, margin) in
            [(5, 16, 2), (16, 16, 2), (17, 16, 2), (40, 16, 2), (1000, 16, 3), (33, 20, 4)]
        {
            let axis = Axis::cut(length, tile, margin);
            let mut next = 0;
            for (start, owned) in axis.pieces() {
                assert_eq!(owned.start, next);
                assert!(start <= owned.start && owned.end <= start + tile, "{length} {axis:?}");
                assert!(owned.start == 0 || owned.start >= start + margin, "{length} {axis:?}");
                assert!(owned.end == length || owned.end + margin <= start + tile, "{length} {axis:?}");
                next = owned.end;
            }
            assert_eq!(next, length);
        }
    }

    #[test]
    fn every_cell_is_given_once() {
        let plan = PatchPlan { scale: 0.7, tiles: vec![160, 224], margin: 32, cell: 16, maps: Vec::new() };
        for (width, height) in [(1, 1), (150, 90), (300, 200), (1000, 60), (900, 700)] {
            let tiling = plan.tiling(width, height).unwrap();
            let mut given: Vec<usize> =
                tiling.tiles().flat_map(|tile| tile.gives).map(|(place, _)| place).collect();
            given.sort_unstable();
            assert_eq!(given, (0..tiling.rows * tiling.cols).collect::<Vec<_>>(), "{width} x {height}");
        }
    }

    #[test]
    fn the_grid_lies_over_the_photo_exactly() {
        let plan = PatchPlan { scale: 0.5, tiles: vec![224], margin: 32, cell: 16, maps: Vec::new() };
        for (width, height, cols, rows) in [(258, 317, 8, 10), (16, 8, 1, 1), (272, 240, 9, 8)] {
            let tiling = plan.tiling(width, height).unwrap();
            assert_eq!((tiling.cols, tiling.rows), (cols, rows), "{width} x {height}");
            assert_eq!(tiling.scaled, (16 * cols, 16 * rows));
            assert_eq!(plan.grid_size(width, height), (rows, cols));
        }
    }

    #[test]
    fn a_plan_that_makes_photos_huge_is_refused_before_anything_is_made() {
        for (scale, cell) in [(2000.0, 512), (1e300, 512), (1.0, 1)] {
            let plan = PatchPlan { scale, tiles: vec![512], margin: 0, cell, maps: Vec::new() };
            let tiled = plan.tiling(4096, 4096);
            assert!(matches!(tiled, Err(PrepError::TooLarge { width: 4096, .. })), "{scale}");
        }
    }

    #[test]
    fn a_picture_goes_on_mirrored() {
        let seen: Vec<usize> = (0..9).map(|at| mirrored(at, 4)).collect();
        assert_eq!(seen, [0, 1, 2, 3, 2, 1, 0, 1, 2]);
        assert_eq!(mirrored(7, 1), 0);
    }
}
