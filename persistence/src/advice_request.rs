//! Advice requests in storage.

use std::collections::BTreeMap;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::access::{self, Caller, View};
use domain::advice_request::{AdviceRequest, Given};
use domain::ids::{AdviceId, AdviceRequestId};

use crate::connection::{AnyConnection, MultiBackend};
use crate::error::StoreError;
use crate::journal::{self, Change, Entry, Tx};
use crate::moment;
use crate::schema::{advice, advice_request, audience};
use crate::snapshot::{self, Snapshot, Stamp, Stored, from_text, to_text};

/// The name of the resource in the journal.
pub const RESOURCE: &str = "advice-request";

/// What a list asks for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Changed at or after this moment.
    pub modified_since: Option<DateTime<Utc>>,
}

fn write(item: &AdviceRequest, created_at: DateTime<Utc>) -> Result<String, StoreError> {
    to_text(&Snapshot { schema_version: 1, created_at, item: item.clone() })
}

type Row = (i64, i64, i64, String);

fn restore((version, created_at, modified_at, text): Row) -> Result<Stored<AdviceRequest>, StoreError> {
    let stamp = Stamp::plain(version, moment::to_utc(created_at), moment::to_utc(modified_at));
    let Snapshot::<AdviceRequest> { item, .. } = from_text("advice request", &text)?;
    Ok(Stored { value: item, stamp })
}

fn visible<'q>(caller: &Caller) -> diesel::dsl::IntoBoxed<'q, advice_request::table, MultiBackend> {
    let keys: Vec<String> = caller.keys().into_iter().map(|(key, _)| key.as_str().to_owned()).collect();
    let items = audience::table
        .filter(audience::audience_key.eq_any(keys))
        .filter(audience::lost_at.is_null())
        .select(audience::item);
    advice_request::table.into_boxed().filter(advice_request::id.eq_any(items))
}

/// Reads a request back from an entry of the journal. The request itself says when it was first recorded.
pub fn read(entry: &Entry) -> Result<Stored<AdviceRequest>, StoreError> {
    let Snapshot::<AdviceRequest> { created_at, item, .. } = from_text("advice request", &entry.snapshot)?;
    Ok(Stored { value: item, stamp: Stamp::plain(entry.version, created_at, entry.at()) })
}

/// Finds a request that the caller may see.
pub fn find(
    connection: &mut AnyConnection,
    id: AdviceRequestId,
    caller: &Caller,
) -> Result<Option<Stored<AdviceRequest>>, StoreError> {
    let row: Option<Row> = visible(caller)
        .filter(advice_request::id.eq(id.to_string()))
        .select((
            advice_request::version,
            advice_request::created_at,
            advice_request::modified_at,
            advice_request::snapshot,
        ))
        .first(connection)
        .optional()?;
    row.map(restore).transpose()
}

/// Those of these requests that the caller may see.
pub fn find_all(
    connection: &mut AnyConnection,
    ids: &BTreeSet<String>,
    caller: &Caller,
) -> Result<Vec<Stored<AdviceRequest>>, StoreError> {
    let rows: Vec<Row> = visible(caller)
        .filter(advice_request::id.eq_any(ids.iter().cloned().collect::<Vec<_>>()))
        .select((
            advice_request::version,
            advice_request::created_at,
            advice_request::modified_at,
            advice_request::snapshot,
        ))
        .load(connection)?;
    rows.into_iter().map(restore).collect()
}

/// Writes down that a request looks another way because of an advice on it: copies of it are out of date though nothing was
/// recorded of it.
pub fn save_as_seen_anew(tx: &mut Tx<'_>, id: AdviceRequestId) -> Result<(), StoreError> {
    tx.lock()?;
    let row: Option<Row> = advice_request::table
        .find(id.to_string())
        .select((
            advice_request::version,
            advice_request::created_at,
            advice_request::modified_at,
            advice_request::snapshot,
        ))
        .first(tx.connection)
        .optional()?;
    let Some(before) = row.map(restore).transpose()? else { return Ok(()) };
    save(tx, &before.value, &before, "link").map(|_| ())
}

/// One page of requests, in order of id.
pub fn list(
    connection: &mut AnyConnection,
    caller: &Caller,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Stored<AdviceRequest>>, StoreError> {
    let mut query = visible(caller);
    if let Some(since) = filter.modified_since {
        query = query.filter(advice_request::modified_at.ge(moment::of(since)));
    }
    if let Some(after) = after {
        query = query.filter(advice_request::id.gt(after.to_owned()));
    }
    let rows: Vec<Row> = query
        .order(advice_request::id)
        .limit(limit)
        .select((
            advice_request::version,
            advice_request::created_at,
            advice_request::modified_at,
            advice_request::snapshot,
        ))
        .load(connection)?;
    rows.into_iter().map(restore).collect()
}

/// How many requests the whole list has.
pub fn count(connection: &mut AnyConnection, caller: &Caller, filter: &Filter) -> Result<i64, StoreError> {
    let mut query = visible(caller);
    if let Some(since) = filter.modified_since {
        query = query.filter(advice_request::modified_at.ge(moment::of(since)));
    }
    Ok(query.select(diesel::dsl::count_star()).first(connection)?)
}

/// The advice that was sent in on each of these requests. That a council advised is told to all who were asked; which advice
/// it is only to who may see it.
pub fn given(
    connection: &mut AnyConnection,
    caller: &Caller,
    requests: &[AdviceRequestId],
) -> Result<Vec<(AdviceRequestId, Given)>, StoreError> {
    let ids: Vec<String> = requests.iter().map(ToString::to_string).collect();
    let texts: Vec<String> = advice::table
        .filter(advice::request.eq_any(ids))
        .order(advice::id)
        .select(advice::snapshot)
        .load(connection)?;
    let mut given = Vec::new();
    for text in texts {
        let advice = snapshot::read(&text)?.value;
        if advice.withdrawal.is_some() {
            continue;
        }
        if let (Some(on), Some(request)) = (advice.submitted_on, advice.text.request) {
            let seen = caller.view(&advice).is_some().then_some(advice.id);
            given.push((request, Given { lead: advice.text.councils.lead.clone(), on, advice: seen }));
        }
    }
    Ok(given)
}

/// What each advice on a request was known to be, as the journal went on: from an entry on until the next one of the same advice.
pub struct GivenThen(Vec<(i64, AdviceId, Option<Given>)>);

impl GivenThen {
    /// The advice that was given as known at a place in the journal.
    pub fn at(&self, sequence: i64) -> Vec<Given> {
        let known: BTreeMap<AdviceId, &Option<Given>> =
            self.0.iter().filter(|(at, ..)| *at <= sequence).map(|(_, id, given)| (*id, given)).collect();
        known.into_values().flatten().cloned().collect()
    }
}

/// The advice on a request over time, for who reads history and sees all. Which request an advice answers stays as it is from its
/// adoption on, so the advice that names it now is all that ever gave advice on it.
pub fn given_then(connection: &mut AnyConnection, request: AdviceRequestId) -> Result<GivenThen, StoreError> {
    let ids: Vec<String> = advice::table
        .filter(advice::request.eq(request.to_string()))
        .order(advice::id)
        .select(advice::id)
        .load(connection)?;
    let mut then = Vec::new();
    for id in ids {
        let mut after = 0;
        loop {
            let entries = journal::of_item(connection, &[crate::advice::RESOURCE], &id, after, 100)?;
            let Some(last) = entries.last() else { break };
            after = last.sequence;
            for entry in &entries {
                let advice = snapshot::read(&entry.snapshot)?.value;
                let on = advice.submitted_on.filter(|_| advice.withdrawal.is_none());
                let lead = advice.text.councils.lead.clone();
                let is_of_request = advice.text.request == Some(request);
                let given =
                    on.filter(|_| is_of_request).map(|on| Given { lead, on, advice: Some(advice.id) });
                then.push((entry.sequence, advice.id, given));
            }
        }
    }
    then.sort_by_key(|(sequence, ..)| *sequence);
    Ok(GivenThen(then))
}

/// Adds a request.
pub fn add(tx: &mut Tx<'_>, value: &AdviceRequest) -> Result<Stored<AdviceRequest>, StoreError> {
    let place = tx.next_place()?;
    let text = write(value, moment::to_utc(place.moment))?;
    diesel::insert_into(advice_request::table)
        .values((
            advice_request::id.eq(value.id.to_string()),
            advice_request::version.eq(1),
            advice_request::created_at.eq(place.moment),
            advice_request::modified_at.eq(place.moment),
            advice_request::snapshot.eq(&text),
        ))
        .execute(tx.connection)?;
    tx.append(place, change(value, 1, "request"), text.clone())?;
    restore((1, place.moment, place.moment, text))
}

/// Saves a changed request, if nobody else changed it since.
pub fn save(
    tx: &mut Tx<'_>,
    value: &AdviceRequest,
    before: &Stored<AdviceRequest>,
    event: &str,
) -> Result<Stored<AdviceRequest>, StoreError> {
    let place = tx.next_place()?;
    let text = write(value, before.stamp.created_at)?;
    let version = before.stamp.version + 1;
    let same = advice_request::table
        .find(value.id.to_string())
        .filter(advice_request::version.eq(before.stamp.version));
    let saved = diesel::update(same)
        .set((
            advice_request::version.eq(version),
            advice_request::modified_at.eq(place.moment),
            advice_request::snapshot.eq(&text),
        ))
        .execute(tx.connection)?;
    if saved != 1 {
        return Err(StoreError::Stale);
    }
    tx.append(place, change(value, version, event), text.clone())?;
    restore((version, moment::of(before.stamp.created_at), place.moment, text))
}

fn change<'a>(value: &AdviceRequest, version: i64, event: &'a str) -> Change<'a> {
    Change {
        resource: RESOURCE,
        item: value.id.to_string(),
        version,
        event,
        reason: None,
        audience: access::request_audience(value).iter().map(|key| key.as_str().to_owned()).collect(),
        seen_from: View::Public,
    }
}
