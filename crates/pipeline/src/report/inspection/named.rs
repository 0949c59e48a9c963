//! What defects were called: a small confusion table.

use evaluate::Estimate;

use super::measures::{interval, value};
use crate::{Lang, NamedKinds, NamedRow};

/// The table as it is written.
pub(super) struct NamedTable<'a> {
    /// The names that are given; last, "never seen".
    pub(super) columns: Vec<&'a str>,
    pub(super) rows: Vec<Row<'a>>,
    /// Shares in words, each with its interval and counts.
    pub(super) notes: Vec<String>,
}

/// One kind that a person gave.
pub(super) struct Row<'a> {
    pub(super) kind: &'a str,
    pub(super) shown: bool,
    /// Counts as text, and whether it is the right answer.
    pub(super) cells: Vec<(String, bool)>,
    pub(super) n: usize,
}

pub(super) fn table(named: &NamedKinds, lang: Lang) -> NamedTable<'_> {
    let mut columns: Vec<&str> = named.shown.iter().map(String::as_str).collect();
    columns.push(lang.pick("never seen", "未见种类"));
    NamedTable {
        rows: named.rows.iter().map(|kind| row(kind, &named.shown)).collect(),
        columns,
        notes: notes(named, lang),
    }
}

fn row<'a>(row: &'a NamedRow, shown: &[String]) -> Row<'a> {
    let text = |count: usize| if count == 0 { "·".to_owned() } else { count.to_string() };
    let mut cells: Vec<(String, bool)> =
        row.named.iter().zip(shown).map(|(count, name)| (text(*count), *name == row.kind)).collect();
    cells.push((text(row.never_seen), !row.shown));
    Row { kind: &row.kind, shown: row.shown, cells, n: row.named.iter().sum::<usize>() + row.never_seen }
}

fn notes(named: &NamedKinds, lang: Lang) -> Vec<String> {
    let said = |words: &str, share: &Estimate| {
        let count = (share.value * share.n as f64).round();
        let of = lang.pick(format!("{count} of {}", share.n), format!("{} 个中 {count} 个", share.n));
        let of_95 = lang.pick("95 % interval", "95 % 区间");
        format!("{words}: {}, {of} ({of_95} {})", value(share), interval(share))
    };
    let right = Some(&named.right).filter(|right| right.n > 0);
    let right = right.map(|share| said(lang.pick("Named right", "判对"), share));
    let called_new = named
        .called_new
        .as_ref()
        .map(|share| said(lang.pick("Shown kinds called never seen", "已知种类被判为未见种类"), share));
    let new_found = named
        .new_found
        .as_ref()
        .map(|share| said(lang.pick("Other kinds called never seen", "其他种类被认作未见种类"), share));
    let too_few = named.called_new.is_none() && named.new_found.is_none();
    let too_few = too_few.then(|| {
        lang.pick(
            "Whether a defect is of a kind never seen can be told from 20 shown defects on",
            "展示至少 20 个缺陷后，才能判断是否为未见种类",
        )
        .to_owned()
    });
    [right, called_new, new_found, too_few].into_iter().flatten().collect()
}
