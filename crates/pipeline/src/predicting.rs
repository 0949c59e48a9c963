//! Asking a bundle about new files and texts.

use std::path::PathBuf;

use base::open::{BaseError, Input};
use bundle::{BundleError, Prediction, Predictor};
use dataset::{Content, Example, Problem, ReadOptions};
use rayon::prelude::*;
use serde::Serialize;

use crate::{Event, PipelineError, Run, Step};

/// One answer.
#[derive(Debug, Clone, Serialize)]
pub struct PredictedRow {
    /// The file, or file and row.
    pub id: String,
    /// The answer with its evidence; absent when the example could not be read.
    pub prediction: Option<Prediction>,
    /// What was wrong with the example.
    pub problem: Option<String>,
}

/// Predicts every example behind the paths, in their order. Examples that cannot be read give a problem, not a stop.
pub fn predict(
    predictor: &Predictor,
    paths: &[PathBuf],
    read: &ReadOptions,
    run: &Run<'_>,
) -> Result<(Vec<PredictedRow>, Vec<Problem>), PipelineError> {
    let (examples, problems) = run.step(Step::Read, || Ok(dataset::read_unlabelled(paths, read)?))?;
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    let rows = predict_examples(predictor, &examples, run)?;
    Ok((rows, problems))
}

fn predict_examples(
    predictor: &Predictor,
    examples: &[Example],
    run: &Run<'_>,
) -> Result<Vec<PredictedRow>, PipelineError> {
    let done = std::sync::atomic::AtomicU64::new(0);
    run.step(Step::Features, || {
        examples
            .par_iter()
            .map(|example| {
                if run.is_cancelled() {
                    return Err(PipelineError::Cancelled);
                }
                let row = predict_one(predictor, example)?;
                let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                run.tell(Event::Progress {
                    step: Step::Features,
                    done,
                    total: examples.len() as u64,
                    cached: 0,
                });
                Ok(row)
            })
            .collect()
    })
}

fn predict_one(predictor: &Predictor, example: &Example) -> Result<PredictedRow, PipelineError> {
    let id = example.id.0.clone();
    let input = match &example.content {
        Content::Text(text) => Input::Text(text.clone()),
        Content::Image(path) => match std::fs::read(path) {
            Ok(bytes) => Input::Image(bytes),
            Err(error) => return Ok(PredictedRow { id, prediction: None, problem: Some(error.to_string()) }),
        },
    };
    match predictor.predict(&input) {
        Ok(prediction) => Ok(PredictedRow { id, prediction: Some(prediction), problem: None }),
        Err(BundleError::Base(BaseError::Prep(error))) => {
            Ok(PredictedRow { id, prediction: None, problem: Some(error.to_string()) })
        }
        Err(error) => Err(error.into()),
    }
}
