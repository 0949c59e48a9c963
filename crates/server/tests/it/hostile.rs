//! What nobody should send.

use std::io::{Cursor, Read as _, Write as _};
use std::time::{Duration, Instant};

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
    assert_eq!(owner.get(&format!("/v1/uploads/{upload}")).body["job"], json!(null));
    let (first, again) = (finish(), finish());
    assert_eq!(first, again, "a request that is repeated does nothing twice");
    let reading = || owner.get(&format!("/v1/uploads/{upload}")).body["job"].clone();
    assert_eq!(reading(), json!(first), "who lost the answer finds the job");
    assert_eq!(put("c.png"), 409);
    assert_eq!(owner.wait(&first)["result"]["n_examples"], 2);
    assert_eq!((finish(), put("c.png")), (first.clone(), 409), "not either when all of it was read");
    assert_eq!(reading(), json!(first));
    assert_eq!(owner.get(&format!("/v1/datasets/{dataset}")).body["n_examples"], 2);
    let (_, empty) = self::upload(&owner, "empty");
    let ended = owner.wait(&id(&owner.post(&format!("/v1/uploads/{empty}/finish"), &json!({}))));
    assert_eq!((ended["state"].clone(), ended["error"]["code"].clone()), (json!("failed"), json!("invalid")));
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
    let left = || std::fs::read_dir(data.join("uploads")).map_or(0, Iterator::count);
    owner.until(|| (left() == 0).then_some(()));

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

/// Pieces of an upload under so many bytes: what each is answered, by status and code.
fn put(owner: &Client, upload: &str, path: &str, offset: u64, bytes: &[u8]) -> (u16, serde_json::Value) {
    let put = format!("/v1/uploads/{upload}/file?path={path}&offset={offset}");
    let told = owner.ask("PUT", &put, Some("application/octet-stream"), bytes);
    (told.status, told.body["code"].clone())
}

#[test]
fn a_tenant_keeps_no_more_bytes_than_it_may() {
    let (_dir, data) = folder();
    let server = start_on(Way::Local, &data, Place { max_bytes: Some(100_000), ..Place::default() });
    let owner = server.owner();
    let used = || owner.get("/v1/usage").body["bytes"]["used"].as_u64().expect("bytes");
    assert_eq!(owner.get("/v1/usage").body["bytes"], json!({ "used": 0, "allowed": 100_000 }));
    assert_eq!(owner.get("/v1/usage").body["examples"], json!({ "used": 0, "allowed": null }));
    let full = (507, json!("over_quota"));
    let (dataset, first) = upload(&owner, "pieces");
    assert_eq!(put(&owner, &first, "a.bin", 0, &vec![1; 60_000]).0, 200);
    assert_eq!(put(&owner, &first, "a.bin", 60_000, &vec![1; 50_000]), full);
    assert_eq!(
        owner.get(&format!("/v1/uploads/{first}")).body["files"][0]["size"],
        60_000,
        "nothing of it came"
    );
    // A piece that is refused for another reason takes no room.
    assert_eq!(put(&owner, &first, "a.bin", 5, &vec![1; 30_000]).0, 409);
    assert_eq!(used(), 60_000);
    assert_eq!(owner.ask("DELETE", &format!("/v1/uploads/{first}"), None, &[]).status, 204);
    assert_eq!(used(), 0);

    // What is in an archive counts as it is unpacked, before any of it is kept.
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["a", "b"] {
        zip.start_file(format!("{name}.png"), zip::write::SimpleFileOptions::default()).expect("a member");
        let mut picture = photo([9, 9, if name == "a" { 9 } else { 200 }], 1);
        picture.resize(80_000, 0);
        zip.write_all(&picture).expect("written");
    }
    let zip = zip.finish().expect("a zip").into_inner();
    assert!(zip.len() < 20_000, "{}", zip.len());
    let second = id(&owner.post(&format!("/v1/datasets/{dataset}/uploads"), &json!({})));
    assert_eq!(put(&owner, &second, "set.zip", 0, &zip).0, 200);
    let ended = owner.wait(&id(&owner.post(&format!("/v1/uploads/{second}/finish"), &json!({}))));
    assert_eq!(
        (&ended["state"], &ended["error"]["code"]),
        (&json!("failed"), &json!("over_quota")),
        "{ended}"
    );
    let kept = walkdir::WalkDir::new(data.join("blobs")).into_iter().flatten();
    assert_eq!(kept.filter(|entry| entry.file_type().is_file()).count(), 0);
    assert_eq!(
        (used(), owner.get(&format!("/v1/datasets/{dataset}")).body["n_examples"].clone()),
        (0, json!(0))
    );

    // The same file twice takes its room once, and none when it comes again.
    let mut picture = photo([1, 2, 3], 4);
    picture.resize(60_000, 0);
    let files = |names: [&str; 2]| names.map(|name| (format!("{name}.png"), picture.clone())).to_vec();
    assert_eq!(put(&owner, &upload(&owner, "x").1, "a.bin", 0, &vec![1; 100_001]), full);
    let one = owner.bring("twice", &files(["a", "b"])[..1]);
    assert_eq!(used(), 60_000);
    let again = id(&owner.post(&format!("/v1/datasets/{one}/uploads"), &json!({})));
    assert_eq!(put(&owner, &again, "c.png", 0, &picture), full, "while it is under way it does");
    let bundle = owner.ask("POST", "/v1/models?name=m", Some("application/octet-stream"), &vec![0; 50_000]);
    assert_eq!((bundle.status, bundle.body["code"].clone()), full);
    assert_eq!(owner.ask("DELETE", &format!("/v1/datasets/{one}"), None, &[]).status, 204);
    assert_eq!(used(), 0);
}

#[test]
fn texts_and_files_of_several_senses_take_room_once() {
    let (_dir, data) = folder();
    let server = start_on(Way::Local, &data, Place { max_bytes: Some(100_000), ..Place::default() });
    let owner = server.owner();
    let used = || owner.get("/v1/usage").body["bytes"]["used"].as_u64().expect("bytes");
    let text = "字".repeat(1000);
    let table = |n: usize| {
        let rows = (0..n).map(|row| format!("{row}{text}\n")).collect::<String>();
        vec![("t.csv".to_owned(), format!("text\n{rows}").into_bytes())]
    };
    let texts = owner.bring("texts", &table(9));
    assert_eq!(used(), 9 * 3001, "in bytes, not in letters");
    owner.bring_into(&texts, &table(9));
    assert_eq!(used(), 9 * 3001, "nothing comes twice");
    // Two examples share a photo, which several senses know.
    let picture = photo([1, 2, 3], 4);
    let files = vec![
        ("s/list.csv".to_owned(), b"photo,note,label\na.png,one,x\na.png,three,y\n".to_vec()),
        ("s/a.png".to_owned(), picture.clone()),
    ];
    let senses = owner.bring("senses", &files);
    assert_eq!(owner.get(&format!("/v1/datasets/{senses}")).body["n_examples"], 2);
    let expected = 9 * 3001 + picture.len() as u64 + 8;
    assert_eq!(used(), expected);
    // The same photo in a data set of its own takes no room again, and leaves none when one of them goes.
    let alone = owner.bring(
        "alone",
        &[("p/b.png".to_owned(), picture.clone()), ("p/c.png".to_owned(), photo([9, 9, 9], 1))],
    );
    let other = photo([9, 9, 9], 1).len() as u64;
    assert_eq!(used(), expected + other);
    assert_eq!(owner.ask("DELETE", &format!("/v1/datasets/{senses}"), None, &[]).status, 204);
    assert_eq!(used(), expected + other - 8);
    assert_eq!(owner.ask("DELETE", &format!("/v1/datasets/{alone}"), None, &[]).status, 204);
    assert_eq!(used(), 9 * 3001);
    // Too many texts are refused, all of them.
    let more = id(&owner.post(&format!("/v1/datasets/{texts}/uploads"), &json!({})));
    let rows: String = (0..60).map(|row| format!("{row}-{}\n", "x".repeat(1400))).collect();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("t.csv", zip::write::SimpleFileOptions::default()).expect("a member");
    zip.write_all(format!("text\n{rows}").as_bytes()).expect("written");
    assert_eq!(put(&owner, &more, "t.zip", 0, &zip.finish().expect("a zip").into_inner()).0, 200);
    let ended = owner.wait(&id(&owner.post(&format!("/v1/uploads/{more}/finish"), &json!({}))));
    assert_eq!(ended["error"]["code"], "over_quota", "{ended}");
    assert_eq!(
        (used(), owner.get(&format!("/v1/datasets/{texts}")).body["n_examples"].clone()),
        (9 * 3001, json!(9))
    );
}

#[test]
fn a_bundle_that_is_said_to_be_too_large_is_refused_before_it_comes() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let address = server.address.strip_prefix("http://").expect("an address");
    let mut socket = std::net::TcpStream::connect(address).expect("a connection");
    let head = format!(
        "POST /v1/models?name=m HTTP/1.1\r\nhost: {address}\r\nx-dianjing: 1\r\ncookie: {}\r\ncontent-length: 600000000\r\n\r\n",
        owner.header("cookie").expect("a session"),
    );
    socket.write_all(head.as_bytes()).expect("sent");
    let (mut told, mut byte) = (Vec::new(), [0]);
    while !told.ends_with(b"}") {
        socket.read_exact(&mut byte).expect("it answers");
        told.extend(byte);
    }
    let told = String::from_utf8(told).expect("text");
    assert!(told.starts_with("HTTP/1.1 413") && told.contains("at most 512 MiB"), "{told}");
    assert!(told.contains("fewer good parts"), "{told}");
}

#[test]
fn a_body_that_creeps_is_ended() {
    let (_dir, data) = folder();
    let patience = Some(Duration::from_millis(300));
    let server = start_on(Way::Local, &data, Place { body_patience: patience, ..Place::default() });
    let owner = server.owner();
    let (_, upload) = upload(&owner, "slow");
    let address = server.address.strip_prefix("http://").expect("an address");
    let head = format!(
        "PUT /v1/uploads/{upload}/file?path=a.png HTTP/1.1\r\nhost: {address}\r\nx-dianjing: 1\r\ncookie: {}\r\n\
         content-length: 1000000\r\naccept-language: zh\r\n\r\n",
        owner.header("cookie").expect("a session"),
    );
    // One says nothing more, one something now and then.
    for creeps in [false, true] {
        let mut socket = std::net::TcpStream::connect(address).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("set");
        socket.write_all(head.as_bytes()).expect("sent");
        let mut told = Vec::new();
        let started = Instant::now();
        let answer = loop {
            if creeps {
                // The other end may have had enough.
                let _ = socket.write_all(b"x");
            }
            let mut piece = [0; 4096];
            if let Ok(n) = socket.read(&mut piece) {
                told.extend_from_slice(&piece[..n]);
            }
            let text = String::from_utf8_lossy(&told).into_owned();
            if text.contains("request_id") {
                break text;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{text}");
        };
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too_slow"), "{answer}");
        assert!(answer.contains("请求体发送得太慢"), "{answer}");
    }
    assert_eq!(owner.get(&format!("/v1/uploads/{upload}")).body["files"], json!([]), "nothing of it is kept");
}

#[test]
fn who_is_refused_before_the_body_came_hears_it_and_may_ask_on() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let address = server.address.strip_prefix("http://").expect("an address");
    let mut socket = std::net::TcpStream::connect(address).expect("a connection");
    let answer = |socket: &mut std::net::TcpStream, end: &str| {
        let (mut told, mut byte) = (Vec::new(), [0]);
        while !told.ends_with(end.as_bytes()) {
            socket.read_exact(&mut byte).expect("the connection stays");
            told.extend(byte);
        }
        String::from_utf8(told).expect("text")
    };
    let asks =
        |what: &str, more: &str| format!("{what} HTTP/1.1\r\nhost: {address}\r\nx-dianjing: 1\r\n{more}\r\n");
    let body = vec![b' '; 300_000];
    let head = asks("POST /v1/datasets", "content-type: application/json\r\ncontent-length: 300000\r\n");
    socket.write_all(head.as_bytes()).expect("sent");
    let refused = answer(&mut socket, "}");
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    socket.write_all(&body).expect("sent");
    socket.write_all(asks("GET /health", "").as_bytes()).expect("sent");
    assert!(answer(&mut socket, "ok").starts_with("HTTP/1.1 200"));
}
