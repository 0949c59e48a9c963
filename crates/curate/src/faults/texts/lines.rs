//! Texts that say the same line again and again.

use std::collections::BTreeSet;

use super::{beside, measure};
use crate::faults::{Checked, Fault};

/// Share of lines that were there before, from which a text is flagged.
const REPEATED: f64 = 0.3;
/// Fewer lines are no pattern.
const FEWEST: usize = 4;

/// Flags texts more than three tenths of whose lines repeat an earlier one. The score is the share that do not; there is none with
/// fewer than four lines. Empty lines do not count.
pub(super) fn repeated_lines(texts: &[&str]) -> Checked {
    let share = |text: &&str| {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let distinct = lines.iter().collect::<BTreeSet<_>>().len();
        (lines.len() >= FEWEST).then(|| 1.0 - distinct as f64 / lines.len() as f64)
    };
    let shares = measure(texts, share);
    let scores = shares.iter().map(|share| share.map(|share| 1.0 - share)).collect();
    Checked::known_below(Fault::RepeatedLines, scores, 1.0 - REPEATED).because(beside(&shares, REPEATED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_is_flagged_from_four_lines_on() {
        let found = repeated_lines(&["a\nb\nc\nd\na", "a\n a\n\nb\nb", "a\na\na", "谢谢\n谢谢\n谢谢\n好的"]);
        assert_eq!(found.flagged, [1, 3]);
        assert_eq!(found.scores, [Some(0.8), Some(0.5), None, Some(0.5)]);
    }
}
