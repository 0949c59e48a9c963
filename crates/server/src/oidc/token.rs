//! ID tokens: who signed them, for whom, when, and about whom (OpenID Connect Core 1.0, section 3.1.3.7; RFC 7515, 7517, 7518).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    self, EcdsaVerificationAlgorithm, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::{Deserialize, Deserializer};

/// Seconds that clocks may differ by.
const LEEWAY: f64 = 60.0;
/// Longest subject (section 2).
const SUBJECT_LENGTH: usize = 255;

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it cannot be read")]
    Unreadable,
    #[error("it is signed in a way that is not taken")]
    Algorithm,
    #[error("no key of the provider would have signed it")]
    NoKey,
    #[error("the signature is wrong")]
    Signature,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is for somebody else")]
    Audience,
    #[error("it is too old")]
    Expired,
    #[error("it is from the future")]
    Early,
    #[error("it belongs to another log-in")]
    Nonce,
    #[error("it says about nobody")]
    Subject,
}

/// A key of the provider. Those of kinds that are not known stay unused.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    use_: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// What a token must say.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    pub(super) nonce: &'a str,
}

/// Who it is about.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Claims {
    /// Stays the same for ever, and is nobody else's at this issuer.
    #[serde(rename = "sub")]
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    pub(crate) email_verified: bool,
}

/// Some providers write it as a word.
fn truth<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(value)?;
    Ok(value == true || value == "true")
}

#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood, and none is.
    crit: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Body {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    #[serde(flatten)]
    claims: Claims,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// How a token may be signed: with a key that only the provider has. `none`, and what our own secret would do for, are not among them.
#[derive(Clone, Copy)]
enum Way {
    Rsa(&'static RsaParameters),
    Curve(&'static str, &'static EcdsaVerificationAlgorithm),
}

fn way(alg: &str) -> Option<Way> {
    Some(match alg {
        "RS256" => Way::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Way::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Way::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        "PS256" => Way::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
        "PS384" => Way::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
        "PS512" => Way::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
        "ES256" => Way::Curve("P-256", &signature::ECDSA_P256_SHA256_FIXED),
        "ES384" => Way::Curve("P-384", &signature::ECDSA_P384_SHA384_FIXED),
        _ => return None,
    })
}

/// Who a token is about, if it holds at `now`, in seconds since 1970.
pub(super) fn verify(token: &str, keys: &[Key], expected: &Expected<'_>, now: i64) -> Result<Claims, Flaw> {
    let body: Body = serde_json::from_slice(&signed(token, keys)?).map_err(|_| Flaw::Unreadable)?;
    if body.iss != expected.issuer {
        return Err(Flaw::Issuer);
    }
    let (ours, others) = match &body.aud {
        Audience::One(one) => (one == expected.audience, false),
        Audience::Several(several) => (
            several.iter().any(|one| one == expected.audience),
            several.iter().any(|one| one != expected.audience),
        ),
    };
    // One that others may use as well must say that it was made for us.
    let azp = body.azp.as_deref().map_or(!others, |azp| azp == expected.audience);
    if !ours || !azp {
        return Err(Flaw::Audience);
    }
    let now = now as f64;
    if body.exp + LEEWAY <= now {
        return Err(Flaw::Expired);
    }
    if [Some(body.iat), body.nbf].into_iter().flatten().any(|from| from - LEEWAY > now) {
        return Err(Flaw::Early);
    }
    if body.nonce.as_deref() != Some(expected.nonce) {
        return Err(Flaw::Nonce);
    }
    let subject = &body.claims.subject;
    if subject.is_empty() || subject.len() > SUBJECT_LENGTH {
        return Err(Flaw::Subject);
    }
    Ok(body.claims)
}

/// What is in a token that one of the keys signed.
fn signed(token: &str, keys: &[Key]) -> Result<Vec<u8>, Flaw> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Flaw::Unreadable);
    let (message, signature) = token.rsplit_once('.').ok_or(Flaw::Unreadable)?;
    let (head, body) = message.split_once('.').ok_or(Flaw::Unreadable)?;
    let head: Head = serde_json::from_slice(&bytes(head)?).map_err(|_| Flaw::Unreadable)?;
    let way = way(&head.alg).filter(|_| head.crit.is_none()).ok_or(Flaw::Algorithm)?;
    let (body, signature) = (bytes(body)?, bytes(signature)?);
    let mut fitting = keys.iter().filter(|key| key.fits(&head, way)).peekable();
    fitting.peek().ok_or(Flaw::NoKey)?;
    let holds = fitting.any(|key| key.signed(way, message.as_bytes(), &signature).is_some());
    if holds { Ok(body) } else { Err(Flaw::Signature) }
}

impl Key {
    /// Whether a token with this head may be signed by it.
    fn fits(&self, head: &Head, way: Way) -> bool {
        let kind = match way {
            Way::Rsa(_) => self.kty == "RSA",
            Way::Curve(curve, _) => self.kty == "EC" && self.crv.as_deref() == Some(curve),
        };
        let named = head.kid.is_none() || head.kid == self.kid;
        let meant = self.use_.as_deref().is_none_or(|meant| meant == "sig");
        kind && named && meant && self.alg.as_deref().is_none_or(|alg| alg == head.alg)
    }

    /// `Some` when it signed the message.
    fn signed(&self, way: Way, message: &[u8], signature: &[u8]) -> Option<()> {
        let number = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        match way {
            Way::Rsa(parameters) => {
                let (n, e) = (number(&self.n)?, number(&self.e)?);
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).ok()
            }
            Way::Curve(_, algorithm) => {
                // A point that is written out: 4, x, y.
                let point = [vec![4], number(&self.x)?, number(&self.y)?].concat();
                UnparsedPublicKey::new(algorithm, point).verify(message, signature).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests;
