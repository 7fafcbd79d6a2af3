//! What is counted as it happens. One set for the process, since what counts stands in many places.

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// The counters of this process.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Seconds; most answers take milliseconds, and the time limit stands at half a minute.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What is counted.
pub struct Metrics {
    pub(super) registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGauge,
    connections: IntGauge,
    shed: IntCounterVec,
    limited: IntCounter,
    abandoned: IntCounter,
    cut_off: IntCounterVec,
    authentication_failures: IntCounterVec,
    jwks_refreshes: IntCounterVec,
    cache_hits: IntCounter,
    cache_misses: IntCounter,
    cache_stale: IntCounter,
}

/// What came of looking for an answer among those that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheUse {
    /// It was sent.
    Hit,
    /// None was there.
    Miss,
    /// The one that was there was no longer true.
    Stale,
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(format!("wijkaanzet_{name}"), help)
}

/// Names and labels are constants of this program, so what fails here fails in every test.
fn known<T>(made: prometheus::Result<T>) -> T {
    made.expect("a metric has a name and labels of its own")
}

impl Metrics {
    fn new() -> Self {
        let operation = ["method", "route", "status"];
        let counters = |name, help, labels: &[&str]| known(IntCounterVec::new(opts(name, help), labels));
        let counter = |name, help| known(IntCounter::with_opts(opts(name, help)));
        let gauge = |name, help| known(IntGauge::with_opts(opts(name, help)));
        let durations = HistogramOpts::from(opts(
            "http_request_duration_seconds",
            "Time from the head of a request to its answer, by route, method and class of status.",
        ));
        let cache = counters(
            "cache_lookups_total",
            "Anonymous reads, by whether an answer was kept and still true.",
            &["result"],
        );
        let metrics = Self {
            registry: Registry::new(),
            requests: counters(
                "http_requests_total",
                "Requests answered, by route, method and class of status.",
                &operation,
            ),
            durations: known(HistogramVec::new(durations.buckets(BUCKETS.to_vec()), &operation)),
            in_flight: gauge("http_requests_in_flight", "Requests that are being worked on."),
            connections: gauge("http_connections", "Connections of callers that are open."),
            shed: counters(
                "http_requests_shed_total",
                "Requests turned away because there was too much to do, by what there was too much of.",
                &["reason"],
            ),
            limited: counter(
                "http_requests_rate_limited_total",
                "Requests turned away because their client asked too often.",
            ),
            abandoned: counter(
                "http_requests_abandoned_total",
                "Requests that ended without an answer, because their caller or this process went away.",
            ),
            cut_off: counters(
                "http_connections_cut_off_total",
                "Connections closed because the other side was too slow, by what it was slow at.",
                &["direction"],
            ),
            authentication_failures: counters(
                "authentication_failures_total",
                "Requests with a token that was refused, by reason.",
                &["reason"],
            ),
            jwks_refreshes: counters(
                "jwks_refreshes_total",
                "Attempts to read the keys of the issuer, by result.",
                &["result"],
            ),
            cache_hits: cache.with_label_values(&["hit"]),
            cache_misses: cache.with_label_values(&["miss"]),
            cache_stale: cache.with_label_values(&["stale"]),
        };
        let all: [Box<dyn prometheus::core::Collector>; 11] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.durations.clone()),
            Box::new(metrics.in_flight.clone()),
            Box::new(metrics.connections.clone()),
            Box::new(metrics.shed.clone()),
            Box::new(metrics.limited.clone()),
            Box::new(metrics.abandoned.clone()),
            Box::new(metrics.cut_off.clone()),
            Box::new(metrics.authentication_failures.clone()),
            Box::new(metrics.jwks_refreshes.clone()),
            Box::new(cache),
        ];
        for collector in all {
            known(metrics.registry.register(collector));
        }
        // There from the start, so that the first one is a rise and not a beginning.
        for reason in ["requests", "sending"] {
            metrics.shed.with_label_values(&[reason]);
        }
        for direction in ["read", "write"] {
            metrics.cut_off.with_label_values(&[direction]);
        }
        metrics
    }

    /// A request was answered. The route is its pattern and never its path.
    pub fn answered(&self, route: &str, method: &Method, status: StatusCode, elapsed: Duration) {
        let labels = [method_label(method), route, class(status)];
        self.requests.with_label_values(&labels).inc();
        self.durations.with_label_values(&labels).observe(elapsed.as_secs_f64());
    }

    /// A request was turned away, for there is too much of this.
    pub fn shed(&self, reason: &'static str) {
        self.shed.with_label_values(&[reason]).inc();
    }

    /// A request was turned away, for its client asked too often.
    pub fn limited(&self) {
        self.limited.inc();
    }

    /// A connection was closed, for its other side was too slow at this.
    pub fn cut_off(&self, direction: &'static str) {
        self.cut_off.with_label_values(&[direction]).inc();
    }

    /// A token was refused. The reason is a text of this program, never one out of the token.
    pub fn authentication_failed(&self, reason: &'static str) {
        self.authentication_failures.with_label_values(&[reason]).inc();
    }

    /// The keys of the issuer were read, or could not be.
    pub fn jwks_refreshed(&self, is_good: bool) {
        self.jwks_refreshes.with_label_values(&[if is_good { "success" } else { "failure" }]).inc();
    }

    /// An answer was looked for among those that are kept.
    pub fn cache_used(&self, used: CacheUse) {
        match used {
            CacheUse::Hit => self.cache_hits.inc(),
            CacheUse::Miss => self.cache_misses.inc(),
            CacheUse::Stale => self.cache_stale.inc(),
        }
    }

    /// How many requests are being worked on.
    pub fn in_flight(&self) -> u64 {
        u64::try_from(self.in_flight.get()).unwrap_or(0)
    }

    /// How many requests ended without an answer.
    pub fn abandoned(&self) -> u64 {
        self.abandoned.get()
    }
}

fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        // A caller may make up any; each would be a series of its own.
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

/// Something that is open, counted until it is dropped.
pub struct Open {
    count: &'static IntGauge,
    abandoned: Option<&'static IntCounter>,
}

impl Open {
    /// A request that is being worked on; abandoned, unless it is told that it was answered.
    pub fn request() -> Self {
        Self::count(&METRICS.in_flight, Some(&METRICS.abandoned))
    }

    /// A connection of a caller.
    pub fn connection() -> Self {
        Self::count(&METRICS.connections, None)
    }

    /// It came to its proper end.
    pub fn answered(mut self) {
        self.abandoned = None;
    }

    fn count(count: &'static IntGauge, abandoned: Option<&'static IntCounter>) -> Self {
        count.inc();
        Self { count, abandoned }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.count.dec();
        if let Some(abandoned) = self.abandoned {
            abandoned.inc();
        }
    }
}
