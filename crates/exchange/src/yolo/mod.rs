//! YOLO, in the layout of `ultralytics`: `images/<part>/<name>.png` with `labels/<part>/<name>.txt`, and `data.yaml`.
//!
//! A row is the number of the class, from 0, and either a box (`x y width height`, its **centre** first) or a polygon (`x y x y ...`),
//! as fractions of the picture's width and height. A set has rows of one kind: with any polygon in it, boxes are written as
//! polygons of four corners. A brush is written as the polygons around it, and its holes are filled. What reaches over the picture's edge is cut at it, since others refuse pictures with such rows. Read
//! back, numbers are rounded to a millionth of a pixel. Examples of no part lie in `unassigned`, which counts among those to train on.

mod read;
mod write;
mod yaml;

pub(crate) use read::{is_there, read};
pub(crate) use write::write;

const IMAGES: &str = "images";
const LABELS: &str = "labels";
/// The folder of examples that belong to no part.
const UNASSIGNED: &str = "unassigned";
/// The document with the names of the classes.
const DOCUMENT: &str = "data.yaml";
