//! A map of suspicion: one number for each cell of a grid over a photo, larger for more suspicious.

use rayon::prelude::*;

/// Standard deviations that a blur reaches.
const REACH: f32 = 4.0;

/// Suspicion by cell, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreMap {
    /// Cells from top to bottom.
    pub rows: usize,
    /// Cells from left to right.
    pub cols: usize,
    /// `[rows * cols]`.
    pub values: Vec<f32>,
}

impl ScoreMap {
    /// The same map on another grid, by bilinear interpolation between the middles of cells.
    pub fn resized(&self, rows: usize, cols: usize) -> Self {
        if (rows, cols) == (self.rows, self.cols) {
            return self.clone();
        }
        let down: Vec<Between> = (0..rows).map(|row| between(row, rows, self.rows)).collect();
        let across: Vec<Between> = (0..cols).map(|col| between(col, cols, self.cols)).collect();
        let mut values = vec![0.0; rows * cols];
        values.par_chunks_mut(cols.max(1)).zip(&down).for_each(|(line, (above, below, share))| {
            let (above, below) = (self.row(*above), self.row(*below));
            for (to, (left, right, along)) in line.iter_mut().zip(&across) {
                let upper = above[*left] + along * (above[*right] - above[*left]);
                let lower = below[*left] + along * (below[*right] - below[*left]);
                *to = upper + share * (lower - upper);
            }
        });
        Self { rows, cols, values }
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.cols..][..self.cols]
    }

    /// The map with a Gaussian blur of this standard deviation, in cells; at the edges the map goes on as it ends.
    pub fn blurred(&self, deviation: f32) -> Self {
        let reach = (REACH * deviation).ceil() as usize;
        if reach == 0 {
            return self.clone();
        }
        let mut kernel: Vec<f32> = (0..=2 * reach)
            .map(|at| (-0.5 * ((at as f32 - reach as f32) / deviation).powi(2)).exp())
            .collect();
        let total: f32 = kernel.iter().sum();
        kernel.iter_mut().for_each(|weight| *weight /= total);
        let across = self.filtered(&kernel);
        across.transposed().filtered(&kernel).transposed()
    }

    /// Every row filtered.
    fn filtered(&self, kernel: &[f32]) -> Self {
        let (reach, last) = (kernel.len() / 2, self.cols - 1);
        let mut values = vec![0.0; self.values.len()];
        values.par_chunks_mut(self.cols).enumerate().for_each(|(row, line)| {
            let from = self.row(row);
            let padded: Vec<f32> =
                (0..self.cols + 2 * reach).map(|at| from[at.saturating_sub(reach).min(last)]).collect();
            for (col, to) in line.iter_mut().enumerate() {
                *to = padded[col..].iter().zip(kernel).map(|(value, weight)| value * weight).sum();
            }
        });
        Self { values, ..*self }
    }

    fn transposed(&self) -> Self {
        let at = |cell: usize| (cell % self.rows) * self.cols + cell / self.rows;
        let values = (0..self.values.len()).map(|cell| self.values[at(cell)]).collect();
        Self { rows: self.cols, cols: self.rows, values }
    }

    /// The mean of this share of the largest values, at least one.
    pub fn top_mean(&self, share: f64) -> f64 {
        let mut values = self.values.clone();
        let count = top_count(share, values.len());
        values.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
        let mut top = values[..count].to_vec();
        // The order of a selection is not part of its promise; a sum's order is part of its bits.
        top.sort_unstable_by(f32::total_cmp);
        top.iter().map(|value| f64::from(*value)).sum::<f64>() / count as f64
    }

    /// The largest value.
    pub fn max(&self) -> f32 {
        self.values.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
}

/// How many of `n` values a share is, at least one.
pub(super) fn top_count(share: f64, n: usize) -> usize {
    ((share * n as f64).ceil() as usize).clamp(1, n)
}

/// The two cells that a place lies between, and how far it is towards the second.
pub(crate) type Between = (usize, usize, f32);

/// Where cell `at` of `of` lies among `cells`.
pub(crate) fn between(at: usize, of: usize, cells: usize) -> Between {
    let last = (cells - 1) as f32;
    let place = ((at as f32 + 0.5) * cells as f32 / of as f32 - 0.5).clamp(0.0, last);
    let before = place.floor() as usize;
    (before, (before + 1).min(cells - 1), place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rows: usize, cols: usize, values: &[f32]) -> ScoreMap {
        ScoreMap { rows, cols, values: values.to_vec() }
    }

    #[test]
    fn cells_keep_their_places_when_a_map_grows() {
        let wide = map(1, 2, &[0.0, 4.0]).resized(1, 4);
        assert_eq!(wide.values, [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(map(2, 1, &[0.0, 4.0]).resized(4, 1).values, [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(map(1, 1, &[3.0]).resized(2, 3).values, [3.0; 6]);
    }

    #[test]
    fn a_blur_moves_nothing_and_loses_nothing() {
        let mut values = vec![0.0; 15 * 21];
        values[7 * 21 + 10] = 1.0;
        let blurred = map(15, 21, &values).blurred(1.5);
        assert!((blurred.values.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert_eq!(blurred.max(), blurred.values[7 * 21 + 10]);
        assert!((blurred.values[6 * 21 + 10] - blurred.values[7 * 21 + 11]).abs() < 1e-7);
        let flat = map(3, 4, &[2.0; 12]).blurred(4.0);
        assert!(flat.values.iter().all(|value| (value - 2.0).abs() < 1e-5));
    }

    #[test]
    fn the_top_is_at_least_one_cell() {
        let map = map(2, 2, &[1.0, 4.0, 3.0, 2.0]);
        assert_eq!(map.top_mean(0.0), 4.0);
        assert_eq!(map.top_mean(0.5), 3.5);
        assert_eq!(map.top_mean(1.0), 2.5);
    }
}
