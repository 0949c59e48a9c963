//! What was uploaded becomes examples.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use dataset::{Modality, Problem, ProblemKind};
use exchange::{Answer, Content, Item};
use pipeline::{Lang, words};
use rayon::prelude::*;
use serde::Deserialize;

use super::cutting::{self, Pieces, Place};
use super::reading::{self, Found};
use super::{InHand, Progress, Stopped};
use crate::App;
use crate::blobs::Blobs;
use crate::db::arriving::{Arrived, Incoming, LeftOut};
use crate::db::datasets::DatasetRow;
use crate::error::ApiError;
use crate::marks::KeptMark;
use crate::senses::{self, Known, Senses};
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
    let room = app.db.room(&tenant, &job.id, app.limits).await?;
    let (uploads, blobs, id) = (app.uploads.clone(), app.blobs.clone(), upload.clone());
    let arrived = app
        .blocking(move || {
            let root = uploads.root(&id)?;
            let sent = |place: &str| uploads.as_sent(&id, place).to_owned();
            let place = Place { dir: uploads.pieces(&id)?, most: uploads.most(), room: room.as_ref() };
            Ok(read(&root, &known, &blobs, &place, &progress, &sent)
                .map_err(|stopped| stopped.told_as(&sent, &root)))
        })
        .await??;
    app.db.bring_in(&tenant, &job.dataset, &arrived, &held, app.limits).await?.came()?;
    app.lives.forget(&job.dataset);
    let uploads = app.uploads.clone();
    // What was unpacked or uploaded is among the blobs now. The row stays: who asks once more to finish is told of this job.
    app.blocking(move || Ok(uploads.forget(&upload)?)).await?;
    Ok(())
}

/// Removes what was sent for an import that brought nothing in: its room is given back, and it would lie here until the next sweep.
pub(crate) async fn forget_sent(app: &App, payload: &str) {
    let Ok(Payload { upload }) = serde_json::from_str(payload) else { return };
    let uploads = app.uploads.clone();
    let forgotten = app.blocking(move || Ok(uploads.forget(&upload)?)).await;
    if let Err(error) = forgotten {
        tracing::warn!(error = error.en, "what was sent for an import could not be removed");
    }
}

/// Reads what arrived and keeps its files; `sent` gives a place in it the name that its sender knows.
fn read(
    root: &Path,
    known: &DatasetRow,
    blobs: &Blobs,
    place: &Place<'_>,
    progress: &Progress,
    sent: &(dyn Fn(&str) -> String + Sync),
) -> Result<Arrived, Stopped> {
    let found = reading::read(root, known, progress, place)?;
    let Found { modality, senses, task, classes, items, pieces, problems } = found;
    if let Some(room) = place.room {
        let file =
            |file: &Path| Some((blobs.name_of(file).ok()?, std::fs::metadata(file).ok()?.len() as i64));
        let files = |item: &Item| item.content.files().into_iter().filter_map(file).collect::<Vec<_>>();
        // Before anything is kept; a file that cannot be read becomes a problem below. Texts are kept with their rows, or not at all.
        if let Some(full) = room.refuse(&items.par_iter().flat_map_iter(files).collect()) {
            return Err(ApiError::from(full).into());
        }
    }
    let done = AtomicI64::new(0);
    let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let kept: Vec<Result<Incoming, LeftOut>> = items
        .into_par_iter()
        .map(|item| {
            progress.check()?;
            let (piece, piece_ms) = piece_of(&item, &pieces)?;
            let kept = keep(item, modality, task, blobs, sent)?;
            let kept = kept.map(|came| Incoming { piece, piece_ms, ..came });
            progress.set("read", done.fetch_add(1, Ordering::Relaxed) + 1, total);
            Ok(kept)
        })
        .collect::<Result<_, Stopped>>()?;
    let after = serde_json::to_string(&senses).map_err(|error| ApiError::internal(&error))?;
    let mut arrived = Arrived {
        modality: modality.to_string(),
        senses: (known.senses.clone(), (!senses.is_empty()).then_some(after)),
        task,
        classes,
        examples: Vec::new(),
        left_out: Vec::new(),
    };
    for example in kept {
        match example {
            Ok(example) => arrived.examples.push(example),
            Err(problem) => arrived.left_out.push(problem),
        }
    }
    arrived.left_out.extend(problems.iter().map(|problem| left_out(problem, sent)));
    Ok(arrived)
}

/// Where a piece was cut out, as it is kept, and how long it is.
fn piece_of(item: &Item, pieces: &Pieces) -> Result<(Option<String>, Option<i64>), ApiError> {
    let (Some(piece), [file]) = (&item.piece, &item.content.files()[..]) else { return Ok((None, None)) };
    let Some(length) = pieces.length(Some(file)).or_else(|| cutting::length_of(file)) else {
        return Ok((None, None));
    };
    let piece = serde_json::to_string(piece).map_err(|error| ApiError::internal(&error))?;
    Ok((Some(piece), Some(length)))
}

/// An example with its file among the blobs, or why it could not be kept.
fn keep(
    item: Item,
    modality: Modality,
    task: Task,
    blobs: &Blobs,
    sent: &dyn Fn(&str) -> String,
) -> Result<Result<Incoming, LeftOut>, Stopped> {
    let held = match hold(item.content, modality, blobs)? {
        Ok(held) => held,
        Err(problem) => return Ok(Err(left_out(&problem, sent))),
    };
    let answer = match item.answer {
        Answer::None => tasks::Answer::default(),
        Answer::Class(label) => tasks::Answer { label: Some(label), ..tasks::Answer::default() },
        Answer::Classes(labels) => tasks::Answer { labels: Some(labels), ..tasks::Answer::default() },
        Answer::Number(number) => tasks::Answer { number: Some(number), ..tasks::Answer::default() },
    };
    let refused = |error: ApiError| LeftOut { place: item.name.clone(), en: error.en, zh: error.zh };
    let marks: Vec<KeptMark> = item.marks.into_iter().map(KeptMark::from).collect();
    let marked = marks.iter().filter_map(|kept| kept.mark.class.as_deref());
    let labels = answer.labels.iter().flatten().map(String::as_str);
    let mut named = answer.label.as_deref().into_iter().chain(labels).chain(marked);
    let said = named
        .try_for_each(|name| tasks::name_of(name).map(drop))
        .and_then(|()| task.keep(&answer))
        .and_then(|label| Ok((label, marks::keep(&marks, modality)?)));
    let held = held.measured(blobs)?;
    Ok(said.map_err(refused).map(|(label, marks)| Incoming {
        name: item.name.clone(),
        group: item.group,
        label,
        marks,
        part: item.part,
        ..held
    }))
}

/// What an example is, with its files among the blobs, or why it could not be kept.
fn hold(content: Content, modality: Modality, blobs: &Blobs) -> Result<Result<Incoming, Problem>, Stopped> {
    let mut held = Incoming::default();
    match content {
        Content::Text(text) => held.body = Some(text),
        Content::File(file) => {
            // The file knows its size better than what is written about it.
            held.size = pictures::size(&file, modality);
            match keep_file(&file, blobs)? {
                Ok(blob) => held.blob = Some(blob),
                Err(problem) => return Ok(Err(problem)),
            }
        }
        Content::Senses(contents) => {
            let mut known = Senses::new();
            for (sense, content) in contents {
                let there = match content {
                    Content::Text(text) => Known::Text(text),
                    Content::File(file) => match keep_file(&file, blobs)? {
                        Ok(blob) => Known::Blob(blob),
                        Err(problem) => return Ok(Err(problem)),
                    },
                    Content::Senses(_) => unreachable!("a sense is one file or text"),
                };
                known.insert(sense, there);
            }
            (held.body, held.senses) = (senses::texts(&known), Some(senses::keep(&known)));
        }
    }
    Ok(Ok(held))
}

/// The name of a file among the blobs; what is wrong with the disk or the store stops everything.
fn keep_file(file: &Path, blobs: &Blobs) -> Result<Result<String, Problem>, Stopped> {
    match blobs.keep(file) {
        Ok(name) => Ok(Ok(name)),
        Err(error @ (ShelfError::There(_) | ShelfError::Here(store::StoreError::DiskFull { .. }))) => {
            Err(ApiError::from(error).into())
        }
        Err(error) => {
            let kind = ProblemKind::Unreadable { detail: error.to_string() };
            Ok(Err(Problem::in_file(kind, file)))
        }
    }
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
