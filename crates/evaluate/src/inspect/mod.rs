//! Judges a defect detector: where it alarms, what that promises, and how good its scores and maps are.
//!
//! A **score** is a number for a part, higher for more anomalous; a **map** is a score for each pixel. A part is *good* or it
//! has a *defect*. An alarm is a score **above** the threshold, never one equal to it, and a score that is not a number alarms.
//! Scores of good parts must come from parts that the detector was not fitted on.
//!
//! | question | where |
//! |---|---|
//! | which threshold keeps a promise about false alarms? | [`alarm_threshold`], [`proven_threshold`] |
//! | how many good parts does a promise need? | [`parts_needed`], [`best_provable_rate`] |
//! | how surprising is this part? which of a batch are defects? | [`conformal_p_value`], [`benjamini_hochberg`] |
//! | can any of a batch be called? | [`fewest_called`], [`good_needed_to_call`] |
//! | which threshold is cheapest? | [`cheapest_threshold`] |
//! | how well do scores tell defects from good parts? | [`auroc`], [`average_precision`], [`recall_at`], [`trade_off`] |
//! | which pixels belong together, and what is their outline? | [`find_regions`], [`Regions::outline`] |
//! | how well do maps find the defects? | [`pixel_metrics`], [`aupimo`] |

mod alarm;
mod aupimo;
mod aupro;
mod cost;
mod grid;
mod outline;
mod p_values;
mod plane;
mod rank;
mod regions;
mod resample;
mod tail;

pub use alarm::{
    AlarmThreshold, GoodScores, Promise, ProvenThreshold, Unproven, alarm_threshold, best_provable_rate,
    parts_needed, proven_threshold,
};
pub use aupimo::{AUPIMO_BOUNDS, Aupimo, aupimo};
pub use aupro::{AUPRO_LIMIT, PixelMetrics, pixel_metrics};
pub use cost::{CheapestThreshold, Costs, cheapest_threshold};
pub use outline::{Outline, Polygon};
pub use p_values::{benjamini_hochberg, conformal_p_value, fewest_called, good_needed_to_call};
pub use plane::{Plane, ScoredImage};
pub use rank::{TradeOff, auroc, auroc_difference, average_precision, false_alarms_at, recall_at, trade_off};
pub use regions::{Region, Regions, find_regions};
pub use tail::{EstimatedThreshold, Tail, estimated_threshold};
