//! Labelling: one after the other, or many at once; taking back; what was said.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use evaluate::Estimate;
use pipeline::Lang;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::book::{self, BrokenByMany, BrokenRule};
use super::examples::{Example, Teller, is_veiled};
use super::opinions::warning;
use super::queue::{USUAL_NEXT, goes_by_marks};
use super::reading::{Asked, Sent, found};
use crate::App;
use crate::answering::lang_of;
use crate::clock::written;
use crate::db;
use crate::db::datasets::DatasetRow;
use crate::db::labels::{Act, Said, What};
use crate::error::ApiError;
use crate::people::{Caller, Right};
use crate::tasks::{Answer, Task};

/// Labels given at once.
const MOST_AT_ONCE: usize = 10_000;
/// Events of a page.
const MOST_EVENTS: i64 = 1000;
/// How long who labels waits for what the label book has to say: hardly any rule takes a tenth of it, and more is felt.
const BOOK_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    pub(super) example: String,
    /// Where one class of several is asked for. A new name makes a new class; null, without the other two, takes the answer away.
    label: Option<String>,
    /// Where several labels are; an empty list says that none applies.
    labels: Option<Vec<String>>,
    /// Where a number is.
    number: Option<f64>,
    /// How long the person looked at it.
    milliseconds: Option<i64>,
    /// Where the person came upon it. Only what the queue asked for can count as drawn, so that the quick model is measured on it.
    from: Option<Origin>,
}

/// Where a person came upon an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Origin {
    /// The queue asked for it.
    Queue,
    /// The person picked it.
    Elsewhere,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Many {
    /// Of many at once a person picked the examples: they do not count as drawn, whatever `from` says.
    labels: Vec<Given>,
}

/// What a label did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Taken {
    /// The number of the event.
    event: i64,
    n_labelled: i64,
    /// Whether anything is otherwise than before, so that there is something to take back.
    changed: bool,
    /// What speaks against the label: a rule of the label book, or else the quick model.
    warning: Option<String>,
    /// The rule that does.
    broken: Option<BrokenRule>,
}

/// What labels that were given at once did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TakenMany {
    /// The number of the last event.
    event: i64,
    n_labelled: i64,
    /// How many of them changed anything. Where none did there is nothing to take back: an undo would reach what was given before.
    n_changed: usize,
    /// The rules of the label book that speak against some of them; the labels stand.
    broken: Vec<BrokenByMany>,
    /// Labels of which a rule could not tell, as it asks for what was not measured.
    n_unsure: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Undone {
    example: Example,
    /// `label`, `marks`, or `presence`: the example was taken out or brought back.
    what: &'static str,
    /// The label that was taken back.
    undone: Option<String>,
    /// How many labels, marks or examples the same request was about: all are taken back.
    n: usize,
}

/// A label that was given, taken away or taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LabelEvent {
    event: i64,
    example: Named,
    /// `label`, `marks`, which are not shown here, `marking`, those of one of several people, or `presence`: whether it is there.
    what: String,
    /// `import`, `give`, `decide` about a finding, `settle` a dispute, `undo`, `rename`, `restore` as it was at a state, `remove` or `return`.
    act: String,
    label: Option<String>,
    before: Option<String>,
    /// Absent where the label came with the data.
    by: Option<String>,
    at: String,
    /// Whether it took another event back.
    undo: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Named {
    id: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Events {
    events: Vec<LabelEvent>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Last {
    limit: Option<i64>,
    /// Only those about this example.
    example: Option<String>,
}

/// A number with its 95 % interval.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub(crate) struct Measure {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    /// On how many examples.
    pub(super) n: usize,
}

impl From<Estimate> for Measure {
    fn from(Estimate { value, low, high, n }: Estimate) -> Self {
        Self { value, low, high, n }
    }
}

/// Gives an example a label.
#[utoipa::path(post, path = "/v1/datasets/{id}/labels", tag = "labels", request_body = Given, responses((status = 200, body = Taken)))]
pub(super) async fn give(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    Sent(given): Sent<Given>,
) -> Result<Json<Taken>, ApiError> {
    caller.may(Right::Label)?;
    let of = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let lang = lang_of(&headers);
    let opinion = app.lives.of(&app, &caller.tenant, &id).opinion().filter(|_| !is_veiled(&of, &caller));
    let answer = given.answer()?;
    let doubt = opinion.and_then(|opinion| warning(&opinion, &given.example, &answer, lang));
    let drawn = is_drawn(&app, &caller, &of, &given).await?;
    let taken = take(&app, &caller, &of, std::slice::from_ref(&given), drawn).await?;
    let (warning, broken) = objection(&app, &caller, &of, &given, lang).await.unzip();
    let warning = warning.or(doubt);
    let n_labelled = app.db.n_labelled(&caller.tenant, &id).await?;
    Ok(Json(Taken { event: taken.seq, n_labelled, changed: taken.n_changed > 0, warning, broken }))
}

/// What a rule of the label book has against a label that was given. The label stands whatever comes of it.
async fn objection(
    app: &Arc<App>,
    caller: &Caller,
    of: &DatasetRow,
    given: &Given,
    lang: Lang,
) -> Option<(String, BrokenRule)> {
    let label = given.label.as_deref()?.trim();
    patiently(of, book::against(app, caller, of, (&given.example, label), lang)).await?
}

/// What the label book has to say, unless it fails or takes too long: neither takes a label away that was given.
async fn patiently<T>(of: &DatasetRow, asked: impl Future<Output = Result<T, ApiError>>) -> Option<T> {
    match tokio::time::timeout(BOOK_PATIENCE, asked).await {
        Ok(Ok(said)) => Some(said),
        Ok(Err(error)) => {
            tracing::warn!(dataset = of.id, code = error.code, "the label book could not be asked");
            None
        }
        Err(_) => {
            tracing::warn!(dataset = of.id, "the label book took too long");
            None
        }
    }
}

/// Gives many examples their labels, in order.
#[utoipa::path(post, path = "/v1/datasets/{id}/labels/batch", tag = "labels", request_body = Many, responses((status = 200, body = TakenMany)))]
pub(super) async fn give_many(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    Sent(many): Sent<Many>,
) -> Result<Json<TakenMany>, ApiError> {
    caller.may(Right::Label)?;
    if many.labels.len() > MOST_AT_ONCE {
        return Err(ApiError::too_large("at most 10,000 labels at once", "一次最多 1 万个标注"));
    }
    let of = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let taken = take(&app, &caller, &of, &many.labels, false).await?;
    let classed =
        many.labels.iter().filter_map(|given| Some((given.example.as_str(), given.label.as_deref()?.trim())));
    let classed: Vec<(&str, &str)> = classed.collect();
    let asked = book::against_many(&app, &caller, &of, &classed, lang_of(&headers));
    // Where the book is not heard, of none of them could be told.
    let (broken, n_unsure) = patiently(&of, asked).await.unwrap_or((Vec::new(), classed.len()));
    let n_labelled = app.db.n_labelled(&caller.tenant, &id).await?;
    let (event, n_changed) = (taken.seq, taken.n_changed);
    Ok(Json(TakenMany { event, n_labelled, n_changed, broken, n_unsure }))
}

/// Whether chance asked for the example: in its half of the queue, or as long as nothing was looked at in all of it. What a person picked
/// elsewhere is no draw, though it stand in the queue as well.
async fn is_drawn(app: &Arc<App>, caller: &Caller, of: &DatasetRow, given: &Given) -> Result<bool, ApiError> {
    if given.from != Some(Origin::Queue) {
        return Ok(false);
    }
    if let Some(opinion) = app.lives.of(app, &caller.tenant, &of.id).opinion() {
        return Ok(opinion.draws(&given.example));
    }
    let next = app.db.next_by_chance(&caller.tenant, &of.id, goes_by_marks(of), USUAL_NEXT as i64).await?;
    Ok(next.contains(&given.example))
}

/// Takes labels, all or none, and lets the quick model know. Of many at once a person picked the examples: they are not `drawn`.
async fn take(
    app: &Arc<App>,
    caller: &Caller,
    of: &DatasetRow,
    given: &[Given],
    drawn: bool,
) -> Result<db::labels::Written, ApiError> {
    let (task, dataset) = (Task::named(&of.task)?, of.id.as_str());
    let live = app.lives.of(app, &caller.tenant, dataset);
    let labels = given.iter().map(|given| task.keep(&given.answer()?));
    let labels = labels.collect::<Result<Vec<Option<String>>, ApiError>>()?;
    let said = labels.iter().zip(given).map(|(label, given)| Said {
        example: &given.example,
        what: What::Label,
        after: label.as_deref(),
        classes: label.as_deref().map(|label| task.classes(label)).unwrap_or_default(),
        person: &caller.person.id,
        milliseconds: given.milliseconds.filter(|spent| *spent >= 0),
        drawn,
        act: Act::Give,
    });
    let said: Vec<Said<'_>> = said.collect();
    let written = found(app.db.label(&caller.tenant, dataset, &said).await?)?;
    live.hear(app).await;
    Ok(written)
}

impl Given {
    /// With names as they are kept.
    pub(super) fn answer(&self) -> Result<Answer, ApiError> {
        Answer::given(self.label.as_ref(), self.labels.as_ref(), self.number)
    }
}

/// Takes back the last label or marks that this person gave here, or examples that they took out or brought back, with all of the same request.
/// What was before the data last went back to a state is not reached: going back to the state before that takes it back as a whole.
#[utoipa::path(post, path = "/v1/datasets/{id}/undo", tag = "labels", responses((status = 200, body = Undone)))]
pub(super) async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Undone>, ApiError> {
    caller.may(Right::Label)?;
    let may_edit = caller.may(Right::Edit).is_ok();
    let undone = app.db.undo(&caller.tenant, &id, (&caller.person.id, may_edit)).await?;
    let n = undone.len();
    let db::labels::Undone { example, what, label } = found(undone.into_iter().next())?;
    let row = found(app.db.example_ever(&caller.tenant, &example).await?)?;
    if what != What::Marks.name() {
        app.lives.of(&app, &caller.tenant, &id).hear(&app).await;
    }
    let mut teller = Teller::of(&app, &caller, &id).await?;
    teller.read_own_marks(&app, &caller, std::slice::from_ref(&row)).await?;
    let undone = label.filter(|_| what == What::Label.name()).map(|label| teller.task.words(&label));
    Ok(Json(Undone { example: teller.tell(row), what, undone, n }))
}

/// The last labels, the newest first. None is ever changed: corrections are events of their own.
#[utoipa::path(get, path = "/v1/datasets/{id}/events", tag = "labels", params(Last), responses((status = 200, body = Events)))]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(Last { limit, example }): Asked<Last>,
) -> Result<Json<Events>, ApiError> {
    caller.may(Right::Look)?;
    let of = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let task = Task::named(&of.task)?;
    let limit = limit.unwrap_or(100).clamp(0, MOST_EVENTS);
    let veiled = is_veiled(&of, &caller);
    let of_whom = (example.as_deref(), veiled.then_some(caller.person.id.as_str()));
    let rows = app.db.events(&caller.tenant, &id, of_whom, limit).await?;
    let words = |what: &str, kept: Option<String>| {
        kept.filter(|_| what == What::Label.name()).map(|kept| task.words(&kept))
    };
    let events = rows.into_iter().map(|row| LabelEvent {
        event: row.seq,
        example: Named { id: row.example, name: row.example_name },
        label: words(&row.what, row.label),
        // What was there before may be another's word.
        before: words(&row.what, row.before).filter(|_| !veiled),
        what: row.what,
        act: row.act,
        by: row.person,
        at: written(row.at),
        undo: row.undoes.is_some(),
    });
    Ok(Json(Events { events: events.collect() }))
}
