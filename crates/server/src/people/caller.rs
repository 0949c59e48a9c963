//! Who asks: a session from a cookie, or a token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::{Counted, Right, Role, Scope, cookie_of};
use crate::App;
use crate::db::Tenant;
use crate::db::people::PersonRow;
use crate::error::ApiError;

/// A person, or a program that acts for one.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) tenant: Tenant,
    pub(crate) person: PersonRow,
    pub(crate) role: Role,
    /// Of a token; a person in the browser has all that their role allows.
    scopes: Option<Vec<Scope>>,
}

impl Caller {
    pub(crate) fn of(person: PersonRow, scopes: Option<&str>) -> Self {
        let scopes = scopes.map(|scopes| scopes.split(' ').filter_map(Scope::named).collect());
        let (tenant, role) = (Tenant::of_row(person.tenant.clone()), Role::named(&person.role));
        Self { tenant, person, role, scopes }
    }

    /// Who asks, by a token or a session; `None` where that is nobody.
    pub(crate) async fn known(app: &App, headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let bearer =
            headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if let Some(secret) = bearer {
            let found = app.db.token(secret).await?;
            return Ok(found.map(|(person, scopes)| Self::of(person, Some(&scopes))));
        }
        let Some(secret) = cookie_of(headers) else { return Ok(None) };
        Ok(app.db.session(secret).await?.map(|person| Self::of(person, None)))
    }

    /// Refuses who may not.
    pub(crate) fn may(&self, right: Right) -> Result<(), ApiError> {
        if self.role < right.role() {
            return Err(ApiError::forbidden());
        }
        match (&self.scopes, right.scope()) {
            (Some(scopes), needed) if needed.is_none_or(|needed| !scopes.contains(&needed)) => {
                Err(ApiError::out_of_scope(needed.map(Scope::name)))
            }
            _ => Ok(()),
        }
    }

    /// Refuses tokens: one that could make tokens could make itself immortal.
    pub(crate) fn in_person(&self) -> Result<(), ApiError> {
        if self.scopes.is_none() { Ok(()) } else { Err(ApiError::out_of_scope(None)) }
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let caller = Self::known(app, &parts.headers).await?.ok_or_else(ApiError::unauthenticated)?;
        // Now it is known who asks, and the address has nothing to do with it.
        if let Some(Counted(address)) = parts.extensions.get() {
            app.strangers.give_back(address);
        }
        app.pace.take(&caller.person.id)?;
        Ok(caller)
    }
}
