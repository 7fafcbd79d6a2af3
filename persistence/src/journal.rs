//! The journal: every change, by whichever way in, writes its rows and one entry here in the same transaction. Audit,
//! feed, as-known queries and caching come from it, and from nothing else.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::access::View;
use sha2::{Digest, Sha256};

use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::moment;
use crate::schema::{audience, journal, journal_head};

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
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
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

impl Entry {
    /// When it was written.
    pub fn at(&self) -> DateTime<Utc> {
        moment::to_utc(self.moment)
    }

    /// Whether a reader with this view saw a difference.
    pub fn is_seen_by(&self, view: View) -> bool {
        let narrowest = [View::Public, View::Own, View::Internal]
            .into_iter()
            .find(|known| known.as_str() == self.seen_from);
        narrowest.is_none_or(|narrowest| view >= narrowest)
    }

    fn digest(&self) -> String {
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

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
            Some(head) => head.clone(),
            None => {
                // Writing the row is the lock, on both databases.
                diesel::update(journal_head::table.find(1))
                    .set(journal_head::sequence.eq(journal_head::sequence))
                    .execute(self.connection)?;
                let (sequence, moment, hash) = journal_head::table
                    .find(1)
                    .select((journal_head::sequence, journal_head::moment, journal_head::hash))
                    .first::<(i64, i64, String)>(self.connection)?;
                let head = Head { place: Place { sequence, moment }, hash };
                self.head = Some(head.clone());
                head
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
        let Change { resource, item, version, event, reason, audience, seen_from } = change;
        // An id is unique; a code is so only within its table.
        let holder = if is_code(resource) { format!("{resource}/{item}") } else { item.clone() };
        let before = save_audience(self.connection, &holder, &audience, place)?;
        let previous_hash = self.head.as_ref().map(|head| head.hash.clone()).unwrap_or_default();
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
        diesel::insert_into(journal::table).values(&entry).execute(self.connection)?;
        diesel::update(journal_head::table.find(1))
            .set((
                journal_head::sequence.eq(entry.sequence),
                journal_head::moment.eq(entry.moment),
                journal_head::hash.eq(&entry.hash),
            ))
            .execute(self.connection)?;
        self.head = Some(Head { place, hash: entry.hash });
        Ok(())
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

fn is_code(resource: &str) -> bool {
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

/// Keeps who may see the item now and who lost it; gives who could before.
fn save_audience(
    connection: &mut AnyConnection,
    item: &str,
    keys: &[String],
    place: Place,
) -> Result<Vec<String>, StoreError> {
    let known: Vec<(String, Option<i64>)> = audience::table
        .filter(audience::item.eq(item))
        .order(audience::audience_key)
        .select((audience::audience_key, audience::lost_at))
        .load(connection)?;
    for (key, lost_at) in &known {
        let lost_now = if keys.contains(key) { None } else { Some(lost_at.unwrap_or(place.moment)) };
        if lost_now != *lost_at {
            diesel::update(audience::table.find((item, key)))
                .set(audience::lost_at.eq(lost_now))
                .execute(connection)?;
        }
    }
    for key in keys.iter().filter(|key| !known.iter().any(|(old, _)| old == *key)) {
        diesel::insert_into(audience::table)
            .values((audience::item.eq(item), audience::audience_key.eq(key)))
            .execute(connection)?;
    }
    Ok(known.into_iter().filter(|(_, lost_at)| lost_at.is_none()).map(|(key, _)| key).collect())
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

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries were read.
    pub entries: i64,
    /// The first place where the chain breaks, and how.
    pub broken: Option<String>,
}

/// Reads the whole chain and says where it breaks.
pub fn verify(connection: &mut AnyConnection) -> Result<Verified, StoreError> {
    let mut last = Head { place: Place { sequence: 0, moment: 0 }, hash: String::new() };
    let broken = |entries: i64, what: String| Ok(Verified { entries, broken: Some(what) });
    loop {
        let batch = after(connection, last.place.sequence, 1000)?;
        if batch.is_empty() {
            break;
        }
        for entry in batch {
            let at = entry.sequence;
            if at != last.place.sequence + 1 {
                return broken(
                    last.place.sequence,
                    format!(
                        "entry {} is missing; entry {at} follows {}",
                        last.place.sequence + 1,
                        last.place.sequence
                    ),
                );
            }
            if entry.previous_hash != last.hash {
                return broken(at, format!("entry {at} does not follow entry {}: the hashes differ", at - 1));
            }
            if entry.digest() != entry.hash {
                return broken(
                    at,
                    format!(
                        "entry {at} ({} {}) was changed after it was written",
                        entry.resource, entry.item
                    ),
                );
            }
            if entry.moment <= last.place.moment {
                return broken(at, format!("entry {at} is not later than the one before it"));
            }
            last = Head { place: Place { sequence: at, moment: entry.moment }, hash: entry.hash };
        }
    }
    let (sequence, moment, hash) = journal_head::table
        .find(1)
        .select((journal_head::sequence, journal_head::moment, journal_head::hash))
        .first::<(i64, i64, String)>(connection)?;
    let head = Head { place: Place { sequence, moment }, hash };
    if head.place != last.place || head.hash != last.hash {
        return broken(
            last.place.sequence,
            format!("the journal ends at entry {}, but its head says {sequence}", last.place.sequence),
        );
    }
    Ok(Verified { entries: sequence, broken: None })
}
