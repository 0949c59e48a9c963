//! What a bundle answers, and how raw outputs become it.

use std::fmt;

use serde::Serialize;

use crate::{Decision, TaskReference};

/// How far an answer can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The bundle stands behind the answer.
    Answered,
    /// Nothing is promised: the bundle was tuned on too few examples to bound its errors. A person should look.
    Unproven,
    /// Not confident enough for the promised error rate: a person should look.
    DontKnow,
    /// Unlike anything the bundle was tuned on: a person should look.
    Unfamiliar,
}

/// What is predicted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant names its fields")]
pub enum Answer {
    /// Index of the most probable class.
    Class { class: usize, name: String },
    /// Indices of the labels whose probability is at least one half.
    Labels { labels: Vec<usize>, names: Vec<String> },
    /// A number with its 90 % interval.
    Number { value: f64, low: f64, high: f64 },
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class { name, .. } => out.write_str(name),
            Self::Labels { names, .. } => out.write_str(&names.join(", ")),
            Self::Number { value, .. } => write!(out, "{value}"),
        }
    }
}

/// An answer with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// What is predicted.
    pub answer: Answer,
    /// Whether to trust it.
    pub verdict: Verdict,
    /// Calibrated probability of the answer, in [0, 1]; absent for numbers.
    pub confidence: Option<f64>,
    /// Calibrated probabilities in class order; empty for numbers.
    pub probs: Vec<f64>,
    /// P-value of being like the examples the bundle was tuned on, in (0, 1]; absent when unknown.
    pub familiarity: Option<f64>,
    /// On which senses it relied, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub senses: Vec<SenseShare>,
}

/// What one of several senses had to say about an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SenseShare {
    /// Its name.
    pub sense: String,
    /// Whether it was there and could be used.
    pub present: bool,
    /// Its share in the answer, in [0, 1].
    pub share: f64,
    /// P-value of being like what it was tuned on, in (0, 1]; absent when unknown or missing.
    pub familiarity: Option<f64>,
}

impl Prediction {
    fn new(answer: Answer, verdict: Verdict, confidence: Option<f64>, probs: Vec<f64>) -> Self {
        Self { answer, verdict, confidence, probs, familiarity: None, senses: Vec::new() }
    }
}

/// Turns raw outputs into an answer.
///
/// # Panics
/// For inspectors and pairs, which answer in their own way.
pub(crate) fn decide(decision: &Decision, task: &TaskReference, logits: &[f64]) -> Prediction {
    match task {
        TaskReference::SingleLabel { classes } => {
            let probs = decision.calibration[0].probs(logits);
            let class = argmax(&probs);
            let confidence = probs[class];
            let verdict = match &decision.reject {
                None => Verdict::Unproven,
                Some(rule) if confidence >= rule.threshold => Verdict::Answered,
                Some(_) => Verdict::DontKnow,
            };
            let answer = Answer::Class { class, name: classes[class].clone() };
            Prediction::new(answer, verdict, Some(confidence), probs)
        }
        TaskReference::MultiLabel { classes } => {
            let probs: Vec<f64> =
                logits.iter().zip(&decision.calibration).map(|(z, map)| map.probability(*z)).collect();
            let labels: Vec<usize> = (0..probs.len()).filter(|label| probs[*label] >= 0.5).collect();
            let names = labels.iter().map(|label| classes[*label].clone()).collect();
            let confidence = probs.iter().map(|p| p.max(1.0 - p)).fold(1.0, f64::min);
            Prediction::new(Answer::Labels { labels, names }, Verdict::Answered, Some(confidence), probs)
        }
        TaskReference::Inspection { .. } | TaskReference::Pairs => {
            unreachable!("bundles of other kinds are refused when they are opened")
        }
        TaskReference::Regression { .. } => {
            let value = logits[0];
            let half = decision.half_width.unwrap_or(f64::INFINITY);
            let answer = Answer::Number { value, low: value - half, high: value + half };
            Prediction::new(answer, Verdict::Answered, None, Vec::new())
        }
    }
}

/// The first of the largest.
fn argmax(values: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}
