//! What was uploaded, read: tables and folders as the command line reads them, and the annotation formats of the field.

use std::path::{Path, PathBuf};

use base::open::BaseError;
use base::video::Ffmpeg;
use dataset::{Content, Dataset, Example, Modality, Problem, ProblemKind, ReadOptions, Sense, Target};
use exchange::{Answer, Item, Kind, Piece};
use pipeline::PipelineError;

use super::cutting::{self, Pieces, Place};
use super::{Progress, Stopped};
use crate::db::datasets::DatasetRow;
use crate::error::ApiError;
use crate::senses;
use crate::tasks::Task;

/// What was found, in one form whatever it came in.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) modality: Modality,
    /// Where examples have several: those of the data set with those that come.
    pub(super) senses: Vec<Sense>,
    pub(super) task: Task,
    /// That it names, in their order, beside those of its examples.
    pub(super) classes: Vec<String>,
    pub(super) items: Vec<Item>,
    /// Those of their files that were cut out of longer ones.
    pub(super) pieces: Pieces,
    pub(super) problems: Vec<Problem>,
}

/// Reads what lies in a folder for a data set that is there; pieces of sounds are cut out into their place.
pub(super) fn read(
    root: &Path,
    known: &DatasetRow,
    progress: &Progress,
    place: &Place<'_>,
) -> Result<Found, Stopped> {
    let task = Task::named(&known.task)?;
    // Once somebody answered or chose, the question stands.
    let asked = (known.n_labelled > 0 || task != Task::Class).then_some(task);
    let mut found = match exchange::recognise(root).map_err(ApiError::from)? {
        Some(format) => annotated(root, format, asked.unwrap_or(task))?,
        None => plain(root, asked, known, &|data, problems| cutting::cut(data, problems, progress, place))?,
    };
    if found.modality == Modality::Video {
        // Without it nothing could be made of them, not even a thumbnail.
        Ffmpeg::default().version().map_err(|error| PipelineError::from(BaseError::from(error)))?;
    }
    check_kind(known, found.modality)?;
    let before = senses::named(known.senses.as_deref());
    found.senses = senses::joined(before, &found.senses).ok_or_else(|| {
        let (en, zh) = ("a column holds another kind of files than before", "某一列中的文件种类与之前不同");
        ApiError::conflict(en, zh).hint("make a new data set for these", "请为它们新建数据集")
    })?;
    if let Some(asked) = asked.filter(|asked| *asked != found.task) {
        let (en, zh) = match asked {
            Task::Class => ("this data set asks for one class of several", "该数据集要求“多类别之一”"),
            Task::Classes => ("this data set asks for several labels", "该数据集要求多标签"),
            Task::Number => ("this data set asks for numbers", "该数据集要求数值"),
        };
        return Err(ApiError::conflict(en, zh)
            .hint("make a new data set for another question", "请为另一种问题新建数据集")
            .into());
    }
    Ok(found)
}

/// Refuses another kind of examples than a data set holds.
fn check_kind(known: &DatasetRow, kind: Modality) -> Result<(), ApiError> {
    if known.modality.as_ref().is_none_or(|known| *known == kind.to_string()) {
        return Ok(());
    }
    let (en, zh) = ("this data set holds another kind of examples", "该数据集中是另一种样本");
    Err(ApiError::conflict(en, zh).hint("make a new data set for these", "请为它们新建数据集"))
}

/// Leaves whole sounds only, and what it cut them out of lies with the pieces.
type Cut<'c> = dyn Fn(&mut Dataset, &mut Vec<Problem>) -> Result<Pieces, Stopped> + 'c;

fn plain(root: &Path, asked: Option<Task>, known: &DatasetRow, cut: &Cut<'_>) -> Result<Found, Stopped> {
    let failed = |error: dataset::ReadError| Stopped::from(PipelineError::from(error));
    let series = (known.modality.as_deref() == Some("series")).then_some(Modality::Series);
    let options = ReadOptions { task: asked.map(Task::kind), wanted: series, ..ReadOptions::default() };
    // One table that came alone is one more series, where there are some.
    let alone = root.parent().filter(|_| series.is_some() && root.is_file());
    let listed = || table_in(root).and_then(|table| listed(&table, &options));
    let (mut data, mut problems) = match series.is_none().then(listed).flatten() {
        Some(read) => read,
        None => dataset::read_pool(alone.unwrap_or(root), &options).map_err(failed)?,
    };
    let folder = if root.is_file() { root.parent().unwrap_or(root) } else { root };
    keep_inside(&mut data, &folder.canonicalize().map_err(ApiError::from)?, &mut problems);
    cutting::refuse_unread_times(&data)?;
    // Nothing is cut out for a data set that cannot take it.
    check_kind(known, data.modality)?;
    let pieces = cut(&mut data, &mut problems)?;
    let unlabelled = data.examples.iter().all(|example| example.target == Target::Unlabelled);
    let found = Task::from(&data.task);
    let task = asked.filter(|_| unlabelled).unwrap_or(found);
    let items: Option<Vec<Item>> =
        data.examples.iter().map(|example| item(&data, example, &pieces)).collect();
    let items = items.ok_or_else(|| ApiError::internal(&"an example has no file"))?;
    let Dataset { modality, senses, .. } = data;
    Ok(Found { modality, senses, task, classes: Vec::new(), items, pieces, problems })
}

/// The only table directly in a folder, or the one that exports call `examples`.
fn table_in(root: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(root).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_table =
        |file: &PathBuf| file.is_file() && dataset::read::modality_of_file(file) == Some(Modality::Series);
    let mut tables: Vec<PathBuf> = files.filter(is_table).collect();
    if tables.len() > 1 {
        tables.retain(|table| table.file_stem().is_some_and(|stem| stem == "examples"));
    }
    <[PathBuf; 1]>::try_from(tables).ok().map(|[only]| only)
}

/// What a table beside folders says, where it lists files that are there: then it knows more than the names of the folders.
fn listed(table: &Path, options: &ReadOptions) -> Option<(Dataset, Vec<Problem>)> {
    let (data, problems) = dataset::read_pool(table, options).ok()?;
    let is_list = data.modality != Modality::Text && !data.examples.is_empty();
    is_list.then_some((data, problems))
}

/// Leaves out what lies elsewhere on this machine: a table from outside may name any file, and who sent it would see what is in it.
fn keep_inside(data: &mut Dataset, folder: &Path, problems: &mut Vec<Problem>) {
    let is_inside = |file: Option<&Path>| {
        file.is_none_or(|file| file.canonicalize().is_ok_and(|file| file.starts_with(folder)))
    };
    let root = data.root.clone();
    let mut told = |origin: &dataset::Origin, file: &Path, sense: Option<&String>| {
        let outside = ProblemKind::OutsideRoot { name: file.display().to_string() };
        let kind = match sense {
            None => outside,
            Some(sense) => ProblemKind::WithoutSense { sense: sense.clone(), reason: Box::new(outside) },
        };
        problems.push(match origin.row {
            Some(row) => Problem::in_row(kind, &origin.path, row),
            None => Problem::in_file(kind, &root),
        });
    };
    data.examples.retain_mut(|example| {
        let origin = &example.origin;
        if let Content::Senses(senses) = &mut example.content {
            senses.retain(|sense, content| {
                let inside = is_inside(content.file());
                if let Some(file) = content.file().filter(|_| !inside) {
                    told(origin, file, Some(sense));
                }
                inside
            });
            return !senses.is_empty();
        }
        let file = example.content.file();
        let inside = is_inside(file);
        if let Some(file) = file.filter(|_| !inside) {
            told(origin, file, None);
        }
        inside
    });
}

/// What lies in a file, or the text; of several senses all that is there.
fn content(content: &Content) -> Option<exchange::Content> {
    Some(match content {
        Content::Text(text) => exchange::Content::Text(text.clone()),
        Content::Senses(senses) => {
            let each = senses.iter().map(|(sense, known)| Some((sense.clone(), self::content(known)?)));
            exchange::Content::Senses(each.collect::<Option<_>>()?)
        }
        other => exchange::Content::File(other.file()?.to_owned()),
    })
}

fn item(data: &Dataset, example: &Example, pieces: &Pieces) -> Option<Item> {
    let name = |class: &dataset::ClassIdx| data.classes().get(class.0 as usize).cloned();
    let answer = match &example.target {
        Target::Unlabelled => Answer::None,
        Target::Class(class) => Answer::Class(name(class)?),
        Target::Classes(classes) => Answer::Classes(classes.iter().filter_map(name).collect()),
        Target::Number(number) => Answer::Number(*number),
    };
    Some(Item {
        name: example.id.0.clone(),
        content: content(&example.content)?,
        size: None,
        answer,
        marks: Vec::new(),
        group: example.group.clone(),
        part: example.part,
        piece: pieces.origin(example.content.file()).or_else(|| told_piece(example)),
    })
}

/// Where a sound was cut out, as a table that came with the pieces says.
fn told_piece(example: &Example) -> Option<Piece> {
    let told = example.details.get("piece").filter(|_| matches!(example.content, Content::Sound(_)))?;
    serde_json::from_str(told).ok()
}

fn annotated(root: &Path, format: exchange::Format, usual: Task) -> Result<Found, Stopped> {
    let (header, items, problems) = exchange::read(root, format).map_err(|error| {
        let (en, zh) = (error.to_string(), format!("无法读取 {} 数据：{error}", format.title()));
        ApiError::invalid(en, zh)
    })?;
    let modality = match header.kind {
        Kind::Image => Modality::Image,
        Kind::Text => Modality::Text,
        Kind::Sound => Modality::Sound,
        Kind::Video => Modality::Video,
        Kind::Series => Modality::Series,
        Kind::Senses => Modality::Senses,
    };
    let task = items.iter().find_map(|item| match item.answer {
        Answer::None => None,
        Answer::Class(_) => Some(Task::Class),
        Answer::Classes(_) => Some(Task::Classes),
        Answer::Number(_) => Some(Task::Number),
    });
    let (task, senses, pieces) = (task.unwrap_or(usual), Vec::new(), Pieces::default());
    Ok(Found { modality, senses, task, classes: header.classes, items, pieces, problems })
}
