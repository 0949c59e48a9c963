//! Several people answer about the same examples; what most say holds, and what they dispute is decided.

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, photo};

use crate::running::{Place, Running, folder, start_on};

/// An owner and two who label.
fn team(server: &Running) -> [Client; 3] {
    let nobody = server.nobody();
    let setup = json!({ "key": server.key, "tenant": "Works", "name": "ann", "password": "a long password" });
    let ann = nobody.with_session(&nobody.post("/v1/setup", &setup));
    let labeller = |name: &str| {
        let new = json!({ "name": name, "role": "labeller", "password": "a long password" });
        assert_eq!(ann.post("/v1/people", &new).status, 200);
        let login = json!({ "name": name, "password": "a long password" });
        nobody.with_session(&nobody.post("/v1/login", &login))
    };
    let (ben, eve) = (labeller("ben"), labeller("eve"));
    [ann, ben, eve]
}

/// Six photos that nobody answered about, or that came with a class.
struct Set {
    _dir: tempfile::TempDir,
    _server: Running,
    people: [Client; 3],
    dataset: String,
    ids: Vec<String>,
}

impl Set {
    fn new(class: Option<&str>) -> Self {
        Self::on(Place::default(), class)
    }

    fn on(place: Place, class: Option<&str>) -> Self {
        let (dir, data) = folder();
        let server = start_on(Way::Team, &data, place);
        let people = team(&server);
        let folder = class.map(|class| format!("set/{class}/")).unwrap_or_default();
        let file = |number| (format!("{folder}{number}.png"), photo([90, 90, 90], number));
        let mut files: Vec<_> = (0..6).map(file).collect();
        if class.is_some() {
            files.push(("set/other/x.png".to_owned(), photo([200, 90, 90], 7)));
        }
        let dataset = people[0].bring("parts", &files);
        let page = people[0].get(&format!("/v1/datasets/{dataset}/examples")).body;
        let ids = page["examples"].as_array().expect("examples").iter();
        let ids = ids.map(|example| example["id"].as_str().expect("an id").to_owned()).collect();
        Self { _dir: dir, _server: server, people, dataset, ids }
    }

    fn at(&self, path: &str) -> String {
        format!("/v1/datasets/{}{path}", self.dataset)
    }

    fn ask_several(&self, annotators: u32, blind: bool) -> Value {
        self.people[0].send("PATCH", &self.at(""), &json!({ "annotators": annotators, "blind": blind })).body
    }

    #[track_caller]
    fn say(&self, who: usize, place: usize, label: &str) {
        let body = json!({ "example": self.ids[place], "label": label });
        let told = self.people[who].post(&self.at("/labels"), &body);
        assert_eq!(told.status, 200, "{told:?}");
    }

    fn decide(&self, place: usize, label: Option<&str>) -> u16 {
        let body = json!({ "example": self.ids[place], "label": label });
        self.people[0].post(&self.at("/decisions"), &body).status
    }

    /// What holds, and whose word it is.
    fn holds(&self, place: usize) -> (Value, Value) {
        let told = self.people[0].get(&format!("/v1/examples/{}", self.ids[place])).body;
        (told["label"].clone(), told["by"].clone())
    }

    /// Who says what.
    fn votes(&self, place: usize) -> Vec<String> {
        let told = self.people[ANN].get(&format!("/v1/examples/{}/votes", self.ids[place])).body;
        let mut votes: Vec<String> = told["votes"]
            .as_array()
            .expect("votes")
            .iter()
            .map(|vote| format!("{} {}", vote["by"], vote["label"]).replace('"', ""))
            .collect();
        votes.sort();
        votes
    }

    fn undo(&self, who: usize) -> u16 {
        self.people[who].post(&self.at("/undo"), &json!({})).status
    }

    fn n_disputed(&self) -> Value {
        self.people[0].get(&self.at("/agreement")).body["n_disputed"].clone()
    }
}

const ANN: usize = 0;
const BEN: usize = 1;
const EVE: usize = 2;

#[test]
fn most_say_what_holds_and_disputes_are_decided() {
    let set = Set::new(None);
    let [ann, ben, eve] = &set.people;
    let asked = set.ask_several(3, false);
    assert_eq!((asked["annotators"].clone(), asked["blind"].clone()), (json!(3), json!(false)));
    assert_eq!(ben.send("PATCH", &set.at(""), &json!({ "annotators": 1 })).status, 403);
    set.say(BEN, 0, "good");
    assert_eq!(set.holds(0), (json!("good"), json!("ben")));
    let next = eve.get(&set.at("/queue?limit=6")).body["examples"].clone();
    assert_eq!(next[0]["id"], json!(set.ids[0]), "what others began comes first");
    assert!(!ben.get(&set.at("/queue?limit=6")).text.contains(&set.ids[0]), "nobody is asked twice");
    set.say(EVE, 0, "scratch");
    assert_eq!(set.holds(0).0, json!(null), "two answers with one vote each");
    assert_eq!(ann.get(&set.at("/examples?state=disputed")).body["total"], 1);
    set.say(ANN, 0, "scratch");
    assert_eq!(set.holds(0).0, "scratch", "two of three");
    assert_eq!(eve.post(&set.at("/undo"), &json!({})).body["undone"], "scratch", "of one's own words only");
    assert_eq!(set.holds(0).0, json!(null));
    for place in 1..5 {
        set.say(BEN, place, if place < 3 { "good" } else { "scratch" });
        set.say(EVE, place, if place < 4 { "good" } else { "scratch" });
    }
    let agreement = ann.get(&set.at("/agreement")).body;
    assert_eq!(agreement["n_disputed"], 2, "{agreement}");
    assert!(agreement["alpha"]["value"].as_f64().is_some_and(|alpha| alpha < 0.9), "{agreement}");
    assert_eq!(agreement["people"][0]["name"], "ben");
    let votes = ann.get(&format!("/v1/examples/{}/votes", set.ids[3])).body;
    assert_eq!(
        votes["votes"],
        json!([{ "by": "ben", "label": "scratch" }, { "by": "eve", "label": "good" }])
    );
    assert_eq!((set.decide(3, Some("good")), set.holds(3).0), (200, json!("good")));
    set.say(ANN, 3, "scratch");
    assert_eq!(set.holds(3).0, "good", "what was decided stays");
    assert_eq!(set.n_disputed(), 1);
}

#[test]
fn decisions_hold_also_where_they_agree_and_can_be_taken_back() {
    let set = Set::new(None);
    set.ask_several(3, false);
    [(ANN, "good"), (BEN, "good"), (EVE, "scratch")].iter().for_each(|(who, label)| set.say(*who, 0, label));
    assert_eq!((set.holds(0).0, set.n_disputed()), (json!("good"), json!(1)));
    assert_eq!((set.decide(0, Some("good")), set.n_disputed()), (200, json!(0)));
    set.say(BEN, 0, "scratch");
    assert_eq!(set.holds(0), (json!("good"), json!("ann")), "nobody outvotes it, nor becomes its author");
    assert_eq!(set.decide(0, None), 200);
    assert_eq!((set.holds(0).0, set.n_disputed()), (json!("scratch"), json!(1)), "most say so now");
    set.say(BEN, 1, "dent");
    set.say(EVE, 1, "Dent");
    let renamed = set.people[ANN].send("PATCH", &set.at("/classes/Dent"), &json!({ "name": "dent" }));
    assert_eq!((renamed.status, set.holds(1).0), (200, json!("dent")), "called the same, they agree");
    assert_eq!(
        set.people[BEN].post(&set.at("/worklist/1"), &json!({ "audited_at": "", "decision": "keep" })).status,
        403
    );
}

#[test]
fn what_came_with_the_data_is_nobodys_word_and_is_not_lost() {
    let set = Set::new(Some("good"));
    set.say(ANN, 1, "scratch");
    set.say(BEN, 1, "dent");
    set.people[BEN].post(&set.at("/undo"), &json!({}));
    assert_eq!(
        set.holds(1),
        (json!("scratch"), json!("ann")),
        "a correction that is taken back is not Ben's word"
    );
    set.people[ANN].post(&set.at("/undo"), &json!({}));
    assert_eq!(set.holds(1), (json!("good"), json!(null)));
    set.ask_several(2, false);
    assert_eq!(set.n_disputed(), 0, "corrections are no disputes");
    set.say(BEN, 0, "scratch");
    assert_eq!(set.holds(0).0, json!(null), "one says so, and the data say otherwise");
    set.people[BEN].post(&set.at("/undo"), &json!({}));
    assert_eq!(set.holds(0).0, "good");
}

#[test]
fn who_labels_blindly_is_told_nothing_anywhere() {
    let set = Set::new(None);
    let [ann, ben, eve] = &set.people;
    set.ask_several(2, true);
    set.say(BEN, 0, "good");
    set.say(ANN, 1, "good");
    let seen = eve.get(&format!("/v1/examples/{}", set.ids[0])).body;
    assert_eq!((seen["label"].clone(), seen["suggestion"].clone()), (json!(null), json!(null)));
    assert_eq!(eve.get(&set.at("/events")).body["events"], json!([]));
    // Nor of what others marked.
    let marks =
        json!([{ "class": "dent", "shape": "box", "x": 4.0, "y": 8.0, "width": 20.0, "height": 10.0 }]);
    let mark = |who: &Client, place: usize, marks: &Value| {
        who.send("PUT", &format!("/v1/examples/{}/marks", set.ids[place]), &json!({ "marks": marks })).status
    };
    let marked = |who: &Client, place: usize| {
        who.get(&format!("/v1/examples/{}", set.ids[place])).body["marks"].clone()
    };
    assert_eq!((mark(ben, 0, &marks), mark(eve, 1, &marks)), (200, 200));
    assert_eq!((marked(ann, 0), marked(ben, 0), marked(eve, 0)), (marks.clone(), marks.clone(), json!([])));
    assert_eq!((mark(eve, 0, &json!([])), marked(ben, 0)), (200, marks.clone()), "each has their own");
    for path in [
        "/examples?label=good",
        "/examples?state=marked",
        "/examples?state=unlabelled",
        "/examples?state=disputed",
        "/examples?order=doubt",
        "/examples?sure_below=0.6",
        "/examples?finding=any",
        "/worklist",
        "/export?format=csv",
        "/agreement",
    ] {
        assert_eq!(eve.get(&set.at(path)).status, 403, "{path}");
        assert_ne!(ann.get(&set.at(path)).status, 403, "{path}");
    }
    let suggested = format!("/v1/examples/{}/suggested-marks", set.ids[0]);
    assert_eq!((eve.get(&suggested).status, ann.get(&suggested).status), (403, 200));
    let map = eve.until(|| Some(eve.get(&set.at("/map")).body).filter(|map| map["state"] == "ready"));
    assert_eq!(map["ids"].as_array().map(Vec::len), Some(6));
    for said in
        ["labels", "suggestions", "sets", "suggested_sets", "numbers", "suggested_numbers", "disagrees"]
    {
        assert_eq!(map[said], json!([]), "{said}");
    }
    assert_eq!(ben.get(&format!("/v1/examples/{}/votes", set.ids[0])).body["votes"][0]["by"], "ben");
    assert_eq!(eve.get(&format!("/v1/examples/{}/votes", set.ids[0])).body["votes"], json!([]));
}

#[test]
fn who_marks_one_list_blindly_replaces_nothing_that_is_hidden() {
    let set = Set::new(None);
    let [_, ben, eve] = &set.people;
    set.ask_several(1, true);
    let marks =
        json!([{ "class": "dent", "shape": "box", "x": 4.0, "y": 8.0, "width": 20.0, "height": 10.0 }]);
    let mark = |who: &Client, marks: &Value| {
        who.send("PUT", &format!("/v1/examples/{}/marks", set.ids[0]), &json!({ "marks": marks })).status
    };
    assert_eq!((mark(ben, &marks), mark(eve, &json!([]))), (200, 409));
    assert_eq!(eve.get(&format!("/v1/examples/{}", set.ids[0])).body["marks"], json!([]));
    assert_eq!((mark(ben, &json!([])), mark(eve, &marks)), (200, 200), "there is nothing to hide any more");
}

#[test]
fn what_several_people_said_outlives_a_time_in_which_one_is_asked() {
    outlives_one(Place::default());
}

/// A tie, a minority, a correction, one that is taken back, and an answer that only one gave.
pub(crate) fn outlives_one(place: Place) {
    let set = Set::on(place, None);
    set.ask_several(3, false);
    for place in [0, 2] {
        [(BEN, "good"), (EVE, "scratch")].iter().for_each(|(who, label)| set.say(*who, place, label));
    }
    for place in [1, 3, 4] {
        let said = [(BEN, "good"), (EVE, "good"), (ANN, "dent")];
        said.iter().for_each(|(who, label)| set.say(*who, place, label));
    }
    assert_eq!(set.decide(4, Some("good")), 200);
    set.ask_several(1, false);
    assert_eq!(set.holds(0).0, json!(null), "nobody decided");
    assert_eq!(set.votes(1), ["ben good"], "whose word holds; what others said is out of sight");
    set.say(ANN, 2, "dent");
    set.say(EVE, 3, "scratch");
    set.say(EVE, 4, "scratch");
    assert_eq!((set.undo(EVE), set.holds(4)), (200, (json!("good"), json!("ann"))));
    set.say(BEN, 5, "good");
    set.ask_several(3, false);
    assert_eq!((set.votes(0), set.holds(0).0), (vec!["ben good".into(), "eve scratch".into()], json!(null)));
    assert_eq!((set.votes(1).len(), set.holds(1).0), (3, json!("good")), "whoever said otherwise");
    // Whoever answered meanwhile decided for theirs, and nothing that others said is lost.
    assert_eq!(set.votes(2), ["ann dent", "ben good", "eve scratch"]);
    assert_eq!(set.votes(3), ["ann dent", "ben good", "eve scratch"]);
    assert_eq!((set.holds(2).0, set.holds(3).0), (json!("dent"), json!("scratch")));
    set.say(BEN, 3, "dent");
    assert_eq!(set.holds(3).0, "scratch", "later votes do not change it");
    assert_eq!(
        (set.votes(4), set.holds(4).0),
        (vec!["ann dent".into(), "ben good".into(), "eve good".into()], json!("good"))
    );
    set.say(BEN, 4, "dent");
    assert_eq!(set.holds(4).0, "good", "what was decided before is decided again");
    assert_eq!((set.votes(5), set.n_disputed()), (vec!["ben good".into()], json!(2)), "places 0 and 1");
}

#[test]
fn what_was_said_while_several_were_asked_is_taken_back_while_one_is() {
    let set = Set::new(None);
    set.ask_several(3, false);
    [(ANN, "good"), (BEN, "good"), (EVE, "dent")].iter().for_each(|(who, label)| set.say(*who, 0, label));
    set.say(EVE, 1, "dent");
    set.say(BEN, 1, "Dent");
    set.ask_several(1, false);
    assert_eq!((set.undo(BEN), set.holds(0).0), (200, json!(null)));
    // Classes that get one name meanwhile are one answer.
    let renamed = set.people[ANN].send("PATCH", &set.at("/classes/Dent"), &json!({ "name": "dent" }));
    assert_eq!(renamed.status, 200);
    set.ask_several(3, false);
    assert_eq!((set.votes(0), set.holds(0).0), (vec!["ann good".into(), "eve dent".into()], json!(null)));
    assert_eq!((set.votes(1).len(), set.holds(1).0), (2, json!("dent")));
}

#[test]
fn an_answer_taken_back_while_one_is_asked_leaves_what_the_others_said() {
    let set = Set::new(None);
    set.ask_several(2, false);
    [ANN, BEN].iter().for_each(|who| set.say(*who, 0, "good"));
    set.ask_several(1, false);
    assert_eq!((set.undo(BEN), set.holds(0).0), (200, json!("good")));
    set.ask_several(2, false);
    assert_eq!((set.votes(0), set.holds(0).0), (vec!["ann good".into()], json!("good")));
}

#[test]
fn a_class_that_nothing_in_sight_has_can_be_taken_out() {
    let set = Set::new(Some("good"));
    let remove =
        |class: &str| set.people[ANN].ask("DELETE", &set.at(&format!("/classes/{class}")), None, &[]).status;
    let classes = || {
        let told = set.people[ANN].get(&set.at("")).body["classes"].clone();
        told.as_array().expect("classes").iter().map(|class| class["name"].clone()).collect::<Vec<_>>()
    };
    let other = set.ids.len() - 1;
    assert_eq!(remove("other"), 409);
    set.say(ANN, other, "good");
    assert_eq!((remove("other"), classes()), (204, vec![json!("good")]), "nothing has it any more");
    set.ask_several(2, false);
    set.say(BEN, 0, "dent");
    assert_eq!(remove("dent"), 409, "a vote has it");
    set.ask_several(1, false);
    set.say(ANN, 0, "good");
    assert_eq!((remove("dent"), classes()), (204, vec![json!("good")]), "nobody sees the vote");
    set.ask_several(2, false);
    assert_eq!(
        (set.votes(0), classes()),
        (vec!["ann good".into(), "ben dent".into()], vec![json!("good"), json!("dent")])
    );
    // Data that come while one is asked are nobody's word as well.
    set.ask_several(1, false);
    let more = [("set/good/y.png".to_owned(), photo([90, 90, 90], 31))];
    set.people[ANN].bring_into(&set.dataset, &more);
    set.ask_several(2, false);
    let page = set.people[ANN].get(&set.at("/examples")).body["examples"].clone();
    let last = page.as_array().and_then(|page| page.last()).expect("examples").clone();
    set.people[BEN].post(&set.at("/labels"), &json!({ "example": last["id"], "label": "dent" }));
    let path = format!("/v1/examples/{}", last["id"].as_str().expect("an id"));
    assert_eq!(
        set.people[ANN].get(&path).body["label"],
        json!(null),
        "one says so, and the data say otherwise"
    );
}

#[test]
fn a_new_class_comes_last_whatever_was_taken_out() {
    let set = Set::new(Some("good"));
    let order = || {
        let told = set.people[ANN].get(&set.at("")).body["classes"].clone();
        told.as_array().expect("classes").iter().map(|class| class["name"].clone()).collect::<Vec<_>>()
    };
    ["scratch", "dent"].iter().for_each(|class| set.say(ANN, 0, class));
    let path = set.at("/classes/scratch");
    assert_eq!(set.people[ANN].ask("DELETE", &path, None, &[]).status, 204);
    set.say(ANN, 1, "a new one");
    assert_eq!(order(), ["good", "other", "dent", "a new one"]);
}
