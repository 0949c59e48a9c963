//! A base that is ready to run.

mod maps;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::Modality;
use half::f16;
use image::RgbImage;
use store::Hasher;

use crate::arch::{self, ArchError, Family};
use crate::cache::{CacheError, Card, MODEL, MODEL_ONNX, TOKENIZER};
use crate::engine::native::{NativeEngine, Unsupported};
use crate::engine::rten::RtenEngine;
use crate::engine::{Engine, EngineError, NetInput, NetOutput};
use crate::graph::Graph;
use crate::hearing::Hearing;
use crate::prep::{self, ImagePreprocess, PrepError, Preprocess};
use crate::sound::Decoder;
use crate::tokenizer::{Tokenizer, TokenizerError};
use crate::video::{self, Ffmpeg, FfmpegError, VideoError};
use crate::watching;
use crate::weights::{Weights, WeightsError};

pub(crate) use maps::{detection_maps, maps, maps_network};

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
}

/// The features of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// All kinds one after the other.
    pub features: Vec<f32>,
    /// What of a sound or a video could not be decoded; the features are those of the rest.
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
    layout: Vec<FeatureSpec>,
    engine: Box<dyn Engine>,
    tokenizer: Option<Tokenizer>,
    hearing: Option<Hearing>,
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
    /// The network gives no vector.
    #[error("base `{id}` gives no feature vector")]
    NoFeatures { id: String },
}

impl From<VideoError> for BaseError {
    fn from(error: VideoError) -> Self {
        match error {
            VideoError::File(error) => error.into(),
            VideoError::Ffmpeg(error) => error.into(),
        }
    }
}

impl std::fmt::Debug for Base {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Base")
            .field("id", &self.card.id)
            .field("engine", &self.engine.name())
            .finish_non_exhaustive()
    }
}

impl Base {
    /// Opens the base in a folder of the cache.
    pub fn open(dir: &Path, choice: &EngineChoice) -> Result<Self, BaseError> {
        let card = Card::read(dir)?;
        let family = family(&card)?;
        let preprocess = preprocess(&card, &family)?;
        let engine = engine(dir, &card, &family, choice)?;
        let hearing = match &preprocess {
            Preprocess::Sound(sound) => Some(Hearing::open(dir, &card, &family, sound, choice)?),
            Preprocess::Image(_) | Preprocess::Text(_) | Preprocess::Video(_) => None,
        };
        let layout = layout(engine.as_ref(), hearing.as_ref(), &preprocess);
        if layout.is_empty() {
            return Err(BaseError::NoFeatures { id: card.id });
        }
        let tokenizer = match &preprocess {
            Preprocess::Text(text) => Some(Tokenizer::from_file(&dir.join(TOKENIZER), text.max_tokens)?),
            Preprocess::Image(_) | Preprocess::Sound(_) | Preprocess::Video(_) => None,
        };
        Ok(Self {
            hash: identity(&card, &family, &preprocess, &layout),
            card,
            preprocess,
            layout,
            engine,
            tokenizer,
            hearing,
        })
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

    /// Which sense it takes.
    pub fn modality(&self) -> Modality {
        match self.preprocess {
            Preprocess::Image(_) => Modality::Image,
            Preprocess::Text(_) => Modality::Text,
            Preprocess::Sound(_) => Modality::Sound,
            Preprocess::Video(_) => Modality::Video,
        }
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
        self.engine.name().to_owned()
    }

    /// The features of one input, all kinds one after the other, rounded to half precision as the cache keeps them.
    pub fn embed(&self, input: &Input) -> Result<Vec<f32>, BaseError> {
        self.embed_and_tell(input).map(|embedded| embedded.features)
    }

    /// As [`Base::embed`], and what of the input was damaged.
    pub fn embed_and_tell(&self, input: &Input) -> Result<Embedded, BaseError> {
        if let Some(hearing) = &self.hearing {
            let decoder = match input {
                Input::Sound(bytes) => Decoder::new(bytes)?,
                Input::SoundFile(path) => Decoder::open(path)?,
                _ => return Err(PrepError::OtherKind { expected: "sounds" }.into()),
            };
            let (features, damage) = hearing.features(self.engine.as_ref(), decoder)?;
            return Ok(Embedded {
                features: features.into_iter().map(rounded).collect(),
                damage: damage.detail(),
            });
        }
        if let Preprocess::Video(preprocess) = &self.preprocess {
            return self.watch(input, preprocess);
        }
        Ok(Embedded { features: self.look_or_read(input)?, damage: None })
    }

    fn watch(&self, input: &Input, preprocess: &ImagePreprocess) -> Result<Embedded, BaseError> {
        let (features, damage) = match input {
            Input::Frames(frames) => (watching::features(self.engine.as_ref(), preprocess, frames)?, None),
            Input::VideoFile(path) => {
                let video = video::frames(&Ffmpeg::default(), path)?;
                (watching::features(self.engine.as_ref(), preprocess, &video.frames)?, video.damage)
            }
            _ => return Err(PrepError::OtherKind { expected: "videos" }.into()),
        };
        Ok(Embedded { features: features.into_iter().map(rounded).collect(), damage })
    }

    fn look_or_read(&self, input: &Input) -> Result<Vec<f32>, BaseError> {
        let outputs = match (input, &self.preprocess) {
            (Input::Image(bytes), Preprocess::Image(preprocess)) => {
                let pixels = prep::image_input(&prep::decode(bytes)?, preprocess);
                self.engine.run(NetInput::Image(&pixels))?
            }
            (Input::Text(text), Preprocess::Text(_)) => {
                self.engine.run(NetInput::Tokens(&self.tokens(text)?))?
            }
            (_, Preprocess::Image(_)) => return Err(PrepError::OtherKind { expected: "pictures" }.into()),
            (_, Preprocess::Text(_)) => return Err(PrepError::OtherKind { expected: "text" }.into()),
            (_, Preprocess::Sound(_)) => unreachable!("bases over sounds hear"),
            (_, Preprocess::Video(_)) => unreachable!("bases over videos watch"),
        };
        Ok(self.vector(&outputs))
    }

    /// The features of several texts, as [`Base::embed`] gives them one by one, in less time.
    pub fn embed_texts(&self, texts: &[&str]) -> Vec<Result<Vec<f32>, BaseError>> {
        let tokens: Vec<Result<Vec<u32>, BaseError>> = texts.iter().map(|text| self.tokens(text)).collect();
        let known: Vec<&[u32]> = tokens.iter().flatten().map(Vec::as_slice).collect();
        let Ok(outputs) = self.engine.run_texts(&known) else {
            // One of them is at fault; alone each tells for itself.
            return texts.iter().map(|text| self.embed(&Input::Text((*text).to_owned()))).collect();
        };
        let mut outputs = outputs.into_iter();
        let mut vector = |_| self.vector(&outputs.next().expect("every text with tokens has outputs"));
        tokens.into_iter().map(|tokens| tokens.map(&mut vector)).collect()
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, BaseError> {
        let (Preprocess::Text(preprocess), Some(tokenizer)) = (&self.preprocess, &self.tokenizer) else {
            return Err(PrepError::OtherKind { expected: "pictures" }.into());
        };
        Ok(tokenizer.encode(&format!("{}{text}", preprocess.prefix))?)
    }

    /// All kinds of feature one after the other, in half precision.
    fn vector(&self, outputs: &[NetOutput]) -> Vec<f32> {
        let vectors = outputs.iter().filter(|output| self.layout.iter().any(|set| set.name == output.name));
        vectors.flat_map(|output| &output.data).map(|value| rounded(*value)).collect()
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

/// The kinds of feature that a network gives, that a base hears over its rows, or that it makes of its vectors of frames.
fn layout(engine: &dyn Engine, hearing: Option<&Hearing>, preprocess: &Preprocess) -> Vec<FeatureSpec> {
    let outputs = engine.outputs();
    if let Preprocess::Video(_) = preprocess {
        return watching::layout(engine);
    }
    match hearing {
        Some(hearing) => outputs.first().map_or_else(Vec::new, |rows| hearing.layout(rows.dim)),
        None => outputs
            .iter()
            .filter(|output| output.rows.is_none())
            .map(|output| FeatureSpec { name: output.name.clone(), dim: output.dim })
            .collect(),
    }
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
    table.extend(card.preprocess.clone());
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
