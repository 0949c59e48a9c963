//! Texts in another language or script than those of the set.
//!
//! The script is counted. A language within a script must be another one to a classifier of trigrams (`whatlang`), and the text must
//! surprise those who know the set ([`super::surprise`]). Short texts fool either alone; together the two leave little doubt.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::chinese::Variants;
use super::script::{Script, main_script};
use super::surprise::surprise;
use crate::faults::{Checked, Evidence, Fault, middle_and_spread};

/// Share of the texts from which on a script or a language is one of the set's.
const USUAL: f64 = 0.1;
/// A text is flagged when less than this doubt is left.
const DOUBT: f64 = 0.1;
/// Letters needed to judge a text, and Chinese or Japanese characters.
const FEWEST: (usize, usize) = (10, 4);
/// Robust standard deviations above the median from which a text is surprising.
const SURPRISING: f64 = 2.5;
/// Standard deviations of surprise that leave the e-th part of the doubt that the classifier has. On ten thousand English questions
/// with twenty short ones in eight other languages, 4 finds all of these and nothing else.
const CONVINCING: f64 = 4.0;
/// The least spread of surprise, in bits a character.
const LEAST_SPREAD: f64 = 0.1;
/// Characters of one variant from which a Chinese text is of it.
const VARIANT: usize = 2;
/// Fewer texts do not make a set with a language.
const FEWEST_TEXTS: usize = 10;

/// A script, and for Chinese its variant where that shows.
type Written = (Script, Option<Variant>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Variant {
    Simplified,
    Traditional,
}

/// What a text is written in, as far as it parts it from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// A script.
    Script(Script),
    /// Simplified Chinese.
    Simplified,
    /// Traditional Chinese.
    Traditional,
    /// A language, by its code of ISO 639-3.
    Language(&'static str),
}

impl From<Variant> for Tongue {
    fn from(variant: Variant) -> Self {
        match variant {
            Variant::Simplified => Self::Simplified,
            Variant::Traditional => Self::Traditional,
        }
    }
}

/// The doubt that a text is in a language of the set, and which two differ where there is little.
struct Doubt {
    left: f64,
    evidence: Option<Evidence>,
}

/// Flags texts surely in another script, variant of Chinese, or language than a tenth of the set or more. The score is the doubt
/// that is left, 1 for texts in a usual language; there is none for texts with hardly any letters.
pub(super) fn other_language(texts: &[&str]) -> Checked {
    let written: Vec<Option<(Written, f64)>> = texts.par_iter().map(|text| written(text)).collect();
    let judged = written.iter().flatten().count();
    let mut scores: Vec<Option<f64>> = written.iter().map(|written| written.map(|_| 1.0)).collect();
    if judged < FEWEST_TEXTS {
        return Checked::known_below(Fault::OtherLanguage, scores, DOUBT);
    }
    let mut told: BTreeMap<usize, Evidence> = BTreeMap::new();
    let scripts = usual(written.iter().flatten().map(|((script, _), _)| *script), judged);
    let variants = usual(written.iter().flatten().filter_map(|((_, variant), _)| *variant), judged);
    for (row, written) in written.iter().enumerate() {
        let Some(((script, variant), share)) = written else { continue };
        if !scripts.contains(script) {
            scores[row] = Some(1.0 - share);
            let usual = scripts.iter().copied().map(Tongue::Script).collect();
            told.insert(row, Evidence::Language { found: Tongue::Script(*script), usual });
        } else if let Some(variant) = variant
            && !variants.is_empty()
            && !variants.contains(variant)
        {
            scores[row] = Some(0.0);
            let usual = variants.iter().copied().map(Tongue::from).collect();
            told.insert(row, Evidence::Language { found: Tongue::from(*variant), usual });
        }
    }
    for script in scripts {
        let rows: Vec<usize> =
            (0..texts.len()).filter(|row| written[*row].is_some_and(|((own, _), _)| own == script)).collect();
        let of_script: Vec<&str> = rows.iter().map(|row| texts[*row]).collect();
        for (row, doubt) in rows.into_iter().zip(doubts(&of_script)) {
            if scores[row].is_some_and(|score| doubt.left < score) {
                scores[row] = Some(doubt.left);
                told.extend(doubt.evidence.map(|evidence| (row, evidence)));
            }
        }
    }
    let checked = Checked::known_below(Fault::OtherLanguage, scores, DOUBT);
    checked.because(|row| told[&row].clone())
}

fn written(text: &str) -> Option<(Written, f64)> {
    let (script, share, letters) = main_script(text)?;
    let dense = matches!(script, Script::Han | Script::Japanese);
    if letters < if dense { FEWEST.1 } else { FEWEST.0 } {
        return None;
    }
    let variant = match Variants::of(text) {
        _ if script != Script::Han => None,
        Variants { simplified: 0, traditional: VARIANT.. } => Some(Variant::Traditional),
        Variants { simplified: VARIANT.., traditional: 0 } => Some(Variant::Simplified),
        _ => None,
    };
    Some(((script, variant), share))
}

/// What at least a tenth of `all` have.
fn usual<T: Ord + Copy>(values: impl Iterator<Item = T>, all: usize) -> Vec<T> {
    let mut counts = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_insert(0_usize) += 1);
    counts
        .into_iter()
        .filter(|(_, count)| *count as f64 >= USUAL * all as f64)
        .map(|(value, _)| value)
        .collect()
}

/// The doubt that each of some texts in one script is in another language than the others.
fn doubts(texts: &[&str]) -> Vec<Doubt> {
    let found: Vec<Option<whatlang::Info>> = texts.par_iter().map(|text| whatlang::detect(text)).collect();
    let sure: Vec<&str> =
        found.iter().flatten().filter(|info| info.is_reliable()).map(|info| info.lang().code()).collect();
    let none = || Doubt { left: 1.0, evidence: None };
    if sure.len() < FEWEST_TEXTS {
        return texts.iter().map(|_| none()).collect();
    }
    let languages = usual(sure.iter().copied(), sure.len());
    let surprises = surprise(texts);
    let all: Vec<f64> = surprises.iter().flatten().copied().collect();
    let (middle, spread) = middle_and_spread(&all).unwrap_or_default();
    let z = |bits: f64| (bits - middle) / spread.max(LEAST_SPREAD);
    let doubt = |(info, bits): (&Option<whatlang::Info>, &Option<f64>)| match (info, bits) {
        (Some(info), Some(bits)) if !languages.contains(&info.lang().code()) && z(*bits) > SURPRISING => {
            let left = (1.0 - info.confidence()) * (-z(*bits) / CONVINCING).exp();
            let usual = languages.iter().copied().map(Tongue::Language).collect();
            let found = Tongue::Language(info.lang().code());
            Doubt { left, evidence: (left < DOUBT).then_some(Evidence::Language { found, usual }) }
        }
        _ => none(),
    };
    found.iter().zip(&surprises).map(doubt).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: [&str; 12] = [
        "I still have not received my new card, what should I do about it now?",
        "How long does a transfer from a bank in another country usually take?",
        "My payment was declined although there is enough money in the account.",
        "Please tell me where I can change the code of the card that I ordered.",
        "There is a fee on my statement that I do not recognise, what is it for?",
        "Can I use the card abroad, and will there be any additional charges?",
        "The machine kept my card and I need to have it back before the weekend.",
        "Why was I charged twice for the same thing when I only bought it once?",
        "What do I have to do to open a second account for my daughter, please?",
        "I would like to know which currencies are supported by your service.",
        "Someone seems to have used my card without my permission yesterday.",
        "How do I get the money that was sent to me by a friend last Thursday?",
    ];

    const CHINESE: [&str; 12] = [
        "请问我的银行卡什么时候可以寄到",
        "转账需要多长时间才能到账",
        "为什么我的付款被拒绝了",
        "怎样修改密码",
        "账单上有一笔我不认识的费用",
        "在国外可以使用这张卡吗",
        "机器吞了我的卡怎么办",
        "为什么重复扣款两次",
        "我想给女儿开第二个账户",
        "你们支持哪些货币",
        "有人盗用了我的银行卡",
        "朋友转给我的钱怎么还没到",
    ];

    #[track_caller]
    fn check(set: &[&str], others: &[&str], expected: &[usize]) {
        let mut texts = others.to_vec();
        texts.extend(set);
        assert_eq!(other_language(&texts).flagged, expected, "{:?}", other_language(&texts).scores);
    }

    #[test]
    fn another_script_is_found() {
        check(&ENGLISH, &["请问我的银行卡什么时候可以寄到"], &[0]);
        check(&ENGLISH, &["Когда придёт моя новая карта"], &[0]);
        check(&CHINESE, &["where is the card that I ordered last week?"], &[0]);
        check(&CHINESE, &["我的 iPhone 手机在哪里可以买到", "ok", "iPhone 7"], &[]);
    }

    #[test]
    fn another_language_in_the_same_script_is_found() {
        check(
            &ENGLISH,
            &["Wo bleibt denn eigentlich meine neue Karte, ich warte schon seit drei Wochen darauf?"],
            &[0],
        );
        check(
            &ENGLISH,
            &["¿Cuánto tiempo tarda en llegar una transferencia desde otro país a mi cuenta bancaria?"],
            &[0],
        );
        check(
            &ENGLISH,
            &["Is my card still on the way to me, or has it been lost in the post?", "hello there"],
            &[],
        );
    }

    #[test]
    fn traditional_among_simplified_is_found() {
        check(&CHINESE, &["請問轉帳需要多長時間"], &[0]);
    }

    #[test]
    fn it_says_which_language_was_found_and_which_are_usual() {
        let told = |set: &[&str], other: &str| {
            let texts = [&[other], set].concat();
            other_language(&texts).evidence[&0].clone()
        };
        let language = |found, usual| Evidence::Language { found, usual: vec![usual] };
        assert_eq!(
            told(&ENGLISH, "Когда придёт моя новая карта"),
            language(Tongue::Script(Script::Cyrillic), Tongue::Script(Script::Latin))
        );
        let german = "Wo bleibt denn eigentlich meine neue Karte, ich warte schon seit drei Wochen darauf?";
        assert_eq!(told(&ENGLISH, german), language(Tongue::Language("deu"), Tongue::Language("eng")));
        assert_eq!(told(&CHINESE, "請問轉帳需要多長時間"), language(Tongue::Traditional, Tongue::Simplified));
    }

    #[test]
    fn a_set_in_two_languages_has_both() {
        let mut both = ENGLISH.to_vec();
        both.extend(CHINESE);
        check(&both, &[], &[]);
        check(&ENGLISH[..5], &["请问我的银行卡什么时候可以寄到"], &[]);
        assert!(other_language(&[]).scores.is_empty());
    }
}
