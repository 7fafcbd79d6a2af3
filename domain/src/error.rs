//! What a rule answers when it refuses.

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
}
