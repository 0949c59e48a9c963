//! The best division of a case by one attribute: what a rule "by size" or "by camera" would be worth.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::attributes::{ANNOTATOR, Attribute, AttributeValues};
use crate::moment;

/// One of the two classes of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// How values of an attribute become sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Split {
    /// By a number.
    At {
        /// What parts the two.
        threshold: f64,
        /// The side of numbers below it; those from it on are on the other.
        below: Side,
    },
    /// By a day or time.
    Before {
        /// What parts the two, such as `2031-05-28 14:05`.
        date: String,
        /// The side of what was before it; what was from it on is on the other.
        earlier: Side,
    },
    /// By a name.
    Among {
        /// Ascending: those on the first side; all others are on the second.
        a: Vec<String>,
    },
}

impl Split {
    /// The side an example is on; `None` where the attribute is not known of it, or of another kind than the division.
    pub fn side(&self, values: &AttributeValues, row: usize) -> Option<Side> {
        match (self, values) {
            (Self::At { threshold, below }, AttributeValues::Numbers(numbers)) => {
                let value = numbers.get(row).copied().flatten().filter(|value| value.is_finite())?;
                Some(if value < *threshold { *below } else { below.other() })
            }
            (Self::Before { date, earlier }, AttributeValues::Times(times)) => {
                let time = times.get(row).copied().flatten()?;
                Some(if time < moment::seconds(date)? { *earlier } else { earlier.other() })
            }
            (Self::Among { a }, AttributeValues::Names(names)) => {
                let name = names.get(row)?.as_ref()?;
                Some(if a.contains(name) { Side::A } else { Side::B })
            }
            _ => None,
        }
    }
}

/// A division with how well it tells the sides apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Stump {
    /// Which attribute.
    pub attribute: usize,
    /// How it divides.
    pub split: Split,
    /// Share of examples on the right side when each is left out in turn while the division is chosen.
    pub accuracy: f64,
    /// The same for always saying the side that has more.
    pub baseline: f64,
    /// Examples that have a value.
    pub n: usize,
}

/// The stump with the highest accuracy over that of saying always the same; `None` when none is better than that.
///
/// `rows` are those of the case, `sides` which side each is on.
pub(super) fn best_stump(attributes: &[Attribute], rows: &[usize], sides: &[Side]) -> Option<Stump> {
    let of = |(place, attribute): (usize, &Attribute)| match &attribute.values {
        AttributeValues::Numbers(values) => of_numbers(place, known(values, rows, sides)),
        AttributeValues::Times(values) => of_times(place, known(values, rows, sides)),
        AttributeValues::Names(values) => {
            let known =
                rows.iter().zip(sides).filter_map(|(row, side)| Some((values[*row].as_deref()?, *side)));
            of_names(place, &known.collect::<Vec<_>>())
        }
    };
    let better = |stump: &Stump| stump.accuracy - stump.baseline;
    attributes
        .iter()
        .enumerate()
        .filter(|(_, attribute)| attribute.name != ANNOTATOR)
        .filter_map(of)
        .filter(|stump| better(stump) > 0.0)
        .reduce(|best, next| if better(&next) > better(&best) { next } else { best })
}

/// Where sorted numbers are divided best: the place before which is `below`, and how many are right. Places between equal
/// numbers are none; of equally good ones the first is taken. `left_out` is a place that does not count.
fn best_place(sorted: &[(f64, Side)], left_out: Option<usize>) -> Option<(f64, Side, usize)> {
    let counts = |side: Side| {
        sorted.iter().enumerate().filter(|(place, known)| Some(*place) != left_out && known.1 == side).count()
    };
    let (all_a, all_b) = (counts(Side::A), counts(Side::B));
    let (mut below_a, mut below_b) = (0, 0);
    let mut before: Option<f64> = None;
    let mut best: Option<(f64, Side, usize)> = None;
    for (_, (value, side)) in sorted.iter().enumerate().filter(|(place, _)| Some(*place) != left_out) {
        if let Some(last) = before.filter(|last| last < value) {
            let threshold = f64::midpoint(last, *value);
            for (below, right) in [(Side::A, below_a + all_b - below_b), (Side::B, below_b + all_a - below_a)]
            {
                if best.is_none_or(|(_, _, most)| right > most) {
                    best = Some((threshold, below, right));
                }
            }
        }
        match side {
            Side::A => below_a += 1,
            Side::B => below_b += 1,
        }
        before = Some(*value);
    }
    best
}

fn known(values: &[Option<f64>], rows: &[usize], sides: &[Side]) -> Vec<(f64, Side)> {
    let known = |(row, side): (&usize, &Side)| {
        let value: Option<f64> = values[*row];
        Some((value.filter(|value| value.is_finite())?, *side))
    };
    rows.iter().zip(sides).filter_map(known).collect()
}

/// Divided as numbers, by a date that people would name.
fn of_times(attribute: usize, known: Vec<(f64, Side)>) -> Option<Stump> {
    let times: Vec<f64> = known.iter().map(|known| known.0).collect();
    let found = of_numbers(attribute, known)?;
    let Split::At { threshold, below } = found.split else { return None };
    let last = times.iter().copied().filter(|time| *time < threshold).fold(f64::NEG_INFINITY, f64::max);
    let first = times.into_iter().filter(|time| *time >= threshold).fold(f64::INFINITY, f64::min);
    let split = Split::Before { date: moment::told(moment::between(last, first)), earlier: below };
    Some(Stump { split, ..found })
}

fn of_numbers(attribute: usize, mut known: Vec<(f64, Side)>) -> Option<Stump> {
    known.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (threshold, below, _) = best_place(&known, None)?;
    let right = (0..known.len()).filter(|place| {
        let (value, side) = known[*place];
        best_place(&known, Some(*place)).is_some_and(|(threshold, below, _)| {
            side == if value < threshold { below } else { below.other() }
        })
    });
    let accuracy = right.count() as f64 / known.len() as f64;
    let sides: Vec<Side> = known.iter().map(|known| known.1).collect();
    let split = Split::At { threshold, below };
    Some(Stump { attribute, split, accuracy, baseline: baseline(&sides), n: known.len() })
}

fn of_names(attribute: usize, known: &[(&str, Side)]) -> Option<Stump> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (name, side) in known {
        let count = counts.entry(name).or_default();
        match side {
            Side::A => count.0 += 1,
            Side::B => count.1 += 1,
        }
    }
    // One that is left out is on the right side when most others of its name are.
    let right: usize = counts
        .values()
        .map(|(a, b)| {
            if a > &(b + 1) {
                *a
            } else if b > &(a + 1) {
                *b
            } else {
                0
            }
        })
        .sum();
    let a: Vec<String> =
        counts.iter().filter(|(_, (a, b))| a > b).map(|(name, _)| (*name).to_owned()).collect();
    if a.is_empty() || a.len() == counts.len() {
        return None;
    }
    let sides: Vec<Side> = known.iter().map(|known| known.1).collect();
    let accuracy = right as f64 / known.len() as f64;
    Some(Stump { attribute, split: Split::Among { a }, accuracy, baseline: baseline(&sides), n: known.len() })
}

fn baseline(sides: &[Side]) -> f64 {
    let a = sides.iter().filter(|side| **side == Side::A).count();
    a.max(sides.len() - a) as f64 / sides.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stump(values: AttributeValues, sides: &[Side]) -> Option<Stump> {
        let rows: Vec<usize> = (0..sides.len()).collect();
        best_stump(&[Attribute { name: "it".to_owned(), values }], &rows, sides)
    }

    #[test]
    fn times_are_divided_by_a_date() {
        let at = |day: u32| moment::seconds(&format!("2031-05-{day:02} 10:30"));
        let times = AttributeValues::Times((1..=10).map(|day| at(day + day / 6 * 9)).collect());
        let sides: Vec<Side> = (0..10).map(|at| if at < 5 { Side::B } else { Side::A }).collect();
        let found = stump(times.clone(), &sides).unwrap();
        assert_eq!(found.split, Split::Before { date: "2031-05-15".to_owned(), earlier: Side::B });
        assert_eq!((0..10).map(|row| found.split.side(&times, row).unwrap()).collect::<Vec<_>>(), sides);
        let numbers = AttributeValues::Numbers(vec![Some(1.0); 10]);
        assert_eq!(found.split.side(&numbers, 0), None);
    }

    #[test]
    fn a_threshold_lies_between_the_sides() {
        let sides: Vec<Side> = (0..10).map(|at| if at < 5 { Side::B } else { Side::A }).collect();
        let found = stump(
            AttributeValues::Numbers((0..10).map(|at| Some(f64::from(at + at / 5 * 5))).collect()),
            &sides,
        )
        .unwrap();
        assert_eq!(found.split, Split::At { threshold: 7.0, below: Side::B });
        assert_eq!((found.accuracy, found.baseline, found.n), (1.0, 0.5, 10));
    }

    #[test]
    fn names_go_to_the_side_most_of_them_have() {
        let names = ["x", "x", "x", "y", "y", "y", "y", "z"].map(|name| Some(name.to_owned())).to_vec();
        let [a, b] = [Side::A, Side::B];
        let found = stump(AttributeValues::Names(names.clone()), &[a, a, a, b, b, b, b, a]).unwrap();
        assert_eq!(found.split, Split::Among { a: vec!["x".to_owned(), "z".to_owned()] });
        assert_eq!(found.accuracy, 7.0 / 8.0, "the lone z, left out, says nothing");
        assert_eq!(
            stump(AttributeValues::Names(names), &[a, a, b, a, a, b, b, b]),
            None,
            "no better than saying one side"
        );
    }

    #[test]
    fn what_says_nothing_is_no_stump() {
        let sides = [Side::A, Side::B, Side::A, Side::B];
        assert_eq!(stump(AttributeValues::Numbers(vec![Some(1.0); 4]), &sides), None);
        assert_eq!(stump(AttributeValues::Numbers(vec![None; 4]), &sides), None);
        assert_eq!(stump(AttributeValues::Names(vec![None; 4]), &sides), None);
    }
}
