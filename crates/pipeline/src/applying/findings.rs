//! What an audit wrote down, read again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use curate::faults::Fault;
use dataset::ReadOptions;
use serde::Deserialize;

use super::{ApplyError, Change, Changes};
use crate::auditing::{Action, Answer, Gain, Offered, Pair, StoredCase};
use crate::report::Sentence;

/// Advice about many findings of one fault, of which a part can be followed.
const SHARED: [(Action, Fault); 3] = [
    (Action::Relabel, Fault::Label),
    (Action::KeepOne, Fault::Duplicate),
    (Action::CheckMembership, Fault::Outlier),
];

/// Bytes of the largest file of findings that is read.
const MOST_BYTES: u64 = 1 << 30;

/// What an audit found, as far as it is applied.
#[derive(Debug, Clone, Deserialize)]
pub struct Findings {
    /// Where the data were.
    pub data: Option<PathBuf>,
    /// What the person said about the data when they were audited.
    #[serde(default)]
    pub(super) read: ReadOptions,
    /// The findings, in the audit's order.
    pub findings: Vec<StoredFinding>,
    /// Those of them that want a rule, with what their entries of a label book will hold; an audit that prints leaves them out.
    #[serde(default)]
    cases: Vec<StoredCase>,
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
    /// How many of them are probably so; all, where it is not said.
    likely: Option<f64>,
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
    /// The sense that shows it, of several.
    pub sense: Option<String>,
    /// The examples it is about, the one to act on first.
    pub ids: Vec<String>,
    /// The label of the first.
    pub given: Option<String>,
    /// The label it should probably have.
    pub suggested: Option<String>,
    /// What was to be done.
    pub action: Action,
    /// What was found, or what was measured of the example beside its limit.
    #[serde(default)]
    pub about: Option<Sentence>,
    /// Of a case that wants a rule: pairs with different labels that are closest together.
    #[serde(default)]
    pub pairs: Vec<Pair>,
    /// Of a case that wants a rule: what may be answered.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// A rule that would settle it.
    pub offered: Option<Offered>,
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

    /// The first digits of the fingerprint of the data that were audited.
    pub(crate) fn fingerprint(&self) -> Option<&str> {
        self.info.facts.get("data_fingerprint").map(String::as_str)
    }

    /// Of all that was to be relabelled or taken out the share that was, and the rules that were decided.
    pub(super) fn predicted(&self, changes: &Changes) -> Option<Gain> {
        let done: BTreeSet<usize> = changes.values().map(|change| change.finding).collect();
        let is_done = |advice: &&StoredAdvice| advice.finding.is_some_and(|finding| done.contains(&finding));
        let rules = self.advice.iter().filter(is_done).map(|advice| (1.0, advice.gain));
        let parts: Vec<(f64, Gain)> = SHARED
            .iter()
            .filter_map(|(action, fault)| self.share(changes, *action, *fault))
            .chain(rules)
            .collect();
        let value = parts.iter().map(|(share, gain)| share * gain.value).sum();
        let squares = |(share, gain): &(f64, Gain)| (share * (gain.high - gain.low) / 2.0).powi(2);
        let error = parts.iter().map(squares).sum::<f64>().sqrt();
        (!parts.is_empty()).then_some(Gain { value, low: value - error, high: value + error })
    }

    /// The share of what an advice is about that was done, with what all of it was worth.
    fn share(&self, changes: &Changes, action: Action, fault: Fault) -> Option<(f64, Gain)> {
        let advice = self.advice.iter().find(|advice| advice.action == action && advice.finding.is_none())?;
        // What the label book asks for is relabelled as well, but nothing was expected of it here; nor of copies that get one label.
        let relabels = action == Action::Relabel;
        let of_advice = |change: &&Change| {
            change.fault == fault.name() && change.sense.is_none() && change.takes_out() != relabels
        };
        let n = changes.values().filter(of_advice).count();
        let all = advice.likely.unwrap_or(advice.n as f64).max(1.0);
        (n > 0).then_some(((n as f64 / all).min(1.0), advice.gain))
    }

    /// The case of a finding that wants a rule.
    pub(super) fn case(&self, number: usize) -> Result<&StoredCase, ApplyError> {
        let found = self.cases.iter().find(|case| case.finding == number);
        found.ok_or(ApplyError::NoCase { number })
    }

    pub(crate) fn find(&self, number: usize) -> Result<&StoredFinding, ApplyError> {
        let found = self.findings.iter().find(|finding| finding.number == number);
        found.ok_or(ApplyError::NoFinding { number, count: self.findings.len() })
    }
}
