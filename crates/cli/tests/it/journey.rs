//! The whole way: tune, predict, evaluate, sign, verify, export; the same data and seed give the same bundle.

use crate::run::{Place, cache};

const BASE: [&str; 2] = ["--base", "efficientnet-lite0"];

fn tuned() -> Place {
    let place = Place::new();
    place.pictures("parts", 15);
    let ended = place.run(&["tune", "parts", BASE[0], BASE[1]]).fine();
    assert!(ended.out.is_empty(), "data goes to stdout only when asked for: {}", ended.out);
    for told in [
        "Tuned on 30 examples",
        "accuracy expected on new examples",
        "Bundle: parts.djm",
        "Next: dianjing predict parts.djm",
    ] {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
    place
}

#[test]
fn from_pictures_to_answers() {
    let place = tuned();
    let report = std::fs::read_to_string(place.path("parts.report.html")).unwrap();
    assert!(
        report.contains("What to do next") && !report.contains("http://") && !report.contains("https://")
    );
    place.pictures("new", 3);
    let ended = place.run(&["predict", "parts.djm", "new/disc/01.png", "new/stripes", "--json"]).fine();
    let rows: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let named: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["prediction"]["answer"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["disc", "stripes", "stripes", "stripes"]);
    let table = place.run(&["predict", "parts.djm", "new/disc/01.png"]).fine();
    assert!(table.out.contains("disc") && table.out.contains("verdict"), "{}", table.out);
    let measured = place.run(&["evaluate", "parts.djm", "new", "--json"]).fine();
    let measured: serde_json::Value = serde_json::from_str(&measured.out).unwrap();
    assert_eq!(measured["measures"][0]["estimate"]["n"], 6);
    let exported = place.run(&["export", "parts.djm", "--onnx", "parts.onnx"]).fine();
    assert!(
        exported.err.contains("parts.onnx")
            && place.path("parts.onnx").metadata().unwrap().len() > 10_000_000
    );
}

#[test]
fn the_same_data_and_seed_give_the_same_bytes_on_any_number_of_threads() {
    let place = Place::new();
    place.pictures("parts", 10);
    let bytes = ["1", "2", "3"].map(|threads| {
        let out = format!("{threads}.djm");
        place
            .run(&[
                "tune",
                "parts",
                BASE[0],
                BASE[1],
                "--threads",
                threads,
                "--out",
                &out,
                "--cache",
                &cache().to_string_lossy(),
            ])
            .fine();
        std::fs::read(place.path(&out)).unwrap()
    });
    assert!(bytes[0] == bytes[1] && bytes[1] == bytes[2]);
}

#[test]
fn signatures_fit_and_changes_show() {
    let place = tuned();
    place.run(&["sign", "parts.djm", "--key", "my.key"]).fine();
    place.run(&["verify", "parts.djm", "--key", "my.pub"]).fine();
    let whole = std::fs::read(place.path("parts.djm")).unwrap();
    place.write("parts.djm", &whole[..whole.len() - 100]);
    let ended = place.run(&["predict", "parts.djm", "parts/disc/00.png"]);
    assert!(ended.code == 1 && ended.err.contains("is incomplete"), "{}", ended.err);
    let mut changed = whole.clone();
    // The name is in the manifest, then before the file itself, then in the directory at the end.
    let named = |window: &[u8]| window == b"head.safetensors";
    let before_file = (0..whole.len() - 16).filter(|at| named(&whole[*at..*at + 16])).nth(1).unwrap();
    let place_of_weights = before_file + 400;
    changed[place_of_weights] ^= 1;
    place.write("parts.djm", &changed);
    let ended = place.run(&["verify", "parts.djm", "--key", "my.pub"]);
    assert!(
        ended.code == 1 && ended.err.contains("is damaged: its bytes are not as they were written"),
        "{}",
        ended.err
    );
    place.write("parts.djm", &whole);
    place.run(&["sign", "parts.djm", "--key", "other.key"]).fine();
    let ended = place.run(&["verify", "parts.djm", "--key", "my.pub"]);
    assert!(ended.code == 1 && ended.err.contains("signature"), "{}", ended.err);
}

#[test]
fn settings_and_checks_are_shown() {
    let place = Place::new();
    let shown = place.run(&["config", "show", "--threads", "2"]).fine();
    assert!(
        shown.out.lines().any(|line| line.starts_with(" threads") && line.contains("flag")),
        "{}",
        shown.out
    );
    assert!(place.run(&["doctor"]).out.contains("cache"));
    assert!(place.run(&["completions", "bash"]).fine().out.contains("dianjing"));
    assert!(place.run(&["base", "list"]).fine().out.contains("efficientnet-lite2 *"));
}
