//! Folders: one class per folder, with or without a level of parts above, or tables beside pictures.

use std::path::{Path, PathBuf};

use super::encoding::{self, NOT_TEXT};
use super::layout::{PartFile, TopLevel, inspection_class, is_mask, list, tables_in, top_level};
use super::rows::{Source, check_classes, name_of, task_name};
use super::{Format, Labels, ReadOptions, ids, read_table, rows};
use crate::{
    ClassIdx, Content, Dataset, Decision, Example, ExampleId, Modality, Origin, Part, Problem, ProblemKind,
    ReadError, Target, Task,
};

/// Whether a file's name says that it is a picture. What is inside is looked at when it is decoded.
pub(super) fn is_image_name(path: &Path) -> bool {
    extension_is(path, &["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif"])
}

/// Whether a file's name says that it is a sound.
pub(super) fn is_sound_name(path: &Path) -> bool {
    extension_is(
        path,
        &[
            "wav", "wave", "flac", "ogg", "oga", "mp3", "m4a", "aac", "aif", "aiff", "aifc", "caf", "mka",
            "opus", "wma", "amr", "ac3",
        ],
    )
}

/// Whether a file's name says that it is a video. A GIF may be one too: see [`most_of`].
pub(super) fn is_video_name(path: &Path) -> bool {
    extension_is(path, &["mp4", "mov", "webm", "mkv", "avi", "m4v", "mpg", "mpeg"])
}

/// Whether a file may be a series of sensors, as its name says: a table in a folder of its class is one.
pub(super) fn is_series_name(path: &Path) -> bool {
    Format::of(path).is_some()
}

/// The sense that a file speaks to, as its name says. Tables are none: see [`is_series_name`].
pub(super) fn modality_of_name(path: &Path) -> Option<Modality> {
    match path {
        _ if is_image_name(path) => Some(Modality::Image),
        _ if is_sound_name(path) => Some(Modality::Sound),
        _ if is_video_name(path) => Some(Modality::Video),
        _ if is_text_name(path) => Some(Modality::Text),
        _ => None,
    }
}

pub(super) fn is_text_name(path: &Path) -> bool {
    extension_is(path, &["txt"])
}

fn extension_is(path: &Path, known: &[&str]) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|extension| known.contains(&extension.as_str()))
}

/// One file that somebody wants predicted, whatever it is called.
pub(super) fn single_file(path: &Path) -> Example {
    let text = if is_text_name(path) { read_text(path).ok() } else { None };
    let in_file = || match modality_of_name(path) {
        Some(Modality::Sound) => Content::Sound(path.to_owned()),
        Some(Modality::Video) => Content::Video(path.to_owned()),
        _ if is_series_name(path) => Content::Series(path.to_owned()),
        _ => Content::Image(path.to_owned()),
    };
    let content = text.map_or_else(in_file, Content::Text);
    example(path.to_string_lossy().into_owned(), content, path)
}

/// One line of text from a source that is no table.
pub(super) fn line(source: &str, row: u64, text: &str) -> Example {
    let mut example = example(format!("{source}:{row}"), Content::Text(text.to_owned()), Path::new(source));
    example.origin.row = Some(row);
    example
}

fn example(id: String, content: Content, path: &Path) -> Example {
    let origin = Origin { path: path.to_owned(), row: None };
    Example {
        id: ExampleId(id),
        content,
        target: Target::Unlabelled,
        votes: Vec::new(),
        group: None,
        part: None,
        details: std::collections::BTreeMap::new(),
        origin,
    }
}

/// Reads a folder in whatever layout it has.
pub(super) fn read(
    root: &Path,
    options: &ReadOptions,
    labels: Labels,
) -> Result<(Dataset, Vec<Problem>), ReadError> {
    let are_series = options.wanted == Some(Modality::Series) && !labels.are_required();
    if !are_series && let Some(tables) = tables_in(root)? {
        return read_tables(root, &tables, options, labels);
    }
    let (mut files, mut problems) = list(root)?;
    if let Some(class) = inspection_class(root, &files) {
        if labels.are_required() {
            return Err(ReadError::InspectionLayout { path: root.to_owned(), class });
        }
        files.retain(|file| !is_mask(root, file));
    }
    let (kept, modality) = most_of(&files, options.wanted);
    if kept.is_empty() {
        return Err(ReadError::Empty { path: root.to_owned() });
    }
    // Series lie in folders of their classes; tables side by side may be anything.
    if modality == Modality::Series && !are_series && kept.iter().all(|file| file.parent() == Some(root)) {
        let tables = kept.iter().map(|file| ids::place_of(root, file)).collect();
        return Err(ReadError::SeveralTables { path: root.to_owned(), tables });
    }
    let ignored = files.len() - kept.len();
    if ignored > 0 {
        problems.push(Problem::in_file(ProblemKind::Ignored { count: ignored }, root));
    }
    let dataset = class_folders(root, &kept, modality, labels, &mut problems)?;
    check_classes(&dataset, labels, &mut problems)?;
    Ok((dataset, problems))
}

/// The files of the sense that is wanted, else of the one that most files speak to; pictures before videos before sounds before
/// texts before series where there are as many. Where most are videos, GIFs are videos as well; otherwise they are pictures.
fn most_of(files: &[PathBuf], wanted: Option<Modality>) -> (Vec<PathBuf>, Modality) {
    let of = |modality| -> Vec<PathBuf> {
        let speaks = |file: &&PathBuf| match modality {
            Modality::Series => is_series_name(file),
            modality => modality_of_name(file) == Some(modality),
        };
        files.iter().filter(speaks).cloned().collect()
    };
    let senses = [Modality::Series, Modality::Text, Modality::Sound, Modality::Video, Modality::Image];
    let found = senses.map(|modality| (of(modality), modality));
    let is_wanted = |modality| wanted == Some(modality);
    let most = found
        .into_iter()
        .max_by_key(|(files, modality)| (is_wanted(*modality) && !files.is_empty(), files.len()));
    match most.expect("there are five senses") {
        (_, Modality::Video) => {
            let is_clip = |file: &&PathBuf| is_video_name(file) || extension_is(file, &["gif"]);
            (files.iter().filter(is_clip).cloned().collect(), Modality::Video)
        }
        most => most,
    }
}

/// The first folder below the root is the class, or the part and the next one the class.
fn class_folders(
    root: &Path,
    files: &[PathBuf],
    modality: Modality,
    labels: Labels,
    problems: &mut Vec<Problem>,
) -> Result<Dataset, ReadError> {
    let has_parts = top_level(root, files) == TopLevel::Parts;
    let (files, others): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(|file| {
        let folders = folders_between(root, file);
        // What is to be predicted need not belong to a part.
        !has_parts
            || !labels.are_required()
            || folders.first().is_some_and(|name| Part::from_name(name).is_some())
    });
    if !others.is_empty() {
        problems.push(Problem::in_file(ProblemKind::Ignored { count: others.len() }, root));
    }
    let folders: Vec<Vec<String>> = files.iter().map(|file| folders_between(root, file)).collect();
    let level = usize::from(has_parts);
    let root_is_open = labels == Labels::Optional && names_open(&name_of(root));
    let class_of = |folders: &[String]| {
        folders
            .get(level)
            .filter(|name| !(root_is_open || labels == Labels::Optional && names_open(name)))
            .cloned()
    };
    let mut classes: Vec<String> = folders.iter().filter_map(|folders| class_of(folders)).collect();
    classes.sort();
    classes.dedup();
    if classes.is_empty() && labels.are_required() {
        return Err(ReadError::NoClassFolders { path: root.to_owned() });
    }
    let mut examples = Vec::with_capacity(files.len());
    for (file, folders) in files.into_iter().zip(&folders) {
        let content = match modality {
            Modality::Text => match read_text(file) {
                Ok(text) => Content::Text(text),
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            },
            modality => Content::in_file(modality, file.clone()),
        };
        let id = file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let mut example = example(id, content, file);
        example.part = folders.first().filter(|_| has_parts).and_then(|name| Part::from_name(name));
        if let Some(class) = class_of(folders) {
            let place = classes.binary_search(&class).expect("the list was made of these names");
            example.target = Target::Class(ClassIdx(u32::try_from(place).expect("fewer classes than files")));
        }
        examples.push(example);
    }
    let task = Task::SingleLabel { classes };
    ids::make_unique(root, &mut examples);
    let decision = decision(&task, has_parts);
    Ok(Dataset {
        name: name_of(root),
        root: root.to_owned(),
        task,
        decision,
        modality,
        senses: Vec::new(),
        examples,
    })
}

/// Whether a folder's name says that what is in it has no labels.
fn names_open(name: &str) -> bool {
    ["unlabelled", "unlabeled", "未标注"].contains(&name.trim().to_lowercase().as_str())
}

fn decision(task: &Task, has_parts: bool) -> Decision {
    let content = if has_parts { "files below train, validation and test" } else { "files" };
    Decision {
        layout: "class folders".to_owned(),
        content: content.to_owned(),
        label: Some("folder name".to_owned()),
        task: task_name(task).to_owned(),
        why: "each folder is a class".to_owned(),
    }
}

fn read_text(file: &Path) -> Result<String, Problem> {
    let bytes = std::fs::read(file)
        .map_err(|error| Problem::in_file(ProblemKind::Unreadable { detail: error.to_string() }, file))?;
    let decoded = encoding::decode(&bytes)
        .ok_or_else(|| Problem::in_file(ProblemKind::Unreadable { detail: NOT_TEXT.to_owned() }, file))?;
    if decoded.damaged {
        let kind = ProblemKind::BadText { encoding: decoded.encoding.to_owned() };
        return Err(Problem::in_file(kind, file));
    }
    let text = decoded.text.trim().to_owned();
    if text.is_empty() { Err(Problem::in_file(ProblemKind::EmptyFile, file)) } else { Ok(text) }
}

/// The names of the folders between the root and a file.
pub(super) fn folders_between(root: &Path, file: &Path) -> Vec<String> {
    let inner = file.strip_prefix(root).unwrap_or(file);
    let folders = inner.parent().into_iter().flat_map(Path::components);
    folders.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

fn read_tables(
    root: &Path,
    files: &[PartFile],
    options: &ReadOptions,
    labels: Labels,
) -> Result<(Dataset, Vec<Problem>), ReadError> {
    let (sources, layout, mut problems) = sources(files)?;
    let (dataset, more) = rows::dataset(root, &sources, layout, options, labels)?;
    problems.extend(more);
    Ok((dataset, problems))
}

/// The tables of a folder, and what to call that layout.
pub(super) fn sources(files: &[PartFile]) -> Result<(Vec<Source>, &'static str, Vec<Problem>), ReadError> {
    let mut problems = Vec::new();
    let mut sources = Vec::new();
    for (file, part) in files {
        let format = Format::of(file).expect("only known formats were listed");
        let (table, mut more) = read_table(file, format)?;
        problems.append(&mut more);
        sources.push(Source { table, file: file.clone(), part: *part });
    }
    let has_parts = sources.iter().any(|source| source.part.is_some());
    Ok((sources, if has_parts { "tables, one per part" } else { "metadata table" }, problems))
}
