//! Marks are drawn: one mask of a picture's size.

use image::{GrayImage, Luma};

use crate::{Mark, Shape, runs};

/// What is marked, in white.
const MARKED: u8 = 255;

/// All boxes, polygons and brushes as one mask of a picture of `size` (width and height in pixels): 255 where one of them marks,
/// else 0. A pixel is marked when its centre is; a brush of another size is scaled.
///
/// One byte a pixel is held, so the caller decides how large a picture may be.
pub fn mask(marks: &[Mark], size: (u32, u32)) -> GrayImage {
    let mut mask = GrayImage::new(size.0, size.1);
    for mark in marks {
        match &mark.shape {
            Shape::Box { x, y, width, height } => {
                let columns = pixels(*x, x + width, size.0);
                for row in pixels(*y, y + height, size.1) {
                    fill(&mut mask, row, columns.clone());
                }
            }
            Shape::Polygon { points } => polygon(&mut mask, points),
            Shape::Brush { width, height, runs } => brush(&mut mask, (*width, *height), runs),
            Shape::Span { .. } | Shape::Segment { .. } => {}
        }
    }
    mask
}

/// The pixels of one axis whose centres lie between two edges.
fn pixels(from: f64, to: f64, most: u32) -> std::ops::Range<u32> {
    // The casts saturate, and what is no number becomes 0.
    let at = |edge: f64| (edge - 0.5).ceil().max(0.0) as u32;
    at(from).min(most)..at(to).min(most)
}

fn fill(mask: &mut GrayImage, row: u32, columns: std::ops::Range<u32>) {
    for column in columns {
        mask.put_pixel(column, row, Luma([MARKED]));
    }
}

/// One edge of a polygon, from its upper to its lower end.
#[derive(Clone, Copy)]
struct Edge {
    upper: [f64; 2],
    lower: [f64; 2],
}

impl Edge {
    /// The rows whose centres it crosses.
    fn rows(&self, height: u32) -> std::ops::Range<u32> {
        pixels(self.upper[1], self.lower[1], height)
    }

    fn column(&self, row: u32) -> f64 {
        let share = (f64::from(row) + 0.5 - self.upper[1]) / (self.lower[1] - self.upper[1]);
        self.upper[0] + share * (self.lower[0] - self.upper[0])
    }
}

/// Row by row: between the first and the second crossing it is marked, between the third and the fourth, and so on.
fn polygon(mask: &mut GrayImage, points: &[[f64; 2]]) {
    let (width, height) = mask.dimensions();
    let next = points.iter().cycle().skip(1);
    let mut edges: Vec<Edge> = points
        .iter()
        .zip(next)
        .map(
            |(a, b)| if a[1] <= b[1] { Edge { upper: *a, lower: *b } } else { Edge { upper: *b, lower: *a } },
        )
        .filter(|edge| !edge.rows(height).is_empty())
        .collect();
    edges.sort_by_key(|edge| edge.rows(height).start);
    let mut waiting = edges.iter().copied().peekable();
    let mut crossed: Vec<Edge> = Vec::new();
    let mut row = 0;
    while row < height {
        match waiting.peek() {
            None if crossed.is_empty() => break,
            // Nothing is crossed up to the next edge.
            Some(edge) if crossed.is_empty() => row = row.max(edge.rows(height).start),
            _ => {}
        }
        while let Some(edge) = waiting.next_if(|edge| edge.rows(height).start <= row) {
            crossed.push(edge);
        }
        crossed.retain(|edge| edge.rows(height).end > row);
        let mut columns: Vec<f64> = crossed.iter().map(|edge| edge.column(row)).collect();
        columns.sort_by(f64::total_cmp);
        for [from, to] in columns.as_chunks::<2>().0 {
            fill(mask, row, pixels(*from, *to, width));
        }
        row += 1;
    }
}

fn brush(mask: &mut GrayImage, own: (u32, u32), runs: &[u32]) {
    let size = mask.dimensions();
    if own.0 == 0 || own.1 == 0 {
        return;
    }
    if own == size {
        for (from, to) in runs::stretches(runs) {
            let bytes: &mut [u8] = mask;
            let to = usize::try_from(to).unwrap_or(usize::MAX).min(bytes.len());
            if let Some(stretch) = usize::try_from(from).ok().and_then(|from| bytes.get_mut(from..to)) {
                stretch.fill(MARKED);
            }
        }
        return;
    }
    // Where each stretch ends, marked and unmarked in turn, so that a pixel is found by search.
    let ends: Vec<u64> = runs
        .iter()
        .scan(0, |at, run| {
            *at += u64::from(*run);
            Some(*at)
        })
        .collect();
    for (column, row, pixel) in mask.enumerate_pixels_mut() {
        let near =
            |at: u32, size: u32, own: u32| (2 * u64::from(at) + 1) * u64::from(own) / (2 * u64::from(size));
        let at = near(row, size.1, own.1) * u64::from(own.0) + near(column, size.0, own.0);
        if ends.partition_point(|end| *end <= at) % 2 == 1 {
            pixel.0 = [MARKED];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shape: Shape, size: (u32, u32), expect: &[&str]) {
        let mask = mask(&[Mark { class: None, shape }], size);
        let rows: Vec<String> = mask
            .rows()
            .map(|row| row.map(|pixel| if pixel.0[0] == MARKED { '#' } else { '.' }).collect())
            .collect();
        assert_eq!(rows, expect);
    }

    #[test]
    fn boxes_mark_the_pixels_whose_centres_they_hold() {
        check(Shape::Box { x: 1.0, y: 0.0, width: 2.0, height: 1.0 }, (4, 2), &[".##.", "...."]);
        check(Shape::Box { x: 0.6, y: 0.4, width: 1.0, height: 9.0 }, (4, 2), &[".#..", ".#.."]);
        check(Shape::Box { x: -5.0, y: -5.0, width: 1e300, height: 5.6 }, (3, 2), &["###", "..."]);
    }

    #[test]
    fn polygons_are_filled_even_odd() {
        let points = vec![[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];
        check(
            Shape::Polygon { points: points.clone() },
            (5, 5),
            &["####.", "####.", "####.", "####.", "....."],
        );
        // A square with another in it that is walked in the same stroke: the inner one is a hole.
        let hole = [[0.0, 0.0], [1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0], [1.0, 1.0]];
        check(
            Shape::Polygon { points: points.into_iter().chain(hole).collect() },
            (4, 4),
            &["####", "#..#", "#..#", "####"],
        );
        let triangle = vec![[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]];
        check(Shape::Polygon { points: triangle }, (4, 4), &["###.", "##..", "#...", "...."]);
        let far = vec![[-1e300, -1e300], [1e300, -1e300], [0.0, 1e300]];
        check(Shape::Polygon { points: far }, (2, 1), &["##"]);
        check(Shape::Polygon { points: vec![[0.0, 9.0], [9.0, 9.0], [9.0, 20.0]] }, (2, 1), &[".."]);
    }

    #[test]
    fn brushes_are_drawn_and_scaled() {
        let brush = Shape::Brush { width: 4, height: 2, runs: vec![1, 2, 4, 1] };
        check(brush.clone(), (4, 2), &[".##.", "...#"]);
        check(brush, (8, 4), &["..####..", "..####..", "......##", "......##"]);
        check(Shape::Brush { width: 2, height: 1, runs: vec![0, 4_000_000_000, 1, 7] }, (2, 1), &["##"]);
    }
}
