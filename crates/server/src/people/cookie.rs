//! The cookies: of a session, and of a log-in that is under way elsewhere.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// Of a session.
const SESSION_COOKIE: &str = "dianjing_session";
/// Of a log-in that is under way.
const ENTRANCE_COOKIE: &str = "dianjing_entrance";

/// Whether the page came over TLS, as the proxy in front says.
pub(crate) fn came_over_tls(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
}

/// What sets it: not for scripts, not sent along from other sites, gone after a fortnight. Over TLS only where the page came so.
pub(crate) fn session_cookie(secret: &str, headers: &HeaderMap) -> String {
    let secure = if came_over_tls(headers) { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600{secure}")
}

/// As [`session_cookie`], for a log-in that is under way: only shown where it comes back to, and for minutes.
pub(crate) fn entrance_cookie(secret: &str, headers: &HeaderMap) -> String {
    let secure = if came_over_tls(headers) { "; Secure" } else { "" };
    format!("{ENTRANCE_COOKIE}={secret}; Path=/v1/oidc; HttpOnly; SameSite=Lax; Max-Age=600{secure}")
}

/// What takes it away.
pub(crate) fn forget_entrance() -> String {
    format!("{ENTRANCE_COOKIE}=; Path=/v1/oidc; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// The log-in under way that a request brings.
pub(crate) fn entrance_of(headers: &HeaderMap) -> Option<&str> {
    value_of(headers, ENTRANCE_COOKIE)
}

/// What takes it away.
pub(crate) fn forget_cookie() -> String {
    format!("{SESSION_COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// The session that a request brings.
pub(crate) fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    value_of(headers, SESSION_COOKIE)
}

fn value_of<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|value| value.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == wanted && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "theme=dark; dianjing_session=abc; x=y".parse().expect("a header"));
        assert_eq!((cookie_of(&headers), entrance_of(&headers)), (Some("abc"), None));
        assert_eq!(cookie_of(&HeaderMap::new()), None);
    }
}
