//! Asking models: about files, texts, or what is sent as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use base::open::BaseError;
use bundle::{Prediction, SenseShare, SensesPredictor, TaskReference, Verdict};
use dataset::{Modality, ProblemKind};
use evaluate::Sketch;
use pipeline::{Lang, PipelineError, words};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::aftermath::Aftermath;
use super::inputs::{Question, Questions, Sample, check_count, questions};
use super::inspected::{self, Inspected};
use super::models::not_hidden;
use super::reading::{Asked, Sent, found};
use super::stretches::{self, ToldStretch, words_of};
use crate::App;
use crate::answering::lang_of;
use crate::error::ApiError;
use crate::monitoring::{self, Said};
use crate::people::{Caller, Right};
use crate::serving::{self, Answered, Heard, Opened, SenseEmbedded, Served, Told, refused};

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
    /// On which senses it relied, where the model takes several.
    pub(super) senses: Vec<Share>,
    /// What an inspector found.
    pub(super) inspected: Option<Inspected>,
    /// Of a sound that is longer than the pieces that the model learned from: each stretch with its own answer, in their order. Then there is
    /// no `answer`.
    pub(super) stretches: Vec<ToldStretch>,
    /// Why there is no answer, or what of the input was left out.
    pub(super) problem: Option<String>,
    /// What is kept of how the base sees it.
    #[serde(skip)]
    pub(super) sketches: Vec<(String, Option<Sketch>)>,
}

/// What one of several senses had to say about an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Share {
    sense: String,
    /// Whether it was sent and could be used.
    present: bool,
    /// In [0, 1]; the shares of all sum to 1.
    share: f64,
    /// P-value of being like what it was tuned on, in (0, 1].
    familiarity: Option<f64>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
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
    /// All of one kind.
    input: Vec<Embeddable>,
}

/// A text, or an object with `text` or, in base64, `image`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Embeddable {
    Text(String),
    Sample(Sample),
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
    let questions = questions(request, &opened.takes()).await?;
    Ok(Json(Predictions { predictions: ask(&app, &opened, questions, heat.wanted(), lang).await? }))
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
    not_hidden(&app, &caller, &found(app.db.model(&caller.tenant, &deployment.model).await?)?).await?;
    let lang = lang_of(request.headers());
    let opened = app.open_model(&deployment.model).await?;
    let questions = questions(request, &opened.takes()).await?;
    let kept = Aftermath::needs_inputs(&deployment).then(|| questions.clone());
    let predictions = ask(&app, &opened, questions, heat.wanted(), lang).await?;
    let said: Vec<Option<Said>> = predictions.iter().map(Predicted::said).collect();
    let of_stretches = predictions.iter().flat_map(|one| one.stretches.iter().map(ToldStretch::said));
    let request = monitoring::Request {
        model: deployment.model.clone(),
        said: said.iter().flatten().cloned().chain(of_stretches).collect(),
        took: started.elapsed(),
    };
    app.monitoring.count(&app, &caller.tenant, &name, request).await;
    if let Some(questions) = kept {
        let doubts = predictions.iter().map(|one| stretches::doubtful(&one.stretches)).collect();
        let (app, tenant) = (app.clone(), caller.tenant.clone());
        Aftermath { app, tenant, deployment, questions, said, doubts }.begin();
    }
    Ok(Json(Predictions { predictions }))
}

/// What a model says of each question, in their order.
pub(super) async fn ask(
    app: &App,
    opened: &Opened,
    mut questions: Vec<Question>,
    heat: bool,
    lang: Lang,
) -> Result<Vec<Predicted>, ApiError> {
    match opened {
        Opened::Answers(served) => {
            let heard = served.hear(questions.iter_mut().map(Question::take_only).collect()).await?;
            let told = questions.iter().zip(heard);
            told.map(|(question, heard)| of_heard(question, heard, served, lang)).collect()
        }
        Opened::Senses(served) => {
            let asked = questions.iter().map(|question| question.inputs.clone()).collect();
            let embedded = app.serving.embed_senses(served, asked).await?;
            let told = questions.iter().zip(embedded);
            told.map(|(question, embedded)| of_senses(question, embedded, served, lang)).collect()
        }
        Opened::Inspects(inspector) => inspected::all(app, inspector, questions, heat, lang).await,
    }
}

/// Vectors of texts or pictures, from a base alone.
#[utoipa::path(post, path = "/v1/embeddings", tag = "predictions", request_body = Embed, responses((status = 200, body = Embeddings)))]
pub(super) async fn embeddings(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(embed): Sent<Embed>,
) -> Result<Json<Embeddings>, ApiError> {
    caller.may(Right::Predict)?;
    check_count(embed.input.len())?;
    let asked = embed.input.into_iter().enumerate().map(|(place, input)| input.question(place + 1));
    let (questions, kinds): (Vec<Question>, Vec<Modality>) =
        asked.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let base = app.serving.base_named(&embed.model, kinds[0]).await?;
    let embedded = base.embed(questions.iter().map(Question::only).collect()).await?;
    let mut data = Vec::new();
    for ((index, question), embedded) in questions.iter().enumerate().zip(embedded) {
        let embedding = match embedded {
            Ok(embedded) => embedded.features,
            Err(error) => return Err(unanswered(question, error)?.refused()),
        };
        data.push(Embedding { object: "embedding", index, embedding });
    }
    Ok(Json(Embeddings { object: "list", model: embed.model, data }))
}

impl Embeddable {
    /// As a question, called by its place, with its kind.
    fn question(self, place: usize) -> Result<(Question, Modality), ApiError> {
        match self {
            Self::Text(text) => {
                Ok((Question::one(place.to_string(), text.into_bytes(), Modality::Text)?, Modality::Text))
            }
            Self::Sample(sample) => match sample.only(place.to_string())? {
                told @ (_, Modality::Text | Modality::Image) => Ok(told),
                _ => Err(ApiError::invalid(
                    "vectors are given of texts and images only",
                    "只返回文本和图片的向量",
                )),
            },
        }
    }
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
            senses: Vec::new(),
            inspected: None,
            stretches: Vec::new(),
            problem: None,
            sketches: Vec::new(),
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
            sketches: self.sketches.clone(),
        })
    }
}

fn of_heard(question: &Question, heard: Heard, served: &Served, lang: Lang) -> Result<Predicted, ApiError> {
    let name = question.name.clone();
    match heard {
        Heard::Once(answered) => predicted(question, answered, served, lang),
        Heard::Stretches(stretches, damage) => {
            Ok(stretches::told(name, stretches, damage, &served.bundle().manifest.task, lang))
        }
        Heard::TooMuch { most_pieces, seconds } => Ok(stretches::too_much(name, most_pieces, seconds, lang)),
    }
}

fn predicted(
    question: &Question,
    answered: Answered,
    served: &Served,
    lang: Lang,
) -> Result<Predicted, ApiError> {
    match answered {
        Ok(Told { prediction, damage, sketch }) => {
            let problem = damage.map(|detail| ProblemKind::damaged(served.base().modality(), detail));
            let task = &served.bundle().manifest.task;
            let sketches = vec![(String::new(), sketch)];
            Ok(Predicted { sketches, ..told(question, Some(prediction), problem.as_slice(), task, lang) })
        }
        // One bad input never stops the others.
        Err(error) => {
            let problem = Some(unanswered(question, error)?.of(lang));
            Ok(Predicted { problem, ..Predicted::of(question.name.clone()) })
        }
    }
}

/// What is wrong with an input that has no answer.
pub(super) struct Unanswered {
    en: String,
    zh: String,
}

impl Unanswered {
    fn of(self, lang: Lang) -> String {
        lang.pick(self.en, self.zh)
    }

    /// Where an answer for each is promised, one without stops the others.
    pub(super) fn refused(self) -> ApiError {
        ApiError::invalid(self.en, self.zh)
    }
}

/// What is wrong with an input, in words without places of this server; an error where it is not the input's fault, or the base takes
/// nothing of its kind.
pub(super) fn unanswered(question: &Question, error: BaseError) -> Result<Unanswered, ApiError> {
    match error {
        BaseError::Prep(error) => {
            let kind = ProblemKind::from(error);
            let told = |lang| question.told(words::problem_kind(&kind, lang));
            Ok(Unanswered { en: told(Lang::En), zh: told(Lang::Zh) })
        }
        error @ BaseError::Ffmpeg(_) => Err(PipelineError::from(error).into()),
        error => Err(refused(error)),
    }
}

/// The answer to one question about what is there of several senses.
fn of_senses(
    question: &Question,
    embedded: Vec<SenseEmbedded>,
    served: &SensesPredictor,
    lang: Lang,
) -> Result<Predicted, ApiError> {
    let sketches = serving::sketches(served, &embedded);
    let answered = served.predict_embedded(embedded, &question.inputs).map_err(PipelineError::from)?;
    let nothing = answered.prediction.senses.iter().all(|sense| !sense.present);
    // With nothing to look at, the shares of the classes are no answer.
    let prediction = (!nothing).then_some(answered.prediction);
    let told = told(question, prediction, &answered.problems, &served.bundle().manifest.task, lang);
    Ok(Predicted { sketches, ..told })
}

fn told(
    question: &Question,
    prediction: Option<Prediction>,
    problems: &[ProblemKind],
    task: &TaskReference,
    lang: Lang,
) -> Predicted {
    let problems: Vec<String> =
        problems.iter().map(|problem| question.told(words::problem_kind(problem, lang))).collect();
    let problem = (!problems.is_empty()).then(|| problems.join(lang.pick("; ", "；")));
    let of = Predicted { problem, ..Predicted::of(question.name.clone()) };
    let Some(prediction) = prediction else { return of };
    Predicted {
        probs: most_probable(task, &prediction),
        answer: Some(words_of(prediction.answer)),
        verdict: Some(prediction.verdict),
        confidence: prediction.confidence,
        familiarity: prediction.familiarity,
        senses: prediction.senses.into_iter().map(share).collect(),
        ..of
    }
}

/// The probability of each class, the most probable first.
pub(super) fn most_probable(task: &TaskReference, prediction: &Prediction) -> Vec<ClassProbability> {
    let each = task.outputs().iter().zip(&prediction.probs);
    let of = |(class, probability): (&String, &f64)| ClassProbability {
        class: class.clone(),
        probability: *probability,
    };
    let mut probs: Vec<ClassProbability> = each.map(of).collect();
    probs.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    probs
}

fn share(of: SenseShare) -> Share {
    Share { sense: of.sense, present: of.present, share: of.share, familiarity: of.familiarity }
}

/// A number to six digits: more are noise.
pub(super) fn short(value: f64) -> String {
    let digits = 5 - value.abs().max(f64::MIN_POSITIVE).log10().floor() as i32;
    let scale = 10_f64.powi(digits.clamp(-300, 300));
    ((value * scale).round() / scale).to_string()
}
