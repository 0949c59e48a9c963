//! Photos of a set as an inspector sees them; what cannot be read is left out and told.

use std::sync::atomic::{AtomicU64, Ordering};

use base::prep::{self, Mask};
use bundle::inspection::{Eye, Good, ScoreMap, Seen, SightError, brightness, lay_mask};
use dataset::{InspectionExample, Problem, ProblemKind, Verdict};
use evaluate::inspect::{Plane, find_regions};
use linalg::{Seed, random};
use rayon::prelude::*;
use tune::detect::{Aligner, Grey};

use super::marking::Marking;
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

/// Pixels of the smallest region of a mask that is meant: fewer are crumbs of a soft edge.
const LEAST_AREA: usize = 9;

/// Good photos that are enough to find out whether parts lie alike.
const ALIKE_BY: usize = 40;

/// What photos are laid over, when the good parts to learn from lie alike.
pub(crate) fn aligner(
    eye: &Eye,
    examples: &[&InspectionExample],
    seed: Seed,
) -> Result<Option<Aligner>, PipelineError> {
    let mut good: Vec<&&InspectionExample> =
        examples.iter().filter(|example| example.verdict == Verdict::Good).collect();
    random::shuffle(&mut good, &mut seed.derive("aligner").rng());
    good.truncate(ALIKE_BY);
    let read = |example: &&&InspectionExample| {
        let bytes = std::fs::read(&example.path).ok()?;
        Some(brightness(&eye.prepared(&prep::decode(&bytes).ok()?)))
    };
    let greys: Vec<Grey> = good.par_iter().filter_map(read).collect();
    let (aligner, correlation) = Aligner::fit(&greys)?;
    tracing::info!(correlation, alike = aligner.is_some(), "how alike good parts lie");
    Ok(aligner)
}

/// The sizes of the photos whose headers can be read.
pub(crate) fn sizes(examples: &[&InspectionExample]) -> Vec<(u32, u32)> {
    let size = |example: &&InspectionExample| prep::size(&std::fs::read(&example.path).ok()?).ok();
    examples.par_iter().filter_map(size).collect()
}

/// Side in pixels of a small marked defect: a tenth of them are smaller. Masks that cannot be read are told of later.
pub(crate) fn smallest_marked(examples: &[&InspectionExample]) -> Option<f64> {
    let of_mask = |example: &&InspectionExample| -> Vec<f64> {
        let bytes = example.mask.as_ref().and_then(|path| std::fs::read(path).ok());
        let Some(mask) = bytes.and_then(|bytes| prep::decode_mask(&bytes).ok()) else { return Vec::new() };
        let plane = Plane::new(mask.height as usize, mask.width as usize, &mask.inside);
        let regions = plane.map(|plane| find_regions(plane).list().to_vec()).unwrap_or_default();
        let areas = regions.iter().map(|region| region.area).filter(|area| *area >= LEAST_AREA);
        areas.map(|area| (area as f64).sqrt()).collect()
    };
    let mut sides: Vec<f64> = examples.par_iter().flat_map_iter(of_mask).collect();
    sides.sort_by(f64::total_cmp);
    sides.get(sides.len() / 10).copied()
}

/// Why the headers of photos cannot be read.
pub(crate) fn unreadable(examples: &[&InspectionExample]) -> Vec<Problem> {
    let why = |example: &&InspectionExample| {
        let read = std::fs::read(&example.path)
            .map_err(|error| ProblemKind::Unreadable { detail: error.to_string() })
            .and_then(|bytes| prep::size(&bytes).map_err(ProblemKind::from));
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
    let looked: Vec<(Result<T, Problem>, Option<Problem>)> = examples
        .par_iter()
        .enumerate()
        .map(|(at, example)| {
            if run.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            let (photo, problem) = photo(eye, aligner, example)?;
            let kept = match photo {
                Ok(photo) => Ok(keep(at, photo)?),
                Err(kind) => Err(Problem::in_file(kind, &example.path)),
            };
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            run.tell(Event::Progress { step: Step::Features, done, total: examples.len() as u64, cached: 0 });
            Ok((kept, problem))
        })
        .collect::<Result<_, PipelineError>>()?;
    let mut kept = Vec::with_capacity(looked.len());
    let mut problems = Vec::new();
    for (photo, mask) in looked {
        problems.extend(mask);
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

/// One photo, or why it cannot be read; and what is wrong with its mask.
fn photo<'e>(
    eye: &Eye,
    aligner: Option<&Aligner>,
    example: &'e InspectionExample,
) -> Result<(Result<Photo<'e>, ProblemKind>, Option<Problem>), PipelineError> {
    let picture = std::fs::read(&example.path)
        .map_err(|error| ProblemKind::Unreadable { detail: error.to_string() })
        .and_then(|bytes| prep::decode(&bytes).map_err(ProblemKind::from));
    let picture = match picture {
        Ok(picture) => picture,
        Err(kind) => return Ok((Err(kind), None)),
    };
    let (mask, problem) = match example.mask.as_ref().map(|path| (path, mask(path, picture.dimensions()))) {
        None => (None, None),
        Some((_, Ok(mask))) => (Some(Marking::from(&mask)), None),
        Some((path, Err(kind))) => (None, Some(Problem::in_file(kind, path))),
    };
    match eye.see(&picture, aligner) {
        Ok(seen) => Ok((Ok(Photo { example, seen, turned: Vec::new(), mask }), problem)),
        Err(SightError::Base(base::open::BaseError::Prep(error))) => Ok((Err(error.into()), problem)),
        Err(error) => Err(error.into()),
    }
}

fn mask(path: &std::path::Path, size: (u32, u32)) -> Result<Mask, ProblemKind> {
    let bytes = std::fs::read(path).map_err(|error| ProblemKind::Unreadable { detail: error.to_string() })?;
    let mask = prep::decode_mask(&bytes).map_err(ProblemKind::from)?;
    mask.check(size)?;
    Ok(mask)
}
