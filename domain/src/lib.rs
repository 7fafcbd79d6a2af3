//! Types and rules of Wijk aan Zet. Nothing here reads, writes, or asks the time.

pub mod access;
pub mod advice;
pub mod advice_request;
pub mod calendar;
pub mod codes;
pub mod error;
pub mod ids;
pub mod office_holder;
pub mod term;

pub use error::{FieldError, RuleError};
