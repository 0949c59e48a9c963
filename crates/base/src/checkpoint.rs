//! A folder as a model hub lays it out: `config.json` and `preprocessor_config.json` say what a card says.
//!
//! Only joint bases are read so: of others the catalogue has what is wanted, and a `base.toml` says the rest. Keys that say nothing of the
//! arithmetic are passed over; those that are absent have the values of the family's first checkpoint, as the format means it.

use serde::Deserialize;

use crate::arch::{Clip, Family, Gelu, Tower};
use crate::prep::{Filter, Fit, ImagePreprocess, Preprocess, of_family};

/// How the parts are called in such a folder.
pub(crate) const CONFIG: &str = "config.json";
pub(crate) const PREPROCESSOR: &str = "preprocessor_config.json";

/// The largest picture that a network is asked to look at, and the most heads or tokens: beyond, the file is not sound.
const MOST: usize = 4096;

/// What the tables `network` and `preprocess` of a card say.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// The network.
    pub network: toml::Table,
    /// How pictures are prepared.
    pub preprocess: toml::Table,
}

/// Why a folder is no joint base as a hub lays it out.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum CheckpointError {
    /// A file is not JSON, or not of this form.
    #[error("`{file}` is not sound: {detail}")]
    NotSound { file: &'static str, detail: String },
    /// Another network.
    #[error(
        "`{CONFIG}` is of a `{got}`; only `clip` is taken as the hub lays it out, others need a `base.toml`"
    )]
    OtherModel { got: String },
    /// A number that is far from usual.
    #[error("`{CONFIG}` says {key} {got}, not 1 to {MOST}")]
    Number { key: &'static str, got: usize },
    /// What both towers should say alike.
    #[error("`{CONFIG}` says {key} {got} and {other}, not one of {known} twice")]
    Twice { key: &'static str, got: String, other: String, known: &'static str },
    /// Pictures are to be prepared in a way that is not known.
    #[error("`{PREPROCESSOR}` has a `{key}` that is not understood")]
    Preparation { key: &'static str },
    /// A part is missing.
    #[error("it has no `{name}`")]
    NoFile { name: &'static str },
    /// A file of settings that is none.
    #[error("it is longer than {limit} bytes")]
    TooLong { limit: u64 },
}

#[derive(Deserialize)]
struct Config {
    model_type: String,
    #[serde(default)]
    vision_config: Side,
    #[serde(default)]
    text_config: Side,
}

#[derive(Default, Deserialize)]
struct Side {
    num_attention_heads: Option<usize>,
    image_size: Option<usize>,
    max_position_embeddings: Option<usize>,
    hidden_act: Option<String>,
    layer_norm_eps: Option<f32>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Processor {
    crop_size: Option<Size>,
    size: Option<Size>,
    image_mean: Option<[f32; 3]>,
    image_std: Option<[f32; 3]>,
    resample: Option<u8>,
    do_resize: Option<bool>,
    do_rescale: Option<bool>,
    do_normalize: Option<bool>,
    do_center_crop: Option<bool>,
    rescale_factor: Option<f64>,
}

impl Processor {
    /// A step that is always done here, and is not to be done, or is to be done by another number.
    fn left_out(&self) -> Option<&'static str> {
        // A picture that is squeezed has no rest to be cut.
        let is_squeezed = matches!(self.size, Some(Size::Sides { .. }));
        let other = |factor: f64| (factor - 1.0 / 255.0).abs() > 1e-6 || factor.is_nan();
        [
            ("do_resize", self.do_resize == Some(false)),
            ("do_rescale", self.do_rescale == Some(false)),
            ("do_normalize", self.do_normalize == Some(false)),
            ("do_center_crop", self.do_center_crop == Some(false) && !is_squeezed),
            ("rescale_factor", self.rescale_factor.is_some_and(other)),
        ]
        .into_iter()
        .find_map(|(key, is_so)| is_so.then_some(key))
    }
}

/// A number, or one for each side.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Size {
    Square(usize),
    Shortest { shortest_edge: usize },
    Sides { height: usize, width: usize },
}

/// Reads what the two files say; the second may be missing.
///
/// # Errors
/// When a file is not sound, is of another network, or says what is not understood.
pub fn describe(config: &[u8], preprocessor: Option<&[u8]>) -> Result<Described, CheckpointError> {
    let not_sound = |file: &'static str| {
        move |error: serde_json::Error| CheckpointError::NotSound { file, detail: error.to_string() }
    };
    let config: Config = serde_json::from_slice(config).map_err(not_sound(CONFIG))?;
    if config.model_type != "clip" {
        return Err(CheckpointError::OtherModel { got: config.model_type });
    }
    let family = Family::Clip(clip(&config)?);
    let Some(Preprocess::Image(own)) = of_family(&family) else {
        unreachable!("the tower that looks is described, and looks at pictures")
    };
    let processor = match preprocessor {
        None => Processor::default(),
        Some(bytes) => serde_json::from_slice(bytes).map_err(not_sound(PREPROCESSOR))?,
    };
    let table = |value: Result<toml::Table, toml::ser::Error>| value.expect("TOML has all that this holds");
    let mut preprocess = table(toml::Table::try_from(prepared(own, &processor)?));
    // Said by the network already.
    preprocess.remove("size");
    Ok(Described { network: table(toml::Table::try_from(family)), preprocess })
}

fn clip(config: &Config) -> Result<Clip, CheckpointError> {
    let Config { vision_config: vision, text_config: text, .. } = config;
    let bounded = |key: &'static str, got: usize| match got {
        1..=MOST => Ok(got),
        _ => Err(CheckpointError::Number { key, got }),
    };
    let eps = vision.layer_norm_eps.unwrap_or(1e-5);
    let other = text.layer_norm_eps.unwrap_or(1e-5);
    if eps != other || !(0.0..1.0).contains(&eps) {
        let (key, known) = ("layer_norm_eps", "[0, 1)");
        let (got, other) = (eps.to_string(), other.to_string());
        return Err(CheckpointError::Twice { key, got, other, known });
    }
    Ok(Clip {
        heads: bounded("num_attention_heads", vision.num_attention_heads.unwrap_or(12))?,
        text_heads: bounded("num_attention_heads", text.num_attention_heads.unwrap_or(8))?,
        image_size: bounded("image_size", vision.image_size.unwrap_or(224))?,
        max_tokens: bounded("max_position_embeddings", text.max_position_embeddings.unwrap_or(77))?,
        layer_norm_eps: eps,
        gelu: gelu(vision, text)?,
        tower: Tower::Looks,
    })
}

fn gelu(vision: &Side, text: &Side) -> Result<Gelu, CheckpointError> {
    let [one, other] = [vision, text].map(|side| side.hidden_act.as_deref().unwrap_or("quick_gelu"));
    match (one, other) {
        ("quick_gelu", "quick_gelu") => Ok(Gelu::Quick),
        ("gelu", "gelu") => Ok(Gelu::Exact),
        _ => {
            let (key, known) = ("hidden_act", "`quick_gelu`, `gelu`");
            Err(CheckpointError::Twice { key, got: one.to_owned(), other: other.to_owned(), known })
        }
    }
}

/// What the file says in place of the family's own.
fn prepared(own: ImagePreprocess, said: &Processor) -> Result<ImagePreprocess, CheckpointError> {
    let wrong = |key: &'static str| Err(CheckpointError::Preparation { key });
    if let Some(key) = said.left_out() {
        return wrong(key);
    }
    let side = |size: Option<Size>| match size {
        None => Some(own.size),
        Some(Size::Square(side) | Size::Shortest { shortest_edge: side }) => Some(side),
        Some(Size::Sides { height, width }) => (height == width).then_some(height),
    };
    let (Some(crop), Some(scaled)) = (side(said.crop_size), side(said.size)) else { return wrong("size") };
    if crop != own.size || scaled < crop {
        return wrong("crop_size");
    }
    let bytes =
        |shares: Option<[f32; 3]>, own| shares.map_or(own, |shares| shares.map(|share| 255.0 * share));
    let (mean, std) = (bytes(said.image_mean, own.mean), bytes(said.image_std, own.std));
    let is_sound = |value: &f32| value.is_finite() && value.abs() < 1e4;
    if !mean.iter().all(is_sound) {
        return wrong("image_mean");
    }
    if !std.iter().all(|value| is_sound(value) && *value > 1e-3) {
        return wrong("image_std");
    }
    let filter = match said.resample {
        None | Some(3) => Filter::Bicubic,
        Some(2) => Filter::Bilinear,
        Some(_) => return wrong("resample"),
    };
    let fit = match said.size {
        // Both sides are given: the picture is squeezed; to be cut after that is not known.
        Some(Size::Sides { .. }) if scaled != crop => return wrong("size"),
        Some(Size::Sides { .. }) => Fit::Squeeze,
        _ => Fit::CentreCrop { share: crop as f64 / scaled as f64 },
    };
    Ok(ImagePreprocess { size: own.size, fit, filter, mean, std })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(config: &str, preprocessor: Option<&str>, expect: Result<(usize, &str), &str>) {
        let got = describe(config.as_bytes(), preprocessor.map(str::as_bytes));
        match (got, expect) {
            (Ok(described), Ok((size, fit))) => {
                assert_eq!(described.network["image_size"].as_integer(), Some(size as i64));
                assert!(described.preprocess["fit"].to_string().contains(fit), "{:?}", described.preprocess);
            }
            (Err(got), Err(words)) => assert!(got.to_string().contains(words), "{got}"),
            (got, expect) => panic!("{got:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn a_config_says_what_differs_from_the_first_checkpoint() {
        check(r#"{"model_type": "clip"}"#, None, Ok((224, "share = 1.0")));
        let vision = r#"{"model_type": "clip", "vision_config": {"image_size": 336, "hidden_act": "quick_gelu"}, "more": [1]}"#;
        check(vision, None, Ok((336, "share = 1.0")));
        let crop =
            r#"{"crop_size": {"height": 224, "width": 224}, "size": {"shortest_edge": 256}, "resample": 3}"#;
        check(r#"{"model_type": "clip"}"#, Some(crop), Ok((224, "share = 0.875")));
        check(
            r#"{"model_type": "clip"}"#,
            Some(r#"{"size": 224, "crop_size": 224}"#),
            Ok((224, "share = 1.0")),
        );
        check(
            r#"{"model_type": "clip"}"#,
            Some(
                r#"{"size": {"height": 224, "width": 224}, "do_center_crop": false, "rescale_factor": 0.00392156862745098}"#,
            ),
            Ok((224, "squeeze")),
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        check("{", None, Err("not sound"));
        check(r#"{"model_type": "bert"}"#, None, Err("`bert`"));
        check(r#"{"model_type": "clip", "text_config": {"hidden_act": "gelu"}}"#, None, Err("hidden_act"));
        check(r#"{"model_type": "clip", "vision_config": {"image_size": 0}}"#, None, Err("image_size 0"));
        check(r#"{"model_type": "clip", "vision_config": {"image_size": 99999999}}"#, None, Err("not 1 to"));
        check(r#"{"model_type": "clip"}"#, Some(r#"{"image_std": [0, 1, 1]}"#), Err("image_std"));
        check(r#"{"model_type": "clip"}"#, Some(r#"{"crop_size": 7}"#), Err("crop_size"));
        check(
            r#"{"model_type": "clip"}"#,
            Some(r#"{"size": 7, "crop_size": {"height": 1, "width": 2}}"#),
            Err("`size`"),
        );
        check(r#"{"model_type": "clip"}"#, Some(r#"{"resample": 0}"#), Err("resample"));
        let cut = r#"{"size": {"height": 256, "width": 256}, "crop_size": 224}"#;
        check(r#"{"model_type": "clip"}"#, Some(cut), Err("`size`"));
        for key in ["do_resize", "do_rescale", "do_normalize", "do_center_crop"] {
            check(r#"{"model_type": "clip"}"#, Some(&format!(r#"{{"{key}": false}}"#)), Err(key));
        }
        check(r#"{"model_type": "clip"}"#, Some(r#"{"rescale_factor": 1.0}"#), Err("rescale_factor"));
    }
}
