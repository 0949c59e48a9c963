//! The loops where the time goes, each written once over [`super::simd::Isa`].
//!
//! Activations lie in planes: `[blocks of sixteen channels][positions][16]`, where a position is a pixel or a token.
//! Channels beyond the real ones are zero, always, so no kernel has a remainder in the channels.

#![allow(clippy::needless_range_loop, reason = "the indices of a kernel are those of its formula")]

pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod depthwise;
pub(crate) mod gemm;
pub(crate) mod math;
pub(crate) mod norm;
#[cfg(test)]
mod tests;

use std::ops::Range;

/// Cuts `total` into ranges of nearly equal length, none longer than `most`.
///
/// Seventeen rows go as 6 + 6 + 5 and not as 8 + 8 + 1: short tiles waste the registers.
#[inline(always)]
pub(crate) fn deal(total: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = total.div_ceil(most).max(1);
    let (length, longer) = (total / parts, total % parts);
    let mut start = 0;
    (0..if total == 0 { 0 } else { parts }).map(move |i| {
        let end = start + length + usize::from(i < longer);
        std::mem::replace(&mut start, end)..end
    })
}

/// How the rows of a matrix lie in a plane of image lines with gaps between them: `left` zeros before each line, and
/// only the last `slots` lines kept, each in the slot of its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    /// Rows per line.
    pub(crate) width: usize,
    /// Distance from one line to the next.
    pub(crate) pitch: usize,
    /// Where a line's first row lies in it.
    pub(crate) left: usize,
    /// Line of the matrix's first row.
    pub(crate) line: usize,
    /// Lines that the plane has room for.
    pub(crate) slots: usize,
}

impl Grid {
    /// Rows one after another.
    pub(crate) const FLAT: Self = Self { width: usize::MAX, pitch: 0, left: 0, line: 0, slots: 1 };

    /// Where the given row lies.
    #[inline(always)]
    pub(crate) fn place(self, row: usize) -> Place {
        let (line, x) = if row < self.width {
            (self.line, row)
        } else {
            (self.line + row / self.width, row % self.width)
        };
        let slot = line % self.slots;
        Place { grid: self, slot, x, at: slot * self.pitch + self.left + x }
    }
}

/// A row's place in a [`Grid`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    grid: Grid,
    slot: usize,
    x: usize,
    /// Index into the plane.
    pub(crate) at: usize,
}

impl Place {
    /// Goes on to the next row.
    #[inline(always)]
    pub(crate) fn step(&mut self) {
        self.x += 1;
        self.at += 1;
        if self.x == self.grid.width {
            self.x = 0;
            self.slot = if self.slot + 1 == self.grid.slots { 0 } else { self.slot + 1 };
            self.at = self.slot * self.grid.pitch + self.grid.left;
        }
    }
}
