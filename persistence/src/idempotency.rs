//! Answers that are kept for a client that asks again with the same `Idempotency-Key`, in the same transaction as the
//! change. A twin waits on the key's row and gets the stored answer.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;

use crate::error::StoreError;
use crate::journal::Tx;
use crate::moment;
use crate::schema::idempotency;
use crate::statement::Statement;

/// How long an answer is given again. It is cleared away some time after.
const LIFE: Duration = Duration::hours(24);

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
    let oldest = moment::of(now - LIFE);
    // Of all requests some take the trouble.
    if request_hash.starts_with('0') {
        diesel::delete(idempotency::table.filter(idempotency::created_at.lt(oldest)))
            .execute(tx.connection)?;
    }
    if insert(tx, client, key, request_hash, now)? {
        return Ok(Known::Fresh);
    }
    let known: Option<(String, Option<String>, i64)> = idempotency::table
        .find((client, key))
        .select((idempotency::request_hash, idempotency::answer, idempotency::created_at))
        .first(tx.connection)
        .optional()?;
    // Somebody else cleared it away in between.
    let Some((hash, answer, created_at)) = known else { return Err(StoreError::Busy) };
    match answer {
        _ if created_at < oldest => {
            diesel::delete(idempotency::table.find((client, key))).execute(tx.connection)?;
            match insert(tx, client, key, request_hash, now)? {
                true => Ok(Known::Fresh),
                // A twin was faster.
                false => Err(StoreError::Busy),
            }
        }
        _ if hash != request_hash => Ok(Known::OtherRequest),
        Some(answer) => Ok(Known::Answered(answer)),
        None => Err(StoreError::Busy),
    }
}

/// Whether the key was free. Who has it from another transaction is waited for. Diesel has no `on_conflict` for both databases; they
/// spell it alike.
fn insert(
    tx: &mut Tx<'_>,
    client: &str,
    key: &str,
    request_hash: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let row = [client.into(), key.into(), request_hash.into(), moment::of(now).into()];
    let insert = Statement::new()
        .sql("INSERT INTO idempotency (client, idempotency_key, request_hash, created_at) VALUES (")
        .values(row)
        .sql(") ON CONFLICT (client, idempotency_key) DO NOTHING");
    match insert.execute(tx.connection).map_err(StoreError::from) {
        Ok(inserted) => Ok(inserted > 0),
        // The wait for the twin ran out.
        Err(error) if error.is_lock_wait() => Err(StoreError::Busy),
        Err(other) => Err(other),
    }
}

/// Keeps the answer.
pub fn keep(tx: &mut Tx<'_>, client: &str, key: &str, answer: &str) -> Result<(), StoreError> {
    Statement::new()
        .sql("UPDATE idempotency SET answer = ")
        .value(answer)
        .sql(" WHERE client = ")
        .value(client)
        .sql(" AND idempotency_key = ")
        .value(key)
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
