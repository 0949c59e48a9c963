//! Tenants beside one another: questions to one base go through it together, whatever kind of model they are asked of, and nobody waits
//! for what another computes.

use base64::Engine as _;
use serde_json::{Value, json};
use server::Way;
use testkit::{Client, id, parts, photo};

use crate::running::{folder, start};
use crate::strangers::two_tenants;

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// What a data set of these files teaches, under a name.
#[track_caller]
fn deployed(owner: &Client, name: &str, files: &[(String, Vec<u8>)]) {
    let dataset = owner.bring(name, files);
    let ended = owner.wait(&id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({}))));
    let model = ended["result"]["model"].as_str().unwrap_or_else(|| panic!("{ended}"));
    let told = owner.send("PUT", &format!("/v1/deployments/{name}"), &json!({ "model": model }));
    assert_eq!(told.status, 200, "{told:?}");
}

/// Asks, and gives the answers.
#[track_caller]
fn asked(owner: &Client, name: &str, inputs: &[Value]) -> Value {
    let told = owner.post(&format!("/v1/predict/{name}"), &json!({ "inputs": inputs }));
    assert_eq!(told.status, 200, "{told:?}");
    told.body["predictions"].clone()
}

/// Inputs that went through bases, and batches in which they did.
pub(crate) fn counted(client: &Client) -> (u64, u64) {
    let page = client.get("/metrics").text;
    let [inputs, batches] = ["dianjing_inputs_total", "dianjing_batches_total"].map(|name| {
        let line = page.lines().find_map(|line| line.strip_prefix(name)).expect("it is counted");
        line.trim().parse().expect("a number")
    });
    (inputs, batches)
}

/// That what waits goes in one batch is tested where batches are made: here it would be a matter of how quick the machine is.
#[test]
fn two_tenants_and_models_of_all_kinds_share_the_way_through_a_base() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let (ann, bob) = two_tenants(&server);
    deployed(&ann, "parts", &parts(20));
    let good = (0..16).map(|number| (format!("set/good/{number}.png"), photo([150, 150, 210], number)));
    let bad = (0..4).map(|number| (format!("set/mud/{number}.png"), photo([70, 50, 30], number)));
    deployed(&bob, "muds", &good.chain(bad).collect::<Vec<_>>());

    // While a base is busy with the first of many, others ask as well.
    let photos = |from: u32, to: u32| -> Vec<Value> {
        (from..to).map(|number| json!({ "image": base64(&photo([180, 30, 40], number)) })).collect()
    };
    let before = counted(&ann);
    std::thread::scope(|scope| {
        let many = scope.spawn(|| asked(&ann, "parts", &photos(100, 300)));
        ann.until(|| (counted(&ann).1 > before.1).then_some(()));
        let ours = scope.spawn(|| asked(&ann, "parts", &photos(0, 2)));
        let theirs = scope.spawn(|| asked(&bob, "muds", &photos(2, 5)));
        let [many, ours, theirs] = [many, ours, theirs].map(|asking| asking.join().expect("answers"));
        assert!(many[199]["answer"] == "red" && ours[1]["answer"] == "red", "{ours}");
        assert_eq!(theirs[2]["inspected"]["alarm"], true, "{theirs}");
    });
    let after = counted(&ann);
    assert_eq!(after.0 - before.0, 205, "an inspector's photos are among them");
    let batches = after.1 - before.1;
    assert!((7..205).contains(&batches), "{batches} batches of at most 32");
}

#[test]
fn an_inspector_is_asked_a_few_at_a_time() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let good = (0..16).map(|number| (format!("set/good/{number}.png"), photo([150, 150, 210], number)));
    let bad = (0..4).map(|number| (format!("set/mud/{number}.png"), photo([70, 50, 30], number)));
    deployed(&owner, "muds", &good.chain(bad).collect::<Vec<_>>());
    let photos = (0..40).map(|number| match number {
        5 => json!({ "image": "bm8=" }),
        _ => json!({ "image": base64(&photo(if number % 8 == 0 { [70, 50, 30] } else { [150, 150, 210] }, number)) }),
    });
    let before = counted(&owner);
    let told = owner.post("/v1/predict/muds?heat=1", &json!({ "inputs": photos.collect::<Vec<_>>() })).body;
    let after = counted(&owner);
    for number in 0..40 {
        let told = &told["predictions"][number];
        assert_eq!(told["name"], (number + 1).to_string());
        match number {
            5 => assert!(told["problem"].is_string() && told["inspected"].is_null(), "{told}"),
            _ => {
                assert!(told["inspected"]["overlay"].is_string());
                assert!(
                    number % 8 != 0 || told["inspected"]["alarm"] == true,
                    "{number}: {}",
                    told["answer"]
                );
            }
        }
    }
    assert_eq!(after.0 - before.0, 39, "what is no photo is not looked at");
    assert!(
        after.1 - before.1 >= 3,
        "no more than 16 pictures are held at once: {} batches",
        after.1 - before.1
    );
}

#[test]
fn each_sense_of_a_thing_goes_through_its_base_with_the_others() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let mut files = Vec::new();
    let mut table = String::new();
    for number in 0..40 {
        let (red, loud) = (number / 2 % 2 == 0, number % 2 == 0);
        let colour = if red { [180, 30, 40] } else { [30, 40, 180] };
        files.push((format!("set/photos/{number}.png"), photo(colour, number)));
        let note = if loud { "it rattles loudly" } else { "quiet as ever" };
        let label = format!("{} {}", if red { "red" } else { "blue" }, if loud { "loud" } else { "quiet" });
        let row = json!({ "photo": format!("photos/{number}.png"), "note": format!("{note}, round {number}"), "label": label });
        table += &format!("{row}\n");
    }
    files.push(("set/things.jsonl".to_owned(), table.into_bytes()));
    deployed(&owner, "things", &files);
    let red = base64(&photo([180, 30, 40], 90));
    let inputs = [
        json!({ "photo": red, "note": "it rattles loudly, round 90" }),
        json!({ "note": "quiet as ever, round 91" }),
        json!({ "photo": "bm8=", "note": "it rattles loudly, round 92" }),
    ];
    let before = counted(&owner).0;
    let told = asked(&owner, "things", &inputs);
    assert_eq!(counted(&owner).0 - before, 5, "what is missing goes nowhere");
    assert_eq!(told[0]["answer"], "red loud", "{told}");
    let present = |place: usize| -> Vec<Value> {
        told[place]["senses"]
            .as_array()
            .expect("senses")
            .iter()
            .map(|sense| sense["present"].clone())
            .collect()
    };
    assert_eq!(
        [present(0), present(1), present(2)],
        [[true, true], [false, true], [false, true]].map(|there| there.map(Value::from).to_vec())
    );
    assert!(told[2]["problem"].as_str().is_some_and(|problem| problem.contains("photo")), "{told}");
}

#[test]
fn who_brings_data_in_does_not_wait_for_what_another_team_computes() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let (ann, bob) = two_tenants(&server);
    let dataset = ann.bring("parts", &parts(60));
    let tune = id(&ann.post(&format!("/v1/datasets/{dataset}/tune"), &json!({})));
    let state = || ann.get(&format!("/v1/jobs/{tune}")).body["state"].clone();
    ann.until(|| (state() == "running").then_some(()));
    bob.bring("letters", &[("letters.csv".to_owned(), b"text,label\nwhere is my card,card\n".to_vec())]);
    let import = bob.get("/v1/jobs").body["jobs"][0].clone();
    assert_eq!(import["state"], "done");
    let ended = |job: &Value| job["ended_at"].as_str().expect("a time").to_owned();
    assert!(ended(&import) < ended(&ann.wait(&tune)), "there is one worker, and one for imports");
}
