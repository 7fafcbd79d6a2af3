//! Plans the import of agreements, progress, judgements, commitments and measurements. Pure, as all of the import.
//!
//! A row is placed by the rules of the domain and by what is known; a row that breaks a rule is unplaced, with the rule's
//! words. The plan gives the items whole, as they are to be written, each once.

mod plan;
mod rows;

pub use plan::{Action, Decision, Known, Plan, Settings, plan};
pub use rows::{AgreementKey, AgreementRow, CommitmentRow, File, MeasurementRow, Row, Said, Source, parse};

#[cfg(test)]
mod tests;
