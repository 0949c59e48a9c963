//! Whole audits of made examples whose features are given.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use dataset::{ClassIdx, Content, Decision, Example, ExampleId, Origin, Part, Target, Task};
use linalg::{Matrix, random};
use tune::FeatureSet;

use super::*;

/// Texts with the classes that they have, and features that say nothing.
fn table(texts: Vec<String>, classes: Vec<String>, class: impl Fn(usize) -> u32) -> Table {
    let n = texts.len();
    let mut rng = Seed(5).rng();
    let x = Matrix::from_vec(n, 4, (0..4 * n).map(|_| random::normal(&mut rng) as f32).collect());
    let example = |(row, text): (usize, &String)| Example {
        id: ExampleId(format!("t:{row}")),
        content: Content::Text(text.clone()),
        target: Target::Class(ClassIdx(class(row))),
        votes: Vec::new(),
        group: None,
        part: None,
        details: BTreeMap::new(),
        origin: Origin { path: PathBuf::from("t"), row: None },
    };
    let decision = Decision {
        layout: "table".to_owned(),
        content: "texts".to_owned(),
        label: Some("label".to_owned()),
        task: "single-label".to_owned(),
        why: "named".to_owned(),
    };
    let data = Dataset {
        name: "t".to_owned(),
        root: PathBuf::from("t"),
        task: Task::SingleLabel { classes },
        decision,
        modality: Modality::Text,
        senses: Vec::new(),
        examples: texts.iter().enumerate().map(example).collect(),
    };
    let sets = vec![FeatureSet { name: "pooled".to_owned(), x }];
    Table { data, sets, texts: Some(texts), problems: Vec::new() }
}

fn audited(table: &Table) -> Audit {
    let material = Material::of_table(table, Media::none(table.data.examples.len()), &[], Seed(1));
    let nearness = checks::nearness(&material).unwrap();
    let never = AtomicBool::new(false);
    let labels = labels::by_features(&material, nearness.as_ref(), &never).unwrap();
    conclude(&material, labels, nearness.as_ref(), Beside::default(), &Run::new(&|_| {}, &never)).unwrap()
}

#[test]
fn every_finding_about_texts_says_what_was_seen_and_never_a_secret() {
    let mut texts: Vec<String> = (0..40)
        .map(|row| {
            let things = ["card", "transfer", "payment", "account", "statement"];
            let (one, other) = (things[row % 5], things[(row * 3 + 1) % 5]);
            format!("I would like to know why the {one} that I asked for in week {row} has not reached my {other} yet.")
        })
        .collect();
    texts
        .push("Please write to jane.doe@example.com about it, because I have waited long enough.".to_owned());
    texts.push(
        "Wo bleibt denn eigentlich meine neue Karte, ich warte schon seit drei Wochen darauf?".to_owned(),
    );
    texts.push(
        "The cafÃ© where I paid with it was closed, and they did not want to return the money.".to_owned(),
    );
    texts.push("?".to_owned());
    let found = audited(&table(texts, vec!["a".to_owned(), "b".to_owned()], |row| row as u32 % 2));
    assert!(found.findings.iter().all(|finding| finding.about.is_some()), "{:?}", found.findings);
    let about = |row: usize, fault: Fault| {
        let mut of = found.findings.iter().filter(|finding| finding.fault == fault);
        let finding = of.find(|finding| finding.rows == [row]).unwrap_or_else(|| panic!("{fault:?}"));
        finding.about.clone().unwrap().en
    };
    assert_eq!(about(40, Fault::PersonalData), "an e-mail address at characters 17-36");
    assert_eq!(about(41, Fault::OtherLanguage), "it is in German; the others are in English");
    assert_eq!(about(42, Fault::Mojibake), "places that make sense in another encoding: 1");
    assert!(
        about(43, Fault::ShortText).starts_with("letters and digits: 0; limit 3"),
        "{:?}",
        about(43, Fault::ShortText)
    );
    let told = found.findings.iter().filter_map(|finding| finding.about.as_ref());
    assert!(told.clone().all(|about| !about.en.contains("jane") && !about.zh.contains("jane")));
}

#[test]
fn a_label_column_of_ids_is_told_and_nothing_is_asked_of_so_many_classes() {
    const N: usize = 5000;
    let texts =
        (0..N).map(|row| format!("The answer to the question of row {row} is {}.", row * row)).collect();
    let found = audited(&table(texts, (0..N).map(|row| format!("u{row:04}")).collect(), |row| row as u32));
    let told: Vec<&str> = found.cautions.iter().map(|caution| caution.en.as_str()).collect();
    assert!(
        told.iter().any(|told| told.starts_with(
            "Labels were not judged: 5000 labels name 5000 classes; the label column looks like an id"
        )),
        "{told:?}"
    );
    let of_labels = [Fault::Label, Fault::Conflict, Fault::LowValue, Fault::WeakSlice, Fault::ClassImbalance];
    assert!(
        found.findings.iter().all(|finding| !of_labels.contains(&finding.fault)) && found.advice.is_empty()
    );
    // Few classes in few rows are asked about as ever, and of very few labels it is said that they are not judged.
    let texts =
        (0..24).map(|row| format!("The answer to the question of row {row} is {}.", row * row)).collect();
    let few = audited(&table(texts, (0..8).map(|row| format!("u{row:04}")).collect(), |row| row as u32 % 8));
    assert!(few.checks.iter().any(|(_, checked)| checked.fault == Fault::Label), "{:?}", few.cautions);
    let two = audited(&table(
        vec!["No".to_owned(), "Yes".to_owned()],
        vec!["a".to_owned(), "b".to_owned()],
        |row| row as u32,
    ));
    assert!(two.findings.iter().all(|finding| finding.fault != Fault::Label), "{:?}", two.findings);
    assert!(two.headline(None).is_empty());
    let told = "Labels were not judged: there are 2 of them, and of fewer than 10 nothing is typical.";
    assert!(two.cautions.iter().any(|caution| caution.en == told), "{:?}", two.cautions);
}

#[test]
fn of_very_many_classes_the_neighbours_alone_are_heard_and_wrong_labels_are_found() {
    const K: usize = 1500;
    // Seven of each class lie together; one in three hundred has the label of another class.
    let wrong = |row: usize| row.is_multiple_of(301);
    let n = 7 * K;
    let texts =
        (0..n).map(|row| format!("The answer to the question of row {row} is {}.", row * row)).collect();
    let class = |row: usize| (row + if wrong(row) { K / 2 } else { 0 }) as u32 % K as u32;
    let mut table = table(texts, (0..K).map(|class| format!("c{class:04}")).collect(), class);
    let mut rng = Seed(7).rng();
    let centres = Matrix::from_vec(K, 8, (0..8 * K).map(|_| random::normal(&mut rng)).collect());
    let values =
        (0..8 * n).map(|at| (centres.row(at / 8 % K)[at % 8] + 0.05 * random::normal(&mut rng)) as f32);
    table.sets[0].x = Matrix::from_vec(n, 8, values.collect());
    let found = audited(&table);
    let told: Vec<&str> = found.cautions.iter().map(|caution| caution.en.as_str()).collect();
    let expected =
        "Labels were judged by the votes of similar examples alone: 10500 examples and 1500 classes";
    assert!(told.iter().any(|told| told.starts_with(expected)), "{told:?}");
    let flagged: Vec<usize> = found
        .findings
        .iter()
        .filter(|found| found.fault == Fault::Label)
        .map(|found| found.rows[0])
        .collect();
    let right = flagged.iter().filter(|row| wrong(**row)).count();
    assert!(right >= 30 && flagged.len() <= right + 2, "{right} of {}", flagged.len());
    assert!(found.advice.is_empty());
}

#[test]
fn frames_of_one_film_on_both_sides_are_told_with_the_name_they_go_with() {
    // Two classes of twenty films with three frames each, the last of which is of the test part.
    let texts = vec![String::new(); 120];
    let mut table = table(texts, vec!["a".to_owned(), "b".to_owned()], |row| row as u32 / 60);
    (table.texts, table.data.modality) = (None, Modality::Image);
    let mut rng = Seed(6).rng();
    let films = Matrix::from_vec(40, 4, (0..160).map(|_| random::normal(&mut rng)).collect());
    for (row, example) in table.data.examples.iter_mut().enumerate() {
        example.content = Content::Image(PathBuf::from(format!("film{}_{:03}.png", row / 3, row % 3)));
        example.part = Some(if row % 3 == 2 { Part::Test } else { Part::Train });
        let values = table.sets[0].x.row_mut(row).iter_mut().zip(films.row(row / 3));
        values.for_each(|(value, film)| *value = (film + 0.2 * random::normal(&mut rng)) as f32);
    }
    let found = audited(&table);
    let leaks: Vec<&AuditFinding> =
        found.findings.iter().filter(|finding| finding.fault == Fault::NameLeak).collect();
    assert!(leaks.len() > 20, "{:?}", found.findings);
    for leak in leaks {
        let (row, about) = (leak.rows[0], leak.about.clone().unwrap());
        assert!(row % 3 == 2 && leak.action == Action::RemoveFromTest && !leak.neighbours.is_empty());
        let expected = format!("its name goes with 2 outside the test part, such as `film{}_000`", row / 3);
        assert_eq!(about.en, expected);
    }
}
