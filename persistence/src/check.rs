//! Whether all is well: the chain of the journal, its daily roots, and each row against its last entry.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use diesel::dsl::{count, max};
use diesel::prelude::*;
use domain::access;
use domain::calendar::amsterdam_day;

use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::journal::{self, Start, Verified};
use crate::roots::{self, Root};
use crate::schema::{
    advice, advice_request, audience, dossier, dossier_facet, journal as entries, registry, response_draft,
};
use crate::{moment, snapshot};

/// What to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only what was written on this day or later: the reading begins at the last root before it.
    pub from_day: Option<NaiveDate>,
    /// Roots that somebody noted: of this day, this hash.
    pub roots: Vec<(NaiveDate, String)>,
}

/// What [`all`] and [`from`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Entries of the journal that were read.
    pub entries: i64,
    /// The root at which the reading began; none where it began at the first entry.
    pub after: Option<Root>,
    /// Roots that were compared with the entries, stored or noted.
    pub roots: usize,
    /// Rows compared with their last entry.
    pub rows: usize,
    /// Rows left alone, for their last entry lies before the beginning.
    pub left: usize,
    /// What is wrong; empty when all is well.
    pub problems: Vec<String>,
}

/// How many rows are compared at a time.
const BATCH: i64 = 500;

/// A row: its id or code, its version, its text.
type Row = (String, i64, String);

/// Reads everything once.
pub fn all(connection: &mut AnyConnection) -> Result<Report, StoreError> {
    from(connection, &Wanted::default())
}

/// Reads everything from a point on once, and compares what somebody noted.
pub fn from(connection: &mut AnyConnection, wanted: &Wanted) -> Result<Report, StoreError> {
    let Wanted { from_day, roots: noted } = wanted;
    let after = match from_day {
        Some(day) => roots::before(connection, *day)?,
        None => None,
    };
    let mut report =
        Report { entries: 0, after: after.clone(), roots: 0, rows: 0, left: 0, problems: Vec::new() };
    let start = start_at(connection, after.as_ref(), &mut report)?;
    let verified = journal::verify(connection, &start)?;
    report.entries = verified.entries;
    report.problems.extend(verified.broken.clone());
    compare_roots(connection, &start, &verified, &mut report)?;
    for (day, hash) in noted {
        compare_noted(connection, *day, hash, &verified, &mut report)?;
    }
    compare_rows(connection, start.sequence, &mut report)?;
    Ok(report)
}

/// A root is where the reading begins only if the entry that it names says the same.
fn start_at(
    connection: &mut AnyConnection,
    root: Option<&Root>,
    report: &mut Report,
) -> Result<Start, StoreError> {
    let Some(root) = root else { return Ok(Start::default()) };
    let Root { day, sequence, moment: at, hash } = root;
    report.roots += 1;
    let entry =
        journal::after(connection, sequence - 1, 1)?.into_iter().find(|entry| entry.sequence == *sequence);
    let Some(entry) = entry else {
        report.problems.push(format!("the root of {day} names entry {sequence}, which is missing"));
        return Ok(Start { sequence: *sequence, moment: moment::of(*at), hash: hash.clone() });
    };
    if entry.digest() != entry.hash {
        report.problems.push(format!(
            "entry {sequence} ({} {}) was changed after it was written",
            entry.resource, entry.item
        ));
    }
    if Root::of((entry.sequence, entry.microseconds(), entry.hash.clone())) != *root {
        report.problems.push(format!("the root of {day} is not the last entry of that day"));
    }
    Ok(Start { sequence: entry.sequence, moment: entry.microseconds(), hash: entry.hash })
}

/// Each day that is over has the root that its last entry says, and no other day has one.
fn compare_roots(
    connection: &mut AnyConnection,
    start: &Start,
    verified: &Verified,
    report: &mut Report,
) -> Result<(), StoreError> {
    let Verified { entries: _, broken, days } = verified;
    let began = (start.sequence > 0).then(|| moment::day(amsterdam_day(moment::to_utc(start.moment))));
    let mut stored: HashMap<i32, Root> = roots::stored(connection)?.into_iter().collect();
    // The last day that was read is not over, or was not read to its end.
    let last = days.keys().next_back();
    for (day, root) in days.iter().filter(|(day, _)| Some(*day) != last) {
        match stored.remove(&moment::day(*day)) {
            None => report.problems.push(format!("the root of {day} is missing")),
            Some(known) if known != *root => {
                report.problems.push(format!("the root of {day} is not the last entry of that day"));
            }
            Some(_) => report.roots += 1,
        }
    }
    // Behind a break nothing is known.
    if broken.is_some() {
        return Ok(());
    }
    let mut others: Vec<(i32, Root)> =
        stored.into_iter().filter(|(day, _)| began.is_none_or(|began| *day > began)).collect();
    others.sort_by_key(|(day, _)| *day);
    for (day, Root { sequence, .. }) in others {
        let day = moment::of_day(day);
        report.problems.push(format!("a root of {day} names entry {sequence}, but no day ended there"));
    }
    Ok(())
}

/// What somebody noted as the root of a day is what stands there.
fn compare_noted(
    connection: &mut AnyConnection,
    day: NaiveDate,
    hash: &str,
    verified: &Verified,
    report: &mut Report,
) -> Result<(), StoreError> {
    report.roots += 1;
    let stands = match verified.days.get(&day) {
        Some(read) => Some(read.clone()),
        // The last day may have no row yet: its root is the end of the journal, where the reading began.
        None => roots::find(connection, day)?.or_else(|| report.after.clone().filter(|root| root.day == day)),
    };
    let problem = match stands {
        None => format!("the journal has no root of {day}, but {hash} was noted"),
        Some(root) if root.hash != hash => {
            format!("the root of {day} is {}, but {hash} was noted", root.hash)
        }
        Some(root) => {
            // Of what lies before the beginning the entry itself is asked.
            let entries = journal::after(connection, root.sequence - 1, 1)?;
            let same = |entry: &journal::Entry| {
                entry.sequence == root.sequence && entry.hash == root.hash && entry.digest() == root.hash
            };
            if entries.iter().any(same) {
                return Ok(());
            }
            format!("entry {}, the last of {day}, is not what its root says", root.sequence)
        }
    };
    report.problems.push(problem);
    Ok(())
}

/// Compares the rows of every table with what the journal says of them last.
fn compare_rows(connection: &mut AnyConnection, start: i64, report: &mut Report) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let rows: Vec<Row> = advice::table
            .filter(advice::id.gt(after.clone()))
            .order(advice::id)
            .limit(BATCH)
            .select((advice::id, advice::version, advice::snapshot))
            .load(connection)?;
        let Some((last, _, _)) = rows.last() else { break };
        after.clone_from(last);
        let (rows, known) = compare(connection, crate::advice::RESOURCE, rows, start, report)?;
        compare_audience(connection, &rows, report)?;
        report.problems.extend(crate::advice::check_index(connection, &known)?);
    }
    let mut after = String::new();
    loop {
        let rows: Vec<Row> = advice_request::table
            .filter(advice_request::id.gt(after.clone()))
            .order(advice_request::id)
            .limit(BATCH)
            .select((advice_request::id, advice_request::version, advice_request::snapshot))
            .load(connection)?;
        let Some((last, _, _)) = rows.last() else { break };
        after.clone_from(last);
        compare(connection, crate::advice_request::RESOURCE, rows, start, report)?;
    }
    let mut after = String::new();
    loop {
        let rows: Vec<Row> = response_draft::table
            .filter(response_draft::advice.gt(after.clone()))
            .order(response_draft::advice)
            .limit(BATCH)
            .select((response_draft::advice, response_draft::version, response_draft::snapshot))
            .load(connection)?;
        let Some((last, _, _)) = rows.last() else { break };
        after.clone_from(last);
        let rows =
            rows.into_iter().map(|(id, version, text)| (format!("{id}/response-draft"), version, text));
        compare(connection, crate::response_draft::RESOURCE, rows.collect(), start, report)?;
    }
    for resource in crate::dossier::RESOURCES {
        compare_dossiers(connection, resource, start, report)?;
    }
    let resources: Vec<String> = registry::table.select(registry::resource).distinct().load(connection)?;
    for resource in resources {
        let mut after = String::new();
        loop {
            let rows: Vec<Row> = registry::table
                .filter(registry::resource.eq(&resource))
                .filter(registry::code.gt(after.clone()))
                .order(registry::code)
                .limit(BATCH)
                .select((registry::code, registry::version, registry::snapshot))
                .load(connection)?;
            let Some((last, _, _)) = rows.last() else { break };
            after.clone_from(last);
            compare(connection, &resource, rows, start, report)?;
        }
    }
    let items: Vec<(String, i64)> = entries::table
        .filter(entries::sequence.gt(start))
        .group_by(entries::resource)
        .select((entries::resource, count(entries::item).aggregate_distinct()))
        .load(connection)?;
    let items: i64 = items.into_iter().map(|(_, items)| items).sum();
    if usize::try_from(items) != Ok(report.rows) {
        report
            .problems
            .push(format!("the journal knows {items} items, but {} stand in the tables", report.rows));
    }
    Ok(())
}

fn compare_dossiers(
    connection: &mut AnyConnection,
    resource: &str,
    start: i64,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let rows: Vec<Row> = dossier::table
            .filter(dossier::resource.eq(resource))
            .filter(dossier::id.gt(after.clone()))
            .order(dossier::id)
            .limit(BATCH)
            .select((dossier::id, dossier::version, dossier::snapshot))
            .load(connection)?;
        let Some((last, _, _)) = rows.last() else { return Ok(()) };
        after.clone_from(last);
        let (rows, _) = compare(connection, resource, rows, start, report)?;
        let ids: Vec<String> = rows.iter().map(|(id, _, _)| id.clone()).collect();
        let facets: Vec<(String, String, String)> =
            dossier_facet::table.filter(dossier_facet::dossier.eq_any(ids.clone())).load(connection)?;
        let held: Vec<(String, String)> = audience::table
            .filter(audience::item.eq_any(ids))
            .filter(audience::lost_at.is_null())
            .select((audience::item, audience::audience_key))
            .load(connection)?;
        for (id, _, text) in &rows {
            let (expected_keys, expected_facets) = crate::dossier::index_of(resource, text)?;
            let keys: BTreeSet<&str> =
                held.iter().filter(|(item, _)| item == id).map(|(_, key)| key.as_str()).collect();
            if !expected_keys.iter().map(String::as_str).eq(keys.iter().copied()) {
                report.problems.push(format!("who may see {resource} {id} is not what the item itself says"));
            }
            let found: BTreeSet<(&str, &str)> = facets
                .iter()
                .filter(|(item, _, _)| item == id)
                .map(|(_, facet, value)| (facet.as_str(), value.as_str()))
                .collect();
            if !expected_facets.iter().map(|(facet, value)| (*facet, value.as_str())).eq(found) {
                report
                    .problems
                    .push(format!("the facets of {resource} {id} are not what the item itself says"));
            }
        }
    }
}

/// Compares rows with their last entries. Gives back those that were compared, and of each the text of its last entry.
fn compare(
    connection: &mut AnyConnection,
    resource: &str,
    rows: Vec<Row>,
    start: i64,
    report: &mut Report,
) -> Result<(Vec<Row>, HashMap<String, String>), StoreError> {
    let ids: Vec<String> = rows.iter().map(|(id, _, _)| id.clone()).collect();
    let last: Vec<(String, Option<i64>)> = entries::table
        .filter(entries::resource.eq(resource))
        .filter(entries::item.eq_any(ids))
        .group_by(entries::item)
        .select((entries::item, max(entries::sequence)))
        .load(connection)?;
    let last: HashMap<String, i64> =
        last.into_iter().filter_map(|(item, sequence)| sequence.map(|sequence| (item, sequence))).collect();
    let looked_at: Vec<i64> = last.values().copied().filter(|sequence| *sequence > start).collect();
    let known: HashMap<String, (i64, String)> = entries::table
        .filter(entries::sequence.eq_any(looked_at))
        .select((entries::item, entries::version, entries::snapshot))
        .load::<Row>(connection)?
        .into_iter()
        .map(|(item, version, text)| (item, (version, text)))
        .collect();
    let mut compared = Vec::with_capacity(rows.len());
    for (id, version, text) in rows {
        if last.get(&id).is_some_and(|sequence| *sequence <= start) {
            report.left += 1;
            continue;
        }
        report.rows += 1;
        match known.get(&id) {
            None => report.problems.push(format!("{resource} {id} has no entry in the journal")),
            Some((known, _)) if *known != version => report
                .problems
                .push(format!("{resource} {id} has version {version}, but the journal ends at {known}")),
            Some((_, known)) if *known != text => {
                report
                    .problems
                    .push(format!("{resource} {id} is not what its last entry in the journal says"));
            }
            Some(_) => {}
        }
        compared.push((id, version, text));
    }
    Ok((compared, known.into_iter().map(|(id, (_, text))| (id, text)).collect()))
}

fn compare_audience(
    connection: &mut AnyConnection,
    rows: &[Row],
    report: &mut Report,
) -> Result<(), StoreError> {
    let ids: Vec<String> = rows.iter().map(|(id, _, _)| id.clone()).collect();
    let held: Vec<(String, String)> = audience::table
        .filter(audience::item.eq_any(ids))
        .filter(audience::lost_at.is_null())
        .select((audience::item, audience::audience_key))
        .load(connection)?;
    for (id, _, text) in rows {
        let expected = access::audience(&snapshot::read(text)?.value);
        let keys: BTreeSet<&str> =
            held.iter().filter(|(item, _)| item == id).map(|(_, key)| key.as_str()).collect();
        if !expected.iter().map(access::AudienceKey::as_str).eq(keys.iter().copied()) {
            report.problems.push(format!("who may see advice {id} is not what the advice itself says"));
        }
    }
    Ok(())
}
