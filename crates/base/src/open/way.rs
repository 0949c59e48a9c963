//! The way from an input to features: by looking, reading, hearing, watching or following.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::{BaseError, Embedded, EngineChoice, FeatureSpec, Input, engine};
use crate::arch::Family;
use crate::cache::{Card, TOKENIZER};
use crate::engine::{Engine, NetInput, NetOutput};
use crate::following;
use crate::hearing::Hearing;
use crate::prep::{self, PrepError, Preprocess, TextPreprocess};
use crate::sound::Decoder;
use crate::tokenizer::Tokenizer;
use crate::video::{self, Ffmpeg};
use crate::watching;

/// What makes features of an input.
pub(super) enum Way {
    /// A network looks at a picture.
    Look(Box<dyn Engine>),
    /// A network reads the tokens of a text.
    Read { network: Box<dyn Engine>, tokenizer: Tokenizer },
    /// A network hears the frames of a sound, with what else hears.
    Hear { network: Box<dyn Engine>, hearing: Hearing },
    /// A network looks at the frames of a video.
    Watch(Box<dyn Engine>),
    /// No network: sensors are followed over time.
    Follow,
}

impl Way {
    /// Loads what the folder of a base holds for its kind of input.
    pub(super) fn open(
        dir: &Path,
        card: &Card,
        family: &Family,
        preprocess: &Preprocess,
        choice: &EngineChoice,
    ) -> Result<Self, BaseError> {
        if let Preprocess::Series(_) = preprocess {
            let detail = "series need no base in a folder".to_owned();
            return Err(BaseError::Setting { id: card.id.clone(), table: "preprocess", detail });
        }
        let network = engine(dir, card, family, choice)?;
        Ok(match preprocess {
            Preprocess::Image(_) | Preprocess::Series(_) => Self::Look(network),
            Preprocess::Video(_) => Self::Watch(network),
            Preprocess::Text(text) => {
                let tokenizer = Tokenizer::from_file(&dir.join(TOKENIZER), text.max_tokens)?;
                Self::Read { network, tokenizer }
            }
            Preprocess::Sound(sound) => {
                let hearing = Hearing::open(dir, card, family, sound, choice)?;
                Self::Hear { network, hearing }
            }
        })
    }

    /// Name of the engine, with what decides its arithmetic.
    pub(super) fn engine_name(&self) -> &str {
        match self {
            Self::Look(network)
            | Self::Read { network, .. }
            | Self::Hear { network, .. }
            | Self::Watch(network) => network.name(),
            Self::Follow => following::ENGINE,
        }
    }

    /// The kinds of feature, the one that stands for the whole first; none where the network gives none.
    pub(super) fn layout(&self, preprocess: &Preprocess) -> Vec<FeatureSpec> {
        match self {
            Self::Look(network) | Self::Read { network, .. } => network
                .outputs()
                .iter()
                .filter(|output| output.rows.is_none())
                .map(|output| FeatureSpec { name: output.name.clone(), dim: output.dim })
                .collect(),
            Self::Hear { network, hearing } => {
                network.outputs().first().map_or_else(Vec::new, |rows| hearing.layout(rows.dim))
            }
            Self::Watch(network) => watching::layout(network.as_ref()),
            Self::Follow => following::layout(preprocess),
        }
    }

    /// All kinds of feature one after the other, and what of the input was damaged.
    pub(super) fn features(
        &self,
        input: &Input,
        preprocess: &Preprocess,
        cancel: &AtomicBool,
    ) -> Result<Embedded, BaseError> {
        let whole = |features| Ok(Embedded { features, damage: None });
        match (self, preprocess, input) {
            (Self::Look(network), Preprocess::Image(preprocess), Input::Image(bytes)) => {
                let pixels = prep::image_input(&prep::decode(bytes)?, preprocess);
                whole(vectors(network.as_ref(), &network.run(NetInput::Image(&pixels))?))
            }
            (Self::Read { network, tokenizer }, Preprocess::Text(preprocess), Input::Text(text)) => {
                let tokens = tokens(tokenizer, preprocess, text)?;
                whole(vectors(network.as_ref(), &network.run(NetInput::Tokens(&tokens))?))
            }
            (Self::Hear { network, hearing }, _, Input::Sound(_) | Input::SoundFile(_)) => {
                let decoder = match input {
                    Input::SoundFile(path) => Decoder::open(path)?,
                    Input::Sound(bytes) => Decoder::new(bytes)?,
                    _ => unreachable!("the arm takes sounds only"),
                };
                let (features, damage) = hearing.features(network.as_ref(), decoder, cancel)?;
                Ok(Embedded { features, damage: damage.detail() })
            }
            (Self::Watch(network), Preprocess::Video(preprocess), Input::Frames(frames)) => {
                whole(watching::features(network.as_ref(), preprocess, frames, &video::moments(frames))?)
            }
            (Self::Watch(network), Preprocess::Video(preprocess), Input::VideoFile(path)) => {
                let video = video::frames(&Ffmpeg::until(cancel), path)?;
                let (frames, moments) = (&video.frames, &video.moments);
                let features = watching::features(network.as_ref(), preprocess, frames, moments)?;
                Ok(Embedded { features, damage: video.damage })
            }
            (Self::Follow, Preprocess::Series(sensors), Input::Series(series)) => {
                following::features(sensors, series.clone(), Vec::new())
            }
            (Self::Follow, Preprocess::Series(sensors), Input::SeriesFile(path)) => {
                let (series, faults) = crate::series::read(path)?;
                following::features(sensors, series, faults)
            }
            _ => Err(PrepError::OtherKind { expected: self.takes() }.into()),
        }
    }

    fn takes(&self) -> &'static str {
        match self {
            Self::Look(_) => "pictures",
            Self::Read { .. } => "text",
            Self::Hear { .. } => "sounds",
            Self::Watch(_) => "videos",
            Self::Follow => "series",
        }
    }
}

/// What a text is to the network, with what is put before it.
pub(super) fn tokens(
    tokenizer: &Tokenizer,
    preprocess: &TextPreprocess,
    text: &str,
) -> Result<Vec<u32>, BaseError> {
    Ok(tokenizer.encode(&format!("{}{text}", preprocess.prefix))?)
}

/// All vectors that a network gave, one after the other.
pub(super) fn vectors(network: &dyn Engine, outputs: &[NetOutput]) -> Vec<f32> {
    let is_vector = |output: &&NetOutput| {
        network.outputs().iter().any(|spec| spec.name == output.name && spec.rows.is_none())
    };
    outputs.iter().filter(is_vector).flat_map(|output| &output.data).copied().collect()
}
