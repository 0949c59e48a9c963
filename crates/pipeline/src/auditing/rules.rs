//! Regions in which labels follow two rules: one question about each (methods 3.8).

use curate::attributes::{Attribute, in_chinese};
use curate::book::{self, Draft, Language, Rule};
use curate::consistency::{
    self, Case, Choice, Conflict, Consistency, Contrast, Kind, Labelled, Question, Side, Split, Stump,
};
use curate::faults::{Checked, Fault};

use super::material::{Material, Nearness};
use super::whole::{Besides, Told, Wanted, value_of};
use super::worklist::{Action, Answer, Offered, Pair};
use crate::report::Sentence;
use crate::{PipelineError, percent};

/// Looks for such regions; `None` where labels cannot be judged or nobody asks.
pub(super) fn consistency(
    material: &Material,
    nearness: Option<&Nearness>,
) -> Result<Option<Consistency>, PipelineError> {
    let wanted = nearness.filter(|_| material.wants(Fault::Conflict) && material.has_classes());
    let Some(nearness) = wanted else { return Ok(None) };
    let Some(examples) = examples(material, nearness)? else { return Ok(None) };
    let duplicates = &nearness.duplicates;
    let found =
        consistency::consistency(&examples, &nearness.near, duplicates, &material.attributes, material.seed)?;
    Ok(Some(found))
}

/// The regions that need a decision, as findings. Where two classes only shade into each other there is nothing to decide.
pub(super) fn told(
    material: &Material,
    nearness: &Nearness,
    found: &Consistency,
) -> Result<(Vec<Told>, Checked), PipelineError> {
    let mut scores = vec![1.0; material.n()];
    let mut told = Vec::new();
    let Some(examples) = examples(material, nearness)? else { return Ok((told, checked(&scores))) };
    for (case, question) in found.cases.iter().zip(&found.questions) {
        if case.kind == Kind::Boundary {
            continue;
        }
        let rows = shown_first(question, case.rows());
        let draft = Draft::of(&examples, case, question, &material.ids, &material.classes);
        let offered = case.stump.as_ref().map(|stump| offered(material, case, stump, &rows));
        let wanted = Wanted {
            pairs: question.pairs.iter().map(|pair| shown(material, pair)).collect(),
            answers: question.options.iter().map(|choice| answer(material, &draft, choice)).collect(),
            draft,
            offered,
        };
        rows.iter().for_each(|row| scores[*row] = f64::min(scores[*row], case.p_value));
        told.push(Told {
            fault: Fault::Conflict,
            score: case.p_value,
            about: about(material, case, question),
            action: Action::DecideRule,
            suggested: None,
            besides: Besides::Wants(Box::new(wanted)),
            rows,
        });
    }
    Ok((told, checked(&scores)))
}

fn checked(scores: &[f64]) -> Checked {
    let flagged = (0..scores.len()).filter(|row| scores[*row] < 1.0).collect();
    Checked::new(Fault::Conflict, scores.iter().copied().map(Some).collect(), flagged)
}

/// What the search looks at; `None` where there are no features.
pub(super) fn examples<'m>(
    material: &'m Material,
    nearness: &'m Nearness,
) -> Result<Option<Labelled<'m>>, PipelineError> {
    let Some(x) = &material.x else { return Ok(None) };
    let n_classes = material.classes.len();
    Ok(Some(Labelled::new(x.view(), &nearness.near, &material.labels, n_classes, &nearness.groups)?))
}

/// A pair, as evidence.
fn shown(material: &Material, pair: &Conflict) -> Pair {
    let rows = [pair.first, pair.second];
    Pair {
        ids: rows.map(|row| material.ids[row].clone()),
        labels: rows.map(|row| material.given[row].clone().unwrap_or_default()),
        rows,
        distance: pair.distance,
    }
}

/// A possible answer, with what follows the number of the finding where it is given.
fn answer(material: &Material, draft: &Draft, choice: &Choice) -> Answer {
    let (accept, rule) = match choice {
        Choice::AllA => (format!("={}", as_accepted(&draft.a)), Rule::AllA),
        Choice::AllB => (format!("={}", as_accepted(&draft.b)), Rule::AllB),
        Choice::Split(stump) => (String::new(), by(material, stump)),
        Choice::NewClass => ("=NAME".to_owned(), Rule::NewClass { name: "NAME".to_owned() }),
        Choice::Exclude => ("=".to_owned(), Rule::Exclude),
    };
    let words = |language| book::words(&rule, (&draft.a, &draft.b), language);
    Answer { accept, says: Sentence { en: words(Language::English), zh: words(Language::Chinese) } }
}

/// A label as `--accept` takes it: commas part what is accepted.
fn as_accepted(label: &str) -> String {
    if label.contains(',') { format!("\"{label}\"") } else { label.to_owned() }
}

fn by(material: &Material, stump: &Stump) -> Rule {
    Rule::Split { attribute: material.attributes[stump.attribute].name.clone(), by: stump.split.clone() }
}

/// The division by an attribute, as a rule, with the label it gives each row.
fn offered(material: &Material, case: &Case, stump: &Stump, rows: &[usize]) -> Offered {
    let attribute = &material.attributes[stump.attribute];
    let name = |side: Side| {
        let class = if side == Side::A { case.classes.0 } else { case.classes.1 };
        material.classes[class as usize].clone()
    };
    let label = |row: &usize| stump.split.side(&attribute.values, *row).map(name);
    Offered { rule: by(material, stump), labels: rows.iter().map(label).collect() }
}

/// The prototypes of either side in turn, then all others.
fn shown_first(question: &Question, rows: Vec<usize>) -> Vec<usize> {
    let [a, b] = &question.prototypes;
    let mut first = Vec::new();
    for place in 0..a.len().max(b.len()) {
        first.extend(a.get(place).into_iter().chain(b.get(place)));
    }
    let rest = rows.into_iter().filter(|row| !first.contains(row)).collect::<Vec<_>>();
    first.extend(rest);
    first
}

fn about(material: &Material, case: &Case, question: &Question) -> Sentence {
    let name = |class: u32| &material.classes[class as usize];
    let (a, b) = (name(case.classes.0), name(case.classes.1));
    let (of_a, of_b) = question.counts;
    let mut en = format!("{of_a} of `{a}` and {of_b} of `{b}` look alike: which rule applies?");
    let mut zh = format!("{of_a} 个“{a}”和 {of_b} 个“{b}”看起来一样：该按哪条规则标？");
    if let Some(explanation) = &question.explanation {
        let attribute = &material.attributes[explanation.attribute];
        let Sentence { en: how, zh: how_zh } = contrast(&explanation.contrast, attribute, a, b);
        let attribute = &attribute.name;
        en += &format!(" `{attribute}` parts them: {how}.");
        zh += &format!("“{}”把它们分开：{how_zh}。", in_chinese(attribute));
    }
    if let Some(stump) = &case.stump {
        let Sentence { en: how, zh: how_zh } = split(material, stump, a, b);
        en += &format!(" {how}");
        zh += &how_zh;
    }
    Sentence { en, zh }
}

fn contrast(contrast: &Contrast, attribute: &Attribute, a: &str, b: &str) -> Sentence {
    match contrast {
        Contrast::Numbers { medians, .. } => {
            let (of_a, of_b) = (value_of(attribute, medians.0), value_of(attribute, medians.1));
            Sentence {
                en: format!("median {of_a} for `{a}`, {of_b} for `{b}`"),
                zh: format!("“{a}”的中位数为 {of_a}，“{b}”为 {of_b}"),
            }
        }
        Contrast::Names { counts, .. } => {
            let told = |(name, of_a, of_b): &(String, usize, usize)| format!("{name} {of_a} : {of_b}");
            let told: Vec<String> = counts.iter().take(3).map(told).collect();
            Sentence {
                en: format!("`{a}` : `{b}` is {}", told.join(", ")),
                zh: format!("“{a}”:“{b}”为 {}", told.join("，")),
            }
        }
    }
}

/// What one rule by an attribute would be worth.
fn split(material: &Material, stump: &Stump, a: &str, b: &str) -> Sentence {
    let attribute = &material.attributes[stump.attribute].name;
    let zh = in_chinese(attribute);
    let right = percent(stump.accuracy);
    match &stump.split {
        Split::At { threshold, below } => {
            let (low, high) = if *below == Side::A { (a, b) } else { (b, a) };
            Sentence {
                en: format!(
                    "A rule \"`{low}` below {threshold:.4} of `{attribute}`, else `{high}`\" agrees with {right} of the labels."
                ),
                zh: format!(
                    "若规定“{zh}”低于 {threshold:.4} 为“{low}”、否则为“{high}”，则与 {right} 的标注一致。"
                ),
            }
        }
        Split::Before { date, earlier } => {
            let (low, high) = if *earlier == Side::A { (a, b) } else { (b, a) };
            Sentence {
                en: format!(
                    "A rule \"`{low}` where `{attribute}` is before {date}, else `{high}`\" agrees with {right} of the labels."
                ),
                zh: format!("若规定“{zh}”早于 {date} 为“{low}”、否则为“{high}”，则与 {right} 的标注一致。"),
            }
        }
        Split::Among { a: names } => {
            let names = names.join(", ");
            Sentence {
                en: format!(
                    "A rule \"`{a}` where `{attribute}` is {names}, else `{b}`\" agrees with {right} of the labels."
                ),
                zh: format!("若规定“{zh}”为 {names} 时是“{a}”、否则为“{b}”，则与 {right} 的标注一致。"),
            }
        }
    }
}
