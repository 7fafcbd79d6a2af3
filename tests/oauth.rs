//! The API as a resource server: an issuer that is found by its name, comes and goes, and the tokens of those who wish it ill.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use actix_web::http::{Method, StatusCode};
use api::auth::{IssuerConfig, JwksSource};
use api::openapi;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::{AUDIENCE, Reply, TestApp, draft_of, noon};

const METADATA: &str = "resource_metadata=\"https://api.test/.well-known/oauth-protected-resource/v1\"";

/// An issuer on the loopback, with one key.
struct Issuer {
    name: String,
    key: Ed25519KeyPair,
    documents: Arc<Mutex<BTreeMap<String, Value>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Issuer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = Self {
            name: format!("http://{}/realm", listener.local_addr().unwrap()),
            key: Ed25519KeyPair::generate().unwrap(),
            documents: Arc::default(),
            asked: Arc::default(),
        };
        let (documents, asked) = (issuer.documents.clone(), issuer.asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap();
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                let document = documents.lock().unwrap().get(&path).cloned();
                asked.lock().unwrap().push(path);
                let (status, body) = document.map_or((404, String::new()), |found| (200, found.to_string()));
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        issuer
    }

    /// Begins to answer.
    fn publish(&self) {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key());
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig", "x": x}]});
        let origin = self.name.trim_end_matches("/realm");
        let metadata = json!({"issuer": self.name, "jwks_uri": format!("{origin}/keys")});
        let mut documents = self.documents.lock().unwrap();
        documents.insert("/realm/.well-known/openid-configuration".to_owned(), metadata);
        documents.insert("/keys".to_owned(), keys);
    }

    async fn api(&self) -> TestApp {
        let config = IssuerConfig::new(self.name.clone(), AUDIENCE.to_owned(), JwksSource::Metadata);
        TestApp::trusting(config).await
    }

    fn claims(&self) -> Value {
        let now = noon().timestamp();
        json!({
            "iss": self.name, "aud": [AUDIENCE, "https://other.test"], "sub": "someone", "azp": "portal",
            "scope": "advice:write", "councils": ["rozenburg"], "iat": now, "exp": now + 3600,
        })
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes())))
    }

    fn honest(&self) -> String {
        self.token(&honest_header(), &self.claims())
    }
}

fn honest_header() -> Value {
    json!({"alg": "EdDSA", "kid": "ed", "typ": "at+jwt"})
}

fn with(value: &Value, name: &str, other: Value) -> Value {
    let mut changed = value.clone();
    changed[name] = other;
    changed
}

fn assert_refused(reply: &Reply, what: &str) {
    assert_eq!(
        (reply.status, reply.problem().as_str()),
        (StatusCode::UNAUTHORIZED, "invalid-token"),
        "{what}"
    );
    assert_eq!(reply.header("content-type"), "application/problem+json", "{what}");
    let challenge = reply.header("www-authenticate");
    let begins = "Bearer realm=\"wijkaanzet\", error=\"invalid_token\", error_description=\"";
    assert!(challenge.starts_with(begins) && challenge.ends_with(METADATA), "{what}: {challenge}");
}

/// Every operation of the contract, at an address with made-up ids. The document itself is for everybody and looks at no token.
fn operations() -> Vec<(Method, String)> {
    let document = openapi::document().unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        if path.starts_with("/openapi.") {
            continue;
        }
        let path = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let path = format!("/v1{}", path.collect::<Vec<_>>().join("/"));
        for method in methods.as_object().unwrap().keys() {
            let Ok(method) = method.to_uppercase().parse() else { continue };
            if [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&method) {
                operations.push((method, path.clone()));
            }
        }
    }
    assert!(operations.len() > 100, "{}", operations.len());
    operations
}

#[actix_web::test]
async fn an_issuer_that_is_down_stops_its_bearers_and_nobody_else() {
    let issuer = Issuer::start();
    let app = issuer.api().await;
    assert_eq!(app.get("/v1/advice").send().await.status, StatusCode::OK);
    assert!(issuer.asked.lock().unwrap().is_empty(), "nobody needed it yet");

    let token = issuer.honest();
    for _ in 0..3 {
        let reply = app.get("/v1/advice").token(&token).send().await;
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        );
        assert_eq!(reply.header("retry-after"), "60");
    }
    assert_eq!(issuer.asked.lock().unwrap().len(), 2, "one attempt, at both places");
    assert_refused(&app.get("/v1/advice").token("x").send().await, "junk needs no key");
    assert_eq!(app.get("/v1/advice").send().await.status, StatusCode::OK);

    issuer.publish();
    app.clock.set(noon() + chrono::Duration::seconds(60));
    assert_eq!(app.get("/v1/advice").token(&token).send().await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_token_of_the_issuer_may_what_its_claims_say() {
    let issuer = Issuer::start();
    issuer.publish();
    let app = issuer.api().await;
    let token = issuer.honest();
    let drafted = app.post("/v1/advice", draft_of("rozenburg")).token(&token).send().await;
    assert_eq!(drafted.status, StatusCode::CREATED, "{}", drafted.text());
    let elsewhere = app.post("/v1/advice", draft_of("hoogvliet")).token(&token).send().await;
    assert_eq!((elsewhere.status, elsewhere.problem().as_str()), (StatusCode::FORBIDDEN, "not-yours"));
    assert_eq!(elsewhere.header("www-authenticate"), "", "no other scope would help");

    let scope = app.post("/v1/term-rules", json!({})).token(&token).send().await;
    assert_eq!(scope.status, StatusCode::FORBIDDEN);
    let challenge = "Bearer realm=\"wijkaanzet\", error=\"insufficient_scope\", scope=\"registry:write\"";
    assert_eq!(scope.header("www-authenticate"), format!("{challenge}, {METADATA}"));

    let local = app.almighty();
    assert_refused(&app.get("/v1/advice").token(&local).send().await, "the key of the data folder");
}

#[actix_web::test]
async fn no_operation_takes_a_bad_token_for_no_token() {
    let issuer = Issuer::start();
    let app = issuer.api().await;
    for (method, path) in operations() {
        assert_refused(&app.ask(method.clone(), &path).token("x").send().await, &format!("{method} {path}"));
    }
}

#[actix_web::test]
async fn no_operation_takes_a_token_in_the_query() {
    let issuer = Issuer::start();
    issuer.publish();
    let app = issuer.api().await;
    let token = issuer.honest();
    for (method, path) in operations() {
        for query in [format!("access_token={token}"), format!("limit=1&access%5Ftoken={token}")] {
            let asked = app.ask(method.clone(), &format!("{path}?{query}"));
            for ask in [asked, app.ask(method.clone(), &format!("{path}?{query}")).token(&token)] {
                let reply = ask.send().await;
                assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{method} {path}");
                let fault = ("access_token".to_owned(), "unknown".to_owned());
                assert_eq!(reply.faults(), [fault], "{method} {path}");
                assert!(!reply.text().contains(&token));
            }
        }
    }
}

#[actix_web::test]
async fn hostile_tokens_get_a_challenge_and_nothing_else() {
    let issuer = Issuer::start();
    issuer.publish();
    let app = issuer.api().await;
    let (header, claims) = (honest_header(), issuer.claims());
    assert_eq!(app.get("/v1/advice").token(&issuer.honest()).send().await.status, StatusCode::OK);
    let attacker = TcpListener::bind("127.0.0.1:0").unwrap();
    attacker.set_nonblocking(true).unwrap();
    let lure = format!("http://{}/keys", attacker.local_addr().unwrap());
    let stranger = Issuer { name: issuer.name.clone(), ..Issuer::start() };
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(stranger.key.public_key())});

    let mut hostile = Vec::new();
    for (name, value) in [
        ("jku", json!(lure)),
        ("x5u", json!(lure)),
        ("jwk", jwk),
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("k".repeat(4000))),
        ("kid", json!(lure)),
        ("kid", json!("ed")),
    ] {
        hostile.push(stranger.token(&with(&header, name, value), &claims));
    }
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("nOnE")),
        ("alg", json!("HS256")),
        ("alg", json!("RS256")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("typ", json!("logout+jwt")),
        ("kid", json!(1)),
    ] {
        hostile.push(issuer.token(&with(&header, name, value), &claims));
    }
    for (name, value) in [
        ("iss", json!(format!("{}/", issuer.name))),
        ("aud", json!(format!("{AUDIENCE}/"))),
        ("aud", json!(AUDIENCE.to_uppercase())),
        ("aud", json!([])),
        ("exp", json!(noon().timestamp().to_string())),
        ("exp", json!(-1)),
        ("nbf", json!(noon().timestamp() + 61)),
        ("client_id", json!("another")),
        ("scope", json!("advice:write\u{a0}publish")),
        ("scope", json!(["advice:write"])),
        ("councils", json!("*")),
    ] {
        hostile.push(issuer.token(&header, &with(&claims, name, value)));
    }
    let plain = json!({"alg": "EdDSA", "kid": "ed", "typ": "JWT"});
    hostile.push(issuer.token(&plain, &with(&claims, "nonce", json!("n"))));
    hostile.push(format!("{}.{}", issuer.honest(), "more"));
    hostile.push("a".repeat(8193));

    for token in &hostile {
        for (method, path) in [(Method::GET, "/v1/advice"), (Method::POST, "/v1/advice")] {
            let reply = app.ask(method, path).token(token).send().await;
            assert_refused(&reply, token);
            assert!(!reply.text().contains(token) && !reply.header("www-authenticate").contains(token));
        }
    }
    let untouched = attacker.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(untouched, Err(std::io::ErrorKind::WouldBlock), "nobody follows a token");
    let refreshes = issuer.asked.lock().unwrap().iter().filter(|path| *path == "/keys").count();
    assert_eq!(refreshes, 1, "unknown keys within the minute cause no refresh");
}
