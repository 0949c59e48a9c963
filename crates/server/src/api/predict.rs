//! Asking models: about files, texts, or what is sent as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use base::open::{BaseError, Input};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bundle::{Prediction, Verdict};
use dataset::{Modality, ProblemKind};
use pipeline::{Lang, words};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reading::{Sent, found};
use crate::App;
use crate::answering::lang_of;
use crate::db::Tenant;
use crate::error::ApiError;
use crate::people::{Caller, Right};
use crate::serving::{Answered, Served};

/// Inputs of one request.
const MOST_INPUTS: usize = 256;

/// What models are asked about: as JSON, or as parts called `file` of a form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Questions {
    inputs: Vec<Question>,
}

/// One of the three.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    text: Option<String>,
    /// The file, in base64.
    image: Option<String>,
    /// The file, in base64.
    sound: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Predictions {
    predictions: Vec<Predicted>,
}

/// An answer with its evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Predicted {
    /// Of the file, or the input's number.
    name: String,
    answer: Option<String>,
    /// `answered`, `unproven`, `dont-know` or `unfamiliar`: the last two are for a person to look at.
    #[schema(value_type = Option<String>)]
    verdict: Option<Verdict>,
    /// Calibrated, in [0, 1].
    confidence: Option<f64>,
    /// The most probable first.
    probs: Vec<ClassProbability>,
    /// P-value of being like what the model was tuned on, in (0, 1].
    familiarity: Option<f64>,
    /// Why there is no answer, or what of the input was left out.
    problem: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClassProbability {
    class: String,
    probability: f64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Embed {
    /// A base by its name, such as `multilingual-e5-small`.
    model: String,
    /// Texts.
    input: Vec<String>,
}

/// As the ecosystem writes it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Embeddings {
    object: &'static str,
    model: String,
    data: Vec<Embedding>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Vec<f32>,
}

/// Asks a model about files of a form, or inputs of a JSON body.
#[utoipa::path(post, path = "/v1/models/{id}/predict", tag = "predictions", request_body = Questions, responses((status = 200, body = Predictions)))]
pub(super) async fn with_model(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Predictions>, ApiError> {
    caller.may(Right::Predict)?;
    answer(&app, &caller.tenant, &id, None, request).await
}

/// Asks the model that answers under a name.
#[utoipa::path(post, path = "/v1/predict/{name}", tag = "predictions", request_body = Questions, responses((status = 200, body = Predictions)))]
pub(super) async fn with_deployment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Predictions>, ApiError> {
    caller.may(Right::Predict)?;
    let started = std::time::Instant::now();
    let deployment = found(app.db.deployment(&caller.tenant, &name).await?)?;
    let doubtful = deployment.collects.map(|dataset| Doubtful { dataset, name: name.clone() });
    let answer = answer(&app, &caller.tenant, &deployment.model, doubtful, request).await?;
    app.usage.count(&caller.tenant, &name, started.elapsed());
    Ok(answer)
}

/// Vectors of texts, from a base alone.
#[utoipa::path(post, path = "/v1/embeddings", tag = "predictions", request_body = Embed, responses((status = 200, body = Embeddings)))]
pub(super) async fn embeddings(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(embed): Sent<Embed>,
) -> Result<Json<Embeddings>, ApiError> {
    caller.may(Right::Predict)?;
    check_count(embed.input.len())?;
    let (of, id) = (app.clone(), embed.model.clone());
    let base = app.blocking(move || of.serving.base_named(&id)).await?;
    if base.base().modality() != Modality::Text {
        return Err(ApiError::invalid("this base takes no texts", "该底座不接受文本"));
    }
    let embedded = base.embed(embed.input.into_iter().map(Input::Text).collect()).await;
    let mut data = Vec::new();
    for (index, embedded) in embedded.into_iter().enumerate() {
        let embedding = embedded.map_err(|error| refused(&error))?.features;
        data.push(Embedding { object: "embedding", index, embedding });
    }
    Ok(Json(Embeddings { object: "list", model: embed.model, data }))
}

/// Answers a request to a model of this tenant.
async fn answer(
    app: &Arc<App>,
    tenant: &Tenant,
    model: &str,
    doubtful: Option<Doubtful>,
    request: Request,
) -> Result<Json<Predictions>, ApiError> {
    found(app.db.model(tenant, model).await?)?;
    let lang = lang_of(request.headers());
    let (of, id) = (app.clone(), model.to_owned());
    let served = app.blocking(move || of.serving.open(&id, of.model_file(&id, "djm"))).await?;
    let (names, inputs): (Vec<String>, Vec<Input>) =
        inputs(request, served.base().modality()).await?.into_iter().unzip();
    check_count(inputs.len())?;
    let kept = doubtful.as_ref().map(|_| inputs.clone());
    let answers = served.ask(inputs).await;
    if let (Some(doubtful), Some(inputs)) = (doubtful, kept) {
        let unsure = |answer: &Answered| {
            answer
                .as_ref()
                .is_ok_and(|(told, _)| matches!(told.verdict, Verdict::DontKnow | Verdict::Unfamiliar))
        };
        let inputs =
            inputs.into_iter().zip(&answers).filter(|(_, answer)| unsure(answer)).map(|(input, _)| input);
        tokio::spawn(doubtful.bring_back(app.clone(), tenant.clone(), inputs.collect()));
    }
    let predictions =
        names.into_iter().zip(answers).map(|(name, answer)| predicted(name, answer, &served, lang));
    Ok(Json(Predictions { predictions: predictions.collect::<Result<_, _>>()? }))
}

/// Refuses none and too many.
pub(super) fn check_count(count: usize) -> Result<(), ApiError> {
    match count {
        0 => Err(ApiError::invalid("there is no input", "没有输入")
            .hint("send `inputs`, or parts called `file`", "请发送 inputs，或名为 file 的表单部分")),
        1..=MOST_INPUTS => Ok(()),
        _ => Err(ApiError::too_large("at most 256 inputs at once", "一次最多 256 个输入")),
    }
}

/// What is asked about, by name.
async fn inputs(request: Request, takes: Modality) -> Result<Vec<(String, Input)>, ApiError> {
    if is_form(request.headers()) {
        return parts(request, takes).await;
    }
    let Sent(questions) = Sent::<Questions>::from_request(request, &()).await?;
    let one = |(place, question): (usize, Question)| Ok(((place + 1).to_string(), question.input()?));
    questions.inputs.into_iter().enumerate().map(one).collect()
}

/// Where inputs come back to that a deployment was in doubt about.
struct Doubtful {
    dataset: String,
    name: String,
}

impl Doubtful {
    /// Keeps inputs as examples without a label. Who asked does not wait for it, nor hears when it fails: the log does.
    async fn bring_back(self, app: Arc<App>, tenant: Tenant, inputs: Vec<Input>) {
        let Self { dataset, name } = &self;
        let mut came = false;
        for input in inputs {
            let (bytes, body) = match input {
                Input::Text(text) => (None, Some(text)),
                Input::Image(bytes) | Input::Sound(bytes) => (Some(bytes), None),
                _ => continue,
            };
            let blobs = app.blobs.clone();
            let kept =
                app.blocking(move || Ok(bytes.map(|bytes| blobs.keep_bytes(&bytes)).transpose()?)).await;
            let kept = match kept {
                Ok(blob) => app.db.collect(&tenant, dataset, name, blob.as_deref(), body.as_deref()).await,
                Err(error) => return tracing::warn!(error = error.en, "a doubtful input could not be kept"),
            };
            match kept {
                Ok(kept) => came |= kept,
                Err(error) => return tracing::warn!(%error, "a doubtful input could not be kept"),
            }
        }
        if came {
            app.lives.forget(dataset);
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"))
}

async fn parts(request: Request, takes: Modality) -> Result<Vec<(String, Input)>, ApiError> {
    let bad = |error: &dyn std::fmt::Display| {
        ApiError::invalid(format!("the form cannot be read: {error}"), format!("无法读取表单：{error}"))
    };
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| bad(&error))?;
    let mut inputs = Vec::new();
    while let Some(part) = form.next_field().await.map_err(|error| bad(&error))? {
        if part.name() != Some("file") {
            continue;
        }
        let name = part.file_name().map_or_else(|| (inputs.len() + 1).to_string(), str::to_owned);
        let bytes = part.bytes().await.map_err(|error| too_large_or(&error, &bad))?.to_vec();
        let input = match takes {
            Modality::Text => Input::Text(String::from_utf8(bytes).map_err(|error| bad(&error))?),
            Modality::Sound => Input::Sound(bytes),
            _ => Input::Image(bytes),
        };
        inputs.push((name, input));
    }
    Ok(inputs)
}

fn too_large_or(
    error: &axum::extract::multipart::MultipartError,
    bad: &dyn Fn(&dyn std::fmt::Display) -> ApiError,
) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large("the form is too large", "表单太大");
    }
    bad(error)
}

impl Question {
    fn input(self) -> Result<Input, ApiError> {
        let decode = |text: String| {
            let bad = |_| ApiError::invalid("a file is not base64", "文件不是 base64 编码");
            STANDARD.decode(text.trim()).map_err(bad)
        };
        match (self.text, self.image, self.sound) {
            (Some(text), None, None) => Ok(Input::Text(text)),
            (None, Some(image), None) => Ok(Input::Image(decode(image)?)),
            (None, None, Some(sound)) => Ok(Input::Sound(decode(sound)?)),
            _ => Err(ApiError::invalid(
                "each input is one of text, image and sound",
                "每个输入须为 text、image、sound 之一",
            )),
        }
    }
}

fn predicted(name: String, answered: Answered, served: &Served, lang: Lang) -> Result<Predicted, ApiError> {
    let none = |problem| Predicted {
        name: name.clone(),
        answer: None,
        verdict: None,
        confidence: None,
        probs: Vec::new(),
        familiarity: None,
        problem: Some(problem),
    };
    match answered {
        Ok((prediction, damage)) => Ok(told(name, prediction, damage, served, lang)),
        // One bad input never stops the others.
        Err(BaseError::Prep(error)) => Ok(none(words::problem_kind(&ProblemKind::from(error), lang))),
        Err(error) => Err(refused(&error)),
    }
}

fn told(
    name: String,
    prediction: Prediction,
    damage: Option<String>,
    served: &Served,
    lang: Lang,
) -> Predicted {
    let bundle = served.bundle();
    let problem = damage.map(|detail| ProblemKind::damaged(served.base().modality(), detail));
    let mut probs: Vec<ClassProbability> = bundle
        .manifest
        .task
        .outputs()
        .iter()
        .zip(&prediction.probs)
        .map(|(class, probability)| ClassProbability { class: class.clone(), probability: *probability })
        .collect();
    probs.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    Predicted {
        name,
        answer: Some(prediction.answer.to_string()),
        verdict: Some(prediction.verdict),
        confidence: prediction.confidence,
        probs,
        familiarity: prediction.familiarity,
        problem: problem.map(|problem| words::problem_kind(&problem, lang)),
    }
}

/// What a base has against an input that is none of its kind.
fn refused(error: &BaseError) -> ApiError {
    ApiError::invalid(error.to_string(), error.to_string())
}
