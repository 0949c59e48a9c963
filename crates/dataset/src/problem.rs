//! Bad data is not an error: it is a list of problems beside the good part.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::Modality;

/// One thing that was left out or set right, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// The file it is in.
    pub path: PathBuf,
    /// The row, counted from 1 with the header as row 1.
    pub row: Option<u64>,
    /// The column.
    pub column: Option<String>,
}

impl Problem {
    /// A problem with a whole file.
    pub fn in_file(kind: ProblemKind, path: impl Into<PathBuf>) -> Self {
        Self { kind, path: path.into(), row: None, column: None }
    }

    /// A problem with one row.
    pub fn in_row(kind: ProblemKind, path: impl Into<PathBuf>, row: u64) -> Self {
        Self { kind, path: path.into(), row: Some(row), column: None }
    }

    /// The same problem, with the column named.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// `path`, `path:57` or ``path:57, column `label` ``.
    pub fn place(&self) -> String {
        let mut place = self.path.display().to_string();
        if let Some(row) = self.row {
            place.push_str(&format!(":{row}"));
        }
        if let Some(column) = &self.column {
            place.push_str(&format!(", column `{column}`"));
        }
        place
    }
}

/// The kinds of problem. The doors translate them, so every value is a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum ProblemKind {
    /// The file has no bytes.
    EmptyFile,
    /// The file cannot be opened or read.
    Unreadable { detail: String },
    /// The row names a file that is not there.
    MissingFile { name: String },
    /// The row names a file outside the data set's folder.
    OutsideRoot { name: String },
    /// The file is not a picture, whatever its name says.
    NotAnImage { detail: String },
    /// The example is of another kind than the base takes.
    OtherKind { takes: String },
    /// The picture is damaged.
    BrokenImage { detail: String },
    /// The picture is larger than what is decoded.
    TooLarge { detail: String },
    /// The picture has more pixels than an inspector looks at as closely as it learned to; width and height in pixels.
    TooFine { size: (u32, u32), megapixels: u64 },
    /// The picture has too few pixels to show anything; width and height in pixels.
    TooSmall { size: (u32, u32) },
    /// Nothing is to be seen on the picture: it is of one colour.
    Blank,
    /// The picture is much smaller or larger than those learned from, the nearest of which is as large as a square of `side` pixels.
    OtherSize { size: (u32, u32), side: u32 },
    /// The picture is of another shape than those learned from, which are laid over each other: a good one is not learned from.
    OtherShape { size: (u32, u32) },
    /// Percent of the picture that lies where good parts show nothing.
    OutsideReference { percent: u32 },
    /// The file is not a sound that can be read, whatever its name says.
    NotASound { detail: String },
    /// The sound is damaged, and nothing of it is used.
    BrokenSound { detail: String },
    /// Part of the sound is missing or damaged; the rest is used.
    DamagedSound { detail: String },
    /// The file is not a video that can be read, whatever its name says.
    NotAVideo { detail: String },
    /// The video is damaged, and nothing of it is used.
    BrokenVideo { detail: String },
    /// Part of the video is damaged; the rest is used.
    DamagedVideo { detail: String },
    /// Looking through the video took too long.
    SlowVideo { limit_seconds: u64 },
    /// The sound file holds no samples.
    NoSamples,
    /// The sound is longer than what is decoded.
    TooLong { limit_seconds: u64 },
    /// The piece of a sound is longer than what is held in memory.
    PieceTooLong { limit_seconds: u64 },
    /// The row has another number of cells than the header.
    RaggedRow { got: usize, expected: usize },
    /// A quote opens a cell of the row and is never closed.
    UnclosedQuote,
    /// The row, or the file when no row is named, holds bytes that are no text in the file's encoding.
    BadText { encoding: String },
    /// The row cannot be parsed.
    BadRow { detail: String },
    /// A cell that should hold text, a path or a label is empty.
    EmptyCell,
    /// A cell that should hold a number does not.
    NotANumber { value: String },
    /// The annotators of an example disagree evenly.
    Tie { labels: Vec<String>, taken: String },
    /// A class with so few examples that it cannot be validated.
    RareClass { class: String, count: usize },
    /// A mask that marks nothing.
    EmptyMask,
    /// A mask of another size than its picture; width and height in pixels.
    MaskSize { got: (u32, u32), expected: (u32, u32) },
    /// A mask that marks something on a picture that a word calls good.
    MarkedGood,
    /// A mask to which no picture, or more than one, belongs.
    MaskWithoutPicture,
    /// Several masks for one picture; none of them is used.
    SeveralMasks { count: usize },
    /// Pictures of defects without a mask, where others of the set have one. Told once, at the first of them.
    DefectWithoutMask { count: usize },
    /// A picture to measure on that is also there to learn from.
    CopyOfLearned,
    /// A deep picture that is brighter than the bits hold that the pictures learned from use.
    BrighterThanLearned { bits: u8 },
    /// A piece of a sound whose start and end, as its row has them, are no times one after the other.
    NotAPiece { start: String, end: String },
    /// A piece of a sound that goes on after the sound has ended; in seconds.
    BeyondEnd { end: String, length: String },
    /// A piece of a sound where only whole files are taken.
    PieceOfSound,
    /// Columns with times that cut nothing, as examples are not sounds alone or one of start and end is missing.
    TimesUnused { columns: Vec<String> },
    /// The file is not a series that can be read.
    NotASeries { detail: String },
    /// Part of the series is missing or was set right; the rest is used.
    DamagedSeries { detail: String },
    /// One sense of the example cannot be used; the example goes without it.
    WithoutSense { sense: String, reason: Box<ProblemKind> },
    /// Nothing can be learned from one sense of the set.
    SenseNotLearned { sense: String, detail: String },
    /// A column is named for files of one sense and names files of a kind that cannot be read.
    UnknownFiles { ending: String },
    /// Files that are not part of the layout were passed over.
    Ignored { count: usize },
}

impl ProblemKind {
    /// Part of a sound, a video or a series is damaged, and the rest is used.
    pub fn damaged(modality: Modality, detail: String) -> Self {
        match modality {
            Modality::Video => Self::DamagedVideo { detail },
            Modality::Series => Self::DamagedSeries { detail },
            Modality::Image | Modality::Text | Modality::Sound | Modality::Senses => {
                Self::DamagedSound { detail }
            }
        }
    }

    /// Whether an example was left out for it; the others were set right, or concern files that are no examples.
    pub fn leaves_out(&self) -> bool {
        !matches!(
            self,
            Self::Ignored { .. }
                | Self::Tie { .. }
                | Self::RareClass { .. }
                | Self::NotANumber { .. }
                | Self::BrighterThanLearned { .. }
                | Self::Blank
                | Self::OtherSize { .. }
                | Self::OutsideReference { .. }
                | Self::DamagedSound { .. }
                | Self::TimesUnused { .. }
                | Self::DamagedVideo { .. }
                | Self::DamagedSeries { .. }
                | Self::WithoutSense { .. }
                | Self::SenseNotLearned { .. }
                | Self::UnknownFiles { .. }
        )
    }
}

/// What [`ProblemKind::UnclosedQuote`] says.
const UNCLOSED: &str = "a quote opens here and is never closed; close or remove it (the row was left out)";

impl fmt::Display for ProblemKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyFile => write!(out, "the file is empty; copy it again or remove it"),
            Self::Unreadable { detail } => write!(out, "cannot be read ({detail}); check its permissions"),
            Self::MissingFile { name } => {
                write!(out, "`{name}` does not exist; correct the path or remove the row")
            }
            Self::OutsideRoot { name } => {
                write!(out, "`{name}` lies outside the data folder; move it inside")
            }
            Self::NotAnImage { detail } => {
                write!(out, "this is not a picture ({detail}); remove it or save it as JPEG or PNG")
            }
            Self::OtherKind { takes } => write!(out, "this base takes {takes}; leave the file out"),
            Self::BrokenImage { detail } => write!(out, "the picture is damaged ({detail}); export it again"),
            Self::TooLarge { detail } => write!(out, "the picture is too large ({detail}); scale it down"),
            Self::NotASound { .. }
            | Self::BrokenSound { .. }
            | Self::DamagedSound { .. }
            | Self::NoSamples
            | Self::NotAPiece { .. }
            | Self::BeyondEnd { .. }
            | Self::PieceOfSound
            | Self::TimesUnused { .. }
            | Self::PieceTooLong { .. }
            | Self::TooLong { .. } => self.fmt_sound(out),
            Self::NotAVideo { .. }
            | Self::BrokenVideo { .. }
            | Self::DamagedVideo { .. }
            | Self::SlowVideo { .. } => self.fmt_video(out),
            Self::NotASeries { .. }
            | Self::DamagedSeries { .. }
            | Self::WithoutSense { .. }
            | Self::SenseNotLearned { .. }
            | Self::UnknownFiles { .. } => self.fmt_sense(out),
            Self::RaggedRow { .. }
            | Self::UnclosedQuote
            | Self::BadText { .. }
            | Self::BadRow { .. }
            | Self::EmptyCell
            | Self::NotANumber { .. } => self.fmt_table(out),
            Self::Tie { .. } | Self::RareClass { .. } => self.fmt_labels(out),
            Self::EmptyMask
            | Self::MarkedGood
            | Self::MaskSize { .. }
            | Self::MaskWithoutPicture
            | Self::SeveralMasks { .. }
            | Self::DefectWithoutMask { .. }
            | Self::CopyOfLearned => self.fmt_marked(out),
            Self::TooFine { .. }
            | Self::TooSmall { .. }
            | Self::Blank
            | Self::OtherSize { .. }
            | Self::OtherShape { .. }
            | Self::OutsideReference { .. }
            | Self::BrighterThanLearned { .. } => self.fmt_looked_at(out),
            Self::Ignored { count } => {
                write!(out, "{count} file(s) are not part of the layout and were passed over")
            }
        }
    }
}

impl ProblemKind {
    fn fmt_labels(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tie { labels, taken } => write!(
                out,
                "the annotators disagree evenly ({}); `{taken}` was taken, decide and correct it",
                labels.join(", ")
            ),
            Self::RareClass { class, count } => write!(
                out,
                "class `{class}` has {count} example(s), too few to check what is learned about it; add some"
            ),
            other => unreachable!("{other:?} is not about labels"),
        }
    }

    fn fmt_table(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RaggedRow { got, expected } => {
                write!(
                    out,
                    "the row has {got} cells, the header {expected}; check for a missing quote or delimiter"
                )
            }
            Self::UnclosedQuote => out.write_str(UNCLOSED),
            Self::BadText { encoding } => {
                write!(
                    out,
                    "some bytes are no {encoding} text; type the damaged letters again and save as UTF-8"
                )
            }
            Self::BadRow { detail } => write!(out, "the row cannot be read: {detail}"),
            Self::EmptyCell => write!(out, "the cell is empty; fill it in or remove the row"),
            Self::NotANumber { value } if value.parse::<f64>().is_ok() => write!(
                out,
                "`{value}` is no finite number, or too large for one to learn from; correct it or pass --task single-label"
            ),
            Self::NotANumber { value } => {
                write!(out, "`{value}` is not a number; correct it or pass --task single-label")
            }
            other => unreachable!("{other:?} is not about tables"),
        }
    }

    fn fmt_sound(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASound { detail } => write!(
                out,
                "this is not a sound that can be read ({detail}); remove it or save it as WAV, FLAC or MP3"
            ),
            Self::BrokenSound { detail } => write!(out, "the sound is damaged ({detail}); export it again"),
            Self::DamagedSound { detail } => {
                write!(
                    out,
                    "the sound is not whole or not right ({detail}); what can be heard was used, export it again"
                )
            }
            Self::NotAPiece { start, end } => write!(
                out,
                "from `{start}` to `{end}` is no piece of a sound; give both in seconds from its beginning, such as 2.5 and 4, the end \
                 after the start, or rename the columns if they say something else"
            ),
            Self::BeyondEnd { end, length } => write!(
                out,
                "the piece goes on to {end} s and the sound ends at {length} s; give times within it, in seconds from its beginning"
            ),
            Self::PieceOfSound => write!(
                out,
                "this row is a piece of a sound, and only whole files are taken here; save the piece as a file of its own"
            ),
            Self::TimesUnused { columns } => write!(
                out,
                "`{}` cuts no pieces: that takes a start and an end, in a table of sounds alone; whole files were taken",
                columns.join("`, `")
            ),
            Self::NoSamples => write!(out, "the sound holds no samples; record it again or remove it"),
            Self::TooLong { limit_seconds: limit @ ..3600 } => {
                write!(out, "the sound is longer than {limit} s; cut it into parts")
            }
            Self::TooLong { limit_seconds } => {
                write!(out, "the sound is longer than {} hours; cut it into parts", limit_seconds / 3600)
            }
            Self::PieceTooLong { limit_seconds } => {
                write!(out, "the piece is longer than {limit_seconds} s; divide it among several rows")
            }
            other => unreachable!("{other:?} is not about sounds"),
        }
    }

    fn fmt_video(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAVideo { detail } => {
                write!(out, "this is not a video that can be read ({detail}); remove it or save it as MP4")
            }
            Self::BrokenVideo { detail } => write!(out, "the video is damaged ({detail}); export it again"),
            Self::DamagedVideo { detail } => {
                write!(out, "part of the video is damaged ({detail}); the rest was used, export it again")
            }
            Self::SlowVideo { limit_seconds } => write!(
                out,
                "looking through the video takes longer than {limit_seconds} s; cut it into parts or scale it down"
            ),
            other => unreachable!("{other:?} is not about videos"),
        }
    }

    fn fmt_sense(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASeries { detail } => write!(
                out,
                "this is not a series that can be read ({detail}); one column a sensor, one row a step"
            ),
            Self::DamagedSeries { detail } => write!(out, "set right in the series: {detail}"),
            Self::WithoutSense { sense, reason } => write!(out, "counts without its `{sense}`: {reason}"),
            Self::SenseNotLearned { sense, detail } => write!(out, "`{sense}` is left out: {detail}"),
            Self::UnknownFiles { ending } => write!(
                out,
                "names files of an unknown kind ({ending}) and is left out; save them as JPEG or PNG, WAV, MP4 or CSV"
            ),
            other => unreachable!("{other:?} is not about senses"),
        }
    }

    fn fmt_marked(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyMask => {
                write!(out, "the mask marks nothing; mark the defect in white or remove the mask")
            }
            Self::MarkedGood => write!(
                out,
                "it is called good and its mask marks something; move it to the defects or empty the mask (it was left out)"
            ),
            Self::MaskSize { got: (width, height), expected } => write!(
                out,
                "the mask has {width} x {height} pixels, its picture {} x {}; draw it on the picture itself",
                expected.0, expected.1
            ),
            Self::MaskWithoutPicture => {
                write!(out, "this mask belongs to no single picture; name it and its folder as the picture's")
            }
            Self::SeveralMasks { count } => {
                write!(out, "{count} masks belong to this picture and none was taken; unite them in one")
            }
            Self::DefectWithoutMask { count } => write!(
                out,
                "{count} picture(s) of defects have no mask, this is the first; where they are defective is not measured"
            ),
            Self::CopyOfLearned => write!(
                out,
                "the same picture is there to learn from; keep one of both (it was left out of what is measured)"
            ),
            other => unreachable!("{other:?} is not about what is marked"),
        }
    }

    fn fmt_looked_at(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrighterThanLearned { bits } => write!(
                out,
                "some of it is brighter than the {bits} bits hold that the pictures learned from use, and counts as white; save it \
                 as they were saved"
            ),
            Self::TooFine { size: (width, height), megapixels } => write!(
                out,
                "the picture has {width} x {height} pixels, and as closely as the inspector looks it takes {megapixels} megapixels at most; \
                 scale it to the size of those learned from, or learn from pictures of this size"
            ),
            Self::TooSmall { size: (width, height) } => {
                write!(
                    out,
                    "{width} x {height} pixels show nothing of a part; save the picture as it was taken"
                )
            }
            Self::Blank => {
                write!(out, "nothing is to be seen on it; look at the lens cap, the light and the file")
            }
            Self::OtherSize { size: (width, height), side } => write!(
                out,
                "it has {width} x {height} pixels and those learned from about {side} x {side}, so things look larger or smaller than they \
                 were learned and the promise does not hold; take it as those were taken"
            ),
            Self::OtherShape { size: (width, height) } => write!(
                out,
                "its {width} x {height} pixels are of another shape than those of the good parts learned from, which lie alike; cut it as those \
                 are, or make an inspector of its own for such parts"
            ),
            Self::OutsideReference { percent } => write!(
                out,
                "{percent} % of the picture lies where good parts show nothing and was compared with nothing; place the part as those learned from"
            ),
            other => unreachable!("{other:?} is not about what an inspector looks at"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place(), self.kind)
    }
}
