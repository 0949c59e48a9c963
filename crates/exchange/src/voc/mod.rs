//! Pascal VOC: `Annotations/<name>.xml` for each picture of `JPEGImages`, the parts in `ImageSets/Main`.
//!
//! `bndbox` names the first and the last pixel that belong to a box, counted from **1**: a box from 0 to 10 pixels has `xmin` 1 and
//! `xmax` 10. Read back, it reaches from `xmin - 1` to `xmax`. Fractions, as some tools write them, are read as they are.

mod read;
mod write;
mod xml;

pub(crate) use read::{is_document, read};
pub(crate) use write::write;
pub(crate) use xml::escaped;

const ANNOTATIONS: &str = "Annotations";
const PICTURES: &str = "JPEGImages";
const SETS: &str = "ImageSets/Main";
