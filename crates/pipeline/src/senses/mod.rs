//! From a table of examples with several senses to one bundle: a head for each sense, and what makes one answer of them.

mod blank;
mod each;
mod joining;
mod predicting;
pub(crate) mod whole;
mod worth;

use bundle::{
    BaseReference, Evaluation, Manifest, Predictor, SensePart, SenseReference, SensesBundle, SensesPredictor,
};
use dataset::split::parts;
use dataset::{Dataset, Problem, Task};
use linalg::{Matrix, Seed};
use tune::fuse::{Choice, Kind, Subset, choose};
use tune::{TuneConfig, TuneError};

pub use predicting::{evaluate_senses, predict_senses};

use crate::assess::{self, Assessment, Record};
use crate::held_out::HeldOut;
use crate::journey::{self, Lesson, TuneRequest, Tuning};
use crate::report::Sentence;
use crate::report_data::{self, Made};
use crate::{Home, PipelineError, Run, Step};
pub(crate) use each::OneSense;
use each::Taught;
use joining::Joined;
use worth::Worth;

/// Runs the journey for examples of several senses, and writes the bundle and the report.
pub(crate) fn tune(
    home: &Home,
    request: &TuneRequest,
    data: Dataset,
    mut problems: Vec<Problem>,
    run: &Run<'_>,
) -> Result<Tuning, PipelineError> {
    check(&data)?;
    let named = request.base.as_deref();
    let each = data.senses.iter().map(|sense| OneSense::new(home, named, &data, sense, run));
    let senses: Vec<OneSense> = each.collect::<Result<_, _>>()?;
    problems.extend(senses.iter().flat_map(|sense| sense.table.problems.iter().cloned()));
    let relations = whole::relations(&data, &senses, run)?;
    let whole = whole::table(data, &senses);
    let lesson = Lesson::new(&whole, &relations);
    lesson.check()?;
    let seed = Seed(request.seed);
    let taught = run.step(Step::Tune, || teach(&senses, &relations.groups.numbers(), request, run))?;
    let joined = Joined::new(&lesson, whole.data.examples.len(), &senses, &taught);
    let said = joined.senses();
    let input = joined.input(&said);
    let choice = run.step(Step::Tune, || Ok(choose(&input, seed)?))?;
    let record = record(&lesson, &joined, &choice);
    let (assessment, told) = run.step(Step::Evaluate, || {
        let assessment = assess::assess(&lesson, &record, request.target_error, seed)?;
        let worth = Worth {
            whole: &whole,
            lesson: &lesson,
            senses: &senses,
            taught: &taught,
            joined: &joined,
            choice: &choice,
        };
        Ok::<_, PipelineError>((assessment, worth.table(&input, seed)?))
    })?;
    let manifest = manifest(request, &whole.data, &lesson, &senses);
    let mut bundle = bundle_of(manifest, &senses, &taught, &choice, &assessment)?;
    let held_out = on_test_part(&bundle, &whole.data, &senses)?;
    bundle.evaluation.measured = journey::measured(&assessment, held_out.as_ref());
    run.step(Step::Write, || {
        let made = Made {
            validated: &record.validated,
            candidates: candidates(&choice),
            why: why(&choice, joined.has_features()),
            manifest: &bundle.manifest,
        };
        let held_out = held_out.as_ref();
        let mut report =
            report_data::report(&whole, &lesson, &relations, &made, &assessment, held_out, &problems)?;
        report.senses = Some(told);
        let identity = bundle.write(&request.out, request.form, &request.created)?;
        journey::write_report(request, &report)?;
        Ok(Tuning {
            evaluation: bundle.evaluation.clone(),
            identity,
            n_examples: lesson.rows.len(),
            dataset: whole.data.clone(),
            problems,
            report,
        })
    })
}

fn check(data: &Dataset) -> Result<(), PipelineError> {
    if !matches!(data.task, Task::SingleLabel { .. }) {
        return Err(PipelineError::SensesTask { got: data.decision.task.clone() });
    }
    let got = data.senses.len();
    if got > Subset::MOST {
        return Err(TuneError::ManySenses { got, most: Subset::MOST }.into());
    }
    Ok(())
}

/// A head for each sense.
fn teach(
    senses: &[OneSense],
    groups: &[u32],
    request: &TuneRequest,
    run: &Run<'_>,
) -> Result<Vec<Taught>, PipelineError> {
    let config = TuneConfig {
        max_words: if request.words { TuneConfig::default().max_words } else { 0 },
        ..TuneConfig::default()
    };
    let config = config.check().expect("the defaults are in range");
    let seed = Seed(request.seed);
    senses.iter().map(|sense| sense.teach(groups, &config, seed, run)).collect()
}

/// What the chosen model said out of fold, by the rows of the lesson.
fn record(lesson: &Lesson, joined: &Joined, choice: &Choice) -> Record {
    let mut outputs = Matrix::zeros(lesson.rows.len(), lesson.classes.len());
    for row in &choice.validated {
        outputs.row_mut(joined.rows[*row]).copy_from_slice(choice.log_probs.row(*row));
    }
    let of_tried = |what: fn(&tune::fuse::Tried) -> &Vec<f64>| {
        let rows = choice.validated.iter();
        let values = rows.flat_map(|row| choice.tried.iter().map(move |tried| what(tried)[*row])).collect();
        Matrix::from_vec(choice.validated.len(), choice.tried.len(), values)
    };
    Record {
        validated: choice.validated.iter().map(|row| joined.rows[*row]).collect(),
        outputs,
        losses: of_tried(|tried| &tried.losses),
        scores: of_tried(|tried| &tried.scores),
    }
}

fn manifest(request: &TuneRequest, data: &Dataset, lesson: &Lesson, senses: &[OneSense]) -> Manifest {
    let reference = |sense: &OneSense| SenseReference {
        name: sense.sense.name.clone(),
        base: BaseReference::of(&sense.base),
    };
    let references: Vec<SenseReference> = senses.iter().map(reference).collect();
    let first = references[0].base.clone();
    Manifest { senses: references, ..journey::manifest(request, data, lesson.rows.len(), first) }
}

fn bundle_of(
    manifest: Manifest,
    senses: &[OneSense],
    taught: &[Taught],
    choice: &Choice,
    assessment: &Assessment,
) -> Result<SensesBundle, PipelineError> {
    let part = |(sense, taught): (&OneSense, &Taught)| {
        Ok(SensePart {
            head: taught.tuned.head.clone(),
            familiar: taught.familiar.clone(),
            golden: Predictor::record_golden(&taught.tuned.head, &sense.base)?,
        })
    };
    Ok(SensesBundle {
        manifest,
        parts: senses.iter().zip(taught).map(part).collect::<Result<_, PipelineError>>()?,
        fused: choice.fused.clone(),
        decision: assessment.decision(),
        evaluation: Evaluation {
            measured: Vec::new(),
            recall: assessment.recall.clone(),
            recipe: name(choice.kind).en,
            why: why(choice, true).en,
        },
    })
}

/// Measures on the test part that the data set declares; `None` when it declares none.
fn on_test_part(
    bundle: &SensesBundle,
    data: &Dataset,
    senses: &[OneSense],
) -> Result<Option<HeldOut>, PipelineError> {
    let (_, test) = parts(data);
    if test.is_empty() {
        return Ok(None);
    }
    let bases = senses.iter().map(|sense| sense.base.clone()).collect();
    let predictor = SensesPredictor::new(bundle.clone(), bases)?;
    predicting::measure(&predictor, data, test.rows(), senses).map(Some)
}

fn name(kind: Kind) -> Sentence {
    let (en, zh) = match kind {
        Kind::Single => ("the best sense that is there", "只用现有的最佳感官"),
        Kind::Late => ("log-linear pool of the senses", "各感官对数线性合并"),
        Kind::Joint => ("joint Gaussian model of the senses", "各感官联合高斯模型"),
    };
    Sentence { en: en.to_owned(), zh: zh.to_owned() }
}

fn candidates(choice: &Choice) -> Vec<(Sentence, f64, bool)> {
    choice.tried.iter().map(|tried| (name(tried.kind), tried.loss, tried.kind == choice.kind)).collect()
}

/// Why this way of joining was chosen.
fn why(choice: &Choice, could_be_joint: bool) -> Sentence {
    let chosen = choice.tried.iter().find(|tried| tried.kind == choice.kind);
    let loss = chosen.map_or(f64::NAN, |tried| tried.loss);
    let (n, tried) = (choice.validated.len(), choice.tried.len());
    let name = name(choice.kind);
    let mut en = format!(
        "{} has out-of-fold log-loss {loss:.4} on {n} held-out rows; of {tried} ways tried no more complex one was better by more than one standard error",
        name.en
    );
    let mut zh = format!(
        "{}：在 {n} 个留出样本上折外损失为 {loss:.4}；共试 {tried} 种方式，更复杂的都没有好出一个标准误",
        name.zh
    );
    if !could_be_joint {
        en.push_str("; the joint model was not tried, there are too many features for it");
        zh.push_str("；特征太多，未试联合模型");
    }
    Sentence { en, zh }
}
