//! What flows through a plan: the examples of a run, and the values computed for them.

use super::kernels::gemm::Planes;
use super::memory::Buffer;
use std::ops::Range;

/// The examples of one run: one image, one sound's frames, or any number of texts whose tokens lie end to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// `[channels, height, width]` of an image, `[t, dim]` of a sound; empty for texts.
    pub(crate) values: &'a [f32],
    /// Token ids of each text.
    pub(crate) texts: &'a [&'a [u32]],
    /// Where each text's tokens or sound's frames start, and where the last one's end.
    pub(crate) starts: &'a [usize],
}

impl Batch<'_> {
    pub(crate) fn examples(&self) -> usize {
        self.starts.len() - 1
    }

    fn tokens(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }
}

/// How many rows a value has: so many for each token, and so many for each example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) per_token: usize,
    pub(crate) per_example: usize,
}

impl Extent {
    /// Rows of all examples together.
    pub(crate) fn rows(self, batch: &Batch<'_>) -> usize {
        self.per_token * batch.tokens() + self.per_example * batch.examples()
    }

    /// The rows of one example.
    pub(crate) fn of_example(self, batch: &Batch<'_>, example: usize) -> Range<usize> {
        let start = |example| self.per_token * batch.starts[example] + self.per_example * example;
        start(example)..start(example + 1)
    }
}

/// Where a value lives: planes of all its rows, one after another, in a slot that it shares with others over time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value {
    pub(crate) slot: usize,
    pub(crate) extent: Extent,
    /// Channels of a row.
    pub(crate) dim: usize,
}

/// The values a step reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) slots: &'a [Buffer],
    pub(crate) values: &'a [Value],
    pub(crate) batch: &'a Batch<'a>,
}

impl<'a> Inputs<'a> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The rows of all examples.
    pub(crate) fn planes(&self, input: usize) -> Planes<'a> {
        let value = self.values[input];
        Planes { data: self.slots[value.slot].lanes(), plane: value.extent.rows(self.batch) }
    }

    pub(crate) fn dim(&self, input: usize) -> usize {
        self.values[input].dim
    }

    /// One example's rows.
    pub(crate) fn rows_of(&self, input: usize, example: usize) -> Range<usize> {
        self.values[input].extent.of_example(self.batch, example)
    }
}
