//! Asking models: about files, texts, or what is sent as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use base::open::{BaseError, Input};
use bundle::{Answer, Prediction, Verdict};
use dataset::{Modality, ProblemKind};
use pipeline::{Lang, words};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::aftermath::Aftermath;
use super::inputs::{Questions, check_count, inputs};
use super::inspected::{self, Inspected};
use super::models::not_hidden;
use super::reading::{Asked, Sent, found};
use crate::App;
use crate::answering::lang_of;
use crate::error::ApiError;
use crate::monitoring::{self, Said};
use crate::people::{Caller, Right};
use crate::serving::{Answered, Opened, Served};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Predictions {
    predictions: Vec<Predicted>,
}

/// An answer with its evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Predicted {
    /// Of the file, or the input's number.
    pub(super) name: String,
    /// Of an inspector: `good`, the kind of defect, or `defect`.
    pub(super) answer: Option<String>,
    /// `answered`, `unproven`, `dont-know` or `unfamiliar`: the last two are for a person to look at.
    #[schema(value_type = Option<String>)]
    pub(super) verdict: Option<Verdict>,
    /// Calibrated, in [0, 1].
    pub(super) confidence: Option<f64>,
    /// The most probable first.
    pub(super) probs: Vec<ClassProbability>,
    /// P-value of being like what the model was tuned on, in (0, 1].
    pub(super) familiarity: Option<f64>,
    /// What an inspector found.
    pub(super) inspected: Option<Inspected>,
    /// Why there is no answer, or what of the input was left out.
    pub(super) problem: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(super) struct Heat {
    /// 1 for a picture of where an inspector looked.
    heat: Option<u8>,
}

impl Heat {
    fn wanted(&self) -> bool {
        self.heat == Some(1)
    }
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
#[utoipa::path(post, path = "/v1/models/{id}/predict", tag = "predictions", params(Heat), request_body = Questions, responses((status = 200, body = Predictions)))]
pub(super) async fn with_model(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(heat): Asked<Heat>,
    request: Request,
) -> Result<Json<Predictions>, ApiError> {
    caller.may(Right::Predict)?;
    not_hidden(&app, &caller, &found(app.db.model(&caller.tenant, &id).await?)?).await?;
    let lang = lang_of(request.headers());
    let opened = app.open_model(&id).await?;
    let inputs = inputs(request, opened.takes()).await?;
    Ok(Json(Predictions { predictions: ask(&app, &opened, inputs, heat.wanted(), lang).await? }))
}

/// Asks the model that answers under a name.
#[utoipa::path(post, path = "/v1/predict/{name}", tag = "predictions", params(Heat), request_body = Questions, responses((status = 200, body = Predictions)))]
pub(super) async fn with_deployment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Asked(heat): Asked<Heat>,
    request: Request,
) -> Result<Json<Predictions>, ApiError> {
    caller.may(Right::Predict)?;
    let started = std::time::Instant::now();
    let deployment = found(app.db.deployment(&caller.tenant, &name).await?)?;
    let lang = lang_of(request.headers());
    let opened = app.open_model(&deployment.model).await?;
    let inputs = inputs(request, opened.takes()).await?;
    let kept = Aftermath::needs_inputs(&deployment).then(|| inputs.clone());
    let predictions = ask(&app, &opened, inputs, heat.wanted(), lang).await?;
    let said: Vec<Option<Said>> = predictions.iter().map(Predicted::said).collect();
    let request = monitoring::Request {
        model: deployment.model.clone(),
        said: said.iter().flatten().cloned().collect(),
        took: started.elapsed(),
    };
    app.monitoring.count(&app, &caller.tenant, &name, request).await;
    if let Some(inputs) = kept {
        let aftermath =
            Aftermath { app: app.clone(), tenant: caller.tenant.clone(), deployment, inputs, said };
        aftermath.begin();
    }
    Ok(Json(Predictions { predictions }))
}

/// What a model says of inputs, in their order.
pub(super) async fn ask(
    app: &App,
    opened: &Opened,
    inputs: Vec<(String, Input)>,
    heat: bool,
    lang: Lang,
) -> Result<Vec<Predicted>, ApiError> {
    match opened {
        Opened::Answers(served) => {
            let (names, inputs): (Vec<String>, Vec<Input>) = inputs.into_iter().unzip();
            let told = names.into_iter().zip(served.ask(inputs).await);
            told.map(|(name, answer)| predicted(name, answer, served, lang)).collect()
        }
        Opened::Inspects(inspector) => {
            let inspector = inspector.clone();
            app.blocking(move || inspected::all(&inspector, inputs, heat, lang)).await
        }
    }
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

impl Predicted {
    /// An input of which only its name is known so far.
    pub(super) fn of(name: String) -> Self {
        Self {
            name,
            answer: None,
            verdict: None,
            confidence: None,
            probs: Vec::new(),
            familiarity: None,
            inspected: None,
            problem: None,
        }
    }

    /// What the monitor counts; `None` where there is no answer.
    pub(super) fn said(&self) -> Option<Said> {
        let unsure = |verdict| Said::is_doubtful(verdict, self.confidence, self.familiarity);
        // An alarm is for a person to look at.
        let alarms = self.inspected.as_ref().is_some_and(|inspected| inspected.alarm);
        Some(Said {
            answer: self.answer.clone()?,
            doubtful: alarms || self.verdict.is_some_and(unsure),
            familiarity: self.familiarity.or(self.inspected.as_ref().map(|inspected| inspected.p_value)),
        })
    }
}

fn predicted(name: String, answered: Answered, served: &Served, lang: Lang) -> Result<Predicted, ApiError> {
    match answered {
        Ok((prediction, damage)) => Ok(told(name, prediction, damage, served, lang)),
        // One bad input never stops the others.
        Err(BaseError::Prep(error)) => {
            let problem = Some(words::problem_kind(&ProblemKind::from(error), lang));
            Ok(Predicted { problem, ..Predicted::of(name) })
        }
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
        answer: Some(match prediction.answer {
            Answer::Number { value, .. } => short(value),
            answer => answer.to_string(),
        }),
        verdict: Some(prediction.verdict),
        confidence: prediction.confidence,
        probs,
        familiarity: prediction.familiarity,
        problem: problem.map(|problem| words::problem_kind(&problem, lang)),
        ..Predicted::of(name)
    }
}

/// A number to six digits: more are noise.
fn short(value: f64) -> String {
    let digits = 5 - value.abs().max(f64::MIN_POSITIVE).log10().floor() as i32;
    let scale = 10_f64.powi(digits.clamp(-300, 300));
    ((value * scale).round() / scale).to_string()
}

/// What a base has against an input that is none of its kind.
fn refused(error: &BaseError) -> ApiError {
    ApiError::invalid(error.to_string(), error.to_string())
}
