//! Types and rules of Wijk aan Zet. Nothing here reads, writes, or asks the time.

pub mod access;
pub mod advice;
pub mod advice_request;
pub mod attribution;
pub mod calendar;
pub mod codes;
pub mod council;
pub mod error;
pub mod ids;
pub mod import;
pub mod office_holder;
pub mod reference;
pub mod term;

pub use error::{FieldError, RuleError};
