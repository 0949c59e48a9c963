//! Who is in the team, and the tokens of programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::enter::hashed;
use super::reading::{Asked, Sent, found, name_of, was_there};
use crate::App;
use crate::clock::written;
use crate::db::{
    self,
    people::{PersonRow, TokenRow},
};
use crate::error::ApiError;
use crate::people::{Caller, Right, Role, Scope, email_of};

/// Somebody in the team.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Person {
    id: String,
    name: String,
    role: Role,
    /// By which they may come in with the provider.
    email: Option<String>,
    /// Whether they may come in with a password.
    has_password: bool,
    /// Whether they may come in with an account of the provider.
    linked: bool,
    created_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct People {
    people: Vec<Person>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPerson {
    name: String,
    /// At least ten characters. Without one they come in with the provider, by their e-mail.
    password: Option<String>,
    /// Who comes from the provider with this e-mail, verified, is them.
    email: Option<String>,
    role: Role,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    role: Role,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstPassword {
    /// At least ten characters.
    password: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTenant {
    /// What it is called.
    tenant: String,
    /// Its first owner.
    name: String,
    /// At least ten characters.
    password: String,
}

/// A token of a program, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Token {
    id: String,
    name: String,
    scopes: Vec<Scope>,
    /// How its secret begins.
    prefix: String,
    created_at: String,
    used_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tokens {
    tokens: Vec<Token>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FreshToken {
    #[serde(flatten)]
    token: Token,
    /// Shown this once.
    secret: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    name: String,
    scopes: Vec<Scope>,
}

/// Who did what.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Entry {
    seq: i64,
    at: String,
    person: String,
    action: String,
    subject: String,
    /// BLAKE3 over this entry and the hash of the one before.
    hash: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Trail {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Before {
    /// Only entries with smaller numbers.
    before: Option<i64>,
}

/// Whether the audit log is as it was written.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Seal {
    /// Entries that fit each other, from the first on.
    n_entries: i64,
    /// The hash of the last of them. Whoever wrote it down elsewhere finds it again later, among the entries: then none was taken off the end.
    hash: String,
    /// The first entry that is other than it was written, or before which some are missing; absent where all of them fit.
    broken_at: Option<i64>,
}

/// What there is of something, and may be.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Used {
    used: i64,
    /// Absent where there is no limit.
    allowed: Option<i64>,
}

/// The room that the team takes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Usage {
    examples: Used,
    /// Of files, texts, models, and uploads under way.
    bytes: Used,
}

/// Says how much room the team takes, and may take.
#[utoipa::path(get, path = "/v1/usage", tag = "people", responses((status = 200, body = Usage)))]
pub(super) async fn usage(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Usage>, ApiError> {
    caller.may(Right::Look)?;
    let (used, limits) = (app.db.usage(&caller.tenant).await?, app.limits);
    Ok(Json(Usage {
        examples: Used { used: used.examples, allowed: limits.examples },
        bytes: Used { used: used.bytes, allowed: limits.bytes },
    }))
}

/// Lists the team.
#[utoipa::path(get, path = "/v1/people", tag = "people", responses((status = 200, body = People)))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<People>, ApiError> {
    caller.may(Right::Look)?;
    let people = app.db.people(&caller.tenant).await?;
    Ok(Json(People { people: people.iter().map(person).collect() }))
}

/// Lets somebody in.
#[utoipa::path(post, path = "/v1/people", tag = "people", request_body = NewPerson, responses((status = 200, body = Person)))]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(new): Sent<NewPerson>,
) -> Result<Json<Person>, ApiError> {
    caller.may(Right::Govern)?;
    let name = name_of(&new.name)?;
    let no_email = || ApiError::invalid("this is no e-mail address", "这不是有效的邮箱地址");
    let email = new.email.map(|email| email_of(&email).ok_or_else(no_email)).transpose()?;
    if new.password.is_none() && (email.is_none() || app.provider.is_none()) {
        return Err(ApiError::invalid("they could not come in", "这样对方将无法登录")
            .hint("give them a password", "请为其设置密码"));
    }
    // Whoever has such an address comes in to those who run the server: nobody else takes them, or hears who is there.
    let comes_in = |email: &String| app.provider.as_ref().is_some_and(|provider| provider.lets_in(email));
    if email.as_ref().is_some_and(comes_in) && !runs_the_server(&app, &caller).await? {
        let (en, zh) = (
            "people of this domain are let in by those who run the server",
            "该域名的用户由服务器管理方邀请",
        );
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", en, zh)
            .hint("ask who runs the server", "请联系服务器管理员"));
    }
    let password = match new.password {
        Some(password) => Some(hashed(&app, password).await?),
        None => None,
    };
    let row = db::people::NewPerson {
        name: &name,
        role: new.role.name(),
        password: password.as_deref(),
        email: email.as_deref(),
    };
    let added = app.db.add_person(&caller.tenant, row).await?.ok_or_else(name_taken)?;
    app.db.note(&caller.tenant, &caller.person.name, "add person", &name).await?;
    Ok(Json(person(&added)))
}

/// Makes another tenant with its owner, whose things nobody else sees. Only owners of the tenant that was there first, who run the
/// server, may.
#[utoipa::path(post, path = "/v1/tenants", tag = "people", request_body = NewTenant, responses((status = 200, body = Person)))]
pub(super) async fn add_tenant(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(new): Sent<NewTenant>,
) -> Result<Json<Person>, ApiError> {
    caller.may(Right::Govern)?;
    if !runs_the_server(&app, &caller).await? {
        return Err(ApiError::forbidden());
    }
    let (tenant, name) = (name_of(&new.tenant)?, name_of(&new.name)?);
    let password = hashed(&app, new.password).await?;
    let added = app.db.add_tenant(&tenant, &name, &password).await?;
    let added = found(app.db.person(&added.ok_or_else(name_taken)?).await?)?;
    app.db.note(&caller.tenant, &caller.person.name, "make tenant", &tenant).await?;
    Ok(Json(person(&added)))
}

/// Gives somebody another role. The last owner stays one.
#[utoipa::path(patch, path = "/v1/people/{id}", tag = "people", request_body = NewRole, responses((status = 204)))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(new): Sent<NewRole>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Govern)?;
    theirs(&app, &caller, &id).await?;
    if !app.db.set_role(&caller.tenant, &id, new.role.name()).await? {
        return Err(last_owner());
    }
    app.db.note(&caller.tenant, &caller.person.name, "change role", &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets somebody go, with their sessions and tokens. The last owner stays.
#[utoipa::path(delete, path = "/v1/people/{id}", tag = "people", responses((status = 204)))]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Govern)?;
    theirs(&app, &caller, &id).await?;
    if !app.db.remove_person(&caller.tenant, &id).await? {
        return Err(last_owner());
    }
    app.db.note(&caller.tenant, &caller.person.name, "remove person", &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives somebody who forgot theirs a first password again, as when they were let in, and ends their sessions; their tokens stay.
#[utoipa::path(post, path = "/v1/people/{id}/password", tag = "people", request_body = FirstPassword, responses((status = 204), (status = 409, body = crate::error::ErrorBody)))]
pub(super) async fn begin_anew(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(FirstPassword { password }): Sent<FirstPassword>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Govern)?;
    let person = theirs(&app, &caller, &id).await?;
    // Whoever found a browser that is logged in would keep its owner out.
    if person.id == caller.person.id {
        let (en, zh) = ("your own password is changed with the one you have", "修改自己的密码需要现有密码");
        return Err(ApiError::conflict(en, zh).hint("ask another owner", "请联系另一位所有者"));
    }
    if person.password.is_none() && app.provider.is_some() {
        let (en, zh) = (
            "they log in with the provider, and have no password here",
            "对方使用登录服务登录，在此没有密码",
        );
        return Err(ApiError::conflict(en, zh)
            .hint("a password is made anew at the provider", "请在登录服务处重设密码"));
    }
    app.db.set_password(&id, &hashed(&app, password).await?).await?;
    app.db.note(&caller.tenant, &caller.person.name, "give new password", &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes somebody's account of the provider away from them, and ends their sessions. Who was let in by an e-mail may come in with it
/// again, also with another account.
#[utoipa::path(delete, path = "/v1/people/{id}/account", tag = "people", responses((status = 204)))]
pub(super) async fn unlink(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Govern)?;
    theirs(&app, &caller, &id).await?;
    let gone = was_there(app.db.remove_accounts(&caller.tenant, &id).await?)?;
    app.db.note(&caller.tenant, &caller.person.name, "unlink account", &id).await?;
    Ok(gone)
}

/// Lists the tokens of programs, without their secrets.
#[utoipa::path(get, path = "/v1/tokens", tag = "people", responses((status = 200, body = Tokens)))]
pub(super) async fn tokens(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Tokens>, ApiError> {
    caller.may(Right::Edit)?;
    let tokens = app.db.tokens(&caller.tenant).await?;
    Ok(Json(Tokens { tokens: tokens.iter().map(token).collect() }))
}

/// Makes a token. It may do what its scopes say, and never more than who made it.
#[utoipa::path(post, path = "/v1/tokens", tag = "people", request_body = NewToken, responses((status = 200, body = FreshToken)))]
pub(super) async fn add_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(new): Sent<NewToken>,
) -> Result<Json<FreshToken>, ApiError> {
    caller.may(Right::Edit)?;
    caller.in_person()?;
    let name = name_of(&new.name)?;
    if new.scopes.is_empty() {
        return Err(ApiError::invalid(
            "a token without a scope may do nothing",
            "没有权限范围的令牌无法使用",
        ));
    }
    let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.name()).collect();
    let (row, secret) = app.db.add_token(&caller.tenant, &caller.person.id, &name, &scopes.join(" ")).await?;
    app.db.note(&caller.tenant, &caller.person.name, "make token", &row.id).await?;
    Ok(Json(FreshToken { token: token(&row), secret }))
}

/// Makes a token useless.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "people", responses((status = 204)))]
pub(super) async fn remove_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Edit)?;
    caller.in_person()?;
    let there = was_there(app.db.remove_token(&caller.tenant, &id).await?)?;
    app.db.note(&caller.tenant, &caller.person.name, "remove token", &id).await?;
    Ok(there)
}

/// The audit log, the newest entry first, 500 at a time.
#[utoipa::path(get, path = "/v1/trail", tag = "people", params(Before), responses((status = 200, body = Trail)))]
pub(super) async fn trail(
    State(app): State<Arc<App>>,
    caller: Caller,
    Asked(Before { before }): Asked<Before>,
) -> Result<Json<Trail>, ApiError> {
    caller.may(Right::Govern)?;
    let rows = app.db.trail(&caller.tenant, before.unwrap_or(i64::MAX), 500).await?;
    let entries = rows.into_iter().map(|row| Entry {
        seq: row.seq,
        at: written(row.at),
        person: row.person,
        action: row.action,
        subject: row.subject,
        hash: row.hash,
    });
    Ok(Json(Trail { entries: entries.collect() }))
}

/// Looks through all of the audit log, and says whether it is as it was written.
#[utoipa::path(get, path = "/v1/trail/seal", tag = "people", responses((status = 200, body = Seal)))]
pub(super) async fn seal(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Seal>, ApiError> {
    caller.may(Right::Govern)?;
    let db::trail::Seal { n_entries, hash, broken_at } = app.db.seal(&caller.tenant).await?;
    Ok(Json(Seal { n_entries, hash, broken_at }))
}

async fn theirs(app: &App, caller: &Caller, id: &str) -> Result<PersonRow, ApiError> {
    let person = found(app.db.person(id).await?)?;
    if person.tenant == caller.tenant.id() { Ok(person) } else { Err(ApiError::not_found()) }
}

/// Whether somebody is of the tenant that was there first.
async fn runs_the_server(app: &App, caller: &Caller) -> Result<bool, ApiError> {
    let first = found(app.db.first_owner().await?)?;
    Ok(first.tenant == caller.tenant.id())
}

fn name_taken() -> ApiError {
    ApiError::conflict(
        "somebody has that name, or somebody of the team that e-mail",
        "该用户名已被使用，或团队中已有人使用该邮箱",
    )
}

fn last_owner() -> ApiError {
    ApiError::conflict("the last owner stays", "必须保留最后一位所有者")
        .hint("make somebody else an owner first", "请先让另一人成为所有者")
}

fn person(row: &PersonRow) -> Person {
    Person {
        id: row.id.clone(),
        name: row.name.clone(),
        role: Role::named(&row.role),
        email: row.email.clone(),
        has_password: row.password.is_some(),
        linked: row.n_accounts > 0,
        created_at: written(row.created_at),
    }
}

fn token(row: &TokenRow) -> Token {
    Token {
        id: row.id.clone(),
        name: row.name.clone(),
        scopes: row.scopes.split(' ').filter_map(Scope::named).collect(),
        prefix: row.prefix.clone(),
        created_at: written(row.created_at),
        used_at: row.used_at.map(written),
    }
}
