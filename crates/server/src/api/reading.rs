//! Bodies and queries, read with errors of our own.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use tokio_stream::StreamExt as _;

use super::MOST_BYTES;
use crate::error::ApiError;
pub(super) use crate::tasks::name_of;

/// Bytes of a body that is refused which are read all the same, and for how long.
const MOST_DRAINED: usize = 256 << 20;
const DRAINED_FOR: Duration = Duration::from_secs(20);

/// A JSON body.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if length(&request).is_some_and(|length| length > MOST_BYTES as u64) {
            drain(request.into_body()).await;
            return Err(ApiError::too_large("the body is too large", "请求体太大"));
        }
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refused(&rejection)),
        }
    }
}

fn length(request: &Request) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads what is refused to its end, within bounds: a client that is cut off while it sends does not hear why.
async fn drain(body: Body) {
    let mut pieces = body.into_data_stream();
    let mut room = MOST_DRAINED;
    let all = async {
        while let Some(Ok(piece)) = pieces.next().await {
            room = room.saturating_sub(piece.len());
            if room == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAINED_FOR, all).await;
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
