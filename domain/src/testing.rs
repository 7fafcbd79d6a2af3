//! What the tests of rules share.

use chrono::NaiveDate;

use crate::error::RuleError;

/// A day, as it is written.
pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The day on which these tests stand.
pub(crate) fn today() -> NaiveDate {
    day("2026-11-23")
}

/// Where something is not valid, and why; of anything but invalid input the test fails.
pub(crate) fn faults<T: std::fmt::Debug>(result: Result<T, RuleError>) -> Vec<(String, &'static str)> {
    match result {
        Err(RuleError::Invalid(faults)) => {
            faults.into_iter().map(|fault| (fault.location, fault.code)).collect()
        }
        other => panic!("expected invalid input, got {other:?}"),
    }
}

/// The rule that stands in the way; of anything but a conflict the test fails.
pub(crate) fn conflict<T: std::fmt::Debug>(result: Result<T, RuleError>) -> &'static str {
    match result {
        Err(RuleError::Conflict { rule, .. }) => rule,
        other => panic!("expected a conflict, got {other:?}"),
    }
}
