//! Storage of Wijk aan Zet: the same queries on SQLite and PostgreSQL, and one journal.

mod connection;
mod dialect;
mod error;
pub mod advice;
pub mod journal;
mod moment;
mod schema;
mod snapshot;

pub use connection::{Connection, DatabaseUrl};
pub use error::StoreError;
pub use snapshot::{Stamp, Stored};
