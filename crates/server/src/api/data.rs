//! Data sets and their classes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::reading::{Asked, Sent, found, name_of, was_there};
use crate::App;
use crate::answering::lang_of;
use crate::clock::written;
use crate::db::Tenant;
use crate::db::datasets::DatasetRow;
use crate::error::ApiError;
use crate::people::{Caller, Right};

/// A data set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Dataset {
    id: String,
    name: String,
    /// `image`, `text` or `sound`; absent while it is empty.
    modality: Option<String>,
    /// In the order of their making.
    classes: Vec<Class>,
    n_examples: i64,
    n_labelled: i64,
    n_problems: i64,
    created_at: String,
    updated_at: String,
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

#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct Format {
    /// `csv` or `jsonl`.
    format: Option<String>,
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
#[utoipa::path(post, path = "/v1/datasets", tag = "data", request_body = Name, responses((status = 200, body = Dataset)))]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(new): Sent<Name>,
) -> Result<Json<Dataset>, ApiError> {
    caller.may(Right::Edit)?;
    let id = app.db.add_dataset(&caller.tenant, &name_of(&new.name)?).await?;
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

/// Gives a data set another name.
#[utoipa::path(patch, path = "/v1/datasets/{id}", tag = "data", request_body = Name, responses((status = 200, body = Dataset)))]
pub(super) async fn rename(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(new): Sent<Name>,
) -> Result<Json<Dataset>, ApiError> {
    caller.may(Right::Edit)?;
    was_there(app.db.rename_dataset(&caller.tenant, &id, &name_of(&new.name)?).await?)?;
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
    told(&app, &caller.tenant, &id).await
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
        was_there(app.db.rename_class(&caller.tenant, &id, &class, &name, &caller.person.id).await?)?;
        app.lives.forget(&id);
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
    Ok(StatusCode::NO_CONTENT)
}

/// The names, texts and labels as a table: CSV unless asked otherwise.
#[utoipa::path(get, path = "/v1/datasets/{id}/export", tag = "data", params(Format), responses((status = 200)))]
pub(super) async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(Format { format }): Asked<Format>,
) -> Result<Response, ApiError> {
    caller.may(Right::Look)?;
    let dataset = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let rows = app.db.all_examples(&caller.tenant, &id).await?;
    let texts = dataset.modality.as_deref() == Some("text");
    let content = match dataset.modality.as_deref() {
        Some("text") => "text",
        Some(modality) => modality,
        None => "name",
    };
    let of = |row: &crate::db::examples::ExampleRow| {
        let content = if texts { row.body.clone() } else { Some(row.name.clone()) };
        (content.unwrap_or_default(), row.label.clone())
    };
    let (kind, bytes) = match format.as_deref().unwrap_or("csv") {
        "csv" => ("text/csv; charset=utf-8", csv_of(content, rows.iter().map(of))?),
        "jsonl" => ("application/jsonl", jsonl_of(content, rows.iter().map(of))),
        _ => return Err(ApiError::invalid("`format` is csv or jsonl", "format 须为 csv 或 jsonl")),
    };
    let name = format!("attachment; filename=\"labels.{}\"", format.as_deref().unwrap_or("csv"));
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)], bytes).into_response())
}

fn csv_of(content: &str, rows: impl Iterator<Item = (String, Option<String>)>) -> Result<Vec<u8>, ApiError> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| ApiError::internal(&error);
    out.write_record([content, "label"]).map_err(failed)?;
    for (content, label) in rows {
        out.write_record([&content, &label.unwrap_or_default()]).map_err(failed)?;
    }
    out.into_inner().map_err(|error| ApiError::internal(&error))
}

fn jsonl_of(content: &str, rows: impl Iterator<Item = (String, Option<String>)>) -> Vec<u8> {
    let lines =
        rows.map(|(value, label)| format!("{}\n", serde_json::json!({ content: value, "label": label })));
    lines.collect::<String>().into_bytes()
}

/// A data set with its classes.
pub(super) async fn told(app: &App, tenant: &Tenant, id: &str) -> Result<Json<Dataset>, ApiError> {
    let row = found(app.db.dataset(tenant, id).await?)?;
    Ok(Json(whole(app, tenant, row).await?))
}

async fn whole(app: &App, tenant: &Tenant, row: DatasetRow) -> Result<Dataset, ApiError> {
    let classes = app.db.classes(tenant, &row.id).await?;
    Ok(Dataset {
        classes: classes.into_iter().map(|(name, count)| Class { name, count }).collect(),
        id: row.id,
        name: row.name,
        modality: row.modality,
        n_examples: row.n_examples,
        n_labelled: row.n_labelled,
        n_problems: row.n_problems,
        created_at: written(row.created_at),
        updated_at: written(row.updated_at),
    })
}
