//! What an inspector says of photos, sounds, videos or series, and where it looked.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use base::open::{BaseError, Input};
use base::prep::PrepError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bundle::BundleError;
use bundle::inspection::{InspectionPredictor, Looked, MarkedRegion};
use dataset::{Modality, ProblemKind};
use evaluate::Sketch;
use image::DynamicImage;
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

/// Beginning of the address of a JPEG that holds all of it.
const JPEG: &str = "data:image/jpeg;base64,";
/// Longer side of a heat map that is sent, in pixels.
const LONG_SIDE: u32 = 1280;

/// What was found on one photo, or on the picture of one sound, video or series.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Inspected {
    pub(super) alarm: bool,
    /// Suspicion; above the threshold it alarms.
    score: f64,
    threshold: f64,
    /// The chance that a good part scores as high, in (0, 1].
    pub(super) p_value: f64,
    /// The kind of defect it is most like; absent where it does not alarm, or too few were shown to tell.
    pub(super) kind: Option<String>,
    /// Whether it is like none of the kinds that were shown.
    never_seen: bool,
    /// Of the photo; of the spectrum: 2 a hundredth of a second, 3 a band; of the picture of a video or a series. In pixels.
    pub(super) width: u32,
    pub(super) height: u32,
    /// What is marked, the most suspicious first.
    pub(super) regions: Vec<Region>,
    /// The photo in grey with its suspicion over it, as the address of a picture; absent unless asked for.
    pub(super) overlay: Option<String>,
}

/// A place that is more suspicious than good parts are.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Region {
    /// Corners in pixels, clockwise.
    pub(super) points: Vec<[u32; 2]>,
    /// In pixels.
    area: usize,
    /// When that is in a sound or a video: start and end in seconds; absent of anything else.
    seconds: Option<[f64; 2]>,
    /// The largest suspicion inside.
    pub(super) peak: f32,
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
    let draw = move |question: Question| Ok((picture(&eye, question.only())?, question));
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
pub(super) type Seen = Result<Vec<u8>, ProblemKind>;

/// What it looks at of an input.
pub(super) fn picture(inspector: &InspectionPredictor, input: Input) -> Result<Seen, ApiError> {
    let drawn = match (input, looks_at(inspector)) {
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
    match look(inspector, seen)? {
        Ok(looked) => Ok(told(inspector, name, &looked, heat, lang)),
        Err(problem) => {
            let problem = Some(question.told(words::problem_kind(&problem, lang)));
            Ok(Predicted { problem, ..Predicted::of(name) })
        }
    }
}

/// What an inspector makes of a picture, or why it cannot look at it.
pub(super) fn look(
    inspector: &InspectionPredictor,
    seen: Seen,
) -> Result<Result<Looked, ProblemKind>, ApiError> {
    match seen.map(|picture| inspector.inspect(&picture)) {
        Ok(Ok(looked)) => Ok(Ok(looked)),
        Ok(Err(BundleError::Base(BaseError::Prep(error)))) => Ok(Err(error.into())),
        Ok(Err(error)) => Err(ApiError::internal(&error)),
        Err(problem) => Ok(Err(problem)),
    }
}

/// The picture of a sound that an inspector looks at. Which sound it is, its first bytes tell; the ending says that it is one.
fn spectrum(inspector: &InspectionPredictor, bytes: &[u8]) -> Result<Result<Vec<u8>, PrepError>, ApiError> {
    let mut file = tempfile::Builder::new().suffix(".wav").tempfile()?;
    file.write_all(bytes)?;
    Ok(inspector.eye().picture(file.path()))
}

fn told(inspector: &InspectionPredictor, name: String, looked: &Looked, heat: bool, lang: Lang) -> Predicted {
    let bits = inspector.bundle().inspector.sight.depth.bits();
    let problem =
        looked.is_brighter.then(|| words::problem_kind(&ProblemKind::BrighterThanLearned { bits }, lang));
    let sketches = vec![(String::new(), Sketch::of(&looked.whole))];
    let overlay = heat.then(|| jpeg(&hot(inspector, looked))).flatten();
    let inspected = Inspected { overlay: overlay.map(|jpeg| address(&jpeg)), ..inspected(inspector, looked) };
    let answer = match (inspected.alarm, &inspected.kind) {
        (false, _) => "good",
        (true, Some(kind)) => kind,
        (true, None) => "defect",
    };
    let (answer, inspected) = (Some(answer.to_owned()), Some(inspected));
    Predicted { answer, inspected, problem, sketches, ..Predicted::of(name) }
}

/// What was found, without a picture of it.
pub(super) fn inspected(inspector: &InspectionPredictor, looked: &Looked) -> Inspected {
    let found = &looked.found;
    let (width, height) = looked.photo.dimensions();
    let region = |region: &MarkedRegion| Region {
        points: region.outline.clone(),
        area: region.area_px,
        seconds: region.seconds,
        peak: region.peak,
    };
    Inspected {
        alarm: found.alarm,
        score: found.score,
        threshold: inspector.bundle().alarm.threshold.threshold(),
        p_value: found.p_value,
        kind: found.kind.as_ref().filter(|kind| !kind.never_seen).map(|kind| kind.name.clone()),
        never_seen: found.kind.as_ref().is_some_and(|kind| kind.never_seen),
        width,
        height,
        regions: found.regions.iter().map(region).collect(),
        overlay: None,
    }
}

/// The photo in grey with its suspicion over it, as large as it is sent.
pub(super) fn hot(inspector: &InspectionPredictor, looked: &Looked) -> DynamicImage {
    let mark = inspector.bundle().alarm.mark.threshold() as f32;
    let picture = DynamicImage::ImageRgb8(heat_picture(looked, mark));
    let large = picture.width().max(picture.height()) > LONG_SIDE;
    if large { picture.thumbnail(LONG_SIDE, LONG_SIDE) } else { picture }
}

/// A picture to be sent; absent for one without pixels.
pub(super) fn jpeg(picture: &DynamicImage) -> Option<Vec<u8>> {
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, 85).encode_image(&picture.to_rgb8()).ok()?;
    Some(jpeg.into_inner())
}

/// The address of a JPEG that holds all of it.
pub(super) fn address(jpeg: &[u8]) -> String {
    format!("{JPEG}{}", STANDARD.encode(jpeg))
}

/// The JPEG that an address holds.
pub(super) fn bytes_of(address: &str) -> Result<Vec<u8>, ApiError> {
    let encoded = address.strip_prefix(JPEG).ok_or_else(|| ApiError::internal(&"no address of a JPEG"))?;
    STANDARD.decode(encoded).map_err(|error| ApiError::internal(&error))
}

#[cfg(test)]
impl Inspected {
    /// A photo on which nothing was found.
    pub(super) fn nothing() -> Self {
        Self {
            alarm: false,
            score: 0.0,
            threshold: 1.0,
            p_value: 1.0,
            kind: None,
            never_seen: false,
            width: 1,
            height: 1,
            regions: Vec::new(),
            overlay: None,
        }
    }
}
