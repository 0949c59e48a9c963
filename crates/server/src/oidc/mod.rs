//! Logging in with a provider of OpenID Connect: the authorization code flow (OpenID Connect Core 1.0, section 3.1), with PKCE
//! (RFC 7636).
//!
//! Start at [`Provider::begin`], which sends a browser away, and [`Provider::come_back`], which says who came back. Who of them
//! comes in is decided in `api/oidc.rs`. Why no library does this: docs/decisions/0015.

mod proof;
mod token;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::{Host, Url, form_urlencoded};

use crate::clock::now;
use crate::db::Db;
use crate::db::entrances::Entrance;
use crate::error::ApiError;
use crate::{Oidc, ServerError};

pub(crate) use token::Claims;
use token::{Expected, Flaw, Key};

/// How long the provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer of a provider.
const MOST_BYTES: usize = 1 << 20;
/// How long it is believed what the provider said about itself and its keys.
const FRESH: Duration = Duration::from_secs(600);

/// Why a log-in by way of the provider came to nothing. What exactly was wrong is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// This browser did not begin it, or long ago, or it was brought to an end already.
    Lost,
    /// The provider, or the person there, said no.
    Declined,
    /// The provider does not answer, or not as one.
    Unreachable,
    /// What the provider gave does not prove who came.
    Unproven,
    /// The provider names no e-mail that it has verified.
    Unverified,
    /// Nobody with this e-mail was let in.
    Unknown,
    /// The account belongs to somebody else here, or the person here to another account.
    Taken,
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let (status, code, en, zh) = match refused {
            Refused::Lost => (
                StatusCode::UNAUTHORIZED,
                "login_lost",
                "this log-in was not begun in this browser, or took too long",
                "此登录并非从本浏览器发起，或已超时",
            ),
            Refused::Declined => {
                (StatusCode::UNAUTHORIZED, "login_declined", "the log-in was declined", "登录被拒绝")
            }
            Refused::Unreachable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "login_unreachable",
                "the provider of the log-in does not answer",
                "登录服务没有响应",
            ),
            Refused::Unproven => (
                StatusCode::UNAUTHORIZED,
                "login_unproven",
                "what the provider sent does not prove who you are",
                "登录服务返回的内容无法证明您的身份",
            ),
            Refused::Unverified => (
                StatusCode::FORBIDDEN,
                "login_unverified",
                "the provider names no e-mail that it has verified",
                "登录服务没有给出经过验证的邮箱",
            ),
            Refused::Unknown => (
                StatusCode::FORBIDDEN,
                "login_unknown",
                "nobody was let in by this e-mail",
                "此邮箱尚未被邀请",
            ),
            Refused::Taken => (
                StatusCode::CONFLICT,
                "login_taken",
                "the account belongs to somebody else here, or you come in with another one",
                "该账号已属于此处的其他人，或您使用的是另一个账号",
            ),
        };
        Self::new(status, code, en, zh)
            .hint("begin again; else ask an owner", "请重新开始；如仍不行，请联系所有者")
    }
}

/// What went wrong between the provider and us, for the log. Nothing secret is in it.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("`{0}` is no address that secrets may be sent to")]
    Address(String),
    #[error("the provider calls itself `{0}`")]
    OtherName(String),
    #[error("no answer")]
    Silent(#[source] reqwest::Error),
    #[error("the answer has the status {0}")]
    Status(u16),
    #[error("the answer is longer than {MOST_BYTES} bytes")]
    TooLong,
    #[error("the answer is not what was asked for")]
    Odd(#[source] serde_json::Error),
}

/// What a provider says about itself (OpenID Connect Discovery 1.0, section 3).
#[derive(Debug, Deserialize)]
struct About {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Keys {
    /// Each by itself, so that one of a kind we do not know spoils no other.
    keys: Vec<serde_json::Value>,
}

/// What is known about the provider, for a while.
#[derive(Debug)]
struct Known {
    about: About,
    keys: Vec<Key>,
    since: Instant,
}

#[derive(Debug, Deserialize)]
struct Granted {
    id_token: String,
    access_token: Option<String>,
}

/// What a browser brings back.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Answer {
    /// What it was sent away with.
    state: Option<String>,
    /// Stands for the log-in, once.
    code: Option<String>,
}

/// Who came back.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) issuer: String,
    pub(crate) claims: Claims,
    /// Whose account it is to be; absent for a log-in.
    pub(crate) links: Option<String>,
}

/// A provider that people may log in with.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) settings: Oidc,
    client: reqwest::Client,
    known: Mutex<Option<Arc<Known>>>,
}

impl Provider {
    pub(crate) fn new(settings: Oidc) -> Result<Self, ServerError> {
        private(&settings.issuer).map_err(|_| ServerError::Issuer { issuer: settings.issuer.clone() })?;
        // One way of encrypting for all; a second call finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // An answer that leads elsewhere could lead inside.
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(ServerError::Client)?;
        Ok(Self { settings, client, known: Mutex::default() })
    }

    /// Whether an e-mail, in small letters, is of the domain whose people may look.
    pub(crate) fn lets_in(&self, email: &str) -> bool {
        let theirs = email.rsplit_once('@').map(|(_, domain)| domain);
        let ours = self.settings.domain.as_deref().map(str::to_lowercase);
        ours.is_some() && ours.as_deref() == theirs
    }

    /// Sends a browser to the provider: the secret that it keeps meanwhile, and the address. It comes back to `back`; `links` is
    /// the person whose account it is to be.
    pub(crate) async fn begin(
        &self,
        db: &Db,
        back: Url,
        links: Option<String>,
    ) -> Result<(String, Url), ApiError> {
        let known = self.known(FRESH).await.map_err(|fault| unreachable(&fault))?;
        let mut address =
            private(&known.about.authorization_endpoint).map_err(|fault| unreachable(&fault))?;
        let entrance = Entrance::new(back.into(), links);
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("scope", "openid email")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &entrance.back)
            .append_pair("state", &entrance.state)
            .append_pair("nonce", &entrance.nonce)
            .append_pair("code_challenge", &proof::challenge(&entrance.verifier))
            .append_pair("code_challenge_method", "S256");
        Ok((db.add_entrance(&entrance).await?, address))
    }

    /// Who came back with an answer, in the browser that keeps this secret.
    pub(crate) async fn come_back(
        &self,
        db: &Db,
        secret: Option<&str>,
        answer: &Answer,
    ) -> Result<Came, ApiError> {
        let (secret, state) = secret.zip(answer.state.as_deref()).ok_or(Refused::Lost)?;
        let entrance = db.take_entrance(secret, state).await?.ok_or(Refused::Lost)?;
        let code = answer.code.as_deref().ok_or(Refused::Declined)?;
        let mut known = self.known(FRESH).await.map_err(|fault| unreachable(&fault))?;
        let granted = self.exchange(&known.about, &entrance, code).await?;
        let mut claims = self.verify(&granted, &known, &entrance);
        if matches!(claims, Err(Flaw::NoKey | Flaw::Signature)) {
            // The provider may have changed its keys, and call the new one as it did the old one, or not at all.
            known = self.known(Duration::ZERO).await.map_err(|fault| unreachable(&fault))?;
            claims = self.verify(&granted, &known, &entrance);
        }
        let mut claims = claims.map_err(|flaw| {
            tracing::warn!(%flaw, "an ID token was refused");
            Refused::Unproven
        })?;
        if claims.email.is_none()
            && let (Some(token), Some(address)) = (&granted.access_token, &known.about.userinfo_endpoint)
        {
            claims = self.ask_email(address, token, claims).await?;
        }
        Ok(Came { issuer: known.about.issuer.clone(), claims, links: entrance.links })
    }

    fn verify(&self, granted: &Granted, known: &Known, entrance: &Entrance) -> Result<Claims, Flaw> {
        let expected = Expected {
            issuer: &known.about.issuer,
            audience: &self.settings.client_id,
            nonce: &entrance.nonce,
        };
        token::verify(&granted.id_token, &known.keys, &expected, now() / 1000)
    }

    /// What the provider says about itself, not older than so long.
    async fn known(&self, age: Duration) -> Result<Arc<Known>, Fault> {
        let kept = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = kept.filter(|known| known.since.elapsed() < age) {
            return Ok(known);
        }
        let issuer = self.settings.issuer.trim_end_matches('/');
        let address = private(&format!("{issuer}/.well-known/openid-configuration"))?;
        let about: About = self.read(self.client.get(address)).await?;
        if about.issuer.trim_end_matches('/') != issuer {
            return Err(Fault::OtherName(about.issuer));
        }
        let keys: Keys = self.read(self.client.get(private(&about.jwks_uri)?)).await?;
        let keys = keys.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        let known = Arc::new(Known { about, keys, since: Instant::now() });
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
        Ok(known)
    }

    /// Changes a code for an ID token.
    async fn exchange(&self, about: &About, entrance: &Entrance, code: &str) -> Result<Granted, Refused> {
        let ways = about.token_endpoint_auth_methods_supported.as_deref();
        // What a provider that says nothing about it takes.
        let basic = ways.is_none_or(|ways| ways.iter().any(|way| way == "client_secret_basic"));
        let Oidc { client_id, secret, .. } = &self.settings;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &entrance.back),
            ("code_verifier", &entrance.verifier),
        ];
        if !basic {
            form.extend([("client_id", client_id.as_str()), ("client_secret", secret)]);
        }
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let address = private(&about.token_endpoint).map_err(|fault| unreachable(&fault))?;
        let mut request =
            self.client.post(address).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        if basic {
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret)));
            request = request.header("authorization", format!("Basic {pair}"));
        }
        self.read(request).await.map_err(|fault| match fault {
            Fault::Status(400..500) => {
                tracing::warn!(%fault, "a code was refused");
                Refused::Unproven
            }
            fault => unreachable(&fault),
        })
    }

    /// The e-mail of who came, where the ID token leaves it out (section 5.3).
    async fn ask_email(&self, address: &str, token: &str, claims: Claims) -> Result<Claims, Refused> {
        let address = private(address).map_err(|fault| unreachable(&fault))?;
        let request = self.client.get(address).header("authorization", format!("Bearer {token}"));
        let told: Claims = self.read(request).await.map_err(|fault| unreachable(&fault))?;
        // Section 5.3.2: an answer about somebody else is none.
        if told.subject == claims.subject { Ok(told) } else { Err(Refused::Unproven) }
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Fault> {
        let silent = |error: reqwest::Error| Fault::Silent(error.without_url());
        let mut response = request.header(ACCEPT, "application/json").send().await.map_err(silent)?;
        if !response.status().is_success() {
            return Err(Fault::Status(response.status().as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(silent)? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MOST_BYTES {
                return Err(Fault::TooLong);
            }
        }
        serde_json::from_slice(&bytes).map_err(Fault::Odd)
    }
}

fn unreachable(fault: &Fault) -> Refused {
    let cause = std::error::Error::source(fault).map(ToString::to_string);
    tracing::warn!(%fault, cause, "the provider of log-ins cannot be used");
    Refused::Unreachable
}

/// An address where nobody listens in: over TLS, or on this machine.
fn private(address: &str) -> Result<Url, Fault> {
    let refused = || Fault::Address(address.to_owned());
    let url = Url::parse(address).map_err(|_| refused())?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(refused()),
    };
    if url.scheme() == "https" || (url.scheme() == "http" && here) { Ok(url) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_where_nobody_listens_in() {
        for address in
            ["https://id.example.com/a", "http://localhost:1/x", "http://127.0.0.1", "http://[::1]:8"]
        {
            assert!(private(address).is_ok(), "{address}");
        }
        for address in
            ["http://id.example.com", "http://127.0.0.1.example.com", "ftp://localhost", "data:x", "x"]
        {
            assert!(private(address).is_err(), "{address}");
        }
    }
}
