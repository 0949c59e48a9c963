use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_800_000_000;

/// A provider's own key.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let (random, way) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(way, &random).expect("a key");
        Self(EcdsaKeyPair::from_pkcs8(way, pkcs8.as_ref(), &random).expect("a key"))
    }

    fn key(&self, kid: &str) -> Key {
        let point = self.0.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        serde_json::from_value(
            json!({ "kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": x, "y": y }),
        )
        .expect("a key")
    }

    fn sign(&self, head: &Value, body: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(head), part(body));
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).expect("signed");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn head() -> Value {
    json!({ "alg": "ES256", "kid": "one" })
}

fn body() -> Value {
    json!({ "iss": "https://id.example", "aud": "us", "sub": "42", "exp": NOW + 300, "iat": NOW - 5, "nonce": "n",
        "email": "Ann@Example.com", "email_verified": true })
}

fn ask(token: &str, keys: &[Key]) -> Result<Claims, Flaw> {
    verify(token, keys, &Expected { issuer: "https://id.example", audience: "us", nonce: "n" }, NOW)
}

/// What becomes of a token whose body says something else.
#[track_caller]
fn check(changed: Value, expected: Option<Flaw>) {
    let signer = Signer::new();
    let mut body = body();
    for (name, value) in changed.as_object().expect("claims") {
        body[name] = value.clone();
    }
    let told = ask(&signer.sign(&head(), &body), &[signer.key("other"), signer.key("one")]);
    assert_eq!(told.as_ref().err().copied(), expected, "{changed}: {told:?}");
}

#[test]
fn what_a_token_says_must_be_meant_for_now_and_us() {
    check(json!({}), None);
    check(json!({ "aud": ["us"] }), None);
    check(json!({ "aud": ["us", "them"], "azp": "us" }), None);
    check(json!({ "exp": NOW - 30 }), None);
    check(json!({ "iss": "https://id.example/" }), Some(Flaw::Issuer));
    check(json!({ "aud": "them" }), Some(Flaw::Audience));
    check(json!({ "aud": ["us", "them"] }), Some(Flaw::Audience));
    check(json!({ "azp": "them" }), Some(Flaw::Audience));
    check(json!({ "aud": [] }), Some(Flaw::Audience));
    check(json!({ "exp": NOW - 61 }), Some(Flaw::Expired));
    check(json!({ "exp": "soon" }), Some(Flaw::Unreadable));
    check(json!({ "iat": NOW + 3600 }), Some(Flaw::Early));
    check(json!({ "nbf": NOW + 3600 }), Some(Flaw::Early));
    check(json!({ "nonce": "m" }), Some(Flaw::Nonce));
    check(json!({ "nonce": null }), Some(Flaw::Nonce));
    check(json!({ "sub": "" }), Some(Flaw::Subject));
    check(json!({ "sub": "x".repeat(256) }), Some(Flaw::Subject));
}

#[test]
fn only_the_providers_keys_sign() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let keys = [signer.key("one")];
    let told = |head: &Value| ask(&signer.sign(head, &body()), &keys).err();
    assert_eq!(told(&json!({ "alg": "ES256" })), None, "a token may leave open which key it was");
    assert_eq!(told(&json!({ "alg": "ES256", "kid": "two" })), Some(Flaw::NoKey));
    assert_eq!(
        told(&json!({ "alg": "RS256", "kid": "one" })),
        Some(Flaw::NoKey),
        "keys serve for their own kind"
    );
    for alg in ["none", "HS256", "es256", ""] {
        assert_eq!(told(&json!({ "alg": alg, "kid": "one" })), Some(Flaw::Algorithm), "{alg}");
    }
    assert_eq!(told(&json!({ "alg": "ES256", "crit": ["x"] })), Some(Flaw::Algorithm));
    assert_eq!(ask(&stranger.sign(&head(), &body()), &keys).err(), Some(Flaw::Signature));
    let token = signer.sign(&head(), &body());
    let mut parts: Vec<&str> = token.split('.').collect();
    let forged = URL_SAFE_NO_PAD.encode(body().to_string().replace("42", "43"));
    parts[1] = &forged;
    assert_eq!(ask(&parts.join("."), &keys).err(), Some(Flaw::Signature));
    let message = token.rsplit_once('.').expect("a signature").0;
    assert_eq!(ask(&format!("{message}."), &keys).err(), Some(Flaw::Signature));
    for odd in ["", ".", "..", "a.b.c", message] {
        assert_eq!(ask(odd, &keys).err(), Some(Flaw::Unreadable), "{odd}");
    }
    let encrypts = Key { use_: Some("enc".to_owned()), ..signer.key("one") };
    assert_eq!(ask(&token, &[encrypts]).err(), Some(Flaw::NoKey));
}

#[test]
fn signatures_are_those_of_the_standard() {
    // RFC 7515, appendices A.2 and A.3.
    let body =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rsa = json!({ "kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw\
        -4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs\
        LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91\
        kzk2PAcDTW9gb54h4FRWyuXpoQ" });
    let by_rsa = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr\
        7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOk\
        HWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let curve = json!({ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" });
    let by_curve = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    for (head, key, signature) in
        [("eyJhbGciOiJSUzI1NiJ9", rsa, by_rsa), ("eyJhbGciOiJFUzI1NiJ9", curve, by_curve)]
    {
        let keys: [Key; 1] = [serde_json::from_value(key).expect("a key")];
        let read = signed(&format!("{head}.{body}.{signature}"), &keys).expect("the signature holds");
        assert!(String::from_utf8_lossy(&read).contains(r#""iss":"joe""#));
        assert_eq!(signed(&format!("{head}.{body}A.{signature}"), &keys).err(), Some(Flaw::Signature));
    }
}

#[test]
fn a_verified_e_mail_may_be_said_in_a_word() {
    let told = |verified: Value| {
        let claims = json!({ "sub": "1", "email": "a@b.c", "email_verified": verified });
        serde_json::from_value::<Claims>(claims).expect("claims").email_verified
    };
    assert!(told(json!(true)) && told(json!("true")));
    assert!(!told(json!(false)) && !told(json!("yes")) && !told(json!(1)) && !told(Value::Null));
    assert!(!serde_json::from_value::<Claims>(json!({ "sub": "1" })).expect("claims").email_verified);
}
