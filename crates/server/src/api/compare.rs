//! Two models beside each other: on the same examples, and by the data that taught them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use pipeline::Metric;
use serde::Serialize;
use utoipa::ToSchema;

use super::labels::Measure;
use super::models::not_hidden;
use super::reading::found;
use super::renames::Renames;
use crate::App;
use crate::answering::lang_of;
use crate::answers::{Answers, Compared, ENDING};
use crate::db::Tenant;
use crate::db::models::ModelRow;
use crate::error::ApiError;
use crate::people::{Caller, Right};

/// Two models beside each other.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Comparison {
    /// Absent where they cannot be compared example by example.
    same: Option<OnTheSame>,
    /// Why not.
    why_not: Option<String>,
    /// The states of the data that taught them; absent where that is not known, or they are of different data sets.
    taught: Option<TaughtBy>,
}

/// Two models on the same examples, each asked as one that had not seen them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OnTheSame {
    /// `accuracy`; of several labels `jaccard`, the overlap of what is given and what is predicted; of numbers `r2`, the share of their
    /// variance that is explained.
    #[schema(value_type = String)]
    metric: Metric,
    /// That of the second less that of the first.
    difference: Measure,
    /// Examples that only the first has right, or on which it is closer.
    n_lost: usize,
    /// Examples that only the second has right, or on which it is closer.
    n_won: usize,
    /// How often chance alone would part two equal models at least as far.
    p_value: f64,
    /// Whether they differ by more than chance. If not, nothing can be told yet.
    told_apart: bool,
    /// Examples that are left out, as their labels differ.
    n_relabelled: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TaughtBy {
    dataset: String,
    from: i64,
    to: i64,
}

/// Compares two models: the same examples, asked of each as of one that had not seen them.
#[utoipa::path(get, path = "/v1/models/{id}/compare/{other}", tag = "models", responses((status = 200, body = Comparison)))]
pub(super) async fn compare(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path((id, other)): Path<(String, String)>,
) -> Result<Json<Comparison>, ApiError> {
    caller.may(Right::Look)?;
    let first = found(app.db.model(&caller.tenant, &id).await?)?;
    let second = found(app.db.model(&caller.tenant, &other).await?)?;
    not_hidden(&app, &caller, &first).await?;
    not_hidden(&app, &caller, &second).await?;
    let same = on_the_same(&app, &caller.tenant, &first, &second).await?;
    let why_not = same.is_none().then(|| {
        lang_of(&headers).pick(
            "they share too few examples that both were measured on with the same label",
            "两个模型以相同标注测量过的共同样本太少",
        )
    });
    let states = first.seq.zip(second.seq).filter(|_| first.dataset == second.dataset);
    let there = app.db.dataset(&caller.tenant, &first.dataset).await?.is_some();
    let taught = states.filter(|_| there).map(|(from, to)| TaughtBy { dataset: first.dataset, from, to });
    Ok(Json(Comparison { same, why_not: why_not.map(str::to_owned), taught }))
}

/// How two models compare on the same examples; `None` where one was not measured example by example, or they share none.
pub(super) async fn on_the_same(
    app: &Arc<App>,
    tenant: &Tenant,
    first: &ModelRow,
    second: &ModelRow,
) -> Result<Option<OnTheSame>, ApiError> {
    let (Some(before), Some(after)) =
        (app.read_model(&first.id, ENDING).await?, app.read_model(&second.id, ENDING).await?)
    else {
        return Ok(None);
    };
    let (renames, first_is_older) = (renames(app, tenant, first, second).await?, first.seq <= second.seq);
    app.blocking(move || {
        let read = |bytes: &[u8]| serde_json::from_slice(bytes).map_err(|error| ApiError::internal(&error));
        let (mut before, mut after): (Answers, Answers) = (read(&before)?, read(&after)?);
        let older = if first_is_older { &mut before } else { &mut after };
        older.rename(|class| renames.now(class));
        Ok(before.compare(&after).and_then(told))
    })
    .await
}

/// Classes that got other names from the older of two models to the newer; none where they are of different data sets.
async fn renames(
    app: &App,
    tenant: &Tenant,
    first: &ModelRow,
    second: &ModelRow,
) -> Result<Renames, ApiError> {
    let states = first.seq.zip(second.seq).filter(|_| first.dataset == second.dataset);
    let Some((one, other)) = states else { return Ok(Renames::default()) };
    let rows = app.db.milestones_of(tenant, &first.dataset, "rename").await?;
    Ok(Renames::between(&rows, one, other))
}

fn told(Compared { metric, paired, n_relabelled }: Compared) -> Option<OnTheSame> {
    let paired = paired?;
    Some(OnTheSame {
        metric,
        difference: paired.difference.into(),
        n_lost: paired.n_lost,
        n_won: paired.n_won,
        p_value: paired.p_value,
        told_apart: paired.told_apart(),
        n_relabelled,
    })
}
