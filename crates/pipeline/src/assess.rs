//! What a tuned head is worth, from its out-of-fold outputs: estimates, calibration, promises, familiarity, learning curve.

use bundle::Decision;
use dataset::split;
use evaluate::{
    Calibration, CurveDraw, Estimate, LearningCurve, NotProvable, OodDetector, RejectRule, TradeOff, metrics,
};
use linalg::logits::sigmoid;
use linalg::{Matrix, Seed, random};
use rayon::prelude::*;
use std::collections::BTreeMap;
use tune::{FeatureSet, Targets, TuneConfig, TuneInput, Tuned};

use crate::PipelineError;
use crate::journey::{Labels, Lesson};
use crate::report::Measure;

/// An example with a smaller p-value of being familiar is called unfamiliar: one false alarm in a hundred.
pub(crate) const UNFAMILIAR_BELOW: f64 = 0.01;
/// Shares of wrong answers that promises are tried for, so that a person sees what each would cost.
const TARGETS: [f64; 5] = [0.01, 0.02, 0.05, 0.1, 0.2];
/// Chance that a promise is broken.
const DELTA: f64 = 0.05;
/// Coverage of the interval around a number.
const COVERAGE: f64 = 0.9;
/// Shares of the examples that a learning curve is measured at; the rest judges.
const CURVE_SHARES: [f64; 5] = [0.2, 0.35, 0.5, 0.65, 0.8];

/// Everything that was found out.
#[derive(Debug)]
pub(crate) struct Assessment {
    /// The headline first.
    pub(crate) measures: Vec<Measure>,
    pub(crate) calibration: Vec<Calibration>,
    pub(crate) reject: Result<RejectRule, NotProvable>,
    pub(crate) half_width: Option<f64>,
    /// Of one sense; several each have their own.
    pub(crate) familiar: Option<OodDetector>,
    pub(crate) curve: Option<LearningCurve>,
    /// Calibrated out-of-fold probabilities of the validated rows, `[validated, k]`; empty for numbers.
    pub(crate) probs: Vec<Vec<f64>>,
    pub(crate) confusion: Vec<Vec<u64>>,
    pub(crate) recall: Vec<Estimate>,
    pub(crate) reliability: Vec<(f64, Estimate)>,
    /// Of single-label data.
    pub(crate) trade_off: Vec<TradeOff>,
    /// What could be promised, for each of [`TARGETS`] that can be proved.
    pub(crate) promises: Vec<RejectRule>,
}

impl Assessment {
    /// How the bundle turns raw outputs into a decision.
    pub(crate) fn decision(&self) -> Decision {
        Decision {
            calibration: self.calibration.clone(),
            reject: self.reject.as_ref().ok().copied(),
            half_width: self.half_width.filter(|width| width.is_finite()),
            unfamiliar_below: UNFAMILIAR_BELOW,
        }
    }
}

/// What a model said of rows that it was not fitted on.
#[derive(Debug)]
pub(crate) struct Record {
    /// The rows of the lesson that some fold held out, ascending.
    pub(crate) validated: Vec<usize>,
    /// Raw outputs, `[n, k]`; zeros where a row was never held out.
    pub(crate) outputs: Matrix<f64>,
    /// Loss of every validated row under everything that was tried, `[validated, tried]`.
    pub(crate) losses: Matrix<f64>,
    /// Score of every validated row under everything that was tried, `[validated, tried]`.
    pub(crate) scores: Matrix<f64>,
}

impl From<&Tuned> for Record {
    fn from(tuned: &Tuned) -> Self {
        Self {
            validated: tuned.validated.clone(),
            outputs: tuned.oof_outputs.clone(),
            losses: tuned.losses.clone(),
            scores: tuned.scores.clone(),
        }
    }
}

/// What familiar examples look like by the pooled vector, class by class where each has one; `None` where there are too few to tell.
pub(crate) fn familiar(lesson: &Lesson, seed: Seed) -> Option<OodDetector> {
    let strata = match &lesson.labels {
        Labels::Single(labels) => labels.clone(),
        _ => vec![0; lesson.rows.len()],
    };
    OodDetector::fit(lesson.features[0].x.view(), &strata, &OodDetector::folds(&lesson.groups, seed))
}

/// Measures on the rows that were held out. With none the lists are empty and nothing is promised.
pub(crate) fn assess(
    lesson: &Lesson,
    record: &Record,
    target_error: f64,
    seed: Seed,
) -> Result<Assessment, PipelineError> {
    let rows = &record.validated;
    let outputs = record.outputs.select_rows(rows);
    let headline = headline(lesson, record, seed)?;
    let mut assessment = Assessment {
        measures: headline.into_iter().collect(),
        calibration: vec![Calibration::Identity],
        reject: Err(NotProvable { need: 0 }),
        half_width: None,
        familiar: None,
        curve: None,
        probs: Vec::new(),
        confusion: Vec::new(),
        recall: Vec::new(),
        reliability: Vec::new(),
        trade_off: Vec::new(),
        promises: Vec::new(),
    };
    match &lesson.labels {
        Labels::Single(labels) => {
            let labels: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
            assess_classes(&mut assessment, &outputs, &labels, lesson.classes.len(), target_error, seed);
        }
        Labels::Multi(labels) => {
            let labels: Vec<Vec<u32>> = rows.iter().map(|row| labels[*row].clone()).collect();
            assess_labels(&mut assessment, &outputs, &labels, lesson.classes.len(), seed);
        }
        Labels::Numbers(values) => {
            let values: Vec<f64> = rows.iter().map(|row| values[*row]).collect();
            let predicted: Vec<f64> = outputs.iter_rows().map(|row| row[0]).collect();
            assess_numbers(&mut assessment, &predicted, &values, seed);
        }
    }
    Ok(assessment)
}

/// The estimate that has paid for the choice among recipes; absent when nothing was held out.
fn headline(lesson: &Lesson, record: &Record, seed: Seed) -> Result<Option<Measure>, PipelineError> {
    if record.validated.is_empty() {
        return Ok(None);
    }
    let groups: Vec<u32> = record.validated.iter().map(|row| lesson.groups[*row]).collect();
    let (losses, scores) = (record.losses.view(), record.scores.view());
    let (metric, estimate) = match &lesson.labels {
        Labels::Single(_) => ("accuracy", evaluate::bbc_accuracy(losses, scores, &groups, seed)?),
        // A share of several labels an example is at least as steady as one label an example.
        Labels::Multi(_) => ("label-accuracy", evaluate::bbc_accuracy(losses, scores, &groups, seed)?),
        Labels::Numbers(_) => {
            let Estimate { value, low, high, n } = evaluate::bbc_cv(losses, scores, &groups, seed)?;
            ("mae", Estimate { value: -value, low: -high, high: -low, n })
        }
    };
    Ok(Some(Measure { metric: metric.to_owned(), estimate }))
}

fn assess_classes(
    assessment: &mut Assessment,
    outputs: &Matrix<f64>,
    labels: &[u32],
    k: usize,
    target_error: f64,
    seed: Seed,
) {
    let calibration = Calibration::temperature(outputs.view(), labels);
    let probs: Vec<Vec<f64>> = outputs.iter_rows().map(|row| calibration.probs(row)).collect();
    let predicted: Vec<u32> = probs.iter().map(|probs| argmax(probs)).collect();
    let confidences: Vec<f64> =
        probs.iter().zip(&predicted).map(|(probs, class)| probs[*class as usize]).collect();
    let correct: Vec<bool> = predicted.iter().zip(labels).map(|(a, b)| a == b).collect();
    if !labels.is_empty() {
        let log_loss = metrics::mean(&metrics::log_loss_rows(&probs, labels), seed);
        let brier = metrics::mean(&metrics::brier_rows(&probs, labels), seed);
        assessment.measures.push(Measure { metric: "log-loss".into(), estimate: log_loss });
        assessment.measures.push(Measure { metric: "brier".into(), estimate: brier });
        assessment.confusion = metrics::confusion(labels, &predicted, k);
        assessment.recall = metrics::recall(&assessment.confusion);
        assessment.reliability = metrics::reliability(&confidences, &correct);
        assessment.trade_off = evaluate::trade_off(&confidences, &correct);
        let promise = |target: f64| evaluate::fit_reject(&confidences, &correct, target, DELTA).ok();
        assessment.promises = TARGETS.into_iter().filter_map(promise).collect();
    }
    assessment.reject = evaluate::fit_reject(&confidences, &correct, target_error, DELTA);
    assessment.calibration = vec![calibration];
    assessment.probs = probs;
}

fn assess_labels(
    assessment: &mut Assessment,
    outputs: &Matrix<f64>,
    labels: &[Vec<u32>],
    k: usize,
    seed: Seed,
) {
    let column = |class: usize| -> (Vec<f64>, Vec<bool>) {
        let logits = outputs.iter_rows().map(|row| row[class]).collect();
        (logits, labels.iter().map(|set| set.contains(&(class as u32))).collect())
    };
    assessment.calibration = (0..k)
        .map(|class| {
            let (logits, positive) = column(class);
            Calibration::platt(&logits, &positive)
        })
        .collect();
    assessment.probs = outputs
        .iter_rows()
        .map(|row| row.iter().zip(&assessment.calibration).map(|(z, map)| map.probability(*z)).collect())
        .collect();
    if labels.is_empty() {
        return;
    }
    let predicted: Vec<Vec<u32>> = assessment.probs.iter().map(|probs| predicted_labels(probs)).collect();
    assessment.measures.extend(multi_label_measures(labels, &predicted, k, seed));
    let found = |class: u32| {
        labels
            .iter()
            .zip(&predicted)
            .filter(move |(given, _)| given.contains(&class))
            .map(move |(_, got)| got.contains(&class))
    };
    assessment.recall = (0..k as u32)
        .map(|class| evaluate::wilson(found(class).filter(|hit| *hit).count(), found(class).count()))
        .collect();
}

/// Micro and macro F1 with bootstrap intervals, and the share of rows with every label right.
pub(crate) fn multi_label_measures(
    given: &[Vec<u32>],
    predicted: &[Vec<u32>],
    k: usize,
    seed: Seed,
) -> Vec<Measure> {
    let (micro, macro_average, whole) = metrics::multi_label(given, predicted, k);
    let mut rng = seed.derive("multi-label").rng();
    let n = given.len();
    let draws: Vec<(f64, f64)> = (0..200)
        .map(|_| {
            let rows: Vec<usize> = (0..n).map(|_| random::below(&mut rng, n)).collect();
            let pick = |sets: &[Vec<u32>]| rows.iter().map(|row| sets[*row].clone()).collect::<Vec<_>>();
            let (micro, macro_average, _) = metrics::multi_label(&pick(given), &pick(predicted), k);
            (micro, macro_average)
        })
        .collect();
    let interval = |value: f64, of: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = draws.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        Estimate {
            value,
            low: values[values.len() / 40],
            high: values[values.len() - 1 - values.len() / 40],
            n,
        }
    };
    let measure = |metric: &str, estimate| Measure { metric: metric.to_owned(), estimate };
    vec![
        measure("micro-f1", interval(micro, |draw| draw.0)),
        measure("macro-f1", interval(macro_average, |draw| draw.1)),
        measure("subset-accuracy", whole),
    ]
}

fn assess_numbers(assessment: &mut Assessment, predicted: &[f64], given: &[f64], seed: Seed) {
    let errors: Vec<f64> = predicted.iter().zip(given).map(|(a, b)| a - b).collect();
    assessment.half_width = Some(evaluate::half_width(&errors, COVERAGE));
    assessment.measures.extend(number_measures(predicted, given, seed));
}

/// Root mean squared error and explained variance. The bounds of R² come from those of the squared error.
pub(crate) fn number_measures(predicted: &[f64], given: &[f64], seed: Seed) -> Vec<Measure> {
    if given.is_empty() {
        return Vec::new();
    }
    let squares: Vec<f64> = predicted.iter().zip(given).map(|(a, b)| (a - b).powi(2)).collect();
    let mse = metrics::mean(&squares, seed);
    let rmse = Estimate { value: mse.value.sqrt(), low: mse.low.sqrt(), high: mse.high.sqrt(), n: mse.n };
    let r2 = metrics::r2(given, predicted);
    let unexplained =
        |mse_bound: f64| if mse.value > 0.0 { 1.0 - (1.0 - r2) * mse_bound / mse.value } else { r2 };
    let r2 = Estimate { value: r2, low: unexplained(mse.high), high: unexplained(mse.low), n: mse.n };
    vec![Measure { metric: "rmse".into(), estimate: rmse }, Measure { metric: "r2".into(), estimate: r2 }]
}

/// The labels whose probability is at least one half.
pub(crate) fn predicted_labels(probs: &[f64]) -> Vec<u32> {
    (0..probs.len()).filter(|class| probs[*class] >= 0.5).map(|class| class as u32).collect()
}

/// Refits the chosen recipe on random parts of the examples and judges it on the rest.
pub(crate) fn curve_draws(lesson: &Lesson, tuned: &Tuned, seed: Seed) -> Vec<CurveDraw> {
    let Labels::Single(labels) = &lesson.labels else { return Vec::new() };
    let n = lesson.rows.len();
    let repeats = match n {
        0..20 => 0,
        20..600 => 10,
        600..3000 => 4,
        _ => 2,
    };
    let jobs: Vec<(f64, usize)> =
        CURVE_SHARES.iter().flat_map(|share| (0..repeats).map(move |repeat| (*share, repeat))).collect();
    jobs.into_par_iter()
        .filter_map(|(share, repeat)| {
            one_draw(lesson, tuned, labels, share, seed.derive("curve").nth(repeat))
        })
        .collect()
}

/// One point: about `share` of the groups teach, the others judge. `None` when a side would be too small to say anything.
fn one_draw(lesson: &Lesson, tuned: &Tuned, labels: &[u32], share: f64, seed: Seed) -> Option<CurveDraw> {
    const PARTS: usize = 20;
    let deal = split::folds(labels, &lesson.groups, PARTS, seed);
    let limit = (share * PARTS as f64).round() as u8;
    let (teach, judge): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|row| deal[*row] < limit);
    let taught: Vec<u32> = teach.iter().map(|row| labels[*row]).collect();
    let distinct = taught.iter().collect::<std::collections::BTreeSet<_>>().len();
    if distinct < 2 || judge.is_empty() || teach.len() < 2 * distinct {
        return None;
    }
    let features: Vec<FeatureSet> = lesson
        .features
        .iter()
        .map(|set| FeatureSet { name: set.name.clone(), x: set.x.select_rows(&teach) })
        .collect();
    let texts: Option<Vec<String>> =
        lesson.texts.as_ref().map(|texts| teach.iter().map(|row| texts[*row].clone()).collect());
    let groups: Vec<u32> = teach.iter().map(|row| lesson.groups[*row]).collect();
    let targets = Targets::Single { labels: &taught, n_classes: lesson.classes.len() };
    let input = TuneInput { features: &features, texts: texts.as_deref(), targets, groups: &groups };
    let head = tune::refit(&tuned.recipe, input, &TuneConfig::default().check().ok()?).ok()?;
    let wrong = judge.iter().filter(|row| {
        let sets: BTreeMap<&str, &[f32]> =
            lesson.features.iter().map(|set| (set.name.as_str(), set.x.row(**row))).collect();
        let text = lesson.texts.as_ref().map(|texts| texts[**row].as_str());
        argmax(&head.logits(&sets, text)) != labels[**row]
    });
    Some(CurveDraw { n: teach.len(), error: wrong.count() as f64 / judge.len() as f64 })
}

/// The first of the largest.
pub(crate) fn argmax(values: &[f64]) -> u32 {
    (0..values.len()).fold(0, |best, class| if values[class] > values[best] { class } else { best }) as u32
}

/// Probabilities of one example's raw outputs, in the way the bundle gives them.
pub(crate) fn label_probs(outputs: &[f64], calibration: &[Calibration]) -> Vec<f64> {
    outputs
        .iter()
        .enumerate()
        .map(|(class, z)| calibration.get(class).map_or_else(|| sigmoid(*z), |map| map.probability(*z)))
        .collect()
}
