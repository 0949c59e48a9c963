//! A person looks at some of what an audit flagged, and from the answers follows how much of all of it is right (methods 3.3).
//!
//! Verdicts lie beside the findings, one for each that was looked at; whoever goes on is not asked twice. What is asked is drawn,
//! and only verdicts that the draw asked for say something about the rest of a list.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use curate::labels::micro_audit::{Precision, drawn_order, precision};
use linalg::Seed;
use serde::{Deserialize, Serialize};
use store::Hash;

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
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    verdicts: BTreeMap<String, BTreeMap<String, BTreeMap<String, Verdict>>>,
    /// By fingerprint and fault.
    #[serde(default)]
    draws: BTreeMap<String, BTreeMap<String, Draw>>,
}

/// In which order one list is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draw {
    /// Of the findings in the list: another list is drawn from anew.
    list: String,
    seed: u64,
    /// How many of the first were asked about: of those each has a verdict.
    reached: usize,
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
    /// Looked at besides, as somebody chose them: they are no fair sample, and none of the numbers here counts them.
    pub uncounted: usize,
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

    /// Asks about one fault in the order of this seed, which cannot be changed once a verdict counts.
    ///
    /// # Errors
    /// Another seed than that of the verdicts that count.
    pub fn draw_by(&mut self, fault: &str, seed: u64) -> Result<(), PipelineError> {
        let draw = self.draw(fault);
        if draw.reached > 0 && draw.seed != seed {
            return Err(PipelineError::OtherDraw { path: self.path.clone(), seed: draw.seed, got: seed });
        }
        self.keep(fault, Draw { seed, ..draw });
        Ok(())
    }

    /// What to look at next: the first `count` of one fault in the order that was drawn, but those that have a verdict.
    pub fn to_ask(&self, fault: &str, count: usize) -> Vec<&StoredFinding> {
        let drawn = self.drawn(fault).into_iter().take(count);
        drawn.filter(|finding| self.verdict(finding).is_none()).collect()
    }

    /// Writes down what a person says of findings, by their numbers: all of it, or nothing.
    ///
    /// # Errors
    /// A number that is none, or a file that cannot be written.
    pub fn answer(&mut self, verdicts: &[(usize, Verdict)]) -> Result<(), PipelineError> {
        let placed =
            verdicts.iter().map(|(number, verdict)| Ok((self.place_of(*number)?, *number, *verdict)));
        let mut placed: Vec<(usize, usize, Verdict)> = placed.collect::<Result<_, PipelineError>>()?;
        // A table need not be in the order of the draw.
        placed.sort_by_key(|(place, ..)| *place);
        let before = self.stored.clone();
        let taken =
            placed.into_iter().try_for_each(|(place, number, verdict)| self.take(place, number, verdict));
        let written = taken.and_then(|()| self.write());
        if written.is_err() {
            self.stored = before;
        }
        written
    }

    /// Where in the draw a finding comes.
    fn place_of(&self, number: usize) -> Result<usize, PipelineError> {
        let fault = &self.findings.find(number)?.fault;
        let place = self.drawn(fault).iter().position(|drawn| drawn.number == number);
        Ok(place.expect("every finding is drawn at some place"))
    }

    fn take(&mut self, place: usize, number: usize, verdict: Verdict) -> Result<(), PipelineError> {
        let finding = self.findings.find(number)?;
        let (fault, key) = (finding.fault.clone(), key(finding));
        let of_data = self.stored.verdicts.entry(self.fingerprint.clone()).or_default();
        of_data.entry(fault.clone()).or_default().insert(key, verdict);
        // What was picked behind others that are still open counts once these have been asked about.
        let open = self.drawn(&fault).iter().position(|finding| self.verdict(finding).is_none());
        if open.is_none_or(|open| open > place) {
            let draw = self.draw(&fault);
            let all = self.of(&fault).len();
            let reached = if open.is_none() { all } else { draw.reached.max(place + 1) };
            self.keep(&fault, Draw { reached, ..draw });
        }
        Ok(())
    }

    fn write(&self) -> Result<(), PipelineError> {
        let bytes = serde_json::to_vec_pretty(&self.stored).expect("verdicts are plain values");
        Ok(store::write_atomic(&self.path, |file| file.write_all(&bytes))?)
    }

    /// What follows about all findings of one fault from the verdicts that the draw asked for.
    ///
    /// # Errors
    /// None that a person can cause.
    pub fn reviewed(&self, fault: &str) -> Result<Reviewed, PipelineError> {
        let all = self.of(fault);
        let given: Vec<Option<Verdict>> = all.iter().map(|finding| self.verdict(finding)).collect();
        let mut verdicts = vec![None; all.len()];
        let asked = self.order(fault).into_iter().take(self.draw(fault).reached);
        asked.for_each(|place| verdicts[place] = given[place]);
        let count = |wanted| verdicts.iter().filter(|verdict| **verdict == Some(wanted)).count();
        let half = all.len().div_ceil(2);
        Ok(Reviewed {
            fault: fault.to_owned(),
            flagged: all.len(),
            right: count(Verdict::Right),
            wrong: count(Verdict::Wrong),
            unclear: count(Verdict::Unclear),
            uncounted: given.iter().flatten().count() - verdicts.iter().flatten().count(),
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

    /// The draw that is under way; of a list that nobody was asked about a new one.
    fn draw(&self, fault: &str) -> Draw {
        let keys: Vec<String> = self.of(fault).into_iter().map(key).collect();
        let list = Hash::of(keys.join("\n\n").as_bytes()).to_string();
        let known = self.stored.draws.get(&self.fingerprint).and_then(|draws| draws.get(fault));
        let known = known.filter(|draw| draw.list == list).cloned();
        known.unwrap_or(Draw { list, seed: 0, reached: 0 })
    }

    fn keep(&mut self, fault: &str, draw: Draw) {
        let of_data = self.stored.draws.entry(self.fingerprint.clone()).or_default();
        of_data.insert(fault.to_owned(), draw);
    }

    /// Places in the list of one fault, as they are asked about.
    fn order(&self, fault: &str) -> Vec<usize> {
        drawn_order(self.of(fault).len(), Seed(self.draw(fault).seed))
    }

    fn drawn(&self, fault: &str) -> Vec<&StoredFinding> {
        let all = self.of(fault);
        self.order(fault).into_iter().map(|place| all[place]).collect()
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
