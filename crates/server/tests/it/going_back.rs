//! A data set goes back to what it was, and from there as well.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, Told, parts, photo};

use crate::running::{Place, Running, folder, start_on};
use crate::strangers::two_tenants;

/// A data set of Ann's.
pub(crate) struct Set {
    _dir: tempfile::TempDir,
    pub(crate) server: Running,
    pub(crate) ann: Client,
    dataset: String,
}

/// What an example has: its labels, absent where nobody answered, and the classes of its marks with their places.
type Has = (Option<Vec<String>>, Vec<(String, i64)>);
/// What is there, by name.
type Snapshot = BTreeMap<String, Has>;

impl Set {
    fn of(place: Place, files: &[(String, Vec<u8>)]) -> Self {
        let (dir, data) = folder();
        let server = start_on(Way::Team, &data, place);
        let ann = server.set_up();
        let dataset = ann.bring("set", files);
        Self { _dir: dir, server, ann, dataset }
    }

    /// Six red and six blue parts, one class of several each.
    pub(crate) fn parts() -> Self {
        Self::of(Place::default(), &parts(6))
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("/v1/datasets/{}{path}", self.dataset)
    }

    fn ids(&self) -> Vec<String> {
        let page = self.ann.get(&self.at("/examples?limit=500")).body;
        let examples = page["examples"].as_array().expect("examples").iter();
        examples.map(|example| example["id"].as_str().expect("an id").to_owned()).collect()
    }

    #[track_caller]
    pub(crate) fn example(&self, name: &str) -> String {
        let found = self.ann.get(&self.at(&format!("/examples?q={name}"))).body;
        found["examples"][0]["id"].as_str().unwrap_or_else(|| panic!("`{name}` is there: {found}")).to_owned()
    }

    fn points(&self) -> Value {
        self.ann.get(&self.at("/history")).body["points"].clone()
    }

    pub(crate) fn seq(&self) -> i64 {
        self.points()[0]["seq"].as_i64().expect("a number")
    }

    pub(crate) fn say(&self, who: &Client, example: &str, label: Option<&str>) -> Told {
        who.post(&self.at("/labels"), &json!({ "example": example, "label": label }))
    }

    pub(crate) fn mark(&self, example: &str, marks: &[Value]) -> Told {
        self.ann.send("PUT", &format!("/v1/examples/{example}/marks"), &json!({ "marks": marks }))
    }

    fn take_out(&self, examples: &[String], removed: bool) -> Told {
        self.ann.post(&self.at("/examples/removed"), &json!({ "examples": examples, "removed": removed }))
    }

    pub(crate) fn rename(&self, class: &str, to: &str) -> Told {
        self.ann.send("PATCH", &self.at(&format!("/classes/{}", escaped(class))), &json!({ "name": to }))
    }

    fn delete(&self, class: &str) -> Told {
        self.ann.ask("DELETE", &self.at(&format!("/classes/{}", escaped(class))), None, &[])
    }

    pub(crate) fn ask(&self, annotators: u32) {
        assert_eq!(self.ann.send("PATCH", &self.at(""), &json!({ "annotators": annotators })).status, 200);
    }

    pub(crate) fn restore(&self, who: &Client, seq: i64) -> Told {
        who.post(&self.at("/states/restore"), &json!({ "seq": seq }))
    }

    /// Goes back; how many were relabelled, marked, taken out and brought back.
    #[track_caller]
    pub(crate) fn back_to(&self, seq: i64) -> [i64; 4] {
        let before = self.seq();
        let dry = self.ann.post(&self.at("/states/restore"), &json!({ "seq": seq, "dry_run": true }));
        assert_eq!((dry.status, &dry.body["seq"], self.seq()), (200, &json!(before), before), "{dry:?}");
        let told = self.restore(&self.ann, seq);
        assert_eq!(told.status, 200, "{told:?}");
        assert_eq!(told.body["seq"], json!(self.seq()));
        self.check_equal(seq);
        let counts = |told: &Told| {
            ["n_relabelled", "n_marked", "n_removed", "n_returned"]
                .map(|n| told.body[n].as_i64().expect("a count"))
        };
        assert_eq!(counts(&dry), counts(&told), "what was told before is what happened");
        counts(&told)
    }

    /// Nothing differs between the state and now, but names of classes.
    #[track_caller]
    fn check_equal(&self, seq: i64) {
        let now = self.seq();
        for (from, to) in [(seq, now), (now, seq)] {
            let diff = self.ann.get(&self.at(&format!("/diff?from={from}&to={to}"))).body;
            let counted = ["added", "removed", "relabelled", "marked"].map(|kind| diff[kind].as_i64());
            assert_eq!(counted, [Some(0); 4], "{diff}");
            let renamed = |group: &Value| group["renamed"] == true;
            assert!(diff["groups"].as_array().expect("groups").iter().all(renamed), "{diff}");
        }
    }

    fn classes(&self) -> Vec<String> {
        let of = self.ann.get(&self.at("")).body;
        let classes = of["classes"].as_array().expect("classes").iter();
        classes.map(|class| class["name"].as_str().expect("a name").to_owned()).collect()
    }

    fn snapshot(&self) -> Snapshot {
        let page = self.ann.get(&self.at("/examples?limit=500")).body;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let has = |example: &Value| {
            let labels = example["labels"].as_array().map(|labels| labels.iter().filter_map(text).collect());
            let label = text(&example["label"]).map(|label| vec![label]);
            let mark = |mark: &Value| {
                let place = if mark["shape"] == "box" { &mark["x"] } else { &mark["end"] };
                (text(&mark["class"]).expect("a class"), place.as_f64().expect("a place") as i64)
            };
            let marks = example["marks"].as_array().expect("marks").iter().map(mark).collect();
            (text(&example["name"]).expect("a name"), (labels.or(label), marks))
        };
        page["examples"].as_array().expect("examples").iter().map(has).collect()
    }
}

/// As a part of an address.
fn escaped(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

pub(crate) fn dent(class: &str, x: i64) -> Value {
    json!({ "class": class, "shape": "box", "x": x, "y": 0.5, "width": 20.25, "height": 20.0 })
}

/// Numbers that look like chance, and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Names of classes, some of which begin like others, or stand in JSON and in patterns for something else.
const NAMES: [&str; 5] = ["red", "blue", "reddish", "a \"quoted\\ one", "50 % _x"];

/// What people did, and what was there after each of it, with what its classes are called now.
struct Walk {
    set: Set,
    ids: Vec<String>,
    chance: Chance,
    /// Whether an answer is several labels.
    several: bool,
    states: Vec<(i64, Snapshot)>,
}

impl Walk {
    fn new(set: Set, several: bool, seed: u64) -> Self {
        let (ids, chance) = (set.ids(), Chance(seed));
        let states = vec![(set.seq(), set.snapshot())];
        Self { set, ids, chance, several, states }
    }

    /// Does something; most of it works, and what does not changes nothing.
    fn step(&mut self) {
        let some: Vec<String> = (0..3).map(|_| self.chance.one_of(&self.ids).clone()).collect();
        match self.chance.below(10) {
            0..=2 => self.answer(&some),
            3 | 4 => self.mark(&some[0]),
            5 => drop(self.set.take_out(&some, true)),
            6 => drop(self.set.take_out(&some, false)),
            7 => self.rename(),
            8 => drop(self.set.ann.post(&self.set.at("/undo"), &json!({}))),
            _ => {
                let class = *self.chance.one_of(&NAMES);
                self.set.delete(class);
                let (seq, _) = self.chance.one_of(&self.states);
                self.set.back_to(*seq);
            }
        }
        self.states.push((self.set.seq(), self.set.snapshot()));
    }

    fn answer(&mut self, examples: &[String]) {
        for example in examples {
            let (one, other) = (*self.chance.one_of(&NAMES), *self.chance.one_of(&NAMES));
            let given = match (self.chance.below(4), self.several) {
                (0, _) => json!({ "example": example }),
                (_, true) => json!({ "example": example, "labels": [one, other] }),
                (_, false) => json!({ "example": example, "label": one }),
            };
            self.set.ann.post(&self.set.at("/labels"), &given);
        }
    }

    fn mark(&mut self, example: &str) {
        let (class, place) = (*self.chance.one_of(&NAMES), self.chance.below(3) as i64);
        let mark = if self.several {
            json!({ "class": class, "shape": "span", "start": 0, "end": place + 1 })
        } else {
            dent(class, place)
        };
        self.set.mark(example, &if place == 0 { Vec::new() } else { vec![mark] });
    }

    fn rename(&mut self) {
        let (from, to) = (*self.chance.one_of(&NAMES), *self.chance.one_of(&NAMES));
        if from == to || self.set.rename(from, to).status != 200 {
            return;
        }
        let called = |name: &mut String| {
            if name == from {
                to.clone_into(name);
            }
        };
        for (labels, marks) in self.states.iter_mut().flat_map(|(_, snapshot)| snapshot.values_mut()) {
            for labels in labels.iter_mut() {
                labels.iter_mut().for_each(called);
                labels.sort();
                labels.dedup();
            }
            marks.iter_mut().for_each(|(class, _)| called(class));
        }
    }

    /// Goes back to each state, from wherever it is.
    #[track_caller]
    fn go_everywhere(&mut self) {
        let mut left = self.states.clone();
        while !left.is_empty() {
            let (seq, snapshot) = left.swap_remove(self.chance.below(left.len()));
            self.set.back_to(seq);
            assert_eq!(self.set.snapshot(), snapshot, "as at {seq}");
            let classes = self.set.classes();
            let mut used = snapshot.values().flat_map(|(labels, marks)| {
                labels.iter().flatten().chain(marks.iter().map(|(class, _)| class))
            });
            assert!(used.all(|class| classes.contains(class)), "{classes:?}");
            let again = self.set.restore(&self.set.ann, seq).body;
            assert_eq!((&again["seq"], &again["n_relabelled"]), (&json!(self.set.seq()), &json!(0)));
        }
    }
}

/// Texts with several labels each.
fn sets() -> Vec<(String, Vec<u8>)> {
    let row = |number: usize| {
        let labels = [NAMES[number % 3], NAMES[(number + 1) % 3]];
        json!({ "text": format!("letter {number}"), "label": labels }).to_string() + "\n"
    };
    vec![("sets.jsonl".to_owned(), (0..9).map(row).collect::<String>().into_bytes())]
}

pub(crate) fn goes_back(place: Place, several: bool, seed: u64) {
    let files = if several { sets() } else { parts(4) };
    let mut walk = Walk::new(Set::of(place, &files), several, seed);
    for turn in 0..60 {
        if turn == 30 && !several {
            let more = photo([170, 40, 40], 91);
            walk.set.ann.bring_into(&walk.set.dataset, &[("more/red/new.png".into(), more)]);
            walk.ids = walk.set.ids();
        }
        walk.step();
    }
    walk.go_everywhere();
}

#[test]
fn whatever_was_done_each_state_comes_back() {
    goes_back(Place::default(), false, 1);
}

#[test]
fn sets_of_labels_and_marks_on_texts_come_back_as_well() {
    goes_back(Place::default(), true, 2);
}

#[test]
fn going_back_is_told_and_is_taken_back_by_going_back_again() {
    let set = Set::parts();
    let [one, two, three] = ["red/00", "red/01", "blue/02"].map(|name| set.example(name));
    let ben = set.server.person(&set.ann, "ben", "labeller");
    assert_eq!(set.say(&ben, &one, Some("blue")).status, 200);
    assert_eq!(set.mark(&two, &[dent("dent", 3)]).status, 200);
    let monday = set.seq();
    assert_eq!(set.say(&set.ann, &one, Some("green")).status, 200);
    assert_eq!(set.mark(&two, &[]).status, 200);
    assert_eq!(set.take_out(&[three], true).status, 200);
    set.ann.bring_into(&set.dataset, &[("more/red/new.png".into(), photo([170, 40, 40], 91))]);
    let tuesday = set.seq();
    assert_eq!(set.back_to(monday), [1, 1, 1, 1]);
    let known = || {
        let known = set.ann.get(&format!("/v1/examples/{one}")).body;
        [known["label"].clone(), known["by"].clone()]
    };
    assert_eq!(known(), ["blue", "ben"], "it is his word again");
    let entry = set.ann.get("/v1/trail").body["entries"][0].clone();
    let subject = format!("{} {monday}", set.dataset);
    assert_eq!((&entry["action"], &entry["subject"]), (&json!("go back"), &json!(subject)));
    let point = set.points()[0].clone();
    let event = &point["events"][0];
    assert_eq!(
        (&event["kind"], &event["state"], &event["by"]),
        (&json!("restore"), &json!(monday), &json!("ann"))
    );
    let did = |what: &str, act: &str| json!({ "by": "ann", "what": what, "act": act, "n": 1 });
    let all = [
        did("presence", "remove"),
        did("label", "restore"),
        did("marks", "restore"),
        did("presence", "return"),
    ];
    let changes = point["changes"].as_array().expect("changes");
    assert!(all.iter().all(|did| changes.contains(did)) && changes.len() == 4, "{point}");
    // Undo reaches no further, and what is done afterwards is taken back as ever.
    for who in [&set.ann, &ben] {
        assert_eq!(who.post(&set.at("/undo"), &json!({})).status, 404, "that was before");
    }
    assert_eq!(set.say(&set.ann, &one, Some("red")).status, 200);
    assert_eq!(set.ann.post(&set.at("/undo"), &json!({})).body["undone"], "red");
    assert_eq!(known(), ["blue", "ben"]);
    assert_eq!(ben.post(&set.at("/undo"), &json!({})).status, 404);
    set.check_equal(monday);
    assert_eq!(set.back_to(tuesday), [1, 1, 1, 1]);
    assert_eq!(set.back_to(tuesday), [0; 4]);
    assert_eq!(set.back_to(0), [0, 0, 12, 0], "it was empty");
    let points = set.points();
    let events =
        points.as_array().expect("points").iter().filter_map(|point| point["events"].as_array()).flatten();
    let kinds: Vec<&Value> = events.map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["restore", "restore", "left", "restore", "import", "import"]);
}

#[test]
fn classes_keep_their_names_and_come_back_where_they_are_needed() {
    let set = Set::parts();
    let [one, two] = ["red/00", "blue/00"].map(|name| set.example(name));
    assert_eq!(set.say(&set.ann, &one, Some("green")).status, 200);
    assert_eq!(set.mark(&two, &[dent("blue", 1), dent("dent", 2)]).status, 200);
    let before = set.seq();
    assert_eq!(set.rename("blue", "navy").status, 200);
    assert_eq!(set.say(&set.ann, &one, Some("navy")).status, 200);
    assert_eq!(set.mark(&two, &[]).status, 200);
    // Another class has the old name by now.
    assert_eq!(set.say(&set.ann, &two, Some("blue")).status, 200);
    for class in ["green", "dent"] {
        assert_eq!(set.delete(class).status, 204);
    }
    assert_eq!(set.back_to(before), [2, 1, 0, 0]);
    let snapshot = set.snapshot();
    assert_eq!(snapshot["red/00.png"].0, Some(vec!["green".to_owned()]));
    assert_eq!(
        snapshot["blue/00.png"],
        (Some(vec!["navy".to_owned()]), vec![("navy".to_owned(), 1), ("dent".to_owned(), 2)])
    );
    let mut classes = set.classes();
    classes.sort();
    assert_eq!(classes, ["blue", "dent", "green", "navy", "red"]);
    // What two classes in one were apart stays one.
    let apart = set.seq();
    assert_eq!(set.rename("navy", "red").status, 200);
    assert_eq!(set.back_to(apart), [0; 4]);
    assert!(!set.classes().contains(&"navy".to_owned()));
}

#[test]
fn what_changed_meanwhile_is_not_passed_over() {
    let set = Set::parts();
    let (one, before) = (set.example("red/00"), set.seq());
    assert_eq!(set.say(&set.ann, &one, Some("blue")).status, 200);
    let seen = set.seq();
    assert_eq!(set.say(&set.ann, &one, Some("green")).status, 200);
    let now = set.seq();
    let told = set.ann.post(&set.at("/states/restore"), &json!({ "seq": before, "if_seq": seen }));
    assert_eq!((told.status, &told.body["code"]), (409, &json!("state_changed")));
    assert!(told.body["message"].as_str().is_some_and(|told| told.ends_with(&format!("state {now}"))));
    assert_eq!(set.seq(), now, "nothing was done");
    let told = set.ann.post(&set.at("/states/restore"), &json!({ "seq": before, "if_seq": now }));
    assert_eq!((told.status, &told.body["n_relabelled"]), (200, &json!(1)));
}

#[test]
fn only_who_may_edit_goes_back_and_only_to_states_that_were() {
    let set = Set::parts();
    let before = set.seq();
    assert_eq!(set.say(&set.ann, &set.example("red/00"), Some("blue")).status, 200);
    let now = set.seq();
    for role in ["viewer", "labeller"] {
        let who = set.server.person(&set.ann, role, role);
        assert_eq!(set.restore(&who, before).status, 403, "{role}");
    }
    assert_eq!((set.restore(&set.ann, -1).status, set.restore(&set.ann, now + 1).status), (422, 422));
    assert_eq!(set.seq(), now);
    let cleo = set.server.person(&set.ann, "cleo", "editor");
    assert_eq!(set.restore(&cleo, before).body["n_relabelled"], 1);
}

#[test]
fn a_data_set_of_another_tenant_is_not_there_to_go_back() {
    let (_dir, data) = folder();
    let server = start_on(Way::Team, &data, Place::default());
    let (ann, bob) = two_tenants(&server);
    let dataset = ann.bring("parts", &parts(3));
    let history = || ann.get(&format!("/v1/datasets/{dataset}/history")).body;
    let before = history();
    assert_eq!(bob.post(&format!("/v1/datasets/{dataset}/states/restore"), &json!({ "seq": 0 })).status, 404);
    assert_eq!(history(), before);
}
