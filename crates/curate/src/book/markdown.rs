//! The book as a page for people.

use std::fmt::Write as _;

use super::{Book, Entry, Rule};
use crate::attributes::in_chinese;
use crate::consistency::{Side, Split};

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

/// Writes the rules as a table, and below it the exemplars of each.
pub fn markdown(book: &Book, language: Language) -> String {
    let pick = |english: &'static str, chinese: &'static str| match language {
        Language::English => english,
        Language::Chinese => chinese,
    };
    let mut page = format!(
        "# {}\n\n{} `{}`\n\n",
        pick("Label book", "标签手册"),
        pick("Base:", "底座模型："),
        book.base
    );
    if book.entries.is_empty() {
        page.push_str(pick("No rule has been decided on yet.\n", "还没有任何规则。\n"));
        return page;
    }
    page.push_str(pick(
        "| | classes | rule | examples | decided by | on | data |\n|---|---|---|---|---|---|---|\n",
        "| | 类别 | 规则 | 样本数 | 决定人 | 日期 | 数据 |\n|---|---|---|---|---|---|---|\n",
    ));
    for (place, entry) in book.entries.iter().enumerate() {
        let Entry { a, b, members, author, date, fingerprint, .. } = entry;
        let cells = [
            (place + 1).to_string(),
            format!("{} / {}", cell(a), cell(b)),
            cell(&words(&entry.rule, (&entry.a, &entry.b), language)),
            members.len().to_string(),
            cell(author),
            cell(date),
            cell(fingerprint),
        ];
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    for (place, entry) in book.entries.iter().enumerate() {
        let _ = writeln!(
            page,
            "\n## {}. {} / {}\n\n{}\n",
            place + 1,
            cell(&entry.a),
            cell(&entry.b),
            cell(&words(&entry.rule, (&entry.a, &entry.b), language))
        );
        page.push_str(pick("| example | label it had |\n|---|---|\n", "| 样本 | 当时的标签 |\n|---|---|\n"));
        for exemplar in &entry.exemplars {
            let _ = writeln!(page, "| {} | {} |", cell(&exemplar.id), cell(&exemplar.given));
        }
    }
    page
}

/// One rule about two classes in words.
pub fn words(rule: &Rule, (a, b): (&str, &str), language: Language) -> String {
    match (rule, language) {
        (Rule::AllA, Language::English) => format!("All of these are \"{a}\"."),
        (Rule::AllA, Language::Chinese) => format!("这些全部是“{a}”。"),
        (Rule::AllB, Language::English) => format!("All of these are \"{b}\"."),
        (Rule::AllB, Language::Chinese) => format!("这些全部是“{b}”。"),
        (Rule::NewClass { name }, Language::English) => {
            format!("These are a class of their own: \"{name}\".")
        }
        (Rule::NewClass { name }, Language::Chinese) => format!("这些属于新类别“{name}”。"),
        (Rule::Exclude, Language::English) => "These are not used.".to_owned(),
        (Rule::Exclude, Language::Chinese) => "这些样本不使用。".to_owned(),
        (Rule::Split { attribute, by: Split::At { threshold, below } }, _) => {
            let (low, high) = if *below == Side::A { (a, b) } else { (b, a) };
            let threshold = short(*threshold);
            match language {
                Language::English => {
                    format!("\"{low}\" where {attribute} is below {threshold}, \"{high}\" from there on.")
                }
                Language::Chinese => {
                    format!("{} 小于 {threshold} 时是“{low}”，否则是“{high}”。", in_chinese(attribute))
                }
            }
        }
        (Rule::Split { attribute, by: Split::Before { date, earlier } }, _) => {
            let (low, high) = if *earlier == Side::A { (a, b) } else { (b, a) };
            match language {
                Language::English => {
                    format!("\"{low}\" where {attribute} is before {date}, \"{high}\" from then on.")
                }
                Language::Chinese => {
                    format!("{} 早于 {date} 时是“{low}”，否则是“{high}”。", in_chinese(attribute))
                }
            }
        }
        (Rule::Split { attribute, by: Split::Among { a: names } }, Language::English) => {
            format!("\"{a}\" where {attribute} is one of {}; \"{b}\" elsewhere.", names.join(", "))
        }
        (Rule::Split { attribute, by: Split::Among { a: names } }, Language::Chinese) => {
            format!("{} 为 {} 时是“{a}”，否则是“{b}”。", in_chinese(attribute), names.join("、"))
        }
    }
}

/// A number with as many digits as people compare by: four that count.
fn short(value: f64) -> String {
    let digits = 3.0 - value.abs().log10().floor();
    let scale = 10_f64.powf(digits.clamp(0.0, 12.0));
    ((value * scale).round() / scale).to_string()
}

/// Text that stays inside its cell and is shown as it is.
pub fn cell(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => shown.push(' '),
            '<' => shown.push_str("&lt;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => {
                shown.push('\\');
                shown.push(letter);
            }
            _ => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn numbers_have_as_many_digits_as_people_compare_by() {
        let shown = [0.487_134, 50.0, 7168.4, 0.0, 123_456.7, -1.005_04].map(short);
        assert_eq!(shown, ["0.4871", "50", "7168", "0", "123457", "-1.005"]);
    }
}
