//! The page of an alignment: how well partners are found, and the pairs that look wrong.

use askama::Template;

use super::Aligning;
use crate::report::Head;
use crate::{Lang, percent, words};

#[derive(Template)]
#[template(path = "alignment.html")]
struct Page<'a> {
    l: Lang,
    report: Head,
    told: &'a Aligning,
    found: String,
    interval: String,
}

/// Renders the page in one language.
pub(super) fn render(told: &Aligning, lang: Lang) -> String {
    let page = Page {
        l: lang,
        report: Head {
            name: told.name.clone(),
            decision: told.decision.clone(),
            problems: told.problems.iter().map(words::problem_in_both).collect(),
        },
        found: percent(told.found.value),
        interval: format!(
            "95 %: {} – {}, n = {}",
            percent(told.found.low),
            percent(told.found.high),
            told.found.n
        ),
        told,
    };
    page.render().expect("the template only formats values that are already strings and numbers")
}

impl Page<'_> {
    fn percent(&self, share: &f64) -> String {
        percent(*share)
    }
}
