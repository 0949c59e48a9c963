//! A file on its way, piece by piece: to a browser whole, or the part that a player asks for (RFC 9110, section 14); or into a folder here.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tempfile::NamedTempFile;
use tokio_stream::StreamExt as _;

use crate::App;
use crate::answering::lasting;
use crate::copies::InUse;
use crate::db::Tenant;
use crate::error::ApiError;
use crate::pictures;

/// Bytes that are read at once.
const PIECE: u64 = 256 << 10;
/// Largest bundle that is brought: inspectors remember many good parts.
const MOST_BUNDLE: u64 = 512 << 20;
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
    let (file, here, kind, length) = app
        .blocking(move || {
            let here = of.blobs.fetch(std::iter::once(blob.as_str()))?;
            let path = of.blobs.path(&blob);
            let file = File::open(&path)?;
            let length = file.metadata()?.len();
            let mut head = Vec::new();
            (&file).take(HEAD).read_to_end(&mut head)?;
            // What a browser could run is not shown as what it says it is.
            let kind = pictures::kind_of(&head, &path).unwrap_or("application/octet-stream");
            Ok((file, here, kind, length))
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
    let mut response = (status, Body::from_stream(pieces(file, here, from, to))).into_response();
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

/// A bundle to be kept by who asks; `None` where there is none.
pub(crate) async fn send_bundle(app: &Arc<App>, id: &str) -> Result<Option<Response>, ApiError> {
    let (of, name) = (app.clone(), format!("{id}.djm"));
    let there = app.blocking(move || {
        let Some(here) = of.models.fetch(&name)? else { return Ok(None) };
        let file = File::open(of.models.path(&name))?;
        let length = file.metadata()?.len();
        Ok(Some((file, here, length)))
    });
    Ok(there.await?.map(|(file, here, length)| {
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
            (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"model.djm\"")),
            (CONTENT_LENGTH, HeaderValue::from(length)),
        ];
        (headers, Body::from_stream(pieces(file, here, 0, length))).into_response()
    }))
}

/// A bundle on its way in, which is to be no larger than bundles are and than its tenant has room for.
pub(crate) async fn take_bundle(
    app: &App,
    tenant: &Tenant,
    headers: &HeaderMap,
    body: Body,
    path: PathBuf,
) -> Result<u64, ApiError> {
    let most = match app.db.left(tenant, app.limits).await? {
        Some((left, full)) if left < MOST_BUNDLE => (left, full.into()),
        _ => (MOST_BUNDLE, too_large()),
    };
    take(headers, body, path, most).await
}

/// Writes a body into a file as it comes, at most so many bytes, of more than which `over` is said: at once where the headers say that there are
/// more. Returns how many. No thread waits for a slow sender, and of what breaks off nothing is left.
async fn take(
    headers: &HeaderMap,
    body: Body,
    path: PathBuf,
    (most, over): (u64, ApiError),
) -> Result<u64, ApiError> {
    let stated = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if stated.is_some_and(|stated| stated > most) {
        return Err(over);
    }
    let (mut pieces, mut size) = (body.into_data_stream(), 0);
    let place = path.clone();
    let mut out = aside(move || beside(&place)).await?;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| ended_early())?;
        size += piece.len() as u64;
        if size > most {
            return Err(over);
        }
        out = aside(move || out.write_all(&piece).map(|()| out)).await?;
    }
    let kept = move || {
        out.as_file().sync_all()?;
        out.persist(&path)?;
        // The name as well is on the disk then. Not every system lets a folder be flushed.
        let _ = path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all());
        Ok(())
    };
    aside(kept).await?;
    Ok(size)
}

/// A file beside a place, on its way there; gone when it is dropped. What a server that broke off left is swept by its name.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let create = |place: &Path| File::options().write(true).create_new(true).open(place);
    tempfile::Builder::new().prefix(".coming-").make_in(folder, create)
}

/// Does something short with a file away from the threads that answer.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ApiError> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))??)
}

fn too_large() -> ApiError {
    let mib = MOST_BUNDLE >> 20;
    let (en, zh) = (format!("a bundle has at most {mib} MiB"), format!("模型包最多 {mib} MiB"));
    ApiError::too_large(en, zh).hint(
        "an inspector is smaller that learned from fewer good parts",
        "检测模型用较少的良品训练，文件会小一些",
    )
}

fn ended_early() -> ApiError {
    ApiError::invalid("the file ended early", "传输中断").hint("send it again", "请重新发送")
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
    mut file: File,
    here: InUse,
    from: u64,
    to: u64,
) -> impl tokio_stream::Stream<Item = io::Result<Bytes>> {
    async_stream::try_stream! {
        let _here = here;
        let mut at = from;
        while at < to {
            let length = PIECE.min(to - at);
            let read = move || {
                file.seek(SeekFrom::Start(at))?;
                let mut piece = vec![0; length as usize];
                file.read_exact(&mut piece)?;
                Ok::<_, io::Error>((piece, file))
            };
            let piece;
            (piece, file) = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
            at += length;
            yield Bytes::from(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

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

    /// Bytes that tell when they are gone.
    struct Counted(Vec<u8>, Arc<AtomicUsize>);

    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A body of so many pieces of 64 KiB, with how many of them are held, and were at most.
    fn body(count: usize, breaks_off: bool) -> (Body, Arc<AtomicUsize>) {
        let (held, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let told = most.clone();
        let pieces = async_stream::try_stream! {
            for number in 0..count {
                let now = held.fetch_add(1, Ordering::Relaxed) + 1;
                most.fetch_max(now, Ordering::Relaxed);
                yield Bytes::from_owner(Counted(vec![number as u8; 64 << 10], held.clone()));
            }
            if breaks_off {
                Err(io::Error::other("the connection is gone"))?;
            }
        };
        let pieces: std::pin::Pin<Box<dyn tokio_stream::Stream<Item = io::Result<Bytes>> + Send>> =
            Box::pin(pieces);
        (Body::from_stream(pieces), told)
    }

    fn over() -> ApiError {
        ApiError::too_large("more than a test takes", "超出测试上限")
    }

    /// On a runtime with one thread that may wait: whoever held it while a sender drips would stop the others.
    #[test]
    fn who_sends_slowly_holds_no_thread() {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build();
        runtime.expect("a runtime").block_on(async {
            let dir = tempfile::tempdir().expect("a folder");
            let (go_on, waits) = tokio::sync::oneshot::channel::<()>();
            let began = Arc::new(tokio::sync::Notify::new());
            let told = began.clone();
            let drips = Body::from_stream(async_stream::stream! {
                yield Ok::<_, io::Error>(Bytes::from_static(b"a"));
                told.notify_one();
                waits.await.expect("somebody goes on");
                yield Ok(Bytes::from_static(b"b"));
            });
            let path = dir.path().join("slow");
            let slow = tokio::spawn(async move { take(&HeaderMap::new(), drips, path, (10, over())).await });
            began.notified().await;
            let quick =
                take(&HeaderMap::new(), Body::from("quick"), dir.path().join("quick"), (10, over())).await;
            assert_eq!(quick.expect("written"), 5);
            go_on.send(()).expect("it still comes");
            assert_eq!(slow.await.expect("no panic").expect("written"), 2);
            assert_eq!(std::fs::read(dir.path().join("slow")).expect("it is there"), b"ab");
        });
    }

    #[tokio::test]
    async fn what_comes_is_written_piece_by_piece_and_goes_piece_by_piece() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("large");
        let (large, most_held) = body(200, false);
        assert_eq!(
            take(&HeaderMap::new(), large, path.clone(), (1 << 30, over())).await.expect("written"),
            200 * (64 << 10)
        );
        let most_held = most_held.load(Ordering::Relaxed);
        assert!(most_held <= 2, "{most_held} pieces of 200 were in memory together");
        let written = std::fs::read(&path).expect("it is there");
        let file = File::open(&path).expect("it opens");
        let sent = pieces(file, InUse::default(), 0, written.len() as u64);
        let sent: Vec<Bytes> = sent.collect::<Result<_, _>>().await.expect("read");
        assert!(sent.len() == 50 && sent.iter().all(|piece| piece.len() as u64 <= PIECE));
        assert!(sent.concat() == written && written[64 << 10] == 1);
    }

    #[tokio::test]
    async fn of_what_breaks_off_or_is_too_large_nothing_is_left() {
        let dir = tempfile::tempdir().expect("a folder");
        for (breaks_off, most, code) in [(true, 1 << 30, "invalid"), (false, 100 << 10, "too_large")] {
            let taken =
                take(&HeaderMap::new(), body(3, breaks_off).0, dir.path().join("m.djm"), (most, over()))
                    .await;
            assert_eq!(taken.expect_err("it does not come").code, code);
            assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 0);
        }
    }
}
