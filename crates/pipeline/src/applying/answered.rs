//! What a person says of one finding after the other; it lies beside the findings until it is applied, so that whoever is interrupted goes on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Accepted, ApplyError, Findings, StoredFinding, beside};
use crate::PipelineError;

/// Bytes of the largest file of answers that is read.
const MOST_BYTES: u64 = 1 << 26;

/// What a person says of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// It stays as it is.
    No,
    /// What it asks for is done.
    Yes,
    /// It gets this label; none: it is left out.
    Label(String),
}

/// All answers to the findings of one file.
#[derive(Debug)]
pub struct Answered {
    path: PathBuf,
    stored: Stored,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// Fingerprint of the data: of others nothing was answered.
    data: String,
    /// By what the finding is and which examples it is about: numbers change with the next audit.
    said: BTreeMap<String, Said>,
}

impl Answered {
    /// Those that were given before, if there are any.
    ///
    /// # Errors
    /// [`ApplyError::Open`], [`ApplyError::Answers`].
    pub fn open(path: &Path, findings: &Findings) -> Result<Self, ApplyError> {
        let path = beside(path, ".answers.json");
        let data = findings.fingerprint().unwrap_or_default();
        let stored = if path.exists() { read(&path)? } else { Stored::default() };
        let stored = Some(stored).filter(|stored| stored.data == data);
        let stored = stored.unwrap_or_else(|| Stored { data: data.to_owned(), said: BTreeMap::new() });
        Ok(Self { path, stored })
    }

    /// Where they are kept.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was said of a finding.
    pub fn of(&self, finding: &StoredFinding) -> Option<&Said> {
        self.stored.said.get(&key(finding))
    }

    /// Takes down what is said of a finding.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn say(&mut self, finding: &StoredFinding, said: Said) -> Result<(), PipelineError> {
        self.stored.said.insert(key(finding), said);
        let bytes = serde_json::to_vec_pretty(&self.stored).expect("answers are plain values");
        store::write_atomic(&self.path, |file| file.write_all(&bytes))?;
        Ok(())
    }

    /// What was accepted, in the order of the findings.
    pub fn accepted(&self, findings: &Findings) -> Vec<Accepted> {
        let accepted = |finding: &StoredFinding| {
            let label = match self.of(finding)? {
                Said::No => return None,
                Said::Yes => None,
                Said::Label(label) => Some(label.clone()),
            };
            Some(Accepted { number: finding.number, label })
        };
        findings.findings.iter().filter_map(accepted).collect()
    }

    /// Forgets them: what was accepted is in a revision.
    pub fn forget(self) {
        // Whoever is asked again about what is done already can say so.
        std::fs::remove_file(&self.path).ok();
    }
}

/// What is wrong with which examples, and what yes would do about it: another audit may suggest something else.
fn key(finding: &StoredFinding) -> String {
    let StoredFinding { number, fault, sense, ids, suggested, action, offered, .. } = finding;
    let which = if ids.is_empty() { vec![number.to_string()] } else { ids.clone() };
    serde_json::to_string(&(fault, sense, which, action, suggested, offered))
        .expect("a finding is plain values")
}

fn read(path: &Path) -> Result<Stored, ApplyError> {
    let open = |source| ApplyError::Open { path: path.to_owned(), source };
    let malformed = |detail: String| ApplyError::Answers { path: path.to_owned(), detail };
    if std::fs::metadata(path).map_err(open)?.len() > MOST_BYTES {
        return Err(malformed(format!("it has more than {MOST_BYTES} bytes")));
    }
    serde_json::from_slice(&std::fs::read(path).map_err(open)?).map_err(|error| malformed(error.to_string()))
}
