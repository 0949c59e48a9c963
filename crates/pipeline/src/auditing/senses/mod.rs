//! An audit of examples with several senses: what is wrong with each sense by itself, by its name; and what all of them together say of
//! labels and of each other.

mod alone;
mod heard;
mod told;

use curate::faults::{Checked, Fault};
use dataset::{Dataset, Modality};
use linalg::Seed;
use tune::fuse::Subset;

use super::book::OpenRules;
use super::labels::{self, Labels};
use super::material::{Material, Nearness};
use super::media::Media;
use super::worklist::AuditFinding;
use super::{Audit, AuditRequest, Beside, Cards, checks, conclude};
use crate::report::Sentence;
use crate::senses::{OneSense, whole};
use crate::{Home, PipelineError, Run, Step, audit as same};

use alone::Alone;

/// Faults of a sense by itself that all of them side by side would only show again.
const OF_SENSES: [Fault; 1] = [Fault::Outlier];

/// Looks through examples of several senses.
pub(super) fn audit(
    home: &Home,
    request: &AuditRequest,
    data: Dataset,
    rules: Option<&OpenRules>,
    run: &Run<'_>,
) -> Result<Audit, PipelineError> {
    let (each, problems) = whole::senses(home, request.base.as_deref(), &data, run)?;
    run.step(Step::Audit, || {
        let only_texts = each.iter().all(|sense| sense.sense.modality == Modality::Text);
        let alone = each.iter().map(|sense| Alone::new(sense, request, only_texts, run));
        let mut alone: Vec<Alone<'_>> = alone.collect::<Result<_, _>>()?;
        let table = whole::table(data, &each);
        let n = table.data.examples.len();
        let skip = [&request.skip[..], &OF_SENSES].concat();
        let mut material = Material::of_table(&table, Media::none(n), &skip, Seed(request.seed));
        material.attributes.extend(alone.iter().flat_map(|sense| sense.attributes(n)));
        let mut nearness =
            checks::nearness(&material)?.expect("examples of several senses have features side by side");
        let known = |row: &usize| alone.iter().any(|sense| sense.has(*row));
        nearness.duplicates.components.retain(|set| set.iter().all(known));
        hold_together(&material, &mut nearness, &mut alone);
        let (labels, mut beside) = judge(&material, &nearness, &alone, run)?;
        for sense in &alone {
            let (checks, findings) = sense.audit(n, &nearness.duplicates.components)?;
            beside.of_senses.extend(checks);
            beside.findings.extend(findings);
        }
        let bases = each.iter().map(|sense| sense.base.id()).collect::<Vec<_>>().join(" + ");
        beside.hear(rules, &material, &bases)?;
        let mut audit = conclude(&material, labels, Some(&nearness), beside, run)?;
        audit.problems = problems;
        audit.looked_by = Some(bases);
        let base = |sense: &OneSense| {
            format!("{}: {} ({})", sense.sense.name, sense.base.id(), sense.base.card().licence)
        };
        let bases = each.iter().map(base).collect::<Vec<_>>().join(", ");
        audit.facts.insert(0, ("base".to_owned(), bases));
        audit.cards = Cards::Of(Box::new(table));
        Ok(audit)
    })
}

/// Keeps together what any sense finds the same, as tuning does: no head judges an example whose photo it has seen.
fn hold_together(material: &Material, nearness: &mut Nearness, alone: &mut [Alone<'_>]) {
    let mut same: Vec<Vec<usize>> = nearness.duplicates.components.clone();
    same.extend(alone.iter().flat_map(|sense| sense.copies()));
    let names = material.groups.iter().map(Option::as_deref);
    nearness.groups = same::joined(names, &same).numbers();
    for sense in alone {
        sense.nearness.groups = sense.one.places.iter().map(|place| nearness.groups[*place]).collect();
    }
}

/// What is said of labels, and of the senses by each other. Labels that are sets or numbers, and those of more senses than are joined,
/// are judged by all features side by side.
fn judge(
    material: &Material,
    nearness: &Nearness,
    alone: &[Alone<'_>],
    run: &Run<'_>,
) -> Result<(Option<Labels>, Beside), PipelineError> {
    let mut beside = Beside::default();
    let (of_labels, of_senses) = (material.wants(Fault::Label), material.wants(Fault::SenseConflict));
    if !of_labels && !of_senses {
        return Ok((None, beside));
    }
    let is_more = alone.len() > Subset::MOST;
    if is_more || !material.has_classes() || material.is_vast() {
        beside.cautions.extend((is_more && material.has_classes()).then(|| too_many(alone.len())));
        return Ok((labels::by_features(material, Some(nearness), run.cancel_flag())?, beside));
    }
    let Some(heard) = heard::heard(material, nearness, alone, run)? else { return Ok((None, beside)) };
    let mut labels = if of_labels { heard.labels(material)? } else { None };
    if of_senses {
        let pairing = heard.pairing()?;
        beside.findings = told::findings(material, &heard, &pairing);
        let checked = told::checked(material, &heard, &pairing);
        // One explanation an example: where a sense is more probably wrong than the label, the label is not doubted.
        if let Some(labels) = &mut labels {
            labels.acquit(material, &checked.flagged);
        }
        beside.checks.push(checked);
    }
    Ok((labels, beside))
}

fn too_many(got: usize) -> Sentence {
    let most = Subset::MOST;
    Sentence {
        en: format!(
            "There are {got} senses and at most {most} are joined: whether they contradict each other was not looked at, and labels were judged by all features side by side."
        ),
        zh: format!(
            "共有 {got} 种感官，最多合并 {most} 种：未检查感官之间是否矛盾，标注按并列的全部特征核对。"
        ),
    }
}

/// What each sense gives to the list: its checks by its name, and its findings.
type OfSense = (Vec<(String, Checked)>, Vec<AuditFinding>);
