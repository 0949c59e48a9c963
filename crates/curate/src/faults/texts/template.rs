//! Texts most of which is shared with many others: signatures, disclaimers, forms filled in.

use crate::faults::{Checked, Evidence, Fault};

/// Different texts, at least and as a share of all, that must share a beginning or an end.
const MANY: (usize, f64) = (5, 0.01);
/// Characters that must be shared at one side; a Chinese, Japanese or Korean one counts twice.
const SHORTEST: usize = 20;
/// Share of a text that is its own, below which it is flagged.
const OWN: f64 = 0.4;

/// Flags texts less than four tenths of which are their own: the rest, from the beginning or to the end, is that of at least five
/// other texts and of one in a hundred. Digits count as equal, copies of a text as one. The score is its own share.
pub(super) fn template(texts: &[&str]) -> Checked {
    let plain: Vec<Vec<char>> = texts
        .iter()
        .map(|text| {
            text.trim()
                .chars()
                .map(|character| if character.is_numeric() { '0' } else { character })
                .collect()
        })
        .collect();
    let many = MANY.0.max((MANY.1 * texts.len() as f64).ceil() as usize);
    let begins = shared(&plain, many);
    let reversed: Vec<Vec<char>> = plain.iter().map(|text| text.iter().rev().copied().collect()).collect();
    let ends = shared(&reversed, many);
    let score = |row: usize| {
        let all = plain[row].len();
        let long =
            |length: usize, text: &[char]| if weight(&text[..length]) >= SHORTEST { length } else { 0 };
        let common = long(begins[row], &plain[row]) + long(ends[row], &reversed[row]);
        1.0 - common.min(all) as f64 / all.max(1) as f64
    };
    let own: Vec<f64> = (0..texts.len()).map(score).collect();
    let checked = Checked::below_unless_usual(Fault::Template, own.iter().copied().map(Some).collect(), OWN);
    checked.because(|row| Evidence::Limit { value: own[row], limit: OWN })
}

fn weight(text: &[char]) -> usize {
    text.iter().map(|character| 1 + usize::from(*character >= '\u{1100}')).sum()
}

/// How many characters the beginning of each text shares with at least `many` other different texts.
fn shared(texts: &[Vec<char>], many: usize) -> Vec<usize> {
    let mut different: Vec<&Vec<char>> = texts.iter().collect();
    different.sort_unstable();
    different.dedup();
    // In order, the texts that share a beginning are neighbours: what a run of them shares is the least of their steps.
    let steps: Vec<usize> = different.windows(2).map(|pair| common(pair[0], pair[1])).collect();
    let of_runs: Vec<usize> = steps.windows(many).map(|run| run.iter().copied().min().unwrap_or(0)).collect();
    let most = |place: usize| {
        let runs = place.saturating_sub(many)..(place + 1).min(of_runs.len());
        of_runs.get(runs).and_then(|runs| runs.iter().copied().max()).unwrap_or(0)
    };
    let place =
        |text: &Vec<char>| different.binary_search(&text).expect("every text is among the different ones");
    texts.iter().map(|text| most(place(text))).collect()
}

fn common(a: &[char], b: &[char]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(row: usize) -> String {
        let words = ["river", "stone", "cloud", "winter", "garden", "letter", "music"];
        (0..9)
            .map(|place| words[(row * 31 + place * place * (row % 5 + 1)) % 7])
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn flagged(texts: &[String]) -> Vec<usize> {
        let mut flagged = template(&texts.iter().map(String::as_str).collect::<Vec<_>>()).flagged;
        flagged.sort_unstable();
        flagged
    }

    #[test]
    fn forms_are_found_among_prose() {
        let names = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn"];
        let mut texts: Vec<String> = (0..6)
            .map(|row| {
                format!(
                    "Your order 10{row} will be delivered to {} on day {row}, thank you for buying.",
                    names[row]
                )
            })
            .collect();
        texts.extend((0..60).map(prose));
        assert_eq!(flagged(&texts), [0, 1, 2, 3, 4, 5]);
        assert!(flagged(&texts[1..]).is_empty(), "five are not five others");
    }

    #[test]
    fn chinese_forms_and_endings_are_found() {
        let mut texts: Vec<String> = (0..8)
            .map(|row| {
                format!(
                    "{}。本邮件由系统自动发出，请勿直接回复，谢谢合作",
                    ["好", "行", "收到", "已办", "同意", "不同意", "再议", "可以"][row]
                )
            })
            .collect();
        texts.extend((0..60).map(prose));
        assert_eq!(flagged(&texts), (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn copies_are_one_text_and_a_set_of_forms_is_no_fault() {
        let copies = vec!["exactly the same long text every time".to_owned(); 20];
        assert!(flagged(&copies).is_empty());
        let forms: Vec<String> =
            (0..20).map(|row| format!("The answer to the question of the day is {}", prose(row))).collect();
        assert!(flagged(&forms).is_empty());
        assert!(template(&[]).flagged.is_empty() && template(&["", "  "]).scores == [Some(1.0); 2]);
    }
}
