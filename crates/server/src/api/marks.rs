//! Marks: boxes, outlines and brush strokes on pictures, spans of texts, segments of sounds.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::examples::{UNSEEN, hides_marks, is_veiled};
use super::reading::{Sent, found, name_of};
use crate::App;
use crate::db::labels::{Act, Said, What};
use crate::db::marking::Marking;
use crate::error::ApiError;
use crate::marks::KeptMark;
use crate::people::{Caller, Right};
use crate::{gathering, marks};

/// Everything that is marked on an example.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Marked {
    #[schema(value_type = Vec<MarkSchema>)]
    marks: Vec<KeptMark>,
    /// How long the person worked on them.
    milliseconds: Option<i64>,
    /// The `marks_event` of the example whose marks these replace, or where several people mark the event of `own_marks`: where somebody changed them since,
    /// nothing happens. Absent: whichever there are.
    seen: Option<i64>,
}

/// What marking did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Kept {
    /// The number of the event that changed the marks last: what is `seen` from now on.
    event: i64,
    /// Examples of the data set with a mark.
    n_marked: i64,
}

/// A place on an example.
#[derive(ToSchema)]
#[schema(as = Mark)]
#[allow(dead_code, reason = "describes `KeptMark`, whose mark knows nothing of HTTP")]
pub(super) struct MarkSchema {
    /// What is there; a name that is new makes a class.
    class: Option<String>,
    /// `box`, `polygon` or `brush` on pictures, `span` on texts, `segment` on sounds.
    #[schema(value_type = String, example = "box")]
    shape: &'static str,
    /// Of a box, in pixels from the left.
    x: Option<f64>,
    /// Of a box, in pixels from the top.
    y: Option<f64>,
    /// Of a box; of the picture for a brush; in pixels.
    width: Option<f64>,
    /// Of a box; of the picture for a brush; in pixels.
    height: Option<f64>,
    /// Of a polygon: three corners or more, in pixels.
    points: Option<Vec<[f64; 2]>>,
    /// Of a brush: lengths of runs over the rows of the picture, one that is not marked first.
    runs: Option<Vec<u32>>,
    /// Of a span, in characters; of a segment, in seconds.
    start: Option<f64>,
    /// Behind the last character, or in seconds.
    end: Option<f64>,
    /// Of one that was suggested and accepted: the id of the model that suggested it, or `marks` where it is a string that was marked before.
    /// Absent where a person drew it, or it came with the data.
    suggested_by: Option<String>,
}

/// Puts these marks in place of those that an example has; an empty list takes them away. Where several people are asked about each example, they are who
/// asks's own, in place of their own, and an empty list says that nothing is there to be marked: which marks hold is decided.
#[utoipa::path(put, path = "/v1/examples/{id}/marks", tag = "labels", request_body = Marked, responses((status = 200, body = Kept), (status = 409, body = crate::error::ErrorBody)))]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(mut marked): Sent<Marked>,
) -> Result<Json<Kept>, ApiError> {
    caller.may(Right::Label)?;
    let row = found(app.db.example(&caller.tenant, &id).await?)?;
    let dataset = found(app.db.dataset(&caller.tenant, &row.dataset).await?)?;
    for KeptMark { mark, .. } in &mut marked.marks {
        mark.class = mark.class.as_deref().map(name_of).transpose()?;
    }
    let kept = marks::keep(&marked.marks, gathering::modality(dataset.modality.as_deref())?)?;
    let classes = kept.as_deref().map(marks::classes).unwrap_or_default();
    let said = Said {
        example: &id,
        what: What::Marks,
        after: kept.as_deref(),
        classes: classes.iter().map(String::as_str).collect(),
        person: &caller.person.id,
        milliseconds: marked.milliseconds.filter(|spent| *spent >= 0),
        drawn: false,
        act: Act::Give,
    };
    // Who does not see the marks of others does not replace them either, where they are one list for all.
    let one_list = dataset.annotators == 1;
    let unseen = one_list && is_veiled(&dataset, &caller) && hides_marks(&row, &caller.person.id);
    let seen = if unseen { Some(UNSEEN) } else { marked.seen };
    let event = match app.db.mark(&caller.tenant, &row.dataset, &said, seen).await? {
        Marking::Kept(event) => event,
        Marking::Changed => {
            let (en, zh) = ("somebody else changed the marks meanwhile", "此间他人已更改这些标记");
            return Err(ApiError::new(StatusCode::CONFLICT, "marks_changed", en, zh)
                .hint("load the example anew", "请重新载入该样本"));
        }
        Marking::Missing => return Err(ApiError::not_found()),
    };
    let n_marked = found(app.db.dataset(&caller.tenant, &row.dataset).await?)?.n_marked;
    Ok(Json(Kept { event, n_marked }))
}
