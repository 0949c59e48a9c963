//! A fused model at work: whichever senses are there, how far each is trusted, and which the answer relied on.

use linalg::logits::log_softmax;
use serde::{Deserialize, Serialize};

use super::{GatedPool, JointGda, LatePool};
use crate::TuneError;
use crate::head::Tensors;

/// A sense whose familiarity is this or more is trusted fully.
const FAMILIAR: f64 = 0.05;
/// A sense that is less familiar than this counts as missing; where every sense is, there is nothing to rely on.
pub const UNFAMILIAR: f64 = 0.01;

/// What is known of one sense of one example.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// By the head of this sense alone, `[k]`; may be empty for a joint model.
    pub log_probs: &'a [f64],
    /// `[d]`; may be empty unless the model is joint or gated.
    pub features: &'a [f32],
    /// p-value of the sense being like those that were learned from, 0 to 1; `None` counts as familiar.
    pub familiarity: Option<f64>,
}

/// An answer and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// `[k]`.
    pub log_probs: Vec<f64>,
    /// The share of each sense in the answer, `[M]`, summing to 1; all 0 when it rests on no sense.
    pub reliance: Vec<f64>,
    /// What it rests on.
    pub basis: Basis,
}

/// What an answer rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// On senses that are there.
    Senses,
    /// On the shares of the classes alone: no sense is there that the model listens to.
    Prior,
    /// On nothing: every sense that is there is unlike anything seen. They are heard all the same, since one example in a hundred like those
    /// learned from looks so too, and the answer should be refused.
    Nothing,
}

/// A model over several senses.
#[derive(Debug, Clone, PartialEq)]
pub enum Fused {
    /// One sense at a time, the best that is there.
    Single(Single),
    /// A log-linear pool of the senses' heads.
    Late(LatePool),
    /// A joint Gaussian model of the senses' features.
    Joint(JointGda),
    /// A pool whose weights depend on what the senses show.
    Gated(GatedPool),
}

/// The heads of the senses, each at its best scale: the best sense that is there answers, and the prior where none is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Single {
    /// The senses from the best to the worst, `[M]`.
    pub order: Vec<usize>,
    /// Inverse temperatures, above 0, `[M]`.
    pub scales: Vec<f64>,
    /// The logarithms of the class shares, `[k]`.
    pub log_prior: Vec<f64>,
}

/// How far a sense with this p-value is trusted, 0 to 1: fully from 0.05 on.
pub fn trust(familiarity: f64) -> f64 {
    (familiarity / FAMILIAR).clamp(0.0, 1.0)
}

impl Single {
    /// Log-probabilities, `[k]`, by the best sense that is there; `said` is `[M]`.
    pub(crate) fn log_probs(&self, said: &[Option<&[f64]>]) -> Vec<f64> {
        let Some(sense) = self.speaks(said) else { return self.log_prior.clone() };
        let said = said[sense].into_iter().flatten();
        log_softmax(&said.map(|value| self.scales[sense] * value).collect::<Vec<_>>())
    }

    /// The best sense that is there.
    fn speaks(&self, said: &[Option<&[f64]>]) -> Option<usize> {
        self.order.iter().copied().find(|sense| said[*sense].is_some())
    }

    fn fits(&self) -> bool {
        let mut order = self.order.clone();
        order.sort_unstable();
        order.iter().copied().eq(0..self.scales.len())
            && !order.is_empty()
            && self.scales.iter().all(|scale| *scale > 0.0 && scale.is_finite())
            && self.log_prior.len() > 1
            && self.log_prior.iter().all(|value| value.is_finite())
    }
}

impl Fused {
    /// Answers for one example; `seen` is `[M]`, `None` where a sense is missing.
    ///
    /// A sense with a familiarity below [`UNFAMILIAR`] counts as missing where another is there that is not. Of the others pools multiply the
    /// weight of each with its [`trust`], as a share of that of the most familiar; one sense alone and the joint model listen wholly.
    ///
    /// # Errors
    /// [`TuneError`] where a value is not finite or a length is not the one that was fitted.
    pub fn answer(&self, seen: &[Option<Seen<'_>>]) -> Result<Answer, TuneError> {
        self.check(seen)?;
        let there = || seen.iter().flatten();
        let unfamiliar = |seen: &Seen<'_>| seen.familiarity.is_some_and(|p| p < UNFAMILIAR);
        let nothing = there().count() > 0 && there().all(unfamiliar);
        let heard: Vec<Option<Seen<'_>>> =
            seen.iter().map(|seen| seen.filter(|seen| nothing || !unfamiliar(seen))).collect();
        let (log_probs, shares) = match self {
            Self::Single(single) => {
                let said: Vec<Option<&[f64]>> =
                    heard.iter().map(|seen| seen.map(|seen| seen.log_probs)).collect();
                let mut shares = vec![0.0; seen.len()];
                single.speaks(&said).into_iter().for_each(|sense| shares[sense] = 1.0);
                (single.log_probs(&said), shares)
            }
            Self::Late(pool) => pool_answer(pool, &heard, &vec![1.0; heard.len()]),
            // Gates part what is said by several; of one alone they would doubt what its head already weighs.
            Self::Gated(gated) if is_alone(&heard) => {
                pool_answer(gated.pool(), &heard, &vec![1.0; heard.len()])
            }
            Self::Gated(gated) => pool_answer(gated.pool(), &heard, &gated.gates(&heard)),
            Self::Joint(joint) => {
                let features: Vec<Option<&[f32]>> =
                    heard.iter().map(|seen| seen.map(|seen| seen.features)).collect();
                let parts = joint.parts(&features);
                let log_probs = joint.log_probs(&features);
                let shares = evidence(&parts, &log_probs);
                (log_probs, shares)
            }
        };
        if nothing {
            return Ok(Answer { log_probs, reliance: vec![0.0; seen.len()], basis: Basis::Nothing });
        }
        let reliance = reliance(&shares);
        let basis = if reliance.iter().any(|share| *share > 0.0) { Basis::Senses } else { Basis::Prior };
        Ok(Answer { log_probs, reliance, basis })
    }

    /// Number of senses.
    pub fn n_senses(&self) -> usize {
        match self {
            Self::Single(single) => single.scales.len(),
            Self::Late(pool) => pool.n_senses(),
            Self::Joint(joint) => joint.n_senses(),
            Self::Gated(gated) => gated.n_senses(),
        }
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.prior().len()
    }

    /// The answer without any sense, `[k]`.
    fn prior(&self) -> Vec<f64> {
        match self {
            Self::Single(single) => single.log_prior.clone(),
            Self::Late(pool) => pool.log_prior().to_vec(),
            Self::Gated(gated) => gated.pool().log_prior().to_vec(),
            Self::Joint(joint) => joint.log_probs(&vec![None; joint.n_senses()]),
        }
    }

    fn check(&self, seen: &[Option<Seen<'_>>]) -> Result<(), TuneError> {
        if seen.len() != self.n_senses() {
            return Err(TuneError::Rows {
                what: "the list of senses".to_owned(),
                got: seen.len(),
                expected: self.n_senses(),
            });
        }
        for (sense, seen) in seen.iter().enumerate() {
            let Some(seen) = seen else { continue };
            let what = || format!("sense {sense}");
            if !matches!(self, Self::Joint(_)) {
                let (got, expected) = (seen.log_probs.len(), self.n_classes());
                if got != expected {
                    return Err(TuneError::Columns { what: what(), got, expected });
                }
                if !seen.log_probs.iter().all(|value| value.is_finite()) {
                    return Err(TuneError::NotFinite { set: what(), row: 0 });
                }
            }
            let looked_at = match self {
                Self::Joint(joint) => Some(joint.dims(sense)),
                Self::Gated(gated) => Some(gated.dims(sense)),
                Self::Single(_) | Self::Late(_) => None,
            };
            if let Some(expected) = looked_at {
                let got = seen.features.len();
                if got != expected {
                    return Err(TuneError::Columns { what: what(), got, expected });
                }
                if !seen.features.iter().all(|value| value.is_finite()) {
                    return Err(TuneError::NotFinite { set: what(), row: 0 });
                }
            }
            if seen.familiarity.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
                return Err(TuneError::Setting { setting: "familiarity", expected: "from 0 to 1" });
            }
        }
        Ok(())
    }

    /// Structure and tensors, for storing.
    pub fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let written = "a fused model has string keys and finite numbers";
        match self {
            Self::Single(single) => (
                serde_json::json!({ "single": serde_json::to_value(single).expect(written) }),
                Tensors::new(),
            ),
            Self::Late(pool) => {
                (serde_json::json!({ "late": serde_json::to_value(pool).expect(written) }), Tensors::new())
            }
            Self::Joint(joint) => {
                let (structure, tensors) = joint.to_tensors();
                (serde_json::json!({ "joint": structure }), tensors)
            }
            Self::Gated(gated) => {
                let (structure, tensors) = gated.to_tensors();
                (serde_json::json!({ "gated": structure }), tensors)
            }
        }
    }

    /// The reverse of [`Fused::to_tensors`]; everything that came from a file is checked.
    ///
    /// # Errors
    /// [`TuneError::Head`] when the parts do not fit together.
    pub fn from_tensors(structure: &serde_json::Value, tensors: &Tensors) -> Result<Self, TuneError> {
        let damaged = |detail: String| TuneError::Head { detail };
        let stored = Stored::deserialize(structure).map_err(|error| damaged(error.to_string()))?;
        let fused = match stored {
            Stored::Single(single) => Self::Single(single),
            Stored::Late(pool) => Self::Late(pool),
            Stored::Joint(structure) => Self::Joint(JointGda::from_tensors(structure, tensors)?),
            Stored::Gated(structure) => Self::Gated(GatedPool::from_tensors(structure, tensors)?),
        };
        let fits = match &fused {
            Self::Single(single) => single.fits(),
            Self::Late(pool) => pool.fits(),
            Self::Joint(_) | Self::Gated(_) => true,
        };
        if fits {
            Ok(fused)
        } else {
            Err(damaged("the parts of the fused model do not fit together".to_owned()))
        }
    }
}

/// A fused model without its tensors, as stored.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stored {
    Single(Single),
    Late(LatePool),
    Joint(serde_json::Value),
    Gated(serde_json::Value),
}

/// Whether exactly one sense is heard.
fn is_alone(heard: &[Option<Seen<'_>>]) -> bool {
    heard.iter().flatten().count() == 1
}

/// What a pool answers when each weight is multiplied by its gate, and by how familiar the sense is beside the most familiar one; with the
/// weights that were left. What is a little strange alone is no reason to lean on the prior: its head is still right as often.
fn pool_answer(pool: &LatePool, seen: &[Option<Seen<'_>>], gates: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let said: Vec<Option<&[f64]>> = seen.iter().map(|seen| seen.map(|seen| seen.log_probs)).collect();
    let trusted = |seen: &Seen<'_>| seen.familiarity.map_or(1.0, trust);
    let most = seen.iter().flatten().map(trusted).fold(0.0, f64::max);
    let beside = |seen: &Option<Seen<'_>>| match seen {
        Some(seen) if most > 0.0 => trusted(seen) / most,
        _ => 1.0,
    };
    let trusts: Vec<f64> = seen.iter().zip(gates).map(|(seen, gate)| gate * beside(seen)).collect();
    let shares = pool.effective(&said, &trusts).into_iter().map(Option::unwrap_or_default);
    (pool.log_probs(&said, &trusts), shares.collect())
}

/// How much each sense has to say about the answer: how far its part puts the answer above or below the mean of the classes.
fn evidence(parts: &[Option<Vec<f64>>], log_probs: &[f64]) -> Vec<f64> {
    let best = (0..log_probs.len())
        .fold(0, |best, class| if log_probs[class] > log_probs[best] { class } else { best });
    let said = |part: &Vec<f64>| (part[best] - part.iter().sum::<f64>() / part.len() as f64).abs();
    parts.iter().map(|part| part.as_ref().map_or(0.0, said)).collect()
}

/// Shares that sum to 1; all 0 when nothing was said.
fn reliance(shares: &[f64]) -> Vec<f64> {
    let total: f64 = shares.iter().sum();
    shares.iter().map(|share| if total > 0.0 { share / total } else { 0.0 }).collect()
}
