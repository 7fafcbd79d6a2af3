//! The trace that a request belongs to (W3C Trace Context).

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use actix_web::http::header::{HeaderMap, HeaderName};
use persistence::hex;

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
        let span_id = random_hex::<1>();
        match parent(headers) {
            Some((trace_id, parent, sampled)) => Self {
                trace_id: trace_id.to_owned(),
                span_id,
                parent: Some(parent.to_owned()),
                sampled,
                state: trace_state(headers),
            },
            None => Self { trace_id: random_hex::<2>(), span_id, parent: None, sampled: false, state: None },
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

/// Sixteen digits for each word, which hardly anybody else has. They guard nothing, so a keyed hash of a count is good enough, and many
/// times cheaper than randomness.
fn random_hex<const WORDS: usize>() -> String {
    thread_local! {
        static COUNT: (RandomState, Cell<u64>) = (RandomState::new(), Cell::new(0));
    }
    let next = || {
        COUNT.with(|(key, count)| {
            count.set(count.get().wrapping_add(1));
            // All zeros are not an id.
            key.hash_one(count.get()).max(1)
        })
    };
    let words: [u64; WORDS] = std::array::from_fn(|_| next());
    hex(words.map(u64::to_be_bytes).as_flattened())
}
