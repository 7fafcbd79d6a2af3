//! What a rule answers when it refuses.

use chrono::NaiveDate;

use crate::calendar;

/// One thing wrong with what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON Pointer into the body, such as `/points/0/reasons`.
    pub location: String,
    /// Stable code for programs, such as `date.future`.
    pub code: &'static str,
    /// What to do about it, for people. Never repeats what was sent.
    pub detail: String,
}

impl FieldError {
    /// An error at a JSON Pointer.
    pub fn new(location: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { location: location.into(), code, detail: detail.into() }
    }
}

/// Why a rule refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// What was sent is not valid; all that is wrong with it.
    #[error("invalid input")]
    Invalid(Vec<FieldError>),
    /// What was sent is valid, but not open in the present state.
    #[error("{rule}: {detail}")]
    Conflict {
        /// Stable code of the rule, such as `transition-not-open`.
        rule: &'static str,
        /// What stands in the way, for people.
        detail: String,
    },
}

impl RuleError {
    /// One invalid field.
    pub fn invalid(location: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(location, code, detail)])
    }

    /// Not open in the present state.
    pub fn conflict(rule: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict { rule, detail: detail.into() }
    }

    /// All that it says, in one line.
    pub fn in_words(&self) -> String {
        match self {
            Self::Invalid(errors) => {
                let each = errors.iter().map(|error| format!("{} {}", error.location, error.detail));
                each.collect::<Vec<_>>().join("; ")
            }
            Self::Conflict { detail, .. } => detail.clone(),
        }
    }
}

/// Collects all that is wrong before it refuses.
#[derive(Default)]
pub(crate) struct Faults(pub(crate) Vec<FieldError>);

impl Faults {
    pub(crate) fn add(&mut self, location: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        self.0.push(FieldError::new(location, code, detail));
    }

    /// What happened lies in the past or today, in years the calendar knows.
    pub(crate) fn happened(&mut self, location: &str, on: NaiveDate, today: NaiveDate) {
        self.known_day(location, on);
        if on > today {
            self.add(location, "date.future", format!("lies after today, {today}"));
        }
    }

    /// In years the calendar knows.
    pub(crate) fn known_day(&mut self, location: &str, on: NaiveDate) {
        if !calendar::is_supported(on) {
            self.add(
                location,
                "date.range",
                format!("must lie from {} to {}", calendar::FIRST_DAY, calendar::LAST_DAY),
            );
        }
    }

    /// Days follow each other, as in rule 4: adopted ≤ submitted ≤ received ≤ answered.
    pub(crate) fn not_before(
        &mut self,
        location: &str,
        on: NaiveDate,
        earlier: Option<NaiveDate>,
        what: &str,
    ) {
        if let Some(earlier) = earlier
            && on < earlier
        {
            self.add(location, "date.order", format!("lies before the {what}, {earlier}"));
        }
    }

    /// A day that was recorded already is corrected, not overwritten.
    pub(crate) fn not_known_otherwise(&mut self, location: &str, on: NaiveDate, known: Option<NaiveDate>) {
        if known.is_some_and(|known| known != on) {
            self.add(location, "immutable", "is known already; a wrong day is corrected at /corrections");
        }
    }

    pub(crate) fn done(self) -> Result<(), RuleError> {
        if self.0.is_empty() { Ok(()) } else { Err(RuleError::Invalid(self.0)) }
    }
}

/// An item stays of a size that can be read: each entry of the journal holds it whole.
pub(crate) fn room_for_one_more(parts: usize) -> Result<(), RuleError> {
    if parts < MOST_PARTS {
        return Ok(());
    }
    Err(RuleError::conflict("too-many", format!("There is room for {MOST_PARTS} of these and no more.")))
}

/// How many parts of one kind an item may have.
const MOST_PARTS: usize = 100;
