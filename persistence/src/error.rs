//! What storage answers when it cannot do what was asked.

/// Why storage could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed the item since it was read.
    #[error("the item was changed since it was read")]
    Stale,
    /// It is there already.
    #[error("it is there already")]
    Duplicate,
    /// What stands in storage cannot be read back.
    #[error("{what} in storage cannot be read back: {cause}")]
    Malformed {
        /// What it is.
        what: &'static str,
        /// What the reader said.
        cause: String,
    },
    /// The database cannot be reached, or is too busy; trying again may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A request with the same key is still being worked on.
    #[error("the first request with this key is still being worked on")]
    Busy,
    /// Anything else the database said.
    #[error("database: {0}")]
    Database(diesel::result::Error),
    /// The setting of the database is no good.
    #[error("{0}")]
    Setting(String),
}

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        match error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Duplicate,
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                info,
            ) => Self::Unavailable(info.message().to_owned()),
            Error::DatabaseError(
                DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ReadOnlyTransaction,
                info,
            ) => Self::Unavailable(info.message().to_owned()),
            Error::DatabaseError(_, ref info) if passes(info.message()) => {
                Self::Unavailable(info.message().to_owned())
            }
            Error::BrokenTransactionManager => Self::Unavailable("the connection was lost".to_owned()),
            other => Self::Database(other),
        }
    }
}

impl StoreError {
    /// Whether the wait for somebody else's lock ran out.
    pub(crate) fn is_lock_wait(&self) -> bool {
        match self {
            Self::Unavailable(cause) => {
                cause.contains("lock timeout") || cause.contains("database is locked")
            }
            _ => false,
        }
    }
}

/// Whether it may go well another time: both databases tell these apart by their words only.
fn passes(message: &str) -> bool {
    const PASSING: [&str; 17] = [
        // Busy.
        "database is locked",
        "deadlock detected",
        "canceling statement due to lock timeout",
        "canceling statement due to statement timeout",
        // A standby, where what is read was cleaned up on the primary.
        "canceling statement due to conflict with recovery",
        "terminating connection due to conflict with recovery",
        // Going or coming.
        "the database system is",
        "terminating connection due to administrator command",
        "remaining connection slots are reserved",
        // The server that was asked to write only follows another.
        "cannot set transaction read-write mode during recovery",
        // Gone in the middle: only some of these have a kind of their own.
        "server closed the connection unexpectedly",
        "could not receive data from server",
        "no connection to the server",
        "connection has been closed unexpectedly",
        // No room.
        "No space left on device",
        "database or disk is full",
        "disk I/O error",
    ];
    PASSING.iter().any(|known| message.contains(known))
}
