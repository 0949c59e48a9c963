//! Rows of the database as a data set that the journey understands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use dataset::{Content, Dataset, Decision, Example, ExampleId, Modality, Origin, Sense, Span};

use crate::blobs::Blobs;
use crate::db::datasets::DatasetRow;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::senses::{self, Known};
use crate::tasks::Task;

/// The kinds of examples that the studio takes.
pub(crate) fn modality(name: Option<&str>) -> Result<Modality, ApiError> {
    match name {
        Some("image") => Ok(Modality::Image),
        Some("text") => Ok(Modality::Text),
        Some("sound") => Ok(Modality::Sound),
        Some("video") => Ok(Modality::Video),
        Some("series") => Ok(Modality::Series),
        Some("senses") => Ok(Modality::Senses),
        _ => Err(ApiError::conflict("the data set is empty", "数据集是空的")
            .hint("bring examples in first", "请先导入样本")),
    }
}

/// Whether these are photos, sounds or videos of parts: one of the `classes` says that nothing is wrong.
pub(crate) fn inspects<'c>(of: &DatasetRow, mut classes: impl Iterator<Item = &'c str>) -> bool {
    matches!(of.modality.as_deref(), Some("image" | "sound" | "video"))
        && of.task == Task::Class.name()
        && classes.any(dataset::names_good_parts)
}

/// Examples under their names, with classes sorted; a label that stands is the target.
pub(crate) fn dataset(of: &DatasetRow, rows: &[ExampleRow], blobs: &Blobs) -> Result<Dataset, ApiError> {
    let modality = modality(of.modality.as_deref())?;
    let task = Task::named(&of.task)?;
    let numbers: BTreeMap<&str, u32> = {
        let kept = rows.iter().filter_map(|row| row.label.as_deref());
        let names: BTreeSet<&str> = kept.flat_map(|label| task.classes(label)).collect();
        names.into_iter().zip(0..).collect()
    };
    let classes = || numbers.keys().map(|name| (*name).to_owned()).collect();
    let (question, called) = match task {
        Task::Class if numbers.len() == 2 => (dataset::Task::SingleLabel { classes: classes() }, "binary"),
        Task::Class => (dataset::Task::SingleLabel { classes: classes() }, "single-label"),
        Task::Classes => (dataset::Task::MultiLabel { classes: classes() }, "multi-label"),
        Task::Number => (dataset::Task::Regression { name: "number".to_owned() }, "regression"),
    };
    let senses = senses::named(of.senses.as_deref());
    let example = |row: &ExampleRow| {
        let content = content(row, modality, &senses, blobs)?;
        let target = task.target(row.label.as_deref(), |name| numbers.get(name).copied());
        Some(Example {
            id: ExampleId(row.name.clone()),
            origin: Origin { path: PathBuf::from(&row.name), row: None },
            content,
            target,
            votes: Vec::new(),
            group: row.part_group.clone(),
            part: None,
            details: BTreeMap::new(),
        })
    };
    let examples: Option<Vec<Example>> = rows.iter().map(example).collect();
    let lost = || ApiError::internal(&"an example has neither a file nor a text");
    Ok(Dataset {
        name: of.name.clone(),
        root: PathBuf::from(&of.name),
        task: question,
        decision: Decision {
            layout: "studio".to_owned(),
            content: modality.to_string(),
            label: Some("label".to_owned()),
            task: called.to_owned(),
            why: "labelled in the studio".to_owned(),
        },
        modality,
        senses: senses.clone(),
        examples: examples.ok_or_else(lost)?,
    })
}

/// What an example is; `None` where its row says nothing that could be.
fn content(row: &ExampleRow, modality: Modality, senses: &[Sense], blobs: &Blobs) -> Option<Content> {
    let file = || Some(blobs.path(row.blob.as_deref()?));
    Some(match modality {
        Modality::Text => Content::Text(row.body.clone()?),
        Modality::Image => Content::Image(file()?),
        Modality::Sound => match row.piece_ms {
            // It lies in a file of its own, and is a piece for what is learned from it.
            Some(length) => Content::Piece(file()?, Span::seconds(0.0, Some(length as f64 / 1000.0))?),
            None => Content::Sound(file()?),
        },
        Modality::Video => Content::Video(file()?),
        Modality::Series => Content::Series(file()?),
        Modality::Senses => {
            let known = senses::of(row.senses.as_deref());
            let there = senses.iter().filter_map(|sense| {
                let content = match (known.get(&sense.name)?, sense.modality) {
                    (Known::Text(text), Modality::Text) => Content::Text(text.clone()),
                    (Known::Blob(blob), Modality::Image) => Content::Image(blobs.path(blob)),
                    (Known::Blob(blob), Modality::Sound) => Content::Sound(blobs.path(blob)),
                    (Known::Blob(blob), Modality::Video) => Content::Video(blobs.path(blob)),
                    (Known::Blob(blob), Modality::Series) => Content::Series(blobs.path(blob)),
                    _ => return None,
                };
                Some((sense.name.clone(), content))
            });
            Content::Senses(there.collect())
        }
    })
}

/// As [`dataset`], of rows that have labels.
///
/// # Errors
/// When there are none.
pub(crate) fn labelled(of: &DatasetRow, rows: &[ExampleRow], blobs: &Blobs) -> Result<Dataset, ApiError> {
    if rows.is_empty() {
        let (en, zh) = ("no example has a label yet", "还没有样本有标注");
        return Err(ApiError::conflict(en, zh).hint("label some examples first", "请先标注一些样本"));
    }
    dataset(of, rows, blobs)
}
