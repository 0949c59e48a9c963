//! How the parts on which an inspector erred looked to those that it was measured by, which had not seen them: kept beside its bundle. The
//! inspector itself has learned from them since, and no longer shows why they were missed or alarmed.

use std::collections::BTreeMap;

use pipeline::report::inspection::{InspectedPart, InspectionReport};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Ending of the file.
pub(crate) const ENDING: &str = "measured.json";

/// The parts that are shown, by our ids.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Measured(BTreeMap<String, MeasuredView>);

/// Where those looked that an inspector was measured by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct MeasuredView {
    /// The photo in grey with their suspicion over it, small, as the address of a JPEG.
    pub(crate) overlay: String,
    /// What they marked: corners in pixels of the photo.
    outlines: Vec<Vec<[u32; 2]>>,
    /// Width and height of the photo in pixels; absent where an earlier version wrote it down.
    #[serde(default)]
    size: Option<[u32; 2]>,
}

impl Measured {
    /// What a report shows, under our ids, which `example` finds by names.
    pub(crate) fn of(report: &InspectionReport, example: impl Fn(&str) -> Option<String>) -> Self {
        let suspects = report.worst_good.iter().flat_map(|worst| &worst.parts);
        let shown = report.missed.iter().chain(&report.alarmed_good).chain(suspects);
        let one = |part: &InspectedPart| {
            let view = part.view.as_ref()?;
            let (overlay, outlines) = (view.heat.clone(), view.regions.clone());
            let seen = MeasuredView { overlay, outlines, size: Some([view.width, view.height]) };
            Some((example(&part.id)?, seen))
        };
        Self(shown.filter_map(one).collect())
    }

    /// How an example looked.
    pub(crate) fn take(mut self, example: &str) -> Option<MeasuredView> {
        self.0.remove(example)
    }
}
