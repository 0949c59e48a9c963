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
        // Each photo has a grain of its own, or all of one state would be copies of each other.
        let grain = (x * 7 + y * 13 + number * 31).wrapping_mul(2_654_435_761).wrapping_add(number) >> 27;
        let shade = (150 + (x + number) % 40 + y % 20 + grain) as u8;
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
    // The camera of one more is blinded.
    rows.push(machine(&place, 48, 0));
    image::RgbImage::new(48, 48).save(place.path("photos/48.png")).unwrap();
    // Of another one nothing can be read but its note.
    rows.push(machine(&place, 49, 0));
    place.write("photos/49.png", b"no picture");
    place.write("traces/49.csv", "time,vibration\n");
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
    // Forty examples are enough to notice a black photo, and it counts as missing.
    let photo = &answers[8].1["prediction"]["senses"][0];
    assert!(photo["familiarity"].as_f64().unwrap() < 0.01 && photo["share"] == 0.0, "{photo}");
    assert!(answers[8].0.ends_with("fast"), "{}", answers[8].1);
    // All that was wrong is told.
    let (first, more) = (&answers[9].1["problem"], answers[9].1["more_problems"].as_array().unwrap());
    assert_eq!((&first["sense"], more.len(), &more[0]["sense"]), (&"photo".into(), 1, &"trace".into()));
    let table = place.run(&["predict", "parts.djm", "new.jsonl"]).fine();
    assert!(table.out.contains("photo 0 % (strange)"), "{}", table.out);
    assert!(table.out.contains("relied on") && table.out.contains("photo missing"), "{}", table.out);

    // Files of one sense need no table; of two kinds at once nobody knows.
    let ended = place.run(&["predict", "parts.djm", "photos/41.png", "--json"]).fine();
    assert_eq!(predicted(&ended)[0].1["prediction"]["senses"][0]["present"], true);
    let ended = place.run(&["predict", "parts.djm", "photos", "--json"]).fine();
    assert!(predicted(&ended).len() > 40, "{}", ended.out);
    place.write("clip.mp4", "a clip");
    let ended = place.run(&["predict", "parts.djm", "clip.mp4"]);
    assert!(ended.code == 1 && ended.err.contains("does not say which of `photo`"), "{}", ended.err);

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

/// Machines with a note of another one, and with a photo of another one.
const FOREIGN_NOTES: [usize; 3] = [4, 24, 48];
const FOREIGN_PHOTOS: [usize; 3] = [9, 37, 57];

/// Machines whose notes say their state as well; notes and photos of other machines, a wrong label, a sensor that stands still, and one
/// photo beside two machines.
fn with_faults(place: &Place) -> Vec<Value> {
    let notes = [
        ["all clean, turns quickly", "no dirt on it, quick"],
        ["all clean, turns slowly", "no dirt on it, slow"],
        ["dirty housing, turns quickly", "covered in dirt, quick"],
        ["dirty housing, turns slowly", "covered in dirt, slow"],
    ];
    let mut rows: Vec<Value> = (0..80)
        .map(|number| {
            let mut row = machine(place, number, number as usize % 4);
            row["note"] = notes[number as usize % 4][number as usize / 4 % 2].into();
            row
        })
        .collect();
    for row in FOREIGN_NOTES {
        rows[row]["note"] = notes[3][0].into();
    }
    for row in FOREIGN_PHOTOS {
        rows[row]["photo"] = machine(place, 100 + row as u32, 3)["photo"].clone();
    }
    rows[14]["label"] = STATES[1].into();
    let still: String = (0..240).map(|step| format!("{:.2},0\n", f64::from(step) * 0.01)).collect();
    place.write("traces/20.csv", format!("time,vibration\n{still}"));
    rows[29]["photo"] = rows[33]["photo"].clone();
    rows[41].as_object_mut().unwrap().remove("photo");
    rows
}

fn of_fault<'a>(found: &'a Value, fault: &str) -> Vec<&'a Value> {
    found["findings"].as_array().unwrap().iter().filter(|finding| finding["fault"] == fault).collect()
}

fn ids(findings: &[&Value]) -> Vec<String> {
    findings.iter().map(|finding| finding["ids"][0].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_audit_looks_at_every_sense() {
    let place = Place::new();
    place.write("parts.jsonl", lines(&with_faults(&place)));
    let ended =
        place.run(&["audit", "parts.jsonl", "--out", "findings.json", "--report", "audit.html"]).fine();
    let found: Value = serde_json::from_slice(&std::fs::read(place.path("findings.json")).unwrap()).unwrap();
    let at = |row: usize| found["issues"][row]["id"].as_str().unwrap().to_owned();
    // A label that all senses contradict is a wrong label.
    let wrong = of_fault(&found, "label");
    assert!(ids(&wrong).contains(&at(14)), "{}", ended.out);
    // A foreign note is found, as what it is or as a label that looks wrong.
    let doubted = [ids(&wrong), ids(&of_fault(&found, "sense_conflict"))].concat();
    assert!(FOREIGN_NOTES.iter().filter(|row| doubted.contains(&at(**row))).count() >= 2, "{}", ended.out);
    // What a sense shows by itself is told by its name.
    let flat = of_fault(&found, "flat_sensor");
    assert_eq!((flat.len(), &flat[0]["sense"], &flat[0]["ids"][0]), (1, &"trace".into(), &at(20).into()));
    let twice = of_fault(&found, "duplicate");
    let has = |one: &Value, row: usize| one["ids"].as_array().unwrap().contains(&at(row).into());
    let photo = twice.iter().find(|one| has(one, 29) && has(one, 33)).unwrap();
    assert_eq!((&photo["sense"], &photo["action"]), (&"photo".into(), &"check_pairing".into()));
    assert!(twice.iter().all(|one| one["sense"] != "note"), "equal notes are no copies: {twice:?}");
    let issues = &found["issues"];
    assert!(issues[20]["is_trace_flat_sensor_issue"] == true && issues[41]["photo_outlier_score"].is_null());
    assert!(ended.out.contains("trace of"), "{}", ended.out);
    let page = std::fs::read_to_string(place.path("audit.html")).unwrap();
    assert!(page.contains(">trace</span>"));

    let ended = place.run(&["audit", "parts.jsonl", "--skip", "sense_conflict", "--json"]).fine();
    assert!(!ended.out.contains("sense_conflict"), "{}", ended.out);
}

#[test]
fn what_an_audit_of_senses_found_is_applied() {
    let place = Place::new();
    place.write("parts.jsonl", lines(&with_faults(&place)));
    place.run(&["audit", "parts.jsonl", "--out", "findings.json"]).fine();
    let found: Value = serde_json::from_slice(&std::fs::read(place.path("findings.json")).unwrap()).unwrap();
    let label = of_fault(&found, "label");
    let right = label.iter().find(|one| one["suggested"] == STATES[2]).unwrap()["number"].to_string();
    let still = of_fault(&found, "flat_sensor")[0]["number"].to_string();
    let accepted = format!("{right},{still}");
    let applied = place.run(&["apply", "findings.json", "--accept", &accepted, "--out", "second.csv"]).fine();
    // The broken sense is missing now, the example is not.
    let told = "1 labels changed, 1 senses emptied, 0 examples taken out";
    assert!(applied.err.contains(told), "{}", applied.err);
    let table = std::fs::read_to_string(place.path("second.csv")).unwrap();
    assert!(table.starts_with("photo,trace,note,label"), "{table}");
    assert!(table.lines().count() == 81 && table.contains("photos/14.png,traces/14.csv"), "{table}");
    let row = table.lines().find(|line| line.contains("photos/14.png")).unwrap();
    assert!(row.contains(",dirty fast,"), "{row}");
    place.run(&["audit", "second.csv", "--json"]).fine();
}

#[test]
fn what_to_label_next_is_chosen_by_all_senses() {
    let place = Place::new();
    let mut rows: Vec<Value> = (0..60).map(|number| machine(&place, number, number as usize % 4)).collect();
    for row in &mut rows[24..] {
        row.as_object_mut().unwrap().remove("label");
    }
    rows[30].as_object_mut().unwrap().remove("trace");
    place.write("pool.jsonl", lines(&rows));
    let ended = place.run(&["select", "pool.jsonl", "--budget", "8", "--json"]).fine();
    let found: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((found["picks"].as_array().unwrap().len(), &found["n_unlabelled"]), (8, &36.into()));

    // A bundle that looks at all of them says what it doubts: what lacks the sense that tells one half.
    place.run(&["tune", "pool.jsonl", "--out", "pool.djm"]).fine();
    let asked = ["select", "pool.jsonl", "--model", "pool.djm", "--budget", "3", "--all-chosen", "--json"];
    let found: Value = serde_json::from_str(&place.run(&asked).fine().out).unwrap();
    let picks = found["picks"].as_array().unwrap().clone();
    let between = |pick: &Value| {
        STATES.contains(&pick["first_class"].as_str().unwrap())
            && pick["first_probability"].as_f64().unwrap() < 1.0
    };
    assert!(picks.len() == 3 && picks.iter().all(between), "{picks:?}");
    let lost = picks.iter().any(|pick| pick["id"].as_str().unwrap().contains("31"));
    assert!(lost, "what has no trace is half unknown: {picks:?}");
    // What nobody can look at is not chosen, though nothing is known of it.
    place.write("photos/broken.png", b"no picture");
    let broken = serde_json::json!({ "photo": "photos/broken.png" });
    place.write("broken.jsonl", lines(&[&rows[..], &[broken]].concat()));
    let asked = ["select", "broken.jsonl", "--model", "pool.djm", "--budget", "8", "--all-chosen", "--json"];
    let found: Value = serde_json::from_str(&place.run(&asked).fine().out).unwrap();
    let picks = found["picks"].as_array().unwrap();
    let is_broken = |pick: &Value| pick["id"].as_str().unwrap().contains("broken.jsonl:61");
    assert!(picks.len() == 8 && !picks.iter().any(is_broken), "{picks:?}");
    assert_eq!(found["n_unlabelled"], 36, "{found}");
    place.write("known.jsonl", lines(&rows[..24]));
    place.write("open.jsonl", lines(&rows[24..]));
    let asked = [
        "select",
        "open.jsonl",
        "--labelled",
        "known.jsonl",
        "--model",
        "pool.djm",
        "--budget",
        "2",
        "--json",
    ];
    let found: Value = serde_json::from_str(&place.run(&asked).fine().out).unwrap();
    assert_eq!((&found["n_unlabelled"], &found["n_labelled"]), (&36.into(), &24.into()));
}

#[test]
fn a_sense_of_which_nothing_can_be_read_is_left_out_and_told() {
    let place = Place::new();
    let mut rows: Vec<Value> = (0..24).map(|number| machine(&place, number, number as usize % 4)).collect();
    rows[20].as_object_mut().unwrap().remove("label");
    for number in 0..24 {
        place.write(&format!("photos/{number}.png"), b"no picture");
    }
    place.write("dark.jsonl", lines(&rows));
    let left_out = |ended: Ended| {
        let ended = ended.fine();
        assert!(ended.err.contains("counts without its `photo`"), "{}", ended.told());
    };
    left_out(place.run(&["audit", "dark.jsonl", "--out", "findings.json"]));
    left_out(place.run(&["select", "dark.jsonl", "--budget", "1", "--json"]));
    left_out(place.run(&["tune", "dark.jsonl", "--out", "dark.djm"]));
}

#[test]
fn more_senses_than_are_joined_are_audited_without_comparing_them() {
    let place = Place::new();
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let row = |number: usize| {
        let word = ["quiet and clean", "loud and dirty"][number % 2];
        let part = [
            "pump behind the boiler",
            "valve of line three",
            "fan on the roof",
            "belt near the gate",
            "motor under the stairs",
            "press by the window",
            "saw in the yard",
            "drill from the old shop",
            "crane at the dock",
            "lathe next door",
            "mixer of the kitchen",
            "oven with two doors",
        ][number / 2 % 12];
        let label = ["fine", "worn"][number % 2];
        let mut row: Value = serde_json::json!({ "label": label });
        for name in names {
            row[name] = format!("{part} {name}: {word}").into();
        }
        row
    };
    place.write("seven.jsonl", lines(&(0..24).map(row).collect::<Vec<_>>()));
    let mut arguments = vec!["audit", "seven.jsonl", "--out", "findings.json"];
    arguments.extend(names.iter().flat_map(|name| ["--text", *name]));
    place.run(&arguments).fine();
    let found = std::fs::read_to_string(place.path("findings.json")).unwrap();
    assert!(found.contains("There are 7 senses and at most 6 are joined"), "{found}");
}
