//! Findings of an audit that a person accepts become a new revision of the data: a table beside the old data, which stays as it
//! is. What was done, what it was expected to bring and what it brought are written beside the table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dataset::{Content, Dataset, Example, Part, ReadOptions, Target};
use serde::{Deserialize, Serialize};

use crate::auditing::{Action, Asked, Decided, Gain, Shelved};
use crate::columns::{Columns, Values};
use crate::features::Table;
use crate::{Home, PipelineError, Run, Step};

/// Bytes of the largest file of findings that is read.
const MOST_BYTES: u64 = 1 << 30;

/// What to do with which findings.
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    /// What `audit --out` wrote as JSON.
    pub findings: PathBuf,
    /// Where the data are now; absent: where the audit found them.
    pub data: Option<PathBuf>,
    /// What the person said about the data.
    pub read: ReadOptions,
    /// The findings that are accepted.
    pub accepted: Vec<Accepted>,
    /// Where the new revision goes; nothing is there yet.
    pub out: PathBuf,
    /// Catalogue id of the base by which to say what it brought; absent: the default for the kind of data.
    pub base: Option<String>,
    /// Where rules that are decided are written down.
    pub book: Option<BookRequest>,
}

/// A label book that rules are added to.
#[derive(Debug, Clone)]
pub struct BookRequest {
    /// Its JSON file; it is begun where there is none. What is to be read lies beside it, ending in `.md` and `.zh.md`.
    pub path: PathBuf,
    /// Who decided.
    pub author: String,
    /// `YYYY-MM-DD`
    pub date: String,
}

/// A finding that is accepted, by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// As the audit numbers it.
    pub number: usize,
    /// The label that the person decided on; absent: the one suggested.
    pub label: Option<String>,
}

/// What an audit found, as far as it is applied.
#[derive(Debug, Clone, Deserialize)]
pub struct Findings {
    /// Where the data were.
    pub data: Option<PathBuf>,
    /// The findings, in the audit's order.
    pub findings: Vec<StoredFinding>,
    advice: Vec<StoredAdvice>,
    info: StoredInfo,
}

#[derive(Debug, Clone, Deserialize)]
struct StoredInfo {
    facts: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
struct StoredAdvice {
    action: Action,
    n: usize,
    finding: Option<usize>,
    gain: Gain,
}

/// One of them.
#[derive(Debug, Clone, Deserialize)]
pub struct StoredFinding {
    /// Counted from 1.
    pub number: usize,
    /// What is wrong.
    pub fault: String,
    /// The examples it is about, the one to act on first.
    pub ids: Vec<String>,
    /// The label of the first.
    pub given: Option<String>,
    /// The label it should probably have.
    pub suggested: Option<String>,
    /// What was to be done.
    pub action: Action,
}

/// Why nothing was applied.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum ApplyError {
    #[error("cannot read `{}`: {source}", path.display())]
    Open { path: PathBuf, source: std::io::Error },
    #[error("`{}` is no file of findings that `audit --out findings.json` wrote: {detail}", path.display())]
    Malformed { path: PathBuf, detail: String },
    #[error("the data at `{}` are not those that were audited; audit them again, or pass --data with where those are", path.display())]
    OtherData { path: PathBuf },
    #[error("there is no finding {number}; there are {count}")]
    NoFinding { number: usize, count: usize },
    #[error("finding {number} cannot be applied to a table; what it asks for is: {}", action.sentence().en)]
    NotForTables { number: usize, action: Action },
    #[error("finding {number} needs a decision: pass {number}=LABEL")]
    NeedsLabel { number: usize },
    #[error("`{}` is already there; a revision is never written over, so pass another place", path.display())]
    Exists { path: PathBuf },
    #[error("no finding was accepted; pass --accept with numbers, names of faults or `all`")]
    NothingAccepted,
}

/// What one accepted finding does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The number of the finding.
    pub finding: usize,
    /// What was wrong.
    pub fault: String,
    /// The example.
    pub id: String,
    /// Its label before.
    pub from: Option<String>,
    /// Its label after; absent where the example was taken out.
    pub to: Option<String>,
}

/// A new revision of the data.
#[derive(Debug, Clone, Serialize)]
pub struct Revision {
    /// Fingerprint of the data before.
    pub parent: String,
    /// Fingerprint of the table that was written.
    pub fingerprint: String,
    /// What was done, in the order of the data.
    pub changes: Vec<Change>,
    /// Examples that are left.
    pub n: usize,
    /// What the audit expected of relabelling as many as were, and of the rules that were decided; absent where neither was done.
    pub predicted: Option<Gain>,
    /// Rules that were added to the label book.
    pub n_rules: usize,
    /// What all changes together brought: a head taught by the new labels instead of the old, asked about all examples that are
    /// left, the new labels being right.
    pub realised: Option<Gain>,
}

impl Findings {
    /// Reads them.
    ///
    /// # Errors
    /// [`ApplyError::Open`], [`ApplyError::Malformed`].
    pub fn read(path: &Path) -> Result<Self, ApplyError> {
        let open = |source| ApplyError::Open { path: path.to_owned(), source };
        let malformed = |detail: String| ApplyError::Malformed { path: path.to_owned(), detail };
        if std::fs::metadata(path).map_err(open)?.len() > MOST_BYTES {
            return Err(malformed(format!("it has more than {MOST_BYTES} bytes")));
        }
        let bytes = std::fs::read(path).map_err(open)?;
        serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))
    }

    /// Of all that was to be relabelled the share that was, and the rules that were decided.
    fn predicted(&self, changes: &BTreeMap<usize, Change>) -> Option<Gain> {
        let done: BTreeSet<usize> = changes.values().map(|change| change.finding).collect();
        let is_done = |advice: &&StoredAdvice| advice.finding.is_some_and(|finding| done.contains(&finding));
        let rules = self.advice.iter().filter(is_done).map(|advice| (1.0, advice.gain));
        let parts: Vec<(f64, Gain)> = self.relabelled(changes).into_iter().chain(rules).collect();
        let value = parts.iter().map(|(share, gain)| share * gain.value).sum();
        let squares = |(share, gain): &(f64, Gain)| (share * (gain.high - gain.low) / 2.0).powi(2);
        let error = parts.iter().map(squares).sum::<f64>().sqrt();
        (!parts.is_empty()).then_some(Gain { value, low: value - error, high: value + error })
    }

    /// The share of what was to be relabelled that was, with what all of it was worth.
    fn relabelled(&self, changes: &BTreeMap<usize, Change>) -> Option<(f64, Gain)> {
        let advice = self.advice.iter().find(|advice| advice.action == Action::Relabel)?;
        let is_relabelled = |change: &&Change| {
            let action = self.findings.iter().find(|finding| finding.number == change.finding);
            action.is_some_and(|finding| finding.action == Action::Relabel)
        };
        let n = changes.values().filter(is_relabelled).count();
        (n > 0).then_some((n as f64 / advice.n.max(1) as f64, advice.gain))
    }

    fn find(&self, number: usize) -> Result<&StoredFinding, ApplyError> {
        let found = self.findings.iter().find(|finding| finding.number == number);
        found.ok_or(ApplyError::NoFinding { number, count: self.findings.len() })
    }
}

/// Applies the findings accepted and writes the revision, with `.revision.json` behind its name what was done.
///
/// # Errors
/// [`ApplyError`]; data that cannot be read. Nothing is written then.
pub fn apply(home: &Home, request: &ApplyRequest, run: &Run<'_>) -> Result<Revision, PipelineError> {
    let findings = Findings::read(&request.findings)?;
    if request.accepted.is_empty() {
        return Err(ApplyError::NothingAccepted.into());
    }
    if request.out.exists() {
        return Err(ApplyError::Exists { path: request.out.clone() }.into());
    }
    let path = request.data.clone().or_else(|| findings.data.clone()).unwrap_or_default();
    let (data, _) = run.step(Step::Read, || Ok(dataset::read_held_out(&path, &request.read)?))?;
    let parent = data.fingerprint().to_string();
    let audited = findings.info.facts.get("data_fingerprint");
    if audited.is_some_and(|audited| !parent.starts_with(audited)) {
        return Err(ApplyError::OtherData { path }.into());
    }
    let changes = changes(&findings, request, &data)?;
    let shelved = request.book.as_ref().map(|book| Shelved::open(&book.path)).transpose()?;
    let id = request.base.clone().unwrap_or_else(|| Home::default_base(data.modality).to_owned());
    let base = home.open_base(&id, run)?;
    let features = crate::features::table(home, &base, data.clone(), run)?;
    let realised = gain(&features, &changes, run)?;
    let decided = decided(&findings, request);
    run.step(Step::Write, || {
        let table = table(&data, &changes, &request.out);
        store::write_atomic(&request.out, |file| file.write_all(table.csv().as_bytes()))?;
        let (written, _) = dataset::read_held_out(&request.out, &ReadOptions::default())?;
        let gone = changes.values().filter(|change| change.to.is_none()).count();
        let revision = Revision {
            parent,
            fingerprint: written.fingerprint().to_string(),
            n: data.examples.len() - gone,
            n_rules: match shelved.zip(request.book.as_ref()) {
                Some((shelved, BookRequest { author, date, .. })) => {
                    shelved.add(&features, base.id(), &decided, (author, date))?
                }
                None => 0,
            },
            predicted: findings.predicted(&changes),
            realised,
            changes: changes.into_values().collect(),
        };
        let bytes = serde_json::to_vec_pretty(&revision).expect("a revision is plain values");
        store::write_atomic(&record_of(&request.out), |file| file.write_all(&bytes))?;
        Ok(revision)
    })
}

/// Where it is written what was done.
pub fn record_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".revision.json");
    name.into()
}

/// What happens to which row; the last word counts where several findings are about one example.
fn changes(
    findings: &Findings,
    request: &ApplyRequest,
    data: &Dataset,
) -> Result<BTreeMap<usize, Change>, ApplyError> {
    let rows: BTreeMap<&str, usize> =
        data.examples.iter().enumerate().map(|(row, example)| (example.id.0.as_str(), row)).collect();
    let mut changes = BTreeMap::new();
    for Accepted { number, label } in &request.accepted {
        let finding = findings.find(*number)?;
        let about: Vec<usize> = finding.ids.iter().filter_map(|id| rows.get(id.as_str()).copied()).collect();
        let (rows, to) = doing(finding, &about, label.as_deref(), data)?;
        for row in rows {
            let example = &data.examples[row];
            let change = Change {
                finding: *number,
                fault: finding.fault.clone(),
                id: example.id.0.clone(),
                from: label_of(data, example),
                to: to.clone(),
            };
            changes.insert(row, change);
        }
    }
    Ok(changes)
}

/// The rows that a finding changes, and the label they get; without one they are taken out.
fn doing(
    finding: &StoredFinding,
    about: &[usize],
    label: Option<&str>,
    data: &Dataset,
) -> Result<(Vec<usize>, Option<String>), ApplyError> {
    let number = finding.number;
    let is_test = |row: &usize| data.examples[*row].part == Some(Part::Test);
    Ok(match finding.action {
        Action::Relabel | Action::DecideLabel | Action::DecideRule | Action::CheckLabel => {
            let label = label.map(str::to_owned).or_else(|| finding.suggested.clone());
            (about.to_vec(), Some(label.ok_or(ApplyError::NeedsLabel { number })?))
        }
        Action::KeepOne => (about.iter().skip(1).copied().collect(), None),
        Action::RemoveFromTest => (about.iter().copied().filter(is_test).collect(), None),
        Action::CheckMembership | Action::Redact | Action::RepairText | Action::Replace => {
            (about.to_vec(), label.map(str::to_owned))
        }
        action => return Err(ApplyError::NotForTables { number, action }),
    })
}

fn label_of(data: &Dataset, example: &Example) -> Option<String> {
    match &example.target {
        Target::Unlabelled => None,
        Target::Class(class) => Some(data.classes()[class.0 as usize].clone()),
        Target::Classes(set) => {
            let names: Vec<&str> =
                set.iter().map(|class| data.classes()[class.0 as usize].as_str()).collect();
            Some(names.join("|"))
        }
        Target::Number(value) => Some(value.to_string()),
    }
}

/// The new table: content, label, group and part, and what else was known.
fn table(data: &Dataset, changes: &BTreeMap<usize, Change>, out: &Path) -> Columns {
    let gone = |row: &usize| changes.get(row).is_some_and(|change| change.to.is_none());
    let kept: Vec<usize> = (0..data.examples.len()).filter(|row| !gone(row)).collect();
    let column = |of: &dyn Fn(usize, &Example) -> Option<String>| {
        Values::Texts(kept.iter().map(|row| of(*row, &data.examples[*row])).collect())
    };
    let mut columns = Columns::default();
    let folder = std::path::absolute(out).ok().and_then(|out| out.parent().map(Path::to_owned));
    let content = |_: usize, example: &Example| match &example.content {
        Content::Text(text) => Some(text.clone()),
        Content::Image(path) => {
            let full = std::path::absolute(path).ok()?;
            let place = folder.as_ref().and_then(|folder| full.strip_prefix(folder).ok()).unwrap_or(&full);
            Some(place.to_string_lossy().into_owned())
        }
    };
    let is_text = matches!(data.examples.first().map(|example| &example.content), Some(Content::Text(_)));
    columns.push(if is_text { "text" } else { "image" }, column(&content));
    columns.push(
        "label",
        column(&|row, example| match changes.get(&row) {
            Some(change) => change.to.clone(),
            None => label_of(data, example),
        }),
    );
    if data.examples.iter().any(|example| example.group.is_some()) {
        columns.push("group", column(&|_, example| example.group.clone()));
    }
    if data.examples.iter().any(|example| example.part.is_some()) {
        columns.push("split", column(&|_, example| example.part.map(name_of)));
    }
    let details: BTreeSet<&String> =
        data.examples.iter().flat_map(|example| example.details.keys()).collect();
    for name in details {
        columns.push(name.clone(), column(&|_, example| example.details.get(name).cloned()));
    }
    columns
}

/// The name by which a part is read again.
fn name_of(part: Part) -> String {
    match part {
        Part::Train => "train",
        Part::Validation => "validation",
        Part::Test => "test",
    }
    .to_owned()
}

/// The rules among what was accepted.
fn decided(findings: &Findings, request: &ApplyRequest) -> Vec<Decided> {
    let rule = |accepted: &Accepted| {
        let finding = findings.findings.iter().find(|finding| finding.number == accepted.number)?;
        let label = accepted.label.clone().filter(|_| finding.action == Action::DecideRule)?;
        Some(Decided { ids: finding.ids.clone(), label })
    };
    request.accepted.iter().filter_map(rule).collect()
}

/// What the changes brought.
fn gain(
    table: &Table,
    changes: &BTreeMap<usize, Change>,
    run: &Run<'_>,
) -> Result<Option<Gain>, PipelineError> {
    let then: BTreeMap<&str, Option<&str>> =
        changes.values().map(|change| (change.id.as_str(), change.to.as_deref())).collect();
    run.step(Step::Evaluate, || Ok(Asked::table(table)?.map(|asked| asked.gain_of(&then))))
}
