//! Asking an inspector about new photos, and measuring it on a set it has not seen.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bundle::BundleError;
use bundle::inspection::{Inspected, InspectionPredictor, Looked, Odd};
use dataset::{Content, Example, Modality, ProblemKind, ReadOptions};
use image::RgbImage;
use rayon::prelude::*;
use serde::Serialize;

use crate::inspect::OfKind;
use crate::report::Sentence;
use crate::report::inspection::{HeatMap, heat_overlay};
use crate::{Event, PipelineError, Run, Step};

/// What the names of drawn pictures end with: the heat map over the photo, and its values.
pub const DRAWN: [&str; 2] = [".heat.png", ".map.png"];

/// What was found on one photo, or why there is nothing.
#[derive(Debug, Clone, Serialize)]
pub struct InspectedRow {
    /// The file, or file and row.
    pub id: String,
    /// What was found; absent when the photo could not be read.
    pub found: Option<Inspected>,
    /// What was wrong with it; something may have been found all the same.
    pub problem: Option<ProblemKind>,
    /// Width and height in pixels; absent when it could not be read.
    pub size: Option<(u32, u32)>,
}

/// Inspects every photo behind the paths, in their order; then come those that could not even be read.
///
/// `drawn` gets each photo with its map, to keep a picture of them or not; neither is kept here. Pictures that
/// [`DRAWN`] names are not looked at in the folder `but`: they were drawn before.
///
/// # Errors
/// [`PipelineError::OtherModality`] when all are texts; what `drawn` gives.
pub fn inspect_photos(
    predictor: &InspectionPredictor,
    paths: &[PathBuf],
    read: &ReadOptions,
    but: Option<&Path>,
    run: &Run<'_>,
    drawn: &(dyn Fn(&str, &Looked) -> Result<(), PipelineError> + Sync),
) -> Result<Vec<InspectedRow>, PipelineError> {
    let wanted = match predictor.bundle().manifest.base.modality.as_str() {
        "sound" => Modality::Sound,
        "video" => Modality::Video,
        "series" => Modality::Series,
        _ => Modality::Image,
    };
    let read = ReadOptions { wanted: Some(wanted), ..read.clone() };
    let (mut examples, problems) = run.step(Step::Read, || Ok(dataset::read_unlabelled(paths, &read)?))?;
    // Of a folder that is not there yet nothing was read.
    if let Some(but) = but.and_then(|but| but.canonicalize().ok()) {
        let lies_there = |path: &Path| path.canonicalize().is_ok_and(|path| path.starts_with(&but));
        examples.retain(|Example { origin, .. }| !is_drawn(&origin.path) || !lies_there(&origin.path));
    }
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    let done = AtomicU64::new(0);
    let mut rows: Vec<InspectedRow> = run.step(Step::Features, || {
        examples
            .par_iter()
            .map(|example| {
                if run.is_cancelled() {
                    return Err(PipelineError::Cancelled);
                }
                let row = inspect_one(predictor, example, run, drawn)?;
                let (done, total) = (done.fetch_add(1, Ordering::Relaxed) + 1, examples.len() as u64);
                run.tell(Event::Progress { step: Step::Features, done, total, cached: 0 });
                Ok(row)
            })
            .collect()
    })?;
    let left_out = problems.iter().filter(|problem| problem.kind.leaves_out());
    rows.extend(left_out.map(|problem| failed(problem.place(), problem.kind.clone())));
    Ok(rows)
}

fn failed(id: String, kind: ProblemKind) -> InspectedRow {
    InspectedRow { id, found: None, problem: Some(kind), size: None }
}

/// Whether a file is called as a picture that was drawn of another file. A camera may call its own `0001.heat.png`.
fn is_drawn(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let of = DRAWN.iter().find_map(|end| name.strip_suffix(end));
    of.is_some_and(|of| dataset::read::modality_of_file(Path::new(of)).is_some())
}

fn inspect_one(
    predictor: &InspectionPredictor,
    example: &Example,
    run: &Run<'_>,
    drawn: &(dyn Fn(&str, &Looked) -> Result<(), PipelineError> + Sync),
) -> Result<InspectedRow, PipelineError> {
    let id = example.id.0.clone();
    if let Content::Piece(..) = example.content {
        return Ok(failed(id, ProblemKind::PieceOfSound));
    }
    let takes = &predictor.bundle().manifest.base.modality;
    let Some(path) = example.content.file().filter(|_| example.content.modality().to_string() == *takes)
    else {
        let takes = match takes.as_str() {
            "sound" => "sounds",
            "video" => "videos",
            "series" => "series",
            _ => "pictures",
        };
        return Ok(failed(id, ProblemKind::OtherKind { takes: takes.to_owned() }));
    };
    let drawing = match predictor.eye().depict(path) {
        Ok(drawing) => drawing,
        Err(error) => return Ok(failed(id, error.into())),
    };
    // A stop may have reached the program that decodes a video as well, which then ended early.
    if run.is_cancelled() {
        return Err(PipelineError::Cancelled);
    }
    match predictor.inspect(&drawing.bytes) {
        Ok(looked) => {
            drawn(&id, &looked)?;
            let size = Some(looked.photo.dimensions());
            let problem = odd(predictor, &looked).or(drawing.damage);
            Ok(InspectedRow { id, found: Some(looked.found), problem, size })
        }
        Err(BundleError::Base(base::open::BaseError::Prep(error))) => Ok(failed(id, error.into())),
        Err(error) => Err(error.into()),
    }
}

/// What is odd about a photo that was looked at all the same: the worst of it.
pub fn odd(predictor: &InspectionPredictor, looked: &Looked) -> Option<ProblemKind> {
    let bits = predictor.bundle().inspector.sight.depth.bits();
    Some(match *looked.odd.first()? {
        Odd::Blank => ProblemKind::Blank,
        Odd::OtherSize { side } => ProblemKind::OtherSize { size: looked.photo.dimensions(), side },
        Odd::OtherShape => ProblemKind::OtherShape { size: looked.photo.dimensions() },
        Odd::Outside { percent } => ProblemKind::OutsideReference { percent },
        Odd::Brighter => ProblemKind::BrighterThanLearned { bits },
    })
}

/// The photo in grey with its suspicion over it: colours begin at what good parts show and end above the mark.
pub fn heat_picture(looked: &Looked, mark: f32) -> RgbImage {
    let map = &looked.map;
    match HeatMap::new(map.rows, map.cols, &map.values) {
        Some(heat) => heat_overlay(&looked.photo, heat, heat_range(mark)),
        None => looked.photo.clone(),
    }
}

/// Suspicion at which colours begin, and at which they are full, in units of good patches.
pub(crate) fn heat_range(mark: f32) -> (f32, f32) {
    (1.0, (1.5 * mark).max(2.0))
}

/// What was measured of an inspector: metrics, and the share found of each kind of defect.
#[derive(Debug, Clone, Serialize)]
pub struct InspectorMeasures {
    /// In the order to be shown.
    pub metrics: Vec<bundle::Measured>,
    /// By kind of defect.
    pub kinds: Vec<OfKind>,
    /// Good photos that were measured.
    pub n_good: usize,
    /// Photos with defects that were measured.
    pub n_defects: usize,
    /// Photos that were left out: the inspector learned from them, or they are there to learn from beside a test part.
    pub n_left_out: usize,
    /// The layout of the set.
    pub layout: String,
    /// What was taken for good and what for a defect, and why.
    pub why: String,
    /// Both, in both languages.
    #[serde(skip)]
    pub taken: Sentence,
}

/// Measures an inspector on a set with verdicts: its test part; where there is none, all of it; without what it learned from.
///
/// # Errors
/// [`PipelineError::LearnedFrom`] when it learned from all of that.
pub fn measure_inspector(
    predictor: &InspectionPredictor,
    data: &Path,
    read: &dataset::InspectionOptions,
    run: &Run<'_>,
) -> Result<InspectorMeasures, PipelineError> {
    crate::inspect::measure_unseen(predictor, data, read, run)
}
