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
use crate::live::{Opinion, Standing};
use crate::people::{Caller, Right};

/// Where examples lie: lists have a place for each, or are empty where there is nothing to say.
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
    /// Where several labels are asked for: their places among the classes, instead of `labels`; and what the quick model would say.
    sets: Vec<Option<Vec<u32>>>,
    suggested_sets: Vec<Option<Vec<u32>>>,
    /// Where a number is asked for, instead of `labels`; and what the quick model would say.
    numbers: Vec<Option<f64>>,
    suggested_numbers: Vec<Option<f64>>,
    /// Whether the quick model would not have given the answer that there is.
    disagrees: Vec<bool>,
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
    let (Some(places), Some(opinion)) = (live.map()?, live.opinion()) else {
        return Ok(Json(Map { state: "looking", ..Map::default() }));
    };
    // What is hidden has no colour.
    let coloured = if is_veiled(&of, &caller) { Map::default() } else { Map::coloured(&opinion) };
    Ok(Json(Map {
        state: "ready",
        ids: opinion.ids.to_vec(),
        x: places.iter().map(|place| place[0]).collect(),
        y: places.iter().map(|place| place[1]).collect(),
        classes: opinion.classes.clone(),
        ..coloured
    }))
}

impl Map {
    /// What people and the quick model say of each example; lists of other kinds of answers are empty.
    fn coloured(opinion: &Opinion) -> Self {
        let n = opinion.ids.len();
        let mut map =
            Self { disagrees: (0..n).map(|row| opinion.is_against(row)).collect(), ..Self::default() };
        match &opinion.answers {
            Answers::Classes(given) => map.labels.clone_from(given),
            Answers::Sets(given) => map.sets.clone_from(given),
            Answers::Numbers(given) => map.numbers.clone_from(given),
        }
        match &opinion.judged.says {
            Says::Nothing => {}
            Says::Classes(all) => {
                map.suggestions = all.iter().map(|said| said.map(|(class, _)| class)).collect();
            }
            Says::Sets(_) => map.suggested_sets = (0..n).map(|row| opinion.suggested_set(row)).collect(),
            Says::Numbers { told, .. } => map.suggested_numbers = told.iter().copied().map(Some).collect(),
        }
        map
    }
}
