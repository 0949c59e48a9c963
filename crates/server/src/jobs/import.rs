//! What was uploaded becomes examples.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use dataset::{Content, Dataset, Modality, Problem, ProblemKind, ReadOptions, Target, Task};
use pipeline::{Lang, words};
use rayon::prelude::*;
use serde::Deserialize;

use super::{InHand, Progress, Stopped};
use crate::blobs::Blobs;
use crate::db::arriving::{Arrived, Incoming, LeftOut};
use crate::error::ApiError;

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
            Ok(read(&root, known.modality.as_deref(), &blobs, &progress, &sent)
                .map_err(|stopped| stopped.told_as(&sent, &root)))
        })
        .await??;
    let came = app.db.bring_in(&tenant, &job.dataset, &arrived, &held).await?;
    if came.is_none() {
        return Err(Stopped::Cancelled);
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
    known: Option<&str>,
    blobs: &Blobs,
    progress: &Progress,
    sent: &(dyn Fn(&str) -> String + Sync),
) -> Result<Arrived, Stopped> {
    let failed = |error: dataset::ReadError| Stopped::from(pipeline::PipelineError::from(error));
    let (data, problems) = dataset::read_pool(root, &ReadOptions::default()).map_err(failed)?;
    let modality = kind(&data, known)?;
    let done = AtomicI64::new(0);
    let total = i64::try_from(data.examples.len()).unwrap_or(i64::MAX);
    let kept: Vec<Result<Incoming, LeftOut>> = data
        .examples
        .par_iter()
        .map(|example| {
            progress.check()?;
            let kept = keep(&data, example, blobs, sent);
            progress.set("read", done.fetch_add(1, Ordering::Relaxed) + 1, total);
            kept
        })
        .collect::<Result<_, Stopped>>()?;
    let mut arrived = Arrived { modality: modality.to_owned(), examples: Vec::new(), left_out: Vec::new() };
    for example in kept {
        match example {
            Ok(example) => arrived.examples.push(example),
            Err(problem) => arrived.left_out.push(problem),
        }
    }
    arrived.left_out.extend(problems.iter().map(|problem| left_out(problem, sent)));
    Ok(arrived)
}

/// The kind of the examples: one that the studio takes, and that of those that are there.
fn kind(data: &Dataset, known: Option<&str>) -> Result<&'static str, Stopped> {
    let name = match data.modality {
        Modality::Image => "image",
        Modality::Text => "text",
        Modality::Sound => "sound",
        Modality::Video | Modality::Series | Modality::Senses => {
            let (en, zh) = ("the studio takes photos, texts and sounds", "工作台目前接受图片、文本和声音");
            let hint = ("use `dianjing tune` for other kinds of data", "其他种类的数据请使用 dianjing tune");
            return Err(ApiError::invalid(en, zh).hint(hint.0, hint.1).into());
        }
    };
    if !matches!(data.task, Task::SingleLabel { .. }) {
        let (en, zh) = ("the labels are not one class of several", "标注不是“多类别之一”");
        let hint = ("use `dianjing tune` for several labels or numbers", "多标签或数值请使用 dianjing tune");
        return Err(ApiError::invalid(en, zh).hint(hint.0, hint.1).into());
    }
    if known.is_some_and(|known| known != name) {
        let (en, zh) = ("this data set holds another kind of examples", "该数据集中是另一种样本");
        return Err(ApiError::conflict(en, zh)
            .hint("make a new data set for these", "请为它们新建数据集")
            .into());
    }
    Ok(name)
}

/// An example with its file among the blobs, or why it could not be kept.
fn keep(
    data: &Dataset,
    example: &dataset::Example,
    blobs: &Blobs,
    sent: &dyn Fn(&str) -> String,
) -> Result<Result<Incoming, LeftOut>, Stopped> {
    let label = match &example.target {
        Target::Class(class) => data.classes().get(class.0 as usize).cloned(),
        _ => None,
    };
    let (blob, body) = match &example.content {
        Content::Text(text) => (None, Some(text.clone())),
        other => {
            let Some(file) = other.file() else {
                return Err(ApiError::internal(&"an example has no file").into());
            };
            match blobs.keep(file) {
                Ok(name) => (Some(name), None),
                Err(error @ store::StoreError::DiskFull { .. }) => return Err(ApiError::from(error).into()),
                Err(error) => {
                    let kind = ProblemKind::Unreadable { detail: error.to_string() };
                    return Ok(Err(left_out(&Problem::in_file(kind, file), sent)));
                }
            }
        }
    };
    Ok(Ok(Incoming { name: example.id.0.clone(), blob, body, group: example.group.clone(), label }))
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
