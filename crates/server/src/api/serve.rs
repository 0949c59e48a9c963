//! Names under which models answer.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use dataset::Sense;
use pipeline::Lang;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::models::{Model, model};
use super::monitor::days_of;
use super::reading::{Sent, found, was_there};
use crate::App;
use crate::answering::lang_of;
use crate::clock::written;
use crate::db::datasets::DatasetRow;
use crate::db::deployments::{Beside, DeploymentRow};
use crate::db::models::ModelRow;
use crate::error::ApiError;
use crate::people::{Caller, Right};
use crate::senses;

/// Longest name of a deployment.
const NAME_LENGTH: usize = 63;
/// Days whose requests are counted.
const DAYS: u32 = 30;
/// Days that inputs may be kept that came back.
const DAYS_KEPT: RangeInclusive<u32> = 1..=3650;

/// A name that answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deployment {
    name: String,
    model: Model,
    /// The model that answered before, to roll back to.
    previous: Option<String>,
    /// The data set that doubtful inputs come back to.
    collects: Option<String>,
    /// That came back.
    n_collected: i64,
    /// Days after which those go that nobody has labelled, marked or decided about.
    keep_days: i64,
    /// Where to ask: `POST`, with a token.
    #[schema(example = "/v1/predict/tile")]
    url: String,
    created_at: String,
    /// A model that is asked as well and never answers: see the monitor.
    shadow: Option<String>,
    /// Of the last 30 days.
    n_requests: u64,
    /// Of the last day with requests.
    latency_ms_p50: Option<f64>,
    /// When it was noticed that inputs are no longer like those that came before; absent while they are.
    changed_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deployments {
    deployments: Vec<Deployment>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// The id of the model.
    model: String,
    /// The data set that inputs come back to, without a label, when the answer is "I don't know", they are unlike anything seen, they alarm, or
    /// the answer is unsure and nothing is promised: at most 200 a day. Absent: nothing that is asked about is kept.
    collects: Option<String>,
    /// Days after which inputs that came back go, unless somebody labelled, marked or decided about them: 1 to 3,650. Absent: as many as
    /// before, 30 for a new name. It holds as well for those that came back already.
    keep_days: Option<u32>,
    /// Another model of the same kind of input, to be asked as well: it never answers, and the monitor says how often both say the same.
    shadow: Option<String>,
}

/// Lists what answers.
#[utoipa::path(get, path = "/v1/deployments", tag = "deployments", responses((status = 200, body = Deployments)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Json<Deployments>, ApiError> {
    caller.may(Right::Look)?;
    let mut deployments = Vec::new();
    for row in app.db.deployments(&caller.tenant).await? {
        // One that lost its model answers nothing, and hides none of the others.
        let Some(of) = app.db.model(&caller.tenant, &row.model).await? else { continue };
        deployments.push(deployment(&app, &caller, (row, of), lang_of(&headers)).await?);
    }
    Ok(Json(Deployments { deployments }))
}

/// Lets a model answer under a name. It is opened first: what does not open is not deployed.
#[utoipa::path(put, path = "/v1/deployments/{name}", tag = "deployments", request_body = Which, responses((status = 200, body = Deployment)))]
pub(super) async fn deploy(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(name): Path<String>,
    Sent(which): Sent<Which>,
) -> Result<Json<Deployment>, ApiError> {
    caller.may(Right::Edit)?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > NAME_LENGTH || !name.bytes().all(plain) {
        let (en, zh) =
            ("the name has small letters, digits, `-` and `_` only", "名称只能包含小写字母、数字、- 和 _");
        return Err(ApiError::invalid(en, zh));
    }
    if which.keep_days.is_some_and(|days| !DAYS_KEPT.contains(&days)) {
        let (en, zh) = ("inputs are kept for 1 to 3,650 days", "输入可保存 1 至 3650 天");
        return Err(ApiError::invalid(en, zh));
    }
    found(app.db.model(&caller.tenant, &which.model).await?)?;
    let takes = app.open_model(&which.model).await?.takes();
    if let Some(shadow) = &which.shadow {
        found(app.db.model(&caller.tenant, shadow).await?)?;
        if app.open_model(shadow).await?.takes() != takes {
            let (en, zh) = ("both models must take the same kind of input", "两个模型须接受同一种输入");
            return Err(ApiError::conflict(en, zh));
        }
    }
    if let Some(collects) = &which.collects {
        let of = found(app.db.dataset(&caller.tenant, collects).await?)?;
        if !fits(&takes, &of) {
            let (en, zh) = (
                "this data set holds another kind of examples than the model takes",
                "该数据集中的样本与模型接受的输入不同",
            );
            return Err(ApiError::conflict(en, zh).hint("choose another data set", "请选择其他数据集"));
        }
    }
    let beside = Beside {
        collects: which.collects.as_deref(),
        keep_days: which.keep_days.map(i64::from),
        shadow: which.shadow.as_deref(),
    };
    was_there(app.db.deploy(&caller.tenant, &name, &which.model, beside).await?)?;
    app.db.note(&caller.tenant, &caller.person.name, "deploy", &name).await?;
    told(&app, &caller, &headers, &name).await
}

/// Lets the model before answer again.
#[utoipa::path(post, path = "/v1/deployments/{name}/roll-back", tag = "deployments", responses((status = 200, body = Deployment)))]
pub(super) async fn roll_back(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Json<Deployment>, ApiError> {
    caller.may(Right::Edit)?;
    found(app.db.deployment(&caller.tenant, &name).await?)?;
    if !app.db.roll_back(&caller.tenant, &name).await? {
        return Err(ApiError::conflict("no other model answered here before", "此前没有其他模型"));
    }
    app.db.note(&caller.tenant, &caller.person.name, "roll back", &name).await?;
    told(&app, &caller, &headers, &name).await
}

/// Takes a name out. The model stays.
#[utoipa::path(delete, path = "/v1/deployments/{name}", tag = "deployments", responses((status = 204)))]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Edit)?;
    let gone = was_there(app.db.remove_deployment(&caller.tenant, &name).await?)?;
    app.monitoring.forget(&caller.tenant, &name);
    app.db.note(&caller.tenant, &caller.person.name, "take out of use", &name).await?;
    Ok(gone)
}

/// Whether what a model is asked about could be an example of a data set; into an empty one anything of one sense may come.
fn fits(takes: &[Sense], of: &DatasetRow) -> bool {
    match (of.modality.as_deref(), takes) {
        (None, takes) => takes.len() == 1,
        (Some(kind), [one]) => kind == one.modality.to_string(),
        (Some(_), takes) => {
            let known = senses::named(of.senses.as_deref());
            takes.iter().all(|sense| known.contains(sense))
        }
    }
}

async fn told(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    name: &str,
) -> Result<Json<Deployment>, ApiError> {
    let row = found(app.db.deployment(&caller.tenant, name).await?)?;
    let of = found(app.db.model(&caller.tenant, &row.model).await?)?;
    Ok(Json(deployment(app, caller, (row, of), lang_of(headers)).await?))
}

async fn deployment(
    app: &App,
    caller: &Caller,
    (row, of): (DeploymentRow, ModelRow),
    lang: Lang,
) -> Result<Deployment, ApiError> {
    let days = days_of(app, caller, &row.name, DAYS).await?;
    let drifts = app.db.drifts(&caller.tenant, &row.name, &row.model).await?;
    let noticed = drifts.iter().flat_map(|drift| [drift.changed_at, drift.shifted_at]);
    Ok(Deployment {
        n_requests: days.iter().map(|(_, day)| day.n_requests).sum(),
        latency_ms_p50: days.last().and_then(|(_, day)| day.time(0.5)),
        changed_at: noticed.flatten().min().map(written),
        shadow: row.shadow.clone(),
        model: model(of, std::slice::from_ref(&row), lang)?,
        n_collected: app.db.n_collected(&caller.tenant, &row.name).await?,
        collects: row.collects,
        keep_days: row.keep_days,
        previous: row.previous,
        url: format!("/v1/predict/{}", row.name),
        created_at: written(row.created_at),
        name: row.name,
    })
}
