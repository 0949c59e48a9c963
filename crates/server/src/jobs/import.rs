//! What was uploaded becomes examples.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use dataset::{Modality, Problem, ProblemKind};
use exchange::{Answer, Content, Item};
use pipeline::{Lang, words};
use rayon::prelude::*;
use serde::Deserialize;

use super::reading::{self, Found};
use super::{InHand, Progress, Stopped};
use crate::blobs::Blobs;
use crate::db::arriving::{Arrived, Brought, Incoming, LeftOut};
use crate::db::datasets::DatasetRow;
use crate::error::ApiError;
use crate::shelf::ShelfError;
use crate::tasks::{self, Task};
use crate::{marks, pictures};

#[derive(Debug, Deserialize)]
struct Payload {
    upload: String,
}

pub(super) async fn run(hand: InHand) -> Result<(), Stopped> {
    let InHand { app, tenant, job, held, progress } = hand;
    let Payload { upload } =
        serde_json::from_str(&job.payload).map_err(|error| ApiError::internal(&error))?;
    let known = app.db.dataset(&tenant, &job.dataset).await?.ok_or_else(ApiError::not_found)?;
    progress.set("read", 0, 0);
    let (uploads, blobs, id) = (app.uploads.clone(), app.blobs.clone(), upload.clone());
    let arrived = app
        .blocking(move || {
            let root = uploads.root(&id)?;
            let sent = |place: &str| uploads.as_sent(&id, place).to_owned();
            Ok(read(&root, &known, &blobs, &progress, &sent).map_err(|stopped| stopped.told_as(&sent, &root)))
        })
        .await??;
    match app.db.bring_in(&tenant, &job.dataset, &arrived, &held, app.max_examples).await? {
        Brought::Came => {}
        Brought::Lost => return Err(Stopped::Cancelled),
        Brought::Changed => {
            let (en, zh) =
                ("the data set became one of another kind meanwhile", "该数据集此间变成了另一种类型");
            return Err(ApiError::conflict(en, zh)
                .hint("make a new data set for these", "请为它们新建数据集")
                .into());
        }
        Brought::TooMany => return Err(ApiError::over_quota(app.max_examples.unwrap_or_default()).into()),
    }
    app.lives.forget(&job.dataset);
    app.db.remove_upload(&tenant, &upload).await?;
    let uploads = app.uploads.clone();
    // What was unpacked or uploaded is among the blobs now.
    app.blocking(move || Ok(uploads.forget(&upload)?)).await?;
    Ok(())
}

/// Reads what arrived and keeps its files; `sent` gives a place in it the name that its sender knows.
fn read(
    root: &Path,
    known: &DatasetRow,
    blobs: &Blobs,
    progress: &Progress,
    sent: &(dyn Fn(&str) -> String + Sync),
) -> Result<Arrived, Stopped> {
    let Found { modality, task, classes, items, problems } = reading::read(root, known)?;
    let done = AtomicI64::new(0);
    let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let kept: Vec<Result<Incoming, LeftOut>> = items
        .into_par_iter()
        .map(|item| {
            progress.check()?;
            let kept = keep(item, modality, task, blobs, sent);
            progress.set("read", done.fetch_add(1, Ordering::Relaxed) + 1, total);
            kept
        })
        .collect::<Result<_, Stopped>>()?;
    let mut arrived =
        Arrived { modality: modality.to_string(), task, classes, examples: Vec::new(), left_out: Vec::new() };
    for example in kept {
        match example {
            Ok(example) => arrived.examples.push(example),
            Err(problem) => arrived.left_out.push(problem),
        }
    }
    arrived.left_out.extend(problems.iter().map(|problem| left_out(problem, sent)));
    Ok(arrived)
}

/// An example with its file among the blobs, or why it could not be kept.
fn keep(
    item: Item,
    modality: Modality,
    task: Task,
    blobs: &Blobs,
    sent: &dyn Fn(&str) -> String,
) -> Result<Result<Incoming, LeftOut>, Stopped> {
    let (blob, body, size) = match item.content {
        Content::Text(text) => (None, Some(text), None),
        Content::File(file) => match blobs.keep(&file) {
            // The file knows its size better than what is written about it.
            Ok(name) => (Some(name), None, pictures::size(&file, modality)),
            Err(error @ (ShelfError::There(_) | ShelfError::Here(store::StoreError::DiskFull { .. }))) => {
                return Err(ApiError::from(error).into());
            }
            Err(error) => {
                let kind = ProblemKind::Unreadable { detail: error.to_string() };
                return Ok(Err(left_out(&Problem::in_file(kind, &file), sent)));
            }
        },
    };
    let answer = match item.answer {
        Answer::None => tasks::Answer::default(),
        Answer::Class(label) => tasks::Answer { label: Some(label), ..tasks::Answer::default() },
        Answer::Classes(labels) => tasks::Answer { labels: Some(labels), ..tasks::Answer::default() },
        Answer::Number(number) => tasks::Answer { number: Some(number), ..tasks::Answer::default() },
    };
    let refused = |error: ApiError| LeftOut { place: item.name.clone(), en: error.en, zh: error.zh };
    let marked = item.marks.iter().filter_map(|mark| mark.class.as_deref());
    let labels = answer.labels.iter().flatten().map(String::as_str);
    let mut named = answer.label.as_deref().into_iter().chain(labels).chain(marked);
    let said = named
        .try_for_each(|name| tasks::name_of(name).map(drop))
        .and_then(|()| task.keep(&answer))
        .and_then(|label| Ok((label, marks::keep(&item.marks, modality)?)));
    Ok(said.map_err(refused).map(|(label, marks)| Incoming {
        name: item.name.clone(),
        blob,
        body,
        group: item.group,
        label,
        marks,
        size,
        part: item.part,
    }))
}

/// What was left out, under the name that its sender knows.
fn left_out(problem: &Problem, sent: &dyn Fn(&str) -> String) -> LeftOut {
    LeftOut {
        place: sent(&problem.place()),
        en: words::problem_kind(&problem.kind, Lang::En),
        zh: words::problem_kind(&problem.kind, Lang::Zh),
    }
}

impl Stopped {
    /// With the name that the sender knows in place of where the upload lies here.
    fn told_as(self, sent: &dyn Fn(&str) -> String, root: &Path) -> Self {
        let (ours, theirs) = (root.display().to_string(), sent(&root.display().to_string()));
        match self {
            Self::Failed(error) => {
                let [en, zh] = [&error.en, &error.zh].map(|text| text.replace(&ours, &theirs));
                Self::Failed(ApiError { en, zh, ..error })
            }
            Self::Cancelled => Self::Cancelled,
        }
    }
}
