//! Texts with hardly anything to read.

use crate::faults::{Checked, Evidence, Fault, median};

/// Letters and digits below which a text is flagged.
const FEWEST: f64 = 2.0;
/// Share of the median length below which a text is flagged.
const SHARE: f64 = 0.05;

/// Flags texts with fewer than two letters or digits, or than a twentieth of the median. The score is the number over twice that
/// limit, at most 1: below one half is flagged. A Chinese character counts as a letter.
pub fn short_texts(texts: &[&str]) -> Checked {
    let counts: Vec<f64> = texts
        .iter()
        .map(|text| text.chars().filter(|character| character.is_alphanumeric()).count() as f64)
        .collect();
    let limit = (SHARE * median(&counts).unwrap_or(0.0)).max(FEWEST);
    let scores = counts.iter().map(|count| (count / (2.0 * limit)).min(1.0)).collect();
    Checked::below(Fault::ShortText, scores, 0.5).because(|row| Evidence::Limit { value: counts[row], limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_flagged_in_any_script() {
        let found = short_texts(&["where is my card", "?!", "退款", "", "ok", "a"]);
        assert_eq!(found.flagged, [1, 3, 5]);
        let long = "a".repeat(1000);
        assert_eq!(short_texts(&[&long, &long, "only this"]).flagged, [2]);
        assert!(short_texts(&[]).flagged.is_empty());
    }
}
