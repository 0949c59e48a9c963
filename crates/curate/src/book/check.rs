//! What the book says about labels.

use std::collections::BTreeSet;

use linalg::MatrixView;

use super::space::{distance, placed};
use super::{Book, BookError, Entry, Rule};
use crate::attributes::Attribute;
use crate::consistency::Side;

/// A label that somebody is about to give.
#[derive(Debug, Clone, Copy)]
pub struct NewLabel<'a> {
    /// Of the example.
    pub id: &'a str,
    /// `[dim]`, from the base of the book.
    pub features: &'a [f32],
    /// What is known of examples, and which row of it is this one.
    pub attributes: &'a [Attribute],
    /// The row.
    pub row: usize,
    /// The label.
    pub label: &'a str,
}

/// What a rule says about an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// It has this label.
    Label(String),
    /// It should not be used.
    Excluded,
    /// The rule needs an attribute that is not known of it.
    Unknown {
        /// Which.
        attribute: String,
    },
}

/// A label that a rule speaks against, or cannot be checked by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Contradiction {
    /// Place of the entry in [`Book::entries`].
    pub entry: usize,
    /// What it says.
    pub expected: Expected,
    /// Id of the exemplar that is most like the example; empty when the entry has none.
    pub nearest: String,
    /// Distance of the example to the centroid of the entry.
    pub distance: f32,
}

/// A label that the book changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Relabel {
    /// Which example.
    pub row: usize,
    /// Its id.
    pub id: String,
    /// The label it has.
    pub given: String,
    /// What it should be.
    pub expected: Expected,
    /// Place of the entry in [`Book::entries`].
    pub entry: usize,
}

/// Says which rules a label contradicts, the latest first. A rule speaks about examples of its two classes that lie within its
/// radius, or that it was decided for (the same id, no farther than its farthest member).
///
/// # Errors
/// Features from another base, of another length, or not finite.
pub fn check(book: &Book, base: &str, new: NewLabel<'_>) -> Result<Vec<Contradiction>, BookError> {
    if base != book.base {
        return Err(BookError::OtherBase { got: base.to_owned(), expected: book.base.clone() });
    }
    if new.features.len() != book.dim {
        return Err(BookError::Shape { what: "features", got: new.features.len(), expected: book.dim });
    }
    if new.features.iter().any(|value| !value.is_finite()) {
        return Err(BookError::NotFinite { row: new.row });
    }
    let at = placed(new.features);
    let mut answered = BTreeSet::new();
    let mut found = Vec::new();
    for (place, entry) in book.entries.iter().enumerate().rev() {
        let off = distance(&at, &entry.region.centroid);
        let classes = (entry.a.clone().min(entry.b.clone()), entry.a.clone().max(entry.b.clone()));
        if !concerns(entry, &new, off) || !answered.insert(classes) {
            continue;
        }
        let expected = expected(entry, &new);
        if expected != Expected::Label(new.label.to_owned()) {
            found.push(Contradiction { entry: place, expected, nearest: nearest(entry, &at), distance: off });
        }
    }
    Ok(found)
}

/// Says which labels of a data set the book changes; it changes none itself. Where several rules do, the latest counts.
///
/// `x` is `[n, dim]`; `ids`, `labels` and every attribute are `[n]`; examples without a label are left alone.
///
/// # Errors
/// As [`check`](fn@check), or parts that differ in number.
pub fn apply(
    book: &Book,
    base: &str,
    x: MatrixView<'_>,
    ids: &[String],
    labels: &[Option<String>],
    attributes: &[Attribute],
) -> Result<Vec<Relabel>, BookError> {
    let n = x.rows();
    let lengths = attributes.iter().map(|attribute| ("values of an attribute", attribute.values.len()));
    let mut lengths = [("ids", ids.len()), ("labels", labels.len())].into_iter().chain(lengths);
    if let Some((what, got)) = lengths.find(|(_, got)| *got != n) {
        return Err(BookError::Shape { what, got, expected: n });
    }
    let mut relabels = Vec::new();
    for (row, label) in labels.iter().enumerate() {
        let Some(label) = label else { continue };
        let new = NewLabel { id: &ids[row], features: x.row(row), attributes, row, label };
        if let Some(Contradiction { entry, expected, .. }) = first_told(check(book, base, new)?) {
            relabels.push(Relabel { row, id: ids[row].clone(), given: label.clone(), expected, entry });
        }
    }
    Ok(relabels)
}

/// The first contradiction that says what it asks for; only where none does, one that does not.
pub fn first_told(found: Vec<Contradiction>) -> Option<Contradiction> {
    let told = found.iter().position(|found| !matches!(found.expected, Expected::Unknown { .. }));
    found.into_iter().nth(told.unwrap_or(0))
}

fn concerns(entry: &Entry, new: &NewLabel<'_>, off: f32) -> bool {
    let member = || off <= entry.region.reach && entry.members.iter().any(|id| id == new.id);
    (new.label == entry.a || new.label == entry.b) && (off <= entry.region.radius || member())
}

fn expected(entry: &Entry, new: &NewLabel<'_>) -> Expected {
    let label = |side: Side| {
        Expected::Label(match side {
            Side::A => entry.a.clone(),
            Side::B => entry.b.clone(),
        })
    };
    match &entry.rule {
        Rule::AllA => label(Side::A),
        Rule::AllB => label(Side::B),
        Rule::NewClass { name } => Expected::Label(name.clone()),
        Rule::Exclude => Expected::Excluded,
        Rule::Split { attribute, by } => {
            let values =
                new.attributes.iter().find(|known| known.name == *attribute).map(|known| &known.values);
            values
                .and_then(|values| by.side(values, new.row))
                .map_or(Expected::Unknown { attribute: attribute.clone() }, label)
        }
    }
}

fn nearest(entry: &Entry, at: &[f32]) -> String {
    let off = |features: &[f32]| distance(&placed(features), at);
    let nearest = entry.exemplars.iter().min_by(|x, y| off(&x.features).total_cmp(&off(&y.features)));
    nearest.map_or_else(String::new, |exemplar| exemplar.id.clone())
}
