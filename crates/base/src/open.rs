//! A base that is ready to run.

mod maps;
mod way;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use dataset::Modality;
use half::f16;
use image::RgbImage;
use store::Hasher;

use crate::arch::{self, ArchError, Clip, Family, Tower};
use crate::cache::{CacheError, Card, MODEL, MODEL_ONNX};
use crate::engine::native::{NativeEngine, Unsupported};
use crate::engine::rten::RtenEngine;
use crate::engine::{Engine, EngineError};
use crate::following;
use crate::graph::Graph;
use crate::prep::{self, PrepError, Preprocess};
use crate::series::{Sensors, Series, SeriesError};
use crate::tokenizer::TokenizerError;
use crate::video::{FfmpegError, VideoError};
use crate::weights::{Weights, WeightsError};

pub(crate) use maps::{detection_maps, maps, maps_network};
use way::Way;

/// What stands behind the id of a base with two towers where the one that reads is meant.
pub const READER: &str = ".text";

/// What runs a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// The built-in engine for known families, rten for bases that are ONNX files.
    #[default]
    Auto,
    /// The built-in engine.
    Native,
    /// rten, on the emitted graph.
    Rten,
    /// ONNX Runtime from this library.
    #[cfg(feature = "ort")]
    Ort(PathBuf),
}

/// What a base is asked about.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The bytes of a picture file.
    Image(Vec<u8>),
    /// A text.
    Text(String),
    /// The bytes of a sound file.
    Sound(Vec<u8>),
    /// A sound file, which is read piece by piece: it may be longer than memory.
    SoundFile(PathBuf),
    /// Frames of a video, in order.
    Frames(Vec<RgbImage>),
    /// A video file, which is read piece by piece: it may be longer than memory.
    VideoFile(PathBuf),
    /// A series of sensors.
    Series(Series),
    /// A table that is a series.
    SeriesFile(PathBuf),
}

/// The features of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// All kinds one after the other.
    pub features: Vec<f32>,
    /// What of a sound, a video or a series could not be used; the features are those of the rest.
    pub damage: Option<String>,
}

/// One kind of feature a base gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSpec {
    /// Its name, such as `pooled`.
    pub name: String,
    /// How many numbers.
    pub dim: usize,
}

/// A pretrained network, checked and loaded.
pub struct Base {
    card: Card,
    preprocess: Preprocess,
    hash: store::Hash,
    space: Option<store::Hash>,
    layout: Vec<FeatureSpec>,
    way: Way,
}

/// Why a base could not be opened or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum BaseError {
    /// Its card cannot be read.
    #[error(transparent)]
    Card(#[from] CacheError),
    /// Its card does not say how to run it.
    #[error("the card of base `{id}` has a wrong `{table}`: {detail}")]
    Setting { id: String, table: &'static str, detail: String },
    /// Its weights cannot be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Its weights do not fit its family.
    #[error("base `{id}` does not fit its family")]
    Arch {
        id: String,
        #[source]
        source: ArchError,
    },
    /// Its tokenizer cannot be read.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The graph could not be written for an engine that needs ONNX.
    #[error(transparent)]
    Emit(#[from] crate::emit::EmitError),
    /// The engine cannot run it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The input cannot be prepared.
    #[error(transparent)]
    Prep(#[from] PrepError),
    /// The program that decodes videos is missing or does not run.
    #[error(transparent)]
    Ffmpeg(#[from] FfmpegError),
    /// An ONNX base cannot run on this engine.
    #[error("base `{id}` is an ONNX file; engine `{engine}` runs only known families")]
    FrozenOnly { id: String, engine: &'static str },
    /// The base has no tower that reads beside the one that looks.
    #[error("base `{id}` has one network only, not two in one space")]
    OneTower { id: String },
    /// The network gives no vector.
    #[error("base `{id}` gives no feature vector")]
    NoFeatures { id: String },
    /// The person asked to stop.
    #[error("stopped")]
    Stopped,
}

impl From<VideoError> for BaseError {
    fn from(error: VideoError) -> Self {
        match error {
            VideoError::File(error) => error.into(),
            VideoError::Ffmpeg(error) => error.into(),
            VideoError::Stopped => Self::Stopped,
        }
    }
}

impl From<SeriesError> for BaseError {
    fn from(error: SeriesError) -> Self {
        PrepError::NotASeries { detail: error.to_string() }.into()
    }
}

impl std::fmt::Debug for Base {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Base")
            .field("id", &self.card.id)
            .field("engine", &self.way.engine_name())
            .finish_non_exhaustive()
    }
}

impl Base {
    /// Opens the base in a folder of the cache; of one with two towers the one that looks.
    pub fn open(dir: &Path, choice: &EngineChoice) -> Result<Self, BaseError> {
        let card = Card::read(dir)?;
        let family = family(&card)?;
        Self::with(dir, card, family, choice)
    }

    /// Opens the tower that reads, of a base with two; its id ends with [`READER`].
    ///
    /// # Errors
    /// [`BaseError::OneTower`] for any other base.
    pub fn open_reader(dir: &Path, choice: &EngineChoice) -> Result<Self, BaseError> {
        let mut card = Card::read(dir)?;
        let Family::Clip(clip) = family(&card)? else {
            return Err(BaseError::OneTower { id: card.id });
        };
        card.id.push_str(READER);
        card.modality = Modality::Text;
        Self::with(dir, card, Family::Clip(Clip { tower: Tower::Reads, ..clip }), choice)
    }

    fn with(dir: &Path, card: Card, family: Family, choice: &EngineChoice) -> Result<Self, BaseError> {
        let preprocess = preprocess(&card, &family)?;
        let way = Way::open(dir, &card, &family, &preprocess, choice)?;
        let layout = way.layout(&preprocess);
        if layout.is_empty() {
            return Err(BaseError::NoFeatures { id: card.id });
        }
        let (hash, space) = (identity(&card, &family, &preprocess, &layout), space(&card, &family));
        Ok(Self { hash, space, card, preprocess, layout, way })
    }

    /// The base over series of these sensors; nothing is loaded for it.
    pub fn of_series(sensors: Sensors) -> Self {
        let card = following::card();
        let preprocess = Preprocess::Series(sensors);
        let layout = Way::Follow.layout(&preprocess);
        let (hash, space) = (following::identity(&preprocess), None);
        Self { hash, space, card, preprocess, layout, way: Way::Follow }
    }

    /// Catalogue id.
    pub fn id(&self) -> &str {
        &self.card.id
    }

    /// What is known about it.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// How it prepares its input.
    pub fn preprocess(&self) -> &Preprocess {
        &self.preprocess
    }

    /// Identity of weights, pre-processing and layout: features of bases with different hashes are never mixed.
    pub fn hash(&self) -> store::Hash {
        self.hash
    }

    /// Identity of the space that the first kind of feature lies in, of a base with two towers: both have the same, and dot products
    /// across them say what goes together.
    pub fn space(&self) -> Option<store::Hash> {
        self.space
    }

    /// Which sense it takes.
    pub fn modality(&self) -> Modality {
        match self.preprocess {
            Preprocess::Image(_) => Modality::Image,
            Preprocess::Text(_) => Modality::Text,
            Preprocess::Sound(_) => Modality::Sound,
            Preprocess::Video(_) => Modality::Video,
            Preprocess::Series(_) => Modality::Series,
        }
    }

    /// The sensors, of a base over series.
    pub fn sensors(&self) -> Option<&Sensors> {
        if let Preprocess::Series(sensors) = &self.preprocess { Some(sensors) } else { None }
    }

    /// The kinds of feature, the pooled vector first.
    pub fn layout(&self) -> &[FeatureSpec] {
        &self.layout
    }

    /// Length of all kinds together.
    pub fn dim(&self) -> usize {
        self.layout.iter().map(|set| set.dim).sum()
    }

    /// Name of the engine, with what decides its arithmetic.
    pub fn engine_name(&self) -> String {
        self.way.engine_name().to_owned()
    }

    /// The features of one input, all kinds one after the other, rounded to half precision as the cache keeps them.
    pub fn embed(&self, input: &Input) -> Result<Vec<f32>, BaseError> {
        self.embed_and_tell(input).map(|embedded| embedded.features)
    }

    /// As [`Base::embed`], and what of the input was damaged.
    pub fn embed_and_tell(&self, input: &Input) -> Result<Embedded, BaseError> {
        self.embed_until(input, &AtomicBool::new(false))
    }

    /// As [`Base::embed_and_tell`], ending with [`BaseError::Stopped`] soon after `cancel` became true: sounds and videos may last for hours.
    pub fn embed_until(&self, input: &Input, cancel: &AtomicBool) -> Result<Embedded, BaseError> {
        let Embedded { features, damage } = self.way.features(input, &self.preprocess, cancel)?;
        Ok(Embedded { features: features.into_iter().map(rounded).collect(), damage })
    }

    /// The features of several texts, as [`Base::embed`] gives them one by one, in less time.
    pub fn embed_texts(&self, texts: &[&str]) -> Vec<Result<Vec<f32>, BaseError>> {
        let each = || texts.iter().map(|text| self.embed(&Input::Text((*text).to_owned()))).collect();
        let (Way::Read { network, tokenizer }, Preprocess::Text(preprocess)) = (&self.way, &self.preprocess)
        else {
            return each();
        };
        let tokens: Vec<Result<Vec<u32>, BaseError>> =
            texts.iter().map(|text| way::tokens(tokenizer, preprocess, text)).collect();
        let known: Vec<&[u32]> = tokens.iter().flatten().map(Vec::as_slice).collect();
        // If it fails, one of them is at fault; alone each tells for itself.
        let Ok(outputs) = network.run_texts(&known) else { return each() };
        let mut outputs = outputs.into_iter();
        let mut vector = |_| {
            let outputs = outputs.next().expect("every text with tokens has outputs");
            way::vectors(network.as_ref(), &outputs).into_iter().map(rounded).collect()
        };
        tokens.into_iter().map(|tokens| tokens.map(&mut vector)).collect()
    }

    /// Takes apart what [`Base::embed`] gave.
    pub fn split<'f>(&self, features: &'f [f32]) -> BTreeMap<&str, &'f [f32]> {
        let mut rest = features;
        self.layout
            .iter()
            .map(|set| {
                let (head, tail) = rest.split_at(set.dim);
                rest = tail;
                (set.name.as_str(), head)
            })
            .collect()
    }
}

/// As the cache keeps it.
fn rounded(value: f32) -> f32 {
    f16::from_f32(value).to_f32()
}

/// The network of a base that is a known family, with its weights; for export.
pub fn network(dir: &Path) -> Result<(Graph, Weights), BaseError> {
    let card = Card::read(dir)?;
    load(dir, &card, &family(&card)?)
}

/// How the base in a folder prepares its input; for export.
pub fn preprocess_of(dir: &Path) -> Result<Preprocess, BaseError> {
    let card = Card::read(dir)?;
    preprocess(&card, &family(&card)?)
}

fn load(dir: &Path, card: &Card, family: &Family) -> Result<(Graph, Weights), BaseError> {
    let weights = Weights::load(&dir.join(MODEL))?;
    arch::prepare(family, weights).map_err(|source| BaseError::Arch { id: card.id.clone(), source })
}

fn family(card: &Card) -> Result<Family, BaseError> {
    let wrong = |error: toml::de::Error| BaseError::Setting {
        id: card.id.clone(),
        table: "network",
        detail: error.message().to_owned(),
    };
    toml::Value::Table(card.network.clone()).try_into().map_err(wrong)
}

/// The family's own pre-processing with what the card says instead.
fn preprocess(card: &Card, family: &Family) -> Result<Preprocess, BaseError> {
    let wrong = |detail: String| BaseError::Setting { id: card.id.clone(), table: "preprocess", detail };
    let own = prep::of_family(family);
    let mut table = own
        .map(|own| toml::Table::try_from(own).expect("pre-processing holds nothing that TOML cannot"))
        .unwrap_or_default();
    // Of two towers the card speaks of the one that looks; how long a text may be is a setting of the network.
    if !matches!(family, Family::Clip(Clip { tower: Tower::Reads, .. })) {
        table.extend(card.preprocess.clone());
    }
    toml::Value::Table(table).try_into().map_err(|error: toml::de::Error| wrong(error.message().to_owned()))
}

fn engine(
    dir: &Path,
    card: &Card,
    family: &Family,
    choice: &EngineChoice,
) -> Result<Box<dyn Engine>, BaseError> {
    if let Family::Onnx(spec) = family {
        return match choice {
            EngineChoice::Native => Err(BaseError::FrozenOnly { id: card.id.clone(), engine: "native" }),
            #[cfg(feature = "ort")]
            EngineChoice::Ort(library) => {
                let path = dir.join(MODEL_ONNX);
                Ok(Box::new(crate::engine::ort::OrtEngine::from_file(library, &path, spec)?))
            }
            _ => Ok(Box::new(RtenEngine::from_file(&dir.join(MODEL_ONNX), spec)?)),
        };
    }
    let (graph, weights) = load(dir, card, family)?;
    engine_of(&graph, &weights, choice, &card.id)
}

/// An engine over weights that are not those of the base's own network.
pub(crate) fn engine_over(
    family: &Family,
    weights: Weights,
    choice: &EngineChoice,
    id: &str,
) -> Result<Box<dyn Engine>, BaseError> {
    let prepared = arch::prepare(family, weights);
    let (graph, weights) = prepared.map_err(|source| BaseError::Arch { id: id.to_owned(), source })?;
    engine_of(&graph, &weights, choice, id)
}

fn engine_of(
    graph: &Graph,
    weights: &Weights,
    choice: &EngineChoice,
    id: &str,
) -> Result<Box<dyn Engine>, BaseError> {
    Ok(match choice {
        EngineChoice::Native => Box::new(NativeEngine::new(graph, weights)?),
        EngineChoice::Auto => match NativeEngine::new(graph, weights) {
            Ok(engine) => Box::new(engine),
            // A shape that the built-in kernels do not know; rten knows all.
            Err(EngineError::Backend { source, .. }) if source.is::<Unsupported>() => {
                tracing::info!(id, reason = %source, "the built-in engine does not know this network");
                Box::new(RtenEngine::new(graph, weights)?)
            }
            Err(error) => return Err(error.into()),
        },
        EngineChoice::Rten => Box::new(RtenEngine::new(graph, weights)?),
        #[cfg(feature = "ort")]
        EngineChoice::Ort(library) => Box::new(crate::engine::ort::OrtEngine::new(library, graph, weights)?),
    })
}

/// The same for both towers of a base: its files and how many heads look at them.
fn space(card: &Card, family: &Family) -> Option<store::Hash> {
    let Family::Clip(clip) = family else { return None };
    let mut hasher = Hasher::new("dianjing.space.1");
    for (name, stamp) in &card.files {
        hasher.field(name, stamp.sha256.as_str().as_bytes());
    }
    let either = Clip { tower: Tower::default(), ..clip.clone() };
    let network = serde_json::to_vec(&either).expect("cards have string keys and finite numbers");
    Some(hasher.field("network", &network).finish())
}

/// Weights by their checksums, the network's shape, pre-processing and layout; not where it came from or what it is called.
fn identity(card: &Card, family: &Family, preprocess: &Preprocess, layout: &[FeatureSpec]) -> store::Hash {
    let mut hasher = Hasher::new("dianjing.base.1");
    for (name, stamp) in &card.files {
        hasher.field(name, stamp.sha256.as_str().as_bytes());
    }
    let network =
        serde_json::to_vec(&(family, preprocess)).expect("cards have string keys and finite numbers");
    hasher.field("network", &network);
    for set in layout {
        hasher.field("set", format!("{} {}", set.name, set.dim).as_bytes());
    }
    hasher.finish()
}
