//! Why a run could not be done.

use base::series::Survey;
use bundle::inspection::SightError;
use dataset::{Modality, Problem, ProblemKind};

use crate::inspect::DetectorNeeds;

/// What stopped a run. Data that is merely bad never does: it comes as [`dataset::Problem`]s.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum PipelineError {
    /// The data cannot be read at all.
    #[error(transparent)]
    Read(#[from] dataset::ReadError),
    /// The base cannot be found or fetched.
    #[error(transparent)]
    Pull(#[from] base::pull::PullError),
    /// The base cannot be loaded.
    #[error(transparent)]
    Base(#[from] base::open::BaseError),
    /// Features cannot be computed or kept.
    #[error(transparent)]
    Extract(#[from] base::extract::ExtractError),
    /// The head cannot be fitted.
    #[error(transparent)]
    Tune(#[from] tune::TuneError),
    /// Something could not be measured.
    #[error(transparent)]
    Evaluate(#[from] evaluate::EvaluateError),
    /// The data could not be looked through.
    #[error(transparent)]
    Audit(#[from] curate::CurateError),
    /// The bundle cannot be written, opened or run.
    #[error(transparent)]
    Bundle(#[from] bundle::BundleError),
    /// A file cannot be written.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// An array from elsewhere cannot be used.
    #[error(transparent)]
    Array(#[from] crate::ArrayError),
    /// A label book cannot be used.
    #[error(transparent)]
    Book(#[from] curate::book::BookError),
    /// Findings cannot be applied.
    #[error(transparent)]
    Apply(#[from] crate::ApplyError),
    /// A review is under way in another order.
    #[error("the findings beside `{}` are asked about in the order of seed {seed}, not {got}", path.display())]
    OtherDraw { path: std::path::PathBuf, seed: u64, got: u64 },
    /// A table of votes lacks a column.
    #[error(transparent)]
    NoVoteColumn(#[from] crate::NoVoteColumn),
    /// No example is left.
    #[error("no usable example: {n_problems} of {n_examples} could not be read, the first one: {first}")]
    NothingUsable { n_examples: usize, n_problems: usize, first: String },
    /// There is nothing to tell apart.
    #[error("only one class, `{class}`, has examples; telling things apart needs at least two")]
    OneClass { class: String },
    /// The data has no labels.
    #[error("none of the {n_examples} examples has a label")]
    NoLabels { n_examples: usize },
    /// Everything has a label.
    #[error("all {n_examples} examples are labelled; there is nothing to choose from")]
    NothingToLabel { n_examples: usize },
    /// What labelling an example costs is not known.
    #[error(transparent)]
    Cost(#[from] crate::CostError),
    /// Votes are to be compared as numbers, and one is none.
    #[error("`{}`: the label `{label}` is not a number, and --scale interval compares numbers", path.display())]
    VoteNotANumber { path: std::path::PathBuf, label: String },
    /// The way to weigh votes that was asked for needs a model.
    #[error("`{}` cannot be weighed so: no model votes with the annotators", path.display())]
    NoModelVotes { path: std::path::PathBuf },
    /// Votes and examples have no name in common.
    #[error("no item of the votes is called like an example of `{}`, its file or its file without the ending", path.display())]
    NoItems { path: std::path::PathBuf },
    /// The data does not ask what the bundle answers.
    #[error("the bundle answers {expected}, but the data has {got}")]
    OtherTask { expected: String, got: String },
    /// The examples speak to another sense than the base.
    #[error("base `{base}` takes {}, but the data holds {}", plural(*takes), plural(*got))]
    OtherModality { base: String, takes: Modality, got: Modality },
    /// Examples of several senses, where one is worked on at a time.
    #[error(
        "the examples of `{}` have several senses ({}), and this looks at one; name it, such as --{} {}",
        path.display(),
        senses.iter().map(|sense| sense.name.as_str()).collect::<Vec<_>>().join(", "),
        senses[0].modality,
        senses[0].name
    )]
    SeveralSenses { path: std::path::PathBuf, senses: Vec<dataset::Sense> },
    /// The two sides of pairs have nothing in common.
    #[error(
        "the two sides of these {n_pairs} pairs share nothing: no correlation is above those of shuffled pairs"
    )]
    NothingShared { n_pairs: usize },
    /// What is searched by is of neither kind.
    #[error("what is searched by is of neither end ({ends})")]
    NoEnd { ends: String },
    /// Several senses are joined for one label of several only.
    #[error("several senses of one thing are joined for one class of several, and this is {got}")]
    SensesTask { got: String },
    /// One of several senses cannot be learned from.
    #[error(
        "the sense `{sense}` cannot be learned from; name the others to leave it out, such as --image COLUMN --text COLUMN"
    )]
    Sense {
        sense: String,
        #[source]
        source: Box<PipelineError>,
    },
    /// Not one of the series can be read.
    #[error("of the series in `{}` that were looked at not one can be read{}", path.display(), told_first(first.as_deref()))]
    NoSensors { path: std::path::PathBuf, first: Option<Box<Problem>> },
    /// A detector that was asked for cannot work on these photos.
    #[error("detector `{detector}` needs {needs}")]
    NoDetector { detector: &'static str, needs: DetectorNeeds },
    /// A model would be measured on nothing but what it was made from.
    #[error("the model learned from every photo of `{}` that could be measured on", path.display())]
    LearnedFrom { path: std::path::PathBuf },
    /// The person asked to stop. Features computed so far are kept.
    #[error("stopped; the features computed so far are kept and the next run goes on from there")]
    Cancelled,
}

impl PipelineError {
    /// Not one of the series of a set can be used; the first reason is told.
    pub(crate) fn no_sensors(root: &std::path::Path, survey: Survey) -> Self {
        let first = survey.unread.map(|(path, error)| {
            let kind = ProblemKind::NotASeries { detail: error.to_string() };
            Box::new(Problem::in_file(kind, path))
        });
        Self::NoSensors { path: root.to_owned(), first }
    }

    /// The same, met while one of several senses was worked on. What is the person's doing or the machine's stays as it is.
    pub(crate) fn of_sense(self, sense: &str) -> Self {
        match self {
            Self::NothingUsable { .. } | Self::Tune(_) | Self::NoSensors { .. } | Self::OneClass { .. } => {
                Self::Sense { sense: sense.to_owned(), source: Box::new(self) }
            }
            other => other,
        }
    }
}

impl From<SightError> for PipelineError {
    fn from(error: SightError) -> Self {
        match error {
            SightError::Base(error) => error.into(),
            SightError::Tune(error) => error.into(),
        }
    }
}

fn told_first(problem: Option<&Problem>) -> String {
    problem.map_or_else(String::new, |problem| format!("; the first problem: {problem}"))
}

fn plural(modality: Modality) -> &'static str {
    match modality {
        Modality::Image => "pictures",
        Modality::Text => "texts",
        Modality::Sound => "sounds",
        Modality::Video => "videos",
        Modality::Series => "series",
        Modality::Senses => "several senses",
    }
}
