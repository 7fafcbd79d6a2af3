//! The store: reading and writing through transactions. The clock and the caller come from outside.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::ids::AdviceId;

use crate::check;
use crate::connection::{self, AnyConnection, DatabaseUrl, Lane, Loan, Pools};
use crate::dialect;
use crate::error::StoreError;
use crate::journal::{self, Position, Tx};
use crate::look::{Look, look};

/// Reads everything of a database that is there already and says whether all is well. Nothing is made or changed.
pub fn check_existing(url: &DatabaseUrl) -> Result<check::Report, StoreError> {
    let mut database = connection::existing(url)?;
    dialect::read_transaction(&mut database.connection, check::all)
}

/// The same from a point on, and against roots that somebody noted.
pub fn check_existing_from(url: &DatabaseUrl, wanted: &check::Wanted) -> Result<check::Report, StoreError> {
    let mut database = connection::existing(url)?;
    dialect::read_transaction(&mut database.connection, |connection| check::from(connection, wanted))
}

/// The database, ready to use.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    replica: Option<Replica>,
    seal: String,
}

/// A copy of the database that follows it, for reading.
#[derive(Clone)]
pub struct Replica {
    lane: Lane,
    /// What was there when this process started: a copy that has not come so far may not even have the tables.
    floor: i64,
}

/// One state of a copy, about to be read.
pub struct Snapshot {
    connection: Loan,
    position: Position,
}

/// How the connections of a pool are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// At most so many.
    pub size: u32,
    /// Out on loan.
    pub in_use: u32,
    /// Open and waiting.
    pub idle: u32,
}

impl Store {
    /// Opens it, creates it where there is none, and brings its tables up to date.
    pub fn open(url: &DatabaseUrl, connections: u32) -> Result<Self, StoreError> {
        let pools = Pools::open(url, connections)?;
        let seal = connection::seal(&pools.read)?;
        Ok(Self { pools, replica: None, seal })
    }

    /// The same, with a copy to read from. The copy may be away, and come and go.
    pub fn with_replica(mut self, url: &DatabaseUrl, connections: u32) -> Result<Self, StoreError> {
        let floor = self.read::<_, StoreError>(journal::position)?.sequence;
        self.replica = Some(Replica { lane: connection::replica(url, connections), floor });
        Ok(self)
    }

    /// The copy to read from, where there is one.
    pub fn replica(&self) -> Option<&Replica> {
        self.replica.as_ref()
    }

    /// The key that cursors and positions are sealed with: 64 hexadecimal digits, the same for every process on this database.
    pub fn seal(&self) -> &str {
        &self.seal
    }

    /// How the connections that read are used.
    pub fn readers(&self) -> Usage {
        self.pools.read.usage()
    }

    /// How the connections that write are used.
    pub fn writers(&self) -> Usage {
        self.pools.write.usage()
    }

    /// Reads on one snapshot of the database.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.pools.read.begun(dialect::begin_read)?;
        dialect::end_read(&mut connection, work)
    }

    /// Reads without a transaction: one statement is a snapshot by itself. Who sends more compares what they are of.
    pub fn read_at_once<T>(
        &self,
        work: impl Fn(&mut AnyConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (_loan, read) = self.pools.read.first(work)?;
        Ok(read)
    }

    /// Looks at the database as it is now: after whatever any process wrote before this was asked. It has a connection of its own,
    /// so that it is told at once, however many others read. Of each advice it is said whether its text is wanted.
    pub fn look(&self, advice: &BTreeMap<AdviceId, bool>) -> Result<Look, StoreError> {
        let (_loan, look) = self.pools.look.first(|connection| look(connection, advice))?;
        Ok(look)
    }

    /// Writes, all or nothing, as this actor at this moment.
    pub fn write<T, E: From<StoreError>>(
        &self,
        actor: &str,
        now: DateTime<Utc>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.pools.write.begun(dialect::begin_write)?;
        dialect::end_write(&mut connection, |connection| work(&mut Tx::new(connection, actor, now)))
    }
}

impl Replica {
    /// How its connections are used.
    pub fn readers(&self) -> Usage {
        self.lane.usage()
    }

    /// The copy as it now is, if it can be reached and has come at least as far as this entry of the journal.
    pub fn snapshot(&self, at_least: i64) -> Option<Snapshot> {
        match self.try_snapshot(at_least.max(self.floor)) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                tracing::debug!(%error, "the replica cannot be read");
                None
            }
        }
    }

    fn try_snapshot(&self, at_least: i64) -> Result<Option<Snapshot>, StoreError> {
        let mut connection = self.lane.begun(dialect::begin_read)?;
        match journal::position(&mut connection) {
            Ok(position) if position.sequence >= at_least => Ok(Some(Snapshot { connection, position })),
            // The transaction is ended without having read more.
            behind_or_broken => dialect::end_read(&mut connection, |_| behind_or_broken.map(|_| None)),
        }
    }

    /// The last entry of the journal that the copy holds, and its moment.
    pub fn head(&self) -> Result<(i64, DateTime<Utc>), StoreError> {
        let mut connection = self.lane.begun(dialect::begin_read)?;
        dialect::end_read(&mut connection, journal::head)
    }
}

impl Snapshot {
    /// Where its journal ends.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Reads it.
    pub fn read<T, E: From<StoreError>>(
        self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { mut connection, position: _ } = self;
        dialect::end_read(&mut connection, work)
    }
}
