//! Label Studio: `tasks.json`, a list of tasks with `data` and `annotations`, and `config.xml`, the labelling interface for it.
//!
//! Boxes and polygons are in percent of the picture's size and are rounded to a millionth of a pixel when they are read. Brushes
//! are runs in the coding of `rle-pack`, see [`brush`]. Spans count characters as this crate does, in code points (since the
//! release of 2021-10; where a region's own `text` says that an older one counted in UTF-16, that is read). Files are
//! named as Label Studio serves local ones, `/data/local-files/?d=images/...`. Name, group and part stand in `meta`, which it keeps.

pub mod brush;
mod config;
mod read;
mod task;
mod write;

use dataset::Part;
use serde::{Deserialize, Serialize};

use crate::Kind;

pub(crate) use read::{is_document, read};
pub(crate) use write::write;

const DOCUMENT: &str = "tasks.json";
const CONFIG: &str = "config.xml";
/// How an address of a local file begins.
const LOCAL: &str = "/data/local-files/?d=";

/// What Label Studio has no field for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Own {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Whether its choices are several, which one alone does not say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    several: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Part>,
}

/// The key of an example in `data`, which is also the name of its tag.
fn key(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "image",
        Kind::Text => "text",
        Kind::Sound => "audio",
        Kind::Video => "video",
        Kind::Series | Kind::Senses => unreachable!("these are refused before"),
    }
}

/// The folder of the files.
fn folder(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "images",
        Kind::Text => "texts",
        Kind::Sound => "audio",
        Kind::Video => "videos",
        Kind::Series | Kind::Senses => unreachable!("these are refused before"),
    }
}
