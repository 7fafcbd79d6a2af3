//! The feed: the journal as its reader may see it. Read from the start it rebuilds exactly what that reader can see.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Caller, View, view_among};
use domain::advice::Advice;
use domain::ids::AdviceId;
use persistence::journal::{self, Glance, holds_key};
use persistence::{AnyConnection, Position, advice, advice_request, dossier};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::advice::{AdviceView, Showing};
use crate::app::{App, Reading, Session};
use crate::incoming::{Call, Incoming};
use crate::paging::{self, DEFAULT_LIMIT, to_value};
use crate::problem::ApiError;
use crate::registry;
use crate::seal::Seal;

/// Where the feed goes on.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// Go on after this cursor; take it from `next`. From the beginning when left out.
    #[param(required = false, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    after: Option<String>,
    /// Changes on a page, at most.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Seconds to wait for a change when there is none yet; the answer comes with the first, or empty when the time is over. At once
    /// when left out.
    #[param(required = false, minimum = 0, maximum = 30)]
    wait: Option<u64>,
}

/// One change that the caller may see.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What kind of thing changed: `advice`, `council`, `term-rule` …
    #[schema(example = "advice")]
    pub resource: String,
    /// Its id or code.
    pub id: String,
    /// When.
    pub modified_at: DateTime<Utc>,
    /// Whether it is gone for this caller from here on.
    pub deleted: bool,
    /// The item as far as the caller may see it, as it is at the time of reading; null where it is gone.
    #[schema(value_type = Option<Object>, additional_properties = true)]
    pub item: Option<Item>,
}

/// An item on a page of changes. Many entries are of the same advice, which is shown once.
#[derive(Debug, Clone)]
pub enum Item {
    /// An advice.
    Advice(Arc<AdviceView>),
    /// Anything else.
    Other(serde_json::Value),
}

impl Serialize for Item {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Advice(advice) => AdviceView::serialize(advice, serializer),
            Self::Other(other) => other.serialize(serializer),
        }
    }
}

/// A page of changes, in the order in which they were written.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeList {
    /// The changes, oldest first.
    pub items: Vec<Change>,
    /// Where to go on; never null, for there is always a later.
    pub next: String,
    /// Whether more changes may be there already.
    pub more: bool,
}

/// How many entries of the journal one request looks through.
const SCAN: i64 = 1000;

/// How many of them it reads at once, at least.
const FEWEST: usize = 100;

/// How many bytes the items of a page have, but for a first that is bigger by itself.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The ordered feed of changes, without gaps.
///
/// Keep `next` and come back with `after=`: what you then have is what you could read. An item that stops being visible
/// comes as `deleted`. Items come as they are at the time of reading: what was corrected or withdrawn
/// since is not given again. `term.state` and `daysOver` of an advice hold for `term.on`; that they change at midnight is no change here.
///
/// With `wait=` the answer comes as soon as there is a change. A cursor of a history that is no more, after the database was put
/// back to an earlier state, gives 410: begin anew without `after`.
#[utoipa::path(get, path = "/changes", operation_id = "listChanges", tag = "changes", params(ChangesQuery),
    responses((status = 200, description = "A page of changes.", body = ChangeList),
        (status = 410, description = "The cursor belongs to a history that is no more.")),
    security((), ("bearer" = [])))]
pub async fn list_changes(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listChanges").await?;
    let query: ChangesQuery = call.query()?;
    paging::accepted(&call, &["application/json"])?;
    let after = read_cursor(&call.app, query.after.as_deref())?;
    let limit = usize::try_from(query.limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(1);
    let list = match query.wait.unwrap_or(0) {
        0 => read(&call, &call.app.not_before(after.sequence), after, 0, limit).await?.list,
        seconds => wait(&call, after, limit, Duration::from_secs(seconds)).await?,
    };
    let link = format!("<{}/v1/changes?after={}>; rel=\"next\"", call.app.public_url, list.next);
    let body = serde_json::to_vec(&list).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(paging::readable(&call, crate::etag::of_body(&body), "application/json", body, Some(link)))
}

/// A page, and how far the journal was looked through for it.
struct Found {
    list: ChangeList,
    looked: i64,
}

/// Reads on after the cursor; what was `looked` through already holds nothing for this caller.
async fn read(
    call: &Call,
    session: &Session,
    after: Position,
    looked: i64,
    limit: usize,
) -> Result<Found, ApiError> {
    let (caller, today) = (call.caller.clone(), call.today());
    session.read(move |app, connection| changes(app, connection, &caller, today, after, looked, limit)).await
}

/// Reads until there is something to tell, or the time is over. What nobody sees here is looked through once.
async fn wait(call: &Call, after: Position, limit: usize, longest: Duration) -> Result<ChangeList, ApiError> {
    // How long somebody waited is no answer to who asks next.
    call.make_anew();
    let _place = call.app.news.place()?;
    let until = Instant::now() + longest;
    let mut session = call.app.not_before(after.sequence);
    let (mut told, mut looked) = (0, 0);
    loop {
        let found = read(call, &session, after, looked, limit).await?;
        let list = found.list;
        looked = found.looked;
        if !list.items.is_empty() || list.more {
            return Ok(list);
        }
        // What was told once and not found is not waited for again: after a restore the journal may end before it.
        match call.app.news.after(&session, looked.max(told), until).await? {
            Some(sequence) => told = sequence,
            None => return Ok(list),
        }
        session = session.not_before(told);
    }
}

fn read_cursor(app: &App, text: Option<&str>) -> Result<Position, ApiError> {
    let Some(text) = text else { return Ok(Position { sequence: 0, mark: 0 }) };
    app.seal.open(text).ok_or_else(|| {
        // One of another database, such as one that was restored from before there were seals, or of an earlier release.
        if Seal::looks_sealed(text) || is_of_an_earlier_release(text) {
            return ApiError::CursorGone;
        }
        ApiError::invalid(
            "query",
            "after",
            "cursor.foreign",
            "is not a cursor of this feed; take it from `next`",
        )
    })
}

/// Up to 0.2 a cursor was the plain number, without a mark of what the entry was.
fn is_of_an_earlier_release(text: &str) -> bool {
    let plain = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    plain.is_some_and(|text| text.strip_prefix('s').is_some_and(|number| number.parse::<u32>().is_ok()))
}

/// What was looked through, and the places in it of what the caller sees, each with how much of it; none where he lost it.
type Looked = (Vec<Glance>, Vec<(usize, Option<View>)>);

/// Looks through the journal until the page is full, but no further than one request may.
fn look_through(
    connection: &mut AnyConnection,
    caller: &Caller,
    after: i64,
    limit: usize,
) -> Result<Looked, ApiError> {
    let (mut entries, mut seen): Looked = (Vec::new(), Vec::new());
    let most = usize::try_from(SCAN).unwrap_or(usize::MAX);
    let keys = caller.keys();
    let view_through = |held: &str| view_among(&keys, |key| holds_key(held, key.as_str()));
    while entries.len() < most && seen.len() < limit {
        // Most of what is written is seen by who reads all of it.
        let wanted = (limit - seen.len()).max(FEWEST).max(entries.len()).min(most - entries.len());
        let from = entries.last().map_or(after, |last: &Glance| last.sequence);
        let found = journal::scan(connection, from, i64::try_from(wanted).unwrap_or(SCAN))?;
        let is_end = found.len() < wanted;
        for entry in found {
            if seen.len() == limit {
                break;
            }
            let before = view_through(&entry.audience_before);
            let view = view_through(&entry.audience_after);
            // Nobody is told of a change that he cannot see.
            let is_told = match view {
                Some(now) => before != Some(now) || entry.is_seen_by(now),
                None => before.is_some(),
            };
            if is_told {
                seen.push((entries.len(), view));
            }
            entries.push(entry);
        }
        if is_end {
            break;
        }
    }
    Ok((entries, seen))
}

fn changes(
    app: &Reading<'_>,
    connection: &mut AnyConnection,
    caller: &Caller,
    today: NaiveDate,
    after: Position,
    looked: i64,
    limit: usize,
) -> Result<Found, ApiError> {
    let registry = app.registry(connection)?;
    if journal::position_at(connection, after.sequence)? != Some(after) {
        return Err(ApiError::CursorGone);
    }
    let (entries, seen) = look_through(connection, caller, after.sequence.max(looked), limit)?;
    // The cursor moves with what the caller sees, so that it does not tell of what he does not.
    let mut last = seen.last().map_or(after, |(place, _)| entries[*place].position());
    let seen: Vec<(&Glance, Option<View>)> =
        seen.into_iter().map(|(place, view)| (&entries[place], view)).collect();
    let full = i64::try_from(entries.len()).unwrap_or(SCAN) == SCAN;
    let scanned = entries.last().map(Glance::position);
    if let (true, Some(scanned)) = (seen.len() < limit && full, scanned) {
        last = scanned;
    }
    let looked = scanned.map_or(looked.max(after.sequence), |scanned| scanned.sequence);
    let mut more = seen.len() == limit || full;
    // Everything as it now is and not as it then was: what was corrected or withdrawn from publication since is not to be read here
    // again. Whoever reads on to the end has the same either way.
    let ids: BTreeSet<AdviceId> = seen
        .iter()
        .filter(|(entry, view)| view.is_some() && entry.resource == advice::RESOURCE)
        .filter_map(|(entry, _)| entry.item.parse().ok())
        .collect();
    let ids: Vec<AdviceId> = ids.into_iter().collect();
    let current = advice::find_all(connection, &ids, caller)?;
    let named: Vec<&Advice> = current.iter().map(|(stored, _)| &stored.value).collect();
    let showing = Showing::of(connection, caller, &registry, today, &named)?;
    let mut advice_shown = HashMap::with_capacity(current.len());
    for (stored, view) in &current {
        let shown = showing.show(stored, *view);
        let size = crate::etag::body_of(&shown)?.len();
        advice_shown.insert(stored.value.id.to_string(), (Item::Advice(Arc::new(shown)), size));
    }
    let shown: Vec<&Glance> =
        seen.iter().filter(|(_, view)| view.is_some()).map(|(entry, _)| *entry).collect();
    let dossiers = crate::dossier::current_of(connection, caller, &registry, today, &shown)?;
    let of_requests = shown.iter().filter(|entry| entry.resource == advice_request::RESOURCE);
    let requests = of_requests.map(|entry| entry.item.clone()).collect();
    let requests = advice_request::find_all(connection, &requests, caller)?;
    let requests = crate::advice_request::show(connection, caller, requests)?;
    let requests: HashMap<String, _> =
        requests.into_iter().map(|request| (request.id.to_string(), request)).collect();
    let of_tables = shown.iter().filter(|entry| journal::is_code(&entry.resource));
    let codes = of_tables.map(|entry| entry.item.clone()).collect();
    let rows = persistence::registry::current(connection, &codes)?;
    let mut items = Vec::with_capacity(seen.len());
    let (mut size, mut last_told) = (0, None);
    for (entry, view) in &seen {
        let other = match view {
            None => None,
            Some(_) if entry.resource == advice::RESOURCE => None,
            Some(_) if dossier::RESOURCES.contains(&entry.resource.as_str()) => {
                dossiers.get(&entry.item).cloned()
            }
            Some(_) if entry.resource == advice_request::RESOURCE => {
                requests.get(&entry.item).map(to_value).transpose()?
            }
            Some(_) => match rows.get(&(entry.resource.clone(), entry.item.clone())) {
                Some((text, stamp)) => registry::show(&entry.resource, &entry.item, text, *stamp, &registry)?,
                None => None,
            },
        };
        let item = match view {
            Some(_) if entry.resource == advice::RESOURCE => advice_shown.get(&entry.item).cloned(),
            _ => other.map(|other| {
                let size = other.to_string().len();
                (Item::Other(other), size)
            }),
        };
        size += item.as_ref().map_or(0, |(_, size)| *size);
        if size > MOST_BYTES && !items.is_empty() {
            // The rest comes with the next page.
            more = true;
            break;
        }
        last_told = Some(entry.position());
        items.push(Change {
            resource: entry.resource.clone(),
            id: entry.item.clone(),
            modified_at: entry.at(),
            deleted: item.is_none(),
            item: item.map(|(item, _)| item),
        });
    }
    if items.len() < seen.len() {
        last = last_told.unwrap_or(after);
    }
    let list = ChangeList { items, next: app.seal.close(last), more };
    Ok(Found { list, looked })
}
