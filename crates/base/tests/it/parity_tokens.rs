//! The tokenizers of the bases in the cache equal independent ones on 1,000 mixed texts (`reference/tokens.py`).
//!
//! A base that is not in `DIANJING_CACHE` is fetched into it first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use base::cache::Cache;
use base::catalogue::Catalogue;
use base::pull::PullOptions;
use base::tokenizer::Tokenizer;
use serde::Deserialize;

use crate::made;

#[derive(Deserialize)]
struct Tokens {
    count: usize,
    alphabets: Vec<Alphabet>,
    tokenizers: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Alphabet {
    /// Code points, both ends included.
    Range([u32; 2]),
    Words(Vec<String>),
}

#[derive(Deserialize)]
struct Expected {
    /// How many texts have a digest.
    compared: usize,
    /// Of those texts together.
    ids: usize,
    /// One a text, with spaces between; `-` where the two are known to differ, as the script says.
    digests: String,
}

impl Alphabet {
    fn pick(&self, word: u64) -> String {
        match self {
            Self::Range([first, last]) => {
                let code = u64::from(*first) + word % u64::from(last - first + 1);
                char::from_u32(code as u32).unwrap().to_string()
            }
            Self::Words(words) => words[(word % words.len() as u64) as usize].clone(),
        }
    }
}

/// The same texts as in the script.
fn text(alphabets: &[Alphabet], index: usize) -> String {
    let words: Vec<u64> = made::bits(&format!("text{index}")).take(100).collect();
    let mut text = String::new();
    for part in words[1..].chunks_exact(8).take(1 + (words[0] % 12) as usize) {
        let alphabet = &alphabets[(part[0] % alphabets.len() as u64) as usize];
        let picks = part[2..].iter().take(1 + (part[1] % 6) as usize);
        text.extend(picks.map(|word| alphabet.pick(*word)));
        text.push_str(if part[1] >> 32 & 1 == 1 { " " } else { "" });
    }
    text
}

fn digest(ids: &[u32]) -> String {
    let words: Vec<String> = ids.iter().map(u32::to_string).collect();
    format!("{:08x}", made::fnv1a(words.join(" ").as_bytes()) >> 32)
}

fn tokenizer_of(base: &str) -> PathBuf {
    let home = env::var_os("DIANJING_CACHE").map(PathBuf::from);
    let home = home.unwrap_or_else(|| env::home_dir().unwrap().join(".cache/dianjing"));
    let catalogue = Catalogue::builtin();
    let entry = catalogue.entry(base).unwrap();
    let pulled = Cache::new(home.join("bases")).pull(entry, &PullOptions::default(), &mut |_| {});
    pulled.unwrap_or_else(|error| panic!("{error}; {:?}", error.hint())).join("tokenizer.json")
}

#[track_caller]
fn check(base: &str) {
    let path = tokenizer_of(base);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/tokens.json");
    let Tokens { count, alphabets, tokenizers } = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let expected = &tokenizers[base];
    let tokenizer = Tokenizer::from_file(&path, 4096).unwrap();
    let (mut compared, mut ids, mut wrong) = (0, 0, Vec::new());
    let digests: Vec<&str> = expected.digests.split(' ').collect();
    assert_eq!(digests.len(), count);
    for (index, expected) in digests.into_iter().enumerate().filter(|(_, digest)| *digest != "-") {
        let text = text(&alphabets, index);
        let got = tokenizer.encode(&text).unwrap();
        compared += 1;
        ids += got.len();
        if digest(&got) != expected {
            wrong.push((text, got));
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}, such as {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    assert_eq!((compared, ids), (expected.compared, expected.ids));
}

#[test]
fn minilm_equals_transformers_in_python() {
    check("minilm-l6-en");
}

#[test]
fn multilingual_e5_equals_the_packages_c_code() {
    check("multilingual-e5-small");
}

#[test]
fn use_multilingual_equals_the_packages_own() {
    check("use-multilingual");
}
