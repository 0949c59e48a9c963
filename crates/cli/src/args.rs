//! The command line, as clap reads it. Help texts are imperative; their Chinese versions are in [`crate::chinese`].

mod across;
mod curation;
mod serving;

use std::path::PathBuf;

use bundle::inspection::Detector;
use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use dataset::{Modality, Sense};
use pipeline::Orientation;

pub(crate) use across::{AlignArguments, SearchArguments};
pub(crate) use curation::{
    ApplyArguments, AuditArguments, ConsensusArguments, ReviewArguments, SelectArguments,
};
pub(crate) use serving::{ServeArguments, StudioArguments};

/// Pixels that a side of an inspector's photos has at most in an exported graph, which scales them by matrix products.
const SIDES: u32 = 20_000;

/// Make a precise small model from a few of your own examples
#[derive(Debug, Parser)]
#[command(name = "dianjing", version, disable_help_subcommand = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// Print data as JSON on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Log what happens inside; twice for more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Keep bases and features in this folder
    #[arg(long, global = true, value_name = "DIR", env = "DIANJING_CACHE")]
    pub(crate) cache: Option<PathBuf>,
    /// Never use a network
    #[arg(long, global = true, env = "DIANJING_OFFLINE", value_parser = FalseyValueParser::new())]
    pub(crate) offline: bool,
    /// Use this many worker threads, 1 to 256 (default: one per core)
    #[arg(long, global = true, value_name = "N", env = "DIANJING_THREADS", value_parser = value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// Run networks with this engine
    #[arg(long, global = true, value_enum, default_value_t = EngineName::Auto, env = "DIANJING_ENGINE")]
    pub(crate) engine: EngineName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineName {
    Auto,
    Native,
    Rten,
    /// ONNX Runtime; `DIANJING_ORT_LIBRARY` names its library
    #[cfg(feature = "ort")]
    Ort,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a small model from labelled examples, with a report
    Tune(TuneArguments),
    /// Say what looks wrong in a data set, and what to mend first
    Audit(AuditArguments),
    /// Make a new revision of the data from findings of an audit; the old data stay as they are
    Apply(ApplyArguments),
    /// Look at some findings of an audit, and learn how many of all are right
    Review(ReviewArguments),
    /// Say which examples to label next, with one reason each
    Select(SelectArguments),
    /// Make one label of the votes of several annotators, and say how good each of them is
    Consensus(ConsensusArguments),
    /// Make a defect inspector from photos, sounds, videos or series of good parts, with a bound on false alarms
    Inspect(InspectArguments),
    /// Lay two senses over each other from pairs, to search across them
    Align(AlignArguments),
    /// Search files of one sense by something of another, or name them by words
    Search(SearchArguments),
    /// Ask a model about files, folders or texts
    Predict(PredictArguments),
    /// Measure a model on labelled examples it has not seen
    Evaluate(EvaluateArguments),
    /// Open the studio in the browser: bring data in, label, look through, tune, try, deploy
    Studio(StudioArguments),
    /// Serve the same to a team, and models to programs, over HTTP
    Serve(ServeArguments),
    /// Write base and head, or an inspector, as one ONNX graph
    Export(ExportArguments),
    /// List, fetch, carry and check pretrained bases
    #[command(subcommand)]
    Base(BaseVerb),
    /// Sign a bundle (minisign format)
    Sign(SignArguments),
    /// Check a bundle's bytes, and its signature if a public key is given
    Verify(VerifyArguments),
    /// Check this machine: cache, bases, package client, cores
    Doctor,
    /// Show every setting with its origin
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TuneArguments {
    /// Class folders, CSV, TSV, JSONL, Parquet, or a folder with metadata
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) columns: Columns,
    /// Sit on this base (default: chosen by kind of data; see `dianjing base list`)
    #[arg(long, value_name = "ID")]
    pub(crate) base: Option<String>,
    /// Write the bundle here (default: NAME.djm in the current folder; a name without `.djm` makes a folder)
    #[arg(long, short, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// Write the report here (default: beside the bundle)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Answer "don't know" so that at most this share of the answers is wrong
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    pub(crate) errors: f64,
    /// Look only at the base's vector, not at counted words (text; needed for `export`)
    #[arg(long)]
    pub(crate) no_words: bool,
    /// Repeat a run exactly with the same number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// Photos, sounds, videos or series of good parts: a folder, class folders with one called good, MVTec's layout, or a table of paths
    pub(crate) data: PathBuf,
    /// Let at most this share of good parts alarm
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "1%")]
    pub(crate) false_alarms: f64,
    /// Keep that promise with this confidence
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "95%")]
    pub(crate) confidence: f64,
    /// Count a missed defect as this many false alarms, once there are labelled defects
    #[arg(long, value_name = "TIMES")]
    pub(crate) miss_cost: Option<f64>,
    /// Expect this share of parts to have a defect; matters with --miss-cost
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "1%")]
    pub(crate) defect_share: f64,
    /// Sit on this base (default: see `dianjing base list`)
    #[arg(long, value_name = "ID")]
    pub(crate) base: Option<String>,
    /// Tell sizes in millimetres: how many a pixel has
    #[arg(long, value_name = "MM")]
    pub(crate) mm_per_pixel: Option<f64>,
    /// Look closely enough for defects of this many pixels across (default: as small as marked ones are)
    #[arg(long, value_name = "PIXELS")]
    pub(crate) smallest_defect: Option<f64>,
    /// Say whether a part that lies another way is still good: free or matters (default: found out; of one photo, free)
    #[arg(long, value_name = "HOW", value_parser = orientation)]
    pub(crate) orientation: Option<Orientation>,
    /// Paint over what lies beside the part, where the photo's edge shows one even background
    #[arg(long)]
    pub(crate) without_background: bool,
    /// Leave out this example, which a person found to be wrong: its id, as the report writes it; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) leave_out: Vec<String>,
    /// Listen to these detectors instead of choosing: surface, shape, detail, residual, place, whole, pixels
    #[arg(long, value_name = "NAMES", value_parser = detector, value_delimiter = ',')]
    pub(crate) detectors: Option<Vec<Detector>>,
    /// Write the bundle here (default: NAME.djm in the current folder; a name without `.djm` makes a folder)
    #[arg(long, short, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// Write the report here (default: beside the bundle)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) columns: InspectionColumns,
    /// Repeat a run exactly with the same number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct InspectionColumns {
    /// Take the path of the photo from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) image: Option<String>,
    /// Take the verdict, good or the kind of defect, from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: Option<String>,
    /// Take the path of the mask from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) mask: Option<String>,
    /// Count photos with the same value in this column as one (lot, camera, burst)
    #[arg(long, value_name = "COLUMN")]
    pub(crate) group: Option<String>,
    /// Take train or test from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) part: Option<String>,
    /// Count the photos of one folder below a class folder as one (lot, camera, burst)
    #[arg(long)]
    pub(crate) group_by_folder: bool,
}

impl From<&Columns> for InspectionColumns {
    /// Those that photos of parts have as well.
    fn from(columns: &Columns) -> Self {
        Self {
            image: columns.contents.image.first().cloned(),
            label: columns.label.clone(),
            mask: None,
            group: columns.group.clone(),
            part: columns.part.clone(),
            group_by_folder: false,
        }
    }
}

/// `free` or `matters`.
fn orientation(text: &str) -> Result<Orientation, String> {
    match text.trim() {
        "free" => Ok(Orientation::Free),
        "matters" => Ok(Orientation::Matters),
        _ => Err("there are free and matters".to_owned()),
    }
}

/// A detector's name.
fn detector(text: &str) -> Result<Detector, String> {
    let found = Detector::ALL.into_iter().find(|detector| detector.name() == text.trim());
    found.ok_or_else(|| format!("there are {}", Detector::ALL.map(Detector::name).join(", ")))
}

/// `1%`, `1 %` or `0.01`.
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim_end(), 0.01),
        None => (text.trim(), 1.0),
    };
    let value = number.parse::<f64>().map_err(|_| "a share such as 1% or 0.01 is wanted".to_owned())? * unit;
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err("it lies between 0 and 100 %".to_owned()) }
}

/// `1280x1024`: width and height.
fn photo_size(text: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| text.trim().parse::<u32>().ok().filter(|side| (1..=SIDES).contains(side));
    let size =
        text.split_once(['x', 'X', '×']).and_then(|(width, height)| Some((side(width)?, side(height)?)));
    size.ok_or_else(|| format!("a width and a height from 1 to {SIDES} are wanted, such as 1280x1024"))
}

/// Columns that say what an example is. Named several times or together, they are several senses of it.
#[derive(Debug, Args)]
pub(crate) struct Contents {
    /// Take the text from this column; several make several senses
    #[arg(long, value_name = "COLUMN")]
    pub(crate) text: Vec<String>,
    /// Take the path of the picture from this column; several make several senses
    #[arg(long, value_name = "COLUMN")]
    pub(crate) image: Vec<String>,
    /// Take the path of the sound from this column; several make several senses
    #[arg(long, value_name = "COLUMN")]
    pub(crate) sound: Vec<String>,
    /// Take the path of the video from this column; several make several senses
    #[arg(long, value_name = "COLUMN")]
    pub(crate) video: Vec<String>,
    /// Take the path of the series of sensors (a table of its own) from this column; several make several senses
    #[arg(long, value_name = "COLUMN")]
    pub(crate) series: Vec<String>,
}

impl Contents {
    /// The columns with their kinds.
    pub(crate) fn senses(&self) -> Vec<Sense> {
        let kinds = [
            (&self.image, Modality::Image),
            (&self.sound, Modality::Sound),
            (&self.video, Modality::Video),
            (&self.series, Modality::Series),
            (&self.text, Modality::Text),
        ];
        let of_kind = |(names, modality): (&Vec<String>, Modality)| {
            names.iter().map(move |name| Sense { name: name.clone(), modality }).collect::<Vec<_>>()
        };
        kinds.into_iter().flat_map(of_kind).collect()
    }
}

#[derive(Debug, Args)]
pub(crate) struct Columns {
    #[command(flatten)]
    pub(crate) contents: Contents,
    /// Take the label from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: Option<String>,
    /// Keep examples with the same value in this column together (part, lot, camera, author)
    #[arg(long, value_name = "COLUMN")]
    pub(crate) group: Option<String>,
    /// Take the name of who labelled from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) annotator: Option<String>,
    /// Take train, validation or test from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) part: Option<String>,
    /// Say what kind of task it is instead of letting it be detected
    #[arg(long, value_enum, value_name = "TASK")]
    pub(crate) task: Option<TaskName>,
    /// Split several labels in one cell at this character
    #[arg(long, value_name = "CHAR")]
    pub(crate) separator: Option<char>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TaskName {
    SingleLabel,
    MultiLabel,
    Regression,
}

#[derive(Debug, Args)]
pub(crate) struct PredictArguments {
    /// The bundle: a `.djm` file or a folder
    pub(crate) bundle: PathBuf,
    /// Files, folders or tables; `-` reads one text per line from stdin
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) contents: Contents,
    /// Exit with 3 when any answer is not certain, or any part alarms or is called a defect
    #[arg(long)]
    pub(crate) fail_on_unsure: bool,
    /// Write a heat map of every photo into this folder, as a picture and as 16-bit values (inspectors only)
    #[arg(long, value_name = "DIR")]
    pub(crate) heatmaps: Option<PathBuf>,
    /// Write the regions that are marked as a COCO file (inspectors only)
    #[arg(long, value_name = "FILE")]
    pub(crate) regions: Option<PathBuf>,
    /// Judge all photos as one batch: call defects so that on average at most this share of those called is good (inspectors only)
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) false_discoveries: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// The bundle: a `.djm` file or a folder
    pub(crate) bundle: PathBuf,
    /// Labelled examples in any form that `tune` or, for an inspector, `inspect` reads
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) columns: Columns,
    /// Take the path of the mask from this column (inspectors only)
    #[arg(long, value_name = "COLUMN")]
    pub(crate) mask: Option<String>,
    /// Count the photos of one folder below a class folder as one (inspectors only)
    #[arg(long)]
    pub(crate) group_by_folder: bool,
}

impl EvaluateArguments {
    /// The columns of a table of photos.
    pub(crate) fn inspection_columns(&self) -> InspectionColumns {
        InspectionColumns {
            mask: self.mask.clone(),
            group_by_folder: self.group_by_folder,
            ..InspectionColumns::from(&self.columns)
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The bundle: a `.djm` file or a folder
    pub(crate) bundle: PathBuf,
    /// Write the ONNX graph here
    #[arg(long, value_name = "FILE")]
    pub(crate) onnx: PathBuf,
    /// Make the graph of an inspector for photos of this size in pixels, such as 1280x1024 (needed for inspectors only)
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = photo_size)]
    pub(crate) size: Option<(u32, u32)>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaseVerb {
    /// List the bases that are known, and which are here
    List,
    /// Fetch a base into the cache
    Pull {
        /// Its id, from `dianjing base list`
        id: String,
        /// Accept the licence terms of a base that asks for it
        #[arg(long)]
        accept_terms: bool,
    },
    /// Take a base from a folder or a `.tar` made by `base export`
    Import {
        /// The folder or `.tar` file
        path: PathBuf,
    },
    /// Write a base as one `.tar` for a machine without a network
    Export {
        /// Its id
        id: String,
        /// Write the `.tar` here (default: ID.tar)
        #[arg(long, short)]
        out: Option<PathBuf>,
    },
    /// Show what is known about a base
    Info {
        /// Its id
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SignArguments {
    /// The bundle: a `.djm` file or a folder
    pub(crate) bundle: PathBuf,
    /// The secret key file; made, with a `.pub` beside it, when it does not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The bundle: a `.djm` file or a folder
    pub(crate) bundle: PathBuf,
    /// Check the `.minisig` beside the bundle with this public key file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Show every setting, its value and where it comes from
    Show,
}
