//! One mark in place of several of the same thing.

use crate::overlap::Extent;
use crate::{MOST_RUNS, Mark, Shape, mask, runs};

/// The shape in the middle of several of the same thing on a picture of `size` (width and height in pixels); `None` of none.
///
/// Of boxes and segments the median of each edge; of spans as well, where it is one that somebody set. Where somebody painted, the pixels that more
/// than half cover. Of outlines, and where no pixel has so many, the one that overlaps the others most.
pub fn middle(shapes: &[&Shape], size: Option<(u32, u32)>) -> Option<Shape> {
    let first = *shapes.first()?;
    let edges = |edge: usize| {
        shapes
            .iter()
            .map(|shape| shape.edges().map(|edges| edges[edge]))
            .collect::<Option<Vec<f64>>>()
            .map(median)
    };
    let all = |is: fn(&Shape) -> bool| shapes.iter().all(|shape| is(shape));
    if shapes.len() == 1 {
        return Some(first.clone());
    }
    if all(|shape| matches!(shape, Shape::Box { .. })) {
        let [x, y, right, lower] = [edges(0)?, edges(1)?, edges(2)?, edges(3)?];
        return Some(Shape::Box { x, y, width: right - x, height: lower - y });
    }
    if let Some(segments) = each(shapes, |shape| match shape {
        Shape::Segment { start, end } => Some((*start, *end)),
        _ => None,
    }) {
        let (starts, ends): (Vec<f64>, Vec<f64>) = segments.into_iter().unzip();
        return Some(Shape::Segment { start: median(starts), end: median(ends) });
    }
    if let Some(spans) = each(shapes, |shape| match shape {
        Shape::Span { start, end } => Some((*start, *end)),
        _ => None,
    }) {
        let (starts, ends): (Vec<usize>, Vec<usize>) = spans.into_iter().unzip();
        return Some(Shape::Span { start: lower_median(starts), end: lower_median(ends) });
    }
    Some(painted(shapes, size).unwrap_or_else(|| likest(shapes, size).clone()))
}

/// What a question finds in every shape.
fn each<T>(shapes: &[&Shape], find: impl Fn(&Shape) -> Option<T>) -> Option<Vec<T>> {
    shapes.iter().map(|shape| find(shape)).collect()
}

/// Between the two in the middle where there are two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    f64::midpoint(values[(n - 1) / 2], values[n / 2])
}

fn lower_median(mut values: Vec<usize>) -> usize {
    values.sort_unstable();
    values[(values.len() - 1) / 2]
}

/// The pixels that more than half cover, where somebody painted; `None` where nobody did, no pixel has so many, or they are too ragged to be kept.
fn painted(shapes: &[&Shape], size: Option<(u32, u32)>) -> Option<Shape> {
    let own = shapes.iter().find_map(|shape| match shape {
        Shape::Brush { width, height, .. } => Some((*width, *height)),
        _ => None,
    })?;
    let (width, height) = size.unwrap_or(own);
    let drawn = |shape: &&Shape| match shape {
        Shape::Brush { width: across, height: down, runs } if (*across, *down) == (width, height) => {
            runs.clone()
        }
        shape => {
            let drawn = mask(&[Mark { class: None, shape: (*shape).clone() }], (width, height));
            runs::of_pixels(drawn.pixels().map(|pixel| pixel.0[0] > 0))
        }
    };
    let runs = runs::most(&shapes.iter().map(drawn).collect::<Vec<_>>());
    (runs::area(&runs) > 0 && runs.len() <= MOST_RUNS).then_some(Shape::Brush { width, height, runs })
}

/// The one that overlaps the others most; of several the first.
fn likest<'a>(shapes: &[&'a Shape], size: Option<(u32, u32)>) -> &'a Shape {
    let extents: Vec<Extent<'_>> = shapes.iter().map(|shape| Extent::of(shape, size)).collect();
    let likeness = |one: &Extent<'_>| extents.iter().map(|other| one.overlap(other)).sum::<f64>();
    let mut best = (f64::NEG_INFINITY, shapes[0]);
    for (extent, shape) in extents.iter().zip(shapes) {
        let likeness = likeness(extent);
        if likeness > best.0 {
            best = (likeness, *shape);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shapes: &[Shape], expect: &Shape) {
        let shapes: Vec<&Shape> = shapes.iter().collect();
        assert_eq!(middle(&shapes, None).as_ref(), Some(expect));
    }

    fn outline(x: f64) -> Shape {
        Shape::Polygon { points: vec![[x, 0.0], [x + 10.0, 0.0], [x, 10.0]] }
    }

    #[test]
    fn one_stands_for_several() {
        let boxes = [(0.0, 10.0), (2.0, 10.0), (30.0, 1.0)];
        let boxes = boxes.map(|(x, width)| Shape::Box { x, y: 1.0, width, height: 4.0 });
        check(&boxes, &Shape::Box { x: 2.0, y: 1.0, width: 10.0, height: 4.0 });
        check(&boxes[..2], &Shape::Box { x: 1.0, y: 1.0, width: 10.0, height: 4.0 });
        check(&boxes[..1], &boxes[0]);
        let segment = |start, end| Shape::Segment { start, end };
        check(&[segment(0.0, 1.0), segment(0.5, 2.0), segment(0.25, 1.5)], &segment(0.25, 1.5));
        let span = |start, end| Shape::Span { start, end };
        check(&[span(0, 4), span(3, 9)], &span(0, 4));
        check(&[span(0, 4), span(0, 9), span(1, 4)], &span(0, 4));
        check(&[outline(0.0), outline(1.0), outline(2.0)], &outline(1.0));
        assert_eq!(middle(&[], None), None);
    }

    #[test]
    fn of_what_is_painted_most_say_for_each_pixel() {
        let brush = |runs: &[u32]| Shape::Brush { width: 6, height: 1, runs: runs.to_vec() };
        check(&[brush(&[0, 3, 3]), brush(&[1, 3, 2]), brush(&[2, 3, 1])], &brush(&[1, 3, 2]));
        check(&[brush(&[0, 3, 3]), brush(&[1, 3, 2])], &brush(&[1, 2, 3]));
        // A box is drawn.
        let drawn = Shape::Box { x: 0.0, y: 0.0, width: 2.0, height: 1.0 };
        check(&[brush(&[0, 3, 3]), drawn], &brush(&[0, 2, 4]));
        // Apart from each other, no pixel has most.
        check(&[brush(&[0, 3, 3]), brush(&[3, 3])], &brush(&[0, 3, 3]));
    }
}
