//! A fitted head: linear maps of features, added up. All that serving needs.

use std::collections::BTreeMap;

use linalg::Matrix;
use linalg::logits::{log_softmax, sigmoid, softplus};
use serde::{Deserialize, Serialize};

use crate::{Input, TuneError, Vocabulary};

/// Tensors by name: shape and values.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// From features to one raw output per class (or one number).
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The models; the output is the sum of theirs. A log-linear blend of probabilities is just that, the shares being
    /// part of the weights.
    pub members: Vec<Member>,
    /// What the outputs mean.
    pub link: Link,
}

/// What raw outputs mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// Logits of one class of several.
    Softmax,
    /// Logits of independent labels.
    Sigmoid,
    /// The number itself.
    Identity,
}

/// One linear model on prepared features.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// What it looks at.
    pub input: Input,
    /// `[k, d]`.
    pub weight: Matrix<f32>,
    /// `[k]`.
    pub bias: Vec<f32>,
    /// Counted words, when the input has them.
    pub words: Option<Words>,
}

/// The part of a model that looks at words.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// Which n-grams count.
    pub vocabulary: Vocabulary,
    /// `[len, k]`.
    pub weight: Matrix<f32>,
}

/// A head without its numbers, as stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredHead {
    link: Link,
    members: Vec<StoredMember>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredMember {
    input: Input,
    vocabulary: Option<Vocabulary>,
}

impl Head {
    /// Raw outputs, `[k]`, for one example: its feature sets by name and its text.
    ///
    /// # Panics
    /// When a set the head looks at is missing, or has another length; a bundle checks its base first.
    pub fn logits(&self, sets: &BTreeMap<&str, &[f32]>, text: Option<&str>) -> Vec<f64> {
        let mut sum = vec![0.0; self.outputs()];
        for member in &self.members {
            sum.iter_mut().zip(member.scores(sets, text)).for_each(|(sum, score)| *sum += score);
        }
        sum
    }

    /// The features that its first model looks at, side by side, without counted words.
    ///
    /// # Panics
    /// As [`Head::logits`].
    pub fn features(&self, sets: &BTreeMap<&str, &[f32]>) -> Vec<f32> {
        self.members[0].input.prepare(sets)
    }

    /// Whether a base whose feature sets have these names and lengths gives all that the head looks at.
    pub fn fits(&self, layout: &[(&str, usize)]) -> bool {
        let length = |name: &String| layout.iter().find(|(known, _)| known == name).map(|(_, dim)| *dim);
        let fits = |member: &Member| {
            let lengths: Option<Vec<usize>> = member.input.sets.iter().map(length).collect();
            lengths.is_some_and(|lengths| lengths.iter().sum::<usize>() == member.weight.cols())
        };
        self.members.iter().all(fits)
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.members[0].bias.len()
    }

    /// Structure and tensors, for storing.
    pub fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let mut tensors = Tensors::new();
        let mut members = Vec::new();
        for (index, member) in self.members.iter().enumerate() {
            let mut put = |name: &str, shape: Vec<usize>, values: &[f32]| {
                tensors.insert(format!("member.{index}.{name}"), (shape, values.to_vec()));
            };
            put("weight", vec![member.weight.rows(), member.weight.cols()], member.weight.data());
            put("bias", vec![member.bias.len()], &member.bias);
            if let Some(words) = &member.words {
                put("words", vec![words.weight.rows(), words.weight.cols()], words.weight.data());
            }
            let vocabulary = member.words.as_ref().map(|words| words.vocabulary.clone());
            members.push(StoredMember { input: member.input.clone(), vocabulary });
        }
        let stored = StoredHead { link: self.link, members };
        (serde_json::to_value(stored).expect("a head has string keys and finite numbers"), tensors)
    }

    /// The reverse of [`Head::to_tensors`]; everything that came from a file is checked.
    pub fn from_tensors(structure: &serde_json::Value, tensors: &Tensors) -> Result<Self, TuneError> {
        let damaged = |detail: String| TuneError::Head { detail };
        let stored = StoredHead::deserialize(structure).map_err(|error| damaged(error.to_string()))?;
        if stored.members.is_empty() {
            return Err(damaged("it has no members".to_owned()));
        }
        let matrix = |name: String| match tensors.get(&name) {
            Some((shape, values))
                if shape.len() == 2 && shape[0].checked_mul(shape[1]) == Some(values.len()) =>
            {
                Ok(Matrix::from_vec(shape[0], shape[1], values.clone()))
            }
            _ => Err(damaged(format!("tensor `{name}` is missing or has another shape"))),
        };
        let mut members: Vec<Member> = Vec::new();
        for (index, member) in stored.members.into_iter().enumerate() {
            let weight = matrix(format!("member.{index}.weight"))?;
            let bias = tensors
                .get(&format!("member.{index}.bias"))
                .map(|(_, values)| values.clone())
                .unwrap_or_default();
            let words = match member.vocabulary {
                Some(vocabulary) => {
                    Some(Words { vocabulary, weight: matrix(format!("member.{index}.words"))? })
                }
                None => None,
            };
            let k = weight.rows();
            let fits = bias.len() == k
                && k > 0
                && members.first().is_none_or(|first| first.bias.len() == k)
                && words.as_ref().is_none_or(|words| {
                    words.weight.cols() == k && words.weight.rows() == words.vocabulary.len()
                });
            if !fits || member.input.words != words.is_some() {
                return Err(damaged(format!("the tensors of member {index} do not fit together")));
            }
            members.push(Member { input: member.input, weight, bias, words });
        }
        Ok(Self { members, link: stored.link })
    }
}

impl Member {
    /// One model that scores as the sum of two with the same input.
    pub(crate) fn plus(mut self, other: Self) -> Self {
        let add = |to: &mut [f32], from: &[f32]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        add(self.weight.data_mut(), other.weight.data());
        add(&mut self.bias, &other.bias);
        if let (Some(to), Some(from)) = (&mut self.words, &other.words) {
            add(to.weight.data_mut(), from.weight.data());
        }
        self
    }

    /// `weight x + bias`, summed in double precision in a fixed order.
    fn scores(&self, sets: &BTreeMap<&str, &[f32]>, text: Option<&str>) -> Vec<f64> {
        let x = self.input.prepare(sets);
        let mut scores: Vec<f64> = self
            .weight
            .iter_rows()
            .zip(&self.bias)
            .map(|(weight, bias)| linalg::dot(weight, &x) + f64::from(*bias))
            .collect();
        if let Some(words) = &self.words {
            for (place, value) in words.vocabulary.row(text.unwrap_or_default()) {
                for (score, weight) in scores.iter_mut().zip(words.weight.row(place as usize)) {
                    *score += f64::from(value) * f64::from(*weight);
                }
            }
        }
        scores
    }
}

impl Input {
    /// The dense features of one example, side by side, each of length 1 if asked for.
    pub(crate) fn prepare(&self, sets: &BTreeMap<&str, &[f32]>) -> Vec<f32> {
        let mut x = Vec::new();
        for name in &self.sets {
            let set =
                sets.get(name.as_str()).unwrap_or_else(|| panic!("the base gives feature set `{name}`"));
            if self.unit {
                let length = linalg::dot(set, set).sqrt();
                let inverse = if length > 0.0 { 1.0 / length } else { 0.0 };
                x.extend(set.iter().map(|value| (f64::from(*value) * inverse) as f32));
            } else {
                x.extend_from_slice(set);
            }
        }
        x
    }
}

impl Link {
    /// Log-loss of one row of outputs. `target` is one-hot or a set of ones; for numbers it is the squared error.
    pub(crate) fn loss(self, outputs: &[f64], target: &[f32]) -> f64 {
        match self {
            Self::Softmax => {
                let given = target.iter().position(|value| *value > 0.5).expect("every row has a class");
                -log_softmax(outputs)[given]
            }
            Self::Sigmoid => {
                outputs
                    .iter()
                    .zip(target)
                    .map(|(z, target)| softplus(*z) - z * f64::from(*target))
                    .sum::<f64>()
                    / outputs.len() as f64
            }
            Self::Identity => (outputs[0] - f64::from(target[0])).powi(2),
        }
    }

    /// What is reported: right or wrong, the share of labels that are right, or minus the absolute error.
    pub(crate) fn score(self, outputs: &[f64], target: &[f32]) -> f64 {
        match self {
            Self::Softmax => {
                let best = (0..outputs.len())
                    .fold(0, |best, class| if outputs[class] > outputs[best] { class } else { best });
                f64::from(target[best])
            }
            Self::Sigmoid => {
                let right = outputs
                    .iter()
                    .zip(target)
                    .filter(|(z, target)| (sigmoid(**z) >= 0.5) == (**target > 0.5))
                    .count();
                right as f64 / outputs.len() as f64
            }
            Self::Identity => -(outputs[0] - f64::from(target[0])).abs(),
        }
    }
}
