//! `audit` at the door: findings on pictures, on texts, and on arrays from elsewhere.

use std::fs;

use serde_json::Value;

use crate::run::{Ended, Place, npy};

const BASE: [&str; 2] = ["--base", "efficientnet-lite0"];

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap()
}

/// The findings of one fault.
fn findings(document: &Value, fault: &str) -> Vec<Value> {
    let all = document["findings"].as_array().unwrap();
    all.iter().filter(|finding| finding["fault"] == fault).cloned().collect()
}

/// Pictures with one wrong label, one copy on each side of train and test, and a black one.
fn flawed() -> Place {
    let place = Place::new();
    place.pictures("parts/train", 12);
    place.pictures("parts/test", 3);
    for kind in ["disc", "stripes"] {
        for index in 0..3 {
            // The made pictures are the same in both parts: only the first one stays a leak.
            if kind == "disc" || index > 0 {
                fs::remove_file(place.path(&format!("parts/train/{kind}/{index:02}.png"))).unwrap();
            }
        }
    }
    fs::rename(place.path("parts/train/stripes/07.png"), place.path("parts/train/disc/wrong.png")).unwrap();
    image::RgbImage::new(48, 48).save(place.path("parts/train/disc/black.png")).unwrap();
    place
}

#[test]
fn planted_faults_are_found_with_their_evidence() {
    let place = flawed();
    let ended = place
        .run(&["audit", "parts", BASE[0], BASE[1], "--json", "--out", "found.csv", "--report", "found.html"])
        .fine();
    let found = json(&ended);
    let wrong = findings(&found, "label");
    let wrong = wrong.iter().find(|finding| finding["ids"][0].as_str().unwrap().ends_with("wrong.png"));
    let wrong = wrong.unwrap_or_else(|| panic!("{}", ended.out));
    assert_eq!((&wrong["given"], &wrong["suggested"]), (&"disc".into(), &"stripes".into()));
    assert!(wrong["score"].as_f64().unwrap() < 0.5 && wrong["action"] == "relabel");
    assert_eq!(wrong["views"].as_array().unwrap().len(), 3);
    assert!(wrong["neighbours"].as_array().unwrap().iter().any(|near| near["label"] == "stripes"));
    let leaks = findings(&found, "leak");
    let copy = leaks.iter().find(|leak| {
        let ids: Vec<&str> = leak["ids"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let has = |part: &str| ids.iter().any(|id| id.contains(part) && id.ends_with("stripes/00.png"));
        has("test") && has("train")
    });
    let copy = copy.unwrap_or_else(|| panic!("{}", ended.out));
    assert!(copy["ids"][0].as_str().unwrap().contains("test") && copy["action"] == "remove_from_test");
    for fault in ["dark", "low_information"] {
        assert!(
            findings(&found, fault)[0]["ids"][0].as_str().unwrap().ends_with("black.png"),
            "{}",
            ended.out
        );
    }
    let dark = &findings(&found, "dark")[0]["about"];
    assert_eq!(dark["en"], "brightness of its brightest hundredth: 0; limit 0.32");
    assert_eq!(dark["zh"], "最亮百分之一的亮度：0，界限 0.32");
    assert_eq!(copy["about"]["en"], "2 that are the same");
    assert!(wrong["about"]["en"].as_str().unwrap().ends_with("of 3 views contradict its label"), "{wrong}");
    assert!(
        found["findings"].as_array().unwrap().iter().all(|finding| finding["about"].is_object()),
        "{found}"
    );
    let table = fs::read_to_string(place.path("found.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + found["n_examples"].as_u64().unwrap() as usize);
    assert!(table.starts_with("id,given_label,suggested_label,duplicate_group,is_leak_issue,leak_score,"));
    assert!(table.lines().next().unwrap().contains(",is_label_issue,label_score,"));
    place.run(&["audit", "parts", BASE[0], BASE[1], "--out", "found.json"]).fine();
    agree(&serde_json::from_slice(&fs::read(place.path("found.json")).unwrap()).unwrap());
    let page = fs::read_to_string(place.path("found.html")).unwrap();
    for shown in [
        "wrong.png",
        "data:image/jpeg;base64,",
        "Most similar examples",
        "logistic regression: stripes",
        "2 that are the same",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("http://") && !page.contains("https://"));
}

#[test]
fn what_is_skipped_is_not_looked_for_and_findings_can_fail() {
    let place = flawed();
    let words =
        place.run(&["audit", "parts", BASE[0], BASE[1], "--skip", "label,dark,low_information"]).fine();
    assert!(
        words.out.contains("leaks between train and test") && !words.out.contains("labels that look wrong"),
        "{}",
        words.out
    );
    assert!(words.out.contains("stripes/00.png; stripes; 2 that are the same; score 0.000"), "{}", words.out);
    assert!(words.err.contains("Next, see the evidence: dianjing audit parts --report"), "{}", words.err);
    let chinese = place
        .run_with(&["audit", "parts", BASE[0], BASE[1], "--fail-on-findings"], &[("DIANJING_LANG", "zh")]);
    assert!(
        chinese.code == 3 && chinese.out.contains("可疑标注") && chinese.out.contains("最相似"),
        "{}",
        chinese.out
    );
    let unknown = place.run(&["audit", "parts", "--skip", "nothing"]);
    assert!(unknown.code == 2 && unknown.err.contains("low_information"), "{}", unknown.err);
}

#[test]
fn every_form_of_table_is_written_and_nothing_precious_is_lost() {
    let place = Place::new();
    arrays(&place, false);
    for name in ["found.csv", "found.json", "found.parquet"] {
        // The second time there is one of ours to write over.
        for _ in 0..2 {
            place.run(&["audit", "--labels", "y.npy", "--pred-probs", "p.npy", "--out", name]).fine();
        }
        place.write(name, "precious");
        let ended = place.run(&["audit", "--labels", "y.npy", "--pred-probs", "p.npy", "--out", name]);
        assert!(ended.code == 2 && ended.err.contains("is already there"), "{}", ended.err);
    }
    let ended = place.run(&["audit", "--labels", "y.npy", "--pred-probs", "p.npy", "--out", "found.xlsx"]);
    assert!(ended.code == 2 && ended.err.contains(".parquet"), "{}", ended.err);
}

/// Whether the list, the summary and the table say the same of what was found.
#[track_caller]
fn agree(file: &Value) {
    let list = file["findings"].as_array().unwrap();
    let rows = file["issues"].as_array().unwrap();
    let mut counted = 0;
    for line in file["summary"].as_array().unwrap() {
        let fault = line["fault"].as_str().unwrap();
        counted += line["findings"].as_u64().unwrap();
        assert_eq!(line["findings"], findings(file, fault).len(), "{line}");
        let column = format!("is_{fault}_issue");
        let flagged = rows.iter().filter(|row| row[&column] == true).count();
        assert_eq!(line["flagged"], flagged, "{line}");
        let is_of_set = ["spurious_correlation", "non_iid", "identifier_column"].contains(&fault);
        assert_eq!(rows.iter().all(|row| row.get(&column).is_none()), is_of_set, "{line}");
    }
    assert_eq!(counted, list.len() as u64, "{}", file["summary"]);
}

#[test]
fn what_is_about_the_set_as_a_whole_is_in_the_summary_too() {
    let place = Place::new();
    place.pictures("d", 14);
    // A number for each row, and a maker that tells the label: nothing is wrong with any single example.
    let mut table = "image,label,number,maker\n".to_owned();
    for (first, kind, maker) in [(100, "disc", "north"), (114, "stripes", "south")] {
        for row in 0..14 {
            table.push_str(&format!("d/{kind}/{row:02}.png,{kind},{},{maker}\n", first + row));
        }
    }
    place.write("parts.csv", table);
    let skip =
        "label,low_value,duplicate,outlier,upscaled,blurry,odd_brightness,weak_slice,conflict,label_in_name";
    let ended = place
        .run(&["audit", "parts.csv", BASE[0], BASE[1], "--skip", skip, "--out", "found.json", "--json"])
        .fine();
    let file: Value = serde_json::from_slice(&fs::read(place.path("found.json")).unwrap()).unwrap();
    agree(&file);
    assert!(!ended.err.contains("nothing flagged"), "{}", ended.err);
    for (fault, told) in [
        ("identifier_column", "columns that only number"),
        ("spurious_correlation", "properties that tell the label"),
    ] {
        let line =
            json(&ended)["summary"].as_array().unwrap().iter().find(|line| line["fault"] == fault).cloned();
        let line = line.unwrap_or_else(|| panic!("{}", ended.out));
        assert!(line["findings"].as_u64() >= Some(1) && line["flagged"] == 0 && line["n"] == 28, "{line}");
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
}

/// Sixty labels of two classes, the third one wrong, with the probabilities of a good or of an overfitted model, and features.
fn arrays(place: &Place, in_sample: bool) {
    let labels: Vec<i64> = (0..60).map(|row| if row == 2 { 1 } else { row % 2 }).collect();
    let truth = |row: i64| if in_sample { labels[row as usize] } else { row % 2 };
    let sure = |row: i64| if in_sample { 0.995 } else { 0.8 + 0.01 * (row % 15) as f64 };
    let probs = (0..60).flat_map(|row| {
        let p = sure(row);
        if truth(row) == 0 { [p, 1.0 - p] } else { [1.0 - p, p] }
    });
    let features = (0..60_i64).flat_map(|row| {
        let spread = |place: i64| ((row * (place + 7) * 31) % 17) as f64 / 17.0;
        [(row % 2) as f64 * 4.0 + spread(0), spread(1), spread(2), 1.0 + spread(3)]
    });
    let bytes = |values: Vec<f64>| values.into_iter().flat_map(f64::to_le_bytes).collect::<Vec<u8>>();
    place.write(
        "y.npy",
        npy("<i8", "(60,)", &labels.iter().flat_map(|label| label.to_le_bytes()).collect::<Vec<_>>()),
    );
    place.write("p.npy", npy("<f8", "(60, 2)", &bytes(probs.collect())));
    place.write("x.npy", npy("<f8", "(60, 4)", &bytes(features.collect())));
}

#[test]
fn arrays_from_elsewhere_are_looked_through() {
    let place = Place::new();
    arrays(&place, false);
    for features in [&["--features", "x.npy"][..], &[]] {
        let arguments =
            [&["audit", "--labels", "y.npy", "--pred-probs", "p.npy", "--json"], features].concat();
        let found = json(&place.run(&arguments).fine());
        let wrong = findings(&found, "label");
        assert_eq!(wrong.len(), 1, "{found}");
        assert_eq!((&wrong[0]["ids"][0], &wrong[0]["suggested"]), (&"2".into(), &"0".into()));
        assert_eq!(wrong[0]["neighbours"].as_array().unwrap().is_empty(), features.is_empty());
    }
}

#[test]
fn in_sample_probabilities_are_warned_about() {
    let place = Place::new();
    arrays(&place, true);
    let ended = place.run(&["audit", "--labels", "y.npy", "--pred-probs", "p.npy"]).fine();
    assert!(ended.err.contains("Pass out-of-fold probabilities"), "{}", ended.err);
    // Where similar examples tell the labels as well, they are easy.
    let ended =
        place.run(&["audit", "--labels", "y.npy", "--pred-probs", "p.npy", "--features", "x.npy"]).fine();
    assert!(!ended.err.contains("out-of-fold"), "{}", ended.err);
}

#[test]
fn arrays_that_are_none_are_refused() {
    let place = Place::new();
    arrays(&place, false);
    let told =
        |labels: &str, probs: &str| place.run(&["audit", "--labels", labels, "--pred-probs", probs]).told();
    place.write("names.npy", npy("<U3", "(60,)", &[0; 720]));
    place.write("objects.npy", npy("|O", "(60,)", b"\x80\x04."));
    place.write("short.npy", npy("<f8", "(60, 2)", &[0; 8]));
    place.write("few.npy", npy("<f8", "(2, 2)", &[0; 32]));
    place.write("half.npy", npy("<f8", "(1,)", &0.5_f64.to_le_bytes()));
    place.write("zeros.npy", npy("<f8", "(60, 2)", &[0; 960]));
    for (labels, probs, expected) in [
        ("names.npy", "p.npy", "`names.npy` is not an array of numbers saved by numpy.save"),
        ("names.npy", "p.npy", "texts of type `<U3`"),
        ("objects.npy", "p.npy", "pickle"),
        ("y.npy", "short.npy", "ends in the middle of the numbers"),
        ("y.npy", "few.npy", "`few.npy` has shape (2, 2), expected (60, k)"),
        ("half.npy", "p.npy", "label 0 of `half.npy` is 0.5; labels are whole numbers from 0"),
        ("y.npy", "zeros.npy", "the probabilities of row 0 sum to 0, not to 1"),
        ("gone.npy", "p.npy", "cannot read `gone.npy`"),
    ] {
        let told = told(labels, probs);
        assert!(told.starts_with("exit 1") && told.contains(expected), "{expected} in {told}");
    }
    let ended = place.run(&["audit"]);
    assert!(ended.code == 2 && ended.err.contains("DATA"), "{}", ended.err);
}

/// Sixty items, seven annotators; `guess` answers by chance.
fn votes(columns: &str) -> String {
    let mut table = format!("{columns}\n");
    for item in 0..60 {
        for who in 0..4 {
            let truth = item % 3;
            let slips = (item * 7 + who * 5) % 11 == 0;
            let said = if who == 3 {
                (item * item + item / 5) % 3
            } else if slips {
                (truth + 1) % 3
            } else {
                truth
            };
            table.push_str(&format!(
                "i{item},{},{}\n",
                ["ann", "bo", "cy", "guess"][who],
                ["cat", "dog", "owl"][said]
            ));
        }
    }
    table
}

#[test]
fn votes_become_labels_and_annotators_are_weighed() {
    let place = Place::new();
    place.write("votes.csv", votes("item,annotator,label"));
    let found =
        json(&place.run(&["consensus", "votes.csv", "--json", "--ask", "3", "--out", "labels.csv"]).fine());
    let items = found["items"].as_array().unwrap();
    let right =
        items.iter().enumerate().filter(|(place, item)| item["label"] == ["cat", "dog", "owl"][place % 3]);
    assert!(right.count() >= 57, "{found}");
    let accuracy = |name: &str| {
        let people = found["annotators"].as_array().unwrap();
        people.iter().find(|person| person["annotator"] == name).unwrap()["accuracy"].as_f64().unwrap()
    };
    assert!(accuracy("guess") < 0.6 && accuracy("ann") > 0.8, "{}", found["annotators"]);
    assert_eq!(found["questions"].as_array().unwrap().len(), 3);
    assert!(found["alpha"]["low"].as_f64() < found["alpha"]["value"].as_f64() && found["alpha"]["n"] == 60);
    let table = fs::read_to_string(place.path("labels.csv")).unwrap();
    assert!(table.starts_with("item,consensus_label,confidence,n_votes,n_agreeing\ni0,cat,"), "{table}");
    let glad = place.run(&["consensus", "votes.csv", "--method", "glad"]).fine();
    assert!(glad.err.contains("by glad, as asked for"), "{}", glad.err);
    let refused = place.run(&["consensus", "votes.csv", "--method", "crowdlab"]);
    assert!(refused.code == 1 && refused.err.contains("--examples"), "{}", refused.told());
    let unknown = place.run(&["consensus", "votes.csv", "--method", "best"]);
    assert!(unknown.code == 2 && unknown.err.contains("dawid-skene"), "{}", unknown.told());
    let words = place.run_with(&["consensus", "votes.csv"], &[("DIANJING_LANG", "zh")]).fine();
    assert!(
        words.out.contains("标注员") && words.err.contains("汇总了 4 位标注员对 60 个样本的 240 票"),
        "{}",
        words.err
    );
}

#[test]
fn who_tires_is_told_by_the_times_of_the_votes() {
    let place = Place::new();
    // Three people, sixty items, one a day; `bo` guesses from the fortieth on.
    let mut table = "item,annotator,label,date\n".to_owned();
    for item in 0..60 {
        for (who, name) in ["ann", "bo", "cy"].iter().enumerate() {
            let tired = who == 1 && item >= 40;
            let said = (item + usize::from(tired || (item * 7 + who * 3) % 20 == 0)) % 3;
            table.push_str(&format!(
                "i{item},{name},{},2031-{}-{}\n",
                said + 1,
                1 + item / 28,
                1 + item % 28
            ));
        }
    }
    place.write("votes.csv", table);
    let found = json(&place.run(&["consensus", "votes.csv", "--json", "--scale", "interval"]).fine());
    let changes: Vec<&serde_json::Value> =
        found["annotators"].as_array().unwrap().iter().map(|person| &person["change"]["is_change"]).collect();
    assert_eq!(changes, [false, true, false], "{}", found["annotators"]);
    // One date for all says nothing, and a column that is named is taken.
    place.write(
        "flat.csv",
        "item,annotator,label,date,when\ni1,ann,cat,2031-05-28,1\ni1,bo,cat,2031-05-28,2\n",
    );
    let flat = json(&place.run(&["consensus", "flat.csv", "--time", "when", "--json"]).fine());
    assert!(flat["annotators"][0]["change"].is_null(), "{flat}");
    let words = place.run(&["consensus", "votes.csv"]).fine();
    assert!(words.out.contains("changed, by quarters") && words.out.contains(" → "), "{}", words.out);
    // A vote without a time is a vote, and only says nothing about changes.
    let timeless = fs::read_to_string(place.path("votes.csv")).unwrap().replacen(",2031-1-1\n", ",\n", 1);
    place.write("timeless.csv", &timeless);
    let ended = place.run(&["consensus", "timeless.csv", "--time", "date", "--json"]).fine();
    let found = json(&ended);
    assert!(!ended.err.contains("cannot be read") && found["items"][0]["n_votes"] == 3, "{}", ended.err);
    let bo = &found["annotators"].as_array().unwrap()[1]["change"];
    assert!(bo["is_change"] == true, "{}", found["annotators"]);
    place.write("odd.csv", "item,annotator,label,time\ni1,ann,cat,soon\ni1,bo,cat,2031-05-28\n");
    let ended = place.run(&["consensus", "odd.csv"]).fine();
    assert!(ended.err.contains("some times cannot be read, `soon`"), "{}", ended.err);
    let ended = place.run(&["consensus", "odd.csv", "--scale", "interval"]);
    assert!(ended.code == 1 && ended.err.contains("the label `cat` is not a number"), "{}", ended.err);
}

#[test]
fn columns_are_named_by_flags_and_bad_votes_are_told() {
    let place = Place::new();
    place.write("votes.csv", votes("a,b,c"));
    let ended = place.run(&["consensus", "votes.csv"]);
    assert!(
        ended.code == 1
            && ended.err.contains("looks like the item; it has `a`, `b`, `c`; name it with --item"),
        "{}",
        ended.err
    );
    // The column that is left over is the third.
    place.run(&["consensus", "votes.csv", "--item", "a", "--annotator", "b"]).fine();
    let ended = place.run(&["consensus", "votes.csv", "--item", "x"]);
    assert!(ended.code == 2 && ended.err.contains("no column `x`"), "{}", ended.err);
    place.write("odd.csv", "item,annotator,label\ni1,ann,cat\ni1,ann,dog\ni1,bo,\ni2,bo,dog\n");
    let ended = place.run(&["consensus", "odd.csv"]).fine();
    for told in ["odd.csv:4", "1 votes repeat one", "voted once", "no item with two votes"] {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
}
