//! The course of a series, thinned out so that a page can draw it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use base::series::{Channel, even, read};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::examples::Face;
use super::reading::{Asked, found};
use crate::App;
use crate::error::ApiError;
use crate::people::{Caller, Right};
use crate::senses::Known;

/// Most places of a channel: as many as a wide drawing has columns.
const PLACES: usize = 1000;

/// A series as it is drawn.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Course {
    /// Steps that were taken.
    n_steps: usize,
    /// Steps a second; absent where no clock counts seconds.
    rate: Option<f64>,
    channels: Vec<Drawn>,
}

/// One sensor.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Drawn {
    name: String,
    /// Least and greatest value of equal pieces of the series, at most a thousand, in order; none where no value is there.
    values: Vec<Option<[f32; 2]>>,
}

/// The sensors of a series over time.
#[utoipa::path(get, path = "/v1/examples/{id}/series", tag = "examples", params(Face), responses((status = 200, body = Course)))]
pub(super) async fn course(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(Face { sense }): Asked<Face>,
) -> Result<Json<Course>, ApiError> {
    caller.may(Right::Look)?;
    let row = found(app.db.example(&caller.tenant, &id).await?)?;
    let Known::Blob(blob) = found(row.face(sense.as_deref()))? else { return Err(ApiError::not_found()) };
    let blobs = app.blobs.clone();
    let drawn = app
        .blocking(move || {
            let mut failed = None;
            let make = |path: &std::path::Path| match drawn(path) {
                Ok(course) => serde_json::to_vec(&course).ok(),
                Err(error) => {
                    failed = Some(error);
                    None
                }
            };
            let bytes = blobs.derived(&blob, "course.json", make)?;
            bytes.ok_or_else(|| failed.unwrap_or_else(ApiError::not_found))
        })
        .await?;
    Ok(Json(serde_json::from_slice(&drawn).map_err(|error| ApiError::internal(&error))?))
}

fn drawn(path: &std::path::Path) -> Result<Course, ApiError> {
    let (series, _) = read(path).map_err(|error| {
        let (en, zh) = (format!("this is no series: {error}"), format!("这不是传感器序列：{error}"));
        ApiError::invalid(en, zh).hint("a series is a table of numbers", "序列应为数值表格")
    })?;
    let n_steps = series.len();
    let (series, _) = even(series);
    let channel = |channel: &Channel| Drawn { name: channel.name.clone(), values: thinned(&channel.values) };
    Ok(Course { n_steps, rate: series.rate, channels: series.channels.iter().map(channel).collect() })
}

/// Least and greatest of equal pieces: what stands out shows, however long the series.
fn thinned(values: &[f32]) -> Vec<Option<[f32; 2]>> {
    let n = values.len().min(PLACES);
    let piece = |place: usize| &values[place * values.len() / n..((place + 1) * values.len()).div_ceil(n)];
    let ends = |place: usize| {
        let finite = || piece(place).iter().copied().filter(|value| value.is_finite());
        Some([finite().reduce(f32::min)?, finite().reduce(f32::max)?])
    };
    (0..n).map(ends).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_out_survives_thinning() {
        let mut values: Vec<f32> = (0..100_000).map(|step| (step % 7) as f32).collect();
        values[54_321] = 99.0;
        let thin = thinned(&values);
        assert_eq!(thin.len(), PLACES);
        assert_eq!(thin.iter().flatten().filter(|[_, high]| *high == 99.0).count(), 1);
        assert_eq!(thinned(&[1.0, f32::NAN, 3.0]), [Some([1.0, 1.0]), None, Some([3.0, 3.0])]);
        assert!(thinned(&[]).is_empty());
    }
}
