//! What a head does after the network: operations on `[n, dim]` batches.

use super::{
    EmitError, OnnxModel, check,
    ops::{l2_normalize, transpose},
    writer::{Dim, Name, int, ints},
};
use crate::graph::Shape;

/// A value of shape `[n, dim]` in the model that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    name: Name,
    dim: usize,
}

impl Batch {
    /// Numbers in each row.
    pub fn dim(&self) -> usize {
        self.dim
    }
}

impl OnnxModel {
    /// A vector that the network gives, one row an example.
    pub fn vector(&self, output: &str) -> Result<Batch, EmitError> {
        let vectors = || {
            self.network_outputs.iter().filter_map(|(name, value, shape)| match shape {
                Shape::Vector { dim } => Some((name, Batch { name: value.clone(), dim: *dim })),
                _ => None,
            })
        };
        let found = vectors().find(|(name, _)| *name == output).map(|(_, batch)| batch);
        found.ok_or_else(|| EmitError::NoVector {
            name: output.to_owned(),
            have: vectors().map(|(name, _)| name.clone()).collect(),
        })
    }

    /// Makes a batch an output of the model.
    pub fn output(&mut self, name: &str, batch: &Batch) -> Result<(), EmitError> {
        self.declare(name, &batch.name, &[Dim::Dynamic("n"), Dim::Fixed(batch.dim)])
    }

    /// Names the part of the model that the next operations belong to.
    pub fn scope(&mut self, name: &str) {
        name.clone_into(&mut self.writer.scope);
    }

    /// `x weight^T + bias`; `weight` is `[out, dim]` row-major, `bias` is `[out]`.
    pub fn linear(&mut self, x: &Batch, weight: &[f32], bias: &[f32]) -> Result<Batch, EmitError> {
        let out = bias.len();
        check("weight", weight.len(), out * x.dim)?;
        let weight = self.constant(&[x.dim, out], transpose(weight, out, x.dim));
        let bias = self.constant(&[out], bias.to_vec());
        let product = self.writer.node("MatMul", &[&x.name, &weight], vec![]);
        Ok(Batch { name: self.writer.node("Add", &[&product, &bias], vec![]), dim: out })
    }

    /// `(x - centre) * factor`; `centre` is `[dim]`.
    pub fn standardise(&mut self, x: &Batch, centre: &[f32], factor: f32) -> Result<Batch, EmitError> {
        check("centre", centre.len(), x.dim)?;
        let centre = self.constant(&[x.dim], centre.to_vec());
        let centred = Batch { name: self.writer.node("Sub", &[&x.name, &centre], vec![]), dim: x.dim };
        Ok(self.scale(&centred, factor))
    }

    /// Each number times `factor`.
    pub fn scale(&mut self, x: &Batch, factor: f32) -> Batch {
        let factor = self.writer.number(factor);
        self.unary("Mul", x, &[&factor])
    }

    /// `factor x + offset`, each `[dim]`, elementwise.
    pub fn affine(&mut self, x: &Batch, factor: &[f32], offset: &[f32]) -> Result<Batch, EmitError> {
        check("factor", factor.len(), x.dim)?;
        check("offset", offset.len(), x.dim)?;
        let (factor, offset) =
            (self.constant(&[x.dim], factor.to_vec()), self.constant(&[x.dim], offset.to_vec()));
        let scaled = self.unary("Mul", x, &[&factor]);
        Ok(self.unary("Add", &scaled, &[&offset]))
    }

    /// Each row over its length, which is at least 1e-12.
    pub fn l2_normalize(&mut self, x: &Batch) -> Batch {
        Batch { name: l2_normalize(&mut self.writer, &x.name), dim: x.dim }
    }

    /// Rows end to end.
    pub fn concat(&mut self, parts: &[&Batch]) -> Result<Batch, EmitError> {
        if parts.is_empty() {
            return Err(EmitError::Empty { what: "concat" });
        }
        let names: Vec<&Name> = parts.iter().map(|part| &part.name).collect();
        let name = self.writer.node("Concat", &names, vec![int("axis", 1)]);
        Ok(Batch { name, dim: parts.iter().map(|part| part.dim).sum() })
    }

    /// The sum of batches of equal width.
    pub fn sum(&mut self, parts: &[Batch]) -> Result<Batch, EmitError> {
        let [first, rest @ ..] = parts else {
            return Err(EmitError::Empty { what: "sum" });
        };
        let mut sum = first.clone();
        for part in rest {
            check("a summed batch", part.dim, first.dim)?;
            sum = Batch { name: self.writer.node("Add", &[&sum.name, &part.name], vec![]), dim: first.dim };
        }
        Ok(sum)
    }

    /// Probabilities of each row.
    pub fn softmax(&mut self, x: &Batch) -> Batch {
        Batch { name: self.writer.node("Softmax", &[&x.name], vec![int("axis", -1)]), dim: x.dim }
    }

    /// `1 / (1 + exp(-x))`, elementwise.
    pub fn sigmoid(&mut self, x: &Batch) -> Batch {
        self.unary("Sigmoid", x, &[])
    }

    /// `[n, 1]`: the largest number of each row (how sure the head is).
    pub fn row_max(&mut self, x: &Batch) -> Batch {
        let attributes = vec![ints("axes", &[-1]), int("keepdims", 1)];
        Batch { name: self.writer.node("ReduceMax", &[&x.name], attributes), dim: 1 }
    }

    fn unary(&mut self, op_type: &str, x: &Batch, more: &[&Name]) -> Batch {
        let inputs: Vec<&Name> = std::iter::once(&x.name).chain(more.iter().copied()).collect();
        Batch { name: self.writer.node(op_type, &inputs, vec![]), dim: x.dim }
    }

    /// An initializer of the head, under a fresh name.
    fn constant(&mut self, shape: &[usize], values: Vec<f32>) -> Name {
        let name = self.writer.fresh("constant");
        self.writer.tensor(name, shape, || values.into())
    }
}
