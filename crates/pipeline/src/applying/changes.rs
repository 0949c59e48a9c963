//! What accepted findings do to which example.

use std::collections::{BTreeMap, BTreeSet};

use dataset::{Content, Dataset, Part};
use serde::Serialize;

use super::{Accepted, ApplyError, Findings, StoredFinding, labels};
use crate::auditing::{Action, label_text};

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
pub(super) type Changes = BTreeMap<(usize, Option<String>), Change>;

/// What happens to which row; the last word counts where several findings are about one example.
pub(super) fn changes(
    findings: &Findings,
    accepted: &[Accepted],
    data: &Dataset,
) -> Result<Changes, ApplyError> {
    let rows: BTreeMap<&str, usize> =
        data.examples.iter().enumerate().map(|(row, example)| (example.id.0.as_str(), row)).collect();
    let mut changes = Changes::new();
    for Accepted { number, label } in accepted {
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
    let is_own = label.is_some();
    let label = label.or(finding.suggested.as_deref());
    let label = label.map(|label| labels::written(label, number, data)).transpose()?;
    let all = |label: Option<&str>| about.iter().map(|row| (*row, label.map(str::to_owned))).collect();
    let without = |rows: Vec<usize>| rows.into_iter().map(|row| (row, None)).collect();
    Ok(match (finding.action, label.as_deref()) {
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
        ) => all(label.as_deref().filter(|_| is_own)),
        (action, _) => return Err(ApplyError::NotForTables { number, action }),
    })
}

#[cfg(test)]
mod tests {
    use dataset::{Modality, ReadOptions, Sense};

    use super::super::table::table;
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
        let changes = changes(&findings, &accepted.collect::<Vec<_>>(), &data).unwrap();
        let table = table(&data, &changes, &dir.path().join("second.csv")).csv();
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
