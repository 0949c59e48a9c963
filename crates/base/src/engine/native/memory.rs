//! Memory for activations and weights.

use super::simd::{LANES, Lanes};
use memmap2::MmapMut;
use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};
use std::{fmt, io};

/// Zeroed vectors in pages of their own, large pages where the system has them.
///
/// Fresh pages cost more than the kernels that fill them, so buffers only ever grow and are used again and again.
/// Pages are 4096-aligned, so no vector straddles a cache line.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    pages: Option<MmapMut>,
}

impl Buffer {
    /// Makes room for `len` vectors; what was held is lost when it has to grow.
    pub(crate) fn reserve(&mut self, len: usize) -> io::Result<()> {
        if self.lanes().len() < len {
            self.pages = None;
            let pages = MmapMut::map_anon(len * size_of::<Lanes>())?;
            // A wish: without large pages all works the same.
            #[cfg(target_os = "linux")]
            let _ = pages.advise(memmap2::Advice::HugePage);
            self.pages = Some(pages);
        }
        Ok(())
    }

    /// All vectors, at least as many as were asked for.
    pub(crate) fn lanes(&self) -> &[Lanes] {
        self.pages.as_ref().map_or(&[], |pages| {
            bytemuck::cast_slice::<u8, f32>(&pages[..pages.len() / size_of::<Lanes>() * size_of::<Lanes>()])
                .as_chunks::<LANES>()
                .0
        })
    }

    /// All vectors, to be written.
    pub(crate) fn lanes_mut(&mut self) -> &mut [Lanes] {
        self.pages.as_mut().map_or(&mut [], |pages| {
            let len = pages.len() / size_of::<Lanes>() * size_of::<Lanes>();
            bytemuck::cast_slice_mut::<u8, f32>(&mut pages[..len]).as_chunks_mut::<LANES>().0
        })
    }
}

/// Vectors of a chunk of weights: eight megabytes, four large pages.
const CHUNK: usize = (8 << 20) / size_of::<Lanes>();

/// Packed weights of one layer, in memory that neighbouring layers share: fewer, larger pages.
#[derive(Clone)]
pub(crate) struct Packed {
    chunk: Arc<OnceLock<Buffer>>,
    range: Range<usize>,
}

impl Deref for Packed {
    type Target = [Lanes];

    fn deref(&self) -> &[Lanes] {
        &self.chunk.get().expect("a plan closes its shelf before it runs").lanes()[self.range.clone()]
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} vectors", self.range.len())
    }
}

/// Where weights are packed one after another, in the order that they will be read.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    open: Buffer,
    used: usize,
    chunk: Arc<OnceLock<Buffer>>,
}

impl Shelf {
    /// Copies weights to the shelf. They can be read when it is closed.
    pub(crate) fn put(&mut self, lanes: &[Lanes]) -> io::Result<Packed> {
        if self.used + lanes.len() > self.open.lanes().len() {
            self.close();
            self.open.reserve(lanes.len().max(CHUNK))?;
        }
        let range = self.used..self.used + lanes.len();
        self.used = range.end;
        self.open.lanes_mut()[range.clone()].copy_from_slice(lanes);
        Ok(Packed { chunk: Arc::clone(&self.chunk), range })
    }

    /// Lets everything put so far be read.
    pub(crate) fn close(&mut self) {
        let Self { open, chunk, .. } = std::mem::take(self);
        chunk.set(open).expect("a chunk is closed once");
    }
}
