//! Marks: given, taken back, renamed, sent out and brought in again.

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, photo};

use crate::running::{folder, start};

#[test]
fn what_is_marked_survives_a_way_out_and_back() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let files: Vec<_> =
        (0..3).map(|number| (format!("{number}.png"), photo([90, 120, 90], number))).collect();
    let dataset = owner.bring("parts", &files);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let first = owner.get(&at("/examples")).body["examples"][0].clone();
    assert_eq!((first["width"].clone(), first["height"].clone()), (json!(64), json!(64)));
    let marks = json!([
        { "class": "scratch", "shape": "box", "x": 4.0, "y": 8.0, "width": 20.0, "height": 10.0 },
        { "class": "dent", "shape": "polygon", "points": [[1.0, 1.0], [30.0, 2.0], [12.0, 40.0]] },
        { "class": "dent", "shape": "brush", "width": 64, "height": 64, "runs": [100, 20, 3976] },
    ]);
    let put = format!("/v1/examples/{}/marks", first["id"].as_str().expect("an id"));
    let kept = owner.send("PUT", &put, &json!({ "marks": marks, "milliseconds": 5000 }));
    assert_eq!(kept.body["n_marked"], 1, "{kept:?}");
    unseen_marks_stay(&owner, first["id"].as_str().expect("an id"), &marks, &kept.body["event"]);
    for (wrong, words) in [
        (json!({ "class": "a", "shape": "span", "start": 1, "end": 2 }), "mark 1"),
        (json!({ "class": "a", "shape": "brush", "width": 64, "height": 64, "runs": [1] }), "runs"),
        (json!({ "class": "a", "shape": "box", "x": 1.0, "y": 1.0, "width": 0.0, "height": 1.0 }), "size"),
    ] {
        let refused = owner.send("PUT", &put, &json!({ "marks": [wrong] }));
        assert!(refused.status == 422 && refused.text.contains(words), "{refused:?}");
    }
    owner.send("PUT", &put, &json!({ "marks": [] }));
    let undone = owner.post(&at("/undo"), &json!({})).body;
    assert_eq!((undone["what"].clone(), undone["example"]["marks"].clone()), (json!("marks"), marks.clone()));
    owner.send("PATCH", &at("/classes/dent"), &json!({ "name": "bump" }));
    assert_eq!(owner.get(&at("/examples?state=marked")).body["total"], 1);

    let formats = owner.get(&at("/export/formats")).body;
    let fit = |name: &str| {
        let formats = formats["formats"].as_array().expect("formats").clone();
        formats.into_iter().find(|format| format["format"] == name).expect("a known format")
    };
    assert_eq!(
        (fit("coco")["why"].clone(), fit("mvtec")["fits"].clone()),
        (json!(null), json!(false)),
        "{formats}"
    );
    assert!(fit("voc")["why"].is_string(), "outlines become boxes");
    for format in ["coco", "label-studio"] {
        let sent = owner.get(&at(&format!("/export?format={format}&files=1")));
        assert_eq!(sent.status, 200, "{}", sent.text);
        let again = owner.bring(format, &[("set.zip".into(), sent.bytes)]);
        compare(&owner, &again, &marks);
    }
    assert_eq!(owner.get(&at("/export?format=psd")).status, 422);
}

/// Who saw other marks than there are replaces none; to say the same once more is no harm.
#[track_caller]
fn unseen_marks_stay(owner: &Client, example: &str, marks: &Value, event: &Value) {
    let put = |marks: &Value, seen: &Value| {
        owner.send("PUT", &format!("/v1/examples/{example}/marks"), &json!({ "marks": marks, "seen": seen }))
    };
    let seen = || owner.get(&format!("/v1/examples/{example}")).body["marks_event"].clone();
    let refused = put(&json!([]), &json!(0));
    assert_eq!((refused.status, refused.body["code"].clone()), (409, json!("marks_changed")), "{refused:?}");
    let again = put(marks, &json!(0));
    assert_eq!((again.status, &again.body["event"]), (200, event));
    assert_eq!(seen(), *event);
    for marks in [&json!([]), marks] {
        let kept = put(marks, &seen());
        assert_eq!(kept.status, 200, "{kept:?}");
    }
}

/// The same three photos, one with the same marks under their new name.
#[track_caller]
fn compare(owner: &Client, dataset: &str, marks: &Value) {
    let told = owner.get(&format!("/v1/datasets/{dataset}")).body;
    let counts = [&told["n_examples"], &told["n_marked"], &told["n_problems"]];
    assert_eq!(counts, [&json!(3), &json!(1), &json!(0)], "{told}");
    let found = owner.get(&format!("/v1/datasets/{dataset}/examples?state=marked")).body;
    let there = found["examples"][0]["marks"].as_array().expect("marks").clone();
    for mark in marks.as_array().expect("marks") {
        let class = if mark["class"] == "dent" { json!("bump") } else { mark["class"].clone() };
        let same = |other: &&Value| other["shape"] == mark["shape"] && other["class"] == class;
        let other = there.iter().find(same).unwrap_or_else(|| panic!("{mark} came back: {found}"));
        if mark["shape"] == "brush" {
            assert_eq!(other["runs"], mark["runs"]);
        }
        if mark["shape"] == "box" {
            let near = |side: &str| {
                let [there, here] = [other, mark].map(|mark| mark[side].as_f64().expect("a number"));
                (there - here).abs() < 1e-6
            };
            assert!(["x", "y", "width", "height"].into_iter().all(near), "{other}");
        }
    }
}

#[test]
fn what_was_marked_in_texts_is_suggested_in_others() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let lines = [
        "I fly to Rome with Ann",
        "Rome is old, Romeo is not",
        "to Rome, and 👋 Ann in Rome",
        "nothing here",
    ];
    let table = std::iter::once("text").chain(lines).map(|line| format!("\"{line}\"\n")).collect::<String>();
    let dataset = owner.bring("letters", &[("letters.csv".to_owned(), table.into_bytes())]);
    let examples = owner.get(&format!("/v1/datasets/{dataset}/examples")).body["examples"].clone();
    let of = |place: usize| format!("/v1/examples/{}", examples[place]["id"].as_str().expect("an id"));
    let span = |class: &str, start: usize, end: usize| json!({ "class": class, "shape": "span", "start": start, "end": end });
    let mark = |place: usize, marks: &Value| {
        owner.send("PUT", &format!("{}/marks", of(place)), &json!({ "marks": marks }))
    };
    let suggested = |place: usize| owner.get(&format!("{}/suggested-marks", of(place))).body;
    assert_eq!(suggested(2), json!({ "model": null, "marks": [] }), "nothing was marked yet");

    assert_eq!(mark(0, &json!([span("city", 9, 13), span("name", 19, 22)])).status, 200);
    assert_eq!(mark(1, &json!([span("city", 0, 4)])).status, 200);
    let told = suggested(2);
    let by = |mark: Value| {
        let mut mark = mark;
        mark["suggested_by"] = json!("marks");
        mark
    };
    let one = |mark: Value, times: usize| json!({ "mark": by(mark), "score": null, "times": times, "confidence": null });
    assert_eq!(told["model"], json!(null));
    assert_eq!(
        told["marks"],
        json!([one(span("city", 3, 7), 2), one(span("name", 15, 18), 1), one(span("city", 22, 26), 2)])
    );
    assert_eq!(suggested(3)["marks"], json!([]));
    // Nothing is kept until somebody accepts it; then it says where it came from, also under another name.
    assert_eq!(owner.get(&of(2)).body["marks"], json!([]));
    let accepted = json!([by(span("city", 3, 7)), span("name", 15, 18)]);
    assert_eq!(mark(2, &accepted).status, 200);
    assert_eq!(owner.get(&of(2)).body["marks"], accepted);
    assert_eq!(
        owner
            .send("PATCH", &format!("/v1/datasets/{dataset}/classes/city"), &json!({ "name": "place" }))
            .status,
        200
    );
    assert_eq!(owner.get(&of(2)).body["marks"][0], by(span("place", 3, 7)));
    assert_eq!(suggested(3)["marks"], json!([]));
    let mut wrong = span("place", 3, 7);
    wrong["suggested_by"] = json!("x".repeat(65));
    let refused = mark(2, &json!([wrong]));
    assert!(refused.status == 422 && refused.text.contains("suggested_by"), "{refused:?}");
    let sent = owner.get(&format!("/v1/datasets/{dataset}/export?format=label-studio&files=1"));
    assert!(
        sent.status == 200 && !sent.text.contains("suggested_by"),
        "what others read knows nothing of it"
    );
}
