//! Whether a JPEG is all there.
//!
//! The decoder fills what is missing with grey and says nothing, so a half-copied photo would become an example.

/// Whether the end-of-image marker is found by walking the file's segments (ITU T.81, annex B).
///
/// A thumbnail inside a segment has an end of its own, which does not count. Bytes after the end are allowed: phones put
/// whole films there.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // Before a marker come the coded data of a scan (where 0xFF is followed by 0 or a restart marker) or nothing.
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(skip) = rest.iter().position(|byte| *byte == 0xFF) else { return false };
        at += skip + 1;
        match bytes.get(at) {
            None => return false,
            // Fill bytes.
            Some(0xFF) => {}
            Some(0xD9) => return true,
            // Stuffed data, TEM, restart markers and start of image carry no length.
            Some(0x00 | 0x01 | 0xD0..=0xD8) => at += 1,
            Some(_) => {
                let Some(length) = bytes.get(at + 1..at + 3) else { return false };
                at += 1 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pictures_own_end_counts() {
        let scan = [0xFF, 0xDA, 0, 3, 9, 1, 2, 0xFF, 0, 0xFF, 0xD0, 3];
        let thumbnail = [0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9];
        let half = [&[0xFF, 0xD8][..], &thumbnail, &scan].concat();
        assert!(is_complete(&[&half[..], &[0xFF, 0xD9]].concat()));
        assert!(is_complete(&[&half[..], &[0xFF, 0xFF, 0xD9, 7, 7]].concat()));
        for length in 0..=half.len() {
            assert!(!is_complete(&half[..length]), "{length}");
        }
    }
}
