//! Why nothing was applied.

use std::path::PathBuf;

use crate::auditing::Action;

/// Why nothing was applied.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum ApplyError {
    #[error("cannot read `{}`: {source}", path.display())]
    Open { path: PathBuf, source: std::io::Error },
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("`{}` is no file of findings that `audit --out findings.json` wrote: {detail}", path.display())]
    Malformed { path: PathBuf, detail: String },
    #[error("`{}` holds no verdicts that `review` wrote: {detail}; move it away to begin anew", path.display())]
    Verdicts { path: PathBuf, detail: String },
    #[error("the data at `{}` are not those that were audited; audit them again, or pass --data with where those are", path.display())]
    OtherData { path: PathBuf },
    #[error("there is no finding {number}; there are {count}")]
    NoFinding { number: usize, count: usize },
    #[error("finding {number} cannot be applied to a table; what it asks for is: {}", action.sentence().en)]
    NotForTables { number: usize, action: Action },
    #[error("the findings speak of `{id}`, which the data do not have; audit them again")]
    NoExample { id: String },
    #[error("finding {number} is about a number, and `{label}` is none")]
    NotANumber { number: usize, label: String },
    #[error("`{}` holds findings about arrays, of which no table can be written; `issues` in it names rows and suggested labels", path.display())]
    OfArrays { path: PathBuf },
    #[error("`{}` holds no answers that `apply --interactive` wrote: {detail}; move it away to begin anew", path.display())]
    Answers { path: PathBuf, detail: String },
    #[error("finding {number} needs a decision, and offers no rule: pass {number}=LABEL")]
    NeedsLabel { number: usize },
    #[error("finding {number} decides on a rule: name who decides, with --author")]
    NoAuthor { number: usize },
    #[error("the findings do not hold the case of finding {number}, which the label book needs")]
    NoCase { number: usize },
    #[error(
        "the rules in `{}` were decided with the base `{of_book}` ({dim} numbers an example), the findings with `{of_findings}` ({got})",
        path.display()
    )]
    OtherBook { path: PathBuf, of_book: String, dim: usize, of_findings: String, got: usize },
    #[error("`{}` is already there; a revision is never written over, so pass another place", path.display())]
    Exists { path: PathBuf },
    #[error("no finding was accepted; pass --accept with numbers, names of faults or `all`")]
    NothingAccepted,
}
