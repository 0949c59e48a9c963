//! The Open Inference Protocol, version 2 over REST: what gateways and load generators of the ecosystem speak.
//!
//! A model is a deployment. Its input is one tensor `input` of datatype `BYTES`, shape `[n]`: texts, or files in base64. Its outputs are
//! `label` (`BYTES`, `[n]`), `verdict` (`BYTES`, `[n]`) and `probabilities` (`FP64`, `[n, classes]`). A sound with several answers, one for
//! each of its stretches, has no place in them, and is refused.
//! Source: the specification of the Open Inference Protocol, "Inference Protocol", version 2.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use base::open::Input;
use dataset::Modality;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::aftermath::Aftermath;
use super::inputs::{Question, check_count, decoded};
use super::models::not_hidden;
use super::predict::unanswered;
use super::reading::{Sent, found};
use crate::App;
use crate::db::deployments::DeploymentRow;
use crate::error::ApiError;
use crate::monitoring::{self, Said};
use crate::people::{Caller, Right};
use crate::serving::{self, Opened, Served};

/// What the server can do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServerFacts {
    name: &'static str,
    version: &'static str,
    extensions: [&'static str; 0],
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Live {
    live: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    name: String,
    ready: bool,
}

/// What a model takes and gives.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelFacts {
    name: String,
    versions: Vec<String>,
    platform: &'static str,
    inputs: Vec<TensorFacts>,
    outputs: Vec<TensorFacts>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TensorFacts {
    name: &'static str,
    datatype: &'static str,
    /// -1 is any number.
    shape: Vec<i64>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Ask {
    id: Option<String>,
    inputs: Vec<AskTensor>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct AskTensor {
    name: String,
    datatype: String,
    shape: Vec<usize>,
    data: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Told {
    model_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    outputs: Vec<ToldTensor>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ToldTensor {
    name: &'static str,
    datatype: &'static str,
    shape: Vec<usize>,
    #[schema(value_type = Vec<Object>)]
    data: serde_json::Value,
}

/// Names the server.
#[utoipa::path(get, path = "/v2", tag = "inference protocol", responses((status = 200, body = ServerFacts)))]
pub(super) async fn server() -> Json<ServerFacts> {
    Json(ServerFacts { name: "dianjing", version: env!("CARGO_PKG_VERSION"), extensions: [] })
}

/// Says that the process lives.
#[utoipa::path(get, path = "/v2/health/live", tag = "inference protocol", responses((status = 200, body = Live)))]
pub(super) async fn live() -> Json<Live> {
    Json(Live { live: true })
}

/// Says that models can be asked.
#[utoipa::path(get, path = "/v2/health/ready", tag = "inference protocol", responses((status = 200, body = Ready)))]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Ready>, ApiError> {
    app.db.has_people().await?;
    Ok(Json(Ready { name: "dianjing".to_owned(), ready: true }))
}

/// Says what a model takes and gives.
#[utoipa::path(get, path = "/v2/models/{name}", tag = "inference protocol", responses((status = 200, body = ModelFacts)))]
pub(super) async fn model(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<ModelFacts>, ApiError> {
    caller.may(Right::Predict)?;
    let (_, served) = open(&app, &caller, &name).await?;
    let classes = served.bundle().manifest.task.outputs().len() as i64;
    let tensor = |name, datatype, shape| TensorFacts { name, datatype, shape };
    Ok(Json(ModelFacts {
        name,
        versions: vec!["1".to_owned()],
        platform: "dianjing",
        inputs: vec![tensor("input", "BYTES", vec![-1])],
        outputs: vec![
            tensor("label", "BYTES", vec![-1]),
            tensor("verdict", "BYTES", vec![-1]),
            tensor("probabilities", "FP64", vec![-1, classes]),
        ],
    }))
}

/// Opens a model, and says that it answers.
#[utoipa::path(get, path = "/v2/models/{name}/ready", tag = "inference protocol", responses((status = 200, body = Ready)))]
pub(super) async fn model_ready(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Ready>, ApiError> {
    caller.may(Right::Predict)?;
    open(&app, &caller, &name).await?;
    Ok(Json(Ready { name, ready: true }))
}

/// Asks a model.
#[utoipa::path(post, path = "/v2/models/{name}/infer", tag = "inference protocol", request_body = Ask, responses((status = 200, body = Told)))]
pub(super) async fn infer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Sent(ask): Sent<Ask>,
) -> Result<Json<Told>, ApiError> {
    caller.may(Right::Predict)?;
    let started = std::time::Instant::now();
    let (deployment, served) = open(&app, &caller, &name).await?;
    let questions = questions(ask.inputs, served.base().modality())?;
    check_count(questions.len())?;
    let n = questions.len();
    let (mut labels, mut verdicts, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
    let mut said = Vec::new();
    let answers = served.ask(answered_once(&served, &questions).await?).await?;
    for (question, answer) in questions.iter().zip(answers) {
        let serving::Told { prediction, sketch, .. } = match answer {
            Ok(answered) => answered,
            Err(error) => return Err(unanswered(question, error)?.refused()),
        };
        let answer = prediction.answer.to_string();
        labels.push(answer.clone());
        said.push(Said {
            answer,
            doubtful: Said::is_doubtful(prediction.verdict, prediction.confidence, prediction.familiarity),
            familiarity: prediction.familiarity,
            sketches: vec![(String::new(), sketch)],
        });
        verdicts.push(serde_json::json!(prediction.verdict));
        probabilities.extend(prediction.probs);
    }
    let request =
        monitoring::Request { model: deployment.model.clone(), said: said.clone(), took: started.elapsed() };
    app.monitoring.count(&app, &caller.tenant, &name, request).await;
    if Aftermath::needs_inputs(&deployment) {
        let said = said.into_iter().map(Some).collect();
        // Long sounds were refused.
        let doubts = vec![Vec::new(); n];
        let (app, tenant) = (app.clone(), caller.tenant.clone());
        Aftermath { app, tenant, deployment, questions, said, doubts }.begin();
    }
    let tensor = |name, datatype, shape, data| ToldTensor { name, datatype, shape, data };
    let outputs = vec![
        tensor("label", "BYTES", vec![n], serde_json::json!(labels)),
        tensor("verdict", "BYTES", vec![n], serde_json::json!(verdicts)),
        tensor("probabilities", "FP64", vec![n, probabilities.len() / n], serde_json::json!(probabilities)),
    ];
    Ok(Json(Told { model_name: name, id: ask.id, outputs }))
}

/// The model that answers under a name.
async fn open(app: &Arc<App>, caller: &Caller, name: &str) -> Result<(DeploymentRow, Arc<Served>), ApiError> {
    let deployment = found(app.db.deployment(&caller.tenant, name).await?)?;
    not_hidden(app, caller, &found(app.db.model(&caller.tenant, &deployment.model).await?)?).await?;
    match app.open_model(&deployment.model).await? {
        Opened::Answers(served) => Ok((deployment, served)),
        Opened::Senses(_) | Opened::Inspects(_) => {
            let (en, zh) = (
                "inspectors and models of several senses do not speak this protocol",
                "检测模型和多感官模型不支持此协议",
            );
            Err(ApiError::conflict(en, zh).hint("ask at /v1/predict/{name}", "请使用 /v1/predict/{name}"))
        }
    }
}

/// The inputs; refused where one is a long sound of a model of pieces, which has an answer for each of its stretches.
async fn answered_once(served: &Served, questions: &[Question]) -> Result<Vec<Input>, ApiError> {
    let (long, inputs) = served.parted(questions.iter().map(Question::only).collect()).await;
    let Some(place) = long.iter().position(Option::is_some) else { return Ok(inputs) };
    let (name, seconds) =
        (&questions[place].name, served.bundle().manifest.piece_seconds.unwrap_or_default());
    let (en, zh) = (
        format!(
            "input {name} is much longer than the pieces of {seconds:.1} s that this model learned from: it has an answer for each of its \
             stretches, and this protocol one for each input"
        ),
        format!(
            "输入 {name} 远长于该模型学习的 {seconds:.1} 秒片段：它的每个区段各有答案，而此协议每个输入只有一个答案"
        ),
    );
    Err(ApiError::invalid(en, zh).hint(
        "ask at /v1/predict/{name}, which tells stretches, or cut it into parts",
        "请使用会按区段回答的 /v1/predict/{name}，或把它切成几段",
    ))
}

fn questions(tensors: Vec<AskTensor>, takes: Modality) -> Result<Vec<Question>, ApiError> {
    let wrong = || {
        let (en, zh) = (
            "the input is one tensor `input` of datatype BYTES and shape [n]",
            "输入须为一个名为 input、类型 BYTES、形状 [n] 的张量",
        );
        ApiError::invalid(en, zh)
    };
    let [tensor] = <[AskTensor; 1]>::try_from(tensors).map_err(|_| wrong())?;
    if tensor.name != "input" || tensor.datatype != "BYTES" || tensor.shape != [tensor.data.len()] {
        return Err(wrong());
    }
    let question = |(place, text): (usize, String)| {
        let bytes = if takes == Modality::Text { text.into_bytes() } else { decoded(&text)? };
        Question::one((place + 1).to_string(), bytes, takes)
    };
    tensor.data.into_iter().enumerate().map(question).collect()
}
