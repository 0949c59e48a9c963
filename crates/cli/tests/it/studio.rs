//! `dianjing studio` and `dianjing serve`, killed again and again in the middle of everything.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Client, Postgres, parts};

const PASSWORD: &str = "a long password";
/// How often each is killed.
const KILLED: usize = 20;
/// How long a model may take to be deployed.
const PATIENCE: Duration = Duration::from_secs(240);

/// A server in a process of its own.
struct Server {
    child: Child,
    address: String,
    /// Lets the owner in.
    key: String,
}

impl Server {
    /// A studio.
    fn open(dir: &Path) -> Self {
        Self::open_with(dir, &[])
    }

    fn open_with(dir: &Path, more: &[&str]) -> Self {
        let given = ["studio", "--port", "0", "--no-open", "--quiet"];
        let (mut child, line) = Self::begun(dir, &[&given, more].concat());
        let (address, key) = line.split_once("/#/enter/").unwrap_or_else(|| {
            let mut words = String::new();
            child.stderr.as_mut().unwrap().read_to_string(&mut words).unwrap();
            panic!("the studio did not open: {words}")
        });
        Self { address: address.to_owned(), key: key.to_owned(), child }
    }

    /// A team's server on a database, and its owner, who sets it up at the first time.
    fn of_team(dir: &Path, database: &str) -> (Self, Client) {
        let (mut child, line) =
            Self::begun(dir, &["serve", "--listen", "127.0.0.1:0", "--database", database]);
        let address = line.trim_end_matches('/').to_owned();
        let nobody = Client::nobody(&address);
        let mut words = BufReader::new(child.stderr.take().unwrap()).lines();
        let needs_setup = nobody.get("/v1/status").body["needs_setup"] == true;
        let mut key_in =
            |line: std::io::Result<String>| Some(line.ok()?.split_once("with this key: ")?.1.to_owned());
        let key = if needs_setup { words.find_map(&mut key_in).expect("a key") } else { String::new() };
        // Who says much must not wait until somebody listens.
        std::thread::spawn(move || words.for_each(drop));
        let came = if needs_setup {
            nobody.post(
                "/v1/setup",
                &json!({ "key": key, "tenant": "Works", "name": "ann", "password": PASSWORD }),
            )
        } else {
            nobody.post("/v1/login", &json!({ "name": "ann", "password": PASSWORD }))
        };
        let owner = nobody.with_session(&came);
        (Self { child, address, key }, owner)
    }

    /// A process, and the first line that it says.
    fn begun(dir: &Path, given: &[&str]) -> (Child, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dianjing"))
            .args(given)
            .arg("--dir")
            .arg(dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        (child, line.trim().to_owned())
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

/// Moments at random between opening and deploying, the early ones as likely as the late ones although those are longer.
fn moments() -> Vec<Duration> {
    // Keys of hashes are what the standard library draws.
    let drawn = |place: usize| RandomState::new().hash_one(place) as f64 / u64::MAX as f64;
    let moments =
        (0..KILLED).map(|place| Duration::from_secs_f64(0.02 * 110_f64.powf(drawn(place)))).collect();
    eprintln!("killed after {moments:?}");
    moments
}

/// Kills a server while somebody works, opens it again, and so on; then looks whether what was told is there, and nothing half.
fn kill_and_look(open: impl Fn() -> (Server, Client)) {
    let told = Arc::new(Mutex::new(Told::default()));
    let begin = || {
        let (server, owner) = open();
        let (owner, list) = (owner.clone(), told.clone());
        (server, std::thread::spawn(move || work(&owner, &list)))
    };
    for moment in moments() {
        let (server, person) = begin();
        std::thread::sleep(moment);
        server.kill();
        person.join().unwrap();
    }
    // What was left behind is in nobody's way.
    let (server, person) = begin();
    let n_deployed = || told.lock().unwrap().deployed.len();
    let so_far = n_deployed();
    let began = Instant::now();
    while n_deployed() < so_far + 2 {
        assert!(began.elapsed() < PATIENCE && !person.is_finished(), "nothing is deployed any more");
        std::thread::sleep(Duration::from_millis(20));
    }
    server.kill();
    person.join().unwrap();
    let (server, owner) = open();
    look(&owner, &told.lock().unwrap());
    server.kill();
}

/// All that was told is there, and whole.
fn look(owner: &Client, told: &Told) {
    for (example, label) in &told.labels {
        assert_eq!(owner.get(&format!("/v1/examples/{example}")).body["label"], label.as_str(), "{example}");
    }
    for example in &told.marked {
        assert_eq!(owner.get(&format!("/v1/examples/{example}")).body["marks"], json!([mark()]), "{example}");
    }
    for name in &told.deployed {
        assert_eq!(owner.get(&format!("/v2/models/{name}/ready")).status, 200, "{name} answers");
    }
    let jobs = || owner.get("/v1/jobs").body["jobs"].as_array().unwrap().clone();
    owner.until(|| jobs().iter().all(|job| !job["ended_at"].is_null()).then_some(()));
    assert!(jobs().iter().any(|job| job["kind"] == "tune"), "models are tuned, also after the last time");
    for job in jobs() {
        assert_eq!(job["state"], "done", "what was begun is done after a restart: {job}");
    }
    for dataset in &told.datasets {
        let n = owner.get(&format!("/v1/datasets/{dataset}")).body["n_examples"].as_u64();
        assert!(matches!(n, Some(0 | 12)), "all of an import or nothing: {n:?}");
    }
    let models = owner.get("/v1/models").body["models"].as_array().unwrap().clone();
    assert!(!models.is_empty() && told.labels.len() >= 12, "much was done: {} labels", told.labels.len());
    for model in models {
        let id = model["id"].as_str().unwrap();
        let photo = testkit::photo([180, 30, 40], 3);
        let answer = owner.ask("POST", &format!("/v1/models/{id}/predict"), Some(FORM), &form(&photo));
        assert_eq!(answer.status, 200, "a model that is listed is whole: {answer:?}");
    }
}

#[test]
fn a_studio_that_is_killed_loses_nothing_and_shows_nothing_half() {
    let dir = tempfile::tempdir().unwrap();
    kill_and_look(|| {
        let studio = Server::open(dir.path());
        let owner = studio.owner();
        (studio, owner)
    });
}

#[test]
fn a_server_of_a_team_that_is_killed_loses_nothing_and_shows_nothing_half() {
    let (dir, postgres) = (tempfile::tempdir().unwrap(), Postgres::start());
    kill_and_look(|| Server::of_team(dir.path(), &postgres.url()));
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
    let studio = Server::open(dir.path());
    let port = studio.address.rsplit(':').next().unwrap().to_owned();
    let place = crate::run::Place::new();
    let ended = place.run(&["studio", "--port", &port, "--no-open", "--dir", "other"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("cannot listen on") && ended.err.contains("--port 0"), "{}", ended.err);
    let folder = dir.path().to_str().unwrap();
    let ended = place.run(&["studio", "--port", "0", "--no-open", "--dir", folder]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("is open already") && ended.err.contains("--dir"), "{}", ended.err);
    studio.kill();
}

#[test]
fn a_studio_for_phones_is_reached_from_here_as_well_and_lets_one_in() {
    let dir = tempfile::tempdir().unwrap();
    let studio = Server::open_with(dir.path(), &["--phone"]);
    assert!(studio.address.starts_with("http://127.0.0.1:"), "{}", studio.address);
    let made = studio.owner().post("/v1/keys", &json!({}));
    // A machine without a network has no way in, and a studio that cannot be reached says another thing.
    let alone = made.body["message"] == "this computer is in no network";
    assert!(alone || made.body["doors"].as_array().is_some_and(|doors| !doors.is_empty()), "{made:?}");
    studio.kill();
    let studio = Server::open(dir.path());
    let told = studio.owner().post("/v1/keys", &json!({}));
    assert!(told.body["hint"].as_str().is_some_and(|hint| hint.contains("--phone")), "{told:?}");
    studio.kill();
}
