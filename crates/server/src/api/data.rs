//! Data sets and their classes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reading::{Sent, found, name_of, was_there};
use crate::App;
use crate::answering::lang_of;
use crate::clock::written;
use crate::db::Tenant;
use crate::db::datasets::DatasetRow;
use crate::db::renaming::Renaming;
use crate::error::ApiError;
use crate::gathering;
use crate::people::{Caller, Right};
use crate::senses;
use crate::tasks::Task;

/// People that are asked about one example.
const MOST_ANNOTATORS: i64 = 10;

/// A data set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Dataset {
    id: String,
    name: String,
    /// `image`, `text`, `sound`, `video`, `series` or `senses`; absent while it is empty.
    modality: Option<String>,
    /// Where examples have several, by the names of their columns.
    senses: Vec<Sense>,
    /// What is asked of each example: `class`, one of several; `classes`, any number of them; `number`.
    task: String,
    /// Whether these are photos of which one class says that nothing is wrong: tuning makes an inspector of them.
    inspects: bool,
    /// Of the answers so far, where they are numbers.
    number: Option<Range>,
    /// How many people are asked about each example; with more than one, what most of them say holds.
    annotators: i64,
    /// Whether labellers do not see what others, people or the model, say.
    blind: bool,
    /// In the order of their making.
    classes: Vec<Class>,
    n_examples: i64,
    n_labelled: i64,
    /// Examples with at least one mark.
    n_marked: i64,
    n_problems: i64,
    created_at: String,
    updated_at: String,
}

/// One of several kinds of content that examples have.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sense {
    name: String,
    modality: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Range {
    low: f64,
    high: f64,
}

/// A data set that is not there yet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    name: String,
    /// `class` when absent.
    task: Option<String>,
}

/// What to change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    name: Option<String>,
    /// Only while no example has an answer.
    task: Option<String>,
    /// 1 to 10.
    annotators: Option<i64>,
    blind: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Class {
    name: String,
    /// Examples with this label.
    count: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Datasets {
    datasets: Vec<Dataset>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Name {
    name: String,
}

/// What was left out when data came in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The file, or file and row.
    place: String,
    /// What is wrong and what to do.
    message: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problems {
    problems: Vec<Problem>,
}

/// Lists the data sets, the one that changed last first.
#[utoipa::path(get, path = "/v1/datasets", tag = "data", responses((status = 200, body = Datasets)))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Datasets>, ApiError> {
    caller.may(Right::Look)?;
    let mut datasets = Vec::new();
    for row in app.db.datasets(&caller.tenant).await? {
        datasets.push(whole(&app, &caller.tenant, row).await?);
    }
    Ok(Json(Datasets { datasets }))
}

/// Makes an empty data set.
#[utoipa::path(post, path = "/v1/datasets", tag = "data", request_body = New, responses((status = 200, body = Dataset)))]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(new): Sent<New>,
) -> Result<Json<Dataset>, ApiError> {
    caller.may(Right::Edit)?;
    let task = new.task.as_deref().map_or(Ok(Task::Class), Task::named)?;
    let id = app.db.add_dataset(&caller.tenant, &name_of(&new.name)?, task).await?;
    app.db.note(&caller.tenant, &caller.person.name, "make data set", &id).await?;
    told(&app, &caller.tenant, &id).await
}

/// Shows a data set.
#[utoipa::path(get, path = "/v1/datasets/{id}", tag = "data", responses((status = 200, body = Dataset)))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Dataset>, ApiError> {
    caller.may(Right::Look)?;
    told(&app, &caller.tenant, &id).await
}

/// Gives a data set another name, or asks something else of its examples.
#[utoipa::path(patch, path = "/v1/datasets/{id}", tag = "data", request_body = Change, responses((status = 200, body = Dataset)))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(change): Sent<Change>,
) -> Result<Json<Dataset>, ApiError> {
    caller.may(Right::Edit)?;
    let of = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let name = change.name.as_deref().map(name_of).transpose()?;
    let task = change.task.as_deref().map(Task::named).transpose()?;
    let annotators = change.annotators.unwrap_or(of.annotators);
    if !(1..=MOST_ANNOTATORS).contains(&annotators) {
        return Err(ApiError::invalid("`annotators` is 1 to 10", "annotators 须为 1 到 10"));
    }
    if let Some(task) = task {
        if !app.db.set_task(&caller.tenant, &id, task).await? {
            let (en, zh) = ("examples have answers already", "已有样本作答");
            return Err(ApiError::conflict(en, zh)
                .hint("make a new data set for another question", "请为另一种问题新建数据集"));
        }
        app.lives.forget(&id);
        app.db.note(&caller.tenant, &caller.person.name, "change task", &id).await?;
    }
    if change.annotators.is_some() || change.blind.is_some() {
        let blind = change.blind.unwrap_or(of.blind == 1);
        was_there(app.db.set_annotators(&caller.tenant, &id, annotators, blind).await?)?;
        app.db.note(&caller.tenant, &caller.person.name, "set annotators", &id).await?;
    }
    if let Some(name) = name {
        was_there(app.db.rename_dataset(&caller.tenant, &id, &name).await?)?;
        app.db.note(&caller.tenant, &caller.person.name, "rename data set", &id).await?;
    }
    told(&app, &caller.tenant, &id).await
}

/// Takes a data set out, with its examples and labels; their files go within two hours. Models made of it stay.
#[utoipa::path(delete, path = "/v1/datasets/{id}", tag = "data", responses((status = 204)))]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Edit)?;
    let gone = was_there(app.db.remove_dataset(&caller.tenant, &id).await?)?;
    app.lives.forget(&id);
    app.db.note(&caller.tenant, &caller.person.name, "remove data set", &id).await?;
    Ok(gone)
}

/// Lists what was left out when data came in, and why.
#[utoipa::path(get, path = "/v1/datasets/{id}/problems", tag = "data", responses((status = 200, body = Problems)))]
pub(super) async fn problems(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: axum::http::HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Problems>, ApiError> {
    caller.may(Right::Look)?;
    found(app.db.dataset(&caller.tenant, &id).await?)?;
    let lang = lang_of(&headers);
    let rows = app.db.problems(&caller.tenant, &id).await?;
    let problem = |(place, en, zh): (String, String, String)| Problem { place, message: lang.pick(en, zh) };
    Ok(Json(Problems { problems: rows.into_iter().map(problem).collect() }))
}

/// Makes a class that no example has yet.
#[utoipa::path(post, path = "/v1/datasets/{id}/classes", tag = "data", request_body = Name, responses((status = 200, body = Dataset)))]
pub(super) async fn add_class(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(new): Sent<Name>,
) -> Result<Json<Dataset>, ApiError> {
    caller.may(Right::Label)?;
    app.db.add_class(&caller.tenant, &id, &name_of(&new.name)?).await?;
    let told = told(&app, &caller.tenant, &id).await?;
    app.db.note(&caller.tenant, &caller.person.name, "add class", &id).await?;
    Ok(told)
}

/// Gives a class another name. One that is there already takes its examples over.
#[utoipa::path(patch, path = "/v1/datasets/{id}/classes/{class}", tag = "data", request_body = Name, responses((status = 200, body = Dataset)))]
pub(super) async fn rename_class(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, class)): Path<(String, String)>,
    Sent(new): Sent<Name>,
) -> Result<Json<Dataset>, ApiError> {
    caller.may(Right::Edit)?;
    let name = name_of(&new.name)?;
    if name != class {
        let renaming = Renaming { name: &class, to: &name, person: &caller.person.id };
        was_there(app.db.rename_class(&caller.tenant, &id, &renaming).await?)?;
        app.lives.forget(&id);
        app.db.note(&caller.tenant, &caller.person.name, "rename class", &id).await?;
    }
    told(&app, &caller.tenant, &id).await
}

/// Takes a class out that no example has.
#[utoipa::path(delete, path = "/v1/datasets/{id}/classes/{class}", tag = "data", responses((status = 204)))]
pub(super) async fn remove_class(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, class)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Edit)?;
    let classes = app.db.classes(&caller.tenant, &id).await?;
    found(classes.iter().find(|(name, _)| *name == class))?;
    if !app.db.remove_class(&caller.tenant, &id, &class).await? {
        let (en, zh) = (
            "examples have this class: rename it, or give them another",
            "仍有样本属于该类别：请重命名，或改标这些样本",
        );
        return Err(ApiError::conflict(en, zh));
    }
    app.db.note(&caller.tenant, &caller.person.name, "remove class", &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A data set with its classes.
pub(super) async fn told(app: &App, tenant: &Tenant, id: &str) -> Result<Json<Dataset>, ApiError> {
    let row = found(app.db.dataset(tenant, id).await?)?;
    Ok(Json(whole(app, tenant, row).await?))
}

async fn whole(app: &App, tenant: &Tenant, row: DatasetRow) -> Result<Dataset, ApiError> {
    let classes = app.db.classes(tenant, &row.id).await?;
    let task = Task::named(&row.task)?;
    let number = if task == Task::Number { app.db.range(tenant, &row.id).await? } else { None };
    Ok(Dataset {
        inspects: gathering::inspects(
            &row,
            classes.iter().filter(|(_, n)| *n > 0).map(|(name, _)| name.as_str()),
        ),
        number: number.map(|(low, high)| Range { low, high }),
        task: row.task,
        annotators: row.annotators,
        blind: row.blind == 1,
        n_marked: row.n_marked,
        classes: classes.into_iter().map(|(name, count)| Class { name, count }).collect(),
        id: row.id,
        name: row.name,
        senses: senses::named(row.senses.as_deref())
            .into_iter()
            .map(|sense| Sense { name: sense.name, modality: sense.modality.to_string() })
            .collect(),
        modality: row.modality,
        n_examples: row.n_examples,
        n_labelled: row.n_labelled,
        n_problems: row.n_problems,
        created_at: written(row.created_at),
        updated_at: written(row.updated_at),
    })
}
