//! What advice promised, and what it brought once it was followed and a model was tuned.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::compare::{OnTheSame, on_the_same};
use super::examples::unveiled;
use super::reading::found;
use super::worklist::Gain;
use crate::App;
use crate::answering::lang_of;
use crate::clock::written;
use crate::db::milestones::{Decided, Milestone, MilestoneRow};
use crate::db::models::ModelRow;
use crate::error::ApiError;
use crate::people::{Caller, Right};
use crate::worklists::{KeptAdvice, Worklist};

/// Audits that are told: for each, what two models said is read.
const MOST: usize = 20;

/// Audits whose advice somebody followed, the newest first, at most twenty.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gains {
    audits: Vec<Followed>,
}

/// What came of one audit.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Followed {
    audited_at: String,
    /// The state of the data that was looked through.
    seq: i64,
    /// That somebody followed, with what it promised.
    advice: Vec<Promised>,
    /// Labels and examples that were changed in deciding.
    n_changed: i64,
    /// The last model from before the decisions; absent where there is none.
    before: Option<Tuned>,
    /// The first model with all of them; absent while there is none.
    after: Option<Tuned>,
    /// Changes between the two models that were no decisions: what they did cannot be told from what the decisions did.
    n_other: i64,
    /// On the same examples, without those that were changed themselves; absent where there are none.
    realised: Option<OnTheSame>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Promised {
    sentence: String,
    /// With how many examples.
    n: usize,
    /// Findings of this kind that were decided: with another label, out, or kept as they were.
    n_decided: usize,
    n_kept: usize,
    /// What was expected of all of it.
    gain: Gain,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tuned {
    id: String,
    name: String,
    seq: i64,
}

/// What was promised and what came of it, for each audit whose advice somebody followed.
#[utoipa::path(get, path = "/v1/datasets/{id}/gains", tag = "worklist", responses((status = 200, body = Gains)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Gains>, ApiError> {
    caller.may(Right::Look)?;
    let dataset = found(app.db.dataset(&caller.tenant, &id).await?)?;
    unveiled(&dataset, &caller)?;
    let _turn = app.history_turn().await?;
    let lang = lang_of(&headers);
    let mut models = app.db.models(&caller.tenant, Some(&id)).await?;
    models.sort_by_key(|model| (model.seq, model.created_at));
    let rows = app.db.milestones_of(&caller.tenant, &id, "audit").await?;
    let mut audits = Vec::new();
    for (place, row) in rows.iter().enumerate().rev() {
        if audits.len() == MOST {
            break;
        }
        let next = rows.get(place + 1);
        let (advice, decided) = advised(&app, &caller, &id, row, next.is_none()).await?;
        let end = next.map_or(dataset.seq, |next| next.seq);
        let acts = app.db.decided_between(&caller.tenant, &id, row.seq, end).await?;
        if decided.is_empty() && acts.n == 0 {
            continue;
        }
        let (before, after) = around(&models, row.seq, acts.first.zip(acts.last));
        let realised = match (before, after) {
            (Some(before), Some(after)) => on_the_same(&app, &caller.tenant, before, after).await?,
            _ => None,
        };
        let span = before.and_then(|model| model.seq).zip(after.and_then(|model| model.seq));
        let n_other = match span {
            Some((from, to)) => app.db.others_between(&caller.tenant, &id, from, to).await?,
            None => 0,
        };
        let followed = advice.iter().filter_map(|advice| promised(advice, &decided, lang));
        audits.push(Followed {
            audited_at: written(row.at),
            seq: row.seq,
            advice: followed.collect(),
            n_changed: acts.n,
            before: before.and_then(tuned),
            after: after.and_then(tuned),
            n_other,
            realised,
        });
    }
    Ok(Json(Gains { audits }))
}

/// What an audit advised, and what was decided about it: written down with it when another took its place, counted now while none did.
async fn advised(
    app: &App,
    caller: &Caller,
    dataset: &str,
    row: &MilestoneRow,
    is_last: bool,
) -> Result<(Vec<KeptAdvice>, Decided), ApiError> {
    let internal = |error: serde_json::Error| ApiError::internal(&error);
    let Milestone::Audit { advice, decided, .. } = serde_json::from_str(&row.body).map_err(internal)? else {
        return Ok((Vec::new(), Decided::new()));
    };
    let Some(audit) = app.db.audit(&caller.tenant, dataset).await?.filter(|_| is_last) else {
        return Ok((advice, decided));
    };
    let worklist: Worklist = serde_json::from_str(&audit.body).map_err(internal)?;
    Ok((advice, worklist.decided(&app.db.decisions(&caller.tenant, dataset).await?)))
}

/// The last model without any of the decisions, and the first with all of them; `models` are in the order of their data.
fn around(
    models: &[ModelRow],
    audited: i64,
    decided: Option<(i64, i64)>,
) -> (Option<&ModelRow>, Option<&ModelRow>) {
    let (first, last) = decided.unwrap_or((audited + 1, audited + 1));
    let before = models.iter().rev().find(|model| model.seq.is_some_and(|seq| seq < first));
    let after = models.iter().find(|model| model.seq.is_some_and(|seq| seq >= last));
    (before, after)
}

fn promised(advice: &KeptAdvice, decided: &Decided, lang: pipeline::Lang) -> Option<Promised> {
    let counts = decided.get(advice.action.as_str()?)?;
    let [value, low, high] = advice.gain;
    Some(Promised {
        sentence: advice.sentence.pick(lang),
        n: advice.n,
        n_decided: counts.values().sum(),
        n_kept: counts.get("kept").copied().unwrap_or(0),
        gain: Gain { value, low, high },
    })
}

fn tuned(model: &ModelRow) -> Option<Tuned> {
    Some(Tuned { id: model.id.clone(), name: model.name.clone(), seq: model.seq? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str, seq: i64) -> ModelRow {
        let (dataset, body) = (String::new(), String::new());
        ModelRow {
            id: id.to_owned(),
            dataset,
            name: String::new(),
            body,
            bytes: None,
            created_at: 0,
            seq: Some(seq),
        }
    }

    #[track_caller]
    fn check(decided: Option<(i64, i64)>, before: Option<&str>, after: Option<&str>) {
        let models = [model("a", 10), model("b", 14), model("c", 20), model("d", 30)];
        let (found_before, found_after) = around(&models, 12, decided);
        assert_eq!(found_before.map(|model| model.id.as_str()), before);
        assert_eq!(found_after.map(|model| model.id.as_str()), after);
    }

    #[test]
    fn a_gain_lies_between_the_models_around_the_decisions() {
        check(Some((13, 19)), Some("a"), Some("c"));
        check(Some((15, 25)), Some("b"), Some("d"));
        check(Some((15, 40)), Some("b"), None);
        check(Some((5, 10)), None, Some("a"));
        check(None, Some("a"), Some("b"));
    }
}
