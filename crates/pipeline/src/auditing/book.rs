//! The label book: rules that were decided are written into it, and labels are checked against it (methods 3.8.6).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use curate::attributes::in_chinese;
use curate::book::{self, Book, Decision, Expected, Language, Rule, decide, markdown};
use curate::consistency::Consistency;
use curate::faults::Fault;
use dataset::Dataset;

use super::material::{Material, Nearness};
use super::media::Media;
use super::rulebook::Rulebook;
use super::whole::{Besides, Told};
use super::worklist::Action;
use super::{checks, rules};
use crate::features::Table;
use crate::report::Sentence;
use crate::{PipelineError, Run};

/// Bytes of the largest book that is read.
const MOST_BYTES: u64 = 1 << 28;

/// The rules that labels are checked against.
#[derive(Debug, Clone)]
pub enum Rules {
    /// In a file: its entries are numbered from 1.
    At(PathBuf),
    /// That somebody keeps elsewhere.
    Known(Arc<Rulebook>),
}

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

impl Rules {
    /// Reads them; a file that is not there yet has none.
    pub(super) fn open(&self) -> Result<OpenRules, PipelineError> {
        Ok(match self {
            Self::At(path) => OpenRules::Shelved(Shelved::open(path)?),
            Self::Known(rules) => OpenRules::Known(rules.clone()),
        })
    }
}

/// Rules that were read.
pub(super) enum OpenRules {
    Shelved(Shelved),
    Known(Arc<Rulebook>),
}

impl OpenRules {
    /// Labels that a rule speaks against, as findings with the label it asks for; and what was not checked.
    pub(super) fn contradicted(
        &self,
        material: &Material,
        base: &str,
    ) -> Result<(Vec<Told>, Option<Sentence>), PipelineError> {
        let Some(x) = &material.x else { return Ok((Vec::new(), None)) };
        let (book, numbers, unchecked) = match self {
            Self::Shelved(shelved) => {
                let numbers = 1..=shelved.book.as_ref().map_or(0, |book| book.entries.len());
                (shelved.book.as_ref(), numbers.collect::<Vec<usize>>(), None)
            }
            Self::Known(rules) => {
                let (book, numbers) = rules.of(base, x.cols()).unzip();
                (book, numbers.unwrap_or_default().to_vec(), rules.unheard(base, x.cols()))
            }
        };
        let Some(book) = book else { return Ok((Vec::new(), unchecked)) };
        let relabels =
            book::apply(book, base, x.view(), &material.ids, &material.given, &material.attributes)?;
        let told = relabels.into_iter().map(|relabel| told(&relabel, numbers[relabel.entry]));
        Ok((told.collect(), unchecked))
    }
}

/// A label that is against a rule, as a finding.
fn told(relabel: &book::Relabel, number: usize) -> Told {
    let given = &relabel.given;
    let (asked, en, zh) = match &relabel.expected {
        Expected::Label(label) => (Some(label.clone()), format!("`{label}`"), format!("应为“{label}”")),
        Expected::Excluded => (None, "to leave it out".to_owned(), "应去掉".to_owned()),
        Expected::Unknown { attribute } => {
            (None, format!("for `{attribute}`"), format!("需要“{}”", in_chinese(attribute)))
        }
    };
    Told {
        fault: Fault::RuleBroken,
        rows: vec![relabel.row],
        score: 0.0,
        about: Sentence {
            en: format!("{}: it is `{given}`, rule {number} of the book asks {en}", relabel.id),
            zh: format!("{}：标为“{given}”，按标签手册第 {number} 条{zh}", relabel.id),
        },
        action: if asked.is_some() { Action::Relabel } else { Action::CheckLabel },
        suggested: asked,
        besides: Besides::Broken(number),
    }
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
    let Some(examples) = rules::examples(material, nearness)? else { return Ok(None) };
    let fingerprint = data.fingerprint().to_string();
    let decision = Decision { rule: &rule, author, date, fingerprint: &fingerprint };
    Ok(Some(decide(&examples, case, question, decision, &material.ids, &material.classes)))
}
