//! How far people agree, who is how good, and what is still in dispute.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use curate::consensus::{self, Scale, VoteProblem, Votes, krippendorff_alpha};
use linalg::Seed;
use serde::Serialize;
use utoipa::ToSchema;

use super::examples::{Example, Teller, is_veiled, names};
use super::labels::{Given, Measure};
use super::reading::{Sent, found};
use crate::App;
use crate::db::labels::{Act, Said, What};
use crate::db::votes::VoteRow;
use crate::error::ApiError;
use crate::people::{Caller, Right};
use crate::tasks::Task;

/// Disputes that are listed.
const MOST_DISPUTES: usize = 200;
/// Seed of the interval.
const SEED: Seed = Seed(1);

/// How far people agree.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Agreement {
    /// Krippendorff's alpha: 1 is always, 0 is chance; from 0.8 on labels are good to use, below 0.667 the rules come first. Absent
    /// while no example has two answers.
    alpha: Option<Measure>,
    /// Who answered most, first.
    people: Vec<Annotator>,
    n_disputed: usize,
    /// The least decided first; at most 200.
    disputes: Vec<Dispute>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Annotator {
    name: String,
    n_votes: usize,
    /// Expected share of right answers, by what everybody together says; absent while no example has two answers.
    accuracy: Option<Measure>,
    /// What they confuse most.
    confusions: Vec<Confused>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Confused {
    /// What everybody together says.
    truth: String,
    said: String,
    /// Expected number.
    times: f64,
}

/// An example about which people said different things.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Dispute {
    example: Example,
    votes: Vec<Vote>,
    /// The most probable answer, given how good each person is.
    best: String,
    /// In [0, 1].
    probability: f64,
}

/// The last word of one person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Vote {
    by: String,
    label: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VoteList {
    votes: Vec<Vote>,
}

/// Shows how far people agree, and what they dispute.
#[utoipa::path(get, path = "/v1/datasets/{id}/agreement", tag = "labels", responses((status = 200, body = Agreement)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Agreement>, ApiError> {
    caller.may(Right::Edit)?;
    let dataset = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let task = Task::named(&dataset.task)?;
    let rows = app.db.votes(&caller.tenant, &id).await?;
    let names = names(&app, &caller.tenant).await?;
    let crowd = app.blocking(move || Crowd::of(&rows, &names, task)).await?;
    let ids: Vec<String> = crowd.disputes.iter().map(|dispute| dispute.example.clone()).collect();
    let mut examples: HashMap<String, Example> = HashMap::new();
    let teller = Teller::of(&app, &caller, &id).await?;
    let mut decided = HashSet::new();
    for row in app.db.examples_by_id(&caller.tenant, &ids).await? {
        if row.decided == 1 {
            decided.insert(row.id.clone());
        }
        examples.insert(row.id.clone(), teller.tell(row));
    }
    let open: Vec<Disputed> =
        crowd.disputes.into_iter().filter(|dispute| !decided.contains(&dispute.example)).collect();
    let n_disputed = open.len();
    let disputes = open.into_iter().take(MOST_DISPUTES).filter_map(|dispute| {
        let example = examples.remove(&dispute.example)?;
        Some(Dispute { example, votes: dispute.votes, best: dispute.best, probability: dispute.probability })
    });
    let (alpha, people) = (crowd.alpha, crowd.people);
    Ok(Json(Agreement { alpha, people, n_disputed, disputes: disputes.collect() }))
}

/// Who said what about an example.
#[utoipa::path(get, path = "/v1/examples/{id}/votes", tag = "labels", responses((status = 200, body = VoteList)))]
pub(super) async fn votes(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<VoteList>, ApiError> {
    caller.may(Right::Look)?;
    let row = found(app.db.example(&caller.tenant, &id).await?)?;
    let dataset = found(app.db.dataset(&caller.tenant, &row.dataset).await?)?;
    let task = Task::named(&dataset.task)?;
    let mut rows = app.db.votes_about(&caller.tenant, &id).await?;
    if is_veiled(&dataset, &caller) {
        rows.retain(|row| row.person == caller.person.id);
    }
    let names = names(&app, &caller.tenant).await?;
    let vote = |row: VoteRow| Vote {
        by: names.get(&row.person).cloned().unwrap_or_default(),
        label: task.words(&row.label),
    };
    Ok(Json(VoteList { votes: rows.into_iter().map(vote).collect() }))
}

/// Decides what holds of an example, whatever was said; later votes do not change it. Without an answer a decision is taken back.
#[utoipa::path(post, path = "/v1/datasets/{id}/decisions", tag = "labels", request_body = Given, responses((status = 200, body = Example)))]
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(decision): Sent<Given>,
) -> Result<Json<Example>, ApiError> {
    caller.may(Right::Edit)?;
    let task = Task::named(&found(app.db.dataset(&caller.tenant, &id).await?)?.task)?;
    let kept = task.keep(&decision.answer()?)?;
    let example = decision.example;
    let said = Said {
        example: &example,
        what: What::Label,
        after: kept.as_deref(),
        classes: kept.as_deref().map(|kept| task.classes(kept)).unwrap_or_default(),
        person: &caller.person.id,
        milliseconds: None,
        drawn: false,
        act: Act::Settle,
    };
    found(app.db.label(&caller.tenant, &id, &[said]).await?)?;
    // Where a decision is taken back, what most say holds.
    let row = found(app.db.example(&caller.tenant, &example).await?)?;
    app.lives.of(&app, &caller.tenant, &id).hear(&app).await;
    Ok(Json(Teller::of(&app, &caller, &id).await?.tell(row)))
}

/// What the votes add up to.
struct Crowd {
    alpha: Option<Measure>,
    people: Vec<Annotator>,
    disputes: Vec<Disputed>,
}

struct Disputed {
    example: String,
    votes: Vec<Vote>,
    best: String,
    probability: f64,
}

impl Crowd {
    fn of(rows: &[VoteRow], names: &HashMap<String, String>, task: Task) -> Result<Self, ApiError> {
        let numbers = Numbered::of(rows);
        if rows.is_empty() {
            return Ok(Self { alpha: None, people: Vec::new(), disputes: Vec::new() });
        }
        let failed = |error: curate::CurateError| ApiError::internal(&error);
        let (votes, _) = numbers.votes(rows).map_err(failed)?;
        let alpha = krippendorff_alpha(&votes, Scale::Nominal, SEED);
        let together = consensus::consensus(&votes, None).map_err(failed)?;
        let described = consensus::annotators(&votes, &together.posterior).map_err(failed)?;
        let compared = (0..votes.n_examples()).any(|example| votes.of(example).len() > 1);
        let name = |place: usize| names.get(&numbers.people[place]).cloned().unwrap_or_default();
        let words = |class: u32| task.words(&numbers.labels[class as usize]);
        let told = described.into_iter().enumerate().map(|(place, person)| {
            let (value, n) = (person.accuracy, person.n_votes);
            let accuracy = Measure { value, low: person.low, high: person.high, n };
            let confused = |(truth, said, times)| Confused { truth: words(truth), said: words(said), times };
            Annotator {
                name: name(place),
                n_votes: n,
                accuracy: Some(accuracy).filter(|_| compared),
                confusions: person.confusions.into_iter().map(confused).collect(),
            }
        });
        let mut people: Vec<Annotator> = told.collect();
        people.sort_by(|a, b| b.n_votes.cmp(&a.n_votes).then_with(|| a.name.cmp(&b.name)));
        let differ =
            |example: &usize| votes.of(*example).windows(2).any(|pair| pair[0].class != pair[1].class);
        let vote =
            |vote: &consensus::Vote| Vote { by: name(vote.annotator as usize), label: words(vote.class) };
        let dispute = |example: usize| Disputed {
            example: numbers.examples[example].clone(),
            votes: votes.of(example).iter().map(vote).collect(),
            best: together.labels[example].map(words).unwrap_or_default(),
            probability: together.confidence[example],
        };
        let mut disputes: Vec<Disputed> = (0..votes.n_examples()).filter(differ).map(dispute).collect();
        disputes.sort_by(|a, b| a.probability.total_cmp(&b.probability));
        let alpha =
            alpha.map(|found| Measure { value: found.alpha, low: found.low, high: found.high, n: found.n });
        Ok(Self { alpha, people, disputes })
    }
}

/// Examples, people and labels, each once, sorted: their places are their numbers.
struct Numbered {
    examples: Vec<String>,
    people: Vec<String>,
    labels: Vec<String>,
}

impl Numbered {
    fn of(rows: &[VoteRow]) -> Self {
        let each = |name: fn(&VoteRow) -> &String| -> Vec<String> {
            rows.iter().map(name).collect::<BTreeSet<&String>>().into_iter().cloned().collect()
        };
        Self {
            examples: each(|row| &row.example),
            people: each(|row| &row.person),
            labels: each(|row| &row.label),
        }
    }

    fn votes(&self, rows: &[VoteRow]) -> Result<(Votes, Vec<VoteProblem>), curate::CurateError> {
        let number = |names: &[String], name: &String| names.binary_search(name).unwrap_or_default() as u32;
        let votes: Vec<consensus::Vote> = rows
            .iter()
            .map(|row| consensus::Vote {
                example: number(&self.examples, &row.example),
                annotator: number(&self.people, &row.person),
                class: number(&self.labels, &row.label),
            })
            .collect();
        Votes::new(&votes, self.examples.len(), self.people.len(), self.labels.len())
    }
}
