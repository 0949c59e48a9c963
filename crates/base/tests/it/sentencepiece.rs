//! Sentencepiece models, on small ones made here: what is read, what is refused, and the rules of the tokenizer.
//!
//! The real model is compared with its package's tokenizer in `parity_tokens.rs`.

use base::containers::e5s1::tokenizer::Unigram;
use base::containers::sentencepiece::{SentencePiece, read};
use base::tokenizer::{Tokenizer, TokenizerError};
use proptest::prelude::*;

const PIECES: [(&str, f32); 9] = [
    ("<unk>", 0.0),
    ("<s>", 0.0),
    ("</s>", 0.0),
    ("▁", -3.0),
    ("▁ab", -1.0),
    ("a", -4.0),
    ("b", -4.5),
    ("fi", -5.0),
    ("ab", -8.5),
];
/// A trie of one unit, which no character passes, and no texts.
const NO_RULES: [u8; 8] = [4, 0, 0, 0, 0, 0, 0, 0];

/// A field that holds bytes; all are shorter than 128.
fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    [&[field << 3 | 2, content.len() as u8], content].concat()
}

fn number(field: u32, value: u8) -> Vec<u8> {
    let tag = field << 3;
    if tag < 128 { vec![tag as u8, value] } else { vec![(tag & 127) as u8 | 128, (tag >> 7) as u8, value] }
}

fn piece(text: &str, score: f32) -> Vec<u8> {
    bytes(
        1,
        &[bytes(1, text.as_bytes()), [&[2 << 3 | 5][..], &score.to_le_bytes()].concat(), number(3, 1)]
            .concat(),
    )
}

/// A model whose trainer and normaliser have these fields besides the usual ones.
fn model_with(trainer: &[u8], normaliser: &[u8]) -> Vec<u8> {
    let pieces = PIECES.iter().flat_map(|(text, score)| piece(text, *score));
    let normaliser = [&bytes(1, b"nmt_nfkc"), &bytes(2, &NO_RULES), normaliser].concat();
    pieces.chain(bytes(2, &[&number(3, 1), trainer].concat())).chain(bytes(3, &normaliser)).collect()
}

fn model() -> Vec<u8> {
    model_with(&[], &[])
}

#[track_caller]
fn refused(file: &[u8], words: &str) {
    let error = read(file).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}

/// The same vocabulary behind a few rules for characters.
fn tokenizer(max_tokens: usize) -> Result<Tokenizer, TokenizerError> {
    let rules = [('\u{1}', ""), ('\t', " "), ('▁', " "), ('\u{3000}', " "), ('ﬁ', "fi"), ('ﷺ', "a b")];
    let unigram = Unigram {
        pieces: PIECES.iter().map(|(text, score)| ((*text).to_owned(), *score)).collect(),
        unk: 0,
        bos: 1,
        eos: 2,
        replacements: rules.map(|(from, to)| (from, to.to_owned())).to_vec(),
    };
    let mut sorted = unigram;
    sorted.replacements.sort();
    let mut json: serde_json::Value = serde_json::from_slice(&sorted.to_json()).unwrap();
    json["normalizer"]["normalizers"][0]["sentencepiece"] = serde_json::json!({"bos": 1, "eos": 2});
    Tokenizer::from_bytes(&serde_json::to_vec(&json).unwrap(), max_tokens)
}

#[track_caller]
fn check(text: &str, expect: &[u32]) {
    assert_eq!(tokenizer(100).unwrap().encode(text).unwrap(), expect, "{text:?}");
}

#[test]
fn a_model_gives_its_pieces_and_a_tokenizer() {
    let SentencePiece { pieces, unk, bos, eos, charsmap } = read(&model()).unwrap();
    assert_eq!(pieces.iter().map(|(text, score)| (text.as_str(), *score)).collect::<Vec<_>>(), PIECES);
    assert_eq!((unk, bos, eos, &charsmap[..]), (0, 1, 2, &NO_RULES[..]));
    let tokenizer = Tokenizer::from_bytes(&read(&model()).unwrap().to_json(), 100).unwrap();
    assert_eq!(tokenizer.encode("ab  ba ").unwrap(), [1, 4, 3, 6, 5, 2]);
    assert_eq!(tokenizer.vocabulary_size(), PIECES.len());
}

#[test]
fn special_ids_come_from_the_trainer() {
    let moved = read(&model_with(&[number(40, 5), number(41, 6), number(42, 7)].concat(), &[])).unwrap();
    assert_eq!((moved.unk, moved.bos, moved.eos), (5, 6, 7));
    refused(&model_with(&number(40, 9), &[]), "special piece 9 of 9");
}

#[test]
fn what_would_be_tokenized_otherwise_is_refused() {
    refused(&model_with(&number(3, 2), &[]), "not a unigram model");
    refused(&model_with(&number(35, 1), &[]), "become bytes");
    refused(&model_with(&number(24, 1), &[]), "spaces");
    for field in 3..=5 {
        refused(&model_with(&[], &number(field, 0)), "spaces");
    }
    refused(&[model(), piece("ab", 0.0)].concat(), "same text");
    refused(&[model(), piece("c", f32::NAN)].concat(), "no finite score");
    refused(&model_with(&[], &bytes(2, &[8, 0, 0, 0, 0])), "damaged");
    refused(b"GGUF", "sentencepiece model");
}

#[test]
fn spaces_start_a_text_and_never_repeat() {
    check("ab", &[1, 4, 2]);
    check(" \t ab\u{3000}\u{1}▁ab \u{1} ", &[1, 4, 4, 2]);
    check("aﷺb", &[1, 3, 5, 5, 3, 6, 6, 2]);
    check("\nab", &[1, 3, 0, 8, 2]);
}

#[test]
fn every_unknown_character_is_one_unknown_and_so_is_nothing() {
    check("ab 龙龙", &[1, 4, 3, 0, 0, 2]);
    check("ﬁ", &[1, 3, 7, 2]);
    for nothing in ["", "   ", "\u{1}", "\t▁"] {
        check(nothing, &[1, 0, 2]);
    }
}

#[test]
fn of_equal_scores_the_longer_last_piece_wins() {
    // `ab` at -8.5 is as good as `a` and `b`.
    check("bab", &[1, 3, 6, 8, 2]);
}

#[test]
fn a_long_text_loses_its_end_and_keeps_its_special_tokens() {
    assert_eq!(tokenizer(4).unwrap().encode("ab ab ab").unwrap(), [1, 4, 4, 2]);
    assert!(matches!(tokenizer(2), Err(TokenizerError::TooShort { max_tokens: 2, special: 2 })));
}

#[test]
fn a_file_cut_anywhere_never_panics() {
    let whole = model();
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "cut at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut changed = model();
        for (at, byte) in changes {
            let at = at.index(changed.len());
            changed[at] = byte;
        }
        if let Ok(model) = read(&changed)
            && let Ok(tokenizer) = Tokenizer::from_bytes(&model.to_json(), 100)
        {
            let _ = tokenizer.encode("ab ba\u{301} 龙");
        }
    }
}
