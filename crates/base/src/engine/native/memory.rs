//! Memory for activations and weights.

use super::simd::{LANES, Lanes};
use memmap2::MmapMut;
use std::io;

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
