//! What is known of a model, read from its bundle.

use bundle::Bundle;
use evaluate::{Estimate, RejectRule, TradeOff};

use crate::api::models::{Confusion, Errors, Facts, Kept, Measured, Promise, Recall, Trade};

/// Of a bundle alone.
pub(crate) fn of_bundle(bundle: &Bundle, size_bytes: u64) -> Facts {
    let (manifest, evaluation) = (&bundle.manifest, &bundle.evaluation);
    let classes = manifest.task.outputs().to_vec();
    let measures = evaluation.measured.iter().map(|measured| Measured {
        metric: measured.metric.clone(),
        on: measured.on.clone(),
        estimate: measured.estimate.into(),
    });
    let recall = |(class, estimate): (&String, &Estimate)| Recall {
        class: class.clone(),
        estimate: (*estimate).into(),
    };
    let promise = bundle.decision.reject.as_ref().map(promise);
    Facts {
        modality: manifest.base.modality.clone(),
        base: manifest.base.id.clone(),
        recipe: evaluation.recipe.clone(),
        why: evaluation.why.clone(),
        size_bytes,
        n_examples: manifest.data.n_examples,
        measures: measures.collect(),
        recall: classes.iter().zip(&evaluation.recall).map(recall).collect(),
        promise,
        identity: bundle.identity().to_string(),
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
    Kept { facts, errors: Errors { confusion, trade, promises: promises.iter().map(promise).collect() } }
}

fn promise(rule: &RejectRule) -> Promise {
    Promise {
        target_error: rule.target_error,
        threshold: rule.threshold,
        answered: rule.accepted as f64 / rule.n.max(1) as f64,
    }
}
