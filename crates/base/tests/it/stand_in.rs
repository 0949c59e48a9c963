//! A stand-in of a model hub on the loopback interface: its two endpoints, ranges, and transfers that break off.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use sha2::{Digest, Sha256};

/// The commit that the stand-in gives for any revision.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A running stand-in; it ends with the test.
pub(crate) struct HubStandIn {
    /// Its address.
    pub(crate) endpoint: String,
    /// Every request so far: the path, the range and the authorization asked for.
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
}

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    pub(crate) authorization: Option<String>,
}

/// Serves `files` of the repository `owner/net`. The first transfer of any file breaks off after `cut` bytes.
pub(crate) fn serve(files: &[(&str, Vec<u8>)], cut: Option<usize>) -> HubStandIn {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let files: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect();
    let (seen, cut) = (Arc::clone(&requests), Arc::new(Mutex::new(cut)));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (files, seen, cut) = (files.clone(), Arc::clone(&seen), Arc::clone(&cut));
            thread::spawn(move || answer(stream, &files, &seen, &cut));
        }
    });
    HubStandIn { endpoint, requests }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn answer(
    mut stream: TcpStream,
    files: &BTreeMap<String, Vec<u8>>,
    seen: &Mutex<Vec<Request>>,
    cut: &Mutex<Option<usize>>,
) {
    let Some(request) = read_request(&stream) else { return };
    seen.lock().unwrap().push(request.clone());
    let resolved = format!("/owner/net/resolve/{COMMIT}/");
    let listing = "/api/models/owner/net/revision/main";
    if request.path.split('?').next() == Some(listing) {
        let siblings: Vec<_> = files
            .iter()
            .map(|(name, bytes)| serde_json::json!({"rfilename": name, "lfs": {"sha256": sha256(bytes), "size": bytes.len()}}))
            .collect();
        let body = serde_json::json!({"sha": COMMIT, "siblings": siblings}).to_string();
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        return;
    }
    let Some(bytes) = request.path.strip_prefix(&resolved).and_then(|name| files.get(name)) else {
        let _ = write!(stream, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return;
    };
    let from = request
        .range
        .as_deref()
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
    let rest = &bytes[from.unwrap_or(0)..];
    let _ =
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", rest.len());
    let sent = cut.lock().unwrap().take().map_or(rest.len(), |cut| cut.min(rest.len()));
    let _ = stream.write_all(&rest[..sent]);
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    Some(Request { path, range: headers.remove("range"), authorization: headers.remove("authorization") })
}
