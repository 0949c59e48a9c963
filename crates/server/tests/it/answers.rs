//! Several labels, numbers, and marks: given, taken back, renamed, sent out and brought in again.

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, id, photo};

use crate::running::{folder, start};

#[test]
fn several_labels_are_counted_renamed_and_learned() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let rows = (0..24).map(|row| match row % 4 {
        0 => format!("the screen is cracked {row},screen\n"),
        1 => format!("the battery is flat {row},battery\n"),
        2 => format!("a cracked screen and a flat battery {row},screen|battery\n"),
        _ => format!("the screen of {row} flickers and the battery is hot,screen|battery\n"),
    });
    let table = format!("text,label\n{}", rows.collect::<String>());
    let dataset = owner.bring("tickets", &[("tickets.csv".into(), table.into_bytes())]);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let told = owner.get(&at("")).body;
    assert_eq!(told["task"], "classes", "{told}");
    assert_eq!(
        told["classes"],
        json!([{ "name": "battery", "count": 18 }, { "name": "screen", "count": 18 }])
    );
    let only = owner.get(&at("/examples?label=battery&limit=2"));
    assert_eq!(only.body["total"], 18);
    let example = only.body["examples"][0]["id"].clone();
    assert_eq!(owner.post(&at("/labels"), &json!({ "example": example, "label": "screen" })).status, 422);
    owner.post(&at("/labels"), &json!({ "example": example, "labels": [] }));
    let none = owner.get(&format!("/v1/examples/{}", example.as_str().expect("an id"))).body;
    assert_eq!((none["labels"].clone(), none["label"].clone()), (json!([]), json!(null)));
    let undone = owner.post(&at("/undo"), &json!({})).body;
    assert_eq!(
        (undone["what"].clone(), undone["example"]["labels"].clone()),
        (json!("label"), json!(["battery"]))
    );
    let renamed = owner.send("PATCH", &at("/classes/battery"), &json!({ "name": "power" })).body;
    assert_eq!(renamed["classes"][0], json!({ "name": "power", "count": 18 }), "{renamed}");
    let tuned = owner.wait(&id(&owner.post(&at("/tune"), &json!({}))));
    assert_eq!(tuned["state"], "done", "{tuned}");
    let model = tuned["result"]["model"].as_str().expect("a model").to_owned();
    let asked = json!({ "inputs": [{ "text": "a cracked screen and a flat battery" }] });
    let answer = owner.post(&format!("/v1/models/{model}/predict"), &asked).body;
    assert_eq!(answer["predictions"][0]["answer"], "power, screen", "{answer}");
}

#[test]
fn numbers_are_asked_for_and_learned() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let files: Vec<_> = (0..40_u8)
        .map(|level| (format!("{level:02}.png"), photo([level * 5, level * 5, 90], u32::from(level))))
        .collect();
    let dataset = owner.bring("levels", &files);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    assert_eq!(owner.send("PATCH", &at(""), &json!({ "task": "number" })).body["task"], "number");
    let examples = owner.get(&at("/examples")).body["examples"].clone();
    let labels: Vec<Value> = examples
        .as_array()
        .expect("examples")
        .iter()
        .map(|example| {
            let level: f64 = example["name"].as_str().expect("a name")[..2].parse().expect("a number");
            json!({ "example": example["id"], "number": level / 4.0 })
        })
        .collect();
    let given = owner.post(&at("/labels/batch"), &json!({ "labels": labels }));
    assert_eq!(given.body["n_labelled"], 40, "{given:?}");
    assert_eq!(owner.get(&at("")).body["number"], json!({ "low": 0.0, "high": 9.75 }));
    assert_eq!(owner.send("PATCH", &at(""), &json!({ "task": "class" })).status, 409, "answers are there");
    let tuned = owner.wait(&id(&owner.post(&at("/tune"), &json!({}))));
    assert_eq!(tuned["state"], "done", "{tuned}");
    let export = owner.get(&at("/export?format=jsonl")).text;
    assert!(export.lines().any(|line| line.contains("9.75")), "{export}");
}

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
