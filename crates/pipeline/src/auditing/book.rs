//! Labels are checked against the rules of a label book (methods 3.8.6).

use std::path::PathBuf;
use std::sync::Arc;

use curate::attributes::in_chinese;
use curate::book::{self, Expected};
use curate::faults::{Checked, Fault};

use super::material::Material;
use super::rulebook::Rulebook;
use super::shelved::Shelved;
use super::whole::{Besides, Told};
use super::worklist::Action;
use crate::PipelineError;
use crate::report::Sentence;

/// The rules that labels are checked against.
#[derive(Debug, Clone)]
pub enum Rules {
    /// In a file: its entries are numbered from 1.
    At(PathBuf),
    /// That somebody keeps elsewhere.
    Known(Arc<Rulebook>),
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

/// What rules have against the labels of the data.
#[derive(Default)]
pub(super) struct Contradicted {
    /// Each such label, with the one that is asked for.
    pub(super) told: Vec<Told>,
    /// The check, where rules were heard.
    pub(super) checked: Option<Checked>,
    /// What was not checked.
    pub(super) unchecked: Option<Sentence>,
}

impl OpenRules {
    /// Labels that a rule speaks against.
    pub(super) fn contradicted(
        &self,
        material: &Material,
        base: &str,
    ) -> Result<Contradicted, PipelineError> {
        let Some(x) = material.x.as_ref().filter(|_| material.wants(Fault::RuleBroken)) else {
            return Ok(Contradicted::default());
        };
        let (book, numbers, unchecked) = match self {
            Self::Shelved(shelved) => {
                let numbers = 1..=shelved.book().map_or(0, |book| book.entries.len());
                (shelved.book(), numbers.collect::<Vec<usize>>(), None)
            }
            Self::Known(rules) => {
                let (book, numbers) = rules.of(base, x.cols()).unzip();
                (book, numbers.unwrap_or_default().to_vec(), rules.unheard(base, x.cols()))
            }
        };
        let Some(book) = book else { return Ok(Contradicted { unchecked, ..Contradicted::default() }) };
        let relabels =
            book::apply(book, base, x.view(), &material.ids, &material.given, &material.attributes)?;
        let told = relabels.iter().map(|relabel| told(relabel, numbers[relabel.entry])).collect();
        Ok(Contradicted { told, checked: Some(checked(material, &relabels)), unchecked })
    }
}

/// 0 for a label that a rule speaks against, 1 for any other.
fn checked(material: &Material, relabels: &[book::Relabel]) -> Checked {
    let mut scores: Vec<Option<f64>> =
        material.given.iter().map(|given| given.as_ref().map(|_| 1.0)).collect();
    let flagged: Vec<usize> = relabels.iter().map(|relabel| relabel.row).collect();
    flagged.iter().for_each(|row| scores[*row] = Some(0.0));
    Checked::new(Fault::RuleBroken, scores, flagged)
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
            en: format!("it is `{given}`, rule {number} of the book asks {en}"),
            zh: format!("标为“{given}”，按标签手册第 {number} 条{zh}"),
        },
        action: if asked.is_some() { Action::Relabel } else { Action::CheckLabel },
        suggested: asked,
        besides: Besides::Broken(number),
    }
}
