//! JSONL is read: one object a line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use dataset::ProblemKind;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Row;
use super::read::{FoundRow, Numbered};
use crate::known::Known;
use crate::lenient::Lenient;
use crate::{ExchangeError, Mark};

/// Longest line in bytes: a text and 2,000 marks find their place.
const LONGEST: u64 = 256 << 20;

/// What of a table is looked at to know its keys: lines and bytes.
const MOST_LINES: usize = 1_000;
const MOST_LOOKED: u64 = 16 << 20;

/// A line of which a mark may be damaged.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    piece: Option<String>,
    #[serde(flatten)]
    known: Known,
    #[serde(default)]
    marks: Option<Vec<Lenient<Mark>>>,
}

/// The names of its keys, in as many lines as are looked at; `None` when one of those is no object.
pub(super) fn columns(path: &Path) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let start = BufReader::new(File::open(path).ok()?.take(MOST_LOOKED));
    for line in start.split(b'\n').take(MOST_LINES) {
        let keys: Result<BTreeMap<String, IgnoredAny>, _> = serde_json::from_slice(&line.ok()?);
        match keys {
            Ok(keys) => names.extend(keys.into_keys().filter(|key| !names.contains(key)).collect::<Vec<_>>()),
            // The last line may have been cut.
            Err(error) if error.is_eof() && !names.is_empty() => break,
            Err(_) => return None,
        }
        if names.len() > super::Column::ALL.len() {
            break;
        }
    }
    Some(names)
}

pub(super) fn read(
    path: &Path,
    mut take: impl FnMut(Numbered) -> Result<(), ExchangeError>,
) -> Result<(), ExchangeError> {
    let open = |source| ExchangeError::open(path, source);
    let mut lines = BufReader::with_capacity(1 << 16, File::open(path).map_err(open)?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = (&mut lines).take(LONGEST).read_until(b'\n', &mut line).map_err(open)?;
        if length == 0 {
            break;
        }
        if length as u64 == LONGEST {
            return Err(ExchangeError::TooMuch {
                path: path.to_owned(),
                what: "bytes in one line",
                limit: LONGEST,
            });
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let found = match serde_json::from_slice::<Line>(line.trim_ascii()) {
            Ok(Line { file, id, text, piece, known, marks }) => {
                let row = Row { file, id, text, piece, known, ..Row::default() };
                Ok(FoundRow { row, marks: marks.unwrap_or_default() })
            }
            Err(error) => Err((ProblemKind::BadRow { detail: error.to_string() }, None)),
        };
        take((number, found))?;
    }
    Ok(())
}
