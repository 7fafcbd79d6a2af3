//! The registry: councils, areas, neighbourhoods, clusters, themes, terms of office, term rules, office holders, and
//! rows of lists that could not be placed. Small tables that are read whole.

use std::collections::{BTreeSet, HashMap};

use diesel::dsl::max;
use diesel::prelude::*;
use domain::access::View;
use serde::{Deserialize, Serialize};

use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::idempotency;
use crate::journal::{Change, Entry, Tx};
use crate::moment;
use crate::schema::{person_name, registry};
use crate::snapshot::{Snapshot, Stamp, Stored, from_text, to_text};

/// A table of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Councils.
    Council,
    /// Areas.
    Area,
    /// Neighbourhoods (buurten).
    Neighbourhood,
    /// Clusters.
    Cluster,
    /// Themes.
    Theme,
    /// Terms of office.
    TermOfOffice,
    /// Term rules.
    TermRule,
    /// Office holders, without their names.
    OfficeHolder,
    /// Obligations and their first days.
    Obligation,
    /// Rows of lists that could not be placed; not public.
    UnplacedRow,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Council,
        Self::Area,
        Self::Neighbourhood,
        Self::Cluster,
        Self::Theme,
        Self::TermOfOffice,
        Self::TermRule,
        Self::OfficeHolder,
        Self::Obligation,
        Self::UnplacedRow,
    ];

    /// Its name in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Council => "council",
            Self::Area => "area",
            Self::Neighbourhood => "neighbourhood",
            Self::Cluster => "cluster",
            Self::Theme => "theme",
            Self::TermOfOffice => "term-of-office",
            Self::TermRule => "term-rule",
            Self::OfficeHolder => "office-holder",
            Self::Obligation => "obligation",
            Self::UnplacedRow => "unplaced-row",
        }
    }

    const fn is_public(self) -> bool {
        !matches!(self, Self::UnplacedRow)
    }
}

/// The number of the last change of any table: what was read before is still good while it stays the same.
pub fn sequence(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let sequence: Option<i64> = registry::table.select(max(registry::sequence)).first(connection)?;
    Ok(sequence.unwrap_or(0))
}

/// All rows of a table, in order of code.
pub fn all<T: for<'de> Deserialize<'de>>(
    connection: &mut AnyConnection,
    table: Table,
) -> Result<Vec<Stored<T>>, StoreError> {
    let rows: Vec<(i64, i64, i64, String)> = registry::table
        .filter(registry::resource.eq(table.as_str()))
        .order(registry::code)
        .select((registry::version, registry::created_at, registry::modified_at, registry::snapshot))
        .load(connection)?;
    rows.into_iter()
        .map(|(version, created_at, modified_at, text)| {
            let Snapshot { schema_version: _, created_at: _, item } = from_text(table.as_str(), &text)?;
            Ok(Stored { value: item, stamp: stamp(version, created_at, modified_at) })
        })
        .collect()
}

/// Reads a row back from an entry of the journal.
pub fn read<T: for<'de> Deserialize<'de>>(table: Table, entry: &Entry) -> Result<Stored<T>, StoreError> {
    let Snapshot { schema_version: _, created_at, item } = from_text(table.as_str(), &entry.snapshot)?;
    Ok(Stored { value: item, stamp: Stamp::plain(entry.version, created_at, entry.at()) })
}

fn stamp(version: i64, created_at: i64, modified_at: i64) -> Stamp {
    Stamp::plain(version, moment::to_utc(created_at), moment::to_utc(modified_at))
}

/// Adds a row.
pub fn add<T: Serialize>(
    tx: &mut Tx<'_>,
    table: Table,
    code: &str,
    item: &T,
    event: &str,
) -> Result<Stamp, StoreError> {
    let place = tx.next_place()?;
    let text = to_text(&Snapshot { schema_version: 1, created_at: moment::to_utc(place.moment), item })?;
    diesel::insert_into(registry::table)
        .values((
            registry::resource.eq(table.as_str()),
            registry::code.eq(code),
            registry::version.eq(1),
            registry::created_at.eq(place.moment),
            registry::modified_at.eq(place.moment),
            registry::sequence.eq(place.sequence),
            registry::snapshot.eq(&text),
        ))
        .execute(tx.connection)?;
    tx.append(place, change(table, code, 1, event, None), text)?;
    Ok(stamp(1, place.moment, place.moment))
}

/// Saves a changed row, if nobody else changed it since.
pub fn save<T: Serialize>(
    tx: &mut Tx<'_>,
    table: Table,
    code: &str,
    item: &T,
    before: Stamp,
    event: &str,
) -> Result<Stamp, StoreError> {
    save_because(tx, table, code, item, before, event, None)
}

/// The same for a change that says why.
pub fn save_because<T: Serialize>(
    tx: &mut Tx<'_>,
    table: Table,
    code: &str,
    item: &T,
    before: Stamp,
    event: &str,
    reason: Option<String>,
) -> Result<Stamp, StoreError> {
    let place = tx.next_place()?;
    let text = to_text(&Snapshot { schema_version: 1, created_at: before.created_at, item })?;
    let version = before.version + 1;
    let same = registry::table.find((table.as_str(), code)).filter(registry::version.eq(before.version));
    let saved = diesel::update(same)
        .set((
            registry::version.eq(version),
            registry::modified_at.eq(place.moment),
            registry::sequence.eq(place.sequence),
            registry::snapshot.eq(&text),
        ))
        .execute(tx.connection)?;
    if saved != 1 {
        return Err(StoreError::Stale);
    }
    tx.append(place, change(table, code, version, event, reason), text)?;
    Ok(stamp(version, moment::of(before.created_at), place.moment))
}

fn change<'a>(table: Table, code: &str, version: i64, event: &'a str, reason: Option<String>) -> Change<'a> {
    Change {
        resource: table.as_str(),
        item: code.to_owned(),
        version,
        event,
        reason,
        audience: if table.is_public() { vec!["public".to_owned()] } else { Vec::new() },
        seen_from: View::Public,
    }
}

/// The text and the stamp of a row, by its table and code.
pub type CurrentRows = HashMap<(String, String), (String, Stamp)>;

/// Rows of any table as they now are. The codes are of those tables, not each of each.
pub fn current(connection: &mut AnyConnection, codes: &BTreeSet<String>) -> Result<CurrentRows, StoreError> {
    let rows: Vec<(String, String, i64, i64, i64, String)> = registry::table
        .filter(registry::code.eq_any(codes.iter().cloned().collect::<Vec<_>>()))
        .select((
            registry::resource,
            registry::code,
            registry::version,
            registry::created_at,
            registry::modified_at,
            registry::snapshot,
        ))
        .load(connection)?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(table, code, version, created_at, modified_at, text)| {
            ((table, code), (text, stamp(version, created_at, modified_at)))
        })
        .collect())
}

/// The names of all office holders, by id.
pub fn person_names(connection: &mut AnyConnection) -> Result<Vec<(String, String)>, StoreError> {
    Ok(person_name::table.order(person_name::person).load(connection)?)
}

/// Keeps the name of a person; the journal knows the person by id only.
pub fn name_person(tx: &mut Tx<'_>, person: &str, name: &str) -> Result<(), StoreError> {
    diesel::insert_into(person_name::table)
        .values((person_name::person.eq(person), person_name::name.eq(name)))
        .execute(tx.connection)?;
    Ok(())
}

/// Forgets the name of a person. Whether there was one.
pub fn erase_name(tx: &mut Tx<'_>, person: &str) -> Result<bool, StoreError> {
    // Whoever writes an answer with the name in it does so before this or finds it gone.
    tx.lock()?;
    let erased = diesel::delete(person_name::table.find(person)).execute(tx.connection)?;
    idempotency::forget_answers_with(tx, person)?;
    Ok(erased > 0)
}

/// One row of a table.
pub fn find<T: for<'de> Deserialize<'de>>(
    connection: &mut AnyConnection,
    table: Table,
    code: &str,
) -> Result<Option<Stored<T>>, StoreError> {
    let row: Option<(i64, i64, i64, String)> = registry::table
        .find((table.as_str(), code))
        .select((registry::version, registry::created_at, registry::modified_at, registry::snapshot))
        .first(connection)
        .optional()?;
    row.map(|(version, created_at, modified_at, text)| {
        let Snapshot { schema_version: _, created_at: _, item } = from_text(table.as_str(), &text)?;
        Ok(Stored { value: item, stamp: stamp(version, created_at, modified_at) })
    })
    .transpose()
}
