//! The label book: rules that were decided are written into it, and labels are checked against it (methods 3.8.6).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use curate::book::{self, Book, Decision, Expected, Language, Rule, decide, markdown};
use curate::consistency::{Consistency, Labelled};
use curate::faults::Fault;
use dataset::Dataset;

use super::material::{Material, Nearness};
use super::media::Media;
use super::whole::Told;
use super::worklist::Action;
use super::{checks, rules};
use crate::features::Table;
use crate::report::Sentence;
use crate::{PipelineError, Run};

/// Bytes of the largest book that is read.
const MOST_BYTES: u64 = 1 << 28;

/// A book in its file.
#[derive(Debug)]
pub(crate) struct Shelved {
    path: PathBuf,
    book: Option<Book>,
}

/// A rule that a person decided on: the examples of a case, and what they are.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) ids: Vec<String>,
    pub(crate) by: By,
}

/// How a person decided.
#[derive(Debug, Clone)]
pub(crate) enum By {
    /// All have this label: one of the two classes, or a new one.
    Label(String),
    /// As the audit offered.
    Offered(Rule),
}

impl Shelved {
    /// Reads a book; where there is none yet, it begins with the first rule.
    pub(crate) fn open(path: &Path) -> Result<Self, PipelineError> {
        let told = |source| crate::ApplyError::Open { path: path.to_owned(), source };
        if !path.exists() {
            return Ok(Self { path: path.to_owned(), book: None });
        }
        if std::fs::metadata(path).map_err(told)?.len() > MOST_BYTES {
            let detail = format!("it has more than {MOST_BYTES} bytes");
            return Err(crate::ApplyError::Malformed { path: path.to_owned(), detail }.into());
        }
        let text = std::fs::read_to_string(path).map_err(told)?;
        Ok(Self { path: path.to_owned(), book: Some(Book::parse(&path.display().to_string(), &text)?) })
    }

    /// Labels that a rule speaks against, as findings with the label it asks for.
    pub(super) fn contradicted(&self, material: &Material, base: &str) -> Result<Vec<Told>, PipelineError> {
        let (Some(book), Some(x)) = (&self.book, &material.x) else { return Ok(Vec::new()) };
        let relabels =
            book::apply(book, base, x.view(), &material.ids, &material.given, &material.attributes)?;
        let told = |relabel: book::Relabel| {
            let (number, given) = (relabel.entry + 1, &relabel.given);
            let (asked, en, zh) = match relabel.expected {
                Expected::Label(label) => {
                    (Some(label.clone()), format!("`{label}`"), format!("应为“{label}”"))
                }
                Expected::Excluded => (None, "to leave it out".to_owned(), "应去掉".to_owned()),
                Expected::Unknown { attribute } => {
                    (None, format!("for `{attribute}`"), format!("需要“{attribute}”"))
                }
            };
            Told {
                fault: Fault::RuleBroken,
                rows: vec![relabel.row],
                score: 0.0,
                about: Sentence {
                    en: format!("{}: it is `{given}`, rule {number} of the book asks {en}", relabel.id),
                    zh: format!("{}：标为“{given}”，按规则书第 {number} 条{zh}", relabel.id),
                },
                action: if asked.is_some() { Action::Relabel } else { Action::CheckLabel },
                suggested: asked,
                offered: None,
            }
        };
        Ok(relabels.into_iter().map(told).collect())
    }

    /// Adds rules to the book, and writes it with a version to read beside it in both languages.
    pub(crate) fn add(
        mut self,
        table: &Table,
        base: &str,
        decided: &[Decided],
        by: (&str, &str),
        run: &Run<'_>,
    ) -> Result<usize, PipelineError> {
        // A case may hang on what was measured of pictures and sounds.
        let media = Media::measure(&table.data, &[], run)?;
        let material = Material::of_table(table, media, &[], linalg::Seed(0));
        let Some(nearness) = checks::nearness(&material)? else { return Ok(0) };
        let Some(found) = rules::consistency(&material, Some(&nearness))? else { return Ok(0) };
        let dim = material.x.as_ref().map_or(0, linalg::Matrix::cols);
        let mut book = self.book.take().unwrap_or_else(|| Book::new(base, dim));
        let before = book.entries.len();
        for decision in decided {
            book.entries.extend(entry(&material, &nearness, &found, &table.data, decision, by)?);
        }
        let text = book.to_json()?;
        store::write_atomic(&self.path, |file| file.write_all(text.as_bytes()))?;
        for (language, end) in [(Language::English, "md"), (Language::Chinese, "zh.md")] {
            let page = markdown(&book, language);
            store::write_atomic(&self.path.with_extension(end), |file| file.write_all(page.as_bytes()))?;
        }
        Ok(book.entries.len() - before)
    }
}

/// The entry of one decision; `None` when the examples are no case any more.
fn entry(
    material: &Material,
    nearness: &Nearness,
    found: &Consistency,
    data: &Dataset,
    decided: &Decided,
    (author, date): (&str, &str),
) -> Result<Option<book::Entry>, PipelineError> {
    let asked: BTreeSet<&str> = decided.ids.iter().map(String::as_str).collect();
    let is_it = |rows: Vec<usize>| {
        rows.len() == asked.len() && rows.iter().all(|row| asked.contains(material.ids[*row].as_str()))
    };
    let cases = found.cases.iter().zip(&found.questions);
    let Some((case, question)) = cases.into_iter().find(|(case, _)| is_it(case.rows())) else {
        return Ok(None);
    };
    let name = |class: u32| &material.classes[class as usize];
    let rule = match &decided.by {
        By::Offered(rule) => rule.clone(),
        By::Label(label) if label == name(case.classes.0) => Rule::AllA,
        By::Label(label) if label == name(case.classes.1) => Rule::AllB,
        By::Label(label) => Rule::NewClass { name: label.clone() },
    };
    let Some(x) = &material.x else { return Ok(None) };
    let examples =
        Labelled::new(x.view(), &nearness.near, &material.labels, material.classes.len(), &nearness.groups)?;
    let fingerprint = data.fingerprint().to_string();
    let decision = Decision { rule: &rule, author, date, fingerprint: &fingerprint };
    Ok(Some(decide(&examples, case, question, decision, &material.ids, &material.classes)))
}
