//! Bytes of others: whatever stands in a query, a header, a body, a cursor, a token or a set of keys, the answer is one that the
//! contract knows, and none is our fault. `PROPTEST_CASES=5000 cargo test --test http hostile` tries more.

use std::time::{Duration, Instant};

use actix_web::http::Method;
use api::auth::{AuthConfig, IssuerConfig, JwksSource, Verifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::support::{Ask, Reply, TestApp, draft_of};

const LISTS: [&str; 16] = [
    "advice",
    "advice-requests",
    "councils",
    "term-rules",
    "accords",
    "agreements",
    "policy-tracks",
    "participation-plans",
    "commitments",
    "talks",
    "assignments",
    "collegetargets",
    "office-holders",
    "changes",
    "coverage",
    "metrics/answered-in-time",
];

const NAMES: [&str; 26] = [
    "cursor",
    "after",
    "limit",
    "sort",
    "on",
    "knownAt",
    "from",
    "to",
    "groupBy",
    "cohort",
    "format",
    "count",
    "search",
    "status",
    "kind",
    "level",
    "council",
    "cluster",
    "theme",
    "reference",
    "modifiedSince",
    "termState",
    "buurt",
    "name",
    "postcode",
    "wait",
];

const HEADERS: [&str; 11] = [
    "accept",
    "accept-encoding",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "origin",
    "range",
    "traceparent",
    "tracestate",
];

/// What has broken parsers before.
const TRICKS: [&str; 34] = [
    "",
    "*",
    "0",
    "-1",
    "1",
    "9223372036854775808",
    "1e400",
    "NaN",
    "null",
    "\"\"",
    "\"1\"",
    "W/\"1\"",
    "\"1.2026-11-23.public\"",
    "2026-02-30",
    "2026-11-23",
    "9999-12-31",
    "-262144-01-01",
    "+262143-12-31",
    "2026-11-23T24:00:00Z",
    "2026-11-23T23:59:60+23:59",
    "0000-00-00",
    "text/csv;q=",
    "text/csv;q=1e9, */*;q=-0",
    "application/json;q=0.0001",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-00000000000000000000000000000000-0000000000000000-ff",
    "Bearer",
    "Bearer a.b.c",
    "eyJhbGciOiJub25lIn0.e30.",
    "0b0f7a52-6f2c-4a53-9f3e-2d5a1c9be001",
    "%00",
    "a\u{202e}\u{0}b",
    "🏘️",
    "' OR 1=1; --",
];

/// A stream of values, the same in every run.
struct Chance(TestRunner);

impl Chance {
    fn new() -> Self {
        Self(TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha)))
    }

    fn draw<T: std::fmt::Debug>(&mut self, strategy: &impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.0).unwrap().current()
    }
}

/// How many are tried: few in every run of the tests, more on request.
fn cases() -> usize {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.map_or(60, |cases| cases.parse().expect("PROPTEST_CASES is a number"))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(TRICKS.to_vec()).prop_map(str::to_owned),
        2 => "[ -~]{0,60}",
        2 => "\\PC{0,40}",
        1 => (select(TRICKS.to_vec()), 1..2000_usize).prop_map(|(text, times)| text.repeat(times).chars().take(6000).collect()),
    ]
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Not our fault, and told as the contract says.
fn is_proper(reply: &Reply, asked: &str) {
    let status = reply.status.as_u16();
    assert!(status < 500, "{asked}: {status} {}", reply.text());
    if status >= 400 {
        assert_eq!(reply.header("content-type"), "application/problem+json", "{asked}");
        assert_eq!(reply.json()["status"], json!(status), "{asked}");
    }
}

#[actix_web::test]
async fn no_query_is_our_fault() {
    let (app, mut chance) = (TestApp::on_sqlite().await, Chance::new());
    app.received("rozenburg", "2026-10-01").await;
    let pairs =
        vec((prop_oneof![9 => select(NAMES.to_vec()).prop_map(str::to_owned), 1 => text()], text()), 1..4);
    for _ in 0..cases() {
        let list = chance.draw(&select(LISTS.to_vec()));
        let query = chance.draw(&pairs);
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let path = format!("/v1/{list}?{}", query.join("&"));
        is_proper(&app.get(&path).token(&app.almighty()).send().await, &path);
    }
}

#[actix_web::test]
async fn no_header_is_our_fault() {
    let (app, mut chance) = (TestApp::on_sqlite().await, Chance::new());
    let id = app.draft(draft_of("rozenburg")).await;
    let value = prop_oneof![3 => text().prop_map(String::into_bytes), 1 => vec(any::<u8>(), 0..60)];
    let headers = vec((select(HEADERS.to_vec()), value), 1..4);
    let methods =
        select(vec![Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS]);
    for number in 0..cases() {
        let method = chance.draw(&methods);
        let path = match number % 3 {
            0 => "/v1/advice".to_owned(),
            1 => format!("/v1/advice/{id}"),
            _ => format!("/v1/{}", chance.draw(&select(LISTS.to_vec()))),
        };
        let headers = chance.draw(&headers);
        let asked = format!("{method} {path} {headers:?}");
        let mut ask = app.ask(method, &path).token(&app.almighty());
        for (name, value) in &headers {
            ask = ask.raw_header(name, value);
        }
        let reply = ask.send().await;
        let bodiless = reply.body.is_empty() && asked.starts_with("HEAD");
        if bodiless {
            assert!(reply.status.as_u16() < 500, "{asked}");
        } else {
            is_proper(&reply, &asked);
        }
        let traced = reply.header("traceparent");
        assert!(traced.is_empty() || traced.len() == 55, "{asked}: {traced}");
    }
}

/// Any JSON.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Puts a value somewhere into another.
fn spoil(value: &mut Value, mut way: Vec<usize>, by: &Value) {
    let step = way.pop();
    match (value, step) {
        (Value::Object(fields), Some(step)) if !fields.is_empty() => {
            let place = step % fields.len();
            if let Some((_, field)) = fields.iter_mut().nth(place) {
                spoil(field, way, by);
            }
        }
        (Value::Array(items), Some(step)) if !items.is_empty() => {
            let place = step % items.len();
            spoil(&mut items[place], way, by);
        }
        (place, _) => *place = by.clone(),
    }
}

#[actix_web::test]
async fn no_body_is_our_fault() {
    let (app, mut chance) = (TestApp::on_sqlite().await, Chance::new());
    let received = app.received("rozenburg", "2026-10-01").await;
    let bodies = [
        ("/v1/advice".to_owned(), draft_of("rozenburg")),
        (format!("/v1/advice/{received}/responses"), crate::support::final_response("2026-10-20")),
        (
            format!("/v1/advice/{received}/suspensions"),
            json!({"from": "2026-10-02", "decidedOn": "2026-10-02", "reason": "r"}),
        ),
        (
            format!("/v1/advice/{received}/corrections"),
            json!({"field": "receivedOn", "value": "2026-10-02", "reason": "r"}),
        ),
        ("/v1/commitments".to_owned(), crate::support::motion("24bb002121")),
        ("/v1/policy-tracks".to_owned(), crate::support::track()),
        ("/v1/collegetargets".to_owned(), crate::support::target()),
    ];
    for number in 0..cases() {
        let (path, mut body) = bodies[number % bodies.len()].clone();
        let (way, by) = (chance.draw(&vec(any::<usize>(), 0..4)), chance.draw(&any_json()));
        spoil(&mut body, way, &by);
        let ask = app.post(&path, body.clone()).token(&app.almighty()).if_match("\"1\"");
        is_proper(&ask.send().await, &format!("POST {path} {body}"));
        let patch = app.ask(Method::PATCH, &format!("/v1/advice/{received}")).token(&app.almighty());
        let ask = patch.if_match("\"1\"").patch(by.clone());
        is_proper(&ask.send().await, &format!("PATCH {by}"));
        let bytes = chance.draw(&vec(any::<u8>(), 0..200));
        let ask = app.ask(Method::POST, &path).body("application/json", &bytes).token(&app.almighty());
        is_proper(&ask.if_match("\"1\"").send().await, &format!("POST {path} {bytes:?}"));
    }
    assert_eq!(app.problems(), Vec::<String>::new());
}

/// Changes a few characters, or what stands under the base64.
fn bent(chance: &mut Chance, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let inside = URL_SAFE_NO_PAD.decode(text).ok().filter(|_| chance.draw(&any::<bool>()));
    let is_inside = inside.is_some();
    if let Some(decoded) = inside {
        bytes = decoded;
    }
    for _ in 0..chance.draw(&(1..4_usize)) {
        let place = chance.draw(&any::<prop::sample::Index>()).index(bytes.len().max(1));
        match chance.draw(&(0..4_u8)) {
            0 => bytes.truncate(place),
            1 => bytes.insert(place.min(bytes.len()), chance.draw(&(32..127_u8))),
            2 if place < bytes.len() => bytes[place] = chance.draw(&(32..127_u8)),
            _ => bytes.extend(chance.draw(&text_bytes())),
        }
    }
    if is_inside { URL_SAFE_NO_PAD.encode(bytes) } else { String::from_utf8_lossy(&bytes).into_owned() }
}

fn text_bytes() -> impl Strategy<Value = Vec<u8>> {
    "[0-9a-zA-Z{}\":,_-]{1,12}".prop_map(String::into_bytes)
}

#[actix_web::test]
async fn a_cursor_goes_on_where_it_was_made_and_no_bent_one_is_our_fault() {
    let (app, mut chance) = (TestApp::on_sqlite().await, Chance::new());
    for council in ["rozenburg", "pernis", "hoogvliet"] {
        app.draft(draft_of(council)).await;
    }
    let lists = [
        "advice?limit=1",
        "councils?limit=5",
        "changes?limit=3",
        "term-rules?limit=1",
        "advice?limit=1&sort=-modifiedAt",
    ];
    for number in 0..cases() {
        let list = lists[number % lists.len()];
        let read = async |ask: Ask| ask.token(&app.almighty()).send().await;
        let first = read(app.get(&format!("/v1/{list}"))).await;
        let next = first.json()["next"].as_str().unwrap_or_default().to_owned();
        let (name, cursor) = match next.rsplit_once("cursor=") {
            Some((_, cursor)) => ("cursor", cursor.split('&').next().unwrap().to_owned()),
            None => ("after", next),
        };
        if cursor.is_empty() {
            continue;
        }
        let second = read(app.get(&format!("/v1/{list}&{name}={cursor}"))).await;
        assert_eq!(second.status.as_u16(), 200, "{list}: {}", second.text());
        assert_ne!(second.json()["items"], first.json()["items"], "{list}");
        let wrong = bent(&mut chance, &cursor);
        let path = format!("/v1/{list}&{name}={}", encoded(&wrong));
        let reply = read(app.get(&path)).await;
        is_proper(&reply, &path);
        assert!(matches!(reply.status.as_u16(), 200 | 400 | 410), "{path}: {}", reply.status);
    }
}

#[actix_web::test]
async fn no_bent_token_is_let_in() {
    let (app, mut chance) = (TestApp::on_sqlite().await, Chance::new());
    let good = app.almighty();
    assert_eq!(app.get("/v1/advice").token(&good).send().await.status.as_u16(), 200);
    let parts: Vec<String> = good.split('.').map(str::to_owned).collect();
    for _ in 0..cases() {
        let mut parts = parts.clone();
        let place = chance.draw(&(0..3_usize));
        parts[place] = match chance.draw(&(0..3_u8)) {
            0 => URL_SAFE_NO_PAD.encode(chance.draw(&any_json()).to_string()),
            _ => bent(&mut chance, &parts[place]),
        };
        let token = parts.join(".");
        if token == good {
            continue;
        }
        let reply = app
            .get("/v1/advice")
            .raw_header("authorization", format!("Bearer {token}").as_bytes())
            .send()
            .await;
        assert!(matches!(reply.status.as_u16(), 400 | 401), "{token}: {}", reply.status);
        is_proper(&reply, &token);
    }
}

#[test]
fn no_set_of_keys_is_our_fault() {
    let (folder, mut chance) = (tempfile::tempdir().unwrap(), Chance::new());
    let path = folder.path().join("keys.json");
    let key = json!({"kty": "EC", "crv": "P-256", "kid": "a", "alg": "ES256", "use": "sig", "n": "AQAB", "e": "AQAB",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    for _ in 0..cases() {
        let mut keys = json!({"keys": [key, key]});
        keys["keys"][1]["kty"] = chance.draw(&select(vec!["RSA", "OKP", "EC", "oct", ""])).into();
        let (way, by) = (chance.draw(&vec(any::<usize>(), 0..4)), chance.draw(&any_json()));
        spoil(&mut keys, way, &by);
        std::fs::write(&path, keys.to_string()).unwrap();
        let source = JwksSource::File(path.clone());
        let issuer =
            IssuerConfig::new("https://login.test".to_owned(), "https://api.test".to_owned(), source);
        let made = Verifier::new(AuthConfig {
            issuer: Some(issuer),
            dev_tokens: false,
            data_dir: folder.path().to_owned(),
            audience: "https://api.test".to_owned(),
        });
        // Whatever the keys are, nobody gets in without a signature.
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": "ES256", "kid": "a", "typ": "at+jwt"}).to_string());
        if let Ok(verifier) = made {
            assert!(
                verifier.verify(&format!("{header}.{}.{}", "e30", "A".repeat(86)), 1_795_000_000).is_err()
            );
        }
    }
}

#[actix_web::test]
async fn a_megabyte_of_nonsense_is_answered_soon() {
    let app = TestApp::on_sqlite().await;
    let id = app.draft(draft_of("rozenburg")).await;
    let size = 1024 * 1024 - 100;
    let bodies: [(&str, String); 7] = [
        ("deep arrays", "[".repeat(size)),
        ("deep objects", "{\"a\":".repeat(size / 5)),
        ("many items", format!("[{}0]", "0,".repeat(size / 2 - 10))),
        (
            "many fields",
            format!("{{{}\"z\":0}}", (0..60_000).map(|n| format!("\"f{n}\":{n},")).collect::<String>()),
        ),
        ("one long name", format!("{{\"{}\":\"\\u0000\"}}", "n".repeat(size - 100))),
        ("one text", json!({"subject": "a".repeat(size - 100)}).to_string()),
        ("one number", "9".repeat(size)),
    ];
    for (name, body) in bodies {
        for (method, path, kind) in [
            (Method::POST, "/v1/advice".to_owned(), "application/json"),
            (Method::PATCH, format!("/v1/advice/{id}"), "application/merge-patch+json"),
        ] {
            let begun = Instant::now();
            let ask =
                app.ask(method, &path).body(kind, body.as_bytes()).token(&app.almighty()).if_match("\"1\"");
            let reply = ask.send().await;
            is_proper(&reply, name);
            assert!(reply.status.is_client_error(), "{name}: {}", reply.status);
            assert!(reply.body.len() < 200_000, "{name}: an answer of {} bytes", reply.body.len());
            assert!(begun.elapsed() < Duration::from_secs(20), "{name} took {:?}", begun.elapsed());
        }
    }
}
