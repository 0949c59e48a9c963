//! Layers whose tensors are called `NAME.weight` and `NAME.bias`, as most published checkpoints have them.

use super::ArchError;
use crate::graph::{Activation, GraphBuilder, Op, ValueId};

/// A linear map with a bias.
pub(super) fn linear(
    graph: &mut GraphBuilder<'_>,
    name: &str,
    activation: Activation,
    x: ValueId,
) -> Result<ValueId, ArchError> {
    let op = Op::Linear { weight: format!("{name}.weight"), bias: Some(format!("{name}.bias")), activation };
    Ok(graph.push(name, op, &[x])?)
}

/// A layer norm.
pub(super) fn norm(
    graph: &mut GraphBuilder<'_>,
    name: &str,
    eps: f32,
    x: ValueId,
) -> Result<ValueId, ArchError> {
    let op = Op::LayerNorm { gamma: format!("{name}.weight"), beta: format!("{name}.bias"), eps };
    Ok(graph.push(name, op, &[x])?)
}
