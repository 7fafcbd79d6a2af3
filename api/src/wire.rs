//! What every answer passes: headers, problems, traces, CORS, the rate limit and the time limit; and routes that answer
//! a wrong method as they should.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{AppService, HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::guard;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{FromRequest, Handler, HttpMessage, HttpResponse, Responder, ResponseError, Route, web};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use tracing::Instrument;

use crate::problem::{ApiError, Problem};

/// The version of the contract; `info.version` of the OpenAPI document is the same.
pub const API_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What scripts of other origins may read beside the body.
const EXPOSED: &str =
    "API-Version, ETag, Journal-Position, Link, Location, RateLimit, RateLimit-Policy, Retry-After";
const EVERY_METHOD: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const EVERY_HEADER: &str = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Journal-Position, Accept, traceparent, tracestate";
/// An origin that is not on the list reads what anybody may read, so it has no use for a token.
const ANONYMOUS_HEADERS: &str =
    "Content-Type, If-None-Match, Journal-Position, Accept, traceparent, tracestate";

/// The time over which requests are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// Clients that have been silent are forgotten once in so many requests.
const FORGET_EVERY: u32 = 4096;
/// When to come back after a request that took too long.
const RETRY_AFTER_TIMEOUT: u64 = 5;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// What a deployment decides about the wire.
#[derive(Debug, Clone)]
pub struct WireConfig {
    /// Our own address, without a slash at the end.
    pub public_url: String,
    /// The origins whose scripts may use a token and change things.
    pub cors_origins: Vec<String>,
    /// Requests per minute and client; without it (or at 0) there is no limit.
    pub rate_per_minute: Option<u32>,
    /// The time that a request may take.
    pub request_timeout: Duration,
    /// The client is the last address of `X-Forwarded-For`: the one that our own proxy wrote. Only behind one proxy.
    pub trust_forwarded: bool,
}

/// The state of the wire. One for all workers: each worker counting by itself would multiply the limit.
pub struct Wire {
    config: WireConfig,
    challenge: String,
    limit: Option<Limit>,
}

impl Wire {
    /// The wire of a deployment, for the application's data.
    pub fn new(config: WireConfig) -> Self {
        let challenge =
            format!("resource_metadata=\"{}/.well-known/oauth-protected-resource/v1\"", config.public_url);
        let limit = config.rate_per_minute.and_then(NonZeroU32::new).map(Limit::new);
        Self { config, challenge, limit }
    }

    /// Makes an answer what every answer should be.
    fn finish<B: MessageBody + 'static>(&self, asked: &Asked, response: HttpResponse<B>) -> HttpResponse {
        let mut response = response.map_into_boxed_body();
        if response.status().as_u16() >= 400 {
            response = as_problem(asked, response);
        }
        let is_challenge = response.headers().contains_key(header::WWW_AUTHENTICATE);
        if is_challenge || response.status() == StatusCode::UNAUTHORIZED {
            self.complete_challenge(response.headers_mut());
        }
        add_common_headers(response.headers_mut());
        self.add_cors(asked, response.headers_mut());
        put(response.headers_mut(), TRACEPARENT, &asked.trace.header());
        if let Some(state) = &asked.trace.state {
            put(response.headers_mut(), TRACESTATE, state);
        }
        if let Some(usage) = &asked.usage {
            usage.add_headers(response.headers_mut());
        }
        if asked.method == Method::HEAD {
            response = response.map_body(|_, body: BoxBody| BoxBody::new(OnlySize(body.size())));
        }
        response
    }

    fn complete_challenge(&self, headers: &mut HeaderMap) {
        let given = headers.get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let challenge = format!("{}, {}", given.unwrap_or("Bearer realm=\"wijkaanzet\""), self.challenge);
        put(headers, header::WWW_AUTHENTICATE, &challenge);
    }

    fn listed_origin<'a>(&self, asked: &'a Asked) -> Option<&'a str> {
        let origin = asked.origin.as_deref()?;
        self.config.cors_origins.iter().any(|listed| listed.trim_end_matches('/') == origin).then_some(origin)
    }

    fn add_cors(&self, asked: &Asked, headers: &mut HeaderMap) {
        let allowed = if is_open(&asked.path) {
            "*"
        } else {
            add_vary(headers, "Origin");
            match self.listed_origin(asked) {
                Some(origin) => origin,
                // Also without an Origin: a shared cache may keep this answer and give it to a page.
                None if asked.is_anonymous_read() => "*",
                None => return,
            }
        };
        put(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        put(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }

    fn answer_preflight(&self, asked: &Asked) -> HttpResponse {
        let mut response = HttpResponse::NoContent().finish();
        let headers = response.headers_mut();
        let (methods, allowed) = match self.listed_origin(asked) {
            Some(_) => (EVERY_METHOD, EVERY_HEADER),
            None => {
                put(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
                ("GET, HEAD", ANONYMOUS_HEADERS)
            }
        };
        put(headers, header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        put(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        put(headers, header::ACCESS_CONTROL_MAX_AGE, "600");
        response
    }

    fn client(&self, req: &ServiceRequest) -> IpAddr {
        let forwarded = || {
            let last = req
                .headers()
                .get_all(header::X_FORWARDED_FOR)
                .last()?
                .to_str()
                .ok()?
                .rsplit(',')
                .next()?
                .trim();
            last.parse().ok().or_else(|| Some(last.parse::<SocketAddr>().ok()?.ip()))
        };
        let address = if self.config.trust_forwarded { forwarded() } else { None };
        let address = address.or_else(|| Some(req.peer_addr()?.ip()));
        one_client(address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()))
    }
}

/// The middleware. `App::new().app_data(web::Data<Wire>).wrap(from_fn(wire))`, as the outermost layer.
pub async fn wire<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let Some(wire) = req.app_data::<web::Data<Wire>>().cloned() else {
        return Err(ApiError::Internal("the wire is not in the application's data".to_owned()).into());
    };
    let mut asked = Asked::read(&req);
    req.extensions_mut().insert(TraceId(asked.trace.trace_id.clone()));
    // The pattern and not the path: the path may hold anything.
    let path = req.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let span = tracing::info_span!(
        "request",
        trace_id = asked.trace.trace_id,
        span_id = asked.trace.span_id,
        method = asked.method.as_str(),
        path
    );

    let answer = async {
        if let Some(limit) = &wire.limit
            && !asked.path.starts_with("/health/")
        {
            let usage = limit.count(wire.client(&req));
            asked.usage = Some(usage);
            if let Some(seconds) = usage.retry_after {
                let response = ApiError::TooManyRequests(seconds).error_response();
                return Ok(req.into_response(wire.finish(&asked, response)));
            }
        }
        if asked.preflight {
            return Ok(req.into_response(wire.finish(&asked, wire.answer_preflight(&asked))));
        }
        match actix_web::rt::time::timeout(wire.config.request_timeout, next.call(req)).await {
            Ok(Ok(answer)) => {
                let (req, response) = answer.into_parts();
                Ok(ServiceResponse::new(req, wire.finish(&asked, response)))
            }
            // The request is gone with the service that failed, so the whole answer travels as an error.
            Ok(Err(error)) => Err(wire.finish(&asked, HttpResponse::from_error(error))),
            Err(_) => {
                let error = ApiError::Unavailable("it took too long".to_owned(), RETRY_AFTER_TIMEOUT);
                Err(wire.finish(&asked, error.error_response()))
            }
        }
    }
    .instrument(span.clone())
    .await;

    let status = answer.as_ref().map_or_else(HttpResponse::status, ServiceResponse::status);
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(status = status.as_u16(), milliseconds, "answered"));
    answer.map_err(|response| InternalError::from_response("answered", response).into())
}

/// The trace that a request belongs to, for handlers (in the request's extensions).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceId(pub String);

/// What of a request its answer depends on; the request itself belongs to the handler.
struct Asked {
    method: Method,
    path: String,
    origin: Option<String>,
    authorized: bool,
    preflight: bool,
    trace: Trace,
    usage: Option<Usage>,
}

impl Asked {
    fn read(req: &ServiceRequest) -> Self {
        let headers = req.headers();
        let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            method: req.method().clone(),
            path: req.path().to_owned(),
            preflight: req.method() == Method::OPTIONS
                && origin.is_some()
                && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
            origin,
            authorized: headers.contains_key(header::AUTHORIZATION),
            trace: Trace::read(headers),
            usage: None,
        }
    }

    fn is_anonymous_read(&self) -> bool {
        !self.authorized && (self.method == Method::GET || self.method == Method::HEAD)
    }
}

/// Documents about the API, open to every page of every origin.
fn is_open(path: &str) -> bool {
    path == "/v1/openapi.json" || path == "/v1/openapi.yaml" || path.starts_with("/.well-known/")
}

/// Writes out the problem that an answer carries, or the one that fits the status which the framework gave.
fn as_problem(asked: &Asked, mut response: HttpResponse) -> HttpResponse {
    let status = response.status();
    let carried = response.extensions_mut().remove::<Problem>();
    if let (None, true, Some(cause)) = (&carried, status.is_server_error(), response.error()) {
        tracing::error!(%cause, "the framework failed a request");
    }
    let problem = Problem {
        instance: asked.path.clone(),
        trace_id: asked.trace.trace_id.clone(),
        ..carried.unwrap_or_else(|| Problem::of_status(status))
    };
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::CONTENT_ENCODING);
    put(headers, header::CONTENT_TYPE, "application/problem+json");
    response.set_body(BoxBody::new(serde_json::to_vec(&problem).unwrap_or_default()))
}

fn add_common_headers(headers: &mut HeaderMap) {
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::CACHE_CONTROL, "no-store");
    default(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    for (name, value) in [
        (HeaderName::from_static("api-version"), API_VERSION),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// One line for all of `Vary`, since some caches read only the first.
fn add_vary(headers: &mut HeaderMap, name: &str) {
    let mut names: Vec<String> = headers
        .get_all(header::VARY)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .collect();
    if !names.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(name)) {
        names.push(name.to_owned());
    }
    put(headers, header::VARY, &names.join(", "));
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The body of an answer to HEAD: as long as that to GET, and not there.
struct OnlySize(BodySize);

impl MessageBody for OnlySize {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}

/// The trace context of a request (W3C): the caller's trace, or a new one, and our own span in it.
struct Trace {
    trace_id: String,
    span_id: String,
    sampled: bool,
    state: Option<String>,
}

impl Trace {
    fn read(headers: &HeaderMap) -> Self {
        let span_id = random_hex::<8>();
        match parent(headers) {
            Some((trace_id, sampled)) => {
                Self { trace_id: trace_id.to_owned(), span_id, sampled, state: trace_state(headers) }
            }
            None => Self { trace_id: random_hex::<16>(), span_id, sampled: false, state: None },
        }
    }

    fn header(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

/// The trace of a `traceparent` that is exactly as it should be, and whether it is sampled.
fn parent(headers: &HeaderMap) -> Option<(&str, bool)> {
    let mut values = headers.get_all(TRACEPARENT);
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let mut parts = value.to_str().ok()?.split('-');
    let (Some("00"), Some(trace_id), Some(span_id), Some(flags), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let is_id = |text: &str, length| is_hex(text, length) && text.bytes().any(|digit| digit != b'0');
    if !is_id(trace_id, 32) || !is_id(span_id, 16) || !is_hex(flags, 2) {
        return None;
    }
    Some((trace_id, u8::from_str_radix(flags, 16).ok()? & 1 == 1))
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The `tracestate` that goes with a valid `traceparent`; a malformed one is left out.
fn trace_state(headers: &HeaderMap) -> Option<String> {
    let lines: Option<Vec<&str>> = headers.get_all(TRACESTATE).map(|value| value.to_str().ok()).collect();
    let state = lines?.join(",");
    let mut members = state.split(',').map(str::trim).filter(|member| !member.is_empty()).peekable();
    members.peek()?;
    let well_formed = |member: &str| {
        member.split_once('=').is_some_and(|(key, value)| {
            let in_key =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte);
            !key.is_empty() && key.bytes().all(in_key) && !value.is_empty() && !value.contains('=')
        })
    };
    (state.len() <= 512 && members.clone().count() <= 32 && members.all(well_formed)).then_some(state)
}

fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    // Without randomness, or with all zeros, the id is at least valid; it guards nothing.
    if aws_lc_rs::rand::fill(&mut bytes).is_err() || bytes == [0; N] {
        bytes[N - 1] = 1;
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

type Limiter = RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>;

/// How often a client may ask.
struct Limit {
    quota: NonZeroU32,
    limiter: Limiter,
    counted: AtomicU32,
}

impl Limit {
    fn new(quota: NonZeroU32) -> Self {
        let limiter = RateLimiter::keyed(Quota::per_minute(quota)).with_middleware();
        Self { quota, limiter, counted: AtomicU32::new(0) }
    }

    fn count(&self, client: IpAddr) -> Usage {
        if self.counted.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let quota = self.quota.get();
        match self.limiter.check_key(&client) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity().min(quota);
                Usage {
                    quota,
                    remaining,
                    reset: seconds(WINDOW / quota * (quota - remaining)),
                    retry_after: None,
                }
            }
            Err(until) => {
                let wait = seconds(until.wait_time_from(DefaultClock::default().now())).max(1);
                Usage { quota, remaining: 0, reset: WINDOW.as_secs(), retry_after: Some(wait) }
            }
        }
    }
}

/// How much of its limit a client has left.
#[derive(Clone, Copy)]
struct Usage {
    quota: u32,
    remaining: u32,
    /// Seconds until all of it is back.
    reset: u64,
    /// Seconds until a first request is open again, when there is none left.
    retry_after: Option<u64>,
}

impl Usage {
    fn add_headers(self, headers: &mut HeaderMap) {
        let Self { quota, remaining, reset, retry_after: _ } = self;
        let policy = format!("\"default\";q={quota};w={}", WINDOW.as_secs());
        put(headers, HeaderName::from_static("ratelimit-policy"), &policy);
        put(headers, HeaderName::from_static("ratelimit"), &format!("\"default\";r={remaining};t={reset}"));
    }
}

/// Whole seconds, rounded up.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// A household has one IPv4 address, but a whole /64 of IPv6.
fn one_client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// What to answer where there is nothing: `App::new().default_service(web::to(not_found))`.
pub async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound)
}

/// A route for GET, and so for HEAD.
pub fn get<F, Args>(handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler)
}

/// A resource that answers a method which is not there with an exact `Allow`: `resource("/advice").get(list).post(add)`.
pub fn resource(path: &str) -> Resource {
    Resource { inner: web::resource(path), allow: Vec::new() }
}

/// See [`resource`].
pub struct Resource {
    inner: actix_web::Resource,
    allow: Vec<&'static str>,
}

macro_rules! method {
    ($name:ident, $method:literal, $guard:path) => {
        #[doc = concat!("Answers ", $method, ".")]
        pub fn $name<F, Args>(mut self, handler: F) -> Self
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.allow.push($method);
            self.inner = self.inner.route(web::route().guard($guard()).to(handler));
            self
        }
    };
}

impl Resource {
    method!(post, "POST", guard::Post);
    method!(put, "PUT", guard::Put);
    method!(patch, "PATCH", guard::Patch);
    method!(delete, "DELETE", guard::Delete);

    /// Answers GET and HEAD.
    pub fn get<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.allow.extend(["GET", "HEAD"]);
        self.inner = self.inner.route(get(handler));
        self
    }

    /// Data for the handlers of this resource alone, such as a larger limit on the body.
    pub fn app_data<T: 'static>(mut self, data: T) -> Self {
        self.inner = self.inner.app_data(data);
        self
    }
}

impl HttpServiceFactory for Resource {
    fn register(self, config: &mut AppService) {
        let allow = self.allow.join(", ");
        let refuse = move || {
            let allow = allow.clone();
            async move { Err::<HttpResponse, _>(ApiError::MethodNotAllowed(allow)) }
        };
        self.inner.default_service(web::to(refuse)).register(config);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::sync::{Arc, Mutex};

    use actix_web::http::header::ContentType;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service, read_body, try_call_service};
    use actix_web::{App, HttpServer, rt};
    use serde_json::Value;

    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn config() -> WireConfig {
        WireConfig {
            public_url: "https://api.test".to_owned(),
            cors_origins: vec!["https://portal.test".to_owned()],
            rate_per_minute: None,
            request_timeout: Duration::from_millis(200),
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
                    resource("/advice")
                        .get(async || "advice")
                        .post(async || HttpResponse::Created().finish()),
                )
                .service(resource("/advice/{id}").get(async |id: web::Path<u32>| id.to_string()))
                .service(resource("/json").put(async |_: web::Json<Value>| ""))
                .service(resource("/trace").get(async |id: web::ReqData<TraceId>| id.into_inner().0))
                .service(resource("/error/{kind}").get(refuse))
                .service(resource("/openapi.json").get(async || "{}"))
                .service(resource("/page").get(page))
                .service(resource("/slow").get(slow)),
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
        let data = web::Data::new(Wire::new(config));
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
            ask(TestRequest::with_uri("/v1/nothing?token=secret").insert_header(("traceparent", TRACE)))
                .await;
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
        let refuse =
            async |_: ServiceRequest, _: Next<BoxBody>| -> Result<ServiceResponse, actix_web::Error> {
                Err(actix_web::error::ErrorPayloadTooLarge("secret"))
            };
        let data = web::Data::new(Wire::new(config()));
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
        assert!(
            own.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && own.ends_with("-01") && own != TRACE
        );
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
        let from =
            |uri: &str, origin: &'static str| TestRequest::with_uri(uri).insert_header(("Origin", origin));
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
        let data = web::Data::new(Wire::new(config));
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
            limit.count(IpAddr::V4(Ipv4Addr::from_bits(client)));
        }
        assert!(limit.limiter.len() <= FORGET_EVERY as usize);
    }

    /// What stands on the wire itself, one connection a request.
    async fn raw<const N: usize>(requests: [&'static str; N]) -> [String; N] {
        let server = HttpServer::new(|| {
            let data = web::Data::new(Wire::new(config()));
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
            write!(stream, "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
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
        assert!(
            missing.starts_with("HTTP/1.1 404") && missing.contains("application/problem+json"),
            "{missing}"
        );
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
    async fn head_in_process_has_no_body_either() {
        let answer = ask(method(Method::HEAD, "/v1/advice")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    }
}
