//! Coming in by way of a provider: a browser is sent there and comes back, with a cookie that ties both ways together.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::enter::{begin_session, knows_password, stay_in};
use super::reading::{Asked, Sent, found, name_of, was_there};
use crate::App;
use crate::db::Tenant;
use crate::db::accounts::Account;
use crate::db::people::{NewPerson, PersonRow};
use crate::error::ApiError;
use crate::oidc::{Answer, Came, Claims, Provider, Refused};
use crate::people::{
    Caller, Origin, Role, came_over_tls, cookie_of, email_of, entrance_cookie, entrance_of, forget_entrance,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    password: String,
}

/// Where to go.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Away {
    /// At the provider.
    address: String,
}

/// Sends a browser to the provider to log in.
#[utoipa::path(get, path = "/v1/oidc/start", tag = "entering", responses((status = 303)))]
pub(super) async fn start(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ApiError> {
    let provider = found(app.provider.as_ref())?;
    Ok(match provider.begin(&app.db, back_to(&headers)?, None).await {
        Ok((secret, address)) => {
            let cookie = entrance_cookie(&secret, &headers);
            (AppendHeaders([(SET_COOKIE, cookie)]), to(address.as_str())).into_response()
        }
        Err(error) => turned_away(&error),
    })
}

/// Takes a browser back from the provider. Who may come in is in; others see why not.
#[utoipa::path(get, path = "/v1/oidc/back", tag = "entering", params(Answer), responses((status = 303)))]
pub(super) async fn back(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Asked(answer): Asked<Answer>,
) -> Result<Response, ApiError> {
    let provider = found(app.provider.as_ref())?;
    let mut response = match come_back(&app, provider, &headers, &answer).await {
        Ok(Some(cookie)) => (AppendHeaders([(SET_COOKIE, cookie)]), to("/")).into_response(),
        Ok(None) => to("/#/settings").into_response(),
        Err(error) => turned_away(&error),
    };
    response.headers_mut().append(SET_COOKIE, forget_entrance().parse().expect("a plain cookie"));
    Ok(response)
}

/// Begins to give oneself an account of the provider, to come in with from now on. Who does not know one's password may not.
#[utoipa::path(post, path = "/v1/oidc/link", tag = "entering", request_body = Password, responses((status = 200, body = Away)))]
pub(super) async fn link(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
    headers: HeaderMap,
    Sent(Password { password }): Sent<Password>,
) -> Result<impl IntoResponse, ApiError> {
    let provider = found(app.provider.as_ref())?;
    knows_password(&app, &caller, origin, password).await?;
    let (secret, address) = provider.begin(&app.db, back_to(&headers)?, Some(caller.person.id)).await?;
    let cookie = AppendHeaders([(SET_COOKIE, entrance_cookie(&secret, &headers))]);
    Ok((cookie, Json(Away { address: address.into() })))
}

/// Takes one's own account of the provider away, and ends all one's sessions but this browser's, which gets a new one. Who has no password would lock themselves out.
#[utoipa::path(delete, path = "/v1/oidc/link", tag = "entering", responses((status = 204), (status = 409, body = crate::error::ErrorBody)))]
pub(super) async fn unlink(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    caller.in_person()?;
    if caller.person.password.is_none() {
        let (en, zh) = ("the account is your only way in", "该账号是您唯一的登录方式");
        return Err(ApiError::conflict(en, zh).hint("ask an owner", "请联系所有者"));
    }
    let gone = was_there(app.db.remove_accounts(&caller.tenant, &caller.person.id).await?)?;
    app.db.note(&caller.tenant, &caller.person.name, "unlink account", &caller.person.id).await?;
    let cookie = stay_in(&app, &headers, &caller).await?;
    Ok((gone, AppendHeaders([(SET_COOKIE, cookie)])))
}

/// The cookie of a session that begins; `None` where an account was linked instead.
async fn come_back(
    app: &App,
    provider: &Provider,
    headers: &HeaderMap,
    answer: &Answer,
) -> Result<Option<String>, ApiError> {
    let Came { issuer, claims, links } = provider.come_back(&app.db, entrance_of(headers), answer).await?;
    let account = Account { issuer: &issuer, subject: &claims.subject };
    let Some(person) = links else {
        let person = who(app, provider, account, &claims).await?;
        return Ok(Some(begin_session(app, headers, person).await?));
    };
    // The browser may have changed hands meanwhile.
    let session = cookie_of(headers).ok_or(Refused::Lost)?;
    let caller = app.db.session(session).await?.filter(|row| row.id == person);
    let caller = Caller::of(caller.ok_or(Refused::Lost)?, None);
    if !app.db.change_account(&caller.tenant, &person, account).await? {
        return Err(Refused::Taken.into());
    }
    app.db.note(&caller.tenant, &caller.person.name, "link account", "").await?;
    Ok(None)
}

/// Whose account it is. The first time that is whoever was let in by its e-mail, or anybody of the domain that may look.
async fn who(
    app: &App,
    provider: &Provider,
    account: Account<'_>,
    claims: &Claims,
) -> Result<PersonRow, ApiError> {
    if let Some(person) = app.db.person_by_account(account).await? {
        return Ok(person);
    }
    let verified = claims.email.as_deref().filter(|_| claims.email_verified);
    let email = verified.and_then(email_of).ok_or(Refused::Unverified)?;
    let person = match app.db.person_by_email(&email).await? {
        Some(person) => person,
        None => newcomer(app, provider, &email).await?,
    };
    // Who has an account already does not come in with another one: an e-mail may have been given to somebody else.
    let tenant = Tenant::of_row(person.tenant.clone());
    if !app.db.add_account(&tenant, &person.id, account).await? {
        return Err(Refused::Taken.into());
    }
    app.db.note(&tenant, &person.name, "link account", "").await?;
    Ok(person)
}

/// Lets somebody of the domain in, among those who run the server, to look; nobody before the server has an owner who can.
async fn newcomer(app: &App, provider: &Provider, email: &str) -> Result<PersonRow, ApiError> {
    if !provider.lets_in(email) || !app.db.is_set_up().await? {
        return Err(Refused::Unknown.into());
    }
    let owner = app.db.first_owner().await?.ok_or(Refused::Unknown)?;
    let (tenant, name) = (Tenant::of_row(owner.tenant), name_of(email)?);
    let new = NewPerson { name: &name, role: Role::Viewer.name(), password: None, email: Some(email) };
    let person = app.db.add_person(&tenant, new).await?.ok_or(Refused::Taken)?;
    app.db.note(&tenant, &name, "add person", &name).await?;
    Ok(person)
}

/// Where the provider sends a browser back to: this server, as the browser knows it.
fn back_to(headers: &HeaderMap) -> Result<Url, ApiError> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let scheme = if came_over_tls(headers) { "https" } else { "http" };
    Url::parse(&format!("{scheme}://{host}/v1/oidc/back"))
        .map_err(|_| ApiError::invalid("the header `Host` is missing or odd", "请求头 Host 缺失或无效"))
}

/// The page that says why somebody is not in.
fn turned_away(error: &ApiError) -> Response {
    tracing::info!(code = error.code, "a log-in came to nothing");
    to(&format!("/#/refused/{}", error.code)).into_response()
}

fn to(address: &str) -> impl IntoResponse + use<> {
    (StatusCode::SEE_OTHER, [(LOCATION, address.to_owned())])
}
