//! Remains of HTML or JSON: tags, entities, keys and escapes that were meant for a machine.

use super::{counted, measure, over};
use crate::faults::{Checked, Fault};

/// Tags whose names nobody would put in angle brackets for another reason.
const TAGS: [&str; 36] = [
    "a",
    "b",
    "blockquote",
    "body",
    "br",
    "button",
    "code",
    "div",
    "em",
    "font",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "li",
    "link",
    "meta",
    "ol",
    "p",
    "pre",
    "script",
    "span",
    "strong",
    "style",
    "table",
    "td",
    "ul",
];
/// Entities that are common enough to be left over.
const ENTITIES: [&str; 14] = [
    "amp", "apos", "bull", "copy", "gt", "hellip", "ldquo", "lt", "mdash", "nbsp", "ndash", "quot", "rdquo",
    "rsquo",
];
/// Characters looked at for the end of a tag, an entity or a key.
const REACH: usize = 200;

/// Flags texts with markup. The score is one over one more than the pieces; what a quarter of the set has is how the set is.
pub(super) fn markup(texts: &[&str]) -> Checked {
    let pieces = measure(texts, |text| Some(pieces(text) as f64));
    Checked::below_unless_usual(Fault::Markup, over(&pieces, 1.0), 1.0).because(counted(&pieces))
}

/// Tags, entities, JSON keys and escapes in a text.
fn pieces(text: &str) -> usize {
    let of = |(at, character): (usize, char)| match character {
        '<' => is_tag(&text[at + 1..]),
        '&' => is_entity(&text[at + 1..]),
        '"' => is_key(text[..at].trim_end(), &text[at + 1..]),
        '\\' => is_escape(&text[at + 1..]),
        _ => false,
    };
    text.char_indices().filter(|place| of(*place)).count()
}

/// What comes before `end`, when that is near.
fn until(rest: &str, end: char) -> Option<&str> {
    let found = rest.char_indices().take(REACH).find(|(_, character)| *character == end)?;
    Some(&rest[..found.0])
}

fn is_tag(rest: &str) -> bool {
    if rest.starts_with("!--") || rest.to_ascii_lowercase().starts_with("!doctype") {
        return true;
    }
    let Some(inside) = until(rest, '>') else { return false };
    let inside = inside.trim_start_matches('/');
    let name: String = inside.chars().take_while(char::is_ascii_alphanumeric).collect();
    let after = &inside[name.len()..];
    TAGS.contains(&name.to_ascii_lowercase().as_str())
        && (after.is_empty() || after.starts_with('/') || after.starts_with(char::is_whitespace))
}

fn is_entity(rest: &str) -> bool {
    let Some(name) = until(rest, ';') else { return false };
    match name.strip_prefix('#') {
        Some(number) => {
            let digits = number.trim_start_matches(['x', 'X']);
            (1..=6).contains(&digits.len()) && digits.chars().all(|digit| digit.is_ascii_hexdigit())
        }
        None => ENTITIES.contains(&name),
    }
}

/// A quoted word after `{` or `,` and before `:`.
fn is_key(before: &str, rest: &str) -> bool {
    let Some(name) = until(rest, '"') else { return false };
    before.ends_with(['{', ',']) && !name.is_empty() && rest[name.len() + 1..].trim_start().starts_with(':')
}

/// A character written by its number.
fn is_escape(rest: &str) -> bool {
    let digits = rest.strip_prefix('u').and_then(|rest| rest.get(..4));
    digits.is_some_and(|digits| digits.chars().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_counted() {
        for (text, expected) in [
            ("<p>Hello <b>you</b><br/></P>", 5),
            ("Tom &amp; Jerry&nbsp;&#39;s &#x4e2d;", 4),
            (r#"{"text": "hello", "label" : 3}"#, 2),
            (r"\u4f60\u597d", 2),
            ("<!-- note --> <a href=\"x\">", 2),
            ("a < b and c > d; AT&T; x <y> <3 & more; <bold>", 0),
            ("he said \"yes\": and left, \"no\" too; C:\\users", 0),
            ("<", 0),
            ("&", 0),
            ("\\", 0),
            ("\"", 0),
            ("<分>&分;\\u分分", 0),
        ] {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    #[test]
    fn markup_is_flagged_unless_usual() {
        let mut texts = vec!["plain text"; 9];
        texts.push("I like it&nbsp;<br>");
        assert_eq!(markup(&texts).flagged, [9]);
        assert!(markup(&["<p>a</p>", "<p>b</p>", "c"]).flagged.is_empty());
    }
}
