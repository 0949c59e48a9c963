//! Several senses on their bases: one answer from whatever is there, and on which senses it relies.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base::Base;
use base::open::{BaseError, Embedded, Input};
use dataset::{ProblemKind, Sense};
use linalg::logits::log_softmax;
use tune::fuse::{Basis, Seen};

use super::{SensePart, SensesBundle};
use crate::BundleError;
use crate::prediction::{Prediction, SenseShare, Verdict, decide};
use crate::predictor::{check, logits, probes_on, text_of};

/// A bundle over several senses, ready to predict.
#[derive(Debug)]
pub struct SensesPredictor {
    bundle: SensesBundle,
    bases: Vec<Arc<Base>>,
}

/// What is known of one sense of an example: all sets of its base's layout, concatenated, and the text if it is one.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Features.
    pub features: &'a [f32],
    /// The text itself.
    pub text: Option<&'a str>,
}

/// An answer, and what was wrong with the senses: each goes without, or with what is left of it.
#[derive(Debug)]
pub struct Told {
    /// The answer.
    pub prediction: Prediction,
    /// What cannot be used, or not wholly, by sense.
    pub problems: Vec<ProblemKind>,
}

/// What a sense says of an example.
struct Said {
    log_probs: Vec<f64>,
    features: Vec<f32>,
    familiarity: Option<f64>,
}

impl SensesPredictor {
    /// Puts a bundle on its bases, in the order of its senses, and runs the self-tests.
    ///
    /// # Errors
    /// [`BundleError::WrongBase`] for another base than the bundle's, [`BundleError::SelfTest`] when golden outputs differ.
    pub fn new(bundle: SensesBundle, bases: Vec<Arc<Base>>) -> Result<Self, BundleError> {
        for ((sense, part), base) in bundle.manifest.senses.iter().zip(&bundle.parts).zip(&bases) {
            let SensePart { head, familiar, golden, .. } = part;
            check(&sense.base, head, familiar.as_ref(), golden, base, &probes_on(base)?)?;
        }
        Ok(Self { bundle, bases })
    }

    /// The bundle inside.
    pub fn bundle(&self) -> &SensesBundle {
        &self.bundle
    }

    /// The bases it runs on, in the order of the senses.
    pub fn bases(&self) -> &[Arc<Base>] {
        &self.bases
    }

    /// The senses by name and kind.
    pub fn senses(&self) -> Vec<Sense> {
        let sense = |(sense, base): (&crate::SenseReference, &Arc<Base>)| Sense {
            name: sense.name.clone(),
            modality: base.modality(),
        };
        self.bundle.manifest.senses.iter().zip(&self.bases).map(sense).collect()
    }

    /// Predicts one example from what is there, `[M]`. What cannot be read counts as missing, and is told.
    ///
    /// # Errors
    /// [`BundleError`] when a base fails for another reason than its input; [`BaseError::Stopped`] soon after `cancel` became true.
    pub fn predict(&self, inputs: &[Option<Input>], cancel: &AtomicBool) -> Result<Told, BundleError> {
        let embed =
            |(input, base): (&Option<Input>, &Arc<Base>)| Some(base.embed_until(input.as_ref()?, cancel));
        self.predict_embedded(inputs.iter().zip(&self.bases).map(embed).collect(), inputs)
    }

    /// As [`SensesPredictor::predict`], of what the bases made of the inputs that are there, `[M]`.
    ///
    /// # Errors
    /// Those of [`SensesPredictor::predict`].
    pub fn predict_embedded(
        &self,
        of_bases: Vec<Option<Result<Embedded, BaseError>>>,
        inputs: &[Option<Input>],
    ) -> Result<Told, BundleError> {
        let mut problems = Vec::new();
        let mut embedded: Vec<Option<Vec<f32>>> = Vec::with_capacity(inputs.len());
        for ((of_base, base), sense) in
            of_bases.into_iter().zip(&self.bases).zip(&self.bundle.manifest.senses)
        {
            let mut tell = |reason: ProblemKind| {
                problems
                    .push(ProblemKind::WithoutSense { sense: sense.name.clone(), reason: Box::new(reason) });
            };
            embedded.push(match of_base {
                None => None,
                Some(Ok(Embedded { features, damage })) => {
                    problems.extend(damage.map(|detail| ProblemKind::damaged(base.modality(), detail)));
                    Some(features)
                }
                Some(Err(BaseError::Prep(error))) => {
                    tell(error.into());
                    None
                }
                Some(Err(BaseError::Tokenizer(error))) => {
                    tell(ProblemKind::BadRow { detail: error.to_string() });
                    None
                }
                Some(Err(error)) => return Err(error.into()),
            });
        }
        let asked = embedded.iter().zip(inputs).map(|(features, input)| {
            let features = features.as_deref()?;
            Some(Asked { features, text: input.as_ref().and_then(text_of) })
        });
        let prediction = self.predict_features(&asked.collect::<Vec<_>>())?;
        Ok(Told { prediction, problems })
    }

    /// Predicts from features that were already computed, `[M]`.
    ///
    /// # Errors
    /// [`BundleError::Tune`] where a value is not finite.
    pub fn predict_features(&self, asked: &[Option<Asked<'_>>]) -> Result<Prediction, BundleError> {
        let said: Vec<Option<Said>> =
            asked.iter().enumerate().map(|(sense, asked)| Some(self.ask(sense, (*asked)?))).collect();
        let seen: Vec<Option<Seen<'_>>> = said
            .iter()
            .map(|said| {
                said.as_ref().map(|said| Seen {
                    log_probs: &said.log_probs,
                    features: &said.features,
                    familiarity: said.familiarity,
                })
            })
            .collect();
        let answer = self.bundle.fused.answer(&seen)?;
        let mut prediction = decide(&self.bundle.decision, &self.bundle.manifest.task, &answer.log_probs);
        match answer.basis {
            Basis::Senses => {}
            Basis::Prior => prediction.verdict = Verdict::DontKnow,
            Basis::Nothing => prediction.verdict = Verdict::Unfamiliar,
        }
        let share = |((sense, said), share): ((&crate::SenseReference, &Option<Said>), &f64)| SenseShare {
            sense: sense.name.clone(),
            present: said.is_some(),
            share: *share,
            familiarity: said.as_ref().and_then(|said| said.familiarity),
        };
        prediction.senses =
            self.bundle.manifest.senses.iter().zip(&said).zip(&answer.reliance).map(share).collect();
        Ok(prediction)
    }

    fn ask(&self, sense: usize, asked: Asked<'_>) -> Said {
        let (part, base) = (&self.bundle.parts[sense], &self.bases[sense]);
        let sets = base.split(asked.features);
        Said {
            log_probs: log_softmax(&logits(&part.head, base, asked.features, asked.text)),
            features: part.head.features(&sets),
            familiarity: part
                .familiar
                .as_ref()
                .map(|detector| detector.p_value_with_tail(&asked.features[..detector.dim()])),
        }
    }
}
