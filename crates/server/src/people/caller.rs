//! Who asks: a session from a cookie, or a token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::{Right, Role, Scope, cookie_of};
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

    /// Refuses who may not.
    pub(crate) fn may(&self, right: Right) -> Result<(), ApiError> {
        let by_role = self.role >= right.role();
        let by_scope = match (&self.scopes, right.scope()) {
            (None, _) => true,
            (Some(scopes), Some(needed)) => scopes.contains(&needed),
            (Some(_), None) => false,
        };
        if by_role && by_scope { Ok(()) } else { Err(ApiError::forbidden()) }
    }

    /// Refuses tokens: one that could make tokens could make itself immortal.
    pub(crate) fn in_person(&self) -> Result<(), ApiError> {
        if self.scopes.is_none() { Ok(()) } else { Err(ApiError::forbidden()) }
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let bearer =
            parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if let Some(secret) = bearer {
            let found = app.db.token(secret).await?;
            let (person, scopes) = found.ok_or_else(ApiError::unauthenticated)?;
            app.pace.take(&person.id)?;
            return Ok(Self::of(person, Some(&scopes)));
        }
        let secret = cookie_of(&parts.headers).ok_or_else(ApiError::unauthenticated)?;
        let person = app.db.session(secret).await?.ok_or_else(ApiError::unauthenticated)?;
        app.pace.take(&person.id)?;
        Ok(Self::of(person, None))
    }
}
