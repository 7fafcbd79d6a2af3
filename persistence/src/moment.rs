//! Moments as storage keeps them: microseconds since 1970-01-01T00:00Z; and days: since 0001-01-01.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// Cut to microseconds.
pub(crate) fn of(moment: DateTime<Utc>) -> i64 {
    moment.timestamp_micros()
}

/// Back again.
pub(crate) fn to_utc(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}

/// A day as a number that sorts and subtracts alike on both databases.
pub fn day(on: NaiveDate) -> i32 {
    on.num_days_from_ce()
}

/// Back again.
pub(crate) fn of_day(days: i32) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt(days).unwrap_or_default()
}
