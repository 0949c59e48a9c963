//! What is known of a model, read from its bundle.

use bundle::inspection::InspectionBundle;
use bundle::{Bundle, Evaluation, Manifest};
use evaluate::inspect::AlarmThreshold;
use evaluate::{Estimate, RejectRule, TradeOff};

use pipeline::Inspecting;
use pipeline::report::inspection::{AlarmPromise, InspectedPart, TradeOffPoint};

use crate::api::models::{
    AlarmTrade, Confusion, Errors, Facts, Found, InspectionErrors, InspectorFacts, Kept, Measured, Part,
    Promise, Recall, Trade,
};

/// Of a bundle alone.
pub(crate) fn of_bundle(bundle: &Bundle, size_bytes: u64) -> Facts {
    let promise = bundle.decision.reject.as_ref().map(promise);
    let classes = bundle.manifest.task.outputs().to_vec();
    let identity = bundle.identity().to_string();
    Facts { promise, identity, ..told(&bundle.manifest, &bundle.evaluation, classes, size_bytes) }
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
    let mut kept = with_errors(facts, Vec::new(), &[], &[]);
    kept.errors.inspection = Some(inspection);
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

/// With where it errs: the confusions and the trade-off, out of fold; both empty where they were not kept.
pub(crate) fn with_errors(
    facts: Facts,
    counts: Vec<Vec<u64>>,
    trade_off: &[TradeOff],
    promises: &[RejectRule],
) -> Kept {
    let trade = |point: &TradeOff| Trade {
        threshold: point.threshold,
        answered: point.answered,
        errors: point.errors,
        errors_high: point.errors_high,
    };
    let confusion = Confusion { classes: facts.classes.clone(), counts };
    let trade = trade_off.iter().map(trade).collect();
    Kept {
        facts,
        errors: Errors {
            confusion,
            trade,
            promises: promises.iter().map(promise).collect(),
            inspection: None,
        },
    }
}

fn promise(rule: &RejectRule) -> Promise {
    Promise {
        target_error: rule.target_error,
        threshold: rule.threshold,
        answered: rule.accepted as f64 / rule.n.max(1) as f64,
    }
}
