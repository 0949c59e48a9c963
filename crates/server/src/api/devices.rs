//! Other devices of who is in: letting one in, and putting all others out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::enter::stay_in;
use super::reading::Sent;
use crate::App;
use crate::Way;
use crate::error::ApiError;
use crate::nearby::{Door, SPELL, doors, is_open};
use crate::people::{Caller, Right};

/// Longest page of the studio that a device may begin with, in bytes: the code that a phone reads grows with it.
const LONGEST_PAGE: usize = 200;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForDevice {
    /// The page of the studio that it begins with, such as `/settings`; the first one when absent.
    to: Option<String>,
}

/// A key for one more device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NewKey {
    /// Addresses with the key, of which one is that of the network that the device is in, the likeliest first.
    doors: Vec<KeyedDoor>,
    /// How long the key fits.
    minutes: u64,
}

/// An address that lets a device in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyedDoor {
    address: String,
    /// The address as a QR code: rows of `1`, which is dark, and `0`, without the quiet zone around.
    code: Vec<String>,
}

impl From<Door> for KeyedDoor {
    fn from(door: Door) -> Self {
        let row = |row: Vec<bool>| row.into_iter().map(|dark| if dark { '1' } else { '0' }).collect();
        Self { address: door.address, code: door.code.into_iter().map(row).collect() }
    }
}

/// Makes a key that lets one more device of the owner into a local server, once. Only a browser that is in makes one, and only where the server
/// listens to more than its own machine.
#[utoipa::path(post, path = "/v1/keys", tag = "entering", request_body = ForDevice, responses((status = 200, body = NewKey)))]
pub(super) async fn let_in(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(ForDevice { to }): Sent<ForDevice>,
) -> Result<Json<NewKey>, ApiError> {
    caller.may(Right::Govern)?;
    caller.in_person()?;
    if to.as_deref().is_some_and(|to| !to.starts_with('/') || to.len() > LONGEST_PAGE) {
        let (en, zh) =
            ("`to` is a page of the studio, such as /settings", "to 须为工作台中的页面，例如 /settings");
        return Err(ApiError::invalid(en, zh));
    }
    if app.way != Way::Local {
        return Err(ApiError::conflict("on this server people log in", "此服务器须登录使用"));
    }
    let listening = app.listening();
    if !is_open(listening) {
        let (en, zh) = ("this studio can only be reached from its own computer", "此工作台仅可从本机访问");
        return Err(ApiError::conflict(en, zh).hint(
            "close it and start it with `dianjing studio --phone`",
            "请关闭后用 dianjing studio --phone 重新启动",
        ));
    }
    let doors: Vec<KeyedDoor> =
        doors(listening, &app.keys.make_for(SPELL), to.as_deref()).into_iter().map(Into::into).collect();
    if doors.is_empty() {
        let (en, zh) = ("this computer is in no network", "本机未连接任何网络");
        return Err(ApiError::conflict(en, zh)
            .hint("join the network that the phone is in", "请连接到手机所在的网络"));
    }
    app.db.note(&caller.tenant, &caller.person.name, "let a device in", "").await?;
    Ok(Json(NewKey { doors, minutes: SPELL.as_secs() / 60 }))
}

/// Logs all other browsers of who asks out, and devices that were let in; keys for devices no longer fit, and this browser gets a new session. Tokens stay.
#[utoipa::path(delete, path = "/v1/sessions", tag = "entering", responses((status = 204)))]
pub(super) async fn put_others_out(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    caller.in_person()?;
    // Who is put out may have made a key to come in by again.
    if app.way == Way::Local {
        app.keys.forget_devices();
    }
    app.db.end_all_sessions(&caller.person.id).await?;
    app.db.note(&caller.tenant, &caller.person.name, "log out elsewhere", "").await?;
    let cookie = stay_in(&app, &headers, &caller).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)])))
}
