//! Files that mean harm, or are damaged: they give problems or errors, never a panic, and little work.

use exchange::{ExchangeError, Format};
use proptest::prelude::*;

use super::{Place, header, mark, written};

/// A set of COCO with one picture of 8 x 8 pixels and this annotation.
fn coco(annotation: &str) -> Place {
    let place = Place::new();
    place.picture("a.png", 8, 8);
    place.write(
        "a.json",
        format!(
            r#"{{"images": [{{"id": 1, "file_name": "a.png"}}], "categories": [{{"id": 1, "name": "x"}}],
            "annotations": [{{"image_id": 1, "category_id": 1, {annotation}}}]}}"#
        ),
    );
    place
}

#[track_caller]
fn check(annotation: &str, expect: &str) {
    let place = coco(annotation);
    let (_, items, problems) = place.read(Format::Coco);
    assert_eq!((items.len(), items[0].marks.len(), problems.len()), (1, 0, 1), "{annotation}");
    let told = place.told(&problems);
    assert!(told[0].contains(expect), "{annotation}: {told:?}");
}

#[test]
fn coco_with_impossible_marks() {
    check(r#""segmentation": {"size": [8, 8], "counts": [4294967295, 1]}"#, "do not cover");
    check(r#""segmentation": {"size": [8, 8], "counts": [60]}"#, "do not cover");
    check(r#""segmentation": {"size": [8, 8], "counts": [64]}"#, "a brush has no size");
    check(r#""segmentation": {"size": [9, 8], "counts": [0, 72]}"#, "the picture has 8 x 8");
    check(r#""segmentation": {"size": [4294967295, 4294967295], "counts": [1]}"#, "the picture has 8 x 8");
    check(r#""segmentation": {"size": [8, 8], "counts": "oooooooo"}"#, "damaged");
    check(r#""segmentation": {"size": [-1, 8], "counts": [1]}"#, "did not match");
    check(r#""bbox": [0, 0, -5, 3]"#, "a box has no size");
    check(r#""bbox": [1e308, 0, 1e308, 3]"#, "no finite number");
    check(r#""bbox": [0, 0]"#, "neither a segmentation nor a box");
    check(r#""segmentation": [[0, 0, 1, 1]]"#, "2 points");
}

#[test]
fn numbers_that_json_does_not_know_are_an_error() {
    for number in ["1e400", "NaN", "Infinity"] {
        let place = coco(&format!(r#""bbox": [0, 0, {number}, 3]"#));
        let error = exchange::read(&place.root().join("a.json"), Format::Coco).unwrap_err();
        assert!(matches!(error, ExchangeError::Malformed { .. }), "{error}");
    }
}

#[test]
fn a_picture_of_the_greatest_size_costs_little() {
    let place = Place::new();
    place.picture("a.png", 8, 8);
    let mut annotations = String::new();
    for id in 0..2_000 {
        annotations.push_str(&format!(
            r#"{}{{"id": {id}, "image_id": 1, "category_id": 1, "segmentation": {{"size": [8192, 8192], "counts": [0, 67108864]}}}}"#,
            if id == 0 { "" } else { "," }
        ));
    }
    place.write(
        "a.json",
        format!(
            r#"{{"images": [{{"id": 1, "file_name": "a.png", "width": 8192, "height": 8192}}], "categories": [{{"id": 1, "name": "x"}}], "annotations": [{annotations}]}}"#
        ),
    );
    let (_, items, problems) = place.read(Format::Coco);
    assert_eq!((items[0].marks.len(), problems.len()), (2_000, 0));
}

#[test]
fn too_many_marks_are_told() {
    let place = Place::new();
    place.picture("images/a.png", 8, 8);
    place.write("labels/a.txt", "0 0.5 0.5 0.1 0.1\n".repeat(2_001));
    let (_, items, problems) = place.read(Format::Yolo);
    assert_eq!(items[0].marks.len(), exchange::MOST_MARKS);
    assert_eq!(
        place.told(&problems),
        ["a.png: the row cannot be read: 2001 marks, the first 2000 were read"]
    );
}

#[test]
fn deep_or_broken_json_is_an_error() {
    let deep = format!(r#"{{"images": [{{"file_name": {}"#, "[".repeat(100_000));
    for text in [&deep[..], "", "{", "[]", "null", r#"{"images": 7, "annotations": []}"#, "\u{feff}{}"] {
        for format in [Format::Coco, Format::LabelStudio] {
            let place = Place::new();
            let path = place.write("a.json", text);
            assert_eq!(exchange::recognise(place.root()).unwrap(), None);
            assert!(matches!(place.error(format), ExchangeError::NotThere { .. }));
            if let Ok((_, items, _)) = exchange::read(&path, format) {
                assert_eq!(items.len(), 0);
            }
        }
    }
}

#[test]
fn declared_entities_are_refused() {
    let place = Place::new();
    place.picture("a.png", 8, 8);
    let entities: String =
        (1..60).map(|at| format!("<!ENTITY e{at} \"&e{};&e{};\">", at - 1, at - 1)).collect();
    place.write(
        "a.xml",
        format!("<!DOCTYPE annotation [<!ENTITY e0 \"x\">{entities}]><annotation><filename>&e59;</filename></annotation>"),
    );
    place.write("b.xml", "<annotation><filename>a.png</filename><size/></annotation>");
    place.write(
        "c.xml",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><annotation><filename>a.png</filename></annotation>",
    );
    place.write("d.xml", "<annotation><filename>/etc/passwd</filename><folder>..</folder></annotation>");
    let (_, items, problems) = place.read(Format::Voc);
    assert_eq!(items.len(), 1);
    assert_eq!(
        place.told(&problems),
        [
            "a.xml: the row cannot be read: document type declarations are not read",
            "c.xml: the row cannot be read: document type declarations are not read",
            "d.xml: `/etc/passwd` lies outside the data folder; move it inside",
        ]
    );
}

#[test]
fn rows_of_tables_that_cannot_be_used() {
    let place = Place::new();
    place.write("a.png", "no picture");
    place.write(
        "examples.jsonl",
        concat!(
            r#"{"file": "a.png", "marks": [{"class": "x", "shape": "box", "x": 0, "y": 0, "width": -1, "height": 1}, {"shape": "ring"}, 7]}"#, "\n",
            r#"{"file": "../a.png"}"#, "\n",
            r#"{"label": "x"}"#, "\n",
            r#"{"text": "ab", "marks": [{"class": null, "shape": "span", "start": 1, "end": 3}]}"#, "\n\n",
            r#"{"text": "ab", "part": "often"}"#, "\n",
            "{\"text\": \"\u{0}", "\n",
        ),
    );
    let (_, items, problems) = place.read(Format::Jsonl);
    assert_eq!((items.len(), items[0].marks.len()), (2, 0));
    let rows: Vec<u64> = problems.iter().map(|problem| problem.row.unwrap()).collect();
    assert_eq!(rows, [1, 1, 1, 2, 3, 4, 6, 7]);
    let place = Place::new();
    place.write("examples.csv", "text,number,marks\na,x,\nb,inf,\nc,1,[\nd,1\ne,2,\n");
    let (_, items, problems) = place.read(Format::Csv);
    assert_eq!((items.len(), problems.len()), (1, 4));
    assert_eq!(
        place.told(&problems)[0],
        "examples.csv:2, column `number`: `x` is not a number; correct it or pass --task single-label"
    );
}

#[test]
fn damaged_masks_cost_only_themselves() {
    let place = Place::new();
    place.picture("train/good/a.png", 8, 8);
    for name in ["a", "b", "c"] {
        place.picture(&format!("test/scratch/{name}.png"), 8, 8);
    }
    place.write("ground_truth/scratch/a_mask.png", "no picture");
    place.picture("ground_truth/scratch/b_mask.png", 9, 8);
    place.write("ground_truth/scratch/c_mask.png", super::png(&image::GrayImage::new(8, 8)));
    let (_, items, problems) = place.read(Format::Mvtec);
    assert_eq!(items.len(), 4);
    assert!(items.iter().all(|item| item.marks.is_empty()));
    assert_eq!(problems.len(), 3, "{problems:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn changed_bytes_never_make_a_reader_panic(changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..6)) {
        let source = Place::new();
        let mut item = super::file("a.png", source.picture("a.png", 8, 8), Some((8, 8)));
        item.answer = exchange::Answer::Class("good".into());
        let runs = vec![9, 3, 52];
        item.marks = vec![
            mark("x", super::a_box(1.0, 1.0, 2.0, 2.0)),
            mark("x", exchange::Shape::Brush { width: 8, height: 8, runs }),
        ];
        for format in Format::ALL {
            let place = Place::new();
            super::unzip(&written(format, &header(exchange::Kind::Image, &["x", "good"]), &[item.clone()], true), place.root());
            let mut documents = Vec::new();
            find(place.root(), &mut documents);
            for document in documents {
                let mut bytes = std::fs::read(&document).unwrap();
                for (at, value) in &changes {
                    let length = bytes.len().max(1);
                    if let Some(byte) = bytes.get_mut(usize::from(*at) % length) {
                        *byte = *value;
                    }
                }
                std::fs::write(&document, bytes).unwrap();
            }
            let _ = exchange::recognise(place.root());
            if let Ok((_, items, problems)) = exchange::read(place.root(), format) {
                problems.iter().for_each(|problem| assert!(!problem.to_string().is_empty()));
                for item in items {
                    prop_assert!(item.marks.iter().all(|mark| mark.check(exchange::Kind::Image).is_ok() || mark.check(exchange::Kind::Text).is_ok()));
                }
            }
        }
    }
}

fn find(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, found);
        } else {
            found.push(path);
        }
    }
}
