//! Python pickles as inert data.
//!
//! [`parse`] follows the stack machine of a pickle (protocols 2 to 5, Python's `pickletools` is the reference) with the
//! opcodes that weights files use. A pickle may name only the few things in [`Global`], and "calling" one of them only
//! builds a node: there is nothing here that could run.

mod machine;
mod opcode;

use super::{Fault, Limits, reader::Reader};

/// Index of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId(u32);

/// One object of the pickle.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Tuple(Vec<NodeId>),
    List(Vec<NodeId>),
    /// Keys and values in the order they were set; also an ordered dictionary.
    Dict(Vec<(NodeId, NodeId)>),
    Global(Global),
    /// What `_rebuild_tensor_v2` was given.
    Tensor {
        args: NodeId,
    },
    /// A reference to something outside the pickle: a storage.
    Persistent {
        id: NodeId,
    },
}

/// The names a weights file needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(StorageType),
}

/// Element types of torch storages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StorageType {
    F64,
    F32,
    F16,
    Bf16,
    /// Integers and booleans, by their width in bytes. Their values are not needed.
    Whole(usize),
}

impl StorageType {
    /// Bytes of one element.
    pub(super) fn width(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Whole(width) => width,
        }
    }
}

impl Global {
    fn named(module: &str, name: &str) -> Result<Self, Fault> {
        use StorageType::{Bf16, F16, F32, F64, Whole};
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "DoubleStorage") => Self::Storage(F64),
            ("torch", "FloatStorage") => Self::Storage(F32),
            ("torch", "HalfStorage") => Self::Storage(F16),
            ("torch", "BFloat16Storage") => Self::Storage(Bf16),
            ("torch", "LongStorage") => Self::Storage(Whole(8)),
            ("torch", "IntStorage") => Self::Storage(Whole(4)),
            ("torch", "ShortStorage") => Self::Storage(Whole(2)),
            ("torch", "CharStorage" | "ByteStorage" | "BoolStorage") => Self::Storage(Whole(1)),
            _ => return Err(Fault::Forbidden { name: format!("{module}.{name}") }),
        })
    }
}

/// The objects of one pickle, and which of them it is.
#[derive(Debug)]
pub(super) struct Pickle {
    nodes: Vec<Node>,
    top: NodeId,
}

impl Pickle {
    pub(super) fn top(&self) -> &Node {
        self.get(self.top)
    }

    pub(super) fn get(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The text, or a fault that names what it should have been.
    pub(super) fn text(&self, id: NodeId, what: &'static str) -> Result<&str, Fault> {
        match self.get(id) {
            Node::Text(text) => Ok(text),
            _ => Err(Fault::malformed(format!("{what} should be a text"))),
        }
    }

    /// The whole number, which may not be negative.
    pub(super) fn size(&self, id: NodeId, what: &'static str) -> Result<usize, Fault> {
        match self.get(id) {
            Node::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        }
        .ok_or_else(|| Fault::malformed(format!("{what} should be a whole number from 0")))
    }

    /// The items of a tuple or list.
    pub(super) fn items(&self, id: NodeId, what: &'static str) -> Result<&[NodeId], Fault> {
        match self.get(id) {
            Node::Tuple(items) | Node::List(items) => Ok(items),
            _ => Err(Fault::malformed(format!("{what} should be a tuple"))),
        }
    }

    /// The value under a text key.
    pub(super) fn entry(&self, node: &Node, key: &str) -> Option<&Node> {
        let Node::Dict(entries) = node else { return None };
        let found =
            entries.iter().find(|(name, _)| matches!(self.get(*name), Node::Text(text) if text == key))?;
        Some(self.get(found.1))
    }
}

/// Reads one pickle, up to and with its stop mark.
pub(super) fn parse(reader: &mut Reader<'_>, limits: &Limits) -> Result<Pickle, Fault> {
    machine::run(reader, limits)
}
