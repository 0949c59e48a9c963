//! What can be wrong with a graph.

use super::Shape;

/// Why a graph could not be built over the given weights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two nodes or two outputs share a name.
    #[error("the name `{name}` is used twice")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A weight that the network needs is not there.
    #[error("`{node}` needs the weight `{weight}`, which is missing")]
    MissingWeight {
        /// The node.
        node: String,
        /// The weight.
        weight: String,
    },
    /// A weight has another shape than its place in the network asks for.
    #[error("`{node}`: weight `{weight}` is {got:?}, expected {expected}")]
    WeightShape {
        /// The node.
        node: String,
        /// The weight.
        weight: String,
        /// Its shape.
        got: Vec<usize>,
        /// The shape asked for, in words.
        expected: String,
    },
    /// A node got a value of a shape it cannot take.
    #[error("`{node}`: input {index} is {got}, expected {expected}")]
    InputShape {
        /// The node.
        node: String,
        /// Which of its inputs, from 0.
        index: usize,
        /// The shape of that input.
        got: Shape,
        /// The shape asked for, in words.
        expected: String,
    },
    /// A node got the wrong number of values.
    #[error("`{node}` got {got} inputs, expected {expected}")]
    InputCount {
        /// The node.
        node: String,
        /// How many it got.
        got: usize,
        /// How many it takes, in words.
        expected: &'static str,
    },
    /// A node refers to a value that is not made before it.
    #[error("`{node}` refers to value {value}, which is not made before it")]
    UnknownValue {
        /// The node.
        node: String,
        /// The value.
        value: usize,
    },
    /// A setting of an operation is out of range.
    #[error("`{node}`: {detail}")]
    Setting {
        /// The node.
        node: String,
        /// What is wrong.
        detail: String,
    },
    /// An output is neither a vector nor rows.
    #[error("output `{name}` is {got}, expected a vector or rows")]
    BadOutput {
        /// The output.
        name: String,
        /// Its shape.
        got: Shape,
    },
    /// A graph without outputs computes nothing.
    #[error("the graph has no output")]
    NoOutput,
    /// An output was asked for that the graph does not have.
    #[error("no output `{name}`; there are {have:?}")]
    NoSuchOutput {
        /// The name asked for.
        name: String,
        /// The names there are.
        have: Vec<String>,
    },
}
