//! Photos of good parts and of defects become an inspector that shows where it looked.

use std::path::Path;

use base64::Engine as _;
use serde_json::{Value, json};
use server::Way;
use testkit::id;

use crate::running::{folder, start};

const TILES: &str = "../../../shared/data/defect/magnetic_tile";

/// Some photos of the tiles, under class folders.
fn tiles(
    kind: &str,
    from: usize,
    count: usize,
    mut as_class: impl FnMut(&str) -> String,
) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(TILES).join(kind);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "jpg"))
        .collect();
    files.sort();
    let file = |path: std::path::PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (as_class(&name), std::fs::read(path).expect("a photo"))
    };
    files.into_iter().skip(from).take(count).map(file).collect()
}

#[test]
fn good_parts_and_a_few_defects_make_an_inspector() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let mut files = tiles(GOOD, 0, 40, |name| format!("tiles/good/{name}"));
    files.extend(tiles(DEFECT, 0, 8, |name| format!("tiles/break/{name}")));
    let dataset = owner.bring("tiles", &files);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    assert_eq!(owner.get(&at("")).body["inspects"], true);
    // One defect is marked, roughly.
    let defect = owner.get(&at("/examples?label=break&limit=1")).body["examples"][0].clone();
    let side = |name: &str| defect[name].as_f64().expect("pixels");
    let area = json!({ "class": "break", "shape": "box", "x": side("width") / 4.0, "y": side("height") / 4.0,
        "width": side("width") / 2.0, "height": side("height") / 2.0 });
    let put = format!("/v1/examples/{}/marks", defect["id"].as_str().expect("an id"));
    assert_eq!(owner.send("PUT", &put, &json!({ "marks": [area] })).status, 200);

    let tuned = owner.wait(&id(&owner.post(&at("/tune"), &json!({ "false_alarms": 0.1 }))));
    assert_eq!(tuned["state"], "done", "{tuned}");
    let model = tuned["result"]["model"].as_str().expect("a model").to_owned();
    let told = owner.get(&format!("/v1/models/{model}")).body;
    assert_eq!(
        (told["kind"].clone(), told["inspector"]["proven"].clone()),
        (json!("inspector"), json!(true)),
        "{told}"
    );
    assert_eq!(
        (told["inspector"]["false_alarms"].clone(), told["inspector"]["n_good"].clone()),
        (json!(0.1), json!(40))
    );
    let errors = owner.get(&format!("/v1/models/{model}/errors")).body;
    assert!(errors["inspection"]["trade"].as_array().is_some_and(|trade| trade.len() > 5), "{errors}");
    assert_eq!(errors["inspection"]["kinds"][0]["kind"], "break");
    assert!(owner.get(&format!("/v1/models/{model}/report?lang=zh")).text.contains("误报"));

    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut asked = tiles(GOOD, 60, 6, str::to_owned);
    asked.extend(tiles(DEFECT, 20, 6, str::to_owned));
    let inputs: Vec<Value> = asked.iter().map(|(_, bytes)| json!({ "image": base64(bytes) })).collect();
    let answer = owner.post(&format!("/v1/models/{model}/predict?heat=1"), &json!({ "inputs": inputs })).body;
    let alarms: Vec<bool> = answer["predictions"]
        .as_array()
        .expect("answers")
        .iter()
        .map(|told| told["inspected"]["alarm"].as_bool().expect("a verdict"))
        .collect();
    let count = |part: &[bool]| part.iter().filter(|alarm| **alarm).count();
    assert!(count(&alarms[..6]) <= 2 && count(&alarms[6..]) >= 4, "{alarms:?}");
    let first = &answer["predictions"][6]["inspected"];
    assert!(first["overlay"].as_str().is_some_and(|overlay| overlay.starts_with("data:image/jpeg;base64,")));
    assert_eq!(owner.send("PUT", "/v1/deployments/tiles", &json!({ "model": model })).status, 200);
    let plain = owner.post("/v1/predict/tiles", &json!({ "inputs": [inputs[0]] })).body;
    assert_eq!(plain["predictions"][0]["inspected"]["overlay"], json!(null));
    assert_eq!(owner.get("/v2/models/tiles/ready").status, 409, "the protocol has no words for it");
}

const GOOD: &str = "train/good";
const DEFECT: &str = "test/break";
