//! A file on its way to a browser: whole, or the part that a player asks for (RFC 9110, section 14), piece by piece.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::App;
use crate::answering::lasting;
use crate::copies::InUse;
use crate::error::ApiError;
use crate::pictures;

/// Bytes that are read at once.
const PIECE: u64 = 256 << 10;
/// Bytes by which a file is known.
const HEAD: u64 = 16;

/// What of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Whole,
    /// From the first of these bytes to before the second.
    Part(u64, u64),
    /// It does not reach that far.
    Nothing,
}

/// The blob of this name, or the part of it that the headers ask for.
pub(crate) async fn send(app: &Arc<App>, blob: String, asked: &HeaderMap) -> Result<Response, ApiError> {
    let of = app.clone();
    let (path, here, kind, length) = app
        .blocking(move || {
            let here = of.blobs.fetch(std::iter::once(blob.as_str()))?;
            let path = of.blobs.path(&blob);
            let file = File::open(&path)?;
            let length = file.metadata()?.len();
            let mut head = Vec::new();
            file.take(HEAD).read_to_end(&mut head)?;
            // What a browser could run is not shown as what it says it is.
            let kind = pictures::kind_of(&head, &path).unwrap_or("application/octet-stream");
            Ok((path, here, kind, length))
        })
        .await?;
    let range = asked.get(RANGE).and_then(|range| range.to_str().ok());
    let (status, from, to) = match range.map_or(Wanted::Whole, |range| wanted(range, length)) {
        Wanted::Whole => (StatusCode::OK, 0, length),
        Wanted::Part(from, to) => (StatusCode::PARTIAL_CONTENT, from, to),
        Wanted::Nothing => {
            let place = [(CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, place).into_response());
        }
    };
    let mut response = (status, Body::from_stream(pieces(path, here, from, to))).into_response();
    lasting(response.headers_mut(), kind);
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(to - from));
    if status == StatusCode::PARTIAL_CONTENT {
        let place = format!("bytes {from}-{}/{length}", to - 1);
        headers.insert(CONTENT_RANGE, HeaderValue::from_str(&place).expect("digits are plain"));
    }
    Ok(response)
}

/// The one range of a header; several, and what cannot be read, ask for the whole, as the standard allows.
fn wanted(range: &str, length: u64) -> Wanted {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'))
    else {
        return Wanted::Whole;
    };
    let (from, to) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(length)),
        (Ok(first), Err(_)) if last.is_empty() => (first, length),
        (Err(_), Ok(last)) if first.is_empty() => (length.saturating_sub(last), length),
        _ => return Wanted::Whole,
    };
    if from < to { Wanted::Part(from, to) } else { Wanted::Nothing }
}

/// The bytes of a file that stays here until the last of them is read; between two pieces no thread waits for a slow reader.
fn pieces(
    path: PathBuf,
    here: InUse,
    from: u64,
    to: u64,
) -> impl tokio_stream::Stream<Item = io::Result<Bytes>> {
    async_stream::try_stream! {
        let _here = here;
        let mut at = from;
        while at < to {
            let (path, length) = (path.clone(), PIECE.min(to - at));
            let read = move || {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(at))?;
                let mut piece = vec![0; length as usize];
                file.read_exact(&mut piece)?;
                Ok::<_, io::Error>(piece)
            };
            let piece = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
            at += length;
            yield Bytes::from(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_get_the_part_that_they_ask_for() {
        for (range, expected) in [
            ("bytes=0-", Wanted::Part(0, 100)),
            ("bytes=10-19", Wanted::Part(10, 20)),
            ("bytes=90-500", Wanted::Part(90, 100)),
            ("bytes=-30", Wanted::Part(70, 100)),
            ("bytes=-300", Wanted::Part(0, 100)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=20-10", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("items=0-1", Wanted::Whole),
            ("bytes=0-18446744073709551615", Wanted::Part(0, 100)),
        ] {
            assert_eq!(wanted(range, 100), expected, "{range}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Nothing);
    }
}
