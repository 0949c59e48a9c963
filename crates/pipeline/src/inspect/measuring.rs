//! When to alarm, what that promises, and how well defects are found.

use std::collections::{BTreeMap, BTreeSet};

use bundle::Measured;
use bundle::inspection::{Alarm, Kinds, NamedKind, Opinion, ScoreMap};
use dataset::Verdict;
use evaluate::inspect::{
    AUPIMO_BOUNDS, AUPRO_LIMIT, AlarmThreshold, CheapestThreshold, Costs, GoodScores, Plane, Promise,
    ScoredImage, TradeOff, alarm_threshold, aupimo, auroc, average_precision, cheapest_threshold,
    estimated_threshold, false_alarms_at, pixel_metrics, recall_at, trade_off,
};
use evaluate::{Estimate, EvaluateError, wilson};
use linalg::Seed;
use serde::Serialize;

use super::InspectRequest;
use super::fitting::Fitted;
use super::kinds::{self, NamedKinds};
use super::marking::Marking;
use super::seeing::Photo;
use crate::PipelineError;

/// Most pixels of all maps together for which they are measured at full resolution; more are taken in squares.
const MOST_PIXELS: usize = 300_000_000;
/// Kinds of defect whose pixels are measured by themselves, the commonest first: each looks at all good photos again.
const COMMON: usize = 12;

/// What is measured of one photo.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) id: String,
    pub(crate) path: std::path::PathBuf,
    /// `None` when good.
    pub(crate) kind: Option<String>,
    /// What it was named, had it a defect; absent where too few were shown.
    pub(crate) named: Option<NamedKind>,
    pub(crate) group: u32,
    pub(crate) score: f64,
    /// What the score were without what defects have taught; absent where they taught nothing.
    pub(crate) alone: Option<f64>,
    pub(crate) map: ScoreMap,
    /// What is marked; absent where a defect is not marked.
    pub(crate) mask: Option<Marking>,
    /// Width and height of the photo.
    pub(crate) size: (u32, u32),
}

impl Judged {
    pub(crate) fn new(photo: &Photo<'_>, opinion: Opinion, group: u32) -> Self {
        Self {
            id: photo.example.id.0.clone(),
            path: photo.example.path.clone(),
            kind: match &photo.example.verdict {
                Verdict::Good => None,
                Verdict::Defect { kind } => Some(kind.clone()),
            },
            named: opinion.kind,
            group,
            score: opinion.score,
            alone: opinion.evidence.defects.map(|_| opinion.alone),
            map: opinion.map,
            mask: photo.mask.clone(),
            size: photo.seen.size,
        }
    }
}

/// What the cost of a missed defect did to the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CostUse {
    /// The threshold is the cheapest one that keeps the promise.
    Used,
    /// Nothing: too few defects to learn from; those that are only measured on decide nothing.
    TooFewDefects,
    /// Nothing: too few good photos prove the promise.
    NoPromise,
}

/// Fewest groups of labelled defects whose scores say what a threshold costs.
pub const COST_FROM: usize = 5;

/// What those said of photos that had not seen them.
pub(crate) struct Held<'a> {
    good: Vec<&'a Opinion>,
    /// Of the good photos.
    groups: Vec<u32>,
    /// Scores of the photos with defects.
    defects: Vec<f64>,
    /// In how many groups these are.
    n_defect_groups: usize,
}

impl<'a> Held<'a> {
    /// Of these good photos, and of all with defects.
    pub(crate) fn new(photos: &[Photo<'_>], groups: &[u32], fitted: &'a Fitted, good: &[usize]) -> Self {
        let defects: Vec<usize> = (0..photos.len()).filter(|at| photos[*at].is_defect()).collect();
        Self {
            good: good.iter().map(|at| &fitted.held_out[*at]).collect(),
            groups: good.iter().map(|at| groups[*at]).collect(),
            n_defect_groups: defects.iter().map(|at| groups[*at]).collect::<BTreeSet<u32>>().len(),
            defects: defects.iter().map(|at| fitted.held_out[*at].score).collect(),
        }
    }
}

/// Decides when to alarm.
pub(crate) fn alarm(
    request: &InspectRequest,
    held: &Held<'_>,
) -> Result<(Alarm, Option<CostUse>), PipelineError> {
    let Held { good, groups, defects, n_defect_groups } = held;
    let promise = Promise::new(request.false_alarms, request.confidence)?;
    let scores: Vec<f64> = good.iter().map(|opinion| opinion.score).collect();
    let peaks: Vec<f64> = good.iter().map(|opinion| f64::from(opinion.map.max())).collect();
    let good = GoodScores::of_groups(&scores, groups)?;
    let mut threshold = alarm_threshold(&good, promise);
    let cost = match (request.miss_cost, &threshold) {
        (None, _) => None,
        (Some(_), _) if *n_defect_groups < COST_FROM => Some(CostUse::TooFewDefects),
        (Some(_), AlarmThreshold::Estimated(_)) => Some(CostUse::NoPromise),
        (Some(cost), AlarmThreshold::Proven(proven)) => {
            let costs = Costs::new(1.0, cost, request.defect_share)?;
            let CheapestThreshold { alarm, .. } = cheapest_threshold(&good, defects, costs, proven)?;
            threshold = AlarmThreshold::Proven(alarm);
            Some(CostUse::Used)
        }
    };
    let mark = alarm_threshold(&GoodScores::of_groups(&peaks, groups)?, promise);
    Ok((Alarm { threshold, good, mark, mm_per_pixel: request.mm_per_pixel }, cost))
}

/// Decides when to alarm from the quarters of a single photo. They are no independent parts: nothing is promised, and they count
/// as the one that they are.
pub(crate) fn alarm_of_quarters(
    request: &InspectRequest,
    quarters: &[Opinion],
) -> Result<(Alarm, Option<CostUse>), PipelineError> {
    let largest = |of: fn(&Opinion) -> f64| quarters.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    let good = GoodScores::of_parts(&[largest(|opinion| opinion.score)])?;
    let peak = GoodScores::of_parts(&[largest(|opinion| f64::from(opinion.map.max()))])?;
    let estimated = |good: &GoodScores| {
        Ok::<_, PipelineError>(AlarmThreshold::Estimated(estimated_threshold(good, request.false_alarms)?))
    };
    let (threshold, mark) = (estimated(&good)?, estimated(&peak)?);
    let cost = request.miss_cost.map(|_| CostUse::NoPromise);
    Ok((Alarm { threshold, good, mark, mm_per_pixel: request.mm_per_pixel }, cost))
}

/// How well defects are found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measurements {
    /// Metrics in the order to be shown.
    pub(crate) metrics: Vec<Measured>,
    /// By kind of defect, in order of their names.
    pub(crate) kinds: Vec<OfKind>,
    /// What defects were named; absent where too few were shown.
    pub(crate) named: Option<NamedKinds>,
    /// Missed defects against false alarms.
    pub(crate) curve: Vec<TradeOff>,
}

/// How well one kind of defect is found, beside good photos.
#[derive(Debug, Clone, Serialize)]
pub struct OfKind {
    /// Its name.
    pub kind: String,
    /// Share found at the threshold; of nothing where that was chosen by these photos.
    pub recall: Estimate,
    /// What needs no threshold: `image-auroc`, `image-ap`, and where defects are marked `pixel-auroc`, `aupro` and `aupimo`; each only where
    /// it can be told, those of pixels for the dozen commonest kinds.
    pub others: BTreeMap<&'static str, Estimate>,
}

/// What is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// Photos that decided nothing.
    Test,
    /// Photos that were learned from, each judged by one that had not seen it. The threshold was made from the good ones.
    OutOfFold,
    /// As these, and what a missed defect costs chose the threshold by those with defects.
    OutOfFoldByCost,
}

impl On {
    fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::OutOfFold | Self::OutOfFoldByCost => "out-of-fold",
        }
    }
}

/// Measures photos that the inspector had not seen. What the threshold was chosen by says nothing of it and is left out.
pub(crate) fn measure(
    photos: &[Judged],
    alarm: &Alarm,
    named_by: Option<&Kinds>,
    on: On,
    seed: Seed,
) -> Result<Measurements, PipelineError> {
    let threshold = alarm.threshold.threshold();
    let scores: Vec<f64> = photos.iter().map(|photo| photo.score).collect();
    let defect: Vec<bool> = photos.iter().map(|photo| photo.kind.is_some()).collect();
    let groups = renumbered(&photos.iter().map(|photo| photo.group).collect::<Vec<_>>());
    let mut metrics = Vec::new();
    let mut add = |metric: &str, estimate: Estimate| {
        if estimate.value.is_finite() {
            metrics.push(Measured { metric: metric.to_owned(), on: on.name().to_owned(), estimate });
        }
    };
    if defect.contains(&false) && on == On::Test {
        add("false-alarms", of_good(photos, threshold, |photo| photo.score));
        add("good-marked", of_good(photos, alarm.mark.threshold(), |photo| f64::from(photo.map.max())));
    }
    let named = named_by.and_then(|kinds| kinds::measure(kinds, photos));
    for (metric, estimate) in named.iter().flat_map(NamedKinds::metrics) {
        add(metric, estimate);
    }
    let mut kinds = Vec::new();
    let mut curve = Vec::new();
    if defect.contains(&true) {
        let threshold = (on != On::OutOfFoldByCost).then_some(threshold);
        if let Some(threshold) = threshold {
            add("recall", recall_at(&scores, &defect, &groups, threshold));
            if let Some(alone) = photos.iter().map(|photo| photo.alone).collect::<Option<Vec<f64>>>() {
                add("recall-alone", recall_at(&alone, &defect, &groups, threshold));
            }
        }
        let all: Vec<&Judged> = photos.iter().collect();
        for (metric, estimate) in ranked(&all, &groups, Some(step_of(&all)), seed)? {
            add(metric, estimate);
        }
        kinds = of_kinds(photos, &groups, threshold, seed)?;
        curve = trade_off(&scores, &defect)?;
    }
    Ok(Measurements { metrics, kinds, named, curve })
}

/// Share of the good groups of which a photo is above a threshold, as it is promised of alarms and of marks.
fn of_good(photos: &[Judged], threshold: f64, value: fn(&Judged) -> f64) -> Estimate {
    let mut largest: BTreeMap<u32, f64> = BTreeMap::new();
    for photo in photos.iter().filter(|photo| photo.kind.is_none()) {
        let most = largest.entry(photo.group).or_insert(f64::NEG_INFINITY);
        *most = most.max(value(photo));
    }
    let scores: Vec<f64> = largest.into_values().collect();
    false_alarms_at(&scores, &vec![false; scores.len()], threshold)
}

/// Groups by their rank among those there are, from 0.
pub(super) fn renumbered(groups: &[u32]) -> Vec<u32> {
    let present: Vec<u32> = groups.iter().copied().collect::<BTreeSet<u32>>().into_iter().collect();
    groups.iter().map(|group| present.partition_point(|other| other < group) as u32).collect()
}

/// How photos with defects rank above good ones, and marked places above others: what needs no threshold.
fn ranked(
    photos: &[&Judged],
    groups: &[u32],
    step: Option<usize>,
    seed: Seed,
) -> Result<Vec<(&'static str, Estimate)>, PipelineError> {
    let scores: Vec<f64> = photos.iter().map(|photo| photo.score).collect();
    let defect: Vec<bool> = photos.iter().map(|photo| photo.kind.is_some()).collect();
    let mut found = vec![
        ("image-auroc", auroc(&scores, &defect, groups, seed)?),
        ("image-ap", average_precision(&scores, &defect, groups, seed)?),
    ];
    if let Some(step) = step {
        found.extend(pixels(photos, groups, step, seed)?);
    }
    found.retain(|(_, estimate)| estimate.value.is_finite());
    Ok(found)
}

/// By kind of defect: share found at the threshold, of nothing without one, and how it ranks above good photos.
fn of_kinds(
    photos: &[Judged],
    groups: &[u32],
    threshold: Option<f64>,
    seed: Seed,
) -> Result<Vec<OfKind>, PipelineError> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    photos
        .iter()
        .filter_map(|photo| photo.kind.as_ref())
        .for_each(|kind| *counts.entry(kind).or_default() += 1);
    let mut common: Vec<&String> = counts.keys().copied().collect();
    common.sort_by_key(|kind| std::cmp::Reverse(counts[kind]));
    common.truncate(COMMON);
    let step = step_of(&photos.iter().collect::<Vec<_>>());
    let of = |name: &String| {
        let is_beside = |row: &usize| photos[*row].kind.as_ref().is_none_or(|kind| kind == name);
        let rows: Vec<usize> = (0..photos.len()).filter(is_beside).collect();
        let beside: Vec<&Judged> = rows.iter().map(|row| &photos[*row]).collect();
        let groups = renumbered(&rows.iter().map(|row| groups[*row]).collect::<Vec<_>>());
        let scores: Vec<f64> = beside.iter().map(|photo| photo.score).collect();
        let defect: Vec<bool> = beside.iter().map(|photo| photo.kind.is_some()).collect();
        let recall = match threshold {
            Some(threshold) => recall_at(&scores, &defect, &groups, threshold),
            None => wilson(0, 0),
        };
        let step = common.contains(&name).then_some(step);
        let others = ranked(&beside, &groups, step, seed)?.into_iter().collect();
        Ok(OfKind { kind: name.clone(), recall, others })
    };
    counts.keys().copied().map(of).collect()
}

/// Of the squares of pixels that are taken together, the side with which there are few enough of all photos.
pub(super) fn step_of(photos: &[&Judged]) -> usize {
    let measured = photos.iter().filter(|photo| has_pixels(photo));
    let total: usize = measured.map(|photo| photo.size.0 as usize * photo.size.1 as usize).sum();
    (1..).find(|step| total / (step * step) <= MOST_PIXELS).unwrap_or(1)
}

/// Whether it is known of each pixel if it shows a defect.
fn has_pixels(photo: &Judged) -> bool {
    photo.kind.is_none() || photo.mask.is_some()
}

/// Metrics of maps against masks: of good photos, and of those with defects that are marked.
fn pixels(
    photos: &[&Judged],
    groups: &[u32],
    step: usize,
    seed: Seed,
) -> Result<Vec<(&'static str, Estimate)>, PipelineError> {
    let rows: Vec<usize> = (0..photos.len()).filter(|row| has_pixels(photos[*row])).collect();
    if rows.iter().all(|row| photos[*row].mask.is_none()) {
        return Ok(Vec::new());
    }
    let maps: Vec<ScoreMap> = rows.iter().map(|row| resized(photos[*row], step)).collect();
    let masks: Vec<Option<Vec<bool>>> =
        rows.iter().map(|row| Some(photos[*row].mask.as_ref()?.thinned(step))).collect();
    let images: Vec<ScoredImage<'_>> = maps
        .iter()
        .zip(&masks)
        .map(|(map, mask)| {
            let scores = Plane::new(map.rows, map.cols, &map.values)?;
            match mask {
                None => Ok(ScoredImage::good(scores)),
                Some(mask) => ScoredImage::with_defects(scores, Plane::new(map.rows, map.cols, mask)?),
            }
        })
        .collect::<Result<_, EvaluateError>>()?;
    let groups: Vec<u32> = rows.iter().map(|row| groups[*row]).collect();
    let groups = renumbered(&groups);
    let found = pixel_metrics(&images, &groups, AUPRO_LIMIT, seed)?;
    let mut metrics = vec![("pixel-auroc", found.auroc), ("aupro", found.aupro)];
    match aupimo(&images, &groups, AUPIMO_BOUNDS, seed) {
        Ok(low) => metrics.push(("aupimo", low.mean)),
        // Too few good pixels for such low rates: nothing can be said.
        Err(EvaluateError::TooFew { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(metrics)
}

fn resized(photo: &Judged, step: usize) -> ScoreMap {
    let side = |pixels: u32| (pixels as usize).div_ceil(step);
    photo.map.resized(side(photo.size.1), side(photo.size.0))
}
