//! Work that takes a while: asked for, watched, stopped.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use pipeline::Lang;
use serde::{Deserialize, Serialize};
use tokio_stream::Stream;
use utoipa::{IntoParams, ToSchema};

use super::reading::{Asked, found};
use crate::App;
use crate::answering::lang_of;
use crate::clock::written;
use crate::db::jobs::{Added, JobRow};
use crate::db::steps::StepRow;
use crate::error::ApiError;
use crate::jobs::{Failure, forget_sent};
use crate::people::{Caller, Right};

/// How often a listener looks for news.
const LOOK: Duration = Duration::from_millis(150);
/// Seconds after which a job may be asked for again where there are too many.
const RETRY: u64 = 30;

/// Something under way, or done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Job {
    id: String,
    /// `import`, `audit` or `tune`.
    kind: String,
    dataset: String,
    /// `waiting`, `running`, `done`, `failed` or `cancelled`.
    state: String,
    /// The room it is in: read, base, features, audit, tune, evaluate, write.
    step: Option<String>,
    done: i64,
    total: i64,
    error: Option<JobError>,
    /// What came of it: the id of a `model`, or `n_examples` and `n_problems`.
    #[schema(value_type = Option<Object>)]
    result: Option<serde_json::Value>,
    created_at: String,
    ended_at: Option<String>,
}

/// Why it failed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobError {
    code: String,
    message: String,
    hint: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Jobs {
    jobs: Vec<Job>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Of {
    /// Only those of this data set.
    dataset: Option<String>,
}

/// Lists the last hundred jobs, the newest first.
#[utoipa::path(get, path = "/v1/jobs", tag = "work", params(Of), responses((status = 200, body = Jobs)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Asked(Of { dataset }): Asked<Of>,
) -> Result<Json<Jobs>, ApiError> {
    caller.may(Right::Look)?;
    let rows = app.db.jobs(&caller.tenant, dataset.as_deref()).await?;
    let lang = lang_of(&headers);
    Ok(Json(Jobs { jobs: rows.into_iter().map(|row| job(row, lang)).collect() }))
}

/// Shows a job.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "work", responses((status = 200, body = Job)))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Job>, ApiError> {
    caller.may(Right::Look)?;
    Ok(Json(job(found(app.db.job(&caller.tenant, &id).await?)?, lang_of(&headers))))
}

/// Asks a job to stop. What was computed is kept; the same work goes on from there.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", tag = "work", responses((status = 200, body = Job)))]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Job>, ApiError> {
    caller.may(Right::Edit)?;
    let before = found(app.db.job(&caller.tenant, &id).await?)?;
    app.db.cancel_job(&caller.tenant, &id).await?;
    // One that runs does so itself when it stops.
    let after = found(app.db.job(&caller.tenant, &id).await?)?;
    if after.kind == "import" && before.state == "waiting" && after.state == "cancelled" {
        forget_sent(&app, &after.payload).await;
    }
    told(&app, &caller, &id).await
}

/// Streams a job as it goes on, until it ends: each room as it was entered, and how far it is. Ids grow; who sends `Last-Event-ID` hears what came
/// after it, also what came while nobody listened.
#[utoipa::path(get, path = "/v1/jobs/{id}/events", tag = "work", responses((status = 200, content_type = "text/event-stream")))]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    caller.may(Right::Look)?;
    found(app.db.job(&caller.tenant, &id).await?)?;
    let lang = lang_of(&headers);
    let heard = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok()).unwrap_or(0_i64);
    let stream = async_stream::stream! {
        let mut heard = heard;
        loop {
            let Ok(Some(row)) = app.db.job(&caller.tenant, &id).await else { break };
            let over = row.ended_at.is_some();
            if row.version > heard {
                let Ok(steps) = app.db.steps(&caller.tenant, &id, (heard, row.version)).await else { break };
                heard = row.version;
                for row in steps.into_iter().map(|step| entering(&row, step)).chain([row.clone()]) {
                    let event = Event::default().event("job").id(row.version.to_string());
                    if let Ok(event) = event.json_data(job(row, lang)) {
                        yield Ok(event);
                    }
                }
            }
            if over || app.is_closing() {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// A job as it was when it entered a room.
fn entering(now: &JobRow, StepRow { version, step }: StepRow) -> JobRow {
    let (step, state) = (Some(step), "running".to_owned());
    JobRow {
        version,
        step,
        state,
        done: 0,
        total: 0,
        error: None,
        result: None,
        ended_at: None,
        ..now.clone()
    }
}

impl Added {
    /// The id of the job, or why there is none.
    pub(crate) fn job(self) -> Result<String, ApiError> {
        match self {
            Self::Job(id) => Ok(id),
            Self::Missing => Err(ApiError::not_found()),
            Self::TooMany => {
                let (en, zh) = ("too many jobs of your team wait or run", "团队中等待和进行中的任务过多");
                Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_jobs", en, zh)
                    .hint("wait until some are done, or stop some", "请等待部分任务完成，或停止一些任务")
                    .after(RETRY))
            }
        }
    }
}

/// A job as it stands.
pub(super) async fn told(app: &App, caller: &Caller, id: &str) -> Result<Json<Job>, ApiError> {
    Ok(Json(job(found(app.db.job(&caller.tenant, id).await?)?, Lang::En)))
}

fn job(row: JobRow, lang: Lang) -> Job {
    let failure = row.error.as_deref().and_then(|error| serde_json::from_str::<Failure>(error).ok());
    Job {
        id: row.id,
        kind: row.kind,
        dataset: row.dataset,
        state: row.state,
        step: row.step,
        done: row.done,
        total: row.total,
        error: failure.map(|failure| JobError {
            code: failure.code,
            message: lang.pick(failure.en, failure.zh),
            hint: failure.hint.map(|(en, zh)| lang.pick(en, zh)),
        }),
        result: row.result.and_then(|result| serde_json::from_str(&result).ok()),
        created_at: written(row.created_at),
        ended_at: row.ended_at.map(written),
    }
}
