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
