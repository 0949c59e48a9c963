//! Tenants are strangers: whatever one asks of another's things, there is no such thing.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, Told, id, parts};

use crate::running::{Running, folder, start};

pub(crate) const PASSWORD: &str = "a long password";

/// The operator's owner, and the owner of another tenant.
pub(crate) fn two_tenants(server: &Running) -> (Client, Client) {
    let nobody = server.nobody();
    let setup = json!({ "key": server.key, "tenant": "Ours", "name": "ann", "password": PASSWORD });
    let ann = nobody.with_session(&nobody.post("/v1/setup", &setup));
    let tenant = json!({ "tenant": "Theirs", "name": "bob", "password": PASSWORD });
    assert_eq!(ann.post("/v1/tenants", &tenant).status, 200);
    let bob = nobody.with_session(&nobody.post("/v1/login", &json!({ "name": "bob", "password": PASSWORD })));
    (ann, bob)
}

#[test]
fn nothing_of_another_tenant_is_there() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let (ann, bob) = two_tenants(&server);
    let dataset = ann.bring("parts", &parts(6));
    let example =
        ann.get(&format!("/v1/datasets/{dataset}/examples?limit=1")).body["examples"][0]["id"].clone();
    let upload = id(&ann.post(&format!("/v1/datasets/{dataset}/uploads"), &json!({})));
    let job = id(&ann.post(&format!("/v1/datasets/{dataset}/tune"), &json!({})));
    let model = ann.wait(&job)["result"]["model"].clone();
    let deploy = json!({ "model": model }).to_string();
    assert_eq!(
        ann.ask("PUT", "/v1/deployments/ours", Some("application/json"), deploy.as_bytes()).status,
        200
    );
    let token = id(&ann.post("/v1/tokens", &json!({ "name": "t", "scopes": ["read"] })));
    let person = ann.get("/v1/session").body["person"]["id"].clone();

    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    let of = |path: &str| match path.split('/').nth(2) {
        Some("datasets") => Some(dataset.clone()),
        Some("examples") => Some(text(&example)),
        Some("uploads") => Some(upload.clone()),
        Some("jobs") => Some(job.clone()),
        Some("models") => Some(text(&model)),
        Some("tokens") => Some(token.clone()),
        Some("people") => Some(text(&person)),
        _ => None,
    };
    let document = ann.get("/openapi.json").body;
    let mut asked = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let Some(theirs) = of(path).filter(|_| path.contains("{id}")) else { continue };
        let filled = path.replace("{id}", &theirs).replace("{number}", "1").replace("{class}", "red");
        let filled = filled.replace("{other}", "x").replace("{state}", "x");
        for (method, operation) in operations.as_object().expect("operations") {
            let method = method.to_uppercase();
            let told =
                bob.ask(&method, &query(&filled), Some("application/json"), &body(operation, &document));
            assert_eq!(told.status, 404, "{method} {path}: {told:?}");
            assert_eq!(told.body["code"], "not_found");
            asked.insert(format!("{method} {path}"));
        }
    }
    assert!(asked.len() > 50, "every route with an id is asked: {asked:?}");
    assert_eq!(bob.post("/v1/predict/ours", &json!({ "inputs": [{ "text": "x" }] })).status, 404);
    assert_eq!(bob.get("/v1/deployments/ours/monitor").status, 404);
    assert_eq!(bob.ask("DELETE", "/v1/deployments/ours/drift", None, &[]).status, 404);
    for list in ["datasets", "models", "jobs", "deployments", "tokens"] {
        let told = bob.get(&format!("/v1/{list}"));
        assert_eq!(told.body[list], json!([]), "{list}");
    }
    assert_eq!(bob.get("/v1/people").body["people"].as_array().map(Vec::len), Some(1));
    let entries = bob.get("/v1/trail").body["entries"].as_array().expect("entries").clone();
    assert!(entries.iter().all(|entry| entry["person"] == "bob"), "{entries:?}");
    assert_eq!(bob.get("/v1/trail/seal").body["n_entries"], entries.len());
    assert_eq!(bob.get("/v1/usage").body["examples"]["used"], 0);
    assert_eq!(bob.get("/v1/usage").body["bytes"]["used"], 0);
    // All that is ours is still there.
    assert_eq!(ann.get("/v1/usage").body["examples"]["used"], 12);
    assert_ne!(ann.get("/v1/usage").body["bytes"]["used"], 0);
    assert_eq!(ann.get(&format!("/v1/datasets/{dataset}")).body["n_examples"], 12);
    assert_eq!(ann.get("/v1/tokens").body["tokens"].as_array().map(Vec::len), Some(1));
}

/// What routes want to know besides the path.
fn query(path: &str) -> String {
    let asked = match path.rsplit('/').next() {
        Some("file") => "?path=x.png",
        Some("diff") => "?from=0&to=0",
        Some("examples") if path.ends_with("/diff/examples") => "?from=0&to=0&kind=added",
        _ => "",
    };
    format!("{path}{asked}")
}

/// A body that would do, so that it is not the body that is refused.
fn body(operation: &Value, document: &Value) -> Vec<u8> {
    let reference = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    let Some(name) = reference.as_str().and_then(|path| path.rsplit('/').next()) else {
        return b"{}".to_vec();
    };
    let schema = &document["components"]["schemas"][name];
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let value = |field: &Value| match field.as_str().expect("a name") {
        "labels" | "inputs" => json!([{ "example": "x", "label": "y" }]),
        "marks" => json!([]),
        "examples" => json!(["x"]),
        "removed" => json!(true),
        "seq" => json!(0),
        "take" => json!("most"),
        "scopes" => json!(["read"]),
        "role" => json!("viewer"),
        "decision" => json!("keep"),
        _ => json!("something"),
    };
    let body: serde_json::Map<String, Value> =
        required.iter().map(|field| (field.as_str().expect("a name").to_owned(), value(field))).collect();
    let body = if name == "Questions" { json!({ "inputs": [{ "text": "x" }] }) } else { Value::Object(body) };
    body.to_string().into_bytes()
}

#[test]
fn roles_and_scopes_bound_what_people_and_programs_do() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let (ann, bob) = two_tenants(&server);
    let nobody = server.nobody();
    let new = |name: &str, role: &str| json!({ "name": name, "password": PASSWORD, "role": role });
    assert_eq!(ann.post("/v1/people", &new("lea", "labeller")).status, 200);
    assert_eq!(ann.post("/v1/people", &new("bob", "viewer")).status, 409, "names are unique on a server");
    let lea = nobody.with_session(&nobody.post("/v1/login", &json!({ "name": "lea", "password": PASSWORD })));
    assert_eq!(lea.post("/v1/datasets", &json!({ "name": "x" })).status, 403);
    assert_eq!(lea.post("/v1/people", &new("eve", "owner")).status, 403);
    assert_eq!(lea.get("/v1/datasets").status, 200);
    assert_eq!(
        bob.post("/v1/tenants", &json!({ "tenant": "T", "name": "eve", "password": PASSWORD })).status,
        403,
        "who runs the server makes tenants"
    );

    let token = |scopes: Value| {
        let told = ann.post("/v1/tokens", &json!({ "name": "t", "scopes": scopes }));
        let secret = told.body["secret"].as_str().expect("a secret").to_owned();
        nobody.without("x-dianjing").with("authorization", &format!("Bearer {secret}"))
    };
    let reader = token(json!(["read"]));
    let refused = reader.post("/v1/datasets", &json!({ "name": "x" }));
    assert_eq!((reader.get("/v1/datasets").status, refused.status), (200, 403));
    assert_eq!(refused.body["message"], "this token lacks the scope `write`");
    let writer = token(json!(["write", "read"]));
    assert_eq!(writer.post("/v1/datasets", &json!({ "name": "x" })).status, 200);
    let refused = writer.post("/v1/tokens", &json!({ "name": "t", "scopes": ["write"] }));
    assert_eq!(refused.status, 403, "no token makes tokens");
    assert_eq!(refused.body["message"], "no token allows this");
    assert_eq!(writer.post("/v1/people", &new("eve", "owner")).status, 403);

    let ann_id = ann.get("/v1/session").body["person"]["id"].as_str().expect("an id").to_owned();
    let change =
        ann.ask("PATCH", &format!("/v1/people/{ann_id}"), Some("application/json"), br#"{"role":"viewer"}"#);
    assert_eq!(change.status, 409, "the last owner stays");
    let trail = ann.get("/v1/trail").body;
    let actions: Vec<&str> = trail["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|entry| entry["action"].as_str())
        .collect();
    assert!(actions.contains(&"add person") && actions.contains(&"make token"), "{actions:?}");
}

#[test]
fn sessions_end_and_guessing_is_slowed_down() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let nobody = server.nobody();
    assert_eq!(nobody.get("/v1/status").body["needs_setup"], true);
    let (ann, _) = two_tenants(&server);
    assert_eq!(
        nobody
            .post(
                "/v1/setup",
                &json!({ "key": server.key, "tenant": "x", "name": "y", "password": PASSWORD })
            )
            .status,
        401,
        "set up once"
    );
    assert_eq!(ann.post("/v1/logout", &json!({})).status, 204);
    assert_eq!(ann.get("/v1/session").status, 401, "the secret of an ended session is useless");
    let tries: Vec<u16> = (0..10)
        .map(|_| nobody.post("/v1/login", &json!({ "name": "ann", "password": "wrong" })).status)
        .collect();
    assert_eq!((tries[0], tries[9]), (401, 429), "{tries:?}");
    assert!(nobody.get("/metrics").text.contains("dianjing_wrong_passwords_total 8\n"));
    // A session that was there before, and holds, is not taken over at log-in: whoever planted it would be logged in as well.
    let login = json!({ "name": "bob", "password": PASSWORD });
    let cookie = |told: &Told| {
        let of = |(name, value): &(String, String)| (name == "set-cookie").then(|| value.clone());
        told.headers.iter().find_map(of).expect("a session")
    };
    let secret = |told: &Told| cookie(told).split(';').next().expect("a value").to_owned();
    let first = nobody.post("/v1/login", &login);
    let planted = nobody.with("cookie", &secret(&first));
    assert_eq!(planted.get("/v1/session").status, 200, "it holds");
    let again = planted.post("/v1/login", &login);
    assert_ne!(secret(&again), secret(&first));
    assert!(cookie(&again).contains("HttpOnly"));
}
