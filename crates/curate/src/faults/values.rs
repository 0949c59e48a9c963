//! Fields that are missing, and columns that only number the examples.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Checked, Evidence, Fault};
use crate::attributes::{Attribute, AttributeValues};

/// Share of the examples that must have a field for its absence to be a fault.
const EXPECTED: f64 = 0.5;
/// Share of the known values that must differ in a column of names.
const DISTINCT: f64 = 0.99;
/// Fewer known values are no pattern.
const FEWEST: usize = 20;
/// The largest share of gaps in a numbering.
const GAPS: f64 = 0.1;

/// How often a field is missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missing {
    /// The name of the field.
    pub field: String,
    /// Examples without it; a number that is not finite is missing.
    pub count: usize,
    /// Their share, 0 without examples.
    pub share: f64,
}

/// A column that says which example it is, and nothing about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Identifier {
    /// The name of the column.
    pub column: String,
    /// Share of its known values that differ.
    pub distinct: f64,
    /// Whether it numbers the examples in their order.
    pub in_order: bool,
}

/// How often each field is missing, in the order given; fields that never are come too.
pub fn missing(attributes: &[Attribute]) -> Vec<Missing> {
    let of = |attribute: &Attribute| {
        let n = attribute.values.len();
        let count = (0..n).filter(|row| attribute.values.is_unknown(*row)).count();
        Missing { field: attribute.name.clone(), count, share: count as f64 / n.max(1) as f64 }
    };
    attributes.iter().map(of).collect()
}

/// Flags those of `n` examples that lack a field which most have. The score is the share of such fields that are there; without
/// any such field there is none.
///
/// # Panics
/// When an attribute has not `n` values.
pub fn missing_values(attributes: &[Attribute], n: usize) -> Checked {
    let expected: Vec<&Attribute> = attributes
        .iter()
        .zip(missing(attributes))
        .filter(|(_, missing)| missing.share <= 1.0 - EXPECTED)
        .map(|(attribute, _)| attribute)
        .collect();
    let score = |row: usize| {
        let there = expected.iter().filter(|attribute| !attribute.values.is_unknown(row)).count();
        (!expected.is_empty()).then(|| there as f64 / expected.len() as f64)
    };
    let checked = Checked::known_below(Fault::MissingValue, (0..n).map(score).collect(), 1.0);
    checked.because(|row| {
        let lacking = expected.iter().filter(|attribute| attribute.values.is_unknown(row));
        Evidence::Fields(lacking.map(|attribute| attribute.name.clone()).collect())
    })
}

/// Columns in which every example has a value of its own: names that all differ, or whole numbers without large gaps that do. A model
/// that is given such a column learns examples by heart. Measurements with decimals differ too and are none.
pub fn identifiers(attributes: &[Attribute]) -> Vec<Identifier> {
    attributes.iter().filter_map(identifier).collect()
}

fn identifier(attribute: &Attribute) -> Option<Identifier> {
    let (known, different, in_order) = match &attribute.values {
        AttributeValues::Names(names) => {
            let known: Vec<&String> = names.iter().flatten().collect();
            let in_order = known.is_sorted_by(|a, b| a < b);
            (known.len(), known.into_iter().collect::<BTreeSet<_>>().len(), in_order)
        }
        // When something was made says something about it, however exactly.
        AttributeValues::Times(_) => return None,
        AttributeValues::Numbers(numbers) => {
            let known: Vec<f64> =
                numbers.iter().flatten().copied().filter(|number| number.is_finite()).collect();
            let mut sorted = known.clone();
            sorted.sort_by(f64::total_cmp);
            sorted.dedup();
            let span = sorted.last()? - sorted.first()? + 1.0;
            let is_numbering = known.iter().all(|number| number.fract() == 0.0)
                && sorted.len() as f64 >= (1.0 - GAPS) * span;
            // Whole numbers that repeat, such as a count, are no numbering.
            (known.len(), if is_numbering { sorted.len() } else { 0 }, known.is_sorted_by(|a, b| a < b))
        }
    };
    let distinct = different as f64 / known.max(1) as f64;
    (known >= FEWEST && distinct >= DISTINCT).then(|| Identifier {
        column: attribute.name.clone(),
        distinct,
        in_order,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(name: &str, of: impl Fn(usize) -> Option<f64>) -> Attribute {
        Attribute { name: name.to_owned(), values: AttributeValues::Numbers((0..40).map(of).collect()) }
    }

    fn names(name: &str, of: impl Fn(usize) -> Option<String>) -> Attribute {
        Attribute { name: name.to_owned(), values: AttributeValues::Names((0..40).map(of).collect()) }
    }

    #[test]
    fn missing_fields_are_counted_and_optional_ones_are_no_fault() {
        let fields = [
            numbers("weight", |row| (row != 7).then_some(if row == 9 { f64::NAN } else { 1.0 })),
            names("colour", |row| (row != 7).then(|| "red".to_owned())),
            names("remark", |row| (row < 5).then(String::new)),
        ];
        let counts: Vec<usize> = missing(&fields).into_iter().map(|missing| missing.count).collect();
        assert_eq!(counts, [2, 1, 35]);
        let found = missing_values(&fields, 40);
        assert_eq!(found.flagged, [7, 9]);
        assert_eq!((found.scores[7], found.scores[9], found.scores[0]), (Some(0.0), Some(0.5), Some(1.0)));
        assert_eq!(found.evidence[&9], Evidence::Fields(vec!["weight".to_owned()]));
        assert_eq!(missing_values(&fields[2..], 40).scores, [None; 40]);
        assert!(missing_values(&[], 0).scores.is_empty());
    }

    #[test]
    fn numberings_and_names_are_told_from_measurements() {
        let columns = [
            numbers("row", |row| Some(row as f64 + 100.0)),
            numbers("shuffled", |row| Some((row * 7 % 40) as f64)),
            numbers("weight", |row| Some(row as f64 * 0.37)),
            numbers("pages", |row| Some((row % 20) as f64)),
            numbers("postcode", |row| Some((row * row * 31) as f64)),
            names("uuid", |row| Some(format!("{:x}", (row + 1) * 0x9E37_79B9))),
            names("colour", |row| Some(format!("{}", row % 3))),
            Attribute {
                name: "taken".to_owned(),
                values: AttributeValues::Times((0..40).map(|row| Some(f64::from(row) * 60.0)).collect()),
            },
            names("rare", |row| (row < 10).then(|| format!("{row}"))),
        ];
        let found: Vec<(String, bool)> =
            identifiers(&columns).into_iter().map(|found| (found.column, found.in_order)).collect();
        let expected = [("row", true), ("shuffled", false), ("uuid", false)];
        assert_eq!(found, expected.map(|(name, in_order)| (name.to_owned(), in_order)));
    }
}
