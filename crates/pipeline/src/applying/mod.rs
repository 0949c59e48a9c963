//! Findings of an audit that a person accepts become a new revision of the data: a table beside the old data, which stays as it
//! is. What was done, what it was expected to bring and what it brought are written beside the table.

mod draft;
mod findings;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use curate::faults::Fault;
use dataset::{Content, Dataset, Example, Part, ReadOptions, Target};
use serde::Serialize;

use crate::auditing::{
    Action, Against, Asked, BookState, Done, Gain, HeardOf, Metric, annotator, label_text,
};
use crate::columns::{Columns, Values};
use crate::features::{self, Table};
use crate::pieces::times;
use crate::{Home, PipelineError, Run, Step};

use draft::Draft;
pub use findings::{Findings, StoredFinding};
use rules::Rules;

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

/// Why nothing was applied.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum ApplyError {
    #[error("cannot read `{}`: {source}", path.display())]
    Open { path: PathBuf, source: std::io::Error },
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("`{}` is no file of findings that `audit --out findings.json` wrote: {detail}", path.display())]
    Malformed { path: PathBuf, detail: String },
    #[error("`{}` holds no verdicts that `review` wrote: {detail}; move it away to begin anew", path.display())]
    Verdicts { path: PathBuf, detail: String },
    #[error("the data at `{}` are not those that were audited; audit them again, or pass --data with where those are", path.display())]
    OtherData { path: PathBuf },
    #[error("there is no finding {number}; there are {count}")]
    NoFinding { number: usize, count: usize },
    #[error("finding {number} cannot be applied to a table; what it asks for is: {}", action.sentence().en)]
    NotForTables { number: usize, action: Action },
    #[error("the findings speak of `{id}`, which the data do not have; audit them again")]
    NoExample { id: String },
    #[error(
        "`{id}` has none of the labels, which a table cannot tell from not being labelled; give it a label for that, such as `none`"
    )]
    NoneOfThem { id: String },
    #[error("finding {number} needs a decision, and offers no rule: pass {number}=LABEL")]
    NeedsLabel { number: usize },
    #[error("finding {number} decides on a rule: name who decides, with --author")]
    NoAuthor { number: usize },
    #[error("the findings do not hold the case of finding {number}, which the label book needs")]
    NoCase { number: usize },
    #[error(
        "the rules in `{}` were decided with the base `{of_book}` ({dim} numbers an example), the findings with `{of_findings}` ({got})",
        path.display()
    )]
    OtherBook { path: PathBuf, of_book: String, dim: usize, of_findings: String, got: usize },
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
    /// The sense of it that was taken out, of several; absent where the change is about the example as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sense: Option<String>,
    /// Its label before.
    pub from: Option<String>,
    /// Its label after; absent where the example, or one of its senses, was taken out.
    pub to: Option<String>,
}

impl Change {
    /// Whether the example was taken out as a whole.
    pub fn takes_out(&self) -> bool {
        self.to.is_none() && self.sense.is_none()
    }
}

/// What happens to which row: to a sense of it, by its name, or to all of it.
type Changes = BTreeMap<(usize, Option<String>), Change>;

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
    if findings.fingerprint().is_some_and(|audited| !parent.starts_with(audited)) {
        return Err(ApplyError::OtherData { path }.into());
    }
    let changes = changes(&findings, request, &data)?;
    let rules = Rules::of(request, &findings, &parent)?;
    let (features, bases) = features::of_all_senses(home, request.base.as_deref(), data.clone(), run)?;
    let bases = bases.iter().map(|base| base.id()).collect::<Vec<_>>().join(" + ");
    let HeardOf { against, n_unheard } = rules.heard(&features, &bases, &changes, run)?;
    let (realised, metric) = gain(&features, &changes, run)?.unzip();
    let table = table(&data, &changes, &request.out)?;
    run.step(Step::Write, || {
        let again = ReadOptions { contents: data.senses.clone(), ..ReadOptions::default() };
        // Under other names until everything is known to be right.
        let draft = Draft::write(request.out.clone(), &table.csv())?;
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
            changes: changes.into_values().collect(),
        };
        let book = rules.drafts()?;
        draft.publish()?;
        book.into_iter().try_for_each(Draft::publish)?;
        let bytes = serde_json::to_vec_pretty(&revision).expect("a revision is plain values");
        store::write_atomic(&record_of(&request.out), |file| file.write_all(&bytes))?;
        Ok(revision)
    })
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

/// What happens to which row; the last word counts where several findings are about one example.
fn changes(findings: &Findings, request: &ApplyRequest, data: &Dataset) -> Result<Changes, ApplyError> {
    let rows: BTreeMap<&str, usize> =
        data.examples.iter().enumerate().map(|(row, example)| (example.id.0.as_str(), row)).collect();
    let mut changes = Changes::new();
    for Accepted { number, label } in &request.accepted {
        let finding = findings.find(*number)?;
        let place =
            |id: &String| rows.get(id.as_str()).copied().ok_or(ApplyError::NoExample { id: id.clone() });
        let about: Vec<usize> = finding.ids.iter().map(place).collect::<Result<_, _>>()?;
        for (row, to) in doing(finding, &about, label.as_deref(), data)? {
            let example = &data.examples[row];
            let from = label_text(data, example);
            // What is wrong with one of several senses costs the example this sense, not its place.
            let sense = finding.sense.clone().filter(|_| to.is_none() && !data.senses.is_empty());
            let place = (row, sense.clone());
            if to.is_some() && from == to {
                // The label it has is what was decided, whatever was accepted before.
                changes.remove(&place);
            } else {
                let (finding, fault, id) = (*number, finding.fault.clone(), example.id.0.clone());
                changes.insert(place, Change { finding, fault, id, sense, from, to });
            }
        }
    }
    take_out_what_is_empty(&mut changes, data);
    Ok(changes)
}

/// An example that loses every sense it has is taken out.
fn take_out_what_is_empty(changes: &mut Changes, data: &Dataset) {
    let rows: BTreeSet<usize> = changes.keys().map(|(row, _)| *row).collect();
    for row in rows {
        let Content::Senses(senses) = &data.examples[row].content else { continue };
        let place = |name: &String| (row, Some(name.clone()));
        if !senses.keys().all(|name| changes.contains_key(&place(name))) {
            continue;
        }
        let mut last = None;
        for name in senses.keys() {
            last = changes.remove(&place(name)).or(last);
        }
        changes.extend(last.map(|change| ((row, None), Change { sense: None, ..change })));
    }
}

/// The rows that a finding changes, each with the label it gets; without one it is taken out.
fn doing(
    finding: &StoredFinding,
    about: &[usize],
    label: Option<&str>,
    data: &Dataset,
) -> Result<Vec<(usize, Option<String>)>, ApplyError> {
    let number = finding.number;
    let all = |label: Option<&str>| about.iter().map(|row| (*row, label.map(str::to_owned))).collect();
    let without = |rows: Vec<usize>| rows.into_iter().map(|row| (row, None)).collect();
    Ok(match (finding.action, label.or(finding.suggested.as_deref())) {
        // No label at all is the rule that such examples are not used.
        (Action::DecideRule, Some("")) => all(None),
        (_, Some("")) => return Err(ApplyError::NeedsLabel { number }),
        (Action::Relabel | Action::DecideLabel | Action::DecideRule | Action::CheckLabel, Some(label)) => {
            all(Some(label))
        }
        (Action::DecideRule, None) => {
            let Some(offered) = &finding.offered else { return Err(ApplyError::NeedsLabel { number }) };
            // Where what decides is not known, the label stays.
            let known = about.iter().zip(&offered.labels).filter(|(_, label)| label.is_some());
            known.map(|(row, label)| (*row, label.clone())).collect()
        }
        (Action::Relabel | Action::DecideLabel | Action::CheckLabel, None) => {
            return Err(ApplyError::NeedsLabel { number });
        }
        (Action::KeepOne, _) => without(about.iter().skip(1).copied().collect()),
        (Action::RemoveFromTest, _) => {
            let is_test = |row: &usize| data.examples[*row].part == Some(Part::Test);
            without(about.iter().copied().filter(is_test).collect())
        }
        (
            Action::CheckMembership
            | Action::CheckPairing
            | Action::Redact
            | Action::RepairText
            | Action::Replace,
            _,
        ) => all(label),
        (action, _) => return Err(ApplyError::NotForTables { number, action }),
    })
}

/// The new table: content, label, group and part, what else was known, and the id, by which the next revision knows it.
fn table(data: &Dataset, changes: &Changes, out: &Path) -> Result<Columns, ApplyError> {
    let whole = |row: usize| changes.get(&(row, None));
    let gone = |row: &usize| whole(*row).is_some_and(Change::takes_out);
    let kept: Vec<usize> = (0..data.examples.len()).filter(|row| !gone(row)).collect();
    let column = |of: &dyn Fn(usize, &Example) -> Option<String>| {
        Values::Texts(kept.iter().map(|row| of(*row, &data.examples[*row])).collect())
    };
    let is_none =
        |row: &&usize| whole(**row).is_none() && data.examples[**row].target == Target::Classes(Vec::new());
    if let Some(row) = kept.iter().find(is_none) {
        return Err(ApplyError::NoneOfThem { id: data.examples[*row].id.0.clone() });
    }
    let mut columns = Columns::default();
    let folder = std::path::absolute(out).ok().and_then(|out| out.parent().map(Path::to_owned));
    let cell = |content: &Content| match content {
        Content::Text(text) => Some(text.clone()),
        content => {
            let full = std::path::absolute(content.file()?).ok()?;
            let place = folder.as_ref().and_then(|folder| full.strip_prefix(folder).ok()).unwrap_or(&full);
            Some(place.to_string_lossy().into_owned())
        }
    };
    if data.senses.is_empty() {
        columns.push(data.modality.to_string(), column(&|_, example| cell(&example.content)));
    }
    for sense in &data.senses {
        let of = |row: usize, example: &Example| match &example.content {
            Content::Senses(_) if changes.contains_key(&(row, Some(sense.name.clone()))) => None,
            Content::Senses(senses) => senses.get(&sense.name).and_then(cell),
            _ => None,
        };
        columns.push(sense.name.clone(), column(&of));
    }
    if data.examples.iter().any(|example| times(example).is_some()) {
        columns.push("start", column(&|_, example| Some(times(example)?.0)));
        columns.push("end", column(&|_, example| times(example)?.1));
    }
    columns.push(
        "label",
        column(&|row, example| match whole(row) {
            Some(change) => change.to.clone(),
            None => label_text(data, example),
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
    if data.examples.iter().any(|example| annotator(example).is_some()) {
        columns.push("annotator", column(&|_, example| annotator(example)));
    }
    columns.push("id", column(&|_, example| Some(example.id.0.clone())));
    Ok(columns)
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

#[cfg(test)]
mod tests {
    use dataset::{Modality, Sense};

    use super::*;

    /// Three examples of two senses, the last without the second.
    fn data() -> (tempfile::TempDir, Dataset) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("parts.csv");
        let rows =
            "id,note,memo,label\na,it hums,all is well,fine\nb,it rattles,look at it,worn\nc,it hums,,fine\n";
        std::fs::write(&path, rows).unwrap();
        let sense = |name: &str| Sense { name: name.to_owned(), modality: Modality::Text };
        let read = ReadOptions {
            contents: vec![sense("note"), sense("memo")],
            label: Some("label".to_owned()),
            ..ReadOptions::default()
        };
        let (data, _) = dataset::read_held_out(&path, &read).unwrap();
        (dir, data)
    }

    /// What accepting all of some findings makes of the data: the table and how many examples were taken out.
    #[track_caller]
    fn check(findings: serde_json::Value, accepted: &[(usize, Option<&str>)], rows: &[&str], n_gone: usize) {
        let (dir, data) = data();
        let findings = serde_json::json!({ "findings": findings, "advice": [], "info": { "facts": {} } });
        let mut findings: Findings = serde_json::from_value(findings).unwrap();
        for finding in &mut findings.findings {
            finding.ids = vec![data.examples[finding.ids[0].parse::<usize>().unwrap()].id.0.clone()];
        }
        let accepted = accepted
            .iter()
            .map(|(number, label)| Accepted { number: *number, label: label.map(str::to_owned) });
        let request = ApplyRequest {
            findings: PathBuf::new(),
            data: None,
            read: ReadOptions::default(),
            accepted: accepted.collect(),
            out: dir.path().join("second.csv"),
            base: None,
            book: None,
        };
        let changes = changes(&findings, &request, &data).unwrap();
        let table = table(&data, &changes, &request.out).unwrap().csv();
        let told: Vec<String> =
            table.lines().skip(1).map(|row| row.split(',').take(3).collect::<Vec<_>>().join(",")).collect();
        assert_eq!(told, rows);
        assert_eq!(changes.values().filter(|change| change.takes_out()).count(), n_gone);
    }

    fn finding(number: usize, row: usize, sense: Option<&str>, action: &str) -> serde_json::Value {
        serde_json::json!({
            "number": number, "fault": "sense_conflict", "sense": sense, "ids": [row.to_string()],
            "given": null, "suggested": null, "action": action, "offered": null
        })
    }

    #[test]
    fn what_is_wrong_with_one_sense_costs_the_example_that_sense() {
        let of = |sense| {
            serde_json::json!([finding(1, 0, sense, "check_pairing"), finding(2, 0, None, "replace")])
        };
        let others = ["it rattles,look at it,worn", "it hums,,fine"];
        let with = |first| [&[first][..], &others].concat();
        check(of(Some("note")), &[(1, None)], &with(",all is well,fine"), 0);
        check(of(Some("memo")), &[(1, None)], &with("it hums,,fine"), 0);
        // A label says that the senses are right.
        check(of(Some("memo")), &[(1, Some("worn"))], &with("it hums,all is well,worn"), 0);
        check(of(None), &[(1, None)], &others, 1);
        check(of(Some("memo")), &[(1, None), (2, None)], &others, 1);
    }

    #[test]
    fn an_example_that_loses_its_last_sense_is_taken_out() {
        let found = serde_json::json!([
            finding(1, 0, Some("note"), "check_pairing"),
            finding(2, 0, Some("memo"), "replace"),
            finding(3, 2, Some("note"), "replace")
        ]);
        let b = "it rattles,look at it,worn";
        check(found.clone(), &[(1, None), (2, None)], &[b, "it hums,,fine"], 1);
        check(found, &[(3, None)], &["it hums,all is well,fine", b], 1);
    }
}
