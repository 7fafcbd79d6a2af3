//! Rows that have no place are kept with the reason, and forgotten once they have one.

use std::collections::{BTreeMap, HashMap};

use persistence::registry::{self, Table};
use persistence::{StoreError, Stored, Tx, hex};
use sha2::{Digest, Sha256};

use crate::registry::UnplacedRow;

/// Where a row stands and what it says.
pub(super) struct Place<'a> {
    /// Which kind of file.
    pub source: &'a str,
    /// By what people know the row.
    pub name: &'a str,
    /// The row as it was read.
    pub text: &'a str,
}

/// Which rows of a file have a place and which have none.
#[derive(Default)]
pub(super) struct Notes(BTreeMap<String, UnplacedRow>);

impl Notes {
    /// A row has no place.
    pub fn unplaced(&mut self, row: &Place<'_>, reason: String) {
        self.note(row, Some(reason));
    }

    /// A row has its place: if it had none before, it is no longer kept as one without.
    pub fn placed(&mut self, row: &Place<'_>) {
        self.note(row, None);
    }

    /// Of rows that say the same the first reason stays: one of them has no place.
    fn note(&mut self, row: &Place<'_>, reason: Option<String>) {
        let Place { source, name, text } = row;
        let item = UnplacedRow {
            source: (*source).to_owned(),
            row: (*name).to_owned(),
            text: (*text).to_owned(),
            reason,
        };
        let noted = self.0.entry(code(&item)).or_insert_with(|| item.clone());
        if noted.reason.is_none() && item.reason.is_some() {
            *noted = item;
        }
    }

    /// Keeps the rows that have no place, and of those that had none before that they found one. Gives how many were
    /// written.
    pub fn keep(self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        // Read at once: a file may have many thousands of rows, and few of them were ever without a place.
        let known: Vec<Stored<UnplacedRow>> = registry::all(tx.reading(), Table::UnplacedRow)?;
        let known: HashMap<String, Stored<UnplacedRow>> =
            known.into_iter().map(|stored| (code(&stored.value), stored)).collect();
        let mut written = 0;
        for (code, item) in self.0 {
            match known.get(&code) {
                None if item.reason.is_none() => continue,
                None => registry::add(tx, Table::UnplacedRow, &code, &item, "import")?,
                Some(before) if before.value.reason == item.reason => continue,
                Some(before) => registry::save(tx, Table::UnplacedRow, &code, &item, before.stamp, "import")?,
            };
            written += 1;
        }
        Ok(written)
    }
}

/// By what the row says, for a number or a line may be there twice or in another file.
fn code(row: &UnplacedRow) -> String {
    let UnplacedRow { source, row, text, reason: _ } = row;
    let digest = Sha256::digest(format!("{source}\u{1f}{row}\u{1f}{text}"));
    format!("{source} {}", hex(&digest[..12]))
}
