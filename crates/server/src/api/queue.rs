//! What to label next.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use pipeline::Lang;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::examples::{Example, Teller};
use super::reading::{Asked, found};
use crate::App;
use crate::answering::lang_of;
use crate::db::datasets::DatasetRow;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::live::Opinion;
use crate::people::{Caller, Right};

/// Examples of the queue.
const MOST_NEXT: usize = 50;
/// As many as whoever labels asks for, unless they say otherwise.
pub(super) const USUAL_NEXT: usize = 20;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Queue {
    /// The most useful first.
    examples: Vec<Example>,
    /// Why these.
    why: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HowMany {
    /// At most 50; 20 when absent.
    limit: Option<usize>,
}

/// What to label next.
#[utoipa::path(get, path = "/v1/datasets/{id}/queue", tag = "labels", params(HowMany), responses((status = 200, body = Queue)))]
pub(super) async fn queue(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    Asked(HowMany { limit }): Asked<HowMany>,
) -> Result<Json<Queue>, ApiError> {
    caller.may(Right::Look)?;
    let dataset = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let opinion = app.lives.of(&app, &caller.tenant, &id).opinion();
    let why = why(opinion.as_deref(), lang_of(&headers)).to_owned();
    let next = Next {
        // Where examples are marked rather than answered about, one with a mark is done.
        by_marks: goes_by_marks(&dataset),
        limit: limit.unwrap_or(USUAL_NEXT).min(MOST_NEXT),
        app: &app,
        caller: &caller,
        dataset: &dataset,
    };
    let rows = next.rows(opinion.as_deref()).await?;
    let mut teller = Teller::of(&app, &caller, &id).await?;
    teller.read_own_marks(&app, &caller, &rows).await?;
    Ok(Json(Queue { examples: rows.into_iter().map(|row| teller.tell(row)).collect(), why }))
}

/// Whether examples are marked rather than answered about.
pub(super) fn goes_by_marks(dataset: &DatasetRow) -> bool {
    dataset.n_marked > dataset.n_labelled
}

fn why(opinion: Option<&Opinion>, lang: Lang) -> &'static str {
    match opinion {
        Some(opinion) if opinion.judged.margins.is_empty() => lang.pick(
            "half stand for many others, half are drawn at random",
            "一半能代表许多其他样本，一半是随机抽取的",
        ),
        Some(_) => lang.pick(
            "half of them the model is unsure of, half are drawn at random",
            "一半是模型拿不准的，一半是随机抽取的",
        ),
        None => lang.pick("drawn at random, until they have been looked at", "在提取特征完成之前，随机抽取"),
    }
}

/// How the next examples are found.
struct Next<'a> {
    app: &'a Arc<App>,
    caller: &'a Caller,
    dataset: &'a DatasetRow,
    by_marks: bool,
    limit: usize,
}

impl Next<'_> {
    async fn rows(&self, opinion: Option<&Opinion>) -> Result<Vec<ExampleRow>, ApiError> {
        let (db, tenant, id) = (&self.app.db, &self.caller.tenant, &self.dataset.id);
        let ids: Vec<String> =
            opinion.iter().flat_map(|opinion| &opinion.queue).map(|(id, _)| id.clone()).collect();
        let mut rows = db.examples_by_id(tenant, &ids).await?;
        rows.retain(|row| self.is_open(row));
        let mut own = HashSet::new();
        if self.dataset.annotators > 1 {
            // First what others have begun; what this person answered does not come again, also where no answer holds.
            own = self.own().await?;
            let begun = self.begun().await?;
            let known: HashSet<&String> = begun.iter().map(|row| &row.id).collect();
            rows.retain(|row| !known.contains(&row.id) && !own.contains(&row.id));
            rows.splice(0..0, begun);
        }
        if rows.len() < self.limit {
            // What was not looked at yet, or could not be, waits behind; so do near copies of what has a label.
            let room = i64::try_from(self.limit + rows.len() + own.len()).unwrap_or(i64::MAX);
            let more = db.next_by_chance(tenant, id, self.by_marks, room).await?;
            let more = db.examples_by_id(tenant, &more).await?;
            let known: HashSet<String> = rows.iter().map(|row| row.id.clone()).collect();
            let is_new = |row: &ExampleRow| !known.contains(&row.id) && !own.contains(&row.id);
            rows.extend(more.into_iter().filter(is_new));
        }
        rows.truncate(self.limit);
        Ok(rows)
    }

    fn is_open(&self, row: &ExampleRow) -> bool {
        row.label.is_none() && !(self.by_marks && row.marks.is_some())
    }

    /// What this person has answered about, or marked.
    async fn own(&self) -> Result<HashSet<String>, ApiError> {
        let (db, tenant, id, person) =
            (&self.app.db, &self.caller.tenant, &self.dataset.id, &self.caller.person.id);
        Ok(match self.by_marks {
            true => db.marked_by(tenant, id, person).await?,
            false => db.votes_by(tenant, id, person).await?.into_keys().collect(),
        })
    }

    /// What others have answered about or marked, and this person has not.
    async fn begun(&self) -> Result<Vec<ExampleRow>, ApiError> {
        let (db, tenant) = (&self.app.db, &self.caller.tenant);
        let room = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let (id, person) = (&self.dataset.id, &self.caller.person.id);
        let ids = match self.by_marks {
            true => db.half_marked(tenant, id, person, room).await?,
            false => db.half_voted(tenant, id, person, room).await?,
        };
        Ok(db.examples_by_id(tenant, &ids).await?)
    }
}
