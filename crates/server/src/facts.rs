//! What is known of a model, read from its bundle.

use std::path::Path;

use bundle::inspection::InspectionBundle;
use bundle::{Bundle, BundleKind, Decision, Evaluation, Manifest, SenseReference, SensesBundle};
use dataset::Modality;
use evaluate::inspect::AlarmThreshold;
use evaluate::{Estimate, RejectRule, TradeOff};

use pipeline::report::Report;
use pipeline::report::inspection::{AlarmPromise, InspectedPart, TradeOffPoint};
use pipeline::{Inspecting, PipelineError, Tuning};

use crate::api::models::{
    AlarmTrade, Chinese, Confusion, Curve, CurvePoint, Errors, Facts, Found, InspectionErrors,
    InspectorFacts, Kept, Measured, Part, Promise, Recall, SenseFacts, Trade,
};
use crate::error::ApiError;

/// Of a bundle of one sense or several that lies in a file.
pub(crate) fn of_file(path: &Path) -> Result<Facts, ApiError> {
    let size_bytes = std::fs::metadata(path)?.len();
    Ok(match bundle::kind(path).map_err(PipelineError::from)? {
        BundleKind::Senses => of_senses(&SensesBundle::open(path).map_err(PipelineError::from)?, size_bytes),
        _ => of_bundle(&Bundle::open(path).map_err(PipelineError::from)?, size_bytes),
    })
}

/// Of a bundle alone.
pub(crate) fn of_bundle(bundle: &Bundle, size_bytes: u64) -> Facts {
    of_answers(&bundle.manifest, &bundle.evaluation, &bundle.decision, size_bytes)
}

/// Of a bundle of several senses alone.
pub(crate) fn of_senses(bundle: &SensesBundle, size_bytes: u64) -> Facts {
    let facts = of_answers(&bundle.manifest, &bundle.evaluation, &bundle.decision, size_bytes);
    let sense = |sense: &SenseReference| SenseFacts {
        name: sense.name.clone(),
        modality: sense.base.modality.clone(),
        base: sense.base.id.clone(),
    };
    let senses = bundle.manifest.senses.iter().map(sense).collect();
    Facts { modality: Modality::Senses.to_string(), senses, ..facts }
}

fn of_answers(manifest: &Manifest, evaluation: &Evaluation, decision: &Decision, size_bytes: u64) -> Facts {
    let promise = decision.reject.as_ref().map(promise);
    let identity = manifest.identity().to_string();
    Facts { promise, identity, ..told(manifest, evaluation, manifest.task.outputs().to_vec(), size_bytes) }
}

/// Of an inspector's bundle alone.
pub(crate) fn of_inspector(bundle: &InspectionBundle, size_bytes: u64) -> Facts {
    let manifest = &bundle.manifest;
    let (false_alarms, confidence) = match bundle.alarm.threshold {
        AlarmThreshold::Proven(proven) => (proven.false_alarm_rate, Some(proven.confidence)),
        AlarmThreshold::Estimated(estimated) => (estimated.false_alarm_rate, None),
    };
    let inspector = InspectorFacts {
        false_alarms,
        confidence,
        proven: confidence.is_some(),
        best_rate: None,
        need: None,
        n_good: manifest.data.n_examples,
        threshold: bundle.alarm.threshold.threshold(),
    };
    Facts {
        kind: "inspector".to_owned(),
        inspector: Some(inspector),
        identity: manifest.identity().to_string(),
        ..told(manifest, &bundle.evaluation, manifest.task.outputs().to_vec(), size_bytes)
    }
}

/// Of an inspector that was just made, with where it errs; `example` finds ours by their names.
pub(crate) fn of_inspecting(
    made: &Inspecting,
    size_bytes: u64,
    example: &dyn Fn(&str) -> Option<String>,
) -> Kept {
    let mut facts = of_inspector(&made.bundle, size_bytes);
    if let (Some(inspector), AlarmPromise::Estimated { confidence, need, best_rate, .. }) =
        (&mut facts.inspector, &made.report.alarm)
    {
        (inspector.confidence, inspector.need) = (Some(*confidence), Some(*need));
        inspector.best_rate = Some(*best_rate);
    }
    let part = |part: &InspectedPart| Part {
        name: part.id.clone(),
        example: example(&part.id),
        kind: part.kind.clone(),
        score: part.score,
        p_value: part.p_value,
    };
    let report = &made.report;
    let trade = |point: &TradeOffPoint| AlarmTrade {
        threshold: point.threshold,
        false_alarms: point.false_alarms,
        missed: point.missed,
    };
    let inspection = InspectionErrors {
        trade: report.trade_off.iter().map(trade).collect(),
        kinds: report
            .kinds
            .iter()
            .map(|kind| Found { kind: kind.name.clone(), found: kind.recall.into() })
            .collect(),
        missed: report.missed.iter().map(part).collect(),
        alarmed_good: report.alarmed_good.iter().map(part).collect(),
        suspects: report.worst_good.iter().flat_map(|worst| &worst.parts).map(part).collect(),
        advice: report.advice.iter().map(|advice| [advice.en.clone(), advice.zh.clone()]).collect(),
    };
    let mut kept = alone(facts);
    kept.errors.inspection = Some(inspection);
    kept.chinese = Some(Chinese { recipe: kept.facts.recipe.clone(), why: report.why.zh.clone() });
    kept
}

/// What bundles of all kinds tell.
fn told(manifest: &Manifest, evaluation: &Evaluation, classes: Vec<String>, size_bytes: u64) -> Facts {
    let measures = evaluation.measured.iter().map(|measured| Measured {
        metric: measured.metric.clone(),
        on: measured.on.clone(),
        estimate: measured.estimate.into(),
    });
    let recall = |(class, estimate): (&String, &Estimate)| Recall {
        class: class.clone(),
        estimate: (*estimate).into(),
    };
    Facts {
        kind: "answers".to_owned(),
        inspector: None,
        modality: manifest.base.modality.clone(),
        senses: Vec::new(),
        base: manifest.base.id.clone(),
        recipe: evaluation.recipe.clone(),
        why: evaluation.why.clone(),
        size_bytes,
        n_examples: manifest.data.n_examples,
        measures: measures.collect(),
        recall: classes.iter().zip(&evaluation.recall).map(recall).collect(),
        promise: None,
        identity: String::new(),
        fingerprint: manifest.data.fingerprint.clone(),
        classes,
    }
}

/// Of a model that was just made, with where it errs, out of fold.
pub(crate) fn of_tuning(facts: Facts, tuning: &Tuning) -> Kept {
    let report = &tuning.report;
    let trade = |point: &TradeOff| Trade {
        threshold: point.threshold,
        answered: point.answered,
        errors: point.errors,
        errors_high: point.errors_high,
    };
    let recipe =
        report.candidates.iter().find(|(_, _, chosen)| *chosen).map(|(recipe, _, _)| recipe.zh.clone());
    let chinese =
        Chinese { recipe: recipe.unwrap_or_else(|| facts.recipe.clone()), why: report.why.zh.clone() };
    let mut kept = alone(facts);
    kept.chinese = Some(chinese);
    kept.errors = Errors {
        confusion: Confusion { counts: report.confusion.clone(), ..kept.errors.confusion },
        trade: tuning.trade_off.iter().map(trade).collect(),
        promises: tuning.promises.iter().map(promise).collect(),
        curve: curve(report),
        advice: report.advice.iter().map(|advice| [advice.en.clone(), advice.zh.clone()]).collect(),
        inspection: None,
    };
    kept
}

fn curve(report: &Report) -> Option<Curve> {
    let point = |(n_labels, accuracy): &(f64, Estimate)| CurvePoint {
        n_labels: *n_labels,
        accuracy: (*accuracy).into(),
    };
    (!report.curve_measured.is_empty()).then(|| Curve {
        n_labels: report.n_examples,
        measured: report.curve_measured.iter().map(point).collect(),
        expected: report.curve_expected.iter().map(point).collect(),
    })
}

/// Of a model of which nothing is known but what its bundle tells.
pub(crate) fn alone(facts: Facts) -> Kept {
    let confusion = Confusion { classes: facts.classes.clone(), counts: Vec::new() };
    let errors = Errors {
        confusion,
        trade: Vec::new(),
        promises: Vec::new(),
        curve: None,
        advice: Vec::new(),
        inspection: None,
    };
    Kept { facts, errors, chinese: None }
}

fn promise(rule: &RejectRule) -> Promise {
    Promise {
        target_error: rule.target_error,
        threshold: rule.threshold,
        answered: rule.accepted as f64 / rule.n.max(1) as f64,
    }
}
