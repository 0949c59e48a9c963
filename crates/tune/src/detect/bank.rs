//! Remembered patches, left where they lie: in memory, or in a mapped file of which nothing is copied.
//!
//! Their values are half-precision numbers. A search widens the whole bank once for all patches of a photo, which is exact; between
//! searches nothing stands beside the file.

use bytes::Bytes;
use half::f16;
use half::slice::HalfFloatSliceExt;
use linalg::Matrix;

use crate::TuneError;
use crate::detect::stored::damaged;

/// Bytes of a value.
const WIDTH: usize = size_of::<f16>();
/// Values that are widened together. They are copied first, since bytes of a file may begin at any address.
const TOGETHER: usize = 512;

/// Remembered patches, `[b, m]`, half-precision numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Bank {
    rows: usize,
    cols: usize,
    /// Row by row, the lower byte of each value first.
    bytes: Bytes,
}

impl Bank {
    /// Rounds `x`, `[b, m]`, to half precision.
    ///
    /// Errors: a value beyond 65,504, or that is not a number.
    pub(crate) fn rounded(x: &Matrix) -> Result<Self, TuneError> {
        let mut bytes = Vec::with_capacity(WIDTH * x.data().len());
        for (at, value) in x.data().iter().enumerate() {
            let half = f16::from_f32(*value);
            if !half.is_finite() {
                return Err(TuneError::TooLargeForHalf { row: at / x.cols() });
            }
            bytes.extend(half.to_le_bytes());
        }
        Ok(Self { rows: x.rows(), cols: x.cols(), bytes: bytes.into() })
    }

    /// From what a file says is a bank: its shape, and two bytes a value, the lower first. None of them is copied.
    ///
    /// Errors: another shape than `[b, m]`, both at least 1, or other bytes than it takes; values that are no numbers.
    pub fn from_bytes(shape: &[usize], bytes: Bytes) -> Result<Self, TuneError> {
        let [rows, cols] = *shape else { return Err(damaged("a bank is no matrix")) };
        let size = rows.checked_mul(cols).and_then(|count| count.checked_mul(WIDTH));
        if rows == 0 || cols == 0 || size != Some(bytes.len()) {
            return Err(damaged("a bank is empty or has another shape than its values"));
        }
        let halves = bytes.as_chunks::<WIDTH>().0;
        if !halves.iter().all(|half| f16::from_le_bytes(*half).is_finite()) {
            return Err(damaged("a bank holds values that are no numbers"));
        }
        Ok(Self { rows, cols, bytes })
    }

    /// Number of patches.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of values of each.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The values as they lie, row by row, the lower byte of each first.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The values in single precision, `[b, m]`.
    pub fn widened(&self) -> Matrix {
        let mut wide = Matrix::zeros(self.rows, self.cols);
        let mut halves = [f16::ZERO; TOGETHER];
        for (to, from) in wide.data_mut().chunks_mut(TOGETHER).zip(self.bytes.chunks(WIDTH * TOGETHER)) {
            let halves = &mut halves[..to.len()];
            let pairs = from.as_chunks::<WIDTH>().0;
            halves.iter_mut().zip(pairs).for_each(|(half, pair)| *half = f16::from_le_bytes(*pair));
            halves.convert_to_f32_slice(to);
        }
        wide
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every finite half-precision number, in rows of 62.
    fn all() -> Vec<u8> {
        (0..=u16::MAX).filter(|bits| f16::from_bits(*bits).is_finite()).flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn every_number_is_widened_exactly_at_any_address() {
        let bytes = all();
        let shape = [bytes.len() / WIDTH / 62, 62];
        let expected: Vec<u32> = bytes
            .as_chunks::<WIDTH>()
            .0
            .iter()
            .map(|half| f16::from_le_bytes(*half).to_f32().to_bits())
            .collect();
        for offset in 0..4 {
            let padded = Bytes::from([vec![0; offset], bytes.clone()].concat());
            let bank = Bank::from_bytes(&shape, padded.slice(offset..)).unwrap();
            assert_eq!(bank.bytes().as_ptr(), padded[offset..].as_ptr());
            let wide = bank.widened();
            assert_eq!(wide.data().iter().map(|value| value.to_bits()).collect::<Vec<_>>(), expected);
            assert_eq!(Bank::rounded(&wide).unwrap(), bank);
        }
    }

    #[test]
    fn what_is_no_bank_is_refused() {
        let bytes = |values: &[f32]| -> Bytes {
            values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect()
        };
        let fine = bytes(&[1.0, 2.0]);
        assert!(Bank::from_bytes(&[1, 2], fine.clone()).is_ok());
        for shape in [&[2][..], &[2, 2], &[0, 2], &[2, 0], &[usize::MAX, 2], &[1, 1, 2]] {
            assert!(Bank::from_bytes(shape, fine.clone()).is_err(), "{shape:?}");
        }
        assert!(Bank::from_bytes(&[1, 2], fine.slice(1..)).is_err());
        assert!(Bank::from_bytes(&[1, 2], bytes(&[1.0, f32::NAN])).is_err());
        assert!(Bank::from_bytes(&[1, 2], bytes(&[f32::INFINITY, 1.0])).is_err());
        let large = Matrix::from_vec(2, 2, vec![1.0, 2.0, 3.0, 65_520.0]);
        assert_eq!(Bank::rounded(&large), Err(TuneError::TooLargeForHalf { row: 1 }));
    }
}
