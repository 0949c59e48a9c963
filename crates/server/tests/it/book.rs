//! Labels that follow two rules: one is decided on, goes into the label book, and is heard from then on.

use std::collections::BTreeMap;
use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use server::Way;
use testkit::{Client, Told, id};

use crate::running::{Place, Running, folder, start_on};

/// A part with some discs on it, each number another; the same at either size.
fn part(colour: [u8; 3], number: u32, side: u32) -> Vec<u8> {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    let ground = colour.map(|channel| channel.saturating_add(random(40) as u8));
    let discs: Vec<_> = (0..5)
        .map(|_| {
            (random(100), random(100), 6 + random(16), ground.map(|c| c.saturating_sub(random(60) as u8)))
        })
        .collect();
    let picture = RgbImage::from_fn(side, side, |x, y| {
        let (x, y) = (x * 100 / side, y * 100 / side);
        let on = discs.iter().find(|(cx, cy, r, _)| x.abs_diff(*cx).pow(2) + y.abs_diff(*cy).pow(2) < r * r);
        Rgb(on.map_or(ground, |(_, _, _, colour)| *colour))
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

/// Red scratches, blue dents, and green ones: of those the small are called scratches, the large dents.
fn two_rules() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for number in 0..50 {
        let (small, large) = (96 + number % 3, 160 + number % 3);
        let side = if number % 2 == 0 { small } else { large };
        files.push((format!("parts/scratch/red{number}.png"), part([150, 20, 30], number, side)));
        files.push((format!("parts/dent/blue{number}.png"), part([20, 30, 150], 100 + number, side)));
        let class = if number % 2 == 0 { "scratch" } else { "dent" };
        files.push((format!("parts/{class}/green{number}.png"), part([20, 130, 30], 200 + number, side)));
    }
    files
}

/// Parts whose labels follow two rules, looked through.
pub(crate) struct Parts {
    _dir: tempfile::TempDir,
    server: Running,
    ann: Client,
    dataset: String,
}

impl Parts {
    fn new() -> Self {
        Self::on(Place::default())
    }

    pub(crate) fn on(place: Place) -> Self {
        let (dir, data) = folder();
        let server = start_on(Way::Team, &data, place);
        let ann = server.set_up();
        let dataset = ann.bring("parts", &two_rules());
        let parts = Self { _dir: dir, server, ann, dataset };
        parts.audit();
        parts
    }

    fn at(&self, path: &str) -> String {
        format!("/v1/datasets/{}{path}", self.dataset)
    }

    fn audit(&self) {
        let job = id(&self.ann.post(&self.at("/audit"), &json!({})));
        let ended = self.ann.wait(&job);
        assert_eq!(ended["state"], "done", "{ended}");
    }

    /// Waits until somebody has looked at all examples.
    fn ready(&self) {
        self.ann.until(|| (self.ann.get(&self.at("/live")).body["state"] == "ready").then_some(()));
    }

    /// The findings of a kind, and when they were found.
    fn findings(&self, fault: &str) -> (Vec<Value>, Value) {
        let list = self.ann.get(&self.at("/worklist")).body;
        let all = list["findings"].as_array().cloned().unwrap_or_default();
        (all.into_iter().filter(|finding| finding["fault"] == fault).collect(), list["audited_at"].clone())
    }

    fn decide(&self, who: &Client, decision: &Value) -> Told {
        let (cases, audited_at) = self.findings("conflict");
        let mut body = json!({ "audited_at": audited_at });
        body.as_object_mut().expect("an object").extend(decision.as_object().expect("an object").clone());
        who.post(&self.at(&format!("/worklist/{}", cases[0]["number"])), &body)
    }

    fn rule(&self, rule: &str) -> Told {
        self.decide(&self.ann, &json!({ "decision": "rule", "rule": rule }))
    }

    /// Every label, by the name of its example.
    fn labels(&self) -> BTreeMap<String, (String, String)> {
        let page = self.ann.get(&self.at("/examples?limit=500")).body;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let examples = page["examples"].as_array().expect("examples").iter();
        examples.map(|one| (text(&one["name"]), (text(&one["id"]), text(&one["label"])))).collect()
    }

    fn id_of(&self, name: &str) -> String {
        self.labels()[name].0.clone()
    }

    fn say(&self, who: &Client, name: &str, label: &str) -> Value {
        let told = who.post(&self.at("/labels"), &json!({ "example": self.id_of(name), "label": label }));
        assert_eq!(told.status, 200, "{told:?}");
        told.body
    }

    fn rules(&self) -> Vec<Value> {
        self.ann.get(&self.at("/book")).body["rules"].as_array().cloned().unwrap_or_default()
    }

    fn person(&self, name: &str, role: &str) -> Client {
        self.server.person(&self.ann, name, role)
    }
}

#[test]
fn a_rule_is_decided_applied_heard_and_taken_out() {
    a_rule_lives(&Parts::new());
}

/// It is decided, applied, taken back, decided again, heard and taken out.
pub(crate) fn a_rule_lives(parts: &Parts) {
    let (cases, _) = parts.findings("conflict");
    let case = cases.first().expect("the green ones contradict each other");
    assert_eq!(
        (case["conflict"]["a"].clone(), case["conflict"]["b"].clone()),
        (json!("dent"), json!("scratch"))
    );
    assert!(case["conflict"]["split"].as_str().is_some_and(|split| split.contains("pixels")), "{case}");
    let before = parts.labels();
    let told = parts.rule("all_a");
    assert_eq!(
        (told.body["decision"].clone(), told.body["rule"].clone()),
        (json!("ruled"), json!(1)),
        "{told:?}"
    );
    let after = parts.labels();
    let n = case["conflict"]["n"].as_u64().expect("a number") as usize;
    let changed = before.iter().filter(|(name, (_, label))| after[*name].1 != *label).count();
    let dents = |labels: &BTreeMap<String, (String, String)>| {
        labels.values().filter(|(_, label)| label == "dent").count()
    };
    assert!(changed > 0 && changed < n, "{changed} of {n}");
    assert_eq!(dents(&after), dents(&before) + changed);
    let rule = parts.rules()[0].clone();
    assert_eq!(
        (rule["words"].clone(), rule["author"].clone()),
        (json!("All of these are \"dent\"."), json!("ann"))
    );
    assert!(rule["exemplars"].as_array().is_some_and(|exemplars| exemplars.len() == 8), "{rule}");
    assert!(parts.ann.get("/v1/trail").text.contains("decide rule"));

    // Taken back, everything is as it was; whoever decides again gets another number.
    assert_eq!(parts.decide(&parts.ann, &json!({ "decision": "keep" })).body["decision"], "kept");
    assert_eq!((parts.labels(), parts.rules().len()), (before, 0));
    assert_eq!(parts.rule("all_a").body["rule"], 2);
    the_second_rule_is_heard(parts, case["examples"][0]["name"].as_str().expect("a name"));
}

/// A label against the rule is warned of, and found by the next audit.
#[track_caller]
fn the_second_rule_is_heard(parts: &Parts, green: &str) {
    parts.ready();
    let warned = parts.say(&parts.ann, green, "scratch");
    assert!(warned["warning"].as_str().is_some_and(|warning| warning.contains("rule 2")), "{warned}");
    assert_eq!(
        (warned["broken"]["asks"].clone(), warned["broken"]["rule"]["number"].clone()),
        (json!("dent"), json!(2))
    );
    assert_eq!(parts.say(&parts.ann, green, "dent")["broken"], json!(null));
    assert_eq!(
        parts.say(&parts.ann, "scratch/red1.png", "dent")["broken"],
        json!(null),
        "far from it nothing is said"
    );
    // So it is where many are labelled at once, for those that it is about.
    let [near, far] = [green, "scratch/red1.png"].map(|name| parts.id_of(name));
    let labels = [&near, &far].map(|id| json!({ "example": id, "label": "scratch" }));
    let told = parts.ann.post(&parts.at("/labels/batch"), &json!({ "labels": labels })).body;
    let broken = &told["broken"][0];
    assert_eq!(
        (broken["asks"].clone(), broken["examples"].clone()),
        (json!("dent"), json!([near])),
        "{told}"
    );
    assert_eq!((broken["rule"]["number"].clone(), told["n_unsure"].clone()), (json!(2), json!(0)));
    parts.audit();
    // So are others that nobody had counted to the case, and that lie in its region.
    let (broken, _) = parts.findings("rule_broken");
    let name = |finding: &Value| finding["examples"][0]["name"].as_str().unwrap_or_default().to_owned();
    assert!(broken.iter().all(|finding| name(finding).contains("green")), "{broken:?}");
    let found =
        broken.iter().find(|finding| name(finding) == green).expect("the label against the rule is found");
    assert_eq!((found["rule"].clone(), found["suggested"]["label"].clone()), (json!(2), json!("dent")));

    // Taken out, nobody is warned by it.
    let gone = parts.ann.ask("DELETE", &parts.at("/book/rules/2"), None, &[]);
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(parts.ann.ask("DELETE", &parts.at("/book/rules/2"), None, &[]).status, 404);
    parts.say(&parts.ann, green, "dent");
    assert_eq!(parts.say(&parts.ann, green, "scratch")["broken"], json!(null));
    assert!(parts.rules().is_empty());
}

#[test]
fn a_case_is_divided_named_or_left_out() {
    let parts = Parts::new();
    let (cases, _) = parts.findings("conflict");
    let (case, all) = (cases[0]["conflict"].clone(), parts.labels().len());
    assert_eq!(parts.rule("exclude").status, 200);
    assert_eq!(parts.labels().len(), all - case["n"].as_u64().expect("a number") as usize);
    // Looked at while they are out of sight, they are not known when they come back: then it is looked again.
    parts.ready();
    // Another rule takes the place of the one before, which is taken back first.
    assert_eq!(parts.rule("split").body["rule"], 2);
    assert_eq!((parts.labels().len(), parts.rules().len()), (all, 1));
    let green = cases[0]["examples"][0].clone();
    let name = green["name"].as_str().expect("a name");
    let (right, wrong) = if name.starts_with("dent") { ("dent", "scratch") } else { ("scratch", "dent") };
    assert_eq!(parts.labels()[name].1, right, "the labels followed this rule");
    parts.ready();
    // Only its picture says how large it is: the rule looks at it.
    let warned = parts.say(&parts.ann, name, wrong);
    assert_eq!(warned["broken"]["asks"], right, "{warned}");
    let zh = parts.ann.with("accept-language", "zh").get(&parts.at("/book")).body;
    assert!(zh["rules"][0]["words"].as_str().is_some_and(|words| words.contains("像素数")), "{zh}");

    let named = |label: Value| {
        parts.decide(&parts.ann, &json!({ "decision": "rule", "rule": "new_class", "label": label }))
    };
    assert_eq!((named(json!("dent")).status, named(json!(null)).status), (422, 422));
    assert_eq!(parts.rule("guess").status, 422);
    assert_eq!(parts.decide(&parts.ann, &json!({ "decision": "relabel", "label": "dent" })).status, 422);
    assert_eq!(named(json!("moss")).status, 200);
    assert!(parts.labels().values().any(|(_, label)| label == "moss"));
    // What somebody said meanwhile stays when the rule is taken back.
    parts.say(&parts.ann, name, "lichen");
    parts.decide(&parts.ann, &json!({ "decision": "keep" }));
    let labels = parts.labels();
    assert_eq!(
        (labels[name].1.as_str(), labels.values().any(|(_, label)| label == "moss")),
        ("lichen", false)
    );
}

#[test]
fn everybody_reads_the_book_and_editors_write_it() {
    let parts = Parts::new();
    let (lea, vic) = (parts.person("lea", "labeller"), parts.person("vic", "viewer"));
    let note = |who: &Client, class: &str, text: &str| {
        who.send("PUT", &parts.at(&format!("/book/notes/{class}")), &json!({ "text": text })).status
    };
    assert_eq!((note(&lea, "dent", "x"), note(&vic, "dent", "x")), (403, 403));
    assert_eq!(note(&parts.ann, "dent", " A hollow,\nfelt with a finger. "), 204);
    assert_eq!(note(&parts.ann, "hole", "x"), 404, "there is no such class");
    assert_eq!(note(&parts.ann, "dent", &"x".repeat(2001)), 422);
    assert_eq!(parts.decide(&lea, &json!({ "decision": "rule", "rule": "all_b" })).status, 403);
    assert_eq!(parts.rule("all_b").status, 200);
    assert_eq!(
        parts.decide(&lea, &json!({ "decision": "keep" })).status,
        403,
        "to take a rule back is an editor's"
    );
    assert_eq!(lea.ask("DELETE", &parts.at("/book/rules/1"), None, &[]).status, 403);

    let seen = vic.get(&parts.at("/book")).body;
    assert_eq!(seen["notes"][0]["text"], "A hollow,\nfelt with a finger.", "{seen}");
    assert!(seen["rules"][0]["exemplars"][0]["given"].is_string(), "{seen}");
    let page = vic.get(&parts.at("/book/export?format=markdown&lang=zh")).text;
    assert!(page.starts_with("# 标签手册") && page.contains("felt with a finger"), "{page}");
    let file = vic.get(&parts.at("/book/export")).text;
    let book = curate::book::Book::parse("book.json", &file).expect("a book that the command line reads");
    assert_eq!(book.entries.len(), 1);
    assert_eq!(vic.get(&parts.at("/book/export?format=pdf")).status, 422);

    // Who labels blindly reads what was agreed on, is warned by it, and learns nobody's labels.
    assert_eq!(parts.ann.send("PATCH", &parts.at(""), &json!({ "blind": true })).status, 200);
    let seen = lea.get(&parts.at("/book")).body;
    let exemplar = seen["rules"][0]["exemplars"][0].clone();
    assert_eq!((exemplar["given"].clone(), exemplar["example"]["label"].clone()), (json!(null), json!(null)));
    assert_eq!(lea.get(&parts.at("/book/export")).status, 403);
    let name = exemplar["example"]["name"].as_str().expect("a name").to_owned();
    parts.ready();
    assert_eq!(parts.say(&lea, &name, "dent")["broken"]["asks"], "scratch");

    // A class that is called otherwise is so in the book as well; two that are one need no rule.
    let rename = |name: &str, to: &str| {
        parts.ann.send("PATCH", &parts.at(&format!("/classes/{name}")), &json!({ "name": to }))
    };
    assert_eq!(rename("dent", "dint").status, 200);
    let book = parts.ann.get(&parts.at("/book")).body;
    assert_eq!(
        (book["notes"][0]["class"].clone(), book["rules"][0]["a"].clone()),
        (json!("dint"), json!("dint"))
    );
    assert_eq!(parts.rule("all_a").status, 409, "the case was about other classes");
    assert_eq!(rename("dint", "scratch").status, 200);
    let book = parts.ann.get(&parts.at("/book")).body;
    assert_eq!((book["notes"][0]["class"].clone(), book["rules"].clone()), (json!("scratch"), json!([])));
}
