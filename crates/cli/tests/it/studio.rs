//! `dianjing studio`, killed again and again in the middle of everything.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Client, parts};

/// A studio in a process of its own.
struct Studio {
    child: Child,
    address: String,
    key: String,
}

impl Studio {
    fn open(dir: &Path) -> Self {
        Self::open_with(dir, &[])
    }

    fn open_with(dir: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dianjing"))
            .args(["studio", "--port", "0", "--no-open", "--quiet", "--dir"])
            .arg(dir)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let (address, key) = line.trim().split_once("/#/enter/").unwrap_or_else(|| {
            let mut words = String::new();
            child.stderr.as_mut().unwrap().read_to_string(&mut words).unwrap();
            panic!("the studio did not open: {words}")
        });
        Self { address: address.to_owned(), key: key.to_owned(), child }
    }

    fn owner(&self) -> Client {
        Client::owner(&self.address, &self.key)
    }

    /// As a power cut would.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What a person was told is done.
#[derive(Debug, Default)]
struct Told {
    /// Examples and their last acknowledged label, in order.
    labels: Vec<(String, String)>,
    /// Examples that are marked.
    marked: Vec<String>,
    datasets: Vec<String>,
    /// Names that answer.
    deployed: Vec<String>,
}

/// Does what a person does, until the studio does not answer any more.
fn work(owner: &Client, told: &Mutex<Told>) -> Option<()> {
    let send = |method: &str, path: &str, body: &Value| {
        let told = owner.try_ask(method, path, Some("application/json"), body.to_string().as_bytes())?;
        assert_eq!(told.status, 200, "{path}: {told:?}");
        Some(told.body)
    };
    let post = |path: &str, body: &Value| send("POST", path, body);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for round in 0.. {
        let dataset = text(&post("/v1/datasets", &json!({ "name": format!("parts {round}") }))?["id"]);
        told.lock().unwrap().datasets.push(dataset.clone());
        if let Some(model) = owner.try_ask("GET", "/v1/models", None, &[])?.body["models"].get(0) {
            let name = format!("round-{round}");
            send("PUT", &format!("/v1/deployments/{name}"), &json!({ "model": model["id"] }))?;
            told.lock().unwrap().deployed.push(name);
        }
        let upload = text(&post(&format!("/v1/datasets/{dataset}/uploads"), &json!({}))?["id"]);
        for (path, bytes) in parts(6) {
            owner.try_ask("PUT", &format!("/v1/uploads/{upload}/file?path={path}"), None, &bytes)?;
        }
        let job = text(&post(&format!("/v1/uploads/{upload}/finish"), &json!({}))?["id"]);
        while owner.try_ask("GET", &format!("/v1/jobs/{job}"), None, &[])?.body["ended_at"].is_null() {}
        let page = owner.try_ask("GET", &format!("/v1/datasets/{dataset}/examples"), None, &[])?;
        post(&format!("/v1/datasets/{dataset}/tune"), &json!({}))?;
        for (place, example) in page.body["examples"].as_array().unwrap().iter().enumerate() {
            let (example, label) = (text(&example["id"]), ["one", "two"][place % 2]);
            post(&format!("/v1/datasets/{dataset}/labels"), &json!({ "example": example, "label": label }))?;
            told.lock().unwrap().labels.push((example.clone(), label.to_owned()));
            send("PUT", &format!("/v1/examples/{example}/marks"), &json!({ "marks": [mark()] }))?;
            told.lock().unwrap().marked.push(example);
        }
    }
    None
}

fn mark() -> Value {
    json!({ "class": "dent", "shape": "box", "x": 1.5, "y": 2.0, "width": 8.0, "height": 4.0 })
}

#[test]
fn a_studio_that_is_killed_loses_nothing_and_shows_nothing_half() {
    let dir = tempfile::tempdir().unwrap();
    let told = Arc::new(Mutex::new(Told::default()));
    // Moments spread over opening, importing, labelling, marking, tuning and deploying.
    let moments =
        [30, 60, 90, 120, 160, 200, 240, 290, 340, 400, 460, 530, 600, 700, 820, 950, 1100, 1300, 1700, 2100];
    for moment in moments {
        let studio = Studio::open(dir.path());
        let (owner, list) = (studio.owner(), told.clone());
        let person = std::thread::spawn(move || work(&owner, &list));
        std::thread::sleep(Duration::from_millis(moment));
        studio.kill();
        person.join().unwrap();
    }
    let studio = Studio::open(dir.path());
    let owner = studio.owner();
    let told = told.lock().unwrap();
    assert!(told.labels.len() > 20, "much was labelled: {}", told.labels.len());
    for (example, label) in &told.labels {
        assert_eq!(owner.get(&format!("/v1/examples/{example}")).body["label"], label.as_str(), "{example}");
    }
    for example in &told.marked {
        assert_eq!(owner.get(&format!("/v1/examples/{example}")).body["marks"], json!([mark()]), "{example}");
    }
    assert!(!told.deployed.is_empty(), "something answered before the last end");
    for name in &told.deployed {
        assert_eq!(owner.get(&format!("/v2/models/{name}/ready")).status, 200, "{name} answers");
    }
    let jobs = || owner.get("/v1/jobs").body["jobs"].as_array().unwrap().clone();
    owner.until(|| jobs().iter().all(|job| !job["ended_at"].is_null()).then_some(()));
    for job in jobs() {
        assert_eq!(job["state"], "done", "what was begun is done after a restart: {job}");
    }
    for dataset in &told.datasets {
        let n = owner.get(&format!("/v1/datasets/{dataset}")).body["n_examples"].as_u64();
        assert!(matches!(n, Some(0 | 12)), "all of an import or nothing: {n:?}");
    }
    let models = owner.get("/v1/models").body["models"].as_array().unwrap().clone();
    assert!(!models.is_empty(), "some tuning came to its end");
    for model in models {
        let id = model["id"].as_str().unwrap();
        let photo = testkit::photo([180, 30, 40], 3);
        let answer = owner.ask("POST", &format!("/v1/models/{id}/predict"), Some(FORM), &form(&photo));
        assert_eq!(answer.status, 200, "a model that is listed is whole: {answer:?}");
    }
    studio.kill();
}

const FORM: &str = "multipart/form-data; boundary=edge";

/// A form with one file.
fn form(file: &[u8]) -> Vec<u8> {
    let head = "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n";
    [head.as_bytes(), file, b"\r\n--edge--\r\n"].concat()
}

#[test]
fn two_studios_on_one_port_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let studio = Studio::open(dir.path());
    let port = studio.address.rsplit(':').next().unwrap().to_owned();
    let place = crate::run::Place::new();
    let ended = place.run(&["studio", "--port", &port, "--no-open", "--dir", "other"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("cannot listen on") && ended.err.contains("--port 0"), "{}", ended.err);
    studio.kill();
}

#[test]
fn a_studio_for_phones_is_reached_from_here_as_well_and_lets_one_in() {
    let dir = tempfile::tempdir().unwrap();
    let studio = Studio::open_with(dir.path(), &["--phone"]);
    assert!(studio.address.starts_with("http://127.0.0.1:"), "{}", studio.address);
    let made = studio.owner().post("/v1/keys", &json!({}));
    // A machine without a network has no way in.
    assert!(matches!(made.status, 200 | 409), "{made:?}");
    assert_eq!(made.status == 200, made.body["doors"].is_array(), "{made:?}");
    studio.kill();
}
