//! Plans imports: of the two portals' lists and of answers, and in [`dossiers`] of agreements, what was said of them,
//! commitments and measurements. Pure: it reads bytes and says what to do; others do it.
//!
//! A file is read into rows, each row into what it says, and all rows together into decisions. What cannot be told is
//! unplaced with its reason. A second run over the same file decides only `Unchanged` or the same `Unplaced`.

pub mod dossiers;
mod plan;
mod reading;
mod rows;
mod table;

pub use plan::{
    Action, DAYS_APART, Decision, Joined, KnownAdvice, KnownAnswer, KnownReference, NewRegistered, Target,
    VOID_REASON, plan,
};
pub use reading::{RowReading, read_row};
pub use rows::{
    AnswerRow, FileProblem, LONGEST_TITLE, ListFile, ListSource, ListedRow, Row, RowContent, parse,
    parse_answers, parse_raad, parse_wijkraad,
};

#[cfg(test)]
mod tests;
