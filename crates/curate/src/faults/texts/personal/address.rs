//! Addresses of mailboxes and machines, and plates of vehicles.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{PersonalData, PersonalKind, is_word};

/// The longest local part and domain of a mailbox (RFC 5321).
const LONGEST_LOCAL: usize = 64;
/// Its longest domain.
const LONGEST_DOMAIN: usize = 255;
/// The longest address of version 6 in text.
const LONGEST_IP: usize = 39;
/// The provinces on plates, in one character each.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";

/// All addresses and plates in a text; they may overlap.
pub(super) fn addresses(characters: &[char]) -> Vec<PersonalData> {
    let mut found = Vec::new();
    for place in 0..characters.len() {
        found.extend(match characters[place] {
            '@' => mailbox(characters, place),
            province if PROVINCES.contains(province) => plate(characters, place),
            character if character.is_ascii_hexdigit() || character == ':' => machine(characters, place),
            _ => None,
        });
    }
    found
}

fn mailbox(characters: &[char], at: usize) -> Option<PersonalData> {
    let is_local = |character: &&char| character.is_ascii_alphanumeric() || "._%+-".contains(**character);
    let is_domain = |character: &&char| character.is_ascii_alphanumeric() || ".-".contains(**character);
    let local = characters[..at].iter().rev().take(LONGEST_LOCAL).take_while(is_local).count();
    let domain: String = characters[at + 1..].iter().take(LONGEST_DOMAIN).take_while(is_domain).collect();
    // A full stop may end the sentence.
    let domain = domain.trim_end_matches(['.', '-']);
    let (host, top) = domain.rsplit_once('.')?;
    let is_top = top.len() >= 2 && top.chars().all(|character| character.is_ascii_alphabetic());
    let is_host = !host.is_empty() && host.split('.').all(|label| !label.is_empty());
    let starts = characters[at - local..at].iter().any(char::is_ascii_alphanumeric);
    (is_top && is_host && starts).then_some(PersonalData {
        start: at - local,
        end: at + 1 + domain.len(),
        kind: PersonalKind::Email,
    })
}

/// A province, a letter, perhaps a point, and five or six letters and digits without I and O; two digits at least.
fn plate(characters: &[char], at: usize) -> Option<PersonalData> {
    let is_letter = |character: char| character.is_ascii_uppercase() && !"IO".contains(character);
    let place = at + 1;
    characters.get(place).copied().filter(|character| is_letter(*character))?;
    let point =
        usize::from(characters.get(place + 1).is_some_and(|character| "·•・.- ".contains(*character)));
    let from = place + 1 + point;
    let rest: Vec<char> = characters[from..]
        .iter()
        .copied()
        .take_while(|character| character.is_ascii_alphanumeric())
        .take(8)
        .collect();
    let is_serial = rest.iter().all(|character| character.is_ascii_digit() || is_letter(*character));
    let digits = rest.iter().filter(|character| character.is_ascii_digit()).count();
    let fits = matches!(rest.len(), 5 | 6) && is_serial && digits >= 2;
    fits.then_some(PersonalData { start: at, end: from + rest.len(), kind: PersonalKind::LicensePlate })
}

/// An address of version 4 or 6 that begins here and leads to someone: not those for private networks or examples.
fn machine(characters: &[char], at: usize) -> Option<PersonalData> {
    let before = at.checked_sub(1);
    let glued = before.is_some_and(|place| ".:".contains(characters[place]));
    if glued || is_word(characters, before) {
        return None;
    }
    let is_part = |character: &&char| character.is_ascii_alphanumeric() || ".:".contains(**character);
    let run: String = characters[at..].iter().take(LONGEST_IP + 1).take_while(is_part).collect();
    let address = run.trim_end_matches(['.', ':']);
    let data = |length: usize| PersonalData { start: at, end: at + length, kind: PersonalKind::IpAddress };
    // A port may follow.
    let host = address.split_once(':').map_or(address, |(host, _)| host);
    if let Ok(four) = host.parse::<Ipv4Addr>() {
        return (leads_to_someone(four) && !is_version(characters, at)).then(|| data(host.len()));
    }
    let six = address.parse::<Ipv6Addr>().ok()?;
    let colons = address.matches(':').count();
    // Names in programs have double colons too.
    let is_public = six.segments()[0] & 0xE000 == 0x2000 && six.segments()[..2] != [0x2001, 0xDB8];
    (is_public && colons >= 3).then(|| data(address.len()))
}

fn leads_to_someone(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // Shared by a carrier (RFC 6598), or not in use.
    let reserved = first == 0 || first >= 224 || (first == 100 && (64..128).contains(&second));
    !(reserved
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

/// Whether a word before says that the numbers are a version.
fn is_version(characters: &[char], at: usize) -> bool {
    let before: String = characters[at.saturating_sub(10)..at].iter().collect();
    let before = before.to_lowercase();
    let before = before.trim_end_matches([' ', ':', '：', '.']);
    ["version", "ver", "release", "版本", "版本号", "v"].iter().any(|word| before.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(PersonalKind, &str)]) {
        let characters: Vec<char> = text.chars().collect();
        let found = addresses(&characters);
        let said: Vec<(PersonalKind, String)> =
            found.iter().map(|data| (data.kind, characters[data.start..data.end].iter().collect())).collect();
        let expected: Vec<_> = expected.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect();
        assert_eq!(said, expected, "{text}");
    }

    #[test]
    fn mailboxes_are_found() {
        check("write to a.b-c+d@mail.example.co.uk.", &[(PersonalKind::Email, "a.b-c+d@mail.example.co.uk")]);
        check("我的邮箱是zhang@example.cn谢谢", &[(PersonalKind::Email, "zhang@example.cn")]);
        check("a@b, @c.de, x@y..com, me @ home.com, q@1.2", &[]);
    }

    #[test]
    fn public_addresses_of_machines_are_found() {
        check("from 8.8.4.4:53, then", &[(PersonalKind::IpAddress, "8.8.4.4")]);
        check("at 2400::1.", &[]);
        check("at 2400:3200:baba::1.", &[(PersonalKind::IpAddress, "2400:3200:baba::1")]);
        check("192.168.1.1 10.0.0.1 127.0.0.1 203.0.113.9 256.1.1.1 1.2.3 1.2.3.4.5", &[]);
        check("v8.8.4.4, version 8.8.4.4, 版本号：8.8.4.4", &[]);
        check("dead::beef, face::add, 12:30:45, 2001:db8:1::1", &[]);
    }

    #[test]
    fn plates_are_found() {
        check(
            "车牌京A·12345和粤BD12345",
            &[(PersonalKind::LicensePlate, "京A·12345"), (PersonalKind::LicensePlate, "粤BD12345")],
        );
        check("京A123456789 京A1O345 新ABCDEF 云A座 川A1234", &[]);
    }
}
