//! Several people answer about the same examples; what most say holds, and what they dispute is decided.

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, photo};

use crate::running::{Running, folder, start};

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

#[test]
fn most_say_what_holds_and_disputes_are_decided() {
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    let [ann, ben, eve] = team(&server);
    let files: Vec<_> = (0..6).map(|number| (format!("{number}.png"), photo([90, 90, 90], number))).collect();
    let dataset = ann.bring("parts", &files);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let asked = ann.send("PATCH", &at(""), &json!({ "annotators": 3, "blind": true }));
    assert_eq!((asked.body["annotators"].clone(), asked.body["blind"].clone()), (json!(3), json!(true)));
    assert_eq!(ben.send("PATCH", &at(""), &json!({ "blind": false })).status, 403);

    let examples = ann.get(&at("/examples")).body["examples"].clone();
    let id = |place: usize| examples[place]["id"].as_str().expect("an id").to_owned();
    let say = |who: &Client, place: usize, label: &str| {
        let told = who.post(&at("/labels"), &json!({ "example": id(place), "label": label }));
        assert_eq!(told.status, 200, "{told:?}");
    };
    let holds = |place: usize| ann.get(&format!("/v1/examples/{}", id(place))).body["label"].clone();
    say(&ben, 0, "good");
    assert_eq!(holds(0), "good");
    let hidden = |body: &Value| (body["label"].clone(), body["suggestion"].clone());
    assert_eq!(hidden(&eve.get(&format!("/v1/examples/{}", id(0))).body), (json!(null), json!(null)));
    assert_eq!(eve.get(&at("/events")).body["events"], json!([]), "nor does the trail tell");
    assert_eq!(eve.get(&at("/export?format=csv")).status, 403);
    let next = eve.get(&at("/queue?limit=6")).body["examples"].clone();
    assert_eq!(next[0]["id"], json!(id(0)), "what others began comes first");
    assert!(!ben.get(&at("/queue?limit=6")).text.contains(&id(0)), "nobody is asked twice");

    say(&eve, 0, "scratch");
    assert_eq!(holds(0), json!(null), "two answers with one vote each");
    assert_eq!(ann.get(&at("/examples?state=disputed")).body["total"], 1);
    say(&ann, 0, "scratch");
    assert_eq!(holds(0), "scratch", "two of three");
    assert_eq!(eve.post(&at("/undo"), &json!({})).body["undone"], "scratch", "of one's own words only");
    assert_eq!(holds(0), json!(null));
    for place in 1..5 {
        say(&ben, place, if place < 3 { "good" } else { "scratch" });
        say(&eve, place, if place < 4 { "good" } else { "scratch" });
    }
    let agreement = ann.get(&at("/agreement")).body;
    assert_eq!(agreement["n_disputed"], 2, "{agreement}");
    assert!(agreement["alpha"]["value"].as_f64().is_some_and(|alpha| alpha < 0.9), "{agreement}");
    assert_eq!(agreement["people"][0]["name"], "ben");
    assert_eq!(ben.get(&at("/agreement")).status, 403, "who labels blindly does not see it");
    let votes = ann.get(&format!("/v1/examples/{}/votes", id(3))).body;
    assert_eq!(
        votes["votes"],
        json!([{ "by": "ben", "label": "scratch" }, { "by": "eve", "label": "good" }])
    );

    let decided = ann.post(&at("/decisions"), &json!({ "example": id(3), "label": "good" }));
    assert_eq!((decided.status, holds(3)), (200, json!("good")), "{decided:?}");
    say(&ann, 3, "scratch");
    assert_eq!(holds(3), "good", "what was decided stays");
    assert_eq!(ann.get(&at("/agreement")).body["n_disputed"], 1);
    say(&ann, 0, "good");
    assert_eq!(holds(0), "good", "two of two");
    say(&eve, 0, "scratch");
    let settled = ann.post(&at("/decisions"), &json!({ "example": id(0), "label": "good" }));
    assert_eq!(settled.status, 200, "{settled:?}");
    assert_eq!(ann.get(&at("/agreement")).body["n_disputed"], 0, "to agree with most decides as well");
    let renamed = ann.send("PATCH", &at("/classes/good"), &json!({ "name": "ok" }));
    assert_eq!(renamed.status, 200, "{renamed:?}");
    let votes = ann.get(&format!("/v1/examples/{}/votes", id(1))).body;
    assert_eq!(votes["votes"][0]["label"], "ok");
}
