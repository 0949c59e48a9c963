//! What a deployment was asked, whether that changed, and how another model compares.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, id, parts, photo};

use crate::running::{Place, folder, start, start_on};

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn tuned(owner: &Client, dataset: &str) -> String {
    let ended = owner.wait(&id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({}))));
    ended["result"]["model"].as_str().unwrap_or_else(|| panic!("{ended}")).to_owned()
}

/// Deploys a model of red and blue parts as `parts`.
#[track_caller]
fn deploy(owner: &Client) {
    let dataset = owner.bring("parts", &parts(30));
    let deployed = owner.send("PUT", "/v1/deployments/parts", &json!({ "model": tuned(owner, &dataset) }));
    assert_eq!(deployed.status, 200, "{deployed:?}");
}

#[test]
fn what_changes_is_noticed_and_another_model_is_compared() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = owner.bring("parts", &parts(30));
    let [model, shadow] = [tuned(&owner, &dataset), tuned(&owner, &dataset)];
    let deployed = owner.send("PUT", "/v1/deployments/parts", &json!({ "model": model, "shadow": shadow }));
    assert_eq!(deployed.status, 200, "{deployed:?}");
    let ask = |colour: [u8; 3], from: u32| {
        let inputs: Vec<Value> =
            (from..from + 40).map(|number| json!({ "image": base64_of(&photo(colour, number)) })).collect();
        assert_eq!(owner.post("/v1/predict/parts", &json!({ "inputs": inputs })).status, 200);
    };
    let monitor = || owner.get("/v1/deployments/parts/monitor").body;
    ask([180, 30, 40], 0);
    let compared = owner.until(|| Some(monitor()).filter(|told| told["shadow"]["n"] == 40));
    assert_eq!(
        (compared["shadow"]["same"].clone(), compared["drift"]["n"].clone()),
        (json!(40), json!(40)),
        "{compared}"
    );
    let answers: BTreeMap<String, u64> = compared["days"][0]["answers"]
        .as_array()
        .expect("answers")
        .iter()
        .map(|answer| {
            (
                answer["answer"].as_str().expect("a class").to_owned(),
                answer["count"].as_u64().expect("a count"),
            )
        })
        .collect();
    assert_eq!(answers, BTreeMap::from([("red".to_owned(), 40)]));
    assert!(compared["days"][0]["latency_ms_p50"].as_f64().is_some_and(|time| time > 0.0));
    assert!(compared["mix"]["p_value"].as_f64().is_some_and(|p| p < 0.001), "only red ones come: {compared}");
    // Green parts are like nothing that was learned from.
    (0..3).for_each(|round| ask([20, 200, 30], 100 * round));
    let changed = monitor();
    assert!(changed["drift"]["changed_at"].is_string(), "{changed}");
    assert!(owner.get("/v1/deployments").body["deployments"][0]["changed_at"].is_string());
    assert_eq!(
        owner.ask("DELETE", &format!("/v1/models/{shadow}"), None, &[]).status,
        409,
        "it is being compared"
    );
    assert_eq!(owner.ask("DELETE", "/v1/deployments/parts/drift", None, &[]).status, 204);
    let again = monitor();
    assert_eq!((again["drift"]["changed_at"].clone(), again["drift"]["n"].clone()), (json!(null), json!(0)));
    drop(server);
    let server = start(Way::Local, &data);
    let days = server.owner().get("/v1/deployments/parts/monitor").body["days"].clone();
    assert_eq!(days[0]["n_requests"], 4, "counts outlive the server");
}

/// Asks `parts` about fifty photos, of one colour and of the other in turn.
#[track_caller]
fn ask_fifty(owner: &Client, round: u32, colours: [[u8; 3]; 2]) {
    let photo = |number: u32| photo(colours[number as usize % 2], 50 * round + number);
    let inputs: Vec<Value> = (0..50).map(|number| json!({ "image": base64_of(&photo(number)) })).collect();
    assert_eq!(owner.post("/v1/predict/parts", &json!({ "inputs": inputs })).status, 200);
}

#[test]
fn inputs_before_the_next_hundred_outlive_the_server() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    deploy(&owner);
    let colours = [[180, 30, 40], [30, 40, 180]];
    (0..5).for_each(|round| ask_fifty(&owner, round, colours));
    drop(owner);
    drop(server);
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let seen = || owner.get("/v1/deployments/parts/monitor").body["drift"]["seen"]["n"].clone();
    assert_eq!(seen(), 250);
    ask_fifty(&owner, 5, colours);
    // No request waits for the comparison.
    owner.until(|| (seen() == 300).then_some(()));
}

#[test]
fn another_mix_of_what_is_well_known_is_noticed_by_how_the_base_sees_it() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    deploy(&owner);
    let (red, blue) = ([180, 30, 40], [30, 40, 180]);
    let drift = || owner.get("/v1/deployments/parts/monitor").body["drift"].clone();
    (0..6).for_each(|round| ask_fifty(&owner, round, [red, blue]));
    let same = owner.until(|| Some(drift()).filter(|drift| drift["seen"]["n"] == 300));
    assert_eq!(same["seen"]["changed_at"], json!(null), "{same}");
    (6..12).for_each(|round| ask_fifty(&owner, round, [blue, blue]));
    let other = owner.until(|| {
        Some(drift()).filter(|drift| drift["seen"]["n"] == 600 && drift["seen"]["changed_at"].is_string())
    });
    assert!(owner.get("/v1/deployments").body["deployments"][0]["changed_at"].is_string());
    // Another start knows it, and what came before.
    drop(owner);
    drop(server);
    let server = start(Way::Local, &data);
    let again = server.owner().get("/v1/deployments/parts/monitor").body["drift"].clone();
    let known = |drift: &Value| (drift["seen"]["n"].clone(), drift["seen"]["changed_at"].clone());
    assert_eq!(known(&again), known(&other), "{again}");
}

#[test]
fn who_asks_too_fast_is_told_to_wait() {
    let (_dir, data) = folder();
    let server = start_on(Way::Local, &data, Place { max_rate: Some(2), ..Place::default() });
    let owner = server.owner();
    let statuses: Vec<u16> = (0..14).map(|_| owner.get("/v1/datasets").status).collect();
    assert_eq!(statuses[..8], [200; 8]);
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn who_is_not_known_and_asks_too_fast_is_told_to_wait_by_address() {
    let (_dir, data) = folder();
    let server = start_on(Way::Team, &data, Place { max_rate: Some(1), ..Place::default() });
    let owner = server.set_up();
    let from = |client: &Client, address: &str| client.with("x-forwarded-for", address);
    let nobody = from(&server.nobody(), "203.0.113.7");
    // One comes back each second: few are needed, and none too slow.
    let drained =
        |client: &Client| (0..200).map(|_| client.get("/v1/status")).find(|told| told.status == 429);
    let told = drained(&nobody.with("accept-language", "zh")).expect("too many");
    assert_eq!(told.body["code"], "too_many_requests", "{told:?}");
    assert_eq!(told.body["message"], "请求过于频繁");
    assert!(told.headers.contains(&("retry-after".to_owned(), "1".to_owned())), "{told:?}");
    // Nor do a page, a session that is none, and addresses that a client made up, bring one further.
    let made_up = from(&server.nobody(), "198.51.100.1, 203.0.113.7");
    let pages = (0..200).any(|_| nobody.get("/").status == 429);
    assert!(pages && drained(&nobody.with("cookie", "dianjing_session=made_up")).is_some());
    assert!(drained(&made_up).is_some() && drained(&nobody.with("authorization", "Bearer djt_x")).is_some());
    assert_eq!(["/health", "/ready", "/v2/health/live"].map(|probe| nobody.get(probe).status), [200; 3]);
    assert_eq!(from(&server.nobody(), "203.0.113.8").get("/v1/status").status, 200);
    // Who is known goes on from there, and takes nothing from the others.
    assert_eq!(from(&owner, "203.0.113.7").get("/v1/session").status, 200);
    let other = "203.0.113.9";
    assert_eq!([(); 3].map(|()| from(&owner, other).get("/v1/session").status), [200; 3]);
    assert_eq!([(); 4].map(|()| from(&server.nobody(), other).get("/v1/status").status), [200; 4]);
}
