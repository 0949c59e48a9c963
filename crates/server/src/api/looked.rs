//! How an inspector sees examples that we have: looked at when somebody asks, a few at a time, and held in memory for a while.
//!
//! Whoever leaves before it is their turn takes no turn. What has begun is looked at to its end, which is one photo, and held for whoever
//! comes back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::open::Input;
use bundle::inspection::InspectionPredictor;
use dataset::Modality;
use pipeline::{Lang, words};
use serde::Serialize;
use tokio::sync::{OwnedMutexGuard, Semaphore};
use utoipa::ToSchema;

use super::examples::unveiled;
use super::inspected::{Inspected, address, bytes_of, hot, inspected, jpeg, look, picture};
use super::models::not_hidden;
use super::reading::found;
use crate::App;
use crate::answering::forever;
use crate::db::datasets::DatasetRow;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::gathering;
use crate::lately::Lately;
use crate::measured::{self, Measured, MeasuredView};
use crate::people::{Caller, Right};
use crate::serving::{Opened, looks_at};

/// Examples that are looked at at once: each takes a thread, and more of them while its base runs.
const AT_ONCE: usize = 2;
/// Longer side of a small heat map, in pixels.
const SMALL: u32 = 320;
/// Bytes of heat maps that are held.
const MOST_BYTES: usize = 64 << 20;

/// What inspectors saw lately.
#[derive(Debug)]
pub(crate) struct Looks {
    lately: Lately<Look>,
    turns: Arc<Semaphore>,
}

impl Default for Looks {
    fn default() -> Self {
        Self { lately: Lately::new(MOST_BYTES), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// How an inspector sees an example.
#[derive(Debug)]
pub(crate) struct Look {
    pub(super) inspected: Inspected,
    /// Whether the inspector learned from this very file.
    learned: bool,
    /// JPEG of the photo in grey with its suspicion over it, large and small; absent where none can be drawn.
    heat: Option<[Vec<u8>; 2]>,
}

/// How an inspector sees an example.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SeenExample {
    inspected: Inspected,
    /// Whether it has learned from this very file: then it may see it otherwise than those did that it was measured by, which had not.
    learned: bool,
}

/// How those saw an example that an inspector was measured by.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SeenBefore {
    /// Absent for an example on which it did not err, or of which that was not written down.
    measured: Option<MeasuredView>,
}

/// How an inspector sees an example, with a picture of where it looked.
#[utoipa::path(get, path = "/v1/models/{id}/inspected/{other}", tag = "models", responses((status = 200, body = SeenExample)))]
pub(super) async fn of_example(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, other)): Path<(String, String)>,
) -> Result<Json<SeenExample>, ApiError> {
    let (of, row) = allowed(&app, &caller, &id, &other).await?;
    let look = seen(&app, &id, &of, row).await?;
    let mut inspected = look.inspected.clone();
    inspected.overlay = look.heat.as_ref().map(|[large, _]| address(large));
    Ok(Json(SeenExample { inspected, learned: look.learned }))
}

/// How those saw an example that an inspector was measured by, which is written down: nothing is looked at for it.
#[utoipa::path(get, path = "/v1/models/{id}/inspected/{other}/measured", tag = "models", responses((status = 200, body = SeenBefore)))]
pub(super) async fn measured_example(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, other)): Path<(String, String)>,
) -> Result<Json<SeenBefore>, ApiError> {
    allowed(&app, &caller, &id, &other).await?;
    Ok(Json(SeenBefore { measured: measured(&app, &id, &other).await? }))
}

/// A small JPEG of where an inspector looks on an example; where it erred on it, of where those looked that it was measured by.
#[utoipa::path(get, path = "/v1/models/{id}/inspected/{other}/heat", tag = "models", responses((status = 200, content_type = "image/jpeg")))]
pub(super) async fn heat_of_example(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, other)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (of, row) = allowed(&app, &caller, &id, &other).await?;
    if let Some(seen) = measured(&app, &id, &other).await? {
        return Ok(forever("image/jpeg", bytes_of(&seen.overlay)?));
    }
    let look = seen(&app, &id, &of, row).await?;
    let [_, small] = found(look.heat.as_ref())?;
    Ok(forever("image/jpeg", small.clone()))
}

/// How an example looked to those that an inspector was measured by.
async fn measured(app: &Arc<App>, model: &str, example: &str) -> Result<Option<MeasuredView>, ApiError> {
    let Some(kept) = app.read_model(model, measured::ENDING).await? else { return Ok(None) };
    let example = example.to_owned();
    app.blocking(move || {
        let kept: Measured = serde_json::from_slice(&kept).map_err(|error| ApiError::internal(&error))?;
        Ok(kept.take(&example))
    })
    .await
}

/// The example, with its data set, if the caller may see what this model sees on it.
async fn allowed(
    app: &Arc<App>,
    caller: &Caller,
    model: &str,
    example: &str,
) -> Result<(DatasetRow, ExampleRow), ApiError> {
    caller.may(Right::Look)?;
    not_hidden(app, caller, &found(app.db.model(&caller.tenant, model).await?)?).await?;
    let row = found(app.db.example(&caller.tenant, example).await?)?;
    let of = found(app.db.dataset(&caller.tenant, &row.dataset).await?)?;
    unveiled(&of, caller)?;
    Ok((of, row))
}

/// How an inspector sees an example of a data set; both are the caller's.
pub(super) async fn seen(
    app: &Arc<App>,
    model: &str,
    of: &DatasetRow,
    row: ExampleRow,
) -> Result<Arc<Look>, ApiError> {
    let modality = gathering::modality(of.modality.as_deref())?;
    let blob = row.blob.ok_or_else(nothing_to_see)?;
    let name = format!("{model}/{blob}");
    if let Some(look) = app.looks.lately.get(&name) {
        return Ok(look);
    }
    // Who asks for the same waits, and finds it.
    let own = app.making.under_way.at(&name).lock_owned().await;
    let (of, model) = (app.clone(), model.to_owned());
    let make = async move {
        let Opened::Inspects(inspector) = of.open_model(&model).await? else { return Err(nothing_to_see()) };
        if looks_at(&inspector) != modality {
            return Err(nothing_to_see());
        }
        let app = of.clone();
        of.blocking(move || look_at(&app, &inspector, &blob)).await
    };
    app.looks.look(name, own, make).await
}

impl Looks {
    /// What goes by a name, made when it is this one's turn unless somebody made it meanwhile. `own` keeps others from making the same.
    async fn look(
        self: &Arc<Self>,
        name: String,
        own: OwnedMutexGuard<()>,
        make: impl Future<Output = Result<Look, ApiError>> + Send + 'static,
    ) -> Result<Arc<Look>, ApiError> {
        if let Some(look) = self.lately.get(&name) {
            return Ok(look);
        }
        let turn = self.turns.clone().acquire_owned().await.map_err(|error| ApiError::internal(&error))?;
        let of = self.clone();
        // On its own: what was begun is made also for who hangs up meanwhile, and no more of them are made at once for that.
        let making = tokio::spawn(async move {
            let look = Arc::new(make.await?);
            of.lately.hold(name, look.clone(), look.weight());
            drop((own, turn));
            Ok(look)
        });
        making.await.map_err(|error| ApiError::internal(&error))?
    }
}

fn nothing_to_see() -> ApiError {
    ApiError::conflict("this model inspects no examples of this kind", "该模型不检测此类样本")
        .hint("ask an inspector of the same data set", "请使用同一数据集的检测模型")
}

fn look_at(app: &App, inspector: &InspectionPredictor, blob: &str) -> Result<Look, ApiError> {
    let _here = app.blobs.fetch(std::iter::once(blob))?;
    let file = app.blobs.path(blob);
    // A video may be longer than memory.
    let learned = inspector.bundle().learned.contains(&store::Hash::of_file(&file)?);
    let input = match looks_at(inspector) {
        Modality::Sound => Input::Sound(std::fs::read(&file)?),
        Modality::Video => Input::VideoFile(file),
        Modality::Series => Input::SeriesFile(file),
        _ => Input::Image(std::fs::read(&file)?),
    };
    let looked = look(inspector, picture(inspector, input)?)?.map_err(|problem| {
        ApiError::invalid(words::problem_kind(&problem, Lang::En), words::problem_kind(&problem, Lang::Zh))
    })?;
    let hot = hot(inspector, &looked);
    let heat = jpeg(&hot).zip(jpeg(&hot.thumbnail(SMALL, SMALL))).map(|(large, small)| [large, small]);
    Ok(Look { inspected: inspected(inspector, &looked), learned, heat })
}

impl Look {
    /// Bytes, nearly.
    fn weight(&self) -> usize {
        let pictures = self.heat.iter().flatten().map(Vec::len).sum::<usize>();
        let corners = self.inspected.regions.iter().map(|region| region.points.len()).sum::<usize>();
        pictures + corners * size_of::<[u32; 2]>()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::oneshot::{Receiver, channel};

    use super::*;
    use crate::making::Making;

    fn nothing_seen() -> Look {
        Look { inspected: Inspected::nothing(), learned: false, heat: None }
    }

    #[tokio::test]
    async fn who_leaves_before_their_turn_takes_none_and_what_was_begun_is_held() {
        let (looks, making) = (Arc::new(Looks::default()), Making::default());
        let made = Arc::new(Mutex::new(Vec::new()));
        let ask = |name: &'static str, wait: Option<Receiver<()>>| {
            let own = making.under_way.at(name).try_lock_owned().expect("nobody looks at it");
            let (looks, made) = (looks.clone(), made.clone());
            tokio::spawn(async move {
                let make = async move {
                    made.lock().expect("no panic").push(name);
                    if let Some(wait) = wait {
                        wait.await.expect("somebody goes on");
                    }
                    Ok(nothing_seen())
                };
                looks.look(name.to_owned(), own, make).await
            })
        };
        let (go_on, waits): (Vec<_>, Vec<_>) = (0..AT_ONCE).map(|_| channel()).unzip();
        let mut asked = Vec::new();
        for (name, wait) in ["a", "b"].into_iter().zip(waits) {
            asked.push(ask(name, Some(wait)));
        }
        while made.lock().expect("no panic").len() < AT_ONCE {
            tokio::task::yield_now().await;
        }
        // One leaves while it waits for a turn, one while it is looked at.
        let gone = ask("c", None);
        let last = ask("d", None);
        // Long enough for both to have come to where they wait.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        asked.remove(0).abort();
        assert!(gone.await.is_err_and(|error| error.is_cancelled()));
        go_on.into_iter().for_each(|go_on| go_on.send(()).expect("still looked at"));
        last.await.expect("no panic").expect("a look");
        asked.remove(0).await.expect("no panic").expect("a look");
        assert_eq!(*made.lock().expect("no panic"), ["a", "b", "d"]);
        while looks.lately.get("a").is_none() {
            tokio::task::yield_now().await;
        }
        assert!(looks.lately.get("c").is_none() && making.under_way.at("c").try_lock().is_ok());
    }
}
