//! One kind of connection for both databases, and the pools of them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ManageConnection, Pool, PooledConnection};
use diesel::{Connection as _, PgConnection, QueryDsl, RunQueryDsl, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::dialect;
use crate::error::StoreError;
use crate::hold;
use crate::schema::secret;
use crate::store::Usage;

/// The name of the key that cursors and positions are sealed with.
const SEAL: &str = "seal";

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// How long a writer waits for another before it gives up.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Pages of SQLite that a connection keeps, in KiB: what is read often is not fetched from the file at each turn.
const CACHE_KIB: u32 = 8 * 1024;

/// How long PostgreSQL may work on one query that reads.
const LONGEST_QUERY: Duration = Duration::from_secs(60);

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
    /// Reading all of it, however long it takes.
    Check,
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
                // How it keeps its journal stands in the file: to read it changes nothing, not even that.
                let purpose = match self.purpose {
                    Purpose::Read | Purpose::Check => "PRAGMA query_only = ON;",
                    Purpose::Write => "PRAGMA journal_mode = WAL;",
                };
                connection.batch_execute(&format!(
                    "PRAGMA busy_timeout = {};
                     PRAGMA cache_size = -{CACHE_KIB};
                     {purpose}
                     PRAGMA synchronous = FULL;
                     PRAGMA foreign_keys = ON;",
                    LOCK_WAIT.as_millis(),
                ))?;
                Ok(AnyConnection::Sqlite(connection))
            }
            DatabaseUrl::Postgres(url) => {
                let mut connection = PgConnection::establish(&with_time_limits(url)).map_err(unavailable)?;
                // A request that gave up waiting leaves no query behind that goes on for ever.
                let longest = match self.purpose {
                    Purpose::Read => LONGEST_QUERY.as_millis(),
                    Purpose::Check | Purpose::Write => 0,
                };
                connection.batch_execute(&format!(
                    "SET lock_timeout = {}; SET statement_timeout = {longest}; SET timezone = 'UTC';{}",
                    LOCK_WAIT.as_millis(),
                    match self.purpose {
                        // Each query walks an index, whatever the values: what was planned once is good for all, and to plan anew
                        // would take longer than the query.
                        Purpose::Read => " SET plan_cache_mode = force_generic_plan;",
                        Purpose::Check | Purpose::Write => "",
                    }
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

/// How long a new connection may take. Who holds a turn finds one idle, or has one made; nobody waits here for another.
const CONNECT_WAIT: Duration = Duration::from_secs(2);

/// How long what was sent to PostgreSQL may go unconfirmed.
const SILENCE: Duration = Duration::from_secs(10);

/// For how long a database that could not be reached is not tried again: else each request would spend its time on that.
const REST: Duration = Duration::from_millis(500);

/// A pool, and what is known of the database behind it.
#[derive(Clone)]
pub(crate) struct Lane {
    pool: Pool<Manager>,
    unreachable_since: Arc<Mutex<Option<Instant>>>,
}

impl Lane {
    fn new(url: &DatabaseUrl, purpose: Purpose, size: u32) -> Self {
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(CONNECT_WAIT)
            .build_unchecked(Manager { url: url.clone(), purpose });
        Self { pool, unreachable_since: Arc::default() }
    }

    fn size(&self) -> u32 {
        self.pool.max_size()
    }

    pub(crate) fn usage(&self) -> Usage {
        let state = self.pool.state();
        let in_use = state.connections.saturating_sub(state.idle_connections);
        Usage { size: self.size(), in_use, idle: state.idle_connections }
    }

    /// A connection in a transaction that just began.
    pub(crate) fn begun(
        &self,
        begin: impl Fn(&mut AnyConnection) -> Result<(), StoreError>,
    ) -> Result<Loan, StoreError> {
        self.first(begin).map(|(loan, ())| loan)
    }

    /// A connection, and what came of the first that was done on it. Those that were lost while they lay idle are found out by
    /// that, thrown away, and another is taken: it must be something that can be done twice.
    pub(crate) fn first<T>(
        &self,
        work: impl Fn(&mut AnyConnection) -> Result<T, StoreError>,
    ) -> Result<(Loan, T), StoreError> {
        let mut lost = 0;
        loop {
            let mut loan = self.loan()?;
            match work(&mut loan) {
                // Whether it is asked or not: the pool throws away only what knows that it is broken.
                Err(_) if dialect::is_lost(&mut loan) && lost < self.size() => lost += 1,
                Err(error) => return Err(error),
                Ok(done) => return Ok((loan, done)),
            }
        }
    }

    fn loan(&self) -> Result<Loan, StoreError> {
        if let Some(loan) = self.pool.try_get() {
            return Ok(loan);
        }
        if self.unreachable().is_some_and(|since| since.elapsed() < REST) {
            return Err(StoreError::Unavailable("the database could not be reached a moment ago".to_owned()));
        }
        match self.pool.get() {
            Ok(loan) => {
                *self.unreachable() = None;
                Ok(loan)
            }
            Err(error) => {
                *self.unreachable() = Some(Instant::now());
                Err(StoreError::Unavailable(error.to_string()))
            }
        }
    }

    fn unreachable(&self) -> MutexGuard<'_, Option<Instant>> {
        self.unreachable_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pools of the database that is written to. SQLite has one writer; with one connection nobody finds it locked.
#[derive(Clone)]
pub(crate) struct Pools {
    pub(crate) read: Lane,
    pub(crate) write: Lane,
    /// One connection through which many look at once, and nothing else.
    pub(crate) look: Lane,
    _in_use: Option<Arc<File>>,
}

impl Pools {
    pub(crate) fn open(url: &DatabaseUrl, connections: u32) -> Result<Self, StoreError> {
        if let DatabaseUrl::Sqlite(path) = url {
            create_folder_of(path)?;
        }
        let in_use = match url {
            DatabaseUrl::Sqlite(path) => Some(Arc::new(hold::in_use(path)?)),
            DatabaseUrl::Postgres(_) => None,
        };
        // One try without a pool, so that a wrong address fails at once and says why.
        migrate(&mut Manager { url: url.clone(), purpose: Purpose::Write }.connect()?)?;
        let (readers, writers) = match url {
            DatabaseUrl::Sqlite(_) => (connections, 1),
            DatabaseUrl::Postgres(_) => {
                // Writers wait for each other on the journal; they leave readers the other half.
                let writers = (connections / 2).max(1);
                ((connections - writers).max(1), writers)
            }
        };
        Ok(Self {
            read: Lane::new(url, Purpose::Read, readers),
            write: Lane::new(url, Purpose::Write, writers),
            look: Lane::new(url, Purpose::Read, 1),
            _in_use: in_use,
        })
    }
}

/// A pool of connections that only read, to a database that somebody else keeps: it need not be there now.
pub(crate) fn replica(url: &DatabaseUrl, connections: u32) -> Lane {
    Lane::new(url, Purpose::Read, connections)
}

/// A database that is there already, for as long as this lives.
pub(crate) struct Existing {
    pub(crate) connection: AnyConnection,
    _in_use: Option<File>,
}

/// Opens a database that is there already; nothing is made or changed in it.
pub(crate) fn existing(url: &DatabaseUrl) -> Result<Existing, StoreError> {
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return Err(StoreError::Setting("there is no such file".to_owned()));
    }
    let in_use = match url {
        DatabaseUrl::Sqlite(path) => hold::in_use_where_served(path)?,
        DatabaseUrl::Postgres(_) => None,
    };
    let mut connection = Manager { url: url.clone(), purpose: Purpose::Check }.connect()?;
    must_be_current(&mut connection)?;
    Ok(Existing { connection, _in_use: in_use })
}

/// The address, with limits on how long a connection may take to be made and a machine that is gone may stay silent, unless it
/// names its own: libpq waits for ever, and the kernel for a quarter of an hour.
fn with_time_limits(url: &str) -> String {
    let limits = [
        ("connect_timeout", CONNECT_WAIT.as_secs().to_string()),
        ("tcp_user_timeout", SILENCE.as_millis().to_string()),
        ("keepalives_idle", "5".to_owned()),
        ("keepalives_interval", "2".to_owned()),
        ("keepalives_count", "3".to_owned()),
    ];
    let mut limited = url.to_owned();
    for (name, value) in limits {
        if !url.contains(&format!("{name}=")) {
            let sign = if limited.contains('?') { '&' } else { '?' };
            limited.push_str(&format!("{sign}{name}={value}"));
        }
    }
    limited
}

pub(crate) fn must_be_current(connection: &mut AnyConnection) -> Result<(), StoreError> {
    if is_behind(connection)? {
        return Err(StoreError::Setting("its tables are not up to date: wijkaanzet migrate".to_owned()));
    }
    Ok(())
}

/// Whether its tables are of an earlier release.
pub(crate) fn is_behind(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    connection
        .has_pending_migration(MIGRATIONS)
        .map_err(|_| StoreError::Setting("it holds no tables of this program".to_owned()))
}

/// A SQLite file that nobody writes to, read without locks and without a file beside it.
pub(crate) fn unchanging(path: &Path) -> Result<AnyConnection, StoreError> {
    // As a URI, in which some characters of a path have a meaning.
    let mut uri = "file:".to_owned();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?immutable=1&mode=ro");
    let opened = SqliteConnection::establish(&uri);
    Ok(AnyConnection::Sqlite(opened.map_err(|error| StoreError::Unavailable(error.to_string()))?))
}

/// Brings the tables of a SQLite file up to date that nobody else has open, and leaves one file.
pub(crate) fn bring_up_to_date(path: &Path) -> Result<(), StoreError> {
    let url = DatabaseUrl::Sqlite(path.to_owned());
    migrate(&mut Manager { url, purpose: Purpose::Write }.connect()?)?;
    match fold(path)? {
        Folded::Whole => Ok(()),
        Folded::InUse | Folded::Damaged => {
            Err(StoreError::Unavailable("its tables were brought up to date, but not in one file".to_owned()))
        }
    }
}

/// What became of a SQLite database that was to be one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folded {
    /// It is one file.
    Whole,
    /// Somebody has it open.
    InUse,
    /// SQLite can't read it.
    Damaged,
}

/// Brings what stands beside a SQLite database into the one file. SQLite does so only for who is alone with it, so this also
/// finds those that have it open and know nothing of our lock.
pub(crate) fn fold(path: &Path) -> Result<Folded, StoreError> {
    let mut connection = SqliteConnection::establish(&path.to_string_lossy())
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    match connection.batch_execute("PRAGMA journal_mode = DELETE;") {
        Ok(()) => Ok(Folded::Whole),
        Err(error) => match StoreError::from(error) {
            StoreError::Unavailable(_) => Ok(Folded::InUse),
            StoreError::Database(error) => {
                tracing::warn!(%error, "the database cannot be read as it is");
                Ok(Folded::Damaged)
            }
            other => Err(other),
        },
    }
}

pub(crate) fn create_folder_of(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder).map_err(|error| {
            StoreError::Setting(format!("cannot create the folder {}: {error}", folder.display()))
        }),
        _ => Ok(()),
    }
}

/// Brings the tables up to date. Several processes may do it at once: the others wait and find it done.
fn migrate(connection: &mut AnyConnection) -> Result<(), StoreError> {
    dialect::begin_write(connection)?;
    dialect::end_write(connection, |connection| {
        dialect::lock_for_migration(connection)?;
        connection.run_pending_migrations(MIGRATIONS).map(|_| ()).map_err(|error| {
            StoreError::Setting(format!("the tables cannot be brought up to date: {error}"))
        })?;
        dialect::refuse_older_writers(connection)?;
        dialect::make_secret(connection, SEAL)
    })
}

/// The key that cursors and positions are sealed with: the same for every process on this database.
pub(crate) fn seal(lane: &Lane) -> Result<String, StoreError> {
    let mut connection = lane.begun(dialect::begin_read)?;
    dialect::end_read(&mut connection, |connection| {
        Ok(secret::table.find(SEAL).select(secret::value).first(connection)?)
    })
}

/// Makes the tables of a SQLite file those of the release before.
#[cfg(test)]
pub(crate) fn take_back_last_migration(path: &Path) {
    let mut connection = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    connection.revert_last_migration(MIGRATIONS).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_is_built_as_this_folder_says() {
        #[derive(diesel::QueryableByName)]
        struct Used {
            #[diesel(sql_type = diesel::sql_types::Bool)]
            used: bool,
        }
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        for (option, expected) in [("ENABLE_QPSG", true), ("ENABLE_MEMORY_MANAGEMENT", false)] {
            let query = diesel::sql_query(format!("SELECT sqlite_compileoption_used('{option}') AS used"));
            let Used { used } = query.get_result(&mut connection).unwrap();
            assert_eq!(used, expected, "{option}: was .cargo/config.toml read?");
        }
    }
}
