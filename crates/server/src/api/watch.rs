//! What those ask who keep the server running.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::App;
use crate::error::ApiError;

/// Says that the process lives.
#[utoipa::path(get, path = "/health", tag = "watching", responses((status = 200)))]
pub(super) async fn health() -> &'static str {
    "ok"
}

/// Says that requests can be answered: the database does.
#[utoipa::path(get, path = "/ready", tag = "watching", responses((status = 200), (status = 503, body = crate::error::ErrorBody)))]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<&'static str, ApiError> {
    app.db.has_people().await?;
    Ok("ready")
}

/// Counters for Prometheus. They hold no name that somebody gave.
#[utoipa::path(get, path = "/metrics", tag = "watching", responses((status = 200, content_type = "text/plain")))]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4")],
        app.counters.page(app.serving.n_inputs_and_batches(), app.places.n_open_and_refused()),
    )
}
