//! Vectors from a base alone.

use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline::{Home, Run};
use serde_json::{Value, json};
use server::Way;
use testkit::photo;

use crate::running::{folder, start};

#[test]
fn pictures_have_vectors_and_a_base_says_what_it_does_not_take() {
    let never = AtomicBool::new(false);
    let home = Home::by_default().expect("a home");
    home.open_base("efficientnet-lite2", &Run::new(&|_| {}, &never)).expect("the base is fetched");
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let ask = |input: Value| {
        owner.post("/v1/embeddings", &json!({ "model": "efficientnet-lite2", "input": input }))
    };
    let image = |seed| json!({ "image": STANDARD.encode(photo([30, 40, 180], seed)) });
    let told = ask(json!([image(1), image(2), image(1)]));
    assert_eq!(told.status, 200, "{told:?}");
    let data = told.body["data"].as_array().expect("a list");
    assert_eq!((data.len(), &data[1]["index"]), (3, &json!(1)));
    assert_eq!(data[0]["embedding"], data[2]["embedding"]);
    assert_ne!(data[0]["embedding"], data[1]["embedding"]);
    assert!(data[0]["embedding"].as_array().is_some_and(|numbers| numbers.len() > 100));

    for refused in [
        json!([]),
        json!(["a text"]),
        json!([image(1), "a text"]),
        json!([{ "image": "AAAA" }]),
        json!([{ "image": "not base64!" }]),
        json!([{ "image": "AAAA", "text": "two" }]),
        json!([{ "sound": "AAAA" }]),
        json!([7]),
    ] {
        let told = ask(refused.clone());
        assert!((400..500).contains(&told.status), "{refused}: {told:?}");
        assert!(told.body["message"].as_str().is_some_and(|message| !message.is_empty()), "{told:?}");
    }
}
