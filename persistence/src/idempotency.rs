//! Answers that are kept for a client that asks again with the same `Idempotency-Key`, in the same transaction as the
//! change. A twin waits on the key's row and gets the stored answer.

use chrono::{DateTime, Duration, Utc};
use diesel::Connection as _;
use diesel::prelude::*;

use crate::error::StoreError;
use crate::journal::Tx;
use crate::moment;
use crate::schema::idempotency;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: go on, and [`keep`] the answer.
    Fresh,
    /// It was answered; this is the answer.
    Answered(String),
    /// It was used for another request.
    OtherRequest,
}

/// Takes the key for this request.
pub fn begin(
    tx: &mut Tx<'_>,
    client: &str,
    key: &str,
    request_hash: &str,
    now: DateTime<Utc>,
) -> Result<Known, StoreError> {
    let oldest = moment::of(now - Duration::hours(24));
    diesel::delete(idempotency::table.filter(idempotency::created_at.lt(oldest))).execute(tx.connection)?;
    let inserted = tx.connection.transaction(|connection| {
        diesel::insert_into(idempotency::table)
            .values((
                idempotency::client.eq(client),
                idempotency::idempotency_key.eq(key),
                idempotency::request_hash.eq(request_hash),
                idempotency::created_at.eq(moment::of(now)),
            ))
            .execute(connection)
            .map_err(StoreError::from)
    });
    match inserted {
        Ok(_) => Ok(Known::Fresh),
        Err(StoreError::Duplicate) => {
            let (hash, answer): (String, Option<String>) = idempotency::table
                .find((client, key))
                .select((idempotency::request_hash, idempotency::answer))
                .first(tx.connection)?;
            match answer {
                _ if hash != request_hash => Ok(Known::OtherRequest),
                Some(answer) => Ok(Known::Answered(answer)),
                None => Err(StoreError::Busy),
            }
        }
        // The wait for the twin ran out.
        Err(error) if error.is_lock_wait() => Err(StoreError::Busy),
        Err(other) => Err(other),
    }
}

/// Keeps the answer.
pub fn keep(tx: &mut Tx<'_>, client: &str, key: &str, answer: &str) -> Result<(), StoreError> {
    diesel::update(idempotency::table.find((client, key)))
        .set(idempotency::answer.eq(answer))
        .execute(tx.connection)?;
    Ok(())
}

/// Forgets the kept answers that name this id: an answer may hold more of a person than the journal does. The same request sent
/// again is then a new one.
pub(crate) fn forget_answers_with(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    diesel::delete(idempotency::table.filter(idempotency::answer.like(format!("%{id}%"))))
        .execute(tx.connection)?;
    Ok(())
}
