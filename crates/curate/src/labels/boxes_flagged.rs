//! Which boxes are flagged: the scores against a limit that is lower for classes the detector finds badly.

use std::collections::BTreeMap;

use super::boxes::{BoxScores, JudgedImage, PredictedBox, box_scores, overlap};
use crate::CurateError;

/// Share of the detector's average precision that is a class's limit.
const LIMIT_OF_PRECISION: f64 = 0.25 * 0.8;
/// Overlaps at which average precision is taken: .5 to .95 in ten steps.
const OVERLAPS: usize = 10;

/// The flagged boxes of one image, by place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlaggedBoxes {
    /// Predicted boxes for which a label is missing.
    pub overlooked: Vec<usize>,
    /// Given boxes that are badly placed.
    pub bad_location: Vec<usize>,
    /// Given boxes that probably have the wrong class.
    pub swapped: Vec<usize>,
}

impl FlaggedBoxes {
    /// Whether the image has anything flagged.
    pub fn any(&self) -> bool {
        !(self.overlooked.is_empty() && self.bad_location.is_empty() && self.swapped.is_empty())
    }
}

/// Flags boxes whose score is at most a fifth of their class's mean average precision, as in cleanlab 2.9.
///
/// # Errors
/// As [`box_scores`].
pub fn flagged_boxes(images: &[JudgedImage]) -> Result<Vec<FlaggedBoxes>, CurateError> {
    let scores = box_scores(images)?;
    let given = images.iter().flat_map(|image| image.given.iter().map(|given| given.class));
    let found = images.iter().flat_map(|image| image.predicted.iter().map(|found| found.class));
    let mut limits: BTreeMap<u32, f64> = given.chain(found).map(|class| (class, 0.0)).collect();
    for (class, limit) in &mut limits {
        *limit = LIMIT_OF_PRECISION * mean_average_precision(images, *class);
    }
    Ok(images.iter().zip(&scores).map(|(image, scores)| flagged_of(image, scores, &limits)).collect())
}

fn flagged_of(image: &JudgedImage, scores: &BoxScores, limits: &BTreeMap<u32, f64>) -> FlaggedBoxes {
    let given = |scores: &[f64]| {
        (0..scores.len()).filter(|place| scores[*place] <= limits[&image.given[*place].class]).collect()
    };
    let missing =
        |place: &usize| scores.overlooked[*place].unwrap_or(1.0) <= limits[&image.predicted[*place].class];
    FlaggedBoxes {
        overlooked: (0..image.predicted.len()).filter(missing).collect(),
        bad_location: given(&scores.bad_location),
        swapped: given(&scores.swapped),
    }
}

fn mean_average_precision(images: &[JudgedImage], class: u32) -> f64 {
    let at = |step: usize| average_precision(images, class, 0.5 + 0.05 * step as f64);
    (0..OVERLAPS).map(at).sum::<f64>() / OVERLAPS as f64
}

/// The area under the falling envelope of precision over recall.
fn average_precision(images: &[JudgedImage], class: u32, needed: f64) -> f64 {
    let mut hits: Vec<(f64, bool)> = images.iter().flat_map(|image| matched(image, class, needed)).collect();
    hits.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = images.iter().flat_map(|image| &image.given).filter(|given| given.class == class).count();
    if all == 0 {
        return 0.0;
    }
    let mut right = 0;
    let mut curve: Vec<(f64, f64)> = Vec::with_capacity(hits.len());
    for (place, (_, hit)) in hits.iter().enumerate() {
        right += usize::from(*hit);
        curve.push((right as f64 / all as f64, right as f64 / (place + 1) as f64));
    }
    let mut envelope = 0.0_f64;
    let mut area = 0.0;
    for place in (0..curve.len()).rev() {
        envelope = envelope.max(curve[place].1);
        let before = if place == 0 { 0.0 } else { curve[place - 1].0 };
        area += (curve[place].0 - before) * envelope;
    }
    area
}

/// The predictions of one class, in the order found, with whether each is the surest on its label.
fn matched(image: &JudgedImage, class: u32, needed: f64) -> Vec<(f64, bool)> {
    let found: Vec<&PredictedBox> = image.predicted.iter().filter(|found| found.class == class).collect();
    let labels: Vec<[f64; 4]> =
        image.given.iter().filter(|given| given.class == class).map(|given| given.corners).collect();
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by(|a, b| found[*b].confidence.total_cmp(&found[*a].confidence));
    let mut taken = vec![false; labels.len()];
    let mut hits: Vec<(f64, bool)> = found.iter().map(|found| (found.confidence, false)).collect();
    for place in order {
        let overlaps: Vec<f64> = labels.iter().map(|label| overlap(found[place].corners, *label)).collect();
        let best = super::argmax(&overlaps);
        if overlaps.get(best).is_some_and(|overlap| *overlap >= needed) && !taken[best] {
            taken[best] = true;
            hits[place].1 = true;
        }
    }
    hits
}
