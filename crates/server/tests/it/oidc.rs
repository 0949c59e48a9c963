//! Logging in by way of a provider, walked as a browser walks it.

use serde_json::{Value, json};
use server::{Oidc, Way};
use testkit::{Client, Postgres, Told, id};

use crate::provider::IdentityProvider;
use crate::running::{Place, Running, folder, start, start_on};

const PASSWORD: &str = "a long password";

/// A browser: it keeps cookies.
pub(crate) struct Browser<'a> {
    server: &'a Running,
    jar: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(server: &'a Running) -> Self {
        Self { server, jar: Vec::new() }
    }

    pub(crate) fn client(&self) -> Client {
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.server.nobody().with("cookie", &cookies.join("; "))
    }

    fn keep(&mut self, told: &Told) {
        for cookie in told.values("set-cookie") {
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.jar.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn cookie(&self, name: &str) -> Option<String> {
        self.jar.iter().find(|(kept, _)| kept == name).map(|(_, value)| value.clone())
    }

    /// Goes to a page of the server, and says where that leads.
    #[track_caller]
    fn go(&mut self, path: &str) -> String {
        let told = self.client().get(path);
        assert_eq!(told.status, 303, "{path}: {told:?}");
        self.keep(&told);
        told.values("location").next().expect("an address").to_owned()
    }

    /// To the provider, where whoever sits there agrees; the address that leads back.
    #[track_caller]
    fn leave(&mut self) -> String {
        let away = self.go("/v1/oidc/start");
        self.agree(&away)
    }

    #[track_caller]
    fn agree(&self, away: &str) -> String {
        let told = Client::nobody(away).get("");
        assert_eq!(told.status, 302, "{away}: {told:?}");
        let back = told.values("location").next().expect("an address");
        back.strip_prefix(&self.server.address).expect("it leads back").to_owned()
    }

    /// There and back.
    #[track_caller]
    pub(crate) fn walk(&mut self) -> String {
        let back = self.leave();
        self.go(&back)
    }

    pub(crate) fn who(&self) -> Value {
        self.client().get("/v1/session").body["person"].clone()
    }

    pub(crate) fn log_in(&mut self, name: &str) {
        let told = self.client().post("/v1/login", &json!({ "name": name, "password": PASSWORD }));
        assert_eq!(told.status, 200, "{told:?}");
        self.keep(&told);
    }
}

fn refused(code: &str) -> String {
    format!("/#/refused/login_{code}")
}

fn claims(subject: &str, email: &str) -> Value {
    json!({ "sub": subject, "email": email, "email_verified": true })
}

/// A server with an owner, ann, who has a password.
fn team(dir: &std::path::Path, oidc: Oidc) -> (Running, Client) {
    let server = start_on(Way::Team, dir, Place { oidc: Some(oidc), ..Place::default() });
    let nobody = server.nobody();
    let setup = json!({ "key": server.key, "tenant": "Works", "name": "ann", "password": PASSWORD });
    let ann = nobody.with_session(&nobody.post("/v1/setup", &setup));
    (server, ann)
}

#[test]
fn who_was_let_in_by_e_mail_comes_in() {
    let (provider, (_dir, data)) = (IdentityProvider::start(), folder());
    let (server, ann) = team(&data, provider.settings(None));
    assert_eq!(server.nobody().get("/v1/status").body["provider"], "Works");
    let new = |name: &str, email: &str| {
        ann.post("/v1/people", &json!({ "name": name, "email": email, "role": "editor" }))
    };
    id(&new("Ben", "Ben@Example.com"));
    assert_eq!(new("Bo", "ben@example.com").status, 409, "an e-mail is one person's");
    assert_eq!(new("Bo", "nowhere").status, 422);
    assert_eq!(ann.post("/v1/people", &json!({ "name": "Bo", "role": "editor" })).status, 422);
    let password = json!({ "name": "Ben", "password": PASSWORD });
    assert_eq!(server.nobody().post("/v1/login", &password).status, 401, "there is none");

    provider.seat(claims("b-1", "ben@example.com"));
    let mut browser = Browser::new(&server);
    assert_eq!(browser.walk(), "/");
    let ben = browser.who();
    assert_eq!((&ben["name"], &ben["role"], &ben["linked"]), (&json!("Ben"), &json!("editor"), &json!(true)));
    assert_eq!(browser.cookie("dianjing_entrance"), None, "it has served");
    // The provider gives another key, and the person another e-mail: it is still them.
    provider.change_key();
    provider.seat(claims("b-1", "ben@elsewhere.example"));
    assert_eq!(Browser::new(&server).walk(), "/");
    // A key that is called as the one before is another all the same.
    provider.replace_key();
    assert_eq!(Browser::new(&server).walk(), "/");
    // Somebody else got the e-mail meanwhile.
    provider.seat(claims("b-2", "ben@example.com"));
    assert_eq!(Browser::new(&server).walk(), refused("taken"));

    let session = browser.client();
    assert_eq!(session.post("/v1/logout", &json!({})).status, 204);
    assert_eq!(session.get("/v1/session").status, 401);
    let actions = ann.get("/v1/trail").body["entries"].clone();
    let actions = actions.as_array().expect("entries").iter().map(|entry| entry["action"].clone());
    assert_eq!(actions.take(4).collect::<Vec<_>>(), ["log in", "log in", "log in", "link account"]);
    // Who leaves the team does not come in any more.
    let people = ann.get("/v1/people").body["people"].clone();
    let theirs = people.as_array().expect("people").iter().find(|one| one["name"] == "Ben").expect("Ben");
    assert_eq!(theirs["email"], "ben@example.com");
    let path = format!("/v1/people/{}", theirs["id"].as_str().expect("an id"));
    assert_eq!(ann.ask("DELETE", &path, None, &[]).status, 204);
    provider.seat(claims("b-1", "ben@example.com"));
    assert_eq!(Browser::new(&server).walk(), refused("unknown"));
}

#[test]
fn what_does_not_prove_who_came_is_refused() {
    let (provider, (_dir, data)) = (IdentityProvider::start(), folder());
    let (server, ann) = team(&data, provider.settings(Some("example.com")));
    let walk = |claims: Value| {
        provider.seat(claims);
        let mut browser = Browser::new(&server);
        let led = browser.walk();
        assert!(led == "/" || browser.cookie("dianjing_session").is_none(), "no session for who is refused");
        led
    };
    let with = |name: &str, value: Value| {
        let mut claims = claims("e-1", "eve@example.com");
        claims[name] = value;
        claims
    };
    for (name, value) in [
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("exp", json!(1_600_000_000)),
        ("iat", json!(4_000_000_000_u64)),
        ("aud", json!("another-client")),
        ("aud", json!(["dianjing", "another-client"])),
        ("iss", json!("https://elsewhere.example")),
        ("sub", json!("")),
    ] {
        assert_eq!(walk(with(name, value.clone())), refused("unproven"), "{name}: {value}");
    }
    provider.forge(true);
    assert_eq!(walk(claims("e-1", "eve@example.com")), refused("unproven"), "signed by somebody else");
    provider.forge(false);
    for verified in [json!(false), json!("no"), Value::Null] {
        assert_eq!(walk(with("email_verified", verified)), refused("unverified"));
    }
    for email in
        ["eve@example.org", "eve@mail.example.com", "eve@example.com.example.org", "eve@badexample.com"]
    {
        assert_eq!(walk(claims("e-1", email)), refused("unknown"), "{email}");
    }
    assert_eq!(walk(with("email", json!("example.com"))), refused("unverified"), "no address");
    assert_eq!(ann.get("/v1/people").body["people"].as_array().map(Vec::len), Some(1), "nobody came in");

    assert_eq!(walk(claims("f-1", "Fay@Example.com")), "/");
    // What the token leaves out is asked for, and holds only for who it is about.
    provider.seat_thinly(json!({ "sub": "g-1" }), claims("g-1", "gus@example.com"));
    assert_eq!(Browser::new(&server).walk(), "/");
    provider.seat_thinly(json!({ "sub": "h-1" }), claims("f-1", "fay@example.com"));
    assert_eq!(Browser::new(&server).walk(), refused("unproven"));
    let people = ann.get("/v1/people").body["people"].clone();
    let people =
        people.as_array().expect("people").iter().map(|one| (one["name"].clone(), one["role"].clone()));
    let expected = [("ann", "owner"), ("fay@example.com", "viewer"), ("gus@example.com", "viewer")];
    assert_eq!(people.collect::<Vec<_>>(), expected.map(|(name, role)| (json!(name), json!(role))));
}

#[test]
fn nobody_of_the_domain_comes_before_the_owner_of_what_was_a_studio() {
    let (provider, (_dir, data)) = (IdentityProvider::start(), folder());
    let studio = start(Way::Local, &data);
    id(&studio.owner().post("/v1/datasets", &json!({ "name": "secret parts" })));
    drop(studio);
    let oidc = Some(provider.settings(Some("example.com")));
    let server = start_on(Way::Team, &data, Place { oidc, ..Place::default() });
    provider.seat(claims("f-1", "fay@example.com"));
    assert_eq!(Browser::new(&server).walk(), refused("unknown"));
    server.set_up();
    assert_eq!(Browser::new(&server).walk(), "/");
}

#[test]
fn another_tenant_takes_nobody_of_the_domain() {
    let (provider, (_dir, data)) = (IdentityProvider::start(), folder());
    let (server, ann) = team(&data, provider.settings(Some("Example.com")));
    let tenant = json!({ "tenant": "Theirs", "name": "bob", "password": PASSWORD });
    assert_eq!(ann.post("/v1/tenants", &tenant).status, 200);
    let nobody = server.nobody();
    let bob = nobody.with_session(&nobody.post("/v1/login", &json!({ "name": "bob", "password": PASSWORD })));
    let new = |who: &Client, name: &str, email: &str| {
        who.post("/v1/people", &json!({ "name": name, "email": email, "role": "editor" })).status
    };
    assert_eq!(new(&ann, "ben", "ben@example.com"), 200);
    // Whether somebody has the address or nobody does, he hears the same.
    assert_eq!(new(&bob, "ben2", "Ben@Example.com"), 403);
    assert_eq!(new(&bob, "fay", "fay@example.com"), 403);
    assert_eq!(new(&bob, "gus", "gus@elsewhere.example"), 200);
}

#[test]
fn an_answer_serves_once_and_in_the_browser_that_asked() {
    let (provider, (_dir, data)) = (IdentityProvider::start(), folder());
    let (server, _ann) = team(&data, provider.settings(Some("example.com")));
    provider.seat(claims("f-1", "fay@example.com"));
    let (mut fay, mut other) = (Browser::new(&server), Browser::new(&server));
    let back = fay.leave();
    // Somebody is led to another's answer: without a log-in of their own, and with one.
    assert_eq!(other.go(&back), refused("lost"));
    let others = other.leave();
    assert_eq!(other.go(&back), refused("lost"));
    assert_eq!(other.cookie("dianjing_session"), None);
    let parameter = |address: &str, name: &str| {
        let (_, query) = address.split_once('?').expect("a query");
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        pair.expect("a parameter").to_owned()
    };
    let (code, state) = (parameter(&back, "code"), parameter(&back, "state"));
    for odd in ["", "?state=", "?code=x", "?state=x&code=x"] {
        assert_eq!(
            Browser { jar: fay.jar.clone(), server: &server }.go(&format!("/v1/oidc/back{odd}")),
            refused("lost")
        );
    }
    assert_eq!(
        Browser { jar: fay.jar.clone(), server: &server }.go(&format!("/v1/oidc/back?state=x&code={code}")),
        refused("lost"),
        "a wrong state ends nothing"
    );
    // A session that somebody put there before is not taken over, and is over.
    let planted = {
        let mut ann = Browser::new(&server);
        ann.log_in("ann");
        ann.cookie("dianjing_session").expect("a session")
    };
    fay.jar.push(("dianjing_session".to_owned(), planted.clone()));
    let entrance = fay.cookie("dianjing_entrance").expect("a log-in under way");
    assert_eq!(fay.go(&back), "/");
    assert_ne!(fay.cookie("dianjing_session").expect("a session"), planted);
    let with_planted = server.nobody().with("cookie", &format!("dianjing_session={planted}"));
    assert_eq!(with_planted.get("/v1/session").status, 401);
    // The same answer again, by who kept the cookie; and its code with another state.
    let mut again = Browser { jar: vec![("dianjing_entrance".to_owned(), entrance)], server: &server };
    assert_eq!(again.go(&back), refused("lost"));
    let mut thief = Browser::new(&server);
    let theirs = parameter(&thief.leave(), "state");
    assert_eq!(thief.go(&format!("/v1/oidc/back?state={theirs}&code={code}")), refused("unproven"));
    // A code of another log-in does not fit the proof of one's own.
    let mut thief = Browser::new(&server);
    let theirs = parameter(&thief.leave(), "state");
    let stolen = parameter(&others, "code");
    assert_eq!(thief.go(&format!("/v1/oidc/back?state={theirs}&code={stolen}")), refused("unproven"));
    // Who said no at the provider.
    let mut shy = Browser::new(&server);
    let theirs = parameter(&shy.leave(), "state");
    assert_eq!(shy.go(&format!("/v1/oidc/back?state={theirs}&error=access_denied")), refused("declined"));
    assert_ne!(state, theirs);
}

#[test]
fn who_has_a_password_links_an_account() {
    let (provider, (_dir, data)) = (IdentityProvider::start(), folder());
    let (server, ann) = team(&data, provider.settings(None));
    let (mut browser, mut lea) = (Browser::new(&server), Browser::new(&server));
    let new = json!({ "name": "lea", "password": PASSWORD, "role": "viewer" });
    assert_eq!(ann.post("/v1/people", &new).status, 200);
    browser.log_in("ann");
    lea.log_in("lea");
    let link = |browser: &mut Browser<'_>, password: &str| {
        let told = browser.client().post("/v1/oidc/link", &json!({ "password": password }));
        browser.keep(&told);
        told
    };
    // An account at the provider, without a verified e-mail.
    provider.seat(json!({ "sub": "a-1" }));
    assert_eq!(Browser::new(&server).walk(), refused("unverified"));
    assert_eq!(link(&mut browser, "a wrong password").status, 422);
    assert_eq!(
        Browser::new(&server).client().post("/v1/oidc/link", &json!({ "password": PASSWORD })).status,
        401
    );
    let away = link(&mut browser, PASSWORD).body["address"].as_str().expect("an address").to_owned();
    let back = browser.agree(&away);
    // The browser changed hands on the way.
    let hers = browser.jar.clone();
    browser.jar.retain(|(name, _)| name != "dianjing_session");
    browser.jar.extend(lea.jar.iter().cloned());
    assert_eq!(browser.go(&back), refused("lost"));
    browser.jar = hers;
    let away = link(&mut browser, PASSWORD).body["address"].as_str().expect("an address").to_owned();
    let back = browser.agree(&away);
    assert_eq!(browser.go(&back), "/#/settings");
    assert_eq!(
        (browser.who()["linked"].clone(), browser.who()["has_password"].clone()),
        (json!(true), json!(true))
    );
    let mut fresh = Browser::new(&server);
    assert_eq!((fresh.walk().as_str(), fresh.who()["name"].clone()), ("/", json!("ann")));
    // What is ann's is not lea's; and ann may change what is hers.
    let away = link(&mut lea, PASSWORD).body["address"].as_str().expect("an address").to_owned();
    let back = lea.agree(&away);
    assert_eq!(lea.go(&back), refused("taken"));
    assert_eq!(lea.who()["linked"], false);
    provider.seat(json!({ "sub": "a-2" }));
    let away = link(&mut browser, PASSWORD).body["address"].as_str().expect("an address").to_owned();
    let back = browser.agree(&away);
    assert_eq!(browser.go(&back), "/#/settings");
    provider.seat(json!({ "sub": "a-1" }));
    assert_eq!(Browser::new(&server).walk(), refused("unverified"), "that one is nobody's now");
    let token = ann.post("/v1/tokens", &json!({ "name": "t", "scopes": ["read", "write"] }));
    let bearer = format!("Bearer {}", token.body["secret"].as_str().expect("a secret"));
    let program = server.nobody().with("authorization", &bearer);
    assert_eq!(program.post("/v1/oidc/link", &json!({ "password": PASSWORD })).status, 403, "no token links");
}

#[test]
fn a_provider_that_is_away_or_odd_lets_nobody_in() {
    let provider = IdentityProvider::start();
    let away = |issuer: String| {
        let (_dir, data) = folder();
        let (server, _ann) = team(&data, Oidc { issuer, ..provider.settings(None) });
        Browser::new(&server).go("/v1/oidc/start")
    };
    assert_eq!(away("http://127.0.0.1:9".to_owned()), refused("unreachable"));
    let other_name = provider.address().replace("127.0.0.1", "localhost");
    assert_eq!(away(other_name), refused("unreachable"), "it calls itself something else");
    let (_dir, data) = folder();
    let server = start(Way::Team, &data);
    for path in ["/v1/oidc/start", "/v1/oidc/back?state=x&code=x"] {
        assert_eq!(server.nobody().get(path).status, 404, "there is no provider");
    }
    assert_eq!(server.nobody().get("/v1/status").body["provider"], Value::Null);
}

#[test]
fn who_left_from_one_server_comes_back_to_another() {
    let (provider, postgres) = (IdentityProvider::start(), Postgres::start());
    let place = || Place {
        oidc: Some(provider.settings(Some("example.com"))),
        database: Some(postgres.url()),
        ..Place::default()
    };
    let ((_one, one), (_two, two)) = (folder(), folder());
    let first = start_on(Way::Team, &one, place());
    first.set_up();
    let second = start_on(Way::Team, &two, place());
    provider.seat(claims("f-1", "fay@example.com"));
    let mut fay = Browser::new(&first);
    let back = fay.leave();
    let mut there = Browser { server: &second, jar: fay.jar.clone() };
    assert_eq!(there.go(&back), "/");
    assert_eq!(there.who()["name"], "fay@example.com");
    // Once is once for both of them.
    assert_eq!(fay.go(&back), refused("lost"));
    let mut again = Browser { server: &second, jar: fay.jar.clone() };
    assert_eq!(again.go(&back), refused("lost"));
}

#[test]
fn an_account_is_taken_away_by_its_person_and_by_an_owner() {
    let (provider, (_dir, data)) = (IdentityProvider::start(), folder());
    let (server, ann) = team(&data, provider.settings(None));
    let link = |browser: &mut Browser<'_>, subject: &str| {
        provider.seat(json!({ "sub": subject }));
        let told = browser.client().post("/v1/oidc/link", &json!({ "password": PASSWORD }));
        browser.keep(&told);
        let back = browser.agree(told.body["address"].as_str().expect("an address"));
        assert_eq!(browser.go(&back), "/#/settings");
    };
    let unlink = |who: &Client| who.ask("DELETE", "/v1/oidc/link", None, &[]).status;
    // By its person, who has a password.
    let mut browser = Browser::new(&server);
    browser.log_in("ann");
    assert_eq!(unlink(&browser.client()), 404, "there is none");
    link(&mut browser, "a-1");
    let token = ann.post("/v1/tokens", &json!({ "name": "t", "scopes": ["read", "write"] }));
    let bearer = format!("Bearer {}", token.body["secret"].as_str().expect("a secret"));
    assert_eq!(unlink(&server.nobody().with("authorization", &bearer)), 403, "no token unlinks");
    let elsewhere = browser.client();
    let told = elsewhere.ask("DELETE", "/v1/oidc/link", None, &[]);
    browser.keep(&told);
    assert_eq!((told.status, browser.who()["linked"].clone()), (204, json!(false)));
    assert_eq!(elsewhere.get("/v1/session").status, 401, "whoever holds a cookie of hers is out");
    assert_eq!(Browser::new(&server).walk(), refused("unverified"), "it is nobody's now");
    let ann = browser.client();
    // By an owner: whoever is in by it is out.
    let new = json!({ "name": "Ben", "email": "ben@example.com", "role": "editor" });
    let path = format!("/v1/people/{}/account", id(&ann.post("/v1/people", &new)));
    let take = |who: &Client| who.ask("DELETE", &path, None, &[]).status;
    assert_eq!(take(&ann), 404, "there is none");
    provider.seat(claims("b-1", "ben@example.com"));
    let mut ben = Browser::new(&server);
    assert_eq!(ben.walk(), "/");
    assert_eq!(unlink(&ben.client()), 409, "it is his only way in");
    assert_eq!(take(&ben.client()), 403);
    let linked = || ann.get("/v1/people").body["people"][1]["linked"].clone();
    assert_eq!(linked(), true);
    assert_eq!(take(&ann), 204);
    assert_eq!((linked(), ben.client().get("/v1/session").status), (json!(false), 401));
    // He was let in by his e-mail, and may come with the account that has it now.
    provider.seat(claims("b-2", "ben@example.com"));
    assert_eq!(Browser::new(&server).walk(), "/");
    let actions = ann.get("/v1/trail").body["entries"].clone();
    let unlinked =
        actions.as_array().expect("entries").iter().filter(|one| one["action"] == "unlink account");
    assert_eq!(unlinked.count(), 2);
}

#[test]
fn an_invitation_does_not_tell_whether_another_team_has_the_address() {
    let (provider, (_dir, data)) = (IdentityProvider::start(), folder());
    let (server, ann) = team(&data, provider.settings(None));
    let tenant = json!({ "tenant": "Theirs", "name": "bob", "password": PASSWORD });
    assert_eq!(ann.post("/v1/tenants", &tenant).status, 200);
    let nobody = server.nobody();
    let bob = nobody.with_session(&nobody.post("/v1/login", &json!({ "name": "bob", "password": PASSWORD })));
    let invite = |who: &Client, name: &str, email: &str| {
        let told = who.post("/v1/people", &json!({ "name": name, "email": email, "role": "viewer" }));
        (told.status, told.body["name"].clone(), told.body["email"].clone(), told.body["linked"].clone())
    };
    let came = |name: &str, email: &str| (200, json!(name), json!(email), json!(false));
    assert_eq!(invite(&ann, "Gus", "gus@example.com"), came("Gus", "gus@example.com"));
    // He hears the same of an address that somebody has and of one that nobody has.
    assert_eq!(invite(&bob, "G", "gus@example.com"), came("G", "gus@example.com"));
    assert_eq!(invite(&bob, "H", "hal@example.com"), came("H", "hal@example.com"));
    assert_eq!(invite(&bob, "I", "hal@example.com").0, 409, "of his own people he knows it");
    // The first invitation counts, and the next one when it is gone.
    provider.seat(claims("g-1", "gus@example.com"));
    let mut gus = Browser::new(&server);
    assert_eq!((gus.walk().as_str(), gus.who()["name"].clone()), ("/", json!("Gus")));
    let person = gus.who()["id"].as_str().expect("an id").to_owned();
    assert_eq!(ann.ask("DELETE", &format!("/v1/people/{person}"), None, &[]).status, 204);
    let mut gus = Browser::new(&server);
    assert_eq!((gus.walk().as_str(), gus.who()["name"].clone()), ("/", json!("G")));
}
