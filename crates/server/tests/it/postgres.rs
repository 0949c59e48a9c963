//! The same on PostgreSQL, as a team would run it. The database is a real one, started here on a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use server::Way;
use testkit::{id, parts};

use crate::running::{Place, folder, start_on};

/// A PostgreSQL that stops when it is dropped.
pub(crate) struct Postgres {
    bin: PathBuf,
    dir: tempfile::TempDir,
}

impl Postgres {
    /// Starts one that listens on a socket in its folder only. PostgreSQL refuses to run as root, so root lends it another user.
    pub(crate) fn start() -> Self {
        let bin = bin();
        let dir = tempfile::tempdir().expect("a folder");
        let postgres = Self { bin, dir };
        let owned = Command::new("chown").arg("-R").arg(USER).arg(postgres.dir.path()).status();
        assert!(
            !is_root() || owned.is_ok_and(|status| status.success()),
            "the folder could not be given to `{USER}`"
        );
        let data = postgres.data();
        postgres.run("initdb", &["-D", &data, "-A", "trust", "-U", "dianjing", "-E", "UTF8", "--no-sync"]);
        let socket = postgres.dir.path().display().to_string();
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{socket}' -c fsync=off");
        postgres.run("pg_ctl", &["-D", &data, "-w", "-l", &format!("{socket}/log"), "-o", &options, "start"]);
        postgres
    }

    fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    pub(crate) fn url(&self) -> String {
        let socket = self.dir.path().display().to_string().replace('/', "%2F");
        format!("postgres://dianjing@{socket}/postgres")
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        let command = command.args(arguments).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().expect("PostgreSQL is installed");
        assert!(status.success(), "{} failed", program.display());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }
}

/// Whom Debian's package makes.
const USER: &str = "postgres";

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id` is there");
    id.stdout.starts_with(b"0\n")
}

/// The newest version that is installed.
fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut bins: Vec<PathBuf> =
        versions.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").exists()).collect();
    bins.sort();
    let beside = || {
        std::env::var_os("PATH")
            .and_then(|path| std::env::split_paths(&path).find(|dir| dir.join("initdb").exists()))
    };
    bins.pop().or_else(beside).expect("PostgreSQL is installed: `apt install postgresql`")
}

fn on(database: String) -> Place {
    Place { database: Some(database), ..Place::default() }
}

fn story(dir: &Path, url: &str) {
    let server = start_on(Way::Team, dir, on(url.to_owned()));
    let nobody = server.nobody();
    let setup = json!({ "key": server.key, "tenant": "Works", "name": "ann", "password": "a long password" });
    let ann = nobody.with_session(&nobody.post("/v1/setup", &setup));
    let dataset = ann.bring("parts", &parts(8));
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let page = ann.get(&at("/examples?label=red&state=labelled&q=0&limit=2"));
    assert_eq!(page.body["total"], 8, "{page:?}");
    let example = page.body["examples"][0]["id"].clone();
    ann.until(|| (ann.get(&at("/live")).body["state"] == "ready").then_some(()));
    assert_eq!(
        ann.post(&at("/labels"), &json!({ "example": example, "label": "green" })).body["n_labelled"],
        16
    );
    assert_eq!(ann.post(&at("/undo"), &json!({})).body["undone"], "green");
    assert_eq!(ann.send("PATCH", &at("/classes/red"), &json!({ "name": "rot" })).status, 200);
    assert_eq!(ann.get(&at("/events?limit=3")).body["events"].as_array().map(Vec::len), Some(3));
    for job in [ann.post(&at("/audit"), &json!({})), ann.post(&at("/tune"), &json!({}))] {
        let ended = ann.wait(&id(&job));
        assert_eq!(ended["state"], "done", "{ended}");
    }
    assert!(!ann.get(&at("/worklist")).body["audited_at"].is_null());
    let model = ann.get("/v1/models").body["models"][0]["id"].clone();
    for _ in 0..2 {
        let deployed = ann.send("PUT", "/v1/deployments/parts", &json!({ "model": model }));
        assert_eq!(deployed.status, 200, "{deployed:?}");
    }
    let token = ann.post("/v1/tokens", &json!({ "name": "t", "scopes": ["predict", "read"] }));
    let secret = token.body["secret"].as_str().expect("a secret").to_owned();
    let program = server.nobody().with("authorization", &format!("Bearer {secret}"));
    assert_eq!(program.get("/v2/models/parts/ready").body["ready"], true);
    assert_eq!(program.get("/v1/datasets").status, 200);
    assert_eq!(ann.get("/v1/trail").status, 200);
}

/// Answers of other kinds, marks, votes and what is asked of them.
fn more(dir: &Path, url: &str) {
    let server = start_on(Way::Team, dir, on(url.to_owned()));
    let nobody = server.nobody();
    let login = json!({ "name": "ann", "password": "a long password" });
    let ann = nobody.with_session(&nobody.post("/v1/login", &login));
    let row = |(text, labels): (&str, [&str; 2])| json!({ "text": text, "label": labels }).to_string() + "\n";
    let rows = [("a", ["x", "y"]), ("b", ["y", "z"]), ("c", ["x", "y"]), ("d", ["y", "z"])].map(row);
    let sets = ann.bring("sets", &[("sets.jsonl".into(), rows.concat().into_bytes())]);
    let at = |path: &str| format!("/v1/datasets/{sets}{path}");
    assert_eq!(
        ann.get(&at("")).body["classes"][1],
        json!({ "name": "y", "count": 4 }),
        "{:?}",
        ann.get(&at(""))
    );
    assert_eq!(ann.get(&at("/examples?label=x")).body["total"], 2);
    assert_eq!(ann.send("PATCH", &at("/classes/x"), &json!({ "name": "z" })).status, 200);
    assert_eq!(ann.get(&at("/examples?label=z")).body["total"], 4);
    let example =
        ann.get(&at("/examples?limit=1")).body["examples"][0]["id"].as_str().expect("an id").to_owned();
    let mark = json!({ "class": "PER", "shape": "span", "start": 0, "end": 1 });
    let put = format!("/v1/examples/{example}/marks");
    assert_eq!(ann.send("PUT", &put, &json!({ "marks": [mark] })).body["n_marked"], 1);
    assert_eq!(ann.ask("DELETE", &at("/classes/PER"), None, &[]).status, 409, "a mark has it");
    assert_eq!(ann.post(&at("/undo"), &json!({})).body["what"], "marks");
    assert_eq!(ann.send("PATCH", &at(""), &json!({ "annotators": 2 })).status, 200);
    assert_eq!(ann.post(&at("/labels"), &json!({ "example": example, "labels": ["q"] })).status, 200);
    assert_eq!(ann.get(&at("/examples?state=disputed")).body["total"], 1);
    assert_eq!(ann.post(&at("/decisions"), &json!({ "example": example, "labels": ["y"] })).status, 200);
    assert_eq!(ann.get(&at("/agreement")).status, 200);
    assert_eq!(ann.get(&at("/export?format=jsonl")).text.lines().count(), 4);
    let numbers = ann.bring("numbers", &[("n.csv".into(), b"text,label\na,1.5\nb,-2.25\nc,1e3\n".to_vec())]);
    let told = ann.get(&format!("/v1/datasets/{numbers}")).body;
    assert_eq!(told["number"], json!({ "low": -2.25, "high": 1000.0 }), "{told}");
    assert_eq!(
        ann.send("PATCH", &format!("/v1/datasets/{numbers}"), &json!({ "task": "class" })).status,
        409
    );
    assert_eq!(ann.get("/v1/deployments/parts/monitor").status, 200);
    assert_eq!(ann.ask("DELETE", "/v1/deployments/parts/drift", None, &[]).status, 204);
}

#[test]
fn a_team_works_on_postgresql() {
    let postgres = Postgres::start();
    let (_dir, data) = folder();
    story(&data, &postgres.url());
    more(&data, &postgres.url());
    // Another start finds everything.
    let server = start_on(Way::Team, &data, on(postgres.url()));
    assert_eq!(server.key, None, "somebody is known");
    let nobody = server.nobody();
    let ann = nobody
        .with_session(&nobody.post("/v1/login", &json!({ "name": "ann", "password": "a long password" })));
    let counts = ann.get("/v1/datasets").body["datasets"].clone();
    let counts = counts.as_array().expect("data sets").iter().map(|dataset| dataset["n_examples"].clone());
    assert_eq!(counts.collect::<Vec<_>>(), [3, 4, 16], "the one that changed last comes first");
}
