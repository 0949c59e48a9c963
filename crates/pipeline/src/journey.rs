//! From a folder or table to a bundle and a report.

use std::path::PathBuf;
use std::sync::Arc;

use base::Base;
use bundle::{
    BaseReference, Bundle, DataReference, Evaluation, Form, Manifest, Measured, Predictor, TaskReference,
};
use dataset::split::parts;
use dataset::{ClassIdx, Dataset, ExampleId, Modality, Problem, Target, Task};
use evaluate::{LearningCurve, RejectRule, TradeOff};
use linalg::Seed;
use tune::{FeatureSet, Targets, TuneConfig, TuneError, TuneInput, Tuned};

use crate::assess::{self, Assessment, Record};
use crate::audit::{self, Relations};
use crate::features::{self, Table};
use crate::held_out::{self, HeldOut};
use crate::pieces::usual_piece;
use crate::report_data::{self, Made};
use crate::{Event, Home, Lang, PipelineError, Run, Source, Step, report, senses, telling};

/// What to make a model of, and where to put it.
#[derive(Debug, Clone)]
pub struct TuneRequest {
    /// The labelled examples.
    pub source: Source,
    /// Catalogue id of the base; absent: the default for the kind of data.
    pub base: Option<String>,
    /// Where the bundle goes.
    pub out: PathBuf,
    /// One file or a folder.
    pub form: Form,
    /// Where the report goes.
    pub report: PathBuf,
    /// The report's language.
    pub lang: Lang,
    /// At most this share of the answers given may be wrong, with 95 % confidence. In (0, 1).
    pub target_error: f64,
    /// Whether counted words may join a text base's vector; a head with them cannot be exported to ONNX.
    pub words: bool,
    /// Seed of everything random.
    pub seed: u64,
    /// RFC 3339 time that is written beside the bundle's hashes, not into them.
    pub created: String,
}

/// What came of it.
#[derive(Debug)]
pub struct Tuning {
    /// What was measured, as written into the bundle.
    pub evaluation: Evaluation,
    /// The bundle's identity.
    pub identity: store::Hash,
    /// What was decided about the data.
    pub dataset: Dataset,
    /// Everything that was left out or set right.
    pub problems: Vec<Problem>,
    /// What the report shows.
    pub report: report::Report,
    /// How many examples taught.
    pub n_examples: usize,
    /// What saying "I don't know" costs and brings, out of fold; empty unless each example has one class.
    pub trade_off: Vec<TradeOff>,
    /// What could be promised about the share of wrong answers, the strictest first; each holds with 95 % confidence.
    pub promises: Vec<RejectRule>,
    /// What was said of each example by a model that had not seen it.
    pub held_out: Vec<HeldOutAnswer>,
}

/// An example, its label and the one that a model predicted that had not seen it.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOutAnswer {
    /// The example.
    pub example: ExampleId,
    /// As it is labelled.
    pub given: Target,
    /// As it is predicted.
    pub predicted: Target,
}

/// Runs the whole journey and writes the bundle and the report.
pub fn tune(home: &Home, request: &TuneRequest, run: &Run<'_>) -> Result<Tuning, PipelineError> {
    let (data, mut problems) = run.step(Step::Read, || Ok(request.source.read()?))?;
    problems.iter().for_each(|problem| run.tell(Event::Problem(problem.clone())));
    check_labels(&data)?;
    if data.modality == Modality::Senses {
        return senses::tune(home, request, data, problems, run);
    }
    let base = home.base_for(request.base.as_deref(), &data, run)?;
    let table = features::table(home, &base, data, run)?;
    problems.extend(table.problems.iter().cloned());
    let relations = audit::relations(&table, run)?;
    let lesson = Lesson::new(&table, &relations);
    lesson.check()?;
    let seed = Seed(request.seed);
    let config = TuneConfig {
        max_words: if request.words { TuneConfig::default().max_words } else { 0 },
        ..TuneConfig::default()
    };
    let config = config.check().expect("the defaults are in range");
    let tuned =
        run.step(Step::Tune, || match tune::tune(lesson.input(), &config, seed, run.cancel_flag()) {
            Err(TuneError::Cancelled) => Err(PipelineError::Cancelled),
            tuned => Ok(tuned?),
        })?;
    let assessment = run.step(Step::Evaluate, || assessed(&lesson, &tuned, request))?;
    let held_out = held_out::on_test_part(&table, &tuned, &assessment);
    run.step(Step::Write, || {
        let mut bundle = bundle_of(request, &table, &lesson, &base, &tuned, &assessment, held_out.as_ref())?;
        let made = Made {
            validated: &tuned.validated,
            candidates: telling::candidates(&tuned),
            why: telling::why(&tuned),
            manifest: &bundle.manifest,
        };
        let report = report_data::report(
            &table,
            &lesson,
            &relations,
            &made,
            &assessment,
            held_out.as_ref(),
            &problems,
        )?;
        let identity = bundle.write(&request.out, request.form, &request.created)?;
        write_report(request, &report)?;
        Ok(Tuning {
            evaluation: bundle.evaluation,
            identity,
            n_examples: lesson.rows.len(),
            trade_off: assessment.trade_off.clone(),
            promises: assessment.promises.clone(),
            held_out: answers(&table, &lesson, &Record::from(&tuned), &assessment),
            dataset: table.data.clone(),
            problems,
            report,
        })
    })
}

/// What the head is worth, what is familiar, and what more examples would bring.
fn assessed(lesson: &Lesson, tuned: &Tuned, request: &TuneRequest) -> Result<Assessment, PipelineError> {
    let seed = Seed(request.seed);
    let mut assessment = assess::assess(lesson, &Record::from(tuned), request.target_error, seed)?;
    assessment.familiar = assess::familiar(lesson, seed);
    assessment.curve = LearningCurve::fit(&assess::curve_draws(lesson, tuned, seed), seed);
    Ok(assessment)
}

/// What was said of the rows that some fold held out.
pub(crate) fn answers(
    table: &Table,
    lesson: &Lesson,
    record: &Record,
    assessment: &Assessment,
) -> Vec<HeldOutAnswer> {
    let answer = |(place, row): (usize, &usize)| {
        let example = &table.data.examples[lesson.rows[*row]];
        let predicted = match &lesson.labels {
            Labels::Single(_) => Target::Class(ClassIdx(assess::argmax(&assessment.probs[place]))),
            Labels::Multi(_) => {
                let classes = assess::predicted_labels(&assessment.probs[place]);
                Target::Classes(classes.into_iter().map(ClassIdx).collect())
            }
            Labels::Numbers(_) => Target::Number(record.outputs.row(*row)[0]),
        };
        HeldOutAnswer { example: example.id.clone(), given: example.target.clone(), predicted }
    };
    record.validated.iter().enumerate().map(answer).collect()
}

pub(crate) fn write_report(request: &TuneRequest, report: &report::Report) -> Result<(), PipelineError> {
    let page = report::render(report, request.lang);
    Ok(store::write_atomic(&request.report, |out| out.write_all(page.as_bytes()))?)
}

fn check_labels(data: &Dataset) -> Result<(), PipelineError> {
    let labelled = data.examples.iter().any(|example| example.target != Target::Unlabelled);
    if labelled { Ok(()) } else { Err(PipelineError::NoLabels { n_examples: data.examples.len() }) }
}

/// The rows that teach, with everything tuning wants to know about them.
#[derive(Debug)]
pub(crate) struct Lesson {
    /// Their places in the table.
    pub(crate) rows: Vec<usize>,
    pub(crate) features: Vec<FeatureSet>,
    pub(crate) texts: Option<Vec<String>>,
    pub(crate) groups: Vec<u32>,
    pub(crate) labels: Labels,
    pub(crate) classes: Vec<String>,
}

/// The targets of the rows that teach.
#[derive(Debug)]
pub(crate) enum Labels {
    Single(Vec<u32>),
    Multi(Vec<Vec<u32>>),
    Numbers(Vec<f64>),
}

impl Lesson {
    pub(crate) fn new(table: &Table, relations: &Relations) -> Self {
        let (train, _) = parts(&table.data);
        let rows = train.rows().to_vec();
        let (features, texts) = table.select(&rows);
        let all_groups = relations.groups.numbers();
        let groups = renumber(rows.iter().map(|row| all_groups[*row]));
        let targets: Vec<Target> = rows.iter().map(|row| table.data.examples[*row].target.clone()).collect();
        Self {
            rows,
            features,
            texts,
            groups,
            labels: Labels::of(&targets, &table.data.task),
            classes: table.data.classes().to_vec(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), PipelineError> {
        if let Labels::Single(labels) = &self.labels
            && let Some(first) = labels.first()
            && labels.iter().all(|label| label == first)
        {
            return Err(PipelineError::OneClass { class: self.classes[*first as usize].clone() });
        }
        Ok(())
    }

    /// The classes of single-label data; empty for other data.
    pub(crate) fn single_labels(&self) -> &[u32] {
        if let Labels::Single(labels) = &self.labels { labels } else { &[] }
    }

    pub(crate) fn input(&self) -> TuneInput<'_> {
        let n_classes = self.classes.len();
        let targets = match &self.labels {
            Labels::Single(labels) => Targets::Single { labels, n_classes },
            Labels::Multi(labels) => Targets::Multi { labels, n_classes },
            Labels::Numbers(values) => Targets::Numbers(values),
        };
        TuneInput { features: &self.features, texts: self.texts.as_deref(), targets, groups: &self.groups }
    }
}

impl Labels {
    pub(crate) fn of(targets: &[Target], task: &Task) -> Self {
        match task {
            Task::SingleLabel { .. } => Self::Single(audit::classes_of(targets)),
            Task::MultiLabel { .. } => Self::Multi(
                targets
                    .iter()
                    .map(|target| match target {
                        Target::Classes(classes) => classes.iter().map(|class| class.0).collect(),
                        _ => Vec::new(),
                    })
                    .collect(),
            ),
            Task::Regression { .. } => Self::Numbers(
                targets
                    .iter()
                    .map(|target| if let Target::Number(value) = target { *value } else { f64::NAN })
                    .collect(),
            ),
        }
    }
}

/// Numbers from 0 in order of first appearance.
fn renumber(groups: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut numbers = std::collections::HashMap::new();
    groups
        .map(|group| {
            let next = u32::try_from(numbers.len()).expect("fewer than 2^32 groups");
            *numbers.entry(group).or_insert(next)
        })
        .collect()
}

fn bundle_of(
    request: &TuneRequest,
    table: &Table,
    lesson: &Lesson,
    base: &Arc<Base>,
    tuned: &Tuned,
    assessment: &Assessment,
    held_out: Option<&HeldOut>,
) -> Result<Bundle, PipelineError> {
    Ok(Bundle {
        manifest: manifest(request, &table.data, lesson.rows.len(), BaseReference::of(base)),
        head: tuned.head.clone(),
        decision: assessment.decision(),
        familiar: assessment.familiar.clone(),
        evaluation: Evaluation {
            measured: measured(assessment, held_out),
            recall: assessment.recall.clone(),
            recipe: tuned.recipe.name(),
            why: tuned.why.clone(),
        },
        golden: Predictor::record_golden(&tuned.head, base)?,
    })
}

/// The front page of a bundle that is about to be written.
pub(crate) fn manifest(
    request: &TuneRequest,
    data: &Dataset,
    n_examples: usize,
    base: BaseReference,
) -> Manifest {
    let reference = DataReference { fingerprint: data.fingerprint().to_string(), n_examples };
    let manifest = Manifest::new(&data.name, request.seed, TaskReference::from(&data.task), reference, base);
    Manifest { piece_seconds: usual_piece(data), ..manifest }
}

/// Everything measured, out of fold and on the test part.
pub(crate) fn measured(assessment: &Assessment, held_out: Option<&HeldOut>) -> Vec<Measured> {
    let on = |on: &str, measures: &[report::Measure]| -> Vec<Measured> {
        let of = |measure: &report::Measure| Measured {
            metric: measure.metric.clone(),
            on: on.to_owned(),
            estimate: measure.estimate,
        };
        measures.iter().filter(|measure| measure.estimate.value.is_finite()).map(of).collect()
    };
    let mut all = on("out-of-fold", &assessment.measures);
    all.extend(held_out.map_or_else(Vec::new, |held_out| on("test", &held_out.measures)));
    all
}
