//! Photos of good parts and of defects become an inspector that shows where it looked.

use std::path::Path;

use base64::Engine as _;
use serde_json::{Value, json};
use server::Way;
use testkit::{Client, id};

use crate::running::{folder, start};
use crate::strangers::{PASSWORD, two_tenants};
use crate::together::counted;

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

/// A box around all that is broken on a tile of this name.
fn around_the_break(name: &str) -> Value {
    let stem = Path::new(name).file_stem().expect("a name").to_string_lossy().into_owned();
    let mask = format!("{TILES}/ground_truth/break/{stem}_mask.png");
    let mask = image::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(mask)).expect("a mask").to_luma8();
    let broken = || mask.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] > 127);
    let ends = |along: fn((u32, u32, &image::Luma<u8>)) -> u32| {
        let (first, last) = (broken().map(along).min(), broken().map(along).max());
        (first.expect("something is broken"), last.expect("something is broken") + 1)
    };
    let ((left, right), (top, bottom)) = (ends(|(x, _, _)| x), ends(|(_, y, _)| y));
    json!({ "class": "break", "shape": "box", "x": left, "y": top, "width": right - left, "height": bottom - top })
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
    // One defect is marked.
    let defect = owner.get(&at("/examples?label=break&limit=1")).body["examples"][0].clone();
    let area = around_the_break(defect["name"].as_str().expect("a name"));
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
    // How the base sees whole photos is watched, and written down by the hundred.
    let many: Vec<_> = inputs.iter().cycle().take(100).collect();
    assert_eq!(owner.post("/v1/predict/tiles", &json!({ "inputs": many })).status, 200);
    let seen = || owner.get("/v1/deployments/tiles/monitor").body["drift"]["seen"].clone();
    let seen = owner.until(|| Some(seen()).filter(|seen| seen["n"] == 101));
    assert_eq!(seen["senses"], json!([]), "it has one sense alone");
    errors_are_looked_at(&owner, &model, &dataset, &errors["inspection"]);
    regions_are_suggested(&owner, &model, &dataset);
    strangers_and_the_blind_see_nothing(&owner.get(&format!("/v1/models/{model}/bundle")).bytes);
}

/// Every part on which it erred is shown with where it looks on it, from the photo as it was given.
#[track_caller]
fn errors_are_looked_at(owner: &Client, model: &str, dataset: &str, errors: &Value) {
    let at = |example: &Value| format!("/v1/models/{model}/inspected/{}", example.as_str().expect("an id"));
    let parts: Vec<&Value> = ["missed", "alarmed_good", "suspects"]
        .iter()
        .flat_map(|of| errors[of].as_array().expect("parts"))
        .collect();
    assert!(!parts.is_empty(), "{errors}");
    for part in parts {
        // What those saw that had not learned it is written down, and shown without a look.
        let looked_at = counted(owner).0;
        let before = owner.get(&format!("{}/measured", at(&part["example"]))).body["measured"].clone();
        assert_eq!(counted(owner).0, looked_at);
        let side = |at: usize| before["size"][at].as_u64().unwrap_or_else(|| panic!("{part}: {before}"));
        let inside = |point: &Value| (0..2).all(|axis| point[axis].as_u64() <= Some(side(axis)));
        let mut corners = before["outlines"]
            .as_array()
            .expect("outlines")
            .iter()
            .flat_map(|one| one.as_array().expect("corners"));
        assert!(corners.all(inside), "{before}");
        let seen = owner.get(&at(&part["example"])).body;
        let overlay = seen["inspected"]["overlay"].as_str().unwrap_or_else(|| panic!("{part}: {seen}"));
        assert!(overlay.starts_with("data:image/jpeg;base64,"), "{seen}");
        assert_eq!(seen["learned"], true, "it was made of all of them");
        assert_eq!(owner.get(&at(&part["example"])).body, seen, "it is the same once more");
        let small = owner.get(&format!("{}/heat", at(&part["example"]))).bytes;
        let then = before["overlay"].as_str().expect("a picture");
        assert_eq!(
            then.strip_prefix("data:image/jpeg;base64,"),
            Some(base64::engine::general_purpose::STANDARD.encode(&small).as_str())
        );
    }
    // One that came later is new to it, and one of another kind is nothing to look at.
    let later = tiles(DEFECT, 30, 1, |name| format!("tiles/break/later-{name}"));
    owner.bring_into(dataset, &later);
    let found = owner.get(&format!("/v1/datasets/{dataset}/examples?q=later-")).body["examples"][0].clone();
    let seen = owner.get(&at(&found["id"])).body;
    assert_eq!(seen["learned"], false);
    assert_eq!(owner.get(&format!("{}/measured", at(&found["id"]))).body, json!({ "measured": null }));
    let small = image::load_from_memory(&owner.get(&format!("{}/heat", at(&found["id"]))).bytes);
    let small = small.expect("a picture");
    assert!(small.width().max(small.height()) <= 320);
    let texts = owner.bring("texts", &[("a.csv".to_owned(), b"text,label\none,a\ntwo,b\n".to_vec())]);
    let text = owner.get(&format!("/v1/datasets/{texts}/examples")).body["examples"][0]["id"].clone();
    let refused = owner.get(&at(&text));
    assert_eq!((refused.status, refused.body["hint"].is_string()), (409, true), "{refused:?}");
    assert_eq!(owner.get(&at(&json!("nobody"))).status, 404);
}

/// What an inspector finds is suggested to who marks. Nothing of it is kept unless accepted.
#[track_caller]
fn regions_are_suggested(owner: &Client, deployed: &str, dataset: &str) {
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    // Of some defects it finds nothing.
    let unmarked = owner.get(&at("/examples?label=break&limit=500")).body["examples"].clone();
    let mut unmarked = unmarked.as_array().expect("examples").iter().filter(|one| one["marks"] == json!([]));
    let told_of = |example: &str| owner.get(&format!("{example}/suggested-marks")).body;
    let (example, told) = unmarked
        .find_map(|one| {
            let example = format!("/v1/examples/{}", one["id"].as_str().expect("an id"));
            let told = told_of(&example);
            (told["marks"] != json!([])).then_some((example, told))
        })
        .expect("it finds something on one of them");
    assert_eq!(told["model"], json!({ "id": deployed, "name": "tiles" }), "{told}");
    let marks: Vec<Value> =
        told["marks"].as_array().expect("marks").iter().map(|one| one["mark"].clone()).collect();
    let looks_right = |mark: &Value| {
        let corners = mark["points"].as_array().expect("corners").len();
        mark["shape"] == "polygon"
            && mark["class"] == "break"
            && mark["suggested_by"] == deployed
            && (3..200).contains(&corners)
    };
    assert!(!marks.is_empty() && marks.iter().all(looks_right), "{told}");
    assert!(told["marks"].as_array().expect("marks").iter().all(|one| one["score"].as_f64() > Some(1.0)));
    assert_eq!(owner.get(&example).body["marks"], json!([]), "nobody accepted anything");
    assert_eq!(owner.get(&example).body["marks_event"], 0);
    let kept = owner.send("PUT", &format!("{example}/marks"), &json!({ "marks": [marks[0]] }));
    assert_eq!((kept.status, &owner.get(&example).body["marks"]), (200, &json!([marks[0]])), "{kept:?}");
}

/// Who labels blindly is not told what an inspector sees, and what is another tenant's is not there.
fn strangers_and_the_blind_see_nothing(bundle: &[u8]) {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let (ann, bob) = two_tenants(&server);
    let lea = json!({ "name": "lea", "password": PASSWORD, "role": "labeller" });
    assert_eq!(ann.post("/v1/people", &lea).status, 200);
    let nobody = server.nobody();
    let lea = nobody.with_session(&nobody.post("/v1/login", &json!({ "name": "lea", "password": PASSWORD })));
    let bring = |who: &Client| {
        let brought = who.ask("POST", "/v1/models?name=tiles", Some("application/octet-stream"), bundle);
        brought.body["id"].as_str().unwrap_or_else(|| panic!("{brought:?}")).to_owned()
    };
    let (ours, theirs) = (bring(&ann), bring(&bob));
    let dataset = ann.bring("tiles", &tiles(DEFECT, 0, 1, |name| format!("tiles/break/{name}")));
    let example = ann.get(&format!("/v1/datasets/{dataset}/examples")).body["examples"][0]["id"].clone();
    let example = example.as_str().expect("an id");
    let asked = |who: &Client, model: &str| {
        ["", "/heat", "/measured"]
            .map(|end| who.get(&format!("/v1/models/{model}/inspected/{example}{end}")).status)
    };
    assert_eq!((asked(&ann, &ours), asked(&lea, &ours)), ([200; 3], [200; 3]));
    assert_eq!(
        (asked(&bob, &ours), asked(&bob, &theirs), asked(&ann, &theirs)),
        ([404; 3], [404; 3], [404; 3])
    );
    assert_eq!(nobody.get(&format!("/v1/models/{ours}/inspected/{example}")).status, 401);
    let blind = json!({ "annotators": 2, "blind": true });
    assert_eq!(ann.send("PATCH", &format!("/v1/datasets/{dataset}"), &blind).status, 200);
    assert_eq!((asked(&ann, &ours), asked(&lea, &ours)), ([200; 3], [403; 3]));
}

const GOOD: &str = "train/good";
const DEFECT: &str = "test/break";
