//! Memory for values that are not needed at the same time is the same memory.

use crate::graph::ValueId;

/// Slots that are free again once their value was read for the last time.
#[derive(Debug)]
pub(super) struct Slots {
    /// For each value, the reads that are still to come.
    reads: Vec<usize>,
    free: Vec<usize>,
    total: usize,
}

impl Slots {
    /// `all` names a value for each time that it will be read. An output is named once more, and so never freed.
    pub(super) fn new<'a>(values: usize, all: impl Iterator<Item = &'a ValueId>) -> Self {
        let mut reads = vec![0; values];
        all.for_each(|value| reads[value.0] += 1);
        Self { reads, free: Vec::new(), total: 0 }
    }

    /// A slot for a new value: the one that was freed last, which is the likeliest to be in the cache.
    pub(super) fn take(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.total += 1;
            self.total - 1
        })
    }

    /// Notes that a value was read from its slot.
    pub(super) fn read(&mut self, value: ValueId, slot: usize) {
        self.reads[value.0] -= 1;
        if self.reads[value.0] == 0 {
            self.free.push(slot);
        }
    }

    /// Slots needed.
    pub(super) fn total(&self) -> usize {
        self.total
    }
}
