//! A database that falls in the middle of everything, and comes back.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use server::Way;
use testkit::{Client, Postgres, id, parts, photo};

use crate::running::{Place, folder, start_on};

/// Texts that wait for a label.
const TEXTS: usize = 600;

/// What somebody who labels was told.
#[derive(Debug, Default)]
struct Heard {
    /// Labelled, as the server said.
    kept: Mutex<BTreeSet<String>>,
    /// How often the server could not.
    refused: Mutex<usize>,
    stop: AtomicBool,
}

impl Heard {
    /// Labels one example after the other; one that was refused is tried again.
    fn label(&self, who: &Client, dataset: &str, examples: &[String]) {
        for example in examples {
            let body = json!({ "example": example, "label": "seen" });
            while !self.stop.load(Ordering::Relaxed) {
                let told = who.post(&format!("/v1/datasets/{dataset}/labels"), &body);
                if told.status == 200 {
                    self.kept.lock().expect("held").insert(example.clone());
                    break;
                }
                assert_eq!((told.status, &told.body["code"]), (503, &json!("database_away")), "{told:?}");
                *self.refused.lock().expect("held") += 1;
            }
        }
    }

    fn n_kept(&self) -> usize {
        self.kept.lock().expect("held").len()
    }
}

/// Whatever needs the database says so, in both languages; what does not, answers.
#[track_caller]
fn everything_says_so(who: &Client) {
    let image = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(photo([30, 40, 180], 77))
    };
    for told in [
        who.get("/ready"),
        who.get("/v1/datasets"),
        who.post("/v1/datasets", &json!({ "name": "more" })),
        who.post("/v1/predict/parts", &json!({ "inputs": [{ "image": image }] })),
        who.post("/v1/login", &json!({ "name": "ann", "password": "a long password" })),
    ] {
        assert_eq!((told.status, &told.body["code"]), (503, &json!("database_away")), "{told:?}");
        assert!(told.body["hint"].as_str().is_some_and(|hint| hint.contains("try again")), "{told:?}");
    }
    let zh = who.with("accept-language", "zh-CN").get("/v1/models");
    assert_eq!((zh.status, &zh.body["message"]), (503, &json!("无法连接数据库")));
    assert_eq!(who.get("/health").status, 200, "the process lives");
}

#[test]
fn a_database_that_falls_takes_nothing_with_it_that_was_answered() {
    let postgres = Postgres::start();
    let (_dir, data) = folder();
    let server = start_on(Way::Team, &data, Place { database: Some(postgres.url()), ..Place::default() });
    let ann = server.set_up();
    let dataset = ann.bring("parts", &parts(8));
    let tune = || id(&ann.post(&format!("/v1/datasets/{dataset}/tune"), &json!({})));
    let model = ann.wait(&tune())["result"]["model"].clone();
    assert_eq!(ann.send("PUT", "/v1/deployments/parts", &json!({ "model": model })).status, 200);
    let rows: String = (0..TEXTS).map(|row| format!("text number {row}\n")).collect();
    let texts = ann.bring("texts", &[("t.csv".into(), format!("text\n{rows}").into_bytes())]);
    let page = ann.get(&format!("/v1/datasets/{texts}/examples?limit={TEXTS}")).body;
    let text = |value: &serde_json::Value| value.as_str().expect("an id").to_owned();
    let examples: Vec<String> =
        page["examples"].as_array().expect("examples").iter().map(|one| text(&one["id"])).collect();
    let heard = Heard::default();
    let job = std::thread::scope(|scope| {
        let labelling = scope.spawn(|| heard.label(&ann, &texts, &examples));
        ann.until(|| (heard.n_kept() > 10).then_some(()));
        let job = tune();
        ann.until(|| (ann.get(&format!("/v1/jobs/{job}")).body["state"] == "running").then_some(()));
        postgres.go();
        everything_says_so(&ann);
        ann.until(|| (*heard.refused.lock().expect("held") > 0).then_some(()));
        let before = heard.n_kept();
        postgres.come();
        ann.until(|| (ann.get("/ready").status == 200).then_some(()));
        ann.until(|| (heard.n_kept() > before + 10).then_some(()));
        heard.stop.store(true, Ordering::Relaxed);
        labelling.join().expect("every answer was one that was expected");
        job
    });
    for example in &*heard.kept.lock().expect("held") {
        assert_eq!(ann.get(&format!("/v1/examples/{example}")).body["label"], "seen", "{example}");
    }
    let ended = ann.wait(&job);
    assert_eq!(ended["state"], "done", "the work went on: {ended}");
    assert_eq!(ann.get("/v1/models").body["models"].as_array().map(Vec::len), Some(2));
}
