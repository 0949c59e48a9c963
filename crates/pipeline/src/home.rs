//! Where bases and features are kept, and how a base is opened: from the cache, or fetched first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::Base;
use base::cache::{Cache, CacheError, CachedBase};
use base::catalogue::{Catalogue, Entry};
use base::open::{EngineChoice, READER};
use base::pull::{PullError, PullEvent, PullOptions};
use base::series::Survey;
use bundle::inspection::{InspectionBundle, InspectionPredictor};
use bundle::{BaseReference, Bundle, JointBundle, JointPredictor, Predictor, SensesBundle, SensesPredictor};
use dataset::{Dataset, Modality, Problem, ProblemKind};
use store::VectorStore;

use crate::{Event, PipelineError, Run, Step};

/// The folder that outlives runs, and the choices that hold for all of them.
#[derive(Debug, Clone)]
pub struct Home {
    /// Root of the cache: `bases/` and `features/` lie below it. Safe to delete; everything in it can be made again.
    pub cache: PathBuf,
    /// The bases that are known.
    pub catalogue: Catalogue,
    /// How bases may be fetched.
    pub pull: PullOptions,
    /// What runs them.
    pub engine: EngineChoice,
}

/// Where a base is known from.
enum Known<'a> {
    /// In the cache, with all its files.
    Here(Box<CachedBase>),
    /// In the catalogue only.
    Listed(&'a Entry),
}

impl Home {
    /// The defaults: what is built in, with its cache in `DIANJING_CACHE` or `~/.cache/dianjing`; `None` when neither is known.
    pub fn by_default() -> Option<Self> {
        let named = std::env::var_os("DIANJING_CACHE").map(PathBuf::from);
        let cache = named.or_else(|| Some(std::env::home_dir()?.join(".cache/dianjing")))?;
        let (catalogue, pull) = (Catalogue::builtin(), PullOptions::default());
        Some(Self { cache, catalogue, pull, engine: EngineChoice::default() })
    }

    /// The cache of pulled bases.
    pub fn bases(&self) -> Cache {
        Cache::new(self.cache.join("bases"))
    }

    /// The base used when none is named.
    pub fn default_base(modality: Modality) -> &'static str {
        match modality {
            Modality::Image => "efficientnet-lite2",
            Modality::Text => "multilingual-e5-small",
            Modality::Sound => "whisper-base",
            Modality::Video => "efficientnet-lite2-video",
            Modality::Series => base::SERIES_BASE,
            Modality::Senses => unreachable!("each sense has its own"),
        }
    }

    /// The base for examples of one sense: the one named, else the default of their kind. Series have none but their sensors.
    ///
    /// # Errors
    /// [`PipelineError::SeveralSenses`] for examples of several.
    pub fn base_for(
        &self,
        named: Option<&str>,
        data: &Dataset,
        run: &Run<'_>,
    ) -> Result<Arc<Base>, PipelineError> {
        if data.modality == Modality::Senses {
            let (path, senses) = (data.root.clone(), data.senses.clone());
            return Err(PipelineError::SeveralSenses { path, senses });
        }
        let id = named.unwrap_or_else(|| Self::default_base(data.modality));
        if data.modality == Modality::Text && self.has_reader(id) {
            return self.open_base(&format!("{id}{READER}"), run);
        }
        if data.modality != Modality::Series || id != base::SERIES_BASE {
            return self.open_base(id, run);
        }
        run.step(Step::Base, || {
            let files: Vec<&Path> =
                data.examples.iter().filter_map(|example| example.content.file()).collect();
            let survey = base::series::survey(&files);
            for (path, fault) in &survey.left_out {
                let kind = ProblemKind::DamagedSeries { detail: fault.to_string() };
                run.tell(Event::Problem(Problem::in_file(kind, path)));
            }
            match survey {
                Survey { sensors: Some(sensors), .. } => Ok(Arc::new(Base::of_series(sensors))),
                survey => Err(PipelineError::no_sensors(&data.root, survey)),
            }
        })
    }

    /// Whether a base takes this kind of input, as its card or the catalogue says.
    ///
    /// # Errors
    /// When neither knows it.
    pub(crate) fn takes(&self, id: &str, modality: Modality) -> Result<bool, PipelineError> {
        Ok(match self.known(id)? {
            Known::Here(base) => base.card.takes(modality),
            Known::Listed(entry) => entry.takes(modality),
        })
    }

    /// What the cache has, else what the catalogue knows.
    ///
    /// # Errors
    /// When neither knows it. Of a base that was brought in and is damaged, that is said: no catalogue has it.
    fn known(&self, id: &str) -> Result<Known<'_>, PipelineError> {
        let error = match self.bases().find(id) {
            Ok(base) => return Ok(Known::Here(Box::new(base))),
            Err(error) => error,
        };
        match (self.catalogue.entry(id), error) {
            (Ok(entry), _) => Ok(Known::Listed(entry)),
            (Err(unknown), CacheError::Missing { .. }) => Err(unknown.into()),
            (Err(_), damaged) => Err(PullError::Cache(damaged).into()),
        }
    }

    /// Refuses a base that takes no kind of input among these.
    pub(crate) fn expect_takes(&self, id: &str, among: &[Modality]) -> Result<(), PipelineError> {
        let mut wanted = among.iter().map(|modality| self.takes(id, *modality));
        if wanted.try_fold(false, |any, takes| takes.map(|takes| any || takes))? {
            return Ok(());
        }
        let takes = match self.known(id)? {
            Known::Here(base) => base.card.modality,
            Known::Listed(entry) => entry.modality,
        };
        Err(PipelineError::OtherModality { base: id.to_owned(), takes, got: among[0] })
    }

    /// Whether a base has a tower that reads beside the one that looks.
    pub(crate) fn has_reader(&self, id: &str) -> bool {
        [Modality::Image, Modality::Text].iter().all(|modality| self.takes(id, *modality).unwrap_or(false))
    }

    /// The base that a bundle names, fetched first when the cache does not have it.
    pub fn base_of(&self, reference: &BaseReference, run: &Run<'_>) -> Result<Arc<Base>, PipelineError> {
        match &reference.sensors {
            Some(sensors) => Ok(Arc::new(Base::of_series(sensors.clone()))),
            None => self.open_base(&reference.id, run),
        }
    }

    /// Opens a base, fetching it first when the cache does not have it. Of a base with two towers the one that reads goes by its id with
    /// [`READER`] behind it.
    pub fn open_base(&self, id: &str, run: &Run<'_>) -> Result<Arc<Base>, PipelineError> {
        run.step(Step::Base, || {
            Ok(Arc::new(match id.strip_suffix(READER) {
                Some(whole) if self.has_reader(whole) => {
                    Base::open_reader(&self.fetch(whole, run)?, &self.engine)?
                }
                _ => Base::open(&self.fetch(id, run)?, &self.engine)?,
            }))
        })
    }

    /// Opens both towers of a base: the one that looks, and the one that reads.
    ///
    /// # Errors
    /// Of a base with one network only, and those of opening.
    pub fn open_towers(&self, id: &str, run: &Run<'_>) -> Result<[Arc<Base>; 2], PipelineError> {
        run.step(Step::Base, || {
            let dir = self.fetch(id, run)?;
            Ok([Arc::new(Base::open(&dir, &self.engine)?), Arc::new(Base::open_reader(&dir, &self.engine)?)])
        })
    }

    /// Makes sure a base is in the cache and returns its folder. One that was brought in from a file need not be in the catalogue.
    pub fn fetch(&self, id: &str, run: &Run<'_>) -> Result<PathBuf, PipelineError> {
        let entry = match self.known(id)? {
            Known::Here(base) => return Ok(base.dir),
            Known::Listed(entry) => entry,
        };
        let mut tell = |event: PullEvent| {
            if let PullEvent::Bytes { what, bytes, total } = event {
                run.tell(Event::Fetch { what, bytes, total });
            }
        };
        Ok(self.bases().pull(entry, &self.pull, &mut tell)?)
    }

    /// Opens a bundle, its base, and runs its self-test.
    pub fn open_bundle(&self, path: &Path, run: &Run<'_>) -> Result<Predictor, PipelineError> {
        let bundle = Bundle::open(path)?;
        let base = self.base_of(&bundle.manifest.base, run)?;
        Ok(Predictor::new(bundle, base)?)
    }

    /// Opens a bundle of several senses, their bases, and runs their self-tests.
    pub fn open_senses(&self, path: &Path, run: &Run<'_>) -> Result<SensesPredictor, PipelineError> {
        let bundle = SensesBundle::open(path)?;
        let bases = bundle.manifest.senses.iter().map(|sense| self.base_of(&sense.base, run));
        let bases = bases.collect::<Result<_, _>>()?;
        Ok(SensesPredictor::new(bundle, bases)?)
    }

    /// Opens a bundle of two senses in one space, their bases, and runs their self-tests.
    pub fn open_joint(&self, path: &Path, run: &Run<'_>) -> Result<JointPredictor, PipelineError> {
        let bundle = JointBundle::open(path)?;
        let [left, right] = [0, 1].map(|end: usize| self.base_of(&bundle.manifest.senses[end].base, run));
        let bases = [left?, right?];
        Ok(JointPredictor::new(bundle, bases)?)
    }

    /// Opens an inspector's bundle, its base, and runs its self-test.
    pub fn open_inspector(&self, path: &Path, run: &Run<'_>) -> Result<InspectionPredictor, PipelineError> {
        let bundle = InspectionBundle::open(path)?;
        let dir = run.step(Step::Base, || self.fetch(&bundle.manifest.base.id, run))?;
        Ok(InspectionPredictor::new(bundle, &dir, &self.engine)?)
    }

    /// The feature cache of one base: another base, size or pre-processing has another folder.
    pub(crate) fn features_of(&self, base: &Base) -> Result<VectorStore, PipelineError> {
        let dim = base.layout().iter().map(|set| set.dim).sum();
        Ok(VectorStore::open(&self.cache.join("features").join(base.hash().to_string()), dim)?)
    }
}
