//! Turns image files and text into a network's input, and the masks of defects into areas. Sounds: [`crate::sound`]. Videos: [`crate::video`].

mod depth;
mod image;
mod jpeg;
mod mask;
mod packed;
mod resample;

use serde::{Deserialize, Serialize};

use crate::arch::{EfficientNetLite, Family, Tower};
use crate::series::Sensors;

pub use depth::{Depth, decode_deep, largest_value};
pub use image::{MAX_DECODED_BYTES, MAX_PIXELS, decode, image_input, normalise, scale, size};
pub use mask::{Mask, decode_mask};
pub use resample::resampling;

/// How a base wants to be fed; part of its identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Preprocess {
    /// Pictures.
    Image(ImagePreprocess),
    /// Text.
    Text(TextPreprocess),
    /// Sounds.
    Sound(SoundPreprocess),
    /// Videos, whose frames are prepared as pictures are.
    Video(ImagePreprocess),
    /// Series of sensors.
    Series(Sensors),
}

/// From a picture of any size to numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagePreprocess {
    /// Side of the square the network takes, in pixels.
    pub size: usize,
    /// What part of the picture goes in.
    pub fit: Fit,
    /// Smoothing used when scaling.
    pub filter: Filter,
    /// `(value - mean) / std` per channel, with values in [0, 255].
    pub mean: [f32; 3],
    /// See `mean`.
    pub std: [f32; 3],
}

/// What part of the picture goes in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fit {
    /// The middle: a square of this share of the shorter side, in (0, 1]. Nothing is distorted, the edges are lost.
    CentreCrop {
        /// Share of the shorter side.
        share: f64,
    },
    /// All of it, squeezed into a square.
    Squeeze,
}

/// Smoothing used when scaling; both look at every source pixel when scaling down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Triangle.
    Bilinear,
    /// Catmull-Rom.
    Bicubic,
}

/// From a text to tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextPreprocess {
    /// Put before every text, such as `query: `.
    pub prefix: String,
    /// Longest input, special tokens included; the rest of a text is not looked at.
    pub max_tokens: usize,
}

/// From a sound of any length and rate to frames and pictures; the front end itself is [`crate::sound`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoundPreprocess {
    /// Longest piece that the network hears at once, in seconds.
    pub window: f64,
    /// How the picture of a piece is prepared, for bases with an eye.
    #[serde(default)]
    pub picture: Option<ImagePreprocess>,
}

/// What a family wants when its base's card says nothing else; `None` for ONNX files, which say nothing by themselves.
pub fn of_family(family: &Family) -> Option<Preprocess> {
    let image =
        |size, fit, filter, mean, std| Preprocess::Image(ImagePreprocess { size, fit, filter, mean, std });
    match family {
        Family::EfficientnetLite(config) => {
            let size = config.image_size.unwrap_or(config.variant.trained_size());
            // Each of these was measured: docs/decisions/0008-efficientnet-preprocessing.md.
            Some(image(size, Fit::CentreCrop { share: 1.0 }, Filter::Bilinear, [127.0; 3], [128.0; 3]))
        }
        // ImageNet's mean and deviation on the scale of bytes; DINOv2 was trained with them.
        Family::Vit(config) => {
            let fit = Fit::CentreCrop { share: 0.875 };
            let (mean, std) = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]);
            Some(image(config.image_size, fit, Filter::Bicubic, mean, std))
        }
        Family::Bert(config) => Some(Preprocess::Text(TextPreprocess {
            prefix: String::new(),
            max_tokens: config.max_tokens.unwrap_or(512),
        })),
        Family::UseMultilingual(config) => {
            Some(Preprocess::Text(TextPreprocess { prefix: String::new(), max_tokens: config.max_tokens }))
        }
        Family::Whisper(config) => Some(Preprocess::Sound(SoundPreprocess {
            window: 30.0,
            picture: config.picture.as_ref().map(picture_of_sound),
        })),
        Family::Clip(config) => Some(match config.tower {
            Tower::Looks => {
                let fit = Fit::CentreCrop { share: 1.0 };
                image(config.image_size, fit, Filter::Bicubic, CLIP_MEAN, CLIP_STD)
            }
            Tower::Reads => {
                Preprocess::Text(TextPreprocess { prefix: String::new(), max_tokens: config.max_tokens })
            }
        }),
        Family::Onnx(_) => None,
    }
}

/// Mean and deviation of the pictures that CLIP was trained with, on the scale of bytes.
const CLIP_MEAN: [f32; 3] = [122.770_94, 116.746_01, 104.093_74];
const CLIP_STD: [f32; 3] = [68.500_53, 66.632_16, 70.323_16];

/// All of the picture of a sound goes in: its edges are as good as its middle.
fn picture_of_sound(config: &EfficientNetLite) -> ImagePreprocess {
    let size = config.image_size.unwrap_or(config.variant.trained_size());
    ImagePreprocess { size, fit: Fit::Squeeze, filter: Filter::Bilinear, mean: [127.0; 3], std: [128.0; 3] }
}

/// Why an input could not be prepared. These become problems of the data set, never a stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum PrepError {
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// A file that cannot be read, or that changed while it was.
    #[error("the file cannot be read: {detail}")]
    Unreadable { detail: String },
    /// Not a picture, whatever the name says.
    #[error("not a picture: {detail}")]
    NotAnImage { detail: String },
    /// A picture that is damaged.
    #[error("the picture is damaged: {detail}")]
    Broken { detail: String },
    /// A picture with more pixels than are decoded.
    #[error("the picture claims {width} x {height} pixels, more than {limit} are not decoded")]
    TooLarge { width: u32, height: u32, limit: u64 },
    /// A picture with more pixels than can be looked at as closely as is wanted.
    #[error("the picture has {width} x {height} pixels, more than {limit} cannot be looked at so closely")]
    TooFine { width: u32, height: u32, limit: u64 },
    /// A picture with too few pixels to show anything.
    #[error("the picture has {width} x {height} pixels, fewer than {least} show nothing")]
    TooSmall { width: u32, height: u32, least: u64 },
    /// Not a sound that can be read, whatever the name says.
    #[error("not a sound that can be read: {detail}")]
    NotASound { detail: String },
    /// A sound that is so damaged that nothing of it is used.
    #[error("the sound is damaged: {detail}")]
    BrokenSound { detail: String },
    /// A sound file without a single sample.
    #[error("the sound holds no samples")]
    NoSamples,
    /// A sound that goes on for longer than is decoded.
    #[error("the sound is longer than {limit_seconds} s, more is not decoded")]
    TooLong { limit_seconds: u64 },
    /// A piece that is longer than is held in memory.
    #[error("the piece is longer than {limit_seconds} s")]
    PieceTooLong { limit_seconds: u64 },
    /// A piece that goes on after its sound has ended; in seconds.
    #[error("the piece goes on to {end} s and the sound ends at {length} s")]
    BeyondEnd { end: String, length: String },
    /// Not a video that can be read, whatever the name says.
    #[error("not a video that can be read: {detail}")]
    NotAVideo { detail: String },
    /// A video that is so damaged that nothing of it is used.
    #[error("the video is damaged: {detail}")]
    BrokenVideo { detail: String },
    /// A video that takes longer to look through than is waited for.
    #[error("looking through the video takes longer than {limit_seconds} s")]
    SlowVideo { limit_seconds: u64 },
    /// Not a series that can be read.
    #[error("not a series that can be read: {detail}")]
    NotASeries { detail: String },
    /// A text where a picture is wanted, or the reverse.
    #[error("this base takes {expected}")]
    OtherKind { expected: &'static str },
}

impl From<PrepError> for dataset::ProblemKind {
    fn from(error: PrepError) -> Self {
        match error {
            PrepError::Empty => Self::EmptyFile,
            PrepError::Unreadable { detail } => Self::Unreadable { detail },
            PrepError::NotAnImage { detail } => Self::NotAnImage { detail },
            PrepError::OtherKind { expected } => Self::OtherKind { takes: expected.to_owned() },
            PrepError::Broken { detail } => Self::BrokenImage { detail },
            PrepError::TooLarge { width, height, limit } => {
                Self::TooLarge { detail: format!("{width} x {height} pixels > {} MP", limit / 1_000_000) }
            }
            PrepError::TooFine { width, height, limit } => {
                Self::TooFine { size: (width, height), megapixels: limit / 1_000_000 }
            }
            PrepError::TooSmall { width, height, .. } => Self::TooSmall { size: (width, height) },
            PrepError::NotASound { detail } => Self::NotASound { detail },
            PrepError::BrokenSound { detail } => Self::BrokenSound { detail },
            PrepError::BeyondEnd { end, length } => Self::BeyondEnd { end, length },
            PrepError::NotAVideo { detail } => Self::NotAVideo { detail },
            PrepError::BrokenVideo { detail } => Self::BrokenVideo { detail },
            PrepError::SlowVideo { limit_seconds } => Self::SlowVideo { limit_seconds },
            PrepError::NotASeries { detail } => Self::NotASeries { detail },
            PrepError::NoSamples => Self::NoSamples,
            PrepError::TooLong { limit_seconds } => Self::TooLong { limit_seconds },
            PrepError::PieceTooLong { limit_seconds } => Self::PieceTooLong { limit_seconds },
        }
    }
}
