//! Measuring on examples that were never learned from: a declared test part, or any labelled data afterwards.

use std::path::Path;

use bundle::{Predictor, TaskReference, Verdict};
use dataset::split::parts;
use dataset::{Dataset, Example, Problem, ReadOptions, Target, Task};
use evaluate::{Estimate, metrics};
use linalg::Seed;
use serde::Serialize;
use tune::Tuned;

use crate::assess::{
    Assessment, argmax, label_probs, multi_label_measures, number_measures, predicted_labels,
};
use crate::features::{self, Table};
use crate::journey::Labels;
use crate::report::Measure;
use crate::{Event, Home, PipelineError, Run, Step};

/// What was measured on held-out examples.
#[derive(Debug, Clone, Serialize)]
pub struct HeldOut {
    /// The headline first.
    pub measures: Vec<Measure>,
    /// `[given][predicted]`; empty unless single-label.
    pub confusion: Vec<Vec<u64>>,
    /// Recall per class; empty for numbers.
    pub recall: Vec<Estimate>,
    /// Share of the examples that got an answer, and the accuracy among those; absent unless single-label.
    pub answered: Option<(Estimate, Estimate)>,
    /// Classes of the data that the bundle does not know; their examples count as missed.
    pub unknown_classes: Vec<String>,
    /// How many examples there were.
    pub n: usize,
    /// What could not be read.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

/// Measures on the test part that the data set declares; `None` when it declares none.
pub(crate) fn on_test_part(table: &Table, tuned: &Tuned, assessment: &Assessment) -> Option<HeldOut> {
    let (_, test) = parts(&table.data);
    if test.is_empty() {
        return None;
    }
    let outputs: Vec<Vec<f64>> = test.rows().iter().map(|row| table.logits(&tuned.head, *row)).collect();
    let targets: Vec<Target> = test.examples().map(|example| example.target.clone()).collect();
    let probs: Vec<Vec<f64>> = match &table.data.task {
        Task::SingleLabel { .. } => {
            outputs.iter().map(|outputs| assessment.calibration[0].probs(outputs)).collect()
        }
        Task::MultiLabel { .. } => {
            outputs.iter().map(|outputs| label_probs(outputs, &assessment.calibration)).collect()
        }
        Task::Regression { .. } => outputs.clone(),
    };
    let threshold = assessment.reject.as_ref().map_or(0.0, |rule| rule.threshold);
    let sure: Vec<bool> = probs.iter().map(|probs| probs[argmax(probs) as usize] >= threshold).collect();
    Some(measure(&Labels::of(&targets, &table.data.task), &probs, &sure, table.data.classes().len()))
}

/// Measures a bundle on labelled data. Classes are matched by name.
pub fn evaluate(
    home: &Home,
    predictor: &Predictor,
    data: &Path,
    read: &ReadOptions,
    run: &Run<'_>,
) -> Result<HeldOut, PipelineError> {
    let read = ReadOptions { wanted: Some(predictor.base().modality()), ..read.clone() };
    let (data, mut problems) = run.step(Step::Read, || Ok(dataset::read_held_out(data, &read)?))?;
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    let mut data = with_classes_of(data, &predictor.bundle().manifest.task)?;
    data.examples.retain(|example| example.target != Target::Unlabelled);
    if data.examples.is_empty() {
        return Err(PipelineError::NoLabels { n_examples: 0 });
    }
    let table = features::table(home, predictor.base(), data, run)?;
    problems.extend(table.problems.iter().cloned());
    run.step(Step::Evaluate, || {
        let mut probs = Vec::new();
        let mut sure = Vec::new();
        for row in 0..table.data.examples.len() {
            let features: Vec<f32> =
                table.sets.iter().flat_map(|set| set.x.row(row).iter().copied()).collect();
            let prediction =
                predictor.predict_features(&features, table.texts.as_ref().map(|texts| texts[row].as_str()));
            sure.push(matches!(prediction.verdict, Verdict::Answered | Verdict::Unproven));
            probs.push(match prediction.answer {
                bundle::Answer::Number { value, .. } => vec![value],
                _ => prediction.probs,
            });
        }
        let labels = Labels::of(&table.data.targets(), &table.data.task);
        let known = predictor.bundle().manifest.task.outputs();
        let unknown = |class: &&String| !known.contains(class);
        let unknown_classes = table.data.classes().iter().filter(unknown).cloned().collect();
        Ok(HeldOut {
            problems,
            unknown_classes,
            ..measure(&labels, &probs, &sure, table.data.classes().len())
        })
    })
}

/// The same data with the bundle's class numbers. A class the bundle does not know counts as always missed.
pub(crate) fn with_classes_of(mut data: Dataset, task: &TaskReference) -> Result<Dataset, PipelineError> {
    let other = |expected: &str, got: &Dataset| PipelineError::OtherTask {
        expected: expected.to_owned(),
        got: got.decision.task.clone(),
    };
    match (task, &data.task) {
        (TaskReference::SingleLabel { classes }, Task::SingleLabel { classes: given })
        | (TaskReference::MultiLabel { classes }, Task::MultiLabel { classes: given }) => {
            let mut all = classes.clone();
            all.extend(given.iter().filter(|class| !classes.contains(class)).cloned());
            let number = |class: &str| {
                dataset::ClassIdx(
                    all.iter().position(|known| known == class).expect("all names were listed") as u32
                )
            };
            let of: Vec<dataset::ClassIdx> = given.iter().map(|class| number(class)).collect();
            for Example { target, .. } in &mut data.examples {
                match target {
                    Target::Class(class) => *class = of[class.0 as usize],
                    Target::Classes(set) => {
                        set.iter_mut().for_each(|class| *class = of[class.0 as usize]);
                        set.sort();
                    }
                    Target::Unlabelled | Target::Number(_) => {}
                }
            }
            data.task = match task {
                TaskReference::SingleLabel { .. } => Task::SingleLabel { classes: all },
                _ => Task::MultiLabel { classes: all },
            };
            Ok(data)
        }
        (TaskReference::Regression { .. }, Task::Regression { .. }) => Ok(data),
        (TaskReference::SingleLabel { .. }, _) => Err(other("one class of several", &data)),
        (TaskReference::MultiLabel { .. }, _) => Err(other("any number of labels", &data)),
        (TaskReference::Regression { .. }, _) => Err(other("numbers", &data)),
        (TaskReference::Inspection { .. } | TaskReference::Pairs, _) => {
            unreachable!("bundles of other kinds are refused when they are opened")
        }
    }
}

/// Measures what was predicted.
pub(crate) fn measure(labels: &Labels, probs: &[Vec<f64>], sure: &[bool], n_classes: usize) -> HeldOut {
    let seed = Seed(0);
    let mut held_out = HeldOut {
        measures: Vec::new(),
        confusion: Vec::new(),
        recall: Vec::new(),
        answered: None,
        unknown_classes: Vec::new(),
        n: probs.len(),
        problems: Vec::new(),
    };
    match labels {
        Labels::Single(labels) => {
            let predicted: Vec<u32> = probs.iter().map(|probs| argmax(probs)).collect();
            let correct: Vec<bool> = predicted.iter().zip(labels).map(|(a, b)| a == b).collect();
            held_out
                .measures
                .push(Measure { metric: "accuracy".into(), estimate: metrics::accuracy(&correct) });
            if labels.iter().zip(probs).all(|(label, probs)| (*label as usize) < probs.len()) {
                let log_loss = metrics::mean(&metrics::log_loss_rows(probs, labels), seed);
                held_out.measures.push(Measure { metric: "log-loss".into(), estimate: log_loss });
            }
            held_out.confusion = metrics::confusion(labels, &predicted, n_classes);
            held_out.recall = metrics::recall(&held_out.confusion);
            let given: Vec<bool> =
                correct.iter().zip(sure).filter(|(_, sure)| **sure).map(|(correct, _)| *correct).collect();
            held_out.answered = Some((evaluate::wilson(given.len(), sure.len()), metrics::accuracy(&given)));
        }
        Labels::Multi(labels) => {
            let predicted: Vec<Vec<u32>> = probs.iter().map(|probs| predicted_labels(probs)).collect();
            held_out.measures = multi_label_measures(labels, &predicted, n_classes, seed);
        }
        Labels::Numbers(values) => {
            let predicted: Vec<f64> = probs.iter().map(|probs| probs[0]).collect();
            let errors: Vec<f64> = predicted.iter().zip(values).map(|(a, b)| (a - b).abs()).collect();
            held_out.measures.push(Measure { metric: "mae".into(), estimate: metrics::mean(&errors, seed) });
            held_out.measures.extend(number_measures(&predicted, values, seed));
        }
    }
    held_out
}
