//! When to alarm, what that promises, and how well defects are found.

use std::collections::BTreeMap;

use bundle::Measured;
use bundle::inspection::{Alarm, Kinds, NamedKind, Opinion, ScoreMap};
use dataset::Verdict;
use evaluate::inspect::{
    AUPIMO_BOUNDS, AUPRO_LIMIT, AlarmThreshold, CheapestThreshold, Costs, GoodScores, Plane, Promise,
    ScoredImage, TradeOff, alarm_threshold, aupimo, auroc, average_precision, cheapest_threshold,
    estimated_threshold, false_alarms_at, pixel_metrics, recall_at, trade_off,
};
use evaluate::{Estimate, EvaluateError};
use linalg::Seed;
use serde::Serialize;

use super::InspectRequest;
use super::kinds::{self, NamedKinds};
use super::seeing::Photo;
use crate::PipelineError;

/// Most pixels of all maps together for which they are measured at full resolution; more are taken in squares.
const MOST_PIXELS: usize = 300_000_000;

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
    pub(crate) map: ScoreMap,
    /// Height, width and what is marked; absent where a defect is not marked.
    pub(crate) mask: Option<(usize, usize, Vec<bool>)>,
    /// Width and height of the photo.
    pub(crate) size: (u32, u32),
}

impl Judged {
    pub(crate) fn new(photo: &Photo<'_>, opinion: Opinion, group: u32) -> Self {
        let mask = photo.mask.as_ref();
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
            map: opinion.map,
            mask: mask.map(|mask| (mask.height as usize, mask.width as usize, mask.inside.clone())),
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

/// Fewest labelled defects whose scores say what a threshold costs.
pub const COST_FROM: usize = 5;

/// Decides when to alarm, from what was said of good photos by those that had not seen them. `groups` is `[n]`.
pub(crate) fn alarm(
    request: &InspectRequest,
    good: &[&Opinion],
    defects: &[f64],
    groups: &[u32],
) -> Result<(Alarm, Option<CostUse>), PipelineError> {
    let promise = Promise::new(request.false_alarms, request.confidence)?;
    let scores: Vec<f64> = good.iter().map(|opinion| opinion.score).collect();
    let peaks: Vec<f64> = good.iter().map(|opinion| f64::from(opinion.map.max())).collect();
    let good = GoodScores::of_groups(&scores, groups)?;
    let mut threshold = alarm_threshold(&good, promise);
    let cost = match (request.miss_cost, &threshold) {
        (None, _) => None,
        (Some(_), _) if defects.len() < COST_FROM => Some(CostUse::TooFewDefects),
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
    /// By kind of defect: share found at the threshold, and AUROC against good photos.
    pub(crate) kinds: Vec<(String, Estimate, Estimate)>,
    /// What defects were named; absent where too few were shown.
    pub(crate) named: Option<NamedKinds>,
    /// Missed defects against false alarms.
    pub(crate) curve: Vec<TradeOff>,
}

/// Measures photos that the inspector had not seen; `on` says what they are, `test` or `out-of-fold`.
pub(crate) fn measure(
    photos: &[Judged],
    threshold: f64,
    named_by: Option<&Kinds>,
    on: &str,
    seed: Seed,
) -> Result<Measurements, PipelineError> {
    let scores: Vec<f64> = photos.iter().map(|photo| photo.score).collect();
    let defect: Vec<bool> = photos.iter().map(|photo| photo.kind.is_some()).collect();
    let groups = renumbered(photos);
    let mut metrics = Vec::new();
    let mut add = |metric: &str, estimate: Estimate| {
        if estimate.value.is_finite() {
            metrics.push(Measured { metric: metric.to_owned(), on: on.to_owned(), estimate });
        }
    };
    // Out of fold the threshold was made from these very scores: their share above it says nothing.
    if defect.contains(&false) && on == "test" {
        add("false-alarms", false_alarms(photos, threshold));
    }
    let named = named_by.and_then(|kinds| kinds::measure(kinds, photos));
    for (metric, estimate) in named.iter().flat_map(NamedKinds::metrics) {
        add(metric, estimate);
    }
    let mut kinds = Vec::new();
    let mut curve = Vec::new();
    if defect.contains(&true) {
        add("recall", recall_at(&scores, &defect, threshold));
        add("image-auroc", auroc(&scores, &defect, &groups, seed)?);
        add("image-ap", average_precision(&scores, &defect, &groups, seed)?);
        for (metric, estimate) in pixels(photos, &groups, seed)? {
            add(metric, estimate);
        }
        kinds = of_kinds(photos, &groups, threshold, seed)?;
        curve = trade_off(&scores, &defect)?;
    }
    Ok(Measurements { metrics, kinds, named, curve })
}

/// Share of the good groups with an alarm, as it is promised.
fn false_alarms(photos: &[Judged], threshold: f64) -> Estimate {
    let mut largest: BTreeMap<u32, f64> = BTreeMap::new();
    for photo in photos.iter().filter(|photo| photo.kind.is_none()) {
        let score = largest.entry(photo.group).or_insert(f64::NEG_INFINITY);
        *score = score.max(photo.score);
    }
    let scores: Vec<f64> = largest.into_values().collect();
    false_alarms_at(&scores, &vec![false; scores.len()], threshold)
}

fn renumbered(photos: &[Judged]) -> Vec<u32> {
    let mut numbers = std::collections::HashMap::new();
    let number = |photo: &Judged| {
        let next = numbers.len() as u32;
        *numbers.entry(photo.group).or_insert(next)
    };
    photos.iter().map(number).collect()
}

fn of_kinds(
    photos: &[Judged],
    groups: &[u32],
    threshold: f64,
    seed: Seed,
) -> Result<Vec<(String, Estimate, Estimate)>, PipelineError> {
    let mut names: Vec<&String> = photos.iter().filter_map(|photo| photo.kind.as_ref()).collect();
    names.sort();
    names.dedup();
    let of = |name: &String| {
        let rows: Vec<usize> = (0..photos.len())
            .filter(|row| photos[*row].kind.as_ref().is_none_or(|kind| kind == name))
            .collect();
        let scores: Vec<f64> = rows.iter().map(|row| photos[*row].score).collect();
        let defect: Vec<bool> = rows.iter().map(|row| photos[*row].kind.is_some()).collect();
        let groups: Vec<u32> = rows.iter().map(|row| groups[*row]).collect();
        let auroc = auroc(&scores, &defect, &groups, seed)?;
        Ok((name.clone(), recall_at(&scores, &defect, threshold), auroc))
    };
    names.into_iter().map(of).collect()
}

/// Metrics of maps against masks: of good photos, and of those with defects that are marked.
fn pixels(
    photos: &[Judged],
    groups: &[u32],
    seed: Seed,
) -> Result<Vec<(&'static str, Estimate)>, PipelineError> {
    let rows: Vec<usize> =
        (0..photos.len()).filter(|row| photos[*row].kind.is_none() || photos[*row].mask.is_some()).collect();
    if rows.iter().all(|row| photos[*row].mask.is_none()) {
        return Ok(Vec::new());
    }
    let area = |row: &usize| photos[*row].size.0 as usize * photos[*row].size.1 as usize;
    let total: usize = rows.iter().map(area).sum();
    let step = (1..).find(|step| total / (step * step) <= MOST_PIXELS).unwrap_or(1);
    let maps: Vec<ScoreMap> = rows.iter().map(|row| resized(&photos[*row], step)).collect();
    let masks: Vec<Option<Vec<bool>>> = rows.iter().map(|row| thinned(&photos[*row], step)).collect();
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
    let groups = dense(&groups);
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

fn dense(groups: &[u32]) -> Vec<u32> {
    let mut sorted = groups.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    groups.iter().map(|group| sorted.partition_point(|other| other < group) as u32).collect()
}

fn resized(photo: &Judged, step: usize) -> ScoreMap {
    let side = |pixels: u32| (pixels as usize).div_ceil(step);
    photo.map.resized(side(photo.size.1), side(photo.size.0))
}

/// A mask in squares of so many pixels; a square is marked when any pixel of it is.
fn thinned(photo: &Judged, step: usize) -> Option<Vec<bool>> {
    let (height, width, inside) = photo.mask.as_ref()?;
    let (rows, cols) = (height.div_ceil(step), width.div_ceil(step));
    let mut thin = vec![false; rows * cols];
    for (at, inside) in inside.iter().enumerate() {
        thin[at / width / step * cols + at % width / step] |= inside;
    }
    Some(thin)
}
