//! Files whose names belong together, on both sides of the line between teaching and judging: frames of one video, pictures of one part,
//! a picture and its mirror image.

use std::collections::HashMap;

use dataset::Part;

use super::{Checked, Evidence, Fault};

/// How often chance may tell as well who is alike.
const CHANCE: f64 = 1e-4;
/// How many times as often as by chance rows of one name must be each other's nearest.
const OFTENER: f64 = 2.0;
/// A larger share of a class is no series but a kind of its own.
const SMALL: f64 = 0.1;
/// What is written behind a name when a file is made from another.
const MADE_FROM: [&str; 14] = [
    "copy", "flip", "flipped", "hflip", "vflip", "mirror", "rot", "rotated", "aug", "crop", "resized",
    "small", "副本", "复件",
];

/// Flags rows of the test part whose name belongs together with that of a row outside and of their `nearest`, `[n]`, where names tell what is
/// alike.
///
/// Names belong together when they differ in what is written behind a name when a file is made from another, or in their last number, and are
/// a small part of their class. A counter that runs through all files does the same, so rows of one name must be each other's nearest (copies
/// left out) twice as often as others of their class, and so often that chance does it once in ten thousand sets. `names`, `labels` and
/// `parts` are `[n]`; the score is 0 where flagged, else 1.
///
/// # Panics
/// When the lists differ in length.
pub fn name_leaks(
    names: &[&str],
    labels: &[Option<u32>],
    parts: &[Option<Part>],
    nearest: &[Option<usize>],
) -> Checked {
    let n = names.len();
    assert!(
        [labels.len(), parts.len(), nearest.len()] == [n; 3],
        "every row has a name, a label, a part and a neighbour"
    );
    let is_test = |row: &usize| parts[*row] == Some(Part::Test);
    // Of each row that leaks, the first row outside of that name and their number.
    let mut leaks: Vec<Option<(usize, usize)>> = vec![None; n];
    for key in [made_from as fn(&str) -> String, numbered] {
        let keys: Vec<String> = names.iter().map(|name| key(name)).collect();
        if !tell_what_is_alike(&keys, labels, nearest) {
            continue;
        }
        let mut outside: HashMap<&str, (usize, usize)> = HashMap::new();
        (0..n)
            .filter(|row| !is_test(row))
            .for_each(|row| outside.entry(&keys[row]).or_insert((row, 0)).1 += 1);
        let is_near = |row: &usize| nearest[*row].is_some_and(|other| keys[other] == keys[*row]);
        let of_test = (0..n).filter(is_test).filter(is_near);
        of_test.for_each(|row| leaks[row] = leaks[row].or(outside.get(keys[row].as_str()).copied()));
    }
    let scores = leaks.iter().map(|leak| if leak.is_some() { 0.0 } else { 1.0 }).collect();
    Checked::below(Fault::NameLeak, scores, 0.5).because(|row| {
        let (first, outside) = leaks[row].unwrap_or_default();
        Evidence::Names { first, outside }
    })
}

/// Whether rows of one small key are each other's nearest more often than rows of one class are by chance.
fn tell_what_is_alike(keys: &[String], labels: &[Option<u32>], nearest: &[Option<usize>]) -> bool {
    let mut of_class: HashMap<Option<u32>, f64> = HashMap::new();
    let mut of_both: HashMap<(&str, Option<u32>), f64> = HashMap::new();
    for (key, label) in keys.iter().zip(labels) {
        *of_class.entry(*label).or_default() += 1.0;
        *of_both.entry((key, *label)).or_default() += 1.0;
    }
    let (mut hits, mut expected) = (0_usize, 0.0);
    for (row, key) in keys.iter().enumerate() {
        let (both, class) = (of_both[&(key.as_str(), labels[row])], of_class[&labels[row]]);
        let Some(other) = nearest[row].filter(|_| both > 1.0 && both <= SMALL * class) else { continue };
        expected += (both - 1.0) / (class - 1.0);
        hits += usize::from(keys[other] == *key && labels[other] == labels[row]);
    }
    hits as f64 >= OFTENER * expected && at_least(hits, expected) <= CHANCE
}

/// The probability of `hits` or more where `expected` are expected (Poisson): no less than that of rows that hit independently.
fn at_least(hits: usize, expected: f64) -> f64 {
    let mut term = (-expected).exp();
    let mut below = 0.0;
    for count in 0..hits {
        below += term;
        term *= expected / (count + 1) as f64;
    }
    (1.0 - below).max(0.0)
}

/// The name without what is written behind it when a file is made from another, in small letters: `a7_flip`, `a7 (2)`, `a7-copy` and
/// `a7_jpg.rf.0f3c` are `a7`.
fn made_from(name: &str) -> String {
    let lower = name.to_lowercase();
    let before = lower.find(".rf.").map_or(lower.as_str(), |end| &lower[..end]);
    let mut rest = before.trim_end_matches("_jpg").trim_end_matches("_png");
    loop {
        let numberless = rest.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let word = MADE_FROM.iter().find_map(|word| numberless.strip_suffix(word)).and_then(separated);
        let Some(shorter) = word.or_else(|| counted(rest)) else { return rest.to_owned() };
        rest = shorter;
    }
}

/// What stands before the signs between words, which there must be, and before them something.
fn separated(before: &str) -> Option<&str> {
    let shorter = before.trim_end_matches(|letter: char| !letter.is_alphanumeric());
    (shorter.len() < before.len() && !shorter.is_empty()).then_some(shorter)
}

/// What stands before a count in brackets.
fn counted(name: &str) -> Option<&str> {
    let digits = name.strip_suffix(')')?.trim_end_matches(|letter: char| letter.is_ascii_digit());
    separated(digits.strip_suffix('(')?)
}

/// The same without its last number and what follows: `p7_frame_012` is `p7_frame`. A name without a number is itself.
fn numbered(name: &str) -> String {
    let whole = made_from(name);
    let Some(end) = whole.rfind(|letter: char| letter.is_ascii_digit()) else { return whole };
    let before = whole[..=end].trim_end_matches(|letter: char| letter.is_ascii_digit());
    before.trim_end_matches(|letter: char| !letter.is_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 60 rows of 2 classes in 20 series of three; every third row is of the test part; a row's nearest is the next of its series.
    fn found(name: impl Fn(usize) -> String, nearest: impl Fn(usize) -> usize) -> usize {
        let names: Vec<String> = (0..60).map(name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let labels: Vec<Option<u32>> = (0..60).map(|row| Some(row as u32 / 30)).collect();
        let parts: Vec<Option<Part>> =
            (0..60).map(|row| Some(if row % 3 == 2 { Part::Test } else { Part::Train })).collect();
        let nearest: Vec<Option<usize>> = (0..60).map(|row| Some(nearest(row))).collect();
        name_leaks(&names, &labels, &parts, &nearest).flagged.len()
    }

    fn in_series(row: usize) -> usize {
        row / 3 * 3 + (row + 1) % 3
    }

    fn anywhere(row: usize) -> usize {
        row / 30 * 30 + (row * 7 + 11) % 30
    }

    #[test]
    fn series_that_are_alike_leak() {
        assert_eq!(found(|row| format!("p{}_frame_{:03}", row / 3, row), in_series), 20);
        assert_eq!(found(|row| format!("IMG_{}{}", row / 3, ["", "_flip", " (1)"][row % 3]), in_series), 20);
    }

    #[test]
    fn a_kind_within_a_class_is_no_series() {
        let kind = |row: usize| format!("{}_{row:03}", ["cat", "dog", "owl"][row % 3]);
        assert_eq!(found(kind, |row| row / 30 * 30 + (row + 3) % 30), 0);
        assert!((at_least(2, 0.05) - 0.001_209).abs() < 1e-6 && at_least(0, 3.0) == 1.0);
    }

    #[test]
    fn names_that_tell_nothing_do_not() {
        assert_eq!(found(|row| format!("p{}_frame_{:03}", row / 3, row), anywhere), 0);
        assert_eq!(found(|row| format!("IMG_{row:04}"), in_series), 0);
        assert_eq!(found(|row| format!("{}_{row}", ["cat", "dog"][row / 30]), in_series), 0);
    }

    #[test]
    fn names_are_brought_to_what_they_were_made_from() {
        for name in
            ["A7", "a7_flip", "a7 (2)", "a7-copy", "a7_aug3", "a7_jpg.rf.0f3c", "a7_flip_rot90", "a7 副本"]
        {
            assert_eq!(made_from(name), "a7", "{name}");
        }
        assert_eq!(["copy", "flip3", "(2)"].map(made_from), ["copy", "flip3", "(2)"]);
        assert_eq!(
            ["p7_frame_012", "p7_frame_012_flip", "cat", "12"].map(numbered),
            ["p7_frame", "p7_frame", "cat", ""]
        );
    }
}
