//! Parquet files, written here.

use std::sync::Arc;

use dataset::{Part, ReadError};
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::{Place, labels};

/// A column's values, with definition and repetition levels where it can be empty or repeated.
enum Column {
    Texts(Vec<&'static [u8]>, Option<(Vec<i16>, Vec<i16>)>),
    Integers(Vec<i64>),
    Flags(Vec<bool>),
}

fn texts(values: &[&'static str]) -> Column {
    Column::Texts(values.iter().map(|text| text.as_bytes()).collect(), None)
}

#[track_caller]
fn parquet(schema: &str, columns: &[Column], metadata: Option<&str>) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message m {{ {schema} }}")).unwrap());
    let metadata = metadata.map(|value| vec![KeyValue::new("huggingface".to_owned(), value.to_owned())]);
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_key_value_metadata(metadata);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for column in columns {
        let mut out = group.next_column().unwrap().unwrap();
        match column {
            Column::Texts(values, levels) => {
                let values: Vec<ByteArray> = values.iter().map(|bytes| bytes.to_vec().into()).collect();
                let (definition, repetition) = levels
                    .as_ref()
                    .map(|(definition, repetition)| (&definition[..], &repetition[..]))
                    .unzip();
                out.typed::<ByteArrayType>().write_batch(&values, definition, repetition).unwrap();
            }
            Column::Integers(values) => {
                out.typed::<Int64Type>().write_batch(values, None, None).unwrap();
            }
            Column::Flags(values) => {
                out.typed::<BoolType>().write_batch(values, None, None).unwrap();
            }
        }
        out.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

const TEXT_AND_LABEL: &str = "required binary text (utf8); required int64 label;";

fn small(labels: [i64; 3], metadata: Option<&str>) -> Vec<u8> {
    let texts = texts(&["first text", "second text", "third text"]);
    parquet(TEXT_AND_LABEL, &[texts, Column::Integers(labels.to_vec())], metadata)
}

#[test]
fn texts_numbers_and_flags_are_read() {
    let place = Place::new();
    let schema = "required int64 id; required binary text; required boolean label;";
    let columns = [
        Column::Integers(vec![9_007_199_254_740_993, 2]),
        texts(&["not marked as text", "你好"]),
        Column::Flags(vec![true, false]),
    ];
    place.write("t.parquet", parquet(schema, &columns, None));
    assert_eq!(labels(&place.read("t.parquet").0), ["9007199254740993: true", "2: false"]);
}

#[test]
fn lists_are_sets_of_labels() {
    let place = Place::new();
    let schema = "required binary text (utf8); \
                  optional group labels (list) { repeated group list { optional binary element (utf8); } }";
    // ["x", "y"], [], ["y"]
    let levels = (vec![3, 3, 1, 3], vec![0, 1, 0, 0]);
    let columns = [
        texts(&["first text", "second text", "third text"]),
        Column::Texts(vec![b"x", b"y", b"y"], Some(levels)),
    ];
    place.write("t.parquet", parquet(schema, &columns, None));
    let (dataset, _) = place.read("t.parquet");
    assert_eq!(dataset.decision.task, "multi-label");
    assert_eq!(labels(&dataset), ["t.parquet:1: x+y", "t.parquet:2: ", "t.parquet:3: y"]);
}

#[test]
fn class_numbers_get_the_names_that_the_file_has() {
    let place = Place::new();
    let features = r#"{"info": {"features": {"label": {"names": ["bad", "good"], "_type": "ClassLabel"}}}}"#;
    place.write("t.parquet", small([1, 0, -1], Some(features)));
    assert_eq!(
        labels(&place.read("t.parquet").0),
        ["t.parquet:1: good", "t.parquet:2: bad", "t.parquet:3: -"]
    );
    place.write("u.parquet", small([1, 0, 1], Some("{oops")));
    assert_eq!(place.read("u.parquet").0.classes(), ["0", "1"]);
}

#[test]
fn shards_of_the_parts_are_one_data_set() {
    let place = Place::new();
    for (name, values) in [
        ("d/data/train-00000-of-00002.parquet", [0, 1, 0]),
        ("d/data/train-00001-of-00002.parquet", [1, 1, 0]),
        ("d/data/test-00000-of-00001.parquet", [1, 1, 1]),
        ("e/train/0000.parquet", [0, 1, 1]),
        ("e/test/0000.parquet", [0, 1, 1]),
    ] {
        place.write(name, small(values, None));
    }
    place.write("d/README.md", "x");
    let (dataset, _) = place.read("d");
    assert_eq!(dataset.examples.len(), 9);
    assert_eq!(dataset.examples[3].id.0, "data/train-00000-of-00002.parquet:1");
    assert_eq!(dataset.examples[0].part, Some(Part::Test));
    assert_eq!(dataset.examples[8].part, Some(Part::Train));
    assert_eq!(labels(&place.read("e").0)[3], "train/0000.parquet:1: 0");
}

#[test]
fn pictures_inside_a_table_are_told_and_those_beside_it_found() {
    let place = Place::new();
    let schema =
        "required group image { optional binary bytes; optional binary path (utf8); } required int64 label;";
    let bytes: &[u8] = b"\x89PNG\r\n\x1a\n\xFF";
    let table = |bytes: Vec<&'static [u8]>, filled: i16| {
        let image = Column::Texts(bytes, Some((vec![filled; 2], vec![0; 2])));
        let path = Column::Texts(vec![b"1.png", b"2.png"], Some((vec![1; 2], vec![0; 2])));
        parquet(schema, &[image, path, Column::Integers(vec![0, 1])], None)
    };
    place
        .write("beside/1.png", "x")
        .write("beside/2.png", "x")
        .write("beside/metadata.parquet", table(Vec::new(), 0));
    assert_eq!(labels(&place.read("beside").0), ["metadata.parquet:1: 0", "metadata.parquet:2: 1"]);
    place.write("t.parquet", table(vec![bytes, bytes], 1));
    let error = place.error("t.parquet");
    assert!(
        matches!(&error, ReadError::EmbeddedPictures { column, .. } if column == "image.bytes"),
        "{error}"
    );
}

#[test]
fn damage_is_an_error_or_a_problem_and_never_a_panic() {
    let good = small([0, 1, 0], None);
    let place = Place::new();
    let mut refused = 0;
    for place_of_damage in 0..good.len() {
        for value in [0, 0x7F, 0xFF] {
            let mut bytes = good.clone();
            bytes[place_of_damage] = value;
            place.write("t.parquet", &bytes);
            refused += usize::from(super::read(&place.path("t.parquet")).is_err());
        }
        place.write("t.parquet", &good[..place_of_damage]);
        assert!(super::read(&place.path("t.parquet")).is_err());
    }
    assert!(refused > 0);
}
