//! Daily roots: the hash of the last entry of each Amsterdam day. It covers all entries before it, so whoever keeps it can prove
//! later that none of them was changed.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;
use domain::calendar::{amsterdam_day, start_of};

use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::schema::{journal, journal_head, journal_root};
use crate::store::Store;
use crate::{dialect, moment};

/// The last entry of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The day in Amsterdam.
    pub day: NaiveDate,
    /// The number of its last entry.
    pub sequence: i64,
    /// When that was written.
    pub moment: DateTime<Utc>,
    /// The hash of that entry.
    pub hash: String,
}

type Row = (i64, i64, String);
const OF_JOURNAL: (journal::sequence, journal::moment, journal::hash) =
    (journal::sequence, journal::moment, journal::hash);
const STORED: (journal_root::sequence, journal_root::moment, journal_root::hash) =
    (journal_root::sequence, journal_root::moment, journal_root::hash);

/// How long after midnight the root of a day without a later entry is told: the clocks of several processes differ, and a root that
/// was told must not change.
fn settling() -> TimeDelta {
    TimeDelta::hours(1)
}

/// How many entries are looked up, or roots written, at a time.
const BATCH: usize = 200;

impl Root {
    pub(crate) fn of((sequence, at, hash): Row) -> Self {
        let at = moment::to_utc(at);
        Self { day: amsterdam_day(at), sequence, moment: at, hash }
    }

    /// Keeps it. One that stands there already stays as it is.
    pub(crate) fn keep(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let Self { day, sequence, moment, hash } = self;
        dialect::insert_root(connection, moment::day(*day), *sequence, moment::of(*moment), hash)
    }
}

/// The roots of finished days, in order of day: those after a day, from and up to and including others.
pub fn list(
    connection: &mut AnyConnection,
    now: DateTime<Utc>,
    after: Option<NaiveDate>,
    (from, to): (Option<NaiveDate>, Option<NaiveDate>),
    limit: i64,
) -> Result<Vec<Root>, StoreError> {
    let mut query = journal_root::table.order(journal_root::day).limit(limit).select(STORED).into_boxed();
    if let Some(after) = after {
        query = query.filter(journal_root::day.gt(moment::day(after)));
    }
    if let Some(from) = from {
        query = query.filter(journal_root::day.ge(moment::day(from)));
    }
    if let Some(to) = to {
        query = query.filter(journal_root::day.le(moment::day(to)));
    }
    let mut roots: Vec<Root> = query.load::<Row>(connection)?.into_iter().map(Root::of).collect();
    let asked = |root: &Root| {
        after.is_none_or(|after| root.day > after)
            && from.is_none_or(|from| root.day >= from)
            && to.is_none_or(|to| root.day <= to)
    };
    if i64::try_from(roots.len()).is_ok_and(|found| found < limit) {
        roots.extend(last_finished(connection, now)?.filter(asked));
    }
    Ok(roots)
}

/// The root of the last day on which something was written, if that day is over. No row holds it until the first entry of a later
/// day is written.
fn last_finished(connection: &mut AnyConnection, now: DateTime<Utc>) -> Result<Option<Root>, StoreError> {
    let root = head(connection)?;
    let is_over = |root: &Root| {
        root.day.succ_opt().is_some_and(|next| start_of(next) + settling() <= now) && root.sequence > 0
    };
    Ok(Some(root).filter(is_over))
}

/// The last entry of all as if its day were over.
pub(crate) fn head(connection: &mut AnyConnection) -> Result<Root, StoreError> {
    let head: Row = journal_head::table
        .find(1)
        .select((journal_head::sequence, journal_head::moment, journal_head::hash))
        .first(connection)?;
    Ok(Root::of(head))
}

/// The root that stands for a day.
pub(crate) fn find(connection: &mut AnyConnection, day: NaiveDate) -> Result<Option<Root>, StoreError> {
    let row: Option<Row> =
        journal_root::table.find(moment::day(day)).select(STORED).first(connection).optional()?;
    Ok(row.map(Root::of))
}

/// The last root before a day, be it stored or of the last day that was written on.
pub(crate) fn before(connection: &mut AnyConnection, day: NaiveDate) -> Result<Option<Root>, StoreError> {
    let head = head(connection)?;
    if head.sequence > 0 && head.day < day {
        return Ok(Some(head));
    }
    let row: Option<Row> = journal_root::table
        .filter(journal_root::day.lt(moment::day(day)))
        .order(journal_root::day.desc())
        .select(STORED)
        .first(connection)
        .optional()?;
    Ok(row.map(Root::of))
}

/// Every root that stands, by the day it stands for. There is one a day, so they are few.
pub(crate) fn stored(connection: &mut AnyConnection) -> Result<Vec<(i32, Root)>, StoreError> {
    let rows: Vec<(i32, i64, i64, String)> = journal_root::table
        .order(journal_root::day)
        .select((journal_root::day, journal_root::sequence, journal_root::moment, journal_root::hash))
        .load(connection)?;
    Ok(rows.into_iter().map(|(day, sequence, at, hash)| (day, Root::of((sequence, at, hash)))).collect())
}

/// Writes the roots that are not there yet: of a database that an earlier release wrote, or still wrote to beside this one. What
/// is found out is found out while others write; several processes that start at once write the same.
pub fn fill(store: &Store, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let missing = store.read(missing)?;
    for batch in missing.chunks(BATCH) {
        store.write::<_, StoreError>("wijkaanzet", now, |tx| {
            batch.iter().try_for_each(|root| root.keep(tx.connection))
        })?;
    }
    Ok(missing.len())
}

/// The roots of days before that of the last entry that do not stand yet. Days are found by the index on the moment; no entry is
/// read whole.
fn missing(connection: &mut AnyConnection) -> Result<Vec<Root>, StoreError> {
    let head = head(connection)?;
    if head.sequence == 0 {
        return Ok(Vec::new());
    }
    let stored = stored(connection)?;
    // Between two roots that follow each other lies no day without one, unless the first entry after the one is of another day than
    // the other.
    let begins: Vec<i64> = [1].into_iter().chain(stored.iter().map(|(_, root)| root.sequence + 1)).collect();
    let ends: Vec<i32> = stored.iter().map(|(day, _)| *day).chain([moment::day(head.day)]).collect();
    let mut moments: HashMap<i64, i64> = HashMap::new();
    for batch in begins.chunks(BATCH) {
        let found: Vec<(i64, i64)> = journal::table
            .filter(journal::sequence.eq_any(batch.to_vec()))
            .select((journal::sequence, journal::moment))
            .load(connection)?;
        moments.extend(found);
    }
    let mut missing = Vec::new();
    for (first, until) in begins.into_iter().zip(ends) {
        if let Some(at) = moments.get(&first) {
            walk(connection, moment::to_utc(*at), until, &mut missing)?;
        }
    }
    Ok(missing)
}

/// Goes from the day of an entry to the next day that has one, up to a day.
fn walk(
    connection: &mut AnyConnection,
    first: DateTime<Utc>,
    until: i32,
    missing: &mut Vec<Root>,
) -> Result<(), StoreError> {
    let mut day = amsterdam_day(first);
    while moment::day(day) < until {
        let Some(next) = day.succ_opt() else { return Ok(()) };
        let end = moment::of(start_of(next));
        let last: Row = journal::table
            .filter(journal::moment.lt(end))
            .order(journal::moment.desc())
            .select(OF_JOURNAL)
            .first(connection)?;
        missing.push(Root::of(last));
        let later: Option<i64> = journal::table
            .filter(journal::moment.ge(end))
            .order(journal::moment)
            .select(journal::moment)
            .first(connection)
            .optional()?;
        let Some(later) = later else { return Ok(()) };
        day = amsterdam_day(moment::to_utc(later));
    }
    Ok(())
}
