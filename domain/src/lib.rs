//! Types and rules of Wijk aan Zet. Nothing here reads, writes, or asks the time.

#![forbid(unsafe_code)]

pub mod access;
pub mod accord;
pub mod advice;
pub mod advice_request;
pub mod agreement;
pub mod assignment;
pub mod attribution;
pub mod calendar;
pub mod codes;
pub mod collegetarget;
pub mod commitment;
pub mod council;
pub mod coverage;
pub mod dossier;
pub mod error;
pub mod ids;
pub mod import;
pub mod metrics;
pub mod office_holder;
pub mod participation_plan;
pub mod policy_track;
pub mod reference;
pub mod talk;
pub mod term;
#[cfg(test)]
mod testing;

pub use error::{FieldError, RuleError};
