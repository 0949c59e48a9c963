//! A model hub in the manner of Hugging Face: two endpoints, one that lists a revision and one that serves its files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use ureq::http::StatusCode;

use super::convert::Raw;
use super::{HubOptions, PullEvent, PullOptions, SourceError, Tell, check, raw_path};
use crate::catalogue::{Hub, Sha256, SourceFile};

/// How often a broken transfer is taken up again.
const ATTEMPTS: usize = 4;
const CONNECT: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(60);
/// Longest listing of a repository.
const MAX_LISTING: u64 = 16 << 20;

/// Finds the files in the hub client's own cache, or fetches them.
pub(super) fn fetch(
    hub: &Hub,
    parts: &Path,
    options: &PullOptions,
    tell: Tell<'_>,
) -> Result<Vec<Raw>, SourceError> {
    if let Some(raw) = options.hub.home.as_deref().and_then(|home| from_home(hub, home, parts).transpose()) {
        return raw;
    }
    if !options.network {
        return Err(SourceError::Offline);
    }
    let client = Client::new(&options.hub)?;
    let listing = client.listing(hub)?;
    let fetch = |(index, file): (usize, &SourceFile)| {
        let sha256 = wanted_hash(file, &listing);
        let url = format!("{}/{}/resolve/{}/{}", client.endpoint, hub.repo, listing.sha, file.path);
        // The commit is part of the name: a half-finished file of another commit must not be continued.
        let path = raw_path(parts, index, file.format);
        let part = parts.join(format!("{index}-{}.part", listing.sha));
        client.download(&url, &part, tell)?;
        if let Some(sha256) = sha256 {
            check(&part, &file.path, &sha256)?;
        }
        fs::rename(&part, &path).map_err(|source| SourceError::Disk { path: path.clone(), source })?;
        Ok(Raw::new(path, file))
    };
    hub.files.iter().enumerate().map(fetch).collect()
}

/// The catalogue's hash, else the one that the hub keeps for large files.
fn wanted_hash(file: &SourceFile, listing: &Listing) -> Option<Sha256> {
    let listed = || listing.siblings.iter().find(|sibling| sibling.rfilename == file.path)?.lfs.as_ref();
    file.sha256.clone().or_else(|| Some(listed()?.sha256.clone()))
}

/// What the hub says of a revision.
#[derive(Debug, Deserialize)]
struct Listing {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
struct Sibling {
    rfilename: String,
    #[serde(default)]
    lfs: Option<Lfs>,
}

#[derive(Debug, Deserialize)]
struct Lfs {
    sha256: Sha256,
}

struct Client {
    agent: ureq::Agent,
    endpoint: String,
    token: Option<String>,
}

impl Client {
    fn new(options: &HubOptions) -> Result<Self, SourceError> {
        let endpoint = options.endpoint.as_deref().ok_or(SourceError::NoHub)?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .timeout_per_read(Some(ANSWER))
            .build();
        Ok(Self {
            agent: config.into(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token: options.token.clone(),
        })
    }

    fn get(&self, url: &str, from: u64) -> Result<ureq::http::Response<ureq::Body>, SourceError> {
        let mut request = self.agent.get(url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if from > 0 {
            request = request.header("range", format!("bytes={from}-"));
        }
        // Weights do not get smaller, and a compressed answer could not be taken up again.
        request = request.header("accept-encoding", "identity");
        request.call().map_err(|source| SourceError::Http { url: url.to_owned(), source: source.into() })
    }

    fn listing(&self, hub: &Hub) -> Result<Listing, SourceError> {
        let url = format!("{}/api/models/{}/revision/{}?blobs=true", self.endpoint, hub.repo, hub.revision);
        let answer = self.get(&url, 0)?;
        if answer.status() != StatusCode::OK {
            return Err(SourceError::Status { url, status: answer.status().as_u16() });
        }
        let wrong = |what: String| SourceError::Answer { url: url.clone(), what };
        let bytes = answer.into_body().into_with_config().limit(MAX_LISTING).read_to_vec();
        let bytes = bytes.map_err(|error| wrong(format!("a broken listing ({error})")))?;
        let listing: Listing = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(format!("something that is no listing ({error})")))?;
        let is_commit =
            !listing.sha.is_empty() && listing.sha.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_commit { Ok(listing) } else { Err(wrong("a commit that is no hexadecimal number".to_owned())) }
    }

    /// Fetches a file into `part`, from where an earlier try stopped.
    fn download(&self, url: &str, part: &Path, tell: Tell<'_>) -> Result<(), SourceError> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match self.download_once(url, part, tell) {
                Err(error @ (SourceError::Answer { .. } | SourceError::Http { .. })) => last = Some(error),
                done => return done,
            }
        }
        Err(last.expect("at least one attempt was made"))
    }

    fn download_once(&self, url: &str, part: &Path, tell: Tell<'_>) -> Result<(), SourceError> {
        let disk = |source| SourceError::Disk { path: part.to_owned(), source };
        let here = fs::metadata(part).map_or(0, |meta| meta.len());
        let answer = self.get(url, here)?;
        let (here, mut file) = match answer.status() {
            StatusCode::PARTIAL_CONTENT => (here, OpenOptions::new().append(true).open(part).map_err(disk)?),
            StatusCode::OK => (0, File::create(part).map_err(disk)?),
            // The part is as long as the file or longer; its hash will tell.
            StatusCode::RANGE_NOT_SATISFIABLE if here > 0 => return Ok(()),
            status => return Err(SourceError::Status { url: url.to_owned(), status: status.as_u16() }),
        };
        let what = url.rsplit('/').next().unwrap_or(url).to_owned();
        let total = answer.body().content_length().map(|rest| here + rest);
        let mut body = answer.into_body().into_with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = here;
        loop {
            let cut = |source: io::Error| SourceError::Answer {
                url: url.to_owned(),
                what: format!("a transfer that broke off after {bytes} bytes ({source})"),
            };
            let len = body.read(&mut buffer).map_err(cut)?;
            if len == 0 {
                break;
            }
            file.write_all(&buffer[..len]).map_err(disk)?;
            bytes += len as u64;
            tell(PullEvent::Bytes { what: what.clone(), bytes, total });
        }
        if total.is_some_and(|total| bytes < total) {
            let what = format!("a transfer that broke off after {bytes} bytes");
            return Err(SourceError::Answer { url: url.to_owned(), what });
        }
        file.sync_all().map_err(disk)
    }
}

/// Takes the files from the hub client's cache, when all of them are there:
/// `hub/models--OWNER--NAME/{refs/REVISION, snapshots/COMMIT/FILE}`.
fn from_home(hub: &Hub, home: &Path, parts: &Path) -> Result<Option<Vec<Raw>>, SourceError> {
    let repo = home.join("hub").join(format!("models--{}", hub.repo.replace('/', "--")));
    let commit = fs::read_to_string(repo.join("refs").join(&hub.revision))
        .map_or_else(|_| hub.revision.clone(), |commit| commit.trim().to_owned());
    let snapshot = repo.join("snapshots").join(commit);
    if !hub.files.iter().all(|file| snapshot.join(&file.path).is_file()) {
        return Ok(None);
    }
    let mut raw = Vec::new();
    for (index, file) in hub.files.iter().enumerate() {
        let there = snapshot.join(&file.path);
        let path = raw_path(parts, index, file.format);
        fs::copy(&there, &path).map_err(|source| SourceError::Disk { path: there.clone(), source })?;
        if let Some(sha256) = file.sha256.clone().or_else(|| blob_hash(&there)) {
            check(&path, &file.path, &sha256)?;
        }
        raw.push(Raw::new(path, file));
    }
    Ok(Some(raw))
}

/// A large file is a link to a blob that is named after its hash.
fn blob_hash(file: &Path) -> Option<Sha256> {
    let blob: PathBuf = fs::canonicalize(file).ok()?;
    Sha256::try_from(blob.file_name()?.to_str()?.to_owned()).ok()
}
