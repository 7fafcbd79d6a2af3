//! A request on its way in. The checks stand in a fixed order: 401, 403 scope, 400 path and query, 404, 403 not yours,
//! 415 and 413, 400 body, idempotency replay, 428, 412, 409.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{self, Bytes, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use chrono::NaiveDate;
use domain::access::{Caller, Grant, Scope};
use persistence::idempotency::{self, Known};
use persistence::{Position, Tx, hex};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::{App, Session};
use crate::auth::{self, Claims, TokenError};
use crate::clock::Now;
use crate::etag::{IfMatch, Version};
use crate::problem::ApiError;
use crate::seal::{JOURNAL_POSITION, Seal};
use crate::telemetry::{METRICS, log};
use crate::wire::{Client, Receiving, count_bearer};

/// The type of a merge patch (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON: &str = "application/json";

/// A request as it came.
pub struct Incoming {
    /// What every request needs.
    pub app: Arc<App>,
    /// The request itself.
    pub http: HttpRequest,
    now: Now,
    claims: Result<Option<Claims>, ApiError>,
    body: Result<Bytes, ApiError>,
}

impl FromRequest for Incoming {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    /// Takes the body in without an opinion: what is wrong with it is said in its turn. Of who has no valid token none is taken
    /// in: nothing that he may do has one, and so nobody keeps us waiting for it.
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let http = request.clone();
        let payload = web::Payload::from_request(request, payload);
        Box::pin(async move {
            let app = http
                .app_data::<Data<Arc<App>>>()
                .ok_or_else(|| ApiError::Internal("the app is not set up".to_owned()))?
                .get_ref()
                .clone();
            let now = app.clock.now();
            let claims = match refuse_token_in_query(http.query_string()) {
                Ok(()) => authenticate(&app, &http, now).await,
                Err(refused) => Err(refused),
            };
            let bearer = claims.as_ref().ok().and_then(Option::as_ref);
            let known = bearer.map(|claims| Client::of_token(&claims.client, &claims.sub));
            count_bearer(&http, known)?;
            let body = match (bearer, payload.await) {
                (None, _) => Ok(Bytes::new()),
                (Some(_), Err(_)) => Err(broken()),
                (Some(_), Ok(payload)) => take_in(&http, payload, app.limits.body).await?,
            };
            Ok(Self { app, http, now, claims, body })
        })
    }
}

fn broken() -> ApiError {
    ApiError::invalid("body", "", "syntax", "the body did not arrive whole")
}

async fn take_in(
    http: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<Result<Bytes, ApiError>, ApiError> {
    let receiving = Receiving::begin(http, limit)?;
    let body = match payload.to_bytes_limited(limit).await {
        Ok(whole) => whole.map_err(|_| broken()),
        Err(_) => Err(ApiError::TooLarge(limit)),
    };
    receiving.end(http)?;
    Ok(body)
}

/// A request whose caller is known and may call this operation.
pub struct Call {
    /// What every request needs, and the way to the database.
    pub app: Session,
    /// The request itself.
    pub http: HttpRequest,
    /// Who asks.
    pub caller: Caller,
    now: Now,
    must_be_made_anew: Cell<bool>,
    operation: &'static str,
    client: String,
    body: Result<Bytes, ApiError>,
}

impl Incoming {
    /// Authenticates the caller and checks the scope that the contract asks of this operation.
    pub async fn call(self, operation: &'static str) -> Result<Call, ApiError> {
        let Self { app, http, now, claims, body } = self;
        let (caller, client) = match claims? {
            None => (Caller::default(), String::new()),
            Some(claims) => {
                let Claims { sub, client, scopes, councils, clusters } = claims;
                let caller = Caller {
                    subject: Some(sub),
                    scopes: scopes.iter().filter_map(|scope| scope.parse::<Scope>().ok()).collect(),
                    councils: Grant::from_claim(&councils),
                    clusters: Grant::from_claim(&clusters),
                };
                (caller, client)
            }
        };
        let rules = app.contract.operation(operation)?;
        if !rules.anonymous {
            if caller.subject.is_none() {
                return Err(ApiError::Unauthenticated);
            }
            let holds = |scope: &String| scope.parse::<Scope>().is_ok_and(|scope| caller.has(scope));
            if !rules.scopes.is_empty() && !rules.scopes.iter().any(holds) {
                return Err(ApiError::InsufficientScope(rules.scopes.clone()));
            }
        }
        let app = Session::new(app.clone(), replica_from(&app, &http, &caller)?);
        Ok(Call { app, http, caller, now, must_be_made_anew: Cell::new(false), operation, client, body })
    }
}

/// From which entry of the journal on a replica is good enough for this request. Who names a position has come so far. Who may
/// write reads what is written to, unless he names one: he must find what he wrote a moment ago.
fn replica_from(app: &App, http: &HttpRequest, caller: &Caller) -> Result<Option<i64>, ApiError> {
    let unsaid = (!caller.may_write()).then_some(0);
    let Some(value) = http.headers().get(JOURNAL_POSITION) else { return Ok(unsaid) };
    let text = value.to_str().unwrap_or_default();
    match app.seal.open(text) {
        Some(position) => Ok(Some(position.sequence)),
        // Of a database that was there before: it says nothing of this one.
        None if Seal::looks_sealed(text) => Ok(None),
        None => Err(ApiError::invalid(
            "header",
            "Journal-Position",
            "position.foreign",
            "is none of ours; take it from an answer to a change, or from `next` of the feed",
        )),
    }
}

async fn authenticate(app: &Arc<App>, http: &HttpRequest, now: Now) -> Result<Option<Claims>, ApiError> {
    let mut values = http.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(refused(TokenError::Invalid("Authorization stands there twice")));
    }
    let value = value.to_str().map_err(|_| refused(TokenError::Invalid("it is not text")))?;
    let token = auth::bearer_from_header(value).map_err(refused)?.to_owned();
    let moment = now.moment.timestamp();
    let verified = match app.verifier.verify_from_cache(&token, moment) {
        Some(verified) => verified,
        None => verify_in_turn(app, token, moment).await?,
    };
    verified.map(Some).map_err(refused)
}

/// Judges a token for which keys may have to be fetched.
async fn verify_in_turn(
    app: &Arc<App>,
    token: String,
    moment: i64,
) -> Result<Result<Claims, TokenError>, ApiError> {
    let turn = app.verifier.turn().await;
    // Whoever had the turn before may have fetched them.
    if let Some(verified) = app.verifier.verify_from_cache(&token, moment) {
        return Ok(verified);
    }
    let verifier = app.verifier.clone();
    web::block(log::within(move || {
        // The thread keeps the turn: it works on when the request is given up.
        let _turn = turn;
        verifier.verify(&token, moment)
    }))
    .await
    .map_err(|_| ApiError::Unavailable("the pool of threads is gone".to_owned(), 2))
}

/// A query stands in logs and histories of browsers: it is no place for a token (RFC 6750, 2.3).
fn refuse_token_in_query(query: &str) -> Result<(), ApiError> {
    let Ok(pairs) = web::Query::<Vec<(String, String)>>::from_query(query) else {
        // What is wrong with a query is said in its turn.
        return Ok(());
    };
    if pairs.iter().any(|(name, _)| name == "access_token") {
        let detail = "a token belongs in the Authorization header only";
        return Err(ApiError::invalid("query", "access_token", "unknown", detail));
    }
    Ok(())
}

fn refused(error: TokenError) -> ApiError {
    METRICS.authentication_failed(match error {
        TokenError::Invalid(why) => why,
        TokenError::OtherScheme => "another scheme than Bearer",
        TokenError::Expired => "it has expired",
        TokenError::NoKeys => "no keys of the issuer can be had",
    });
    match error {
        TokenError::Invalid(why) => ApiError::InvalidToken(why),
        TokenError::OtherScheme => ApiError::Unauthenticated,
        TokenError::Expired => ApiError::InvalidToken("it has expired"),
        TokenError::NoKeys => ApiError::Unavailable(
            "no keys of the issuer can be had".to_owned(),
            auth::SECONDS_BETWEEN_FETCHES,
        ),
    }
}

/// A body that was checked, or what is wrong with it; said only when its turn has come.
pub struct Body<B> {
    checked: Result<B, ApiError>,
    hash: String,
}

impl<B> Body<B> {
    /// Goes on with what was checked so far.
    pub fn and_then<C>(self, next: impl FnOnce(B) -> Result<C, ApiError>) -> Body<C> {
        Body { checked: self.checked.and_then(next), hash: self.hash }
    }
}

impl Call {
    /// The one moment of this request. What is made from it is not kept: the next moment is another.
    pub fn now(&self) -> Now {
        self.make_anew();
        self.now
    }

    /// The day of this request.
    pub fn today(&self) -> NaiveDate {
        self.now.today
    }

    /// Says that the answer rests on more than what was read and the day of today, and so is not kept for others who ask the same.
    pub fn make_anew(&self) {
        self.must_be_made_anew.set(true);
    }

    /// Where the journal ended that the answer rests on, if that and the day are all it rests on, and everybody gets the same.
    pub fn rests_on(&self) -> Option<Position> {
        let is_the_same = self.caller.subject.is_none() && !self.must_be_made_anew.get();
        if is_the_same { self.app.read_at() } else { None }
    }

    /// A part of the path as an id.
    pub fn path_id(&self, name: &str) -> Result<Uuid, ApiError> {
        let text = self.path_text(name);
        // Only the usual spelling: one item has one address.
        match text.parse::<Uuid>() {
            Ok(id) if id.to_string() == text => Ok(id),
            _ => Err(ApiError::invalid(
                "path",
                name,
                "uuid.format",
                "expected a UUID in lower case, with hyphens",
            )),
        }
    }

    /// A part of the path as text. With control characters it names nothing, and a database need not be asked for it.
    pub fn path_text(&self, name: &str) -> String {
        let text = self.http.match_info().get(name).unwrap_or_default();
        if text.chars().any(char::is_control) { String::new() } else { text.to_owned() }
    }

    /// The query, checked against the contract.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        self.app.contract.operation(self.operation)?.query(self.http.query_string())
    }

    /// Refuses any query key on an operation that has none.
    pub fn no_query(&self) -> Result<(), ApiError> {
        #[derive(Deserialize)]
        struct Nothing {}
        self.query::<Nothing>().map(|_| ())
    }

    /// The body, checked against the contract but for the state.
    pub fn body<B: DeserializeOwned>(&self) -> Body<B> {
        let checked = self.json().and_then(|value| self.check(value));
        Body { checked, hash: self.hash() }
    }

    /// The body of a merge patch, as it came: it is checked once it is merged.
    pub fn patch(&self) -> Body<serde_json::Value> {
        let checked = self.typed(MERGE_PATCH).and_then(|body| parse(&body)).and_then(|value| match value {
            serde_json::Value::Object(_) => Ok(value),
            _ => Err(ApiError::invalid("body", "", "type", "expected object")),
        });
        Body { checked, hash: self.hash() }
    }

    /// Checks a value against the schema of this operation's body.
    pub fn check<B: DeserializeOwned>(&self, value: serde_json::Value) -> Result<B, ApiError> {
        let schema =
            self.app.contract.operation(self.operation)?.body.as_deref().ok_or_else(|| {
                ApiError::Internal(format!("{} has no body in the contract", self.operation))
            })?;
        self.app.contract.body(schema, value)
    }

    fn json(&self) -> Result<serde_json::Value, ApiError> {
        self.typed(JSON).and_then(|body| parse(&body))
    }

    /// A request without a body: whatever was sent is refused.
    pub fn no_body(&self) -> Body<()> {
        let checked = match &self.body {
            Ok(body) if body.is_empty() => Ok(()),
            Ok(_) => Err(ApiError::invalid("body", "", "unknown", "this operation takes no body")),
            Err(error) => Err(again(error)),
        };
        Body { checked, hash: self.hash() }
    }

    fn typed(&self, expected: &'static str) -> Result<Bytes, ApiError> {
        let sent = self.http.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut parts = sent.unwrap_or_default().split(';').map(str::trim);
        let fits = parts.next().is_some_and(|media| media.eq_ignore_ascii_case(expected))
            && parts.all(|parameter| {
                parameter.is_empty() || parameter.to_ascii_lowercase().replace('"', "") == "charset=utf-8"
            });
        if !fits {
            return Err(ApiError::UnsupportedMediaType(expected));
        }
        match &self.body {
            Ok(body) => Ok(body.clone()),
            Err(error) => Err(again(error)),
        }
    }

    /// What identifies the request to a retry: method, path and body.
    fn hash(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(self.http.method().as_str());
        digest.update([0]);
        digest.update(self.http.path());
        digest.update([0]);
        if let Ok(body) = &self.body {
            digest.update(body);
        }
        hex(&digest.finalize())
    }

    /// Who acts, for the journal.
    pub fn actor(&self) -> String {
        self.caller.subject.clone().unwrap_or_default()
    }

    /// What writing needs, apart from the request itself, which stays on its own thread.
    pub fn writing<B>(self, body: Body<B>) -> Result<Writing<B>, ApiError> {
        let key = idempotency_key(&self.http)?;
        let if_match = IfMatch::of(&self.http);
        Ok(Writing {
            caller: self.caller,
            now: self.now,
            client: self.client,
            key,
            if_match,
            hash: body.hash,
            body: body.checked,
        })
    }
}

fn again(error: &ApiError) -> ApiError {
    match error {
        ApiError::TooLarge(limit) => ApiError::TooLarge(*limit),
        _ => broken(),
    }
}

fn parse(body: &[u8]) -> Result<serde_json::Value, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("is not JSON, seen at line {} column {}", error.line(), error.column());
        ApiError::invalid("body", "", "json.syntax", place)
    })
}

fn idempotency_key(http: &HttpRequest) -> Result<Option<String>, ApiError> {
    let Some(value) = http.headers().get("idempotency-key") else { return Ok(None) };
    let fault =
        || ApiError::invalid("header", "Idempotency-Key", "uuid.format", "expected a UUID, between quotes");
    let text = value.to_str().map_err(|_| fault())?.trim();
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    inner.parse::<Uuid>().map(|key| Some(key.to_string())).map_err(|_| fault())
}

/// A change on its way into the database.
pub struct Writing<B> {
    /// Who asks.
    pub caller: Caller,
    /// The moment.
    pub now: Now,
    client: String,
    key: Option<String>,
    if_match: IfMatch,
    hash: String,
    body: Result<B, ApiError>,
}

/// An answer to a change, as it is sent and as a retry gets it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The ETag of what was written.
    pub etag: Option<String>,
    /// The path of what was made.
    pub location: Option<String>,
    /// The body, as text.
    pub body: String,
    /// Where the journal stands after the change.
    #[serde(skip)]
    pub position: Option<Position>,
}

impl<B> Writing<B> {
    /// The checks that stand after the right to the item: body, replay, precondition. Then the work, whose answer is kept.
    /// `version` is what `If-Match` must name, where there is something to match.
    pub fn run(
        self,
        tx: &mut Tx<'_>,
        version: Option<Version>,
        work: impl FnOnce(&mut Tx<'_>, B, &Caller, Now) -> Result<Answer, ApiError>,
    ) -> Result<Answer, ApiError> {
        let Self { caller, now, client, key, if_match, hash, body } = self;
        let body = body?;
        // Keys are per client and per person: nobody reads another's answer.
        let owner = format!("{client}\u{1f}{}", caller.subject.clone().unwrap_or_default());
        if let Some(key) = &key {
            match idempotency::begin(tx, &owner, key, &hash, now.moment)? {
                Known::Fresh => {}
                Known::OtherRequest => return Err(ApiError::IdempotencyMismatch),
                Known::Answered(answer) => {
                    let mut answer: Answer = serde_json::from_str(&answer)
                        .map_err(|error| ApiError::Internal(error.to_string()))?;
                    answer.position = Some(tx.position()?);
                    return Ok(answer);
                }
            }
        }
        if let Some(version) = version {
            if_match.require(version)?;
        }
        let mut answer = work(tx, body, &caller, now)?;
        answer.position = Some(tx.position()?);
        if let Some(key) = &key {
            let text =
                serde_json::to_string(&answer).map_err(|error| ApiError::Internal(error.to_string()))?;
            idempotency::keep(tx, &owner, key, &text)?;
        }
        Ok(answer)
    }

    /// Whether `If-Match` was sent, for what may be made or replaced.
    pub fn has_if_match(&self) -> bool {
        self.if_match.is_given()
    }
}

impl Answer {
    /// An answer with a body.
    pub fn json<T: Serialize>(status: u16, etag: Option<String>, body: &T) -> Result<Self, ApiError> {
        let body = serde_json::to_string(body).map_err(|error| ApiError::Internal(error.to_string()))?;
        Ok(Self { status, etag, location: None, body, position: None })
    }

    /// Nothing more to say.
    pub fn empty() -> Self {
        Self { status: 204, etag: None, location: None, body: String::new(), position: None }
    }

    /// At this path.
    pub fn at(mut self, path: String) -> Self {
        self.location = Some(path);
        self
    }

    /// As it is sent. `Location` is our own public address with the path.
    pub fn into_response(self, app: &App) -> HttpResponse {
        let status = actix_web::http::StatusCode::from_u16(self.status)
            .unwrap_or(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        if let Some(etag) = self.etag {
            response.insert_header((header::ETAG, etag));
        }
        if let Some(path) = self.location {
            response.insert_header((header::LOCATION, format!("{}{path}", app.public_url)));
        }
        if let Some(position) = self.position {
            response.insert_header((JOURNAL_POSITION, app.seal.close(position)));
        }
        if self.body.is_empty() { response.finish() } else { response.content_type(JSON).body(self.body) }
    }
}
