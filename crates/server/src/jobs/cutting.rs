//! Pieces of sounds, cut out of the files that were uploaded: an example here is a whole file of its own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base::prep::PrepError;
use base::sound::{Decoder, piece};
use dataset::{Content, Dataset, Example, Modality, Problem, ProblemKind, Span};
use exchange::Piece;
use rayon::prelude::*;
use tempfile::TempDir;

use super::{Progress, Stopped};
use crate::error::ApiError;

/// Columns that hold times in other people's tables, and are not read as such.
const UNREAD_TIMES: [(&str, &str); 4] = [("from", "to"), ("t0", "t1"), ("t_start", "t_end"), ("从", "到")];

/// Bytes of the largest piece: ten minutes of two channels at 48 kHz.
const LARGEST: u64 = 256 << 20;

/// The pieces of one upload, as files that lie here until they are dropped.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Where they lie; absent where there are none.
    _dir: Option<TempDir>,
    cut: HashMap<PathBuf, Cut>,
}

/// A piece that was cut out.
#[derive(Debug)]
struct Cut {
    /// In thousandths of a second.
    length: i64,
    from: Piece,
}

/// What came of one example.
enum Came {
    Whole,
    /// A file, and what of it was damaged.
    Cut(PathBuf, Cut, Option<Problem>),
    LeftOut(Problem),
}

impl Pieces {
    /// How long a file is that was cut, in thousandths of a second; `None` of any other.
    pub(super) fn length(&self, file: Option<&Path>) -> Option<i64> {
        Some(self.cut.get(file?)?.length)
    }

    /// Where a file was cut out; `None` of any other.
    pub(super) fn origin(&self, file: Option<&Path>) -> Option<Piece> {
        Some(self.cut.get(file?)?.from.clone())
    }
}

/// Cuts the pieces of a data set out; what cannot be is left out and told. Together they take `most` bytes: a small table may name a file
/// again and again.
pub(super) fn cut(
    data: &mut Dataset,
    problems: &mut Vec<Problem>,
    progress: &Progress,
    most: u64,
) -> Result<Pieces, Stopped> {
    let total = data.examples.iter().filter(|example| matches!(example.content, Content::Piece(..))).count();
    if total == 0 {
        return Ok(Pieces::default());
    }
    let dir = tempfile::tempdir().map_err(ApiError::from)?;
    let (bytes, done) = (AtomicU64::new(0), AtomicI64::new(0));
    let folder = if data.root.is_file() { data.root.parent() } else { Some(data.root.as_path()) };
    let one = |(place, example): (usize, &Example)| {
        let Content::Piece(path, span) = &example.content else { return Ok(Came::Whole) };
        progress.check()?;
        let told = |kind| match example.origin.row {
            Some(row) => Problem::in_row(kind, &example.origin.path, row),
            None => Problem::in_file(kind, path),
        };
        let came = match piece(path, *span) {
            Ok(cut) => {
                if bytes.fetch_add(cut.bytes.len() as u64, Ordering::Relaxed) + cut.bytes.len() as u64 > most
                {
                    return Err(too_much(most).into());
                }
                let file = dir.path().join(format!("{place}.wav"));
                std::fs::write(&file, &cut.bytes).map_err(ApiError::from)?;
                let damage = cut.damage.map(|detail| told(ProblemKind::damaged(Modality::Sound, detail)));
                let length = length(&cut.bytes).map_err(|error| ApiError::internal(&error))?;
                Came::Cut(file, Cut { length, from: from(path, *span, folder) }, damage)
            }
            Err(error) => Came::LeftOut(told(error.into())),
        };
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress.set("read", done, i64::try_from(total).unwrap_or(i64::MAX));
        Ok(came)
    };
    let came: Vec<Came> = data.examples.par_iter().enumerate().map(one).collect::<Result<_, Stopped>>()?;
    let mut all = HashMap::new();
    let mut came = came.into_iter();
    data.examples.retain_mut(|example| match came.next().expect("each example came to something") {
        Came::Whole => true,
        Came::Cut(file, cut, damage) => {
            problems.extend(damage);
            all.insert(file.clone(), cut);
            example.content = Content::Sound(file);
            true
        }
        Came::LeftOut(problem) => {
            problems.push(problem);
            false
        }
    });
    Ok(Pieces { _dir: Some(dir), cut: all })
}

/// Refuses sounds most of whose rows hold times in columns that are not read as such: each would be taken for the whole of its file.
pub(super) fn refuse_unread_times(data: &Dataset) -> Result<(), ApiError> {
    let sounds: Vec<&Example> =
        data.examples.iter().filter(|example| matches!(example.content, Content::Sound(_))).collect();
    let time = |example: &Example, name: &str| {
        let named = example.details.iter().find(|(column, _)| column.trim().eq_ignore_ascii_case(name));
        named.and_then(|(_, cell)| cell.trim().parse::<f64>().ok())
    };
    for (start, end) in UNREAD_TIMES {
        let is_timed = |example: &&&Example| {
            time(example, start)
                .zip(time(example, end))
                .is_some_and(|(start, end)| start >= 0.0 && start < end)
        };
        if 2 * sounds.iter().filter(is_timed).count() > sounds.len() {
            let (en, zh) = (
                format!(
                    "the columns `{start}` and `{end}` look like times of pieces, and are not read as such"
                ),
                format!("`{start}` 和 `{end}` 两列看起来是片段的起止时间，但不会按时间读取"),
            );
            return Err(ApiError::invalid(en, zh).hint(
                "call them `start` and `end`, in seconds; or leave them out where each row is a whole file",
                "请改名为 start 和 end（单位为秒）；如果每行都是整个文件，请去掉这两列",
            ));
        }
    }
    Ok(())
}

/// A piece of a sound that lies in a folder, as it is called there.
fn from(path: &Path, span: Span, folder: Option<&Path>) -> Piece {
    let plain: PathBuf = path.components().collect();
    let below = folder.and_then(|folder| plain.strip_prefix(folder).ok());
    let name = below.or(plain.file_name().map(Path::new)).unwrap_or(&plain);
    Piece {
        file: name.to_string_lossy().replace('\\', "/"),
        start: span.start().as_secs_f64(),
        end: span.end().map(|end| end.as_secs_f64()),
    }
}

/// How long a piece is that came in a file of its own, in thousandths of a second; `None` of what is no sound, or longer than any piece.
pub(super) fn length_of(file: &Path) -> Option<i64> {
    let size = std::fs::metadata(file).ok()?.len();
    if size > LARGEST {
        return None;
    }
    length(&std::fs::read(file).ok()?).ok()
}

/// How long a sound is, in thousandths of a second, rounded up: no sample is lost to whoever cuts by it.
fn length(sound: &[u8]) -> Result<i64, PrepError> {
    let mut decoder = Decoder::new(sound)?;
    let mut samples = 0;
    while let Some(block) = decoder.next_block()? {
        samples += block[0].len() as u64;
    }
    Ok(i64::try_from((1000 * samples).div_ceil(u64::from(decoder.rate()))).unwrap_or(i64::MAX))
}

fn too_much(most: u64) -> ApiError {
    let mib = most >> 20;
    let (en, zh) = (
        format!("the pieces of this table take more than {mib} MiB"),
        format!("该表格中的片段合计超过 {mib} MiB"),
    );
    ApiError::too_large(en, zh).hint("bring in a part of its rows", "请分批导入")
}
