//! Coming in and going out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reading::{Sent, found, name_of};
use crate::App;
use crate::Way;
use crate::db::Tenant;
use crate::db::people::PersonRow;
use crate::db::setting_up::SetUp;
use crate::error::ApiError;
use crate::people::{
    Caller, Origin, Role, cookie_of, forget_cookie, hash_password, password_fits, session_cookie,
};

/// Shortest password.
const PASSWORD_LENGTH: usize = 10;

/// What the first page must know.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    version: &'static str,
    /// `local`: one person on their own machine. `team`: people log in.
    #[schema(example = "local")]
    way: &'static str,
    /// Nobody who owns it can log in yet: whoever has the key sets the server up.
    needs_setup: bool,
    /// What people may log in with besides a password, at `/v1/oidc/start`; absent where there is nothing.
    provider: Option<String>,
}

/// Who is in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Session {
    person: Me,
    tenant: Home,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    id: String,
    name: String,
    role: Role,
    /// Where the provider's word that it is them counts.
    email: Option<String>,
    /// Whether they may come in with a password.
    has_password: bool,
    /// Whether they may come in with an account of the provider.
    linked: bool,
}

/// Whose things one sees.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Home {
    id: String,
    name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    /// Of this start of the server, or made for one more device.
    key: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    /// Printed by the server when it started.
    key: String,
    /// What the team is called.
    tenant: String,
    /// The first owner.
    name: String,
    /// At least ten characters.
    password: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    name: String,
    password: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    old: String,
    /// At least ten characters.
    new: String,
}

/// Says what kind of server this is. Open to everyone.
#[utoipa::path(get, path = "/v1/status", tag = "entering", responses((status = 200, body = Status)))]
pub(super) async fn status(State(app): State<Arc<App>>) -> Result<Json<Status>, ApiError> {
    let team = app.way == Way::Team;
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        way: if team { "team" } else { "local" },
        needs_setup: team && !app.db.is_set_up().await?,
        provider: app.provider.as_ref().map(|provider| provider.settings.name.clone()),
    }))
}

/// Comes in with a key of a local server: that of its start, or one for another device. Whoever has it is its owner; each serves once.
#[utoipa::path(post, path = "/v1/enter", tag = "entering", request_body = Key, responses((status = 200, body = Session)))]
pub(super) async fn enter(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Sent(Key { key }): Sent<Key>,
) -> Result<impl IntoResponse, ApiError> {
    if app.way != Way::Local || !app.keys.take(&key) {
        return Err(wrong_key());
    }
    if app.db.found("local", "owner").await?.is_some() {
        tracing::info!("the first start on this folder");
    }
    let owner = found(app.db.first_owner().await?)?;
    begin(&app, &headers, owner).await
}

/// Sets a team's server up: the first person owns it.
#[utoipa::path(post, path = "/v1/setup", tag = "entering", request_body = Setup, responses((status = 200, body = Session)))]
pub(super) async fn setup(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Sent(setup): Sent<Setup>,
) -> Result<impl IntoResponse, ApiError> {
    if app.way != Way::Team || !app.keys.fits(&setup.key) {
        return Err(wrong_key());
    }
    let (tenant, name) = (name_of(&setup.tenant)?, name_of(&setup.name)?);
    let password = hashed(&app, setup.password).await?;
    let person = match app.db.set_up(&tenant, &name, &password).await? {
        SetUp::Done(person) => person,
        SetUp::Already => {
            return Err(ApiError::conflict(
                "this server is set up already: log in",
                "此服务器已完成初始设置：请登录",
            ));
        }
        SetUp::NameTaken => {
            return Err(ApiError::conflict(
                "somebody has that name: choose another",
                "该用户名已被使用：请换一个",
            ));
        }
    };
    app.keys.take(&setup.key);
    let person = found(app.db.person(&person).await?)?;
    app.db.note(&Tenant::of_row(person.tenant.clone()), &name, "set up", &tenant).await?;
    begin(&app, &headers, person).await
}

/// Logs in with name and password.
#[utoipa::path(post, path = "/v1/login", tag = "entering", request_body = Login, responses((status = 200, body = Session)))]
pub(super) async fn login(
    State(app): State<Arc<App>>,
    Origin(from): Origin,
    headers: HeaderMap,
    Sent(login): Sent<Login>,
) -> Result<impl IntoResponse, ApiError> {
    let name = name_of(&login.name)?;
    app.attempts.check(&name, from)?;
    let person = app.db.person_by_name(&name).await?;
    let kept = person.as_ref().and_then(|person| person.password.clone());
    let fits = fits(&app, login.password, kept).await?;
    match person {
        Some(person) if fits => {
            app.attempts.forgive(&name, from);
            begin(&app, &headers, person).await
        }
        _ => {
            app.counters.wrong_password();
            let (en, zh) = ("name or password is wrong", "用户名或密码错误");
            Err(ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", en, zh))
        }
    }
}

/// Ends the session.
#[utoipa::path(post, path = "/v1/logout", tag = "entering", responses((status = 204)))]
pub(super) async fn logout(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    if let Some(secret) = cookie_of(&headers) {
        app.db.end_session(secret).await?;
    }
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, forget_cookie())])))
}

/// Says who is in.
#[utoipa::path(get, path = "/v1/session", tag = "entering", responses((status = 200, body = Session), (status = 401, body = crate::error::ErrorBody)))]
pub(super) async fn session(caller: Caller) -> Json<Session> {
    Json(session_of(&caller.person))
}

/// Gives oneself another password, and ends all one's sessions but this browser's, which gets a new one. Who does not know the old password may not.
#[utoipa::path(post, path = "/v1/password", tag = "entering", request_body = NewPassword, responses((status = 204)))]
pub(super) async fn password(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
    headers: HeaderMap,
    Sent(new): Sent<NewPassword>,
) -> Result<impl IntoResponse, ApiError> {
    knows_password(&app, &caller, origin, new.old).await?;
    app.db.set_password(&caller.person.id, &hashed(&app, new.new).await?).await?;
    app.db.note(&caller.tenant, &caller.person.name, "change password", "").await?;
    let cookie = stay_in(&app, &headers, &caller).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)])))
}

/// Refuses who does not know the password of who they are.
pub(super) async fn knows_password(
    app: &App,
    caller: &Caller,
    Origin(from): Origin,
    given: String,
) -> Result<(), ApiError> {
    caller.in_person()?;
    app.proofs.check(&caller.person.name, from)?;
    if !fits(app, given, caller.person.password.clone()).await? {
        app.counters.wrong_password();
        return Err(ApiError::invalid("the password is wrong", "密码错误"));
    }
    app.proofs.forgive(&caller.person.name, from);
    Ok(())
}

/// Lets this browser stay in whose sessions were all ended, and returns the cookie of its new one.
pub(super) async fn stay_in(app: &App, headers: &HeaderMap, caller: &Caller) -> Result<String, ApiError> {
    Ok(session_cookie(&app.db.begin_session(&caller.person.id).await?, headers))
}

/// Keeps a password as a hash, away from the threads that answer.
pub(super) async fn hashed(app: &App, password: String) -> Result<String, ApiError> {
    if password.chars().count() < PASSWORD_LENGTH {
        return Err(ApiError::invalid("a password has at least ten characters", "密码至少需要十个字符"));
    }
    let _turn = app.hashing.acquire().await.map_err(|error| ApiError::internal(&error))?;
    let hash = app.blocking(move || Ok(hash_password(&password))).await?;
    hash.ok_or_else(|| ApiError::internal(&"the password could not be hashed"))
}

/// Whether a password is the one that is kept. Few are tried at once: each takes twenty megabytes for a while.
async fn fits(app: &App, password: String, kept: Option<String>) -> Result<bool, ApiError> {
    let _turn = app.hashing.acquire().await.map_err(|error| ApiError::internal(&error))?;
    app.blocking(move || Ok(password_fits(&password, kept.as_deref()))).await
}

async fn begin(
    app: &App,
    headers: &HeaderMap,
    person: PersonRow,
) -> Result<impl IntoResponse + use<>, ApiError> {
    let body = Json(session_of(&person));
    let cookie = begin_session(app, headers, person).await?;
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), body))
}

/// Begins a session, and returns the cookie that carries it.
pub(super) async fn begin_session(
    app: &App,
    headers: &HeaderMap,
    person: PersonRow,
) -> Result<String, ApiError> {
    // A session from before is not taken over: its secret may be known to others.
    if let Some(before) = cookie_of(headers) {
        app.db.end_session(before).await?;
    }
    let secret = app.db.begin_session(&person.id).await?;
    let caller = Caller::of(person, None);
    app.db.note(&caller.tenant, &caller.person.name, "log in", "").await?;
    Ok(session_cookie(&secret, headers))
}

fn session_of(person: &PersonRow) -> Session {
    Session {
        person: Me {
            id: person.id.clone(),
            name: person.name.clone(),
            role: Role::named(&person.role),
            email: person.email.clone(),
            has_password: person.password.is_some(),
            linked: person.n_accounts > 0,
        },
        tenant: Home { id: person.tenant.clone(), name: person.tenant_name.clone() },
    }
}

fn wrong_key() -> ApiError {
    let hint = (
        "start the server again: it prints a new one; or let a device in anew from the settings",
        "请重新启动服务器以得到新的密钥；或在“设置”中重新让设备进入",
    );
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        "the key is wrong or was used",
        "密钥错误或已被使用",
    )
    .hint(hint.0, hint.1)
}
