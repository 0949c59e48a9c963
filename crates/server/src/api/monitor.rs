//! How a deployment does: how much it is asked, how fast it answers, whether something changed, and how another model compares.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::models::{Confusion, kept};
use super::reading::{Asked, found};
use crate::App;
use crate::clock::{now, written};
use crate::error::ApiError;
use crate::monitoring::{self, Day};
use crate::people::{Caller, Right};

/// Days that are shown unless asked otherwise.
const USUAL_DAYS: u32 = 30;
const MOST_DAYS: u32 = 400;
/// Days whose answers are compared with those that were expected.
const RECENT: u32 = 7;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// At most 400; 30 when absent.
    days: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Monitor {
    /// The oldest first; days on which nothing was asked are left out.
    days: Vec<Counts>,
    drift: Drift,
    /// Absent where the model does not say what it expects, as inspectors and models from elsewhere.
    mix: Option<Mix>,
    shadow: Option<Shadow>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Counts {
    /// `2026-11-26`, in universal time.
    day: String,
    n_requests: u64,
    /// Of inputs, the most frequent first.
    answers: Vec<AnswerCount>,
    /// Inputs that a person should look at.
    n_doubtful: u64,
    /// In milliseconds, to a fifth.
    latency_ms_p50: Option<f64>,
    latency_ms_p95: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AnswerCount {
    answer: String,
    count: u64,
}

/// Whether inputs are still like those that came before, by how familiar they are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Drift {
    /// Inputs that were looked at since the model began to answer here, or a change was accepted.
    n: u64,
    /// Against "nothing changed": 1 is none, 200 is said of one in two hundred that never change, ever.
    evidence: f64,
    /// When there was evidence enough; absent while there is none.
    changed_at: Option<String>,
    /// The same of how the base sees inputs, a hundred at a time beside those before.
    seen: Seen,
}

/// Whether the base sees other inputs than before.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Seen {
    /// Of several senses, of the one that came most often.
    n: u64,
    /// Of several senses the most, divided by how many there are.
    evidence: f64,
    changed_at: Option<String>,
    /// Of each of several senses.
    senses: Vec<SeenSense>,
}

/// Whether the base of one of several senses sees other inputs than before.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SeenSense {
    sense: String,
    n: u64,
    /// Divided by how many senses there are.
    evidence: f64,
    changed: bool,
}

/// The answers of this model in the last seven days beside those that were given out of fold when the model was made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Mix {
    classes: Vec<String>,
    expected: Vec<u64>,
    observed: Vec<u64>,
    /// The chance of such a difference when nothing changed; absent with too few answers.
    p_value: Option<f64>,
}

/// A model that is asked as well and never answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Shadow {
    model: String,
    /// Inputs on which both were asked, over the days that are shown.
    n: u64,
    /// With the same answer.
    same: u64,
}

/// Shows how a deployment does.
#[utoipa::path(get, path = "/v1/deployments/{name}/monitor", tag = "deployments", params(Since), responses((status = 200, body = Monitor)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Asked(Since { days }): Asked<Since>,
) -> Result<Json<Monitor>, ApiError> {
    caller.may(Right::Look)?;
    let deployment = found(app.db.deployment(&caller.tenant, &name).await?)?;
    let model = found(app.db.model(&caller.tenant, &deployment.model).await?)?;
    let days = days_of(&app, &caller, &name, days.unwrap_or(USUAL_DAYS).min(MOST_DAYS)).await?;
    let drifts = app.db.drifts(&caller.tenant, &name, &model.id).await?;
    let drift = Drift {
        n: drifts.iter().map(|drift| drift.test.n()).sum(),
        evidence: drifts.iter().map(|drift| drift.test.evidence()).fold(1.0, f64::max),
        changed_at: drifts.iter().filter_map(|drift| drift.changed_at).min().map(written),
        seen: seen(&drifts),
    };
    let confusion = kept(&model)?.errors.confusion;
    let shadow = deployment.shadow.map(|shadow| {
        let compared = days.iter().filter_map(|(_, day)| day.compared.get(&shadow));
        let (n, same) = compared.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        Shadow { model: shadow, n, same }
    });
    let mix = (!confusion.counts.is_empty()).then(|| mix(confusion, &model.id, &days));
    Ok(Json(Monitor { drift, mix, shadow, days: days.into_iter().map(counts).collect() }))
}

/// How the bases of all servers saw inputs.
fn seen(drifts: &[monitoring::Drift]) -> Seen {
    let names: BTreeSet<&String> = drifts.iter().flat_map(|drift| drift.shifts.keys()).collect();
    let share = names.len().max(1) as f64;
    let sense = |sense: &&String| {
        let shifts = || drifts.iter().filter_map(|drift| Some((drift.shifts.get(*sense)?, drift.level())));
        SeenSense {
            sense: (*sense).clone(),
            n: shifts().map(|(shift, _)| shift.n()).sum(),
            evidence: shifts().map(|(shift, _)| shift.evidence() / share).fold(1.0, f64::max),
            changed: shifts().any(|(shift, level)| shift.has_changed(level)),
        }
    };
    let senses: Vec<SeenSense> = names.iter().map(sense).collect();
    Seen {
        n: senses.iter().map(|sense| sense.n).max().unwrap_or(0),
        evidence: senses.iter().map(|sense| sense.evidence).reduce(f64::max).unwrap_or(1.0),
        changed_at: drifts.iter().filter_map(|drift| drift.shifted_at).min().map(written),
        senses: if senses.len() > 1 { senses } else { Vec::new() },
    }
}

/// Says that what is asked about now is what is usual: the watch for changes begins anew.
#[utoipa::path(delete, path = "/v1/deployments/{name}/drift", tag = "deployments", responses((status = 204)))]
pub(super) async fn accept_change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Edit)?;
    let since = found(app.db.accept_change(&caller.tenant, &name).await?)?;
    app.monitoring.watch_anew(&caller.tenant, &name, since);
    app.db.note(&caller.tenant, &caller.person.name, "accept change", &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was counted in the last days.
pub(super) async fn days_of(
    app: &App,
    caller: &Caller,
    name: &str,
    days: u32,
) -> Result<Vec<(String, Day)>, ApiError> {
    app.monitoring.write_down(app).await?;
    Ok(app.db.monitor(&caller.tenant, name, &day_before(days.max(1) - 1)).await?)
}

/// `2026-11-26`, so many days ago.
fn day_before(days: u32) -> String {
    let ago = Duration::from_secs(86_400 * u64::from(days));
    written(now() - i64::try_from(ago.as_millis()).unwrap_or(0))[..10].to_owned()
}

fn counts((day, counts): (String, Day)) -> Counts {
    let mut answers: Vec<AnswerCount> = counts
        .all_answers()
        .into_iter()
        .map(|(answer, count)| AnswerCount { answer: answer.to_owned(), count })
        .collect();
    answers.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.answer.cmp(&b.answer)));
    Counts {
        day,
        n_requests: counts.n_requests,
        answers,
        n_doubtful: counts.n_doubtful,
        latency_ms_p50: counts.time(0.5),
        latency_ms_p95: counts.time(0.95),
    }
}

/// `confusion` has given classes by row and predicted ones by column.
fn mix(Confusion { classes, counts }: Confusion, model: &str, days: &[(String, Day)]) -> Mix {
    let expected: Vec<u64> =
        (0..classes.len()).map(|class| counts.iter().map(|row| row[class]).sum()).collect();
    let since = day_before(RECENT - 1);
    let recent = days.iter().filter(|(day, _)| *day >= since).filter_map(|(_, day)| day.answers.get(model));
    let recent: Vec<_> = recent.collect();
    let count = |class: &String| recent.iter().filter_map(|answers| answers.get(class)).sum();
    let observed: Vec<u64> = classes.iter().map(count).collect();
    Mix { p_value: evaluate::mix_p_value(&expected, &observed), classes, expected, observed }
}
