//! Rules among what was accepted, and what the label book says about the labels.

use std::collections::BTreeMap;

use curate::book::{Decision, Rule};

use super::{Accepted, ApplyError, ApplyRequest, BookRequest, Changes, Draft, Findings};
use crate::auditing::{Action, BookState, HeardOf, Shelved, StoredCase};
use crate::features::Table;
use crate::{PipelineError, Run};

/// The label book with the rules that were decided; nothing where none was named.
pub(super) struct Rules {
    shelved: Option<Shelved>,
    /// Rules that it did not have.
    pub(super) n_new: usize,
}

impl Rules {
    /// Opens the book and takes in what was decided; nothing is written. `fingerprint` is that of the data.
    pub(super) fn of(
        request: &ApplyRequest,
        accepted: &[Accepted],
        findings: &Findings,
        fingerprint: &str,
    ) -> Result<Self, PipelineError> {
        let Some(BookRequest { path, author, date }) = &request.book else {
            return Ok(Self { shelved: None, n_new: 0 });
        };
        let mut shelved = Shelved::open(path)?;
        let mut n_new = 0;
        for (number, rule) in decided(accepted, findings)? {
            let author = author.as_deref().ok_or(ApplyError::NoAuthor { number })?;
            let decision = Decision { rule: &rule, author, date, fingerprint };
            n_new += usize::from(shelved.add(findings.case(number)?, decision)?);
        }
        // What contradicts itself is told before anything is computed.
        shelved.files()?;
        Ok(Self { shelved: Some(shelved), n_new })
    }

    /// What the rules have against the new labels.
    pub(super) fn heard(
        &self,
        table: &Table,
        base: &str,
        changes: &Changes,
        run: &Run<'_>,
    ) -> Result<HeardOf, PipelineError> {
        let Some(shelved) = &self.shelved else { return Ok(HeardOf::default()) };
        let given = changes.values().filter_map(|change| Some((change.id.as_str(), change.to.as_deref()?)));
        shelved.heard(table, base, &given.collect::<Vec<_>>(), run)
    }

    /// The book as it will be.
    pub(super) fn state(&self) -> Result<Option<BookState>, PipelineError> {
        self.shelved.as_ref().map_or(Ok(None), Shelved::state)
    }

    /// Its files, not at their places yet.
    pub(super) fn drafts(&self) -> Result<Vec<Draft>, PipelineError> {
        let files = self.shelved.as_ref().map_or_else(|| Ok(Vec::new()), Shelved::files)?;
        files.into_iter().map(|(path, text)| Draft::over(path, &text)).collect()
    }
}

/// The rules among what was accepted, by the numbers of their findings; the last word about each counts.
fn decided(accepted: &[Accepted], findings: &Findings) -> Result<BTreeMap<usize, Rule>, ApplyError> {
    let mut rules = BTreeMap::new();
    for Accepted { number, label } in accepted {
        let finding = findings.find(*number)?;
        let offered = finding.offered.as_ref().map(|offered| offered.rule.clone());
        let rule = match label {
            _ if finding.action != Action::DecideRule => None,
            Some(label) => Some(by_label(findings.case(*number)?, label)),
            None => offered,
        };
        rules.extend(rule.map(|rule| (*number, rule)));
    }
    Ok(rules)
}

/// All have this label: one of the two classes, or a new one; or none, so that they are not used.
fn by_label(StoredCase { draft, .. }: &StoredCase, label: &str) -> Rule {
    match label {
        "" => Rule::Exclude,
        label if label == draft.a => Rule::AllA,
        label if label == draft.b => Rule::AllB,
        label => Rule::NewClass { name: label.to_owned() },
    }
}
