//! What was uploaded, read: tables and folders as the command line reads them, and the annotation formats of the field.

use std::path::Path;

use dataset::{Content, Dataset, Example, Modality, Problem, ReadOptions, Target};
use exchange::{Answer, Item, Kind};
use pipeline::PipelineError;

use super::Stopped;
use crate::db::datasets::DatasetRow;
use crate::error::ApiError;
use crate::tasks::Task;

/// What was found, in one form whatever it came in.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) modality: Modality,
    pub(super) task: Task,
    /// That it names, in their order, beside those of its examples.
    pub(super) classes: Vec<String>,
    pub(super) items: Vec<Item>,
    pub(super) problems: Vec<Problem>,
}

/// Reads what lies in a folder for a data set that is there.
pub(super) fn read(root: &Path, known: &DatasetRow) -> Result<Found, Stopped> {
    let task = Task::named(&known.task)?;
    // Once somebody answered or chose, the question stands.
    let asked = (known.n_labelled > 0 || task != Task::Class).then_some(task);
    let found = match exchange::recognise(root).map_err(ApiError::from)? {
        Some(format) => annotated(root, format, asked.unwrap_or(task))?,
        None => plain(root, asked)?,
    };
    if known.modality.as_ref().is_some_and(|known| *known != found.modality.to_string()) {
        let (en, zh) = ("this data set holds another kind of examples", "该数据集中是另一种样本");
        return Err(ApiError::conflict(en, zh)
            .hint("make a new data set for these", "请为它们新建数据集")
            .into());
    }
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

fn plain(root: &Path, asked: Option<Task>) -> Result<Found, Stopped> {
    let failed = |error: dataset::ReadError| Stopped::from(PipelineError::from(error));
    let options = ReadOptions { task: asked.map(Task::kind), ..ReadOptions::default() };
    let (data, problems) = dataset::read_pool(root, &options).map_err(failed)?;
    if !matches!(data.modality, Modality::Image | Modality::Text | Modality::Sound) {
        let (en, zh) = ("the studio takes photos, texts and sounds", "工作台目前接受图片、文本和声音");
        let hint = ("use `dianjing tune` for other kinds of data", "其他种类的数据请使用 dianjing tune");
        return Err(ApiError::invalid(en, zh).hint(hint.0, hint.1).into());
    }
    let unlabelled = data.examples.iter().all(|example| example.target == Target::Unlabelled);
    let found = Task::from(&data.task);
    let task = asked.filter(|_| unlabelled).unwrap_or(found);
    let items: Option<Vec<Item>> = data.examples.iter().map(|example| item(&data, example)).collect();
    let items = items.ok_or_else(|| ApiError::internal(&"an example has no file"))?;
    Ok(Found { modality: data.modality, task, classes: Vec::new(), items, problems })
}

fn item(data: &Dataset, example: &Example) -> Option<Item> {
    let name = |class: &dataset::ClassIdx| data.classes().get(class.0 as usize).cloned();
    let content = match &example.content {
        Content::Text(text) => exchange::Content::Text(text.clone()),
        other => exchange::Content::File(other.file()?.to_owned()),
    };
    let answer = match &example.target {
        Target::Unlabelled => Answer::None,
        Target::Class(class) => Answer::Class(name(class)?),
        Target::Classes(classes) => Answer::Classes(classes.iter().filter_map(name).collect()),
        Target::Number(number) => Answer::Number(*number),
    };
    Some(Item {
        name: example.id.0.clone(),
        content,
        size: None,
        answer,
        marks: Vec::new(),
        group: example.group.clone(),
        part: example.part,
    })
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
    };
    let task = items.iter().find_map(|item| match item.answer {
        Answer::None => None,
        Answer::Class(_) => Some(Task::Class),
        Answer::Classes(_) => Some(Task::Classes),
        Answer::Number(_) => Some(Task::Number),
    });
    Ok(Found { modality, task: task.unwrap_or(usual), classes: header.classes, items, problems })
}
