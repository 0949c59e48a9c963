//! What a person does from the first page to a model that answers.

use serde_json::json;
use server::Way;
use testkit::{Client, id, parts, photo};

use crate::running::{folder, start};

#[test]
fn a_person_labels_beside_a_model() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    assert_eq!(
        server.nobody().post("/v1/enter", &json!({ "key": server.key })).status,
        401,
        "a key serves once"
    );

    let dataset = owner.bring("parts", &parts(12));
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let told = owner.get(&at(""));
    assert_eq!(told.body["n_examples"], 24, "{told:?}");
    assert_eq!(
        told.body["classes"],
        json!([{ "name": "blue", "count": 12 }, { "name": "red", "count": 12 }])
    );
    let page = owner.get(&at("/examples?limit=3&label=red"));
    assert_eq!(
        (page.body["total"].clone(), page.body["examples"].as_array().map(Vec::len)),
        (json!(12), Some(3))
    );
    let example = page.body["examples"][0]["id"].as_str().expect("an id").to_owned();
    let thumbnail = owner.get(&format!("/v1/examples/{example}/thumbnail"));
    assert!(
        thumbnail.headers.contains(&("content-type".into(), "image/jpeg".into())),
        "{:?}",
        thumbnail.headers
    );

    let live = owner.until(|| Some(owner.get(&at("/live")).body).filter(|live| live["state"] == "ready"));
    assert_eq!((live["accuracy"]["value"].clone(), live["accuracy"]["n"].clone()), (json!(1.0), json!(24)));
    let similar = owner.get(&at(&format!("/examples?similar_to={example}&limit=5")));
    assert_eq!(similar.body["examples"][0]["id"], example);

    let map = owner.until(|| Some(owner.get(&at("/map")).body).filter(|map| map["state"] == "ready"));
    assert_eq!(
        (map["x"].as_array().map(Vec::len), map["classes"].clone()),
        (Some(24), json!(["blue", "red"]))
    );

    // A wrong label is warned of, seen by the model, and taken back.
    let wrong =
        owner.post(&at("/labels"), &json!({ "example": example, "label": "blue", "milliseconds": 700 }));
    assert!(wrong.body["warning"].as_str().is_some_and(|warning| warning.contains("“red”")), "{wrong:?}");
    let doubted = owner.until(|| {
        let page = owner.get(&at("/examples?state=disagrees"));
        (page.body["total"] == 1).then_some(page.body)
    });
    assert_eq!(doubted["examples"][0]["suggestion"]["label"], "red");
    let undone = owner.post(&at("/undo"), &json!({}));
    assert_eq!(
        (undone.body["undone"].clone(), undone.body["example"]["label"].clone()),
        (json!("blue"), json!("red"))
    );
    assert_eq!(owner.post(&at("/undo"), &json!({})).status, 404, "nothing is left to take back");
}

#[test]
fn a_model_answers_under_a_name() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = owner.bring("parts", &parts(12));
    let job = id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({ "name": "colours" })));
    let tuned = owner.wait(&job);
    assert_eq!(tuned["state"], "done", "{tuned}");
    let model = tuned["result"]["model"].as_str().expect("a model").to_owned();
    assert_ne!(model, job, "a worker that lost the job may write, but not into the files of the next");
    let told = owner.get(&format!("/v1/models/{model}"));
    assert_eq!(
        (told.body["name"].clone(), told.body["classes"].clone()),
        (json!("colours"), json!(["blue", "red"]))
    );
    let report = owner.get(&format!("/v1/models/{model}/report?lang=zh"));
    assert!(report.text.contains("准确率"), "the report is Chinese");
    let errors = owner.get(&format!("/v1/models/{model}/errors"));
    assert_eq!(errors.body["confusion"]["counts"], json!([[12, 0], [0, 12]]));

    let deployed = owner.ask(
        "PUT",
        "/v1/deployments/colours",
        Some("application/json"),
        json!({ "model": model }).to_string().as_bytes(),
    );
    assert_eq!(deployed.body["url"], "/v1/predict/colours", "{deployed:?}");
    let secret =
        owner.post("/v1/tokens", &json!({ "name": "line 3", "scopes": ["predict"] })).body["secret"].clone();
    let program =
        server.nobody().with("authorization", &format!("Bearer {}", secret.as_str().expect("a secret")));
    let encoded = base64_of(&photo([30, 40, 180], 77));
    let answer = program
        .post("/v1/predict/colours", &json!({ "inputs": [{ "image": encoded }, { "image": "bm8=" }] }));
    assert_eq!(answer.body["predictions"][0]["answer"], "blue", "{answer:?}");
    assert!(answer.body["predictions"][1]["problem"].is_string(), "one bad input stops no other");
    let tensor = json!({ "name": "input", "datatype": "BYTES", "shape": [1], "data": [encoded] });
    let inferred = program.post("/v2/models/colours/infer", &json!({ "inputs": [tensor] }));
    assert_eq!(inferred.body["outputs"][0]["data"], json!(["blue"]), "{inferred:?}");
    assert_eq!(program.get("/v1/datasets").status, 403, "a token does what it was made for");
    assert_eq!(owner.get("/v1/deployments").body["deployments"][0]["n_requests"], 2);
    let bundle = owner.get(&format!("/v1/models/{model}/bundle")).bytes;
    let brought = owner.ask("POST", "/v1/models?name=again", Some("application/octet-stream"), &bundle);
    assert_eq!(brought.body["identity"], told.body["identity"], "{brought:?}");
    let broken = owner.ask(
        "POST",
        "/v1/models?name=broken",
        Some("application/octet-stream"),
        &bundle[..bundle.len() / 2],
    );
    assert_eq!(broken.status, 422, "{broken:?}");
    assert_eq!(
        owner.ask("DELETE", &format!("/v1/models/{model}"), None, &[]).status,
        409,
        "it answers somewhere"
    );
}

/// Page by page it is the whole list, and so it is kind by kind.
#[track_caller]
fn findings_come_in_pages(owner: &Client, dataset: &str, whole: &serde_json::Value) {
    let of = |query: &str| owner.get(&format!("/v1/datasets/{dataset}/worklist?{query}")).body;
    let all = whole["findings"].as_array().expect("findings");
    assert!(all.len() > 1 && whole["total"] == all.len(), "{whole}");
    for (place, finding) in all.iter().enumerate() {
        let page = of(&format!("limit=1&offset={place}"));
        assert_eq!((&page["findings"][0], &page["total"]), (finding, &whole["total"]));
    }
    assert_eq!(of(&format!("offset={}", all.len()))["findings"], json!([]));
    for kind in whole["kinds"].as_array().expect("kinds") {
        let page = of(&format!("fault={}", kind["fault"].as_str().expect("a fault")));
        let these: Vec<_> = all.iter().filter(|one| one["fault"] == kind["fault"]).cloned().collect();
        assert_eq!((&page["findings"], &page["total"]), (&json!(these), &kind["n"]));
    }
}

/// The gallery shows the examples of findings, by their fault or of any, and narrows them further.
#[track_caller]
fn findings_filter_the_gallery(owner: &Client, dataset: &str, whole: &serde_json::Value) {
    let names = |query: &str| -> Vec<String> {
        let page = owner.get(&format!("/v1/datasets/{dataset}/examples?limit=100&{query}"));
        let examples =
            page.body["examples"].as_array().unwrap_or_else(|| panic!("{query}: {page:?}")).clone();
        assert_eq!(page.body["total"], examples.len(), "{query}");
        examples.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names("finding=label"), ["blue/wrong.png"]);
    assert_eq!(names("finding=label&label=blue&q=WRONG&state=disagrees"), ["blue/wrong.png"]);
    assert_eq!(names("finding=label&label=red"), [""; 0]);
    assert_eq!(names("finding=leak"), [""; 0], "nobody looked for what no data set can have");
    for kind in whole["kinds"].as_array().expect("kinds") {
        assert_eq!(
            names(&format!("finding={}", kind["fault"].as_str().expect("a fault"))).len(),
            kind["n_examples"],
            "{kind}"
        );
    }
    let all = names("finding=any");
    assert_eq!(all.len(), whole["n_examples"]);
    // The order by doubt goes together with what narrows.
    let doubted = names("order=doubt");
    assert_eq!(doubted.len(), 25);
    let of = |which: &dyn Fn(&String) -> bool| -> Vec<String> {
        doubted.iter().filter(|name| which(name)).cloned().collect()
    };
    assert_eq!(names("order=doubt&label=red"), of(&|name| name.starts_with("red/")));
    assert_eq!(names("order=doubt&finding=any"), of(&|name| all.contains(name)));
    let refused = owner.get(&format!("/v1/datasets/{dataset}/examples?finding=typo"));
    assert_eq!((refused.status, refused.body["hint"].is_string()), (422, true), "{refused:?}");
}

#[test]
fn what_was_found_is_decided_and_can_be_decided_anew() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let mut files = parts(12);
    // One red part among the blue ones.
    files.push(("parts/blue/wrong.png".into(), photo([180, 30, 40], 90)));
    let dataset = owner.bring("parts", &files);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let job = id(&owner.post(&at("/audit"), &json!({})));
    assert_eq!(owner.wait(&job)["state"], "done");
    let list = owner.get(&at("/worklist"));
    let finding = list.body["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|finding| finding["fault"] == "label");
    let finding = finding.unwrap_or_else(|| panic!("the wrong label is found: {}", list.text));
    assert_eq!(finding["suggested"]["label"], "red");
    assert_eq!(finding["examples"][0]["name"], "blue/wrong.png");
    findings_come_in_pages(&owner, &dataset, &list.body);
    owner.until(|| (owner.get(&at("/live")).body["state"] == "ready").then_some(()));
    findings_filter_the_gallery(&owner, &dataset, &list.body);
    let decide = at(&format!("/worklist/{}", finding["number"]));
    let open = || {
        let one = owner.get(&at("/worklist?fault=label&limit=0")).body;
        assert_eq!(one["findings"], json!([]), "{one}");
        let kinds = one["kinds"].as_array().expect("kinds").clone();
        let labels = kinds.into_iter().find(|kind| kind["fault"] == "label").expect("there are some");
        labels["n"].as_u64().expect("a number") - labels["n_open"].as_u64().expect("a number")
    };
    assert_eq!(open(), 0);
    let label = |decision: &str| {
        let told =
            owner.post(&decide, &json!({ "decision": decision, "audited_at": list.body["audited_at"] }));
        let example = told.body["examples"][0]["label"].clone();
        (told.body["decision"].clone(), example)
    };
    let stale = owner.post(&decide, &json!({ "decision": "keep", "audited_at": "2000-01-01T00:00:00.000Z" }));
    assert_eq!(stale.status, 409, "the numbers of another audit mean other things");
    assert_eq!(label("relabel"), (json!("relabelled"), json!("red")));
    assert_eq!(label("remove"), (json!("removed"), json!(null)));
    assert_eq!(owner.get(&at("")).body["n_examples"], 24);
    assert_eq!(open(), 1, "one is decided");
    assert_eq!(owner.get(&at("/examples?finding=label")).body["total"], 0, "what was taken out is not shown");
    assert_eq!(label("keep"), (json!("kept"), json!("blue")));
    let list = owner.get(&at("/worklist"));
    assert_eq!(
        (list.body["stale"].clone(), owner.get(&at("")).body["n_examples"].clone()),
        (json!(true), json!(25))
    );
    let zh = owner.with("accept-language", "zh-CN").get(&at("/worklist"));
    assert!(zh.body["findings"][0]["action_text"].as_str().is_some_and(|text| !text.is_ascii()));
}

#[test]
fn labels_are_a_fair_draw_from_the_first_on() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let colour = |number: u32| if number.is_multiple_of(2) { [180, 30, 40] } else { [30, 40, 180] };
    let files: Vec<_> =
        (0..30).map(|number| (format!("{number}.png"), photo(colour(number), number))).collect();
    let dataset = owner.bring("loose", &files);
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let ids = |body: &serde_json::Value| -> Vec<(String, String)> {
        let text = |one: &serde_json::Value, field: &str| one[field].as_str().expect("a text").to_owned();
        let examples = body["examples"].as_array().expect("examples");
        examples.iter().map(|one| (text(one, "id"), text(one, "name"))).collect()
    };
    // The first question makes the server look, and is answered before it has.
    let queue = owner.get(&at("/queue?limit=14")).body;
    assert_eq!(queue["why"], "drawn at random, until they have been looked at");
    let mut all = ids(&owner.get(&at("/examples?limit=100")).body);
    all.sort();
    assert_eq!(ids(&queue), all[..14], "in the order that chance gave when they came");
    // One is passed over; what comes behind it is no less a draw.
    for (id, name) in ids(&queue).iter().filter(|(id, _)| *id != all[3].0) {
        let number: u32 = name.trim_end_matches(".png").parse().expect("a number");
        let label = if number.is_multiple_of(2) { "red" } else { "blue" };
        owner.post(&at("/labels"), &json!({ "example": id, "label": label, "from": "queue" }));
    }
    // What a person picked is none, also where it is among the next that chance asks for.
    for ((picked, _), from) in [(&all[15], json!("elsewhere")), (&all[16], json!(null))] {
        let told = owner.post(&at("/labels"), &json!({ "example": picked, "label": "red", "from": from }));
        assert_eq!(told.status, 200, "{told:?}");
    }
    let picked: Vec<_> = all[28..].iter().map(|(id, _)| json!({ "example": id, "label": "red" })).collect();
    owner.post(&at("/labels/batch"), &json!({ "labels": picked }));
    let live = owner.until(|| {
        let live = owner.get(&at("/live")).body;
        let all = live["history"].as_array()?.iter().any(|one| one["n_labelled"] == 17);
        (live["state"] == "ready" && all).then_some(live)
    });
    assert_eq!((live["n_drawn"].clone(), live["accuracy"]["n"].clone()), (json!(13), json!(13)), "{live}");
}

#[test]
fn labels_outlive_the_server() {
    let (_dir, data) = folder();
    let example = {
        let server = start(Way::Local, &data);
        let owner = server.owner();
        let files: Vec<_> =
            (0..6).map(|number| (format!("{number}.png"), photo([90, 90, 90], number))).collect();
        let dataset = owner.bring("loose", &files);
        let queue = owner.get(&format!("/v1/datasets/{dataset}/queue?limit=3"));
        let example = queue.body["examples"][0]["id"].as_str().expect("an example").to_owned();
        let told = owner
            .post(&format!("/v1/datasets/{dataset}/labels"), &json!({ "example": example, "label": "grey" }));
        assert_eq!(told.body["n_labelled"], 1, "{told:?}");
        example
    };
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let told = owner.get(&format!("/v1/examples/{example}"));
    assert_eq!((told.body["label"].clone(), told.body["by"].clone()), (json!("grey"), json!("owner")));
}

#[test]
fn a_table_of_texts_is_labelled_and_exported() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let table =
        "text,label\nI want my money back,refund\nWhere is my parcel?,delivery\n\"It, too, is late\",\n";
    let dataset = owner.bring("letters", &[("letters.csv".into(), table.as_bytes().to_vec())]);
    let told = owner.get(&format!("/v1/datasets/{dataset}"));
    assert_eq!(
        (told.body["n_examples"].clone(), told.body["n_labelled"].clone()),
        (json!(3), json!(2)),
        "{told:?}"
    );
    let export = owner.get(&format!("/v1/datasets/{dataset}/export?format=csv"));
    let named = "id,text,label\nletters.csv:2,I want my money back,refund\nletters.csv:3,Where is my parcel?,delivery\n\
         letters.csv:4,\"It, too, is late\",\n";
    assert_eq!(export.text, named);
    let found = owner.get(&format!("/v1/datasets/{dataset}/examples?q=PARCEL"));
    assert_eq!(found.body["total"], 1);
    let renamed = owner.ask(
        "PATCH",
        &format!("/v1/datasets/{dataset}/classes/delivery"),
        Some("application/json"),
        br#"{"name":"shipping"}"#,
    );
    assert_eq!(renamed.body["classes"][0], json!({ "name": "shipping", "count": 1 }), "{renamed:?}");
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
