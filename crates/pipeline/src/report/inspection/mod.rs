//! The report of a defect inspector: what it promises, what was measured, and the photos behind every number.
//!
//! [`InspectionReport`] is plain data; [`render_inspection`] turns it into one self-contained page in the reader's language.
//! [`view`] prepares a photo beside its heat map, and [`advise_inspection`] ranks what to photograph next.

mod advice;
mod charts;
mod headline;
mod heat;
mod measures;
mod named;
mod page;
mod trade_off;
mod view;

use evaluate::Estimate;
use evaluate::inspect::{EstimatedThreshold, ProvenThreshold, TradeOff};
use serde::{Deserialize, Serialize};

pub use advice::{InspectionFacts, KindFacts, Shortage, advise_inspection};
pub use headline::{expected_rate, promise_caveat, promise_sentence, provable_rate};
pub use heat::{HeatMap, heat_overlay};
pub use measures::{DetectorMetric, confidence, promised, rate};
pub use page::render_inspection;
pub use view::{Closeup, View, view};

use super::Sentence;
use crate::{NamedKinds, Subject};

/// Everything the page of an inspector shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InspectionReport {
    /// Name of the inspection set.
    pub name: String,
    /// What was inspected.
    #[serde(default)]
    pub subject: Subject,
    /// What was read: how many good photos, how many defects of which kinds, and how the layout was recognised.
    pub decision: Sentence,
    /// The threshold with its promise or its estimate.
    pub alarm: AlarmPromise,
    /// Whether the promise counts parts or groups of parts.
    pub counted: Counted,
    /// Share of the defects that alarm, on parts that were not learned from; `None` when no defects were measured.
    pub recall: Option<Estimate>,
    /// Share of the good parts that alarm, on good parts that neither the detector nor the threshold has seen.
    pub false_alarms: Option<Estimate>,
    /// What all of this was measured on, for the line above the metrics.
    pub measured_on: Sentence,
    /// Every metric that was measured, best known first.
    pub measures: Vec<DetectorMeasure>,
    /// Recall and AUROC of each kind of defect.
    pub kinds: Vec<KindOfDefect>,
    /// What defects were named; `None` when too few were shown to name any.
    pub named: Option<NamedKinds>,
    /// Scores of the good parts that the threshold rests on, in any order.
    pub good_scores: Vec<f64>,
    /// Scores of the defects that were measured, in any order.
    pub defect_scores: Vec<f64>,
    /// What every threshold would do, from "nothing alarms" to "everything does"; empty without defects.
    pub trade_off: Vec<TradeOffPoint>,
    /// Defects that do not alarm, the least suspicious first.
    pub missed: Vec<InspectedPart>,
    /// Good parts that alarm, the most suspicious first.
    pub alarmed_good: Vec<InspectedPart>,
    /// The highest scores of all that was measured.
    pub most_suspicious: Vec<InspectedPart>,
    /// The good parts least like the others; `None` when that was not looked at.
    pub worst_good: Option<WorstGood>,
    /// What to photograph next, most useful first.
    pub advice: Vec<Sentence>,
    /// Every detector that was tried.
    pub detectors: Vec<TriedDetector>,
    /// Why the detector was chosen.
    pub why: Sentence,
    /// Photos and files that were left out, one line each.
    pub problems: Vec<Sentence>,
    /// Facts for repeating the run: label and value.
    pub provenance: Vec<(Sentence, String)>,
}

impl InspectionReport {
    /// The same report, its sentences said of what was inspected instead of photos.
    pub(crate) fn said_of(mut self, subject: Subject) -> Self {
        let said = |sentence: &mut Sentence| *sentence = subject.both(sentence);
        self.subject = subject;
        [&mut self.decision, &mut self.measured_on, &mut self.why].into_iter().for_each(said);
        self.advice.iter_mut().for_each(said);
        self.detectors.iter_mut().for_each(|detector| said(&mut detector.name));
        self.worst_good.iter_mut().filter_map(|worst| worst.effect.as_mut()).for_each(said);
        self
    }
}

/// The score above which a part alarms, and what is known about it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum AlarmPromise {
    /// The good parts suffice for the promise.
    Proven(ProvenThreshold),
    /// They do not: nothing is promised.
    Estimated {
        /// The threshold and what it rests on.
        threshold: EstimatedThreshold,
        /// How sure the promise was to be, in (0, 1).
        confidence: f64,
        /// Fewest good parts (or groups) that would prove it.
        need: usize,
        /// The smallest rate of false alarms that can be proved with those there are.
        best_rate: f64,
    },
}

impl AlarmPromise {
    /// The score above which a part alarms.
    pub fn threshold(&self) -> f64 {
        match self {
            Self::Proven(proven) => proven.threshold,
            Self::Estimated { threshold, .. } => threshold.threshold,
        }
    }

    /// The rate of false alarms that was promised, or aimed at.
    pub fn false_alarm_rate(&self) -> f64 {
        match self {
            Self::Proven(proven) => proven.false_alarm_rate,
            Self::Estimated { threshold, .. } => threshold.false_alarm_rate,
        }
    }
}

/// What a promise counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// Every good part is independent of the others.
    Parts,
    /// Parts of one group (a lot, a camera, an hour) resemble each other and count once.
    Groups,
}

/// A metric of a detector with its estimate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DetectorMeasure {
    /// Which one.
    pub metric: DetectorMetric,
    /// Value, interval and n. A value that is not a number reads "not measured".
    pub estimate: Estimate,
}

/// How well one kind of defect is found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KindOfDefect {
    /// Its name, as the folder or table has it.
    pub name: String,
    /// Share of it that alarms.
    pub recall: Estimate,
    /// What needs no threshold, beside good parts, by the name of the metric.
    pub others: Vec<(String, Estimate)>,
}

/// What one threshold does to the parts that were measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TradeOffPoint {
    /// A part with a score above this alarms.
    pub threshold: f64,
    /// Share of the good parts that alarm.
    pub false_alarms: f64,
    /// Share of the defects that do not.
    pub missed: f64,
}

impl From<TradeOff> for TradeOffPoint {
    fn from(TradeOff { threshold, false_alarms, missed }: TradeOff) -> Self {
        Self { threshold, false_alarms, missed }
    }
}

/// A photo that was inspected.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InspectedPart {
    /// Its stable id: a relative path.
    pub id: String,
    /// The kind of defect a person saw; `None` when they called it good.
    pub kind: Option<String>,
    /// Higher is more suspicious.
    pub score: f64,
    /// Share of good parts that are at least as suspicious, the part itself included.
    pub p_value: Option<f64>,
    /// What it looks like; `None` when the photo could not be read again.
    pub view: Option<View>,
}

/// Good parts that may not be good.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorstGood {
    /// What leaving them out does; `None` when that was not tried.
    pub effect: Option<Sentence>,
    /// The least like the others first.
    pub parts: Vec<InspectedPart>,
}

/// A detector that was tried, with the evidence for or against it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TriedDetector {
    /// What it does, in a few words.
    pub name: Sentence,
    /// What was measured to choose, the same labels in the same order for every detector.
    pub evidence: Vec<(Sentence, Figure)>,
    /// Whether it is the one in the bundle.
    pub chosen: bool,
}

/// A number beside its label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Figure {
    /// A share in [0, 1] with its interval, read as a percentage.
    Share(Estimate),
    /// Any other number.
    Number(f64),
}

#[cfg(test)]
mod tests;
