//! Words counted: word and character n-grams with TF-IDF weights, for the things a sentence vector smooths over.
//!
//! Words are runs of letters and digits; characters of scripts without spaces stand alone. Counted are single words, pairs
//! of neighbours, and 2 to 5 characters inside a run of letters (with its edges marked), across words where the script has no
//! spaces. Weights are `(1 + ln tf) * idf`, rows have
//! length 1.

use std::collections::{BTreeMap, HashMap, HashSet};

use linalg::CsrMatrix;
use serde::{Deserialize, Serialize};

/// Longest text that is counted, in characters; the beginning says what it is about.
const MAX_CHARACTERS: usize = 20_000;

/// The n-grams that count, with their weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Vocabulary {
    terms: Vec<String>,
    idf: Vec<f32>,
    places: HashMap<String, u32>,
}

/// A vocabulary on disk: the index is made again on reading.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    terms: Vec<String>,
    idf: Vec<f32>,
}

impl From<Stored> for Vocabulary {
    fn from(stored: Stored) -> Self {
        let places = stored.terms.iter().cloned().zip(0..).collect();
        Self { terms: stored.terms, idf: stored.idf, places }
    }
}

impl From<Vocabulary> for Stored {
    fn from(vocabulary: Vocabulary) -> Self {
        Self { terms: vocabulary.terms, idf: vocabulary.idf }
    }
}

impl Vocabulary {
    /// Learns which n-grams there are: those in at least two texts, the most frequent `most` of them, in fixed order.
    pub fn learn(texts: &[&str], most: usize) -> Self {
        let mut documents: HashMap<String, u32> = HashMap::new();
        for text in texts {
            for term in grams(text).into_iter().collect::<HashSet<String>>() {
                *documents.entry(term).or_default() += 1;
            }
        }
        let mut kept: Vec<(String, u32)> = documents.into_iter().filter(|(_, count)| *count > 1).collect();
        kept.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        kept.truncate(most);
        kept.sort();
        let n = texts.len() as f32;
        let idf = kept.iter().map(|(_, count)| ((1.0 + n) / (1.0 + *count as f32)).ln() + 1.0).collect();
        Self::from(Stored { terms: kept.into_iter().map(|(term, _)| term).collect(), idf })
    }

    /// How many n-grams count.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The weights of one text: (column, value), columns ascending, of length 1 unless empty.
    pub fn row(&self, text: &str) -> Vec<(u32, f32)> {
        let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
        for term in grams(text) {
            if let Some(place) = self.places.get(&term) {
                *counts.entry(*place).or_default() += 1;
            }
        }
        let mut row: Vec<(u32, f32)> = counts
            .into_iter()
            .map(|(place, count)| (place, (1.0 + (count as f32).ln()) * self.idf[place as usize]))
            .collect();
        let length = row.iter().map(|(_, value)| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt();
        row.iter_mut().for_each(|(_, value)| *value = (f64::from(*value) / length) as f32);
        row
    }

    /// The weights of many texts, `[n, len]`.
    pub fn matrix(&self, texts: &[&str]) -> CsrMatrix {
        let rows: Vec<Vec<(u32, f32)>> = texts.iter().map(|text| self.row(text)).collect();
        CsrMatrix::from_rows(self.len(), &rows)
    }
}

/// All n-grams of a text, with repeats. Words are marked `w:`, pieces `c:`, so that they cannot be mistaken for each other.
fn grams(text: &str) -> Vec<String> {
    let words = words(text);
    let mut grams: Vec<String> = words.iter().map(|word| format!("w:{word}")).collect();
    grams.extend(words.windows(2).map(|pair| format!("w:{} {}", pair[0], pair[1])));
    for run in runs(text) {
        let marked: Vec<char> = std::iter::once(' ').chain(run.chars()).chain(std::iter::once(' ')).collect();
        for length in 2..=5 {
            grams.extend(
                marked.windows(length).map(|piece| format!("c:{}", piece.iter().collect::<String>())),
            );
        }
    }
    grams
}

/// The characters that are looked at, in lower case.
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().take(MAX_CHARACTERS).flat_map(char::to_lowercase)
}

/// Runs of letters and digits. In a script without spaces one run holds many words, and pieces of it are its words.
fn runs(text: &str) -> Vec<String> {
    let lower: String = letters(text).collect();
    let between = |character: char| !character.is_alphanumeric() && !is_unspaced(character);
    lower.split(between).filter(|run| !run.is_empty()).map(str::to_owned).collect()
}

/// Lower-case words; each character of a script that is written without spaces is a word.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in letters(text) {
        if is_unspaced(character) {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            words.push(character.to_string());
        } else if character.is_alphanumeric() {
            word.push(character);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// Chinese characters, kana and Thai.
fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{0E00}'..='\u{0E7F}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{2FA1F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_kinds_of_script() {
        assert_eq!(words("Hello, WORLD-3 你好ok"), ["hello", "world", "3", "你", "好", "ok"]);
        assert!(words(" ,.!").is_empty());
    }

    #[test]
    fn pieces_of_an_unspaced_script_cross_its_words() {
        let grams = grams("找酒店 ok");
        for piece in ["w:酒", "w:酒 店", "c:酒店", "c:找酒店", "c: ok "] {
            assert!(grams.iter().any(|gram| gram == piece), "{piece}");
        }
    }

    #[test]
    fn rows_have_length_one_and_known_columns() {
        let texts = ["lost my card", "my card is lost", "top up failed", "top up again"];
        let vocabulary = Vocabulary::learn(&texts, 1000);
        let row = vocabulary.row("my card");
        let length: f32 = row.iter().map(|(_, value)| value * value).sum();
        assert!((length - 1.0).abs() < 1e-5 && row.is_sorted_by_key(|(place, _)| *place));
        assert!(vocabulary.row("zzz qqq").is_empty());
    }

    #[test]
    fn the_vocabulary_is_cut_by_frequency_and_survives_json() {
        let vocabulary = Vocabulary::learn(&["a b", "a b", "a c", "a c"], 3);
        assert_eq!(vocabulary.len(), 3);
        let text = serde_json::to_string(&vocabulary).unwrap();
        assert_eq!(serde_json::from_str::<Vocabulary>(&text).unwrap(), vocabulary);
    }
}
