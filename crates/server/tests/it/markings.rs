//! Several people mark the same examples: each has marks of their own, and which of them hold is decided.

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, photo};

use crate::running::{Place, Running, folder, start, start_on};

pub(crate) const ANN: usize = 0;
pub(crate) const BEN: usize = 1;
pub(crate) const EVE: usize = 2;

/// Photos that three people mark: Ann, who owns the server, and two who label.
pub(crate) struct Set {
    _dir: tempfile::TempDir,
    _server: Running,
    pub(crate) people: [Client; 3],
    dataset: String,
    ids: Vec<String>,
}

pub(crate) fn dent(x: f64) -> Value {
    mark("dent", x)
}

pub(crate) fn mark(class: &str, x: f64) -> Value {
    json!({ "class": class, "shape": "box", "x": x, "y": 0.0, "width": 20.0, "height": 20.0 })
}

impl Set {
    pub(crate) fn new(blind: bool) -> Self {
        Self::on(Place::default(), blind)
    }

    pub(crate) fn on(place: Place, blind: bool) -> Self {
        let set = Self::shared(place, &(0..4).map(picture).collect::<Vec<_>>());
        set.ask(3, blind);
        set
    }

    /// Where one person is asked.
    pub(crate) fn shared(place: Place, files: &[(String, Vec<u8>)]) -> Self {
        let (dir, data) = folder();
        let server = start_on(Way::Team, &data, place);
        let ann = server.set_up();
        let [ben, eve] = ["ben", "eve"].map(|name| server.person(&ann, name, "labeller"));
        let dataset = ann.bring("parts", files);
        let page = ann.get(&format!("/v1/datasets/{dataset}/examples")).body;
        let ids = page["examples"].as_array().expect("examples").iter();
        let ids = ids.map(|example| example["id"].as_str().expect("an id").to_owned()).collect();
        Self { _dir: dir, _server: server, people: [ann, ben, eve], dataset, ids }
    }

    pub(crate) fn ask(&self, annotators: u32, blind: bool) {
        let change = json!({ "annotators": annotators, "blind": blind });
        assert_eq!(self.people[ANN].send("PATCH", &self.at(""), &change).status, 200);
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("/v1/datasets/{}{path}", self.dataset)
    }

    pub(crate) fn of(&self, place: usize, path: &str) -> String {
        format!("/v1/examples/{}{path}", self.ids[place])
    }

    #[track_caller]
    pub(crate) fn mark(&self, who: usize, place: usize, marks: &Value) {
        let told = self.people[who].send("PUT", &self.of(place, "/marks"), &json!({ "marks": marks }));
        assert_eq!(told.status, 200, "{told:?}");
    }

    pub(crate) fn example(&self, who: usize, place: usize) -> Value {
        self.people[who].get(&self.of(place, "")).body
    }

    /// What holds.
    pub(crate) fn holds(&self, place: usize) -> Value {
        self.example(ANN, place)["marks"].clone()
    }

    pub(crate) fn own(&self, who: usize, place: usize) -> Value {
        self.example(who, place)["own_marks"]["marks"].clone()
    }

    pub(crate) fn markings(&self, who: usize, place: usize) -> Value {
        self.people[who].get(&self.of(place, "/markings")).body
    }

    pub(crate) fn decide(&self, who: usize, place: usize, taking: &Value) -> u16 {
        self.people[who].post(&self.of(place, "/markings/decision"), taking).status
    }

    pub(crate) fn undo(&self, who: usize) -> Value {
        self.people[who].post(&self.at("/undo"), &json!({})).body
    }

    fn agreement(&self) -> Value {
        self.people[ANN].get(&self.at("/agreement/marks")).body
    }

    fn n_disputed(&self) -> [Value; 2] {
        let disputed = self.people[ANN].get(&self.at("/examples?state=disputed")).body;
        [self.agreement()["n_disputed"].clone(), disputed["total"].clone()]
    }
}

pub(crate) fn picture(number: u8) -> (String, Vec<u8>) {
    (format!("{number}.png"), photo([90, 90, 90], number.into()))
}

#[test]
fn each_of_several_people_has_marks_of_their_own() {
    let set = Set::new(false);
    assert_eq!(set.example(BEN, 0)["own_marks"], json!({ "marks": [], "event": 0 }));
    set.mark(BEN, 0, &json!([dent(0.0)]));
    set.mark(EVE, 0, &json!([dent(2.0), dent(40.0)]));
    assert_eq!(set.own(BEN, 0), json!([dent(0.0)]));
    assert_eq!(set.own(EVE, 0), json!([dent(2.0), dent(40.0)]), "nobody's marks replace another's");
    assert_eq!(set.own(ANN, 0), json!([]));
    assert_eq!(set.holds(0), json!([dent(0.0)]), "who gave them first, as long as nobody decides");
    // Who marks in two places at once does not lose what they did in one of them.
    let seen = set.example(BEN, 0)["own_marks"]["event"].clone();
    let put = |marks: &Value, seen: &Value| {
        set.people[BEN].send("PUT", &set.of(0, "/marks"), &json!({ "marks": marks, "seen": seen }))
    };
    assert_eq!(put(&json!([dent(1.0)]), &seen).status, 200);
    assert_eq!(put(&json!([dent(9.0)]), &seen).body["code"], "marks_changed");
    assert_eq!(put(&json!([dent(1.0)]), &seen).status, 200, "to say the same once more is no harm");
    assert_eq!(set.holds(0), json!([dent(1.0)]), "their own change holds");
    let events = set.people[ANN].get(&set.at("/events")).body["events"].clone();
    let acts: Vec<String> = events
        .as_array()
        .expect("events")
        .iter()
        .map(|event| format!("{} {} {}", event["by"], event["what"], event["act"]).replace('"', ""))
        .collect();
    assert_eq!(acts, ["ben marking give", "eve marking give", "ben marking give"], "each once");
    // Each takes back their own.
    let undone = set.undo(BEN);
    assert_eq!(
        (&undone["what"], &undone["example"]["own_marks"]["marks"]),
        (&json!("marks"), &json!([dent(0.0)]))
    );
    set.undo(BEN);
    assert_eq!(set.example(BEN, 0)["own_marks"], json!({ "marks": [], "event": 0 }));
    assert_eq!(set.holds(0), json!([dent(2.0), dent(40.0)]), "who is first now");
    assert_eq!(set.people[BEN].post(&set.at("/undo"), &json!({})).status, 404, "what is Eve's is hers");
    set.undo(EVE);
    assert_eq!((set.holds(0), set.markings(ANN, 0)["people"].clone()), (json!([]), json!([])));
}

#[test]
fn the_queue_asks_several_people_also_about_what_nothing_is_on() {
    let set = Set::new(false);
    set.mark(ANN, 3, &json!([dent(0.0)]));
    set.mark(BEN, 0, &json!([]));
    let next = |who: usize| {
        let queue = set.people[who].get(&set.at("/queue")).body;
        let ids = queue["examples"].as_array().expect("examples").clone();
        ids.iter()
            .map(|example| set.ids.iter().position(|id| example["id"] == *id).expect("known"))
            .collect::<Vec<_>>()
    };
    assert_eq!(next(EVE)[..2], [3, 0], "what others began comes first");
    assert!(!next(BEN).contains(&0), "nobody is asked twice");
    set.mark(EVE, 0, &json!([]));
    set.mark(ANN, 0, &json!([]));
    for who in [ANN, BEN, EVE] {
        assert!(!next(who).contains(&0), "three have looked");
    }
    assert_eq!(set.n_disputed(), [0, 0].map(|n| json!(n)), "all say that nothing is there");
    let agreement = set.agreement()["agreement"].clone();
    assert_eq!(
        agreement,
        json!({ "value": 1.0, "low": 0.0, "high": 1.0, "n": 1 }),
        "one example says little"
    );
}

#[test]
fn who_marks_blindly_sees_their_own_marks_alone() {
    let set = Set::new(true);
    set.mark(BEN, 0, &json!([dent(0.0)]));
    let seen = set.example(EVE, 0);
    assert_eq!(
        (&seen["marks"], &seen["marks_event"], &seen["own_marks"]["event"]),
        (&json!([]), &json!(0), &json!(0))
    );
    set.mark(EVE, 0, &json!([dent(2.0)]));
    for (who, own) in [(BEN, dent(0.0)), (EVE, dent(2.0))] {
        let seen = set.example(who, 0);
        assert_eq!((&seen["marks"], &seen["own_marks"]["marks"]), (&json!([own]), &json!([own])));
        let page = set.people[who].get(&set.at("/examples")).body;
        assert_eq!(page["examples"][0]["marks"], json!([own]));
    }
    // Also when they have given theirs, whatever others do and whatever was decided.
    set.mark(BEN, 0, &json!([dent(1.0)]));
    set.decide(ANN, 0, &json!({ "take": "most" }));
    let told = set.markings(EVE, 0);
    assert_eq!(told["people"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told["event"], set.example(EVE, 0)["own_marks"]["event"], "not when others marked");
    assert_eq!(
        (&told["people"][0]["name"], &told["most"], &told["decision"]),
        (&json!("eve"), &json!([]), &json!(null))
    );
    assert_eq!(
        (told["agreement"].clone(), set.example(EVE, 0)["marks"].clone()),
        (json!(null), json!([dent(2.0)]))
    );
    let events = set.people[EVE].get(&set.at("/events")).body;
    assert!(!events.to_string().contains("ben"), "{events}");
    assert_eq!(set.people[EVE].get(&set.at("/agreement/marks")).status, 403);
    assert_eq!(set.decide(EVE, 0, &json!({ "take": "most" })), 403);
    assert_eq!(set.markings(ANN, 0)["people"].as_array().map(Vec::len), Some(2), "editors see everybody");
}

#[test]
fn agreement_of_marks_is_told_and_disputes_are_decided() {
    decisions(Place::default());
}

/// Also on PostgreSQL.
pub(crate) fn decisions(place: Place) {
    let set = Set::on(place, false);
    set.mark(ANN, 0, &json!([dent(0.0), dent(40.0)]));
    set.mark(BEN, 0, &json!([dent(4.0), mark("scratch", 40.0)]));
    set.mark(EVE, 0, &json!([dent(2.0)]));
    set.mark(ANN, 1, &json!([dent(0.0)]));
    set.mark(BEN, 1, &json!([dent(0.0)]));
    agreement_is_told(&set);
    marks_are_taken(&set);
    the_past_is_known(&set);
}

fn agreement_is_told(set: &Set) {
    let told = set.markings(ANN, 0);
    // Of Ann's and Ben's four marks two have a partner; so have two of the three of either of them and Eve.
    let share = |value: &Value| (value.as_f64().expect("a share") * 1000.0).round();
    assert_eq!(share(&told["agreement"]), 611.0, "{told}");
    assert_eq!(share(&told["people"][2]["agreement"]), 667.0);
    assert_eq!(told["most"], json!([{ "mark": dent(2.0), "n": 3 }]), "the median of the edges");
    assert_eq!((&told["decision"], &told["people"][1]["name"]), (&json!(null), &json!("ben")));
    let agreement = set.agreement();
    assert_eq!(share(&agreement["agreement"]["value"]), 806.0, "{agreement}");
    assert_eq!((&agreement["agreement"]["n"], &agreement["people"][0]["name"]), (&json!(2), &json!("ann")));
    assert_eq!(agreement["people"][0]["n_marked"], 2);
    assert!(agreement["overlap"]["value"].as_f64().is_some_and(|overlap| overlap > 0.8), "{agreement}");
    assert_eq!(agreement["disputes"][0]["example"]["id"], json!(set.ids[0]));
    assert_eq!(set.n_disputed(), [1, 1].map(|n| json!(n)));
}

fn marks_are_taken(set: &Set) {
    let told = set.markings(ANN, 0);
    let formats = || set.people[ANN].get(&set.at("/export/formats")).body["n_unsettled"].clone();
    assert_eq!(formats(), 1, "on the other they marked the same");
    assert_eq!(set.decide(ANN, 0, &json!({ "take": "most", "seen": told["event"] })), 200);
    assert_eq!(
        (set.holds(0), set.n_disputed(), formats()),
        (json!([dent(2.0)]), [0, 0].map(|n| json!(n)), json!(0))
    );
    let decision = set.markings(ANN, 0)["decision"].clone();
    assert_eq!(
        (&decision["took"], &decision["person"], &decision["by"]),
        (&json!("most"), &json!(null), &json!("ann"))
    );
    let exported = set.people[ANN].get(&set.at("/export?format=jsonl"));
    assert!(
        exported.text.lines().next().is_some_and(|line| line.contains("2.0") && !line.contains("40.0")),
        "{exported:?}"
    );
    let unsettled = ("x-dianjing-unsettled".to_owned(), "0".to_owned());
    assert!(exported.headers.contains(&unsettled), "{exported:?}");
    // What was decided stays.
    set.mark(BEN, 0, &json!([dent(9.0)]));
    assert_eq!(set.holds(0), json!([dent(2.0)]));
    assert_eq!(
        set.decide(ANN, 0, &json!({ "take": "nobody", "seen": told["event"] })),
        409,
        "Ben changed his"
    );
    let eve = told["people"][2]["person"].clone();
    assert_eq!(set.decide(ANN, 0, &json!({ "take": "one", "person": eve })), 200);
    let decision = set.markings(ANN, 0)["decision"].clone();
    assert_eq!((&decision["took"], &decision["person"]), (&json!("one"), &eve));
    assert_eq!(set.decide(ANN, 0, &json!({ "take": "nobody" })), 200);
    assert_eq!(
        (set.holds(0), set.markings(ANN, 0)["decision"].clone()),
        (json!([dent(0.0), dent(40.0)]), json!(null))
    );
    // Marks that are the same but for a pixel are so once they are compared.
    set.mark(ANN, 2, &json!([dent(0.0)]));
    set.mark(BEN, 2, &json!([dent(1.0)]));
    assert_eq!(formats(), 2);
    set.agreement();
    assert_eq!(formats(), 1);
}

/// The history knows what held when, and what is called the same is the same.
fn the_past_is_known(set: &Set) {
    let points = set.people[ANN].get(&set.at("/history")).body["points"].clone();
    let before = points.as_array().and_then(|points| points.last()).expect("the import")["seq"].clone();
    let at = format!("/export?format=jsonl&state={before}");
    assert!(!set.people[ANN].get(&set.at(&at)).text.contains("dent"), "at the beginning nothing was marked");
    let events =
        set.people[ANN].get(&set.at(&format!("/events?example={}", set.ids[0]))).body["events"].clone();
    let settled = events.as_array().expect("events").iter().filter(|event| event["act"] == "settle");
    assert_eq!(settled.filter(|event| event["by"] == "ann").count(), 3, "{events}");
    assert_eq!(set.decide(ANN, 0, &json!({ "take": "one", "person": "x" })), 409);
    assert_eq!(set.decide(ANN, 3, &json!({ "take": "most" })), 409, "nobody looked");
    // Under another name, people agree.
    assert_eq!(
        set.people[ANN].send("PATCH", &set.at("/classes/scratch"), &json!({ "name": "dent" })).status,
        200
    );
    assert_eq!(set.own(BEN, 0), json!([dent(9.0)]));
    set.mark(BEN, 0, &json!([dent(0.0), dent(40.0)]));
    set.mark(EVE, 0, &json!([dent(0.0), dent(40.0)]));
    assert_eq!(set.n_disputed(), [0, 0].map(|n| json!(n)));
}

#[test]
fn what_is_too_much_to_be_compared_is_said_to_be() {
    let set = Set::new(false);
    let corner = |at: usize| json!([at % 10, at]);
    let outline =
        json!({ "class": "dent", "shape": "polygon", "points": (0..50).map(corner).collect::<Vec<_>>() });
    let dense = json!(vec![outline; 330]);
    set.mark(BEN, 0, &dense);
    set.mark(EVE, 0, &dense);
    let told = set.markings(ANN, 0);
    assert_eq!(
        (&told["too_much"], &told["agreement"], &told["most"]),
        (&json!(true), &json!(null), &json!([]))
    );
    let agreement = set.agreement();
    assert_eq!((&agreement["n_too_much"], &agreement["agreement"]), (&json!(1), &json!(null)));
    assert_eq!(set.n_disputed(), [0, 0].map(|n| json!(n)));
    assert_eq!(set.decide(ANN, 0, &json!({ "take": "most" })), 409);
    let ben = told["people"][0]["person"].clone();
    assert_eq!(set.decide(ANN, 0, &json!({ "take": "one", "person": ben })), 200);
    // Once there is less, it is compared.
    set.mark(EVE, 0, &json!([dent(0.0)]));
    assert_eq!(
        (&set.markings(ANN, 0)["too_much"], &set.agreement()["n_too_much"]),
        (&json!(false), &json!(0))
    );
}

#[test]
fn a_class_that_one_person_marked_is_renamed_and_stays() {
    let set = Set::new(false);
    set.mark(BEN, 0, &json!([dent(0.0)]));
    set.mark(EVE, 0, &json!([mark("bump", 0.0)]));
    let class = |method: &str, name: &str, body: &Value| {
        set.people[ANN].send(method, &set.at(&format!("/classes/{name}")), body).status
    };
    assert_eq!(class("DELETE", "bump", &json!({})), 409, "Eve marked one, though it does not hold");
    assert_eq!(set.n_disputed(), [1, 1].map(|n| json!(n)));
    let seen = set.example(EVE, 0)["own_marks"]["event"].clone();
    assert_eq!(class("PATCH", "bump", &json!({ "name": "dent" })), 200);
    assert_eq!(
        (set.own(EVE, 0), set.n_disputed()),
        (json!([dent(0.0)]), [0, 0].map(|n| json!(n))),
        "called the same, they agree"
    );
    let late = json!({ "marks": [mark("bump", 1.0)], "seen": seen });
    assert_eq!(
        set.people[EVE].send("PUT", &set.of(0, "/marks"), &late).status,
        409,
        "she has not seen the new name"
    );
}

#[test]
fn one_list_becomes_a_marking_and_what_came_with_the_data_holds() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let [coco, more] = [0, 4].map(|from| {
        let dataset = owner.bring("parts", &(from..from + 2).map(picture).collect::<Vec<_>>());
        let examples = owner.get(&format!("/v1/datasets/{dataset}/examples")).body["examples"].clone();
        let put = format!("/v1/examples/{}/marks", examples[0]["id"].as_str().expect("an id"));
        assert_eq!(owner.send("PUT", &put, &json!({ "marks": [dent(3.0)] })).status, 200);
        owner.get(&format!("/v1/datasets/{dataset}/export?format=coco&files=1")).bytes
    });

    let set = Set::shared(Place::default(), &[("set.zip".to_owned(), coco)]);
    assert_eq!(set.example(ANN, 0)["own_marks"], json!(null), "one list for all");
    let came = set.holds(0);
    assert_eq!(came.as_array().map(Vec::len), Some(1), "{came}");
    assert_eq!(set.decide(ANN, 0, &json!({ "take": "most" })), 409, "there is nothing to decide");
    set.mark(BEN, 1, &json!([dent(5.0)]));
    set.ask(2, false);
    // What was marked by somebody is theirs, and what came with the data is nobody's.
    assert_eq!(set.own(BEN, 1), json!([dent(5.0)]));
    let told = set.markings(ANN, 0);
    assert_eq!((&told["people"][0]["person"], &told["people"][0]["marks"]), (&json!(null), &came));
    assert_eq!((&told["most"], &told["agreement"]), (&json!([]), &json!(null)), "nobody looked");
    set.mark(EVE, 0, &json!([dent(40.0)]));
    assert_eq!(set.holds(0), came);
    let formats = set.people[ANN].get(&set.at("/export/formats")).body;
    assert_eq!(formats["n_unsettled"], 0, "one person is not several");
    assert_eq!(set.decide(ANN, 0, &json!({ "take": "most" })), 200);
    assert_eq!(set.holds(0), json!([dent(40.0)]));
    assert_eq!(set.decide(ANN, 0, &json!({ "take": "one" })), 200);
    assert_eq!(set.holds(0), came, "what came with the data can be taken as well");
    // Data that come later do so in the same way.
    set.people[ANN].bring_into(&set.dataset, &[("more.zip".to_owned(), more)]);
    let page = set.people[ANN].get(&set.at("/examples")).body["examples"].clone();
    let later = page.as_array().expect("examples").iter().skip(2).filter(|one| one["marks"] != json!([]));
    let later: Vec<&Value> = later.collect();
    assert_eq!(later.len(), 1, "{page}");
    let id = later[0]["id"].as_str().expect("an id");
    let told = set.people[ANN].get(&format!("/v1/examples/{id}/markings")).body;
    assert_eq!(
        (&told["people"][0]["person"], &told["people"][0]["marks"]),
        (&json!(null), &later[0]["marks"])
    );
    // One list again: what holds is what it was.
    set.ask(1, false);
    assert_eq!((set.holds(0), set.example(ANN, 0)["own_marks"].clone()), (came, json!(null)));
    set.mark(EVE, 0, &json!([]));
    assert_eq!(set.holds(0), json!([]), "for all");
}

#[test]
fn spans_of_several_people_are_brought_together() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let ann = server.set_up();
    let [ben, eve] = ["ben", "eve"].map(|name| server.person(&ann, name, "labeller"));
    let table = b"text\nAnn flies to Rome\nRome again\n".to_vec();
    let dataset = ann.bring("letters", &[("letters.csv".to_owned(), table)]);
    assert_eq!(
        ann.send("PATCH", &format!("/v1/datasets/{dataset}"), &json!({ "annotators": 3 })).status,
        200
    );
    let examples = ann.get(&format!("/v1/datasets/{dataset}/examples")).body["examples"].clone();
    let of = |place: usize, path: &str| {
        format!("/v1/examples/{}{path}", examples[place]["id"].as_str().expect("an id"))
    };
    let span = |class: &str, start: usize, end: usize| json!({ "class": class, "shape": "span", "start": start, "end": end });
    for (who, marks) in [
        (&ann, json!([span("PER", 0, 3), span("LOC", 13, 17)])),
        (&ben, json!([span("PER", 0, 3), span("LOC", 10, 17)])),
        (&eve, json!([span("LOC", 13, 17)])),
    ] {
        assert_eq!(who.send("PUT", &of(0, "/marks"), &json!({ "marks": marks })).status, 200);
    }
    let told = ann.get(&of(0, "/markings")).body;
    assert_eq!(
        told["most"],
        json!([{ "mark": span("PER", 0, 3), "n": 2 }, { "mark": span("LOC", 13, 17), "n": 3 }])
    );
    // What others marked is not marked yet where each marks by themselves.
    let suggested = |who: &Client| who.get(&of(1, "/suggested-marks")).body["marks"][0]["mark"].clone();
    assert_eq!(ben.send("PUT", &of(1, "/marks"), &json!({ "marks": [span("LOC", 0, 4)] })).status, 200);
    assert_eq!((suggested(&ben), suggested(&eve)["start"].clone()), (json!(null), json!(0)));
}
