//! Which way up a photo is, as the camera noted it.

use super::jpeg::segments;

/// The tag of the orientation.
const ORIENTATION: u16 = 0x0112;
/// The type of a number of two bytes.
const SHORT: u16 = 3;
/// Bytes of one entry.
const ENTRY: usize = 12;

/// The orientation that EXIF notes in a JPEG file, 1 to 8: 1 is upright, anything else is turned or mirrored by viewers that heed it. `None`
/// where none is noted.
pub fn exif_orientation(file: &[u8]) -> Option<u8> {
    let of_exif = |(marker, segment): (u8, &'_ [u8])| (marker == 0xE1).then(|| noted(segment)).flatten();
    segments(file).find_map(of_exif)
}

/// What the first directory of a segment says.
fn noted(segment: &[u8]) -> Option<u8> {
    let tiff = segment.strip_prefix(b"Exif\0\0")?;
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = [*tiff.get(at)?, *tiff.get(at + 1)?];
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let bytes = <[u8; 4]>::try_from(tiff.get(4..8)?).ok()?;
    let start = if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) } as usize;
    // The file may name any place, and more entries than there are bytes.
    let tiff_len = tiff.len();
    let n_entries = usize::from(short(Some(start).filter(|start| *start < tiff_len)?)?);
    let mut entries = (0..n_entries).map(|entry| start + 2 + ENTRY * entry).take_while(|at| *at < tiff_len);
    let at = entries.find(|at| short(*at) == Some(ORIENTATION) && short(at + 2) == Some(SHORT))?;
    u8::try_from(short(at + 8)?).ok().filter(|noted| (1..=8).contains(noted))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a photo with two entries, the second of which is the orientation.
    fn photo(orientation: u16, little: bool) -> Vec<u8> {
        let two = |value: u16| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let four = |value: u32| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let mut exif = b"Exif\0\0".to_vec();
        exif.extend(if little { b"II*\0" } else { b"MM\0*" });
        exif.extend(four(8));
        exif.extend(two(2));
        for (tag, value) in [(0x0100, 7), (ORIENTATION, orientation)] {
            exif.extend([two(tag), two(SHORT)].concat());
            exif.extend(four(1));
            exif.extend([two(value), two(0)].concat());
        }
        let mut file = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xE1];
        file.extend((exif.len() as u16 + 2).to_be_bytes());
        file.extend(exif);
        file.extend([0xFF, 0xDA]);
        file
    }

    #[test]
    fn what_the_camera_noted_comes_back() {
        for noted in 1..=8 {
            assert_eq!(exif_orientation(&photo(noted, true)), Some(noted as u8));
            assert_eq!(exif_orientation(&photo(noted, false)), Some(noted as u8));
        }
    }

    #[test]
    fn anything_else_has_none_and_does_no_harm() {
        let whole = photo(6, true);
        for end in 0..whole.len() - 2 {
            assert_eq!(exif_orientation(&whole[..end]), None, "{end}");
        }
        for odd in [0, 9, 256] {
            assert_eq!(exif_orientation(&photo(odd, false)), None);
        }
        // The directory lies beyond the file.
        let mut forged = whole;
        forged[22..26].fill(0xFF);
        assert_eq!((exif_orientation(&forged), exif_orientation(b"\x89PNG")), (None, None));
    }
}
