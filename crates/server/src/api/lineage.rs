//! From an answer to the examples that taught it, and from an example to the models that it taught.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::examples::{Example, Teller, unveiled};
use super::inputs::{Question, Questions, questions};
use super::models::not_hidden;
use super::reading::found;
use crate::App;
use crate::clock::written;
use crate::error::ApiError;
use crate::live::{Live, Standing};
use crate::people::{Caller, Right};
use crate::serving::{Opened, see_senses};
use crate::tasks::Task;

/// Examples that are shown of each input.
const SHOWN: usize = 8;
/// Neighbours that are looked through for examples that taught.
const LOOKED_THROUGH: usize = 2000;
/// Of those, how many the database is asked about at once.
const AT_ONCE: usize = 200;

/// Where an example came from, and which models learned from it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Lineage {
    /// When the data came that it came with; absent where it came otherwise, or that was not written down.
    imported_at: Option<String>,
    /// The deployment that was asked about it.
    came_from: Option<String>,
    /// Whether it is still there.
    there: bool,
    /// The state of the data at which it came; 0 where that was not written down.
    seq: i64,
    /// Models that learned from it, the newest first.
    taught: Vec<Learned>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Learned {
    model: String,
    name: String,
    created_at: String,
    /// What it was labelled as then.
    label: String,
}

/// The examples that taught a model and are most like what it is asked about.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Nearest {
    /// `looking`: the features of the examples are being computed, ask again. `ready`. `none`: its examples are not known here any more.
    state: &'static str,
    dataset: String,
    /// The state of the data that taught it.
    seq: Option<i64>,
    /// Of each input, the most alike first.
    inputs: Vec<Vec<Teacher>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Teacher {
    example: Example,
    /// What it was labelled as when it taught the model.
    taught: String,
}

/// Where an example came from, and which models learned from it.
#[utoipa::path(get, path = "/v1/examples/{id}/lineage", tag = "history", responses((status = 200, body = Lineage)))]
pub(super) async fn of_example(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Lineage>, ApiError> {
    caller.may(Right::Look)?;
    let row = found(app.db.example_ever(&caller.tenant, &id).await?)?;
    let of = found(app.db.dataset(&caller.tenant, &row.dataset).await?)?;
    unveiled(&of, &caller)?;
    let task = Task::named(&of.task)?;
    let origin = found(app.db.origin(&caller.tenant, &id).await?)?;
    let taught = app.db.taught_by(&caller.tenant, &id).await?;
    let taught = taught.into_iter().filter_map(|model| {
        let label = task.words(&model.label?);
        Some(Learned { model: model.id, name: model.name, created_at: written(model.created_at), label })
    });
    Ok(Json(Lineage {
        imported_at: origin.imported_at.map(written),
        came_from: origin.came_from,
        there: origin.removed == 0,
        seq: origin.came,
        taught: taught.collect(),
    }))
}

/// The examples that taught a model and are most like what it is asked about, as its base sees them; of several senses by those that are
/// there.
#[utoipa::path(post, path = "/v1/models/{id}/nearest", tag = "history", request_body = Questions, responses((status = 200, body = Nearest)))]
pub(super) async fn nearest(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Nearest>, ApiError> {
    caller.may(Right::Look)?;
    let row = found(app.db.model(&caller.tenant, &id).await?)?;
    not_hidden(&app, &caller, &row).await?;
    let opened = app.open_model(&id).await?;
    let questions = questions(request, &opened.takes()).await?;
    let none = |state| Nearest { state, dataset: row.dataset.clone(), seq: row.seq, inputs: Vec::new() };
    let there = app.db.dataset(&caller.tenant, &row.dataset).await?.is_some();
    let (Opened::Answers(_) | Opened::Senses(_), Some(seq), true) = (&opened, row.seq, there) else {
        return Ok(Json(none("none")));
    };
    let live = app.lives.of(&app, &caller.tenant, &row.dataset);
    match live.standing() {
        Standing::Ready(_) => {}
        Standing::Looking => return Ok(Json(none("looking"))),
        Standing::Failed(error) => return Err(error),
    }
    let near = alike(&app, &opened, live, questions).await?;
    let teller = Teller::of(&app, &caller, &row.dataset).await?;
    let mut told = Vec::new();
    for ids in near {
        told.push(taught(&app, &caller, &teller, &ids, seq).await?);
    }
    Ok(Json(Nearest { inputs: told, ..none("ready") }))
}

/// The examples most like what each question is about, as the model's bases see them; of several senses by those that are there.
async fn alike(
    app: &Arc<App>,
    opened: &Opened,
    live: Arc<Live>,
    questions: Vec<Question>,
) -> Result<Vec<Vec<String>>, ApiError> {
    match opened {
        Opened::Answers(served) => {
            let vectors = served.see(questions.iter().map(Question::only).collect()).await?;
            let base = served.base().id().to_owned();
            let like = move |vector: &Vec<f32>| live.like(&base, vector, LOOKED_THROUGH);
            app.blocking(move || Ok(vectors.iter().map(like).collect())).await
        }
        Opened::Senses(served) => {
            let asked = questions.iter().map(|question| question.inputs.clone()).collect();
            let embedded = app.serving.embed_senses(served, asked).await?;
            let served = served.clone();
            let like = move |(question, embedded): (&Question, _)| {
                let seen = see_senses(&served, embedded).map_err(|ApiError { en, zh, .. }| {
                    ApiError::invalid(question.told(en), question.told(zh))
                })?;
                Ok(live.like_senses(&seen, LOOKED_THROUGH))
            };
            app.blocking(move || questions.iter().zip(embedded).map(like).collect()).await
        }
        Opened::Inspects(_) => Ok(Vec::new()),
    }
}

/// The first of the examples that taught at a state, in their order.
async fn taught(
    app: &App,
    caller: &Caller,
    teller: &Teller,
    ids: &[String],
    seq: i64,
) -> Result<Vec<Teacher>, ApiError> {
    let mut told = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let labels: HashMap<String, String> =
            app.db.taught_at(&caller.tenant, ids, seq).await?.into_iter().collect();
        let ids: Vec<String> =
            ids.iter().filter(|id| labels.contains_key(*id)).take(SHOWN - told.len()).cloned().collect();
        for row in app.db.examples_by_id(&caller.tenant, &ids).await? {
            let taught = teller.task.words(&labels[&row.id]);
            told.push(Teacher { example: teller.tell(row), taught });
        }
        if told.len() == SHOWN {
            break;
        }
    }
    Ok(told)
}
