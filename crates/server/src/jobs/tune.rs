//! A small model is made of the labels so far.

use bundle::{Bundle, Form};
use pipeline::{Lang, PipelineError, Source, TuneRequest, report};

use super::{InHand, Stopped, inspect};
use crate::api::models::Wish;
use crate::db::models::ModelRow;
use crate::error::ApiError;
use crate::{clock, facts, gathering};

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
    if gathering::inspects(&dataset, rows.iter().filter_map(|row| row.label.as_deref())) {
        return inspect::run(InHand { app, tenant, job, held, progress }, wish, &dataset, rows).await;
    }
    let data = gathering::labelled(&dataset, &rows, &app.blobs)?;
    // A second try after a crash writes over what the first one left.
    let id = job.id.clone();
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
    let (of, made, chinese) = (app.clone(), id.clone(), app.model_file(&id, "zh.html"));
    let files: Vec<String> = rows.iter().filter_map(|row| row.blob.clone()).collect();
    let kept = app
        .blocking(move || {
            of.blobs.fetch(files.iter().map(String::as_str))?;
            let tuning = match progress.run(|run| pipeline::tune(&of.home, &request, run)) {
                Ok(tuning) => tuning,
                Err(error) => return Ok(Err(Stopped::from(error))),
            };
            let page = report::render(&tuning.report, Lang::Zh);
            store::write_atomic(&chinese, |out| out.write_all(page.as_bytes()))?;
            of.keep_model(&made, &["djm", "en.html", "zh.html"])?;
            let bundle = Bundle::open(&request.out).map_err(PipelineError::from)?;
            let facts = facts::of_bundle(&bundle, std::fs::metadata(&request.out)?.len());
            Ok(Ok(facts::with_errors(facts, tuning.report.confusion, &tuning.trade_off, &tuning.promises)))
        })
        .await??;
    let body = serde_json::to_string(&kept).map_err(|error| ApiError::internal(&error))?;
    let name = wish.name.unwrap_or(dataset.name);
    let row = ModelRow { id, dataset: job.dataset, name, body, created_at: clock::now() };
    if app.db.add_model(&tenant, &row, &held).await? { Ok(()) } else { Err(Stopped::Cancelled) }
}
