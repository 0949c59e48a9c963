//! Asking a bundle of several senses, and measuring it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use base::open::{BaseError, Input};
use bundle::{Asked, BundleError, Prediction, SensesPredictor, Told, Verdict};
use dataset::{Content, Dataset, Example, ProblemKind, ReadOptions, Target};
use rayon::prelude::*;

use super::each::OneSense;
use super::whole;
use crate::held_out::{self, HeldOut};
use crate::journey::Labels;
use crate::predicting::{PredictedRow, input_of, left_out};
use crate::{Event, Home, PipelineError, Run, Step};

/// Predicts every row of the tables, in their order, by the columns that are named as the senses; then come those that could not be
/// read. A sense that is missing or cannot be read costs only that sense.
///
/// # Errors
/// [`PipelineError::Read`] when a table cannot be read or has none of the senses.
pub fn predict_senses(
    predictor: &SensesPredictor,
    paths: &[PathBuf],
    run: &Run<'_>,
) -> Result<Vec<PredictedRow>, PipelineError> {
    let senses = predictor.senses();
    let (examples, problems) = run.step(Step::Read, || Ok(dataset::read_senses(paths, &senses)?))?;
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    let done = AtomicU64::new(0);
    let total = examples.len() as u64;
    let mut rows: Vec<PredictedRow> = run.step(Step::Features, || {
        let one = |example: &Example| {
            if run.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            let row = predict_one(predictor, example, run)?;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            run.tell(Event::Progress { step: Step::Features, done, total, cached: 0 });
            Ok(row)
        };
        examples.par_iter().map(one).collect()
    })?;
    rows.extend(left_out(&problems));
    Ok(rows)
}

fn predict_one(
    predictor: &SensesPredictor,
    example: &Example,
    run: &Run<'_>,
) -> Result<PredictedRow, PipelineError> {
    let Content::Senses(there) = &example.content else { unreachable!("`read_senses` gives nothing else") };
    let mut unread = Vec::new();
    let mut inputs: Vec<Option<Input>> = Vec::new();
    for (sense, base) in predictor.senses().iter().zip(predictor.bases()) {
        let input = there.get(&sense.name).map(|content| input_of(content, base.modality()));
        inputs.push(match input {
            None => None,
            Some(Ok(input)) => Some(input),
            Some(Err(reason)) => {
                let reason = Box::new(reason);
                unread.push(ProblemKind::WithoutSense { sense: sense.name.clone(), reason });
                None
            }
        });
    }
    let Told { prediction, problems } = match predictor.predict(&inputs, run.cancel_flag()) {
        Err(BundleError::Base(BaseError::Stopped)) => return Err(PipelineError::Cancelled),
        told => told?,
    };
    let id = example.id.0.clone();
    unread.extend(problems);
    let nothing = prediction.senses.iter().all(|sense| !sense.present);
    // With nothing to look at, the shares of the classes are no answer.
    let prediction = (!nothing).then_some(prediction);
    let mut problems = unread.into_iter();
    let problem = problems.next();
    Ok(PredictedRow { id, seconds: None, prediction, problem, more_problems: problems.collect() })
}

/// Measures a bundle of several senses on a labelled table. Classes are matched by name.
///
/// # Errors
/// Those of reading, and [`PipelineError::OtherTask`] for data with another kind of label.
pub fn evaluate_senses(
    home: &Home,
    predictor: &SensesPredictor,
    data: &Path,
    read: &ReadOptions,
    run: &Run<'_>,
) -> Result<HeldOut, PipelineError> {
    let senses = predictor.senses();
    let (data, mut problems) =
        run.step(Step::Read, || Ok(dataset::read_held_out_senses(data, &senses, read)?))?;
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    let mut data = held_out::with_classes_of(data, &predictor.bundle().manifest.task)?;
    data.examples.retain(|example| example.target != Target::Unlabelled);
    if data.examples.is_empty() {
        return Err(PipelineError::NoLabels { n_examples: 0 });
    }
    let each = looked_at(home, predictor, &data, run)?;
    problems.extend(each.iter().flat_map(|sense| sense.table.problems.iter().cloned()));
    // Without any sense there is nothing to be right about.
    let rows = whole::seen(&each);
    let measured = run.step(Step::Evaluate, || measure(predictor, &data, &rows, &each))?;
    let known = predictor.bundle().manifest.task.outputs();
    let unknown_classes = data.classes().iter().filter(|class| !known.contains(class)).cloned().collect();
    Ok(HeldOut { problems, unknown_classes, ..measured })
}

/// What each sense that a bundle knows sees of a data set. A column that nobody filled in is missing everywhere, and so is one of
/// which nothing can be read.
///
/// # Errors
/// When columns are filled in and not one can be read; when the machine or the person is why one cannot.
pub(crate) fn looked_at(
    home: &Home,
    predictor: &SensesPredictor,
    data: &Dataset,
    run: &Run<'_>,
) -> Result<Vec<OneSense>, PipelineError> {
    let (mut each, mut first) = (Vec::new(), None);
    for (sense, base) in predictor.senses().iter().zip(predictor.bases()) {
        if data.of_sense(sense).1.is_empty() {
            continue;
        }
        match OneSense::on(home, base.clone(), data, sense, run) {
            Ok(one) => each.push(one),
            Err(PipelineError::Sense { source, .. }) => {
                first.get_or_insert(*source);
            }
            Err(error) => return Err(error),
        }
    }
    match first {
        Some(error) if each.is_empty() => Err(error),
        _ => Ok(each),
    }
}

/// Measures on these examples, by the features of their senses.
pub(super) fn measure(
    predictor: &SensesPredictor,
    data: &Dataset,
    examples: &[usize],
    senses: &[OneSense],
) -> Result<HeldOut, PipelineError> {
    let predictions = ask(predictor, data, examples, senses)?;
    let sure: Vec<bool> = predictions
        .iter()
        .map(|prediction| matches!(prediction.verdict, Verdict::Answered | Verdict::Unproven))
        .collect();
    let probs: Vec<Vec<f64>> = predictions.into_iter().map(|prediction| prediction.probs).collect();
    let targets: Vec<Target> =
        examples.iter().map(|example| data.examples[*example].target.clone()).collect();
    Ok(held_out::measure(&Labels::of(&targets, &data.task), &probs, &sure, data.classes().len()))
}

/// Asks about these examples, by the features of their senses.
pub(crate) fn ask(
    predictor: &SensesPredictor,
    data: &Dataset,
    examples: &[usize],
    senses: &[OneSense],
) -> Result<Vec<Prediction>, PipelineError> {
    let names = predictor.senses();
    let of = |name: &str| senses.iter().find(|sense| sense.sense.name == name);
    let rows: Vec<Option<Vec<Option<usize>>>> =
        names.iter().map(|sense| of(&sense.name).map(|sense| sense.rows(data.examples.len()))).collect();
    let one = |example: &usize| {
        let features: Vec<Option<(Vec<f32>, Option<&str>)>> = names
            .iter()
            .zip(&rows)
            .map(|(sense, rows)| {
                let row = rows.as_ref().and_then(|rows| rows[*example])?;
                Some(of(&sense.name)?.features(row))
            })
            .collect();
        let asked: Vec<Option<Asked<'_>>> = features
            .iter()
            .map(|known| known.as_ref().map(|(features, text)| Asked { features, text: *text }))
            .collect();
        Ok(predictor.predict_features(&asked)?)
    };
    examples.par_iter().map(one).collect()
}
