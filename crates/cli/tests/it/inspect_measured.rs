//! What an inspector is measured on: never what it learned from, and any set with a word about its photos.

use crate::inspect::{faces, inspect};
use crate::run::Place;

#[test]
fn what_was_learned_from_is_not_measured_on_even_among_other_photos() {
    let place = Place::new();
    faces(&place, "parts/good", 0..9, false);
    faces(&place, "parts/spot", 30..33, true);
    inspect(&place, &["parts"]).fine();
    faces(&place, "parts/good", 9..11, false);
    let ended = place.run(&["evaluate", "parts.djm", "parts"]).fine();
    assert!(ended.err.contains("Measured on 2 photos, 2 good and 0 with defects"), "{}", ended.err);
    assert!(ended.err.contains("12 were left out: the inspector learned from them"), "{}", ended.err);
    // A part of what was learned from, under other names.
    std::fs::create_dir(place.path("some")).unwrap();
    std::fs::copy(place.path("parts/good/003.png"), place.path("some/new.png")).unwrap();
    let ended = place.run(&["evaluate", "parts.djm", "some"]);
    assert!(ended.code == 1 && ended.err.contains("learned from every photo of `some`"), "{}", ended.err);
}

#[test]
fn copies_of_what_is_learned_from_are_not_tested_on() {
    let place = Place::new();
    faces(&place, "tile/train/good", 0..9, false);
    faces(&place, "tile/test/good", 7..12, false);
    faces(&place, "tile/test/spot", 30..33, true);
    let ended = inspect(&place, &["tile", "--json"]).fine();
    for number in [7, 8] {
        let told = format!("test/good/{number:03}.png: the same picture is there to learn from");
        assert!(ended.err.contains(&told), "{told} in {}", ended.err);
    }
    let report = std::fs::read_to_string(place.path("tile.report.html")).unwrap();
    assert!(report.contains("3 good photos and 3 with defects, none of them learned from"));
}

#[test]
fn sets_without_anything_to_learn_from_can_be_measured_on() {
    let place = Place::new();
    faces(&place, "parts", 0..9, false);
    inspect(&place, &["parts"]).fine();
    let measured = |arguments: &[&str]| {
        let ended = place.run(&[&["evaluate", "parts.djm"][..], arguments].concat()).fine();
        ended.err.lines().find(|line| line.starts_with("Measured on")).unwrap_or_default().to_owned()
    };
    // A test part alone, and one of defects alone.
    faces(&place, "new/test/good", 20..23, false);
    faces(&place, "new/test/spot", 30..32, true);
    assert!(
        measured(&["new"]).starts_with("Measured on 5 photos, 3 good and 2 with defects (inspection set")
    );
    faces(&place, "bad/test/spot", 30..32, true);
    assert!(measured(&["bad"]).starts_with("Measured on 2 photos, 0 good and 2 with defects"));
    // Where nothing is called good, what was made of it is told.
    faces(&place, "flat", 30..32, true);
    let told = measured(&["flat"]);
    assert!(
        told.contains("2 good and 0 with defects (folder of pictures: no folder is called good"),
        "{told}"
    );
    // A table, with a column of masks that only the person knows.
    faces(&place, "table", 20..22, false);
    faces(&place, "table/bad", 30..31, true);
    place.write(
        "table/t.csv",
        "file,split,where\n000.png,test,\n020.png,test,\n021.png,test,\nbad/030.png,test,bad/030.png\n",
    );
    let told = measured(&["table/t.csv", "--image", "file", "--mask", "where", "--part", "split"]);
    assert!(told.starts_with("Measured on 3 photos, 2 good and 1 with defects"), "{told}");
}

#[test]
fn tune_hands_on_the_columns_that_were_named() {
    let place = Place::new();
    faces(&place, "set/front", 0..9, false);
    faces(&place, "set/back", 10..14, false);
    let rows =
        (0..9).map(|row| format!("{}.png,good,front/{row:03}.png,back/{:03}.png,{row}", row, 10 + row % 4));
    let table = ["name,state,front,back,number".to_owned()].into_iter().chain(rows).collect::<Vec<_>>();
    place.write("set/t.csv", table.join("\n"));
    let columns = ["--image", "back", "--label", "state", "--group", "back"];
    let arguments = [&["tune", "set/t.csv", "--base", "efficientnet-lite0", "--json"][..], &columns].concat();
    let ended = place.run(&arguments).fine();
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (made["good"]["photos"].as_u64(), made["good"]["groups"].as_u64()),
        (Some(9), Some(4)),
        "{made}"
    );
}

#[test]
fn lots_with_good_photos_and_defects_are_a_valid_set() {
    let place = Place::new();
    faces(&place, "lots/good/a", 0..5, false);
    faces(&place, "lots/good/b", 5..6, false);
    faces(&place, "lots/spot/b", 30..31, true);
    faces(&place, "lots/spot/c", 31..34, true);
    let ended = inspect(&place, &["lots", "--group-by-folder", "--json"]).fine();
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (made["good"]["photos"].as_u64(), made["good"]["groups"].as_u64()),
        (Some(6), Some(2)),
        "{made}"
    );
}

#[test]
fn good_parts_on_which_a_place_is_marked_are_counted() {
    let place = Place::new();
    faces(&place, "parts/good", 0..20, false);
    inspect(&place, &["parts", "--false-alarms", "20%"]).fine();
    // What a person calls good and shows a spot all the same is marked.
    faces(&place, "new/good/plain", 100..104, false);
    faces(&place, "new/good/spot", 30..33, true);
    let ended = place.run(&["evaluate", "parts.djm", "new", "--json"]).fine();
    let measured: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let mut metrics = measured["metrics"].as_array().unwrap().iter();
    let estimate = &metrics.find(|metric| metric["metric"] == "good-marked").unwrap()["estimate"];
    let ended = place.run(&["predict", "parts.djm", "new", "--json"]).fine();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&ended.out).unwrap();
    let marked = rows.iter().filter(|row| row["found"]["regions"] != serde_json::json!([])).count();
    assert!((3..=7).contains(&marked), "{}", ended.out);
    assert_eq!((estimate["value"].as_f64(), estimate["n"].as_u64()), (Some(marked as f64 / 7.0), Some(7)));
}
