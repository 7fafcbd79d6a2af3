//! Which pages of other origins may read and write (CORS).

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

use super::{Asked, Wire, put};

/// What scripts of other origins may read beside the body.
const EXPOSED: &str =
    "API-Version, ETag, Journal-Position, Link, Location, RateLimit, RateLimit-Policy, Retry-After";
pub(super) const EVERY_METHOD: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
pub(super) const EVERY_HEADER: &str = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Journal-Position, Accept, traceparent, tracestate";
/// An origin that is not on the list reads what anybody may read, so it has no use for a token.
const ANONYMOUS_HEADERS: &str =
    "Content-Type, If-None-Match, Journal-Position, Accept, traceparent, tracestate";

impl Wire {
    fn listed_origin<'a>(&self, asked: &'a Asked) -> Option<&'a str> {
        let origin = asked.origin.as_deref()?;
        self.config.cors_origins.iter().any(|listed| listed.trim_end_matches('/') == origin).then_some(origin)
    }

    pub(super) fn add_cors(&self, asked: &Asked, headers: &mut HeaderMap) {
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
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }

    pub(super) fn answer_preflight(&self, asked: &Asked) -> HttpResponse {
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
}

/// Documents about the API, open to every page of every origin.
fn is_open(path: &str) -> bool {
    path == "/v1/openapi.json" || path == "/v1/openapi.yaml" || path.starts_with("/.well-known/")
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
