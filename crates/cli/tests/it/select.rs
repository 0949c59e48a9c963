//! `select` at the door: what is picked from pictures and tables, from what is known of them, and what is refused.

use std::fs;

use serde_json::Value;

use crate::run::{Ended, Place};

const BASE: [&str; 2] = ["--base", "efficientnet-lite0"];

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap()
}

fn ids(document: &Value) -> Vec<String> {
    let picks = document["picks"].as_array().unwrap();
    picks.iter().map(|pick| pick["id"].as_str().unwrap().to_owned()).collect()
}

/// Discs and stripes without labels, `n` of each: `disc03.png` and so on, and a copy of one.
fn pool(place: &Place, folder: &str, n: u32) {
    place.pictures("made", n);
    fs::create_dir_all(place.path(folder)).unwrap();
    for kind in ["disc", "stripes"] {
        for index in 0..n {
            let to = place.path(&format!("{folder}/{kind}{index:02}.png"));
            fs::copy(place.path(&format!("made/{kind}/{index:02}.png")), to).unwrap();
        }
    }
    fs::copy(place.path("made/disc/00.png"), place.path(&format!("{folder}/zcopy.png"))).unwrap();
}

#[test]
fn without_labels_both_kinds_are_picked_and_copies_are_not() {
    let place = Place::new();
    pool(&place, "unlabelled", 8);
    let run = |extra: &[&str]| {
        let arguments = ["select", "unlabelled", "--budget", "4", BASE[0], BASE[1]];
        place.run(&[&arguments, extra].concat()).fine()
    };
    let ended = run(&["--json", "--out", "picks.csv"]);
    let found = json(&ended);
    let picked = ids(&found);
    assert_eq!(picked.len(), 4, "{picked:?}");
    assert!(
        ["disc", "stripes"].iter().all(|kind| picked.iter().any(|id| id.starts_with(kind))),
        "{picked:?}"
    );
    assert_eq!((&found["method"], &found["n_unlabelled"]), (&"centroids".into(), &17.into()));
    assert!(found["n_near_copies"].as_u64().unwrap() >= 1 && found["outlook"].is_null());
    assert!(found["picks"][0]["why"]["group"].as_u64().unwrap() > 1, "{found}");
    let table = fs::read_to_string(place.path("picks.csv")).unwrap();
    assert!(table.starts_with("rank,id,half,reason,margin,first_class,"), "{table}");
    assert!(table.lines().count() == 5 && table.lines().nth(1).unwrap().contains(&picked[0]), "{table}");
    // There is one of ours to write over, and something that is not.
    for name in ["picks.csv", "picks.json", "picks.parquet"] {
        run(&["--out", name]);
        run(&["--out", name]);
        place.write(name, "precious");
        let arguments = ["select", "unlabelled", "--budget", "4", "--out", name];
        let ended = place.run(&arguments);
        assert!(ended.code == 2 && ended.err.contains("is already there"), "{}", ended.err);
    }
    let words = run(&[]);
    assert!(words.out.starts_with("1. ") && words.out.contains("similar examples"), "{}", words.out);
    assert!(words.err.contains("Chose 4 of 17 unlabelled examples beside 0 labelled ones"), "{}", words.err);
}

#[test]
fn a_model_of_the_labels_or_a_bundle_is_asked_and_half_is_random() {
    let place = Place::new();
    // Ten of each kind are labelled by their folder; the files beside the folders are not.
    pool(&place, "parts", 14);
    place.pictures("labels", 10);
    fs::rename(place.path("labels/disc"), place.path("parts/disc")).unwrap();
    fs::rename(place.path("labels/stripes"), place.path("parts/stripes")).unwrap();
    let ended = place.run(&["select", "parts", "--budget", "4", "--json", BASE[0], BASE[1]]).fine();
    let found = json(&ended);
    assert_eq!((&found["method"], &found["n_labelled"]), (&"margin".into(), &20.into()));
    let halves: Vec<&str> =
        found["picks"].as_array().unwrap().iter().map(|pick| pick["half"].as_str().unwrap()).collect();
    assert_eq!(halves, ["chosen", "random", "chosen", "random"]);
    // What is labelled already is there again without a label, and is not worth a label.
    for id in ids(&found) {
        let index: u32 = id.trim_end_matches(".png").trim_start_matches(char::is_alphabetic).parse().unwrap();
        assert!(index >= 10, "{id} is a copy of a labelled example");
    }
    assert!(found["outlook"]["n_labels"] == 20 && found["outlook"]["later"].as_array().unwrap().len() == 3);
    place.run(&["tune", "made", BASE[0], BASE[1], "--out", "m.djm"]).fine();
    pool(&place, "more", 9);
    let asked = ["select", "more", "--budget", "3", "--model", "m.djm", "--all-chosen"];
    let words = place.run_with(&asked, &[("DIANJING_LANG", "zh")]).fine();
    assert!(
        words.out.contains("可能是“") && words.err.contains("从 19 个未标注样本中选出 3 个"),
        "{}",
        words.err
    );
    let known =
        place.run(&["select", "more", "--budget", "3", "--labelled", "made", BASE[0], BASE[1], "--json"]);
    assert_eq!(json(&known.fine())["n_labelled"], 28);
}

/// Texts about two things, every third one labelled; each costs as many seconds as its row number.
fn texts() -> String {
    let mut table = "text,label,seconds,source\n".to_owned();
    for row in 0..24 {
        let (text, label) = if row % 2 == 0 {
            ("my card was declined at shop", "card")
        } else {
            ("how do I reset the password of", "login")
        };
        let label = if row % 3 == 0 { label } else { "" };
        table.push_str(&format!(
            "{text} number {row} {},{label},{},web\n",
            "please ".repeat(row % 5),
            row + 1
        ));
    }
    table
}

#[test]
fn a_table_may_hold_both_kinds_of_rows_and_costs() {
    let place = Place::new();
    place.write("t.csv", texts());
    let base = ["--base", "minilm-l6-en"];
    let found = json(&place.run(&["select", "t.csv", "--budget", "6", "--json", base[0], base[1]]).fine());
    assert_eq!((&found["n_labelled"], &found["n_unlabelled"]), (&8.into(), &16.into()));
    assert!(
        ids(&found).iter().all(|id| (id.trim_start_matches("t.csv:").parse::<usize>().unwrap() - 2) % 3 > 0)
    );
    let asked = ["select", "t.csv", "--budget", "1.5", "--cost", "seconds", base[0], base[1]];
    let told = place.run(&asked).fine().err;
    assert!(
        told.contains("nothing was chosen: the cheapest example costs 2, and the budget is 1.5"),
        "{told}"
    );
    let asked = ["select", "t.csv", "--budget", "20.5", "--cost", "seconds", "--json", base[0], base[1]];
    let found = json(&place.run(&asked).fine());
    let costs: Vec<f64> =
        found["picks"].as_array().unwrap().iter().map(|pick| pick["cost"].as_f64().unwrap()).collect();
    assert!(!costs.is_empty() && costs.iter().sum::<f64>() <= 20.5, "{costs:?}");
    assert_eq!(found["method"], "facility-location");
    for (column, told) in [("prize", "has no column `prize` with costs"), ("source", "the cost `web`")] {
        let ended = place.run(&["select", "t.csv", "--budget", "9", "--cost", column, base[0], base[1]]);
        assert!(ended.code == 1 && ended.err.contains(told), "{}", ended.err);
    }
}

#[test]
fn what_cannot_be_is_told() {
    let place = Place::new();
    place.pictures("parts", 4);
    pool(&place, "few", 2);
    let told = |arguments: &[&str]| place.run(&[&["select"], arguments].concat()).told();
    for (arguments, code, expected) in [
        (&["few", "--budget", "0"][..], 2, "a number above 0"),
        (&["few", "--budget", "2.5"], 2, "no whole number"),
        (&["few"], 2, "--budget"),
        (&["gone", "--budget", "2"], 2, "does not exist"),
        (&["parts", "--budget", "2"], 1, "all 8 examples are labelled"),
        (&["few", "--budget", "2", "--method", "best"], 2, "known are centroids"),
        (
            &["few", "--budget", "2", "--method", "margin", BASE[0], BASE[1]],
            1,
            "needs the margins of a model",
        ),
        (&["few", "--budget", "2", "--cost", "seconds"], 1, "not a row of a table"),
        (&["few", "--budget", "2", "--base", "minilm-l6-en"], 1, "takes texts, but the data holds pictures"),
    ] {
        let told = told(arguments);
        assert!(told.starts_with(&format!("exit {code}")) && told.contains(expected), "{expected} in {told}");
    }
    // More than there is: all of it, and that is said.
    let ended = place.run(&["select", "few", "--budget", "50", BASE[0], BASE[1]]).fine();
    assert!(
        ended.out.lines().count() == 4 && ended.err.contains("50 were asked for"),
        "{}{}",
        ended.out,
        ended.err
    );
    place.write("one.csv", "text\nonly this\n");
    let one = place.run(&["select", "one.csv", "--budget", "1", "--base", "minilm-l6-en"]).fine();
    assert!(one.out.starts_with("1. one.csv:2: "), "{}", one.out);
    place.write("same.csv", "id,text\na,first text\na,quite another one\n");
    let ended = place.run(&["select", "same.csv", "--budget", "2", "--base", "minilm-l6-en"]).fine();
    assert!(ended.out.contains("same.csv:2:a") && ended.out.contains("same.csv:3:a"), "{}", ended.out);
}
