//! Examples: pages of them, one of them, what they look or sound like.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use dataset::Sense;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::agreed;
use super::opinions::Suggestion;
use super::reading::{Asked, found};
use super::sought::Which;
use crate::App;
use crate::answering::forever;
use crate::db::Tenant;
use crate::db::datasets::DatasetRow;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::live::Opinion;
use crate::people::{Caller, Right};
use crate::senses::{self, Known};
use crate::tasks::{Answer, Task};
use crate::{making, marks, pictures, streaming};

/// In place of the number of marks that are hidden: who marks an example that others marked in one list for all is told so, and replaces nothing.
pub(super) const UNSEEN: i64 = -1;

/// An example.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Example {
    id: String,
    /// Where it came from: a path, or file and row.
    name: String,
    /// Of several senses: all their texts, one below the other.
    text: Option<String>,
    /// Where examples have several: what is there of this one, in the order of the data set.
    senses: Vec<Sensed>,
    /// Where one class of several is asked for.
    label: Option<String>,
    /// Where several labels are; an empty list says that none applies.
    labels: Option<Vec<String>>,
    /// Where a number is.
    number: Option<f64>,
    #[schema(value_type = Vec<super::marks::MarkSchema>)]
    marks: Vec<marks::KeptMark>,
    /// The number of the event that changed the marks last; 0 where nobody has, -1 where they are hidden. Whoever marks says that it is what they saw.
    marks_event: i64,
    /// Where several people are asked about each example: what who asks marked on it, while `marks` are those that hold. Pages of examples, the queue
    /// and one example tell it.
    own_marks: Option<OwnMarks>,
    /// Of a picture as it is shown, in pixels.
    width: Option<i64>,
    height: Option<i64>,
    /// Of a piece of a longer sound: where it was cut out.
    piece: Option<CutOut>,
    /// The person who gave the label; absent when it came with the data.
    by: Option<String>,
    suggestion: Option<Suggestion>,
}

/// Where a piece of a sound was cut out.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct CutOut {
    /// What the whole sound was called.
    file: String,
    /// In seconds.
    start: f64,
    /// In seconds; absent at the end of the sound.
    end: Option<f64>,
}

/// What who asks marked on an example.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnMarks {
    #[schema(value_type = Vec<super::marks::MarkSchema>)]
    marks: Vec<marks::KeptMark>,
    /// The number of the event that made them so; 0 where they have not marked it, nor said that there is nothing. Whoever marks says that it is what they
    /// saw.
    event: i64,
}

/// What one of several senses knows of an example.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sensed {
    sense: String,
    modality: String,
    /// Of a sense of texts; others lie in files.
    text: Option<String>,
}

/// Which content of an example, where it has several; the one that shows most of it when absent.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Face {
    pub(super) sense: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Look {
    /// As for the content.
    sense: Option<String>,
    /// 1 for four frames of a video side by side.
    strip: Option<u8>,
    /// 1 for a picture with at most 2048 pixels on its longer side, instead of 256: for browsers that cannot draw the original.
    large: Option<u8>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    /// Of all pages.
    total: i64,
    examples: Vec<Example>,
}

/// A page of examples.
#[utoipa::path(get, path = "/v1/datasets/{id}/examples", tag = "examples", params(Which), responses((status = 200, body = Page)))]
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(which): Asked<Which>,
) -> Result<Json<Page>, ApiError> {
    caller.may(Right::Look)?;
    if which.tells() {
        unveiled(&found(app.db.dataset(&caller.tenant, &id).await?)?, &caller)?;
    }
    let mut teller = Teller::of(&app, &caller, &id).await?;
    if which.asks_for_disputes() {
        agreed::reckon(&app, &caller.tenant, &id).await?;
    }
    let live = app.lives.of(&app, &caller.tenant, &id);
    let (offset, limit) = which.place();
    let (rows, total) = if let Some(begun) = which.ranked(&app, &live, &caller.person.id, &teller).await? {
        let ids = &begun.ids;
        let total = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(ids.len());
        let to = (from + usize::try_from(limit).unwrap_or(0)).min(ids.len());
        (app.db.examples_by_id(&caller.tenant, &ids[from..to]).await?, total)
    } else {
        let wanted = which.wanted()?;
        app.db.page(&caller.tenant, &id, &wanted, offset, limit).await?
    };
    teller.read_own_marks(&app, &caller, &rows).await?;
    Ok(Json(Page { total, examples: rows.into_iter().map(|row| teller.tell(row)).collect() }))
}

/// One example.
#[utoipa::path(get, path = "/v1/examples/{id}", tag = "examples", responses((status = 200, body = Example)))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Example>, ApiError> {
    caller.may(Right::Look)?;
    let row = found(app.db.example(&caller.tenant, &id).await?)?;
    Ok(Json(told(&app, &caller, row).await?))
}

/// The file as it was given, or a range of it; a text as it is. Also of an example that was taken out: the history shows it.
#[utoipa::path(get, path = "/v1/examples/{id}/content", tag = "examples", params(Face), responses((status = 200), (status = 206)))]
pub(super) async fn content(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    Asked(Face { sense }): Asked<Face>,
) -> Result<Response, ApiError> {
    caller.may(Right::Look)?;
    let row = found(app.db.example_ever(&caller.tenant, &id).await?)?;
    match found(row.face(sense.as_deref()))? {
        Known::Text(text) => Ok(forever("text/plain; charset=utf-8", text.into_bytes())),
        Known::Blob(blob) => streaming::send(&app, blob, &headers).await,
    }
}

/// A small JPEG: of a picture, of a sound's spectrum, of a video, of the course of a series.
#[utoipa::path(get, path = "/v1/examples/{id}/thumbnail", tag = "examples", params(Look), responses((status = 200, content_type = "image/jpeg")))]
pub(super) async fn thumbnail(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(Look { sense, strip, large }): Asked<Look>,
) -> Result<Response, ApiError> {
    caller.may(Right::Look)?;
    let row = found(app.db.example_ever(&caller.tenant, &id).await?)?;
    let Known::Blob(blob) = found(row.face(sense.as_deref()))? else { return Err(ApiError::not_found()) };
    let made = match (strip, large) {
        (Some(1), _) => making::picture(&app, blob, "strip.jpg", pictures::strip).await?,
        (_, Some(1)) => making::picture(&app, blob, "large.jpg", pictures::large).await?,
        _ => making::picture(&app, blob, "thumb.jpg", pictures::thumbnail).await?,
    };
    Ok(forever("image/jpeg", found(made)?))
}

/// An example with what the quick model says of it.
pub(super) async fn told(app: &Arc<App>, caller: &Caller, row: ExampleRow) -> Result<Example, ApiError> {
    let mut teller = Teller::of(app, caller, &row.dataset).await?;
    teller.read_own_marks(app, caller, std::slice::from_ref(&row)).await?;
    Ok(teller.tell(row))
}

/// Names of people, by their ids.
pub(super) async fn names(app: &App, tenant: &Tenant) -> Result<HashMap<String, String>, ApiError> {
    Ok(app.db.people(tenant).await?.into_iter().map(|person| (person.id, person.name)).collect())
}

/// Whether what others said, people and the model, is hidden from who asks.
pub(super) fn is_veiled(dataset: &DatasetRow, caller: &Caller) -> bool {
    // A program that may only ask acts for a person all the same.
    dataset.blind == 1 && caller.role < Right::Edit.role()
}

/// Refuses who would see what is hidden from them.
pub(super) fn unveiled(dataset: &DatasetRow, caller: &Caller) -> Result<(), ApiError> {
    if !is_veiled(dataset, caller) {
        return Ok(());
    }
    let (en, zh) =
        ("who labels blindly does not see what others, or models, say", "盲标期间看不到他人或模型的回答");
    Err(ApiError::new(StatusCode::FORBIDDEN, "blind", en, zh).hint("ask an editor", "请联系编辑者"))
}

/// Whether there are marks on an example that are another's than this person's, or came with the data.
pub(super) fn hides_marks(row: &ExampleRow, person: &str) -> bool {
    row.marks.is_some() && row.marks_by.as_deref() != Some(person)
}

/// What examples of a data set are told with.
pub(super) struct Teller {
    pub(super) task: Task,
    pub(super) opinion: Option<Arc<Opinion>>,
    senses: Vec<Sense>,
    names: HashMap<String, String>,
    /// Where others' answers and marks are hidden from who asks: who that is, and their own answers by example.
    own: Option<(String, HashMap<String, String>)>,
    /// Whether several people are asked about each example.
    several: bool,
    /// Then what who asks marked, by example, where it was read.
    own_marks: Option<HashMap<String, (String, i64)>>,
}

impl Teller {
    pub(super) async fn of(app: &Arc<App>, caller: &Caller, dataset: &str) -> Result<Self, ApiError> {
        let tenant = &caller.tenant;
        let of = found(app.db.dataset(tenant, dataset).await?)?;
        let own = if is_veiled(&of, caller) {
            let person = &caller.person.id;
            Some((person.clone(), app.db.votes_by(tenant, dataset, person).await?))
        } else {
            None
        };
        let opinion = app.lives.of(app, tenant, dataset).opinion();
        let (task, senses) = (Task::named(&of.task)?, senses::named(of.senses.as_deref()));
        let (names, several) = (names(app, tenant).await?, of.annotators > 1);
        Ok(Self { task, opinion, senses, names, own, several, own_marks: None })
    }

    /// Reads what who asks marked on these examples, so that it is told with them, where each of several people has marks of their own.
    pub(super) async fn read_own_marks(
        &mut self,
        app: &App,
        caller: &Caller,
        rows: &[ExampleRow],
    ) -> Result<(), ApiError> {
        if self.several {
            let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
            self.own_marks = Some(app.db.markings_by(&caller.tenant, &caller.person.id, &ids).await?);
        }
        Ok(())
    }

    pub(super) fn tell(&self, mut row: ExampleRow) -> Example {
        let mut suggestion = self.opinion.as_ref().and_then(|opinion| opinion.suggestion(&row.id));
        if let Some((person, own)) = &self.own {
            (row.label, row.label_by, suggestion) = (own.get(&row.id).cloned(), None, None);
            if self.several {
                let own = self.own_marks.as_ref().map(|own| own.get(&row.id).cloned().unzip());
                (row.marks, row.marks_seq) =
                    own.map_or((None, UNSEEN), |(marks, seq)| (marks, seq.unwrap_or(0)));
            } else if hides_marks(&row, person) {
                (row.marks, row.marks_seq) = (None, UNSEEN);
            }
        }
        let own_marks = self.own_marks.as_ref().map(|own| {
            let own = own.get(&row.id);
            let event = own.map_or(0, |(_, seq)| *seq);
            OwnMarks { marks: marks::told(own.map(|(marks, _)| marks.as_str())), event }
        });
        let known = senses::of(row.senses.as_deref());
        let sense = |sense: &Sense| {
            let text = match known.get(&sense.name)? {
                Known::Text(text) => Some(text.clone()),
                Known::Blob(_) => None,
            };
            Some(Sensed { sense: sense.name.clone(), modality: sense.modality.to_string(), text })
        };
        let Answer { label, labels, number } = self.task.show(row.label.as_deref());
        Example {
            suggestion: suggestion.map(Suggestion::from),
            by: row.label_by.and_then(|id| self.names.get(&id).cloned()),
            marks: marks::told(row.marks.as_deref()),
            marks_event: row.marks_seq,
            own_marks,
            width: row.width,
            height: row.height,
            piece: row.piece.as_deref().and_then(|piece| serde_json::from_str(piece).ok()),
            id: row.id,
            name: row.name,
            text: row.body,
            senses: self.senses.iter().filter_map(sense).collect(),
            label,
            labels,
            number,
        }
    }
}
