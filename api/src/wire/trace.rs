//! The trace that a request belongs to (W3C Trace Context).

use actix_web::http::header::{HeaderMap, HeaderName};

use crate::telemetry::SpanIds;

pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(super) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The trace context of a request (W3C): the caller's trace, or a new one, and our own span in it.
pub(super) struct Trace {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    /// The span of the caller, which ours lies in.
    parent: Option<String>,
    sampled: bool,
    pub(super) state: Option<String>,
}

impl Trace {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let span_id = random_hex::<8>();
        match parent(headers) {
            Some((trace_id, parent, sampled)) => Self {
                trace_id: trace_id.to_owned(),
                span_id,
                parent: Some(parent.to_owned()),
                sampled,
                state: trace_state(headers),
            },
            None => Self { trace_id: random_hex::<16>(), span_id, parent: None, sampled: false, state: None },
        }
    }

    /// What a tracing back end wants to know.
    pub(super) fn ids(&self) -> SpanIds<'_> {
        let Self { trace_id, span_id, parent, sampled: _, state: _ } = self;
        SpanIds { trace_id, span_id, parent: parent.as_deref() }
    }

    pub(super) fn header(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

/// The trace and the span of a `traceparent` that is exactly as it should be, and whether it is sampled.
fn parent(headers: &HeaderMap) -> Option<(&str, &str, bool)> {
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
    Some((trace_id, span_id, u8::from_str_radix(flags, 16).ok()? & 1 == 1))
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
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
