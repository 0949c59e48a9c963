//! Bringing files in, piece by piece.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::reading::{Asked, found};
use super::work::{Job, told};
use crate::App;
use crate::db::Tenant;
use crate::db::uploads::Reserved;
use crate::error::ApiError;
use crate::people::{Caller, Right};

/// An upload under way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Upload {
    id: String,
    dataset: String,
    /// Reads what arrived, from when the upload was finished; nothing is added to it then.
    job: Option<String>,
    /// What has arrived.
    files: Vec<Arrived>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Arrived {
    path: String,
    /// Bytes.
    size: u64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Piece {
    /// Where the file lies below what was dropped, such as `good/001.jpg`.
    path: String,
    /// Bytes of the file that were sent before.
    #[serde(default)]
    offset: u64,
}

/// Begins an upload. Nothing of it is seen until it is finished.
#[utoipa::path(post, path = "/v1/datasets/{id}/uploads", tag = "uploads", responses((status = 200, body = Upload)))]
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(dataset): Path<String>,
) -> Result<Json<Upload>, ApiError> {
    caller.may(Right::Edit)?;
    let id = found(app.db.add_upload(&caller.tenant, &dataset).await?)?;
    Ok(Json(Upload { id, dataset, job: None, files: Vec::new() }))
}

/// Shows what has arrived, so that an upload that was cut off can go on, and which job reads it once it was finished.
#[utoipa::path(get, path = "/v1/uploads/{id}", tag = "uploads", responses((status = 200, body = Upload)))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Upload>, ApiError> {
    caller.may(Right::Edit)?;
    let (dataset, job) = found(app.db.upload(&caller.tenant, &id).await?)?;
    let (uploads, folder) = (app.uploads.clone(), id.clone());
    let files = app.blocking(move || Ok(uploads.files(&folder)?)).await?;
    let files = files.into_iter().map(|(path, size)| Arrived { path, size }).collect();
    Ok(Json(Upload { id, dataset, job, files }))
}

/// Adds a piece to the end of a file.
#[utoipa::path(
    put, path = "/v1/uploads/{id}/file", tag = "uploads", params(Piece),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Arrived), (status = 409, body = crate::error::ErrorBody))
)]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(Piece { path, offset }): Asked<Piece>,
    bytes: Bytes,
) -> Result<Json<Arrived>, ApiError> {
    caller.may(Right::Edit)?;
    open(&app, &caller, &id).await?;
    // A client that hangs up half-way must not leave room taken for what is not there, or what is there without its room.
    let added = tokio::spawn(add(app, caller.tenant, id, Piece { path, offset }, bytes));
    Ok(Json(added.await.map_err(|error| ApiError::internal(&error))??))
}

/// Takes room for a piece and writes it.
async fn add(
    app: Arc<App>,
    tenant: Tenant,
    id: String,
    Piece { path, offset }: Piece,
    bytes: Bytes,
) -> Result<Arrived, ApiError> {
    let n_bytes = bytes.len() as i64;
    let most = i64::try_from(app.uploads.most()).unwrap_or(i64::MAX);
    match app.db.reserve(&tenant, &id, (n_bytes, most), app.limits).await? {
        Reserved::Taken => {}
        Reserved::TooLarge => return Err(app.uploads.too_large()),
        Reserved::Full(full) => return Err(full.into()),
        Reserved::Over => return Err(over()),
    }
    let (uploads, name, folder) = (app.uploads.clone(), path.clone(), id.clone());
    match app.blocking(move || uploads.append(&folder, &name, offset, &bytes)).await {
        Ok(size) => Ok(Arrived { path, size }),
        Err(error) => {
            app.db.release(&tenant, &id, n_bytes).await?;
            Err(error)
        }
    }
}

/// Ends an upload: what arrived is read and becomes examples, all at once.
#[utoipa::path(post, path = "/v1/uploads/{id}/finish", tag = "uploads", responses((status = 200, body = Job)))]
pub(super) async fn finish(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Job>, ApiError> {
    caller.may(Right::Edit)?;
    let job = app.db.finish_upload(&caller.tenant, &id, &app.name).await?.job()?;
    app.wake.notify_waiters();
    told(&app, &caller, &job).await
}

/// Drops an upload and what arrived of it.
#[utoipa::path(delete, path = "/v1/uploads/{id}", tag = "uploads", responses((status = 204)))]
pub(super) async fn forget(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Edit)?;
    open(&app, &caller, &id).await?;
    let (uploads, folder) = (app.uploads.clone(), id.clone());
    app.blocking(move || Ok(uploads.forget(&folder)?)).await?;
    app.db.remove_upload(&caller.tenant, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses an upload that was finished.
async fn open(app: &App, caller: &Caller, id: &str) -> Result<(), ApiError> {
    let (_, job) = found(app.db.upload(&caller.tenant, id).await?)?;
    if job.is_some() {
        return Err(over());
    }
    Ok(())
}

fn over() -> ApiError {
    ApiError::conflict("this upload was finished", "此上传已完成")
}
