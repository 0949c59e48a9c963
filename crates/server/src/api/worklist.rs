//! Looking through the data, and deciding about what was found.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use pipeline::Lang;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::examples::{self, Example};
use super::reading::{Sent, found, name_of};
use super::work::{Job, told};
use crate::App;
use crate::answering::lang_of;
use crate::clock::written;
use crate::db::labels::{Act, Said, What};
use crate::error::ApiError;
use crate::live;
use crate::people::{Caller, Right};
use crate::tasks::Task;
use crate::worklists::{KeptFinding, Worklist as Kept};

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
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Advice {
    sentence: String,
    #[schema(value_type = String)]
    action: serde_json::Value,
    /// With how many examples.
    n: usize,
    gain: Gain,
    /// Of a person's work.
    minutes: f64,
}

/// Expected change of the accuracy, with a 95 % interval.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gain {
    value: f64,
    low: f64,
    high: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Check {
    fault: String,
    title: String,
    flagged: usize,
    n: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Finding {
    number: usize,
    fault: String,
    title: String,
    /// What this kind of fault means.
    meaning: String,
    #[schema(value_type = String)]
    action: serde_json::Value,
    /// What to do.
    action_text: String,
    /// What was found, where the examples alone do not say.
    about: Option<String>,
    given: Option<String>,
    suggested: Option<String>,
    /// 0 is bad, 1 is good.
    score: f64,
    /// The one to act on first.
    examples: Vec<Example>,
    /// Similar ones, as evidence.
    neighbours: Vec<Neighbour>,
    /// `relabelled`, `kept` or `removed`.
    decision: Option<String>,
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
    /// `relabel`, `keep` or `remove`: about the first example of the finding.
    decision: String,
    /// With `relabel`; the suggested one when absent.
    label: Option<String>,
}

/// Looks through the data.
#[utoipa::path(post, path = "/v1/datasets/{id}/audit", tag = "worklist", responses((status = 200, body = Job)))]
pub(super) async fn look(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Job>, ApiError> {
    caller.may(Right::Label)?;
    if Task::named(&found(app.db.dataset(&caller.tenant, &id).await?)?.task)? != Task::Class {
        let (en, zh) =
            ("the studio looks through data with one class of several", "工作台目前只检查“多类别之一”的数据");
        let hint = ("export it and use `dianjing audit`", "请导出后使用 dianjing audit");
        return Err(ApiError::conflict(en, zh).hint(hint.0, hint.1));
    }
    let job = match app.db.open_job(&caller.tenant, &id, "audit").await? {
        Some(job) => job,
        None => found(app.db.add_job(&caller.tenant, &id, "audit", "{}").await?)?,
    };
    app.wake.notify_one();
    told(&app, &caller, &job).await
}

/// Shows what was found last, with what was decided since.
#[utoipa::path(get, path = "/v1/datasets/{id}/worklist", tag = "worklist", responses((status = 200, body = Worklist)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Worklist>, ApiError> {
    caller.may(Right::Look)?;
    let dataset = found(app.db.dataset(&caller.tenant, &id).await?)?;
    examples::unveiled(&dataset, &caller)?;
    let lang = lang_of(&headers);
    let Some(row) = app.db.audit(&caller.tenant, &id).await? else {
        let (checks, cautions) = (Vec::new(), Vec::new());
        return Ok(Json(Worklist {
            audited_at: None,
            stale: false,
            advice: Vec::new(),
            checks,
            cautions,
            findings: Vec::new(),
        }));
    };
    let kept: Kept = serde_json::from_str(&row.body).map_err(|error| ApiError::internal(&error))?;
    let teller = Teller::new(&app, &caller, &id, &kept.findings, lang).await?;
    let advice = kept.advice.iter().map(|advice| Advice {
        sentence: advice.sentence.pick(lang),
        action: advice.action.clone(),
        n: advice.n,
        gain: Gain { value: advice.gain[0], low: advice.gain[1], high: advice.gain[2] },
        minutes: advice.minutes,
    });
    let checks = kept.checks.iter().map(|check| Check {
        fault: check.fault.clone(),
        title: check.title.pick(lang),
        flagged: check.flagged,
        n: check.n,
    });
    Ok(Json(Worklist {
        audited_at: Some(written(row.at)),
        stale: row.seq != dataset.seq,
        advice: advice.collect(),
        checks: checks.collect(),
        cautions: kept.cautions.iter().map(|caution| caution.pick(lang)).collect(),
        findings: kept.findings.iter().map(|finding| teller.tell(finding)).collect(),
    }))
}

/// Decides about a finding: gives its first example another label, keeps it as it is, or takes it out. May be decided anew.
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
    let row = found(app.db.audit(&caller.tenant, &id).await?)?;
    if written(row.at) != decide.audited_at {
        let (en, zh) = ("the data were looked through again since", "此后数据又被检查过一次");
        return Err(ApiError::conflict(en, zh).hint("load the worklist anew", "请重新载入待办列表"));
    }
    let kept: Kept = serde_json::from_str(&row.body).map_err(|error| ApiError::internal(&error))?;
    let finding = found(kept.findings.into_iter().find(|finding| finding.number == number))?;
    let example = found(finding.examples.first().cloned())?;
    let number = i64::try_from(number).map_err(|error| ApiError::internal(&error))?;
    let decided = app.db.decisions(&caller.tenant, &id).await?.remove(&number);
    let decision = match decide.decision.as_str() {
        "relabel" => {
            let label = decide.label.or_else(|| finding.suggested.clone());
            let missing = || ApiError::invalid("say which label it should have", "请说明应改为哪个标注");
            relabel(&app, &caller, &id, &example, &name_of(&label.ok_or_else(missing)?)?).await?;
            "relabelled"
        }
        "keep" => {
            // Takes back what was decided before; a label that somebody gave meanwhile stays.
            if let (Some(given), Some("relabelled" | "removed")) = (&finding.given, decided.as_deref()) {
                relabel(&app, &caller, &id, &example, given).await?;
            }
            "kept"
        }
        "remove" => {
            app.db.remove_example(&caller.tenant, &example, true).await?;
            let given = live::Given { example, label: None, drawn: false };
            app.lives.of(&app, &caller.tenant, &id).label(&app, given);
            "removed"
        }
        _ => {
            let (en, zh) = ("`decision` is relabel, keep or remove", "decision 须为 relabel、keep 或 remove");
            return Err(ApiError::invalid(en, zh));
        }
    };
    app.db.decide(&caller.tenant, &id, number, decision, &caller.person.id).await?;
    let teller = Teller::new(&app, &caller, &id, std::slice::from_ref(&finding), lang_of(&headers)).await?;
    Ok(Json(teller.tell(&finding)))
}

/// Gives an example a label; one that was taken out comes back.
async fn relabel(
    app: &Arc<App>,
    caller: &Caller,
    dataset: &str,
    example: &str,
    label: &str,
) -> Result<(), ApiError> {
    app.db.remove_example(&caller.tenant, example, false).await?;
    let (person, milliseconds, drawn) = (caller.person.id.as_str(), None, false);
    let (what, after, act) = (What::Label, Some(label), Act::Decide);
    let said = Said { example, what, after, classes: vec![label], person, milliseconds, drawn, act };
    found(app.db.label(&caller.tenant, dataset, &[said]).await?)?;
    let given = live::Given { example: example.to_owned(), label: Some(label.to_owned()), drawn };
    app.lives.of(app, &caller.tenant, dataset).label(app, given);
    Ok(())
}

/// What findings are told with.
struct Teller {
    examples: HashMap<String, crate::db::examples::ExampleRow>,
    decisions: std::collections::BTreeMap<i64, String>,
    teller: examples::Teller,
    lang: Lang,
}

impl Teller {
    async fn new(
        app: &Arc<App>,
        caller: &Caller,
        dataset: &str,
        findings: &[KeptFinding],
        lang: Lang,
    ) -> Result<Self, ApiError> {
        let mentioned = findings.iter().flat_map(|finding| {
            finding.examples.iter().chain(finding.neighbours.iter().map(|(id, _)| id)).cloned()
        });
        let mentioned: std::collections::BTreeSet<String> = mentioned.collect();
        let rows = app.db.examples_by_id(&caller.tenant, &mentioned.into_iter().collect::<Vec<_>>()).await?;
        Ok(Self {
            examples: rows.into_iter().map(|row| (row.id.clone(), row)).collect(),
            decisions: app.db.decisions(&caller.tenant, dataset).await?,
            teller: examples::Teller::of(app, caller, dataset).await?,
            lang,
        })
    }

    fn example(&self, id: &str) -> Option<Example> {
        Some(self.teller.tell(self.examples.get(id)?.clone()))
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
            title: finding.title.pick(self.lang),
            meaning: finding.meaning.pick(self.lang),
            action: finding.action.clone(),
            action_text: finding.action_text.pick(self.lang),
            about: finding.about.as_ref().map(|about| about.pick(self.lang)),
            given: finding.given.clone(),
            suggested: finding.suggested.clone(),
            score: finding.score,
            examples: finding.examples.iter().filter_map(|id| self.example(id)).collect(),
            neighbours: neighbours.collect(),
            decision: self.decisions.get(&number).cloned(),
        }
    }
}
