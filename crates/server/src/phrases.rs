//! Strings that were marked in texts, found again in others: word for word, whole words only.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use exchange::{Mark, Shape};

use crate::marks;

/// Longest string that is looked for, in characters: whole sentences come again as copies, not as names of things.
const LONGEST: usize = 100;
/// Characters of a text that are looked through: at each of them every known length is tried.
const MOST_LOOKED: usize = 100_000;

/// Strings, each with the class that it was marked with most often.
#[derive(Debug)]
pub(crate) struct Phrases {
    /// With how often that was.
    classes: HashMap<String, (String, usize)>,
    /// Their lengths in characters.
    lengths: BTreeSet<usize>,
}

/// A string that was found, in characters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found<'p> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) class: &'p str,
    pub(crate) times: usize,
}

impl Phrases {
    /// Those of texts with what is marked on them, as it is kept.
    pub(crate) fn marked<'t>(texts: impl Iterator<Item = (&'t str, &'t str)>) -> Self {
        let mut counts: HashMap<String, BTreeMap<String, usize>> = HashMap::new();
        for (text, kept) in texts {
            let places = places(text, usize::MAX);
            for Mark { class, shape } in marks::of(Some(kept)) {
                let (Some(class), Shape::Span { start, end }) = (class, shape) else { continue };
                let Some(phrase) = places.get(start).zip(places.get(end)).and_then(|(a, b)| text.get(*a..*b))
                else {
                    continue;
                };
                if end - start <= LONGEST && phrase.trim() == phrase {
                    *counts.entry(phrase.to_owned()).or_default().entry(class).or_default() += 1;
                }
            }
        }
        let lengths = counts.keys().map(|phrase| phrase.chars().count()).collect();
        // Of classes that are as frequent the first by name, so that the order of the texts does not matter.
        let most = |counts: BTreeMap<String, usize>| counts.into_iter().rev().max_by_key(|(_, times)| *times);
        let classes = counts.into_iter().filter_map(|(phrase, counts)| Some((phrase, most(counts)?)));
        Self { classes: classes.collect(), lengths }
    }

    /// Where they stand in a text, from its beginning, in the first 100,000 characters; of those that overlap the one that begins first, then the longest.
    pub(crate) fn find(&self, text: &str) -> Vec<Found<'_>> {
        let places = places(text, MOST_LOOKED);
        let n = places.len() - 1;
        let mut found = Vec::new();
        let mut start = 0;
        while start < n {
            let longest = self.lengths.iter().rev().map(|length| start + length).filter(|end| *end <= n);
            let here = is_edge(text, places[start])
                .then(|| {
                    longest.filter(|end| is_edge(text, places[*end])).find_map(|end| {
                        let (class, times) = self.classes.get(&text[places[start]..places[end]])?;
                        Some(Found { start, end, class, times: *times })
                    })
                })
                .flatten();
            start = here.as_ref().map_or(start + 1, |here| here.end);
            found.extend(here);
        }
        found
    }
}

/// Where each of so many characters begins, in bytes; the end of the last of them last.
fn places(text: &str, most: usize) -> Vec<usize> {
    let places = text.char_indices().map(|(place, _)| place).chain([text.len()]);
    places.take(most.saturating_add(1)).collect()
}

/// Whether no word goes on across this place. Scripts that set no blanks between words may have an edge after any character.
fn is_edge(text: &str, place: usize) -> bool {
    let within = |char: char| (char.is_alphanumeric() || char == '_') && !is_unspaced(char);
    let before = text[..place].chars().next_back().is_some_and(within);
    let behind = text[place..].chars().next().is_some_and(within);
    !(before && behind)
}

/// Of a script that is written without blanks: Thai, Lao, Myanmar, Khmer, Chinese characters, and the Japanese syllables.
fn is_unspaced(char: char) -> bool {
    matches!(char,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts in which `[string|class]` is marked.
    fn phrases(texts: &[&str]) -> Phrases {
        let marked = texts.iter().map(|text| {
            let (mut plain, mut marks) = (String::new(), Vec::new());
            for part in text.split('[') {
                let Some((phrase, (class, rest))) =
                    part.split_once('|').and_then(|(phrase, rest)| Some((phrase, rest.split_once(']')?)))
                else {
                    plain += part;
                    continue;
                };
                let start = plain.chars().count();
                plain += phrase;
                let end = plain.chars().count();
                marks
                    .push(serde_json::json!({ "class": class, "shape": "span", "start": start, "end": end }));
                plain += rest;
            }
            (plain, serde_json::Value::from(marks).to_string())
        });
        let marked: Vec<(String, String)> = marked.collect();
        Phrases::marked(marked.iter().map(|(text, marks)| (text.as_str(), marks.as_str())))
    }

    #[track_caller]
    fn check(known: &[&str], text: &str, expect: &[(&str, &str, usize)]) {
        let phrases = phrases(known);
        let slice = |found: &Found<'_>| -> String {
            text.chars().skip(found.start).take(found.end - found.start).collect()
        };
        let found = phrases.find(text);
        let found: Vec<(String, &str, usize)> =
            found.iter().map(|found| (slice(found), found.class, found.times)).collect();
        let expect: Vec<(String, &str, usize)> =
            expect.iter().map(|(phrase, class, times)| ((*phrase).to_owned(), *class, *times)).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn only_whole_words_are_found_word_for_word() {
        let known = ["I fly to [Rome|city] today", "the [New York|city] office", "[York|name] said"];
        check(&known, "Rome, Romeo and rome; in Rome.", &[("Rome", "city", 1), ("Rome", "city", 1)]);
        check(&known, "New York and York", &[("New York", "city", 1), ("York", "name", 1)]);
        check(&known, "YorkNew York_ xRome", &[]);
    }

    #[test]
    fn the_most_frequent_class_counts_and_of_equal_ones_the_first_by_name() {
        let known = ["[Apple|firm]", "an [Apple|fruit]", "[Apple|firm] sells", "[Mars|planet]", "[Mars|bar]"];
        check(&known, "Apple on Mars", &[("Apple", "firm", 2), ("Mars", "bar", 1)]);
    }

    #[test]
    fn characters_without_blanks_between_words_and_outside_of_the_first_plane_are_counted() {
        check(&["我在[北京|城市]工作"], "😀北京很大，北京。", &[("北京", "城市", 1), ("北京", "城市", 1)]);
        check(&["[iPhone|product]壳"], "买iPhone吗", &[("iPhone", "product", 1)]);
    }

    #[test]
    fn what_is_too_long_has_no_class_or_lies_outside_is_not_looked_for() {
        let long = "word ".repeat(30);
        let text = format!("{long}end");
        let outside = serde_json::json!([
            { "class": "x", "shape": "span", "start": 0, "end": 151 },
            { "class": "x", "shape": "span", "start": 150, "end": 900 },
            { "class": null, "shape": "span", "start": 0, "end": 4 },
            { "class": "x", "shape": "span", "start": 4, "end": 6 },
        ]);
        let phrases = Phrases::marked(std::iter::once((text.as_str(), outside.to_string().as_str())));
        assert_eq!(phrases.find(&text), []);
        assert_eq!(phrases.find(""), []);
        let far = format!("{} Rome", "a".repeat(MOST_LOOKED - 3));
        assert_eq!(self::phrases(&["[Rome|city]"]).find(&far), []);
        assert_eq!(self::phrases(&["[Rome|city]"]).find(&far[2..]).len(), 1);
    }
}
