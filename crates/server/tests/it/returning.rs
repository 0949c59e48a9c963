//! What a deployed model is in doubt about comes back as work.

use serde_json::json;
use server::Way;
use testkit::{id, parts};

use crate::running::{folder, noise, start};

#[test]
fn doubtful_inputs_come_back_and_others_are_not_kept() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = owner.bring("parts", &parts(60));
    let tuned = owner.wait(&id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({}))));
    let model = tuned["result"]["model"].clone();
    let errors = owner.get(&format!("/v1/models/{}/errors", model.as_str().expect("a model"))).body;
    assert!(errors["promises"].as_array().is_some_and(|promises| !promises.is_empty()), "{errors}");
    let ask = |file: &[u8]| {
        let form = [
            b"--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"x.png\"\r\n\r\n",
            file,
            b"\r\n--edge--\r\n",
        ]
        .concat();
        let told = owner.ask("POST", "/v1/predict/parts", Some("multipart/form-data; boundary=edge"), &form);
        told.body["predictions"][0]["verdict"].clone()
    };
    let n = || owner.get(&format!("/v1/datasets/{dataset}/examples?state=unlabelled")).body["total"].clone();
    let deploy = |collects| {
        owner.send("PUT", "/v1/deployments/parts", &json!({ "model": model, "collects": collects }))
    };
    assert_eq!(deploy(json!("another's")).status, 404);
    assert_eq!(deploy(json!(null)).status, 200);
    assert_eq!(ask(&noise(7)), "unfamiliar");
    assert_eq!(deploy(json!(dataset)).body["collects"], dataset.as_str());
    assert_eq!(ask(&parts(1)[0].1), "answered");
    assert_eq!(n(), 0, "nothing was kept without being asked for, nor what was answered");
    let map =
        || Some(owner.get(&format!("/v1/datasets/{dataset}/map")).body).filter(|map| map["state"] == "ready");
    let before = owner.until(map)["ids"].clone();
    assert_eq!(ask(&noise(7)), "unfamiliar");
    owner.until(|| (n() == 1).then_some(()));
    // Who labels keeps the quick model that they have.
    let give = json!({ "example": before[0], "label": "green" });
    assert_eq!(owner.post(&format!("/v1/datasets/{dataset}/labels"), &give).status, 200);
    assert_eq!(map().map(|map| map["ids"].clone()), Some(before));
    assert_eq!(ask(&noise(7)), "unfamiliar");
    let deployment = owner.get("/v1/deployments").body["deployments"][0].clone();
    assert_eq!(deployment["n_collected"], 1, "the same input does not come twice");
    let back =
        owner.get(&format!("/v1/datasets/{dataset}/examples?state=unlabelled")).body["examples"][0].clone();
    let content = owner.get(&format!("/v1/examples/{}/content", back["id"].as_str().expect("an id")));
    assert_eq!(content.bytes, noise(7));
}
