//! What is known of the photos to learn from before they are looked at: sizes, bits, and how small marked defects are.

use base::depict::{Canvas, depict};
use base::prep::{self, Depth};
use bundle::inspection::Shown;
use dataset::{InspectionExample, Verdict};
use evaluate::inspect::{Plane, find_regions};
use rayon::prelude::*;

use super::{InspectRequest, turning};
use crate::{PipelineError, Run};

/// Pixels of the smallest region of a mask that is meant: fewer are crumbs of a soft edge.
const LEAST_AREA: usize = 9;

/// What is known of the photos to learn from before they are looked at.
pub(super) struct Glanced<'a> {
    request: &'a InspectRequest,
    sizes: Vec<(u32, u32)>,
    /// Sizes of those that may be shown turned around.
    turned: Vec<(u32, u32)>,
    defects: bool,
    smallest: Option<f64>,
    depth: Depth,
    canvas: Option<&'a Canvas>,
}

impl<'a> Glanced<'a> {
    /// `None` when none of them can be read.
    ///
    /// # Errors
    /// [`PipelineError::Cancelled`] soon after the run was.
    pub(super) fn at(
        request: &'a InspectRequest,
        learned: &[&InspectionExample],
        canvas: Option<&'a Canvas>,
        run: &Run<'_>,
    ) -> Result<Option<Self>, PipelineError> {
        let glances = glances(learned, canvas, run)?;
        let (good, defects): (Vec<&Glance>, Vec<&Glance>) = glances.iter().partition(|glance| glance.is_good);
        let n_turned = turning::n_turned(good.len(), request.orientation);
        let largest = glances.iter().filter_map(|glance| glance.largest).max();
        Ok((!glances.is_empty()).then(|| Self {
            request,
            sizes: glances.iter().map(|glance| glance.size).collect(),
            turned: good.iter().take(n_turned).map(|glance| glance.size).collect(),
            defects: !defects.is_empty(),
            smallest: request.smallest_defect.or_else(|| smallest_marked(learned)),
            depth: largest.map_or(Depth::FULL, Depth::holding),
            canvas,
        }))
    }

    /// As the choice of scales takes it.
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown {
            sizes: &self.sizes,
            defects: self.defects,
            smallest: self.smallest,
            without_background: self.request.without_background,
            turned: &self.turned,
            depth: self.depth,
            canvas: self.canvas,
        }
    }
}

/// What is known of a photo before it is looked at.
struct Glance {
    is_good: bool,
    /// Width and height in pixels.
    size: (u32, u32),
    /// The largest value of a photo of 16 bits.
    largest: Option<u16>,
}

/// Glances at the photos whose headers can be read.
fn glances(
    examples: &[&InspectionExample],
    canvas: Option<&Canvas>,
    run: &Run<'_>,
) -> Result<Vec<Glance>, PipelineError> {
    let glance = |example: &&InspectionExample| {
        if run.is_cancelled() {
            return None;
        }
        let bytes = depict(&example.path, canvas).ok()?.bytes;
        let size = prep::size(&bytes).ok()?;
        let largest = prep::largest_value(&bytes).ok().flatten();
        Some(Glance { is_good: example.verdict == Verdict::Good, size, largest })
    };
    let glances = examples.par_iter().filter_map(glance).collect();
    if run.is_cancelled() { Err(PipelineError::Cancelled) } else { Ok(glances) }
}

/// Side in pixels of a small marked defect: a tenth of them are smaller. Masks that cannot be read are told of later.
fn smallest_marked(examples: &[&InspectionExample]) -> Option<f64> {
    let of_mask = |example: &&InspectionExample| -> Vec<f64> {
        let bytes = example.mask.as_ref().and_then(|path| std::fs::read(path).ok());
        let Some(mask) = bytes.and_then(|bytes| prep::decode_mask(&bytes).ok()) else { return Vec::new() };
        let plane = Plane::new(mask.height as usize, mask.width as usize, &mask.inside);
        let regions = plane.map(|plane| find_regions(plane).list().to_vec()).unwrap_or_default();
        let areas = regions.iter().map(|region| region.area).filter(|area| *area >= LEAST_AREA);
        areas.map(|area| (area as f64).sqrt()).collect()
    };
    let mut sides: Vec<f64> = examples.par_iter().flat_map_iter(of_mask).collect();
    sides.sort_by(f64::total_cmp);
    sides.get(sides.len() / 10).copied()
}
