//! The store: reading and writing through transactions. The clock and the caller come from outside.

use chrono::{DateTime, Utc};

use crate::connection::{AnyConnection, DatabaseUrl, Pools};
use crate::dialect;
use crate::error::StoreError;
use crate::journal::Tx;

/// Reads everything of a database that is there already and says whether all is well. Nothing is made or changed.
pub fn check_existing(url: &DatabaseUrl) -> Result<crate::check::Report, StoreError> {
    let mut database = crate::connection::existing(url)?;
    dialect::read_transaction(&mut database.connection, crate::check::all)
}

/// The database, ready to use.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
}

impl Store {
    /// Opens it, creates it where there is none, and brings its tables up to date.
    pub fn open(url: &DatabaseUrl, connections: u32) -> Result<Self, StoreError> {
        Ok(Self { pools: Pools::open(url, connections)? })
    }

    /// How many can read at the same time; who comes later waits.
    pub fn readers(&self) -> u32 {
        self.pools.readers()
    }

    /// Reads on one snapshot of the database.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.pools.reader()?;
        dialect::read_transaction(&mut connection, work)
    }

    /// Writes, all or nothing, as this actor at this moment.
    pub fn write<T, E: From<StoreError>>(
        &self,
        actor: &str,
        now: DateTime<Utc>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.pools.writer()?;
        dialect::write_transaction(&mut connection, |connection| work(&mut Tx::new(connection, actor, now)))
    }
}
