//! The table of a revision.

use std::collections::BTreeSet;
use std::path::Path;

use dataset::{Content, Dataset, Example, Part};

use super::changes::{Change, Changes};
use crate::auditing::{annotator, label_text};
use crate::columns::{Columns, Values};
use crate::pieces::times;

/// The new table: content, label, group and part, what else was known, and the id, by which the next revision knows it.
pub(super) fn table(data: &Dataset, changes: &Changes, out: &Path) -> Columns {
    let whole = |row: usize| changes.get(&(row, None));
    let gone = |row: &usize| whole(*row).is_some_and(Change::takes_out);
    let kept: Vec<usize> = (0..data.examples.len()).filter(|row| !gone(row)).collect();
    let column = |of: &dyn Fn(usize, &Example) -> Option<String>| {
        Values::Texts(kept.iter().map(|row| of(*row, &data.examples[*row])).collect())
    };
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
