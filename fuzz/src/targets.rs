//! What is fuzzed: one plain function over bytes for each parser. It returns nothing; it must not panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use base::containers::{Limits, ctranslate2, e5s1, npy, npz, sentencepiece, torch, usem3};
use base::tokenizer::Tokenizer;
use base::weights::Weights;
use bundle::Bundle;
use curate::book::Book;
use dataset::read::{ReadOptions, read};
use pipeline::{ArraysRequest, GivenArrays, Review, Run, audit_arrays};

/// One parser.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Its name, and the folder of its seeds.
    pub(crate) name: &'static str,
    /// Feeds one input.
    pub(crate) run: fn(&[u8]),
}

/// All parsers of files that come from strangers.
pub(crate) const TARGETS: &[Target] = &[
    Target { name: "pickle", run: |data| drop(torch::read(data, &small())) },
    Target { name: "ctranslate2", run: |data| drop(ctranslate2::read(data, "", &small())) },
    Target { name: "e5s1", run: |data| drop(e5s1::read(data)) },
    Target { name: "npy", run: |data| drop(npy::read(data, &small())) },
    Target { name: "npz", run: |data| drop(npz::read(data, &small())) },
    Target { name: "usem3", run: |data| drop(usem3::read(data, &small())) },
    Target { name: "sentencepiece", run: sentencepiece_model },
    Target { name: "hub-config", run: |data| drop(base::checkpoint::describe(data, Some(data))) },
    Target { name: "safetensors", run: |data| drop(Weights::from_safetensors(data)) },
    Target { name: "csv", run: |data| table(data, "csv") },
    Target { name: "jsonl", run: |data| table(data, "jsonl") },
    Target { name: "parquet", run: |data| table(data, "parquet") },
    Target { name: "image", run: |data| drop(base::prep::decode(data)) },
    Target { name: "sound", run: |data| drop(base::sound::decode_whole(data, 60)) },
    Target { name: "jpeg", run: |data| _ = curate::faults::jpeg_quality(data) },
    Target { name: "book", run: |data| drop(Book::parse("book.json", &String::from_utf8_lossy(data))) },
    Target { name: "findings", run: |data| drop(Review::open(&file(data, "json"))) },
    Target { name: "boxes", run: boxes },
    Target { name: "coco", run: |data| annotations(data, "json") },
    Target { name: "label-studio", run: |data| annotations(data, "json") },
    Target { name: "voc", run: |data| annotations(data, "xml") },
    Target { name: "marks", run: marks },
    Target { name: "bundle", run: |data| drop(Bundle::from_bytes(Path::new("input.djm"), data)) },
];

/// Limits that a seed stays far below, so that a forged size is refused long before it is felt.
fn small() -> Limits {
    Limits { objects: 100_000, tensors: 1_000, values: 1 << 20 }
}

/// A model that is read makes a tokenizer that must take any text, whatever its map of characters holds.
fn sentencepiece_model(data: &[u8]) {
    let Ok(model) = sentencepiece::read(data) else { return };
    if let Ok(tokenizer) = Tokenizer::from_bytes(&model.to_json(), 64) {
        drop(tokenizer.encode("a\tb\u{301} \u{fb01}\u{3000}龙 👍🏽"));
    }
}

/// A table is read from a file, as the program does.
fn table(data: &[u8], extension: &str) {
    drop(read(&file(data, extension), &ReadOptions::default()));
}

/// Annotations of every format that the input could be taken for.
fn annotations(data: &[u8], extension: &str) {
    let input = file(data, extension);
    let root = if extension == "json" { input.as_path() } else { input.parent().expect("it lies in a folder") };
    if let Ok(Some(format)) = exchange::recognise(root) {
        drop(exchange::read(root, format));
    }
    for format in [exchange::Format::Coco, exchange::Format::LabelStudio, exchange::Format::Voc] {
        drop(exchange::read(root, format));
    }
}

/// Marks as the studio sends them, and runs as COCO and Label Studio pack them.
fn marks(data: &[u8]) {
    if let Ok(marks) = serde_json::from_slice::<Vec<exchange::Mark>>(data)
        && marks.iter().all(|mark| mark.check(exchange::Kind::Image).is_ok())
    {
        drop(exchange::mask(&marks, (64, 48)));
    }
    drop(exchange::counts_from_text(data));
    drop(exchange::label_studio_brush::runs_from_bytes(data, 64, 48));
}

/// Boxes that were drawn, beside none that were found.
fn boxes(data: &[u8]) {
    let given = GivenArrays::Boxes { given: file(data, "json"), found: file(b"[]", "found.json") };
    let request = ArraysRequest { given, features: None, skip: Vec::new(), seed: 0 };
    drop(audit_arrays(&request, &Run::new(&|_| {}, &AtomicBool::new(false))));
}

/// The input in a file of its own.
fn file(data: &[u8], extension: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("dianjing-fuzz-{}", std::process::id()));
    let file = dir.join(format!("input.{extension}"));
    fs::create_dir_all(&dir).and_then(|()| fs::write(&file, data)).expect("the temporary folder can be written");
    file
}
