//! What each of several people marked on an example, what most of them found, and which of it holds.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use curate::consensus::marks::agreement;
use exchange::Mark;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::examples::{is_veiled, names};
use super::marks::MarkSchema;
use super::reading::{Sent, found};
use crate::agreeing::{self, Found, Size};
use crate::clock::written;
use crate::db::examples::ExampleRow;
use crate::db::marking::Marking;
use crate::db::markings::{MOST, Markings, Settled};
use crate::error::ApiError;
use crate::marks::{self, KeptMark};
use crate::people::{Caller, Right};
use crate::{App, gathering};

/// What several people marked on an example.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MarkingList {
    /// What came with the data first, then who began first. Who labels blindly sees only themselves.
    people: Vec<Marker>,
    /// How far the people agree, two at a time: the share of their marks that have a partner of the same class which they overlap by half, in [0, 1], as a
    /// mean. Absent where fewer than two people looked.
    agreement: Option<f64>,
    /// What more than half of the people found who looked: of boxes, segments and spans the medians of their edges, of what is painted the pixels that most
    /// cover, of outlines the one most like the others.
    most: Vec<FoundMark>,
    /// Which marks somebody decided on. Absent while nobody did: then those hold that came with the data, or were given first.
    decision: Option<MarkDecision>,
    /// The number of the event that changed any of this last; for who labels blindly, their own marks. Whoever decides says that it is what they saw.
    event: i64,
    /// Whether so much is marked that it is not compared: what the marks of each person have in corners, times the marks of the others, is more than ten
    /// million. Then nothing is told of agreement, nor of what most found.
    too_much: bool,
}

/// Who marked an example, and what.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Marker {
    /// The id of the person; absent where the marks came with the data.
    person: Option<String>,
    name: Option<String>,
    #[schema(value_type = Vec<MarkSchema>)]
    marks: Vec<KeptMark>,
    at: String,
    /// How far they agree with the others, as a mean over them.
    agreement: Option<f64>,
}

/// A mark in place of those that several people gave of one thing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoundMark {
    #[schema(value_type = MarkSchema)]
    mark: Mark,
    /// How many people.
    n: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MarkDecision {
    took: Took,
    /// With `one`: whose they are; absent where they came with the data.
    person: Option<String>,
    by: Option<String>,
    at: String,
}

/// Whose marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Took {
    /// Those that most people found.
    Most,
    /// One person's, or those that came with the data.
    One,
    /// Nobody's: a decision is taken back.
    Nobody,
}

/// A decision about marks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Taking {
    take: Took,
    /// With `one`: whose; absent for those that came with the data.
    person: Option<String>,
    /// The `event` of what was looked at: where somebody changed their marks since, nothing happens. Absent: whatever there is.
    seen: Option<i64>,
}

/// What each of several people marked on an example, and what most of them found.
#[utoipa::path(get, path = "/v1/examples/{id}/markings", tag = "labels", responses((status = 200, body = MarkingList)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<MarkingList>, ApiError> {
    caller.may(Right::Look)?;
    let row = found(app.db.example(&caller.tenant, &id).await?)?;
    told(&app, &caller, row).await
}

/// Decides which marks of an example hold, whatever people mark later.
#[utoipa::path(post, path = "/v1/examples/{id}/markings/decision", tag = "labels", request_body = Taking, responses((status = 200, body = MarkingList), (status = 409, body = crate::error::ErrorBody)))]
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(Taking { take, person, seen }): Sent<Taking>,
) -> Result<Json<MarkingList>, ApiError> {
    caller.may(Right::Edit)?;
    let row = found(app.db.example(&caller.tenant, &id).await?)?;
    let of = found(app.db.dataset(&caller.tenant, &row.dataset).await?)?;
    if of.annotators == 1 {
        let (en, zh) = ("one person is asked about each example here", "该数据集的每个样本只由一人回答");
        return Err(ApiError::conflict(en, zh)
            .hint("change the marks themselves, or ask several people", "请直接修改标记，或设为由多人回答"));
    }
    let modality = gathering::modality(of.modality.as_deref())?;
    let markings = app.db.markings(&caller.tenant, &id).await?;
    let seen = seen.unwrap_or(markings.event);
    let size = row.size();
    let took = match take {
        Took::Most => {
            let people = people(&markings);
            if people.is_empty() {
                return Err(nobody());
            }
            if agreeing::is_too_much(&people) {
                return Err(too_much());
            }
            let most = app.comparing(move || agreeing::most(&people, size)).await?;
            let most: Vec<KeptMark> = most.into_iter().map(|found| found.mark.into()).collect();
            Some((MOST.to_owned(), marks::keep(&most, modality)?))
        }
        Took::One => {
            let person = person.unwrap_or_default();
            let theirs = markings.rows.iter().find(|row| row.person == person).ok_or_else(nobody)?;
            Some((person, marks::keep(&marks::told(Some(&theirs.marks)), modality)?))
        }
        Took::Nobody => None,
    };
    let settled = Settled {
        example: &id,
        took: took.as_ref().map(|(took, marks)| (took.as_str(), marks.as_deref())),
        seen,
        person: &caller.person.id,
    };
    match app.db.settle_marks(&caller.tenant, &row.dataset, settled).await? {
        Marking::Kept(_) => told(&app, &caller, row).await,
        Marking::Missing => Err(ApiError::not_found()),
        Marking::Changed => {
            let (en, zh) = ("somebody changed their marks meanwhile", "此间有人更改了自己的标记");
            Err(ApiError::new(StatusCode::CONFLICT, "marks_changed", en, zh)
                .hint("look at the marks again", "请重新查看这些标记"))
        }
    }
}

fn nobody() -> ApiError {
    let (en, zh) = ("nobody marked this who could be followed", "没有可供采用的标记");
    ApiError::conflict(en, zh).hint("take the marks of somebody who gave some", "请采用已给出标记的人的标记")
}

fn too_much() -> ApiError {
    let (en, zh) = ("so much is marked here that it is not compared", "这里的标记太多，不作比较");
    ApiError::conflict(en, zh).hint("take the marks of one person", "请采用某一个人的标记")
}

/// What each person marked, without what came with the data.
fn people(markings: &Markings) -> Vec<Vec<Mark>> {
    let rows = markings.rows.iter().filter(|row| !row.person.is_empty());
    rows.map(|row| marks::of(Some(&row.marks))).collect()
}

async fn told(app: &App, caller: &Caller, row: ExampleRow) -> Result<Json<MarkingList>, ApiError> {
    let of = found(app.db.dataset(&caller.tenant, &row.dataset).await?)?;
    let mut markings = app.db.markings(&caller.tenant, &row.id).await?;
    let veiled = is_veiled(&of, caller);
    if of.annotators == 1 {
        markings.rows.clear();
    } else if veiled {
        markings.rows.retain(|row| row.person == caller.person.id);
        // When others marked is hidden as well.
        markings.event = markings.rows.first().map_or(0, |row| row.seq);
    }
    let names = names(app, &caller.tenant).await?;
    let people = people(&markings);
    let size = row.size();
    let too_much = agreeing::is_too_much(&people);
    let (pairs, most) = if too_much || veiled {
        (Pairs(Vec::new()), Vec::new())
    } else {
        app.comparing(move || (Pairs::of(&people, size), agreeing::most(&people, size))).await?
    };
    let mut place = 0..;
    let marker = |row: &crate::db::markings::MarkingRow| {
        let person = Some(row.person.clone()).filter(|person| !person.is_empty());
        let agreement = person.as_ref().and_then(|_| pairs.of_person(place.next()?));
        Marker {
            name: names.get(&row.person).cloned(),
            marks: marks::told(Some(&row.marks)),
            at: written(row.at),
            agreement,
            person,
        }
    };
    Ok(Json(MarkingList {
        people: markings.rows.iter().map(marker).collect(),
        agreement: pairs.mean(),
        most: most.into_iter().map(|Found { mark, n }| FoundMark { mark, n }).collect(),
        decision: if veiled { None } else { decision(&markings, &names) },
        event: markings.event,
        too_much,
    }))
}

fn decision(markings: &Markings, names: &HashMap<String, String>) -> Option<MarkDecision> {
    let decision = markings.decision.as_ref()?;
    let one = Some(decision.took.clone()).filter(|took| took != MOST);
    Some(MarkDecision {
        took: if one.is_some() { Took::One } else { Took::Most },
        person: one.filter(|person| !person.is_empty()),
        by: decision.decided_by.as_ref().and_then(|by| names.get(by)).cloned(),
        at: written(decision.at),
    })
}

/// How far each two of several people agree.
struct Pairs(Vec<(usize, usize, f64)>);

impl Pairs {
    fn of(people: &[Vec<Mark>], size: Size) -> Self {
        let pairs = (0..people.len()).flat_map(|one| (one + 1..people.len()).map(move |other| (one, other)));
        let compare = |(one, other): (usize, usize)| {
            let compared = agreeing::compare(&people[one], &people[other], size);
            (one, other, agreement(compared.n, compared.n_same))
        };
        Self(pairs.map(compare).collect())
    }

    fn mean(&self) -> Option<f64> {
        mean(self.0.iter().map(|(.., value)| *value))
    }

    fn of_person(&self, place: usize) -> Option<f64> {
        let of = self.0.iter().filter(|(one, other, _)| *one == place || *other == place);
        mean(of.map(|(.., value)| *value))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    (n > 0.0).then_some(sum / n)
}
