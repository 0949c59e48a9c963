//! Pairs of examples that are close together and have different labels (methods 3.8).

use std::collections::BTreeSet;

use linalg::Neighbours;

use super::{Case, Labelled};
use crate::Duplicates;

/// A pair is close when its distance is in this lowest part of the distances to all neighbours that are heard.
const CLOSE: f64 = 0.05;

/// Pairs shown of a case.
const SHOWN: usize = 3;

/// Two examples that are close together and have different labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conflict {
    /// The row that comes first.
    pub first: usize,
    /// The other.
    pub second: usize,
    /// How far apart they are; `None` for rows of one set of duplicates that are not among each other's neighbours.
    pub distance: Option<f32>,
    /// Whether they are duplicates: the same thing, labelled twice.
    pub duplicates: bool,
}

/// Finds all conflicts, duplicates first, then the nearer ones.
///
/// In a set of duplicates each pair of labels that contradict each other counts once, with the first row of either; so do
/// pairs between the same two groups. A conflict that is no duplicate is mutual: each is a near neighbour of the other.
pub fn conflicts(examples: &Labelled<'_>, near: &Neighbours, duplicates: &Duplicates) -> Vec<Conflict> {
    let distance =
        |a: usize, b: usize| near.of(a).find(|(other, _)| *other == b).map(|(_, distance)| distance);
    let mut found = Vec::new();
    for set in &duplicates.components {
        let mut seen = BTreeSet::new();
        let firsts: Vec<usize> = set
            .iter()
            .copied()
            .filter(|row| examples.labels()[*row].is_some_and(|label| seen.insert(label)))
            .collect();
        for (place, first) in firsts.iter().enumerate() {
            found.extend(firsts[place + 1..].iter().map(|second| Conflict {
                first: *first,
                second: *second,
                distance: distance(*first, *second),
                duplicates: true,
            }));
        }
    }
    found.extend(close(examples, &distance, duplicates));
    let order = |pair: &Conflict| (!pair.duplicates, pair.distance.unwrap_or(0.0));
    found.sort_by(|a, b| {
        let ((kind, near), (other_kind, other_near)) = (order(a), order(b));
        kind.cmp(&other_kind)
            .then(near.total_cmp(&other_near))
            .then((a.first, a.second).cmp(&(b.first, b.second)))
    });
    found
}

/// The pairs across the sides of a case that contradict each other most plainly: `conflicts` first, then the nearest; no row twice, at
/// most three.
pub(super) fn closest(case: &Case, near: &Neighbours, conflicts: &[Conflict]) -> Vec<Conflict> {
    let side = |row: usize| case.sides.iter().position(|rows| rows.binary_search(&row).is_ok());
    let across = |pair: &Conflict| match (side(pair.first), side(pair.second)) {
        (Some(first), Some(second)) => first != second,
        _ => false,
    };
    let rows = case.rows().into_iter();
    let mut nearest: Vec<Conflict> = rows
        .flat_map(|row| near.of(row).map(move |(other, distance)| (row, other, distance)))
        .map(|(row, other, distance)| Conflict {
            first: row.min(other),
            second: row.max(other),
            distance: Some(distance),
            duplicates: false,
        })
        .filter(&across)
        .collect();
    let distance = |pair: &Conflict| pair.distance.unwrap_or(0.0);
    nearest.sort_by(|a, b| {
        distance(a).total_cmp(&distance(b)).then((a.first, a.second).cmp(&(b.first, b.second)))
    });
    let mut seen = BTreeSet::new();
    let mut pairs: Vec<Conflict> =
        conflicts.iter().copied().filter(|pair| across(pair)).chain(nearest).collect();
    pairs.retain(|pair| {
        let is_new = !seen.contains(&pair.first) && !seen.contains(&pair.second);
        seen.extend(is_new.then_some([pair.first, pair.second]).into_iter().flatten());
        is_new
    });
    pairs.truncate(SHOWN);
    pairs
}

fn close(
    examples: &Labelled<'_>,
    distance: &impl Fn(usize, usize) -> Option<f32>,
    duplicates: &Duplicates,
) -> Vec<Conflict> {
    let mut set_of: Vec<Option<usize>> = vec![None; examples.n()];
    for (set, rows) in duplicates.components.iter().enumerate() {
        rows.iter().for_each(|row| set_of[*row] = Some(set));
    }
    let mut pairs: Vec<Conflict> = (0..examples.n())
        .flat_map(|first| examples.heard(first).map(move |second| (first, second)))
        .filter_map(|(first, second)| {
            Some(Conflict { first, second, distance: Some(distance(first, second)?), duplicates: false })
        })
        .collect();
    let mut all: Vec<f32> = pairs.iter().filter_map(|pair| pair.distance).collect();
    all.sort_by(f32::total_cmp);
    let Some(limit) = all.get((CLOSE * all.len() as f64) as usize).copied() else { return pairs };
    let labels = examples.labels();
    pairs.retain(|pair| {
        let (a, b) = (pair.first, pair.second);
        let contradict = labels[a].is_some() && labels[b].is_some() && labels[a] != labels[b];
        let one_set = set_of[a].is_some() && set_of[a] == set_of[b];
        a < b && contradict && !one_set && pair.distance.is_some_and(|at| at < limit) && examples.mutual(a, b)
    });
    pairs.sort_by(|a, b| a.distance.unwrap_or(0.0).total_cmp(&b.distance.unwrap_or(0.0)));
    let mut seen = BTreeSet::new();
    pairs.retain(|pair| {
        let side = |row: usize| (examples.groups()[row], labels[row]);
        seen.insert((side(pair.first).min(side(pair.second)), side(pair.first).max(side(pair.second))))
    });
    pairs
}
