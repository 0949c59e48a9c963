//! What `dianjing serve` writes down of what happens: enough to run it, and nothing of anybody's.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use testkit::{Client, id, parts};

const PASSWORD: &str = "a long password";

/// A server in a process of its own, with what it said so far.
struct Served {
    child: Child,
    address: String,
}

fn serve(dir: &Path, more: &[&str]) -> Served {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dianjing"))
        .args(["serve", "--listen", "127.0.0.1:0", "--dir"])
        .arg(dir)
        .args(more)
        .env("DIANJING_LANG", "en")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    Served { address: line.trim().trim_end_matches('/').to_owned(), child }
}

impl Served {
    /// Lets it close, and returns everything that it wrote on stderr from here on.
    fn end(mut self) -> String {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        let mut told = String::new();
        self.child.stderr.as_mut().unwrap().read_to_string(&mut told).unwrap();
        assert!(self.child.wait().unwrap().success(), "{told}");
        told
    }
}

/// Goes wrong in one way and another, and makes a model; returns what must not be told.
fn work(who: &Client) -> Vec<String> {
    let dataset = who.bring("secret parts", &parts(6));
    assert_eq!(
        who.wait(&id(&who.post(&format!("/v1/datasets/{dataset}/tune"), &json!({}))))["state"],
        "done"
    );
    let token =
        who.post("/v1/tokens", &json!({ "name": "line 3", "scopes": ["read"] })).body["secret"].clone();
    let token = token.as_str().unwrap().to_owned();
    let bearer = who.without("cookie").with("authorization", &format!("Bearer {token}"));
    assert_eq!(bearer.get("/v1/datasets").status, 200);
    assert_eq!(bearer.post("/v1/datasets", &json!({ "name": "x" })).status, 403);
    assert_eq!(who.get("/v1/datasets/none").status, 404);
    let cookie = who.header("cookie").unwrap().split_once('=').unwrap().1.to_owned();
    ["secret parts", "line 3", PASSWORD, "parts/red"]
        .map(str::to_owned)
        .into_iter()
        .chain([token, cookie])
        .collect()
}

#[track_caller]
fn tells_nothing_of(told: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!told.contains(secret.as_str()), "{secret} in {told}");
    }
}

#[test]
#[cfg(unix)]
fn a_server_tells_what_happens_and_nothing_of_anybody() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = serve(dir.path(), &[]);
    // For people; among it stands how to begin.
    let (mut before, mut stderr) = (String::new(), BufReader::new(server.child.stderr.as_mut().unwrap()));
    while !before.contains("with this key: ") {
        assert_ne!(stderr.read_line(&mut before).unwrap(), 0, "{before}");
    }
    drop(stderr);
    let key = before.trim().rsplit(' ').next().unwrap();
    let nobody = Client::nobody(&server.address);
    let setup = json!({ "key": key, "tenant": "Works", "name": "ann", "password": PASSWORD });
    let ann = nobody.with_session(&nobody.post("/v1/setup", &setup));
    let secrets = work(&ann);
    let told = format!("{before}{}", server.end());
    tells_nothing_of(&told, &secrets);
    // Beside sentences for people.
    let log: Vec<&str> = told.lines().filter(|line| line.starts_with("20")).collect();
    for line in &log {
        let time = line.split_whitespace().next().unwrap();
        assert!(time.len() == 27 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{line}");
    }
    let tells = |what: &str| log.iter().filter(|line| line.contains(what)).count();
    assert_eq!(
        (tells("server: open"), tells("server: closing"), tells("server: closed")),
        (1, 1, 1),
        "{told}"
    );
    assert_eq!((tells("a job begins"), tells("how=\"done\"")), (2, 2), "{told}");
    assert_eq!((tells("status=403"), tells("status=404"), tells("status=200")), (1, 1, 0), "{told}");

    // For programs; with every request.
    let server = serve(dir.path(), &["--log-format", "json", "-v"]);
    let nobody = Client::nobody(&server.address);
    let ann = nobody.with_session(&nobody.post("/v1/login", &json!({ "name": "ann", "password": PASSWORD })));
    let secrets = work(&ann);
    let told = server.end();
    tells_nothing_of(&told, &secrets);
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        for field in ["time", "level", "target", "message"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
    }
    let refused = lines.iter().find(|line| line["status"] == 404).expect("a request that was refused");
    assert_eq!(
        (&refused["level"], &refused["route"], &refused["method"]),
        (&json!("INFO"), &json!("/v1/datasets/{id}"), &json!("GET"))
    );
    assert!(lines.iter().any(|line| line["status"] == 200 && line["level"] == "DEBUG"), "{told}");
    assert!(lines.iter().any(|line| line["message"] == "open" && line["database"] == "SQLite"), "{told}");
}
