//! Findings of an audit that a person accepts become a new revision of the data: a table beside the old data, which stays as it
//! is. What was done, what it was expected to bring and what it brought are written beside the table.

mod answered;
mod changes;
mod draft;
mod error;
mod findings;
mod labels;
mod rules;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use curate::faults::Fault;
use dataset::{Content, Dataset, ReadOptions};
use serde::Serialize;

use crate::auditing::{Against, Asked, BookState, Done, Gain, HeardOf, Metric};
use crate::features::{self, Table};
use crate::{Home, PipelineError, Run, Step};

pub use answered::{Answered, Said};
pub use changes::Change;
use changes::{Changes, changes};
use draft::Draft;
pub use error::ApplyError;
pub use findings::{Findings, StoredFinding};
pub use labels::NewLabel;
use rules::Rules;

/// What to do with accepted findings.
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    /// What `audit --out` wrote as JSON.
    pub findings: PathBuf,
    /// Where the data are now; absent: where the audit found them.
    pub data: Option<PathBuf>,
    /// What the person said about the data; what they do not say is as it was said to the audit.
    pub read: ReadOptions,
    /// Where the new revision goes; nothing is there yet.
    pub out: PathBuf,
    /// Catalogue id of the base by which to say what it brought; absent: the default for the kind of data.
    pub base: Option<String>,
    /// The label book that is heard about labels, and into which rules that are decided are written.
    pub book: Option<BookRequest>,
}

/// A label book.
#[derive(Debug, Clone)]
pub struct BookRequest {
    /// Its JSON file; it is begun where there is none. What is to be read lies beside it, ending in `.md` and `.zh.md`.
    pub path: PathBuf,
    /// Who decides; needed where a rule is decided.
    pub author: Option<String>,
    /// `YYYY-MM-DD`
    pub date: String,
}

/// A finding that is accepted, by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// As the audit numbers it.
    pub number: usize,
    /// The label that the person decided on; absent: the one suggested, or the rule offered.
    pub label: Option<String>,
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
    /// Labels that no example had before.
    pub new_classes: Vec<String>,
    /// Examples that are left.
    pub n: usize,
    /// What the audit expected of relabelling as many as were, and of the rules that were decided; absent where neither was done.
    pub predicted: Option<Gain>,
    /// Rules that were added to the label book.
    pub n_rules: usize,
    /// The label book that was in force, with those rules; absent where none was.
    pub book: Option<BookState>,
    /// New labels that a rule of it speaks against.
    pub against: Vec<Against>,
    /// New labels of which no rule could tell: it was decided with another base, or asks for what is not known of the example.
    pub n_unheard: usize,
    /// What all changes together brought, measured as it was predicted: a head taught by the new labels instead of the old, asked
    /// about the examples that are left, the new labels being right; those that changed count where a rule decided them.
    pub realised: Option<Gain>,
    /// Of what both are; absent where nothing was brought that can be measured.
    pub metric: Option<Metric>,
}

/// Findings with the data that they are about, before anything is accepted.
pub struct Applying {
    request: ApplyRequest,
    findings: Findings,
    data: Dataset,
    parent: String,
}

impl Applying {
    /// Reads the findings and the data. Everything that would keep a revision from being written and can be known before is told here.
    ///
    /// # Errors
    /// [`ApplyError`]; data that cannot be read.
    pub fn open(request: ApplyRequest, run: &Run<'_>) -> Result<Self, PipelineError> {
        let findings = Findings::read(&request.findings)?;
        for path in [&request.out, &record_of(&request.out)] {
            if path.exists() {
                return Err(ApplyError::Exists { path: path.clone() }.into());
            }
        }
        let Some(path) = request.data.clone().or_else(|| findings.data.clone()) else {
            return Err(ApplyError::OfArrays { path: request.findings.clone() }.into());
        };
        let read = request.read.clone().or(&findings.read);
        let (mut data, _) = run.step(Step::Read, || Ok(dataset::read_held_out(&path, &read)?))?;
        call_as_audited(&mut data, &path, findings.data.as_deref());
        let parent = data.fingerprint().to_string();
        if findings.fingerprint().is_some_and(|audited| !parent.starts_with(audited)) {
            return Err(ApplyError::OtherData { path }.into());
        }
        Ok(Self { request, findings, data, parent })
    }

    /// What was found.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// The text of an example, where it is one.
    pub fn text(&self, id: &str) -> Option<&str> {
        let example = self.data.examples.iter().find(|example| example.id.0 == id)?;
        if let Content::Text(text) = &example.content { Some(text) } else { None }
    }

    /// What a label would bring into the data that a person gives to a finding.
    ///
    /// # Errors
    /// [`ApplyError::NotANumber`], where a number is wanted.
    pub fn new_label(&self, number: usize, label: &str) -> Result<NewLabel, ApplyError> {
        NewLabel::of(label, number, &self.data)
    }

    /// Applies the findings accepted and writes the revision, with `.revision.json` behind its name what was done.
    ///
    /// # Errors
    /// [`ApplyError`]. Nothing is written then.
    pub fn apply(self, home: &Home, accepted: &[Accepted], run: &Run<'_>) -> Result<Revision, PipelineError> {
        let Self { request, findings, data, parent } = self;
        if accepted.is_empty() {
            return Err(ApplyError::NothingAccepted.into());
        }
        let changes = changes(&findings, accepted, &data)?;
        let rules = Rules::of(&request, accepted, &findings, &parent)?;
        let (features, bases) = features::of_all_senses(home, request.base.as_deref(), data.clone(), run)?;
        let bases = bases.iter().map(|base| base.id()).collect::<Vec<_>>().join(" + ");
        let HeardOf { against, n_unheard } = rules.heard(&features, &bases, &changes, run)?;
        let (realised, metric) = gain(&features, &changes, run)?.unzip();
        let table = table::table(&data, &changes, &request.out);
        run.step(Step::Write, || {
            let again = ReadOptions { contents: data.senses.clone(), ..ReadOptions::default() };
            // Under other names until everything is known to be right.
            let draft = Draft::new(request.out.clone(), &table.csv())?;
            let (written, _) = dataset::read_held_out(draft.path(), &again)?;
            let gone = changes.values().filter(|change| change.takes_out()).count();
            let revision = Revision {
                parent,
                fingerprint: written.fingerprint().to_string(),
                n: data.examples.len() - gone,
                n_rules: rules.n_new,
                book: rules.state()?,
                against,
                n_unheard,
                predicted: findings.predicted(&changes),
                realised,
                metric,
                new_classes: labels::new_classes(&data, &changes),
                changes: changes.into_values().collect(),
            };
            let record = serde_json::to_string_pretty(&revision).expect("a revision is plain values");
            let mut drafts = rules.drafts()?;
            drafts.push(Draft::new(record_of(&request.out), &record)?);
            // The table is what everybody looks for: it comes last, when all else is there.
            drafts.push(draft);
            Draft::publish(drafts)?;
            Ok(revision)
        })
    }
}

/// Where it is written what was done.
pub fn record_of(out: &Path) -> PathBuf {
    beside(out, ".revision.json")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Rows of a table are named by its file: where the same table lies under another name, they are called as the audit called them.
fn call_as_audited(data: &mut Dataset, path: &Path, audited: Option<&Path>) {
    let name = |path: &Path| path.file_name().map(|name| format!("{}:", name.to_string_lossy()));
    let (Some(now), Some(then)) = (name(path), audited.and_then(name)) else { return };
    if now == then || !path.is_file() {
        return;
    }
    for example in &mut data.examples {
        if let Some(row) = example.id.0.strip_prefix(&now) {
            example.id.0 = format!("{then}{row}");
        }
    }
}

/// What the changes brought, and of what.
fn gain(table: &Table, changes: &Changes, run: &Run<'_>) -> Result<Option<(Gain, Metric)>, PipelineError> {
    let whole = changes.values().filter(|change| change.sense.is_none());
    let conflict = Fault::Conflict.name();
    let then: BTreeMap<&str, Done<'_>> = whole
        .map(|change| {
            (change.id.as_str(), Done { label: change.to.as_deref(), is_decided: change.fault == conflict })
        })
        .collect();
    run.step(Step::Evaluate, || {
        let Some(asked) = Asked::table(table)? else { return Ok(None) };
        let metric = asked.metric();
        Ok(Some((asked.gain_of(&then), metric)))
    })
}
