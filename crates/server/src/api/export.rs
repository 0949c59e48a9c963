//! Data sets on their way out, in the formats of the field, as a stream that is made while it is sent.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use exchange::{Format, Header, Tally};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{IntoParams, ToSchema};

use super::examples::unveiled;
use super::history::check;
use super::reading::{Asked, found};
use crate::App;
use crate::answering::lang_of;
use crate::error::ApiError;
use crate::items::Items;
use crate::people::{Caller, Right};

/// Says of how many examples nobody decided which of several people's marks hold.
const UNSETTLED: HeaderName = HeaderName::from_static("x-dianjing-unsettled");
/// Bytes that are sent at once.
const PIECE: usize = 64 << 10;
/// Pieces that wait for a slow reader; the writer waits for room.
const WAITING: usize = 8;
/// How long it waits: each export under way holds a thread.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// `csv`, `jsonl`, `parquet`, `coco`, `voc`, `yolo`, `mvtec`, `label-studio` or `folders`; `csv` when absent.
    format: Option<String>,
    /// 1 to have the files in it; then a table comes as an archive.
    files: Option<u8>,
    /// A state by its number: the labels and marks of then; those of now when absent.
    state: Option<i64>,
}

/// What each format can hold of a data set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Formats {
    formats: Vec<Fit>,
    /// Examples on which several people marked different things and nobody decided: those marks go out that came with the data, or were given first.
    n_unsettled: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Fit {
    format: &'static str,
    /// For people.
    title: &'static str,
    /// Whether it can hold this data set at all.
    fits: bool,
    /// What would be lost or changed; absent where nothing is.
    why: Option<String>,
    /// Whether it always comes with the files.
    with_files: bool,
}

/// The examples with their labels and marks, in a format. Of what several people marked those marks go out that were decided on, else those that came
/// with the data, or were given first; `x-dianjing-unsettled` says on how many examples they marked different things and nobody decided, of the state of now.
#[utoipa::path(get, path = "/v1/datasets/{id}/export", tag = "data", params(Wanted), responses((status = 200)))]
pub(super) async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(Wanted { format, files, state }): Asked<Wanted>,
) -> Result<Response, ApiError> {
    caller.may(Right::Look)?;
    let dataset = found(app.db.dataset(&caller.tenant, &id).await?)?;
    unveiled(&dataset, &caller)?;
    let format = match format.as_deref() {
        None | Some("") => Format::Csv,
        Some(name) => Format::from_name(name).ok_or_else(unknown)?,
    };
    let files = files == Some(1);
    let turn = turn(&app).await?;
    let (header, mut items) = Items::of(&app, &caller.tenant, &dataset).await?;
    if let Some(state) = state {
        check(&dataset, state)?;
        items = items.at(state);
    }
    let tally = tally(&app, items.clone()).await?;
    if let Some(loss) = exchange::losses(format, &header, &tally).into_iter().find(exchange::Loss::is_total) {
        let (en, zh) = (
            format!("{} cannot hold this data set: {}", format.title(), loss.english()),
            format!("{} 无法表示该数据集：{}", format.title(), loss.chinese()),
        );
        return Err(ApiError::invalid(en, zh).hint("choose another format", "请选择其他格式"));
    }
    let name = attachment(&dataset.name, format, files);
    let n_unsettled = app.db.n_unsettled(&caller.tenant, &id).await?;
    let headers = [
        (CONTENT_TYPE, format.media_type(files).to_owned()),
        (CONTENT_DISPOSITION, name),
        (UNSETTLED, n_unsettled.to_string()),
    ];
    let items = if files || with_files(format) { items.with_files() } else { items };
    app.db.note(&caller.tenant, &caller.person.name, "export data", &id).await?;
    Ok((headers, streamed((header, items), format, files, turn)).into_response())
}

/// Says what each format can hold of a data set.
#[utoipa::path(get, path = "/v1/datasets/{id}/export/formats", tag = "data", responses((status = 200, body = Formats)))]
pub(super) async fn formats(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Formats>, ApiError> {
    caller.may(Right::Look)?;
    let dataset = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let lang = lang_of(&headers);
    let _turn = turn(&app).await?;
    let (header, items) = Items::of(&app, &caller.tenant, &dataset).await?;
    let tally = tally(&app, items).await?;
    let fit = |format: Format| {
        let losses = exchange::losses(format, &header, &tally);
        let why: Vec<String> = losses.iter().map(|loss| lang.pick(loss.english(), loss.chinese())).collect();
        Fit {
            format: format.name(),
            title: format.title(),
            fits: !losses.iter().any(exchange::Loss::is_total),
            why: (!why.is_empty()).then(|| why.join(lang.pick("; ", "；"))),
            with_files: with_files(format),
        }
    };
    let n_unsettled = app.db.n_unsettled(&caller.tenant, &id).await?;
    Ok(Json(Formats { formats: Format::ALL.into_iter().map(fit).collect(), n_unsettled }))
}

/// A turn at reading a whole data set, which is taken before anything of it is read.
async fn turn(app: &App) -> Result<OwnedSemaphorePermit, ApiError> {
    app.exports.clone().acquire_owned().await.map_err(|error| ApiError::internal(&error))
}

/// Whether a format is nothing without its files.
fn with_files(format: Format) -> bool {
    matches!(format, Format::Mvtec | Format::Folders)
}

/// Saved under the data set's name: in its own letters (RFC 6266), and plainly for those who read no others.
fn attachment(of: &str, format: Format, files: bool) -> String {
    let ending = format!("{}.{}", format.name(), format.file_ending(files));
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    let own: String = of.bytes().map(byte).collect();
    format!("attachment; filename=\"dianjing-{ending}\"; filename*=UTF-8''{own}-{ending}")
}

fn unknown() -> ApiError {
    let names: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
    let names = names.join(", ");
    ApiError::invalid(format!("`format` is one of {names}"), format!("format 须为 {names} 之一"))
}

async fn tally(app: &App, items: Items) -> Result<Tally, ApiError> {
    app.blocking(move || {
        let mut tally = Tally::default();
        for item in items {
            tally.add(&item?);
        }
        Ok(tally)
    })
    .await
}

/// Writes into the body while it is read. What fails half-way breaks the connection off, so that nobody takes half for the whole.
fn streamed(
    (header, items): (Header, Items),
    format: Format,
    files: bool,
    turn: OwnedSemaphorePermit,
) -> Body {
    let (to, from) = channel(WAITING);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut pipe = Pipe { to: to.clone(), runtime, buffer: Vec::with_capacity(PIECE) };
        let written = exchange::write(format, &header, items, files, &mut pipe).map_err(io::Error::other);
        if let Err(error) = written.and_then(|()| pipe.flush())
            && !to.is_closed()
        {
            tracing::error!(%error, "an export broke off");
            // Who does not read does not hear of it either.
            let _ = to.try_send(Err(error));
        }
    });
    Body::from_stream(ReceiverStream::new(from))
}

/// Hands what is written to who reads the body.
struct Pipe {
    to: Sender<io::Result<Bytes>>,
    runtime: Handle,
    buffer: Vec<u8>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE)));
        let sent = self.runtime.block_on(tokio::time::timeout(PATIENCE, self.to.send(Ok(piece))));
        match sent {
            Ok(sent) => sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe)),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::Task;

    #[test]
    fn a_file_is_called_as_its_data_set() {
        let name = attachment("瓷砖 3", Format::Coco, true);
        assert_eq!(
            name,
            "attachment; filename=\"dianjing-coco.zip\"; filename*=UTF-8''%E7%93%B7%E7%A0%96%203-coco.zip"
        );
    }

    #[tokio::test]
    async fn nothing_is_read_before_it_is_its_turn() {
        let dir = tempfile::tempdir().expect("a folder");
        let settings = crate::Settings {
            listen: "127.0.0.1:0".parse().expect("an address"),
            way: crate::Way::Local,
            dir: dir.path().to_owned(),
            database: None,
            store: None,
            workers: 1,
            max_upload: 1,
            body_patience: PATIENCE,
            max_rate: None,
            max_connections: None,
            max_examples: None,
            max_bytes: None,
            max_copies: None,
            oidc: None,
        };
        let home = pipeline::Home::by_default().expect("a home");
        let app = Arc::new(App::open(&settings, home).await.expect("an app"));
        let ann = app.db.found("ours", "ann").await.expect("asked").expect("an owner");
        let caller = Caller::of(app.db.person(&ann).await.expect("asked").expect("ann"), None);
        let id = app.db.add_dataset(&caller.tenant, "set", Task::Class).await.expect("added");
        // That there is nothing in it is seen when it is read.
        let wanted = Wanted { format: None, files: None, state: None };
        let asked = export(State(app.clone()), caller.clone(), Path(id.clone()), Asked(wanted));
        let told = formats(State(app.clone()), caller, HeaderMap::new(), Path(id));
        let all = app.exports.available_permits() as u32;
        let turns = app.exports.acquire_many(all).await.expect("free");
        let (mut asked, mut told) = (Box::pin(asked), Box::pin(told));
        let moment = Duration::from_millis(200);
        assert!(tokio::time::timeout(moment, &mut asked).await.is_err());
        assert!(tokio::time::timeout(moment, &mut told).await.is_err());
        drop(turns);
        assert_eq!(asked.await.map(drop).map_err(|error| error.code), Err("conflict"));
        assert_eq!(told.await.map(drop).map_err(|error| error.code), Err("conflict"));
    }
}
