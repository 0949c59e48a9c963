//! Every format is recognised and read from here.

use std::fs::File;
use std::io;
use std::path::Path;

use dataset::{Problem, ProblemKind};

use crate::files::{self, Files, MOST_BYTES};
use crate::{ExchangeError, Format, Header, Item, coco, folders, label_studio, mvtec, tables, voc, yolo};

/// What reading gives.
pub(crate) type Found = (Header, Vec<Item>, Vec<Problem>);

/// Most marks of one example.
pub const MOST_MARKS: usize = 2_000;
/// Most documents that are looked into to recognise a format.
const MOST_LOOKS: usize = 64;
/// Formats of one table.
const TABLES: [Format; 3] = [Format::Csv, Format::Jsonl, Format::Parquet];

/// The format of annotated data that lies in a folder, when it is certain: COCO, Pascal VOC, YOLO, MVTec AD, Label Studio, or a
/// table that was written here with marks in it.
///
/// Other tables and class folders are recognised elsewhere; they are `None`.
pub fn recognise(root: &Path) -> io::Result<Option<Format>> {
    if !root.is_dir() {
        let of_table = || TABLES.into_iter().find(|format| ends_in(root, format.name()));
        let table = || of_table().filter(|format| tables::has_marks(root, *format));
        return Ok(if ends_in(root, "json") { json_format(root) } else { table() });
    }
    let files = match Files::list(root) {
        Ok(files) => files,
        Err(ExchangeError::Open { source, .. }) => return Err(source),
        // What is too much to list is read, and refused, elsewhere.
        Err(_) => return Ok(None),
    };
    let documents = files.ending(&[".json"]).take(MOST_LOOKS);
    if let Some(format) = documents.filter_map(|path| json_format(&files.full(path))).next() {
        return Ok(Some(format));
    }
    let marked = |format: &Format| {
        tables::find(&files, *format).is_some_and(|table| tables::has_marks(&files.full(table), *format))
    };
    if let Some(format) = TABLES.into_iter().find(marked) {
        return Ok(Some(format));
    }
    Ok(if yolo::is_there(&files) {
        Some(Format::Yolo)
    } else if files.ending(&[".xml"]).take(MOST_LOOKS).any(|path| voc::is_document(&files, path)) {
        Some(Format::Voc)
    } else {
        mvtec::is_there(&files).then_some(Format::Mvtec)
    })
}

fn ends_in(path: &Path, name: &str) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(name))
}

fn json_format(path: &Path) -> Option<Format> {
    let open =
        || File::open(path).ok().filter(|file| file.metadata().is_ok_and(|data| data.len() <= MOST_BYTES));
    if label_studio::is_document(open()?) {
        return Some(Format::LabelStudio);
    }
    coco::is_document(open()?).then_some(Format::Coco)
}

/// Reads a set of a format from a folder, or from the one document or table that `root` is.
///
/// Returns the header, the items whose files are there, and the problems. Nothing outside the folder is touched.
///
/// # Errors
/// [`ExchangeError::NotThere`] when nothing of this format is there, [`ExchangeError::Malformed`] when the only document cannot be
/// parsed, [`ExchangeError::TooMuch`] above the limits, and those of the disk.
pub fn read(root: &Path, format: Format) -> Result<Found, ExchangeError> {
    std::fs::metadata(root).map_err(|source| ExchangeError::open(root, source))?;
    let single = root.is_file().then(|| root.file_name().and_then(|name| name.to_str())).flatten();
    let folder = if single.is_some() { root.parent().unwrap_or(root) } else { root };
    // The only folder may be the only class.
    let is_as_is = single.is_some() || format == Format::Folders;
    let files = if is_as_is { Files::list_as_is(folder)? } else { Files::list(folder)? };
    let named =
        single.map_or_else(|| files.root().to_owned(), |name| Path::new(files::stem(name)).to_owned());
    let name = named.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let missing = || ExchangeError::NotThere { path: root.to_owned(), format };
    let documents = |is_one: &dyn Fn(&Path) -> bool| -> Result<Vec<String>, ExchangeError> {
        let found: Vec<String> = match single {
            Some(single) => vec![single.to_owned()],
            None => {
                let paths = files.ending(&[".json"]);
                paths.filter(|path| is_one(&files.full(path))).map(str::to_owned).collect()
            }
        };
        if found.is_empty() { Err(missing()) } else { Ok(found) }
    };
    let found = match format {
        Format::Csv | Format::Jsonl | Format::Parquet => {
            let table = single.or_else(|| tables::find(&files, format)).ok_or_else(missing)?;
            tables::read(&files, name, table, format)
        }
        Format::Coco => {
            coco::read(&files, name, &documents(&|path| json_format(path) == Some(Format::Coco))?)
        }
        Format::LabelStudio => {
            let documents = documents(&|path| json_format(path) == Some(Format::LabelStudio))?;
            label_studio::read(&files, name, &documents)
        }
        Format::Voc => voc::read(&files, name)?.ok_or_else(missing),
        Format::Yolo => yolo::read(&files, name)?.ok_or_else(missing),
        Format::Mvtec => mvtec::read(&files, name),
        Format::Folders => folders::read(&files, name),
    };
    found.map(limited)
}

/// Takes away the marks of an example above [`MOST_MARKS`], and says so.
fn limited((header, mut items, mut problems): Found) -> Found {
    for item in items.iter_mut().filter(|item| item.marks.len() > MOST_MARKS) {
        let detail = format!("{} marks, the first {MOST_MARKS} were read", item.marks.len());
        item.marks.truncate(MOST_MARKS);
        problems.push(Problem::in_file(ProblemKind::BadRow { detail }, &item.name));
    }
    (header, items, problems)
}
