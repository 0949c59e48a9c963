//! `apply`, asked and told: answers that are kept, labels of every kind, and nothing that is half there.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::run::Place;

const BASE: [&str; 2] = ["--base", "efficientnet-lite0"];

/// Twelve pictures of two kinds in a table whose labels are made, and findings about them.
fn told(place: &Place, label: impl Fn(&str, usize) -> String, findings: &Value) {
    place.pictures("d", 6);
    let mut table = "image,label\n".to_owned();
    for kind in ["disc", "stripes"] {
        (0..6).for_each(|row| table.push_str(&format!("d/{kind}/{row:02}.png,{}\n", label(kind, row))));
    }
    place.write("parts.csv", table);
    let own = json!({ "data": "parts.csv", "findings": findings, "advice": [], "info": { "facts": {} } });
    place.write("f.json", own.to_string());
}

fn finding(number: usize, action: &str, rows: &[usize], suggested: Option<&str>) -> Value {
    let ids: Vec<String> = rows.iter().map(|row| format!("parts.csv:{}", row + 2)).collect();
    json!({
        "number": number, "fault": "label", "ids": ids, "given": "disc", "suggested": suggested, "action": action,
    })
}

fn three() -> Value {
    json!([
        finding(1, "relabel", &[0], Some("stripes")),
        finding(2, "keep_one", &[1, 2], None),
        finding(3, "check_label", &[3], None)
    ])
}

fn revision(out: &str) -> Value {
    serde_json::from_str(out).unwrap()
}

#[test]
fn whoever_is_interrupted_goes_on_where_it_was() {
    let place = Place::new();
    told(&place, |kind, _| kind.to_owned(), &three());
    let asked = ["apply", "f.json", "--interactive", "--json", BASE[0], BASE[1], "--out"];
    // A name that the disk does not take is noticed last of all.
    let endless = format!("second.{}", "v".repeat(300));
    let first = place.run_on(b"Yes\nNO\nperhaps\n=ring\nn\n", &[&asked[..], &[endless.as_str()]].concat());
    assert_eq!(first.code, 1, "{}", first.err);
    for expected in
        ["1/3  1. ", "\n   y: label it stripes\n", "\n   y: keep the first, take out the others\n"]
    {
        assert!(first.err.contains(expected), "{expected} in {}", first.err);
    }
    assert!(first.err.contains("no example is `ring` yet"), "{}", first.err);
    let second = place.run_on(b"=ring\ny\n", &[&asked[..], &["second.csv"]].concat()).fine();
    assert!(second.err.contains("2 answered before are kept in f.json.answers.json"), "{}", second.err);
    assert!(second.err.contains("1/1  3. ") && second.err.contains("New labels: ring"), "{}", second.err);
    let revision = revision(&second.out);
    let to: Vec<&Value> =
        revision["changes"].as_array().unwrap().iter().map(|change| &change["to"]).collect();
    assert_eq!((to, &revision["new_classes"]), (vec![&json!("stripes"), &json!("ring")], &json!(["ring"])));
    assert!(!place.path("f.json.answers.json").exists());
}

#[test]
fn ctrl_c_ends_a_question_and_keeps_the_answers() {
    let place = Place::new();
    told(&place, |kind, _| kind.to_owned(), &three());
    let mut asked =
        place.command(&["apply", "f.json", "--interactive", BASE[0], BASE[1], "--out", "second.csv"]);
    let asked = asked.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut asked = asked.unwrap();
    let mut typed = asked.stdin.take().unwrap();
    std::io::Write::write_all(&mut typed, b"y\n").unwrap();
    let mut said = asked.stderr.take().unwrap();
    let (mut heard, mut byte) = (String::new(), [0]);
    while !heard.contains("2/3  2. ") || !heard.ends_with("[q]uit: ") {
        assert_eq!(said.read(&mut byte).unwrap(), 1, "{heard}");
        heard.push(char::from(byte[0]));
    }
    let pid = i32::try_from(asked.id()).unwrap();
    std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status().unwrap();
    assert_eq!(asked.wait().unwrap().code(), Some(130));
    let kept = std::fs::read_to_string(place.path("f.json.answers.json")).unwrap();
    assert!(kept.contains("\"yes\"") && !place.path("second.csv").exists(), "{kept}");
}

#[test]
fn a_label_that_the_data_cannot_have_is_refused() {
    let place = Place::new();
    told(&place, |_, row| format!("{}.5", 10 * row + 3), &json!([finding(1, "check_label", &[0], None)]));
    let apply = |accept: &str| {
        place.run(&["apply", "f.json", "--accept", accept, BASE[0], BASE[1], "--out", "s.csv"])
    };
    let told = apply("1=wide");
    assert!(
        told.code == 1 && told.err.contains("finding 1 is about a number, and `wide` is none"),
        "{}",
        told.err
    );
    for (accept, expected) in [
        ("3-1", "`3-1` is no range of findings"),
        ("1-9", "there are 1"),
        ("1=\"5, 6", "has a quoted label that does not end"),
    ] {
        let told = apply(accept);
        assert!(told.code == 2 && told.err.contains(expected), "{accept}: {}", told.err);
    }
    assert!(!place.path("s.csv").exists());
    apply("1=4.25").fine();
    assert!(std::fs::read_to_string(place.path("s.csv")).unwrap().contains("d/disc/00.png,4.25,"));
}

#[test]
fn sets_come_back_whatever_their_names_and_however_few_they_are() {
    let place = Place::new();
    told(&place, |_, _| String::new(), &json!([finding(1, "check_label", &[0], None)]));
    let mut rows = String::new();
    for (row, kind) in (0..12).zip(["disc"; 6].into_iter().chain(["stripes"; 6])) {
        let labels = if row == 11 { json!([]) } else { json!([format!("shape|{kind}"), "drawn"]) };
        let line = json!({ "image": format!("d/{kind}/{:02}.png", row % 6), "label": labels });
        rows.push_str(&format!("{line}\n"));
    }
    place.write("parts.csv.jsonl", &rows);
    let own = std::fs::read_to_string(place.path("f.json")).unwrap();
    place.write("f.json", own.replace("parts.csv", "parts.csv.jsonl").replace("jsonl:2", "jsonl:1"));
    let accept = "1=[\"shape|stripes\"]";
    let first =
        place.run(&["apply", "f.json", "--accept", accept, BASE[0], BASE[1], "--out", "s.csv", "--json"]);
    let first = revision(&first.fine().out);
    assert_eq!(
        (&first["changes"][0]["from"], &first["changes"][0]["to"], &first["new_classes"]),
        (&json!("[\"drawn\",\"shape|disc\"]"), &json!("[\"shape|stripes\"]"), &json!([])),
        "{first}"
    );
    let table = std::fs::read_to_string(place.path("s.csv")).unwrap();
    assert!(table.contains("d/stripes/05.png,[],"), "{table}");
    // Read again it says the same.
    let again = own.replace("parts.csv:2", "parts.csv.jsonl:1").replace("parts.csv\"", "s.csv\"");
    place.write("g.json", again);
    let back = place.run(&[
        "apply",
        "g.json",
        "--accept",
        "1=drawn;shape|disc",
        BASE[0],
        BASE[1],
        "--out",
        "t.csv",
        "--json",
    ]);
    let back = revision(&back.fine().out);
    let change = &back["changes"][0];
    assert_eq!((&change["from"], &change["to"]), (&first["changes"][0]["to"], &first["changes"][0]["from"]));
    assert_eq!(back["new_classes"], json!([]), "{back}");
}

#[test]
fn a_table_under_another_name_is_the_one_that_was_audited_as_it_was_read() {
    let place = Place::new();
    told(&place, |kind, row| if row == 2 { "stripes".to_owned() } else { kind.to_owned() }, &json!([]));
    let table = std::fs::read_to_string(place.path("parts.csv")).unwrap();
    // The column that is called `label` is not the one that was asked about.
    let table: Vec<String> = table.lines().map(|line| format!("{line},x")).collect();
    place.write("parts.csv", table.join("\n").replacen("label,x", "kind,label", 1));
    std::fs::remove_file(place.path("f.json")).unwrap();
    place.run(&["audit", "parts.csv", "--label", "kind", BASE[0], BASE[1], "--out", "f.json"]).fine();
    let found: Value = serde_json::from_slice(&std::fs::read(place.path("f.json")).unwrap()).unwrap();
    let accept = format!("{}=ring", found["findings"][0]["number"]);
    std::fs::rename(place.path("parts.csv"), place.path("moved.csv")).unwrap();
    let apply =
        ["apply", "f.json", "--accept", &accept, BASE[0], BASE[1], "--data", "moved.csv", "--out", "s.csv"];
    place.run(&apply).fine();
    assert!(std::fs::read_to_string(place.path("s.csv")).unwrap().contains(",ring,"));
}

#[test]
fn findings_of_arrays_are_told_to_be_no_table() {
    let place = Place::new();
    let own = json!({ "data": null, "findings": [], "advice": [], "info": { "facts": {} } });
    place.write("f.json", own.to_string());
    let told = place.run(&["apply", "f.json", "--accept", "all", "--out", "s.csv"]);
    assert!(told.code == 1 && told.err.contains("holds findings about arrays"), "{}", told.err);
}
