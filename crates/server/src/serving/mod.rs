//! Many models on few bases: each base is loaded once, heads are small and come and go.
//!
//! Requests of all tenants for one base go through it together ([`batch`]); what comes out goes to each one's own head.

mod batch;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use base::Base;
use base::open::{BaseError, Embedded, Input};
use bundle::{BaseReference, Bundle, BundleKind, Prediction, Predictor};
use pipeline::{Home, PipelineError, Run};

pub(crate) use batch::Batcher;

use crate::error::ApiError;

/// Models that are kept open: the one that was not asked longest goes first.
const MOST_MODELS: usize = 4096;

/// What is loaded.
#[derive(Debug)]
pub(crate) struct Serving {
    home: Home,
    bases: Mutex<HashMap<String, Arc<Batcher>>>,
    models: Mutex<HashMap<String, (Arc<Served>, u64)>>,
    clock: std::sync::atomic::AtomicU64,
}

/// A model that answers.
#[derive(Debug)]
pub(crate) struct Served {
    predictor: Predictor,
    base: Arc<Batcher>,
}

/// An answer, or why there is none, and what of the input was damaged.
pub(crate) type Answered = Result<(Prediction, Option<String>), BaseError>;

impl Serving {
    pub(crate) fn new(home: Home) -> Self {
        Self {
            home,
            bases: Mutex::default(),
            models: Mutex::default(),
            clock: std::sync::atomic::AtomicU64::new(0),
        }
    }

    /// The model in a file, opened when it is asked for first; its self-test runs then.
    pub(crate) fn open(&self, id: &str, path: PathBuf) -> Result<Arc<Served>, ApiError> {
        let now = self.clock.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if let Some((served, asked)) = self.models.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id)
        {
            *asked = now;
            return Ok(served.clone());
        }
        if bundle::kind(&path).map_err(PipelineError::from)? != BundleKind::OneSense {
            return Err(ApiError::conflict("this kind of model is not served yet", "暂不支持部署此类模型"));
        }
        let bundle = Bundle::open(&path).map_err(PipelineError::from)?;
        let base = self.base(&bundle.manifest.base)?;
        let predictor = Predictor::on(bundle, base.probed()).map_err(PipelineError::from)?;
        let served = Arc::new(Served { predictor, base });
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if models.len() >= MOST_MODELS
            && let Some(oldest) = models.iter().min_by_key(|(_, (_, asked))| *asked).map(|(id, _)| id.clone())
        {
            models.remove(&oldest);
        }
        models.insert(id.to_owned(), (served.clone(), now));
        Ok(served)
    }

    /// Closes a model that is gone.
    pub(crate) fn forget(&self, id: &str) {
        self.models.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// The base that a bundle names, loaded once for all.
    fn base(&self, reference: &BaseReference) -> Result<Arc<Batcher>, ApiError> {
        let never = AtomicBool::new(false);
        self.once(&reference.id, || self.home.base_of(reference, &Run::new(&|_| {}, &never)))
    }

    /// A base by its name in the catalogue, if it is here: nobody makes the server fetch one.
    pub(crate) fn base_named(&self, id: &str) -> Result<Arc<Batcher>, ApiError> {
        if self.home.catalogue.entry(id).is_err() || !self.home.bases().path_of(id).exists() {
            let (en, zh) = ("there is no such base on this server", "此服务器上没有该底座");
            return Err(ApiError::invalid(en, zh)
                .hint("fetch it with `dianjing base pull`", "请用 dianjing base pull 下载"));
        }
        let never = AtomicBool::new(false);
        self.once(id, || self.home.open_base(id, &Run::new(&|_| {}, &never)))
    }

    /// Whether a bundle fits is checked when it is put on the base, so that no bundle can have one base loaded twice.
    fn once(
        &self,
        id: &str,
        open: impl FnOnce() -> Result<Arc<Base>, PipelineError>,
    ) -> Result<Arc<Batcher>, ApiError> {
        // Loading under the lock: two requests for one base wait for each other and do not load it twice.
        let mut bases = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(base) = bases.get(id) {
            return Ok(base.clone());
        }
        let batcher = Arc::new(Batcher::start(open()?)?);
        bases.insert(id.to_owned(), batcher.clone());
        Ok(batcher)
    }
}

impl Served {
    /// What the model answers.
    pub(crate) fn bundle(&self) -> &Bundle {
        self.predictor.bundle()
    }

    /// Asks about inputs; they share the way through the base with everybody else's.
    pub(crate) async fn ask(&self, inputs: Vec<Input>) -> Vec<Answered> {
        let texts: Vec<Option<String>> = inputs.iter().map(text_of).collect();
        let embedded = self.base.embed(inputs).await;
        let answer = |(embedded, text): (Result<Embedded, BaseError>, Option<String>)| {
            let Embedded { features, damage } = embedded?;
            Ok((self.predictor.predict_features(&features, text.as_deref()), damage))
        };
        embedded.into_iter().zip(texts).map(answer).collect()
    }

    pub(crate) fn base(&self) -> &Arc<Base> {
        self.base.base()
    }
}

fn text_of(input: &Input) -> Option<String> {
    if let Input::Text(text) = input { Some(text.clone()) } else { None }
}
