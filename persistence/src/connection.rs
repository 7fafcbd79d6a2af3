//! One kind of connection for both databases, and the pools of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ManageConnection, Pool, PooledConnection};
use diesel::{Connection as _, PgConnection, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::dialect;
use crate::error::StoreError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// How long a writer waits for another before it gives up.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// PostgreSQL, the database of production.
    Postgres(PgConnection),
    /// SQLite, embedded.
    Sqlite(SqliteConnection),
}

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A libpq connection URL.
    Postgres(String),
}

impl std::str::FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            let path = path.trim();
            if path.is_empty() || path.starts_with(":memory:") {
                return Err(
                    "sqlite:// wants the path of a file, such as sqlite://data/wijkaanzet.sqlite".to_owned()
                );
            }
            Ok(Self::Sqlite(PathBuf::from(path)))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres(url.to_owned()))
        } else {
            Err("a database is sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME".to_owned())
        }
    }
}

impl std::fmt::Display for DatabaseUrl {
    /// Without user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => {
                let place = url.split_once("://").map_or("", |(_, rest)| rest);
                let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
                let place = place.split('?').next().unwrap_or_default();
                write!(f, "postgres://{place}")
            }
        }
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Read,
    Write,
}

#[derive(Debug, Clone)]
pub(crate) struct Manager {
    url: DatabaseUrl,
    purpose: Purpose,
}

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = StoreError;

    fn connect(&self) -> Result<AnyConnection, StoreError> {
        let unavailable = |error: diesel::ConnectionError| {
            let text = error.to_string();
            // libpq repeats what it cannot read, and a password may stand in that.
            let unreadable = text.contains("URI")
                || text.contains("percent-encoded")
                || text.contains("connection option");
            StoreError::Unavailable(match unreadable {
                true => "the address is not one that PostgreSQL reads; percent-encode special characters"
                    .to_owned(),
                false => text,
            })
        };
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let mut connection =
                    SqliteConnection::establish(&path.to_string_lossy()).map_err(unavailable)?;
                let read_only = if self.purpose == Purpose::Read { "PRAGMA query_only = ON;" } else { "" };
                connection.batch_execute(&format!(
                    "PRAGMA busy_timeout = {};
                     PRAGMA journal_mode = WAL;
                     PRAGMA synchronous = FULL;
                     PRAGMA foreign_keys = ON;
                     {read_only}",
                    LOCK_WAIT.as_millis(),
                ))?;
                Ok(AnyConnection::Sqlite(connection))
            }
            DatabaseUrl::Postgres(url) => {
                let mut connection = PgConnection::establish(url).map_err(unavailable)?;
                connection.batch_execute(&format!(
                    "SET lock_timeout = {}; SET timezone = 'UTC';",
                    LOCK_WAIT.as_millis()
                ))?;
                Ok(AnyConnection::Postgres(connection))
            }
        }
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        connection.batch_execute("SELECT 1").map_err(StoreError::from)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || dialect::is_broken(connection)
    }
}

/// A connection on loan from a pool.
pub(crate) type Loan = PooledConnection<Manager>;

/// The pools. SQLite has one writer; with one connection nobody finds it locked.
#[derive(Clone)]
pub(crate) struct Pools {
    read: Pool<Manager>,
    write: Pool<Manager>,
}

impl Pools {
    pub(crate) fn open(url: &DatabaseUrl, connections: u32) -> Result<Self, StoreError> {
        if let DatabaseUrl::Sqlite(path) = url {
            create_folder_of(path)?;
        }
        let pool = |purpose, size| {
            Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .test_on_check_out(false)
                .connection_timeout(LOCK_WAIT)
                .build(Manager { url: url.clone(), purpose })
                .map_err(|error| StoreError::Unavailable(error.to_string()))
        };
        // One try without a pool, so that a wrong address fails at once and says why.
        migrate(&mut Manager { url: url.clone(), purpose: Purpose::Write }.connect()?)?;
        match url {
            DatabaseUrl::Sqlite(_) => {
                Ok(Self { write: pool(Purpose::Write, 1)?, read: pool(Purpose::Read, connections)? })
            }
            DatabaseUrl::Postgres(_) => {
                // Writers wait for each other on the journal; they leave readers the other half.
                let writers = (connections / 2).max(1);
                let readers = (connections - writers).max(1);
                Ok(Self { write: pool(Purpose::Write, writers)?, read: pool(Purpose::Read, readers)? })
            }
        }
    }

    pub(crate) fn reader(&self) -> Result<Loan, StoreError> {
        self.read.get().map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// How many may read at the same time.
    pub(crate) fn readers(&self) -> u32 {
        self.read.max_size()
    }

    pub(crate) fn writer(&self) -> Result<Loan, StoreError> {
        self.write.get().map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}

/// A connection to a database that is there already; nothing is made or changed.
pub(crate) fn existing(url: &DatabaseUrl) -> Result<AnyConnection, StoreError> {
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return Err(StoreError::Setting("there is no such file".to_owned()));
    }
    let mut connection = Manager { url: url.clone(), purpose: Purpose::Read }.connect()?;
    let behind = connection
        .has_pending_migration(MIGRATIONS)
        .map_err(|_| StoreError::Setting("it holds no tables of this program".to_owned()))?;
    if behind {
        return Err(StoreError::Setting("its tables are not up to date: wijkaanzet migrate".to_owned()));
    }
    Ok(connection)
}

fn create_folder_of(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder).map_err(|error| {
            StoreError::Setting(format!("cannot create the folder {}: {error}", folder.display()))
        }),
        _ => Ok(()),
    }
}

/// Brings the tables up to date. Several processes may do it at once: the others wait and find it done.
fn migrate(connection: &mut AnyConnection) -> Result<(), StoreError> {
    dialect::write_transaction(connection, |connection| {
        dialect::lock_for_migration(connection)?;
        connection
            .run_pending_migrations(MIGRATIONS)
            .map(|_| ())
            .map_err(|error| StoreError::Setting(format!("the tables cannot be brought up to date: {error}")))
    })
}
