//! Lays the features of two bases over each other, from few pairs (methods 7.5).
//!
//! [`align`] fits, chooses and judges; an [`Alignment`] turns features of either side into vectors of length 1 in one space, whose
//! dot product ranks partners. Both bases stay as they are.

mod cca;
mod choice;
mod procrustes;
mod projectors;
mod retrieval;
mod space;
#[cfg(test)]
mod tests;

pub use choice::{Aligned, Method, Pairs, Spaces, Tried, align};
pub use retrieval::WrongPairs;

use linalg::{Matrix, matmul};
use serde::{Deserialize, Serialize};

use self::space::Space;
use crate::TuneError;
use crate::head::Tensors;

/// Fewer pairs than this align nothing.
pub const FEWEST_PAIRS: usize = 50;

/// Two maps into one space.
#[derive(Debug, Clone, PartialEq)]
pub struct Alignment {
    /// For features of the left base.
    pub left: Side,
    /// For features of the right base.
    pub right: Side,
}

/// From features of one base to the common space: centred, multiplied, cut to length 1.
///
/// The roots of the correlations are part of the weight, so a dot product is the cosine weighted by correlation.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// `[d]`.
    mean: Vec<f32>,
    /// `[r, d]`.
    weight: Matrix<f32>,
}

/// An alignment without its numbers, as stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    dims: usize,
}

impl Side {
    /// The features themselves, at length 1.
    fn as_it_is(dim: usize) -> Self {
        let mut weight = Matrix::zeros(dim, dim);
        (0..dim).for_each(|at| weight.row_mut(at)[at] = 1.0);
        Self { mean: vec![0.0; dim], weight }
    }

    /// From weights in the principal axes, `[r, axes]`.
    fn new(space: &Space, weight: &Matrix<f64>) -> Self {
        let weight = matmul(weight.view(), space.axes.view());
        Self {
            mean: space.mean.iter().map(|value| *value as f32).collect(),
            weight: weight.map(|value| value as f32),
        }
    }

    /// A vector of length 1 in the common space, `[r]`, or zeros where nothing of `x`, `[d]`, is in it.
    ///
    /// # Errors
    /// [`TuneError`] where `x` has another length or a value that is not finite.
    pub fn project(&self, x: &[f32]) -> Result<Vec<f32>, TuneError> {
        let what = || "the vector to align".to_owned();
        if x.len() != self.mean.len() {
            return Err(TuneError::Columns { what: what(), got: x.len(), expected: self.mean.len() });
        }
        if !x.iter().all(|value| value.is_finite()) {
            return Err(TuneError::NotFinite { set: what(), row: 0 });
        }
        Ok(self.turned(x))
    }

    fn turned(&self, x: &[f32]) -> Vec<f32> {
        let off: Vec<f32> = x.iter().zip(&self.mean).map(|(x, mean)| x - mean).collect();
        let values: Vec<f64> = self.weight.iter_rows().map(|weight| linalg::dot(weight, &off)).collect();
        let length = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        let inverse = if length > 0.0 { 1.0 / length } else { 0.0 };
        values.into_iter().map(|value| (value * inverse) as f32).collect()
    }

    /// All rows of `x`, `[n, d]`, in the common space, `[n, r]`.
    fn turned_rows(&self, x: &Matrix) -> Matrix {
        Matrix::from_rows(&x.iter_rows().map(|row| self.turned(row)).collect::<Vec<_>>())
    }
}

impl Alignment {
    /// Of two bases whose features, `[dim]` each, lie in one space already.
    pub fn as_it_is(dim: usize) -> Self {
        Self { left: Side::as_it_is(dim), right: Side::as_it_is(dim) }
    }

    /// Dimensions of the common space.
    pub fn dims(&self) -> usize {
        self.left.weight.rows()
    }

    /// How well two examples go together, -1 to 1.
    ///
    /// # Errors
    /// As [`Side::project`].
    pub fn similarity(&self, left: &[f32], right: &[f32]) -> Result<f64, TuneError> {
        Ok(linalg::dot(&self.left.project(left)?, &self.right.project(right)?))
    }

    /// Structure and tensors, for storing.
    pub fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let mut tensors = Tensors::new();
        for (name, side) in [("left", &self.left), ("right", &self.right)] {
            let shape = vec![side.weight.rows(), side.weight.cols()];
            tensors.insert(format!("{name}.weight"), (shape, side.weight.data().to_vec()));
            tensors.insert(format!("{name}.mean"), (vec![side.mean.len()], side.mean.clone()));
        }
        (serde_json::json!({ "dims": self.dims() }), tensors)
    }

    /// The reverse of [`Alignment::to_tensors`]; everything that came from a file is checked.
    ///
    /// # Errors
    /// [`TuneError::Head`] when the parts do not fit together.
    pub fn from_tensors(structure: &serde_json::Value, tensors: &Tensors) -> Result<Self, TuneError> {
        let damaged = |detail: String| TuneError::Head { detail };
        let Stored { dims } = Stored::deserialize(structure).map_err(|error| damaged(error.to_string()))?;
        let side = |name: &str| {
            let get = |part: &str| tensors.get(&format!("{name}.{part}"));
            match (get("weight"), get("mean")) {
                (Some((shape, weight)), Some((length, mean)))
                    if *length == [mean.len()]
                        && *shape == [dims, mean.len()]
                        && dims.checked_mul(mean.len()) == Some(weight.len())
                        && dims > 0
                        && weight.iter().chain(mean).all(|value| value.is_finite()) =>
                {
                    let weight = Matrix::from_vec(dims, mean.len(), weight.clone());
                    Ok(Side { mean: mean.clone(), weight })
                }
                _ => Err(damaged(format!("the {name} side of the alignment does not fit together"))),
            }
        };
        Ok(Self { left: side("left")?, right: side("right")? })
    }
}
