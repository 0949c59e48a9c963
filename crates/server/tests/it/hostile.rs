//! What nobody should send.

use std::io::{Cursor, Write as _};

use serde_json::json;
use server::Way;
use testkit::{Client, id, parts, photo};

use crate::running::{Place, folder, start, start_on};

fn upload(owner: &Client, name: &str) -> (String, String) {
    let dataset = id(&owner.post("/v1/datasets", &json!({ "name": name })));
    let upload = id(&owner.post(&format!("/v1/datasets/{dataset}/uploads"), &json!({})));
    (dataset, upload)
}

#[test]
fn uploads_go_on_where_they_ended_and_stay_inside() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let (_, id) = upload(&owner, "pieces");
    let put = |path: &str, offset: u64, bytes: &[u8]| {
        owner.ask(
            "PUT",
            &format!("/v1/uploads/{id}/file?path={path}&offset={offset}"),
            Some("application/octet-stream"),
            bytes,
        )
    };
    assert_eq!(put("a/1.png", 0, b"12345").body["size"], 5);
    let lost = put("a/1.png", 3, b"45678");
    assert_eq!(
        (lost.status, lost.body["code"].clone(), lost.body["size"].clone()),
        (409, json!("wrong_offset"), json!(5))
    );
    assert_eq!(put("a/1.png", 5, b"678").body["size"], 8);
    assert_eq!(
        owner.get(&format!("/v1/uploads/{id}")).body["files"],
        json!([{ "path": "a/1.png", "size": 8 }])
    );
    for path in ["..%2F..%2Fx", "%2Fetc%2Fpasswd", "a%2F..%2F..%2Fx", "C:%5Cx", "a%00b"] {
        let told = put(path, 0, b"x");
        assert_eq!((told.status, told.body["code"].clone()), (422, json!("invalid")), "{path}: {told:?}");
    }
    assert!(!data.join("x").exists() && !data.parent().expect("a parent").join("x").exists());
}

#[test]
fn an_upload_is_read_once_and_takes_nothing_after() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let (dataset, upload) = upload(&owner, "once");
    let put = |name: &str| {
        let path = format!("/v1/uploads/{upload}/file?path={name}");
        owner.ask("PUT", &path, Some("application/octet-stream"), &photo([9, 9, 9], 1)).status
    };
    assert_eq!((put("a.png"), put("b.png")), (200, 200));
    assert_eq!(put("a.png/c.png"), 422, "a file is no folder");
    let finish = || id(&owner.post(&format!("/v1/uploads/{upload}/finish"), &json!({})));
    let (first, again) = (finish(), finish());
    assert_eq!(first, again, "a request that is repeated does nothing twice");
    assert_ne!(put("c.png"), 200);
    assert_eq!(owner.wait(&first)["result"]["n_examples"], 2);
    // A batch of labels is taken whole or not at all, and the same label again is no event.
    let page = owner.get(&format!("/v1/datasets/{dataset}/examples"));
    let example = page.body["examples"][0]["id"].clone();
    let batch = |ids: &[&serde_json::Value]| {
        let labels: Vec<_> = ids.iter().map(|id| json!({ "example": id, "label": "grey" })).collect();
        owner.post(&format!("/v1/datasets/{dataset}/labels/batch"), &json!({ "labels": labels }))
    };
    assert_eq!(batch(&[&example, &json!("nobody's")]).status, 404);
    assert_eq!(owner.get(&format!("/v1/datasets/{dataset}")).body["n_labelled"], 0);
    assert_eq!((batch(&[&example]).body["n_labelled"].clone(), batch(&[&example]).status), (json!(1), 200));
    let events = owner.get(&format!("/v1/datasets/{dataset}/events"));
    assert_eq!(events.body["events"].as_array().map(Vec::len), Some(1), "{events:?}");
}

#[test]
fn bombs_and_scripts_do_nothing() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("zeros.csv", zip::write::SimpleFileOptions::default()).expect("a member");
    (0..80).for_each(|_| zip.write_all(&vec![b'0'; 1 << 20]).expect("written"));
    let bomb = zip.finish().expect("a zip").into_inner();
    let (_, upload_id) = upload(&owner, "bomb");
    owner.ask("PUT", &format!("/v1/uploads/{upload_id}/file?path=bomb.zip"), Some("application/zip"), &bomb);
    let ended = owner.wait(&id(&owner.post(&format!("/v1/uploads/{upload_id}/finish"), &json!({}))));
    assert_eq!(
        (ended["state"].clone(), ended["error"]["code"].clone()),
        (json!("failed"), json!("too_large")),
        "{ended}"
    );

    // A page and a drawing with a script in them, a picture that says it is huge, and two good ones.
    let mut huge = photo([1, 2, 3], 0);
    huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let files: Vec<(String, Vec<u8>)> = vec![
        ("set/page.png".into(), b"<!doctype html><script>alert(1)</script>".to_vec()),
        (
            "set/drawing.svg".into(),
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec(),
        ),
        ("set/huge.png".into(), huge),
        ("set/a.png".into(), photo([200, 0, 0], 1)),
        ("set/b.png".into(), photo([0, 0, 200], 2)),
    ];
    let dataset = owner.bring("odd", &files);
    let page = owner.get(&format!("/v1/datasets/{dataset}/examples"));
    for example in page.body["examples"].as_array().expect("examples") {
        let content = owner.get(&format!("/v1/examples/{}/content", example["id"].as_str().expect("an id")));
        let kind =
            content.headers.iter().find(|(name, _)| name == "content-type").map(|(_, kind)| kind.as_str());
        assert!(matches!(kind, Some("image/png" | "application/octet-stream")), "{example}: {kind:?}");
        assert!(content.headers.contains(&("x-content-type-options".into(), "nosniff".into())));
    }
    // Looking at them goes on without those that cannot be looked at.
    let live = owner.until(|| {
        Some(owner.get(&format!("/v1/datasets/{dataset}/live")).body)
            .filter(|live| live["state"] != "looking")
    });
    assert_eq!(live["state"], "too_few", "{live}");
}

#[test]
fn other_sites_and_odd_bodies_are_refused() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let other_site = owner.without("x-dianjing");
    assert_eq!(other_site.post("/v1/datasets", &json!({ "name": "x" })).body["code"], "csrf");
    assert_eq!(owner.ask("POST", "/v1/datasets", Some("application/json"), b"{\"name\":").status, 422);
    assert_eq!(owner.post("/v1/datasets", &json!({ "name": "x", "extra": 1 })).status, 422);
    assert_eq!(owner.post("/v1/datasets", &json!({ "name": " \u{7}" })).status, 422);
    let long = vec![b' '; 33 << 20];
    assert_eq!(owner.ask("POST", "/v1/datasets", Some("application/json"), &long).status, 413);
    let zh = owner.with("accept-language", "zh-CN,zh;q=0.9").get("/v1/models/none");
    assert_eq!((zh.status, zh.body["message"].clone()), (404, json!("没有这个内容")));
    assert!(zh.body["request_id"].as_str().is_some_and(|id| id.len() == 26));
    let page = server.nobody().get("/");
    assert_eq!(page.status, 200);
    assert!(
        page.headers
            .iter()
            .any(|(name, value)| name == "content-security-policy" && value.contains("script-src 'self'"))
    );
    assert_eq!(owner.get("/../Cargo.toml").status, 404);
    for path in ["/health", "/ready", "/metrics", "/openapi.json", "/v1/status"] {
        assert_eq!(server.nobody().get(path).status, 200, "{path} is open");
    }
}

#[test]
fn a_tenant_has_no_more_examples_than_it_may() {
    let (_dir, data) = folder();
    let server = start_on(Way::Local, &data, Place { max_examples: Some(20), ..Place::default() });
    let owner = server.owner();
    let dataset = owner.bring("parts", &parts(8));
    let upload = id(&owner.post(&format!("/v1/datasets/{dataset}/uploads"), &json!({})));
    for (path, bytes) in parts(5).into_iter().take(5) {
        let put = format!("/v1/uploads/{upload}/file?path={}&offset=0", path.replace("red", "green"));
        assert_eq!(owner.ask("PUT", &put, Some("application/octet-stream"), &bytes).status, 200);
    }
    let ended = owner.wait(&id(&owner.post(&format!("/v1/uploads/{upload}/finish"), &json!({}))));
    assert_eq!(
        (ended["state"].clone(), ended["error"]["code"].clone()),
        (json!("failed"), json!("over_quota"))
    );
    assert_eq!(owner.get(&format!("/v1/datasets/{dataset}")).body["n_examples"], 16, "all of it or nothing");
}
