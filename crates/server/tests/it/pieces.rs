//! Pieces of sounds: a table of times is cut into them, and they are taken out with their times.

use serde_json::{Value, json};
use server::Way;
use testkit::Client;

use crate::running::{Place, folder, start, start_on};
use crate::stretches::asked;

pub(crate) const RATE: u32 = 8_000;

/// Two tones that take turns, two seconds each.
pub(crate) fn machine(seconds: u32, number: u32) -> Vec<u8> {
    let sample = |at: u32| {
        let time = f64::from(at) / f64::from(RATE);
        let tone = if (at / (2 * RATE)).is_multiple_of(2) { 300.0 } else { 1_500.0 } + f64::from(number);
        ((time * tone * std::f64::consts::TAU).sin() * 9_000.0) as i16
    };
    base::sound::wav(&(0..seconds * RATE).map(sample).collect::<Vec<_>>(), RATE)
}

pub(crate) fn table(files: u32) -> String {
    let mut table = "file,start,end,label\n".to_owned();
    for file in 0..files {
        for turn in 0..6 {
            let kind = if turn % 2 == 0 { "low" } else { "high" };
            table += &format!("{file}.wav,{}.1,{}.9,{kind}\n", 2 * turn, 2 * turn + 1);
        }
    }
    table
}

/// Files of one folder: some recordings and a table about them.
pub(crate) fn recordings(files: u32, table: String) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = (0..files).map(|file| (format!("line/{file}.wav"), machine(12, file))).collect();
    all.push(("line/pieces.csv".to_owned(), table.into_bytes()));
    all
}

#[test]
fn a_table_of_times_becomes_pieces_and_teaches_a_model_of_pieces() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let files = recordings(4, format!("{}1.wav,11,14,low\n", table(4)));
    let dataset = owner.bring("line", &files);
    owner.bring_into(&dataset, &files);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let examples = owner.get(&at("/examples?limit=100")).body["examples"].clone();
    let examples = examples.as_array().expect("a list");
    assert_eq!(examples.len(), 24, "each piece once: {examples:?}");
    let out = owner.get(&at("/export?format=jsonl")).text;
    let rows = out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let of_first = rows.filter(|row| row["group"].as_str().is_some_and(|group| group.ends_with("0.wav")));
    assert_eq!(of_first.count(), 6, "pieces of one file stay together: {out}");
    let labels = ["low", "high"].map(|label| examples.iter().filter(|one| one["label"] == label).count());
    assert_eq!(labels, [12, 12]);
    let content =
        owner.get(&format!("/v1/examples/{}/content", examples[0]["id"].as_str().expect("an id"))).bytes;
    let cut = base::sound::decode_whole(&content, 10).expect("a sound");
    assert_eq!((cut.channels[0].len(), cut.rate), (14_400, RATE), "1.8 s of it");
    let told = owner.get(&at("/problems")).text;
    assert!(
        told.contains("line/pieces.csv:26") || told.contains("pieces.csv:26"),
        "it ends after its sound: {told}"
    );
    assert!(!told.contains(data.to_str().expect("a path")), "{told}");

    let tuned = owner.wait(&testkit::id(&owner.post(&at("/tune"), &json!({}))));
    let model = tuned["result"]["model"].as_str().unwrap_or_else(|| panic!("{tuned}"));
    let answers = asked(&owner, &format!("/v1/models/{model}/predict"), &[machine(12, 7)]);
    assert!(answers[0]["stretches"].as_array().is_some_and(|stretches| stretches.len() >= 6), "{answers}");
}

/// What an export says of each piece, in the order of their times.
pub(crate) fn exported(owner: &Client, dataset: &str) -> Vec<Value> {
    let out = owner.get(&format!("/v1/datasets/{dataset}/export?format=jsonl")).text;
    let mut rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    rows.sort_by_key(|row| (row["file"].to_string(), row["start"].as_f64().map(f64::to_bits)));
    rows
}

#[test]
fn pieces_are_taken_out_with_their_times_and_come_back() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = owner.bring("line", &recordings(2, format!("{}1.wav,11.5,,low\n", table(2))));
    let rows = exported(&owner, &dataset);
    assert_eq!(rows.len(), 13);
    assert_eq!(
        (rows[0]["file"].clone(), rows[0]["start"].clone(), rows[0]["end"].clone(), rows[0]["label"].clone()),
        (json!("0.wav"), json!(0.1), json!(1.9), json!("low")),
        "{rows:?}"
    );
    assert_eq!((rows[12]["start"].clone(), rows[12]["end"].clone()), (json!(11.5), json!(null)));
    let lost = owner.get(&format!("/v1/datasets/{dataset}/export/formats")).body;
    let of = |name: &str| {
        let formats = lost["formats"].as_array().expect("a list");
        formats.iter().find(|format| format["format"] == name).expect("it is there")["why"].clone()
    };
    assert_eq!((of("csv"), of("label-studio")), (json!(null), json!("the times of 13 pieces would be lost")));
    let shape = |dataset: &str| {
        let page = owner.get(&format!("/v1/datasets/{dataset}/examples?limit=100")).body;
        let examples = page["examples"].as_array().expect("a list").clone();
        let mut contents: Vec<_> = examples
            .iter()
            .map(|one| {
                owner.get(&format!("/v1/examples/{}/content", one["id"].as_str().expect("an id"))).bytes
            })
            .collect();
        contents.sort();
        contents
    };
    let contents = shape(&dataset);
    for format in ["csv", "jsonl", "parquet"] {
        // The table beside the long sounds that it names.
        let table = owner.get(&format!("/v1/datasets/{dataset}/export?format={format}")).bytes;
        let mut beside: Vec<_> = (0..2).map(|file| (format!("out/{file}.wav"), machine(12, file))).collect();
        beside.push((format!("out/examples.{format}"), table));
        let again = owner.bring("again", &beside);
        assert_eq!(exported(&owner, &again), rows, "{format}");
        assert_eq!(shape(&again), contents, "{format}");
        // An archive of the pieces themselves.
        let archive = owner.get(&format!("/v1/datasets/{dataset}/export?format={format}&files=1")).bytes;
        let again = owner.bring("archive", &[("out.zip".to_owned(), archive)]);
        assert_eq!(exported(&owner, &again), rows, "{format}");
        assert_eq!(shape(&again), contents, "{format}");
    }
}

#[test]
fn times_under_other_names_are_no_whole_files() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let ended = finished(&owner, recordings(2, table(2).replace("start,end", "From,to")));
    assert_eq!(ended["state"], "failed", "{ended}");
    assert!(ended.to_string().contains("`from` and `to` look like times"), "{ended}");
    assert!(ended.to_string().contains("call them `start` and `end`"), "{ended}");
    // What is no time of a piece is somebody's own matter.
    let calls = "file,from,to,label\n0.wav,120,7,ann\n1.wav,15,6,bob\n".to_owned();
    assert_eq!(finished(&owner, recordings(2, calls))["state"], "done");
}

/// How bringing files into a new data set ended.
fn finished(owner: &Client, files: Vec<(String, Vec<u8>)>) -> Value {
    let dataset = testkit::id(&owner.post("/v1/datasets", &json!({ "name": "line" })));
    let ended = finished_into(owner, &dataset, files);
    let n_examples = owner.get(&format!("/v1/datasets/{dataset}")).body["n_examples"].clone();
    assert_eq!(n_examples == json!(0), ended["state"] == "failed", "all of it or nothing");
    ended
}

fn finished_into(owner: &Client, dataset: &str, files: Vec<(String, Vec<u8>)>) -> Value {
    let upload = testkit::id(&owner.post(&format!("/v1/datasets/{dataset}/uploads"), &json!({})));
    for (path, bytes) in files {
        let put = format!("/v1/uploads/{upload}/file?path={path}&offset=0");
        assert_eq!(owner.ask("PUT", &put, Some("application/octet-stream"), &bytes).status, 200);
    }
    owner.wait(&testkit::id(&owner.post(&format!("/v1/uploads/{upload}/finish"), &json!({}))))
}

#[test]
fn a_small_table_cuts_no_more_out_than_an_upload_may_bring() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let rows: String = (0..400).map(|row| format!("0.wav,0,{}.{row:03},low\n", 11)).collect();
    let ended = finished(&owner, recordings(1, format!("file,start,end,label\n{rows}")));
    assert_eq!(ended["state"], "failed", "{ended}");
    assert!(ended.to_string().contains("take more than 64 MiB"), "{ended}");
}

#[test]
fn a_table_asks_for_no_more_pieces_than_there_may_be_and_for_those_of_its_kind() {
    let (_dir, data) = folder();
    let place = Place { max_bytes: Some(20_000_000), ..Place::default() };
    let server = start_on(Way::Local, &data, place);
    let owner = server.owner();
    let large: String = (0..400).map(|row| format!("0.wav,0,11.{row:03},low\n")).collect();
    let large = recordings(1, format!("file,start,end,label\n{large}"));
    // Together they would be larger than an upload as well: the room of the tenant is asked before that.
    let ended = finished(&owner, large.clone());
    assert_eq!(ended["error"]["code"], "over_quota", "{ended}");
    let left = std::fs::read_dir(data.join("uploads")).expect("a folder").map(|one| one.expect("listed"));
    let left: Vec<_> = left.map(|one| one.file_name().into_string().expect("plain")).collect();
    assert!(!left.iter().any(|name| name.ends_with(".pieces")), "nothing that was cut is left: {left:?}");

    let many: String = (0..200_001).map(|_| "0.wav,0,0.001,low\n").collect();
    let ended = finished(&owner, recordings(1, format!("file,start,end,label\n{many}")));
    assert!(ended.to_string().contains("more than 200,000 pieces"), "{ended}");

    // What a data set cannot take is not cut out first.
    let photos = owner.bring("photos", &[("p/a.png".to_owned(), testkit::photo([9, 9, 9], 1))]);
    let ended = finished_into(&owner, &photos, large);
    assert!(ended.to_string().contains("another kind of examples"), "{ended}");
}
