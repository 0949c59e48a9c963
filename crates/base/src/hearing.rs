//! A base that hears: a sound's features from the network over its frames, from a network that looks at its picture, and from statistics.
//!
//! Each looks at the same log-mel, window by window, so that hours of sound take no more memory than a window. Which of them a head
//! listens to is decided by tuning.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use linalg::Matrix;

use crate::arch::{EfficientNetLite, Family, Whisper};
use crate::cache::{Card, PICTURE_MODEL};
use crate::engine::{Engine, NetInput};
use crate::open::{BaseError, EngineChoice, FeatureSpec, engine_over};
use crate::prep::{ImagePreprocess, PrepError, SoundPreprocess};
use crate::sound::{self, Cut, Damage, Decoder, LogMel, STATISTICS, Statistics, Windows};
use crate::watching::vector;
use crate::weights::Weights;

/// Frames of a picture, ten seconds: longer ones would be squeezed until nothing is seen.
const PICTURE_FRAMES: usize = 1000;
/// From one picture to the next.
const PICTURE_HOP: usize = 500;
/// Mel bands of two frames.
const PAIR: usize = 2 * sound::BANDS;

/// What hears.
pub(crate) struct Hearing {
    cut: Cut,
    eye: Option<Eye>,
}

/// The network that looks at pictures of sounds.
struct Eye {
    preprocess: ImagePreprocess,
    engine: Box<dyn Engine>,
    dim: usize,
}

impl Hearing {
    /// Loads what the folder of a base holds besides the network itself.
    pub(crate) fn open(
        dir: &Path,
        card: &Card,
        family: &Family,
        preprocess: &SoundPreprocess,
        choice: &EngineChoice,
    ) -> Result<Self, BaseError> {
        let wrong = |table, detail: &str| BaseError::Setting {
            id: card.id.clone(),
            table,
            detail: detail.to_owned(),
        };
        if !(1.0..=30.0).contains(&preprocess.window) {
            return Err(wrong("preprocess", "`window` is 1 to 30 seconds"));
        }
        let eye = match (family, &preprocess.picture) {
            (Family::Whisper(Whisper { picture: Some(network), .. }), Some(picture)) => {
                Some(Eye::open(dir, card, network, picture, choice)?)
            }
            (_, None) => None,
            (_, Some(_)) => return Err(wrong("preprocess", "`picture` needs a network that looks at it")),
        };
        Ok(Self { cut: Cut::seconds(preprocess.window, preprocess.window), eye })
    }

    /// The kinds of feature over a network whose rows have `dim` numbers.
    pub(crate) fn layout(&self, dim: usize) -> Vec<FeatureSpec> {
        let set = |name: &str, dim| FeatureSpec { name: name.to_owned(), dim };
        let picture = self.eye.as_ref().map(|eye| set("picture", eye.dim));
        std::iter::once(set("frames", 2 * dim))
            .chain(picture)
            .chain([set("statistics", STATISTICS)])
            .collect()
    }

    /// All kinds of feature one after the other, and what could not be decoded; [`BaseError::Stopped`] soon after `cancel` became true,
    /// however long the sound is.
    pub(crate) fn features(
        &self,
        network: &dyn Engine,
        decoder: Decoder<'_>,
        cancel: &AtomicBool,
    ) -> Result<(Vec<f32>, Damage), BaseError> {
        let mut windows = Windows::new(decoder, self.cut);
        let (mel, mut statistics) = (LogMel::default(), Statistics::default());
        let (mut frames, mut pictures) = (Moments::default(), Moments::default());
        for window in &mut windows {
            if cancel.load(Ordering::Relaxed) {
                return Err(BaseError::Stopped);
            }
            let mut log_mel = mel.log_mel(&window?.samples);
            statistics.add(&log_mel);
            if let Some(eye) = &self.eye {
                eye.look(&log_mel, &mut pictures)?;
            }
            sound::whisper(&mut log_mel);
            let outputs = network.run(NetInput::Frames(&pairs(&log_mel)))?;
            let rows = outputs.first().expect("a layout without rows is refused when a base is opened");
            frames.add_rows(&rows.data, rows.dim(), 1.0);
        }
        let statistics = statistics.finish().ok_or(PrepError::Empty)?;
        let mut features = frames.mean();
        features.extend(frames.deviation());
        features.extend(pictures.mean());
        features.extend(statistics);
        Ok((features, windows.damage()))
    }
}

impl Eye {
    fn open(
        dir: &Path,
        card: &Card,
        network: &EfficientNetLite,
        picture: &ImagePreprocess,
        choice: &EngineChoice,
    ) -> Result<Self, BaseError> {
        let weights = Weights::load(&dir.join(PICTURE_MODEL))?;
        let engine = engine_over(&Family::EfficientnetLite(*network), weights, choice, &card.id)?;
        let dim = engine.outputs().iter().find(|output| output.rows.is_none()).map(|output| output.dim);
        let dim = dim.ok_or_else(|| BaseError::NoFeatures { id: card.id.clone() })?;
        Ok(Self { preprocess: picture.clone(), engine, dim })
    }

    /// Adds what pictures of a window show, of ten seconds each.
    fn look(&self, log_mel: &Matrix, seen: &mut Moments) -> Result<(), BaseError> {
        let mut start = 0;
        loop {
            let end = (start + PICTURE_FRAMES).min(log_mel.rows());
            let rows: Vec<usize> = (start..end).collect();
            let Some(picture) = sound::picture(&log_mel.select_rows(&rows)) else { return Ok(()) };
            // A picture counts by the frames on it: a short last one is mostly stretched.
            let weight = (end - start) as f64 / PICTURE_FRAMES as f64;
            seen.add_rows(&vector(self.engine.as_ref(), &self.preprocess, &picture)?, self.dim, weight);
            if end == log_mel.rows() {
                return Ok(());
            }
            start += PICTURE_HOP;
        }
    }
}

/// Two frames a row, `[t / 2, 160]`. A last frame without another is left out, if it is not the only one.
fn pairs(log_mel: &Matrix) -> Vec<f32> {
    let values = log_mel.data();
    if log_mel.rows() == 1 {
        [values, values].concat()
    } else {
        values[..values.len() / PAIR * PAIR].to_vec()
    }
}

/// Mean and standard deviation of weighed rows that come piece by piece.
#[derive(Default)]
struct Moments {
    weight: f64,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    fn add_rows(&mut self, rows: &[f32], dim: usize, weight: f64) {
        self.sums.resize(dim, 0.0);
        self.squares.resize(dim, 0.0);
        for row in rows.chunks_exact(dim) {
            self.weight += weight;
            for ((sum, square), value) in self.sums.iter_mut().zip(&mut self.squares).zip(row) {
                *sum += weight * f64::from(*value);
                *square += weight * f64::from(*value).powi(2);
            }
        }
    }

    /// Never zero: of nothing, all means are zero.
    fn weight(&self) -> f64 {
        if self.weight > 0.0 { self.weight } else { 1.0 }
    }

    fn mean(&self) -> Vec<f32> {
        self.sums.iter().map(|sum| (sum / self.weight()) as f32).collect()
    }

    fn deviation(&self) -> Vec<f32> {
        let weight = self.weight();
        let each = self.sums.iter().zip(&self.squares);
        each.map(|(sum, square)| (square / weight - (sum / weight).powi(2)).max(0.0).sqrt() as f32).collect()
    }
}
