//! Which findings a person accepts, as `--accept` names them.

use pipeline::{Accepted, Fault, Findings, StoredFinding};

use crate::exit::Usage;

/// All that is named by `--accept`.
pub(super) fn named(given: &[String], findings: &Findings) -> Result<Vec<Accepted>, Usage> {
    let mut accepted = Vec::new();
    for given in given {
        for Word { which, label } in words(given)? {
            accepted.extend(one(&which, label, findings)?);
        }
    }
    Ok(accepted)
}

/// What stands between two commas.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    which: String,
    /// What follows `=`.
    label: Option<String>,
}

/// Parts between commas. A label may hold some where it is quoted, or a JSON list.
fn words(given: &str) -> Result<Vec<Word>, Usage> {
    let mut words = Vec::new();
    let mut rest = given;
    loop {
        let end = rest.find([',', '=']).unwrap_or(rest.len());
        let which = rest[..end].trim().to_owned();
        rest = &rest[end..];
        let mut label = None;
        if let Some(after) = rest.strip_prefix('=') {
            let (found, left) = label_at(after.trim_start()).ok_or_else(|| unclosed(given))?;
            (label, rest) = (Some(found), left.trim_start());
        }
        words.push(Word { which, label });
        match rest.strip_prefix(',') {
            Some(left) => rest = left,
            None if rest.is_empty() => return Ok(words),
            None => return Err(unclosed(given)),
        }
    }
}

/// A label at the beginning of a text, and what follows it; `None` where a quote or a list does not end.
fn label_at(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (label, rest) = quoted.split_once('"')?;
        return Some((label.to_owned(), rest));
    }
    if text.starts_with('[') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Vec<String>>();
        if let Some(Ok(_)) = values.next() {
            let (list, rest) = text.split_at(values.byte_offset());
            return Some((list.to_owned(), rest));
        }
    }
    let end = text.find(',').unwrap_or(text.len());
    Some((text[..end].trim().to_owned(), &text[end..]))
}

/// `7`, `3-9`, `7=LABEL`, the name of a fault, or `all`.
fn one(which: &str, label: Option<String>, findings: &Findings) -> Result<Vec<Accepted>, Usage> {
    let plain = |number: usize| Accepted { number, label: None };
    if label.is_some() {
        return which.parse().map(|number| vec![Accepted { number, label }]).map_err(|_| unknown(which));
    }
    if let Ok(number) = which.parse() {
        return Ok(vec![plain(number)]);
    }
    if let Some((first, last)) = which.split_once('-')
        && let (Ok(first), Ok(last)) = (first.trim().parse::<usize>(), last.trim().parse::<usize>())
    {
        let count = findings.findings.len();
        if first > last || last > count {
            return Err(no_range(which, count));
        }
        return Ok((first..=last).map(plain).collect());
    }
    let is_fault = Fault::ALL.iter().any(|fault| fault.name() == which);
    if which != "all" && !is_fault {
        return Err(unknown(which));
    }
    // Of many at once only those are meant that need no decision and can be applied.
    let is_meant = |finding: &&StoredFinding| {
        (which == "all" || finding.fault == which) && finding.action.applies_by_itself()
    };
    Ok(findings.findings.iter().filter(is_meant).map(|finding| plain(finding.number)).collect())
}

fn unknown(which: &str) -> Usage {
    Usage {
        en: format!(
            "`{which}` names no findings: pass a number, 3-9, 7=LABEL (7=\"A, B\" where there is a comma in it), the name of a fault, or all"
        ),
        zh: format!(
            "“{which}”不指任何发现：请给编号、3-9、7=标注（标注含逗号时写成 7=\"甲, 乙\"）、问题名称，或 all"
        ),
    }
}

fn no_range(which: &str, count: usize) -> Usage {
    Usage {
        en: format!(
            "`{which}` is no range of findings: the smaller number comes first, and there are {count}"
        ),
        zh: format!("“{which}”不是发现的范围：小的编号在前，共有 {count} 个"),
    }
}

fn unclosed(given: &str) -> Usage {
    Usage {
        en: format!(
            "`{given}` has a quoted label that does not end, or goes on after its quote: write 7=\"A, B\""
        ),
        zh: format!("“{given}”中带引号的标注没有结束，或引号后还有内容：请写成 7=\"甲, 乙\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expected: &[(&str, Option<&str>)]) {
        let words = words(given).unwrap_or_default();
        let words: Vec<(&str, Option<&str>)> =
            words.iter().map(|word| (word.which.as_str(), word.label.as_deref())).collect();
        assert_eq!(words, expected, "{given}");
    }

    #[test]
    fn a_comma_within_quotes_parts_nothing() {
        check("3, 5-9,label", &[("3", None), ("5-9", None), ("label", None)]);
        check("7=\"a, b\",8", &[("7", Some("a, b")), ("8", None)]);
        check("7=[\"a|b\", \"c\"] ,8", &[("7", Some("[\"a|b\", \"c\"]")), ("8", None)]);
        check("7=[a],8", &[("7", Some("[a]")), ("8", None)]);
    }

    #[test]
    fn a_quote_within_a_label_is_a_quote() {
        check("1=5\" pipe,2", &[("1", Some("5\" pipe")), ("2", None)]);
        check("7=", &[("7", Some(""))]);
        check("7=a=b", &[("7", Some("a=b"))]);
        assert!(words("7=\"a, b").is_err() && words("7=\"a\" b").is_err());
    }
}
