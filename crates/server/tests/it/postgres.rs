//! The same on PostgreSQL, as a team would run it: as a user of the database who may see nothing that is not theirs.

use std::path::Path;

use serde_json::json;
use server::Way;
use testkit::{Postgres, id, parts};

use crate::book::{Parts, a_rule_lives};
use crate::going_back::goes_back;
use crate::history::states_differ;
use crate::markings::decisions;
use crate::oidc::Browser;
use crate::one_list::outlives;
use crate::provider::IdentityProvider;
use crate::removing::there_and_back;
use crate::running::{Place, folder, start_on};
use crate::senses::several_senses;
use crate::votes::outlives_one;

fn on(database: String) -> Place {
    Place { database: Some(database), max_bytes: Some(1 << 40), ..Place::default() }
}

fn story(dir: &Path, url: &str) {
    let server = start_on(Way::Team, dir, on(url.to_owned()));
    let nobody = server.nobody();
    let setup = json!({ "key": server.key, "tenant": "Works", "name": "ann", "password": "a long password" });
    let ann = nobody.with_session(&nobody.post("/v1/setup", &setup));
    let dataset = ann.bring("parts", &parts(8));
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let page = ann.get(&at("/examples?label=red&state=labelled&q=0&limit=2"));
    assert_eq!(page.body["total"], 8, "{page:?}");
    let example = page.body["examples"][0]["id"].clone();
    ann.until(|| (ann.get(&at("/live")).body["state"] == "ready").then_some(()));
    assert_eq!(
        ann.post(&at("/labels"), &json!({ "example": example, "label": "green" })).body["n_labelled"],
        16
    );
    assert_eq!(ann.post(&at("/undo"), &json!({})).body["undone"], "green");
    assert_eq!(ann.send("PATCH", &at("/classes/red"), &json!({ "name": "rot" })).status, 200);
    assert_eq!(ann.get(&at("/events?limit=3")).body["events"].as_array().map(Vec::len), Some(3));
    for job in [ann.post(&at("/audit"), &json!({})), ann.post(&at("/tune"), &json!({}))] {
        let ended = ann.wait(&id(&job));
        assert_eq!(ended["state"], "done", "{ended}");
    }
    assert!(!ann.get(&at("/worklist")).body["audited_at"].is_null());
    let model = ann.get("/v1/models").body["models"][0]["id"].clone();
    for _ in 0..2 {
        let deployed = ann.send("PUT", "/v1/deployments/parts", &json!({ "model": model }));
        assert_eq!(deployed.status, 200, "{deployed:?}");
    }
    let token = ann.post("/v1/tokens", &json!({ "name": "t", "scopes": ["predict", "read"] }));
    let secret = token.body["secret"].as_str().expect("a secret").to_owned();
    let program = server.nobody().with("authorization", &format!("Bearer {secret}"));
    assert_eq!(program.get("/v2/models/parts/ready").body["ready"], true);
    assert_eq!(program.get("/v1/datasets").status, 200);
    let suggested = format!("/v1/examples/{}/suggested-marks", example.as_str().expect("an id"));
    assert_eq!(ann.get(&suggested).body, json!({ "model": null, "marks": [] }), "it is no inspector");
    assert_eq!(ann.get(&at("/examples?sure_below=0.6")).status, 200);
    let entries = ann.get("/v1/trail").body["entries"].as_array().map(Vec::len);
    let seal = ann.get("/v1/trail/seal").body;
    assert_eq!((seal["n_entries"].as_u64(), &seal["broken_at"]), (entries.map(|n| n as u64), &json!(null)));
}

/// Answers of other kinds, marks, votes and what is asked of them.
fn more(dir: &Path, url: &str) {
    let server = start_on(Way::Team, dir, on(url.to_owned()));
    let nobody = server.nobody();
    let login = json!({ "name": "ann", "password": "a long password" });
    let ann = nobody.with_session(&nobody.post("/v1/login", &login));
    let row = |(text, labels): (&str, [&str; 2])| json!({ "text": text, "label": labels }).to_string() + "\n";
    let rows = [("a", ["x", "y"]), ("a b", ["y", "z"]), ("c", ["x", "y"]), ("d", ["y", "z"])].map(row);
    let sets = ann.bring("sets", &[("sets.jsonl".into(), rows.concat().into_bytes())]);
    let at = |path: &str| format!("/v1/datasets/{sets}{path}");
    assert_eq!(
        ann.get(&at("")).body["classes"][1],
        json!({ "name": "y", "count": 4 }),
        "{:?}",
        ann.get(&at(""))
    );
    assert_eq!(ann.get(&at("/examples?label=x")).body["total"], 2);
    assert_eq!(ann.send("PATCH", &at("/classes/x"), &json!({ "name": "z" })).status, 200);
    assert_eq!(ann.get(&at("/examples?label=z")).body["total"], 4);
    let two = ann.get(&at("/examples?limit=2")).body["examples"].clone();
    let [example, other] = [0, 1].map(|place| two[place]["id"].as_str().expect("an id").to_owned());
    let mark = json!({ "class": "PER", "shape": "span", "start": 0, "end": 1 });
    let put = format!("/v1/examples/{example}/marks");
    assert_eq!(ann.send("PUT", &put, &json!({ "marks": [mark] })).body["n_marked"], 1);
    let suggested = |of: &str| ann.get(&format!("/v1/examples/{of}/suggested-marks")).body["marks"].clone();
    assert_eq!(suggested(&other)[0]["times"], 1);
    assert_eq!(suggested(&example), json!([]), "it is marked already");
    assert_eq!(ann.ask("DELETE", &at("/classes/PER"), None, &[]).status, 409, "a mark has it");
    assert_eq!(ann.post(&at("/undo"), &json!({})).body["what"], "marks");
    assert_eq!(ann.send("PATCH", &at(""), &json!({ "annotators": 2 })).status, 200);
    assert_eq!(ann.post(&at("/labels"), &json!({ "example": example, "labels": ["q"] })).status, 200);
    assert_eq!(ann.get(&at("/examples?state=disputed")).body["total"], 1);
    assert_eq!(ann.post(&at("/decisions"), &json!({ "example": example, "labels": ["y"] })).status, 200);
    assert_eq!(ann.get(&at("/agreement")).status, 200);
    assert_eq!(ann.get(&at("/export?format=jsonl")).text.lines().count(), 4);
    let numbers = ann.bring("numbers", &[("n.csv".into(), b"text,label\na,1.5\nb,-2.25\nc,1e3\n".to_vec())]);
    let told = ann.get(&format!("/v1/datasets/{numbers}")).body;
    assert_eq!(told["number"], json!({ "low": -2.25, "high": 1000.0 }), "{told}");
    assert_eq!(
        ann.send("PATCH", &format!("/v1/datasets/{numbers}"), &json!({ "task": "class" })).status,
        409
    );
    assert_eq!(ann.get("/v1/deployments/parts/monitor").status, 200);
    assert_eq!(ann.ask("DELETE", "/v1/deployments/parts/drift", None, &[]).status, 204);
}

/// Somebody comes in by way of a provider, and what there is is counted.
fn by_provider(dir: &Path, url: &str) {
    let provider = IdentityProvider::start();
    let oidc = Some(provider.settings(Some("example.com")));
    let server = start_on(Way::Team, dir, Place { oidc, ..on(url.to_owned()) });
    provider.seat(json!({ "sub": "f-1", "email": "fay@example.com", "email_verified": true }));
    for _ in 0..2 {
        let mut fay = Browser::new(&server);
        assert_eq!(fay.walk(), "/");
        assert_eq!(fay.who()["role"], "viewer");
        let usage = fay.client().get("/v1/usage").body;
        assert_eq!(usage["examples"]["used"], 23, "{usage}");
        assert!(usage["bytes"]["used"].as_i64().is_some_and(|bytes| bytes > 10_000), "{usage}");
    }
    let mut ann = Browser::new(&server);
    ann.log_in("ann");
    let new = json!({ "name": "Gus", "email": "gus@example.org", "role": "editor" });
    assert_eq!(ann.client().post("/v1/people", &new).status, 200);
    assert_eq!(ann.client().post("/v1/people", &new).status, 409);
    let person = id(&ann
        .client()
        .post("/v1/people", &json!({ "name": "Hal", "password": "a long password", "role": "viewer" })));
    assert_eq!(ann.client().ask("DELETE", &format!("/v1/people/{person}"), None, &[]).status, 204);
}

#[test]
fn a_team_works_on_postgresql() {
    let postgres = Postgres::start();
    let (_dir, data) = folder();
    story(&data, &postgres.url());
    more(&data, &postgres.url());
    by_provider(&data, &postgres.url());
    // Another start finds everything.
    let server = start_on(Way::Team, &data, on(postgres.url()));
    assert_eq!(server.key, None, "somebody is known");
    let nobody = server.nobody();
    let ann = nobody
        .with_session(&nobody.post("/v1/login", &json!({ "name": "ann", "password": "a long password" })));
    let counts = ann.get("/v1/datasets").body["datasets"].clone();
    let counts = counts.as_array().expect("data sets").iter().map(|dataset| dataset["n_examples"].clone());
    assert_eq!(counts.collect::<Vec<_>>(), [3, 4, 16], "the one that changed last comes first");
}

#[test]
fn the_book_the_history_and_several_senses_are_kept_by_postgresql() {
    let postgres = Postgres::start();
    a_rule_lives(&Parts::on(on(postgres.url())));
    let postgres = Postgres::start();
    states_differ(on(postgres.url()));
    let postgres = Postgres::start();
    let (_dir, data) = folder();
    let server = start_on(Way::Team, &data, on(postgres.url()));
    several_senses(&server.set_up());
}

#[test]
fn marks_of_several_people_are_kept_by_postgresql() {
    let postgres = Postgres::start();
    decisions(on(postgres.url()));
    let postgres = Postgres::start();
    outlives(on(postgres.url()));
    let postgres = Postgres::start();
    outlives_one(on(postgres.url()));
    let postgres = Postgres::start();
    there_and_back(on(postgres.url()));
    for (several, seed) in [(false, 3), (true, 4)] {
        let postgres = Postgres::start();
        goes_back(on(postgres.url()), several, seed);
    }
}
