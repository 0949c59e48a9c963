//! Names in archives. A name is known to be UTF-8 or it is in whatever the system that packed it wrote: on Chinese ones GBK, on
//! others the code page of DOS.

use std::borrow::Cow;

use encoding_rs::GB18030;

/// How the names of an archive are to be read that are no UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberNames {
    /// GB18030, which has GBK and GB2312 in it.
    Chinese,
    /// The code page of DOS.
    Dos,
}

impl MemberNames {
    /// Whatever all names of an archive together speak for: one alone may be too short to tell.
    pub(crate) fn of<'n>(names: impl Iterator<Item = &'n [u8]>) -> Self {
        let (mut pairs, mut lonely) = (0, 0);
        for name in names.filter(|name| str::from_utf8(name).is_err()) {
            if chinese(name).is_none() {
                return Self::Dos;
            }
            let (of_name, beside) = evidence(name);
            (pairs, lonely) = (pairs + of_name, lonely + beside);
        }
        if pairs > lonely { Self::Chinese } else { Self::Dos }
    }

    /// The name that is written so; `dos` is what the archive's reader makes of it.
    pub(crate) fn read<'n>(self, name: &'n [u8], dos: Cow<'n, str>) -> Cow<'n, str> {
        match self {
            Self::Chinese if str::from_utf8(name).is_err() => chinese(name).unwrap_or(dos),
            Self::Chinese | Self::Dos => dos,
        }
    }
}

fn chinese(name: &[u8]) -> Option<Cow<'_, str>> {
    GB18030.decode_without_bom_handling_and_without_replacement(name)
}

/// How many pairs of bytes are characters of GB2312, which nearly all names have, and how many high bytes stand alone, as accented
/// letters do.
fn evidence(name: &[u8]) -> (usize, usize) {
    let is_high = |byte: &u8| (0xA1..=0xFE).contains(byte);
    let (mut pairs, mut lonely) = (0, 0);
    let mut rest = name;
    while let [first, after @ ..] = rest {
        match after {
            [second, after @ ..] if is_high(first) && is_high(second) => {
                pairs += 1;
                rest = after;
            }
            _ => {
                lonely += usize::from(*first >= 0x80);
                rest = after;
            }
        }
    }
    (pairs, lonely)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&[u8]], expect: MemberNames) {
        assert_eq!(MemberNames::of(names.iter().copied()), expect);
    }

    #[test]
    fn names_are_read_as_they_were_written() {
        let scratch = b"\xbb\xae\xba\xdb/1.jpg".as_slice();
        check(&[b"good/1.jpg", scratch], MemberNames::Chinese);
        assert_eq!(MemberNames::Chinese.read(scratch, Cow::Borrowed("?")), "划痕/1.jpg");
        let utf8 = "划痕/2.jpg";
        assert_eq!(MemberNames::Chinese.read(utf8.as_bytes(), Cow::Borrowed(utf8)), utf8);
        // A character of GBK that GB2312 does not have, among others.
        check(&[b"\x97\x5d\xb1\xed\xc3\xe6\xbb\xae\xba\xdb.jpg"], MemberNames::Chinese);
        // As DOS writes Müller and Größe: both would be GBK as well.
        check(&[b"M\x81ller/1.jpg", b"Gr\x94\xe1e.png"], MemberNames::Dos);
        check(&[b"plain.jpg", utf8.as_bytes()], MemberNames::Dos);
        check(&[scratch, b"odd\xff"], MemberNames::Dos);
    }
}
