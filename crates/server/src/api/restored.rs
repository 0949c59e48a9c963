//! A data set goes back to one of its states.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::history::check;
use super::reading::{Sent, found};
use crate::App;
use crate::db::restoring::{Going, Restoring};
use crate::error::ApiError;
use crate::people::{Caller, Right};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Restoration {
    /// The state to go back to, by its number, as the history tells it; 0 is the empty set.
    seq: i64,
    /// The number of now that was seen: where somebody changed something since, nothing is done (`state_changed`).
    if_seq: Option<i64>,
    /// Only tells what going back would change; nothing is.
    #[serde(default)]
    dry_run: bool,
}

/// What going back changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Restored {
    /// The number of now. Where everything was so already, and of a dry run, it is as before, and the history has no new point.
    seq: i64,
    /// Examples that get another label, also of those that come back.
    n_relabelled: u64,
    /// Examples that get other marks, also of those that come back.
    n_marked: u64,
    /// Examples that came since, and are taken out with their labels and marks.
    n_removed: u64,
    /// Examples that were taken out since, and come back.
    n_returned: u64,
}

/// Goes back to a state: what is there, its labels and its marks become what they were, all or none. Nothing is erased: it is one more point of the history,
/// and going back to the state before takes it back as a whole. Classes keep the names they have now, and those that are needed and were deleted come
/// back. The label book, audits and models stay as they are. While several people are asked about each example it is refused: what each said is theirs.
#[utoipa::path(post, path = "/v1/datasets/{id}/states/restore", tag = "history", request_body = Restoration, responses((status = 200, body = Restored)))]
pub(super) async fn restore(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(Restoration { seq, if_seq, dry_run }): Sent<Restoration>,
) -> Result<Json<Restored>, ApiError> {
    caller.may(Right::Edit)?;
    let of = found(app.db.dataset(&caller.tenant, &id).await?)?;
    check(&of, seq)?;
    let turn = app.history_turn().await?;
    let going = Going { state: seq, seen: if_seq, is_dry_run: dry_run };
    let ended = found(app.db.restore(&caller.tenant, &id, going, &caller.person.id).await?)?;
    drop(turn);
    let restored = match ended {
        Restoring::Restored(restored) => restored,
        Restoring::Changed(now) => return Err(changed(now)),
        Restoring::Several => return Err(several()),
    };
    if !dry_run {
        app.lives.of(&app, &caller.tenant, &id).hear(&app).await;
        app.db.note(&caller.tenant, &caller.person.name, "go back", &format!("{id} {seq}")).await?;
    }
    Ok(Json(Restored {
        seq: restored.seq,
        n_relabelled: restored.n_relabelled,
        n_marked: restored.n_marked,
        n_removed: restored.n_removed,
        n_returned: restored.n_returned,
    }))
}

fn changed(now: i64) -> ApiError {
    let (en, zh) = (
        format!("somebody changed the data meanwhile: they are at state {now}"),
        format!("此间有人更改了数据：现为状态 {now}"),
    );
    ApiError::new(StatusCode::CONFLICT, "state_changed", en, zh)
        .hint("look at what differs now, and go back again", "请查看现在的差异，再次恢复")
}

fn several() -> ApiError {
    let (en, zh) = (
        "several people are asked about each example, and what each of them said stays theirs",
        "每个样本询问多人，各人的回答归各人所有",
    );
    ApiError::conflict(en, zh).hint(
        "ask one person, go back, and ask several again: what they said is kept",
        "请先改为询问一人，恢复后再改回多人：各人的回答会保留",
    )
}
