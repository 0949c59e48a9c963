//! Annotated data in and out, in the formats of the field, and what each of them cannot hold.
//!
//! Start at [`write`](fn@write) and [`read`](fn@read). Both go through one neutral form: a [`Header`] and [`Item`]s, each with
//! its [`Answer`] and its [`Mark`]s. [`losses`] says beforehand what a format would not keep. Writing is one pass over the
//! items: what a format wants later than it is known waits in a temporary file, so a large set takes no more memory than a small
//! one (but about 20 bytes for each name).
//!
//! | format | marks | answers | groups, parts | not kept |
//! |---|---|---|---|---|
//! | CSV, JSONL, Parquet | all | all | yes | nothing |
//! | COCO | all on pictures | all, in fields of our own that others pass over | yes | nothing |
//! | Label Studio | all | all | yes, in `meta` | boxes and polygons to a rounding error |
//! | Pascal VOC | boxes, 1-based whole pixels | no | parts | polygons and brushes become boxes |
//! | YOLO | boxes or polygons, as fractions of the size | no | parts | brushes become polygons, without their holes |
//! | MVTec AD | as masks, one a picture | one class, the good ones called `good` | parts | classes of marks, examples without a class |
//! | class folders | none | one class | parts | marks |
//!
//! Pictures go out as they are. Where the camera noted that one is turned, its size and marks are those of the turned picture, as it
//! is shown.
//!
//! [`Extent`] says how far two marks cover the same, and [`middle`] makes one mark of several of the same thing.
//!
//! What is read from files of others is checked: numbers that are none, counts that do not fit, paths that leave the folder and
//! marks above the limits of [`Mark::check`] become [`dataset::Problem`]s, and the rest is used.

mod archive;
mod classes;
mod coco;
mod error;
mod files;
mod folders;
mod format;
mod item;
mod known;
mod label_studio;
mod lenient;
mod loss;
mod mark;
mod mask;
mod middle;
mod mvtec;
mod names;
mod outline;
mod overlap;
mod picture;
mod read;
pub mod runs;
mod spool;
mod tables;
mod voc;
mod write;
mod yolo;

pub use coco::counts_from_text;
pub use error::ExchangeError;
pub use format::Format;
pub use item::{Answer, Content, Header, Item, Kind, Piece};
pub use label_studio::brush as label_studio_brush;
pub use loss::{Loss, Tally, UNNAMED, losses};
pub use mark::{MOST_PIXELS, MOST_POINTS, MOST_RUNS, Mark, MarkError, Shape};
pub use mask::mask;
pub use middle::middle;
pub use names::{safe_name, safe_path};
pub use overlap::Extent;
pub use read::{MOST_MARKS, read, recognise};
pub use write::write;
