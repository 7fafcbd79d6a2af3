use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use actix_web::http::header::ContentType;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, call_service, init_service, read_body, try_call_service};
use actix_web::{App, HttpServer, rt};
use serde_json::Value;

use super::cors::{EVERY_HEADER, EVERY_METHOD};
use super::limit::{FORGET_EVERY, KNOWN};
use super::*;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn config() -> WireConfig {
    WireConfig {
        public_url: "https://api.test".to_owned(),
        cors_origins: vec!["https://portal.test".to_owned()],
        rate_per_minute: None,
        request_timeout: Duration::from_millis(200),
        max_requests: 0,
        send_memory: 0,
        receive_memory: 0,
        cache_memory: 0,
        trust_forwarded: false,
    }
}

fn limited(rate: u32) -> WireConfig {
    WireConfig { rate_per_minute: Some(rate), ..config() }
}

fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(
        web::scope("/v1")
            .service(
                resource("/advice").get(async || "advice").post(async || HttpResponse::Created().finish()),
            )
            .service(resource("/advice/{id}").get(async |id: web::Path<u32>| id.to_string()))
            .service(resource("/json").put(async |_: web::Json<Value>| ""))
            .service(resource("/trace").get(async |id: web::ReqData<TraceId>| id.into_inner().0))
            .service(resource("/error/{kind}").get(refuse))
            .service(resource("/openapi.json").get(async || "{}"))
            .service(resource("/page").get(page))
            .service(resource("/slow").get(slow))
            .service(resource("/big").get(big).post(big))
            .service(resource("/body").post(take))
            .service(resource("/mine").get(mine))
            .service(resource("/changes").get(slow)),
    )
    .service(resource("/health/live").get(async || ""))
    .default_service(web::to(not_found));
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("Content-Security-Policy", "default-src 'self'"))
        .insert_header(("Cache-Control", "public"))
        .insert_header(("Vary", "Accept"))
        .content_type(ContentType::html())
        .body("<p>")
}

async fn refuse(kind: web::Path<String>) -> Result<HttpResponse, ApiError> {
    Err(match kind.as_str() {
        "anonymous" => ApiError::Unauthenticated,
        "token" => ApiError::InvalidToken("it has expired"),
        "scope" => ApiError::InsufficientScope(vec!["publish".to_owned()]),
        "patch" => ApiError::UnsupportedMediaType(crate::incoming::MERGE_PATCH),
        "busy" => ApiError::Unavailable("no database".to_owned(), 7),
        _ => ApiError::Internal("a secret".to_owned()),
    })
}

async fn slow() -> HttpResponse {
    rt::time::sleep(Duration::from_secs(5)).await;
    HttpResponse::Ok().finish()
}

const BIG: usize = 200_000;

async fn big() -> String {
    "x".repeat(BIG)
}

/// Takes a body as `Incoming` does.
async fn take(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, ApiError> {
    let receiving = Receiving::begin(&request, BIG)?;
    let body = payload.to_bytes().await.map_err(|_| ApiError::NotFound)?;
    receiving.end(&request)?;
    Ok(HttpResponse::Ok().body(body))
}

/// Takes `Bearer NAME` for a valid token of that person.
async fn mine(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let value = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let name = value.and_then(|value| value.strip_prefix("Bearer "));
    count_bearer(&request, name.map(|name| Client::of_token("portal", name)))?;
    name.map(|_| HttpResponse::Ok().finish()).ok_or(ApiError::InvalidToken("it is not ours"))
}

/// One answer, as a caller gets it.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        assert!(self.headers.get_all(name).count() < 2, "{name} twice");
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn problem(&self) -> Value {
        assert_eq!(self.header("Content-Type"), Some("application/problem+json"));
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn ask_with(config: WireConfig, req: TestRequest) -> Answer {
    let data = web::Data::new(Wire::new(config, Stopping::default()));
    let app = init_service(App::new().app_data(data).wrap(from_fn(wire)).configure(routes)).await;
    let (status, headers, body) = match try_call_service(&app, req.to_request()).await {
        Ok(answer) => (answer.status(), answer.headers().clone(), read_body(answer).await),
        Err(error) => {
            let answer = error.error_response();
            let (status, headers) = (answer.status(), answer.headers().clone());
            (status, headers, actix_web::body::to_bytes(answer.into_body()).await.unwrap())
        }
    };
    Answer { status: status.as_u16(), headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

async fn ask(req: TestRequest) -> Answer {
    ask_with(config(), req).await
}

fn method(method: Method, uri: &str) -> TestRequest {
    TestRequest::with_uri(uri).method(method)
}

#[actix_web::test]
async fn every_answer_carries_the_headers() {
    for (status, req) in [
        (200, TestRequest::with_uri("/v1/advice")),
        (201, TestRequest::post().uri("/v1/advice")),
        (
            204,
            method(Method::OPTIONS, "/v1/advice")
                .insert_header(("Origin", "https://x.test"))
                .insert_header(("Access-Control-Request-Method", "GET")),
        ),
        (400, TestRequest::put().uri("/v1/json").insert_header(ContentType::json()).set_payload("{")),
        (404, TestRequest::with_uri("/v1/nothing")),
        (404, TestRequest::with_uri("/nothing")),
        (404, TestRequest::with_uri("/v1/advice/")),
        (405, TestRequest::delete().uri("/v1/advice")),
        (405, method(Method::OPTIONS, "/v1/advice")),
        (500, TestRequest::with_uri("/v1/error/internal")),
        (503, TestRequest::with_uri("/v1/slow")),
    ] {
        let answer = ask(req).await;
        assert_eq!(answer.status, status);
        for (name, value) in [
            ("API-Version", API_VERSION),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "no-referrer"),
            ("Vary", "Origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name} on {status}");
        }
        assert_eq!((answer.header("Server"), answer.header("Set-Cookie")), (None, None));
        assert!(answer.header("traceparent").is_some());
    }
}

#[actix_web::test]
async fn an_answer_keeps_its_own_policy_and_caching() {
    let answer = ask(TestRequest::with_uri("/v1/page")).await;
    assert_eq!(answer.header("Content-Security-Policy"), Some("default-src 'self'"));
    assert_eq!(answer.header("Cache-Control"), Some("public"));
    assert_eq!(answer.header("Vary"), Some("Accept, Origin"));
}

#[actix_web::test]
async fn an_error_is_a_problem_with_path_and_trace() {
    let answer =
        ask(TestRequest::with_uri("/v1/nothing?token=secret").insert_header(("traceparent", TRACE))).await;
    let problem = answer.problem();
    assert_eq!(problem["type"], "https://api.wijkaanzet.rotterdam.nl/problems/not-found");
    assert_eq!(problem["status"], 404);
    assert_eq!(problem["title"], "Not found");
    assert_eq!(problem["instance"], "/v1/nothing");
    assert_eq!(problem["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[actix_web::test]
async fn an_error_of_the_framework_loses_its_text() {
    let answer =
        ask(TestRequest::put().uri("/v1/json").insert_header(ContentType::json()).set_payload("{")).await;
    assert_eq!(answer.problem()["title"], "Invalid input");
    assert!(!answer.body.contains("EOF"));
    let answer = ask(TestRequest::with_uri("/v1/error/internal")).await;
    assert_eq!(answer.problem()["status"], 500);
    assert!(!answer.body.contains("secret"));
}

#[actix_web::test]
async fn an_error_keeps_its_headers() {
    let patch = ask(TestRequest::with_uri("/v1/error/patch")).await;
    assert_eq!(patch.header("Accept-Patch"), Some("application/merge-patch+json"));
    let busy = ask(TestRequest::with_uri("/v1/error/busy")).await;
    assert_eq!((busy.status, busy.header("Retry-After")), (503, Some("7")));
    let scope = ask(TestRequest::with_uri("/v1/error/scope")).await;
    assert_eq!(
        scope.header("WWW-Authenticate"),
        Some(
            "Bearer realm=\"wijkaanzet\", error=\"insufficient_scope\", scope=\"publish\", \
             resource_metadata=\"https://api.test/.well-known/oauth-protected-resource/v1\""
        )
    );
}

#[actix_web::test]
async fn a_challenge_says_where_to_get_a_token() {
    let metadata = "resource_metadata=\"https://api.test/.well-known/oauth-protected-resource/v1\"";
    let anonymous = ask(TestRequest::with_uri("/v1/error/anonymous")).await;
    let expected = format!("Bearer realm=\"wijkaanzet\", {metadata}");
    assert_eq!(anonymous.header("WWW-Authenticate"), Some(expected.as_str()));
    let token = ask(TestRequest::with_uri("/v1/error/token")).await;
    let challenge = token.header("WWW-Authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\"") && challenge.ends_with(metadata));
}

#[actix_web::test]
async fn a_wrong_method_hears_exactly_which_are_there() {
    for (uri, allow) in
        [("/v1/advice", "GET, HEAD, POST"), ("/v1/advice/1", "GET, HEAD"), ("/v1/json", "PUT")]
    {
        let answer = ask(TestRequest::patch().uri(uri)).await;
        assert_eq!((answer.status, answer.header("Allow")), (405, Some(allow)));
        assert_eq!(answer.problem()["detail"], format!("Use one of: {allow}."));
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[actix_web::test]
async fn the_log_names_the_trace_and_the_route_and_nothing_personal() {
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || to.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let req = TestRequest::with_uri("/v1/advice/12345?search=jansen")
        .insert_header(("Authorization", "Bearer secret"))
        .insert_header(("traceparent", TRACE))
        .peer_addr("192.0.2.77:1".parse().unwrap());
    ask(req).await;
    ask(TestRequest::with_uri("/jansen")).await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");
    for expected in
        ["\"status\":200", "\"milliseconds\":", "4bf92f3577b34da6a3ce929d0e0e4736", "/v1/advice/{id}"]
    {
        assert!(log.contains(expected), "{expected} in {log}");
    }
    for personal in ["12345", "jansen", "secret", "192.0.2.77"] {
        assert!(!log.contains(personal), "{personal} in {log}");
    }
}

#[actix_web::test]
async fn an_error_of_a_layer_beneath_is_a_problem_too() {
    let refuse = async |_: ServiceRequest, _: Next<BoxBody>| -> Result<ServiceResponse, actix_web::Error> {
        Err(actix_web::error::ErrorPayloadTooLarge("secret"))
    };
    let data = web::Data::new(Wire::new(config(), Stopping::default()));
    let app = App::new().wrap(from_fn(refuse)).app_data(data).wrap(from_fn(wire)).configure(routes);
    let error = try_call_service(&init_service(app).await, TestRequest::default().to_request()).await;
    let answer = error.map(|_| ()).unwrap_err().error_response();
    assert_eq!(answer.status(), 413);
    assert!(answer.headers().contains_key("API-Version"));
    let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
    assert!(body.starts_with(b"{\"type\":\"https://api.wijkaanzet.rotterdam.nl/problems/too-large\""));
}

#[actix_web::test]
async fn a_slow_request_is_told_to_come_back() {
    let answer =
        ask(TestRequest::with_uri("/v1/slow").insert_header(("Origin", "https://portal.test"))).await;
    assert_eq!((answer.status, answer.header("Retry-After")), (503, Some("5")));
    assert_eq!(answer.problem()["instance"], "/v1/slow");
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("https://portal.test"));
}

#[actix_web::test]
async fn a_trace_goes_on_and_a_malformed_one_starts_anew() {
    let req = TestRequest::with_uri("/v1/trace")
        .insert_header(("traceparent", TRACE))
        .insert_header(("tracestate", "a=1,b@c=2"));
    let answer = ask(req).await;
    assert_eq!(answer.body, "4bf92f3577b34da6a3ce929d0e0e4736");
    let own = answer.header("traceparent").unwrap();
    assert!(own.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && own.ends_with("-01") && own != TRACE);
    assert_eq!(answer.header("tracestate"), Some("a=1,b@c=2"));

    for malformed in [
        "",
        "00",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
    ] {
        let req = TestRequest::with_uri("/v1/trace")
            .insert_header(("traceparent", malformed))
            .insert_header(("tracestate", "a=1"));
        let answer = ask(req).await;
        assert_eq!((answer.status, answer.body.len()), (200, 32), "{malformed}");
        assert!(!answer.body.eq_ignore_ascii_case("4bf92f3577b34da6a3ce929d0e0e4736"), "{malformed}");
        assert_eq!(answer.header("tracestate"), None);
    }
}

#[actix_web::test]
async fn a_malformed_state_leaves_the_trace_alone() {
    for malformed in ["a", "A=1", "=1", "a=", "a=1=2", &format!("a={}", "x".repeat(600))] {
        let req = TestRequest::with_uri("/v1/trace")
            .insert_header(("traceparent", TRACE))
            .insert_header(("tracestate", malformed));
        let answer = ask(req).await;
        assert_eq!(answer.body, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(answer.header("tracestate"), None, "{malformed}");
    }
}

#[actix_web::test]
async fn only_listed_origins_read_what_is_not_public() {
    let from = |uri: &str, origin: &'static str| TestRequest::with_uri(uri).insert_header(("Origin", origin));
    let with_token = |req: TestRequest| req.insert_header(("Authorization", "Bearer x"));
    for (allowed, req) in [
        (Some("https://portal.test"), from("/v1/advice", "https://portal.test")),
        (Some("https://portal.test"), with_token(from("/v1/advice", "https://portal.test"))),
        (Some("https://portal.test"), from("/v1/nothing", "https://portal.test")),
        (Some("https://portal.test"), from("/v1/advice", "https://portal.test").method(Method::POST)),
        (Some("*"), from("/v1/advice", "https://other.test")),
        (Some("*"), from("/v1/advice", "null")),
        (Some("*"), TestRequest::with_uri("/v1/advice")),
        (Some("*"), with_token(from("/v1/openapi.json", "https://other.test"))),
        (Some("*"), from("/.well-known/nothing", "https://other.test")),
        (None, with_token(from("/v1/advice", "https://other.test"))),
        (None, from("/v1/advice", "https://other.test").method(Method::POST)),
        (None, from("/v1/advice", "https://portal.test.evil.test").method(Method::POST)),
    ] {
        let answer = ask(req).await;
        assert_eq!(answer.header("Access-Control-Allow-Origin"), allowed);
        assert_eq!(answer.header("Access-Control-Expose-Headers").is_some(), allowed.is_some());
        assert_eq!(answer.header("Access-Control-Allow-Credentials"), None);
    }
}

#[actix_web::test]
async fn a_preflight_opens_writing_to_listed_origins_only() {
    let preflight = |origin: &'static str| {
        method(Method::OPTIONS, "/v1/advice")
            .insert_header(("Origin", origin))
            .insert_header(("Access-Control-Request-Method", "POST"))
    };
    let listed = ask(preflight("https://portal.test")).await;
    assert_eq!((listed.status, listed.body.as_str()), (204, ""));
    assert_eq!(listed.header("Access-Control-Allow-Origin"), Some("https://portal.test"));
    assert_eq!(listed.header("Access-Control-Allow-Methods"), Some(EVERY_METHOD));
    assert_eq!(listed.header("Access-Control-Allow-Headers"), Some(EVERY_HEADER));
    assert_eq!(listed.header("Access-Control-Max-Age"), Some("600"));
    let other = ask(preflight("https://other.test")).await;
    assert_eq!(other.header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(other.header("Access-Control-Allow-Methods"), Some("GET, HEAD"));
    assert!(!other.header("Access-Control-Allow-Headers").unwrap().contains("Authorization"));
}

async fn ask_often(config: WireConfig, requests: Vec<TestRequest>) -> Vec<Answer> {
    let data = web::Data::new(Wire::new(config, Stopping::default()));
    let app = init_service(App::new().app_data(data).wrap(from_fn(wire)).configure(routes)).await;
    let mut answers = Vec::new();
    for req in requests {
        let answer = call_service(&app, req.to_request()).await;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = String::from_utf8(read_body(answer).await.to_vec()).unwrap();
        answers.push(Answer { status, headers, body });
    }
    answers
}

fn from_address(address: &str) -> TestRequest {
    TestRequest::with_uri("/v1/advice").peer_addr(format!("{address}:1").parse().unwrap())
}

#[actix_web::test]
async fn over_the_limit_a_client_waits_and_others_do_not() {
    let requests = vec![
        from_address("192.0.2.1"),
        from_address("192.0.2.1"),
        from_address("192.0.2.1"),
        from_address("192.0.2.1").uri("/health/live"),
        from_address("192.0.2.2"),
    ];
    let answers = ask_often(limited(2), requests).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 429, 200, 200]);
    assert_eq!(answers[0].header("RateLimit-Policy"), Some("\"default\";q=2;w=60"));
    assert_eq!(answers[0].header("RateLimit"), Some("\"default\";r=1;t=30"));
    assert_eq!(answers[1].header("RateLimit"), Some("\"default\";r=0;t=60"));
    assert_eq!(answers[2].header("RateLimit"), Some("\"default\";r=0;t=60"));
    assert_eq!(answers[2].problem()["title"], "Too many requests");
    assert_eq!(answers[2].header("Retry-After"), Some("30"));
    assert_eq!(answers[2].header("API-Version"), Some(API_VERSION));
    assert_eq!(answers[3].header("RateLimit"), None);
}

#[actix_web::test]
async fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
    let requests = || {
        ["198.51.100.1, 10.0.0.1", "198.51.100.2"]
            .map(|client| from_address("192.0.2.1").insert_header(("X-Forwarded-For", client)))
            .into()
    };
    let untrusted = ask_often(limited(1), requests()).await;
    assert_eq!([untrusted[0].status, untrusted[1].status], [200, 429]);
    let trusted = ask_often(WireConfig { trust_forwarded: true, ..limited(1) }, requests()).await;
    assert_eq!([trusted[0].status, trusted[1].status], [200, 200]);
}

#[actix_web::test]
async fn an_ipv6_household_is_one_client() {
    let requests = vec![from_address("[2001:db8::1]"), from_address("[2001:db8::ffff:0:0:2]")];
    let answers = ask_often(limited(1), requests).await;
    assert_eq!([answers[0].status, answers[1].status], [200, 429]);
}

#[actix_web::test]
async fn silent_clients_are_forgotten() {
    // Fast enough that every client of the past millisecond is back at its full quota.
    let limit = Limit::new(NonZeroU32::MAX);
    for client in 0..FORGET_EVERY * 3 {
        limit.count(Client::at(Ipv4Addr::from_bits(client).into()));
    }
    assert!(limit.limiter.len() <= FORGET_EVERY as usize);
}

#[actix_web::test]
async fn who_has_a_token_is_counted_for_himself_wherever_he_sits() {
    let with = |token: &'static str| {
        from_address("192.0.2.1").uri("/v1/mine").insert_header(("Authorization", token))
    };
    let requests = vec![
        with("Bearer ann"),
        with("Bearer ann"),
        with("Bearer bob"),
        with("Basic guess"),
        with("Basic guess"),
        from_address("192.0.2.1"),
        with("Bearer bob"),
    ];
    let answers = ask_often(limited(1), requests).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    // One request each a minute: Ann, Bob, and whoever else is at the address.
    assert_eq!(statuses, [200, 429, 200, 401, 429, 429, 429]);
    assert_eq!(answers[2].header("RateLimit"), Some("\"default\";r=0;t=60"));
    assert_eq!(answers[3].header("RateLimit"), Some("\"default\";r=0;t=60"));
}

#[actix_web::test]
async fn a_token_that_nobody_looks_at_is_no_way_around_the_limit() {
    let request =
        || from_address("192.0.2.1").uri("/v1/nothing").insert_header(("Authorization", "Bearer made-up"));
    let answers = ask_often(limited(1), vec![request(), request()]).await;
    assert_eq!([answers[0].status, answers[1].status], [404, 429]);
}

#[actix_web::test]
async fn too_many_clients_to_know_count_with_their_neighbours() {
    let limit = Limit::new(NonZeroU32::MIN);
    let address = |number: u32| Client::at(Ipv4Addr::from_bits(0x0a00_0000 + number).into());
    let many = u32::try_from(KNOWN).unwrap() * 3;
    for number in 0..many {
        limit.count(address(number));
    }
    let most = KNOWN + usize::try_from(FORGET_EVERY).unwrap() + usize::try_from(many >> 16).unwrap() + 1;
    assert!(limit.limiter.len() <= most, "{}", limit.limiter.len());
    // A newcomer beside many others has no quota of his own any more; one from elsewhere has.
    assert!(limit.count(address(many - 1)).retry_after.is_some());
    assert!(limit.count(Client::at("192.0.2.1".parse().unwrap())).retry_after.is_none());
    assert!(limit.count(Client::of_token("portal", "ann")).retry_after.is_none());
}

#[actix_web::test]
async fn more_than_can_be_worked_on_is_turned_away_at_once() {
    let data = web::Data::new(Wire::new(
        WireConfig { max_requests: 2, request_timeout: Duration::from_secs(2), ..config() },
        Stopping::default(),
    ));
    let app = init_service(App::new().app_data(data).wrap(from_fn(wire)).configure(routes)).await;
    let ask = |uri: &str| try_call_service(&app, TestRequest::with_uri(uri).to_request());
    let (slow, waiting) = (ask("/v1/slow"), ask("/v1/changes?wait=20"));
    let other = ask("/v1/slow");
    let late = async {
        rt::time::sleep(Duration::from_millis(50)).await;
        let started = Instant::now();
        let refused = ask("/v1/advice").await.unwrap();
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.headers().get("Retry-After").unwrap(), "2");
        assert!(refused.headers().contains_key("API-Version"));
        assert_eq!(ask("/health/live").await.unwrap().status(), 200);
        assert!(started.elapsed() < Duration::from_secs(1));
    };
    // Who waits for the feed takes no turn: only two of the three others fit.
    let all = async { tokio::join!(slow, other, waiting, late) };
    assert!(rt::time::timeout(Duration::from_secs(4), all).await.is_err(), "the feed may wait longer");
    assert_eq!(ask("/v1/advice").await.unwrap().status(), 200);
}

#[actix_web::test]
async fn a_body_on_its_way_takes_no_turn_and_one_that_arrived_does() {
    let data = web::Data::new(Wire::new(
        WireConfig { max_requests: 1, request_timeout: Duration::from_secs(2), ..config() },
        Stopping::default(),
    ));
    let app = init_service(App::new().app_data(data).wrap(from_fn(wire)).configure(routes)).await;
    let (mut sender, payload) = actix_http::h1::Payload::create(false);
    let request = TestRequest::post().uri("/v1/body").to_request();
    let (head, _) = request.replace_payload(actix_http::Payload::from(payload));
    let uploading = call_service(&app, head);
    let meanwhile = async {
        rt::time::sleep(Duration::from_millis(50)).await;
        let read = call_service(&app, TestRequest::with_uri("/v1/advice").to_request()).await;
        assert_eq!(read.status(), 200);
        let slow = call_service(&app, TestRequest::with_uri("/v1/slow").to_request());
        let arrive = async {
            rt::time::sleep(Duration::from_millis(50)).await;
            sender.feed_data(web::Bytes::from_static(b"whole"));
            sender.feed_eof();
        };
        let (_, ()) = tokio::join!(rt::time::timeout(Duration::from_secs(1), slow), arrive);
    };
    let (uploaded, ()) = tokio::join!(uploading, meanwhile);
    assert_eq!(uploaded.status(), 503);
}

#[actix_web::test]
async fn a_big_answer_waits_for_memory_and_a_change_is_always_told() {
    let room_for_one = WireConfig { send_memory: BIG + 1, ..config() };
    let data = web::Data::new(Wire::new(room_for_one, Stopping::default()));
    let app = init_service(App::new().app_data(data).wrap(from_fn(wire)).configure(routes)).await;
    let ask = |request: TestRequest| call_service(&app, request.to_request());
    let first = ask(TestRequest::with_uri("/v1/big")).await;
    let second = ask(TestRequest::with_uri("/v1/big")).await;
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 503));
    assert_eq!(ask(TestRequest::with_uri("/v1/advice")).await.status(), 200);
    let changed = ask(TestRequest::post().uri("/v1/big")).await;
    assert_eq!(changed.status(), 200);
    assert_eq!((read_body(first).await.len(), read_body(changed).await.len()), (BIG, BIG));
    let third = ask(TestRequest::with_uri("/v1/big")).await;
    assert_eq!((third.status().as_u16(), read_body(third).await.len()), (200, BIG));
}

#[actix_web::test]
async fn who_leaves_closes_each_connection_with_its_answer() {
    let stopping = Stopping::default();
    let data = web::Data::new(Wire::new(config(), stopping.clone()));
    let app = init_service(App::new().app_data(data).wrap(from_fn(wire)).configure(routes)).await;
    let closes = async || {
        let answer = call_service(&app, TestRequest::with_uri("/v1/advice").to_request()).await;
        answer.response().head().connection_type() == ConnectionType::Close
    };
    assert!(!closes().await);
    stopping.leave();
    assert!(closes().await);
}

/// What stands on the wire itself, one connection a request that ends with its answer.
async fn raw<const N: usize>(requests: [&'static str; N]) -> [String; N] {
    let end = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    raw_bytes(requests.map(|request| &*format!("{request} {end}").leak())).await
}

async fn raw_bytes<const N: usize>(requests: [&'static str; N]) -> [String; N] {
    let server = HttpServer::new(|| {
        let data = web::Data::new(Wire::new(config(), Stopping::default()));
        App::new().app_data(data).wrap(from_fn(wire)).configure(routes)
    })
    .workers(1)
    .disable_signals()
    .bind(("127.0.0.1", 0))
    .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);
    let ask = move |request: &str| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answers = web::block(move || requests.map(ask)).await.unwrap();
    handle.stop(false).await;
    answers
}

#[actix_web::test]
async fn head_has_the_length_of_get_and_no_body() {
    let [found, missing, get] = raw(["HEAD /v1/advice", "HEAD /v1/nothing", "GET /v1/advice"]).await;
    assert!(found.starts_with("HTTP/1.1 200") && found.contains("content-length: 6\r\n"), "{found}");
    assert!(found.ends_with("\r\n\r\n"), "{found}");
    assert!(missing.starts_with("HTTP/1.1 404") && missing.contains("application/problem+json"), "{missing}");
    assert!(missing.ends_with("\r\n\r\n") && !missing.contains("content-length: 0"), "{missing}");
    assert!(get.ends_with("\r\n\r\nadvice") && !get.contains("\r\nserver:"), "{get}");
}

#[actix_web::test]
async fn a_time_out_reaches_the_wire_whole() {
    let [answer] = raw(["GET /v1/slow"]).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("\"instance\":\"/v1/slow\"") && answer.contains("api-version: "), "{answer}");
}

#[actix_web::test]
async fn a_body_that_drips_is_told_so_and_its_connection_closed() {
    let request = "POST /v1/body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1";
    let [answer] = raw_bytes([request]).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("/problems/too-slow") && answer.contains("connection: close"), "{answer}");
}

#[actix_web::test]
async fn head_in_process_has_no_body_either() {
    let answer = ask(method(Method::HEAD, "/v1/advice")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}
