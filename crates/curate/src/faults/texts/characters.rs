//! Characters that could not be read, and texts decoded with the wrong encoding.

use encoding_rs::{GBK, WINDOWS_1252};

use super::{beside, counted, measure, over};
use crate::faults::{Checked, Fault};

/// Share of broken characters from which a text is flagged.
const BROKEN: f64 = 0.001;
/// Chinese characters in a row that are all bytes of UTF-8 in GBK; fewer are so by chance.
const FEWEST: usize = 4;
/// What the replacement character becomes when its bytes are read as GBK, twice in a row.
const REPLACED: &str = "锟斤拷";

/// Flags texts with more than one replacement or control character in a thousand. The score is `1 / (1 + share / limit)`.
pub(super) fn broken(texts: &[&str]) -> Checked {
    let share = |text: &&str| {
        let all = text.chars().count();
        let broken = text.chars().filter(|character| is_broken(*character)).count();
        Some(broken as f64 / all.max(1) as f64)
    };
    let shares = measure(texts, share);
    Checked::known_below(Fault::BrokenCharacters, over(&shares, BROKEN), 0.5).because(beside(&shares, BROKEN))
}

fn is_broken(character: char) -> bool {
    let layout = matches!(character, '\t' | '\n' | '\r');
    (character.is_control() && !layout)
        || character == char::REPLACEMENT_CHARACTER
        // Characters that Unicode promises never to assign.
        || (u32::from(character) & 0xFFFE) == 0xFFFE
        || ('\u{FDD0}'..='\u{FDEF}').contains(&character)
}

/// Flags texts with places that make sense once their bytes are read as UTF-8. The score is one over one more than the places.
pub(super) fn mojibake(texts: &[&str]) -> Checked {
    let places = measure(texts, |text| Some(misread(text) as f64));
    Checked::known_below(Fault::Mojibake, over(&places, 1.0), 1.0).because(counted(&places))
}

/// How many places of a text were decoded as Windows-1252, Latin-1 or GBK though they were UTF-8.
fn misread(text: &str) -> usize {
    let replaced = text.matches(REPLACED).count();
    let bytes: Vec<Option<u8>> = text.chars().map(western_byte).collect();
    let western = bytes.chunk_by(|a, b| a.is_some() == b.is_some()).filter(|run| run[0].is_some());
    let western: usize =
        western.map(|run| western_places(&run.iter().flatten().copied().collect::<Vec<u8>>())).sum();
    let characters: Vec<char> = text.chars().collect();
    let is_chinese = |character: char| ('\u{4E00}'..='\u{9FFF}').contains(&character);
    let chinese = characters.chunk_by(|a, b| is_chinese(*a) == is_chinese(*b));
    let chinese =
        chinese.filter(|run| run.len() >= FEWEST && is_chinese(run[0]) && is_misread_chinese(run)).count();
    replaced + western + chinese
}

/// The byte that Windows-1252 or Latin-1 decodes to a character.
fn western_byte(character: char) -> Option<u8> {
    if u32::from(character) < 0x100 {
        return Some(u32::from(character) as u8);
    }
    let mut buffer = [0; 4];
    let (bytes, _, unmappable) = WINDOWS_1252.encode(character.encode_utf8(&mut buffer));
    match *bytes {
        [byte] if !unmappable => Some(byte),
        _ => None,
    }
}

/// Sequences of UTF-8 that decode to what people write. Greek, Cyrillic, Hebrew and Arabic letters must come in twos: a capital
/// letter with an accent before a quotation mark looks like one of them.
fn western_places(bytes: &[u8]) -> usize {
    let (mut places, mut letters, mut at) = (0, 0, 0);
    while at < bytes.len() {
        let length = match bytes[at] {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        let character =
            bytes.get(at..at + length).and_then(|bytes| std::str::from_utf8(bytes).ok()?.chars().next());
        match character.filter(|_| length > 1).map(u32::from) {
            Some(0x370..=0x6FF) => letters += 1,
            Some(
                0xA0..=0x17F | 0x900..=0x1FFF | 0x2000..=0x2BFF | 0x3000..=0xD7FF | 0xFB00..=0x0001_FAFF,
            ) => {
                places += 1;
            }
            _ => {
                places += usize::from(letters >= 2);
                letters = 0;
                at += 1;
                continue;
            }
        }
        at += length;
    }
    places + usize::from(letters >= 2)
}

/// Whether the bytes of Chinese characters in GBK are Chinese in UTF-8. The last character may be cut.
fn is_misread_chinese(run: &[char]) -> bool {
    let text: String = run.iter().collect();
    let (bytes, _, unmappable) = GBK.encode(&text);
    let whole = bytes.len() - bytes.len() % 3;
    let is_chinese =
        |text: &str| text.chars().all(|character| ('\u{3000}'..='\u{FFEF}').contains(&character));
    !unmappable && std::str::from_utf8(&bytes[..whole]).is_ok_and(is_chinese)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misread_as(encoding: &'static encoding_rs::Encoding, text: &str) -> String {
        encoding.decode_without_bom_handling(text.as_bytes()).0.into_owned()
    }

    #[test]
    fn replacement_and_control_characters_are_counted() {
        let long = format!("{}\u{FFFD}", "a fine text ".repeat(100));
        let found =
            broken(&["fine\ttext\r\n", "bro\u{FFFD}ken", "bell\u{7}", "\u{85}", &long, "退款\u{FFFF}", ""]);
        assert_eq!(found.flagged, [3, 5, 2, 1]);
        assert!(found.scores[4].unwrap() < 1.0);
    }

    #[test]
    fn utf8_read_as_something_else_is_found() {
        for original in
            ["café", "it’s", "naïve — “so”", "Привет, мир", "我的卡在哪里", "Ελλάδα", "price: 5 €"]
        {
            let broken = misread_as(WINDOWS_1252, original);
            assert_eq!(mojibake(&[&broken]).flagged, [0], "{broken}");
        }
        for original in ["我的银行卡在哪里", "转账需要多长时间才能到账"] {
            let broken = misread_as(GBK, original);
            assert!(misread(&broken) > 0, "{broken}");
        }
        assert!(misread("手持两把锟斤拷") > 0);
    }

    #[test]
    fn what_is_written_rightly_is_not() {
        let right = [
            "café, naïve — “so” … it’s 5 € and 20 °C, ESPAÑA «CAFÉ» À la SÃO PAULO",
            "Ärger über Öl, ß, ÅNGSTRÖM, «É», Â, Ã, ÉÉ",
            "Привет",
            "我的银行卡在哪里",
            "转账需要多长时间才能到账",
            "我的卡",
            "中华人民共和国国家标准信息技术",
            "沙發、電腦與資料庫",
            "請問轉帳需要多久時間",
        ];
        assert!(mojibake(&right).flagged.is_empty(), "{:?}", mojibake(&right).flagged);
    }
}
