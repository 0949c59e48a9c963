//! The examples on a plane, like beside like.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use pipeline::{Answers, Says};
use serde::Serialize;
use utoipa::ToSchema;

use super::examples::is_veiled;
use super::reading::found;
use crate::App;
use crate::error::ApiError;
use crate::live::Standing;
use crate::people::{Caller, Right};

/// Where examples lie: all lists are of one length.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Map {
    /// `looking`: features are being computed, or the map is being drawn. `ready`.
    state: &'static str,
    ids: Vec<String>,
    /// In [0, 1].
    x: Vec<f32>,
    /// In [0, 1].
    y: Vec<f32>,
    classes: Vec<String>,
    /// Places among the classes.
    labels: Vec<Option<u32>>,
    /// What the quick model would say, not having seen the label: places among the classes.
    suggestions: Vec<Option<u32>>,
}

/// Where the examples lie on a plane; ask again while it is being drawn.
#[utoipa::path(get, path = "/v1/datasets/{id}/map", tag = "examples", responses((status = 200, body = Map)))]
pub(super) async fn map(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Map>, ApiError> {
    caller.may(Right::Look)?;
    let of = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let live = app.lives.of(&app, &caller.tenant, &id);
    if let Standing::Failed(error) = live.standing() {
        return Err(error);
    }
    let (Some(places), Some(opinion)) = (live.map(), live.opinion()) else {
        return Ok(Json(Map { state: "looking", ..Map::default() }));
    };
    let n = opinion.ids.len();
    let none = vec![None; n];
    let (labels, suggestions) = match (&opinion.answers, &opinion.judged.says) {
        // What is not one class of several has no colour; what is hidden has none either.
        _ if is_veiled(&of, &caller) => (none.clone(), none),
        (Answers::Classes(given), Says::Classes(all)) => {
            (given.clone(), all.iter().map(|suggestion| suggestion.map(|(class, _)| class)).collect())
        }
        (Answers::Classes(given), _) => (given.clone(), none),
        _ => (none.clone(), none),
    };
    Ok(Json(Map {
        state: "ready",
        ids: opinion.ids.to_vec(),
        x: places.iter().map(|place| place[0]).collect(),
        y: places.iter().map(|place| place[1]).collect(),
        classes: opinion.classes.clone(),
        labels,
        suggestions,
    }))
}
