//! Entity tags. An item's covers version, day, audience and body: a term turns at midnight without a write, and two readers with
//! the same view may not be shown the same links. `If-Match` compares the version alone.

use actix_web::HttpRequest;
use actix_web::http::header;
use chrono::NaiveDate;
use domain::access::View;
use persistence::hex;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::problem::ApiError;

/// The tag of an item as this reader sees it on this day.
pub fn of_item(version: i64, on: NaiveDate, body: &[u8], view: View) -> String {
    format!("\"{version}.{on}.{}.{}\"", short(body), view.as_str())
}

/// What is sent, and what its tag is made from.
pub fn body_of<T: Serialize>(shown: &T) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(shown).map_err(|error| ApiError::Internal(error.to_string()))
}

/// The tag of an item that looks the same every day to everybody.
pub fn of_version(version: i64) -> String {
    format!("\"{version}\"")
}

/// The tag of a body that has no version, such as a list.
pub fn of_body(body: &[u8]) -> String {
    format!("\"{}\"", short(body))
}

fn short(body: &[u8]) -> String {
    hex(&Sha256::digest(body)[..16])
}

/// Whether `If-None-Match` names this tag: then the caller has it already.
pub fn is_known(request: &HttpRequest, etag: &str) -> bool {
    request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}

/// The version that `If-Match` must name: as this caller counts it, for a view counts only the changes that it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: i64,
    /// The view that counts, where views count apart.
    pub view: Option<View>,
}

impl Version {
    /// A weak tag never matches (RFC 9110, 13.1.1).
    fn is_named_by(self, tag: &str) -> bool {
        let Some(inner) = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) else { return false };
        let number = inner.split('.').next().and_then(|number| number.parse().ok());
        let same_view = self.view.is_none_or(|view| inner.rsplit('.').next() == Some(view.as_str()));
        number == Some(self.number) && same_view
    }
}

/// What the caller says it read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Option<String>);

impl IfMatch {
    /// From the request.
    pub fn of(request: &HttpRequest) -> Self {
        let values = request.headers().get_all(header::IF_MATCH);
        let lines: Vec<&str> = values.map(|value| value.to_str().unwrap_or_default()).collect();
        Self((!lines.is_empty()).then(|| lines.join(",")))
    }

    /// Refuses a change of another version than the one that was read: missing 428, another 412.
    pub fn require(&self, read: Version) -> Result<(), ApiError> {
        let Some(tags) = &self.0 else { return Err(ApiError::PreconditionRequired) };
        let matches = tags.split(',').map(str::trim).any(|tag| read.is_named_by(tag));
        if matches { Ok(()) } else { Err(ApiError::Stale) }
    }

    /// Whether the header was sent.
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }
}
