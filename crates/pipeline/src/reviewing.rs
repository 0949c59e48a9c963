//! A person looks at some of what an audit flagged, and from the answers follows how much of all of it is right (methods 3.3).
//!
//! Verdicts lie beside the findings, one for each that was looked at; whoever goes on is not asked twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use curate::labels::micro_audit::{Precision, places_to_ask, precision};
use linalg::Seed;
use serde::{Deserialize, Serialize};

use crate::{ApplyError, Audit, Fault, Findings, PipelineError, StoredFinding};

/// Bytes of the largest file of verdicts that is read.
const MOST_BYTES: u64 = 1 << 26;
/// Of the interval.
const CONFIDENCE: f64 = 0.95;

/// What a person says of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is so.
    Right,
    /// It is not.
    Wrong,
    /// Nobody could say.
    Unclear,
}

/// The verdicts on what one audit found.
#[derive(Debug)]
pub struct Review {
    findings: Findings,
    path: PathBuf,
    /// Of the data that were audited.
    fingerprint: String,
    stored: Stored,
}

/// By the fingerprint of the data, the fault and the ids of a finding: verdicts on other data say nothing here, and numbers change
/// with the next audit.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    verdicts: BTreeMap<String, BTreeMap<String, BTreeMap<String, Verdict>>>,
}

/// How much of what was flagged is right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reviewed {
    /// The fault.
    pub fault: String,
    /// Findings of it.
    pub flagged: usize,
    /// Looked at and right.
    pub right: usize,
    /// Looked at and wrong.
    pub wrong: usize,
    /// Looked at and undecided; these say nothing about the others.
    pub unclear: usize,
    /// The share of all that is right, with a 95 % interval; absent before the first clear answer.
    pub share: Option<Share>,
    /// The same of the more suspicious half, and of the other half.
    pub halves: [Option<Share>; 2],
}

/// A share with its interval, all in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// Among the answers.
    pub value: f64,
    /// In all of the list at least.
    pub low: f64,
    /// In all of the list at most.
    pub high: f64,
}

impl Review {
    /// Opens findings with the verdicts that were given on them before.
    ///
    /// # Errors
    /// Files that cannot be read or are none.
    pub fn open(findings: &Path) -> Result<Self, PipelineError> {
        let path = path_of(findings);
        let findings = Findings::read(findings)?;
        let stored = if path.exists() { read(&path)? } else { Stored::default() };
        let fingerprint = findings.fingerprint().unwrap_or_default().to_owned();
        Ok(Self { findings, path, fingerprint, stored })
    }

    /// Opens findings that were reviewed, if these were.
    ///
    /// # Errors
    /// Files that cannot be read or are none.
    pub fn of_before(findings: &Path) -> Result<Option<Self>, PipelineError> {
        let is_there = findings.exists() && path_of(findings).exists();
        if is_there { Self::open(findings).map(Some) } else { Ok(None) }
    }

    /// What follows from the answers for what an audit finds about labels; nothing when that is another list than the one that was
    /// reviewed, which the answers are no fair sample of.
    ///
    /// # Errors
    /// None that a person can cause.
    pub fn of_same(&self, audit: &Audit) -> Result<Option<Reviewed>, PipelineError> {
        let label = Fault::Label.name();
        let fingerprint = audit.facts.iter().find(|(name, _)| name == "data fingerprint");
        let found = audit.findings.iter().filter(|finding| finding.fault == Fault::Label);
        let is_same = fingerprint.is_some_and(|(_, value)| *value == self.fingerprint)
            && found.map(|finding| &finding.ids).eq(self.of(label).into_iter().map(|finding| &finding.ids));
        let reviewed = if is_same { Some(self.reviewed(label)?) } else { None };
        Ok(reviewed.filter(|reviewed| reviewed.share.is_some()))
    }

    /// What to look at next: spread over the list of one fault, until `count` have an answer; those that have one are left out.
    pub fn to_ask(&self, fault: &str, count: usize, seed: u64) -> Vec<&StoredFinding> {
        let all = self.of(fault);
        let places = places_to_ask(all.len(), count, Seed(seed));
        let open = places.into_iter().map(|place| all[place]);
        open.filter(|finding| self.verdict(finding).is_none()).collect()
    }

    /// Writes down what a person says of a finding, by its number.
    ///
    /// # Errors
    /// A number that is none, or a file that cannot be written.
    pub fn answer(&mut self, number: usize, verdict: Verdict) -> Result<(), PipelineError> {
        let finding = self.findings.find(number)?;
        let (fault, key) = (finding.fault.clone(), key(finding));
        let of_data = self.stored.verdicts.entry(self.fingerprint.clone()).or_default();
        of_data.entry(fault).or_default().insert(key, verdict);
        let bytes = serde_json::to_vec_pretty(&self.stored).expect("verdicts are plain values");
        store::write_atomic(&self.path, |file| file.write_all(&bytes))?;
        Ok(())
    }

    /// What follows from the answers about all findings of one fault.
    ///
    /// # Errors
    /// None that a person can cause.
    pub fn reviewed(&self, fault: &str) -> Result<Reviewed, PipelineError> {
        let all = self.of(fault);
        let verdicts: Vec<Option<Verdict>> = all.iter().map(|finding| self.verdict(finding)).collect();
        let count = |wanted| verdicts.iter().filter(|verdict| **verdict == Some(wanted)).count();
        let half = all.len().div_ceil(2);
        Ok(Reviewed {
            fault: fault.to_owned(),
            flagged: all.len(),
            right: count(Verdict::Right),
            wrong: count(Verdict::Wrong),
            unclear: count(Verdict::Unclear),
            share: share(&verdicts)?,
            halves: [share(&verdicts[..half])?, share(&verdicts[half..])?],
        })
    }

    /// Where the verdicts are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn of(&self, fault: &str) -> Vec<&StoredFinding> {
        self.findings.findings.iter().filter(|finding| finding.fault == fault).collect()
    }

    fn verdict(&self, finding: &StoredFinding) -> Option<Verdict> {
        self.stored.verdicts.get(&self.fingerprint)?.get(&finding.fault)?.get(&key(finding)).copied()
    }
}

/// All ids; of a finding about the whole set its number.
fn key(finding: &StoredFinding) -> String {
    if finding.ids.is_empty() { finding.number.to_string() } else { finding.ids.join("\n") }
}

/// Beside the findings.
fn path_of(findings: &Path) -> PathBuf {
    let mut name = findings.as_os_str().to_owned();
    name.push(".review.json");
    name.into()
}

fn read(path: &Path) -> Result<Stored, ApplyError> {
    let open = |source| ApplyError::Open { path: path.to_owned(), source };
    let malformed = |detail: String| ApplyError::Verdicts { path: path.to_owned(), detail };
    if std::fs::metadata(path).map_err(open)?.len() > MOST_BYTES {
        return Err(malformed(format!("it has more than {MOST_BYTES} bytes")));
    }
    serde_json::from_slice(&std::fs::read(path).map_err(open)?).map_err(|error| malformed(error.to_string()))
}

/// Unclear ones are no answers, and are not in the list that the answers are about.
fn share(verdicts: &[Option<Verdict>]) -> Result<Option<Share>, PipelineError> {
    let clear = |verdict: &Verdict| *verdict != Verdict::Unclear;
    let answers: Vec<bool> = verdicts
        .iter()
        .flatten()
        .filter(|verdict| clear(verdict))
        .map(|verdict| *verdict == Verdict::Right)
        .collect();
    if answers.is_empty() {
        return Ok(None);
    }
    let unclear = verdicts.iter().flatten().filter(|verdict| !clear(verdict)).count();
    let Precision { value, low, high, .. } = precision(&answers, verdicts.len() - unclear, CONFIDENCE)?;
    Ok(Some(Share { value, low, high }))
}
