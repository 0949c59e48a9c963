//! The server for long: a team brings photos in, labels, tunes, deploys, asks and takes everything out again, over and over, while one set of
//! texts is labelled all the while. Its memory is to stay as it is, and nothing to be lost that it said is kept.
//!
//! The server runs in this process, so that the memory is its own and that of its clients.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use pipeline::Home;
use serde_json::{Value, json};
use testkit::{Client, id, photo};

use crate::serve::{Served, resident};

/// How long it goes on: as much is done as a small team does in an hour.
const SPELL: Duration = Duration::from_secs(360);
/// How often memory is looked at.
const LOOKS: u32 = 18;
/// Rounds before the first look: bases are loaded, connections and buffers are there.
const WARM: usize = 3;
/// How much more memory the last third of the looks may find than the first, as a ratio of their means.
const MOST_GROWTH: f64 = 1.05;
/// Photos of one kind that one round brings.
const PHOTOS: u32 = 15;
/// Sets of photos that come in turn: features are found again only when one comes again.
const SETS: u32 = 12;
/// Texts that are labelled all the while.
const TEXTS: usize = 2000;

/// What was done, and said to be kept.
#[derive(Default)]
struct Done {
    n_rounds: AtomicUsize,
    n_labels: AtomicUsize,
    n_answers: AtomicUsize,
    /// The last label of each text.
    labels: Mutex<HashMap<String, String>>,
    over: AtomicBool,
}

impl Done {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print() -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let home = Home::by_default().context("neither DIANJING_CACHE nor a home folder is known")?;
    let dir = scratch.path().join("data");
    let server = Served::start(home.clone(), &dir)?;
    let who = server.operator.clone();
    let texts = texts(&who);
    let (done, dataset) = (Done::default(), texts.0.clone());
    let memory = std::thread::scope(|scope| {
        let people = scope.spawn(|| until_over(&done, |number| round(&who, &done, number)));
        let labelling = scope.spawn(|| until_over(&done, |number| label(&who, &done, &texts, number)));
        let memory = look(&done);
        done.over.store(true, Ordering::Relaxed);
        people.join().expect("people do not panic")?;
        labelling.join().expect("people do not panic")?;
        memory
    })?;
    check(&who, &done, &dataset)?;
    server.end()?;
    let server = Served::start(home, &dir)?;
    check(&server.operator, &done, &dataset)?;
    server.end()?;
    let third = memory.len() / 3;
    let mean = |looks: &[f64]| looks.iter().sum::<f64>() / looks.len() as f64;
    let growth = mean(&memory[memory.len() - third..]) / mean(&memory[..third]);
    println!("last third of the memory beside the first: {growth:.3}");
    ensure!(growth <= MOST_GROWTH, "memory grew to {growth:.3} of what it was");
    Ok(())
}

/// Does something again and again, by its number, until it is over.
fn until_over(done: &Done, mut once: impl FnMut(usize) -> anyhow::Result<()>) -> anyhow::Result<()> {
    for number in 0.. {
        if done.is_over() {
            break;
        }
        // Whoever failed ends it for all.
        once(number).inspect_err(|_| done.over.store(true, Ordering::Relaxed))?;
    }
    Ok(())
}

/// Prints resident memory, in MiB, as time goes on, and returns it.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn look(done: &Done) -> anyhow::Result<Vec<f64>> {
    while done.n_rounds.load(Ordering::Relaxed) < WARM && !done.is_over() {
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("{:>9} {:>7} {:>8} {:>8} {:>8}", "soaked s", "rounds", "labels", "answers", "RSS MiB");
    let (started, mut memory) = (Instant::now(), Vec::new());
    for number in 1..=LOOKS {
        while started.elapsed() < SPELL * number / LOOKS && !done.is_over() {
            std::thread::sleep(Duration::from_millis(100));
        }
        memory.push(resident()? as f64 / f64::from(1 << 20));
        let n = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        println!(
            "{:>9.0} {:>7} {:>8} {:>8} {:>8.0}",
            started.elapsed().as_secs_f64(),
            n(&done.n_rounds),
            n(&done.n_labels),
            n(&done.n_answers),
            memory[memory.len() - 1]
        );
    }
    Ok(memory)
}

/// A data set of texts, with the ids of its examples.
fn texts(who: &Client) -> (String, Vec<String>) {
    let rows: String = (0..TEXTS).map(|row| format!("letter {row} about a parcel\n")).collect();
    let dataset = who.bring("letters", &[("letters.csv".into(), format!("text\n{rows}").into_bytes())]);
    let mut ids = Vec::new();
    while ids.len() < TEXTS {
        let path = format!("/v1/datasets/{dataset}/examples?limit=500&offset={}", ids.len());
        let page = who.get(&path).body;
        let all = page["examples"].as_array().expect("examples");
        ids.extend(all.iter().map(|one| one["id"].as_str().expect("an id").to_owned()));
    }
    (dataset, ids)
}

/// Labels a text, and remembers what was answered.
fn label(
    who: &Client,
    done: &Done,
    (dataset, ids): &(String, Vec<String>),
    number: usize,
) -> anyhow::Result<()> {
    let (example, label) = (&ids[number % ids.len()], format!("kind {}", number * 7 % 5));
    let body = json!({ "example": example, "label": label });
    let told = who.post(&format!("/v1/datasets/{dataset}/labels"), &body);
    ensure!(told.status == 200, "{told:?}");
    done.n_labels.fetch_add(1, Ordering::Relaxed);
    done.labels.lock().expect("held").insert(example.clone(), label);
    Ok(())
}

/// From a folder to a model that answers, and everything out again.
fn round(who: &Client, done: &Done, number: usize) -> anyhow::Result<()> {
    let set = number as u32 % SETS;
    let kind = |name: &'static str, colour: [u8; 3]| {
        (0..PHOTOS).map(move |place| {
            // What stands behind a picture does not show, and makes it another file.
            let bytes = [photo(colour, place), vec![b's', set as u8, place as u8]].concat();
            (format!("parts/{name}/{place}.png"), bytes)
        })
    };
    let files: Vec<(String, Vec<u8>)> =
        kind("red", [180, 30, 40]).chain(kind("blue", [30, 40, 180])).collect();
    let dataset = who.bring("parts", &files);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    // Somebody looks: a quick model is made, and labels make it think again.
    let queue = who.get(&at("/queue?limit=20")).body;
    for example in queue["examples"].as_array().context("a queue")? {
        let told = who.post(&at("/labels"), &json!({ "example": example["id"], "label": "red" }));
        ensure!(told.status == 200, "{told:?}");
        done.n_labels.fetch_add(1, Ordering::Relaxed);
    }
    who.get(&at("/examples?order=doubt&limit=50"));
    let tuned = who.wait(&id(&who.post(&at("/tune"), &json!({}))));
    let model = tuned["result"]["model"].as_str().with_context(|| tuned.to_string())?.to_owned();
    let deployed = who.send("PUT", "/v1/deployments/parts", &json!({ "model": model }));
    ensure!(deployed.status == 200, "{deployed:?}");
    let inputs: Vec<Value> =
        files.iter().take(10).map(|(_, bytes)| json!({ "image": base64_of(bytes) })).collect();
    for _ in 0..5 {
        let told = who.post("/v1/predict/parts", &json!({ "inputs": inputs }));
        ensure!(told.status == 200, "{told:?}");
        done.n_answers.fetch_add(inputs.len(), Ordering::Relaxed);
    }
    for path in ["/v1/deployments/parts", &format!("/v1/models/{model}"), &at("")] {
        let gone = who.ask("DELETE", path, None, &[]);
        ensure!(gone.status == 204, "{path}: {gone:?}");
    }
    done.n_rounds.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Whatever was said to be kept is there, and nothing of what was taken out.
fn check(who: &Client, done: &Done, dataset: &str) -> anyhow::Result<()> {
    let labels = done.labels.lock().expect("held");
    for (example, label) in &*labels {
        let told = who.get(&format!("/v1/examples/{example}")).body["label"].clone();
        ensure!(told == json!(label), "{example} has {told}, and was given {label}");
    }
    let used = who.get("/v1/usage").body["examples"]["used"].clone();
    ensure!(used == json!(TEXTS), "{used} examples are there");
    let datasets = who.get("/v1/datasets").body["datasets"].clone();
    ensure!(datasets.as_array().is_some_and(|all| all.len() == 1 && all[0]["id"] == dataset), "{datasets}");
    let jobs = who.get("/v1/jobs").body["jobs"].clone();
    ensure!(jobs.as_array().is_some_and(|all| all.iter().all(|job| job["state"] == "done")), "{jobs}");
    let seal = who.get("/v1/trail/seal").body;
    ensure!(seal["broken_at"].is_null(), "{seal}");
    Ok(())
}
