//! Work that is listened to and stopped, a server that closes, and what it counts.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::SystemTime;

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, id, parts};

use crate::running::{folder, start};

/// An event: its number, the state of the job, and the room that it is in.
type Told = (i64, String, Option<String>);

/// What is told of a job to who heard up to an event.
fn events(owner: &Client, job: &str, heard: i64) -> Vec<Told> {
    let told = owner.with("last-event-id", &heard.to_string()).get(&format!("/v1/jobs/{job}/events"));
    assert_eq!(told.values("content-type").next(), Some("text/event-stream"), "{told:?}");
    let part = |event: &str, name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in {event}")).trim().to_owned()
    };
    let event = |event: &str| {
        let body: Value = serde_json::from_str(&part(event, "data:")).expect("JSON");
        let word = |name: &str| body[name].as_str().map(str::to_owned);
        (part(event, "id:").parse().expect("a number"), word("state").expect("a state"), word("step"))
    };
    told.text.split("\n\n").filter(|event| event.contains("data:")).map(event).collect()
}

#[test]
fn who_listens_hears_a_job_to_its_end_and_nothing_twice() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = owner.bring("parts", &parts(12));
    let job = id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({})));
    let all = events(&owner, &job, 0);
    assert!(all.len() > 1 && all.is_sorted_by(|one, next| one.0 < next.0), "{all:?}");
    let last = all.last().expect("an end").clone();
    assert_eq!(last.1, "done", "{all:?}");
    // Whoever lost the connection goes on from what was heard.
    assert_eq!(events(&owner, &job, last.0 - 1), std::slice::from_ref(&last));
    assert_eq!(events(&owner, &job, last.0), []);
    // Who comes when all is over hears of each room, and then of the end.
    let late = events(&owner, &job, 0);
    let rooms: Vec<&str> = late.iter().filter_map(|(_, _, room)| room.as_deref()).collect();
    let through = ["read", "base", "features"];
    let mut passed = rooms.iter();
    assert!(through.iter().all(|room| passed.any(|passed| passed == room)), "{late:?}");
    assert_eq!(
        (late.last(), late.iter().filter(|told| told.1 == "done").count()),
        (Some(&last), 1),
        "{late:?}"
    );
    // What came after a room is told to who heard of it.
    let middle = late.len() / 2;
    assert_eq!(events(&owner, &job, late[middle - 1].0), late[middle..]);
}

/// Photos that nobody ever looked at, so that their features are not known.
fn new_parts(n: u32) -> Vec<(String, Vec<u8>)> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_nanos();
    let mut files = parts(n);
    let numbered = files.iter_mut().zip(now..);
    numbered.for_each(|((_, bytes), number)| bytes.extend(number.to_le_bytes()));
    files
}

#[test]
fn a_job_that_runs_is_stopped_and_the_next_one_goes_on() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = owner.bring("parts", &new_parts(200));
    let tune = || id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({})));
    let job = tune();
    let path = format!("/v1/jobs/{job}");
    owner.until(|| {
        let told = owner.get(&path).body;
        assert!(told["ended_at"].is_null(), "it takes a while: {told}");
        (told["step"] == "features" && told["done"] != 0).then_some(())
    });
    assert_eq!(owner.post(&format!("{path}/cancel"), &json!({})).status, 200);
    let ended = owner.wait(&job);
    assert_eq!((&ended["state"], &ended["step"]), (&json!("cancelled"), &json!("features")), "{ended}");
    assert!(ended["done"].as_i64() < Some(400), "{ended}");
    assert_eq!(owner.get("/v1/models").body["models"], json!([]));
    let again = owner.post(&format!("{path}/cancel"), &json!({}));
    assert_eq!((again.status, &again.body["state"]), (200, &json!("cancelled")), "what has ended stays so");
    assert_eq!(owner.wait(&tune())["state"], "done");
}

#[test]
fn a_request_that_is_under_way_is_answered_when_the_server_closes() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = id(&owner.post("/v1/datasets", &json!({ "name": "parts" })));
    let upload = id(&owner.post(&format!("/v1/datasets/{dataset}/uploads"), &json!({})));
    let address = server.address.strip_prefix("http://").expect("an address").to_owned();
    let head = format!(
        "PUT /v1/uploads/{upload}/file?path=a.png HTTP/1.1\r\nhost: {address}\r\nx-dianjing: 1\r\ncookie: {}\r\n\
         content-length: 1000\r\nexpect: 100-continue\r\n\r\n",
        owner.header("cookie").expect("a session"),
    );
    let mut socket = TcpStream::connect(&address).expect("a connection");
    socket.write_all(head.as_bytes()).expect("sent");
    let mut go_on = [0; 25];
    socket.read_exact(&mut go_on).expect("the server wants the body");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(&[1; 400]).expect("sent");
    server.ask_to_stop();
    owner.until(|| TcpStream::connect(&address).is_err().then_some(()));
    socket.write_all(&[2; 600]).expect("sent");
    let mut told = String::new();
    socket.read_to_string(&mut told).expect("answered, and closed");
    assert!(told.starts_with("HTTP/1.1 200") && told.contains("\"size\":1000"), "{told}");
    drop(server);
    let server = start(Way::Local, &data);
    let arrived = server.owner().get(&format!("/v1/uploads/{upload}")).body["files"].clone();
    assert_eq!(arrived, json!([{ "path": "a.png", "size": 1000 }]));
}

/// A line of what is scraped: `name{label="value",…} number`.
fn measured(line: &str) -> (String, f64) {
    let (what, number) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
    (what.to_owned(), number.parse().unwrap_or_else(|_| panic!("{line}")))
}

#[test]
fn requests_are_counted_by_route_and_nothing_else_is_told() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = id(&owner.post("/v1/datasets", &json!({ "name": "secret parts" })));
    (0..3).for_each(|_| assert_eq!(owner.get(&format!("/v1/datasets/{dataset}")).status, 200));
    assert_eq!(owner.get("/v1/datasets/none").status, 404);
    let page = server.nobody().get("/metrics");
    assert_eq!(page.values("content-type").next(), Some("text/plain; version=0.0.4"));
    let lines: Vec<(String, f64)> =
        page.text.lines().filter(|line| !line.starts_with('#')).map(measured).collect();
    let of = |what: &str| lines.iter().find(|(name, _)| name == what).map(|(_, number)| *number);
    for (status, n) in [("200", 3.0), ("404", 1.0)] {
        let labels = format!("route=\"/v1/datasets/{{id}}\",status=\"{status}\"");
        assert_eq!(of(&format!("dianjing_request_seconds_count{{{labels}}}")), Some(n), "{}", page.text);
        assert_eq!(of(&format!("dianjing_request_seconds_bucket{{{labels},le=\"+Inf\"}}")), Some(n));
        let sum = of(&format!("dianjing_request_seconds_sum{{{labels}}}"));
        assert!(sum.is_some_and(|sum| sum > 0.0 && sum < 60.0), "{sum:?}");
        let buckets: Vec<f64> = lines
            .iter()
            .filter(|(name, _)| name.starts_with(&format!("dianjing_request_seconds_bucket{{{labels}")))
            .map(|(_, number)| *number)
            .collect();
        assert!(buckets.len() > 5 && buckets.is_sorted(), "they are cumulated: {buckets:?}");
    }
    assert!(of("dianjing_connections").is_some_and(|n| n >= 1.0), "this one: {}", page.text);
    assert_eq!(of("dianjing_connections_refused_total"), Some(0.0));
    assert!(page.text.contains("# TYPE dianjing_request_seconds histogram\n"));
    assert!(!page.text.contains("secret") && !page.text.contains(&dataset), "{}", page.text);
}

/// An import of many rows that has only just begun, or waits for its turn: its upload and its job.
fn long_import(owner: &Client) -> (String, String) {
    let rows: String = (0..40_000).map(|row| format!("what was said the {row}th time\n")).collect();
    let dataset = id(&owner.post("/v1/datasets", &json!({ "name": "notes" })));
    let upload = id(&owner.post(&format!("/v1/datasets/{dataset}/uploads"), &json!({})));
    let put = format!("/v1/uploads/{upload}/file?path=notes.csv");
    let told = owner.ask("PUT", &put, Some("text/csv"), format!("text\n{rows}").as_bytes());
    assert_eq!(told.status, 200, "{told:?}");
    let job = id(&owner.post(&format!("/v1/uploads/{upload}/finish"), &json!({})));
    (upload, job)
}

#[test]
fn what_was_sent_for_an_import_that_waits_goes_when_it_is_stopped() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    // As many as there are workers that bring data in.
    let before = [long_import(&owner), long_import(&owner)];
    let (upload, waits) = long_import(&owner);
    owner.post(&format!("/v1/jobs/{waits}/cancel"), &json!({}));
    assert_eq!(owner.wait(&waits)["state"], "cancelled");
    owner.until(|| (!data.join("uploads").join(&upload).exists()).then_some(()));
    for (_, job) in before {
        assert_eq!(owner.wait(&job)["state"], "done");
    }
}

#[test]
fn an_import_goes_on_with_what_was_sent_when_the_server_comes_back() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let jobs = [long_import(&owner).1, long_import(&owner).1];
    drop(server);
    let server = start(Way::Local, &data);
    let owner = server.owner();
    for job in jobs {
        assert_eq!(owner.wait(&job)["result"]["n_examples"], 40_000);
    }
}
