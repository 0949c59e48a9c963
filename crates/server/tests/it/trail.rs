//! The audit log: read page by page, and looked through for what was changed from outside.

use std::path::Path;

use serde_json::{Value, json};
use server::Way;
use sqlx::{AnyConnection, Connection as _, Executor as _};

use crate::running::{folder, start};

/// Changes the database behind the server's back.
fn tamper(dir: &Path, sql: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}", dir.join("studio.db").display());
        let mut connection = AnyConnection::connect(&url).await.expect("a connection");
        let done = connection.execute(sql).await.expect("changed");
        assert_eq!(done.rows_affected(), 1, "{sql}");
    });
}

#[test]
fn a_log_that_was_changed_from_outside_says_where() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let ann = server.set_up();
    for name in ["a", "b", "c", "d"] {
        assert_eq!(ann.post("/v1/datasets", &json!({ "name": name })).status, 200);
    }
    let eve = server.person(&ann, "eve", "editor");
    assert_eq!((eve.get("/v1/trail/seal").status, eve.get("/v1/trail").status), (403, 403));
    let seal = || ann.get("/v1/trail/seal").body;
    let broken_at = || seal()["broken_at"].clone();
    let entries = ann.get("/v1/trail").body["entries"].clone();
    let entries = entries.as_array().expect("entries");
    let whole = json!({ "n_entries": entries.len(), "hash": entries[0]["hash"], "broken_at": null });
    assert_eq!(seal(), whole);
    // Older ones come behind.
    let before = ann.get("/v1/trail?before=3").body["entries"].clone();
    assert_eq!(before.as_array().map(Vec::as_slice), Some(&entries[entries.len() - 2..]));

    tamper(&data, "UPDATE audit_log SET person = 'bob' WHERE seq = 2");
    assert_eq!(broken_at(), 2);
    assert_eq!(seal()["n_entries"], 1, "those before it fit");
    tamper(&data, "UPDATE audit_log SET person = 'ann' WHERE seq = 2");
    assert_eq!(seal(), whole);
    tamper(&data, "UPDATE audit_log SET at = at + 1 WHERE seq = 1");
    assert_eq!(broken_at(), 1);
    tamper(&data, "UPDATE audit_log SET at = at - 1 WHERE seq = 1");
    tamper(&data, "DELETE FROM audit_log WHERE seq = 3");
    assert_eq!(broken_at(), 4, "one is missing before it");
    // The log goes on, and stays told of.
    assert_eq!(ann.post("/v1/datasets", &json!({ "name": "e" })).status, 200);
    assert_eq!(broken_at(), 4);
    let newest = ann.get("/v1/trail").body["entries"][0]["seq"].clone();
    assert_eq!(newest, Value::from(entries.len() + 1));
}

#[test]
fn what_is_done_to_a_data_set_is_written_down() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let ann = server.set_up();
    let set = testkit::id(&ann.post("/v1/datasets", &json!({ "name": "a" })));
    let path = format!("/v1/datasets/{set}");
    let newest = |of: &str| {
        let entry = ann.get("/v1/trail").body["entries"][0].clone();
        assert_eq!(entry["subject"], of, "{entry}");
        entry["action"].as_str().expect("an action").to_owned()
    };
    let done = |method: &str, below: &str, body: &Value| {
        let told = ann.send(method, &format!("{path}{below}"), body);
        assert!(told.status < 300, "{told:?}");
        newest(&set)
    };
    assert_eq!(done("PATCH", "", &json!({ "name": "b" })), "rename data set");
    assert_eq!(done("PATCH", "", &json!({ "task": "classes" })), "change task");
    assert_eq!(done("POST", "/classes", &json!({ "name": "red" })), "add class");
    assert_eq!(done("PATCH", "/classes/red", &json!({ "name": "blue" })), "rename class");
    assert_eq!(done("DELETE", "/classes/blue", &json!({})), "remove class");
    // What is refused was not done.
    assert_eq!(ann.post("/v1/datasets/none/classes", &json!({ "name": "red" })).status, 404);
    assert_eq!(ann.get(&format!("{path}/export")).status, 409, "it is empty");
    assert_eq!(newest(&set), "remove class");
    let parts = ann.bring("parts", &testkit::parts(1));
    assert_eq!(ann.get(&format!("/v1/datasets/{parts}/export")).status, 200);
    assert_eq!(newest(&parts), "export data");
}
