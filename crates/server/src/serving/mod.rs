//! Many models on few bases: each base is loaded once, heads are small and come and go.
//!
//! Requests of all tenants for one base go through it together ([`batch`]); what comes out goes to each one's own head.

mod batch;
mod long;
mod once;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base::Base;
use base::open::{BaseError, Embedded, Input, READER};
use bundle::inspection::InspectionPredictor;
use bundle::{BaseReference, Bundle, BundleKind, Prediction, Predictor, SensesBundle, SensesPredictor};
use dataset::{Modality, Sense};
use evaluate::Sketch;
use pipeline::{Home, Lang, PipelineError, Run, words};

pub(crate) use batch::Batcher;
use batch::{Queue, ask_each, embedding};
pub(crate) use long::Heard;
use once::Once;

use crate::error::ApiError;

/// Models that are kept open: the one that was not asked longest goes first.
const MOST_MODELS: usize = 4096;
/// Inspectors that are kept open: each has a memory of good parts, and looks in its own way.
const MOST_INSPECTORS: usize = 16;

/// What is loaded.
#[derive(Debug)]
pub(crate) struct Serving {
    home: Home,
    /// By the name of the base: models that look through it in their own ways share its queue as well.
    queues: Mutex<HashMap<String, Arc<Queue>>>,
    bases: Once<Arc<Batcher>>,
    models: Mutex<HashMap<String, (Arc<Served>, u64)>>,
    senses: Mutex<HashMap<String, (Arc<SensesPredictor>, u64)>>,
    inspectors: Mutex<HashMap<String, (Arc<InspectionPredictor>, u64)>>,
    clock: std::sync::atomic::AtomicU64,
}

/// A model of any kind.
#[derive(Debug, Clone)]
pub(crate) enum Opened {
    Answers(Arc<Served>),
    Senses(Arc<SensesPredictor>),
    Inspects(Arc<InspectionPredictor>),
}

impl Opened {
    /// What it is asked about: the one sense that it takes, by its kind, or several by their names.
    pub(crate) fn takes(&self) -> Vec<Sense> {
        let one = |modality: Modality| vec![Sense { name: modality.to_string(), modality }];
        match self {
            Self::Answers(served) => one(served.base().modality()),
            Self::Senses(served) => served.senses(),
            Self::Inspects(inspector) => one(looks_at(inspector)),
        }
    }
}

/// What an inspector looks at: photos, or pictures of sounds, of videos or of series.
pub(crate) fn looks_at(inspector: &InspectionPredictor) -> Modality {
    let named = &inspector.bundle().manifest.base.modality;
    let drawn = [Modality::Sound, Modality::Video, Modality::Series]
        .into_iter()
        .find(|kind| kind.to_string() == *named);
    drawn.unwrap_or(Modality::Image)
}

/// What a file holds, before its bases are there.
enum Read {
    OneSense(Box<Bundle>),
    Senses(Box<SensesBundle>),
    Inspector(Arc<InspectionPredictor>),
}

/// A model that answers.
#[derive(Debug)]
pub(crate) struct Served {
    predictor: Predictor,
    base: Arc<Batcher>,
}

/// What a base makes of one sense, or what it has against it; `None` where the sense is missing.
pub(crate) type SenseEmbedded = Option<Result<Embedded, BaseError>>;

/// An answer, or why there is none.
pub(crate) type Answered = Result<Told, BaseError>;

/// An answer, what of the input was damaged, and what is kept of how the base sees it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) prediction: Prediction,
    pub(crate) damage: Option<String>,
    pub(crate) sketch: Option<Sketch>,
}

impl Serving {
    pub(crate) fn new(home: Home) -> Self {
        Self {
            home,
            queues: Mutex::default(),
            bases: Once::default(),
            models: Mutex::default(),
            senses: Mutex::default(),
            inspectors: Mutex::default(),
            clock: std::sync::atomic::AtomicU64::new(0),
        }
    }

    /// The model in a file, opened when it is asked for first; its self-test runs then. The file is to be here until this ends.
    pub(crate) async fn open(self: &Arc<Self>, id: &str, path: &Path) -> Result<Opened, ApiError> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        if let Some(opened) = self.opened(id, now) {
            return Ok(opened);
        }
        let (of, path) = (self.clone(), path.to_owned());
        match aside(move || of.read(&path)).await? {
            Read::OneSense(bundle) => {
                let base = self.base(&bundle.manifest.base).await?;
                let served = aside(move || {
                    let predictor = Predictor::on(*bundle, base.probed()).map_err(PipelineError::from)?;
                    Ok(Arc::new(Served { predictor, base }))
                });
                let served = served.await?;
                keep(&self.models, id, &served, now, MOST_MODELS);
                Ok(Opened::Answers(served))
            }
            Read::Inspector(inspector) => {
                keep(&self.inspectors, id, &inspector, now, MOST_INSPECTORS);
                Ok(Opened::Inspects(inspector))
            }
            Read::Senses(bundle) => {
                let mut bases = Vec::new();
                for sense in &bundle.manifest.senses {
                    bases.push(self.base(&sense.base).await?.base().clone());
                }
                let served = aside(move || {
                    Ok(Arc::new(SensesPredictor::new(*bundle, bases).map_err(PipelineError::from)?))
                });
                let served = served.await?;
                keep(&self.senses, id, &served, now, MOST_MODELS);
                Ok(Opened::Senses(served))
            }
        }
    }

    /// What is open already, which is asked now.
    fn opened(&self, id: &str, now: u64) -> Option<Opened> {
        let answers = || again(&self.models, id, now).map(Opened::Answers);
        let senses = || again(&self.senses, id, now).map(Opened::Senses);
        let inspects = || again(&self.inspectors, id, now).map(Opened::Inspects);
        answers().or_else(senses).or_else(inspects)
    }

    fn read(&self, path: &Path) -> Result<Read, ApiError> {
        Ok(match bundle::kind(path).map_err(PipelineError::from)? {
            BundleKind::OneSense => {
                Read::OneSense(Box::new(Bundle::open(path).map_err(PipelineError::from)?))
            }
            BundleKind::Inspector => {
                let never = AtomicBool::new(false);
                Read::Inspector(Arc::new(self.home.open_inspector(path, &Run::new(&|_| {}, &never))?))
            }
            BundleKind::Senses => {
                Read::Senses(Box::new(SensesBundle::open(path).map_err(PipelineError::from)?))
            }
            BundleKind::Joint => return Err(not_served()),
        })
    }

    /// Closes a model that is gone.
    pub(crate) fn forget(&self, id: &str) {
        self.models.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.senses.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.inspectors.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// The queue in front of a base.
    pub(crate) fn queue(&self, base: &str) -> Arc<Queue> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || Arc::new(Queue::start(format!("base {base}")));
        queues.entry(base.to_owned()).or_insert_with(start).clone()
    }

    /// Inputs that went through bases, and in how many batches.
    pub(crate) fn n_inputs_and_batches(&self) -> (u64, u64) {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = queues.values().map(|queue| queue.counts());
        counts.fold((0, 0), |(inputs, batches), counts| {
            (inputs + counts.inputs.load(Ordering::Relaxed), batches + counts.batches.load(Ordering::Relaxed))
        })
    }

    /// What the bases of a model of several senses make of what is there of each question, `[n][M]`, on the ways that all share.
    pub(crate) async fn embed_senses(
        &self,
        model: &SensesPredictor,
        asked: Vec<Vec<Option<Input>>>,
    ) -> Result<Vec<Vec<SenseEmbedded>>, ApiError> {
        let n_questions = asked.len();
        let mut by_sense: Vec<Vec<Option<Input>>> = model.bases().iter().map(|_| Vec::new()).collect();
        for inputs in asked {
            by_sense.iter_mut().zip(inputs).for_each(|(of, input)| of.push(input));
        }
        let mut embedded: Vec<Vec<SenseEmbedded>> = (0..n_questions).map(|_| Vec::new()).collect();
        let (mut there, mut asking) = (Vec::new(), Vec::new());
        for (inputs, base) in by_sense.into_iter().zip(model.bases()) {
            there.push(inputs.iter().map(Option::is_some).collect::<Vec<_>>());
            asking.push((self.queue(base.id()), embedding(base, inputs.into_iter().flatten().collect())));
        }
        for (there, answers) in there.into_iter().zip(ask_each(asking).await?) {
            let mut answers = answers.into_iter();
            for (of, there) in embedded.iter_mut().zip(there) {
                of.push(there.then(|| answers.next().expect("an answer for each input")));
            }
        }
        Ok(embedded)
    }

    /// The base that a bundle names, loaded once for all. Over series each has its own: it knows their sensors, and loads nothing.
    async fn base(self: &Arc<Self>, reference: &BaseReference) -> Result<Arc<Batcher>, ApiError> {
        let (of, id, reference) = (self.clone(), reference.id.clone(), reference.clone());
        let never = AtomicBool::new(false);
        let alone = reference.sensors.is_some();
        let open = move || {
            let base = of.home.base_of(&reference, &Run::new(&|_| {}, &never))?;
            let queue = of.queue(base.id());
            Ok(Arc::new(Batcher::start(base, queue)?))
        };
        // Whether a bundle fits is checked when it is put on the base, so that no bundle can have one base loaded twice.
        if alone { aside(open).await } else { self.bases.get(&id, open).await }
    }

    /// What takes inputs of a kind of a base by its name, if it is here: nobody makes the server fetch one. Of a base with two towers that
    /// which reads texts also goes by its own name.
    pub(crate) async fn base_named(
        self: &Arc<Self>,
        id: &str,
        takes: Modality,
    ) -> Result<Arc<Batcher>, ApiError> {
        let (of, asked) = (self.clone(), id.to_owned());
        let id = aside(move || of.network(&asked, takes)).await?;
        let (of, name) = (self.clone(), id.clone());
        let open = move || {
            let never = AtomicBool::new(false);
            let base = of.home.open_base(&name, &Run::new(&|_| {}, &never))?;
            Ok(Arc::new(Batcher::start(base, of.queue(&name))?))
        };
        self.bases.get(&id, open).await
    }

    /// The name of what takes inputs of a kind, of a base by its name: a base of pictures may have a network that reads texts.
    fn network(&self, id: &str, takes: Modality) -> Result<String, ApiError> {
        let bases = self.home.bases();
        let reads = |whole: &str| {
            let card = bases.find(whole).ok()?.card;
            Some(card.modality != Modality::Text && card.takes(Modality::Text))
        };
        let whole = id.strip_suffix(READER).filter(|whole| reads(whole) == Some(true));
        let Some(has_reader) = reads(whole.unwrap_or(id)) else {
            let (en, zh) = ("there is no such base on this server", "此服务器上没有该底座");
            return Err(ApiError::invalid(en, zh)
                .hint("fetch it with `dianjing base pull`", "请用 dianjing base pull 下载"));
        };
        let whole = whole.unwrap_or(id);
        Ok(if has_reader && takes == Modality::Text { format!("{whole}{READER}") } else { whole.to_owned() })
    }
}

/// Does something that may take a while away from the threads that answer.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))?
}

fn not_served() -> ApiError {
    ApiError::conflict("this kind of model is not served yet", "暂不支持部署此类模型")
        .hint("ask it with `dianjing predict`", "请用 dianjing predict 使用它")
}

/// What is open already, which is asked now.
fn again<T>(open: &Mutex<HashMap<String, (Arc<T>, u64)>>, id: &str, now: u64) -> Option<Arc<T>> {
    let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
    let (model, asked) = open.get_mut(id)?;
    *asked = now;
    Some(model.clone())
}

/// Keeps a model open, in place of the one that was not asked longest where there are too many.
fn keep<T>(open: &Mutex<HashMap<String, (Arc<T>, u64)>>, id: &str, model: &Arc<T>, now: u64, most: usize) {
    let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
    if open.len() >= most
        && let Some(oldest) = open.iter().min_by_key(|(_, (_, asked))| *asked).map(|(id, _)| id.clone())
    {
        open.remove(&oldest);
    }
    open.insert(id.to_owned(), (model.clone(), now));
}

impl Served {
    /// What the model answers.
    pub(crate) fn bundle(&self) -> &Bundle {
        self.predictor.bundle()
    }

    /// Asks about inputs; they share the way through the base with everybody else's.
    pub(crate) async fn ask(&self, inputs: Vec<Input>) -> Result<Vec<Answered>, ApiError> {
        let texts = inputs.iter().map(text_of).collect();
        Ok(self.answers(self.base.embed(inputs).await?, texts))
    }

    /// As [`Served::ask`], and waits where too many others do.
    async fn ask_in_time(&self, inputs: Vec<Input>) -> Result<Vec<Answered>, ApiError> {
        let texts = inputs.iter().map(text_of).collect();
        Ok(self.answers(self.base.embed_in_time(inputs).await?, texts))
    }

    fn answers(
        &self,
        embedded: Vec<Result<Embedded, BaseError>>,
        texts: Vec<Option<String>>,
    ) -> Vec<Answered> {
        let answer = |(embedded, text): (Result<Embedded, BaseError>, Option<String>)| {
            let Embedded { features, damage } = embedded?;
            let sketch = Sketch::of(self.pooled(&features));
            Ok(Told {
                prediction: self.predictor.predict_features(&features, text.as_deref()),
                damage,
                sketch,
            })
        };
        embedded.into_iter().zip(texts).map(answer).collect()
    }

    /// What the base makes of inputs: its pooled vector of each.
    pub(crate) async fn see(&self, inputs: Vec<Input>) -> Result<Vec<Vec<f32>>, ApiError> {
        let pooled = |features: &[f32]| self.pooled(features).to_vec();
        let seen = self.base.embed(inputs).await?.into_iter();
        seen.map(|embedded| Ok(pooled(&embedded.map_err(refused)?.features))).collect()
    }

    fn pooled<'f>(&self, features: &'f [f32]) -> &'f [f32] {
        pooled(self.base(), features)
    }

    pub(crate) fn base(&self) -> &Arc<Base> {
        self.base.base()
    }
}

/// What the bases of a model made of the senses that are there, `[M]`: of each its name, the base, and its pooled vector.
pub(crate) fn see_senses(
    model: &SensesPredictor,
    embedded: Vec<SenseEmbedded>,
) -> Result<Vec<(String, String, Vec<f32>)>, ApiError> {
    let mut seen = Vec::new();
    for ((embedded, sense), base) in embedded.into_iter().zip(model.senses()).zip(model.bases()) {
        let Some(embedded) = embedded else { continue };
        let features = embedded.map_err(refused)?.features;
        seen.push((sense.name, base.id().to_owned(), pooled(base, &features).to_vec()));
    }
    Ok(seen)
}

/// What is kept of how the bases of a model see one input, by sense; nothing of a sense that is missing or could not be used.
pub(crate) fn sketches(model: &SensesPredictor, embedded: &[SenseEmbedded]) -> Vec<(String, Option<Sketch>)> {
    let sketch = |embedded: &SenseEmbedded, base: &Base| {
        let embedded = embedded.as_ref()?.as_ref().ok()?;
        Sketch::of(pooled(base, &embedded.features))
    };
    let bases = model.senses().into_iter().zip(model.bases());
    embedded.iter().zip(bases).map(|(embedded, (sense, base))| (sense.name, sketch(embedded, base))).collect()
}

fn pooled<'f>(base: &Base, features: &'f [f32]) -> &'f [f32] {
    base.split(features)[base.layout()[0].name.as_str()]
}

/// What a base has against an input.
pub(crate) fn refused(error: BaseError) -> ApiError {
    let error = PipelineError::from(error);
    ApiError::invalid(words::error(&error, Lang::En), words::error(&error, Lang::Zh))
}

fn text_of(input: &Input) -> Option<String> {
    if let Input::Text(text) = input { Some(text.clone()) } else { None }
}
