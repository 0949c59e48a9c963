//! Label Studio's coding of brushes: `rle-pack` (of `thi.ng/umbrella`) over the bytes of an RGBA picture.
//!
//! A stream of bits, highest first: 32 for the number of values, 5 for the bits of a value less one, four times 4 for the bits of a
//! length less one. Then pieces: one bit that says whether one value is repeated, two that choose one of the four lengths, the length
//! less one, and the value, or as many values as the length says.

use crate::MOST_RUNS;

/// The bits of lengths, as the web page and the converter of Label Studio use them.
const LENGTHS: [u32; 4] = [3, 4, 8, 16];
/// Values of one pixel: red, green, blue and how opaque it is. Only the last is looked at.
const CHANNELS: u64 = 4;
const MARKED: u64 = 255;

/// Run lengths, row by row, from Label Studio's bytes for a picture of this size.
///
/// `None` when the bytes end too early, are for another size, or more than [`MOST_RUNS`] runs come out.
pub fn runs_from_bytes(bytes: &[u8], width: u32, height: u32) -> Option<Vec<u32>> {
    let mut bits = Bits { bytes, at: 0 };
    let n_values = bits.read(32)?;
    if n_values != u64::from(width) * u64::from(height) * CHANNELS {
        return None;
    }
    let value_bits = bits.read(5)? as u32 + 1;
    let mut lengths = [0; 4];
    for length in &mut lengths {
        *length = bits.read(4)? as u32 + 1;
    }
    let mut runs = Runs { lengths: vec![0], is_marked: false };
    let mut at = 0;
    while at < n_values {
        let is_repeated = bits.read(1)? == 1;
        let length = lengths[bits.read(2)? as usize];
        let end = (at + bits.read(length)? + 1).min(n_values);
        if is_repeated {
            // Only values in the fourth place of a pixel count.
            runs.add(end / CHANNELS - at / CHANNELS, bits.read(value_bits)? > 0)?;
        } else {
            for place in at..end {
                let value = bits.read(value_bits)?;
                runs.add(u64::from(place % CHANNELS == CHANNELS - 1), value > 0)?;
            }
        }
        at = end;
    }
    Some(runs.lengths)
}

/// Runs that grow pixel by pixel.
struct Runs {
    lengths: Vec<u32>,
    is_marked: bool,
}

impl Runs {
    fn add(&mut self, count: u64, is_marked: bool) -> Option<()> {
        if count == 0 {
            return Some(());
        }
        if is_marked != self.is_marked {
            self.lengths.push(0);
            self.is_marked = is_marked;
        }
        let last = self.lengths.last_mut()?;
        *last = last.checked_add(u32::try_from(count).ok()?)?;
        (self.lengths.len() <= MOST_RUNS).then_some(())
    }
}

/// Label Studio's bytes for run lengths, row by row; all four channels of a pixel are alike.
pub fn bytes_from_runs(runs: &[u32]) -> Vec<u8> {
    let mut out = Packed { bytes: Vec::new(), used: 0 };
    let pixels: u64 = runs.iter().map(|run| u64::from(*run)).sum();
    out.write(pixels * CHANNELS, 32);
    out.write(7, 5);
    LENGTHS.iter().for_each(|length| out.write(u64::from(*length) - 1, 4));
    for (at, run) in runs.iter().enumerate() {
        let value = if at % 2 == 1 { MARKED } else { 0 };
        let mut left = u64::from(*run) * CHANNELS;
        while left > 0 {
            // The shortest of the four that holds it, else a piece as long as the longest holds.
            let fits = LENGTHS.iter().position(|bits| left <= 1 << bits);
            let choice = fits.unwrap_or(LENGTHS.len() - 1);
            let length = left.min(1 << LENGTHS[choice]);
            out.write(1, 1);
            out.write(choice as u64, 2);
            out.write(length - 1, LENGTHS[choice]);
            out.write(value, 8);
            left -= length;
        }
    }
    // Its own converter fills up with 1 to 8 bits, never with none.
    if out.used == 0 {
        out.bytes.push(0);
    }
    out.bytes
}

struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Bits<'_> {
    fn read(&mut self, count: u32) -> Option<u64> {
        let mut number = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            number = number << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(number)
    }
}

struct Packed {
    bytes: Vec<u8>,
    /// Bits of the last byte that are used; 0 when it is full.
    used: u32,
}

impl Packed {
    fn write(&mut self, number: u64, count: u32) {
        for bit in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((number >> bit & 1) as u8) << (7 - self.used);
            }
            self.used = (self.used + 1) % 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::runs;

    /// What `encode_rle` of label-studio-sdk 2.1.2 gives for masks of 7 x 5 and 6 x 6 pixels, see `tests/reference/runs.py`.
    #[test]
    fn it_is_what_the_converter_of_label_studio_writes() {
        let bytes = [
            0, 0, 0, 140, 57, 27, 254, 35, 0, 191, 255, 108, 2, 63, 248, 192, 39, 255, 182, 1, 127, 255, 15,
            128, 0,
        ];
        let runs = [9, 4, 3, 1, 1, 2, 3, 4, 8];
        assert_eq!(bytes_from_runs(&runs), bytes);
        assert_eq!(runs_from_bytes(&bytes, 7, 5).as_deref(), Some(&runs[..]));
        let bytes = [
            0, 0, 0, 144, 57, 27, 253, 191, 252, 46, 1, 63, 252, 224, 22, 255, 231, 0, 143, 254, 48, 8, 255,
            227, 0, 143, 254, 48, 9, 255, 227, 0, 159, 254, 48, 8, 255, 227, 0, 143, 254, 216, 0,
        ];
        let runs = [0, 3, 6, 2, 2, 3, 2, 1, 1, 1, 1, 1, 1, 2, 1, 2, 1, 1, 1, 1, 3];
        assert_eq!(bytes_from_runs(&runs), bytes);
        assert_eq!(runs_from_bytes(&bytes, 6, 6).as_deref(), Some(&runs[..]));
    }

    #[test]
    fn single_values_are_read_by_their_opacity() {
        // Two pixels as eight values of 8 bits in one piece of the first length: (0, 0, 0, 9), (255, 255, 255, 0).
        let mut out = Packed { bytes: Vec::new(), used: 0 };
        out.write(8, 32);
        out.write(7, 5);
        [3, 4, 8, 16].iter().for_each(|length| out.write(length - 1, 4));
        out.write(0, 3);
        out.write(7, 3);
        [0, 0, 0, 9, 255, 255, 255, 0].iter().for_each(|value| out.write(*value, 8));
        assert_eq!(runs_from_bytes(&out.bytes, 2, 1), Some(vec![0, 1, 1]));
        assert_eq!(runs_from_bytes(&out.bytes[..out.bytes.len() - 1], 2, 1), None);
        assert_eq!(runs_from_bytes(&out.bytes, 1, 1), None);
    }

    proptest! {
        #[test]
        fn brushes_come_back(pixels in proptest::collection::vec((any::<bool>(), 1_u32..40_000), 1..40)) {
            let pixels = pixels.iter().flat_map(|(is_marked, count)| (0..*count).map(|_| *is_marked));
            let runs = runs::of_pixels(pixels);
            let width = runs.iter().sum();
            prop_assert_eq!(runs_from_bytes(&bytes_from_runs(&runs), width, 1), Some(runs));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), width in 0_u32..9) {
            let head = [0, 0, 0, 4 * width as u8].into_iter().chain(bytes).collect::<Vec<u8>>();
            let _ = runs_from_bytes(&head, width, 1);
        }
    }
}
