//! What an audit found, as it is kept: in both languages, with our ids in place of names.

use std::collections::HashMap;

use pipeline::report::Sentence;
use pipeline::{Audit, AuditFinding, Lang, words};
use serde::{Deserialize, Serialize};

/// Findings that are kept: more than a person works through in a week.
const MOST_FINDINGS: usize = 2000;
/// Examples shown of one finding.
const MOST_SHOWN: usize = 24;

/// A sentence in both languages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Both {
    en: String,
    zh: String,
}

impl Both {
    pub(crate) fn pick(&self, lang: Lang) -> String {
        lang.pick(&self.en, &self.zh).clone()
    }
}

impl From<&Sentence> for Both {
    fn from(sentence: &Sentence) -> Self {
        Self { en: sentence.en.clone(), zh: sentence.zh.clone() }
    }
}

/// An audit as it is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Worklist {
    pub(crate) advice: Vec<KeptAdvice>,
    pub(crate) checks: Vec<KeptCheck>,
    pub(crate) cautions: Vec<Both>,
    pub(crate) findings: Vec<KeptFinding>,
}

/// What to do first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptAdvice {
    pub(crate) sentence: Both,
    pub(crate) action: serde_json::Value,
    pub(crate) n: usize,
    /// Expected change of the accuracy, with the ends of its 95 % interval.
    pub(crate) gain: [f64; 3],
    pub(crate) minutes: f64,
}

/// What was looked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptCheck {
    pub(crate) fault: String,
    pub(crate) title: Both,
    pub(crate) flagged: usize,
    pub(crate) n: usize,
}

/// What was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptFinding {
    pub(crate) number: usize,
    pub(crate) fault: String,
    pub(crate) title: Both,
    pub(crate) meaning: Both,
    pub(crate) action: serde_json::Value,
    pub(crate) action_text: Both,
    pub(crate) about: Option<Both>,
    pub(crate) given: Option<String>,
    pub(crate) suggested: Option<String>,
    pub(crate) score: f64,
    /// Ids of examples; the one to act on first.
    pub(crate) examples: Vec<String>,
    /// Similar examples with their distances.
    pub(crate) neighbours: Vec<(String, f32)>,
}

impl Worklist {
    /// Of an audit; `ids` names our examples by the names that the audit knows.
    pub(crate) fn of(audit: &Audit, ids: &HashMap<String, String>) -> Self {
        let advice = audit.worthwhile().map(|advice| KeptAdvice {
            sentence: Both::from(&advice.told),
            action: serde_json::json!(advice.action),
            n: advice.n,
            gain: [advice.gain.value, advice.gain.low, advice.gain.high],
            minutes: advice.minutes,
        });
        let checks = audit.summary().into_iter().map(|summary| KeptCheck {
            fault: summary.fault.name().to_owned(),
            title: title(summary.fault),
            flagged: summary.flagged,
            n: summary.n,
        });
        let findings = audit.findings.iter().take(MOST_FINDINGS).map(|finding| kept(finding, ids));
        Self {
            advice: advice.collect(),
            checks: checks.collect(),
            cautions: audit.cautions.iter().map(Both::from).collect(),
            findings: findings.collect(),
        }
    }
}

fn kept(finding: &AuditFinding, ids: &HashMap<String, String>) -> KeptFinding {
    let id = |name: &String| ids.get(name).cloned();
    KeptFinding {
        number: finding.number,
        fault: finding.fault.name().to_owned(),
        title: title(finding.fault),
        meaning: Both {
            en: words::fault_meaning(finding.fault, Lang::En).to_owned(),
            zh: words::fault_meaning(finding.fault, Lang::Zh).to_owned(),
        },
        action: serde_json::json!(finding.action),
        action_text: Both::from(&finding.action.sentence()),
        about: finding.about.as_ref().map(Both::from),
        given: finding.given.clone(),
        suggested: finding.suggested.clone(),
        score: finding.score,
        examples: finding.ids.iter().filter_map(id).take(MOST_SHOWN).collect(),
        neighbours: finding
            .neighbours
            .iter()
            .filter_map(|neighbour| Some((id(&neighbour.id)?, neighbour.distance)))
            .collect(),
    }
}

fn title(fault: pipeline::Fault) -> Both {
    Both { en: words::fault(fault, Lang::En).to_owned(), zh: words::fault(fault, Lang::Zh).to_owned() }
}
