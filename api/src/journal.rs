//! The journal for an auditor outside: entries as they are hashed, and the hash of each day, which everybody may keep.

use actix_web::HttpResponse;
use chrono::{DateTime, NaiveDate, Utc};
use domain::access::Scope;
use domain::calendar::is_supported;
use persistence::journal::{self, Asked, Entry};
use persistence::roots::{self, Root};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::csv::Column;
use crate::history::MOST_CHARACTERS;
use crate::incoming::Incoming;
use crate::paging::{self, CsvDialect, Cursor, DEFAULT_LIMIT, Format, Page, to_value};
use crate::problem::{ApiError, InputError};

/// An entry of the journal (logboek), as it is hashed.
///
/// `hash` is the SHA-256, in lower-case hexadecimals, of the UTF-8 text of a JSON array without blanks: `[sequence, microseconds, actor, reason, resource, item, version, event, snapshot, audienceBefore, audienceAfter, seenFrom, previousHash]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalEntry {
    /// Its number, without gaps.
    pub sequence: i64,
    /// When it was written.
    pub moment: DateTime<Utc>,
    /// The same moment as it is hashed: microseconds since 1970-01-01T00:00Z.
    pub microseconds: i64,
    /// Who wrote it: the token's `sub`, or a command.
    pub actor: String,
    /// Why, where the caller said so.
    pub reason: Option<String>,
    /// What kind of thing changed, such as `advice`.
    pub resource: String,
    /// Its id or code.
    pub item: String,
    /// Its version after the change.
    pub version: i64,
    /// What happened, such as `receipt`.
    pub event: String,
    /// The whole item as it then was: the very text that was stored and hashed.
    pub snapshot: String,
    /// The keys of those who could see it before, each between bars.
    pub audience_before: String,
    /// The keys of those who can see it after.
    pub audience_after: String,
    /// The narrowest view that sees a difference: `public`, `own` or `internal`.
    pub seen_from: String,
    /// The hash of the entry before; empty of the first.
    pub previous_hash: String,
    /// The hash of this one.
    pub hash: String,
}

impl From<Entry> for JournalEntry {
    fn from(entry: Entry) -> Self {
        let (moment, microseconds) = (entry.at(), entry.microseconds());
        let Entry {
            sequence,
            actor,
            reason,
            resource,
            item,
            version,
            event,
            snapshot,
            audience_before,
            audience_after,
            seen_from,
            previous_hash,
            hash,
            ..
        } = entry;
        Self {
            sequence,
            moment,
            microseconds,
            actor,
            reason,
            resource,
            item,
            version,
            event,
            snapshot,
            audience_before,
            audience_after,
            seen_from,
            previous_hash,
            hash,
        }
    }
}

/// A page of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalList {
    /// The entries, oldest first.
    pub items: Vec<JournalEntry>,
    /// The address of the next page; null on the last.
    pub next: Option<String>,
}

/// What the journal can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct JournalQuery {
    /// Only entries after the one with this number.
    #[param(required = false, minimum = 0)]
    after: Option<i64>,
    /// Entries on a page. It has fewer where they are large.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Where the page begins; take it from `next`.
    #[param(required = false, min_length = 1, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// Only about things of this kind, such as `advice`.
    #[param(required = false, min_length = 1, max_length = 50, example = "advice")]
    resource: Option<String>,
    /// Only about the item with this id or code.
    #[param(required = false, min_length = 1, max_length = 700)]
    item: Option<String>,
    /// Only what this actor wrote: the token's `sub`, or a command.
    #[param(required = false, min_length = 1, max_length = 300)]
    actor: Option<String>,
    /// Only what was written on this day in Amsterdam or later.
    #[param(required = false)]
    from: Option<NaiveDate>,
    /// Only what was written on this day in Amsterdam or before.
    #[param(required = false)]
    to: Option<NaiveDate>,
}

fn days(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Vec<InputError> {
    let mut errors = Vec::new();
    for (name, day) in [("from", from), ("to", to)] {
        if day.is_some_and(|day| !is_supported(day)) {
            errors.push(InputError::new("query", name, "date.range", "lies outside the calendar"));
        }
    }
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        errors.push(InputError::new("query", "to", "date.order", "lies before from"));
    }
    errors
}

/// The journal (logboek): every change with the whole item, exactly as it was hashed.
///
/// Whoever reads it from the first entry to the last can compute every hash again, and compare the last one of each day with the
/// published roots at `/journal-roots`.
#[utoipa::path(get, path = "/journal", operation_id = "listJournal", tag = "audit", params(JournalQuery),
    responses((status = 200, description = "A page of entries, oldest first.", body = JournalList)),
    security(("bearer" = ["audit:read"])))]
pub async fn list_journal(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listJournal").await?;
    let JournalQuery { after, limit, cursor, resource, item, actor, from, to } = call.query()?;
    paging::accepted(&call, &["application/json"])?;
    let mut errors = days(from, to);
    if let Some(resource) = &resource {
        let known = journal::resources();
        if !known.contains(&resource.as_str()) {
            let detail = format!("is not known here; known are: {}", known.join(", "));
            errors.push(InputError::new("query", "resource", "unknown", detail));
        }
    }
    if !errors.is_empty() {
        return Err(ApiError::Invalid(errors));
    }
    let cursor = Cursor::read(&call, cursor.as_deref(), 1)?;
    let walked = cursor.and_then(|cursor| cursor.values.first().copied());
    let asked = Asked { after: walked.or(after).unwrap_or(0), resource, item, actor, from, to };
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let app = call.app.clone();
    let (entries, more) = app
        .read(move |_, connection| Ok(journal::asked(connection, &asked, limit, MOST_CHARACTERS)?))
        .await?;
    let end = if more { entries.last().map(|entry| entry.sequence) } else { None };
    let next = end.map(|sequence| Cursor::new(&call, call.today(), vec![sequence], String::new(), false));
    let items = entries.into_iter().map(|entry| to_value(&JournalEntry::from(entry)));
    let page = Page { items: items.collect::<Result<_, _>>()?, next, total: None };
    paging::answer(&call, &app.public_url, page, &[], None)
}

/// The root of a day (dagelijkse wortel): the hash of its last entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalRoot {
    /// The day in Amsterdam.
    pub day: NaiveDate,
    /// The hash of the last entry of that day; it covers every entry before it.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: String,
    /// The number of that entry; only with the scope `audit:read`, for it counts what is not public too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub sequence: Option<i64>,
}

/// A page of daily roots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalRootList {
    /// The roots, in order of day.
    pub items: Vec<JournalRoot>,
    /// The address of the next page; null on the last.
    pub next: Option<String>,
}

/// What the list of roots can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct JournalRootQuery {
    /// From this day on.
    #[param(required = false)]
    from: Option<NaiveDate>,
    /// Up to and including this day.
    #[param(required = false)]
    to: Option<NaiveDate>,
    /// Items on a page.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Where the page begins; take it from `next`.
    #[param(required = false, min_length = 1, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// JSON or CSV; without it `Accept` decides.
    #[param(required = false)]
    format: Option<Format>,
    /// The dialect of CSV; it implies `format=csv`.
    #[param(required = false)]
    csv: Option<CsvDialect>,
}

const ROOTS: [Column; 3] = [Column("day", "/day"), Column("hash", "/hash"), Column("sequence", "/sequence")];

/// The daily roots of the journal (dagelijkse wortels): of each day on which something was written, the hash of its last entry.
///
/// A day appears an hour after it is over, and its root never changes. Keep them: who has a root can prove later that nothing up to
/// that day was rewritten. A day on which nothing was written has none.
#[utoipa::path(get, path = "/journal-roots", operation_id = "listJournalRoots", tag = "audit", params(JournalRootQuery),
    responses((status = 200, description = "A page of roots.", content(
        (JournalRootList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_journal_roots(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listJournalRoots").await?;
    let JournalRootQuery { from, to, limit, cursor, format, csv } = call.query()?;
    let style = paging::wanted(&call, format, csv)?;
    let errors = days(from, to);
    if !errors.is_empty() {
        return Err(ApiError::Invalid(errors));
    }
    let after = match Cursor::read(&call, cursor.as_deref(), 0)? {
        None => None,
        Some(cursor) => {
            let foreign = "is not a cursor of this list; take it from `next`";
            let day = cursor.id.parse().ok().filter(|day| is_supported(*day));
            Some(day.ok_or_else(|| ApiError::invalid("query", "cursor", "cursor.foreign", foreign))?)
        }
    };
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let (app, now) = (call.app.clone(), call.now());
    let mut found = app
        .on_primary()
        .read(move |_, connection| Ok(roots::list(connection, now.moment, after, (from, to), limit + 1)?))
        .await?;
    let more = found.len() as i64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(0));
    let last = found.last().filter(|_| more);
    let next = last.map(|last| Cursor::new(&call, now.today, Vec::new(), last.day.to_string(), false));
    let counts = call.caller.has(Scope::AuditRead);
    let items = found.into_iter().map(|Root { day, sequence, moment: _, hash }| {
        to_value(&JournalRoot { day, hash, sequence: counts.then_some(sequence) })
    });
    let page = Page { items: items.collect::<Result<_, _>>()?, next, total: None };
    paging::answer(&call, &app.public_url, page, &ROOTS, style)
}
