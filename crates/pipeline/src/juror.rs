//! A model as one more voter: it learns from the majority's answers, and says of each example what it thinks without having seen it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use curate::consensus::{Votes, vote_shares};
use dataset::{ClassIdx, Dataset, Decision, Example, Problem, ReadOptions, Target, Task};
use evaluate::Calibration;
use linalg::{Matrix, Seed};
use tune::{TuneConfig, TuneError};

use crate::assess::argmax;
use crate::journey::Lesson;
use crate::report::Sentence;
use crate::{Home, PipelineError, Run, Step, audit, features};

/// The examples that were voted on.
pub(crate) struct Shown<'a> {
    pub(crate) examples: &'a Path,
    pub(crate) base: Option<&'a str>,
    pub(crate) seed: Seed,
}

/// What the model says.
pub(crate) struct Voting {
    /// `[items, k]`: out-of-fold probabilities; those of an item without an example are the classes' shares. `None` where nothing
    /// could be learned.
    pub(crate) probs: Option<Matrix<f64>>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) cautions: Vec<Sentence>,
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
    let places = places(items, &examples);
    let missing = items.len() - places.len();
    let shares = vote_shares(votes)?;
    let data = taught(shown.examples, examples, &places, &shares);
    if data.examples.is_empty() {
        return Err(PipelineError::NoItems { path: shown.examples.to_owned() });
    }
    let id = shown.base.unwrap_or_else(|| Home::default_base(data.modality)).to_owned();
    let base = home.open_base(&id, run)?;
    let table = features::table(home, &base, data, run)?;
    problems.extend(table.problems.iter().cloned());
    let lesson = Lesson::new(&table, &audit::relations(&table, run)?);
    let config = TuneConfig::default().check().expect("the defaults are in range");
    let tuned =
        run.step(Step::Tune, || match tune::tune(lesson.input(), &config, shown.seed, run.cancel_flag()) {
            Err(TuneError::Cancelled) => Err(PipelineError::Cancelled),
            Err(TuneError::OneClass { .. }) => Ok(None),
            tuned => Ok(Some(tuned?)),
        })?;
    let mut cautions = Vec::new();
    if missing > 0 {
        let n = items.len();
        cautions.push(Sentence {
            en: format!(
                "{missing} of {n} items have no example of their name: the model says nothing about them."
            ),
            zh: format!("{n} 个题目中有 {missing} 个找不到同名的样本：模型对它们不表态。"),
        });
    }
    let Some(tuned) = tuned else { return Ok(Voting { probs: None, problems, cautions }) };
    let labels: Vec<u32> = tuned.validated.iter().map(|row| lesson.single_labels()[*row]).collect();
    let calibration =
        Calibration::temperature(tuned.oof_outputs.select_rows(&tuned.validated).view(), &labels);
    let mut probs = Matrix::from_rows(&vec![mean_row(&shares); items.len()]);
    for row in &tuned.validated {
        let example = &table.data.examples[lesson.rows[*row]];
        let item = places[&example.id.0];
        probs.row_mut(item).copy_from_slice(&calibration.probs(tuned.oof_outputs.row(*row)));
    }
    Ok(Voting { probs: Some(probs), problems, cautions })
}

/// The item of each example, by the example's id: an item is called as an example's id, its file, or its file without the ending.
fn places(items: &[String], examples: &[Example]) -> BTreeMap<String, usize> {
    let mut by_name: BTreeMap<String, Option<&Example>> = BTreeMap::new();
    for example in examples {
        for name in names(example) {
            // A name of several examples names none.
            by_name
                .entry(name)
                .and_modify(|found| *found = found.filter(|one| one.id == example.id))
                .or_insert(Some(example));
        }
    }
    let found = items.iter().enumerate().filter_map(|(place, item)| {
        let example = by_name.get(item).copied().flatten()?;
        Some((example.id.0.clone(), place))
    });
    found.collect()
}

fn names(example: &Example) -> Vec<String> {
    let file = example.content.file();
    let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let stem = file.and_then(Path::file_stem).map(|name| name.to_string_lossy().into_owned());
    let path = file.map(|path: &Path| path.to_string_lossy().into_owned());
    let text = match &example.content {
        dataset::Content::Text(text) => Some(text.clone()),
        _ => None,
    };
    [Some(example.id.0.clone()), name, stem, path, text].into_iter().flatten().collect()
}

/// The examples of items, labelled by the first of the classes that most chose.
fn taught(
    root: &Path,
    examples: Vec<Example>,
    places: &BTreeMap<String, usize>,
    shares: &Matrix<f64>,
) -> Dataset {
    let mut examples: Vec<Example> =
        examples.into_iter().filter(|example| places.contains_key(&example.id.0)).collect();
    for example in &mut examples {
        let most = argmax(shares.row(places[&example.id.0]));
        example.target = Target::Class(ClassIdx(u32::try_from(most).expect("classes are few")));
        // All help to judge all: nothing is kept for a test.
        (example.part, example.votes) = (None, Vec::new());
    }
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
    let root: PathBuf = root.to_owned();
    let name = root.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Dataset { name, root, task: Task::SingleLabel { classes }, decision, modality, examples }
}

fn mean_row(matrix: &Matrix<f64>) -> Vec<f64> {
    let n = matrix.rows().max(1) as f64;
    (0..matrix.cols()).map(|column| matrix.iter_rows().map(|row| row[column]).sum::<f64>() / n).collect()
}
