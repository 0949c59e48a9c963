//! Fits an inspector, and finds out what inspectors like it say of photos that they have not seen.
//!
//! Photos are held out fold by fold, groups whole, and everything that learns is learned anew without them: what a memory says
//! of its own photos is worth nothing.

use bundle::inspection::{
    Detector, Good, Inspector, Joining, Marked, Marks, Memories, Opinion, Raw, ScoreMap, Seen, Sight, Taught,
    Teaching, Units, opinion, suspicion,
};
use linalg::{Matrix, Seed};
use rayon::prelude::*;
use tune::detect::Aligner;

use super::choosing::{self, Choice};
use super::dealing::{self, Deal};
use super::kinds::{self, FittedKinds};
use super::seeing::Photo;
use crate::{PipelineError, Run};

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
    let asked = lesson;
    let defect = lesson.defects();
    let groups = dealing::held_together(&defect, lesson.groups);
    let lesson = &Lesson { groups: &groups, ..*asked };
    let teaches = !quartered && dealing::groups_of(&defect, &groups, true).len() >= TEACHING_FROM;
    let candidates = choosing::candidates(asked);
    let deal = dealing::deal(&defect, &groups, seed);
    let mut said = if quartered {
        of_quarters(sight, good[0].seen, &candidates, seed)?
    } else {
        lesson.held_out(&deal, &candidates, run)?
    };
    let all: Vec<&Raw> = said.iter().map(|said| &said.raw).collect();
    let units = Units::learn(&lesson.raws_of_good(&said, quartered));
    let choice = choosing::choose(&units, &all, asked, quartered)?;
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

impl<'a> Lesson<'a> {
    fn defects(&self) -> Vec<bool> {
        self.photos.iter().map(Photo::is_defect).collect()
    }

    /// In how many groups there are photos with defects.
    pub(crate) fn groups_of_defects(&self) -> usize {
        dealing::groups_of(&self.defects(), self.groups, true).len()
    }

    fn good(&self, rows: impl IntoIterator<Item = usize>) -> Vec<Good<'a>> {
        let good = rows.into_iter().filter(|at| !self.photos[*at].is_defect());
        good.map(|at| self.photos[at].as_good()).collect()
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
            let memories = Memories::fit(self.sight, &self.good(others), detectors, self.seed)?;
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
