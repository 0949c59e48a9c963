//! Coming in: who guesses keeps nobody out, what strangers send is small, and another password ends what was begun with the old one.

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, Told, id};

use crate::provider::IdentityProvider;
use crate::running::{Place, Running, folder, start, start_on};
use crate::strangers::{PASSWORD, two_tenants};

const NEW: &str = "another long password";

fn log_in(who: &Client, name: &str, password: &str) -> Told {
    who.post("/v1/login", &json!({ "name": name, "password": password }))
}

/// Somebody behind a proxy on this machine, which says where they are.
fn at(server: &Running, address: &str) -> Client {
    server.nobody().with("x-forwarded-for", address)
}

fn actions(owner: &Client) -> Vec<Value> {
    let entries = owner.get("/v1/trail").body["entries"].clone();
    entries.as_array().expect("entries").iter().map(|entry| entry["action"].clone()).collect()
}

/// A browser that stays in where all other sessions were ended.
fn staying(server: &Running, told: &Told) -> Client {
    let cookie = told.values("set-cookie").next().and_then(|cookie| cookie.split(';').next());
    server.nobody().with("cookie", cookie.expect("a session"))
}

#[test]
fn who_guesses_at_a_name_elsewhere_does_not_keep_its_person_out() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    two_tenants(&server);
    let (eve, ann) = (at(&server, "203.0.113.7"), at(&server, "198.51.100.1"));
    let tries: Vec<u16> = (0..9).map(|_| log_in(&eve, "ann", "wrong").status).collect();
    assert_eq!((tries[7], tries[8]), (401, 429), "{tries:?}");
    let came = log_in(&ann, "ann", PASSWORD);
    assert_eq!(came.status, 200);
    // Nor from changing her password, wherever she is.
    let there = eve.with_session(&came);
    let change = |old: &str| there.post("/v1/password", &json!({ "old": old, "new": NEW })).status;
    assert_eq!(change(PASSWORD), 204);
    // What is tried by somebody who is in is counted as well.
    let there = at(&server, "203.0.113.8").with_session(&log_in(&ann, "ann", NEW));
    let change = |old: &str| there.post("/v1/password", &json!({ "old": old, "new": NEW })).status;
    let tries: Vec<u16> = (0..9).map(|_| change("wrong")).collect();
    assert_eq!((tries[7], tries[8]), (422, 429), "{tries:?}");
}

#[test]
fn what_was_one_persons_studio_becomes_a_teams() {
    let (_dir, data) = folder();
    let studio = start(Way::Local, &data);
    let alone = studio.owner();
    let dataset = id(&alone.post("/v1/datasets", &json!({ "name": "parts" })));
    // Whoever was let in to label owns nothing.
    studio.person(&alone, "ben", "labeller");
    drop(studio);
    let server = start(Way::Team, &data);
    assert_eq!(server.nobody().get("/v1/status").body["needs_setup"], true);
    let still = server.nobody().with("cookie", alone.header("cookie").expect("a session"));
    assert_eq!(still.get("/v1/datasets").status, 401, "what was begun without a password has ended");
    let setup = json!({ "key": server.key, "tenant": "Works", "name": "ben", "password": PASSWORD });
    let told = server.nobody().post("/v1/setup", &setup);
    assert!(
        told.status == 409 && told.body["message"].as_str().is_some_and(|said| said.contains("name")),
        "{told:?}"
    );
    let ann = server.set_up();
    assert_eq!(actions(&ann)[..2], ["log in", "set up"]);
    assert_eq!(ann.get(&format!("/v1/datasets/{dataset}")).body["name"], "parts");
    assert_eq!(ann.get("/v1/session").body["tenant"]["name"], "Works");
    let setup = json!({ "key": server.key, "tenant": "x", "name": "y", "password": PASSWORD });
    assert_ne!(server.nobody().post("/v1/setup", &setup).status, 200, "a key serves once");
    drop(server);
    let server = start(Way::Team, &data);
    assert_eq!(server.key, None);
    assert_eq!(log_in(&server.nobody(), "ann", PASSWORD).status, 200);
    drop(server);
    assert_eq!(start(Way::Local, &data).owner().get(&format!("/v1/datasets/{dataset}")).status, 200);
}

#[test]
fn what_strangers_send_is_small() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let (ann, _) = two_tenants(&server);
    let nobody = server.nobody();
    let long = "x".repeat(20_000);
    for (path, body) in [
        ("/v1/enter", json!({ "key": long })),
        ("/v1/setup", json!({ "key": long, "tenant": "x", "name": "y", "password": PASSWORD })),
        ("/v1/login", json!({ "name": "ann", "password": long })),
    ] {
        let told = nobody.post(path, &body);
        assert_eq!((told.status, &told.body["code"]), (413, &json!("too_large")), "{path}");
    }
    let told = ann.post("/v1/datasets", &json!({ "name": "x".repeat(60), "task": long }));
    assert_eq!(told.status, 422, "who is known may send more");
}

#[test]
fn another_password_ends_all_sessions_but_that_of_this_browser() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let (ann, _) = two_tenants(&server);
    let token = ann.post("/v1/tokens", &json!({ "name": "t", "scopes": ["read"] }));
    let bearer = format!("Bearer {}", token.body["secret"].as_str().expect("a secret"));
    let thief = server.nobody().with_session(&log_in(&server.nobody(), "ann", PASSWORD));
    let told = ann.post("/v1/password", &json!({ "old": PASSWORD, "new": NEW }));
    assert_eq!(told.status, 204);
    let status = |who: &Client| who.get("/v1/session").status;
    assert_eq!((status(&thief), status(&ann)), (401, 401), "every cookie from before is useless");
    let ann = staying(&server, &told);
    assert_eq!((status(&ann), actions(&ann)[0].clone()), (200, json!("change password")));
    let program = server.nobody().without("x-dianjing").with("authorization", &bearer);
    assert_eq!(program.get("/v1/datasets").status, 200, "tokens are taken away by themselves");
}

#[test]
fn an_owner_lets_somebody_begin_anew_who_forgot_their_password() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let (ann, bob) = two_tenants(&server);
    let ed = server.person(&ann, "ed", "editor");
    let token = ed.post("/v1/tokens", &json!({ "name": "t", "scopes": ["read"] }));
    let bearer = format!("Bearer {}", token.body["secret"].as_str().expect("a secret"));
    let session = |who: &Client| who.get("/v1/session").body["person"]["id"].clone();
    let of = |who: &Value| format!("/v1/people/{}/password", who.as_str().expect("an id"));
    let (path, own) = (of(&session(&ed)), of(&session(&ann)));
    let give = |who: &Client, path: &str, password: &str| {
        let told = who.post(path, &json!({ "password": password }));
        (told.status, told.body["code"].clone())
    };
    assert_eq!(give(&bob, &path, NEW), (404, json!("not_found")), "of another team");
    assert_eq!(give(&ed, &own, NEW), (403, json!("forbidden")), "by who is no owner");
    assert_eq!(give(&ann, &path, "short"), (422, json!("invalid")));
    assert_eq!(give(&ann, &own, NEW), (409, json!("conflict")), "one's own takes the old one");
    assert_eq!(ed.get("/v1/session").status, 200, "nothing has happened");
    assert_eq!(give(&ann, &path, NEW).0, 204);
    assert_eq!(ed.get("/v1/session").status, 401, "whoever was in is out");
    let nobody = server.nobody();
    assert_eq!((log_in(&nobody, "ed", PASSWORD).status, log_in(&nobody, "ed", NEW).status), (401, 200));
    let program = nobody.without("x-dianjing").with("authorization", &bearer);
    assert_eq!(program.get("/v1/datasets").status, 200, "programs go on");
    assert!(actions(&ann).contains(&json!("give new password")));
}

#[test]
fn who_logs_in_with_the_provider_only_gets_no_password() {
    let (provider, (_dir, data)) = (IdentityProvider::start(), folder());
    let oidc = Some(provider.settings(None));
    let server = start_on(Way::Team, &data, Place { oidc, ..Place::default() });
    let ann = server.set_up();
    let new = json!({ "name": "Ben", "email": "ben@example.com", "role": "editor" });
    let ben = id(&ann.post("/v1/people", &new));
    let people = ann.get("/v1/people").body["people"].clone();
    assert_eq!((&people[0]["has_password"], &people[1]["has_password"]), (&json!(true), &json!(false)));
    let give =
        |owner: &Client| owner.post(&format!("/v1/people/{ben}/password"), &json!({ "password": NEW }));
    let told = give(&ann);
    assert_eq!((told.status, told.body["code"].clone()), (409, json!("conflict")));
    assert!(told.body["hint"].as_str().expect("a hint").contains("at the provider"));
    drop(server);
    // Where there is no provider any more a password is the only way in.
    let server = start(Way::Team, &data);
    let ann = server.nobody().with_session(&log_in(&server.nobody(), "ann", PASSWORD));
    assert_eq!(give(&ann).status, 204);
    assert_eq!(log_in(&server.nobody(), "Ben", NEW).status, 200);
}

/// Comes in as a phone does that scanned a code.
fn scan(server: &Running, door: &Value) -> Told {
    let address = door["address"].as_str().expect("an address");
    let (_, key) = address.split_once("/#/enter/").expect("a key");
    let key = key.strip_suffix("?to=%2Fd%2Fx%2Ftry%3Fmodel%3Dy%26z").expect("where it leads");
    server.nobody().post("/v1/enter", &json!({ "key": key }))
}

#[test]
fn a_phone_comes_in_once_by_a_key_of_the_owner_and_is_put_out_again() {
    let (_dir, data) = folder();
    let server = start_on(Way::Local, &data, Place { reachable: true, ..Place::default() });
    let owner = server.owner();
    let made = owner.post("/v1/keys", &json!({ "to": "/d/x/try?model=y&z" }));
    if made.status == 409 {
        assert_eq!(made.body["message"], "this computer is in no network");
        return;
    }
    let door = &made.body["doors"][0];
    let rows = door["code"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row.as_str().is_some_and(|row| row.len() == rows.len())), "{made:?}");
    let came = scan(&server, door);
    assert_eq!((came.status, &made.body["minutes"]), (200, &json!(10)), "{came:?}");
    let phone = server.nobody().with_session(&came);
    let dataset = id(&owner.post("/v1/datasets", &json!({ "name": "parts" })));
    assert_eq!(phone.get(&format!("/v1/datasets/{dataset}")).status, 200);
    assert_eq!(scan(&server, door).status, 401, "a key serves once");
    // Who was let in may let others in, until all are put out.
    let more = phone.post("/v1/keys", &json!({ "to": "/d/x/try?model=y&z" }));
    let stayed = owner.send("DELETE", "/v1/sessions", &json!({}));
    assert_eq!((stayed.status, phone.get("/v1/session").status), (204, 401));
    let owner = staying(&server, &stayed);
    assert_eq!(actions(&owner)[..2], ["log out elsewhere", "let a device in"]);
    assert_eq!(scan(&server, &more.body["doors"][0]).status, 401, "no key from before lets them in again");
}

#[test]
fn a_studio_of_one_computer_says_how_phones_could_come_in_and_a_team_logs_in() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    for odd in ["https://elsewhere", "", &"/x".repeat(200)] {
        assert_eq!(owner.post("/v1/keys", &json!({ "to": odd })).status, 422, "{odd}");
    }
    // A program makes no keys, or it could make itself a person.
    let token = owner.post("/v1/tokens", &json!({ "name": "line", "scopes": ["read", "write"] }));
    let secret = token.body["secret"].as_str().expect("a secret");
    let program = server.nobody().with("authorization", &format!("Bearer {secret}"));
    assert_eq!(program.post("/v1/keys", &json!({})).status, 403);
    assert_eq!(program.send("DELETE", "/v1/sessions", &json!({})).status, 403);
    let told = owner.with("accept-language", "zh-CN").post("/v1/keys", &json!({}));
    assert_eq!(
        (told.status, told.body["hint"].as_str().is_some_and(|hint| hint.contains("--phone"))),
        (409, true)
    );
    let (_dir, data) = folder();
    let server = start_on(Way::Team, &data, Place { reachable: true, ..Place::default() });
    let ann = server.set_up();
    assert_eq!(ann.post("/v1/keys", &json!({})).status, 409);
    let bob = server.person(&ann, "bob", "editor");
    assert_eq!(bob.post("/v1/keys", &json!({})).status, 403);
    // Each puts out their own, and no program.
    assert_eq!(bob.send("DELETE", "/v1/sessions", &json!({})).status, 204);
    assert_eq!((ann.get("/v1/session").status, bob.get("/v1/session").status), (200, 401));
}
