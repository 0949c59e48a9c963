//! Readers of the files pretrained weights come in.
//!
//! Each reads one container and gives [`Weights`](crate::weights::Weights). The files come from strangers: every reader
//! checks lengths before it allocates, stops at its limits, and names the byte where it stopped. Nothing in a file is
//! ever run.

pub mod ctranslate2;
pub mod e5s1;
pub mod npy;
pub mod npz;
mod pickle;
mod reader;
pub mod sentencepiece;
pub mod torch;
mod unigram;
pub mod usem3;

/// Where and why a container could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{container}, byte {offset}: {fault}")]
pub struct ContainerError {
    /// What the file was read as.
    pub container: &'static str,
    /// How far the reader had come, in bytes from the start of the file.
    pub offset: u64,
    /// What it met there.
    pub fault: Fault,
}

/// What stopped a reader.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum Fault {
    /// The file ends too early.
    #[error("the file ends in the middle of {what}")]
    Truncated { what: &'static str },
    /// The first bytes are another format's.
    #[error("this is not {what}")]
    Format { what: &'static str },
    /// Two parts of the file contradict each other, or a value is out of range.
    #[error("{what}")]
    Malformed { what: String },
    /// A pickle asks for something that no weights file needs. It was not run.
    #[error("the file asks for `{name}`, which no weights file needs; nothing was run")]
    Forbidden { name: String },
    /// Sound, perhaps, but more than any base needs.
    #[error("more than {limit} {what}")]
    Limit { what: &'static str, limit: u64 },
}

impl Fault {
    fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into() }
    }

    fn at(self, container: &'static str, offset: usize) -> ContainerError {
        ContainerError { container, offset: offset as u64, fault: self }
    }
}

/// How much a file may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Objects one pickle may build. Default 4 million: about a hundred for each tensor of the largest networks.
    pub objects: usize,
    /// Tensors in one file. Default 65,536.
    pub tensors: usize,
    /// Numbers in all tensors together. Default 2^32: 16 GiB, an order above the largest base in the catalogue.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { objects: 4_000_000, tensors: 65_536, values: 1 << 32 }
    }
}
