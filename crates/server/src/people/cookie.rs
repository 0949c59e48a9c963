//! The cookie that carries a session.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// Its name.
const SESSION_COOKIE: &str = "dianjing_session";

/// What sets it: not for scripts, not sent along from other sites, gone after a fortnight. Over TLS only where the page came so.
pub(crate) fn session_cookie(secret: &str, headers: &HeaderMap) -> String {
    let secure = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let secure = if secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600{secure}")
}

/// What takes it away.
pub(crate) fn forget_cookie() -> String {
    format!("{SESSION_COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// The session that a request brings.
pub(crate) fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|value| value.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == SESSION_COOKIE && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "theme=dark; dianjing_session=abc; x=y".parse().expect("a header"));
        assert_eq!(cookie_of(&headers), Some("abc"));
        assert_eq!(cookie_of(&HeaderMap::new()), None);
    }
}
