//! Imports files: `domain::import` says what to do, and this does it, all or nothing.

pub mod dossiers;
mod lists;
mod unplaced;

use persistence::{Store, StoreError, Tx};

use crate::clock::Now;
use crate::csv::{Column, Style, render};
use crate::problem::ApiError;

pub use lists::run;

/// Why an import stops. Nothing is then written.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file as a whole is no good.
    #[error("{0}")]
    File(#[from] domain::import::FileProblem),
    /// A row breaks a rule.
    #[error("line {line}: {problem}")]
    Rule {
        /// The line.
        line: u64,
        /// What the rule says.
        problem: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was only a rehearsal; this is what it would have done.
    #[error("dry run")]
    Rehearsed(Box<Outcome>),
}

/// What was done with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line in the file.
    pub line: u64,
    /// The address of the row, in a list that has one.
    pub url: String,
    /// By what else it is known, such as its number.
    pub reference: String,
    /// What was done.
    pub action: &'static str,
    /// The item that it is about.
    pub item: String,
    /// Why, or why not.
    pub why: String,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it is told.
    manner: &'static Manner,
    /// Rows in the file.
    pub rows: usize,
    /// What was done, row by row.
    pub lines: Vec<Line>,
    /// Notes about the file.
    pub notes: Vec<String>,
    /// Items that were written.
    pub changes: usize,
}

impl Outcome {
    fn count(&self, actions: &[&str]) -> usize {
        self.lines.iter().filter(|line| actions.contains(&line.action)).count()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counted: Vec<String> = (self.manner.counted.iter())
            .map(|(words, actions)| format!("{} {words}", self.count(actions)))
            .collect();
        write!(f, "{} rows read: {}; {} changes", self.rows, counted.join(", "), self.changes)
    }
}

/// How what was done is told.
#[derive(Debug, PartialEq, Eq)]
struct Manner {
    /// What is counted, in words, and the actions that count.
    counted: &'static [(&'static str, &'static [&'static str])],
    /// The columns of the report, and where in a line they stand.
    columns: &'static [(&'static str, &'static str)],
}

/// Writes all of it or nothing, and nothing if it is only a rehearsal.
fn all_or_nothing(
    store: &Store,
    now: Now,
    rehearse: bool,
    work: impl FnOnce(&mut Tx<'_>) -> Result<Outcome, ImportError>,
) -> Result<Outcome, ImportError> {
    let outcome = store.write("wijkaanzet import", now.moment, |tx| {
        let outcome = work(tx)?;
        if rehearse { Err(ImportError::Rehearsed(Box::new(outcome))) } else { Ok(outcome) }
    });
    match outcome {
        Err(ImportError::Rehearsed(outcome)) => Ok(*outcome),
        other => other,
    }
}

/// The outcome row by row, as CSV.
pub fn report(outcome: &Outcome) -> Result<Vec<u8>, ApiError> {
    let columns: Vec<Column> =
        outcome.manner.columns.iter().map(|(name, place)| Column(name, place)).collect();
    let rows: Vec<serde_json::Value> = outcome
        .lines
        .iter()
        .map(|line| {
            let Line { line, url, reference, action, item, why } = line;
            serde_json::json!({"line": line, "url": url, "reference": reference, "action": action, "item": item,
                "why": why})
        })
        .collect();
    render(&columns, &rows, Style::Rfc4180)
}
