//! What a data set was, what changed between two of its states, and what came of it.

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, id, parts, photo};

use crate::running::{Place, Running, folder, start, start_on};

/// A data set with six red and six blue parts, and those who work on it.
struct Set {
    _dir: tempfile::TempDir,
    server: Running,
    ann: Client,
    dataset: String,
}

impl Set {
    fn new() -> Self {
        Self::on(Place::default())
    }

    fn on(place: Place) -> Self {
        let (dir, data) = folder();
        let server = start_on(Way::Team, &data, place);
        let ann = server.set_up();
        let dataset = ann.bring("parts", &parts(6));
        Self { _dir: dir, server, ann, dataset }
    }

    fn labeller(&self, name: &str) -> Client {
        self.server.person(&self.ann, name, "labeller")
    }

    fn at(&self, path: &str) -> String {
        format!("/v1/datasets/{}{path}", self.dataset)
    }

    /// The example that came from this file.
    #[track_caller]
    fn example(&self, name: &str) -> String {
        let found = self.ann.get(&self.at(&format!("/examples?q={name}"))).body;
        found["examples"][0]["id"].as_str().unwrap_or_else(|| panic!("`{name}` is there: {found}")).to_owned()
    }

    #[track_caller]
    fn say(&self, who: &Client, example: &str, label: Option<&str>) {
        let told = who.post(&self.at("/labels"), &json!({ "example": example, "label": label }));
        assert_eq!(told.status, 200, "{told:?}");
    }

    fn points(&self) -> Vec<Value> {
        let told = self.ann.get(&self.at("/history"));
        told.body["points"].as_array().unwrap_or_else(|| panic!("points: {told:?}")).clone()
    }

    /// The number of now.
    fn seq(&self) -> i64 {
        self.points()[0]["seq"].as_i64().expect("a number")
    }

    fn diff(&self, from: i64, to: i64) -> Value {
        self.ann.get(&self.at(&format!("/diff?from={from}&to={to}"))).body
    }

    #[track_caller]
    fn check(&self, from: i64, to: i64, counts: [i64; 4], groups: &[(&str, Value, Value, i64)]) -> Value {
        let diff = self.diff(from, to);
        let counted = ["added", "removed", "relabelled", "marked"].map(|kind| diff[kind].as_i64());
        assert_eq!(counted, counts.map(Some), "{diff}");
        let told: Vec<(String, Value, Value, i64)> = diff["groups"]
            .as_array()
            .expect("groups")
            .iter()
            .map(|group| {
                let kind = group["kind"].as_str().expect("a kind").to_owned();
                (kind, group["before"].clone(), group["after"].clone(), group["n"].as_i64().expect("a count"))
            })
            .collect();
        let expected: Vec<_> = groups
            .iter()
            .map(|(kind, before, after, n)| ((*kind).to_owned(), before.clone(), after.clone(), *n))
            .collect();
        assert_eq!(told, expected, "{diff}");
        diff
    }

    /// Names of the examples of one kind, with their labels before and after.
    fn different(&self, from: i64, to: i64, kind: &str) -> Value {
        let told = self.ann.get(&self.at(&format!("/diff/examples?from={from}&to={to}&kind={kind}")));
        let row = |example: &Value| json!([example["name"], example["before"], example["after"]]);
        told.body["examples"]
            .as_array()
            .unwrap_or_else(|| panic!("examples: {told:?}"))
            .iter()
            .map(row)
            .collect()
    }

    fn tune(&self, name: &str) -> String {
        let ended = self.ann.wait(&id(&self.ann.post(&self.at("/tune"), &json!({ "name": name }))));
        assert_eq!(ended["state"], "done", "{ended}");
        ended["result"]["model"].as_str().expect("a model").to_owned()
    }

    fn audit(&self) {
        assert_eq!(self.ann.wait(&id(&self.ann.post(&self.at("/audit"), &json!({}))))["state"], "done");
    }
}

/// A set in which ben and ann said something, that somebody named, and in which an example came afterwards.
struct Story {
    set: Set,
    came: i64,
    before: i64,
    after: i64,
    /// As the data came.
    export: String,
    /// The id of the name.
    named: String,
}

fn story(set: Set) -> Story {
    let came = set.seq();
    let export = set.ann.get(&set.at("/export?format=csv")).text;
    let [one, two, three] = ["red/00", "red/01", "blue/02"].map(|name| set.example(name));
    let ben = set.labeller("ben");
    set.say(&ben, &one, Some("green"));
    set.say(&ben, &two, Some("green"));
    // What is taken back changes nothing, and neither does what is said twice.
    assert_eq!(ben.post(&set.at("/undo"), &json!({})).status, 200);
    set.say(&set.ann, &three, None);
    let named = id(&set.ann.post(&set.at("/states"), &json!({ "name": "before the parts came" })));
    let before = set.seq();
    set.ann.bring_into(&set.dataset, &[("more/red/new.png".into(), photo([170, 40, 40], 91))]);
    let after = set.seq();
    Story { set, came, before, after, export, named }
}

#[test]
fn two_states_differ_by_what_holds_and_by_nothing_else() {
    states_differ(Place::default());
}

pub(crate) fn states_differ(place: Place) {
    let Story { set, came, before, after, .. } = story(Set::on(place));
    let relabelled =
        [("relabelled", json!("blue"), json!(null), 1), ("relabelled", json!("red"), json!("green"), 1)];
    set.check(came, before, [0, 0, 2, 0], &relabelled);
    set.check(came, came, [0; 4], &[]);
    set.check(before, after, [1, 0, 0, 0], &[("added", json!(null), json!("red"), 1)]);
    set.check(after, before, [0, 1, 0, 0], &[("removed", json!("red"), json!(null), 1)]);
    let came_in = [("added", json!(null), json!("blue"), 6), ("added", json!(null), json!("red"), 6)];
    let whole = set.check(0, came, [12, 0, 0, 0], &came_in);
    assert_eq!(
        (whole["after"]["n_examples"].clone(), whole["after"]["n_labelled"].clone()),
        (json!(12), json!(12))
    );
    assert_eq!(set.diff(came, before)["after"]["n_labelled"], 11);
    assert_eq!(
        set.different(came, before, "relabelled"),
        json!([["blue/02.png", "blue", null], ["red/00.png", "red", "green"]])
    );
    let key = set.diff(came, before)["groups"][1]["key"].clone();
    let key = key.as_str().expect("a key").replace('"', "%22");
    let page = set.at(&format!("/diff/examples?from={came}&to={before}&kind=relabelled&key={key}&limit=5"));
    let page = set.ann.get(&page).body;
    assert_eq!(
        (page["examples"].as_array().map(Vec::len), page["examples"][0]["after"].clone()),
        (Some(1), json!("green"))
    );
}

#[test]
fn a_state_is_named_and_exported_as_it_was() {
    let Story { set, came, before, after, export, named } = story(Set::new());
    // The state is exported as it was, whatever came later.
    let then = set.ann.get(&set.at(&format!("/export?format=csv&state={came}"))).text;
    assert_eq!(then, export);
    assert_ne!(set.ann.get(&set.at("/export?format=csv")).text, export);

    let points = set.points();
    let kinds: Vec<(&Value, &Value)> =
        points.iter().map(|point| (&point["seq"], &point["events"][0]["kind"])).collect();
    assert_eq!(
        kinds,
        [
            (&json!(after), &json!("import")),
            (&json!(before), &json!("name")),
            (&json!(came), &json!("import"))
        ]
    );
    assert_eq!((points[0]["came"].clone(), points[2]["came"].clone()), (json!(1), json!(12)));
    let did = |by: &str, act: &str, n: i64| json!({ "by": by, "what": "label", "act": act, "n": n });
    assert_eq!(
        points[1]["changes"],
        json!([did("ben", "give", 2), did("ann", "give", 1), did("ben", "undo", 1)])
    );
    assert_eq!(points[1]["events"][0]["by"], "ann");

    let state = set.at(&format!("/states/{}", named));
    assert_eq!(set.ann.ask("DELETE", &state, None, &[]).status, 204);
    assert_eq!(set.points().len(), 2, "its name is gone");
    for wrong in [
        "/diff?from=-1&to=0".to_owned(),
        format!("/diff?from=0&to={}", after + 1),
        "/export?state=99999".to_owned(),
    ] {
        assert_eq!(set.ann.get(&set.at(&wrong)).status, 422, "{wrong}");
    }
}

#[test]
fn another_name_for_a_class_is_no_other_label() {
    let set = Set::new();
    let came = set.seq();
    let rename = |class: &str, to: &str| {
        let told = set.ann.send("PATCH", &set.at(&format!("/classes/{class}")), &json!({ "name": to }));
        assert_eq!(told.status, 200, "{told:?}");
    };
    rename("blue", "navy");
    set.say(&set.ann, &set.example("blue/00"), Some("red"));
    let now = set.seq();
    let groups =
        [("relabelled", json!("blue"), json!("navy"), 5), ("relabelled", json!("blue"), json!("red"), 1)];
    let diff = set.check(came, now, [0, 0, 1, 0], &groups);
    assert_eq!(diff["renamed"], json!([{ "from": "blue", "to": "navy" }]));
    assert_eq!(diff["groups"][0]["renamed"], true);
    let back = set.diff(now, came);
    assert_eq!(
        (back["renamed"].clone(), back["relabelled"].clone()),
        (json!([{ "from": "navy", "to": "blue" }]), json!(1))
    );
    rename("navy", "blue");
    let same = set.diff(came, set.seq());
    assert_eq!((same["renamed"].clone(), same["relabelled"].clone()), (json!([]), json!(1)));
}

#[test]
fn of_several_people_the_state_is_what_most_said() {
    let set = Set::new();
    let asked = json!({ "annotators": 3, "blind": false });
    assert_eq!(set.ann.send("PATCH", &set.at(""), &asked).status, 200);
    let (ben, eve, one) = (set.labeller("ben"), set.labeller("eve"), set.example("red/00"));
    let came = set.seq();
    set.say(&ben, &one, Some("blue"));
    let tied = set.seq();
    set.say(&eve, &one, Some("blue"));
    let now = set.seq();
    set.check(came, tied, [0, 0, 1, 0], &[("relabelled", json!("red"), json!(null), 1)]);
    set.check(tied, now, [0, 0, 1, 0], &[("relabelled", json!(null), json!("blue"), 1)]);
    set.check(came, now, [0, 0, 1, 0], &[("relabelled", json!("red"), json!("blue"), 1)]);
}

#[test]
fn who_labels_blindly_hears_nothing_of_it() {
    let set = Set::new();
    let lea = set.labeller("lea");
    let example = set.example("red/00");
    assert_eq!(lea.get(&set.at("/history")).status, 200);
    assert_eq!(set.ann.send("PATCH", &set.at(""), &json!({ "blind": true })).status, 200);
    let now = set.seq();
    for path in [
        "/history".to_owned(),
        format!("/diff?from=0&to={now}"),
        format!("/diff/examples?from=0&to={now}&kind=added"),
        format!("/export?state={now}"),
        "/gains".to_owned(),
    ] {
        let told = lea.get(&set.at(&path));
        assert_eq!((told.status, told.body["code"].clone()), (403, json!("blind")), "{path}");
    }
    assert_eq!(lea.post(&set.at("/states"), &json!({ "name": "x" })).status, 403);
    assert_eq!(lea.get(&format!("/v1/examples/{example}/lineage")).status, 403);
    // Nor from a model that was told, by whichever door it is asked; programs of who may know go on.
    let model = set.tune("told");
    assert_eq!(set.ann.send("PUT", "/v1/deployments/told", &json!({ "model": model })).status, 200);
    let token = set.ann.post("/v1/tokens", &json!({ "name": "line", "scopes": ["predict"] }));
    let secret = token.body["secret"].as_str().expect("a secret").to_owned();
    let program = set.server.nobody().with("authorization", &format!("Bearer {secret}"));
    let image = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(photo([180, 30, 40], 3))
    };
    let (asked, tensor) = (
        json!({ "inputs": [{ "image": image }] }),
        json!({ "inputs": [{ "name": "input", "datatype": "BYTES", "shape": [1], "data": [image] }] }),
    );
    for (door, body) in [
        (format!("/v1/models/{model}/predict"), &asked),
        ("/v1/predict/told".to_owned(), &asked),
        ("/v2/models/told/infer".to_owned(), &tensor),
    ] {
        let told = lea.post(&door, body);
        assert_eq!((told.status, told.body["code"].clone()), (403, json!("blind")), "{door}");
        assert_eq!(program.post(&door, body).status, 200, "{door}");
    }
    let bundle = format!("/v1/models/{model}/bundle");
    assert_eq!((lea.get(&bundle).status, set.ann.get(&bundle).status), (403, 200));
}

/// A set with one wrong label that a model learned from, that an audit found, and that was decided: the set, the model, the example.
fn decided() -> (Set, String, String) {
    let set = Set::new();
    set.ann.bring_into(&set.dataset, &[("parts/blue/wrong.png".into(), photo([180, 30, 40], 90))]);
    let wrong = set.example("wrong");
    let first = set.tune("before");
    set.audit();
    let list = set.ann.get(&set.at("/worklist")).body;
    let finding =
        list["findings"].as_array().expect("findings").iter().find(|finding| finding["fault"] == "label");
    let finding = finding.unwrap_or_else(|| panic!("the wrong label is found: {list}"));
    assert_eq!(finding["examples"][0]["id"], json!(wrong));
    assert_eq!(set.ann.get(&set.at("/gains")).body["audits"], json!([]), "nobody decided yet");
    let decide = json!({ "decision": "relabel", "audited_at": list["audited_at"] });
    let told = set.ann.post(&set.at(&format!("/worklist/{}", finding["number"])), &decide);
    assert_eq!(told.body["decision"], "relabelled", "{told:?}");
    (set, first, wrong)
}

#[test]
fn a_promise_is_held_against_what_came_of_it() {
    let (set, first, _) = decided();
    let gains = || set.ann.get(&set.at("/gains")).body["audits"][0].clone();
    let waiting = gains();
    assert_eq!(
        (waiting["after"].clone(), waiting["realised"].clone()),
        (json!(null), json!(null)),
        "{waiting}"
    );
    let second = set.tune("after");
    // Another audit takes the place of the list; what came of this one is remembered.
    let counted = gains();
    let list = set.ann.get(&set.at("/worklist")).body;
    set.audit();
    let remembered = gains();
    assert_eq!(counted, remembered);
    assert_eq!(
        (
            remembered["before"]["id"].clone(),
            remembered["after"]["id"].clone(),
            remembered["n_other"].clone()
        ),
        (json!(first), json!(second), json!(0)),
        "{remembered}"
    );
    let realised = &remembered["realised"];
    // On the twelve others; the one that was changed would judge itself.
    assert_eq!(
        (realised["difference"]["n"].clone(), realised["n_relabelled"].clone()),
        (json!(12), json!(1)),
        "{realised}"
    );
    assert_eq!(realised["told_apart"], false, "twelve examples tell nothing: {realised}");
    // Of what was advised, what was followed, with what it promised; one finding of it was decided.
    let all = |value: &Value| value.as_array().expect("a list").clone();
    let mut decided = all(&list["findings"]).into_iter().filter(|finding| !finding["decision"].is_null());
    let action = decided.next().expect("one was decided")["action"].clone();
    let followed = all(&list["advice"]).into_iter().filter(|advice| advice["action"] == action);
    let promised: Vec<Value> =
        followed.map(|advice| json!([advice["sentence"], advice["n"], 1, 0, advice["gain"]])).collect();
    let told: Vec<Value> = all(&remembered["advice"])
        .iter()
        .map(|advice| {
            json!([advice["sentence"], advice["n"], advice["n_decided"], advice["n_kept"], advice["gain"]])
        })
        .collect();
    assert_eq!(told, promised, "{remembered}");
}

#[test]
fn an_answer_leads_to_its_examples_and_an_example_to_its_models() {
    let (set, first, wrong) = decided();
    let second = set.tune("after");
    set.audit();
    let compared = set.ann.get(&format!("/v1/models/{first}/compare/{second}")).body;
    assert_eq!(compared["same"]["difference"]["n"], 12, "{compared}");
    let (from, to) = (
        compared["taught"]["from"].as_i64().expect("a state"),
        compared["taught"]["to"].as_i64().expect("one"),
    );
    set.check(from, to, [0, 0, 1, 0], &[("relabelled", json!("blue"), json!("red"), 1)]);
    let kinds: Vec<Value> = set
        .points()
        .iter()
        .flat_map(|point| point["events"].as_array().expect("events").clone())
        .map(|event| event["kind"].clone())
        .collect();
    assert_eq!(kinds, ["audit", "tune", "audit", "tune", "import", "import"]);
    // From the example to the models, and from an input to the examples.
    let lineage = set.ann.get(&format!("/v1/examples/{wrong}/lineage")).body;
    let taught: Vec<(&Value, &Value)> = lineage["taught"]
        .as_array()
        .expect("models")
        .iter()
        .map(|model| (&model["model"], &model["label"]))
        .collect();
    assert_eq!(taught, [(&json!(second), &json!("red")), (&json!(first), &json!("blue"))]);
    assert!(lineage["imported_at"].is_string() && lineage["came_from"].is_null(), "{lineage}");
    let asked = json!({ "inputs": [{ "image": base64_of(&photo([180, 30, 40], 90)) }] });
    let near = set.ann.until(|| {
        let near = set.ann.post(&format!("/v1/models/{second}/nearest"), &asked).body;
        (near["state"] == "ready").then_some(near)
    });
    assert_eq!(
        (near["inputs"][0][0]["example"]["id"].clone(), near["inputs"][0][0]["taught"].clone()),
        (json!(wrong), json!("red")),
        "{near}"
    );
    assert_eq!(near["seq"], json!(to));
}

#[test]
fn what_was_taken_out_is_seen_where_it_was_there() {
    let set = Set::new();
    set.ann.bring_into(&set.dataset, &[("parts/blue/wrong.png".into(), photo([180, 30, 40], 90))]);
    let wrong = set.example("wrong");
    let before = set.seq();
    set.audit();
    let list = set.ann.get(&set.at("/worklist")).body;
    let about = |finding: &&Value| finding["examples"][0]["id"] == json!(wrong);
    let finding =
        list["findings"].as_array().expect("findings").iter().find(about).expect("it is found").clone();
    let decide = |decision: &str| {
        let body = json!({ "decision": decision, "audited_at": list["audited_at"] });
        assert_eq!(set.ann.post(&set.at(&format!("/worklist/{}", finding["number"])), &body).status, 200);
        set.seq()
    };
    let out = decide("remove");
    set.check(before, out, [0, 1, 0, 0], &[("removed", json!("blue"), json!(null), 1)]);
    assert_eq!(set.different(before, out, "removed"), json!([["blue/wrong.png", "blue", null]]));
    assert_eq!(set.ann.get(&format!("/v1/examples/{wrong}/thumbnail")).status, 200);
    assert_eq!(set.ann.get(&format!("/v1/examples/{wrong}/lineage")).body["there"], false);
    let back = decide("keep");
    set.check(before, back, [0; 4], &[]);
    set.check(out, back, [1, 0, 0, 0], &[("added", json!(null), json!("blue"), 1)]);
    let events = set.ann.get(&set.at(&format!("/events?example={wrong}"))).body;
    let acts: Vec<&Value> =
        events["events"].as_array().expect("events").iter().map(|event| &event["act"]).collect();
    assert_eq!(acts, ["return", "remove", "import"]);
}

#[test]
fn a_model_tells_what_more_labels_would_bring_in_the_readers_language() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = owner.bring("parts", &parts(40));
    let ended = owner.wait(&id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({}))));
    let model = ended["result"]["model"].as_str().expect("a model").to_owned();
    let told = owner.get(&format!("/v1/models/{model}")).body;
    let chinese = owner.with("accept-language", "zh-CN").get(&format!("/v1/models/{model}")).body;
    let why = |told: &Value| told["why"].as_str().expect("a reason").to_owned();
    assert!(why(&told).is_ascii() && why(&chinese).contains("折外"), "{} / {}", why(&told), why(&chinese));
    let errors = owner.get(&format!("/v1/models/{model}/errors")).body;
    let curve = &errors["curve"];
    assert_eq!(curve["n_labels"], 80, "{errors}");
    let last = curve["expected"].as_array().and_then(|points| points.last()).expect("an outlook");
    assert_eq!(last["n_labels"], 160.0, "twice as many and no more: {curve}");
    assert!(curve["measured"].as_array().is_some_and(|points| points.len() >= 3), "{curve}");
    assert!(errors["advice"].as_array().is_some_and(|advice| !advice.is_empty()), "{errors}");
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// An answer of a model of several senses leads to the examples that taught it, also where a sense is missing.
#[track_caller]
pub(crate) fn senses_have_teachers(owner: &Client, example: &Value, model: &Value) {
    let [id, model] = [example, model].map(|one| one["id"].as_str().expect("an id"));
    let [photo, trace] = ["photo", "trace"].map(|sense| {
        let sent = owner.get(&format!("/v1/examples/{id}/content?sense={sense}")).bytes;
        base64_of(&sent)
    });
    let asked = json!({ "inputs": [{ "photo": photo, "trace": trace }, { "trace": trace }] });
    let near = owner.post(&format!("/v1/models/{model}/nearest"), &asked).body;
    let inputs = near["inputs"].as_array().expect("inputs");
    assert_eq!(inputs.len(), 2, "{near}");
    for input in inputs {
        let first = &input[0];
        assert_eq!(
            (&first["example"]["id"], &first["taught"]),
            (&example["id"], &example["label"]),
            "{near}"
        );
    }
}
