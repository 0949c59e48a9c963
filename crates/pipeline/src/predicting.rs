//! Asking a bundle about new files and texts.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use base::open::{BaseError, Input};
use base::sound::piece;
use bundle::{BundleError, Prediction, Predictor};
use dataset::{Content, Example, Modality, Problem, ProblemKind, ReadOptions};
use rayon::prelude::*;
use serde::Serialize;

use crate::pieces;
use crate::{Event, PipelineError, Run, Step};

/// One answer, or why there is none.
#[derive(Debug, Clone, Serialize)]
pub struct PredictedRow {
    /// The file, or file and row.
    pub id: String,
    /// From when to when, in seconds, of one of the pieces that a longer sound was looked through in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<[f64; 2]>,
    /// The answer with its evidence; absent when the example could not be read.
    pub prediction: Option<Prediction>,
    /// What was wrong with the example.
    pub problem: Option<ProblemKind>,
    /// What else was wrong with it: each sense may have something of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_problems: Vec<ProblemKind>,
}

impl PredictedRow {
    /// A row without an answer.
    pub(crate) fn unread(id: String, problem: ProblemKind) -> Self {
        Self { id, seconds: None, prediction: None, problem: Some(problem), more_problems: Vec::new() }
    }
}

/// Predicts every example behind the paths, in their order; then come those that could not even be read.
///
/// # Errors
/// [`PipelineError::OtherModality`] when not one of the examples is of the kind that the bundle takes. A single one that is
/// not, or that is damaged, has a problem in its row and stops nothing.
pub fn predict(
    predictor: &Predictor,
    paths: &[PathBuf],
    read: &ReadOptions,
    run: &Run<'_>,
) -> Result<Vec<PredictedRow>, PipelineError> {
    let read = ReadOptions { wanted: Some(predictor.base().modality()), ..read.clone() };
    let (examples, problems) = run.step(Step::Read, || Ok(dataset::read_unlabelled(paths, &read)?))?;
    predict_read(predictor, &examples, &problems, run)
}

/// Predicts one text a line; `name` stands for the source in ids. See [`predict`].
pub fn predict_lines(
    predictor: &Predictor,
    name: &str,
    bytes: &[u8],
    run: &Run<'_>,
) -> Result<Vec<PredictedRow>, PipelineError> {
    let (examples, problems) = dataset::read_lines(name, bytes);
    predict_read(predictor, &examples, &problems, run)
}

fn predict_read(
    predictor: &Predictor,
    examples: &[Example],
    problems: &[Problem],
    run: &Run<'_>,
) -> Result<Vec<PredictedRow>, PipelineError> {
    for problem in problems {
        run.tell(Event::Problem(problem.clone()));
    }
    check_modality(predictor, examples)?;
    let mut rows = predict_examples(predictor, examples, run)?;
    rows.extend(left_out(problems));
    Ok(rows)
}

/// A row for everything that could not even be read.
pub(crate) fn left_out(problems: &[Problem]) -> impl Iterator<Item = PredictedRow> + '_ {
    let left_out = problems.iter().filter(|problem| problem.kind.leaves_out());
    left_out.map(|problem| PredictedRow::unread(problem.place(), problem.kind.clone()))
}

fn check_modality(predictor: &Predictor, examples: &[Example]) -> Result<(), PipelineError> {
    let takes = predictor.base().modality();
    match examples.first() {
        Some(first) if examples.iter().all(|example| example.content.modality() != takes) => {
            let base = predictor.base().id().to_owned();
            Err(PipelineError::OtherModality { base, takes, got: first.content.modality() })
        }
        _ => Ok(()),
    }
}

fn predict_examples(
    predictor: &Predictor,
    examples: &[Example],
    run: &Run<'_>,
) -> Result<Vec<PredictedRow>, PipelineError> {
    let done = AtomicU64::new(0);
    let rows: Vec<Vec<PredictedRow>> = run.step(Step::Features, || {
        examples
            .par_iter()
            .map(|example| {
                if run.is_cancelled() {
                    return Err(PipelineError::Cancelled);
                }
                let rows = predict_rows(predictor, example, run)?;
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                let total = examples.len() as u64;
                run.tell(Event::Progress { step: Step::Features, done, total, cached: 0 });
                Ok(rows)
            })
            .collect::<Result<_, PipelineError>>()
    })?;
    Ok(rows.concat())
}

/// The row of an example; of a sound that is longer than the pieces that were learned from, a row for each stretch with one answer.
fn predict_rows(
    predictor: &Predictor,
    example: &Example,
    run: &Run<'_>,
) -> Result<Vec<PredictedRow>, PipelineError> {
    let pieces = predictor.bundle().manifest.piece_seconds;
    if let (Content::Sound(path), Some(seconds)) = (&example.content, pieces) {
        match pieces::rows(predictor, &example.id.0, path, seconds, run) {
            // What cannot be read is told as of any other example.
            Ok(None) | Err(PipelineError::Bundle(BundleError::Base(BaseError::Prep(_)))) => {}
            Ok(Some(rows)) => return Ok(rows),
            Err(error) => return Err(error),
        }
    }
    Ok(vec![predict_one(predictor, example, run)?])
}

fn predict_one(
    predictor: &Predictor,
    example: &Example,
    run: &Run<'_>,
) -> Result<PredictedRow, PipelineError> {
    let id = example.id.0.clone();
    let takes = predictor.base().modality();
    let input = match &example.content {
        Content::Piece(path, span) => {
            piece(path, *span).map(|piece| (Input::Sound(piece.bytes), piece.damage)).map_err(Into::into)
        }
        content => input_of(content, takes).map(|input| (input, None)),
    };
    let (input, lacking) = match input {
        Ok(input) => input,
        Err(kind) => return Ok(PredictedRow::unread(id, kind)),
    };
    match predictor.predict_until(&input, run.cancel_flag()) {
        Ok((prediction, damage)) => {
            let problem = damage.or(lacking).map(|detail| ProblemKind::damaged(takes, detail));
            let more_problems = Vec::new();
            Ok(PredictedRow { id, seconds: None, prediction: Some(prediction), problem, more_problems })
        }
        Err(BundleError::Base(BaseError::Prep(error))) => Ok(PredictedRow::unread(id, error.into())),
        Err(BundleError::Base(BaseError::Stopped)) => Err(PipelineError::Cancelled),
        Err(error) => Err(error.into()),
    }
}

/// What a base that takes this kind of input is asked about.
pub(crate) fn input_of(content: &Content, takes: Modality) -> Result<Input, ProblemKind> {
    Ok(match content {
        Content::Text(text) => Input::Text(text.clone()),
        Content::Sound(path) => Input::SoundFile(path.clone()),
        Content::Piece(path, span) => Input::Sound(piece(path, *span)?.bytes),
        Content::Video(path) => Input::VideoFile(path.clone()),
        Content::Series(path) => Input::SeriesFile(path.clone()),
        Content::Senses(_) => return Err(ProblemKind::OtherKind { takes: takes.to_string() }),
        // A GIF is a picture by its name, and a clip to whom watches.
        Content::Image(path) if takes == Modality::Video => Input::VideoFile(path.clone()),
        Content::Image(path) => Input::Image(
            std::fs::read(path).map_err(|error| ProblemKind::Unreadable { detail: error.to_string() })?,
        ),
    })
}
