//! Arguments of the verbs that go across senses.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct AlignArguments {
    /// A table of pairs: CSV, TSV, JSONL or Parquet
    pub(crate) data: PathBuf,
    /// Take the left side of the pairs from this column (default: the first that holds any)
    #[arg(long, value_name = "COLUMN")]
    pub(crate) left: Option<String>,
    /// Take the right side of the pairs from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) right: Option<String>,
    /// Keep pairs with the same value in this column together
    #[arg(long, value_name = "COLUMN")]
    pub(crate) group: Option<String>,
    /// Look at both sides with the towers of this base, which has one for pictures and one for texts
    #[arg(long, value_name = "ID", conflicts_with_all = ["left_base", "right_base"])]
    pub(crate) base: Option<String>,
    /// Look at the left side with this base (default: chosen by kind; see `dianjing base list`)
    #[arg(long, value_name = "ID")]
    pub(crate) left_base: Option<String>,
    /// Look at the right side with this base
    #[arg(long, value_name = "ID")]
    pub(crate) right_base: Option<String>,
    /// Write the bundle here (default: NAME.djm in the current folder; a name without `.djm` makes a folder)
    #[arg(long, short, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// Write the report here (default: beside the bundle)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Repeat a run exactly with the same number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    /// The bundle that `dianjing align` made; with --base the first place to search among
    pub(crate) bundle: PathBuf,
    /// Files, folders or tables to search among
    #[arg(required_unless_present = "base")]
    pub(crate) among: Vec<PathBuf>,
    /// Search with the two towers of this base as they are, without a bundle (see `dianjing base list`)
    #[arg(long, value_name = "ID")]
    pub(crate) base: Option<String>,
    /// Search by these words
    #[arg(long, value_name = "WORDS", conflicts_with_all = ["like", "names"])]
    pub(crate) text: Option<String>,
    /// Search by this file
    #[arg(long, value_name = "FILE", conflicts_with = "names")]
    pub(crate) like: Option<PathBuf>,
    /// Give each of the files the best of these names instead (zero-shot)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) names: Vec<String>,
    /// Search by this side of the pairs, where both are of one kind
    #[arg(long, value_name = "COLUMN")]
    pub(crate) from: Option<String>,
    /// Show this many
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) top: u32,
}
