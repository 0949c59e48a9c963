//! COCO's compressed counts of runs.

use crate::MOST_RUNS;

/// Longest number, in groups of five bits: enough for any count of 32 bits and its sign.
const MOST_GROUPS: u32 = 7;

/// Run lengths from COCO's compressed text (`rleFrString` in `maskApi.c` of `cocoapi`): groups of five bits, lowest first, the
/// sixth says that more follow; from the third on, each number is the difference to the one two before.
///
/// `None` when it is no such text, a run is below zero or beyond 32 bits, or there are more than [`MOST_RUNS`].
pub fn counts_from_text(text: &[u8]) -> Option<Vec<u32>> {
    let mut counts: Vec<u32> = Vec::new();
    let mut bytes = text.iter();
    while let Some(first) = bytes.next() {
        let number = number(*first, &mut bytes)?;
        let before = match counts.len() {
            at @ 3.. => i64::from(counts[at - 2]),
            _ => 0,
        };
        counts.push(u32::try_from(before + number).ok()?);
        if counts.len() > MOST_RUNS {
            return None;
        }
    }
    Some(counts)
}

fn number<'b>(first: u8, rest: &mut impl Iterator<Item = &'b u8>) -> Option<i64> {
    let mut number = 0;
    let mut byte = first;
    for group in 0..MOST_GROUPS {
        let bits = byte.checked_sub(48).filter(|bits| *bits < 64)?;
        number |= i64::from(bits & 0x1f) << (5 * group);
        if bits & 0x20 == 0 {
            let is_negative = bits & 0x10 != 0;
            return Some(if is_negative { number | (-1 << (5 * (group + 1))) } else { number });
        }
        byte = *rest.next()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::runs;

    /// Width, height, runs row by row and column by column, and the text.
    type Vector = (u32, u32, Vec<u32>, Vec<u32>, &'static str);

    /// As pycocotools 2.0.11 makes them, see `tests/reference/runs.py`.
    fn vectors() -> Vec<Vector> {
        let ellipse_rows = "47,5,14,7,12,9,11,9,10,11,9,11,8,13,7,13,7,13,7,13,7,13,7,13,7,13,7,13,7,13,7,13,7,13,7,13,7,13,7,13,7,\
                            13,8,11,9,11,10,9,11,9,12,7,14,5,28";
        let numbers = |text: &str| text.split(',').map(|number| number.parse().unwrap()).collect();
        vec![
            (7, 5, vec![9, 4, 3, 1, 1, 2, 3, 4, 8], vec![11, 3, 2, 1, 1, 1, 2, 3, 2, 3, 6], ";32NO012004"),
            (
                6,
                6,
                vec![0, 3, 6, 2, 2, 3, 2, 1, 1, 1, 1, 1, 1, 2, 1, 2, 1, 1, 1, 1, 3],
                vec![0, 1, 2, 4, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 2, 1, 1, 2, 7],
                "0123OM0000010O010O10O16",
            ),
            (
                20,
                30,
                numbers(ellipse_rows),
                numbers("98,15,13,19,9,23,6,25,4,27,3,27,3,27,3,27,3,27,4,25,6,23,9,19,13,15,127"),
                "R3?=4L4M2N2O00000001N2N3L4Lb3",
            ),
            (3, 2, vec![0, 6], vec![0, 6], "06"),
        ]
    }

    #[test]
    fn counts_are_those_of_pycocotools() {
        for (width, height, rows, columns, text) in vectors() {
            assert_eq!(counts_from_text(text.as_bytes()), Some(columns.clone()), "{text}");
            assert_eq!(runs::transposed(&rows, width, height, 1000), Some(columns.clone()), "{text}");
            assert_eq!(runs::transposed(&columns, height, width, 1000), Some(rows), "{text}");
        }
        assert_eq!(counts_from_text(b"dQ2Xh1Y3jWNPk1"), Some(vec![2100, 1800, 105, 2, 1993]));
    }

    #[test]
    fn damaged_counts_are_refused() {
        for text in ["~~~~", "oooooooooooooooooooo", "O", "o", " ", "\u{7f}"] {
            assert_eq!(counts_from_text(text.as_bytes()), None, "{text}");
        }
        assert_eq!(counts_from_text(&vec![b'1'; MOST_RUNS + 1]), None);
    }

    /// As `rleToString` of `maskApi.c`.
    fn packed(counts: &[u32]) -> String {
        let mut text = String::new();
        for (at, count) in counts.iter().enumerate() {
            let mut number = i64::from(*count) - if at > 2 { i64::from(counts[at - 2]) } else { 0 };
            loop {
                let bits = (number & 0x1f) as u8;
                number >>= 5;
                let more = if bits & 0x10 != 0 { number != -1 } else { number != 0 };
                text.push((bits + if more { 0x20 } else { 0 } + 48) as char);
                if !more {
                    break;
                }
            }
        }
        text
    }

    proptest! {
        #[test]
        fn packed_counts_come_back(counts in proptest::collection::vec(any::<u32>(), 0..40)) {
            prop_assert_eq!(counts_from_text(packed(&counts).as_bytes()), Some(counts));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = counts_from_text(&bytes);
        }
    }
}
