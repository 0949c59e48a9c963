//! What is wrong with texts, each by itself and beside the others (methods 4.9).
//!
//! A Chinese, Japanese or Korean character counts as a letter and as a word. Rules about words hold for scripts that put spaces
//! between them.

mod characters;
mod chinese;
mod language;
mod lines;
mod markup;
mod personal;
mod script;
mod short;
mod surprise;
mod template;
mod truncated;
mod words;

pub use language::Tongue;
pub use personal::{PersonalData, PersonalKind, personal_data};
pub use script::Script;
pub use short::short_texts;

use rayon::prelude::*;

use super::{Checked, Evidence, Fault};

/// Every check of texts, in the order of [`Fault::ALL`].
pub fn texts(texts: &[&str]) -> Vec<Checked> {
    vec![
        personal(texts),
        short_texts(texts),
        characters::broken(texts),
        characters::mojibake(texts),
        language::other_language(texts),
        truncated::truncated(texts),
        markup::markup(texts),
        template::template(texts),
        lines::repeated_lines(texts),
        chinese::mixed(texts),
        words::odd_word_length(texts),
        words::few_letters(texts),
        words::many_symbols(texts),
    ]
}

/// Flags texts with personal data. The score is one over one more than the findings.
fn personal(texts: &[&str]) -> Checked {
    let found: Vec<Vec<PersonalData>> = texts.par_iter().map(|text| personal_data(text)).collect();
    let scores = found.iter().map(|places| Some(1.0 / (1.0 + places.len() as f64))).collect();
    Checked::known_below(Fault::PersonalData, scores, 1.0)
        .because(|row| Evidence::Personal(found[row].clone()))
}

/// `1 / (1 + value / limit)`: one half at the limit.
fn over(values: &[Option<f64>], limit: f64) -> Vec<Option<f64>> {
    values.iter().map(|value| value.map(|value| 1.0 / (1.0 + value / limit))).collect()
}

/// Each value beside the limit.
fn beside(values: &[Option<f64>], limit: f64) -> impl Fn(usize) -> Evidence {
    move |row| Evidence::Limit { value: values[row].unwrap_or_default(), limit }
}

/// Each value as a count.
fn counted(values: &[Option<f64>]) -> impl Fn(usize) -> Evidence {
    |row| Evidence::Count(values[row].unwrap_or_default() as usize)
}

/// One value for each text.
fn measure(texts: &[&str], of: impl Fn(&&str) -> Option<f64> + Send + Sync) -> Vec<Option<f64>> {
    texts.par_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_texts_have_no_fault_and_the_order_is_that_of_harm() {
        let plain = [
            "I still have not received my new card, what should I do about it?",
            "How long does a transfer from a bank in another country take?",
            "My payment was declined although there is money in the account.",
            "Please tell me where I can change the code of my card.",
        ];
        for checked in texts(&plain) {
            assert!(checked.flagged.is_empty(), "{:?}", checked.fault);
            assert!(
                checked.scores.iter().flatten().all(|score| (0.0..=1.0).contains(score)),
                "{:?}",
                checked.fault
            );
        }
        let faults: Vec<Fault> = texts(&[]).into_iter().map(|checked| checked.fault).collect();
        assert!(faults.is_sorted() && faults.len() == 13);
    }
}
