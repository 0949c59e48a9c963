//! Whatever bytes a table holds, reading ends with a data set or an error, never with a panic.

use std::path::Path;

use dataset::{ReadOptions, TaskKind};
use proptest::prelude::*;

/// Pieces that readers look at, in unlucky orders.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static [u8]> = vec![
        b"text,label\n",
        b"\"",
        b"\"\"",
        b"\\\"",
        b",",
        b";",
        b"\t",
        b"\n",
        b"\r\n",
        b"\r",
        b"sep=;\n",
        b"\xEF\xBB\xBF",
        b"\xFF\xFE",
        b"\0",
        b"\xFF",
        b"\xE4\xBD\xA0",
        b"\xC4\xE3",
        b"[",
        b"]",
        b"{",
        b"}",
        b"{\"text\": \"a b c\", ",
        b"\"label\": \"x\"}",
        b"\"label\": [\"x\", 1]}",
        b"1",
        b"-1.5e308",
        b"99999999999999999999",
        b"hello there",
        b"a;b",
        b"annotator",
        b"id",
        b"image,class\n",
        b"train",
        b"1.png",
        b"../x.png",
        b"PAR1",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn read_everywhere(dir: &Path, bytes: &[u8]) {
    let forced =
        ReadOptions { task: Some(TaskKind::MultiLabel), separator: Some(';'), ..ReadOptions::default() };
    for name in ["t.csv", "t.tsv", "t.jsonl", "t.json", "t.parquet"] {
        let path = dir.join(name);
        std::fs::write(&path, bytes).unwrap();
        for options in [ReadOptions::default(), forced.clone()] {
            if let Ok((dataset, problems)) = dataset::read(&path, &options) {
                dataset.fingerprint();
                problems.iter().for_each(|problem| assert!(!problem.to_string().is_empty()));
                let mut ids: Vec<_> = dataset.examples.iter().map(|example| &example.id).collect();
                ids.sort();
                ids.dedup();
                assert_eq!(ids.len(), dataset.examples.len());
            }
        }
        let _ = dataset::read_unlabelled(&[path], &ReadOptions::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in pieces()) {
        let dir = tempfile::tempdir().unwrap();
        read_everywhere(dir.path(), &bytes);
        let with_header = [b"id,text,annotator,label\n", &bytes[..]].concat();
        read_everywhere(dir.path(), &with_header);
    }
}
