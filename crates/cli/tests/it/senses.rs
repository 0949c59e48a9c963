//! Several senses of one thing, from a table to answers: each tells a part, some are missing, some are broken, some contradict.

use std::fmt::Write as _;

use serde_json::Value;

use crate::run::{Ended, Place};

/// Which of four states a machine is in: its photo tells one half of it, its vibration the other.
const STATES: [&str; 4] = ["clean fast", "clean slow", "dirty fast", "dirty slow"];

/// Files of one machine, and its row of the table.
fn machine(place: &Place, number: u32, state: usize) -> Value {
    let (dirty, slow) = (state / 2 == 1, state % 2 == 1);
    let photo = image::RgbImage::from_fn(48, 48, |x, y| {
        let spot = dirty && (x * 5 + y * 3 + number) % 11 < 4;
        let shade = (150 + (x + number) % 40 + y % 20) as u8;
        image::Rgb(if spot { [60, 40, 20] } else { [shade, shade, 200] })
    });
    let (image, series) = (format!("photos/{number}.png"), format!("traces/{number}.csv"));
    place.write(&image, b"");
    photo.save(place.path(&image)).unwrap();
    let mut rows = "time,vibration\n".to_owned();
    for step in 0..240 {
        let pitch = if slow { 0.3 } else { 0.9 };
        let noise = f64::from((step * 37 + number * 101) % 97) / 97.0 - 0.5;
        let value = (f64::from(step) * pitch + f64::from(number)).sin() + 0.6 * noise;
        writeln!(rows, "{:.2},{value:.4}", f64::from(step) * 0.01).unwrap();
    }
    place.write(&series, rows);
    let note = ["looks as always", "a customer called about it", "checked on the round"][number as usize % 3];
    serde_json::json!({ "photo": image, "trace": series, "note": note, "label": STATES[state] })
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// A table of forty machines, a bundle made of it, and what was said.
fn tuned() -> (Place, Ended) {
    let place = Place::new();
    let mut rows: Vec<Value> = (0..40).map(|number| machine(&place, number, number as usize % 4)).collect();
    // The photo of one was lost, the trace of another never taken.
    rows[5]["photo"] = "photos/lost.png".into();
    rows[10].as_object_mut().unwrap().remove("trace");
    place.write("parts.jsonl", lines(&rows));
    let ended = place.run(&["tune", "parts.jsonl"]).fine();
    (place, ended)
}

fn predicted(ended: &Ended) -> Vec<(String, Value)> {
    let rows: Value = serde_json::from_str(&ended.out).unwrap();
    let of = |row: &Value| {
        let name = row["prediction"]["answer"]["name"].as_str().unwrap_or("nothing").to_owned();
        (name, row.clone())
    };
    rows.as_array().unwrap().iter().map(of).collect()
}

#[test]
fn senses_are_joined_and_whatever_is_there_is_answered() {
    let (place, ended) = tuned();
    assert!(ended.err.contains("Tuned on 40 examples"), "{}", ended.err);
    assert!(
        ended.err.contains("counts without its `photo`: `photos/lost.png` does not exist"),
        "{}",
        ended.err
    );
    let share = |name: &str| -> f64 {
        let line = ended.err.lines().find_map(|line| line.strip_prefix(&format!("  {name}: ")));
        line.unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    // Each alone knows one half; the note knows nothing.
    assert!(share("photo") < 70.0 && share("trace") < 70.0 && share("note") < 50.0, "{}", ended.err);
    assert!(share("photo + trace") > 90.0, "{}", ended.err);
    let report = std::fs::read_to_string(place.path("parts.report.html")).unwrap();
    assert!(report.contains("What each sense is worth") && report.contains("When a sensor breaks"));

    let mut rows: Vec<Value> = (40..48).map(|number| machine(&place, number, number as usize % 4)).collect();
    rows[6].as_object_mut().unwrap().remove("photo");
    place.write("traces/47.csv", "");
    place.write("new.jsonl", lines(&rows));
    let ended = place.run(&["predict", "parts.djm", "new.jsonl", "--json"]).fine();
    let answers = predicted(&ended);
    for number in 0..6 {
        assert_eq!(answers[number].0, STATES[number % 4], "{}", answers[number].1);
        let shares = answers[number].1["prediction"]["senses"].as_array().unwrap().clone();
        let sum: f64 = shares.iter().map(|sense| sense["share"].as_f64().unwrap()).sum();
        assert!(shares.len() == 3 && (sum - 1.0).abs() < 1e-9, "{shares:?}");
    }
    // Without its photo only the pitch is known; without its trace only the dirt.
    assert!(answers[6].0.ends_with("fast"), "{}", answers[6].1);
    assert!(answers[7].0.starts_with("dirty"), "{}", answers[7].1);
    assert_eq!(answers[7].1["problem"]["kind"], "without-sense");
    assert_eq!(answers[6].1["prediction"]["senses"][0]["present"], false);
    let table = place.run(&["predict", "parts.djm", "new.jsonl"]).fine();
    assert!(table.out.contains("relied on") && table.out.contains("photo missing"), "{}", table.out);

    let ended = place.run(&["evaluate", "parts.djm", "parts.jsonl", "--json"]).fine();
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert!(told["n"] == 40 && told["measures"][0]["estimate"]["value"].as_f64().unwrap() > 0.9, "{told}");
}

#[test]
fn one_sense_can_be_asked_for_and_what_cannot_be_joined_is_refused() {
    let (place, _) = tuned();
    let ended = place.run(&["tune", "parts.jsonl", "--series", "trace", "--out", "one.djm"]).fine();
    assert!(!ended.err.contains("blank"), "{}", ended.err);
    let ended = place
        .run(&["tune", "parts.jsonl", "--series", "trace", "--image", "photo", "--out", "two.djm"])
        .fine();
    assert!(ended.err.contains("photo + trace") && !ended.err.contains("  note"), "{}", ended.err);

    let other = "photo,trace,label\nphotos/1.png,traces/1.csv,0.25\nphotos/2.png,traces/2.csv,1.75\n";
    place.write("numbers.csv", other);
    let ended = place.run(&["tune", "numbers.csv"]);
    assert!(ended.code != 0 && ended.err.contains("one class of several"), "{}", ended.told());
    place.write("foreign.csv", "picture\nphotos/1.png\n");
    let ended = place.run(&["predict", "parts.djm", "foreign.csv"]);
    assert!(ended.code != 0 && ended.err.contains("none of the columns `photo`"), "{}", ended.told());
    let ended = place.run(&["audit", "parts.jsonl"]);
    assert!(ended.code != 0 && ended.err.contains("several senses"), "{}", ended.told());
    place.run(&["audit", "parts.jsonl", "--series", "trace"]).fine();
    let ended = place.run(&["export", "parts.djm", "--onnx", "x.onnx"]);
    assert!(ended.code != 0 && ended.err.contains("several senses"), "{}", ended.told());
}

#[test]
fn few_examples_and_senses_that_teach_nothing_still_make_a_bundle() {
    let place = Place::new();
    // Two of each, so that nothing can be compared but one class against the other; a note only one class has.
    let mut rows: Vec<Value> =
        (0..8).map(|number| machine(&place, number, 2 * (number as usize % 2))).collect();
    for row in &mut rows {
        if row["label"] == STATES[0] {
            row.as_object_mut().unwrap().remove("note");
        }
    }
    place.write("few.jsonl", lines(&rows));
    let ended = place.run(&["tune", "few.jsonl"]).fine();
    assert!(ended.err.contains("`note` is left out"), "{}", ended.err);
    let ended = place.run(&["predict", "few.djm", "few.jsonl", "--json"]).fine();
    assert!(predicted(&ended)[0].1["prediction"]["senses"].as_array().unwrap().len() == 2, "{}", ended.out);

    place.write("two.jsonl", lines(&[machine(&place, 0, 0), machine(&place, 1, 2)]));
    let ended = place.run(&["tune", "two.jsonl"]).fine();
    assert!(ended.err.contains("Tuned on 2 examples"), "{}", ended.err);
    place.run(&["predict", "two.djm", "two.jsonl"]).fine();

    let ended = place.run(&["tune", "few.jsonl", "--base", "nobody-knows"]);
    assert!(ended.code != 0 && ended.err.contains("nobody-knows"), "{}", ended.told());
    let ended = place.run(&["tune", "few.jsonl", "--base", "whisper-base"]);
    assert!(ended.code != 0 && ended.err.contains("takes sounds"), "{}", ended.told());
}
