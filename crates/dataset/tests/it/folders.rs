//! Layouts of folders.

use dataset::{Content, Modality, Part, ReadError, ReadOptions};

use super::{Place, labels};

#[track_caller]
fn check(files: &[&str], expect: &[&str]) {
    let place = Place::new();
    for file in files {
        place.write(&format!("d/{file}"), "x");
    }
    assert_eq!(labels(&place.read("d").0), expect);
}

#[test]
fn litter_is_passed_over() {
    check(
        &[
            "a/1.png",
            "b/2.png",
            "b/.2.png",
            "b/._2.png",
            "__MACOSX/b/2.png",
            "a/Thumbs.db",
            ".git/c/3.png",
            "@eaDir/1.png",
        ],
        &["a/1.png: a", "b/2.png: b"],
    );
}

#[test]
fn in_a_pool_loose_files_and_those_called_unlabelled_have_no_label() {
    let place = Place::new();
    for file in
        ["d/1.png", "d/a/2.png", "d/Unlabeled/3.png", "d/未标注/x/4.png", "unlabelled/b/5.png", "loose/6.png"]
    {
        place.write(file, "x");
    }
    let pool =
        |name: &str| labels(&dataset::read_pool(&place.path(name), &ReadOptions::default()).unwrap().0);
    assert_eq!(pool("d"), ["1.png: -", "Unlabeled/3.png: -", "a/2.png: a", "未标注/x/4.png: -"]);
    assert_eq!(pool("unlabelled"), ["b/5.png: -"]);
    assert_eq!(pool("loose"), ["6.png: -"]);
}

#[test]
fn parts_are_known_beside_stray_files() {
    let files = ["logo.png", "docs/figure.png", "train/a/1.png", "train/b/2.png", "test/a/3.png"];
    check(&files, &["test/a/3.png: a", "train/a/1.png: a", "train/b/2.png: b"]);
    let place = Place::new();
    for file in files {
        place.write(file, "x");
    }
    let (all, _) = dataset::read_unlabelled(&[place.path("")], &ReadOptions::default()).unwrap();
    assert_eq!(all.len(), files.len());
    check(&["train/1.png", "bus/2.png"], &["bus/2.png: bus", "train/1.png: train"]);
}

#[test]
fn texts_in_other_encodings_are_read() {
    let place = Place::new();
    place
        .write("d/a/1.txt", &encoding_rs::GB18030.encode("你好，朋友们").0)
        .write("d/b/2.txt", "\u{feff}再见");
    place.write("d/b/3.txt", ["再见朋友们再见朋友们".as_bytes(), b"\xFF"].concat());
    let (dataset, problems) = place.read("d");
    let texts: Vec<&str> = dataset.examples.iter().map(super::text).collect();
    assert_eq!(texts, ["你好，朋友们", "再见"]);
    assert!(place.told(&problems)[0].starts_with("d/b/3.txt: some bytes are no UTF-8 text"));
}

#[test]
fn metadata_names_the_labels_of_pictures() {
    let place = Place::new();
    for picture in ["1.png", "2.png", "train/1.png", "train/2.png", "test/1.png"] {
        for folder in ["one", "parts"] {
            place.write(&format!("{folder}/{picture}"), "x");
        }
    }
    place.write(
        "one/metadata.jsonl",
        "{\"file_name\": \"1.png\", \"label\": \"a\"}\n{\"file_name\": \"test/1.png\", \"label\": \"b\"}\n",
    );
    let (dataset, _) = place.read("one");
    assert_eq!(labels(&dataset), ["metadata.jsonl:1: a", "metadata.jsonl:2: b"]);
    assert_eq!(dataset.examples[1].part, Some(Part::Test));

    place.write("parts/train/metadata.csv", "file_name,label\n1.png,a\n2.png,b\n");
    place.write("parts/test/metadata.csv", "file_name,label\n1.png,b\n3.png,b\n");
    let (dataset, problems) = place.read("parts");
    assert_eq!(
        labels(&dataset),
        ["test/metadata.csv:2: b", "train/metadata.csv:2: a", "train/metadata.csv:3: b"]
    );
    assert_eq!(dataset.examples[0].part, Some(Part::Test));
    assert!(
        place.told(&problems)[0]
            .starts_with("parts/test/metadata.csv:3, column `file_name`: `3.png` does not exist")
    );
}

#[test]
fn a_single_table_may_have_notes_and_litter_beside_it() {
    let place = Place::new();
    place.write("d/data.csv", "text,label\nhello there,a\nbye bye,b\n");
    place.write("d/README.md", "x").write("d/.DS_Store", "x").write("d/LICENSE.txt", "x");
    assert_eq!(labels(&place.read("d").0), ["data.csv:2: a", "data.csv:3: b"]);
}

#[test]
fn several_tables_are_named() {
    let place = Place::new();
    place.write("d/truth.csv", "a,b\n1,2\n").write("d/votes.csv", "a,b\n1,2\n");
    let error = place.error("d").to_string();
    assert!(error.ends_with("not named for parts: `truth.csv`, `votes.csv`"), "{error}");
}

#[test]
fn inspection_sets_are_not_mistaken_for_classes() {
    let files = [
        "train/good/1.png",
        "train/good/2.png",
        "test/good/3.png",
        "test/crack/4.png",
        "ground_truth/crack/4_mask.png",
    ];
    let place = Place::new();
    for file in files {
        place.write(&format!("tile/{file}"), "x").write(&format!("many/tile/{file}"), "x");
        place.write(&format!("many/cable/{file}"), "x");
    }
    for name in ["tile", "many"] {
        let error = place.error(name);
        assert!(matches!(&error, ReadError::InspectionLayout { class, .. } if class == "good"), "{error}");
        assert!(error.hint().contains("`test` folder"));
    }
    assert_eq!(place.read("tile/test").0.classes(), ["crack", "good"]);
    let (examples, _) = dataset::read_unlabelled(&[place.path("tile")], &ReadOptions::default()).unwrap();
    assert!(examples.iter().all(|example| !example.id.0.contains("mask")), "{examples:?}");
}

#[test]
fn tables_in_class_folders_are_series() {
    let place = Place::new();
    for name in ["fine/1.csv", "fine/2.csv", "worn/1.parquet", "worn/2.tsv"] {
        place.write(name, b"a,b\n1,2\n3,4\n");
    }
    let (dataset, _) = place.read("");
    assert_eq!(
        (dataset.modality, dataset.classes()),
        (Modality::Series, &["fine".into(), "worn".into()][..])
    );
    let wanted = ReadOptions { wanted: Some(Modality::Series), ..ReadOptions::default() };
    let one = [place.path("fine/1.csv")];
    let (examples, _) = dataset::read_unlabelled(&one, &wanted).unwrap();
    assert_eq!(examples[0].content, Content::Series(one[0].clone()));
    let (examples, _) = dataset::read_unlabelled(&[place.path("fine")], &wanted).unwrap();
    assert_eq!(examples.len(), 2);
    place.write("list.csv", b"trace,label\nfine/1.csv,x\nworn/2.tsv,y\n");
    let (examples, _) = dataset::read_unlabelled(&[place.path("list.csv")], &wanted).unwrap();
    assert_eq!(examples.len(), 2);
}
