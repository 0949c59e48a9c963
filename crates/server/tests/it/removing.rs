//! Examples that somebody takes out of a data set, and brings back.

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, photo};

use crate::markings::{dent, picture};
use crate::running::{Place, Running, folder, start, start_on};
use crate::strangers::two_tenants;

/// A data set of Ann's with six photos, two of them scratched.
struct Set {
    _dir: tempfile::TempDir,
    server: Running,
    ann: Client,
    dataset: String,
    ids: Vec<String>,
}

impl Set {
    fn on(place: Place) -> Self {
        let (dir, data) = folder();
        let server = start_on(Way::Team, &data, place);
        let ann = server.set_up();
        let named = |number: u32| {
            let class = if number < 2 { "scratch" } else { "good" };
            (format!("set/{class}/{number}.png"), photo([90, 90, 90], number))
        };
        let dataset = ann.bring("parts", &(0..6).map(named).collect::<Vec<_>>());
        let page = ann.get(&format!("/v1/datasets/{dataset}/examples?label=scratch")).body;
        let good = ann.get(&format!("/v1/datasets/{dataset}/examples?label=good")).body;
        let ids = [page, good].map(|page| page["examples"].as_array().expect("examples").clone()).concat();
        let ids = ids.iter().map(|example| example["id"].as_str().expect("an id").to_owned()).collect();
        Self { _dir: dir, server, ann, dataset, ids }
    }

    fn at(&self, path: &str) -> String {
        format!("/v1/datasets/{}{path}", self.dataset)
    }

    /// The status, and how many were not so before.
    fn put(&self, who: &Client, examples: &[String], removed: bool) -> (u16, Value) {
        let body = json!({ "examples": examples, "removed": removed });
        let told = who.post(&self.at("/examples/removed"), &body);
        (told.status, told.body["n_changed"].clone())
    }

    /// How many are there, and how many are out.
    fn counts(&self) -> (Value, Value) {
        let out = self.ann.get(&self.at("/examples?state=removed")).body;
        (self.ann.get(&self.at("")).body["n_examples"].clone(), out["total"].clone())
    }

    fn classes(&self) -> Value {
        self.ann.get(&self.at("")).body["classes"].clone()
    }

    fn undo(&self) -> [Value; 2] {
        let told = self.ann.post(&self.at("/undo"), &json!({})).body;
        [told["what"].clone(), told["n"].clone()]
    }
}

#[test]
fn examples_are_taken_out_and_come_back_as_they_were() {
    there_and_back(Place::default());
}

pub(crate) fn there_and_back(place: Place) {
    let set = Set::on(place);
    let scratched = &set.ids[..2];
    let mark = json!({ "marks": [dent(3.0)] });
    assert_eq!(set.ann.send("PUT", &format!("/v1/examples/{}/marks", set.ids[0]), &mark).status, 200);
    assert_eq!(set.put(&set.ann, &set.ids[..3], true), (200, json!(3)));
    assert_eq!(set.put(&set.ann, &set.ids[..3], true), (200, json!(0)), "they are out already");
    assert_eq!(set.counts(), (json!(3), json!(3)));
    assert_eq!(set.ann.get(&format!("/v1/examples/{}", set.ids[0])).status, 404);
    assert_eq!(set.ann.get(&format!("/v1/examples/{}/thumbnail", set.ids[0])).status, 200);
    assert_eq!(set.ann.get(&set.at("/export?format=csv")).text.lines().count(), 4, "a head and three");
    let out = set.ann.get(&set.at("/examples?state=removed&label=scratch&order=doubt")).body;
    assert_eq!((&out["total"], &out["examples"][0]["label"]), (&json!(2), &json!("scratch")), "{out}");
    // What nothing in sight has goes, and comes back with what has it.
    assert_eq!(set.ann.ask("DELETE", &set.at("/classes/scratch"), None, &[]).status, 204);
    assert_eq!(set.put(&set.ann, scratched, false), (200, json!(2)));
    assert_eq!(set.classes()[2], json!({ "name": "scratch", "count": 2 }));
    assert_eq!(set.ann.get(&format!("/v1/examples/{}", set.ids[0])).body["marks"], mark["marks"]);
    let events = set.ann.get(&set.at(&format!("/events?example={}", set.ids[0]))).body["events"].clone();
    let acts: Vec<&Value> = events.as_array().expect("events").iter().map(|event| &event["act"]).collect();
    assert_eq!(acts, ["return", "remove", "give", "import"]);
    // Each request is taken back as a whole, the last one first.
    assert_eq!((set.undo(), set.counts()), ([json!("presence"), json!(2)], (json!(3), json!(3))));
    assert_eq!((set.undo(), set.counts()), ([json!("presence"), json!(3)], (json!(6), json!(0))));
    assert_eq!(set.undo(), [json!("marks"), json!(1)], "and what was done before them");
}

#[test]
fn only_who_may_edit_takes_examples_out_and_only_their_own() {
    let set = Set::on(Place::default());
    let ben = set.server.person(&set.ann, "ben", "labeller");
    assert_eq!(set.put(&ben, &set.ids, true).0, 403);
    let unknown = [set.ids[0].clone(), "nothing".to_owned()];
    assert_eq!(set.put(&set.ann, &unknown, true).0, 404, "all or none");
    let many: Vec<String> = (0..501).map(|number| number.to_string()).collect();
    assert_eq!(set.put(&set.ann, &many, true).0, 413);
    let other = set.ann.bring("others", &[picture(9)]);
    let path = format!("/v1/datasets/{other}/examples/removed");
    let body = json!({ "examples": [set.ids[0]], "removed": true });
    assert_eq!(set.ann.post(&path, &body).status, 404, "it is not in this data set");
    assert_eq!(set.counts(), (json!(6), json!(0)));
}

#[test]
fn undo_leaves_what_somebody_else_took_out_since_and_is_for_who_may_edit() {
    let set = Set::on(Place::default());
    let cleo = set.server.person(&set.ann, "cleo", "editor");
    let one = &set.ids[..1];
    for (who, removed) in [(&set.ann, true), (&cleo, false), (&cleo, true)] {
        assert_eq!(set.put(who, one, removed), (200, json!(1)));
    }
    assert_eq!(set.ann.post(&set.at("/undo"), &json!({})).status, 404, "cleo took it out for good");
    let people = set.ann.get("/v1/people").body["people"].clone();
    let people = people.as_array().expect("people");
    let id = &people.iter().find(|person| person["name"] == "cleo").expect("cleo")["id"];
    let path = format!("/v1/people/{}", id.as_str().expect("an id"));
    assert_eq!(set.ann.send("PATCH", &path, &json!({ "role": "labeller" })).status, 204);
    assert_eq!(cleo.post(&set.at("/undo"), &json!({})).status, 404, "a labeller brings nothing back");
    assert_eq!(set.counts(), (json!(5), json!(1)));
}

#[test]
fn what_is_taken_out_is_not_on_the_map() {
    let set = Set::on(Place::default());
    let shown = |n: usize| {
        let map = set.ann.get(&set.at("/map")).body;
        let ids = map["ids"].as_array().filter(|_| map["state"] == "ready")?;
        (ids.len() == n).then(|| ids.contains(&json!(set.ids[0])))
    };
    assert!(set.ann.until(|| shown(6)));
    assert_eq!(set.put(&set.ann, &set.ids[..1], true), (200, json!(1)));
    assert!(!set.ann.until(|| shown(5)));
    assert_eq!(set.put(&set.ann, &set.ids[..1], false), (200, json!(1)));
    assert!(set.ann.until(|| shown(6)));
}

#[test]
fn another_tenant_takes_nothing_out() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let (ann, bob) = two_tenants(&server);
    let [hers, his] = [&ann, &bob].map(|who| who.bring("parts", &[picture(1)]));
    let page = ann.get(&format!("/v1/datasets/{hers}/examples")).body;
    let body = json!({ "examples": [page["examples"][0]["id"]], "removed": true });
    for dataset in [&hers, &his] {
        assert_eq!(bob.post(&format!("/v1/datasets/{dataset}/examples/removed"), &body).status, 404);
    }
    assert_eq!(ann.get(&format!("/v1/datasets/{hers}")).body["n_examples"], 1);
}
