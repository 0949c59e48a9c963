//! Two servers of one team: one PostgreSQL, one object store that speaks S3, and a folder each.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};

use serde_json::json;
use server::{ServerError, Store, Way};
use testkit::{Client, Postgres, id, parts, photo};

use crate::running::{Place, folder, settings, start_on};

const KEY: &str = "dianjing";
const SECRET: &str = "a-secret-of-the-store";

/// A store with one bucket, which checks signatures, on a port of its own. It lives as long as the tests.
fn store(dir: &Path) -> SocketAddr {
    let dir = dir.to_owned();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            std::fs::create_dir_all(dir.join("works")).expect("a bucket");
            let files = s3s_fs::FileSystem::new(&dir).expect("a folder");
            let mut builder = s3s::service::S3ServiceBuilder::new(files);
            builder.set_auth(s3s::auth::SimpleAuth::from_single(KEY, SECRET));
            let service = builder.build();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            tell.send(listener.local_addr().expect("an address")).expect("somebody waits");
            loop {
                let Ok((socket, _)) = listener.accept().await else { continue };
                let service = service.clone();
                tokio::spawn(async move {
                    let socket = hyper_util::rt::TokioIo::new(socket);
                    let builder =
                        hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
                    let _ = builder.serve_connection(socket, service).await;
                });
            }
        });
    });
    told.recv().expect("the store listens")
}

/// The id of a model that is made of a data set.
#[track_caller]
fn tuned(owner: &Client, dataset: &str) -> String {
    let ended = owner.wait(&id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({}))));
    assert_eq!(ended["state"], "done", "{ended}");
    ended["result"]["model"].as_str().expect("a model").to_owned()
}

/// Photos come from the store to a server's folder, go when nobody has used them for long, and come again.
#[track_caller]
fn copies_come_and_go(ann: &Client, dataset: &str, data: &Path) {
    tuned(ann, dataset);
    let here = || {
        let files = ["blobs", "models"].map(|folder| walkdir::WalkDir::new(data.join(folder)));
        let files = files.into_iter().flatten().flatten().filter(|entry| entry.file_type().is_file());
        files.filter(|entry| !entry.path().starts_with(data.join("blobs/derived"))).collect::<Vec<_>>()
    };
    assert!(here().len() >= 16);
    for entry in here() {
        let file = std::fs::OpenOptions::new().append(true).open(entry.path()).expect("it is here");
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("aged");
    }
    ann.until(|| here().is_empty().then_some(()));
    tuned(ann, dataset);
}

/// What servers of one team share: a database, and the store at this address.
fn shared(address: SocketAddr, postgres: &Postgres) -> Place {
    let options = [
        ("AWS_ENDPOINT_URL", format!("http://{address}").as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Place {
        database: Some(postgres.url()),
        store: Some(Store { url: "s3://works/studio".to_owned(), options: options.to_vec() }),
        ..Place::default()
    }
}

#[test]
fn a_second_server_finds_what_the_first_one_kept() {
    let (_store_dir, store_data) = folder();
    let address = store(&store_data);
    let postgres = Postgres::start();
    let place = || shared(address, &postgres);
    let (_first_dir, first_data) = folder();
    let (model, dataset) = {
        let first = start_on(Way::Team, &first_data, place());
        let nobody = first.nobody();
        let setup =
            json!({ "key": first.key, "tenant": "Works", "name": "ann", "password": "a long password" });
        let ann = nobody.with_session(&nobody.post("/v1/setup", &setup));
        let dataset = ann.bring("parts", &parts(8));
        (tuned(&ann, &dataset), dataset)
    };
    let kept = walkdir::WalkDir::new(store_data.join("works/studio"));
    let kept = kept.into_iter().flatten().filter(|entry| entry.file_type().is_file()).count();
    assert_eq!(kept, 16 + 4 + 1, "sixteen photos, a bundle with three files, and whose store it is");

    let (_second_dir, second_data) = folder();
    let second = start_on(Way::Team, &second_data, Place { max_copies: Some(1), ..place() });
    let nobody = second.nobody();
    let ann = nobody
        .with_session(&nobody.post("/v1/login", &json!({ "name": "ann", "password": "a long password" })));
    let page = ann.get(&format!("/v1/datasets/{dataset}/examples?limit=1")).body;
    let example = page["examples"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(ann.get(&format!("/v1/examples/{example}/thumbnail")).status, 200);
    assert_eq!(ann.get(&format!("/v1/models/{model}/report")).status, 200);
    let image = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(photo([30, 40, 180], 77))
    };
    let answer = ann.post(&format!("/v1/models/{model}/predict"), &json!({ "inputs": [{ "image": image }] }));
    assert_eq!(answer.body["predictions"][0]["answer"], "blue", "{answer:?}");
    copies_come_and_go(&ann, &dataset, &second_data);
    let (_other_dir, other_data) = folder();
    let other = Place { database: None, ..place() };
    static NEVER: AtomicBool = AtomicBool::new(false);
    let home = pipeline::Home::by_default().expect("a home");
    let opened = |_: &server::Opened| panic!("a store serves one database: another would sweep it empty");
    let refused = server::run(&settings(Way::Team, &other_data, other), home, opened, &NEVER);
    assert!(matches!(refused, Err(ServerError::Store(_))), "{refused:?}");
    let removed = ann.ask("DELETE", &format!("/v1/models/{model}"), None, &[]);
    assert_eq!(removed.status, 204);
    assert!(
        !store_data.join(format!("works/studio/models/{model}.djm")).exists(),
        "it is gone there as well"
    );
}

/// What the quick model of a server knows: how many examples chance picked that have a label.
fn drawn(who: &Client, dataset: &str) -> serde_json::Value {
    who.get(&format!("/v1/datasets/{dataset}/live")).body["n_drawn"].clone()
}

#[test]
fn quick_models_hear_what_is_said_on_another_server() {
    let (_store_dir, store_data) = folder();
    let (address, postgres) = (store(&store_data), Postgres::start());
    let place = || shared(address, &postgres);
    let ((_first_dir, first_data), (_second_dir, second_data)) = (folder(), folder());
    let first = start_on(Way::Team, &first_data, place());
    let ann = first.set_up();
    let dataset = ann.bring("parts", &parts(8));
    let second = start_on(Way::Team, &second_data, place());
    let login = json!({ "name": "ann", "password": "a long password" });
    let nobody = second.nobody();
    let there = nobody.with_session(&nobody.post("/v1/login", &login));
    let hears = |n: u64| {
        there.until(|| (drawn(&there, &dataset) == n).then_some(()));
    };
    hears(16);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let page = ann.get(&at("/examples?limit=2")).body;
    let [one, two] = [0, 1].map(|place| page["examples"][place]["id"].as_str().expect("an id").to_owned());
    // Taken away, given another, taken back.
    assert_eq!(ann.post(&at("/labels"), &json!({ "example": one })).status, 200);
    hears(15);
    assert_eq!(
        ann.post(&at("/labels/batch"), &json!({ "labels": [{ "example": two, "label": null }] })).status,
        200
    );
    hears(14);
    let many =
        json!({ "labels": [{ "example": one, "label": "green" }, { "example": two, "label": "red" }] });
    assert_eq!(ann.post(&at("/labels/batch"), &many).status, 200);
    hears(16);
    // Examples that come, and a class that is called otherwise, are another state of things: it looks anew.
    ann.bring_into(&dataset, &parts(10));
    hears(20);
    assert_eq!(ann.send("PATCH", &at("/classes/red"), &json!({ "name": "rot" })).status, 200);
    let called = |name: &str| {
        let told = there.get(&at("/examples?sort=doubt&limit=20")).body;
        let all = told["examples"].as_array().cloned().unwrap_or_default();
        all.iter().any(|example| example["suggestion"]["label"] == name)
    };
    there.until(|| (called("rot") && !called("red")).then_some(()));
    // A data set that is gone is forgotten there as well.
    assert_eq!(ann.ask("DELETE", &at(""), None, &[]).status, 204);
    assert_eq!(there.get(&at("/live")).status, 404);
}
