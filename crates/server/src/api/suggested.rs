//! What may be marked on an example, for a person to accept or not: regions that an inspector finds on a photo, and in a text the strings that
//! were marked in others. Nothing of it is kept.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use dataset::{Modality, names_good_parts};
use exchange::{MOST_POINTS, Mark, Shape};
use serde::Serialize;
use utoipa::ToSchema;

use super::examples::unveiled;
use super::inspected::Inspected;
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
/// Marked texts that are read for their strings, those marked last first; where the text or its marks take more bytes, it is left out.
const MOST_READ: i64 = 1000;
const LONGEST_READ: i64 = 32 << 10;

/// What may be marked on an example.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct SuggestedMarks {
    /// The inspector that suggests it; absent in texts, and where nothing suggests anything.
    model: Option<SuggestingModel>,
    /// Of a photo the most suspicious first, of a text from its beginning; at most 500.
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
    /// the inspector takes it for; without a class where neither is known.
    #[schema(value_type = MarkSchema)]
    mark: KeptMark,
    /// Of a photo: the largest suspicion inside, in units of what good parts show.
    score: Option<f64>,
    /// Of a text: how often the string was marked with this class.
    times: Option<usize>,
}

/// What may be marked on an example: regions that the inspector of the data set finds on its photo, the deployed one or else the newest, and
/// in a text the strings that were marked before, word for word, each with the class it got most often. Nothing is kept until somebody marks it.
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
        Modality::Text => by_marks(&app, &caller, of.annotators > 1, row).await?,
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
        })
    });
    regions.collect()
}

async fn by_marks(
    app: &Arc<App>,
    caller: &Caller,
    several: bool,
    row: ExampleRow,
) -> Result<SuggestedMarks, ApiError> {
    let Some(text) = row.body else { return Ok(SuggestedMarks::default()) };
    let tenant = &caller.tenant;
    // Where each of several people marks by themselves, what others marked is not marked yet.
    let kept = if several {
        let own = app.db.markings_by(tenant, &caller.person.id, std::slice::from_ref(&row.id)).await?;
        own.into_values().next().map(|(marks, _)| marks)
    } else {
        row.marks
    };
    // Two at a time hold some 60 MB each at most.
    let _turn = app.phrases_turn().await?;
    let marked = app.db.marked_texts(tenant, &row.dataset, MOST_READ, LONGEST_READ).await?;
    let own = marks::of(kept.as_deref());
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
