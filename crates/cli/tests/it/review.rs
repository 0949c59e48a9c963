//! Some findings are looked at by a person, and a rule that the audit offers is accepted.

use serde_json::Value;

use crate::run::Place;

/// A file of forty findings about labels.
fn findings(place: &Place) {
    let finding = |number: usize| {
        serde_json::json!({
            "number": number, "fault": "label", "ids": [format!("p{number}.png")], "given": "a", "suggested": "b",
            "action": "relabel",
        })
    };
    let all: Vec<Value> = (1..=40).map(finding).collect();
    let document = serde_json::json!({
        "data": "parts", "findings": all, "advice": [], "info": { "facts": { "data_fingerprint": "abc" } },
    });
    place.write("f.json", document.to_string());
}

fn json(out: &str) -> Value {
    serde_json::from_str(out).unwrap()
}

#[test]
fn answers_are_kept_and_say_how_much_of_the_list_is_right() {
    let place = Place::new();
    findings(&place);
    let asked = json(&place.run(&["review", "f.json", "--json"]).fine().out);
    let open: Vec<u64> = asked["to_look_at"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert_eq!(open.len(), 25);
    assert!(asked["reviewed"]["share"].is_null());
    assert!(!open.is_sorted(), "{open:?}");
    // The end of the input ends the questions; what was answered stays.
    let ended = place.run_on(b"y\nperhaps\nn\nu\n", &["review", "f.json"]).fine();
    assert!(ended.err.contains("of 2 looked at 1 are right, 1 unclear"), "{}", ended.err);
    let again = json(&place.run(&["review", "f.json", "--json"]).fine().out);
    assert_eq!(again["to_look_at"].as_array().unwrap().len(), 22);
    let rest: String = open.iter().skip(3).map(|number| format!("{number},right\n")).collect();
    place.write("v.csv", format!("number,verdict\n{rest}"));
    let all = json(&place.run(&["review", "f.json", "--verdicts", "v.csv", "--json"]).fine().out);
    let share = &all["reviewed"]["share"];
    assert!(all["to_look_at"].as_array().unwrap().is_empty());
    assert!((share["value"].as_f64().unwrap() - 23.0 / 24.0).abs() < 1e-9, "{share}");
    assert!(
        share["low"].as_f64().unwrap() > 0.8 && share["high"].as_f64().unwrap() <= 39.0 / 40.0,
        "{share}"
    );
    let chinese =
        place.run_with(&["review", "f.json", "--verdicts", "v.csv"], &[("DIANJING_LANG", "zh")]).fine();
    assert!(chinese.err.contains("较可疑的一半"), "{}", chinese.err);
}

#[test]
fn what_a_person_picks_is_no_fair_sample_and_is_not_counted() {
    let place = Place::new();
    findings(&place);
    let drawn = json(&place.run(&["review", "f.json", "--json"]).fine().out)["to_look_at"].clone();
    let drawn: Vec<u64> = drawn.as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    // The four that look worst, but those that are drawn first.
    let picked: Vec<u64> = (1..=40).filter(|number| !drawn[..2].contains(number)).take(4).collect();
    let told: String = picked.iter().map(|number| format!("{number},right\n")).collect();
    place.write("v.csv", told);
    let ended = place.run(&["review", "f.json", "--verdicts", "v.csv", "--json"]).fine();
    let reviewed = &json(&ended.out)["reviewed"];
    assert!(
        reviewed["share"].is_null() && reviewed["uncounted"] == 4 && reviewed["right"] == 0,
        "{reviewed}"
    );
    assert!(ended.err.contains("4 more verdicts were given and are not counted"), "{}", ended.err);
    // What was drawn counts, in whatever order it is given.
    place.write("v.csv", format!("{},right\n{},wrong\n", drawn[1], drawn[0]));
    let reviewed =
        json(&place.run(&["review", "f.json", "--verdicts", "v.csv", "--json"]).fine().out)["reviewed"]
            .clone();
    assert_eq!((&reviewed["wrong"], &reviewed["share"]["value"]), (&1.into(), &0.5.into()), "{reviewed}");
    let ended = place.run(&["review", "f.json", "--json", "--seed", "7"]);
    assert!(ended.told().contains("in the order of seed 0, not 7"), "{}", ended.told());
    place.run(&["review", "f.json", "--json", "--seed", "0"]).fine();
}

#[test]
fn a_table_of_verdicts_is_taken_as_a_whole_or_not_at_all() {
    let place = Place::new();
    findings(&place);
    place.write("v.csv", "1,right\n99,right\n");
    place.run(&["review", "f.json", "--verdicts", "v.csv"]);
    assert!(!place.path("f.json.review.json").exists());
    assert_eq!(json(&place.run(&["review", "f.json", "--json"]).fine().out)["reviewed"]["uncounted"], 0);
}

#[test]
fn an_audit_says_how_many_labels_look_wrong_and_after_a_review_how_many_are() {
    let place = Place::new();
    place.pictures("d", 14);
    for number in ["02", "05"] {
        let from = place.path(&format!("d/disc/{number}.png"));
        std::fs::rename(from, place.path(&format!("d/stripes/x{number}.png"))).unwrap();
    }
    let audit = ["audit", "d", "--base", "efficientnet-lite0", "--out", "f.json", "--report", "r.html"];
    let first = |place: &Place| place.run(&audit).fine().out;
    let told = first(&place);
    assert!(
        told.starts_with(
            "2 labels look wrong; how many really are is not known yet: `dianjing review f.json`"
        ),
        "{told}"
    );
    assert!(told.contains("That is 7.1 % of 28 labels, most often stripes → disc (2)."), "{told}");
    let page = std::fs::read_to_string(place.path("r.html")).unwrap();
    assert!(page.contains("is not known yet: <code>dianjing review f.json</code> asks"));
    let findings = std::fs::read_to_string(place.path("f.json")).unwrap();
    let noise = json(&findings)["info"]["label_noise"].clone();
    assert_eq!((&noise["n"], &noise["confusions"][0]["truth"]), (&28.into(), &"disc".into()), "{noise}");
    let number = json(&place.run(&["review", "f.json", "--json"]).fine().out)["to_look_at"][0].clone();
    place.write("v.csv", format!("{number},right\n"));
    place.run(&["review", "f.json", "--verdicts", "v.csv"]).fine();
    // Of the same findings the review holds, in words, in the file and on the page.
    let told = first(&place);
    assert!(told.starts_with("2 labels look wrong (precision 0.50–1.00 at 95 %, 1 looked at)."), "{told}");
    let file = json(&std::fs::read_to_string(place.path("f.json")).unwrap());
    assert_eq!(
        (&file["info"]["reviewed"]["right"], &file["info"]["reviewed"]["share"]["low"]),
        (&1.into(), &0.5.into())
    );
    let page = std::fs::read_to_string(place.path("r.html")).unwrap();
    assert!(page.contains("precision 0.50–1.00 at 95 %") && page.contains("stripes → disc (2)"));
    // Of others it says nothing.
    std::fs::rename(place.path("d/stripes/x02.png"), place.path("d/disc/02.png")).unwrap();
    let told = first(&place);
    assert!(told.starts_with("1 label looks wrong; how many"), "{told}");
    let chinese = place.run_with(&audit[..4], &[("DIANJING_LANG", "zh")]).fine();
    assert!(
        chinese.out.starts_with("1 个标注看起来有误，其中多少确实有误尚不清楚：请用 --out"),
        "{}",
        chinese.out
    );
    // A review that cannot be read is left aside and told, and keeps nobody from another audit.
    place.write("f.json.review.json", "{");
    let ended = place.run(&audit).fine();
    assert!(ended.err.contains("note: the last review is left aside"), "{}", ended.told());
}

#[test]
fn what_is_no_verdict_is_named_by_its_row() {
    let place = Place::new();
    findings(&place);
    for (table, expected) in [
        ("number,verdict\n3,maybe\n", "row 2 of"),
        ("1,right\nseven,right\n", "row 2 of"),
        ("99,right\n", "there is no finding 99; there are 40"),
    ] {
        place.write("v.csv", table);
        let told = place.run(&["review", "f.json", "--verdicts", "v.csv"]).told();
        assert!(told.contains(expected), "{expected} in {told}");
    }
    place.write("f.json.review.json", "{");
    let told = place.run(&["review", "f.json", "--json"]).told();
    assert!(told.contains("holds no verdicts that `review` wrote"), "{told}");
}

/// Discs of any size; small ones are `dot`, but one of three annotators draws the line elsewhere.
pub(crate) fn sized(place: &Place) {
    discs(place, "annotator", |row| {
        let who = row / 40 % 3;
        (["ann", "bo", "cy"][who as usize].to_owned(), if who == 0 { 20.0 } else { 12.0 })
    });
}

/// Discs of any size; those below a limit are `dot`. `of` is what a further column says of a row, and its limit.
pub(crate) fn discs(place: &Place, column: &str, of: impl Fn(u32) -> (String, f32)) {
    let mut table = format!("image,label,{column}\n");
    for row in 0..240_u32 {
        let radius = 6.0 + f32::from(u16::try_from(row % 40).unwrap()) * 0.5;
        let name = format!("p{row:03}.png");
        let picture = image::RgbImage::from_fn(64, 64, |x, y| {
            let (dx, dy) = (x as f32 - 32.0, y as f32 - 32.0);
            let noise = ((x * 31 + y * 17 + row * 7) % 23) as u8;
            let inside = (dx * dx + dy * dy).sqrt() < radius;
            image::Rgb(if inside { [220, 200 - noise, 60] } else { [60 + noise, 60, 110] })
        });
        picture.save(place.path(&name)).unwrap();
        let (value, limit) = of(row);
        let label = if radius < limit { "dot" } else { "disc" };
        table.push_str(&format!("{name},{label},{value}\n"));
    }
    place.write("parts.csv", table);
}

/// What contradicts each other most plainly, and what may be answered, in the list, in words and on the page.
#[track_caller]
fn question_is_shown(place: &Place, rule: &Value) {
    let number = &rule["number"];
    let pairs = rule["pairs"].as_array().unwrap();
    assert!(
        (2..=3).contains(&pairs.len()) && pairs.iter().all(|pair| pair["labels"][0] != pair["labels"][1]),
        "{rule}"
    );
    let answers: Vec<&str> =
        rule["answers"].as_array().unwrap().iter().filter_map(|answer| answer["accept"].as_str()).collect();
    let expected = ["=disc", "=dot", "", "=NAME", "="].map(|ending| format!("{number}{ending}"));
    assert_eq!(answers, expected, "{rule}");
    let shown =
        place.run(&["audit", "parts.csv", "--base", "efficientnet-lite0", "--report", "r.html"]).fine();
    let page = std::fs::read_to_string(place.path("r.html")).unwrap();
    for told in ["     close together: ", &format!("     --accept {number}=dot: All of these are \"dot\".")] {
        assert!(shown.out.contains(told), "{told} in {}", shown.out);
    }
    for told in ["The closest pairs with different labels", &format!("<code>{number}=disc</code>")] {
        assert!(page.contains(told), "{told}");
    }
}

#[test]
fn an_offered_rule_is_accepted_by_its_number_and_goes_into_the_book() {
    let place = Place::new();
    sized(&place);
    let base = ["--base", "efficientnet-lite0"];
    place.run(&["audit", "parts.csv", base[0], base[1], "--out", "f.json"]).fine();
    let found: Value = serde_json::from_slice(&std::fs::read(place.path("f.json")).unwrap()).unwrap();
    let all = found["findings"].as_array().unwrap();
    let rule = all.iter().find(|finding| finding["action"] == "decide_rule" && !finding["offered"].is_null());
    let rule = rule.unwrap_or_else(|| panic!("{all:#?}"));
    // Who labelled it explains the conflict, and settles nothing.
    assert_ne!(rule["offered"]["rule"]["split"]["attribute"], "annotator", "{rule}");
    assert!(rule["about"]["en"].as_str().unwrap().contains("`annotator` parts them"), "{rule}");
    let number = rule["number"].to_string();
    question_is_shown(&place, rule);
    let applied = place.run(&[
        "apply",
        "f.json",
        "--accept",
        &number,
        base[0],
        base[1],
        "--rules",
        "book.json",
        "--author",
        "Li",
        "--out",
        "second.csv",
        "--json",
    ]);
    let revision = json(&applied.fine().out);
    let labels = rule["offered"]["labels"].as_array().unwrap();
    let changes = revision["changes"].as_array().unwrap();
    assert!(!changes.is_empty() && changes.len() < labels.len(), "{revision}");
    for change in changes {
        let place = rule["ids"].as_array().unwrap().iter().position(|id| *id == change["id"]).unwrap();
        assert_eq!(change["to"], labels[place]);
        assert_ne!(change["to"], change["from"]);
    }
    assert_eq!(revision["n_rules"], 1, "{revision}");
    let book = std::fs::read_to_string(place.path("book.json")).unwrap();
    assert!(book.contains("\"split\""), "{book}");
    // That they are not used is an answer too.
    let none = format!("{number}=");
    let out = ["--rules", "none.json", "--author", "Li", "--out", "third.csv", "--json"];
    let ended = place.run(&[&["apply", "f.json", "--accept", &none, base[0], base[1]], &out[..]].concat());
    let revision = json(&ended.fine().out);
    assert_eq!(revision["n"], 240 - rule["ids"].as_array().unwrap().len(), "{revision}");
    assert!(std::fs::read_to_string(place.path("none.json")).unwrap().contains("\"exclude\""));
}
