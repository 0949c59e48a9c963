//! From pairs to one space: what belongs together across two senses, and which pairs look wrong.

mod page;
mod searching;

use std::path::PathBuf;

use bundle::{
    BaseReference, DataReference, End, Evaluation, Form, JointBundle, JointPredictor, Manifest, Measured,
    SenseReference, TaskReference,
};
use dataset::{Dataset, Problem};
use evaluate::Estimate;
use linalg::{Matrix, Seed};
use tune::align::{Aligned, Method, Spaces};

pub use searching::{Hit, Named, Query, name_by_words, search};

use crate::report::{Card, CardContent, Sentence};
use crate::senses::{OneSense, whole};
use crate::{Event, Home, Lang, PipelineError, Run, Step, telling};

/// Wrong pairs shown.
const SHOWN: usize = 24;

/// What to align, and where to put it.
#[derive(Debug, Clone)]
pub struct AlignRequest {
    /// A table of pairs.
    pub data: PathBuf,
    /// Columns of the left and the right side; absent: the first two that hold any.
    pub ends: [Option<String>; 2],
    /// Column whose equal values stay together in every split.
    pub group: Option<String>,
    /// Catalogue ids of the bases; absent: the default for the kind.
    pub bases: [Option<String>; 2],
    /// Where the bundle goes.
    pub out: PathBuf,
    /// One file or a folder.
    pub form: Form,
    /// Where the report goes.
    pub report: PathBuf,
    /// The report's language.
    pub lang: Lang,
    /// Seed of everything random.
    pub seed: u64,
    /// RFC 3339 time that is written beside the bundle's hashes, not into them.
    pub created: String,
}

/// What came of it.
#[derive(Debug)]
pub struct Aligning {
    /// The bundle's identity.
    pub identity: store::Hash,
    /// What was decided about the data.
    pub decision: Sentence,
    /// Name of the data set.
    pub name: String,
    /// Names of the two sides.
    pub ends: [String; 2],
    /// Pairs that were learned from.
    pub n_pairs: usize,
    /// Each way of aligning: its name, how often the partner is among the ten best, the mean reciprocal rank, whether it was chosen.
    pub tried: Vec<(Sentence, f64, f64, bool)>,
    /// The same by chance: share among the ten best, mean reciprocal rank.
    pub chance: (f64, f64),
    /// Share among the ten best of the chosen way, with its interval.
    pub found: Estimate,
    /// Pairs that are more likely wrong than right, the worst first: id and score (0 wrong, 1 right).
    pub wrong: Vec<(String, f64)>,
    /// The same as they are shown.
    pub wrong_cards: Vec<Card>,
    /// Estimated share of wrong pairs.
    pub wrong_share: f64,
    /// Everything that was left out or set right.
    pub problems: Vec<Problem>,
}

/// Pairs with the features of both sides.
struct Pairs {
    data: Dataset,
    ends: [OneSense; 2],
    /// The example of each pair, and its row in the table of either side.
    rows: Vec<(usize, [usize; 2])>,
}

/// Aligns the two sides of a table of pairs, and writes the bundle and the report.
pub fn align(home: &Home, request: &AlignRequest, run: &Run<'_>) -> Result<Aligning, PipelineError> {
    let names = [0, 1].map(|end: usize| request.ends[end].as_deref());
    let (data, mut problems) =
        run.step(Step::Read, || Ok(dataset::read_pairs(&request.data, names, request.group.clone())?))?;
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    let pairs = Pairs::new(home, request, data, run)?;
    problems.extend(pairs.ends.iter().flat_map(|end| end.table.problems.iter().cloned()));
    let groups = pairs.groups(run)?;
    let [left, right] = [0, 1].map(|end| pairs.matrix(end));
    let aligned = run.step(Step::Tune, || {
        let (left, right, spaces) = (&left, &right, pairs.spaces());
        let given = tune::align::Pairs { left, right, groups: &groups, spaces };
        match tune::align::align(given, Seed(request.seed), run.cancel_flag()) {
            Err(tune::TuneError::Cancelled) => Err(PipelineError::Cancelled),
            aligned => Ok(aligned?),
        }
    })?;
    let found = found(&aligned, Seed(request.seed));
    run.step(Step::Write, || {
        let mut bundle = bundle_of(request, &pairs, &aligned, found)?;
        let identity = bundle.write(&request.out, request.form, &request.created)?;
        let aligning = told(&pairs, &aligned, identity, found, problems);
        let page = page::render(&aligning, request.lang);
        store::write_atomic(&request.report, |out| out.write_all(page.as_bytes()))?;
        Ok(aligning)
    })
}

impl Pairs {
    fn new(home: &Home, request: &AlignRequest, data: Dataset, run: &Run<'_>) -> Result<Self, PipelineError> {
        let end = |end: usize| {
            let (sense, named) = (&data.senses[end], request.bases[end].as_deref());
            if let Some(id) = named {
                home.expect_takes(id, &[sense.modality])?;
            }
            OneSense::new(home, named, &data, sense, run)
        };
        let ends = [end(0)?, end(1)?];
        let n = data.examples.len();
        let [left, right] = [0, 1].map(|end: usize| ends[end].rows(n));
        let both = |example: usize| Some((example, [left[example]?, right[example]?]));
        let rows = (0..n).filter_map(both).collect();
        Ok(Self { data, ends, rows })
    }

    /// Two towers of one base are in one space before anything is learned.
    fn spaces(&self) -> Spaces {
        let [left, right] = [0, 1].map(|end: usize| self.ends[end].base.space());
        if left.is_some() && left == right { Spaces::One } else { Spaces::Two }
    }

    /// The group of each pair.
    fn groups(&self, run: &Run<'_>) -> Result<Vec<u32>, PipelineError> {
        let all = whole::relations(&self.data, &self.ends, run)?.groups.numbers();
        Ok(self.rows.iter().map(|(example, _)| all[*example]).collect())
    }

    /// What of one side is aligned, `[pairs, d]`.
    fn matrix(&self, end: usize) -> Matrix {
        let of = |(_, rows): &(usize, [usize; 2])| {
            let (features, _) = self.ends[end].features(rows[end]);
            JointPredictor::looked_at(&self.ends[end].base, &features)
        };
        Matrix::from_rows(&self.rows.iter().map(of).collect::<Vec<_>>())
    }
}

/// How often the chosen way finds the partner among the ten best of pairs held out.
fn found(aligned: &Aligned, seed: Seed) -> Estimate {
    let chosen = aligned.tried.iter().find(|tried| tried.method == aligned.method);
    evaluate::metrics::mean(&chosen.expect("the chosen way was tried").found_each, seed)
}

/// What a person is told.
fn told(
    pairs: &Pairs,
    aligned: &Aligned,
    identity: store::Hash,
    found: Estimate,
    problems: Vec<Problem>,
) -> Aligning {
    let wrong = aligned.wrong_pairs.as_ref();
    let suspicious: Vec<usize> = wrong.map_or_else(Vec::new, |wrong| wrong.suspicious.clone());
    let example = |pair: usize| &pairs.data.examples[pairs.rows[pair].0];
    let card = |pair: &usize| Card {
        id: example(*pair).id.0.clone(),
        given: String::new(),
        labelled_by: String::new(),
        content: CardContent::of(&example(*pair).content),
    };
    Aligning {
        identity,
        decision: telling::decision(&pairs.data),
        name: pairs.data.name.clone(),
        ends: [0, 1].map(|end: usize| pairs.ends[end].sense.name.clone()),
        n_pairs: pairs.rows.len(),
        tried: aligned
            .tried
            .iter()
            .map(|tried| {
                (name(tried.method), tried.found, tried.reciprocal_rank, tried.method == aligned.method)
            })
            .collect(),
        chance: (aligned.chance.1, aligned.chance.0),
        found,
        wrong: suspicious
            .iter()
            .map(|pair| (example(*pair).id.0.clone(), wrong.map_or(0.0, |wrong| wrong.scores[*pair])))
            .collect(),
        wrong_cards: suspicious.iter().take(SHOWN).map(card).collect(),
        wrong_share: wrong.map_or(0.0, |wrong| wrong.share),
        problems,
    }
}

fn bundle_of(
    request: &AlignRequest,
    pairs: &Pairs,
    aligned: &Aligned,
    found: Estimate,
) -> Result<JointBundle, PipelineError> {
    let n_pairs = pairs.rows.len();
    let alignment = aligned.alignment.clone().ok_or(PipelineError::NothingShared { n_pairs })?;
    let sense =
        |end: &OneSense| SenseReference { name: end.sense.name.clone(), base: BaseReference::of(&end.base) };
    let senses: Vec<SenseReference> = pairs.ends.iter().map(sense).collect();
    let golden = |end: End| JointPredictor::record_golden(&alignment, end, &pairs.ends[end as usize].base);
    let data = DataReference { fingerprint: pairs.data.fingerprint().to_string(), n_examples: n_pairs };
    Ok(JointBundle {
        golden: [golden(End::Left)?, golden(End::Right)?],
        manifest: Manifest {
            senses: senses.clone(),
            ..Manifest::new(
                &pairs.data.name,
                request.seed,
                TaskReference::Pairs,
                data,
                senses[0].base.clone(),
            )
        },
        evaluation: Evaluation {
            measured: vec![Measured {
                metric: "recall-at-10".to_owned(),
                on: "out-of-fold".to_owned(),
                estimate: found,
            }],
            recall: Vec::new(),
            recipe: name(aligned.method).en,
            why: "of the ways that learn the one with the best reciprocal rank of pairs held out; a joint base as it is unless that is better by a standard error".to_owned(),
        },
        alignment,
    })
}

fn name(method: Method) -> Sentence {
    let (en, zh) = match method {
        Method::AsItIs => ("the base's own space, as it is", "底座自身的共同空间，不作调整"),
        Method::Procrustes => {
            ("principal axes turned onto each other (Procrustes)", "主轴旋转对齐（Procrustes）")
        }
        Method::Cca => ("ridge canonical correlations (CCA)", "岭典型相关（CCA）"),
        Method::Projectors => ("learned projectors (InfoNCE)", "学习得到的线性投影（InfoNCE）"),
    };
    Sentence { en: en.to_owned(), zh: zh.to_owned() }
}
