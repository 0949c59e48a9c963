//! What an inspector says of photos, and where it looked.

use std::io::Cursor;

use base::open::{BaseError, Input};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bundle::BundleError;
use bundle::inspection::{InspectionPredictor, Looked};
use dataset::ProblemKind;
use image::codecs::jpeg::JpegEncoder;
use pipeline::{Lang, heat_picture, words};
use rayon::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::predict::Predicted;
use crate::error::ApiError;

/// Longer side of a heat map that is sent, in pixels.
const LONG_SIDE: u32 = 1280;

/// What was found on one photo.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Inspected {
    pub(super) alarm: bool,
    /// Suspicion; above the threshold it alarms.
    score: f64,
    threshold: f64,
    /// The chance that a good part scores as high, in (0, 1].
    pub(super) p_value: f64,
    /// The kind of defect it is most like; absent where it does not alarm, or too few were shown to tell.
    kind: Option<String>,
    /// Whether it is like none of the kinds that were shown.
    never_seen: bool,
    /// Of the photo, in pixels.
    width: u32,
    height: u32,
    /// What is marked, the most suspicious first.
    regions: Vec<Region>,
    /// The photo in grey with its suspicion over it, as the address of a picture; absent unless asked for.
    overlay: Option<String>,
}

/// A place that is more suspicious than good parts are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Region {
    /// Corners in pixels, clockwise.
    points: Vec<[u32; 2]>,
    /// In pixels.
    area: usize,
    /// The largest suspicion inside.
    peak: f32,
}

/// Inspects photos, in their order; one that cannot be read does not stop the others.
pub(super) fn all(
    inspector: &InspectionPredictor,
    asked: Vec<(String, Input)>,
    heat: bool,
    lang: Lang,
) -> Result<Vec<Predicted>, ApiError> {
    asked.into_par_iter().map(|(name, input)| one(inspector, name, &input, heat, lang)).collect()
}

fn one(
    inspector: &InspectionPredictor,
    name: String,
    input: &Input,
    heat: bool,
    lang: Lang,
) -> Result<Predicted, ApiError> {
    let Input::Image(bytes) = input else {
        let problem = ProblemKind::OtherKind { takes: "pictures".to_owned() };
        return Ok(Predicted { problem: Some(words::problem_kind(&problem, lang)), ..Predicted::of(name) });
    };
    match inspector.inspect(bytes) {
        Ok(looked) => Ok(told(inspector, name, looked, heat, lang)),
        Err(BundleError::Base(BaseError::Prep(error))) => {
            let problem = Some(words::problem_kind(&ProblemKind::from(error), lang));
            Ok(Predicted { problem, ..Predicted::of(name) })
        }
        Err(error) => Err(ApiError::internal(&error)),
    }
}

fn told(inspector: &InspectionPredictor, name: String, looked: Looked, heat: bool, lang: Lang) -> Predicted {
    let bundle = inspector.bundle();
    let overlay = heat.then(|| overlay(&looked, bundle.alarm.mark.threshold() as f32)).flatten();
    let bits = bundle.inspector.sight.depth.bits();
    let problem =
        looked.is_brighter.then(|| words::problem_kind(&ProblemKind::BrighterThanLearned { bits }, lang));
    let (width, height) = looked.photo.dimensions();
    let found = looked.found;
    let kind = found.kind.as_ref().filter(|kind| !kind.never_seen).map(|kind| kind.name.clone());
    let answer = match (found.alarm, &kind) {
        (false, _) => "good",
        (true, Some(kind)) => kind,
        (true, None) => "defect",
    };
    let region = |region: bundle::inspection::MarkedRegion| Region {
        points: region.outline,
        area: region.area_px,
        peak: region.peak,
    };
    Predicted {
        answer: Some(answer.to_owned()),
        inspected: Some(Inspected {
            alarm: found.alarm,
            score: found.score,
            threshold: bundle.alarm.threshold.threshold(),
            p_value: found.p_value,
            never_seen: found.kind.as_ref().is_some_and(|kind| kind.never_seen),
            kind: kind.clone(),
            width,
            height,
            regions: found.regions.into_iter().map(region).collect(),
            overlay,
        }),
        problem,
        ..Predicted::of(name)
    }
}

fn overlay(looked: &Looked, mark: f32) -> Option<String> {
    let picture = image::DynamicImage::ImageRgb8(heat_picture(looked, mark));
    let large = picture.width().max(picture.height()) > LONG_SIDE;
    let picture = if large { picture.thumbnail(LONG_SIDE, LONG_SIDE) } else { picture };
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, 85).encode_image(&picture.to_rgb8()).ok()?;
    Some(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg.into_inner())))
}
