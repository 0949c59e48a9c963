//! What a data set was, and what changed between two of its states.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::examples::{names, unveiled};
use super::reading::{Asked, Sent, found, name_of, was_there};
use super::renames::Renames;
use crate::App;
use crate::clock::written;
use crate::db::datasets::DatasetRow;
use crate::db::diffs::{GroupRow, Labels, Span};
use crate::db::milestones::{Milestone, MilestoneRow};
use crate::error::ApiError;
use crate::people::{Caller, Right};
use crate::tasks::Task;

/// Ways to differ that are told one by one; the others are counted.
const MOST_GROUPS: usize = 200;
/// Examples of a page.
const USUAL: i64 = 100;
const MOST: i64 = 500;

/// States that mean something, the newest first; the first is the state of now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct History {
    points: Vec<Point>,
}

/// A state of the data, with what happened at it, and who changed what since the one before.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Point {
    /// Counts the changes of the data set: equal numbers are equal data.
    seq: i64,
    /// The state before; 0 is the empty set.
    since: i64,
    /// The last that happened, first.
    events: Vec<Happened>,
    /// Examples that came.
    came: i64,
    changes: Vec<Did>,
}

/// Something that happened at a state.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Happened {
    id: String,
    /// `import`, `tune`, `audit`, `rename`, `name`, `restore`, or `left` where the data were when they went back.
    kind: &'static str,
    at: String,
    by: Option<String>,
    /// Of a named state: its name; of a tuned one: the model's.
    name: Option<String>,
    /// The id of the model that was made.
    model: Option<String>,
    /// Examples that came.
    n_examples: Option<usize>,
    /// That an audit found.
    n_findings: Option<usize>,
    /// The class that got another name, and which.
    from: Option<String>,
    to: Option<String>,
    /// The number of the state that the data went back to.
    state: Option<i64>,
}

/// How often somebody did something.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Did {
    by: Option<String>,
    /// `label`, `marks`, `marking`, those of one of several people, or `presence`.
    what: String,
    /// `give`, `decide` about a finding, `settle` a dispute, `undo`, `rename`, `restore` as it was at a state, `remove` or `return`.
    act: String,
    n: i64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewStateName {
    name: String,
    /// The state; that of now when absent.
    seq: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StateName {
    id: String,
}

#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Between {
    /// A state by its number; 0 is the empty set.
    from: i64,
    /// Another, before or after it.
    to: i64,
}

/// What differs between two states.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Diff {
    before: StateCounts,
    after: StateCounts,
    added: i64,
    removed: i64,
    /// Without those whose class only got another name.
    relabelled: i64,
    /// With other marks.
    marked: i64,
    /// Classes that are called otherwise.
    renamed: Vec<Renamed>,
    /// The most frequent first.
    groups: Vec<DiffGroup>,
    /// Ways to differ that are not among the groups, with how many examples in all.
    more_groups: usize,
    more_examples: i64,
}

/// Of one state.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StateCounts {
    seq: i64,
    n_examples: i64,
    n_labelled: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Renamed {
    from: String,
    to: String,
}

/// Examples that changed in the same way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DiffGroup {
    /// `added`, `removed`, `relabelled` or `marked`.
    kind: String,
    /// Asks for its examples.
    key: String,
    /// Absent without a label.
    before: Option<String>,
    after: Option<String>,
    n: i64,
    /// Whether the class only got another name.
    renamed: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    from: i64,
    to: i64,
    /// `added`, `removed`, `relabelled` or `marked`.
    kind: String,
    /// Of a group; all of the kind when absent.
    key: Option<String>,
    #[serde(default)]
    offset: i64,
    /// At most 500; 100 when absent.
    limit: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Different {
    examples: Vec<DifferentExample>,
}

/// An example that changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DifferentExample {
    id: String,
    name: String,
    text: Option<String>,
    /// Absent without a label.
    before: Option<String>,
    after: Option<String>,
}

/// The states of a data set that mean something, with who changed how much between them.
#[utoipa::path(get, path = "/v1/datasets/{id}/history", tag = "history", responses((status = 200, body = History)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<History>, ApiError> {
    let of = seen(&app, &caller, &id).await?;
    let _turn = app.history_turn().await?;
    let names = names(&app, &caller.tenant).await?;
    let called = |person: Option<String>| person.and_then(|person| names.get(&person).cloned());
    let mut came = app.db.arrivals(&caller.tenant, &id).await?;
    let mut changes: HashMap<i64, Vec<Did>> = HashMap::new();
    for row in app.db.changes(&caller.tenant, &id).await? {
        let change = Did { by: called(row.person), what: row.what, act: row.act, n: row.n };
        changes.entry(row.seq).or_default().push(change);
    }
    let mut points = vec![Point { seq: of.seq, since: 0, events: Vec::new(), came: 0, changes: Vec::new() }];
    for row in app.db.milestones(&caller.tenant, &id).await? {
        if points.last().is_some_and(|point| point.seq != row.seq) {
            points.push(Point { seq: row.seq, since: 0, events: Vec::new(), came: 0, changes: Vec::new() });
        }
        let by = called(row.person.clone());
        if let Some(point) = points.last_mut() {
            point.events.push(happened(row, by)?);
        }
    }
    for place in 0..points.len() {
        let since = points.get(place + 1).map_or(0, |before| before.seq);
        let point = &mut points[place];
        point.since = since;
        point.came = came.remove(&point.seq).unwrap_or(0);
        point.changes = changes.remove(&point.seq).unwrap_or_default();
        point.changes.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| (&a.by, &a.act).cmp(&(&b.by, &b.act))));
    }
    Ok(Json(History { points }))
}

/// Gives a state a name.
#[utoipa::path(post, path = "/v1/datasets/{id}/states", tag = "history", request_body = NewStateName, responses((status = 200, body = StateName)))]
pub(super) async fn name(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(new): Sent<NewStateName>,
) -> Result<Json<StateName>, ApiError> {
    caller.may(Right::Label)?;
    let of = seen(&app, &caller, &id).await?;
    let name = name_of(&new.name)?;
    if let Some(seq) = new.seq {
        check(&of, seq)?;
    }
    let named = app.db.name_state(&caller.tenant, &id, new.seq, (&name, &caller.person.id)).await?;
    Ok(Json(StateName { id: found(named)? }))
}

/// Takes a name away that somebody gave a state; the state stays.
#[utoipa::path(delete, path = "/v1/datasets/{id}/states/{state}", tag = "history", responses((status = 204)))]
pub(super) async fn forget(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, state)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Label)?;
    seen(&app, &caller, &id).await?;
    was_there(app.db.forget_name(&caller.tenant, &id, &state).await?)
}

/// What differs between two states.
#[utoipa::path(get, path = "/v1/datasets/{id}/diff", tag = "history", params(Between), responses((status = 200, body = Diff)))]
pub(super) async fn diff(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(Between { from, to }): Asked<Between>,
) -> Result<Json<Diff>, ApiError> {
    let of = seen(&app, &caller, &id).await?;
    let _turn = app.history_turn().await?;
    check(&of, from)?;
    check(&of, to)?;
    let task = Task::named(&of.task)?;
    let rows = app.db.milestones_of(&caller.tenant, &id, "rename").await?;
    let renames = Renames::between(&rows, from, to);
    let (before, after) = (counts(&app, &caller, &id, from).await?, counts(&app, &caller, &id, to).await?);
    let mut diff = Diff {
        before,
        after,
        added: 0,
        removed: 0,
        relabelled: 0,
        marked: 0,
        renamed: renames.net().map(|names| Renamed::on_the_way(names, from, to)).collect(),
        groups: Vec::new(),
        more_groups: 0,
        more_examples: 0,
    };
    let between = (Span { from, to }, renames.pairs());
    app.db.differences(&caller.tenant, &id, between, |row| diff.take(row, task, &renames)).await?;
    Ok(Json(diff))
}

/// Examples that differ between two states, with their labels before and after.
#[utoipa::path(get, path = "/v1/datasets/{id}/diff/examples", tag = "history", params(Which), responses((status = 200, body = Different)))]
pub(super) async fn examples(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(which): Asked<Which>,
) -> Result<Json<Different>, ApiError> {
    let of = seen(&app, &caller, &id).await?;
    let _turn = app.history_turn().await?;
    check(&of, which.from)?;
    check(&of, which.to)?;
    if !["added", "removed", "relabelled", "marked"].contains(&which.kind.as_str()) {
        let (en, zh) = (
            "`kind` is added, removed, relabelled or marked",
            "kind 须为 added、removed、relabelled 或 marked",
        );
        return Err(ApiError::invalid(en, zh));
    }
    let bad = |_| ApiError::invalid("`key` is that of a group", "key 须取自某一组");
    let labels: Option<Labels> = which.key.as_deref().map(serde_json::from_str).transpose().map_err(bad)?;
    let page = (which.offset.max(0), which.limit.unwrap_or(USUAL).clamp(0, MOST));
    let rows = app.db.milestones_of(&caller.tenant, &id, "rename").await?;
    let renames = Renames::between(&rows, which.from, which.to);
    let between = (Span { from: which.from, to: which.to }, renames.pairs());
    let rows = app.db.different(&caller.tenant, &id, between, (&which.kind, labels.as_ref()), page).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let examples = app.db.examples_ever(&caller.tenant, &ids).await?;
    let task = Task::named(&of.task)?;
    let words = |kept: Option<String>| kept.map(|kept| task.words(&kept));
    let told = rows.into_iter().zip(examples).map(|(row, example)| DifferentExample {
        id: row.id,
        name: example.name,
        text: example.body,
        before: words(row.label_before),
        after: words(row.label_after),
    });
    Ok(Json(Different { examples: told.collect() }))
}

/// A data set whose history who asks may see: it tells what others said.
async fn seen(app: &App, caller: &Caller, id: &str) -> Result<DatasetRow, ApiError> {
    caller.may(Right::Look)?;
    let of = found(app.db.dataset(&caller.tenant, id).await?)?;
    unveiled(&of, caller)?;
    Ok(of)
}

/// Refuses states that never were.
pub(super) fn check(of: &DatasetRow, seq: i64) -> Result<(), ApiError> {
    if (0..=of.seq).contains(&seq) {
        return Ok(());
    }
    let (en, zh) = (
        format!("there is no state {seq}: the last is {}", of.seq),
        format!("没有状态 {seq}：最新的是 {}", of.seq),
    );
    Err(ApiError::invalid(en, zh).hint("states are listed by the history", "状态列表见历史"))
}

async fn counts(app: &App, caller: &Caller, id: &str, seq: i64) -> Result<StateCounts, ApiError> {
    let (n_examples, n_labelled) = app.db.counts_at(&caller.tenant, id, seq).await?;
    Ok(StateCounts { seq, n_examples, n_labelled })
}

fn happened(row: MilestoneRow, by: Option<String>) -> Result<Happened, ApiError> {
    let milestone: Milestone = serde_json::from_str(&row.body).map_err(|error| ApiError::internal(&error))?;
    let mut happened = Happened {
        id: row.id,
        kind: milestone.kind(),
        at: written(row.at),
        by,
        name: None,
        model: None,
        n_examples: None,
        n_findings: None,
        from: None,
        to: None,
        state: None,
    };
    match milestone {
        Milestone::Import { n_examples } => happened.n_examples = Some(n_examples),
        Milestone::Tune { model, name } => (happened.model, happened.name) = (Some(model), Some(name)),
        Milestone::Audit { n_findings, .. } => happened.n_findings = Some(n_findings),
        Milestone::Rename { from, to } => (happened.from, happened.to) = (Some(from), Some(to)),
        Milestone::Name { name } => happened.name = Some(name),
        Milestone::Restore { state } => happened.state = Some(state),
        Milestone::Left => {}
    }
    Ok(happened)
}

impl Renamed {
    /// What a class was called and what since, told from the one state to the other: on the way back names change back.
    fn on_the_way((early, late): (String, String), from: i64, to: i64) -> Self {
        if from <= to { Self { from: early, to: late } } else { Self { from: late, to: early } }
    }
}

impl Diff {
    fn take(&mut self, row: GroupRow, task: Task, renames: &Renames) {
        let labels: Labels = (row.label_before, row.label_after);
        let (before, after) = (labels.0.as_deref(), labels.1.as_deref());
        let onwards = if self.before.seq <= self.after.seq { (before, after) } else { (after, before) };
        let renamed = row.kind == "relabelled" && renames.explain(onwards, task);
        match row.kind.as_str() {
            "added" => self.added += row.n,
            "removed" => self.removed += row.n,
            "relabelled" if !renamed => self.relabelled += row.n,
            "marked" => self.marked += row.n,
            _ => {}
        }
        if self.groups.len() == MOST_GROUPS {
            self.more_groups += 1;
            self.more_examples += row.n;
            return;
        }
        let words = |kept: &Option<String>| kept.as_deref().map(|kept| task.words(kept));
        self.groups.push(DiffGroup {
            key: serde_json::to_string(&labels).expect("names are written"),
            before: words(&labels.0),
            after: words(&labels.1),
            kind: row.kind,
            n: row.n,
            renamed,
        });
    }
}
