//! Numbers as labels (methods 3.7). Predictions are out of fold.
//!
//! As in cleanlab 2.9: the plain residual, and OUTRE, which looks for outliers in the plane of label and residual.

use rayon::prelude::*;

use super::filter::ranked;
use crate::CurateError;

/// How much the residual counts against the label in the plane.
const RESIDUAL_SCALE: f64 = 5.0;
/// Share of all points that are a point's neighbours.
const NEIGHBOURHOOD: f64 = 0.5;
/// Keeps divisions defined.
const TINY: f64 = 1e-100;
/// Mean distances below this are rounding: the points lie on one another.
const EXACT: f64 = 1.490_116_119_384_765_6e-7;
/// Robust standard deviations from the median residual from which a number is flagged.
const FAR: f64 = 4.0;
/// Shares of all residuals, with how many standard deviations of a normal distribution hold them: the widest counts. By the
/// median alone, examples of which half are predicted exactly would make all others look wrong.
const HELD: [(f64, f64); 2] = [(0.5, 0.6745), (0.9, 1.6449)];
/// Fewest numbers among which one can stand out.
pub const FEWEST: usize = 20;
/// The least scale of distances.
const SMALLEST_SCALE: f64 = 1e-6;

/// Given numbers with out-of-fold predictions, both `[n]` and finite.
#[derive(Debug, Clone, Copy)]
pub struct JudgedNumbers<'a> {
    labels: &'a [f64],
    predictions: &'a [f64],
}

impl<'a> JudgedNumbers<'a> {
    /// Checks that labels and predictions fit together.
    ///
    /// # Errors
    /// No rows, lengths that differ, a value that is not finite.
    pub fn new(labels: &'a [f64], predictions: &'a [f64]) -> Result<Self, CurateError> {
        if labels.is_empty() {
            return Err(CurateError::Empty { what: "examples" });
        }
        if predictions.len() != labels.len() {
            let (got, expected) = (predictions.len(), labels.len());
            return Err(CurateError::Shape { what: "predictions", got, expected });
        }
        let broken = |row: &usize| !labels[*row].is_finite() || !predictions[*row].is_finite();
        match (0..labels.len()).find(broken) {
            Some(row) => Err(CurateError::NotFinite { row }),
            None => Ok(Self { labels, predictions }),
        }
    }

    pub(super) fn n(self) -> usize {
        self.labels.len()
    }

    /// The median residual, and the median distance of the given numbers from their middle.
    pub(super) fn residual_and_spread(self) -> (f64, f64) {
        let centre = median(self.labels.to_vec());
        let away = self.labels.iter().map(|label| (label - centre).abs()).collect();
        (median(self.residuals().map(f64::abs).collect()), median(away))
    }

    fn residuals(self) -> impl Iterator<Item = f64> {
        self.labels.iter().zip(self.predictions).map(|(label, prediction)| prediction - label)
    }
}

/// `[n]`: `exp(-|residual|)`, in the unit of the labels.
pub fn residual_scores(judged: JudgedNumbers<'_>) -> Vec<f64> {
    judged.residuals().map(|residual| (-residual.abs()).exp()).collect()
}

/// `[n]`: how ordinary a point is in the plane of standardised label and five times the standardised residual, by its mean
/// distance `d` to the nearer half of all points: `exp(-d / median d)`. Time grows with n squared.
pub fn outre_scores(judged: JudgedNumbers<'_>) -> Vec<f64> {
    let label = standardised(judged.labels.to_vec(), 1.0);
    let residual = standardised(judged.residuals().collect(), RESIDUAL_SCALE);
    let n = label.len();
    let near = (NEIGHBOURHOOD * n as f64).ceil() as usize;
    let mean_distance = |row: usize| {
        let to = |other: usize| (label[row] - label[other]).hypot(residual[row] - residual[other]);
        let mut distances: Vec<f64> = (0..n).map(to).collect();
        distances.select_nth_unstable_by(near - 1, f64::total_cmp);
        distances.truncate(near);
        distances.sort_by(f64::total_cmp);
        distances.iter().sum::<f64>() / near as f64
    };
    let distances: Vec<f64> = (0..n).into_par_iter().map(mean_distance).collect();
    let scale = median(distances.clone()).max(SMALLEST_SCALE);
    let score = |distance: f64| if distance < EXACT { 1.0 } else { (-distance / scale).exp() };
    distances.into_iter().map(score).collect()
}

/// Numbers that are probably wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberErrors {
    /// `[n]`: `2^(-z / 4)` with `z` the residual, less the median, in robust standard deviations; 0 = surely wrong, 1 = surely right.
    pub scores: Vec<f64>,
    /// Rows with `z` above 4, most suspicious first; none of fewer than twenty.
    pub flagged: Vec<usize>,
}

/// Finds them by how far they are from what was predicted, in units of how far all are.
pub fn number_errors(judged: JudgedNumbers<'_>) -> NumberErrors {
    let residuals: Vec<f64> = judged.residuals().collect();
    let centre = median(residuals.clone());
    let away: Vec<f64> = residuals.iter().map(|residual| (residual - centre).abs()).collect();
    // Where more than half is predicted exactly, any other difference is beyond measure, down to rounding.
    let largest = judged.labels.iter().fold(0.0, |largest: f64, label| largest.max(label.abs()));
    let mut sorted = away.clone();
    sorted.sort_by(f64::total_cmp);
    let width =
        |(share, deviations): (f64, f64)| sorted[(share * (sorted.len() - 1) as f64) as usize] / deviations;
    let scale = HELD.into_iter().map(width).fold(TINY.max(EXACT * largest), f64::max);
    let scores: Vec<f64> = away.iter().map(|away| (-away / scale / FAR).exp2()).collect();
    let enough = residuals.len() >= FEWEST;
    let mask: Vec<bool> = away.iter().map(|away| enough && away / scale > FAR).collect();
    NumberErrors { flagged: ranked(&mask, &scores), scores }
}

fn standardised(values: Vec<f64>, scale: f64) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt() + TINY;
    values.into_iter().map(|value| scale * ((value - mean) / deviation)).collect()
}

/// The middle value, or the mean of the two middle ones.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_planted_number_scores_lowest_by_every_score() {
        let truth: Vec<f64> = (0..60).map(f64::from).collect();
        let mut labels: Vec<f64> = truth.iter().map(|value| value + (value * 7.0).sin()).collect();
        labels[20] = 45.0;
        let judged = JudgedNumbers::new(&labels, &truth).unwrap();
        for scores in [residual_scores(judged), outre_scores(judged)] {
            let lowest = (0..60).min_by(|a, b| scores[*a].total_cmp(&scores[*b]));
            assert_eq!(lowest, Some(20));
        }
    }

    #[test]
    fn what_is_far_from_its_prediction_is_flagged_and_nothing_else() {
        let truth: Vec<f64> = (0..60).map(f64::from).collect();
        let mut labels: Vec<f64> = truth.iter().map(|value| value + (value * 7.0).sin()).collect();
        let found = number_errors(JudgedNumbers::new(&labels, &truth).unwrap());
        assert!(found.flagged.is_empty() && found.scores.iter().all(|score| *score > 0.5));
        (labels[20], labels[40]) = (45.0, 30.0);
        let found = number_errors(JudgedNumbers::new(&labels, &truth).unwrap());
        assert_eq!(found.flagged, [20, 40]);
        assert!(number_errors(JudgedNumbers::new(&[1.0, 9.0], &[1.0, 1.0]).unwrap()).flagged.is_empty());
        let exact = number_errors(JudgedNumbers::new(&truth, &truth).unwrap());
        assert!(exact.flagged.is_empty() && exact.scores == [1.0; 60]);
    }

    #[test]
    fn equal_and_broken_numbers_are_defined() {
        let judged = JudgedNumbers::new(&[3.0; 4], &[3.0; 4]).unwrap();
        assert_eq!(outre_scores(judged), [1.0; 4]);
        assert_eq!(JudgedNumbers::new(&[1.0], &[f64::NAN]).unwrap_err(), CurateError::NotFinite { row: 0 });
    }
}
