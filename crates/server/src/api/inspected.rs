//! What an inspector says of photos, sounds, videos or series, and where it looked.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use base::open::{BaseError, Input};
use base::prep::PrepError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bundle::BundleError;
use bundle::inspection::{InspectionPredictor, Looked};
use dataset::{Modality, ProblemKind};
use image::codecs::jpeg::JpegEncoder;
use pipeline::{Lang, heat_picture, words};
use rayon::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::inputs::Question;
use super::predict::Predicted;
use crate::App;
use crate::error::ApiError;
use crate::serving::looks_at;

/// Longer side of a heat map that is sent, in pixels.
const LONG_SIDE: u32 = 1280;

/// What was found on one photo, or on the picture of one sound, video or series.
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
    /// Of the photo; of the spectrum: 2 a hundredth of a second, 3 a band; of the picture of a video or a series. In pixels.
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
    /// When that is in a sound or a video: start and end in seconds; absent of anything else.
    seconds: Option<[f64; 2]>,
    /// The largest suspicion inside.
    peak: f32,
}

/// Inspects photos, sounds, videos or series, in their order, on the way through their base that all share; one that cannot be read does not
/// stop the others.
pub(super) async fn all(
    app: &App,
    inspector: &Arc<InspectionPredictor>,
    asked: Vec<Question>,
    heat: bool,
    lang: Lang,
) -> Result<Vec<Predicted>, ApiError> {
    let eye = inspector.clone();
    // Nobody else waits for a video that is long to decode.
    let draw = move |question: Question| Ok((picture(&eye, &question)?, question));
    let drawn: Vec<(Seen, Question)> =
        app.blocking(move || asked.into_par_iter().map(draw).collect::<Result<_, ApiError>>()).await?;
    let each = |(seen, question): (Seen, Question)| {
        let inspector = inspector.clone();
        move || one(&inspector, seen, &question, heat, lang)
    };
    let queue = app.serving.queue(&inspector.bundle().manifest.base.id);
    queue.ask(drawn.into_iter().map(each).collect()).await?.into_iter().collect()
}

/// The picture that an inspector looks at, or why there is none.
type Seen = Result<Vec<u8>, ProblemKind>;

fn picture(inspector: &InspectionPredictor, question: &Question) -> Result<Seen, ApiError> {
    let drawn = match (question.only(), looks_at(inspector)) {
        (Input::Image(bytes), Modality::Image) => Ok(bytes),
        (Input::Sound(bytes), Modality::Sound) => spectrum(inspector, &bytes)?,
        (Input::VideoFile(file), Modality::Video) | (Input::SeriesFile(file), Modality::Series) => {
            inspector.eye().picture(&file)
        }
        (_, takes) => {
            let takes = match takes {
                Modality::Sound => "sounds",
                Modality::Video => "videos",
                Modality::Series => "series",
                _ => "pictures",
            };
            return Ok(Err(ProblemKind::OtherKind { takes: takes.to_owned() }));
        }
    };
    Ok(drawn.map_err(ProblemKind::from))
}

fn one(
    inspector: &InspectionPredictor,
    seen: Seen,
    question: &Question,
    heat: bool,
    lang: Lang,
) -> Result<Predicted, ApiError> {
    let name = question.name.clone();
    let problem = match seen.map(|picture| inspector.inspect(&picture)) {
        Ok(Ok(looked)) => return Ok(told(inspector, name, looked, heat, lang)),
        Ok(Err(BundleError::Base(BaseError::Prep(error)))) => error.into(),
        Ok(Err(error)) => return Err(ApiError::internal(&error)),
        Err(problem) => problem,
    };
    let problem = Some(question.told(words::problem_kind(&problem, lang)));
    Ok(Predicted { problem, ..Predicted::of(name) })
}

/// The picture of a sound that an inspector looks at. Which sound it is, its first bytes tell; the ending says that it is one.
fn spectrum(inspector: &InspectionPredictor, bytes: &[u8]) -> Result<Result<Vec<u8>, PrepError>, ApiError> {
    let mut file = tempfile::Builder::new().suffix(".wav").tempfile()?;
    file.write_all(bytes)?;
    Ok(inspector.eye().picture(file.path()))
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
        seconds: region.seconds,
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
