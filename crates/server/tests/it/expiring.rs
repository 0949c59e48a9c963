//! What came back from a deployment goes after a while, unless somebody said something of it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use server::Way;
use sqlx::{AnyConnection, Connection as _};
use testkit::{Client, Postgres, id, parts};

use crate::running::{Place, folder, noise, start_on};

/// How many days are left to what came back, in the database; all of them pass at once where they are to.
fn days_left(url: &str, pass: bool) -> Vec<i64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(url).await.expect("a connection");
        // The second wall of PostgreSQL shows everything to who says so.
        if url.starts_with("postgres") {
            let sql = "SELECT set_config('dianjing.tenant', '*', false)";
            sqlx::query(sql).execute(&mut connection).await.expect("said");
        }
        if pass {
            let sql = "UPDATE example SET goes_at = 1 WHERE came_from IS NOT NULL";
            sqlx::query(sql).execute(&mut connection).await.expect("changed");
        }
        let sql = "SELECT goes_at FROM example WHERE came_from IS NOT NULL ORDER BY position";
        let all: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.expect("asked");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis();
        all.into_iter().map(|at| (at - i64::try_from(now).expect("small") + 3_600_000) / 86_400_000).collect()
    })
}

/// The files that are kept of examples, made old enough to be swept.
fn aged_blobs(data: &Path) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(data.join("blobs")).into_iter().flatten();
    let files: Vec<PathBuf> =
        all.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect();
    for file in &files {
        let file = OpenOptions::new().append(true).open(file).expect("it is here");
        file.set_modified(SystemTime::now() - Duration::from_secs(7200)).expect("aged");
    }
    files
}

/// A model that is asked about what it never saw, and keeps it for a while.
struct Asked {
    owner: Client,
    dataset: String,
    model: Value,
}

impl Asked {
    fn deploy(&self, keep_days: Value) -> (u16, Value) {
        let body = json!({ "model": self.model, "collects": self.dataset, "keep_days": keep_days });
        let told = self.owner.send("PUT", "/v1/deployments/parts", &body);
        (told.status, told.body["keep_days"].clone())
    }

    fn ask(&self, seed: u32) {
        use base64::Engine as _;
        let image = base64::engine::general_purpose::STANDARD.encode(noise(seed));
        let told = self.owner.post("/v1/predict/parts", &json!({ "inputs": [{ "image": image }] }));
        assert_eq!(told.body["predictions"][0]["verdict"], "unfamiliar", "{told:?}");
    }

    /// The examples that came back.
    fn back(&self) -> Vec<Value> {
        let page = self.owner.get(&format!("/v1/datasets/{}/examples?limit=500", self.dataset)).body;
        let all = page["examples"].as_array().expect("examples");
        all.iter()
            .filter(|one| one["name"].as_str().is_some_and(|name| name.starts_with("parts 2")))
            .cloned()
            .collect()
    }
}

#[track_caller]
fn what_came_back_goes(url: &str, place: impl Fn() -> Place, data: &Path) {
    let server = start_on(Way::Team, data, place());
    let owner = server.set_up();
    let dataset = owner.bring("parts", &parts(60));
    let tuned = owner.wait(&id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({}))));
    let asked = Asked { owner, dataset, model: tuned["result"]["model"].clone() };
    assert_eq!(asked.deploy(json!(null)), (200, json!(30)));
    for odd in [0, 3651] {
        assert_eq!(asked.deploy(json!(odd)).0, 422, "{odd}");
    }
    for seed in 1..4 {
        asked.ask(seed);
        asked.owner.until(|| (asked.back().len() == seed as usize).then_some(()));
    }
    assert_eq!(days_left(url, false), [30; 3]);
    assert_eq!(asked.deploy(json!(7)), (200, json!(7)));
    assert_eq!(days_left(url, false), [7; 3], "what is there already goes sooner, too");
    assert_eq!(asked.deploy(json!(null)), (200, json!(7)), "who says nothing changes nothing");
    // One is labelled, and somebody thought better of another's label.
    let [one, two, _] = asked.back().try_into().expect("three came back");
    let labels = format!("/v1/datasets/{}/labels", asked.dataset);
    for (example, label) in [(&one, json!("red")), (&two, json!("red")), (&two, json!(null))] {
        let told = asked.owner.post(&labels, &json!({ "example": example["id"], "label": label }));
        assert_eq!(told.status, 200, "{told:?}");
    }
    let used = || asked.owner.get("/v1/usage").body;
    let before = used();
    let blobs = aged_blobs(data);
    days_left(url, true);
    drop(server);

    let server = start_on(Way::Team, data, place());
    let login = json!({ "name": "ann", "password": "a long password" });
    let nobody = server.nobody();
    let asked = Asked { owner: nobody.with_session(&nobody.post("/v1/login", &login)), ..asked };
    asked.owner.until(|| (asked.back().len() == 2).then_some(()));
    let left: Vec<Value> = asked.back().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(left, [one["id"].clone(), two["id"].clone()], "what somebody said something of stays");
    let bytes = noise(3).len() as u64;
    let after = asked.owner.get("/v1/usage").body;
    let change = |what: &str| {
        before[what]["used"].as_u64().expect("used") - after[what]["used"].as_u64().expect("used")
    };
    assert_eq!((change("examples"), change("bytes")), (1, bytes));
    asked
        .owner
        .until(|| (blobs.iter().filter(|blob| blob.exists()).count() == blobs.len() - 1).then_some(()));
    assert_eq!(asked.owner.get("/v1/deployments").body["deployments"][0]["n_collected"], 2);
    let newest = asked.owner.get("/v1/trail").body["entries"].clone();
    let newest = newest.as_array().expect("entries").iter().find(|entry| entry["action"] == "let inputs go");
    assert_eq!(newest.expect("it is told")["subject"], asked.dataset.as_str());
}

#[test]
fn what_nobody_said_anything_of_goes_when_its_days_are_over() {
    let (_dir, data) = folder();
    let url = format!("sqlite://{}", data.join("studio.db").display());
    what_came_back_goes(&url, Place::default, &data);
}

#[test]
fn it_goes_on_postgresql_as_well() {
    let postgres = Postgres::start();
    let (_dir, data) = folder();
    let place = || Place { database: Some(postgres.url()), ..Place::default() };
    what_came_back_goes(&postgres.url(), place, &data);
}
