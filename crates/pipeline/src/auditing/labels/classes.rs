//! One class an example.

use std::collections::BTreeMap;

use curate::labels::errors::{LabelErrors, doubted_classes, label_errors, label_errors_by_views};
use curate::labels::views::{fused, votes_of_neighbours};
use curate::labels::votes::Votes;
use curate::labels::{FEWEST_OF_CLASS, Judged, Note};
use linalg::{Matrix, MatrixView};

use super::super::material::{Material, Nearness};
use super::{Among, Confusion, Labels, Noise, Said, View, ViewSays, seen};
use crate::assess::argmax;
use crate::{PipelineError, percent, report::Sentence};

/// Confusions that are told.
const CONFUSIONS: usize = 5;
/// The least probability that a logarithm is taken of.
const SMALLEST: f64 = 1e-12;
/// Classes that a caution names.
const SHOWN: usize = 3;

/// Adds what the neighbours say, and makes one voice of all views; both for the rows that are judged.
pub(super) fn together(
    material: &Material,
    mut said: Vec<Said>,
    nearness: Option<&Nearness>,
) -> Result<(Vec<Said>, Matrix<f64>), PipelineError> {
    let rows = material.judged();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    if let Some(Among { near, groups }) = Among::new(material, nearness, &rows)? {
        let values = votes_of_neighbours(&labels, material.classes.len(), &near, &groups)?;
        said.push(Said { view: View::Neighbours, values });
    }
    // Each view is checked by itself, so that a caution names what was passed in and not a mean.
    for said in &said {
        Judged::new(&labels, said.values.view())?;
    }
    let views: Vec<MatrixView<'_, f64>> = said.iter().map(|said| said.values.view()).collect();
    let probs = fused(&labels, &views)?;
    Ok((said, probs))
}

pub(super) fn classes(
    material: &Material,
    said: Vec<Said>,
    nearness: Option<&Nearness>,
) -> Result<Labels, PipelineError> {
    let rows = material.judged();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    let (said, probs) = together(material, said, nearness)?;
    let judged = Judged::new(&labels, probs.view())?;
    let several = said.len() > 1 || said[0].view == View::Senses;
    let found = if several { label_errors_by_views(judged) } else { label_errors(judged) };
    let p = |place: usize, class: u32| probs.row(place)[class as usize];
    let mut of = laid(material, &found, &p, &|place| says(material, &said, place, labels[place]));
    of.cautions.extend(seen::classes(&labels, &said)?);
    Ok(of)
}

/// The same by the votes of neighbours alone, which need no table of every example and class.
pub(super) fn by_neighbours(
    material: &Material,
    nearness: Option<&Nearness>,
) -> Result<Labels, PipelineError> {
    let rows = material.judged();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    let Among { near, groups } =
        Among::new(material, nearness, &rows)?.expect("where no model speaks, neighbours are known");
    let votes = Votes::of_neighbours(&labels, material.classes.len(), &near, &groups)?;
    let says = |place: usize| {
        let (class, probability) = votes.best(place);
        vec![ViewSays {
            view: View::Neighbours,
            sense: None,
            label: material.classes[class as usize].clone(),
            probability: Some(probability),
            contradicts: class != labels[place],
        }]
    };
    Ok(laid(material, &votes.errors(), &|place, class| votes.share(place, class), &says))
}

/// What was found among the rows that are judged, brought to all rows. `p` is the probability that the row at a place has a class, `says`
/// what each view says of it.
fn laid(
    material: &Material,
    found: &LabelErrors,
    p: &dyn Fn(usize, u32) -> f64,
    says: &dyn Fn(usize) -> Vec<ViewSays>,
) -> Labels {
    let rows = material.judged();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    let mut of = Labels::silent(material.n());
    for (place, row) in rows.iter().enumerate() {
        of.checked.scores[*row] = Some(found.scores[place]);
        of.losses[*row] = Some(-p(place, labels[place]).max(SMALLEST).ln());
    }
    for place in &found.flagged {
        let row = rows[*place];
        of.checked.flagged.push(row);
        of.suggested[row] = Some(material.classes[found.suggested[*place] as usize].clone());
        let [given, suggested] = [labels[*place], found.suggested[*place]].map(|class| p(*place, class));
        of.sure[row] = suggested / (given + suggested).max(SMALLEST);
        of.says[row] = says(*place);
    }
    of.cautions = sizes(&found.notes, &material.classes);
    of.doubted = doubted(material, &of.checked.flagged);
    of.noise = Some(noise(material, &of, rows.len()));
    of
}

/// What is flagged, counted by the label it has and the one that is suggested.
fn noise(material: &Material, of: &Labels, n: usize) -> Noise {
    let mut counts: BTreeMap<(&String, &String), usize> = BTreeMap::new();
    for row in &of.checked.flagged {
        if let (Some(given), Some(truth)) = (&material.given[*row], &of.suggested[*row]) {
            *counts.entry((given, truth)).or_default() += 1;
        }
    }
    let mut counts: Vec<((&String, &String), usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(names, count)| (std::cmp::Reverse(*count), *names));
    let confusion = |((given, truth), n): ((&String, &String), usize)| Confusion {
        given: given.clone(),
        truth: truth.clone(),
        n,
    };
    Noise {
        rate: of.checked.flagged.len() as f64 / n.max(1) as f64,
        n,
        confusions: counts.into_iter().take(CONFUSIONS).map(confusion).collect(),
    }
}

/// What is to be said of classes of which much is flagged.
pub(super) fn doubted(material: &Material, flagged: &[usize]) -> Vec<Sentence> {
    let rows = material.judged();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    let places: Vec<usize> = flagged.iter().filter_map(|row| rows.binary_search(row).ok()).collect();
    let notes = doubted_classes(&labels, material.classes.len(), &places);
    let doubted = notes.iter().filter_map(|note| match note {
        Note::DoubtedClass { class, share } => Some((&material.classes[*class as usize], percent(*share))),
        _ => None,
    });
    let told = |(name, share): (&String, String)| Sentence {
        en: format!(
            "{share} of class `{name}` is flagged: it was labelled by another rule, or the model does not know it. Look at a few before you relabel any."
        ),
        zh: format!(
            "类别“{name}”有 {share} 被标出：可能标注规则不同，也可能模型不认识它。改标注前请先看几个。"
        ),
    };
    doubted.map(told).collect()
}

/// The class that each view finds most probable, and how probable.
fn says(material: &Material, said: &[Said], place: usize, given: u32) -> Vec<ViewSays> {
    let of = |said: &Said| {
        let probs = said.values.row(place);
        let class = argmax(probs);
        ViewSays {
            view: said.view,
            sense: None,
            label: material.classes[class as usize].clone(),
            probability: Some(probs[class as usize]),
            contradicts: class != given,
        }
    };
    said.iter().map(of).collect()
}

/// What is to be said of classes with few examples or none: one sentence for all of a kind.
fn sizes(notes: &[Note], classes: &[String]) -> Vec<Sentence> {
    let mut unused = Vec::new();
    let mut small = Vec::new();
    for note in notes {
        match note {
            Note::UnusedClass { class } => unused.push(classes[*class as usize].as_str()),
            Note::SmallClass { class } => small.push(classes[*class as usize].as_str()),
            _ => {}
        }
    }
    let mut told = Vec::new();
    if let Some([en, zh]) = first(&unused) {
        told.push(Sentence {
            en: format!("No example has class {en}, though the probabilities have a column for it."),
            zh: format!("没有样本属于类别{zh}，但概率中有它的一列。"),
        });
    }
    if let Some([en, zh]) = first(&small) {
        told.push(Sentence {
            en: format!(
                "Fewer than {FEWEST_OF_CLASS} examples each have class {en}: their labels were not judged."
            ),
            zh: format!("类别{zh}的样本不足 {FEWEST_OF_CLASS} 个，未检查其标注。"),
        });
    }
    told
}

/// The first of these classes and how many more there are, in both languages; `None` of none.
fn first(classes: &[&str]) -> Option<[String; 2]> {
    let shown = &classes[..classes.len().min(SHOWN)];
    let names = |open: char, close: char, by: &str| {
        shown.iter().map(|name| format!("{open}{name}{close}")).collect::<Vec<_>>().join(by)
    };
    let (mut en, mut zh) = (names('`', '`', ", "), names('“', '”', "、"));
    match classes.len() - shown.len() {
        0 => {}
        more => {
            en.push_str(&format!(" and {more} others, {} in all", classes.len()));
            zh.push_str(&format!("等 {} 类", classes.len()));
        }
    }
    (!classes.is_empty()).then_some([en, zh])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_classes_of_a_kind_are_one_caution() {
        let classes: Vec<String> = (0..1000).map(|class| class.to_string()).collect();
        let unused = |class| Note::UnusedClass { class };
        let told = sizes(
            &(5..1000).map(unused).chain([Note::SmallClass { class: 4 }]).collect::<Vec<_>>(),
            &classes,
        );
        assert_eq!(told.len(), 2);
        assert!(
            told[0].en.contains("class `5`, `6`, `7` and 992 others, 995 in all, though"),
            "{}",
            told[0].en
        );
        assert!(told[0].zh.contains("类别“5”、“6”、“7”等 995 类"), "{}", told[0].zh);
        assert!(told[1].en.starts_with("Fewer than 3 examples each have class `4`:"), "{}", told[1].en);
    }
}
