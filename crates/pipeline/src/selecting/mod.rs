//! `select`: which examples to label next, one reason each, and whether more labels are worth it.

mod costs;
mod given;
mod model;
mod outlook;
mod reasons;

use std::path::PathBuf;
use std::sync::Arc;

use base::Base;
use curate::select::{Budget, Half, Halves, Method, Pool, Selection, Why, select as pick};
use dataset::{Dataset, Example, Part, Problem, ReadOptions, Sense, Target};
use linalg::Seed;

use crate::columns::{Columns, Values};
use crate::features::{self, Table};
use crate::report::Sentence;
use crate::{Event, Home, PipelineError, Run, Step};

pub use costs::CostError;
pub use outlook::Outlook;

use given::Given;
use model::Model;

/// What to choose from, and how much of it.
#[derive(Debug, Clone)]
pub struct SelectRequest {
    /// A folder or a table. Its labelled examples are known already, unless `labelled` is given: then none of it is.
    pub data: PathBuf,
    /// What the person said about it.
    pub read: ReadOptions,
    /// A folder or a table of what is labelled already.
    pub labelled: Option<PathBuf>,
    /// A bundle whose doubts say what to label.
    pub model: Option<PathBuf>,
    /// Catalogue id of the base; absent: that of the model, or the default for the kind of data.
    pub base: Option<String>,
    /// How many examples, or how much cost.
    pub budget: Amount,
    /// How; absent: what suits what is known.
    pub method: Option<Method>,
    /// Whether half is drawn at random; absent: when a model is asked, as what it doubts cannot measure it.
    pub halves: Option<Halves>,
    /// Labelling is worth it while a hundred labels bring at least this share of right answers.
    pub worth: f64,
    /// Seed of everything random.
    pub seed: u64,
}

/// How much may be labelled.
#[derive(Debug, Clone, PartialEq)]
pub enum Amount {
    /// So many examples.
    Examples(usize),
    /// Examples that cost no more than this together.
    Cost {
        /// The limit.
        limit: f64,
        /// The column with what labelling each example costs.
        column: String,
    },
}

/// What to label.
#[derive(Debug)]
pub struct Choice {
    /// How it was chosen.
    pub method: Method,
    /// Why in this way.
    pub why: Sentence,
    /// In order, the most useful first.
    pub picks: Vec<ChosenExample>,
    /// Examples without a label.
    pub n_pool: usize,
    /// Examples with one.
    pub n_known: usize,
    /// Examples without a label that are near copies of others.
    pub n_copies: usize,
    /// What more labels would bring; absent where too few are known.
    pub outlook: Option<Outlook>,
    /// What to keep in mind.
    pub cautions: Vec<Sentence>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Facts for repeating the choice: name and value.
    pub facts: Vec<(String, String)>,
}

/// One example to label.
#[derive(Debug, Clone)]
pub struct ChosenExample {
    /// Its id.
    pub id: String,
    /// Chosen by the method, or drawn at random.
    pub half: Half,
    /// The evidence.
    pub why: Why,
    /// The evidence in words.
    pub reason: Sentence,
    /// The two classes that a model hesitates between, with their probabilities.
    pub between: Option<[(String, f64); 2]>,
    /// What labelling it costs.
    pub cost: Option<f64>,
}

/// Chooses what to label next.
///
/// # Errors
/// When the data cannot be read, the base not be run, or nothing is without a label; see [`PipelineError`].
pub fn select(home: &Home, request: &SelectRequest, run: &Run<'_>) -> Result<Choice, PipelineError> {
    let given = request.model.as_ref().map(|model| Given::open(home, model, run)).transpose()?;
    let senses = given.as_ref().and_then(Given::senses);
    let (data, mut problems) = run.step(Step::Read, || match &senses {
        Some(senses) => read_senses(request, senses),
        None => read(request),
    })?;
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    let (data, n_test) = without_test_part(data);
    if data.examples.iter().all(|example| example.target != Target::Unlabelled) {
        return Err(PipelineError::NothingToLabel { n_examples: data.examples.len() });
    }
    let costs = costs::costs(&data, &request.budget)?;
    let seed = Seed(request.seed);
    let (table, bases, model) = match &given {
        Some(given) => given.look(home, data, run)?,
        None => {
            let (table, bases) = features::of_all_senses(home, request.base.as_deref(), data, run)?;
            let model = Model::of_labels(&table, seed, run)?;
            (table, bases, model)
        }
    };
    problems.extend(table.problems.iter().cloned());
    let outlook = run.step(Step::Evaluate, || Ok(model.outlook(request.worth, seed)))?;
    let mut choice =
        run.step(Step::Select, || choose(request, &table, &model, costs.as_ref(), &bases, seed))?;
    choice.outlook = outlook;
    if n_test > 0 {
        choice.cautions.push(reasons::test_part(n_test));
    }
    choice.problems = problems;
    Ok(choice)
}

/// What is known and what is not, as one data set.
fn read(request: &SelectRequest) -> Result<(Dataset, Vec<Problem>), PipelineError> {
    let Some(labelled) = &request.labelled else {
        return Ok(dataset::read_pool(&request.data, &request.read)?);
    };
    let (known, problems) = dataset::read_held_out(labelled, &request.read)?;
    // The names of the other columns are those of the labelled table.
    let ReadOptions { contents, wanted, .. } = request.read.clone();
    let of_pool = ReadOptions { contents, wanted, ..ReadOptions::default() };
    let open = dataset::read_unlabelled(std::slice::from_ref(&request.data), &of_pool)?;
    Ok(together((known, problems), open))
}

/// The same, by the columns that a bundle of several senses looks at.
fn read_senses(request: &SelectRequest, senses: &[Sense]) -> Result<(Dataset, Vec<Problem>), PipelineError> {
    let Some(labelled) = &request.labelled else {
        return Ok(dataset::read_pool_senses(&request.data, senses, &request.read)?);
    };
    let known = dataset::read_held_out_senses(labelled, senses, &request.read)?;
    Ok(together(known, dataset::read_senses(std::slice::from_ref(&request.data), senses)?))
}

/// Labelled examples first, then those without labels.
fn together(
    (mut known, mut problems): (Dataset, Vec<Problem>),
    (open, more): (Vec<Example>, Vec<Problem>),
) -> (Dataset, Vec<Problem>) {
    problems.extend(more);
    known.examples.retain(|example| example.target != Target::Unlabelled);
    known.examples.extend(open.into_iter().map(|mut example| {
        example.target = Target::Unlabelled;
        example
    }));
    // The base has to suit what is to be looked at.
    if let Some(last) = known.examples.last() {
        known.modality = last.content.modality();
    }
    (known, problems)
}

/// The test part is neither learned from nor labelled: whoever chooses in it measures too well.
fn without_test_part(mut data: Dataset) -> (Dataset, usize) {
    let before = data.examples.len();
    data.examples.retain(|example| example.part != Some(Part::Test));
    let n_test = before - data.examples.len();
    (data, n_test)
}

fn choose(
    request: &SelectRequest,
    table: &Table,
    model: &Model,
    costs: Option<&costs::Costs>,
    bases: &[Arc<Base>],
    seed: Seed,
) -> Result<Choice, PipelineError> {
    let examples = &table.data.examples;
    let known: Vec<bool> = examples.iter().map(|example| example.target != Target::Unlabelled).collect();
    let n_known = known.iter().filter(|known| **known).count();
    let margins = model.margins();
    let pool = Pool {
        x: table.pooled().view(),
        known: &known,
        margins: margins.as_deref(),
        n_classes: model.n_classes(),
    };
    let of: Vec<f64> = costs.map_or_else(Vec::new, |costs| costs.of(&table.data));
    let budget = match &request.budget {
        Amount::Examples(count) => Budget::Examples(*count),
        Amount::Cost { limit, .. } => Budget::Cost { limit: *limit, of: &of },
    };
    let suited = match &request.budget {
        Amount::Examples(_) => curate::select::suited(pool),
        Amount::Cost { .. } => Method::FacilityLocation,
    };
    let method = request.method.unwrap_or(suited);
    let halves = request.halves.unwrap_or(if margins.is_some() { Halves::Mixed } else { Halves::Chosen });
    let selection = pick(pool, method, budget, halves, seed)?;
    let picks = selection.picks.iter().map(|pick| {
        let between = if matches!(pick.why, Why::Unsure { .. }) { model.between(pick.row) } else { None };
        ChosenExample {
            id: examples[pick.row].id.0.clone(),
            half: pick.half,
            why: pick.why,
            reason: reasons::reason(pick.why, between.as_ref()),
            between,
            cost: of.get(pick.row).copied(),
        }
    });
    let picks: Vec<ChosenExample> = picks.collect();
    let names: Vec<String> =
        bases.iter().map(|base| format!("{} ({})", base.id(), base.card().licence)).collect();
    let n_pool = examples.len() - n_known;
    let mut cautions = model.cautions();
    cautions.extend(short_of(&request.budget, &selection, cheapest(&of, &known)));
    Ok(Choice {
        method,
        why: reasons::method(method, request.method.is_some(), n_known),
        picks,
        n_pool,
        n_known,
        n_copies: selection.n_copies,
        outlook: None,
        cautions,
        problems: Vec::new(),
        facts: vec![
            ("base".to_owned(), names.join(", ")),
            ("method".to_owned(), method.name().to_owned()),
            ("seed".to_owned(), seed.0.to_string()),
            ("dianjing".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ],
    })
}

/// Why fewer are chosen than a person may expect.
fn short_of(budget: &Amount, selection: &Selection, cheapest: f64) -> Option<Sentence> {
    let n = selection.picks.len();
    match budget {
        Amount::Examples(count) if *count > n => Some(reasons::all_of_them(*count, n, selection.n_copies)),
        Amount::Cost { limit, .. } if n == 0 => Some(reasons::nothing_so_cheap(*limit, cheapest)),
        Amount::Examples(_) | Amount::Cost { .. } => None,
    }
}

/// What an example costs at least that is not known yet.
fn cheapest(costs: &[f64], known: &[bool]) -> f64 {
    let open = costs.iter().zip(known).filter(|(_, known)| !**known);
    open.map(|(cost, _)| *cost).fold(f64::INFINITY, f64::min)
}

impl Choice {
    /// One row a pick: `rank`, `id`, `half`, `reason`, `margin`, `group`, the two classes in question and their probabilities, `cost`.
    pub fn table(&self, lang: crate::Lang) -> Columns {
        let texts = |of: &dyn Fn(&ChosenExample) -> Option<String>| {
            Values::Texts(self.picks.iter().map(of).collect())
        };
        let numbers =
            |of: &dyn Fn(&ChosenExample) -> Option<f64>| Values::Numbers(self.picks.iter().map(of).collect());
        let mut columns = Columns::default();
        columns.push("rank", Values::Counts((1..=self.picks.len() as i64).map(Some).collect()));
        columns.push("id", texts(&|pick| Some(pick.id.clone())));
        columns.push("half", texts(&|pick| Some(reasons::half(pick.half).to_owned())));
        columns.push("reason", texts(&|pick| Some(pick.reason.in_lang(lang).to_owned())));
        columns.push(
            "margin",
            numbers(&|pick| if let Why::Unsure { margin, .. } = pick.why { Some(margin) } else { None }),
        );
        for (place, name) in ["first", "second"].into_iter().enumerate() {
            let of = |pick: &ChosenExample| pick.between.as_ref().map(|between| between[place].clone());
            columns.push(format!("{name}_class"), texts(&|pick| Some(of(pick)?.0)));
            columns.push(format!("{name}_probability"), numbers(&|pick| Some(of(pick)?.1)));
        }
        columns.push("cost", numbers(&|pick| pick.cost));
        columns
    }
}
