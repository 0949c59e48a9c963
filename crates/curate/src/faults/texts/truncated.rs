//! Texts that end where a limit of length cut them.

use std::collections::{BTreeMap, BTreeSet};

use crate::faults::{Checked, Evidence, Fault, LengthUnit};

/// Shorter longest texts are no limit anyone would set.
const SHORTEST: usize = 20;
/// Different texts at the largest length from which it is a limit.
const FEWEST: usize = 3;
/// Lengths below the largest that are compared with it.
const NEARBY: usize = 10;
/// How many times as many texts the largest length must have as each of those.
const PEAK: f64 = 3.0;
/// Share of the texts at the limit that must end in the middle of a sentence.
const OPEN: f64 = 0.5;
/// What ends a sentence.
const ENDS: [char; 17] =
    ['.', '!', '?', '。', '！', '？', '…', '"', '”', '’', ')', '）', '》', '」', ';', '；', '~'];

/// Flags texts of exactly the largest length that end in the middle of a sentence, where many more have that length than those just
/// below. Lengths are counted in characters, in bytes and in words. The score is 0 where flagged, else 1.
pub(super) fn truncated(texts: &[&str]) -> Checked {
    let mut cut = BTreeMap::new();
    for unit in [LengthUnit::Characters, LengthUnit::Bytes, LengthUnit::Words] {
        let rows = at_limit(texts, |text| length(text, unit));
        let n_rows = rows.len();
        rows.into_iter().for_each(|row| {
            cut.entry(row).or_insert((unit, n_rows));
        });
    }
    let score = |row: usize| if cut.contains_key(&row) { 0.0 } else { 1.0 };
    Checked::below(Fault::Truncated, (0..texts.len()).map(score).collect(), 0.5).because(|row| {
        let (unit, n_rows) = cut[&row];
        Evidence::Cut { length: length(texts[row], unit), unit, texts: n_rows }
    })
}

fn length(text: &str, unit: LengthUnit) -> usize {
    match unit {
        LengthUnit::Characters => text.chars().count(),
        LengthUnit::Bytes => text.len(),
        LengthUnit::Words => text.split_whitespace().count(),
    }
}

/// The rows at the limit that are open at their end; none without a limit.
fn at_limit(texts: &[&str], measure: impl Fn(&str) -> usize) -> Vec<usize> {
    let lengths: Vec<usize> = texts.iter().map(|text| measure(text)).collect();
    let largest = lengths.iter().copied().max().unwrap_or(0);
    if largest < SHORTEST {
        return Vec::new();
    }
    let mut different: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    texts.iter().zip(&lengths).for_each(|(text, length)| {
        different.entry(*length).or_default().insert(text);
    });
    let count = |length: usize| different.get(&length).map_or(0, BTreeSet::len);
    let below = (largest - NEARBY..largest).map(count).sum::<usize>() as f64 / NEARBY as f64;
    // Codes of one length are not cut: something must be shorter.
    let is_limit = count(largest) >= FEWEST && count(largest) as f64 > PEAK * below && different.len() > 1;
    let open = |text: &&&str| !text.trim_end().ends_with(ENDS);
    let n_open = different[&largest].iter().filter(open).count();
    if !is_limit || (n_open as f64) < OPEN * count(largest) as f64 {
        return Vec::new();
    }
    (0..texts.len()).filter(|row| lengths[*row] == largest && open(&&texts[*row])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sentences of many lengths.
    fn sentences() -> Vec<String> {
        (0..60)
            .map(|row| format!("{row} {}, sentence.", "some words ".repeat(1 + row * 7 % 13).trim_end()))
            .collect()
    }

    fn flagged(texts: &[String]) -> Vec<usize> {
        truncated(&texts.iter().map(String::as_str).collect::<Vec<_>>()).flagged
    }

    #[test]
    fn texts_cut_at_a_limit_are_found_and_whole_ones_are_not() {
        let whole = sentences();
        assert!(flagged(&whole).is_empty());
        let cut: Vec<String> = whole.iter().map(|text| text.chars().take(100).collect()).collect();
        let expected: Vec<usize> = (0..60).filter(|row| whole[*row].chars().count() > 100).collect();
        assert!(expected.len() > 5);
        assert_eq!(flagged(&cut), expected);
        let words: Vec<String> =
            whole.iter().map(|text| text.split(' ').take(20).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(flagged(&words), (0..60).filter(|row| whole[*row] != words[*row]).collect::<Vec<_>>());
    }

    #[test]
    fn codes_copies_and_short_texts_have_no_limit() {
        let codes: Vec<String> = (0..30).map(|row| format!("order number {row:020}")).collect();
        assert!(flagged(&codes).is_empty());
        let mut copies = sentences();
        copies.extend(vec!["a very long text that was copied ".repeat(20); 5]);
        assert!(flagged(&copies).is_empty());
        assert!(truncated(&["yes", "no", "may"]).flagged.is_empty() && truncated(&[]).flagged.is_empty());
    }
}
