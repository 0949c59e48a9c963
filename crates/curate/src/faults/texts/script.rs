//! Which script a character is of, as far as languages are told apart by it.

/// A script, or what it is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Script {
    /// Latin.
    Latin,
    /// Chinese characters, of any variant.
    Han,
    /// Chinese characters with Kana among them.
    Japanese,
    /// Korean.
    Hangul,
    /// Cyrillic.
    Cyrillic,
    /// Greek.
    Greek,
    /// Arabic.
    Arabic,
    /// Hebrew.
    Hebrew,
    /// Devanagari, of Hindi and others.
    Devanagari,
    /// Thai.
    Thai,
    /// Letters of any other script.
    Other,
}

/// The script of a letter; `None` for anything else. Kana are [`Script::Japanese`].
pub(super) fn script(character: char) -> Option<Script> {
    if !character.is_alphabetic() {
        return None;
    }
    Some(match u32::from(character) {
        0x41..=0x24F | 0x1E00..=0x1EFF | 0xFB00..=0xFB06 | 0xFF21..=0xFF5A => Script::Latin,
        0x370..=0x3FF | 0x1F00..=0x1FFF => Script::Greek,
        0x400..=0x52F | 0x1C80..=0x1C8F | 0x2DE0..=0x2DFF | 0xA640..=0xA69F => Script::Cyrillic,
        0x590..=0x5FF => Script::Hebrew,
        0x600..=0x6FF | 0x750..=0x77F | 0x8A0..=0x8FF | 0xFB50..=0xFDFF | 0xFE70..=0xFEFF => Script::Arabic,
        0x900..=0x97F => Script::Devanagari,
        0xE00..=0xE7F => Script::Thai,
        0x3041..=0x30FF | 0x31F0..=0x31FF | 0xFF66..=0xFF9D => Script::Japanese,
        0x1100..=0x11FF | 0x3130..=0x318F | 0xAC00..=0xD7AF => Script::Hangul,
        0x3005..=0x3007 | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF => Script::Han,
        _ => Script::Other,
    })
}

/// Whether each character of the script is counted as a word.
pub(super) fn is_spaceless(character: char) -> bool {
    matches!(script(character), Some(Script::Han | Script::Japanese))
}

/// The script that most letters of a text are of, its share of the letters and their number; `None` without letters. Chinese
/// characters beside Kana are Japanese.
pub(super) fn main_script(text: &str) -> Option<(Script, f64, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    text.chars().filter_map(script).for_each(|script| *counts.entry(script).or_insert(0_usize) += 1);
    let kana = counts.get(&Script::Japanese).copied().unwrap_or(0);
    let han = counts.get(&Script::Han).copied().unwrap_or(0);
    // A Japanese text has about as many Kana as others; a Chinese one may quote a word.
    if kana * 5 >= han && kana > 0 {
        counts.remove(&Script::Han);
        counts.insert(Script::Japanese, kana + han);
    }
    let letters: usize = counts.values().sum();
    let (script, most) = counts.into_iter().rev().max_by_key(|(_, count)| *count)?;
    Some((script, most as f64 / letters as f64, letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_the_script_of_most_letters() {
        let of = |text| main_script(text).map(|(script, ..)| script);
        assert_eq!(of("Wo ist 我 my card?"), Some(Script::Latin));
        assert_eq!(of("我的 iPad 在哪里?"), Some(Script::Han));
        assert_eq!(of("東京に行きます"), Some(Script::Japanese));
        assert_eq!(of("我喜欢の这个字，真的很有意思"), Some(Script::Han));
        assert_eq!(of("где моя карта"), Some(Script::Cyrillic));
        assert_eq!(of("카드가 어디에"), Some(Script::Hangul));
        assert_eq!(of("123 ?!"), None);
        assert_eq!(main_script("ab где"), Some((Script::Cyrillic, 0.6, 5)));
    }
}
