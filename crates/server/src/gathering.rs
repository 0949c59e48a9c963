//! Rows of the database as a data set that the journey understands.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dataset::{ClassIdx, Content, Dataset, Decision, Example, ExampleId, Modality, Origin, Target, Task};

use crate::blobs::Blobs;
use crate::db::datasets::DatasetRow;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;

/// The kinds of examples that the studio takes.
pub(crate) fn modality(name: Option<&str>) -> Result<Modality, ApiError> {
    match name {
        Some("image") => Ok(Modality::Image),
        Some("text") => Ok(Modality::Text),
        Some("sound") => Ok(Modality::Sound),
        _ => Err(ApiError::conflict("the data set is empty", "数据集是空的")
            .hint("bring examples in first", "请先导入样本")),
    }
}

/// Examples under their names, with classes sorted; a label that stands is the target.
pub(crate) fn dataset(of: &DatasetRow, rows: &[ExampleRow], blobs: &Blobs) -> Result<Dataset, ApiError> {
    let modality = modality(of.modality.as_deref())?;
    let numbers: BTreeMap<&str, u32> = {
        let names: std::collections::BTreeSet<&str> =
            rows.iter().filter_map(|row| row.label.as_deref()).collect();
        names.into_iter().zip(0..).collect()
    };
    let content = |row: &ExampleRow| {
        let blob = row.blob.as_deref();
        match modality {
            Modality::Text => Some(Content::Text(row.body.clone()?)),
            Modality::Sound => Some(Content::Sound(blobs.path(blob?))),
            _ => Some(Content::Image(blobs.path(blob?))),
        }
    };
    let example = |row: &ExampleRow| {
        let content = content(row)?;
        let label = row.label.as_deref().and_then(|label| numbers.get(label));
        Some(Example {
            id: ExampleId(row.name.clone()),
            origin: Origin { path: PathBuf::from(&row.name), row: None },
            content,
            target: label.map_or(Target::Unlabelled, |class| Target::Class(ClassIdx(*class))),
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
        task: Task::SingleLabel { classes: numbers.keys().map(|name| (*name).to_owned()).collect() },
        decision: Decision {
            layout: "studio".to_owned(),
            content: modality.to_string(),
            label: Some("label".to_owned()),
            task: if numbers.len() == 2 { "binary" } else { "single-label" }.to_owned(),
            why: "labelled in the studio".to_owned(),
        },
        modality,
        senses: Vec::new(),
        examples: examples.ok_or_else(lost)?,
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
