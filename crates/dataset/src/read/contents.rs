//! Which columns say what an example is: one, or several that make several senses.

use std::path::Path;

use super::columns::{ANNOTATOR_NAMES, GROUP_NAMES, MASK_NAMES, PART_NAMES, all_by_name};
use super::names::Names;
use super::{Cell, Table};
use crate::{Modality, ReadError, Sense};

/// A column that says what an example is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentColumn {
    pub(super) column: usize,
    pub(super) modality: Modality,
}

/// What stands behind names of columns that are one thing in several languages.
const LANGUAGES: [&str; 12] = ["en", "zh", "cn", "de", "fr", "es", "it", "pt", "ru", "ja", "ko", "中文"];
/// Cells that are looked at to find out what a column holds.
pub(super) const LOOKED_AT: usize = 50;

const IMAGE_NAMES: &[&str] = &["image", "image_path", "img", "photo", "picture", "图片", "图像", "照片"];
const SOUND_NAMES: &[&str] =
    &["sound", "audio", "audio_path", "wav", "recording", "clip", "声音", "音频", "录音"];
const VIDEO_NAMES: &[&str] = &["video", "video_path", "movie", "clip", "视频", "录像"];
const SERIES_NAMES: &[&str] = &[
    "series",
    "trace",
    "signal",
    "vibration",
    "curve",
    "sensor",
    "sensors",
    "waveform",
    "序列",
    "曲线",
    "波形",
    "振动",
    "信号",
    "传感器",
];
/// Names of columns with files of one sense.
const SENSE_NAMES: [&[&str]; 4] = [IMAGE_NAMES, VIDEO_NAMES, SOUND_NAMES, SERIES_NAMES];
/// Names of columns with files of any kind; what kind, their endings tell.
const FILE_NAMES: &[&str] = &["file_name", "filename", "file", "path", "文件", "路径"];
const TEXT_NAMES: &[&str] = &[
    "text",
    "sentence",
    "content",
    "utterance",
    "query",
    "question",
    "comment",
    "review",
    "message",
    "body",
    "note",
    "caption",
    "description",
    "title",
    "remark",
    "文本",
    "内容",
    "句子",
    "问题",
    "评论",
    "备注",
    "描述",
    "标题",
];

/// Finds the columns, at least one, in the order of the table.
///
/// Columns named for files (`photo`, `sound`, `trace`; also `image_1` or `caption_en`) are taken by the kind of the files in them, `file`
/// and its like only where there is none. Texts named so join them as further senses; without files, one column of text is taken.
pub(super) fn find(
    path: &Path,
    table: &Table,
    given: &[ContentColumn],
    label: Option<usize>,
    wanted: Option<Modality>,
) -> Result<Vec<ContentColumn>, ReadError> {
    let embeds = |content: &&ContentColumn| {
        content.modality == Modality::Image && table.binary.contains(&content.column)
    };
    if let Some(content) = given.iter().find(embeds) {
        let column = table.columns[content.column].clone();
        return Err(ReadError::EmbeddedPictures { path: path.to_owned(), column });
    }
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let is_free = |column: &usize| Some(*column) != label;
    let files = named_files(table, &is_free);
    let texts = named(table, &[TEXT_NAMES]).into_iter().filter(is_free);
    let texts: Vec<ContentColumn> =
        texts.map(|column| ContentColumn { column, modality: Modality::Text }).collect();
    match (&files[..], &texts[..]) {
        ([], []) => unnamed(path, table, &is_free).map(|content| vec![content]),
        ([], texts) => Ok(vec![texts[0]]),
        (files, texts) => {
            let mut contents = [files, texts].concat();
            contents.sort_by_key(|content| content.column);
            // A model of one sense asks for that one.
            let asked = contents.iter().copied().find(|content| Some(content.modality) == wanted);
            Ok(asked.map_or(contents, |asked| vec![asked]))
        }
    }
}

/// The two columns that make pairs: those of these names, else the first two that say what an example is.
pub(super) fn pair(path: &Path, table: &Table, names: [Option<&str>; 2]) -> Result<Vec<Sense>, ReadError> {
    let no_column = |column: &str| ReadError::NoColumn {
        path: path.to_owned(),
        column: column.to_owned(),
        existing: table.columns.clone(),
    };
    let unknown = |(column, ending): (usize, String)| ReadError::UnknownFiles {
        path: path.to_owned(),
        column: table.columns[column].clone(),
        ending,
    };
    let of_files = self::named(table, &[&SENSE_NAMES[..], &[FILE_NAMES]].concat());
    let named = |name: &str| {
        let column = table.column(name).ok_or_else(|| no_column(name))?;
        let names = Names::of(table, column);
        let modality = if of_files.contains(&column) { names.most() } else { names.nearly_all() };
        match (modality, names.unknown_where_named(of_files.contains(&column))) {
            (Some(modality), _) => Ok(Sense { name: name.to_owned(), modality }),
            // What they name is not what they say.
            (None, Some(ending)) => Err(unknown((column, ending))),
            (None, None) => Ok(Sense { name: name.to_owned(), modality: Modality::Text }),
        }
    };
    let senses: Vec<Sense> = names.into_iter().flatten().map(named).collect::<Result<_, ReadError>>()?;
    let is_free = |column: &usize| senses.iter().all(|sense| sense.name != table.columns[*column]);
    let files = named_files(table, &is_free).into_iter();
    let texts = self::named(table, &[TEXT_NAMES]).into_iter().filter(is_free);
    let texts = texts.map(|column| ContentColumn { column, modality: Modality::Text });
    let mut found: Vec<ContentColumn> = files.chain(texts).collect();
    found.sort_by_key(|content| content.column);
    let more = found
        .into_iter()
        .map(|content| Sense { name: table.columns[content.column].clone(), modality: content.modality });
    let more: Vec<Sense> = more.take(2 - senses.len()).collect();
    let unread = unknown_files(table, &is_free).into_iter().next();
    // The one that was named keeps its end.
    let senses = if names[0].is_some() { [senses, more].concat() } else { [more, senses].concat() };
    match &senses[..] {
        [left, right] if left.name != right.name => Ok(senses),
        _ => Err(match unread {
            Some(found) => unknown(found),
            None => ReadError::NotTwoSenses { path: path.to_owned(), existing: table.columns.clone() },
        }),
    }
}

/// Whether a table lists files of this kind.
pub(super) fn lists_files_of(table: &Table, modality: Modality) -> bool {
    (0..table.columns.len()).any(|column| Names::of(table, column).nearly_all() == Some(modality))
}

/// Columns that are named for files and name some, without those that name the files of another one again.
fn named_files(table: &Table, is_free: &dyn Fn(&usize) -> bool) -> Vec<ContentColumn> {
    let of_names = |names: &[&[&str]]| {
        let columns = named(table, names).into_iter().filter(is_free);
        let with_modality =
            |column| Some(ContentColumn { column, modality: Names::of(table, column).most()? });
        columns.filter_map(with_modality).collect::<Vec<_>>()
    };
    let mut files = of_names(&SENSE_NAMES);
    if files.is_empty() {
        files = of_names(&[FILE_NAMES]);
        files.truncate(1);
    }
    let mut kept: Vec<ContentColumn> = Vec::new();
    for content in files {
        let again = |other: &ContentColumn| names_the_same(table, other.column, content.column);
        if !kept.iter().any(again) {
            kept.push(content);
        }
    }
    kept
}

/// Columns that are named for files of one sense and name files of a kind that is not known, each with their most frequent ending.
pub(super) fn unknown_files(table: &Table, is_free: &dyn Fn(&usize) -> bool) -> Vec<(usize, String)> {
    let columns = named(table, &SENSE_NAMES).into_iter().filter(is_free);
    columns.filter_map(|column| Some((column, Names::of(table, column).unknown()?))).collect()
}

/// Whether two columns name the same files, one of them perhaps from further up.
fn names_the_same(table: &Table, one: usize, other: usize) -> bool {
    let mut pairs = table.cells(one).zip(table.cells(other)).take(LOOKED_AT);
    pairs.all(|(one, other)| {
        let (one, other) = (one.text().replace('\\', "/"), other.text().replace('\\', "/"));
        one == other || one.ends_with(&format!("/{other}")) || other.ends_with(&format!("/{one}"))
    })
}

/// The columns with one of these names, or with one and a language or a number behind it; the surest name first.
fn named(table: &Table, names: &[&[&str]]) -> Vec<usize> {
    let names = names.concat();
    let mut found = all_by_name(table, &names);
    for (place, column) in table.columns.iter().enumerate() {
        let Some((name, which)) = column.rsplit_once('_') else { continue };
        let is_number = which.len() <= 2 && which.bytes().all(|byte| byte.is_ascii_digit());
        let is_which = is_number || LANGUAGES.contains(&which.to_lowercase().as_str());
        if is_which && !found.contains(&place) && names.contains(&name.trim().to_lowercase().as_str()) {
            found.push(place);
        }
    }
    found
}

/// The first column that names files, else the one with the longest texts.
fn unnamed(path: &Path, table: &Table, is_free: &dyn Fn(&usize) -> bool) -> Result<ContentColumn, ReadError> {
    // Names of people, lots, parts and masks are words too, but not what an example reads or looks like.
    let known = [ANNOTATOR_NAMES, GROUP_NAMES, PART_NAMES, MASK_NAMES]
        .map(|names| all_by_name(table, names))
        .concat();
    let free = || {
        (0..table.columns.len())
            .filter(|column| is_free(column) && !known.contains(column) && !names_bytes(table, *column))
    };
    let file = |column| Some(ContentColumn { column, modality: Names::of(table, column).nearly_all()? });
    let text = |column| ContentColumn { column, modality: Modality::Text };
    // What files are called is no text to learn from.
    let unknown: Vec<(usize, String)> = named(table, &[&SENSE_NAMES[..], &[FILE_NAMES]].concat())
        .into_iter()
        .filter_map(|column| Some((column, Names::of(table, column).unknown()?)))
        .collect();
    let texts = || free().filter(|column| unknown.iter().all(|(other, _)| other != column));
    let found = free().find_map(file).or_else(|| longest_text(table, texts()).map(text));
    found.ok_or_else(|| match (table.binary.first(), unknown.first()) {
        (Some(column), _) => {
            ReadError::EmbeddedPictures { path: path.to_owned(), column: table.columns[*column].clone() }
        }
        (None, Some((column, ending))) => ReadError::UnknownFiles {
            path: path.to_owned(),
            column: table.columns[*column].clone(),
            ending: ending.clone(),
        },
        (None, None) => ReadError::NoContentColumn { path: path.to_owned(), existing: table.columns.clone() },
    })
}

/// Beside a picture's bytes stands the name that its file once had (`image.bytes` and `image.path`).
fn names_bytes(table: &Table, column: usize) -> bool {
    let owner = |column: usize| table.columns[column].rsplit_once('.').map(|(owner, _)| owner);
    owner(column).is_some() && table.binary.iter().any(|binary| owner(*binary) == owner(column))
}

/// The column with the longest texts, if they are longer than single words.
fn longest_text(table: &Table, columns: impl Iterator<Item = usize>) -> Option<usize> {
    let mean_length = |column: &usize| {
        let lengths: Vec<usize> = table
            .cells(*column)
            .take(200)
            .filter_map(|cell| match cell {
                Cell::Text(text) if cell.number().is_none() => Some(text.chars().count()),
                _ => None,
            })
            .collect();
        if lengths.is_empty() { 0 } else { lengths.iter().sum::<usize>() / lengths.len() }
    };
    columns.filter(|column| mean_length(column) >= 4).max_by_key(mean_length)
}
