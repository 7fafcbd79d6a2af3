//! Lists on their way out: pages with a cursor, and the very same rows as CSV.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, Utc};
use persistence::hex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::csv::{self, Column, Style};
use crate::etag;
use crate::incoming::Call;
use crate::problem::ApiError;
use crate::wire::{self, Basis};

/// The type of CSV that is sent.
pub const CSV_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// What a row of a list usually takes as JSON, in bytes: for so much room is made at once.
const USUAL_ROW: usize = 2560;

/// How many items a page has when the caller does not say.
pub const DEFAULT_LIMIT: i64 = 100;

/// The form of a list (vorm).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `application/json`
    Json,
    /// `text/csv`
    Csv,
}

/// The dialect of CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CsvDialect {
    /// Comma and decimal point, as RFC 4180 has it.
    Rfc4180,
    /// Semicolon, decimal comma and a byte order mark, as a Dutch Excel opens it.
    NlExcel,
}

/// An item that is gone for this caller; only in a list with `modifiedSince`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tombstone {
    /// The id of the item.
    pub id: String,
    /// Always true.
    pub deleted: bool,
    /// Since when.
    pub modified_at: DateTime<Utc>,
}

/// What a cursor holds: where the next page begins, and of which list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The list: a hash of path and filters, so that a cursor of another list is refused.
    list: String,
    /// The reference day on which the first page was made: a walk over midnight stays on it.
    pub on: NaiveDate,
    /// The sort values of the last item.
    pub values: Vec<i64>,
    /// The id of the last item.
    pub id: String,
    /// Whether the items are through, and those that are gone follow.
    pub lost: bool,
}

impl Cursor {
    /// Where the next page of this list begins.
    pub fn new(call: &Call, on: NaiveDate, values: Vec<i64>, id: String, lost: bool) -> Self {
        Self { list: list_of(call), on, values, id, lost }
    }

    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads the cursor of this request, if it has one. Another list's is refused.
    pub fn read(call: &Call, text: Option<&str>, keys: usize) -> Result<Option<Self>, ApiError> {
        let Some(text) = text else { return Ok(None) };
        let foreign = || {
            ApiError::invalid(
                "query",
                "cursor",
                "cursor.foreign",
                "is not a cursor of this list; take it from `next`",
            )
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| foreign())?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| foreign())?;
        let whole = cursor.list == list_of(call)
            && cursor.values.len() == keys
            && cursor.id.len() <= 700
            && !cursor.id.chars().any(char::is_control);
        let day_known = domain::calendar::is_supported(cursor.on);
        if whole && day_known { Ok(Some(cursor)) } else { Err(foreign()) }
    }
}

/// What makes this list another than any other: the path and the query, but for where and how long the page is.
fn list_of(call: &Call) -> String {
    let mut pairs: Vec<(String, String)> = pairs_of(call)
        .into_iter()
        .filter(|(name, _)| !matches!(name.as_str(), "cursor" | "limit" | "count" | "format" | "csv"))
        .collect();
    pairs.sort();
    let digest = Sha256::digest(format!("{}{pairs:?}", call.http.path()).as_bytes());
    hex(&digest[..8])
}

fn pairs_of(call: &Call) -> Vec<(String, String)> {
    actix_web::web::Query::<Vec<(String, String)>>::from_query(call.http.query_string())
        .map(actix_web::web::Query::into_inner)
        .unwrap_or_default()
}

/// One page of a list.
pub struct Page<T = Value> {
    /// The rows, as they become JSON.
    pub items: Vec<T>,
    /// Where the next page begins; none on the last.
    pub next: Option<Cursor>,
    /// How many rows the whole list has, where the caller asked.
    pub total: Option<i64>,
}

/// A row of a list: what JSON is made of, or JSON that was made before.
pub trait Row {
    /// Writes its JSON.
    fn write(&self, json: &mut Vec<u8>) -> Result<(), ApiError>;
    /// The same as a value.
    fn value(&self) -> Result<Value, ApiError>;
}

impl<T: Serialize> Row for T {
    fn write(&self, json: &mut Vec<u8>) -> Result<(), ApiError> {
        serde_json::to_writer(json, self).map_err(|error| ApiError::Internal(error.to_string()))
    }

    fn value(&self) -> Result<Value, ApiError> {
        to_value(self)
    }
}

/// A page as JSON.
fn envelope<T: Row>(items: &[T], next: Option<&str>, total: Option<i64>) -> Result<Vec<u8>, ApiError> {
    let mut json = Vec::with_capacity(items.len() * USUAL_ROW);
    json.extend_from_slice(b"{\"items\":[");
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            json.push(b',');
        }
        item.write(&mut json)?;
    }
    json.extend_from_slice(b"],\"next\":");
    next.write(&mut json)?;
    if let Some(total) = total {
        json.extend_from_slice(b",\"total\":");
        total.write(&mut json)?;
    }
    json.push(b'}');
    Ok(json)
}

/// Which form of a list the caller wants: `format` first, then `Accept`.
pub fn wanted(
    call: &Call,
    format: Option<Format>,
    dialect: Option<CsvDialect>,
) -> Result<Option<Style>, ApiError> {
    let csv = match (format, dialect) {
        (Some(Format::Csv), _) | (None, Some(_)) => true,
        (Some(Format::Json), _) => false,
        (None, None) => accepted(call, &["application/json", "text/csv"])? == "text/csv",
    };
    Ok(csv.then_some(match dialect {
        Some(CsvDialect::NlExcel) => Style::DutchExcel,
        Some(CsvDialect::Rfc4180) | None => Style::Rfc4180,
    }))
}

/// The first of our offers that the caller likes best; refused where it accepts none (RFC 9110, 12.5.1).
pub fn accepted<'o>(call: &Call, offers: &[&'o str]) -> Result<&'o str, ApiError> {
    let header: Vec<&str> =
        call.http.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    let header = header.join(",");
    if header.trim().is_empty() {
        return offers.first().copied().ok_or(ApiError::NotAcceptable);
    }
    let ranges: Vec<(&str, f32)> = header
        .split(',')
        .map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            let weight = parts
                .find_map(|parameter| parameter.strip_prefix("q="))
                .map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            (media, weight)
        })
        .collect();
    let weight_of = |offer: &str| {
        let family = offer.split('/').next().unwrap_or_default();
        ranges
            .iter()
            .filter_map(|(media, weight)| {
                let closeness = if media.eq_ignore_ascii_case(offer) {
                    2
                } else if *media == format!("{family}/*") {
                    1
                } else if *media == "*/*" {
                    0
                } else {
                    return None;
                };
                Some((closeness, *weight))
            })
            .max_by_key(|(closeness, _)| *closeness)
            .map_or(0.0, |(_, weight)| weight)
    };
    let mut best: Option<(&str, f32)> = None;
    for offer in offers {
        let weight = weight_of(offer);
        if weight > 0.0 && best.is_none_or(|(_, highest)| weight > highest) {
            best = Some((offer, weight));
        }
    }
    best.map(|(offer, _)| offer).ok_or(ApiError::NotAcceptable)
}

/// Sends a page, as JSON or as the same rows in CSV.
pub fn answer<T: Row>(
    call: &Call,
    public_url: &str,
    page: Page<T>,
    columns: &[Column],
    style: Option<Style>,
) -> Result<HttpResponse, ApiError> {
    let Page { items, next, total } = page;
    let next = next.map(|cursor| address(call, public_url, Some(&cursor.encode())));
    let first = address(call, public_url, None);
    let mut link = format!("<{first}>; rel=\"first\"");
    if let Some(next) = &next {
        link.push_str(&format!(", <{next}>; rel=\"next\""));
    }
    let (content_type, body) = match style {
        Some(style) => {
            let rows: Vec<Value> = items.iter().map(Row::value).collect::<Result<_, _>>()?;
            (CSV_TYPE, csv::render(columns, &rows, style)?)
        }
        None => ("application/json", envelope(&items, next.as_deref(), total)?),
    };
    Ok(readable(call, etag::of_body(&body), content_type, body, Some(link)))
}

/// Sends what was read: not again to who has it, and to be kept only where it is public. Of what everybody gets the same of, the
/// wire keeps a copy.
pub fn readable(
    call: &Call,
    etag: String,
    content_type: &str,
    mut body: Vec<u8>,
    link: Option<String>,
) -> HttpResponse {
    // It may be kept, and then for no more than it is.
    body.shrink_to_fit();
    let body = Bytes::from(body);
    if let (Some(position), Ok(content_type)) = (call.rests_on(), HeaderValue::from_str(content_type)) {
        let (etag, body) = (etag.clone(), body.clone());
        wire::may_keep(&call.http, Basis { position, today: call.today(), content_type, etag, body });
    }
    let mut response =
        if etag::is_known(&call.http, &etag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, etag.clone()));
    response.insert_header((header::VARY, "Accept, Authorization"));
    if call.caller.subject.is_none() {
        response.insert_header((header::CACHE_CONTROL, "public, max-age=0, must-revalidate"));
    }
    if let Some(link) = link {
        response.insert_header((header::LINK, link));
    }
    if etag::is_known(&call.http, &etag) {
        response.finish()
    } else {
        response.content_type(content_type).body(body)
    }
}

/// Sends an item that was read.
pub fn item<T: Serialize>(call: &Call, etag: String, item: &T) -> Result<HttpResponse, ApiError> {
    let body = serde_json::to_vec(item).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(readable(call, etag, "application/json", body, None))
}

/// The address of a page of this list, all filters kept.
fn address(call: &Call, public_url: &str, cursor: Option<&str>) -> String {
    let pairs = pairs_of(call)
        .into_iter()
        .filter(|(name, _)| name != "cursor")
        .chain(cursor.map(|cursor| ("cursor".to_owned(), cursor.to_owned())));
    let query: Vec<String> =
        pairs.map(|(name, value)| format!("{}={}", escaped(&name), escaped(&value))).collect();
    let path = call.http.path();
    if query.is_empty() {
        format!("{public_url}{path}")
    } else {
        format!("{public_url}{path}?{}", query.join("&"))
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b',' | b':' => {
                escaped.push(char::from(byte));
            }
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

/// A list that is small and read whole: filtered before, here sorted by code and cut into pages.
pub fn page_of<T: Serialize>(
    call: &Call,
    items: Vec<(String, DateTime<Utc>, T)>,
    query: &SmallListQuery,
) -> Result<Page, ApiError> {
    let cursor = Cursor::read(call, query.cursor.as_deref(), 0)?;
    let mut items: Vec<_> = items
        .into_iter()
        .filter(|(_, modified_at, _)| query.modified_since.is_none_or(|since| *modified_at >= since))
        .collect();
    items.sort_by(|a, b| a.0.cmp(&b.0));
    let total = query.count.unwrap_or(false).then_some(i64::try_from(items.len()).unwrap_or(i64::MAX));
    let limit = usize::try_from(query.limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(1);
    let after = cursor.as_ref().map(|cursor| cursor.id.as_str()).unwrap_or_default();
    let mut rest = items.into_iter().filter(|(code, _, _)| cursor.is_none() || code.as_str() > after);
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let next = match (rest.next(), page.last()) {
        (Some(_), Some((last, _, _))) => {
            Some(Cursor::new(call, call.today(), Vec::new(), last.clone(), false))
        }
        _ => None,
    };
    let items = page.iter().map(|(_, _, item)| to_value(item)).collect::<Result<_, _>>()?;
    Ok(Page { items, next, total })
}

/// The query keys that every list has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SmallListQuery {
    /// Items on a page.
    pub limit: Option<i64>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Whether to count the whole list.
    pub count: Option<bool>,
    /// Changed at or after.
    pub modified_since: Option<DateTime<Utc>>,
    /// JSON or CSV.
    pub format: Option<Format>,
    /// The dialect of CSV.
    pub csv: Option<CsvDialect>,
}

/// As JSON.
pub fn to_value<T: Serialize>(item: &T) -> Result<Value, ApiError> {
    serde_json::to_value(item).map_err(|error| ApiError::Internal(error.to_string()))
}
