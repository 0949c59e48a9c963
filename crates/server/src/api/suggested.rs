//! What may be marked on an example, for a person to accept or not: regions that an inspector finds on a photo, stretches that a model of
//! pieces hears in a long sound, and in a text the strings that were marked in others. Nothing of it is kept.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use dataset::{Modality, names_good_parts};
use exchange::{MOST_POINTS, Mark, Shape};
use serde::Serialize;
use utoipa::ToSchema;

use super::examples::unveiled;
use super::inspected::Inspected;
use super::listened::{self, Known};
use super::looked;
use super::marks::MarkSchema;
use super::reading::found;
use crate::App;
use crate::db::Tenant;
use crate::db::datasets::DatasetRow;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::gathering;
use crate::marks::{self, AGAIN, KeptMark};
use crate::people::{Caller, Right};
use crate::phrases::Phrases;
use crate::tasks::Task;

/// Suggestions of one example.
const MOST: usize = 500;
/// From this share of a stretch on it is marked already.
const SAME: f64 = 0.5;
/// Marked texts that are read for their strings, those marked last first; where the text or its marks take more bytes, it is left out.
const MOST_READ: i64 = 1000;
const LONGEST_READ: i64 = 32 << 10;

/// What may be marked on an example.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct SuggestedMarks {
    /// The inspector, or the model of pieces, that suggests it; absent in texts, and where nothing suggests anything.
    model: Option<SuggestingModel>,
    /// Of a photo the most suspicious first, of a text or a sound from its beginning; at most 500.
    marks: Vec<SuggestedMark>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuggestingModel {
    id: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuggestedMark {
    /// As it may be kept: with where it came from. On photos outlines, of the defect that the example is labelled with, else of the kind that
    /// the inspector takes it for; without a class where neither is known. In sounds segments, of what the model hears there.
    #[schema(value_type = MarkSchema)]
    mark: KeptMark,
    /// Of a photo: the largest suspicion inside, in units of what good parts show.
    score: Option<f64>,
    /// Of a text: how often the string was marked with this class.
    times: Option<usize>,
    /// Of a sound: how sure the model is, in [0, 1].
    confidence: Option<f64>,
}

/// What may be marked on an example: regions that the inspector of the data set finds on its photo, the deployed one or else the newest; stretches
/// that its model of pieces hears in a sound that is longer; and in a text the strings that were marked before, word for word, each with the class
/// it got most often. Nothing is kept until somebody marks it.
#[utoipa::path(get, path = "/v1/examples/{id}/suggested-marks", tag = "labels", responses((status = 200, body = SuggestedMarks)))]
pub(super) async fn of_example(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<SuggestedMarks>, ApiError> {
    caller.may(Right::Label)?;
    let row = found(app.db.example(&caller.tenant, &id).await?)?;
    let of = found(app.db.dataset(&caller.tenant, &row.dataset).await?)?;
    unveiled(&of, &caller)?;
    let suggested = match gathering::modality(of.modality.as_deref())? {
        Modality::Image => by_inspector(&app, &caller.tenant, &of, row).await?,
        Modality::Sound => by_stretches(&app, &caller, &of, row).await?,
        Modality::Text => by_marks(&app, &caller, &of, row).await?,
        _ => SuggestedMarks::default(),
    };
    Ok(Json(suggested))
}

async fn by_inspector(
    app: &Arc<App>,
    tenant: &Tenant,
    of: &DatasetRow,
    row: ExampleRow,
) -> Result<SuggestedMarks, ApiError> {
    let Some(model) = app.db.inspector_of(tenant, &of.id).await? else {
        return Ok(SuggestedMarks::default());
    };
    // What a person called the defect counts for more than what the inspector would.
    let label = row.label.clone().filter(|label| of.task == Task::Class.name() && !names_good_parts(label));
    let classes = app.db.classes(tenant, &of.id).await?;
    let look = looked::seen(app, &model.id, of, row).await?;
    // A class that was renamed since is not brought back.
    let kind = look.inspected.kind.clone().filter(|kind| classes.iter().any(|(class, _)| class == kind));
    let (class, id) = (label.or(kind), model.id.clone());
    let marks = app.blocking(move || Ok(regions(&look.inspected, class.as_deref(), &id))).await?;
    Ok(SuggestedMarks { model: Some(SuggestingModel { id: model.id, name: model.name }), marks })
}

/// The regions that an inspector marks, as outlines of few corners.
fn regions(inspected: &Inspected, class: Option<&str>, model: &str) -> Vec<SuggestedMark> {
    // An outline follows the edges of pixels, which is finer than the inspector sees.
    let off = (f64::from(inspected.width.max(inspected.height)) / 400.0).max(1.0);
    let regions = inspected.regions.iter().take(MOST).filter_map(|region| {
        let outline: Vec<[f64; 2]> = region.points.iter().map(|point| point.map(f64::from)).collect();
        let points = simplified(&outline, off);
        (3..=MOST_POINTS).contains(&points.len()).then(|| SuggestedMark {
            mark: KeptMark {
                mark: Mark { class: class.map(str::to_owned), shape: Shape::Polygon { points } },
                suggested_by: Some(model.to_owned()),
            },
            score: Some(f64::from(region.peak)),
            times: None,
            confidence: None,
        })
    });
    regions.collect()
}

async fn by_stretches(
    app: &Arc<App>,
    caller: &Caller,
    of: &DatasetRow,
    row: ExampleRow,
) -> Result<SuggestedMarks, ApiError> {
    let tenant = &caller.tenant;
    let classes = app.db.classes(tenant, &of.id).await?;
    let own = already(app, caller, of, &row).await?;
    for model in app.db.answering_models(tenant, &of.id).await? {
        let Some(known) = listened::known(app, &model.id, &row).await? else { continue };
        let open = known.iter().filter(|stretch| covered(stretch.seconds, &own) < SAME).take(MOST);
        // A class that was renamed since is not brought back.
        let is_there = |class: &str| classes.iter().any(|(name, _)| name == class);
        let mark = |Known { seconds: [start, end], class, confidence }: &Known| SuggestedMark {
            mark: KeptMark {
                mark: Mark {
                    class: Some(class.clone()).filter(|class| is_there(class)),
                    shape: Shape::Segment { start: *start, end: *end },
                },
                suggested_by: Some(model.id.clone()),
            },
            score: None,
            times: None,
            confidence: *confidence,
        };
        let marks = open.map(mark).collect();
        let model = SuggestingModel { id: model.id.clone(), name: model.name };
        return Ok(SuggestedMarks { model: Some(model), marks });
    }
    Ok(SuggestedMarks::default())
}

/// How much of a stretch lies under segments, as a share of it.
fn covered([start, end]: [f64; 2], marks: &[Mark]) -> f64 {
    let segment = |mark: &Mark| match mark.shape {
        Shape::Segment { start, end } => Some([start, end]),
        _ => None,
    };
    let mut segments: Vec<[f64; 2]> = marks.iter().filter_map(segment).collect();
    segments.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let (mut under, mut from) = (0.0, start);
    for [begins, ends] in segments {
        from = from.max(begins);
        let to = ends.min(end);
        if to > from {
            (under, from) = (under + to - from, to);
        }
    }
    under / (end - start)
}

/// What is marked already: where each of several people marks by themselves, what others marked is not.
async fn already(
    app: &App,
    caller: &Caller,
    of: &DatasetRow,
    row: &ExampleRow,
) -> Result<Vec<Mark>, ApiError> {
    if of.annotators <= 1 {
        return Ok(marks::of(row.marks.as_deref()));
    }
    let own = app.db.markings_by(&caller.tenant, &caller.person.id, std::slice::from_ref(&row.id)).await?;
    Ok(own.into_values().next().map(|(kept, _)| marks::of(Some(&kept))).unwrap_or_default())
}

async fn by_marks(
    app: &Arc<App>,
    caller: &Caller,
    of: &DatasetRow,
    row: ExampleRow,
) -> Result<SuggestedMarks, ApiError> {
    let tenant = &caller.tenant;
    let own = already(app, caller, of, &row).await?;
    let Some(text) = row.body else { return Ok(SuggestedMarks::default()) };
    // Two at a time hold some 60 MB each at most.
    let _turn = app.phrases_turn().await?;
    let marked = app.db.marked_texts(tenant, &row.dataset, MOST_READ, LONGEST_READ).await?;
    app.blocking(move || {
        let phrases = Phrases::marked(marked.iter().map(|(text, marks)| (text.as_str(), marks.as_str())));
        let is_marked = |start: usize, end: usize| {
            own.iter().any(
                |mark| matches!(mark.shape, Shape::Span { start: from, end: to } if from < end && start < to),
            )
        };
        let found = phrases.find(&text).into_iter().filter(|found| !is_marked(found.start, found.end));
        let marks = found.take(MOST).map(|found| SuggestedMark {
            mark: KeptMark {
                mark: Mark {
                    class: Some(found.class.to_owned()),
                    shape: Shape::Span { start: found.start, end: found.end },
                },
                suggested_by: Some(AGAIN.to_owned()),
            },
            score: None,
            times: Some(found.times),
            confidence: None,
        });
        Ok(SuggestedMarks { model: None, marks: marks.collect() })
    })
    .await
}

/// A closed outline with as few corners as stay within `off` pixels of it (Douglas and Peucker 1973), between the two corners that are
/// farthest apart in the order of reading: the first, and the one farthest from it.
fn simplified(outline: &[[f64; 2]], off: f64) -> Vec<[f64; 2]> {
    let Some(first) = outline.first() else { return Vec::new() };
    let distance = |point: &[f64; 2]| (point[0] - first[0]).hypot(point[1] - first[1]);
    let far = |(_, a): &(usize, &[f64; 2]), (_, b): &(usize, &[f64; 2])| distance(a).total_cmp(&distance(b));
    let middle = outline.iter().enumerate().max_by(far).map_or(0, |(place, _)| place);
    let closed: Vec<[f64; 2]> = outline.iter().chain([first]).copied().collect();
    let mut kept = vec![false; closed.len()];
    (kept[0], kept[middle]) = (true, true);
    let mut stretches = vec![(0, middle), (middle, closed.len() - 1)];
    while let Some((from, to)) = stretches.pop() {
        let gap = |place: &usize| from_line(closed[*place], closed[from], closed[to]);
        let farthest = (from + 1..to).max_by(|a, b| gap(a).total_cmp(&gap(b)).then(b.cmp(a)));
        if let Some(place) = farthest.filter(|place| gap(place) > off) {
            kept[place] = true;
            stretches.extend([(from, place), (place, to)]);
        }
    }
    outline.iter().zip(kept).filter(|(_, kept)| *kept).map(|(point, _)| *point).collect()
}

/// How far a point is from the line between two others, or from both where they are one.
fn from_line(point: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let squared = dx * dx + dy * dy;
    let along =
        if squared == 0.0 { 0.0 } else { ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / squared };
    let along = along.clamp(0.0, 1.0);
    (point[0] - a[0] - along * dx).hypot(point[1] - a[1] - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_marked_as_far_as_segments_lie_over_it() {
        let segment = |start: f64, end: f64| Mark { class: None, shape: Shape::Segment { start, end } };
        let marks = [segment(5.0, 9.0), segment(0.0, 3.0), segment(2.5, 3.5)];
        assert_eq!(covered([2.0, 6.0], &marks), 2.5 / 4.0);
        assert_eq!((covered([3.5, 5.0], &marks), covered([0.0, 2.0], &marks)), (0.0, 1.0));
    }

    #[test]
    fn an_outline_keeps_its_corners_and_loses_its_stairs() {
        // A right triangle of 100 pixels whose long side is a stair of pixels.
        let mut stairs = vec![[0.0, 0.0], [0.0, 100.0]];
        for step in (0..100).rev() {
            let (x, y) = (f64::from(100 - step), f64::from(step));
            stairs.extend([[x - 1.0, y], [x, y]]);
        }
        let simple = simplified(&stairs, 1.0);
        assert!(simple.len() <= 4, "{simple:?}");
        for point in &stairs {
            let around = simple.iter().zip(simple.iter().cycle().skip(1));
            let nearest = around.map(|(a, b)| from_line(*point, *a, *b)).fold(f64::INFINITY, f64::min);
            assert!(nearest <= 1.0, "{point:?} is {nearest} off {simple:?}");
        }
        let square = [[3.0, 3.0], [9.0, 3.0], [9.0, 9.0], [3.0, 9.0]];
        assert_eq!(simplified(&square, 1.0), square);
        assert_eq!(simplified(&[], 1.0), [[0.0; 2]; 0]);
        assert!(simplified(&[[1.0, 1.0]; 3], 1.0).len() < 3, "what has no size is no region");
    }
}
