//! Simplified and traditional Chinese, told apart by what their old standards can write.
//!
//! A character that GB 2312 has and Big5 has not is simplified; a common one that Big5 has and GB 2312 has not is traditional.
//! Most characters are in both and say nothing.

use encoding_rs::{BIG5, GBK};

use super::measure;
use super::script::{Script, main_script};
use crate::faults::{Checked, Evidence, Fault};

/// Fewer characters of the rarer variant are a name or a slip.
const FEWEST: usize = 2;
/// Share of the rarer variant from which a text is mixed.
const MIXED: f64 = 0.1;

/// How many characters of a text are of one variant only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variants {
    pub(super) simplified: usize,
    pub(super) traditional: usize,
}

impl Variants {
    /// Counts the characters of a text.
    pub(super) fn of(text: &str) -> Self {
        let mut counts = Self { simplified: 0, traditional: 0 };
        for character in text.chars().filter(|character| ('\u{4E00}'..='\u{9FFF}').contains(character)) {
            match (is_gb2312(character), is_big5(character)) {
                (true, Big5::Absent) => counts.simplified += 1,
                (false, Big5::Common) => counts.traditional += 1,
                _ => {}
            }
        }
        counts
    }
}

/// Flags Chinese texts of both variants. The score is 1 without the rarer one and 0 when both are as frequent; there is none for
/// texts in other languages.
pub(super) fn mixed(texts: &[&str]) -> Checked {
    let score = |text: &&str| {
        main_script(text).filter(|(script, ..)| *script == Script::Han)?;
        let Variants { simplified, traditional } = Variants::of(text);
        let rarer = simplified.min(traditional);
        let share = rarer as f64 / (simplified + traditional).max(1) as f64;
        Some(if rarer < FEWEST { 1.0 } else { 1.0 - 2.0 * share })
    };
    let checked = Checked::known_below(Fault::MixedChinese, measure(texts, score), 1.0 - 2.0 * MIXED);
    checked.because(|row| {
        let Variants { simplified, traditional } = Variants::of(texts[row]);
        Evidence::Variants { simplified, traditional }
    })
}

/// Where Big5 has a character.
enum Big5 {
    /// Among those in everyday use, of level 1.
    Common,
    /// Among the rarer ones, of level 2.
    Rare,
    /// Not at all, or only in later extensions.
    Absent,
}

fn is_gb2312(character: char) -> bool {
    let mut buffer = [0; 4];
    let (bytes, ..) = GBK.encode(character.encode_utf8(&mut buffer));
    matches!(*bytes, [0xB0..=0xF7, 0xA1..=0xFE])
}

fn is_big5(character: char) -> Big5 {
    let mut buffer = [0; 4];
    let (bytes, ..) = BIG5.encode(character.encode_utf8(&mut buffer));
    match *bytes {
        [0xA4..=0xC5, _] | [0xC6, ..=0x7E] => Big5::Common,
        [0xC9..=0xF8, _] | [0xF9, ..=0xD5] => Big5::Rare,
        _ => Big5::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_counted() {
        let of = |text| {
            let counts = Variants::of(text);
            (counts.simplified, counts.traditional)
        };
        assert_eq!(of("国学东车门"), (5, 0));
        assert_eq!(of("國學東車門"), (0, 5));
        assert_eq!(of("我你他人大小中天地"), (0, 0));
    }

    #[test]
    fn mixed_texts_are_flagged_and_pure_ones_are_not() {
        let texts = [
            "请问转账需要多长时间，我的银行卡还没有收到",
            "請問轉帳需要多長時間，我的銀行卡還沒有收到",
            "请问转账需要多长时间，我的銀行卡還沒有收到",
            "我們的作者是國外的学生",
            "東京の銀行は国際的です。手続きが簡単で、学生も多い",
            "an English text",
            "请问张國荣的歌在哪里可以听到，我找了很多网站都没有",
        ];
        let found = mixed(&texts);
        assert_eq!(found.flagged, [2]);
        assert_eq!((found.scores[0], found.scores[5]), (Some(1.0), None));
    }
}
