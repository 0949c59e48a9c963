//! Boxes around objects (methods 3.6): the scores of ObjectLab (Tkachenko et al. 2023, arXiv 2309.00832), as in cleanlab 2.9.
//!
//! Three things go wrong with boxes: one was overlooked, one is badly placed, one has the wrong class. Boxes are compared by
//! `0.9 IoU + 0.1 exp(-0.1 d)`, with `d` the distance of their centres **in pixels**, so scores depend on the resolution.

use super::softmin;
use crate::CurateError;

pub use super::boxes_flagged::{FlaggedBoxes, flagged_boxes};

/// Share of the overlap in the likeness of two boxes.
const OVERLAP_SHARE: f64 = 0.9;
/// How fast likeness falls with each pixel between the centres.
const FALL_PER_PIXEL: f64 = 0.1;
/// The least area that divides.
const SMALLEST_AREA: f64 = 1e-6;
/// A prediction has to be above this to say where an object is.
const PLACES: f64 = 0.5;
/// A prediction has to be this sure to say that a label is missing or of another class.
const SURE: f64 = 0.95;
/// Two labels of different classes that overlap as much are the same object.
const SAME_OBJECT: f64 = 0.95;
/// How sharply an image's score looks at its worst box.
const TEMPERATURE: f64 = 0.1;
/// Keeps the logarithm of a score of 0 finite.
const TINY: f64 = 1e-100;

/// A box that a person drew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenBox {
    /// Left, top, right, bottom, in pixels.
    pub corners: [f64; 4],
    /// The class it has.
    pub class: u32,
}

/// A box that a detector found in a picture it was not trained on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictedBox {
    /// Left, top, right, bottom, in pixels.
    pub corners: [f64; 4],
    /// The class it has.
    pub class: u32,
    /// How sure the detector is, in [0, 1].
    pub confidence: f64,
}

/// The boxes of one image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JudgedImage {
    /// What was drawn; none is allowed.
    pub given: Vec<GivenBox>,
    /// What was found; none is allowed.
    pub predicted: Vec<PredictedBox>,
}

/// How the boxes of one image look; 0 is bad, 1 is good.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxScores {
    /// `[predicted]`: low where a sure prediction has no label near it; `None` where a prediction says nothing about that.
    pub overlooked: Vec<Option<f64>>,
    /// `[given]`: low where a label lies beside what was found there.
    pub bad_location: Vec<f64>,
    /// `[given]`: low where something of another class was surely found in the same place.
    pub swapped: Vec<f64>,
    /// The geometric mean of the three, each near its worst box.
    pub image: f64,
}

/// Scores every box of every image.
///
/// # Errors
/// No images, a box whose corners are not finite or swapped, a confidence outside [0, 1].
pub fn box_scores(images: &[JudgedImage]) -> Result<Vec<BoxScores>, CurateError> {
    check(images)?;
    let likeness: Vec<Likeness> = images.iter().map(Likeness::of).collect();
    let least = likeness.iter().flat_map(|image| &image.values).copied().filter(|value| *value > 0.0);
    let least = least.fold(1.0, f64::min);
    Ok(images.iter().zip(&likeness).map(|(image, likeness)| scores_of(image, likeness, least)).collect())
}

fn check(images: &[JudgedImage]) -> Result<(), CurateError> {
    if images.is_empty() {
        return Err(CurateError::Empty { what: "images" });
    }
    for (image, boxes) in images.iter().enumerate() {
        let corners = boxes.given.iter().map(|given| given.corners);
        let corners = corners.chain(boxes.predicted.iter().map(|predicted| predicted.corners));
        let good = |[left, top, right, bottom]: [f64; 4]| {
            left.is_finite()
                && top.is_finite()
                && (left..f64::INFINITY).contains(&right)
                && (top..f64::INFINITY).contains(&bottom)
        };
        if let Some(place) = corners.enumerate().find(|(_, corners)| !good(*corners)).map(|(place, _)| place)
        {
            return Err(CurateError::BadBox { image, place });
        }
        let confidences: Vec<f64> = boxes.predicted.iter().map(|predicted| predicted.confidence).collect();
        super::check_probabilities(image, &confidences)?;
    }
    Ok(())
}

/// Given boxes against predicted ones, given after given.
struct Likeness {
    columns: usize,
    overlap: Vec<f64>,
    values: Vec<f64>,
}

impl Likeness {
    fn of(image: &JudgedImage) -> Self {
        let pairs = || {
            image
                .given
                .iter()
                .flat_map(|given| image.predicted.iter().map(|found| (given.corners, found.corners)))
        };
        let overlap: Vec<f64> = pairs().map(|(a, b)| overlap(a, b)).collect();
        // By way of `1 - near`, as the peer: what is below rounding is no likeness at all.
        let near = pairs().map(|(a, b)| 1.0 - (1.0 - (-centre_distance(a, b) * FALL_PER_PIXEL).exp()));
        let values = overlap
            .iter()
            .zip(near)
            .map(|(overlap, near)| OVERLAP_SHARE * overlap + (1.0 - OVERLAP_SHARE) * near)
            .collect();
        Self { columns: image.predicted.len(), overlap, values }
    }

    fn at(&self, given: usize, predicted: usize) -> f64 {
        self.values[given * self.columns + predicted]
    }

    fn overlaps(&self, given: usize, predicted: usize) -> bool {
        self.overlap[given * self.columns + predicted] > 0.0
    }
}

/// Intersection over union.
pub(super) fn overlap(a: [f64; 4], b: [f64; 4]) -> f64 {
    let (width, height) = (a[2].min(b[2]) - a[0].max(b[0]), a[3].min(b[3]) - a[1].max(b[1]));
    if width < 0.0 || height < 0.0 {
        return 0.0;
    }
    let area = |corners: [f64; 4]| (corners[2] - corners[0]) * (corners[3] - corners[1]);
    let both = width * height;
    both / (area(a) + area(b) - both).max(SMALLEST_AREA)
}

fn centre_distance(a: [f64; 4], b: [f64; 4]) -> f64 {
    let centre = |c: [f64; 4]| (f64::midpoint(c[0], c[2]), f64::midpoint(c[1], c[3]));
    let ((ax, ay), (bx, by)) = (centre(a), centre(b));
    (ax - bx).hypot(ay - by)
}

fn scores_of(image: &JudgedImage, likeness: &Likeness, least: f64) -> BoxScores {
    let overlooked: Vec<Option<f64>> =
        (0..image.predicted.len()).map(|found| overlooked(image, likeness, least, found)).collect();
    let bad_location: Vec<f64> =
        (0..image.given.len()).map(|given| bad_location(image, likeness, given)).collect();
    let swapped: Vec<f64> =
        (0..image.given.len()).map(|given| swapped(image, likeness, least, given)).collect();
    let said: Vec<f64> = overlooked.iter().filter_map(|score| *score).collect();
    let logs = [&said, &bad_location, &swapped].map(|scores| (TINY + softmin(scores, TEMPERATURE)).ln());
    BoxScores { overlooked, bad_location, swapped, image: (logs.iter().sum::<f64>() / 3.0).exp() }
}

fn overlooked(image: &JudgedImage, likeness: &Likeness, least: f64, found: usize) -> Option<f64> {
    let predicted = image.predicted[found];
    let given = 0..image.given.len();
    if predicted.confidence < SURE || given.clone().any(|given| likeness.overlaps(given, found)) {
        return None;
    }
    let same = given.filter(|given| image.given[*given].class == predicted.class);
    let nearest = same.map(|given| likeness.at(given, found)).fold(f64::NEG_INFINITY, f64::max);
    Some(if nearest.is_finite() { nearest } else { least * (1.0 - predicted.confidence) })
}

fn bad_location(image: &JudgedImage, likeness: &Likeness, given: usize) -> f64 {
    let there = image.predicted.iter().enumerate().filter(|(found, predicted)| {
        predicted.class == image.given[given].class
            && predicted.confidence > PLACES
            && likeness.overlaps(given, *found)
    });
    let best = there.map(|(found, _)| likeness.at(given, found)).fold(f64::NEG_INFINITY, f64::max);
    if best.is_finite() { best } else { 1.0 }
}

fn swapped(image: &JudgedImage, likeness: &Likeness, least: f64, given: usize) -> f64 {
    let label = image.given[given];
    let twice = image
        .given
        .iter()
        .any(|other| other.class != label.class && overlap(label.corners, other.corners) >= SAME_OBJECT);
    if twice {
        return least;
    }
    let others = image.predicted.iter().enumerate();
    let others =
        others.filter(|(_, predicted)| predicted.class != label.class && predicted.confidence > SURE);
    let closest = others.map(|(found, _)| likeness.at(given, found)).fold(f64::NEG_INFINITY, f64::max);
    if closest.is_finite() { least.max(1.0 - closest) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: [f64; 4] = [10.0, 10.0, 60.0, 60.0];
    const THERE: [f64; 4] = [200.0, 200.0, 240.0, 240.0];

    fn found(corners: [f64; 4], class: u32) -> PredictedBox {
        PredictedBox { corners, class, confidence: 0.99 }
    }

    fn image(given: &[GivenBox], predicted: &[PredictedBox]) -> JudgedImage {
        JudgedImage { given: given.to_vec(), predicted: predicted.to_vec() }
    }

    #[test]
    fn each_fault_lowers_its_own_score() {
        let label = GivenBox { corners: HERE, class: 0 };
        let good = image(&[label], &[found(HERE, 0)]);
        let swapped = image(&[label], &[found(HERE, 1)]);
        let overlooked = image(&[label], &[found(HERE, 0), found(THERE, 0)]);
        let moved = image(&[label], &[found([50.0, 50.0, 100.0, 100.0], 0)]);
        let scores = box_scores(&[good, swapped, overlooked, moved]).unwrap();
        assert!(scores[0].image > 0.99);
        assert!(scores[1].swapped[0] < 0.01 && scores[1].bad_location[0] == 1.0);
        assert_eq!(scores[2].overlooked[0], None);
        assert!(scores[2].overlooked[1].unwrap() < 0.01);
        assert!(scores[3].bad_location[0] < 0.2);
        assert!((1..4).all(|place| scores[place].image < 0.8));
    }

    #[test]
    fn images_without_boxes_are_good_and_broken_boxes_are_named() {
        assert_eq!(box_scores(&[JudgedImage::default()]).unwrap()[0].image, 1.0);
        let broken = image(&[GivenBox { corners: [5.0, 0.0, 1.0, 1.0], class: 0 }], &[]);
        assert_eq!(box_scores(&[broken]).unwrap_err(), CurateError::BadBox { image: 0, place: 0 });
        assert_eq!(box_scores(&[]).unwrap_err(), CurateError::Empty { what: "images" });
    }
}
