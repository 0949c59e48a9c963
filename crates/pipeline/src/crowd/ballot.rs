//! Reads a table of votes: which column holds what, and numbers for names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use curate::consensus::Vote;
use dataset::read::{Table, read_rows};
use dataset::{Problem, ProblemKind, ReadError};

use super::ConsensusRequest;
use crate::PipelineError;

const ITEM_NAMES: &[&str] = &[
    "item", "item_id", "example", "task", "id", "question", "text", "image", "file", "样本", "编号", "题目",
];
const ANNOTATOR_NAMES: &[&str] = &[
    "annotator",
    "worker",
    "worker_id",
    "labeler",
    "labeller",
    "rater",
    "user",
    "performer",
    "标注员",
    "标注人",
];
const LABEL_NAMES: &[&str] =
    &["label", "answer", "vote", "class", "category", "rating", "标签", "标注", "答案"];
const TIME_NAMES: &[&str] = &[
    "time",
    "timestamp",
    "datetime",
    "date",
    "created_at",
    "submitted_at",
    "labeled_at",
    "labelled_at",
    "时间",
    "日期",
    "标注时间",
    "提交时间",
];

/// No column could be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no column of `{}` looks like the {role}; it has `{}`; name it with --{role}", path.display(), existing.join("`, `"))]
pub struct NoVoteColumn {
    /// The table.
    pub path: PathBuf,
    /// `item`, `annotator` or `label`.
    pub role: &'static str,
    /// The columns there are.
    pub existing: Vec<String>,
}

/// Votes by number, with the names behind the numbers.
pub(super) struct Ballot {
    pub(super) votes: Vec<Vote>,
    pub(super) items: Vec<String>,
    pub(super) annotators: Vec<String>,
    pub(super) classes: Vec<String>,
    /// What the table says of when each vote was given; empty where it says nothing.
    pub(super) times: Vec<String>,
}

/// Numbers from 0 in order of first appearance.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).expect("a table has fewer than 2^32 rows");
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// Reads the votes; rows with an empty cell are left out and told.
pub(super) fn ballot(request: &ConsensusRequest) -> Result<(Ballot, Vec<Problem>), PipelineError> {
    let path = &request.votes;
    let (table, mut problems) = read_rows(path)?;
    let time = time(request, &table)?;
    let roles = roles(request, &table, time)?;
    let (mut items, mut annotators) = (Names::default(), Names::default());
    let (mut votes, mut times) = (Vec::new(), Vec::new());
    for row in &table.rows {
        if let Some(empty) = roles.iter().find(|column| row.cells[**column].is_empty()) {
            let problem = Problem::in_row(ProblemKind::EmptyCell, path, row.number);
            problems.push(problem.column(&table.columns[*empty]));
            continue;
        }
        let [item, annotator, label] = roles.map(|column| row.cells[column].text());
        votes.push((items.number(&item), annotators.number(&annotator), label));
        times.extend(time.map(|column| row.cells[column].text()));
    }
    let classes = sorted(votes.iter().map(|(.., label)| label.clone()).collect());
    let places: BTreeMap<&str, u32> =
        classes.iter().enumerate().map(|(place, class)| (class.as_str(), place as u32)).collect();
    let votes = votes
        .iter()
        .map(|(example, annotator, label)| Vote {
            example: *example,
            annotator: *annotator,
            class: places[label.as_str()],
        })
        .collect();
    let (items, annotators) = (items.names, annotators.names);
    Ok((Ballot { votes, items, annotators, classes, times }, problems))
}

/// Each class once: by number when all are numbers, else by name.
fn sorted(mut classes: Vec<String>) -> Vec<String> {
    classes.sort();
    classes.dedup();
    let number = |class: &String| class.parse::<f64>().ok().filter(|number| number.is_finite());
    if classes.iter().all(|class| number(class).is_some()) {
        classes.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)));
    }
    classes
}

/// The column that says when: as named, else by usual names.
fn time(request: &ConsensusRequest, table: &Table) -> Result<Option<usize>, PipelineError> {
    match &request.time {
        Some(name) => named(request, table, name).map(Some),
        None => Ok(by_name(table, TIME_NAMES)),
    }
}

fn named(request: &ConsensusRequest, table: &Table, name: &str) -> Result<usize, PipelineError> {
    let no_column = || ReadError::NoColumn {
        path: request.votes.clone(),
        column: name.to_owned(),
        existing: table.columns.clone(),
    };
    Ok(table.column(name).ok_or_else(no_column)?)
}

fn by_name(table: &Table, names: &[&str]) -> Option<usize> {
    let lower: Vec<String> = table.columns.iter().map(|column| column.trim().to_lowercase()).collect();
    names.iter().find_map(|name| lower.iter().position(|column| column == name))
}

/// The columns of item, annotator and label: as named, else by usual names, else the only one left.
fn roles(
    request: &ConsensusRequest,
    table: &Table,
    time: Option<usize>,
) -> Result<[usize; 3], PipelineError> {
    let asked: [(&'static str, &Option<String>, &[&str]); 3] = [
        ("item", &request.item, ITEM_NAMES),
        ("annotator", &request.annotator, ANNOTATOR_NAMES),
        ("label", &request.label, LABEL_NAMES),
    ];
    let mut found: [Option<usize>; 3] = [None; 3];
    for (role, (_, name, _)) in asked.iter().enumerate() {
        found[role] = name.as_ref().map(|name| named(request, table, name)).transpose()?;
    }
    for (role, (.., names)) in asked.iter().enumerate() {
        found[role] =
            found[role].or_else(|| by_name(table, names).filter(|column| !found.contains(&Some(*column))));
    }
    let left: Vec<usize> = (0..table.columns.len())
        .filter(|column| !found.contains(&Some(*column)) && time != Some(*column))
        .collect();
    if let ([only], 1) = (&left[..], found.iter().filter(|role| role.is_none()).count()) {
        found.iter_mut().for_each(|role| *role = role.or(Some(*only)));
    }
    let column = |role: usize| {
        let missing = || NoVoteColumn {
            path: request.votes.clone(),
            role: asked[role].0,
            existing: table.columns.clone(),
        };
        found[role].ok_or_else(missing)
    };
    Ok([column(0)?, column(1)?, column(2)?])
}
