//! Looking through the data, and deciding about what was found.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use pipeline::{Lang, Metric};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::examples::{self, Example};
use super::reading::{Asked, Sent, found};
use super::ruling::{self, Conflict};
use super::work::{Job, told};
use crate::App;
use crate::answering::lang_of;
use crate::clock::written;
use crate::db::datasets::DatasetRow;
use crate::db::deciding::{Deciding, Verdict};
use crate::error::ApiError;
use crate::people::{Caller, Right};
use crate::tasks::{Answer, Task};
use crate::worklists::KeptFinding;

/// Findings of a page.
const USUAL: usize = 100;
/// And at most.
const MOST: usize = 1000;

/// What was found, in the order to work through.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Worklist {
    /// Absent when nobody looked yet.
    audited_at: Option<String>,
    /// Whether the data changed since.
    stale: bool,
    /// What brings most a minute, first.
    advice: Vec<Advice>,
    checks: Vec<Check>,
    cautions: Vec<String>,
    /// What kinds of findings there are, in the order they first appear; also those that are not asked for.
    kinds: Vec<Kind>,
    /// Examples that findings of any kind are about.
    n_examples: usize,
    /// How many findings are asked for, on all pages.
    total: usize,
    /// Those of this page.
    findings: Vec<Finding>,
}

/// Findings of one fault, in one of several senses where it is one sense's.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Kind {
    fault: String,
    sense: Option<String>,
    title: String,
    /// Findings of it.
    n: usize,
    /// Those that nobody decided about yet.
    n_open: usize,
    /// Examples that they are about.
    n_examples: usize,
}

/// Which findings.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those of this fault.
    fault: Option<String>,
    /// With `fault`: in this of several senses. Without it, those that are no single sense's.
    sense: Option<String>,
    #[serde(default)]
    offset: usize,
    /// At most 1000; 100 when absent.
    limit: Option<usize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Advice {
    sentence: String,
    #[schema(value_type = String)]
    action: serde_json::Value,
    /// With how many examples.
    n: usize,
    gain: Gain,
    /// Of what: `accuracy`; of labels that are sets `jaccard`, the labels both given and right among those that are either; of numbers
    /// `r2`, the share of their variance that is explained.
    #[schema(value_type = String)]
    metric: Metric,
    /// Of a person's work.
    minutes: f64,
}

/// Expected change of a share, in points of a hundredth where it is shown, with a 95 % interval.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gain {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Check {
    fault: String,
    /// In which of several senses.
    sense: Option<String>,
    title: String,
    flagged: usize,
    n: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Finding {
    number: usize,
    fault: String,
    /// The one of several senses that shows it.
    sense: Option<String>,
    title: String,
    /// What this kind of fault means.
    meaning: String,
    #[schema(value_type = String)]
    action: serde_json::Value,
    /// What to do.
    action_text: String,
    /// What was found, where the examples alone do not say.
    about: Option<String>,
    given: Option<Answered>,
    suggested: Option<Answered>,
    /// 0 is bad, 1 is good.
    score: f64,
    /// The one to act on first.
    examples: Vec<Example>,
    /// Similar ones, as evidence.
    neighbours: Vec<Neighbour>,
    /// Where two classes contradict each other: what a rule may say.
    conflict: Option<Conflict>,
    /// The number of the rule in the label book that it is against, or that was decided on.
    rule: Option<i64>,
    /// `relabelled`, `kept`, `removed` or `ruled`.
    decision: Option<String>,
}

/// An answer; only what the data set asks for is there.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Answered {
    label: Option<String>,
    labels: Option<Vec<String>>,
    number: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Neighbour {
    example: Example,
    distance: f32,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decide {
    /// Of the worklist that is shown: after another audit the numbers mean other things.
    audited_at: String,
    /// `relabel`, `keep` or `remove`: about the first example of the finding. Where two classes contradict each other `rule` or `keep`: about
    /// all of them.
    pub(super) decision: String,
    /// With `relabel`, where one class of several is asked for. Without any of the three, what is suggested holds. With the rule `new_class`
    /// its name.
    pub(super) label: Option<String>,
    /// With `relabel`, where several labels are.
    labels: Option<Vec<String>>,
    /// With `relabel`, where a number is.
    number: Option<f64>,
    /// With `rule`: `all_a`, `all_b`, `split` as it is offered, `new_class` or `exclude`.
    pub(super) rule: Option<String>,
}

/// Looks through the data.
#[utoipa::path(post, path = "/v1/datasets/{id}/audit", tag = "worklist", responses((status = 200, body = Job)))]
pub(super) async fn look(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Job>, ApiError> {
    caller.may(Right::Label)?;
    found(app.db.dataset(&caller.tenant, &id).await?)?;
    let job = match app.db.open_job(&caller.tenant, &id, "audit").await? {
        Some(job) => job,
        None => app.db.add_job(&caller.tenant, &id, "audit", "{}").await?.job()?,
    };
    app.wake.notify_waiters();
    told(&app, &caller, &job).await
}

/// Shows what was found last, with what was decided since: one page of the findings, and all else.
#[utoipa::path(get, path = "/v1/datasets/{id}/worklist", tag = "worklist", params(Which), responses((status = 200, body = Worklist)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    Asked(which): Asked<Which>,
) -> Result<Json<Worklist>, ApiError> {
    caller.may(Right::Look)?;
    let dataset = found(app.db.dataset(&caller.tenant, &id).await?)?;
    examples::unveiled(&dataset, &caller)?;
    let lang = lang_of(&headers);
    let Some(newest) = app.worklists.newest(&app.db, &caller.tenant, &id).await? else {
        let (advice, checks, cautions, kinds, findings) = <_>::default();
        let (audited_at, stale, n_examples, total) = (None, false, 0, 0);
        let none =
            Worklist { audited_at, stale, advice, checks, cautions, kinds, n_examples, total, findings };
        return Ok(Json(none));
    };
    let kept = newest.worklist.as_ref();
    let asked: Vec<&KeptFinding> = kept
        .findings
        .iter()
        .filter(|finding| finding.is_of(which.fault.as_deref(), which.sense.as_deref()))
        .collect();
    let limit = which.limit.unwrap_or(USUAL).min(MOST);
    let page: Vec<&KeptFinding> = asked.iter().copied().skip(which.offset).take(limit).collect();
    let teller = Teller::new(&app, &caller, &id, &page, lang).await?;
    let advice = kept.advice.iter().map(|advice| Advice {
        sentence: advice.sentence.pick(lang),
        action: advice.action.clone(),
        n: advice.n,
        gain: Gain { value: advice.gain[0], low: advice.gain[1], high: advice.gain[2] },
        metric: advice.metric,
        minutes: advice.minutes,
    });
    let checks = kept.checks.iter().map(|check| Check {
        fault: check.fault.clone(),
        sense: check.sense.clone(),
        title: check.title.pick(lang),
        flagged: check.flagged,
        n: check.n,
    });
    Ok(Json(Worklist {
        audited_at: Some(written(newest.at)),
        stale: newest.seq != dataset.seq,
        advice: advice.collect(),
        checks: checks.collect(),
        cautions: kept.cautions.iter().map(|caution| caution.pick(lang)).collect(),
        kinds: kinds(&kept.findings, &teller.decisions, lang),
        n_examples: n_examples(&kept.findings, |_| true),
        total: asked.len(),
        findings: page.into_iter().map(|finding| teller.tell(finding)).collect(),
    }))
}

/// The kinds of findings in the order they first appear, with how many of each are open.
fn kinds(findings: &[KeptFinding], decisions: &BTreeMap<i64, String>, lang: Lang) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for finding in findings {
        let (fault, sense) = (finding.fault.clone(), finding.sense.clone());
        let known = kinds.iter_mut().find(|kind| kind.fault == fault && kind.sense == sense);
        let open = usize::from(!is_decided(finding, decisions));
        match known {
            Some(kind) => (kind.n, kind.n_open) = (kind.n + 1, kind.n_open + open),
            None => {
                let same = |other: &KeptFinding| other.fault == fault && other.sense == sense;
                let (title, n_examples) = (finding.title.pick(lang), n_examples(findings, same));
                kinds.push(Kind { fault, sense, title, n: 1, n_open: open, n_examples });
            }
        }
    }
    kinds
}

/// How many examples some of the findings are about.
fn n_examples(findings: &[KeptFinding], which: impl Fn(&KeptFinding) -> bool) -> usize {
    let of = findings.iter().filter(|finding| which(finding));
    of.flat_map(|finding| &finding.examples).collect::<HashSet<_>>().len()
}

fn is_decided(finding: &KeptFinding, decisions: &BTreeMap<i64, String>) -> bool {
    i64::try_from(finding.number).is_ok_and(|number| decisions.contains_key(&number))
}

/// Decides about a finding: gives its first example another label, keeps it as it is, or takes it out; gives a case a rule, which goes into
/// the label book. May be decided anew.
#[utoipa::path(post, path = "/v1/datasets/{id}/worklist/{number}", tag = "worklist", request_body = Decide, responses((status = 200, body = Finding)))]
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path((id, number)): Path<(String, usize)>,
    Sent(decide): Sent<Decide>,
) -> Result<Json<Finding>, ApiError> {
    caller.may(Right::Label)?;
    // Where several answer, to decide is an editor's: it overrules everybody.
    let of = found(app.db.dataset(&caller.tenant, &id).await?)?;
    if of.annotators > 1 || of.blind == 1 {
        caller.may(Right::Edit)?;
    }
    let newest = found(app.worklists.newest(&app.db, &caller.tenant, &id).await?)?;
    if written(newest.at) != decide.audited_at {
        return Err(ruling::renewed());
    }
    let finding = found(newest.worklist.findings.iter().find(|finding| finding.number == number))?;
    let number = i64::try_from(number).map_err(|error| ApiError::internal(&error))?;
    if finding.conflict.is_some() {
        ruling::decide(&app, &caller, &id, (number, newest.at), &decide).await?;
    } else {
        about_one(&app, &caller, &of, ((number, newest.at), finding), &decide).await?;
    }
    let teller = Teller::new(&app, &caller, &id, &[finding], lang_of(&headers)).await?;
    Ok(Json(teller.tell(finding)))
}

/// Decides about the first example of a finding, which is told by its number and the time of its audit.
async fn about_one(
    app: &Arc<App>,
    caller: &Caller,
    of: &DatasetRow,
    (at, finding): ((i64, i64), &KeptFinding),
    decide: &Decide,
) -> Result<(), ApiError> {
    let example = found(finding.examples.first())?;
    let label = match decide.decision.as_str() {
        "relabel" => Task::named(&of.task)?.keep(&decide.answer()?)?.or_else(|| finding.suggested.clone()),
        _ => None,
    };
    let verdict = match (decide.decision.as_str(), &label) {
        ("relabel", Some(label)) => Verdict::Relabel(label),
        ("relabel", None) => {
            return Err(ApiError::invalid("say which label it should have", "请说明应改为哪个标注"));
        }
        ("keep", _) => Verdict::Keep,
        ("remove", _) => Verdict::Remove,
        _ => {
            let (en, zh) = ("`decision` is relabel, keep or remove", "decision 须为 relabel、keep 或 remove");
            return Err(ApiError::invalid(en, zh));
        }
    };
    let person = &caller.person.id;
    match app.db.decide(&caller.tenant, &of.id, at, (example, verdict), person).await? {
        Deciding::Decided => app.lives.of(app, &caller.tenant, &of.id).hear(app).await,
        Deciding::Renewed => return Err(ruling::renewed()),
        Deciding::Missing => return Err(ApiError::not_found()),
    }
    Ok(())
}

impl Decide {
    /// With names as they are kept.
    fn answer(&self) -> Result<Answer, ApiError> {
        Answer::given(self.label.as_ref(), self.labels.as_ref(), self.number)
    }
}

/// What findings are told with.
struct Teller {
    examples: HashMap<String, crate::db::examples::ExampleRow>,
    decisions: BTreeMap<i64, String>,
    /// Rules that were decided on since.
    rules: BTreeMap<i64, i64>,
    teller: examples::Teller,
    lang: Lang,
}

impl Teller {
    async fn new(
        app: &Arc<App>,
        caller: &Caller,
        dataset: &str,
        findings: &[&KeptFinding],
        lang: Lang,
    ) -> Result<Self, ApiError> {
        let mentioned = findings.iter().flat_map(|finding| {
            finding.shown().iter().chain(finding.neighbours.iter().map(|(id, _)| id)).cloned()
        });
        let mentioned: BTreeSet<String> = mentioned.collect();
        let rows = app.db.examples_by_id(&caller.tenant, &mentioned.into_iter().collect::<Vec<_>>()).await?;
        Ok(Self {
            examples: rows.into_iter().map(|row| (row.id.clone(), row)).collect(),
            decisions: app.db.decisions(&caller.tenant, dataset).await?,
            rules: app.db.ruled(&caller.tenant, dataset).await?.into_iter().collect(),
            teller: examples::Teller::of(app, caller, dataset).await?,
            lang,
        })
    }

    fn example(&self, id: &str) -> Option<Example> {
        Some(self.teller.tell(self.examples.get(id)?.clone()))
    }

    fn answered(&self, kept: Option<&str>) -> Option<Answered> {
        let Answer { label, labels, number } = self.teller.task.show(Some(kept?));
        Some(Answered { label, labels, number })
    }

    fn tell(&self, finding: &KeptFinding) -> Finding {
        let neighbours = finding
            .neighbours
            .iter()
            .filter_map(|(id, distance)| Some(Neighbour { example: self.example(id)?, distance: *distance }));
        let number = i64::try_from(finding.number).unwrap_or(i64::MAX);
        Finding {
            number: finding.number,
            fault: finding.fault.clone(),
            sense: finding.sense.clone(),
            title: finding.title.pick(self.lang),
            meaning: finding.meaning.pick(self.lang),
            action: finding.action.clone(),
            action_text: finding.action_text.pick(self.lang),
            about: finding.about.as_ref().map(|about| about.pick(self.lang)),
            given: self.answered(finding.given.as_deref()),
            suggested: self.answered(finding.suggested.as_deref()),
            score: finding.score,
            examples: finding.shown().iter().filter_map(|id| self.example(id)).collect(),
            neighbours: neighbours.collect(),
            conflict: finding.conflict.as_ref().map(|conflict| Conflict::of(conflict, self.lang)),
            rule: finding.rule.or_else(|| self.rules.get(&number).copied()),
            decision: self.decisions.get(&number).cloned(),
        }
    }
}
