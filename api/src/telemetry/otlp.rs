//! Spans to an OTLP collector, as protobuf over HTTP. A span is made whole when its request was answered, with the ids that the
//! caller saw in `traceparent`; so there is no second idea of what the current span is.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor};

use super::spans::SpanIds;
use crate::clock::Clock;

/// How long the collector may take; nobody waits for it but the thread that sends.
const PATIENCE: Duration = Duration::from_secs(10);
/// What of a collector's answer is read.
const MOST_ANSWERED: u64 = 64 * 1024;

static PROCESSOR: OnceLock<BatchSpanProcessor> = OnceLock::new();

/// Sends what is left when dropped.
pub(super) struct Ending;

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(processor) = PROCESSOR.get()
            && let Err(error) = processor.shutdown_with_timeout(PATIENCE)
        {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

pub(super) fn is_on() -> bool {
    PROCESSOR.get().is_some()
}

pub(super) fn now() -> SystemTime {
    Clock::System.now().moment.into()
}

pub(super) fn start(endpoint: &str) -> Result<Ending, String> {
    let address = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new())
        .with_endpoint(address)
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| format!("--otlp-endpoint: {error}"))?;
    let mut processor = BatchSpanProcessor::builder(exporter).build();
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder_empty().with_service_name("wijkaanzet").with_attribute(version);
    processor.set_resource(&resource.build());
    PROCESSOR.set(processor).map_err(|_| "spans are exported already".to_owned())?;
    Ok(Ending)
}

pub(super) fn export(
    started: SystemTime,
    ids: &SpanIds<'_>,
    method: &Method,
    route: &str,
    status: StatusCode,
) {
    let Some(processor) = PROCESSOR.get() else { return };
    let SpanIds { trace_id, span_id, parent } = *ids;
    // They are what the wire read and made: valid, as hexadecimal digits of the right length.
    let (Ok(trace_id), Ok(span_id)) = (TraceId::from_hex(trace_id), SpanId::from_hex(span_id)) else {
        return;
    };
    let parent_span_id = parent.and_then(|parent| SpanId::from_hex(parent).ok());
    let status_of_span = match status.is_server_error() {
        true => Status::error(""),
        false => Status::Unset,
    };
    processor.on_end(SpanData {
        span_context: SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, TraceState::NONE),
        parent_span_id: parent_span_id.unwrap_or(SpanId::INVALID),
        parent_span_is_remote: parent_span_id.is_some(),
        span_kind: SpanKind::Server,
        name: format!("{method} {route}").into(),
        start_time: started,
        end_time: now().max(started),
        attributes: vec![
            KeyValue::new("http.request.method", method.to_string()),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
        ],
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: status_of_span,
        instrumentation_scope: InstrumentationScope::builder("wijkaanzet").build(),
    });
}

/// The HTTP client that is there anyway, on the one thread that sends.
#[derive(Debug)]
struct Client(ureq::Agent);

impl Client {
    fn new() -> Self {
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ureq::tls::TlsConfig::builder().unversioned_rustls_crypto_provider(crypto).build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Self(config.new_agent())
    }
}

// Written out as `#[async_trait]` would, which is one dependency less to name.
impl HttpClient for Client {
    fn send_bytes<'client, 'answer>(
        &'client self,
        request: Request<Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'answer>>
    where
        'client: 'answer,
    {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let answer = self.0.run(Request::from_parts(head, body.to_vec())).inspect_err(|error| {
                tracing::warn!(%error, "spans are lost: the collector cannot be reached");
            })?;
            if !answer.status().is_success() {
                let status = answer.status().as_u16();
                tracing::warn!(status, "spans are lost: the collector does not take them");
            }
            let (head, mut body) = answer.into_parts();
            let body = body.with_config().limit(MOST_ANSWERED).read_to_vec()?;
            Ok(Response::from_parts(head, Bytes::from(body)))
        })
    }
}
