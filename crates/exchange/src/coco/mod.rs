//! COCO's JSON: `annotations.json` beside the folder `images`.
//!
//! Categories are numbered from 1. A box is `bbox` (`[x, y, width, height]` in pixels), a polygon is `segmentation` as a list of
//! coordinates, a brush is `segmentation` as uncompressed runs, **column by column**, as COCO has them. Answers, groups and parts
//! stand in a field `dianjing` of each image, which others pass over; a mark without a class is of the category `object` and has
//! `"dianjing": {"unnamed": true}`.

mod counts;
mod read;
mod write;

use serde::{Deserialize, Deserializer, Serialize};

use crate::known::Known;

pub use counts::counts_from_text;
pub(crate) use read::{is_document, read};
pub(crate) use write::write;

/// The document of an export.
const DOCUMENT: &str = "annotations.json";
/// The folder of the pictures.
const IMAGES: &str = "images";

/// One picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Picture {
    id: u64,
    file_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "side")]
    width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "side")]
    height: Option<u32>,
    #[serde(default, rename = "dianjing", skip_serializing_if = "Known::is_empty")]
    known: Known,
}

/// Pixels, which some tools write with a decimal point; `None` for what is no whole number above 0.
fn side<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number = Option::<f64>::deserialize(deserializer)?;
    let is_side = |number: &f64| number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(number);
    // Whole and within its range, so nothing is cut off.
    Ok(number.filter(is_side).map(|number| number as u32))
}

/// One mark.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Annotation {
    #[serde(default)]
    id: u64,
    image_id: u64,
    category_id: u64,
    #[serde(default)]
    bbox: Option<Vec<f64>>,
    #[serde(default)]
    area: Option<f64>,
    #[serde(default)]
    segmentation: Option<Segmentation>,
    /// Whether it stands for many things at once. It is read as any other mark.
    #[serde(default)]
    iscrowd: Option<u8>,
    #[serde(default, rename = "dianjing", skip_serializing_if = "Option::is_none")]
    own: Option<Own>,
}

/// What COCO has no field for.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Own {
    unnamed: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Segmentation {
    /// Each polygon as `x, y, x, y, ...`.
    Polygons(Vec<Vec<f64>>),
    /// One polygon, as some tools write it.
    Flat(Vec<f64>),
    /// Runs column by column; `size` is height, then width.
    Runs { size: [u32; 2], counts: Counts },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Counts {
    Plain(Vec<u32>),
    Packed(String),
}
