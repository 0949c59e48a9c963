//! The report: one self-contained HTML file in the reader's language, with its evidence beside every number.
//!
//! [`Report`] is plain data that the journey fills in; [`render`] turns it into a page. Nothing is computed here.

mod cards;
mod charts;
pub mod inspection;
mod page;
mod senses;
mod series;
mod sounds;
mod videos;

pub use page::metric_name;

use evaluate::Estimate;
use serde::{Deserialize, Serialize};

pub(crate) use cards::labelled_by;
pub use cards::{Card, CardContent, thumbnail};
pub use page::render;
pub use senses::{BrokenSense, Conflict, SenseRow, SenseSummary, SensesTable};
pub use series::series_picture;
pub use sounds::sound_picture;
pub use videos::{video_poster, video_strip};

pub(crate) use crate::lang::percent;

/// Everything the page shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Name of the data set.
    pub name: String,
    /// What was decided about the task, why, and how to override it.
    pub decision: Sentence,
    /// Whether the outputs are classes, label sets or numbers.
    pub kind: Kind,
    /// Names of the classes, or of the number.
    pub classes: Vec<String>,
    /// Examples that were used for tuning.
    pub n_examples: usize,
    /// The headline metric's name and value on out-of-fold predictions.
    pub headline: Measure,
    /// The same on the declared test part, if there is one.
    pub test: Option<Measure>,
    /// Further measures, best known first.
    pub measures: Vec<Measure>,
    /// `[given][predicted]` counts of out-of-fold predictions; empty unless single-label.
    pub confusion: Vec<Vec<u64>>,
    /// Recall per class; empty for regression.
    pub recall: Vec<Estimate>,
    /// Equal-mass bins: mean confidence and the share that was right.
    pub reliability: Vec<(f64, Estimate)>,
    /// Measured points of the learning curve: labels and accuracy.
    pub curve_measured: Vec<(f64, Estimate)>,
    /// Expected course of the learning curve with its 80 % band.
    pub curve_expected: Vec<(f64, Estimate)>,
    /// Examples per class.
    pub balance: Vec<usize>,
    /// Examples whose label is probably wrong, most suspicious first.
    pub suspicious: Vec<Finding>,
    /// Examples the model gets wrong with the most conviction, without those above.
    pub hardest: Vec<Finding>,
    /// Groups of examples that are the same or nearly so.
    pub duplicates: Vec<Vec<Card>>,
    /// What to do next, most useful first; each in both languages.
    pub advice: Vec<Sentence>,
    /// What the model does when it is not sure.
    pub promise: Sentence,
    /// Rows and files that were left out, one line each.
    pub problems: Vec<Sentence>,
    /// Every recipe that was tried: name, log-loss, chosen.
    pub candidates: Vec<(Sentence, f64, bool)>,
    /// Why the recipe was chosen.
    pub why: Sentence,
    /// What each of several senses is worth; absent for one.
    pub senses: Option<SensesTable>,
    /// Facts for repeating the run: label and value.
    pub provenance: Vec<(String, String)>,
}

/// What the frame around pages of their own wants to know.
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) decision: Sentence,
    pub(crate) problems: Vec<Sentence>,
}

/// The kind of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One class of several.
    SingleLabel,
    /// Any number of labels.
    MultiLabel,
    /// A number.
    Regression,
}

/// A metric with its estimate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measure {
    /// Standard name, such as `accuracy`.
    pub metric: String,
    /// Value, interval and n.
    pub estimate: Estimate,
}

impl Measure {
    /// Shares read as percentages, everything else as a plain number.
    fn is_share(&self) -> bool {
        !matches!(self.metric.as_str(), "mae" | "rmse" | "log-loss" | "brier" | "r2")
    }

    fn show(&self, value: f64) -> String {
        if self.is_share() { percent(value) } else { format!("{value:.3}") }
    }
}

/// An example with what the model thinks and its nearest neighbours as evidence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// The example.
    pub card: Card,
    /// What the model would say.
    pub predicted: String,
    /// Probability of that, in [0, 1].
    pub confidence: f64,
    /// The most similar examples with their labels.
    pub neighbours: Vec<Card>,
}

/// One sentence in both languages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sentence {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Sentence {
    /// The version for a reader.
    pub fn in_lang(&self, lang: crate::Lang) -> &str {
        lang.pick(&self.en, &self.zh)
    }
}

/// Replaces the five characters that mean something in HTML.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
