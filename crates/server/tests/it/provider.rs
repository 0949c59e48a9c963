//! A provider of OpenID Connect on a port of its own, which knows one client and lets in whoever it is told to.

use std::collections::HashMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use server::Oidc;

pub(crate) const CLIENT: &str = "dianjing";
const SECRET: &str = "a secret: with + and %";

/// What a browser was sent with.
type Sent = HashMap<String, String>;

struct Inside {
    address: String,
    /// Who is at the browser, as the provider writes it down; what stands here comes last.
    claims: Value,
    /// What stands only in its other answer about them.
    asides: Value,
    key: EcdsaKeyPair,
    /// Counts the keys.
    kid: u32,
    /// Signs what the provider never did.
    forges: bool,
    /// Given out and not used yet.
    codes: HashMap<String, Sent>,
    n_codes: u32,
}

type Shared = Arc<Mutex<Inside>>;

/// It lives as long as the tests.
#[derive(Clone)]
pub(crate) struct IdentityProvider(Shared);

fn new_key() -> EcdsaKeyPair {
    let (random, way) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(way, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(way, pkcs8.as_ref(), &random).expect("a key")
}

impl IdentityProvider {
    pub(crate) fn start() -> Self {
        let inside = Inside {
            address: String::new(),
            claims: json!({}),
            asides: json!({}),
            key: new_key(),
            kid: 0,
            forges: false,
            codes: HashMap::new(),
            n_codes: 0,
        };
        let shared: Shared = Arc::new(Mutex::new(inside));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(about))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/who", get(who))
            .with_state(shared.clone());
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
                tell.send(listener.local_addr().expect("an address")).expect("somebody waits");
                axum::serve(listener, router).await.expect("it serves");
            });
        });
        let address = told.recv().expect("the provider listens");
        shared.lock().expect("no test failed with it").address = format!("http://{address}");
        Self(shared)
    }

    pub(crate) fn address(&self) -> String {
        self.0.lock().expect("no test failed with it").address.clone()
    }

    /// How a server is told about it.
    pub(crate) fn settings(&self, domain: Option<&str>) -> Oidc {
        Oidc {
            issuer: self.address(),
            client_id: CLIENT.to_owned(),
            secret: SECRET.to_owned(),
            name: "Works".to_owned(),
            domain: domain.map(str::to_owned),
        }
    }

    /// Somebody else sits down at the browser. What is given here replaces what would stand in the token.
    pub(crate) fn seat(&self, claims: Value) {
        let mut inside = self.0.lock().expect("no test failed with it");
        (inside.claims, inside.asides) = (claims, json!({}));
    }

    /// As [`IdentityProvider::seat`], with claims that the token leaves out.
    pub(crate) fn seat_thinly(&self, claims: Value, asides: Value) {
        let mut inside = self.0.lock().expect("no test failed with it");
        (inside.claims, inside.asides) = (claims, asides);
    }

    /// Another key from now on.
    pub(crate) fn change_key(&self) {
        let mut inside = self.0.lock().expect("no test failed with it");
        inside.key = new_key();
        inside.kid += 1;
    }

    /// Another key from now on, called as the one before.
    pub(crate) fn replace_key(&self) {
        self.0.lock().expect("no test failed with it").key = new_key();
    }

    /// Whether tokens are signed by somebody else from now on.
    pub(crate) fn forge(&self, forges: bool) {
        self.0.lock().expect("no test failed with it").forges = forges;
    }
}

async fn about(State(shared): State<Shared>) -> Json<Value> {
    let address = shared.lock().expect("whole").address.clone();
    Json(json!({
        "issuer": address,
        "authorization_endpoint": format!("{address}/authorize"),
        "token_endpoint": format!("{address}/token"),
        "jwks_uri": format!("{address}/keys"),
        "userinfo_endpoint": format!("{address}/who"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

async fn keys(State(shared): State<Shared>) -> Json<Value> {
    let inside = shared.lock().expect("whole");
    let point = inside.key.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let ours =
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": inside.kid.to_string(), "x": x, "y": y });
    Json(json!({ "keys": [{ "kty": "odd", "kid": 7 }, ours] }))
}

/// Everybody agrees at once.
async fn authorize(State(shared): State<Shared>, Query(sent): Query<Sent>) -> Response {
    let plain = sent.get("response_type").is_some_and(|kind| kind == "code")
        && sent.get("code_challenge_method").is_some_and(|method| method == "S256")
        && sent.get("client_id").is_some_and(|client| client == CLIENT)
        && sent.get("scope").is_some_and(|scope| scope == "openid email");
    if !plain {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let mut inside = shared.lock().expect("whole");
    inside.n_codes += 1;
    let code = format!("code-{}", inside.n_codes);
    let back = format!("{}?code={code}&state={}", sent["redirect_uri"], sent["state"]);
    inside.codes.insert(code, sent);
    (StatusCode::FOUND, [("location", back)]).into_response()
}

async fn token(State(shared): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let sent: Sent = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let known = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{encoded}")));
    if headers.get("authorization").is_none_or(|given| given != known.as_str()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut inside = shared.lock().expect("whole");
    let asked = sent.get("code").and_then(|code| inside.codes.remove(code));
    let fits = asked.filter(|asked| {
        let verifier = sent.get("code_verifier").map_or("", String::as_str);
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        asked["code_challenge"] == challenge && sent.get("redirect_uri") == asked.get("redirect_uri")
    });
    let Some(asked) = fits else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
    let mut body = json!({ "iss": inside.address, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"] });
    for (name, value) in inside.claims.as_object().expect("claims") {
        body[name] = value.clone();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = json!({ "alg": "ES256", "kid": inside.kid.to_string() });
    let message = format!("{}.{}", part(&head), part(&body));
    let stranger = new_key();
    let key = if inside.forges { &stranger } else { &inside.key };
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).expect("signed");
    let id_token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    Json(json!({ "access_token": "access", "token_type": "Bearer", "id_token": id_token })).into_response()
}

async fn who(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if headers.get("authorization").is_none_or(|given| given != "Bearer access") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let inside = shared.lock().expect("whole");
    let mut told = inside.claims.clone();
    for (name, value) in inside.asides.as_object().expect("claims") {
        told[name] = value.clone();
    }
    Json(told).into_response()
}
