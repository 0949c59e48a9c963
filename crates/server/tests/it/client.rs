//! A server on a folder of its own, and who asks it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use server::{Settings, Way};
use ureq::Agent;

/// How long a job may take here.
const PATIENCE: Duration = Duration::from_secs(240);

/// A server that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) key: Option<String>,
    stop: &'static AtomicBool,
    thread: Option<JoinHandle<()>>,
}

/// A server for one person, or for a team.
pub(crate) fn start(way: Way, dir: &Path) -> Running {
    let settings = Settings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        way,
        dir: dir.to_owned(),
        database: None,
        workers: 1,
        max_upload: 64 << 20,
    };
    // One for each server of this process; a few bytes that live as long as the tests.
    let stop: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    let (tell, told) = channel();
    let thread = std::thread::spawn(move || {
        let home = pipeline::Home::by_default().expect("a home");
        let opened = |opened: &server::Opened| {
            tell.send((opened.address.to_string(), opened.key.clone())).expect("somebody waits");
        };
        server::run(&settings, home, opened, stop).expect("the server runs");
    });
    let (address, key) = told.recv().expect("the server listens");
    Running { address: format!("http://{address}"), key, stop, thread: Some(thread) }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the server did not end well");
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) text: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// Somebody with a session or a token, or nobody.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    address: String,
    headers: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn nobody(server: &Running) -> Self {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Self {
            agent: config.into(),
            address: server.address.clone(),
            headers: vec![("x-dianjing".into(), "1".into())],
        }
    }

    /// The owner of a local server.
    pub(crate) fn owner(server: &Running) -> Self {
        let nobody = Self::nobody(server);
        let told = nobody.post("/v1/enter", &json!({ "key": server.key }));
        nobody.with_session(&told)
    }

    /// With the session that an answer began.
    pub(crate) fn with_session(&self, told: &Told) -> Self {
        assert_eq!(told.status, 200, "{told:?}");
        let cookie = told.headers.iter().find(|(name, _)| name == "set-cookie").expect("a session");
        let cookie = cookie.1.split(';').next().expect("a value").to_owned();
        self.with("cookie", &cookie)
    }

    /// With a header more.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// Without a header.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut client = self.clone();
        client.headers.retain(|(given, _)| given != name);
        client
    }

    pub(crate) fn get(&self, path: &str) -> Told {
        self.ask("GET", path, None, &[])
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Told {
        self.ask("POST", path, Some("application/json"), body.to_string().as_bytes())
    }

    pub(crate) fn ask(&self, method: &str, path: &str, kind: Option<&str>, body: &[u8]) -> Told {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.address));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let request = request.body(body.to_vec()).expect("a request");
        let mut response = self.agent.run(request).expect("an answer");
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned()))
            .collect();
        let status = response.status().as_u16();
        let bytes = response.body_mut().with_config().limit(64 << 20).read_to_vec().expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Told { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), text, headers }
    }

    /// A new data set with these files in it, imported.
    pub(crate) fn bring(&self, name: &str, files: &[(String, Vec<u8>)]) -> String {
        let dataset = id(&self.post("/v1/datasets", &json!({ "name": name })));
        let upload = id(&self.post(&format!("/v1/datasets/{dataset}/uploads"), &json!({})));
        for (path, bytes) in files {
            let put = format!("/v1/uploads/{upload}/file?path={path}&offset=0");
            let told = self.ask("PUT", &put, Some("application/octet-stream"), bytes);
            assert_eq!(told.status, 200, "{told:?}");
        }
        let job = id(&self.post(&format!("/v1/uploads/{upload}/finish"), &json!({})));
        let ended = self.wait(&job);
        assert_eq!(ended["state"], "done", "{ended}");
        dataset
    }

    /// Waits until a job ends.
    pub(crate) fn wait(&self, job: &str) -> Value {
        self.until(|| {
            let told = self.get(&format!("/v1/jobs/{job}"));
            assert_eq!(told.status, 200, "{told:?}");
            (!told.body["ended_at"].is_null()).then_some(told.body)
        })
    }

    /// Asks again and again until there is an answer.
    pub(crate) fn until<T>(&self, ask: impl Fn() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "it takes too long");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The id of what was made.
#[track_caller]
pub(crate) fn id(told: &Told) -> String {
    assert_eq!(told.status, 200, "{told:?}");
    told.body["id"].as_str().expect("an id").to_owned()
}

/// A picture of one colour, a little different for each number.
pub(crate) fn photo(colour: [u8; 3], number: u32) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(64, 64, |x, y| {
        let noise = (x * 7 + y * 13 + number * 29) % 23;
        let at = |channel: usize| colour[channel].saturating_add(noise as u8);
        image::Rgb([at(0), at(1), at(2)])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

/// Red and blue parts: as many of each, in folders by class.
pub(crate) fn parts(of_each: u32) -> Vec<(String, Vec<u8>)> {
    let of = |class: &'static str, colour: [u8; 3]| {
        (0..of_each).map(move |number| (format!("parts/{class}/{number:02}.png"), photo(colour, number)))
    };
    of("red", [180, 30, 40]).chain(of("blue", [30, 40, 180])).collect()
}

/// The folder of a server.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("data");
    (dir, path)
}
