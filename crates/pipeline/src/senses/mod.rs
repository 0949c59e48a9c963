//! From a table of examples with several senses to one bundle: a head for each sense, and what makes one answer of them.

mod blank;
mod each;
mod joining;
pub(crate) mod predicting;
pub(crate) mod whole;
mod worth;

use bundle::{
    BaseReference, Evaluation, Manifest, Predictor, SensePart, SenseReference, SensesBundle, SensesPredictor,
};
use dataset::split::parts;
use dataset::{Dataset, Modality, Problem, ProblemKind, Task};
use linalg::{Matrix, Seed};
use tune::fuse::{Choice, FuseInput, Kind, Subset, choose};
use tune::{TuneConfig, TuneError};

pub use predicting::{evaluate_senses, predict_senses};

use crate::assess::{self, Assessment, Record};
use crate::held_out::HeldOut;
use crate::journey::{self, Lesson, TuneRequest, Tuning};
use crate::report::Sentence;
use crate::report_data::{self, Made};
use crate::{Event, Home, PipelineError, Run, Step};
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
    let (senses, of_senses) = whole::senses(home, named, &data, run)?;
    problems.extend(of_senses);
    let relations = whole::relations(&data, &senses, run)?;
    let whole = whole::table(data, &senses);
    let lesson = Lesson::new(&whole, &relations);
    lesson.check()?;
    let seed = Seed(request.seed);
    let (senses, taught, left_out) =
        run.step(Step::Tune, || teach(senses, &relations.groups.numbers(), request, run))?;
    problems.extend(left_out);
    let joined = Joined::new(&lesson, whole.data.examples.len(), &senses, &taught);
    let said = joined.senses();
    let input = joined.input(&said);
    let choice = run.step(Step::Tune, || choice(&joined, &input, &lesson, seed, run))?;
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
        Ok::<_, PipelineError>((assessment, worth.table(&input, seed, run)?))
    })?;
    let manifest = manifest(request, &whole.data, &lesson, &senses);
    let why = why(&choice);
    let mut bundle = bundle_of(manifest, &senses, &taught, &choice, &assessment, &why)?;
    let held_out = on_test_part(&bundle, &whole.data, &senses)?;
    bundle.evaluation.measured = journey::measured(&assessment, held_out.as_ref());
    run.step(Step::Write, || {
        let made = Made {
            validated: &record.validated,
            candidates: candidates(&choice),
            why,
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
            trade_off: assessment.trade_off.clone(),
            promises: assessment.promises.clone(),
            held_out: journey::answers(&whole, &lesson, &record, &assessment),
            dataset: whole.data.clone(),
            problems,
            report,
        })
    })
}

/// A base that is named has to be one that some sense takes.
fn check_base(home: &Home, named: Option<&str>, data: &Dataset) -> Result<(), PipelineError> {
    let Some(id) = named else { return Ok(()) };
    let among: Vec<Modality> = data.senses.iter().map(|sense| sense.modality).collect();
    home.expect_takes(id, &among)
}

/// What fusion gives, where being stopped is no error of the data.
pub(crate) fn stoppable<T>(found: Result<T, TuneError>) -> Result<T, PipelineError> {
    match found {
        Err(TuneError::Cancelled) => Err(PipelineError::Cancelled),
        found => Ok(found?),
    }
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

/// Senses with what they learned, and what is to be said of those that are left out.
type Learned = (Vec<OneSense>, Vec<Taught>, Vec<Problem>);

/// A head for each sense; one that nothing can be learned from is left out.
fn teach(
    senses: Vec<OneSense>,
    groups: &[u32],
    request: &TuneRequest,
    run: &Run<'_>,
) -> Result<Learned, PipelineError> {
    let config = TuneConfig {
        max_words: if request.words { TuneConfig::default().max_words } else { 0 },
        ..TuneConfig::default()
    };
    let config = config.check().expect("the defaults are in range");
    let seed = Seed(request.seed);
    let (mut kept, mut problems, mut first) = (Vec::new(), Vec::new(), None);
    for sense in senses {
        match sense.teach(groups, &config, seed, run) {
            Ok(taught) => kept.push((sense, taught)),
            Err(PipelineError::Sense { sense: name, source }) => {
                let kind = ProblemKind::SenseNotLearned { sense: name, detail: source.to_string() };
                problems.push(Problem::in_file(kind, &sense.table.data.root));
                first.get_or_insert(*source);
            }
            Err(error) => return Err(error),
        }
    }
    // A sense that is never held out cannot be weighed against others.
    let can_be_held_out = |(_, taught): &(OneSense, Taught)| !taught.tuned.validated.is_empty();
    if kept.iter().any(can_be_held_out) {
        let (weighed, others): (Vec<_>, Vec<_>) = kept.into_iter().partition(can_be_held_out);
        let detail = "no class has two of its examples that do not belong together".to_owned();
        problems.extend(others.into_iter().map(|(sense, _)| {
            let kind =
                ProblemKind::SenseNotLearned { sense: sense.sense.name.clone(), detail: detail.clone() };
            Problem::in_file(kind, &sense.table.data.root)
        }));
        kept = weighed;
    }
    problems.iter().for_each(|problem| run.tell(Event::Problem(problem.clone())));
    let (senses, taught): (Vec<OneSense>, Vec<Taught>) = kept.into_iter().unzip();
    match first {
        Some(error) if senses.is_empty() => Err(error),
        _ => Ok((senses, taught, problems)),
    }
}

/// The logarithms of the class shares, `[k]`.
fn log_prior(lesson: &Lesson) -> Vec<f64> {
    let mut counts = vec![1.0; lesson.classes.len()];
    lesson.single_labels().iter().for_each(|label| counts[*label as usize] += 1.0);
    let total: f64 = counts.iter().sum();
    counts.into_iter().map(|count: f64| (count / total).ln()).collect()
}

/// The way of joining, compared with others where there are examples to compare on.
fn choice(
    joined: &Joined,
    input: &FuseInput<'_>,
    lesson: &Lesson,
    seed: Seed,
    run: &Run<'_>,
) -> Result<Choice, PipelineError> {
    if joined.can_compare() {
        stoppable(choose(input, seed, run.cancel_flag()))
    } else {
        Ok(Choice::untested(input.senses.len(), log_prior(lesson)))
    }
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
    why: &Sentence,
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
            why: why.en.clone(),
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
        Kind::Gated => {
            ("log-linear pool of the senses, gated by what each shows", "各感官对数线性合并，权重随内容变化")
        }
    };
    Sentence { en: en.to_owned(), zh: zh.to_owned() }
}

fn candidates(choice: &Choice) -> Vec<(Sentence, f64, bool)> {
    choice.tried.iter().map(|tried| (name(tried.kind), tried.loss, tried.kind == choice.kind)).collect()
}

/// Why this way of joining was chosen.
fn why(choice: &Choice) -> Sentence {
    if choice.tried.is_empty() {
        return Sentence {
            en: "there are too few examples to compare ways of joining the senses: the first that is there answers".to_owned(),
            zh: "样本太少，无法比较各种合并方式：由排在最前的现有感官作答".to_owned(),
        };
    }
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
    match &choice.without_joint {
        Some(TuneError::ManyColumns { .. }) => {
            en.push_str("; the joint model was not tried, there are too many features for it");
            zh.push_str("；特征太多，未试联合模型");
        }
        Some(reason) => {
            en.push_str(&format!("; there is no joint model: {reason}"));
            zh.push_str("；无法建立联合模型：有的类别缺少某种感官");
        }
        None => {}
    }
    Sentence { en, zh }
}
