//! Answers to anonymous reads, kept for as long as the journal ends where it did. Whoever asks gets what a new answer would say: before
//! each use the database is asked where its journal ends, after whatever any process wrote. Nothing of a caller with a token is kept.

use std::sync::Arc;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use persistence::Position;
use quick_cache::Weighter;
use quick_cache::sync::Cache as Kept;

use super::Asked;
use crate::app::App;
use crate::etag;
use crate::latest::Desk;
use crate::seal::JOURNAL_POSITION;
use crate::telemetry::{CacheUse, METRICS};

/// The longest address with `Accept` that an answer is kept for, in bytes.
const LONGEST_KEY: usize = 2048;
/// The biggest body that is kept, in bytes: making it costs little beside sending it.
const BIGGEST_BODY: usize = 256 * 1024;
/// What an answer takes beside its key and its body, in bytes: headers and the table itself.
const BESIDE: usize = 1024;

/// What an answer was made from, told by the handler that made it.
pub struct Basis {
    /// Where the journal ended that it was read from.
    pub position: Position,
    /// The day on which it was made.
    pub today: NaiveDate,
    /// What it is, also where only its tag is sent.
    pub content_type: HeaderValue,
    /// Its tag.
    pub etag: String,
    /// All of it.
    pub body: Bytes,
}

/// An answer and what it was made from.
pub(super) struct Answer {
    basis: Basis,
    /// The pattern of its route, which takes time to find.
    pub(super) route: Arc<str>,
    /// Its headers but for the type, which an answer without a body does not have.
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Arc<Answer>> for Weight {
    fn weight(&self, key: &String, answer: &Arc<Answer>) -> u64 {
        u64::try_from(key.len() + answer.basis.body.len() + BESIDE).unwrap_or(u64::MAX)
    }
}

/// The answers that are kept, up to so many bytes.
pub(super) struct Cache(Option<Kept<String, Arc<Answer>, Weight>>);

impl Cache {
    /// Of so many bytes; zero keeps nothing.
    pub(super) fn new(bytes: usize) -> Self {
        let items = bytes / (4 * BESIDE);
        let size = u64::try_from(bytes).unwrap_or(u64::MAX);
        Self((bytes > 0).then(|| Kept::with_weighter(items, size, Weight)))
    }

    /// The answer that is kept for this request, which may no longer be true.
    pub(super) fn find(&self, asked: &Asked, request: &HttpRequest) -> Option<Arc<Answer>> {
        let kept = self.0.as_ref()?;
        let answer = kept.get(&key(asked, request)?);
        if answer.is_none() {
            METRICS.cache_used(CacheUse::Miss);
        }
        answer
    }

    /// Keeps an answer, if its handler told what it was made from.
    pub(super) fn keep(&self, asked: &Asked, answer: &ServiceResponse, basis: Basis) {
        let Some(kept) = &self.0 else { return };
        let response = answer.response();
        let is_whole = matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED);
        if !is_whole || basis.body.len() > BIGGEST_BODY {
            return;
        }
        let Some(key) = key(asked, answer.request()) else { return };
        let headers = response.headers().iter().filter(|(name, _)| *name != header::CONTENT_TYPE);
        let headers = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
        let route = asked.route.clone();
        kept.insert(key, Arc::new(Answer { basis, route, headers }));
    }
}

/// All of a request that its answer depends on; none where no answer to it is kept. Who names a position of the journal is answered
/// by the handler, which knows what to make of it.
fn key(asked: &Asked, request: &HttpRequest) -> Option<String> {
    if !asked.is_anonymous_read() || request.headers().contains_key(JOURNAL_POSITION) {
        return None;
    }
    let mut key = request.uri().path_and_query()?.as_str().to_owned();
    for accept in request.headers().get_all(header::ACCEPT) {
        key.push('\n');
        key.push_str(accept.to_str().ok()?);
    }
    (key.len() <= LONGEST_KEY).then_some(key)
}

impl Answer {
    /// What is sent, if a new answer would be the same.
    pub(super) async fn send(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let app = request.app_data::<Data<Arc<App>>>()?;
        let desk = request.app_data::<Data<Desk>>()?;
        let position = desk.look(None).await.map(|look| look.state.position);
        // After the look: midnight may have passed in it.
        if position != Some(self.basis.position) || app.clock.now().today != self.basis.today {
            METRICS.cache_used(CacheUse::Stale);
            return None;
        }
        METRICS.cache_used(CacheUse::Hit);
        Some(self.response(request.request()))
    }

    fn response(&self, request: &HttpRequest) -> HttpResponse {
        let Self { basis: Basis { position: _, today: _, content_type, etag, body }, route: _, headers } =
            self;
        let is_known = etag::is_known(request, etag);
        let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        let mut response = HttpResponse::build(status);
        for (name, value) in headers {
            response.append_header((name.clone(), value.clone()));
        }
        if is_known {
            return response.finish();
        }
        response.insert_header((header::CONTENT_TYPE, content_type.clone()));
        response.body(body.clone())
    }
}
