//! Label Studio's tasks are written.

use std::io::Write;

use serde_json::{Value, json};

use super::config::Used;
use super::{CONFIG, DOCUMENT, LOCAL, Own, brush, folder, key};
use crate::archive::Archive;
use crate::classes::Classes;
use crate::names::{Apart, Names, safe_path};
use crate::spool::Spool;
use crate::write::Items;
use crate::{Answer, Content, ExchangeError, Header, Item, Kind, Mark, Shape, files};

/// Largest text in a file.
const MOST_BYTES: u64 = dataset::read::MAX_CELL_BYTES as u64;

pub(crate) fn write(
    header: &Header,
    items: Items<'_>,
    files: bool,
    out: &mut dyn Write,
) -> Result<(), ExchangeError> {
    let mut archive = Archive::new(out);
    let mut names = Names::new(Apart::Whole);
    let mut classes = Classes::new(&header.classes);
    let mut used = Used::default();
    let mut tasks: Spool<Value> = Spool::new()?;
    for item in items {
        let item = item?;
        used.add(&item);
        for class in named(&item) {
            classes.number(class);
        }
        let data = match &item.content {
            Content::Text(text) => text.clone(),
            Content::File(path) if header.kind == Kind::Text => text_of(&item.name, path)?,
            Content::File(_) | Content::Senses(_) => {
                let path = names.give(format!("{}/{}", folder(header.kind), safe_path(&item.file_name())));
                if files {
                    archive.content(&path, &item)?;
                }
                format!("{LOCAL}{}", encoded(&path))
            }
        };
        let id = tasks.len() + 1;
        tasks.push(&task(header.kind, &item, &data, id)?)?;
    }
    archive.document(DOCUMENT, |out| list(tasks, out))?;
    archive.text(CONFIG, &used.document(header.kind, classes.names()))?;
    archive.finish()
}

fn named(item: &Item) -> impl Iterator<Item = &str> {
    let answer = match &item.answer {
        Answer::Class(class) => std::slice::from_ref(class),
        Answer::Classes(classes) => classes,
        Answer::None | Answer::Number(_) => &[],
    };
    let marked = item.marks.iter().filter_map(|mark| mark.class.as_deref());
    answer.iter().map(String::as_str).chain(marked)
}

fn text_of(name: &str, path: &std::path::Path) -> Result<String, ExchangeError> {
    let bytes = files::read(path, MOST_BYTES).map_err(|error| match error {
        ExchangeError::Open { source, .. } => ExchangeError::Content { name: name.to_owned(), source },
        other => other,
    })?;
    String::from_utf8(bytes).map_err(|_| ExchangeError::NotText { name: name.to_owned() })
}

fn list(tasks: Spool<Value>, out: &mut dyn Write) -> Result<(), ExchangeError> {
    let mut between = "[\n";
    let is_empty = tasks.len() == 0;
    tasks.each(|task| {
        out.write_all(between.as_bytes()).map_err(ExchangeError::Write)?;
        between = ",\n";
        serde_json::to_writer(&mut *out, &task).map_err(|error| ExchangeError::Write(error.into()))
    })?;
    out.write_all(if is_empty { b"[]\n" } else { b"\n]\n" }).map_err(ExchangeError::Write)
}

fn task(kind: Kind, item: &Item, data: &str, id: u64) -> Result<Value, ExchangeError> {
    let to = key(kind);
    let mut results = Vec::new();
    match &item.answer {
        Answer::None => {}
        Answer::Class(class) => results.push(answer("class", "choices", to, json!({ "choices": [class] }))),
        Answer::Classes(classes) => {
            results.push(answer("class", "choices", to, json!({ "choices": classes })))
        }
        Answer::Number(number) => results.push(answer("number", "number", to, json!({ "number": number }))),
    }
    for (number, mark) in (1..).zip(&item.marks) {
        results.push(region(item, mark, data, to, number)?);
    }
    let annotations = if results.is_empty() { json!([]) } else { json!([{ "result": results }]) };
    let own = Own {
        name: matches!(item.content, Content::Text(_)).then(|| item.name.clone()),
        several: matches!(item.answer, Answer::Classes(_)),
        group: item.group.clone(),
        part: item.part,
    };
    Ok(json!({ "id": id, "data": { to: data }, "meta": { "dianjing": own }, "annotations": annotations }))
}

fn answer(from: &str, kind: &str, to: &str, value: Value) -> Value {
    json!({ "from_name": from, "to_name": to, "type": kind, "value": value })
}

fn region(item: &Item, mark: &Mark, data: &str, to: &str, number: u64) -> Result<Value, ExchangeError> {
    let labels: Vec<&str> = mark.class.as_deref().into_iter().collect();
    let size = || item.picture_size().ok_or_else(|| ExchangeError::NoSize { name: item.name.clone() });
    let share = |pixels: f64, size: u32| pixels * 100.0 / f64::from(size);
    let (from, kind, size, value) = match &mark.shape {
        Shape::Box { x, y, width, height } => {
            let size = size()?;
            let value = json!({
                "x": share(*x, size.0), "y": share(*y, size.1), "width": share(*width, size.0),
                "height": share(*height, size.1), "rotation": 0, "rectanglelabels": labels,
            });
            ("boxes", "rectanglelabels", Some(size), value)
        }
        Shape::Polygon { points } => {
            let size = size()?;
            let points: Vec<_> = points.iter().map(|[x, y]| [share(*x, size.0), share(*y, size.1)]).collect();
            let value = json!({ "points": points, "closed": true, "polygonlabels": labels });
            ("polygons", "polygonlabels", Some(size), value)
        }
        Shape::Brush { width, height, runs } => {
            let value =
                json!({ "format": "rle", "rle": brush::bytes_from_runs(runs), "brushlabels": labels });
            ("brushes", "brushlabels", Some((*width, *height)), value)
        }
        Shape::Span { start, end } => {
            let text: String = data.chars().skip(*start).take(end - start).collect();
            ("parts", "labels", None, json!({ "start": start, "end": end, "text": text, "labels": labels }))
        }
        Shape::Segment { start, end } => {
            ("parts", "labels", None, json!({ "start": start, "end": end, "channel": 0, "labels": labels }))
        }
    };
    let mut region = answer(from, kind, to, value);
    region["id"] = json!(format!("m{number}"));
    if let Some((width, height)) = size {
        region["original_width"] = json!(width);
        region["original_height"] = json!(height);
        region["image_rotation"] = json!(0);
    }
    Ok(region)
}

/// A path as part of an address.
fn encoded(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
