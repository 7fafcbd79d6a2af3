//! Storage of Wijk aan Zet: the same queries on SQLite and PostgreSQL, and one journal.

pub mod advice;
pub mod advice_request;
pub mod check;
mod connection;
mod dialect;
pub mod dossier;
mod error;
pub mod facts;
pub mod idempotency;
pub mod journal;
mod moment;
pub mod registry;
pub mod response_draft;
mod schema;
mod snapshot;
mod store;
pub mod workload;

pub use connection::{AnyConnection, DatabaseUrl};
pub use error::StoreError;
pub use journal::Tx;
pub use snapshot::{Seen, Stamp, Stored, read as read_advice};
pub use store::{Store, check_existing};

impl Tx<'_> {
    /// The connection, for reading inside the transaction.
    pub fn reading(&mut self) -> &mut AnyConnection {
        self.connection
    }
}
