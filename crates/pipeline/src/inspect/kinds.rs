//! Learns to name kinds of defects, and finds out how well on defects that had not been seen.

use std::collections::{BTreeMap, BTreeSet};

use bundle::inspection::{DefectLook, Kinds, NamedKind, ScoreMap, Sight};
use dataset::split::folds;
use evaluate::{Estimate, wilson};
use linalg::Seed;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tune::TuneError;

use super::measuring::{Judged, renumbered};
use super::seeing::Photo;
use crate::PipelineError;

/// Fewest photos of a kind from which it is named.
const NAMED_FROM: usize = 2;
/// Most folds: with fewer groups of defects each is held out by itself.
const FOLDS: usize = 10;

/// What names kinds, with the names it gives to the defects it learned from, each by one that had not seen that defect.
#[derive(Debug)]
pub(crate) struct FittedKinds {
    pub(crate) kinds: Kinds,
    /// In the order of the photos; absent for good ones.
    pub(crate) held_out: Vec<Option<NamedKind>>,
}

/// Defects of one kind as they were named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedRow {
    /// The kind a person gave.
    pub kind: String,
    /// Whether the inspector was shown it.
    pub shown: bool,
    /// How many were named each shown kind.
    pub named: Vec<usize>,
    /// How many were called of a kind never seen.
    pub never_seen: usize,
}

/// How well kinds are named, alarm or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedKinds {
    /// The kinds that were shown, ascending.
    pub shown: Vec<String>,
    /// Every kind that was measured, ascending.
    pub rows: Vec<NamedRow>,
    /// Share of the defects of shown kinds that get their name; one called never seen does not.
    pub right: Estimate,
    /// Share of them that are called never seen; absent with too few shown to tell.
    pub called_new: Option<Estimate>,
    /// Share of the defects of other kinds that are called never seen; absent without any.
    pub new_found: Option<Estimate>,
}

impl NamedKinds {
    /// The shares by the names of their metrics.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = (&'static str, Estimate)> {
        let right = Some(self.right).filter(|right| right.n > 0);
        let all =
            [("kind-accuracy", right), ("known-called-new", self.called_new), ("new-found", self.new_found)];
        all.into_iter().filter_map(|(metric, estimate)| Some((metric, estimate?)))
    }
}

/// Fits on the photos with defects; `None` when too few were shown to say anything.
///
/// `suspicion` of a photo is that of detectors that had not seen it; `groups` is `[n]`.
pub(crate) fn fit(
    sight: &Sight,
    photos: &[Photo<'_>],
    groups: &[u32],
    suspicion: impl Fn(usize) -> ScoreMap + Sync,
    seed: Seed,
) -> Result<Option<FittedKinds>, PipelineError> {
    let kind = |row: usize| photos[row].example.verdict.kind();
    let defects: Vec<usize> = (0..photos.len()).filter(|row| kind(*row).is_some()).collect();
    let mut counts = BTreeMap::new();
    for row in &defects {
        *counts.entry(kind(*row)).or_insert(0) += 1;
    }
    let (shown, lonely): (Vec<usize>, Vec<usize>) =
        defects.iter().partition(|row| counts[&kind(**row)] >= NAMED_FROM);
    let looks: BTreeMap<usize, DefectLook> = defects
        .par_iter()
        .map(|row| (*row, DefectLook::of(sight, &photos[*row].seen, &suspicion(*row))))
        .collect();
    let fit = |rows: &[usize]| -> Result<Option<Kinds>, TuneError> {
        let of: Vec<&DefectLook> = rows.iter().map(|row| &looks[row]).collect();
        let names: Vec<&str> = rows.iter().filter_map(|row| kind(*row)).collect();
        Kinds::fit(&of, &names, &dense(rows, groups), seed)
    };
    let Some(kinds) = fit(&shown)? else { return Ok(None) };
    let mut held_out = vec![None; photos.len()];
    for row in lonely {
        held_out[row] = Some(kinds.name(&looks[&row])?);
    }
    for (held, others) in deal(&shown, groups, kind, seed) {
        if let Some(kinds) = fit(&others)? {
            for row in held {
                held_out[row] = Some(kinds.name(&looks[&row])?);
            }
        }
    }
    Ok(Some(FittedKinds { kinds, held_out }))
}

/// Rows to hold out with the rows to learn from, groups whole.
fn deal<'a>(
    rows: &[usize],
    groups: &[u32],
    kind: impl Fn(usize) -> Option<&'a str>,
    seed: Seed,
) -> Vec<(Vec<usize>, Vec<usize>)> {
    let groups = dense(rows, groups);
    let names: BTreeSet<&str> = rows.iter().filter_map(|row| kind(*row)).collect();
    let label = |row: &usize| names.iter().position(|name| Some(*name) == kind(*row)).unwrap_or(0) as u32;
    let labels: Vec<u32> = rows.iter().map(label).collect();
    let count = groups.iter().max().map_or(0, |last| *last as usize + 1).min(FOLDS);
    if count < 2 {
        return Vec::new();
    }
    let fold_of = folds(&labels, &groups, count, seed.derive("kinds"));
    let split = |fold: usize| {
        let part = |held: bool| -> Vec<usize> {
            let dealt = rows.iter().zip(&fold_of).filter(|(_, of)| (usize::from(**of) == fold) == held);
            dealt.map(|(row, _)| *row).collect()
        };
        (part(true), part(false))
    };
    (0..count).map(split).collect()
}

/// The groups of some rows, renumbered from 0.
fn dense(rows: &[usize], groups: &[u32]) -> Vec<u32> {
    renumbered(&rows.iter().map(|row| groups[*row]).collect::<Vec<_>>())
}

/// How well the defects among the photos were named; `None` when none was.
pub(crate) fn measure(kinds: &Kinds, photos: &[Judged]) -> Option<NamedKinds> {
    let shown = kinds.names().to_vec();
    let mut rows: BTreeMap<&str, NamedRow> = BTreeMap::new();
    for photo in photos {
        let Some((kind, named)) = photo.kind.as_ref().zip(photo.named.as_ref()) else { continue };
        let row = rows.entry(kind).or_insert_with(|| NamedRow {
            kind: kind.clone(),
            shown: shown.contains(kind),
            named: vec![0; shown.len()],
            never_seen: 0,
        });
        match shown.iter().position(|name| *name == named.name) {
            Some(at) if !named.never_seen => row.named[at] += 1,
            _ => row.never_seen += 1,
        }
    }
    if rows.is_empty() {
        return None;
    }
    let rows: Vec<NamedRow> = rows.into_values().collect();
    let sum = |wanted: bool, count: &dyn Fn(&NamedRow) -> usize| -> usize {
        rows.iter().filter(|row| row.shown == wanted).map(count).sum()
    };
    let all = |row: &NamedRow| row.named.iter().sum::<usize>() + row.never_seen;
    let own = |row: &NamedRow| shown.iter().position(|name| *name == row.kind).map_or(0, |at| row.named[at]);
    let (n_shown, n_new) = (sum(true, &all), sum(false, &all));
    let called = |wanted: bool, n: usize| {
        (kinds.knows_strangers() && n > 0).then(|| wilson(sum(wanted, &|row| row.never_seen), n))
    };
    Some(NamedKinds {
        right: wilson(sum(true, &own), n_shown),
        called_new: called(true, n_shown),
        new_found: called(false, n_new),
        shown,
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stay_whole_and_every_row_is_held_out_once() {
        let rows = [2, 3, 5, 7, 8, 9];
        let groups = [0, 0, 4, 4, 0, 6, 0, 8, 9, 9];
        let parts = deal(&rows, &groups, |row| Some(if row < 6 { "a" } else { "b" }), Seed(1));
        assert_eq!(parts.len(), 4);
        let mut held: Vec<usize> = parts.iter().flat_map(|(held, _)| held.clone()).collect();
        held.sort_unstable();
        assert_eq!(held, rows);
        for (held, others) in parts {
            assert!(held.iter().all(|row| others.iter().all(|other| groups[*row] != groups[*other])));
        }
        assert!(deal(&[2, 3], &groups, |_| Some("a"), Seed(1)).is_empty());
    }
}
