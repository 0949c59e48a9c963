//! What every answer has: a request id, the right language for errors, headers that keep browsers safe, a line in the log, a count.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::HttpBody as _;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pipeline::Lang;
use tracing::Instrument as _;

use crate::App;
use crate::error::ApiError;
use crate::ids::new_id;
use crate::patience::patient;
use crate::people::{Counted, Origin, admit};

/// Where the request id stands.
const REQUEST_ID: &str = "x-request-id";
/// Longest request id that is taken over from a proxy.
const ID_LENGTH: usize = 64;
/// Nothing comes from elsewhere, nothing is run that is not ours.
const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self'; \
     script-src 'self'; connect-src 'self'; frame-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'self'";

/// The language that a client reads.
pub(crate) fn lang_of(headers: &HeaderMap) -> Lang {
    let wanted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    wanted.map_or(Lang::En, |wanted| Lang::from_locale(wanted.trim()))
}

/// Wraps every request.
pub(crate) async fn answering(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let lang = lang_of(request.headers());
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        id.len() <= ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let id = given.filter(plain).map_or_else(new_id, str::to_owned);
    let method = request.method().clone();
    // The pattern, not the path: ids and names of people's things do not belong in logs.
    let route =
        request.extensions().get::<MatchedPath>().map_or("none".to_owned(), |path| path.as_str().to_owned());
    // At the level of errors, so that a quiet log names the request as well.
    let broke_off = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| match body.is_end_stream() {
        true => body,
        false => patient(body, app.body_patience, broke_off.clone()),
    });
    let origin = Origin::of(request.extensions().get().copied(), request.headers());
    let admitted = admit(&app, &route, origin, request.headers()).await;
    let admitted = admitted.and_then(|counted| guard(&request).map(|()| counted));
    let mut response = match admitted {
        Ok(counted) => {
            next.run(told_from(request, origin, counted))
                .instrument(tracing::error_span!("request", %id, route))
                .await
        }
        Err(error) => error.into_response(),
    };
    if broke_off.load(Ordering::Relaxed) {
        response = too_slow().into_response();
    }
    let mut wait = None;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        wait = error.wait;
        response = (error.status, Json(error.body(lang, id.clone()))).into_response();
    }
    let status = response.status();
    let took = started.elapsed();
    log(&id, &method, &route, status, took);
    app.counters.count(&route, status.as_u16(), took);
    let headers = response.headers_mut();
    if let Some(seconds) = wait.or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(1)) {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    set(headers, REQUEST_ID, &id);
    set(headers, X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff");
    set(headers, REFERRER_POLICY.as_str(), "no-referrer");
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A request that tells where it comes from, and for which address it counts.
fn told_from(mut request: Request, origin: Origin, counted: Option<Counted>) -> Request {
    request.extensions_mut().insert(origin);
    if let Some(counted) = counted {
        request.extensions_mut().insert(counted);
    }
    request
}

/// A line about a request: of those that went well only where everything is wanted.
fn log(id: &str, method: &Method, route: &str, status: StatusCode, took: Duration) {
    let (ms, code) = (took.as_millis() as u64, status.as_u16());
    if status.is_server_error() {
        tracing::warn!(%id, %method, route, status = code, ms, "could not be answered");
    } else if status.is_client_error() {
        tracing::info!(%id, %method, route, status = code, ms, "refused");
    } else {
        tracing::debug!(%id, %method, route, status = code, ms, "answered");
    }
}

/// A page of another site can make a browser send its cookie along, but not a header of ours.
fn guard(request: &Request) -> Result<(), ApiError> {
    let harmless = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    let headers = request.headers();
    // A token is not sent along by a browser on its own; other credentials are.
    let token = headers.get(AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"Bearer "));
    if harmless || headers.contains_key("x-dianjing") || token {
        return Ok(());
    }
    let (en, zh) = ("the header `X-Dianjing` is missing", "缺少请求头 X-Dianjing");
    let hint =
        ("send `X-Dianjing: 1` with a cookie, or a token", "使用 cookie 时请发送 X-Dianjing: 1，或使用令牌");
    Err(ApiError::new(StatusCode::FORBIDDEN, "csrf", en, zh).hint(hint.0, hint.1))
}

fn too_slow() -> ApiError {
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body came too slowly", "请求体发送得太慢")
        .hint("check the network; uploads go on where they ended", "请检查网络；上传可从中断处继续")
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Bytes of one kind, that a browser may keep for ever: what they are is in their name.
pub(crate) fn forever(kind: &str, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    lasting(response.headers_mut(), kind);
    response
}

/// Says of what kind an answer is, and that it never changes.
pub(crate) fn lasting(headers: &mut HeaderMap, kind: &str) {
    set(headers, CONTENT_TYPE.as_str(), kind);
    set(headers, CACHE_CONTROL.as_str(), "private, max-age=31536000, immutable");
}
