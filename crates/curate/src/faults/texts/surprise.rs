//! How surprising the letters of a text are to someone who knows the other texts.

use std::collections::HashMap;

use rayon::prelude::*;

/// Letters before a letter that it is predicted from, at most.
const CONTEXT: usize = 2;
/// How many times the shorter context is counted as if it had been seen in the longer.
const PRIOR: f64 = 4.0;
/// Characters that a letter could be when nothing is known.
const ALPHABET: f64 = 256.0;

type Gram = [char; CONTEXT + 1];

/// Mean surprise of each text, in bits a character, under counts of one to three characters of all texts but itself; `None` without
/// characters. Copies of a text hardly surprise: they know each other.
pub(super) fn surprise(texts: &[&str]) -> Vec<Option<f64>> {
    let grams: Vec<Vec<Gram>> = texts.par_iter().map(|text| grams(text)).collect();
    let mut counts = Counts::default();
    for gram in grams.iter().flatten() {
        counts.add(*gram);
    }
    let of = |own: &Vec<Gram>| {
        let mut of_itself = Counts::default();
        own.iter().for_each(|gram| of_itself.add(*gram));
        let bits: f64 = own.iter().map(|gram| -counts.probability(*gram, &of_itself).log2()).sum();
        (!own.is_empty()).then(|| bits / own.len() as f64)
    };
    grams.par_iter().map(of).collect()
}

/// Each character of a text after those before it, in small letters; spaces begin it, and digits are all the same.
fn grams(text: &str) -> Vec<Gram> {
    let mut gram = [' '; CONTEXT + 1];
    let lower = text.chars().flat_map(char::to_lowercase);
    let plain = lower.map(|character| match character {
        _ if character.is_whitespace() => ' ',
        _ if character.is_numeric() => '0',
        _ => character,
    });
    plain
        .map(|character| {
            gram.rotate_left(1);
            gram[CONTEXT] = character;
            gram
        })
        .collect()
}

/// How often each gram, and each context, was seen. Only looked up, so the order of the maps does not matter.
#[derive(Default)]
struct Counts {
    /// For each length: grams of that many characters, the front filled with spaces' stand-in.
    grams: HashMap<(usize, Gram), f64>,
    contexts: HashMap<(usize, Gram), f64>,
}

impl Counts {
    fn add(&mut self, gram: Gram) {
        for length in 0..=CONTEXT {
            *self.grams.entry((length, tail(gram, length))).or_default() += 1.0;
            *self.contexts.entry((length, context(gram, length))).or_default() += 1.0;
        }
    }

    /// The probability of the last character, once what the text itself adds is taken away.
    fn probability(&self, gram: Gram, of_itself: &Self) -> f64 {
        let mut probability = 1.0 / ALPHABET;
        for length in 0..=CONTEXT {
            let key = (length, tail(gram, length));
            let seen = self.grams[&key] - of_itself.grams[&key];
            let key = (length, context(gram, length));
            let all = self.contexts[&key] - of_itself.contexts[&key];
            probability = (seen + PRIOR * probability) / (all + PRIOR);
        }
        probability
    }
}

/// The last character and `length` before it.
fn tail(gram: Gram, length: usize) -> Gram {
    let mut tail = ['\0'; CONTEXT + 1];
    tail[CONTEXT - length..].copy_from_slice(&gram[CONTEXT - length..]);
    tail
}

/// The `length` characters before the last.
fn context(gram: Gram, length: usize) -> Gram {
    let mut context = tail(gram, length);
    context[CONTEXT] = '\0';
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_language_and_random_letters_surprise() {
        let mut texts = vec![
            "where is the card that I ordered from the bank last week",
            "how can I change the address to which the card is sent",
            "the transfer to the other bank has not arrived yet",
            "what are the fees when I use the card in another country",
            "why was the payment that I made this week declined",
        ];
        texts.extend(["wo bleibt denn meine Karte, ich warte schon lange", "xqzv kjwp qqzx vvkj zzqp wxkq"]);
        let bits: Vec<f64> = surprise(&texts).into_iter().flatten().collect();
        assert!(bits[..5].iter().all(|own| *own + 0.8 < bits[5] && bits[5] < bits[6]), "{bits:?}");
    }

    #[test]
    fn empty_and_single_texts_are_defined() {
        assert_eq!(surprise(&["", "a"]), [None, Some(8.0)]);
    }
}
