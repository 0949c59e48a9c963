//! What the verbs about data take: audit, apply, select, consensus.

use std::path::PathBuf;

use clap::Args;
use pipeline::{Fault, Method, Part, VoteScale};

use super::{Columns, share};

#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Labelled examples in any form that `tune` reads
    #[arg(required_unless_present_any = ["labels", "boxes"])]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) columns: Columns,
    /// Sit on this base (default: chosen by kind of data; see `dianjing base list`)
    #[arg(long, value_name = "ID")]
    pub(crate) base: Option<String>,
    /// Look through labels that numpy.save wrote, instead of examples: class numbers, 0/1 tables, numbers, masks of classes
    #[arg(long, value_name = "NPY", requires = "pred_probs", conflicts_with_all = ["data", "base"])]
    pub(crate) labels: Option<PathBuf>,
    /// Judge them by these out-of-fold probabilities, one column a class; for numbers, by these predictions
    #[arg(long, value_name = "NPY", requires = "labels")]
    pub(crate) pred_probs: Option<PathBuf>,
    /// Take the labels for those of tokens: how many each sentence has
    #[arg(long, value_name = "NPY", requires = "labels")]
    pub(crate) lengths: Option<PathBuf>,
    /// Look through boxes: a COCO data set
    #[arg(long, value_name = "JSON", requires = "detections", conflicts_with_all = ["data", "base", "labels"])]
    pub(crate) boxes: Option<PathBuf>,
    /// Judge them by these detections: COCO results of a detector that was not trained on them
    #[arg(long, value_name = "JSON", requires = "boxes")]
    pub(crate) detections: Option<PathBuf>,
    /// Find neighbours, duplicates and outliers by these features
    #[arg(long, value_name = "NPY", conflicts_with = "data")]
    pub(crate) features: Option<PathBuf>,
    /// Do not look for this; several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = fault)]
    pub(crate) skip: Vec<Fault>,
    /// Check labels against the rules in this label book
    #[arg(long, value_name = "BOOK", conflicts_with_all = ["labels", "boxes"])]
    pub(crate) rules: Option<PathBuf>,
    /// Write one row for every example here: .csv, .parquet or .json
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write a page with the evidence beside each finding here
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Exit with 3 when there is any finding
    #[arg(long)]
    pub(crate) fail_on_findings: bool,
    /// Repeat a run exactly with the same number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// What `dianjing audit DATA --out findings.json` wrote
    pub(crate) findings: PathBuf,
    /// Apply these findings: numbers, ranges such as 3-9, `7=LABEL` to decide on a label (`7="A, B"` where it has a comma), names of faults, or `all`; several between commas
    #[arg(long, value_name = "WHICH", required_unless_present = "interactive")]
    pub(crate) accept: Vec<String>,
    /// Ask about each finding in turn
    #[arg(long, conflicts_with = "accept")]
    pub(crate) interactive: bool,
    /// Look for the data here (default: where the audit found them)
    #[arg(long, value_name = "PATH")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) columns: Columns,
    /// Hear this label book about new labels, and write rules that are decided into it: JSON, and beside it a page to read
    #[arg(long, value_name = "BOOK")]
    pub(crate) rules: Option<PathBuf>,
    /// Name who decides on rules, for the label book
    #[arg(long, value_name = "NAME", requires = "rules")]
    pub(crate) author: Option<String>,
    /// Say what it brought by this base (default: chosen by kind of data; see `dianjing base list`)
    #[arg(long, value_name = "ID")]
    pub(crate) base: Option<String>,
    /// Write the revision here, as CSV; nothing is there yet
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewArguments {
    /// What `dianjing audit DATA --out findings.json` wrote
    pub(crate) findings: PathBuf,
    /// Look at findings of this fault
    #[arg(long, value_name = "NAME", value_parser = fault, default_value = "label")]
    pub(crate) fault: Fault,
    /// Look at this many, drawn from the list
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub(crate) answers: usize,
    /// Take the answers from a table instead of asking: number, verdict (right, wrong, unclear)
    #[arg(long, value_name = "CSV")]
    pub(crate) verdicts: Option<PathBuf>,
    /// Draw the same findings again with the same number (default: that of the verdicts so far, or 0)
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct SelectArguments {
    /// What to choose from: a folder or a table; rows with a label, and class folders, are known already
    pub(crate) data: PathBuf,
    /// Choose this many examples; with --cost, as many as cost no more than this together
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) budget: f64,
    /// Know these labelled examples already, and take all of DATA as unlabelled
    #[arg(long, value_name = "DATA")]
    pub(crate) labelled: Option<PathBuf>,
    /// Go by what this bundle is unsure of (default: a model of the labelled examples)
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) model: Option<PathBuf>,
    /// Choose in this way: centroids, typiclust, probcover, k-centre, facility-location, margin, random (default: what suits)
    #[arg(long, value_name = "NAME", value_parser = method)]
    pub(crate) method: Option<Method>,
    /// Count what labelling costs by this column of the table, such as seconds
    #[arg(long, value_name = "COLUMN")]
    pub(crate) cost: Option<String>,
    /// Draw half at random, to measure on (default where a model is asked)
    #[arg(long, conflicts_with = "all_chosen")]
    pub(crate) half_random: bool,
    /// Choose all by the method, none at random
    #[arg(long)]
    pub(crate) all_chosen: bool,
    /// Say to stop when a hundred labels more bring less than this share of right answers
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "0.5%")]
    pub(crate) worth: f64,
    #[command(flatten)]
    pub(crate) columns: Columns,
    /// Sit on this base (default: that of the bundle, or chosen by kind of data; see `dianjing base list`)
    #[arg(long, value_name = "ID", conflicts_with = "model")]
    pub(crate) base: Option<String>,
    /// Write one row for every chosen example here: .csv, .parquet or .json
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Repeat a run exactly with the same number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

fn scale(text: &str) -> Result<VoteScale, String> {
    match text {
        "nominal" => Ok(VoteScale::Nominal),
        "ordinal" => Ok(VoteScale::Ordinal),
        "interval" => Ok(VoteScale::Interval),
        _ => Err("one of nominal, ordinal, interval".to_owned()),
    }
}

/// A way to weigh votes by its name.
fn weighing(name: &str) -> Result<Part, String> {
    Part::ALL.into_iter().find(|part| part.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Part::ALL.iter().map(|part| part.name()).collect();
        format!("known are {}", names.join(", "))
    })
}

/// A way to choose by its name.
fn method(name: &str) -> Result<Method, String> {
    Method::ALL.into_iter().find(|method| method.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Method::ALL.iter().map(|method| method.name()).collect();
        format!("known are {}", names.join(", "))
    })
}

/// A finite number above 0.
fn positive(text: &str) -> Result<f64, String> {
    let value = text.trim().parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| "a number above 0 is wanted".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct ConsensusArguments {
    /// A table with one vote a row: item, annotator, label
    pub(crate) votes: PathBuf,
    /// Take the item from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) item: Option<String>,
    /// Take the name of who voted from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) annotator: Option<String>,
    /// Take the label from this column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: Option<String>,
    /// Have a model vote too, that learns from the votes about these examples; items are called like their files or ids
    #[arg(long, value_name = "DATA")]
    pub(crate) examples: Option<PathBuf>,
    /// Sit on this base (default: chosen by kind of data; see `dianjing base list`)
    #[arg(long, value_name = "ID", requires = "examples")]
    pub(crate) base: Option<String>,
    /// Take the time of the vote from this column, to tell who became better or worse
    #[arg(long, value_name = "COLUMN")]
    pub(crate) time: Option<String>,
    /// What a difference between labels means: names, ranks in order of their number or name, or numbers
    #[arg(long, value_name = "nominal|ordinal|interval", value_parser = scale, default_value = "nominal")]
    pub(crate) scale: VoteScale,
    /// Weigh the votes so, whatever foresees them best: crowd, majority, dawid-skene, one-coin, glad, mace; with --examples also model,
    /// crowdlab
    #[arg(long, value_name = "METHOD", value_parser = weighing)]
    pub(crate) method: Option<Part>,
    /// Name this many items to ask about next; with --examples also ones that nobody voted on
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) ask: usize,
    /// Write one row for every item here: .csv, .parquet or .json
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Repeat a run exactly with the same number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

/// A fault by its name.
fn fault(name: &str) -> Result<Fault, String> {
    Fault::ALL.into_iter().find(|fault| fault.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        format!("known are {}", names.join(", "))
    })
}
