//! The package of a defect inspector: how it looks at parts, what it remembers, and when it alarms.
//!
//! | question | where |
//! |---|---|
//! | at which scales is a photo looked at? | [`Sight`], chosen by `scale.rs` |
//! | what is painted over before? | `background.rs` |
//! | what do good parts look like? | [`Memories`] |
//! | which detectors are there? | [`Detector`] |
//! | how do several become one score? | [`Units`], [`opinion`] |
//! | what do the first defects teach? | [`Marks`] |
//! | how does it become one ONNX graph? | [`export_inspector`] |
//! | what kind of defect is it? | [`Kinds`] |
//! | how far does a marked place reach? | [`marked`] |
//! | which photos did it learn from? | [`Learned`] |
//! | what is odd about a photo? | [`Odd`] |
//! | what is in the bundle, and how is it opened? | [`InspectionBundle`], [`InspectionPredictor`] |

mod background;
mod contents;
mod extent;
mod ground;
mod inspector;
mod kinds;
mod laying;
mod learned;
mod map;
mod marks;
mod memories;
mod odd;
mod onnx;
mod predictor;
mod scale;
mod sight;
mod votes;
mod weighing;

pub use contents::{Alarm, InspectionBundle};
pub use extent::marked;
pub use inspector::{Evidence, Inspector, Joining, Opinion, Teaching, opinion, seed_of, suspicion};
pub use kinds::{DefectLook, KindShare, Kinds, NamedKind};
pub use laying::{Laid, SightError, brightness, has_shape, lay_mask};
pub use learned::Learned;
pub use map::ScoreMap;
pub use marks::{MarkUnits, Marked, Marks, Taught};
pub use memories::{Good, Memories, Raw, Voice, WHOLE_FROM};
pub use odd::Odd;
pub use onnx::{can_export, export_inspector};
pub use predictor::{Inspected, InspectionPredictor, Looked, MarkedRegion};
pub use scale::Shown;
pub use sight::{Chosen, Eye, Look, Seen, Sight};
pub use votes::Detector;
pub use weighing::{Units, Usual, Weighed};
