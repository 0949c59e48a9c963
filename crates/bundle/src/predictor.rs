//! A bundle on its base: from an input to an answer, or to "I don't know".

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base::Base;
use base::open::{Embedded, Input};
use evaluate::OodDetector;

use crate::prediction::{Prediction, Verdict, decide};
use crate::{BaseReference, Bundle, BundleError, Golden, GoldenRow, golden};

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
        Self::on(bundle, &Probed::new(base)?)
    }

    /// As [`Predictor::new`], on a base whose side of the self-test is done: the head's side takes no time.
    ///
    /// # Errors
    /// Those of [`Predictor::new`].
    pub fn on(bundle: Bundle, probed: &Probed) -> Result<Self, BundleError> {
        let Probed { base, probes } = probed;
        let Bundle { head, familiar, golden, .. } = &bundle;
        check(&bundle.manifest.base, head, familiar.as_ref(), golden, base, probes)?;
        Ok(Self { bundle, base: base.clone() })
    }

    /// Records the self-test of a head that is about to be bundled.
    pub fn record_golden(head: &tune::Head, base: &Base) -> Result<Golden, BundleError> {
        Ok(recorded(head, base, &probes_on(base)?))
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
        self.predict_until(input, &AtomicBool::new(false)).map(|(prediction, _)| prediction)
    }

    /// As [`Predictor::predict`], and what of the input was damaged: the prediction is about the rest.
    ///
    /// # Errors
    /// [`BaseError::Stopped`](base::open::BaseError::Stopped) soon after `cancel` became true.
    pub fn predict_until(
        &self,
        input: &Input,
        cancel: &AtomicBool,
    ) -> Result<(Prediction, Option<String>), BundleError> {
        let Embedded { features, damage } = self.base.embed_until(input, cancel)?;
        Ok((self.predict_features(&features, text_of(input)), damage))
    }

    /// Predicts from features that were already computed: all sets of the base's layout, concatenated.
    pub fn predict_features(&self, features: &[f32], text: Option<&str>) -> Prediction {
        let logits = logits(&self.bundle.head, &self.base, features, text);
        let familiarity =
            self.bundle.familiar.as_ref().map(|detector| detector.p_value(&features[..detector.dim()]));
        let mut prediction = decide(&self.bundle.decision, &self.bundle.manifest.task, &logits);
        prediction.familiarity = familiarity;
        if familiarity.is_some_and(|p| p < self.bundle.decision.unfamiliar_below) {
            prediction.verdict = Verdict::Unfamiliar;
        }
        prediction
    }
}

/// A base with what it makes of the inputs that bundles test themselves by: many bundles on it need not ask it again.
#[derive(Debug)]
pub struct Probed {
    base: Arc<Base>,
    probes: Vec<(Input, Vec<f32>)>,
}

impl Probed {
    /// Asks the base.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn new(base: Arc<Base>) -> Result<Self, BundleError> {
        Ok(Self { probes: probes_on(&base)?, base })
    }

    /// The base.
    pub fn base(&self) -> &Arc<Base> {
        &self.base
    }
}

/// The probes for a base, with what it makes of them.
pub(crate) fn probes_on(base: &Base) -> Result<Vec<(Input, Vec<f32>)>, BundleError> {
    let embedded = |probe: Input| base.embed(&probe).map(|features| (probe, features));
    Ok(golden::probes(base).into_iter().map(embedded).collect::<Result<_, _>>()?)
}

fn recorded(head: &tune::Head, base: &Base, probes: &[(Input, Vec<f32>)]) -> Golden {
    let row = |(probe, features): &(Input, Vec<f32>)| GoldenRow {
        logits: logits(head, base, features, text_of(probe)),
    };
    Golden { engine: base.engine_name(), rows: probes.iter().map(row).collect() }
}

/// Whether this is the base that the head sits on, and both answer as they did when the bundle was made.
pub(crate) fn check(
    reference: &BaseReference,
    head: &tune::Head,
    familiar: Option<&OodDetector>,
    golden: &Golden,
    base: &Base,
    probes: &[(Input, Vec<f32>)],
) -> Result<(), BundleError> {
    reference.expect(base)?;
    let layout: Vec<(&str, usize)> = base.layout().iter().map(|set| (set.name.as_str(), set.dim)).collect();
    if !head.fits(&layout) {
        let detail = "it looks at features that its base does not give".to_owned();
        return Err(tune::TuneError::Head { detail }.into());
    }
    // The pooled vector is the first kind of every layout.
    if familiar.is_some_and(|familiar| familiar.dim() != layout[0].1) {
        let detail = "what is familiar was told by features that its base does not give".to_owned();
        return Err(evaluate::EvaluateError::Stored { detail }.into());
    }
    golden.check_on(base, recorded(head, base, probes))
}

pub(crate) fn logits(head: &tune::Head, base: &Base, features: &[f32], text: Option<&str>) -> Vec<f64> {
    let sets: BTreeMap<&str, &[f32]> = base.split(features);
    head.logits(&sets, text)
}

pub(crate) fn text_of(input: &Input) -> Option<&str> {
    match input {
        Input::Text(text) => Some(text),
        _ => None,
    }
}
