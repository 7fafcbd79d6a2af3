//! Errors as the caller gets them: problem details (RFC 9457). One `match` without `_` gives each its status and type.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use domain::RuleError;
use domain::access::Refusal;
use persistence::StoreError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The address under which the kinds of problem are described. A constant of the contract, whatever the host.
pub const PROBLEM_TYPES: &str = "https://api.wijkaanzet.rotterdam.nl/problems/";

/// One thing wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InputError {
    /// Where it stands: `body`, `query`, `path` or `header`.
    #[serde(rename = "in")]
    #[schema(example = "body")]
    pub place: String,
    /// A JSON Pointer into the body, or the name of the parameter or header.
    #[schema(example = "/submittedOn")]
    pub location: String,
    /// Stable code for programs.
    #[schema(example = "date.format")]
    pub code: String,
    /// What to do about it.
    #[schema(example = "expected YYYY-MM-DD")]
    pub detail: String,
}

impl InputError {
    /// An error at a place.
    pub fn new(place: &str, location: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            location: location.into(),
            code: code.to_owned(),
            detail: detail.into(),
        }
    }
}

/// A problem (RFC 9457): what went wrong, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Stable address of the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "https://api.wijkaanzet.rotterdam.nl/problems/invalid-input")]
    pub kind: String,
    /// The HTTP status.
    #[schema(example = 400, minimum = 400, maximum = 599)]
    pub status: u16,
    /// The kind of problem in a few words.
    #[schema(example = "Invalid input")]
    pub title: String,
    /// What to do about it.
    #[schema(example = "Two fields are not valid.")]
    pub detail: String,
    /// The path that was asked.
    #[schema(example = "/v1/advice")]
    pub instance: String,
    /// The trace under which it stands in the logs.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    pub trace_id: String,
    /// All that is wrong with the request, at once.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<InputError>,
    /// Of what was withdrawn from publication: why. Public.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Of what was withdrawn from publication: when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub withdrawn_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// The kinds of problem that stand in the contract: code, status, title, what to do.
pub const KINDS: &[(&str, u16, &str, &str)] = &[
    (
        "invalid-input",
        400,
        "Invalid input",
        "Mend the fields that `errors` lists; all of them are listed at once, up to a hundred.",
    ),
    ("unauthenticated", 401, "Not authenticated", "Send a bearer token in the Authorization header."),
    ("invalid-token", 401, "Invalid token", "Get a new token from the issuer."),
    (
        "insufficient-scope",
        403,
        "Insufficient scope",
        "Ask for a token with the scope that WWW-Authenticate names.",
    ),
    (
        "not-yours",
        403,
        "Belongs to another",
        "The item belongs to another council or cluster than those of the token.",
    ),
    ("not-found", 404, "Not found", "There is nothing at this address, or nothing that you may know of."),
    ("method-not-allowed", 405, "Method not allowed", "Use one of the methods that Allow names."),
    (
        "not-acceptable",
        406,
        "Not acceptable",
        "Accept application/json, or one of the types that the contract names.",
    ),
    ("too-slow", 408, "Too slow", "Send the whole body within the time that a request may take."),
    ("conflict", 409, "Conflict", "What was asked is not open in the present state; `detail` says why."),
    (
        "gone",
        410,
        "Withdrawn from publication",
        "It was public and is no more; `reason` and `withdrawnAt` say why and since when.",
    ),
    (
        "cursor-gone",
        410,
        "Cursor of a history that is no more",
        "Drop what you hold and read the feed from the beginning, without `after`: the database was put back to an earlier state.",
    ),
    (
        "stale",
        412,
        "Changed since you read it",
        "Read the item again and repeat the change with its new ETag.",
    ),
    ("too-large", 413, "Too large", "Send a smaller body."),
    (
        "unsupported-media-type",
        415,
        "Unsupported media type",
        "Send the Content-Type that the contract names.",
    ),
    (
        "idempotency-mismatch",
        422,
        "Key used for another request",
        "Take a new Idempotency-Key for a new request.",
    ),
    ("if-match-required", 428, "If-Match required", "Send the ETag that you read as If-Match."),
    ("too-many-requests", 429, "Too many requests", "Wait as long as Retry-After says."),
    ("internal", 500, "Internal error", "Tell us the trace id; it is our fault."),
    ("unavailable", 503, "Temporarily unavailable", "Try again after as long as Retry-After says."),
];

/// Why a request is not answered as it was meant.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// All that is wrong with it.
    #[error("invalid input")]
    Invalid(Vec<InputError>),
    /// No token.
    #[error("no token")]
    Unauthenticated,
    /// A token that is no good, and why; the text leaks nothing.
    #[error("invalid token: {0}")]
    InvalidToken(&'static str),
    /// The token lacks one of these scopes.
    #[error("insufficient scope")]
    InsufficientScope(Vec<String>),
    /// Visible, but of another council or cluster.
    #[error("not yours")]
    NotYours,
    /// Nothing there that the caller may know of.
    #[error("not found")]
    NotFound,
    /// Wrong method; these are there.
    #[error("method not allowed")]
    MethodNotAllowed(String),
    /// The caller accepts nothing that we offer.
    #[error("not acceptable")]
    NotAcceptable,
    /// The body did not arrive within the time for a request.
    #[error("too slow")]
    TooSlow,
    /// Against the state.
    #[error("conflict: {0}")]
    Conflict(&'static str, String),
    /// Was public and is no more.
    #[error("gone")]
    Gone {
        /// The public reason.
        reason: String,
        /// Since when.
        at: chrono::DateTime<chrono::Utc>,
    },
    /// The cursor belongs to a history that is no more.
    #[error("cursor gone")]
    CursorGone,
    /// `If-Match` names an older version.
    #[error("stale")]
    Stale,
    /// The body is over this many bytes.
    #[error("too large")]
    TooLarge(usize),
    /// The Content-Type should be this.
    #[error("unsupported media type")]
    UnsupportedMediaType(&'static str),
    /// The key was used for another request.
    #[error("idempotency mismatch")]
    IdempotencyMismatch,
    /// `If-Match` is missing.
    #[error("if-match required")]
    PreconditionRequired,
    /// Over the limit; seconds to wait.
    #[error("too many requests")]
    TooManyRequests(u64),
    /// Something we need does not answer; seconds to wait.
    #[error("unavailable: {0}")]
    Unavailable(String, u64),
    /// Our fault; the cause is for the log.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<RuleError> for ApiError {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Invalid(errors) => Self::Invalid(
                errors
                    .into_iter()
                    .map(|error| InputError::new("body", error.location, error.code, error.detail))
                    .collect(),
            ),
            RuleError::Conflict { rule, detail } => Self::Conflict(rule, detail),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Scope(scope) => Self::InsufficientScope(vec![scope.as_str().to_owned()]),
            Refusal::NotYours => Self::NotYours,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::Stale,
            StoreError::Duplicate => Self::Conflict("duplicate", "It is there already.".to_owned()),
            StoreError::Busy => Self::Conflict(
                "still-running",
                "The first request with this Idempotency-Key is still being worked on; ask again.".to_owned(),
            ),
            StoreError::Unavailable(cause) => Self::Unavailable(cause, 2),
            StoreError::Malformed { .. } | StoreError::Database(_) | StoreError::Setting(_) => {
                Self::Internal(error.to_string())
            }
        }
    }
}

impl ApiError {
    /// One invalid input.
    pub fn invalid(place: &str, location: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![InputError::new(place, location, code, detail)])
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid-input",
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidToken(_) => "invalid-token",
            Self::InsufficientScope(_) => "insufficient-scope",
            Self::NotYours => "not-yours",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed(_) => "method-not-allowed",
            Self::NotAcceptable => "not-acceptable",
            Self::TooSlow => "too-slow",
            Self::Conflict(_, _) => "conflict",
            Self::Gone { .. } => "gone",
            Self::CursorGone => "cursor-gone",
            Self::Stale => "stale",
            Self::TooLarge(_) => "too-large",
            Self::UnsupportedMediaType(_) => "unsupported-media-type",
            Self::IdempotencyMismatch => "idempotency-mismatch",
            Self::PreconditionRequired => "if-match-required",
            Self::TooManyRequests(_) => "too-many-requests",
            Self::Unavailable(_, _) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// The problem, without the path and the trace: those are added where every answer passes.
    pub fn problem(&self) -> Problem {
        let mut problem = Problem::of_kind(self.kind());
        match self {
            Self::Invalid(errors) => {
                problem.detail = match errors.len() {
                    1 => "One input is not valid.".to_owned(),
                    many => format!("{many} inputs are not valid."),
                };
                problem.errors.clone_from(errors);
            }
            Self::InvalidToken(why) => problem.detail = format!("The token was refused: {why}."),
            Self::InsufficientScope(scopes) => {
                problem.detail = format!("This needs a token with the scope {}.", scopes.join(" or "));
            }
            Self::MethodNotAllowed(allow) => problem.detail = format!("Use one of: {allow}."),
            Self::Conflict(rule, detail) => {
                problem.detail.clone_from(detail);
                problem.errors = vec![InputError::new("state", "", rule, detail.clone())];
            }
            Self::Gone { reason, at } => {
                problem.reason = Some(reason.clone());
                problem.withdrawn_at = Some(*at);
            }
            Self::TooLarge(limit) => problem.detail = format!("The body may have {limit} bytes."),
            Self::UnsupportedMediaType(expected) => {
                problem.detail = format!("Send Content-Type: {expected}.")
            }
            Self::Unauthenticated
            | Self::NotYours
            | Self::NotFound
            | Self::NotAcceptable
            | Self::CursorGone
            | Self::TooSlow
            | Self::Stale
            | Self::IdempotencyMismatch
            | Self::PreconditionRequired
            | Self::TooManyRequests(_)
            | Self::Unavailable(_, _)
            | Self::Internal(_) => {}
        }
        problem
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        };
        match self {
            // The middleware knows our own address and completes the challenge.
            Self::Unauthenticated => put(header::WWW_AUTHENTICATE, "Bearer realm=\"wijkaanzet\"".to_owned()),
            Self::InvalidToken(why) => put(
                header::WWW_AUTHENTICATE,
                format!("Bearer realm=\"wijkaanzet\", error=\"invalid_token\", error_description=\"{why}\""),
            ),
            Self::InsufficientScope(scopes) => put(
                header::WWW_AUTHENTICATE,
                format!(
                    "Bearer realm=\"wijkaanzet\", error=\"insufficient_scope\", scope=\"{}\"",
                    scopes.first().map_or("", String::as_str)
                ),
            ),
            Self::MethodNotAllowed(allow) => put(header::ALLOW, allow.clone()),
            Self::UnsupportedMediaType(expected) if *expected == crate::incoming::MERGE_PATCH => {
                put(HeaderName::from_static("accept-patch"), (*expected).to_owned());
            }
            Self::TooManyRequests(seconds) | Self::Unavailable(_, seconds) => {
                put(header::RETRY_AFTER, seconds.to_string());
            }
            Self::Invalid(_)
            | Self::NotYours
            | Self::NotFound
            | Self::NotAcceptable
            | Self::TooSlow
            | Self::Conflict(_, _)
            | Self::Gone { .. }
            | Self::CursorGone
            | Self::Stale
            | Self::TooLarge(_)
            | Self::UnsupportedMediaType(_)
            | Self::IdempotencyMismatch
            | Self::PreconditionRequired
            | Self::Internal(_) => {}
        }
        headers
    }
}

impl Problem {
    /// A problem of a kind that [`KINDS`] lists.
    pub fn of_kind(code: &str) -> Self {
        let (code, status, title, detail) =
            KINDS.iter().find(|(known, ..)| *known == code).copied().unwrap_or(KINDS[KINDS.len() - 2]);
        Self {
            kind: format!("{PROBLEM_TYPES}{code}"),
            status,
            title: title.to_owned(),
            detail: detail.to_owned(),
            instance: String::new(),
            trace_id: String::new(),
            errors: Vec::new(),
            reason: None,
            withdrawn_at: None,
        }
    }

    /// The problem that fits a status which the framework gave.
    pub fn of_status(status: StatusCode) -> Self {
        let code = KINDS.iter().find(|(_, known, ..)| *known == status.as_u16()).map(|(code, ..)| *code);
        match code {
            Some(code) => Self::of_kind(code),
            None if status.is_client_error() => {
                Self { status: status.as_u16(), ..Self::of_kind("invalid-input") }
            }
            None => Self::of_kind("internal"),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// An empty answer that carries its problem; the middleware writes it out, with path and trace.
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Internal(cause) => tracing::error!(cause, "a request failed"),
            Self::Unavailable(cause, _) => tracing::warn!(cause, "a request had to be turned away"),
            _ => {}
        }
        self.unlogged()
    }
}

impl ApiError {
    /// The same answer without a line in the log: who is overrun has no time to write one for each.
    pub fn unlogged(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        for (name, value) in self.headers() {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self.problem());
        response
    }
}
