//! Personal data in texts: what kind, and where; never the data itself.

mod address;
mod number;

use serde::Serialize;

/// What a text gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonalKind {
    /// An e-mail address.
    Email,
    /// A telephone number: Chinese mobile or landline, North American, or international with a plus sign.
    Phone,
    /// The number of a Chinese identity card, with a date of birth and a right check digit (GB 11643).
    ChineseId,
    /// The number of a bank card, with a known first digit and a right check digit (ISO/IEC 7812).
    BankCard,
    /// A public address on the internet, version 4 or 6.
    IpAddress,
    /// The plate of a vehicle in mainland China (GA 36).
    LicensePlate,
}

/// One place in a text; what is written there is left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PersonalData {
    /// In characters from the beginning.
    pub start: usize,
    /// Where it ends, in characters; this one no longer belongs to it.
    pub end: usize,
    /// What it is.
    pub kind: PersonalKind,
}

/// Everything that looks like personal data, in order; no two overlap. A number with a right check digit may still be an order
/// number: one in ten is so by chance.
pub fn personal_data(text: &str) -> Vec<PersonalData> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = address::addresses(&characters);
    found.extend(number::numbers(&characters));
    // Of two that overlap the longer one stays: an address may have a number in it.
    found.sort_by_key(|data| (std::cmp::Reverse(data.end - data.start), *data));
    let mut kept: Vec<PersonalData> = Vec::new();
    for data in found {
        if kept.iter().all(|other| data.end <= other.start || data.start >= other.end) {
            kept.push(data);
        }
    }
    kept.sort_unstable();
    kept
}

/// Whether a letter or digit of the Western kind stands there: then what begins or ends beside it is part of something longer.
fn is_word(characters: &[char], place: Option<usize>) -> bool {
    place.and_then(|place| characters.get(place)).is_some_and(char::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_is_one_and_places_are_in_characters() {
        let found = personal_data("邮箱：13812345678@example.com，电话 13812345678。");
        let kinds: Vec<_> = found.iter().map(|data| (data.kind, data.start, data.end)).collect();
        assert_eq!(kinds, [(PersonalKind::Email, 3, 26), (PersonalKind::Phone, 30, 41)]);
    }

    #[test]
    fn nothing_is_found_in_ordinary_texts() {
        for text in [
            "",
            "Meet me at 12:30 on 2024-05-17, room 301.",
            "Pay 1,299.00 for order 20240517123456.",
            "version 1.2.3.4 of a::b::c",
            "twitter: @someone",
            "pi is 3.14159265358979",
            "5 @ 3 dollars, a@b",
            "2023年10月1日至2024年3月31日，共计1234567元",
            "isbn 978-7-302-51167-4",
            "京东A座12345",
            "std::fmt::Display at 10:20:30",
            "tel",
        ] {
            assert_eq!(personal_data(text), [], "{text}");
        }
    }
}
