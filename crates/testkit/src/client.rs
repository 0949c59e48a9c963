//! Somebody who asks a server over HTTP.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(240);
/// Largest answer.
const MOST_BYTES: u64 = 64 << 20;

/// An answer.
#[derive(Debug)]
pub struct Told {
    /// HTTP status.
    pub status: u16,
    /// The body, where it is JSON.
    pub body: Value,
    /// The body as text.
    pub text: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
}

impl Told {
    /// The values of a header.
    pub fn values<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t str> {
        self.headers.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// Somebody with a session or a token, or nobody.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    address: String,
    headers: Vec<(String, String)>,
}

impl Client {
    /// Nobody yet, at `http://host:port`.
    pub fn nobody(address: &str) -> Self {
        // Where an answer leads elsewhere, that is the answer.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .build();
        let headers = vec![("x-dianjing".to_owned(), "1".to_owned())];
        Self { agent: config.into(), address: address.to_owned(), headers }
    }

    /// Whoever has the key of a local server.
    pub fn owner(address: &str, key: &str) -> Self {
        let nobody = Self::nobody(address);
        let told = nobody.post("/v1/enter", &json!({ "key": key }));
        nobody.with_session(&told)
    }

    /// With the session that an answer began.
    #[track_caller]
    pub fn with_session(&self, told: &Told) -> Self {
        assert_eq!(told.status, 200, "{told:?}");
        let cookie = told.headers.iter().find(|(name, _)| name == "set-cookie").expect("a session");
        self.with("cookie", cookie.1.split(';').next().expect("a value"))
    }

    /// With a header more.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// Without a header.
    pub fn without(&self, name: &str) -> Self {
        let mut client = self.clone();
        client.headers.retain(|(given, _)| given != name);
        client
    }

    /// What it sends under a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Looks.
    pub fn get(&self, path: &str) -> Told {
        self.ask("GET", path, None, &[])
    }

    /// Sends JSON.
    pub fn post(&self, path: &str, body: &Value) -> Told {
        self.send("POST", path, body)
    }

    /// Sends JSON by another method.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> Told {
        self.ask(method, path, Some("application/json"), body.to_string().as_bytes())
    }

    /// Asks, with a body of some kind.
    pub fn ask(&self, method: &str, path: &str, kind: Option<&str>, body: &[u8]) -> Told {
        self.try_ask(method, path, kind, body).expect("an answer")
    }

    /// As [`Client::ask`]; `None` when the server does not answer, or stops answering in the middle.
    pub fn try_ask(&self, method: &str, path: &str, kind: Option<&str>, body: &[u8]) -> Option<Told> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let mut response = self.agent.run(request.body(body.to_vec()).expect("a request")).ok()?;
        let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers =
            response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let status = response.status().as_u16();
        let bytes = response.body_mut().with_config().limit(MOST_BYTES).read_to_vec().ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Some(Told { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), text, bytes, headers })
    }

    /// A new data set with these files in it, imported.
    #[track_caller]
    pub fn bring(&self, name: &str, files: &[(String, Vec<u8>)]) -> String {
        let dataset = id(&self.post("/v1/datasets", &json!({ "name": name })));
        self.bring_into(&dataset, files);
        dataset
    }

    /// These files in a data set that is there, imported.
    #[track_caller]
    pub fn bring_into(&self, dataset: &str, files: &[(String, Vec<u8>)]) {
        let upload = id(&self.post(&format!("/v1/datasets/{dataset}/uploads"), &json!({})));
        for (path, bytes) in files {
            let put = format!("/v1/uploads/{upload}/file?path={path}&offset=0");
            let told = self.ask("PUT", &put, Some("application/octet-stream"), bytes);
            assert_eq!(told.status, 200, "{told:?}");
        }
        let ended = self.wait(&id(&self.post(&format!("/v1/uploads/{upload}/finish"), &json!({}))));
        assert_eq!(ended["state"], "done", "{ended}");
    }

    /// Waits until a job ends.
    #[track_caller]
    pub fn wait(&self, job: &str) -> Value {
        self.until(|| {
            let told = self.get(&format!("/v1/jobs/{job}"));
            assert_eq!(told.status, 200, "{told:?}");
            (!told.body["ended_at"].is_null()).then_some(told.body)
        })
    }

    /// Asks again and again until there is an answer.
    #[track_caller]
    pub fn until<T>(&self, ask: impl Fn() -> Option<T>) -> T {
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
pub fn id(told: &Told) -> String {
    assert_eq!(told.status, 200, "{told:?}");
    told.body["id"].as_str().expect("an id").to_owned()
}
