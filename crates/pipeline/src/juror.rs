//! A model as one more voter: it learns from the majority's answers, and says of each example what it thinks without having seen it.

use std::collections::BTreeMap;
use std::path::Path;

use curate::consensus::{Votes, vote_shares};
use dataset::{ClassIdx, Content, Dataset, Decision, Example, Problem, ReadOptions, Target, Task};
use evaluate::Calibration;
use linalg::{Matrix, Seed, random};
use tune::{TuneConfig, TuneError};

use crate::assess::argmax;
use crate::journey::Lesson;
use crate::report::Sentence;
use crate::{Event, Home, PipelineError, Run, Step, audit, features};

/// Of more examples that nobody voted on, so many are drawn and looked at.
const MOST_UNVOTED: usize = 2_000;

/// The examples that were voted on, and perhaps more.
pub(crate) struct Shown<'a> {
    pub(crate) examples: &'a Path,
    pub(crate) base: Option<&'a str>,
    /// Whether it is asked what to ask next: only then examples that nobody voted on are looked at.
    pub(crate) asks: bool,
    pub(crate) seed: Seed,
}

/// What came of asking a model.
pub(crate) struct Voting {
    /// What it says; `None` where nothing could be learned.
    pub(crate) opinion: Option<Opinion>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) cautions: Vec<Sentence>,
}

/// What the model says.
pub(crate) struct Opinion {
    /// `[items, k]`: out-of-fold probabilities; those of an item that it says nothing about are the classes' shares.
    pub(crate) probs: Matrix<f64>,
    /// `[items]`: whether it says anything.
    pub(crate) says: Vec<bool>,
    /// Ids of examples that nobody voted on.
    pub(crate) unvoted: Vec<String>,
    /// `[unvoted, k]`.
    pub(crate) of_unvoted: Matrix<f64>,
}

/// Finds the examples of the items, teaches a model by what most voted, and asks it.
pub(crate) fn ask(
    home: &Home,
    shown: &Shown<'_>,
    items: &[String],
    votes: &Votes,
    run: &Run<'_>,
) -> Result<Voting, PipelineError> {
    let (examples, mut problems) = run.step(Step::Read, || {
        Ok(dataset::read_unlabelled(&[shown.examples.to_owned()], &ReadOptions::default())?)
    })?;
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    let places = places(items, &examples);
    let shares = vote_shares(votes)?;
    let data = taught(shown, examples, &places, &shares);
    if data.examples.iter().all(|example| example.target == Target::Unlabelled) {
        return Err(PipelineError::NoItems { path: shown.examples.to_owned() });
    }
    let base = home.base_for(shown.base, &data, run)?;
    let table = features::table(home, &base, data, run)?;
    problems.extend(table.problems.iter().cloned());
    let is_voted = |row: &usize| table.data.examples[*row].target != Target::Unlabelled;
    let (voted, unvoted): (Vec<usize>, Vec<usize>) = (0..table.data.examples.len()).partition(is_voted);
    let lessons = table.only(&voted);
    let lesson = Lesson::new(&lessons, &audit::relations(&lessons, run)?);
    let config = TuneConfig::default().check().expect("the defaults are in range");
    let tuned =
        run.step(Step::Tune, || match tune::tune(lesson.input(), &config, shown.seed, run.cancel_flag()) {
            Err(TuneError::Cancelled) => Err(PipelineError::Cancelled),
            Err(TuneError::OneClass { .. }) => Ok(None),
            tuned => Ok(Some(tuned?).filter(|tuned| !tuned.validated.is_empty())),
        })?;
    let Some(tuned) = tuned else {
        return Ok(Voting { opinion: None, problems, cautions: vec![unlearned()] });
    };
    let labels: Vec<u32> = tuned.validated.iter().map(|row| lesson.single_labels()[*row]).collect();
    let outputs = tuned.oof_outputs.select_rows(&tuned.validated);
    let calibration = Calibration::temperature(outputs.view(), &labels);
    let mut said: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (row, outputs) in tuned.validated.iter().zip(outputs.iter_rows()) {
        let id = &lessons.data.examples[lesson.rows[*row]].id.0;
        places[id].iter().for_each(|item| drop(said.insert(*item, calibration.probs(outputs))));
    }
    let silent = items.len() - said.len();
    let cautions = if silent > 0 { vec![unsaid(silent, items.len())] } else { Vec::new() };
    let prior = mean_row(&shares);
    let row = |item: usize| said.get(&item).unwrap_or(&prior).clone();
    let of_unvoted = unvoted.iter().map(|row| calibration.probs(&table.logits(&tuned.head, *row)));
    let opinion = Opinion {
        probs: Matrix::from_rows(&(0..items.len()).map(row).collect::<Vec<_>>()),
        says: (0..items.len()).map(|item| said.contains_key(&item)).collect(),
        of_unvoted: Matrix::from_rows(&of_unvoted.collect::<Vec<_>>()),
        unvoted: unvoted.iter().map(|row| table.data.examples[*row].id.0.clone()).collect(),
    };
    Ok(Voting { opinion: Some(opinion), problems, cautions })
}

fn unlearned() -> Sentence {
    Sentence {
        en: "No model votes: the examples found are of one class, or too few to hold any out.".to_owned(),
        zh: "没有模型投票：找到的样本只有一类，或太少而无法留出。".to_owned(),
    }
}

fn unsaid(silent: usize, n: usize) -> Sentence {
    Sentence {
        en: format!(
            "The model says nothing about {silent} of {n} items: no example, or several, are called so, or it could not be read or held out."
        ),
        zh: format!(
            "模型对 {n} 个题目中的 {silent} 个不表态：没有或有多个同名样本，或样本无法读取、无法留出。"
        ),
    }
}

/// The items of each example, by the example's id. An item is called as an example's id; else as its file, with the path or without,
/// with the ending or without; else as its text. A name of several examples names none.
fn places(items: &[String], examples: &[Example]) -> BTreeMap<String, Vec<usize>> {
    let tiers: Vec<BTreeMap<String, Option<&Example>>> =
        TIERS.iter().map(|name| called(examples, name)).collect();
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, item) in items.iter().enumerate() {
        if let Some(Some(example)) = tiers.iter().find_map(|tier| tier.get(item)) {
            places.entry(example.id.0.clone()).or_default().push(place);
        }
    }
    places
}

/// What an example may be called, the surest name first.
const TIERS: [fn(&Example) -> Option<String>; 5] = [
    |example| Some(example.id.0.clone()),
    |example| Some(example.content.file()?.to_string_lossy().into_owned()),
    |example| Some(example.content.file()?.file_name()?.to_string_lossy().into_owned()),
    |example| Some(example.content.file()?.file_stem()?.to_string_lossy().into_owned()),
    |example| if let Content::Text(text) = &example.content { Some(text.clone()) } else { None },
];

fn called<'e>(
    examples: &'e [Example],
    name: &fn(&Example) -> Option<String>,
) -> BTreeMap<String, Option<&'e Example>> {
    let mut called = BTreeMap::new();
    for example in examples {
        if let Some(name) = name(example) {
            called.entry(name).and_modify(|found| *found = None).or_insert(Some(example));
        }
    }
    called
}

/// The examples of items, labelled by the first of the classes that most chose, and some that nobody voted on.
fn taught(
    shown: &Shown<'_>,
    examples: Vec<Example>,
    places: &BTreeMap<String, Vec<usize>>,
    shares: &Matrix<f64>,
) -> Dataset {
    let (voted, mut unvoted): (Vec<Example>, Vec<Example>) =
        examples.into_iter().partition(|example| places.contains_key(&example.id.0));
    random::shuffle(&mut unvoted, &mut shown.seed.derive("unvoted").rng());
    unvoted.truncate(if shown.asks { MOST_UNVOTED } else { 0 });
    let mut examples: Vec<Example> = voted.into_iter().chain(unvoted).collect();
    for example in &mut examples {
        let most = places.get(&example.id.0).map(|places| argmax(shares.row(places[0])));
        example.target = most.map_or(Target::Unlabelled, |most| Target::Class(ClassIdx(most)));
        // All help to judge all: nothing is kept for a test.
        (example.part, example.votes) = (None, Vec::new());
    }
    let root = shown.examples;
    let modality = examples.first().map_or(dataset::Modality::Text, |example| example.content.modality());
    examples.retain(|example| example.content.modality() == modality);
    let decision = Decision {
        layout: "votes".to_owned(),
        content: "files".to_owned(),
        label: Some("votes".to_owned()),
        task: "single-label".to_owned(),
        why: "most voted so".to_owned(),
    };
    let classes = (0..shares.cols()).map(|class| class.to_string()).collect();
    let name = root.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Dataset {
        name,
        root: root.to_owned(),
        task: Task::SingleLabel { classes },
        decision,
        modality,
        senses: Vec::new(),
        examples,
    }
}

fn mean_row(matrix: &Matrix<f64>) -> Vec<f64> {
    let n = matrix.rows().max(1) as f64;
    (0..matrix.cols()).map(|column| matrix.iter_rows().map(|row| row[column]).sum::<f64>() / n).collect()
}
