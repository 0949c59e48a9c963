//! Examples that somebody takes out of a data set, and brings back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reading::{Sent, found};
use crate::App;
use crate::error::ApiError;
use crate::people::{Caller, Right};

/// Examples at once.
const MOST_AT_ONCE: usize = 500;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal {
    /// At most 500, of this data set.
    examples: Vec<String>,
    /// True takes them out of sight, with their labels and marks; false brings them back as they were.
    removed: bool,
}

/// What taking out, or bringing back, did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Removed {
    /// The number of the last event.
    event: i64,
    /// How many were not so before. Where none was there is nothing to take back.
    n_changed: usize,
}

/// Takes examples out of a data set, or brings them back, all or none. They are not deleted: the history knows them, and an undo takes it back.
#[utoipa::path(post, path = "/v1/datasets/{id}/examples/removed", tag = "examples", request_body = Removal, responses((status = 200, body = Removed)))]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(Removal { examples, removed }): Sent<Removal>,
) -> Result<Json<Removed>, ApiError> {
    caller.may(Right::Edit)?;
    if examples.len() > MOST_AT_ONCE {
        return Err(ApiError::too_large("at most 500 examples at once", "一次最多 500 个样本"));
    }
    let chosen = (examples.as_slice(), removed);
    let written = found(app.db.set_removed(&caller.tenant, &id, chosen, &caller.person.id).await?)?;
    app.lives.of(&app, &caller.tenant, &id).hear(&app).await;
    Ok(Json(Removed { event: written.seq, n_changed: written.n_changed }))
}
