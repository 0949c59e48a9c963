//! Fills in the report from what the journey found out.

use bundle::Manifest;
use dataset::{Problem, Target, Task};
use evaluate::Estimate;
use linalg::Matrix;
use rayon::prelude::*;

use crate::advice::{self, Facts};
use crate::assess::{Assessment, argmax};
use crate::audit::Relations;
use crate::features::Table;
use crate::held_out::HeldOut;
use crate::journey::{Labels, Lesson};
use crate::report::{Card, CardContent, Finding, Kind, Measure, Report, Sentence, labelled_by};
use crate::{PipelineError, percent, telling, words};

/// Findings shown of each kind: what a person looks through in one sitting.
const SHOWN: usize = 12;
/// Neighbours shown beside a finding.
const NEIGHBOURS: usize = 4;

/// Accuracies by number of labels.
type Points = Vec<(f64, Estimate)>;

/// How the model was made.
pub(crate) struct Made<'a> {
    /// The rows of the lesson that some fold held out.
    pub(crate) validated: &'a [usize],
    /// What was tried, its loss, and whether it was chosen.
    pub(crate) candidates: Vec<(Sentence, f64, bool)>,
    /// Why the chosen one was.
    pub(crate) why: Sentence,
    pub(crate) manifest: &'a Manifest,
}

/// Gathers everything the page shows.
pub(crate) fn report(
    table: &Table,
    lesson: &Lesson,
    relations: &Relations,
    made: &Made<'_>,
    assessment: &Assessment,
    held_out: Option<&HeldOut>,
    problems: &[Problem],
) -> Result<Report, PipelineError> {
    let (suspicious, hardest) = findings(table, lesson, made.validated, assessment)?;
    let none = Measure {
        metric: "accuracy".into(),
        estimate: Estimate { value: f64::NAN, low: f64::NAN, high: f64::NAN, n: 0 },
    };
    let balance = balance(lesson);
    let facts = facts(lesson, relations, made.validated, assessment, &balance, suspicious.len());
    let (curve_measured, curve_expected) = curve(assessment, lesson.rows.len());
    Ok(Report {
        name: table.data.name.clone(),
        decision: telling::decision(&table.data),
        kind: kind(&table.data.task),
        classes: made.manifest.task.outputs().to_vec(),
        n_examples: lesson.rows.len(),
        headline: assessment.measures.first().cloned().unwrap_or(none),
        test: held_out.and_then(|held_out| held_out.measures.first().cloned()),
        measures: assessment.measures.iter().skip(1).cloned().collect(),
        confusion: assessment.confusion.clone(),
        recall: assessment.recall.clone(),
        reliability: assessment.reliability.clone(),
        curve_measured,
        curve_expected,
        balance,
        suspicious,
        hardest,
        duplicates: duplicates(table, relations),
        advice: advice::advise(&facts),
        promise: promise(assessment),
        problems: problems.iter().map(words::problem_in_both).collect(),
        candidates: made.candidates.clone(),
        why: made.why.clone(),
        senses: None,
        provenance: provenance(made.manifest),
    })
}

/// What the advice goes by.
fn facts<'a>(
    lesson: &'a Lesson,
    relations: &Relations,
    validated: &[usize],
    assessment: &Assessment,
    balance: &[usize],
    n_suspicious: usize,
) -> Facts<'a> {
    let class = |class: usize| lesson.classes[class].as_str();
    let outlook = assessment.curve.as_ref().and_then(|curve| {
        let n = lesson.rows.len();
        Some((n, curve.accuracy_at(n)?.value, curve.accuracy_at(2 * n)?.low, curve.accuracy_at(2 * n)?.high))
    });
    let smallest =
        balance.iter().enumerate().filter(|(_, count)| **count > 0).min_by_key(|(_, count)| **count);
    let worst = worst_confusion(&assessment.confusion);
    Facts {
        n_suspicious,
        n_duplicates: relations.duplicates.len(),
        smallest: smallest.map(|(index, count)| (class(index), *count)),
        confusion: worst.map(|(given, predicted, count)| (class(given), class(predicted), count)),
        outlook,
        promise_needs: assessment.reject.as_ref().err().map(|needed| needed.need),
        validated: !validated.is_empty(),
    }
}

/// The learning curve as it was measured, and as it is expected to go on to twice the labels.
fn curve(assessment: &Assessment, n: usize) -> (Points, Points) {
    let Some(curve) = &assessment.curve else { return (Vec::new(), Vec::new()) };
    let measured = curve.measured().iter().map(|(n, accuracy)| (*n as f64, *accuracy)).collect();
    let sizes = (1..=20).map(|step| (n * step / 10).max(1)).filter(|size| *size >= n / 5);
    (measured, sizes.filter_map(|n| Some((n as f64, curve.accuracy_at(n)?))).collect())
}

fn kind(task: &Task) -> Kind {
    match task {
        Task::SingleLabel { .. } => Kind::SingleLabel,
        Task::MultiLabel { .. } => Kind::MultiLabel,
        Task::Regression { .. } => Kind::Regression,
    }
}

fn balance(lesson: &Lesson) -> Vec<usize> {
    let mut counts = vec![0; lesson.classes.len()];
    match &lesson.labels {
        Labels::Single(labels) => labels.iter().for_each(|label| counts[*label as usize] += 1),
        Labels::Multi(labels) => labels.iter().flatten().for_each(|label| counts[*label as usize] += 1),
        Labels::Numbers(_) => {}
    }
    counts
}

fn worst_confusion(confusion: &[Vec<u64>]) -> Option<(usize, usize, u64)> {
    let mistakes = confusion.iter().enumerate().flat_map(|(given, row)| {
        row.iter().enumerate().map(move |(predicted, count)| (given, predicted, *count))
    });
    mistakes.filter(|(given, predicted, count)| given != predicted && *count > 0).max_by_key(
        |(given, predicted, count)| (*count, std::cmp::Reverse(*given), std::cmp::Reverse(*predicted)),
    )
}

/// Labels that look wrong, and the hardest of the others.
fn findings(
    table: &Table,
    lesson: &Lesson,
    rows: &[usize],
    assessment: &Assessment,
) -> Result<(Vec<Finding>, Vec<Finding>), PipelineError> {
    let Labels::Single(labels) = &lesson.labels else { return Ok((Vec::new(), Vec::new())) };
    if rows.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let given: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
    let probs = Matrix::from_rows(&assessment.probs);
    let x = lesson.features[0].x.select_rows(rows);
    let quality = curate::label_quality(&given, probs.view(), x.view())?;
    let finding = |place: usize| {
        let predicted = argmax(&assessment.probs[place]);
        Finding {
            card: card(table, lesson.rows[rows[place]]),
            predicted: lesson.classes[predicted as usize].clone(),
            confidence: assessment.probs[place][predicted as usize],
            neighbours: quality
                .neighbours
                .of(place)
                .take(NEIGHBOURS)
                .map(|(other, _)| card(table, lesson.rows[rows[other]]))
                .collect(),
        }
    };
    let suspicious: Vec<usize> = quality.issues.iter().map(|issue| issue.row).collect();
    let mut hardest: Vec<usize> = (0..rows.len())
        .filter(|place| argmax(&assessment.probs[*place]) != given[*place] && !suspicious.contains(place))
        .collect();
    let given_p = |place: &usize| assessment.probs[*place][given[*place] as usize];
    hardest.sort_by(|a, b| given_p(a).total_cmp(&given_p(b)).then(a.cmp(b)));
    let show = |places: &[usize]| places.par_iter().take(SHOWN).map(|place| finding(*place)).collect();
    Ok((show(&suspicious), show(&hardest)))
}

fn duplicates(table: &Table, relations: &Relations) -> Vec<Vec<Card>> {
    relations
        .duplicates
        .iter()
        .take(SHOWN)
        .map(|set| set.iter().take(6).map(|row| card(table, *row)).collect())
        .collect()
}

/// An example as the page shows it.
pub(crate) fn card(table: &Table, row: usize) -> Card {
    let example = &table.data.examples[row];
    let content = CardContent::of(&example.content);
    let classes = table.data.classes();
    let given = match &example.target {
        Target::Unlabelled => String::new(),
        Target::Class(class) => classes[class.0 as usize].clone(),
        Target::Classes(set) => {
            set.iter().map(|class| classes[class.0 as usize].as_str()).collect::<Vec<_>>().join(", ")
        }
        Target::Number(value) => value.to_string(),
    };
    let labelled_by = labelled_by(&given, &example.votes);
    Card { id: example.id.0.clone(), given, labelled_by, content }
}

fn promise(assessment: &Assessment) -> Sentence {
    if let Some(width) = assessment.half_width {
        return if width.is_finite() {
            let en = format!(
                "Each answer comes with an interval of ± {width:.3} that holds the true value for 9 of 10 new examples."
            );
            Sentence {
                en,
                zh: format!("每个结果附带 ± {width:.3} 的区间，十个新样本中约有九个的真值落在区间内。"),
            }
        } else {
            let en = "There are too few examples for an interval around its answers.".to_owned();
            Sentence { en, zh: "样本太少，无法给出结果的区间。".to_owned() }
        };
    }
    match &assessment.reject {
        Ok(rule) => {
            let share = percent(rule.accepted as f64 / rule.n.max(1) as f64);
            let (error, confidence) = (percent(rule.target_error), percent(rule.confidence));
            let en = format!(
                "It answers about {share} of new examples and says \"I don't know\" to the others; with {confidence} confidence at most {error} of the answers it gives are wrong. Examples unlike any it has seen are set apart as unfamiliar."
            );
            let zh = format!(
                "它会回答约 {share} 的新样本，其余回答“不确定”；在 {confidence} 置信度下，给出的答案中至多 {error} 是错的。与见过的都不像的样本会单独标为“陌生”。"
            );
            Sentence { en, zh }
        }
        Err(_) => {
            let en = "No bound on wrong answers can be proved with these examples, so every answer is marked as unproven; look at its probability before you rely on it. Examples unlike any it has seen are set apart as unfamiliar.".to_owned();
            let zh = "现有样本还不足以保证错误率上限，因此每个答案都标为“未保证”；采信之前请看概率。与见过的都不像的样本会单独标为“陌生”。".to_owned();
            Sentence { en, zh }
        }
    }
}

fn provenance(manifest: &Manifest) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact("base", format!("{} ({})", manifest.base.id, manifest.base.licence)),
        fact("base hash", manifest.base.hash.chars().take(16).collect()),
        fact("data fingerprint", manifest.data.fingerprint.chars().take(16).collect()),
        fact("seed", manifest.seed.to_string()),
        fact("dianjing", manifest.dianjing.clone()),
    ]
}
