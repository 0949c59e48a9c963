//! The label book from the command line: rules go into it, new labels are heard about, and an audit checks labels by it.

use std::fs;

use serde_json::{Value, json};

use crate::review::{discs, sized};
use crate::run::{Ended, Place};

const BASE: [&str; 2] = ["--base", "efficientnet-lite0"];

fn read(place: &Place, name: &str) -> Value {
    serde_json::from_slice(&fs::read(place.path(name)).unwrap()).unwrap()
}

/// Discs that follow two rules, audited with a seed of its own; gives the finding that offers a rule.
fn audited(place: &Place) -> Value {
    sized(place);
    let audit = ["audit", "parts.csv", BASE[0], BASE[1], "--seed", "3", "--skip", "low_value"];
    place.run(&[&audit[..], &["--out", "f.json"]].concat()).fine();
    let found = read(place, "f.json");
    let all = found["findings"].as_array().unwrap();
    let rule = all.iter().find(|finding| finding["action"] == "decide_rule" && !finding["offered"].is_null());
    rule.unwrap_or_else(|| panic!("{all:#?}")).clone()
}

fn apply(place: &Place, findings: &str, accept: &str, more: &[&str]) -> Ended {
    let asked = ["apply", findings, "--accept", accept, BASE[0], BASE[1], "--rules", "book.json"];
    place.run(&[&asked[..], more].concat())
}

/// What contradicts each other most plainly, and what may be typed.
#[track_caller]
fn who_is_asked_sees_what_may_be_answered(place: &Place) {
    let asked = ["apply", "f.json", "--interactive", BASE[0], BASE[1], "--out", "second.csv"];
    let told = place.run_on(&b"n\n".repeat(100), &asked).told();
    for expected in
        ["look alike: which rule applies?", "close together: ", "\n   1: ", "\n   2: ", "a number, [n]o"]
    {
        assert!(told.contains(expected), "{expected} in {told}");
    }
}

#[test]
fn a_rule_is_kept_whole_or_nothing_is_written() {
    let place = Place::new();
    let rule = audited(&place);
    let number = rule["number"].to_string();
    let kept = |place: &Place| place.path("book.json").exists() || place.path("second.csv").exists();
    let told = apply(&place, "f.json", &number, &["--out", "second.csv"]).told();
    assert!(
        told.contains(&format!("finding {number} decides on a rule: name who decides, with --author")),
        "{told}"
    );
    who_is_asked_sees_what_may_be_answered(&place);
    // What was printed has no case.
    let printed = place.run(&["audit", "parts.csv", BASE[0], BASE[1], "--seed", "3", "--json"]).fine();
    place.write("printed.json", printed.out);
    let told = apply(&place, "printed.json", &number, &["--author", "Li", "--out", "second.csv"]).told();
    assert!(
        told.contains("do not hold the case") && told.contains("hint: write the findings again"),
        "{told}"
    );
    assert!(!kept(&place));
    // A name that the disk does not take is noticed last of all.
    let endless = format!("second.{}", "v".repeat(300));
    let told = apply(&place, "f.json", &number, &["--author", "Li", "--out", &endless]).told();
    assert!(told.starts_with("exit 1\nerror: cannot write"), "{told}");
    assert!(!kept(&place) && crate::run::names(place.dir.path()).iter().all(|name| !name.contains("draft")));
    let first = apply(&place, "f.json", &number, &["--author", "Li", "--out", "second.csv", "--json"]).fine();
    let first: Value = serde_json::from_str(&first.out).unwrap();
    assert_eq!((&first["n_rules"], &first["book"]["n_rules"]), (&json!(1), &json!(1)), "{first}");
    assert_eq!(first["book"]["hash"], store::Hash::of_file(&place.path("book.json")).unwrap().to_string());
    assert!(first["against"].as_array().unwrap().is_empty() && first["n_unheard"] == 0, "{first}");
    let book = fs::read_to_string(place.path("book.json")).unwrap();
    // Said again it is the same rule.
    let again = apply(&place, "f.json", &number, &["--author", "Wu", "--out", "third.csv", "--json"]).fine();
    let again: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!((&again["n_rules"], &again["book"]), (&json!(0), &first["book"]), "{again}");
    // Another base cannot stand beside it.
    place.write("book.json", book.replace("efficientnet-lite0", "old-base"));
    let told = apply(&place, "f.json", &number, &["--author", "Li", "--out", "fourth.csv"]).told();
    for expected in ["the base `old-base`", "with `efficientnet-lite0", "hint: a book belongs to one base"] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
    let chinese = place.run_with(
        &[
            "apply",
            "f.json",
            "--accept",
            &number,
            "--rules",
            "book.json",
            "--author",
            "Li",
            "--out",
            "fourth.csv",
        ],
        &[("DIANJING_LANG", "zh")],
    );
    assert!(
        chinese.err.contains("用底座“old-base") && chinese.err.contains("提示：一本标签手册"),
        "{}",
        chinese.err
    );
    assert!(!place.path("fourth.csv").exists());
    assert_eq!(fs::read_to_string(place.path("book.json")).unwrap().matches("\"rule\"").count(), 1);
}

#[test]
fn labels_are_heard_about_when_they_are_given_and_when_they_are_audited() {
    let place = Place::new();
    let rule = audited(&place);
    let number = rule["number"].to_string();
    apply(&place, "f.json", &number, &["--author", "Li", "--out", "second.csv"]).fine();
    // Somebody gives one of its examples the other label.
    let (id, right) = (&rule["ids"][0], rule["offered"]["labels"][0].as_str().unwrap());
    let wrong = if right == "dot" { "disc" } else { "dot" };
    let finding = json!({
        "number": 1, "fault": "low_value", "ids": [id], "given": null, "suggested": null, "action": "check_label",
    });
    let own = json!({ "data": "parts.csv", "findings": [finding], "advice": [], "info": { "facts": {} } });
    place.write("own.json", own.to_string());
    let given = apply(&place, "own.json", &format!("1={wrong}"), &["--out", "third.csv", "--json"]).fine();
    let revision: Value = serde_json::from_str(&given.out).unwrap();
    let against = &revision["against"][0];
    assert_eq!(
        (&against["id"], &against["given"], &against["rule"]),
        (id, &json!(wrong), &json!(1)),
        "{revision}"
    );
    assert_eq!((&against["asks"], &revision["n_rules"]), (&json!(right), &json!(0)), "{revision}");
    assert!(
        !against["like"].as_str().unwrap().is_empty() && revision["book"]["hash"].is_string(),
        "{revision}"
    );
    assert_eq!(read(&place, "third.csv.revision.json")["book"], revision["book"]);
    for told in [format!("rule 1 of the book asks for `{right}`"), "is most like it".to_owned()] {
        assert!(given.err.contains(&told), "{told} in {}", given.err);
    }
    assert!(place.path("third.csv").exists());
    // With another book in force nothing can be told, and that is said.
    let book = fs::read_to_string(place.path("book.json")).unwrap();
    place.write("book.json", book.replace("efficientnet-lite0", "old-base"));
    let unheard = apply(&place, "own.json", &format!("1={wrong}"), &["--out", "fourth.csv"]).fine();
    assert!(unheard.err.contains("1 new labels were not checked against the book"), "{}", unheard.err);
    let refused = ["audit", "third.csv", BASE[0], BASE[1], "--rules", "book.json"];
    let told = place.run(&refused).told();
    for expected in ["the base `old-base", "from `efficientnet-lite0", "hint: a book belongs to one base"] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
    let chinese = place.run_with(&refused, &[("DIANJING_LANG", "zh")]);
    assert!(chinese.err.contains("用底座“old-base") && chinese.err.contains("提示：一本"), "{}", chinese.err);
    place.write("book.json", book);
    let audit = ["audit", "third.csv", BASE[0], BASE[1], "--rules", "book.json", "--out", "third.json"];
    place.run(&audit).fine();
    let found = read(&place, "third.json");
    let all = found["findings"].as_array().unwrap();
    let broken: Vec<&Value> = all.iter().filter(|finding| finding["fault"] == "rule_broken").collect();
    let is_it = |finding: &&Value| finding["ids"][0] == *id && finding["suggested"] == right;
    assert!(broken.into_iter().any(|finding| is_it(&finding)), "{all:#?}");
    // The list, the summary and the table say the same.
    let n_broken = all.iter().filter(|finding| finding["fault"] == "rule_broken").count();
    let line =
        found["summary"].as_array().unwrap().iter().find(|line| line["fault"] == "rule_broken").unwrap();
    assert_eq!((&line["findings"], &line["flagged"]), (&json!(n_broken), &json!(n_broken)), "{line}");
    let rows = found["issues"].as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| row["is_rule_broken_issue"] == true).count(), n_broken);
    let skipped = place.run(&[&audit[..6], &["--json", "--skip", "rule_broken"]].concat()).fine();
    assert!(!skipped.out.contains("rule_broken"), "{}", skipped.out);
}

#[test]
fn a_conflict_is_explained_by_a_date_which_numbers_nothing() {
    let place = Place::new();
    // Each row has a time of its own; from the middle of May on the line is drawn elsewhere.
    discs(&place, "taken", |row| {
        let place = row * 7 % 240;
        let (day, minute) = (1 + place / 8, place % 8);
        (format!("2031-05-{day:02} 10:{minute:02}"), if day < 16 { 20.0 } else { 12.0 })
    });
    place.run(&["audit", "parts.csv", BASE[0], BASE[1], "--out", "f.json"]).fine();
    let found = read(&place, "f.json");
    let all = found["findings"].as_array().unwrap();
    assert!(all.iter().all(|finding| finding["fault"] != "identifier_column"), "{all:#?}");
    let rule = all.iter().find(|finding| !finding["offered"].is_null()).unwrap_or_else(|| panic!("{all:#?}"));
    let before = &rule["offered"]["rule"]["split"]["by"]["before"];
    assert_eq!(before, &json!({ "date": "2031-05-16", "earlier": "b" }), "{rule}");
    let about = rule["about"]["en"].as_str().unwrap();
    for told in
        ["`taken` parts them: median 2031-05-", "\"`dot` where `taken` is before 2031-05-16, else `disc`\""]
    {
        assert!(about.contains(told), "{told} in {about}");
    }
    let number = rule["number"].to_string();
    apply(&place, "f.json", &number, &["--author", "Li", "--out", "second.csv"]).fine();
    let page = fs::read_to_string(place.path("book.md")).unwrap();
    assert!(page.contains("\"dot\" where taken is before 2031-05-16, \"disc\" from then on."), "{page}");
    let audit = ["audit", "second.csv", BASE[0], BASE[1], "--rules", "book.json", "--json"];
    let again = place.run(&audit).fine().out;
    let line = |fault: &str| {
        let again: Value = serde_json::from_str(&again).unwrap();
        again["summary"].as_array().unwrap().iter().find(|line| line["fault"] == fault).cloned()
    };
    assert_eq!(line("rule_broken").map(|line| line["flagged"].clone()), Some(json!(0)), "{again}");
}
