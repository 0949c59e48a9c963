//! A number an example.

use curate::labels::regression::{JudgedNumbers, number_errors};
use linalg::{Matrix, Neighbours};

use super::super::material::{Material, Nearness};
use super::{Among, Labels, Said, View, ViewSays, seen};
use crate::PipelineError;

/// Neighbours whose median is a prediction.
const NEIGHBOURS: usize = 10;
/// Digits after the point that a suggestion has at most.
const MOST_DIGITS: usize = 17;
/// Keeps weights defined where everything is predicted exactly.
const TINY: f64 = 1e-100;

pub(super) fn numbers(
    material: &Material,
    numbers: &[Option<f64>],
    mut said: Vec<Said>,
    nearness: Option<&Nearness>,
) -> Result<Labels, PipelineError> {
    let rows = material.judged();
    let given: Vec<f64> = rows.iter().filter_map(|row| numbers[*row]).collect();
    if let Some(Among { near, groups }) = Among::new(material, nearness, &rows)? {
        let values = Matrix::from_vec(given.len(), 1, medians_of_neighbours(&given, &near, &groups));
        said.push(Said { view: View::Neighbours, values });
    }
    let mut against: Vec<Vec<bool>> = Vec::new();
    for said in &said {
        let flagged = number_errors(JudgedNumbers::new(&given, said.values.data())?).flagged;
        let mut mask = vec![false; given.len()];
        flagged.into_iter().for_each(|place| mask[place] = true);
        against.push(mask);
    }
    let predicted = together(&given, &said);
    let found = number_errors(JudgedNumbers::new(&given, &predicted)?);
    let digits = digits(material, &rows);
    let text = |value: f64| format!("{value:.digits$}");
    let mut of = Labels::silent(material.n());
    of.cautions = seen::numbers(&given, &said)?;
    for (place, row) in rows.iter().enumerate() {
        of.checked.scores[*row] = Some(found.scores[place]);
        of.losses[*row] = Some((predicted[place] - given[place]).abs());
    }
    for place in &found.flagged {
        let row = rows[*place];
        of.checked.flagged.push(row);
        of.suggested[row] = Some(text(predicted[*place]));
        let says = |(said, against): (&Said, &Vec<bool>)| ViewSays {
            view: said.view,
            sense: None,
            label: text(said.values.row(*place)[0]),
            probability: None,
            contradicts: against[*place],
        };
        of.says[row] = said.iter().zip(&against).map(says).collect();
    }
    Ok(of)
}

/// `[n]`: the median of the nearest rows of other groups; of all where a row has none.
fn medians_of_neighbours(given: &[f64], near: &Neighbours, groups: &[u32]) -> Vec<f64> {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let usual = median(given.to_vec()).unwrap_or(0.0);
    let of = |row: usize| {
        let others = near.of(row).filter(|(other, _)| groups[*other] != groups[row]).take(NEIGHBOURS);
        median(others.map(|(other, _)| given[other]).collect()).unwrap_or(usual)
    };
    (0..given.len()).map(of).collect()
}

/// `[n]`: the mean of all views, each weighted by one over its squared mean absolute error.
fn together(given: &[f64], said: &[Said]) -> Vec<f64> {
    let weight = |said: &Said| {
        let errors = said.values.data().iter().zip(given).map(|(p, y)| (p - y).abs()).sum::<f64>();
        1.0 / (errors / given.len().max(1) as f64).powi(2).max(TINY)
    };
    let weights: Vec<f64> = said.iter().map(weight).collect();
    let sum: f64 = weights.iter().sum();
    let of = |place: usize| {
        said.iter().zip(&weights).map(|(said, weight)| weight / sum * said.values.row(place)[0]).sum()
    };
    (0..given.len()).map(of).collect()
}

/// Digits after the point that the given numbers have.
fn digits(material: &Material, rows: &[usize]) -> usize {
    let texts = rows.iter().filter_map(|row| material.given[*row].as_deref());
    let of = |text: &str| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    texts.map(of).max().unwrap_or(0).min(MOST_DIGITS)
}
