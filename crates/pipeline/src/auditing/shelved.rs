//! A label book in its file: rules that were decided are taken in, and labels are heard about as they are given (methods 3.8.6).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use curate::attributes::{Attribute, AttributeValues};
use curate::book::{self, Book, Decision, Draft, Entry, Expected, Language, NewLabel, Rule, markdown};
use serde::{Deserialize, Serialize};
use store::Hash;

use super::attributes;
use super::material::narrow;
use super::media::Media;
use crate::features::Table;
use crate::report::Sentence;
use crate::{ApplyError, PipelineError, Run};

/// Bytes of the largest book that is read.
const MOST_BYTES: u64 = 1 << 28;

/// A case that wants a rule, as the file of findings keeps it until somebody decides.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredCase {
    /// The number of its finding.
    pub finding: usize,
    /// The base whose features it holds; of several senses all of theirs.
    pub base: String,
    /// What its entry of the label book will hold.
    pub draft: Draft,
}

impl StoredCase {
    fn dim(&self) -> usize {
        self.draft.region.centroid.len()
    }
}

/// A book in its file.
#[derive(Debug)]
pub(crate) struct Shelved {
    path: PathBuf,
    book: Option<Book>,
    /// What the file holds; `None` where there is none, or where the book has changed since.
    text: Option<String>,
}

/// What a book was when labels were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BookState {
    /// Of its file.
    pub hash: String,
    /// Rules in it.
    pub n_rules: usize,
}

/// A label that was given though a rule of the book speaks against it.
#[derive(Debug, Clone, Serialize)]
pub struct Against {
    /// The example.
    pub id: String,
    /// The label.
    pub given: String,
    /// The number of the rule in its file, counted from 1.
    pub rule: usize,
    /// The rule in words.
    pub says: Sentence,
    /// The label it asks for; absent where it says that such examples are not used.
    pub asks: Option<String>,
    /// That of the rule's own examples which is most like this one.
    pub like: String,
}

/// What a book says about labels that are given.
#[derive(Debug, Default)]
pub(crate) struct HeardOf {
    pub(crate) against: Vec<Against>,
    /// Labels of which no rule could tell: it was decided with another base, or asks for what is not known of the example.
    pub(crate) n_unheard: usize,
}

impl Shelved {
    /// Reads a book; where there is none yet, it begins with the first rule.
    pub(crate) fn open(path: &Path) -> Result<Self, PipelineError> {
        let told = |source| ApplyError::Open { path: path.to_owned(), source };
        if !path.exists() {
            return Ok(Self { path: path.to_owned(), book: None, text: None });
        }
        if std::fs::metadata(path).map_err(told)?.len() > MOST_BYTES {
            let detail = format!("it has more than {MOST_BYTES} bytes");
            return Err(ApplyError::Malformed { path: path.to_owned(), detail }.into());
        }
        let text = std::fs::read_to_string(path).map_err(told)?;
        let book = Book::parse(&path.display().to_string(), &text)?;
        Ok(Self { path: path.to_owned(), book: Some(book), text: Some(text) })
    }

    /// The rules, if there are any.
    pub(super) fn book(&self) -> Option<&Book> {
        self.book.as_ref()
    }

    /// Takes in a rule that was decided about a case, and says whether it is new: the last word about a case is not written twice.
    pub(crate) fn add(&mut self, case: &StoredCase, decision: Decision<'_>) -> Result<bool, ApplyError> {
        let book = self.book.get_or_insert_with(|| Book::new(&case.base, case.dim()));
        if (book.base.as_str(), book.dim) != (case.base.as_str(), case.dim()) {
            return Err(ApplyError::OtherBook {
                path: self.path.clone(),
                of_book: book.base.clone(),
                dim: book.dim,
                of_findings: case.base.clone(),
                got: case.dim(),
            });
        }
        let entry = case.draft.clone().decided(decision);
        let is_about =
            |other: &&Entry| (&other.a, &other.b, &other.members) == (&entry.a, &entry.b, &entry.members);
        let is_new = book.entries.iter().rev().find(is_about).is_none_or(|last| last.rule != entry.rule);
        if is_new {
            book.entries.push(entry);
            self.text = None;
        }
        Ok(is_new)
    }

    /// The files that are to be written, with pages to read in both languages beside the book; none where no rule is new.
    pub(crate) fn files(&self) -> Result<Vec<(PathBuf, String)>, PipelineError> {
        let Some(book) = self.book.as_ref().filter(|_| self.text.is_none()) else { return Ok(Vec::new()) };
        Ok(vec![
            (self.path.clone(), book.to_json()?),
            (self.path.with_extension("md"), markdown(book, Language::English)),
            (self.path.with_extension("zh.md"), markdown(book, Language::Chinese)),
        ])
    }

    /// How it stands; `None` where no rule was ever decided.
    pub(crate) fn state(&self) -> Result<Option<BookState>, PipelineError> {
        let Some(book) = &self.book else { return Ok(None) };
        let text = self.text.clone().map_or_else(|| book.to_json(), Ok)?;
        Ok(Some(BookState { hash: Hash::of(text.as_bytes()).to_string(), n_rules: book.entries.len() }))
    }

    /// What its rules have against labels that are given, each as its example and the label.
    pub(crate) fn heard(
        &self,
        table: &Table,
        base: &str,
        given: &[(&str, &str)],
        run: &Run<'_>,
    ) -> Result<HeardOf, PipelineError> {
        let Some(book) = &self.book else { return Ok(HeardOf::default()) };
        let x = narrow(table.pooled());
        if (book.base.as_str(), book.dim) != (base, x.cols()) {
            return Ok(HeardOf { n_unheard: given.len(), ..HeardOf::default() });
        }
        let examples = table.data.examples.iter().enumerate();
        let rows: BTreeMap<&str, usize> =
            examples.map(|(row, example)| (example.id.0.as_str(), row)).collect();
        let known: Vec<(usize, &str, &str)> =
            given.iter().filter_map(|(id, label)| Some((*rows.get(id)?, *id, *label))).collect();
        let attributes = known_of(table, &known.iter().map(|label| label.0).collect::<Vec<_>>(), book, run)?;
        let mut heard = HeardOf { n_unheard: given.len() - known.len(), ..HeardOf::default() };
        for (place, (row, id, label)) in known.into_iter().enumerate() {
            let new = NewLabel { id, features: x.row(row), attributes: &attributes, row: place, label };
            let Some(found) = book::first_told(book::check(book, base, new)?) else { continue };
            let asks = match found.expected {
                Expected::Label(label) => Some(label),
                Expected::Excluded => None,
                Expected::Unknown { .. } => {
                    heard.n_unheard += 1;
                    continue;
                }
            };
            heard.against.push(Against {
                id: id.to_owned(),
                given: label.to_owned(),
                rule: found.entry + 1,
                says: in_words(&book.entries[found.entry]),
                asks,
                like: found.nearest,
            });
        }
        Ok(heard)
    }
}

fn in_words(entry: &Entry) -> Sentence {
    let words = |language| book::words(&entry.rule, (&entry.a, &entry.b), language);
    Sentence { en: words(Language::English), zh: words(Language::Chinese) }
}

/// What is known of some rows. Files are read only where a rule asks for what no column says.
fn known_of(
    table: &Table,
    rows: &[usize],
    book: &Book,
    run: &Run<'_>,
) -> Result<Vec<Attribute>, PipelineError> {
    let mut known: Vec<Attribute> =
        attributes::columns(&table.data).iter().map(|column| picked(column, rows)).collect();
    let asks = |entry: &Entry| match &entry.rule {
        Rule::Split { attribute, .. } => known.iter().all(|column| column.name != *attribute),
        _ => false,
    };
    if book.entries.iter().any(asks) {
        let mut data = table.data.clone();
        data.examples = rows.iter().map(|row| table.data.examples[*row].clone()).collect();
        known.extend(attributes::measured(&data, &Media::measure(&data, &[], run)?));
    }
    Ok(known)
}

/// The values of some rows.
fn picked(column: &Attribute, rows: &[usize]) -> Attribute {
    fn of<T: Clone>(values: &[T], rows: &[usize]) -> Vec<T> {
        rows.iter().map(|row| values[*row].clone()).collect()
    }
    let values = match &column.values {
        AttributeValues::Numbers(values) => AttributeValues::Numbers(of(values, rows)),
        AttributeValues::Times(values) => AttributeValues::Times(of(values, rows)),
        AttributeValues::Names(values) => AttributeValues::Names(of(values, rows)),
    };
    Attribute { name: column.name.clone(), values }
}
