//! A copy of a SQLite database while others write to it, and such a copy put back; each is checked before it counts.
//! PostgreSQL has tools of its own for both.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::connection::{self, AnyConnection, DatabaseUrl};
use crate::error::StoreError;
use crate::schema::journal_head;
use crate::{check, dialect, hold, journal, moment};

/// What a sound copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Entries of the journal.
    pub entries: i64,
    /// Rows that were compared with the journal.
    pub rows: usize,
    /// The moment of the last entry.
    pub last_moment: DateTime<Utc>,
    /// The hash of the last entry: it covers all entries before it.
    pub head_hash: String,
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// What it holds.
    pub contents: Contents,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimals.
    pub sha256: String,
}

/// How a backup is put in place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreOptions {
    /// Whether a database that is there already may be set aside.
    pub replace: bool,
    /// The SHA-256 that the backup must have.
    pub sha256: Option<String>,
}

/// A backup that was put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the database holds now.
    pub contents: Contents,
    /// Where the database is that stood there before, if one did.
    pub set_aside: Option<PathBuf>,
    /// Whether the backup was of an earlier release, and its tables were brought up to date.
    pub migrated: bool,
}

/// Why no backup was made or put in place.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// PostgreSQL does this by itself.
    #[error("PostgreSQL has tools of its own for this: {tools}; see docs/backup.md")]
    ToolsOfItsOwn {
        /// Which ones.
        tools: &'static str,
    },
    /// It would overwrite something, or pull the database from under somebody.
    #[error("{0}")]
    Refused(String),
    /// The copy is not what it should be.
    #[error("{} is not sound: {}", file.display(), problems.join("; "))]
    Unsound {
        /// The copy.
        file: PathBuf,
        /// What is wrong with it.
        problems: Vec<String>,
    },
    /// The file system said no.
    #[error("cannot {doing} {}: {cause}", path.display())]
    Files {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the file system said.
        cause: io::Error,
    },
    /// The database said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What stands beside a SQLite database while somebody has it open, or after he was killed.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Copies the database as it is at one moment into a new file, while others go on writing, and checks the copy. The file has
/// its name only once it is whole and sound.
pub fn backup(url: &DatabaseUrl, file: &Path) -> Result<Backup, BackupError> {
    let DatabaseUrl::Sqlite(_) = url else {
        return Err(BackupError::ToolsOfItsOwn {
            tools: "pg_dump -Fc, or pg_basebackup with an archive of the WAL",
        });
    };
    let mut database = connection::existing(url)?;
    let partial = with(file, ".partial");
    // Made first: two backups to the same file at once would both find that it is not there yet.
    create_new(&partial)?;
    let copied = copy_of(&mut database.connection, file, &partial);
    if let Err(error) = copied {
        return Err(after_clearing(&partial, error));
    }
    // What is not sound stays under this name, for somebody to look at: it may be the database itself that is not.
    let contents = sound(&partial)?;
    let (bytes, sha256) = digest(&partial)?;
    sync(&partial)?;
    std::fs::rename(&partial, file).map_err(at("rename", &partial))?;
    sync_folder_of(file)?;
    Ok(Backup { contents, bytes, sha256 })
}

fn copy_of(database: &mut AnyConnection, file: &Path, partial: &Path) -> Result<(), BackupError> {
    if file.exists() {
        return Err(BackupError::Refused(format!("{} is there already", file.display())));
    }
    Ok(dialect::copy_into(database, partial)?)
}

/// Checks a backup and puts it in the place of the database, whole or not at all: who is killed in the middle leaves the
/// old one or the new one. What stood there is first set aside, and only where the caller says so.
pub fn restore(
    url: &DatabaseUrl,
    file: &Path,
    options: &RestoreOptions,
    now: DateTime<Utc>,
) -> Result<Restored, BackupError> {
    let DatabaseUrl::Sqlite(target) = url else {
        return Err(BackupError::ToolsOfItsOwn { tools: "pg_restore, or recovery to a point in time" });
    };
    connection::create_folder_of(target)?;
    let target = hold::real(target)?;
    let Some(_alone) = hold::alone(&target)? else { return Err(in_use(&target)) };
    if let Some(ending) = endings_at(&target).first()
        && !options.replace
    {
        return Err(BackupError::Refused(format!(
            "{} is there already; with --replace it is set aside first",
            with(&target, ending).display()
        )));
    }
    if file.canonicalize().map_err(at("find", file))? == target {
        return Err(BackupError::Refused(format!("{} is the database itself", file.display())));
    }
    // What was last written to it stands there and not in the file.
    if let Some(companion) = companions(file).find(|companion| is_filled(companion)) {
        return Err(BackupError::Refused(format!(
            "{} lies beside it: this is a database and no backup; make one with wijkaanzet backup",
            companion.display()
        )));
    }
    if let Some(expected) = &options.sha256 {
        let (_, found) = digest(file)?;
        if !expected.eq_ignore_ascii_case(&found) {
            let problem = format!("its SHA-256 is {found}, not the one that was given");
            return Err(BackupError::Unsound { file: file.to_owned(), problems: vec![problem] });
        }
    }
    // Left there by one that was killed: we are alone, so nobody is at work on it.
    let incoming = with(&target, ".restoring");
    clear(&incoming)?;
    bring_in(file, &incoming, &target, now).map_err(|error| after_clearing(&incoming, error))
}

fn bring_in(
    file: &Path,
    incoming: &Path,
    target: &Path,
    now: DateTime<Utc>,
) -> Result<Restored, BackupError> {
    std::fs::copy(file, incoming).map_err(at("copy", file))?;
    // What cannot be read at all is left for `sound` to tell.
    let migrated = connection::is_behind(&mut connection::unchanging(incoming)?).unwrap_or(false);
    if migrated {
        connection::bring_up_to_date(incoming)?;
    }
    let contents = sound(incoming).map_err(|error| match error {
        // The caller knows the backup, and not the copy of it.
        BackupError::Unsound { file: _, problems } => {
            BackupError::Unsound { file: file.to_owned(), problems }
        }
        other => other,
    })?;
    if let Ok(old) = std::fs::metadata(target) {
        std::fs::set_permissions(incoming, old.permissions()).map_err(at("set who may read", incoming))?;
    }
    sync(incoming)?;
    let set_aside = set_aside(target, now)?;
    std::fs::rename(incoming, target).map_err(at("rename", incoming))?;
    sync_folder_of(target)?;
    Ok(Restored { contents, set_aside, migrated })
}

/// Copies what stands at the place of the database to names that tell the moment, and leaves there at most the one file that
/// a rename replaces. Copies, and no moves: up to that rename the old database is in its place, whole.
fn set_aside(target: &Path, now: DateTime<Utc>) -> Result<Option<PathBuf>, BackupError> {
    let standing = endings_at(target);
    if standing.is_empty() {
        return Ok(None);
    }
    let aside = with(target, &format!(".before-restore-{}", now.format("%Y%m%dT%H%M%S%6fZ")));
    // Before SQLite touches it: of a damaged database it may throw away the log.
    for ending in &standing {
        copy_whole(&with(target, ending), &with(&aside, ending))?;
    }
    if target.exists() && connection::fold(target)? == connection::Folded::InUse {
        return Err(after_clearing(&aside, in_use(target)));
    }
    // A companion that is there even now belongs to a database that SQLite can't read, or to none. Beside the new database
    // it would be taken for its own.
    for companion in companions(target).filter(|companion| companion.exists()) {
        remove(&companion)?;
    }
    sync_folder_of(target)?;
    Ok(Some(aside))
}

fn in_use(target: &Path) -> BackupError {
    BackupError::Refused(format!(
        "{} is in use: stop the server, and whatever else has it open, first",
        target.display()
    ))
}

/// Whether the copy is whole: its pages, the chain of the journal, and each row against its last entry.
fn sound(file: &Path) -> Result<Contents, BackupError> {
    let unsound = |problems: Vec<String>| BackupError::Unsound { file: file.to_owned(), problems };
    let mut connection = connection::unchanging(file)?;
    let damaged =
        dialect::damaged_pages(&mut connection).map_err(|error| unsound(vec![error.to_string()]))?;
    if !damaged.is_empty() {
        return Err(unsound(damaged));
    }
    connection::must_be_current(&mut connection).map_err(|error| unsound(vec![error.to_string()]))?;
    let report = dialect::read_transaction(&mut connection, check::all)
        .map_err(|error| unsound(vec![error.to_string()]))?;
    let check::Report { entries, rows, problems, after: _, roots: _, left: _ } = report;
    if !problems.is_empty() {
        return Err(unsound(problems));
    }
    if entries == 0 {
        return Err(unsound(vec!["it is empty".to_owned()]));
    }
    let (last_moment, head_hash): (i64, String) = journal_head::table
        .find(1)
        .select((journal_head::moment, journal_head::hash))
        .first(&mut connection)
        .map_err(StoreError::from)?;
    Ok(Contents { entries, rows, last_moment: moment::to_utc(last_moment), head_hash })
}

fn digest(file: &Path) -> Result<(u64, String), BackupError> {
    let mut reader = File::open(file).map_err(at("open", file))?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 64 * 1024]);
    loop {
        let read = reader.read(&mut buffer).map_err(at("read", file))?;
        if read == 0 {
            return Ok((bytes, journal::hex(&hash.finalize())));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// The path with this at its end.
fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn companions(database: &Path) -> impl Iterator<Item = PathBuf> {
    COMPANIONS.map(|ending| with(database, ending)).into_iter()
}

/// What there is of a database, by what stands behind its name: nothing for the file itself.
fn endings_at(database: &Path) -> Vec<&'static str> {
    std::iter::once("").chain(COMPANIONS).filter(|ending| with(database, ending).exists()).collect()
}

fn is_filled(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0)
}

/// Makes an empty file that its owner alone may read: a backup holds what is not public, and names.
fn create_new(path: &Path) -> Result<(), BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(BackupError::Refused(format!(
            "{} is there: a backup is at work on it, or was cut short; then remove it",
            path.display()
        ))),
        Err(error) => Err(at("make", path)(error)),
    }
}

/// Copies a file so that the new name is there only once the copy is whole.
fn copy_whole(from: &Path, to: &Path) -> Result<(), BackupError> {
    let partial = with(to, ".partial");
    std::fs::copy(from, &partial).map_err(at("copy", from))?;
    sync(&partial)?;
    std::fs::rename(&partial, to).map_err(at("rename", &partial))?;
    sync_folder_of(to)
}

/// The error, once what was begun is cleared away; what could not be is told too.
fn after_clearing(begun: &Path, error: BackupError) -> BackupError {
    match clear(begun) {
        Ok(()) => error,
        Err(left) => BackupError::Refused(format!("{error}; and {left}")),
    }
}

fn clear(database: &Path) -> Result<(), BackupError> {
    endings_at(database).iter().try_for_each(|ending| remove(&with(database, ending)))
}

fn remove(path: &Path) -> Result<(), BackupError> {
    std::fs::remove_file(path).map_err(at("remove", path))
}

fn sync(path: &Path) -> Result<(), BackupError> {
    // Windows flushes only what is open for writing.
    let file = OpenOptions::new().write(true).open(path).map_err(at("open", path))?;
    file.sync_all().map_err(at("write out", path))
}

/// A new name is kept only once its folder is.
fn sync_folder_of(path: &Path) -> Result<(), BackupError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at("write out", folder))?;
    Ok(())
}

fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |cause| BackupError::Files { doing, path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{self, Table};
    use crate::{Store, StoreError};

    #[test]
    fn a_backup_of_an_earlier_release_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let url = |name: &str| DatabaseUrl::Sqlite(folder.path().join(name));
        let now = "2026-11-23T11:00:00Z".parse().unwrap();
        let store = Store::open(&url("old.sqlite"), 1).unwrap();
        let area = serde_json::json!({"code": "rozenburg"});
        store
            .write::<_, StoreError>("somebody", now, |tx| {
                registry::add(tx, Table::Area, "rozenburg", &area, "made")
            })
            .unwrap();
        let copy = folder.path().join("copy.sqlite");
        backup(&url("old.sqlite"), &copy).unwrap();
        connection::take_back_last_migration(&copy);
        let before = std::fs::read(&copy).unwrap();

        let restored = restore(&url("new.sqlite"), &copy, &RestoreOptions::default(), now).unwrap();
        assert!(restored.migrated);
        assert_eq!(restored.contents.entries, 1);
        assert_eq!(crate::check_existing(&url("new.sqlite")).unwrap().problems, Vec::<String>::new());
        assert_eq!(std::fs::read(&copy).unwrap(), before, "the backup itself stays as it is");
    }
}
