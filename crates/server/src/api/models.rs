//! Small models: made, looked at, fetched.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use pipeline::Lang;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::examples::unveiled;
use super::labels::Measure;
use super::reading::{Asked, Sent, found, name_of};
use super::work::{Job, told};
use crate::App;
use crate::answering::lang_of;
use crate::app::MODEL_ENDINGS;
use crate::clock::{now, written};
use crate::db::deployments::DeploymentRow;
use crate::db::models::ModelRow;
use crate::error::ApiError;
use crate::facts;
use crate::ids::new_id;
use crate::people::{Caller, Right};
use crate::serving::Opened;
use crate::streaming;

/// The report is one page with its own styles and drawings, and needs nothing else.
const REPORT_POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
     frame-ancestors 'self'; sandbox allow-scripts allow-popups";

/// A small model.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Model {
    id: String,
    name: String,
    /// That it was made of; empty for one that was made elsewhere.
    dataset: String,
    #[serde(flatten)]
    facts: Facts,
    created_at: String,
    /// The state of the data that taught it; absent where that is not known.
    seq: Option<i64>,
    /// Names under which it answers.
    deployed_as: Vec<String>,
}

/// What is known of a model, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Facts {
    /// `answers`, or `inspector`.
    #[serde(default = "answers")]
    pub(crate) kind: String,
    /// Of an inspector.
    #[serde(default)]
    pub(crate) inspector: Option<InspectorFacts>,
    pub(crate) modality: String,
    /// Where it takes several.
    #[serde(default)]
    pub(crate) senses: Vec<SenseFacts>,
    /// Of an inspector: the kinds of defect that it can name.
    pub(crate) classes: Vec<String>,
    pub(crate) base: String,
    /// What was chosen.
    pub(crate) recipe: String,
    /// Why.
    pub(crate) why: String,
    pub(crate) size_bytes: u64,
    /// That taught it.
    pub(crate) n_examples: usize,
    /// The headline first.
    pub(crate) measures: Vec<Measured>,
    pub(crate) recall: Vec<Recall>,
    /// Absent where too few examples could prove one.
    pub(crate) promise: Option<Promise>,
    /// Hash over what it consists of.
    pub(crate) identity: String,
    /// Hash over the examples and labels that it was made of.
    pub(crate) fingerprint: String,
}

fn answers() -> String {
    "answers".to_owned()
}

/// One of the senses that a model takes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SenseFacts {
    /// The name of its column, and of what is sent for it.
    pub(crate) name: String,
    pub(crate) modality: String,
    pub(crate) base: String,
}

/// When an inspector alarms, and what is promised about it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct InspectorFacts {
    /// Share of good parts that alarm, at most: promised where `proven`, else aimed at.
    pub(crate) false_alarms: f64,
    /// How sure the promise is, or was to be; absent where that is not known.
    pub(crate) confidence: Option<f64>,
    pub(crate) proven: bool,
    /// The smallest rate that these good parts could prove, where the wished one is not proven.
    pub(crate) best_rate: Option<f64>,
    /// Good parts, or groups of them, that would prove the wished rate.
    pub(crate) need: Option<usize>,
    /// Good parts that it knows.
    pub(crate) n_good: usize,
    /// Above this suspicion a part alarms.
    pub(crate) threshold: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Measured {
    pub(crate) metric: String,
    /// `out-of-fold` or `test`.
    pub(crate) on: String,
    pub(crate) estimate: Measure,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Recall {
    pub(crate) class: String,
    pub(crate) estimate: Measure,
}

/// With 95 % confidence no more than this share of the answers given is wrong.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Promise {
    pub(crate) target_error: f64,
    /// Below this confidence the answer is "I don't know".
    pub(crate) threshold: f64,
    /// Share that is answered.
    pub(crate) answered: f64,
}

/// What is kept beside the facts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) facts: Facts,
    pub(crate) errors: Errors,
    /// Recipe and reason in Chinese; absent where only the English ones are known.
    #[serde(default)]
    pub(crate) chinese: Option<Chinese>,
}

/// What is told of a model in Chinese.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Chinese {
    pub(crate) recipe: String,
    pub(crate) why: String,
}

/// Where a model errs, out of fold.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Errors {
    pub(crate) confusion: Confusion,
    /// From all answered to nearly none. To look at, not to promise by: who picks among many thresholds finds a lucky one.
    pub(crate) trade: Vec<Trade>,
    /// What could be promised, for targets of 1, 2, 5, 10 and 20 % that can be proved.
    pub(crate) promises: Vec<Promise>,
    /// Accuracy by number of labels; absent where it was not measured.
    #[serde(default)]
    pub(crate) curve: Option<Curve>,
    /// What to do next, most useful first, in English and Chinese.
    #[serde(default)]
    pub(crate) advice: Vec<[String; 2]>,
    /// Of an inspector.
    #[serde(default)]
    pub(crate) inspection: Option<InspectionErrors>,
}

/// Accuracy by number of labels.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Curve {
    /// Labels that there are.
    pub(crate) n_labels: usize,
    /// Of models taught by random parts of the labels: the mean of several draws, and between what eight of ten of them lie.
    pub(crate) measured: Vec<CurvePoint>,
    /// A power law through these, up to twice as many labels: its course, and the band that holds it with 80 % confidence.
    pub(crate) expected: Vec<CurvePoint>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CurvePoint {
    pub(crate) n_labels: f64,
    pub(crate) accuracy: Measure,
}

/// Where an inspector errs, on photos that it had not seen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct InspectionErrors {
    /// What every threshold would do; empty without defects.
    pub(crate) trade: Vec<AlarmTrade>,
    pub(crate) kinds: Vec<Found>,
    /// Defects that do not alarm, the least suspicious first.
    pub(crate) missed: Vec<Part>,
    /// Good parts that alarm, the most suspicious first.
    pub(crate) alarmed_good: Vec<Part>,
    /// Good parts that may not be good, the least like the others first.
    pub(crate) suspects: Vec<Part>,
    /// What to photograph next, most useful first, in English and Chinese.
    pub(crate) advice: Vec<[String; 2]>,
}

/// With this threshold, this share of the good parts alarms and this share of the defects does not.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlarmTrade {
    pub(crate) threshold: f64,
    pub(crate) false_alarms: f64,
    pub(crate) missed: f64,
}

/// The share of a kind of defect that alarms.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Found {
    pub(crate) kind: String,
    pub(crate) found: Measure,
}

/// A photo that was inspected.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// The example; absent where it is not there any more.
    pub(crate) example: Option<String>,
    /// The kind of defect that a person saw; absent for good.
    pub(crate) kind: Option<String>,
    pub(crate) score: f64,
    pub(crate) p_value: Option<f64>,
}

/// Given classes by row, predicted ones by column.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Confusion {
    pub(crate) classes: Vec<String>,
    pub(crate) counts: Vec<Vec<u64>>,
}

/// At this threshold, this share is answered and this share of the answers is wrong.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Trade {
    pub(crate) threshold: f64,
    pub(crate) answered: f64,
    pub(crate) errors: f64,
    /// Upper end of a 95 % bound, for this threshold alone.
    pub(crate) errors_high: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Models {
    models: Vec<Model>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Of {
    /// Only those made of this data set.
    dataset: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Called {
    /// What to call it.
    name: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Language {
    /// `en` or `zh`.
    lang: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wish {
    /// The data set's name when absent.
    pub(crate) name: Option<String>,
    /// At most this share of the answers given may be wrong. In (0, 1); 0.05 when absent.
    pub(crate) target_error: Option<f64>,
    /// Of an inspector: at most this share of good parts may alarm. In (0, 1); 0.05 when absent.
    pub(crate) false_alarms: Option<f64>,
    /// Of an inspector: how sure that is to be. In (0, 1); 0.95 when absent.
    pub(crate) confidence: Option<f64>,
}

/// Makes a small model of the labels so far.
#[utoipa::path(post, path = "/v1/datasets/{id}/tune", tag = "models", request_body = Wish, responses((status = 200, body = Job)))]
pub(super) async fn tune(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(mut wish): Sent<Wish>,
) -> Result<Json<Job>, ApiError> {
    caller.may(Right::Edit)?;
    wish.name = wish.name.as_deref().map(name_of).transpose()?;
    let shares = [
        ("target_error", wish.target_error),
        ("false_alarms", wish.false_alarms),
        ("confidence", wish.confidence),
    ];
    let outside = |share: &Option<f64>| share.is_some_and(|share| !(share > 0.0 && share < 1.0));
    if let Some((name, _)) = shares.iter().find(|(_, share)| outside(share)) {
        let (en, zh) = (format!("`{name}` is between 0 and 1"), format!("{name} 须在 0 和 1 之间"));
        return Err(ApiError::invalid(en, zh));
    }
    // How large it will be is not known yet; where there is no room at all, it need not be begun.
    app.has_room(&caller.tenant, 1).await?;
    let payload = serde_json::to_string(&wish).map_err(|error| ApiError::internal(&error))?;
    let job = app.db.add_job(&caller.tenant, &id, "tune", &payload).await?.job()?;
    app.wake.notify_waiters();
    told(&app, &caller, &job).await
}

/// Takes a bundle in that was made elsewhere, such as by `dianjing tune`. It is opened and tests itself first.
#[utoipa::path(
    post, path = "/v1/models", tag = "models", params(Called),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Model))
)]
pub(super) async fn bring(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Asked(Called { name }): Asked<Called>,
    body: Body,
) -> Result<Json<Model>, ApiError> {
    caller.may(Right::Edit)?;
    let (id, name, of) = (new_id(), name_of(&name)?, app.clone());
    let made = id.clone();
    let path = app.model_file(&id, "djm");
    let size = streaming::take_bundle(&app, &caller.tenant, &headers, body, path.clone()).await?;
    let opened = app.serving.open(&id, &path).await;
    if opened.is_err() {
        app.blocking(move || Ok(std::fs::remove_file(&path)?)).await?;
    }
    let opened = opened?;
    let kept = app
        .blocking(move || {
            of.keep_model(&made, &["djm"])?;
            let facts = match opened {
                Opened::Answers(served) => facts::of_bundle(served.bundle(), size),
                Opened::Senses(served) => facts::of_senses(served.bundle(), size),
                Opened::Inspects(inspector) => facts::of_inspector(inspector.bundle(), size),
            };
            Ok(facts::alone(facts))
        })
        .await?;
    let body = serde_json::to_string(&kept).map_err(|error| ApiError::internal(&error))?;
    let bytes = app.model_bytes(&id);
    let row = ModelRow { id, dataset: String::new(), name, body, bytes, created_at: now(), seq: None };
    if let Some(full) = app.db.bring_model(&caller.tenant, &row, app.limits).await? {
        let (models, file) = (app.models.clone(), format!("{}.djm", row.id));
        app.serving.forget(&row.id);
        app.blocking(move || Ok(models.remove(&file)?)).await?;
        return Err(full.into());
    }
    app.db.note(&caller.tenant, &caller.person.name, "bring model", &row.id).await?;
    Ok(Json(model(row, &app.db.deployments(&caller.tenant).await?, lang_of(&headers))?))
}

/// Lists the models, the newest first.
#[utoipa::path(get, path = "/v1/models", tag = "models", params(Of), responses((status = 200, body = Models)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Asked(Of { dataset }): Asked<Of>,
) -> Result<Json<Models>, ApiError> {
    caller.may(Right::Look)?;
    let deployments = app.db.deployments(&caller.tenant).await?;
    let rows = app.db.models(&caller.tenant, dataset.as_deref()).await?;
    let lang = lang_of(&headers);
    let models = rows.into_iter().map(|row| model(row, &deployments, lang)).collect::<Result<_, _>>()?;
    Ok(Json(Models { models }))
}

/// Shows a model.
#[utoipa::path(get, path = "/v1/models/{id}", tag = "models", responses((status = 200, body = Model)))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Model>, ApiError> {
    caller.may(Right::Look)?;
    let row = found(app.db.model(&caller.tenant, &id).await?)?;
    Ok(Json(model(row, &app.db.deployments(&caller.tenant).await?, lang_of(&headers))?))
}

/// Takes a model out that answers under no name.
#[utoipa::path(delete, path = "/v1/models/{id}", tag = "models", responses((status = 204)))]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Edit)?;
    found(app.db.model(&caller.tenant, &id).await?)?;
    if !app.db.remove_model(&caller.tenant, &id).await? {
        return Err(ApiError::conflict("the model is deployed", "该模型正在使用中")
            .hint("take its deployment out first", "请先撤下部署"));
    }
    app.serving.forget(&id);
    let (models, files) = (app.models.clone(), MODEL_ENDINGS.map(|ending| format!("{id}.{ending}")));
    app.blocking(move || Ok(files.iter().try_for_each(|file| models.remove(file))?)).await?;
    app.db.note(&caller.tenant, &caller.person.name, "remove model", &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The report: one page that needs nothing else.
#[utoipa::path(get, path = "/v1/models/{id}/report", tag = "models", params(Language), responses((status = 200, content_type = "text/html")))]
pub(super) async fn report(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(Language { lang }): Asked<Language>,
) -> Result<Response, ApiError> {
    caller.may(Right::Look)?;
    not_hidden(&app, &caller, &found(app.db.model(&caller.tenant, &id).await?)?).await?;
    let lang = pipeline::Lang::from_locale(lang.as_deref().unwrap_or("en"));
    // A bundle that was made elsewhere came without its report.
    let page = found(app.read_model(&id, lang.pick("en.html", "zh.html")).await?)?;
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, REPORT_POLICY)], page)
        .into_response())
}

/// The bundle, to run anywhere: `dianjing predict model.djm photo.jpg`.
#[utoipa::path(get, path = "/v1/models/{id}/bundle", tag = "models", responses((status = 200, content_type = "application/octet-stream")))]
pub(super) async fn bundle(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.may(Right::Look)?;
    not_hidden(&app, &caller, &found(app.db.model(&caller.tenant, &id).await?)?).await?;
    found(streaming::send_bundle(&app, &id).await?)
}

/// Where a model errs, and what saying "I don't know" would cost.
#[utoipa::path(get, path = "/v1/models/{id}/errors", tag = "models", responses((status = 200, body = Errors)))]
pub(super) async fn errors(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Errors>, ApiError> {
    caller.may(Right::Look)?;
    let row = found(app.db.model(&caller.tenant, &id).await?)?;
    not_hidden(&app, &caller, &row).await?;
    Ok(Json(kept(&row)?.errors))
}

/// Refuses who labels the model's own data blindly: it would tell them what others said.
pub(super) async fn not_hidden(app: &App, caller: &Caller, row: &ModelRow) -> Result<(), ApiError> {
    match app.db.dataset(&caller.tenant, &row.dataset).await? {
        Some(dataset) => unveiled(&dataset, caller),
        None => Ok(()),
    }
}

/// A model with the names under which it answers.
pub(super) fn model(row: ModelRow, deployments: &[DeploymentRow], lang: Lang) -> Result<Model, ApiError> {
    let Kept { mut facts, chinese, .. } = kept(&row)?;
    if let Some(Chinese { recipe, why }) = chinese.filter(|_| lang == Lang::Zh) {
        (facts.recipe, facts.why) = (recipe, why);
    }
    let deployed_as = deployments.iter().filter(|deployment| deployment.model == row.id);
    Ok(Model {
        facts,
        seq: row.seq,
        deployed_as: deployed_as.map(|deployment| deployment.name.clone()).collect(),
        id: row.id,
        name: row.name,
        dataset: row.dataset,
        created_at: written(row.created_at),
    })
}

/// Everything that is known of a model.
pub(super) fn kept(row: &ModelRow) -> Result<Kept, ApiError> {
    serde_json::from_str(&row.body).map_err(|error| ApiError::internal(&error))
}
