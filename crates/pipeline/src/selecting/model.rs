//! The model whose doubts say what to label: a bundle that was given, or one fitted on the labels there are.

use std::collections::BTreeSet;

use bundle::{Answer, Prediction, TaskReference};
use dataset::{ClassIdx, Dataset, Example, Target, Task};
use evaluate::{Calibration, LearningCurve};
use linalg::{Matrix, Seed};
use rayon::prelude::*;
use tune::{TuneConfig, TuneError, Tuned};

use super::{Outlook, reasons};
use crate::assess;
use crate::audit;
use crate::features::Table;
use crate::journey::Lesson;
use crate::report::Sentence;
use crate::{PipelineError, Run, Step};

/// Labels of each class, on the mean, from which on a model says more than the labels' places.
const ENOUGH: usize = 2;

/// What is said about every example.
#[derive(Debug)]
pub(super) struct Model {
    classes: Vec<String>,
    /// `[n, k]`; absent where nothing can be said.
    probs: Option<Matrix<f64>>,
    /// Whether every class has a probability of its own, not one of all.
    is_multi_label: bool,
    fitted: Option<Box<(Lesson, Tuned)>>,
    caution: Option<Sentence>,
}

impl Model {
    /// What a bundle says of every example.
    pub(super) fn given(task: &TaskReference, answers: Vec<Prediction>) -> Self {
        let is_number = answers.iter().any(|answer| matches!(answer.answer, Answer::Number { .. }));
        let is_multi_label = answers.iter().any(|answer| matches!(answer.answer, Answer::Labels { .. }));
        let rows: Vec<Vec<f64>> = answers.into_iter().map(|answer| answer.probs).collect();
        Self {
            classes: task.outputs().to_vec(),
            probs: (!is_number).then(|| Matrix::from_rows(&rows)),
            is_multi_label,
            fitted: None,
            caution: is_number.then(reasons::numbers_have_no_doubts),
        }
    }

    /// What the labels of the table teach, where they are enough.
    pub(super) fn of_labels(table: &Table, seed: Seed, run: &Run<'_>) -> Result<Self, PipelineError> {
        let known = labelled(table);
        let n_classes = known.data.classes().len();
        let enough = n_classes >= 2 && known.data.examples.len() >= ENOUGH * n_classes;
        let is_single_label = matches!(table.data.task, Task::SingleLabel { .. });
        let mut model = Self {
            classes: known.data.classes().to_vec(),
            probs: None,
            is_multi_label: false,
            fitted: None,
            caution: None,
        };
        if known.data.examples.is_empty() {
            return Ok(model);
        }
        if !is_single_label || !enough {
            model.caution = Some(reasons::labels_teach_nothing(is_single_label));
            return Ok(model);
        }
        let relations = audit::relations(&known, run)?;
        let lesson = Lesson::new(&known, &relations);
        let config = TuneConfig::default().check().expect("the defaults are in range");
        let tuned =
            run.step(Step::Tune, || match tune::tune(lesson.input(), &config, seed, run.cancel_flag()) {
                Err(TuneError::Cancelled) => Err(PipelineError::Cancelled),
                tuned => Ok(tuned?),
            })?;
        model.probs = Some(said_of_all(table, &lesson, &tuned));
        model.fitted = Some(Box::new((lesson, tuned)));
        Ok(model)
    }

    /// The number of classes, where some are known.
    pub(super) fn n_classes(&self) -> Option<usize> {
        (!self.classes.is_empty()).then_some(self.classes.len())
    }

    /// `[n]`: how far the first class leads; of several labels an example, how far the most doubtful is from one half.
    pub(super) fn margins(&self) -> Option<Vec<f64>> {
        let margin = |probs: &[f64]| {
            if self.is_multi_label {
                return probs.iter().map(|p| (2.0 * p - 1.0).abs()).fold(1.0, f64::min);
            }
            let (first, second) = two_largest(probs);
            (probs[first] - second.map_or(0.0, |second| probs[second])).clamp(0.0, 1.0)
        };
        Some(self.probs.as_ref()?.iter_rows().map(margin).collect())
    }

    /// The two classes that are most probable, of which there can be only one.
    pub(super) fn between(&self, row: usize) -> Option<[(String, f64); 2]> {
        let probs = self.probs.as_ref()?.row(row);
        let (first, second) = two_largest(probs);
        let of = |class: usize| (self.classes[class].clone(), probs[class]);
        if self.is_multi_label { None } else { Some([of(first), of(second?)]) }
    }

    /// What more labels would bring, from what is labelled.
    pub(super) fn outlook(&self, worth: f64, seed: Seed) -> Option<Outlook> {
        let (lesson, tuned) = &**self.fitted.as_ref()?;
        let curve = LearningCurve::fit(&assess::curve_draws(lesson, tuned, seed), seed)?;
        Outlook::of(&curve, lesson.rows.len(), worth)
    }

    pub(super) fn cautions(&self) -> Vec<Sentence> {
        self.caution.iter().cloned().collect()
    }
}

/// The labelled examples alone.
fn labelled(table: &Table) -> Table {
    let examples = &table.data.examples;
    let rows: Vec<usize> =
        (0..examples.len()).filter(|row| examples[*row].target != Target::Unlabelled).collect();
    let mut labelled = table.only(&rows);
    keep_met_classes(&mut labelled.data);
    labelled
}

/// Numbers the classes anew: one that only the test part has, or what could not be read, cannot be learned.
fn keep_met_classes(data: &mut Dataset) {
    let Task::SingleLabel { classes } = &mut data.task else { return };
    let class = |target: &Target| if let Target::Class(class) = target { Some(*class) } else { None };
    let met: BTreeSet<ClassIdx> = data.examples.iter().filter_map(|example| class(&example.target)).collect();
    let met: Vec<ClassIdx> = met.into_iter().collect();
    *classes = met.iter().map(|class| classes[class.0 as usize].clone()).collect();
    for Example { target, .. } in &mut data.examples {
        if let Target::Class(class) = target {
            let place = met.binary_search(class).expect("every class that was met is listed");
            *class = ClassIdx(u32::try_from(place).expect("there are no more classes than before"));
        }
    }
}

/// Calibrated probabilities of every row of the table.
fn said_of_all(table: &Table, lesson: &Lesson, tuned: &Tuned) -> Matrix<f64> {
    let labels = lesson.single_labels();
    let rows: Vec<u32> = tuned.validated.iter().map(|row| labels[*row]).collect();
    let outputs = tuned.oof_outputs.select_rows(&tuned.validated);
    let calibration = Calibration::temperature(outputs.view(), &rows);
    let of = |row: usize| calibration.probs(&table.logits(&tuned.head, row));
    let probs: Vec<Vec<f64>> = (0..table.data.examples.len()).into_par_iter().map(of).collect();
    Matrix::from_rows(&probs)
}

/// The places of the largest value and of the next one; of equal ones the first.
fn two_largest(values: &[f64]) -> (usize, Option<usize>) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]).then(a.cmp(b)));
    (order[0], order.get(1).copied())
}
