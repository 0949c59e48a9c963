//! Label Studio's tasks are read.

use std::cell::Cell;
use std::fmt;

use dataset::read::modality_of_file;
use dataset::{Modality, Problem, ProblemKind};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::task::{Said, Task};
use super::{LOCAL, Own};
use crate::classes::Classes;
use crate::files::{self, Files};
use crate::lenient::Lenient;
use crate::read::Found;
use crate::tables::kind_of;
use crate::{Answer, Content, ExchangeError, Header, Item, Kind, picture};

/// Folders in which the files of tasks may lie.
const FOLDERS: &[&str] = &["images", "audio", "files", "media", "data"];

/// Whether this is a list whose first entry is a task.
pub(crate) fn is_document(reader: impl std::io::Read) -> bool {
    struct First<'c>(&'c Cell<bool>);
    #[derive(Deserialize)]
    struct Keys {
        #[serde(rename = "data")]
        _data: Map<String, Value>,
        annotations: Option<IgnoredAny>,
        completions: Option<IgnoredAny>,
        predictions: Option<IgnoredAny>,
    }
    impl<'de> Visitor<'de> for First<'_> {
        type Value = ();

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a list of tasks")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            let first: Option<Keys> = list.next_element()?;
            self.0.set(first.is_some_and(|keys| {
                [keys.annotations, keys.completions, keys.predictions].iter().any(Option::is_some)
            }));
            // The rest need not be looked at.
            Err(A::Error::custom("enough"))
        }
    }
    let is_task = Cell::new(false);
    let reader = std::io::BufReader::with_capacity(1 << 16, reader);
    let _ = serde_json::Deserializer::from_reader(reader).deserialize_seq(First(&is_task));
    is_task.get()
}

pub(crate) fn read(files: &Files, name: String, documents: &[String]) -> Result<Found, ExchangeError> {
    let mut set = Set { files, items: Vec::new(), choices: Vec::new(), problems: Vec::new() };
    for path in documents {
        let full = files.full(path);
        let tasks = files.read(path).and_then(|bytes| {
            serde_json::from_slice::<Vec<Lenient<Task>>>(&bytes)
                .map_err(|error| ExchangeError::malformed(&full, error))
        });
        match tasks {
            Ok(tasks) => {
                for (row, task) in (1..).zip(tasks) {
                    let added = task.0.map_err(|detail| ProblemKind::BadRow { detail });
                    if let Err(kind) = added.and_then(|task| set.add(path, row, task)) {
                        set.problems.push(Problem::in_row(kind, &full, row));
                    }
                }
            }
            Err(error) if documents.len() == 1 => return Err(error),
            Err(error) => set.problems.push(files::problem(error, &full)),
        }
    }
    Ok(set.finish(name))
}

struct Set<'f> {
    files: &'f Files,
    items: Vec<Item>,
    /// The choices of each item, and whether the task itself says that they are several.
    choices: Vec<(Option<Vec<String>>, bool)>,
    problems: Vec<Problem>,
}

impl Set<'_> {
    fn add(&mut self, document: &str, row: u64, mut task: Task) -> Result<(), ProblemKind> {
        let own: Own = task
            .meta
            .as_mut()
            .and_then(|meta| meta.remove("dianjing"))
            .and_then(|own| serde_json::from_value(own).ok())
            .unwrap_or_default();
        let (found, content) = content(self.files, document, &task.data)?;
        let kind = kind_of(&content);
        let size = match &content {
            Content::File(path) if kind == Kind::Image => picture::size(path),
            _ => None,
        };
        let results = task.results().map_err(|detail| ProblemKind::BadRow { detail })?;
        let mut said = Said::of(results, &content, size);
        for (number, mark) in (1..).zip(std::mem::take(&mut said.marks)) {
            match mark.check(kind) {
                Ok(()) => said.marks.push(mark),
                Err(error) => said.unread.push((number, error.to_string())),
            }
        }
        for (number, detail) in said.unread {
            let detail = format!("result {number}: {detail}");
            let problem = Problem::in_row(ProblemKind::BadRow { detail }, self.files.full(document), row);
            self.problems.push(problem.column("annotations"));
        }
        let name = found.or(own.name).unwrap_or_else(|| format!("{}:{row}", files::name(document)));
        self.choices.push((said.choices, own.several));
        let answer = said.number.filter(|number| number.is_finite()).map_or(Answer::None, Answer::Number);
        let (marks, group, part) = (said.marks, own.group, own.part);
        self.items.push(Item { name, content, size, answer, marks, group, part, piece: None });
        Ok(())
    }

    /// Choices are sets where a task says so, or any task has other than one.
    fn finish(mut self, name: String) -> Found {
        let are_several = |(choices, several): &(Option<Vec<String>>, bool)| {
            *several || choices.as_ref().is_some_and(|choices| choices.len() != 1)
        };
        let several = self.choices.iter().any(are_several);
        let mut classes = Classes::default();
        for (item, (choices, _)) in self.items.iter_mut().zip(self.choices) {
            if let Some(mut choices) = choices {
                choices.iter().for_each(|class| _ = classes.number(class));
                item.answer = match choices.len() {
                    1 if !several => Answer::Class(choices.remove(0)),
                    _ => Answer::Classes(choices),
                };
            }
            for class in item.marks.iter().filter_map(|mark| mark.class.as_ref()) {
                classes.number(class);
            }
        }
        let kind = self.items.first().map_or(Kind::Image, |item| kind_of(&item.content));
        (Header { name, kind, classes: classes.into_names() }, self.items, self.problems)
    }
}

/// What a task is about: the first entry that names a picture, a sound or a video, else its `text`, else its longest text. A file comes
/// with its name.
fn content(
    files: &Files,
    document: &str,
    data: &Map<String, Value>,
) -> Result<(Option<String>, Content), ProblemKind> {
    let texts = || data.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
    let is_media = |path: &str| {
        matches!(modality_of_file(path.as_ref()), Some(Modality::Image | Modality::Sound | Modality::Video))
            && !path.contains('\n')
    };
    let media = texts().filter(|(key, _)| *key != "text").map(|(_, value)| address(value));
    if let Some(path) = media.into_iter().find(|path| is_media(path)) {
        // An upload gets eight digits and a hyphen before its name.
        let uploaded = path.split_once('-').filter(|(start, _)| start.len() == 8).map(|(_, name)| name);
        let found = files.meant(&path, document, FOLDERS);
        let found = match (found, uploaded) {
            (Err(_), Some(name)) => files.meant(name, document, FOLDERS),
            (found, _) => found,
        }?;
        let folder = FOLDERS.iter().find_map(|folder| found.strip_prefix(folder)?.strip_prefix('/'));
        return Ok((Some(folder.unwrap_or(found).to_owned()), Content::File(files.full(found))));
    }
    let text = texts().find(|(key, _)| *key == "text").or_else(|| texts().max_by_key(|(_, text)| text.len()));
    match text {
        Some((_, text)) if text.len() <= dataset::read::MAX_CELL_BYTES => {
            Ok((None, Content::Text(text.to_owned())))
        }
        Some(_) => Err(ProblemKind::BadRow { detail: "its text is too long".to_owned() }),
        None => Err(ProblemKind::EmptyCell),
    }
}

/// The path or name of a file in an address of Label Studio, of a server or of a bucket.
fn address(value: &str) -> String {
    if let Some(path) = value.strip_prefix(LOCAL) {
        return decoded(path.split('&').next().unwrap_or(path));
    }
    let is_elsewhere = value.contains("://") || value.starts_with("/data/");
    if is_elsewhere {
        let path = value.split(['?', '#']).next().unwrap_or(value);
        return decoded(files::name(path));
    }
    value.to_owned()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let hex = others.get(..2).filter(|_| *first == b'%').and_then(|hex| str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_paths() {
        for (value, expect) in [
            ("/data/local-files/?d=images/%E7%8C%AB%201.png", "images/猫 1.png"),
            ("/data/upload/3/0a1b2c3d-cat.jpg", "0a1b2c3d-cat.jpg"),
            ("s3://bucket/a/cat.jpg", "cat.jpg"),
            ("https://example.org/a/c%61t.jpg?size=1", "cat.jpg"),
            ("a/100%.png", "a/100%.png"),
        ] {
            assert_eq!(address(value), expect);
        }
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }

    #[test]
    fn tasks_are_recognised_by_the_first() {
        assert!(is_document(&br#"[{"id":1,"data":{"text":"a"},"annotations":[]}, "#[..]));
        for other in [r#"[{"data":{}}]"#, "[]", "{}", "[1]", "", r#"[{"data":1,"annotations":[]}]"#] {
            assert!(!is_document(other.as_bytes()), "{other}");
        }
    }
}
