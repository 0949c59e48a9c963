//! A small model is made of the labels so far.

use bundle::Form;
use evaluate::{Estimate, TradeOff};
use pipeline::{Lang, Source, TuneRequest, Tuning, report};

use super::{InHand, Stopped};
use crate::api::models::{Confusion, Errors, Facts, Kept, Measured, Promise, Recall, Trade, Wish};
use crate::db::models::ModelRow;
use crate::error::ApiError;
use crate::ids::new_id;
use crate::{clock, gathering};

/// Seed of everything random.
const SEED: u64 = 1;
/// At most this share of the answers given may be wrong, unless asked otherwise.
const TARGET_ERROR: f64 = 0.05;

pub(super) async fn run(hand: InHand) -> Result<(), Stopped> {
    let InHand { app, tenant, job, held, progress } = hand;
    let wish: Wish = serde_json::from_str(&job.payload).map_err(|error| ApiError::internal(&error))?;
    let dataset = app.db.dataset(&tenant, &job.dataset).await?.ok_or_else(ApiError::not_found)?;
    let mut rows = app.db.all_examples(&tenant, &job.dataset).await?;
    rows.retain(|row| row.label.is_some());
    let data = gathering::labelled(&dataset, &rows, &app.blobs)?;
    let id = new_id();
    let request = TuneRequest {
        source: Source::Examples(Box::new(data)),
        base: None,
        out: app.model_file(&id, "djm"),
        form: Form::File,
        report: app.model_file(&id, "en.html"),
        lang: Lang::En,
        target_error: wish.target_error.unwrap_or(TARGET_ERROR),
        words: true,
        seed: SEED,
        created: clock::written(clock::now()),
    };
    let (home, chinese, modality) =
        (app.home.clone(), app.model_file(&id, "zh.html"), dataset.modality.clone());
    let kept = app
        .blocking(move || {
            let tuning = match progress.run(|run| pipeline::tune(&home, &request, run)) {
                Ok(tuning) => tuning,
                Err(error) => return Ok(Err(Stopped::from(error))),
            };
            let page = report::render(&tuning.report, Lang::Zh);
            store::write_atomic(&chinese, |out| out.write_all(page.as_bytes()))?;
            let size_bytes = std::fs::metadata(&request.out)?.len();
            Ok(Ok(facts(&tuning, modality.unwrap_or_default(), size_bytes, &request.out)?))
        })
        .await??;
    let body = serde_json::to_string(&kept).map_err(|error| ApiError::internal(&error))?;
    let name = wish.name.unwrap_or(dataset.name);
    let row = ModelRow { id, dataset: job.dataset, name, body, created_at: clock::now() };
    if app.db.add_model(&tenant, &row, &held).await? { Ok(()) } else { Err(Stopped::Cancelled) }
}

fn facts(
    tuning: &Tuning,
    modality: String,
    size_bytes: u64,
    out: &std::path::Path,
) -> Result<Kept, ApiError> {
    let bundle = bundle::Bundle::open(out).map_err(pipeline::PipelineError::from)?;
    let manifest = &bundle.manifest;
    let classes = manifest.task.outputs().to_vec();
    let measures = tuning.evaluation.measured.iter().map(|measured| Measured {
        metric: measured.metric.clone(),
        on: measured.on.clone(),
        estimate: measured.estimate.into(),
    });
    let recall = |(class, estimate): (&String, &Estimate)| Recall {
        class: class.clone(),
        estimate: (*estimate).into(),
    };
    let promise = bundle.decision.reject.map(|rule| Promise {
        target_error: rule.target_error,
        threshold: rule.threshold,
        answered: rule.accepted as f64 / rule.n.max(1) as f64,
    });
    let facts = Facts {
        modality,
        base: manifest.base.id.clone(),
        recipe: tuning.evaluation.recipe.clone(),
        why: tuning.evaluation.why.clone(),
        size_bytes,
        n_examples: tuning.n_examples,
        measures: measures.collect(),
        recall: classes.iter().zip(&tuning.evaluation.recall).map(recall).collect(),
        promise,
        identity: tuning.identity.to_string(),
        fingerprint: manifest.data.fingerprint.clone(),
        classes: classes.clone(),
    };
    let trade = |point: &TradeOff| Trade {
        threshold: point.threshold,
        answered: point.answered,
        errors: point.errors,
        errors_high: point.errors_high,
    };
    let confusion = Confusion { classes, counts: tuning.report.confusion.clone() };
    Ok(Kept { facts, errors: Errors { confusion, trade: tuning.trade_off.iter().map(trade).collect() } })
}
