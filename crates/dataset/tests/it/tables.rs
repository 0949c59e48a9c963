//! CSV and JSON: ids, label columns, votes.

use std::collections::BTreeSet;

use dataset::{Content, Modality, Part, ProblemKind, ReadOptions, Sense, Target};

use super::{Place, labels, text};

#[test]
fn ids_are_unique_across_files_and_whole_numbers_stay_exact() {
    let place = Place::new();
    let rows = "id,text,label\n1,good thing,a\n2,bad thing,b\n";
    place.write("d/train.csv", rows).write("d/test.csv", rows);
    let (dataset, _) = place.read("d");
    assert_eq!(
        labels(&dataset),
        ["test.csv:2:1: a", "test.csv:3:2: b", "train.csv:2:1: a", "train.csv:3:2: b"]
    );

    let row = |value: u64| {
        let (id, label) = (9_007_199_254_740_992 + value, ["a", "b"][value as usize % 2]);
        format!("{{\"id\": {id}, \"text\": \"hello number\", \"label\": \"{label}\", \"group\": {id}}}\n")
    };
    place.write("big.jsonl", (0..6).map(row).collect::<String>());
    let (dataset, _) = place.read("big.jsonl");
    let groups: BTreeSet<_> = dataset.examples.iter().map(|example| example.group.clone()).collect();
    assert_eq!(groups.len(), 6);
    assert_eq!(dataset.examples[1].id.0, "9007199254740993");
}

#[test]
fn a_test_table_without_labels_is_read() {
    let place = Place::new();
    place
        .write("d/test.csv", "id,text\n7,some thing\n")
        .write("d/train.csv", "id,text,label\n1,good thing,a\n2,bad one,b\n");
    let (dataset, problems) = place.read("d");
    assert_eq!(labels(&dataset), ["7: -", "1: a", "2: b"]);
    assert_eq!(dataset.examples[0].part, Some(Part::Test));
    // One example of a class is told; nothing else is wrong.
    assert_eq!(problems.len(), 2);
}

#[test]
fn a_pool_may_lack_labels_and_a_column_of_another_name_is_none() {
    let place = Place::new();
    place
        .write("t.csv", "text,label\nsome thing,\nother thing,a\n")
        .write("u.csv", "text,source\nsome thing,web\n");
    let pool =
        |name: &str| labels(&dataset::read_pool(&place.path(name), &ReadOptions::default()).unwrap().0);
    assert_eq!(pool("t.csv"), ["t.csv:2: -", "t.csv:3: a"]);
    assert_eq!(pool("u.csv"), ["u.csv:2: -"]);
}

#[test]
fn of_several_label_columns_one_is_taken_and_the_others_are_named() {
    let place = Place::new();
    place.write("t.csv", "text,domain,intent\nwhere is it,hotel,ask\nthank you,general,thank\n");
    let (dataset, _) = place.read("t.csv");
    assert_eq!(dataset.decision.label.as_deref(), Some("intent"));
    assert!(
        dataset.decision.why.contains("`domain` could be one too: pass --label domain"),
        "{}",
        dataset.decision.why
    );

    let options = ReadOptions { label: Some("domain".into()), ..ReadOptions::default() };
    let (dataset, _) = dataset::read(&place.path("t.csv"), &options).unwrap();
    assert!(!dataset.decision.why.contains("could be"), "{}", dataset.decision.why);

    let options = ReadOptions { label: Some("intnet".into()), ..ReadOptions::default() };
    let error = dataset::read(&place.path("t.csv"), &options).unwrap_err().to_string();
    assert!(
        error.ends_with("has no column `intnet`; it has `text`, `domain`, `intent`; did you mean `intent`?"),
        "{error}"
    );
}

#[test]
fn votes_join_by_id_or_by_content() {
    let place = Place::new();
    place.write("t.csv", "item,text,annotator,label\n1,ok,A,a\n1,ok,B,b\n1,ok,C,b\n2,ok,A,a\n2,other,B,b\n");
    let (dataset, problems) = place.read("t.csv");
    assert_eq!(labels(&dataset), ["1: b", "2: a"]);
    assert_eq!(dataset.examples[0].votes.len(), 3);
    assert!(
        place.told(&problems)[0].starts_with("t.csv:6: the row cannot be read: it has the id `2` of row 5")
    );

    // These ids number the votes.
    place.write("u.csv", "id,text,annotator,label\n1,one ok,A,a\n2,one ok,B,a\n3,two ok,A,b\n");
    assert_eq!(labels(&place.read("u.csv").0), ["1: a", "3: b"]);
}

#[test]
fn votes_of_numbers_are_averaged_and_of_sets_counted_label_by_label() {
    let place = Place::new();
    place.write(
        "n.csv",
        "text,annotator,score\none,A,1.5\none,B,2.5\none,C,oops\n".to_owned() + &"two,A,3.5\n".repeat(40),
    );
    let (dataset, problems) = place.read("n.csv");
    assert_eq!(dataset.decision.task, "regression");
    assert!(dataset.decision.why.contains("averaged"), "{}", dataset.decision.why);
    assert_eq!(labels(&dataset), ["n.csv:2: 2", "n.csv:5: 3.5"]);
    assert!(place.told(&problems)[0].starts_with("n.csv:4, column `score`: `oops` is not a number"));

    let vote = |who: &str, labels: &str| {
        format!("{{\"text\": \"one thing\", \"annotator\": \"{who}\", \"labels\": [{labels}]}}\n")
    };
    place.write("s.jsonl", vote("A", "\"x\", \"y\"") + &vote("B", "\"x\"") + &vote("C", "\"x\", \"z\""));
    assert_eq!(labels(&place.read("s.jsonl").0), ["s.jsonl:1: x"]);
}

#[test]
fn one_class_is_enough_to_measure_on() {
    let place = Place::new();
    place.write("t.csv", "text,label\nfine thing,good\nanother fine one,good\n").write("f/good/1.png", "x");
    assert!(place.error("t.csv").to_string().contains("only one class"));
    for name in ["t.csv", "f"] {
        let (dataset, problems) = dataset::read_held_out(&place.path(name), &ReadOptions::default()).unwrap();
        assert_eq!(dataset.classes(), ["good"]);
        assert!(
            problems.is_empty()
                && dataset.examples.iter().all(|example| example.target != Target::Unlabelled)
        );
    }
}

#[test]
fn tables_keep_what_is_sound() {
    let place = Place::new();
    place.write("t.csv", "text,label\nfirst one,a\n\"open,b\nragged\nsecond one,b\n");
    let (dataset, problems) = place.read("t.csv");
    let texts: Vec<&str> = dataset.examples.iter().map(text).collect();
    assert_eq!(texts, ["first one", "second one"]);
    assert!(place.told(&problems)[0].starts_with("t.csv:3, column `text`: a quote opens here"));
    assert!(place.told(&problems)[1].starts_with("t.csv:4: the row has 1 cells, the header 2"));
}

#[test]
fn several_senses_of_one_thing_are_read_and_what_is_missing_costs_only_a_sense() {
    let place = Place::new();
    for name in ["a.png", "b.png", "a.wav", "t.csv"] {
        place.write(name, b"x");
    }
    place.write(
        "parts.jsonl",
        b"{\"photo\": \"a.png\", \"sound\": \"a.wav\", \"note\": \"hums\", \"trace\": \"t.csv\", \"label\": \"worn\"}\n\
          {\"photo\": \"b.png\", \"sound\": \"gone.wav\", \"note\": \"\", \"label\": \"fine\"}\n\
          {\"photo\": \"../a.png\", \"label\": \"fine\"}\n",
    );
    let (dataset, problems) = place.read("parts.jsonl");
    assert_eq!(dataset.modality, Modality::Senses);
    let senses: Vec<String> =
        dataset.senses.iter().map(|sense| format!("{} {}", sense.name, sense.modality)).collect();
    assert_eq!(senses, ["photo image", "sound sound", "note text", "trace series"]);
    let there: Vec<Vec<&str>> = dataset
        .examples
        .iter()
        .map(|example| match &example.content {
            Content::Senses(senses) => senses.keys().map(String::as_str).collect(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(there, [vec!["note", "photo", "sound", "trace"], vec!["photo"]]);
    let told: Vec<String> = problems.iter().map(|problem| problem.kind.to_string()).collect();
    assert!(
        told.iter().any(|told| told.starts_with("counts without its `sound`: `gone.wav` does not exist"))
    );
    assert!(told.iter().any(|told| told.starts_with("counts without its `photo`: `../a.png` lies outside")));
    // The third has no sense at all.
    assert_eq!(problems.iter().filter(|problem| problem.kind.leaves_out()).count(), 1);

    let (alone, places) = dataset.of_sense(&dataset.senses[1]);
    assert_eq!((alone.examples.len(), alone.modality, &places[..]), (1, Modality::Sound, &[0][..]));

    let two = [&dataset.senses[3], &dataset.senses[0]].map(Clone::clone);
    place.write("new.csv", b"photo,remark\na.png,x\n");
    let (examples, _) = dataset::read_senses(&[place.path("new.csv")], &two).unwrap();
    assert!(matches!(&examples[0].content, Content::Senses(senses) if senses.len() == 1));
    place.write("other.csv", b"picture\na.png\n");
    let error = dataset::read_senses(&[place.path("other.csv")], &two).unwrap_err().to_string();
    assert!(error.ends_with("has none of the columns `trace`, `photo`; it has `picture`"), "{error}");
}

#[test]
fn a_column_is_named_once_and_a_named_content_is_no_label() {
    let place = Place::new();
    place.write("t.csv", "question,category,intent\nis it round?,shape,a\nis it red?,colour,b\n");
    let twice = ["question", "question"].map(|name| Sense { name: name.into(), modality: Modality::Text });
    let options = ReadOptions { contents: twice.to_vec(), ..ReadOptions::default() };
    let error = dataset::read(&place.path("t.csv"), &options).unwrap_err().to_string();
    assert!(
        error.starts_with("column `question`") && error.ends_with("named twice as what examples are"),
        "{error}"
    );
    let both = ["question", "category"].map(|name| Sense { name: name.into(), modality: Modality::Text });
    let options = ReadOptions { contents: both.to_vec(), ..ReadOptions::default() };
    let (dataset, _) = dataset::read(&place.path("t.csv"), &options).unwrap();
    assert_eq!(dataset.decision.label.as_deref(), Some("intent"));
}

#[test]
fn a_column_of_files_that_cannot_be_read_is_told() {
    let place = Place::new();
    let table = |photo: &dyn Fn(u32) -> String| -> String {
        let row = |number: u32| {
            format!("{},it hums a lot {number},{}\n", photo(number), ["a", "b"][number as usize % 2])
        };
        format!("photo,note,label\n{}", (0..8).map(row).collect::<String>())
    };
    place.write("t.csv", table(&|number| format!("{number}.heic")));
    let (dataset, problems) = place.read("t.csv");
    assert_eq!(dataset.modality, Modality::Text);
    let told: Vec<String> = problems.iter().map(|problem| problem.to_string()).collect();
    assert!(
        told.len() == 1 && told[0].contains("column `photo`: names files of an unknown kind (.heic)"),
        "{told:?}"
    );
    // A quarter of another kind: the others are photos, and these rows lack theirs.
    place.write(
        "t.csv",
        table(&|number| if number < 2 { format!("{number}.ppm") } else { format!("{number}.png") }),
    );
    for number in 2..8 {
        place.write(&format!("{number}.png"), "p");
    }
    let (dataset, problems) = place.read("t.csv");
    assert_eq!(dataset.modality, Modality::Senses);
    let without = problems.iter().filter(
        |problem| matches!(&problem.kind, ProblemKind::WithoutSense { sense, .. } if sense == "photo"),
    );
    assert_eq!((without.count(), dataset.examples.len()), (2, 8), "{problems:?}");
}
