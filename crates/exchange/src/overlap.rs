//! How far two marks cover the same place: intersection over union.

use crate::{Shape, runs};

/// Lines across two areas on which they are compared, where they are not compared exactly: enough for two digits.
const LINES: u32 = 128;

/// A shape that is compared with others.
#[derive(Debug, Clone)]
pub struct Extent<'a> {
    shape: &'a Shape,
    /// Left, upper, right and lower edge, in pixels of the picture.
    edges: Option<[f64; 4]>,
    /// Of a brush: where what is marked begins and ends, in its own pixels from the first.
    stretches: Vec<(u64, u64)>,
    /// Of a brush: pixels of the picture for one of its own.
    scale: [f64; 2],
}

impl<'a> Extent<'a> {
    /// On a picture of `size` (width and height in pixels), to which a brush of another size is scaled.
    pub fn of(shape: &'a Shape, size: Option<(u32, u32)>) -> Self {
        let (scale, stretches) = match shape {
            Shape::Brush { width, height, runs } => {
                let (across, down) = size.unwrap_or((*width, *height));
                let scale = [f64::from(across) / f64::from(*width), f64::from(down) / f64::from(*height)];
                (scale, runs::stretches(runs).collect())
            }
            _ => ([1.0; 2], Vec::new()),
        };
        let edges = shape.edges().map(|[left, upper, right, lower]| {
            [left * scale[0], upper * scale[1], right * scale[0], lower * scale[1]]
        });
        Self { shape, edges, stretches, scale }
    }

    /// What both cover as a share of what either covers, in [0, 1]: pixels of a picture, characters of a text, seconds of a sound.
    ///
    /// Boxes, spans and segments exactly, other areas on 128 lines across both; 0 for marks of different kinds of examples.
    pub fn overlap(&self, other: &Self) -> f64 {
        match (self.shape, other.shape) {
            (Shape::Span { start, end }, Shape::Span { start: from, end: to }) => {
                of_stretches((*start as f64, *end as f64), (*from as f64, *to as f64))
            }
            (Shape::Segment { start, end }, Shape::Segment { start: from, end: to }) => {
                of_stretches((*start, *end), (*from, *to))
            }
            _ => self.edges.zip(other.edges).map_or(0.0, |edges| self.of_areas(other, edges)),
        }
    }

    fn of_areas(&self, other: &Self, (one, two): ([f64; 4], [f64; 4])) -> f64 {
        let across = one[2].min(two[2]) - one[0].max(two[0]);
        let down = one[3].min(two[3]) - one[1].max(two[1]);
        if across <= 0.0 || down <= 0.0 {
            return 0.0;
        }
        if let (Shape::Box { .. }, Shape::Box { .. }) = (self.shape, other.shape) {
            let area = |[left, upper, right, lower]: [f64; 4]| (right - left) * (lower - upper);
            return across * down / (area(one) + area(two) - across * down);
        }
        let (upper, lower) = (one[1].min(two[1]), one[3].max(two[3]));
        let n = match (self.shape, other.shape) {
            // The rows of pixels are lines enough.
            (Shape::Brush { .. }, Shape::Brush { .. }) => ((lower - upper).ceil() as u32).clamp(1, LINES),
            _ => LINES,
        };
        let (mut both, mut either) = (0.0, 0.0);
        for line in 0..n {
            let y = upper + (f64::from(line) + 0.5) * (lower - upper) / f64::from(n);
            let (one, two) = (self.line(y), other.line(y));
            let shared = shared(&one, &two);
            both += shared;
            either += length(&one) + length(&two) - shared;
        }
        if either > 0.0 { both / either } else { 0.0 }
    }

    /// Where it is on one line across the picture, from left to right.
    fn line(&self, y: f64) -> Vec<(f64, f64)> {
        match self.shape {
            Shape::Box { x, y: upper, width, height } => {
                if *upper <= y && y < upper + height {
                    vec![(*x, x + width)]
                } else {
                    Vec::new()
                }
            }
            Shape::Polygon { points } => crossings(points, y),
            Shape::Brush { width, height, .. } => {
                let row = y / self.scale[1];
                // Other marks may reach over the edges of the picture.
                if (0.0..f64::from(*height)).contains(&row) {
                    self.row(row as u64, u64::from(*width))
                } else {
                    Vec::new()
                }
            }
            Shape::Span { .. } | Shape::Segment { .. } => Vec::new(),
        }
    }

    fn row(&self, row: u64, width: u64) -> Vec<(f64, f64)> {
        let (start, end) = (row * width, (row + 1) * width);
        let first = self.stretches.partition_point(|(_, to)| *to <= start);
        let within = self.stretches[first..].iter().take_while(|(from, _)| *from < end);
        let at = |pixel: u64| (pixel - start) as f64 * self.scale[0];
        within.map(|(from, to)| (at(*from.max(&start)), at(*to.min(&end)))).collect()
    }
}

/// Between the first and the second crossing it is marked, between the third and the fourth, and so on.
fn crossings(points: &[[f64; 2]], y: f64) -> Vec<(f64, f64)> {
    let next = points.iter().cycle().skip(1);
    let crossed = points.iter().zip(next).filter(|(a, b)| (a[1] > y) != (b[1] > y));
    let mut columns: Vec<f64> =
        crossed.map(|(a, b)| a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])).collect();
    columns.sort_by(f64::total_cmp);
    columns.as_chunks::<2>().0.iter().map(|[from, to]| (*from, *to)).collect()
}

fn of_stretches(one: (f64, f64), other: (f64, f64)) -> f64 {
    let both = (one.1.min(other.1) - one.0.max(other.0)).max(0.0);
    both / (one.1 - one.0 + (other.1 - other.0) - both)
}

fn length(stretches: &[(f64, f64)]) -> f64 {
    stretches.iter().map(|(from, to)| to - from).sum()
}

/// How much two rows of stretches have in common.
fn shared(mut one: &[(f64, f64)], mut other: &[(f64, f64)]) -> f64 {
    let mut both = 0.0;
    while let ([a, more_one @ ..], [b, more_other @ ..]) = (one, other) {
        both += (a.1.min(b.1) - a.0.max(b.0)).max(0.0);
        if a.1 < b.1 { one = more_one } else { other = more_other }
    }
    both
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Mark, mask};

    /// Two digits are enough to tell whether two marks are of the same thing.
    const NEAR: f64 = 0.02;

    #[track_caller]
    fn check(one: &Shape, other: &Shape, expect: f64) {
        let of = |a, b| Extent::of(a, None).overlap(&Extent::of(b, None));
        for got in [of(one, other), of(other, one)] {
            assert!((got - expect).abs() < NEAR, "{one:?} and {other:?}: {got}, not {expect}");
        }
    }

    fn a_box(x: f64, y: f64, width: f64, height: f64) -> Shape {
        Shape::Box { x, y, width, height }
    }

    #[test]
    fn what_both_cover_is_a_share_of_what_either_does() {
        check(&a_box(0.0, 0.0, 4.0, 4.0), &a_box(0.0, 0.0, 4.0, 4.0), 1.0);
        check(&a_box(0.0, 0.0, 4.0, 4.0), &a_box(2.0, 0.0, 4.0, 4.0), 1.0 / 3.0);
        check(&a_box(0.0, 0.0, 4.0, 4.0), &a_box(4.0, 0.0, 4.0, 4.0), 0.0);
        let triangle = Shape::Polygon { points: vec![[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]] };
        check(&triangle, &a_box(0.0, 0.0, 10.0, 10.0), 0.5);
        let brush = Shape::Brush { width: 4, height: 2, runs: vec![1, 2, 2, 2, 1] };
        check(&brush, &a_box(1.0, 0.0, 2.0, 2.0), 1.0);
        check(&brush, &Shape::Brush { width: 4, height: 2, runs: vec![1, 2, 5] }, 0.5);
        check(&Shape::Span { start: 2, end: 6 }, &Shape::Span { start: 4, end: 8 }, 1.0 / 3.0);
        check(&Shape::Span { start: 2, end: 6 }, &Shape::Span { start: 6, end: 8 }, 0.0);
        check(&Shape::Segment { start: 0.0, end: 1.0 }, &Shape::Segment { start: 0.0, end: 2.0 }, 0.5);
        check(&Shape::Segment { start: 0.0, end: 1.0 }, &a_box(0.0, 0.0, 1.0, 1.0), 0.0);
    }

    #[test]
    fn a_brush_ends_with_the_picture_and_other_marks_need_not() {
        let brush = Shape::Brush { width: 4, height: 20, runs: vec![0, 80] };
        check(&brush, &a_box(0.0, -20.0, 4.0, 40.0), 0.5);
        check(&brush, &a_box(0.0, 0.0, 4.0, 40.0), 0.5);
        check(&brush, &a_box(0.0, 0.0, 4.0, 1e300), 0.0);
    }

    #[test]
    fn a_brush_of_another_size_lies_where_the_picture_shows_it() {
        let brush = Shape::Brush { width: 2, height: 2, runs: vec![1, 1, 2] };
        let quarter = a_box(50.0, 0.0, 50.0, 50.0);
        let size = Some((100, 100));
        assert!((Extent::of(&brush, size).overlap(&Extent::of(&quarter, size)) - 1.0).abs() < NEAR);
    }

    proptest! {
        /// As pixels say that are drawn and counted.
        #[test]
        fn areas_overlap_as_their_pixels_do(corners in proptest::collection::vec((0_u8..=160, 0_u8..=160), 6)) {
            let points = |from: usize| corners[from..from + 3].iter().map(|(x, y)| [f64::from(*x), f64::from(*y)]).collect();
            let [one, other] = [0, 3].map(|from| Shape::Polygon { points: points(from) });
            let drawn = [&one, &other].map(|shape| mask(&[Mark { class: None, shape: shape.clone() }], (160, 160)));
            let count = |rule: fn(bool, bool) -> bool| drawn[0].pixels().zip(drawn[1].pixels()).filter(|(a, b)| rule(a.0[0] > 0, b.0[0] > 0)).count();
            let (both, either) = (count(|a, b| a && b), count(|a, b| a || b));
            prop_assume!(either > 2000);
            let got = Extent::of(&one, None).overlap(&Extent::of(&other, None));
            prop_assert!((got - both as f64 / either as f64).abs() < 0.03, "{got} {both} {either}");
        }
    }
}
