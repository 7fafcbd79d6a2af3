//! Requests as spans for a tracing back end. Only a build with the feature `otel` can export them; any other takes no time over it.

use actix_web::http::{Method, StatusCode};

/// Where a request stands in its trace, in hexadecimal digits as `traceparent` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanIds<'a> {
    /// The trace.
    pub trace_id: &'a str,
    /// Our span.
    pub span_id: &'a str,
    /// The span of the caller; none where the trace begins here.
    pub parent: Option<&'a str>,
}

/// A request that will be told of, if spans are exported at all.
pub struct Span {
    #[cfg(feature = "otel")]
    started: Option<std::time::SystemTime>,
}

/// Exports spans until dropped; then sends what is left.
pub struct Exporting {
    #[cfg(feature = "otel")]
    _processor: super::otlp::Ending,
}

#[cfg(feature = "otel")]
impl Span {
    /// A request begins.
    pub fn begin() -> Self {
        Self { started: super::otlp::is_on().then(super::otlp::now) }
    }

    /// It was answered. The route is its pattern and never its path.
    pub fn end(self, ids: &SpanIds<'_>, method: &Method, route: &str, status: StatusCode) {
        if let Some(started) = self.started {
            super::otlp::export(started, ids, method, route, status);
        }
    }
}

#[cfg(not(feature = "otel"))]
impl Span {
    /// A request begins.
    pub fn begin() -> Self {
        Self {}
    }

    /// It was answered. The route is its pattern and never its path.
    pub fn end(self, _: &SpanIds<'_>, _: &Method, _: &str, _: StatusCode) {}
}

/// Sends spans to an OTLP collector over HTTP; refused where this build cannot.
#[cfg(feature = "otel")]
pub fn export_spans(endpoint: &str) -> Result<Exporting, String> {
    Ok(Exporting { _processor: super::otlp::start(endpoint)? })
}

/// Sends spans to an OTLP collector over HTTP; refused where this build cannot.
#[cfg(not(feature = "otel"))]
pub fn export_spans(_: &str) -> Result<Exporting, String> {
    Err("--otlp-endpoint takes a build with --features api/otel".to_owned())
}
