//! Properties that should say nothing about the label but do (methods 4.6): brightness, length, source, hour.
//!
//! A model can learn them instead of what is meant, and fail where they no longer hold.

use std::collections::BTreeMap;

use linalg::Seed;

use super::telling::{Asked, largest};
use crate::CurateError;
use crate::attributes::{Attribute, AttributeValues};
use crate::significance::discoveries;

/// Score below which an attribute is a finding (cleanlab's limit, but with balanced accuracy).
const TELLS: f64 = 0.3;
/// Share of the findings that may be chance.
const FALSE_SHARE: f64 = 0.1;
/// Into how many parts of equal size numbers are divided, at least and at most; between them, one for ten rows of each class.
const PARTS: (usize, usize) = (4, 20);
/// The least standard deviation within a class, as a share of that of all.
const LEAST_SPREAD: f64 = 1e-3;

/// How well one attribute tells the label by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Spurious {
    /// Its name.
    pub attribute: String,
    /// Share of labels predicted rightly out of fold, each class counting the same.
    pub accuracy: f64,
    /// What chance reaches: one over the number of classes.
    pub baseline: f64,
    /// How often random labels are predicted as well.
    pub p_value: f64,
    /// 0: tells every label; 1: none.
    pub score: f64,
    /// Whether the score is below 0.3 and surely not by chance.
    pub is_finding: bool,
    /// The rows whose label it predicts rightly, ascending; the others are worth most to a model.
    pub told: Vec<usize>,
}

/// How well each attribute, `[n]`, alone predicts `labels`, `[n]`, in the order given; empty with fewer than two classes of five
/// rows. Rows with the same number in `groups`, `[n]`, judge together: duplicates must not teach each other.
///
/// A name is a cell; numbers are cut into cells of equal size, and tried as a normal distribution for each class as well.
///
/// # Errors
/// When an attribute or the groups have another length than the labels.
pub fn spurious(
    attributes: &[Attribute],
    labels: &[Option<u32>],
    groups: &[u32],
    seed: Seed,
) -> Result<Vec<Spurious>, CurateError> {
    let lengths = attributes.iter().map(|attribute| ("values of an attribute", attribute.values.len()));
    for (what, got) in lengths.chain([("groups", groups.len())]) {
        if got != labels.len() {
            return Err(CurateError::Shape { what, got, expected: labels.len() });
        }
    }
    let Some(asked) = Asked::new(labels, groups, seed) else { return Ok(Vec::new()) };
    let mut predictions = Vec::new();
    let mut of = Vec::new();
    for (place, attribute) in attributes.iter().enumerate() {
        let tried = predict(&asked, &attribute.values);
        of.extend(tried.iter().map(|_| place));
        predictions.extend(tried);
    }
    let answers = asked.judge(&predictions, seed);
    let sure = discoveries(&answers.iter().map(|answer| answer.p_value).collect::<Vec<_>>(), FALSE_SHARE);
    let best = |(place, attribute): (usize, &Attribute)| {
        let tried = (0..of.len()).filter(|tried| of[*tried] == place);
        let best = tried.max_by(|a, b| answers[*a].accuracy.total_cmp(&answers[*b].accuracy))?;
        let score = asked.score(answers[best].accuracy);
        Some(Spurious {
            attribute: attribute.name.clone(),
            accuracy: answers[best].accuracy,
            baseline: asked.baseline(),
            p_value: answers[best].p_value,
            score,
            is_finding: sure[best] && score < TELLS,
            told: asked.right(&predictions[best]),
        })
    };
    Ok(attributes.iter().enumerate().filter_map(best).collect())
}

/// The predictions of each way to use an attribute, at least one.
fn predict(asked: &Asked, values: &AttributeValues) -> Vec<Vec<Option<u32>>> {
    match values {
        AttributeValues::Names(names) => {
            let mut numbers = BTreeMap::new();
            let cells = asked.rows.iter().map(|row| match &names[*row] {
                Some(name) => {
                    let next = numbers.len() + 1;
                    *numbers.entry(name.as_str()).or_insert(next)
                }
                None => 0,
            });
            vec![by_cells(asked, &cells.collect::<Vec<_>>())]
        }
        AttributeValues::Numbers(numbers) | AttributeValues::Times(numbers) => {
            let finite = |row: &usize| numbers[*row].filter(|number| number.is_finite());
            let numbers: Vec<Option<f64>> = asked.rows.iter().map(finite).collect();
            vec![by_cells(asked, &cut(&numbers, asked.n_classes())), by_normals(asked, &numbers)]
        }
    }
}

/// The class that has most of its rows in the cell of a row.
fn by_cells(asked: &Asked, cells: &[usize]) -> Vec<Option<u32>> {
    let n_cells = cells.iter().max().map_or(0, |cell| cell + 1);
    asked.out_of_fold(|learned| {
        let mut counts = vec![vec![0.0_f64; asked.n_classes()]; n_cells];
        let mut sizes = vec![0.0_f64; asked.n_classes()];
        for place in learned {
            counts[cells[*place]][asked.labels[*place] as usize] += 1.0;
            sizes[asked.labels[*place] as usize] += 1.0;
        }
        // One more row of each class in each cell: a single row of a small class proves little.
        let share = |counts: &[f64]| -> Option<u32> {
            let shares: Vec<f64> = counts
                .iter()
                .zip(&sizes)
                .map(|(count, size)| (count + 1.0) / (size + n_cells as f64))
                .collect();
            largest(&shares).filter(|_| counts.iter().any(|count| *count > 0.0))
        };
        let best: Vec<Option<u32>> = counts.iter().map(|counts| share(counts)).collect();
        move |place| best[cells[place]]
    })
}

/// The cell of each number: unknown ones in cell 0, the others cut into parts of about equal size.
fn cut(numbers: &[Option<f64>], n_classes: usize) -> Vec<usize> {
    let mut sorted: Vec<f64> = numbers.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let parts = (sorted.len() / (10 * n_classes)).clamp(PARTS.0, PARTS.1);
    let mut cuts: Vec<f64> =
        (1..parts).filter_map(|part| sorted.get(part * sorted.len() / parts).copied()).collect();
    cuts.dedup();
    let cell =
        |number: &Option<f64>| number.map_or(0, |number| 1 + cuts.partition_point(|cut| *cut <= number));
    numbers.iter().map(cell).collect()
}

/// The class under whose normal distribution a number is most probable; whether it is known counts as well.
fn by_normals(asked: &Asked, numbers: &[Option<f64>]) -> Vec<Option<u32>> {
    let all: Vec<f64> = numbers.iter().flatten().copied().collect();
    let floor = LEAST_SPREAD * spread(&all).1;
    asked.out_of_fold(|learned| {
        let of_class = |class: usize| {
            let rows = learned.iter().filter(|place| asked.labels[**place] as usize == class);
            let values: Vec<Option<f64>> = rows.map(|place| numbers[*place]).collect();
            let known: Vec<f64> = values.iter().flatten().copied().collect();
            let (mean, deviation) = spread(&known);
            ((known.len() as f64 + 1.0) / (values.len() as f64 + 2.0), mean, deviation.max(floor))
        };
        let classes: Vec<(f64, f64, f64)> = (0..asked.n_classes()).map(of_class).collect();
        move |place| {
            let log_density = |(known, mean, deviation): &(f64, f64, f64)| match numbers[place] {
                Some(number) => known.ln() - deviation.ln() - 0.5 * ((number - mean) / deviation).powi(2),
                None => (1.0 - known).ln(),
            };
            let densities: Vec<f64> = classes.iter().map(log_density).collect();
            // Without any spread, nothing is told.
            largest(&densities).filter(|_| floor > 0.0)
        }
    })
}

/// Mean and standard deviation; zeros without values.
fn spread(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt())
}

#[cfg(test)]
mod tests {
    use linalg::random;

    use super::*;

    fn numbers(name: &str, values: impl Iterator<Item = Option<f64>>) -> Attribute {
        Attribute { name: name.to_owned(), values: AttributeValues::Numbers(values.collect()) }
    }

    #[track_caller]
    fn found(attributes: &[Attribute], labels: &[Option<u32>]) -> Vec<bool> {
        let groups: Vec<u32> = (0..labels.len() as u32).collect();
        let found = spurious(attributes, labels, &groups, Seed(1)).unwrap();
        assert!(found.iter().all(|found| (0.0..=1.0).contains(&found.score)));
        found.iter().map(|found| found.is_finding).collect()
    }

    #[test]
    fn what_tells_the_label_is_found_and_what_does_not_is_not() {
        let mut rng = Seed(6).rng();
        // Nine of ten rows are of class 0: always answering 0 must not count as telling.
        let labels: Vec<Option<u32>> = (0..300).map(|row| Some(u32::from(row % 10 == 0))).collect();
        let noise: Vec<f64> = (0..300).map(|_| random::normal(&mut rng)).collect();
        let class = |row: usize| f64::from(labels[row].unwrap());
        let sources =
            (0..300).map(|row| Some(if row % 10 == 0 { "b" } else { ["a", "c"][row % 2] }.to_owned()));
        let attributes = [
            numbers("brightness", (0..300).map(|row| Some(noise[row] + 6.0 * class(row)))),
            numbers("noise", noise.iter().map(|value| Some(*value))),
            numbers("known", (0..300).map(|row| (row % 10 != 0).then_some(noise[row]))),
            numbers("constant", (0..300).map(|_| Some(1.0))),
            numbers("never", (0..300).map(|_| None)),
            Attribute { name: "source".to_owned(), values: AttributeValues::Names(sources.collect()) },
            Attribute {
                name: "id".to_owned(),
                values: AttributeValues::Names((0..300).map(|row| Some(format!("{row}"))).collect()),
            },
        ];
        assert_eq!(found(&attributes, &labels), [true, false, true, false, false, true, false]);
    }

    #[test]
    fn many_classes_in_order_of_a_number_are_told() {
        let labels: Vec<Option<u32>> = (0..200).map(|row| Some(row % 10)).collect();
        let size = |row: usize| Some((row % 10) as f64 + 0.02 * (row / 10) as f64);
        assert_eq!(found(&[numbers("size", (0..200).map(size))], &labels), [true]);
    }

    #[test]
    fn few_rows_prove_nothing_and_one_class_asks_nothing() {
        let labels: Vec<Option<u32>> = (0..10).map(|row| Some(row % 2)).collect();
        let groups: Vec<u32> = (0..10).collect();
        let by_chance =
            numbers("x", [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0].map(Some).into_iter());
        let answer = spurious(&[by_chance], &labels, &groups, Seed(1)).unwrap();
        assert!(answer[0].p_value > 0.02 && !answer[0].is_finding, "{answer:?}");
        let one_class =
            spurious(&[numbers("x", [Some(1.0); 9].into_iter())], &[Some(0); 9], &groups[..9], Seed(1));
        assert!(one_class.unwrap().is_empty());
        assert!(spurious(&[numbers("x", [None].into_iter())], &labels, &groups, Seed(1)).is_err());
    }
}
