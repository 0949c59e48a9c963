//! Photos of a set as an inspector sees them; what cannot be read is left out and told.

use std::sync::atomic::{AtomicU64, Ordering};

use base::depict::{Canvas, depict};
use base::prep::{self, Mask};
use bundle::inspection::{Eye, Good, ScoreMap, Seen, SightError, brightness, has_shape, lay_mask};
use dataset::{InspectionExample, Modality, Problem, ProblemKind, Verdict};
use linalg::{Seed, random};
use rayon::prelude::*;
use tune::detect::{Aligner, Grey};

use super::marking::Marking;
use super::turning::Orientation;
use crate::{Event, PipelineError, Run, Step};

/// A photo that could be read.
#[derive(Debug)]
pub(crate) struct Photo<'e> {
    pub(crate) example: &'e InspectionExample,
    pub(crate) seen: Seen,
    /// What was seen of it turned around; only of good photos whose orientation is free.
    pub(crate) turned: Vec<Seen>,
    /// Where the defect is, when it is marked.
    pub(crate) mask: Option<Marking>,
}

impl Photo<'_> {
    pub(crate) fn is_defect(&self) -> bool {
        self.example.verdict != Verdict::Good
    }

    pub(crate) fn as_good(&self) -> Good<'_> {
        Good { seen: &self.seen, turned: &self.turned }
    }

    /// The share of each cell of the finest grid that the mask covers; `None` when it covers none of them.
    pub(crate) fn covered(&self, aligner: Option<&Aligner>) -> Option<ScoreMap> {
        let mask = self.mask.as_ref()?;
        let (rows, cols) = (self.seen.grids[0].rows, self.seen.grids[0].cols);
        let laid = aligner.zip(self.seen.laid.as_ref());
        let marked = match laid {
            Some((aligner, laid)) => {
                let inside: Vec<bool> = mask.inside().collect();
                lay_mask(aligner, &laid.rigid, &inside, (mask.width as u32, mask.height as u32))
            }
            None => ScoreMap {
                rows: mask.height,
                cols: mask.width,
                values: mask.inside().map(|inside| f32::from(u8::from(inside))).collect(),
            },
        };
        let (mut inside, mut all) = (vec![0.0_f32; rows * cols], vec![0.0_f32; rows * cols]);
        for (at, value) in marked.values.iter().enumerate() {
            let cell = at / marked.cols * rows / marked.rows * cols + at % marked.cols * cols / marked.cols;
            all[cell] += 1.0;
            inside[cell] += value;
        }
        let values = inside.iter().zip(&all).map(|(inside, all)| inside / all.max(1.0)).collect();
        Some(ScoreMap { rows, cols, values }).filter(|covered| covered.max() > 0.0)
    }
}

/// Good photos that are enough to find out whether parts lie alike.
const ALIKE_BY: usize = 40;

/// What photos are laid over, when the good parts to learn from lie alike. Where orientation is free, those that come may lie otherwise.
pub(crate) fn aligner(
    eye: &Eye,
    examples: &[&InspectionExample],
    orientation: Orientation,
    seed: Seed,
) -> Result<Option<Aligner>, PipelineError> {
    if orientation == Orientation::Free {
        return Ok(None);
    }
    let mut good: Vec<&&InspectionExample> =
        examples.iter().filter(|example| example.verdict == Verdict::Good).collect();
    random::shuffle(&mut good, &mut seed.derive("aligner").rng());
    good.truncate(ALIKE_BY);
    let read = |example: &&&InspectionExample| {
        let bytes = eye.picture(&example.path).ok()?;
        Some(brightness(&eye.prepared(&eye.decode(&bytes).ok()?.0)))
    };
    let greys: Vec<Grey> = good.par_iter().filter_map(read).collect();
    let (aligner, correlation) = Aligner::fit(&greys)?;
    tracing::info!(correlation, alike = aligner.is_some(), "how alike good parts lie");
    Ok(aligner)
}

/// Looks at the photos to learn from. Good photos of another shape than those that lie alike are left out: stretched over the reference they
/// would teach that anything may be anywhere.
pub(crate) fn learned<'e>(
    eye: &Eye,
    aligner: Option<&Aligner>,
    examples: &[&'e InspectionExample],
    modality: Modality,
    run: &Run<'_>,
) -> Result<(Vec<Photo<'e>>, Vec<Problem>), PipelineError> {
    let (mut photos, mut problems) = look(eye, aligner, examples, run, |_, photo| Ok(photo))?;
    let Some(aligner) = aligner.filter(|_| modality == Modality::Image) else {
        return Ok((photos, problems));
    };
    let fits = |photo: &Photo<'_>| photo.is_defect() || has_shape(aligner, photo.seen.size);
    for photo in photos.iter().filter(|photo| !fits(photo)) {
        let kind = ProblemKind::OtherShape { size: photo.seen.size };
        let problem = Problem::in_file(kind, &photo.example.path);
        run.tell(Event::Problem(problem.clone()));
        problems.push(problem);
    }
    photos.retain(fits);
    Ok((photos, problems))
}

/// Why the headers of photos cannot be read.
pub(crate) fn unreadable(examples: &[&InspectionExample], canvas: Option<&Canvas>) -> Vec<Problem> {
    let why = |example: &&InspectionExample| {
        let read = depict(&example.path, canvas)
            .and_then(|drawn| prep::size(&drawn.bytes))
            .map_err(ProblemKind::from);
        Some(Problem::in_file(read.err()?, &example.path))
    };
    examples.iter().filter_map(why).collect()
}

/// Looks at every example named and keeps, in order, what `keep` makes of its number among them and its photo.
pub(crate) fn look<'e, T: Send>(
    eye: &Eye,
    aligner: Option<&Aligner>,
    examples: &[&'e InspectionExample],
    run: &Run<'_>,
    keep: impl Fn(usize, Photo<'e>) -> Result<T, PipelineError> + Sync,
) -> Result<(Vec<T>, Vec<Problem>), PipelineError> {
    let done = AtomicU64::new(0);
    let looked: Vec<(Result<T, Problem>, Vec<Problem>)> = examples
        .par_iter()
        .enumerate()
        .map(|(at, example)| {
            if run.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            let (photo, told) = photo(eye, aligner, example)?;
            let kept = match photo {
                Ok(photo) => Ok(keep(at, photo)?),
                Err(kind) => Err(Problem::in_file(kind, &example.path)),
            };
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            run.tell(Event::Progress { step: Step::Features, done, total: examples.len() as u64, cached: 0 });
            Ok((kept, told))
        })
        .collect::<Result<_, PipelineError>>()?;
    let mut kept = Vec::with_capacity(looked.len());
    let mut problems = Vec::new();
    for (photo, told) in looked {
        problems.extend(told);
        match photo {
            Ok(photo) => kept.push(photo),
            Err(problem) => problems.push(problem),
        }
    }
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    Ok((kept, problems))
}

/// One photo, or why it cannot be read; and what else is wrong with it or its mask.
fn photo<'e>(
    eye: &Eye,
    aligner: Option<&Aligner>,
    example: &'e InspectionExample,
) -> Result<(Result<Photo<'e>, ProblemKind>, Vec<Problem>), PipelineError> {
    let drawn = eye.depict(&example.path).and_then(|drawn| Ok((eye.decode(&drawn.bytes)?, drawn.damage)));
    let ((picture, is_brighter), damage) = match drawn.map_err(ProblemKind::from) {
        Ok(drawn) => drawn,
        Err(kind) => return Ok((Err(kind), Vec::new())),
    };
    let damage = damage.map(|kind| Problem::in_file(kind, &example.path));
    let bits = eye.depth().bits();
    let brighter =
        is_brighter.then(|| Problem::in_file(ProblemKind::BrighterThanLearned { bits }, &example.path));
    let (mask, problem) = match example.mask.as_ref().map(|path| (path, mask(path, picture.dimensions()))) {
        None => (None, None),
        Some((_, Ok(mask))) => (Some(Marking::from(&mask)), None),
        Some((path, Err(kind))) => (None, Some(Problem::in_file(kind, path))),
    };
    let told = problem.into_iter().chain(brighter).chain(damage).collect();
    match eye.see(&picture, aligner) {
        Ok(seen) => Ok((Ok(Photo { example, seen, turned: Vec::new(), mask }), told)),
        Err(SightError::Base(base::open::BaseError::Prep(error))) => Ok((Err(error.into()), told)),
        Err(error) => Err(error.into()),
    }
}

fn mask(path: &std::path::Path, size: (u32, u32)) -> Result<Mask, ProblemKind> {
    let bytes = std::fs::read(path).map_err(|error| ProblemKind::Unreadable { detail: error.to_string() })?;
    let mask = prep::decode_mask(&bytes).map_err(ProblemKind::from)?;
    mask.check(size)?;
    Ok(mask)
}
