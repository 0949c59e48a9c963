//! Pieces of sounds: a data set takes whole files, and a model of pieces no sound that is longer.

use std::sync::atomic::AtomicBool;

use serde_json::json;
use server::Way;
use testkit::Client;

use crate::running::{folder, start};

const RATE: u32 = 8_000;

/// Two tones that take turns, two seconds each.
fn machine(seconds: u32, number: u32) -> Vec<u8> {
    let sample = |at: u32| {
        let time = f64::from(at) / f64::from(RATE);
        let tone = if (at / (2 * RATE)).is_multiple_of(2) { 300.0 } else { 1_500.0 } + f64::from(number);
        ((time * tone * std::f64::consts::TAU).sin() * 9_000.0) as i16
    };
    base::sound::wav(&(0..seconds * RATE).map(sample).collect::<Vec<_>>(), RATE)
}

fn table(files: u32) -> String {
    let mut table = "file,start,end,label\n".to_owned();
    for file in 0..files {
        for turn in 0..6 {
            let kind = if turn % 2 == 0 { "low" } else { "high" };
            table += &format!("{file}.wav,{}.1,{}.9,{kind}\n", 2 * turn, 2 * turn + 1);
        }
    }
    table
}

#[test]
fn a_table_of_pieces_is_told_row_by_row_and_no_whole_file_is_taken_for_one() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let rows = format!("{}1.wav,,,whole\n", table(2));
    let mut files: Vec<(String, Vec<u8>)> =
        (0..2).map(|file| (format!("line/{file}.wav"), machine(12, file))).collect();
    files.push(("line/pieces.csv".to_owned(), rows.into_bytes()));
    let dataset = owner.bring("line", &files);
    let examples = owner.get(&format!("/v1/datasets/{dataset}/examples")).body["examples"].clone();
    let labels: Vec<_> =
        examples.as_array().expect("a list").iter().map(|one| one["label"].clone()).collect();
    assert_eq!(labels, [json!("whole")], "{examples}");
    let told = owner.get(&format!("/v1/datasets/{dataset}/problems")).text;
    assert_eq!(told.matches("this row is a piece of a sound").count(), 12, "{told}");
    assert!(told.contains("pieces.csv:2") && !told.contains(data.to_str().expect("a path")), "{told}");
}

#[test]
fn a_model_of_pieces_refuses_what_is_longer() {
    let (_dir, data) = folder();
    let bundle = bundle_of_pieces();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let brought = owner.ask("POST", "/v1/models?name=turns", Some("application/octet-stream"), &bundle);
    assert_eq!(brought.status, 200, "{brought:?}");
    let model = brought.body["id"].as_str().expect("an id").to_owned();
    let answers = asked(&owner, &model, &[machine(2, 7), machine(12, 7), b"x".to_vec()]);
    assert_eq!(answers[0]["answer"], "low", "{answers}");
    assert_eq!(answers[1]["problem"], "the sound is longer than 3 s; cut it into parts", "{answers}");
    assert!(answers[1]["answer"].is_null() && answers[2]["answer"].is_null(), "{answers}");
    assert!(answers[2]["problem"].as_str().is_some_and(|told| told.contains("not a sound")), "{answers}");
}

fn asked(owner: &Client, model: &str, sounds: &[Vec<u8>]) -> serde_json::Value {
    use base64::Engine as _;
    let base64 = |bytes: &Vec<u8>| base64::engine::general_purpose::STANDARD.encode(bytes);
    let inputs: Vec<_> = sounds.iter().map(|bytes| json!({ "sound": base64(bytes) })).collect();
    owner.post(&format!("/v1/models/{model}/predict"), &json!({ "inputs": inputs })).body["predictions"]
        .clone()
}

/// What `dianjing tune` makes of a table of pieces.
fn bundle_of_pieces() -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a folder");
    for file in 0..4 {
        std::fs::write(dir.path().join(format!("{file}.wav")), machine(12, file)).expect("written");
    }
    std::fs::write(dir.path().join("pieces.csv"), table(4)).expect("written");
    let request = pipeline::TuneRequest {
        source: pipeline::Source::at(dir.path().join("pieces.csv")),
        base: None,
        out: dir.path().join("m.djm"),
        form: bundle::Form::File,
        report: dir.path().join("m.html"),
        lang: pipeline::Lang::En,
        target_error: 0.05,
        words: false,
        seed: 0,
        created: String::new(),
    };
    let home = pipeline::Home::by_default().expect("a home");
    let run_on = AtomicBool::new(false);
    pipeline::tune(&home, &request, &pipeline::Run::new(&|_| (), &run_on)).expect("it can be learned");
    std::fs::read(dir.path().join("m.djm")).expect("it was written")
}
