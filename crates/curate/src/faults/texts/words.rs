//! Words, letters and symbols in the shares of ordinary prose. The limits are those of Gopher (Rae et al. 2021, appendix A.1), with
//! a lower one for letters; what a quarter of the set breaks is how the set is.

use super::script::is_spaceless;
use super::{beside, measure, over};
use crate::faults::{Checked, Evidence, Fault};

/// Mean word length, in letters and digits, below and above which words are odd.
const WORD_LENGTH: (f64, f64) = (3.0, 10.0);
/// Fewer words have no mean length worth judging: questions are full of short ones.
const FEWEST_FOR_LENGTH: usize = 30;
/// Fewer words have no share of symbols worth judging.
const FEWEST_WORDS: usize = 10;
/// Share of letters among all that is not space, below which there are few; a Chinese or Japanese character, being a word, counts
/// twice.
const LETTERS: f64 = 0.6;
/// Fewer characters have no share worth judging.
const FEWEST_CHARACTERS: u32 = 10;
/// Hash signs and ellipses for each word, above which there are many.
const SYMBOLS: f64 = 0.1;

/// Flags texts whose words are odd. The score is the mean length over the lower limit, or the upper limit over it; there is none for
/// texts with fewer than thirty words or in scripts that do not separate words.
pub(super) fn odd_word_length(texts: &[&str]) -> Checked {
    let mean = |text: &&str| {
        if text.chars().any(is_spaceless) {
            return None;
        }
        let lengths: Vec<usize> =
            text.split_whitespace().map(word_length).filter(|length| *length > 0).collect();
        let mean = lengths.iter().sum::<usize>() as f64 / lengths.len().max(1) as f64;
        (lengths.len() >= FEWEST_FOR_LENGTH).then_some(mean)
    };
    let means = measure(texts, mean);
    let score = |mean: f64| (mean / WORD_LENGTH.0).min(WORD_LENGTH.1 / mean).min(1.0);
    let scores = means.iter().map(|mean| mean.map(score)).collect();
    Checked::below_unless_usual(Fault::OddWordLength, scores, 1.0).because(|row| {
        let value = means[row].unwrap_or_default();
        Evidence::Limit { value, limit: if value < WORD_LENGTH.0 { WORD_LENGTH.0 } else { WORD_LENGTH.1 } }
    })
}

/// Whether there is a letter or digit that is not a word by itself.
fn is_spaced(word: &str) -> bool {
    word.chars().any(|character| character.is_alphanumeric() && !is_spaceless(character))
}

fn word_length(word: &str) -> usize {
    word.chars().filter(|character| character.is_alphanumeric()).count()
}

/// Flags texts of hardly any letters. The score is their share; there is none with fewer than ten characters.
pub(super) fn few_letters(texts: &[&str]) -> Checked {
    let share = |text: &&str| {
        let (mut letters, mut others) = (0_u32, 0_u32);
        for character in text.chars().filter(|character| !character.is_whitespace()) {
            match (character.is_alphabetic(), is_spaceless(character)) {
                (true, true) => letters += 2,
                (true, false) => letters += 1,
                (false, _) => others += 1,
            }
        }
        (letters + others >= FEWEST_CHARACTERS).then(|| f64::from(letters) / f64::from(letters + others))
    };
    let shares = measure(texts, share);
    let checked = Checked::below_unless_usual(Fault::FewLetters, shares.clone(), LETTERS);
    checked.because(beside(&shares, LETTERS))
}

/// Flags texts with many hash signs and ellipses. The score is `1 / (1 + share / limit)`; there is none with fewer than ten words.
pub(super) fn many_symbols(texts: &[&str]) -> Checked {
    let share = |text: &&str| {
        let spaceless = text.chars().filter(|character| is_spaceless(*character)).count();
        let spaced = text.split_whitespace().filter(|word| is_spaced(word)).count();
        let ellipses = text.matches("...").count() + text.replace("……", "…").matches('…').count();
        let words = spaceless + spaced;
        let share = (text.matches('#').count() + ellipses) as f64 / words.max(1) as f64;
        (words >= FEWEST_WORDS).then_some(share)
    };
    let shares = measure(texts, share);
    Checked::below_unless_usual(Fault::ManySymbols, over(&shares, SYMBOLS), 0.5)
        .because(beside(&shares, SYMBOLS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROSE: &str = "the quick brown fox jumps over the lazy dog and then sleeps";

    /// The texts among eight plain ones; gives back which are flagged.
    #[track_caller]
    fn check(of: fn(&[&str]) -> Checked, odd: &[&str], expected: &[usize]) {
        let mut texts = odd.to_vec();
        texts.extend([PROSE; 8]);
        let found = of(&texts);
        assert_eq!(found.flagged, expected);
        assert_eq!(found.evidence.len(), expected.len());
    }

    #[test]
    fn words_of_one_letter_and_of_many_are_odd() {
        let spaced = "t h e q u i c k b r o w n f o x ".repeat(2);
        let joined = "thequickbrownfoxjumpsover ".repeat(30);
        let prose = format!("{PROSE} ").repeat(3);
        let mut texts = vec![prose.as_str(); 8];
        texts.extend([spaced.as_str(), &joined]);
        assert_eq!(odd_word_length(&texts).flagged, [8, 9]);
        let chinese = "我的卡 a ".repeat(40);
        assert_eq!(odd_word_length(&["a b c", &chinese]).scores, [None; 2]);
    }

    #[test]
    fn numbers_instead_of_letters_are_flagged_unless_usual() {
        check(few_letters, &["0012 3344 5566 a", "人均消费在100—150元吗？"], &[0]);
        assert!(few_letters(&["0012 3344 5566", "0012 3344 5567", PROSE]).flagged.is_empty());
        assert_eq!(few_letters(&["12:30"]).scores, [None]);
    }

    #[test]
    fn hash_signs_and_ellipses_are_counted() {
        let tagged = format!("{PROSE} #one #two");
        let trailing = "我…不…知道…你们…在…哪里……了";
        check(many_symbols, &[&tagged, trailing, "wait..."], &[1, 0]);
        check(many_symbols, &[&format!("{PROSE} ...")], &[]);
    }
}
