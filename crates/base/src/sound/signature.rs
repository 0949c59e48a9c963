//! What kind of file it is, from its first bytes.

use crate::prep::PrepError;

/// Bytes that are looked at.
pub(super) const HEAD_BYTES: usize = 64;

/// First bytes of formats that are decoded, and where they stand.
const DECODED: &[(usize, &[u8])] = &[
    (8, b"WAVE"),
    (8, b"AIFF"),
    (8, b"AIFC"),
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"ID3"),
    (4, b"ftyp"),
    (0, b"\x1a\x45\xdf\xa3"),
];

/// First bytes of formats that are known and not decoded, and what they are called.
const KNOWN: &[(usize, &[u8], &str)] = &[
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "it is Windows Media, which is not decoded"),
    (0, b"\x0b\x77", "it is AC-3, which is not decoded"),
    (0, b"#!AMR", "it is AMR, which is not decoded"),
    (0, b"MThd", "it is MIDI, which holds notes and no sound"),
    (0, b"MAC ", "it is Monkey's Audio, which is not decoded"),
    (0, b"wvpk", "it is WavPack, which is not decoded"),
    (0, b"caff", "it is Apple's CAF, which is not decoded"),
    (0, b".snd", "it is Sun's AU, which is not decoded"),
    (0, b"\x89PNG", "it is a picture"),
    (0, b"\xff\xd8\xff", "it is a picture"),
    (0, b"GIF8", "it is a picture"),
    (0, b"%PDF", "it is a PDF"),
    (0, b"PK\x03\x04", "it is an archive or an Office document"),
];

/// Whether a file that begins with `head` may be decoded; the decoder looks for MPEG frames anywhere, and would find some in pictures.
pub(super) fn check(head: &[u8]) -> Result<(), PrepError> {
    if head.is_empty() {
        return Err(PrepError::Empty);
    }
    let has = |at: usize, bytes: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(bytes));
    let known = KNOWN.iter().find(|(at, bytes, _)| has(*at, bytes));
    if known.is_none() && (DECODED.iter().any(|(at, bytes)| has(*at, bytes)) || is_mpeg(head)) {
        return Ok(());
    }
    let is_printed = head.iter().all(|byte| *byte >= b' ' || b"\t\n\r".contains(byte));
    let text =
        || is_printed && str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    let detail = match known {
        Some((_, _, detail)) => detail,
        None if text() => "it holds text",
        None => "its first bytes belong to no known format",
    };
    Err(PrepError::NotASound { detail: detail.to_owned() })
}

/// Whether it holds bare frames, MP3 or AAC, and no container that tells their number.
pub(super) fn is_bare(head: &[u8]) -> bool {
    head.starts_with(b"ID3") || is_mpeg(head)
}

/// The first eleven bits of a frame of MPEG audio are ones; this is how MP3 without tags and bare AAC begin.
fn is_mpeg(head: &[u8]) -> bool {
    matches!(head, [0xff, second, ..] if second & 0xe0 == 0xe0 && *second != 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(head: &[u8], expected: &str) {
        assert_eq!(check(head), Err(PrepError::NotASound { detail: expected.to_owned() }));
    }

    #[test]
    fn known_files_are_named() {
        refused(b"\x89PNG\r\n\x1a\n", "it is a picture");
        refused(b"\xff\xd8\xff\xe0\x00\x10JFIF", "it is a picture");
        refused("一段文字".as_bytes(), "it holds text");
        refused(b"RIFF\x10\x00\x00\x00AVI LIST", "its first bytes belong to no known format");
        refused(b"\x00\x00\xff\xfe", "its first bytes belong to no known format");
        assert_eq!(check(b""), Err(PrepError::Empty));
    }

    #[test]
    fn sounds_pass() {
        for head in [&b"RIFF\x10\x00\x00\x00WAVEfmt "[..], b"\xff\xfb\x90\x64", b"\xff\xf1\x50\x80", b"OggS"]
        {
            assert_eq!(check(head), Ok(()));
        }
    }
}
