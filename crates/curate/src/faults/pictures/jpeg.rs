//! How strongly a JPEG was compressed, read from its tables.

/// The table for brightness of annex K.1 of ITU-T T.81, in the zigzag order in which files have it.
const STANDARD: [u32; 64] = [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40,
    58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103,
    104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
];
/// Segments looked at before the picture itself must have begun.
const MOST_SEGMENTS: usize = 256;

/// The quality, 1 to 100, at which the reference encoder would have used the brightness table of a JPEG file; the nearest where the
/// table is another program's. `None` for anything that is not a JPEG or ends before its tables do.
pub fn jpeg_quality(file: &[u8]) -> Option<u8> {
    let table = brightness_table(file)?;
    let distance = |quality: &u8| -> u32 {
        STANDARD
            .iter()
            .zip(&table)
            .map(|(standard, value)| scaled(*standard, *quality).abs_diff(*value))
            .sum()
    };
    (1..=100_u8).rev().min_by_key(distance)
}

/// What the reference encoder makes of a value at some quality.
fn scaled(standard: u32, quality: u8) -> u32 {
    let quality = u32::from(quality);
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    ((standard * percent + 50) / 100).clamp(1, 255)
}

/// The table with number 0.
fn brightness_table(file: &[u8]) -> Option<[u32; 64]> {
    segments(file).find_map(|(marker, segment)| (marker == 0xDB).then(|| table_in(segment)).flatten())
}

/// The marker and the content of each segment before the picture itself; none of anything that is not a JPEG.
pub(super) fn segments(file: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = file.strip_prefix(&[0xFF, 0xD8]).unwrap_or_default();
    let next = move || {
        let start = rest.iter().position(|byte| *byte != 0xFF)?;
        let marker = *rest.get(start).filter(|_| start > 0)?;
        rest = &rest[start + 1..];
        match marker {
            // Start of the scan, or end of the picture.
            0xDA | 0xD9 => None,
            // Markers without anything behind them.
            0x01 | 0xD0..=0xD7 => Some((marker, &rest[..0])),
            _ => {
                let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
                let segment = rest.get(2..length)?;
                rest = &rest[length..];
                Some((marker, segment))
            }
        }
    };
    std::iter::from_fn(next).take(MOST_SEGMENTS)
}

/// Table 0 among those of a segment; each has its precision and number in one byte before it.
fn table_in(mut segment: &[u8]) -> Option<[u32; 64]> {
    loop {
        let (head, rest) = segment.split_first()?;
        let size = if head >> 4 == 0 { 1 } else { 2 };
        let values = rest.get(..64 * size)?;
        if head & 0xF == 0 {
            let mut table = [0; 64];
            for (value, bytes) in table.iter_mut().zip(values.chunks(size)) {
                *value = bytes.iter().fold(0, |value, byte| 256 * value + u32::from(*byte));
            }
            return Some(table);
        }
        segment = &rest[64 * size..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a file, with the table for brightness after that for colour.
    fn file(quality: u8, wide: bool) -> Vec<u8> {
        let mut file = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xFF, 0xDB];
        let size = if wide { 2 } else { 1 };
        file.extend((2 + 65 + 1 + 64 * size as u16).to_be_bytes());
        file.push(1);
        file.extend([17; 64]);
        file.push(if wide { 0x10 } else { 0 });
        for standard in STANDARD {
            let value = scaled(standard, quality) as u16;
            file.extend(if wide { value.to_be_bytes().to_vec() } else { vec![value as u8] });
        }
        file.extend([0xFF, 0xDA]);
        file
    }

    #[test]
    fn the_quality_of_the_reference_encoder_comes_back() {
        for quality in 3..=100 {
            assert_eq!(jpeg_quality(&file(quality, quality % 2 == 0)), Some(quality));
        }
        let mut other = file(75, false);
        let last = other.len() - 5;
        other[last] += 1;
        assert_eq!(jpeg_quality(&other), Some(75));
    }

    #[test]
    fn anything_else_has_none_and_does_no_harm() {
        let whole = file(50, true);
        for end in 0..whole.len() - 2 {
            assert_eq!(jpeg_quality(&whole[..end]), None, "{end}");
        }
        for forged in [
            &b"\xFF\xD8\xFF\xDB\x00\x00"[..],
            b"\xFF\xD8\xFF\xDB\xFF\xFF\x00",
            b"\xFF\xD8\xFF",
            b"\x89PNG",
            b"\xFF\xD8\x00\x00",
            b"",
        ] {
            assert_eq!(jpeg_quality(forged), None);
        }
        assert_eq!(jpeg_quality(&[&b"\xFF\xD8"[..], &b"\xFF\xD0".repeat(1000)].concat()), None);
    }
}
