//! Fits an inspector, and finds out what inspectors like it say of photos that they have not seen.
//!
//! Photos are held out fold by fold, groups whole, and everything that learns is learned anew without them: what a memory says
//! of its own photos is worth nothing.

use std::collections::BTreeSet;

use bundle::inspection::{
    Detector, Good, Inspector, Joining, Marked, Marks, Memories, Opinion, Raw, ScoreMap, Seen, Sight, Taught,
    Teaching, Units, opinion, suspicion,
};
use dataset::split::folds;
use linalg::{Matrix, Seed};
use rayon::prelude::*;
use tune::TuneError;
use tune::detect::Aligner;

use super::choosing::{self, Choice};
use super::kinds::{self, FittedKinds};
use super::seeing::Photo;
use crate::{PipelineError, Run};

/// Folds with few photos, of which each is a large share, and with many: what is left to learn from is nearly all.
const FOLDS: (usize, usize) = (8, 10);
/// Photos that are many.
const MANY: usize = 40;
/// Fewest groups of photos with defects that teach anything: one is held out.
const TEACHING_FROM: usize = 2;

/// What an inspector is learned from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lesson<'a> {
    pub(crate) sight: &'a Sight,
    pub(crate) aligner: Option<&'a Aligner>,
    /// At least one is good.
    pub(crate) photos: &'a [Photo<'a>],
    /// `[n]`: photos of one group are held out together.
    pub(crate) groups: &'a [u32],
    /// The detectors that the person wants listened to.
    pub(crate) asked: Option<&'a [Detector]>,
    pub(crate) seed: Seed,
}

/// A fitted inspector with its opinions on the photos it was fitted on, each by an inspector that had not seen that photo.
#[derive(Debug)]
pub(crate) struct Fitted {
    pub(crate) inspector: Inspector,
    /// In the order of the photos; for a single photo, of its quarters.
    pub(crate) held_out: Vec<Opinion>,
    /// Whether the photos were quarters of a single one.
    pub(crate) quartered: bool,
    /// Which detectors were chosen, and why.
    pub(crate) choice: Choice,
}

/// What was said of one photo by those that had not seen it.
struct Said {
    raw: Raw,
    marked: Option<Marked>,
}

/// Finds out what detectors say of photos that they have not seen, chooses among them, and learns those from all photos.
pub(crate) fn fit(lesson: &Lesson<'_>, run: &Run<'_>) -> Result<Fitted, PipelineError> {
    let Lesson { sight, photos, seed, .. } = *lesson;
    let good = lesson.good(0..photos.len());
    let quartered = good.len() < 2;
    let groups = lesson.held_together();
    let lesson = &Lesson { groups: &groups, ..*lesson };
    let teaches = !quartered && lesson.groups_of(true) >= TEACHING_FROM;
    let candidates = choosing::candidates(photos, lesson.asked);
    let deal = lesson.deal();
    let mut said = if quartered {
        of_quarters(sight, good[0].seen, &candidates, seed)?
    } else {
        lesson.held_out(&deal, &candidates, run)?
    };
    let all: Vec<&Raw> = said.iter().map(|said| &said.raw).collect();
    let units = Units::learn(&lesson.raws_of_good(&said, quartered));
    let choice = choosing::choose(&units, &all, photos, quartered, lesson.asked, seed)?;
    let heard: Vec<Detector> =
        candidates.into_iter().filter(|of| of.draws() || choice.votes.contains(of)).collect();
    said.iter_mut().for_each(|said| said.raw.keep(&heard));
    let mut units = Units::learn(&lesson.raws_of_good(&said, quartered));
    units.votes.clone_from(&choice.votes);
    let taught = if teaches { Some(lesson.teaching(&units, &mut said, &deal, run)?) } else { None };
    let joining = taught.as_ref().map(|taught| taught.joining);
    let mut held_out: Vec<Opinion> = said
        .iter()
        .map(|said| opinion(&units, &said.raw, joining.as_ref().zip(said.marked.as_ref())))
        .collect();
    let kinds = joining.map(|joining| lesson.kinds(&units, &joining, &said)).transpose()?.flatten();
    let kinds = kinds.map(|FittedKinds { kinds, held_out: named }| {
        held_out.iter_mut().zip(named).for_each(|(opinion, named)| opinion.kind = named);
        kinds
    });
    let memories = Memories::fit(sight, &good, &heard, seed)?;
    let aligner = lesson.aligner.cloned();
    let inspector = Inspector { sight: sight.clone(), aligner, memories, units, taught, kinds };
    Ok(Fitted { inspector, held_out, quartered, choice })
}

/// Which photos are held out together, `[n]`.
struct Deal {
    fold: Vec<usize>,
    count: usize,
}

impl Deal {
    /// The photos of all other folds, and those of this one.
    fn sides(&self, fold: usize) -> (Vec<usize>, Vec<usize>) {
        (0..self.fold.len()).partition(|at| self.fold[*at] != fold)
    }
}

impl<'a> Lesson<'a> {
    fn good(&self, rows: impl IntoIterator<Item = usize>) -> Vec<Good<'a>> {
        let good = rows.into_iter().filter(|at| !self.photos[*at].is_defect());
        good.map(|at| self.photos[at].as_good()).collect()
    }

    /// In how many groups the photos with defects are, or those without.
    fn groups_of(&self, defects: bool) -> usize {
        let of_kind = self.photos.iter().zip(self.groups).filter(|(photo, _)| photo.is_defect() == defects);
        of_kind.map(|(_, group)| *group).collect::<BTreeSet<u32>>().len()
    }

    /// The groups, `[n]`, as they are held out. Good photos of one single group can only be held out one by one, apart from
    /// those with defects unless these are of the same group; what is promised still counts groups.
    fn held_together(&self) -> Vec<u32> {
        let mut groups = self.groups.to_vec();
        if self.groups_of(false) > 1 {
            return groups;
        }
        let with_defects = self.with_defects();
        let is_mixed = self
            .photos
            .iter()
            .zip(&groups)
            .any(|(photo, group)| !photo.is_defect() && with_defects.contains(group));
        let fresh = (0..).skip(groups.iter().max().map_or(0, |last| *last as usize + 1));
        let alone = groups.iter_mut().filter(|group| is_mixed || !with_defects.contains(group));
        alone.zip(fresh).for_each(|(group, fresh)| *group = fresh);
        groups
    }

    /// The groups with a defect in them.
    fn with_defects(&self) -> BTreeSet<u32> {
        let photos = self.photos.iter().zip(self.groups).filter(|(photo, _)| photo.is_defect());
        photos.map(|(_, group)| *group).collect()
    }

    /// Deals groups with defects and groups without apart from each other, so that every fold leaves some of both to learn from
    /// where there are two of each.
    fn deal(&self) -> Deal {
        let with_defects = self.with_defects();
        let most = if self.photos.len() < MANY { FOLDS.0 } else { FOLDS.1 };
        let (taught, plain): (Vec<usize>, Vec<usize>) =
            (0..self.photos.len()).partition(|at| with_defects.contains(&self.groups[*at]));
        let dealt = [plain, taught].map(|rows| {
            let groups: Vec<u32> = rows.iter().map(|at| self.groups[*at]).collect();
            let count = groups.iter().collect::<BTreeSet<_>>().len().min(most);
            let strata: Vec<u32> = rows.iter().map(|at| u32::from(self.photos[*at].is_defect())).collect();
            let fold: Vec<usize> = if count < 2 {
                vec![0; rows.len()]
            } else {
                folds(&strata, &groups, count, self.seed).into_iter().map(usize::from).collect()
            };
            (rows, fold, count)
        });
        let count = dealt.iter().map(|(.., count)| *count).max().unwrap_or(0).max(2);
        let mut fold = vec![0; self.photos.len()];
        for (side, (rows, folds, _)) in dealt.iter().enumerate() {
            // From both ends: where there are few of either, they do not meet in one fold.
            let place = |fold: usize| if side == 0 { fold } else { count - 1 - fold };
            rows.iter().zip(folds).for_each(|(at, dealt)| fold[*at] = place(*dealt));
        }
        Deal { fold, count }
    }

    /// What was said of good photos: those with defects say nothing of what is usual.
    fn raws_of_good<'s>(&self, said: &'s [Said], quartered: bool) -> Vec<&'s Raw> {
        let is_good = |at: usize| quartered || !self.photos[at].is_defect();
        said.iter().enumerate().filter(|(at, _)| is_good(*at)).map(|(_, said)| &said.raw).collect()
    }

    /// Fold by fold, what memories of the other good photos say.
    fn held_out(
        &self,
        deal: &Deal,
        detectors: &[Detector],
        run: &Run<'_>,
    ) -> Result<Vec<Said>, PipelineError> {
        let mut raws: Vec<Option<Raw>> = vec![None; self.photos.len()];
        for fold in 0..deal.count {
            if run.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            let (others, held) = deal.sides(fold);
            let good = self.good(others);
            if good.is_empty() {
                return Err(TuneError::Empty.into());
            }
            let memories = Memories::fit(self.sight, &good, detectors, self.seed)?;
            let say = |at: &usize| memories.say(self.sight, &self.photos[*at].seen);
            let said: Vec<Raw> = held.par_iter().map(say).collect::<Result<_, _>>()?;
            held.iter().zip(said).for_each(|(at, raw)| raws[*at] = Some(raw));
        }
        let said = |raw: Option<Raw>| Said { raw: raw.expect("every photo is in one fold"), marked: None };
        Ok(raws.into_iter().map(said).collect())
    }

    /// Heads taught by all photos; and for every photo what heads say that were taught by the photos of other folds.
    fn teaching(
        &self,
        units: &Units,
        said: &mut [Said],
        deal: &Deal,
        run: &Run<'_>,
    ) -> Result<Teaching, PipelineError> {
        let suspicions = suspicions(units, said);
        for fold in 0..deal.count {
            if run.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            let (others, held) = deal.sides(fold);
            let marks = self.teach(&others, &suspicions)?;
            let say = |at: &usize| marks.say(self.sight, &self.photos[*at].seen);
            let marked: Vec<Marked> = held.par_iter().map(say).collect::<Result<_, _>>()?;
            held.iter().zip(marked).for_each(|(at, marked)| said[*at].marked = Some(marked));
        }
        let of_good = said.iter().zip(self.photos).filter(|(_, photo)| !photo.is_defect());
        let pairs: Vec<(&Raw, &Marked)> =
            of_good.filter_map(|(said, _)| Some((&said.raw, said.marked.as_ref()?))).collect();
        let joining = Joining::learn(units, &pairs);
        let marks = self.teach(&(0..self.photos.len()).collect::<Vec<_>>(), &suspicions)?;
        Ok(Teaching { marks, joining })
    }

    /// Learns to name kinds, by what those find suspicious that had not seen the photo.
    fn kinds(
        &self,
        units: &Units,
        joining: &Joining,
        said: &[Said],
    ) -> Result<Option<FittedKinds>, PipelineError> {
        let suspicion = |row: usize| {
            let Said { raw, marked } = &said[row];
            suspicion(units, raw, marked.as_ref().map(|marked| (joining, marked)))
        };
        kinds::fit(self.sight, self.photos, self.groups, suspicion, self.seed)
    }

    fn teach(&self, rows: &[usize], suspicions: &[ScoreMap]) -> Result<Marks, PipelineError> {
        let covered: Vec<Option<ScoreMap>> =
            rows.iter().map(|at| self.photos[*at].covered(self.aligner)).collect();
        let taught: Vec<Taught<'_>> = rows
            .iter()
            .zip(&covered)
            .map(|(at, covered)| Taught {
                seen: &self.photos[*at].seen,
                defect: self.photos[*at].is_defect(),
                covered: covered.as_ref(),
                suspicion: &suspicions[*at],
            })
            .collect();
        Ok(Marks::fit(self.sight, &taught, self.seed)?)
    }
}

/// How suspicious each patch is to those that had not seen its photo.
fn suspicions(units: &Units, said: &[Said]) -> Vec<ScoreMap> {
    let finest = |said: &Said| {
        let (rows, cols) = said.raw.grid;
        units.weigh(&said.raw).map.resized(rows, cols)
    };
    said.iter().map(finest).collect()
}

/// With a single photo each quarter is held out from the others: all that can be said of what is usual.
fn of_quarters(
    sight: &Sight,
    seen: &Seen,
    detectors: &[Detector],
    seed: Seed,
) -> Result<Vec<Said>, PipelineError> {
    let quarters: Vec<Seen> = (0..4).map(|quarter| cut(seen, quarter)).collect();
    let said = (0..4).map(|quarter| {
        let others = (0..4).filter(|other| *other != quarter);
        let others: Vec<Good<'_>> =
            others.map(|other| Good { seen: &quarters[other], turned: &[] }).collect();
        let mut raw = Memories::fit(sight, &others, detectors, seed)?.say(sight, &quarters[quarter])?;
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
