//! Drafts of responses in storage. They have a version of their own: the advice's must not tell that one exists.

use diesel::prelude::*;
use domain::access::View;
use domain::advice::ResponseDraft;
use domain::ids::AdviceId;

use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::journal::{self, Change, Entry, Tx};
use crate::moment;
use crate::schema::response_draft;
use crate::snapshot::{Stamp, Stored, from_text, to_text};

/// The name of the resource in the journal.
pub const RESOURCE: &str = "response-draft";

/// The draft of an advice, if there is one. Who may see it is decided at the advice.
pub fn find(
    connection: &mut AnyConnection,
    advice: AdviceId,
) -> Result<Option<Stored<ResponseDraft>>, StoreError> {
    let row: Option<(i64, i64, i64, String)> = response_draft::table
        .find(advice.to_string())
        .select((
            response_draft::version,
            response_draft::created_at,
            response_draft::modified_at,
            response_draft::snapshot,
        ))
        .first(connection)
        .optional()?;
    row.map(|(version, created_at, modified_at, text)| {
        Ok(Stored {
            value: from_text("response draft", &text)?,
            stamp: stamp(version, created_at, modified_at),
        })
    })
    .transpose()
}

fn stamp(version: i64, created_at: i64, modified_at: i64) -> Stamp {
    Stamp::plain(version, moment::to_utc(created_at), moment::to_utc(modified_at))
}

/// What the journal calls the draft of an advice: an address of its own, so that the audience of the advice stays the advice's.
pub fn item_of(advice: AdviceId) -> String {
    format!("{advice}/response-draft")
}

/// Reads drafts of one advice back from entries of the journal. The first entry says when it was first written.
pub fn read_all<'e>(
    connection: &mut AnyConnection,
    advice: AdviceId,
    entries: impl Iterator<Item = &'e Entry>,
) -> Result<Vec<Stored<ResponseDraft>>, StoreError> {
    let first = journal::of_item(connection, &[RESOURCE], &item_of(advice), 0, 1)?;
    let Some(created_at) = first.first().map(Entry::at) else { return Ok(Vec::new()) };
    let read = |entry: &Entry| {
        let value = from_text("response draft", &entry.snapshot)?;
        Ok(Stored { value, stamp: Stamp::plain(entry.version, created_at, entry.at()) })
    };
    entries.map(read).collect()
}

/// Puts the draft in place of what was there, if nobody else changed that since.
pub fn put(
    tx: &mut Tx<'_>,
    advice: AdviceId,
    value: &ResponseDraft,
    before: Option<Stamp>,
) -> Result<Stored<ResponseDraft>, StoreError> {
    let place = tx.next_place()?;
    let text = to_text(value)?;
    let id = advice.to_string();
    let version = before.map_or(0, |before| before.version) + 1;
    let created_at = before.map_or(place.moment, |before| moment::of(before.created_at));
    match before {
        None => {
            diesel::insert_into(response_draft::table)
                .values((
                    response_draft::advice.eq(&id),
                    response_draft::version.eq(version),
                    response_draft::created_at.eq(created_at),
                    response_draft::modified_at.eq(place.moment),
                    response_draft::snapshot.eq(&text),
                ))
                .execute(tx.connection)
                .map_err(|error| match StoreError::from(error) {
                    // Somebody else wrote the first draft meanwhile.
                    StoreError::Duplicate => StoreError::Stale,
                    other => other,
                })?;
        }
        Some(before) => {
            let same = response_draft::table.find(&id).filter(response_draft::version.eq(before.version));
            let saved = diesel::update(same)
                .set((
                    response_draft::version.eq(version),
                    response_draft::modified_at.eq(place.moment),
                    response_draft::snapshot.eq(&text),
                ))
                .execute(tx.connection)?;
            if saved != 1 {
                return Err(StoreError::Stale);
            }
        }
    }
    let change = Change {
        resource: RESOURCE,
        item: item_of(advice),
        version,
        event: "response-draft",
        reason: None,
        audience: Vec::new(),
        seen_from: View::Public,
    };
    tx.append(place, change, text)?;
    Ok(Stored { value: value.clone(), stamp: stamp(version, created_at, place.moment) })
}
