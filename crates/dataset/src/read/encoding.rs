//! From bytes to text, in the encodings that real files have.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What stands where bytes could not be decoded.
const REPLACEMENT: char = '\u{FFFD}';
/// A text has at most one undecodable piece in this many characters; a file with more is not text in that encoding.
const CHARS_PER_DAMAGE: usize = 8;
/// Bytes looked at for a UTF-16 file without a mark.
const SAMPLE: usize = 4096;

/// A file's text with the encoding it was read in.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) encoding: &'static str,
    /// Whether some bytes do not belong to the encoding; U+FFFD stands in their place.
    pub(super) damaged: bool,
}

impl Decoded<'_> {
    /// Whether a piece of this text holds bytes that could not be decoded.
    pub(super) fn damages(&self, piece: &str) -> bool {
        self.damaged && piece.contains(REPLACEMENT)
    }
}

/// What to say of a file for which [`decode`] gives nothing.
pub(super) const NOT_TEXT: &str = "it is not text in UTF-8, UTF-16, GB18030 or Windows-1252";

/// By the byte-order mark; else UTF-8, UTF-16, GB18030 (which has GBK and GB2312 in it) or Windows-1252, whichever the bytes
/// speak for. A few bad bytes do not turn the file into another encoding: they become U+FFFD. `None` when it is no text.
pub(super) fn decode(bytes: &[u8]) -> Option<Decoded<'_>> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return decode_as(encoding, &bytes[mark..]);
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return decode_as(encoding, bytes);
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return Some(Decoded { text: Cow::Borrowed(text), encoding: UTF_8.name(), damaged: false });
    }
    if is_binary(bytes) {
        return None;
    }
    let (sound, broken) = utf8_evidence(bytes);
    if sound > 2 * broken {
        return decode_as(UTF_8, bytes);
    }
    let (pairs, lonely) = chinese_evidence(bytes);
    if pairs > lonely
        && let Some(decoded) = decode_as(GB18030, bytes)
    {
        return Some(decoded);
    }
    decode_as(WINDOWS_1252, bytes)
}

fn decode_as<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Decoded<'a>> {
    let (mut text, mut damaged) = encoding.decode_without_bom_handling(bytes);
    if encoding == WINDOWS_1252 && text.contains(is_c1) {
        // The five bytes that Windows-1252 leaves open decode to controls that no text has.
        text = Cow::Owned(text.replace(is_c1, "\u{FFFD}"));
        damaged = true;
    }
    if damaged {
        let broken = text.chars().filter(|char| *char == REPLACEMENT).count();
        if broken * CHARS_PER_DAMAGE > text.chars().count() {
            return None;
        }
    }
    Some(Decoded { text, encoding: encoding.name(), damaged })
}

fn is_c1(char: char) -> bool {
    ('\u{80}'..='\u{9F}').contains(&char)
}

/// UTF-16 text has units of plain ASCII (line ends, delimiters); in UTF-8 text a zero byte has no business.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    if !sample.contains(&0) || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let is_plain = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    let units = || sample.chunks_exact(2);
    let little = units().filter(|unit| unit[1] == 0 && is_plain(unit[0])).count();
    let big = units().filter(|unit| unit[0] == 0 && is_plain(unit[1])).count();
    let encoding = if little >= big { UTF_16LE } else { UTF_16BE };
    let sound = || !encoding.decode_without_bom_handling(bytes).1;
    (little.max(big) * 20 >= sample.len() / 2 && sound()).then_some(encoding)
}

fn is_binary(bytes: &[u8]) -> bool {
    let is_control = |byte: &&u8| matches!(byte, 0..=8 | 14..=31 | 127);
    bytes.iter().filter(is_control).count() * 20 > bytes.len()
}

/// How many characters of several bytes are sound UTF-8, and how many places are broken.
fn utf8_evidence(bytes: &[u8]) -> (usize, usize) {
    let (mut sound, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        sound += chunk.valid().chars().filter(|char| !char.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    (sound, broken)
}

/// How many pairs of bytes are characters of GB2312, and how many high bytes stand alone, as accented letters do.
fn chinese_evidence(bytes: &[u8]) -> (usize, usize) {
    let (mut pairs, mut lonely) = (0, 0);
    let mut at = 0;
    while at < bytes.len() {
        let high = |place: usize| bytes.get(place).is_some_and(|byte| (0xA1..=0xFE).contains(byte));
        if high(at) && high(at + 1) {
            pairs += 1;
            at += 2;
        } else {
            lonely += usize::from(bytes[at] >= 0x80);
            at += 1;
        }
    }
    (pairs, lonely)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expect: &str) {
        let got = decode(bytes).map_or("none".to_owned(), |decoded| {
            format!("{}{}: {}", decoded.encoding, if decoded.damaged { " damaged" } else { "" }, decoded.text)
        });
        assert_eq!(got, expect);
    }

    #[test]
    fn each_encoding_is_known_by_its_bytes() {
        check("你好，世界".as_bytes(), "UTF-8: 你好，世界");
        check(&GB18030.encode("你好，世界").0, "gb18030: 你好，世界");
        check(b"caf\xE9 is tr\xE8s bon \x96 na\xEFve", "windows-1252: café is très bon – naïve");
        let little: Vec<u8> = "文本,类\n一,a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "文本,类\n一,a\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(&little, "UTF-16LE: 文本,类\n一,a\n");
        check(&big, "UTF-16BE: 文本,类\n一,a\n");
        check(&[&[0xFE, 0xFF], &big[..]].concat(), "UTF-16BE: 文本,类\n一,a\n");
    }

    #[test]
    fn bad_bytes_do_not_change_the_encoding() {
        check("你好\u{1}再见朋友们".replace('\u{1}', "").as_bytes(), "UTF-8: 你好再见朋友们");
        let mut broken = "你好再见朋友们".as_bytes().to_vec();
        broken.insert(6, 0xFF);
        check(&broken, "UTF-8 damaged: 你好\u{FFFD}再见朋友们");
        let mut broken = GB18030.encode("你好再见朋友们世界").0.into_owned();
        broken.insert(4, 0xFF);
        broken.insert(5, b' ');
        check(&broken, "gb18030 damaged: 你好\u{FFFD} 再见朋友们世界");
    }

    #[test]
    fn what_is_no_text_is_said_to_be_none() {
        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\xff\x81\x8d", "none");
    }
}
