//! What parts the two sides of a case: attributes, or the features themselves.

use linalg::Seed;

use super::Labelled;
use super::contrast::{Contrast, of_names, of_numbers, size_of_names};
use crate::attributes::{Attribute, AttributeValues};
use crate::significance::discoveries;

/// Share of wrong ones among the explanations that is accepted (Benjamini and Hochberg 1995).
const FALSE_EXPLANATIONS: f64 = 0.1;
/// How much larger the contrast must be in the case than between the two classes elsewhere: what classes differ in anyway
/// explains nothing, such as annotators who were each given one class.
const LARGER: f64 = 0.25;

/// What one attribute says about one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Which attribute.
    pub attribute: usize,
    /// How it differs between the sides.
    pub contrast: Contrast,
    /// The size of the same contrast between the two classes outside the case; 0 where it is not known.
    pub elsewhere: f64,
    /// How probable such a contrast is when the attribute has nothing to do with the label.
    pub p_value: f64,
    /// Examples of the case that have a value.
    pub n: usize,
    /// Whether it explains the case: at most a tenth of those that are called so are wrong, and the contrast is larger than
    /// between the classes elsewhere.
    pub explains: bool,
}

/// Compares the sides of a case in every attribute that both have; those that explain it are not known before
/// [`keep_significant`] has seen those of all cases.
pub(super) fn explanations(
    attributes: &[Attribute],
    sides: &[Vec<usize>; 2],
    elsewhere: &[Vec<usize>; 2],
    seed: Seed,
) -> Vec<Explanation> {
    let mut found = Vec::new();
    for (attribute, Attribute { values, .. }) in attributes.iter().enumerate() {
        let (compared, around, n) = match values {
            AttributeValues::Numbers(values) | AttributeValues::Times(values) => {
                let of = |rows: &[usize]| {
                    rows.iter()
                        .filter_map(|row| values[*row].filter(|value| value.is_finite()))
                        .collect::<Vec<_>>()
                };
                let [a, b] = sides.each_ref().map(|rows| of(rows));
                let [c, d] = elsewhere.each_ref().map(|rows| of(rows));
                (of_numbers(&a, &b), of_numbers(&c, &d).map(|found| found.0), a.len() + b.len())
            }
            AttributeValues::Names(values) => {
                let of = |rows: &[usize]| {
                    rows.iter().filter_map(|row| values[*row].as_deref()).collect::<Vec<_>>()
                };
                let [a, b] = sides.each_ref().map(|rows| of(rows));
                let [c, d] = elsewhere.each_ref().map(|rows| of(rows));
                let compared = of_names(&a, &b, seed.nth(attribute));
                (compared, size_of_names(&c, &d).map(|found| found.0), a.len() + b.len())
            }
        };
        if let Some((contrast, p_value)) = compared {
            let elsewhere = around.map_or(0.0, |contrast| contrast.size());
            found.push(Explanation { attribute, contrast, elsewhere, p_value, n, explains: false });
        }
    }
    found
}

/// Says of the explanations of all cases together which hold, and sorts those of each case: first those that hold, then by
/// p-value and size.
pub(super) fn keep_significant(cases: &mut [&mut Vec<Explanation>]) {
    let p_values: Vec<f64> = cases.iter().flat_map(|case| case.iter().map(|found| found.p_value)).collect();
    let mut significant = discoveries(&p_values, FALSE_EXPLANATIONS).into_iter();
    for found in cases.iter_mut() {
        for explanation in found.iter_mut() {
            let larger = (explanation.contrast.size() - explanation.elsewhere).abs() >= LARGER;
            let more = explanation.contrast.size().abs() > explanation.elsewhere.abs();
            explanation.explains = significant.next().unwrap_or_default() && larger && more;
        }
        found.sort_by(|x, y| {
            let size = |found: &Explanation| found.contrast.size().abs();
            y.explains
                .cmp(&x.explains)
                .then(x.p_value.total_cmp(&y.p_value))
                .then(size(y).total_cmp(&size(x)))
                .then(x.attribute.cmp(&y.attribute))
        });
    }
}

/// How well the features tell the sides of a case apart: the mean over the two sides of the share that is nearer to the mean
/// of its own side, itself left out; 1/2 when a side has a single example.
pub(super) fn accuracy_by_features(examples: &Labelled<'_>, sides: &[Vec<usize>; 2]) -> f64 {
    if sides.iter().any(|rows| rows.len() < 2) {
        return 0.5;
    }
    let x = examples.x();
    let means = sides.each_ref().map(|rows| mean(examples, rows));
    let share = |side: usize| {
        let n = sides[side].len() as f64;
        let right = sides[side].iter().filter(|row| {
            let (mut own, mut other) = (0.0, 0.0);
            for (column, value) in x.row(**row).iter().enumerate() {
                let value = f64::from(*value);
                let without = (n * means[side][column] - value) / (n - 1.0);
                own += (value - without).powi(2);
                other += (value - means[1 - side][column]).powi(2);
            }
            own < other
        });
        right.count() as f64 / n
    };
    f64::midpoint(share(0), share(1))
}

/// The mean of rows, `[d]`; zeros without rows.
pub(super) fn mean(examples: &Labelled<'_>, rows: &[usize]) -> Vec<f64> {
    let mut mean = vec![0.0; examples.x().cols()];
    for row in rows {
        let values = examples.x().row(*row);
        mean.iter_mut().zip(values).for_each(|(sum, value)| *sum += f64::from(*value) / rows.len() as f64);
    }
    mean
}
