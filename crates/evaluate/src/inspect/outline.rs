//! Outlines of regions along the edges of their pixels, as polygons that an annotation file can hold.
//!
//! Coordinates are pixel edges: the pixel in column x and row y is the square from (x, y) to (x + 1, y + 1), y downward. Nothing
//! is smoothed, so the polygons enclose exactly the pixels of the region.

use super::regions::Regions;

/// The corners `[x, y]` of a closed polygon, the first not repeated; no three in a row lie on a line.
pub type Polygon = Vec<[u32; 2]>;

/// The outline of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Around the region, clockwise as seen on the screen, from its topmost and there leftmost corner. Where the region hangs
    /// together by a corner, the polygon passes that corner twice.
    pub outer: Polygon,
    /// Around each hole, counter-clockwise. Pixels of a hole hang together by edges, not by corners.
    pub holes: Vec<Polygon>,
}

/// Directions of travel, each a right turn from the one before: east, south, west, north.
const STEPS: [[isize; 2]; 4] = [[1, 0], [0, 1], [-1, 0], [0, -1]];

impl Regions {
    /// The outline of the region with this index in [`Regions::list`].
    ///
    /// # Panics
    /// When there is no such region.
    pub fn outline(&self, index: usize) -> Outline {
        let mut edges = Edges::of(self, index);
        // The first edge in reading order is the top of the topmost leftmost pixel, which is on the outside.
        let outer = edges.next_polygon().expect("a region has at least one pixel");
        let holes = std::iter::from_fn(|| edges.next_polygon()).collect();
        Outline { outer, holes }
    }
}

/// The pixel edges between a region and what is not in it, directed so that the region is on the right.
struct Edges {
    left: usize,
    top: usize,
    /// Corners in a row.
    columns: usize,
    /// For each corner, which of the directions leave it along an edge that no polygon has used yet.
    leaving: Vec<[bool; 4]>,
    /// No corner before this one has edges left.
    scanned: usize,
}

impl Edges {
    fn of(regions: &Regions, index: usize) -> Self {
        let region = regions.list()[index];
        let columns = region.width + 1;
        let mut leaving = vec![[false; 4]; columns * (region.height + 1)];
        let inside = |row: usize, column: usize| {
            row < region.height
                && column < region.width
                && regions.holds(index, region.top + row, region.left + column)
        };
        for row in 0..region.height {
            for column in (0..region.width).filter(|column| inside(row, *column)) {
                let corner = row * columns + column;
                // At the upper and left border the subtraction wraps to a place outside.
                leaving[corner][0] = !inside(row.wrapping_sub(1), column);
                leaving[corner + 1][1] = !inside(row, column + 1);
                leaving[corner + columns + 1][2] = !inside(row + 1, column);
                leaving[corner + columns][3] = !inside(row, column.wrapping_sub(1));
            }
        }
        Self { left: region.left, top: region.top, columns, leaving, scanned: 0 }
    }

    /// Follows edges from the first unused one until they close.
    fn next_polygon(&mut self) -> Option<Polygon> {
        let unused = |corner: &[bool; 4]| corner.contains(&true);
        self.scanned += self.leaving[self.scanned..].iter().position(unused)?;
        let start = self.scanned;
        let first = self.leaving[start].iter().position(|leaves| *leaves)?;
        let (mut at, mut direction) = (start, first);
        let mut polygon = Polygon::new();
        loop {
            polygon.push([(self.left + at % self.columns) as u32, (self.top + at / self.columns) as u32]);
            (at, direction) = self.straight(at, direction);
            let closed = (at, direction) == (start, first);
            // The first edge stays on offer until the outline is back at it.
            self.leaving[start][first] = !closed;
            if closed {
                return Some(polygon);
            }
        }
    }

    /// Goes straight on as far as the outline does; returns the corner there and the direction after the turn.
    fn straight(&mut self, mut at: usize, direction: usize) -> (usize, usize) {
        let [x, y] = STEPS[direction];
        let (left, right) = ((direction + 3) % 4, (direction + 1) % 4);
        loop {
            self.leaving[at][direction] = false;
            at = at.wrapping_add_signed(x + y * self.columns as isize);
            // Left before right: where two pixels meet at a corner only, the outline goes on around the other one.
            if self.leaving[at][left] {
                return (at, left);
            }
            if !self.leaving[at][direction] {
                return (at, right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::super::plane::Plane;
    use super::super::regions::{find_regions, pictures::mask};
    use super::*;

    #[track_caller]
    fn check(picture: &[&str], outer: &[[u32; 2]], holes: &[&[[u32; 2]]]) {
        let (height, width, values) = mask(picture);
        let outline = find_regions(Plane::new(height, width, &values).unwrap()).outline(0);
        assert_eq!(outline.outer, outer);
        assert_eq!(outline.holes, holes);
    }

    #[test]
    fn outlines_run_clockwise_along_pixel_edges() {
        check(&["#"], &[[0, 0], [1, 0], [1, 1], [0, 1]], &[]);
        check(&["....", ".##.", ".#.."], &[[1, 1], [3, 1], [3, 2], [2, 2], [2, 3], [1, 3]], &[]);
        // Two pixels that meet at a corner are one polygon through that corner.
        check(&["#.", ".#"], &[[0, 0], [1, 0], [1, 1], [2, 1], [2, 2], [1, 2], [1, 1], [0, 1]], &[]);
        check(&[".#", "#."], &[[1, 0], [2, 0], [2, 1], [1, 1], [1, 2], [0, 2], [0, 1], [1, 1]], &[]);
    }

    #[test]
    fn holes_are_apart_and_run_the_other_way() {
        let square = [[0, 0], [4, 0], [4, 4], [0, 4]];
        check(&["####", "#..#", "#..#", "####"], &square, &[&[[1, 1], [1, 3], [3, 3], [3, 1]]]);
        // Two holes that meet at a corner are two.
        let holes: [&[[u32; 2]]; 2] = [&[[1, 1], [1, 2], [2, 2], [2, 1]], &[[2, 2], [2, 3], [3, 3], [3, 2]]];
        check(&["####", "#.##", "##.#", "####"], &square, &holes);
        // A region inside a hole does not belong to the region around it.
        let hole: &[[u32; 2]] = &[[1, 1], [1, 4], [4, 4], [4, 1]];
        let square = [[0, 0], [5, 0], [5, 5], [0, 5]];
        check(&["#####", "#...#", "#.#.#", "#...#", "#####"], &square, &[hole]);
    }

    /// Twice the signed area: positive for clockwise ones, since y grows downward.
    fn doubled_area(polygon: &Polygon) -> i64 {
        let next = polygon.iter().cycle().skip(1);
        let cross = |(a, b): (&[u32; 2], &[u32; 2])| {
            i64::from(a[0]) * i64::from(b[1]) - i64::from(b[0]) * i64::from(a[1])
        };
        polygon.iter().zip(next).map(cross).sum()
    }

    /// Whether the middle of a pixel lies inside, by the edges that a ray to the left crosses.
    fn encloses(polygon: &Polygon, row: usize, column: usize) -> bool {
        let next = polygon.iter().cycle().skip(1);
        let crosses = |(a, b): &(&[u32; 2], &[u32; 2])| {
            let (upper, lower) = (a[1].min(b[1]) as usize, a[1].max(b[1]) as usize);
            a[0] == b[0] && a[0] as usize <= column && (upper..lower).contains(&row)
        };
        polygon.iter().zip(next).filter(crosses).count() % 2 == 1
    }

    #[test]
    fn polygons_of_random_masks_enclose_exactly_the_region() {
        for seed in 0..60 {
            let mut rng = Seed(seed).rng();
            let (height, width) = (1 + random::below(&mut rng, 16), 1 + random::below(&mut rng, 16));
            let share = 0.3 + 0.5 * random::uniform(&mut rng);
            let values: Vec<bool> = (0..height * width).map(|_| random::uniform(&mut rng) < share).collect();
            let regions = find_regions(Plane::new(height, width, &values).unwrap());
            for (index, region) in regions.list().iter().enumerate() {
                let outline = regions.outline(index);
                assert!(doubled_area(&outline.outer) > 0);
                assert!(outline.holes.iter().all(|hole| doubled_area(hole) < 0));
                let area = doubled_area(&outline.outer) + outline.holes.iter().map(doubled_area).sum::<i64>();
                assert_eq!(area, 2 * region.area as i64, "{seed}");
                for (row, column) in (0..height * width).map(|at| (at / width, at % width)) {
                    let inside = encloses(&outline.outer, row, column)
                        && !outline.holes.iter().any(|hole| encloses(hole, row, column));
                    assert_eq!(inside, regions.holds(index, row, column), "{seed} {row} {column}");
                }
                for polygon in std::iter::once(&outline.outer).chain(&outline.holes) {
                    let corners = polygon.iter().zip(polygon.iter().cycle().skip(1));
                    let turns: Vec<bool> = corners.map(|(a, b)| a[0] == b[0]).collect();
                    assert!(turns.iter().zip(turns.iter().cycle().skip(1)).all(|(a, b)| a != b), "{seed}");
                }
            }
        }
    }
}
