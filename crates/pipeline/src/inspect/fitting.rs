//! Fits an inspector, and finds out what inspectors like it say of photos that they have not seen.
//!
//! Photos are held out fold by fold, groups whole, and everything that learns is learned anew without them: what a memory says
//! of its own photos is worth nothing.

use std::collections::BTreeSet;

use bundle::inspection::{
    Inspector, Joining, Marked, Marks, Memories, Opinion, Raw, ScoreMap, Seen, Sight, Taught, Teaching,
    Units, mapped_views, opinion,
};
use dataset::split::folds;
use linalg::{Matrix, Seed};
use rayon::prelude::*;
use tune::TuneError;
use tune::detect::Aligner;

use super::seeing::Photo;
use crate::{PipelineError, Run};

/// Folds with few photos, of which each is a large share, and with many: what is left to learn from is nearly all.
const FOLDS: (usize, usize) = (8, 10);
/// Photos that are many.
const MANY: usize = 40;
/// Fewest groups of photos with defects that teach anything: one is held out.
const TEACHING_FROM: usize = 2;

/// A fitted inspector with its opinions on the photos it was fitted on, each by an inspector that had not seen that photo.
#[derive(Debug)]
pub(crate) struct Fitted {
    pub(crate) inspector: Inspector,
    /// In the order of the photos; for a single photo, of its quarters.
    pub(crate) held_out: Vec<Opinion>,
    /// Whether the photos were quarters of a single one.
    pub(crate) quartered: bool,
}

/// What was said of one photo by those that had not seen it.
struct Said {
    raw: Raw,
    marked: Option<Marked>,
}

/// Fits on `photos`, of which at least one is good. `groups` is `[n]`.
pub(crate) fn fit(
    sight: &Sight,
    aligner: Option<&Aligner>,
    photos: &[Photo<'_>],
    groups: &[u32],
    seed: Seed,
    run: &Run<'_>,
) -> Result<Fitted, PipelineError> {
    let good: Vec<&Seen> =
        photos.iter().filter(|photo| !photo.is_defect()).map(|photo| &photo.seen).collect();
    let memories = Memories::fit(sight, &good, seed)?;
    let quartered = good.len() < 2;
    // Good photos of one single group can only be held out one by one; what is promised still counts groups.
    let one_by_one: Vec<u32> = (0..).take(photos.len()).collect();
    let groups = if groups_of(photos, groups, false) < 2 { &one_by_one } else { groups };
    let teaches = !quartered && groups_of(photos, groups, true) >= TEACHING_FROM;
    let said = if quartered {
        of_quarters(sight, good[0], seed)?
    } else {
        held_out(sight, aligner, photos, groups, teaches, seed, run)?
    };
    // Photos with defects say nothing of what is usual.
    let is_good = |at: usize| quartered || !photos[at].is_defect();
    let of_good: Vec<&Said> =
        said.iter().enumerate().filter(|(at, _)| is_good(*at)).map(|(_, said)| said).collect();
    let units = Units::learn(&of_good.iter().map(|said| &said.raw).collect::<Vec<_>>(), mapped_views(sight));
    let taught = if teaches {
        let pairs: Vec<(&Raw, &Marked)> =
            of_good.iter().filter_map(|said| Some((&said.raw, said.marked.as_ref()?))).collect();
        let joining = Joining::learn(&units, &pairs);
        let marks = teach(sight, aligner, photos, &all(photos), &suspicions(&units, &said), seed)?;
        Some(Teaching { marks, joining })
    } else {
        None
    };
    let joining = taught.as_ref().map(|taught| taught.joining);
    let held_out = said
        .iter()
        .map(|said| opinion(&units, &said.raw, joining.as_ref().zip(said.marked.as_ref())))
        .collect();
    let inspector = Inspector { sight: sight.clone(), aligner: aligner.cloned(), memories, units, taught };
    Ok(Fitted { inspector, held_out, quartered })
}

/// In how many groups the photos with defects are, or those without.
fn groups_of(photos: &[Photo<'_>], groups: &[u32], defects: bool) -> usize {
    let of_kind = photos.iter().zip(groups).filter(|(photo, _)| photo.is_defect() == defects);
    of_kind.map(|(_, group)| *group).collect::<BTreeSet<u32>>().len()
}

fn all(photos: &[Photo<'_>]) -> Vec<usize> {
    (0..photos.len()).collect()
}

/// Fold by fold: memories of the other good photos, and heads taught by the other photos.
fn held_out(
    sight: &Sight,
    aligner: Option<&Aligner>,
    photos: &[Photo<'_>],
    groups: &[u32],
    teaches: bool,
    seed: Seed,
    run: &Run<'_>,
) -> Result<Vec<Said>, PipelineError> {
    let n_groups = groups.iter().max().map_or(0, |last| *last as usize + 1);
    let count = if photos.len() < MANY { FOLDS.0 } else { FOLDS.1 }.min(n_groups);
    let strata: Vec<u32> = photos.iter().map(|photo| u32::from(photo.is_defect())).collect();
    let deal = folds(&strata, groups, count, seed);
    let mut raws: Vec<Option<Raw>> = vec![None; photos.len()];
    for fold in 0..count {
        if run.is_cancelled() {
            return Err(PipelineError::Cancelled);
        }
        let (others, held): (Vec<usize>, Vec<usize>) =
            (0..photos.len()).partition(|at| usize::from(deal[*at]) != fold);
        let good: Vec<&Seen> =
            others.iter().filter(|at| !photos[**at].is_defect()).map(|at| &photos[*at].seen).collect();
        if good.is_empty() {
            return Err(TuneError::Empty.into());
        }
        let memories = Memories::fit(sight, &good, seed)?;
        let said: Vec<Raw> =
            held.par_iter().map(|at| memories.say(sight, &photos[*at].seen)).collect::<Result<_, _>>()?;
        held.iter().zip(said).for_each(|(at, raw)| raws[*at] = Some(raw));
    }
    let mut said: Vec<Said> = raws
        .into_iter()
        .map(|raw| Said { raw: raw.expect("every photo is in one fold"), marked: None })
        .collect();
    if teaches {
        let good = said.iter().enumerate().filter(|(at, _)| !photos[*at].is_defect());
        let units = Units::learn(&good.map(|(_, said)| &said.raw).collect::<Vec<_>>(), mapped_views(sight));
        let suspicions = suspicions(&units, &said);
        for fold in 0..count {
            let (others, held): (Vec<usize>, Vec<usize>) =
                (0..photos.len()).partition(|at| usize::from(deal[*at]) != fold);
            let marks = teach(sight, aligner, photos, &others, &suspicions, seed)?;
            for at in held {
                said[at].marked = Some(marks.say(sight, &photos[at].seen)?);
            }
        }
    }
    Ok(said)
}

/// How suspicious each patch is to those that had not seen its photo.
fn suspicions(units: &Units, said: &[Said]) -> Vec<ScoreMap> {
    let finest = |said: &Said| {
        let (rows, cols) = (said.raw.maps[0].rows, said.raw.maps[0].cols);
        units.weigh(&said.raw).map.resized(rows, cols)
    };
    said.iter().map(finest).collect()
}

fn teach(
    sight: &Sight,
    aligner: Option<&Aligner>,
    photos: &[Photo<'_>],
    rows: &[usize],
    suspicions: &[ScoreMap],
    seed: Seed,
) -> Result<Marks, PipelineError> {
    let covered: Vec<Option<ScoreMap>> = rows.iter().map(|at| photos[*at].covered(aligner)).collect();
    let taught: Vec<Taught<'_>> = rows
        .iter()
        .zip(&covered)
        .map(|(at, covered)| Taught {
            seen: &photos[*at].seen,
            defect: photos[*at].is_defect(),
            covered: covered.as_ref(),
            suspicion: &suspicions[*at],
        })
        .collect();
    Ok(Marks::fit(sight, &taught, seed)?)
}

/// With a single photo each quarter is held out from the others: all that can be said of what is usual.
fn of_quarters(sight: &Sight, seen: &Seen, seed: Seed) -> Result<Vec<Said>, PipelineError> {
    let quarters: Vec<Seen> = (0..4).map(|quarter| cut(seen, quarter)).collect();
    let said = (0..4).map(|quarter| {
        let others: Vec<&Seen> =
            (0..4).filter(|other| *other != quarter).map(|other| &quarters[other]).collect();
        let mut raw = Memories::fit(sight, &others, seed)?.say(sight, &quarters[quarter])?;
        // Whole photos are not compared by quarters.
        raw.pooled.clear();
        Ok(Said { raw, marked: None })
    });
    said.collect()
}

/// A quarter of a photo; of a grid that is one cell high or wide, all of it.
fn cut(seen: &Seen, quarter: usize) -> Seen {
    let part = |length: usize, second: bool| match (length, second) {
        (1, _) => 0..1,
        (_, false) => 0..length / 2,
        (_, true) => length / 2..length,
    };
    let grids = seen
        .grids
        .iter()
        .map(|grid| {
            let (rows, cols) = (part(grid.rows, quarter / 2 == 1), part(grid.cols, quarter % 2 == 1));
            let cells: Vec<usize> =
                rows.clone().flat_map(|row| cols.clone().map(move |col| row * grid.cols + col)).collect();
            let x: Matrix = grid.x.select_rows(&cells);
            base::patches::PatchGrid { rows: rows.len(), cols: cols.len(), x }
        })
        .collect();
    Seen { size: seen.size, grids, laid: None }
}
