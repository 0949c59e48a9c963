//! Several labels and numbers: given, taken back, renamed, learned, suggested and contradicted.

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, id, photo};

use crate::running::{folder, start};

/// Twenty-four texts about screens, batteries and both, as a table.
pub(crate) fn tickets() -> String {
    let rows = (0..24).map(|row| match row % 4 {
        0 => format!("the screen is cracked {row},screen\n"),
        1 => format!("the battery is flat {row},battery\n"),
        2 => format!("a cracked screen and a flat battery {row},screen|battery\n"),
        _ => format!("the screen of {row} flickers and the battery is hot,screen|battery\n"),
    });
    format!("text,label\n{}", rows.collect::<String>())
}

#[test]
fn several_labels_are_counted_renamed_and_learned() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = owner.bring("tickets", &[("tickets.csv".into(), tickets().into_bytes())]);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let told = owner.get(&at("")).body;
    assert_eq!(told["task"], "classes", "{told}");
    assert_eq!(
        told["classes"],
        json!([{ "name": "battery", "count": 18 }, { "name": "screen", "count": 18 }])
    );
    let only = owner.get(&at("/examples?label=battery&limit=2"));
    assert_eq!(only.body["total"], 18);
    let example = only.body["examples"][0]["id"].clone();
    assert_eq!(owner.post(&at("/labels"), &json!({ "example": example, "label": "screen" })).status, 422);
    owner.post(&at("/labels"), &json!({ "example": example, "labels": [] }));
    let none = owner.get(&format!("/v1/examples/{}", example.as_str().expect("an id"))).body;
    assert_eq!((none["labels"].clone(), none["label"].clone()), (json!([]), json!(null)));
    let undone = owner.post(&at("/undo"), &json!({})).body;
    assert_eq!(
        (undone["what"].clone(), undone["example"]["labels"].clone()),
        (json!("label"), json!(["battery"]))
    );
    let renamed = owner.send("PATCH", &at("/classes/battery"), &json!({ "name": "power" })).body;
    assert_eq!(renamed["classes"][0], json!({ "name": "power", "count": 18 }), "{renamed}");
    let tuned = owner.wait(&id(&owner.post(&at("/tune"), &json!({}))));
    assert_eq!(tuned["state"], "done", "{tuned}");
    let model = tuned["result"]["model"].as_str().expect("a model").to_owned();
    let asked = json!({ "inputs": [{ "text": "a cracked screen and a flat battery" }] });
    let answer = owner.post(&format!("/v1/models/{model}/predict"), &asked).body;
    assert_eq!(answer["predictions"][0]["answer"], "power, screen", "{answer}");
}

#[test]
fn numbers_are_asked_for_and_learned() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let files: Vec<_> = (0..40_u8)
        .map(|level| (format!("{level:02}.png"), photo([level * 5, level * 5, 90], u32::from(level))))
        .collect();
    let dataset = owner.bring("levels", &files);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    assert_eq!(owner.send("PATCH", &at(""), &json!({ "task": "number" })).body["task"], "number");
    let examples = owner.get(&at("/examples")).body["examples"].clone();
    let labels: Vec<Value> = examples
        .as_array()
        .expect("examples")
        .iter()
        .map(|example| {
            let level: f64 = example["name"].as_str().expect("a name")[..2].parse().expect("a number");
            json!({ "example": example["id"], "number": level / 4.0 })
        })
        .collect();
    let given = owner.post(&at("/labels/batch"), &json!({ "labels": labels }));
    assert_eq!(given.body["n_labelled"], 40, "{given:?}");
    assert_eq!(owner.get(&at("")).body["number"], json!({ "low": 0.0, "high": 9.75 }));
    assert_eq!(owner.send("PATCH", &at(""), &json!({ "task": "class" })).status, 409, "answers are there");
    let tuned = owner.wait(&id(&owner.post(&at("/tune"), &json!({}))));
    assert_eq!(tuned["state"], "done", "{tuned}");
    let export = owner.get(&at("/export?format=jsonl")).text;
    assert!(export.lines().any(|line| line.contains("9.75")), "{export}");
}

#[test]
fn what_was_given_together_is_taken_back_together() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let ann = server.set_up();
    let ben = server.person(&ann, "ben", "labeller");
    let rows = (0..5).map(|row| format!("text {row}\n")).collect::<String>();
    let dataset = ann.bring("texts", &[("t.csv".to_owned(), format!("text\n{rows}").into_bytes())]);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let examples = ann.get(&at("/examples")).body["examples"].clone();
    let of = |row: usize| examples[row]["id"].clone();
    let labels = || -> Vec<Value> {
        let page = ann.get(&at("/examples")).body;
        page["examples"].as_array().expect("examples").iter().map(|one| one["label"].clone()).collect()
    };
    let give = |who: &Client, given: &[(usize, Value)]| {
        let labels: Vec<Value> =
            given.iter().map(|(row, label)| json!({ "example": of(*row), "label": label })).collect();
        who.post(&at("/labels/batch"), &json!({ "labels": labels })).body["n_changed"].clone()
    };
    let undo = |who: &Client| {
        let told = who.post(&at("/undo"), &json!({}));
        (told.status, told.body["n"].clone(), told.body["undone"].clone())
    };
    let [x, y, z, none] =
        ["x", "y", "z", ""].map(|label| if label.is_empty() { Value::Null } else { json!(label) });
    assert_eq!(give(&ann, &[(0, x.clone()), (1, x.clone()), (2, x.clone())]), 3);
    assert_eq!(give(&ann, &[(0, x.clone()), (1, x.clone())]), 0, "there is nothing to take back");
    let again = ann.post(&at("/labels"), &json!({ "example": of(0), "label": "x" }));
    assert_eq!(again.body["changed"], false, "{again:?}");
    // Twice the same example, one that has its label already, and two of before.
    let given = [(0, y.clone()), (3, y.clone()), (3, z.clone()), (1, x.clone()), (2, none.clone())];
    assert_eq!(give(&ann, &given), 4);
    assert_eq!(labels(), [y.clone(), x.clone(), none.clone(), z.clone(), none.clone()]);
    // What somebody else has changed since stays.
    give(&ben, &[(0, z.clone())]);
    assert_eq!(undo(&ann), (200, json!(3), none.clone()));
    assert_eq!(labels(), [z.clone(), x.clone(), x.clone(), none.clone(), none.clone()]);
    assert_eq!(undo(&ann), (200, json!(2), x.clone()), "the request before");
    assert_eq!(labels(), [z.clone(), none.clone(), none.clone(), none.clone(), none.clone()]);
    assert_eq!(undo(&ann).0, 404);
    assert_eq!(undo(&ben), (200, json!(1), z));
    // Taken back by its own giver, the first of them is as it was before him, and hers again to take back.
    assert_eq!(labels()[0], y);
    assert_eq!(undo(&ann), (200, json!(1), y));
}

/// Complaints about screens and batteries, about both, and about neither, no two alike; with the labels that they should have.
fn complaints() -> Vec<(String, Vec<&'static str>)> {
    let screen = [
        "The screen is cracked",
        "My display flickers",
        "Dead pixels all over the screen",
        "The touch screen ignores my fingers",
    ];
    let battery = [
        "the battery is empty by noon",
        "it does not charge any more",
        "the battery gets hot",
        "it dies at forty percent of charge",
    ];
    let other = [
        "the parcel was left in the rain",
        "nobody answers the phone",
        "I was billed twice",
        "the manual is missing",
    ];
    let when = [
        "since Monday",
        "after the update",
        "on holiday in Spain",
        "when my daughter uses it",
        "as the last one did",
    ];
    let mut all = Vec::new();
    for (row, when) in when.iter().enumerate() {
        for place in 0..4 {
            let (screen, battery, other) =
                (screen[place], battery[(place + row) % 4], other[(place + 2 * row) % 4]);
            all.push((format!("{screen} {when}."), vec!["screen"]));
            all.push((format!("I write because {battery} {when}."), vec!["battery"]));
            all.push((format!("{screen} {when}, and {battery}."), vec!["battery", "screen"]));
            all.push((format!("Sadly {other} {when}."), vec![]));
        }
    }
    all
}

/// A data set of several labels: the first so many complaints have theirs, which come with the data where there are any; one of them is
/// wrong.
fn complained(owner: &Client, labelled: usize, wrong: usize) -> String {
    let all = complaints();
    let lines = all.iter().enumerate().map(|(row, (text, labels))| {
        let labels = if row == wrong { vec!["battery"] } else { labels.clone() };
        let label = if row < labelled && !labels.is_empty() { json!(labels) } else { json!(null) };
        json!({ "text": text, "label": label }).to_string() + "\n"
    });
    let dataset = owner.bring("complaints", &[("all.jsonl".into(), lines.collect::<String>().into_bytes())]);
    let at = format!("/v1/datasets/{dataset}");
    let none = |(text, labels): &(String, Vec<&str>)| {
        labels.is_empty().then(|| json!({ "example": example_of(owner, &at, text)["id"], "labels": [] }))
    };
    let labels: Vec<Value> = all.iter().take(labelled).filter_map(none).collect();
    owner.post(&format!("{at}/labels/batch"), &json!({ "labels": labels }));
    dataset
}

/// How it stands, once the quick model has thought.
fn ready(owner: &Client, at: &str, n_labelled: usize) -> Value {
    owner.until(|| {
        let live = owner.get(&format!("{at}/live")).body;
        let thought = live["history"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["n_labelled"] == n_labelled));
        (live["state"] == "ready" && thought).then_some(live)
    })
}

/// The example whose text or name begins so.
fn example_of(owner: &Client, at: &str, words: &str) -> Value {
    let found = owner.get(&format!("{at}/examples?limit=500")).body["examples"].as_array().cloned();
    let begins = |one: &Value| {
        ["text", "name"]
            .into_iter()
            .any(|field| one[field].as_str().is_some_and(|text| text.starts_with(words)))
    };
    found.into_iter().flatten().find(begins).unwrap_or_else(|| panic!("{words} is there"))
}

/// The map tells every set of labels, and what would be said of each example.
#[track_caller]
fn sets_have_colours(owner: &Client, at: &str) {
    let map =
        owner.until(|| Some(owner.get(&format!("{at}/map")).body).filter(|map| map["state"] == "ready"));
    let sets = map["sets"].as_array().expect("sets").iter().filter(|set| set.is_array()).count();
    assert!(sets == 60 && map["suggested_sets"][0].is_array() && map["labels"] == json!([]), "{map}");
}

#[test]
fn several_labels_are_suggested_measured_and_contradicted() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let at = format!("/v1/datasets/{}", complained(&owner, 60, 4));
    let live = ready(&owner, &at, 60);
    assert_eq!(live["metric"], "label-accuracy", "{live}");
    // Those that came with labels, and the few others that chance would have asked for first.
    assert!(live["n_drawn"].as_u64().is_some_and(|drawn| (45..60).contains(&drawn)), "{live}");
    let value = |of: &Value| of["value"].as_f64().expect("a value");
    assert!(value(&live["accuracy"]) > live["chance"].as_f64().expect("chance") + 0.2, "{live}");
    assert!(live["accuracy"]["low"].as_f64() < live["accuracy"]["value"].as_f64());
    assert_eq!(
        (live["further"][0]["metric"].clone(), live["further"][1]["metric"].clone()),
        (json!("micro-f1"), json!("subset-accuracy"))
    );
    assert_eq!(
        owner.get(&format!("{at}/queue")).body["why"],
        "half of them the model is unsure of, half are drawn at random"
    );

    sets_have_colours(&owner, &at);

    // Those that nobody labelled are told apart.
    let open = owner.get(&format!("{at}/examples?state=unlabelled")).body["examples"].clone();
    let truth: std::collections::HashMap<String, Vec<&str>> = complaints().into_iter().collect();
    let told = |one: &Value| {
        let mut labels: Vec<String> = one["suggestion"]["labels"]
            .as_array()
            .expect("labels")
            .iter()
            .map(|one| one["label"].as_str().expect("a name").to_owned())
            .collect();
        labels.sort();
        labels
    };
    let open = open.as_array().expect("examples");
    let right = open.iter().filter(|one| told(one) == truth[one["text"].as_str().expect("a text")]).count();
    assert!(open.len() == 20 && right >= 14, "{right} of {}", open.len());

    let wrong = example_of(&owner, &at, "My display flickers since Monday.");
    assert_eq!(
        (wrong["labels"].clone(), told(&wrong)),
        (json!(["battery"]), vec!["screen".to_owned()]),
        "{wrong}"
    );
    let disagrees = owner.get(&format!("{at}/examples?state=disagrees")).body;
    assert_eq!(disagrees["examples"][0]["id"], wrong["id"], "{disagrees}");
    assert_eq!(owner.get(&format!("{at}/examples?order=doubt")).body["total"], 80);
    let give = |owner: &Client, labels: &[&str]| {
        owner.post(&format!("{at}/labels"), &json!({ "example": wrong["id"], "labels": labels })).body["warning"].clone()
    };
    let warning = give(&owner, &["battery"]);
    assert!(warning.as_str().is_some_and(|text| text.contains("“screen” (sure by 9")), "{warning}");
    assert!(
        give(&owner.with("accept-language", "zh-CN"), &[])
            .as_str()
            .is_some_and(|text| text.contains("“screen”（把握"))
    );
    assert_eq!(give(&owner, &["screen"]), json!(null));
    // A name that is new is nobody's to contradict, and the model learns it.
    assert_eq!(give(&owner, &["screen", "urgent"]), json!(null));
    assert_eq!(owner.get(&format!("{at}/map")).status, 200);
}

#[test]
fn findings_about_several_labels_are_decided_by_sets() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let at = format!("/v1/datasets/{}", complained(&owner, 80, 4));
    assert_eq!(owner.wait(&id(&owner.post(&format!("{at}/audit"), &json!({}))))["state"], "done");
    let list = owner.get(&format!("{at}/worklist")).body;
    let wrong = example_of(&owner, &at, "My display flickers since Monday.");
    let about = |one: &&Value| one["fault"] == "label" && one["examples"][0]["id"] == wrong["id"];
    let finding = list["findings"].as_array().expect("findings").iter().find(about);
    let finding = finding.unwrap_or_else(|| panic!("the wrong label is found: {list}"));
    assert_eq!(finding["given"], json!({ "label": null, "labels": ["battery"], "number": null }));
    assert_eq!(finding["suggested"]["labels"], json!(["screen"]), "{finding}");
    let decide = |body: Value| {
        let mut body = body;
        body["audited_at"] = list["audited_at"].clone();
        owner.post(&format!("{at}/worklist/{}", finding["number"]), &body)
    };
    let labels = |body: Value| decide(body).body["examples"][0]["labels"].clone();
    assert_eq!(labels(json!({ "decision": "relabel" })), json!(["screen"]));
    assert_eq!(labels(json!({ "decision": "keep" })), json!(["battery"]));
    assert_eq!(labels(json!({ "decision": "relabel", "labels": [] })), json!([]));
    assert_eq!(
        labels(json!({ "decision": "relabel", "labels": ["screen", "display"] })),
        json!(["display", "screen"])
    );
    assert_eq!(
        decide(json!({ "decision": "relabel", "label": "screen" })).status,
        422,
        "several labels are asked for"
    );
    assert_eq!(decide(json!({ "decision": "remove" })).body["decision"], "removed");
    assert_eq!(owner.get(&at).body["n_examples"], 79);
    assert_eq!(labels(json!({ "decision": "keep" })), json!(["battery"]));
}

/// The number that a photo of [`reds`] should have.
fn red(example: &Value) -> f64 {
    example["name"].as_str().expect("a name")[..3].parse::<f64>().expect("a number") / 10.0
}

/// Photos whose redness is the number; the name begins with it.
fn reds(n: u32) -> Vec<(String, Vec<u8>)> {
    (0..n)
        .map(|number| {
            let red = number * 5;
            let [green, blue] = [7, 13].map(|step| (number * step * 5 % 160) as u8);
            (format!("{red:03}.png"), photo([red as u8, green, blue], number))
        })
        .collect()
}

#[test]
fn numbers_are_suggested_with_intervals_and_findings_about_them_decided() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let at = format!("/v1/datasets/{}", owner.bring("reds", &reds(50)));
    owner.send("PATCH", &at, &json!({ "task": "number" }));
    let queue = || owner.get(&format!("{at}/queue?limit=2")).body;
    owner.until(|| queue()["why"].as_str().is_some_and(|why| why.starts_with("half")).then_some(()));
    label_reds(&owner, &at, queue);
    let live = ready(&owner, &at, 40);
    assert_eq!(live["metric"], "mae", "{live}");
    assert!(live["n_drawn"].as_u64().is_some_and(|drawn| drawn >= 19), "{live}");
    assert!(live["accuracy"]["value"].as_f64() < live["chance"].as_f64(), "{live}");
    assert_eq!(
        (live["further"][0]["metric"].clone(), live["further"][1]["metric"].clone()),
        (json!("rmse"), json!("r2"))
    );
    numbers_are_suggested(&owner, &at);
    numbers_have_colours(&owner, &at);
    a_far_number_is_found(&owner, &at);
}

/// Half by chance, half by doubt, as the queue has them.
fn label_reds(owner: &Client, at: &str, queue: impl Fn() -> Value) {
    let mut given = 0;
    while given < 40 {
        for example in queue()["examples"].as_array().expect("examples") {
            let number = red(example);
            let given_now = json!({ "example": example["id"], "number": number, "from": "queue" });
            owner.post(&format!("{at}/labels"), &given_now);
            given += 1;
        }
    }
}

/// The map tells every number, and what would be said of each example.
#[track_caller]
fn numbers_have_colours(owner: &Client, at: &str) {
    let map =
        owner.until(|| Some(owner.get(&format!("{at}/map")).body).filter(|map| map["state"] == "ready"));
    let all = |field: &str| map[field].as_array().cloned().expect("a list");
    let given = all("numbers").iter().filter(|number| number.is_number()).count();
    assert!(given >= 40 && all("labels").is_empty() && all("sets").is_empty(), "{map}");
    assert!(all("suggested_numbers").iter().all(Value::is_number), "{map}");
    assert_eq!(all("disagrees").len(), all("ids").len());
}

#[track_caller]
fn numbers_are_suggested(owner: &Client, at: &str) {
    let open = owner.get(&format!("{at}/examples?state=unlabelled")).body["examples"]
        .as_array()
        .cloned()
        .expect("examples");
    let mut within = 0;
    for one in &open {
        let [number, low, high] = ["number", "low", "high"]
            .map(|field| one["suggestion"][field].as_f64().unwrap_or_else(|| panic!("{one}")));
        assert!(
            low < number && number < high && ((10.0 * number).round() - 10.0 * number).abs() < 1e-6,
            "one digit, as given: {one}"
        );
        within += usize::from((low..=high).contains(&red(one)));
    }
    assert!(open.len() == 10 && within >= 6, "{within} of {}", open.len());
    let give = |number: f64| {
        owner.post(&format!("{at}/labels"), &json!({ "example": open[0]["id"], "number": number })).body["warning"].clone()
    };
    assert!(give(900.0).as_str().is_some_and(|text| text.contains("99 are between")));
    assert_eq!(give(open[0]["suggestion"]["number"].as_f64().expect("a number")), json!(null));
}

#[track_caller]
fn a_far_number_is_found(owner: &Client, at: &str) {
    let far = example_of(owner, at, "120.png");
    owner.post(&format!("{at}/labels"), &json!({ "example": far["id"], "number": 60.5 }));
    owner.until(|| {
        let found = owner.get(&format!("{at}/examples?state=disagrees")).body["examples"][0].clone();
        (found["id"] == far["id"]).then_some(())
    });
    assert_eq!(owner.wait(&id(&owner.post(&format!("{at}/audit"), &json!({}))))["state"], "done");
    let list = owner.get(&format!("{at}/worklist")).body;
    let finding = list["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|one| one["fault"] == "label" && one["examples"][0]["id"] == far["id"]);
    let finding = finding.unwrap_or_else(|| panic!("the wrong number is found: {list}"));
    assert_eq!(finding["given"]["number"], 60.5);
    let suggested = finding["suggested"]["number"].as_f64().expect("a number");
    assert!((suggested - 12.0).abs() < 6.0, "{finding}");
    let decide = |body: Value| {
        let mut body = body;
        body["audited_at"] = list["audited_at"].clone();
        owner.post(&format!("{at}/worklist/{}", finding["number"]), &body).body["examples"][0]["number"]
            .clone()
    };
    assert_eq!(decide(json!({ "decision": "relabel" })), json!(suggested));
    assert_eq!(decide(json!({ "decision": "relabel", "number": 12 })), json!(12.0));
    assert_eq!(decide(json!({ "decision": "keep" })), json!(60.5));
}
