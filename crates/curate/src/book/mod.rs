//! The label book: which rule was decided on for examples that look alike, with examples of it (methods 3.8).
//!
//! [`decide`] makes an entry of a [case](crate::consistency::Case) and its answer, a [`Draft`] waits for it, [`Book::parse`] and [`Book::to_json`] are the
//! file, [`markdown`](fn@markdown) is for people, [`check`](fn@check) is for new labels and [`apply`] for a whole data set.

mod check;
mod decide;
mod error;
mod markdown;
mod space;

use serde::{Deserialize, Serialize};

use crate::consistency::Split;

pub use check::{Contradiction, Expected, NewLabel, Relabel, apply, check, first_told};
pub use decide::{Decision, Draft, decide};
pub use error::{BookError, EntryFault};
pub use markdown::{Language, cell, markdown, words};

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// Rules, in the order in which they were decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// [`VERSION`]
    pub version: u32,
    /// The base, with its revision, whose features the entries hold: others cannot be compared with them.
    pub base: String,
    /// Number of features.
    pub dim: usize,
    /// Where two about the same classes match one example, the later one counts.
    pub entries: Vec<Entry>,
}

/// One rule, where it holds, and who decided on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The first class.
    pub a: String,
    /// The second class.
    pub b: String,
    /// What was decided.
    pub rule: Rule,
    /// Where it holds.
    pub region: Region,
    /// Examples that show what it is about.
    pub exemplars: Vec<Exemplar>,
    /// Ids of the examples it was decided for.
    pub members: Vec<String>,
    /// `YYYY-MM-DD`
    pub date: String,
    /// Who decided.
    pub author: String,
    /// Of the data it was decided on.
    pub fingerprint: String,
}

/// What examples of two classes in one region are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// All have the first class.
    AllA,
    /// All have the second class.
    AllB,
    /// An attribute decides.
    Split {
        /// Its name.
        attribute: String,
        /// How.
        by: Split,
    },
    /// They are a class of their own.
    NewClass {
        /// Its name.
        name: String,
    },
    /// They should not be used.
    Exclude,
}

/// A ball in the space of features, each vector brought to length 1 where there are more than three.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// `[dim]`
    pub centroid: Vec<f32>,
    /// Euclidean distance up to which a new example belongs to it.
    pub radius: f32,
    /// The distance of the farthest member.
    pub reach: f32,
}

/// An example that shows what a rule is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemplar {
    /// Which example.
    pub id: String,
    /// The label it had when the rule was made.
    pub given: String,
    /// `[dim]`, as they come from the base.
    pub features: Vec<f32>,
}

impl Book {
    /// A book without entries.
    pub fn new(base: &str, dim: usize) -> Self {
        Self { version: VERSION, base: base.to_owned(), dim, entries: Vec::new() }
    }

    /// Reads a book; `name` is that of its file, for errors.
    ///
    /// # Errors
    /// What is not JSON of a book, has another version, or contradicts itself.
    pub fn parse(name: &str, text: &str) -> Result<Self, BookError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let broken = |error: serde_json::Error| BookError::Broken {
            name: name.to_owned(),
            line: error.line(),
            column: error.column(),
            detail: error.to_string(),
        };
        let Versioned { version } = serde_json::from_str(text).map_err(broken)?;
        if version != VERSION {
            return Err(BookError::Version { name: name.to_owned(), got: version, expected: VERSION });
        }
        let book: Self = serde_json::from_str(text).map_err(broken)?;
        book.faults().map_err(|(entry, fault)| BookError::Entry { name: name.to_owned(), entry, fault })?;
        Ok(book)
    }

    /// The text of the file; [`Book::parse`] gives the same book back.
    ///
    /// # Errors
    /// An entry that contradicts itself, which would not be read again.
    pub fn to_json(&self) -> Result<String, BookError> {
        let name = || "the book".to_owned();
        self.faults().map_err(|(entry, fault)| BookError::Entry { name: name(), entry, fault })?;
        let text = serde_json::to_string_pretty(self).expect("a book has only texts and finite numbers");
        Ok(text + "\n")
    }

    /// The first entry, counted from 1, that contradicts itself.
    fn faults(&self) -> Result<(), (usize, EntryFault)> {
        let mut entries = self.entries.iter().enumerate();
        entries.try_for_each(|(place, entry)| entry.check(self.dim).map_err(|fault| (place + 1, fault)))
    }
}
