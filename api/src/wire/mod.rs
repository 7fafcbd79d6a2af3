//! What every answer passes: headers, problems, traces, CORS, the limits on how much, how often and how long; and routes that
//! answer a wrong method as they should.

mod cache;
mod cors;
mod limit;
mod load;
mod pace;
mod routes;
mod trace;

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use tracing::Instrument;

use crate::problem::{ApiError, Problem};
use crate::stopping::Stopping;
use crate::telemetry::{METRICS, Open, Span};

pub use cache::Basis;
pub use limit::Client;
pub use pace::{Line, Pace, Paced};
pub use routes::{Resource, get, not_found, resource};

use cache::{Answer, Cache};
use limit::{Limit, Usage};
use load::{Bound, Share};
use trace::{TRACEPARENT, TRACESTATE, Trace};

/// The version of the contract; `info.version` of the OpenAPI document is the same.
pub const API_VERSION: &str = env!("CARGO_PKG_VERSION");

/// When to come back after a request that took too long.
const RETRY_AFTER_TIMEOUT: u64 = 5;
/// When to come back to a server that has too much to do.
const RETRY_AFTER_LOAD: u64 = 2;

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
    /// Requests that are worked on at once, in all threads; 0 for no limit.
    pub max_requests: usize,
    /// Bytes of big answers that wait to be sent at once; 0 for no limit.
    pub send_memory: usize,
    /// Bytes of bodies that arrive or are worked on, at most; zero for no limit.
    pub receive_memory: usize,
    /// Bytes of answers to anonymous reads that are kept; zero keeps none.
    pub cache_memory: usize,
    /// The client is the last address of `X-Forwarded-For`: the one that our own proxy wrote. Only behind one proxy.
    pub trust_forwarded: bool,
}

/// The state of the wire. One for all workers: each worker counting by itself would multiply the limit.
pub struct Wire {
    config: WireConfig,
    challenge: String,
    limit: Option<Limit>,
    requests: Bound,
    sending: Bound,
    receiving: Bound,
    cache: Cache,
    stopping: Stopping,
}

impl Wire {
    /// The wire of a deployment, for the application's data.
    pub fn new(config: WireConfig, stopping: Stopping) -> Self {
        let challenge =
            format!("resource_metadata=\"{}/.well-known/oauth-protected-resource/v1\"", config.public_url);
        let limit = config.rate_per_minute.and_then(NonZeroU32::new).map(Limit::new);
        let (requests, sending) = (Bound::new(config.max_requests), Bound::new(config.send_memory));
        let receiving = Bound::new(config.receive_memory);
        let cache = Cache::new(config.cache_memory);
        Self { config, challenge, limit, requests, sending, receiving, cache, stopping }
    }

    /// Makes an answer what every answer should be.
    fn finish<B: MessageBody + 'static>(&self, asked: &Asked, response: HttpResponse<B>) -> HttpResponse {
        let mut response = self.spare_memory(asked, response.map_into_boxed_body());
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
        if let Some(usage) = asked.passage.usage.get() {
            usage.add_headers(response.headers_mut());
        }
        if asked.method == Method::HEAD {
            response = response.map_body(|_, body: BoxBody| BoxBody::new(OnlySize(body.size())));
        }
        if self.stopping.is_leaving() {
            close(&mut response);
        }
        response
    }

    /// Sends a big answer in slices, and counts it until it is sent. A read that finds too much waiting is turned away.
    fn spare_memory(&self, asked: &Asked, response: HttpResponse) -> HttpResponse {
        if asked.method == Method::HEAD {
            return response;
        }
        let (response, body) = response.into_parts();
        let bytes = match body.try_into_bytes() {
            Ok(bytes) if load::is_big(bytes.len()) => bytes,
            Ok(bytes) => return response.set_body(BoxBody::new(bytes)),
            Err(body) => return response.set_body(body),
        };
        let size = bytes.len();
        let share = match asked.method {
            Method::GET => self.sending.take(size),
            // It was done, and its caller must hear so.
            _ => Some(self.sending.force(size)),
        };
        match share {
            Some(share) => response.set_body(BoxBody::new(load::Sending::new(bytes, share))),
            None => {
                METRICS.shed("sending");
                let cause = "too much waits to be sent".to_owned();
                ApiError::Unavailable(cause, RETRY_AFTER_LOAD).unlogged()
            }
        }
    }

    /// Counts a request of this client, and refuses it over the limit.
    fn count(&self, client: Client, passage: &Passage) -> Result<(), ApiError> {
        let Some(limit) = &self.limit else { return Ok(()) };
        let usage = limit.count(client);
        passage.usage.set(Some(usage));
        match usage.retry_after {
            None => Ok(()),
            Some(seconds) => {
                METRICS.limited();
                Err(ApiError::TooManyRequests(seconds))
            }
        }
    }

    fn complete_challenge(&self, headers: &mut HeaderMap) {
        let given = headers.get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let challenge = format!("{}, {}", given.unwrap_or("Bearer realm=\"wijkaanzet\""), self.challenge);
        put(headers, header::WWW_AUTHENTICATE, &challenge);
    }

    fn address(&self, req: &HttpRequest) -> IpAddr {
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
        address.unwrap_or(Ipv4Addr::UNSPECIFIED.into())
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
    let _working = req.conn_data::<Line>().map(Line::begin);
    let open = Open::request();
    let mut asked = Asked::read(&req);
    let kept = wire.cache.find(&asked, req.request());
    // The pattern and not the path: the path may hold anything.
    asked.route = match &kept {
        Some(answer) => answer.route.clone(),
        None => req.match_pattern().map_or_else(|| "unmatched".into(), Arc::from),
    };
    req.extensions_mut().insert(TraceId(asked.trace.trace_id.clone()));
    req.extensions_mut().insert(asked.passage.clone());
    let traced = Span::begin();
    let span = tracing::info_span!(
        "request",
        trace_id = asked.trace.trace_id,
        span_id = asked.trace.span_id,
        method = asked.method.as_str(),
        path = &*asked.route
    );

    let answer = wire.answer(&asked, req, next, kept).instrument(span.clone()).await;

    let status = answer.as_ref().map_or_else(HttpResponse::status, ServiceResponse::status);
    let elapsed = started.elapsed();
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(status = status.as_u16(), milliseconds, "answered"));
    open.answered();
    METRICS.answered(&asked.route, &asked.method, status, elapsed);
    traced.end(&asked.trace.ids(), &asked.method, &asked.route, status);
    answer.map_err(|response| InternalError::from_response("answered", response).into())
}

impl Wire {
    /// Takes a request through the limits to its handler; an answer whose request is gone travels as an error.
    async fn answer<B: MessageBody + 'static>(
        &self,
        asked: &Asked,
        req: ServiceRequest,
        next: Next<B>,
        kept: Option<Arc<Answer>>,
    ) -> Result<ServiceResponse<BoxBody>, HttpResponse> {
        if asked.preflight {
            let response = self.finish(asked, self.answer_preflight(asked));
            return Ok(req.into_response(response));
        }
        let refuse = |error: ApiError| self.finish(asked, error.unlogged());
        // What tells whether we are well must get through when we are not.
        if asked.path.starts_with("/health/") {
            return self.run(asked, self.config.request_timeout, next.call(req)).await;
        }
        // Who sends a token is counted once it is known whose it is.
        let is_counted_later = asked.authorized && asked.path.starts_with("/v1/");
        if !is_counted_later
            && let Err(error) = self.count(Client::at(self.address(req.request())), &asked.passage)
        {
            return Ok(req.into_response(refuse(error)));
        }
        if let Some(kept) = kept
            && let Some(response) = kept.send(&req).await
        {
            return Ok(req.into_response(self.finish(asked, response)));
        }
        // Who waits for the feed has a bound of his own.
        let wait = load::wait_of(&asked.path, req.query_string());
        let turn = match wait.is_zero() {
            true => self.requests.take(1),
            false => Some(self.requests.force(0)),
        };
        if turn.is_none() {
            return Ok(req.into_response(refuse(overrun("requests"))));
        }
        asked.passage.turn.set(turn);
        let address = is_counted_later.then(|| self.address(req.request()));
        let answer = self.run(asked, self.config.request_timeout + wait, next.call(req)).await;
        // Not with the request, which lives until its answer was sent.
        drop((asked.passage.turn.take(), asked.passage.body.take()));
        // A token that no handler looked at says nothing about its bearer.
        let Some(address) = address.filter(|_| asked.passage.usage.get().is_none()) else { return answer };
        match (self.count(Client::at(address), &asked.passage), answer) {
            (Ok(()), answer) => answer,
            (Err(error), Ok(answer)) => Ok(answer.into_response(refuse(error))),
            (Err(error), Err(_)) => Err(refuse(error)),
        }
    }

    async fn run<B: MessageBody + 'static>(
        &self,
        asked: &Asked,
        allowed: Duration,
        answer: impl Future<Output = Result<ServiceResponse<B>, actix_web::Error>>,
    ) -> Result<ServiceResponse<BoxBody>, HttpResponse> {
        match actix_web::rt::time::timeout(allowed, answer).await {
            Ok(Ok(answer)) => {
                let answer = answer.map_into_boxed_body();
                if let Some(basis) = asked.passage.basis.take() {
                    self.cache.keep(asked, &answer, basis);
                }
                let (req, response) = answer.into_parts();
                Ok(ServiceResponse::new(req, self.finish(asked, response)))
            }
            // The request is gone with the service that failed, so the whole answer travels as an error.
            Ok(Err(error)) => Err(self.finish(asked, HttpResponse::from_error(error))),
            Err(_) if asked.passage.is_receiving.get() => {
                let mut response = self.finish(asked, ApiError::TooSlow.error_response());
                close(&mut response);
                Err(response)
            }
            Err(_) => {
                let error = ApiError::Unavailable("it took too long".to_owned(), RETRY_AFTER_TIMEOUT);
                Err(self.finish(asked, error.error_response()))
            }
        }
    }
}

/// What the wire and the handler under it tell each other about a request, which belongs to the handler.
#[derive(Default)]
struct Passage {
    usage: Cell<Option<Usage>>,
    is_receiving: Cell<bool>,
    turn: Cell<Option<Share>>,
    body: Cell<Option<Share>>,
    basis: Cell<Option<Basis>>,
}

/// Tells what the answer to this request was made from, so that it can be kept.
pub fn may_keep(request: &HttpRequest, basis: Basis) {
    if let Some(passage) = passage(request) {
        passage.basis.set(Some(basis));
    }
}

fn passage(request: &HttpRequest) -> Option<Rc<Passage>> {
    request.extensions().get::<Rc<Passage>>().cloned()
}

fn overrun(of: &'static str) -> ApiError {
    METRICS.shed(of);
    ApiError::Unavailable("too many requests at once".to_owned(), RETRY_AFTER_LOAD)
}

/// The body of a request is on its way. Meanwhile it takes no turn from those that are worked on, and a caller who is too slow is
/// told so.
pub struct Receiving {
    passage: Option<Rc<Passage>>,
    had_turn: bool,
}

impl Receiving {
    /// It begins, if there is memory for it. A body that does not say how long it is may come to this many bytes.
    pub fn begin(request: &HttpRequest, most: usize) -> Result<Self, ApiError> {
        let Some(passage) = passage(request) else { return Ok(Self { passage: None, had_turn: false }) };
        if let Some(wire) = request.app_data::<web::Data<Wire>>() {
            let said = request.headers().get(header::CONTENT_LENGTH);
            let said = said.and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<usize>().ok());
            let share = wire.receiving.take(said.unwrap_or(most).min(most));
            passage.body.set(Some(share.ok_or_else(|| overrun("receiving"))?));
        }
        passage.is_receiving.set(true);
        let had_turn = passage.turn.take().is_some();
        Ok(Self { passage: Some(passage), had_turn })
    }

    /// It has arrived: work on it begins, if there is a turn for it.
    pub fn end(self, request: &HttpRequest) -> Result<(), ApiError> {
        let Self { passage, had_turn } = self;
        let Some(passage) = passage else { return Ok(()) };
        passage.is_receiving.set(false);
        match request.app_data::<web::Data<Wire>>() {
            Some(wire) if had_turn => {
                passage.turn.set(Some(wire.requests.take(1).ok_or_else(|| overrun("requests"))?));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Counts a request with a token, now that it is known whether it is valid and whose: by its bearer, else by address.
pub fn count_bearer(request: &HttpRequest, bearer: Option<Client>) -> Result<(), ApiError> {
    let (Some(wire), Some(passage)) = (request.app_data::<web::Data<Wire>>(), passage(request)) else {
        return Ok(());
    };
    if passage.usage.get().is_some() {
        return Ok(());
    }
    wire.count(bearer.unwrap_or_else(|| Client::at(wire.address(request))), &passage)
}

fn close(response: &mut HttpResponse) {
    response.head_mut().set_connection_type(ConnectionType::Close);
}

/// The trace that a request belongs to, for handlers (in the request's extensions).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceId(pub String);

/// What of a request its answer depends on; the request itself belongs to the handler.
struct Asked {
    method: Method,
    path: String,
    /// The pattern of its route.
    route: Arc<str>,
    origin: Option<String>,
    authorized: bool,
    preflight: bool,
    trace: Trace,
    passage: Rc<Passage>,
}

impl Asked {
    fn read(req: &ServiceRequest) -> Self {
        let headers = req.headers();
        let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            method: req.method().clone(),
            path: req.path().to_owned(),
            route: Arc::default(),
            preflight: req.method() == Method::OPTIONS
                && origin.is_some()
                && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
            origin,
            authorized: headers.contains_key(header::AUTHORIZATION),
            trace: Trace::read(headers),
            passage: Rc::default(),
        }
    }

    fn is_anonymous_read(&self) -> bool {
        !self.authorized && (self.method == Method::GET || self.method == Method::HEAD)
    }
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

#[cfg(test)]
mod tests;
