//! A small model is made of the labels so far.

use std::collections::HashMap;

use bundle::Form;
use pipeline::{Lang, Source, TuneRequest, report};

use super::{InHand, Stopped, inspect};
use crate::answers::{self, Answers};
use crate::api::models::Wish;
use crate::db::examples::ExampleRow;
use crate::db::models::ModelRow;
use crate::error::ApiError;
use crate::ids::new_id;
use crate::{clock, facts, gathering};

/// Seed of everything random.
const SEED: u64 = 1;
/// At most this share of the answers given may be wrong, unless asked otherwise.
const TARGET_ERROR: f64 = 0.05;

pub(super) async fn run(hand: InHand) -> Result<(), Stopped> {
    let InHand { app, tenant, job, held, progress } = hand;
    let wish: Wish = serde_json::from_str(&job.payload).map_err(|error| ApiError::internal(&error))?;
    let dataset = app.db.dataset(&tenant, &job.dataset).await?.ok_or_else(ApiError::not_found)?;
    let (seq, mut rows) = app.db.state_now(&tenant, &job.dataset).await?.ok_or_else(ApiError::not_found)?;
    rows.retain(|row| row.label.is_some());
    if gathering::inspects(&dataset, rows.iter().filter_map(|row| row.label.as_deref())) {
        return inspect::run(InHand { app, tenant, job, held, progress }, wish, &dataset, (seq, rows)).await;
    }
    let data = gathering::labelled(&dataset, &rows, &app.blobs)?;
    // A worker that lost its lease may still write: no two tries have a file in common.
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
    let (of, made, chinese) = (app.clone(), id.clone(), app.model_file(&id, "zh.html"));
    let files: Vec<String> = rows.iter().flat_map(ExampleRow::blobs).collect();
    let ids: HashMap<String, String> = rows.into_iter().map(|row| (row.name, row.id)).collect();
    let answers_file = app.model_file(&id, answers::ENDING);
    let kept = app
        .blocking(move || {
            let _here = of.blobs.fetch(files.iter().map(String::as_str))?;
            let tuning = match progress.run(|run| pipeline::tune(&of.home, &request, run)) {
                Ok(tuning) => tuning,
                Err(error) => return Ok(Err(Stopped::from(error))),
            };
            let page = report::render(&tuning.report, Lang::Zh);
            store::write_atomic(&chinese, |out| out.write_all(page.as_bytes()))?;
            let answers = Answers::of(&tuning.dataset.task, &tuning.held_out, |name| ids.get(name).cloned());
            let answers = serde_json::to_vec(&answers).map_err(|error| ApiError::internal(&error))?;
            store::write_atomic(&answers_file, |out| out.write_all(&answers))?;
            of.keep_model(&made, &["djm", "en.html", "zh.html", answers::ENDING])?;
            let facts = facts::of_file(&request.out)?;
            Ok(Ok(facts::of_tuning(facts, &tuning)))
        })
        .await??;
    let body = serde_json::to_string(&kept).map_err(|error| ApiError::internal(&error))?;
    let name = wish.name.unwrap_or(dataset.name);
    let bytes = app.model_bytes(&id);
    let row =
        ModelRow { id, dataset: job.dataset, name, body, bytes, created_at: clock::now(), seq: Some(seq) };
    app.db.add_model(&tenant, &row, &held, app.limits).await?.came()
}
