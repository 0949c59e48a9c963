//! Why a label book cannot be used.

use super::{Entry, Rule};
use crate::consistency::Split;
use crate::moment;

/// What is wrong with a book, or with how it is used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum BookError {
    /// It is not JSON, or not that of a book.
    #[error("`{name}`, line {line}, column {column}: {detail}")]
    Broken { name: String, line: usize, column: usize, detail: String },
    /// It was written by another version.
    #[error("`{name}` has version {got} of the format of label books; this program reads version {expected}")]
    Version { name: String, got: u32, expected: u32 },
    /// One entry contradicts itself.
    #[error("entry {entry} of `{name}`: {fault}")]
    Entry { name: String, entry: usize, fault: EntryFault },
    /// The features come from somewhere else.
    #[error("the book was made with the base `{expected}`, the features are from `{got}`")]
    OtherBase { got: String, expected: String },
    /// The parts of the input do not fit together.
    #[error("{what}: got {got}, expected {expected}")]
    Shape { what: &'static str, got: usize, expected: usize },
    /// A feature is not a number.
    #[error("the features of row {row} are not finite")]
    NotFinite { row: usize },
}

/// How an entry contradicts itself.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum EntryFault {
    /// Something has no name.
    #[error("{what} is empty")]
    Empty { what: &'static str },
    /// The two classes are one, or the new class is one of them.
    #[error("`{class}` is named twice as a class")]
    SameClass { class: String },
    /// Vectors of the wrong length.
    #[error("{what} has {got} numbers, expected {expected}")]
    Dim { what: String, got: usize, expected: usize },
    /// A number that is none, or a distance below zero.
    #[error("{what} is not a finite number, or below zero")]
    Number { what: String },
    /// Not a day.
    #[error("`{date}` is not a date such as 2031-05-28")]
    Date { date: String },
}

impl Entry {
    /// Refuses what cannot be right.
    pub(super) fn check(&self, dim: usize) -> Result<(), EntryFault> {
        let texts = [("class a", &self.a), ("class b", &self.b), ("the author", &self.author)];
        if let Some((what, _)) = texts.into_iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(EntryFault::Empty { what });
        }
        if self.a == self.b {
            return Err(EntryFault::SameClass { class: self.a.clone() });
        }
        if !is_date(&self.date) {
            return Err(EntryFault::Date { date: self.date.clone() });
        }
        self.check_rule()?;
        vector("the centroid", &self.region.centroid, dim)?;
        for (what, value) in [("the radius", self.region.radius), ("the reach", self.region.reach)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(EntryFault::Number { what: what.to_owned() });
            }
        }
        self.exemplars.iter().try_for_each(|exemplar| {
            vector(&format!("the exemplar `{}`", exemplar.id), &exemplar.features, dim)
        })
    }

    fn check_rule(&self) -> Result<(), EntryFault> {
        match &self.rule {
            Rule::NewClass { name } if name.trim().is_empty() => {
                Err(EntryFault::Empty { what: "the new class" })
            }
            Rule::NewClass { name } if *name == self.a || *name == self.b => {
                Err(EntryFault::SameClass { class: name.clone() })
            }
            Rule::Split { attribute, .. } if attribute.trim().is_empty() => {
                Err(EntryFault::Empty { what: "the attribute" })
            }
            Rule::Split { by: Split::At { threshold, .. }, .. } if !threshold.is_finite() => {
                Err(EntryFault::Number { what: "the threshold".to_owned() })
            }
            Rule::Split { by: Split::Before { date, .. }, .. } if moment::seconds(date).is_none() => {
                Err(EntryFault::Date { date: date.clone() })
            }
            Rule::Split { by: Split::Among { a }, .. } if a.is_empty() => {
                Err(EntryFault::Empty { what: "the list of names" })
            }
            _ => Ok(()),
        }
    }
}

fn vector(what: &str, values: &[f32], dim: usize) -> Result<(), EntryFault> {
    if values.len() != dim {
        return Err(EntryFault::Dim { what: what.to_owned(), got: values.len(), expected: dim });
    }
    if values.iter().any(|value| !value.is_finite()) {
        return Err(EntryFault::Number { what: what.to_owned() });
    }
    Ok(())
}

/// Whether it is a year, a month and a day that the month has.
fn is_date(date: &str) -> bool {
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let digits =
        |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return false;
    }
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    (1..=moment::days_of_month(number(year), number(month))).contains(&number(day))
}
