//! Bodies and queries, read with errors of our own.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::ApiError;
pub(super) use crate::tasks::name_of;

/// A JSON body.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refused(&rejection)),
        }
    }
}

fn refused(rejection: &JsonRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large("the body is too large", "请求体太大");
    }
    let detail = rejection.body_text();
    ApiError::invalid(format!("the body cannot be read: {detail}"), format!("无法读取请求体：{detail}"))
}

/// What stands behind the question mark.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(QueryRejection::FailedToDeserializeQueryString(error)) => Err(ApiError::invalid(
                format!("the query cannot be read: {error}"),
                format!("无法读取查询参数：{error}"),
            )),
            Err(other) => Err(ApiError::internal(&other)),
        }
    }
}

/// What there may be.
pub(super) fn found<T>(found: Option<T>) -> Result<T, ApiError> {
    found.ok_or_else(ApiError::not_found)
}

/// Whether something was there to be changed.
pub(super) fn was_there(there: bool) -> Result<StatusCode, ApiError> {
    if there { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}
