//! Pieces of sounds, cut out of the files that were uploaded: an example here is a whole file of its own.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base::prep::PrepError;
use base::sound::Decoder;
use dataset::{Content, Dataset, Example, Modality, Problem, ProblemKind, Span};
use exchange::Piece;
use rayon::prelude::*;

use super::{Progress, Stopped};
use crate::db::room::Room;
use crate::error::ApiError;
use crate::slicing::{Slice, slices};
use crate::uploads::MOST_FILES;

/// Columns that hold times in other people's tables, and are not read as such.
const UNREAD_TIMES: [(&str, &str); 4] = [("from", "to"), ("t0", "t1"), ("t_start", "t_end"), ("从", "到")];

/// Bytes of the largest piece: ten minutes of two channels at 48 kHz.
const LARGEST: u64 = 256 << 20;

/// The pieces of one upload, as files that lie beside it until they are dropped.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Where they lie; absent where there are none.
    _folder: Option<Folder>,
    cut: HashMap<PathBuf, Cut>,
}

/// A piece that was cut out.
#[derive(Debug)]
struct Cut {
    /// In thousandths of a second.
    length: i64,
    from: Piece,
}

/// A folder that goes when it is dropped. What a server that broke off left goes with the upload.
#[derive(Debug)]
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What came of one piece.
enum Came {
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

/// Where pieces are put, and how many may come.
#[derive(Debug)]
pub(super) struct Place<'r> {
    /// The upload's own, beside what arrived.
    pub(super) dir: PathBuf,
    /// Bytes of them together: a small table may name a file again and again.
    pub(super) most: u64,
    pub(super) room: Option<&'r Room>,
}

/// Cuts the pieces of a data set out, each file decoded once; what cannot be is left out and told.
pub(super) fn cut(
    data: &mut Dataset,
    problems: &mut Vec<Problem>,
    progress: &Progress,
    place: &Place<'_>,
) -> Result<Pieces, Stopped> {
    let mut files: BTreeMap<&Path, Vec<(usize, Span)>> = BTreeMap::new();
    for (number, example) in data.examples.iter().enumerate() {
        if let Content::Piece(path, span) = &example.content {
            files.entry(path).or_default().push((number, *span));
        }
    }
    let total = files.values().map(Vec::len).sum::<usize>();
    if total == 0 {
        return Ok(Pieces::default());
    }
    if total > MOST_FILES {
        return Err(too_many().into());
    }
    std::fs::create_dir_all(&place.dir).map_err(ApiError::from)?;
    let folder = Folder(place.dir.clone());
    let cutting = Cutting {
        examples: &data.examples,
        root: if data.root.is_file() { data.root.parent() } else { Some(data.root.as_path()) },
        place,
        progress,
        bytes: AtomicU64::new(0),
        done: AtomicI64::new(0),
        total: i64::try_from(total).unwrap_or(i64::MAX),
    };
    let came = files.into_par_iter().map(|(path, wanted)| cutting.file(path, &wanted));
    let came: Vec<Vec<(usize, Came)>> = came.collect::<Result<_, Stopped>>()?;
    let mut came: HashMap<usize, Came> = came.into_iter().flatten().collect();
    let mut all = HashMap::new();
    let mut number = 0..;
    data.examples.retain_mut(|example| match number.next().and_then(|number| came.remove(&number)) {
        None => true,
        Some(Came::Cut(file, cut, damage)) => {
            problems.extend(damage);
            all.insert(file.clone(), cut);
            example.content = Content::Sound(file);
            true
        }
        Some(Came::LeftOut(problem)) => {
            problems.push(problem);
            false
        }
    });
    Ok(Pieces { _folder: Some(folder), cut: all })
}

/// What all files are cut with.
struct Cutting<'c> {
    examples: &'c [Example],
    /// The folder that was uploaded.
    root: Option<&'c Path>,
    place: &'c Place<'c>,
    progress: &'c Progress,
    bytes: AtomicU64,
    done: AtomicI64,
    total: i64,
}

impl Cutting<'_> {
    /// What came of each piece of one file, by the number of its example.
    fn file(&self, path: &Path, wanted: &[(usize, Span)]) -> Result<Vec<(usize, Came)>, Stopped> {
        let spans: Vec<Span> = wanted.iter().map(|(_, span)| *span).collect();
        let mut all = Vec::with_capacity(wanted.len());
        let mut take = |at: usize, came: Result<Slice, PrepError>| {
            let (number, span) = wanted[at];
            all.push((number, self.keep(path, span, number, came)?));
            let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
            self.progress.set("read", done, self.total);
            Ok(())
        };
        slices(Decoder::open(path), &spans, &|| self.progress.check(), &mut take)?;
        Ok(all)
    }

    fn keep(
        &self,
        path: &Path,
        span: Span,
        number: usize,
        came: Result<Slice, PrepError>,
    ) -> Result<Came, Stopped> {
        let origin = &self.examples[number].origin;
        let told = |kind| match origin.row {
            Some(row) => Problem::in_row(kind, &origin.path, row),
            None => Problem::in_file(kind, path),
        };
        let slice = match came {
            Ok(slice) => slice,
            Err(error) => return Ok(Came::LeftOut(told(error.into()))),
        };
        let size = slice.bytes.len() as u64;
        let bytes = self.bytes.fetch_add(size, Ordering::Relaxed) + size;
        if let Some((left, full)) = self.place.room.map(Room::left)
            && bytes > left
        {
            return Err(ApiError::from(full).into());
        }
        if bytes > self.place.most {
            return Err(too_much(self.place.most).into());
        }
        let file = self.place.dir.join(format!("{number}.wav"));
        std::fs::write(&file, &slice.bytes).map_err(ApiError::from)?;
        let damage = slice.damage.map(|detail| told(ProblemKind::damaged(Modality::Sound, detail)));
        Ok(Came::Cut(file, Cut { length: slice.length_ms, from: from(path, span, self.root) }, damage))
    }
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

fn too_many() -> ApiError {
    let (en, zh) = ("the table has more than 200,000 pieces", "该表格的片段超过 20 万个");
    ApiError::too_large(en, zh).hint("bring in a part of its rows", "请分批导入")
}

fn too_much(most: u64) -> ApiError {
    let mib = most >> 20;
    let (en, zh) = (
        format!("the pieces of this table take more than {mib} MiB"),
        format!("该表格中的片段合计超过 {mib} MiB"),
    );
    ApiError::too_large(en, zh).hint("bring in a part of its rows", "请分批导入")
}
