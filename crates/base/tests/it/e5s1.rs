//! The E5S1 container, on a tiny one made here: layout, names, tokenizer, damage.

use base::containers::e5s1::{self, E5Model};
use proptest::prelude::*;
use tokenizers::Tokenizer;

const PIECES: [(&str, f32); 9] = [
    ("<s>", 0.0),
    ("<pad>", 0.0),
    ("</s>", 0.0),
    ("<unk>", 0.0),
    ("▁", -3.0),
    ("▁ab", -1.0),
    ("a", -4.0),
    ("b", -4.5),
    ("fi", -5.0),
];
/// Sorted by code point.
const REPLACEMENTS: [(char, &str); 5] =
    [('\u{1}', ""), ('\t', " "), ('\u{200b}', " "), ('\u{3000}', " "), ('\u{fb01}', "fi")];

/// Two values wide would be enough, but a block has 32.
const DIM: usize = 32;
const INNER: usize = 64;

/// Writes a container of one layer whose tensors all hold `index / 8` of their place in the directory.
fn container() -> Vec<u8> {
    let mut file = b"E5S1".to_vec();
    file.extend(1_u32.to_le_bytes());
    for size in [DIM, 1, 2, INNER, PIECES.len(), 4, 2] {
        file.extend((size as i32).to_le_bytes());
    }
    file.extend(1e-12_f32.to_le_bytes());
    file.extend(32_i32.to_le_bytes());
    vocabulary(&mut file);
    let names = names();
    let directory: usize = names.iter().map(|(name, ..)| 2 + name.len() + 1 + 4 + 8 + 8).sum();
    let mut data = Vec::new();
    let start = file.len() + 4 + directory;
    file.extend((names.len() as i32).to_le_bytes());
    for (index, (name, quantised, count)) in names.iter().enumerate() {
        file.extend((name.len() as u16).to_le_bytes());
        file.extend(name.bytes());
        file.push(u8::from(*quantised));
        file.extend((*count as u32).to_le_bytes());
        file.extend(((start + data.len()) as u64).to_le_bytes());
        file.extend(0_u64.to_le_bytes());
        let value = index as f32 / 8.0;
        if *quantised {
            for _ in 0..count / 32 {
                data.extend(half::f16::from_f32(value).to_le_bytes());
                data.extend([0x99; 16]);
            }
        } else {
            data.extend(value.to_le_bytes().repeat(*count));
        }
    }
    file.extend(data);
    file
}

fn vocabulary(file: &mut Vec<u8>) {
    for number in [PIECES.len() as i32, 0, 2, 1, 3] {
        file.extend(number.to_le_bytes());
    }
    let text: String = PIECES.iter().map(|(piece, _)| *piece).collect();
    file.extend((text.len() as u64).to_le_bytes());
    let mut at = 0_u32;
    file.extend(at.to_le_bytes());
    for (piece, _) in PIECES {
        at += piece.len() as u32;
        file.extend(at.to_le_bytes());
    }
    file.extend(PIECES.iter().flat_map(|(_, score)| score.to_le_bytes()));
    file.extend(text.bytes());
    let mut map = Vec::new();
    for (from, to) in REPLACEMENTS {
        map.extend((from as u32).to_le_bytes());
        map.push(to.chars().count() as u8);
        map.extend(to.chars().flat_map(|char| (char as u32).to_le_bytes()));
    }
    file.extend((REPLACEMENTS.len() as i32).to_le_bytes());
    file.extend((map.len() as u32).to_le_bytes());
    file.extend(map);
}

fn names() -> Vec<(String, bool, usize)> {
    let mut names = vec![
        ("emb.word".to_owned(), true, PIECES.len() * DIM),
        ("emb.pos".to_owned(), false, 4 * DIM),
        ("emb.type".to_owned(), false, 2 * DIM),
        ("emb.ln.w".to_owned(), false, DIM),
        ("emb.ln.b".to_owned(), false, DIM),
    ];
    for (name, weight, bias, quantised) in [
        ("q", DIM * DIM, DIM, true),
        ("k", DIM * DIM, DIM, true),
        ("v", DIM * DIM, DIM, true),
        ("ao", DIM * DIM, DIM, true),
        ("aln", DIM, DIM, false),
        ("fi", INNER * DIM, INNER, true),
        ("fo", DIM * INNER, DIM, true),
        ("oln", DIM, DIM, false),
    ] {
        names.push((format!("l0.{name}.w"), quantised, weight));
        names.push((format!("l0.{name}.b"), false, bias));
    }
    names
}

fn model() -> E5Model {
    e5s1::read(&container()).unwrap()
}

#[track_caller]
fn check(text: &str, expect: &[u32]) {
    let tokenizer = Tokenizer::from_bytes(model().tokenizer.to_json()).unwrap();
    let got = tokenizer.encode(text, true).unwrap();
    assert_eq!(got.get_ids(), expect, "{text:?} gives {:?}", got.get_tokens());
}

#[test]
fn tensors_have_the_names_shapes_and_values_of_bert() {
    let weights = model().weights;
    let shape = |name: &str| weights.get(name).unwrap().shape.clone();
    assert_eq!(weights.len(), 5 + 16);
    assert_eq!(shape("embeddings.word_embeddings.weight"), [PIECES.len(), DIM]);
    assert_eq!(shape("encoder.layer.0.intermediate.dense.weight"), [INNER, DIM]);
    assert_eq!(shape("encoder.layer.0.output.dense.weight"), [DIM, INNER]);
    // Nibble 9 is one: the value is the scale.
    assert_eq!(weights.get("encoder.layer.0.attention.self.query.weight").unwrap().data[0], 5.0 / 8.0);
    assert_eq!(weights.get("encoder.layer.0.attention.self.query.bias").unwrap().data[0], 6.0 / 8.0);
}

#[test]
fn texts_are_wrapped_and_split_by_score() {
    check("ab", &[0, 5, 2]);
    check("ab ab", &[0, 5, 5, 2]);
    check("ba", &[0, 4, 7, 6, 2]);
    check("", &[0, 2]);
}

#[test]
fn the_map_of_characters_is_applied_before_spaces_are_joined() {
    check("ab\t\u{3000}\u{200b} ab", &[0, 5, 5, 2]);
    check("a\u{1}b", &[0, 5, 2]);
    check("\u{fb01}", &[0, 4, 8, 2]);
}

#[test]
fn a_run_of_unknown_characters_is_one_unknown() {
    check("ab 龙龙", &[0, 5, 4, 3, 2]);
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    assert_eq!(model().tokenizer.to_json(), model().tokenizer.to_json());
    assert_eq!(model().weights.to_safetensors().unwrap(), model().weights.to_safetensors().unwrap());
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let whole = container();
    for end in 0..whole.len() {
        assert!(e5s1::read(&whole[..end]).is_err(), "cut at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((0_usize..1200, any::<u8>()), 1..4)) {
        let mut changed = container();
        for (at, byte) in changes {
            changed[at] = byte;
        }
        if let Ok(model) = e5s1::read(&changed) {
            let _ = model.tokenizer.to_json();
        }
    }
}
