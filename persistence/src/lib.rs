//! Storage of Wijk aan Zet: the same queries on SQLite and PostgreSQL, and one journal.

#![forbid(unsafe_code)]

pub mod advice;
pub mod advice_request;
pub mod backup;
mod bare;
pub mod check;
mod connection;
mod dialect;
pub mod dossier;
mod error;
pub mod facts;
mod hold;
pub mod idempotency;
pub mod journal;
mod look;
mod moment;
pub mod registry;
pub mod response_draft;
pub mod roots;
mod schema;
mod snapshot;
mod statement;
mod store;
pub mod workload;

pub use connection::{AnyConnection, DatabaseUrl};
pub use error::StoreError;
pub use journal::{Position, State, Tx, hex};
pub use look::{Look, Standing};
pub use snapshot::{Mark, Seen, Stamp, Stored, read as read_advice};
pub use store::{Replica, Snapshot, Store, Usage, check_existing, check_existing_from};

impl Tx<'_> {
    /// The connection, for reading inside the transaction.
    pub fn reading(&mut self) -> &mut AnyConnection {
        self.connection
    }
}
