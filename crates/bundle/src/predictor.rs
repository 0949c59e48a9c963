//! A bundle on its base: from an input to an answer, or to "I don't know".

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Base;
use base::open::{Embedded, Input};
use serde::Serialize;

use crate::{Bundle, BundleError, Golden, GoldenRow, TaskReference, golden};

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
}

/// A bundle ready to predict. Cheap to make many of on one shared base.
#[derive(Debug)]
pub struct Predictor {
    bundle: Bundle,
    base: Arc<Base>,
}

impl Predictor {
    /// Puts a bundle on its base and runs the self-test.
    ///
    /// # Errors
    /// [`BundleError::WrongBase`] for another base than the bundle's, [`BundleError::SelfTest`] when the golden outputs differ.
    pub fn new(bundle: Bundle, base: Arc<Base>) -> Result<Self, BundleError> {
        let expected = bundle.manifest.base.hash.clone();
        let got = base.hash().to_string();
        if got != expected {
            return Err(BundleError::WrongBase { id: bundle.manifest.base.id.clone(), expected, got });
        }
        let predictor = Self { bundle, base };
        let (engine, fresh) = (predictor.base.engine_name(), predictor.probe_logits()?);
        let golden = &predictor.bundle.golden;
        match predictor.base.modality() {
            dataset::Modality::Sound | dataset::Modality::Series => golden.check_heard(&engine, &fresh)?,
            _ => golden.check(&engine, &fresh)?,
        }
        Ok(predictor)
    }

    /// Records the self-test of a head that is about to be bundled.
    pub fn record_golden(head: &tune::Head, base: &Base) -> Result<Golden, BundleError> {
        let rows = golden::probes(base)
            .iter()
            .map(|probe| {
                let features = base.embed(probe)?;
                Ok(GoldenRow { logits: logits(head, base, &features, text_of(probe)) })
            })
            .collect::<Result<_, BundleError>>()?;
        Ok(Golden { engine: base.engine_name(), rows })
    }

    fn probe_logits(&self) -> Result<Vec<Vec<f64>>, BundleError> {
        let golden = Self::record_golden(&self.bundle.head, &self.base)?;
        Ok(golden.rows.into_iter().map(|row| row.logits).collect())
    }

    /// The bundle inside.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The base it runs on.
    pub fn base(&self) -> &Arc<Base> {
        &self.base
    }

    /// Predicts one input from its bytes or text.
    pub fn predict(&self, input: &Input) -> Result<Prediction, BundleError> {
        self.predict_and_tell(input).map(|(prediction, _)| prediction)
    }

    /// As [`Predictor::predict`], and what of the input was damaged: the prediction is about the rest.
    pub fn predict_and_tell(&self, input: &Input) -> Result<(Prediction, Option<String>), BundleError> {
        let Embedded { features, damage } = self.base.embed_and_tell(input)?;
        Ok((self.predict_features(&features, text_of(input)), damage))
    }

    /// Predicts from features that were already computed: all sets of the base's layout, concatenated.
    pub fn predict_features(&self, features: &[f32], text: Option<&str>) -> Prediction {
        let logits = logits(&self.bundle.head, &self.base, features, text);
        let familiarity = self.bundle.familiar.as_ref().map(|detector| {
            let sets = self.base.split(features);
            detector.p_value(sets[self.familiar_set()])
        });
        let mut prediction = self.decide(&logits);
        prediction.familiarity = familiarity;
        if familiarity.is_some_and(|p| p < self.bundle.decision.unfamiliar_below) {
            prediction.verdict = Verdict::Unfamiliar;
        }
        prediction
    }

    fn familiar_set(&self) -> &str {
        // The pooled vector: the first set of every layout.
        self.base.layout()[0].name.as_str()
    }

    fn decide(&self, logits: &[f64]) -> Prediction {
        let decision = &self.bundle.decision;
        match &self.bundle.manifest.task {
            TaskReference::SingleLabel { classes } => {
                let probs = decision.calibration[0].probs(logits);
                let class = argmax(&probs);
                let confidence = probs[class];
                let verdict = match &decision.reject {
                    None => Verdict::Unproven,
                    Some(rule) if confidence >= rule.threshold => Verdict::Answered,
                    Some(_) => Verdict::DontKnow,
                };
                Prediction {
                    answer: Answer::Class { class, name: classes[class].clone() },
                    verdict,
                    confidence: Some(confidence),
                    probs,
                    familiarity: None,
                }
            }
            TaskReference::MultiLabel { classes } => {
                let probs: Vec<f64> =
                    logits.iter().zip(&decision.calibration).map(|(z, map)| map.probability(*z)).collect();
                let labels: Vec<usize> = (0..probs.len()).filter(|label| probs[*label] >= 0.5).collect();
                let names = labels.iter().map(|label| classes[*label].clone()).collect();
                let confidence = probs.iter().map(|p| p.max(1.0 - p)).fold(1.0, f64::min);
                let answer = Answer::Labels { labels, names };
                Prediction {
                    answer,
                    verdict: Verdict::Answered,
                    confidence: Some(confidence),
                    probs,
                    familiarity: None,
                }
            }
            TaskReference::Inspection { .. } => unreachable!("`Bundle::open` refuses inspectors"),
            TaskReference::Regression { .. } => {
                let value = logits[0];
                let half = decision.half_width.unwrap_or(f64::INFINITY);
                let answer = Answer::Number { value, low: value - half, high: value + half };
                Prediction {
                    answer,
                    verdict: Verdict::Answered,
                    confidence: None,
                    probs: Vec::new(),
                    familiarity: None,
                }
            }
        }
    }
}

fn logits(head: &tune::Head, base: &Base, features: &[f32], text: Option<&str>) -> Vec<f64> {
    let sets: BTreeMap<&str, &[f32]> = base.split(features);
    head.logits(&sets, text)
}

fn text_of(input: &Input) -> Option<&str> {
    match input {
        Input::Text(text) => Some(text),
        _ => None,
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
