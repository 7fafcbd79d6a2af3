//! The journal: every change, by whichever way in, writes its rows and one entry here in the same transaction. Audit,
//! feed, as-known queries and caching come from it, and from nothing else.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use domain::access::View;
use domain::calendar::start_of;
use sha2::{Digest, Sha256};

use crate::connection::AnyConnection;
use crate::dialect;
use crate::error::StoreError;
use crate::moment;
use crate::roots::Root;
use crate::schema::{audience, journal, journal_head};
use crate::statement::{Statement, Value};

/// A change to write down.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// What kind of thing changed, such as `advice`.
    pub resource: &'static str,
    /// Its id or code.
    pub item: String,
    /// Its version after the change.
    pub version: i64,
    /// What happened, such as `receipt`.
    pub event: &'a str,
    /// Why, where the caller said so.
    pub reason: Option<String>,
    /// The keys of its audience after the change.
    pub audience: Vec<String>,
    /// The narrowest view that sees a difference; every wider one sees it too.
    pub seen_from: View,
}

/// The place in the journal that a change got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub sequence: i64,
    pub moment: i64,
}

/// One entry, as it is read back.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = journal)]
pub struct Entry {
    /// Its number, without gaps.
    pub sequence: i64,
    /// Microseconds since 1970; later than any before it.
    pub moment: i64,
    /// The token's `sub`, or the command that wrote it.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// What kind of thing changed.
    pub resource: String,
    /// Its id or code.
    pub item: String,
    /// Its version after the change.
    pub version: i64,
    /// What happened.
    pub event: String,
    /// The whole item as it then was.
    pub snapshot: String,
    /// The keys of its audience before, each between bars.
    pub audience_before: String,
    /// The keys of its audience after.
    pub audience_after: String,
    /// The narrowest view that saw a difference: `public`, `own` or `internal`.
    pub seen_from: String,
    /// The hash of the entry before.
    pub previous_hash: String,
    /// The hash of this one.
    pub hash: String,
}

/// The columns of an entry.
const ENTRY: &str = "journal (sequence, moment, actor, reason, resource, item, version, event, snapshot, audience_before, \
                     audience_after, seen_from, previous_hash, hash)";

impl Entry {
    /// When it was written.
    pub fn at(&self) -> DateTime<Utc> {
        moment::to_utc(self.moment)
    }

    /// Whether a reader with this view saw a difference.
    pub fn is_seen_by(&self, view: View) -> bool {
        is_seen_from(&self.seen_from, view)
    }

    /// When it was written, as it is hashed: microseconds since 1970-01-01T00:00Z.
    pub fn microseconds(&self) -> i64 {
        self.moment
    }

    /// In the order of [`ENTRY`].
    fn into_values(self) -> [Value; 14] {
        let Self {
            sequence,
            moment,
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
        } = self;
        [
            sequence.into(),
            moment.into(),
            actor.into(),
            reason.into(),
            resource.into(),
            item.into(),
            version.into(),
            event.into(),
            snapshot.into(),
            audience_before.into(),
            audience_after.into(),
            seen_from.into(),
            previous_hash.into(),
            hash.into(),
        ]
    }

    pub(crate) fn digest(&self) -> String {
        let Self {
            sequence,
            moment,
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
            hash: _,
        } = self;
        let fields = serde_json::json!([
            sequence,
            moment,
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
            previous_hash
        ]);
        hex(&Sha256::digest(fields.to_string().as_bytes()))
    }
}

/// As hexadecimal digits, in lower case.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A transaction that writes: who acts, when, and the connection. All writing goes through one.
pub struct Tx<'c> {
    pub(crate) connection: &'c mut AnyConnection,
    actor: String,
    now: DateTime<Utc>,
    head: Option<Head>,
}

/// A point in the journal that a reader has come to: the number of an entry, and a mark of what that entry is. After a restore
/// of an older copy the number may come a second time, but not with the same mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The number of the last entry; zero before the first.
    pub sequence: i64,
    /// The first 64 bits of its hash.
    pub mark: u64,
}

impl Position {
    fn of(sequence: i64, hash: &str) -> Self {
        let mark = hash.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
        Self { sequence, mark }
    }
}

/// The state of the database that one statement read. Who knows it needs no transaction to read one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Where the journal ends.
    pub position: Position,
    /// The number of the last change of any table of the registry, as [`crate::registry::sequence`] tells it.
    pub registry: i64,
}

/// As [`state`] is read: number and hash of the last entry, and the number of the registry.
pub(crate) type StateRow = (i64, String, Option<i64>);

impl State {
    pub(crate) fn of((sequence, hash, registry): StateRow) -> Self {
        Self { position: Position::of(sequence, &hash), registry: registry.unwrap_or(0) }
    }
}

/// The columns of the state, for any statement.
pub(crate) fn state() -> (Statement<BigInt>, Statement<Text>, Statement<Nullable<BigInt>>) {
    (
        Statement::new().sql("(SELECT sequence FROM journal_head WHERE id = 1)"),
        Statement::new().sql("(SELECT hash FROM journal_head WHERE id = 1)"),
        last_of_registry(),
    )
}

/// The number of the last change of any table of the registry, for any statement.
pub(crate) fn last_of_registry() -> Statement<Nullable<BigInt>> {
    Statement::new().sql("(SELECT max(sequence) FROM registry)")
}

impl Entry {
    /// The point in the journal that who has read this entry has come to.
    pub fn position(&self) -> Position {
        Position::of(self.sequence, &self.hash)
    }
}

#[derive(Debug, Clone)]
struct Head {
    place: Place,
    hash: String,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: &'c mut AnyConnection, actor: &str, now: DateTime<Utc>) -> Self {
        Self { connection, actor: actor.to_owned(), now, head: None }
    }

    /// Takes the journal's lock, once, and gives the place of the next entry. From here to the commit nobody else
    /// writes an entry, so commit order and sequence order agree; what can be done before is done before.
    pub(crate) fn next_place(&mut self) -> Result<Place, StoreError> {
        let head = match &self.head {
            Some(head) => head,
            None => {
                let (sequence, moment, hash) = dialect::lock_head(self.connection)?;
                self.head.insert(Head { place: Place { sequence, moment }, hash })
            }
        };
        Ok(Place {
            sequence: head.place.sequence + 1,
            moment: moment::of(self.now).max(head.place.moment + 1),
        })
    }

    /// Writes the entry at the place that [`Tx::next_place`] gave, and the item's audience.
    pub(crate) fn append(
        &mut self,
        place: Place,
        change: Change<'_>,
        snapshot: String,
    ) -> Result<(), StoreError> {
        let held = self.held(change.resource, &change.item)?;
        self.append_with(place, change, snapshot, held, Vec::new())
    }

    /// The keys that an item hangs out or once did, for [`Tx::append_with`]. It may be asked before the lock by who then makes sure
    /// that the item is still the one that was read.
    pub(crate) fn held(&mut self, resource: &str, item: &str) -> Result<Held, StoreError> {
        Ok(audience::table
            .filter(audience::item.eq(holder_of(resource, item)))
            .order(audience::audience_key)
            .select((audience::audience_key, audience::lost_at))
            .load(self.connection)?)
    }

    /// The same where it is known who could see the item before, and with the item's other rows in one go.
    pub(crate) fn append_with(
        &mut self,
        place: Place,
        change: Change<'_>,
        snapshot: String,
        held: Held,
        rows: Vec<Statement>,
    ) -> Result<(), StoreError> {
        let Change { resource, item, version, event, reason, audience, seen_from } = change;
        let previous_hash = self.head.as_ref().map(|head| head.hash.clone()).unwrap_or_default();
        self.finish_day(place)?;
        let mut statements = rows;
        statements.extend(audience_rows(holder_of(resource, &item), &held, &audience, place));
        let before: Vec<String> =
            held.into_iter().filter(|(_, lost_at)| lost_at.is_none()).map(|(key, _)| key).collect();
        let mut entry = Entry {
            sequence: place.sequence,
            moment: place.moment,
            actor: self.actor.clone(),
            reason,
            resource: resource.to_owned(),
            item,
            version,
            event: event.to_owned(),
            snapshot,
            audience_before: join_keys(&before),
            audience_after: join_keys(&audience),
            seen_from: seen_from.as_str().to_owned(),
            previous_hash,
            hash: String::new(),
        };
        entry.hash = entry.digest();
        let hash = entry.hash.clone();
        statements.push(
            Statement::new()
                .sql("UPDATE journal_head SET sequence = ")
                .value(place.sequence)
                .sql(", moment = ")
                .value(place.moment)
                .sql(", hash = ")
                .value(hash.as_str())
                .sql(" WHERE id = 1"),
        );
        statements.extend(Statement::insert(ENTRY, [entry.into_values()]));
        dialect::execute_all(self.connection, statements)?;
        self.head = Some(Head { place, hash });
        Ok(())
    }

    /// With the first entry of a later day the day of the last one is over, and its root stands for ever.
    fn finish_day(&mut self, place: Place) -> Result<(), StoreError> {
        let Some(Head { place: last, hash }) = &self.head else { return Ok(()) };
        let root = Root::of((last.sequence, last.moment, hash.clone()));
        if last.sequence == 0 || root.day == domain::calendar::amsterdam_day(moment::to_utc(place.moment)) {
            return Ok(());
        }
        root.keep(self.connection)
    }

    /// Takes the journal's lock now: what is read after this nobody changes before the commit. For work whose plan rests on
    /// more than the item that it saves.
    pub fn lock(&mut self) -> Result<(), StoreError> {
        self.next_place().map(|_| ())
    }

    /// The moment that the next entry gets: never before the last one's, also when the clock was set back.
    pub fn moment(&mut self) -> Result<DateTime<Utc>, StoreError> {
        Ok(moment::to_utc(self.next_place()?.moment))
    }

    /// Where the journal stands: after the last entry that this transaction wrote, or that others did before it.
    pub fn position(&mut self) -> Result<Position, StoreError> {
        match &self.head {
            Some(head) => Ok(Position::of(head.place.sequence, &head.hash)),
            None => position(self.connection),
        }
    }

    /// Whether anything was ever written.
    pub fn is_first(&mut self) -> Result<bool, StoreError> {
        Ok(self.next_place()?.sequence == 1)
    }
}

fn is_seen_from(narrowest: &str, view: View) -> bool {
    let narrowest =
        [View::Public, View::Own, View::Internal].into_iter().find(|known| known.as_str() == narrowest);
    narrowest.is_none_or(|narrowest| view >= narrowest)
}

/// Whether the items of a resource are known by a code, which is one only within its table.
pub fn is_code(resource: &str) -> bool {
    let has_id = matches!(
        resource,
        crate::advice::RESOURCE | crate::advice_request::RESOURCE | crate::response_draft::RESOURCE
    );
    !has_id && !crate::dossier::RESOURCES.contains(&resource)
}

fn join_keys(keys: &[String]) -> String {
    if keys.is_empty() { String::new() } else { format!("|{}|", keys.join("|")) }
}

/// Whether the keys of an entry, as it keeps them, hold this one.
pub fn holds_key(keys: &str, key: &str) -> bool {
    keys.split('|').any(|held| held == key)
}

/// The keys of an item, and of those that it no longer hangs out since when.
pub(crate) type Held = Vec<(String, Option<i64>)>;

/// An id is unique; a code is so only within its table.
fn holder_of(resource: &str, item: &str) -> String {
    if is_code(resource) { format!("{resource}/{item}") } else { item.to_owned() }
}

/// Keeps who may see the item now and who lost it.
fn audience_rows(item: String, held: &Held, keys: &[String], place: Place) -> Vec<Statement> {
    let has = |key: &String| keys.contains(key);
    let lost = held.iter().filter(|(key, lost_at)| lost_at.is_none() && !has(key));
    let back = held.iter().filter(|(key, lost_at)| lost_at.is_some() && has(key));
    let turned = |lost_at: Statement, turned: Vec<Value>| {
        let rows = Statement::new()
            .sql("UPDATE audience SET lost_at = ")
            .then(lost_at)
            .sql(" WHERE item = ")
            .value(item.as_str())
            .sql(" AND audience_key IN (");
        (!turned.is_empty()).then(|| rows.values(turned).sql(")"))
    };
    let values = |(key, _): &(String, Option<i64>)| Value::from(key.as_str());
    let new = keys.iter().filter(|key| !held.iter().any(|(known, _)| known == *key));
    [
        turned(Statement::new().value(place.moment), lost.map(values).collect()),
        turned(Statement::new().sql("NULL"), back.map(values).collect()),
        Statement::insert(
            "audience (item, audience_key)",
            new.map(|key| [item.as_str().into(), key.as_str().into()]),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The last entry's number and moment.
pub fn head(connection: &mut AnyConnection) -> Result<(i64, DateTime<Utc>), StoreError> {
    let (sequence, moment) = journal_head::table
        .find(1)
        .select((journal_head::sequence, journal_head::moment))
        .first::<(i64, i64)>(connection)?;
    Ok((sequence, moment::to_utc(moment)))
}

/// Where the journal ends.
pub fn position(connection: &mut AnyConnection) -> Result<Position, StoreError> {
    let (sequence, hash) = journal_head::table
        .find(1)
        .select((journal_head::sequence, journal_head::hash))
        .first::<(i64, String)>(connection)?;
    Ok(Position::of(sequence, &hash))
}

/// The position of the entry of this number; none where the journal does not go so far.
pub fn position_at(connection: &mut AnyConnection, sequence: i64) -> Result<Option<Position>, StoreError> {
    if sequence == 0 {
        return Ok(Some(Position { sequence: 0, mark: 0 }));
    }
    let hash: Option<String> =
        journal::table.find(sequence).select(journal::hash).first(connection).optional()?;
    Ok(hash.map(|hash| Position::of(sequence, &hash)))
}

/// Entries after a sequence number, in order.
pub fn after(connection: &mut AnyConnection, sequence: i64, limit: i64) -> Result<Vec<Entry>, StoreError> {
    Ok(journal::table
        .filter(journal::sequence.gt(sequence))
        .order(journal::sequence)
        .limit(limit)
        .select(Entry::as_select())
        .load(connection)?)
}

/// What an entry says to who only looks whom it concerns.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = journal)]
pub struct Glance {
    /// Its number.
    pub sequence: i64,
    moment: i64,
    /// What kind of thing changed.
    pub resource: String,
    /// Its id or code.
    pub item: String,
    /// The keys of its audience before, each between bars.
    pub audience_before: String,
    /// The keys of its audience after.
    pub audience_after: String,
    seen_from: String,
    hash: String,
}

impl Glance {
    /// When it was written.
    pub fn at(&self) -> DateTime<Utc> {
        moment::to_utc(self.moment)
    }

    /// Whether a reader with this view saw a difference.
    pub fn is_seen_by(&self, view: View) -> bool {
        is_seen_from(&self.seen_from, view)
    }

    /// The point in the journal that who has read this entry has come to.
    pub fn position(&self) -> Position {
        Position::of(self.sequence, &self.hash)
    }
}

/// Entries after a sequence number, in order, at a glance.
pub fn scan(connection: &mut AnyConnection, sequence: i64, limit: i64) -> Result<Vec<Glance>, StoreError> {
    Ok(journal::table
        .filter(journal::sequence.gt(sequence))
        .order(journal::sequence)
        .limit(limit)
        .select(Glance::as_select())
        .load(connection)?)
}

/// The entries of one item, in order, after a version.
pub fn of_item(
    connection: &mut AnyConnection,
    resources: &[&str],
    item: &str,
    after_sequence: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    Ok(journal::table
        .filter(journal::item.eq(item))
        .filter(
            journal::resource
                .eq_any(resources.iter().map(|resource| (*resource).to_owned()).collect::<Vec<_>>()),
        )
        .filter(journal::sequence.gt(after_sequence))
        .order(journal::sequence)
        .limit(limit)
        .select(Entry::as_select())
        .load(connection)?)
}

/// The last entry of one item up to and including a place in the journal.
pub fn last_of_item(
    connection: &mut AnyConnection,
    resource: &str,
    item: &str,
    sequence: i64,
) -> Result<Option<Entry>, StoreError> {
    Ok(journal::table
        .filter(journal::resource.eq(resource))
        .filter(journal::item.eq(item))
        .filter(journal::sequence.le(sequence))
        .order(journal::sequence.desc())
        .select(Entry::as_select())
        .first(connection)
        .optional()?)
}

/// The names of all resources that stand in the journal.
pub fn resources() -> Vec<&'static str> {
    let of_advice =
        [crate::advice::RESOURCE, crate::response_draft::RESOURCE, crate::advice_request::RESOURCE];
    let tables = crate::registry::Table::ALL.map(crate::registry::Table::as_str);
    of_advice.into_iter().chain(crate::dossier::RESOURCES).chain(tables).collect()
}

/// Which entries an auditor asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// After this number.
    pub after: i64,
    /// Of this resource.
    pub resource: Option<String>,
    /// Of the item with this id or code.
    pub item: Option<String>,
    /// Written by this actor.
    pub actor: Option<String>,
    /// Written on this Amsterdam day or later.
    pub from: Option<NaiveDate>,
    /// Written on this Amsterdam day or before.
    pub to: Option<NaiveDate>,
}

/// The entries asked for, in order: at most so many, and no more than fit into so many characters of snapshots, but always one.
/// Also whether there are more.
pub fn asked(
    connection: &mut AnyConnection,
    asked: &Asked,
    limit: i64,
    most_characters: i64,
) -> Result<(Vec<Entry>, bool), StoreError> {
    let Asked { after, resource, item, actor, from, to } = asked;
    let mut query = journal::table
        .filter(journal::sequence.gt(*after))
        .order(journal::sequence)
        .limit(limit + 1)
        .select((journal::sequence, sql::<BigInt>("CAST(length(snapshot) AS BIGINT)")))
        .into_boxed();
    // An item has an index under its resource only.
    let of = match (resource, item) {
        (Some(resource), _) => Some(vec![resource.clone()]),
        (None, Some(_)) => Some(resources().into_iter().map(str::to_owned).collect()),
        (None, None) => None,
    };
    if let Some(of) = of {
        query = query.filter(journal::resource.eq_any(of));
    }
    if let Some(item) = item {
        query = query.filter(journal::item.eq(item.clone()));
    }
    if let Some(actor) = actor {
        query = query.filter(journal::actor.eq(actor.clone()));
    }
    if let Some(from) = from {
        query = query.filter(journal::moment.ge(moment::of(start_of(*from))));
    }
    if let Some(next) = to.and_then(|to| to.succ_opt()) {
        query = query.filter(journal::moment.lt(moment::of(start_of(next))));
    }
    let found: Vec<(i64, i64)> = query.load(connection)?;
    let (mut page, mut characters) = (Vec::new(), 0);
    for (sequence, length) in found.iter().take(usize::try_from(limit).unwrap_or(1)) {
        characters += length;
        if characters > most_characters && !page.is_empty() {
            break;
        }
        page.push(*sequence);
    }
    let more = page.len() < found.len();
    let entries = journal::table
        .filter(journal::sequence.eq_any(page))
        .order(journal::sequence)
        .select(Entry::as_select())
        .load(connection)?;
    Ok((entries, more))
}

/// Where a reading of the chain begins: after this entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Start {
    pub sequence: i64,
    pub moment: i64,
    pub hash: String,
}

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verified {
    /// How many entries were read and follow each other.
    pub entries: i64,
    /// The first place where the chain breaks, and how.
    pub broken: Option<String>,
    /// The last entry that was read of each day.
    pub days: BTreeMap<NaiveDate, Root>,
}

/// Reads the chain from a place on and says where it breaks.
pub(crate) fn verify(connection: &mut AnyConnection, start: &Start) -> Result<Verified, StoreError> {
    let Start { sequence: began, moment, hash } = start.clone();
    let mut last = Head { place: Place { sequence: began, moment }, hash };
    let mut days = BTreeMap::new();
    let mut broken = None;
    'reading: loop {
        let batch = after(connection, last.place.sequence, 1000)?;
        if batch.is_empty() {
            break;
        }
        for entry in batch {
            broken = follows(&entry, &last);
            if broken.is_some() {
                break 'reading;
            }
            let root = Root::of((entry.sequence, entry.moment, entry.hash.clone()));
            days.insert(root.day, root);
            last = Head { place: Place { sequence: entry.sequence, moment: entry.moment }, hash: entry.hash };
        }
    }
    if broken.is_none() {
        let (sequence, moment, hash) = journal_head::table
            .find(1)
            .select((journal_head::sequence, journal_head::moment, journal_head::hash))
            .first::<(i64, i64, String)>(connection)?;
        if (Place { sequence, moment }) != last.place || hash != last.hash {
            broken = Some(format!(
                "the journal ends at entry {}, but its head says {sequence}",
                last.place.sequence
            ));
        }
    }
    Ok(Verified { entries: last.place.sequence - began, broken, days })
}

/// What is wrong with an entry that is to follow another.
fn follows(entry: &Entry, last: &Head) -> Option<String> {
    let (at, before) = (entry.sequence, last.place.sequence);
    if at != before + 1 {
        return Some(format!("entry {} is missing; entry {at} follows {before}", before + 1));
    }
    if entry.previous_hash != last.hash {
        return Some(format!("entry {at} does not follow entry {}: the hashes differ", at - 1));
    }
    if entry.digest() != entry.hash {
        let Entry { resource, item, .. } = entry;
        return Some(format!("entry {at} ({resource} {item}) was changed after it was written"));
    }
    (entry.moment <= last.place.moment).then(|| format!("entry {at} is not later than the one before it"))
}
