//! What an audit found, as it is kept: in both languages, with our ids in place of names.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use curate::book::{Draft, Rule};
use pipeline::report::Sentence;
use pipeline::{Audit, AuditFinding, Lang, Metric, words};
use serde::{Deserialize, Serialize};

use crate::db::examples::ExampleRow;
use crate::db::milestones::Decided;
use crate::db::{Db, Tenant};
use crate::error::ApiError;
use crate::tasks::{Task, together};

/// Findings that are kept: more than a person works through in a week.
const MOST_FINDINGS: usize = 2000;
/// Examples of one finding that the worklist shows.
const MOST_SHOWN: usize = 24;
/// And that are kept, for the gallery.
const MOST_KEPT: usize = 1000;

/// A sentence in both languages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Both {
    en: String,
    zh: String,
}

impl Both {
    pub(crate) fn pick(&self, lang: Lang) -> String {
        lang.pick(&self.en, &self.zh).clone()
    }
}

impl From<&Sentence> for Both {
    fn from(sentence: &Sentence) -> Self {
        Self { en: sentence.en.clone(), zh: sentence.zh.clone() }
    }
}

/// An audit as it is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Worklist {
    pub(crate) advice: Vec<KeptAdvice>,
    pub(crate) checks: Vec<KeptCheck>,
    pub(crate) cautions: Vec<Both>,
    pub(crate) findings: Vec<KeptFinding>,
}

/// What to do first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptAdvice {
    pub(crate) sentence: Both,
    pub(crate) action: serde_json::Value,
    pub(crate) n: usize,
    /// Expected change, with the ends of its 95 % interval.
    pub(crate) gain: [f64; 3],
    /// Of what; worklists of before knew accuracy only.
    #[serde(default)]
    pub(crate) metric: Metric,
    pub(crate) minutes: f64,
}

/// What was looked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptCheck {
    pub(crate) fault: String,
    /// Of several; worklists of before have none.
    #[serde(default)]
    pub(crate) sense: Option<String>,
    pub(crate) title: Both,
    /// Examples; findings where it is about the set as a whole.
    pub(crate) flagged: usize,
    pub(crate) n: usize,
}

/// What was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptFinding {
    pub(crate) number: usize,
    pub(crate) fault: String,
    /// Of several, the one that shows it; worklists of before have none.
    #[serde(default)]
    pub(crate) sense: Option<String>,
    pub(crate) title: Both,
    pub(crate) meaning: Both,
    pub(crate) action: serde_json::Value,
    pub(crate) action_text: Both,
    pub(crate) about: Option<Both>,
    /// As the task keeps it.
    pub(crate) given: Option<String>,
    /// As the task keeps it.
    pub(crate) suggested: Option<String>,
    pub(crate) score: f64,
    /// Ids of examples; the one to act on first. Worklists of before kept only those that are shown.
    pub(crate) examples: Vec<String>,
    /// Similar examples with their distances.
    pub(crate) neighbours: Vec<(String, f32)>,
    /// Of a case that wants a rule; worklists of before have none.
    #[serde(default)]
    pub(crate) conflict: Option<KeptConflict>,
    /// The rule that is broken.
    #[serde(default)]
    pub(crate) rule: Option<i64>,
}

impl KeptFinding {
    /// Whether it is of this fault, in the one of several senses that is named or in no single one; without a fault, in this sense or any.
    pub(crate) fn is_of(&self, fault: Option<&str>, sense: Option<&str>) -> bool {
        match fault {
            Some(fault) => fault == self.fault && sense == self.sense.as_deref(),
            None => sense.is_none() || sense == self.sense.as_deref(),
        }
    }

    /// Those of its examples that the worklist shows.
    pub(crate) fn shown(&self) -> &[String] {
        &self.examples[..self.examples.len().min(MOST_SHOWN)]
    }
}

/// What a rule may say about a case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptConflict {
    pub(crate) a: String,
    pub(crate) b: String,
    /// Number of examples.
    pub(crate) n: usize,
    /// The division by an attribute that is offered.
    pub(crate) split: Option<Rule>,
}

/// A case with all that its entry of the book will hold: kept apart, since lists are read often and this is not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptCase {
    pub(crate) draft: Draft,
    pub(crate) base: String,
    /// Of the data that were looked through.
    pub(crate) fingerprint: String,
    pub(crate) members: Vec<Member>,
    pub(crate) split: Option<Rule>,
}

/// An example of a case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Its id.
    pub(crate) example: String,
    /// What the division that is offered makes of it, where what decides is known of it.
    split: Option<String>,
}

impl Member {
    /// The label that a rule gives it, or `None` where it is to go; nothing where the rule cannot tell.
    pub(crate) fn label(&self, rule: &Rule, draft: &Draft) -> Option<Option<String>> {
        match rule {
            Rule::AllA => Some(Some(draft.a.clone())),
            Rule::AllB => Some(Some(draft.b.clone())),
            Rule::NewClass { name } => Some(Some(name.clone())),
            Rule::Exclude => Some(None),
            Rule::Split { .. } => self.split.clone().map(Some),
        }
    }
}

/// Worklists that were read last, so that each is read once and not for every page of it.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    of: Mutex<HashMap<String, Reading>>,
}

/// Worklists that are held: a large one takes a few MB.
const MOST_READ: usize = 32;

/// The worklist of an audit.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// The data that were looked through.
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) worklist: Arc<Worklist>,
}

impl Readings {
    /// The newest worklist of a data set; `None` when nobody looked yet.
    pub(crate) async fn newest(
        &self,
        db: &Db,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Option<Reading>, ApiError> {
        let Some(newest) = db.audited(tenant, dataset).await? else { return Ok(None) };
        let known = self.lock().get(dataset).cloned();
        if let Some(known) = known.filter(|known| (known.seq, known.at) == newest) {
            return Ok(Some(known));
        }
        let Some(row) = db.audit(tenant, dataset).await? else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || serde_json::from_str(&row.body)).await;
        let read = read.map_err(|error| ApiError::internal(&error))?;
        let worklist = Arc::new(read.map_err(|error| ApiError::internal(&error))?);
        let reading = Reading { seq: row.seq, at: row.at, worklist };
        let mut of = self.lock();
        if of.len() >= MOST_READ {
            of.clear();
        }
        of.insert(dataset.to_owned(), reading.clone());
        Ok(Some(reading))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Reading>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worklist {
    /// Of an audit of these examples, by the names that the audit knows.
    pub(crate) fn of(audit: &Audit, task: Task, rows: &HashMap<String, ExampleRow>) -> Self {
        let advice = audit.worthwhile().map(|advice| KeptAdvice {
            sentence: Both::from(&advice.told),
            action: serde_json::json!(advice.action),
            n: advice.n,
            gain: [advice.gain.value, advice.gain.low, advice.gain.high],
            metric: advice.metric,
            minutes: advice.minutes,
        });
        let checks = audit.summary().into_iter().map(|summary| KeptCheck {
            fault: summary.fault.name().to_owned(),
            title: title(summary.sense.as_deref(), summary.fault),
            flagged: summary.told(),
            sense: summary.sense,
            n: summary.n,
        });
        let findings = audit.findings.iter().take(MOST_FINDINGS).map(|finding| kept(finding, task, rows));
        Self {
            advice: advice.collect(),
            checks: checks.collect(),
            cautions: audit.cautions.iter().map(Both::from).collect(),
            findings: findings.collect(),
        }
    }

    /// How often what was decided, by what was advised. `decisions` are by the number of the finding.
    pub(crate) fn decided(&self, decisions: &BTreeMap<i64, String>) -> Decided {
        let mut counts = Decided::new();
        for finding in &self.findings {
            let number = i64::try_from(finding.number).unwrap_or(i64::MAX);
            if let (Some(decision), Some(action)) = (decisions.get(&number), finding.action.as_str()) {
                *counts.entry(action.to_owned()).or_default().entry(decision.clone()).or_default() += 1;
            }
        }
        counts
    }
}

/// The cases of an audit that want a rule, by the numbers of their findings.
pub(crate) fn cases(audit: &Audit, rows: &HashMap<String, ExampleRow>) -> Vec<(usize, KeptCase)> {
    let fingerprint = audit.facts.iter().find(|(name, _)| name == "data fingerprint");
    let fingerprint = fingerprint.map(|(_, value)| value.clone()).unwrap_or_default();
    let case = |finding: &AuditFinding| {
        let draft = Draft::clone(finding.case.as_deref()?);
        let offered = finding.offered.as_ref();
        let member = |(place, name): (usize, &String)| {
            let split = offered.and_then(|offered| offered.labels.get(place).cloned().flatten());
            Some(Member { example: rows.get(name)?.id.clone(), split })
        };
        let kept = KeptCase {
            draft,
            base: audit.base.clone()?,
            fingerprint: fingerprint.clone(),
            members: finding.ids.iter().enumerate().filter_map(member).collect(),
            split: offered.map(|offered| offered.rule.clone()),
        };
        Some((finding.number, kept))
    };
    audit.findings.iter().take(MOST_FINDINGS).filter_map(case).collect()
}

fn kept(finding: &AuditFinding, task: Task, rows: &HashMap<String, ExampleRow>) -> KeptFinding {
    let id = |name: &String| rows.get(name).map(|row| row.id.clone());
    KeptFinding {
        number: finding.number,
        fault: finding.fault.name().to_owned(),
        sense: finding.sense.clone(),
        title: title(finding.sense.as_deref(), finding.fault),
        meaning: Both {
            en: words::fault_meaning(finding.fault, Lang::En).to_owned(),
            zh: words::fault_meaning(finding.fault, Lang::Zh).to_owned(),
        },
        action: serde_json::json!(finding.action),
        action_text: Both::from(&finding.action.sentence()),
        about: finding.about.as_ref().map(Both::from),
        given: finding.ids.first().and_then(|name| rows.get(name)?.label.clone()),
        suggested: suggested(finding, task),
        score: finding.score,
        examples: finding.ids.iter().filter_map(id).take(MOST_KEPT).collect(),
        neighbours: finding
            .neighbours
            .iter()
            .filter_map(|neighbour| Some((id(&neighbour.id)?, neighbour.distance)))
            .collect(),
        conflict: finding.case.as_ref().map(|draft| KeptConflict {
            a: draft.a.clone(),
            b: draft.b.clone(),
            n: draft.members.len(),
            split: finding.offered.as_ref().map(|offered| offered.rule.clone()),
        }),
        rule: finding.rule.and_then(|number| i64::try_from(number).ok()),
    }
}

/// What an example should be answered, as the task keeps it.
fn suggested(finding: &AuditFinding, task: Task) -> Option<String> {
    match task {
        Task::Class => finding.suggested.clone(),
        Task::Classes => finding.suggested_set.as_deref().map(together),
        Task::Number => Some(finding.suggested.as_ref()?.parse::<f64>().ok()?.to_string()),
    }
}

fn title(sense: Option<&str>, fault: pipeline::Fault) -> Both {
    Both { en: words::fault_of(sense, fault, Lang::En), zh: words::fault_of(sense, fault, Lang::Zh) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_worklist_is_read_once_and_anew_after_another_audit() {
        let dir = tempfile::tempdir().expect("a folder");
        let db = Db::open(dir.path(), None).await.expect("a database");
        let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
        let tenant = Tenant::of_row(db.person(&ann).await.expect("asked").expect("ann").tenant);
        let set = db.add_dataset(&tenant, "set", Task::Class).await.expect("added");
        let readings = Readings::default();
        let newest = async || readings.newest(&db, &tenant, &set).await.expect("asked");
        assert!(newest().await.is_none());
        let body = serde_json::to_string(&Worklist::default()).expect("plain data");
        let audit = async |at: i64| {
            let sql = "INSERT INTO audit (tenant, dataset, seq, at, body) VALUES ($1, $2, 0, $3, $4) \
                 ON CONFLICT (dataset) DO UPDATE SET at = excluded.at";
            let mut connection = db.of(&tenant).await.expect("a connection");
            let ask = sqlx::query(sql).bind(tenant.id()).bind(&set).bind(at).bind(&body);
            ask.execute(&mut *connection).await.expect("kept");
        };
        audit(1).await;
        let (first, again) = (newest().await.expect("one"), newest().await.expect("the same"));
        assert!(Arc::ptr_eq(&first.worklist, &again.worklist));
        audit(2).await;
        let other = newest().await.expect("another");
        assert!(other.at == 2 && !Arc::ptr_eq(&first.worklist, &other.worklist));
    }
}
