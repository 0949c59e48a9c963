//! Telling defect patches from good ones where only photos are labelled (methods 2.8, S2 without masks).
//!
//! Multiple-instance learning: the logit of a photo is the mean of its largest patch logits, and the log-likelihood of the photos'
//! labels is maximised. That is not convex; where it starts from is what an unsupervised detector finds suspicious.

use crate::TuneError;
use crate::detect::supervised::{Scaled, check_penalty};
use crate::detect::{PatchLogit, Patches, Subspace, SubspaceKind};
use crate::lbfgs::{self, Stop};

use linalg::logits::{sigmoid, softplus};

/// Share of a photo's patches whose mean is the photo's logit; at least one patch.
const TOP: f64 = 0.01;
/// Steps: with few photos the start matters as much as the end.
const STEPS: usize = 20;
/// How far apart the start holds the logits of suspicious and of good patches.
const START: f64 = 4.0;

/// Photos of which it is known whether there is a defect, but not where.
#[derive(Debug, Clone, Copy)]
pub struct MilInput<'a> {
    /// The patches of all photos.
    pub patches: Patches<'a>,
    /// The numbers of the photos with defects; all others are good.
    pub defects: &'a [u32],
    /// How suspicious an unsupervised detector finds each patch, `[n]`; held out where it was made from these photos.
    pub suspicion: &'a [f32],
}

/// Fits patch logits to the labels of photos. Each photo with a defect counts 1, all good ones together as much as these.
///
/// `penalty` is as in [`crate::detect::fit_patches`].
///
/// Errors: sizes that do not fit together, values that are not finite, no defect or no good photos.
pub fn fit_without_masks(input: &MilInput<'_>, penalty: f64) -> Result<PatchLogit, TuneError> {
    let photos = check(input)?;
    check_penalty(penalty)?;
    let scaled = Scaled::new(input.patches.x);
    let mut w = start(input, &photos, &scaled);
    let weights = spread(&photos, input.patches.len());
    let curvature = scaled.curvature(&weights, 0.25, penalty);
    lbfgs::minimise(&mut w, &curvature, Stop { iterations: STEPS, decrease: 1e-6 }, |w, gradient| {
        let logits = scaled.logits(w);
        let mut residuals = vec![0.0; logits.len()];
        let mut loss = 0.0;
        for photo in &photos {
            let top = photo.top(&logits);
            let logit = top.iter().map(|row| f64::from(logits[*row])).sum::<f64>() / top.len() as f64;
            let target = f64::from(u8::from(photo.defect));
            loss += photo.weight * (softplus(logit) - target * logit);
            let share = photo.weight * (sigmoid(logit) - target) / top.len() as f64;
            top.iter().for_each(|row| residuals[*row] = share as f32);
        }
        loss + scaled.gradient(w, &residuals, penalty, gradient)
    });
    Ok(scaled.unscaled(&w))
}

/// One photo: its rows, ascending.
struct Photo {
    rows: Vec<usize>,
    defect: bool,
    weight: f64,
}

impl Photo {
    /// The rows with the largest values, of equal ones the first.
    fn top(&self, values: &[f32]) -> Vec<usize> {
        let count = ((TOP * self.rows.len() as f64).ceil() as usize).max(1);
        let mut rows = self.rows.clone();
        rows.sort_by(|a, b| values[*b].total_cmp(&values[*a]).then(a.cmp(b)));
        rows.truncate(count);
        rows
    }
}

fn check(input: &MilInput<'_>) -> Result<Vec<Photo>, TuneError> {
    input.patches.check()?;
    let (got, expected) = (input.suspicion.len(), input.patches.len());
    if got != expected {
        return Err(TuneError::Patches { what: "the suspicions", got, expected });
    }
    if let Some(row) = input.suspicion.iter().position(|value| !value.is_finite()) {
        return Err(TuneError::Soft { what: "the suspicion", row, expected: "finite" });
    }
    let numbers = input.patches.distinct_photos();
    let mut rows = vec![Vec::new(); numbers.len()];
    for (row, photo) in input.patches.photos.iter().enumerate() {
        rows[numbers.partition_point(|other| other < photo)].push(row);
    }
    let defect: Vec<bool> = numbers.iter().map(|photo| input.defects.contains(photo)).collect();
    let n_defects = defect.iter().filter(|defect| **defect).count();
    let n_good = defect.len() - n_defects;
    if n_defects == 0 {
        return Err(TuneError::OneKind { missing: "photos with defects" });
    }
    if n_good == 0 {
        return Err(TuneError::OneKind { missing: "good photos" });
    }
    let weight = |defect: bool| if defect { 1.0 } else { n_defects as f64 / n_good as f64 };
    let photos = rows.into_iter().zip(defect);
    Ok(photos.map(|(rows, defect)| Photo { rows, defect, weight: weight(defect) }).collect())
}

/// The direction from the mean of good patches to the mean of the most suspicious patches of photos with defects, turned away
/// from where good patches vary (as in Fisher's discriminant): along the plain difference of means, some ordinary place of the
/// part often lies beyond the defects, and the climb does not come back from it.
fn start(input: &MilInput<'_>, photos: &[Photo], scaled: &Scaled) -> Vec<f32> {
    let suspects = photos.iter().filter(|photo| photo.defect).flat_map(|photo| photo.top(input.suspicion));
    let suspect = mean(scaled, &suspects.collect::<Vec<_>>());
    let rows: Vec<usize> =
        photos.iter().filter(|photo| !photo.defect).flat_map(|photo| photo.rows.iter().copied()).collect();
    let good = mean(scaled, &rows);
    let off: Vec<f64> = suspect.iter().zip(&good).map(|(a, b)| a - b).collect();
    let x = scaled.x.select_rows(&rows);
    let kind = SubspaceKind::Mahalanobis { shrinkage: 0.01 };
    let turned = Subspace::of(x.view(), kind).turned(&off);
    let square: f64 = off.iter().zip(&turned).map(|(a, b)| a * b).sum();
    let factor = if square > 0.0 { START / square } else { 0.0 };
    let mut w: Vec<f32> = turned.iter().map(|value| (factor * value) as f32).collect();
    let middle: f64 =
        suspect.iter().zip(&good).zip(&w).map(|((a, b), w)| 0.5 * (a + b) * f64::from(*w)).sum();
    w.push(-middle as f32);
    w
}

fn mean(scaled: &Scaled, rows: &[usize]) -> Vec<f64> {
    let mut mean = vec![0.0_f64; scaled.x.cols()];
    for row in rows {
        mean.iter_mut().zip(scaled.x.row(*row)).for_each(|(mean, value)| *mean += f64::from(*value));
    }
    mean.iter_mut().for_each(|mean| *mean /= rows.len().max(1) as f64);
    mean
}

/// The weight of each photo spread evenly over its patches, `[n]`.
fn spread(photos: &[Photo], n: usize) -> Vec<f32> {
    let mut weights = vec![0.0; n];
    for photo in photos {
        let share = (photo.weight / photo.rows.len() as f64) as f32;
        photo.rows.iter().for_each(|row| weights[*row] = share);
    }
    weights
}
