//! What is marked on a photo, in one bit a pixel: the masks of a whole set are kept until it is measured.

use std::sync::Arc;

use base::prep::Mask;

/// The area that a mask marks. A copy costs nothing.
#[derive(Debug, Clone)]
pub(crate) struct Marking {
    /// In pixels.
    pub(crate) width: usize,
    /// In pixels.
    pub(crate) height: usize,
    /// Eight pixels a byte, row by row.
    bits: Arc<[u8]>,
}

impl From<&Mask> for Marking {
    fn from(mask: &Mask) -> Self {
        let byte = |pixels: &[bool]| {
            pixels.iter().enumerate().fold(0, |byte, (at, inside)| byte | u8::from(*inside) << at)
        };
        let bits = mask.inside.chunks(8).map(byte).collect();
        Self { width: mask.width as usize, height: mask.height as usize, bits }
    }
}

impl Marking {
    /// Whether each pixel is marked, row by row.
    pub(crate) fn inside(&self) -> impl Iterator<Item = bool> {
        let bits = self.bits.iter().flat_map(|byte| (0..8).map(move |at| byte >> at & 1 == 1));
        bits.take(self.width * self.height)
    }

    /// Marked pixels.
    pub(crate) fn area(&self) -> usize {
        self.bits.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// In squares of so many pixels, row by row; a square is marked when any pixel of it is.
    pub(crate) fn thinned(&self, step: usize) -> Vec<bool> {
        let cols = self.width.div_ceil(step);
        let mut thin = vec![false; self.height.div_ceil(step) * cols];
        for (at, inside) in self.inside().enumerate() {
            thin[at / self.width / step * cols + at % self.width / step] |= inside;
        }
        thin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_say_what_the_mask_says_in_an_eighth_of_the_room() {
        let inside: Vec<bool> = (0..7 * 5).map(|at| at % 3 == 0 || at == 34).collect();
        let marking = Marking::from(&Mask { width: 7, height: 5, inside: inside.clone() });
        assert_eq!(marking.inside().collect::<Vec<_>>(), inside);
        assert_eq!((marking.area(), marking.bits.len()), (13, 5));
        assert_eq!(marking.thinned(1), inside);
        assert_eq!(marking.thinned(4), [true; 4]);
        let corner = Mask { width: 5, height: 3, inside: (0..15).map(|at| at == 14).collect() };
        assert_eq!(Marking::from(&corner).thinned(2), [false, false, false, false, false, true]);
    }
}
