//! The page of an audit: every fault with its worst examples, and the evidence beside each.

use std::path::Path;

use askama::Template;
use curate::faults::Fault;
use rayon::prelude::*;

use super::{Audit, AuditFinding, View};
use crate::report::{Card, Head};
use crate::{Lang, percent, words};

/// Findings shown of each fault; the table of all examples has the rest.
const SHOWN: usize = 40;
/// Examples shown of one finding that is about many.
const SHOWN_OF_A_SET: usize = 6;

/// A part of a sentence.
enum Piece {
    Words(String),
    /// What stands in backticks: a name, or a command.
    Code(String),
}

/// One fault with its findings.
struct Section {
    title: String,
    what: String,
    shown: Vec<Shown>,
    left_out: usize,
}

/// One finding as it is shown.
struct Shown {
    number: usize,
    sense: Option<String>,
    cards: Vec<Card>,
    more: usize,
    score: String,
    suggested: Option<String>,
    views: Vec<String>,
    about: Option<Vec<Piece>>,
    action: String,
    neighbours: Vec<Card>,
    /// Pairs with different labels that are closest together.
    pairs: Vec<[Card; 2]>,
    /// What may be answered: how it is given, and what it says.
    answers: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    l: Lang,
    report: Head,
    n: usize,
    /// How many labels look wrong.
    headline: Vec<Vec<Piece>>,
    /// What is worth most, in words.
    advice: Vec<Vec<Piece>>,
    counts: Vec<(String, usize)>,
    cautions: Vec<Vec<Piece>>,
    sections: Vec<Section>,
    facts: Vec<(String, String)>,
}

/// Renders the page in one language.
pub(super) fn render(audit: &Audit, lang: Lang, findings: Option<&Path>) -> String {
    let page = Page {
        l: lang,
        report: Head {
            name: audit.name.clone(),
            decision: audit.decision.clone(),
            problems: audit.problems.iter().map(words::problem_in_both).collect(),
        },
        n: audit.n(),
        headline: audit.headline(findings).iter().map(|line| pieces(line.in_lang(lang))).collect(),
        advice: audit.worthwhile().map(|advice| pieces(&advice.sentence(lang))).collect(),
        counts: audit
            .summary()
            .iter()
            .filter(|found| found.told() > 0)
            .map(|found| (words::fault_of(found.sense.as_deref(), found.fault, lang), found.told()))
            .collect(),
        cautions: audit.cautions.iter().map(|caution| pieces(caution.in_lang(lang))).collect(),
        sections: Fault::ALL.iter().filter_map(|fault| section(audit, *fault, lang)).collect(),
        facts: audit.facts.clone(),
    };
    page.render().expect("the template only formats values that are already strings and numbers")
}

fn section(audit: &Audit, fault: Fault, lang: Lang) -> Option<Section> {
    let findings: Vec<&AuditFinding> =
        audit.findings.iter().filter(|finding| finding.fault == fault).collect();
    (!findings.is_empty()).then(|| Section {
        title: format!("{} ({})", words::fault(fault, lang), findings.len()),
        what: words::fault_meaning(fault, lang).to_owned(),
        shown: findings.par_iter().take(SHOWN).map(|finding| shown(audit, finding, lang)).collect(),
        left_out: findings.len().saturating_sub(SHOWN),
    })
}

fn shown(audit: &Audit, finding: &AuditFinding, lang: Lang) -> Shown {
    let says = |says: &super::ViewSays| {
        let who = match says.view {
            View::Logistic => lang.pick("logistic regression", "逻辑回归"),
            View::Gda => lang.pick("discriminant analysis", "判别分析"),
            View::Neighbours => lang.pick("similar examples", "相似样本"),
            View::Ridge => lang.pick("ridge regression", "岭回归"),
            View::Given => lang.pick("the predictions passed in", "给出的预测"),
            View::Sense => says.sense.as_deref().unwrap_or_default(),
            View::Senses => lang.pick("all senses", "全部感官"),
        };
        let sure = says.probability.map_or_else(String::new, |sure| format!(" ({})", percent(sure)));
        format!("{who}: {}{sure}", says.label)
    };
    Shown {
        number: finding.number,
        sense: finding.sense.clone(),
        cards: finding.rows.iter().take(SHOWN_OF_A_SET).map(|row| audit.card(*row)).collect(),
        more: finding.rows.len().saturating_sub(SHOWN_OF_A_SET),
        score: format!("{:.3}", finding.score),
        suggested: finding.suggested.clone(),
        views: finding.views.iter().map(says).collect(),
        about: finding.about.as_ref().map(|about| pieces(about.in_lang(lang))),
        action: finding.action.sentence().in_lang(lang).to_owned(),
        neighbours: finding.neighbours.iter().map(|neighbour| audit.card(neighbour.row)).collect(),
        pairs: finding.pairs.iter().map(|pair| pair.rows.map(|row| audit.card(row))).collect(),
        answers: finding
            .answers
            .iter()
            .map(|answer| (answer.accept.clone(), answer.says.in_lang(lang).to_owned()))
            .collect(),
    }
}

/// What stands in backticks apart from the rest; all in one piece where one of them has no other.
fn pieces(text: &str) -> Vec<Piece> {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![Piece::Words(text.to_owned())];
    }
    let piece = |(place, part): (usize, &&str)| {
        let part = (*part).to_owned();
        if place.is_multiple_of(2) { Piece::Words(part) } else { Piece::Code(part) }
    };
    parts.iter().enumerate().map(piece).collect()
}
