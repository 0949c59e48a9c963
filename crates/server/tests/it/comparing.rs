//! Two models of several labels, or of numbers, on the same examples, and what advice brought for them.

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, id, photo};

use crate::answers::tickets;
use crate::running::{folder, start};

fn tuned(owner: &Client, at: &str) -> String {
    let ended = owner.wait(&id(&owner.post(&format!("{at}/tune"), &json!({}))));
    ended["result"]["model"].as_str().unwrap_or_else(|| panic!("{ended}")).to_owned()
}

fn examples(owner: &Client, at: &str) -> Vec<Value> {
    owner.get(&format!("{at}/examples?limit=100")).body["examples"].as_array().expect("examples").clone()
}

/// How two models compare: by what, on how many, and how many changed.
fn told(same: &Value) -> (Value, Value, Value) {
    let Value::Object(_) = same else { panic!("they are compared: {same}") };
    let difference = &same["difference"];
    let [low, value, high] = ["low", "value", "high"].map(|end| difference[end].as_f64().expect("a number"));
    assert!(low <= value && value <= high, "{same}");
    (same["metric"].clone(), difference["n"].clone(), same["n_relabelled"].clone())
}

#[test]
fn models_of_numbers_are_compared_by_what_they_explain() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let files: Vec<_> = (0..40_u8)
        .map(|level| (format!("{level:02}.png"), photo([level * 5, level * 5, 90], u32::from(level))))
        .collect();
    let at = format!("/v1/datasets/{}", owner.bring("levels", &files));
    owner.send("PATCH", &at, &json!({ "task": "number" }));
    let examples = examples(&owner, &at);
    let number =
        |example: &Value| example["name"].as_str().expect("a name")[..2].parse::<f64>().expect("one");
    let give = |wrong: f64| {
        let labels: Vec<Value> = examples
            .iter()
            .map(|example| match number(example) {
                // Eight of them are nonsense at first.
                level if level % 5.0 == 0.0 => json!({ "example": example["id"], "number": wrong }),
                level => json!({ "example": example["id"], "number": level / 4.0 }),
            })
            .collect();
        assert_eq!(owner.post(&format!("{at}/labels/batch"), &json!({ "labels": labels })).status, 200);
    };
    give(60.0);
    let first = tuned(&owner, &at);
    give(5.0);
    let second = tuned(&owner, &at);
    let compared = owner.get(&format!("/v1/models/{first}/compare/{second}")).body;
    let same = &compared["same"];
    assert_eq!(told(same), (json!("r2"), json!(32), json!(8)), "those that changed judge nobody: {compared}");
    assert_eq!(same["told_apart"], true, "nonsense did harm: {compared}");
    assert!(same["difference"]["low"].as_f64() > Some(0.0), "{compared}");
    let back = owner.get(&format!("/v1/models/{second}/compare/{first}")).body;
    assert!(back["same"]["difference"]["high"].as_f64() < Some(0.0), "{back}");
}

#[test]
fn what_advice_brought_is_told_of_several_labels() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let table = tickets() + "the screen is broken,battery\n";
    let at = format!("/v1/datasets/{}", owner.bring("tickets", &[("t.csv".into(), table.into_bytes())]));
    let first = tuned(&owner, &at);
    assert_eq!(owner.wait(&id(&owner.post(&format!("{at}/audit"), &json!({}))))["state"], "done");
    let list = owner.get(&format!("{at}/worklist")).body;
    let about = |one: &&Value| one["fault"] == "label";
    let finding = list["findings"].as_array().expect("findings").iter().find(about);
    let finding = finding.unwrap_or_else(|| panic!("a label is doubted: {list}"));
    let other = if finding["given"]["labels"] == json!(["battery"]) { "screen" } else { "battery" };
    let decide = json!({ "decision": "relabel", "labels": [other], "audited_at": list["audited_at"] });
    let decided = owner.post(&format!("{at}/worklist/{}", finding["number"]), &decide);
    assert_eq!(decided.body["decision"], "relabelled", "{decided:?}");
    let gains = || owner.get(&format!("{at}/gains")).body["audits"][0].clone();
    assert_eq!(gains()["realised"], Value::Null);
    let second = tuned(&owner, &at);
    assert_eq!(told(&gains()["realised"]), (json!("jaccard"), json!(24), json!(1)), "{}", gains());
    let compared = owner.get(&format!("/v1/models/{first}/compare/{second}")).body;
    assert_eq!(compared["same"], gains()["realised"]);
}
