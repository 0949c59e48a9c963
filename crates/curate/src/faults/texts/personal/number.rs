//! Numbers of telephones, identity cards and bank cards.

use super::{PersonalData, PersonalKind, is_word};

/// The most digits a number of any kind has.
const LONGEST: usize = 19;
/// Weights of the digits of an identity card (ISO 7064, MOD 11-2), and the check digit for each remainder.
const ID_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const ID_CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
/// First two digits of identity cards: the provinces.
const ID_PROVINCES: [(u32, u32); 8] =
    [(11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83)];

/// A number, as written.
struct Written {
    start: usize,
    end: usize,
    /// Its digits; the last may be an X.
    digits: String,
    /// The lengths of its parts between spaces, hyphens or brackets.
    parts: Vec<usize>,
    /// Whether a plus sign comes before it.
    plus: bool,
    /// Whether there are no brackets.
    plain: bool,
}

/// All numbers of people in a text.
pub(super) fn numbers(characters: &[char]) -> Vec<PersonalData> {
    let mut found = Vec::new();
    let mut place = 0;
    while place < characters.len() {
        let Some(number) = written(characters, place) else {
            place += 1;
            continue;
        };
        place = number.end;
        let kind = if is_chinese_id(&number) {
            Some(PersonalKind::ChineseId)
        } else if is_phone(&number) {
            Some(PersonalKind::Phone)
        } else if is_bank_card(&number) {
            Some(PersonalKind::BankCard)
        } else {
            None
        };
        found.extend(kind.map(|kind| PersonalData { start: number.start, end: number.end, kind }));
    }
    found
}

/// The number that begins here: digits, single spaces or hyphens between them, an opening bracket or a plus sign before.
fn written(characters: &[char], start: usize) -> Option<Written> {
    let first = characters[start];
    let before = start.checked_sub(1);
    let inside = is_word(characters, before) || before.is_some_and(|place| ".,+".contains(characters[place]));
    if inside || !(first.is_ascii_digit() || first == '+' || first == '(') {
        return None;
    }
    let mut number = Written {
        start,
        end: start,
        digits: String::new(),
        parts: vec![0],
        plus: first == '+',
        plain: first != '(',
    };
    let mut place = start + usize::from(!first.is_ascii_digit());
    while let Some(character) = characters.get(place) {
        let digit_follows = characters.get(place + 1).is_some_and(char::is_ascii_digit);
        match character {
            '0'..='9' => {
                number.digits.push(*character);
                *number.parts.last_mut()? += 1;
                number.end = place + 1;
            }
            ' ' | '-' if digit_follows && number.end == place => number.parts.push(0),
            ')' if !number.plain && number.end == place => {
                number.parts.push(0);
                // A space may follow the bracket.
                place += usize::from(characters.get(place + 1) == Some(&' '));
            }
            'X' | 'x' if number.digits.len() == 17 && number.parts.len() == 1 => {
                number.digits.push('X');
                number.end = place + 1;
                break;
            }
            _ => break,
        }
        place += 1;
    }
    let decimal = characters.get(number.end).is_some_and(|character| ".,".contains(*character))
        && characters.get(number.end + 1).is_some_and(char::is_ascii_digit);
    let too_long = number.digits.len() > LONGEST || is_word(characters, Some(number.end)) || decimal;
    if number.digits.is_empty() {
        return None;
    }
    if too_long {
        // Nothing in it is a number of its own either, so it is passed over as a whole.
        number.digits.clear();
        number.parts = vec![0];
    }
    Some(number)
}

fn is_chinese_id(number: &Written) -> bool {
    let digits: Vec<u32> = number.digits.chars().filter_map(|digit| digit.to_digit(10)).collect();
    let last = number.digits.chars().last();
    if number.digits.len() != 18 || digits.len() < 17 || number.parts.len() > 1 {
        return false;
    }
    let value = |from: usize, to: usize| digits[from..to].iter().fold(0, |sum, digit| 10 * sum + digit);
    let province = value(0, 2);
    let is_province = ID_PROVINCES.iter().any(|(from, to)| (*from..=*to).contains(&province));
    let (year, month, day) = (value(6, 10), value(10, 12), value(12, 14));
    let is_date =
        (1900..2100).contains(&year) && (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
    let sum: u32 = digits.iter().zip(ID_WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    is_province && is_date && last == Some(ID_CHECKS[(sum % 11) as usize])
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_phone(number: &Written) -> bool {
    let digits = number.digits.as_str();
    if number.plus {
        return (8..=15).contains(&digits.len()) && !digits.starts_with('0');
    }
    let bytes = digits.as_bytes();
    let parts = number.parts.as_slice();
    let mobile =
        |digits: &[u8]| digits.len() == 11 && digits[0] == b'1' && (b'3'..=b'9').contains(&digits[1]);
    // Chinese mobile numbers are written whole, or as 3-4-4.
    let is_mobile = mobile(bytes) && matches!(parts, [11] | [3, 4, 4])
        || digits.len() == 13
            && digits.starts_with("86")
            && mobile(&bytes[2..])
            && matches!(parts, [13] | [2, 11] | [2, 3, 4, 4]);
    let is_landline = bytes.first() == Some(&b'0')
        && bytes.get(1).is_some_and(|digit| *digit != b'0')
        && matches!(parts, [3, 8] | [4, 7 | 8] | [3, 4, 4] | [4, 4, 4] | [4, 3, 4]);
    let is_american =
        matches!(parts, [3, 3, 4]) && (b'2'..=b'9').contains(&bytes[0]) && (b'2'..=b'9').contains(&bytes[3]);
    is_mobile || is_landline || is_american
}

fn is_bank_card(number: &Written) -> bool {
    let digits: Vec<u32> = number.digits.chars().filter_map(|digit| digit.to_digit(10)).collect();
    if !(13..=LONGEST).contains(&digits.len())
        || digits.len() != number.digits.len()
        || number.plus
        || !number.plain
    {
        return false;
    }
    // Written whole, in fours, or as American Express does.
    let (last, fours) = number.parts.split_last().expect("a number has a part");
    let grouped = fours.iter().all(|part| *part == 4) && (1..=4).contains(last) || number.parts == [4, 6, 5];
    let first = digits[0] * 10 + digits[1];
    let is_issuer = matches!((first, digits.len()), (40..=49, 13 | 16 | 19) | (51..=55 | 22..=27, 16) | (34 | 37, 15))
        || matches!(first, 35 | 60 | 62 | 65) && digits.len() >= 16;
    (number.parts.len() == 1 || grouped) && is_issuer && luhn(&digits)
}

/// The check of ISO/IEC 7812, annex B: every second digit from the right doubled.
fn luhn(digits: &[u32]) -> bool {
    let of = |(place, digit): (usize, &u32)| match (place % 2, *digit) {
        (0, digit) => digit,
        (_, digit) => 2 * digit - if digit > 4 { 9 } else { 0 },
    };
    digits.iter().rev().enumerate().map(of).sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(PersonalKind, &str)]) {
        let characters: Vec<char> = text.chars().collect();
        let found = numbers(&characters);
        let said: Vec<(PersonalKind, String)> =
            found.iter().map(|data| (data.kind, characters[data.start..data.end].iter().collect())).collect();
        let expected: Vec<_> = expected.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect();
        assert_eq!(said, expected, "{text}");
    }

    #[test]
    fn telephones_are_found_as_people_write_them() {
        for text in [
            "13812345678",
            "138 1234 5678",
            "138-1234-5678",
            "+86 138 1234 5678",
            "8613812345678",
            "010-12345678",
            "0755-1234567",
            "(010) 12345678",
            "(415) 555-2671",
            "415-555-2671",
            "+44 20 7946 0958",
            "+14155552671",
        ] {
            check(text, &[(PersonalKind::Phone, text)]);
            check(&format!("请打{text}，谢谢"), &[(PersonalKind::Phone, text)]);
        }
    }

    #[test]
    fn cards_are_found_when_their_check_digit_is_right() {
        // Numbers that standards and card schemes publish as examples.
        check("身份证11010519491231002X。", &[(PersonalKind::ChineseId, "11010519491231002X")]);
        check("440524188001010014 110105194912310021 110105194902310021", &[]);
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "5500-0055-5555-5559",
            "378282246310005",
            "3782 822463 10005",
        ] {
            check(card, &[(PersonalKind::BankCard, card)]);
        }
        check("4111111111111112 1111 1111 1111 1117", &[]);
    }

    #[test]
    fn other_numbers_are_not() {
        for text in [
            "12345678",
            "12812345678",
            "138123456789",
            "x13812345678",
            "13812345678a",
            "1.13812345678",
            "13812345678.50",
            "2024-05-17",
            "2024-05-17 12",
            "00012345678",
            "1 2 3 4 5 6 7 8 9 10 11",
            "+12",
            "20240517123456",
            "((415",
            "+",
            "12345678901234567890123",
        ] {
            check(text, &[]);
        }
    }
}
