//! Fills in the report of an inspector from what was found out.

use base::depict::depict;
use base::prep;
use bundle::inspection::{InspectionBundle, Sight, marked};
use dataset::{Modality, Verdict};
use evaluate::Estimate;
use evaluate::inspect::{
    AlarmThreshold, Plane, Polygon, Promise, best_provable_rate, conformal_p_value, find_regions,
    parts_needed,
};
use image::RgbImage;
use rayon::prelude::*;

use super::choosing::Why;
use super::measuring::{CostUse, Judged, OfKind, step_of};
use super::{Findings, listening};
use crate::inspecting::heat_range;
use crate::report::Sentence;
use crate::report::inspection::{
    AlarmPromise, Counted, DetectorMeasure, DetectorMetric, HeatMap, InspectedPart, InspectionFacts,
    InspectionReport, KindFacts, KindOfDefect, Shortage, WorstGood, advise_inspection, view,
};
use crate::{PipelineError, Subject, counted, taken_for, words};

/// Photos shown of each sort: what a person looks through in one sitting.
const SHOWN: usize = 9;

/// Gathers everything the page shows.
pub(crate) fn report(
    findings: &Findings<'_>,
    bundle: &InspectionBundle,
) -> Result<InspectionReport, PipelineError> {
    let Findings { judged, measured, alarm, .. } = *findings;
    let of = |name: &str| -> Option<Estimate> {
        let found = measured.metrics.iter().find(|measured| measured.metric == name);
        found.map(|measured| measured.estimate)
    };
    let promise = promise(findings)?;
    let unit = if findings.n_good.0 == findings.n_good.1 { Counted::Parts } else { Counted::Groups };
    let any_defect = judged.iter().any(|judged| judged.kind.is_some());
    let scores = |defect: bool| -> Vec<f64> {
        judged.iter().filter(|judged| judged.kind.is_some() == defect).map(|judged| judged.score).collect()
    };
    let report = InspectionReport {
        name: findings.set.name.clone(),
        subject: Subject::Photo,
        decision: decision(findings),
        counted: unit,
        recall: of("recall"),
        false_alarms: of("false-alarms"),
        measured_on: measured_on(findings),
        measures: measures(findings),
        kinds: kinds(findings),
        named: measured.named.clone(),
        good_scores: alarm.good.sorted().to_vec(),
        defect_scores: scores(true),
        trade_off: measured.curve.iter().map(|point| (*point).into()).collect(),
        missed: shown(findings, |judged, alarms| judged.kind.is_some() && !alarms, false),
        alarmed_good: shown(findings, |judged, alarms| judged.kind.is_none() && alarms, true),
        most_suspicious: shown(findings, |judged, _| judged.kind.is_some() || !any_defect, true),
        worst_good: worst_good(findings),
        advice: advise_inspection(&facts(findings, &promise, unit)),
        detectors: listening::detectors(findings.fitted),
        why: listening::told(findings),
        problems: findings.problems.iter().map(words::problem_in_both).collect(),
        provenance: provenance(bundle),
        alarm: promise,
    };
    Ok(report.said_of(Subject::of(findings.set.modality)))
}

fn promise(findings: &Findings<'_>) -> Result<AlarmPromise, PipelineError> {
    let request = findings.request;
    let n = findings.alarm.good.n();
    Ok(match findings.alarm.threshold {
        AlarmThreshold::Proven(proven) => AlarmPromise::Proven(proven),
        AlarmThreshold::Estimated(threshold) => AlarmPromise::Estimated {
            threshold,
            confidence: Promise::new(request.false_alarms, request.confidence)?.confidence(),
            need: parts_needed(request.false_alarms, request.confidence)?,
            best_rate: best_provable_rate(n, request.confidence),
        },
    })
}

fn decision(findings: &Findings<'_>) -> Sentence {
    let set = findings.set;
    let defects = set.examples.iter().filter(|example| example.verdict != Verdict::Good).count();
    let (good, kinds) = (findings.n_good.0, set.kinds().len());
    let taken = taken_for(&set.layout, &set.why);
    let (photos, of_kinds) = (counted(good, "good photo"), counted(kinds, "kind"));
    let en = format!("{photos} to learn from, {defects} with defects of {of_kinds} ({})", taken.en);
    let zh = format!("用于学习的良品照片 {good} 张，缺陷照片 {defects} 张（{kinds} 种）；{}", taken.zh);
    Sentence { en, zh }
}

fn on_test(findings: &Findings<'_>) -> bool {
    findings.measured.metrics.iter().any(|measured| measured.on == "test")
}

fn measured_on(findings: &Findings<'_>) -> Sentence {
    let (photos, pixels) = (photos_measured_on(findings), pixels_measured_on(findings));
    Sentence { en: photos.en + &pixels.en, zh: photos.zh + &pixels.zh }
}

/// That pixels were taken together, where there are too many to measure each.
fn pixels_measured_on(findings: &Findings<'_>) -> Sentence {
    let step = step_of(&findings.judged.iter().collect::<Vec<_>>());
    let mut told = Sentence { en: String::new(), zh: String::new() };
    if step > 1 && findings.judged.iter().any(|judged| judged.mask.is_some()) {
        told.en =
            format!(" There are so many pixels that maps were measured in squares of {step} by {step}.");
        told.zh = format!("像素过多，热图以 {step}×{step} 的方块测量。");
    }
    told
}

fn photos_measured_on(findings: &Findings<'_>) -> Sentence {
    let good = findings.judged.iter().filter(|judged| judged.kind.is_none()).count();
    let defects = findings.judged.len() - good;
    if on_test(findings) {
        let en = format!(
            "Measured on your test part: {} and {defects} with defects, none of them learned from.",
            counted(good, "good photo")
        );
        return Sentence {
            en,
            zh: format!("在测试集上测得：良品 {good} 张、缺陷 {defects} 张，均未用于学习。"),
        };
    }
    let en = format!(
        "Measured out of fold on {} and {defects} with defects: each by an inspector that had not seen it.",
        counted(good, "good photo")
    );
    let zh = format!("折外测得：良品 {good} 张、缺陷 {defects} 张，每张都由未见过它的检测器评判。");
    let chosen = chosen_on(findings.fitted.choice.why, findings.cost);
    Sentence { en: en + &chosen.en, zh: zh + &chosen.zh }
}

/// What else was decided by the photos that are measured out of fold.
fn chosen_on(why: Why, cost: Option<CostUse>) -> Sentence {
    let mut chosen = Sentence { en: String::new(), zh: String::new() };
    if matches!(why, Why::Defects { .. }) {
        chosen.en += " The detectors were chosen on these very photos: expect somewhat less on new ones.";
        chosen.zh += "检测方式正是据这些照片选定的：对新照片预计会略差。";
    }
    if cost == Some(CostUse::Used) {
        chosen.en += " The threshold was chosen on them too, by the cost of a missed defect: the share of defects found is left out.";
        chosen.zh += "阈值也是据这些照片按漏检代价选定的，因此不列检出率。";
    }
    chosen
}

fn measures(findings: &Findings<'_>) -> Vec<DetectorMeasure> {
    let known = |name: &str| {
        Some(match name {
            "image-auroc" => DetectorMetric::Auroc,
            "image-ap" => DetectorMetric::AveragePrecision,
            "pixel-auroc" => DetectorMetric::PixelAuroc,
            "aupro" => DetectorMetric::Aupro,
            "aupimo" => DetectorMetric::Aupimo,
            "recall" => DetectorMetric::Recall,
            "recall-alone" => DetectorMetric::RecallAlone,
            "false-alarms" => DetectorMetric::FalseAlarms,
            "good-marked" => DetectorMetric::GoodMarked,
            _ => return None,
        })
    };
    let measures = findings.measured.metrics.iter();
    measures
        .filter_map(|measured| {
            Some(DetectorMeasure { metric: known(&measured.metric)?, estimate: measured.estimate })
        })
        .collect()
}

fn kinds(findings: &Findings<'_>) -> Vec<KindOfDefect> {
    let kind = |of: &OfKind| KindOfDefect {
        name: of.kind.clone(),
        recall: of.recall,
        others: of.others.iter().map(|(metric, estimate)| ((*metric).to_owned(), *estimate)).collect(),
    };
    findings.measured.kinds.iter().map(kind).collect()
}

/// Photos of one sort with their maps, from one end of the scores.
fn shown(
    findings: &Findings<'_>,
    wanted: impl Fn(&Judged, bool) -> bool,
    highest: bool,
) -> Vec<InspectedPart> {
    let alarm = &findings.alarm.threshold;
    let mut parts: Vec<&Judged> =
        findings.judged.iter().filter(|judged| wanted(judged, alarm.alarms(judged.score))).collect();
    parts.sort_by(|a, b| if highest { b.score.total_cmp(&a.score) } else { a.score.total_cmp(&b.score) });
    parts.into_par_iter().take(SHOWN).map(|judged| part(findings, judged)).collect()
}

fn part(findings: &Findings<'_>, judged: &Judged) -> InspectedPart {
    let mark = findings.alarm.mark.threshold() as f32;
    let Sight { depth, canvas, .. } = &findings.fitted.inspector.sight;
    let bytes = depict(&judged.path, canvas.as_ref()).ok().map(|depicted| depicted.bytes);
    let photo = bytes.and_then(|bytes| prep::decode_deep(&bytes, *depth).ok());
    let view = photo.and_then(|(photo, _)| {
        let map = HeatMap::new(judged.map.rows, judged.map.cols, &judged.map.values)?;
        let by_person = judged
            .mask
            .as_ref()
            .map(|mask| outlines(mask.height, mask.width, &mask.inside().collect::<Vec<_>>()));
        view(&photo, map, heat_range(mark), regions(judged, &photo, mark), by_person.unwrap_or_default())
    });
    InspectedPart {
        id: judged.id.clone(),
        kind: judged.kind.clone(),
        score: judged.score,
        p_value: Some(conformal_p_value(&findings.alarm.good, judged.score)),
        view,
    }
}

fn regions(judged: &Judged, photo: &RgbImage, mark: f32) -> Vec<Polygon> {
    let (height, width) = (photo.height() as usize, photo.width() as usize);
    outlines(height, width, &marked(&judged.map, height, width, mark))
}

fn outlines(height: usize, width: usize, inside: &[bool]) -> Vec<Polygon> {
    let Ok(plane) = Plane::new(height, width, inside) else { return Vec::new() };
    let regions = find_regions(plane);
    (0..regions.list().len()).map(|at| regions.outline(at).outer).collect()
}

fn worst_good(findings: &Findings<'_>) -> Option<WorstGood> {
    let first = findings.suspects.first()?;
    let effect = without_suspects(findings.suspects.len(), &findings.alarm.threshold, &first.without);
    let of = |suspect: &super::Suspect| findings.learned.iter().find(|judged| judged.id == suspect.id.0);
    let parts =
        findings.suspects.iter().filter_map(of).take(SHOWN).map(|judged| part(findings, judged)).collect();
    Some(WorstGood { effect: Some(effect), parts })
}

/// What leaving `n` suspects out does to the threshold.
fn without_suspects(n: usize, with: &AlarmThreshold, without: &AlarmThreshold) -> Sentence {
    let (look, they, them) = if n == 1 { ("looks", "it is", "it") } else { ("look", "they are", "them") };
    let photos = counted(n, "good photo");
    let loses = matches!((with, without), (AlarmThreshold::Proven(_), AlarmThreshold::Estimated(_)));
    let (with, without) = (with.threshold(), without.threshold());
    let (en, zh) = if loses {
        (
            ", an estimate, since the good photos that are left no longer prove the promise",
            "（仅为估计，余下的良品已不足以证明承诺）",
        )
    } else {
        ("", "")
    };
    Sentence {
        en: format!(
            "{photos} {look} least like the others. With {them} a part alarms above {with:.2}, without {them} above {without:.2}{en}: \
             if {they} not good, move {them} away and run again."
        ),
        zh: format!(
            "有 {n} 张良品照片与其他最不相似。保留它们时报警阈值为 {with:.2}，去掉后为 {without:.2}{zh}：若并非良品，请移走后重新运行。"
        ),
    }
}

fn facts<'a>(findings: &'a Findings<'_>, promise: &AlarmPromise, unit: Counted) -> InspectionFacts<'a> {
    let request = findings.request;
    let shortage = match promise {
        AlarmPromise::Proven(_) => None,
        AlarmPromise::Estimated { need, confidence, .. } => {
            Some(Shortage { need: *need, false_alarm_rate: request.false_alarms, confidence: *confidence })
        }
    };
    let kinds = findings.measured.kinds.iter().map(|OfKind { kind: name, .. }| {
        let of_kind = || findings.judged.iter().filter(|judged| judged.kind.as_ref() == Some(name));
        let found = of_kind().filter(|judged| findings.alarm.threshold.alarms(judged.score)).count();
        KindFacts { name, n: of_kind().count(), found }
    });
    let sizes = || findings.judged.iter().chain(findings.learned).map(|judged| judged.size);
    let first = sizes().next();
    let are_photos = findings.set.modality == Modality::Image;
    let false_alarms = findings.measured.metrics.iter().find(|measured| measured.metric == "false-alarms");
    InspectionFacts {
        n_good: findings.n_good.1,
        counted: unit,
        shortage,
        kinds: kinds.collect(),
        n_contaminated: findings.suspects.len(),
        // Sounds, videos and series have no fixture, and are as long as they are.
        aligned: findings.fitted.inspector.aligner.is_some() || !are_photos,
        photo_sizes_vary: are_photos && sizes().any(|size| Some(size) != first),
        blind: findings.blind,
        n_tiny: n_tiny(findings),
        promise_broken: false_alarms.is_some_and(|measured| measured.estimate.low > request.false_alarms),
    }
}

/// How many marked defects cover less than two cells of the finest look. The map is no measure of it: where parts lie alike it has their pixels.
fn n_tiny(findings: &Findings<'_>) -> usize {
    let cell = findings.fitted.inspector.sight.smallest_seen() / 2.0;
    let masks = findings.judged.iter().filter_map(|judged| judged.mask.as_ref());
    masks.filter(|mask| (mask.area() as f64) < 2.0 * cell * cell).count()
}

fn provenance(bundle: &InspectionBundle) -> Vec<(Sentence, String)> {
    let manifest = &bundle.manifest;
    let fact = |en: &str, zh: &str, value: String| (Sentence { en: en.to_owned(), zh: zh.to_owned() }, value);
    vec![
        fact("base", "底座", format!("{} ({})", manifest.base.id, manifest.base.licence)),
        fact("base hash", "底座哈希", manifest.base.hash.chars().take(16).collect()),
        fact("data fingerprint", "数据指纹", manifest.data.fingerprint.chars().take(16).collect()),
        fact("seed", "种子", manifest.seed.to_string()),
        fact("dianjing", "点睛", manifest.dianjing.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use evaluate::inspect::{GoodScores, alarm_threshold};

    use super::*;

    #[test]
    fn a_promise_that_leaving_suspects_out_would_lose_is_told() {
        let by = |n: usize| {
            let scores: Vec<f64> = (0..n).map(|score| score as f64).collect();
            alarm_threshold(&GoodScores::of_parts(&scores).unwrap(), Promise::new(0.05, 0.95).unwrap())
        };
        let told = without_suspects(1, &by(59), &by(58));
        assert!(told.en.contains("no longer prove the promise") && told.zh.contains("仅为估计"), "{told:?}");
        for (with, without) in [(61, 60), (20, 19)] {
            let told = without_suspects(1, &by(with), &by(without));
            assert!(!told.en.contains("estimate") && !told.zh.contains("估计"), "{told:?}");
        }
    }

    #[test]
    fn what_decided_on_the_photos_that_are_measured_is_told() {
        assert_eq!(chosen_on(Why::Rule, None).en, "");
        assert_eq!(chosen_on(Why::Asked, Some(CostUse::NoPromise)).zh, "");
        let both = chosen_on(Why::Defects { gain: 0.1, error: 0.01 }, Some(CostUse::Used));
        assert!(
            both.en.contains("detectors were chosen on these") && both.en.contains("is left out"),
            "{both:?}"
        );
    }
}
