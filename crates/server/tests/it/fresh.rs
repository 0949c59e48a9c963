//! The OpenAPI document beside the code is the one that the server gives: the studio's types are made from it.

#[test]
fn the_document_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept.trim_end() == server::openapi().trim_end(),
        "crates/server/openapi.json is stale: run `dianjing serve --openapi > crates/server/openapi.json`, then `npm run api` in studio"
    );
}

/// A parameter that is said to stand where it does not is never sent by clients that are made from the document.
#[test]
fn parameters_of_paths_are_those_that_stand_in_them() {
    let document: serde_json::Value = serde_json::from_str(&server::openapi()).expect("JSON");
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let mut named: Vec<&str> =
            path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        named.sort_unstable();
        for (method, operation) in operations.as_object().expect("operations") {
            let all = operation["parameters"].as_array().cloned().unwrap_or_default();
            let within = all.iter().filter(|one| one["in"] == "path");
            let mut said: Vec<&str> = within.filter_map(|one| one["name"].as_str()).collect();
            said.sort_unstable();
            assert_eq!(said, named, "{method} {path}");
        }
    }
}
