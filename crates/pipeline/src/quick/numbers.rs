//! A number an example, with the interval that holds it.

use evaluate::{Estimate, bbc_cv, half_width, normal_half_width};
use linalg::Matrix;

use super::linear::{Linear, best};
use super::{Judged, LEAST_LABELS, Quick, Says};
use crate::assess::number_measures;
use crate::report::Measure;

/// Numbers without which nothing is said.
const LEAST: usize = 3;
/// Coverage of the interval around a suggestion, as tuning promises it.
const LIKELY: f64 = 0.9;
/// Coverage of the interval outside of which a number is contradicted.
const POSSIBLE: f64 = 0.99;

/// What the numbers, `[n]`, teach.
pub(super) fn judge(quick: &Quick, numbers: &[Option<f64>], drawn: &[bool]) -> Judged {
    let rows: Vec<usize> = (0..numbers.len()).filter(|row| numbers[*row].is_some()).collect();
    let given: Vec<f64> = numbers.iter().flatten().copied().collect();
    let of_drawn: Vec<f64> =
        numbers.iter().zip(drawn).filter(|(_, drawn)| **drawn).filter_map(|(number, _)| *number).collect();
    let untaught = Judged { chance: error_of_median(&of_drawn), ..Judged::default() };
    if given.len() < LEAST {
        return untaught;
    }
    let targets = Matrix::from_vec(given.len(), 1, given.clone());
    let Some(linear) = Linear::taught(quick, rows, targets) else { return untaught };
    let record = |of: fn(f64) -> f64| {
        let errors = |place: usize| linear.left_out().iter().map(move |told| (place, told.row(place)[0]));
        let values = (0..given.len()).flat_map(errors).map(|(place, told)| of(told - given[place]));
        Matrix::from_vec(given.len(), linear.left_out().len(), values.collect())
    };
    let (losses, scores) = (record(|error| error * error), record(|error| -error.abs()));
    let which = best(&losses);
    let places = linear.drawn(drawn);
    let pick = |of: &dyn Fn(usize) -> f64| places.iter().map(|place| of(*place)).collect::<Vec<f64>>();
    let predicted = pick(&|place| linear.left_out()[which].row(place)[0]);
    let truth = pick(&|place| given[place]);
    let mut measures = Vec::new();
    if let Some(Estimate { value, low, high, n }) = linear.judged(&losses, &scores, &places, bbc_cv) {
        let estimate = Estimate { value: -value, low: -high, high: -low, n };
        measures.push(Measure { metric: "mae".to_owned(), estimate });
        measures.extend(number_measures(&predicted, &truth, quick.seed.derive("accuracy")));
    }
    let errors: Vec<f64> = predicted.iter().zip(&truth).map(|(told, truth)| told - truth).collect();
    let says = Says::Numbers {
        told: linear.tells(which).into_vec(),
        likely: Some(half_width(&errors, LIKELY)).filter(|width| width.is_finite()),
        possible: possible(&errors),
    };
    Judged { measures, margins: margins(&linear.variance(which)), says, ..untaught }
}

/// Half the width of the interval outside of which a number is hardly possible. A promise takes a hundred errors; until then they are
/// taken for normal.
fn possible(errors: &[f64]) -> Option<f64> {
    if errors.len() < LEAST_LABELS {
        return None;
    }
    let promised = half_width(errors, POSSIBLE);
    Some(if promised.is_finite() { promised } else { normal_half_width(errors, POSSIBLE) })
}

/// The mean absolute error of who always says the median.
fn error_of_median(given: &[f64]) -> f64 {
    let mut sorted = given.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(median) = sorted.get(sorted.len() / 2) else { return 0.0 };
    given.iter().map(|number| (number - median).abs()).sum::<f64>() / given.len() as f64
}

/// How much is known of each example, in [0, 1], beside the one of which least is known.
fn margins(variance: &[f64]) -> Vec<f64> {
    let most = variance.iter().copied().fold(0.0, f64::max);
    variance
        .iter()
        .map(|variance| if most > 0.0 { 1.0 - (variance / most).clamp(0.0, 1.0) } else { 1.0 })
        .collect()
}
