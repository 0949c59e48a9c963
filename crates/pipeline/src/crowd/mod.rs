//! `consensus`: one label an item from the votes of several annotators, and how good each of them is. Where the examples themselves
//! are at hand, [`crate::juror`] has a model vote with them.

mod ballot;
mod changes;

use std::path::{Path, PathBuf};

use curate::consensus::{
    self, Agreement, Consensus, Evidence, JudgedVotes, Model, Part, Question, Scale, VoteProblem, Votes,
    active_scores, annotators, consensus_by, krippendorff_alpha, next_questions,
};
use dataset::Problem;
use linalg::Seed;
use serde::Serialize;

pub use ballot::NoVoteColumn;
use ballot::{Ballot, ballot};
pub use changes::CrowdChange;

use crate::columns::{Columns, Values};
use crate::juror::{self, Opinion, Shown, Voting};
use crate::report::Sentence;
use crate::{Event, Home, PipelineError, Run, Step};

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
    /// Column of when the vote was given; absent: found by its name, if there is one.
    pub time: Option<String>,
    /// What a difference between two labels means.
    pub scale: VoteScale,
    /// The examples that were voted on: a model that learns from the votes helps where it foresees votes better.
    pub examples: Option<PathBuf>,
    /// Catalogue id of the base for them; absent: the default for their kind.
    pub base: Option<String>,
    /// How the votes are weighed; absent: as the evidence says.
    pub method: Option<Part>,
    /// Questions to ask next.
    pub questions: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// What a difference between two labels means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoteScale {
    /// Any two labels differ as much.
    Nominal,
    /// Labels are ranks, in order of their number or name.
    Ordinal,
    /// Labels are numbers.
    Interval,
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
    /// How they changed over time; absent without times, or with fewer than twenty votes that have one.
    pub change: Option<CrowdChange>,
}

/// A question to ask.
#[derive(Debug, Clone, Serialize)]
pub struct CrowdQuestion {
    /// About which item.
    pub item: String,
    /// Whom: the best who has not answered; absent when all have.
    pub annotator: Option<String>,
    /// How little it is needed, 0 to 1: by ActiveLab where a model votes, else the confidence in the label so far.
    pub score: f64,
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
    let (items, people, classes) = (&ballot.items, &ballot.annotators, &ballot.classes);
    let numbers = numbers(request, classes)?;
    let (votes, doubts) = Votes::new(&ballot.votes, items.len(), people.len(), classes.len())?;
    let mut cautions = cautions(&doubts, people);
    let opinion = match &request.examples {
        None => None,
        Some(examples) => {
            let voting = voting(home, request, examples, items, &votes, run)?;
            problems.extend(voting.problems);
            cautions.extend(voting.cautions);
            voting.opinion
        }
    };
    run.step(Step::Audit, || {
        let found = weighed(request, &votes, opinion.as_ref())?;
        let described = annotators(&votes, &found.posterior)?;
        let (changes, told) = changes::changes(&ballot, &votes, &found.posterior, Seed(request.seed))?;
        cautions.extend(told);
        let person = |(place, (found, change)): (usize, (&consensus::Annotator, Option<CrowdChange>))| {
            person(&people[place], found, change, classes)
        };
        let scale = match request.scale {
            VoteScale::Nominal => Scale::Nominal,
            VoteScale::Ordinal => Scale::Ordinal,
            VoteScale::Interval => Scale::Interval(&numbers),
        };
        let questions = questions(request, &ballot, (&votes, &found, &described), opinion.as_ref())?;
        Ok(Crowd {
            items: (0..items.len())
                .map(|place| item(&items[place], place, &votes, &found, classes))
                .collect(),
            annotators: described.iter().zip(changes).enumerate().map(person).collect(),
            alpha: krippendorff_alpha(&votes, scale, Seed(request.seed)),
            chosen: found.chosen,
            evidence: found.evidence,
            questions,
            cautions,
            problems,
        })
    })
}

/// One label an item, by the evidence or by the method that is asked for.
fn weighed(
    request: &ConsensusRequest,
    votes: &Votes,
    opinion: Option<&Opinion>,
) -> Result<Consensus, PipelineError> {
    let model = opinion.map(|opinion| Model { probs: opinion.probs.view(), says: &opinion.says });
    match request.method {
        None => Ok(consensus::consensus(votes, model)?),
        Some(Part::Model | Part::Crowdlab) if model.is_none() => {
            Err(PipelineError::NoModelVotes { path: request.votes.clone() })
        }
        Some(part) => Ok(consensus_by(part, votes, model, Seed(request.seed))?),
    }
}

/// What to ask next, and whom: by ActiveLab among all examples where a model says something of them, else by the confidence so far.
fn questions(
    request: &ConsensusRequest,
    ballot: &Ballot,
    (votes, found, described): (&Votes, &Consensus, &[consensus::Annotator]),
    opinion: Option<&Opinion>,
) -> Result<Vec<CrowdQuestion>, PipelineError> {
    let (items, people) = (&ballot.items, &ballot.annotators);
    let none: &[String] = &[];
    let unvoted = opinion.map_or(none, |opinion| &opinion.unvoted);
    let n = items.len() + unvoted.len();
    let asked = Votes::new(&ballot.votes, n, people.len(), ballot.classes.len())?.0;
    let scores = match opinion {
        None => found.confidence.clone(),
        Some(opinion) => {
            let judged = JudgedVotes::new(votes, opinion.probs.view())?;
            let scores = active_scores(judged, opinion.of_unvoted.view())?;
            [scores.voted, scores.unvoted].concat()
        }
    };
    let name = |example: usize| items.get(example).unwrap_or_else(|| &unvoted[example - items.len()]);
    let told = next_questions(&asked, &scores, described, request.questions).into_iter();
    let question = |question: Question| CrowdQuestion {
        item: name(question.example as usize).clone(),
        annotator: question.annotator.map(|who| people[who as usize].clone()),
        score: question.score,
    };
    Ok(told.map(question).collect())
}

/// The labels as numbers, where differences of numbers are asked for.
fn numbers(request: &ConsensusRequest, classes: &[String]) -> Result<Vec<f64>, PipelineError> {
    if request.scale != VoteScale::Interval {
        return Ok(Vec::new());
    }
    let number = |class: &String| class.parse::<f64>().ok().filter(|number| number.is_finite());
    let not =
        |class: &String| PipelineError::VoteNotANumber { path: request.votes.clone(), label: class.clone() };
    classes.iter().map(|class| number(class).ok_or_else(|| not(class))).collect()
}

fn item(name: &str, place: usize, votes: &Votes, found: &Consensus, classes: &[String]) -> CrowdItem {
    let said = votes.of(place);
    let label = found.labels[place].expect("every item of the table has a vote");
    CrowdItem {
        item: name.to_owned(),
        label: classes[label as usize].clone(),
        confidence: found.confidence[place],
        n_votes: said.len(),
        n_agreeing: said.iter().filter(|vote| vote.class == label).count(),
    }
}

fn person(
    name: &str,
    found: &consensus::Annotator,
    change: Option<CrowdChange>,
    classes: &[String],
) -> CrowdAnnotator {
    let class = |class: u32| classes[class as usize].clone();
    let confusions = found.confusions.iter();
    CrowdAnnotator {
        annotator: name.to_owned(),
        n_votes: found.n_votes,
        accuracy: found.accuracy,
        low: found.low,
        high: found.high,
        confusions: confusions.map(|(truth, said, n)| (class(*truth), class(*said), *n)).collect(),
        change,
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
    let (base, seed) = (request.base.as_deref(), Seed(request.seed));
    let shown = Shown { examples, base, asks: request.questions > 0, seed };
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
