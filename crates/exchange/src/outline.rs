//! The outlines of a brush, along the edges of its pixels.

use crate::runs;

/// A mask with an unmarked border of one pixel, so that every marked pixel has neighbours.
struct Grid {
    width: usize,
    marked: Vec<bool>,
}

impl Grid {
    fn is_marked(&self, [x, y]: [usize; 2]) -> bool {
        self.marked[y * self.width + x]
    }
}

/// Where one goes along an edge, with what is marked on the right hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Right,
    Down,
    Left,
    Up,
}

impl Way {
    fn turned_right(self) -> Self {
        match self {
            Self::Right => Self::Down,
            Self::Down => Self::Left,
            Self::Left => Self::Up,
            Self::Up => Self::Right,
        }
    }

    fn turned_left(self) -> Self {
        self.turned_right().turned_right().turned_right()
    }

    fn step(self, [x, y]: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Right => [x + 1, y],
            Self::Down => [x, y + 1],
            Self::Left => [x - 1, y],
            Self::Up => [x, y - 1],
        }
    }

    /// The pixels in front of a corner, on the left and on the right hand. The pixel of a corner is the one right of and below it.
    fn ahead(self, [x, y]: [usize; 2]) -> [[usize; 2]; 2] {
        match self {
            Self::Right => [[x, y - 1], [x, y]],
            Self::Down => [[x, y], [x - 1, y]],
            Self::Left => [[x - 1, y], [x - 1, y - 1]],
            Self::Up => [[x - 1, y - 1], [x, y - 1]],
        }
    }
}

/// One polygon around each marked area, in pixels of the picture. Areas that only touch at a corner are two; holes are filled.
///
/// Takes one byte for each pixel of the rectangle around the brush.
pub(crate) fn outlines(width: u32, marked: &[u32]) -> Vec<Vec<[f64; 2]>> {
    let Some(edges) = runs::edges(width, marked) else { return Vec::new() };
    let [left, upper, right, lower] = edges.map(|edge| edge as usize);
    let mut grid =
        Grid { width: right - left + 2, marked: vec![false; (right - left + 2) * (lower - upper + 2)] };
    for (from, to) in runs::stretches(marked) {
        let width = u64::from(width);
        for row in from / width..=(to - 1) / width {
            let start = from.max(row * width) - row * width;
            let end = to.min((row + 1) * width) - row * width;
            let at = (row as usize - upper + 1) * grid.width + 1;
            grid.marked[at + start as usize - left..at + end as usize - left].fill(true);
        }
    }
    let mut seen = vec![false; grid.marked.len()];
    let mut outlines = Vec::new();
    for at in 0..grid.marked.len() {
        // Every outline goes up the left side of some pixel.
        if grid.marked[at] && !grid.marked[at - 1] && !seen[at] {
            let corners = trace(&grid, [at % grid.width, at / grid.width + 1], &mut seen);
            if is_around(&corners) {
                let shift = |[x, y]: [usize; 2]| [(x + left - 1) as f64, (y + upper - 1) as f64];
                outlines.push(corners.into_iter().map(shift).collect());
            }
        }
    }
    outlines
}

/// The corners of one outline, from the lower left corner of a pixel up its left side and around.
fn trace(grid: &Grid, start: [usize; 2], seen: &mut [bool]) -> Vec<[usize; 2]> {
    let mut corners = Vec::new();
    let (mut corner, mut way) = (start, Way::Up);
    loop {
        if way == Way::Up {
            seen[(corner[1] - 1) * grid.width + corner[0]] = true;
        }
        corner = way.step(corner);
        let [left, right] = way.ahead(corner).map(|pixel| grid.is_marked(pixel));
        let next = match (left, right) {
            (_, false) => way.turned_right(),
            (false, true) => way,
            (true, true) => way.turned_left(),
        };
        if next != way {
            corners.push(corner);
        }
        way = next;
        if corner == start && way == Way::Up {
            return corners;
        }
    }
}

/// Whether it goes around what is marked, and not around a hole: clockwise, as `y` points down.
fn is_around(corners: &[[usize; 2]]) -> bool {
    let next = corners.iter().cycle().skip(1);
    let twice: i64 = corners
        .iter()
        .zip(next)
        .map(|([x, y], [other_x, other_y])| *x as i64 * *other_y as i64 - *other_x as i64 * *y as i64)
        .sum();
    twice > 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Mark, Shape, mask};

    #[track_caller]
    fn check(rows: &[&str], expect: &[&[[f64; 2]]]) {
        let runs = runs::of_pixels(rows.iter().flat_map(|row| row.chars().map(|char| char == '#')));
        assert_eq!(outlines(rows[0].len() as u32, &runs), expect, "{rows:?}");
    }

    #[test]
    fn each_area_has_one_outline() {
        check(&["....", ".##.", "...."], &[&[[1.0, 1.0], [3.0, 1.0], [3.0, 2.0], [1.0, 2.0]]]);
        check(
            &["#.", ".#"],
            &[
                &[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]],
                &[[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]],
            ],
        );
        check(&["###", "#.#", "###"], &[&[[0.0, 0.0], [3.0, 0.0], [3.0, 3.0], [0.0, 3.0]]]);
        check(&["..."], &[]);
    }

    proptest! {
        #[test]
        fn outlines_without_holes_are_the_brush(width in 1_usize..9, pixels in proptest::collection::vec(any::<bool>(), 1..70)) {
            let height = pixels.len().div_ceil(width);
            let pixels: Vec<bool> = (0..width * height).map(|at| pixels.get(at).copied().unwrap_or(false)).collect();
            let runs = runs::of_pixels(pixels.iter().copied());
            let size = (width as u32, height as u32);
            let polygons = outlines(size.0, &runs);
            let marks: Vec<Mark> =
                polygons.into_iter().map(|points| Mark { class: None, shape: Shape::Polygon { points } }).collect();
            let filled = mask(&marks, size);
            // All that is marked is inside; what else is inside is a hole, from which no way leads out.
            let outside = outside(&pixels, width);
            for (at, pixel) in filled.pixels().enumerate() {
                prop_assert_eq!(pixel.0[0] > 0, !outside[at]);
            }
        }
    }

    /// The pixels from which one can leave the picture across unmarked ones, also at corners.
    fn outside(pixels: &[bool], width: usize) -> Vec<bool> {
        let height = pixels.len() / width;
        let is_edge = |at: usize| {
            at < width || at / width == height - 1 || at.is_multiple_of(width) || at % width == width - 1
        };
        let mut outside: Vec<bool> = (0..pixels.len()).map(|at| !pixels[at] && is_edge(at)).collect();
        for _ in 0..pixels.len() {
            for at in 0..pixels.len() {
                let (x, y) = (at % width, at / width);
                let near =
                    |other: usize| (other % width).abs_diff(x) <= 1 && (other / width).abs_diff(y) <= 1;
                outside[at] |= !pixels[at] && (0..pixels.len()).any(|other| outside[other] && near(other));
            }
        }
        outside
    }
}
