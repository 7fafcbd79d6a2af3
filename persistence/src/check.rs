//! Whether all is well: the chain of the journal, and each row against its last entry.

use std::collections::BTreeSet;

use diesel::prelude::*;
use domain::access;

use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::journal;
use crate::schema::{
    advice, advice_request, audience, dossier, dossier_facet, journal as entries, registry, response_draft,
};
use crate::snapshot;

/// What [`all`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Entries of the journal.
    pub entries: i64,
    /// Rows compared with their last entry.
    pub rows: usize,
    /// What is wrong; empty when all is well.
    pub problems: Vec<String>,
}

/// How many rows are compared at a time.
const BATCH: i64 = 500;

/// Reads everything once.
pub fn all(connection: &mut AnyConnection) -> Result<Report, StoreError> {
    let verified = journal::verify(connection)?;
    let mut report =
        Report { entries: verified.entries, rows: 0, problems: verified.broken.into_iter().collect() };
    let mut after = String::new();
    loop {
        let rows: Vec<(String, i64, String)> = advice::table
            .filter(advice::id.gt(after.clone()))
            .order(advice::id)
            .limit(BATCH)
            .select((advice::id, advice::version, advice::snapshot))
            .load(connection)?;
        let Some((last, _, _)) = rows.last() else { break };
        after.clone_from(last);
        compare(connection, crate::advice::RESOURCE, &rows, &mut report)?;
        compare_audience(connection, &rows, &mut report)?;
    }
    let requests: Vec<(String, i64, String)> = advice_request::table
        .select((advice_request::id, advice_request::version, advice_request::snapshot))
        .load(connection)?;
    compare(connection, crate::advice_request::RESOURCE, &requests, &mut report)?;
    let drafts: Vec<(String, i64, String)> = response_draft::table
        .select((response_draft::advice, response_draft::version, response_draft::snapshot))
        .load::<(String, i64, String)>(connection)?
        .into_iter()
        .map(|(advice, version, text)| (format!("{advice}/response-draft"), version, text))
        .collect();
    compare(connection, crate::response_draft::RESOURCE, &drafts, &mut report)?;
    for resource in crate::dossier::RESOURCES {
        compare_dossiers(connection, resource, &mut report)?;
    }
    let resources: Vec<String> = registry::table.select(registry::resource).distinct().load(connection)?;
    for resource in resources {
        let rows: Vec<(String, i64, String)> = registry::table
            .filter(registry::resource.eq(&resource))
            .select((registry::code, registry::version, registry::snapshot))
            .load(connection)?;
        compare(connection, &resource, &rows, &mut report)?;
    }
    let items: i64 =
        entries::table.filter(entries::version.eq(1)).select(diesel::dsl::count_star()).first(connection)?;
    if usize::try_from(items) != Ok(report.rows) {
        report
            .problems
            .push(format!("the journal knows {items} items, but {} stand in the tables", report.rows));
    }
    Ok(report)
}

fn compare_dossiers(
    connection: &mut AnyConnection,
    resource: &str,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let rows: Vec<(String, i64, String)> = dossier::table
            .filter(dossier::resource.eq(resource))
            .filter(dossier::id.gt(after.clone()))
            .order(dossier::id)
            .limit(BATCH)
            .select((dossier::id, dossier::version, dossier::snapshot))
            .load(connection)?;
        let Some((last, _, _)) = rows.last() else { return Ok(()) };
        after.clone_from(last);
        compare(connection, resource, &rows, report)?;
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

fn compare(
    connection: &mut AnyConnection,
    resource: &str,
    rows: &[(String, i64, String)],
    report: &mut Report,
) -> Result<(), StoreError> {
    let ids: Vec<String> = rows.iter().map(|(id, _, _)| id.clone()).collect();
    let known: Vec<(String, i64, String)> = entries::table
        .filter(entries::resource.eq(resource))
        .filter(entries::item.eq_any(ids))
        .order((entries::item, entries::version))
        .select((entries::item, entries::version, entries::snapshot))
        .load(connection)?;
    let last: std::collections::HashMap<&str, (i64, &str)> =
        known.iter().map(|(item, version, text)| (item.as_str(), (*version, text.as_str()))).collect();
    for (id, version, text) in rows {
        report.rows += 1;
        match last.get(id.as_str()) {
            None => report.problems.push(format!("{resource} {id} has no entry in the journal")),
            Some((known, _)) if known != version => report
                .problems
                .push(format!("{resource} {id} has version {version}, but the journal ends at {known}")),
            Some((_, known)) if *known != text => {
                report
                    .problems
                    .push(format!("{resource} {id} is not what its last entry in the journal says"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn compare_audience(
    connection: &mut AnyConnection,
    rows: &[(String, i64, String)],
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
        let keys: std::collections::BTreeSet<&str> =
            held.iter().filter(|(item, _)| item == id).map(|(_, key)| key.as_str()).collect();
        if !expected.iter().map(access::AudienceKey::as_str).eq(keys.iter().copied()) {
            report.problems.push(format!("who may see advice {id} is not what the advice itself says"));
        }
    }
    Ok(())
}
