//! Which findings a person accepts: named on the command line, or asked about one after the other.

use std::io::{BufRead, Write};

use pipeline::{Accepted, Answer, Fault, Findings, Lang, Pair, StoredFinding};

use crate::exit::Usage;

/// Examples of a finding that are named.
const SHOWN: usize = 5;

/// All that is named by `--accept`.
pub(super) fn named(given: &[String], findings: &Findings) -> Result<Vec<Accepted>, Usage> {
    let mut accepted = Vec::new();
    for which in given.iter().flat_map(|given| words(given)) {
        accepted.extend(one(which.trim(), findings)?);
    }
    Ok(accepted)
}

/// Parts between commas, but not between those within quotes.
fn words(given: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for sign in given.chars() {
        match sign {
            ',' if !is_quoted => words.push(String::new()),
            _ => {
                is_quoted ^= sign == '"';
                words.last_mut().expect("there is always one").push(sign);
            }
        }
    }
    words
}

/// A label without the quotes around it.
fn unquoted(label: &str) -> &str {
    let label = label.trim();
    label.strip_prefix('"').and_then(|label| label.strip_suffix('"')).unwrap_or(label)
}

/// `7`, `3-9`, `7=LABEL`, the name of a fault, or `all`.
fn one(which: &str, findings: &Findings) -> Result<Vec<Accepted>, Usage> {
    let plain = |number: usize| Accepted { number, label: None };
    if let Some((number, label)) = which.split_once('=') {
        let number = number.trim().parse().map_err(|_| unknown(which))?;
        return Ok(vec![Accepted { number, label: Some(unquoted(label).to_owned()) }]);
    }
    if let Ok(number) = which.parse() {
        return Ok(vec![plain(number)]);
    }
    if let Some((first, last)) = which.split_once('-')
        && let (Ok(first), Ok(last)) = (first.trim().parse::<usize>(), last.trim().parse::<usize>())
        && last.saturating_sub(first) < findings.findings.len()
    {
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

/// Asks about one finding after the other; the end of the input ends the questions.
pub(super) fn asked(findings: &Findings, lang: Lang) -> anyhow::Result<Vec<Accepted>> {
    let mut accepted = Vec::new();
    let mut lines = std::io::stdin().lock().lines();
    for finding in &findings.findings {
        if !finding.action.applies_by_itself() && !finding.action.decides() {
            continue;
        }
        let how = lang.pick("[y]es, [n]o, [q]uit, or a label:", "y 是，n 否，q 结束，或直接输入标注：");
        eprint!("{}{how} ", told(finding, lang));
        std::io::stderr().flush()?;
        let Some(answer) = lines.next().transpose()? else { break };
        let label = match answer.trim() {
            "q" => break,
            "" | "n" => continue,
            "y" => None,
            "=" => Some(String::new()),
            label => Some(unquoted(label).to_owned()),
        };
        accepted.push(Accepted { number: finding.number, label });
    }
    Ok(accepted)
}

/// What a person needs to know to answer.
fn told(finding: &StoredFinding, lang: Lang) -> String {
    let labels = match (&finding.given, &finding.suggested) {
        (Some(given), Some(suggested)) => format!("{given} → {suggested}"),
        (Some(given), None) => given.clone(),
        _ => String::new(),
    };
    let shown = finding.ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let action = finding.action.sentence();
    let mut told =
        format!("{}. {}: {shown} {labels} → {}\n", finding.number, finding.fault, action.in_lang(lang));
    if let Some(about) = &finding.about {
        told.push_str(&format!("   {}\n", about.in_lang(lang)));
    }
    for pair in &finding.pairs {
        told.push_str(&format!("   {}\n", close(pair, lang)));
    }
    for Answer { accept, says } in &finding.answers {
        // As it is typed here: without the number, which is known.
        let typed = match accept.split_once('=') {
            None => "y",
            Some((_, "")) => "=",
            Some((_, label)) => label,
        };
        told.push_str(&format!("   {typed}: {}\n", says.in_lang(lang)));
    }
    told
}

/// Two examples that contradict each other.
pub(super) fn close(Pair { ids: [first, second], labels: [a, b], .. }: &Pair, lang: Lang) -> String {
    lang.pick(
        format!("close together: {first} is `{a}`, {second} is `{b}`"),
        format!("很相近：{first} 标为“{a}”，{second} 标为“{b}”"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expected: &[&str]) {
        let words = words(given);
        assert_eq!(words.iter().map(|word| word.trim()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_comma_within_quotes_parts_nothing() {
        check("3, 5-9,label", &["3", "5-9", "label"]);
        check("7=\"a, b\",8", &["7=\"a, b\"", "8"]);
        check("7=\"a, b", &["7=\"a, b"]);
        assert_eq!(unquoted(" \"a, b\" "), "a, b");
        assert_eq!(unquoted("5\""), "5\"");
    }
}
