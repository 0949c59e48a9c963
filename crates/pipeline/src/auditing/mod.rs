//! `audit`: what looks wrong in a data set, as a table of all examples and as a list of things to do.

mod arrays;
mod attributes;
mod book;
mod checks;
mod evidence;
mod headline;
mod labels;
mod material;
mod media;
mod page;
mod pictures;
mod rulebook;
mod rules;
mod senses;
mod series;
mod shelved;
mod sounds;
#[cfg(test)]
mod tests;
mod tongues;
mod videos;
mod whole;
mod worklist;
mod worth;

use std::path::Path;

use curate::attributes::Attribute;
use curate::book::Draft;
use curate::faults::{Checked, Fault};
use dataset::{Dataset, Modality, Problem};
use linalg::Seed;
use serde::Serialize;

use crate::columns::{Columns, Values};
use crate::features::{self, Table};
use crate::report::{Card, CardContent, Sentence};
use crate::report_data::card;
use crate::{Event, Home, Lang, PipelineError, Reviewed, Run, Source, Step, telling};

use arrays::FromElsewhere;
pub use arrays::{ArrayError, ArraysRequest, GivenArrays};
pub(crate) use attributes::annotator;
pub use book::Rules;
pub use labels::{Confusion, Noise, View, ViewSays};
pub(crate) use material::label_text;
pub use rulebook::{Broken, Rulebook};
pub use shelved::{Against, BookState, StoredCase};
pub(crate) use shelved::{HeardOf, Shelved};
pub use worklist::{Action, Answer, AuditFinding, Neighbour, Offered, Pair};
pub use worth::{Advice, Gain, Metric};
pub(crate) use worth::{Asked, Done};

use labels::Labels;
use material::{Material, Nearness, Question};
use media::Media;
use whole::{OfSet, Told, Whole};
use worth::Worth;

/// The least gain that is not told as none, in [0, 1].
const SHOWS: f64 = 0.0005;
/// Digits of a fingerprint that are told.
const FINGERPRINT: usize = 16;

/// What to look through, and what not to look for.
#[derive(Debug, Clone)]
pub struct AuditRequest {
    /// What to look through.
    pub source: Source,
    /// Catalogue id of the base; absent: the default for the kind of data.
    pub base: Option<String>,
    /// What not to look for.
    pub skip: Vec<Fault>,
    /// A label book that labels are checked against.
    pub rules: Option<Rules>,
    /// Seed of everything random.
    pub seed: u64,
}

/// Everything that was found.
#[derive(Debug)]
pub struct Audit {
    /// Short name of the data.
    pub name: String,
    /// Catalogue id of the base; absent where features came from elsewhere.
    pub base: Option<String>,
    /// The base whose features cases hold; of several senses all of theirs, as a label book names them.
    looked_by: Option<String>,
    /// What the data were taken for.
    pub decision: Sentence,
    /// `[n]`, as all lists below.
    ids: Vec<String>,
    given: Vec<Option<String>>,
    suggested: Vec<Option<String>>,
    duplicate_groups: Vec<Option<i64>>,
    /// Every check that was made, the most harmful fault first, with the sense it is of, of several.
    checks: Vec<(Option<String>, Checked)>,
    /// Every check of the set as a whole.
    of_set: Vec<OfSet>,
    /// What was found, the most harmful first.
    pub findings: Vec<AuditFinding>,
    /// What it is worth to do something about it, the most a minute first.
    pub advice: Vec<Advice>,
    /// How many labels are wrong by estimate, where they are classes.
    pub noise: Option<Noise>,
    /// What a person who looked at some of these very findings about labels says of all; absent where nobody did.
    pub reviewed: Option<Reviewed>,
    /// What makes the findings less certain, or was not looked at.
    pub cautions: Vec<Sentence>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Facts for repeating the audit: name and value.
    pub facts: Vec<(String, String)>,
    /// What the page shows of each example.
    cards: Cards,
}

/// What is known of each example besides its content and its columns: what is measured of it, as the label book calls it.
///
/// # Errors
/// When somebody stops it.
pub fn measured(data: &Dataset, run: &Run<'_>) -> Result<Vec<Attribute>, PipelineError> {
    Ok(attributes::measured(data, &Media::measure(data, &[], run)?))
}

/// How an example is shown.
#[derive(Debug)]
enum Cards {
    Of(Box<Table>),
    Nothing,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultSummary {
    /// What was looked for.
    pub fault: Fault,
    /// In which sense, of several; absent where it is about examples as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sense: Option<String>,
    /// Findings of it in the list.
    pub findings: usize,
    /// Flagged examples, as in the table of all; none where it is about the set as a whole.
    pub flagged: usize,
    /// Examples that were looked at.
    pub n: usize,
    /// Mean score, 0 is bad and 1 is good; of a check of the set its score. Absent when nothing was looked at.
    pub mean_score: Option<f64>,
}

impl FaultSummary {
    /// What is told of it: flagged examples, or findings where it is about the set as a whole.
    pub fn told(&self) -> usize {
        if self.flagged > 0 { self.flagged } else { self.findings }
    }
}

/// Looks through a folder or a table.
///
/// # Errors
/// When the data cannot be read, or the base not be run; what is wrong *in* the data is a finding or a problem.
pub fn audit(home: &Home, request: &AuditRequest, run: &Run<'_>) -> Result<Audit, PipelineError> {
    let (data, mut problems) = run.step(Step::Read, || Ok(request.source.read_held_out()?))?;
    // Of all that was read, as `apply` will read it; what cannot be decoded is left out later.
    let fingerprint: String = data.fingerprint().to_string().chars().take(FINGERPRINT).collect();
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    let rules = request.rules.as_ref().map(Rules::open).transpose()?;
    let decision = telling::decision(&data);
    let look = if data.modality == Modality::Senses { senses::audit } else { of_one_sense };
    let mut audit = look(home, request, data, rules.as_ref(), run)?;
    problems.append(&mut audit.problems);
    audit.problems = problems;
    audit.decision = decision;
    audit.facts.insert(1, ("data fingerprint".to_owned(), fingerprint));
    Ok(audit)
}

/// Looks through examples of one sense.
fn of_one_sense(
    home: &Home,
    request: &AuditRequest,
    data: Dataset,
    rules: Option<&book::OpenRules>,
    run: &Run<'_>,
) -> Result<Audit, PipelineError> {
    let base = home.base_for(request.base.as_deref(), &data, run)?;
    let table = features::table(home, &base, data, run)?;
    run.step(Step::Audit, || {
        let media = Media::measure(&table.data, &request.skip, run)?;
        let of_media = media.check(&request.skip);
        let material = Material::of_table(&table, media, &request.skip, Seed(request.seed));
        let nearness = checks::nearness(&material)?;
        let labels = labels::by_features(&material, nearness.as_ref(), run.cancel_flag())?;
        let mut beside = Beside { checks: of_media, ..Beside::default() };
        beside.hear(rules, &material, base.id())?;
        let mut audit = conclude(&material, labels, nearness.as_ref(), beside, run)?;
        audit.problems.clone_from(&table.problems);
        audit.base = Some(base.id().to_owned());
        audit.looked_by.clone_from(&audit.base);
        audit.facts.insert(0, ("base".to_owned(), format!("{} ({})", base.id(), base.card().licence)));
        audit.cards = Cards::Of(Box::new(table));
        Ok(audit)
    })
}

/// Looks through labels, probabilities and features from elsewhere.
///
/// # Errors
/// [`ArrayError`], or probabilities that are none.
pub fn audit_arrays(request: &ArraysRequest, run: &Run<'_>) -> Result<Audit, PipelineError> {
    let FromElsewhere { material, said, labels } = run.step(Step::Read, || arrays::read(request))?;
    run.step(Step::Audit, || {
        let nearness = checks::nearness(&material)?;
        let labels = match labels {
            _ if !material.wants(Fault::Label) => None,
            Some(labels) => Some(labels),
            None => labels::labels(&material, said, nearness.as_ref())?,
        };
        let mut audit = conclude(&material, labels, nearness.as_ref(), Beside::default(), run)?;
        let fingerprint = arrays::fingerprint(request)?.to_string().chars().take(FINGERPRINT).collect();
        audit.facts.insert(0, ("data fingerprint".to_owned(), fingerprint));
        Ok(audit)
    })
}

/// What was found besides what features and labels show.
#[derive(Default)]
struct Beside {
    checks: Vec<Checked>,
    told: Vec<Told>,
    /// Checks of single senses, by their names.
    of_senses: Vec<(String, Checked)>,
    /// Findings about single senses.
    findings: Vec<AuditFinding>,
    /// What was not looked at.
    cautions: Vec<Sentence>,
}

impl Beside {
    /// What the rules of a label book have against labels.
    fn hear(
        &mut self,
        rules: Option<&book::OpenRules>,
        material: &Material,
        base: &str,
    ) -> Result<(), PipelineError> {
        let Some(rules) = rules else { return Ok(()) };
        let book::Contradicted { told, checked, unchecked } = rules.contradicted(material, base)?;
        self.told.extend(told);
        self.checks.extend(checked);
        self.cautions.extend(unchecked);
        Ok(())
    }
}

/// Makes every check and one list of their findings.
fn conclude(
    material: &Material,
    labels: Option<Labels>,
    nearness: Option<&Nearness>,
    beside: Beside,
    run: &Run<'_>,
) -> Result<Audit, PipelineError> {
    go_on(run)?;
    let mut checks = checks::of_examples(material, nearness)?;
    go_on(run)?;
    let Whole { mut told, checks: of_whole, of_set } = whole::whole(material, nearness, labels.as_ref())?;
    checks.extend(beside.checks);
    checks.extend(of_whole);
    told.extend(beside.told);
    go_on(run)?;
    let consistency = rules::consistency(material, nearness)?;
    if let Some((consistency, nearness)) = consistency.as_ref().zip(nearness) {
        let (rules, checked) = rules::told(material, nearness, consistency)?;
        told.extend(rules);
        checks.push(checked);
    }
    checks.extend(labels.as_ref().map(|labels| labels.checked.clone()));
    let findings = worklist::worklist(material, &checks, labels.as_ref(), nearness, told, beside.findings);
    let of_senses = beside.of_senses.into_iter().map(|(sense, checked)| (Some(sense), checked));
    let mut checks: Vec<(Option<String>, Checked)> =
        checks.into_iter().map(|checked| (None, checked)).chain(of_senses).collect();
    checks.sort_by_key(|(_, checked)| checked.fault);
    go_on(run)?;
    // Of very many classes every answer takes long, and there are many to ask about.
    let asked = if material.is_vast() { None } else { Asked::audited(material, nearness, labels.as_ref()) };
    let Worth { advice, caution } = asked.map(|asked| worth::worth(&asked, &findings)).unwrap_or_default();
    let suggested =
        labels.as_ref().map_or_else(|| vec![None; material.n()], |labels| labels.suggested.clone());
    let noise = labels.as_ref().and_then(|labels| labels.noise.clone());
    let cautions = labels
        .into_iter()
        .flat_map(|labels| labels.cautions.into_iter().chain(labels.doubted))
        .chain(beside.cautions)
        .chain(caution)
        .chain(material.unjudged().filter(|_| material.wants(Fault::Label)));
    Ok(Audit {
        name: material.name.clone(),
        base: None,
        looked_by: None,
        decision: arrays_decision(material),
        ids: material.ids.clone(),
        given: material.given.clone(),
        suggested,
        duplicate_groups: duplicate_groups(nearness, material.n()),
        checks,
        of_set,
        findings,
        advice,
        noise,
        reviewed: None,
        cautions: cautions.collect(),
        problems: Vec::new(),
        facts: vec![
            ("seed".to_owned(), material.seed.0.to_string()),
            ("dianjing".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ],
        cards: Cards::Nothing,
    })
}

fn go_on(run: &Run<'_>) -> Result<(), PipelineError> {
    if run.is_cancelled() { Err(PipelineError::Cancelled) } else { Ok(()) }
}

/// `[n]`: the number of the set of duplicates that an example is in.
fn duplicate_groups(nearness: Option<&Nearness>, n: usize) -> Vec<Option<i64>> {
    let mut groups = vec![None; n];
    for (group, set) in nearness.iter().flat_map(|nearness| nearness.duplicates.components.iter().enumerate())
    {
        set.iter().for_each(|row| groups[*row] = Some(group as i64));
    }
    groups
}

fn arrays_decision(material: &Material) -> Sentence {
    let n = material.n();
    let (en, zh) = match &material.question {
        Question::Classes => {
            let k = material.classes.len();
            (format!("{n} labels with probabilities of {k} classes"), format!("{n} 个标注，{k} 个类别的概率"))
        }
        Question::Sets(sets) => {
            let k = sets.classes.len();
            (format!("{n} sets of labels with probabilities of {k}"), format!("{n} 组标签，{k} 个标签的概率"))
        }
        Question::Numbers(_) => (format!("{n} numbers with predictions"), format!("{n} 个数值及其预测")),
        Question::Nothing(_) => (format!("{n} pictures with predictions"), format!("{n} 张图片及其预测")),
    };
    Sentence { en, zh }
}

impl Audit {
    /// Number of examples.
    pub fn n(&self) -> usize {
        self.ids.len()
    }

    /// What is expected to bring something that shows, the most a minute first.
    pub fn worthwhile(&self) -> impl Iterator<Item = &Advice> {
        self.advice.iter().filter(|advice| advice.gain.value >= SHOWS)
    }

    /// One line for every check, the most harmful fault first: every finding is counted in one of them.
    pub fn summary(&self) -> Vec<FaultSummary> {
        let of_examples = self.checks.iter().map(|(sense, checked)| {
            let scores: Vec<f64> = checked.scores.iter().flatten().copied().collect();
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            FaultSummary {
                fault: checked.fault,
                sense: sense.clone(),
                findings: self.count(checked.fault, sense.as_deref()),
                flagged: checked.flagged.len(),
                n: scores.len(),
                mean_score: (!scores.is_empty()).then_some(mean),
            }
        });
        let of_set = self.of_set.iter().map(|OfSet { fault, score }| FaultSummary {
            fault: *fault,
            sense: None,
            findings: self.count(*fault, None),
            flagged: 0,
            n: self.n(),
            mean_score: Some(*score),
        });
        let mut all: Vec<FaultSummary> = of_examples.chain(of_set).collect();
        all.sort_by_key(|summary| summary.fault);
        all
    }

    /// Findings of one check. What names a sense that has no check of its own, such as the one that contradicts the others, is of all.
    fn count(&self, fault: Fault, sense: Option<&str>) -> usize {
        let checked = |sense: &Option<String>| {
            self.checks.iter().any(|(of, checked)| checked.fault == fault && of == sense)
        };
        let of = |finding: &&AuditFinding| {
            let own = finding.sense.as_deref().filter(|_| checked(&finding.sense));
            finding.fault == fault && own == sense
        };
        self.findings.iter().filter(of).count()
    }

    /// One row an example: what is about the set as a whole has no column. `id`, `given_label`, `suggested_label`, `duplicate_group`, then `is_…_issue` and `…_score` for every
    /// check that was made; of several senses with the name of the sense, as `is_photo_blurry_issue`.
    pub fn issues(&self) -> Columns {
        let mut columns = Columns::default();
        columns.push("id", Values::Texts(self.ids.iter().cloned().map(Some).collect()));
        columns.push("given_label", Values::Texts(self.given.clone()));
        columns.push("suggested_label", Values::Texts(self.suggested.clone()));
        columns.push("duplicate_group", Values::Counts(self.duplicate_groups.clone()));
        for (sense, checked) in &self.checks {
            let name = checked.fault.name();
            let name = sense.as_ref().map_or_else(|| name.to_owned(), |sense| format!("{sense}_{name}"));
            let mut flags = vec![false; self.n()];
            checked.flagged.iter().for_each(|row| flags[*row] = true);
            columns.push(format!("is_{name}_issue"), Values::Flags(flags));
            columns.push(format!("{name}_score"), Values::Numbers(checked.scores.clone()));
        }
        columns
    }

    /// The cases that want a rule, with all that their entries of a label book will hold.
    pub fn cases(&self) -> Vec<StoredCase> {
        let case = |finding: &AuditFinding| {
            let (base, draft) = (self.looked_by.clone()?, Draft::clone(finding.case.as_deref()?));
            Some(StoredCase { finding: finding.number, base, draft })
        };
        self.findings.iter().filter_map(case).collect()
    }

    /// The page: what was found, with the evidence beside it. It needs no network, no script and no other file.
    /// `findings` is where their list is written.
    pub fn page(&self, lang: Lang, findings: Option<&Path>) -> String {
        page::render(self, lang, findings)
    }

    fn card(&self, row: usize) -> Card {
        match &self.cards {
            Cards::Of(table) => card(table, row),
            Cards::Nothing => Card {
                id: self.ids[row].clone(),
                given: self.given[row].clone().unwrap_or_default(),
                labelled_by: String::new(),
                content: CardContent::Missing,
            },
        }
    }
}
