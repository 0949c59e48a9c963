//! The connected regions of a mask: pixels that touch at an edge or a corner belong together.

use super::plane::Plane;

/// One region: how many pixels it has and the smallest upright rectangle around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Number of pixels.
    pub area: usize,
    /// Leftmost column.
    pub left: usize,
    /// Topmost row.
    pub top: usize,
    /// Columns of the rectangle.
    pub width: usize,
    /// Rows of the rectangle.
    pub height: usize,
}

/// The regions of a mask, in the order of their first pixels, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regions {
    width: usize,
    labels: Vec<u32>,
    regions: Vec<Region>,
}

impl Regions {
    /// For each pixel 0, or 1 plus the index of its region: `[height, width]`.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The regions.
    pub fn list(&self) -> &[Region] {
        &self.regions
    }

    /// Whether the pixel, which must lie in the mask, belongs to the region with this index.
    pub(super) fn holds(&self, index: usize, row: usize, column: usize) -> bool {
        self.labels[row * self.width + column] as usize == index + 1
    }
}

/// Finds the 8-connected regions of the pixels that are `true`.
pub fn find_regions(mask: Plane<'_, bool>) -> Regions {
    let (width, values) = (mask.width(), mask.values());
    let mut labels = vec![0_u32; values.len()];
    // Provisional labels count from 1; `parents[label]` is a smaller label of the same region, or the label itself.
    let mut parents = vec![0_u32];
    for at in (0..values.len()).filter(|at| values[*at]) {
        let (row, column) = (at / width, at % width);
        let mut neighbours = [0_u32; 4];
        if column > 0 {
            neighbours[0] = labels[at - 1];
        }
        if row > 0 {
            let above = &labels[at - width - column..at - column];
            neighbours[1] = above[column];
            neighbours[2] = if column > 0 { above[column - 1] } else { 0 };
            neighbours[3] = above.get(column + 1).copied().unwrap_or(0);
        }
        labels[at] = join(&mut parents, neighbours);
    }
    number(width, labels, parents)
}

/// The label of a pixel with these neighbours, whose regions become one; a new one when all are 0.
fn join(parents: &mut Vec<u32>, neighbours: [u32; 4]) -> u32 {
    let roots = neighbours.map(|label| root(parents, label));
    let Some(smallest) = roots.into_iter().filter(|root| *root > 0).min() else {
        let label = parents.len() as u32;
        parents.push(label);
        return label;
    };
    roots.into_iter().filter(|root| *root > 0).for_each(|root| parents[root as usize] = smallest);
    smallest
}

/// The smallest label of the region, halving the way to it; 0 for 0.
fn root(parents: &mut [u32], mut label: u32) -> u32 {
    while parents[label as usize] != label {
        parents[label as usize] = parents[parents[label as usize] as usize];
        label = parents[label as usize];
    }
    label
}

/// Numbers the regions in the order of their first pixels and measures them.
fn number(width: usize, mut labels: Vec<u32>, mut parents: Vec<u32>) -> Regions {
    let mut numbers = vec![0_u32; parents.len()];
    let mut corners: Vec<[usize; 5]> = Vec::new();
    for (at, label) in labels.iter_mut().enumerate().filter(|(_, label)| **label > 0) {
        let root = root(&mut parents, *label) as usize;
        let (row, column) = (at / width, at % width);
        if numbers[root] == 0 {
            corners.push([0, column, row, column, row]);
            numbers[root] = corners.len() as u32;
        }
        *label = numbers[root];
        let [area, left, _, right, bottom] = &mut corners[*label as usize - 1];
        *area += 1;
        *left = column.min(*left);
        *right = column.max(*right);
        *bottom = row;
    }
    let region = |[area, left, top, right, bottom]: [usize; 5]| Region {
        area,
        left,
        top,
        width: right - left + 1,
        height: bottom - top + 1,
    };
    Regions { width, labels, regions: corners.into_iter().map(region).collect() }
}

/// Masks written as pictures, for the tests of this folder.
#[cfg(test)]
pub(super) mod pictures {
    /// Height, width and values: `#` is marked, the lines are rows.
    pub(in super::super) fn mask(picture: &[&str]) -> (usize, usize, Vec<bool>) {
        let values = picture.iter().flat_map(|line| line.chars().map(|char| char == '#')).collect();
        (picture.len(), picture.first().map_or(0, |line| line.len()), values)
    }
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::pictures::mask;
    use super::*;

    fn regions(picture: &[&str]) -> Regions {
        let (height, width, values) = mask(picture);
        find_regions(Plane::new(height, width, &values).unwrap())
    }

    #[track_caller]
    fn check(picture: &[&str], expected: &[(usize, [usize; 4])]) {
        let found = regions(picture);
        let got: Vec<_> = found.list().iter().map(|r| (r.area, [r.left, r.top, r.width, r.height])).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn corners_connect_and_shapes_that_meet_late_are_one() {
        check(&["#..", ".#.", "..#"], &[(3, [0, 0, 3, 3])]);
        check(&["..#", ".#.", "#.."], &[(3, [0, 0, 3, 3])]);
        // Two arms that meet below, and a spiral.
        check(&["#.#.#", "#.#.#", ".#.#."], &[(8, [0, 0, 5, 3])]);
        check(&["#####", "....#", "###.#", "#...#", "#####"], &[(17, [0, 0, 5, 5])]);
        check(&["##..", "....", "...#", "#..#"], &[(2, [0, 0, 2, 1]), (2, [3, 2, 1, 2]), (1, [0, 3, 1, 1])]);
        // The end of a row does not touch the start of the next.
        check(&["..#", "#.."], &[(1, [2, 0, 1, 1]), (1, [0, 1, 1, 1])]);
    }

    #[test]
    fn empty_masks_have_no_regions_and_full_ones_have_one() {
        check(&[], &[]);
        check(&["...", "..."], &[]);
        check(&["###", "###"], &[(6, [0, 0, 3, 2])]);
    }

    #[test]
    fn random_masks_agree_with_a_flood_fill() {
        for seed in 0..40 {
            let mut rng = Seed(seed).rng();
            let (height, width) = (1 + random::below(&mut rng, 20), 1 + random::below(&mut rng, 20));
            let share = 0.2 + 0.4 * random::uniform(&mut rng);
            let values: Vec<bool> = (0..height * width).map(|_| random::uniform(&mut rng) < share).collect();
            let found = find_regions(Plane::new(height, width, &values).unwrap());
            assert_eq!(found.labels(), flood(height, width, &values), "{seed}");
            let areas: usize = found.list().iter().map(|region| region.area).sum();
            assert_eq!(areas, values.iter().filter(|value| **value).count());
        }
    }

    /// Labels by filling from each pixel that has none yet.
    fn flood(height: usize, width: usize, values: &[bool]) -> Vec<u32> {
        let (mut labels, mut last) = (vec![0; values.len()], 0);
        for start in 0..values.len() {
            if !values[start] || labels[start] > 0 {
                continue;
            }
            last += 1;
            labels[start] = last;
            let mut open = vec![start];
            while let Some(at) = open.pop() {
                let (row, column) = (at / width, at % width);
                for row in row.saturating_sub(1)..(row + 2).min(height) {
                    for column in column.saturating_sub(1)..(column + 2).min(width) {
                        let next = row * width + column;
                        if values[next] && labels[next] == 0 {
                            labels[next] = last;
                            open.push(next);
                        }
                    }
                }
            }
        }
        labels
    }
}
