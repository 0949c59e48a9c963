//! What an inspector says of photos, sounds, videos or series, and where it looked.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use base::depict::Depicted;
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
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

use super::inputs::Question;
use super::predict::Predicted;
use crate::App;
use crate::app::together;
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
///
/// A few at a time, each with a turn of its own from before its picture is drawn until it is told: what lasts, as drawing a video does, is done on
/// threads that may wait, and the threads that all share do nothing but look.
pub(super) async fn all(
    app: &App,
    inspector: &Arc<InspectionPredictor>,
    asked: Vec<Question>,
    heat: bool,
    lang: Lang,
) -> Result<Vec<Predicted>, ApiError> {
    let queue = app.serving.queue(&inspector.bundle().manifest.base.id);
    let (eye, teller) = (inspector.clone(), inspector.clone());
    let draw = move |(mut question, turn): (Question, Turn)| {
        let seen = picture(&eye, question.take_only())?;
        let decoded = seen.and_then(|seen| Ok((eye.eye().decode(&seen.bytes)?, seen.damage)));
        Ok((question, decoded, turn))
    };
    let tell = move |(question, looked, turn): (Question, Result<_, ProblemKind>, Turn)| {
        let told = of_looked(&teller, looked, &question, heat, lang);
        drop(turn);
        told
    };
    let mut told = Vec::with_capacity(asked.len());
    let mut asked = asked.into_iter();
    loop {
        let few: Vec<Question> = asked.by_ref().take(together()).collect();
        if few.is_empty() {
            return Ok(told);
        }
        let turns = app.pictures.clone().acquire_many_owned(few.len() as u32).await;
        let mut turns = turns.map_err(|error| ApiError::internal(&error))?;
        let few = few.into_iter().map(|question| (question, turns.split(1).expect("one for each")));
        let drawn = aside(few.collect(), draw.clone()).await?;
        let (mut looks, mut rest) = (Vec::new(), Vec::new());
        for (question, decoded, turn) in drawn {
            rest.push((
                question,
                match decoded {
                    Ok((decoded, damage)) => {
                        let inspector = inspector.clone();
                        looks.push(move || (inspector.inspect_decoded(decoded), damage, turn));
                        None
                    }
                    Err(problem) => Some((problem, turn)),
                },
            ));
        }
        // Who has been let in is answered to the end.
        let looked = if told.is_empty() { queue.ask(looks).await? } else { queue.ask_in_time(looks).await? };
        let mut looked = looked.into_iter();
        let each = rest.into_iter().map(|(question, problem)| match problem {
            Some((problem, turn)) => (question, Err(problem), turn),
            None => {
                let (looked, damage, turn) = looked.next().expect("each is looked at");
                (question, Ok((looked, damage)), turn)
            }
        });
        told.extend(aside(each.collect(), tell.clone()).await?);
    }
}

/// At one of the pictures that are held.
type Turn = OwnedSemaphorePermit;

/// Does something with each at once, on threads that may wait; the results are in their order.
async fn aside<T: Send + 'static, A: Send + 'static>(
    each: Vec<T>,
    work: impl Fn(T) -> Result<A, ApiError> + Clone + Send + 'static,
) -> Result<Vec<A>, ApiError> {
    let begin = |one| {
        let work = work.clone();
        tokio::task::spawn_blocking(move || work(one))
    };
    let begun: Vec<_> = each.into_iter().map(begin).collect();
    let mut done = Vec::with_capacity(begun.len());
    for one in begun {
        done.push(one.await.map_err(|error| ApiError::internal(&error))??);
    }
    Ok(done)
}

/// The picture that an inspector looks at, or why there is none.
pub(super) type Seen = Result<Depicted, ProblemKind>;

/// What it looks at of an input.
pub(super) fn picture(inspector: &InspectionPredictor, input: Input) -> Result<Seen, ApiError> {
    let drawn = match (input, looks_at(inspector)) {
        (Input::Image(bytes), Modality::Image) => Ok(Depicted { bytes, damage: None }),
        (Input::Sound(bytes), Modality::Sound) => spectrum(inspector, &bytes)?,
        (Input::VideoFile(file), Modality::Video) | (Input::SeriesFile(file), Modality::Series) => {
            inspector.eye().depict(&file)
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

fn of_looked(
    inspector: &InspectionPredictor,
    looked: Result<(Result<Looked, BundleError>, Option<ProblemKind>), ProblemKind>,
    question: &Question,
    heat: bool,
    lang: Lang,
) -> Result<Predicted, ApiError> {
    let name = question.name.clone();
    let (looked, damage) = match looked {
        Ok((looked, damage)) => (unless_its_fault(looked)?, damage),
        Err(problem) => (Err(problem), None),
    };
    Ok(match looked {
        Ok(looked) => told(inspector, name, &looked, damage, heat, lang),
        Err(problem) => {
            let problem = Some(question.told(words::problem_kind(&problem, lang)));
            Predicted { problem, ..Predicted::of(name) }
        }
    })
}

/// What an inspector makes of a picture, or why it cannot look at it.
pub(super) fn look(
    inspector: &InspectionPredictor,
    seen: Seen,
) -> Result<Result<Looked, ProblemKind>, ApiError> {
    seen.map_or_else(|problem| Ok(Err(problem)), |seen| unless_its_fault(inspector.inspect(&seen.bytes)))
}

/// What an inspector saw, or what is wrong with the picture; an error where that is not the picture's fault.
fn unless_its_fault(looked: Result<Looked, BundleError>) -> Result<Result<Looked, ProblemKind>, ApiError> {
    match looked {
        Ok(looked) => Ok(Ok(looked)),
        Err(BundleError::Base(BaseError::Prep(error))) => Ok(Err(error.into())),
        Err(error) => Err(ApiError::internal(&error)),
    }
}

/// The picture of a sound that an inspector looks at. Which sound it is, its first bytes tell; the ending says that it is one.
fn spectrum(inspector: &InspectionPredictor, bytes: &[u8]) -> Result<Result<Depicted, PrepError>, ApiError> {
    let mut file = tempfile::Builder::new().suffix(".wav").tempfile()?;
    file.write_all(bytes)?;
    Ok(inspector.eye().depict(file.path()))
}

fn told(
    inspector: &InspectionPredictor,
    name: String,
    looked: &Looked,
    damage: Option<ProblemKind>,
    heat: bool,
    lang: Lang,
) -> Predicted {
    let problem = pipeline::odd(inspector, looked).or(damage).map(|kind| words::problem_kind(&kind, lang));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_drawn_takes_none_of_the_threads_that_look() {
        let outside = |number: usize| {
            assert_eq!(rayon::current_thread_index(), None, "those are for everybody's questions");
            Ok(number)
        };
        assert_eq!(aside((0..40).collect(), outside).await.expect("done"), (0..40).collect::<Vec<_>>());
        let refuse = |number: usize| if number == 3 { Err(ApiError::not_found()) } else { Ok(number) };
        assert_eq!(aside((0..5).collect(), refuse).await.expect_err("refused").code, "not_found");
    }
}
