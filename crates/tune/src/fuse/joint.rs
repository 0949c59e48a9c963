//! Joint Gaussian discriminant analysis of several senses (methods 7.2).
//!
//! `A = blockdiag(A_m) + gamma * offdiag(S_w)`: each sense has its own shrunken covariance, and `gamma` says how far what goes
//! together across senses is believed. With 0 the senses are experts whose scores add up; their product. A sense that is missing is
//! integrated out: its rows and columns of `A` are deleted, nothing is imputed.
//!
//! In the coordinates where every `A_m` is the identity, `A = I + gamma R`, and only `R` couples senses. Each subset of senses
//! ends as one linear map per sense, so answering costs a product and no factorisation. Fitting costs, for each subset with `D`
//! dimensions in all (at most `n - 1` for each sense), `D^3 / 2 + n D^2`; nothing but the scale where `gamma` is 0.

use std::collections::BTreeMap;

use linalg::Matrix;
use linalg::decompose::{cholesky, solve_lower, solve_lower_transposed};
use linalg::logits::log_softmax;
use serde::{Deserialize, Serialize};

use super::block::Block;
use super::coupling::Coupling;
use super::{FuseInput, Subset};
use crate::TuneError;
use crate::head::Tensors;

/// How far coupling across senses may be believed.
const GAMMAS: [f64; 3] = [0.0, 0.25, 0.5];
/// Most columns of all senses together for which a joint model is tried: its cost grows with their cube.
const MOST_COLUMNS: usize = 2_500;

/// Linear scores for every subset of the senses.
#[derive(Debug, Clone, PartialEq)]
pub struct JointGda {
    gamma: f64,
    /// Columns of each sense.
    dims: Vec<usize>,
    n_classes: usize,
    /// For each subset, one map for each of its senses, ascending.
    maps: BTreeMap<Subset, Vec<Map>>,
}

/// What one sense adds to the scores: `weight x + bias`.
#[derive(Debug, Clone, PartialEq)]
struct Map {
    /// `[k, d]`.
    weight: Matrix<f32>,
    /// `[k]`.
    bias: Vec<f32>,
}

/// A joint model without its numbers, as stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    gamma: f64,
    dims: Vec<usize>,
    n_classes: usize,
    subsets: Vec<u8>,
}

impl JointGda {
    /// Fits, and chooses `gamma` by leave-one-out log-loss on the rows that have every sense.
    ///
    /// # Errors
    /// [`TuneError`] names the row or the sense at fault; every class must occur with every sense, and every sense has features.
    pub fn fit(input: &FuseInput<'_>) -> Result<Self, TuneError> {
        input.check()?;
        let subsets: Vec<Subset> = Subset::every(input.senses.len()).collect();
        Self::fit_rows(input, &(0..input.n()).collect::<Vec<_>>(), None, &subsets)
    }

    /// Fits with a known `gamma`, from 0 to 0.5.
    ///
    /// # Errors
    /// As [`JointGda::fit`].
    pub fn with_gamma(input: &FuseInput<'_>, gamma: f64) -> Result<Self, TuneError> {
        input.check()?;
        if !(0.0..=0.5).contains(&gamma) {
            return Err(TuneError::Setting { setting: "gamma", expected: "from 0 to 0.5" });
        }
        let subsets: Vec<Subset> = Subset::every(input.senses.len()).collect();
        Self::fit_rows(input, &(0..input.n()).collect::<Vec<_>>(), Some(gamma), &subsets)
    }

    /// Fits on some rows, for some subsets.
    pub(crate) fn fit_rows(
        input: &FuseInput<'_>,
        rows: &[usize],
        gamma: Option<f64>,
        subsets: &[Subset],
    ) -> Result<Self, TuneError> {
        let blocks = input.senses.iter().map(|sense| Block::new(input, sense, rows));
        let blocks: Vec<Block> = blocks.collect::<Result<_, _>>()?;
        let coupling = Coupling::new(&blocks, input.labels, rows);
        let gamma = gamma.unwrap_or_else(|| coupling.best_gamma(&GAMMAS));
        if !coupling.is_possible(gamma) {
            return Err(TuneError::Setting { setting: "gamma", expected: "less where rows lack senses" });
        }
        let maps = subsets.iter().map(|subset| (*subset, maps(&blocks, &coupling, *subset, gamma))).collect();
        let dims = input.senses.iter().map(|sense| sense.features.map_or(0, Matrix::cols)).collect();
        Ok(Self { gamma, dims, n_classes: input.n_classes, maps })
    }

    /// How far coupling across senses is believed: 0 is the product of experts.
    pub fn gamma(&self) -> f64 {
        self.gamma
    }

    /// Number of senses.
    pub fn n_senses(&self) -> usize {
        self.dims.len()
    }

    /// What each sense that is there adds to the score of each class, `[M]` of `[k]`; classes are equally frequent before.
    ///
    /// # Panics
    /// When features differ in number or length from what was fitted.
    pub fn parts(&self, features: &[Option<&[f32]>]) -> Vec<Option<Vec<f64>>> {
        assert_eq!(features.len(), self.n_senses(), "one value for each sense");
        let subset = Subset::of(features.iter().map(Option::is_some));
        let mut parts = vec![None; features.len()];
        let Some(maps) = self.maps.get(&subset) else {
            return parts;
        };
        for (sense, map) in subset.senses().zip(maps) {
            parts[sense] = features[sense].map(|x| map.scores(x));
        }
        parts
    }

    /// Log-probabilities, `[k]`; even where there is no sense.
    ///
    /// # Panics
    /// As [`JointGda::parts`].
    pub fn log_probs(&self, features: &[Option<&[f32]>]) -> Vec<f64> {
        let mut scores = vec![0.0; self.n_classes];
        for part in self.parts(features).into_iter().flatten() {
            scores.iter_mut().zip(part).for_each(|(score, part)| *score += part);
        }
        log_softmax(&scores)
    }

    /// Number of columns of a sense.
    pub(crate) fn dims(&self, sense: usize) -> usize {
        self.dims[sense]
    }

    /// Structure and tensors, for storing.
    pub(crate) fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let mut tensors = Tensors::new();
        for (subset, maps) in &self.maps {
            for (sense, map) in subset.senses().zip(maps) {
                let [weight, bias] = names(*subset, sense);
                tensors
                    .insert(weight, (vec![map.weight.rows(), map.weight.cols()], map.weight.data().to_vec()));
                tensors.insert(bias, (vec![map.bias.len()], map.bias.clone()));
            }
        }
        let subsets = self.maps.keys().map(|subset| subset.bits()).collect();
        let stored =
            Stored { gamma: self.gamma, dims: self.dims.clone(), n_classes: self.n_classes, subsets };
        (serde_json::to_value(stored).expect("a joint model has string keys and finite numbers"), tensors)
    }

    /// The reverse of [`JointGda::to_tensors`]; everything that came from a file is checked.
    pub(crate) fn from_tensors(structure: serde_json::Value, tensors: &Tensors) -> Result<Self, TuneError> {
        let damaged = |detail: String| TuneError::Head { detail };
        let stored: Stored = serde_json::from_value(structure).map_err(|error| damaged(error.to_string()))?;
        let (m, k) = (stored.dims.len(), stored.n_classes);
        let every: Vec<u8> = if (1..=Subset::MOST).contains(&m) {
            Subset::every(m).map(Subset::bits).collect()
        } else {
            Vec::new()
        };
        if k < 2 || every.is_empty() || stored.subsets != every || !(0.0..=0.5).contains(&stored.gamma) {
            return Err(damaged("it has no map for each subset of its senses".to_owned()));
        }
        let tensor = |name: String, shape: &[usize]| match tensors.get(&name) {
            Some((given, values)) if given == shape && shape.iter().product::<usize>() == values.len() => {
                Ok(values.clone())
            }
            _ => Err(damaged(format!("tensor `{name}` is missing or has another shape"))),
        };
        let mut maps = BTreeMap::new();
        for subset in Subset::every(m) {
            let of_sense = |sense: usize| {
                let ([weight, bias], d) = (names(subset, sense), stored.dims[sense]);
                let weight = Matrix::from_vec(k, d, tensor(weight, &[k, d])?);
                Ok(Map { weight, bias: tensor(bias, &[k])? })
            };
            maps.insert(subset, subset.senses().map(of_sense).collect::<Result<_, TuneError>>()?);
        }
        Ok(Self { gamma: stored.gamma, dims: stored.dims, n_classes: k, maps })
    }
}

/// Refuses what would take too long.
pub(crate) fn small_enough(input: &FuseInput<'_>) -> Result<(), TuneError> {
    let dims = input.senses.iter().map(|sense| sense.features.map_or(0, Matrix::cols));
    let got = dims.map(|dim| dim.min(input.n().saturating_sub(1))).sum();
    if got > MOST_COLUMNS { Err(TuneError::ManyColumns { got, most: MOST_COLUMNS }) } else { Ok(()) }
}

fn names(subset: Subset, sense: usize) -> [String; 2] {
    ["weight", "bias"].map(|name| format!("joint.{}.{sense}.{name}", subset.bits()))
}

impl Map {
    fn scores(&self, x: &[f32]) -> Vec<f64> {
        assert_eq!(x.len(), self.weight.cols(), "the features are as long as those that were fitted");
        let rows = self.weight.iter_rows().zip(&self.bias);
        rows.map(|(weight, bias)| linalg::dot(weight, x) + f64::from(*bias)).collect()
    }
}

/// The linear maps of one subset: `s T (I + gamma R)^-1 T m_k`, sense by sense, with `T` the roots of the senses' degrees of
/// freedom, which turn scatter into covariance.
fn maps(blocks: &[Block], coupling: &Coupling<'_>, subset: Subset, gamma: f64) -> Vec<Map> {
    let senses: Vec<usize> = subset.senses().collect();
    let certainty = |sense: usize| blocks[sense].degrees.sqrt();
    let k = blocks[0].means.rows();
    let scale = coupling.scale(subset, gamma);
    let factor = (gamma > 0.0 && senses.len() > 1)
        .then(|| cholesky(coupling.matrix(subset, gamma).view()).expect("gamma was found to be possible"));
    let mut weights: Vec<Matrix<f64>> =
        senses.iter().map(|sense| Matrix::zeros(k, blocks[*sense].dims())).collect();
    for class in 0..k {
        let mut mean = Vec::new();
        for sense in &senses {
            mean.extend(blocks[*sense].means.row(class).iter().map(|value| certainty(*sense) * value));
        }
        if let Some(factor) = &factor {
            solve_lower(factor.view(), &mut mean);
            solve_lower_transposed(factor.view(), &mut mean);
        }
        let mut from = 0;
        for (sense, weight) in senses.iter().zip(&mut weights) {
            let part = &mean[from..from + blocks[*sense].dims()];
            weight
                .row_mut(class)
                .iter_mut()
                .zip(part)
                .for_each(|(to, value)| *to = scale * certainty(*sense) * value);
            from += part.len();
        }
    }
    let map = |(sense, weight): (&usize, &Matrix<f64>)| {
        let (weight, bias) = blocks[*sense].linear(weight);
        Map {
            weight: weight.map(|value| value as f32),
            bias: bias.into_iter().map(|value| value as f32).collect(),
        }
    };
    senses.iter().zip(&weights).map(map).collect()
}
