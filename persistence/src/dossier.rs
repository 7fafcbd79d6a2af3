//! What is kept whole: accords, agreements, policy tracks, participation plans, commitments, talks, assignments and
//! collegetargets. `find`, `list`, `add`, `save` for each of them. Every read for a caller starts at what he may see.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::dsl::{IntoBoxed, count_star, exists, max};
use diesel::prelude::*;
use domain::access::{self, Caller, View};
use domain::accord::Accord;
use domain::advice::Publication;
use domain::agreement::Agreement;
use domain::assignment::Assignment;
use domain::codes::PublicationState;
use domain::collegetarget::Collegetarget;
use domain::commitment::Commitment;
use domain::dossier::Dossier;
use domain::participation_plan::ParticipationPlan;
use domain::policy_track::PolicyTrack;
use domain::talk::Talk;
use uuid::Uuid;

use crate::advice::{Lost, still_held};
use crate::connection::{AnyConnection, MultiBackend};
use crate::error::StoreError;
use crate::journal::{Change, Entry, Tx};
use crate::moment;
use crate::schema::{audience, dossier, dossier_facet};
use crate::snapshot::{Snapshot, Stamp, Stored, from_text, to_text};

/// The names of the resources that are kept whole.
pub const RESOURCES: [&str; 8] = [
    Accord::RESOURCE,
    Agreement::RESOURCE,
    PolicyTrack::RESOURCE,
    ParticipationPlan::RESOURCE,
    Commitment::RESOURCE,
    Talk::RESOURCE,
    Assignment::RESOURCE,
    Collegetarget::RESOURCE,
];

/// What a caller finds at an address.
#[derive(Debug)]
pub enum Found<D> {
    /// The item.
    Visible(Box<Stored<D>>),
    /// It was public and is no more; the reason and the moment are public.
    Gone {
        /// Why it was withdrawn from publication.
        reason: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// There is none that the caller may know of.
    Missing,
}

/// What a list asks for: of each facet one of the values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Facets and the values that are looked for.
    pub facets: Vec<(&'static str, Vec<String>)>,
    /// Changed at or after this moment.
    pub modified_since: Option<DateTime<Utc>>,
}

impl Filter {
    /// Only items that have one of these values; any when none is given.
    pub fn with<V: ToString>(mut self, facet: &'static str, values: impl IntoIterator<Item = V>) -> Self {
        let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        if !values.is_empty() {
            self.facets.push((facet, values));
        }
        self
    }
}

type Row = (String, i64, i64, i64, String);
const ROW: (dossier::id, dossier::version, dossier::created_at, dossier::modified_at, dossier::snapshot) =
    (dossier::id, dossier::version, dossier::created_at, dossier::modified_at, dossier::snapshot);

fn restore<D: Dossier>((_, version, created_at, modified_at, text): Row) -> Result<Stored<D>, StoreError> {
    let stamp = Stamp::plain(version, moment::to_utc(created_at), moment::to_utc(modified_at));
    Ok(Stored { value: read(&text)?, stamp })
}

/// Reads an item back from text, be it of the row or of an entry of the journal.
pub(crate) fn read<D: Dossier>(text: &str) -> Result<D, StoreError> {
    Ok(snapshot_of::<D>(text)?.item)
}

fn snapshot_of<D: Dossier>(text: &str) -> Result<Snapshot<D>, StoreError> {
    let snapshot: Snapshot<D> = from_text(D::RESOURCE, text)?;
    if snapshot.schema_version != 1 {
        let cause = format!("schema version {} is not known to this program", snapshot.schema_version);
        return Err(StoreError::Malformed { what: D::RESOURCE, cause });
    }
    Ok(snapshot)
}

/// Reads an item back from an entry of the journal, with its stamp.
pub fn read_entry<D: Dossier>(entry: &Entry) -> Result<Stored<D>, StoreError> {
    let Snapshot { schema_version: _, created_at, item } = snapshot_of(&entry.snapshot)?;
    Ok(Stored { value: item, stamp: Stamp::plain(entry.version, created_at, entry.at()) })
}

fn keys_of(caller: &Caller) -> Vec<String> {
    caller.keys().into_iter().map(|(key, _)| key.as_str().to_owned()).collect()
}

type Query<'q> = IntoBoxed<'q, dossier::table, MultiBackend>;

/// Where every list starts: what the caller may see of the resource, asked of each row in turn.
fn visible<'q>(caller: &Caller, resource: &'static str) -> Query<'q> {
    dossier::table.into_boxed().filter(dossier::resource.eq(resource)).filter(exists(
        audience::table
            .filter(audience::item.eq(dossier::id))
            .filter(audience::audience_key.eq_any(keys_of(caller)))
            .filter(audience::lost_at.is_null()),
    ))
}

fn filtered<'q>(mut query: Query<'q>, filter: &Filter) -> Query<'q> {
    for (facet, values) in &filter.facets {
        let having = dossier_facet::table
            .filter(dossier_facet::facet.eq(*facet))
            .filter(dossier_facet::value.eq_any(values.clone()))
            .select(dossier_facet::dossier);
        query = query.filter(dossier::id.eq_any(having));
    }
    if let Some(since) = filter.modified_since {
        query = query.filter(dossier::modified_at.ge(moment::of(since)));
    }
    query
}

/// Finds an item for a caller.
pub fn find<D: Dossier>(
    connection: &mut AnyConnection,
    id: Uuid,
    caller: &Caller,
) -> Result<Found<D>, StoreError> {
    let Some(stored) = load::<D>(connection, id)? else { return Ok(Found::Missing) };
    if access::sees_dossier(caller, &stored.value) {
        return Ok(Found::Visible(Box::new(stored)));
    }
    let withdrawn = stored.value.publication().filter(|publication| {
        publication.state == PublicationState::Withdrawn && publication.withdrawn_at.is_some()
    });
    Ok(match withdrawn {
        Some(Publication { withdrawn_at: Some(at), reason, .. }) => {
            Found::Gone { reason: reason.clone().unwrap_or_default(), at: *at }
        }
        _ => Found::Missing,
    })
}

/// An item whoever may see it, for rules that rest on it.
pub fn load<D: Dossier>(connection: &mut AnyConnection, id: Uuid) -> Result<Option<Stored<D>>, StoreError> {
    let row: Option<Row> = dossier::table
        .find(id.to_string())
        .filter(dossier::resource.eq(D::RESOURCE))
        .select(ROW)
        .first(connection)
        .optional()?;
    row.map(restore).transpose()
}

/// All items with these facets, whoever may see them, for rules that rest on them. In order of id.
pub fn all<D: Dossier>(
    connection: &mut AnyConnection,
    filter: &Filter,
) -> Result<Vec<Stored<D>>, StoreError> {
    let query = dossier::table.into_boxed().filter(dossier::resource.eq(D::RESOURCE));
    let rows: Vec<Row> = filtered(query, filter).order(dossier::id).select(ROW).load(connection)?;
    rows.into_iter().map(restore).collect()
}

/// How many items have these facets, whoever may see them.
pub fn count_all<D: Dossier>(connection: &mut AnyConnection, filter: &Filter) -> Result<i64, StoreError> {
    let query = dossier::table.into_boxed().filter(dossier::resource.eq(D::RESOURCE));
    Ok(filtered(query, filter).select(count_star()).first(connection)?)
}

/// One page of the list, in order of id.
pub fn list<D: Dossier>(
    connection: &mut AnyConnection,
    caller: &Caller,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Stored<D>>, StoreError> {
    let mut query = filtered(visible(caller, D::RESOURCE), filter);
    if let Some(after) = after {
        query = query.filter(dossier::id.gt(after.to_owned()));
    }
    let rows: Vec<Row> = query.order(dossier::id).limit(limit).select(ROW).load(connection)?;
    rows.into_iter().map(restore).collect()
}

/// How many rows the whole list has.
pub fn count<D: Dossier>(
    connection: &mut AnyConnection,
    caller: &Caller,
    filter: &Filter,
) -> Result<i64, StoreError> {
    Ok(filtered(visible(caller, D::RESOURCE), filter).select(count_star()).first(connection)?)
}

/// Those of these items that the caller may see, as they now are.
pub fn find_all<D: Dossier>(
    connection: &mut AnyConnection,
    caller: &Caller,
    ids: &[String],
) -> Result<Vec<Stored<D>>, StoreError> {
    let rows: Vec<Row> = visible(caller, D::RESOURCE)
        .filter(dossier::id.eq_any(ids.to_vec()))
        .order(dossier::id)
        .select(ROW)
        .load(connection)?;
    rows.into_iter().map(restore).collect()
}

/// Items of the resource that the caller lost at or after a moment, in order of id.
pub fn lost_since<D: Dossier>(
    connection: &mut AnyConnection,
    caller: &Caller,
    since: DateTime<Utc>,
    after: &str,
    limit: i64,
) -> Result<Vec<Lost>, StoreError> {
    let keys = keys_of(caller);
    let of_resource = dossier::table.filter(dossier::resource.eq(D::RESOURCE)).select(dossier::id);
    let rows: Vec<(String, Option<i64>)> = audience::table
        .filter(audience::audience_key.eq_any(keys.clone()))
        .filter(audience::item.gt(after.to_owned()))
        .filter(audience::item.eq_any(of_resource))
        .filter(audience::lost_at.ge(moment::of(since)))
        .filter(diesel::dsl::not(exists(still_held(keys))))
        .group_by(audience::item)
        .order(audience::item)
        .limit(limit)
        .select((audience::item, max(audience::lost_at)))
        .load(connection)?;
    Ok(rows.into_iter().filter_map(|(id, at)| at.map(|at| Lost { id, at: moment::to_utc(at) })).collect())
}

/// Which of these ids, of whatever has an audience, the caller may see.
pub fn visible_among(
    connection: &mut AnyConnection,
    caller: &Caller,
    ids: &BTreeSet<Uuid>,
) -> Result<BTreeSet<Uuid>, StoreError> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let found: Vec<String> = audience::table
        .filter(audience::item.eq_any(texts))
        .filter(audience::audience_key.eq_any(keys_of(caller)))
        .filter(audience::lost_at.is_null())
        .select(audience::item)
        .distinct()
        .load(connection)?;
    Ok(found.iter().filter_map(|id| id.parse().ok()).collect())
}

/// Adds an item.
pub fn add<D: Dossier>(tx: &mut Tx<'_>, value: &D, event: &str) -> Result<Stored<D>, StoreError> {
    let facets = facets_of(value);
    let id = value.id().to_string();
    let place = tx.next_place()?;
    let text = write(value, moment::to_utc(place.moment))?;
    diesel::insert_into(dossier::table)
        .values((
            dossier::id.eq(&id),
            dossier::resource.eq(D::RESOURCE),
            dossier::version.eq(1),
            dossier::created_at.eq(place.moment),
            dossier::modified_at.eq(place.moment),
            dossier::snapshot.eq(&text),
        ))
        .execute(tx.connection)?;
    insert_facets(tx.connection, &id, &facets)?;
    tx.append(place, change(value, 1, event, None), text)?;
    let now = moment::to_utc(place.moment);
    Ok(Stored { value: value.clone(), stamp: Stamp::plain(1, now, now) })
}

/// Saves a changed item, if nobody else changed it since it was read.
pub fn save<D: Dossier>(
    tx: &mut Tx<'_>,
    value: &D,
    before: &Stored<D>,
    event: &str,
    reason: Option<String>,
) -> Result<Stored<D>, StoreError> {
    let (facets, facets_before) = (facets_of(value), facets_of(&before.value));
    let id = value.id().to_string();
    let place = tx.next_place()?;
    let text = write(value, before.stamp.created_at)?;
    let version = before.stamp.version + 1;
    let same = dossier::table.find(&id).filter(dossier::version.eq(before.stamp.version));
    let saved = diesel::update(same)
        .set((
            dossier::version.eq(version),
            dossier::modified_at.eq(place.moment),
            dossier::snapshot.eq(&text),
        ))
        .execute(tx.connection)?;
    if saved != 1 {
        return Err(StoreError::Stale);
    }
    if facets != facets_before {
        diesel::delete(dossier_facet::table.filter(dossier_facet::dossier.eq(&id))).execute(tx.connection)?;
        insert_facets(tx.connection, &id, &facets)?;
    }
    tx.append(place, change(value, version, event, reason), text)?;
    let stamp = Stamp::plain(version, before.stamp.created_at, moment::to_utc(place.moment));
    Ok(Stored { value: value.clone(), stamp })
}

fn write<D: Dossier>(item: &D, created_at: DateTime<Utc>) -> Result<String, StoreError> {
    to_text(&Snapshot { schema_version: 1, created_at, item })
}

pub(crate) fn facets_of<D: Dossier>(value: &D) -> BTreeSet<(&'static str, String)> {
    value.facets().into_iter().collect()
}

fn insert_facets(
    connection: &mut AnyConnection,
    id: &str,
    facets: &BTreeSet<(&'static str, String)>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = facets
        .iter()
        .map(|(facet, value)| {
            (
                dossier_facet::dossier.eq(id.to_owned()),
                dossier_facet::facet.eq(*facet),
                dossier_facet::value.eq(value.clone()),
            )
        })
        .collect();
    for row in rows {
        diesel::insert_into(dossier_facet::table).values(row).execute(connection)?;
    }
    Ok(())
}

fn change<'a, D: Dossier>(value: &D, version: i64, event: &'a str, reason: Option<String>) -> Change<'a> {
    Change {
        resource: D::RESOURCE,
        item: value.id().to_string(),
        version,
        event,
        reason,
        audience: access::dossier_audience(value).iter().map(|key| key.as_str().to_owned()).collect(),
        seen_from: View::Public,
    }
}

/// The keys of an audience, and facets.
type Index = (BTreeSet<String>, BTreeSet<(&'static str, String)>);

/// The keys of the audience and the facets that an item of a resource must have.
pub(crate) fn index_of(resource: &str, text: &str) -> Result<Index, StoreError> {
    fn of<D: Dossier>(text: &str) -> Result<Index, StoreError> {
        let item: D = read(text)?;
        let keys = access::dossier_audience(&item).iter().map(|key| key.as_str().to_owned()).collect();
        Ok((keys, facets_of(&item)))
    }
    match resource {
        Accord::RESOURCE => of::<Accord>(text),
        Agreement::RESOURCE => of::<Agreement>(text),
        PolicyTrack::RESOURCE => of::<PolicyTrack>(text),
        ParticipationPlan::RESOURCE => of::<ParticipationPlan>(text),
        Commitment::RESOURCE => of::<Commitment>(text),
        Talk::RESOURCE => of::<Talk>(text),
        Assignment::RESOURCE => of::<Assignment>(text),
        Collegetarget::RESOURCE => of::<Collegetarget>(text),
        other => Err(StoreError::Malformed { what: "a resource", cause: format!("{other} is not known") }),
    }
}
