//! What several people marked on one example: how far two of them agree, and what most of them found.

use curate::consensus::marks::{Of, Paired, SAME, found_together, matched};
use exchange::{Extent, Mark, Shape, middle};

/// What is compared, as [`work`] counts it: two seconds at the most. Of two people it is two thousand boxes each, or three hundred outlines of fifty
/// corners.
const MOST_WORK: usize = 10_000_000;

/// A picture's width and height in pixels.
pub(crate) type Size = Option<(u32, u32)>;

/// How far two people agree about an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Compared {
    /// How many marks each has.
    pub(crate) n: (usize, usize),
    /// Marks of the one that are of the same thing as one of the other: of the same class, and overlapping by half.
    pub(crate) n_same: usize,
    /// The sum of what those overlap.
    pub(crate) overlap: f64,
}

/// A mark in place of those that several people gave of one thing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) mark: Mark,
    /// How many people.
    pub(crate) n: usize,
}

/// What comparing each two of several people takes: each mark of the one is held against each of the other, as many times as both have corners.
pub(crate) fn work(people: &[Vec<Mark>]) -> usize {
    let of = people.iter().map(|marks| (marks.len(), marks.iter().map(|mark| corners(&mark.shape)).sum()));
    let of: Vec<(usize, usize)> = of.collect();
    let all: usize = of.iter().map(|(_, corners)| corners).sum();
    of.iter().map(|(n, corners)| n * (all - corners)).sum()
}

/// Whether so much is marked that nobody should wait for it to be compared.
pub(crate) fn is_too_much(people: &[Vec<Mark>]) -> bool {
    work(people) > MOST_WORK
}

/// Places on a line across it, about.
fn corners(shape: &Shape) -> usize {
    match shape {
        Shape::Polygon { points } => points.len(),
        Shape::Brush { height, runs, .. } => runs.len() / (*height).max(1) as usize + 1,
        Shape::Box { .. } | Shape::Span { .. } | Shape::Segment { .. } => 1,
    }
}

/// Compares the marks of two people.
pub(crate) fn compare(one: &[Mark], other: &[Mark], size: Size) -> Compared {
    let extents = [one, other].map(|marks| extents(marks, size));
    let pairs = matched((one.len(), other.len()), SAME, |a, b| {
        overlap((&one[a], &extents[0][a]), (&other[b], &extents[1][b]))
    });
    let overlap = pairs.iter().map(|Paired { overlap, .. }| overlap).sum();
    Compared { n: (one.len(), other.len()), n_same: pairs.len(), overlap }
}

/// What more than half of the people found who looked, each thing once.
pub(crate) fn most(people: &[Vec<Mark>], size: Size) -> Vec<Found> {
    let extents: Vec<Vec<Extent<'_>>> = people.iter().map(|marks| extents(marks, size)).collect();
    let at = |of: Of| (&people[of.person][of.mark], &extents[of.person][of.mark]);
    let n: Vec<usize> = people.iter().map(Vec::len).collect();
    let groups = found_together(&n, SAME, |a, b| overlap(at(a), at(b)));
    let found = groups.into_iter().filter(|group| 2 * group.len() > people.len()).filter_map(|group| {
        let marks: Vec<&Mark> = group.iter().map(|of| at(*of).0).collect();
        let shapes: Vec<&Shape> = marks.iter().map(|mark| &mark.shape).collect();
        let mark = Mark { class: marks[0].class.clone(), shape: middle(&shapes, size)? };
        Some(Found { mark, n: group.len() })
    });
    found.collect()
}

fn extents(marks: &[Mark], size: Size) -> Vec<Extent<'_>> {
    marks.iter().map(|mark| Extent::of(&mark.shape, size)).collect()
}

/// Marks of different classes are of different things.
fn overlap((one, here): (&Mark, &Extent<'_>), (other, there): (&Mark, &Extent<'_>)) -> f64 {
    if one.class == other.class { here.overlap(there) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dent(x: f64) -> Mark {
        Mark { class: Some("dent".to_owned()), shape: Shape::Box { x, y: 0.0, width: 10.0, height: 10.0 } }
    }

    fn scratch(x: f64) -> Mark {
        Mark { class: Some("scratch".to_owned()), ..dent(x) }
    }

    #[test]
    fn two_people_agree_on_what_has_one_class_and_overlaps() {
        let same = compare(&[dent(0.0), dent(50.0)], &[dent(2.0), scratch(50.0)], None);
        assert_eq!((same.n, same.n_same), ((2, 2), 1));
        assert!((same.overlap - 8.0 / 12.0).abs() < 1e-12, "{same:?}");
        assert_eq!(compare(&[], &[], None), Compared { n: (0, 0), n_same: 0, overlap: 0.0 });
    }

    #[test]
    fn most_is_more_than_half_of_those_who_looked() {
        let ann = vec![dent(0.0), dent(50.0)];
        let ben = vec![dent(2.0), scratch(50.0)];
        let eve = vec![dent(1.0), dent(90.0)];
        let found = |people: &[&Vec<Mark>]| {
            let people: Vec<Vec<Mark>> = people.iter().map(|marks| (*marks).clone()).collect();
            most(&people, None)
        };
        assert_eq!(found(&[&ann, &ben, &eve]), [Found { mark: dent(1.0), n: 3 }]);
        assert_eq!(found(&[&ann, &ben]), [Found { mark: dent(1.0), n: 2 }]);
        assert_eq!(found(&[&ann, &vec![]]), [], "one of two who looked");
        assert_eq!(found(&[&eve]).len(), 2);
    }

    #[test]
    fn what_takes_too_long_is_known_before_it_is_compared() {
        let outline = |corners: usize| {
            let points = (0..corners).map(|at| [at as f64, (at * at) as f64]).collect();
            Mark { class: None, shape: Shape::Polygon { points } }
        };
        assert_eq!(work(&[vec![outline(5); 3], vec![dent(0.0); 2]]), 3 * 2 + 2 * 15);
        assert_eq!(work(&[vec![outline(5); 3]]), 0, "one person is compared with nobody");
        assert!(!is_too_much(&[vec![dent(0.0); 2_000], vec![dent(0.0); 2_000]]));
        assert!(!is_too_much(&[vec![outline(50); 300], vec![outline(50); 300]]));
        assert!(is_too_much(&[vec![outline(50); 2_000], vec![outline(50); 2_000]]));
    }
}
