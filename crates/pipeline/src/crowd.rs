//! `consensus`: one label an item from the votes of several annotators, and how good each of them is. Where the examples themselves
//! are at hand, [`crate::juror`] has a model vote with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use curate::consensus::{
    self, Agreement, Evidence, Part, Scale, Vote, VoteProblem, Votes, annotators, krippendorff_alpha,
    next_questions,
};
use dataset::read::{Table, read_rows};
use dataset::{Problem, ProblemKind, ReadError};
use linalg::{Matrix, Seed};
use serde::Serialize;

use crate::columns::{Columns, Values};
use crate::juror::{self, Shown, Voting};
use crate::report::Sentence;
use crate::{Event, Home, PipelineError, Run, Step};

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

/// Votes, and which columns hold them.
#[derive(Debug, Clone)]
pub struct ConsensusRequest {
    /// A table with one vote a row.
    pub votes: PathBuf,
    /// Column of the item; absent: found by its name.
    pub item: Option<String>,
    /// Column of the annotator; absent: found by its name.
    pub annotator: Option<String>,
    /// Column of the label; absent: found by its name.
    pub label: Option<String>,
    /// Whether the labels are ranks, in order of their number or name.
    pub ordinal: bool,
    /// The examples that were voted on: a model that learns from the votes helps where it foresees votes better.
    pub examples: Option<PathBuf>,
    /// Catalogue id of the base for them; absent: the default for their kind.
    pub base: Option<String>,
    /// Questions to ask next.
    pub questions: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// What the annotators say together.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// One for each item, in the order of the table.
    pub items: Vec<CrowdItem>,
    /// In the order of the table.
    pub annotators: Vec<CrowdAnnotator>,
    /// Krippendorff's alpha; absent where nothing was answered twice.
    pub alpha: Option<Agreement>,
    /// Where the labels come from.
    pub chosen: Part,
    /// How well each way foresees votes that it did not see.
    pub evidence: Vec<Evidence>,
    /// What to ask next, the most needed first.
    pub questions: Vec<CrowdQuestion>,
    /// What asks for caution.
    pub cautions: Vec<Sentence>,
    /// Rows that were left out.
    pub problems: Vec<Problem>,
}

/// One item.
#[derive(Debug, Clone, Serialize)]
pub struct CrowdItem {
    /// Its name in the table.
    pub item: String,
    /// What it most probably is.
    pub label: String,
    /// How probable that is, in [0, 1].
    pub confidence: f64,
    /// Votes on it.
    pub n_votes: usize,
    /// Those for the label.
    pub n_agreeing: usize,
}

/// One annotator.
#[derive(Debug, Clone, Serialize)]
pub struct CrowdAnnotator {
    /// Their name in the table.
    pub annotator: String,
    /// Votes given.
    pub n_votes: usize,
    /// Expected share of right votes.
    pub accuracy: f64,
    /// The accuracy is at least this with 97.5 %.
    pub low: f64,
    /// And at most this.
    pub high: f64,
    /// What is confused most: the truth, what was said instead, expected number of times.
    pub confusions: Vec<(String, String, f64)>,
}

/// A question to ask.
#[derive(Debug, Clone, Serialize)]
pub struct CrowdQuestion {
    /// About which item.
    pub item: String,
    /// Whom: the best who has not answered; absent when all have.
    pub annotator: Option<String>,
    /// Confidence in its label so far.
    pub score: f64,
}

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

/// Reads votes and weighs them.
///
/// # Errors
/// When the table cannot be read, a column is missing, or no vote is left.
pub fn weigh_votes(home: &Home, request: &ConsensusRequest, run: &Run<'_>) -> Result<Crowd, PipelineError> {
    let (ballot, mut problems) = run.step(Step::Read, || ballot(request))?;
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    let (items, people, classes) = (&ballot.items.names, &ballot.annotators.names, &ballot.classes);
    let (votes, doubts) = Votes::new(&ballot.votes, items.len(), people.len(), classes.len())?;
    let mut cautions = cautions(&doubts, people);
    let model = match &request.examples {
        None => None,
        Some(examples) => {
            let voting = voting(home, request, examples, items, &votes, run)?;
            problems.extend(voting.problems);
            cautions.extend(voting.cautions);
            voting.probs
        }
    };
    run.step(Step::Audit, || {
        let found = consensus::consensus(&votes, model.as_ref().map(Matrix::view))?;
        let described = annotators(&votes, &found.posterior)?;
        let name = |class: u32| classes[class as usize].clone();
        let item = |place: usize| {
            let said = votes.of(place);
            let label = found.labels[place].expect("every item of the table has a vote");
            CrowdItem {
                item: items[place].clone(),
                label: name(label),
                confidence: found.confidence[place],
                n_votes: said.len(),
                n_agreeing: said.iter().filter(|vote| vote.class == label).count(),
            }
        };
        let person = |(place, found): (usize, &consensus::Annotator)| person(&people[place], found, classes);
        let scale = if request.ordinal { Scale::Ordinal } else { Scale::Nominal };
        let questions = next_questions(&votes, &found.confidence, &described, request.questions);
        Ok(Crowd {
            items: (0..items.len()).map(item).collect(),
            annotators: described.iter().enumerate().map(person).collect(),
            alpha: krippendorff_alpha(&votes, scale, Seed(request.seed)),
            chosen: found.chosen,
            evidence: found.evidence,
            questions: questions
                .into_iter()
                .map(|question| CrowdQuestion {
                    item: items[question.example as usize].clone(),
                    annotator: question.annotator.map(|who| people[who as usize].clone()),
                    score: question.score,
                })
                .collect(),
            cautions,
            problems,
        })
    })
}

fn person(name: &str, found: &consensus::Annotator, classes: &[String]) -> CrowdAnnotator {
    let class = |class: u32| classes[class as usize].clone();
    let confusions = found.confusions.iter();
    CrowdAnnotator {
        annotator: name.to_owned(),
        n_votes: found.n_votes,
        accuracy: found.accuracy,
        low: found.low,
        high: found.high,
        confusions: confusions.map(|(truth, said, n)| (class(*truth), class(*said), *n)).collect(),
    }
}

/// What a model says of the examples that were voted on.
fn voting(
    home: &Home,
    request: &ConsensusRequest,
    examples: &Path,
    items: &[String],
    votes: &Votes,
    run: &Run<'_>,
) -> Result<Voting, PipelineError> {
    // The votes read as examples would teach a model from the names of the items.
    if examples == request.votes {
        return Err(PipelineError::NoItems { path: examples.to_owned() });
    }
    let shown = Shown { examples, base: request.base.as_deref(), seed: Seed(request.seed) };
    juror::ask(home, &shown, items, votes, run)
}

impl Crowd {
    /// One row an item: `item`, `consensus_label`, `confidence`, `n_votes`, `n_agreeing`.
    pub fn table(&self) -> Columns {
        let counts = |of: fn(&CrowdItem) -> usize| {
            Values::Counts(self.items.iter().map(|item| Some(of(item) as i64)).collect())
        };
        let texts = |of: fn(&CrowdItem) -> &String| {
            Values::Texts(self.items.iter().map(|item| Some(of(item).clone())).collect())
        };
        let mut columns = Columns::default();
        columns.push("item", texts(|item| &item.item));
        columns.push("consensus_label", texts(|item| &item.label));
        let confidence = self.items.iter().map(|item| Some(item.confidence)).collect();
        columns.push("confidence", Values::Numbers(confidence));
        columns.push("n_votes", counts(|item| item.n_votes));
        columns.push("n_agreeing", counts(|item| item.n_agreeing));
        columns
    }
}

/// Votes by number, with the names behind the numbers.
struct Ballot {
    votes: Vec<Vote>,
    items: Names,
    annotators: Names,
    classes: Vec<String>,
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

fn ballot(request: &ConsensusRequest) -> Result<(Ballot, Vec<Problem>), PipelineError> {
    let path = &request.votes;
    let (table, mut problems) = read_rows(path)?;
    let roles = roles(request, &table)?;
    let (mut items, mut annotators) = (Names::default(), Names::default());
    let mut votes = Vec::new();
    for row in &table.rows {
        if let Some(empty) = roles.iter().find(|column| row.cells[**column].is_empty()) {
            let problem = Problem::in_row(ProblemKind::EmptyCell, path, row.number);
            problems.push(problem.column(&table.columns[*empty]));
            continue;
        }
        let [item, annotator, label] = roles.map(|column| row.cells[column].text());
        votes.push((items.number(&item), annotators.number(&annotator), label));
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
    Ok((Ballot { votes, items, annotators, classes }, problems))
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

/// The columns of item, annotator and label: as named, else by usual names, else the only one left.
fn roles(request: &ConsensusRequest, table: &Table) -> Result<[usize; 3], PipelineError> {
    let asked: [(&'static str, &Option<String>, &[&str]); 3] = [
        ("item", &request.item, ITEM_NAMES),
        ("annotator", &request.annotator, ANNOTATOR_NAMES),
        ("label", &request.label, LABEL_NAMES),
    ];
    let mut found: [Option<usize>; 3] = [None; 3];
    for (role, (_, named, _)) in asked.iter().enumerate() {
        let Some(name) = named else { continue };
        let no_column = || ReadError::NoColumn {
            path: request.votes.clone(),
            column: name.clone(),
            existing: table.columns.clone(),
        };
        found[role] = Some(table.column(name).ok_or_else(no_column)?);
    }
    for (role, (.., names)) in asked.iter().enumerate() {
        let lower: Vec<String> = table.columns.iter().map(|column| column.trim().to_lowercase()).collect();
        let by_name = || names.iter().find_map(|name| lower.iter().position(|column| column == name));
        found[role] = found[role].or_else(|| by_name().filter(|column| !found.contains(&Some(*column))));
    }
    let left: Vec<usize> =
        (0..table.columns.len()).filter(|column| !found.contains(&Some(*column))).collect();
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

fn cautions(doubts: &[VoteProblem], people: &[String]) -> Vec<Sentence> {
    let count = |of: &dyn Fn(&VoteProblem) -> bool| doubts.iter().filter(|doubt| of(doubt)).count();
    let repeated = count(&|doubt| matches!(doubt, VoteProblem::Repeated { .. }));
    let contradicting = count(&|doubt| matches!(doubt, VoteProblem::Repeated { contradicts: true, .. }));
    let single = count(&|doubt| matches!(doubt, VoteProblem::SingleVote { .. }));
    let mut cautions = Vec::new();
    if repeated > 0 {
        cautions.push(Sentence {
            en: format!(
                "{repeated} votes repeat one by the same annotator on the same item ({contradicting} say something else); the first one counts."
            ),
            zh: format!("{repeated} 票是同一标注员对同一样本的重复投票（其中 {contradicting} 票前后不一）；以第一票为准。"),
        });
    }
    if single > 0 {
        let all = people.len();
        cautions.push(Sentence {
            en: format!(
                "{single} of {all} annotators voted once: nothing can be said about how good they are."
            ),
            zh: format!("{all} 位标注员中有 {single} 位只投过一票：无法判断他们的质量。"),
        });
    }
    cautions
}
